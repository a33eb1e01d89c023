"""Reads a pattern again for each wavelength and width that the user tries."""

from __future__ import annotations

from collections.abc import Callable

from spectrogen_app.app import layouts
from spectrogen_app.app.layouts import PreviewRequest
from spectrogen_app.gui.context import Context
from spectrogen_app.gui.plotting.model import panel_of
from spectrogen_app.gui.xrays.view import XraysView
from spectrogen_app.io.base import TextLayout, Verdict


class XraysPresenter:
    """Shows what the choices give.

    Parameters
    ----------
    context : Context
    view : XraysView
    verdict : Verdict
        As the file was opened.
    opened : callable(verdict)
        Called with what is to stand in its place.
    """

    def __init__(
        self,
        context: Context,
        view: XraysView,
        verdict: Verdict,
        opened: Callable[[Verdict], None],
    ) -> None:
        self._context, self._view, self._verdict, self._opened = context, view, verdict, opened
        view.changed.connect(self.look)
        view.applied.connect(self._apply)
        self._show(verdict)

    def look(self, wavelength: float, width: float | None) -> None:
        """Show what a wavelength and a width give."""
        known = TextLayout(**self._verdict.spectra[0].provenance.reading)
        layout = TextLayout(**{**known.choices(), "wavelength": wavelength, "width": width})
        self._view.apply_button.setEnabled(False)
        self._context.previews.submit(
            layouts.open_with, PreviewRequest(self._verdict.path, layout),
            f"Looking at {self._verdict.path.name}", on_done=self._show,
        )  # fmt: skip

    def _show(self, verdict: Verdict) -> None:
        if verdict.error is not None:
            self._view.show_pattern(None, str(verdict.error), False)
            return
        self._verdict = verdict
        panel = panel_of((verdict.spectra[0],), telling=False)
        self._view.show_pattern(panel, " ".join(verdict.assumptions), True)

    def _apply(self) -> None:
        self._opened(self._verdict)
