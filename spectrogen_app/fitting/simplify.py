"""Fewer peaks: those go that do not earn their parameters."""

from __future__ import annotations

import dataclasses
import math

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Cancelled, Check, SpectrogenError, unchecked
from spectrogen_app.fitting.api import fit_model
from spectrogen_app.fitting.guess import noise
from spectrogen_app.fitting.model import Model, Peak
from spectrogen_app.fitting.options import Options
from spectrogen_app.fitting.result import FitResult

_TRIAL = 15
"""Evaluations of the model in which a fit shows what it can do without a peak."""
_BY_FAR = 10.0


def simplify(
    spectrum: Spectrum, model: Model, options: Options | None = None, check: Check = unchecked
) -> FitResult:
    """Fit, then leave out peak after peak, the weakest first, while that lowers the criterion.

    The criterion is the Bayesian one (Schwarz, Ann. Stat. 6 (1978) 461), with points counted as
    fewer when their noise is correlated. A trial is short; peaks that stand out by far are not
    tried.

    Parameters
    ----------
    spectrum : Spectrum
    model : Model
    options : Options, optional
    check : callable(fraction, message)
        When it raises Cancelled, the result holds the best so far (``cancelled`` is True).

    Returns
    -------
    FitResult
        At least one peak is left.

    Raises
    ------
    FitError
        A fit that cannot be started.
    """
    best = fit_model(spectrum, model, options, check=check)
    reach = noise(best.residual[best.included]).reach
    try:
        tried: set[str] = set()
        while len(best.model.peaks) > 1:
            left = [
                p for p in best.model.peaks if p.name not in tried and not _needed(best, p, reach)
            ]
            if not left or best.cancelled:
                break
            weakest = min(left, key=lambda p: abs(p.area))
            done = len(tried) / len(model.peaks)
            check(min(done, 1.0), f"{len(best.model.peaks)} peaks, without {weakest.name}?")
            tried.add(weakest.name)
            try:
                fewer = fit_model(spectrum, best.model.remove(weakest.name), options,
                                  evaluations=_TRIAL, check=check)  # fmt: skip
            except Cancelled:
                raise
            except SpectrogenError:
                continue
            if fewer.cancelled:
                raise Cancelled
            if _criterion(fewer, reach) < _criterion(best, reach):
                best = fewer
        if not best.success:
            best = fit_model(spectrum, best.model, options, check=check)
    except Cancelled:
        return dataclasses.replace(best, cancelled=True)
    return best


def _needed(result: FitResult, peak: Peak, reach: int) -> bool:
    """Whether leaving a peak out would clearly cost more than its parameters do."""
    height = result.params[f"{peak.name}_height"]
    if height.stderr is None:
        return False
    cost = len(peak.params) * math.log(result.ndata / reach)
    return (height.value / height.stderr) ** 2 / reach > _BY_FAR * cost


def _criterion(result: FitResult, reach: int) -> float:
    independent = result.ndata / reach
    chisqr = max(result.chisqr, 1e-300)
    return independent * math.log(chisqr / result.ndata) + result.nvarys * math.log(independent)
