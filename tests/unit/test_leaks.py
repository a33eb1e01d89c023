"""The watch itself: a test that leaves something behind fails and says what."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"
LEAKS = {
    "thread": (
        "import threading, time\n"
        "def test(): threading.Thread(target=time.sleep, args=(5,), name='left-over',"
        " daemon=True).start()\n",
        "left-over",
    ),
    "window": (
        "from PySide6 import QtWidgets\n"
        "def test(qtbot):\n    global window\n    window = QtWidgets.QLabel('x'); window.show()\n",
        "windows left open",
    ),
    "timer": (
        "from PySide6 import QtCore\n"
        "def test(qtbot):\n    global timer\n    timer = QtCore.QTimer(); timer.start(1000)\n",
        "timers left running",
    ),
    "log": ("import logging\ndef test(): logging.getLogger('x').warning('odd')\n", "x: odd"),
}


@pytest.mark.parametrize("kind", sorted(LEAKS))
def test_what_is_left_behind_fails(kind: str, tmp_path: Path) -> None:
    code, said = LEAKS[kind]
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "test_leak.py").write_text(code)
    (tmp_path / "pytest.ini").write_text("[pytest]\nqt_api = pyside6\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", str(tmp_path)], cwd=tmp_path, capture_output=True,
        text=True, env={**os.environ, "PYTEST_ADDOPTS": ""}, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout
    assert said in done.stdout
    assert "1 passed, 1 error" in done.stdout
