"""Columns of numbers in text: any delimiter, decimal sign, header and encoding.

The layout is found on the first 64 KiB: for each delimiter and decimal sign the rows that split
into the same columns of numbers are counted, and the best count wins. What stands before them is
the header: ``key: value`` pairs, column titles, a row of units. The rest is parsed in blocks of
8 MiB, so that memory stays bounded by ``MAX_NUMBERS`` whatever the size of the file.

Seen in real files: bare CR line ends, doubled line ends (``\\r\\r\\n``), trailing delimiters, a
title row that repeats the delimiter but has fewer columns, an index or a clock before x, several
axes (pixel, wavelength, shift) side by side, a spectrum per row with the axis in the first row,
sentences between rows, Fortran exponents (``1.0D+02``).
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.axis import XKind, YUnit, units_of
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check, ReadError
from spectrogen_app.io.base import HEAD, Reader, Source, TextLayout, decode, text_encoding
from spectrogen_app.io.recognise import laser_nm, recognise, x_axis, xray_wavelength, y_axis

BLOCK = 1 << 23
"""Bytes of text parsed at once."""
MAX_NUMBERS = 32_000_000
"""More numbers than this in one table are refused."""
_SAMPLE = 200
"""Lines at the end of the head on which the look of a long table is found."""
_FEW_ROWS = 30
"""A table of up to so many rows may be a spectrum whose points stand in any order."""
MAX_COLUMNS = 20_000
"""More columns than this in one table are refused."""

_POINT = re.compile(
    r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eEdD][+-]?\d+)?|[+-]?(?:nan|inf|infinity|1\.#\w+)",
    re.IGNORECASE,
)
_COMMA = re.compile(
    r"[+-]?(?:\d+(?:,\d+)?|,\d+)(?:[eEdD][+-]?\d+)?|[+-]?(?:nan|inf)", re.IGNORECASE
)
_MISSING = frozenset({"", "-", "--", "---", "n/a", "na", "#n/a", "null", "none", "nan"})
_CANDIDATES = ((t, d) for t in ("\t", ";", "|", ",", " ") for d in (".", ","))
CANDIDATES = tuple((t, d) for t, d in _CANDIDATES if (t, d) != (",", ","))
_KEY_VALUE = re.compile(r"^[#%!;*/\s]*([^:=\t;]{1,60}?)\s*[:=\t;]\s*(.+)$")
_VALUE = re.compile(r"(?<=[:=])\s*[^;\t]*$")
_COMMENT = ("#", "%", "!", "//", "*", "'")


@dataclass(frozen=True)
class Table:
    """Where the numbers are in a text.

    Attributes
    ----------
    delimiter, decimal : str
        A delimiter of one space stands for any run of white space.
    start : int
        Line of the first row of numbers.
    columns : int
    numeric : tuple of int
        Columns that hold numbers.
    rows : int
        Rows of that look within the sample.
    rivals : bool
        Another delimiter fits as well.
    """

    delimiter: str
    decimal: str
    start: int
    columns: int
    numeric: tuple[int, ...]
    rows: int
    rivals: bool = False


@dataclass
class Header:
    """What stands before the numbers.

    Attributes
    ----------
    text : str
    pairs : dict of str to str
    titles, units : list of str
        One per column, empty where there is none.
    """

    text: str = ""
    pairs: dict[str, str] = field(default_factory=dict)
    titles: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)

    def label(self, column: int) -> str:
        """Title and unit of a column."""
        parts = [row[column] for row in (self.titles, self.units) if column < len(row)]
        return " ".join(p for p in parts if p)


def split(line: str, delimiter: str) -> list[str]:
    """The cells of a line, without quotes and blanks around them."""
    if delimiter == " ":
        cells = [c.strip('"') for c in line.split()]
    elif '"' in line and len(delimiter) == 1:
        try:
            cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [""])
        except csv.Error:
            cells = line.split(delimiter)
        cells = [c.strip() for c in cells]
    else:
        cells = [c.strip() for c in line.split(delimiter)]
    while len(cells) > 1 and not cells[-1]:
        cells.pop()
    return cells


def find_table(lines: Sequence[str], layout: TextLayout | None = None) -> Table | None:
    """The largest table of numbers in the first lines of a text, or None.

    Parameters
    ----------
    lines : sequence of str
    layout : TextLayout, optional
        What the user has fixed.
    """
    layout = layout or TextLayout()
    if len(lines) > 3 * _SAMPLE and layout.skip_rows is None:
        found = find_table(lines[-_SAMPLE - 1 : -1], layout)
        if found is not None:
            for part in (lines[: 3 * _SAMPLE], lines):
                whole = _look(part, found.delimiter, found.decimal, None)
                if whole and whole.columns == found.columns and whole.rows > _SAMPLE:
                    return replace(whole, rivals=found.rivals)
    best: list[Table] = []
    quoted = any('"' in line for line in lines)
    for delimiter, decimal in (*CANDIDATES, *(((",", ","),) if quoted else ())):
        if layout.delimiter not in (None, delimiter) or layout.decimal not in (None, decimal):
            continue
        if delimiter != " " and not any(delimiter in line for line in lines):
            continue
        found = _look(lines, delimiter, decimal, layout.skip_rows)
        if found is not None:
            best.append(found)
    if layout.delimiter is not None and layout.delimiter not in {d for d, _ in CANDIDATES}:
        found = _look(lines, layout.delimiter, layout.decimal or ".", layout.skip_rows)
        if found is not None:
            best.append(found)
    if not best:
        return None
    best.sort(
        key=lambda t: (
            t.rows * (1 if len(t.numeric) > 1 else 0.05),
            len(t.numeric) / t.columns,
            len(t.numeric),
        ),
        reverse=True,
    )
    top = best[0]
    rival = any(
        t.rows == top.rows and len(t.numeric) > 1 and t.decimal != top.decimal
        and t.delimiter != top.delimiter and len(t.numeric) != len(top.numeric)
        for t in best[1:]
    )  # fmt: skip
    return replace(top, rivals=rival)


def _look(lines: Sequence[str], delimiter: str, decimal: str, skip: int | None) -> Table | None:
    number = _POINT if decimal == "." else _COMMA
    counts: dict[tuple[int, tuple[int, ...]], list[int]] = {}
    for at, line in enumerate(lines):
        if skip is not None and at < skip:
            continue
        cells = split(line, delimiter)
        numeric = tuple(i for i, c in enumerate(cells) if number.fullmatch(c))
        if len(numeric) >= 2 or (numeric and len(cells) == 1):
            counts.setdefault((len(cells), numeric), []).append(at)
    if not counts:
        return None
    (columns, numeric), rows = max(counts.items(), key=lambda item: (len(item[1]), item[0][0]))
    near = [
        at for (n, which), ats in counts.items()
        if (len(which) > 1 and set(which) <= set(numeric) and n <= columns) or which == numeric
        for at in ats
    ]  # fmt: skip
    start = rows[0]
    while start - 1 in near:
        start -= 1
    return Table(delimiter, decimal, start, columns, numeric, len(rows))


def read_header(lines: Sequence[str], table: Table) -> Header:
    """Key-value pairs, column titles and units from the lines above the table."""
    header = Header(text="\n".join(lines))
    titles_at = None
    misses = 0
    filled = [i for i, line in enumerate(lines) if line.strip()]
    for i in reversed(filled[-4:]):
        bare = lines[i].lstrip().lstrip("#%!;*").strip() if lines[i].lstrip() else ""
        cells = _title_cells(bare, table)
        fits = len(cells) == table.columns or (
            table.delimiter != " " and len(cells) >= 2 and abs(len(cells) - table.columns) == 1
        )
        if fits and not all(_POINT.fullmatch(c) for c in cells):
            if titles_at is None:
                header.titles, titles_at = cells, i
            elif len(cells) == len(header.titles) and _looks_like_units(header.titles):
                header.units, header.titles, titles_at = header.titles, cells, i
                break
            else:
                break
        elif titles_at is not None or (misses := misses + 1) > 1:
            break
    for i, line in enumerate(lines):
        match = _KEY_VALUE.match(line)
        if match is None and table.delimiter == ",":
            key, _, value = line.partition(",")
            pair = (key.strip(), value.strip(' ,"'))
        elif match is not None:
            pair = (match[1].strip(), match[2].strip().strip(table.delimiter).strip())
        else:
            continue
        if i != titles_at and pair[0] and pair[1] and len(header.pairs) < 2000:
            header.pairs[pair[0]] = pair[1][:2000]
    if header.titles and len(header.titles) == table.columns - 1:
        header.titles.insert(0, "")
    return header


def _title_cells(line: str, table: Table) -> list[str]:
    cells = split(line, table.delimiter)
    if table.delimiter == " " and len(cells) != table.columns:
        apart = re.split(r"\s{2,}|,|;", line.strip())
        for wider in (split(line, "\t"), [c.strip() for c in apart]):
            if len(wider) == table.columns:
                return wider
    return cells


def _looks_like_units(cells: Sequence[str]) -> bool:
    return sum(
        bool(re.fullmatch(r"[\[(]?[\w%µμ°ÅΑ./^()⁻¹²\- ]{0,12}[\])]?", c)) for c in cells
    ) == len(cells) and any(x_axis(c) or y_axis(c) or c.lower() in _UNIT_WORDS for c in cells)


_UNIT_WORDS = frozenset({"s", "v", "a", "deg", "°", "degrees", "k", "a.u.", "au", "arb. units"})


def text_blocks(source: Source, encoding: str | None) -> Iterator[tuple[str, float]]:
    """The text in pieces that end at line ends, each with the fraction read so far."""
    encoding = encoding or text_encoding(source.head)
    if source.size <= BLOCK:
        yield decode(source.data, encoding), 1.0
        return
    wide = {"utf-16": 2, "utf-16-le": 2, "utf-16-be": 2, "utf-32": 4}.get(encoding)
    rest = ""
    done = 0
    with source.stream() as stream:
        mark = stream.read(wide or 0) if encoding in ("utf-16", "utf-32") else b""
        if mark:
            big = mark in (b"\xfe\xff", b"\x00\x00\xfe\xff")
            encoding = f"{encoding}-{'be' if big else 'le'}"
        while block := stream.read(BLOCK):
            done += len(block)
            if wide is None and block[-1] != 0x0A:
                block += stream.readline(BLOCK)
            piece = rest + decode(block, encoding)
            cut = piece.rfind("\n") + 1
            if cut == 0 and len(piece) > 4 * BLOCK:
                raise source.refuse(
                    "holds one line of more than 32 MB.", "It is not a table of numbers."
                )
            yield piece[:cut], min(done / source.size, 1.0)
            rest = piece[cut:]
    if rest and not source.grown:
        yield rest, 1.0


def parse_block(text: str, table: Table) -> tuple[NDArray[np.float64], int]:
    """Numbers of a block of lines, and how many lines were not rows of the table.

    Returns
    -------
    values : ndarray, shape (rows, columns of ``table.numeric``)
        NaN where a cell is empty.
    skipped : int
    """
    parts: list[NDArray[np.float64]] = []
    skipped = 0
    waiting = [text]
    while waiting:
        piece = waiting.pop()
        values = _parse_fast(piece, table)
        if values is None:
            middle = piece.find("\n", len(piece) // 2)
            if len(piece) > _FEW and middle > 0 and table.numeric == tuple(range(table.columns)):
                waiting += piece[middle + 1 :], piece[:middle]
                continue
            values, bad = _parse_lines(piece, table)
            skipped += bad
        parts.append(values)
    return np.concatenate(parts), skipped


_FEW = 2000
"""A block of up to so many characters that holds anything but numbers is read line by line."""


def _parse_lines(text: str, table: Table) -> tuple[NDArray[np.float64], int]:
    width = len(table.numeric)
    number = _POINT if table.decimal == "." else _COMMA
    rows: list[list[float]] = []
    skipped = 0
    for line in text.split("\n"):
        if not line.strip():
            continue
        cells = split(line, table.delimiter)
        row = []
        good = 0
        for column in table.numeric:
            cell = cells[column] if column < len(cells) else ""
            if number.fullmatch(cell):
                row.append(_to_float(cell, table.decimal))
                good += 1
            elif cell.lower() in _MISSING:
                row.append(np.nan)
            else:
                break
        if len(row) == width and good:
            rows.append(row)
        else:
            skipped += 1
    return np.array(rows, dtype=np.float64).reshape(-1, width), skipped


def _to_float(cell: str, decimal: str) -> float:
    if decimal == ",":
        cell = cell.replace(",", ".")
    try:
        return float(cell)
    except ValueError:
        return float(cell.lower().replace("d", "e")) if "#" not in cell else np.nan


def _parse_fast(text: str, table: Table) -> NDArray[np.float64] | None:
    """All numbers at once when the block holds nothing else; None otherwise."""
    if table.numeric != tuple(range(table.columns)) or table.delimiter == table.decimal:
        return None
    text = text.strip("\n")
    lines = text.count("\n") + 1
    if not text:
        return np.empty((0, table.columns))
    if (mark := table.delimiter) != " ":
        if mark * 2 in text or f"{mark} " in text:
            text = re.sub(rf"(?<={re.escape(mark)}) *(?={re.escape(mark)})", "nan", text)
        text = text.replace(mark, " ")
    if table.decimal == ",":
        text = text.replace(",", ".")
    elif "," in text:
        return None
    try:
        values = np.fromstring(text, dtype=np.float64, sep=" ")
    except (ValueError, DeprecationWarning):
        return None
    if values.size != lines * table.columns:
        return None
    return values.reshape(lines, table.columns)


class TextReader(Reader):
    """Tables of numbers in text."""

    name = "text"
    label = "CSV and text columns"
    vendors = "spreadsheets, and the text export of most programs"
    extensions = (".csv", ".txt", ".tsv", ".dat", ".asc", ".prn", ".xy", ".dpt", ".ascii")
    tested_on = "real exports of about twenty programs"

    def sniff(self, source: Source) -> bool:
        """Whether the head is text: no control characters but white space."""
        return is_text(source.head)

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`; ``layout`` overrides what would be found by looking."""
        table, header, values = read_table(source, layout, check)
        return spectra_of_table(source, table, header, values, layout or TextLayout())


