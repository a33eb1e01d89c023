"""JCAMP-DX 4.24, 5.0x and 6.0: every ordinate form, NTUPLES, peak tables and LINK blocks.

The ordinates of ``(X++(Y..Y))`` may be plain numbers (AFFN), packed (PAC: the sign separates),
squeezed (SQZ: the first digit is a letter that carries the sign), differences (DIF) and repeats
(DUP), mixed within a line. After a line that ends in a difference the next line repeats the last
ordinate as a check. The abscissa of the whole table is linear from FIRSTX to LASTX.

Seen in real files: ``$$`` comments within the data; ``E`` right behind x is the squeezed digit +5,
not an exponent; labels indented by a blank; decimal commas together with commas as separators;
``TRANSMITTANCE`` in percent; powder patterns that claim ``1/CM``; NPOINTS that counts something
else; factors that XYPOINTS have already had applied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.axis import DIFFRACTION, XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check, ReadError
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.recognise import laser_nm, recognise, x_axis

MAX_POINTS = 8_000_000
"""More ordinates in one table are refused; a repeat count could otherwise ask for any number."""

_LABEL = re.compile(r"^[ \t]*##(.*?)=[ \t]?(.*)$")
_ASDF = re.compile(r"(\?)|([@A-IJ-RS-Za-ij-rs%+-])?(\d+(?:\.\d*)?|\.\d+)?")
_AFFN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|\?")
_SQUEEZED = {c: str(i) for i, c in enumerate("@ABCDEFGHI")} | {
    c: f"-{i}" for i, c in enumerate("abcdefghi", 1)
}
_DIFFERENCE = {c: str(i) for i, c in enumerate("%JKLMNOPQR")} | {
    c: f"-{i}" for i, c in enumerate("jklmnopqr", 1)
}
_REPEAT = {c: str(i) for i, c in enumerate("STUVWXYZs", 1)}
_TABLES = frozenset({"XYDATA", "XYPOINTS", "PEAKTABLE", "DATATABLE", "RADATA", "XYXY"})
_TYPES = (
    (re.compile("interferogram", re.IGNORECASE), "unknown"),
    (re.compile("raman", re.IGNORECASE), "raman"),
    (re.compile(r"x-?\s*ray|xrd|diffract|powder", re.IGNORECASE), "xrd"),
    (re.compile(r"infra-?red|\bf?t?-?ir\b", re.IGNORECASE), "ir"),
    (re.compile(r"uv|visible|ultra", re.IGNORECASE), "uvvis"),
    (re.compile("fluoresc|luminesc|emission", re.IGNORECASE), "emission"),
    (re.compile(r"nmr|mass|ion mobility|ims|tga|chromato", re.IGNORECASE), "unknown"),
)


@dataclass
class Block:
    """One ``##TITLE= ... ##END=``; ``tables`` holds (label, form, lines, page variables)."""

    keys: dict[str, str] = field(default_factory=dict)
    tables: list[tuple[str, str, list[str], dict[str, str]]] = field(default_factory=list)
    closed: bool = False

    def get(self, *labels: str) -> str:
        """Value of the first label that is there."""
        return next((self.keys[k] for k in labels if self.keys.get(k)), "")

    def number(self, label: str) -> float | None:
        """Value of a label as a number."""
        return _number(self.keys.get(label, ""))


