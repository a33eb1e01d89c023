"""The simple methods that any model must beat, on the measured curves of the training part.

Mean spectrum; the target of the nearest source; kernel ridge regression with the kernels
exp(-3 (1 - cosine)) on centred spectra and exp(-4 (1 - cosine)) on square-rooted atomic fractions,
their sum and product when both are given, ridge 0.1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.errors import TrainingError
from spectrogen_app.training.dataset import Dataset

METHODS = ("mean", "nearest", "kernel ridge")
RIDGE = 0.1
_GAMMA = {"formula": 4.0}


class Simple:
    """The simple methods for one set of sources and one target.

    Parameters
    ----------
    dataset : Dataset
    train : ndarray of bool, shape (samples,)
    sources : sequence of str
        Modalities, and ``formula``.
    target : str
    """

    def __init__(
        self, dataset: Dataset, train: NDArray[np.bool_], sources: Sequence[str], target: str
    ) -> None:
        self.dataset, self.sources = dataset, tuple(sources)
        has = np.all([dataset.has(s) for s in (*sources, target)], axis=0)
        self.rows = np.flatnonzero(train & has)
        if not self.rows.size:
            raise TrainingError(
                f"No training sample has {' and '.join((*sources, target))}.",
                hint="Add archives that share sample IDs.",
            )
        y, mask = spectra_of(dataset, target, self.rows)
        mean = (y * mask).sum(0) / np.maximum(mask.sum(0), 1)
        self.truth = np.where(mask, y, mean)
        self.mean = self.truth.mean(0)
        self.features = {s: features(dataset, s, self.rows) for s in sources}
        kernel = self._kernel(self.features)
        self.dual = np.linalg.solve(kernel + RIDGE * np.eye(len(self.rows)), self.truth - self.mean)

    def _kernel(self, given: dict[str, NDArray[np.float32]]) -> NDArray[np.float64]:
        parts = [
            np.exp(-_GAMMA.get(s, 3.0) * (1 - given[s] @ self.features[s].T.astype(float)))
            for s in self.sources
        ]
        total = np.sum(parts, axis=0)
        return total + np.prod(parts, axis=0) if len(parts) > 1 else total

    def predict(self, samples: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Predictions of each method for samples of the data set, shape (n, size)."""
        given = {s: features(self.dataset, s, samples) for s in self.sources}
        kernel = self._kernel(given)
        return {
            "mean": np.repeat(self.mean[None], len(samples), 0),
            "nearest": self.truth[kernel.argmax(1)].astype(float),
            "kernel ridge": self.mean + kernel @ self.dual,
        }


def spectra_of(
    dataset: Dataset, modality: str, samples: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Primary spectra and masks of samples, shape (n, size)."""
    spectra = dataset.spectra[modality]
    rows = spectra.of_samples(len(dataset))[samples]
    return spectra.y[rows], spectra.mask[rows]


def features(dataset: Dataset, source: str, samples: NDArray[np.int64]) -> NDArray[np.float32]:
    """Rows of unit length whose dot products are the cosines of the kernels."""
    if source == "formula":
        counts = dataset.composition[samples]
        x = np.sqrt(counts / np.maximum(counts.sum(1, keepdims=True), 1e-9))
    else:
        x = spectra_of(dataset, source, samples)[0]
        x = x - x.mean(1, keepdims=True)
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return (x / np.maximum(length, 1e-9)).astype(np.float32)
