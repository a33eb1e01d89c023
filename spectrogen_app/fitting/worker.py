"""A process of the pool that fits many spectra: it gives way to others and hears when to stop.

It is imported before all else there and imports next to nothing, so that loading the rest gives
way, too.
"""

from __future__ import annotations

import os
import signal
from multiprocessing.synchronize import Event

from spectrogen_app.errors import Cancelled

NICE = 10
"""How far it gives way, as ``nice`` counts; Windows favours the window in front by itself."""
_stop: Event | None = None


def begin(stop: Event) -> None:
    """Ctrl+C is for the first process, which then tells the others by ``stop``."""
    global _stop  # noqa: PLW0603
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICE)


def watch(fraction: float, message: str = "") -> None:
    """A check of a fit.

    Raises
    ------
    Cancelled
        The first process said stop.
    """
    if _stop is not None and _stop.is_set():
        raise Cancelled
