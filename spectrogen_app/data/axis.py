"""Axis kinds, units and exact conversions between them.

Optical axes convert through the absolute wavenumber in vacuum, cm-1; a Raman shift is joined to
them by the laser line. Diffraction axes convert through Q = 4 pi sin(theta) / lambda.
Constants are the exact SI values of 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spectrogen_app.errors import AxisError

Array = NDArray[np.float64]

CU_KALPHA1 = 1.540562
"""Cu K-alpha1 wavelength in angstrom, as RRUFF's refinements use it."""
CU_KALPHA = 1.541838
"""Weighted mean of the Cu K-alpha doublet in angstrom."""
K_ALPHA = {
    "Cu": CU_KALPHA, "Co": 1.790260, "Mo": 0.710730, "Cr": 2.291000, "Fe": 1.937355,
    "Ag": 0.560885,
}  # fmt: skip
"""K-alpha wavelengths in angstrom, weighted means (International Tables for Crystallography C)."""

_LIGHT, _PLANCK, _CHARGE = 299_792_458.0, 6.626_070_15e-34, 1.602_176_634e-19
_THZ_PER_CM1 = _LIGHT * 100 * 1e-12
_EV_PER_CM1 = _PLANCK * _LIGHT * 100 / _CHARGE


class XKind(StrEnum):
    """What an x axis measures."""

    RAMAN_SHIFT = "raman_shift"
    WAVENUMBER = "wavenumber"
    WAVELENGTH = "wavelength"
    ENERGY = "energy"
    FREQUENCY = "frequency"
    TWO_THETA = "two_theta"
    D_SPACING = "d_spacing"
    Q = "q"
    OTHER = "other"


OPTICAL = frozenset(
    {XKind.RAMAN_SHIFT, XKind.WAVENUMBER, XKind.WAVELENGTH, XKind.ENERGY, XKind.FREQUENCY}
)
DIFFRACTION = frozenset({XKind.TWO_THETA, XKind.D_SPACING, XKind.Q})


@dataclass(frozen=True)
class _Unit:
    """A unit as ``base = factor * value``, base being cm-1, nm, deg, angstrom or 1/angstrom."""

    kind: XKind
    symbol: str
    factor: float = 1.0


_UNITS = (
    _Unit(XKind.RAMAN_SHIFT, "cm-1"),
    _Unit(XKind.WAVENUMBER, "cm-1"),
    _Unit(XKind.WAVELENGTH, "nm"),
    _Unit(XKind.WAVELENGTH, "um", 1e3),
    _Unit(XKind.ENERGY, "eV", 1 / _EV_PER_CM1),
    _Unit(XKind.ENERGY, "meV", 1e-3 / _EV_PER_CM1),
    _Unit(XKind.FREQUENCY, "THz", 1 / _THZ_PER_CM1),
    _Unit(XKind.TWO_THETA, "deg"),
    _Unit(XKind.D_SPACING, "angstrom"),
    _Unit(XKind.D_SPACING, "nm", 10.0),
    _Unit(XKind.Q, "1/angstrom"),
    _Unit(XKind.Q, "1/nm", 0.1),
)
_LABELS = {
    XKind.RAMAN_SHIFT: "Raman shift",
    XKind.WAVENUMBER: "Wavenumber",
    XKind.WAVELENGTH: "Wavelength",
    XKind.ENERGY: "Energy",
    XKind.FREQUENCY: "Frequency",
    XKind.TWO_THETA: "2θ",
    XKind.D_SPACING: "d",
    XKind.Q: "Q",
    XKind.OTHER: "x",
}
_PRETTY = {
    "cm-1": "cm⁻¹", "um": "µm", "deg": "°", "angstrom": "Å", "1/angstrom": "Å⁻¹", "1/nm": "nm⁻¹",
}  # fmt: skip


def units_of(kind: XKind) -> tuple[str, ...]:
    """Units in which an axis of this kind may be given, the usual one first."""
    return tuple(unit.symbol for unit in _UNITS if unit.kind is kind)


def default_unit(kind: XKind) -> str:
    """The usual unit of an axis kind; empty for ``XKind.OTHER``."""
    return next(iter(units_of(kind)), "")


def pretty_unit(unit: str) -> str:
    """The unit as printed on a plot, such as ``cm⁻¹`` for ``cm-1``."""
    return _PRETTY.get(unit, unit)


