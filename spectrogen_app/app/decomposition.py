"""The peaks of a curve as the session keeps them, and as a plot draws them."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.app.display import Drawn
from spectrogen_app.data.axis import XKind, YUnit, convert_x, convert_y, converts_y
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.fitting import shapes
from spectrogen_app.fitting.model import Model, Peak
from spectrogen_app.fitting.options import Options, included
from spectrogen_app.fitting.preview import Preview, with_ties
from spectrogen_app.fitting.result import FitResult

if TYPE_CHECKING:
    from spectrogen_app.fitting.lines import LineLike

Array = NDArray[np.float64]
MOST_LINES, LEAST_LINE = 60, 0.01
"""How many lines of a generated spectrum become peaks, and how high they are at least."""
_HALF = 80
"""Points of a drawn line on each side of its centre."""
_SEEN = 1e-3
"""Share of its height below which a line is not drawn: less than a pixel."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fit in the history of a spectrum.

    Attributes
    ----------
    result : FitResult
    what : str
        How it came about, such as ``Fit`` or ``Automatic``.
    at : float
        When, seconds since the epoch.
    """

    result: FitResult
    what: str = "Fit"
    at: float = field(default_factory=time.time)


@dataclass(frozen=True, eq=False)
class Decomposition:
    """The peaks of one curve.

    Attributes
    ----------
    model : Model
        As it stands, fitted or edited since.
    options : Options
        How the next fit is done.
    result : FitResult or None
        The fit that gave the model; None when it was edited since.
    history : tuple of Fitted
        Every fit, the oldest first.
    """

    model: Model = field(default_factory=Model)
    options: Options = field(default_factory=Options)
    result: FitResult | None = None
    history: tuple[Fitted, ...] = ()

    def edited(self, model: Model) -> Decomposition:
        """With another model, which is not fitted yet; tied values follow."""
        return dataclasses.replace(self, model=followed(model), result=None)

    def with_options(self, options: Options) -> Decomposition:
        """To be fitted otherwise."""
        return dataclasses.replace(self, options=options, result=None)

    def fitted(self, result: FitResult, what: str = "Fit") -> Decomposition:
        """With the answer of a fit, kept in the history."""
        return Decomposition(
            result.model, result.options, result, (*self.history, Fitted(result, what))
        )

    def restored(self, at: int) -> Decomposition:
        """Back to an earlier fit; the history stays."""
        result = self.history[at].result
        return dataclasses.replace(
            self, model=result.model, options=result.options, result=result
        )


def followed(model: Model) -> Model:
    """With tied values computed, where the ties can be resolved."""
    try:
        return with_ties(model)
    except SpectrogenError:
        return model


def from_line_list(lines: Iterable[LineLike]) -> Decomposition | None:
    """The lines of a generated spectrum as its peaks: the strongest, by position; None without.

    Parameters
    ----------
    lines : iterable of lines
        With ``center``, ``fwhm``, ``area`` and ``mixing``.
    """
    from spectrogen_app.fitting.lines import from_lines

    model = from_lines(lines)
    if not model.peaks:
        return None
    strongest = sorted(model.peaks, key=lambda p: -p.height)[:MOST_LINES]
    kept = tuple(p for p in strongest if p.height >= LEAST_LINE * strongest[0].height)
    return Decomposition(Model(kept).in_order())


class Frame:
    """Between a spectrum's own units and those in which a panel draws it.

    Parameters
    ----------
    spectrum : Spectrum
    drawn : Drawn
        The same curve as drawn.
    x : str
        ``kind/unit`` of the panel's axis.
    y_unit : str
        Of the panel; empty when its curves have several.

    Raises
    ------
    ValueError
        The curve is drawn in units that the frame cannot follow.
    """

    def __init__(self, spectrum: Spectrum, drawn: Drawn, x: str, y_unit: str) -> None:
        self._s = spectrum
        name, _, self._x_unit = x.partition("/")
        self._x_kind = XKind(name)
        self._same_x = (self._x_kind, self._x_unit) == (spectrum.x_kind, spectrum.x_unit)
        wanted = (spectrum.y_unit, y_unit, YUnit.ABSORBANCE.value)
        for unit in dict.fromkeys(wanted):
            if unit in (spectrum.y_unit, *converts_y(spectrum.y_unit)) and self._match(unit, drawn):
                return
        raise ValueError(f"no way from {spectrum.y_unit} to what is drawn")

    def _match(self, unit: str, drawn: Drawn) -> bool:
        self._unit, self._gain, self._offset = unit, 1.0, 0.0
        own = self.to_y(self._s.y[-drawn.y.size :])
        if own.size and self._s.x.size > 1 and self.descending:
            own = own[::-1]
        if own.shape != drawn.y.shape or not np.ptp(own) > 0:
            return own.shape == drawn.y.shape and bool(np.all(np.isfinite(own)))
        self._gain = float(np.ptp(drawn.y) / np.ptp(own))
        self._offset = float(drawn.y.min() - self._gain * own.min())
        near = np.abs(self._gain * own + self._offset - drawn.y)
        return bool(np.median(near) <= 1e-6 * (np.ptp(drawn.y) or 1.0))

    @property
    def span(self) -> float:
        """Length of the spectrum, in its own unit."""
        return float(self._s.x[-1] - self._s.x[0])

    @property
    def descending(self) -> bool:
        """Whether the drawn x falls as the spectrum's own x rises."""
        ends = self.to_x(self._s.x[[-2, -1]])
        return bool(ends[0] > ends[1])

    def to_x(self, x: Array) -> Array:
        """Own x as drawn."""
        if self._same_x:
            return np.asarray(x, dtype=float)
        s = self._s
        return convert_x(x, s.x_kind, s.x_unit, self._x_kind, self._x_unit,
                         laser_nm=s.laser_nm, wavelength=s.wavelength)  # fmt: skip

    def from_x(self, x: float) -> float:
        """Drawn x in the spectrum's own unit."""
        if self._same_x:
            return float(x)
        s = self._s
        return float(convert_x(np.array([x]), self._x_kind, self._x_unit, s.x_kind, s.x_unit,
                               laser_nm=s.laser_nm, wavelength=s.wavelength)[0])  # fmt: skip

    def to_y(self, y: Array) -> Array:
        """Own y as drawn."""
        if self._unit != self._s.y_unit:
            floor = 1e-4 if self._s.y_unit in (YUnit.TRANSMITTANCE, YUnit.REFLECTANCE) else 1e-2
            lossy = self._s.y_unit != YUnit.ABSORBANCE
            y = convert_y(np.maximum(y, floor) if lossy else y, self._s.y_unit, self._unit)
        return self._gain * np.asarray(y, dtype=float) + self._offset

    def from_y(self, y: float) -> float:
        """Drawn y in the spectrum's own unit."""
        own = (y - self._offset) / (self._gain or 1.0)
        if self._unit == self._s.y_unit:
            return own
        return float(convert_y(np.array([own]), self._unit, self._s.y_unit)[0])


