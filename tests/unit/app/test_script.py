"""Provenance as a script that runs and gives the same numbers."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import spectrogen_app as sg
from spectrogen_app.app.choosing import TakeRequest, take
from spectrogen_app.app.decomposition import Decomposition
from spectrogen_app.app.jobs import Token
from spectrogen_app.app.script import script
from spectrogen_app.app.session import SessionState
from spectrogen_app.data.provenance import Generation, Origin, Provenance
from spectrogen_app.fitting.model import Model, Peak
from spectrogen_app.io.base import TextLayout
from spectrogen_app.io.registry import open_path


def run(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "again.py").write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "again.py"], cwd=folder, capture_output=True, text=True, check=False,
        env=os.environ,
    )  # fmt: skip


@pytest.fixture
def state(examples: Path) -> SessionState:
    """A file as it is, and processed."""
    raw = sg.read(examples / "quartz_raman.csv")[0]
    state = SessionState().add([raw])
    curve = next(state.curves())
    done = sg.process(raw, ["crop(low=200.0, high=1200.0)", "savgol"])
    return state.add_derived(state.samples[0].id, [done], [curve.id])


def test_the_script_gives_the_same_numbers(state: SessionState, tmp_path: Path) -> None:
    done = run(script(state), tmp_path)
    assert done.returncode == 0, done.stderr
    raw, processed = (c.spectrum for c in state.curves())
    again = sg.read(tmp_path / "quartz_raman.csv")[0]
    np.testing.assert_array_equal(again.y, raw.y)
    again = sg.read(tmp_path / "quartz_raman_processed.csv")[0]
    np.testing.assert_array_equal(again.y, processed.y)


def test_fits_are_repeated_with_their_options(state: SessionState, tmp_path: Path) -> None:
    curve = next(state.curves())
    model = Model(
        (
            Peak.make("lorentzian", 464, 1000, 9).edit("height", min=0.0),
            Peak.make("gaussian", 206, 200, 20).edit("center", tie="p1_center - 258"),
        )
    )
    result = sg.fit(curve.spectrum, model, loss="soft_l1", within=(150.0, 600.0))
    state = state.edit_curve(curve.id, peaks=Decomposition().fitted(result, "Fit"))
    done = run(script(state), tmp_path)
    assert done.returncode == 0, done.stderr
    again = json.loads((tmp_path / "quartz_raman.fit.json").read_text())
    assert [p["center"]["value"] for p in again["peaks"]] == pytest.approx(
        [p.center.value for p in result.peaks]
    )
    assert again["bic"] == pytest.approx(result.bic)


def test_a_changed_source_stops_it(examples: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes((examples / "quartz_raman.csv").read_bytes())
    text = script(SessionState().add(sg.read(source)))
    source.write_text(source.read_text().replace("53.7", "53.8"))
    done = run(text, tmp_path)
    assert done.returncode == 1
    assert "has changed since" in done.stderr


def test_generation_is_repeated_with_its_model_and_seed(state: SessionState) -> None:
    raw = next(state.curves())
    made = Generation("minerals", "0" * 64, 7, "cpu", (), "SiO2", 0.9, ())
    ir = sg.Spectrum([1, 2], [1, 2], modality="ir", origin=Origin.GENERATED,
                     provenance=Provenance(generation=made))  # fmt: skip
    state = state.add_derived(state.samples[0].id, [ir], [raw.id])
    text = script(state)
    assert "sg.load_model('minerals')" in text
    assert "targets=['ir'], formula='SiO2', seed=7" in text
    compile(text, "script", "exec")


def test_what_cannot_be_repeated_is_a_comment() -> None:
    odd = sg.Spectrum([1, 2], [1, 2], name="2 class")
    made = Generation("m", "", 0, "cpu", (), None, 0.9, ())
    lost = odd.replace(origin=Origin.GENERATED, provenance=Provenance(generation=made), name="b")
    text = script(SessionState().add([odd, lost]))
    assert "# 2 class: its source file is not known." in text
    assert "# b: a source is not here." in text
    compile(text, "script", "exec")


def test_names_are_python_names_and_unique(examples: Path) -> None:
    spectrum = sg.read(examples / "quartz_raman.csv")[0].replace(sample="2 – class")
    other = sg.read(examples / "quartz_ir.jdx")[0].replace(sample="2 – class", modality="raman")
    text = script(SessionState().add([spectrum, other]))
    compile(text, "script", "exec")
    assert "s_2_class_raman = " in text
    assert "s_2_class_raman_2 = " in text


def repeated(spectra: list[sg.Spectrum], folder: Path) -> list[sg.Spectrum]:
    """What the script of a session with these spectra writes."""
    state = SessionState().add(spectra)
    done = run(script(state), folder)
    assert done.returncode == 0, done.stderr
    names = [line.partition("sg.write(")[2].partition(",")[0] for line in script(state).split("\n")]
    return [sg.read(folder / f"{n}.csv")[0] for n in names if n]


def assert_same(again: list[sg.Spectrum], spectra: list[sg.Spectrum]) -> None:
    for one, other in zip(again, spectra, strict=True):
        np.testing.assert_array_equal(one.x, other.x)
        np.testing.assert_array_equal(one.y, other.y)
        assert (one.modality, one.wavelength) == (other.modality, other.wavelength)


def test_curves_that_a_file_only_offers(tmp_path: Path) -> None:
    source = tmp_path / "arrays.h5"
    with h5py.File(source, "w") as file:
        file["shift"] = np.linspace(100, 1200, 50)
        file["shift"].attrs["units"] = "1/cm"
        file["intensity"] = np.arange(50.0)
        file["log/current"] = np.arange(30.0) ** 2
    verdict = open_path(source)
    assert len(verdict.others) >= 1
    offered = [verdict.at(i) for i in range(verdict.count)]
    assert_same(repeated(offered, tmp_path), offered)


def test_single_channels_of_a_real_file(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "instruments" / "opus"
    verdict = next(v for v in map(open_path, sorted(folder.iterdir())) if len(v.others))
    last = verdict.at(verdict.count - 1)
    assert_same(repeated([last], tmp_path), [last])


def test_means_and_the_users_choices(tmp_path: Path) -> None:
    source = tmp_path / "table.txt"
    rows = (f"{x};{x * x};{100 - x};{x % 7}\n" for x in range(20, 80))
    source.write_text("".join(rows))
    layout = TextLayout(delimiter=";", x_column=0, y_columns=(2, 3), modality="ir", skip_rows=0,
                        y_unit="absorbance")  # fmt: skip
    verdict = open_path(source, layout=layout)
    (mean,) = take(TakeRequest(verdict, (), (0, 1)), Token())
    np.testing.assert_array_equal(mean.y, [(100 - x + x % 7) / 2 for x in range(20, 80)])
    assert_same(repeated([mean, verdict.at(1)], tmp_path), [mean, verdict.at(1)])


def test_calculated_patterns_and_members_of_archives(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("nacl.cif", NACL)
    member = tmp_path / "a.zip" / "nacl.cif"
    verdict = open_path(member, layout=TextLayout(wavelength=0.7093, width=0.3))
    assert verdict.xrays
    assert any("0.7093 Å, lines 0.3° wide" in a for a in verdict.assumptions)
    spectra = list(verdict.spectra)
    assert spectra[0].x[spectra[0].y.argmax()] == pytest.approx(14.45, abs=0.03)  # d = 2.8201
    assert_same(repeated(spectra, tmp_path), spectra)


NACL = """data_halite
_cell_length_a 5.6402
_cell_length_b 5.6402
_cell_length_c 5.6402
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na 0 0 0
Cl 0.5 0.5 0.5
"""
