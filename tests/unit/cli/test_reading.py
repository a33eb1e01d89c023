"""How files are read, as the command line is told: offered curves, wavelengths, columns."""

from pathlib import Path

import h5py
import numpy as np
import pytest

import spectrogen_app as sg
from spectrogen_app.app import settings
from spectrogen_app.app.layouts import remember
from spectrogen_app.io.base import TextLayout
from spectrogen_app.io.readers.text import look_of
from spectrogen_app.io.registry import source_of


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    """A file with a spectrum and an array that is only offered."""
    path = tmp_path / "arrays.h5"
    with h5py.File(path, "w") as file:
        file["shift"] = np.linspace(100, 1200, 50)
        file["shift"].attrs["units"] = "1/cm"
        file["intensity"] = np.arange(50.0)
        file["log/current"] = np.arange(30.0) ** 2
    return path


def test_offered_curves_are_numbered_and_picked(cli, arrays, tmp_path) -> None:
    assert "only offered" in cli("inspect", arrays).out
    listed = cli("inspect", arrays, "--all").out
    assert "1 intensity" in listed
    (line,) = [part for part in listed.split("\n") if "(offered) log/current" in part]
    number = line.split()[0]
    out = tmp_path / "out"
    assert cli("convert", arrays, "--to", "csv", "--pick", number, "--out", out).code == 0
    assert sg.read(out / "arrays.csv")[0].y.tolist() == (np.arange(30.0) ** 2).tolist()
    assert cli("convert", arrays, "--pick", "1-2", "--out", out / "both.csv").code == 0
    assert len(sg.read(out / "both.csv")) == 2
    ran = cli("convert", arrays, "--pick", "30", "--out", out / "none.csv")
    assert ran.code == 1
    assert "no range of 1 to" in ran.err


def test_wavelength_and_width(cli, tmp_path) -> None:
    path = tmp_path / "powder_xrd.xy"
    path.write_text("".join(f"{10 + 0.02 * i:.2f} {i % 9 + 1}\n" for i in range(500)))
    out = tmp_path / "a.csv"
    assert cli("convert", path, "--wavelength", "Co", "--out", out).code == 0
    assert sg.read(out)[0].wavelength == pytest.approx(1.79026)
    assert cli("convert", path, "--wavelength", "2000", "--out", out).code == 2


def test_columns_remembered_from_the_window(cli, tmp_path) -> None:
    path = tmp_path / "table.txt"
    path.write_text("".join(f"{x}\t{x % 5}\t{x % 3}\n" for x in range(200, 300)))
    look = look_of(source_of(path))
    layout = TextLayout(x_column=0, y_columns=(2,), modality="raman")
    settings.save(remember(settings.load()[0], look, layout))
    out = tmp_path / "a.csv"
    assert cli("convert", path, "--out", out).code == 0
    assert len(sg.read(out)) == 2
    ran = cli("convert", path, "--remembered", "--out", out)
    assert ran.code == 0
    assert "choices that you made" in ran.err
    (found,) = sg.read(out)
    assert found.y.tolist() == [x % 3 for x in range(200, 300)]
