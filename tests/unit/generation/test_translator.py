"""Requests, answers and refusals, on a small real model."""

import re

import numpy as np
import pytest

from spectrogen_app.data.axis import XKind
from spectrogen_app.data.provenance import Origin, Provenance
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Cancelled, FormulaError, GenerationError
from spectrogen_app.generation.bundle import load_model
from spectrogen_app.processing.scoring import GRIDS, score

from .conftest import made_up


@pytest.fixture(scope="module")
def model(tiny_bundle):
    return load_model(path=tiny_bundle, device="cpu")


def spectrum(mineral=2, modality="raman", **kwargs):
    x, y = made_up(mineral, modality, jitter=0.5)
    return Spectrum(x, y, modality=modality, **kwargs)


def test_a_known_mineral_is_found(model):
    out = model.generate(spectrum(), ["ir", "xrd"])
    for target in ("ir", "xrd"):
        assert score(out[target], spectrum(modality=target), target).r > 0.9
    assert out.references[0].mineral == "Mineralc"
    assert out.references[0].weight == max(r.weight for r in out.references)
    assert sum(r.weight for r in out.references) <= 1 + 1e-6
    assert 0 <= out.familiarity <= 1


def test_the_generated_spectrum(model):
    source = spectrum(
        name="c.txt", sample="C", provenance=Provenance(path="/data/c.txt", sha256="ab" * 32)
    )
    made = model.generate(source, ["ir"], formula="FeCO3", seed=5)["ir"]
    assert made.origin is Origin.GENERATED
    assert made.y_unit == "normalised"
    np.testing.assert_array_equal(made.x, GRIDS["ir"].x)
    assert made.y.max() == pytest.approx(1)
    assert np.all(made.lower <= made.y)
    assert np.all(made.y <= made.upper)
    assert made.sample == "C"
    generation = made.provenance.generation
    assert generation.model_id == "tiny"
    assert generation.model_sha256 == model.sha256
    assert (generation.seed, generation.device, generation.formula) == (5, "cpu", "FeCO3")
    assert generation.sources == ("raman c.txt " + "ab" * 32,)


def test_the_simultaneous_band_is_the_wider_one(model):
    out = model.generate(spectrum(), ["ir"])
    lower, upper = out.simultaneous["ir"]
    assert np.all(lower <= out["ir"].y)
    assert np.all(out["ir"].y <= upper)
    assert (upper - lower).mean() > (out["ir"].upper - out["ir"].lower).mean()


def test_lines_add_up_to_the_spectrum(model):
    out = model.generate(spectrum(), ["raman", "ir"][1:], formula="FeCO3")
    x = GRIDS["ir"].x
    total = np.zeros_like(x)
    for line in out.lines["ir"]:
        u = ((x - line.center) / line.fwhm) ** 2
        height = (
            line.area
            / line.fwhm
            / (line.mixing * np.pi / 2 + (1 - line.mixing) * np.sqrt(np.pi / np.log(2)) / 2)
        )
        total += height * (line.mixing / (1 + 4 * u)
                           + (1 - line.mixing) * np.exp(-4 * np.log(2) * u))  # fmt: skip
    assert np.corrcoef(total, out["ir"].y)[0, 1] > 0.98


def test_any_subset_any_target(model):
    everything = [spectrum(modality=m) for m in ("raman", "ir", "xrd")]
    out = model.generate(everything, ["raman", "ir", "xrd"], formula="FeCO3")
    assert set(out) == {"raman", "ir", "xrd"}
    assert any("was not used to generate it" in n for n in out.notes)
    only = model.generate([], ["raman", "ir", "xrd"], formula="FeCO3")
    assert score(only["ir"], spectrum(modality="ir"), "ir").r > 0.5


def test_units_do_not_matter(model):
    infrared = spectrum(modality="ir")
    xrd = spectrum(modality="xrd", wavelength=1.541838)
    expected = model.generate([infrared, xrd], ["raman"])["raman"]
    percent = infrared.replace(y=100 * 10**-infrared.y, y_unit="%T")
    in_um = percent.to_x(XKind.WAVELENGTH, "um")
    other = model.generate([in_um, xrd.to_x(XKind.D_SPACING)], ["raman"])["raman"]
    assert np.corrcoef(expected.y, other.y)[0, 1] > 0.99
    raman = spectrum(laser_nm=532.0)
    a = model.generate(raman, ["ir"])["ir"]
    b = model.generate(raman.to_x(XKind.WAVELENGTH, "nm"), ["ir"])["ir"]
    assert np.corrcoef(a.y, b.y)[0, 1] > 0.99


def test_a_partial_range_is_masked(model):
    x, y = made_up(2, "raman")
    part = (x > 300) & (x < 1000)
    out = model.generate(Spectrum(x[part], y[part], modality="raman"), ["ir"])
    assert any(re.search("only 30[0-2] to 99[789]", n) for n in out.notes)
    assert score(out["ir"], spectrum(modality="ir"), "ir").r > 0.9


def test_a_missing_end_is_not_an_empty_one(model):
    """93 % of the infrared grid: the bands below 650 cm-1 count as unknown, not as absent."""
    x, y = made_up(5, "ir")
    part = x >= 650
    whole = model.generate(Spectrum(x, y, modality="ir"), ["raman"])
    cut = model.generate(Spectrum(x[part], y[part], modality="ir"), ["raman"])
    assert np.corrcoef(whole["raman"].y, cut["raman"].y)[0, 1] > 0.95


