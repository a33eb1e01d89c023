"""Entry script of the frozen program: checks the installation, then starts it."""

import multiprocessing

multiprocessing.freeze_support()

import contextlib
import json
import os
import subprocess
import sys
import textwrap
import traceback
from pathlib import Path

BUNDLE = Path(getattr(sys, "_MEIPASS", Path(__file__).resolve().parent))
WINDOWED = sys.stdout is None
"""Whether there is no terminal to write to (the program with a window on Windows)."""


def log_file() -> Path | None:
    """A file that can be written, if there is one."""
    for variable in ("LOCALAPPDATA", "XDG_STATE_HOME", "HOME", "USERPROFILE", "TMPDIR", "TEMP"):
        folder = os.environ.get(variable)
        if folder:
            path = Path(folder, "SpectroGen", "start.log")
            try:
                path.parent.mkdir(exist_ok=True)
                path.open("a").close()
                return path
            except OSError:
                continue
    return None


def damage() -> list[str]:
    """Files that the installation lacks or that have another size than when it was built."""
    manifest = BUNDLE / "manifest.txt"
    if not manifest.exists():
        return ["manifest.txt"]
    wrong = []
    for line in manifest.read_text("utf-8").splitlines():
        size, name = line.split(" ", 1)
        try:
            right = size in ("signed", str(os.stat(BUNDLE / name).st_size))
        except OSError:
            right = False
        if not right:
            wrong.append(name)
    return wrong


def tell(message: str) -> None:
    """Say it where the user will see it, with as little of the bundle as possible."""
    print(message, file=sys.stderr, flush=True)
    if sys.platform == "win32":
        import ctypes

        if WINDOWED:
            ctypes.windll.user32.MessageBoxW(None, message, "SpectroGen", 0x10)
        return
    if sys.platform == "darwin":
        text = json.dumps(message, ensure_ascii=False)
        script = f'display alert "SpectroGen" message {text} as critical'
        subprocess.run(["osascript", "-e", script], check=False)
        return
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return
    environment = {**os.environ, "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH_ORIG", "")}
    for command in (
        ["zenity", "--error", "--title=SpectroGen", "--no-markup", f"--text={message}"],
        ["kdialog", "--title", "SpectroGen", "--error", message],
        ["xmessage", "-center", "\n".join(textwrap.fill(x, 80) for x in message.split("\n"))],
    ):
        try:
            subprocess.run(command, env=environment, check=False)
            return
        except OSError:
            continue
    try:
        from PySide6.QtWidgets import QApplication, QMessageBox

        _ = QApplication.instance() or QApplication([])
        QMessageBox.critical(None, "SpectroGen", message)
    except Exception:
        traceback.print_exc()


def torch_first() -> None:
    """Load torch before Qt on Windows, where it fails later; trouble is told in the window."""
    from spectrogen_app.cli.main import COMMANDS

    if sys.platform == "win32" and not set(sys.argv[1:2]) & (COMMANDS.keys() - {"selftest"}):
        from spectrogen_app.generation.preload import load_torch

        try:
            load_torch()
        except Exception:
            traceback.print_exc()


def end_splash() -> None:
    """Take away the picture that stands there while torch loads, where the build has one."""
    if "_PYI_SPLASH_IPC" in os.environ:
        import pyi_splash

        pyi_splash.close()


def main() -> int:
    """Start the program; 1 when it cannot be started."""
    if sys.stdout is None or sys.stderr is None:
        path = log_file() or Path(os.devnull)
        stream = path.open("a", buffering=1, encoding="utf-8", errors="replace")
        sys.stdout, sys.stderr = sys.stdout or stream, sys.stderr or stream
    try:
        wrong = damage()
        if wrong:
            count = "A file is" if len(wrong) == 1 else f"{len(wrong)} files are"
            raise RuntimeError(f"{count} missing or altered:\n{wrong[0]}")
        torch_first()
        from spectrogen_app.__main__ import main as run
    except Exception as error:
        return stop(
            f"SpectroGen could not start: the installation is damaged.\n{error}\n\n"
            "Install it again; your data and settings are kept."
        )
    finally:
        end_splash()
    try:
        return int(run() or 0)
    except Exception as error:
        return stop(
            f"SpectroGen had to stop.\n{type(error).__name__}: {error}\n\n"
            "Start it again; if this comes back, install it again. Your data are kept."
        )


def stop(message: str) -> int:
    """Log the error at hand, where that is possible, and tell the user; returns the exit code."""
    path = log_file()
    if path is not None:
        with contextlib.suppress(OSError), path.open("a", encoding="utf-8") as stream:
            traceback.print_exc(file=stream)
            message += f"\nDetails: {path}"
    tell(message)
    return 1


if __name__ == "__main__":
    sys.exit(main())