def is_text(head: bytes) -> bool:
    """Whether bytes look like text of any encoding."""
    if not head.strip():
        return False
    if text_encoding(head) != "utf-8-sig":
        return True
    control = sum(head.count(bytes([c])) for c in (*range(1, 9), *range(14, 27), *range(28, 32)))
    return control <= len(head) // 2000 and head.count(0) <= len(head) // 200


def look_of(source: Source) -> str:
    """A key that texts of the same look share, such as exports of one program.

    It is made of the extension, the delimiters, the number of columns, and the header without its
    values; where there is no header, the size and direction of the first column count as well.
    """
    lines = decode(source.head[: 1 << 14]).split("\n")[:300]
    table = find_table(lines)
    header = [line for line in (lines[: table.start] if table else lines[:8]) if line.strip()]
    parts = [source.suffix]
    if table is not None:
        parts += [table.delimiter, table.decimal, str(table.columns)]
        header[:-1] = [line.split(table.delimiter)[0] for line in header[:-1]]
    parts += [re.sub(r"[-+.,\d]+", "0", _VALUE.sub("", line)) for line in header]
    if table is not None and not header:
        values, _ = parse_block("\n".join(lines[table.start : table.start + 2]), table)
        if values.shape[0] == 2:
            parts += [f"{values[0, 0]:.0e}", str(np.sign(values[1, 0] - values[0, 0]))]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:20]


