"""Rigaku: RAS, RASX, and the older text form whose keys begin with ``*TYPE``.

RAS is text (code page 932) with a header of ``*KEY "value"`` lines and points (angle, counts,
attenuation factor) between ``*RAS_INT_START`` and ``*RAS_INT_END``, once per scan. RASX is a zip
with ``Data0/Profile0.txt`` of the same three columns and the conditions in XML. The older form has
``*KEY = value`` lines, and per group ``*START``, ``*STEP``, ``*COUNT`` and the counts, several on
a line. Counts are multiplied by the attenuation factor, which is 1 where no attenuator was used.

The binary RAW begins with ``FI``. SmartLab, Ultima and RINT write tagged blocks: K-alpha1 and 2
as float64 at byte 1212; per range a block ``PI`` with seconds per step, start, stop and step as
float32 at its byte 822, and a block ``DA`` with the number of counts as uint32 at its byte 16 and
the counts as float32 from its byte 20. A range is taken only if start, stop and step promise as
many counts. Files without these tags: K-alpha1 and 2 as float64 at byte 984, start, stop and step
as float32 at 3004, counts to the end of the file. Two open programs differ in where these counts
begin (3058 or 3074), so the size of the file must decide.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spectrogen_app.data.axis import K_ALPHA
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout, decode
from spectrogen_app.io.diffraction import pattern, rate_or_counts
from spectrogen_app.io.safe import array, field, fields, open_zip, xml_root, zip_member

_PROFILE = re.compile(r"(?i)(^|/)Data(\d+)/Profile\d+\.txt$")


class RasReader(Reader):
    """Rigaku RAS files."""

    name = "rigaku-ras"
    label = "Rigaku RAS"
    vendors = "Rigaku SmartLab, MiniFlex, Ultima"
    extensions = (".ras",)
    tested_on = "4 real files, one with two scans"

    def sniff(self, source: Source) -> bool:
        """Whether the first key is that of the format."""
        return b"*RAS_DATA_START" in source.head[:4096]

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        text = decode(source.data, "cp932")
        parts = re.split(r"^\*RAS_INT_START[ \t]*$", text, flags=re.MULTILINE)
        if len(parts) < 2:
            raise source.refuse("holds no points.", "The measurement was not finished.")
        spectra = []
        for i, (before, after) in enumerate(pairwise(parts)):
            check(i / len(parts), f"Reading {source.name}")
            header = before.rsplit("*RAS_HEADER_START", 1)[-1]
            keys = {
                m[1]: m[2].strip()
                for m in re.finditer(r'^\*(\S+)[ \t]+"(.*)"[ \t]*$', header, re.MULTILINE)
            }
            body, end, _ = after.partition("*RAS_INT_END")
            if not end:
                source.warn("The end of the last scan is missing; the file is cut off.")
                body = body.rsplit("\n", 1)[0]
            x, y = _profile(source, body)
            named = ("MEAS_SCAN_AXIS_X", "MEAS_SCAN_UNIT_Y", "FILE_SAMPLE")
            number = f" scan {i + 1}" if len(parts) > 2 else ""
            spectra.append(
                _scan(source, layout, x, y, keys=keys, named=named, line=_line(keys), number=number)
            )
        return spectra


def _scan(
    source: Source,
    layout: TextLayout | None,
    x: ArrayLike,
    y: ArrayLike,
    *,
    keys: dict[str, Any],
    named: tuple[str, str, str],
    line: float | None,
    number: str,
) -> Spectrum:
    """One scan; ``named`` are the keys of its axis, its ordinate's unit and its sample."""
    axis, unit, sample = (keys.get(key, "") for key in named)
    return pattern(
        source, x, y, layout=layout, axis=axis or "2theta", wavelength=line,
        y_unit=rate_or_counts(unit), sample=sample, name=source.path.stem + number, metadata=keys,
    )  # fmt: skip


