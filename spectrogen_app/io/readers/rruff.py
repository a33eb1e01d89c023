"""RRUFF text: ``##KEY=value`` lines, then ``x, y`` rows, then ``##END=``; Latin-1.

Seen in real files: the first and last intensity of Raman and infrared curves is often a forced 0
(kept, and said; scoring and generation leave the end points out);
some rows are not in order of x; a few file names name another sample than their header does.
``##RRUFFID`` may carry ``-1``, ``-2`` for parts of one sample; the sample is the same.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.recognise import FAR_INFRARED_TOP, laser_nm, recognise

_ID = re.compile(r"(?<![A-Za-z0-9])([RX]\d{6})(-\d+)?(?![0-9])")


class RruffReader(Reader):
    """RRUFF mineral spectra and powder patterns."""

    name = "rruff"
    label = "RRUFF text"
    vendors = "RRUFF"
    extensions = (".txt", ".rruff")
    tested_on = "6,475 RRUFF files (Raman, infrared, powder)"

    def sniff(self, source: Source) -> bool:
        """Whether the head holds RRUFF keys, or is a RRUFF cell refinement."""
        head = source.head[:4096]
        return (
            head.startswith((b"##NAMES=", b"##RRUFFID="))
            or b"\n##RRUFFID=" in head
            or b"Program REFINE" in head
        )

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        if b"Program REFINE" in source.head[:4096]:
            raise source.refuse(
                "is a cell refinement (peak positions without intensities), not a spectrum.",
                "Take the matching Xray_Data_XY file.",
            )
        text = source.data.decode("latin-1").replace("\r", "\n")
        keys: dict[str, str] = {}
        at = 0
        while text.startswith("##", at) or text.startswith("\n", at):
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            key, _, value = text[at + 2 : end].partition("=")
            if key.strip():
                keys[key.strip()] = value.strip()
            at = end + 1
        stop = text.find("##", at)
        values = _numbers(source, text[at : stop if stop >= 0 else len(text)])
        spectrum = self._spectrum(source, keys, values, layout or TextLayout())
        if stop < 0 and spectrum.modality != "xrd":
            source.warn("The closing line ##END= is missing; the file may be cut off.")
        return [spectrum]

    def _spectrum(
        self, source: Source, keys: dict[str, str], values: NDArray[np.float64], layout: TextLayout
    ) -> Spectrum:
        x, y = values[:, 0], values[:, 1]
        name, sample = _identity(source, keys)
        wavelength = _number(keys.get("X-RAY WAVELENGTH", ""))
        if layout.modality is not None:
            modality = layout.modality
        elif wavelength is not None:
            modality = "xrd"
        else:
            modality = _technique(source, x)
        if modality == "ir" and x.max() < FAR_INFRARED_TOP:
            modality = "fir"
        if modality in ("raman", "ir", "fir"):
            _tell_forced_zeros(source, y)
        return source.spectrum(
            x, y,
            modality=modality,
            x_kind={"raman": XKind.RAMAN_SHIFT, "xrd": XKind.TWO_THETA}.get(
                modality, XKind.WAVENUMBER
            ),
            y_unit=(YUnit.ABSORBANCE if modality in ("ir", "fir") else YUnit.INTENSITY).value,
            name=name,
            sample=sample,
            formula=keys.get("IDEAL CHEMISTRY") or None,
            laser_nm=_laser(source, keys) if modality == "raman" else None,
            wavelength=wavelength if modality == "xrd" else None,
            metadata=keys,
        )  # fmt: skip


def _numbers(source: Source, body: str) -> NDArray[np.float64]:
    """Rows of x and y; lines that are not rows are said."""
    flat = body.replace(",", " ").strip()
    try:
        values = np.fromstring(flat, dtype=np.float64, sep=" ") if flat else np.empty(0)
    except (ValueError, DeprecationWarning):
        values = np.empty(0)
    if values.size and values.size == 2 * (len(re.findall(r"\n\s*", flat)) + 1):
        return values.reshape(-1, 2)
    rows, bad = [], 0
    for line in body.split("\n"):
        cells = line.replace(",", " ").split()
        try:
            rows.append((float(cells[0]), float(cells[1])))
        except (ValueError, IndexError):
            bad += bool(cells)
    if bad:
        source.warn(f"{bad} line{'s' * (bad > 1)} that are not x and y left out.")
    if len(rows) < 2:
        raise source.refuse(
            f"has a RRUFF header but {len(rows)} row{'s' * (len(rows) != 1)} of x and y.",
            "Download it again; a whole file ends with ##END=.",
        )
    return np.array(rows)


def _identity(source: Source, keys: dict[str, str]) -> tuple[str, str]:
    """Name of the curve and of the sample; the header is trusted over the file name."""
    mineral = keys.get("NAMES", "").strip()
    in_name = _ID.search(source.name.replace("_", " "))
    in_header = _ID.search(keys.get("RRUFFID", ""))
    number = in_header or in_name
    if in_header and in_name and in_header[1] != in_name[1]:
        source.warn(
            f"The file name says {in_name[1]}, the header {in_header[1]}; the header is trusted."
        )
    if not mineral:
        mineral = source.name.split("__")[0] if "__" in source.name else ""
    sample = " ".join(part for part in (mineral, number[1] if number else "") if part)
    return (sample or source.path.stem), sample


def _technique(source: Source, x: NDArray[np.float64]) -> str:
    parts = source.name.lower()
    for word, modality in (("raman", "raman"), ("infrared", "ir"), ("xray", "xrd"),
                           ("powder", "xrd")):  # fmt: skip
        if word in parts:
            return modality
    known = recognise(x, path=source.path)
    source.assume(known.assumption)
    if known.modality == "unknown":
        raise source.refuse(
            "is RRUFF text, but neither its name, its header nor its range tells the technique.",
            "Choose the modality.",
        )
    return known.modality


def _laser(source: Source, keys: dict[str, str]) -> float | None:
    for key, value in keys.items():
        if "LASER" in key.upper() or "RAMAN WAVELENGTH" in key.upper():
            return _number(value)
    return laser_nm(source.name)


def _number(text: str) -> float | None:
    match = re.search(r"\d+(?:\.\d*)?", text)
    return float(match[0]) if match and float(match[0]) > 0 else None


def _tell_forced_zeros(source: Source, y: NDArray[np.float64]) -> None:
    """Say that an end point is exactly 0 beside one that is not; the points stay as in the file."""
    first, last = y[0] == 0 != y[1], y[-1] == 0 != y[-2]
    if first or last:
        which = "first and last" if first and last else "first" if first else "last"
        source.assume(f"The {which} intensity is a forced 0 of RRUFF's export, not a measurement.")
