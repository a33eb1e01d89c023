"""Hands on the plot: mouse events at points of the plot, as the window system sends them."""

from __future__ import annotations

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtTest import QTest

from spectrogen_app.gui.main_window import MainWindow
from spectrogen_app.gui.peaks.overlay import Grip, Handles

Qt = QtCore.Qt
Point = tuple[float, float]


class Hands:
    """Clicks and drags in the units drawn.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.held = Qt.MouseButton.NoButton

    @property
    def handles(self) -> Handles:
        found = self.window.peaks.gestures.handles
        assert found is not None
        return found

    @property
    def viewport(self) -> QtWidgets.QWidget:
        return self.handles.canvas.viewport()

    def grip(self, kind: str, peak: str) -> Grip:
        return next(g for g in self.handles.grips if (g.kind, g.peak) == (kind, peak))

    def drawn(self, kind: str, peak: str) -> Point:
        """Where a handle is drawn, which may be beside its value."""
        handles = self.handles
        place = handles.mapToScene(handles.place(self.grip(kind, peak)))
        return self.place(handles.canvas.mapFromScene(place))

    def at(self, place: Point) -> QtCore.QPoint:
        handles = self.handles
        return handles.canvas.mapFromScene(handles.mapToScene(handles.pixel(*place)))

    def click(self, place: Point, button: Qt.MouseButton = Qt.MouseButton.LeftButton) -> None:
        here = self.at(place)
        self.move(place)
        QTest.mouseClick(self.viewport, button, Qt.KeyboardModifier.NoModifier, here)
        self.settle()

    def move(self, place: Point) -> None:
        here = self.at(place)
        event = QtGui.QMouseEvent(
            QtCore.QEvent.Type.MouseMove, QtCore.QPointF(here),
            QtCore.QPointF(self.viewport.mapToGlobal(here)), Qt.MouseButton.NoButton, self.held,
            Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        QtWidgets.QApplication.sendEvent(self.viewport, event)
        self.settle()

    def press(self, place: Point, button: Qt.MouseButton = Qt.MouseButton.LeftButton) -> None:
        self.move(place)
        QTest.mousePress(
            self.viewport, button, Qt.KeyboardModifier.NoModifier, self.at(place)
        )  # fmt: skip
        self.held = button

    def release(self, place: Point) -> None:
        button, self.held = self.held, Qt.MouseButton.NoButton
        QTest.mouseRelease(self.viewport, button, Qt.KeyboardModifier.NoModifier, self.at(place))
        self.settle()

    def drag(self, start: Point, end: Point, steps: int = 4) -> None:
        a, b = self.at(start), self.at(end)
        self.press(start)
        for i in range(1, steps + 1):
            where = a + (b - a) * i / steps
            self.move(self.place(where))
        self.release(self.place(b))

    def place(self, pixel: QtCore.QPoint) -> Point:
        handles = self.handles
        inner = handles.mapFromScene(handles.canvas.mapToScene(pixel))
        point = handles.canvas.view.mapToView(inner)
        return point.x(), point.y()

    def settle(self) -> None:
        QtWidgets.QApplication.processEvents()
