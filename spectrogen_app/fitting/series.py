"""One spectrum among many: where its fit starts, and how far its lines may go."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.fitting.advice import bound_reached
from spectrogen_app.fitting.api import fit_model
from spectrogen_app.fitting.model import Model, Peak
from spectrogen_app.fitting.options import included
from spectrogen_app.fitting.result import FitResult

Array = NDArray[np.float64]

_NEARER = 0.5
"""A neighbour's result is nearer when it leaves less than this share of the squares that the given
model leaves."""
_POINTS = 1000
"""That many points, at most twice as many, tell which is nearer."""


def walked(spectrum: Spectrum, given: Model, neighbour: FitResult) -> bool:
    """Whether a spectrum looks more like its neighbour than like the given model.

    In a series lines walk away from the model; in a collection of samples a line that got lost in
    one would be lost in all that follow.
    """
    keep = np.flatnonzero(included(spectrum.x, neighbour.options))
    some = keep[:: max(1, keep.size // _POINTS)]
    x, y = spectrum.x[some], spectrum.y[some]
    return _misfit(neighbour.model, x, y) < _NEARER * _misfit(given, x, y)


def _misfit(model: Model, x: Array, y: Array) -> float:
    """Sum of squares that is left with the heights and the background that fit best."""
    columns = [p.moved(height=1.0).evaluate(x) for p in model.peaks]
    if model.background is not None:
        columns += [*model.background.powers(x)]
    if model.terms:
        y = y - model.replace(peaks=(), background=None).evaluate(x)
    matrix = np.array(columns).T
    try:
        rest = y - matrix @ np.linalg.lstsq(matrix, y, rcond=None)[0]
    except np.linalg.LinAlgError:  # what is wrong, the fit will say
        return math.inf
    return float(rest @ rest)


def fit_near(model: Model, fit: Callable[[Model], FitResult], check: Check) -> FitResult:
    """Fit with every line within a FWHM of where it starts, so that none takes another's place.

    Where a line comes to that end, the fit goes on without it, if that leaves less to warn of.

    Parameters
    ----------
    model : Model
    fit : callable(model) -> FitResult
        Fits the model, which may get a background.
    check : callable(fraction, message)

    Raises
    ------
    FitError
        A fit that cannot be started.
    """
    found = fit(model.replace(peaks=tuple(map(_bounded, model.peaks))))
    start = found.start.replace(peaks=model.peaks)
    free = with_bounds_of(model, found.model)
    held = with_bounds_of(model, found.model, lambda p: bound_reached(p["center"]) is None)
    found = dataclasses.replace(found, model=held, start=start)
    if found.cancelled or held == free:
        return found
    further = fit_model(found.spectrum, free, found.options, check=check)
    fewer = len(further.advice) < len(found.advice)
    return dataclasses.replace(further, start=start) if fewer else found


def _bounded(peak: Peak) -> Peak:
    held = peak["center"].fixed or peak["center"].tie
    return peak if held else peak.near(peak.fwhm)


def with_bounds_of(
    given: Model, model: Model, which: Callable[[Peak], bool] = lambda _: True
) -> Model:
    """The model with the given one's bounds of centres, for all or some of its peaks."""
    bounds = {p.name: p["center"] for p in given.peaks}
    peaks = (
        p.edit("center", min=bounds[p.name].min, max=bounds[p.name].max) if which(p) else p
        for p in model.peaks
    )
    return model.replace(peaks=tuple(peaks))
