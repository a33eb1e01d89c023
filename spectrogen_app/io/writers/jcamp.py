"""JCAMP-DX 5.01: one block per spectrum, several in a LINK block.

Points are written as ``XYPOINTS=(XY..XY)`` with the shortest decimals that read back to the same
float64. What JCAMP-DX has no label for stands in private labels (``##$...``); ``##$SPECTROGEN
RECORD`` holds the description as JSON, so that this program reopens a generated curve as such. A
band is not written: JCAMP-DX knows none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.io.writers.csv import describe, to_record
from spectrogen_app.paths import atomic_write

RECORD = "$SPECTROGEN RECORD"
"""Private label of the description."""
_TYPES = {
    "raman": "RAMAN SPECTRUM", "ir": "INFRARED SPECTRUM", "fir": "INFRARED SPECTRUM",
    "uvvis": "UV/VIS SPECTRUM", "xrd": "X-RAY DIFFRACTION", "emission": "FLUORESCENCE SPECTRUM",
}  # fmt: skip
_X_UNITS = {
    (XKind.RAMAN_SHIFT, "cm-1"): "1/CM", (XKind.WAVENUMBER, "cm-1"): "1/CM",
    (XKind.WAVELENGTH, "nm"): "NANOMETERS", (XKind.WAVELENGTH, "um"): "MICROMETERS",
    (XKind.TWO_THETA, "deg"): "2THETA (DEGREES)", (XKind.D_SPACING, "angstrom"): "D (ANGSTROM)",
    (XKind.Q, "1/angstrom"): "Q (1/ANGSTROM)",
}  # fmt: skip
_Y_UNITS = {
    YUnit.ABSORBANCE: "ABSORBANCE", YUnit.TRANSMITTANCE: "TRANSMITTANCE",
    YUnit.TRANSMITTANCE_PERCENT: "PERCENT TRANSMITTANCE", YUnit.REFLECTANCE: "REFLECTANCE",
    YUnit.REFLECTANCE_PERCENT: "PERCENT REFLECTANCE", YUnit.KUBELKA_MUNK: "KUBELKA-MUNK",
    YUnit.COUNTS: "COUNTS", YUnit.CPS: "COUNTS/S", YUnit.LOG_REFLECTANCE: "LOG(1/R)",
}  # fmt: skip


def write(spectra: Sequence[Spectrum], path: Path) -> None:
    """Write spectra as JCAMP-DX.

    Parameters
    ----------
    spectra : sequence of Spectrum, at least one
    path : Path

    Raises
    ------
    WriteError
        The file cannot be written; an existing file stays as it was.
    """
    with atomic_write(path, "w", encoding="utf-8", newline="\n", errors="replace") as text:
        if len(spectra) > 1:
            text.write(
                f"##TITLE={_line(path.stem)}\n##JCAMP-DX=5.01\n##DATA TYPE=LINK\n"
                f"##BLOCKS={len(spectra) + 1}\n##ORIGIN=SpectroGen\n##OWNER=\n"
            )
        for i, spectrum in enumerate(spectra):
            for line in _block(spectrum, i + 1):
                text.write(line + "\n")
        if len(spectra) > 1:
            text.write("##END=\n")


def _block(spectrum: Spectrum, number: int) -> Iterator[str]:
    x, y = spectrum.x.tolist(), spectrum.y.tolist()
    yield f"##TITLE={_line(spectrum.name or spectrum.sample or 'spectrum')}"
    yield "##JCAMP-DX=5.01"
    yield f"##DATA TYPE={_TYPES.get(spectrum.modality, 'SPECTRUM')}"
    yield "##DATA CLASS=XYPOINTS"
    yield f"##BLOCK_ID={number}"
    yield "##ORIGIN=SpectroGen"
    yield "##OWNER="
    yield f"##LONGDATE={datetime.now(UTC):%Y/%m/%d %H:%M:%S}"
    if spectrum.sample:
        yield f"##SAMPLE NAME={_line(spectrum.sample)}"
    if spectrum.formula:
        yield f"##MOLFORM={_line(spectrum.formula)}"
    if spectrum.wavelength:
        yield f"##$XRAY WAVELENGTH={spectrum.wavelength!r}"
    for key, value in describe(spectrum):
        yield f"##${_line(key).upper()}={_line(value)}"
    record = json.dumps(to_record(spectrum)).replace("$", "\\u0024")
    yield f"##{RECORD}={record}"
    yield f"##XUNITS={_X_UNITS.get((spectrum.x_kind, spectrum.x_unit), spectrum.x_unit.upper())}"
    yield f"##YUNITS={_Y_UNITS.get(spectrum.y_unit, 'ARBITRARY UNITS')}"  # type: ignore[call-overload]
    yield "##XFACTOR=1.0"
    yield "##YFACTOR=1.0"
    yield f"##FIRSTX={x[0]!r}"
    yield f"##LASTX={x[-1]!r}"
    yield f"##FIRSTY={y[0]!r}"
    yield f"##MAXX={x[-1]!r}"
    yield f"##MINX={x[0]!r}"
    yield f"##MAXY={max(y)!r}"
    yield f"##MINY={min(y)!r}"
    yield f"##NPOINTS={len(x)}"
    yield "##XYPOINTS=(XY..XY)"
    for a, b in zip(x, y, strict=True):
        yield f"{a!r}, {b!r}"
    yield "##END="


def _line(text: object) -> str:
    """One line without what JCAMP-DX would take for a comment or a label."""
    return " ".join(str(text).split()).replace("$$", "$ $").replace("##", "# #")
