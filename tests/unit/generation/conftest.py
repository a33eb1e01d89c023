"""A small real model, trained once per run on made-up minerals."""

import numpy as np
import pytest

from spectrogen_app.data.formula import ELEMENTS, parse_formula
from spectrogen_app.generation.bundle import write_bundle
from spectrogen_app.processing.scoring import GRIDS, prepare
from spectrogen_app.training.card import render_card
from spectrogen_app.training.dataset import Dataset, Spectra
from spectrogen_app.training.train import Checkpoints, Recipe, Trainer, finish

FORMULAS = (
    "CaCO3", "MgCO3", "FeCO3", "CaSO4", "BaSO4", "SrSO4", "Mg2SiO4", "Fe2SiO4", "Ca2SiO4",

)  # fmt: skip
WIDTHS = {"raman": 8.0, "ir": 30.0, "xrd": 0.25, "fir": 10.0}


def made_up(mineral: int, modality: str, jitter: float = 0.0):
    """x and y of a mineral that does not exist: eight lines, fixed by its number."""
    grid = GRIDS[modality]
    rng = np.random.default_rng([mineral, len(modality), int(grid.start)])
    centers = rng.uniform(grid.start + 30 * grid.step, grid.stop - 30 * grid.step, 8)
    heights = rng.uniform(0.2, 1, 8)
    x = np.arange(grid.start - 3 * grid.step, grid.stop + 4 * grid.step, grid.step)
    y = sum(
        h / (1 + ((x - c * (1 + 2e-4 * jitter)) / WIDTHS[modality]) ** 2)
        for c, h in zip(centers, heights, strict=True)
    )
    return x, y


def made_up_dataset(modalities=("raman", "ir", "xrd"), per_mineral=3):
    ids, minerals, formulas, composition = [], [], [], []
    rows = {m: [] for m in modalities}
    for k, formula in enumerate(FORMULAS):
        for j in range(per_mineral):
            ids.append(f"R{k:02d}{j:04d}")
            minerals.append(f"Mineral{chr(97 + k)}")
            formulas.append(formula)
            counts = parse_formula(formula).counts
            composition.append([counts.get(e, 0.0) for e in ELEMENTS])
            for m in modalities:
                rows[m].append(prepare(made_up(k, m, jitter=j), m))
    n = len(ids)
    spectra = {
        m: Spectra(
            np.array([p.y for p in found], np.float32), np.array([p.mask for p in found]),
            np.arange(n), np.zeros(n, int), np.ones(n, bool),
        )
        for m, found in rows.items()
    }  # fmt: skip
    return Dataset(
        ids, minerals, [m.lower() for m in minerals], formulas, ["oxide"] * n, np.ones(n, bool),
        np.array(composition), spectra, {m: GRIDS[m] for m in modalities},
    )  # fmt: skip


def train_small(folder, dataset, recipe=None, model_id="tiny"):
    recipe = recipe or Recipe(epochs=2, hidden=16)
    checkpoints = Checkpoints(folder / "ck", "k")
    trainer = Trainer(dataset, np.ones(len(dataset), bool), recipe, checkpoints)
    config, tensors, scores = trainer.run()
    config = finish(config, model_id, "Tiny", {"seed": 0})
    metrics = {"cross_validation": scores}
    return write_bundle(folder / model_id, config, tensors, render_card(config, metrics), metrics)


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory):
    return train_small(tmp_path_factory.mktemp("models"), made_up_dataset())
