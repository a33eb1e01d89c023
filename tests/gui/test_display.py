"""What is drawn is the spectrum, in the units asked for."""

import numpy as np
import pytest
from gui_fakes import generated, lines
from hypothesis import given
from hypothesis import strategies as st

from spectrogen_app.app import display
from spectrogen_app.app.display import Look, Scale
from spectrogen_app.data.spectrum import Spectrum


def test_a_lone_spectrum_is_drawn_as_it_is(calcite):
    for spectrum in calcite:
        shown = display.show([spectrum], Look(), spectrum.modality)
        assert shown.curves[0] is not None
        np.testing.assert_array_equal(shown.curves[0].x, spectrum.x)
        np.testing.assert_array_equal(shown.curves[0].y, spectrum.y)
        assert not shown.scaled


def test_wavenumbers_become_micrometres(calcite):
    shown = display.show([calcite[1]], Look(x="wavelength/um"), "ir")
    curve = shown.curves[0]
    assert curve is not None
    np.testing.assert_allclose(curve.x, np.sort(1e4 / calcite[1].x))
    assert np.all(np.diff(curve.x) > 0)
    assert shown.x_label == "Wavelength (µm)"
    peak = curve.x[np.argmax(curve.y)]
    assert peak == pytest.approx(1e4 / 1410, abs=0.02)


def test_two_theta_becomes_d(calcite):
    shown = display.show([calcite[2]], Look(x="d_spacing/angstrom"), "xrd")
    curve = shown.curves[0]
    assert curve is not None
    assert curve.x[np.argmax(curve.y)] == pytest.approx(3.035, abs=0.01)


def test_curves_of_different_units_are_scaled_to_one(calcite):
    shown = display.show([calcite[1], generated("ir", 0, None)], Look(), "ir")
    assert shown.scaled
    for curve in shown.curves:
        assert curve is not None
        assert curve.y.max() == pytest.approx(1)
    made = generated("ir", 0, None)
    again = display.show([made, calcite[1]], Look(), "ir").curves[0]
    np.testing.assert_array_equal(again.y, made.y)
    np.testing.assert_array_equal(again.lower, made.lower)


def test_transmittance_is_shown_with_absorbance_as_absorbance(calcite):
    percent = calcite[1].to_y("%T")
    shown = display.show([calcite[1], percent], Look(), "ir")
    assert not shown.scaled
    assert shown.y_label == "Absorbance"
    np.testing.assert_allclose(shown.curves[1].y, calcite[1].y, atol=1e-12)


def test_saturated_transmittance_can_be_shown_as_absorbance():
    dark = Spectrum([400, 500, 600], [0.0, 50.0, -1.0], modality="ir", y_unit="%T")
    shown = display.show([dark], Look(y_unit="absorbance"), "ir")
    np.testing.assert_allclose(shown.curves[0].y, [4, 0.30103, 4], rtol=1e-5)


def test_what_cannot_be_converted_is_left_out_and_said():
    without_laser = lines("raman", (500, 1, 5))
    with_laser = lines("raman", (500, 1, 5), laser_nm=532.0)
    shown = display.show([without_laser, with_laser], Look(x="wavelength/nm"), "raman")
    assert shown.curves[0] is None
    assert shown.curves[1] is not None
    assert "laser" in shown.problems[0]


def test_unknown_choices_fall_back_to_the_usual_axis(calcite):
    shown = display.show([calcite[0]], Look(x="q/1/angstrom"), "raman")
    assert shown.x == "raman_shift/cm-1"


def test_stacked_curves_keep_their_shape(calcite, quartz):
    flat = display.show([calcite[0], quartz], Look(scale=Scale.UNIT), "raman")
    stacked = display.show([calcite[0], quartz], Look(scale=Scale.UNIT, stack=1.0), "raman")
    lift = stacked.curves[1].y - flat.curves[1].y
    np.testing.assert_allclose(lift, lift[0])
    assert lift[0] >= 1
    np.testing.assert_array_equal(stacked.curves[0].y, flat.curves[0].y)


def test_the_table_holds_every_point_in_full_precision(calcite):
    shown = display.show([calcite[0]], Look(), "raman")
    text = display.table(["Calcite"], shown, (1000, 1100))
    rows = [r.split("\t") for r in text.splitlines()]
    assert rows[0] == ["Raman shift (cm⁻¹)", "Calcite"]
    inside = (calcite[0].x >= 1000) & (calcite[0].x < 1100)
    np.testing.assert_array_equal([float(r[0]) for r in rows[1:]], calcite[0].x[inside])
    np.testing.assert_array_equal([float(r[1]) for r in rows[1:]], calcite[0].y[inside])


def test_peak_positions_are_the_lines(calcite):
    shown = display.show([calcite[0]], Look(), "raman")
    found = [x for x, _ in display.peak_positions(shown.curves[0])]
    assert found == pytest.approx([282, 712, 1086], abs=0.5)


@given(st.sampled_from(["", "wavelength/um", "energy/eV", "frequency/THz", "wavenumber/cm-1"]),
       st.sampled_from(list(Scale)), st.floats(0, 2), st.integers(2, 50))  # fmt: skip
def test_drawn_x_always_ascends(x, scale, stack, n):
    spectrum = Spectrum(np.linspace(0.0, 4000, n + 2), np.arange(n + 2.0), modality="ir")
    shown = display.show([spectrum, spectrum], Look(x, "", scale, stack), "ir")
    for curve in shown.curves:
        assert curve is not None
        assert np.all(np.diff(curve.x) > 0)
        assert curve.x.size == curve.y.size
        assert np.all(np.isfinite(curve.y))
