"""The jobs that window and command line share."""

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from spectrogen_app.app import services
from spectrogen_app.app.jobs import Token
from spectrogen_app.app.services import (
    ExportRequest,
    GenerateRequest,
    LoadRequest,
    WarmRequest,
    compare,
    export,
    find_model,
    generate,
    load_files,
    warm_model,
)
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import AxisError, Cancelled, GenerationError, ModelError, SpectrogenError
from spectrogen_app.io.base import TextLayout
from spectrogen_app.processing.scoring import GRIDS


def test_every_verdict_is_delivered_once_and_in_order(examples: Path) -> None:
    parts: list[tuple] = []
    verdicts = load_files(LoadRequest((examples,)), Token(), parts.append)
    assert [v.path for part in parts for v in part] == [v.path for v in verdicts]
    assert len(verdicts) > 40


def test_loading_stops_when_cancelled(examples: Path) -> None:
    token = Token(lambda fraction, message: token.cancel() if fraction > 0.3 else None)
    seen: list[tuple] = []
    with pytest.raises(Cancelled):
        load_files(LoadRequest((examples,)), token, seen.append)


def test_a_layout_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("".join(f"{x},{x * 2},{x * 3}\n" for x in range(300, 400)))
    layout = TextLayout(x_column=0, y_columns=(2,), modality="raman")
    (verdict,) = load_files(LoadRequest((path,), layout), Token())
    (spectrum,) = verdict.spectra
    np.testing.assert_array_equal(spectrum.y, spectrum.x * 3)


def test_no_target_is_said() -> None:
    with pytest.raises(GenerationError, match="No target"):
        generate(GenerateRequest((), ()), Token())


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """Counts how often a model is really loaded."""
    from types import SimpleNamespace

    from spectrogen_app.generation import bundle, preload

    seen: list[tuple] = []

    def load(model_id, *, device):
        seen.append((model_id, device))
        return SimpleNamespace(
            model_id=model_id, device=device, device_label="CPU", device_reason="."
        )

    monkeypatch.setattr(bundle, "load_model", load)
    monkeypatch.setattr(
        services, "find_model", lambda wanted: SimpleNamespace(model_id=wanted or "default")
    )
    monkeypatch.setattr(preload, "load_torch", lambda: None)
    monkeypatch.setattr(services, "_models", {})
    return seen


def test_a_model_is_loaded_once(loads: list[tuple]) -> None:
    threads = [
        threading.Thread(target=warm_model, args=(WarmRequest(device="cpu"), Token()))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == [("default", "cpu")]
    assert warm_model(WarmRequest("other", "cpu"), Token()).model_id == "other"
    assert len(loads) == 2


def test_no_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPECTROGEN_MODELS", str(tmp_path))
    with pytest.raises(ModelError, match="No model is installed"):
        find_model()
    with pytest.raises(ModelError, match="no model 'x'"):
        find_model("x")


def test_a_damaged_description_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "SHA256SUMS").write_text("nonsense")
    monkeypatch.setenv("SPECTROGEN_MODELS", str(tmp_path))
    with pytest.raises(ModelError, match="checksums of the model m"):
        find_model()


def bump(modality: str, shift: float = 0.0, **fields: object) -> Spectrum:
    grid = GRIDS[modality]
    middle = grid.x.mean() + shift
    y = np.exp(-(((grid.x - middle) / 20) ** 2))
    return Spectrum(grid.x, y, modality=modality, wavelength=grid.wavelength, **fields)


@pytest.mark.parametrize("modality", ["raman", "ir", "xrd"])
def test_a_curve_agrees_with_itself(modality: str) -> None:
    generated = bump(modality, y_unit="normalised")
    measured = bump(modality)
    found = compare(generated, measured.replace(y=measured.y * 500 + 30))
    assert found.score.r == pytest.approx(1, abs=1e-6)
    assert np.abs(found.residual).max() < 0.02
    assert found.x.shape == found.generated.shape == found.measured.shape


def test_only_what_was_measured_is_compared() -> None:
    generated, measured = bump("ir", y_unit="normalised"), bump("ir")
    half = measured.replace(x=measured.x[:900], y=measured.y[:900])
    assert compare(generated, half).x[-1] <= measured.x[899]


def test_other_units_are_converted_first() -> None:
    generated, measured = bump("ir", y_unit="normalised"), bump("ir")
    found = compare(generated.to_x("wavelength", "um"), measured.to_x("energy", "eV"))
    assert found.score.r == pytest.approx(1, abs=1e-3)


def test_what_cannot_be_compared() -> None:
    with pytest.raises(SpectrogenError):
        compare(bump("ir"), Spectrum([1, 2, 3], [1, 2, 1], modality="uvvis"))
    with pytest.raises((AxisError, SpectrogenError)):
        compare(bump("ir"), Spectrum([10, 20, 30], [1, 2, 1], modality="ir"))


def test_export_takes_many_and_makes_the_folder(tmp_path: Path) -> None:
    path = export(ExportRequest((bump("ir"), bump("raman")), tmp_path / "a" / "b.csv"), Token())
    (verdict,) = load_files(LoadRequest((path,)), Token())
    assert [s.modality for s in verdict.spectra] == ["ir", "raman"]
    shutil.rmtree(tmp_path / "a")
