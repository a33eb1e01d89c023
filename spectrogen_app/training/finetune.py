"""Teach a model one's own samples: its memory grows by them, its scorers learn from them.

The base model's training samples come back as spectra rendered from its line tables, so nothing
but the bundle is needed. Calibration of bands and familiarity stays that of the base model.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spectrogen_app.errors import Check, TrainingError, unchecked
from spectrogen_app.generation.arch import PairScorer
from spectrogen_app.generation.bundle import load_parts, write_bundle
from spectrogen_app.generation.config import Config
from spectrogen_app.generation.latent import load_latent
from spectrogen_app.generation.memory import Memory, remember
from spectrogen_app.training.card import render_card
from spectrogen_app.training.dataset import Dataset, Spectra
from spectrogen_app.training.rruff import mineral_stem
from spectrogen_app.training.tables import fit_tables
from spectrogen_app.training.train import Checkpoints, Held, Recipe, Trainer, finish

LEAST_PAIRS = 12
"""With fewer own samples of two modalities the scorers stay as they are."""
SHARE_OF_EPOCHS = 0.3
SHARE_OF_RATE = 0.25


class _Continued(Trainer):
    """A training run that starts from a model and asks only about the new samples."""

    def __init__(
        self,
        dataset: Dataset,
        recipe: Recipe,
        checkpoints: Checkpoints,
        check: Check,
        *,
        base: tuple[Config, dict[str, Tensor]],
        old: int,
    ) -> None:
        super().__init__(dataset, np.ones(len(dataset), bool), recipe, checkpoints, check)
        self.base_config, self.base_tensors = base
        self.asked = np.arange(len(dataset)) >= old
        self.old = old

    def memory(self) -> tuple[Config, dict[str, Tensor], Memory]:
        """The base's line tables with those of the new samples behind them."""
        tensors = {
            k: v for k, v in self.base_tensors.items()
            if not k.startswith(("scorer.", "composition.dual.")) and not k.endswith(".shadow")
        }  # fmt: skip
        tensors["composition"] = torch.tensor(self.whole.composition, dtype=torch.float32)
        for m, bank in self.base_config.banks.items():
            samples, rows = self._chosen(m)
            rows, samples = rows[samples >= self.old], samples[samples >= self.old]
            if not len(rows):
                continue
            spectra, grid = self.whole.spectra[m], self.whole.grids[m]
            y, mask = spectra.y[rows], spectra.mask[rows]
            tables = fit_tables(grid, bank, y, mask, self.check)
            span = np.stack([mask.argmax(1), grid.size - 1 - mask[:, ::-1].argmax(1)], 1)
            start = tables.start[1:] + int(tensors[f"{m}.start"][-1])
            for key, new in (
                ("sample", samples), ("start", start), ("shape", tables.shape),
                ("place", tables.place), ("height", tables.height), ("span", span),
            ):  # fmt: skip
                held = tensors[f"{m}.{key}"]
                tensors[f"{m}.{key}"] = torch.cat([held, torch.tensor(new).to(held.dtype)])
        config = dataclasses.replace(
            self.base_config,
            samples=tuple(zip(self.whole.ids, self.whole.minerals, strict=True)),
        )
        return config, tensors, remember(config, tensors)[0]

    def _autoencoder(self, name: str, seen: Memory, *_: Any, **__: Any) -> None:
        """The base's autoencoder; its encoders read what the new samples bring."""
        seen.latent, _keys = load_latent(self.base_tensors)


