"""Layouts of text tables that the user chose, kept in the settings by the look of the file."""

from __future__ import annotations

import dataclasses
from typing import Any

from spectrogen_app.app.settings import Settings
from spectrogen_app.io.base import TextLayout

LIMIT = 200
"""Looks that are remembered; the oldest go first."""
_KINDS: dict[str, type] = {
    f.name: int if f.name in ("skip_rows", "x_column") else str
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


def _from_json(values: dict[str, Any]) -> TextLayout | None:
    good: dict[str, Any] = {
        k: v for k, v in values.items()
        if k in _KINDS and isinstance(v, _KINDS[k]) and not isinstance(v, bool)
    }  # fmt: skip
    columns = values.get("y_columns")
    if isinstance(columns, list) and all(isinstance(c, int) for c in columns):
        good["y_columns"] = tuple(columns)
    return TextLayout(**good) if good else None
