"""Philips / PANalytical UDF (text) and RD (binary, versions V3 and V5).

UDF: ``Key,value,/`` lines, then ``RawScan`` (or ``ScanData``) and the counts, separated by commas,
up to a slash. RD: the version in the first four bytes, wavelengths at byte 94, step, start and end
at byte 214 as float64, then unsigned words from byte 250 (V3) or 810 (V5), each 10 times the square
root of the counts. The number of points follows from start, end and step, cut to a whole number.

Seen in real files: decimal commas in the header of a UDF; a header that promises a point more than
there are; angles that went through single precision.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from spectrogen_app.data.axis import K_ALPHA
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.diffraction import pattern
from spectrogen_app.io.safe import array, fields, text_field

_SCAN = re.compile(r"^(RawScan|ScanData)[ \t,]*$", re.MULTILINE | re.IGNORECASE)


class UdfReader(Reader):
    """Philips UDF files."""

    name = "philips-udf"
    label = "Philips UDF"
    vendors = "Philips PC-APD, X'Pert"
    extensions = (".udf",)
    tested_on = "4 real files"

    def sniff(self, source: Source) -> bool:
        """Whether the first key is that of the format."""
        return source.head.lstrip().startswith(b"SampleIdent")

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        text = source.text
        scan = _SCAN.search(text)
        if scan is None:
            raise source.refuse("holds no RawScan.", "The measurement was not finished.")
        keys: dict[str, Any] = {}
        for line in text[: scan.start()].split("\n"):
            key, _, value = line.partition(",")
            keys[key.strip()] = value.rstrip().removesuffix("/").rstrip().removesuffix(",").strip()
        body, slash, _ = text[scan.end() :].partition("/")
        if not slash:
            source.warn("The closing slash is missing; the file is cut off.")
        y = np.array([float(v) for v in re.findall(r"-?\d+(?:\.\d*)?", body)])
        ends = _numbers(str(keys.get("DataAngleRange", "")))
        step = _numbers(str(keys.get("ScanStepSize", "")))
        if not ends or not step or step[0] == 0:
            raise source.refuse("does not tell its angles.", "It is damaged.")
        if len(ends) > 1 and abs((ends[1] - ends[0]) / step[0] + 1 - y.size) > 0.5:
            source.warn(
                f"The header promises {(ends[1] - ends[0]) / step[0] + 1:.0f} points, the file "
                f"holds {y.size}."
            )
        first = _numbers(str(keys.get("LabdaAlpha1", "")))
        second = _numbers(str(keys.get("LabdaAlpha2", "")))
        anode = K_ALPHA.get(str(keys.get("Anode", "")).capitalize())
        mean = (2 * first[0] + second[0]) / 3 if first and second else anode
        return [
            pattern(
                source, ends[0] + step[0] * np.arange(y.size), y, layout=layout, wavelength=mean,
                sample=str(keys.get("SampleIdent", "")), metadata=keys,
            )
        ]  # fmt: skip


def _numbers(text: str) -> list[float]:
    """Numbers of a header value; ``1,54060`` is one with a decimal comma."""
    if "." not in text and re.fullmatch(r"\s*\d+,\d+\s*", text):
        text = text.replace(",", ".")
    return [float(v) for v in re.findall(r"-?\d+(?:\.\d*)?", text)]


class RdReader(Reader):
    """Philips RD files."""

    name = "philips-rd"
    label = "Philips RD"
    vendors = "Philips PC-APD"
    extensions = (".rd", ".sd")
    tested_on = "3 real V3 files; V5 untested on a real file"

    def sniff(self, source: Source) -> bool:
        """Whether the first bytes are those of a version."""
        return source.head[:4] in (b"V3RD", b"V5RD", b"V3SD", b"V5SD")

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        at = 250 if source.head.startswith(b"V3") else 810
        first, second, ratio = fields(source, "<3d", 94)
        step, start, end = fields(source, "<3d", 214)
        sane = np.isfinite([step, start, end]).all() and step > 1e-6
        if not (sane and -20 < start < end < 180.5):
            raise source.refuse(
                f"claims angles from {start:g} to {end:g} by {step:g}.", "It is damaged."
            )
        promised = int((end - start) / step + 1e-9) + 1
        n = min(promised, (source.size - at) // 2)
        if n < promised:
            source.warn(f"The header promises {promised} points, the file holds {n}.")
        packed = array(source, "<u2", at, max(n, 0))
        both = 1 < first < 3 and 1 < second < 3
        share = ratio if both and 0 < ratio <= 1 else 0.5
        return [
            pattern(
                source, start + step * np.arange(packed.size), np.floor(0.01 * packed**2),
                layout=layout, wavelength=(first + share * second) / (1 + share) if both else None,
                sample=text_field(source, 138, 8).strip(),
                metadata={
                    "version": source.head[:4].decode("latin-1"),
                    "program": text_field(source, 4, 80), "title": text_field(source, 146, 20),
                },
            )
        ]  # fmt: skip
