"""Bridges: line lists as start models, and the lines of two models matched in one table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment, nnls

from spectrogen_app.fitting import shapes
from spectrogen_app.fitting.guess import candidates, noise
from spectrogen_app.fitting.model import Background, Model, Peak

Array = NDArray[np.float64]

_APART = 0.5
"""Neighbours nearer than this share of their mean width are one line."""
_LEAST, _SHARE = 4.0, 0.005
"""The lowest line, in standard deviations of the noise and as a share of the highest."""


class LineLike(Protocol):
    """A line of a list, such as the generator's."""

    @property
    def center(self) -> float: ...
    @property
    def fwhm(self) -> float: ...
    @property
    def area(self) -> float: ...
    @property
    def mixing(self) -> float: ...


def from_lines(lines: Iterable[LineLike], scale: float = 1.0) -> Model:
    """A start model of pseudo-Voigts from a line list.

    Parameters
    ----------
    lines : iterable of lines
        With ``center``, ``fwhm``, ``area`` and ``mixing`` (0 Gaussian .. 1 Lorentzian).
    scale : float
        Multiplies the heights, to bring a normalised list to measured intensities.
    """
    peaks = []
    for line in lines:
        unit = shapes.shape("pseudo_voigt").area(line.center, 1.0, line.fwhm, line.mixing)
        peaks.append(Peak.make("pseudo_voigt", line.center, scale * line.area / unit, line.fwhm,
                               eta=line.mixing))  # fmt: skip
    return Model(tuple(peaks))


def start_from(lines: Model, x: Array, y: Array) -> Model:
    """The lines of a list that a measured spectrum shows, as a start for its fit.

    A line goes to the maximum of the data within its width and takes that one's width; without a
    maximum it may be a shoulder. Heights are those that together describe the data best, none of
    them negative (Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23). Left out
    are lines lower than the noise, and those so near to a stronger one that no fit could tell them
    apart. A linear background is added where the data do not come down to zero.

    Parameters
    ----------
    lines : Model
        Of any height.
    x, y : ndarray, shape (n,)
        x ascending.

    Returns
    -------
    Model
        Without peaks when the data show none of the lines.
    """
    found = noise(y)
    low = float(np.percentile(y, 5))
    far = low > max(2 * found.sigma, 0.01 * float(np.ptp(y)))
    under = Background.make("linear", x, y) if far else None
    rest = y - under.evaluate(x) if under is not None else y
    maxima = candidates(x, rest, found.sigma, found.reach)
    inside = [p for p in lines.peaks if x[0] <= p.center <= x[-1]]
    taken: list[Peak] = []
    for line in sorted(inside, key=lambda p: -p.height):
        near = [m for m in maxima if abs(m[0] - line.center) <= max(line.fwhm, m[2])]
        peak = line
        if near:
            best = min(near, key=lambda m: abs(m[0] - line.center))
            maxima.remove(best)
            peak = line.moved(center=best[0], height=best[1], fwhm=best[2])
        if all(abs(peak.center - p.center) > _APART * (peak.fwhm + p.fwhm) / 2 for p in taken):
            taken.append(peak)
    least = max(_LEAST * found.sigma, _SHARE * float(rest.max()))
    while taken:
        columns = [p.moved(height=1.0).evaluate(x) for p in taken]
        sides = [] if under is None else [s * p for p in under.powers(x) for s in (1.0, -1.0)]
        heights = nnls(np.array([*columns, *sides]).T, y)[0][: len(taken)]
        kept = [p.moved(height=h) for p, h in zip(taken, heights, strict=True) if h >= least]
        if len(kept) == len(taken):
            taken = kept
            break
        taken = kept
    return Model(tuple(_bounded(p, x) for p in taken), under).in_order()


def _bounded(peak: Peak, x: Array) -> Peak:
    """Kept near its place."""
    inside = peak.edit("height", min=0.0).edit("center", min=float(x[0]), max=float(x[-1]))
    return inside.near(peak.fwhm)


@dataclass(frozen=True)
class Match:
    """A row of the table.

    Attributes
    ----------
    first, second : Peak or None
        None: the other has no counterpart.
    scale : float
        Height of the strongest line of the first model over that of the second.
    """

    first: Peak | None
    second: Peak | None
    scale: float = 1.0

    @property
    def shift(self) -> float | None:
        """Second less first centre, in units of x."""
        if self.first is None or self.second is None:
            return None
        return self.second.center - self.first.center

    @property
    def height_ratio(self) -> float | None:
        """Second over first height, each relative to the strongest line of its model."""
        if self.first is None or self.second is None or not self.first.height:
            return None
        return self.scale * self.second.height / self.first.height


def match_lines(first: Model, second: Model, within: float) -> tuple[Match, ...]:
    """Match the lines of two models one to one, so that the sum of the shifts is least.

    Parameters
    ----------
    first, second : Model
    within : float
        Largest shift of a pair, in units of x.

    Returns
    -------
    tuple of Match
        Every line of both, by position.
    """
    a, b = list(first.peaks), list(second.peaks)
    far = 1e6 * within
    cost = [[abs(p.center - q.center) if abs(p.center - q.center) <= within else far for q in b]
            for p in a]  # fmt: skip
    pairs = zip(*linear_sum_assignment(cost), strict=True) if a and b else ()
    matched = [(a[i], b[j]) for i, j in pairs if cost[i][j] <= within]
    alone_a = {p.name for p, _ in matched}
    alone_b = {q.name for _, q in matched}
    tallest = [max((abs(p.height) for p in m), default=0.0) for m in (a, b)]
    scale = tallest[0] / tallest[1] if all(tallest) else 1.0
    rows = [Match(p, q, scale) for p, q in matched]
    rows += [Match(p, None) for p in a if p.name not in alone_a]
    rows += [Match(None, q) for q in b if q.name not in alone_b]
    return tuple(sorted(rows, key=lambda r: (r.first or r.second).center))  # type: ignore[union-attr]
