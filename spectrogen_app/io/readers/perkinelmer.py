"""PerkinElmer: SP, FSM, the fluorescence files of FL WinLab (binary and text), and ASP.

SP and FSM begin with PEPE and a description of 40 bytes, then nested blocks: number (int16), size
(int32), content. A member of the data set begins with a type code of two bytes. FL WinLab writes
one text header for its binary (SPECTRUM BINARY, int32) and its text files (SPECTRUM ASCII): after
``#GR`` come unit, label, factor, offset, first x, step, number of points, 8, maximum, minimum.
ASP is a list: number of points, first x, last x, three codes, then the ordinates.

Seen in real files: x descends in SP, FSM and ASP; in FL binaries the factor is 0.001 and the stated
maximum and minimum are met exactly, which is how they were verified; in FL text files the step of x
is written with each point; %R measurements labelled %T; the codes of ASP name no unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, SpectrumList, TextLayout
from spectrogen_app.io.maps import spectra_of
from spectrogen_app.io.recognise import recognise, y_axis
from spectrogen_app.io.safe import array, field, fields, text_field

_DATASET = 120
_TYPE, _X_RANGE, _STEP, _POINTS = -29839, -29838, -29836, -29835
_X_LABEL, _Y_LABEL, _DATA, _NAME, _ALIAS = -29833, -29832, -29828, -29827, -29823
_MAP_HEADER, _MAP_SETTINGS, _MAP_SPECTRUM = 5100, 5104, 5105
_TEXTS = re.compile(rb"#u([\x02-\xff]\x00)([\x20-\x7e\xa0-\xff]{2,255})")


class PerkinElmerReader(Reader):
    """PerkinElmer SP and FSM files."""

    name = "perkinelmer-sp"
    label = "PerkinElmer SP / FSM"
    vendors = "PerkinElmer Spectrum, SpectrumIMAGE"
    extensions = (".sp", ".fsm")
    tested_on = "1 real SP, 1 real FSM (map of 16)"

    def sniff(self, source: Source) -> bool:
        """Whether the file begins with PEPE."""
        return source.head.startswith((b"PEPE2D", b"PEPEDataSet"))

    def read(
        self, source: Source, *, layout: TextLayout | None, check: Check
    ) -> list[Spectrum] | SpectrumList:
        """See :meth:`Reader.read`."""
        check(0.0, f"Reading {source.name}")
        top = list(_blocks(source, 44, source.size))
        kinds = {kind for kind, _, _ in top}
        if _MAP_HEADER in kinds:
            return _map(source, top, layout)
        if _DATASET in kinds:
            _, at, size = next(b for b in top if b[0] == _DATASET)
            return [_single(source, at, size, layout)]
        said = text_field(source, 4, 40)
        raise source.refuse(
            f"is a PerkinElmer file of another kind ({said!r}).",
            "Export it from Spectrum as SP, JCAMP-DX or ASCII.",
        )


def _blocks(source: Source, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number, place of the content and size of the blocks in a part of the file."""
    at = start
    while at + 6 <= end:
        kind, size = fields(source, "<hi", at, "block")
        if size < 0:
            raise source.refuse(f"has a block of {size} bytes at {at}.", "It is damaged.")
        if at + 6 + size > end:
            source.warn("Cut off: the last block ends before its size.")
            size = end - at - 6
        yield kind, at + 6, size
        at += 6 + size


def _text(source: Source, at: int) -> str:
    size = field(source, "<H", at + 2, "text")
    return source.data[at + 4 : at + 4 + size].decode("latin-1").strip("\0 ")


