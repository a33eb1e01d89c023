"""What is fitted: peaks, a background and terms of one's own, all immutable.

Parameters are named ``<peak>_<parameter>``, such as ``p1_center``; those of the background
``bg_c0`` to ``bg_c3``, the coefficients of a polynomial in ``(x - origin) / scale``; those of a
term as its expression names them. Ties are expressions of these names.
"""

from __future__ import annotations

import dataclasses
import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from spectrogen_app.errors import FitError
from spectrogen_app.fitting import shapes
from spectrogen_app.fitting.expression import Expression

if TYPE_CHECKING:
    import lmfit

Array = NDArray[np.float64]

BACKGROUNDS = ("constant", "linear", "quadratic", "cubic")
"""Backgrounds, by degree."""


@dataclass(frozen=True)
class Param:
    """A parameter's value and what the fit may do with it.

    Attributes
    ----------
    value : float
    min, max : float
        Bounds; the value may lie on them.
    fixed : bool
    tie : str
        An expression that gives the value; empty for none.
    """

    value: float
    min: float = -math.inf
    max: float = math.inf
    fixed: bool = False
    tie: str = ""

    def __post_init__(self) -> None:
        for key in ("value", "min", "max"):
            given = getattr(self, key)
            if type(given) is not float or math.isnan(given):
                object.__setattr__(self, key, _number(given, key))
        if not math.isfinite(self.value):
            raise FitError(
                f"A start value must be a finite number, found {self.value}.",
                hint="Give a number.",
            )
        if not self.min <= self.max:
            raise FitError(
                f"The lower bound {self.min:g} lies above the upper bound {self.max:g}.",
                hint="Exchange the bounds, or widen them.",
                min=self.min, max=self.max,
            )  # fmt: skip

    def replace(self, **changes: Any) -> Param:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def moved(self, value: float) -> Param:
        """With another value, kept within the bounds."""
        return self.at(min(max(value, self.min), self.max))

    def at(self, value: float) -> Param:
        """With another value; all else as it is."""
        return Param(value, self.min, self.max, self.fixed, self.tie)


