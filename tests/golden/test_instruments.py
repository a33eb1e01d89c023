"""Real files of text, powder and infrared formats, against values of independent readers.

The expected values are those of the manifest beside the files. Where one cannot hold,
``TOLD_APART`` says why, and the file is held to what its own header says.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from spectrogen_app.data.axis import XKind
from spectrogen_app.data.provenance import Origin
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.io import registry

FOLDERS = (
    "brml", "bruker_raw", "cif_structure", "gsas", "jcamp", "opus", "opus_export", "pdcif",
    "philips_rd", "philips_udf", "raman_txt_misc", "rasx", "rigaku_dat", "rigaku_ras", "rod",
    "spa", "spa_export", "spc", "spc_export", "spg", "srs", "srs_export", "stoe_raw", "text_csv",
    "thermo_map", "uxd", "wdf", "wdf_export", "xrd_export", "xrd_misc", "xrdml", "xye",
)  # fmt: skip
TOLD_APART = {
    "BRUKNTUP.DX": "the manifest's reader divides Hz by the observe frequency; the file is in Hz",
    "isasspc1.dx": "as BRUKNTUP.DX; and it turns x round, against the x of each line",
    "OceanOptics_comma.jdx": "the manifest's reader takes decimal commas for separators",
    "interfero.SPA": "the manifest rounds x to 0.001 mm",
    "PrSrMnO.gda": "the manifest's reader fills up the 2395 channels that are there",
    "test3.csv": "the rows are not in order of x, so the ends differ",
}
REFUSED = {
    "148L.cif": "neither a measured profile nor a structure",
    "1829.cif": "no valid CIF",
    "ic034984fsi20030819_115442.cif": "neither a measured profile nor a structure",
    "PEAK.TXT": "without a table of data",
    "F80A20-1.SPC": "content is something else",
    "dxr_sucrose780.ABS": "content is something else",
    "Test.txt": "one column of numbers",
    "XRFSpectrum.mca": "one column of numbers",
    "XRD-918-16_10.xrdml.json": "without rows of numbers",
    "m82762_rc1mm_1_16dg_src_slit_phi-101_3dg_-420_mesh_long.xrdml.json": "without rows of numbers",
}
"""What is refused, and a part of the reason; every other file opens."""


def rows(shared_data: Path) -> Iterator[dict[str, str]]:
    with (shared_data / "instruments" / "MANIFEST.csv").open(encoding="utf-8") as stream:
        yield from (r for r in csv.DictReader(stream) if r["format"] in FOLDERS)


def first(shared_data: Path, name: str) -> Spectrum:
    return registry.read(shared_data / "instruments" / name)[0]


def differences(row: dict[str, str], spectra: list[Spectrum]) -> list[str]:
    """In what the spectra differ from a row of the manifest."""
    found = []
    shape = row["n_points_or_shape"].split("x")
    s = spectra[0]
    if len(shape) == 2 and len(spectra) != int(shape[0]):
        found.append(f"{len(spectra)} spectra instead of {shape[0]}")
    if len(s) != int(shape[-1]):
        found.append(f"{len(s)} points instead of {shape[-1]}")
    ends = sorted((float(row["x_first"]), float(row["x_last"])))
    scale = max(map(abs, ends))
    if not np.allclose([s.x[0], s.x[-1]], ends, rtol=0, atol=1e-6 * scale):
        found.append(f"x from {s.x[0]:.8g} to {s.x[-1]:.8g} instead of {ends}")
    if row["y_at_max_x"]:
        at = float(row["y_at_max_x"])
        nearest = int(np.abs(s.x - at).argmin())
        if abs(s.x[nearest] - at) > 1e-6 * scale or s.y[nearest] != s.y.max():
            found.append(f"maximum at {s.x[s.y.argmax()]:.8g} instead of {at}")
    if row["y_max"] and not np.isclose(s.y.max(), float(row["y_max"]), rtol=1e-5):
        found.append(f"maximum of {s.y.max():.8g} instead of {row['y_max']}")
    return found


def test_values_of_the_manifest(shared_data: Path) -> None:
    wrong = []
    checked = 0
    for row in rows(shared_data):
        if not row["n_points_or_shape"] or row["file"] in TOLD_APART:
            continue
        verdict = registry.open_path(shared_data / "instruments" / row["format"] / row["file"])
        checked += 1
        if verdict.error is not None:
            wrong.append(f"{row['format']}/{row['file']}: {verdict.error}")
        elif bad := differences(row, list(verdict.spectra)):
            wrong.append(f"{row['format']}/{row['file']}: {'; '.join(bad)}")
    assert not wrong, "\n".join(wrong)
    assert checked >= 210


def test_every_file_opens_or_is_refused_with_the_true_reason(shared_data: Path) -> None:
    wrong = []
    for row in rows(shared_data):
        name = row["file"]
        verdict = registry.open_path(shared_data / "instruments" / row["format"] / name)
        if name in REFUSED:
            if verdict.error is None or REFUSED[name] not in verdict.error.message:
                wrong.append(f"{name}: {verdict.error or 'opened'}, not {REFUSED[name]!r}")
        elif verdict.error is not None:
            wrong.append(f"{name}: {verdict.error}")
    assert not wrong, "\n".join(wrong)


def test_nmr_frequencies_divided_by_the_observe_frequency_are_the_manifests(
    shared_data: Path,
) -> None:
    for name, observe in (("BRUKNTUP.DX", 100.4), ("isasspc1.dx", 100.4)):
        row = next(r for r in rows(shared_data) if r["file"] == name)
        s = first(shared_data, f"jcamp/{name}")
        top = s.x[s.y.argmax()]
        expected = float(row["y_at_max_x"]) * observe
        if name == "isasspc1.dx":
            expected = s.x[-1] - expected
        assert np.isclose(s.x[-1] / observe, float(row["x_first"]), rtol=1e-6)
        assert np.isclose(top, expected, rtol=1e-5)
        assert np.isclose(s.y.max(), float(row["y_max"]), rtol=1e-6)
        assert len(s) == int(row["n_points_or_shape"].split("x")[1])


def test_decimal_commas_of_ocean_optics_hold_to_the_files_header(shared_data: Path) -> None:
    s = first(shared_data, "jcamp/OceanOptics_comma.jdx")
    assert (len(s), s.x[0], s.x[-1], s.y.max()) == (3648, 176.36, 893.69, 34985.041)


def test_rows_that_repeat_x_are_all_kept(shared_data: Path) -> None:
    verdict = registry.open_path(shared_data / "instruments" / "jcamp" / "toluene.jdx")
    s = verdict.spectra[0]
    rows = (shared_data / "instruments/jcamp/toluene.jdx").read_text().split("(XY..XY)\n")[1]
    x, y = np.array([r.split(",") for r in rows.split("\n##END")[0].split()], float)[::-1].T
    assert np.array_equal(s.y, y)
    np.testing.assert_allclose(s.x, x, rtol=1.1e-7)
    assert np.all(np.diff(s.x) > 0)
    assert any("71 points repeat" in w for w in verdict.warnings)


def test_rounded_interferogram(shared_data: Path) -> None:
    s = first(shared_data, "spa/interfero.SPA")
    assert (round(s.x[0], 3), round(s.x[-1], 3), len(s)) == (-0.041, 2.592, 4160)
    assert s.x[s.y.argmax()] == 0


@pytest.mark.parametrize(
    ("native", "export"),
    [
        ("opus/peach_juice.0", "opus_export/peach_juice.dpt"),
        ("spa/dxr_sucrose780.SPA", "spa_export/dxr_sucrose780.CSV"),
        ("spc/dxr_sucrose780.SPC", "spa_export/dxr_sucrose780.CSV"),
        ("jcamp/dxr_sucrose780.JDX", "spa_export/dxr_sucrose780.CSV"),
        ("wdf/nCal_Qontor785_z005H12_100_1x3s.wdf",
         "wdf_export/nCal_Qontor785_z005H12_100_1x3s.txt"),
        ("spc/CRAIC.spc", "spc_export/CRAIC.txt"),
        ("bruker_raw/BT86.raw", "xrd_export/BT86.UXD"),
        ("bruker_raw/D5000_1.RAW", "xrd_export/D5000_1.xy"),
        ("bruker_raw/sample5.raw", "uxd/sample5.uxd"),
        ("rigaku_ras/050121_LMO-p.asc", "xrd_export/050121_LMO-p.csv"),
    ],
)  # fmt: skip
def test_same_measurement_in_two_formats(shared_data: Path, native: str, export: str) -> None:
    left, right = first(shared_data, native), first(shared_data, export)
    assert len(left) == len(right)
    assert np.allclose(left.x, right.x, rtol=0, atol=6e-3)
    assert np.allclose(left.y, right.y, rtol=2e-4, atol=1e-4 * np.abs(right.y).max())


def test_srs_axis_is_that_of_its_export(shared_data: Path) -> None:
    folder = shared_data / "instruments"
    spectra = registry.open_path(folder / "srs" / "Test.srs").spectra
    exported = np.loadtxt(folder / "srs_export" / "Test.txt")
    assert len(spectra) == 118
    assert np.allclose(spectra[0].x, np.sort(exported), rtol=1e-6)


def test_compressed_xrdml_equals_the_unpacked_one(shared_data: Path, tmp_path: Path) -> None:
    packed = shared_data / "instruments" / "xrdml" / "simpack_xrd_AlGaAs.xrdml.gz"
    plain = tmp_path / "a.xrdml"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    assert np.array_equal(registry.read(plain)[0].y, registry.read(packed)[0].y)


def test_stoe_counts_meet_what_their_header_says(shared_data: Path) -> None:
    data = (shared_data / "instruments" / "stoe_raw" / "stoe.raw").read_bytes()
    s = first(shared_data, "stoe_raw/stoe.raw")
    count, begin, end, step = (
        np.frombuffer(data, kind, 1, at)[0]
        for kind, at in (("<i2", 2082), ("<f4", 2092), ("<f4", 2100), ("<f4", 2108))
    )
    assert len(s) == count == 5404
    assert s.x[0] == begin
    assert s.x[-1] == pytest.approx(end, abs=1e-4)
    assert np.diff(s.x) == pytest.approx(step)
    assert (s.y.min(), s.y.max()) == (1129, 5824)


def test_wavelengths_and_lasers_of_headers(shared_data: Path) -> None:
    folder = shared_data / "instruments"
    for name, value in (
        ("bruker_raw/D5000_1.RAW", 1.79026),
        ("gsas/11bmb_6231.fxye", 0.413529),
        ("gsas/PBSO4.CWN", 1.909),
        ("pdcif/1517474.cif", 2.0785),
        ("xye/PSI_DMC.dat", 1.494),
        ("xye/pattern_001.xy", 0.320179398976),
    ):
        verdict = registry.open_path(folder / name)
        assert verdict.spectra[0].wavelength == pytest.approx(value, rel=1e-6), name
        assert not any("Cu K-alpha" in a for a in verdict.assumptions), name
    assert first(shared_data, "rod/rod_file_1000679.rod").laser_nm == 488
    assert first(shared_data, "opus/test_opus.0").laser_nm == pytest.approx(1064.4, abs=0.1)
    assert first(shared_data, "wdf/spectra_1.wdf").laser_nm == pytest.approx(532, abs=1)


def test_calculated_patterns_have_the_known_lines(shared_data: Path) -> None:
    """Relative intensities of calcite: ICDD 5-586 (measured): 104 100, 113 18, 202 18, 110 14."""
    s = first(shared_data, "cif_structure/Calcite.cif")
    assert s.origin is Origin.SIMULATED
    assert s.x_kind is XKind.TWO_THETA

    def height(angle: float) -> float:
        return float(s.y[np.abs(s.x - angle) < 0.25].max())

    assert s.x[s.y.argmax()] == pytest.approx(29.42, abs=0.05)
    for angle, expected, tolerance in ((23.06, 10, 4), (36.0, 14, 4), (39.4, 19, 4), (43.2, 16, 4)):
        assert height(angle) == pytest.approx(expected, abs=tolerance)
    fluorite = first(shared_data, "cif_structure/amcsd.cif")
    strongest = [fluorite.x[i] for i in np.argsort(fluorite.y)[::-1] if fluorite.y[i] > 50]
    assert any(abs(x - 47.0) < 0.1 for x in strongest)
    assert any(abs(x - 28.3) < 0.1 for x in strongest)
