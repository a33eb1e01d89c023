"""What a gesture on the plot does to the peaks; one gesture is one step of the history."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from PySide6 import QtCore

from spectrogen_app.app.decomposition import Frame
from spectrogen_app.data.axis import pretty_unit
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.fitting import shapes
from spectrogen_app.fitting.expression import Expression
from spectrogen_app.fitting.model import Model, Param, Peak
from spectrogen_app.gui.peaks.editing import PeakEditor
from spectrogen_app.gui.peaks.overlay import Box, Grip, Handles

_WIDTHS = {"left": "fwhm_left", "right": "fwhm_right"}
_DRAGS = {"top": "move centre and height", "left": "change the width", "right": "change the width"}


class Gestures(QtCore.QObject):
    """Puts handles on the current curve's panel and follows them.

    Parameters
    ----------
    editor : PeakEditor

    Signals
    -------
    mode_changed(bool)
        Clicks add peaks, or no longer do.
    help_changed()
        The mouse does something else now.
    """

    mode_changed = QtCore.Signal(bool)
    help_changed = QtCore.Signal()

    def __init__(self, editor: PeakEditor) -> None:
        super().__init__()
        self._editor = editor
        self.handles: Handles | None = None
        self.mode = False
        self._active = False
        self._model: Model | None = None
        self._kind = self._name = ""
        self._start = 0.0
        self._kept: dict[int, tuple[Peak, list[Grip]]] = {}
        self._kept_for: object = None
        editor.changed.connect(self.refresh)
        editor.chosen.connect(self._show)
        editor.context.theme.changed.connect(self._themed)

    @property
    def model(self) -> Model:
        """The model as drawn: the one being dragged, or that of the session."""
        return self._model if self._model is not None else self._editor.model

    @property
    def help(self) -> str:
        """What the mouse does with the peaks where it is; empty for nothing."""
        grip = self.handles.under_mouse if self.handles is not None else None
        if grip is not None:
            drag = _DRAGS.get(grip.kind, "move this bound")
            return f"Drag: {drag}  ·  Click: select {grip.peak}  ·  Esc: cancel the drag"
        if self.mode:
            return ("Click: add a peak  ·  Drag: draw one out  ·  Right-click: remove the nearest"
                    "  ·  Wheel: zoom x  ·  Esc: leave")  # fmt: skip
        return ""

    def set_active(self, on: bool) -> None:
        """The task came to the front, or went."""
        self._active = on
        if not on:
            self.cancel()
            self.set_mode(False)
        self.refresh()

    def set_mode(self, on: bool) -> None:
        """Let clicks add peaks, or not."""
        on = on and self._active
        if on != self.mode:
            self.mode = on
            if self.handles is not None:
                self.handles.set_mode(on)
            self.mode_changed.emit(on)
            self.help_changed.emit()

    def escape(self) -> bool:
        """Cancel a drag, or leave peak mode; False when there was neither."""
        if self.handles is not None and self.handles.holding:
            self.cancel()
            return True
        if self.mode:
            self.set_mode(False)
            return True
        return False

    def cancel(self) -> None:
        """End a drag as if it had not begun."""
        if self.handles is not None:
            self.handles.cancel()
        if self._model is not None:
            self._model = None
            self._editor.live(self._editor.model)
            self._show()

    def refresh(self, *_: object) -> None:
        """Follow the session: a drag on what is no longer there ends."""
        canvas = self._editor.canvas if self._active and self._editor.sketch is not None else None
        if self.handles is not None and self.handles.canvas is not canvas:
            self.handles.canvas.drawn.disconnect(self._show)
            self.handles.canvas.fit.select("")
            self.handles.detach()
            self.handles = None
        if canvas is not None and self.handles is None:
            self.handles = self._made(Handles(canvas))
        if self._model is not None:
            self.cancel()
        self._show()

    def _made(self, handles: Handles) -> Handles:
        handles.set_mode(self.mode)
        handles.canvas.drawn.connect(self._show)
        handles.grabbed.connect(self._grab)
        handles.dragged.connect(self._drag)
        handles.dropped.connect(self._drop)
        handles.sweep_began.connect(self._sweep_began)
        handles.swept.connect(self._sweep)
        handles.sweep_ended.connect(self._drop)
        handles.added.connect(self.add)
        handles.removed.connect(self._editor.remove)
        handles.chosen.connect(self._editor.choose)
        handles.hovered.connect(self.help_changed)
        return handles

    # ---- adding ---------------------------------------------------------------------------

    def add(self, x: float, y: float) -> None:
        """A click: a peak as high and wide as the data there."""
        frame = self._frame()
        if frame is None:
            return
        peak = self._started(frame.from_x(x), frame.from_y(y))
        model = self._editor.model.add(peak)
        name = model.peaks[-1].name
        self._editor.edit(f"Add {name}", model)
        self._editor.choose(name)

    def _started(self, center: float, y: float, fwhm: float | None = None) -> Peak:
        from spectrogen_app.fitting.guess import peak_at

        editor, model = self._editor, self._editor.model
        curve = editor.curve
        assert curve is not None
        s = curve.spectrum
        center = min(max(center, float(s.x[0])), float(s.x[-1]))
        rest = s.y - model.evaluate(s.x)
        peak = peak_at(s.x, rest, center, editor.shape, fwhm)
        if abs(peak.height) < 1e-9 * (float(np.ptp(s.y)) or 1.0) or peak.height < 0 < y:
            under = float(model.under(np.array([center]))[0])
            peak = peak.moved(height=y - under)
        partner = any(p.partner for p in model.peaks)
        return dataclasses.replace(peak.kept_near(), partner=partner)

    def _sweep_began(self, x: float, y: float) -> None:
        frame = self._frame()
        if frame is None:
            return
        self._editor.drop_fit()
        self._kind, self._start = "new", frame.from_x(x)
        model = self._editor.model.add(self._started(self._start, frame.from_y(y)))
        self._name = model.peaks[-1].name
        self._model = model

    def _sweep(self, x: float, y: float) -> None:
        frame = self._frame()
        if frame is None or self._model is None:
            return
        half = abs(frame.from_x(x) - self._start)
        if half > 0:
            self._draw(self._model.with_peak(drawn_out(self._model.peak(self._name), 2 * half)))

    # ---- dragging -------------------------------------------------------------------------

    def _grab(self, kind: str, name: str) -> None:
        self._editor.drop_fit()
        self._editor.choose(name)
        self._kind, self._name, self._model = kind, name, self._editor.model

    def _drag(self, x: float, y: float) -> None:
        frame = self._frame()
        if frame is None or self._model is None:
            return
        try:
            peak = moved(self._model.peak(self._name), self._kind, frame.from_x(x),
                         frame.from_y(y), self._model)  # fmt: skip
            model = led(self._model, peak)
        except SpectrogenError:
            return
        self._draw(model)

    def _draw(self, model: Model) -> None:
        self._model = self._editor.live(model)
        self._show()

    def _drop(self) -> None:
        model, self._model = self._model, None
        if model is None:
            return
        if self._kind == "new":
            self._editor.edit(f"Add {self._name}", model)
            self._editor.choose(self._name)
        else:
            verb = "Change the bounds of" if "." in self._kind else "Move"
            self._editor.edit(f"{verb} {self._name}", model)
        self._show()

    # ---- drawing --------------------------------------------------------------------------

    def _frame(self) -> Frame | None:
        drawing = self._editor.sketch
        return None if drawing is None else drawing.frame

    def _themed(self, *_: object) -> None:
        if self.handles is not None:
            self.handles.set_theme(self._editor.context.theme.theme)

    def _show(self, *_: object) -> None:
        handles, frame = self.handles, self._frame()
        if handles is None or frame is None:
            return
        chosen = self._name if self._model is not None else self._editor.selected
        handles.canvas.fit.select(chosen)
        model = self.model
        grips = tuple(g for p in model.peaks for g in self._grips_of(p, model, frame, chosen))
        box = Box()
        text = ""
        for peak in model.peaks:
            if peak.name == chosen:
                box = box_of(peak, model, frame)
                text = self._words(peak) if self._model is not None else ""
        handles.show_grips(grips, box, chosen, text)

    def _grips_of(self, peak: Peak, model: Model, frame: Frame, chosen: str) -> list[Grip]:
        if peak.name == chosen:
            return grips_of(peak, model, frame, True)
        key = (frame, model.background, model.terms)
        if key != self._kept_for:
            self._kept_for, self._kept = key, {}
        if id(peak) not in self._kept:
            self._kept[id(peak)] = peak, grips_of(peak, model, frame, False)
        return self._kept[id(peak)][1]

    def _words(self, peak: Peak) -> str:
        curve = self._editor.curve
        unit = pretty_unit(curve.spectrum.x_unit) if curve is not None else ""
        return (
            f"{peak.name}   {peak.center:.6g} {unit}\n"
            f"height {peak.height:.4g}   FWHM {peak.fwhm:.4g}"
        )


def drawn_out(peak: Peak, fwhm: float) -> Peak:
    """A new peak of that width, bounds and all."""
    fresh = Peak.make(peak.shape, peak.center, peak.height, fwhm, name=peak.name)
    return dataclasses.replace(fresh.kept_near(), partner=peak.partner)


def moved(peak: Peak, kind: str, x: float, y: float, model: Model) -> Peak:
    """The peak after its handle was dragged to a place in the spectrum's own units."""
    if kind == "top":
        span = peak["center"]
        push = x - min(max(x, span.min), span.max)
        if push:
            peak = peak.edit("center", min=span.min + push, max=span.max + push)
        return peak.moved(center=x, height=y - _under(model, x))
    if kind in _WIDTHS:
        half = max(abs(x - peak.center), 1e-12)
        own = _WIDTHS[kind]
        if own in shapes.shape(peak.shape).names:
            return peak.edit(own, value=peak[own].moved(2 * half).value)
        return peak.moved(fwhm=2 * half)
    name, _, side = kind.partition(".")
    if name == "width":
        name, value = _width(peak), 2 * abs(x - peak.center)
    else:
        value = x if name == "center" else y - _under(model, peak.center)
    param = peak[name]
    low = min(value, param.max) if side == "min" else param.min
    high = max(value, param.min) if side == "max" else param.max
    return peak.edit(name, min=low, max=high, value=min(max(param.value, low), high))


