"""WITec text: TrueMatch, "Exported ASCII-File", and the table export of maps.

TrueMatch files hold one spectrum after another, each under ``[SpectrumHeader]`` with the laser
line and the unit of x, then ``[SpectrumData]``. The ASCII export has ``[Header]`` and ``[Data]``,
a row of titles, a row of units and comma-separated rows. The table export has the titles
(``X-Axis`` and one per map point, with its coordinates) and the units alone.

Seen in real files: x in nm for Raman spectra, to be joined with the laser line; ``rel. 1/cm``; no
laser line in the ASCII export; map names that end in ``(column/row)``.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, SpectrumList, TextLayout, decode
from spectrogen_app.io.columns import LAZY, WideTable, columns, number, pairs, plain_lines
from spectrogen_app.io.recognise import recognise, x_axis, y_axis

_TRUEMATCH = b"[WITEC_TRUEMATCH_ASCII_HEADER]"
_EXPORT = b"//Exported ASCII-File"


class WitecReader(Reader):
    """WITec text exports."""

    name = "witec-text"
    label = "WITec text"
    vendors = "WITec Project, TrueMatch"
    extensions = (".txt",)
    tested_on = "4 real files (TrueMatch, ASCII export, map table)"

    def sniff(self, source: Source) -> bool:
        """Whether the first line is one of WITec's; a map's titles may fill all of the head."""
        head = source.head.removeprefix(b"\xef\xbb\xbf")
        return head.startswith((_TRUEMATCH, _EXPORT)) or re.match(
            rb"X-Axis\t[^\r\n]+(\Z|\r?\n[^\r\n\t]*(1/cm|nm|eV|px)\t)", head
        ) is not None  # fmt: skip

    def read(
        self, source: Source, *, layout: TextLayout | None, check: Check
    ) -> list[Spectrum] | SpectrumList:
        """See :meth:`Reader.read`; a large map makes its spectra when they are asked for."""
        data = plain_lines(source)
        check(0.1, f"Reading {source.name}")
        if data.startswith(_TRUEMATCH):
            return _truematch(source, source.text)
        if data.startswith(_EXPORT):
            found = re.search(rb"\n\[Data\]\r?\n", data[: len(source.head)])
            if found is None:
                raise source.refuse("has no data behind its header.", "It was cut off.")
            keys = pairs(decode(data[: found.start()]).split("\n"), "=")
            return _table(source, data, found.end(), ",", keys=keys, layout=layout)
        return _table(source, data, 0, "\t", keys={}, layout=layout)


def _truematch(source: Source, text: str) -> list[Spectrum]:
    spectra = []
    for part in text.split("[SpectrumHeader]\n")[1:]:
        head, found, body = part.partition("[SpectrumData]\n")
        keys = pairs(head.split("\n"), "=")
        title = keys.get("Title") or source.path.stem
        if not found:
            source.warn(f"{title} has no data and is left out: the file was cut off.")
            continue
        body = body.partition("\n[")[0].partition("\n\n")[0]
        values = columns(source, body, 2)
        size = number(keys.get("SpectrumSize"))
        if size and len(values) < size:
            source.warn(f"Cut off: {title} has {len(values)} of {size:g} points.")
        kind, unit = x_axis(keys.get("XDataKind", "")) or (XKind.OTHER, "")
        laser = number(keys.get("ExcitationWavelength"))
        if kind is XKind.WAVENUMBER and laser:
            kind = XKind.RAMAN_SHIFT
        spectra.append(
            source.spectrum(
                values[:, 0], values[:, 1], modality="raman" if laser else "emission",
                x_kind=kind, x_unit=unit, y_unit=YUnit.COUNTS.value, laser_nm=laser, name=title,
                sample=title, metadata=keys,
            )
        )  # fmt: skip
    if not spectra:
        raise source.refuse("holds no spectrum behind its header.", "It was cut off.")
    return spectra


def _table(
    source: Source,
    data: bytes,
    start: int,
    delimiter: str,
    *,
    keys: dict[str, Any],
    layout: TextLayout | None,
) -> list[Spectrum] | SpectrumList:
    behind_titles = data.find(b"\n", start) + 1
    body = data.find(b"\n", behind_titles) + 1
    if not (behind_titles and body):
        raise source.refuse("ends behind its titles.", "It was cut off; export it again.")
    titles, units = (
        [c.strip() for c in decode(line).rstrip(delimiter + "\n").split(delimiter)]
        for line in (data[start:behind_titles], data[behind_titles:body])
    )
    width = len(titles)
    units += [""] * (width - len(units))
    if width < 2:
        raise source.refuse("has titles of one column.", "It is damaged; export it again.")
    large = len(data) - body > LAZY
    if large:
        column = WideTable(source, data, body, width, delimiter).column
    else:
        values = columns(source, decode(data[body:]), width, delimiter=delimiter, decimal=".")

        def column(index: int) -> NDArray[np.float64]:
            return values[:, index]

    known = recognise(
        column(0), x_label=units[0], y_label=units[1], header=str(keys.get("GraphName", "")),
        path=source.path, modality=layout.modality if layout else None,
    )  # fmt: skip
    if known.assumption:
        source.assume(known.assumption)
    counts = "cts" in "".join(units)

    def make(index: int) -> Spectrum:
        return source.spectrum(
            column(0), column(index + 1), modality=known.modality, x_kind=known.x_kind,
            x_unit=known.x_unit, metadata=keys,
            y_unit=y_axis(units[index + 1]) or ("counts" if counts else known.y_unit),
            name=titles[index + 1] or source.path.stem,
            sample=source.path.stem if width > 2 else "",
        )  # fmt: skip

    return SpectrumList(width - 1, make) if large else [make(i) for i in range(width - 1)]
