"""One spectrum plot with its residual strip: on screen and in exported figures alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6 import QtCore, QtWidgets

from spectrogen_app.app.decomposition import FitCurves
from spectrogen_app.app.display import Drawn
from spectrogen_app.gui.plotting.fit import FitItem
from spectrogen_app.gui.plotting.ground import Ground, StillAxis
from spectrogen_app.gui.plotting.items import Legend, LegendRow, SpectrumViewBox, TraceItem
from spectrogen_app.gui.plotting.model import PanelModel, Trace
from spectrogen_app.gui.theme import LIGHT, Theme

LEFT_WIDTH = 74
"""Width of the left axis, the same everywhere so that stacked panels line up."""
Ranges = tuple[tuple[float, float], tuple[float, float]]


def configure() -> None:
    """Set pyqtgraph's options, once, before any plot is made."""
    pg.setConfigOptions(antialias=True, useOpenGL=False, leftButtonPan=True)


class Canvas(pg.GraphicsLayoutWidget):
    """Draws a :class:`PanelModel`; knows nothing of the session.

    Signals
    -------
    cursor_moved(x, y) in the shown units, cursor_left(), legend_clicked(curve_id),
    curve_clicked(curve_id), menu_wanted(screen position), view_changed(), drawn()
    """

    cursor_moved = QtCore.Signal(float, float)
    cursor_left = QtCore.Signal()
    legend_clicked = QtCore.Signal(str)
    curve_clicked = QtCore.Signal(str)
    menu_wanted = QtCore.Signal(object)
    view_changed = QtCore.Signal()
    drawn = QtCore.Signal()

    def __init__(self, theme: Theme = LIGHT, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setAcceptDrops(False)
        self.viewport().setAcceptDrops(False)
        self.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self.ci.layout.setContentsMargins(4, 6, 14, 2)
        self.ci.layout.setVerticalSpacing(2)
        self.view = SpectrumViewBox()
        self.plot = _framed(self.view)
        self.ci.addItem(self.plot, row=0, col=0)
        self.residual_view = SpectrumViewBox()
        self.residual_plot = _framed(self.residual_view)
        self.residual_plot.setXLink(self.plot)
        self._residual_shown = False
        self._labelled: tuple[str | None, ...] = ()
        self.ci.layout.setRowStretchFactor(0, 5)
        for plot in (self.plot, self.residual_plot):
            plot.hideButtons()
            plot.setClipToView(True)
            plot.setDownsampling(auto=True, mode="peak")
            plot.setMenuEnabled(False)
            plot.getAxis("left").setWidth(LEFT_WIDTH)
            plot.getAxis("left").setStyle(hideOverlappingLabels=True)
            for side in ("left", "bottom"):
                plot.getAxis(side).enableAutoSIPrefix(False)
                plot.getAxis(side).setStyle(tickLength=-4, tickTextOffset=7)
            for side in ("top", "right"):
                plot.showAxis(side)
                plot.getAxis(side).setStyle(showValues=False, tickLength=0)
                plot.getAxis(side).setTicks([])
        self.legend = Legend(self.view)
        self.legend.clicked.connect(self.legend_clicked)
        self._traces: dict[str, TraceItem] = {}
        self._grounds = Ground(self.plot, 10), Ground(self.plot, 50)
        self.fit = FitItem(self.plot)
        self._residual_item = TraceItem()
        self._zero = pg.InfiniteLine(0, angle=0, movable=False)
        self.residual_plot.addItem(self._zero, ignoreBounds=True)
        self.residual_plot.addItem(self._residual_item, ignoreBounds=True)
        self._labels: list[pg.TextItem] = []
        self._cross = [pg.InfiniteLine(angle=90, movable=False) for _ in range(2)]
        for line, plot in zip(self._cross, (self.plot, self.residual_plot), strict=True):
            line.setVisible(False)
            line.setZValue(90)
            plot.addItem(line, ignoreBounds=True)
        self.model: PanelModel | None = None
        self._at_full = True
        self._width = 0.0
        self._past: list[tuple[Ranges, bool]] = []
        self._grid = False
        for box in (self.view, self.residual_view):
            box.before_gesture.connect(self._remember)
            box.full_view.connect(self.full_view)
            box.menu_wanted.connect(self.menu_wanted)
        self.view.sigRangeChanged.connect(self._range_changed)
        self.view.sigResized.connect(self._resized)
        self.scene().sigMouseMoved.connect(self._mouse_moved)
        self._send_hover = self.scene().sendHoverEvents
        self.scene().sendHoverEvents = self._hover
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self.theme = theme
        self.setBackground(theme.surface)
        line = pg.mkPen(theme.border, width=1)
        for plot in (self.plot, self.residual_plot):
            for side in ("left", "bottom", "top", "right"):
                axis = plot.getAxis(side)
                axis.setPen(line)
                axis.setTickPen(pg.mkPen(theme.control, width=1))
                axis.setTextPen(pg.mkPen(theme.muted))
        self._zero.setPen(pg.mkPen(theme.control, width=1))
        for cross in self._cross:
            cross.setPen(pg.mkPen(theme.control, width=1, style=QtCore.Qt.PenStyle.DotLine))
        self.set_grid(self._grid)
        if self.model is not None:
            self.draw(self.model)

    def draw(self, model: PanelModel) -> None:
        """Show the model; items are reused, and the view stays unless it was the full one."""
        before = self.model
        self.model = model
        wanted = {t.id for t in model.traces}
        for gone in [i for i in self._traces if i not in wanted]:
            self._drop(self._traces.pop(gone))
        for order, trace in enumerate(model.traces):
            self._draw_trace(trace, order)
        for current, ground in enumerate(self._grounds):
            shown = (t for t in model.traces if t.current == bool(current))
            ground.put(tuple(self._traces[t.id].curve for t in shown))
        self._draw_labels()
        self._draw_legend()
        self.fit.draw(model.fit, self.theme)
        self._draw_residual()
        self._label_axes()
        self._show_labels()
        self.ci.layout.activate()  # else what is painted now is painted once more after it
        self.view.invertX(model.reversed)
        self.residual_view.invertX(model.reversed)
        other_axis = before is not None and (
            before.shown.x != model.shown.x or before.shown.y_label != model.shown.y_label
        )
        if other_axis:
            self._past.clear()
        if self._at_full or other_axis:
            self._set_full()
        self.drawn.emit()

    def full_view(self) -> None:
        """Show all of every curve."""
        if not self._at_full:
            self._remember()
        self._set_full()

    def rescale_y(self) -> None:
        """Fit y to what is visible in the present x range."""
        if self.model is None:
            return
        (low, high), _ = self.ranges()
        tops = [t.drawn for t in self.model.traces]
        parts = [
            c.y[(c.x >= low) & (c.x <= high)] for c in tops if c.x[0] <= high and c.x[-1] >= low
        ]
        parts = [p for p in parts if p.size]
        if not parts:
            return
        self._remember()
        bottom, top = min(float(p.min()) for p in parts), max(float(p.max()) for p in parts)
        margin = 0.06 * ((top - bottom) or 1.0)
        self.view.setYRange(bottom - margin, top + margin, padding=0)

    def back(self) -> bool:
        """The view before the last zoom; False when there is none."""
        if not self._past:
            return False
        ranges, full = self._past.pop()
        if full:
            self._set_full()
        else:
            self.set_ranges(ranges)
        return True

    def ranges(self) -> Ranges:
        """x and y range of the view, each ascending."""
        x, y = self.view.viewRange()
        return (x[0], x[1]), (y[0], y[1])

    def set_ranges(self, ranges: Ranges) -> None:
        """Show these ranges."""
        self._at_full = False
        self.view.setRange(xRange=ranges[0], yRange=ranges[1], padding=0)

    def zoom_by(self, factor: float) -> None:
        """Zoom x about the middle; below 1 comes nearer."""
        self._remember()
        self.view.scaleBy(x=factor)

    def pan_by(self, share: float) -> None:
        """Move x by a share of the view, to the right as seen."""
        self._remember()
        (low, high), _ = self.ranges()
        sign = -1 if self.model is not None and self.model.reversed else 1
        self.view.translateBy(x=sign * share * (high - low))

    def set_zoom_mode(self, on: bool) -> None:
        """Left-drag draws a zoom box instead of moving the view."""
        mode = pg.ViewBox.RectMode if on else pg.ViewBox.PanMode
        for box in (self.view, self.residual_view):
            box.setMouseMode(mode)
        shape = QtCore.Qt.CursorShape
        self.viewport().setCursor(shape.CrossCursor if on else shape.ArrowCursor)

    def set_grid(self, on: bool) -> None:
        """Show or hide grid lines."""
        self._grid = on
        for plot in (self.plot, self.residual_plot):
            plot.showGrid(x=on, y=on, alpha=0.3 if on else 0)

    def set_tool(self, tool: Any) -> None:
        """Let ``tool.click(event) -> bool`` and ``tool.drag(event) -> bool`` see the mouse first.

        ``tool.help`` says what it does. ``None`` gives the mouse back to pan and zoom.
        """
        self.view.tool = tool

    def add_overlay(self, item: Any) -> None:
        """Put a graphics item on the plot that is no curve of the model."""
        self.plot.addItem(item, ignoreBounds=True)

    def remove_overlay(self, item: Any) -> None:
        """Take such an item away."""
        self.plot.removeItem(item)

    def show_fit(self, curves: FitCurves | None) -> None:
        """Draw another state of the fit, such as while the mouse drags; the rest stays."""
        self.fit.draw(curves, self.theme)
        residual = self.model.residual if self.model is not None else None
        if curves is not None and residual is not None and self._residual_shown:
            self._residual_item.draw(curves.residual, "measured", self.theme.curve(residual.colour))
            reach, now = _reach(curves.residual), self.residual_view.viewRange()[1][1]
            if not 0.4 * now < reach <= now:
                self.residual_view.setYRange(-1.5 * reach, 1.5 * reach, padding=0)

    @property
    def at_full(self) -> bool:
        """Whether the full view is shown."""
        return self._at_full

    def leaveEvent(self, event: QtCore.QEvent) -> None:
        for line in self._cross:
            line.setVisible(False)
        self.cursor_left.emit()
        super().leaveEvent(event)

    def _remember(self) -> None:
        now = self.ranges(), self._at_full
        if not self._past or self._past[-1] != now:
            self._past.append(now)
            del self._past[:-50]
        self._at_full = False

    def _set_full(self) -> None:
        bounds = self.model.shown.bounds() if self.model is not None else None
        self._at_full = True
        if bounds is None:
            return
        left, right, low, high = bounds
        margin = (high - low) or 1.0
        room = max(self.view.height(), 60.0)
        labelled = self.model is not None and self.model.labels
        above = min(52.5 / (room - 50.0), 1.0) + 0.03 if labelled else 0.08
        self.view.setRange(
            xRange=(left, right), yRange=(low - 0.05 * margin, high + above * margin), padding=0
        )
        self._place_legend()

    def _range_changed(self) -> None:
        self.view_changed.emit()

    def _label_axes(self) -> None:
        assert self.model is not None
        shown, residual, colour = self.model.shown, self.model.residual, self.theme.muted
        below = residual.label if residual is not None else None
        if (shown.x_label, shown.y_label, below, colour) == self._labelled:
            return
        self._labelled = shown.x_label, shown.y_label, below, colour
        low = self.plot if residual is None else self.residual_plot
        self.plot.getAxis("bottom").setStyle(showValues=residual is None)
        low.setLabel("bottom", shown.x_label, color=colour)
        self.plot.setLabel("left", shown.y_label, color=colour)
        if residual is not None:
            self.residual_plot.setLabel("left", residual.label, color=colour)

    def _show_labels(self) -> None:
        """Axis labels give way where there is no room for them."""
        roomy = self.height() > 205
        for plot in (self.plot, self.residual_plot):
            left, bottom = plot.getAxis("left"), plot.getAxis("bottom")
            left.showLabel(left.label.boundingRect().width() < plot.vb.height())
            lowest = plot is self.residual_plot or not self._residual_shown
            bottom.showLabel(roomy and lowest)

    def _place_legend(self) -> None:
        """Into the upper corner where the curves are lower."""
        model = self.model
        if model is None or not model.traces:
            return
        (left, right), _ = self.ranges()
        width = self.legend.size().width() / max(self.view.width(), 1.0) * (right - left)
        heights = [
            max(_highest(t.drawn, a, b) for t in model.traces)
            for a, b in ((left, left + width), (right - width, right))
        ]
        low_end_free = heights[0] < heights[1]
        self.legend.put_right(low_end_free is model.reversed)

    def _resized(self) -> None:
        """Down-sampling follows the width, of which pyqtgraph is not told."""
        self.legend.set_room(self.view.height() - 20)
        self._show_labels()
        if self.view.width() == self._width:
            return
        self._width = self.view.width()
        for item in (*self._traces.values(), self._residual_item):
            item.viewRangeChanged()
            item.setProperty("xViewRangeWasChanged", True)
            item.updateItems(styleUpdate=False)

    def _draw_trace(self, trace: Trace, order: int) -> None:
        item = self._traces.get(trace.id)
        if item is None:
            item = self._traces[trace.id] = TraceItem(trace.id)
            item.picked.connect(self.curve_clicked)
            self.plot.addItem(item, ignoreBounds=True)
        item.draw(trace.drawn, trace.kind, self.theme.curve(trace.colour), 1 + trace.current)
        item.setZValue(50 if trace.current else 10 + order * 0.01)
        if item.band is not None:
            if item.band.scene() is None:
                self.plot.addItem(item.band, ignoreBounds=True)
            item.band.setZValue(1 + order * 0.01)

    def _drop(self, item: TraceItem) -> None:
        if item.band is not None:
            self.plot.removeItem(item.band)
        self.plot.removeItem(item)

    def _draw_legend(self) -> None:
        model = self.model
        assert model is not None
        rows = [
            LegendRow(t.id, f"{t.name}  ·  {t.tag}" if t.tag else t.name, t.colour, t.kind)
            for t in model.traces
        ]
        rows += [LegendRow(*hidden, dim=True) for hidden in model.hidden]
        self.legend.show_rows(tuple(rows), self.theme)

    def _draw_labels(self) -> None:
        assert self.model is not None
        for label in self._labels:
            self.plot.removeItem(label)
        self._labels = []
        bounds = self.model.shown.bounds()
        digits = 1 if bounds is not None and bounds[1] - bounds[0] > 200 else 2
        for x, y in self.model.labels:
            label = pg.TextItem(
                f"{x:.{digits}f}", color=self.theme.text, anchor=(-0.08, 0.5), angle=90
            )
            label.setPos(x, y)
            label.setZValue(60)
            self.plot.addItem(label, ignoreBounds=True)
            self._labels.append(label)

    def _draw_residual(self) -> None:
        assert self.model is not None
        residual = self.model.residual
        if (residual is not None) != self._residual_shown:
            self._residual_shown = residual is not None
            if residual is not None:
                self.ci.addItem(self.residual_plot, row=1, col=0)
                self.ci.layout.setRowStretchFactor(1, 2)
            else:
                self.ci.removeItem(self.residual_plot)
                self.ci.layout.setRowStretchFactor(1, 0)
        if residual is None:
            return
        self._residual_item.draw(residual.drawn, "measured", self.theme.curve(residual.colour))
        reach = 1.1 * _reach(residual.drawn)
        self.residual_view.setYRange(-reach, reach, padding=0)

    def _hover(self, event: Any, exitOnly: bool = False) -> None:
        """While an item is dragged no other takes an event: looking for them takes a tenth."""
        if self.scene().dragItem is None:
            self._send_hover(event, exitOnly)

    def _mouse_moved(self, place: QtCore.QPointF) -> None:
        box = self.view if self.view.sceneBoundingRect().contains(place) else self.residual_view
        inside = box.scene() is not None and box.sceneBoundingRect().contains(place)
        for line in self._cross:
            line.setVisible(inside)
        if not inside:
            self.cursor_left.emit()
            return
        point = box.mapSceneToView(place)
        for line in self._cross:
            line.setPos(point.x())
        self.cursor_moved.emit(point.x(), point.y())


def _framed(view: SpectrumViewBox) -> pg.PlotItem:
    axes = {side: StillAxis(side) for side in ("left", "bottom", "top", "right")}
    return pg.PlotItem(viewBox=view, axisItems=axes)


def _highest(curve: Drawn, low: float, high: float) -> float:
    """How high the curve is drawn within a range."""
    first, last = np.searchsorted(curve.x, (low, high))
    return float(curve.y[first:last].max()) if last > first else -np.inf


def _reach(drawn: Drawn) -> float:
    return max(abs(float(drawn.y.min())), abs(float(drawn.y.max())), 1e-12)
