"""Keeps the preview of a text in step with the choices, and remembers them for its look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from spectrogen_app.app import layouts
from spectrogen_app.app.layouts import PreviewRequest, remember, remembered
from spectrogen_app.data.axis import pretty_unit
from spectrogen_app.data.modality import MODALITIES
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.gui.context import Context
from spectrogen_app.gui.plotting.model import panel_of
from spectrogen_app.gui.preview.view import PreviewView, Shown
from spectrogen_app.io.base import TextLayout, Verdict
from spectrogen_app.io.preview import TextPreview

DRAWN = 12
"""Curves drawn in the preview."""


class PreviewPresenter:
    """Shows what each choice gives.

    Parameters
    ----------
    context : Context
    view : PreviewView
    path : Path
        Also a member of an archive.
    opened : callable(verdict, look, layout)
        Called with what is to be opened; ``layout`` is None unless it holds for the whole look.
    """

    def __init__(
        self,
        context: Context,
        view: PreviewView,
        path: Path,
        opened: Callable[[Verdict, str, TextLayout | None], None],
    ) -> None:
        self._context, self._view, self._path, self._opened = context, view, path, opened
        self._preview: TextPreview | None = None
        self._layout = TextLayout()
        view.changed.connect(self.look)
        view.opened.connect(self._open)
        self.look(self._layout)

    def look(self, layout: TextLayout) -> None:
        """Show what a layout gives."""
        self._layout = layout
        self._context.previews.submit(
            layouts.preview, PreviewRequest(self._path, layout), f"Looking at {self._path.name}",
            on_done=self._show, on_failed=self._fail,
        )  # fmt: skip

    def _show(self, preview: TextPreview) -> None:
        first, self._preview = self._preview is None, preview
        known = remembered(self._context.settings()).get(preview.look)
        if first and known is not None:
            self._view.set_layout_choices(known)
            return
        self._view.show_preview(shown(preview))

    def _fail(self, error: SpectrogenError) -> None:
        self._view.set_verdict(str(error), False)

    def _open(self, for_look: bool) -> None:
        if self._preview is None:
            return
        look, settings = self._preview.look, self._context.settings
        settings.put(remember(settings(), look, self._layout if for_look else None))
        self._opened(self._preview.verdict, look, self._layout if for_look else None)


def shown(preview: TextPreview) -> Shown:
    """A preview as the view shows it."""
    verdict, table = preview.verdict, preview.table
    found = TextLayout(x_column=preview.x_column, y_columns=preview.y_columns)
    if table is not None:
        found = replace(
            found, delimiter=table.delimiter, decimal=table.decimal, skip_rows=table.start
        )
    text, panel = "", None
    if verdict.error is not None:
        text = str(verdict.error)
    elif len(verdict.spectra):
        spectra = list(verdict.spectra[:DRAWN])
        first = spectra[0]
        found = replace(found, modality=first.modality, x_unit=first.x_unit, y_unit=first.y_unit)
        panel = panel_of([s for s in spectra if s.modality == first.modality], telling=False)
        text = _summary(verdict, first)
    return Shown(
        preview.lines, found, preview.titles, table.numeric if table else (), preview.values,
        panel, text, verdict.ok, " ".join((*verdict.warnings, *verdict.assumptions)),
    )  # fmt: skip


def _summary(verdict: Verdict, first: Spectrum) -> str:
    count, unit = len(verdict.spectra), pretty_unit(first.x_unit)
    many = f"{count:,} spectra, the first: " if count > 1 else ""
    return (
        f"{many}{MODALITIES[first.modality].label}, {len(first):,} points from "
        f"{f'{first.x[0]:.6g} to {first.x[-1]:.6g} {unit}'.rstrip()}, {first.y_unit}"
    )
