"""A text table as it would be read with a layout, to be looked at before it is opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.errors import Check, SpectrogenError, unchecked
from spectrogen_app.io.base import Source, TextLayout, Verdict, decode
from spectrogen_app.io.readers.text import (
    Header,
    Table,
    chosen_columns,
    find_table,
    look_of,
    parse_block,
    read_header,
)
from spectrogen_app.io.registry import open_path, source_of

LINES = 400
"""Lines that are shown as they stand in the file."""
ROWS = 200
"""Rows of numbers that are shown."""


@dataclass(frozen=True, eq=False)
class TextPreview:
    """What a layout makes of a text.

    Attributes
    ----------
    look : str
        Key of all files of this look.
    lines : tuple of str
        The first lines of the file.
    table : Table or None
        Where the numbers are; None when there are none.
    titles : tuple of str
        One per column of the table.
    values : ndarray, shape (rows, columns of ``table.numeric``)
        The first rows.
    x_column : int or None
    y_columns : tuple of int
        The columns that are read.
    verdict : Verdict
        What opening the file with this layout gives.
    """

    look: str
    lines: tuple[str, ...]
    table: Table | None
    titles: tuple[str, ...]
    values: NDArray[np.float64]
    x_column: int | None
    y_columns: tuple[int, ...]
    verdict: Verdict


def preview_text(path: Path, layout: TextLayout, check: Check = unchecked) -> TextPreview:
    """Read a text with a layout and keep what shows whether the layout is right.

    Parameters
    ----------
    path : Path
        Also a member of a zip archive, ``archive.zip/member``.
    layout : TextLayout
        What is None is found by looking.
    check : Check

    Raises
    ------
    SpectrogenError, OSError
        The file cannot be read at all.
    """
    source = source_of(path)
    lines = decode(source.head, layout.encoding).split("\n")
    table = find_table(lines, layout)
    titles: tuple[str, ...] = ()
    values = np.empty((0, 0))
    x_column: int | None = None
    y_columns: tuple[int, ...] = ()
    if table is not None:
        header = read_header(lines[: table.start], table)
        titles = tuple(header.label(i) for i in range(table.columns))
        values, _ = parse_block("\n".join(lines[table.start : table.start + ROWS]), table)
        x_column, y_columns = _columns(source, table, header, values, layout)
    verdict = open_path(path, layout=layout, check=check)
    return TextPreview(
        look_of(source), tuple(lines[:LINES]), table, titles, values, x_column, y_columns, verdict
    )


def _columns(
    source: Source, table: Table, header: Header, values: NDArray[np.float64], layout: TextLayout
) -> tuple[int | None, tuple[int, ...]]:
    try:
        x, ys, *_ = chosen_columns(source, table, header, values, layout)
    except (SpectrogenError, IndexError):
        return layout.x_column, layout.y_columns or ()
    return table.numeric[x], tuple(table.numeric[y] for y in ys)
