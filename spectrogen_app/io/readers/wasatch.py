"""Wasatch ENLIGHTEN CSV: ``key,value`` lines, an empty line, then pixel, axes and curves.

Also the like of it by SpecApp (Neegala). Seen in real files: ``Wavenumber`` means the Raman shift
in ENLIGHTEN, but the absolute wavenumber in SpecApp, which names ``Raman_Shift`` besides;
processed, raw and dark curves side by side.
"""

from __future__ import annotations

import re

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.columns import columns, number, pairs

_TABLE = re.compile(r"(?m)^Pixels?,.*$")


class WasatchReader(Reader):
    """Wasatch ENLIGHTEN and SpecApp CSV."""

    name = "wasatch"
    label = "Wasatch ENLIGHTEN CSV"
    vendors = "Wasatch Photonics ENLIGHTEN; Neegala SpecApp"
    extensions = (".csv", ".txt")
    tested_on = "2 real files"

    def sniff(self, source: Source) -> bool:
        """Whether the first line names the program."""
        head = source.head.removeprefix(b"\xef\xbb\xbf")
        return head.startswith((b"ENLIGHTEN Version", b"SpecApp, Metadata"))

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`; the processed curve first."""
        text = source.text
        table = _TABLE.search(text)
        if table is None:
            raise source.refuse("has no table behind its header.", "The file was cut off.")
        metadata = pairs(text[: table.start()].split("\n"), ",")
        titles = [t.strip() for t in table[0].split(",")]
        values = columns(source, text[table.end() :], len(titles), delimiter=",", decimal=".")
        check(0.5, f"Reading {source.name}")
        where = {t.lower(): i for i, t in enumerate(titles)}
        said = metadata.get("Laser Wavelength") or metadata.get("wl", "")
        laser = number(said.removesuffix("nm"))
        laser = laser if laser and 150 < laser < 3000 else None
        if "raman_shift" in where:
            x, kind, unit = values[:, where["raman_shift"]], XKind.RAMAN_SHIFT, "cm-1"
        elif "wavenumber" in where:
            x, kind, unit = values[:, where["wavenumber"]], XKind.RAMAN_SHIFT, "cm-1"
        elif "wavelength" in where:
            x, kind, unit = values[:, where["wavelength"]], XKind.WAVELENGTH, "nm"
        else:
            raise source.refuse("names no axis but the pixel.", "Export wavelength or wavenumber.")
        skip = ("pixel", "pixels", "wavelength", "wavenumber", "wavenumbers", "raman_shift")
        curves = [i for t, i in where.items() if t not in skip]
        curves.sort(key=lambda i: not titles[i].lower().startswith("processed"))
        if not curves:
            raise source.refuse("has no curve beside its axes.", "Export it again.")
        return [
            source.spectrum(
                x, values[:, i], modality="raman" if kind is XKind.RAMAN_SHIFT else "emission",
                x_kind=kind, x_unit=unit, y_unit=YUnit.COUNTS.value, laser_nm=laser,
                name=f"{source.path.stem} {titles[i]}", sample=source.path.stem,
                metadata=metadata,
            )
            for i in curves
        ]  # fmt: skip
