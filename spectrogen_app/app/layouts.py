"""Layouts of text tables that the user chose, kept in the settings by the look of the file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spectrogen_app.app.jobs import Token
from spectrogen_app.app.settings import Settings
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.io.base import TextLayout, Verdict

if TYPE_CHECKING:
    from spectrogen_app.io.preview import TextPreview

LIMIT = 200
"""Looks that are remembered; the oldest go first."""
_KINDS: dict[str, type] = {
    f.name: {"skip_rows": int, "x_column": int, "wavelength": float, "width": float}.get(
        f.name, str
    )
    for f in dataclasses.fields(TextLayout)
    if f.name != "y_columns"
}


def remembered(settings: Settings) -> dict[str, TextLayout]:
    """The layouts by look; what is no layout is left out."""
    found = {look: _from_json(values) for look, values in settings.layouts.items()}
    return {look: layout for look, layout in found.items() if layout is not None}


def remember(settings: Settings, look: str, layout: TextLayout | None) -> Settings:
    """With a layout for files of a look; None, or one that chooses nothing, forgets it."""
    layouts = {k: v for k, v in settings.layouts.items() if k != look}
    if layout is not None and layout != TextLayout():
        values = dataclasses.asdict(layout)
        layouts[look] = {
            k: list(v) if isinstance(v, tuple) else v for k, v in values.items() if v is not None
        }
    newest = list(layouts.items())[-LIMIT:]
    return settings.replace(layouts=dict(newest))


@dataclass(frozen=True)
class PreviewRequest:
    """A text to be looked at.

    Attributes
    ----------
    path : Path
    layout : TextLayout
    """

    path: Path
    layout: TextLayout


def preview(request: PreviewRequest, token: Token) -> TextPreview:
    """What a layout makes of a text, see :func:`spectrogen_app.io.preview.preview_text`.

    Raises
    ------
    SpectrogenError
        The file cannot be read at all.
    Cancelled
    """
    from spectrogen_app.io.preview import preview_text

    token.check(0.0, f"Looking at {request.path.name}")
    try:
        return preview_text(request.path, request.layout, token.check)
    except OSError as error:
        raise SpectrogenError(
            f"{request.path.name} could not be read: {error.strerror or error}.",
            hint="Check whether it still exists.",
        ) from error


def open_with(request: PreviewRequest, token: Token) -> Verdict:
    """The verdict on a file that is read with a layout.

    Raises
    ------
    Cancelled
    """
    from spectrogen_app.io.registry import open_path

    return open_path(request.path, layout=request.layout, check=token.check)


@dataclass(frozen=True)
class AgainRequest:
    """Files to open again if they are of a look.

    Attributes
    ----------
    paths : tuple of Path
    look : str
    layout : TextLayout
    """

    paths: tuple[Path, ...]
    look: str
    layout: TextLayout


def open_again(request: AgainRequest, token: Token) -> dict[Path, Verdict]:
    """New verdicts on those files that are of the look.

    Raises
    ------
    Cancelled
    """
    from spectrogen_app.io.readers.text import look_of
    from spectrogen_app.io.registry import open_path, source_of

    found: dict[Path, Verdict] = {}
    for i, path in enumerate(request.paths):
        token.check(i / len(request.paths), f"Reading {path.name}")
        try:
            same = look_of(source_of(path)) == request.look
        except (OSError, SpectrogenError):
            continue
        if same:
            found[path] = open_path(path, layout=request.layout, check=token.check)
    return found


def _from_json(values: dict[str, Any]) -> TextLayout | None:
    good: dict[str, Any] = {
        k: v for k, v in values.items()
        if k in _KINDS and isinstance(v, _KINDS[k]) and not isinstance(v, bool)
    }  # fmt: skip
    columns = values.get("y_columns")
    if isinstance(columns, list) and all(isinstance(c, int) for c in columns):
        good["y_columns"] = tuple(columns)
    return TextLayout(**good) if good else None
