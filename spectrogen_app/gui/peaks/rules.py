"""How the numbers of a decomposition are said, and how what is typed is understood."""

from __future__ import annotations

import math
import re

from spectrogen_app.fitting import shapes
from spectrogen_app.fitting.advice import Advice
from spectrogen_app.fitting.estimate import Estimate
from spectrogen_app.fitting.model import Model, Param, Peak
from spectrogen_app.fitting.result import FitResult, PeakResult
from spectrogen_app.gui.peaks.params import ParamRow
from spectrogen_app.gui.peaks.tables import UNKNOWN, number, parts

INTERVAL = "Confidence interval"
_TINY = 1e-9
SHORT = {
    "gaussian": "Gauss", "lorentzian": "Lorentz", "voigt": "Voigt", "pseudo_voigt": "p-Voigt",
    "split_pseudo_voigt": "split p-V", "pearson7": "Pearson", "fano": "Fano",
}  # fmt: skip
LABELS = {"center": "Centre", "height": "Height", "fwhm_gauss": "Gauss", "eta": "Lor. part",
           "fwhm_lorentz": "Lorentz", "fwhm_left": "FWHM ◂", "fwhm_right": "FWHM ▸",
           "asymmetry": "1/q"}  # fmt: skip
_SIDES = {"low": ("min", -math.inf), "high": ("max", math.inf)}


def quality(result: FitResult | None) -> str:
    """How good a fit is, in one line."""
    if result is None:
        return "Not fitted yet, or edited since."
    state = "" if result.success else f"  ·  {result.message}"
    return (
        f"R² {result.r_squared:.5f}  ·  reduced χ² {result.redchi:.4g}\n"
        f"AIC {result.aic:.1f}  ·  BIC {result.bic:.1f}{state}"
    )


def remedies_of(advice: Advice, result: FitResult | None) -> tuple[str, ...]:
    """The texts of its buttons; a parameter whose error is in doubt has one for its interval."""
    more = (INTERVAL,) if result is not None and interval_names(advice, result) else ()
    return (*(r.label for r in advice.remedies), *more)


def interval_names(advice: Advice, result: FitResult) -> tuple[str, ...]:
    """Parameters for which a confidence interval says more than the standard error."""
    if advice.kind not in ("no_error", "at_bound", "correlated") or result.nvarys < 2:
        return ()
    return tuple(n for n in advice.parameters if n in result.free)


def told(estimate: Estimate, param: Param | None = None) -> tuple[str, str]:
    """A fitted value, and its error or why it has none."""
    value, error = parts(estimate)
    if estimate.stderr is not None:
        return value, f"± {error or 0}"
    if param is not None and (param.fixed or param.tie):
        return value, "fixed" if param.fixed else "tied"
    return value, UNKNOWN


def peak_values(peak: Peak, held: PeakResult | None) -> tuple[tuple[str, str], ...]:
    """Centre, height, width and area of a peak with their errors, if it was fitted."""
    names = ("center", "height", "fwhm", "area")
    if held is None:
        return tuple(parts(Estimate(getattr(peak, n))) for n in names)
    own = dict(zip(shapes.shape(peak.shape).names, peak.params, strict=True))
    return tuple(told(getattr(held, n), own.get(n)) for n in names)


def param_row(name: str, label: str, param: Param, result: FitResult | None) -> ParamRow:
    """A parameter as the table shows it."""
    held = result.params.get(name) if result is not None else None
    value, error = told(held, param) if held is not None else ("", "")
    if held is None or held.stderr is None:
        value = number(param.value, 6 if abs(param.value) >= 1 else 5)
    return ParamRow(
        name, label, value, error, param.fixed,
        number(param.min) if abs(param.min) > _TINY else "0", number(param.max), param.tie,
    )  # fmt: skip


def edited(param: Param, field: str, value: object) -> Param:
    """The parameter after a cell was edited.

    Raises
    ------
    FitError
        No number, or bounds that exclude each other.
    """
    if field == "fixed":
        return param.replace(fixed=bool(value))
    text = str(value).strip().replace("−", "-")
    if field == "tie":
        return param.replace(tie=text)
    text = text.replace(",", ".")
    if field == "value":
        wanted = Param(text)  # type: ignore[arg-type]
        return param.replace(
            value=wanted.value, min=min(param.min, wanted.value), max=max(param.max, wanted.value)
        )
    side, free = _SIDES[field]
    bound = getattr(Param(0.0, **{side: text}), side) if text else free  # type: ignore[arg-type]
    return param.replace(**{side: bound, "value": 0.0 if math.isinf(bound) else bound}).moved(
        param.value
    )


def within_shape(model: Model, parameter: str, param: Param) -> Param:
    """The parameter within what its shape allows."""
    for peak in model.peaks:
        own = parameter.removeprefix(f"{peak.name}_")
        if own in shapes.shape(peak.shape).names and own != parameter:
            limit = unbounded(peak)[own]
            low, high = max(param.min, limit.min), min(param.max, limit.max)
            return param.replace(min=low, max=high).moved(param.value)
    return param


def bounded(peak: Peak) -> Peak:
    """With bounds around what it is, within the shape's own limits."""
    peak = peak.edit("center", min=peak.center - peak.fwhm, max=peak.center + peak.fwhm)
    ends = sorted((0.0, 2 * peak.height or 1.0))
    peak = peak.edit("height", min=ends[0], max=ends[1])
    for p in shapes.shape(peak.shape).extra:
        if p.of_width:
            value = peak[p.name].value
            peak = peak.edit(p.name, min=value / 3, max=value * 3)
    return peak


def unbounded(peak: Peak) -> Peak:
    """With the shape's own limits only."""
    fresh = Peak.make(peak.shape, peak.center, peak.height, max(peak.fwhm, 1e-12))
    for name, param in zip(shapes.shape(peak.shape).names, fresh.params, strict=True):
        peak = peak.edit(name, min=param.min, max=param.max)
    return peak


_NUMBER = r"(-?(?:\d+[.,]?\d*|[.,]\d+)(?:e-?\d+)?)"
_RANGE = re.compile(rf"\s*{_NUMBER}\s*(?:-|–|to|\.\.)\s*{_NUMBER}\s*", re.IGNORECASE)


def ranges(text: str) -> tuple[tuple[float, float], ...]:
    """Ranges such as ``510-530, 800-820``, or ``510,5-530,2; 800-820`` with decimal commas.

    Raises
    ------
    ValueError
        Anything else.
    """
    for between in (r"[,;]", r";|,\s"):  # a comma between ranges; else within numbers
        parts = [p for p in re.split(between, text.replace("−", "-")) if p.strip()]
        found = [_RANGE.fullmatch(p) for p in parts]
        if all(found):
            ends = [[float(m[k].replace(",", ".")) for k in (1, 2)] for m in found if m]
            return tuple((min(e), max(e)) for e in ends)
    raise ValueError(text)
