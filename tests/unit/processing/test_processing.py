"""Steps against closed forms and independent implementations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse.linalg import spsolve

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import ProcessingError
from spectrogen_app.processing import baseline, despike, smooth
from spectrogen_app.processing.pipeline import STEPS, Step, apply, process

X = np.linspace(100, 1300, 2401)
LINES = sum(h / (1 + ((X - c) / w) ** 2) for c, h, w in [(300, 8, 4), (620, 20, 6), (1010, 5, 5)])
NOISE = np.random.default_rng(3).normal(0, 0.05, X.size)


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [("arpls", 0.15), ("asls", 0.3), ("iasls", 0.3), ("airpls", 0.5), ("snip", 0.5),
     ("modpoly", 0.4)],
)  # fmt: skip
def test_baseline_finds_a_known_background(name: str, tolerance: float) -> None:
    truth = 3 + 2e-6 * (X - 700) ** 2
    spectrum = Spectrum(X, truth + LINES + NOISE)
    found = STEPS[name].curve(spectrum.x, spectrum.y, **Step(name).values)
    assert np.sqrt(np.mean((found - truth) ** 2)) < tolerance


def test_rubberband_is_the_convex_hull() -> None:
    y = np.abs(X - 500) + LINES
    found = baseline.rubberband(X, y)
    assert np.all(found <= y + 1e-9)
    assert found == pytest.approx(np.abs(X - 500), abs=1.0)


@pytest.mark.parametrize("curve", ["pchip", "linear", "spline"])
def test_anchors_pass_through_their_points(curve: str) -> None:
    points = ((200.0, 1.0), (500.0, 3.0), (900.0, 2.0))
    found = baseline.anchors(X, LINES, points, curve, snap=False)
    assert np.interp([200, 500, 900], X, found) == pytest.approx([1, 3, 2])
    assert found[0] == pytest.approx(1)
    assert found[-1] == pytest.approx(2)


def test_anchors_snap_to_the_data_of_each_spectrum() -> None:
    for offset in (0.0, 7.0):
        found = baseline.anchors(X, np.full_like(X, offset), ((200.0, 99.0), (800.0, 99.0)))
        assert found == pytest.approx(offset)


def test_anchor_at_one_place_twice_is_one() -> None:
    assert np.isfinite(baseline.anchors(X, LINES, ((200, 1), (200, 2), (300, 1)))).all()


@given(st.integers(0, 3), st.integers(0, 2**31))
def test_savgol_reproduces_polynomials_on_any_x(order: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.uniform(0.5, 2.0, 60))
    c = rng.uniform(-1, 1, order + 1)
    assert smooth.savgol(x, np.polyval(c, x), 9, 3) == pytest.approx(np.polyval(c, x), abs=1e-4)
    slope = np.polyval(np.polyder(c), x)
    assert smooth.savgol(x, np.polyval(c, x), 9, 3, 1) == pytest.approx(slope, abs=1e-4)
    curvature = np.polyval(np.polyder(c, 2), x)
    assert smooth.savgol(x, np.polyval(c, x), 9, 3, 2) == pytest.approx(curvature, abs=1e-4)


def test_savgol_on_irregular_x_agrees_with_uniform() -> None:
    y = LINES + NOISE
    barely = X.copy()
    barely[1000] += 0.0101
    assert smooth.savgol(barely, y, 11, 3) == pytest.approx(smooth.savgol(X, y, 11, 3), abs=0.02)


@pytest.mark.parametrize(("window", "order"), [(8, 3), (3, 3), (999, 3)])
def test_savgol_refuses_windows_that_do_not_fit(window: int, order: int) -> None:
    with pytest.raises(ProcessingError):
        smooth.savgol(X[:50], X[:50], window, order)


def test_gaussian_broadens_by_quadrature() -> None:
    y = np.exp(-4 * np.log(2) * ((X - 700) / 30) ** 2)
    out = smooth.gaussian(X, y, 40.0)
    assert out.max() == pytest.approx(30 / 50, rel=1e-3)


def test_gaussian_irregular_agrees_with_uniform() -> None:
    x = X.copy()
    x[::7] += 0.02
    out = smooth.gaussian(x, LINES, 5.0)
    assert out == pytest.approx(smooth.gaussian(X, LINES, 5.0), abs=0.1)


def test_whittaker_is_the_solution_of_its_equations() -> None:
    x, y, lam = X[:80], (LINES + NOISE)[:80], 50.0
    d = sparse.diags([1.0, -2.0, 1.0], [0, 1, 2], shape=(78, 80))
    expected = spsolve((sparse.eye(80) + lam * d.T @ d).tocsc(), y)
    assert smooth.whittaker(x, y, lam) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("lam", [1.0, 1e3, 1e9])
def test_whittaker_keeps_straight_lines_on_irregular_x(lam: float) -> None:
    x = np.cumsum(np.random.default_rng(2).uniform(0.3, 3, 200))
    assert smooth.whittaker(x, 3 + 2 * x, lam) == pytest.approx(3 + 2 * x, abs=2e-3)


def test_despike_takes_spikes_and_leaves_lines() -> None:
    clean = LINES + NOISE
    spiked = clean.copy()
    places = np.array([50, 400, 1041, 1500, 2200])
    spiked[places] += [30, 8, 50, 5, 12]
    spiked[places + 1] += [10, 0, 20, 4, 0]
    out = despike.despike(X, spiked)
    touched = np.isin(np.arange(X.size), np.concatenate([places + i for i in range(-3, 5)]))
    assert np.array_equal(out[~touched], clean[~touched])
    assert np.max(np.abs(out - LINES)[touched]) < 1.5  # one spike sits on top of a line
    assert np.array_equal(despike.despike(X, clean), clean)


@pytest.mark.parametrize(
    ("method", "value"),
    [("max", lambda y: y.max()), ("minmax", lambda y: y.max() + y.min()),
     ("area", lambda y: np.trapezoid(y, X)), ("vector", lambda y: y @ y),
     ("snv", lambda y: y.std() + y.mean())],
)  # fmt: skip
def test_normalise(method: str, value: object) -> None:
    out = apply(Spectrum(X, LINES + 1), [f"normalise(method={method!r})"])
    assert value(out.y) == pytest.approx(1)
    assert out.y_unit == "normalised"


def test_crop_keeps_what_lies_inside_and_takes_ends_in_either_order() -> None:
    spectrum = Spectrum(X, LINES)
    a, b = (apply(spectrum, [s]) for s in ("crop(low=200, high=300)", "crop(low=300, high=200)"))
    assert (a.x[0], a.x[-1]) == (200, 300)
    assert np.array_equal(a.x, b.x)
    with pytest.raises(ProcessingError, match="Fewer than two points"):
        apply(spectrum, ["crop(low=5000)"])


def test_derivative_has_units_and_sign() -> None:
    out = apply(Spectrum(X, X**2, y_unit="counts"), ["derivative"])
    assert out.y == pytest.approx(2 * X)
    assert out.y_unit == "d(counts)/dx"
    assert apply(Spectrum(X, X**2), ["derivative(order=2)"]).y == pytest.approx(2, rel=1e-6)


def test_python_names_are_the_steps() -> None:
    spectrum = Spectrum(X, LINES)
    assert np.array_equal(process.crop(spectrum, low=200).y, apply(spectrum, ["crop(low=200)"]).y)
    assert set(vars(process)) == set(STEPS)
