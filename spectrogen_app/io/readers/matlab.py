"""MATLAB 5 ``.mat``: data set objects of PLS_Toolbox (WITec writes them), else x beside a matrix.

The file is a list of elements: type, size, content; type 15 is a compressed element, 14 an array,
which holds elements of its own (flags, sizes, name, then numbers, cells or fields). A data set
object has ``data`` (spectra x points) and ``axisscale``, a 2 x 2 cell array whose second row is the
spectral axis and its name. MATLAB 7.3 files are HDF5 and read as such. The elements are parsed here
because ``scipy.io.loadmat`` crashes the process on some damaged files.

Seen in real files: the object is stored as an old-style class; its axis is named ``rel. 1/cm`` or
``nm``; single-precision data; numbers stored in a smaller type than their array's; a cell array
that states a wrong size, so that the fields behind it cannot be found by size.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any
from zlib import decompressobj
from zlib import error as ZlibError

import numpy as np

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, SpectrumList, TextLayout
from spectrogen_app.io.maps import spectra_of
from spectrogen_app.io.recognise import recognise, x_axis
from spectrogen_app.io.safe import most_unpacked

_DEPTH = 20
_ARRAY, _COMPRESSED = 14, 15
_CELL, _STRUCT, _OBJECT, _CHAR = 1, 2, 3, 4
_NUMERIC = range(6, 16)
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8",
          13: "u8", 16: "u1", 17: "u2", 18: "u4"}  # fmt: skip
MAX_CELLS = 200_000
"""Cells and fields of one file that are looked at."""


class MatlabReader(Reader):
    """MATLAB 5 files."""

    name = "matlab"
    label = "MATLAB 5"
    vendors = "MATLAB, PLS_Toolbox, WITec Project"
    extensions = (".mat",)
    tested_on = "2 real files (WITec line scan and time series)"

    def sniff(self, source: Source) -> bool:
        """Whether the text header is that of MATLAB 5."""
        return source.head.startswith(b"MATLAB 5.0 MAT-file")

    def read(
        self, source: Source, *, layout: TextLayout | None, check: Check
    ) -> list[Spectrum] | SpectrumList:
        """See :meth:`Reader.read`."""
        check(0.1, f"Reading {source.name}")
        try:
            variables = dict(_variables(source))
        except (struct.error, ValueError, IndexError, ZlibError) as error:
            raise source.refuse(
                f"is damaged or cut off ({error}).", "Copy it again, or export text."
            ) from error
        for name, value in variables.items():
            if isinstance(value, dict) and {"data", "axisscale"} <= value.keys():
                return _dataset(source, name, value, layout)
        return _plain(source, variables, layout)


@dataclass
class _Part:
    """Bytes of a list of elements, their byte order, and how many cells were seen so far."""

    data: memoryview
    order: str
    seen: list[int]
    strict: bool = False

    def elements(self) -> Iterator[tuple[int, memoryview]]:
        """Type and content of each element."""
        at = 0
        while at + 8 <= len(self.data):
            kind, size = struct.unpack_from(f"{self.order}II", self.data, at)
            if kind >> 16:
                kind, size = kind & 0xFFFF, kind >> 16
                yield kind, self.data[at + 4 : at + 4 + min(size, 4)]
                at += 8
                continue
            if at + 8 + size > len(self.data):
                if self.strict:
                    raise ValueError(f"an element of {size} bytes is promised at byte {at + 128}")
                return
            yield kind, self.data[at + 8 : at + 8 + size]
            at += 8 + size + (0 if kind == _COMPRESSED else -size % 8)


def _variables(source: Source) -> Iterator[tuple[str, Any]]:
    order = "<" if source.data[126:128] == b"IM" else ">"
    seen = [0]
    for kind, content in _Part(memoryview(source.data)[128:], order, seen, strict=True).elements():
        if kind == _COMPRESSED:
            limit = most_unpacked(source)
            unpacked = decompressobj().decompress(content, limit + 1)
            if len(unpacked) > limit:
                raise ValueError(f"an element unpacks to more than {limit >> 20} MB")
            inner = next(_Part(memoryview(unpacked), order, seen).elements(), (0, memoryview(b"")))
        else:
            inner = (kind, content)
        if inner[0] == _ARRAY:
            yield _array(_Part(inner[1], order, seen), 0)


def _array(part: _Part, depth: int) -> tuple[str, Any]:
    """Name and value: an ndarray, a str, a list of cells with ``shape``, or a dict of fields."""
    part.seen[0] += 1
    if depth > _DEPTH or part.seen[0] > MAX_CELLS:
        raise ValueError("too many cells")
    elements = list(part.elements())
    if len(elements) < 3:
        return "", np.empty((0, 0))
    kind = struct.unpack_from(f"{part.order}I", elements[0][1])[0] & 0xFF
    shape = tuple(_values(part, elements[1]).astype(int).tolist())
    name = bytes(elements[2][1]).decode("latin-1")
    rest = elements[3:]
    if kind in _NUMERIC or kind == _CHAR:
        values = _values(part, rest[0]) if rest else np.empty(0)
        if kind == _CHAR:
            return name, "".join(chr(int(c)) for c in values[:1000])
        if any(n < 0 for n in shape) or prod(shape) != values.size:
            raise ValueError(f"{values.size} numbers for an array of shape {shape}")
        return name, values.reshape(shape, order="F")
    if kind == _OBJECT:
        rest = rest[1:]
    if kind == _CELL:
        return name, [_cell(part, c, depth) for _, c in rest]
    if kind in (_STRUCT, _OBJECT) and len(rest) >= 2:
        width = int(_values(part, rest[0])[0])
        names = bytes(rest[1][1])
        if width < 1:
            raise ValueError("field names of no length")
        keys = [names[i : i + width].split(b"\0")[0].decode("latin-1")
                for i in range(0, len(names), width)]  # fmt: skip
        cells = (_cell(part, c, depth) for _, c in rest[2:])
        return name, dict(zip(keys, cells, strict=False))
    return name, None


def _cell(part: _Part, content: memoryview, depth: int) -> Any:
    """Value of a cell or field; None for one that is damaged or of an unusual class."""
    try:
        return _array(_Part(content, part.order, part.seen), depth + 1)[1]
    except (struct.error, ValueError, IndexError):
        if part.seen[0] > MAX_CELLS:
            raise
        return None


def _values(part: _Part, element: tuple[int, memoryview]) -> np.ndarray:
    kind, content = element
    if kind not in _TYPES:
        raise ValueError(f"numbers of type {kind}")
    dtype = np.dtype(part.order + _TYPES[kind])
    return np.frombuffer(content[: len(content) // dtype.itemsize * dtype.itemsize], dtype)


def _dataset(
    source: Source, name: str, value: dict[str, Any], layout: TextLayout | None
) -> list[Spectrum] | SpectrumList:
    data, scale, title = value["data"], value["axisscale"], value.get("name")
    if not (isinstance(data, np.ndarray) and isinstance(scale, list) and len(scale) == 4 and
            isinstance(scale[1], np.ndarray)):  # fmt: skip
        raise source.refuse(f"has a data set {name} of an unusual form.", "Export it as text.")
    x = scale[1].ravel().astype(np.float64)
    label = scale[3] if isinstance(scale[3], str) else ""
    title = title if isinstance(title, str) else ""
    if data.ndim != 2 or data.shape[1] != x.size or not len(data) or x.size < 2:
        raise source.refuse(
            f"has a data set of shape {data.shape} beside {x.size} x values.", "Export it as text."
        )
    return _spectra(source, x, data, label=label, title=title or name, layout=layout)


def _plain(
    source: Source, variables: dict[str, Any], layout: TextLayout | None
) -> list[Spectrum] | SpectrumList:
    """A vector named like an axis beside a matrix with a dimension of its length."""
    arrays = {k: v for k, v in variables.items()
              if isinstance(v, np.ndarray) and v.ndim == 2 and v.size > 1}  # fmt: skip
    vectors = [k for k, v in arrays.items() if 1 in v.shape]
    axes = [k for k in vectors if x_axis(k.replace("_", " ")) or k.lower() in ("x", "wn", "wl")]
    for name in axes:
        x = arrays[name].ravel().astype(np.float64)
        for other, matrix in arrays.items():
            if other == name or x.size not in matrix.shape:
                continue
            rows = matrix if matrix.shape[1] == x.size else matrix.T
            label = name.replace("_", " ")
            return _spectra(source, x, rows, label=label, title=other, layout=layout)
    listed = ", ".join(f"{k} {v.shape}" for k, v in list(arrays.items())[:8]) or "none"
    raise source.refuse(
        f"has no vector named like an axis beside a matrix of its length. Arrays: {listed}.",
        "Save x as wavenumber, wavelength, raman_shift or two_theta beside y.",
    )


def _spectra(
    source: Source, x: Any, rows: Any, *, label: str, title: str, layout: TextLayout | None
) -> list[Spectrum] | SpectrumList:
    known = recognise(
        x, x_label=label, path=source.path, modality=layout.modality if layout else None
    )
    if known.assumption:
        source.assume(known.assumption)
    source.unsure |= not known.sure

    def make(index: int) -> Spectrum:
        return source.spectrum(
            x, rows[index], modality=known.modality, x_kind=known.x_kind, x_unit=known.x_unit,
            y_unit=known.y_unit, name=f"{title} {index + 1}" if len(rows) > 1 else title,
            sample=title, metadata={"Variable": title, "Axis": label},
        )  # fmt: skip

    return spectra_of(source, [(rows, make)])
