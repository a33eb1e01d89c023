"""The program's own CSV, reopened to the same spectrum; see ``io/writers/csv.py`` for the format.

A file whose record line was removed or edited by hand is refused here and then read as any CSV.
"""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np

from spectrogen_app.data.provenance import Generation, Provenance, Reference
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout

_MAGIC = b"# SpectroGen CSV "
_FIELDS = ("modality", "x_kind", "x_unit", "y_unit", "name", "sample", "formula", "laser_nm",
           "wavelength", "origin", "metadata")  # fmt: skip


class SpectrogenCsvReader(Reader):
    """CSV written by this program."""

    name = "spectrogen-csv"
    label = "SpectroGen CSV"
    vendors = "this program"
    extensions = (".csv",)
    tested_on = "its own files"
    others_may_try = True

    def sniff(self, source: Source) -> bool:
        """Whether the first line is that of the format."""
        return source.head.removeprefix(b"\xef\xbb\xbf").startswith(_MAGIC)

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        text = source.text
        first = text.split("\n", 1)[0]
        if first.strip() != "# SpectroGen CSV 1":
            raise source.refuse(
                f"begins with {first.strip()[:40]!r}: written by a newer version of this program.",
                "Update the program.",
            )
        at = text.find("\n# record: ")
        end = text.find("\n", at + 1)
        if at < 0 or end < 0:
            raise source.refuse("has lost its record line.", "It can be read as a plain CSV.")
        try:
            records = json.loads(text[at + len("\n# record: ") : end])
            widths = [2 + len(r["band"]) for r in records]
        except (ValueError, TypeError, KeyError) as error:
            raise source.refuse(
                "has a record line that was altered.", "It can be read as a plain CSV."
            ) from error
        body = text[text.index("\n", end + 1) + 1 :]
        check(0.1, f"Reading {source.name}")
        table = _numbers(source, body, sum(widths))
        spectra = []
        left = 0
        for record, width in zip(records, widths, strict=True):
            columns = table[:, left : left + width]
            left += width
            count = int(record["points"])
            if not 2 <= count <= len(columns) or not np.all(np.isfinite(columns[:count])):
                raise source.refuse(
                    f"promises {count} points, but has {len(columns)} rows, or empty cells.",
                    "The file was cut off or edited.",
                )
            spectra.append(from_record(record, columns[:count]))
        return spectra


def _numbers(source: Source, body: str, width: int) -> np.ndarray:
    if not body.strip():
        raise source.refuse("has a header but no rows.", "The file was cut off.")
    try:
        return np.loadtxt(
            io.StringIO(body), delimiter=",", ndmin=2, comments=None,
            converters=lambda cell: float(cell) if cell.strip() else np.nan,
        )[:, :width] if ",," in body or ",\n" in body else np.loadtxt(
            io.StringIO(body), delimiter=",", ndmin=2, comments=None)  # fmt: skip
    except (ValueError, IndexError) as error:
        raise source.refuse(
            "has rows that are not numbers, or not all of one length.",
            "The file was cut off or edited.",
        ) from error


def from_record(record: dict[str, Any], columns: np.ndarray) -> Spectrum:
    """The spectrum that a record of this program describes.

    Parameters
    ----------
    record : dict
        As written by the CSV writer's ``to_record``.
    columns : ndarray, shape (points, 2 or more)
        x, y and the bands that the record names.

    Raises
    ------
    KeyError, TypeError, ValueError
        The record was altered.
    """
    band: dict[str, Any] = {key: columns[:, 2 + i] for i, key in enumerate(record["band"])}
    return Spectrum(
        columns[:, 0], columns[:, 1], **band, **{k: record[k] for k in _FIELDS},
        provenance=_provenance(record["provenance"]),
    )  # fmt: skip


def _provenance(record: dict[str, Any]) -> Provenance:
    made = record.get("generation")
    generation = None
    if made is not None:
        generation = Generation(
            **{
                **made,
                "sources": tuple(made["sources"]),
                "notes": tuple(made["notes"]),
                "references": tuple(Reference(**r) for r in made["references"]),
            }
        )
    return Provenance(
        **{
            **record,
            "mean_of": tuple(record.get("mean_of", ())),
            "assumptions": tuple(record["assumptions"]),
            "steps": tuple(record["steps"]),
            "generation": generation,
        }
    )
