"""Fits as jobs for the worker thread."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from spectrogen_app.app.decomposition import Decomposition
from spectrogen_app.app.jobs import Token
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.fitting.result import FitResult


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


def fit(request: FitRequest, token: Token) -> FitResult:
    """Fit the model as it stands; cancelled, the best so far.

    Raises
    ------
    FitError
        A fit that cannot be started.
    """
    from spectrogen_app.fitting.api import fit_model

    return fit_model(
        request.spectrum, request.peaks.model, request.peaks.options, check=token.check
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
    return api.fit(
        request.spectrum, "auto", shape=request.shape, background=request.background,
        check=token.check, **keywords(request.peaks),
        scale_errors=options.scale_errors,
    )  # fmt: skip


def at_residual(request: FitRequest, token: Token) -> FitResult:
    """One peak more where the residual is largest, then fit.

    Raises
    ------
    FitError
        The residual has no maximum.
    """
    from spectrogen_app.fitting.guess import add_at_residual
    from spectrogen_app.fitting.result import included

    s, peaks = request.spectrum, request.peaks
    keep = included(s.x, peaks.options)
    more = add_at_residual(s.x[keep], s.y[keep], peaks.model, request.shape)
    return fit(dataclasses.replace(request, peaks=peaks.edited(more)), token)


def keywords(peaks: Decomposition) -> dict[str, Any]:
    """The options as keywords of :func:`spectrogen_app.fitting.api.fit`."""
    o = peaks.options
    weights: Any = o.sigma if o.weights == "given" else o.weights
    return {"weights": weights, "loss": o.loss, "exclude": o.exclude, "within": o.within}