class JcampReader(Reader):
    """JCAMP-DX files."""

    name = "jcamp"
    label = "JCAMP-DX"
    vendors = "all vendors; NIST, Bruker, Thermo, Ocean Optics, Jeol exports"
    extensions = (".jdx", ".dx", ".jcm", ".jcamp")
    tested_on = "50 real files of all ordinate forms"

    def sniff(self, source: Source) -> bool:
        """Whether the head holds ``##TITLE=`` and another label of the standard."""
        head = re.sub(rb"##[ \t]+", b"##", source.head[:8192].upper())
        return b"##TITLE" in head and (
            b"##JCAMP" in head or b"##DATA" in head or b"##XUNITS" in head or b"##FIRSTX" in head
        )

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        blocks = list(parse_blocks(source.text))
        spectra: list[Spectrum] = []
        problems: list[ReadError] = []
        with_tables = [b for b in blocks if b.tables]
        for i, block in enumerate(with_tables):
            check(i / len(with_tables), f"Reading {source.name}")
            try:
                spectra += self._spectra(source, block, layout or TextLayout())
            except ReadError as problem:
                problems.append(problem)
        if not spectra:
            if problems:
                raise problems[0]
            named = dict.fromkeys(b.get("DATATYPE") for b in blocks if b.get("DATATYPE"))
            kinds = ", ".join(named) or "none"
            raise source.refuse(
                f"is JCAMP-DX without a table of data (data types: {kinds}).",
                "Expected XYDATA, XYPOINTS, PEAK TABLE or NTUPLES; export the spectrum itself.",
            )
        for error in problems:
            source.warn(f"One block left out: {error.message}")
        if not with_tables[-1].closed:
            source.warn("The closing ##END= is missing; the file may be cut off.")
        return spectra

    def _spectra(self, source: Source, block: Block, layout: TextLayout) -> list[Spectrum]:
        spectra = []
        for number, (label, form, lines, page) in enumerate(block.tables):
            curves = _curves(source, block, label, form, lines=lines, page=page)
            for x, y, symbol_x, symbol_y in curves:
                spectra.append(
                    self._spectrum(
                        source, block, layout, x=x, y=y, symbols=(symbol_x, symbol_y), page=page,
                        number=number if len(block.tables) > 1 else None,
                    )
                )  # fmt: skip
        return spectra

    def _spectrum(
        self,
        source: Source,
        block: Block,
        layout: TextLayout,
        *,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        symbols: tuple[str, str],
        page: dict[str, str],
        number: int | None,
    ) -> Spectrum:
        x_text = _of_variable(block, symbols[0], "UNITS") or block.get("XUNITS", "RUNITS", "XLABEL")
        y_text = _of_variable(block, symbols[1], "UNITS") or block.get("YUNITS", "AUNITS", "YLABEL")
        kind = block.get("DATATYPE")
        said = layout.modality or next((m for p, m in _TYPES if p.search(kind)), None)
        axis = x_axis(x_text)
        title = block.get("TITLE")
        good = x[np.isfinite(x)]
        wavelength = None
        if said == "xrd" or (axis and axis[0] is XKind.TWO_THETA):
            modality, x_kind, x_unit = "xrd", XKind.TWO_THETA, "deg"
            if axis and axis[0] in DIFFRACTION:
                x_kind, x_unit = axis
            elif axis:
                source.warn(
                    f"The header calls the x axis {x_text!r}, the data type {kind!r}; "
                    "x is taken as 2theta in degrees."
                )
            wavelength = _xray(block)
            y_unit = YUnit.COUNTS.value
        elif said == "unknown" or (axis is None and x_text):
            modality, x_kind = "unknown", XKind.OTHER
            x_unit = re.sub("hz$", "Hz", x_text.strip().lower()[:40])
            y_unit = y_text.strip().lower()[:40] or YUnit.INTENSITY.value
        else:
            known = recognise(
                good if good.size else np.zeros(2), x_label=x_text, y_label=y_text, header=kind,
                path=source.path, modality=said,
            )  # fmt: skip
            modality, x_kind, x_unit, y_unit = (
                known.modality, known.x_kind, known.x_unit, known.y_unit,
            )  # fmt: skip
            if known.assumption:
                source.assume(known.assumption)
            y_unit = _percent(source, y, y_unit)
        text = "\n".join(f"{k}={v}" for k, v in block.keys.items())
        name = title or source.path.stem
        if page:
            name += " " + " ".join(f"{k}={v}" for k, v in page.items() if k)
        elif number is not None:
            name += f" {number + 1}"
        formula = block.get("MOLFORM")
        return source.spectrum(
            x, y,
            modality=modality, x_kind=x_kind, x_unit=x_unit, y_unit=y_unit, name=name,
            sample=block.get("SAMPLENAME", "NAMES").split("\n")[0],
            formula=formula.replace(" ", "") or None,
            laser_nm=(laser_nm(text) or laser_nm(source.name)) if modality == "raman" else None,
            wavelength=wavelength,
            metadata={**block.keys, **{f"PAGE {k}": v for k, v in page.items()}},
        )  # fmt: skip


