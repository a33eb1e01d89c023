"""Bruker / Siemens RAW, versions 1 (``RAW ``), 2 (``RAW2``), 3 (``RAW1.01``) and 4 (``RAW4.00``).

- v1: per range 156 bytes (number, time, step, start, sample, wavelengths, whether one follows).
- v2: header of 256 bytes; per range a header of its own length, steps, time, step, start.
- v3: header of 712 bytes (ranges, date, sample, wavelengths); per range a header of 304 bytes with
  start of theta and 2theta, step and time, a supplementary header, float32 counts.
- v4: segments (type, length) from byte 61: 10 a named text, 30 the tube with its wavelengths; type
  0 or 160 begins a range: number, kind of scan, start, step, bytes per point, length of the
  segments (drives, detectors) between its 160 bytes and the points. A point of 8 bytes is the
  intensity and a flag.

Seen in real files: v4 files with background already subtracted, so with negative counts; drives
(type 50) name what moved. Rigaku, STOE, GSAS and MAUD write ``.raw`` too: other formats.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.diffraction import pattern
from spectrogen_app.io.safe import array, field, fields, text_field

_MAX_RANGES = 100_000


class BrukerRawReader(Reader):
    """Bruker RAW files."""

    name = "bruker-raw"
    label = "Bruker RAW"
    vendors = "Bruker AXS, Siemens DIFFRAC"
    extensions = (".raw",)
    tested_on = "16 real files of v1, v3 and v4; v2 untested on a real file"

    def sniff(self, source: Source) -> bool:
        """Whether the first bytes are those of a version; also of one that is not known."""
        head = source.head
        return head.startswith((b"RAW ", b"RAW2", b"RAW1.", b"RAW4.", b"RAW3", b"RAW5"))

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        head = source.head
        if head.startswith(b"RAW1.01"):
            return _version3(source, layout)
        if head.startswith(b"RAW4.0"):
            return _version4(source, layout)
        if head.startswith(b"RAW2"):
            return _version2(source, layout)
        if head.startswith(b"RAW "):
            return _version1(source, layout)
        name = head[:12].split(b"\0")[0].decode("latin-1")
        raise source.refuse(
            f"is a RAW file of the kind {name!r}, whose layout is not published.",
            "Export it as xy, UXD or XRDML.",
        )


def _name(source: Source, number: int, several: bool) -> str:
    return source.path.stem + (f" range {number + 1}" if several else "")


def _start_is_sane(source: Source, start: float, step: float, steps: int) -> None:
    if not (np.isfinite([start, step]).all() and abs(start) < 400 and 0 < abs(step) < 100):
        raise source.refuse(
            f"claims a start of {start:g} and a step of {step:g}: it is damaged, or of another "
            "variant.",
            "Export it as xy, UXD or XRDML.",
        )
    if not 2 <= steps <= source.size:
        raise source.refuse(f"promises a range of {steps} points.", "It is damaged.")


def _version1(source: Source, layout: TextLayout | None) -> list[Spectrum]:
    spectra: list[Spectrum] = []
    at, more = 4, 1
    while more and len(spectra) < _MAX_RANGES:
        steps, time, step, mode = fields(source, "<I2fI", at)
        start, theta, khi, phi = fields(source, "<4f", at + 20)
        first, second = fields(source, "<2f", at + 68)
        more = field(source, "<I", at + 148)
        _start_is_sane(source, start, step, steps)
        y = array(source, "<f4", at + 152, steps)
        spectra.append(
            pattern(
                source, start + step * np.arange(steps), y, layout=layout,
                wavelength=(2 * first + second) / 3 if first and second else None,
                sample=text_field(source, at + 36, 32),
                name=_name(source, len(spectra), bool(more or spectra)),
                metadata={"version": "1", "time per step (s)": time, "mode": mode, "theta": theta,
                          "khi": khi, "phi": phi},
            )
        )  # fmt: skip
        at += 152 + 4 * steps
        at += 4 if more and source.data[at : at + 4] == b"RAW " else 0
    return spectra


def _version2(source: Source, layout: TextLayout | None) -> list[Spectrum]:
    count = field(source, "<H", 4)
    date, anode = text_field(source, 168, 20), text_field(source, 188, 2)
    first, second, ratio = fields(source, "<3f", 190)
    spectra: list[Spectrum] = []
    at = 256
    for number in range(count):
        length, steps = fields(source, "<2H", at)
        time, step, start = fields(source, "<3f", at + 8)
        _start_is_sane(source, start, step, steps)
        if length < 20:
            raise source.refuse(f"has a range header of {length} bytes.", "It is damaged.")
        y = array(source, "<f4", at + length, steps)
        spectra.append(
            pattern(
                source, start + step * np.arange(steps), y, layout=layout,
                wavelength=_mean(first, second, ratio), name=_name(source, number, count > 1),
                metadata={"version": "2", "date": date, "anode": anode, "time per step (s)": time},
            )
        )  # fmt: skip
        at += length + 4 * steps
    if not spectra:
        raise source.refuse("holds no range.", "The measurement was not finished.")
    return spectra


def _mean(first: float, second: float, ratio: float) -> float | None:
    if not (0.1 < first < 5):
        return None
    return (first + ratio * second) / (1 + ratio) if 0.1 < second < 5 and 0 < ratio <= 1 else first


def _version3(source: Source, layout: TextLayout | None) -> list[Spectrum]:
    count = field(source, "<I", 12)
    average, first = fields(source, "<2d", 616)
    metadata: dict[str, Any] = {
        "version": "3 (RAW1.01)",
        "date": text_field(source, 16, 10), "time": text_field(source, 26, 10),
        "user": text_field(source, 36, 72), "site": text_field(source, 108, 218),
        "comment": text_field(source, 386, 160), "anode": text_field(source, 608, 4),
        "K-alpha1": first,
    }  # fmt: skip
    sample = text_field(source, 326, 60).strip(" _")
    spectra: list[Spectrum] = []
    at = 712
    for number in range(min(count, _MAX_RANGES)):
        length, steps, theta, start = fields(source, "<2I2d", at, "range header")
        step, time, scan = field(source, "<d", at + 176), *fields(source, "<fI", at + 192)
        record, extra = fields(source, "<2I", at + 252)
        _start_is_sane(source, start, step, steps)
        if record not in (4, 8) or not 304 <= length <= 4096:
            raise source.refuse(
                f"has points of {record} bytes and a range header of {length}.",
                "It is of a variant that is not known; export it as UXD.",
            )
        y = array(source, "<f4", at + length + extra, steps * (record // 4))[:: record // 4]
        axis = {0: "2theta", 1: "2theta", 2: "theta", 4: "phi", 5: "khi"}.get(scan, "2theta")
        begin = theta if axis == "theta" else start
        spectra.append(
            pattern(
                source, begin + step * np.arange(steps), y, layout=layout, axis=axis,
                wavelength=average if 0.1 < average < 5 else first, sample=sample,
                name=_name(source, number, count > 1),
                metadata={**metadata, "time per step (s)": time, "theta": theta},
            )
        )  # fmt: skip
        at += length + extra + record * steps
    if not spectra:
        raise source.refuse("holds no range.", "The measurement was not finished.")
    return spectra


def _version4(source: Source, layout: TextLayout | None) -> list[Spectrum]:
    metadata: dict[str, Any] = {
        "version": "4 (RAW4.00)", "date": text_field(source, 12, 12),
        "time": text_field(source, 24, 10),
    }  # fmt: skip
    spectra: list[Spectrum] = []
    at = 61
    while at + 8 <= source.size and len(spectra) < _MAX_RANGES:
        kind, length = fields(source, "<2I", at)
        if kind in (0, 160):
            at = _range4(source, at, layout, metadata, spectra)
            continue
        if length < 8:
            raise source.refuse("has a segment without length.", "It is damaged.")
        if kind == 10 and length > 36:
            key, value = text_field(source, at + 12, 24), text_field(source, at + 36, length - 36)
            if key and len(value) < 1000:
                metadata[key] = value
        elif kind == 30 and length >= 112:
            metadata["wavelengths"] = list(fields(source, "<5d", at + 72))
        at += length
    if not spectra:
        raise source.refuse("holds no range.", "The measurement was not finished.")
    if len(spectra) > 1:
        return [s.replace(name=_name(source, i, True)) for i, s in enumerate(spectra)]
    return spectra


def _range4(
    source: Source,
    at: int,
    layout: TextLayout | None,
    metadata: dict[str, Any],
    spectra: list[Spectrum],
) -> int:
    """Read the range at ``at`` into ``spectra``; the place after it."""
    steps = field(source, "<I", at + 4, "range header")
    scan = text_field(source, at + 32, 24)
    start, step = fields(source, "<2d", at + 72, "range header")
    time = field(source, "<f", at + 92, "range header")
    wavelength = field(source, "<d", at + 112, "range header")
    record, extra = fields(source, "<2I", at + 136, "range header")
    _start_is_sane(source, start, step, steps)
    if record not in (4, 8):
        raise source.refuse(
            f"has points of {record} bytes.", "It is of a variant that is not known; export it."
        )
    y = array(source, "<f4", at + 160 + extra, steps * (record // 4))[:: record // 4]
    if y.min() < 0:
        source.warn("Some counts are negative: a background was subtracted before saving.")
    spectra.append(
        pattern(
            source, start + step * np.arange(steps), y, layout=layout,
            axis=_moved(source, at + 160, extra) or scan or "2theta", wavelength=wavelength,
            sample=str(metadata.get("SAMPLEID", "")),
            metadata={**metadata, "scan": scan, "time per step (s)": time},
        )
    )  # fmt: skip
    return at + 160 + extra + record * steps


def _moved(source: Source, at: int, size: int) -> str:
    """2theta when a drive of that name is listed, else the first drive."""
    drives = []
    end = at + size
    while at + 8 <= min(end, source.size):
        kind, length = fields(source, "<2I", at)
        if length < 8:
            break
        if kind == 50:
            drives.append(text_field(source, at + 12, 24))
        at += length
    return next((d for d in drives if d.lower() == "2theta"), drives[0] if drives else "")
