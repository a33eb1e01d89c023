"""Variants of formats of text and XML that no real file at hand shows, from their rules."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from spectrogen_app.io import registry

COUNTS = [5.0, 7.0, 300.0, 6.0]
ANGLES = [20.0, 20.1, 20.2, 20.3]


def brml(path: Path, rows: list[str], views: str) -> None:
    """A measurement whose route lists the axes Theta and TwoTheta."""
    axes = "".join(
        f'<ScanAxisInfo AxisId="{a}"><Start>1</Start></ScanAxisInfo>' for a in ("Theta", "TwoTheta")
    )
    data = "".join(f"<Datum>{row}</Datum>" for row in rows)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("experimentCollection.xml", "<a/>")
        archive.writestr(
            "Experiment0/RawData0.xml",
            f"<RawData><DataRoutes><DataRoute>{axes}{data}<DataViews>{views}</DataViews>"
            "</DataRoute></DataRoutes></RawData>",
        )


def test_brml_columns_stand_where_its_views_say(tmp_path: Path) -> None:
    path = tmp_path / "a.brml"
    views = (
        '<RawDataView Start="0" Length="1" LogicName="MeasuredTime"/>'
        '<RawDataView Start="3" Length="1" LogicName="AbsorptionFactor"/>'
        '<RawDataView Start="4" Length="2"><Varying><FieldDefinitions AxisId="Theta"/>'
        '<FieldDefinitions AxisId="TwoTheta"/></Varying></RawDataView>'
        '<RawDataView Start="1" Length="1"><Recording/></RawDataView>'
        '<RawDataView Start="2" Length="1"><Recording/></RawDataView>'
    )
    rows = [f"9,{y},77,1,{x / 2},{x}" for x, y in zip(ANGLES, COUNTS, strict=True)]
    brml(path, rows, views)
    verdict = registry.open_path(path)
    assert verdict.spectra[0].x.tolist() == ANGLES
    assert verdict.spectra[0].y.tolist() == COUNTS
    assert not any("absorber" in w for w in verdict.warnings)
    brml(path, [r.replace("77,1,", "77,8,") for r in rows], views)
    assert any("absorber" in w for w in registry.open_path(path).warnings)


def test_brml_without_views_has_its_usual_order(tmp_path: Path) -> None:
    rows = [f"9,1,{x / 2},{x},{y}" for x, y in zip(ANGLES, COUNTS, strict=True)]
    brml(tmp_path / "a.brml", rows, "")
    (found,) = registry.read(tmp_path / "a.brml")
    assert (found.x.tolist(), found.y.tolist()) == (ANGLES, COUNTS)


def xrdml(*scans: str) -> str:
    return (
        '<xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/1.5"><xrdMeasurement>'
        + "".join(
            '<scan scanAxis="Gonio"><dataPoints><positions axis="2Theta"><startPosition>20'
            "</startPosition><endPosition>20.3</endPosition></positions>"
            f"<intensities>{scan}</intensities></dataPoints></scan>"
            for scan in scans
        )
        + "</xrdMeasurement></xrdMeasurements>"
    )


def test_an_xrdml_scan_without_points_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.xrdml"
    path.write_text(xrdml("5 7 300 6", "", "1 2 3 4"))
    verdict = registry.open_path(path)
    assert [s.y.tolist() for s in verdict.spectra] == [COUNTS, [1, 2, 3, 4]]
    assert [s.name for s in verdict.spectra] == ["a scan 1", "a scan 3"]
    assert any("Scan 2 left out" in w for w in verdict.warnings)
    path.write_text(xrdml("", ""))
    assert "no scan with points" in str(registry.open_path(path).error)


def test_jcamp_interferogram(tmp_path: Path) -> None:
    (tmp_path / "a.dx").write_text(
        "##TITLE=i\n##JCAMP-DX=4.24\n##DATA TYPE=INFRARED INTERFEROGRAM\n##RUNITS=MICROMETERS\n"
        "##AUNITS=ARBITRARY UNITS\n##FIRSTR=0\n##LASTR=1.5\n##DELTAR=.5\n##RFACTOR=.5\n"
        "##AFACTOR=2\n##NPOINTS=4\n##RADATA=(R++(A..A))\n0 1 2 30\n3 4\n##END=\n"
    )
    (found,) = registry.read(tmp_path / "a.dx")
    assert (found.x.tolist(), found.y.tolist()) == ([0, 0.5, 1, 1.5], [2, 4, 60, 8])


@pytest.mark.parametrize("exponent", [-128, 128])
def test_old_spc_of_floating_point_ordinates(tmp_path: Path, exponent: int) -> None:
    head = struct.pack("<2Bh3f2B", 0, 0x4D, exponent, 4, 100, 400, 1, 2).ljust(224, b"\0")
    path = tmp_path / "a.spc"
    path.write_bytes(head + bytes(32) + np.array(COUNTS, "<f4").tobytes())
    (found,) = registry.read(path)
    assert (found.x.tolist(), found.y.tolist()) == ([100, 200, 300, 400], COUNTS)


def test_gsas_alt_has_four_points_on_a_line(tmp_path: Path) -> None:
    points = [(1000.5 + 2 * i, 10.0 + i, 0.5) for i in range(6)]
    cells = [f"{x * 32:8.0f}{y * 1e4:7.0f}{e:5.3f}" for x, y, e in points]
    lines = ["A title".ljust(80), "BANK 1 6 2 RALF 32016 64 32016 .001 ALT".ljust(80),
             "".join(cells[:4]), "".join(cells[4:])]  # fmt: skip
    (tmp_path / "a.gsa").write_text("\n".join(lines) + "\n")
    (found,) = registry.read(tmp_path / "a.gsa")
    assert found.x.tolist() == [x for x, _, _ in points]
    assert found.y.tolist() == [y for _, y, _ in points]
    assert found.upper is not None
    assert found.upper.tolist() == [y + 0.5 for _, y, _ in points]