def parse_blocks(text: str) -> Iterator[Block]:
    """The blocks of a file in order; the outer block of a LINK comes too, without tables."""
    stack: list[Block] = []
    current: tuple[str, str] | None = None
    lines: list[str] = []
    page: dict[str, str] = {}
    pending: dict[str, str] = {}

    def close() -> None:
        if current is None or not stack:
            return
        key, value = current
        if key in _TABLES:
            stack[-1].tables.append((key, value, lines, {**page, **pending}))
            pending.clear()
        elif key == "PAGE":
            page.clear()
            pending.clear()
            name, _, number = value.partition("=")
            page[name.strip()] = number.strip()
        elif key == "FIRST" and page:
            pending["FIRST"] = value
        elif key == "NPOINTS" and page:
            pending["NPOINTS"] = value
        else:
            full = "\n".join([value, *lines]).strip()
            stack[-1].keys.setdefault(key, full[:100_000])

    for raw in text.split("\n"):
        line = raw.split("$$", 1)[0]
        match = _LABEL.match(line)
        if match is None and re.match(r"\s*##\s*END", line, re.IGNORECASE):
            match = re.match(r"\s*##(\s*END)(.*)", line, re.IGNORECASE)
        if match is None:
            if current is not None and line.strip():
                lines.append(line)
            continue
        close()
        key = re.sub(r"[\s_/-]", "", match[1]).upper()
        current, lines = (key, match[2].strip()), []
        if key == "TITLE":
            if stack and not stack[-1].closed and stack[-1].tables:
                yield stack.pop()
            stack.append(Block())
            page, pending = {}, {}
        elif key == "END":
            current = None
            page, pending = {}, {}
            if stack:
                done = stack.pop()
                done.closed = True
                yield done
    close()
    yield from stack


def _curves(
    source: Source, block: Block, label: str, form: str, *, lines: list[str], page: dict[str, str]
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64], str, str]]:
    """x, y and their symbols for each curve of one table."""
    symbols = [s.strip() for s in block.get("SYMBOL").split(",") if s.strip()]
    bare = re.sub(r"\s", "", form.upper())
    first = page.pop("FIRST", "")
    points = page.pop("NPOINTS", "")
    if match := re.search(r"\((\w+)\+\+\((\w+?)\.\.", bare):
        x_name, y_name = match[1], match[2]
        in_tuples = x_name in symbols or label == "DATATABLE"
        y, x_seen = parse_asdf(source, lines)
        if in_tuples:
            told = _told_by_tuples(block, x_name, y_name, first, points)
        else:
            across, up = ("R", "A") if label == "RADATA" else ("X", "Y")
            told = (block.number(f"FIRST{across}"), block.number(f"LAST{across}"),
                    block.number("NPOINTS"), block.number(f"DELTA{across}"),
                    block.number(f"{across}FACTOR") or 1.0,
                    block.number(f"{up}FACTOR") or 1.0)  # fmt: skip
        yield *_scale(source, y, x_seen, told), x_name, y_name
        return
    if match := re.match(r"\((\w+?)\.\.", bare):
        names = _split_symbols(match[1], symbols)
        table = _pairs(source, block, lines, len(names))
        factors = [_of_variable(block, n, "FACTOR") for n in names]
        numbers = [_number(f) or 1.0 for f in factors]
        if label != "DATATABLE":
            numbers = _own_factors(block, table)
        for column in range(1, len(names)):
            yield (table[:, 0] * numbers[0], table[:, column] * numbers[column], names[0],
                   names[column])  # fmt: skip
        return
    raise source.refuse(
        f"holds a table of the form {form[:40]!r}, which is no spectrum.",
        "Expected (X++(Y..Y)) or (XY..XY).",
    )


def _own_factors(block: Block, table: NDArray[np.float64]) -> list[float]:
    """XFACTOR and YFACTOR, unless FIRSTX and FIRSTY show that they are applied already."""
    factors = []
    for column, axis in enumerate("XY"):
        factor = block.number(f"{axis}FACTOR") or 1.0
        told = block.number(f"FIRST{axis}") or block.number(f"MAX{axis}")
        seen = table[0, column] if block.number(f"FIRST{axis}") else table[:, column].max()
        if factor != 1 and told and abs(seen - told) <= abs(seen * factor - told):
            factor = 1.0
        factors.append(factor)
    return factors


