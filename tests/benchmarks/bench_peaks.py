"""How fast a dragged peak is drawn: ``python tests/benchmarks/bench_peaks.py [SHAPE]``.

Twenty peaks on 4,000 points in the real window; one top handle is dragged along a curve by mouse
events. Printed are updates per second of processor time of the window's thread (what an otherwise
idle machine shows) and of wall time. Budget: 60.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pyqtgraph as pg
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtTest import QTest

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.fitting.model import Model, Peak
from spectrogen_app.gui import application

Qt = QtCore.Qt
MOVES, PEAKS, POINTS = 300, 20, 4000


def main(shape: str) -> None:
    """Measure one shape."""
    app = application.application()
    pg.setConfigOption("mouseRateLimit", -1)
    window, _ = application.make_window(app)
    window.resize(1500, 950)
    window.show()
    rng = np.random.default_rng(0)
    x = np.linspace(100, 1400, POINTS)
    places = zip(np.linspace(150, 1350, PEAKS), rng.uniform(200, 2000, PEAKS),
                 rng.uniform(5, 25, PEAKS), strict=True)  # fmt: skip
    model = Model(tuple(Peak.make(shape, *p) for p in places))
    spectrum = Spectrum(x, model.evaluate(x) + rng.normal(0, 10, POINTS), modality="raman")
    store = window.store
    store.edit("Made", store.state.add([spectrum]))
    store.select_curve(next(store.state.curves()).id)
    window.show_task("peaks")
    window.peaks.editor.edit("Peaks", model)
    for _ in range(20):
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
    window.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "lorentzian")
