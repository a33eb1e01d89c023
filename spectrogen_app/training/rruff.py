"""RRUFF archives as a person downloads them: zip files or unpacked folders, any subset."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.errors import Check, TrainingError, unchecked

_ID = re.compile(r"[A-Z]\d{6}")
_TECHNIQUES = {"raman": "raman", "infrared": "ir", "powder": "xrd", "xray": "xrd"}


@dataclass(frozen=True)
class RruffFile:
    """One file of an archive.

    Attributes
    ----------
    name : str
    keys : dict
        Header lines ``##KEY=value``.
    x, y : ndarray, shape (n,)
        Ascending; points of equal x averaged.
    modality : str
    sample : str
        RRUFF ID from the header, or from the file name.
    mineral : str
    laser : int
        Raman line in nm, 0 when not known.
    clash : str
        The other ID, when file name and header disagree.
    """

    name: str
    keys: dict[str, str]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    modality: str
    sample: str
    mineral: str
    laser: int
    clash: str = ""


def iter_files(folder: Path, check: Check = unchecked) -> Iterator[tuple[str, bytes]]:
    """Names and contents of all text files under a folder, in zip files too.

    Raises
    ------
    TrainingError
        The folder is missing, holds nothing, or an archive is damaged.
    """
    if not folder.is_dir():
        raise TrainingError(
            f"{folder} is not a folder.",
            hint="Give the folder that holds RRUFF's archives, zipped or unpacked.",
            path=str(folder),
        )
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".zip", ".txt"))
    if not paths:
        raise TrainingError(
            f"{folder} holds neither .zip nor .txt files.",
            hint="Download archives from RRUFF (such as excellent_unoriented.zip) into it.",
            path=str(folder),
        )
    for i, path in enumerate(paths):
        check(i / len(paths), f"Reading {path.name}")
        if path.suffix.lower() == ".txt":
            yield path.name, path.read_bytes()
            continue
        try:
            with zipfile.ZipFile(path) as archive:
                members = [m for m in archive.namelist() if m.lower().endswith(".txt")]
                for j, member in enumerate(members):
                    if j % 100 == 0:
                        part = (i + j / len(members)) / len(paths)
                        check(part, f"Reading {path.name}")
                    yield Path(member).name, archive.read(member)
        except (zipfile.BadZipFile, EOFError, OSError, zlib.error) as error:
            raise TrainingError(
                f"{path.name} is damaged or incomplete ({error}).",
                hint="Download it again.", path=str(path),
            ) from error  # fmt: skip


def parse(name: str, content: bytes) -> RruffFile | str:
    """Read one file; a string says why it is none of use.

    The header is believed before the file name.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if "Program REFINE" in text[:2000]:
        return "cell refinement, not a spectrum"
    keys: dict[str, str] = {}
    rows = []
    for line in text.splitlines():
        if line.startswith("##"):
            key, _, value = line[2:].partition("=")
            keys[key.strip()] = value.strip()
        elif line.strip():
            rows.append(line)
    parts = name.split("__")
    modality = next((m for t, m in _TECHNIQUES.items() for p in parts if p.lower() == t), "")
    if not modality:
        return "no technique in the file name"
    named = _ID.match(parts[1]) if len(parts) > 1 else None
    headed = _ID.match(keys.get("RRUFFID", ""))
    if not (named or headed):
        return "no RRUFF ID"
    sample = headed[0] if headed else named[0]  # type: ignore[index]
    xy = _numbers(rows)
    if len(xy) < 50:
        return "fewer than 50 points"
    laser = int(parts[3]) if modality == "raman" and len(parts) > 3 and parts[3].isdigit() else 0
    clash = named[0] if named and named[0] != sample else ""
    return RruffFile(
        name, keys, xy[:, 0], xy[:, 1], modality, sample, keys.get("NAMES") or parts[0], laser,
        clash,
    )  # fmt: skip


def _numbers(rows: list[str]) -> NDArray[np.float64]:
    values = []
    for row in rows:
        cells = row.replace(",", " ").split()
        try:
            values.append((float(cells[0]), float(cells[1])))
        except (ValueError, IndexError):
            continue
    xy = np.array(values, dtype=np.float64).reshape(-1, 2)
    xy = xy[np.isfinite(xy).all(axis=1)]
    x, inverse, counts = np.unique(xy[:, 0], return_inverse=True, return_counts=True)
    return np.column_stack([x, np.bincount(inverse, weights=xy[:, 1], minlength=x.size) / counts])


def mineral_stem(name: str) -> str:
    """The name without its chemical or structural suffix, lower case.

    ``Heulandite-Ca``, ``HeulanditeNa`` and ``Heulandite-(Sr)`` all give ``heulandite``.
    """
    bare = re.sub(r"[-\s]*\(.*\)\s*$", "", name.strip())
    bare = re.sub(r"(?<=[a-z]{3})-([A-Z][A-Za-z]*|[\dA-Z]+|[a-z]{1,3})$", "", bare)
    bare = re.sub(r"(?<=[a-z]{4})[A-Z][A-Za-z]*$", "", bare)
    return bare.lower()
