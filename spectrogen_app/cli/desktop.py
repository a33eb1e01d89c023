"""What the command line needs of the window, and whether there can be one."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import SpectrogenError


class Desktop(Protocol):
    """Made by the entry point, so that the command line need not know Qt."""

    def run(self, files: Sequence[Path], targets: Sequence[str]) -> int:
        """Open the window with files, generate ``targets``, and return the exit code."""

    def check(self, picture: Path | None) -> str:
        """Make and destroy the window, with a PNG of it; returns what it was made with."""

    def picture(self, title: str, panels: Sequence[Sequence[Spectrum]], path: Path) -> None:
        """Draw one panel per group of spectra into a PNG, without a window."""


_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libglib-2.0.so.0": "libglib2.0-0",
}
_X11_LIBRARIES = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}


def has_display() -> bool:
    """Whether a window can be opened; an X server that does not answer counts as none."""
    if sys.platform in ("win32", "darwin"):
        return True
    if os.environ.get("QT_QPA_PLATFORM") or os.environ.get("WAYLAND_DISPLAY"):
        return True
    return bool(os.environ.get("DISPLAY")) and _x_server_answers()


def _x_server_answers() -> bool:
    """Qt would abort; without libxcb it is left to :func:`require_qt` to say what is missing."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    failed = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return not failed


def require_qt(window: bool = True) -> None:
    """Check that the system libraries of Qt are there; Qt itself would abort without a word.

    Parameters
    ----------
    window : bool
        Also those of an X11 window.

    Raises
    ------
    SpectrogenError
        Names the line to type.
    """
    if not sys.platform.startswith("linux"):
        return
    by_x11 = os.environ.get("DISPLAY") and os.environ.get("QT_QPA_PLATFORM", "xcb") == "xcb"
    needed = _LIBRARIES | (_X11_LIBRARIES if window and by_x11 else {})
    missing = [package for library, package in needed.items() if not _loads(library)]
    if missing:
        raise SpectrogenError(
            f"The system lacks {', '.join(missing)}, which the window needs.",
            hint=f"On Debian or Ubuntu type: apt-get install -y {' '.join(missing)}",
            missing=missing,
        )


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
