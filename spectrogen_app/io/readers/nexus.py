"""NeXus and other HDF5: NXdata groups, else datasets that stand beside an axis of their length.

An NXdata group names its signal and axes in attributes of the group (newer files), or of the
signal (``signal=1``, ``axes="x"``), or gives each axis the number of its dimension (``axis=1``).
Links to other files, virtual and external datasets are never followed.

Seen in real files: a ``signal`` attribute that holds the dataset's own name instead of 1; units
such as ``RAMAN SHIFT(1/CM)``; strings as bytes, as variable-length text or as empty; curves of the
instrument itself (quantum efficiency, lens transmission) as NXdata within NXinstrument, taken only
when there is nothing else; ``interpretation="image"``, which is no spectrum; maps of NXstxm with
the energy as their first dimension; pickled objects of pandas, never opened; two_theta descending.
A damaged length of a text makes the library ask for gigabytes, so lengths are looked at first.
Files of this program keep all fields of a spectrum in ``process/record``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import prod
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.axis import XKind
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check, SpectrogenError
from spectrogen_app.io.base import Reader, Source, SpectrumList, TextLayout
from spectrogen_app.io.maps import Part, spectra_of
from spectrogen_app.io.readers.spectrogen_csv import from_record
from spectrogen_app.io.recognise import Recognised, recognise, x_axis, y_axis

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_OBJECTS = 50_000
"""Groups and datasets of one file that are looked at."""
MAX_BYTES = 1 << 29
"""Unpacked bytes of one dataset that is read."""
MAX_ATTRIBUTE = 1 << 20
"""Bytes of an attribute that is read."""
MAX_OFFERED = 1000
"""Curves that are offered besides those that are read."""
MAX_EXPANSION = 2_000
"""A dataset that unpacks to more than this times the size of the file is refused."""
_DEPTH = 40
_MAX_SCAN = 1 << 31
_LASER_PATHS = re.compile(
    r"(incident_wavelength|beam_incident[^/]*/wavelength|laser[^/]*/wavelength|"
    r"excitation_wavelength)$", re.IGNORECASE,
)  # fmt: skip
_XRAY_PATHS = re.compile(r"(k_alpha_one|k_alpha1|xray_wavelength)$|"
                         r"(monochromator|beam|source)[^/]*/(incident_)?wavelength$")  # fmt: skip


@dataclass
class Curve:
    """A dataset with the axis along one of its dimensions.

    Attributes
    ----------
    path : str
        Of the dataset.
    y, x, errors : h5py.Dataset or None
        Without ``x`` the points are counted.
    dimension : int
        Of ``y``, along which ``x`` runs.
    instrument : bool
        Belongs to the description of the instrument.
    """

    path: str
    y: Any
    x: Any
    dimension: int
    errors: Any = None
    instrument: bool = False


@dataclass
class Tree:
    """The groups and datasets of a file by path, and what was skipped."""

    groups: dict[str, Any] = field(default_factory=dict)
    datasets: dict[str, Any] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)

    def children(self, group: str) -> dict[str, Any]:
        """Datasets right within a group, by name."""
        prefix = f"{group}/" if group else ""
        return {
            path[len(prefix) :]: d for path, d in self.datasets.items()
            if path.startswith(prefix) and "/" not in path[len(prefix) :]
        }  # fmt: skip


class NexusReader(Reader):
    """NeXus and HDF5 files."""

    name = "nexus"
    label = "NeXus / HDF5"
    vendors = "synchrotrons, NOMAD, hyperspy, MATLAB 7.3"
    extensions = (".nxs", ".h5", ".hdf5", ".hdf", ".nx", ".mat")
    tested_on = "10 real NeXus and HDF5 files of eight programs"

    def sniff(self, source: Source) -> bool:
        """Whether the file begins with the signature of HDF5, or of MATLAB 7.3."""
        return source.head.startswith(SIGNATURE) or source.head.startswith(b"MATLAB 7.3 MAT-file")

    def read(
        self, source: Source, *, layout: TextLayout | None, check: Check
    ) -> list[Spectrum] | SpectrumList:
        """See :meth:`Reader.read`; the default plot comes first."""
        with open_hdf5(source) as file:
            tree = walk(source, file)
            check(0.2, f"Reading {source.name}")
            own = _own(source, tree)
            if own:
                return own
            curves = list(_nxdata(tree)) or list(_plain(tree))
            measured = [c for c in curves if not c.instrument]
            if measured and len(measured) < len(curves):
                names = ", ".join(c.path for c in curves if c.instrument)[:300]
                source.assume(f"Curves of the instrument left out: {names}.")
            curves = _default_first(file, measured or curves)
            _offer(source, tree, {c.path for c in curves}, layout)
            if not curves:
                raise _nothing(source, tree)
            return _spectra(source, tree, curves, layout, check)


def open_hdf5(source: Source) -> Any:
    """The file opened for reading, without locks.

    Raises
    ------
    ReadError
        Damaged or cut off.
    """
    import h5py

    stack = source.local()
    path = stack.__enter__()
    try:
        if source not in _looked_through:
            if _endless_text(path):
                raise OSError("a text in it claims to be longer than the file")
            _looked_through.add(source)
        file = h5py.File(path, "r", locking=False)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        stack.__exit__(None, None, None)
        raise source.refuse(
            f"is damaged, cut off or still being written ({error}).",
            "Copy it again after the measurement has ended.",
        ) from error
    return _Opened(file, stack)


_looked_through: WeakSet[Source] = WeakSet()
"""Files without a text that claims too much; offered curves open theirs again and again."""


def _endless_text(path: Path) -> bool:
    """Whether a reference to a text of variable length claims more bytes than the file has.

    The library would set aside whatever length stands there. A reference is the length (uint32),
    the place of a heap (uint64) that begins with GCOL, and the number of an object in it (uint32).
    """
    size = path.stat().st_size
    base = 0
    heaps: list[int] = []
    for start, piece in _pieces(path):
        if start == 0:
            base = max(piece.find(SIGNATURE, 0, 1 << 12), 0)
        at = piece.find(b"GCOL")
        while at >= 0 and len(heaps) * size < _MAX_SCAN:
            heaps.append(start + at)
            at = piece.find(b"GCOL", at + 4)
    known = {(heap - base).to_bytes(8, "little"): _heap_objects(path, heap) for heap in heaps}
    for _, piece in _pieces(path) if known else ():
        for place, objects in known.items():
            at = piece.find(place, 4)
            while at >= 0:
                length = int.from_bytes(piece[at - 4 : at], "little")
                if length > size and int.from_bytes(piece[at + 8 : at + 12], "little") in objects:
                    return True
                at = piece.find(place, at + 8)
    return False


_PIECE, _OVERLAP = 1 << 23, 16


def _pieces(path: Path) -> Iterator[tuple[int, bytes]]:
    """The file in pieces that overlap by one reference, each with its place."""
    at = 0
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            yield at, piece
            if len(piece) < _PIECE:
                return
            at += _PIECE - _OVERLAP
            stream.seek(at)


def _heap_objects(path: Path, heap: int) -> set[int]:
    """Numbers of the objects in a heap."""
    with path.open("rb") as stream:
        stream.seek(heap)
        data = stream.read(min(int.from_bytes(stream.read(16)[8:], "little"), _PIECE))
    found: set[int] = set()
    at = 0
    while at + 16 <= len(data) and len(found) < 65536:
        number = int.from_bytes(data[at : at + 2], "little")
        if number == 0:
            break
        found.add(number)
        at += 16 + (int.from_bytes(data[at + 8 : at + 16], "little") + 7 & ~7)
    return found


def scalar(dataset: Any) -> str:
    """A single value as text; empty for what is none, is damaged or is over 1 MB."""
    try:
        if dataset.size != 1 or dataset.dtype.itemsize > MAX_ATTRIBUTE:
            return ""
        if dataset.dtype.kind == "O" and not _text_is_there(dataset):
            return ""
        return text(dataset[()])
    except (RuntimeError, OSError, ValueError, KeyError, TypeError, AttributeError, MemoryError):
        return ""


def _text_is_there(dataset: Any) -> bool:
    """Whether a text of variable length is no longer than the file, see :func:`_endless_text`."""
    offset = dataset.id.get_offset()
    if offset is None:
        return False
    path = Path(dataset.file.filename)
    with path.open("rb") as stream:
        stream.seek(offset)
        length = int.from_bytes(stream.read(4), "little")
    return length <= path.stat().st_size


class _Opened:
    """An open file, and the temporary copy that it may live in."""

    def __init__(self, file: Any, stack: Any) -> None:
        self.file, self.stack = file, stack

    def __enter__(self) -> Any:
        return self.file

    def __exit__(self, *error: Any) -> None:
        try:
            self.file.close()
        finally:
            self.stack.__exit__(None, None, None)


def walk(source: Source, file: Any) -> Tree:
    """All groups and datasets that lie within the file itself.

    Raises
    ------
    ReadError
        More than ``MAX_OBJECTS``.
    """
    import h5py

    tree = Tree()
    seen: set[Any] = set()
    waiting: list[tuple[str, Any, int]] = [("", file, 0)]
    count = 0
    while waiting:
        path, group, depth = waiting.pop(0)
        tree.groups[path] = group
        try:
            names = list(group)
        except (RuntimeError, OSError, ValueError, KeyError) as error:
            raise source.refuse(f"has a damaged group {path or '/'} ({error}).",
                                "Copy it again.") from error  # fmt: skip
        for name in names:
            count += 1
            if count > MAX_OBJECTS:
                raise source.refuse(f"holds more than {MAX_OBJECTS} objects.",
                                    "Export the spectra you need.")  # fmt: skip
            where = f"{path}/{name}" if path else name
            try:
                link = group.get(name, getlink=True)
                if isinstance(link, h5py.ExternalLink):
                    tree.elsewhere.append(f"{where} -> {link.filename}")
                    continue
                item = group.get(name)
                info = h5py.h5o.get_info(item.id) if item is not None else None
            except (RuntimeError, OSError, ValueError, KeyError, TypeError):
                continue
            if info is None:
                continue
            if isinstance(item, h5py.Group):
                key = (info.fileno, info.addr)
                if key not in seen and depth < _DEPTH:
                    seen.add(key)
                    waiting.append((where, item, depth + 1))
            elif isinstance(item, h5py.Dataset):
                if _elsewhere(item):
                    tree.elsewhere.append(where)
                else:
                    tree.datasets[where] = item
    if tree.elsewhere:
        listed = "; ".join(tree.elsewhere[:5])
        source.warn(f"{len(tree.elsewhere)} parts lie in other files and are not opened: {listed}.")
    return tree


def _elsewhere(dataset: Any) -> bool:
    try:
        return bool(dataset.is_virtual or dataset.external)
    except (RuntimeError, OSError, ValueError, TypeError):
        return True


def numbers(source: Source, dataset: Any, what: str) -> NDArray[Any]:
    """The values of a numeric dataset, after comparing their size with that of the file.

    Raises
    ------
    ReadError
        Not numbers, too large, or damaged.
    """
    try:
        shape, kind, item = dataset.shape, dataset.dtype.kind, dataset.dtype.itemsize
    except (RuntimeError, OSError, ValueError, TypeError) as error:
        raise source.refuse(f"has a damaged {what} ({error}).", "Copy it again.") from error
    size = prod(shape or ()) * item
    if kind not in "iuf" or not shape:
        raise source.refuse(f"has a {what} that is not an array of real numbers.",
                            "Choose another dataset.")  # fmt: skip
    if size > MAX_BYTES or size > MAX_EXPANSION * max(source.size, 1 << 16):
        raise source.refuse(
            f"has a {what} of {size / 2**20:.0f} MB in a file of {source.size / 2**20:.1f} MB.",
            "Export the part you need.",
        )
    try:
        return np.asarray(dataset[()])
    except (RuntimeError, OSError, ValueError, KeyError, TypeError, MemoryError) as error:
        raise source.refuse(f"has a damaged {what} ({error}).", "Copy it again.") from error


def as_float(values: NDArray[Any]) -> NDArray[np.float64]:
    """As float64, without a warning for what is no number."""
    with np.errstate(invalid="ignore"):
        return values.astype(np.float64)


def text(value: Any) -> str:
    """An attribute or scalar as text; empty for what is none."""
    if isinstance(value, np.ndarray):
        if value.size > 40:
            return ""
        items = [text(v) for v in value.ravel()]
        single = value.dtype.kind in "SO" and all(len(i) == 1 for i in items)
        return ("" if single else ", ").join(i for i in items if i)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    if isinstance(value, (str, int, float, np.generic)):
        return str(value).strip()
    return ""


def attribute(item: Any, name: str) -> str:
    """An attribute as text; empty where it is missing, damaged or over 1 MB."""
    return text(_attribute(item, name))


def _attribute(item: Any, name: str) -> Any:
    try:
        found = item.attrs.get_id(name)
        if prod(found.shape or ()) * found.dtype.itemsize > MAX_ATTRIBUTE:
            return None
        return item.attrs[name]
    except (RuntimeError, OSError, ValueError, KeyError, TypeError, MemoryError):
        return None


def attributes(item: Any) -> dict[str, str]:
    """All attributes as text; those that are damaged are left out."""
    try:
        names = [str(name) for name in item.attrs]
    except (RuntimeError, OSError, ValueError, KeyError, TypeError):
        return {}
    return {name: attribute(item, name) for name in names[:500]}


def _names(item: Any, name: str) -> list[str]:
    value = _attribute(item, name)
    if isinstance(value, np.ndarray):
        return [text(v) for v in value.ravel()[:32]]
    return [n.strip() for n in re.split(r"[:,]", text(value).strip("[]")) if n.strip()]


def _numeric(dataset: Any) -> bool:
    try:
        return dataset.dtype.kind in "iuf" and bool(dataset.shape) and 0 not in dataset.shape
    except (RuntimeError, OSError, ValueError, TypeError):
        return False


def _nxdata(tree: Tree) -> Iterator[Curve]:
    instruments = [p for p, g in tree.groups.items() if attribute(g, "NX_class") == "NXinstrument"]
    for path, group in tree.groups.items():
        if attribute(group, "NX_class") != "NXdata":
            continue
        if "image" in attribute(group, "interpretation"):
            continue
        members = tree.children(path)
        inside = any(path == i or path.startswith(f"{i}/") for i in instruments)
        signals = [attribute(group, "signal"), *_names(group, "auxiliary_signals")]
        signals = [s for s in signals if s in members] or [
            n for n, d in members.items() if attribute(d, "signal") in ("1", n)
        ] or [n for n in ("data",) if n in members]  # fmt: skip
        for name in signals:
            y = members[name]
            if not _numeric(y) or "image" in attribute(y, "interpretation"):
                continue
            dimension, x = _axis(group, members, name)
            if y.shape[dimension] < 2:
                continue
            errors = members.get(f"{name}_errors", members.get("errors"))
            if errors is not None and not (_numeric(errors) and errors.shape == y.shape):
                errors = None
            yield Curve(f"{path}/{name}", y, x, dimension, errors, inside)


def _axis(group: Any, members: dict[str, Any], signal: str) -> tuple[int, Any]:
    """The dimension along which the spectrum runs, and its axis if there is one."""
    y = members[signal]
    listed = _names(group, "axes") or _names(y, "axes")
    by_dimension: dict[int, Any] = {}
    for i, name in enumerate(listed[: y.ndim]):
        if name in members:
            by_dimension[i] = members[name]
    for name, item in members.items():
        at = int(a) - 1 if (a := attribute(item, "axis")).isdecimal() and len(a) < 3 else -1
        first = at not in by_dimension or attribute(item, "primary") == "1"
        if not listed and name != signal and 0 <= at < y.ndim and first:
            by_dimension[at] = item
    fitting = {
        i: a for i, a in by_dimension.items()
        if _numeric(a) and a.ndim == 1 and a.shape[0] == y.shape[i]
    }  # fmt: skip
    for i, a in fitting.items():
        if axis_of(a) is not None:
            return i, a
    last = y.ndim - 1
    if "spectrum" in (attribute(group, "interpretation"), attribute(y, "interpretation")):
        return last, fitting.get(last)
    if len(fitting) == 1 and y.ndim == 1:
        return next(iter(fitting.items()))
    return last, fitting.get(last)


def axis_of(dataset: Any) -> tuple[XKind, str] | None:
    """Axis kind and unit that a dataset's name and attributes tell, or None."""
    name = str(dataset.name).rpartition("/")[2]
    units = attribute(dataset, "units")
    label = f"{name.replace('_', ' ')} {attribute(dataset, 'long_name')} {units}"
    found = x_axis(label)
    if found is None and re.search(r"(?i)energy", label):
        return XKind.ENERGY, "keV" if re.search(r"(?i)\bkev\b", label) else "eV"
    return found


