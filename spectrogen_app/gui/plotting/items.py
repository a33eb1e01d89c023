"""Curves, legend and view box as pyqtgraph items."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pyqtgraph as pg
from PySide6 import QtCore, QtGui, QtSvg, QtWidgets

from spectrogen_app.app.display import Drawn
from spectrogen_app.gui.theme import Theme, paint_sample

Qt = QtCore.Qt


class HeavyCurve(pg.PlotCurveItem):
    """A curve whose weight comes from drawing it again beside itself.

    Pens of width 1 are fast; wider ones cost a hundred times as much. In SVG and PDF, where nothing
    is rasterised, the pen itself is wider.
    """

    weight = 1
    grounded = False
    """On the screen, a :class:`~spectrogen_app.gui.plotting.ground.Ground` draws it."""

    def mouseClickEvent(self, ev: Any) -> None:
        tool = getattr(self.getViewBox(), "tool", None)
        if not ev.double() and tool is None:  # a double click is the view's: it shows all
            super().mouseClickEvent(ev)

    def paint(self, painter: QtGui.QPainter, option: Any, widget: Any) -> None:
        if widget is None or not self.grounded:
            self.paint_here(painter, option, widget)

    def paint_here(self, painter: QtGui.QPainter, option: Any, widget: Any) -> None:
        """Draw, whoever asks."""
        device = painter.device()
        if isinstance(device, QtSvg.QSvgGenerator | QtGui.QPdfWriter):
            pen = self.opts["pen"]
            self.opts["pen"] = wide = QtGui.QPen(pen)
            wide.setWidthF(1.2 * self.weight)
            super().paint(painter, option, widget)
            self.opts["pen"] = pen
            return
        ratio = device.devicePixelRatioF() if device is not None else 1.0
        copies = max(1, round(self.weight * ratio))
        world = painter.transform()
        for i in range(copies):
            shift = (i - (copies - 1) / 2) / ratio
            painter.setTransform(world * QtGui.QTransform.fromTranslate(0.4 * shift, 0.7 * shift))
            super().paint(painter, option, widget)
        painter.setTransform(world)


class TraceItem(pg.PlotDataItem):
    """One spectrum, with its band when it has one."""

    picked = QtCore.Signal(str)

    def __init__(self, curve_id: str = "") -> None:
        super().__init__()
        self._id = curve_id
        self._drawn: Drawn | None = None
        base: Any = self
        base.curve.setParentItem(None)
        self.curve = HeavyCurve()
        self.curve.setParentItem(self)
        self.curve.setClickable(True, width=10)
        self.curve.sigClicked.connect(self._clicked)
        self._look: tuple[object, ...] = ()
        self._edges: list[pg.PlotCurveItem] = []
        self._banded: Drawn | None = None
        self.band: pg.FillBetweenItem | None = None

    def draw(self, drawn: Drawn, kind: str, colour: QtGui.QColor, weight: int = 1) -> None:
        """Show the numbers in the line style of their kind; what is unchanged costs nothing."""
        look = (kind, colour.rgba(), weight)
        if look != self._look:
            self._look = look
            self.curve.weight = weight
            self.setPen(pen_for(kind, colour))
        if drawn is not self._drawn:
            self._drawn = drawn
            self.setData(drawn.x, drawn.y, connect="all", skipFiniteCheck=True)
        self._draw_band(drawn, colour)

    def _draw_band(self, drawn: Drawn, colour: QtGui.QColor) -> None:
        shown = drawn.lower is not None and drawn.upper is not None
        if self.band is None and shown:
            self._edges = [pg.PlotCurveItem(pen=None), pg.PlotCurveItem(pen=None)]
            self.band = pg.FillBetweenItem(*self._edges)
        if self.band is None:
            return
        self.band.setVisible(shown)
        if shown:
            if drawn is not self._banded:
                self._banded = drawn
                self._edges[0].setData(drawn.x, drawn.lower, skipFiniteCheck=True)
                self._edges[1].setData(drawn.x, drawn.upper, skipFiniteCheck=True)
            fill = QtGui.QColor(colour)
            fill.setAlphaF(0.20)
            self.band.setBrush(fill)

    def _clicked(self, _curve: pg.PlotCurveItem, _event: Any) -> None:
        self.picked.emit(self._id)


def pen_for(kind: str, colour: QtGui.QColor) -> QtGui.QPen:
    """The line style of a kind of curve; generated ones are dashed, always."""
    pen = QtGui.QPen(colour, 1)
    pen.setCosmetic(True)
    if kind == "generated":
        pen.setDashPattern([6, 3])
    elif kind in ("fit", "preview"):
        pen.setDashPattern([2, 2])
    return pen


@dataclass(frozen=True)
class LegendRow:
    """A row of the legend; ``dim`` for a curve that is hidden."""

    id: str
    text: str
    colour: str
    kind: str
    dim: bool = False


class Legend(pg.GraphicsWidgetAnchor, pg.GraphicsWidget):
    """The curves of a panel; a click on a row tells its curve, a drag moves the legend."""

    clicked = QtCore.Signal(str)

    def __init__(self, view: pg.ViewBox) -> None:
        pg.GraphicsWidget.__init__(self)
        pg.GraphicsWidgetAnchor.__init__(self)
        self._all: tuple[LegendRow, ...] = ()
        self._rows: tuple[LegendRow, ...] = ()
        self._more = 0
        self._more_beside = False
        self._room = 200.0
        self._placed_by_hand = False
        self._theme: Theme | None = None
        self.setParentItem(view)
        self.setZValue(100)
        self.put_right(True)

    @property
    def rows(self) -> tuple[LegendRow, ...]:
        """All that is to be listed; where there is little room, only the first are shown."""
        return self._all

    def show_rows(self, rows: tuple[LegendRow, ...], theme: Theme) -> None:
        """List these curves; as many as there is room for, and how many more."""
        self._all, self._theme = rows, theme
        self._lay_out()

    def put_right(self, right: bool) -> None:
        """Stand in the upper right or left corner, unless the user has moved it."""
        if not self._placed_by_hand:
            side = (1, 0) if right else (0, 0)
            self.anchor(itemPos=side, parentPos=side, offset=(-10 if right else 10, 10))

    def set_room(self, height: float) -> None:
        """Take no more height than this."""
        if height != self._room:
            self._room = height
            self._lay_out()

    def _lay_out(self) -> None:
        fitting = max(1, int((self._room - 10) // self._pitch()))
        whole = len(self._all) <= fitting
        self._rows = self._all if whole else self._all[: max(1, fitting - 1)]
        self._more = len(self._all) - len(self._rows)
        self._more_beside = fitting == 1
        metrics = QtGui.QFontMetricsF(self._font())
        widest = max((metrics.horizontalAdvance(_elided(r.text)) for r in self._rows), default=0.0)
        lines = len(self._rows) + bool(self._more and not self._more_beside)
        width = max(widest, metrics.horizontalAdvance("and 00 more"))
        width += 54 + 30 * bool(self._more and self._more_beside)
        self.resize(width, lines * self._pitch() + 10)
        self.setVisible(bool(self._rows))
        self.update()

    def row_at(self, place: QtCore.QPointF) -> LegendRow | None:
        """The row under a point in item coordinates."""
        at = int((place.y() - 5) // self._pitch())
        return self._rows[at] if 0 <= at < len(self._rows) else None

    def paint(self, painter: QtGui.QPainter, *_: Any) -> None:
        theme = self._theme
        if theme is None:
            return
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        ground = QtGui.QColor(theme.surface)
        ground.setAlphaF(0.88)
        painter.setPen(QtGui.QPen(QtGui.QColor(theme.border), 1))
        painter.setBrush(ground)
        painter.drawRoundedRect(QtCore.QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        painter.setFont(self._font())
        pitch = self._pitch()
        for i, row in enumerate(self._rows):
            top = 5 + i * pitch
            paint_sample(painter, QtCore.QRectF(9, top, 26, pitch), row.colour, row.kind, theme,
                         dim=row.dim)  # fmt: skip
            painter.setPen(QtGui.QColor(theme.control if row.dim else theme.text))
            place = QtCore.QRectF(43, top, self.size().width() - 46, pitch)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, _elided(row.text))
        if self._more and self._more_beside:
            painter.setPen(QtGui.QColor(theme.muted))
            place = QtCore.QRectF(0, 5, self.size().width() - 10, pitch)
            painter.drawText(
                place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
                f"+{self._more}",
            )  # fmt: skip
        elif self._more:
            painter.setPen(QtGui.QColor(theme.muted))
            place = QtCore.QRectF(43, 5 + len(self._rows) * pitch, self.size().width(), pitch)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, f"and {self._more} more")

    def mouseClickEvent(self, event: Any) -> None:
        row = self.row_at(event.pos())
        if row is not None and event.button() is Qt.MouseButton.LeftButton:
            event.accept()
            self.clicked.emit(row.id)

    def mouseDragEvent(self, event: Any) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            event.accept()
            self._placed_by_hand = True
            self.autoAnchor(self.pos() + event.pos() - event.lastPos())

    def hoverEvent(self, event: Any) -> None:
        event.acceptClicks(Qt.MouseButton.LeftButton)
        event.acceptDrags(Qt.MouseButton.LeftButton)

    def _font(self) -> QtGui.QFont:
        font = QtGui.QFont(QtWidgets.QApplication.font())
        font.setPointSizeF(font.pointSizeF() * 0.95)
        return font

    def _pitch(self) -> float:
        return round(QtGui.QFontMetricsF(self._font()).height() * 1.3)


def _elided(text: str, length: int = 48) -> str:
    return text if len(text) <= length else f"{text[: length - 15]}…{text[-14:]}"


class SpectrumViewBox(pg.ViewBox):
    """Wheel zooms x, Ctrl+wheel y; right-drag scales; a tool may take clicks and drags first."""

    before_gesture = QtCore.Signal()
    full_view = QtCore.Signal()
    menu_wanted = QtCore.Signal(object)
    clicked = QtCore.Signal()

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.tool: Any = None
        self.setMouseMode(pg.ViewBox.PanMode)
        self._last_wheel = 0.0

    def wheelEvent(self, ev: Any, axis: int | None = None) -> None:
        now = time.monotonic()
        if now - self._last_wheel > 0.6:
            self.before_gesture.emit()
        self._last_wheel = now
        if axis is None:
            axis = 1 if ev.modifiers() & Qt.KeyboardModifier.ControlModifier else 0
        super().wheelEvent(ev, axis=axis)

    def mouseDragEvent(self, ev: Any, axis: int | None = None) -> None:
        if self.tool is not None and axis is None and self.tool.drag(ev):
            ev.accept()
            return
        if ev.isStart():
            self.before_gesture.emit()
        super().mouseDragEvent(ev, axis=axis)

    def mouseClickEvent(self, ev: Any) -> None:
        if self.tool is not None and self.tool.click(ev):
            ev.accept()
        elif ev.double():
            ev.accept()
            self.full_view.emit()
        elif ev.button() is Qt.MouseButton.RightButton:
            ev.accept()
            self.menu_wanted.emit(ev.screenPos())
        else:
            self.clicked.emit()

    def keyPressEvent(self, ev: Any) -> None:
        ev.ignore()
