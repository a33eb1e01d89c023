"""Frozen splits: which samples a scored model never saw.

``splits.json`` lists RRUFF IDs in three groups, with a SHA-256 over the lists:

* ``family``: all samples of the anion families listed with it;
* ``mineral``: all samples of minerals drawn at random, by name stem;
* ``sample``: samples drawn at random whose mineral stays in training with the same modalities.

All else is for training, and hyper-parameters are chosen inside it. A sample that is not listed,
but whose mineral stem is held out, is held out too.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.errors import TrainingError
from spectrogen_app.training.dataset import Dataset

GROUPS = ("sample", "mineral", "family")
HELD_OUT_FAMILIES = ("borate", "tungstate", "molybdate", "nitrate", "iodate")
MINERAL_SHARE = 0.1
SAMPLE_SHARE = 0.25
SEED = 20260101


@dataclass(frozen=True)
class Split:
    """Group of every sample of a data set.

    Attributes
    ----------
    group : ndarray of str, shape (n,)
        ``train``, ``sample``, ``mineral`` or ``family``.
    sha256 : str
        Of the frozen lists.
    """

    group: NDArray[np.str_]
    sha256: str

    @property
    def train(self) -> NDArray[np.bool_]:
        """Mask of the training part."""
        return self.group == "train"


def fingerprint(lists: dict[str, list[str]]) -> str:
    """SHA-256 of the ID lists."""
    text = json.dumps({g: sorted(lists[g]) for g in GROUPS}, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache
def frozen() -> dict[str, Any]:
    """The frozen lists, verified.

    Raises
    ------
    TrainingError
        The file does not match its own SHA-256.
    """
    source = resources.files("spectrogen_app.training").joinpath("splits.json")
    content = json.loads(source.read_text("utf-8"))
    found = fingerprint(content["ids"])
    if found != content["sha256"]:
        raise TrainingError(
            f"The frozen splits were altered: SHA-256 {found[:12]}..., expected "
            f"{content['sha256'][:12]}....",
            hint="Restore spectrogen_app/training/splits.json.",
        )
    return dict(content)


def split(dataset: Dataset) -> Split:
    """Assign every sample of a data set to its group."""
    content = frozen()
    listed = {i: g for g in GROUPS for i in content["ids"][g]}
    stems = {s: g for g in ("mineral", "family") for s in content["stems"][g]}
    group = [
        listed.get(i) or stems.get(s) or "train"
        for i, s in zip(dataset.ids, dataset.stems, strict=True)
    ]
    return Split(np.array(group, dtype="U7"), content["sha256"])


def folds_by_stem(
    stems: Sequence[str], members: NDArray[np.bool_], k: int, seed: int
) -> NDArray[np.int64]:
    """Fold 0..k-1 of each member so that a stem lies in one fold; -1 for the others."""
    names = sorted({s for s, m in zip(stems, members, strict=True) if m})
    order = np.random.default_rng(seed).permutation(len(names))
    fold = {name: int(order[i]) % k for i, name in enumerate(names)}
    return np.array([fold[s] if m else -1 for s, m in zip(stems, members, strict=True)])


def folds_by_family(families: Sequence[str], k: int) -> NDArray[np.int64]:
    """Fold 0..k-1 of each sample by its anion family; -1 for the largest family and unknown ones.

    Families are dealt out by size, so that each fold leaves out about as much.
    """
    counts = Counter(f for f in families if f != "unknown")
    fold = {f: i % k for i, (f, _) in enumerate(counts.most_common()[1:])}
    return np.array([fold.get(f, -1) for f in families])


def folds_of_siblings(
    stems: Sequence[str], members: NDArray[np.bool_], k: int, seed: int
) -> NDArray[np.int64]:
    """Fold of each member whose stem has another member in another fold; -1 for the others."""
    rng = np.random.default_rng(seed)
    by_stem: dict[str, list[int]] = defaultdict(list)
    for i in np.flatnonzero(members):
        by_stem[stems[int(i)]].append(int(i))
    out = np.full(len(stems), -1)
    for stem in sorted(by_stem):
        rows = by_stem[stem]
        if len(rows) > 1:
            out[rng.permutation(rows)] = (rng.integers(k) + np.arange(len(rows))) % k
    return out


def draw(dataset: Dataset) -> dict[str, Any]:
    """Draw the lists anew; done once, kept here to say how."""
    rng = np.random.default_rng(SEED)
    families = np.array(dataset.families)
    stems = np.array(dataset.stems)
    family_stems = sorted(set(stems[np.isin(families, HELD_OUT_FAMILIES)]))
    in_family = np.isin(stems, family_stems)
    others = np.array(sorted(set(stems[~in_family])))
    mineral_stems = sorted(rng.choice(others, round(MINERAL_SHARE * len(others)), replace=False))
    in_mineral = np.isin(stems, mineral_stems)
    rest = ~in_family & ~in_mineral
    modalities = [m for m in ("raman", "ir", "xrd") if m in dataset.spectra]
    has = np.stack([dataset.has(m) for m in modalities], axis=1)
    sampled = np.zeros(len(dataset), bool)
    names = np.array(dataset.minerals)
    for name in sorted(set(names[rest])):
        rows = np.flatnonzero(rest & (names == name) & (has.sum(axis=1) >= 2))
        for row in rng.permutation(rows):
            left = rows[~sampled[rows] & (rows != row)]
            if rng.random() < SAMPLE_SHARE and (has[left] >= has[row]).all(axis=1).any():
                sampled[row] = True
    ids = np.array(dataset.ids)
    lists = {
        "sample": sorted(map(str, ids[sampled])),
        "mineral": sorted(map(str, ids[in_mineral])),
        "family": sorted(map(str, ids[in_family])),
    }
    return {
        "rule": __doc__, "seed": SEED, "families": list(HELD_OUT_FAMILIES),
        "sha256": fingerprint(lists), "ids": lists,
        "stems": {"mineral": list(map(str, mineral_stems)), "family": list(map(str, family_stems))},
    }  # fmt: skip
