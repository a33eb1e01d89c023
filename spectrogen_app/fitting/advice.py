"""When a fit is stuck: what is wrong in plain words, and models that would mend it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.fitting import shapes
from spectrogen_app.fitting.estimate import Estimate
from spectrogen_app.fitting.model import Background, Model, Param, Peak

Array = NDArray[np.float64]

CORRELATED = 0.95
"""Correlations above this are pointed out."""
_MERGED = 0.2
LEAST = 3.0
"""A height of fewer standard errors than this is no peak."""
LIMIT_SHAPES = {
    ("voigt", "fwhm_gauss", "min"): "lorentzian",
    ("voigt", "fwhm_lorentz", "min"): "gaussian",
    ("pseudo_voigt", "eta", "min"): "gaussian",
    ("pseudo_voigt", "eta", "max"): "lorentzian",
    ("pearson7", "m", "max"): "gaussian",
}


@dataclass(frozen=True)
class Remedy:
    """Something to try.

    Attributes
    ----------
    label : str
        As on a button.
    model : Model
        What to fit instead.
    """

    label: str
    model: Model


@dataclass(frozen=True)
class Advice:
    """Something wrong with a fit.

    Attributes
    ----------
    kind : str
        ``flat``, ``not_converged``, ``at_bound``, ``no_error``, ``correlated``, ``merged``,
        ``wide``, ``narrow``, ``weak`` or ``outside``.
    message : str
    parameters : tuple of str
        Names of the parameters concerned; the first is the one to look at.
    remedies : tuple of Remedy
    """

    kind: str
    message: str
    parameters: tuple[str, ...] = ()
    remedies: tuple[Remedy, ...] = ()


@dataclass(frozen=True, eq=False)
class Findings:
    """What there is to judge a fit by.

    Attributes
    ----------
    model : Model
        As fitted.
    x, y : ndarray, shape (n,)
        The points that were fitted; x ascending.
    params : mapping of str to Estimate
    free : tuple of str
        Names of the parameters that were varied.
    correlations : ndarray, shape (len(free), len(free))
        NaN where they could not be estimated.
    success : bool
    message : str
    """

    model: Model
    x: Array
    y: Array
    params: Mapping[str, Estimate]
    free: tuple[str, ...]
    correlations: Array
    success: bool
    message: str


def advise(result: Findings) -> tuple[Advice, ...]:
    """Everything wrong with a fit, the gravest first."""
    looks = (_flat, _unfinished, _places, _bounds, _merged, _undetermined, _correlated, _weak)
    return tuple(found for look in looks for found in look(result))


def _flat(result: Findings) -> Iterator[Advice]:
    if np.ptp(result.y) == 0 and result.model.peaks:
        yield Advice("flat", "All values are the same: there is no peak to fit.")


def _unfinished(result: Findings) -> Iterator[Advice]:
    if not result.success:
        yield Advice(
            "not_converged",
            f"The fit did not finish: {result.message}.",
            remedies=(Remedy("Go on from here", result.model), *_weakest(result)),
        )


def _weakest(result: Findings) -> Iterator[Remedy]:
    """Without the peak of least area."""
    if len(result.model.peaks) > 1:
        least = min(result.model.peaks, key=lambda p: abs(p.height) * p.fwhm)
        yield Remedy(f"Remove the weakest peak, {least.name}", result.model.remove(least.name))


def _places(result: Findings) -> Iterator[Advice]:
    x = result.x
    span, spacing = x[-1] - x[0], float(np.median(np.diff(x)))
    for peak in result.model.peaks:
        at = f"{peak.name} at {peak.center:.6g}"
        if not x[0] <= peak.center <= x[-1]:
            yield Advice(
                "outside",
                f"{at} lies outside the fitted range, {x[0]:.6g} to {x[-1]:.6g}.",
                (f"{peak.name}_center",),
                _instead(result, peak),
            )
        elif peak.fwhm > span:
            yield Advice(
                "wide",
                f"{at} is wider ({peak.fwhm:.3g}) than the fitted range ({span:.3g}): it stands in "
                "for a background.",
                (f"{peak.name}_{_first_width(peak)}",),
                _instead(result, peak),
            )
        elif peak.fwhm < spacing:
            yield Advice(
                "narrow",
                f"{at} is narrower ({peak.fwhm:.3g}) than the spacing of the points "
                f"({spacing:.3g}): it fits a single point.",
                (f"{peak.name}_{_first_width(peak)}",),
                (_without(result.model, peak),),
            )


def _instead(result: Findings, peak: Peak) -> tuple[Remedy, ...]:
    """For a peak that stands in for a background."""
    straight = result.model.remove(peak.name)
    if straight.background is not None:
        return (_without(result.model, peak),)
    under = Background.make("linear", result.x, result.y)
    return (
        _without(result.model, peak),
        Remedy("A linear background instead", straight.replace(background=under)),
    )


def _without(model: Model, peak: Peak) -> Remedy:
    return Remedy(f"Remove {peak.name}", model.remove(peak.name))


def _first_width(peak: Peak) -> str:
    return next(p.name for p in shapes.shape(peak.shape).extra if p.of_width)


def bound_reached(param: Param) -> str | None:
    """``min`` or ``max`` when the value of a free parameter lies on that bound."""
    if param.fixed or param.tie or param.min == param.max:
        return None
    return "min" if param.value <= param.min else "max" if param.value >= param.max else None


def _bounds(result: Findings) -> Iterator[Advice]:
    owners = {f"{k.name}_{n}": (k, n) for k in result.model.peaks
              for n in shapes.shape(k.shape).names}  # fmt: skip
    all_simpler, many = _simpler(result.model)
    for name, param in result.model.parameters():
        side = bound_reached(param)
        if side is None:
            continue
        remedies = [Remedy("Fix it there", result.model.edit(name, fixed=True))]
        limit = -math.inf if side == "min" else math.inf
        if name in owners:
            peak, own = owners[name]
            simpler = LIMIT_SHAPES.get((peak.shape, own, side))
            if simpler:
                if many > 1:
                    remedies.insert(0, Remedy(f"Make all {many} such peaks simpler", all_simpler))
                label = f"Make it a {shapes.shape(simpler).label}"
                remedies.insert(0, Remedy(label, result.model.with_peak(peak.with_shape(simpler))))
            if own == "height":
                remedies.insert(0, _without(result.model, peak))
            limit = _limit(peak, own, side)
        bound = param.min if side == "min" else param.max
        if limit != bound:
            wider = bound + math.copysign(abs(bound) or 1.0, limit - bound)
            wider = max(wider, limit) if side == "min" else min(wider, limit)
            remedies.append(Remedy("Widen the bound", result.model.edit(name, **{side: wider})))
        yield Advice(
            "at_bound",
            f"{name} lies on its {'lower' if side == 'min' else 'upper'} bound, {bound:.6g}, so "
            "its error is not known.",
            (name,),
            tuple(remedies),
        )


def _simpler(model: Model) -> tuple[Model, int]:
    """With every peak that lies at the limit of its shape in the simpler shape, and how many."""
    count = 0
    for peak in model.peaks:
        for name, param in zip(shapes.shape(peak.shape).names, peak.params, strict=True):
            simpler = LIMIT_SHAPES.get((peak.shape, name, bound_reached(param) or ""))
            if simpler:
                model = model.with_peak(peak.with_shape(simpler))
                count += 1
                break
    return model, count


def _limit(peak: Peak, own: str, side: str) -> float:
    """The shape's own limit of a parameter."""
    for p in shapes.shape(peak.shape).extra:
        if p.name == own:
            return p.minimum if side == "min" else p.maximum
    return -math.inf if side == "min" else math.inf


