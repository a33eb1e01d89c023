"""Excel workbook: a sheet of columns per spectrum, and one that describes them.

Text that begins like a formula stays text. A sheet holds 1,048,576 rows; longer spectra are
refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import WriteError
from spectrogen_app.io.writers.csv import describe
from spectrogen_app.paths import atomic_write

_MAX_ROWS = 1_048_576
_ILLEGAL = dict.fromkeys((*range(9), 11, 12, *range(14, 32)))


def write(spectra: Sequence[Spectrum], path: Path) -> None:
    """Write spectra as a workbook, each on a sheet of its own.

    Parameters
    ----------
    spectra : sequence of Spectrum, at least one
    path : Path

    Raises
    ------
    WriteError
        A spectrum is longer than a sheet, or the file cannot be written.
    """
    from openpyxl import Workbook

    longest = max(len(s) for s in spectra)
    if longest + 1 > _MAX_ROWS:
        raise WriteError(
            f"A spectrum of {longest} points does not fit into a sheet of {_MAX_ROWS} rows.",
            hint="Write CSV or NeXus instead.",
        )
    book = Workbook(write_only=True)
    for i, spectrum in enumerate(spectra):
        sheet = book.create_sheet(f"Spectrum {i + 1}")
        name = spectrum.name or spectrum.sample or spectrum.modality
        titles = [spectrum.x_label, f"{name} ({spectrum.y_unit})"]
        columns = [spectrum.x.tolist(), spectrum.y.tolist()]
        for label, values in (("lower", spectrum.lower), ("upper", spectrum.upper)):
            if values is not None:
                titles.append(f"{name} {label}")
                columns.append(values.tolist())
        sheet.append([_text(sheet, title) for title in titles])
        for row in zip(*columns, strict=True):
            sheet.append(row)
    about = book.create_sheet("Description")
    for i, spectrum in enumerate(spectra):
        about.append([_text(about, f"Spectrum {i + 1}")])
        for key, value in describe(spectrum):
            about.append([_text(about, f"{key}: {value}")])
    with atomic_write(path) as stream:
        book.save(stream)


def _text(sheet: Any, value: str) -> Any:
    """A cell that stays text even when it begins with an equals sign."""
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value=_legal(value))
    cell.data_type = "s"
    return cell


def _legal(text: str) -> str:
    return text.translate(_ILLEGAL).encode("utf-8", "replace").decode("utf-8")[:32767]