@dataclass(frozen=True, eq=False)
class Line:
    """One peak as drawn.

    Attributes
    ----------
    name : str
    x, y, base : ndarray, shape (k,)
        The peak on the background, and the background.
    """

    name: str
    x: Array
    y: Array
    base: Array


@dataclass(frozen=True, eq=False)
class FitCurves:
    """A decomposition as drawn, in the units of its panel.

    Attributes
    ----------
    lines : tuple of Line
    total, residual : Drawn
        The sum; data less sum.
    background : Drawn or None
        None when the model has none.
    """

    lines: tuple[Line, ...]
    total: Drawn
    residual: Drawn
    background: Drawn | None


class Sketch:
    """Draws models on one spectrum again and again; what did not change is kept.

    Parameters
    ----------
    spectrum : Spectrum
    frame : Frame
    """

    def __init__(self, spectrum: Spectrum, frame: Frame) -> None:
        self.spectrum, self.frame = spectrum, frame
        self._order = slice(None, None, -1 if frame.descending else 1)
        self._x = frame.to_x(spectrum.x)[self._order]
        self._y = frame.to_y(spectrum.y)
        self._preview = Preview(spectrum.x)
        self._lines: dict[int, tuple[Peak, Line]] = {}
        self._under: object = None

    def curves(self, model: Model, options: Options | None = None) -> FitCurves:
        """The model as drawn; ranges that are not fitted have no residual."""
        now = self._preview.update(model)
        under = model.background, model.terms
        if under != self._under:
            self._lines, self._under = {}, under
        self._lines = {
            id(p): self._lines.get(id(p)) or (p, self._line(p, model)) for p in model.peaks
        }
        total = self.frame.to_y(now.total)
        rest = self._y - total
        if options is not None and (options.exclude or options.within):
            rest = np.where(included(self.spectrum.x, options), rest, 0.0)
        some = model.background is not None or bool(model.terms)
        order = self._order
        return FitCurves(
            tuple(line for _, line in self._lines.values()),
            Drawn(self._x, total[order]),
            Drawn(self._x, rest[order]),
            Drawn(self._x, self.frame.to_y(now.background)[order]) if some else None,
        )

    def _line(self, peak: Peak, model: Model) -> Line:
        low, high = float(self.spectrum.x[0]), float(self.spectrum.x[-1])
        width = max(peak.fwhm, 1e-9 * (high - low))
        reach = np.arcsinh(4 * (high - low) / width)
        steps = 0.5 * width * np.sinh(np.linspace(-reach, reach, 2 * _HALF + 1))
        places = [peak.center + steps]
        if peak.partner:
            places.append(shapes.partner(peak.center)[0] + steps)
        x = np.unique(np.clip(np.concatenate(places), low, high))
        own = peak.evaluate(x)
        seen = np.flatnonzero(np.abs(own) > _SEEN * np.abs(own).max())
        part = slice(max(seen[0] - 1, 0), seen[-1] + 2) if seen.size else slice(None)
        x, own = x[part], own[part]
        base = model.under(x)
        return Line(
            peak.name, self.frame.to_x(x), self.frame.to_y(base + own), self.frame.to_y(base)
        )


@lru_cache(maxsize=8)
def sketch(spectrum: Spectrum, drawn: Drawn, x: str, y_unit: str) -> Sketch | None:
    """The sketch of a curve on a panel, the same for the same curve; None where it has no way."""
    try:
        return Sketch(spectrum, Frame(spectrum, drawn, x, y_unit))
    except (ValueError, SpectrogenError):
        return None
