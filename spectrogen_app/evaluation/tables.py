"""The table of all directions: model, simple methods, replicate ceiling, intervals and tests."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.formula import Formula, parse_formula
from spectrogen_app.errors import Check, TrainingError, unchecked
from spectrogen_app.evaluation.baselines import METHODS, Simple, spectra_of
from spectrogen_app.evaluation.metrics import (
    Scores,
    by_mineral,
    paired_p,
    pearson,
    rescaled,
    score_all,
)
from spectrogen_app.generation.arch import Network, Reply
from spectrogen_app.training.dataset import Dataset
from spectrogen_app.training.splits import GROUPS

FORMULA = "formula"
BATCH = 64


@dataclass(frozen=True)
class Answers:
    """A model's answers to test samples.

    Attributes
    ----------
    samples : ndarray of int, shape (n,)
        Rows of the data set.
    y, lower, upper, sure_lower, sure_upper : ndarray, shape (n, size)
    familiarity : ndarray, shape (n,)
    weights : ndarray, shape (n, training samples)
    """

    samples: NDArray[np.int64]
    y: NDArray[np.float32]
    lower: NDArray[np.float32]
    upper: NDArray[np.float32]
    sure_lower: NDArray[np.float32]
    sure_upper: NDArray[np.float32]
    familiarity: NDArray[np.float64]
    weights: NDArray[np.float32]


def formulas_of(dataset: Dataset, samples: NDArray[np.int64]) -> list[Formula]:
    """Parsed formulas of samples that have one."""
    return [parse_formula(dataset.formulas[i]) for i in samples]


def answer(
    network: Network,
    dataset: Dataset,
    samples: NDArray[np.int64],
    sources: Sequence[str],
    target: str,
    *,
    check: Check = unchecked,
) -> Answers:
    """Ask the model for a target of many samples from the same sources."""
    replies: list[Reply] = []
    for low in range(0, len(samples), BATCH):
        check(low / len(samples), f"{'+'.join(sources)} to {target}")
        part = samples[low : low + BATCH]
        arrays = {}
        for m in sources:
            if m != FORMULA:
                y, mask = spectra_of(dataset, m, part)
                arrays[m] = (y.astype(float), mask)
        formulas = formulas_of(dataset, part) if FORMULA in sources else None
        replies.append(network.answer(network.query(arrays, formulas), target))

    def joined(name: str) -> NDArray[np.float32]:
        return np.concatenate([getattr(r, name) for r in replies]).astype(np.float32)

    return Answers(
        samples, joined("y"), joined("lower"), joined("upper"), joined("sure_lower"),
        joined("sure_upper"), joined("familiarity").astype(float), joined("weights"),
    )  # fmt: skip


def patterns(modalities: Sequence[str], target: str) -> Iterator[tuple[str, ...]]:
    """Every non-empty set of sources of a target, few first."""
    sources = [m for m in modalities if m != target] + [FORMULA]
    for n in range(1, len(sources) + 1):
        yield from itertools.combinations(sources, n)


def tested(
    dataset: Dataset,
    group: NDArray[np.str_],
    wanted: str,
    sources: Sequence[str],
    target: str,
) -> NDArray[np.int64]:
    """Test samples of a group; for known minerals one sibling must have been trainable."""
    has = np.all([dataset.has(s) for s in (*sources, target)], axis=0)
    chosen = has & (group == wanted)
    if wanted == "sample":
        names = np.array(dataset.minerals)
        chosen &= np.isin(names, names[has & (group == "train")])
    return np.flatnonzero(chosen)


def table(
    network: Network,
    dataset: Dataset,
    group: NDArray[np.str_],
    check: Check = unchecked,
) -> tuple[list[dict[str, Any]], dict[tuple[str, tuple[str, ...], str], Answers]]:
    """Score every direction and group of samples.

    Parameters
    ----------
    network : Network
        Trained on nothing but the ``train`` group.
    dataset : Dataset
    group : ndarray of str
        See :class:`spectrogen_app.training.splits.Split`.

    Returns
    -------
    rows : list of dict
    answers : dict
        By target, sources and group.

    Raises
    ------
    TrainingError
        The model was trained on test samples.
    """
    leaked = trained_on(network, dataset, group)
    if leaked:
        raise TrainingError(
            f"The model {network.config.model_id} was trained on {len(leaked)} samples of the "
            f"test groups, such as {leaked[0]}: its scores would mean nothing.",
            hint="Score the model that was trained with --hold-out.",
        )
    minerals = np.array(dataset.minerals)
    jobs = [
        (target, sources)
        for target in network.targets
        for sources in patterns(network.sources, target)
    ]
    rows: list[dict[str, Any]] = []
    answers: dict[tuple[str, tuple[str, ...], str], Answers] = {}
    for i, (target, sources) in enumerate(jobs):
        check(i / len(jobs), f"Scoring {'+'.join(sources)} to {target}")
        grid = network.config.grids[target]
        simple = None
        for wanted in GROUPS:
            samples = tested(dataset, group, wanted, sources, target)
            if len(samples) < 3:
                continue
            simple = simple or Simple(dataset, group == "train", sources, target)
            truth, mask = spectra_of(dataset, target, samples)
            found = answer(network, dataset, samples, sources, target)
            answers[target, sources, wanted] = found
            mine = score_all(found.y, truth, mask, grid)
            others = {
                name: score_all(rescaled(y), truth, mask, grid)
                for name, y in simple.predict(samples).items()
            }
            rows.append(_row(target, sources, wanted, minerals[samples], mine=mine, others=others))
    return rows, answers


def _row(
    target: str,
    sources: Sequence[str],
    group: str,
    minerals: NDArray[np.str_],
    *,
    mine: Scores,
    others: dict[str, Scores],
) -> dict[str, Any]:
    best = max(METHODS, key=lambda name: others[name].r.mean())
    low, high = by_mineral(mine.r, list(minerals))
    return {
        "target": target, "sources": list(sources), "group": group, "n": len(minerals),
        "minerals": len(set(minerals)),
        "r": float(mine.r.mean()), "r_low": low, "r_high": high,
        "median_r": float(np.median(mine.r)), "rmse": float(mine.rmse.mean()),
        "f1": float(mine.f1.mean()),
        "best": best, "best_r": float(others[best].r.mean()),
        "p_against_best": paired_p(mine.r - others[best].r, list(minerals)),
        "simple": {
            name: {
                "r": float(s.r.mean()), "median_r": float(np.median(s.r)),
                "rmse": float(s.rmse.mean()), "f1": float(s.f1.mean()),
            }
            for name, s in others.items()
        },
    }  # fmt: skip


def two_sources(
    dataset: Dataset, answers: dict[tuple[str, tuple[str, ...], str], Answers]
) -> list[dict[str, Any]]:
    """Mean r from two sources and from each of them alone, on the samples that have both."""
    rows = []
    for (target, sources, group), found in answers.items():
        if len(sources) != 2 or any((target, (s,), group) not in answers for s in sources):
            continue
        truth, mask = spectra_of(dataset, target, found.samples)
        alone = []
        for source in sources:
            single = answers[target, (source,), group]
            place = {int(s): i for i, s in enumerate(single.samples)}
            rest = [place[int(s)] for s in found.samples]
            alone.append(float(pearson(single.y[rest], truth, mask).mean()))
        rows.append({
            "target": target, "sources": list(sources), "group": group, "n": len(truth),
            "both": float(pearson(found.y, truth, mask).mean()), "alone": alone,
        })  # fmt: skip
    return rows


def trained_on(network: Network, dataset: Dataset, group: NDArray[np.str_]) -> list[str]:
    """Test samples, or samples of held-out minerals, that the model learned from."""
    learned = {i for i, _ in network.config.samples}
    return [i for i, g in zip(dataset.ids, group, strict=True) if g != "train" and i in learned]


def ceiling(dataset: Dataset, modalities: Sequence[str]) -> dict[str, dict[str, float]]:
    """How well a second sample of the same mineral predicts a spectrum: the replicate ceiling."""
    out: dict[str, dict[str, float]] = {}
    for m in modalities:
        by_name: dict[str, list[int]] = defaultdict(list)
        for i in np.flatnonzero(dataset.has(m) & dataset.confirmed):
            by_name[dataset.minerals[i]].append(int(i))
        pairs = [
            (rows[k], rows[(k + 1) % len(rows)])
            for rows in by_name.values()
            if len(rows) > 1
            for k in range(len(rows))
        ]
        if len(pairs) < 3:
            continue
        first, second = (np.array(side) for side in zip(*pairs, strict=True))
        prediction, seen = spectra_of(dataset, m, first)
        truth, mask = spectra_of(dataset, m, second)
        scores = score_all(np.where(seen, prediction, 0), truth, mask, dataset.grids[m])
        out[m] = {
            "r": float(scores.r.mean()), "median_r": float(np.median(scores.r)),
            "rmse": float(scores.rmse.mean()), "f1": float(scores.f1.mean()), "n": len(pairs),
        }  # fmt: skip
    return out


def coverage(
    dataset: Dataset, answers: dict[tuple[str, tuple[str, ...], str], Answers]
) -> list[dict[str, Any]]:
    """Share of measured points inside the bands, and of spectra inside the simultaneous ones."""
    rows = []
    for (target, sources, group), found in answers.items():
        truth, mask = spectra_of(dataset, target, found.samples)
        inside = (truth >= found.lower - 1e-6) & (truth <= found.upper + 1e-6)
        sure = (truth >= found.sure_lower - 1e-6) & (truth <= found.sure_upper + 1e-6)
        rows.append({
            "target": target, "sources": list(sources), "group": group, "n": len(truth),
            "pointwise": float(inside[mask].mean()),
            "simultaneous": float((sure | ~mask).all(axis=1).mean()),
            "width": float((found.upper - found.lower)[mask].mean()),
        })  # fmt: skip
    return rows
