"""Fits as jobs for the worker thread."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spectrogen_app.app.decomposition import Decomposition
from spectrogen_app.app.jobs import Token
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.fitting.result import FitResult
from spectrogen_app.paths import atomic_write

if TYPE_CHECKING:
    from spectrogen_app.app.fitting import BatchFitRequest
    from spectrogen_app.fitting.batch import Outcome


@dataclass(frozen=True, eq=False)
class FitRequest:
    """A spectrum and the peaks to begin with.

    Attributes
    ----------
    spectrum : Spectrum
    peaks : Decomposition
        Model and options.
    shape, background : str or None
        For the automatic search; None lets it choose.
    """

    spectrum: Spectrum
    peaks: Decomposition
    shape: str | None = None
    background: str | None = None


def warm(_request: object, _token: Token) -> None:
    """Load what fits of all kinds need; in the window's thread that would take half a second."""
    from spectrogen_app.app import fitting  # noqa: F401
    from spectrogen_app.fitting import guess, lines, simplify  # noqa: F401


def fit(request: FitRequest, token: Token) -> FitResult:
    """Fit the model as it stands; cancelled, the best so far.

    Raises
    ------
    FitError
        A fit that cannot be started.
    """
    from spectrogen_app.fitting.api import fit_model

    return ready(
        fit_model(request.spectrum, request.peaks.model, request.peaks.options, check=token.check)
    )


def auto(request: FitRequest, token: Token) -> FitResult:
    """Find the peaks and fit them.

    Raises
    ------
    FitError
        No peak rises above the noise.
    """
    from spectrogen_app.fitting import api

    options = request.peaks.options
    found = api.fit(
        request.spectrum, "auto", shape=request.shape, background=request.background,
        check=token.check, **keywords(request.peaks),
        scale_errors=options.scale_errors,
    )  # fmt: skip
    return ready(found)


def from_lines(request: FitRequest, token: Token) -> FitResult:
    """Fit those lines of a list, the request's model, that the spectrum shows.

    Raises
    ------
    FitError
        It shows none of them.
    """
    from spectrogen_app.fitting.api import fit_lines

    peaks = request.peaks
    return ready(fit_lines(request.spectrum, peaks.model, peaks.options, token.check))


def mend(request: FitRequest, token: Token) -> FitResult:
    """Take remedies for all that the last fit warns of.

    Raises
    ------
    FitError
        A fit that cannot be started.
    """
    from spectrogen_app.fitting import api

    last = request.peaks.result or fit(request, token)
    return ready(api.mend(last, token.check))


def at_residual(request: FitRequest, token: Token) -> FitResult:
    """One peak more where the residual is largest, then fit.

    Raises
    ------
    FitError
        The residual has no maximum.
    """
    from spectrogen_app.fitting.guess import add_at_residual
    from spectrogen_app.fitting.options import included

    s, peaks = request.spectrum, request.peaks
    keep = included(s.x, peaks.options)
    more = add_at_residual(s.x[keep], s.y[keep], peaks.model, request.shape)
    return fit(dataclasses.replace(request, peaks=peaks.edited(more)), token)


def ready(result: FitResult) -> FitResult:
    """With all that the window shows worked out already, in the worker."""
    _ = result.advice, result.peaks, result.params
    return result


def keywords(peaks: Decomposition) -> dict[str, Any]:
    """The options as keywords of :func:`spectrogen_app.fitting.api.fit`."""
    o = peaks.options
    weights: Any = o.sigma if o.weights == "given" else o.weights
    return {"weights": weights, "loss": o.loss, "exclude": o.exclude, "within": o.within}


def simpler(request: FitRequest, token: Token) -> FitResult:
    """Without the peaks that do not help; cancelled, the best so far.

    Raises
    ------
    FitError
        A fit that cannot be started.
    """
    from spectrogen_app.fitting.simplify import simplify

    return ready(
        simplify(request.spectrum, request.peaks.model, request.peaks.options, check=token.check)
    )


@dataclass(frozen=True, eq=False)
class IntervalRequest:
    """Parameters whose confidence intervals are wanted."""

    result: FitResult
    names: tuple[str, ...]


Intervals = dict[str, list[tuple[float, float, float]]]


def intervals(request: IntervalRequest, token: Token) -> Intervals:
    """Confidence intervals, as :meth:`FitResult.confidence_intervals` gives them.

    Raises
    ------
    FitError
        A profile that finds no end.
    Cancelled
    """
    return request.result.confidence_intervals(request.names, check=token.check)


def batch(
    request: BatchFitRequest, token: Token, deliver: Callable[[tuple[int, Outcome]], None]
) -> tuple[Outcome | None, ...]:
    """Fit many spectra; each outcome is handed on with its place as it arrives."""
    from spectrogen_app.app.fitting import batch_fit_job

    return batch_fit_job(request, token, lambda at, outcome: deliver((at, outcome)))


@dataclass(frozen=True, eq=False)
class WriteRequest:
    """A fit, and the file it goes to.

    Attributes
    ----------
    result : FitResult
    path : Path
    kind : str
        ``report_csv``, ``report_json``, ``report_txt`` or ``curves``.
    """

    result: FitResult
    path: Path
    kind: str


def write(request: WriteRequest, token: Token) -> Path:
    """Write one report.

    Raises
    ------
    WriteError
    """
    from spectrogen_app.fitting import report

    token.check(0.0, f"Writing {request.path.name}")
    make = {"report_csv": report.peaks_csv, "report_json": report.to_json,
            "report_txt": report.text, "curves": report.curves_csv}[request.kind]  # fmt: skip
    with atomic_write(request.path, "w", encoding="utf-8") as stream:
        stream.write(make(request.result))
    return request.path
