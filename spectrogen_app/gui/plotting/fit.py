"""A decomposition on the plot: peaks on their background, and the sum."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6 import QtCore, QtGui

from spectrogen_app.app.decomposition import FitCurves, Line
from spectrogen_app.app.session import PALETTE
from spectrogen_app.gui.plotting.ground import Still
from spectrogen_app.gui.theme import Theme


def peak_colour(name: str, theme: Theme) -> QtGui.QColor:
    """The colour of a peak, the same wherever it is shown."""
    digits = "".join(c for c in name if c.isdigit())
    return theme.curve(PALETTE[(int(digits or 1) + 1) % len(PALETTE)])


class FitItem(Still):
    """Draws :class:`FitCurves`; the sum and the background are curves of their own.

    Parameters
    ----------
    plot : PlotItem
        Where to.
    """

    def __init__(self, plot: pg.PlotItem) -> None:
        super().__init__()
        self._curves: FitCurves | None = None
        self._theme: Theme | None = None
        self._selected = ""
        self._paths: dict[Line, tuple[QtGui.QPainterPath, QtGui.QPainterPath]] = {}
        self._total = pg.PlotDataItem()
        self._background = pg.PlotDataItem()
        for item, depth in ((self._background, 51), (self, 52), (self._total, 53)):
            item.setZValue(depth)
            item.setVisible(False)
            plot.addItem(item, ignoreBounds=True)

    @property
    def curves(self) -> FitCurves | None:
        """What is drawn."""
        return self._curves

    def draw(self, curves: FitCurves | None, theme: Theme) -> None:
        """Show the curves; None shows nothing."""
        if self._theme is not theme:
            self._paths = {}
        before, self._curves, self._theme = self._curves, curves, theme
        for item in (self, self._total, self._background):
            item.setVisible(curves is not None)
        if curves is None:
            self._paths = {}
            return
        self._total.setPen(pg.mkPen(theme.text, width=1))
        total = curves.total
        if before is None or before.total is not total:
            self._total.setData(total.x, total.y, connect="all", skipFiniteCheck=True)
        self._background.setVisible(curves.background is not None)
        if curves.background is not None:
            pen = pg.mkPen(theme.muted, width=1)
            pen.setDashPattern([5, 4])
            self._background.setPen(pen)
            under = curves.background
            if before is None or before.background is not under:
                self._background.setData(under.x, under.y, connect="all", skipFiniteCheck=True)
        self._paths = {
            line: self._paths.get(line) or (_path(line), _area(line)) for line in curves.lines
        }
        self.prepareGeometryChange()
        self.update()

    def select(self, name: str) -> None:
        """Set one peak off from the others."""
        if name != self._selected:
            self._selected = name
            self.update()

    def paint(self, painter: QtGui.QPainter, _option: Any, widget: Any = None) -> None:
        if self._curves is None or self._theme is None:
            return
        rest = tuple(n for n in self._curves.lines if n.name != self._selected)
        if widget is None:
            self._paint(painter, rest)
        else:
            key = (rest, self._theme.name)
            self.picture.paint(
                painter, self.boundingRect(), key, lambda inner: self._paint(inner, rest)
            )
        self._paint(painter, tuple(n for n in self._curves.lines if n.name == self._selected))

    def _paint(self, painter: QtGui.QPainter, lines: tuple[Line, ...]) -> None:
        assert self._theme is not None
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        for line in lines:
            outline, area = self._paths[line]
            colour = peak_colour(line.name, self._theme)
            fill = QtGui.QColor(colour)
            fill.setAlphaF(0.30 if line.name == self._selected else 0.10)
            painter.setPen(QtCore.Qt.PenStyle.NoPen)
            painter.setBrush(fill)
            painter.drawPath(area)
            pen = QtGui.QPen(colour, 1)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)
            painter.drawPath(outline)


def _path(line: Line) -> QtGui.QPainterPath:
    return pg.arrayToQPath(line.x, line.y, connect="all", finiteCheck=False)


def _area(line: Line) -> QtGui.QPainterPath:
    path = QtGui.QPainterPath(_path(line))
    path.connectPath(pg.arrayToQPath(line.x[::-1], line.base[::-1], connect="all",
                                     finiteCheck=False))  # fmt: skip
    path.closeSubpath()
    return path
