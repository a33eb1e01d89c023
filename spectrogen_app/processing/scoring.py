"""How spectra are put on a common grid and compared: one definition for everything.

Raman, infrared and powder patterns are resampled to a fixed grid, freed of their 2nd percentile,
clipped at zero and divided by their maximum; powder patterns are smoothed besides. Agreement is
Pearson r and RMSE over the part of the grid that was measured, and F1 of the peaks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import linear_sum_assignment
from scipy.signal import find_peaks

from spectrogen_app.data.axis import CU_KALPHA, DIFFRACTION, XKind, YUnit, convert_x
from spectrogen_app.data.modality import MODALITIES
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import SpectrumError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

PROMINENCE = 0.05
"""Smallest prominence of a peak that counts for F1, where 1 is the highest point."""


@dataclass(frozen=True)
class Grid:
    """The grid and the conventions of one modality.

    Attributes
    ----------
    modality : str
    start, stop, step : float
        Both ends belong to the grid; in ``x_unit``.
    tolerance : float
        Peaks closer than this are the same peak.
    smooth : float
        Sigma of the Gaussian that smooths prediction and truth alike; 0 for none.
    x_kind : XKind
    x_unit : str
    wavelength : float or None
        X-ray wavelength of a 2theta grid, angstrom.
    """

    modality: str
    start: float
    stop: float
    step: float
    tolerance: float
    smooth: float = 0.0
    x_kind: XKind = XKind.WAVENUMBER
    x_unit: str = "cm-1"
    wavelength: float | None = None

    @property
    def size(self) -> int:
        """Number of points."""
        return round((self.stop - self.start) / self.step) + 1

    @property
    def x(self) -> FloatArray:
        """Grid points, shape (size,)."""
        return np.round(self.start + self.step * np.arange(self.size), 6)


GRIDS: dict[str, Grid] = {
    g.modality: g
    for g in (
        Grid("raman", 150.0, 1300.0, 1.0, 10.0, x_kind=XKind.RAMAN_SHIFT),
        Grid("ir", 400.0, 4000.0, 2.0, 10.0),
        Grid(
            "xrd", 5.0, 90.0, 0.02, 0.2, smooth=0.1, x_kind=XKind.TWO_THETA, x_unit="deg",
            wavelength=CU_KALPHA,
        ),
        Grid("fir", 50.0, 700.0, 2.0, 10.0),
    )
}  # fmt: skip
"""The grids of the scores, by modality name."""


@dataclass(frozen=True)
class Prepared:
    """A spectrum on the grid of its modality.

    Attributes
    ----------
    x, y : ndarray, shape (size,)
        y is 0..1, and 0 where nothing was measured.
    mask : ndarray of bool, shape (size,)
        Where something was measured.
    grid : Grid
    """

    x: FloatArray
    y: FloatArray
    mask: BoolArray
    grid: Grid


@dataclass(frozen=True)
class Score:
    """Agreement of a prediction with the measured truth.

    Attributes
    ----------
    r : float
        Pearson correlation over the measured part of the grid; 0 where either side is constant.
    rmse : float
        Root mean square difference there, where 1 is the highest measured point.
    f1 : float
        Harmonic mean of peak precision and recall, peaks matched one to one.
    points : int
        Grid points compared.
    peaks_predicted, peaks_measured, peaks_matched : int
    """

    r: float
    rmse: float
    f1: float
    points: int
    peaks_predicted: int
    peaks_measured: int
    peaks_matched: int


def grid_of(modality: str | Grid) -> Grid:
    """The grid of a modality.

    Raises
    ------
    SpectrumError
        The modality has no scoring grid.
    """
    if isinstance(modality, Grid):
        return modality
    try:
        return GRIDS[modality]
    except KeyError:
        label = MODALITIES[modality].label if modality in MODALITIES else repr(modality)
        raise SpectrumError(
            f"{label} spectra have no common grid to be compared or generated on.",
            hint=f"Known: {', '.join(GRIDS)}.",
            modality=modality,
        ) from None


def on_grid_axis(spectrum: Spectrum, modality: str | Grid) -> Spectrum:
    """The spectrum in the units of its modality's grid.

    Transmittance becomes absorbance (values at or below 1e-4 count as 1e-4), d, Q and 2theta of
    another wavelength become 2theta of the grid's wavelength, absolute axes become Raman shift
    through the laser line. 2theta of unknown wavelength is taken as the grid's own.

    Raises
    ------
    AxisError
        The axis does not convert, or the laser line is missing.
    SpectrumError
        Fewer than two points are left, or no grid is known for the modality.
    """
    grid = grid_of(modality)
    out = spectrum
    if out.y_unit in (YUnit.TRANSMITTANCE, YUnit.TRANSMITTANCE_PERCENT):
        floor = 1e-4 if out.y_unit == YUnit.TRANSMITTANCE else 1e-2
        out = out.replace(y=np.maximum(out.y, floor), lower=None, upper=None).to_y(YUnit.ABSORBANCE)
    elif out.y_unit in (YUnit.REFLECTANCE, YUnit.REFLECTANCE_PERCENT):
        floor = 1e-4 if out.y_unit == YUnit.REFLECTANCE else 1e-2
        out = out.replace(y=np.maximum(out.y, floor), lower=None, upper=None).to_y(
            YUnit.LOG_REFLECTANCE
        )
    if grid.x_kind in DIFFRACTION:
        return _on_two_theta(out, grid)
    same = (out.x_kind, out.x_unit) == (grid.x_kind, grid.x_unit)
    return out if same else out.to_x(grid.x_kind, grid.x_unit)


def _on_two_theta(spectrum: Spectrum, grid: Grid) -> Spectrum:
    assert grid.wavelength is not None
    wavelength = spectrum.wavelength
    if spectrum.x_kind is XKind.TWO_THETA:
        wavelength = wavelength or grid.wavelength
        if abs(wavelength - grid.wavelength) < 2e-3 * grid.wavelength:
            return spectrum
    allowed = spectrum.x > 0
    if spectrum.x_kind is XKind.TWO_THETA:
        allowed &= spectrum.x <= 180
    x, y = spectrum.x[allowed], spectrum.y[allowed]
    if x.size:
        q = convert_x(
            x, spectrum.x_kind, spectrum.x_unit, XKind.Q, "1/angstrom", wavelength=wavelength
        )
        reachable = q < 4 * np.pi / grid.wavelength
        x, y = x[reachable], y[reachable]
    if x.size < 2:
        raise SpectrumError(
            "No part of the pattern can be reached with Cu K-alpha radiation.",
            hint="Check the unit of the axis and the X-ray wavelength.",
        )
    cut = spectrum.replace(x=x, y=y, lower=None, upper=None, wavelength=wavelength)
    return cut.to_x(grid.x_kind, grid.x_unit, wavelength=grid.wavelength)


def prepare(spectrum: Spectrum | tuple[ArrayLike, ArrayLike], modality: str | Grid) -> Prepared:
    """Resample and normalise a spectrum as scoring defines it.

    The first and last point are dropped, the rest is interpolated linearly on the grid, the 2nd
    percentile of the part that was measured is subtracted, the result clipped at 0 and divided by
    its maximum. Powder patterns are smoothed with the grid's sigma and scaled again.

    Parameters
    ----------
    spectrum : Spectrum, or (x, y)
        x and y, shape (n,), are taken to be ascending and in the grid's units.
    modality : str or Grid

    Returns
    -------
    Prepared
        An empty mask means that no grid point was measured.

    Raises
    ------
    SpectrumError, AxisError
        See :func:`on_grid_axis`.
    """
    grid = grid_of(modality)
    if isinstance(spectrum, Spectrum):
        converted = on_grid_axis(spectrum, grid)
        x, y = converted.x, converted.y
    else:
        x, y = (np.asarray(v, dtype=np.float64) for v in spectrum)
    if x.size > 4:
        x, y = x[1:-1], y[1:-1]
    points = grid.x
    mask = (points >= x[0] - 1e-9) & (points <= x[-1] + 1e-9)
    out = np.zeros(grid.size)
    if mask.any():
        out[mask] = _unit_height(np.interp(points[mask], x, y))
        if grid.smooth:
            out = np.where(mask, gaussian_filter1d(out, grid.smooth / grid.step), 0.0)
            out /= out.max() or 1.0
    return Prepared(points, out, mask, grid)


def _unit_height(y: FloatArray) -> FloatArray:
    y = np.clip(y - np.percentile(y, 2), 0, None)
    return y / (y.max() or 1.0)


def find_lines(y: FloatArray) -> NDArray[np.intp]:
    """Indices of the peaks that count for F1, in a curve whose highest point is 1."""
    return find_peaks(y, prominence=PROMINENCE)[0]


def match_peaks(a: FloatArray, b: FloatArray, tolerance: float) -> int:
    """The most peaks of ``a`` and ``b`` that pair one to one within ``tolerance``."""
    if not a.size or not b.size:
        return 0
    near = np.abs(a[:, None] - b[None]) <= tolerance + 1e-9
    rows, columns = linear_sum_assignment(-near.astype(float))
    return int(near[rows, columns].sum())


def score(
    prediction: Spectrum | Prepared | ArrayLike,
    truth: Spectrum | Prepared,
    modality: str | Grid,
) -> Score:
    """Score a prediction against the measured truth.

    Parameters
    ----------
    prediction : Spectrum, Prepared or array_like, shape (size,)
        An array is taken to be on the grid. Outside its range a prediction counts as 0.
    truth : Spectrum or Prepared
    modality : str or Grid

    Raises
    ------
    SpectrumError
        The truth covers fewer than three grid points.
    """
    grid = grid_of(modality)
    measured = prepare(truth, grid) if isinstance(truth, Spectrum) else truth
    if isinstance(prediction, Spectrum):
        predicted = _predicted(prediction, grid)
    elif isinstance(prediction, Prepared):
        predicted = prediction.y
    else:
        predicted = np.asarray(prediction, dtype=np.float64)
    mask = measured.mask
    if np.count_nonzero(mask) < 3:
        raise SpectrumError(
            f"The measured spectrum covers none of {grid.start:g} to {grid.stop:g} {grid.x_unit}.",
            hint="Compare within that range.",
        )
    p, t, x = predicted[mask], measured.y[mask], grid.x[mask]
    spread = p.std() * t.std()
    r = float(np.mean((p - p.mean()) * (t - t.mean())) / spread) if spread > 1e-15 else 0.0
    ours, theirs = find_lines(p), find_lines(t)
    matched = match_peaks(x[ours], x[theirs], grid.tolerance)
    total = ours.size + theirs.size
    return Score(
        r, float(np.sqrt(np.mean((p - t) ** 2))), 2 * matched / total if total else 1.0,
        int(mask.sum()), ours.size, theirs.size, matched,
    )  # fmt: skip


def _predicted(spectrum: Spectrum, grid: Grid) -> FloatArray:
    """A generated spectrum already lies on the grid, scaled; anything else is prepared."""
    if spectrum.y_unit == YUnit.NORMALISED and np.array_equal(spectrum.x, grid.x):
        return spectrum.y
    return prepare(spectrum, grid).y


def masked_to(prepared: Prepared, low: float, high: float) -> Prepared:
    """The same, as if only ``low``..``high`` had been measured."""
    mask = prepared.mask & (prepared.x >= low) & (prepared.x <= high)
    return replace(prepared, y=np.where(mask, prepared.y, 0.0), mask=mask)
