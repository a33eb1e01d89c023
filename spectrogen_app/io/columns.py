"""What the readers of vendors' text exports share: a table of known shape, and key-value lines."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.errors import ReadError
from spectrogen_app.io.base import Source, decode, text_encoding
from spectrogen_app.io.readers.text import Table, parse_block

LAZY = 1 << 23
"""Lines of maps of more bytes are parsed when they are asked for."""
_STEP = 16


def plain_lines(source: Source) -> bytes:
    """The content as it is, or as UTF-8 where it is wide or its lines do not end in ``\\n``."""
    old_lines = b"\r" in source.head and b"\n" not in source.head
    if old_lines or text_encoding(source.head) != "utf-8-sig":
        return source.text.encode()
    return source.data.removeprefix(BOM_UTF8)


class WideTable:
    """A large table with a spectrum per column, parsed some columns at a time when asked for.

    Parameters
    ----------
    source : Source
        Where lines of another width are said.
    data : bytes
    start : int
        Of the first row of numbers in ``data``.
    width : int
        Columns.
    delimiter : str
        One character.

    Raises
    ------
    ReadError
        Fewer than two rows.
    """

    def __init__(self, source: Source, data: bytes, start: int, width: int, delimiter: str) -> None:
        self._data, self._width, self._delimiter = data, width, delimiter
        marks = []
        damaged = 0
        while start < len(data):
            end = data.find(b"\n", start)
            end = end if end >= 0 else len(data)
            stop = start + len(data[start:end].rstrip(b"\r" + delimiter.encode()))
            cells = np.frombuffer(data, np.uint8, stop - start, start) == ord(delimiter)
            at = start + 1 + np.flatnonzero(cells)
            if at.size == width - 1:
                marks.append(np.concatenate(([start], at[_STEP - 1 :: _STEP], [stop + 1])))
            else:
                damaged += stop > start
            start = end + 1
        if len(marks) < 2:
            raise _too_few(source, len(marks), width)
        if damaged:
            source.warn(f"Lines of the table that are cut off or damaged, left out: {damaged}.")
        self._marks = np.array(marks)
        self._columns = lru_cache(maxsize=4)(self._parse)

    def column(self, index: int) -> NDArray[np.float64]:
        """Numbers of a column, NaN where a cell holds none."""
        return self._columns(index // _STEP)[:, index % _STEP]

    def _parse(self, block: int) -> NDArray[np.float64]:
        width = min(_STEP, self._width - block * _STEP)
        text = decode(
            b"\n".join(self._data[m[block] : m[block + 1] - 1] for m in self._marks)
        )
        table = Table(self._delimiter, ".", 0, width, tuple(range(width)), 0)
        values, skipped = parse_block(text, table)
        if not skipped:
            return values
        rows = [[number(c) for c in line.split(self._delimiter)] for line in text.split("\n")]
        return np.array(rows, dtype=np.float64)


def decimal_sign(sample: str) -> str:
    """The decimal sign of a table whose delimiter is neither point nor comma."""
    return "," if re.search(r"\d,\d", sample) and not re.search(r"\d\.\d", sample) else "."


def columns(
    source: Source, body: str, width: int, *, delimiter: str = "\t", decimal: str | None = None
) -> NDArray[np.float64]:
    """Rows of numbers, NaN where a cell is empty.

    Parameters
    ----------
    source : Source
        Where lines that are no rows are said.
    body : str
        Lines of the table.
    width : int
        Columns.
    delimiter : str
        One space stands for any run of white space.
    decimal : str, optional
        Default: as the first rows show.

    Returns
    -------
    ndarray, shape (rows, width)

    Raises
    ------
    ReadError
        Fewer than two rows.
    """
    body = body.strip("\n")
    table = Table(delimiter, decimal or decimal_sign(body[:5000]), 0, width, tuple(range(width)), 0)
    values, skipped = parse_block(body, table)
    if len(values) < 2:
        raise _too_few(source, len(values), width)
    if skipped:
        source.warn(f"Lines of the table that are cut off or damaged, left out: {skipped}.")
    return values


def _too_few(source: Source, rows: int, width: int) -> ReadError:
    return source.refuse(
        f"has {rows} rows of {width} numbers behind its header; two are needed.",
        "Check that the export was finished.",
    )


def pairs(lines: Iterable[str], separator: str) -> dict[str, str]:
    """Key and value of each line that holds the separator; the first of a key wins."""
    found: dict[str, str] = {}
    for line in lines:
        key, mark, value = line.partition(separator)
        key, value = key.strip().lstrip("#").strip(), value.strip()
        if mark and key and value and len(found) < 1000:
            found.setdefault(key, value[:2000])
    return found


def number(text: str | None) -> float | None:
    """A number with a decimal point or comma, or None."""
    try:
        value = float((text or "").strip().replace(",", "."))
    except ValueError:
        return None
    return value if np.isfinite(value) else None
