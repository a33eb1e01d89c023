"""Broad backgrounds that the training spectra do not have: fluorescence, amorphous humps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, minimum_filter1d

from spectrogen_app.processing.scoring import Grid

FloatArray = NDArray[np.float64]

DEFAULTS: Mapping[str, tuple[float, float]] = {"xrd": (3.0, 0.15), "raman": (150.0, 0.06)}
"""Window in x units, and the mean background above which it is removed; infrared bands are as
broad as backgrounds, so there none is. Of the RRUFF spectra, which come without background, 1 to
2 % lie above."""


def without_background(
    y: FloatArray,
    mask: NDArray[np.bool_],
    grid: Grid,
    rules: Mapping[str, Sequence[float]],
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Remove a broad background where there clearly is one.

    The background is the morphological opening of the spectrum, smoothed.

    Parameters
    ----------
    y, mask : ndarray, shape (batch, size)
        Normalised, 0 where not measured.
    rules : mapping of str to (window, threshold)
        As :data:`DEFAULTS`; a modality that is not there is left alone.

    Returns
    -------
    y : ndarray, shape (batch, size)
        Scaled again so that 1 is the highest point.
    removed : ndarray of bool, shape (batch,)
    """
    removed = np.zeros(len(y), bool)
    if grid.modality not in rules:
        return y, removed
    window, threshold = rules[grid.modality]
    points = max(3, round(window / grid.step))
    out = y
    for i, (row, seen) in enumerate(zip(y, mask, strict=True)):
        part = row[seen]
        if part.size < 3:
            continue
        low = minimum_filter1d(gaussian_filter1d(part, 3), points)
        opening = maximum_filter1d(low, points)
        if opening.mean() > threshold:
            base = gaussian_filter1d(opening, points / 3)
            rest = np.clip(part - base, 0, None)
            if out is y:
                out = y.copy()
            out[i, seen] = rest / (rest.max() or 1.0)
            removed[i] = True
    return out, removed
