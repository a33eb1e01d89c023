"""Galactic SPC: new format (0x4B, big-endian 0x4C) and old format (0x4D); single, multi and xy.

After a header of 512 bytes (old: 224 with the first subheader behind it) come, if flagged, one x
axis as float32, then per spectrum a subheader of 32 bytes and the ordinates. These are float32
when the exponent is -128, else integers of 32 or 16 bits to be scaled by 2^exponent / 2^bits; the
exponent is the file's for a single spectrum and the subheader's for several. The old format has
its exponent in 16 bits and stores the two words of an integer the wrong way round. A file of
spectra with own x axes has a directory, whose place stands where the number of points usually is.
A log of ``key = value`` lines may follow.

Seen in real files: subheaders of single spectra with an exponent of their own that does not count;
an x axis that is flagged as Raman shift but belongs to photoluminescence; logs that point beyond
the end; the ``.spc`` of Shimadzu, which is an OLE container and not this format.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.recognise import laser_nm, recognise
from spectrogen_app.io.safe import array, field, fields, text_field

_SHORT, _MULTI, _LABELS, _OWN_X, _X = 0x01, 0x04, 0x20, 0x40, 0x80
_X_TYPES = {
    1: "wavenumber (cm-1)", 2: "wavelength (um)", 3: "wavelength (nm)", 13: "Raman shift (cm-1)",
    14: "energy (eV)",
}  # fmt: skip
_OTHER_X = (
    "", "", "", "", "s", "min", "Hz", "kHz", "MHz", "m/z", "ppm", "days", "years", "", "", "",
    "diode", "channel", "degrees", "F", "C", "K", "points", "ms", "us", "ns", "GHz", "cm", "m",
    "mm", "h",
)  # fmt: skip
_Y_TYPES = {
    2: YUnit.ABSORBANCE, 3: YUnit.KUBELKA_MUNK, 4: YUnit.COUNTS, 10: YUnit.LOG_REFLECTANCE,
    128: YUnit.TRANSMITTANCE, 129: YUnit.REFLECTANCE,
}  # fmt: skip
_EXPERIMENTS = {
    4: "ir", 5: "ir", 7: "uvvis", 8: "xrd", 11: "raman", 12: "emission", 14: "uvvis",
}  # fmt: skip
_NEW, _NEW_BIG, _OLD = 0x4B, 0x4C, 0x4D


@dataclass(frozen=True)
class Head:
    """The header, of either format; ``order`` is the byte order as of :mod:`struct`."""

    order: str
    old: bool
    flags: int
    experiment: int
    exponent: int
    points: int
    first: float
    last: float
    count: int
    x_type: int
    y_type: int
    date: str
    comment: str
    labels: str
    log: int
    size: int


class SpcReader(Reader):
    """Galactic SPC files."""

    name = "spc"
    label = "Galactic SPC"
    vendors = "GRAMS; Thermo, Horiba LabSpec, WITec, Renishaw, Ocean Optics, B&W Tek exports"
    extensions = (".spc",)
    tested_on = "41 real files: old and new, single, multi, xy; big-endian untested on a real file"

    def sniff(self, source: Source) -> bool:
        """Whether the version byte is known and the points and ends of x make sense."""
        head = source.head
        if len(head) < 256 or head[1] not in (_NEW, _NEW_BIG, _OLD):
            return False
        if head.startswith(b"PK") or 0 not in head[:512]:
            return False
        if head[1] == _OLD:
            points = field(source, "<f", 4)
            return bool(2 <= points <= 1e7)
        if len(head) < 512:
            return False
        order = "<" if head[1] == _NEW else ">"
        first, last = fields(source, order + "2d", 8)
        return bool(np.isfinite([first, last]).all()) and head[28] in (*range(31), 255)

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        head = _old_head(source) if source.head[1] == _OLD else _new_head(source)
        log = _log(source, head)
        spectra = []
        for number, (x, y, z) in enumerate(_curves(source, head)):
            check(number / max(head.count, 1), f"Reading {source.name}")
            spectra.append(_spectrum(source, head, log, layout, (x, y, z, number)))
        if not spectra:
            raise source.refuse("is cut off before its first spectrum.", "Copy it again.")
        return spectra


def _new_head(source: Source) -> Head:
    order = "<" if source.head[1] == _NEW else ">"
    flags, _, experiment, exponent = fields(source, "<3Bb", 0)
    points, first, last, count = fields(source, order + "I2dI", 4)
    stamp = field(source, order + "I", 32)
    return Head(
        order, False, flags, experiment, exponent, points, first, last, max(count, 1),
        source.head[28], source.head[29], _date(stamp), text_field(source, 88, 130),
        " ".join(source.data[218:248].decode("latin-1").split("\0")).strip(),
        field(source, order + "I", 248), 512,
    )  # fmt: skip


def _old_head(source: Source) -> Head:
    flags, _, exponent, points, first, last, x_type, y_type = fields(source, "<2Bh3f2B", 0)
    year, month, day, hour, minute = fields(source, "<H4B", 18)
    if not 2 <= points <= 1e7:
        raise source.refuse(f"promises {points:g} points.", "The header is damaged.")
    date = f"{year & 0x0FFF:04d}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}" if month else ""
    return Head(
        "<", True, flags, 0, exponent, int(points), first, last, 0, x_type, y_type, date,
        text_field(source, 64, 130),
        " ".join(source.data[194:224].decode("latin-1").split("\0")).strip(), 0, 224,
    )  # fmt: skip


def _date(stamp: int) -> str:
    if not stamp:
        return ""
    return (
        f"{stamp >> 20:04d}-{stamp >> 16 & 15:02d}-{stamp >> 11 & 31:02d} "
        f"{stamp >> 6 & 31:02d}:{stamp & 63:02d}"
    )


def _curves(
    source: Source, head: Head
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64], float]]:
    """x, y and the z value of each spectrum; stops at the end of a file that is cut off."""
    at = head.size
    common = None
    if not head.flags & _OWN_X:
        if not 2 <= head.points <= source.size:
            raise source.refuse(f"promises {head.points} points.", "The header is damaged.")
        if head.flags & _X:
            common = array(source, head.order + "f4", at, head.points, "x axis")
            at += 4 * head.points
        else:
            common = np.linspace(head.first, head.last, head.points)
    places = _places(source, head)
    number = 0
    while number < head.count or (head.old and number == 0) or (head.old and head.flags & _MULTI):
        at = places[number] if places else at
        if at + 32 > source.size:
            break
        own_exponent = field(source, "b", at + 1)
        z = field(source, head.order + "f", at + 4)
        points = field(source, head.order + "I", at + 16) if head.flags & _OWN_X else head.points
        exponent = own_exponent if head.flags & _MULTI else head.exponent
        wide = 2 if head.flags & _SHORT and exponent != -128 and not head.old else 4
        own = 4 * points if head.flags & _OWN_X else 0
        if at + 32 + own + wide * points > source.size:
            break
        at += 32
        x = common
        if x is None:
            if points < 2:
                at += own + wide * points
                number += 1
                continue
            x = array(source, head.order + "f4", at, points, "x axis")
            at += own
        yield x, _ordinates(source, head, at, points, exponent), z
        at += wide * points
        number += 1
    if number < head.count:
        source.warn(f"The file is cut off: {number} of {head.count} spectra are whole.")


def _places(source: Source, head: Head) -> list[int]:
    """Places of the subheaders, where the file has a directory."""
    if not (head.flags & _OWN_X and head.flags & _MULTI and head.points >= head.size):
        return []
    if head.points + 12 * head.count > source.size:
        return []
    return [field(source, head.order + "I", head.points + 12 * i) for i in range(head.count)]


def _ordinates(
    source: Source, head: Head, at: int, points: int, exponent: int
) -> NDArray[np.float64]:
    if head.old and exponent not in (-128, 128):
        words = array(source, "<u2", at, 2 * points).astype(np.int64)
        whole = ((words[0::2] << 16) + words[1::2]).astype(np.uint32).view(np.int32)
        return np.ldexp(whole.astype(np.float64), exponent - 32)
    if exponent in (-128, 128):
        return array(source, head.order + "f4", at, points)
    if head.flags & _SHORT:
        return np.ldexp(array(source, head.order + "i2", at, points), exponent - 16)
    return np.ldexp(array(source, head.order + "i4", at, points), exponent - 32)


def _log(source: Source, head: Head) -> dict[str, Any]:
    """The ``key = value`` lines of the log."""
    found: dict[str, Any] = {}
    if not head.log or head.log + 64 > source.size:
        return found
    size, _, offset = fields(source, head.order + "3I", head.log)
    text = source.data[head.log + offset : head.log + size].decode("latin-1")
    for line in text.split("\0", 1)[0].replace("\r", "\n").split("\n"):
        key, equals, value = line.partition("=")
        if equals and key.strip() and len(found) < 1000:
            found[key.strip()] = value.strip()[:2000]
    return found


def _spectrum(
    source: Source,
    head: Head,
    log: dict[str, Any],
    layout: TextLayout | None,
    curve: tuple[NDArray[np.float64], NDArray[np.float64], float, int],
) -> Spectrum:
    x, y, z, number = curve
    words = "\n".join(f"{k}={v}" for k, v in log.items())
    said = layout.modality if layout and layout.modality else _EXPERIMENTS.get(head.experiment)
    label = _X_TYPES.get(head.x_type, "")
    y_unit = _Y_TYPES.get(head.y_type, YUnit.INTENSITY).value
    if head.x_type == 18 and (said == "xrd" or "theta" in head.labels.lower()):
        label = "2theta"
    if head.labels and head.flags & _LABELS and not label:
        label = head.labels
    good = x[np.isfinite(x)]
    if label:
        known = recognise(
            good if good.size else np.zeros(2), x_label=label, path=source.path,
            y_label=y_unit if y_unit != YUnit.INTENSITY else "",
            header=f"{head.comment}\n{words}", modality=said,
        )  # fmt: skip
        if known.assumption:
            source.assume(known.assumption)
        modality, kind, unit = known.modality, known.x_kind, known.x_unit
        if modality == "xrd" and kind is not XKind.TWO_THETA:
            modality = "unknown"
    else:
        modality, kind = "unknown", XKind.OTHER
        unit = _OTHER_X[head.x_type] if head.x_type < len(_OTHER_X) else ""
        source.assume("The header does not say what x is; choose the modality.")
    if y_unit == YUnit.TRANSMITTANCE and np.nanmax(y, initial=0) > 5:
        y_unit = YUnit.TRANSMITTANCE_PERCENT.value
    several = head.count > 1 or number > 0
    return source.spectrum(
        x, y,
        modality=modality, x_kind=kind, x_unit=unit, y_unit=y_unit,
        name=source.path.stem + (f" {number + 1}" if several else ""),
        sample=source.path.stem if several else "",
        laser_nm=(
            laser_nm(words) or laser_nm(head.comment) or laser_nm(source.name)
            if modality == "raman" else None
        ),
        metadata={"comment": head.comment, "date": head.date, "labels": head.labels,
                  **({"z": z} if several else {}), **log},
    )  # fmt: skip