def merged_pairs(model: Model) -> Iterator[tuple[Peak, Peak]]:
    """Neighbours of like width that sit on each other."""
    ordered = sorted(model.peaks, key=lambda p: p.center)
    for a, b in itertools.pairwise(ordered):
        narrow, wide = sorted((a.fwhm, b.fwhm))
        if abs(b.center - a.center) < _MERGED * narrow and wide < 2 * narrow:
            yield a, b


def merge(model: Model, a: Peak, b: Peak) -> Model:
    """With two peaks replaced by one of their summed height, at their mean place."""
    area = a.area + b.area
    share = a.area / area if area else 0.5
    one = a.moved(center=share * a.center + (1 - share) * b.center, height=a.height + b.height,
                  fwhm=share * a.fwhm + (1 - share) * b.fwhm)  # fmt: skip
    return model.with_peak(one).remove(b.name)


def following(model: Model, first: str, second: str) -> Model | None:
    """With the second parameter tied to the same one of the first's peak, as the two stand now.

    Centres keep their distance, all else its ratio, so that the model fits spectra of any
    intensity; a parameter fixed where it is would not. None where there is nothing to follow.
    """
    params = dict(model.parameters())
    leader = f"{first.partition('_')[0]}_{second.partition('_')[2]}"
    if leader == second or leader not in params or params[leader].tie or params[leader].fixed:
        return None
    led, leads = params[second].value, params[leader].value
    if second.endswith("_center"):
        return model.edit(second, tie=f"{leader} {led - leads:+.6g}")
    return model.edit(second, tie=f"{led / leads:.6g} * {leader}") if led and leads else None


