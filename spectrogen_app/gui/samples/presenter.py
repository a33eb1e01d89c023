"""Turns what the user does in the tree into edits of the session."""

from __future__ import annotations

from spectrogen_app.app.session import SessionState
from spectrogen_app.gui.samples.view import SamplesView
from spectrogen_app.gui.store import Selection, SessionStore


class SamplesPresenter:
    """Keeps the tree and the session in step.

    Parameters
    ----------
    store : SessionStore
    view : SamplesView
    """

    def __init__(self, store: SessionStore, view: SamplesView) -> None:
        self._store, self._view = store, view
        store.changed.connect(self._show)
        store.selected.connect(self._show_selection)
        view.shown.connect(self._show_curves)
        view.selected.connect(self._select)
        view.moved.connect(self._move)
        view.renamed.connect(self._rename)
        view.recoloured.connect(self._recolour)
        view.removed.connect(self.remove)
        view.show_only.connect(self._show_only)

    def walk(self, steps: int) -> None:
        """Select the next or an earlier spectrum, in the order of the tree."""
        curves = [c.id for c in self._store.state.curves()]
        if not curves:
            return
        now = self._store.selection.curve
        if now is None:
            sample = self._store.current_sample
            first = sample.curves[0].id if sample is not None else curves[0]
            at = curves.index(first) - (steps > 0)
        else:
            at = curves.index(now)
        self._store.select_curve(curves[min(max(at + steps, 0), len(curves) - 1)])

    def remove(self, ids: list[str]) -> None:
        """Take curves out of the session; undo brings them back."""
        if ids:
            what = f"{len(ids)} spectra" if len(ids) > 1 else self._name(ids[0])
            self._store.edit(f"Delete {what}", self._store.state.remove(ids))

    def _name(self, curve_id: str) -> str:
        return self._store.state.curve(curve_id).spectrum.name or "spectrum"

    def _show(self, state: SessionState) -> None:
        self._view.show_state(state)
        self._show_selection(self._store.selection)

    def _show_selection(self, chosen: Selection) -> None:
        self._view.show_selection(chosen.curve, chosen.sample, chosen.curves)

    def _select(self, curve: str, sample: str, ids: tuple[str, ...]) -> None:
        self._store.select(Selection(curve or None, sample, ids))

    def _show_curves(self, ids: list[str], on: bool) -> None:
        what = f"{len(ids)} spectra" if len(ids) > 1 else self._name(ids[0])
        self._store.edit(f"{'Show' if on else 'Hide'} {what}", self._store.state.show(ids, on))

    def _show_only(self, ids: list[str]) -> None:
        state = self._store.state
        others = {c.id for c in state.curves()} - set(ids)
        self._store.edit("Show only these", state.show(others, False).show(ids, True))

    def _move(self, ids: list[str], sample: str) -> None:
        state = self._store.state
        if sample and all(state.sample_of(i).id == sample for i in ids):
            return
        self._store.edit("Regroup spectra", state.move(ids, sample or None))

    def _rename(self, kind: str, own: str, text: str) -> None:
        state = self._store.state
        if kind == "sample":
            self._store.edit(f"Rename to {text}", state.edit_sample(own, name=text))
        else:
            spectrum = state.curve(own).spectrum.replace(name=text)
            self._store.edit(f"Rename to {text}", state.edit_curve(own, spectrum=spectrum))

    def _recolour(self, curve: str, colour: str) -> None:
        self._store.edit(
            f"Colour of {self._name(curve)}", self._store.state.edit_curve(curve, colour=colour)
        )
