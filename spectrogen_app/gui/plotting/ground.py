"""What keeps still is drawn once: eighty curves cost no more than a picture of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyqtgraph as pg
from PySide6 import QtCore, QtGui

from spectrogen_app.gui.plotting.items import HeavyCurve


class Picture:
    """Keeps a drawing until what it shows, or the view, is another."""

    def __init__(self) -> None:
        self._pixmap = QtGui.QPixmap()
        self._key: object = None

    def paint(
        self, painter: QtGui.QPainter, bounds: QtCore.QRectF, shown: object,
        draw: Callable[[QtGui.QPainter], None],
    ) -> None:  # fmt: skip
        """Paint what ``draw`` draws within ``bounds``; the same ``shown`` looks the same."""
        full = painter.deviceTransform()
        area = full.mapRect(bounds).toAlignedRect().adjusted(-2, -2, 2, 2)
        device = painter.device()
        ratio = device.devicePixelRatioF() if device is not None else 1.0
        key = (shown, area, full, ratio)
        if key != self._key:
            self._key = key
            self._pixmap = QtGui.QPixmap(area.size())
            self._pixmap.setDevicePixelRatio(ratio)
            self._pixmap.fill(QtCore.Qt.GlobalColor.transparent)
            inner = QtGui.QPainter(self._pixmap)
            place = QtGui.QTransform.fromTranslate(-area.left(), -area.top())
            inner.setTransform(full * place * QtGui.QTransform.fromScale(1 / ratio, 1 / ratio))
            draw(inner)
            inner.end()
            self._pixmap.setDevicePixelRatio(1)
        painter.save()
        painter.resetTransform()
        painter.setTransform(painter.deviceTransform().inverted()[0])
        painter.drawPixmap(area.topLeft(), self._pixmap)
        painter.restore()


class StillAxis(pg.AxisItem):
    """An axis that is painted anew only when it changes."""

    def __init__(self, orientation: str) -> None:
        self._still = Picture()
        self._labelled: bool | None = None
        self.range: list[float] = []
        super().__init__(orientation)

    def setRange(self, low: float, high: float) -> None:
        if self.range != [low, high]:
            super().setRange(low, high)

    def showLabel(self, show: bool = True) -> None:
        if show != self._labelled:
            self._labelled = show
            super().showLabel(show)

    def paint(self, painter: QtGui.QPainter, option: Any, widget: Any) -> None:
        draw = super().paint
        if widget is None or self.picture is None:
            draw(painter, option, widget)
        else:
            self._still.paint(painter, self.boundingRect(), self.picture,
                              lambda inner: draw(inner, option, widget))  # fmt: skip


class Still(pg.GraphicsObject):
    """An item as large as the view, most of which is one picture."""

    def __init__(self) -> None:
        super().__init__()
        self.picture = Picture()

    def boundingRect(self) -> QtCore.QRectF:
        return QtCore.QRectF(self.viewRect() or QtCore.QRectF())

    def viewRangeChanged(self) -> None:
        self.prepareGeometryChange()


class Ground(Still):
    """Draws curves on the screen from one picture, in their order; elsewhere they draw themselves.

    Parameters
    ----------
    plot : PlotItem
        Where to.
    depth : float
        The z value.
    """

    def __init__(self, plot: pg.PlotItem, depth: float) -> None:
        super().__init__()
        self._curves: tuple[HeavyCurve, ...] = ()
        self._numbers: list[Any] = []
        self.setZValue(depth)
        plot.addItem(self, ignoreBounds=True)

    def put(self, curves: tuple[HeavyCurve, ...]) -> None:
        """Draw these."""
        for curve in self._curves:
            curve.grounded = False
        self._curves = curves
        for curve in curves:
            curve.grounded = True
        self.update()

    def paint(self, painter: QtGui.QPainter, option: Any, widget: Any = None) -> None:
        if widget is None or not self._curves:
            return
        self._numbers = [(c.xData, c.yData) for c in self._curves]  # alive as long as their ids
        looks = tuple(
            (id(x), id(y), c.opts["pen"].color().rgba(), c.opts["pen"].style(), c.weight)
            for c, (x, y) in zip(self._curves, self._numbers, strict=True)
        )

        def draw(inner: QtGui.QPainter) -> None:
            for curve in self._curves:
                curve.paint_here(inner, option, widget)

        self.picture.paint(painter, self.boundingRect(), looks, draw)
