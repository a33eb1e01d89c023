"""Renishaw WiRE text: maps and series as one long table, with coordinates before x and y.

With a first line ``#X #Y #Wave #Intensity`` (or ``#Time #Wave #Intensity``), or without. Spectra
follow each other; within one the coordinates do not change and the wavenumber descends. Single
spectra without that line are plain columns and read as such. Seen in a real file: a time series
without the line.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, SpectrumList, TextLayout, decode
from spectrogen_app.io.columns import LAZY, columns, plain_lines
from spectrogen_app.io.maps import spectra_of
from spectrogen_app.io.readers.text import Table, parse_block
from spectrogen_app.io.recognise import recognise

_SAMPLE = 1 << 21
"""Bytes looked at at once."""
_TITLES = re.compile(rb"#[^\r\n]*#Wave\s+#Intensity\s*[\r\n]")


class RenishawTextReader(Reader):
    """Renishaw text of maps and series."""

    name = "renishaw-text"
    label = "Renishaw WiRE text"
    vendors = "Renishaw WiRE"
    extensions = (".txt",)
    tested_on = "1 real time series"
    others_may_try = True

    def sniff(self, source: Source) -> bool:
        """Whether it has WiRE's titles, or coordinates that stay while x descends."""
        if _TITLES.match(source.head):
            return True
        rows = [line.split("\t") for line in source.head_text.split("\n")[:30]]
        widths = {len(r) for r in rows}
        if len(rows) < 30 or len(widths) != 1 or not widths <= {3, 4}:
            return False
        try:
            table = np.array(rows[:-1], dtype=np.float64)
        except ValueError:
            return False
        return bool(np.all(table[:, :-2] == table[0, :-2]) and np.all(np.diff(table[:, -2]) < 0))

    def read(
        self, source: Source, *, layout: TextLayout | None, check: Check
    ) -> list[Spectrum] | SpectrumList:
        """See :meth:`Reader.read`; a large map makes its spectra when they are asked for."""
        data = plain_lines(source)
        first = decode(data[: data.find(b"\n") + 1 or len(data)])
        titled = first.startswith("#")
        titles = [t.lstrip("#") for t in first.split()] if titled else []
        width = len(titles) or len(first.split("\t"))
        start = data.find(b"\n") + 1 if titled else 0
        check(0.1, f"Reading {source.name}")
        source.assume("x is the Raman shift in cm-1, as WiRE exports it.")
        names = titles[:-2] or ([""] if width == 3 else ["X", "Y"])

        def spectrum(values: NDArray[np.float64]) -> Spectrum:
            place = tuple(float(v) for v in values[0, :-2])
            metadata: dict[str, Any] = {"Position": place, "Coordinates": ", ".join(names)}
            return source.spectrum(
                values[:, -2], values[:, -1], modality=modality,
                x_kind=XKind.RAMAN_SHIFT if modality == "raman" else known.x_kind,
                y_unit=YUnit.COUNTS.value, metadata=metadata, sample=source.path.stem,
                name=f"{source.path.stem} ({', '.join(f'{v:g}' for v in place)})",
            )  # fmt: skip

        def rows(index: int) -> NDArray[np.float64]:
            text = decode(data[places[index] : places[index + 1]])
            return columns(source, text, width, delimiter=" ", decimal=".")

        places = _regular(data, start, width) if len(data) > LAZY else []
        if places:
            if data[places[-1] :].strip():
                source.warn("The last spectrum is cut off and was left out.")
            x = rows(0)[:, -2]
        else:
            values = columns(source, decode(data[start:]), width, delimiter=" ")
            x = values[:, -2]
        known = recognise(
            x, x_label="", path=source.path, modality=layout.modality if layout else None
        )
        modality = known.modality if known.modality != "unknown" else "raman"
        if places:
            return SpectrumList(len(places) - 1, lambda index: spectrum(rows(index)))
        starts = np.concatenate(([0], _turns(values), [len(x)]))
        sizes = np.diff(starts)
        whole = np.flatnonzero(sizes >= max(2, int(np.median(sizes)) // 2))
        if len(whole) < len(sizes):
            source.warn(f"Spectra that are cut off, left out: {len(sizes) - len(whole)}.")
        if len(whole) == 0 or np.median(sizes) < 5:
            raise source.refuse("is not a series of spectra in one table.", "Read it as columns.")
        parts = [values[starts[i] : starts[i + 1]] for i in whole]
        ordinates = [part[:, -1] for part in parts]
        return spectra_of(source, [(ordinates, lambda index: spectrum(parts[index]))])


def _turns(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Rows at which another spectrum begins: a coordinate changes, or x goes up."""
    moved = np.any(values[1:, :-2] != values[:-1, :-2], axis=1) | (np.diff(values[:, -2]) > 0)
    return np.flatnonzero(moved) + 1


def _regular(data: bytes, start: int, width: int) -> list[int]:
    """Where each spectrum begins, and the end, if all have as many lines as the first; else none.

    Only the first and the last line of each is looked at.
    """
    table = Table(" ", ".", 0, width, tuple(range(width)), 0)
    turns = _turns(parse_block(decode(data[start : start + _SAMPLE]), table)[0])
    if not turns.size:
        return []
    places, line = [start], 0
    for at in range(start, len(data), _SAMPLE):
        piece = np.frombuffer(data, np.uint8, min(_SAMPLE, len(data) - at), at)
        ends = np.flatnonzero(piece == 0x0A)
        wanted = np.arange(turns[0] - 1 - line % turns[0], ends.size, turns[0])
        places += (at + 1 + ends[wanted]).tolist()
        line += ends.size

    if not data.endswith(b"\n") and line % turns[0] == turns[0] - 1:
        places.append(len(data))
    lines = []
    for begin, end in pairwise(places):
        last = data.rfind(b"\n", begin, end - 1) + 1
        lines += [data[begin : data.find(b"\n", begin)], data[last:end].strip()]
    values, skipped = parse_block(decode(b"\n".join(lines)), table)
    if skipped or not np.array_equal(_turns(values), np.arange(2, len(values), 2)):
        return []
    return places
