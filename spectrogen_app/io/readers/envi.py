"""ENVI images: a text header ``.hdr`` and the numbers beside it.

Seen in real files: Agilent writes such a header for its ``.dat`` (1020 bytes to skip, band
sequential), with the wavenumbers under ``wavelength`` and without units.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, SpectrumList, TextLayout
from spectrogen_app.io.maps import spectra_of
from spectrogen_app.io.recognise import recognise, y_axis
from spectrogen_app.io.safe import array

_TYPES = {"1": "u1", "2": "i2", "3": "i4", "4": "f4", "5": "f8", "12": "u2", "13": "u4"}
_DATA = ("", ".dat", ".img", ".raw", ".bsq", ".bil", ".bip", ".sli")
_FIELD = re.compile(r"(?ms)^\s*([^=\n{}]+?)\s*=\s*(\{.*?\}|[^\n]*)")
MAX_HEADER = 1 << 24
"""Bytes of a header that are read."""


class EnviReader(Reader):
    """ENVI headers with their data file."""

    name = "envi"
    label = "ENVI image"
    vendors = "ENVI, Agilent, hyperspectral cameras"
    extensions = (".hdr",)
    tested_on = "2 real headers (Agilent)"

    def sniff(self, source: Source) -> bool:
        """Whether the first line is ENVI."""
        return re.match(rb"ENVI\s", source.head) is not None

    def read(
        self, source: Source, *, layout: TextLayout | None, check: Check
    ) -> list[Spectrum] | SpectrumList:
        """See :meth:`Reader.read`; every pixel is a spectrum."""
        keys = header(source)
        data = _data_file(source)
        check(0.1, f"Reading {data.name}")
        return pixels(source, data, keys, layout)


def header(source: Source) -> dict[str, str]:
    """Fields of an ENVI header by lower-case name."""
    if source.size > MAX_HEADER:
        raise source.refuse("is too large for a header.", "It is damaged.")
    return {k.strip().lower(): v.strip("{} \n\t") for k, v in _FIELD.findall(source.text)}


def _data_file(source: Source) -> Source:
    stem = source.path.with_suffix("")
    for suffix in _DATA:
        file = Path(f"{stem}{suffix}")
        if file != source.path and file.is_file():
            return Source(file)
    raise source.refuse(
        "is the header of an ENVI image, whose data file is not beside it.",
        f"Put {stem.name}.dat (or .img, .raw) into the same folder; unpack an archive first.",
    )


def pixels(
    source: Source, data: Source, keys: dict[str, str], layout: TextLayout | None
) -> list[Spectrum] | SpectrumList:
    """The spectra of all pixels.

    Parameters
    ----------
    source : Source
        The header; assumptions are said there.
    data : Source
        The numbers.
    keys : dict
        As of :func:`header`.
    layout : TextLayout, optional
    """
    width, height, bands = (_count(source, keys, k) for k in ("samples", "lines", "bands"))
    kind = _TYPES.get(keys.get("data type", ""))
    order = keys.get("interleave", "bsq").lower()
    if kind is None or order not in ("bsq", "bil", "bip"):
        raise source.refuse(
            f"says data type {keys.get('data type')} and interleave {order}.",
            "Real numbers in bsq, bil or bip are read.",
        )
    dtype = (">" if keys.get("byte order", "0") == "1" else "<") + kind
    offset = _count(source, keys, "header offset") if "header offset" in keys else 0
    array(data, dtype, offset, 0, "data")
    item = np.dtype(dtype).itemsize
    needed = offset + width * height * bands * item
    if needed > data.size:
        raise source.refuse(
            f"promises {width} x {height} x {bands} values, but {data.name} has {data.size} bytes.",
            "It is cut off; copy it again.",
        )
    listed = re.split(r"[,\s]+", keys.get("wavelength", "").strip())
    try:
        x = np.array([float(v) for v in listed if v])
    except ValueError as error:
        raise source.refuse("has wavelengths that are no numbers.", "It is damaged.") from error
    if x.size != bands or bands < 2:
        raise source.refuse(
            f"has {x.size} wavelengths for {bands} bands; two at least are needed.",
            "It is a picture rather than spectra, or the header is damaged.",
        )
    cube = np.frombuffer(data.data, dtype, width * height * bands, offset)
    shape, axis = {
        "bsq": ((bands, height, width), 0), "bil": ((height, bands, width), 1),
        "bip": ((height, width, bands), 2),
    }[order]  # fmt: skip
    cube = np.moveaxis(cube.reshape(shape), axis, -1)
    units = keys.get("wavelength units", "")
    label = {"nanometers": "nm", "micrometers": "um", "wavenumber": "cm-1"}.get(
        units.lower(), units
    )
    known = recognise(
        x, x_label=label, y_label=keys.get("z plot titles", ""), header=keys.get("description", ""),
        modality=layout.modality if layout else None,
    )  # fmt: skip
    if known.assumption:
        source.assume(known.assumption)
    source.unsure |= not known.sure
    metadata: dict[str, Any] = {k: v[:500] for k, v in keys.items() if k != "wavelength"}

    def make(index: int) -> Spectrum:
        row, column = divmod(index, width)
        return source.spectrum(
            x, cube[row, column], modality=known.modality, x_kind=known.x_kind,
            x_unit=known.x_unit, y_unit=y_axis(keys.get("description", "")) or known.y_unit,
            name=f"{source.path.stem} {column + 1}, {row + 1}", sample=source.path.stem,
            metadata={**metadata, "Pixel": (column + 1, row + 1)},
        )  # fmt: skip

    return spectra_of(source, [(cube.reshape(-1, bands), make)])


def _count(source: Source, keys: dict[str, str], key: str) -> int:
    text = keys.get(key, "")
    if not (text.isdecimal() and len(text) < 10):
        raise source.refuse(f"says {text[:20]!r} for {key}.", "The header is damaged.")
    return int(text)
