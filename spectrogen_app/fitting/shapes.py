"""Line shapes: value and analytic derivatives in one pass, closed-form area and FWHM.

Every shape has a ``center`` and a ``height``, the value at the centre. With ``u = 2 (x - center) /
fwhm`` the shapes are

- ``gaussian``: ``height 2^(-u^2)``
- ``lorentzian``: ``height / (1 + u^2)``
- ``voigt``: convolution of a Gaussian of ``fwhm_gauss`` and a Lorentzian of ``fwhm_lorentz``, by
  the Faddeeva function w, whose derivative ``w' = 2i / sqrt(pi) - 2 z w`` costs nothing more
  (NIST Digital Library of Mathematical Functions, 7.2 and 7.10), far out by its asymptotic series
  (7.12.1 there), to the last digits and twice as fast; FWHM by Olivero and Longbothum,
  J. Quant. Spectrosc. Radiat. Transfer 17 (1977) 233, right to 0.02 %
- ``pseudo_voigt``: ``eta`` of the Lorentzian and ``1 - eta`` of the Gaussian (Wertheim et al., Rev.
  Sci. Instrum. 45 (1974) 1369)
- ``split_pseudo_voigt``: the same with another width on each side (Toraya, J. Appl. Cryst. 23
  (1990) 485, with one ``eta``)
- ``pearson7``: ``height (1 + (2^(1/m) - 1) u^2)^(-m)`` (Hall et al., J. Appl. Cryst. 10 (1977) 66);
  ``m = 1`` is the Lorentzian
- ``fano``: ``height (1 + a u)^2 / (1 + u^2)``, the Breit-Wigner-Fano line with ``asymmetry``
  ``a = 1/q`` (Fano, Phys. Rev. 124 (1961) 1866), so that 0 is the Lorentzian. It tends to
  ``height a^2`` far away; its area is that of the part above this.

A Cu powder line may carry its K-alpha-2 partner, :func:`partner`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.errors import FitError

Array = NDArray[np.float64]

_LN2 = math.log(2)
_GAUSS_AREA = math.sqrt(math.pi / _LN2) / 2
_ROOT_LN2 = math.sqrt(_LN2)
_ROOT_PI = math.sqrt(math.pi)
_REACH = 6.0
"""A Gaussian is nothing further out than so many times its FWHM: below 1e-43."""
_LEAST_GAUSS = 1e-3
"""A Voigt's Gaussian part is not narrower than this fraction of its Lorentzian part."""
_FAR = 12.0
_SERIES = [math.prod(range(1, 2 * n, 2)) / 2**n for n in range(9, -1, -1)]
"""From ``abs(z) = _FAR`` on, the tenth term of the series of w is below 1e-15 of the first."""


@dataclass(frozen=True)
class ShapeParameter:
    """A parameter of a shape, besides ``center`` and ``height``.

    Attributes
    ----------
    name, label : str
    of_width : float
        Start value as a fraction of the FWHM; 0: ``start`` is taken.
    start : float
    minimum, maximum : float
        Physical limits.
    """

    name: str
    label: str
    of_width: float = 0.0
    start: float = 0.0
    minimum: float = 0.0
    maximum: float = math.inf


