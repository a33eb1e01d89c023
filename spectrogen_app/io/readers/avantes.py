"""Avantes: the binaries of AvaSoft 8 (AVS82, AVS84) and of AvaSoft 6 and 7, and the text exports.

AvaSoft 8 writes blocks, one per spectrometer: a configuration of 322 bytes, then wavelength,
sample, dark and reference as float32 of StopPixel - StartPixel + 1 points, then settings whose size
depends on the version. AvaSoft 6/7 writes float32 only: 100 of them as header (text as one float
per letter, the wavelength as a polynomial of the pixel from 0), then sample, reference and dark
interleaved per pixel, or the sample alone, then three floats with the integration time.

Seen in real files: the length of a block leaves out 10 bytes; the processed curve is stored
nowhere, it follows from sample, dark and reference (checked with the program's own exports);
irradiance files hold a calibration in place of the reference, which is not applied here; text
exports carry 55 zero bytes behind the name of the spectrometer.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.readers.text import Table, parse_block
from spectrogen_app.io.recognise import y_axis
from spectrogen_app.io.safe import array, field, fields, text_field

_CONFIGURATION = 322
_MODES = {0: "scope", 1: "absorbance", 2: "scope minus dark", 3: "transmittance", 4: "irradiance",
          5: "reflectance"}  # fmt: skip
_UNITS = {
    "absorbance": YUnit.ABSORBANCE, "transmittance": YUnit.TRANSMITTANCE_PERCENT,
    "reflectance": YUnit.REFLECTANCE_PERCENT,
}  # fmt: skip
_OLD_KINDS = {".roh": "scope", ".drk": "dark", ".ref": "reference", ".trm": "transmittance",
              ".abs": "absorbance", ".rfl": "reflectance", ".irr": "irradiance"}  # fmt: skip
_OLD_HEADER = 100
_COLUMNS = re.compile(rb"(?m)^Wave +;[^\r\n]+[\r\n]+\[nm\] *;")


class Avantes8Reader(Reader):
    """AvaSoft 8 binaries."""

    name = "avantes-8"
    label = "Avantes AvaSoft 8"
    vendors = "Avantes"
    extensions = (".raw8", ".rfl8", ".rfr8", ".trm8", ".abs8", ".irr8", ".rir8", ".rwd8", ".drk8",
                  ".ref8")  # fmt: skip
    tested_on = "4 real files (scope, reflectance, irradiance, two spectrometers)"

    def sniff(self, source: Source) -> bool:
        """Whether the file begins with AVS8 and a digit."""
        return re.match(rb"AVS8\d", source.head) is not None

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`; one spectrum per spectrometer."""
        count = field(source, "<B", 5)
        spectra: list[Spectrum] = []
        at = 6
        for _ in range(count):
            if spectra and at >= source.size:
                source.warn(f"Cut off: {len(spectra)} of {count} spectrometers are there.")
                break
            spectra.append(_block(source, at, count))
            length = field(source, "<I", at, "block")
            at += length + 10
        return spectra


def _block(source: Source, at: int, count: int) -> Spectrum:
    mode = field(source, "<B", at + 5, "configuration")
    start, stop, exposure = fields(source, "<HHf", at + 83, "configuration")
    if stop <= start:
        raise source.refuse(f"says it starts at pixel {start} and stops at {stop}.",
                            "The header is damaged.")  # fmt: skip
    points = stop - start + 1
    x, sample, dark, reference = (
        array(source, "<f4", at + _CONFIGURATION + 4 * points * i, points, "spectrum")
        for i in range(4)
    )
    serial = text_field(source, at + 8, 10)
    kind = _MODES.get(mode, "")
    y, unit = _processed(source, kind, sample, dark, reference)
    metadata = {
        "Spectrometer": serial, "Integration time (ms)": round(exposure, 4), "Mode": kind or mode,
        "Averages": field(source, "<I", at + 95, "configuration"),
        "Comment": text_field(source, at + 192, 130),
    }  # fmt: skip
    return _spectrum(
        source, x, y, unit=unit, metadata={k: v for k, v in metadata.items() if v != ""},
        title=serial if count > 1 else "",
    )  # fmt: skip


def _processed(
    source: Source, kind: str, sample: NDArray[np.float64], dark: NDArray[np.float64],
    reference: NDArray[np.float64],
) -> tuple[NDArray[np.float64], str]:  # fmt: skip
    """What the program shows, from sample, dark and reference."""
    if kind in _UNITS:
        with np.errstate(all="ignore"):
            ratio = (sample - dark) / (reference - dark)
            y = -np.log10(ratio) if kind == "absorbance" else 100 * ratio
        if np.count_nonzero(np.isfinite(y)) >= 2:
            source.assume(f"{kind.capitalize()} from sample, dark and reference.")
            return y, _UNITS[kind].value
        source.warn("Sample, dark and reference give no finite ratio; the sample is shown.")
        return sample, YUnit.COUNTS.value
    if kind == "irradiance":
        source.assume("The irradiance calibration is not applied: sample minus dark, in counts.")
        return sample - dark, YUnit.COUNTS.value
    if kind == "scope minus dark":
        return sample - dark, YUnit.COUNTS.value
    if not kind:
        source.assume("The measurement mode is not known: the sample is shown as it is.")
    return sample, YUnit.COUNTS.value


