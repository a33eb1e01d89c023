"""Values with standard errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A value with its standard error.

    Attributes
    ----------
    value : float
    stderr : float or None
        None when it could not be estimated, or when the value was fixed.
    """

    value: float
    stderr: float | None = None

    def __str__(self) -> str:
        if self.stderr is None or not 0 < self.stderr < math.inf:
            return f"{self.value:.6g}"
        digits = 1 - math.floor(math.log10(self.stderr))
        if not -6 <= digits <= 9:
            power = max(-300, math.floor(math.log10(max(abs(self.value), self.stderr))))
            value, error = self.value / 10.0**power, self.stderr / 10.0**power
            places = max(0, digits + power)
            if places > 15:
                return f"({value:.15f} ± {error:.2g})e{power:+d}"
            return f"({value:.{places}f} ± {error:.{places}f})e{power:+d}"
        value, error = round(self.value, digits), round(self.stderr, digits)
        places = max(0, digits)
        return f"{value:.{places}f} ± {error:.{places}f}"


def propagated(
    function: Callable[..., float], values: tuple[float, ...], covariance: Array
) -> Estimate:
    """A function of the parameters, its error by first derivatives (central differences)."""
    value = function(*values)
    slopes = []
    for i, v in enumerate(values):
        h = 1e-6 * (abs(v) or 1.0)
        up, down = (function(*values[:i], v + d, *values[i + 1 :]) for d in (h, -h))
        slopes.append((up - down) / (2 * h))
    slope = np.array(slopes)
    moves = slope != 0
    variance = float(slope[moves] @ covariance[np.ix_(moves, moves)] @ slope[moves])
    return Estimate(value, math.sqrt(variance) if variance > 0 else None)


def correlations(covariance: Array) -> Array:
    """Correlations of a covariance, shape (p, p); NaN where not estimated."""
    d = np.sqrt(np.diag(covariance))
    with np.errstate(invalid="ignore", divide="ignore"):
        return covariance / np.outer(d, d)