def read_table(
    source: Source, layout: TextLayout | None, check: Check
) -> tuple[Table, Header, NDArray[np.float64]]:
    """The table of numbers of a text file.

    Returns
    -------
    table : Table
    header : Header
    values : ndarray, shape (rows, columns of ``table.numeric``)

    Raises
    ------
    ReadError
        No table, or too large a one.
    """
    layout = layout or TextLayout()
    head = decode(source.head, layout.encoding)
    if source.size > HEAD:
        head = head[: head.rfind("\n") + 1] or head
    lines = head.split("\n")
    table = find_table(lines, layout)
    if table is None and source.size > HEAD:
        more = source.head if source.size > BLOCK else source.data
        lines = decode(more, layout.encoding).split("\n")
        table = find_table(lines[:20000], layout)
    if table is None:
        raise _no_table(source, head)
    if table.columns > MAX_COLUMNS:
        raise source.refuse(
            f"has {table.columns} columns; at most {MAX_COLUMNS} are read.",
            "Transpose the table, or split the file.",
        )
    if len(table.numeric) < 2:
        raise source.refuse(
            "holds one column of numbers; expected x and y.",
            "Export x together with y, or add the x column.",
        )
    header = read_header(lines[: table.start], table)
    parts: list[NDArray[np.float64]] = []
    total = skipped = 0
    to_skip = table.start
    for block, fraction in text_blocks(source, layout.encoding):
        check(fraction * 0.9, f"Reading {source.name}")
        piece = block
        while to_skip and piece:
            cut = piece.find("\n") + 1
            piece = piece[cut:] if cut else ""
            to_skip -= 1
        if not piece:
            continue
        values, bad = parse_block(piece, table)
        skipped += bad
        total += values.size
        if total > MAX_NUMBERS:
            raise source.refuse(
                f"holds more than {MAX_NUMBERS // 10**6} million numbers.",
                "Export fewer spectra or a coarser grid, or split the file.",
            )
        parts.append(values)
    values = np.concatenate(parts) if len(parts) != 1 else parts[0]
    if skipped:
        source.warn(f"{skipped} line{'s' * (skipped > 1)} within the table are not rows of numbers "
                    "and were left out.")  # fmt: skip
        if skipped > len(values):
            raise source.refuse(
                f"has {len(values)} row{'s' * (len(values) != 1)} of numbers among {skipped} other "
                "lines.",
                "Check that it is a table of x and y.",
            )
    source.unsure = table.rivals
    return table, header, values


