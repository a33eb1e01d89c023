"""A session as one file: save, open, autosave, recover.

The file is HDF5: the dataset ``session`` holds the session as JSON, and ``arrays`` holds its number
columns, each once, however many curves share it; a spectrum that a curve and its fits share is
stored once too. The attribute ``version`` is that of the layout.
"""

from __future__ import annotations

import dataclasses
import io
import json
import sys
import time
import typing
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO, Any

import h5py
import numpy as np

from spectrogen_app import paths
from spectrogen_app.app.decomposition import Decomposition, Fitted
from spectrogen_app.app.session import Curve, Sample, SessionState, new_id
from spectrogen_app.data.provenance import Generation, Provenance, Reference
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check, ProjectError, SpectrogenError, WriteError, unchecked
from spectrogen_app.fitting.model import Background, Model, Param, Peak, Term
from spectrogen_app.fitting.options import Options
from spectrogen_app.fitting.result import FitResult

EXTENSION = ".spectrogen"
VERSION = 1
MIGRATIONS: dict[int, Callable[[Any], Any]] = {}
"""Step of the JSON from version ``key`` to ``key + 1``."""

_KINDS: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        SessionState, Sample, Curve, Spectrum, Provenance, Generation, Reference, Decomposition,
        Fitted, FitResult, Options, Model, Peak, Param, Background, Term,
    )
}  # fmt: skip

_SHARED = (Spectrum, FitResult)
"""Values stored once, where several hold them."""
_PIECE = 1 << 14
"""Numbers written in one call: HDF5 and json keep Python's lock, and the window waits for it."""
_text = json.JSONEncoder(ensure_ascii=False).encode


def save(state: SessionState, path: Path, check: Check = unchecked) -> None:
    """Write the session atomically.

    Metadata that is neither text, number, sequence, mapping nor array is stored as text.

    Raises
    ------
    WriteError
        An existing file stays as it was.
    Cancelled
    """
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.attrs["format"] = "SpectroGen project"
        file.attrs["version"] = VERSION
        encoder = _Encoder(file.create_group("arrays"), check)
        text = encoder.encode(state).encode()
        _put(file, "session", np.frombuffer(text, np.uint8), compression="gzip")
    check(0.9, f"Writing {path.name}")
    with paths.atomic_write(path) as stream:
        stream.write(content.getbuffer())


