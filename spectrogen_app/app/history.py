"""Undo and redo as earlier states of an immutable session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

State = TypeVar("State")


@dataclass(frozen=True)
class _Step(Generic[State]):
    label: str
    state: State
    merge_key: str | None


class History(Generic[State]):
    """The current state and the way to it.

    Parameters
    ----------
    state : State
        Where it begins.
    limit : int
        Number of steps that can be undone; the oldest are forgotten.
    """

    def __init__(self, state: State, limit: int = 100) -> None:
        self._steps: list[_Step[State]] = [_Step("", state, None)]
        self._at = 0
        self._limit = limit

    @property
    def state(self) -> State:
        """The current state."""
        return self._steps[self._at].state

    @property
    def undo_label(self) -> str | None:
        """What undo would take back; None when nothing."""
        return self._steps[self._at].label if self._at else None

    @property
    def redo_label(self) -> str | None:
        """What redo would do again; None when nothing."""
        return self._steps[self._at + 1].label if self._at + 1 < len(self._steps) else None

    def push(self, label: str, state: State, merge_key: str | None = None) -> None:
        """Make ``state`` current as one step; what was undone is forgotten.

        Steps that follow one another with the same ``merge_key`` become one: a drag is one step.
        A state that is the current one is no step.
        """
        if state is self.state:
            return
        del self._steps[self._at + 1 :]
        if merge_key is not None and self._at and self._steps[-1].merge_key == merge_key:
            self._steps[-1] = _Step(label, state, merge_key)
            return
        self._steps.append(_Step(label, state, merge_key))
        del self._steps[: max(0, len(self._steps) - self._limit - 1)]
        self._at = len(self._steps) - 1

    def end_merge(self) -> None:
        """The drag is over: the next step stands for itself."""
        step = self._steps[self._at]
        self._steps[self._at] = _Step(step.label, step.state, None)

    def undo(self) -> State:
        """Go one step back, if there is one, and return the state."""
        self._at = max(0, self._at - 1)
        self.end_merge()
        return self.state

    def redo(self) -> State:
        """Go one step forward, if there is one, and return the state."""
        self._at = min(len(self._steps) - 1, self._at + 1)
        self.end_merge()
        return self.state
