"""What a model answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.provenance import Reference
from spectrogen_app.data.spectrum import Spectrum


@dataclass(frozen=True)
class Line:
    """One line of a generated spectrum.

    Attributes
    ----------
    center, fwhm : float
        In the x unit of the spectrum.
    area : float
        y times x unit.
    mixing : float
        Lorentzian share of the pseudo-Voigt, 0 (Gaussian) .. 1 (Lorentzian).
    """

    center: float
    fwhm: float
    area: float
    mixing: float


class LazyLines(Mapping[str, tuple[Line, ...]]):
    """Line lists by target, each worked out when it is first asked for."""

    def __init__(self, makers: Mapping[str, Callable[[], tuple[Line, ...]]]) -> None:
        self._makers = dict(makers)
        self._made: dict[str, tuple[Line, ...]] = {}

    def __getitem__(self, target: str) -> tuple[Line, ...]:
        if target not in self._made:
            self._made[target] = self._makers[target]()
        return self._made[target]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def __reduce__(self) -> tuple[object, ...]:
        return dict, (dict(self),)


@dataclass(frozen=True)
class GenerationResult(Mapping[str, Spectrum]):
    """Generated spectra by modality name.

    Attributes
    ----------
    spectra : mapping of str to Spectrum
        On the scoring grid of the modality, scaled so that 1 is the highest peak, with band.
    familiarity : float
        0 (like nothing learned) .. 1.
    references : tuple of Reference
        Minerals that carried the answer, heaviest first.
    notes : tuple of str
        What the model had to do without.
    lines : mapping of str to tuple of Line
        Line list per target.
    simultaneous : mapping of str to (lower, upper)
        Bands per target, on the grid, that hold the whole measured spectrum at once in nine of
        ten cases; those of the spectra hold nine of ten points.
    """

    spectra: Mapping[str, Spectrum]
    familiarity: float
    references: tuple[Reference, ...]
    notes: tuple[str, ...]
    lines: Mapping[str, tuple[Line, ...]]
    simultaneous: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = field(
        default_factory=dict
    )

    def __getitem__(self, target: str) -> Spectrum:
        return self.spectra[target]

    def __iter__(self) -> Iterator[str]:
        return iter(self.spectra)

    def __len__(self) -> int:
        return len(self.spectra)
