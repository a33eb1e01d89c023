"""Many spectra in a pool of processes.

Spectra are fitted in runs of fixed length. A run begins with the given model; further fits start
from their neighbour's result where that is clearly nearer. Since runs do not depend on how many
processes there are, nor do the results.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from typing import Any

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Cancelled, Check, FitError, SpectrogenError, unchecked
from spectrogen_app.fitting import worker
from spectrogen_app.fitting.api import as_model, fit, fit_model
from spectrogen_app.fitting.model import Model
from spectrogen_app.fitting.result import FitResult
from spectrogen_app.fitting.series import fit_near, walked, with_bounds_of

RUN = 10
"""Spectra in a run."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Failure:
    """A spectrum that was not fitted.

    Attributes
    ----------
    index : int
        Its place in the batch.
    name : str
    error : SpectrogenError
    """

    index: int
    name: str
    error: SpectrogenError


Outcome = FitResult | Failure


def fit_many(
    spectra: Sequence[Spectrum],
    peaks: str | Model | Sequence[Any] = "auto",
    *,
    neighbours: bool = True,
    workers: int | None = None,
    check: Check = unchecked,
    deliver: Callable[[int, Outcome], None] | None = None,
    **options: Any,
) -> tuple[Outcome | None, ...]:
    """Fit many spectra.

    Parameters
    ----------
    spectra : sequence of Spectrum
    peaks, **options
        As in :func:`spectrogen_app.fitting.api.fit`, the same for all.
    neighbours : bool
        Start from the neighbour's result, where that is nearer, and keep each line within a FWHM
        of where it starts, unless it must go further; not for ``"auto"`` or one spectrum.
    workers : int, optional
        Processes; default: one per core. A single run is fitted in this process.
    check : callable(fraction, message)
        Called as results arrive and several times a second.
    deliver : callable(index, outcome), optional
        Called in this thread with each outcome as it arrives.

    Returns
    -------
    tuple of FitResult or Failure
        In the order of ``spectra``. After a cancel, None for what was not done.
    """
    neighbours = neighbours and len(spectra) > 1
    if len(spectra) <= RUN:
        return _here(
            spectra, peaks, neighbours, check=check, deliver=deliver, options=options
        )  # fmt: skip
    outcomes: list[Outcome | None] = [None] * len(spectra)
    stop = multiprocessing.get_context("spawn").Event()
    runs = [(i, tuple(spectra[i : i + RUN])) for i in range(0, len(spectra), RUN)]
    processes = max(1, min(workers or os.cpu_count() or 1, len(runs)))
    with _one_thread_each(), ProcessPoolExecutor(
        processes, multiprocessing.get_context("spawn"), worker.begin, (stop,)
    ) as pool:  # fmt: skip
        with _deaf():
            waiting: dict[Future[list[Outcome]], tuple[int, tuple[Spectrum, ...]]] = {
                pool.submit(_fit_run, i, run, peaks, neighbours, options): (i, run)
                for i, run in runs
            }
        try:
            while waiting:
                done, _ = wait(waiting, timeout=0.1, return_when=FIRST_COMPLETED)
                for future in done:
                    first, run = waiting.pop(future)
                    for k, outcome in enumerate(_answer(future, first, run)):
                        outcomes[first + k] = outcome
                        if deliver is not None:
                            deliver(first + k, outcome)
                finished = sum(o is not None for o in outcomes)
                check(finished / len(spectra), f"{finished} of {len(spectra)} spectra")
        except BaseException as error:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            if not isinstance(error, Cancelled):
                raise
    return tuple(outcomes)


def _here(
    spectra: Sequence[Spectrum], peaks: Any, neighbours: bool, *, check: Check,
    deliver: Callable[[int, Outcome], None] | None, options: dict[str, Any],
) -> tuple[Outcome | None, ...]:  # fmt: skip
    outcomes: list[Outcome | None] = [None] * len(spectra)

    def watch(fraction: float, message: str) -> None:
        done = sum(o is not None for o in outcomes)
        check((done + fraction) / len(spectra), f"{done} of {len(spectra)} spectra")

    with contextlib.suppress(Cancelled):
        for k, outcome in enumerate(_run(0, spectra, peaks, neighbours, options, check=watch)):
            outcomes[k] = outcome
            if deliver is not None:
                deliver(k, outcome)
    return tuple(outcomes)


def _answer(
    future: Future[list[Outcome]], first: int, run: Sequence[Spectrum]
) -> Sequence[Outcome]:
    try:
        outcomes = future.result()
        for outcome, spectrum in zip(outcomes, run, strict=True):
            if isinstance(outcome, FitResult) and vars(outcome)["spectrum"] is None:
                vars(outcome)["spectrum"] = spectrum
        return outcomes
    except Cancelled:
        return []
    except BrokenProcessPool:
        error = FitError(
            "The process that fitted this spectrum ended unexpectedly.",
            hint="Memory may have run out: use fewer workers.",
        )
        return [Failure(first + k, s.name, error) for k, s in enumerate(run)]


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes started within use one thread for linear algebra."""
    before = {k: os.environ.get(k) for k in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Processes started within never hear Ctrl+C, not even while they load; Windows has no such."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _fit_run(
    first: int, run: Sequence[Spectrum], peaks: Any, neighbours: bool, options: dict[str, Any]
) -> list[Outcome]:
    outcomes = list(_run(first, run, peaks, neighbours, options, check=worker.watch))
    for outcome, spectrum in zip(outcomes, run, strict=True):
        if isinstance(outcome, FitResult) and outcome.spectrum is spectrum:
            vars(outcome)["spectrum"] = None  # the first process has it
    return outcomes


def _run(
    first: int, run: Sequence[Spectrum], peaks: Any, neighbours: bool, options: dict[str, Any],
    *, check: Check,
) -> Iterator[Outcome]:  # fmt: skip
    given: Model | None = None
    last: FitResult | None = None
    from_model: Callable[..., FitResult] = partial(fit, check=check, **options)
    for k, spectrum in enumerate(run):
        try:
            check(0.0, "")
            if not neighbours or isinstance(peaks, str):
                result = from_model(spectrum, peaks)
            elif given and last and walked(spectrum, given, last):
                again = partial(fit_model, spectrum, options=last.options, check=check)
                result = fit_near(with_bounds_of(given, last.model), again, check)
            else:
                model = as_model(peaks, options.get("shape"))
                result = fit_near(model, partial(from_model, spectrum), check)
            if result.cancelled:
                raise Cancelled
        except Cancelled:
            raise
        except SpectrogenError as error:
            yield Failure(first + k, spectrum.name, error)
            continue
        given, last = given or result.start, result if result.success else None
        _ = result.advice, result.peaks  # worked out here, kept by the result
        yield result
