"""The spectrum: an immutable pair of arrays with units, modality and provenance."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spectrogen_app.data.axis import (
    XKind,
    axis_label,
    convert_x,
    convert_y,
    default_unit,
    units_of,
)
from spectrogen_app.data.modality import modality as find_modality
from spectrogen_app.data.provenance import Origin, Provenance
from spectrogen_app.errors import AxisError, SpectrumError


@dataclass(frozen=True, eq=False)
class Spectrum:
    """One spectrum, x ascending, arrays read-only.

    Parameters
    ----------
    x, y : array_like, shape (n,), n >= 2
        Finite numbers. Points are sorted by x; points of equal x are averaged.
    modality : str
        A name of :data:`spectrogen_app.data.modality.MODALITIES`.
    x_kind : XKind, optional
        Default: the modality's usual axis.
    x_unit, y_unit : str, optional
        Default: the usual ones of the axis kind and of the modality.
    name : str
        Shown in lists.
    sample : str
        Name or ID of the material; spectra of one sample belong together.
    formula : str, optional
        Chemical formula of the sample, as its file gives it.
    laser_nm : float, optional
        Raman excitation, nm.
    wavelength : float, optional
        X-ray wavelength, angstrom.
    lower, upper : array_like, shape (n,), optional
        Uncertainty band.
    origin : Origin
    metadata : mapping
        The whole of the file's own metadata.
    provenance : Provenance

    Raises
    ------
    SpectrumError
        Fewer than two different x, lengths that differ, NaN or infinite numbers.
    AxisError
        A unit that does not belong to the axis kind.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    modality: str = "unknown"
    x_kind: XKind = None  # type: ignore[assignment]
    x_unit: str = ""
    y_unit: str = ""
    name: str = ""
    sample: str = ""
    formula: str | None = None
    laser_nm: float | None = None
    wavelength: float | None = None
    lower: NDArray[np.float64] | None = None
    upper: NDArray[np.float64] | None = None
    origin: Origin = Origin.MEASURED
    metadata: Mapping[str, Any] = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        declared = find_modality(self.modality)
        kind = XKind(self.x_kind) if self.x_kind is not None else declared.x_kind
        unit = self.x_unit or default_unit(kind)
        if kind is not XKind.OTHER and unit not in units_of(kind):
            raise AxisError(
                f"{unit} is not a unit of {kind.value}.",
                hint=f"Known units: {', '.join(units_of(kind))}.",
                kind=kind, unit=unit,
            )  # fmt: skip
        columns = _clean({"x": self.x, "y": self.y, "lower": self.lower, "upper": self.upper})
        put = object.__setattr__
        for key, values in columns.items():
            put(self, key, values)
        put(self, "x_kind", kind)
        put(self, "x_unit", unit)
        put(self, "y_unit", self.y_unit or declared.y_unit.value)
        put(self, "origin", Origin(self.origin))
        put(self, "metadata", dict(self.metadata))

    def __len__(self) -> int:
        return self.x.size

    @property
    def x_label(self) -> str:
        """Axis label such as ``Raman shift (cm⁻¹)``."""
        return axis_label(self.x_kind, self.x_unit)

    def replace(self, **changes: Any) -> Spectrum:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_x(
        self, kind: XKind | str, unit: str = "", *, wavelength: float | None = None
    ) -> Spectrum:
        """This spectrum on another axis; the laser line and X-ray wavelength are its own.

        Parameters
        ----------
        kind : XKind or str
        unit : str
            Default: the usual unit of ``kind``.
        wavelength : float, optional
            X-ray wavelength (angstrom) of a new 2theta axis; default: the spectrum's own.

        Raises
        ------
        AxisError
            See :func:`spectrogen_app.data.axis.convert_x`.
        """
        kind = XKind(kind)
        unit = unit or default_unit(kind)
        x = convert_x(
            self.x, self.x_kind, self.x_unit, kind, unit,
            laser_nm=self.laser_nm, wavelength=self.wavelength, to_wavelength=wavelength,
        )  # fmt: skip
        return self.replace(x=x, x_kind=kind, x_unit=unit, wavelength=wavelength or self.wavelength)

    def to_y(self, unit: str) -> Spectrum:
        """This spectrum with another ordinate, such as absorbance for transmittance.

        Raises
        ------
        AxisError
            See :func:`spectrogen_app.data.axis.convert_y`.
        """
        band = {
            key: None if values is None else convert_y(values, self.y_unit, unit)
            for key, values in (("lower", self.lower), ("upper", self.upper))
        }
        if band["lower"] is not None and band["upper"] is not None:
            low, high = band["lower"], band["upper"]
            band = {"lower": np.minimum(low, high), "upper": np.maximum(low, high)}
        return self.replace(y=convert_y(self.y, self.y_unit, unit), y_unit=unit, **band)

    def comparable_with(self, other: Spectrum) -> None:
        """Check that ``other`` lies on the same axis.

        Raises
        ------
        AxisError
            Another axis kind or unit, or 2theta of another X-ray wavelength.
        """
        if (self.x_kind, self.x_unit) != (other.x_kind, other.x_unit):
            raise AxisError(
                f"{self.x_label} cannot be mixed with {other.x_label}.",
                hint="Convert one of them first.",
            )
        ours, theirs = self.wavelength, other.wavelength
        if (
            self.x_kind is XKind.TWO_THETA
            and ours and theirs and abs(ours - theirs) > 2e-3 * ours
        ):  # fmt: skip
            raise AxisError(
                f"2θ for {ours:g} Å cannot be mixed with 2θ for {theirs:g} Å.",
                hint="Convert one of them to the other wavelength, or both to d or Q.",
            )


def _clean(columns: Mapping[str, ArrayLike | None]) -> dict[str, NDArray[np.float64]]:
    """Sorted, averaged, checked, read-only copies of the columns that are there."""
    try:
        arrays = {
            k: np.array(v, dtype=np.float64)
            for k, v in columns.items()
            if v is not None or k in ("x", "y")
        }
    except (TypeError, ValueError) as error:
        raise SpectrumError(
            f"Expected columns of numbers, found something else ({error}).",
            hint="Give x and y as one-dimensional sequences of numbers.",
        ) from error
    shapes = {k: a.shape for k, a in arrays.items()}
    x = arrays["x"]
    if x.ndim != 1 or len(set(shapes.values())) != 1:
        raise SpectrumError(
            f"Expected one-dimensional columns of one length, found {shapes}.",
            hint="Give as many y as x.",
            shapes=shapes,
        )
    for key, values in arrays.items():
        bad = int(np.count_nonzero(~np.isfinite(values)))
        if bad:
            raise SpectrumError(
                f"{bad} of {values.size} {key} values are not finite numbers.",
                hint="Remove those points first.",
                column=key, bad=bad,
            )  # fmt: skip
    if x.size > 1 and not np.all(np.diff(x) > 0):
        unique, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
        arrays = {
            k: unique if k == "x" else np.bincount(inverse, weights=a) / counts
            for k, a in arrays.items()
        }
    if arrays["x"].size < 2:
        raise SpectrumError(
            f"Expected at least two points of different x, found {arrays['x'].size}.",
            hint="Check that the columns are x and y.",
        )
    for values in arrays.values():
        values.setflags(write=False)
    return arrays
