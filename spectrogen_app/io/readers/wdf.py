"""Renishaw WDF: a single spectrum, a series, a line or a map.

The file is a chain of blocks: a name of four letters, an id, the size including these 16 bytes.
``WDF1`` (512 bytes) comes first and holds the numbers of points and spectra, the laser and the
titles; ``DATA`` the ordinates as float32, spectrum by spectrum; ``XLST`` and ``YLST`` the axes;
``ORGN`` for every spectrum its position, time and the like; ``WMAP`` the grid of a map; other
blocks hold property sets (``PSET``): tagged values with a table of names at the end.

Seen in real files: x descends; measurements that were stopped hold fewer spectra (``count``) than
planned (``capacity``); x in nm; a first spectrum of zeros; a file without any data.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, SpectrumList, TextLayout
from spectrogen_app.io.safe import array, field, fields, text_field
from spectrogen_app.io.sanity import Y_LIMIT

_X_UNITS = {
    1: (XKind.RAMAN_SHIFT, "cm-1"), 2: (XKind.WAVENUMBER, "cm-1"), 3: (XKind.WAVELENGTH, "nm"),
    4: (XKind.ENERGY, "eV"), 5: (XKind.WAVELENGTH, "um"),
}  # fmt: skip
_UNIT_NAMES = (
    "a.u.", "cm-1", "cm-1", "nm", "eV", "um", "counts", "electrons", "mm", "m", "K", "Pa", "s",
    "ms", "h", "d", "pixels", "intensity", "relative intensity", "deg", "rad", "C", "F", "K/min",
    "file time", "us",
)  # fmt: skip
_ORIGINS = (
    "arbitrary", "spectral", "intensity", "x", "y", "z", "r", "theta", "phi", "temperature",
    "pressure", "time", "derived", "polarization", "focus track", "ramp rate", "checksum", "flags",
    "elapsed time", "frequency", "microplate x", "microplate y", "feature", "channel", "unknown",
)  # fmt: skip
_MEASUREMENTS = ("unspecified", "single", "series", "map")
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


class WdfReader(Reader):
    """Renishaw WDF files."""

    name = "wdf"
    label = "Renishaw WDF"
    vendors = "Renishaw WiRE (inVia, Qontor, Virsa)"
    extensions = (".wdf",)
    tested_on = "15 real files: single spectra, series, lines, maps, z scans"

    def sniff(self, source: Source) -> bool:
        """Whether the file begins with the header block."""
        return source.head[:4] == b"WDF1" and source.head[8:16] == struct.pack("<Q", 512)

    def read(
        self, source: Source, *, layout: TextLayout | None, check: Check
    ) -> list[Spectrum] | SpectrumList:
        """See :meth:`Reader.read`; a map makes its spectra when they are asked for."""
        points = field(source, "<I", 60)
        planned, measured = fields(source, "<QQ", 64)
        blocks = dict(_blocks(source))
        if measured == 0 or points < 2 or b"DATA" not in blocks:
            raise source.refuse(
                f"holds {measured} spectra of {points} points: nothing was measured.",
                "Run the measurement, or open the file in WiRE.",
            )
        if measured > planned:
            raise source.refuse(
                f"claims {measured} spectra of {planned} planned.", "The header is damaged."
            )
        if measured < planned:
            source.warn(f"The measurement was stopped after {measured} of {planned} spectra.")
        start, size = blocks[b"DATA"]
        there = min(size, source.size - start) // (4 * points)
        if there < measured:
            if there == 0:
                raise source.refuse("ends before its first spectrum.", "Copy it again.")
            source.warn(f"The file is cut off: {there} of {measured} spectra are whole.")
            measured = there
        x, kind, unit = _axis(source, blocks, points)
        y_unit = _UNIT_NAMES[_unit(source, blocks, b"YLST")]
        data = np.frombuffer(source.data, "<f4", measured * points, start)
        origins = _origins(source, blocks, planned, measured)
        common = _metadata(source, blocks)
        wavenumber = field(source, "<f", 156)
        title = text_field(source, 240, 160, "utf-8")
        described: dict[str, Any] = {
            "modality": layout.modality if layout and layout.modality else "raman",
            "x_kind": kind,
            "x_unit": unit,
            "y_unit": YUnit.COUNTS.value if y_unit == "counts" else YUnit.INTENSITY.value,
            "laser_nm": 1e7 / wavenumber if 1e3 < wavenumber < 1e5 else None,
        }
        several = measured > 1

        def make(index: int) -> Spectrum:
            place = {key: values[index] for key, values in origins.items()}
            name = source.path.stem + (_place(place, index) if several else "")
            return source.spectrum(
                x, data[index * points : (index + 1) * points], name=name,
                sample=source.path.stem if several or not title else "",
                metadata={**common, "title": title, **place}, **described,
            )  # fmt: skip

        if not several:
            return [make(0)]
        make(0)
        if max(float(data.max()), -float(data.min())) > Y_LIMIT:
            raise source.refuse("holds ordinates that no instrument gives.", "It is damaged.")
        if not np.all(np.isfinite(data)):
            source.warn("Some spectra hold points that are not numbers; these are left out.")
        return SpectrumList(measured, make)


def _blocks(source: Source) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Name, place of the content and size of the content of each block."""
    at = 512
    while at + 16 <= source.size:
        name, _, size = struct.unpack_from("<4sIQ", source.data, at)
        if size < 16 or not name.strip().isalnum():
            source.warn("The chain of blocks is broken; what follows was left out.")
            return
        if at + size > source.size and name != b"DATA":
            source.warn(f"The block {name.decode()} is cut off and was left out.")
            return
        yield name, (at + 16, size - 16)
        at += size


