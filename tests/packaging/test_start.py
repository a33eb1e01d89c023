"""Starting where things are not as on a developer's computer."""

import os
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(os.name != "posix", reason="other systems always know the user's folder")
def test_a_user_without_a_home_gets_one_for_the_session(run_python, tmp_path: Path) -> None:
    done = run_python(
        "-c",
        "import os, pwd, sys\n"
        "for name in [n for n in os.environ if n == 'HOME' or n.startswith('XDG_')]:\n"
        "    del os.environ[name]\n"
        "def unknown(uid): raise KeyError(uid)\n"
        "pwd.getpwuid = unknown\n"
        "os.environ['TMPDIR'] = sys.argv[1]\n"
        "from spectrogen_app import paths\n"
        "with paths.atomic_write(paths.user_config() / 'settings.json') as out: out.write(b'{}')",
        str(tmp_path),
    )
    assert (done.returncode, done.stderr) == (0, "")
    (written,) = tmp_path.rglob("settings.json")
    assert written.relative_to(tmp_path).parts[0].startswith("spectrogen-")


def test_macos_hands_files_over_as_events(qapp) -> None:
    from PySide6 import QtCore, QtGui, QtWidgets

    from spectrogen_app.gui.application import FileOpener

    opened: list[Path] = []
    opener = FileOpener(opened.extend)
    target = QtWidgets.QWidget()
    target.installEventFilter(opener)
    asked = Path(sys.executable).resolve()
    event = QtGui.QFileOpenEvent(QtCore.QUrl.fromLocalFile(str(asked)))
    QtCore.QCoreApplication.sendEvent(target, event)
    QtCore.QCoreApplication.sendEvent(target, QtCore.QEvent(QtCore.QEvent.Type.User))
    assert opened == [asked]
    target.deleteLater()