def _spectrum(
    source: Source, x: Any, y: Any, *, unit: str,
    metadata: dict[str, Any], title: str = "",
) -> Spectrum:  # fmt: skip
    counts = unit == YUnit.COUNTS
    return source.spectrum(
        x, y, modality="emission" if counts else "uvvis", x_kind=XKind.WAVELENGTH, x_unit="nm",
        y_unit=unit, name=f"{source.path.stem} {title}".strip(), metadata=metadata,
        sample=source.path.stem if title else "",
    )  # fmt: skip


class AvantesOldReader(Reader):
    """AvaSoft 6 and 7 binaries."""

    name = "avantes-6"
    label = "Avantes AvaSoft 6 and 7"
    vendors = "Avantes"
    extensions = tuple(_OLD_KINDS)
    tested_on = "1 real file (transmittance)"

    def sniff(self, source: Source) -> bool:
        """Whether it begins with version 60 to 79 and a serial number, all as float32."""
        if source.suffix not in _OLD_KINDS or source.size % 4 or source.size < 4 * _OLD_HEADER:
            return False
        first, *name = np.nan_to_num(np.frombuffer(source.head[:40], "<f4"))
        return bool(60 <= first < 80 and all(32 <= c < 127 and c == int(c) for c in name))

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        header = array(source, "<f4", 0, _OLD_HEADER, "header")
        first, last = header[79], header[80]
        if not (0 <= first < last < 65536 and first == int(first) and last == int(last)):
            raise source.refuse(
                f"says pixels {first:g} to {last:g}.",
                "The header is damaged, or of another version.",
            )
        points = int(last - first) + 1
        rest = source.size // 4 - _OLD_HEADER
        kind = _OLD_KINDS[source.suffix]
        tail = array(source, "<f4", source.size - 12, 3, "settings")
        if rest == 3 * points + 3:
            flat = array(source, "<f4", 4 * _OLD_HEADER, 3 * points).reshape(points, 3)
            y, unit = _processed(source, kind, flat[:, 0], flat[:, 2], flat[:, 1])
        elif rest == points + 3:
            y, unit = array(source, "<f4", 4 * _OLD_HEADER, points), YUnit.COUNTS.value
        else:
            raise source.refuse(
                f"has {rest} numbers behind its header; expected {points + 3} or {3 * points + 3} "
                f"for {points} pixels.",
                "It is cut off, or of another version; export it as text.",
            )
        x = np.polynomial.polynomial.polyval(np.arange(first, last + 1), header[74:79])
        letters = "".join(chr(int(c)) for c in header[1:10] if 32 <= c < 127)
        metadata = {"Spectrometer": letters, "Integration time (ms)": float(tail[0]),
                    "Averages": float(tail[1]), "Mode": kind}  # fmt: skip
        return [_spectrum(source, x, y, unit=unit, metadata=metadata)]


class AvantesTextReader(Reader):
    """AvaSoft text exports."""

    name = "avantes-text"
    label = "Avantes text"
    vendors = "Avantes AvaSoft 7 and 8"
    extensions = (".ttt", ".trt", ".tit", ".txt")
    tested_on = "4 real exports"

    def sniff(self, source: Source) -> bool:
        """Whether a line of titles begins with Wave, over units that begin with [nm]."""
        return _COLUMNS.search(source.head[:4096]) is not None

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`; one spectrum per column, in their order."""
        text = source.data.replace(b"\0", b"").decode("latin-1").replace("\r\n", "\n")
        lines = text.split("\n")
        at = next(i for i, line in enumerate(lines) if re.match(r"Wave +;", line))
        titles = [c.strip() for c in lines[at].split(";")][1:]
        units = [c.strip(" []") for c in lines[at + 1].split(";")][1:]
        metadata = {}
        for line in lines[:at]:
            key, _, value = line.partition(":" if ":" in line else "]")
            if value.strip():
                metadata[key.strip(" [")] = value.strip()
            elif key.strip():
                metadata["Title"] = key.strip()
        width = len(titles) + 1
        body = "\n".join(lines[at + 2 :])
        decimal = "," if re.search(r"\d,\d", body[:2000]) and "." not in body[:2000] else "."
        table = Table(";", decimal, 0, width, tuple(range(width)), 0)
        values, skipped = parse_block(body.strip("\n"), table)
        if len(values) < 2:
            raise source.refuse(f"has {len(values)} rows of numbers.", "Export it again.")
        if skipped:
            source.warn(f"{skipped} line{'s' * (skipped > 1)} cut off or damaged, left out.")
        spectra = []
        for i, title in enumerate(titles):
            label = f"{title} {units[i] if i < len(units) else ''}"
            unit = y_axis(label if "%" in label else title) or y_axis(label) or YUnit.COUNTS.value
            spectra.append(
                _spectrum(source, values[:, 0], values[:, i + 1], unit=unit, metadata=metadata,
                          title=title if len(titles) > 1 else "")
            )  # fmt: skip
        return spectra
