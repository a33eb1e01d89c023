"""Train a model: line tables, autoencoder, pair scorers, calibration, bundle.

The autoencoder learns from all samples; for each inner fold another one that never saw the fold is
trained, whose codes the scorers get to see for the fold's queries. Scorers learn on queries held
out from the memory in inner folds (whole mineral stems, samples whose mineral stays, and whole
anion families), so that they see at training what they will see at use. Each member of the
ensemble of scorers does without one fold, on which bands and familiarity are calibrated.
Every stage is kept in a checkpoint folder beside the bundle and is not repeated after an
interruption; equal requests give equal weights on one machine.
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
    familiar,
    familiarity_inputs,
    feature_count,
    patterns_of,
    ridge_part,
    settled,
    shares_of,
    stages,
    with_ridge,
)
from spectrogen_app.generation.background import DEFAULTS
from spectrogen_app.generation.config import Bank, Config, View
from spectrogen_app.generation.latent import load_latent
from spectrogen_app.generation.memory import Memory, Query, remember, unit
from spectrogen_app.processing.scoring import Grid, prepare
from spectrogen_app.training.autoencoder import encode, fit_autoencoder
from spectrogen_app.training.dataset import Dataset
from spectrogen_app.training.splits import folds_by_family, folds_by_stem, folds_of_siblings
from spectrogen_app.training.tables import fit_tables, learn_bank

FOLDS = 4
FAMILY_FOLDS = 2
KNOWN, NEW, FAMILY = range(3)
GROUPS = ("known", "new", "family")
"""Held-out queries: of a mineral that stays, of a mineral left out, of an anion family left out."""
RANK = 256
"""Directions of a target in which answers are compared and the loss is computed."""
BATCH = 64
COVERAGE = 0.9
RIDGE_PARTS = (0.0, 0.3, 0.6, 1.0)
"""What kernel ridge regression may have of an answer to a wholly unfamiliar query."""
CLASSES = 8
"""Classes of familiarity for which bands are calibrated."""
LEAST_IN_CLASS = 50


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
    seed : int
    """

    epochs: int = 12
    rate: float = 2e-3
    decay: float = 1e-2
    hidden: int = 64
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
class Fold:
    """One inner fold: what the memory is without it, and all samples as queries to that.

    Attributes
    ----------
    queries : tuple of Query
        By their primary spectra, and by replicates.
    group : ndarray of int, shape (samples,)
        ``KNOWN``, ``NEW`` or ``FAMILY`` of what is left out, -1 for what stays.
    """

    seen: Memory
    queries: tuple[Query, Query]
    group: NDArray[np.int64]


