"""The mean of spectra."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from spectrogen_app.data.provenance import Origin, Provenance
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import SpectrumError


def mean(spectra: Iterable[Spectrum]) -> Spectrum:
    """The mean of spectra, on the axis of the first, over the range that all share.

    Parameters
    ----------
    spectra : iterable of Spectrum
        Only one at a time is held, so a generator may give many.

    Raises
    ------
    SpectrumError
        None given, spectra of different kinds, or without a shared range.
    AxisError
        Axes that cannot be mixed.
    """
    first: Spectrum | None = None
    count = 0
    for spectrum in spectra:
        if first is None:
            first, total = spectrum, np.zeros(len(spectrum))
            low, high = float(spectrum.x[0]), float(spectrum.x[-1])
        if (spectrum.modality, spectrum.y_unit) != (first.modality, first.y_unit):
            raise SpectrumError(
                f"{first.name} and {spectrum.name} have no mean: they are {first.modality} in "
                f"{first.y_unit} and {spectrum.modality} in {spectrum.y_unit}.",
                hint="Choose spectra of one kind.",
            )
        spectrum.comparable_with(first)
        low, high = max(low, float(spectrum.x[0])), min(high, float(spectrum.x[-1]))
        same = len(spectrum) == len(first) and np.array_equal(spectrum.x, first.x)
        total += spectrum.y if same else np.interp(first.x, spectrum.x, spectrum.y)
        count += 1
    if first is None:
        raise SpectrumError("There is nothing to average.", hint="Choose at least one spectrum.")
    shared = (first.x >= low) & (first.x <= high)
    if np.count_nonzero(shared) < 2:
        raise SpectrumError("The spectra share no range.", hint="Choose others.")
    return first.replace(
        x=first.x[shared], y=(total / count)[shared], lower=None, upper=None,
        origin=Origin.PROCESSED, metadata={}, provenance=Provenance(),
    )  # fmt: skip
