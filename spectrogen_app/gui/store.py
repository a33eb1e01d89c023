"""The session as the window sees it: state, history, selection, and signals when they change."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6 import QtCore

from spectrogen_app.app.history import History
from spectrogen_app.app.session import Curve, Sample, SessionState


@dataclass(frozen=True)
class Selection:
    """What is chosen in the tree.

    Attributes
    ----------
    curve : str or None
        The current curve.
    sample : str or None
        The current sample: that of the current curve, or the one chosen itself.
    curves : tuple of str
        All chosen curves.
    """

    curve: str | None = None
    sample: str | None = None
    curves: tuple[str, ...] = ()


class SessionStore(QtCore.QObject):
    """Holds the history; every edit goes through :meth:`edit`.

    Signals
    -------
    changed(SessionState)
        The state was edited, undone or redone.
    selected(Selection)
        Another curve or sample is current.
    """

    changed = QtCore.Signal(object)
    selected = QtCore.Signal(object)

    def __init__(self, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        self._history = History(SessionState())
        self._selection = Selection()

    @property
    def state(self) -> SessionState:
        """The current state."""
        return self._history.state

    @property
    def selection(self) -> Selection:
        """What is chosen."""
        return self._selection

    @property
    def undo_label(self) -> str | None:
        """What undo would take back."""
        return self._history.undo_label

    @property
    def redo_label(self) -> str | None:
        """What redo would do again."""
        return self._history.redo_label

    def edit(self, label: str, state: SessionState, merge_key: str | None = None) -> None:
        """Make ``state`` current as one step, named ``label`` in the Edit menu."""
        if state is not self.state:
            before = self.state
            self._history.push(label, state, merge_key)
            self._settle(before)

    def end_merge(self) -> None:
        """A drag is over: the next edit is a step of its own."""
        self._history.end_merge()

    def reset(self, state: SessionState) -> None:
        """Begin anew with ``state``, such as an opened project, at its first spectrum."""
        before = self.state
        self._history = History(state)
        self._settle(before)
        first = next(state.curves(), None)
        if first is not None:
            self.select_curve(first.id)

    def undo(self) -> None:
        """Take back the last step."""
        before = self.state
        self._history.undo()
        self._settle(before)

    def redo(self) -> None:
        """Do the next step again."""
        before = self.state
        self._history.redo()
        self._settle(before)

    def select(self, selection: Selection) -> None:
        """Choose a curve or sample."""
        if selection != self._selection:
            self._selection = selection
            self.selected.emit(selection)

    def select_curve(self, curve_id: str) -> None:
        """Choose one curve."""
        self.select(Selection(curve_id, self.state.sample_of(curve_id).id, (curve_id,)))

    @property
    def current_curve(self) -> Curve | None:
        """The current curve."""
        chosen = self._selection.curve
        return None if chosen is None else self.state.curve(chosen)

    @property
    def current_sample(self) -> Sample | None:
        """The current sample."""
        chosen = self._selection.sample
        return None if chosen is None else self.state.sample(chosen)

    def _settle(self, before: SessionState) -> None:
        """Drop from the selection what is gone, or go back to what it was made from; then tell."""
        state, chosen = self.state, self._selection
        alive = {curve.id: sample.id for sample in state.samples for curve in sample.curves}
        samples = {sample.id for sample in state.samples}
        curves = tuple(c for c in chosen.curves if c in alive)
        if not curves and chosen.curve is not None:
            curves = tuple(c for c in before.curve(chosen.curve).parents if c in alive)[:1]
        curve = chosen.curve if chosen.curve in alive else (curves[0] if curves else None)
        sample = alive[curve] if curve else (chosen.sample if chosen.sample in samples else None)
        if sample is None and state.samples:
            sample = state.samples[0].id
        settled = Selection(curve, sample, curves)
        moved = settled != chosen
        self._selection = settled
        self.changed.emit(state)
        if moved:
            self.selected.emit(settled)
