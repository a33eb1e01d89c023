"""Real files of binaries, containers and vendors' text, against values of independent readers.

The expected values are those of the manifest beside the files. Where it is silent, a file is held
to another export of the same measurement, or to what its own header says.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from spectrogen_app.data.axis import XKind
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.io import registry

FOLDERS = (
    "agilent", "andor", "avantes", "bad", "bwtek", "kaiser_txt", "labspec", "nexus_hdf5", "ocean",
    "other_spe", "perkinelmer_asp", "perkinelmer_fsm", "perkinelmer_sp", "perkinelmer_txt",
    "photothermal", "princeton_spe", "renishaw_txt", "shimadzu_txt", "trivista_tvf", "vamas",
    "witec", "xlsx",
)  # fmt: skip
REFUSED = {
    "4_noimage_agg256.bsp": "index of an Agilent image",
    "background_agg256.bsp": "index of an Agilent image",
    "5_mosaic_agg1024.dmt": "index of an Agilent image",
    "4_noimage_agg256.seq": "interferograms",
    "background_agg256.seq": "interferograms",
    "5_Mosaic_agg1024_0000_0000.drd": "interferograms",
    "5_Mosaic_agg1024_0000_0001.drd": "interferograms",
    "failfile.fail": "without rows of numbers",
    "spectra.foobar": "one column of numbers",
    "wrong_file_format.txt": "among 33 other lines",
    "PST10_iR785_OP01_8000msx8.l6s": "LabSpec 6",
    "elements.hdf5": "no NXdata",
    "simple_signal.nxs": "images but no spectrum",
    "LineScans.WIP": "WITec project",
    "Si-data.WIP": "WITec project",
    "ICAR 2328032.xlsx": "neither rises nor falls",
    "data.xlsx": "neither rises nor falls",
    "dataset_Excel.xlsx": "neither rises nor falls",
}
"""What is refused, and a part of the reason; every other file opens."""
COUNTED_FROM_ZERO = "HG-ARGON.SPE"
"""The manifest's reader counts the pixels of a straight calibration line from 0, see below."""


def rows(shared_data: Path) -> Sequence[dict[str, str]]:
    with (shared_data / "instruments" / "MANIFEST.csv").open(encoding="utf-8") as stream:
        return [r for r in csv.DictReader(stream) if r["format"] in FOLDERS]


def opened(shared_data: Path, name: str) -> Sequence[Spectrum]:
    verdict = registry.open_path(shared_data / "instruments" / name)
    assert verdict.error is None, verdict.error
    return verdict.spectra


def close(found: float, printed: str) -> bool:
    """Equal to 1e-6, or to the digits that the manifest prints."""
    digits = len(printed.partition("e")[0].lstrip("-").replace(".", "").lstrip("0"))
    exact = float(printed)
    return abs(found - exact) <= max(1e-6, 0.51 * 10.0 ** (1 - digits)) * max(abs(exact), 1e-30)


def test_every_file_opens_to_its_values_or_is_refused_for_its_reason(shared_data: Path) -> None:
    wrong = []
    seen = set()
    for row in rows(shared_data):
        verdict = registry.open_path(shared_data / "instruments" / row["format"] / row["file"])
        seen.add(row["file"])
        if verdict.error is not None:
            if REFUSED.get(row["file"], "no such") not in verdict.error.message:
                wrong.append(f"{row['file']} refused: {verdict.error}")
            elif not verdict.error.hint:
                wrong.append(f"{row['file']} refused without a hint")
            continue
        if row["file"] in REFUSED:
            wrong.append(f"{row['file']} opened as {verdict.format}")
        elif row["n_points_or_shape"] and row["file"] != COUNTED_FROM_ZERO:
            wrong += [f"{row['file']}: {w}" for w in differences(row, verdict)]
    assert not wrong, "\n".join(wrong)
    assert set(REFUSED) <= seen


def differences(row: dict[str, str], verdict: registry.Verdict) -> list[str]:
    count, _, points = row["n_points_or_shape"].rpartition("x")
    first = verdict.spectra[0]
    found = []
    if len(first) != int(points):
        found.append(f"{len(first)} points, expected {points}")
    if count and len(verdict.spectra) != int(count):
        found.append(f"{len(verdict.spectra)} spectra, expected {count}")
    ends = sorted((row["x_first"], row["x_last"]), key=float)
    if not (close(first.x[0], ends[0]) and close(first.x[-1], ends[1])):
        found.append(f"x from {first.x[0]!r} to {first.x[-1]!r}, expected {ends}")
    at = int(np.argmax(first.y))
    if row["y_at_max_x"] and not close(first.x[at], row["y_at_max_x"]):
        found.append(f"maximum at {first.x[at]!r}, expected {row['y_at_max_x']}")
    if row["y_max"] and not close(first.y[at], row["y_max"]):
        found.append(f"maximum {first.y[at]!r}, expected {row['y_max']}")
    return found


