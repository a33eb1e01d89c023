"""Loads torch's libraries while other threads go on.

Python's own import holds the interpreter's lock for the half second that the system takes to load
and link them, and a window stands still for as long. A foreign call of ``dlopen`` lets it go.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from pathlib import Path

_LIBRARIES = ("libc10", "libtorch_cpu", "libtorch_python")


def preload_torch() -> None:
    """Load the libraries of torch; does nothing where they are loaded or this cannot be done."""
    if "torch" in sys.modules or sys.platform == "win32":
        return
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        return
    folder = Path(found.origin).parent / "lib"
    suffix = ".dylib" if sys.platform == "darwin" else ".so"
    load = ctypes.CDLL(None).dlopen
    load.argtypes, load.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    for name in _LIBRARIES:
        load(os.fsencode(folder / f"{name}{suffix}"), os.RTLD_NOW | os.RTLD_LOCAL)