def _no_table(source: Source, head: str) -> ReadError:
    if not head.strip():
        return source.refuse("is empty.", "Check that the export was finished.")
    digits = sum(c.isdigit() for c in head)
    if digits > 0.5 * len(head):
        return source.refuse(
            "has digits but no columns of numbers.", "Expected rows of x and y; export it again."
        )
    first = next(line.strip() for line in head.split("\n") if line.strip())
    return source.refuse(
        f"is text without rows of numbers (it begins {first[:40]!r}).",
        "Expected a header, then rows of x and y.",
    )


def spectra_of_table(
    source: Source,
    table: Table,
    header: Header,
    values: NDArray[np.float64],
    layout: TextLayout,
) -> list[Spectrum]:
    """One spectrum per y column of a table, with axis, modality and metadata recognised."""
    if len(values) < 2:
        rows = f"{len(values)} row" + "s" * (len(values) != 1)
        raise source.refuse(f"has {rows} of numbers; a spectrum needs at least two.",
                            "Check that the export was finished.")  # fmt: skip
    many = values.shape[1] >= 16
    wide = many and values.shape[1] > 4 * len(values)
    wide |= many and _monotone(values[0]) and not _monotone(values[:, 0])
    if wide and layout.x_column is None:
        source.assume("Each row is one spectrum; the first row is the axis.")
        values = values.T
        table = Table(table.delimiter, table.decimal, table.start, values.shape[1],
                      tuple(range(values.shape[1])), table.rows)  # fmt: skip
        header = Header(header.text, header.pairs)
    x_at, y_at, sigma_at, bounds = chosen_columns(source, table, header, values, layout)
    x = values[:, x_at]
    x_label = layout.x_unit or header.label(table.numeric[x_at])
    x_label = x_label or _said_elsewhere(header)
    good_x = x[np.isfinite(x)]
    if good_x.size < 2:
        raise source.refuse("has no numbers in its x column.", "Choose another column.")
    rising = np.count_nonzero(np.diff(good_x) > 0) / good_x.size
    if layout.x_column is None and not x_axis(x_label) and good_x.size > _FEW_ROWS and (
        0.25 < rising < 0.75
    ):  # fmt: skip
        raise source.refuse(
            "has a table whose first column of numbers goes up and down: it is no spectrum.",
            "Choose the x column in the preview, or name it by its unit, such as cm-1.",
        )
    spectra = []
    runs = _runs(x)
    if len(runs) > 1:
        source.assume(f"x starts over {len(runs) - 1} times: taken as {len(runs)} scans.")
    for column in y_at:
        y_label = layout.y_unit or header.label(table.numeric[column])
        known = recognise(
            good_x, x_label=x_label, y_label=y_label, header=header.text, path=source.path,
            modality=layout.modality,
        )  # fmt: skip
        if layout.x_unit in units_of(known.x_kind):
            known = replace(known, x_unit=layout.x_unit)
        if known.assumption:
            source.assume(known.assumption)
        if (
            known.modality in ("ir", "fir")
            and not y_axis(y_label)
            and _is_percent(values[:, column])
        ):
            known = replace(known, y_unit=YUnit.TRANSMITTANCE_PERCENT.value)
            source.assume("The ordinate is taken as transmittance in percent, from its size.")
        source.unsure |= not known.sure
        title = header.titles[table.numeric[column]] if (
            table.numeric[column] < len(header.titles)) else ""  # fmt: skip
        several = len(y_at) * len(runs) > 1
        name = source.path.stem
        if len(y_at) > 1:
            name = title or f"{name} column {column + 1}"
        for number, part in enumerate(runs):
            y, xs = values[part, column], x[part]
            keep = np.isfinite(y) | (not several)
            if several and np.count_nonzero(keep & np.isfinite(xs)) < 2:
                source.warn(f"Column {title or column + 1} has fewer than two numbers; left out.")
                continue
            band = {}
            if sigma_at is not None:
                sigma = np.abs(values[part, sigma_at])[keep]
                band = {"lower": y[keep] - sigma, "upper": y[keep] + sigma}
            elif bounds is not None:
                low, high = (values[part, i][keep] for i in bounds)
                band = {"lower": low, "upper": high}
            spectra.append(
                source.spectrum(
                    xs[keep], y[keep],
                    modality=known.modality, x_kind=known.x_kind, x_unit=known.x_unit,
                    y_unit=layout.y_unit or known.y_unit,
                    name=f"{name} scan {number + 1}" if len(runs) > 1 else name,
                    sample=_sample(header.pairs) or (source.path.stem if several else ""),
                    formula=_pick(header.pairs, "formula", "chemical formula"),
                    laser_nm=_laser(header, source) if known.modality == "raman" else None,
                    wavelength=(
                        xray_wavelength(header.pairs) if known.modality == "xrd" else None
                    ),
                    metadata=dict(header.pairs),
                    **band,
                )
            )  # fmt: skip
    if not spectra:
        raise source.refuse("has no column with two numbers or more.", "Check the export.")
    return spectra


