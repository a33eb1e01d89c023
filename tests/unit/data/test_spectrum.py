"""The spectrum is sorted, checked, frozen, and knows its axis."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from spectrogen_app.data.axis import XKind
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import AxisError, SpectrumError

COLUMN = arrays.arrays(float, st.integers(2, 50), elements=st.floats(-1e6, 1e6))


@given(COLUMN, st.randoms())
def test_points_are_sorted_and_equal_x_averaged(x, random) -> None:
    y = np.array([random.uniform(-1, 1) for _ in x])
    if np.unique(x).size < 2:
        with pytest.raises(SpectrumError, match="two points"):
            Spectrum(x, y)
        return
    spectrum = Spectrum(x, y)
    np.testing.assert_array_equal(spectrum.x, np.unique(x))
    for px, py in zip(spectrum.x, spectrum.y, strict=True):
        assert py == pytest.approx(y[x == px].mean())


def test_arrays_are_read_only_copies() -> None:
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    spectrum = Spectrum(x, y)
    x[0] = 9
    assert spectrum.x[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        spectrum.y[0] = 1


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1.0], [1.0]), ([], []), ([1, 2], [1]), ([[1, 2]], [[1, 2]]), ([1, np.nan], [1, 2]),
        ([1, 2], [1, np.inf]), (["a", "b"], [1, 2]), ([3, 3, 3], [1, 2, 3]), (None, [1]),
    ],
)  # fmt: skip
def test_what_is_no_spectrum(x, y) -> None:
    with pytest.raises(SpectrumError):
        Spectrum(x, y)


def test_unknown_words() -> None:
    with pytest.raises(SpectrumError, match="not a modality"):
        Spectrum([1, 2], [1, 2], modality="nmr")
    with pytest.raises(AxisError, match="not a unit"):
        Spectrum([1, 2], [1, 2], modality="raman", x_unit="nm")


def test_defaults_follow_the_modality() -> None:
    ir = Spectrum([1, 2], [1, 2], modality="ir")
    assert (ir.x_kind, ir.x_unit, ir.y_unit) == (XKind.WAVENUMBER, "cm-1", "absorbance")


def test_descending_results_are_ascending_again() -> None:
    ir = Spectrum([1000, 2000, 4000], [1, 2, 3], modality="ir", lower=[0, 1, 2], upper=[2, 3, 4])
    um = ir.to_x("wavelength", "um")
    np.testing.assert_allclose(um.x, [2.5, 5, 10])
    np.testing.assert_allclose(um.y, [3, 2, 1])
    np.testing.assert_allclose(um.lower, [2, 1, 0])


def test_bands_swap_with_the_ordinate() -> None:
    ir = Spectrum([1, 2], [1.0, 0.5], modality="ir", lower=[0.9, 0.4], upper=[1.1, 0.6])
    t = ir.to_y("%T")
    assert np.all(t.lower < t.y)
    assert np.all(t.y < t.upper)


def test_mixing_is_refused() -> None:
    raman = Spectrum([1, 2], [1, 2], modality="raman")
    ir = Spectrum([1, 2], [1, 2], modality="ir")
    with pytest.raises(AxisError, match="cannot be mixed"):
        raman.comparable_with(ir)
    copper, cobalt = (Spectrum([1, 2], [1, 2], modality="xrd", wavelength=w) for w in (1.54, 1.79))
    with pytest.raises(AxisError, match="cannot be mixed"):
        copper.comparable_with(cobalt)
    copper.comparable_with(copper)


def test_errors_travel_between_processes() -> None:
    with pytest.raises(SpectrumError) as caught:
        Spectrum([1], [1])
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.hint, again.fields) == (
        str(caught.value), caught.value.hint, caught.value.fields,
    )  # fmt: skip
