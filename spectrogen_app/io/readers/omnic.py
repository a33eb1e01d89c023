"""Thermo OMNIC: SPA (one spectrum), SPG (a group), SRS (a series), MAP.

Two containers, told apart by their first words. ``Spectral Data File`` (SPA, SPG) has a directory
at byte 304 whose entries take 16 bytes: key, place, size, number. ``Spectral Exte File`` (SRS,
MAP) has entries of 22 bytes with 64-bit places. The count of entries stands at byte 294.

Keys: 0x02 header of a spectrum, 0x03 its ordinates (float32), 0x04 comment, 0x1b history, 0x6b
title of a member with the time of its acquisition at byte 256, 0x12d all spectra of a series or
map. A header holds the points, the unit of x (byte 8), the unit of y (byte 12), first and last x
(float32), the scans and the laser of the interferometer. Key 0x12d begins with a header of 196
bytes; every spectrum then has 100 bytes (with a title at byte 16 and the time in minutes at byte
92) and its ordinates.

A group is given in the order of acquisition. Seen in real files: in a series the ordinates run from
last x to first x (the CO2 doublet of a real one lies at 2350 cm-1 only so), and so do maps; members
of a group may have different axes; an interferogram has x in points, and its peak at the point that
the header names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, SpectrumList, TextLayout
from spectrogen_app.io.recognise import FAR_INFRARED_TOP, laser_nm
from spectrogen_app.io.safe import array, field, fields, text_field

_X_UNITS = {
    1: (XKind.WAVENUMBER, "cm-1"), 2: (XKind.OTHER, "points"), 3: (XKind.WAVELENGTH, "nm"),
    4: (XKind.WAVELENGTH, "um"), 32: (XKind.RAMAN_SHIFT, "cm-1"),
}  # fmt: skip
_Y_UNITS = {
    11: YUnit.REFLECTANCE_PERCENT, 12: YUnit.LOG_REFLECTANCE, 15: YUnit.INTENSITY,
    16: YUnit.TRANSMITTANCE_PERCENT, 17: YUnit.ABSORBANCE, 20: YUnit.KUBELKA_MUNK,
    21: YUnit.REFLECTANCE, 31: YUnit.INTENSITY,
}  # fmt: skip
_HEADER, _DATA, _COMMENT, _HISTORY, _TITLE, _SERIES = 0x02, 0x03, 0x04, 0x1B, 0x6B, 0x12D
_SERIES_HEAD, _MEMBER_HEAD = 196, 100
_START = datetime(1899, 12, 31)


@dataclass(frozen=True)
class Entry:
    """One entry of the directory."""

    key: int
    start: int
    size: int


class OmnicReader(Reader):
    """Thermo OMNIC files."""

    name = "omnic"
    label = "Thermo OMNIC"
    vendors = "Thermo Nicolet OMNIC (SPA, SPG, SRS, MAP)"
    extensions = (".spa", ".spg", ".srs", ".map")
    tested_on = "7 SPA, 2 SPG, 1 SRS and 1 MAP real files"

    def sniff(self, source: Source) -> bool:
        """Whether the file begins with the words of either container."""
        return source.head.startswith((b"Spectral Data File", b"Spectral Exte File"))

    def read(
        self, source: Source, *, layout: TextLayout | None, check: Check
    ) -> list[Spectrum] | SpectrumList:
        """See :meth:`Reader.read`; a series makes its spectra when they are asked for."""
        entries = list(_directory(source))
        history = "\n".join(
            text_field(source, e.start, min(e.size, 100_000)) for e in entries
            if e.key in (_HISTORY, _COMMENT) and e.size
        )  # fmt: skip
        series = next((e for e in entries if e.key == _SERIES), None)
        if series is not None:
            return _series(source, series, history, layout)
        spectra: list[tuple[int, Spectrum]] = []
        for i, entry in enumerate(entries):
            if entry.key != _HEADER:
                continue
            check(i / len(entries), f"Reading {source.name}")
            following = entries[i + 1 :]
            until = next((k for k, e in enumerate(following) if e.key == _HEADER), len(following))
            mine = following[:until]
            data = next((e for e in mine if e.key == _DATA), None)
            if data is None:
                source.warn("A spectrum without ordinates was left out.")
                continue
            titled = next((e for e in mine if e.key == _TITLE and e.size >= 260), None)
            title = text_field(source, titled.start, 256) if titled else ""
            stamp = field(source, "<I", titled.start + 256 if titled else 296)
            about = _metadata(source, entry.start, title, history, stamp)
            spectra.append((stamp, _member(source, entry.start, data, layout, about)))
        if not spectra:
            raise source.refuse("holds no spectrum.", "Save it in OMNIC again, or as CSV.")
        return [spectrum for _, spectrum in sorted(spectra, key=lambda pair: pair[0])]


def _directory(source: Source) -> Iterator[Entry]:
    extended = source.head.startswith(b"Spectral Exte")
    count = field(source, "<H", 294)
    for i in range(count):
        if extended:
            key, start, size = fields(source, "<HQI", 304 + 22 * i, "directory")
        else:
            key, start, size = fields(source, "<HII", 304 + 16 * i, "directory")
            key &= 0xFF
        if start + size > source.size:
            if key in (_HEADER, _DATA, _SERIES):
                source.warn("The file is cut off; what is whole was read.")
            if key != _SERIES:
                continue
        yield Entry(key, start, size)


def _axis(source: Source, at: int) -> tuple[int, XKind, str, str, float, float]:
    """Points, axis kind and unit, unit of y, first and last x of a header."""
    points = field(source, "<I", at + 4)
    x_unit, y_unit = source.data[at + 8], source.data[at + 12]
    first, last = fields(source, "<2f", at + 16)
    kind, unit = _X_UNITS.get(x_unit, (XKind.OTHER, f"unit {x_unit}"))
    if not (2 <= points <= source.size and np.isfinite([first, last]).all()):
        raise source.refuse(
            f"promises {points} points from {first:g} to {last:g}.", "The header is damaged."
        )
    return points, kind, unit, _Y_UNITS.get(y_unit, YUnit.INTENSITY).value, first, last


def _modality(kind: XKind, high: float, layout: TextLayout | None) -> str:
    if layout and layout.modality:
        return layout.modality
    if kind is XKind.RAMAN_SHIFT:
        return "raman"
    if kind is XKind.WAVENUMBER:
        return "fir" if high < FAR_INFRARED_TOP else "ir"
    if kind is XKind.WAVELENGTH:
        return "uvvis" if high < 1200 else "ir"
    return "unknown"


def _member(
    source: Source, header: int, data: Entry, layout: TextLayout | None, about: dict[str, Any]
) -> Spectrum:
    points, kind, unit, y_unit, first, last = _axis(source, header)
    if data.size < 4 * points:
        raise source.refuse(
            f"promises {points} points, but holds {data.size // 4}.", "It is cut off."
        )
    y = array(source, "<f4", data.start, points)
    x = np.linspace(first, last, points)
    if unit == "points":
        x, unit = _retardation(source, header, x)
    modality = _modality(kind, float(max(first, last)), layout)
    return source.spectrum(
        x, y, modality=modality, x_kind=kind, x_unit=unit, y_unit=y_unit,
        name=about["title"] or text_field(source, 30, 256) or source.path.stem,
        laser_nm=laser_nm(about["history"]) if modality == "raman" else None,
        metadata=about,
    )  # fmt: skip


def _retardation(source: Source, at: int, x: np.ndarray) -> tuple[np.ndarray, str]:
    """Optical path (mm) of an interferogram, 0 at the peak, from the reference laser."""
    peak, laser = field(source, "<I", at + 32), field(source, "<f", at + 80)
    spacing = field(source, "<f", at + 84)
    if not (1e3 < laser < 1e5 and 0 < spacing <= 8 and peak < x.size):
        return x, "points"
    source.assume("An interferogram: x is the optical path, 0 at its peak.")
    return (x - x[0] - peak) * 10 / laser * (spacing / 2), "mm"


def _metadata(source: Source, at: int, title: str, history: str, stamp: int) -> dict[str, Any]:
    laser = field(source, "<f", at + 80)
    return {
        "title": title,
        "date": (_START + timedelta(seconds=stamp)).isoformat() if stamp else "",
        "scans": field(source, "<I", at + 36),
        "background scans": field(source, "<I", at + 52),
        "reference laser (cm-1)": float(laser) if np.isfinite(laser) else None,
        "history": history,
    }


def _series(
    source: Source, entry: Entry, history: str, layout: TextLayout | None
) -> list[Spectrum] | SpectrumList:
    points, kind, unit, y_unit, first, last = _axis(source, entry.start)
    record = _MEMBER_HEAD + 4 * points
    planned = (entry.size - _SERIES_HEAD) // record
    there = min(planned, (source.size - entry.start - _SERIES_HEAD) // record)
    if there < 1:
        raise source.refuse("is cut off before its first spectrum.", "Copy it again.")
    if there < planned:
        source.warn(f"{there} of {planned} spectra are whole.")
    x = np.linspace(last, first, points)
    modality = _modality(kind, float(max(first, last)), layout)
    common = _metadata(source, entry.start, source.path.stem, history, field(source, "<I", 296))

    def make(index: int) -> Spectrum:
        at = entry.start + _SERIES_HEAD + index * record
        title = text_field(source, at + 16, 64)
        minutes = field(source, "<f", at + 92)
        return source.spectrum(
            x, array(source, "<f4", at + _MEMBER_HEAD, points),
            modality=modality, x_kind=kind, x_unit=unit, y_unit=y_unit,
            name=f"{source.path.stem} {index + 1}", sample=source.path.stem,
            metadata={**common, "title": title,
                      "time (min)": float(minutes) if np.isfinite(minutes) else None},
        )  # fmt: skip

    if there == 1:
        return [make(0)]
    make(0)
    return SpectrumList(there, make)