def _own(source: Source, tree: Tree) -> list[Spectrum]:
    """Spectra that this program wrote, with all their fields; none if a record was altered."""
    spectra = []
    for path, item in tree.datasets.items():
        entry, found, _ = path.rpartition("/process/record")
        program = tree.datasets.get(f"{entry}/process/program")
        if not found or program is None or scalar(program) != "SpectroGen":
            continue
        try:
            record = json.loads(scalar(item))
            axes = _names(tree.groups[f"{entry}/data"], "axes")
            columns = [
                as_float(numbers(source, tree.datasets[f"{entry}/data/{name}"], name))
                for name in (*axes[:1], "intensity", *record["band"])
            ]
            spectra.append(from_record(record, np.column_stack(columns)))
        except (ValueError, TypeError, KeyError, RecursionError, SpectrogenError):
            source.warn(f"The record of {entry} was altered; its numbers are read without it.")
            return []
    return spectra


_ENERGY = re.compile(r"(?i)(photon_?)?energy$")


def _plain(tree: Tree) -> Iterator[Curve]:
    """Datasets beside an axis of their length, and two-column tables."""
    for path in tree.groups:
        members = {n: d for n, d in tree.children(path).items() if _numeric(d)}
        axes = {n: d for n, d in members.items() if _is_axis(d)}
        for x in axes.values():
            size = x.size
            used = False
            for name, y in members.items():
                if name in axes or size not in y.shape or _is_position(name):
                    continue
                stxm = {"sample_x", "sample_y"} <= members.keys() and _ENERGY.search(x.name)
                dims = [i for i, n in enumerate(y.shape) if n == size]
                used = True
                yield Curve(f"{path}/{name}", y, x, dims[0] if stxm else dims[-1])
            if used:
                break
        if not axes:
            for name, table in members.items():
                if table.ndim == 2 and 2 in table.shape and max(table.shape) > 4:
                    yield Curve(f"{path}/{name}", table, None, int(table.shape[1] != 2) - 2)


