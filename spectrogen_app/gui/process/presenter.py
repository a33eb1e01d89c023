"""Builds a pipeline, previews it in the background, and applies it as one step of the history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyqtgraph as pg
from PySide6 import QtCore

from spectrogen_app.app.display import Drawn, value_at
from spectrogen_app.app.jobs import Token
from spectrogen_app.app.session import Curve
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.gui.context import Context
from spectrogen_app.gui.process.baseline import BaselineView
from spectrogen_app.gui.process.view import ProcessView

if TYPE_CHECKING:
    from spectrogen_app.app.session import SessionState
    from spectrogen_app.processing.pipeline import Step


@dataclass(frozen=True)
class ProcessRequest:
    """Spectra, and what to do to each."""

    spectra: tuple[Spectrum, ...]
    steps: tuple[Step, ...]


def process(request: ProcessRequest, token: Token) -> tuple[Spectrum, ...]:
    """Run the steps on every spectrum.

    Raises
    ------
    ProcessingError, Cancelled
    """
    from spectrogen_app.processing import pipeline

    done = []
    for i, spectrum in enumerate(request.spectra):
        token.check(i / len(request.spectra), f"Processing {spectrum.name}")
        done.append(pipeline.apply(spectrum, request.steps, token.check))
    return tuple(done)


def preview(request: ProcessRequest, token: Token) -> tuple[Spectrum, ...]:
    """The processed first spectrum, and the baseline that its first baseline step subtracts.

    Raises
    ------
    ProcessingError, Cancelled
    """
    from spectrogen_app.processing import pipeline

    spectrum = request.spectra[0]
    at = next((i for i, s in enumerate(request.steps) if s.kind.curve is not None), None)
    under: tuple[Spectrum, ...] = ()
    if at is not None:
        spectrum = pipeline.apply(spectrum, request.steps[:at], token.check)
        curve = pipeline.baseline_curve(spectrum, request.steps[at])
        under = (spectrum.replace(y=curve, lower=None, upper=None, name="Baseline"),)
    done = pipeline.apply(spectrum, request.steps[at or 0 :], token.check)
    return (done.replace(name="Preview"), *under)


class AnchorTool:
    """Clicks on a plot set baseline anchors; right-clicks remove the nearest."""

    help = ("Click: set a baseline anchor  ·  Right-click: remove the nearest  ·  Drag: move  ·  "
            "Wheel: zoom x")  # fmt: skip

    def __init__(self, presenter: ProcessPresenter) -> None:
        self._presenter = presenter

    def click(self, event: Any) -> bool:
        """Take a click of the plot."""
        canvas = self._presenter.canvas()
        if canvas is None or event.double():
            return False
        place = canvas.view.mapSceneToView(event.scenePos())
        if event.button() is QtCore.Qt.MouseButton.LeftButton:
            self._presenter.add_anchor(place.x(), place.y())
            return True
        if event.button() is QtCore.Qt.MouseButton.RightButton:
            return self._presenter.remove_anchor(place.x())
        return False

    def drag(self, _event: Any) -> bool:
        """Drags stay with pan and zoom."""
        return False


class ProcessPresenter:
    """The Process task.

    Parameters
    ----------
    context : Context
    view : ProcessView or BaselineView
    derived : callable(state, source, new) -> SessionState, optional
        What else is done to the session for each new curve, by the ids of the two.
    """

    def __init__(
        self, context: Context, view: ProcessView | BaselineView,
        derived: Callable[[SessionState, str, str], SessionState] | None = None,
    ) -> None:  # fmt: skip
        self._context, self._view, self._derived = context, view, derived
        self.steps: tuple[Step, ...] = ()
        self._active = False
        self._previewed = self._waiting = False
        self._tool = AnchorTool(self)
        self._tool_on: Any = None
        self._marks: Any = None
        view.added.connect(self.add)
        view.changed.connect(self._change)
        view.moved.connect(self._move)
        view.removed.connect(self._remove)
        view.apply_wanted.connect(self.apply)
        view.reset_wanted.connect(lambda: self._set(()))
        view.hide_source.setChecked(
            bool(context.settings().choices.get("process.hide_source", True))
        )
        view.hide_source.toggled.connect(
            lambda on: context.settings.choose("process.hide_source", on)
        )
        context.store.changed.connect(self.refresh)
        context.store.selected.connect(self.refresh)
        self.refresh()

    def set_active(self, on: bool) -> None:
        """The tab came to the front, or went."""
        self._active = on
        self.refresh()

    def subjects(self) -> list[Curve]:
        """The curves that Apply would process."""
        store = self._context.store
        return [store.state.curve(i) for i in store.selection.curves]

    def refresh(self, *_: object) -> None:
        """Follow the selection."""
        curves = self.subjects()
        current = self._context.store.current_curve
        if len(curves) > 1:
            text = f"{len(curves)} spectra are selected."
        elif curves:
            text = curves[0].spectrum.name
        else:
            text = "Select a spectrum to process."
        self._view.show_subject(text, bool(curves and self.steps), len(curves))
        if not self._active or not self.steps or current is None:
            self._end_preview()
            self._set_tool(False)
            return
        self._set_tool(any(s.name == "anchors" for s in self.steps))
        request = ProcessRequest((current.spectrum,), self.steps)
        self._waiting = True
        self._context.previews.submit(
            preview, request, "Preview", on_done=self._show, on_failed=self._cannot
        )

    def add(self, name: str) -> None:
        """Append a step with its defaults."""
        from spectrogen_app.processing.pipeline import Step

        self._set((*self.steps, Step(name)))

    def apply(self) -> None:
        """Process what is selected; the answer is one step of the history."""
        curves = self.subjects()
        if not curves or not self.steps:
            return
        request = ProcessRequest(tuple(c.spectrum for c in curves), self.steps)
        ids = [c.id for c in curves]
        self._context.worker.submit(
            process, request, "Processing", on_done=lambda done: self._arrived(ids, done)
        )

    def canvas(self) -> Any:
        """The canvas of the current spectrum's panel."""
        current = self._context.store.current_curve
        panel = self._context.area.panels.get(current.spectrum.modality) if current else None
        return panel.canvas if panel is not None else None

    def add_anchor(self, x: float, y: float) -> None:
        """Set a baseline anchor at a place of the plot."""
        current, at = self._context.store.current_curve, self._anchor_step()
        if current is None or at is None:
            return
        s = current.spectrum
        model = self.canvas().model
        if model.shown.x != f"{s.x_kind.value}/{s.x_unit}":
            self._context.notify(
                "warning", "Anchors are set in the spectrum's own x unit.",
                "Switch the panel back to it first.",
            )  # fmt: skip
            return
        step = self.steps[at]
        if step.values.get("snap") or model.shown.scaled or model.look.stack:
            on_curve = value_at(Drawn(s.x, s.y), x)
            if on_curve is None:
                return
            y = on_curve
        points = tuple(sorted((*step.values["points"], (x, y))))
        self._change(at, step.with_values(points=points))

    def remove_anchor(self, x: float) -> bool:
        """Remove the anchor nearest to x; False when there is none."""
        at = self._anchor_step()
        if at is None or not self.steps[at].values["points"]:
            return False
        points = self.steps[at].values["points"]
        nearest = min(points, key=lambda p: abs(p[0] - x))
        self._change(
            at, self.steps[at].with_values(points=tuple(p for p in points if p != nearest))
        )
        return True

    def _anchor_step(self) -> int | None:
        return next((i for i, s in enumerate(self.steps) if s.name == "anchors"), None)

    def _change(self, at: int, step: Step) -> None:
        self.steps = (*self.steps[:at], step, *self.steps[at + 1 :])
        if at < len(self._view.cards):
            card = self._view.cards[at]
            card.step = step
            card.show_points(step.values.get("points", ()))
        self.refresh()

    def _move(self, at: int, by: int) -> None:
        to = at + by
        if 0 <= to < len(self.steps):
            steps = list(self.steps)
            steps[at], steps[to] = steps[to], steps[at]
            self._set(tuple(steps))

    def _remove(self, at: int) -> None:
        self._set(self.steps[:at] + self.steps[at + 1 :])

    def _set(self, steps: tuple[Step, ...]) -> None:
        self.steps = steps
        self._view.show_trouble("")
        self._view.show_steps(steps)
        self.refresh()

    def _show(self, previewed: tuple[Spectrum, ...]) -> None:
        self._view.show_trouble("")
        self._previewed, self._waiting = True, False
        self._context.plots.preview(*previewed)
        self._mark_anchors()

    def _cannot(self, error: SpectrogenError) -> None:
        self._view.show_trouble(f"{error.message} {error.hint}".strip())
        self._end_preview()
        self._mark_anchors()

    def _end_preview(self) -> None:
        if self._waiting:
            self._waiting = False
            self._context.previews.cancel()
        if self._previewed:
            self._previewed = False
            self._context.plots.preview()

    def _arrived(self, ids: list[str], done: tuple[Spectrum, ...]) -> None:
        store = self._context.store
        state = store.state
        alive = {c.id for c in state.curves()}
        new: list[str] = []
        for curve_id, spectrum in zip(ids, done, strict=True):
            if curve_id not in alive:
                continue
            before = {c.id for c in state.curves()}
            state = state.add_derived(state.sample_of(curve_id).id, [spectrum], [curve_id])
            made = [c.id for c in state.curves() if c.id not in before]
            new += made
            if self._derived is not None:
                for curve in made:
                    state = self._derived(state, curve_id, curve)
            if self._view.hide_source.isChecked():
                state = state.show([curve_id], False)
        what = done[0].name if len(done) == 1 else f"{len(done)} spectra"
        self._set(())
        store.edit(f"Process {what}", state)
        if new:
            store.select_curve(new[0])

    def _set_tool(self, on: bool) -> None:
        canvas = self.canvas() if on else None
        if self._tool_on is not None and self._tool_on is not canvas:
            self._tool_on.set_tool(None)
            if self._marks is not None:
                self._tool_on.remove_overlay(self._marks)
                self._marks = None
        if canvas is not None and canvas is not self._tool_on:
            canvas.set_tool(self._tool)
        self._tool_on = canvas

    def _mark_anchors(self) -> None:
        at = self._anchor_step()
        canvas = self._tool_on
        if at is None or canvas is None:
            return
        if self._marks is None:
            self._marks = pg.ScatterPlotItem(symbol="o", size=9, pen=pg.mkPen("#ff7f0e", width=1))
            self._marks.setBrush(pg.mkBrush("#ff7f0e80"))
            self._marks.setZValue(80)
            canvas.add_overlay(self._marks)
        points = self.steps[at].values["points"]
        self._marks.setData([p[0] for p in points], [p[1] for p in points])
