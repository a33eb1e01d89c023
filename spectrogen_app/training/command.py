"""``spectrogen train``: from archives to a bundle."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spectrogen_app.data.axis import XKind
from spectrogen_app.data.modality import modality as find_modality
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check, TrainingError, unchecked
from spectrogen_app.generation.bundle import write_bundle
from spectrogen_app.processing.scoring import Grid
from spectrogen_app.training import dataset as ds
from spectrogen_app.training.card import render_card
from spectrogen_app.training.splits import frozen, split
from spectrogen_app.training.train import Checkpoints, Recipe, Trainer, finish

BUNDLED_MODALITIES = ("raman", "ir", "xrd")


@dataclass(frozen=True)
class TrainRequest:
    """A training run.

    Attributes
    ----------
    data : Path
        Folder of RRUFF archives, a data set (.h5), or a table (.csv) of one's own files.
    out : Path
        Folder of the new bundle; its name is the model's ID.
    base : Path or None
        Bundle to start from: its memory is kept and the new samples are added to it.
    hold_out : bool
        Leave the frozen test groups out, so that the model can be scored on them.
    modalities : tuple of str
        Empty for all that the data hold.
    name : str
        Shown to people; default: from the ID.
    recipe : Recipe
    """

    data: Path
    out: Path
    base: Path | None = None
    hold_out: bool = False
    modalities: tuple[str, ...] = ()
    name: str = ""
    recipe: Recipe = field(default_factory=Recipe)


def checkpoint_folder(out: Path) -> Path:
    """Where an interrupted run left its finished stages."""
    return out.with_name(out.name + ".training")


def read_data(path: Path, check: Check = unchecked, cache: Path | None = None) -> ds.Dataset:
    """A data set from a folder of archives, a built data set, or a table.

    Parameters
    ----------
    cache : Path, optional
        Where the built data set is kept for the next time.

    Raises
    ------
    TrainingError
    """
    if path.suffix.lower() in (".h5", ".hdf5"):
        return ds.load(path)
    if path.suffix.lower() in (".csv", ".tsv"):
        return ds.build_from_table(path, _read, declared_grids(path.parent), check)
    if cache is not None and cache.is_file():
        return ds.load(cache)
    data = ds.build(path, check)
    if cache is not None:
        ds.save(data, cache)
        return ds.load(cache)
    return data


def declared_grids(folder: Path) -> dict[str, Grid]:
    """Grids of further modalities, from ``modalities.json`` beside a table.

    The file holds one entry per modality: start, stop, step, tolerance, x_kind, x_unit.

    Raises
    ------
    TrainingError
        The file is not as described, or names no modality of the program.
    """
    path = folder / "modalities.json"
    if not path.is_file():
        return {}
    try:
        declared = json.loads(path.read_text("utf-8"))
        grids = {
            m: Grid(m, **{**entry, "x_kind": XKind(entry["x_kind"])})
            for m, entry in declared.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise TrainingError(
            f"modalities.json cannot be used ({error}).",
            hint="Give each modality start, stop, step, tolerance, x_kind and x_unit.",
        ) from error
    for m in grids:
        find_modality(m)
    return grids


def _read(path: Path) -> list[Spectrum]:
    from spectrogen_app.io.registry import read

    return read(path)


def train(request: TrainRequest, check: Check = unchecked) -> Path:
    """Train and write a bundle; an interrupted run goes on where it was.

    Parameters
    ----------
    request : TrainRequest
    check : callable(fraction, message)
        Raises ``Cancelled`` to stop; finished stages are kept.

    Returns
    -------
    Path
        The bundle's folder.

    Raises
    ------
    TrainingError
        Nothing to learn from, a damaged archive, or a full disk.
    """
    folder = checkpoint_folder(request.out)
    if request.base is not None:
        from spectrogen_app.training.finetune import finetune

        return finetune(
            request.base, request.data, request.out, name=request.name, recipe=request.recipe,
            check=check,
        )  # fmt: skip

    def part(low: float, high: float) -> Check:
        def report(fraction: float, message: str) -> None:
            check(low + (high - low) * fraction, message)

        return report

    folder.mkdir(parents=True, exist_ok=True)
    data = read_data(request.data, part(0.0, 0.05), _cache(folder, request.data))
    chosen = request.modalities or _default_modalities(request.data, data)
    missing = set(chosen) - set(data.spectra)
    if missing:
        raise TrainingError(
            f"The data hold no {', '.join(sorted(missing))} spectra.",
            hint=f"They hold {', '.join(data.spectra)}.",
        )
    data = dataclasses.replace(
        data, spectra={m: data.spectra[m] for m in chosen},
        grids={m: data.grids[m] for m in chosen},
    )  # fmt: skip
    members = np.any([data.has(m) for m in chosen], axis=0)
    if request.hold_out:
        members &= split(data).train
    key = json.dumps(
        [
            data.sha256,
            chosen,
            request.hold_out,
            dataclasses.asdict(request.recipe),
            torch.__version__,
        ]
    )
    checkpoints = Checkpoints(folder, key)
    trainer = Trainer(data, members, request.recipe, checkpoints, part(0.05, 0.98))
    config, tensors, scores = trainer.run()
    about: dict[str, Any] = {
        "data": data.sha256,
        "spectra": {m: int((data.has(m) & members).sum()) for m in chosen},
        "held_out": request.hold_out,
        "splits": frozen()["sha256"] if request.hold_out else "",
        "seed": request.recipe.seed,
        "recipe": dataclasses.asdict(request.recipe),
        "command": " ".join([
            "spectrogen train --data DIR", *(f"--modality {m}" for m in chosen), "--out OUT",
            *["--hold-out"] * request.hold_out,
            *[f"--epochs {request.recipe.epochs}"] * (request.recipe.epochs != Recipe().epochs),
            f"--seed {request.recipe.seed}",
        ]),
        "own_data": request.data.suffix.lower() in (".csv", ".tsv"),
        "report": {k: v for k, v in data.report.items() if k != "left_out"},
    }  # fmt: skip
    model_id = request.out.name
    config = finish(config, model_id, request.name or f"SpectroGen {model_id}", about)
    metrics = {"cross_validation": scores}
    write_bundle(request.out, config, tensors, render_card(config, metrics), metrics)
    checkpoints.clear()
    check(1.0, "Trained")
    return request.out


def _default_modalities(path: Path, data: ds.Dataset) -> tuple[str, ...]:
    """All modalities of a table; of archives, those with enough samples for a bundled model."""
    if path.suffix.lower() in (".csv", ".tsv"):
        return tuple(data.spectra)
    return tuple(m for m in data.spectra if m in BUNDLED_MODALITIES)


def _cache(folder: Path, data: Path) -> Path | None:
    """Where the built data set of a folder is kept, named after the state of its files."""
    import hashlib

    if not data.is_dir():
        return None
    state = sorted(
        (str(p.relative_to(data)), p.stat().st_size, p.stat().st_mtime_ns)
        for p in data.rglob("*") if p.suffix.lower() in (".zip", ".txt")
    )  # fmt: skip
    return folder / f"data-{hashlib.sha256(repr(state).encode()).hexdigest()[:16]}.h5"
