"""Bruker BRML: a zip of XML; the points stand in ``Experiment*/RawData*.xml``.

A ``DataRoute`` lists its axes (``ScanAxisInfo``) and holds one ``Datum`` per point, values
separated by commas: measured time, absorption factor, one value per axis, then the counts of each
detector. Its ``DataViews`` say where each of them begins. A detector that stands still gives a
single ``Datum`` whose values are the channels of the range.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.diffraction import pattern
from spectrogen_app.io.safe import open_zip, xml_root, zip_member

_RAW = re.compile(r"(?i)(^|/)RawData\d+\.xml$")


class BrmlReader(Reader):
    """Bruker BRML files."""

    name = "brml"
    label = "Bruker BRML"
    vendors = "Bruker DIFFRAC.SUITE (D8, D2, D6)"
    extensions = (".brml",)
    tested_on = "1 real file of a D8 Advance"

    def sniff(self, source: Source) -> bool:
        """Whether it is a zip whose members are those of an experiment."""
        return source.head.startswith(b"PK\x03\x04") and (
            b"experimentCollection.xml" in source.head
            or b"Experiment0/" in source.head[:4096]
            or source.suffix == ".brml"
        )

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        spectra: list[Spectrum] = []
        with open_zip(source) as archive:
            names = sorted(n for n in archive.namelist() if _RAW.search(n))
            for i, name in enumerate(names):
                check(i / len(names), f"Reading {source.name}")
                root = xml_root(source, zip_member(source, archive, name), name)
                measured = [
                    r for r in root.iter("DataRoute") if r.get("RouteFlag") in (None, "Measured")
                ]
                for route in measured or list(root.iter("DataRoute")):
                    spectrum = _route(source, root, route, layout, len(spectra))
                    if spectrum is not None:
                        spectra.append(spectrum)
        if not spectra:
            raise source.refuse("holds no measured points.", "Check that it was measured.")
        return spectra


def _route(
    source: Source, root: Element, route: Element, layout: TextLayout | None, number: int
) -> Spectrum | None:
    axes = list(route.iter("ScanAxisInfo"))
    rows = [d.text or "" for d in route.iter("Datum")]
    if not rows or not axes:
        return None
    axis = next((a for a in axes if a.get("AxisId") == "TwoTheta"), axes[0])
    data = _table(source, rows)
    place, first, factor = _places(route, axis.get("AxisId", ""), 2 + axes.index(axis), len(axes))
    if len(data) == 1 and data.shape[1] > first + 1:
        y = data[0, first:]
        x = np.linspace(_number(axis, "Start"), _number(axis, "Stop"), y.size)
    else:
        if data.shape[1] <= max(place, first, factor):
            raise source.refuse(
                f"has {data.shape[1]} values per point, expected more than "
                f"{max(place, first, factor)}.",
                "It is of a variant that is not known; export it as xy.",
            )
        x, y = data[:, place], data[:, first]
        if data[:, factor].max() > 1:
            source.warn(
                f"An absorber was used, with factors up to {data[:, factor].max():g}; the counts "
                "are given as they were recorded."
            )
        if data.shape[1] > first + 1:
            source.warn(f"Each point has {data.shape[1] - first} counters; the first is read.")
    metadata: dict[str, Any] = {
        "started": root.findtext("TimeStampStarted", ""),
        "finished": root.findtext("TimeStampFinished", ""),
        "status": root.findtext("MeasurementStatus", ""),
        "time per step": route.findtext(".//TimePerStep", ""),
        "mode": route.findtext(".//ScanModeVisibleName", ""),
    }
    for element in root.iter():
        tag = element.tag.rsplit("}", 1)[-1]
        if tag.startswith(("WaveLength", "TubeMaterial", "Anode")) and len(metadata) < 200:
            value = (element.text or "").strip() or element.get("Value") or ""
            if value:
                metadata.setdefault(tag, value)
    return pattern(
        source, x, y, axis=axis.get("AxisId", ""), layout=layout, wavelength=_line(metadata),
        name=source.path.stem + (f" {number + 1}" if number else ""), metadata=metadata,
    )  # fmt: skip


def _places(route: Element, axis: str, place: int, axes: int) -> tuple[int, int, int]:
    """Columns of the axis, of the first counter and of the absorption factor."""
    found = {"axis": place, "counter": 2 + axes, "factor": 1}
    for view in reversed(list(route.iter("RawDataView"))):
        start = view.get("Start", "")
        if not start.isdecimal():
            continue
        moved = [f.get("AxisId") for f in view.iter("FieldDefinitions")]
        if axis in moved:
            found["axis"] = int(start) + moved.index(axis)
        elif view.get("LogicName") == "AbsorptionFactor":
            found["factor"] = int(start)
        elif view.find("Recording") is not None:
            found["counter"] = int(start)
    return found["axis"], found["counter"], found["factor"]


def _table(source: Source, rows: list[str]) -> NDArray[np.float64]:
    width = rows[0].count(",") + 1
    try:
        values = np.fromstring(",".join(rows), dtype=np.float64, sep=",")
    except (ValueError, DeprecationWarning) as error:
        raise source.refuse("has points that are not numbers.", "It is damaged.") from error
    if values.size != width * len(rows):
        raise source.refuse("has points of different length.", "It is damaged.")
    return values.reshape(len(rows), width)


def _number(axis: Element, name: str) -> float:
    return float(axis.findtext(name, "nan"))


def _line(metadata: dict[str, Any]) -> float | None:
    """Weighted mean of K-alpha, else K-alpha1."""
    for key in ("WaveLengthAverage", "WaveLengthAlpha1"):
        try:
            value = float(str(metadata.get(key, "")))
        except ValueError:
            continue
        if value > 0:
            return value if value > 0.1 else value * 10
    return None
