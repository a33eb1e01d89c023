"""Horiba LabSpec 5 and 6: text with its header, text maps without one, and XML.

Text has ``#Key=<tab>value`` lines, then either x and y, or a row of x that begins with one empty
cell per coordinate, over one row per spectrum that begins with its coordinates (index or time; Y,
X). Maps may lack the header altogether. XML (``LSX_Data``) tags everything by number: the axes are
under 0x7B697861, each with type 0x6D707974, unit 0x7C696E75 and values 0x7D6CD4DB; parameters have
a name 0x6D6D616E and a value 0x7D6C61DB; the spectra are the rows of ``LSX_Matrix``, first position
axis fastest.

Seen in real files: no line names the axis, but the place of the spectrograph does (``#Spectro
(cm-1)``: Raman shift); ``#AxisUnit[1]=1/cm`` in newer ones; ``Laser=532nm_Edge`` and ``Laser
(nm)``; x descending in XML; ``1/cm`` is Raman shift and ``1/cm abs`` absolute; the exact laser line
beside its nickname (633: 632.817).
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import (
    Reader,
    Source,
    SpectrumList,
    TextLayout,
    decode,
)
from spectrogen_app.io.columns import LAZY, columns, decimal_sign, number, pairs, plain_lines
from spectrogen_app.io.maps import spectra_of
from spectrogen_app.io.readers.text import Table, parse_block
from spectrogen_app.io.recognise import recognise, y_axis
from spectrogen_app.io.safe import xml_root

_AXES, _TYPE, _UNIT, _VALUES = "0x7B697861", "0x6D707974", "0x7C696E75", "0x7D6CD4DB"
_NAME, _VALUE, _EXACT = "0x6D6D616E", "0x7D6C61DB", "0x8736F70"
_KINDS = {
    "1/cm": (XKind.RAMAN_SHIFT, "cm-1"), "1/cm abs": (XKind.WAVENUMBER, "cm-1"),
    "nm": (XKind.WAVELENGTH, "nm"), "ev": (XKind.ENERGY, "eV"),
}  # fmt: skip
_MAP_ROW = re.compile(rb"\A\t{1,3}-?\d[\d.,]*(\t-?\d[\d.,]*){8,}")


class LabspecTextReader(Reader):
    """LabSpec text."""

    name = "labspec-text"
    label = "Horiba LabSpec text"
    vendors = "Horiba LabSpec 5 and 6"
    extensions = (".txt",)
    tested_on = "3 real files (spectrum, series, map of 398)"
    others_may_try = True

    def sniff(self, source: Source) -> bool:
        """Whether it has LabSpec's keys, or begins with a row of x behind empty cells."""
        head = source.head[:20000]
        return (
            re.search(rb"(?m)^#Acq\. time \(s\)=", head) is not None
            or re.search(rb"(?m)^#(AxisType|AxisUnit)\[\d\]=", head) is not None
            or _MAP_ROW.match(head) is not None
        )

    def read(
        self, source: Source, *, layout: TextLayout | None, check: Check
    ) -> list[Spectrum] | SpectrumList:
        """See :meth:`Reader.read`."""
        data = plain_lines(source)
        at = 0
        while data[at : at + 1] == b"#":
            at = data.find(b"\n", at) + 1 or len(data)
        metadata = pairs(decode(data[:at]).split("\n"), "=")
        check(0.2, f"Reading {source.name}")
        if data[at : at + 1] != b"\t":
            values = columns(source, decode(data[at:]), 2)
            return [_spectrum(source, values[:, 0], values[:, 1], metadata, layout=layout)]
        rows = _Rows(source, data, at)

        def make(index: int) -> Spectrum:
            place, y = rows.parse(index)
            return _spectrum(
                source, rows.x, y, {**metadata, "Position": place}, layout=layout,
                name=f"{source.path.stem} ({', '.join(f'{v:g}' for v in place)})",
            )  # fmt: skip

        if len(data) > LAZY:
            return SpectrumList(len(rows), make)
        return spectra_of(source, [([rows.parse(i)[1] for i in range(len(rows))], make)])


class _Rows:
    """The lines of a map, parsed when they are asked for.

    Attributes
    ----------
    x : ndarray, shape (n,)
    """

    def __init__(self, source: Source, data: bytes, start: int) -> None:
        self._source, self._data = source, data
        end = data.find(b"\n", start)
        first = decode(data[start : max(end, start)]).rstrip("\t\n")
        self._skip = len(first) - len(first.lstrip("\t"))
        width = first.count("\t") + 1
        decimal = decimal_sign(decode(data[start : start + 5000]))
        self._table = Table("\t", decimal, 0, width, tuple(range(width)), 0)
        self.x = self._numbers(first.replace("\t", "0\t", self._skip))[self._skip :]
        self._places: list[tuple[int, int]] = []
        damaged = 0
        while 0 < end + 1 < len(data):
            start, end = end + 1, data.find(b"\n", end + 1)
            stop = end if end > 0 else len(data)
            while stop > start and data[stop - 1] in b"\t\r":
                stop -= 1
            whole = data.count(b"\t", start, stop) == width - 1
            if whole and (len(data) > LAZY or len(self._values(decode(data[start:stop])))):
                self._places.append((start, stop))
            else:
                damaged += stop > start
        if not self._places:
            raise source.refuse("holds no spectrum below its row of x.", "The export was cut off.")
        if damaged:
            source.warn(f"Lines of the table that are cut off or damaged, left out: {damaged}.")

    def __len__(self) -> int:
        return len(self._places)

    def parse(self, index: int) -> tuple[tuple[float, ...], NDArray[np.float64]]:
        """Coordinates and ordinates of a spectrum."""
        start, stop = self._places[index]
        values = self._numbers(decode(self._data[start:stop]))
        return tuple(float(v) for v in values[: self._skip]), values[self._skip :]

    def _values(self, line: str) -> NDArray[np.float64]:
        return parse_block(line, self._table)[0]

    def _numbers(self, line: str) -> NDArray[np.float64]:
        values = self._values(line)
        if len(values) != 1:
            raise self._source.refuse(
                f"has a damaged line: {line[:40]!r} ... holds something else than numbers.",
                "Export it again.",
            )
        return values[0]


