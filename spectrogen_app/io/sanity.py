"""Checks after every reader, in one place: a misread file must not pass as a spectrum."""

from __future__ import annotations

import numpy as np

from spectrogen_app.data.axis import XKind, convert_x, default_unit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import AxisError, ReadError

_RANGES: dict[XKind, tuple[float, float]] = {
    XKind.RAMAN_SHIFT: (-20_000, 40_000),
    XKind.WAVENUMBER: (-50, 500_000),
    XKind.WAVELENGTH: (0.01, 2e7),
    XKind.ENERGY: (-1e5, 1e7),
    XKind.FREQUENCY: (-1, 1e5),
    XKind.TWO_THETA: (-180, 180.5),
    XKind.D_SPACING: (0, 1e5),
    XKind.Q: (-1e-9, 1e3),
    XKind.OTHER: (-1e15, 1e15),
}
"""Physical range of x per axis kind, in its usual unit."""
Y_LIMIT = 1e20
"""Larger ordinates come from misread bytes."""
_TINY = float(np.finfo(np.float32).tiny)


def check_spectrum(spectrum: Spectrum) -> None:
    """Check a spectrum that was just read; :class:`Spectrum` itself sees to finite, ascending x.

    Raises
    ------
    ReadError
        x outside what its axis can be, or ordinates of an impossible size.
    """
    usual = default_unit(spectrum.x_kind)
    low, high = spectrum.x[0], spectrum.x[-1]
    if spectrum.x_unit != usual and spectrum.x_kind is not XKind.OTHER:
        try:
            low, high = sorted(
                convert_x([low, high], spectrum.x_kind, spectrum.x_unit, spectrum.x_kind, usual)
            )
        except AxisError as error:
            raise ReadError(error.message, hint=error.hint) from error
    least, most = _RANGES[spectrum.x_kind]
    if low < least or high > most:
        raise ReadError(
            f"x goes from {spectrum.x[0]:.6g} to {spectrum.x[-1]:.6g} {spectrum.x_unit}; "
            f"{spectrum.x_kind.value} must lie within {least:g} to {most:g} {usual}.",
            hint="The file is damaged, or x is of another kind: choose the axis by hand.",
            x_kind=spectrum.x_kind,
        )
    size = np.abs(spectrum.y)
    top = float(size.max())
    if top > Y_LIMIT:
        raise ReadError(
            f"Ordinates go up to {top:.3g}, which no instrument gives.",
            hint="The file is damaged, or of a variant that is not known.",
        )
    tiny = int(np.count_nonzero((size > 0) & (size < _TINY)))
    if tiny > max(spectrum.y.size // 10, 3) and np.array_equal(size, size.astype(np.float32)):
        raise ReadError(
            f"{tiny} of {spectrum.y.size} ordinates are single-precision numbers below {_TINY:g}: "
            "bytes read as the wrong kind of number.",
            hint="The file is damaged, or of a variant that is not known.",
        )
