"""The one call: ``fit(spectrum, peaks="auto") -> FitResult``."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spectrogen_app.data.axis import YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check, FitError, unchecked
from spectrogen_app.fitting import engine
from spectrogen_app.fitting.model import Background, Model, Peak, Term, read_peaks
from spectrogen_app.fitting.options import (
    Options,
    Range,
    included,
    make_options,
    problem,
    sigma_of,
)
from spectrogen_app.fitting.result import FitResult

Array = NDArray[np.float64]

_LARGEST = 1e100
_MANY = 10
"""With more warnings than this, remedies are not tried one by one first."""
_FIXED = 10.0
"""By how much the criterion must be lower for a parameter to be fixed: a tie suits more spectra."""
_TRIAL = 15
"""Evaluations in which a remedy shows whether it helps."""


def fit(
    spectrum: Spectrum,
    peaks: str | Model | Iterable[Peak | Mapping[str, Any]] = "auto",
    *,
    background: str | None = None,
    shape: str | None = None,
    partner: bool = False,
    terms: Sequence[Term] = (),
    weights: str | ArrayLike = "none",
    loss: str = "linear",
    exclude: Sequence[Range] = (),
    within: Range | None = None,
    scale_errors: bool = True,
    tolerance: float = 1e-6,
    check: Check = unchecked,
) -> FitResult:
    """Decompose a spectrum into peaks.

    Parameters
    ----------
    spectrum : Spectrum
    peaks : "auto", Model, or iterable of Peak or mapping
        ``"auto"`` finds the peaks over the noise and as many as the data justify. A mapping is
        such as ``{"shape": "lorentzian", "center": 465, "height": 1, "fwhm": 8}``; a value may
        itself be a mapping of ``value``, ``min``, ``max``, ``fixed``, ``tie``. A Model brings its
        own background and terms. With ``"auto"``, transmittance is converted to absorbance, a
        linear background is added where the data do not come down to zero, and remedies are taken
        for what would be warned of (``notes`` says which).
    background : {None, "constant", "linear", "quadratic", "cubic"}
        Fitted with the peaks.
    shape : str, optional
        For peaks that do not name theirs (default ``lorentzian``), and for ``"auto"`` (default:
        what suits each peak).
    partner : bool
        With ``"auto"``: each powder line with its Cu K-alpha2 line; x is 2theta in degrees.
    terms : sequence of Term
        Expressions of one's own, added to the sum.
    weights : "none", "poisson" or array_like of shape (n,)
        An array holds the standard deviation of each point; ``"poisson"`` takes the square root
        of y, at least 1.
    loss : {"linear", "soft_l1", "huber", "cauchy"}
        All but the first let spikes count less.
    exclude : sequence of (low, high)
        Ranges of x left out.
    within : (low, high), optional
        The range of x fitted.
    scale_errors : bool
        Scale standard errors by the reduced chi-square.
    tolerance : float
        See :func:`spectrogen_app.fitting.engine.solve`.
    check : callable(fraction, message)
        When it raises Cancelled, the result holds the best so far (``cancelled`` is True).

    Returns
    -------
    FitResult

    Raises
    ------
    FitError
        Nothing to fit, more parameters than points, all points excluded, values whose squares are
        no finite numbers, weights that are not positive, a tie that cannot be resolved; ``"auto"``
        on data without a peak.
    """
    notes: tuple[str, ...] = ()
    if isinstance(peaks, str):
        spectrum, notes = _adding_up(spectrum)
    options = make_options(
        spectrum, weights=weights, loss=loss, exclude=exclude, within=within,
        scale_errors=scale_errors,
    )  # fmt: skip
    keep = _kept(spectrum, options)
    x, y = spectrum.x[keep], spectrum.y[keep]
    peaks_are_ours = isinstance(peaks, str)
    if isinstance(peaks, str):
        if peaks != "auto":
            raise FitError(f"Expected peaks or 'auto', found {peaks!r}.", hint="Write 'auto'.")
        from spectrogen_app.fitting.guess import find_model  # scipy.signal takes long to load

        sigma = sigma_of(spectrum, options)
        model = find_model(x, y, shape=shape, background=background, check=check,
                           partner=partner,
                           sigma=None if sigma is None else sigma[keep]).in_order()  # fmt: skip
    else:
        model = as_model(peaks, shape)
    if background is not None and model.background is None:
        model = model.replace(background=Background.make(background, x, y))
    if terms:
        model = model.replace(terms=(*model.terms, *terms))
    result = fit_model(spectrum, model, options, tolerance=tolerance, check=check)
    result = dataclasses.replace(result, notes=notes)
    return _settled(result, tolerance, check) if peaks_are_ours else result


def as_model(
    peaks: Model | Iterable[Peak | Mapping[str, Any]], shape: str | None = None
) -> Model:
    """The model that :func:`fit` makes of its peaks.

    Raises
    ------
    FitError
        They are no peaks.
    """
    return peaks if isinstance(peaks, Model) else Model(tuple(read_peaks(peaks, shape)))


def fit_lines(
    spectrum: Spectrum, lines: Model, options: Options | None = None, check: Check = unchecked
) -> FitResult:
    """Fit the lines of a list, such as a generated spectrum's: those that the data show.

    As with ``"auto"``, remedies are taken for what would be warned of.

    Parameters
    ----------
    spectrum : Spectrum
    lines : Model
        Of any height.
    options : Options, optional
    check : callable(fraction, message)
        When it raises Cancelled, the result holds the best so far.

    Raises
    ------
    FitError
        The spectrum shows none of the lines.
    """
    from spectrogen_app.fitting.guess import find_model
    from spectrogen_app.fitting.lines import start_from

    spectrum, notes = _adding_up(spectrum)
    options = options or Options()
    keep = _kept(spectrum, options)
    x, y = spectrum.x[keep], spectrum.y[keep]
    start = start_from(lines, x, y)
    if not start.peaks:
        raise FitError(
            "The spectrum shows none of these lines.",
            hint="Find its peaks automatically, and match the lines then.",
        )
    sigma = sigma_of(spectrum, options)
    model = find_model(x, y, start=start, check=check,
                       sigma=None if sigma is None else sigma[keep]).in_order()  # fmt: skip
    result = dataclasses.replace(fit_model(spectrum, model, options, check=check), notes=notes)
    return _settled(result, 1e-6, check)


def mend(result: FitResult, check: Check = unchecked) -> FitResult:
    """Take remedies for what a fit warns of, as long as they help; ``notes`` says which.

    Where single remedies leave warnings, as many of the peaks are kept as the data justify.

    Parameters
    ----------
    result : FitResult
    check : callable(fraction, message)
        When it raises Cancelled, the result holds the best so far.

    Raises
    ------
    FitError
        A fit that cannot be started.
    """
    from spectrogen_app.fitting.guess import find_model

    best = _settled(result, 1e-6, check) if len(result.advice) <= _MANY else result
    if not best.advice or best.cancelled:
        return best
    keep, sigma = result.included, sigma_of(result.spectrum, result.options)
    model = find_model(result.spectrum.x[keep], result.spectrum.y[keep], start=best.model,
                       sigma=None if sigma is None else sigma[keep], check=check)  # fmt: skip
    fewer = fit_model(result.spectrum, model, result.options, check=check)
    note = f"Peaks that the data justify were kept: {len(model.peaks)}."
    fewer = dataclasses.replace(fewer, start=result.start, notes=(*best.notes, note))
    fewer = _settled(fewer, 1e-6, check)
    best = min(best, fewer, key=lambda r: len(r.advice))
    return dataclasses.replace(best, cancelled=True) if fewer.cancelled else best


def _adding_up(spectrum: Spectrum) -> tuple[Spectrum, tuple[str, ...]]:
    """The spectrum in units in which bands add up, and what was done to it."""
    if spectrum.y_unit not in (YUnit.TRANSMITTANCE, YUnit.TRANSMITTANCE_PERCENT):
        return spectrum, ()
    note = "Transmittance was converted to absorbance, where bands add up."
    return spectrum.to_y(YUnit.ABSORBANCE), (note,)


def _kept(spectrum: Spectrum, options: Options) -> NDArray[np.bool_]:
    """The points that are fitted; refused when hardly any are, or squares leave the range."""
    keep = included(spectrum.x, options)
    largest = float(np.max(np.abs(spectrum.y), initial=0.0, where=keep))
    if largest > _LARGEST or 0 < largest < 1 / _LARGEST:
        size = "large" if largest > 1 else "small"
        raise FitError(
            f"The largest value is {largest:.3g}, too {size} to be squared.",
            hint=f"Normalise the spectrum, or scale it to {1 / _LARGEST:g} .. {_LARGEST:g}.",
        )
    if np.count_nonzero(keep) < 2:
        raise FitError(
            f"{np.count_nonzero(keep)} of {len(spectrum)} points are left to fit.",
            hint="Exclude less, or widen the range.",
        )
    return keep


def _settled(result: FitResult, tolerance: float, check: Check) -> FitResult:
    """With remedies taken for what is left to warn of, each noted, where they help."""
    best = now = result
    for _ in range(5):
        remedies = [(a, r) for a in now.advice[:2] for r in a.remedies]
        if not remedies or now.cancelled:
            break
        tries = []
        for advice, remedy in remedies:
            try:
                tried = fit_model(now.spectrum, remedy.model, now.options, tolerance=tolerance,
                                  evaluations=_TRIAL, check=check)  # fmt: skip
            except FitError:
                continue
            notes = (*now.notes, f"{advice.message} Done: {remedy.label}.")
            tries.append(dataclasses.replace(tried, start=result.start, notes=notes))
        if not tries:
            break
        now = min(tries, key=lambda t: (sum(a.kind != "not_converged" for a in t.advice),
                                        t.bic + _FIXED * _fixed(t.model)))  # fmt: skip
        if not (now.success or now.cancelled):
            done = fit_model(now.spectrum, now.model, now.options, tolerance=tolerance, check=check)
            now = dataclasses.replace(done, start=now.start, notes=now.notes)
        if len(now.advice) < len(best.advice):
            best = now
    return dataclasses.replace(best, cancelled=True) if now.cancelled else best


def _fixed(model: Model) -> int:
    return sum(p.fixed for _, p in model.parameters())


def fit_model(
    spectrum: Spectrum, model: Model, options: Options | None = None, *,
    tolerance: float = 1e-6, evaluations: int = 1000, check: Check = unchecked,
) -> FitResult:  # fmt: skip
    """Fit a model from where it stands, in at most so many evaluations.

    Raises
    ------
    FitError
        See :func:`fit`.
    """
    options = options or Options()
    _kept(spectrum, options)
    task = problem(spectrum, model, options)
    p, n = task.free.size, task.x.size
    if not any(True for _ in model.parameters()):
        raise FitError(
            "There is nothing to fit: no peak, no background.",
            hint="Add a peak, or find peaks automatically.",
        )
    if p >= n:
        raise FitError(
            f"{p} parameters cannot be determined from {n} points.",
            hint="Remove peaks, fix parameters, or widen the range.",
            parameters=p, points=n,
        )  # fmt: skip
    solution = _solved(task, tolerance, evaluations, check)
    values = task.full(solution.free)
    covariance = engine.covariance(solution, task, scaled=options.scale_errors)
    weighted = float(solution.residual @ solution.residual)
    plain = (
        solution.residual if task.root_weights is None else (solution.residual / task.root_weights)
    )
    total = float(np.sum((task.y - task.y.mean()) ** 2))
    deviance = n * math.log(max(weighted, 1e-300) / n)
    return FitResult(
        spectrum=spectrum,
        model=model.with_values(dict(zip(task.names, map(float, values), strict=True))),
        start=model,
        options=options,
        free=tuple(task.free_names),
        covariance=covariance,
        full_covariance=_full(task, values, covariance),
        chisqr=weighted,
        redchi=weighted / (n - p),
        r_squared=1 - float(plain @ plain) / total if total > 0 else 0.0,
        aic=deviance + 2 * p,
        bic=deviance + math.log(n) * p,
        ndata=n,
        nvarys=p,
        success=solution.converged,
        cancelled=solution.cancelled,
        message=solution.message,
        evaluations=solution.evaluations,
    )


def _solved(
    task: engine.Problem, tolerance: float, evaluations: int, check: Check
) -> engine.Solution:
    if not task.model.terms:
        return engine.solve(task, tolerance=tolerance, max_evaluations=evaluations, check=check)
    from spectrogen_app.fitting.minimizer import solve_patiently  # lmfit takes a second to load

    return solve_patiently(task, tolerance=tolerance, check=check)


def _full(task: engine.Problem, values: Array, covariance: Array) -> Array:
    """Covariance of all parameters: zero for fixed ones, by the chain rule for tied ones."""
    out = np.zeros((len(task.names),) * 2)
    out[np.ix_(task.free, task.free)] = covariance
    slopes = task.tie_slopes(values)
    if slopes:
        to_all = np.zeros((len(task.names), task.free.size))
        to_all[task.free, np.arange(task.free.size)] = 1.0
        for i, row in slopes.items():
            to_all[i] = row
        lost = np.isnan(np.diag(covariance))
        out = to_all @ np.where(np.isnan(covariance), 0.0, covariance) @ to_all.T
        gone = np.any(to_all[:, lost] != 0, axis=1)
        out[gone] = np.nan
        out[:, gone] = np.nan
    return out
