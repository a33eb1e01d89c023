"""Kernel ridge regression has a part in the answers to unfamiliar queries."""

import dataclasses

import numpy as np
import pytest
import torch

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.generation.arch import (
    Network,
    build_pairs,
    compose,
    patterns_of,
    ridge_part,
    with_ridge,
)
from spectrogen_app.generation.bundle import load_parts
from spectrogen_app.processing.scoring import GRIDS, prepare

from .conftest import made_up


@pytest.fixture(scope="module")
def parts(tiny_bundle):
    return load_parts(tiny_bundle)[:2]


@pytest.fixture(scope="module")
def network(parts):
    return Network(*parts)


def asked(network, spectra):
    prepared = [prepare(Spectrum(x, y, modality="raman"), "raman") for x, y in spectra]
    return network.query(
        {"raman": (np.stack([p.y for p in prepared]), np.stack([p.mask for p in prepared]))}, None
    )


@pytest.fixture(scope="module")
def answer(network):
    """Infrared answers about a mineral with some part of kernel ridge regression."""
    pairs = build_pairs(network.memory, asked(network, [made_up(2, "raman", 0.5)]), "ir")
    shares = torch.zeros(1, pairs.rows.shape[1])
    shares[0, 3] = 1.0

    def mixed(part):
        weights = with_ridge(network.memory, "ir", pairs, shares, torch.tensor([part]))
        return compose(network.memory, "ir", pairs.rows, shares, weights)[0][0].numpy()

    return mixed


def test_kernel_ridge_regression_is_that_of_the_memory(network, answer):
    """Against the normal equations, solved here."""
    memory = network.memory
    rows = memory.row_of("raman")[memory.rows["ir"]]
    views = [v[rows].numpy().astype(float) for i, v in enumerate(memory.views("raman"))
             if memory.config.views["raman"][i].kernel]  # fmt: skip
    kernel = np.mean([np.exp(-5 * (1 - v @ v.T)) for v in views], 0)
    spectra = memory.spectra["ir"].numpy().astype(float)
    centred = spectra - spectra.mean(1, keepdims=True)
    target = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    dual = np.linalg.solve(kernel + 0.1 * np.eye(len(kernel)), target - target.mean(0))
    mineral_c = [i for i, (_, m) in enumerate(memory.config.samples) if m == "Mineralc"]
    solved = target.mean(0) + kernel[mineral_c[1]] @ dual
    solved = np.clip(solved - np.percentile(solved, 2), 0, None)
    assert np.corrcoef(answer(1.0), solved)[0, 1] > 0.99


def test_a_half_lies_between(answer):
    none, half, whole = answer(0.0), answer(0.5), answer(1.0)
    apart = np.corrcoef(none, whole)[0, 1]
    assert np.corrcoef(half, none)[0, 1] > apart
    assert np.corrcoef(half, whole)[0, 1] > apart


def test_the_part_falls_with_familiarity():
    part = ridge_part({"5": 0.6}, 5, torch.tensor([0.0, 0.5, 1.0]))
    torch.testing.assert_close(part, torch.tensor([0.6, 0.3, 0.0]))
    assert not ridge_part({"5": 0.6}, 1, torch.tensor([0.0])).any()


def test_only_unfamiliar_answers_change(parts):
    config, tensors = parts
    pattern = str(patterns_of(config, "ir")["raman"])
    x = GRIDS["raman"].x
    noise = (x, np.random.default_rng(0).normal(size=x.size))
    changed = []
    for part in (0.0, 1.0):
        settings = config.settings | {"ridge": {"ir": {pattern: part}}}
        network = Network(dataclasses.replace(config, settings=settings), tensors)
        changed.append(network.answer(asked(network, [made_up(2, "raman", 0.5), noise]), "ir"))
    before, after = changed
    known, unknown = before.familiarity
    assert known > 0.8
    assert unknown < 0.5
    difference = np.abs(after.y - before.y).max(1)
    assert difference[0] < 0.2 * difference[1]
