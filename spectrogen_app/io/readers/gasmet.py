"""Gasmet (Calcmet) FTIR ``.SPE``: a text that ends with Ctrl-Z, a binary header, float64.

From the words ``GASMET Spectrum Data File`` on: first and last wavenumber and step (float64) at 92,
100 and 108, number of points (int32) at 116; the ordinates end the file. In the one real file the
three agree with the number of points, and the points fill the rest of the file exactly. The unit
of the ordinate was not found: gas spectra of Calcmet are absorbance.
"""

from __future__ import annotations

import re

import numpy as np

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.safe import array, fields

_MARK = b"GASMET Spectrum Data File"


class GasmetReader(Reader):
    """Gasmet FTIR spectra."""

    name = "gasmet"
    label = "Gasmet SPE"
    vendors = "Gasmet Calcmet"
    extensions = (".spe",)
    tested_on = "1 real file, against its own header only"

    def sniff(self, source: Source) -> bool:
        """Whether the header names it."""
        return _MARK in source.head[:4096]

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        check(0.1, f"Reading {source.name}")
        at = source.data.index(_MARK)
        first, last, step, points = fields(source, "<dddi", at + 92)
        if not (points >= 2 and step > 0 and abs(first + step * (points - 1) - last) < 0.01 * step):
            raise source.refuse(
                f"says {points} points from {first:g} to {last:g} in steps of {step:g}.",
                "The header is damaged, or of another version; export it from Calcmet as text.",
            )
        if at + 120 + 8 * points > source.size:
            raise source.refuse(f"is cut off: {points} points do not fit.", "Copy it again.")
        y = array(source, "<f8", source.size - 8 * points, points)
        source.assume("The file names no ordinate: taken as absorbance.")
        measured = re.search(rb"Measured (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", source.data[:at])
        return [
            source.spectrum(
                np.linspace(first, last, points), y, modality="ir",
                metadata={"Date": measured[1].decode()} if measured else {},
            )
        ]  # fmt: skip
