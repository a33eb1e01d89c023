"""Scoring against values worked out elsewhere, and against its own definition."""

import zipfile

import numpy as np
import pytest

from spectrogen_app.data.axis import XKind
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import SpectrumError
from spectrogen_app.processing.scoring import GRIDS, masked_to, match_peaks, prepare, score

CHECK_VALUES = [
    ("Calcite__R040170__Raman__514__0__unoriented__Raman_Data_Processed__9653.txt",
     "Calcite__R050009__Raman__514__0__unoriented__Raman_Data_Processed__9847.txt",
     0.8765, 0.0339, 0.8571),
    ("Forsterite__R040018__Raman__514__0__unoriented__Raman_Data_Processed__9284.txt",
     "Forsterite__R040052__Raman__514__0__unoriented__Raman_Data_Processed__9350.txt",
     0.9443, 0.0386, 0.8889),
    ("Muscovite__R040104-1__Infrared__Infrared_Data_Processed__316.txt",
     "Muscovite__R040108-1__Infrared__Infrared_Data_Processed__317.txt",
     0.9334, 0.0927, 0.7500),
    ("Titanite__R050124-1__Powder__Xray_Data_XY_Processed__230.txt",
     "Titanite__R050472-1__Powder__Xray_Data_XY_Processed__462.txt",
     0.6634, 0.0637, 0.8571),
    ("Calcite__R050009-1__Infrared__Infrared_Data_Processed__225.txt",
     "Calcite__R050048-1__Infrared__Infrared_Data_Processed__226.txt",
     0.9984, 0.0106, 1.0000),
    ("Almandine__R040076-1__Powder__Xray_Data_XY_Processed__56.txt",
     "Almandine__R040079-1__Powder__Xray_Data_XY_Processed__59.txt",
     0.9830, 0.0126, 0.9630),
]  # fmt: skip
ARCHIVES = {
    "Raman": ("raman", "raman_excellent_unoriented.zip"),
    "Infrared": ("ir", "infrared_processed.zip"),
    "Powder": ("xrd", "powder_xy_processed.zip"),
}


def read(folder, name):
    modality, archive = ARCHIVES[name.split("__")[2]]
    with zipfile.ZipFile(folder / "rruff" / archive) as zipped:
        text = zipped.read(name).decode("latin-1")
    rows = [line.split(",") for line in text.splitlines() if line[:1].isdigit()]
    x, y = np.array(rows, dtype=float).T
    return Spectrum(x, y, modality=modality)


@pytest.mark.parametrize("case", CHECK_VALUES, ids=lambda case: case[0].split("__")[0])
def test_check_values(shared_data, case):
    truth = read(shared_data, case[1])
    result = score(read(shared_data, case[0]), truth, truth.modality)
    assert (result.r, result.rmse, result.f1) == pytest.approx(case[2:], abs=5e-5)


def gaussian(modality="raman", low=100.0, high=1400.0):
    x = np.arange(low, high, 0.5)
    return Spectrum(x, 3 + 5 * np.exp(-(((x - 600) / 8) ** 2)), modality=modality)


def test_a_spectrum_agrees_with_itself():
    result = score(gaussian(), gaussian(), "raman")
    assert result.r == pytest.approx(1)
    assert result.rmse == 0
    assert result.f1 == 1
    assert result.points == GRIDS["raman"].size


def test_only_the_measured_part_counts():
    truth = gaussian(low=500, high=700)
    assert score(gaussian(), truth, "raman").points == 199
    assert score(gaussian(low=900, high=1200), truth, "raman").r == 0


def test_transmittance_is_absorbance():
    x = np.arange(390.0, 4010.0, 2.0)
    absorbance = np.exp(-(((x - 1400) / 60) ** 2))
    percent = Spectrum(x, 100 * 10**-absorbance, modality="ir", y_unit="%T")
    np.testing.assert_allclose(
        prepare(percent, "ir").y,
        prepare(Spectrum(x, absorbance, modality="ir"), "ir").y,
        atol=1e-12,
    )


@pytest.mark.parametrize("kind", [XKind.D_SPACING, XKind.Q])
def test_diffraction_axes_are_one(kind):
    x = np.linspace(8, 80, 8000)
    y = 1 + 50 * np.exp(-(((x - 29.4) / 0.1) ** 2))
    pattern = Spectrum(x, y, modality="xrd", wavelength=1.541838)
    assert score(pattern.to_x(kind), pattern, "xrd").r > 0.99999


def test_molybdenum_pattern_is_cut_at_what_copper_reaches():
    x = np.linspace(4, 75, 9000)
    y = 1 + 50 * np.exp(-(((x - 20) / 0.1) ** 2))
    prepared = prepare(Spectrum(x, y, modality="xrd", wavelength=0.7107), "xrd")
    assert prepared.x[prepared.y.argmax()] == pytest.approx(
        2 * np.degrees(np.arcsin(np.sin(np.radians(10)) * 1.541838 / 0.7107)), abs=0.03
    )


def test_peaks_pair_one_to_one():
    assert match_peaks(np.array([100.0, 105.0]), np.array([102.0]), 10) == 1
    assert match_peaks(np.array([95.0, 103.0]), np.array([102.0, 112.0]), 10) == 2


def test_nothing_in_common_is_an_error():
    with pytest.raises(SpectrumError, match="150 to 1300"):
        score(gaussian(), gaussian(low=2000, high=3000), "raman")


def test_masked_to():
    part = masked_to(prepare(gaussian(), "raman"), 400, 500)
    assert part.mask.sum() == 101
    assert part.y[part.x > 500].max() == 0