def test_equal_requests_give_equal_answers(model):
    a, b = (model.generate(spectrum(), ["xrd"], seed=1)["xrd"] for _ in range(2))
    np.testing.assert_array_equal(a.y, b.y)
    np.testing.assert_array_equal(a.upper, b.upper)


def test_a_batch_answers_as_one_by_one(model):
    samples = [spectrum(k) for k in range(6)] + [[spectrum(7), spectrum(7, "xrd")]]
    formulas = [None, "CaCO3", None, None, "BaSO4", None, None]
    batch = model.generate_many(samples, ["ir"], formulas, batch=3)
    for sample, formula, got in zip(samples, formulas, batch, strict=True):
        alone = model.generate(sample, ["ir"], formula=formula)
        np.testing.assert_allclose(got["ir"].y, alone["ir"].y, atol=1e-4)
        assert got.familiarity == pytest.approx(alone.familiarity, abs=1e-4)


def test_a_failing_sample_does_not_stop_the_others(model):
    got = model.generate_many([spectrum(), [], spectrum(3)], ["ir"])
    assert isinstance(got[1], GenerationError)
    assert set(got[0]) == set(got[2]) == {"ir"}


@pytest.mark.parametrize(
    ("make", "targets", "message"),
    [
        (list, ["ir"], "nothing to generate from"),
        (spectrum, [], "No target was chosen"),
        (spectrum, ["uvvis"], "does not generate UV-Vis"),
        (spectrum, ["nonsense"], "does not generate nonsense"),
        (spectrum, ["raman"], "cannot be generated from Raman alone"),
        (
            lambda: Spectrum([300.0, 400, 500], [1.0, 2, 1], modality="uvvis"),
            ["ir"], "does not know UV-Vis",
        ),
        (
            lambda: Spectrum(np.arange(2000.0, 3000), np.ones(1000), modality="raman"),
            ["ir"], r"covers 2000 to 2999 cm-1, 0% .*150 to 1300 cm-1",
        ),
    ],
)  # fmt: skip
def test_refusals(model, make, targets, message):
    with pytest.raises(GenerationError, match=message):
        model.generate(make(), targets)


def test_a_formula_that_does_not_parse(model):
    with pytest.raises(FormulaError) as caught:
        model.generate(spectrum(), ["ir"], formula="SiO2x")
    assert caught.value.fields["position"] == 4


def test_a_flat_line_and_noise_are_unfamiliar(model):
    x = GRIDS["raman"].x
    flat = model.generate(Spectrum(x, np.ones_like(x), modality="raman"), ["ir"])
    assert any("flat" in n for n in flat.notes)
    known = model.generate(spectrum(), ["ir"])
    assert flat.familiarity < known.familiarity


def test_cancel(model):
    def stop(fraction, message=""):
        raise Cancelled

    with pytest.raises(Cancelled):
        model.generate(spectrum(), ["ir"], check=stop)


def test_a_sample_that_was_trained_on_is_said(model):
    def told(name):
        return [n for n in model.generate(spectrum(sample=name), ["ir"]).notes if "learned" in n]

    assert told("Mineralc R020001") == [
        "R020001 is one of the samples that the model learned from: agreement with its measured "
        "spectra says nothing about other samples."
    ]
    assert told("R020001")
    assert not told("Mineralc R990001")


def test_samples_are_sharp_and_repeatable(model):
    drawn = model.sample(spectrum(), "ir", 3, seed=4)
    again = model.sample(spectrum(), "ir", 3, seed=4)
    assert [np.array_equal(a.y, b.y) for a, b in zip(drawn, again, strict=True)] == [True] * 3
    assert all(s.y.max() == pytest.approx(1) and s.y.min() >= 0 for s in drawn)


def test_out_of_memory_falls_back(model, monkeypatch):
    real = model._network.answer
    sizes = []

    def greedy(query, target):
        sizes.append(len(query))
        if len(query) > 2:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return real(query, target)

    monkeypatch.setattr(model._network, "answer", greedy)
    got = model.generate_many([spectrum(k) for k in range(5)], ["ir"])
    assert sizes[0] == 5
    assert max(sizes[1:]) <= 2
    assert all("ir" in g for g in got)


def test_the_device_that_ran_out_is_left(model, monkeypatch):
    real = model._network.answer

    def greedy(*args):
        if model.device != "cpu":
            raise RuntimeError("CUDA out of memory")
        return real(*args)

    monkeypatch.setattr(model._network, "answer", greedy)
    monkeypatch.setattr(model, "device", "cuda")
    monkeypatch.setattr(model, "device_label", "Some card")
    out = model.generate(spectrum(), ["ir"])
    assert model.device == "cpu"
    assert any("Some card ran out of memory" in n for n in out.notes)


def test_a_fluorescence_background_is_taken_off_and_said(model):
    x, y = made_up(2, "raman")
    hump = 1.5 * np.exp(-(((x - 900) / 400) ** 2))
    clean = model.generate(spectrum(), ["ir"])
    out = model.generate(Spectrum(x, y + hump, modality="raman"), ["ir"])
    assert any("broad background" in n for n in out.notes)
    assert not any("broad background" in n for n in clean.notes)
    assert np.corrcoef(out["ir"].y, clean["ir"].y)[0, 1] > 0.95
