"""Training runs: repeatable, resumable, extendable; on made-up minerals."""

import csv
import dataclasses
import json

import numpy as np
import pytest
import torch

from spectrogen_app.data.formula import ELEMENTS, parse_formula
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Cancelled, TrainingError
from spectrogen_app.generation.bundle import load_model, load_parts, read_info
from spectrogen_app.processing.scoring import GRIDS, prepare, score
from spectrogen_app.training.command import TrainRequest, checkpoint_folder, train
from spectrogen_app.training.dataset import Dataset, Spectra, save
from spectrogen_app.training.train import Recipe

FORMULAS = ("CaCO3", "MgCO3", "FeCO3", "CaSO4", "BaSO4", "SrSO4", "Mg2SiO4", "Fe2SiO4")
SMALL = Recipe(epochs=2, hidden=8, rate=1e-2)


def curve(mineral, modality, jitter):
    grid = GRIDS[modality]
    rng = np.random.default_rng([mineral, int(grid.start)])
    centers = rng.uniform(grid.start + 60, grid.stop - 60, 6)
    heights = rng.uniform(0.3, 1, 6)
    width = {"raman": 8.0, "ir": 30.0}[modality]
    x = np.arange(grid.start - 3 * grid.step, grid.stop + 4 * grid.step, grid.step)
    return x, sum(
        h / (1 + ((x - c * (1 + 2e-4 * jitter)) / width) ** 2)
        for c, h in zip(centers, heights, strict=True)
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    n = 2 * len(FORMULAS)
    spectra = {}
    for m in ("ir", "raman"):
        found = [prepare(curve(i // 2, m, i % 2), m) for i in range(n)]
        spectra[m] = Spectra(
            np.array([p.y for p in found], np.float32), np.array([p.mask for p in found]),
            np.arange(n), np.zeros(n, int), np.ones(n, bool),
        )  # fmt: skip
    formulas = [FORMULAS[i // 2] for i in range(n)]
    counts = [parse_formula(f).counts for f in formulas]
    dataset = Dataset(
        [f"R{i:06d}" for i in range(n)], [f"Mineral{'abcdefgh'[i // 2]}" for i in range(n)],
        [f"mineral{'abcdefgh'[i // 2]}" for i in range(n)], formulas, ["oxide"] * n,
        np.ones(n, bool), np.array([[c.get(e, 0.0) for e in ELEMENTS] for c in counts]),
        spectra, {m: GRIDS[m] for m in spectra},
    )  # fmt: skip
    return save(dataset, tmp_path_factory.mktemp("data") / "data.h5")


@pytest.fixture(scope="module")
def base(data, tmp_path_factory):
    return train(TrainRequest(data, tmp_path_factory.mktemp("base") / "base", recipe=SMALL))


class Killed(Exception):
    """Stands for a killed process."""


def test_the_same_seed_gives_the_same_weights_even_after_a_kill(data, base, tmp_path):
    out = tmp_path / "base"
    request = TrainRequest(data, out, recipe=SMALL)
    stages = []

    def kill_late(fraction, message=""):
        stages.append(message)
        if message == "Training for raman":
            raise Killed

    with pytest.raises(Killed):
        train(request, kill_late)
    assert any(checkpoint_folder(out).rglob("scorer.ir.0.safetensors"))
    assert any(checkpoint_folder(out).rglob("latent.all.safetensors"))
    assert not out.exists()
    again = []
    train(request, lambda fraction, message="": again.append(message))
    assert "Fitting lines of ir" in stages
    assert "Fitting lines of ir" not in again
    assert "Training for ir" not in again
    assert "Training the autoencoder" not in again
    assert read_info(out).sha256 == read_info(base).sha256


def test_a_half_written_checkpoint_is_done_again(data, base, tmp_path):
    out = tmp_path / "base"
    request = TrainRequest(data, out, recipe=SMALL)

    def stop(fraction, message=""):
        if message == "Training for ir":
            raise Cancelled

    with pytest.raises(Cancelled):
        train(request, stop)
    (kept,) = checkpoint_folder(out).rglob("tables.raman.safetensors")
    kept.write_bytes(kept.read_bytes()[:100])
    train(request)
    assert read_info(out).sha256 == read_info(base).sha256


def test_another_seed_gives_other_weights(data, base, tmp_path):
    out = train(TrainRequest(data, tmp_path / "b", recipe=dataclasses.replace(SMALL, seed=1)))
    assert read_info(out).sha256 != read_info(base).sha256


def test_bundle_tells_how_it_was_made(base):
    config, tensors, metrics = load_parts(base)
    assert config.training["data"]
    assert config.training["spectra"] == {"ir": 16, "raman": 16}
    crossed = metrics["cross_validation"]["ir"]["raman"]
    assert crossed["new"]["n"] == 16
    assert crossed["family"]["n"] == 10
    assert set(config.settings["ridge"]["ir"]) == {"1", "2", "3"}
    assert "Cross-validated while training" in read_info(base).card
    assert not any(t.numel() > 1e5 and t.dtype == torch.float32 for t in tensors.values())


def test_one_modality_is_too_little(data, tmp_path):
    with pytest.raises(TrainingError, match="too few samples with two kinds"):
        train(TrainRequest(data, tmp_path / "x", modalities=("raman",), recipe=SMALL))
    with pytest.raises(TrainingError, match="hold no xrd spectra"):
        train(TrainRequest(data, tmp_path / "x", modalities=("raman", "xrd"), recipe=SMALL))


def test_a_full_disk_is_said_and_nothing_is_lost(data, tmp_path, monkeypatch):
    import spectrogen_app.training.train as module

    def full(tensors, path):
        raise OSError(28, "No space left on device")

    request = TrainRequest(data, tmp_path / "full", recipe=SMALL)
    with monkeypatch.context() as patch:
        patch.setattr(module, "save_file", full)
        with pytest.raises(TrainingError, match="No space left on device"):
            train(request)
    assert not (tmp_path / "full").exists()


def lab(folder, samples, modalities, grids=GRIDS, shift=40):
    rows = []
    for k in range(samples):
        for m in modalities:
            x, y = curve(100 + k // 2 + shift, m, k % 2) if m in ("raman", "ir") else emission(k)
            np.savetxt(folder / f"{k}-{m}.txt", np.column_stack([x, y]))
            rows.append({"sample": f"L{k}", "modality": m, "file": f"{k}-{m}.txt",
                         "formula": f"K{2 + k // 2}SO4", "mineral": f"Lab{k // 2}"})  # fmt: skip
    with (folder / "own.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder / "own.csv"


def emission(k):
    x = np.arange(295.0, 706.0)
    center = np.random.default_rng(k // 2).uniform(350, 650)
    return x, np.exp(-(((x - center - k % 2) / 15) ** 2))


@pytest.fixture
def plain_reader(monkeypatch):
    import spectrogen_app.training.command as module

    def read(path):
        x, y = np.loadtxt(path, unpack=True)
        return [Spectrum(x, y, modality=path.stem.split("-")[1])]

    monkeypatch.setattr(module, "_read", read)


@pytest.mark.usefixtures("plain_reader")
@pytest.mark.parametrize("samples", [4, 14])
def test_own_data_join_the_memory(base, tmp_path, samples):
    table = lab(tmp_path, samples, ("raman", "ir"))
    out = train(TrainRequest(table, tmp_path / "mine", base=base, recipe=SMALL))
    model = load_model(path=out, device="cpu")
    assert "Started from base" in model.card
    source = Spectrum(*curve(140, "raman", 0), modality="raman")
    made = model.generate(source, ["ir"], formula="K2SO4")
    truth = Spectrum(*curve(140, "ir", 0), modality="ir")
    before = load_model(path=base, device="cpu").generate(source, ["ir"], formula="K2SO4")
    assert score(made["ir"], truth, "ir").r > score(before["ir"], truth, "ir").r
    assert made.references[0].mineral.startswith("Lab")


@pytest.mark.usefixtures("plain_reader")
def test_a_further_modality_is_a_declaration_and_data(tmp_path):
    table = lab(tmp_path, 16, ("raman", "emission"))
    (tmp_path / "modalities.json").write_text(json.dumps({
        "emission": {"start": 300, "stop": 700, "step": 1, "tolerance": 5,
                     "x_kind": "wavelength", "x_unit": "nm"}
    }))  # fmt: skip
    out = train(TrainRequest(table, tmp_path / "lamp", recipe=SMALL))
    model = load_model(path=out, device="cpu")
    assert model.targets == ("raman", "emission")
    made = model.generate(Spectrum(*curve(143, "raman", 0), modality="raman"), ["emission"])
    assert made["emission"].x_unit == "nm"
    x, y = emission(6)
    truth = Spectrum(x, y, modality="emission", x_unit="nm")
    assert score(made["emission"], truth, model.config.grids["emission"]).r > 0.5


@pytest.mark.usefixtures("plain_reader")
@pytest.mark.parametrize("text", ["no json", '{"emission": {"start": 1}}', "[1]"])
def test_a_wrong_declaration_is_said(tmp_path, text):
    table = lab(tmp_path, 2, ("raman",))
    (tmp_path / "modalities.json").write_text(text)
    with pytest.raises(TrainingError, match=r"modalities\.json cannot be used"):
        train(TrainRequest(table, tmp_path / "x", recipe=SMALL))
