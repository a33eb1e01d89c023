"""The program's own CSV: what is written comes back the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectrogen_app.data.axis import XKind
from spectrogen_app.data.provenance import Generation, Origin, Provenance, Reference
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import WriteError
from spectrogen_app.io import registry

MADE = Generation(
    "spectrogen-1", "ab" * 32, 7, "cpu", ("raman calcite.txt " + "cd" * 32,), "CaCO3", 0.91,
    (Reference("Calcite", "R040070", 0.6), Reference("Dolomite", "R040030", 0.4)), 0.9, ("note",),
)  # fmt: skip


def generated(name: str = "Calcite, „ir“") -> Spectrum:
    x = np.linspace(400, 4000, 50)
    y = np.sin(x) ** 2 / 3
    return Spectrum(
        x, y, modality="ir", name=name, sample="Calcite R040070", formula="CaCO_3_",
        lower=y - 0.1, upper=y + 0.1, origin=Origin.GENERATED,
        metadata={"a": {"b": [1, 2.5, None, True]}, "multi\nline": "x\ny"},
        provenance=Provenance("calcite.txt", "cd" * 32, "rruff", 0, ("said",), ("crop(1, 2)",),
                              MADE),
    )  # fmt: skip


def equal(left: Spectrum, right: Spectrum) -> None:
    for column in ("x", "y", "lower", "upper"):
        a, b = getattr(left, column), getattr(right, column)
        assert (a is None) == (b is None)
        assert a is None or np.array_equal(a, b)
    for field in ("modality", "x_kind", "x_unit", "y_unit", "name", "sample", "formula",
                  "laser_nm", "wavelength", "origin", "metadata", "provenance"):  # fmt: skip
        assert getattr(left, field) == getattr(right, field), field


def test_generated_spectrum_comes_back_whole(tmp_path: Path) -> None:
    registry.write(generated(), tmp_path / "a.csv")
    (found,) = registry.read(tmp_path / "a.csv")
    equal(found, generated())
    text = (tmp_path / "a.csv").read_text("utf-8")
    for line in ("# origin: generated", "# seed: 7", "# model: spectrogen-1", "# modality: ir",
                 "# sample: Calcite R040070", "# source SHA-256: " + "cd" * 32,
                 "# step: crop(1, 2)",
                 "# references: Calcite R040070 0.6000; Dolomite"):  # fmt: skip
        assert line in text
    assert "Wavenumber (cm⁻¹),Infrared (absorbance),lower,upper" in text


def test_several_of_different_length_in_one_file(tmp_path: Path) -> None:
    many = [
        generated(),
        Spectrum([1, 2, 3], [4, 5, 6], modality="xrd", wavelength=1.5406, name="p"),
        Spectrum([500, 600], [1, 2], modality="raman", x_kind=XKind.WAVELENGTH, laser_nm=532.0),
    ]
    registry.write_many(many, tmp_path / "all.csv")
    found = registry.read(tmp_path / "all.csv")
    assert len(found) == 3
    equal(found[0], many[0])
    assert found[1].wavelength == 1.5406
    assert found[2].x.tolist() == [500, 600]
    assert found[2].provenance.path.endswith("all.csv")
    lines = [s for s in (tmp_path / "all.csv").read_text("utf-8").splitlines() if s[0] != "#"]
    assert {line.count(",") for line in lines} == {7}


finite = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15)


@settings(max_examples=60, deadline=None)
@given(
    y=st.lists(finite, min_size=2, max_size=30),
    step=st.floats(1e-6, 50),
    start=st.floats(-1000, 1000),
    name=st.text(max_size=30),
    metadata=st.dictionaries(st.text(max_size=8), st.text(max_size=20) | finite | st.booleans(),
                             max_size=4),
    band=st.booleans(),
)  # fmt: skip
def test_round_trip_of_anything(
    tmp_path_factory: pytest.TempPathFactory, *, y: list[float], step: float, start: float,
    name: str, metadata: dict, band: bool,
) -> None:  # fmt: skip
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    x = start + step * np.arange(len(y))
    values = np.array(y)
    columns = {"lower": values - 1, "upper": values + 1} if band else {}
    before = Spectrum(x, values, modality="raman", name=name, metadata=metadata,
                      provenance=Provenance("f", "0" * 64, "text"), **columns)  # fmt: skip
    registry.write(before, path)
    (after,) = registry.read(path)
    equal(after, before)


def test_file_without_its_record_opens_as_plain_csv(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    registry.write(generated(), path)
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(s for s in lines if not s.startswith("# record")), "utf-8")
    found = registry.read(path)
    assert np.array_equal(found[0].x, generated().x)
    assert found[0].modality == "ir"


def test_cut_file_is_not_half_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    registry.write(generated(), path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 9 // 10])
    verdict = registry.open_path(path)
    assert not verdict.ok or verdict.format != "SpectroGen CSV"


def test_newer_version_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("# SpectroGen CSV 9\n# record: []\nx,y\n1,2\n2,3\n")
    verdict = registry.open_path(tmp_path / "a.csv")
    assert verdict.ok or "newer" in str(verdict.error)


def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")

    def full(self: object, *_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(WriteError, match="No space"):
        registry.write(generated(), path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]
