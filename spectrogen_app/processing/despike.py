"""Cosmic rays: peaks narrower than any line of the instrument.

After Coca-Lopez, Anal. Chim. Acta 1295 (2024) 342312: a spike is told from a line by its width,
not by its height, so strong sharp lines stay.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

Array = NDArray[np.float64]


def despike(x: Array, y: Array, threshold: float = 10.0, width: float = 3.0) -> Array:
    """Replace narrow spikes by the line between their feet.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
    threshold : float
        Least prominence of a spike, in standard deviations of the noise.
    width : float
        Greatest width of a spike at half its prominence, in points. Real lines as narrow as this
        are taken for spikes.
    """
    step = np.diff(y)
    noise = 1.4826 * np.median(np.abs(step - np.median(step))) / np.sqrt(2)
    least = max(threshold * noise, 1e-9 * float(np.ptp(y)))
    if y.size < 5 or least == 0:
        return y.copy()
    spikes, _ = find_peaks(y, prominence=least, width=(0, width))
    bad = np.zeros(y.size, dtype=bool)
    reach = int(np.ceil(width))
    for spike in spikes:
        for side in (-1, 1):
            i = spike
            for _ in range(reach):
                if not 0 < i < y.size - 1 or y[i + side] > y[i]:
                    break
                bad[i] = True
                i += side
    return np.where(bad, np.interp(x, x[~bad], y[~bad]), y)
