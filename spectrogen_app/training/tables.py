"""Fit line tables: the bank of line shapes of a modality, and the lines of every spectrum.

Heights are found by multiplicative updates (Lee and Seung 1999) for least squares with an L1
penalty, so they stay non-negative and few; widths and Lorentzian shares of the shapes are learned
by gradient descent between rounds of updates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spectrogen_app.errors import Check, unchecked
from spectrogen_app.generation.config import Bank
from spectrogen_app.generation.lines import LineBank
from spectrogen_app.processing.scoring import Grid

START_BANKS: Mapping[str, Bank] = {
    "raman": Bank((4.5, 9.0, 20.0, 115.0), (0.7, 0.7, 0.7, 0.3)),
    "ir": Bank((10.0, 30.0, 98.0, 285.0), (0.6, 0.6, 0.6, 0.3)),
    "xrd": Bank((0.25, 0.4, 3.0), (0.2, 0.5, 0.1)),
    "fir": Bank((8.0, 20.0, 50.0, 150.0), (0.6, 0.6, 0.6, 0.3)),
}
"""Shapes that learning starts from."""
PENALTY = 0.05
LEAST_HEIGHT = 0.003
_UPDATES = 250
_BATCH = 128


def start_bank(grid: Grid) -> Bank:
    """Where learning starts; for an unknown modality, widths spread over the grid."""
    if grid.modality in START_BANKS:
        return START_BANKS[grid.modality]
    span = grid.stop - grid.start
    widths = tuple(max(3 * grid.step, span * share) for share in (0.006, 0.015, 0.04, 0.12))
    return Bank(widths, (0.5, 0.5, 0.5, 0.3))


@dataclass(frozen=True)
class Tables:
    """Line tables of spectra.

    Attributes
    ----------
    start : ndarray of int, shape (n + 1,)
        Lines ``start[i]:start[i + 1]`` are those of spectrum i.
    shape, place : ndarray of int
        Number of the line shape and of the grid point.
    height : ndarray
    r : ndarray, shape (n,)
        Correlation of each table with its spectrum, where measured.
    """

    start: NDArray[np.int64]
    shape: NDArray[np.int64]
    place: NDArray[np.int64]
    height: NDArray[np.float32]
    r: NDArray[np.float64]


def _updated(
    density: Tensor, bank: LineBank, wanted: Tensor, mask: Tensor, *, penalty: float, rounds: int
) -> Tensor:
    """Multiplicative updates of line heights; ``wanted`` is the adjoint of the spectrum."""
    for _ in range(rounds):
        found = bank.back(bank.render(density) * mask).clamp_min(0)
        density = density * wanted / (found + penalty + 1e-6)
    return density


def learn_bank(
    grid: Grid, y: NDArray[np.float32], mask: NDArray[np.bool_], seed: int, check: Check = unchecked
) -> Bank:
    """Widths and Lorentzian shares that fit a modality's spectra best.

    Parameters
    ----------
    grid : Grid
    y, mask : ndarray, shape (n, size)
        A hundred of them are drawn.
    """
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(len(y), min(100, len(y)), replace=False))
    seen = torch.tensor(mask[rows], dtype=torch.float32)
    truth = torch.tensor(y[rows], dtype=torch.float32) * seen
    bank = start_bank(grid)
    logs = torch.tensor(bank.fwhm).log()
    tilt = torch.logit(torch.tensor(bank.mixing))
    rounds = 8
    for i in range(rounds):
        check(i / rounds, f"Learning the line shapes of {grid.modality}")
        lines = LineBank(grid, _bank(logs, tilt))
        with torch.no_grad():
            wanted = lines.back(truth).clamp_min(0)
            density = torch.full((len(rows), len(logs), grid.size), 0.01) * lines.allowed()
            density = _updated(density, lines, wanted, seen, penalty=PENALTY, rounds=60)
            spectrum = torch.fft.rfft(density, lines.n)
        logs, tilt = logs.requires_grad_(), tilt.requires_grad_()
        optimiser = torch.optim.Adam([logs, tilt], lr=0.02)
        for _ in range(6):
            shapes = lines.transform(logs.exp(), tilt.sigmoid())
            made = torch.fft.irfft((spectrum * shapes).sum(1), lines.n)[:, : grid.size]
            loss = (((made - truth) * seen) ** 2).sum() / seen.sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        logs, tilt = logs.detach(), tilt.detach()
        logs = logs.clamp_min(math.log(2 * grid.step))
    return _bank(logs, tilt)


def _bank(logs: Tensor, tilt: Tensor) -> Bank:
    return Bank(
        tuple(round(float(v), 4) for v in logs.exp()),
        tuple(round(float(v), 4) for v in tilt.sigmoid()),
    )


def fit_tables(
    grid: Grid,
    bank: Bank,
    y: NDArray[np.float32],
    mask: NDArray[np.bool_],
    check: Check = unchecked,
) -> Tables:
    """Fit the lines of every spectrum.

    Parameters
    ----------
    grid : Grid
    bank : Bank
    y, mask : ndarray, shape (n, size)
    """
    lines = LineBank(grid, bank)
    allowed = lines.allowed()
    counts, shapes, places, heights, r = [], [], [], [], []
    with torch.inference_mode():
        for low in range(0, len(y), _BATCH):
            check(low / len(y), f"Fitting lines of {grid.modality}")
            seen = torch.tensor(mask[low : low + _BATCH], dtype=torch.float32)
            truth = torch.tensor(y[low : low + _BATCH], dtype=torch.float32) * seen
            wanted = lines.back(truth).clamp_min(0)
            density = torch.full((len(truth), *allowed.shape), 0.01) * allowed
            density = _updated(density, lines, wanted, seen, penalty=PENALTY, rounds=_UPDATES)
            density = density * (density >= LEAST_HEIGHT)
            density = _updated(density, lines, wanted, seen, penalty=0.0, rounds=50)
            density = density * (density >= LEAST_HEIGHT / 2)
            made = lines.render(density) * seen
            r.append(correlation(made, truth, seen).numpy())
            where = density.nonzero().numpy()
            counts.append(np.bincount(where[:, 0], minlength=len(truth)))
            shapes.append(where[:, 1])
            places.append(where[:, 2])
            heights.append(density[density > 0].numpy())
    start = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
    return Tables(
        start, np.concatenate(shapes), np.concatenate(places), np.concatenate(heights),
        np.concatenate(r).astype(float),
    )  # fmt: skip


def correlation(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """Pearson r of rows over a mask, shape (batch,)."""
    count = mask.sum(-1, keepdim=True).clamp_min(1)
    a = (a - (a * mask).sum(-1, keepdim=True) / count) * mask
    b = (b - (b * mask).sum(-1, keepdim=True) / count) * mask
    return (a * b).sum(-1) / (a.norm(dim=-1) * b.norm(dim=-1)).clamp_min(1e-9)
