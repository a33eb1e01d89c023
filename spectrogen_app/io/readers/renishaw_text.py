"""Renishaw WiRE text: maps and series as one long table, with coordinates before x and y.

With a first line ``#X #Y #Wave #Intensity`` (or ``#Time #Wave #Intensity``), or without. Spectra
follow each other; within one the coordinates do not change and the wavenumber descends. Single
spectra without that line are plain columns and read as such. Seen in a real file: a time series
without the line.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, SpectrumList, TextLayout
from spectrogen_app.io.columns import columns
from spectrogen_app.io.maps import spectra_of
from spectrogen_app.io.recognise import recognise

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
        """See :meth:`Reader.read`."""
        first, _, rest = source.text.partition("\n")
        titled = first.startswith("#")
        titles = [t.lstrip("#") for t in first.split()] if titled else []
        width = len(titles) or len(first.split("\t"))
        check(0.1, f"Reading {source.name}")
        values = columns(source, rest if titled else source.text, width, delimiter=" ")
        places, x, y = values[:, :-2], values[:, -2], values[:, -1]
        moved = np.any(places[1:] != places[:-1], axis=1) | (np.diff(x) > 0)
        starts = np.concatenate(([0], np.flatnonzero(moved) + 1, [len(x)]))
        sizes = np.diff(starts)
        whole = np.flatnonzero(sizes >= max(2, int(np.median(sizes)) // 2))
        if len(whole) < len(sizes):
            source.warn(f"Spectra that are cut off, left out: {len(sizes) - len(whole)}.")
        if len(whole) == 0 or np.median(sizes) < 5:
            raise source.refuse("is not a series of spectra in one table.", "Read it as columns.")
        known = recognise(
            x, x_label="", path=source.path, modality=layout.modality if layout else None
        )
        source.assume("x is the Raman shift in cm-1, as WiRE exports it.")
        names = titles[:-2] or ([""] if width == 3 else ["X", "Y"])
        modality = known.modality if known.modality != "unknown" else "raman"

        def make(index: int) -> Spectrum:
            part = slice(starts[whole[index]], starts[whole[index] + 1])
            place = tuple(float(v) for v in places[part][0])
            metadata: dict[str, Any] = {"Position": place, "Coordinates": ", ".join(names)}
            return source.spectrum(
                x[part], y[part], modality=modality,
                x_kind=XKind.RAMAN_SHIFT if modality == "raman" else known.x_kind,
                y_unit=YUnit.COUNTS.value, metadata=metadata, sample=source.path.stem,
                name=f"{source.path.stem} ({', '.join(f'{v:g}' for v in place)})",
            )  # fmt: skip

        parts = [y[starts[i] : starts[i + 1]] for i in whole]
        return spectra_of(source, [(parts, make)])