def _monotone(numbers: NDArray[np.float64]) -> bool:
    steps = np.diff(numbers)
    return bool(np.all(steps > 0) or np.all(steps < 0))


def _is_percent(y: NDArray[np.float64]) -> bool:
    """Whether an ordinate without a name lies as infrared transmittance in percent does."""
    good = y[np.isfinite(y)]
    if not good.size:
        return False
    top = float(good.max())
    return 60 < top < 130 and float(good.min()) > -10 and float(np.median(good)) > 0.5 * top


def _said_elsewhere(header: Header) -> str:
    """An axis named in free lines of the header, such as ``2-Theta Angle (Degrees)``."""
    for key, value in header.pairs.items():
        if re.search(r"(?i)x[\s_-]*(unit|axis|label|title)|unit.*x", key) and x_axis(value):
            return value
    for line in header.text.split("\n")[-8:]:
        if len(line) < 80 and not re.search(r"[:=]\s*[-+\d.]", line) and x_axis(line):
            return line
    return ""


def chosen_columns(
    source: Source, table: Table, header: Header, values: NDArray[np.float64], layout: TextLayout
) -> tuple[int, list[int], int | None, tuple[int, int] | None]:
    """Places in ``table.numeric`` of x, of every y, of a standard deviation, and of bounds."""
    where = {column: i for i, column in enumerate(table.numeric)}
    asked = [c for c in (layout.x_column, *(layout.y_columns or ())) if c is not None]
    for column in asked:
        if column not in where:
            raise source.refuse(
                f"has no numbers in column {column + 1}.",
                f"Columns with numbers: {', '.join(str(c + 1) for c in table.numeric)}.",
            )
    labels = [header.label(c) for c in table.numeric]
    axes = [i for i, label in enumerate(labels) if label and x_axis(label) and not y_axis(label)]
    if layout.x_column is not None:
        x_at = where[layout.x_column]
    else:
        x_at = _best_axis(labels, axes, values)
        if x_at != 0:
            source.assume(f"x is column {table.numeric[x_at] + 1}"
                          + (f" ({labels[x_at]})." if labels[x_at] else "."))  # fmt: skip
    if layout.y_columns:
        return x_at, [where[c] for c in layout.y_columns], None, None
    sigma = next(
        (i for i, label in enumerate(labels)
         if i != x_at and re.search(r"(?i)^\W*(sigma|esd|err(or)?s?|std|uncertainty|dy)\b", label)),
        None,
    )  # fmt: skip
    if sigma is None and values.shape[1] == 3 and x_at == 0:
        deviations = not header.titles and _is_root(values[:, 1], values[:, 2])
        if deviations:
            source.assume("The third column is the standard deviation: the root of the counts.")
        if deviations or source.suffix in (".xye", ".fxye"):
            sigma = 2
    skip = {x_at, sigma, *axes}
    if x_at > 0:
        skip |= set(range(x_at)) - {i for i in range(x_at) if y_axis(labels[i])}
    ys = [i for i in range(values.shape[1]) if i not in skip and not np.all(np.isnan(values[:, i]))]
    ys = [i for i in ys if i == 0 or not np.array_equal(values[:, i], values[:, x_at])]
    if not ys:
        raise source.refuse("has an x column but no y column.", "Choose the columns by hand.")
    if len(ys) != 1 and sigma is not None:
        sigma = None
    bounds = [i for i in ys if re.search(r"(?i)\b(lower|upper)\s*$", labels[i])]
    if len(ys) == 3 and len(bounds) == 2 and "lower" in labels[bounds[0]].lower():
        return x_at, [i for i in ys if i not in bounds], None, (bounds[0], bounds[1])
    if len(ys) > 1 and not header.titles:
        source.unsure = True
    return x_at, ys, sigma, None