def test_avantes_binaries_match_their_exports(shared_data: Path) -> None:
    binary = opened(shared_data, "avantes/30849.RFL8")[0]
    table = np.loadtxt(shared_data / "instruments/avantes/30849.csv", delimiter=",")
    np.testing.assert_allclose(binary.x, table[:, 0], atol=5.1e-4)
    np.testing.assert_allclose(binary.y, table[:, 1], rtol=1e-12)
    feather = opened(shared_data, "avantes/feather.RFL8")[0]
    export = opened(shared_data, "avantes/feather_1.TXT")[-1]
    written = export.y != 0  # the program writes 0 for a ratio that it does not believe
    assert np.count_nonzero(~written) == 7
    np.testing.assert_allclose(feather.y[written], export.y[written], atol=5.1e-6)
    old = opened(shared_data, "avantes/avantes_trans.TRM")[0]
    text = opened(shared_data, "avantes/avantes_export.ttt")[0]
    interpolated = np.interp(text.x, old.x, old.y)
    assert np.median(np.abs(interpolated - text.y)) < 1e-3
    assert old.y_unit == text.y_unit == "%T"


def test_agilent_mosaic_is_its_tiles_and_its_header_agrees(shared_data: Path) -> None:
    whole = opened(shared_data, "agilent/5_Mosaic_agg1024.dat")
    upper = opened(shared_data, "agilent/5_Mosaic_agg1024_0000_0001.dmd")
    lower = opened(shared_data, "agilent/5_Mosaic_agg1024_0000_0000.dmd")
    np.testing.assert_array_equal([s.y for s in whole], [s.y for s in (*upper, *lower)])
    header = opened(shared_data, "agilent/5_Mosaic_agg1024.hdr")
    np.testing.assert_array_equal([s.y for s in whole], [s.y for s in header])
    np.testing.assert_allclose(whole[0].x, header[0].x, rtol=1e-8)


def test_pixels_of_princeton_files_count_from_one(shared_data: Path) -> None:
    """The lines by which the file was calibrated lie on its own peaks only so."""
    path = shared_data / "instruments/princeton_spe" / COUNTED_FROM_ZERO
    spectrum = opened(shared_data, f"princeton_spe/{COUNTED_FROM_ZERO}")[0]
    data = path.read_bytes()
    pixels = np.frombuffer(data, "<f8", 4, 3103)
    centres = []
    for pixel in pixels:
        near = slice(int(pixel) - 4, int(pixel) + 4)
        weight = spectrum.y[near] - spectrum.y[near].min()
        centres.append(np.average(np.arange(near.start, near.stop), weights=weight**2))
    assert np.abs(np.array(centres) + 1 - pixels).mean() < np.abs(np.array(centres) - pixels).mean()
    mercury = spectrum.x[np.abs(spectrum.x - 435.83).argmin() - 4 :][:9]
    peak = mercury[spectrum.y[np.isin(spectrum.x, mercury)].argmax()]
    assert abs(peak - 435.83) < 0.3


def test_fluorescence_binaries_meet_the_extremes_that_they_state(shared_data: Path) -> None:
    for name in ("A1701001", "A1720001", "A7440001"):
        verdict = registry.open_path(shared_data / f"instruments/perkinelmer_sp/{name}.SP")
        assert verdict.ok
        assert not verdict.warnings


def test_andor_calibration_gives_the_centre_that_the_spectrograph_reports(
    shared_data: Path,
) -> None:
    frames = opened(shared_data, "andor/Andor_kinetic.sif")
    assert len(frames) == 100
    assert frames[0].x[511] == pytest.approx(487.035, abs=1e-3)


def test_laser_lines_and_axes(shared_data: Path) -> None:
    expected = {
        "witec/Example_ASCII_export.txt": (XKind.WAVELENGTH, 532.200988769531),
        "labspec/jobinyvon_test_spec_3s_cm-1.xml": (XKind.RAMAN_SHIFT, 632.817),
        "labspec/lasertest1.txt": (XKind.RAMAN_SHIFT, 532.0),
        "bwtek/lamp Ne 10ms 0%.txt": (XKind.RAMAN_SHIFT, 784.9),
        "princeton_spe/raman_spectrum_silicon.spe": (XKind.WAVELENGTH, 531.988),
        "princeton_spe/blut1.SPE": (XKind.WAVELENGTH, 784.068),
        "trivista_tvf/aspirin.tvf": (XKind.WAVELENGTH, 784.8),
        "nexus_hdf5/NXraman_example_v3.nxs": (XKind.RAMAN_SHIFT, 532.12),
    }
    for name, (kind, laser) in expected.items():
        spectrum = opened(shared_data, name)[0]
        assert (spectrum.modality, spectrum.x_kind, spectrum.laser_nm) == ("raman", kind, laser)
    silicon = opened(shared_data, "princeton_spe/raman_spectrum_silicon.spe")[0].to_x("raman_shift")
    assert silicon.x[silicon.y.argmax()] == pytest.approx(520.5, abs=1.5)


def test_xray_wavelength_of_nexus(shared_data: Path) -> None:
    name = "nexus_hdf5/xrdml_918-16_10_ref.nxs"
    assert opened(shared_data, name)[0].wavelength == pytest.approx(1.540598)


def test_photothermal_infrared_and_raman_alternate(shared_data: Path) -> None:
    spectra = opened(shared_data, "photothermal/Nodax_Spectral_Array.ptir")
    assert [s.modality for s in spectra] == ["ir", "raman"] * 3
