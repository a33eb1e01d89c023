"""Rigaku: RAS, RASX, and the older text form whose keys begin with ``*TYPE``.

RAS is text (code page 932) with a header of ``*KEY "value"`` lines and points (angle, counts,
attenuation factor) between ``*RAS_INT_START`` and ``*RAS_INT_END``, once per scan. RASX is a zip
with ``Data0/Profile0.txt`` of the same three columns and the conditions in XML. The older form has
``*KEY = value`` lines, and per group ``*START``, ``*STEP``, ``*COUNT`` and the counts, several on
a line. Counts are multiplied by the attenuation factor, which is 1 where no attenuator was used.

The binary RAW begins with ``FI``. Two open programs agree on files of one range: K-alpha1 and 2 as
float64 at byte 984, start, stop and step as float32 at 3004, counts as float32 to the end of the
file. They differ in where the counts begin (3058 or 3074), so the size of the file must decide: it
is read only if as many counts as start, stop and step promise begin at one of the two. The form
with the byte 216 at 4 (several ranges) is known to one of them only and refused.
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
from spectrogen_app.io.safe import array, fields, open_zip, xml_root, zip_member

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
    """Rigaku's binary files of one range."""

    name = "rigaku-raw"
    label = "Rigaku RAW"
    vendors = "Rigaku MiniFlex, Ultima, RINT (binary)"
    extensions = (".raw",)

    def sniff(self, source: Source) -> bool:
        """Whether magic bytes and extension are those of the format, and it is no text."""
        binary = b"\0" in source.head[:1000]
        return source.head.startswith(b"FI") and source.suffix == ".raw" and binary

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        hint = "Export it from the Rigaku program as RAS or text."
        if source.data[4:5] == b"\xd8":
            raise source.refuse("is Rigaku RAW of the form with several ranges, not known.", hint)
        first, second = fields(source, "<2d", 984)
        start, stop, step = fields(source, "<3f", 3004)
        with np.errstate(all="ignore"):
            count = (np.float64(stop) - start) / step + 1
        if not (abs(start) <= 180 and abs(stop) <= 180 and step > 0 and 2 <= count < 1e7):
            raise source.refuse(f"says {start:g} to {stop:g} in steps of {step:g} degrees.", hint)
        n = round(float(count))
        begin = source.size - 4 * n
        if begin not in (3058, 3074):
            raise source.refuse(
                f"promises {n} counts, but has {source.size} bytes, which fits neither known form "
                "of Rigaku RAW.", hint,
            )  # fmt: skip
        y = array(source, "<f4", begin, n, "counts")
        line = (2 * first + second) / 3 if 0.1 < first < second < 5 else first
        return [
            pattern(source, start + step * np.arange(n), y, layout=layout, wavelength=line,
                    metadata={"K-alpha1": first, "K-alpha2": second})
        ]  # fmt: skip