def led(model: Model, dragged: Peak) -> Model:
    """The model with a dragged peak; where its value is tied, the one that leads it moves along."""
    before = model.peak(dragged.name)
    model = model.with_peak(dragged)
    for old, new in zip(before.params, dragged.params, strict=True):
        if not new.tie or new.value == old.value:
            continue
        params, tie = dict(model.parameters()), Expression(new.tie)
        if not tie.names <= params.keys():
            continue
        leaders = [n for n in tie.names if not (params[n].fixed or params[n].tie)]
        now, slopes = tie.derivatives({n: params[n].value for n in tie.names})
        if len(leaders) == 1 and (slope := slopes.get(leaders[0], 0.0)):
            leader = params[leaders[0]]
            wanted = leader.moved(leader.value + float((new.value - now) / slope))
            model = model.edit(leaders[0], value=wanted.value)
    return model


def grips_of(peak: Peak, model: Model, frame: Frame, bounds: bool) -> list[Grip]:
    """The handles of one peak, with those of its bounds on request."""
    span = frame.span
    under = _under(model, peak.center)
    half = under + peak.height / 2
    values = dict(zip(shapes.shape(peak.shape).names, peak.values, strict=True))
    x, top = _x(frame, peak.center), _y(frame, under + peak.height)
    found = []
    for kind, own in _WIDTHS.items():
        width = values.get(own, peak.fwhm)
        place = peak.center + (width if kind == "right" else -width) / 2
        found.append(Grip(kind, peak.name, _x(frame, place), _y(frame, half)))
    found.append(Grip("top", peak.name, x, top))
    if not bounds:
        return found
    for side in ("min", "max"):
        at = getattr(peak["center"], side)
        if _bounding(peak["center"], at, span):
            place = _y(frame, under + 0.8 * peak.height)
            found.append(Grip(f"center.{side}", peak.name, _x(frame, at), place))
        at = getattr(peak["height"], side)
        if math.isfinite(at) and at:
            found.append(Grip(f"height.{side}", peak.name, x, _y(frame, under + at)))
        name = _width(peak)
        at = getattr(peak[name], side)
        if _shown_width(at, span) and name == "fwhm":
            place = _x(frame, peak.center + (at if side == "max" else -at) / 2)
            low = _y(frame, under + 0.25 * peak.height)
            found.append(Grip(f"width.{side}", peak.name, place, low))
    return found


