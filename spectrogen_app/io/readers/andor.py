"""Andor ``.sif``: lines of text with binary pieces between them, then frames of float32.

The calibration is a polynomial of the pixel, counted from 1: so it gives the centre wavelength that
the spectrograph reports at the middle pixel of the one real file. The labels of the axes stand
behind their lengths (``Wavelength6``, ``Counts12``), followed by the region and the number of
frames; then come a line of time per frame, lines of flags in newer versions, and the numbers.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import numpy as np

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, SpectrumList, TextLayout
from spectrogen_app.io.maps import spectra_of
from spectrogen_app.io.safe import array

_MAGIC = b"Andor Technology Multi-Channel File\n"
_REGION = re.compile(
    rb"([A-Za-z][A-Za-z /.()-]{0,40})\d+\n([A-Za-z][A-Za-z /.()-]{0,40})\d+\n"
    rb"(?:[A-Za-z][A-Za-z /.()-]{0,40})\d+((?: -?\d+){8})\n(\d+(?: -?\d+){7})\n"
)
_FLAG = re.compile(rb"[ \d]{1,24}\n")
MAX_FRAMES = 1_000_000
"""More frames than this in one file are refused."""


class AndorReader(Reader):
    """Andor SIF files."""

    name = "andor-sif"
    label = "Andor SIF"
    vendors = "Andor Solis"
    extensions = (".sif",)
    tested_on = "1 real file (kinetic series of 100 frames)"

    def sniff(self, source: Source) -> bool:
        """Whether the first line is Andor's."""
        return source.head.startswith(_MAGIC)

    def read(
        self, source: Source, *, layout: TextLayout | None, check: Check
    ) -> list[Spectrum] | SpectrumList:
        """See :meth:`Reader.read`; every row of every frame is a spectrum."""
        check(0.0, f"Reading {source.name}")
        data = source.data
        region = _REGION.search(data)
        if region is None:
            raise source.refuse(
                "has no region of the detector where one was expected.",
                "It is cut off, or of another version; export it from Solis as ASCII.",
            )
        _, _, _, _, frames, _, total, _ = (int(n) for n in region[3].split())
        _, left, top, right, bottom, vertical, horizontal, _ = (int(n) for n in region[4].split())
        if min(vertical, horizontal) < 1 or not 0 < frames <= MAX_FRAMES:
            raise source.refuse(
                f"says {frames} frames and bins of {horizontal} x {vertical}.",
                "The header is damaged.",
            )
        width = (abs(right - left) + 1) // horizontal
        height = (abs(top - bottom) + 1) // vertical
        if width < 2 or height < 1 or width * height * frames != total:
            raise source.refuse(
                f"says {frames} frames of {height} rows and {width} points, and {total} in all.",
                "It has several regions, or is damaged; export it from Solis as ASCII.",
            )
        start = _start(source, region.end(), frames, total)
        whole = min((source.size - start) // (4 * width * height), frames)
        if whole < frames:
            if whole < 1:
                array(source, "<f4", start, width * height, "first frame")
            source.warn(f"Cut off: {whole} of {frames} frames are there.")
        pixels = left + horizontal * np.arange(width) + (horizontal - 1) / 2
        x_label, y_label = region[1].decode("latin-1"), region[2].decode("latin-1")
        kind, unit, x = XKind.OTHER, "pixel", pixels
        calibration = _polynomial(data[: region.start()])
        if "wavelength" in x_label.lower() and calibration is not None:
            values = np.polynomial.polynomial.polyval(pixels, calibration)
            if np.unique(values).size == width and values.min() > 0:
                kind, unit, x = XKind.WAVELENGTH, "nm", values
        if unit == "pixel":
            source.assume("x is the pixel: the file has no calibration in nm.")
        metadata = _metadata(data[: region.start()]) | {"x label": x_label, "y label": y_label}
        rows = whole * height
        if rows > 1:
            source.assume(
                f"Each of the {rows} {'frames' if height == 1 else 'rows of the frames'} is a "
                "spectrum."
            )

        def make(index: int) -> Spectrum:
            frame, row = divmod(index, height)
            y = array(source, "<f4", start + 4 * width * index, width)
            parts = [source.path.stem]
            if frames > 1:
                parts.append(f"frame {frame + 1}")
            if height > 1:
                parts.append(f"row {row + 1}")
            return source.spectrum(
                x, y, modality="emission", x_kind=kind, x_unit=unit,
                y_unit=(YUnit.COUNTS if "count" in y_label.lower() else YUnit.INTENSITY).value,
                name=" ".join(parts), sample=source.path.stem if rows > 1 else "",
                metadata=metadata,
            )  # fmt: skip

        values = np.frombuffer(source.data, "<f4", rows * width, start).reshape(rows, width)
        return spectra_of(source, [(values, make)])


def _start(source: Source, at: int, frames: int, total: int) -> int:
    """Where the numbers begin: behind a line per frame, and behind lines of flags."""
    data = source.data
    for number in range(2 * frames + 2):
        line = _FLAG.match(data, at)
        if line is None or (number >= frames and line.end() + 4 * total > source.size):
            break
        at = line.end()
    return at


def _polynomial(head: bytes) -> list[float] | None:
    """The calibration of x: the first of three lines of four numbers, one per axis."""
    rows = [_four(line) for line in head[-4000:].split(b"\n")]
    for x, y, z in reversed(list(zip(rows, rows[1:], rows[2:], strict=False))):
        if x and y and z:
            return x
    return None


def _four(line: bytes) -> list[float] | None:
    words = line.split()
    try:
        values = [float(w) for w in words] if len(words) == 4 else []
    except ValueError:
        return None
    return values if values and np.all(np.abs(values) < 1e6) else None


def _metadata(head: bytes) -> dict[str, Any]:
    lines = head[:2000].split(b"\n")
    pairs: dict[str, Any] = {}
    words = lines[2].split() if len(lines) > 2 else []
    try:
        pairs["Date"] = datetime.fromtimestamp(int(words[4]), UTC).isoformat()
        pairs["Detector temperature (C)"] = float(words[5])
    except (ValueError, IndexError, OverflowError, OSError):
        pass
    if len(lines) > 4:
        pairs["Detector"] = lines[3].decode("latin-1").strip()[:100]
        pairs["Original file"] = lines[5].decode("latin-1").strip()[:300] if len(lines) > 5 else ""
    return {k: v for k, v in pairs.items() if v != ""}