def _best_axis(labels: Sequence[str], axes: Sequence[int], values: NDArray[np.float64]) -> int:
    order = (XKind.RAMAN_SHIFT, XKind.TWO_THETA, XKind.WAVENUMBER, XKind.WAVELENGTH)
    for wanted in order:
        for i in axes:
            kind = x_axis(labels[i])
            if kind is not None and kind[0] is wanted and _varies(values[:, i]):
                return i
    if axes:
        return axes[0]
    first = values[:, 0]
    if (
        values.shape[1] > 2
        and not (labels and labels[0] and x_axis(labels[0]))
        and np.array_equal(first, np.arange(first.size) + first[0])
        and first[0] in (0, 1)
        and np.all(np.diff(values[:, 1]) > 0)
    ):
        return 1
    return 0


def _is_root(counts: NDArray[np.float64], deviation: NDArray[np.float64]) -> bool:
    """Whether a column grows with the square root of another, as Poisson deviations do."""
    good = np.isfinite(counts) & np.isfinite(deviation) & (counts > 0) & (deviation > 0)
    if np.count_nonzero(good) < max(10, 0.9 * counts.size) or np.ptp(counts[good]) == 0:
        return False
    x, y = np.log(counts[good]), np.log(deviation[good])
    slope = float(np.polyfit(x, y, 1)[0])
    return 0.35 < slope < 0.75 and float(np.corrcoef(x, y)[0, 1]) > 0.7