def _unit(source: Source, blocks: dict[bytes, tuple[int, int]], name: bytes) -> int:
    unit = field(source, "<I", blocks[name][0] + 4) if name in blocks else 0
    return unit if unit < len(_UNIT_NAMES) else 0


def _axis(
    source: Source, blocks: dict[bytes, tuple[int, int]], points: int
) -> tuple[NDArray[np.float64], XKind, str]:
    if b"XLST" not in blocks or blocks[b"XLST"][1] < 8 + 4 * points:
        raise source.refuse("lacks its x axis.", "It is cut off; copy it again.")
    x = array(source, "<f4", blocks[b"XLST"][0] + 8, points, "x axis")
    unit = _unit(source, blocks, b"XLST")
    if unit not in _X_UNITS:
        source.assume(f"The x axis is in {_UNIT_NAMES[unit]}; taken as Raman shift.")
        return x, *_X_UNITS[1]
    return x, *_X_UNITS[unit]


def _origins(
    source: Source, blocks: dict[bytes, tuple[int, int]], planned: int, measured: int
) -> dict[str, list[Any]]:
    """Per spectrum: position, time and the like."""
    found: dict[str, list[Any]] = {}
    if b"ORGN" not in blocks:
        return found
    start, size = blocks[b"ORGN"]
    count = field(source, "<I", start)
    each = 24 + 8 * planned
    for i in range(min(count, max(size - 4, 0) // each, 100)):
        at = start + 4 + i * each
        kind, unit = fields(source, "<II", at)
        kind &= 0x7FFFFFFF
        name = text_field(source, at + 8, 16) or _ORIGINS[min(kind, len(_ORIGINS) - 1)]
        if kind in (16, 17):
            continue
        if kind == 11:
            ticks = np.frombuffer(source.data, "<u8", measured, at + 24)
            found[name] = [_time(int(t)) for t in ticks]
        else:
            unit_name = _UNIT_NAMES[unit] if unit < len(_UNIT_NAMES) else ""
            values = np.frombuffer(source.data, "<f8", measured, at + 24)
            found[f"{name} ({unit_name})"] = values.tolist()
    return found


def _time(ticks: int) -> str:
    try:
        return (_EPOCH + timedelta(microseconds=ticks // 10)).isoformat() if ticks else ""
    except OverflowError:
        return ""


def _place(place: dict[str, Any], index: int) -> str:
    spots = [
        f"{key[0]}={value:.6g}" for key, value in place.items()
        if key.split(" (")[0].casefold() in ("x", "y", "z") and isinstance(value, float)
    ]  # fmt: skip
    return f" {index + 1}" + (f" ({', '.join(spots)})" if any(spots) else "")


def _metadata(source: Source, blocks: dict[bytes, tuple[int, int]]) -> dict[str, Any]:
    kind = field(source, "<I", 132)
    found: dict[str, Any] = {
        "application": text_field(source, 96, 24),
        "version": ".".join(str(v) for v in fields(source, "<4H", 120)),
        "measurement": _MEASUREMENTS[kind] if kind < len(_MEASUREMENTS) else str(kind),
        "accumulations": field(source, "<I", 80),
        "start": _time(field(source, "<Q", 136)),
        "end": _time(field(source, "<Q", 144)),
        "user": text_field(source, 208, 32, "utf-8"),
    }
    if b"WMAP" in blocks and blocks[b"WMAP"][1] >= 44:
        grid = fields(source, "<II3f3f3I", blocks[b"WMAP"][0])
        found["map origin"], found["map step"] = list(grid[2:5]), list(grid[5:8])
        found["map size"] = list(grid[8:11])
    if b"TEXT" in blocks:
        start, size = blocks[b"TEXT"]
        found["comment"] = source.data[start : start + size].decode("utf-8", "replace").strip("\0 ")
    for name, (start, size) in blocks.items():
        if source.data[start : start + 4] == b"PSET" and size >= 8:
            length = min(field(source, "<I", start + 4), size - 8)
            content = source.data[start + 8 : start + 8 + length]
            properties = property_set(content)
            found.update({f"{name.decode()}.{k}": v for k, v in properties.items()})
    return found


_SIZES = {"?": 1, "c": 1, "s": 2, "i": 4, "w": 8, "r": 4, "q": 8, "t": 8}
_CODES = {"?": "?", "c": "b", "s": "h", "i": "i", "w": "q", "r": "f", "q": "d", "t": "Q"}


def property_set(data: bytes, depth: int = 0) -> dict[str, Any]:
    """Tagged values of a ``PSET``; what is not understood ends the set.

    Each item is a type letter, flags (0x80: array), a key of 16 bits and the value; type ``k``
    gives the name of a key, ``u`` is text, ``p`` a nested set, ``b`` bytes.
    """
    names: dict[int, str] = {}
    values: list[tuple[int, Any]] = []
    at = 0
    while at + 4 <= len(data) and len(values) < 5000:
        kind, flags, key = struct.unpack_from("<cBH", data, at)
        at += 4
        letter = kind.decode("latin-1")
        if letter in _SIZES:
            count = 1
            if flags & 0x80:
                if at + 4 > len(data):
                    break
                (count,) = struct.unpack_from("<I", data, at)
                at += 4
            size = count * _SIZES[letter]
            if size > len(data) - at:
                break
            if count <= 1000:
                items = list(struct.unpack_from(f"<{count}{_CODES[letter]}", data, at))
                items = [_time(v) for v in items] if letter == "t" else items
                values.append((key, items if flags & 0x80 else items[0]))
            at += size
        elif letter in "kupb":
            if at + 4 > len(data):
                break
            (size,) = struct.unpack_from("<I", data, at)
            at += 4
            if size > len(data) - at:
                break
            content = data[at : at + size]
            at += size
            if letter == "k":
                names[key] = content.decode("utf-8", "replace").strip("\0")
            elif letter == "u":
                values.append((key, content.decode("utf-8", "replace").strip("\0")))
            elif letter == "p" and depth < 8:
                values.append((key, property_set(content, depth + 1)))
        else:
            break
    return {names.get(key, f"key {key}"): value for key, value in values}