def load(path: Path, check: Check = unchecked) -> SessionState:
    """Open a project file.

    Raises
    ------
    ProjectError
        No such file, no project, damaged, or written by a newer version.
    Cancelled
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            if file.attrs.get("format") != "SpectroGen project":
                raise ProjectError(
                    f"{path.name} is HDF5, but not a SpectroGen project.",
                    hint="Open it as a data file instead.", path=str(path),
                )  # fmt: skip
            version = int(file.attrs["version"])
            if version > VERSION:
                raise ProjectError(
                    f"{path.name} is of a newer version (layout {version}, known {VERSION}).",
                    hint="Update the program.", path=str(path), version=version,
                )  # fmt: skip
            tree = json.loads(file["session"][()].tobytes())
            for step in range(version, VERSION):
                tree = MIGRATIONS[step](tree)
            state = _Decoder(file["arrays"], check).decode(tree)
        if not isinstance(state, SessionState):
            raise ValueError("no session in it")
    except ProjectError:
        raise
    except FileNotFoundError as error:
        raise ProjectError(f"{path} does not exist.", path=str(path)) from error
    except PermissionError as error:
        raise ProjectError(
            f"{path} may not be read.", hint="Check the file's permissions.", path=str(path)
        ) from error
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, RecursionError) as error:
        raise ProjectError(
            f"{path.name} is damaged or not a SpectroGen project ({error}).",
            hint="Restore it from a backup, or look for an autosave at the next start.",
            path=str(path),
        ) from error
    return state


def _put(group: h5py.Group, name: str, array: np.ndarray, **options: Any) -> None:
    """Write an array, piece by piece along its first axis."""
    if array.size <= _PIECE:
        group.create_dataset(name, data=array, **options)
        return
    step = max(1, _PIECE * len(array) // array.size)
    chunks = (step, *array.shape[1:])
    data = group.create_dataset(name, array.shape, array.dtype, chunks=chunks, **options)
    for at in range(0, len(array), step):
        data[at : at + step] = array[at : at + step]


class _Encoder:
    """Frozen dataclasses to JSON; arrays go to ``group`` and are named by their number."""

    def __init__(self, group: h5py.Group, check: Check) -> None:
        self._group = group
        self._check = check
        self._names: dict[int, tuple[str, np.ndarray]] = {}
        self._shared: dict[int, tuple[int, Any]] = {}

    def encode(self, value: Any) -> str:
        if isinstance(value, Enum):
            return _text(value.value)
        if value is None or isinstance(value, bool | int | float | str):
            return _text(value)
        if isinstance(value, np.generic):
            return self.encode(value.item())
        if isinstance(value, np.ndarray):
            stored = value.dtype.kind in "biuf"
            return f'{{"array": "{self._store(value)}"}}' if stored else _text(value.tolist())
        if type(value).__name__ in _KINDS:
            if isinstance(value, Sample):
                self._check(0.5, f"Saving {value.name}")
            if isinstance(value, _SHARED):
                if id(value) in self._shared:
                    return f'{{"same": {self._shared[id(value)][0]}}}'
                self._shared[id(value)] = len(self._shared), value
            fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.init}
            return f'{{"is": "{type(value).__name__}", "of": {self._members(fields)}}}'
        if isinstance(value, typing.Mapping):
            return f'{{"map": {self._members(value)}}}'
        if isinstance(value, tuple):
            return f'{{"tuple": {self._items(value)}}}'
        if isinstance(value, list | set | frozenset):
            return self._items(value)
        return _text(str(value))

    def _members(self, values: typing.Mapping[Any, Any]) -> str:
        return f"{{{', '.join(f'{_text(str(k))}: {self.encode(v)}' for k, v in values.items())}}}"

    def _items(self, values: typing.Iterable[Any]) -> str:
        return f"[{', '.join(map(self.encode, values))}]"

    def _store(self, array: np.ndarray) -> str:
        if id(array) not in self._names:
            name = str(len(self._names))
            options = {"compression": "gzip", "shuffle": True} if array.size > 64 else {}
            _put(self._group, name, array, **options)
            self._names[id(array)] = name, array
        return self._names[id(array)][0]


class _Decoder:
    """What :class:`_Encoder` wrote, back to dataclasses."""

    def __init__(self, group: h5py.Group, check: Check) -> None:
        self._group = group
        self._check = check
        self._arrays: dict[str, np.ndarray] = {}
        self._shared: list[Any] = []

    def _array(self, name: str) -> np.ndarray:
        if name not in self._arrays:
            self._arrays[name] = self._group[name][()]
        return self._arrays[name]

    def decode(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.decode(v) for v in value]
        if not isinstance(value, dict):
            return value
        if "array" in value:
            return self._array(value["array"])
        if "tuple" in value:
            return tuple(self.decode(v) for v in value["tuple"])
        if "map" in value:
            return {k: self.decode(v) for k, v in value["map"].items()}
        if "same" in value:
            return self._shared[value["same"]]
        kind = _KINDS[value["is"]]
        fields = {f.name for f in dataclasses.fields(kind)}
        place = len(self._shared)
        if issubclass(kind, _SHARED):
            self._shared.append(None)
        made = kind(**{k: self.decode(v) for k, v in value["of"].items() if k in fields})
        if issubclass(kind, _SHARED):
            self._shared[place] = made
        if kind is Sample:
            self._check(0.5, f"Opening {made.name}")
        return made


@dataclass(frozen=True)
class Recovery:
    """Work that a program that ended without saving has left.

    Attributes
    ----------
    path : Path
        The autosave; :func:`load` opens it.
    saved_at : float
        Seconds since the epoch.
    project : str
        The project file it belongs to; empty when it was never saved.
    samples, curves : int
    """

    path: Path
    saved_at: float
    project: str
    samples: int
    curves: int


class Autosave:
    """Keeps a copy of unsaved work while the program runs.

    A lock file beside it is held by the running program, so that another start does not take live
    work for a crash; the system releases it however the program ends.

    Parameters
    ----------
    folder : Path, optional
        Default: ``autosave`` in the user's data folder.

    Raises
    ------
    WriteError
        The folder cannot be written, or its file system has no locks.
    """

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or autosave_folder()
        self.path = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{new_id()}{EXTENSION}"
        lock = _lock_path(self.path)
        with paths.atomic_write(lock):
            pass
        self._lock: IO | None = lock.open("r+b")
        try:
            _take_lock(self._lock)
        except OSError as error:
            self._lock.close()
            lock.unlink(missing_ok=True)
            raise WriteError(
                f"{lock} could not be locked: {error.strerror or error}.",
                hint="Save the project by hand.",
            ) from error

    def save(self, state: SessionState, project: Path | None = None) -> None:
        """Write the work as it is now.

        Raises
        ------
        WriteError
        """
        about = {
            "saved_at": time.time(),
            "project": str(project or ""),
            "samples": len(state.samples),
            "curves": len(list(state.curves())),
        }
        save(state, self.path)
        with paths.atomic_write(_about_path(self.path)) as stream:
            stream.write(json.dumps(about).encode())

    def discard(self) -> None:
        """The work is saved or given up: forget the copy, and keep watching."""
        discard(self.path)

    def close(self, keep: bool = False) -> None:
        """End orderly: nothing is left to recover, unless the copy is to be kept for next time."""
        if self._lock is None:
            return
        if not keep:
            self.discard()
        self._lock.close()
        self._lock = None
        _lock_path(self.path).unlink(missing_ok=True)


def autosave_folder() -> Path:
    """Where autosaves are kept."""
    return paths.user_data() / "autosave"


def recoveries(folder: Path | None = None) -> list[Recovery]:
    """Work left by programs that no longer run, newest first; damaged leftovers are passed over."""
    found = []
    for path in (folder or autosave_folder()).glob(f"*{EXTENSION}"):
        if _is_held(_lock_path(path)):
            continue
        try:
            about = json.loads(_about_path(path).read_text(encoding="utf-8"))
            found.append(Recovery(path=path, **about))
        except (OSError, ValueError, TypeError):
            try:
                state = load(path)
            except SpectrogenError:
                continue
            found.append(
                Recovery(path, path.stat().st_mtime, "", len(state.samples),
                         len(list(state.curves())))
            )  # fmt: skip
    return sorted(found, key=lambda r: r.saved_at, reverse=True)


def discard(path: Path) -> None:
    """Forget one autosave, recovered or not wanted."""
    path.unlink(missing_ok=True)
    _about_path(path).unlink(missing_ok=True)
    if not _is_held(_lock_path(path)):
        _lock_path(path).unlink(missing_ok=True)


def _lock_path(path: Path) -> Path:
    return path.with_suffix(".lock")


def _about_path(path: Path) -> Path:
    return path.with_suffix(".json")


def _is_held(lock: Path) -> bool:
    try:
        with lock.open("r+b") as stream:
            _take_lock(stream)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


if sys.platform == "win32":
    import msvcrt

    def _take_lock(stream: IO) -> None:
        """Lock without waiting; OSError when another program holds it."""
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take_lock(stream: IO) -> None:
        """Lock without waiting; OSError when another program holds it."""
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
