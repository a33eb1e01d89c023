"""Automatic peaks on made-up and on measured spectra."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import FitError
from spectrogen_app.fitting.api import fit
from spectrogen_app.fitting.guess import add_at_residual, noise, peak_at
from spectrogen_app.fitting.model import Model, Peak

X = np.linspace(100, 1300, 2000)
TRUTH = Model(
    tuple(Peak.make(s, c, h, w) for s, c, h, w in [
        ("lorentzian", 200, 1.0, 10), ("gaussian", 300, 0.5, 20), ("lorentzian", 465, 0.8, 7),
        ("gaussian", 490, 0.4, 16), ("lorentzian", 800, 0.3, 25), ("lorentzian", 1085, 0.9, 5),
    ])
)  # fmt: skip


def spectrum(snr: float = 50, seed: int = 0, model: Model = TRUTH) -> Spectrum:
    clean = model.evaluate(X)
    y = clean + np.random.default_rng(seed).normal(0, clean.max() / snr, X.size)
    return Spectrum(X, y, modality="raman")


@pytest.mark.parametrize("snr", [20, 50, 500, 1e5])
def test_finds_the_peaks_and_no_others(snr: float) -> None:
    result = fit(spectrum(snr))
    found = sorted(p.center.value for p in result.peaks)
    assert found == pytest.approx([p.center for p in TRUTH.peaks], abs=3)
    assert not result.warnings


def test_finds_peaks_on_a_sloping_background() -> None:
    data = spectrum()
    result = fit(data.replace(y=data.y + 5 + 0.003 * X))
    assert result.model.background is not None
    assert len(result.peaks) == 6


def test_shape_can_be_chosen_and_simplifies_at_its_limit() -> None:
    result = fit(spectrum(), shape="voigt")
    assert {p.shape for p in result.peaks} <= {"voigt", "lorentzian", "gaussian"}
    assert len(result.peaks) == 6


@pytest.mark.parametrize("shape", ["split_pseudo_voigt", "pearson7", "fano", "gaussian"])
def test_every_shape_can_be_found_automatically(shape: str) -> None:
    model = Model(tuple(Peak.make(shape, c, 1, 20) for c in (300, 600, 900)))
    result = fit(spectrum(100, model=model), shape=shape)
    assert result.r_squared > 0.99
    assert len(result.peaks) <= 4


def test_transmittance_is_fitted_as_absorbance() -> None:
    percent = Spectrum(X, 100 * 10 ** -TRUTH.evaluate(X), modality="ir", y_unit="%T")
    result = fit(percent)
    assert result.spectrum.y_unit == "absorbance"
    assert len(result.peaks) >= 6
    assert "absorbance" in result.notes[0]


@pytest.mark.parametrize("width", [1, 3])
def test_noise_is_found_white_or_interpolated(width: int) -> None:
    rng = np.random.default_rng(0)
    coarse = rng.normal(0, 0.02, 3000 // width + 1)
    y = np.interp(np.arange(3000) / width, np.arange(coarse.size), coarse)
    x = np.linspace(0, 1000, 3000)
    y = y + Model((Peak.make("lorentzian", 500, 1, 30),)).evaluate(x)
    found = noise(y)
    assert found.sigma == pytest.approx(0.02, rel=0.35)
    assert found.reach == {1: 1, 3: 4}[width]


def test_peak_where_the_user_clicks() -> None:
    data = spectrum(500)
    peak = peak_at(data.x, data.y, 466.0, "lorentzian")
    assert peak.height == pytest.approx(0.8, rel=0.2)
    assert peak.fwhm == pytest.approx(7, rel=0.5)
    assert peak_at(data.x, data.y, 466.0, "voigt", fwhm=30).fwhm == pytest.approx(30, rel=1e-3)
    for at in (-1e9, 1e9):
        assert np.isfinite(peak_at(data.x, data.y, at).fwhm)


def test_a_peak_is_added_at_the_largest_residual() -> None:
    data = spectrum(200)
    missing = TRUTH.remove("p6")
    more = add_at_residual(data.x, data.y, missing)
    added = more.peaks[-1]
    assert added.center == pytest.approx(1085, abs=2)
    assert added["center"].max - added["center"].min == pytest.approx(6 * added.fwhm)
    with pytest.raises(FitError, match="no maximum"):
        add_at_residual(X, np.zeros_like(X), Model())


def test_powder_pattern_of_narrow_lines() -> None:
    x = np.linspace(5, 90, 2126)
    model = Model(
        tuple(
            Peak.make("pseudo_voigt", c, h, 0.2)
            for c, h in [(20, 300), (26.6, 1000), (36.5, 120), (39.4, 90), (50.1, 170), (59.9, 140)]
        )
    )
    y = np.random.default_rng(0).poisson(model.evaluate(x) + 20)
    result = fit(Spectrum(x, y, modality="xrd", wavelength=1.5406))
    centers = np.array([p.center.value for p in result.peaks])
    assert all(np.min(np.abs(centers - p.center)) < 0.05 for p in model.peaks)
    assert len(centers) <= 9


def test_powder_lines_with_their_partner_are_counted_once() -> None:
    x = np.linspace(40, 90, 4000)
    model = Model(tuple(Peak.make("pseudo_voigt", c, h, 0.12, partner=True) for c, h in
                        [(50.1, 900), (68.2, 600), (81.4, 400)]))  # fmt: skip
    y = np.random.default_rng(0).normal(model.evaluate(x), 5)
    result = fit(Spectrum(x, y, modality="xrd"), partner=True)
    assert [p.center.value for p in result.peaks] == pytest.approx([50.1, 68.2, 81.4], abs=0.01)
    assert len(fit(Spectrum(x, y, modality="xrd")).peaks) > 3


def test_measured_raman_spectra(shared_data: Path) -> None:
    archive = zipfile.ZipFile(shared_data / "rruff" / "raman_excellent_unoriented.zip")
    names = sorted(n for n in archive.namelist() if n.endswith(".txt"))[::400]
    squares, warned = [], 0
    for name in names:
        lines = archive.read(name).decode("latin-1").splitlines()
        rows = [line.split(",") for line in lines if line and not line.startswith("##")][1:-1]
        x, y = np.array([r for r in rows if len(r) == 2], dtype=float).T
        result = fit(Spectrum(x, y, modality="raman"))
        squares.append(result.r_squared)
        warned += bool(result.warnings)
    assert np.median(squares) > 0.99
    assert warned <= 1
