"""Scaling of intensities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.errors import ProcessingError

Array = NDArray[np.float64]


def scale_of(x: Array, y: Array, method: str = "max") -> tuple[float, float]:
    """Offset and scale, so that ``(y - offset) / scale`` is normalised.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
    method : {"max", "minmax", "area", "vector", "snv"}
        Highest point 1; lowest 0 and highest 1; area 1; sum of squares 1; mean 0 and standard
        deviation 1 (standard normal variate).

    Raises
    ------
    ProcessingError
        The scale would be zero or negative, as for constant data.
    """
    offset = {"minmax": np.min(y), "snv": np.mean(y)}.get(method, 0.0)
    scale = {
        "max": lambda: np.max(y),
        "minmax": lambda: np.ptp(y),
        "area": lambda: np.trapezoid(y, x),
        "vector": lambda: np.linalg.norm(y),
        "snv": lambda: np.std(y),
    }[method]()
    if not scale > 1e-300:
        raise ProcessingError(
            f"These data cannot be normalised by {method}: the scale would be {scale:g}.",
            hint="Subtract the baseline first, or choose another method.",
            method=method,
        )
    return float(offset), float(scale)
