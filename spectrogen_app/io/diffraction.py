"""What all readers of powder patterns share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.io.base import Source, TextLayout

_TWO_THETA = re.compile(
    r"(?i)(2|two)[\s_-]*th(eta)?|2[\s_-]*θ|^gonio$|coupled|^theta[/\s-]*(2|two)[\s-]*theta"
)


def pattern(
    source: Source,
    x: ArrayLike,
    y: ArrayLike,
    *,
    axis: str = "2theta",
    layout: TextLayout | None = None,
    wavelength: float | None = None,
    metadata: Mapping[str, Any],
    y_unit: str = YUnit.COUNTS.value,
    **fields: Any,
) -> Spectrum:
    """A scan of a diffractometer: a powder pattern over 2theta, or a scan over another angle.

    Parameters
    ----------
    source : Source
    x, y : array_like, shape (n,)
        Angle in degrees and intensity.
    axis : str
        As the file names what moved.
    layout : TextLayout, optional
    wavelength : float, optional
        Angstrom; numbers outside 0.1..5 count as not known.
    metadata, y_unit, **fields
        As of :class:`Spectrum`.
    """
    known = wavelength if wavelength and 0.1 < wavelength < 5 else None
    if _TWO_THETA.search(axis.strip()):
        kind, unit, modality = XKind.TWO_THETA, "deg", "xrd"
    else:
        source.assume(f"The scan is over {axis}, not over 2theta: it is no powder pattern.")
        kind, unit, modality = XKind.OTHER, "deg", "unknown"
    if layout and layout.modality:
        modality = layout.modality
    return source.spectrum(
        x, y, modality=modality, x_kind=kind, x_unit=unit, y_unit=y_unit, wavelength=known,
        metadata={**metadata, "scan axis": axis}, **fields,
    )  # fmt: skip


def rate_or_counts(text: str) -> str:
    """The ordinate unit that a header word such as ``CPS`` tells."""
    return (YUnit.CPS if re.search(r"(?i)cps|/s|rate", text) else YUnit.COUNTS).value