@dataclass(frozen=True)
class Shape:
    """A line shape.

    Attributes
    ----------
    name, label : str
    extra : tuple of ShapeParameter
        Beside ``center`` and ``height``, in the order of the arguments.
    evaluate : callable(x, params, out=None) -> ndarray of shape (n,)
        ``params`` as in :attr:`names`; derivatives go to the rows of ``out``, shape
        (len(names), n).
    fwhm, area : callable(\\*params) -> float
    """

    name: str
    label: str
    extra: tuple[ShapeParameter, ...]
    evaluate: Callable[..., Array]
    fwhm: Callable[..., float]
    area: Callable[..., float]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Parameter names, in the order of the arguments."""
        return ("center", "height", *(p.name for p in self.extra))

    def starts(self, fwhm: float) -> dict[str, float]:
        """Start values of the extra parameters for a line of this FWHM."""
        return {p.name: p.of_width * fwhm or p.start for p in self.extra}


def shape(name: str) -> Shape:
    """The shape of that name.

    Raises
    ------
    FitError
        No such shape.
    """
    try:
        return SHAPES[name]
    except KeyError:
        raise FitError(
            f"{name!r} is not a line shape.", hint=f"Known: {', '.join(SHAPES)}.", shape=name
        ) from None


def _gaussian(x: Array, params: Sequence[float], out: Array | None = None) -> Array:
    center, height, fwhm = params
    reach = _REACH * abs(fwhm)
    a, b = x.searchsorted((center - reach, center + reach))
    y = np.zeros_like(x)
    t = x[a:b] - center
    g = t * t
    g *= -4 * _LN2 / fwhm**2
    np.exp(g, out=g)
    np.multiply(g, height, out=y[a:b])
    if out is not None:
        out[:] = 0.0
        out[1, a:b] = g
        slope = out[0, a:b]
        np.multiply(y[a:b], t, out=slope)
        slope *= 8 * _LN2 / fwhm**2
        np.multiply(slope, t, out=out[2, a:b])
        out[2, a:b] /= fwhm
    return y


def _lorentzian(x: Array, params: Sequence[float], out: Array | None = None) -> Array:
    center, height, fwhm = params
    u = x - center
    u *= 2 / fwhm
    shape = u * u
    shape += 1
    np.reciprocal(shape, out=shape)
    y = height * shape
    if out is not None:
        out[1] = shape
        np.multiply(y, shape, out=out[0])
        out[0] *= u
        out[0] *= 4 / fwhm
        np.multiply(out[0], u, out=out[2])
        out[2] *= 0.5
    return y


def _faddeeva(z: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """w(z) along a line: the real parts ascend, the imaginary part is one and not negative."""
    from scipy.special import wofz

    reach = math.sqrt(max(_FAR**2 - z[0].imag ** 2, 0.0)) if z.size else 0.0
    first, last = z.real.searchsorted((-reach, reach))
    w = np.empty_like(z)
    wofz(z[first:last], out=w[first:last])
    for far in (slice(None, first), slice(last, None)):
        inverse = 1 / z[far]
        square = inverse * inverse
        series = np.full_like(square, _SERIES[0])
        for term in _SERIES[1:]:
            series *= square
            series += term
        inverse *= 1j / _ROOT_PI
        np.multiply(series, inverse, out=w[far])
    return w


def _voigt(x: Array, params: Sequence[float], out: Array | None = None) -> Array:
    from scipy.special import erfcx

    center, height, gauss, lorentz = params
    clamped = gauss < _LEAST_GAUSS * lorentz
    width = _LEAST_GAUSS * lorentz if clamped else gauss
    scale = 2 * _ROOT_LN2 / width
    b = 0.5 * lorentz * scale
    z = np.empty(x.size, dtype=np.complex128)
    z.real = (x - center) * scale
    z.imag = b
    w = _faddeeva(z)
    top = float(erfcx(b))
    y = w.real * (height / top)
    if out is not None:
        np.divide(w.real, top, out=out[1])
        slope = -2 * z * w
        slope.imag += 2 / _ROOT_PI
        k = height / top
        np.multiply(slope.real, -scale * k, out=out[0])
        d_top = 2 * b * top - 2 / _ROOT_PI
        d_b = -slope.imag * k - y * (d_top / top)
        d_scale = slope.real * z.real * (k / scale) + d_b * (0.5 * lorentz)
        d_width = d_scale * (-scale / width)
        np.multiply(d_b, 0.5 * scale, out=out[3])
        if clamped:
            out[2] = 0.0
            out[3] += _LEAST_GAUSS * d_width
        else:
            out[2] = d_width
    return y


def _voigt_fwhm(center: float, height: float, gauss: float, lorentz: float) -> float:
    return 0.5346 * lorentz + math.sqrt(0.2166 * lorentz**2 + gauss**2)


def _voigt_area(center: float, height: float, gauss: float, lorentz: float) -> float:
    from scipy.special import erfcx

    width = max(gauss, _LEAST_GAUSS * lorentz)
    return height * width * _ROOT_PI / (2 * _ROOT_LN2 * float(erfcx(_ROOT_LN2 * lorentz / width)))


def _pseudo_voigt(x: Array, params: Sequence[float], out: Array | None = None) -> Array:
    center, height, fwhm, eta = params
    t = x - center
    mix = t * t
    mix *= 4 / fwhm**2
    mix += 1
    np.reciprocal(mix, out=mix)
    near = slice(*t.searchsorted((-_REACH * abs(fwhm), _REACH * abs(fwhm))))
    g = t[near] * t[near]
    g *= -4 * _LN2 / fwhm**2
    np.exp(g, out=g)
    if out is not None:
        slope = out[0]
        np.multiply(mix, mix, out=slope)
        slope *= 8 * eta * height / fwhm**2
        slope[near] += g * (8 * _LN2 * (1 - eta) * height / fwhm**2)
        slope *= t
        np.multiply(slope, t, out=out[2])
        out[2] /= fwhm
        np.multiply(mix, height, out=out[3])
        out[3, near] -= height * g
    mix *= eta
    g *= 1 - eta
    mix[near] += g
    if out is not None:
        out[1] = mix
    mix *= height
    return mix


def _pseudo_voigt_area(center: float, height: float, fwhm: float, eta: float) -> float:
    return height * fwhm * (eta * math.pi / 2 + (1 - eta) * _GAUSS_AREA)


def _split_pseudo_voigt(x: Array, params: Sequence[float], out: Array | None = None) -> Array:
    center, height, left, right, eta = params
    at = int(x.searchsorted(center))
    y = np.empty_like(x)
    inner = None if out is None else np.zeros((4, x.size))
    for part, width in ((slice(None, at), left), (slice(at, None), right)):
        rows = None if inner is None else inner[:, part]
        y[part] = _pseudo_voigt(x[part], (center, height, width, eta), rows)
    if out is not None and inner is not None:
        out[:2] = inner[:2]
        out[2:4] = 0.0
        out[2, :at] = inner[2, :at]
        out[3, at:] = inner[2, at:]
        out[4] = inner[3]
    return y


def _pearson7(x: Array, params: Sequence[float], out: Array | None = None) -> Array:
    center, height, fwhm, m = params
    k = math.expm1(_LN2 / m)
    u = (x - center) * (2 / fwhm)
    u2 = u * u
    base = 1 + k * u2
    log = np.log(base)
    p = np.exp(-m * log)
    y = height * p
    if out is not None:
        out[1] = p
        core = y / base
        core *= u
        core *= 4 * m * k / fwhm
        out[0] = core
        np.multiply(core, u, out=out[2])
        out[2] *= 0.5
        d_k = -(_LN2 / m**2) * (k + 1)
        out[3] = y * (-log - (m * d_k) * u2 / base)
    return y


def _pearson7_area(center: float, height: float, fwhm: float, m: float) -> float:
    gammas = math.exp(math.lgamma(m - 0.5) - math.lgamma(m)) if m > 0.5 else math.inf
    return height * fwhm * _ROOT_PI * gammas / (2 * math.sqrt(math.expm1(_LN2 / m)))


def _fano(x: Array, params: Sequence[float], out: Array | None = None) -> Array:
    center, height, fwhm, a = params
    u = (x - center) * (2 / fwhm)
    bottom = 1 / (1 + u * u)
    top = 1 + a * u
    shape = top * top * bottom
    y = height * shape
    if out is not None:
        out[1] = shape
        slope = (2 * height) * top * bottom * (a - top * bottom * u)
        np.multiply(slope, -2 / fwhm, out=out[0])
        np.multiply(slope, u, out=out[2])
        out[2] *= -1 / fwhm
        out[3] = (2 * height) * top * bottom * u
    return y


_WIDTH = ShapeParameter("fwhm", "FWHM", of_width=1.0)
_ETA = ShapeParameter("eta", "Lorentzian part", start=0.5, maximum=1.0)

SHAPES: dict[str, Shape] = {
    s.name: s
    for s in (
        Shape("gaussian", "Gaussian", (_WIDTH,), _gaussian,
              lambda c, h, w: w, lambda c, h, w: h * w * _GAUSS_AREA),
        Shape("lorentzian", "Lorentzian", (_WIDTH,), _lorentzian,
              lambda c, h, w: w, lambda c, h, w: h * w * math.pi / 2),
        Shape("voigt", "Voigt",
              (ShapeParameter("fwhm_gauss", "Gaussian FWHM", of_width=0.6107),
               ShapeParameter("fwhm_lorentz", "Lorentzian FWHM", of_width=0.6107)),
              _voigt, _voigt_fwhm, _voigt_area),
        Shape("pseudo_voigt", "Pseudo-Voigt", (_WIDTH, _ETA), _pseudo_voigt,
              lambda c, h, w, eta: w, _pseudo_voigt_area),
        Shape("split_pseudo_voigt", "Split pseudo-Voigt",
              (ShapeParameter("fwhm_left", "FWHM left", of_width=1.0),
               ShapeParameter("fwhm_right", "FWHM right", of_width=1.0), _ETA),
              _split_pseudo_voigt, lambda c, h, a, b, eta: (a + b) / 2,
              lambda c, h, a, b, eta: _pseudo_voigt_area(c, h, (a + b) / 2, eta)),
        Shape("pearson7", "Pearson VII",
              (_WIDTH, ShapeParameter("m", "Exponent", start=2.0, minimum=0.55, maximum=50.0)),
              _pearson7, lambda c, h, w, m: w, _pearson7_area),
        Shape("fano", "Fano",
              (_WIDTH, ShapeParameter("asymmetry", "Asymmetry 1/q", start=0.05, minimum=-1.0,
                                      maximum=1.0)),
              _fano, lambda c, h, w, a: w, lambda c, h, w, a: h * (1 - a * a) * w * math.pi / 2),
    )
}  # fmt: skip
"""Every shape, by name."""

WAVELENGTH_RATIO = 1.544390 / 1.540562
"""Cu K-alpha2 over K-alpha1 wavelength, 1.544390 and 1.540562 angstrom; other anodes differ."""
PARTNER_HEIGHT = 0.5
"""Height of the K-alpha2 line relative to K-alpha1, by the statistical weights of the levels."""


def partner(center: float) -> tuple[float, float]:
    """Where the K-alpha-2 partner of a powder line lies, 2theta in degrees, and its derivative.

    Lines that K-alpha2 does not reach (over 180 degrees) stay at 180.
    """
    half = math.radians(center) / 2
    sine = WAVELENGTH_RATIO * math.sin(half)
    if not 0 < sine < 1:
        return (center, 1.0) if sine <= 0 else (180.0, 0.0)
    slope = WAVELENGTH_RATIO * math.cos(half) / math.sqrt(1 - sine**2)
    return math.degrees(2 * math.asin(sine)), slope


def evaluate(
    name: str, x: Array, params: Mapping[str, float] | Sequence[float],
    out: Array | None = None, *, with_partner: bool = False,
) -> Array:  # fmt: skip
    """A line on x, with its derivatives.

    Parameters
    ----------
    name : str
        A key of :data:`SHAPES`.
    x : ndarray, shape (n,)
        Ascending.
    params : mapping, or sequence in the order of ``Shape.names``
    out : ndarray, shape (k, n), optional
        Filled with the derivative by each parameter.
    with_partner : bool
        Add the K-alpha2 line; x is 2theta in degrees.

    Returns
    -------
    ndarray, shape (n,)
    """
    kind = shape(name)
    values = [params[n] for n in kind.names] if isinstance(params, Mapping) else list(params)
    y = kind.evaluate(x, values, out)
    if with_partner:
        other, slope = partner(values[0])
        extra = None if out is None else np.empty_like(out)
        second = kind.evaluate(x, [other, PARTNER_HEIGHT * values[1], *values[2:]], extra)
        y = y + second
        if out is not None and extra is not None:
            extra[0] *= slope
            extra[1] *= PARTNER_HEIGHT
            out += extra
    return y
