"""TriVista ``.tvf``: XML of S&I's VistaControl, one document with a calibration and frames.

x is a list of wavelengths, or calibration points ``pixel;nm`` through which the program draws a
polynomial whose order it does not write. ``Unit`` is that of the numbers, ``DisplayUnit`` what was
on the screen; ``LaserWave`` is 0 where no laser was given. The setup hides as XML within an
attribute (``InfoSerialized``); older files have ``FileInfo`` instead.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.safe import xml_root

_UNITS = {
    "Nanometer": (XKind.WAVELENGTH, "nm"), "Wavenumber": (XKind.WAVENUMBER, "cm-1"),
    "relWavenumber": (XKind.RAMAN_SHIFT, "cm-1"), "eV": (XKind.ENERGY, "eV"),
    "ElectronVolt": (XKind.ENERGY, "eV"),
}  # fmt: skip
_ITEM = re.compile(r"<Name>([^<]{1,80})</Name>\s*<Value>([^<]{1,200})</Value>")
MAX_POINTS = 10_000_000
"""More points than this on one axis are refused."""


class TrivistaReader(Reader):
    """TriVista files."""

    name = "trivista"
    label = "TriVista"
    vendors = "S&I / Princeton Instruments TriVista (VistaControl)"
    extensions = (".tvf",)
    tested_on = "4 real files (single, time series, line scan, Raman)"

    def sniff(self, source: Source) -> bool:
        """Whether the comment that begins the file names TriVista."""
        return b"<!--TriVista-File" in source.head[:200]

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        root = xml_root(source, source.data, "content")
        documents = root.findall("Documents/Document")
        if not documents:
            raise source.refuse("holds no document.", "Check that the measurement was saved.")
        spectra: list[Spectrum] = []
        for document in documents:
            spectra += _document(source, root, document)
        return spectra


def _document(source: Source, root: Any, document: Any) -> list[Spectrum]:
    frames = document.findall("Data/Frame")
    calibration = document.find("xDim/Calibration")
    if not frames or calibration is None:
        raise source.refuse("has a document without frames or without calibration.",
                            "Check that the measurement was finished.")  # fmt: skip
    rows = []
    for frame in frames:
        cells = np.array(_numbers(frame.text, ";"))
        width = int(_number(frame.get("xDim")) or 0)
        if width < 2 or cells.size % width or not cells.size:
            raise source.refuse(
                f"has a frame of {cells.size} values where {width} per row were promised.",
                "It is cut off or damaged.",
            )
        rows += list(cells.reshape(-1, width))
    promised = _number(getattr(document.find("zDim"), "attrib", {}).get("Length"))
    if promised and len(frames) < promised:
        source.warn(f"Cut off: {len(frames)} of {promised:g} frames are there.")
    if not _number(calibration.get("LaserWave")):
        for item in root.iter("Object"):
            if item.get("Laser_Wavelength"):
                calibration.set("LaserWave", item.get("Laser_Wavelength"))
    laser = _number(calibration.get("LaserWave")) or None
    kind, unit = _UNITS.get(calibration.get("Unit", ""), (XKind.OTHER, calibration.get("Unit", "")))
    x = _axis(source, calibration, rows[0].size)
    if x is None:
        kind, unit, x = XKind.OTHER, "pixel", np.arange(1.0, rows[0].size + 1)
        source.assume("x is the pixel: the file has no calibration.")
    shown = calibration.get("DisplayUnit", "")
    raman = laser is not None and (shown == "relWavenumber" or kind is XKind.RAMAN_SHIFT)
    metadata = _metadata(root, document)
    several = len(rows) > 1
    return [
        source.spectrum(
            x, y, modality="raman" if raman else "emission", x_kind=kind, x_unit=unit,
            y_unit=YUnit.COUNTS.value, laser_nm=laser, metadata=metadata,
            name=f"{source.path.stem} frame {i + 1}" if several else source.path.stem,
            sample=source.path.stem if several else "",
        )
        for i, y in enumerate(rows)
    ]  # fmt: skip


def _axis(source: Source, calibration: Any, size: int) -> NDArray[np.float64] | None:
    kind = calibration.get("Type")
    if kind == "ValueArray":
        values = np.array(_numbers(calibration.get("ValueArray", "").partition("|")[2], "|"))
        return values if values.size == size else None
    if kind == "Polynomial":
        pairs = [
            _numbers(pair, ";")
            for pair in calibration.get("InterpolationPointArray", "").split("|")[1:]
        ]
        points = np.array([p for p in pairs if len(p) == 2 and abs(p[0]) < MAX_POINTS])
        if len(points) < 2:
            return None
        order = min(3, len(points) - 1)
        source.assume(
            f"x from the file's {len(points)} calibration points by a polynomial of order {order}, "
            "pixels counted from 0; the file does not say how its program did it."
        )
        fit = np.polynomial.Polynomial.fit(points[:, 0], points[:, 1], order)
        return fit(np.arange(size))
    return None


def _metadata(root: Any, document: Any) -> dict[str, str]:
    pairs = {k: v for k, v in root.attrib.items() if k in ("Version", "Filename", "DateTime")}
    pairs |= {k: v for k, v in document.attrib.items() if v and k != "InfoSerialized"}
    pairs |= {k: v.strip() for k, v in _ITEM.findall(document.get("InfoSerialized", ""))}
    for item in root.iter("Object"):
        pairs |= {
            f"{item.get('Type')} {k}": v for k, v in item.attrib.items() if k != "Type"
        }  # fmt: skip
    return pairs


def _numbers(text: str | None, delimiter: str) -> list[float]:
    return [v if (v := _number(c)) is not None else float("nan")
            for c in (text or "").split(delimiter) if c.strip()]  # fmt: skip


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