def _is_axis(dataset: Any) -> bool:
    long = dataset.size > 1 and dataset.size == max(dataset.shape)
    return long and axis_of(dataset) is not None and not y_axis(dataset.name.rpartition("/")[2])


def _is_position(name: str) -> bool:
    return bool(re.search(r"(?i)sample_?[xyz]$|^(x|y|z|pos\w*|time|index|indices)$", name))


def _offer(source: Source, tree: Tree, taken: set[str], layout: TextLayout | None) -> None:
    """Offer the arrays that are not read, each beside an axis if it has one, else counted."""
    for path, kind in _rest(tree, taken).items():
        for row in range(min(kind[1], MAX_OFFERED - len(source.others))):
            source.others.append(partial(_offered, source, path, row, layout))


def _rest(tree: Tree, taken: set[str]) -> dict[str, tuple[Curve, int]]:
    """Curves by path, each with its number of rows."""
    found = {c.path: c for c in (*_plain(tree), *_nxdata(tree))}
    for path, item in tree.datasets.items():
        if path not in found and _numeric(item) and 1 <= item.ndim <= 2 and item.shape[-1] > 4:
            found[path] = Curve(path, item, None, item.ndim - 1)
    return {
        path: (c, 1 if c.dimension < 0 else c.y.size // c.y.shape[c.dimension])
        for path, c in found.items() if path not in taken
    }  # fmt: skip


def _offered(source: Source, path: str, row: int, layout: TextLayout | None) -> Spectrum:
    with open_hdf5(source) as file:
        tree = walk(source, file)
        curve, rows = _rest(tree, set())[path]
        spectrum = _curve(source, curve, metadata(tree), layout)[1](row)
        return spectrum.replace(name=f"{path} ({row})" if rows > 1 else path)


def _default_first(file: Any, curves: list[Curve]) -> list[Curve]:
    """The curve to which the ``default`` attributes lead comes first."""
    path = ""
    item = file
    for _ in range(8):
        name = attribute(item, "default")
        if not name:
            break
        path = f"{path}/{name}".strip("/")
        item = item.get(name) if hasattr(item, "get") else None
        if item is None:
            break
    return sorted(curves, key=lambda c: not c.path.startswith(f"{path}/") if path else False)


def _nothing(source: Source, tree: Tree) -> Exception:
    found = [f"{p} {d.shape}" for p, d in tree.datasets.items() if _numeric(d) and d.size > 2]
    if tree.elsewhere and not found:
        return source.refuse(
            f"only points to other files ({tree.elsewhere[0]}).", "Open those files themselves."
        )
    listed = "; ".join(found[:8]) or "none"
    images = any(attribute(g, "NX_class") == "NXdata" for g in tree.groups.values())
    return source.refuse(
        f"has {'images but no spectrum' if images else 'no NXdata'}, and no dataset beside an axis "
        f"that names wavelength, wavenumber, Raman shift, energy or angle. Arrays: {listed}.",
        "Write x beside y in one group, or export it as text.",
    )


def metadata(tree: Tree) -> dict[str, str]:
    """Scalar datasets and texts of the file by path."""
    pairs: dict[str, str] = {}
    for path, item in tree.datasets.items():
        value = scalar(item)
        if value and len(value) < 2000:
            units = attribute(item, "units")
            pairs[path] = f"{value} {units}".strip()
        if len(pairs) >= 500:
            break
    return pairs


def _spectra(
    source: Source, tree: Tree, curves: Sequence[Curve], layout: TextLayout | None, check: Check
) -> list[Spectrum] | SpectrumList:
    pairs = metadata(tree)
    parts: list[Part] = []
    for i, curve in enumerate(curves):
        check(0.2 + 0.7 * i / len(curves), f"Reading {curve.path}")
        parts.append(_curve(source, curve, pairs, layout))
    return spectra_of(source, parts)


def _curve(
    source: Source, curve: Curve, pairs: dict[str, str], layout: TextLayout | None
) -> Part:
    """Ordinates of a dataset, one row per spectrum, and what makes each of them."""
    y = numbers(source, curve.y, f"dataset {curve.path}")
    if curve.dimension < 0:
        table = y if curve.dimension == -2 else y.T
        x, y = as_float(table[:, 0]), table[:, 1]
        label = ""
    elif curve.x is not None:
        x = as_float(numbers(source, curve.x, f"axis {curve.x.name}").ravel())
        y = np.moveaxis(y, curve.dimension, -1)
        label = _label(curve.x)
    else:
        y = np.moveaxis(y, curve.dimension, -1)
        x, label = np.arange(float(y.shape[-1])), ""
        source.assume(f"{curve.path} has no axis; its points are counted from 0.")
    shape = y.shape[:-1]
    rows = y.reshape(-1, y.shape[-1])
    errors = None
    if curve.errors is not None:
        errors = numbers(source, curve.errors, "errors").reshape(rows.shape)
    path = [p for p in curve.path.split("/") if p]
    definition = " ".join(
        v for k, v in pairs.items() if k.endswith(("definition", "title", "method"))
    )
    kind = axis_of(curve.x) if curve.x is not None else None
    unit = kind[1] if kind else ""
    if unit == "keV":
        x, label = x * 1000.0, "energy eV"
    elif kind and kind[0] is XKind.ENERGY:
        label = f"energy {unit}"
    known = recognise(
        x, x_label=label, y_label=_label(curve.y), header=re.sub(r"NX|_", " ", definition),
        modality=layout.modality if layout else None,
    )  # fmt: skip
    if curve.x is None and curve.dimension >= 0:
        known = Recognised("unknown", XKind.OTHER, "", known.y_unit)
    if known.assumption:
        source.assume(known.assumption)
    source.unsure |= not known.sure
    entry = path[0] + "/"
    own = {k: v for k, v in pairs.items() if k.startswith(entry) or "/" not in k}
    title = own.get(f"{entry}title", "")
    sample = own.get(f"{entry}sample/name", "")
    laser = _wavelength(own, _LASER_PATHS, nm=True) if known.modality == "raman" else None
    xray = _wavelength(own, _XRAY_PATHS, nm=False) if known.modality == "xrd" else None
    name = title or path[-1]
    if len(path) > 2 and not title:
        name = path[-2]

    def make(index: int) -> Spectrum:
        where = ", ".join(str(i) for i in np.unravel_index(index, shape)) if shape else ""
        row = as_float(rows[index])
        band = {}
        if errors is not None:
            size = np.abs(as_float(errors[index]))
            band = {"lower": row - size, "upper": row + size}
        return source.spectrum(
            x, row, modality=known.modality, x_kind=known.x_kind, x_unit=known.x_unit,
            y_unit=known.y_unit, name=f"{name} ({where})" if where else name,
            sample=sample or (source.path.stem if where else ""), laser_nm=laser,
            wavelength=xray, metadata={"dataset": curve.path, **own}, **band,
        )  # fmt: skip

    return rows, make


def _label(dataset: Any) -> str:
    name = str(dataset.name).rpartition("/")[2].replace("_", " ")
    return f"{name} {attribute(dataset, 'long_name')} {attribute(dataset, 'units')}".strip()


def _wavelength(pairs: dict[str, str], which: re.Pattern[str], *, nm: bool) -> float | None:
    """A wavelength of the instrument in nm (laser) or angstrom (X-rays)."""
    for path, value in pairs.items():
        if not which.search(path):
            continue
        number, _, unit = value.partition(" ")
        try:
            size = float(number)
        except ValueError:
            continue
        metres = {"m": 1.0, "um": 1e-6, "nm": 1e-9, "angstrom": 1e-10, "a": 1e-10, "å": 1e-10}.get(
            unit.strip().lower().removesuffix("s"), 1e-9 if nm else 1e-10
        )
        size *= metres / (1e-9 if nm else 1e-10)
        if (150 < size < 3000) if nm else (0.1 < size < 5):
            return size
    return None
