"""Many spectra of one file: those with impossible numbers left out, the rest made when asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.io.base import Source, SpectrumList
from spectrogen_app.io.sanity import Y_LIMIT

EAGER = 64
"""Up to this number the spectra are made and checked at once; of more a sample is checked."""
_CHUNK = 1 << 20

Part = tuple[Any, Callable[[int], Spectrum]]
"""Ordinates, shape (spectra, points) or a sequence of such rows, and what makes a spectrum."""


def spectra_of(source: Source, parts: Sequence[Part]) -> list[Spectrum] | SpectrumList:
    """The spectra of all parts, in order.

    A row with ordinates that no instrument gives (over ``Y_LIMIT``), or with fewer than two
    numbers, is said and left out, so that no spectrum of the list fails when it is asked for.

    Raises
    ------
    ReadError
        No row is left.
    """
    which: list[tuple[Callable[[int], Spectrum], int]] = []
    total = gaps = 0
    for rows, maker in parts:
        total += len(rows)
        sound, missing = _sound(rows)
        gaps += missing
        which += [(maker, int(i)) for i in np.flatnonzero(sound)]
    if not which:
        raise source.refuse(
            f"holds {total} spectra, none of which has numbers that an instrument gives.",
            "The file is damaged, or of a variant that is not known.",
        )
    if len(which) < total:
        source.warn(f"Spectra with impossible numbers, left out: {total - len(which)} of {total}.")
    if gaps:
        source.warn(f"Points without a finite number, left out: {gaps}.")

    def make(index: int) -> Spectrum:
        maker, row = which[index]
        return maker(row)

    count = len(which)
    return SpectrumList(count, make) if count > EAGER else [make(i) for i in range(count)]


def _sound(rows: Any) -> tuple[NDArray[np.bool_], int]:
    """Which rows can be spectra, and how many points of those are no finite numbers."""
    if not isinstance(rows, np.ndarray):
        found = [_sound(np.asarray(row)[np.newaxis]) for row in rows]
        return np.array([bool(f[0][0]) for f in found], dtype=bool), sum(f[1] for f in found)
    sound = np.empty(len(rows), dtype=bool)
    gaps = 0
    step = max(1, _CHUNK // max(rows[0].size if len(rows) else 1, 1))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        finite = np.isfinite(part)
        with np.errstate(invalid="ignore", over="ignore"):
            low = part.min(axis=1, where=finite, initial=0)
            high = part.max(axis=1, where=finite, initial=0)
        good = (np.count_nonzero(finite, axis=1) >= 2) & (high <= Y_LIMIT) & (low >= -Y_LIMIT)
        sound[start : start + step] = good
        gaps += int(np.count_nonzero(~finite[good]))
    return sound, gaps