def _number(value: Any, what: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise FitError(
            f"Expected a number for {what}, found {value!r}.", hint="Give a number."
        ) from error
    if math.isnan(number):
        raise FitError(f"{what} is not a number (NaN).", hint="Give a number.")
    return number


_KEPT, _WIDEST = 3.0, 8.0
"""A peak that is kept near stays within so many FWHM, its width below so many."""


@dataclass(frozen=True)
class Peak:
    """One line.

    Attributes
    ----------
    shape : str
        A key of :data:`spectrogen_app.fitting.shapes.SHAPES`.
    params : tuple of Param
        In the order of ``Shape.names``.
    name : str
        Prefix of its parameters' names; stays with the peak when others come and go.
    partner : bool
        With its Cu K-alpha2 line; x is 2theta in degrees.
    """

    shape: str
    params: tuple[Param, ...]
    name: str = ""
    partner: bool = False

    @staticmethod
    def make(
        shape: str, center: float, height: float, fwhm: float,
        *, name: str = "", partner: bool = False, **extra: float,
    ) -> Peak:  # fmt: skip
        """A peak with the shape's usual bounds.

        Parameters
        ----------
        shape : str
        center, height, fwhm : float
            ``fwhm`` > 0; a shape with several widths shares it out.
        **extra
            Other parameters of the shape by name, such as ``eta``.
        """
        if not _number(fwhm, "fwhm") > 0:
            raise FitError(f"The FWHM must be positive, found {fwhm:g}.", hint="Give a width.")
        kind = shapes.shape(shape)
        starts = kind.starts(fwhm)
        strange = set(extra) - set(starts)
        if strange:
            raise FitError(
                f"{kind.label} has no parameter {', '.join(sorted(strange))}.",
                hint=f"It has: {', '.join(kind.names)}.",
                shape=shape,
            )
        starts.update(extra)
        params = [Param(center), Param(height)]
        for p in kind.extra:
            low = p.minimum if p.of_width == 0 or p.name.startswith("fwhm_") else 1e-12
            params.append(Param(starts[p.name], low, p.maximum).moved(starts[p.name]))
        return Peak(shape, tuple(params), name, partner)

    @property
    def values(self) -> tuple[float, ...]:
        """The values, in the order of ``Shape.names``."""
        return tuple(p.value for p in self.params)

    def __getitem__(self, name: str) -> Param:
        return self.params[self._place(name)]

    def _place(self, name: str) -> int:
        names = shapes.shape(self.shape).names
        if name not in names:
            raise FitError(
                f"{shapes.shape(self.shape).label} has no parameter {name}.",
                hint=f"It has: {', '.join(names)}.",
            )
        return names.index(name)

    @property
    def center(self) -> float:
        """Place, in units of x."""
        return self.params[0].value

    @property
    def height(self) -> float:
        """Value at the centre."""
        return self.params[1].value

    @property
    def fwhm(self) -> float:
        """Full width at half maximum, in units of x."""
        return shapes.shape(self.shape).fwhm(*self.values)

    @property
    def area(self) -> float:
        """Integral over all x, of the K-alpha1 line alone."""
        return shapes.shape(self.shape).area(*self.values)

    def edit(self, name: str, **changes: Any) -> Peak:
        """With fields of one parameter changed, such as ``edit("center", fixed=True)``."""
        at = self._place(name)
        changed = self.params[at].replace(**changes)
        return dataclasses.replace(
            self, params=(*self.params[:at], changed, *self.params[at + 1 :])
        )

    def moved(
        self, *, center: float | None = None, height: float | None = None,
        fwhm: float | None = None,
    ) -> Peak:  # fmt: skip
        """Dragged: values changed within their bounds; every width scales with ``fwhm``."""
        wanted: dict[str, float] = {}
        if center is not None:
            wanted["center"] = center
        if height is not None:
            wanted["height"] = height
        kind = shapes.shape(self.shape)
        if fwhm is not None and fwhm > 0:
            now = self.fwhm
            widths = [p for p in kind.extra if p.of_width]
            wanted |= {p.name: self[p.name].value * fwhm / now if now > 0 else p.of_width * fwhm
                       for p in widths}  # fmt: skip
        params = tuple(
            p.moved(wanted[n]) if n in wanted else p
            for n, p in zip(kind.names, self.params, strict=True)
        )
        return dataclasses.replace(self, params=params)

    def near(self, reach: float) -> Peak:
        """The centre bounded to so far from where it is, within the bounds that it has."""
        center = self["center"]
        at = center.moved(center.value).value
        return self.edit(
            "center", min=max(center.min, at - reach), max=min(center.max, at + reach)
        )

    def kept_near(self) -> Peak:
        """Bounded so that a fit neither carries it away from where it is nor turns it over."""
        peak = self.near(_KEPT * self.fwhm)
        peak = peak.edit("height", **({"max": 0.0} if self.height < 0 else {"min": 0.0}))
        for p in shapes.shape(self.shape).extra:
            if p.of_width:
                peak = peak.edit(p.name, max=_WIDEST * self.fwhm)
        return peak

    def with_shape(self, shape: str) -> Peak:
        """The same place, height and width in another shape; bounds of shared parameters stay."""
        fresh = Peak.make(shape, self.center, self.height, max(self.fwhm, 1e-12),
                          name=self.name, partner=self.partner)  # fmt: skip
        own = dict(zip(shapes.shape(self.shape).names, self.params, strict=True))
        params = tuple(
            own.get(n, p) for n, p in zip(shapes.shape(shape).names, fresh.params, strict=True)
        )
        return dataclasses.replace(fresh, params=params)

    def evaluate(self, x: Array) -> Array:
        """The line on x (ascending), shape (n,)."""
        return shapes.evaluate(self.shape, x, self.values, with_partner=self.partner)


@dataclass(frozen=True)
class Term:
    """A term of one's own.

    Attributes
    ----------
    expression : str
        Of ``x`` and the parameters, such as ``b1 * exp(-b2 * x)``.
    params : mapping of str to Param
        One for each name in the expression besides x.
    """

    expression: str
    params: Mapping[str, Param]

    def __post_init__(self) -> None:
        needed = Expression(self.expression).names - {"x"}
        if needed != set(self.params):
            raise FitError(
                f"The expression {self.expression!r} needs the parameters "
                f"{', '.join(sorted(needed)) or 'none'}, found "
                f"{', '.join(sorted(self.params)) or 'none'}.",
                hint="Give a start value for each, and no others.",
            )


@dataclass(frozen=True)
class Background:
    """A polynomial ``sum c_k ((x - origin) / scale)^k``, part of the fit.

    Attributes
    ----------
    params : tuple of Param
        c0, c1 ...; one to four.
    origin, scale : float
        Centre and half width of the fitted range, so that coefficients are of one size.
    """

    params: tuple[Param, ...]
    origin: float
    scale: float

    @staticmethod
    def make(kind: str, x: Array, y: Array) -> Background:
        """A level background of that kind, at the lower edge of the data."""
        if kind not in BACKGROUNDS:
            raise FitError(
                f"{kind!r} is not a background.", hint=f"Known: {', '.join(BACKGROUNDS)}."
            )
        level = Param(float(np.percentile(y, 5)))
        more = (Param(0.0),) * BACKGROUNDS.index(kind)
        half = float(x[-1] - x[0]) / 2
        return Background((level, *more), float(x[0]) + half, half)

    def centred(self, x: Array) -> Background:
        """The same curve by powers about the middle of x, where they are told apart best.

        As it was when a coefficient is fixed, tied or bounded: these would mean something else.
        """
        if any(p != Param(p.value) for p in self.params):
            return self
        fresh = Background.make(self.kind, x, np.zeros(x.size))
        inner = np.array([fresh.origin - self.origin, fresh.scale]) / self.scale
        curve = Polynomial([p.value for p in self.params])(Polynomial(inner))
        values = np.zeros(len(self.params))
        values[: curve.coef.size] = curve.coef
        return dataclasses.replace(fresh, params=tuple(Param(v) for v in values))

    @property
    def kind(self) -> str:
        """``constant`` .. ``cubic``."""
        return BACKGROUNDS[len(self.params) - 1]

    def powers(self, x: Array) -> Array:
        """Derivatives by the coefficients, shape (k, n)."""
        return ((x - self.origin) / self.scale) ** np.arange(len(self.params))[:, None]

    def evaluate(self, x: Array) -> Array:
        """The background on x, shape (n,)."""
        return np.array([p.value for p in self.params]) @ self.powers(x)


@lru_cache(maxsize=4096)
def _names(peak: str, shape: str) -> tuple[str, ...]:
    return tuple(f"{peak}_{n}" for n in shapes.shape(shape).names)


@lru_cache(maxsize=4096)
def _is_name(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z_]\w*", text)) and text not in ("x", "pi")


@dataclass(frozen=True)
class Model:
    """Everything that is summed and fitted.

    Attributes
    ----------
    peaks : tuple of Peak
        Those without a name get the next free one, ``p1``, ``p2`` ...
    background : Background or None
    terms : tuple of Term
    """

    peaks: tuple[Peak, ...] = ()
    background: Background | None = None
    terms: tuple[Term, ...] = field(default=())

    def __post_init__(self) -> None:
        taken = {p.name for p in self.peaks if p.name}
        fresh = (f"p{i}" for i in range(1, 10**9) if f"p{i}" not in taken)
        named = tuple(p if p.name else dataclasses.replace(p, name=next(fresh)) for p in self.peaks)
        object.__setattr__(self, "peaks", named)
        names = [n for n, _ in self.parameters()]
        twice = {n for n in names if names.count(n) > 1} if len(set(names)) < len(names) else set()
        bad = [n for n in names if not _is_name(n)]
        if twice or bad:
            raise FitError(
                f"Parameter names must be different words, found {', '.join([*twice, *bad])}.",
                hint="Rename the peak or the term's parameter.",
            )

    def parameters(self) -> Iterator[tuple[str, Param]]:
        """Names and parameters, in the order of the fit."""
        for peak in self.peaks:
            yield from zip(_names(peak.name, peak.shape), peak.params, strict=True)
        if self.background is not None:
            for k, param in enumerate(self.background.params):
                yield f"bg_c{k}", param
        for term in self.terms:
            yield from term.params.items()

    def replace(self, **changes: Any) -> Model:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def add(self, *peaks: Peak) -> Model:
        """With more peaks."""
        return self.replace(peaks=(*self.peaks, *peaks))

    def in_order(self) -> Model:
        """With the peaks by position, named ``p1``, ``p2`` ... in that order; ties follow."""
        ordered = sorted(self.peaks, key=lambda p: p.center)
        fresh = {
            f"{p.name}_{n}": f"p{i}_{n}"
            for i, p in enumerate(ordered, 1) for n in shapes.shape(p.shape).names
        }  # fmt: skip

        def renamed(_: str, param: Param) -> Param:
            tie = re.sub(r"[A-Za-z_]\w*", lambda m: fresh.get(m[0], m[0]), param.tie)
            return param.replace(tie=tie) if tie != param.tie else param

        left = self._map(renamed)
        places = {p.name: i for i, p in enumerate(ordered, 1)}
        peaks = (dataclasses.replace(p, name=f"p{places[p.name]}") for p in left.peaks)
        return left.replace(peaks=tuple(sorted(peaks, key=lambda p: p.center)))

    def remove(self, *names: str) -> Model:
        """Without these peaks; ties to their parameters become free parameters."""
        left = self.replace(peaks=tuple(p for p in self.peaks if p.name not in names))
        if not any(p.tie for _, p in left.parameters()):
            return left
        known = {n for n, _ in left.parameters()}
        return left._map(
            lambda _, p: p.replace(tie="")
            if p.tie and not Expression(p.tie).names <= known else p
        )  # fmt: skip

    def peak(self, name: str) -> Peak:
        """The peak of that name.

        Raises
        ------
        FitError
            No such peak.
        """
        for peak in self.peaks:
            if peak.name == name:
                return peak
        raise FitError(f"There is no peak {name}.", hint="It may have been removed.")

    def with_peak(self, peak: Peak) -> Model:
        """With the peak of the same name replaced."""
        self.peak(peak.name)
        return self.replace(peaks=tuple(peak if p.name == peak.name else p for p in self.peaks))

    def edit(self, parameter: str, **changes: Any) -> Model:
        """With fields of one parameter changed, such as ``edit("p1_center", fixed=True)``."""
        if parameter not in dict(self.parameters()):
            raise FitError(f"There is no parameter {parameter}.", hint="Check the name.")
        return self._map(lambda n, p: p.replace(**changes) if n == parameter else p)

    def with_values(self, values: Mapping[str, float]) -> Model:
        """With other values, by parameter name; bounds, ties and the rest stay."""
        return self._map(
            lambda n, p: p if values.get(n, p.value) == p.value else p.at(values[n])
        )

    def _map(self, change: Callable[[str, Param], Param]) -> Model:
        """Every parameter changed; a peak none of whose parameters did is the same object."""

        def changed(peak: Peak) -> Peak:
            params = tuple(map(change, _names(peak.name, peak.shape), peak.params))
            same = all(map(operator.is_, params, peak.params))
            return peak if same else Peak(peak.shape, params, peak.name, peak.partner)

        background = self.background and dataclasses.replace(
            self.background,
            params=tuple(change(f"bg_c{i}", p) for i, p in enumerate(self.background.params)),
        )
        terms = tuple(
            dataclasses.replace(t, params={n: change(n, p) for n, p in t.params.items()})
            for t in self.terms
        )
        return Model(tuple(map(changed, self.peaks)), background, terms)

    def components(self, x: Array) -> Array:
        """Each peak on x (ascending), shape (len(peaks), n)."""
        return np.array([p.evaluate(x) for p in self.peaks]).reshape(len(self.peaks), x.size)

    def under(self, x: Array) -> Array:
        """Background and terms on x, shape (n,)."""
        total = np.zeros_like(x) if self.background is None else self.background.evaluate(x)
        for term in self.terms:
            total = total + Expression(term.expression)(
                {"x": x, **{n: p.value for n, p in term.params.items()}}
            )
        return total

    def evaluate(self, x: Array) -> Array:
        """The sum on x (ascending), shape (n,)."""
        return self.under(x) + self.components(x).sum(axis=0)

    def lmfit_parameters(self) -> lmfit.Parameters:
        """The same parameters for lmfit, bounds and ties included."""
        import lmfit

        ties = resolve_ties(self)
        params = lmfit.Parameters()
        for name, p in self.parameters():
            params.add(name, p.value, vary=not p.fixed, min=p.min, max=p.max)
        for name, tie in ties:
            params[name].set(expr=tie.text)
        return params

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON; also the template for other samples."""
        return {
            "peaks": [
                {"name": k.name, "shape": k.shape, "partner": k.partner,
                 "params": {n: _plain(p) for n, p in
                            zip(shapes.shape(k.shape).names, k.params, strict=True)}}
                for k in self.peaks
            ],
            "background": self.background and {
                "origin": self.background.origin, "scale": self.background.scale,
                "params": [_plain(p) for p in self.background.params],
            },
            "terms": [
                {"expression": t.expression, "params": {n: _plain(p) for n, p in t.params.items()}}
                for t in self.terms
            ],
        }  # fmt: skip

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Model:
        """From plain data.

        Raises
        ------
        FitError
            Not such data; says what was missing.
        """
        try:
            peaks = []
            for k in data["peaks"]:
                names = shapes.shape(k["shape"]).names
                params = tuple(_param(k["params"][n]) for n in names)
                peaks.append(Peak(k["shape"], params, str(k["name"]), bool(k.get("partner"))))
            under = data.get("background")
            background = under and Background(
                tuple(_param(p) for p in under["params"]),
                _number(under["origin"], "origin"), _number(under["scale"], "scale"),
            )  # fmt: skip
            terms = tuple(
                Term(t["expression"], {str(n): _param(p) for n, p in t["params"].items()})
                for t in data.get("terms", ())
            )
            return Model(tuple(peaks), background or None, terms)
        except (KeyError, TypeError, AttributeError) as error:
            raise FitError(
                f"These data are no fit model ({error!r}).",
                hint="Choose a template or a fit report that SpectroGen wrote.",
            ) from error


def _plain(p: Param) -> dict[str, Any]:
    out: dict[str, Any] = {"value": p.value}
    if math.isfinite(p.min):
        out["min"] = p.min
    if math.isfinite(p.max):
        out["max"] = p.max
    if p.fixed:
        out["fixed"] = True
    if p.tie:
        out["tie"] = p.tie
    return out


def _param(data: Any) -> Param:
    return Param(**data) if isinstance(data, Mapping) else Param(data)


def resolve_ties(model: Model) -> list[tuple[str, Expression]]:
    """Ties in an order in which each needs only what comes before.

    Raises
    ------
    FitError
        A tie that is no expression, names an unknown parameter, or goes in a circle.
    """
    params = dict(model.parameters())
    waiting = {n: Expression(p.tie) for n, p in params.items() if p.tie}
    for name, tie in waiting.items():
        unknown = tie.names - set(params)
        if unknown:
            raise FitError(
                f"The tie of {name} names {', '.join(sorted(unknown))}, which is no parameter.",
                hint="Names are such as p1_center; background: bg_c0.",
                parameter=name,
            )
    order: list[tuple[str, Expression]] = []
    while waiting:
        ready = [n for n, tie in waiting.items() if not tie.names & set(waiting)]
        if not ready:
            raise FitError(
                f"The ties of {', '.join(waiting)} go in a circle.",
                hint="Make one of them free.",
                parameters=tuple(waiting),
            )
        order += [(n, waiting.pop(n)) for n in ready]
    return order


def read_peaks(given: Iterable[Peak | Mapping[str, Any]], shape: str | None = None) -> list[Peak]:
    """Peaks from dictionaries such as ``{"shape": "lorentzian", "center": 465, "height": 1,
    "fwhm": 8}``.

    A value may also be a dictionary of ``value``, ``min``, ``max``, ``fixed``, ``tie``.

    Parameters
    ----------
    given : iterable of Peak or mapping
    shape : str, optional
        For those that do not name theirs; default ``lorentzian``.

    Raises
    ------
    FitError
        A missing or unknown key; says which.
    """
    if not isinstance(given, Iterable):
        raise FitError(
            f"Expected peaks, found {given!r}.",
            hint='Write "auto", or a list such as [{"center": 465, "height": 1, "fwhm": 8}].',
        )
    return [p if isinstance(p, Peak) else _read_peak(p, shape or "lorentzian") for p in given]


def _read_peak(given: Mapping[str, Any], default: str) -> Peak:
    if not isinstance(given, Mapping):
        raise FitError(
            f"Expected a peak as a dictionary, found {given!r}.",
            hint='Write {"center": 465, "height": 1, "fwhm": 8}.',
        )
    fields = dict(given)
    kind = shapes.shape(str(fields.pop("shape", default)))
    name, with_partner = str(fields.pop("name", "")), bool(fields.pop("partner", False))
    params = {str(k): _param(v) for k, v in fields.items()}
    widths = [p.name for p in kind.extra if p.of_width]
    missing = {"center", "height"} - set(params)
    if "fwhm" not in params and not set(widths) <= set(params):
        missing.add("fwhm")
    if missing:
        raise FitError(
            f"A peak needs {', '.join(sorted(missing))}, found {', '.join(params) or 'nothing'}.",
            hint='Write for example {"center": 465, "height": 1, "fwhm": 8}.',
        )
    width = params.pop("fwhm") if "fwhm" in params and "fwhm" not in kind.names else None
    fwhm = width or params.get("fwhm") or params[widths[0]]
    extra = {n: p.value for n, p in params.items() if n not in ("center", "height", "fwhm")}
    peak = Peak.make(kind.name, params["center"].value, params["height"].value, fwhm.value,
                     name=name, partner=with_partner, **extra)  # fmt: skip
    limits = {n: (p.min, p.max) for n, p in zip(kind.names, peak.params, strict=True)}
    for n, p in params.items():
        low, high = limits[n]
        peak = peak.edit(n, value=p.value, min=max(p.min, low), max=min(p.max, high),
                         fixed=p.fixed, tie=p.tie)  # fmt: skip
    return peak
