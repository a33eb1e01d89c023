"""Provenance as a script that runs and gives the same numbers."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import spectrogen_app as sg
from spectrogen_app.app.script import script
from spectrogen_app.app.session import SessionState
from spectrogen_app.data.provenance import Generation, Origin, Provenance


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
