"""Conversions are exact, come back, and refuse nonsense."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectrogen_app.data.axis import (
    CU_KALPHA,
    DIFFRACTION,
    OPTICAL,
    XKind,
    YUnit,
    axis_label,
    convert_x,
    convert_y,
    converts_y,
    units_of,
)
from spectrogen_app.errors import AxisError


def pairs(kinds: frozenset[XKind]) -> list[tuple[XKind, str]]:
    return sorted((k, u) for k in kinds for u in units_of(k))


OPTICAL_PAIRS, DIFFRACTION_PAIRS = pairs(OPTICAL), pairs(DIFFRACTION)


@given(
    st.lists(st.floats(20.0, 9000.0), min_size=1, max_size=20),
    st.sampled_from(OPTICAL_PAIRS), st.sampled_from(OPTICAL_PAIRS),
    st.floats(200.0, 1064.0),
)  # fmt: skip
def test_optical_axes_come_back(wavenumbers, source, target, laser) -> None:
    start = convert_x(wavenumbers, XKind.WAVENUMBER, "cm-1", *source, laser_nm=laser)
    there = convert_x(start, *source, *target, laser_nm=laser)
    back = convert_x(there, *target, *source, laser_nm=laser)
    scale = 1e7 / laser if XKind.RAMAN_SHIFT in (source[0], target[0]) else 0.0
    np.testing.assert_allclose(back, start, rtol=1e-12, atol=1e-10 * scale)


@given(
    st.lists(st.floats(0.5, 170.0), min_size=1, max_size=20),
    st.sampled_from(DIFFRACTION_PAIRS), st.sampled_from(DIFFRACTION_PAIRS),
    st.floats(0.3, 2.5),
)  # fmt: skip
def test_diffraction_axes_come_back(angles, source, target, wavelength) -> None:
    start = convert_x(angles, XKind.TWO_THETA, "deg", *source, wavelength=wavelength)
    there = convert_x(start, *source, *target, wavelength=wavelength)
    back = convert_x(there, *target, *source, wavelength=wavelength)
    np.testing.assert_allclose(back, start, rtol=1e-9)


@pytest.mark.parametrize(
    ("value", "source", "target", "known", "options"),
    [
        (1000.0, (XKind.WAVENUMBER, "cm-1"), (XKind.WAVELENGTH, "um"), 10.0, {}),
        (500.0, (XKind.WAVELENGTH, "nm"), (XKind.ENERGY, "eV"), 2.4796839686, {}),
        (8065.54393735, (XKind.WAVENUMBER, "cm-1"), (XKind.ENERGY, "eV"), 1.0, {}),
        (33.3564095198, (XKind.WAVENUMBER, "cm-1"), (XKind.FREQUENCY, "THz"), 1.0, {}),
        (520.7, (XKind.RAMAN_SHIFT, "cm-1"), (XKind.WAVELENGTH, "nm"), 547.1579,
         {"laser_nm": 532.0}),
        (3.1355, (XKind.D_SPACING, "angstrom"), (XKind.TWO_THETA, "deg"), 28.443,
         {"wavelength": 1.5406}),
        (2.0, (XKind.D_SPACING, "angstrom"), (XKind.Q, "1/angstrom"), np.pi, {}),
        (1.0, (XKind.Q, "1/angstrom"), (XKind.Q, "1/nm"), 10.0, {}),
    ],
)  # fmt: skip
def test_known_values(value, source, target, known, options) -> None:
    """Silicon 111 at 28.44 degrees, 1 eV at 8065.54 cm-1, and the like."""
    assert convert_x(value, *source, *target, **options) == pytest.approx(known, rel=2e-5)


@given(st.lists(st.floats(1.0, 60.0), min_size=2, max_size=10))
def test_two_theta_of_another_source(angles) -> None:
    molybdenum = 0.7107
    there = convert_x(
        angles, XKind.TWO_THETA, "deg", XKind.TWO_THETA, "deg", wavelength=CU_KALPHA,
        to_wavelength=molybdenum,
    )  # fmt: skip
    d = [
        convert_x(a, XKind.TWO_THETA, "deg", XKind.D_SPACING, "angstrom", wavelength=w)
        for a, w in ((angles, CU_KALPHA), (there, molybdenum))
    ]
    np.testing.assert_allclose(d[0], d[1], rtol=1e-9)


@pytest.mark.parametrize(
    ("source", "target", "options", "said"),
    [
        ((XKind.RAMAN_SHIFT, "cm-1"), (XKind.WAVELENGTH, "nm"), {}, "laser"),
        ((XKind.WAVENUMBER, "cm-1"), (XKind.TWO_THETA, "deg"), {"wavelength": 1.5}, "cannot be"),
        ((XKind.TWO_THETA, "deg"), (XKind.D_SPACING, "angstrom"), {}, "wavelength"),
        ((XKind.TWO_THETA, "deg"), (XKind.D_SPACING, "parsec"), {"wavelength": 1.5}, "not a unit"),
        ((XKind.OTHER, ""), (XKind.WAVENUMBER, "cm-1"), {}, "no unit"),
    ],
)
def test_nonsense_is_refused(source, target, options, said) -> None:
    with pytest.raises(AxisError, match=said):
        convert_x([10.0, 20.0], *source, *target, **options)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
def test_no_wavelength_for_nothing(value) -> None:
    with pytest.raises(AxisError):
        convert_x([value], XKind.WAVENUMBER, "cm-1", XKind.WAVELENGTH, "nm")


@pytest.mark.parametrize("value", [0.0, -5.0, 181.0])
def test_angles_outside_the_circle(value) -> None:
    with pytest.raises(AxisError):
        convert_x([value], XKind.TWO_THETA, "deg", XKind.Q, "1/angstrom", wavelength=1.54)


def test_unreachable_angles() -> None:
    with pytest.raises(AxisError, match="reached"):
        convert_x([0.5], XKind.D_SPACING, "angstrom", XKind.TWO_THETA, "deg", wavelength=1.54)


@given(st.lists(st.floats(-3.0, 6.0), min_size=1, max_size=20), st.sampled_from(
    [(a, b) for a in YUnit for b in converts_y(a)]))  # fmt: skip
def test_ordinates_come_back(values, units) -> None:
    first, second = units
    start = convert_y(values, YUnit.ABSORBANCE, first) if first in converts_y("absorbance") else (
        np.abs(values) + 0.1
    )  # fmt: skip
    back = convert_y(convert_y(start, first, second), second, first)
    np.testing.assert_allclose(back, start, rtol=1e-10, atol=1e-10)


def test_known_ordinates() -> None:
    assert convert_y(1.0, YUnit.ABSORBANCE, YUnit.TRANSMITTANCE_PERCENT) == pytest.approx(10)
    assert convert_y(0.5, YUnit.TRANSMITTANCE, YUnit.ABSORBANCE) == pytest.approx(0.30103)


@pytest.mark.parametrize(("first", "second"), [("counts", "absorbance"), ("%T", "%R"), ("x", "y")])
def test_ordinates_that_do_not_convert(first, second) -> None:
    with pytest.raises(AxisError, match="cannot be converted"):
        convert_y([1.0], first, second)


def test_no_absorbance_of_nothing() -> None:
    with pytest.raises(AxisError, match="positive"):
        convert_y([0.5, 0.0], YUnit.TRANSMITTANCE, YUnit.ABSORBANCE)


def test_labels() -> None:
    assert axis_label(XKind.RAMAN_SHIFT, "cm-1") == "Raman shift (cm⁻¹)"
    assert axis_label(XKind.OTHER, "") == "x"
