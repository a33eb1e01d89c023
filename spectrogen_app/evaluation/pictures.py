"""Plots as SVG, written by hand: generated over measured, with the band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.paths import atomic_write

WIDTH, HEIGHT, MARGIN = 420, 130, 22
POINTS = 800


@dataclass(frozen=True)
class Panel:
    """One small plot.

    Attributes
    ----------
    title : str
    x, generated, measured, lower, upper : ndarray, shape (n,)
    reversed_x : bool
    """

    title: str
    x: NDArray[np.floating]
    generated: NDArray[np.floating]
    measured: NDArray[np.floating]
    lower: NDArray[np.floating]
    upper: NDArray[np.floating]
    reversed_x: bool = False


def write_panels(path: Path, panels: Sequence[Panel], columns: int = 3) -> Path:
    """Write plots side by side: measured black, generated blue with its band."""
    rows = -(-len(panels) // columns)
    wide, high = columns * (WIDTH + MARGIN) + MARGIN, rows * (HEIGHT + 2 * MARGIN) + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" '
        'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/>'
    ]
    for i, panel in enumerate(panels):
        left = MARGIN + (i % columns) * (WIDTH + MARGIN)
        top = MARGIN + (i // columns) * (HEIGHT + 2 * MARGIN)
        parts.append(f'<g transform="translate({left},{top})">{_panel(panel)}</g>')
    parts.append("</svg>\n")
    with atomic_write(path) as stream:
        stream.write("".join(parts).encode())
    return path


def _panel(panel: Panel) -> str:
    x = panel.x
    at = (x - x[0]) / (x[-1] - x[0]) * WIDTH
    if panel.reversed_x:
        at = WIDTH - at
    band = _points(at, panel.upper) + " " + " ".join(reversed(_points(at, panel.lower).split(" ")))
    first, last = (x[-1], x[0]) if panel.reversed_x else (x[0], x[-1])
    return (
        f'<text x="0" y="-5">{escape(panel.title)}</text>'
        f'<polygon points="{band}" fill="#9ecae1" opacity="0.6"/>'
        f'<polyline points="{_points(at, panel.measured)}" fill="none" stroke="black"/>'
        f'<polyline points="{_points(at, panel.generated)}" fill="none" stroke="#1f77b4"/>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999"/>'
        f'<text x="0" y="{HEIGHT + 13}">{first:g}</text>'
        f'<text x="{WIDTH}" y="{HEIGHT + 13}" text-anchor="end">{last:g}</text>'
    )


def _points(at: NDArray[np.floating], y: NDArray[np.floating]) -> str:
    """At most POINTS of a curve, each the highest of its stretch."""
    step = max(1, len(at) // POINTS)
    n = len(at) // step * step
    tall = np.asarray(y)[:n].reshape(-1, step).max(1)
    places = at[:n].reshape(-1, step).mean(1)
    level = HEIGHT * (1 - np.clip(tall, 0, 1.3) / 1.3)
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(places, level, strict=True))
