"""What a fit found: values with errors, statistics, curves."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.axis import XKind
from spectrogen_app.data.provenance import Origin, Provenance
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check, FitError, unchecked
from spectrogen_app.fitting import shapes
from spectrogen_app.fitting.advice import Advice, Findings, advise
from spectrogen_app.fitting.engine import Problem
from spectrogen_app.fitting.estimate import Estimate, correlations, propagated
from spectrogen_app.fitting.model import Model, Peak
from spectrogen_app.fitting.options import Options, included, problem
from spectrogen_app.fitting.profile import limit

if TYPE_CHECKING:
    import lmfit

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PeakResult:
    """A fitted line.

    Attributes
    ----------
    name, shape : str
    center, height, fwhm, area : Estimate
    params : mapping of str to Estimate
        Every parameter of the shape.
    """

    name: str
    shape: str
    center: Estimate
    height: Estimate
    fwhm: Estimate
    area: Estimate
    params: Mapping[str, Estimate]


@dataclass(frozen=True, eq=False)
class FitResult:
    """A finished fit, with everything needed to look at it or to do it again.

    Attributes
    ----------
    spectrum : Spectrum
        The data.
    model : Model
        As fitted.
    start : Model
        As it began.
    options : Options
    free : tuple of str
        Names of the parameters that were varied.
    covariance : ndarray, shape (len(free), len(free))
        NaN where it could not be estimated.
    full_covariance : ndarray, shape (N, N)
        Of all parameters, ties included; zero for fixed ones.
    chisqr, redchi, r_squared, aic, bic : float
        Weighted sum of squares; that per degree of freedom; share of the variance explained;
        Akaike's and the Bayesian criterion, as lmfit defines them.
    ndata, nvarys, evaluations : int
    success, cancelled : bool
    message : str
    """

    spectrum: Spectrum
    model: Model
    start: Model
    options: Options
    free: tuple[str, ...]
    covariance: Array
    full_covariance: Array
    chisqr: float
    redchi: float
    r_squared: float
    aic: float
    bic: float
    ndata: int
    nvarys: int
    success: bool
    cancelled: bool
    message: str
    evaluations: int
    notes: tuple[str, ...] = field(default=())

    @cached_property
    def params(self) -> dict[str, Estimate]:
        """Every parameter by name, such as ``p1_center``."""
        variances = np.diag(self.full_covariance)
        return {
            n: Estimate(p.value, math.sqrt(v) if v > 0 else None)
            for (n, p), v in zip(self.model.parameters(), variances, strict=True)
        }

    @cached_property
    def peaks(self) -> tuple[PeakResult, ...]:
        """The lines, in the order of the model."""
        found, at = [], 0
        for peak in self.model.peaks:
            k = len(peak.params)
            found.append(self._peak(peak, self.full_covariance[at : at + k, at : at + k]))
            at += k
        return tuple(found)

    def _peak(self, peak: Peak, covariance: Array) -> PeakResult:
        kind = shapes.shape(peak.shape)
        own = {n: self.params[f"{peak.name}_{n}"] for n in kind.names}
        fwhm = own.get("fwhm") or propagated(kind.fwhm, peak.values, covariance)
        area = propagated(kind.area, peak.values, covariance)
        return PeakResult(peak.name, peak.shape, own["center"], own["height"], fwhm, area, own)

    @cached_property
    def included(self) -> NDArray[np.bool_]:
        """Which points were fitted, shape (n,)."""
        return included(self.spectrum.x, self.options)

    @cached_property
    def components(self) -> Array:
        """Each peak on the spectrum's x, shape (len(peaks), n)."""
        return self.model.components(self.spectrum.x)

    @cached_property
    def background(self) -> Array:
        """Background and terms on the spectrum's x, shape (n,)."""
        return self.model.under(self.spectrum.x)

    @cached_property
    def curve(self) -> Spectrum:
        """The sum, as a spectrum on the same x."""
        source = self.spectrum.provenance
        return self.spectrum.replace(
            y=self.background + self.components.sum(axis=0), lower=None, upper=None,
            origin=Origin.FIT, name=f"{self.spectrum.name} fit".strip(),
            provenance=dataclasses.replace(
                source, steps=(*source.steps, f"fit({len(self.model.peaks)} peaks)")
            ),
        )  # fmt: skip

    @cached_property
    def residual(self) -> Array:
        """Data less fit, in units of y, shape (n,)."""
        return self.spectrum.y - self.curve.y

    @cached_property
    def correlations(self) -> Array:
        """Correlations of the free parameters, shape (p, p); NaN where not estimated."""
        return correlations(self.covariance)

    @cached_property
    def advice(self) -> tuple[Advice, ...]:
        """What is wrong with the fit, in plain words, with remedies."""
        x, y = self.spectrum.x[self.included], self.spectrum.y[self.included]
        return advise(Findings(
            self.model, x, y, self.params, self.free, self.correlations, self.success, self.message
        ))  # fmt: skip

    @property
    def warnings(self) -> tuple[str, ...]:
        """The messages of :attr:`advice`; empty when nothing is wrong."""
        return tuple(a.message for a in self.advice)

    @property
    def lmfit_params(self) -> lmfit.Parameters:
        """The fitted parameters as lmfit knows them, with standard errors and correlations."""
        params = self.model.lmfit_parameters()
        for name, estimate in self.params.items():
            params[name].stderr = estimate.stderr
        for i, name in enumerate(self.free):
            params[name].correl = {
                other: float(self.correlations[i, j])
                for j, other in enumerate(self.free)
                if i != j and math.isfinite(self.correlations[i, j])
            }
        return params

    def confidence_intervals(
        self, names: Sequence[str] | None = None, levels: Sequence[float] = (0.6827, 0.9545),
        check: Check = unchecked,
    ) -> dict[str, list[tuple[float, float, float]]]:  # fmt: skip
        """Intervals from the profile of chi-square; right also where standard errors are not.

        Each parameter is moved away from its best value and all others are fitted again until
        chi-square has risen as the F test demands. (lmfit's ``conf_interval`` asks the same, but
        stops within 5e-5 of the parameter's value, which for a line's centre is many errors.)

        Parameters
        ----------
        names : sequence of str, optional
            Default: all free parameters.
        levels : sequence of float
            Probabilities, 0..1.
        check : callable(fraction, message)

        Returns
        -------
        dict of str to list of (level, low, high)
            Infinite where chi-square never rises so far.

        Raises
        ------
        FitError
            A parameter that was not varied.
        Cancelled
        """
        names = list(self.free if names is None else names)
        if strange := set(names) - set(self.free):
            raise FitError(
                f"{', '.join(sorted(strange))} was not varied.", hint="Choose a free parameter."
            )
        task = self.problem()
        found: dict[str, list[tuple[float, float, float]]] = {}
        for i, name in enumerate(names):
            check(i / len(names), f"Interval of {name}")
            end = partial(limit, task, name, self.params[name], check=check)
            found[name] = [(v, end(level=v, side=-1), end(level=v, side=1)) for v in levels]
        return found

    def problem(self) -> Problem:
        """The least-squares problem at its solution."""
        return problem(self.spectrum, self.model, self.options)

    def to_dict(self) -> dict[str, Any]:
        """As plain data, complete: see :meth:`from_dict`."""
        s = self.spectrum
        return {
            "format": "spectrogen-fit", "version": 1,
            "spectrum": {
                "x": s.x.tolist(), "y": s.y.tolist(), "modality": s.modality,
                "x_kind": s.x_kind.value, "x_unit": s.x_unit, "y_unit": s.y_unit,
                "name": s.name, "sample": s.sample, "laser_nm": s.laser_nm,
                "wavelength": s.wavelength, "path": s.provenance.path,
                "sha256": s.provenance.sha256, "index": s.provenance.index,
                "steps": list(s.provenance.steps),
            },
            "model": self.model.to_dict(), "start": self.start.to_dict(),
            "options": dataclasses.asdict(self.options),
            "free": list(self.free),
            "covariance": _rows(self.covariance), "full_covariance": _rows(self.full_covariance),
            **{k: getattr(self, k) for k in _PLAIN}, "notes": list(self.notes),
            "peaks": [
                {"name": p.name, "shape": p.shape,
                 **{k: dataclasses.asdict(getattr(p, k))
                    for k in ("center", "height", "fwhm", "area")}}
                for p in self.peaks
            ],
            "warnings": list(self.warnings),
        }  # fmt: skip

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> FitResult:
        """The fit that :meth:`to_dict` described, without fitting again.

        Raises
        ------
        FitError
            Not such data, or of a newer version.
        """
        try:
            if data["format"] != "spectrogen-fit" or data["version"] > 1:
                raise FitError(
                    f"Expected a fit report of version 1, found {data['format']!r} "
                    f"{data['version']!r}.",
                    hint="Open it with a newer SpectroGen.",
                )
            s = dict(data["spectrum"])
            steps = tuple(s.pop("steps"))
            source = {k: s.pop(k) for k in ("path", "sha256", "index")}
            s["x_kind"] = XKind(s["x_kind"])
            spectrum = Spectrum(**s, provenance=Provenance(**source, steps=steps))
            given = dict(data["options"])
            given["exclude"] = tuple((float(a), float(b)) for a, b in given["exclude"])
            for key in ("within", "sigma"):
                given[key] = given[key] and tuple(given[key])
            return FitResult(
                spectrum, Model.from_dict(data["model"]), Model.from_dict(data["start"]),
                Options(**given), tuple(data["free"]), _matrix(data["covariance"]),
                _matrix(data["full_covariance"]), **{k: data[k] for k in _PLAIN},
                notes=tuple(data["notes"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, FitError):
                raise
            raise FitError(
                f"These data are no fit report ({error!r}).",
                hint="Choose a JSON file that SpectroGen wrote after a fit.",
            ) from error


_PLAIN = ("chisqr", "redchi", "r_squared", "aic", "bic", "ndata", "nvarys", "success", "cancelled",
          "message", "evaluations")  # fmt: skip


def _rows(matrix: Array) -> list[list[float | None]]:
    return [[v if math.isfinite(v) else None for v in row] for row in matrix.tolist()]


def _matrix(rows: Sequence[Sequence[float | None]]) -> Array:
    held = [[math.nan if v is None else v for v in row] for row in rows]
    return np.array(held, dtype=np.float64).reshape(len(rows), len(rows))
