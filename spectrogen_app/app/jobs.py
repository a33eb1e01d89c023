"""Jobs: plain functions ``fn(request, token) -> result`` that can be watched and cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

from spectrogen_app.errors import Cancelled

RequestT = TypeVar("RequestT", contravariant=True)
ResultT = TypeVar("ResultT", covariant=True)


class Token:
    """Handed to a job: reports progress and tells it to stop.

    Parameters
    ----------
    on_progress : callable(fraction, message), optional
        Called in the job's thread; ``fraction`` is 0..1.
    """

    def __init__(self, on_progress: Callable[[float, str], None] | None = None) -> None:
        self._on_progress = on_progress
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Ask the job to stop at its next check; may be called from any thread."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was called."""
        return self._cancelled.is_set()

    def check(self, fraction: float, message: str = "") -> None:
        """Report progress; also usable as the ``Check`` of the layers below.

        Raises
        ------
        Cancelled
            When :meth:`cancel` was called.
        """
        if self._cancelled.is_set():
            raise Cancelled
        if self._on_progress is not None:
            self._on_progress(min(max(fraction, 0.0), 1.0), message)


class Job(Protocol[RequestT, ResultT]):
    """A job; ``request`` is frozen and complete."""

    def __call__(self, request: RequestT, token: Token) -> ResultT: ...
