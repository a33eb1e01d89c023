"""Train a model: line tables, pair scorers, calibration, bundle.

Scorers learn on queries held out from the memory in inner folds (whole mineral stems, and samples
whose mineral stays), so that they see at training what they will see at use. Calibration uses
scorers that saw neither the query nor its fold. Every stage is kept in a checkpoint folder beside
the bundle and is not repeated after an interruption; equal requests give equal weights on one
machine.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import platform
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from spectrogen_app import __version__
from spectrogen_app.errors import Check, TrainingError, unchecked
from spectrogen_app.generation.arch import (
    FORMULA,
    Pairs,
    PairScorer,
    build_pairs,
    compose,
    familiarity_inputs,
    feature_count,
    mix,
    patterns_of,
    stages,
)
from spectrogen_app.generation.background import DEFAULTS
from spectrogen_app.generation.config import Bank, Config, View
from spectrogen_app.generation.memory import Memory, Query, remember, unit
from spectrogen_app.processing.scoring import Grid, prepare
from spectrogen_app.training.dataset import Dataset
from spectrogen_app.training.splits import folds_by_stem, folds_of_siblings
from spectrogen_app.training.tables import fit_tables, learn_bank

FOLDS = 4
RANK = 400
"""Directions of a target in which the loss is computed."""
BATCH = 64
COVERAGE = 0.9


@dataclass(frozen=True)
class Recipe:
    """What can be varied.

    Attributes
    ----------
    epochs : int
    rate : float
        Highest learning rate.
    decay : float
        Weight decay.
    hidden : int
    members : int
        Scorers per target.
    seed : int
    """

    epochs: int = 12
    rate: float = 2e-3
    decay: float = 1e-2
    hidden: int = 64
    members: int = 2
    seed: int = 0


def default_views(grid: Grid) -> tuple[View, ...]:
    """Plain, square root, two blurs of the square root, and slopes.

    Infrared kernels look at slopes alone, which know nothing of baselines and relative heights.
    """
    known = {"raman": (3.0, 8.0, 6.0), "ir": (5.0, 15.0, 9.0), "xrd": (12.0, 30.0, 18.0)}
    fine, coarse, slope = known.get(
        grid.modality, (grid.size / 400, grid.size / 120, grid.size / 300)
    )
    slopes = grid.modality in ("ir", "fir")
    every = {"raman": 2, "ir": 2, "xrd": 3}.get(grid.modality, 1)

    def thin(sigma: float) -> int:
        return max(1, int(sigma / 2))

    views = [
        View(thin=every, kernel=not slopes), View(0.5, thin=every, kernel=not slopes),
        View(0.5, fine, thin(fine), kernel=not slopes),
        View(0.5, coarse, thin(coarse), kernel=not slopes),
        View(0.5, slope, thin(slope), slope=True, kernel=slopes),
    ]  # fmt: skip
    if slopes:
        views.append(View(1.0, slope / 1.5, thin(slope / 1.5), slope=True))
    return tuple(views)


class Checkpoints:
    """Finished stages in a folder, each under a key of everything it depends on."""

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder / hashlib.sha256(key.encode()).hexdigest()[:16]

    def get(self, name: str) -> dict[str, Tensor] | None:
        """The tensors of a finished stage, or None."""
        path = self.folder / f"{name}.safetensors"
        try:
            return load_file(path) if path.is_file() else None
        except (SafetensorError, OSError):
            return None

    def put(self, name: str, tensors: Mapping[str, Tensor]) -> None:
        """Keep a stage; atomically, so that a kill leaves none half-written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f"{name}.part"
        try:
            save_file({k: v.contiguous() for k, v in tensors.items()}, part)
            part.replace(self.folder / f"{name}.safetensors")
        except OSError as error:
            part.unlink(missing_ok=True)
            raise TrainingError(
                f"The checkpoint {name} could not be written: {error.strerror or error}.",
                hint="Free space on the disk and start again; finished stages are kept.",
            ) from error

    def clear(self) -> None:
        """Remove all of them."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class Held:
    """Pairs of held-out queries from one fold and pattern of sources."""

    fold: int
    known: NDArray[np.bool_]
    samples: NDArray[np.int64]
    pairs: Pairs
    truth: Tensor
    basis: Tensor

    def batch(self, rows: NDArray[np.int64]) -> tuple[Pairs, Tensor]:
        """Some of the queries and their truths."""
        at = torch.as_tensor(rows)
        p = self.pairs
        return dataclasses.replace(
            p, rows=p.rows[at], features=p.features[at].float(), ridge=p.ridge[at].float(),
            familiarity=p.familiarity[at],
        ), self.truth[at]  # fmt: skip


class Trainer:
    """One training run on the chosen samples of a data set.

    Parameters
    ----------
    dataset : Dataset
    members : ndarray of bool, shape (n,)
        Samples to learn from.
    recipe : Recipe
    checkpoints : Checkpoints
    check : callable(fraction, message)
    """

    def __init__(
        self,
        dataset: Dataset,
        members: NDArray[np.bool_],
        recipe: Recipe,
        checkpoints: Checkpoints,
        check: Check = unchecked,
    ) -> None:
        self.recipe, self.checkpoints, self.check = recipe, checkpoints, check
        self.whole = dataset
        self.index = np.flatnonzero(members)
        self.minerals = [dataset.minerals[i] for i in self.index]
        self.stems = [dataset.stems[i] for i in self.index]
        self.modalities = [m for m in dataset.spectra if dataset.has(m)[members].sum() >= 8]
        if len(self.modalities) < 2 or not any(
            (dataset.has(a) & dataset.has(b) & members).sum() >= 8
            for a, b in itertools.combinations(self.modalities, 2)
        ):
            counts = {m: int(dataset.has(m)[members].sum()) for m in dataset.spectra}
            raise TrainingError(
                f"There are too few samples with two kinds of spectra to learn from ({counts}).",
                hint="Add archives (Raman, infrared, powder) that share sample IDs; at least 8 "
                "pairs are needed.",
            )

    def run(self) -> tuple[Config, dict[str, Tensor], dict[str, Any]]:
        """Train; returns config, tensors and cross-validated metrics."""
        banks, tensors = self._tables()
        config = self._config(banks)
        memory, _ = remember(config, tensors)
        queries = self._queries(memory)
        settings: dict[str, Any] = {
            "targets": list(self.modalities), "members": self.recipe.members,
            "coverage": COVERAGE, "calibration": {}, "fallback": {},
            "background": {k: list(v) for k, v in DEFAULTS.items() if k in self.modalities},
        }  # fmt: skip
        metrics: dict[str, Any] = {}
        for i, target in enumerate(self.modalities):
            part = (0.15 + 0.85 * i / len(self.modalities), 0.85 / len(self.modalities))
            held = list(self._held(memory, queries, target, part))
            trained, crossed = self._scorers(config, target, held, part)
            for name, state in trained.items():
                tensors |= {f"scorer.{target}.{name}.{k}": v for k, v in state.items()}
            calibration, fallback, scores = self._calibrate(config, memory, target, held, crossed)
            settings["calibration"][target] = calibration
            settings["fallback"][target] = fallback
            metrics[target] = scores
        spectral = [s for n in range(1, len(self.modalities) + 1)
                    for s in itertools.combinations(self.modalities, n)]  # fmt: skip
        for sources in spectral:
            dual = memory.composition_dual(sources)[2]
            if len(dual):
                tensors["composition.dual." + "+".join(sources)] = dual.clone()
        return dataclasses.replace(config, settings=settings), tensors, metrics

    def _primary(self, modality: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Own samples that have the modality, and their rows in the data set."""
        rows = self.whole.spectra[modality].of_samples(len(self.whole))[self.index]
        samples = np.flatnonzero(rows >= 0)
        return samples, rows[samples]

    def _tables(self) -> tuple[dict[str, Bank], dict[str, Tensor]]:
        banks: dict[str, Bank] = {}
        tensors: dict[str, Tensor] = {
            "composition": torch.tensor(self.whole.composition[self.index], dtype=torch.float32)
        }
        for i, m in enumerate(self.modalities):
            start = 0.15 * i / len(self.modalities)

            def report(fraction: float, message: str, start: float = start) -> None:
                self.check(start + 0.15 * fraction / len(self.modalities), message)

            name = f"tables.{m}"
            held = self.checkpoints.get(name)
            if held is None:
                samples, rows = self._primary(m)
                spectra, grid = self.whole.spectra[m], self.whole.grids[m]
                y, mask = spectra.y[rows], spectra.mask[rows]
                bank = learn_bank(grid, y, mask, self.recipe.seed, report)
                tables = fit_tables(grid, bank, y, mask, report)
                span = np.stack([mask.argmax(1), grid.size - 1 - mask[:, ::-1].argmax(1)], 1)
                held = {
                    f"{m}.sample": torch.tensor(samples, dtype=torch.int32),
                    f"{m}.start": torch.tensor(tables.start, dtype=torch.int32),
                    f"{m}.shape": torch.tensor(tables.shape, dtype=torch.uint8),
                    f"{m}.place": torch.tensor(tables.place, dtype=torch.int16),
                    f"{m}.height": torch.tensor(tables.height, dtype=torch.float16),
                    f"{m}.span": torch.tensor(span, dtype=torch.int16),
                    f"{m}.bank": torch.tensor([bank.fwhm, bank.mixing], dtype=torch.float64),
                }
                self.checkpoints.put(name, held)
            fwhm, mixing = held[f"{m}.bank"].tolist()
            banks[m] = Bank(tuple(fwhm), tuple(mixing))
            tensors |= {k: v for k, v in held.items() if k != f"{m}.bank"}
        return banks, tensors

    def _config(self, banks: Mapping[str, Bank]) -> Config:
        return Config(
            "", "", "", __version__, {m: self.whole.grids[m] for m in self.modalities}, banks,
            {m: default_views(self.whole.grids[m]) for m in self.modalities},
            tuple((self.whole.ids[i], self.whole.minerals[i]) for i in self.index),
        )  # fmt: skip

    def _queries(self, memory: Memory) -> Query:
        """Measured spectra of all own samples against the whole memory; absent ones are 0."""
        cosines = {}
        for m in self.modalities:
            samples, rows = self._primary(m)
            y = torch.tensor(self.whole.spectra[m].y[rows])
            mask = torch.tensor(self.whole.spectra[m].mask[rows])
            out = torch.zeros(len(self.index), len(memory.config.views[m]), len(memory.rows[m]))
            for low in range(0, len(samples), 256):
                part = slice(low, low + 256)
                out[samples[part]] = memory.cosines(m, y[part], mask[part])
            cosines[m] = out
        return Query(cosines, memory.composition)

    def _truth(self, memory: Memory, target: str) -> Tensor:
        """Measured target spectra, centred, of unit length, shape (samples, size)."""
        samples, rows = self._primary(target)
        y = torch.tensor(self.whole.spectra[target].y[rows])
        mask = torch.tensor(self.whole.spectra[target].mask[rows])
        mean = (y * mask).sum(0) / mask.sum(0).clamp_min(1)
        out = torch.zeros(len(self.index), y.shape[1])
        out[samples] = unit(torch.where(mask, y, mean))
        return out

    def patterns(self, target: str) -> Iterator[tuple[str, ...]]:
        """All non-empty sets of sources of a target."""
        sources = list(patterns_of(self._config({}), target))
        for n in range(1, len(sources) + 1):
            yield from itertools.combinations(sources, n)

    def _held(
        self, memory: Memory, queries: Query, target: str, part: tuple[float, float]
    ) -> Iterator[Held]:
        """Pairs of all inner folds and patterns."""
        n = len(self.index)
        has = {m: (memory.row_of(m) >= 0).numpy() for m in self.modalities}
        has[FORMULA] = memory.composition.known.numpy()
        members = np.ones(n, bool)
        seed = self.recipe.seed + 7
        by_stem = folds_by_stem(self.stems, members, FOLDS, seed)
        paired = has[target] & np.any([has[m] for m in self.modalities if m != target], axis=0)
        siblings = folds_of_siblings(self.minerals, paired, FOLDS, seed)
        truth = self._truth(memory, target)
        for fold in range(FOLDS):
            new = by_stem == fold
            known = (siblings == fold) & ~new
            seen = memory.restricted(~new & ~known, self.minerals)
            kept = {m: torch.as_tensor(~(new | known))[memory.rows[m]] for m in self.modalities}
            local = Query(
                {m: c[:, :, kept[m]] for m, c in queries.cosines.items()}, queries.composition
            )
            stored = seen.target(target)
            torch.manual_seed(seed + fold)
            basis = torch.linalg.qr(
                torch.svd_lowrank(stored, q=min(RANK, *stored.shape), niter=2)[2]
            )[0]
            shrunk = stored @ basis
            names = {self.minerals[i] for i in np.flatnonzero(~(new | known) & has[target])}
            for i, sources in enumerate(self.patterns(target)):
                done = (fold + i / 2 ** len(self.modalities)) / FOLDS
                self.check(part[0] + 0.3 * part[1] * done, f"Preparing {target}, fold {fold + 1}")
                given = np.all([has[s] for s in sources], axis=0) & has[target]
                if sources == (FORMULA,):
                    given &= paired
                sibling = known & np.array([m in names for m in self.minerals])
                chosen = np.flatnonzero(given & (new | sibling))
                enough = all(len(seen.ridge((s,), target).samples) >= 4 for s in sources)
                if len(chosen) < 3 or not enough:
                    continue
                found = []
                for low in range(0, len(chosen), 128):
                    at = torch.as_tensor(chosen[low : low + 128])
                    pairs = build_pairs(seen, local.take(at, sources), target)
                    found.append(
                        dataclasses.replace(
                            pairs,
                            features=pairs.features.half(),
                            ridge=pairs.ridge.half(),
                            answer=None,
                        )
                    )
                joined = Pairs(
                    torch.cat([p.rows for p in found]), torch.cat([p.features for p in found]),
                    torch.cat([p.ridge for p in found]), found[0].pattern,
                    torch.cat([p.familiarity for p in found]),
                )  # fmt: skip
                yield Held(
                    fold, known[chosen], chosen, joined, truth[torch.as_tensor(chosen)] @ basis,
                    shrunk,
                )  # fmt: skip

    def _scorers(
        self, config: Config, target: str, held: Sequence[Held], part: tuple[float, float]
    ) -> tuple[dict[str, dict[str, Tensor]], list[PairScorer]]:
        """The members, and per fold one scorer that did not see the fold."""
        plans = [(str(k), held, k) for k in range(self.recipe.members)]
        for fold in range(FOLDS):
            others = [h for h in held if h.fold != fold]
            plans.append((f"without{fold}", others, 100 + fold))
        states: dict[str, dict[str, Tensor]] = {}
        crossed = []
        for i, (name, data, seed) in enumerate(plans):
            low = part[0] + part[1] * (0.3 + 0.65 * i / len(plans))
            scorer = PairScorer(
                feature_count(config, target), 1 << len(config.grids), self.recipe.hidden
            )
            state = self.checkpoints.get(f"scorer.{target}.{name}")
            if state is None:
                scorer = self._fit(
                    config, target, data, seed, low, 0.65 * part[1] / len(plans)
                )  # fmt: skip
                state = {k: v.clone() for k, v in scorer.state_dict().items()}
                self.checkpoints.put(f"scorer.{target}.{name}", state)
            scorer.load_state_dict(state)
            if name.startswith("without"):
                crossed.append(scorer.eval())
            else:
                states[name] = state
        return states, crossed

    def _fit(
        self,
        config: Config,
        target: str,
        held: Sequence[Held],
        seed: int,
        *span: float,
        start: Mapping[str, Tensor] | None = None,
    ) -> PairScorer:
        """Train one scorer on all patterns, from new weights or from given ones."""
        recipe = self.recipe
        torch.manual_seed(1000 * recipe.seed + seed)
        rng = np.random.default_rng([recipe.seed, seed])
        scorer = PairScorer(feature_count(config, target), 1 << len(config.grids), recipe.hidden)
        if start is not None:
            scorer.load_state_dict(dict(start))
        else:
            drawn = torch.cat(
                [h.pairs.features[::4].reshape(-1, h.pairs.features.shape[-1]).float()
                 for h in held]
            )  # fmt: skip
            scorer.mean.copy_(drawn.mean(0))
            scorer.scale.copy_(drawn.std(0) + 0.05)
            del drawn
        sizes = [-(-len(h.samples) // BATCH) for h in held]
        steps = recipe.epochs * sum(sizes)
        optimiser = torch.optim.AdamW(scorer.parameters(), lr=recipe.rate,
                                      weight_decay=recipe.decay)  # fmt: skip
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, steps)
        done = 0
        for _ in range(recipe.epochs):
            chunks = [
                (h, rows)
                for h, size in zip(held, sizes, strict=True)
                for rows in np.array_split(rng.permutation(len(h.samples)), size)
            ]
            for i in rng.permutation(len(chunks)):
                if done % 20 == 0:
                    self.check(span[0] + span[1] * done / steps, f"Training for {target}")
                h, rows = chunks[i]
                pairs, truth = h.batch(rows)
                loss = torch.zeros(())
                for mixed in stages(scorer, pairs, h.basis):
                    made = mixed.answer
                    loss = loss - ((made * truth).sum(1) / made.norm(dim=1).clamp_min(1e-6)).mean()
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
                done += 1
        return scorer.eval()

    @torch.no_grad()
    def _calibrate(
        self,
        config: Config,
        memory: Memory,
        target: str,
        held: Sequence[Held],
        crossed: Sequence[PairScorer],
    ) -> tuple[dict[str, Any], list[int], dict[str, Any]]:
        """Familiarity, bands and fallback from queries that the scorers never saw."""
        bits = patterns_of(config, target)
        rows: list[_Judged] = []
        for h in held:
            everything, truth = h.batch(np.arange(len(h.samples)))
            mixed = mix(crossed[h.fold], everything, h.basis)
            made, ridge = mixed.answer, everything.ridge @ h.basis
            nearest = h.basis[everything.ridge.argmax(1)]
            r, r_ridge, r_nearest = (
                ((p * truth).sum(1) / p.norm(dim=1).clamp_min(1e-9)).numpy()
                for p in (made, ridge, nearest)
            )
            x = familiarity_inputs(everything, mixed.shares).numpy()
            rows.append(_Judged(h, x, r, r_ridge, r_nearest))
        noise = self._noise(memory, target, crossed[0])
        judge = {"all": fit_judge(np.concatenate([*(j.x for j in rows), *noise.values()]),
                                  np.concatenate([*(j.held.known for j in rows),
                                                  np.zeros(sum(map(len, noise.values())), bool)]))
                 }  # fmt: skip
        scores: dict[str, Any] = {}
        fallback: list[int] = []
        for pattern in sorted({j.held.pairs.pattern for j in rows}):
            mine = [j for j in rows if j.held.pairs.pattern == pattern]
            known = np.concatenate([j.held.known for j in mine])
            x = np.concatenate([j.x for j in mine])
            if known.sum() >= 30 and (~known).sum() >= 30:
                false = noise.get(pattern, x[:0])
                judge[str(pattern)] = fit_judge(
                    np.concatenate([x, false]), np.concatenate([known, np.zeros(len(false), bool)])
                )
            r = np.stack([np.concatenate([getattr(j, k) for j in mine])
                          for k in ("r", "r_ridge", "r_nearest")])  # fmt: skip
            name = "+".join(s for s, bit in bits.items() if bit & pattern)
            scores[name] = {
                group: {
                    "n": int(mask.sum()),
                    **{k: round(float(v), 4) for k, v in zip(
                        ("network", "ridge", "nearest"), r[:, mask].mean(1), strict=True)},
                }
                for group, mask in (("known", known), ("new", ~known)) if mask.any()
            }  # fmt: skip
            if (r[1] - r[0]).mean() > 0.003:
                fallback.append(pattern)
        bands = self._bands(memory, target, rows, judge, crossed)
        return {"familiarity": judge, "bands": bands}, fallback, scores

    def _noise(
        self, memory: Memory, target: str, scorer: PairScorer
    ) -> dict[int, NDArray[np.float32]]:
        """Familiarity inputs of what is no mineral: noise, flat lines, drifts, by pattern."""
        rng = np.random.default_rng(self.recipe.seed + 1)
        count = 40
        cosines = {}
        for m in (m for m in self.modalities if m != target):
            y = torch.tensor(no_mineral(rng, self.whole.grids[m], count))
            cosines[m] = memory.cosines(m, y, torch.ones_like(y, dtype=torch.bool))
        known = memory.composition.known.nonzero()[:, 0].numpy()
        out: dict[int, NDArray[np.float32]] = {}
        for sources in self.patterns(target):
            if sources == (FORMULA,) or (FORMULA in sources and not len(known)):
                continue
            composition = None
            if FORMULA in sources:
                composition = memory.composition.take(torch.as_tensor(rng.choice(known, count)))
            query = Query({m: c for m, c in cosines.items() if m in sources}, composition)
            try:
                pairs = build_pairs(memory, query, target)
            except RuntimeError:
                continue
            shares = mix(scorer, pairs, memory.target(target)).shares
            out[pairs.pattern] = familiarity_inputs(pairs, shares).numpy()
        return out

    def _bands(
        self,
        memory: Memory,
        target: str,
        rows: Sequence[_Judged],
        judge: Mapping[str, Any],
        crossed: Sequence[PairScorer],
    ) -> dict[str, Any]:
        """Multiples of sigma that hold 90 %, by class of familiarity."""
        spectra = self.whole.spectra[target]
        of = spectra.of_samples(len(self.whole))[self.index]
        z: list[NDArray[np.float32]] = []
        simultaneous: list[NDArray[np.float32]] = []
        levels: list[NDArray[np.float64]] = []
        rng = np.random.default_rng(self.recipe.seed)
        keep: dict[int, Memory] = {}
        n = len(self.index)
        members = np.ones(n, bool)
        for j in rows:
            h = j.held
            if h.fold not in keep:
                out = np.zeros(n, bool)
                for other in rows:
                    if other.held.fold == h.fold:
                        out[other.held.samples] = True
                by_stem = folds_by_stem(self.stems, members, FOLDS, self.recipe.seed + 7)
                out |= by_stem == h.fold
                keep[h.fold] = memory.restricted(~(out | self._siblings(target, h.fold)),
                                                 self.minerals)  # fmt: skip
            chosen = np.sort(rng.choice(len(h.samples), min(120, len(h.samples)), replace=False))
            pairs, _ = h.batch(chosen)
            seen = keep[h.fold]
            mixed = mix(crossed[h.fold], pairs, seen.target(target))
            y, _, sigma = compose(seen, target, mixed.answer, mixed.shares)
            at = of[h.samples[chosen]]
            truth, mask = spectra.y[at], spectra.mask[at]
            value = ((torch.tensor(truth) - y) / sigma).numpy()
            value = np.where(mask, value, np.nan)
            step = max(1, value.shape[1] // 300)
            z.append(value[:, ::step])
            simultaneous.append(np.stack([np.nanmin(value, 1), np.nanmax(value, 1)], 1))
            levels.append(judged(judge.get(str(h.pairs.pattern), judge["all"]), j.x[chosen]))
        level, points = np.concatenate(levels), np.concatenate(z)
        extremes = np.concatenate(simultaneous)
        edges = np.quantile(level, [0, 1 / 3, 2 / 3, 1])
        tail = (1 - COVERAGE) / 2
        centres, factors = [], []
        for low, high in itertools.pairwise(edges):
            inside = (level >= low) & (level <= high)
            part, ends = points[inside], extremes[inside]
            centres.append(float(level[inside].mean()))
            factors.append([
                float(np.nanquantile(part, tail)), float(np.nanquantile(part, 1 - tail)),
                float(np.quantile(ends[:, 0], tail)), float(np.quantile(ends[:, 1], 1 - tail)),
            ])  # fmt: skip
        return {"centres": centres, "factors": factors}

    def _siblings(self, target: str, fold: int) -> NDArray[np.bool_]:
        has = {m: np.zeros(len(self.index), bool) for m in self.modalities}
        for m in self.modalities:
            has[m][self._primary(m)[0]] = True
        paired = has[target] & np.any([has[m] for m in self.modalities if m != target], axis=0)
        return folds_of_siblings(self.minerals, paired, FOLDS, self.recipe.seed + 7) == fold


@dataclass
class _Judged:
    """Cross-validated answers to one :class:`Held`."""

    held: Held
    x: NDArray[np.float32]
    r: NDArray[np.float32]
    r_ridge: NDArray[np.float32]
    r_nearest: NDArray[np.float32]


def no_mineral(rng: np.random.Generator, grid: Grid, count: int) -> NDArray[np.float32]:
    """Spectra without a mineral: white and smooth noise, drifts, flat lines, one broad hump."""
    out = np.empty((count, grid.size), np.float32)
    x = grid.x
    at = (x - x[0]) / (x[-1] - x[0])
    for i in range(count):
        white = rng.normal(size=grid.size)
        kind = i % 4
        if kind == 0:
            y = white
        elif kind == 1:
            y = gaussian_filter1d(white, rng.uniform(2, grid.size / 20))
        elif kind == 2:
            y = rng.normal() * at + rng.normal() * at**2 + 0.02 * white
        else:
            y = np.exp(-(((at - rng.uniform()) / rng.uniform(0.1, 0.5)) ** 2)) + 0.02 * white
        out[i] = prepare((x, y), grid).y
    return out


def fit_judge(x: NDArray[np.floating], known: NDArray[np.bool_]) -> dict[str, Any]:
    """Logistic regression of known against new minerals, both weighing the same."""
    mean, scale = x.mean(0), x.std(0) + 1e-3
    inputs = torch.tensor((x - mean) / scale, dtype=torch.float64)
    labels = torch.tensor(known, dtype=torch.float64)
    share = labels.mean().clamp(0.01, 0.99)
    weight = torch.where(labels > 0, 0.5 / share, 0.5 / (1 - share))
    beta = torch.zeros(x.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([beta], max_iter=100)

    def closure() -> Tensor:
        optimiser.zero_grad()
        logits = inputs @ beta[1:] + beta[0]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels, weight)
        loss = loss + 1e-2 * (beta[1:] ** 2).sum()
        loss.backward()
        return loss

    with torch.enable_grad():
        optimiser.step(closure)
    found = beta.detach().numpy()
    return {
        "mean": [round(float(v), 6) for v in mean],
        "scale": [round(float(v), 6) for v in scale],
        "weight": [round(float(v), 6) for v in found[1:]],
        "bias": round(float(found[0]), 6),
    }


def judged(judge: Mapping[str, Any], x: NDArray[np.floating]) -> NDArray[np.float64]:
    """Familiarity of each row."""
    z = (x - np.array(judge["mean"])) / np.array(judge["scale"])
    return 1 / (1 + np.exp(-(z @ np.array(judge["weight"]) + judge["bias"])))


def finish(config: Config, model_id: str, name: str, training: Mapping[str, Any]) -> Config:
    """Name and date a config."""
    return dataclasses.replace(
        config, model_id=model_id, name=name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        training={
            **training, "torch": torch.__version__, "numpy": np.__version__,
            "python": platform.python_version(),
        },
    )  # fmt: skip
