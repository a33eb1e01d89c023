"""How quick the window is with peaks: ``python tests/benchmarks/bench_peaks.py [SHAPE ...]``.

Twenty peaks on 4,000 points in the real window; one top handle is dragged along a curve by mouse
events. Printed are updates per second of processor time of the window's thread (what an otherwise
idle machine shows) and of wall time. Budget: 60. Then fits run in the background, and the longest
time is printed in which the window did not answer: by the clock, and of its thread's own processor
time. Budget: 50 ms. Collection of garbage is as in the program.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import pyqtgraph as pg
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtTest import QTest

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.fitting.model import Model, Peak
from spectrogen_app.gui import application
from spectrogen_app.gui.collector import Collector
from spectrogen_app.gui.main_window import MainWindow
from spectrogen_app.gui.store import Selection

Qt = QtCore.Qt
MOVES, PEAKS, POINTS = 300, 20, 4000


def drag(window: MainWindow, app: QtWidgets.QApplication, shape: str) -> None:
    """Measure one shape."""
    rng = np.random.default_rng(0)
    x = np.linspace(100, 1400, POINTS)
    places = zip(np.linspace(150, 1350, PEAKS), rng.uniform(200, 2000, PEAKS),
                 rng.uniform(5, 25, PEAKS), strict=True)  # fmt: skip
    model = Model(tuple(Peak.make(shape, *p) for p in places))
    spectrum = Spectrum(x, model.evaluate(x) + rng.normal(0, 10, POINTS), modality="raman")
    store = window.store
    store.edit("Made", store.state.add([spectrum]))
    store.select_curve(list(store.state.curves())[-1].id)
    window.show_task("peaks")
    window.peaks.editor.edit("Peaks", model)
    started = time.perf_counter()
    while window.status.busy or time.perf_counter() - started < 1:  # getting ready
        app.processEvents()
    handles = window.peaks.gestures.handles
    assert handles is not None
    grip = next(g for g in handles.grips if (g.kind, g.peak) == ("top", "p10"))
    canvas = handles.canvas
    start = canvas.mapFromScene(handles.mapToScene(handles.pixel(grip.x, grip.y)))
    view = canvas.viewport()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    moved = [0]
    handles.dragged.connect(lambda *_: moved.__setitem__(0, moved[0] + 1))
    wall, cpu = time.perf_counter(), time.thread_time()
    for i in range(1, MOVES + 1):
        here = start + QtCore.QPoint(round(60 * np.sin(i / 15)), round(40 * np.sin(i / 11)) - 8)
        event = QtGui.QMouseEvent(
            QtCore.QEvent.Type.MouseMove, QtCore.QPointF(here),
            QtCore.QPointF(view.mapToGlobal(here)), Qt.MouseButton.NoButton,
            Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        QtWidgets.QApplication.sendEvent(view, event)
        app.processEvents()
    wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, here)
    print(
        f"{shape}: {moved[0]} updates, {moved[0] / cpu:.0f} per second of processor time, "
        f"{moved[0] / wall:.0f} per second of wall time; one step: {store.undo_label!r}; "
        f"{view.width()} x {view.height()} at scale {view.devicePixelRatioF():g}, "
        f"{app.platformName()}"
    )


class Pauses(QtCore.QObject):
    """The longest times between two turns of the event loop, s."""

    def __init__(self) -> None:
        super().__init__()
        self.wall = self.own = 0.0
        self._last = time.perf_counter(), time.thread_time()
        self.startTimer(1, Qt.TimerType.PreciseTimer)

    def timerEvent(self, _event: QtCore.QTimerEvent) -> None:
        now = time.perf_counter(), time.thread_time()
        self.wall = max(self.wall, now[0] - self._last[0])
        self.own = max(self.own, now[1] - self._last[1])
        self._last = now


def pauses(window: MainWindow, app: QtWidgets.QApplication, count: int = 60) -> None:
    """Fits of all kinds, and how long the window did not answer."""
    peaks, store = window.peaks, window.store
    while window.previews.busy:
        app.processEvents(QtCore.QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    first = store.selection.curve
    spectrum = peaks.editor.curve.spectrum
    rng = np.random.default_rng(1)
    more = [spectrum.replace(y=spectrum.y + rng.normal(0, 10, POINTS)) for _ in range(count)]

    def watched(what: str, act: Callable[[], object]) -> None:
        for _ in range(20):
            app.processEvents()
        watch = Pauses()
        app.processEvents()
        act()
        ended = time.perf_counter()
        while window.fits.busy or time.perf_counter() < ended + 0.5:  # what comes around a fit, too
            if window.fits.busy:
                ended = time.perf_counter()
            app.processEvents(QtCore.QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        print(f"{what}: longest pause {1e3 * watch.wall:.0f} ms by the clock, "
              f"{1e3 * watch.own:.0f} ms of the window's own processor time")  # fmt: skip
        watch.deleteLater()

    for name in ("fit", "auto", "residual", "simplify", "fit"):
        watched(name, lambda n=name: peaks.do(n))
    store.edit("More", store.state.add(more))
    ids = tuple(c.id for c in store.state.curves())
    store.select(Selection(first, store.state.sample_of(first).id, ids))
    watched(f"batch of {len(ids)}", lambda: peaks.do("batch"))


def main(shapes: list[str]) -> None:
    """Measure."""
    del sys.modules["__main__"].__file__  # or a pool's processes load Qt, unlike the program's
    app = application.application()
    pg.setConfigOption("mouseRateLimit", -1)
    window, _ = application.make_window(app)
    collector = Collector(app, lambda: window.status.busy)
    window.resize(1500, 950)
    window.show()
    for shape in shapes:
        drag(window, app, shape)
    pauses(window, app)
    collector.close()
    window.close()


if __name__ == "__main__":
    main(sys.argv[1:] or ["lorentzian", "pseudo_voigt", "voigt"])
