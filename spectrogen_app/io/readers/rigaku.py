"""Rigaku: RAS, RASX, and the older text form whose keys begin with ``*TYPE``.

RAS is text (code page 932) with a header of ``*KEY "value"`` lines and points (angle, counts,
attenuation factor) between ``*RAS_INT_START`` and ``*RAS_INT_END``, once per scan. RASX is a zip
with ``Data0/Profile0.txt`` of the same three columns and the conditions in XML. The older form has
``*KEY = value`` lines, and per group ``*START``, ``*STEP``, ``*COUNT`` and the counts, several on
a line. Counts are multiplied by the attenuation factor, which is 1 where no attenuator was used.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.axis import K_ALPHA
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout, decode
from spectrogen_app.io.diffraction import pattern, rate_or_counts
from spectrogen_app.io.safe import open_zip, xml_root, zip_member

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
        for number, (before, after) in enumerate(pairwise(parts)):
            check(number / len(parts), f"Reading {source.name}")
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
            spectra.append(
                pattern(
                    source, x, y, layout=layout,
                    axis=keys.get("MEAS_SCAN_AXIS_X", "") or "2theta",
                    wavelength=_line(keys),
                    y_unit=rate_or_counts(keys.get("MEAS_SCAN_UNIT_Y", "")),
                    sample=keys.get("FILE_SAMPLE", ""),
                    name=source.path.stem + (f" scan {number + 1}" if len(parts) > 2 else ""),
                    metadata=keys,
                )
            )  # fmt: skip
        return spectra


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
                spectra.append(
                    pattern(
                        source, x, y, layout=layout,
                        axis=keys.get("AxisName", "") or "2theta",
                        wavelength=_conditions_line(keys),
                        y_unit=rate_or_counts(keys.get("IntensityUnit", "")),
                        sample=keys.get("SampleName", ""),
                        name=source.path.stem + (f" {i + 1}" if len(profiles) > 1 else ""),
                        metadata=keys,
                    )
                )  # fmt: skip
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
        for number, group in enumerate(groups):
            keys = {**common, **_keys(group)}
            values = re.findall(r"^[ \t]*[-+\d.][-+\d.eE, \t]*$", group, re.MULTILINE)
            y = np.array([float(v) for v in re.split(r"[,\s]+", " ".join(values)) if v])
            start, step, count = (_signed(keys.get(k)) for k in ("START", "STEP", "COUNT"))
            if start is None or step is None or step == 0:
                raise source.refuse("does not tell the start and step of x.", "It is damaged.")
            if y.size < 2:
                raise source.refuse(f"has a group of {y.size} points.", "It is cut off.")
            if count and int(count) != y.size:
                source.warn(f"The header promises {count:g} points, the group holds {y.size}.")
            spectra.append(
                pattern(
                    source, start + step * np.arange(y.size), y, layout=layout,
                    axis=keys.get("SCAN_AXIS", "") or "2theta",
                    wavelength=_line(keys), y_unit=rate_or_counts(keys.get("YUNIT", "")),
                    sample=keys.get("SAMPLE", ""),
                    name=source.path.stem + (f" {number + 1}" if len(groups) > 1 else ""),
                    metadata=keys,
                )
            )  # fmt: skip
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
