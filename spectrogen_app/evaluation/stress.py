"""Tests beyond the table: what is no mineral, damaged spectra, mixtures, and classification."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from spectrogen_app.errors import Check, unchecked
from spectrogen_app.evaluation.baselines import features, spectra_of
from spectrogen_app.evaluation.metrics import auroc, pearson
from spectrogen_app.evaluation.tables import BATCH, Answers, answer, tested
from spectrogen_app.generation.arch import Network
from spectrogen_app.processing.scoring import Grid, prepare
from spectrogen_app.training.dataset import Dataset
from spectrogen_app.training.train import no_mineral

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

POLYMERS = {
    "polystyrene": {
        "raman": (621, 795, 1001, 1031, 1155, 1183), "ir": (698, 757, 1028, 1452, 1493, 1601, 2924,
                                                            3026),
    },
    "polyethylene": {"raman": (1062, 1129, 1170, 1295), "ir": (719, 730, 1463, 1473, 2848, 2915)},
    "PMMA": {"raman": (484, 600, 812, 988), "ir": (750, 841, 985, 1144, 1190, 1240, 1435, 1724,
                                                   2950)},
    "PET": {"raman": (276, 632, 703, 857, 1095, 1118, 1288), "ir": (723, 871, 1018, 1093, 1242,
                                                                   1340, 1410, 1713, 2960)},
    "polypropylene": {"raman": (398, 809, 841, 973, 1152, 1220), "ir": (841, 973, 998, 1167, 1376,
                                                                        1456, 2838, 2917, 2950)},
}  # fmt: skip
"""Strong published bands of polymers, cm-1; powder patterns are one amorphous halo."""


def ask(
    network: Network, source: str, target: str, y: Floats, mask: Bools, *, check: Check = unchecked
) -> tuple[NDArray[np.float32], Floats]:
    """Generated spectra and familiarity for source spectra on the grid, shape (n, size)."""
    made, familiarity = [], []
    for low in range(0, len(y), BATCH):
        check(low / len(y), f"{source} to {target}")
        part = slice(low, low + BATCH)
        reply = network.answer(
            network.query({source: (y[part].astype(float), mask[part])}, None), target
        )
        made.append(reply.y.astype(np.float32))
        familiarity.append(reply.familiarity)
    return np.concatenate(made), np.concatenate(familiarity)


def polymers(grid: Grid, rng: np.random.Generator, each: int = 8) -> Floats:
    """Simulated spectra of polymers, each with other strengths and widths."""
    out = []
    for bands in POLYMERS.values():
        for _ in range(each):
            centers = np.array(bands.get(grid.modality, (19.0 + rng.uniform(-2, 2),)), float)
            width = {"raman": 8.0, "ir": 14.0, "fir": 14.0}.get(grid.modality, 6.0)
            heights = rng.uniform(0.2, 1, len(centers))
            u = (grid.x[:, None] - centers) / (width * rng.uniform(0.8, 1.3))
            y = (heights / (1 + u**2)).sum(1) + 0.005 * rng.normal(size=grid.size)
            out.append(prepare((grid.x, y), grid).y)
    return np.array(out)


def familiarity_report(
    network: Network,
    dataset: Dataset,
    answers: dict[tuple[str, tuple[str, ...], str], Answers],
    seed: int = 0,
) -> dict[str, Any]:
    """AUROC of familiarity: seen against new minerals, minerals against what is none."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for (target, sources, group), known in answers.items():
        if group != "sample":
            continue
        for other in ("mineral", "family"):
            new = answers.get((target, sources, other))
            if new is not None:
                rows.append({
                    "target": target, "sources": list(sources), "new": other,
                    "auroc": auroc(known.familiarity, new.familiarity),
                })  # fmt: skip
    nothing: list[dict[str, Any]] = []
    for target in network.targets:
        for source in network.sources:
            real = [
                a.familiarity for (t, s, _), a in answers.items() if (t, s) == (target, (source,))
            ]
            seen = answers.get((target, (source,), "sample"))
            if source == target or not real or seen is None:
                continue
            grid = network.config.grids[source]
            noise = no_mineral(rng, grid, 120)
            flat = np.zeros((4, grid.size))
            everywhere = np.ones(grid.size, bool)
            row: dict[str, Any] = {"target": target, "source": source}
            for name, y in (
                ("noise", noise.astype(float)), ("flat", flat), ("polymer", polymers(grid, rng)),
            ):  # fmt: skip
                _, f = ask(network, source, target, y, np.tile(everywhere, (len(y), 1)))
                row[name] = auroc(seen.familiarity, f)
                row[f"{name}_against_all_minerals"] = auroc(np.concatenate(real), f)
            nothing.append(row)
    known_new = [float(r["auroc"]) for r in rows if r["new"] == "mineral"]
    return {
        "known_new": float(np.mean(known_new)) if known_new else float("nan"),
        "noise": float(np.mean([(r["noise"] + r["flat"]) / 2 for r in nothing])),
        "polymer": float(np.mean([r["polymer"] for r in nothing])),
        "by_direction": rows, "no_mineral": nothing,
    }  # fmt: skip


