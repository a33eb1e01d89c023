"""The whole evaluation on made-up minerals: every table is there, and leaks are refused."""

import json
import shutil

import numpy as np
import pytest

from spectrogen_app.data.formula import ELEMENTS, parse_formula
from spectrogen_app.errors import TrainingError
from spectrogen_app.evaluation import command
from spectrogen_app.evaluation.baselines import Simple
from spectrogen_app.evaluation.command import EvaluateRequest, evaluate
from spectrogen_app.generation.bundle import read_info
from spectrogen_app.processing.scoring import GRIDS, prepare
from spectrogen_app.training import command as training
from spectrogen_app.training.command import TrainRequest, train
from spectrogen_app.training.dataset import Dataset, Spectra, load, save
from spectrogen_app.training.splits import Split
from spectrogen_app.training.train import Recipe

FORMULAS = ("CaCO3", "MgCO3", "FeCO3", "CaSO4", "BaSO4", "SrSO4", "Mg2SiO4", "Fe2SiO4", "TiO2",
            "SnO2", "SiO2", "Al2O3")  # fmt: skip
EACH = 4


def curve(mineral, modality, jitter):
    grid = GRIDS[modality]
    rng = np.random.default_rng([mineral, int(grid.start)])
    centers = rng.uniform(grid.start + 60, grid.stop - 60, 6)
    width = {"raman": 8.0, "ir": 30.0}[modality]
    return grid.x, sum(1 / (1 + ((grid.x - c * (1 + 2e-4 * jitter)) / width) ** 2) for c in centers)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    n = EACH * len(FORMULAS)
    spectra = {}
    for m in ("ir", "raman"):
        found = [prepare(curve(i // EACH, m, i % EACH), m) for i in range(n)]
        spectra[m] = Spectra(
            np.array([p.y for p in found], np.float32), np.array([p.mask for p in found]),
            np.arange(n), np.zeros(n, int), np.ones(n, bool),
        )  # fmt: skip
    formulas = [FORMULAS[i // EACH] for i in range(n)]
    counts = [parse_formula(f).counts for f in formulas]
    names = [f"Mineral{'abcdefghijkl'[i // EACH]}" for i in range(n)]
    dataset = Dataset(
        [f"R{i:06d}" for i in range(n)], names, [x.lower() for x in names], formulas,
        ["oxide"] * n, np.ones(n, bool),
        np.array([[c.get(e, 0.0) for e in ELEMENTS] for c in counts]),
        spectra, {m: GRIDS[m] for m in spectra},
    )  # fmt: skip
    return save(dataset, tmp_path_factory.mktemp("data") / "data.h5")


def made_up_split(dataset):
    """The last two minerals are new, every fourth sample of the others is held out."""
    place = np.arange(len(dataset))
    group = np.where(place % EACH == 3, "sample", "train").astype("U7")
    group[-2 * EACH :] = "mineral"
    return Split(group, "made up")


@pytest.fixture(scope="module")
def bundles(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "split", made_up_split)
        recipe = Recipe(epochs=3, hidden=8, rate=1e-2)
        train(TrainRequest(data, folder / "full-test", hold_out=True, recipe=recipe))
        train(TrainRequest(data, folder / "full", recipe=recipe))
    return folder


def test_every_table_is_there(data, bundles, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "split", made_up_split)
    out = tmp_path / "scores"
    before = read_info(bundles / "full").sha256
    report = evaluate(EvaluateRequest(bundles / "full", data, out, write_card=True, mixtures=6))
    found = json.loads((out / "metrics.json").read_text())
    assert found["scored"] == "full-test"
    known = next(
        r
        for r in found["rows"]
        if (r["target"], r["sources"], r["group"]) == ("ir", ["raman"], "sample")
    )
    assert known["r"] > 0.8
    assert known["simple"]["nearest"]["r"] > 0.9
    assert known["r_low"] <= known["r"] <= known["r_high"]
    assert sum(m["n"] for m in found["mixtures"]) == 36
    assert found["familiarity"]["noise"] > 0.8
    assert found["ceiling"]["ir"]["r"] > 0.9
    drawn = next(d for d in found["samples"] if (d["target"], d["group"]) == ("ir", "sample"))
    assert drawn["best_of_five"] >= drawn["one"] > 0.5
    assert -1 <= drawn["with_one_another"] <= 1
    pair = next(t for t in found["two_sources"] if t["group"] == "sample")
    assert pair["sources"] == ["raman", "formula"]
    assert pair["alone"][0] == pytest.approx(
        next(r for r in found["rows"] if r["sources"] == ["raman"] and r["group"] == "sample")["r"]
    )
    assert any("only 150 to 1200" in name for d in found["robustness"] for name in d["r"])
    for heading in (
        "Replicate ceiling",
        "Bands of 90 %",
        "Familiarity",
        "Damaged sources",
        "Mixtures",
        "Classification",
        "256 x 2048",
    ):
        assert heading in report
    assert (out / "evaluation.md").read_text() == report
    picture = (out / "raman-to-ir-sample.svg").read_text()
    assert picture.startswith("<svg")
    assert "Mineral" in picture
    for name in ("full", "full-test"):
        assert "Scores on samples never seen" in read_info(bundles / name).card
    assert read_info(bundles / "full").sha256 == before


def test_a_model_that_saw_the_test_samples_is_refused(data, bundles, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "split", made_up_split)
    alone = shutil.copytree(bundles / "full", tmp_path / "full")
    with pytest.raises(TrainingError, match="was trained on the test samples"):
        evaluate(EvaluateRequest(alone, data, tmp_path / "scores"))


def test_simple_methods_on_what_they_learned(data):
    dataset = load(data)
    train_part = np.arange(len(dataset)) % 2 == 0
    simple = Simple(dataset, train_part, ("raman", "formula"), "ir")
    rows = np.flatnonzero(train_part)[:5]
    found = simple.predict(rows)
    truth = dataset.spectra["ir"].y[rows]
    np.testing.assert_allclose(found["nearest"], truth, atol=1e-6)
    assert np.corrcoef(found["kernel ridge"].ravel(), truth.ravel())[0, 1] > 0.95
    np.testing.assert_allclose(found["mean"], np.repeat(simple.truth.mean(0)[None], 5, 0))
