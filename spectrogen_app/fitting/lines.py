"""Bridges: line lists as start models, and the lines of two models matched in one table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from scipy.optimize import linear_sum_assignment

from spectrogen_app.fitting import shapes
from spectrogen_app.fitting.model import Model, Peak


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


@dataclass(frozen=True)
class Match:
    """A row of the table.

    Attributes
    ----------
    first, second : Peak or None
        None: the other has no counterpart.
    """

    first: Peak | None
    second: Peak | None

    @property
    def shift(self) -> float | None:
        """Second less first centre, in units of x."""
        if self.first is None or self.second is None:
            return None
        return self.second.center - self.first.center

    @property
    def height_ratio(self) -> float | None:
        """Second over first height."""
        if self.first is None or self.second is None or not self.first.height:
            return None
        return self.second.height / self.first.height


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
    rows = [Match(p, q) for p, q in matched]
    rows += [Match(p, None) for p in a if p.name not in alone_a]
    rows += [Match(None, q) for q in b if q.name not in alone_b]
    return tuple(sorted(rows, key=lambda r: (r.first or r.second).center))  # type: ignore[union-attr]
