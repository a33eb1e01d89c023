"""Ocean Optics / Ocean Insight: text of OOIBase32, SpectraSuite, OceanView and Jaz, and ProcSpec.

Text has a header, a line ``>>>>>Begin ... Data<<<<<``, rows, and often ``>>>>>End ...``. The y unit
stands nowhere but, sometimes, in the name (``.Master.Transmission``). ProcSpec is a zip of an XML
that Java serialised: wavelengths and raw pixels under ``sourceSpectra``, then certificates, one of
which holds the processed pixels while the others refer to them.

Seen in real files: decimal comma; a bare CR before the date; Jaz columns named W, D, S, P over the
numbers (wavelength, dark, sample, processed); XML in the platform's own encoding without saying so
(Latin-1 on Windows, Mac Roman), with characters that no XML may hold; one file whose raw pixels
are under another name and are left out.
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
from spectrogen_app.io.columns import columns, decimal_sign, pairs
from spectrogen_app.io.recognise import x_axis
from spectrogen_app.io.safe import check_zip, open_zip, xml_root, zip_member

_BEGIN = re.compile(r">>>>>Begin[^<\n]*Data<<<<<[ \t]*\n")
_ABSORPTION = (YUnit.TRANSMITTANCE_PERCENT, YUnit.REFLECTANCE_PERCENT, YUnit.ABSORBANCE)
_WORDS = (("transm", YUnit.TRANSMITTANCE_PERCENT), ("reflect", YUnit.REFLECTANCE_PERCENT),
          ("absorb", YUnit.ABSORBANCE), ("count", YUnit.COUNTS),
          ("scope", YUnit.COUNTS))  # fmt: skip
_JAZ = {"D": "dark", "S": "sample", "P": "processed", "R": "reference"}


class OceanTextReader(Reader):
    """Ocean Optics text."""

    name = "ocean-text"
    label = "Ocean Optics text"
    vendors = "Ocean Optics / Insight OOIBase32, SpectraSuite, OceanView, Jaz"
    extensions = (".txt", ".transmission", ".absorbance", ".reflection", ".scope", ".jaz",
                  ".jazirrad")  # fmt: skip
    tested_on = "5 real files (OOIBase32, SpectraSuite, OceanView, Jaz)"

    def sniff(self, source: Source) -> bool:
        """Whether a line announces the data."""
        return re.search(rb">>>>>Begin[^<\r\n]*Data<<<<<", source.head[:16384]) is not None

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`; one spectrum per column of numbers."""
        text = source.text
        begin = _BEGIN.search(text)
        if begin is None:
            raise source.refuse("has no data behind its header.", "The file was cut off.")
        lines = text[: begin.start()].split("\n")
        metadata = pairs(lines, ":")
        metadata["Program"] = lines[0].strip()
        body = text[begin.end() :].partition(">>>>>")[0].strip("\n")
        first = body.partition("\n")[0].split()
        titles: list[str] = []
        if first and all(re.fullmatch("[A-Z]", c) for c in first):
            titles = [_JAZ.get(c, c) for c in first[1:]]
            body = body.partition("\n")[2]
        width = max(len(first), 2)
        values = columns(source, body, width, delimiter=" ", decimal=decimal_sign(body[:5000]))
        promised = re.search(r"\d+", metadata.get("Number of Pixels in Processed Spectrum",
                             metadata.get("Number of Pixels in File", "")))  # fmt: skip
        if promised and len(values) < int(promised[0][:9]):
            source.warn(f"Cut off: {len(values)} of {promised[0]} points are there.")
        kind, unit = x_axis(metadata.get("XAxis mode", "")) or (XKind.WAVELENGTH, "nm")
        y_unit = _y_unit(source.name)
        if y_unit is None:
            source.assume("The file does not say what its ordinate is.")
        modality = "raman" if kind is XKind.RAMAN_SHIFT else _modality(y_unit)
        return [
            source.spectrum(
                values[:, 0], values[:, i], modality=modality, x_kind=kind, x_unit=unit,
                y_unit=(y_unit or YUnit.INTENSITY).value, metadata=metadata,
                name=f"{source.path.stem} {titles[i - 1]}" if titles else source.path.stem,
                sample=source.path.stem if width > 2 else "",
            )
            for i in range(1, width)
        ]  # fmt: skip


