"""Bruker / Siemens UXD: text with ``_KEY=value`` lines, ``;`` comments, then counts per range.

A range begins with ``_DRIVE``. Behind ``_COUNTS`` or ``_CPS`` stand the counts alone, several on a
line, from ``_START`` by ``_STEPSIZE``; behind ``_2THETACOUNTS``, ``_2THETACPS`` and the like angle
and counts. Seen in real files: the drive PHI (pole figures), whose column is named 2THETA all the
same; lines of two numbers without any header, which are read as plain columns.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from spectrogen_app.data.axis import K_ALPHA
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.columns import number
from spectrogen_app.io.diffraction import pattern, rate_or_counts

_DATA = re.compile(r"^_(\+?)(\w*)(COUNTS|CPS|COUNTSTIME|CPSTIME)[ \t]*$", re.MULTILINE)
_KEY = re.compile(r"^_(\+?\w+)[ \t]*=[ \t]*(.*)$", re.MULTILINE)


class UxdReader(Reader):
    """Bruker UXD files."""

    name = "uxd"
    label = "Bruker UXD"
    vendors = "Bruker, Siemens DIFFRAC (XCH conversion)"
    extensions = (".uxd",)
    tested_on = "8 real files, one a pole figure of 68 ranges"

    def sniff(self, source: Source) -> bool:
        """Whether the head holds the version key and a drive or counts."""
        head = source.head[:16384]
        return b"_FILEVERSION" in head and (b"_DRIVE" in head or b"_COUNTS" in head)

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        text = re.sub(r"^;.*$", "", source.text, flags=re.MULTILINE)
        head, *ranges = re.split(r"^(?=_DRIVE)", text, flags=re.MULTILINE)
        if not ranges:
            head, ranges = "", [text]
        common = _keys(head)
        spectra = []
        for i, part in enumerate(ranges):
            check(i / len(ranges), f"Reading {source.name}")
            match = _DATA.search(part)
            if match is None:
                source.warn(f"Range {i + 1} holds no counts.")
                continue
            keys = {**common, **_keys(part[: match.start()])}
            values = np.array([float(v) for v in _numbers(part[match.end() :])])
            width = (2 if match[2] else 1) + match[3].endswith("TIME")
            if values.size < 2 * width:
                source.warn(f"Range {i + 1} holds fewer than two points.")
                continue
            if values.size % width:
                source.warn("The last point is incomplete; the file is cut off.")
            table = values[: values.size // width * width].reshape(-1, width)
            if match[2]:
                x, y = table[:, 0], table[:, 1]
            else:
                y = table[:, 0]
                start = number(keys.get("START") or keys.get("2THETA"))
                step = number(keys.get("STEPSIZE"))
                if start is None or step is None:
                    raise source.refuse("does not tell the start and step of x.", "It is damaged.")
                x = start + step * np.arange(y.size)
            spectra.append(
                pattern(
                    source, x, y, axis=_axis(keys), layout=layout, wavelength=_line(keys),
                    y_unit=rate_or_counts(match[3]), sample=keys.get("SAMPLE", ""),
                    name=source.path.stem + (f" range {i + 1}" if len(ranges) > 1 else ""),
                    metadata=keys,
                )
            )  # fmt: skip
        if not spectra:
            raise source.refuse("holds no counts.", "Convert the RAW file again.")
        return spectra


def _keys(text: str) -> dict[str, Any]:
    return {m[1]: m[2].strip().strip("'").strip() for m in _KEY.finditer(text)}


def _numbers(text: str) -> list[str]:
    block = re.match(r"[-+\d.eE,;\s]*", text)
    return re.findall(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?", block[0] if block else "")


def _axis(keys: dict[str, Any]) -> str:
    drive = keys.get("DRIVE", "")
    return "2theta" if drive in ("COUPLED", "2THETA", "") else drive


def _line(keys: dict[str, Any]) -> float | None:
    """Weighted mean of the K-alpha lines, or that of the anode."""
    try:
        first, second = float(keys["WL1"]), float(keys.get("WL2") or 0)
        share = float(keys.get("WLRATIO") or 0)
    except (KeyError, ValueError):
        return K_ALPHA.get(str(keys.get("ANODE", "")).capitalize())
    return (first + share * second) / (1 + share) if second > 0 else first
