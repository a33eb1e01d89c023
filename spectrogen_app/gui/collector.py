"""Garbage is collected in the GUI's thread alone."""

from __future__ import annotations

import gc
from collections.abc import Callable

from PySide6 import QtCore

LOOK_MS = 250
"""Time from one look at the counters to the next."""


class Collector(QtCore.QObject):
    """Stands in for Python's automatic collection while the window is open.

    Python collects in whichever thread happens to allocate. A job's thread that collects what was a
    dialog or a plot destroys it under Qt's feet, and the program crashes later, somewhere else.

    Parameters
    ----------
    parent : QObject
    busy : callable
        Whether a job runs; the oldest generation, which takes long, then waits.
    """

    def __init__(self, parent: QtCore.QObject, busy: Callable[[], bool]) -> None:
        super().__init__(parent)
        self._busy = busy
        gc.disable()
        self._thresholds = gc.get_threshold()
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    @QtCore.Slot()
    def look(self) -> None:
        """Collect the oldest generation that is due."""
        counts = gc.get_count()
        for generation in (1, 0) if self._busy() else (2, 1, 0):
            if counts[generation] > self._thresholds[generation]:
                gc.collect(generation)
                return

    @QtCore.Slot()
    def settle(self) -> None:
        """All that is loaded stays: later collections need not look through it."""
        gc.freeze()

    def close(self) -> None:
        """As before."""
        self._timer.stop()
        gc.enable()
