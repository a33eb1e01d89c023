"""Smoothing and derivatives, on uniform and on irregular x alike.

Sources
-------
Savitzky and Golay, Anal. Chem. 36 (1964) 1627; Whittaker smoother: Eilers, Anal. Chem. 75 (2003)
3631, here with divided differences so that irregular spacing is taken into account.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.linalg import solveh_banded
from scipy.ndimage import gaussian_filter1d
from scipy.signal import savgol_filter

from spectrogen_app.errors import ProcessingError

Array = NDArray[np.float64]
_FWHM = 2 * np.sqrt(2 * np.log(2))


def savgol(x: Array, y: Array, window: int = 9, order: int = 3, derivative: int = 0) -> Array:
    """Local polynomial (Savitzky-Golay), also its derivative with respect to x.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
    window : int
        Odd number of points; larger is smoother and flattens narrow peaks.
    order : int
        Of the polynomial, less than ``window``; larger keeps peaks sharper.
    derivative : int
        0, 1 or 2.

    Raises
    ------
    ProcessingError
        An even window, one longer than the spectrum, or an order that does not fit it.
    """
    if window % 2 == 0 or order >= window or derivative > order:
        raise ProcessingError(
            f"Expected an odd window longer than the order, found {window} and {order}.",
            hint=f"Try a window of {max(window, order + 1) | 1}.",
            window=window, order=order,
        )  # fmt: skip
    if window > x.size:
        raise ProcessingError(
            f"The window of {window} points is longer than the spectrum of {x.size}.",
            hint="Choose a shorter window.",
            window=window, points=x.size,
        )  # fmt: skip
    if _uniform(x):
        step = (x[-1] - x[0]) / (x.size - 1)
        return savgol_filter(y, window, order, deriv=derivative, delta=step)
    start = np.clip(np.arange(x.size) - window // 2, 0, x.size - window)
    offsets = sliding_window_view(x, window)[start] - x[:, None]
    scale = np.max(np.abs(offsets), axis=1, keepdims=True)
    powers = (offsets / scale)[..., None] ** np.arange(order + 1)
    values = sliding_window_view(y, window)[start]
    coefficient = (np.linalg.pinv(powers) @ values[..., None])[:, derivative, 0]
    return coefficient * max(1, derivative) / scale[:, 0] ** derivative


def gaussian(x: Array, y: Array, fwhm: float = 3.0) -> Array:
    """Weighted mean with a Gaussian of this FWHM, in units of x; edges use what is there."""
    sigma = fwhm / _FWHM
    if _uniform(x):
        in_points = sigma * (x.size - 1) / (x[-1] - x[0])
        return gaussian_filter1d(y, in_points, mode="nearest", truncate=5)
    low, high = np.searchsorted(x, x - 5 * sigma), np.searchsorted(x, x + 5 * sigma, side="right")
    out = np.empty_like(y)
    for i, (a, b) in enumerate(zip(low, high, strict=True)):
        weight = np.exp(-0.5 * ((x[a:b] - x[i]) / sigma) ** 2)
        out[i] = weight @ y[a:b] / weight.sum()
    return out


def whittaker(x: Array, y: Array, lam: float = 10.0) -> Array:
    """Least squares with a penalty on curvature: larger ``lam`` is smoother.

    Raises
    ------
    ProcessingError
        Fewer than three points.
    """
    n = x.size
    if n < 3:
        raise ProcessingError(
            f"Whittaker smoothing needs at least three points, found {n}.",
            hint="Widen the range.",
            points=n,
        )
    h = np.diff(x) / np.mean(np.diff(x))
    first, last = 1 / h[:-1], 1 / h[1:]
    rows = np.array([first, -(first + last), last]) * (2 / (h[:-1] + h[1:]))
    bands = np.zeros((3, n))
    bands[2] = 1.0
    for i in range(3):
        for j in range(i, 3):
            bands[2 - (j - i), j : j + n - 2] += lam * rows[i] * rows[j]
    return solveh_banded(bands, y)


def _uniform(x: Array) -> bool:
    steps = np.diff(x)
    return bool(np.ptp(steps) <= 0.02 * np.mean(steps))
