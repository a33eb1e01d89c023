"""Finding peaks: over the noise, and no more of them than the data justify.

Candidates are maxima of the smoothed spectrum, then of the residual, by matched filters of several
widths. A peak stays when it lowers the Bayesian information criterion (Schwarz, Ann. Stat. 6 (1978)
461). Two things keep that criterion honest on real data: instruments and exports interpolate, so
neighbouring points are not independent and count as fewer; and no line is exactly of its shape, so
a misfit of about a percent of the intensity counts as noise.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks, peak_widths

from spectrogen_app.errors import Cancelled, Check, FitError, unchecked
from spectrogen_app.fitting import engine, shapes
from spectrogen_app.fitting.advice import (
    CORRELATED,
    LEAST,
    LIMIT_SHAPES,
    bound_reached,
    following,
    merge,
    merged_pairs,
)
from spectrogen_app.fitting.model import Background, Model, Peak

Array = NDArray[np.float64]

_FWHM = 2 * math.sqrt(2 * math.log(2))
_MISFIT = 0.01
_PRECISION = 1e-3
_THRESHOLD = 5.0
_ROUNDS = 5
_TOGETHER = 2
"""Evaluations of everything after a neighbourhood was fitted alone."""
_MOST = 100


@dataclass(frozen=True)
class Noise:
    """The noise of a spectrum.

    Attributes
    ----------
    sigma : float
        Standard deviation, in units of y.
    reach : int
        Points over which it is correlated; 1 for white noise.
    """

    sigma: float
    reach: int


def noise(y: Array) -> Noise:
    """Noise from second differences in the quieter parts of a spectrum.

    Interpolated noise is smooth from point to point, so the distance of the differences grows until
    they no longer do; a distance that the narrowest lines do not allow is not tried.

    Parameters
    ----------
    y : ndarray, shape (n,)
        At roughly even x.
    """
    found: list[float] = []
    longest = max(1.0, _narrowest(y) / 4)
    for lag in (1, 2, 4, 8):
        if y.size <= 4 * lag or (found and lag > 2 * longest):
            break
        second = y[: -2 * lag] - 2 * y[lag:-lag] + y[2 * lag :]
        size = max(24, second.size // 40)
        blocks = [second[i : i + size] for i in range(0, second.size - size // 2, size)]
        scatter = [float(np.median(np.abs(b - np.median(b)))) for b in blocks]
        lively = [v for v in scatter if v > 0] or [0.0]
        found.append(1.1 * 1.4826 * float(np.percentile(lively, 35)) / math.sqrt(6))
    for k, (near, far) in enumerate(itertools.pairwise(found)):
        if far <= 1.5 * near or k == 2:
            return Noise(near, int(min(2**k, longest)))
    return Noise(found[-1] if found else 0.0, int(min(2 ** max(len(found) - 1, 0), longest)))


def _narrowest(y: Array) -> float:
    """Width in points of the narrow ones among the strong maxima."""
    at, _ = find_peaks(y, prominence=0.2 * float(np.ptp(y)) or None)
    return float(np.percentile(peak_widths(y, at, 0.5)[0], 20)) if at.size else math.inf


def candidates(x: Array, y: Array, sigma: float, reach: int = 1) -> list[tuple[float, ...]]:
    """Maxima over the noise, as (center, height, fwhm), the most prominent first.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
    sigma : float
        Noise of y.
    reach : int
        Points over which it is correlated.
    """
    width = 1.5 * reach
    smooth = gaussian_filter1d(y, width / _FWHM * 2, mode="nearest")
    least = max(4 * sigma / math.sqrt(1.5), 0.004 * float(np.ptp(smooth)), 1e-300)
    at, properties = find_peaks(smooth, prominence=least)
    if not at.size:
        return []
    spans = peak_widths(smooth, at, rel_height=0.5)[0]
    spacing = np.gradient(x)
    order = np.argsort(-properties["prominences"])
    return [
        (float(x[i]), float(smooth[i]), float(max(w, 2.0) * spacing[i]))
        for i, w in zip(at[order], spans[order], strict=True)
    ]


def peak_at(
    x: Array, y: Array, center: float, shape: str = "pseudo_voigt", fwhm: float | None = None
) -> Peak:
    """A start for a peak where the user clicked: height and width read off the data.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        What is not fitted yet: data, or data less the other peaks.
    center : float
    shape : str
    fwhm : float, optional
        When dragged out.
    """
    i = int(np.argmin(np.abs(x - center)))
    height = float(np.median(y[max(0, i - 1) : i + 2]))
    if fwhm is None:
        below = y < height / 2 if height > 0 else y > height / 2
        left = np.flatnonzero(below[: i + 1])
        right = np.flatnonzero(below[i:])
        reach = [x[i] - x[left[-1]]] if left.size else []
        reach += [x[i + right[0]] - x[i]] if right.size else []
        spacing = (x[-1] - x[0]) / (x.size - 1)
        fwhm = max(2 * float(min(reach, default=10 * spacing)), 2 * spacing)
    return Peak.make(shape, center, height, fwhm)


def add_at_residual(x: Array, y: Array, model: Model, shape: str | None = None) -> Model:
    """With one peak more, where the smoothed residual is largest, bounded so that it stays there.

    Raises
    ------
    FitError
        The residual has no maximum.
    """
    rest = y - model.evaluate(x)
    found = noise(rest)
    places = candidates(x, rest, 0.0, found.reach)
    if not places:
        raise FitError("The residual has no maximum.", hint="The model may be complete.")
    widths = [p.fwhm for p in model.peaks]
    best = max(places, key=lambda p: p[1] * math.sqrt(p[2]))
    kind = shape or (model.peaks[-1].shape if model.peaks else "pseudo_voigt")
    usual = float(np.median(widths)) if widths else best[2]
    peak = Peak.make(kind, best[0], best[1], min(best[2], 4 * usual)).kept_near()
    return model.add(
        dataclasses.replace(peak, partner=bool(model.peaks and model.peaks[-1].partner))
    )


def find_model(
    x: Array, y: Array, *, shape: str | None = None, background: str | None = None,
    sigma: Array | None = None, partner: bool = False, start: Model | None = None,
    check: Check = unchecked,
) -> Model:  # fmt: skip
    """Find peaks, and as many as the data justify.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
    shape : str, optional
        Default: pseudo-Voigt, and Gaussian or Lorentzian where the mixing is at its limit. A peak
        that reaches the limit of the given shape becomes the simpler shape too.
    background : str, optional
        None: none, or a linear one where the data do not come down to zero.
    sigma : ndarray, shape (n,), optional
        Standard deviations of y; default: estimated, the same everywhere.
    partner : bool
        Each line has its Cu K-alpha2 line; x is 2theta in degrees.
    start : Model, optional
        Of these peaks as many as the data justify, and no others.
    check : callable(fraction, message)
        On Cancelled the best so far is returned.

    Raises
    ------
    FitError
        No peak rises above the noise.
    """
    if np.ptp(y) == 0:
        raise FitError(
            "No peak rises above the noise: all values are the same.",
            hint="Check that the right column was read.",
        )
    search = _Search(x, y, shape or "pseudo_voigt", background, sigma=sigma, partner=partner,
                     check=check)  # fmt: skip
    try:
        search.run(start)
    except Cancelled:
        if not search.model.peaks:
            raise
    return search.model


def weakest(found: list[tuple[float, Peak]], most: int) -> list[str]:
    """Names of at most so many peaks, those of least strength.

    Of two that lie on each other, each looks weak because of the other: one stays.
    """
    gone: list[Peak] = []
    for _, peak in sorted(found, key=lambda f: f[0])[:most]:
        if all(abs(peak.center - p.center) > (peak.fwhm + p.fwhm) / 2 for p in gone):
            gone.append(peak)
    return [peak.name for peak in gone]


class _Search:
    def __init__(
        self, x: Array, y: Array, shape: str, background: str | None, *,
        sigma: Array | None, partner: bool, check: Check,
    ) -> None:  # fmt: skip
        shapes.shape(shape)
        self.shape, self.partner, self.check = shape, partner, check
        found = noise(y)
        floor = _PRECISION * float(np.ptp(y))
        self.given = sigma is not None
        self.all = x, y, np.full(x.size, max(found.sigma, floor)) if sigma is None else sigma
        self.all_reach = found.reach
        self.span = float(x[-1] - x[0])
        self.searching = True
        self.take(min(found.reach, max(1, x.size // 300)))
        low = float(np.percentile(self.y, 5))
        if background is None and low > max(
            2 * float(np.median(self.sigma)), 0.01 * float(np.ptp(y))
        ):
            background = "linear"
        under = Background.make(background, self.x, self.y) if background else None
        self.model = Model((), under)
        self.solution: engine.Solution | None = None
        self.problem: engine.Problem | None = None

    def run(self, start: Model | None) -> None:
        if start is None:
            self.look()
        else:
            self.fit(start)
            self.prune()
        self.searching = False
        self.fit(self.released(self.model))
        self.tidy(12)
        self.take(1)
        self.fit(self.model)
        self.tidy(4)

    def look(self) -> None:
        """Begin with the maxima of the data, and add where the residual stands out."""
        rest = self.y - self.model.under(self.x)
        sigma = float(np.median(self.sigma))
        places = candidates(self.x, rest, sigma, self.reach)[:_MOST]
        if not places:
            raise FitError(
                "No peak rises above the noise.",
                hint="Smooth the spectrum, choose a range, or add peaks by hand.",
                noise=sigma,
            )
        self.fit(self.model.add(*(self.peak(*p) for p in places)))
        for round_ in range(_ROUNDS):
            self.check(0.2 + 0.1 * round_, f"{len(self.model.peaks)} peaks")
            if len(self.model.peaks) >= _MOST or not self.grow():
                break

    def take(self, step: int) -> None:
        """Work on means of so many points."""
        n = self.all[0].size // step * step
        self.x, self.y, self.sigma = (a[:n].reshape(-1, step).mean(axis=1) for a in self.all)
        self.reach = max(1, self.all_reach // step)
        self.spacing = float(np.median(np.diff(self.x)))
        self.weights = 1 / np.sqrt(self.sigma**2 + (_MISFIT * np.maximum(self.y, 0)) ** 2)
        self.final: Array | None = 1 / self.sigma if self.given else None

    def tidy(self, rounds: int) -> None:
        for round_ in range(rounds):
            self.check(0.8, f"{len(self.model.peaks)} peaks")
            if not self.clean(last=round_ >= rounds // 2):
                break

    def released(self, model: Model) -> Model:
        ends = {"min": self.x[0], "max": self.x[-1]}
        return model.replace(peaks=tuple(p.edit("center", **ends) for p in model.peaks))

    def peak(self, center: float, height: float, fwhm: float) -> Peak:
        fwhm = min(max(fwhm, 2 * self.spacing), self.span / 4)
        peak = Peak.make(self.shape, center, max(height, 0.0), fwhm, partner=self.partner)
        peak = peak.edit("height", min=0.0)
        reach = 1.0 * fwhm
        peak = peak.edit(
            "center", min=max(center - reach, self.x[0]), max=min(center + reach, self.x[-1])
        )
        for p in shapes.shape(self.shape).extra:
            if p.of_width == 1.0:
                peak = peak.edit(p.name, min=self.spacing, max=self.span)
        return peak

    def fit(self, model: Model, evaluations: int = 12) -> None:
        """Fit; where few peaks are new, gone or changed, their neighbourhood alone first."""
        before, now = ({p.name: p for p in m.peaks} for m in (self.model, model))
        changed = [p for k, p in (before | now).items() if before.get(k) != now.get(k)]
        close = {
            k for k, p in now.items()
            if any(abs(p.center - q.center) < p.fwhm + q.fwhm for q in changed)
        }  # fmt: skip
        window = np.zeros(self.x.size, dtype=bool)
        for p in (*changed, *(now[k] for k in close)):
            ends = p.center - 2 * p.fwhm, p.center + 2 * p.fwhm
            window[slice(*np.searchsorted(self.x, ends))] = True
        size = np.count_nonzero(window)
        if changed and 8 * len(close) + 8 <= size < 0.7 * self.x.size:
            if close:
                here = self.tried_near(model, close, window, evaluations)[2]
                model = model.with_values({n: p.value for n, p in here.parameters()})
            evaluations = _TOGETHER
        self.problem, self.solution, self.model = self.tried(model, evaluations)

    def tried_near(
        self, model: Model, close: set[str], window: NDArray[np.bool_] | slice, evaluations: int
    ) -> tuple[engine.Problem, engine.Solution, Model]:
        """These peaks alone, on what the others leave of the data in the window."""
        rest = self.y[window] - model.remove(*close).evaluate(self.x[window])
        here = Model(tuple(p for p in model.peaks if p.name in close))
        here = here.remove()  # ties to peaks that are not here become free
        return self.tried(here, evaluations, (window, rest))

    def tried(
        self, model: Model, evaluations: int,
        data: tuple[NDArray[np.bool_] | slice, Array] | None = None,
    ) -> tuple[engine.Problem, engine.Solution, Model]:  # fmt: skip
        window, y = data or (slice(None), self.y)
        weights = self.weights if self.searching else self.final
        weights = None if weights is None else weights[window]
        problem = engine.Problem(model, self.x[window], y, weights)
        solution = engine.solve(problem, tolerance=1e-2, max_evaluations=evaluations)
        values = problem.full(solution.free).tolist()
        return problem, solution, model.with_values(dict(zip(problem.names, values, strict=True)))

    @property
    def bic(self) -> float:
        assert self.solution is not None
        return self.criterion(self.solution)

    def criterion(self, solution: engine.Solution, window: slice = slice(None)) -> float:
        """Schwarz's criterion with correlated noise and a misfit of a percent allowed for."""
        cost = solution.cost
        if not self.searching:
            rest = solution.residual
            rest = rest if self.final is None else rest / self.final[window]
            cost = float(np.sum((rest * self.weights[window]) ** 2))
        independent = self.x.size / self.reach
        return cost / self.reach + math.log(independent) * solution.free.size

    def grow(self) -> bool:
        """Add peaks where the residual stands out; keep them if the criterion says so."""
        before, model, solution, problem = self.bic, self.model, self.solution, self.problem
        assert solution is not None
        fresh = self.stand_out(-solution.residual)
        if not fresh:
            return False
        self.fit(model.add(*fresh))
        self.prune()
        if self.bic < before - 2:
            return True
        self.model, self.solution, self.problem = model, solution, problem
        return False

    def stand_out(self, rest: Array) -> list[Peak]:
        widths = [p.fwhm for p in self.model.peaks]
        usual = float(np.median(widths)) if widths else 10 * self.spacing
        hits: list[tuple[float, float, float, float]] = []
        for scale in (0.5, 1.0, 2.0, 5.0):
            fwhm = min(max(scale * usual, 3 * self.spacing), self.span / 4)
            s = fwhm / _FWHM / self.spacing
            kernel_norm = math.sqrt(2 * math.sqrt(math.pi) * s)
            score = gaussian_filter1d(rest, s, mode="nearest") * kernel_norm / math.sqrt(self.reach)
            at, properties = find_peaks(score, height=_THRESHOLD, prominence=_THRESHOLD / 2)
            for i, high in zip(at, properties["peak_heights"], strict=True):
                height = high * math.sqrt(self.reach) / kernel_norm * math.sqrt(2) / self.weights[i]
                hits.append((float(high), float(self.x[i]), float(height), fwhm))
        taken: list[tuple[float, float]] = []
        fresh = []
        for _, center, height, fwhm in sorted(hits, reverse=True):
            if all(abs(center - c) > 0.7 * (fwhm + w) for c, w in taken):
                taken.append((center, fwhm))
                fresh.append(self.peak(center, height, fwhm))
            if len(fresh) + len(self.model.peaks) >= _MOST or len(fresh) >= 8:
                break
        return fresh

    def prune(self) -> None:
        """Drop peaks that do not earn their parameters."""
        while True:
            assert self.solution is not None
            assert self.problem is not None
            cost = math.log(self.x.size / self.reach)
            errors = engine.covariance(self.solution, self.problem, scaled=False)
            where = {n: i for i, n in enumerate(self.problem.free_names)}
            weak = []
            for peak in self.model.peaks:
                i = where[f"{peak.name}_height"]
                free = sum(f"{peak.name}_{n}" in where for n in shapes.shape(peak.shape).names)
                variance = errors[i, i] * self.reach
                gain = peak.height**2 / variance if variance > 0 else 0.0
                if gain < cost * free:
                    weak.append((gain, peak))
            most = min(max(1, len(weak) // 2), len(self.model.peaks) - 1)
            gone = weakest(weak, most)
            if not gone:
                return
            self.fit(self.model.remove(*gone), 10)

    def clean(self, *, last: bool) -> bool:
        """Mend what advice would point out; whether anything was changed."""
        model = self.model
        for peak in model.peaks:
            for name, param in zip(shapes.shape(peak.shape).names, peak.params, strict=True):
                side = bound_reached(param)
                if side is None:
                    continue
                simpler = LIMIT_SHAPES.get((peak.shape, name, side))
                if simpler:
                    model = model.with_peak(self.simplified(peak, simpler))
                elif name == "center":
                    model = model.edit(f"{peak.name}_center", fixed=True)
                elif len(model.peaks) > 1:
                    model = model.remove(peak.name)
                break
        if model is not self.model:
            self.fit(model)
            return True
        weak = self.weak(model)
        if weak:
            self.fit(model.remove(*weak))
            return True
        seen: set[str] = set()
        for pair in self.tangled(self.problem, self.solution, model):
            owners = {n.split("_")[0] for n in pair}
            if seen & owners:
                continue
            seen |= owners
            options = list(self.ways(model, *pair))
            if last or not options:
                held = following(model, *pair) or following(model, *pair[::-1])
                options.append(held or model.edit(pair[1], fixed=True))
            model = options[self.best(options, owners)]
        if model is self.model:
            return False
        self.fit(model, 12)
        return True

    def weak(self, model: Model) -> list[str]:
        """Peaks that do not stand out, the weaker half of them, at least one peak kept."""
        assert self.solution is not None
        assert self.problem is not None
        covariance = engine.covariance(self.solution, self.problem)
        where = {n: i for i, n in enumerate(self.problem.free_names)}
        found = []
        for peak in model.peaks:
            i = where.get(f"{peak.name}_height")
            variance = math.nan if i is None else covariance[i, i]
            if variance > 0 and peak.height < 1.1 * LEAST * math.sqrt(variance):
                found.append((peak.height / math.sqrt(variance), peak))
        most = min((len(found) + 1) // 2, len(model.peaks) - 1)
        return weakest(found, most)

    def best(self, options: list[Model], owners: set[str]) -> int:
        """Which option serves best, each fitted with its neighbourhood alone."""
        if len(options) == 1:
            return 0
        concerned = [p for p in self.model.peaks if p.name in owners]
        low = min((p.center - 3 * p.fwhm for p in concerned), default=-math.inf)
        high = max((p.center + 3 * p.fwhm for p in concerned), default=math.inf)
        close = {p.name for p in self.model.peaks if low <= p.center <= high}
        window = slice(*np.searchsorted(self.x, (low, high)))
        if window.stop - window.start < 8 * len(close) + 8:
            close, window = {p.name for p in self.model.peaks}, slice(None)
        found = []
        for option in options:
            task = self.tried_near(option, close, window, 6)
            found.append(self.criterion(task[1], window) + 20 * len(self.tangled(*task)))
        return int(np.argmin(found))

    def simplified(self, peak: Peak, shape: str) -> Peak:
        simple = peak.with_shape(shape)
        return simple.edit("fwhm", min=self.spacing, max=self.span).moved(fwhm=peak.fwhm)

    def tangled(
        self, problem: engine.Problem | None, solution: engine.Solution | None, model: Model
    ) -> list[tuple[str, str]]:
        """Pairs of parameters that cannot be told apart, the worst first."""
        assert solution is not None
        assert problem is not None
        covariance = engine.covariance(solution, problem)
        d = np.sqrt(np.diag(covariance))
        names = problem.free_names
        params = dict(model.parameters())
        lost = [names[k] for k in np.flatnonzero(~np.isfinite(d))]
        pairs = [(n, n) for n in lost if not bound_reached(params[n])]
        pairs += [(f"{a.name}_center", f"{b.name}_center") for a, b in merged_pairs(model)]
        with np.errstate(invalid="ignore", divide="ignore"):
            c = np.abs(np.nan_to_num(covariance / np.outer(d, d)))
        i, j = np.nonzero(np.triu(c > CORRELATED - 0.01, 1))
        worst = np.argsort(-c[i, j])
        return pairs + [(names[i[k]], names[j[k]]) for k in worst]

    def ways(self, model: Model, first: str, second: str) -> Iterator[Model]:
        """Simpler models in which two parameters may be told apart."""
        peaks = {p.name: p for p in model.peaks}
        one, two = (peaks.get(n.split("_")[0]) for n in (first, second))
        concerned = {p.name: p for p in (one, two) if p is not None}
        for peak in concerned.values():
            if "eta" in shapes.shape(peak.shape).names or peak.shape in ("voigt", "pearson7"):
                for simple in ("lorentzian", "gaussian"):
                    yield model.with_peak(self.simplified(peak, simple))
        if one is None or two is None or one is two:
            if len(peaks) > 1 and concerned:
                yield model.remove(*concerned)
            return
        weak, strong = sorted((one, two), key=lambda p: p.area)
        if all("fwhm" in shapes.shape(p.shape).names for p in (one, two)):
            tied = weak.edit("fwhm", tie=f"{strong.name}_fwhm")
            if not (strong["fwhm"].tie or weak["fwhm"].tie):
                yield model.with_peak(tied)
        yield merge(model, one, two)
        yield model.remove(weak.name)
