"""Agilent FTIR imaging (Resolutions Pro): processed images ``.dat`` and mosaic tiles ``.dmd``.

A header of 1020 bytes with the number of points (byte 9) and the size of the image (bytes 24, 26),
then float32, one image per point. The wavenumbers are in the compound document beside it (``.bsp``,
or ``.dmt`` of a mosaic): the step at byte 2216, the first and the number of points, counted in
steps, at bytes 2228 and 2236; they agree with the ``.hdr`` that Agilent also writes.

Seen in real files: ``.seq`` and ``.drd`` have the same header over interferograms; the ``.dmt`` is
named in lower case beside tiles in mixed case; a background in ``.dat`` of its own.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, SpectrumList, TextLayout
from spectrogen_app.io.compound import OLE
from spectrogen_app.io.maps import spectra_of
from spectrogen_app.io.safe import array, field

_HEADER = 1020
_INDEX = (".bsp", ".dmt")
_RAW = (".seq", ".drd", ".dms")


class AgilentReader(Reader):
    """Agilent FTIR images."""

    name = "agilent"
    label = "Agilent FTIR image"
    vendors = "Agilent Cary 620 / 660 (Resolutions Pro)"
    extensions = (".dat", ".dmd", ".seq", ".drd", ".bsp", ".dmt")
    tested_on = "3 real images, 2 mosaic tiles"

    def sniff(self, source: Source) -> bool:
        """Whether header and size of the file agree, or it is Agilent's compound document."""
        head = source.head
        if head.startswith(OLE):
            return source.suffix in _INDEX
        if len(head) < _HEADER or head[0] != 0:
            return False
        points, width, height = _shape(head)
        versioned = re.match(rb"\d\.\d\.\d", head[129:]) is not None
        return points * width * height > 0 and (
            source.size == _HEADER + 4 * points * width * height
            or (source.suffix in self.extensions and versioned)
        )

    def read(
        self, source: Source, *, layout: TextLayout | None, check: Check
    ) -> list[Spectrum] | SpectrumList:
        """See :meth:`Reader.read`; every pixel is a spectrum."""
        if source.head.startswith(OLE):
            raise source.refuse(
                "is the index of an Agilent image; the spectra lie in the file beside it.",
                f"Open {source.path.stem}.dat, or the tiles .dmd.",
            )
        if source.suffix in _RAW:
            raise source.refuse(
                "holds Agilent interferograms, which are no spectra yet.",
                "Open the processed .dat (or the tiles .dmd) of the same name.",
            )
        points, width, height = _shape(source.head)
        cube = array(source, "<f4", _HEADER, points * width * height, "image")
        cube = cube.reshape(points, height, width)
        check(0.5, f"Reading {source.name}")
        x = _wavenumbers(source, points)

        def make(index: int) -> Spectrum:
            row, column = divmod(index, width)
            return source.spectrum(
                x, cube[:, row, column], modality="ir", x_kind=XKind.WAVENUMBER,
                y_unit=YUnit.ABSORBANCE.value, sample=source.path.stem,
                name=f"{source.path.stem} {column + 1}, {row + 1}",
                metadata={"Pixel": (column + 1, row + 1), "Image": (width, height)},
            )  # fmt: skip

        return spectra_of(source, [(cube.reshape(points, -1).T, make)])


def _shape(head: bytes) -> tuple[int, int, int]:
    return (
        int.from_bytes(head[9:13], "little"), int.from_bytes(head[24:26], "little"),
        int.from_bytes(head[26:28], "little"),
    )  # fmt: skip


def _wavenumbers(source: Source, points: int) -> NDArray[np.float64]:
    """Of the index beside the image, whatever the case of its name."""
    stem = re.sub(r"_\d{4}_\d{4}$", "", source.path.stem).lower()
    folder = source.path.parent
    beside = sorted(
        f for f in (folder.iterdir() if folder.is_dir() else ())
        if f.suffix.lower() in _INDEX and f.stem.lower() == stem
    )  # fmt: skip
    for file in beside:
        return _of_index(source, Source(Path(file)), points)
    raise source.refuse(
        "is an Agilent image without its index, which holds the wavenumbers.",
        f"Put {stem}.bsp (or .dmt) beside it; unpack an archive first.",
    )


def _of_index(source: Source, index: Source, points: int) -> NDArray[np.float64]:
    step, first = field(index, "<d", 2216), field(index, "<i", 2228)
    count = field(index, "<i", 2236)
    if count != points or not (0.01 < step < 1000 and 0 <= first < 10_000_000):
        raise source.refuse(
            f"has {points} points, but its index {index.name} says {count} points in steps of "
            f"{step:g} cm-1.",
            "They do not belong together, or the index is of another version.",
        )
    source.assume("The ordinate is absorbance, unless the image was saved as something else.")
    return step * np.arange(first, first + points)
