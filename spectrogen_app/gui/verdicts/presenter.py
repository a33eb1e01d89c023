"""Keeps the verdict on every file; its modality, columns and choice of spectra can be changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6 import QtCore

from spectrogen_app.app import layouts
from spectrogen_app.app.layouts import AgainRequest
from spectrogen_app.app.session import SessionState
from spectrogen_app.data.axis import CU_KALPHA
from spectrogen_app.data.modality import MODALITIES
from spectrogen_app.data.provenance import Origin
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.gui.choosing.presenter import ChooserPresenter
from spectrogen_app.gui.context import Context
from spectrogen_app.gui.loading import MAP_LIMIT, MEAN, Row, add_shown
from spectrogen_app.gui.preview.presenter import PreviewPresenter
from spectrogen_app.gui.verdicts.view import CHOOSE, PREVIEW, XRAYS, Line, VerdictsView
from spectrogen_app.gui.xrays.presenter import XraysPresenter
from spectrogen_app.io.base import TextLayout, Verdict

AFTER_PAINTING_MS = 50
"""The first spectrum of a map is painted before the list of all is built."""


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
        view.action_wanted.connect(self.act)
        self._dialog: PreviewPresenter | ChooserPresenter | XraysPresenter | None = None

    def add(self, rows: Sequence[Row]) -> None:
        """Take the verdicts on some files."""
        self.rows.extend(rows)
        lines = [line_of(row) for row in rows]
        self._view.add_lines(lines)
        self._summarise()
        bad = next((i for i, line in enumerate(lines) if line.state == "error"), None)
        if bad is not None:
            self._attention()
            self._view.point_to(len(self.rows) - len(rows) + bad)
        many = next((row for row in rows if row.deferred), None)
        if many is not None:
            QtCore.QTimer.singleShot(
                AFTER_PAINTING_MS, self._view, lambda: self._choose_if_there(many)
            )

    def act(self, at: int, action: str) -> None:
        """Open the preview of a text, the list of the spectra of a file, or the wavelength."""
        {PREVIEW: self._preview, CHOOSE: self._choose, XRAYS: self._xrays}[action](self.rows[at])

    def _xrays(self, row: Row) -> None:
        verdict, first = row.verdict, row.verdict.spectra[0]
        width = float(first.provenance.reading.get("width") or 0.1)
        view = self._view.make_xrays(
            verdict.path.name, first.wavelength or CU_KALPHA,
            width if first.origin is Origin.SIMULATED else None,
        )  # fmt: skip

        def opened(verdict: Verdict) -> None:
            self._replace(row, verdict, "X-rays")

        self._dialog = XraysPresenter(self._context, view, verdict, opened)
        view.open()

    def _choose_if_there(self, row: Row) -> None:
        if any(r is row for r in self.rows):
            self._choose(row)

    def _preview(self, row: Row) -> None:
        view = self._view.make_preview(row.verdict.path.name)

        def opened(verdict: Verdict, look: str, layout: TextLayout | None) -> None:
            self._replace(row, verdict, "Columns")
            if layout is not None:
                self._open_again(row, look, layout)

        self._dialog = PreviewPresenter(self._context, view, row.verdict.path, opened)
        view.open()

    def _open_again(self, but: Row, look: str, layout: TextLayout) -> None:
        """Read the doubtful and refused texts of the same look as the user chose."""
        others = {
            row.verdict.path: row for row in self.rows
            if row is not but and row.verdict.tabular and (row.verdict.unsure or row.verdict.error)
        }  # fmt: skip

        def done(found: dict[Path, Verdict]) -> None:
            for path, verdict in found.items():
                if others[path] in self.rows:
                    self._replace(others[path], verdict, "Columns")
            if found:
                self._context.notify("info", f"{len(found)} more of this look opened again.")

        if others:
            self._context.loader.submit(
                layouts.open_again, AgainRequest(tuple(others), look, layout),
                "Opening files of the same look", on_done=done,
            )  # fmt: skip

    def _replace(self, row: Row, verdict: Verdict, what: str) -> None:
        """Put the spectra of a new verdict in the place of the old ones."""
        new = tuple(range(min(len(verdict.spectra), MAP_LIMIT)))
        spectra = tuple(verdict.spectra[: len(new)])
        self._put(row, Row(verdict), new, spectra, f"{what} of {verdict.path.name}")

    def _choose(self, row: Row) -> None:
        verdict, held = row.verdict, self._held(row)
        ticked = range(len(verdict.spectra)) if row.deferred else held
        view = self._view.make_chooser(
            verdict.path.name, verdict.count, len(verdict.others), ticked, MAP_LIMIT
        )

        def taken(
            wanted: tuple[int, ...], new: tuple[int, ...], spectra: tuple[Spectrum, ...]
        ) -> None:
            kept = {i: c for i, c in self._held(row).items() if i in wanted}
            rest = Row(verdict, tuple(kept.values()), tuple(kept))
            indices = (*new, *(MEAN for _ in spectra[len(new) :]))
            self._put(row, rest, indices, spectra, f"Choose spectra of {verdict.path.name}")

        self._dialog = ChooserPresenter(
            self._context, view, verdict, held=held, limit=MAP_LIMIT, taken=taken
        )
        view.open()

    def _held(self, row: Row) -> dict[int, str]:
        """The curves of a file that are still there, by index; means have none."""
        alive = {c.id for c in self._context.store.state.curves()}
        pairs = zip(row.indices, row.curves, strict=True)
        return {i: c for i, c in pairs if c in alive and i != MEAN}

    def _put(
        self,
        row: Row,
        kept: Row,
        indices: tuple[int, ...],
        spectra: tuple[Spectrum, ...],
        label: str,
    ) -> None:
        """Let a row have other curves: those kept, and new ones."""
        store = self._context.store
        gone = {c for c in row.curves if c not in kept.curves}
        state = store.state.remove(gone & {c.id for c in store.state.curves()})
        state, curves = add_shown(state, spectra)
        store.edit(label, state)
        now = Row(kept.verdict, (*kept.curves, *curves), (*kept.indices, *indices))
        at = next((i for i, r in enumerate(self.rows) if r is row), None)
        if at is not None:
            self.rows[at] = now
            self._view.put_line(at, line_of(now))
            self._summarise()
        if curves:
            store.select_curve(curves[0])

    def _summarise(self) -> None:
        refused = sum(not r.verdict.ok for r in self.rows)
        summary = f"{len(self.rows) - refused:,} of {len(self.rows):,} files opened"
        self._view.summary.setText(f"{summary}, {refused:,} refused" if refused else summary)

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
    many = len(verdict.spectra) > 1 or len(verdict.others)
    offered = [CHOOSE] * bool(many) + [XRAYS] * verdict.xrays + [PREVIEW] * verdict.tabular
    actions = tuple(offered if verdict.ok and not verdict.unsure else reversed(offered))
    if verdict.error is not None:
        return Line(
            str(verdict.path), verdict.format.removeprefix("a ") or "not opened", "", 0, "error",
            verdict.error.message, verdict.error.hint, actions,
        )  # fmt: skip
    doubtful = bool(verdict.warnings) or verdict.unsure
    remark = " ".join((*verdict.warnings, *verdict.assumptions))
    return Line(
        str(verdict.path), verdict.format, verdict.spectra[0].modality if verdict.spectra else "",
        len(verdict.spectra), "warning" if doubtful else "good", remark, "", actions,
        sum(i != MEAN for i in row.indices),
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
