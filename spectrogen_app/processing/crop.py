"""The part of a spectrum between two x."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.errors import ProcessingError


def inside(
    x: NDArray[np.float64], low: float | None = None, high: float | None = None
) -> NDArray[np.bool_]:
    """Which points lie in ``low``..``high``; None leaves that end open.

    Raises
    ------
    ProcessingError
        Fewer than two points are left.
    """
    ends = sorted((-np.inf if low is None else low, np.inf if high is None else high))
    keep = (x >= ends[0]) & (x <= ends[1])
    if np.count_nonzero(keep) < 2:
        raise ProcessingError(
            f"Fewer than two points lie between {ends[0]:g} and {ends[1]:g}.",
            hint=f"The spectrum goes from {x[0]:g} to {x[-1]:g}.",
            low=low, high=high,
        )  # fmt: skip
    return keep
