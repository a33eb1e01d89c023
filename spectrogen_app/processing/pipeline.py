"""Processing steps, declared as data: the form, the command line and the script follow from here.

A step is written as a call, ``arpls(lam=1000000.0)``; a bare name takes the defaults. That text is
what ``Provenance.steps`` keeps and what :func:`parse` reads.
"""

from __future__ import annotations

import ast
import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.axis import YUnit
from spectrogen_app.data.provenance import Origin
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check, ProcessingError, unchecked
from spectrogen_app.processing import baseline, crop, despike, normalise, smooth

Array = NDArray[np.float64]
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Parameter:
    """A typed parameter of a step.

    Attributes
    ----------
    name, label : str
        As in the text and as shown.
    default : float, int, str, bool, tuple or None
        None: may be left out (an open end of a range).
    type : type
        ``float``, ``int``, ``str`` (one of ``choices``), ``bool`` or ``tuple`` (of (x, y) pairs).
    minimum, maximum : float
        Both allowed.
    choices : tuple of str
    log : bool
        Changes by factors rather than by steps.
    step : float
        Usual change of a spin box.
    unit : str
        ``x``: in units of the x axis; ``points``; or empty.
    help : str
        What larger and smaller values do.
    """

    name: str
    label: str
    default: Any
    type: type
    minimum: float = -math.inf
    maximum: float = math.inf
    choices: tuple[str, ...] = ()
    log: bool = False
    step: float = 1.0
    unit: str = ""
    help: str = ""

    def checked(self, value: Any) -> Any:
        """The value in its type.

        Raises
        ------
        ProcessingError
            Another type, not finite, or out of range.
        """
        if value is None and self.default is None:
            return None
        try:
            value = self._converted(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise self._refused(value) from error
        numeric = self.type in (float, int)
        if (numeric and not self.minimum <= value <= self.maximum) or (
            self.choices and value not in self.choices
        ):
            raise self._refused(value)
        return value

    def _converted(self, value: Any) -> Any:
        if self.type is tuple:
            points = tuple((float(px), float(py)) for px, py in value)
            if not np.all(np.isfinite(points)):
                raise ValueError("not finite")
            return points
        if self.type in (str, bool) or isinstance(value, bool):
            if not isinstance(value, self.type):
                raise TypeError("another type")
            return value
        number = float(value)
        if not math.isfinite(number) or (self.type is int and number != int(number)):
            raise ValueError("not such a number")
        return self.type(number)

    def _refused(self, value: Any) -> ProcessingError:
        expected = {
            float: "a number", int: "a whole number", bool: "True or False",
            str: "one of " + ", ".join(self.choices), tuple: "pairs of x and y",
        }[self.type]  # fmt: skip
        if math.isfinite(self.minimum) or math.isfinite(self.maximum):
            expected += f" from {self.minimum:g} to {self.maximum:g}"
        return ProcessingError(
            f"{self.label}: expected {expected}, found {value!r}.",
            hint=self.help or f"The usual value is {self.default!r}.",
            parameter=self.name, value=value,
        )  # fmt: skip


@dataclass(frozen=True)
class StepKind:
    """A kind of step in the registry.

    Attributes
    ----------
    name, label, group : str
        As in the text, as shown, and the heading it is shown under.
    help : str
    parameters : tuple of Parameter
    function : callable(spectrum, \\**values) -> Spectrum
    curve : callable(x, y, \\**values) -> ndarray or None
        For a baseline: the curve that will be subtracted, for a preview.
    """

    name: str
    label: str
    group: str
    help: str
    parameters: tuple[Parameter, ...]
    function: Callable[..., Spectrum]
    curve: Callable[..., Array] | None = None


@dataclass(frozen=True)
class Step:
    """One processing step: a kind's name, and the values that differ from its defaults or all.

    Parameters
    ----------
    name : str
        A key of :data:`STEPS`.
    values : mapping
        By parameter name; checked, and completed with the defaults.

    Raises
    ------
    ProcessingError
        No such step or parameter, or a value out of range.
    """

    name: str
    values: Values = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = {p.name: p for p in self.kind.parameters}
        strange = set(self.values) - set(known)
        if strange:
            raise ProcessingError(
                f"{self.kind.name} has no parameter {', '.join(sorted(strange))}.",
                hint=f"It has: {', '.join(known) or 'none'}.",
                step=self.name,
            )
        checked = {n: p.checked(self.values.get(n, p.default)) for n, p in known.items()}
        object.__setattr__(self, "values", checked)

    def __hash__(self) -> int:
        return hash(self.text)

    @property
    def kind(self) -> StepKind:
        """The registry's entry."""
        try:
            return STEPS[self.name]
        except KeyError:
            raise ProcessingError(
                f"{self.name!r} is not a processing step.",
                hint=f"Known: {', '.join(STEPS)}.",
                step=self.name,
            ) from None

    @property
    def text(self) -> str:
        """The step as a call, such as ``crop(low=200.0, high=None)``."""
        return f"{self.name}({', '.join(f'{k}={v!r}' for k, v in self.values.items())})"

    def with_values(self, **values: Any) -> Step:
        """This step with some values changed."""
        return Step(self.name, {**self.values, **values})


def parse(text: str) -> Step:
    """Read a step from text such as ``arpls`` or ``arpls(lam=1e5)``.

    Raises
    ------
    ProcessingError
        Text that is no call with literal keyword values; nothing is executed.
    """
    try:
        node = ast.parse(text.strip(), mode="eval").body
        if isinstance(node, ast.Name):
            return Step(node.id)
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.args:
            raise ValueError("not a call with named values")
        values = {str(k.arg): ast.literal_eval(k.value) for k in node.keywords}
        return Step(node.func.id, values)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        if isinstance(error, ProcessingError):
            raise
        raise ProcessingError(
            f"Expected a processing step, found {text!r}.",
            hint="Write for example arpls, or arpls(lam=1e5).",
            text=text,
        ) from error


def apply(spectrum: Spectrum, steps: Iterable[Step | str], check: Check = unchecked) -> Spectrum:
    """Run steps in order.

    Parameters
    ----------
    spectrum : Spectrum
        Stays as it is.
    steps : iterable of Step or str
        Text is parsed.
    check : callable(fraction, message)
        Called before each step; may raise Cancelled.

    Returns
    -------
    Spectrum
        Origin ``PROCESSED`` (a generated spectrum stays ``GENERATED``), each step added to
        ``provenance.steps``. Without steps, the spectrum itself.

    Raises
    ------
    ProcessingError
        A step that cannot be done on these data; ``fields['step']`` names it.
    """
    todo = [parse(s) if isinstance(s, str) else s for s in steps]
    for i, step in enumerate(todo):
        check(i / len(todo), step.kind.label)
        try:
            done = step.kind.function(spectrum, **step.values)
        except ProcessingError as error:
            error.fields.setdefault("step", step.text)
            raise
        origin = Origin.GENERATED if spectrum.origin is Origin.GENERATED else Origin.PROCESSED
        kept = spectrum.provenance
        spectrum = done.replace(
            origin=origin, provenance=dataclasses.replace(kept, steps=(*kept.steps, step.text))
        )
    return spectrum


def baseline_curve(spectrum: Spectrum, step: Step) -> Array:
    """The baseline that a step would subtract, shape (n,): for a preview.

    Raises
    ------
    ProcessingError
        The step is no baseline, or cannot be done on these data.
    """
    if step.kind.curve is None:
        raise ProcessingError(f"{step.kind.label} is not a baseline.", step=step.name)
    return step.kind.curve(spectrum.x, spectrum.y, **step.values)


def _columns(spectrum: Spectrum, change: Callable[[Array], Array]) -> Spectrum:
    """y and the band, each changed alike."""
    band = {
        k: None if v is None else change(v)
        for k, v in (("lower", spectrum.lower), ("upper", spectrum.upper))
    }
    return spectrum.replace(y=change(spectrum.y), **band)


def _subtract(curve: Callable[..., Array]) -> Callable[..., Spectrum]:
    def function(spectrum: Spectrum, **values: Any) -> Spectrum:
        under = curve(spectrum.x, spectrum.y, **values)
        return _columns(spectrum, lambda column: column - under)

    return function


def _linear(smoother: Callable[..., Array]) -> Callable[..., Spectrum]:
    def function(spectrum: Spectrum, **values: Any) -> Spectrum:
        return _columns(spectrum, lambda column: smoother(spectrum.x, column, **values))

    return function


def _crop(spectrum: Spectrum, low: float | None, high: float | None) -> Spectrum:
    keep = crop.inside(spectrum.x, low, high)
    band = {k: None if v is None else v[keep]
            for k, v in (("lower", spectrum.lower), ("upper", spectrum.upper))}  # fmt: skip
    return spectrum.replace(x=spectrum.x[keep], y=spectrum.y[keep], **band)


def _normalise(spectrum: Spectrum, method: str) -> Spectrum:
    offset, scale = normalise.scale_of(spectrum.x, spectrum.y, method)
    scaled = _columns(spectrum, lambda column: (column - offset) / scale)
    return scaled.replace(y_unit=YUnit.NORMALISED.value)


def _despike(spectrum: Spectrum, **values: Any) -> Spectrum:
    return spectrum.replace(
        y=despike.despike(spectrum.x, spectrum.y, **values), lower=None, upper=None
    )


def _derivative(spectrum: Spectrum, order: int, window: int) -> Spectrum:
    y = smooth.savgol(spectrum.x, spectrum.y, window, order + 2, order)
    prefix, below = ("d", "dx") if order == 1 else ("d²", "dx²")
    return spectrum.replace(
        y=y, lower=None, upper=None, y_unit=f"{prefix}({spectrum.y_unit})/{below}"
    )


_LAM = Parameter(
    "lam", "Stiffness", 1e6, float, 1.0, 1e13, log=True,
    help="Larger is stiffer; a finer sampled spectrum needs more.",
)  # fmt: skip
_P = Parameter(
    "p", "Asymmetry", 0.01, float, 1e-6, 0.5, log=True, help="Smaller lies lower in the noise.",
)  # fmt: skip


def _baseline(
    name: str, label: str, text: str, curve: Callable[..., Array], *parameters: Parameter
) -> StepKind:
    return StepKind(name, label, "Baseline", text, parameters, _subtract(curve), curve)


STEPS: dict[str, StepKind] = {
    kind.name: kind
    for kind in (
        _baseline("arpls", "arPLS", "Stiff curve in the middle of the noise; a good first choice.",
                  baseline.arpls, _LAM),
        _baseline("asls", "AsLS", "Stiff curve under the peaks.", baseline.asls, _LAM, _P),
        _baseline("iasls", "IAsLS", "As AsLS, closer to the data.", baseline.iasls, _LAM, _P),
        _baseline("airpls", "airPLS", "Stiff curve at the lower edge of the noise.",
                  baseline.airpls, _LAM),
        _baseline("snip", "SNIP", "Peak clipping, as for diffraction and X-ray spectra.",
                  baseline.snip,
                  Parameter("half_window", "Half window", 40, int, 1, 5000, unit="points",
                            help="At least the half width of the widest peak at its foot.")),
        _baseline("modpoly", "Modified polynomial", "A polynomial under the peaks.",
                  baseline.modpoly,
                  Parameter("order", "Order", 3, int, 0, 12, help="Larger bends more.")),
        _baseline("rubberband", "Rubber band", "The lower convex hull.", baseline.rubberband,
                  Parameter("segments", "Segments", 1, int, 1, 50, help="More bend more.")),
        _baseline("anchors", "Anchors by hand", "A curve through points that you set.",
                  baseline.anchors,
                  Parameter("points", "Anchors", (), tuple, help="Click on the plot to set them."),
                  Parameter("curve", "Curve", "pchip", str, choices=("pchip", "linear", "spline")),
                  Parameter("snap", "Snap to data", True, bool)),
        StepKind("savgol", "Savitzky-Golay", "Smooth", "Local polynomial; keeps peak heights.", (
            Parameter("window", "Window", 9, int, 3, 999, step=2, unit="points",
                      help="Odd; larger is smoother."),
            Parameter("order", "Order", 3, int, 0, 9, help="Larger keeps peaks sharper."),
        ), _linear(smooth.savgol)),
        StepKind("gaussian", "Gaussian", "Smooth", "Weighted mean; broadens peaks.", (
            Parameter("fwhm", "FWHM", 3.0, float, 1e-6, 1e6, log=True, unit="x",
                      help="Larger is smoother."),
        ), _linear(smooth.gaussian)),
        StepKind("whittaker", "Whittaker", "Smooth", "Penalises curvature; no edge effects.", (
            Parameter("lam", "Smoothness", 10.0, float, 1e-3, 1e12, log=True,
                      help="Larger is smoother."),
        ), _linear(smooth.whittaker)),
        StepKind("despike", "Remove cosmic rays", "Clean", "Takes out peaks too narrow to be real.",
                 (
            Parameter("threshold", "Threshold", 10.0, float, 1.0, 1e6, log=True,
                      help="Least height in standard deviations of the noise."),
            Parameter("width", "Greatest width", 3.0, float, 1.0, 50.0, unit="points",
                      help="Real lines as narrow as this are lost."),
        ), _despike),
        StepKind("crop", "Crop", "Clean", "Keeps a range of x.", (
            Parameter("low", "From", None, float, unit="x"),
            Parameter("high", "To", None, float, unit="x"),
        ), _crop),
        StepKind("normalise", "Normalise", "Scale", "Makes intensities comparable.", (
            Parameter("method", "Method", "max", str,
                      choices=("max", "minmax", "area", "vector", "snv")),
        ), _normalise),
        StepKind("derivative", "Derivative", "Transform", "By a local polynomial.", (
            Parameter("order", "Order", 1, int, 1, 2),
            Parameter("window", "Window", 9, int, 5, 999, step=2, unit="points",
                      help="Odd; larger is smoother."),
        ), _derivative),
    )
}  # fmt: skip
"""Every step, by name, in the order shown."""


def _python(name: str) -> Callable[..., Spectrum]:
    def call(spectrum: Spectrum, **values: Any) -> Spectrum:
        return apply(spectrum, [Step(name, values)])

    call.__name__ = call.__qualname__ = name
    call.__doc__ = STEPS[name].help
    return call


process = SimpleNamespace(**{name: _python(name) for name in STEPS})
"""The steps as functions, ``process.arpls(spectrum, lam=1e5) -> Spectrum``: scripts use them."""
