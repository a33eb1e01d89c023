"""``inspect`` and ``convert``."""

import json
from pathlib import Path

import numpy as np
import pytest

import spectrogen_app as sg


def test_inspect_tells_what_a_file_holds(cli, examples: Path) -> None:
    ran = cli("inspect", examples / "quartz_raman.csv", "--json")
    (one,) = json.loads(ran.out)
    assert ran.code == 0
    assert one["ok"] is True
    expected = {
        "modality": "raman", "origin": "simulated", "n_spectra": 1, "points": 1301,
        "x_unit": "cm-1", "x_first": 100.0, "x_last": 1400.0, "y_unit": "counts",
        "x_at_max": 464.0, "formula": "SiO2", "error": None,
    }  # fmt: skip
    assert {k: one[k] for k in expected} == expected
    assert one["spectra"][0]["points"] == 1301


def test_inspect_as_text(cli, examples: Path) -> None:
    ran = cli("inspect", examples / "calcite_ir.csv")
    assert "ir, simulated: 901 points, Wavenumber (cm⁻¹) 400 to 4000" in ran.out


def test_inspect_says_why_a_file_is_refused(cli, tmp_path: Path, examples: Path) -> None:
    (tmp_path / "a.txt").write_text("")
    ran = cli("inspect", tmp_path / "a.txt", examples / "quartz_raman.csv", "--json")
    bad, good = json.loads(ran.out)
    assert ran.code == 1
    assert good["ok"]
    assert "empty" in bad["error"]["message"]
    assert bad["n_spectra"] == 0
    assert len(ran.err.splitlines()) == 1


def test_inspect_a_missing_file(cli, tmp_path: Path) -> None:
    ran = cli("inspect", tmp_path / "none.csv")
    assert ran.code == 1
    assert "does not exist" in ran.err


def test_convert_and_back(cli, examples: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    ran = cli("convert", examples / "dolomite_raman.csv", "--out", out)
    assert ran.code == 0
    before, after = sg.read(examples / "dolomite_raman.csv")[0], sg.read(out)[0]
    np.testing.assert_array_equal(before.y, after.y)
    assert after.origin is sg.Origin.SIMULATED


@pytest.mark.parametrize("name", ["out.unknown", "out"])
def test_convert_to_an_unknown_format(cli, name: str, examples: Path, tmp_path: Path) -> None:
    ran = cli("convert", examples / "dolomite_raman.csv", "--out", tmp_path / name)
    assert ran.code == 1
    assert len(ran.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_convert_where_nothing_can_be_written(cli, examples: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    out = tmp_path / "file" / "out.csv"
    ran = cli("convert", examples / "dolomite_raman.csv", "--out", out)
    assert ran.code == 1
    assert "could not be written" in ran.err
