"""Fixtures that every test may use, and the watch for what tests leave behind."""

import gc
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "2")

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real measured files; not part of the project."""
    folder = Path(os.environ.get("SPECTROGEN_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no real measured files here (set SPECTROGEN_SHARED_DATA to their folder)")
    return folder


@pytest.fixture(scope="session")
def examples() -> Path:
    """Folder of the bundled examples."""
    return ROOT / "resources" / "examples"


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, autosaves and logs of a test go to a folder of its own."""
    home = tmp_path_factory.mktemp("home")
    for name in ("config", "data", "state", "cache"):
        monkeypatch.setenv(f"XDG_{name.upper()}_HOME", str(home / name))


@pytest.fixture(autouse=True)
def _nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread, or with Qt a window or a running timer."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 2
    while (left := _threads(before)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not left, f"threads left running: {[t.name for t in left]}"
    if "qtbot" in request.fixturenames:
        _no_windows_or_timers()


def _threads(before: set[threading.Thread]) -> list[threading.Thread]:
    """New threads that still run, but for those of libraries that live as long as the process."""
    return [
        t for t in threading.enumerate()
        if t not in before and t.is_alive() and not t.name.startswith(("tqdm", "Dummy", "pydevd"))
        and type(t).__name__ != "TMonitor"
    ]  # fmt: skip


def _no_windows_or_timers() -> None:
    from PySide6 import QtCore, QtWidgets

    app = QtWidgets.QApplication.instance()
    if not isinstance(app, QtWidgets.QApplication):
        return
    for _ in range(3):
        QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)
        app.processEvents()
    windows = [w for w in app.topLevelWidgets() if w.isVisible()]
    for window in windows:
        window.close()
    timers = [o for o in gc.get_objects() if type(o) is QtCore.QTimer and _active(o)]
    for timer in timers:
        timer.stop()
    assert not windows, f"windows left open: {windows}"
    assert not timers, f"timers left running: {[t.parent() for t in timers]}"


def _active(timer: object) -> bool:
    try:
        return timer.isActive() and not timer.isSingleShot()  # type: ignore[attr-defined]
    except RuntimeError:
        return False


@pytest.fixture(autouse=True)
def _no_log_warnings(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that logs a warning, unless it looks at the log itself."""
    seen: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: seen.append(f"{record.name}: {record.getMessage()}")  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)
    if "caplog" not in request.fixturenames:
        assert not seen, f"logged: {seen}"


@pytest.fixture(scope="session")
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run this Python with arguments in the checkout's folder; keywords go to the environment."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, timeout=240,
            check=False, env={**os.environ, **environment}, cwd=ROOT,
        )  # fmt: skip

    return run
