"""Loads torch, the GPU runtime's if there is one, while other threads go on.

Python's own import holds the interpreter's lock for the half second that the system takes to load
and link torch's libraries, and a window stands still for as long. A foreign call of ``dlopen`` lets
it go.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from pathlib import Path

from spectrogen_app.generation import runtime

_LIBRARIES = ("libc10", "libtorch_cpu", "libtorch_python")


def load_torch() -> None:
    """Load torch; does nothing where it is loaded.

    Raises
    ------
    ModelError
        A GPU runtime that could be loaded before does not load any more.
    """
    if "torch" in sys.modules:
        return
    active = runtime.activate()
    _load_libraries()
    try:
        import torch  # noqa: F401
    except (ImportError, OSError) as error:
        if active is None or active.problem:
            raise
        raise runtime.give_up(error) from error


def _load_libraries() -> None:
    found = importlib.util.find_spec("torch")
    if sys.platform == "win32" or found is None or found.origin is None:
        return
    folder = Path(found.origin).parent / "lib"
    suffix = ".dylib" if sys.platform == "darwin" else ".so"
    load = ctypes.CDLL(None).dlopen
    load.argtypes, load.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    for name in _LIBRARIES:
        load(os.fsencode(folder / f"{name}{suffix}"), os.RTLD_NOW | os.RTLD_LOCAL)