def drawn_samples(
    network: Network,
    dataset: Dataset,
    answers: dict[tuple[str, tuple[str, ...], str], Answers],
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Draws of the autoencoder beside the answer: how near the truth, and how far apart.

    Mean r with the truth of the answer, of one draw, of the mean of five and of the best of five;
    mean r of the draws with one another, which for known minerals is to be that of replicates.
    """
    rows = []
    for (target, sources, group), found in answers.items():
        if len(sources) > 1 or sources == ("formula",):
            continue
        truth, mask = spectra_of(dataset, target, found.samples)
        y, seen = spectra_of(dataset, sources[0], found.samples)
        query = network.query({sources[0]: (y.astype(float), seen)}, None)
        drawn = network.draw(query, target, 5, seed)
        r = np.stack([pearson(drawn[:, k], truth, mask) for k in range(5)])
        apart = [pearson(drawn[:, a], drawn[:, b], mask) for a in range(5) for b in range(a)]
        rows.append({
            "target": target, "source": sources[0], "group": group, "n": len(truth),
            "answer": float(pearson(found.y, truth, mask).mean()),
            "one": float(r[0].mean()), "best_of_five": float(r.max(0).mean()),
            "mean_of_five": float(pearson(drawn.mean(1), truth, mask).mean()),
            "with_one_another": float(np.mean(apart)),
        })  # fmt: skip
    return rows


def _damages(grid: Grid) -> dict[str, Callable[[Floats, np.random.Generator], Floats]]:
    x = grid.x
    at = (x - x[0]) / (x[-1] - x[0])
    steps = {"xrd": (0.05, 0.1)}.get(grid.modality, (2.0, 5.0))
    blur = {"xrd": 0.1}.get(grid.modality, 4.0)

    def noisy(level: float) -> Callable[[Floats, np.random.Generator], Floats]:
        return lambda y, rng: y + level * rng.normal(size=y.shape)

    def background(level: float) -> Callable[[Floats, np.random.Generator], Floats]:
        def add(y: Floats, rng: np.random.Generator) -> Floats:
            center = rng.uniform(0, 1, (len(y), 1))
            width = rng.uniform(0.3, 0.8, (len(y), 1))
            return y + level * np.exp(-(((at - center) / width) ** 2))

        return add

    def shifted(by: float) -> Callable[[Floats, np.random.Generator], Floats]:
        def move(y: Floats, rng: np.random.Generator) -> Floats:
            signs = rng.choice([-1, 1], len(y))
            return np.stack(
                [np.interp(x, x + s * by, row) for s, row in zip(signs, y, strict=True)]
            )

        return move

    return {
        "none": lambda y, rng: y,
        "noise 2 %": noisy(0.02), "noise 5 %": noisy(0.05), "noise 10 %": noisy(0.1),
        "background 0.5": background(0.5), "background 1": background(1.0),
        f"shift {steps[0]:g} {grid.x_unit}": shifted(steps[0]),
        f"shift {steps[1]:g} {grid.x_unit}": shifted(steps[1]),
        f"broadened {blur:g} {grid.x_unit}":
            lambda y, rng: gaussian_filter1d(y, blur / grid.step, axis=1),
    }  # fmt: skip


PARTS = {"raman": (150.0, 1200.0), "ir": (650.0, 4000.0), "xrd": (10.0, 70.0)}
"""Ranges that many instruments give."""


def _level_ends(y: Floats, mask: Bools) -> Floats:
    """Each row going on level where it was not measured."""
    out = y.copy()
    for row, seen in zip(out, mask, strict=True):
        places = np.flatnonzero(seen)
        row[: places[0]], row[places[-1] + 1 :] = row[places[0]], row[places[-1]]
    return out


def robustness(
    network: Network,
    dataset: Dataset,
    group: NDArray[np.str_],
    check: Check = unchecked,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Mean r on known and new minerals when the source is damaged."""
    rng = np.random.default_rng(seed)
    rows = []
    for target in network.targets:
        for source in (s for s in network.sources if s != target):
            grid = network.config.grids[source]
            row: dict[str, Any] = {"target": target, "source": source, "r": {}}
            samples = np.concatenate(
                [tested(dataset, group, g, (source,), target) for g in ("sample", "mineral")]
            )
            if not len(samples):
                continue
            clean, mask = spectra_of(dataset, source, samples)
            truth, seen = spectra_of(dataset, target, samples)
            for name, damage in _damages(grid).items():
                check(0.0, f"{source} to {target}, {name}")
                if name == "none":
                    y, part = clean.astype(float), mask
                else:
                    worse = damage(_level_ends(clean.astype(float), mask), rng)
                    made_worse = [
                        prepare((grid.x[m], d[m]), grid) for d, m in zip(worse, mask, strict=True)
                    ]
                    y = np.stack([p.y for p in made_worse])
                    part = np.stack([p.mask for p in made_worse])
                made, _ = ask(network, source, target, y, part)
                row["r"][name] = float(pearson(made, truth, seen).mean())
            if source in PARTS:
                low, high = PARTS[source]
                part = mask & (grid.x >= low) & (grid.x <= high)
                rows_seen = zip(clean.astype(float), part, strict=True)
                cut = np.stack([prepare((grid.x[m], y[m]), grid).y for y, m in rows_seen])
                made, _ = ask(network, source, target, cut, part)
                name = f"only {low:g} to {high:g} {grid.x_unit}"
                row["r"][name] = float(pearson(made, truth, seen).mean())
            rows.append({**row, "n": len(samples)})
    return rows


RATIOS = ((0.9, 0.1), (0.7, 0.3), (0.5, 0.5))


def mixtures(
    network: Network,
    dataset: Dataset,
    group: NDArray[np.str_],
    *,
    each: int = 600,
    check: Check = unchecked,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Sources mixed from two measured test minerals, scored against the equally mixed target.

    Parameters
    ----------
    each : int
        Mixtures per direction and ratio; 600 make 10,800 in all with three modalities.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for target in network.targets:
        for source in (s for s in network.sources if s != target):
            samples = np.concatenate(
                [tested(dataset, group, g, (source,), target) for g in ("sample", "mineral")]
            )
            if len(samples) < 4:
                continue
            y, mask = spectra_of(dataset, source, samples)
            truth, seen = spectra_of(dataset, target, samples)
            for ratio in RATIOS:
                a = rng.integers(len(samples), size=each)
                b = (a + rng.integers(1, len(samples), size=each)) % len(samples)
                mixed = ratio[0] * y[a] + ratio[1] * y[b]
                mixed = mixed / np.maximum(mixed.max(1, keepdims=True), 1e-9)
                made, familiarity = ask(
                    network, source, target, mixed, mask[a] & mask[b], check=check
                )
                wanted = ratio[0] * truth[a] + ratio[1] * truth[b]
                both = seen[a] & seen[b]
                rows.append({
                    "target": target, "source": source, "ratio": list(ratio), "n": each,
                    "r_mixture": float(pearson(made, wanted, both).mean()),
                    "r_major": float(pearson(made, truth[a], both).mean()),
                    "r_minor": float(pearson(made, truth[b], both).mean()),
                    "familiarity": float(familiarity.mean()),
                })  # fmt: skip
    return rows


def classification(
    network: Network,
    dataset: Dataset,
    group: NDArray[np.str_],
    check: Check = unchecked,
) -> list[dict[str, Any]]:
    """Anion family and mineral species by nearest neighbours (cosine) among training samples.

    From the measured source, the generated target, the measured target, and source with generated
    target. Species are asked only of minerals that were trained on; families are voted by the
    five nearest. Samples whose identification is not confirmed are left out.
    """
    names, families = np.array(dataset.minerals), np.array(dataset.families)
    rows = []
    for target in network.targets:
        for source in (s for s in network.sources if s != target):
            has = dataset.has(source) & dataset.has(target) & dataset.confirmed
            known = np.flatnonzero(has & (group == "train"))
            for wanted in ("sample", "mineral"):
                samples = tested(dataset, group, wanted, (source,), target)
                samples = samples[dataset.confirmed[samples]]
                if len(samples) < 5 or len(known) < 5:
                    continue
                made = answer(network, dataset, samples, (source,), target, check=check)
                generated = made.y - made.y.mean(1, keepdims=True)
                generated /= np.maximum(np.linalg.norm(generated, axis=1, keepdims=True), 1e-9)
                from_source = _cosine(dataset, source, samples, known)
                from_generated = generated @ features(dataset, target, known).T
                from_target = _cosine(dataset, target, samples, known)
                row: dict[str, Any] = {
                    "target": target, "source": source, "group": wanted, "n": len(samples),
                    "family": {}, "species": {},
                }  # fmt: skip
                for name, likeness in (
                    ("measured source", from_source), ("generated target", from_generated),
                    ("measured target", from_target),
                    ("source + generated", from_source + from_generated),
                ):  # fmt: skip
                    row["family"][name] = _voted(likeness, families[known], families[samples])
                    if wanted == "sample":
                        found = names[known][likeness.argmax(1)]
                        row["species"][name] = float((found == names[samples]).mean())
                rows.append(row)
    return rows


def _cosine(
    dataset: Dataset, modality: str, a: NDArray[np.int64], b: NDArray[np.int64]
) -> NDArray[np.float32]:
    return features(dataset, modality, a) @ features(dataset, modality, b).T


def _voted(
    likeness: NDArray[np.floating], labels: NDArray[np.str_], truth: NDArray[np.str_], k: int = 5
) -> float:
    nearest = np.argsort(-likeness, axis=1)[:, :k]
    right = 0
    for row, order, wanted in zip(likeness, nearest, truth, strict=True):
        votes: dict[str, float] = {}
        for i in order:
            votes[labels[i]] = votes.get(labels[i], 0.0) + float(row[i])
        right += max(votes, key=lambda label: votes[label]) == wanted
    return right / len(likeness)