def _split_symbols(text: str, symbols: list[str]) -> list[str]:
    names = []
    while text:
        longest = sorted(symbols, key=len, reverse=True)
        name = next((s for s in longest if text.startswith(s)), text[0])
        names.append(name)
        text = text[len(name) :]
    return names if len(names) > 1 else ["X", "Y"]


def _pairs(source: Source, block: Block, lines: list[str], width: int) -> NDArray[np.float64]:
    text = "\n".join(lines)
    marks = " ".join(block.get(k) for k in ("FIRSTX", "LASTX", "FIRSTY", "MAXY"))
    if re.search(r"\d,\d", marks) and "." not in text[:2000]:
        text = re.sub(r"(\d),(\d)", r"\1.\2", text)
    text = re.sub(r"[,;()]", " ", text).replace("?", "nan").strip()
    try:
        values = np.fromstring(text, dtype=np.float64, sep=" ") if text else np.empty(0)
    except (ValueError, DeprecationWarning):
        found = _AFFN.findall(text)
        values = np.array([np.nan if t == "?" else float(t) for t in found])
        source.warn("The table holds text between its numbers; it was skipped.")
    if values.size % width:
        source.warn("The last row of the table is incomplete and was left out.")
    table = values[: values.size // width * width].reshape(-1, width)
    if len(table) < 2:
        raise source.refuse(f"has a table of {len(table)} points.", "Expected two or more.")
    return table


def parse_asdf(source: Source, lines: list[str]) -> tuple[NDArray[np.float64], list[float]]:
    """Ordinates of ``(X++(Y..Y))`` lines, unscaled, and the x that each line begins with.

    Raises
    ------
    ReadError
        A character that belongs to no form, or more than ``MAX_POINTS`` ordinates.
    """
    body = "\n".join(lines)
    if not re.search(r"[@A-DF-Za-df-s%]", body):
        return _parse_affn(source, lines)
    values: list[float] = []
    x_seen: list[float] = []
    in_difference = False
    for line in lines:
        x_text = re.match(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)?)", line)
        assert x_text is not None
        x_seen.append(float(x_text[1]) if x_text[1].strip("+-") else np.nan)
        at, size = x_text.end(), len(line)
        checked = not in_difference
        last: float | None = None
        while at < size:
            char = line[at]
            if char in " ,\t;":
                at += 1
                continue
            if char == "?":
                values.append(np.nan)
                at += 1
                continue
            match = _ASDF.match(line, at)
            lead, digits = (match[2], match[3] or "") if match else (None, "")
            if match is None or match.end() == at or (lead in (None, "+", "-") and not digits):
                raise source.refuse(
                    f"has {char!r} within its data, which no JCAMP-DX form uses.",
                    "The file is damaged; export it again.",
                )
            at = match.end()
            if lead in _REPEAT:
                count = int(float(_REPEAT[lead] + digits))
                if len(values) + count > MAX_POINTS:
                    raise source.refuse("repeats a value millions of times.", "It is damaged.")
                if not values:
                    continue
                for _ in range(count - 1):
                    values.append(values[-1] + last if last is not None else values[-1])
                continue
            if lead in _DIFFERENCE:
                last = float(_DIFFERENCE[lead] + digits)
                if not values:
                    raise source.refuse(
                        "begins with a difference instead of a value.", "It is damaged."
                    )
                values.append(values[-1] + last)
                in_difference = True
                continue
            number = float(_SQUEEZED.get(lead or "", lead or "") + digits)
            last = None
            in_difference = False
            if not checked:
                checked = True
                if values and abs(values[-1] - number) > 1e-6 * max(abs(number), 1):
                    source.warn("A check value within the data does not agree; points may be lost.")
                if values:
                    continue
            values.append(number)
        if len(values) > MAX_POINTS:
            raise source.refuse(f"has more than {MAX_POINTS} points in one table.", "Split it.")
    return np.array(values), x_seen


