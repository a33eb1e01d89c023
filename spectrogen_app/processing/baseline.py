"""Baselines: each function returns the estimated baseline, the data stay as they are.

The penalised and morphological methods are those of pybaselines (D. Erb, MIT licence); they work
on the index of the points, so ``lam`` and windows count points and a finer sampled spectrum needs
a larger one. Two points have no baseline but the line through them: methods that need more say so.

Sources
-------
asls: Eilers and Boelens, Leiden University Medical Centre report (2005). iasls: He et al., Anal.
Methods 6 (2014) 4402. airpls: Zhang, Chen, Liang, Analyst 135 (2010) 1138. arpls: Baek et al.,
Analyst 140 (2015) 250. snip: Ryan et al., Nucl. Instrum. Methods B 34 (1988) 396, with the
decreasing window of Morhac and Matousek, Appl. Spectrosc. 62 (2008) 91. modpoly: Lieber and
Mahadevan-Jansen, Appl. Spectrosc. 57 (2003) 1363.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline, PchipInterpolator

from spectrogen_app.errors import ProcessingError

Array = NDArray[np.float64]


def asls(x: Array, y: Array, lam: float = 1e6, p: float = 0.01) -> Array:
    """Asymmetric least squares: larger ``lam`` is stiffer, smaller ``p`` lies lower."""
    return _pybaselines("asls", x, y, 4, lam=lam, p=p, max_iter=100)


def iasls(x: Array, y: Array, lam: float = 1e6, p: float = 0.01) -> Array:
    """Improved asymmetric least squares: as ``asls``, also fitting the first derivative."""
    return _pybaselines("iasls", x, y, 4, lam=lam, p=p, max_iter=100)


def airpls(x: Array, y: Array, lam: float = 1e6) -> Array:
    """Adaptive iteratively reweighted penalised least squares: larger ``lam`` is stiffer."""
    return _pybaselines("airpls", x, y, 4, lam=lam, max_iter=100)


def arpls(x: Array, y: Array, lam: float = 1e6) -> Array:
    """Asymmetrically reweighted penalised least squares: larger ``lam`` is stiffer.

    Lies in the middle of the noise, where ``asls`` and ``airpls`` lie at its lower edge.
    """
    return _pybaselines("arpls", x, y, 4, lam=lam, max_iter=100)


def snip(x: Array, y: Array, half_window: int = 40) -> Array:
    """Statistics-sensitive clipping; ``half_window`` in points, no less than half a peak."""
    half_window = min(half_window, (x.size - 1) // 2)
    return _pybaselines("snip", x, y, 3, max_half_window=half_window, decreasing=True)


def modpoly(x: Array, y: Array, order: int = 3) -> Array:
    """Modified polynomial: a polynomial of this order under the peaks."""
    return _pybaselines("modpoly", x, y, order + 2, poly_order=order)


def rubberband(x: Array, y: Array, segments: int = 1) -> Array:
    """Rubber band: the lower convex hull of each of ``segments`` parts of equally many points."""
    knots: list[int] = []
    for part in range(segments):
        first, last = ((x.size - 1) * k // segments for k in (part, part + 1))
        start = len(knots)
        for i in range(first, last + 1):
            while len(knots) - start > 1 and _above(x, y, knots[-2], knots[-1], i):
                knots.pop()
            knots.append(i)
    return np.interp(x, x[knots], y[knots])


def _above(x: Array, y: Array, left: int, middle: int, right: int) -> bool:
    """Whether the middle point lies on or above the line through the others."""
    slope = (y[right] - y[left]) / (x[right] - x[left])
    return bool(y[middle] >= y[left] + slope * (x[middle] - x[left]))


def anchors(
    x: Array,
    y: Array,
    points: Sequence[tuple[float, float]] = (),
    curve: str = "pchip",
    snap: bool = True,
) -> Array:
    """A curve through points set by hand.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
    points : sequence of (x, y)
        At least one; beyond the outermost the curve is level.
    curve : {"pchip", "linear", "spline"}
        ``pchip`` does not overshoot.
    snap : bool
        Take each point's y from the data (median of five points there) instead of ``points``.
    """
    if not points:
        raise ProcessingError(
            "A manual baseline needs at least one anchor, found none.",
            hint="Click on the plot to set anchors.",
        )
    places = sorted({float(px): snap_anchor(x, y, px)[1] if snap else float(py)
                     for px, py in points}.items())  # fmt: skip
    at, level = np.array(places).T
    inside = np.clip(x, at[0], at[-1])
    if curve == "linear" or at.size < 3:
        return np.interp(inside, at, level)
    interpolate = PchipInterpolator if curve == "pchip" else CubicSpline
    return np.asarray(interpolate(at, level)(inside), dtype=np.float64)


def snap_anchor(x: Array, y: Array, at: float) -> tuple[float, float]:
    """Where the data are nearest to ``at``: x, and the median y of it and two on each side."""
    i = int(np.argmin(np.abs(x - at)))
    return float(x[i]), float(np.median(y[max(0, i - 2) : i + 3]))


def _pybaselines(method: str, x: Array, y: Array, least: int, **options: Any) -> Array:
    if x.size < least:
        raise ProcessingError(
            f"The baseline {method} needs at least {least} points, found {x.size}.",
            hint="Widen the range, or set anchors by hand.",
            points=x.size,
        )
    from pybaselines import Baseline
    from pybaselines.utils import ParameterWarning

    scale = float(np.max(np.abs(y))) or 1.0
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", ParameterWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            result = getattr(Baseline(x), method)(y / scale, **options)[0]
        except (ValueError, TypeError, np.linalg.LinAlgError) as error:
            raise ProcessingError(
                f"The baseline {method} could not be computed: {error}.",
                hint="Change its parameters, or choose another method.",
            ) from error
    if not np.all(np.isfinite(result)):
        raise ProcessingError(
            f"The baseline {method} ran out of numbers on these data.",
            hint="Use a smaller stiffness, or another method.",
        )
    return np.asarray(result * scale, dtype=np.float64)
