"""Handles on the plot: what the mouse takes hold of, drawn over everything but the legend."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyqtgraph as pg
from PySide6 import QtCore, QtGui

from spectrogen_app.gui.plotting.canvas import Canvas
from spectrogen_app.gui.plotting.fit import peak_colour
from spectrogen_app.gui.plotting.ground import Picture
from spectrogen_app.gui.theme import Theme

Qt = QtCore.Qt
REACH = 9.0
"""Pixels from which a handle can be taken."""
NEAR = 80.0
"""Pixels from which a right-click removes a peak."""
NAME_HEIGHT = 15.0
APART = 12.0
"""Pixels that handles beside a narrow peak keep from its middle."""
_BESIDE = {"left": -1.0, "right": 1.0, "center.min": -1.0, "center.max": 1.0, "width.min": -1.0,
           "width.max": 1.0}  # fmt: skip


@dataclass(frozen=True)
class Grip:
    """A handle, in the units drawn.

    Attributes
    ----------
    kind : str
        ``top``, ``left`` or ``right`` (the width), or a bound such as ``center.min``.
    peak : str
    x, y : float
    """

    kind: str
    peak: str
    x: float
    y: float

    @property
    def is_bound(self) -> bool:
        """Whether it moves a bound rather than the peak."""
        return "." in self.kind


@dataclass(frozen=True)
class Box:
    """Bounds of the selected peak, in the units drawn; None where there is none.

    Attributes
    ----------
    center, height : (low, high)
    widths : tuple of (left, right, y)
        The narrowest and the widest.
    """

    center: tuple[float | None, float | None] = (None, None)
    height: tuple[float | None, float | None] = (None, None)
    widths: tuple[tuple[float, float, float], ...] = ()


class _Mark(NamedTuple):
    grip: Grip
    x: float
    y: float
    strong: bool
    named: float
    """How wide the name of its peak is, 0 where it is not written."""

    def meets(self, other: _Mark) -> bool:
        """Whether the names overlap."""
        wide = (self.named + other.named) / 2
        return abs(self.x - other.x) < wide and abs(self.y - other.y) < NAME_HEIGHT


class Handles(pg.GraphicsObject):
    """The handles of one canvas; coordinates in signals are in the units drawn.

    Signals
    -------
    grabbed(kind, peak), dragged(x, y), dropped(): a handle follows the mouse.
    sweep_began(x, y), swept(x, y), sweep_ended(): a new peak is drawn out.
    added(x, y): a click in peak mode.
    removed(peak): a right-click near it.
    chosen(peak): its handle was clicked.
    hovered(): the mouse came to a handle, or left it.
    """

    grabbed = QtCore.Signal(str, str)
    dragged = QtCore.Signal(float, float)
    dropped = QtCore.Signal()
    sweep_began = QtCore.Signal(float, float)
    swept = QtCore.Signal(float, float)
    sweep_ended = QtCore.Signal()
    added = QtCore.Signal(float, float)
    removed = QtCore.Signal(str)
    chosen = QtCore.Signal(str)
    hovered = QtCore.Signal()

    def __init__(self, canvas: Canvas) -> None:
        super().__init__()
        self._canvas = canvas
        self._view = canvas.view
        self._grips: tuple[Grip, ...] = ()
        self._middles: dict[str, float] = {}
        self._box = Box()
        self._selected = ""
        self._theme = canvas.theme
        self._text = ""
        self._mode = False
        self._held: Grip | None = None
        self._offset = QtCore.QPointF()
        self._sweeping = False
        self._hovered: Grip | None = None
        self._dead = False
        self._picture = Picture()
        self.setParentItem(self._view)
        self.setZValue(95)
        self._view.sigRangeChanged.connect(self._changed)
        self._view.sigTransformChanged.connect(self._changed)
        self._view.sigResized.connect(self._changed)

    def detach(self) -> None:
        """Leave the canvas."""
        for signal in (
            self._view.sigRangeChanged, self._view.sigTransformChanged, self._view.sigResized
        ):  # fmt: skip
            signal.disconnect(self._changed)
        self.setParentItem(None)
        if self.scene() is not None:
            self.scene().removeItem(self)

    @property
    def canvas(self) -> Canvas:
        """Where the handles are."""
        return self._canvas

    @property
    def mode(self) -> bool:
        """Whether clicks add peaks."""
        return self._mode

    @property
    def holding(self) -> bool:
        """Whether a drag is under way."""
        return self._held is not None or self._sweeping

    @property
    def under_mouse(self) -> Grip | None:
        """The handle that is held, or that a drag would take."""
        return self._held or self._hovered

    @property
    def grips(self) -> tuple[Grip, ...]:
        """The handles."""
        return self._grips

    def show_grips(self, grips: tuple[Grip, ...], box: Box, selected: str, text: str = "") -> None:
        """Draw these handles; ``text`` stands beside the one that is held."""
        self._grips, self._box, self._selected, self._text = grips, box, selected, text
        self._middles = {g.peak: g.x for g in grips if g.kind == "top"}
        old = self._hovered
        if old is not None and (old.kind, old.peak) not in {(g.kind, g.peak) for g in grips}:
            self._hover(None)
        self.update()

    def set_mode(self, on: bool) -> None:
        """In peak mode clicks add peaks and drags draw them out."""
        self._mode = on
        self._set_cursor()

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.update()

    def cancel(self) -> None:
        """End the drag without an effect; the mouse does nothing until it is released."""
        self._dead = self.holding
        self._held, self._sweeping, self._text = None, False, ""
        self.update()

    def pixel(self, x: float, y: float) -> QtCore.QPointF:
        """Where a point of the plot lies in this item."""
        return self._view.mapFromView(QtCore.QPointF(x, y))

    def place(self, grip: Grip) -> QtCore.QPointF:
        """Where a handle is drawn: those beside a narrow peak stand apart."""
        place = self.pixel(grip.x, grip.y)
        if grip.kind in _BESIDE:
            middle = self.pixel(self._middles.get(grip.peak, grip.x), grip.y).x()
            side = place.x() - middle or _BESIDE[grip.kind]
            if abs(side) < APART:
                place.setX(middle + math.copysign(APART, side))
        return place

    def grip_at(self, place: QtCore.QPointF) -> Grip | None:
        """The handle under the mouse; those of the selected peak first."""
        best: tuple[float, Grip] | None = None
        for grip in self._grips:
            away = self.place(grip) - place
            distance = (away.x() ** 2 + away.y() ** 2) ** 0.5
            if distance > REACH:
                continue
            distance -= 3.0 * (grip.peak == self._selected)
            if best is None or distance < best[0]:
                best = distance, grip
        return best[1] if best else None

    def boundingRect(self) -> QtCore.QRectF:
        return QtCore.QRectF(0, 0, self._view.width(), self._view.height())

    # ---- mouse ----------------------------------------------------------------------------

    def hoverEvent(self, event: Any) -> None:
        if self.holding:
            return
        if event.isExit():
            self._hover(None)
            return
        grip = self.grip_at(event.pos())
        self._hover(grip)
        if grip is not None or self._mode:
            event.acceptClicks(Qt.MouseButton.LeftButton)
            event.acceptDrags(Qt.MouseButton.LeftButton)
        if self._mode:
            event.acceptClicks(Qt.MouseButton.RightButton)

    def mouseClickEvent(self, event: Any) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            grip = self.grip_at(event.pos())
            if grip is not None and not (self._mode and grip.is_bound):
                event.accept()
                self.chosen.emit(grip.peak)
            elif self._mode:
                event.accept()
                if not event.double():
                    place = self._view.mapToView(event.pos())
                    self.added.emit(place.x(), place.y())
        elif event.button() is Qt.MouseButton.RightButton and self._mode:
            name = self._nearest(event.pos())
            if name:
                event.accept()
                self.removed.emit(name)

    def mouseDragEvent(self, event: Any) -> None:
        if event.isStart() and not self._begin(event):
            event.ignore()
            return
        event.accept()
        emit: Callable[[float, float], None] | None = None
        if self._held is not None:
            emit = self.dragged.emit
        elif self._sweeping:
            emit = self.swept.emit
        if emit is not None:
            place = self._view.mapToView(event.pos() + self._offset)
            emit(place.x(), place.y())
        if event.isFinish():
            held, sweeping = self._held, self._sweeping
            self._held, self._sweeping, self._dead = None, False, False
            if held is not None:
                self.dropped.emit()
            elif sweeping:
                self.sweep_ended.emit()
            self._set_cursor()

    def _begin(self, event: Any) -> bool:
        if event.button() is not Qt.MouseButton.LeftButton:
            return False
        self._dead = False
        start = event.buttonDownPos()
        grip = self.grip_at(start)
        if grip is not None:
            self._held, self._offset = grip, self.pixel(grip.x, grip.y) - start
            self.grabbed.emit(grip.kind, grip.peak)
            return True
        if not self._mode:
            return False
        self._sweeping, self._offset = True, QtCore.QPointF()
        place = self._view.mapToView(start)
        self.sweep_began.emit(place.x(), place.y())
        return True

    def _nearest(self, place: QtCore.QPointF) -> str:
        tops = [g for g in self._grips if g.kind == "top"]
        found = [(abs(self.pixel(g.x, g.y).x() - place.x()), g.peak) for g in tops]
        found = [f for f in found if f[0] <= NEAR]
        return min(found)[1] if found else ""

    def _hover(self, grip: Grip | None) -> None:
        if grip != self._hovered:
            self._hovered = grip
            self._set_cursor()
            self.update()
            self.hovered.emit()

    def _set_cursor(self) -> None:
        grip, shape = self._held or self._hovered, Qt.CursorShape
        if grip is None:
            if self._mode:
                self.setCursor(shape.CrossCursor)
            else:
                self.unsetCursor()
        elif grip.kind == "top":
            self.setCursor(shape.SizeAllCursor)
        else:
            vertical = grip.kind.startswith("height")
            self.setCursor(shape.SizeVerCursor if vertical else shape.SizeHorCursor)

    # ---- drawing --------------------------------------------------------------------------

    def paint(self, painter: QtGui.QPainter, *_: Any) -> None:
        font = QtGui.QFont(painter.font())
        font.setPointSizeF(max(7.0, font.pointSizeF() * 0.85))
        painter.setFont(font)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        self._paint_box(painter)
        marks = self._marks(QtGui.QFontMetricsF(font))
        rest = tuple(m for m in marks if m.grip.peak != self._selected)

        def draw(inner: QtGui.QPainter) -> None:
            inner.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
            inner.setFont(font)
            for mark in rest:
                self._paint_mark(inner, mark)

        look = (rest, self._theme.name, font.key())
        self._picture.paint(painter, self.boundingRect(), look, draw)
        for mark in marks[: len(marks) - len(rest)]:
            self._paint_mark(painter, mark)
        if self._text:
            self._paint_text(painter)

    def _marks(self, metrics: QtGui.QFontMetricsF) -> list[_Mark]:
        """What is drawn, the selected peak first; names that would overlap give way to it."""
        marks: list[_Mark] = []
        named: list[_Mark] = []
        hot = self._hovered.peak if self._hovered is not None else None
        for grip in sorted(self._grips, key=lambda g: g.peak != self._selected):
            chosen = grip.peak == self._selected
            if grip.kind in ("left", "right") and not chosen and grip.peak != hot:
                continue
            place = self.place(grip)
            mark = _Mark(grip, place.x(), place.y(), chosen or grip == self._hovered, 0.0)
            if grip.kind == "top":
                wide = mark._replace(named=metrics.horizontalAdvance(grip.peak) + 2)
                if grip.peak == hot or not any(wide.meets(m) for m in named):
                    mark = wide
                    named.append(mark)
            marks.append(mark)
        return marks

    def _paint_mark(self, painter: QtGui.QPainter, mark: _Mark) -> None:
        colour = peak_colour(mark.grip.peak, self._theme)
        place = QtCore.QPointF(mark.x, mark.y)
        self._paint_grip(painter, mark.grip, place, colour, mark.strong)
        if mark.named:
            painter.setPen(colour)
            box = QtCore.QRectF(0, 0, mark.named, NAME_HEIGHT)
            box.moveCenter(place - QtCore.QPointF(0, 9 + NAME_HEIGHT / 2))
            if box.top() < 0:  # no room above: beside it
                box.moveCenter(place + QtCore.QPointF(8 + mark.named / 2, 0))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, mark.grip.peak)

    def _paint_grip(
        self, painter: QtGui.QPainter, grip: Grip, place: QtCore.QPointF, colour: QtGui.QColor,
        strong: bool,
    ) -> None:  # fmt: skip
        painter.setPen(QtGui.QPen(colour, 2 if strong else 1.4))
        painter.setBrush(QtGui.QColor(self._theme.surface) if not strong else colour)
        if grip.kind == "top":
            radius = 5.5 if strong else 4.0
            painter.drawEllipse(place, radius, radius)
        elif grip.kind in ("left", "right"):
            painter.drawRect(QtCore.QRectF(place.x() - 4, place.y() - 4, 8, 8))
        else:
            upright = grip.kind.startswith(("center", "width"))
            size = QtCore.QSizeF(4, 14) if upright else QtCore.QSizeF(14, 4)
            box = QtCore.QRectF(QtCore.QPointF(), size)
            box.moveCenter(place)
            painter.drawRoundedRect(box, 2, 2)

    def _paint_box(self, painter: QtGui.QPainter) -> None:
        colour = peak_colour(self._selected, self._theme)
        pen = QtGui.QPen(colour, 1, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        height, width = self._view.height(), self._view.width()
        xs = [None if c is None else self.pixel(c, 0.0).x() for c in self._box.center]
        ys = [None if h is None else self.pixel(0.0, h).y() for h in self._box.height]
        if any(v is not None for v in (*xs, *ys)):
            known = [x for x in xs if x is not None]
            left = min(known) if len(known) == 2 else (xs[0] if xs[0] is not None else 0.0)
            right = max(known) if len(known) == 2 else (xs[1] if xs[1] is not None else width)
            bottom = ys[0] if ys[0] is not None else height
            top = ys[1] if ys[1] is not None else 0.0
            shade = QtGui.QColor(colour)
            shade.setAlphaF(0.05)
            ground = QtCore.QRectF(QtCore.QPointF(left, top), QtCore.QPointF(right, bottom))
            painter.fillRect(ground.normalized(), shade)
            for x in xs:
                if x is not None:
                    painter.drawLine(QtCore.QPointF(x, top), QtCore.QPointF(x, bottom))
            for y in ys:
                if y is not None:
                    painter.drawLine(QtCore.QPointF(left, y), QtCore.QPointF(right, y))
        painter.setPen(QtGui.QPen(colour, 1, Qt.PenStyle.DotLine))
        for low, high, y in self._box.widths:
            painter.drawLine(self.pixel(low, y), self.pixel(high, y))

    def _paint_text(self, painter: QtGui.QPainter) -> None:
        tops = [g for g in self._grips if g.kind == "top" and g.peak == self._selected]
        if not tops:
            return
        metrics = QtGui.QFontMetricsF(painter.font())
        lines = self._text.split("\n")
        size = QtCore.QSizeF(
            max(metrics.horizontalAdvance(t) for t in lines) + 14, len(lines) * metrics.height() + 8
        )
        place = self.pixel(tops[0].x, tops[0].y)
        box = QtCore.QRectF(place + QtCore.QPointF(14, -size.height() - 4), size)
        room = self.boundingRect().adjusted(4, 4, -4, -4)
        box.moveTop(min(max(box.top(), room.top()), room.bottom() - box.height()))
        if box.right() > room.right() or box.intersects(self._canvas.legend.geometry()):
            box.moveRight(place.x() - 14)
        ground = QtGui.QColor(self._theme.raised)
        ground.setAlphaF(0.93)
        painter.setPen(QtGui.QPen(QtGui.QColor(self._theme.border), 1))
        painter.setBrush(ground)
        painter.drawRoundedRect(box, 5, 5)
        painter.setPen(QtGui.QColor(self._theme.text))
        inner = box.adjusted(7, 4, -7, -4)
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
                         self._text)  # fmt: skip

    def _changed(self, *_: object) -> None:
        self.prepareGeometryChange()
        self.update()