def axis_label(kind: XKind, unit: str) -> str:
    """Axis label such as ``Raman shift (cm⁻¹)``."""
    return f"{_LABELS[kind]} ({pretty_unit(unit)})" if unit else _LABELS[kind]


def convert_x(
    x: ArrayLike,
    from_kind: XKind,
    from_unit: str,
    to_kind: XKind,
    to_unit: str,
    *,
    laser_nm: float | None = None,
    wavelength: float | None = None,
    to_wavelength: float | None = None,
) -> Array:
    """Convert axis values between kinds and units.

    Parameters
    ----------
    x : array_like, any shape
        Values in ``from_unit``.
    from_kind, to_kind : XKind
    from_unit, to_unit : str
        One of :func:`units_of` the kind.
    laser_nm : float, optional
        Laser line in nm (vacuum); needed between a Raman shift and any absolute optical axis.
    wavelength : float, optional
        X-ray wavelength in angstrom; needed from or to 2theta.
    to_wavelength : float, optional
        X-ray wavelength of the result, where 2theta is converted to 2theta of another source;
        default ``wavelength``.

    Returns
    -------
    ndarray of float64, the shape of ``x``
        The order of the points is kept, so an ascending axis may come out descending.

    Raises
    ------
    AxisError
        No meaning (optical against diffraction), a missing laser line or wavelength, or values
        that cannot be converted (zero or negative wavelength, 2theta outside 0..180).
    """
    values = np.array(x, dtype=np.float64)
    if from_kind is to_kind and from_unit == to_unit and to_wavelength in (None, wavelength):
        return values
    source, target = _find(from_kind, from_unit), _find(to_kind, to_unit)
    values *= source.factor
    if not (from_kind is to_kind and to_wavelength in (None, wavelength)):
        if {from_kind, to_kind} <= OPTICAL:
            values = _from_cm1(_to_cm1(values, from_kind, laser_nm), to_kind, laser_nm)
        elif {from_kind, to_kind} <= DIFFRACTION:
            values = _from_q(_to_q(values, from_kind, wavelength), to_kind,
                             to_wavelength or wavelength)  # fmt: skip
        else:
            raise AxisError(
                f"{_LABELS[from_kind]} cannot be converted to {_LABELS[to_kind]}.",
                hint="Optical axes convert to optical ones, diffraction axes to diffraction ones.",
                from_kind=from_kind, to_kind=to_kind,
            )  # fmt: skip
    return values / target.factor


def _find(kind: XKind, symbol: str) -> _Unit:
    for unit in _UNITS:
        if unit.kind is kind and unit.symbol == symbol:
            return unit
    known = ", ".join(units_of(kind)) or "none"
    raise AxisError(
        f"{symbol or 'no unit'} is not a unit of {_LABELS[kind]}.", hint=f"Known units: {known}.",
        kind=kind, unit=symbol,
    )  # fmt: skip


def _positive(values: Array, what: str) -> Array:
    if np.any(~(values > 0)):
        raise AxisError(
            f"{what} must be positive, found {np.min(values):g}.",
            hint="Cut the range, or correct the unit of the axis.",
        )
    return values


def _laser_cm1(laser_nm: float | None) -> float:
    if laser_nm is None or not laser_nm > 0:
        raise AxisError(
            "A Raman shift and an absolute axis are joined by the laser line, which is not known.",
            hint="Give the laser wavelength in nm.",
        )
    return 1e7 / laser_nm


def _to_cm1(values: Array, kind: XKind, laser_nm: float | None) -> Array:
    """Values in the kind's base unit to absolute wavenumber; energy and THz bases are cm-1."""
    if kind is XKind.RAMAN_SHIFT:
        return _laser_cm1(laser_nm) - values
    if kind is XKind.WAVELENGTH:
        return 1e7 / _positive(values, "A wavelength")
    return values


def _from_cm1(values: Array, kind: XKind, laser_nm: float | None) -> Array:
    if kind is XKind.RAMAN_SHIFT:
        return _laser_cm1(laser_nm) - values
    if kind is XKind.WAVELENGTH:
        return 1e7 / _positive(values, "A wavenumber that becomes a wavelength")
    return values


