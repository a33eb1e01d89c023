"""What every line shape must hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import voigt_profile

from spectrogen_app.errors import FitError
from spectrogen_app.fitting import shapes
from spectrogen_app.fitting.model import Peak
from spectrogen_app.fitting.shapes import SHAPES, evaluate

ALL = pytest.mark.parametrize("name", list(SHAPES))
X = np.linspace(20, 80, 601)
CASES = {
    "gaussian": [(41.3, 2.0, 5.0)],
    "lorentzian": [(41.3, 2.0, 5.0)],
    "voigt": [(41.3, 2.0, 4.0, 3.0), (41.3, -1.0, 0.5, 6.0), (41.3, 2.0, 6.0, 1e-3)],
    "pseudo_voigt": [(41.3, 2.0, 5.0, 0.3), (41.3, 2.0, 5.0, 1.0), (41.3, 2.0, 5.0, 0.0)],
    "split_pseudo_voigt": [(41.33, 2.0, 3.0, 8.0, 0.4)],
    "pearson7": [(41.3, 2.0, 5.0, 1.7), (41.3, 2.0, 5.0, 30.0), (41.3, 2.0, 5.0, 1.5)],
    "fano": [(41.3, 2.0, 5.0, 0.3), (41.3, 2.0, 5.0, -0.6), (41.3, 2.0, 5.0, 0.0)],
}
EACH = pytest.mark.parametrize(("name", "params"), [(n, p) for n, c in CASES.items() for p in c])


@EACH
@pytest.mark.parametrize("with_partner", [False, True])
def test_derivatives_are_those_of_the_values(
    name: str, params: tuple[float, ...], with_partner: bool
) -> None:
    out = np.full((len(params), X.size), np.nan)
    y = evaluate(name, X, params, out, with_partner=with_partner)
    assert np.array_equal(y, evaluate(name, X, params, with_partner=with_partner))
    for i, value in enumerate(params):
        h = 1e-5 * max(abs(value), 0.1)
        up, down = (
            evaluate(name, X, (*params[:i], value + d, *params[i + 1 :]), with_partner=with_partner)
            for d in (h, -h)
        )
        assert out[i] == pytest.approx((up - down) / (2 * h), abs=2e-6 * np.max(np.abs(out[i])))


@EACH
def test_height_is_the_value_at_the_center(name: str, params: tuple[float, ...]) -> None:
    assert evaluate(name, np.array([params[0] - 1, params[0]]), params)[1] == pytest.approx(
        params[1]
    )


@EACH
def test_area_is_the_integral(name: str, params: tuple[float, ...]) -> None:
    c, h = params[:2]
    far = h * params[3] ** 2 if name == "fano" else 0.0

    def both_sides(u: float) -> float:
        t = 5 * np.tan(u)
        left, right = evaluate(name, np.array([c - t, c + t]), params)
        return (left + right - 2 * far) * 5 / np.cos(u) ** 2

    integral = quad(both_sides, 0, np.pi / 2 - 1e-9, limit=500)[0]
    assert SHAPES[name].area(*params) == pytest.approx(integral, rel=1e-5)


@EACH
def test_fwhm_is_the_width_at_half_height(name: str, params: tuple[float, ...]) -> None:
    if name == "fano" and params[3]:
        pytest.skip("the width of the Lorentzian that interferes, by definition")
    c, h = params[:2]

    def over(t: float, side: int) -> float:
        return float(evaluate(name, np.array([c + side * t]), params)[0]) / h - 0.5

    width = sum(brentq(over, 1e-9, 50, args=(side,)) for side in (-1, 1))
    assert SHAPES[name].fwhm(*params) == pytest.approx(width, rel=3e-4)


@ALL
def test_made_peak_has_its_width_and_bounds(name: str) -> None:
    peak = Peak.make(name, 40.0, 3.0, 6.0)
    assert peak.fwhm == pytest.approx(6.0, rel=1e-3)
    assert (peak.center, peak.height) == (40.0, 3.0)
    assert peak.moved(fwhm=9.0).fwhm == pytest.approx(9.0, rel=1e-3)
    assert all(p.min <= p.value <= p.max for p in peak.params)
    assert peak.evaluate(X).shape == X.shape


@ALL
def test_every_other_shape_can_be_taken(name: str) -> None:
    for other in SHAPES:
        peak = Peak.make(name, 40.0, 3.0, 6.0, name="p7").with_shape(other)
        assert (peak.shape, peak.name, peak.center) == (other, "p7", 40.0)
        assert peak.fwhm == pytest.approx(6.0, rel=1e-3)


@ALL
@settings(max_examples=25)
@given(data=st.data())
def test_anything_within_bounds_is_finite(name: str, data: st.DataObject) -> None:
    kind = SHAPES[name]
    params = [data.draw(st.floats(-1e3, 1e3)), data.draw(st.floats(-1e6, 1e6))]
    for p in kind.extra:
        low, high = (1e-3, 1e4) if p.of_width else (p.minimum, p.maximum)
        params.append(data.draw(st.floats(low, high)))
    out = np.empty((len(params), X.size))
    assert np.all(np.isfinite(evaluate(name, X, params, out)))
    assert np.all(np.isfinite(out))


@ALL
def test_inputs_stay_as_they_are(name: str) -> None:
    x, params = X.copy(), list(CASES[name][0])
    x.setflags(write=False)
    evaluate(name, x, params, np.empty((len(params), x.size)), with_partner=True)
    assert np.array_equal(x, X)
    assert params == list(CASES[name][0])


def test_voigt_is_scipys_profile() -> None:
    for gauss, lorentz in [(4.0, 3.0), (0.4, 6.0), (0.2, 0.01), (5.0, 0.1), (1.0, 25.0)]:
        sigma, gamma = gauss / (2 * np.sqrt(2 * np.log(2))), lorentz / 2
        expected = voigt_profile(X - 41.3, sigma, gamma) / voigt_profile(0, sigma, gamma)
        found = evaluate("voigt", X, (41.3, 1.0, gauss, lorentz))
        assert found == pytest.approx(expected, rel=1e-12, abs=0)


def test_partner_follows_bragg() -> None:
    at, slope = shapes.partner(60.0)
    d = 1.540562 / (2 * np.sin(np.radians(30)))
    assert at == pytest.approx(2 * np.degrees(np.arcsin(1.544390 / (2 * d))))
    assert slope == pytest.approx((shapes.partner(60.001)[0] - at) / 0.001, rel=1e-4)
    assert shapes.partner(179.99) == (180.0, 0.0)
    assert shapes.partner(-5.0) == (-5.0, 1.0)


def test_unknown_shape_is_refused() -> None:
    with pytest.raises(FitError, match="not a line shape"):
        shapes.shape("triangle")
