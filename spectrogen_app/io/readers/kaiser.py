"""Kaiser text with decimal commas and commas between cells: ``123,4,-473,5873`` is x 123.4.

Seen in a real file: whole numbers keep their comma (``126,,1341,1188`` is x 126.0), so that every
line has four cells; x rises in steps of 0.9999 cm-1 (Raman shift), with one decimal at first and
four behind 1000; nothing names the axis.
"""

from __future__ import annotations

import re

import numpy as np

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.recognise import recognise

_ROW = re.compile(r"(-?\d+),(\d*),(-?\d+),(\d*)")


class KaiserReader(Reader):
    """Kaiser text."""

    name = "kaiser-text"
    label = "Kaiser text"
    vendors = "Kaiser HoloGRAMS"
    extensions = (".txt",)
    tested_on = "1 real file"
    others_may_try = True

    def sniff(self, source: Source) -> bool:
        """Whether all lines hold four such cells, and x so read rises in steps that hardly vary."""
        lines = source.head_text.split("\n")[:200]
        rows = [_ROW.fullmatch(line) for line in (lines[:-1] or lines)]
        if len(rows) < 20 or not all(rows):
            return False
        x = np.array([_number(row[1], row[2]) for row in rows if row])
        steps = np.diff(x)
        even = steps.min() > 0 and np.ptp(steps) < 0.25 * np.median(steps)
        return bool(even and any(not row[2] or len(row[4]) > 1 for row in rows if row))

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        check(0.1, f"Reading {source.name}")
        lines = [line for line in source.text.split("\n") if line.strip()]
        rows = [row for row in map(_ROW.fullmatch, lines) if row]
        if len(rows) < len(lines):
            source.warn(f"Lines that are cut off or damaged, left out: {len(lines) - len(rows)}.")
        if len(rows) < 2:
            raise source.refuse(f"has {len(rows)} rows of numbers.", "Export it again.")
        x = np.array([_number(row[1], row[2]) for row in rows])
        y = np.array([_number(row[3], row[4]) for row in rows])
        known = recognise(x, path=source.path, modality=layout.modality if layout else None)
        source.assume("Commas taken as decimal signs and as separators: four cells are x and y.")
        if known.assumption:
            source.assume(known.assumption)
        source.unsure |= not known.sure
        return [
            source.spectrum(
                x, y, modality=known.modality, x_kind=known.x_kind, x_unit=known.x_unit,
                y_unit=known.y_unit,
            )
        ]  # fmt: skip


def _number(whole: str, decimals: str) -> float:
    return float(f"{whole}.{decimals}") if decimals else float(whole)