def _xray(wavelength: float | None) -> float:
    if wavelength is None or not wavelength > 0:
        raise AxisError(
            "2θ needs the X-ray wavelength, which is not known.",
            hint=f"Give it in angstrom (Cu K-alpha: {CU_KALPHA}).",
        )
    return wavelength


def _to_q(values: Array, kind: XKind, wavelength: float | None) -> Array:
    if kind is XKind.TWO_THETA:
        if np.any((values <= 0) | (values > 180)):
            raise AxisError("2θ must lie in 0..180°.", hint="Check the unit of the axis.")
        return 4 * np.pi * np.sin(np.radians(values) / 2) / _xray(wavelength)
    if kind is XKind.D_SPACING:
        return 2 * np.pi / _positive(values, "A d-spacing")
    return values


def _from_q(values: Array, kind: XKind, wavelength: float | None) -> Array:
    if kind is XKind.TWO_THETA:
        sine = values * _xray(wavelength) / (4 * np.pi)
        if np.any((sine <= 0) | (sine > 1)):
            raise AxisError(
                "Part of this range cannot be reached with this X-ray wavelength.",
                hint="Cut the range, or give a shorter wavelength.",
            )
        return np.degrees(2 * np.arcsin(sine))
    if kind is XKind.D_SPACING:
        return 2 * np.pi / _positive(values, "Q")
    return values


class YUnit(StrEnum):
    """What a y axis measures; units that convert into each other share a row in ``_TO_A``."""

    INTENSITY = "a.u."
    COUNTS = "counts"
    CPS = "counts/s"
    ABSORBANCE = "absorbance"
    TRANSMITTANCE = "transmittance"
    TRANSMITTANCE_PERCENT = "%T"
    REFLECTANCE = "reflectance"
    REFLECTANCE_PERCENT = "%R"
    LOG_REFLECTANCE = "log(1/R)"
    KUBELKA_MUNK = "Kubelka-Munk"
    ATR = "ATR"
    NORMALISED = "normalised"


_LOG_PAIRS: dict[YUnit, tuple[YUnit, float]] = {
    YUnit.TRANSMITTANCE: (YUnit.ABSORBANCE, 1.0),
    YUnit.TRANSMITTANCE_PERCENT: (YUnit.ABSORBANCE, 100.0),
    YUnit.REFLECTANCE: (YUnit.LOG_REFLECTANCE, 1.0),
    YUnit.REFLECTANCE_PERCENT: (YUnit.LOG_REFLECTANCE, 100.0),
}


def convert_y(y: ArrayLike, from_unit: str, to_unit: str) -> Array:
    """Convert ordinate values, such as transmittance to absorbance.

    Parameters
    ----------
    y : array_like
    from_unit, to_unit : str
        Values of :class:`YUnit`. Absorbance, transmittance and %T convert into each other, and so
        do log(1/R), reflectance and %R.

    Raises
    ------
    AxisError
        The units do not convert, or a transmittance is zero or negative.
    """
    values = np.array(y, dtype=np.float64)
    if from_unit == to_unit:
        return values
    logarithmic, scale = _LOG_PAIRS.get(from_unit, (from_unit, None))  # type: ignore[call-overload]
    target, target_scale = _LOG_PAIRS.get(to_unit, (to_unit, None))  # type: ignore[call-overload]
    if logarithmic != target:
        raise AxisError(
            f"{from_unit} cannot be converted to {to_unit}.",
            hint="Absorbance and transmittance convert, and log(1/R) and reflectance.",
            from_unit=from_unit, to_unit=to_unit,
        )  # fmt: skip
    if scale is not None and target_scale is not None:
        return values * (target_scale / scale)
    if scale is not None:
        if np.any(~(values > 0)):
            raise AxisError(
                f"{from_unit} must be positive to become {to_unit}, found {np.min(values):g}.",
                hint="Correct the background, or cut the saturated range.",
            )
        return -np.log10(values / scale)
    assert target_scale is not None
    return target_scale * 10.0**-values


def converts_y(from_unit: str) -> tuple[str, ...]:
    """All units into which ``from_unit`` converts, itself first."""
    others = [u.value for u in YUnit if u != from_unit and _family(u) == _family(from_unit)]
    return (from_unit, *others)


def _family(unit: str) -> str:
    return _LOG_PAIRS.get(unit, (unit, 0))[0]  # type: ignore[call-overload]
