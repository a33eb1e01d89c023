"""JCAMP-DX, NeXus and workbooks: read back by this program and by independent libraries."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectrogen_app.data.axis import XKind
from spectrogen_app.data.provenance import Origin
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import WriteError
from spectrogen_app.io import registry


def spectra() -> list[Spectrum]:
    x = np.linspace(400, 4000, 101)
    y = np.abs(np.sin(x / 300)) / 3
    return [
        Spectrum(x, y, modality="ir", name="Calcite $$ ##END= „µ“", sample="Calcite R1",
                 formula="CaCO_3_", lower=y - 0.1, upper=y + 0.1, origin=Origin.GENERATED),
        Spectrum([5.01, 10.02, 30], [4, 5, 6.1], modality="xrd", wavelength=1.5406, name="=1+1"),
        Spectrum([100, 200, 300.5], [1, -2, 3], modality="raman", laser_nm=532.0, name="r"),
        Spectrum([300, 400, 500], [1, 2, 3], modality="uvvis", name="u"),
        Spectrum([1300, 1400, 1500], [1, 2, 3], modality="ir", y_unit="%T", name="t"),
        Spectrum([0.5, 1, 2], [1, 2, 3], modality="xrd", x_kind=XKind.Q, name="q"),
        Spectrum([2.5, 10, 25], [1, 2, 3], modality="ir", x_kind=XKind.WAVELENGTH, x_unit="um"),
    ]  # fmt: skip


def test_every_extension_is_described() -> None:
    assert set(registry.WRITERS) == {".csv", ".jdx", ".dx", ".nxs", ".h5", ".xlsx"}


@pytest.mark.parametrize("extension", [".jdx", ".nxs", ".h5"])
def test_several_come_back_with_their_numbers_and_kind(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"all{extension}"
    registry.write_many(spectra(), path)
    found = registry.read(path)
    assert len(found) == len(spectra())
    for left, right in zip(found, spectra(), strict=True):
        assert np.array_equal(left.x, right.x)
        assert np.array_equal(left.y, right.y)
        assert (left.modality, left.x_kind, left.x_unit) == (
            right.modality, right.x_kind, right.x_unit,
        )  # fmt: skip
        assert left.y_unit == right.y_unit
        assert left.origin is right.origin
        assert left.laser_nm == right.laser_nm
        if right.wavelength:
            assert left.wavelength == right.wavelength


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-1e12, 1e12), min_size=2, max_size=20), st.text(max_size=20))
def test_any_numbers_and_any_name_come_back(
    tmp_path_factory: pytest.TempPathFactory, y: list[float], name: str
) -> None:
    before = Spectrum(np.arange(len(y)) + 400.0, y, modality="ir", name=name)
    for extension in (".jdx", ".nxs"):
        path = tmp_path_factory.mktemp("any") / f"a{extension}"
        registry.write(before, path)
        (after,) = registry.read(path)
        assert np.array_equal(after.y, before.y)


@pytest.mark.parametrize("extension", list(registry.WRITERS))
def test_name_that_is_no_unicode(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a{extension}"
    registry.write(Spectrum([500, 600], [1, 2], modality="ir", name="\udcff\0\x1b"), path)
    assert registry.read(path)[0].y.tolist() == [1, 2]


def test_jcamp_read_by_an_independent_library(tmp_path: Path) -> None:
    package = pytest.importorskip("jcamp")
    path = tmp_path / "a.jdx"
    ours = spectra()[0]
    registry.write(ours, path)
    theirs = package.readfile(str(path))
    assert np.array_equal(theirs["x"], ours.x)
    assert np.array_equal(theirs["y"], ours.y)
    assert theirs["data type"] == "INFRARED SPECTRUM"
    assert theirs["xunits"] == "1/CM"


def test_nexus_follows_the_rules_of_nxdata(tmp_path: Path) -> None:
    import h5py

    path = tmp_path / "a.nxs"
    registry.write_many(spectra(), path)
    with h5py.File(path, "r") as file:
        entry = file[file.attrs["default"]]
        data = entry[entry.attrs["default"]]
        assert entry.attrs["NX_class"] == "NXentry"
        assert data.attrs["NX_class"] == "NXdata"
        signal, (axis,) = data[data.attrs["signal"]], data.attrs["axes"]
        assert signal.shape == data[axis].shape
        assert data[axis].attrs["units"] == "1/cm"
        assert np.array_equal(data["lower"][()], spectra()[0].lower)
        record = json.loads(entry["process/record"][()])
        assert record["origin"] == "generated"


def test_workbook_keeps_text_as_text(tmp_path: Path) -> None:
    import openpyxl

    path = tmp_path / "a.xlsx"
    registry.write_many(spectra(), path)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames[-1] == "Description"
    assert len(book.sheetnames) == len(spectra()) + 1
    sheet = book["Spectrum 2"]
    assert sheet.cell(1, 2).value == "=1+1 (counts)"
    assert sheet.cell(1, 2).data_type == "s"
    assert [c.value for c in sheet["B"][1:]] == [4, 5, 6.1]
    found = registry.read(path)
    assert np.allclose(found[0].y, spectra()[0].y, rtol=1e-15)
    assert found[0].lower is not None


@pytest.mark.parametrize("extension", [".jdx", ".nxs", ".xlsx"])
def test_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extension: str
) -> None:
    path = tmp_path / f"a{extension}"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(WriteError, match="No space"):
        registry.write(spectra()[0], path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
