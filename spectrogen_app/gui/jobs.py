"""One worker thread for jobs of one kind: the newest request wins, a stale answer is dropped."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6 import QtCore

from spectrogen_app.app.jobs import Token
from spectrogen_app.errors import Cancelled, SpectrogenError

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 0.05
"""Progress is told at most this often."""
_STACK_BYTES = 16 << 20


@dataclass
class _Task:
    number: int
    job: Callable[..., Any]
    request: object
    label: str
    token: Token
    on_done: Callable[[Any], None] | None
    on_partial: Callable[[Any], None] | None
    on_failed: Callable[[SpectrogenError], None] | None


class JobRunner(QtCore.QObject):
    """Runs jobs one at a time in a thread of its own; all signals arrive in the GUI's thread.

    Parameters
    ----------
    name : str
        Name of the thread.
    queueing : bool
        False: a new request cancels the one under way. True: it waits its turn, for jobs whose
        results must all arrive, such as loading files.
    keeps_best : bool
        Its jobs answer with their best so far when they are told to end early.
    """

    started = QtCore.Signal(str)
    progress = QtCore.Signal(float, str)
    failed = QtCore.Signal(object)
    idle = QtCore.Signal()
    _posted = QtCore.Signal(int, str, object)

    def __init__(
        self, name: str, parent: QtCore.QObject | None = None, *, queueing: bool = False,
        keeps_best: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._queueing = queueing
        self.keeps_best = keeps_best
        self._condition = threading.Condition()
        self._waiting: list[_Task] = []
        self._known: dict[int, _Task] = {}
        self._count = 0
        self._closed = False
        self._posted.connect(self._deliver, QtCore.Qt.ConnectionType.QueuedConnection)
        before = threading.stack_size(_STACK_BYTES)
        self._thread = threading.Thread(target=self._work, name=f"job-{name}", daemon=True)
        self._thread.start()
        threading.stack_size(before)

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._known)

    def submit(
        self,
        job: Callable[..., Any],
        request: object,
        label: str,
        *,
        on_done: Callable[[Any], None] | None = None,
        on_partial: Callable[[Any], None] | None = None,
        on_failed: Callable[[SpectrogenError], None] | None = None,
    ) -> None:
        """Run ``job(request, token)`` and hand its answer to ``on_done`` in the GUI's thread.

        Parameters
        ----------
        job : callable
        request : object
            Frozen and complete.
        label : str
            What is being done, shown beside the progress bar.
        on_done, on_failed : callable(answer), optional
            Without ``on_failed`` the error is told by the signal :attr:`failed`.
        on_partial : callable(part), optional
            Given, the job is called with a third argument: a function that hands on parts.
        """
        if not self._queueing:
            self.cancel()
        self._count += 1
        task = _Task(
            self._count, job, request, label, Token(), on_done, on_partial, on_failed
        )  # fmt: skip
        task.token._on_progress = self._throttled(task.number)
        self._known[task.number] = task
        with self._condition:
            self._waiting.append(task)
            self._condition.notify()

    def cancel(self) -> None:
        """Stop what runs and forget what waits; their answers will not arrive."""
        with self._condition:
            self._waiting.clear()
        for task in self._known.values():
            task.token.cancel()
        if self._known:
            self._known.clear()
            self.idle.emit()

    def stop(self) -> None:
        """Ask what runs to end early; the answer it then gives still arrives."""
        for task in self._known.values():
            task.token.cancel()

    def close(self, timeout: float = 10.0) -> bool:
        """Cancel, end the thread and wait for it; False if it did not end in time."""
        self.cancel()
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _throttled(self, number: int) -> Callable[[float, str], None]:
        last = 0.0

        def report(fraction: float, message: str) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= PROGRESS_SECONDS:
                last = now
                self._posted.emit(number, "progress", (fraction, message))

        return report

    def _work(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                task = self._waiting.pop(0)
            kind, answer = self._run(task)
            if not self._closed:
                self._posted.emit(task.number, kind, answer)
            del task, answer

    def _run(self, task: _Task) -> tuple[str, object]:
        number = task.number
        try:
            task.token.check(0.0, "")
            self._posted.emit(number, "started", task.label)
            if task.on_partial is None:
                return "done", task.job(task.request, task.token)
            return "done", task.job(
                task.request, task.token, lambda part: self._posted.emit(number, "partial", part)
            )
        except Cancelled:
            return "cancelled", None
        except SpectrogenError as error:
            return "failed", error
        except Exception as error:
            log.exception("Unexpected error in job %r", task.label)
            return "failed", SpectrogenError(
                f"{task.label} stopped on an unexpected error: {type(error).__name__}: {error}.",
                hint="The log file has the details; the program goes on.",
            )

    @QtCore.Slot(int, str, object)
    def _deliver(self, number: int, kind: str, answer: Any) -> None:
        task = self._known.get(number)
        if task is None:
            return
        if kind == "started":
            self.started.emit(answer)
            return
        if kind == "progress":
            self.progress.emit(*answer)
            return
        if kind == "partial":
            if task.on_partial is not None:
                task.on_partial(answer)
            return
        del self._known[number]
        try:
            if kind == "done" and task.on_done is not None:
                task.on_done(answer)
            elif kind == "failed":
                (task.on_failed or self.failed.emit)(answer)
        finally:
            if not self._known:
                self.idle.emit()
