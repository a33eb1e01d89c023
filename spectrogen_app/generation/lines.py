"""The physical decoder: non-negative densities of pseudo-Voigt lines become spectra.

A spectrum is the sum over grid points and line shapes of ``height`` times a pseudo-Voigt of unit
height; the widest shapes of a bank, allowed only at coarse steps, are the smooth background.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from spectrogen_app.generation.config import Bank
from spectrogen_app.generation.result import Line
from spectrogen_app.processing.scoring import Grid

STEPS_PER_FWHM = 4
"""A shape may stand at every ``fwhm / STEPS_PER_FWHM`` of the axis."""
_LOG16 = 4 * np.log(2)


def pseudo_voigt(distance: torch.Tensor, fwhm: torch.Tensor, mixing: torch.Tensor) -> torch.Tensor:
    """Pseudo-Voigt of unit height: ``mixing`` Lorentzian + ``1 - mixing`` Gaussian of one FWHM."""
    u = (distance / fwhm) ** 2
    return mixing / (1 + 4 * u) + (1 - mixing) * torch.exp(-_LOG16 * u)


def area_of(fwhm: float, mixing: float) -> float:
    """Area of a pseudo-Voigt of unit height."""
    return fwhm * (mixing * np.pi / 2 + (1 - mixing) * np.sqrt(np.pi / np.log(2)) / 2)


class LineBank:
    """The line shapes of one modality on its grid.

    Parameters
    ----------
    grid : Grid
    bank : Bank
    device : str
    """

    def __init__(self, grid: Grid, bank: Bank, device: str = "cpu") -> None:
        self.grid, self.bank = grid, bank
        self.n = 1 << int(np.ceil(np.log2(1.5 * grid.size)))
        at = torch.arange(self.n, dtype=torch.float32)
        self.distance = torch.minimum(at, self.n - at) * grid.step
        self.spectrum_of_shapes = self.transform(
            torch.tensor(bank.fwhm, dtype=torch.float32),
            torch.tensor(bank.mixing, dtype=torch.float32),
        ).to(device)

    def transform(self, fwhm: torch.Tensor, mixing: torch.Tensor) -> torch.Tensor:
        """Fourier transforms of the shapes, shape (shapes, n // 2 + 1)."""
        return torch.fft.rfft(pseudo_voigt(self.distance, fwhm[:, None], mixing[:, None]))

    def allowed(self) -> torch.Tensor:
        """Where each shape may stand, shape (shapes, size); 0 or 1."""
        out = torch.zeros(len(self.bank.fwhm), self.grid.size)
        for k, fwhm in enumerate(self.bank.fwhm):
            out[k, :: max(1, round(fwhm / self.grid.step / STEPS_PER_FWHM))] = 1
        return out

    def render(self, density: torch.Tensor) -> torch.Tensor:
        """Spectra, shape (batch, size), of line densities, shape (batch, shapes, size)."""
        mixed = (torch.fft.rfft(density, self.n) * self.spectrum_of_shapes).sum(1)
        return torch.fft.irfft(mixed, self.n)[..., : self.grid.size]

    def back(self, residual: torch.Tensor) -> torch.Tensor:
        """The adjoint of :meth:`render`."""
        spread = torch.fft.rfft(residual, self.n)[:, None] * self.spectrum_of_shapes
        return torch.fft.irfft(spread, self.n)[..., : self.grid.size]

    def lines(self, density: NDArray[np.floating], least: float = 0.004) -> tuple[Line, ...]:
        """Line list of one density, shape (shapes, size): neighbouring entries are one line.

        Entries of one shape closer than half its width are joined at their centre of mass; the
        spread of a joined group widens the line. Lines lower than ``least`` times the highest
        are left out.
        """
        found = np.zeros((0, 5))
        for k, (fwhm, mixing) in enumerate(zip(self.bank.fwhm, self.bank.mixing, strict=True)):
            places = np.flatnonzero(density[k] > 0)
            if not places.size:
                continue
            x = self.grid.start + self.grid.step * places
            h = density[k, places]
            start = _group_starts(x, fwhm / 2)
            height = np.add.reduceat(h, start)
            center = np.add.reduceat(h * x, start) / height
            offset = x - np.repeat(center, np.diff(np.append(start, x.size)))
            spread = np.add.reduceat(h * offset**2, start) / height
            wide = np.sqrt(fwhm**2 + _VARIANCE_TO_FWHM2 * spread)
            area = height * area_of(fwhm, mixing)
            columns = [center, wide, area, np.full(center.size, mixing), area / wide]
            found = np.concatenate([found, np.stack(columns, 1)])
        kept = found[found[:, 4] >= least * found[:, 4].max(initial=0)]
        return tuple(Line(*row[:4]) for row in kept[kept[:, 0].argsort()].tolist())


_VARIANCE_TO_FWHM2 = 8 * np.log(2)


def _group_starts(x: NDArray[np.floating], reach: float) -> NDArray[np.intp]:
    """First entries of groups of ascending x: cut at gaps over ``reach``, and every 2 ``reach``."""
    gap = np.concatenate([[True], np.diff(x) > reach])
    first = x[np.flatnonzero(gap)][np.cumsum(gap) - 1]
    cell = np.floor((x - first) / (2 * reach))
    return np.flatnonzero(gap | np.concatenate([[True], np.diff(cell) != 0]))