def _parse_affn(source: Source, lines: list[str]) -> tuple[NDArray[np.float64], list[float]]:
    x_seen, parts = [], []
    for line in lines:
        if re.search(r"\d[+-]\d", line) and not re.search(r"\d[eE][+-]\d", line):
            found = re.findall(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)|\?", line)
        else:
            found = _AFFN.findall(line)
        numbers = [np.nan if t == "?" else float(t) for t in found]
        if numbers:
            x_seen.append(numbers[0])
            parts.append(numbers[1:])
    return np.array([y for part in parts for y in part]), x_seen


_Told = tuple[float | None, float | None, float | None, float | None, float, float]
"""First x, last x, points, step, factor of x and factor of y, as the header tells."""


def _told_by_tuples(block: Block, x_name: str, y_name: str, first: str, points: str) -> _Told:
    start = _number(_of_variable(block, x_name, "FIRST"))
    symbols = [s.strip() for s in block.get("SYMBOL").split(",")]
    cells = first.split(",")
    if first and x_name in symbols and symbols.index(x_name) < len(cells):
        start = _number(cells[symbols.index(x_name)]) or start
    return (
        start,
        _number(_of_variable(block, x_name, "LAST")),
        _number(points) or _number(_of_variable(block, x_name, "VARDIM")),
        None,
        _number(_of_variable(block, x_name, "FACTOR")) or 1.0,
        _number(_of_variable(block, y_name, "FACTOR")) or 1.0,
    )


def _scale(
    source: Source, y: NDArray[np.float64], x_seen: list[float], told: _Told
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Abscissa from FIRSTX and LASTX, ordinate times its factor."""
    start, end, promised, delta, x_factor, factor = told
    if y.size < 2:
        raise source.refuse(f"has a table of {y.size} points.", "Expected two or more.")
    n = int(promised) if promised and 1 < promised < 1e9 else None
    if n is not None and n != y.size:
        source.warn(f"The header promises {n} points, the table holds {y.size}.")
    if start is None:
        start = x_seen[0] * x_factor
    if end is not None and (n == y.size or (n is None and delta is None)):
        x = np.linspace(start, end, y.size)
    else:
        last_x = x_seen[-1] * x_factor
        if end is not None and n is not None:
            delta = (end - start) / (n - 1)
        elif delta is None:
            raise source.refuse("tells neither LASTX nor DELTAX.", "The x axis is not known.")
        if (last_x - start) * delta < 0:
            delta = -delta
        x = start + delta * np.arange(y.size, dtype=np.float64)
    return np.asarray(x, dtype=np.float64), y * factor


def _of_variable(block: Block, symbol: str, key: str) -> str:
    """The entry of an NTUPLES row (FIRST, UNITS, ...) for a symbol."""
    symbols = [s.strip() for s in block.get("SYMBOL").split(",")]
    cells = [c.strip() for c in block.get(key).split(",")] if block.get("SYMBOL") else []
    return cells[symbols.index(symbol)] if symbol in symbols and symbols.index(symbol) < len(
        cells) else ""  # fmt: skip


def _number(text: str) -> float | None:
    match = re.match(r"\s*([+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?)", text)
    return float(match[1].replace(",", ".")) if match else None


def _xray(block: Block) -> float | None:
    for key, value in block.keys.items():
        if "WAVELENGTH" in key or "LAMBDA" in key:
            number = _number(value)
            if number and 0.1 < number < 5:
                return number
    return None


def _percent(source: Source, y: NDArray[np.float64], unit: str) -> str:
    good = y[np.isfinite(y)]
    top = float(good.max()) if good.size else 0.0
    if unit == YUnit.TRANSMITTANCE and top > 5:
        source.assume(f"Transmittance in percent, since it goes up to {top:.4g}.")
        return YUnit.TRANSMITTANCE_PERCENT.value
    if unit == YUnit.REFLECTANCE and top > 5:
        source.assume(f"Reflectance in percent, since it goes up to {top:.4g}.")
        return YUnit.REFLECTANCE_PERCENT.value
    if unit == YUnit.ABSORBANCE and good.size and top <= 1.1 and float(np.median(good)) > 0.75:
        source.warn("The header says absorbance, but the curve looks like transmittance; check it.")
    return unit
