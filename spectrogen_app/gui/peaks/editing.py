"""The peaks of the current curve: every edit is one step of the history, every fit a job."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6 import QtCore

from spectrogen_app.app.decomposition import Decomposition, Sketch, followed, sketch
from spectrogen_app.app.session import Curve
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.fitting.model import Model
from spectrogen_app.fitting.options import Options, included
from spectrogen_app.fitting.result import FitResult
from spectrogen_app.gui.context import Context
from spectrogen_app.gui.peaks import jobs
from spectrogen_app.gui.peaks.jobs import FitRequest
from spectrogen_app.gui.plotting.canvas import Canvas
from spectrogen_app.gui.plotting.model import PanelModel

NOTHING = Decomposition()
PAINTED_MS = 8
"""From the arrival of a fit to its being painted."""
BACKGROUND = "background"
"""The row of the background among the peaks."""


class PeakEditor(QtCore.QObject):
    """What the table, the mouse and the menus of the Peaks task share.

    Signals
    -------
    changed()
        Another curve, or its peaks are others.
    chosen(name)
        Another peak is selected; empty for none.
    running(bool)
        A fit began or ended.
    """

    changed = QtCore.Signal()
    chosen = QtCore.Signal(str)
    running = QtCore.Signal(bool)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        self.selected = ""
        self.shape = "pseudo_voigt"
        self.arriving = False
        """A fit is being put into the session: the plot follows at once, tables may wait."""
        self._asked: tuple[str, Decomposition | None] | None = None
        context.store.changed.connect(self._follow)
        context.store.selected.connect(self._follow)
        context.fits.idle.connect(self._idle)

    @property
    def curve(self) -> Curve | None:
        """The current curve."""
        return self.context.store.current_curve

    @property
    def peaks(self) -> Decomposition:
        """Its decomposition."""
        curve = self.curve
        return (curve.peaks if curve is not None else None) or NOTHING

    @property
    def model(self) -> Model:
        """Its model."""
        return self.peaks.model

    @property
    def canvas(self) -> Canvas | None:
        """The canvas of its panel."""
        curve = self.curve
        panel = self.context.area.panels.get(curve.spectrum.modality) if curve else None
        return panel.canvas if panel is not None else None

    @property
    def panel_model(self) -> PanelModel | None:
        """What its panel draws."""
        curve = self.curve
        modality = curve.spectrum.modality if curve is not None else ""
        return next((m for m in self.context.plots.models if m.modality == modality), None)

    @property
    def sketch(self) -> Sketch | None:
        """How its panel draws it; None when it is hidden or in units of no return."""
        curve, panel = self.curve, self.panel_model
        if curve is None or panel is None:
            return None
        trace = next((t for t in panel.traces if t.id == curve.id), None)
        if trace is None:
            return None
        return sketch(curve.spectrum, trace.drawn, panel.shown.x, panel.shown.y_unit)

    @property
    def busy(self) -> bool:
        """Whether a fit runs."""
        return self._asked is not None

    def choose(self, name: str) -> None:
        """Select a peak."""
        if name != self.selected:
            self.selected = name
            self.chosen.emit(name)

    def edit(self, label: str, model: Model) -> None:
        """Make this the model, as one step."""
        if model != self.model:
            self.put(label, self.peaks.edited(model))

    def put(self, label: str, peaks: Decomposition) -> None:
        """Make these the peaks of the current curve, as one step."""
        store, curve = self.context.store, self.curve
        if curve is not None:
            store.edit(label, store.state.edit_curve(curve.id, peaks=peaks))

    def arrive(self, label: str, fits: dict[str, Decomposition]) -> None:
        """Make these fits, by curve, those of the session, as one step; ``arriving`` meanwhile.

        They are painted in a turn of their own, so that the window never stops for both.
        """
        store, area = self.context.store, self.context.area
        self.arriving = True
        area.setUpdatesEnabled(False)
        try:
            store.edit(label, store.state.with_peaks(fits))
        finally:
            QtCore.QTimer.singleShot(PAINTED_MS, area, partial(area.setUpdatesEnabled, True))
            self.arriving = False

    def set_options(self, **changes: object) -> None:
        """Fit otherwise."""
        options = dataclasses.replace(self.peaks.options, **changes)  # type: ignore[arg-type]
        curve, under = self.curve, self.model.background
        if curve is None or options == self.peaks.options:
            return
        peaks = self.peaks.with_options(options)
        x = curve.spectrum.x[included(curve.spectrum.x, options)]
        if under is not None and x.size > 1:
            peaks = peaks.edited(self.model.replace(background=under.centred(x)))
        self.put("Change how to fit", peaks)

    def live(self, model: Model) -> Model:
        """Draw a model without making it one; returns it with tied values computed."""
        model = followed(model)
        drawing, canvas = self.sketch, self.canvas
        if drawing is not None and canvas is not None:
            canvas.show_fit(drawing.curves(model, self.peaks.options))
        return model

    def remove(self, *names: str) -> None:
        """Without these peaks."""
        here = {p.name for p in self.model.peaks}
        gone = [n for n in names if n in here]
        if gone:
            what = gone[0] if len(gone) == 1 else f"{len(gone)} peaks"
            self.edit(f"Remove {what}", self.model.remove(*gone))

    def fit(self, what: str = "Fit", model: Model | None = None) -> None:
        """Fit the model, or another one in its place."""
        peaks = self.peaks if model is None else self.peaks.edited(model)
        self.run(jobs.fit, what, peaks)

    def run(
        self, job: Callable[..., FitResult], what: str, peaks: Decomposition | None = None,
        shape: str | None = None, background: str | None = None,
    ) -> None:  # fmt: skip
        """Run a job whose answer is a fit of the current curve."""
        curve = self.curve
        if curve is None:
            return
        request = FitRequest(curve.spectrum, peaks or self.peaks, shape, background)
        asked = (curve.id, curve.peaks)
        self.context.fits.cancel()
        self._asked = asked
        self.running.emit(True)
        self.context.fits.submit(
            job, request, f"{what}: {curve.spectrum.name}",
            on_done=lambda result: self._arrived(asked, result, what),
            on_failed=self._failed,
        )  # fmt: skip

    def run_other(
        self, job: Callable[..., object], request: object, label: str,
        on_done: Callable[[Any], None], on_partial: Callable[[Any], None] | None = None,
    ) -> None:  # fmt: skip
        """Run a job whose answer goes elsewhere; Stop works for it too."""
        self.context.fits.cancel()
        self.running.emit(True)
        self.context.fits.submit(
            job, request, label, on_done=on_done, on_partial=on_partial, on_failed=self._failed
        )

    def drop_fit(self) -> None:
        """Forget the fit under way: the peaks are about to change."""
        if self._asked is not None:
            self.context.fits.cancel()

    def stop(self) -> None:
        """End the fit; the best so far is kept."""
        self.context.fits.stop()

    def _arrived(
        self, asked: tuple[str, Decomposition | None], result: FitResult, what: str
    ) -> None:
        self._asked = None
        curve_id, before = asked
        store = self.context.store
        try:
            curve = store.state.curve(curve_id)
        except KeyError:
            return
        if curve.peaks is not before:
            return
        fitted = (before or NOTHING).fitted(result, what)
        self.arrive(f"{what}: {curve.spectrum.name}", {curve_id: fitted})
        if result.cancelled:
            self.context.notify("info", "Stopped: this is the best fit so far.")

    def _failed(self, error: SpectrogenError) -> None:
        self.context.notify("error", error.message, error.hint)

    def _idle(self) -> None:
        self._asked = None
        self.running.emit(False)

    def _follow(self, *_: object) -> None:
        if self._asked is not None:
            curve_id, before = self._asked
            alive = {c.id: c for c in self.context.store.state.curves()}
            if curve_id not in alive or alive[curve_id].peaks is not before:
                self.context.fits.cancel()
        if self.selected not in {"", BACKGROUND, *(p.name for p in self.model.peaks)}:
            self.choose("")
        self.changed.emit()


def options_text(options: Options) -> str:
    """Ranges left out, as text."""
    return ", ".join(f"{a:g}-{b:g}" for a, b in options.exclude)
