"""Keeps the verdict on every file, and lets its modality be corrected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from spectrogen_app.app.session import SessionState
from spectrogen_app.data.modality import MODALITIES
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.gui.context import Context
from spectrogen_app.gui.loading import Row
from spectrogen_app.gui.verdicts.view import Line, VerdictsView


class VerdictsPresenter:
    """Turns verdicts into lines.

    Parameters
    ----------
    context : Context
    view : VerdictsView
    attention : callable()
        Called when a file was refused or needs a look.
    """

    def __init__(self, context: Context, view: VerdictsView, attention: Callable[[], None]) -> None:
        self._context, self._view, self._attention = context, view, attention
        self.rows: list[Row] = []
        view.modality_chosen.connect(self.correct)
        view.selected.connect(self._select)
        view.cleared.connect(self._clear)

    def add(self, rows: Sequence[Row]) -> None:
        """Take the verdicts on some files."""
        self.rows.extend(rows)
        lines = [line_of(row) for row in rows]
        refused = sum(not r.verdict.ok for r in self.rows)
        total = len(self.rows)
        summary = f"{total - refused:,} of {total:,} files opened"
        self._view.add_lines(lines, f"{summary}, {refused:,} refused" if refused else summary)
        bad = next((i for i, line in enumerate(lines) if line.state == "error"), None)
        if bad is not None:
            self._attention()
            self._view.point_to(len(self.rows) - len(rows) + bad)

    def correct(self, at: int, modality: str) -> None:
        """Say what a file really holds; its curves follow."""
        store = self._context.store
        state: SessionState = store.state
        alive = {c.id for c in state.curves()}
        try:
            for curve_id in self.rows[at].curves:
                if curve_id in alive:
                    spectrum = with_modality(state.curve(curve_id).spectrum, modality)
                    state = state.edit_curve(curve_id, spectrum=spectrum)
        except SpectrogenError as error:
            self._context.notify("error", error.message, error.hint)
            return
        store.edit(f"Modality of {self.rows[at].verdict.path.name}", state)
        line = self._view.model.lines[at]
        self._view.model.put(at, replace(line, modality=modality))

    def _select(self, at: int) -> None:
        alive = {c.id for c in self._context.store.state.curves()}
        for curve_id in self.rows[at].curves[:1]:
            if curve_id in alive:
                self._context.store.select_curve(curve_id)

    def _clear(self) -> None:
        self.rows.clear()
        self._view.model.clear()
        self._view.summary.setText("")


def line_of(row: Row) -> Line:
    """A verdict as a line of the table."""
    verdict = row.verdict
    if verdict.error is not None:
        return Line(
            str(verdict.path), verdict.format or "not opened", "", 0, "error",
            verdict.error.message, verdict.error.hint,
        )  # fmt: skip
    doubtful = bool(verdict.warnings) or verdict.unsure
    remark = " ".join((*verdict.warnings, *verdict.assumptions))
    return Line(
        str(verdict.path), verdict.format, verdict.spectra[0].modality if verdict.spectra else "",
        len(verdict.spectra), "warning" if doubtful else "good", remark,
    )  # fmt: skip


def with_modality(spectrum: Spectrum, modality: str) -> Spectrum:
    """The same numbers, taken to be of another modality, on its usual axis and ordinate.

    Raises
    ------
    AxisError
        Never for the modalities known; kept for units that belong to no axis.
    """
    declared = MODALITIES[modality]
    changes: dict[str, object] = {"modality": modality}
    if spectrum.x_kind is not declared.x_kind:
        changes |= {"x_kind": declared.x_kind, "x_unit": "", "y_unit": declared.y_unit.value}
    return spectrum.replace(**changes)
