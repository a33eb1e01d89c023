"""Princeton Instruments SPE: WinSpec / WinView 2.x and LightField 3.0.

Both begin with a header of 4100 bytes, then frames of ydim x xdim numbers without gaps. Version
2.x keeps the calibration of x as a polynomial of the pixel (from 1) in the header; the unit of the
polynomial and the unit that was shown may differ (shown as Raman shift, stored in nm), and the
laser line stands beside it (also where nothing was Raman). Version 3.0 leaves those fields empty
and appends XML with a list of wavelengths and the regions of the sensor.

Seen in real files: header versions 0 (1996, 2004), 2.2 and 3.0; a list of wavelengths for the whole
sensor (1024) beside a region of 705 pixels, to be cut by the region's place and binning;
wavelengths from -124 nm where the grating stood at the zeroth order; a date of ten zero bytes.
A coefficient beyond the stated order may be left over from another fit and is not to be used.
Pixels count from 1 whatever the order of the polynomial: the calibration lines that a file of 1996
keeps beside its straight line fall on its peaks only so (a published reader counts from 0 there).
Gasmet writes ``.SPE`` as well; it is another format.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, SpectrumList, TextLayout
from spectrogen_app.io.maps import spectra_of
from spectrogen_app.io.safe import array, field, fields, text_field, xml_root

_HEADER = 4100
_TYPES = {0: "<f4", 1: "<i4", 2: "<i2", 3: "<u2", 5: "<f8", 6: "<u1", 8: "<u4"}
_PIXELS = {
    "MonochromeUnsigned16": "<u2", "MonochromeUnsigned32": "<u4", "MonochromeFloating32": "<f4",
}  # fmt: skip
_UNITS = {4: (XKind.WAVELENGTH, "nm"), 5: (XKind.WAVENUMBER, "cm-1"),
          6: (XKind.RAMAN_SHIFT, "cm-1")}  # fmt: skip
_RAMAN = 6
_SHOWN = {4: "wavelength", 5: "absolute wavenumber", 6: "Raman shift"}


class PrincetonReader(Reader):
    """Princeton SPE files."""

    name = "princeton-spe"
    label = "Princeton SPE"
    vendors = "Princeton Instruments WinSpec, WinView, LightField"
    extensions = (".spe",)
    tested_on = "10 real files of versions 2.x and 3.0"

    def sniff(self, source: Source) -> bool:
        """Whether the header carries its identifiers and a known type of number."""
        head = source.head
        return (
            len(head) >= _HEADER
            and head[2996:3000] == b"\x67\x45\x23\x01"
            and head[4098:4100] == b"\x55\x55"
        )

    def read(
        self, source: Source, *, layout: TextLayout | None, check: Check
    ) -> list[Spectrum] | SpectrumList:
        """See :meth:`Reader.read`; every row of every frame is a spectrum."""
        xdim, ydim = field(source, "<H", 42), field(source, "<H", 656)
        frames, kind = field(source, "<i", 1446), field(source, "<h", 108)
        version = field(source, "<f", 1992)
        if kind not in _TYPES:
            raise source.refuse(
                f"says number type {kind}; known are {', '.join(map(str, _TYPES))}.",
                "The header is damaged, or of another version.",
            )
        if xdim < 2 or ydim < 1 or frames < 1:
            raise source.refuse(
                f"says {frames} frames of {ydim} rows and {xdim} points.", "The header is damaged."
            )
        rows = frames * ydim
        check(0.1, f"Reading {source.name}")
        if version >= 3:
            meta, x, stride, dtype = _lightfield(source, xdim, ydim, frames)
        else:
            meta, x = _winspec(source, xdim)
            dtype = _TYPES[kind]
            stride = xdim * ydim * int(dtype[-1])
        whole = (source.size - _HEADER) // stride
        if whole < frames:
            if whole < 1:
                array(source, dtype, _HEADER, xdim * ydim, "first frame")
            source.warn(f"Cut off: {whole} of {frames} frames are there.")
            rows = whole * ydim
        axis_kind, unit, axis = x
        modality = meta["modality"]
        if unit == "pixel":
            source.assume("x is the pixel: the file has no calibration.")
        common: dict[str, Any] = {
            "modality": modality, "x_kind": axis_kind, "x_unit": unit,
            "y_unit": YUnit.COUNTS.value, "laser_nm": meta["laser_nm"],
            "sample": source.path.stem if rows > 1 else "", "metadata": meta["all"],
        }  # fmt: skip
        if modality == "raman" and axis_kind is XKind.WAVELENGTH:
            source.assume(
                f"x is wavelength; the laser line {meta['laser_nm']:g} nm makes it a Raman shift."
            )
        if rows > 4:
            source.assume(_rows_words(rows, frames, ydim))

        def make(index: int) -> Spectrum:
            frame, row = divmod(index, ydim)
            y = array(source, dtype, _HEADER + frame * stride + row * xdim * int(dtype[-1]), xdim)
            name = source.path.stem
            if frames > 1:
                name += f" frame {frame + 1}"
            if ydim > 1:
                name += f" row {row + 1}"
            return source.spectrum(axis, y, name=name, **common)

        size = int(dtype[-1])
        values: NDArray[Any] = np.ndarray(
            (rows // ydim, ydim, xdim), dtype, source.data, _HEADER, (stride, xdim * size, size)
        )
        return spectra_of(source, [(values.reshape(rows, xdim), make)])


def _rows_words(rows: int, frames: int, ydim: int) -> str:
    if ydim == 1:
        return f"Each of the {frames} frames is a spectrum."
    return f"Each of the {ydim} rows of each frame is a spectrum ({rows} in all)."


_Axis = tuple[XKind, str, NDArray[np.float64]]


def _winspec(source: Source, xdim: int) -> tuple[dict[str, Any], _Axis]:
    shown, (valid, given, unit, order) = field(source, "<B", 3016), fields(source, "<4B", 3098)
    laser = field(source, "<d", 3311)
    laser = float(laser) if 150 < laser < 3000 else None
    axis: _Axis = (XKind.OTHER, "pixel", np.arange(1.0, xdim + 1))
    if valid and order <= 5 and unit in _UNITS:
        coefficients = fields(source, f"<{order + 1}d", 3263)
        with np.errstate(all="ignore"):
            values = np.polynomial.polynomial.polyval(np.arange(1.0, xdim + 1), coefficients)
        if np.all(np.isfinite(values)) and np.unique(values).size == xdim:
            axis = (*_UNITS[unit], values)
    if shown in _SHOWN and shown != unit and axis[0] is not XKind.OTHER:
        source.assume(f"The program showed {_SHOWN[shown]}; the file stores {axis[0].value}.")
    pairs = {
        "Date": text_field(source, 20, 10), "Time": text_field(source, 172, 6),
        "Exposure (s)": field(source, "<f", 10),
        "Accumulations": field(source, "<i", 668),
        "Detector temperature (C)": field(source, "<f", 36),
        "Spectrograph centre (nm)": field(source, "<f", 72),
        "Grating (lines/mm)": field(source, "<f", 650),
        "Laser (nm)": laser or "",
        "Header version": f"{field(source, '<f', 1992):.3g}",
        **{f"Comment {i + 1}": text_field(source, 200 + 80 * i, 80) for i in range(5)},
    }  # fmt: skip
    raman = laser is not None and _RAMAN in (shown, given, unit)
    metadata = {k: v for k, v in pairs.items() if v not in ("", 0)}
    return {
        "laser_nm": laser, "modality": "raman" if raman else "emission", "all": metadata,
    }, axis  # fmt: skip


def _lightfield(
    source: Source, xdim: int, ydim: int, frames: int
) -> tuple[dict[str, Any], _Axis, int, str]:
    start = field(source, "<Q", 678)
    if not _HEADER <= start < source.size:
        raise source.refuse(
            f"says its description begins at byte {start}, but the file has {source.size}.",
            "It is cut off; copy it again.",
        )
    root = xml_root(source, source.data[start:], "description")
    blocks = [e for e in root.iter() if _tag(e) == "DataBlock"]
    frame = next((b for b in blocks if b.get("type") == "Frame"), None)
    regions = [b for b in blocks if b.get("type") == "Region"]
    if frame is None or not regions or frame.get("pixelFormat") not in _PIXELS:
        raise source.refuse("describes no frame of a known pixel format.",
                            "Export it from LightField as SPE 2.x or text.")  # fmt: skip
    dtype = _PIXELS[frame.get("pixelFormat", "")]
    if len(regions) > 1:
        raise source.refuse(
            f"has {len(regions)} regions of the sensor; one is read.",
            "Save each region as its own file.",
        )
    width, height = _whole(regions[0].get("width")), _whole(regions[0].get("height"))
    if (width, height) != (xdim, ydim):
        raise source.refuse(
            f"says {xdim} x {ydim} in its header and {width} x {height} in its description.",
            "The file is damaged.",
        )
    size = xdim * ydim * int(dtype[-1])
    stride = max(_whole(frame.get("stride")), size)
    pairs = _flat(root)
    mapping = next((e for e in root.iter() if _tag(e) == "WavelengthMapping"), None)
    laser = None
    axis: _Axis = (XKind.OTHER, "pixel", np.arange(1.0, xdim + 1))
    if mapping is not None:
        laser = _real(mapping.get("laserLine"))
        listed = next((e.text for e in mapping if _tag(e) == "Wavelength"), "") or ""
        if not listed:
            listed = next((e.text for e in mapping if _tag(e) == "WavelengthError"), "") or ""
            cells = [pair.split(",")[0] for pair in listed.split()]
        else:
            cells = listed.split(",")
        values = np.array([v if (v := _real(c)) is not None else np.nan for c in cells])
        sensor = next((e for e in root.iter() if _tag(e) == "SensorMapping"), None)
        fitting = _region(values, sensor, xdim)
        if fitting is None:
            source.warn(f"The list of {len(cells)} wavelengths does not fit {xdim} points.")
        elif np.all(np.isfinite(fitting)) and np.unique(fitting).size == xdim:
            axis = (XKind.WAVELENGTH, "nm", fitting)
            if fitting.min() <= 0:
                axis = (XKind.OTHER, "nm", fitting)
                source.warn("Wavelengths reach below 0 nm (zeroth order of the grating).")
    modality = "emission" if laser is None else "raman"
    return {"laser_nm": laser, "modality": modality, "all": pairs}, axis, stride, dtype


def _region(
    values: NDArray[np.float64], sensor: Any, xdim: int
) -> NDArray[np.float64] | None:
    """The wavelengths of the pixels that were read out, binned ones by their middle."""
    if values.size == xdim:
        return values
    if sensor is None:
        return None
    x, width, binning = (_whole(sensor.get(k)) for k in ("x", "width", "xBinning"))
    part = values[x : x + width]
    if binning < 1 or part.size != width or width // binning != xdim:
        return None
    return part[: xdim * binning].reshape(xdim, binning).mean(axis=1)


def _flat(root: Any) -> dict[str, str]:
    """Settings of the description as pairs; long lists are left out."""
    pairs: dict[str, str] = {}
    for element in root.iter():
        text = (element.text or "").strip()
        if text and len(text) < 200 and len(pairs) < 500:
            pairs.setdefault(_tag(element), text)
        if _tag(element) == "FileInformation" and element.get("created"):
            pairs["Date"] = element.get("created")
    return pairs


def _tag(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0


def _real(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
