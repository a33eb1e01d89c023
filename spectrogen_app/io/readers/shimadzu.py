"""Shimadzu's own ``.spc``: a compound document, no Galactic SPC.

Each ``DataSet`` of ``DataStorage1/DataSetGroup`` has its numbers as float64 in the streams
``X Data.1`` and ``Y Data.1`` of ``DataSpectrumStorage/Data``. ``DataSetHeaderInfo`` begins with its
name (a byte of length, then the text), four bytes, and the date as days since 1899-12-30. The
``PageTexts`` of ``MethodStorage`` hold such texts in pairs of key and value behind a title and
their number (uint32); the measuring mode is the ordinate, transmittance in percent.
Several open programs agree on the streams; the real file agrees with its text export.
"""

from __future__ import annotations

import struct
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.compound import OLE, streams
from spectrogen_app.io.readers.shimadzu_text import MODES

_X, _Y = "DataSpectrumStorage/Data/X Data.1", "DataSpectrumStorage/Data/Y Data.1"


class ShimadzuReader(Reader):
    """Shimadzu spectra in a compound document."""

    name = "shimadzu-spc"
    label = "Shimadzu UVProbe (.spc)"
    vendors = "Shimadzu UVProbe, LabSolutions UV-Vis"
    extensions = (".spc", ".vspd")
    tested_on = "1 real file"

    def sniff(self, source: Source) -> bool:
        """Whether it is a compound document of the extension, or with the format's storage."""
        return source.head.startswith(OLE) and (
            source.suffix in self.extensions
            or "DataSpectrumStorage".encode("utf-16-le") in source.head
        )

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        found = streams(source)
        check(0.5, f"Reading {source.name}")
        spectra = []
        for path in found:
            if not path.endswith(_X):
                continue
            folder = path.removesuffix(_X)
            x, y = (
                np.frombuffer(data[: len(data) & ~7], "<f8")
                for data in (found[path], found.get(folder + _Y, b""))
            )
            if x.size != y.size:
                source.warn(f"A data set has {x.size} x and {y.size} y values; left out.")
                continue
            name, metadata = _header(found.get(folder + "DataSetHeaderInfo", b""))
            for key in sorted(k for k in found if k.startswith(f"{folder}MethodStorage/PageTexts")):
                metadata |= _pairs(found[key])
            unit = MODES.get(metadata.get("Measuring Mode", "").casefold(), YUnit.INTENSITY)
            spectra.append((name, x, y, unit, metadata))
        if not spectra:
            raise source.refuse(
                "is a compound document without a spectrum of Shimadzu (and no Galactic SPC).",
                "Open it in UVProbe or LabSolutions and export it as text or JCAMP-DX.",
            )
        return [
            source.spectrum(
                x, y, modality=(layout and layout.modality) or "uvvis", x_kind=XKind.WAVELENGTH,
                y_unit=unit.value, sample=source.path.stem, metadata=metadata,
                name=f"{source.path.stem} {name}" if len(spectra) > 1 else source.path.stem,
            )
            for name, x, y, unit, metadata in spectra
        ]  # fmt: skip


def _text(data: bytes, at: int) -> tuple[str, int]:
    """A text behind its length, and the place behind it."""
    end = at + 1 + (data[at] if at < len(data) else 0)
    return data[at + 1 : end].decode("cp1252", "replace").strip(), end


def _header(data: bytes) -> tuple[str, dict[str, Any]]:
    """Name and date of a data set."""
    name, at = _text(data, 0)
    if len(data) < at + 12:
        return name, {}
    (days,) = struct.unpack_from("<d", data, at + 4)
    if not 20_000 < days < 80_000:
        return name, {"Data set": name}
    date = datetime(1899, 12, 30) + timedelta(days=days)
    return name, {"Data set": name, "Date": date.isoformat(timespec="seconds")}


def _pairs(data: bytes) -> dict[str, str]:
    """Keys and values of a page of the method."""
    _, at = _text(data, 8)
    if len(data) < at + 4:
        return {}
    (count,) = struct.unpack_from("<I", data, at)
    at += 4
    found = {}
    while count and at < len(data):
        key, at = _text(data, at)
        value, at = _text(data, at)
        if key and value:
            found[key.rstrip(":")] = value
        count -= 1
    return found
