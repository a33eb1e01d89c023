"""Undo and redo return the exact states."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from spectrogen_app.app.history import History

LIMIT = 7


class AgainstLists(RuleBasedStateMachine):
    """A history behaves like two lists of states."""

    def __init__(self) -> None:
        super().__init__()
        start = object()
        self.history = History(start, limit=LIMIT)
        self.done = [start]
        self.undone: list[object] = []
        self.key: str | None = None

    @rule(key=st.sampled_from([None, "a", "b"]))
    def push(self, key: str | None) -> None:
        state = object()
        self.history.push("step", state, key)
        merges = key is not None and key == self.key and len(self.done) > 1
        if merges:
            self.done[-1] = state
        else:
            self.done.append(state)
            del self.done[: max(0, len(self.done) - LIMIT - 1)]
        self.undone.clear()
        self.key = key

    @rule()
    def end_merge(self) -> None:
        self.history.end_merge()
        self.key = None

    @rule()
    def undo(self) -> None:
        if len(self.done) > 1:
            self.undone.append(self.done.pop())
        assert self.history.undo() is self.done[-1]
        self.key = None

    @rule()
    def redo(self) -> None:
        if self.undone:
            self.done.append(self.undone.pop())
        assert self.history.redo() is self.done[-1]
        self.key = None

    @invariant()
    def agrees(self) -> None:
        assert self.history.state is self.done[-1]
        assert (self.history.undo_label is None) == (len(self.done) == 1)
        assert (self.history.redo_label is None) == (not self.undone)


def test_random_edits_undo_and_redo() -> None:
    run_state_machine_as_test(AgainstLists)


@given(st.integers(1, 30))
def test_all_the_way_back_and_forth(count: int) -> None:
    history = History(0)
    for i in range(1, count + 1):
        history.push(f"to {i}", i)
    for i in reversed(range(count)):
        assert history.undo() == i
    assert history.undo() == 0
    for i in range(1, count + 1):
        assert history.redo() == i
    assert history.redo() == count


def test_the_same_state_is_no_step() -> None:
    state = object()
    history = History(state)
    history.push("nothing", state)
    assert history.undo_label is None