def finetune(
    base: Path,
    data: Path,
    out: Path,
    *,
    name: str = "",
    recipe: Recipe | None = None,
    check: Check = unchecked,
) -> Path:
    """Add one's own samples to a model and write the new bundle.

    Parameters
    ----------
    base : Path
        Bundle to start from.
    data : Path
        Table or data set of one's own samples, see
        :func:`spectrogen_app.training.command.read_data`.
    out : Path

    Raises
    ------
    TrainingError
        The data hold nothing that the base model knows.
    ModelError
        The base is missing, damaged or altered.
    """
    from spectrogen_app.training.command import checkpoint_folder, read_data

    recipe = recipe or Recipe()
    recipe = dataclasses.replace(
        recipe, epochs=max(1, round(SHARE_OF_EPOCHS * recipe.epochs)),
        rate=SHARE_OF_RATE * recipe.rate,
    )  # fmt: skip
    config, tensors, base_metrics = load_parts(base)
    own = read_data(data, check)
    usable = [m for m in own.spectra if m in config.grids]
    if not usable:
        raise TrainingError(
            f"The data hold {', '.join(own.spectra)}, the base model knows "
            f"{', '.join(config.grids)}.",
            hint="Train a new model without --from; it learns any modality.",
        )
    merged, old = _merged(config, tensors, own)
    key = json.dumps([merged.sha256, dataclasses.asdict(recipe), "finetune"])
    checkpoints = Checkpoints(checkpoint_folder(out), key)
    run = _Continued(merged, recipe, checkpoints, check, base=(config, tensors), old=old)
    config, tensors_new, memory = run.memory()
    truth = run._shadows(memory)
    tensors_new |= {f"{m}.shadow": s.half() for m, s in memory.shadow.items()}
    folds, latent = run._encoded(memory, truth[0])
    tensors_new |= latent
    targets = list(config.settings["targets"])
    learned: dict[str, int] = {}
    for i, target in enumerate(targets):
        part = (i / len(targets), 1 / len(targets))
        has = merged.has(target) & np.any(
            [merged.has(m) for m in config.grids if m != target], axis=0
        )
        enough = has[old:].sum() >= LEAST_PAIRS
        held = list(run._held(folds, truth, target, part)) if enough else []
        learned[target] = sum(len(h.samples) for h in held)
        for k in range(int(config.settings["members"])):
            prefix = f"scorer.{target}.{k}."
            state = {n[len(prefix) :]: t for n, t in tensors.items() if n.startswith(prefix)}
            if held:
                state = _continued(run, config, target, held, k, state, part)
            tensors_new |= {prefix + n: t for n, t in state.items()}
    for n in range(1, len(config.grids) + 1):
        for sources in itertools.combinations(config.grids, n):
            dual = memory.composition_dual(sources)[2]
            if len(dual):
                tensors_new["composition.dual." + "+".join(sources)] = dual.clone()
    about: dict[str, Any] = {
        **config.training, "own_data": True, "base": config.model_id, "data": own.sha256,
        "source": f"Started from {config.model_id}; {len(own)} own samples were added, and the "
        f"scorers learned from {sum(learned.values())} questions about them. Bands and "
        "familiarity keep the calibration of the base model.",
        "seed": recipe.seed, "recipe": dataclasses.asdict(recipe),
    }  # fmt: skip
    config = finish(config, out.name, name or f"{config.name} with own data", about)
    metrics = {k: v for k, v in base_metrics.items() if k == "cross_validation"}
    write_bundle(out, config, tensors_new, render_card(config, metrics), metrics)
    checkpoints.clear()
    check(1.0, "Trained")
    return out


def _continued(
    run: _Continued,
    config: Config,
    target: str,
    held: list[Held],
    *rest: Any,
) -> dict[str, Tensor]:
    k, state, part = rest
    name = f"scorer.{target}.{k}"
    done = run.checkpoints.get(name)
    if done is None:
        scorer: PairScorer = run._fit(config, target, held, k, part[0], part[1], start=state)
        done = {n: t.clone() for n, t in scorer.state_dict().items()}
        run.checkpoints.put(name, done)
    return done


def _merged(config: Config, tensors: dict[str, Tensor], own: Dataset) -> tuple[Dataset, int]:
    """The base's samples, rendered, followed by one's own; and how many the base has."""
    memory, _ = remember(config, tensors)
    old = len(config.samples)
    spectra = {}
    for m, grid in config.grids.items():
        mine = own.spectra.get(m)
        empty = np.zeros((0, grid.size))
        y = memory.spectra[m] * memory.measured[m]
        n = len(y)
        spectra[m] = Spectra(
            np.concatenate([y.numpy(), mine.y if mine else empty]).astype(np.float32),
            np.concatenate([memory.measured[m].numpy(), mine.mask if mine else empty]).astype(bool),
            np.concatenate([memory.rows[m].numpy(), old + mine.sample if mine else empty[:, 0]])
            .astype(np.int64),
            np.concatenate([np.zeros(n), mine.laser if mine else empty[:, 0]]).astype(np.int64),
            np.concatenate([np.ones(n), mine.primary if mine else empty[:, 0]]).astype(bool),
        )  # fmt: skip
    minerals = [name for _, name in config.samples] + own.minerals
    composition = np.concatenate([tensors["composition"].numpy(), own.composition])
    return Dataset(
        [i for i, _ in config.samples] + own.ids, minerals, [mineral_stem(m) for m in minerals],
        [""] * old + own.formulas, ["unknown"] * len(minerals), np.ones(len(minerals), bool),
        composition.astype(float), spectra, dict(config.grids),
    ), old  # fmt: skip
