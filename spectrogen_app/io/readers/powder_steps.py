"""Powder data as a list of counts with start, step and end: DBWS, ILL, PSI, MAUD and the like.

One of the first lines gives start, step and end (DBWS, D1A, DMC) or number, step and start (and the
wavelength); the counts follow, any number on a line. DMC appends as many standard deviations. The
files of MAUD begin with ``.RAW``, end their records with a carriage return, and give wavelengths,
start, step and number one after the other. A file is taken only when the number of values fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.diffraction import pattern
from spectrogen_app.io.readers.text import is_text

_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_THREE = re.compile(rf"^\s*({_NUMBER})\s+({_NUMBER})\s+({_NUMBER})(?![\w.])(.*)$")
_LAMBDA = re.compile(
    r"(?i)(?:lambda|wavelength)\s*=?\s*(\d\.\d+)|(?<![\d.])([01]\.\d{3,}|2\.[0-4]\d{2,})\s?A?\b"
)
_HEAD_LINES = 8


class PowderStepsReader(Reader):
    """Powder data with start, step and end."""

    name = "powder-steps"
    label = "Powder data by start and step"
    vendors = "DBWS, FullProf, ILL D1A, PSI DMC and HRPT, MAUD"
    extensions = (".dat", ".dbw", ".raw")
    tested_on = "6 real files"
    others_may_try = True

    def sniff(self, source: Source) -> bool:
        """Whether one of the first lines holds three numbers that make a scan."""
        head = source.head
        if head.startswith(b".RAW\r"):
            return True
        if not is_text(head[:4096].replace(b"\0", b" ")):
            return False
        return next(_scans(source.head_text.split("\n")[:_HEAD_LINES]), None) is not None

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        if source.head.startswith(b".RAW\r"):
            return [_maud(source, layout)]
        lines = source.text.split("\n")
        for at, start, step, count in _scans(lines[:_HEAD_LINES]):
            values = _values(lines[at + 1 :])
            if values is None or not count <= values.size <= 2 * count + 20:
                continue
            y = values[:count]
            band = {}
            if values.size >= 2 * count:
                sigma = np.abs(values[count : 2 * count])
                band = {"lower": y - sigma, "upper": y + sigma}
            header = "\n".join(lines[: at + 1])
            match = _LAMBDA.search(header)
            return [
                pattern(
                    source, start + step * np.arange(count), y, layout=layout,
                    wavelength=float(match[1] or match[2]) if match else None,
                    metadata={"header": header.strip()}, **band,
                )
            ]  # fmt: skip
        raise source.refuse(
            "has a line of start, step and end, but another number of counts.",
            "It is cut off, or a plain table.",
        )


def _scans(lines: list[str]) -> Iterator[tuple[int, float, float, int]]:
    """Line, start, step and number of points of each line that could describe a scan."""
    for at, line in enumerate(lines):
        match = _THREE.match(line)
        if match is None:
            continue
        a, b, c = float(match[1]), float(match[2]), float(match[3])
        if 0.001 <= b <= 1 and -20 <= a < c <= 180 and abs((c - a) / b % 1 - 0.5) > 0.45:
            count = round((c - a) / b) + 1
            if count >= 20:
                yield at, a, b, count
        if a == int(a) >= 20 and 0.001 <= b <= 1 and -20 <= c < 180 and c + a * b <= 181:
            yield at, c, b, int(a)


def _values(lines: list[str]) -> np.ndarray | None:
    """All numbers up to the first line that is no line of numbers."""
    body: list[str] = []
    for line in lines:
        if re.fullmatch(r"[-+\d.eE\s,]*", line) is None:
            break
        body.append(line)
    flat = " ".join(body).replace(",", " ").strip()
    try:
        return np.fromstring(flat, dtype=np.float64, sep=" ") if flat else None
    except (ValueError, DeprecationWarning):
        return None


def _maud(source: Source, layout: TextLayout | None) -> Spectrum:
    records = [r.strip(" \0") for r in source.data.decode("latin-1").split("\r")]
    numbers = [float(r) if re.fullmatch(_NUMBER, r) else None for r in records]
    for i in range(len(numbers) - 6):
        four = numbers[i : i + 4]
        start, step = numbers[i + 4], numbers[i + 5]
        count = re.match(r"(\d+)\b", records[i + 6])
        if (
            all(v is not None and 0.1 < v < 5 for v in four)
            and start is not None and step is not None and 0.001 <= step <= 1 and count
        ):  # fmt: skip
            n = int(count[1])
            found = [v for v in numbers[i + 7 :] if v is not None]
            if len(found) < n or n < 2:
                raise source.refuse(
                    f"promises {n} points, but holds {len(found)}.", "It is cut off."
                )
            y = np.array(found[len(found) - n :])
            return pattern(
                source, start + step * np.arange(n), y, layout=layout, wavelength=four[0],
                sample=records[3], metadata={"date": records[1], "title": records[3]},
            )  # fmt: skip
    raise source.refuse("does not tell its angles.", "Export it as xy.")