@dataclass
class Held:
    """Pairs of held-out queries from one fold and pattern of sources."""

    fold: int
    group: NDArray[np.int64]
    samples: NDArray[np.int64]
    pairs: Pairs
    truth: Tensor
    shadow: Tensor

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
        self.asked = np.ones(len(self.index), bool)
        """Samples that inner folds may leave out."""
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
        truth = self._shadows(memory)
        tensors |= {f"{m}.shadow": s.half() for m, s in memory.shadow.items()}
        folds, latent = self._encoded(memory, truth[0])
        tensors |= latent
        settings: dict[str, Any] = {
            "targets": list(self.modalities), "members": FOLDS,
            "coverage": COVERAGE, "calibration": {}, "ridge": {},
            "background": {k: list(v) for k, v in DEFAULTS.items() if k in self.modalities},
        }  # fmt: skip
        metrics: dict[str, Any] = {}
        for i, target in enumerate(self.modalities):
            part = (0.3 + 0.7 * i / len(self.modalities), 0.7 / len(self.modalities))
            held = list(self._held(folds, truth, target, part))
            members = self._scorers(config, target, held, part)
            for k, member in enumerate(members):
                tensors |= {f"scorer.{target}.{k}.{n}": v for n, v in member.state_dict().items()}
            calibration, ridge, scores = self._calibrate(
                config, memory, folds, target, held, members=members
            )
            settings["calibration"][target] = calibration
            settings["ridge"][target] = ridge
            metrics[target] = scores
        spectral = [s for n in range(1, len(self.modalities) + 1)
                    for s in itertools.combinations(self.modalities, n)]  # fmt: skip
        for sources in spectral:
            dual = memory.composition_dual(sources)[2]
            if len(dual):
                tensors["composition.dual." + "+".join(sources)] = dual.clone()
        return dataclasses.replace(config, settings=settings), tensors, metrics

    def _chosen(
        self, modality: str, *, replicates: bool = False
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Own samples that have the modality, and the row of one spectrum of each.

        That is the primary one, or one drawn from the others (lasers, replicates) if there are any.
        """
        spectra = self.whole.spectra[modality]
        rows = spectra.of_samples(len(self.whole))
        if replicates:
            rng = np.random.default_rng(self.recipe.seed)
            others = rng.permutation(np.flatnonzero(~spectra.primary))
            rows[spectra.sample[others]] = others
        rows = rows[self.index]
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
                samples, rows = self._chosen(m)
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

    def _queries(self, memory: Memory, *, replicates: bool = False) -> Query:
        """Measured spectra of all own samples against the whole memory; absent ones are 0."""
        cosines = {}
        for m in self.modalities:
            samples, rows = self._chosen(m, replicates=replicates)
            y = torch.tensor(self.whole.spectra[m].y[rows])
            mask = torch.tensor(self.whole.spectra[m].mask[rows])
            out = torch.zeros(len(self.index), len(memory.config.views[m]), len(memory.rows[m]))
            for low in range(0, len(samples), 256):
                part = slice(low, low + 256)
                out[samples[part]] = memory.cosines(m, y[part], mask[part])
            cosines[m] = out
        return Query(cosines, memory.composition)

    def _truth(self, target: str, *, replicates: bool = False) -> Tensor:
        """Measured target spectra, centred, of unit length, shape (samples, size)."""
        samples, rows = self._chosen(target, replicates=replicates)
        y = torch.tensor(self.whole.spectra[target].y[rows])
        mask = torch.tensor(self.whole.spectra[target].mask[rows])
        mean = (y * mask).sum(0) / mask.sum(0).clamp_min(1)
        out = torch.zeros(len(self.index), y.shape[1])
        out[samples] = unit(torch.where(mask, y, mean))
        return out

    def _shadows(self, memory: Memory) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Give the memory its shadows; the measured spectra in the same coordinates.

        Of the primary spectra, and of replicates.
        """
        truth: tuple[dict[str, Tensor], dict[str, Tensor]] = ({}, {})
        for m in self.modalities:
            torch.manual_seed(self.recipe.seed)
            stored = unit(memory.spectra[m])
            directions = torch.svd_lowrank(stored, q=min(RANK, *stored.shape), niter=2)[2]
            basis = torch.linalg.qr(directions)[0]
            memory.shadow[m] = (stored @ basis).half().float()
            for replicates, found in enumerate(truth):
                found[m] = self._truth(m, replicates=bool(replicates)) @ basis
        return truth

    def has(self) -> dict[str, NDArray[np.bool_]]:
        """Which own samples have each source."""
        known = {m: self.whole.has(m)[self.index] for m in self.modalities}
        return known | {FORMULA: self.whole.has(FORMULA)[self.index]}

    def _encoded(
        self, memory: Memory, truth: Mapping[str, Tensor]
    ) -> tuple[list[Fold], dict[str, Tensor]]:
        """Train the autoencoders; the inner folds, and the tensors of the one to keep."""
        n = len(self.index)
        has = self.has()
        queries = [self._queries(memory, replicates=r) for r in (False, True)]
        known_sources = {s: torch.as_tensor(h) for s, h in has.items()}
        seed = self.recipe.seed + 7
        by_stem = folds_by_stem(self.stems, np.ones(n, bool), FOLDS, seed)
        paired = np.sum([has[m] for m in self.modalities], axis=0) > 1
        siblings = folds_of_siblings(self.minerals, paired, FOLDS, seed)
        by_family = folds_by_family([self.whole.families[i] for i in self.index], FAMILY_FOLDS)
        plans = [np.where(by_stem == k, NEW, np.where(siblings == k, KNOWN, -1))
                 for k in range(FOLDS)]  # fmt: skip
        plans += [np.where(by_family == k, FAMILY, -1) for k in range(FAMILY_FOLDS)]
        folds = []
        for fold, group in enumerate([*plans, None]):
            part = (0.15 + 0.15 * fold / (len(plans) + 1), 0.15 / (len(plans) + 1))
            seen, local, keep, name = memory, queries, np.ones(n, bool), "all"
            if group is not None:
                group[~self.asked] = -1
                keep, name = group < 0, str(fold)
                if fold >= FOLDS and keep.all():
                    continue
                seen = memory.restricted(keep, self.minerals)
                at = {m: torch.as_tensor(keep)[memory.rows[m]] for m in self.modalities}
                local = [
                    Query({m: c[:, :, at[m]] for m, c in q.cosines.items()}, q.composition)
                    for q in queries
                ]
            self._autoencoder(name, seen, local[0], truth, keep=keep, part=part)
            primary, seen.keys = encode(seen, local[0], known_sources)
            if group is not None:
                folds.append(Fold(seen, (primary, encode(seen, local[1], known_sources)[0]), group))
        assert memory.latent is not None
        assert memory.keys is not None
        state = {f"latent.{k}": v.half() for k, v in memory.latent.state_dict().items()}
        return folds, state | {"latent.keys": memory.keys.half()}

    def _autoencoder(
        self,
        name: str,
        seen: Memory,
        queries: Query,
        truth: Mapping[str, Tensor],
        *,
        keep: NDArray[np.bool_],
        part: tuple[float, float],
    ) -> None:
        """Give a memory its autoencoder."""
        held = self.checkpoints.get(f"latent.{name}")
        if held is None:
            _, stems = np.unique(self.stems, return_inverse=True)
            seen.latent = fit_autoencoder(
                seen, queries, truth, stems, keep, seed=self.recipe.seed,
                check=lambda f: self.check(part[0] + part[1] * f, "Training the autoencoder"),
                epochs=5 * self.recipe.epochs,
            )  # fmt: skip
            held = {f"latent.{k}": v for k, v in seen.latent.state_dict().items()}
            self.checkpoints.put(f"latent.{name}", held | {"latent.keys": torch.zeros(1)})
        else:
            seen.latent, _ = load_latent(held)

    def patterns(self, target: str) -> Iterator[tuple[str, ...]]:
        """All non-empty sets of sources of a target."""
        sources = list(patterns_of(self._config({}), target))
        for n in range(1, len(sources) + 1):
            yield from itertools.combinations(sources, n)

    def _held(
        self,
        folds: Sequence[Fold],
        truth: Sequence[Mapping[str, Tensor]],
        target: str,
        part: tuple[float, float],
    ) -> Iterator[Held]:
        """Pairs of all inner folds and patterns, half of them of replicates."""
        has = self.has()
        paired = has[target] & np.any([has[m] for m in self.modalities if m != target], axis=0)
        minerals = np.array(self.minerals)
        for fold, left in enumerate(folds):
            seen = left.seen
            stays = np.isin(minerals, minerals[(left.group < 0) & has[target]])
            asked = (left.group > KNOWN) | (left.group == KNOWN) & stays
            for i, sources in enumerate(self.patterns(target)):
                done = (fold + i / 2 ** len(self.modalities)) / len(folds)
                self.check(part[0] + 0.3 * part[1] * done, f"Preparing {target}, fold {fold + 1}")
                given = np.all([has[s] for s in sources], axis=0) & has[target]
                if sources == (FORMULA,):
                    given &= paired
                chosen = np.flatnonzero(given & asked)
                enough = all(len(seen.ridge((s,), target).samples) >= 4 for s in sources)
                if len(chosen) < 3 or not enough:
                    continue
                variant = (fold + i) % 2
                found = []
                for low in range(0, len(chosen), 128):
                    at = torch.as_tensor(chosen[low : low + 128])
                    with torch.no_grad():
                        query = left.queries[variant].take(at, sources)
                        pairs = build_pairs(seen, query, target)
                    found.append(
                        dataclasses.replace(
                            pairs, features=pairs.features.half(), ridge=pairs.ridge.half()
                        )
                    )
                joined = Pairs(
                    torch.cat([p.rows for p in found]), torch.cat([p.features for p in found]),
                    torch.cat([p.ridge for p in found]), found[0].pattern,
                    torch.cat([p.familiarity for p in found]),
                )  # fmt: skip
                yield Held(
                    fold, left.group[chosen], chosen, joined,
                    truth[variant][target][torch.as_tensor(chosen)], seen.shadow[target],
                )  # fmt: skip

    def _scorers(
        self, config: Config, target: str, held: Sequence[Held], part: tuple[float, float]
    ) -> list[PairScorer]:
        """The members, each trained without one inner fold and one family fold."""
        members = []
        for fold in range(FOLDS):
            low = part[0] + part[1] * (0.3 + 0.65 * fold / FOLDS)
            scorer = PairScorer(feature_count(config, target), self.recipe.hidden)
            state = self.checkpoints.get(f"scorer.{target}.{fold}")
            if state is None:
                others = [h for h in held if h.fold % FOLDS != fold]
                scorer = self._fit(config, target, others, fold, low, 0.65 * part[1] / FOLDS)
                state = {k: v.clone() for k, v in scorer.state_dict().items()}
                self.checkpoints.put(f"scorer.{target}.{fold}", state)
            scorer.load_state_dict(state)
            members.append(scorer.eval())
        return members

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
        scorer = PairScorer(feature_count(config, target), recipe.hidden)
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
                near = h.shadow[pairs.rows]
                for shares in stages(scorer, pairs, near):
                    loss = loss - correlated((shares[:, None] @ near)[:, 0], truth).mean()
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
        folds: Sequence[Fold],
        target: str,
        held: Sequence[Held],
        *,
        members: Sequence[PairScorer],
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Familiarity and bands, parts of kernel ridge, and scores, on what scorers never saw."""
        bits = patterns_of(config, target)
        rows: list[_Judged] = []
        for h in held:
            everything, _ = h.batch(np.arange(len(h.samples)))
            shares = shares_of((members[h.fold % FOLDS],), everything, h.shadow)
            rows.append(_Judged(h, familiarity_inputs(everything, shares).numpy(), shares))
        noise = self._noise(memory, target, members[0])
        judge = {"all": _judge(rows, list(noise.values()))}
        by_pattern = {
            p: [j for j in rows if j.held.pairs.pattern == p]
            for p in sorted({j.held.pairs.pattern for j in rows})
        }
        for pattern, mine in by_pattern.items():
            known = np.concatenate([j.held.group == KNOWN for j in mine])
            if known.sum() >= 30 and (~known).sum() >= 30:
                judge[str(pattern)] = _judge(mine, [noise[pattern]] if pattern in noise else [])
        ridge: dict[str, float] = {}
        scores: dict[str, Any] = {}
        for pattern, mine in by_pattern.items():
            r = np.concatenate([self._compared(j, judge) for j in mine], 1)
            group = np.concatenate([j.held.group for j in mine])
            gain = r[: len(RIDGE_PARTS), group != KNOWN].mean(1) if (group != KNOWN).any() else [0]
            best = int(np.argmax(gain))
            ridge[str(pattern)] = RIDGE_PARTS[best]
            name = "+".join(s for s, bit in bits.items() if bit & pattern)
            columns = {"answer": best, "network": 0, "kernel ridge": -2, "nearest": -1}
            scores[name] = {
                GROUPS[g]: {
                    "n": int((group == g).sum()),
                    **{k: round(float(r[i, group == g].mean()), 4) for k, i in columns.items()},
                }
                for g in np.unique(group)
            }  # fmt: skip
        bands = self._bands(folds, target, rows, judge, ridge)
        return {"familiarity": judge, "bands": bands}, ridge, scores

    def _compared(self, j: _Judged, judge: Mapping[str, Any]) -> NDArray[np.float32]:
        """Correlations with the truth, shape (any, n).

        Of the network with each of :data:`RIDGE_PARTS`, of kernel ridge regression alone, and of
        the nearest.
        """
        pairs, truth = j.held.batch(np.arange(len(j.held.samples)))
        shadow = j.held.shadow
        familiarity = familiar(judge, pairs, j.shares)
        made = (settled(j.shares, familiarity)[:, None] @ shadow[pairs.rows])[:, 0]
        made = made / made.norm(dim=1, keepdim=True).clamp_min(1e-6)
        solved = pairs.ridge @ shadow
        answers = [made + part * (1 - familiarity)[:, None] * (solved - made)
                   for part in RIDGE_PARTS]  # fmt: skip
        answers += [solved, shadow[pairs.ridge.argmax(1)]]
        return np.stack([correlated(a, truth).numpy() for a in answers])

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
            given = {m: c for m, c in cosines.items() if m in sources}
            query = Query(given, composition, memory.experts(given, composition))
            try:
                pairs = build_pairs(memory, query, target)
            except RuntimeError:
                continue
            shares = shares_of((scorer,), pairs, memory.shadow[target])
            out[pairs.pattern] = familiarity_inputs(pairs, shares).numpy()
        return out

    def _bands(
        self,
        folds: Sequence[Fold],
        target: str,
        rows: Sequence[_Judged],
        judge: Mapping[str, Any],
        ridge: Mapping[str, float],
    ) -> dict[str, Any]:
        """Multiples of sigma that hold 90 %, by class of familiarity.

        Classes of familiar queries are calibrated on known minerals, the others on new ones.
        """
        spectra = self.whole.spectra[target]
        of = spectra.of_samples(len(self.whole))[self.index]
        z: list[NDArray[np.float32]] = []
        simultaneous: list[NDArray[np.float32]] = []
        levels: list[NDArray[np.float64]] = []
        known: list[NDArray[np.bool_]] = []
        rng = np.random.default_rng(self.recipe.seed)
        for j in rows:
            h = j.held
            chosen = np.sort(rng.choice(len(h.samples), min(120, len(h.samples)), replace=False))
            pairs, _ = h.batch(chosen)
            found = j.shares[chosen]
            seen = familiar(judge, pairs, found)
            shares, memory = settled(found, seen), folds[h.fold].seen
            part = ridge_part(ridge, pairs.pattern, seen)
            weights = with_ridge(memory, target, pairs, shares, part)
            y, sigma, _ = compose(memory, target, pairs.rows, shares, weights)
            at = of[h.samples[chosen]]
            off = (spectra.y[at] - y.numpy()) / sigma.numpy()
            off = np.where(spectra.mask[at], off, np.nan).astype(np.float32)
            z.append(off[:, :: max(1, off.shape[1] // 300)])
            simultaneous.append(np.stack([np.nanmin(off, 1), np.nanmax(off, 1)], 1))
            levels.append(seen.numpy().astype(float))
            known.append(h.group[chosen] == KNOWN)
        is_known = np.concatenate(known)
        level, points = np.concatenate(levels), np.concatenate(z)
        extremes = np.concatenate(simultaneous)
        edges = np.quantile(level, np.linspace(0, 1, CLASSES + 1))
        tail = (1 - COVERAGE) / 2
        centres, factors = [], []
        for low, high in itertools.pairwise(edges):
            inside = (level >= low) & (level <= high)
            centres.append(float(level[inside].mean()))
            alike = inside & (is_known == (centres[-1] > 0.5))
            if alike.sum() >= LEAST_IN_CLASS:
                inside = alike
            part, ends = points[inside], extremes[inside]
            factors.append([
                float(np.nanquantile(part, tail)), float(np.nanquantile(part, 1 - tail)),
                float(np.quantile(ends[:, 0], tail)), float(np.quantile(ends[:, 1], 1 - tail)),
            ])  # fmt: skip
        return {"centres": centres, "factors": factors}


@dataclass
class _Judged:
    """Cross-validated shares for one :class:`Held`."""

    held: Held
    x: NDArray[np.float32]
    shares: Tensor


def _judge(rows: Sequence[_Judged], noise: Sequence[NDArray[np.float32]]) -> dict[str, Any]:
    known = [j.held.group == KNOWN for j in rows] + [np.zeros(len(x), bool) for x in noise]
    return fit_judge(np.concatenate([*(j.x for j in rows), *noise]), np.concatenate(known))


def correlated(made: Tensor, truth: Tensor) -> Tensor:
    """Correlation with truths of unit length, shape (batch,)."""
    return (made * truth).sum(1) / made.norm(dim=1).clamp_min(1e-6)


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
