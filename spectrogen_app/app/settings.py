"""Choices that outlive a session, in one JSON file of the user's configuration folder."""

from __future__ import annotations

import dataclasses
import json
import time
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spectrogen_app import paths

VERSION = 1
RECENT_LIMIT = 20


@dataclass(frozen=True)
class Settings:
    """All choices; a field that is missing in the file keeps its default.

    Attributes
    ----------
    theme : str
        ``system``, ``light`` or ``dark``.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    model_id : str or None
        None takes the bundled default.
    seed : int
    targets : tuple of str
        Modalities that were generated last.
    x_units, y_units : dict of str to str
        Unit shown per modality; x as ``kind/unit``, such as ``wavelength/um``.
    normal_x : tuple of str
        Modalities whose usual x direction was turned round.
    layouts : dict of str to dict
        Text layouts chosen by the user, by the look of the file.
    recent : tuple of str
        Files opened last, newest first.
    folder : str
        Folder used last.
    geometry, window_state : str
        The window's own description of itself, base64.
    choices : dict of str to (str, int, float, bool or None)
        Further choices of a panel, by ``panel.name``.
    """

    theme: str = "system"
    device: str = "auto"
    model_id: str | None = None
    seed: int = 0
    targets: tuple[str, ...] = ("ir", "xrd")
    x_units: dict[str, str] = field(default_factory=dict)
    y_units: dict[str, str] = field(default_factory=dict)
    normal_x: tuple[str, ...] = ()
    layouts: dict[str, dict] = field(default_factory=dict)
    recent: tuple[str, ...] = ()
    folder: str = ""
    geometry: str = ""
    window_state: str = ""
    choices: dict[str, str | int | float | bool | None] = field(default_factory=dict)

    def replace(self, **changes: Any) -> Settings:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def with_recent(self, path: Path) -> Settings:
        """With ``path`` as the newest recent file."""
        name = str(path)
        others = tuple(p for p in self.recent if p != name)
        return self.replace(recent=(name, *others)[:RECENT_LIMIT])


Migration = Callable[[dict[str, Any]], dict[str, Any]]
MIGRATIONS: dict[int, Migration] = {}
"""Step from version ``key`` to ``key + 1``; applied in order to older files."""


def settings_file() -> Path:
    """Where the settings are kept."""
    return paths.user_config() / "settings.json"


def load(path: Path | None = None) -> tuple[Settings, str]:
    """Settings from the file, and a sentence for the user when something was wrong with it.

    A file that is no settings file is set aside under another name; a field of the wrong type
    keeps its default. Nothing raises: a program must start.

    Parameters
    ----------
    path : Path, optional
        Default: :func:`settings_file`.
    """
    path = path or settings_file()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content["version"]
        if not isinstance(version, int) or not isinstance(content["settings"], dict):
            raise ValueError("not a settings file")
    except FileNotFoundError:
        return Settings(), ""
    except OSError as error:
        return Settings(), f"The settings in {path} could not be read ({error.strerror})."
    except (ValueError, KeyError, TypeError, RecursionError):
        return Settings(), _set_aside(path, "are damaged")
    if version > VERSION:
        return Settings(), _set_aside(path, "were written by a newer version")
    values = content["settings"]
    for step in range(version, VERSION):
        values = MIGRATIONS[step](values)
    return _from_json(values)


def save(settings: Settings, path: Path | None = None) -> None:
    """Write the settings atomically.

    Raises
    ------
    WriteError
    """
    content = {"version": VERSION, "settings": dataclasses.asdict(settings)}
    with paths.atomic_write(path or settings_file()) as stream:
        stream.write(json.dumps(content, indent=1).encode())


def _set_aside(path: Path, what: str) -> str:
    kept = path.with_name(f"{path.stem}-{time.strftime('%Y%m%d-%H%M%S')}{path.suffix}")
    try:
        path.replace(kept)
    except OSError:
        return f"The settings in {path} {what}; defaults are used."
    return f"The settings {what}; defaults are used. The old file is kept as {kept}."


def _from_json(values: dict[str, Any]) -> tuple[Settings, str]:
    kinds = typing.get_type_hints(Settings)
    good: dict[str, Any] = {}
    wrong: list[str] = []
    for key, value in values.items():
        if key not in kinds:
            continue
        if not _is(value, kinds[key]):
            wrong.append(key)
            continue
        good[key] = tuple(value) if isinstance(value, list) else value
    message = f"Settings of the wrong kind were left out: {', '.join(wrong)}." if wrong else ""
    return Settings(**good), message


def _is(value: object, kind: Any) -> bool:
    """Whether a JSON value fits an annotation of :class:`Settings`."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return isinstance(value, list) and all(_is(v, inner[0]) for v in value)
    if origin is dict:
        return isinstance(value, dict) and all(_is(v, inner[1]) for v in value.values())
    if origin is types.UnionType:
        return any(_is(value, k) for k in inner)
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))