def _profile(source: Source, body: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    try:
        flat = np.fromstring(body, dtype=np.float64, sep=" ") if body.strip() else np.empty(0)
    except (ValueError, DeprecationWarning) as error:
        raise source.refuse("has points that are not numbers.", "It is damaged.") from error
    width = len(body.strip().split("\n", 1)[0].split())
    if width not in (2, 3) or flat.size < 2 * width or flat.size % width:
        raise source.refuse("has rows of points of different length.", "It is damaged.")
    table = flat.reshape(-1, width)
    factor = table[:, 2] if width == 3 else 1.0
    if width == 3 and np.any(table[:, 2] > 1):
        source.assume(
            f"Counts are multiplied by the attenuation factor, up to {table[:, 2].max():g}."
        )
    return table[:, 0], table[:, 1] * factor


def _line(keys: dict[str, Any]) -> float | None:
    """Weighted mean of K-alpha1 and K-alpha2, or the one that is given."""
    first = _number(keys.get("HW_XG_WAVE_LENGTH_ALPHA1") or keys.get("WAVE_LENGTH1"))
    second = _number(keys.get("HW_XG_WAVE_LENGTH_ALPHA2") or keys.get("WAVE_LENGTH2"))
    if first and second and "1" not in str(keys.get("XRAY_CHAR", "")):
        return (2 * first + second) / 3
    target = str(keys.get("HW_XG_TARGET_NAME", "")).strip().capitalize()
    return first or K_ALPHA.get(target)


def _number(text: object) -> float | None:
    try:
        value = float(str(text))
    except ValueError:
        return None
    return value if value > 0 else None


class RasxReader(Reader):
    """Rigaku RASX files."""

    name = "rigaku-rasx"
    label = "Rigaku RASX"
    vendors = "Rigaku SmartLab Studio"
    extensions = (".rasx",)
    tested_on = "3 real files"

    def sniff(self, source: Source) -> bool:
        """Whether it is a zip whose members are those of the format."""
        return source.head.startswith(b"PK\x03\x04") and (
            b"MesurementConditions" in source.head
            or re.search(rb"Data\d+/Profile\d+\.txt", source.head) is not None
        )

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        spectra = []
        with open_zip(source) as archive:
            members = archive.namelist()
            profiles = sorted(
                (n for n in members if _PROFILE.search(n)), key=lambda n: int(_order(n))
            )
            for i, name in enumerate(profiles):
                check(i / len(profiles), f"Reading {source.name}")
                x, y = _profile(source, decode(zip_member(source, archive, name)))
                folder = name.rsplit("/", 1)[0]
                conditions = next(
                    (m for m in members if m.startswith(folder + "/") and m.endswith(".xml")), None
                )
                keys: dict[str, Any] = {}
                if conditions:
                    root = xml_root(source, zip_member(source, archive, conditions), conditions)
                    for element in root.iter():
                        text = (element.text or "").strip()
                        if text and len(keys) < 500:
                            keys.setdefault(element.tag, text)
                named = ("AxisName", "IntensityUnit", "SampleName")
                line, number = _conditions_line(keys), f" {i + 1}" if len(profiles) > 1 else ""
                spectra.append(
                    _scan(source, layout, x, y, keys=keys, named=named, line=line, number=number)
                )
        if not spectra:
            raise source.refuse("holds no profile.", "Export it as RAS or text.")
        return spectra


def _order(name: str) -> str:
    match = _PROFILE.search(name)
    return match[2] if match else "0"


def _conditions_line(keys: dict[str, Any]) -> float | None:
    first, second = _number(keys.get("WavelengthKalpha1")), _number(keys.get("WavelengthKalpha2"))
    if first and second and keys.get("WaveType") != "Ka1":
        return (2 * first + second) / 3
    return first


class RigakuTextReader(Reader):
    """Rigaku's older text files."""

    name = "rigaku-text"
    label = "Rigaku text (*TYPE)"
    vendors = "Rigaku RINT, MiniFlex, PDXL export"
    extensions = (".asc", ".dat")
    tested_on = "7 real files, one a pole figure"

    def sniff(self, source: Source) -> bool:
        """Whether the first key is that of the format."""
        return source.head.lstrip().startswith(b"*TYPE") and b"*CLASS" in source.head[:2000]

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        text = decode(source.data)
        head, *groups = re.split(r"^\*BEGIN[ \t]*$", text, flags=re.MULTILINE)
        common = _keys(head)
        if not groups:
            groups = [text]
        spectra = []
        for i, group in enumerate(groups):
            keys = {**common, **_keys(group)}
            values = re.findall(r"^[ \t]*[-+\d.][-+\d.eE, \t]*$", group, re.MULTILINE)
            try:
                y = np.array([float(v) for v in re.split(r"[,\s]+", " ".join(values)) if v])
            except ValueError as error:
                raise source.refuse(f"has counts that are no numbers ({error}).",
                                    "It is damaged.") from error  # fmt: skip
            start, step, count = (_signed(keys.get(k)) for k in ("START", "STEP", "COUNT"))
            if start is None or step is None or step == 0:
                raise source.refuse("does not tell the start and step of x.", "It is damaged.")
            if y.size < 2:
                raise source.refuse(f"has a group of {y.size} points.", "It is cut off.")
            if count and int(count) != y.size:
                source.warn(f"The header promises {count:g} points, the group holds {y.size}.")
            x, named = start + step * np.arange(y.size), ("SCAN_AXIS", "YUNIT", "SAMPLE")
            number = f" {i + 1}" if len(groups) > 1 else ""
            spectra.append(
                _scan(source, layout, x, y, keys=keys, named=named, line=_line(keys), number=number)
            )
        return spectra


def _keys(text: str) -> dict[str, Any]:
    return {
        m[1]: m[2].strip() for m in re.finditer(r"^\*(\w+)[ \t]*=[ \t]*(.*)$", text, re.MULTILINE)
    }


def _signed(text: object) -> float | None:
    try:
        return float(str(text).split(",")[0])
    except ValueError:
        return None


class RigakuRawReader(Reader):
    """Rigaku's binary files."""

    name = "rigaku-raw"
    label = "Rigaku RAW"
    vendors = "Rigaku SmartLab, MiniFlex, Ultima, RINT (binary)"
    extensions = (".raw",)

    def sniff(self, source: Source) -> bool:
        """Whether magic bytes and extension are those of the format, and it is no text."""
        binary = b"\0" in source.head[:1000]
        return source.head.startswith(b"FI") and source.suffix == ".raw" and binary

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        found = _tagged(source)
        first, second = fields(source, "<2d", 1212 if found else 984)
        line = (2 * first + second) / 3 if 0.1 < first < second < 5 else first
        spectra = []
        for i, (axis, counts) in enumerate(found or [_untagged(source)]):
            seconds, start, _, step = axis
            spectra.append(pattern(
                source, start + step * np.arange(counts.size), counts, layout=layout,
                wavelength=line,
                name=source.path.stem + (f" range {i + 1}" if len(found) > 1 else ""),
                metadata={
                    "K-alpha1": first, "K-alpha2": second,
                    **({"Seconds per step": seconds} if found else {}),
                },
            ))  # fmt: skip
        return spectra


_RAW_HINT = "Export it from the Rigaku program as RAS or text."
_Range = tuple[tuple[float, ...], NDArray[np.float64]]
"""Seconds per step, start, stop and step of a range; its counts."""


def _promised(start: float, stop: float, step: float) -> int:
    """The number of counts of a range, 0 where these are no angles."""
    if not (abs(start) <= 360 and abs(stop) <= 360 and 1e-6 < abs(step) < 90):
        return 0
    count = round((stop - start) / step) + 1
    return count if 2 <= count < 1e7 else 0


def _tagged(source: Source) -> list[_Range]:
    """The ranges of a file of tagged blocks."""
    data, at = source.data, 0
    axes: list[tuple[float, ...]] = []
    ranges: list[_Range] = []
    while tag := re.compile(rb"(PI|DA)\0\0").search(data, at):
        at = tag.end()
        if tag[1] == b"PI":
            if tag.start() + 838 <= source.size:
                axis = fields(source, "<4f", tag.start() + 822)
                if _promised(*axis[1:]):
                    axes.append(axis)
            continue
        begin = tag.start() + 20
        if len(axes) <= len(ranges) or begin > source.size:
            continue
        axis, count = axes[len(ranges)], field(source, "<I", begin - 4)
        if abs(count - _promised(*axis[1:])) > 1:
            continue
        there = min(count, (source.size - begin) // 4)
        if there < count:
            source.warn(f"Cut off: the last range has {there} of {count} counts.")
        at = begin + 4 * there
        ranges.append((axis, array(source, "<f4", begin, there, "counts")))
    return ranges


def _untagged(source: Source) -> _Range:
    """The only range of a file without tags."""
    axis = (0.0, *fields(source, "<3f", 3004))
    n = _promised(*axis[1:])
    begin = source.size - 4 * n
    if not n:
        raise source.refuse(
            "has neither the blocks nor the header of a known form of Rigaku RAW.", _RAW_HINT
        )
    if begin not in (3058, 3074):
        raise source.refuse(
            f"promises {n} counts, but has {source.size} bytes, which fits no known form of "
            "Rigaku RAW.", _RAW_HINT,
        )  # fmt: skip
    return axis, array(source, "<f4", begin, n, "counts")