def _y_unit(said: str) -> YUnit | None:
    return next((unit for word, unit in _WORDS if word in said.lower()), None)


def _modality(unit: YUnit | None) -> str:
    return "uvvis" if unit in _ABSORPTION else "emission"


class ProcSpecReader(Reader):
    """Ocean Optics ProcSpec."""

    name = "ocean-procspec"
    label = "Ocean Optics ProcSpec"
    vendors = "Ocean Optics SpectraSuite"
    extensions = (".procspec",)
    tested_on = "3 real files (Linux, Windows, Mac)"

    def sniff(self, source: Source) -> bool:
        """Whether it is a zip archive with Ocean's members."""
        head = source.head
        return head.startswith(b"PK\x03\x04") and (
            b"OOISignatures.xml" in head or source.suffix == ".procspec"
        )

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`; the processed spectrum, then the raw one."""
        spectra = []
        with open_zip(source) as archive:
            check_zip(source, archive)
            names = [n for n in archive.namelist() if re.fullmatch(r"ps_\d+\.xml", n)]
            if not names:
                raise source.refuse("lacks its spectrum (ps_N.xml).", "It is damaged.")
            for at, name in enumerate(names):
                check(at / len(names), f"Reading {source.name}")
                spectra += _processed(source, zip_member(source, archive, name))
        return spectra


def _processed(source: Source, data: bytes) -> list[Spectrum]:
    plain = re.sub(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]", b"?", data)
    root = xml_root(source, plain, "spectrum")
    x = _doubles(root.find("./sourceSpectra/*/channelWavelengths"))
    raw = _doubles(root.find("./sourceSpectra/*/pixelValues"))
    metadata: dict[str, Any] = {}
    for element in root.findall("./sourceSpectra/*/*"):
        if element.text and element.text.strip() and len(element) == 0:
            metadata[element.tag] = element.text.strip()[:200]
    spectra = []
    for certificate in root.findall("./certificates/*"):
        y = _doubles(certificate.find("processedPixels"))
        if y.size == x.size:
            said = getattr(certificate.find("yUnits"), "attrib", {}).get("class", "")
            spectra.append(_spectrum(source, x, y, unit=_y_unit(said.rpartition(".")[2]),
                                     metadata=metadata, title=""))  # fmt: skip
    if raw.size == x.size:
        title = "raw" if spectra else ""
        spectra.append(_spectrum(source, x, raw, unit=YUnit.COUNTS, metadata=metadata, title=title))
    elif spectra:
        source.warn(f"The raw spectrum is left out: {raw.size} pixels for {x.size} wavelengths.")
    if not spectra:
        raise source.refuse(f"has {x.size} wavelengths and {raw.size} pixels.", "It is damaged.")
    return spectra


def _spectrum(
    source: Source, x: Any, y: Any, *, unit: YUnit | None, metadata: dict[str, Any], title: str
) -> Spectrum:
    return source.spectrum(
        x, y, modality=_modality(unit), x_kind=XKind.WAVELENGTH, x_unit="nm",
        y_unit=(unit or YUnit.INTENSITY).value, metadata=metadata,
        name=f"{source.path.stem} {title}".strip(), sample=source.path.stem,
    )  # fmt: skip


def _doubles(element: Any) -> NDArray[np.float64]:
    if element is None:
        return np.empty(0)
    try:
        return np.array([float(e.text) for e in element.findall("double")])
    except (TypeError, ValueError):
        return np.empty(0)
