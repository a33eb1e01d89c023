"""Bruker OPUS: the result of a measurement with its single channels and parameters.

The file is a directory of blocks. A block's type packs six numbers: complex part, sample or
reference, kind of parameters, kind of data (with the channel above its low five bits), derivative,
extension. Each data block has a parameter block of the same type that holds the number of points
(NPT), the first and last x (FXV, LXV), the factor of y (CSF), the number format (DPF) and the unit
of x (DXU). Parameters are three letters, a type, a size in words, and the value.

Results (absorbance, Raman, reflectance ...) are read; single channels and interferograms are
offered besides, and read when there is no result. Seen in real files: data blocks longer than NPT;
several results of one kind, of which the last in the file is the current one and the others are
from before a correction; match values of a library search beside the spectrum; compact blocks whose
data are the last NPT numbers; transmittance stored under the type of absorbance.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.recognise import FAR_INFRARED_TOP
from spectrogen_app.io.safe import array, fields

_DATA = {
    1: ("single channel", YUnit.INTENSITY), 2: ("interferogram", YUnit.INTENSITY),
    3: ("phase", YUnit.INTENSITY), 4: ("absorbance", YUnit.ABSORBANCE),
    5: ("transmittance", YUnit.TRANSMITTANCE), 6: ("Kubelka-Munk", YUnit.KUBELKA_MUNK),
    10: ("Raman", YUnit.INTENSITY), 11: ("emission", YUnit.INTENSITY),
    12: ("reflectance", YUnit.REFLECTANCE), 14: ("power", YUnit.INTENSITY),
    15: ("log reflectance", YUnit.LOG_REFLECTANCE), 16: ("ATR", YUnit.ATR),
    17: ("photoacoustic", YUnit.INTENSITY), 18: ("arithmetic result", YUnit.TRANSMITTANCE),
    19: ("arithmetic result", YUnit.ABSORBANCE),
}  # fmt: skip
_RESULTS = frozenset(_DATA) - {1, 2, 3}
_DERIVATIVES = ("", "first derivative", "second derivative", "higher derivative")
_CHANNELS = ("", "sample", "reference", "")
_COMPACT = 4
_SERIES = 2


@dataclass(frozen=True)
class Block:
    """One entry of the directory; ``kind`` holds the six numbers of its type."""

    kind: tuple[int, int, int, int, int, int]
    start: int
    size: int


class OpusReader(Reader):
    """Bruker OPUS files."""

    name = "opus"
    label = "Bruker OPUS"
    vendors = "Bruker OPUS (Tensor, Vertex, Alpha, MultiRAM, ...)"
    extensions = (".0", ".1", ".2", ".3", ".000", ".001", ".0000", ".0001")
    tested_on = "13 real files: mid and near infrared, reflectance, Raman"

    def sniff(self, source: Source) -> bool:
        """Whether the file begins with the OPUS magic number."""
        return source.head.startswith(b"\x0a\x0a\xfe\xfe")

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        blocks = list(_directory(source))
        metadata: dict[str, Any] = {}
        states: list[tuple[Block, dict[str, Any]]] = []
        for block in blocks:
            if block.kind[2] == 1:
                states.append((block, parameters(source, block)))
            elif block.kind[2] and block.kind[1] != 2:
                metadata.update(parameters(source, block))
        data = []
        for block in blocks:
            if block.kind[2] == 0 and block.kind[3] % 32 in _DATA:
                place = next((i for i, (b, _) in enumerate(states) if _belongs(b, block)), None)
                if place is not None:
                    data.append((block, states.pop(place)[1]))
        chosen = [d for d in data if d[0].kind[3] % 32 in _RESULTS]
        if chosen and len(chosen) < len(data):
            rest = sorted({_title(b) for b, _ in data if b.kind[3] % 32 not in _RESULTS})
            source.assume(f"The result is read; the file also holds: {', '.join(rest)}.")
        for block, state in data if chosen else ():
            if block.kind[3] % 32 not in _RESULTS and block.kind[5] != _SERIES:
                source.others.append(
                    partial(_spectrum, source, block, {**metadata, **state}, layout, _title(block))
                )
        chosen = sorted(chosen or data, key=lambda d: -d[0].start if chosen else d[0].start)
        if not chosen:
            raise source.refuse(
                "holds no spectrum, only parameters or reports.", "Save the result in OPUS."
            )
        spectra: list[Spectrum] = []
        for block, state in chosen:
            about = {**metadata, **state}
            check(len(spectra) / len(chosen), f"Reading {source.name}")
            title = _title(block) if len(chosen) > 1 else ""
            if any(_title(b) == title for b, _ in chosen[: len(spectra)]):
                title += " before correction"
            if block.kind[5] == _SERIES:
                spectra += _series(source, block, about, layout)
            else:
                spectra.append(_spectrum(source, block, about, layout, title))
        return spectra


def _directory(source: Source) -> Iterator[Block]:
    start, most, used = fields(source, "<3i", 12)
    for i in range(min(max(used, 0), max(most, 0), 1000)):
        if start + 12 * (i + 1) > source.size:
            source.warn("The directory is cut off.")
            return
        kind, words, place = fields(source, "<I2i", start + 12 * i, "directory")
        if place <= 0:
            return
        if words < 0 or place + 4 * words > source.size:
            source.warn("A block lies beyond the end of the file; it was left out.")
            continue
        bits = []
        for width in (2, 2, 6, 7, 2, 3):
            bits.append(kind & (1 << width) - 1)
            kind >>= width
        yield Block(tuple(bits), place, 4 * words)


def _belongs(state: Block, data: Block) -> bool:
    return (*state.kind[:2], *state.kind[3:5]) == (*data.kind[:2], *data.kind[3:5])


def parameters(source: Source, block: Block) -> dict[str, Any]:
    """Values of a parameter block by their three letters."""
    found: dict[str, Any] = {}
    data = source.data[block.start : block.start + block.size]
    at = 0
    while at + 8 <= len(data) and data[at : at + 3] != b"END":
        kind, words = struct.unpack_from("<2h", data, at + 4)
        value = data[at + 8 : at + 8 + 2 * max(words, 0)]
        key = data[at : at + 3].decode("latin-1")
        if not key.isalnum():
            break
        if kind == 0 and len(value) >= 4:
            found[key] = struct.unpack_from("<i", value)[0]
        elif kind == 1 and len(value) >= 8:
            found[key] = struct.unpack_from("<d", value)[0]
        else:
            found[key] = value.split(b"\0", 1)[0].decode("latin-1").strip()
        at += 8 + 2 * max(words, 0)
    return found


def _title(block: Block) -> str:
    name, _ = _DATA[block.kind[3] % 32]
    channel, part = block.kind[3] // 32, _CHANNELS[block.kind[1]]
    words = [part, name, _DERIVATIVES[block.kind[4]], f"channel {channel + 1}" if channel else ""]
    return " ".join(w for w in words if w)


def _spectrum(
    source: Source,
    block: Block,
    about: dict[str, Any],
    layout: TextLayout | None,
    title: str,
) -> Spectrum:
    n = _points(source, about)
    dtype = "<i4" if about.get("DPF") == 2 else "<f4"
    start = block.start
    if block.kind[5] == _COMPACT:
        start = block.start + block.size - 4 * n
    elif block.size < 4 * n:
        raise source.refuse(
            f"promises {n} points, but its block holds {block.size // 4}.", "It is cut off."
        )
    y = array(source, dtype, start, n, "spectrum")
    return _make(source, block, about, layout, y=y, title=title)


def _series(
    source: Source,
    block: Block,
    about: dict[str, Any],
    layout: TextLayout | None,
) -> list[Spectrum]:
    """Spectra of a time-resolved measurement."""
    n = _points(source, about)
    _, count, offset, size, info = fields(source, "<5i", block.start, "series")
    if min(offset, size, info) < 0 or size < 4 * n or not 0 < count < 1_000_000:
        raise source.refuse("has a series that contradicts itself.", "It is damaged.")
    there = min(count, (block.size - offset) // (size + info) if size + info else 0)
    if there < count:
        source.warn(f"The series holds {there} of {count} planned spectra.")
    spectra = []
    for i in range(there):
        y = array(source, "<f4", block.start + offset + i * (size + info), n, "series")
        spectra.append(_make(source, block, about, layout, y=y, title=f"{i + 1}"))
    return spectra


def _points(source: Source, state: dict[str, Any]) -> int:
    n = state.get("NPT")
    if not isinstance(n, int) or not 2 <= n <= source.size:
        raise source.refuse(f"promises {n} points.", "The parameters are damaged.")
    return n


def _make(
    source: Source,
    block: Block,
    about: dict[str, Any],
    layout: TextLayout | None,
    *,
    y: np.ndarray,
    title: str,
) -> Spectrum:
    first, last, factor = about.get("FXV"), about.get("LXV"), about.get("CSF", 1.0)
    if not all(isinstance(v, float) and np.isfinite(v) for v in (first, last, factor)):
        raise source.refuse("lacks the ends of its x axis.", "The parameters are damaged.")
    x = np.linspace(first, last, y.size)  # type: ignore[arg-type]
    kind, y_unit = block.kind[3] % 32, _DATA[block.kind[3] % 32][1].value
    unit = str(about.get("DXU", "WN"))
    x_kind, x_unit = {
        "WN": (XKind.WAVENUMBER, "cm-1"), "MI": (XKind.WAVELENGTH, "um"),
        "NM": (XKind.WAVELENGTH, "nm"), "RS": (XKind.RAMAN_SHIFT, "cm-1"),
    }.get(unit, (XKind.OTHER, unit.lower()))  # fmt: skip
    modality = "fir" if max(x[0], x[-1]) < FAR_INFRARED_TOP else "ir"
    if kind == 10 or x_kind is XKind.RAMAN_SHIFT:
        modality = "raman"
        x_kind = XKind.RAMAN_SHIFT if x_kind is XKind.WAVENUMBER else x_kind
    elif kind in (2, 3) or x_kind is XKind.OTHER:
        modality, x_kind, x_unit = "unknown", XKind.OTHER, "points" if kind in (2, 3) else x_unit
    if layout and layout.modality:
        modality = layout.modality
    laser = next((v for v in (about.get("RLW"), about.get("LWN")) if isinstance(v, float)), 0.0)
    return source.spectrum(
        x, y * factor,
        modality=modality, x_kind=x_kind, x_unit=x_unit, y_unit=y_unit,
        name=" ".join(part for part in (source.name, title) if part),
        sample=str(about.get("SNM", "")),
        formula=str(about["CFO"]) if about.get("CFO") else None,
        laser_nm=1e7 / laser if modality == "raman" and laser > 1e3 else None,
        metadata=about,
    )  # fmt: skip
