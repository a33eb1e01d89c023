"""The data set builder: cleaning, clashes, copies, one's own table."""

import csv
import zipfile

import numpy as np
import pytest

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import TrainingError
from spectrogen_app.training import dataset as ds
from spectrogen_app.training.rruff import mineral_stem, parse


def rruff_text(
    sample="R040001", mineral="Calcite", formula="CaCO_3_", center=600.0, x=None, **keys
):
    x = np.arange(140.0, 1310.0, 2.0) if x is None else x
    y = 100 * np.exp(-(((x - center) / 9) ** 2)) + 3
    y[0] = y[-1] = 0
    head = {"NAMES": mineral, "RRUFFID": sample, "IDEAL CHEMISTRY": formula, **keys}
    lines = [f"##{k}={v}" for k, v in head.items()]
    return "\n".join(lines + [f"{a:.4f}, {b:.6f}" for a, b in zip(x, y, strict=True)])


def name(sample="R040001", technique="Raman", mineral="Calcite", laser="532"):
    return f"{mineral}__{sample}__{technique}__{laser}__x__Processed__1.txt"


@pytest.fixture
def folder(tmp_path):
    infrared = np.arange(390.0, 4010.0, 4.0)
    far = np.arange(45.0, 710.0, 2.0)
    with zipfile.ZipFile(tmp_path / "raman.zip", "w") as archive:
        archive.writestr(name(), rruff_text())
        archive.writestr(name(laser="785"), rruff_text(center=602))
        archive.writestr(name("R040002"), rruff_text("R040002", center=700, formula=""))
        archive.writestr(name("R040009"), rruff_text("R050009", center=800))
        archive.writestr(name("R040003"), rruff_text("R040003"))
        archive.writestr(name("R040004"), "##NAMES=X\n##RRUFFID=R040004\n1, 2\n")
        archive.writestr(name("R040005"), rruff_text("R040005", center=5000))
    (tmp_path / "unpacked").mkdir()
    for technique, x, center in (("Infrared", infrared, 1400), ("Infrared_far", far, 300)):
        path = tmp_path / "unpacked" / name(technique=technique.split("_")[0], laser=technique)
        path.write_text(rruff_text(center=center, x=x), "latin-1")
    return tmp_path


def test_archives_become_samples(folder):
    data = ds.build(folder)
    assert data.ids == ["R040001", "R040002", "R050009"]
    assert {m: len(s.y) for m, s in data.spectra.items()} == {"raman": 4, "ir": 1, "fir": 1}
    assert data.spectra["raman"].laser[data.spectra["raman"].primary].tolist() == [532, 532, 532]
    assert data.report["left_out"] == {
        "fewer than 50 points": 1, "flat": 1, "copy of another curve": 1
    }  # fmt: skip
    assert len(data.report["copies_between_samples"]) == 1
    assert "R050009" in data.report["id_clashes"][0]
    assert data.formulas[1] == "CaCO_3_"
    assert data.families == ["carbonate"] * 3


def test_round_trip(folder, tmp_path):
    data = ds.build(folder)
    again = ds.load(ds.save(data, tmp_path / "out" / "data.h5"))
    assert again.sha256 == data.sha256
    assert again.ids == data.ids
    assert again.grids == data.grids
    np.testing.assert_array_equal(again.spectra["ir"].mask, data.spectra["ir"].mask)


def test_half_an_archive_is_said(folder):
    archive = folder / "raman.zip"
    archive.write_bytes(archive.read_bytes()[:2000])
    with pytest.raises(TrainingError, match=r"raman\.zip is damaged or incomplete"):
        ds.build(folder)


def test_nothing_there(tmp_path):
    with pytest.raises(TrainingError, match="neither"):
        ds.build(tmp_path)
    with pytest.raises(TrainingError, match="not a folder"):
        ds.build(tmp_path / "none")
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(TrainingError, match="No usable spectrum"):
        ds.build(tmp_path)


def test_damaged_data_set(tmp_path):
    path = tmp_path / "x.h5"
    path.write_bytes(b"no hdf5")
    with pytest.raises(TrainingError, match="not a data set"):
        ds.load(path)


@pytest.mark.parametrize(
    ("full", "stem"),
    [
        ("Heulandite-Ca", "heulandite"), ("HeulanditeNa", "heulandite"),
        ("Monazite-(Ce)", "monazite"), ("Quartz", "quartz"), ("ApophylliteKOH", "apophyllite"),
        ("Fluor-rewitzerite", "fluor-rewitzerite"), ("Sphalerite-2M", "sphalerite"),
    ],
)  # fmt: skip
def test_stem(full, stem):
    assert mineral_stem(full) == stem


def test_text_of_unknown_kind_is_explained():
    assert parse("notes.txt", b"hello") == "no technique in the file name"
    assert parse("a__b__Raman__c.txt", b"hello") == "no RRUFF ID"


def write_table(folder, rows):
    path = folder / "table.csv"
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["sample", "modality", "file", "formula"])
        writer.writeheader()
        writer.writerows(rows)
    return path


def row(file="a.txt", sample="S1", modality="raman", formula="CaCO3"):
    return {"sample": sample, "modality": modality, "file": file, "formula": formula}


def read(path):
    x, y = np.loadtxt(path, unpack=True)
    return [Spectrum(x, y, modality="raman")]


@pytest.fixture
def lab(tmp_path):
    x = np.arange(140.0, 1310.0, 2.0)
    for file, center in (("a.txt", 500), ("b.txt", 900)):
        np.savetxt(tmp_path / file, np.column_stack([x, np.exp(-(((x - center) / 9) ** 2))]))
    return tmp_path


def test_own_table(lab):
    data = ds.build_from_table(write_table(lab, [row(), row("b.txt", "S2")]), read)
    assert data.ids == ["S1", "S2"]
    assert data.has("formula").all()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row("none.txt")], "not there: none.txt"),
        ([row(modality="nmr")], "'nmr' is not a modality"),
        ([row(), row("b.txt", formula="MgCO3")], "two formulas, CaCO3 and MgCO3"),
    ],
)
def test_own_table_errors(lab, rows, message):
    with pytest.raises(TrainingError, match=message):
        ds.build_from_table(write_table(lab, rows), read)


def test_table_without_columns(lab):
    (lab / "table.csv").write_text("a,b\n1,2\n")
    with pytest.raises(TrainingError, match="no column file, modality, sample"):
        ds.build_from_table(lab / "table.csv", read)
