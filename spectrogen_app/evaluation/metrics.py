"""Scores of many predictions at once, intervals and tests that resample minerals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.processing.scoring import Grid, find_lines, match_peaks

FloatArray = NDArray[np.floating]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Scores:
    """Scores of a batch.

    Attributes
    ----------
    r, rmse, f1 : ndarray, shape (n,)
    """

    r: NDArray[np.float64]
    rmse: NDArray[np.float64]
    f1: NDArray[np.float64]


def pearson(a: FloatArray, b: FloatArray, mask: BoolArray) -> NDArray[np.float64]:
    """Pearson r of rows over a mask; 0 where a side is constant. All of shape (n, size)."""
    w = mask.astype(np.float64)
    n = np.maximum(w.sum(1, keepdims=True), 1)
    a = (a - (a * w).sum(1, keepdims=True) / n) * w
    b = (b - (b * w).sum(1, keepdims=True) / n) * w
    spread = np.sqrt((a * a).sum(1) * (b * b).sum(1))
    return np.where(spread > 1e-12, (a * b).sum(1) / np.maximum(spread, 1e-12), 0.0)


def peak_f1(prediction: FloatArray, truth: FloatArray, mask: BoolArray, grid: Grid) -> float:
    """F1 of the peaks of one prediction, as :func:`spectrogen_app.processing.scoring.score`."""
    x = grid.x[mask]
    ours, theirs = find_lines(prediction[mask].astype(float)), find_lines(truth[mask].astype(float))
    total = ours.size + theirs.size
    if not total:
        return 1.0
    return 2 * match_peaks(x[ours], x[theirs], grid.tolerance) / total


def score_all(prediction: FloatArray, truth: FloatArray, mask: BoolArray, grid: Grid) -> Scores:
    """Score rows of shape (n, size), each on the grid with 1 as its highest point."""
    seen = np.maximum(mask.sum(1), 1)
    rmse = np.sqrt((np.where(mask, prediction - truth, 0.0) ** 2).sum(1) / seen)
    f1 = [peak_f1(p, t, m, grid) for p, t, m in zip(prediction, truth, mask, strict=True)]
    return Scores(pearson(prediction, truth, mask), rmse.astype(float), np.array(f1, float))


def rescaled(prediction: FloatArray) -> NDArray[np.float64]:
    """Rows freed of their 2nd percentile, clipped at 0, 1 as the highest point."""
    out = np.clip(prediction - np.percentile(prediction, 2, axis=1, keepdims=True), 0, None)
    return out / np.maximum(out.max(1, keepdims=True), 1e-9)


def by_mineral(
    values: FloatArray, minerals: Sequence[str], draws: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of the mean by bootstrap over minerals, all spectra of a mineral together."""
    sums, counts = _per_mineral(values, minerals)
    rng = np.random.default_rng(seed)
    picks = rng.integers(len(sums), size=(draws, len(sums)))
    means = sums[picks].sum(1) / counts[picks].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def paired_p(
    difference: FloatArray, minerals: Sequence[str], draws: int = 5000, seed: int = 0
) -> float:
    """Two-sided p of a mean difference by flipping its sign per mineral at random."""
    sums, _ = _per_mineral(difference, minerals)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(draws, len(sums)))
    return float((1 + np.sum(np.abs(signs @ sums) >= abs(sums.sum()) - 1e-12)) / (draws + 1))


def _per_mineral(
    values: FloatArray, minerals: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    _, inverse = np.unique(np.asarray(minerals), return_inverse=True)
    sums = np.bincount(inverse, weights=values).astype(np.float64)
    return sums, np.bincount(inverse).astype(np.float64)


def auroc(positive: FloatArray, negative: FloatArray) -> float:
    """Probability that a positive value exceeds a negative one, ties counting half."""
    both = np.concatenate([positive, negative])
    order = np.argsort(both, kind="stable")
    ranks = np.empty(len(both))
    ranks[order] = np.arange(1, len(both) + 1)
    _, inverse, counts = np.unique(both, return_inverse=True, return_counts=True)
    ranks = (np.bincount(inverse, weights=ranks) / counts)[inverse]
    n = len(positive)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * len(negative)))