def _merged(result: Findings) -> Iterator[Advice]:
    for a, b in merged_pairs(result.model):
        yield Advice(
            "merged",
            f"{a.name} and {b.name} sit on each other, at {a.center:.6g} and {b.center:.6g}.",
            (f"{a.name}_center", f"{b.name}_center"),
            (
                Remedy("Merge them into one", merge(result.model, a, b)),
                _without(result.model, b),
            ),
        )


def _undetermined(result: Findings) -> Iterator[Advice]:
    params = dict(result.model.parameters())
    for k, name in enumerate(result.free):
        if math.isfinite(result.correlations[k, k]) or bound_reached(params[name]):
            continue
        remedies = [Remedy("Fix it", result.model.edit(name, fixed=True))]
        owner = name.split("_")[0]
        if any(p.name == owner for p in result.model.peaks):
            remedies.append(Remedy(f"Remove {owner}", result.model.remove(owner)))
        yield Advice(
            "no_error",
            f"The error of {name} could not be estimated: the data do not determine it.",
            (name,),
            tuple(remedies),
        )


def _correlated(result: Findings) -> Iterator[Advice]:
    c = np.nan_to_num(result.correlations)
    i, j = np.nonzero(np.triu(np.abs(c) > CORRELATED, 1))
    peaks = {p.name: p for p in result.model.peaks}
    for a, b in sorted(zip(i, j, strict=True), key=lambda ij: -abs(c[ij])):
        first, second = result.free[a], result.free[b]
        held = following(result.model, first, second)
        remedies = [
            Remedy(f"Tie {second} to {first.partition('_')[0]}", held) if held
            else Remedy(f"Fix {first}", result.model.edit(first, fixed=True)),
            Remedy(f"Fix {second}", result.model.edit(second, fixed=True)),
        ]  # fmt: skip
        one, two = (peaks.get(n.split("_")[0]) for n in (first, second))
        if one and two and one is not two:
            with_width = all("fwhm" in shapes.shape(p.shape).names for p in (one, two))
            if with_width and not (one["fwhm"].tie or two["fwhm"].tie):
                tied = two.edit("fwhm", tie=f"{one.name}_fwhm")
                remedies.insert(0, Remedy("Give both one width", result.model.with_peak(tied)))
            remedies.insert(0, Remedy("Merge them into one", merge(result.model, one, two)))
        yield Advice(
            "correlated",
            f"{first} and {second} cannot be told apart: their correlation is {c[a, b]:.3f}.",
            (first, second),
            tuple(remedies),
        )


def _weak(result: Findings) -> Iterator[Advice]:
    for peak in result.model.peaks:
        height = result.params[f"{peak.name}_height"]
        if height.stderr is not None and abs(height.value) < LEAST * height.stderr:
            yield Advice(
                "weak",
                f"{peak.name} at {peak.center:.6g} does not stand out from the noise: its "
                f"height is {height}.",
                (f"{peak.name}_height",),
                (_without(result.model, peak),),
            )