def _single(source: Source, at: int, size: int, layout: TextLayout | None) -> Spectrum:
    members = {kind: (where, n) for kind, where, n in _blocks(source, at, at + size)}
    missing = [k for k in (_X_RANGE, _POINTS, _DATA) if k not in members]
    if missing:
        raise source.refuse("lacks its range, its number of points or its data.",
                            "It is cut off; copy it again.")  # fmt: skip
    first, last = fields(source, "<dd", members[_X_RANGE][0] + 2, "range of x")
    points = field(source, "<i", members[_POINTS][0] + 2, "number of points")
    where, length = members[_DATA]
    stored = min(field(source, "<i", where + 2, "data") // 8, (length - 6) // 8)
    if points < 2 or points != stored:
        raise source.refuse(
            f"promises {points} points and holds {stored}.", "It is cut off or damaged."
        )
    y = array(source, "<f8", where + 6, points)
    labels = {k: _text(source, members[k][0]) for k in (_X_LABEL, _Y_LABEL, _NAME, _ALIAS)
              if k in members}  # fmt: skip
    return _spectrum(
        source, np.linspace(first, last, points), y, labels.get(_X_LABEL, "cm-1"),
        y_label=labels.get(_Y_LABEL, ""), layout=layout, name=source.path.stem,
        metadata={"Original file": labels.get(_NAME, ""), "Alias": labels.get(_ALIAS, ""),
                  "History": _texts(source.data[at : at + size])},
    )  # fmt: skip


def _texts(data: bytes) -> str:
    """Texts of the history of a data set, such as instrument, date and accessory."""
    found = []
    for match in _TEXTS.finditer(data[:20000]):
        size = int.from_bytes(match[1], "little")
        if size <= len(match[2]):
            found.append(match[2][:size].decode("latin-1"))
    return "; ".join(found[:60])


def _map(
    source: Source, top: list[tuple[int, int, int]], layout: TextLayout | None
) -> list[Spectrum] | SpectrumList:
    at = next(where for kind, where, _ in top if kind == _MAP_HEADER)
    at += 2 + field(source, "<H", at, "map header")
    steps = fields(source, "<10d3i", at, "map header")
    first, last, (columns, rows, points) = steps[3], steps[4], steps[10:]
    spectra = [(where, n) for kind, where, n in top if kind == _MAP_SPECTRUM]
    if points < 2 or columns < 1 or rows < 1:
        raise source.refuse(
            f"says {columns} x {rows} spectra of {points} points.", "The header is damaged."
        )
    if spectra and spectra[-1][1] < 4 * points:
        spectra.pop()
    if any(n != 4 * points for _, n in spectra):
        raise source.refuse(f"has spectra of other than {points} points.", "It is damaged.")
    if not spectra:
        raise source.refuse("holds no whole spectrum.", "It is cut off; copy it again.")
    if len(spectra) < columns * rows:
        source.warn(f"Cut off: {len(spectra)} of {columns * rows} spectra are there.")
    settings = next(((w, n) for kind, w, n in top if kind == _MAP_SETTINGS), None)
    y_label, history = "", ""
    if settings is not None:
        data = source.data[settings[0] : sum(settings)]
        history = _texts(data)
        labels = re.search(rb"\x78\x8b..\x00\x00#u(.)\x00([\x20-\x7e]+)", data, re.DOTALL)
        y_label = labels[2][: labels[1][0]].decode("latin-1") if labels else ""
    x = np.linspace(first, last, points)

    def make(index: int) -> Spectrum:
        row, column = divmod(index, columns)
        place = (steps[7] + column * steps[0], steps[8] + row * steps[1])
        return _spectrum(
            source, x, array(source, "<f4", spectra[index][0], points), "cm-1",
            y_label=y_label, layout=layout, name=f"{source.path.stem} {column + 1}, {row + 1}",
            metadata={"Position (um)": place, "History": history}, sample=source.path.stem,
        )  # fmt: skip

    rows = [np.frombuffer(source.data, "<f4", points, at) for at, _ in spectra]
    return spectra_of(source, [(rows, make)])


def _spectrum(
    source: Source, x: Any, y: Any, x_label: str, *, y_label: str, layout: TextLayout | None,
    name: str, metadata: dict[str, Any], sample: str = "",
) -> Spectrum:  # fmt: skip
    unit = YUnit.ABSORBANCE.value if y_label.strip() == "A" else y_axis(y_label)
    known = recognise(
        x, x_label=x_label, y_label=unit or y_label, header=str(metadata.get("History", "")),
        modality=layout.modality if layout else None,
    )  # fmt: skip
    if known.assumption:
        source.assume(known.assumption)
    raman = known.modality == "raman"
    return source.spectrum(
        x, y, modality=known.modality, x_kind=known.x_kind, x_unit=known.x_unit,
        y_unit=unit or ("a.u." if y_label or raman else known.y_unit), name=name, sample=sample,
        metadata={k: v for k, v in metadata.items() if v not in ("", None)},
    )  # fmt: skip


class FlWinlabReader(Reader):
    """PerkinElmer FL WinLab spectra."""

    name = "perkinelmer-fl"
    label = "PerkinElmer FL WinLab"
    vendors = "PerkinElmer LS fluorescence (FL WinLab): PEPF / FLDM binary and text"
    extensions = (".sp", ".txt")
    tested_on = "3 real binaries, 2 real text files"

    def sniff(self, source: Source) -> bool:
        """Whether the file begins with PE, a method and SPECTRUM BINARY or ASCII."""
        return re.match(rb"PE \w\w .{8,40}SPECTRUM +(BINARY|ASCII) ", source.head[:80]) is not None

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        data = source.data
        header = re.search(rb"#GR\r?\n((?:[^\r\n]*\r?\n){10})#DATA\r?\n", data[: 1 << 16])
        if header is None:
            raise source.refuse("has no data behind its header.", "It is cut off or damaged.")
        lines = [line.strip().decode("latin-1") for line in header[1].split(b"\n")]
        try:
            factor, offset, first, step = (float(v) for v in lines[2:6])
            points, high, low = int(lines[6]), float(lines[8]), float(lines[9])
        except ValueError as error:
            raise source.refuse("has a header that is not numbers.", "It is damaged.") from error
        if points < 2:
            raise source.refuse(f"says {points} points.", "The header is damaged.")
        if b"BINARY" in data[:80]:
            y = array(source, "<i4", header.end(), points) * factor + offset
            x = first + step * np.arange(points)
        else:
            x, y = _rows(source, data[header.end() :].decode("latin-1"), points)
        top, bottom = float(y.max()), float(y.min())
        if abs(top - high) > 1e-5 * abs(high) + 1e-9 or abs(bottom - low) > 1e-5 * abs(high):
            source.warn(f"The header says {low:g} to {high:g}; the data are {bottom:g} to {top:g}.")
        words = [line.strip().decode("latin-1") for line in data[: header.start()].split(b"\n")]
        metadata = {"Original file": words[2] if len(words) > 2 else "", "Unit": lines[0],
                    "Date": " ".join(words[3:5])}  # fmt: skip
        return [
            source.spectrum(
                x, y, modality="emission", x_kind=XKind.WAVELENGTH, x_unit="nm",
                y_unit=YUnit.INTENSITY.value, metadata=metadata,
            )
        ]  # fmt: skip


def _rows(source: Source, body: str, points: int) -> tuple[Any, Any]:
    rows = []
    for line in body.split("\n"):
        cells = line.replace(",", ".").split()
        try:
            rows.append((float(cells[0]), float(cells[1])))
        except (ValueError, IndexError):
            if cells:
                break
    if len(rows) < 2:
        raise source.refuse(f"has {len(rows)} rows of numbers.", "It is cut off; copy it again.")
    if len(rows) < points:
        source.warn(f"Cut off: {len(rows)} of {points} points are there.")
    table = np.array(rows[:points])
    return table[:, 0], table[:, 1]


class AspReader(Reader):
    """PerkinElmer ASP files."""

    name = "perkinelmer-asp"
    label = "PerkinElmer ASP"
    vendors = "PerkinElmer Spectrum (ASCII)"
    extensions = (".asp",)
    tested_on = "1 real file"

    def sniff(self, source: Source) -> bool:
        """Whether it is a list of numbers that begins with a count, a range and three codes."""
        if source.suffix not in self.extensions:
            return False
        return re.match(rb"\d+\s+[\d.]+\s+[\d.]+\s+\d+\s+\d+\s+\d+\s", source.head) is not None

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        words = source.text.split()
        try:
            points, first, last = int(words[0]), float(words[1]), float(words[2])
            y = np.array([float(w) for w in words[6 : 6 + points]])
        except ValueError as error:
            raise source.refuse(
                f"has a line that is no number ({error}).", "It is damaged."
            ) from error
        if len(y) < points:
            raise source.refuse(
                f"promises {points} points and holds {len(y)}.", "It is cut off; copy it again."
            )
        if points < 2:
            raise source.refuse(f"promises {points} points.", "It is damaged.")
        source.assume("The file names no units: taken as wavenumber in cm-1 and absorbance.")
        return [
            source.spectrum(
                np.linspace(first, last, points), y, modality="ir",
                metadata={"Codes": " ".join(words[3:6])},
            )
        ]  # fmt: skip
