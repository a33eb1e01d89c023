"""What a plot shows: curves in the units, scale and order in which they are drawn.

Nothing here changes a spectrum; the same numbers go to the window, the exported figure and the
copied table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.axis import (
    DIFFRACTION,
    OPTICAL,
    XKind,
    YUnit,
    axis_label,
    converts_y,
    units_of,
)
from spectrogen_app.data.modality import MODALITIES
from spectrogen_app.data.provenance import Origin
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import AxisError, SpectrogenError

Array = NDArray[np.float64]


class Scale(StrEnum):
    """How the ordinates of one panel are made comparable."""

    AUTO = "auto"
    AS_IS = "as measured"
    UNIT = "scaled to 1"


@dataclass(frozen=True)
class Look:
    """How a panel shows its curves.

    Attributes
    ----------
    x : str
        ``kind/unit``, such as ``wavelength/um``; empty takes what the curves have in common.
    y_unit : str
        Empty as for ``x``.
    scale : Scale
        ``AUTO`` scales to 1 when the curves' units differ.
    stack : float
        Offset from one curve to the next as a share of the tallest; 0 overlays them.
    """

    x: str = ""
    y_unit: str = ""
    scale: Scale = Scale.AUTO
    stack: float = 0.0


@dataclass(frozen=True, eq=False)
class Drawn:
    """One curve as drawn.

    Attributes
    ----------
    x, y : ndarray, shape (n,), x ascending
    lower, upper : ndarray or None
        The band.
    """

    x: Array
    y: Array
    lower: Array | None = None
    upper: Array | None = None


@dataclass(frozen=True, eq=False)
class Shown:
    """All curves of one panel.

    Attributes
    ----------
    curves : tuple of (Drawn or None)
        In the order given; None where a curve cannot be shown on this axis.
    problems : tuple of str
        Why, one sentence for each cause.
    x : str
        ``kind/unit`` of the axis.
    y_unit : str
        Empty when curves of different units share the panel.
    scaled : bool
        Whether each curve was scaled to 1.
    x_label, y_label : str
    """

    curves: tuple[Drawn | None, ...]
    problems: tuple[str, ...]
    x: str
    y_unit: str
    scaled: bool
    x_label: str
    y_label: str

    def bounds(self) -> tuple[float, float, float, float] | None:
        """Smallest and largest x, smallest and largest y; None without a curve."""
        drawn = [c for c in self.curves if c is not None]
        if not drawn:
            return None
        columns = [a for c in drawn for a in (c.y, c.lower, c.upper) if a is not None]
        return (
            min(float(c.x[0]) for c in drawn), max(float(c.x[-1]) for c in drawn),
            min(float(a.min()) for a in columns), max(float(a.max()) for a in columns),
        )  # fmt: skip


_Y_LABELS = {
    YUnit.INTENSITY: "Intensity", YUnit.COUNTS: "Counts", YUnit.CPS: "Counts per second",
    YUnit.ABSORBANCE: "Absorbance", YUnit.TRANSMITTANCE: "Transmittance",
    YUnit.TRANSMITTANCE_PERCENT: "Transmittance (%)", YUnit.REFLECTANCE: "Reflectance",
    YUnit.REFLECTANCE_PERCENT: "Reflectance (%)", YUnit.NORMALISED: "Relative intensity",
}  # fmt: skip


def y_label(unit: str) -> str:
    """The unit as an axis label, such as ``Absorbance``."""
    return _Y_LABELS.get(unit, unit)  # type: ignore[call-overload]


def x_choices(spectra: Iterable[Spectrum]) -> tuple[str, ...]:
    """Axes, as ``kind/unit``, on which at least one of the spectra can be shown."""
    found: dict[str, None] = {}
    for spectrum in spectra:
        kinds = [spectrum.x_kind]
        if spectrum.x_kind in DIFFRACTION and (
            spectrum.wavelength or spectrum.x_kind is not XKind.TWO_THETA
        ):
            kinds = [XKind.TWO_THETA, XKind.D_SPACING, XKind.Q]
            if not spectrum.wavelength:
                kinds.remove(XKind.TWO_THETA)
        elif spectrum.x_kind in OPTICAL:
            kinds = [XKind.WAVENUMBER, XKind.WAVELENGTH, XKind.ENERGY, XKind.FREQUENCY]
            if spectrum.laser_nm:
                kinds.insert(0, XKind.RAMAN_SHIFT)
            elif spectrum.x_kind is XKind.RAMAN_SHIFT:
                kinds = [XKind.RAMAN_SHIFT]
        for kind in kinds:
            for unit in units_of(kind) or (spectrum.x_unit,):
                found.setdefault(f"{kind.value}/{unit}")
    return tuple(found)


def x_choice_label(choice: str) -> str:
    """``wavelength/um`` as shown: ``Wavelength (µm)``."""
    kind, _, unit = choice.partition("/")
    return axis_label(XKind(kind), unit)


def y_choices(spectra: Iterable[Spectrum]) -> tuple[str, ...]:
    """Ordinate units into which at least one of the spectra converts."""
    return tuple(dict.fromkeys(u for s in spectra for u in converts_y(s.y_unit)))


def show(spectra: Sequence[Spectrum], look: Look, modality: str) -> Shown:
    """Prepare the curves of one panel.

    Parameters
    ----------
    spectra : sequence of Spectrum
    look : Look
    modality : str
        Decides the axis when the spectra have none in common.
    """
    x = look.x if look.x in x_choices(spectra) else _common_x(spectra, modality)
    y_unit = look.y_unit
    units = {u if y_unit not in converts_y(u) else y_unit for u in (s.y_unit for s in spectra)}
    if len(units) > 1 and not y_unit:
        units = {_as_absorbance(u) for u in units}
    scaled = look.scale is Scale.UNIT or (look.scale is Scale.AUTO and len(units) > 1)
    curves: list[Drawn | None] = []
    problems: dict[str, None] = {}
    for spectrum in spectra:
        unit = y_unit if y_unit in converts_y(spectrum.y_unit) else spectrum.y_unit
        if len({s.y_unit for s in spectra}) > 1 and not y_unit:
            unit = _as_absorbance(unit)
        try:
            curves.append(_drawn(spectrum, x, unit, scaled))
        except SpectrogenError as error:
            curves.append(None)
            problems.setdefault(str(error))
    if look.stack:
        _stack(curves, look.stack)
    kind, _, x_unit = x.partition("/")
    unit = next(iter(units)) if len(units) == 1 else ""
    label = "Relative intensity" if scaled else (y_label(unit) if unit else "Intensity")
    return Shown(
        tuple(curves), tuple(problems), x, unit, scaled,
        axis_label(XKind(kind), x_unit), f"{label}, offset" if look.stack else label,
    )  # fmt: skip


def _common_x(spectra: Sequence[Spectrum], modality: str) -> str:
    own = {f"{s.x_kind.value}/{s.x_unit}" for s in spectra}
    if len(own) == 1:
        return own.pop()
    kind = MODALITIES[modality].x_kind
    usual = f"{kind.value}/{next(iter(units_of(kind)), '')}"
    return usual if usual in x_choices(spectra) or not own else sorted(own)[0]


def _as_absorbance(unit: str) -> str:
    return next((u for u in converts_y(unit) if u == YUnit.ABSORBANCE), unit)


@lru_cache(maxsize=512)
def _drawn(spectrum: Spectrum, x: str, y_unit: str, scaled: bool) -> Drawn:
    name, _, unit = x.partition("/")
    kind = XKind(name)
    shown = spectrum
    if kind is not spectrum.x_kind:
        shown = _cut_to_convertible(shown)
    if (kind, unit) != (spectrum.x_kind, spectrum.x_unit):
        shown = shown.to_x(kind, unit)
    if y_unit != shown.y_unit:
        shown = _positive(shown).to_y(y_unit)
    drawn = Drawn(shown.x, shown.y, shown.lower, shown.upper)
    if not scaled or (spectrum.origin is Origin.GENERATED and y_unit == YUnit.NORMALISED):
        return drawn
    low = float(np.percentile(drawn.y, 2))
    height = float(drawn.y.max()) - low or 1.0
    band = {
        k: None if v is None else (v - low) / height
        for k, v in (("lower", drawn.lower), ("upper", drawn.upper))
    }
    return Drawn(drawn.x, (drawn.y - low) / height, **band)


def _cut_to_convertible(spectrum: Spectrum) -> Spectrum:
    """Without x <= 0, which no other axis has."""
    if spectrum.x[0] > 0 or spectrum.x_kind is XKind.RAMAN_SHIFT:
        return spectrum
    keep = spectrum.x > 0
    if np.count_nonzero(keep) < 2:
        raise AxisError("No point of positive x can be converted.", hint="Check the axis unit.")
    columns = {
        k: None if v is None else v[keep]
        for k, v in (("lower", spectrum.lower), ("upper", spectrum.upper))
    }
    return spectrum.replace(x=spectrum.x[keep], y=spectrum.y[keep], **columns)


def _positive(spectrum: Spectrum) -> Spectrum:
    """Transmittance at or below 0 counts as 0.01 %, so that its absorbance can be shown."""
    floors = {
        YUnit.TRANSMITTANCE: 1e-4, YUnit.TRANSMITTANCE_PERCENT: 1e-2,
        YUnit.REFLECTANCE: 1e-4, YUnit.REFLECTANCE_PERCENT: 1e-2,
    }  # fmt: skip
    floor = floors.get(spectrum.y_unit)  # type: ignore[call-overload]
    if floor is None:
        return spectrum
    columns = {
        k: None if v is None else np.maximum(v, floor)
        for k, v in (("y", spectrum.y), ("lower", spectrum.lower), ("upper", spectrum.upper))
    }
    return spectrum.replace(**columns)


def _stack(curves: list[Drawn | None], share: float) -> None:
    """Move each curve up by ``share`` of the tallest; the first stays lowest."""
    heights = [float(np.ptp(c.y)) for c in curves if c is not None]
    step = share * max(heights, default=0.0)
    for i, curve in enumerate(curves):
        if curve is not None:
            up = i * step
            curves[i] = replace(
                curve, y=curve.y + up,
                lower=None if curve.lower is None else curve.lower + up,
                upper=None if curve.upper is None else curve.upper + up,
            )  # fmt: skip


def peak_positions(curve: Drawn, limit: int = 15) -> tuple[tuple[float, float], ...]:
    """The most prominent maxima as (x, y), in the order of x, for labels on the plot."""
    from scipy.signal import find_peaks

    places, found = find_peaks(
        curve.y, prominence=0.03 * float(np.ptp(curve.y)), distance=max(1, curve.x.size // 60)
    )
    kept = np.sort(places[np.argsort(found["prominences"])[::-1][:limit]])
    return tuple((float(curve.x[i]), float(curve.y[i])) for i in kept)


def value_at(curve: Drawn, x: float) -> float | None:
    """The curve's height at x, between the points linearly; None outside its range."""
    if not curve.x[0] <= x <= curve.x[-1]:
        return None
    return float(np.interp(x, curve.x, curve.y))


def table(names: Sequence[str], shown: Shown, x_range: tuple[float, float] | None = None) -> str:
    """The curves as tab-separated text, two columns each (and the band), for the clipboard.

    Parameters
    ----------
    names : sequence of str
        One per curve.
    shown : Shown
    x_range : (low, high), optional
        Only points within.
    """
    head: list[str] = []
    columns: list[Array] = []
    for name, curve in zip(names, shown.curves, strict=True):
        if curve is None:
            continue
        keep = slice(None)
        if x_range is not None:
            keep = slice(*np.searchsorted(curve.x, x_range, side="left"))
        parts = {shown.x_label: curve.x, name: curve.y}
        if curve.lower is not None and curve.upper is not None:
            parts |= {f"{name} (lower)": curve.lower, f"{name} (upper)": curve.upper}
        head.extend(parts)
        columns.extend(a[keep] for a in parts.values())
    lines = ["\t".join(text.replace("\t", " ") for text in head)]
    for i in range(max((c.size for c in columns), default=0)):
        lines.append("\t".join(repr(float(c[i])) if i < c.size else "" for c in columns))
    return "\n".join(lines) + "\n"
