"""Garbage is collected in the GUI's thread alone."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

from PySide6 import QtCore, QtGui

LOOK_MS = 250
"""Time from one look at the counters to the next."""
REST_LOOKS = 8
"""Looks without a job or a move of the mouse, after which the oldest generation is collected."""
AWAY_LOOKS = 240
"""Such looks after which nobody is there: what was left aside is looked through, too."""
LONG = 0.02
"""A collection that took longer, s, is not done again for what it left."""


class Collector(QtCore.QObject):
    """Stands in for Python's automatic collection while the window is open.

    Python collects in whichever thread happens to allocate. A job's thread that collects what was a
    dialog or a plot destroys it under Qt's feet, and the program crashes later, somewhere else.

    Parameters
    ----------
    parent : QObject
    busy : callable
        Whether a job runs; the oldest generation, which takes long, then waits, and until the
        mouse has rested.
    """

    def __init__(self, parent: QtCore.QObject, busy: Callable[[], bool]) -> None:
        super().__init__(parent)
        self._busy = busy
        self._thresholds = gc.get_threshold()
        gc.set_threshold(0)  # gc.disable() would last until h5py closes its first file
        self._resting, self._mouse = 0, QtCore.QPoint()
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    @QtCore.Slot()
    def look(self) -> None:
        """Collect the oldest generation that is due."""
        mouse = QtGui.QCursor.pos()
        self._resting = 0 if self._busy() or mouse != self._mouse else self._resting + 1
        self._mouse = mouse
        if self._resting == AWAY_LOOKS:
            gc.unfreeze()
            gc.collect()
            gc.freeze()
            return
        counts = gc.get_count()
        for generation in (2, 1, 0) if self._resting >= REST_LOOKS else (1, 0):
            if counts[generation] > self._thresholds[generation]:
                began = time.perf_counter()
                gc.collect(generation)
                if time.perf_counter() - began > LONG:
                    gc.freeze()
                return

    @QtCore.Slot()
    def settle(self) -> None:
        """All that is loaded stays: later collections need not look through it."""
        gc.freeze()

    def close(self) -> None:
        """As before."""
        self._timer.stop()
        gc.set_threshold(*self._thresholds)
