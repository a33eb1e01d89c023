"""The bundled examples: computed, marked, and like the real mineral."""

import importlib.util
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import spectrogen_app as sg
from spectrogen_app.processing.scoring import score


@pytest.fixture(scope="module")
def script(examples: Path):
    """The script that makes them."""
    spec = importlib.util.spec_from_file_location("make_examples", examples / "make_examples.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_examples"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["make_examples"]


ARCHIVES = {
    "raman": "raman_excellent_unoriented.zip",
    "ir": "infrared_processed.zip",
    "xrd": "powder_xy_processed.zip",
}


def files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*_*.*") if p.suffix != ".py")


def test_a_dozen_minerals_in_all_three_modalities(examples: Path) -> None:
    found = {}
    for path in files(examples):
        (spectrum,) = sg.read(path)
        assert spectrum.origin is sg.Origin.SIMULATED, path.name
        assert spectrum.formula, path.name
        found.setdefault(path.name.split("_")[0], set()).add(spectrum.modality)
    assert len(found) >= 12
    assert all(modalities == {"raman", "ir", "xrd"} for modalities in found.values())


def test_the_script_makes_these_very_files(script, examples: Path, tmp_path: Path) -> None:
    script.FOLDER = tmp_path
    script.main()
    script.FOLDER = examples
    made = sorted(p.name for p in tmp_path.iterdir())
    assert made == sorted([p.name for p in files(examples)] + ["SOURCES.md"])
    for name in made:
        if name.endswith(".xy"):
            ours, theirs = (np.loadtxt(f / name, skiprows=6) for f in (tmp_path, examples))
            np.testing.assert_allclose(ours, theirs, atol=0.02)
        else:
            assert (tmp_path / name).read_text("utf-8") == (examples / name).read_text("utf-8")


def test_structures_have_the_density_of_the_mineral(script) -> None:
    """Published densities, g/cm3, within 2 %."""
    import gemmi

    known = {
        "Quartz": 2.65, "Calcite": 2.71, "Dolomite": 2.87, "Aragonite": 2.93, "Forsterite": 3.22,
        "Diopside": 3.28, "Albite": 2.62, "Gypsum": 2.31, "Barite": 4.47, "Fluorapatite": 3.20,
        "Rutile": 4.25, "Anatase": 3.89, "Corundum": 3.99, "Hematite": 5.26, "Zircon": 4.67,
    }  # fmt: skip
    for mineral in script.MINERALS:
        cell = gemmi.UnitCell(*mineral.cell)
        mass = sum(gemmi.Element(e).weight for e, _ in script.unit_cell(mineral))
        assert mass / cell.volume * 1.66054 == pytest.approx(known[mineral.name], rel=0.02)


@pytest.mark.parametrize(("modality", "least"), [("raman", 0.75), ("ir", 0.85), ("xrd", 0.80)])
def test_like_the_measured_mineral(
    modality: str, least: float, examples: Path, shared_data: Path, tmp_path: Path
) -> None:
    """Best r against measured spectra; left out: measurements that are themselves poor."""
    poor = {("ir", "rutile"), ("ir", "hematite"), ("xrd", "anatase"), ("xrd", "hematite")}
    compared = 0
    with zipfile.ZipFile(shared_data / "rruff" / ARCHIVES[modality]) as measured:
        for path in files(examples):
            mineral, kind = path.stem.split("_")
            names = [n for n in measured.namelist() if n.startswith(f"{mineral.title()}__")][:8]
            if kind != modality or not names or (kind, mineral) in poor:
                continue
            ours = sg.read(path)[0]
            scores = [
                score(ours, sg.read(measured.extract(n, tmp_path))[0], modality).r for n in names
            ]
            assert max(scores) >= least, (path.name, scores)
            compared += 1
    assert compared >= 4
