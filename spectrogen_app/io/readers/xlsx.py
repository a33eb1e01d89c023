"""Excel workbooks: each sheet as a table of numbers, with the rules of text tables.

Macros are never run, formulas never calculated: a formula counts with the value that Excel stored.

Seen in real files: axis titles such as ``θ/2θ, °``; tables of fit results, one row per map
point, which are no spectra (their first column of numbers goes up and down); empty columns and
rows between the filled ones; dates. Workbooks of this program describe their spectra on a sheet of
their own, so that a generated curve stays one.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import numpy as np

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check, ReadError
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.columns import number
from spectrogen_app.io.readers.text import find_table, parse_block, read_header, spectra_of_table
from spectrogen_app.io.recognise import x_axis
from spectrogen_app.io.safe import check_zip, open_zip

MAX_CELLS = 5_000_000
"""Cells of one workbook, empty ones included, that are looked at."""


class XlsxReader(Reader):
    """Excel workbooks."""

    name = "xlsx"
    label = "Excel workbook"
    vendors = "Excel, LibreOffice, instrument programs"
    extensions = (".xlsx", ".xlsm")
    tested_on = "6 real workbooks (one of spectra, five of other tables)"

    def sniff(self, source: Source) -> bool:
        """Whether it is a zip archive whose first members are those of a workbook."""
        head = source.head
        return head.startswith(b"PK\x03\x04") and (
            any(part in head for part in (b"xl/workbook", b"xl/_rels/", b"xl/worksheets/"))
            or (source.suffix in self.extensions and b"[Content_Types].xml" in head)
        )

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        from zipfile import BadZipFile
        from zlib import error as ZlibError

        from openpyxl import load_workbook
        from openpyxl.utils.exceptions import InvalidFileException

        with open_zip(source) as archive:
            check_zip(source, archive)
        check(0.0, f"Reading {source.name}")
        stream = source.stream()
        try:
            book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
            found, reasons, described = _sheets(source, book, layout or TextLayout(), check)
        except (ReadError, MemoryError):
            raise
        except (InvalidFileException, BadZipFile, ZlibError, KeyError, ValueError, OSError,
                TypeError, AttributeError, IndexError, EOFError, SyntaxError,
                RuntimeError) as error:
            raise source.refuse(
                f"is a damaged workbook ({type(error).__name__}: {str(error)[:100]}).",
                "Open and save it with Excel, or export it as CSV.",
            ) from error  # fmt: skip
        finally:
            stream.close()
        if not found:
            raise reasons[0] if reasons else source.refuse("has no sheets.", "Check the export.")
        for reason in reasons:
            source.warn(reason.message)
        spectra = []
        for title, part in found:
            if title in described:
                spectra += [_described(s, described[title]) for s in part[:1]]
                continue
            several = len(found) > 1
            spectra += [s.replace(name=f"{title}: {s.name}") if several else s for s in part]
        return spectra


def _sheets(
    source: Source, book: Any, layout: TextLayout, check: Check
) -> tuple[list[tuple[str, list[Spectrum]]], list[ReadError], dict[str, dict[str, str]]]:
    """Spectra by sheet, why sheets have none, and what this program wrote about its own."""
    found: list[tuple[str, list[Spectrum]]] = []
    reasons: list[ReadError] = []
    described: dict[str, dict[str, str]] = {}
    cells = 0
    for at, sheet in enumerate(book.worksheets):
        check(at / len(book.worksheets), f"Reading sheet {sheet.title}")
        sheet.reset_dimensions()
        lines: list[str] = []
        for row in sheet.iter_rows(values_only=True):
            cells += len(row) + 1
            if cells > MAX_CELLS:
                raise source.refuse(
                    f"has more than {MAX_CELLS // 10**6} million cells.", "Export it as CSV."
                )
            if len(lines) % 1000 == 0:
                check(at / len(book.worksheets), f"Reading sheet {sheet.title}")
            lines.append("\t".join(map(_cell, row)))
        if sheet.title == "Description" and lines[:1] == [sheet.parent.sheetnames[0]]:
            described = _descriptions(lines, sheet.parent.sheetnames)
            continue
        try:
            found.append((sheet.title, _table(source, sheet.title, lines, layout)))
        except ReadError as reason:
            reasons.append(reason)
    return found, reasons, described


def _descriptions(lines: list[str], titles: list[str]) -> dict[str, dict[str, str]]:
    """Key and value of the lines under each sheet's title."""
    found: dict[str, dict[str, str]] = {}
    at = ""
    for line in lines:
        key, mark, value = line.partition(": ")
        if line in titles:
            at = line
        elif mark and at:
            found.setdefault(at, {}).setdefault(key, value)
    return found


def _described(spectrum: Spectrum, about: dict[str, str]) -> Spectrum:
    """A spectrum that this program wrote, with what its description says."""
    laser = number(about.get("laser", "").removesuffix("nm"))
    wavelength = number(about.get("X-ray wavelength", "").removesuffix("angstrom"))
    return spectrum.replace(
        name=about.get("name") or spectrum.name,
        sample=about.get("sample", spectrum.sample),
        formula=about.get("formula") or None, laser_nm=laser or spectrum.laser_nm,
        wavelength=wavelength or spectrum.wavelength, metadata={**spectrum.metadata, **about},
    )  # fmt: skip


def _table(source: Source, title: str, lines: list[str], layout: TextLayout) -> list[Spectrum]:
    table = find_table(lines[:2000], TextLayout(delimiter="\t", skip_rows=layout.skip_rows))
    if table is None or len(table.numeric) < 2:
        raise source.refuse(
            f"has no columns of numbers in sheet {title}.",
            "Put x and y into columns; formulas count once Excel has saved their values.",
        )
    header = read_header(lines[: table.start], table)
    values, _ = parse_block("\n".join(lines[table.start :]), table)
    named = any(x_axis(header.label(c)) for c in table.numeric)
    if not named and layout.x_column is None and values.shape[1] <= 4 * len(values):
        first = values[np.isfinite(values[:, 0]), 0]
        steps = np.diff(first)
        if first.size < 2 or not (np.all(steps > 0) or np.all(steps < 0)):
            raise source.refuse(
                f"has a table in sheet {title} whose first column of numbers neither rises nor "
                "falls: it is no spectrum.",
                "Name the x column by its unit, such as cm-1, nm or 2theta.",
            )
    return spectra_of_table(source, table, header, values, layout)


def _cell(value: object) -> str:
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return " ".join(str(value).split())