def _varies(column: NDArray[np.float64]) -> bool:
    good = column[np.isfinite(column)]
    return good.size > 1 and bool(np.unique(good).size > good.size // 2)


def _runs(x: NDArray[np.float64]) -> list[slice]:
    """Scans in one column: x goes on and on in one direction, then starts over near its start."""
    steps = np.diff(x)
    direction = np.sign(np.nanmedian(steps)) if steps.size else 0
    if direction == 0:
        return [slice(0, x.size)]
    with np.errstate(invalid="ignore"):
        back = np.flatnonzero(steps * direction < 0) + 1
    edges = [0, *back.tolist(), x.size]
    lengths = np.diff(edges)
    if len(edges) == 2 or len(edges) > 5000 or lengths.min() < 5:
        return [slice(0, x.size)]
    spans = [(x[a], x[b - 1]) for a, b in pairwise(edges)]
    whole = abs(spans[0][1] - spans[0][0])
    if all(abs(a - spans[0][0]) <= 0.5 * whole for a, _ in spans):
        return [slice(a, b) for a, b in pairwise(edges)]
    return [slice(0, x.size)]


def _pick(pairs: dict[str, str], *keys: str) -> str | None:
    lower = {k.lower().strip(): v for k, v in pairs.items()}
    return next((lower[k] for k in keys if lower.get(k)), None)


def _sample(pairs: dict[str, str]) -> str:
    return _pick(pairs, "sample", "sample name", "samplename", "sample id") or ""


def _laser(header: Header, source: Source) -> float | None:
    return laser_nm(header.text) or laser_nm(source.name)