def _spectrum(
    source: Source, x: Any, y: Any, metadata: dict[str, Any], *, layout: TextLayout | None,
    name: str = "",
) -> Spectrum:  # fmt: skip
    unit = next((metadata[k] for k in ("AxisUnit[1]", "AxisUnit[0]") if metadata.get(k) and
                 metadata[k].lower() in _KINDS), "").lower()  # fmt: skip
    if not unit:
        place = next((k for k in metadata if k.startswith("Spectro")), "")
        unit = "1/cm" if "cm" in place else "nm" if "nm" in place else ""
    asked = layout.modality if layout else None
    kind = _KINDS.get(unit)
    y_label = metadata.get("AxisUnit[0]", "") if "AxisUnit[1]" in metadata else ""
    y_unit = y_axis(y_label) or YUnit.INTENSITY.value
    laser = number(re.sub(r"[^\d.,].*", "", metadata.get("Laser (nm)", metadata.get("Laser", ""))))
    if kind is None:
        known = recognise(np.asarray(x), path=source.path, modality=asked)
        if known.assumption:
            source.assume(known.assumption)
        source.unsure |= not known.sure
        modality, kind = known.modality, (known.x_kind, known.x_unit)
    else:
        modality = asked or ("raman" if kind[0] is XKind.RAMAN_SHIFT else "emission")
    return source.spectrum(
        x, y, modality=modality, x_kind=kind[0], x_unit=kind[1], y_unit=y_unit,
        name=name or metadata.get("Title") or source.path.stem, metadata=metadata,
        sample=str(metadata.get("Sample", "")) or (source.path.stem if name else ""),
        laser_nm=laser if laser and 150 < laser < 3000 else None,
    )  # fmt: skip


class LabspecXmlReader(Reader):
    """LabSpec XML."""

    name = "labspec-xml"
    label = "Horiba LabSpec XML"
    vendors = "Horiba LabSpec 6"
    extensions = (".xml",)
    tested_on = "6 real files (nm, eV, Raman shift, absolute cm-1, map)"

    def sniff(self, source: Source) -> bool:
        """Whether the root element is LSX_Data."""
        return b"<LSX_Data" in source.head[:2000]

    def read(
        self, source: Source, *, layout: TextLayout | None, check: Check
    ) -> list[Spectrum] | SpectrumList:
        """See :meth:`Reader.read`."""
        root = xml_root(source, source.data, "content")
        check(0.5, f"Reading {source.name}")
        holder = next((e for e in root.iter("LSX") if e.get("ID") == _AXES), None)
        rows = [_numbers(source, row.text) for row in root.iter("LSX_Row")]
        axes = list(holder) if holder is not None else []
        if len(axes) < 2 or not rows:
            raise source.refuse("has no axes, or no rows of numbers.", "It is cut off or damaged.")
        x = _numbers(source, _child(axes[1], _VALUES))
        if any(row.size != x.size for row in rows):
            raise source.refuse(
                f"has rows of other lengths than its {x.size} x values.", "It is damaged."
            )
        said = _child(axes[1], _UNIT).lower()
        kind, unit = _KINDS.get(said, (XKind.OTHER, said))
        raman = kind is XKind.RAMAN_SHIFT
        metadata, laser = _parameters(root)
        places = [_numbers(source, _child(a, _VALUES)) for a in axes[2:]]
        title = str(metadata.get("Title", "")) or source.path.stem
        y_unit = y_axis(_child(axes[0], _UNIT).replace("/sec", "/s")) or YUnit.INTENSITY.value
        if _child(axes[0], _UNIT).lower().startswith("cnt/s"):
            y_unit = YUnit.CPS.value

        def make(index: int) -> Spectrum:
            place = []
            rest = index
            for values in places:
                if values.size:
                    rest, at = divmod(rest, values.size)
                    place.append(float(values[at]))
            name = f"{title} ({', '.join(f'{v:g}' for v in place)})" if len(rows) > 1 else title
            return source.spectrum(
                x, rows[index], modality="raman" if raman else "emission", x_kind=kind,
                x_unit=unit, y_unit=y_unit, laser_nm=laser, name=name,
                sample=str(metadata.get("Sample", "")),
                metadata={**metadata, **({"Position": tuple(place)} if place else {})},
            )  # fmt: skip

        return spectra_of(source, [(rows, make)])


def _child(element: Any, tag: str) -> str:
    return next(((e.text or "").strip() for e in element if e.get("ID") == tag), "")


def _numbers(source: Source, text: str | None) -> np.ndarray:
    try:
        return np.array([float(v) for v in (text or "").split()])
    except ValueError as error:
        raise source.refuse(f"has a value that is no number ({error}).", "Export it again.") from (
            error
        )


def _parameters(root: Any) -> tuple[dict[str, str], float | None]:
    found: dict[str, str] = {}
    laser = None
    for element in root.iter("LSX"):
        name = _child(element, _NAME)
        if not name or len(found) >= 500:
            continue
        found[name] = _child(element, _VALUE)[:500]
        if name.startswith("Laser (nm)"):
            laser = number(_child(element, _EXACT)) or number(found[name])
    return found, laser if laser and 150 < laser < 3000 else None