def box_of(peak: Peak, model: Model, frame: Frame) -> Box:
    """The bounds of a peak as drawn."""
    under = _under(model, peak.center)
    center, height = peak["center"], peak["height"]

    def held(value: float) -> float | None:
        return _x(frame, value) if _bounding(center, value, frame.span) else None

    def high(value: float) -> float | None:
        return _y(frame, under + value) if math.isfinite(value) and value else None

    widths = []
    name = _width(peak)
    if name == "fwhm":
        for at in (peak[name].min, peak[name].max):
            if _shown_width(at, frame.span):
                ends = (_x(frame, peak.center - at / 2), _x(frame, peak.center + at / 2))
                widths.append((*ends, _y(frame, under + 0.25 * peak.height)))
    return Box(
        (held(center.min), held(center.max)), (high(height.min), high(height.max)), tuple(widths)
    )


def _width(peak: Peak) -> str:
    return next(p.name for p in shapes.shape(peak.shape).extra if p.of_width)


def _bounding(param: Param, bound: float, span: float) -> bool:
    """Whether a bound of a centre says more than that the peak lies in the spectrum."""
    return math.isfinite(bound) and not 0.9 * span < param.max - param.min < math.inf


def _shown_width(bound: float, span: float) -> bool:
    return math.isfinite(bound) and 1e-9 < bound < 0.5 * span


def _under(model: Model, center: float) -> float:
    return float(model.under(np.array([center]))[0])


def _x(frame: Frame, x: float) -> float:
    return float(frame.to_x(np.array([x]))[0]) if math.isfinite(x) else math.inf


def _y(frame: Frame, y: float) -> float:
    return float(frame.to_y(np.array([y]))[0]) if math.isfinite(y) else math.inf
