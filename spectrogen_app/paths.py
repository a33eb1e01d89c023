"""The only place that locates shipped files and user folders, and that writes atomically."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import platformdirs

from spectrogen_app.errors import WriteError

if os.path.expanduser("~") == "~":  # neither $HOME nor a known user: settings end with the session
    os.environ["HOME"] = tempfile.mkdtemp(prefix="spectrogen-")

_PACKAGE = Path(__file__).resolve().parent
_USER = platformdirs.PlatformDirs("SpectroGen", appauthor=False, roaming=False)


def shipped(kind: str) -> Path:
    """Folder of shipped files: ``kind`` is ``"resources"`` or ``"models"``.

    Looked for in ``$SPECTROGEN_<KIND>``, then ``spectrogen_app/_bundled/<kind>`` (wheel and
    frozen program), then beside the package (checkout). The last is returned when none exists.
    """
    override = os.environ.get(f"SPECTROGEN_{kind.upper()}")
    if override:
        return Path(override)
    bundled = _PACKAGE / "_bundled" / kind
    return bundled if bundled.is_dir() else _PACKAGE.parent / kind


def user_config() -> Path:
    """Folder for settings; created by whoever writes there."""
    return Path(_USER.user_config_dir)


def user_data() -> Path:
    """Folder for autosaves and the user's own models."""
    return Path(_USER.user_data_dir)


def user_log() -> Path:
    """Folder for logs and crash reports."""
    return Path(_USER.user_log_dir)


@contextmanager
def atomic_write(path: str | os.PathLike[str], mode: str = "wb", **kwargs: str) -> Iterator[IO]:
    """Open a temporary file beside ``path`` and move it there only when the block succeeds.

    Raises
    ------
    WriteError
        The folder cannot be made or written, or the disk is full. An existing file stays as it was.
    """
    target = Path(path)
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:64]}.", dir=target.parent)
        temporary = Path(name)
        with os.fdopen(descriptor, mode, **kwargs) as stream:  # type: ignore[call-overload]
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(_mode_for(target))
        temporary.replace(target)
        temporary = None
    except OSError as error:
        raise WriteError(
            f"{target} could not be written: {error.strerror or error}.",
            hint="Choose another folder, or free space on the disk, and try again.",
            path=str(target),
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _mode_for(target: Path) -> int:
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
