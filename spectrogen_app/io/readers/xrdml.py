"""PANalytical XRDML, schemas 1.0 to 2.3.

Every ``scan`` holds ``dataPoints`` with positions per axis (start and end, a list, or one common
value) and intensities, called ``intensities`` up to schema 1.6 and ``counts`` from 2.0. From 2.0 a
list of ``beamAttenuationFactors`` may stand beside the raw counts; the counts are given as they
were recorded, and that is said.

Seen in real files: a byte-order mark; scans over Phi (pole figure) and area measurements of 101
scans with 2theta ranges of their own; empty sample names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check, ReadError
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.diffraction import pattern
from spectrogen_app.io.safe import xml_root


class XrdmlReader(Reader):
    """PANalytical XRDML files."""

    name = "xrdml"
    label = "PANalytical XRDML"
    vendors = "Malvern Panalytical Data Collector, HighScore"
    extensions = (".xrdml",)
    tested_on = "9 real files of schemas 1.2 to 2.2"

    def sniff(self, source: Source) -> bool:
        """Whether the head names the root element."""
        return b"<xrdMeasurements" in source.head[:4096]

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        root = xml_root(source, source.data)
        sample = _text(root, "sample/name") or _text(root, "sample/id")
        scans = [
            (measurement, scan)
            for measurement in _all(root, "xrdMeasurement")
            for scan in _all(measurement, "scan")
        ]
        if not scans:
            raise source.refuse("holds no scan.", "Check that the measurement was finished.")
        spectra = []
        for number, (measurement, scan) in enumerate(scans):
            check(number / len(scans), f"Reading {source.name}")
            axis = scan.get("scanAxis", "")
            try:
                x, y, moved = _points(source, scan, axis)
            except ReadError as error:
                if len(scans) == 1:
                    raise
                source.warn(f"Scan {number + 1} left out: {error.message}")
                continue
            lines = {t: _text(measurement, f"usedWavelength/{t}") for t in ("kAlpha1", "kAlpha2")}
            ratio = _text(measurement, "usedWavelength/ratioKAlpha2KAlpha1")
            spectra.append(
                pattern(
                    source, x, y, axis=moved, layout=layout,
                    wavelength=_wavelength(lines, ratio),
                    sample=sample,
                    name=source.path.stem + (f" scan {number + 1}" if len(scans) > 1 else ""),
                    metadata={
                        **_flat(scan, "header"), **_flat(measurement, "usedWavelength"),
                        **_flat(measurement, "incidentBeamPath"),
                        "comment": [e.text or "" for e in root.iter() if _tag(e) == "entry"],
                        "status": scan.get("status", ""), "mode": scan.get("mode", ""),
                        "measurement": measurement.get("measurementType", ""),
                    },
                )
            )  # fmt: skip
        if not spectra:
            raise source.refuse("holds no scan with points.", "The measurement was not finished.")
        return spectra


def _tag(element: Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def _all(element: Element, name: str) -> Iterator[Element]:
    return (child for child in element if _tag(child) == name)


def _find(element: Element, path: str) -> Element | None:
    found: Element | None = element
    for name in path.split("/"):
        found = next(_all(found, name), None) if found is not None else None
    return found


def _text(element: Element, path: str) -> str:
    found = _find(element, path)
    return (found.text or "").strip() if found is not None else ""


def _flat(element: Element, name: str) -> dict[str, Any]:
    """All texts and attributes below a child, by their path."""
    top = _find(element, name)
    found: dict[str, Any] = {}

    def walk(node: Element, path: str) -> None:
        text = (node.text or "").strip()
        if text:
            found[path] = f"{text} {node.get('unit', '')}".strip()
        if node.get("name"):
            found[f"{path} name"] = str(node.get("name"))
        for child in node:
            walk(child, f"{path}/{_tag(child)}")

    if top is not None:
        walk(top, name)
    return found


def _numbers(source: Source, text: str, what: str) -> NDArray[np.float64]:
    try:
        return np.fromstring(text, dtype=np.float64, sep=" ") if text.strip() else np.empty(0)
    except (ValueError, DeprecationWarning) as error:
        raise source.refuse(f"has {what} that are not numbers.", "It is damaged.") from error


def _points(
    source: Source, scan: Element, axis: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
    """Angles, intensities and the axis that the angles belong to."""
    data = _find(scan, "dataPoints")
    if data is None:
        raise source.refuse("has a scan without points.", "The measurement was not finished.")
    text = _text(data, "intensities") or _text(data, "counts")
    y = _numbers(source, text, "intensities")
    if y.size < 2:
        raise source.refuse(f"has a scan of {y.size} points.", "The measurement was not finished.")
    factors = _numbers(source, _text(data, "beamAttenuationFactors"), "attenuation factors")
    if factors.size and factors.max() > 1:
        source.warn(
            f"Raw counts are given; beam attenuation factors up to {factors.max():g} are in the "
            "file and not applied."
        )
    positions = {p.get("axis", ""): p for p in _all(data, "positions")}
    moved = "2Theta" if "2theta" in axis.lower() or axis.lower() == "gonio" else axis
    for name in (moved, "2Theta", *positions):
        place = positions.get(name)
        if place is None:
            continue
        start, end = _text(place, "startPosition"), _text(place, "endPosition")
        if start and end:
            ends = _numbers(source, f"{start} {end}", "positions")
            return np.linspace(ends[0], ends[-1], y.size), y, name
        x = _numbers(source, _text(place, "listPositions"), "positions")
        if x.size == y.size:
            return x, y, name
    raise source.refuse(f"does not tell the positions of its {axis} scan.", "It is damaged.")


def _wavelength(lines: dict[str, str], ratio: str) -> float | None:
    """K-alpha1 alone where K-alpha2 was removed, else the weighted mean."""
    try:
        first = float(lines["kAlpha1"])
        second, share = float(lines["kAlpha2"] or first), float(ratio or 0)
    except ValueError:
        return None
    return (first + share * second) / (1 + share) if share > 0 else first
