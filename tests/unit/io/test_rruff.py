"""RRUFF text."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from spectrogen_app.data.axis import CU_KALPHA, XKind
from spectrogen_app.io import registry

HEADER = "##NAMES=Calcite\n##RRUFFID=R040070\n##IDEAL CHEMISTRY=CaCO_3_\n"
ROWS = "100.0, 0.0\n101.0, 5.5\n102.0, 7.5\n103.0, 6.0\n104.0, 0.0\n"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(text.encode("latin-1"))
    return path


def test_sample_formula_laser_and_name(tmp_path: Path) -> None:
    path = write(tmp_path, "Calcite__R040070__Raman__514__0__x__Raman_Data_Processed__1.txt",
                 HEADER + "##LOCALITY=Bj\xf6rn\n" + ROWS + "##END=\n")  # fmt: skip
    verdict = registry.open_path(path)
    (found,) = verdict.spectra
    assert found.sample == "Calcite R040070"
    assert found.formula == "CaCO_3_"
    assert found.laser_nm == 514
    assert found.modality == "raman"
    assert found.metadata["LOCALITY"] == "Björn"
    assert len(found) == 5
    assert any("forced 0" in a for a in verdict.assumptions)
    assert not verdict.warnings


def test_parts_of_one_sample_share_its_name(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "Calcite__R040070-1__Infrared__Infrared_Data_Processed__2.txt",
        HEADER.replace("40070", "40070-1") + ROWS.replace("10", "110") + "##END=\n",
    )
    (found,) = registry.read(path)
    assert (found.sample, found.modality) == ("Calcite R040070", "ir")


def test_far_infrared(tmp_path: Path) -> None:
    path = write(tmp_path, "Calcite__R040070-1__Infrared__x.txt", HEADER + ROWS + "##END=\n")
    (found,) = registry.read(path)
    assert (found.modality, found.x_kind) == ("fir", XKind.WAVENUMBER)


def test_header_is_trusted_over_the_name(tmp_path: Path) -> None:
    path = write(tmp_path, "Bromellite__R050194__Raman__532__x.txt",
                 HEADER.replace("R040070", "X050194") + ROWS + "##END=\n")  # fmt: skip
    verdict = registry.open_path(path)
    assert verdict.spectra[0].sample == "Calcite X050194"
    assert any("R050194" in w and "X050194" in w for w in verdict.warnings)


def test_wavelength_of_a_powder_pattern(tmp_path: Path) -> None:
    text = HEADER + "##X-RAY WAVELENGTH=1.541838\n5.00, 0\n5.01, 6\n5.02, 0\n"
    (found,) = registry.read(write(tmp_path, "whatever.txt", text))
    assert (found.modality, found.x_kind) == ("xrd", XKind.TWO_THETA)
    assert found.wavelength == CU_KALPHA


def test_missing_end_is_said_and_too_few_rows_refused(tmp_path: Path) -> None:
    cut = registry.open_path(write(tmp_path, "a__Raman__b.txt", HEADER + ROWS))
    assert cut.ok
    assert any("cut off" in w for w in cut.warnings)
    empty = registry.open_path(write(tmp_path, "a__Raman__b.txt", HEADER + "##END=\n"))
    assert "0 rows" in str(empty.error)


def test_rows_with_text_are_said(tmp_path: Path) -> None:
    text = HEADER + ROWS.replace("102.0, 7.5", "102.0, seven") + "##END=\n"
    verdict = registry.open_path(write(tmp_path, "a__Raman__b.txt", text))
    assert verdict.spectra[0].x.tolist() == [100, 101, 103, 104]
    assert any("1 line" in w for w in verdict.warnings)


def test_cell_refinement_is_refused_for_what_it_is(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", " **Program REFINE Version 3.0**\n 1 2 3\n 2 3 4\n 3 4 5\n")
    assert "cell refinement" in str(registry.open_path(path).error)


@pytest.mark.parametrize(
    ("archive", "modality", "member"),
    [
        ("raman_excellent_unoriented.zip", "raman",
         "Calcite__R040170__Raman__514__0__unoriented__Raman_Data_Processed__9653.txt"),
        ("infrared_processed.zip", "ir",
         "Calcite__R050009-1__Infrared__Infrared_Data_Processed__225.txt"),
        ("powder_xy_processed.zip", "xrd",
         "Titanite__R050124-1__Powder__Xray_Data_XY_Processed__230.txt"),
    ],
)  # fmt: skip
def test_real_files_agree_with_a_plain_parse(
    shared_data: Path, tmp_path: Path, archive: str, modality: str, member: str
) -> None:
    with zipfile.ZipFile(shared_data / "rruff" / archive) as packed:
        packed.extract(member, tmp_path)
    (found,) = registry.read(tmp_path / member)
    lines = (tmp_path / member).read_text("latin-1").splitlines()
    rows = [line.split(",") for line in lines if line[:1].isdigit()]
    truth = np.array(rows, dtype=float)
    truth = truth[np.argsort(truth[:, 0], kind="stable")]
    assert found.modality == modality
    assert np.array_equal(found.x, truth[:, 0])
    assert np.array_equal(found.y, truth[:, 1])
    mineral, number = member.split("__")[:2]
    assert found.sample == f"{mineral} {number[:7]}"
