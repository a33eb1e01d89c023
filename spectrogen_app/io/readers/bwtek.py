"""B&W Tek text (BWSpec, BWRam): ``key;value`` lines, then a table with all axes side by side.

Seen in real files: decimal comma with ``;`` between cells; cells of blanks instead of x for the
pixels outside the calibrated range, which are no points; pixel, wavelength, wavenumber and Raman
shift before dark, reference, raw and dark-subtracted counts; ``wavenumber`` is absolute.
"""

from __future__ import annotations

import re

import numpy as np

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.columns import columns, number, pairs

_AXES = {"raman shift": (XKind.RAMAN_SHIFT, "cm-1"), "wavelength": (XKind.WAVELENGTH, "nm")}


class BwtekReader(Reader):
    """B&W Tek text."""

    name = "bwtek"
    label = "B&W Tek text"
    vendors = "B&W Tek BWSpec, BWRam"
    extensions = (".txt",)
    tested_on = "5 real files of three instruments"

    def sniff(self, source: Source) -> bool:
        """Whether the first line names a version of BWSpec or BWRam."""
        return re.match(rb"(\xef\xbb\xbf)?File Version[;,\t]BW", source.head) is not None

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`; the dark-subtracted curves."""
        text = source.text
        delimiter = text[len("File Version")] if text[0] == "F" else ";"
        found = re.search(rf"(?m)^Pixel{re.escape(delimiter)}.*$", text)
        if found is None:
            raise source.refuse("has no table behind its header.", "The file was cut off.")
        titles = [t.strip() for t in found[0].strip().rstrip(delimiter).split(delimiter)]
        metadata = pairs(text[: found.start()].split("\n"), delimiter)
        check(0.2, f"Reading {source.name}")
        values = columns(source, text[found.end() :], len(titles), delimiter=delimiter)
        where = {t.lower(): i for i, t in enumerate(titles)}
        x_title = next((a for a in _AXES if a in where and _filled(values[:, where[a]])), None)
        if x_title is None:
            raise source.refuse("has neither Raman shifts nor wavelengths.", "Export them as well.")
        kind, unit = _AXES[x_title]
        x = values[:, where[x_title]]
        wanted = [t for t in titles if t.lower().startswith("dark subtracted")] or [
            t for t in titles if t.lower().startswith("raw data")
        ]
        if not wanted:
            raise source.refuse("has no curve of counts.", "Export raw or dark-subtracted data.")
        left_out = [t for t in titles[4:] if t not in wanted]
        source.assume(f"{', '.join(wanted)} taken; also in the file: {', '.join(left_out)}.")
        keep = np.isfinite(x)
        laser = number(metadata.get("laser_wavelength"))
        laser = laser if laser and 150 < laser < 3000 else None
        several = len(wanted) > 1
        return [
            source.spectrum(
                x[keep], values[keep, where[title.lower()]],
                modality="raman" if kind is XKind.RAMAN_SHIFT else "emission",
                x_kind=kind, x_unit=unit, y_unit=YUnit.COUNTS.value, laser_nm=laser,
                name=f"{source.path.stem} {title}" if several else source.path.stem,
                sample=source.path.stem if several else "", metadata=metadata,
            )
            for title in wanted
        ]  # fmt: skip


def _filled(column: np.ndarray) -> bool:
    return int(np.count_nonzero(np.isfinite(column))) >= 2
