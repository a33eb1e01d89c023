"""What the readers of vendors' text exports share: a table of known shape, and key-value lines."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.io.base import Source
from spectrogen_app.io.readers.text import Table, parse_block


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
        raise source.refuse(
            f"has {len(values)} rows of {width} numbers behind its header; two are needed.",
            "Check that the export was finished.",
        )
    if skipped:
        source.warn(f"Lines of the table that are cut off or damaged, left out: {skipped}.")
    return values


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
