"""Starts the window: application, crash handler, theme, options; torch comes after."""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

from PySide6 import QtCore, QtGui, QtWidgets

from spectrogen_app import __version__, paths
from spectrogen_app.app import settings as stored
from spectrogen_app.gui.collector import Collector
from spectrogen_app.gui.context import SettingsKeeper
from spectrogen_app.gui.main_window import MainWindow
from spectrogen_app.gui.plotting.canvas import configure
from spectrogen_app.gui.theme import MODES, Mode, ThemeController
from spectrogen_app.paths import shipped

log = logging.getLogger(__name__)


def run(files: Sequence[Path] = (), targets: Sequence[str] = ()) -> int:
    """Open the window with files, and return the exit code when it closes.

    Parameters
    ----------
    files : sequence of Path
        Opened at once.
    targets : sequence of str
        Modalities generated from them as soon as they are in.
    """
    app = application()
    log_file = start_logging()
    handler = CrashHandler(log_file)
    handler.install()
    window, trouble = make_window(app)
    collector = Collector(app, lambda: window.status.busy)
    window.device_known.connect(collector.settle)
    window.show()
    if trouble:
        window.notices.tell("warning", trouble)
    QtCore.QTimer.singleShot(300, window, window.warm)
    opener = FileOpener(window.open_paths)
    if sys.platform == "darwin":
        app.installEventFilter(opener)
    if files:
        window.open_paths([Path(f) for f in files], window.generator_for(targets))
    try:
        code = app.exec()
    finally:
        collector.close()
        handler.remove()
    if not window.ended:  # a thread that still loads a library would make Python's exit abort
        os._exit(code)
    return code


def application() -> QtWidgets.QApplication:
    """The application object, set up once."""
    made = QtWidgets.QApplication.instance()
    if isinstance(made, QtWidgets.QApplication):
        return made
    QtGui.QGuiApplication.setHighDpiScaleFactorRoundingPolicy(
        QtCore.Qt.HighDpiScaleFactorRoundingPolicy.PassThrough
    )
    app = QtWidgets.QApplication(sys.argv[:1])
    app.setApplicationName("SpectroGen")
    app.setApplicationDisplayName("SpectroGen")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("io.github.spectrogen.SpectroGen")
    app.setWindowIcon(QtGui.QIcon(str(shipped("resources") / "icons" / "spectrogen.svg")))
    configure()
    return app


def make_window(app: QtWidgets.QApplication) -> tuple[MainWindow, str]:
    """The window with the user's settings, and a sentence when those had trouble."""
    values, trouble = stored.load()
    mode: Mode = next((m for m in MODES if m == values.theme), "system")
    keeper = SettingsKeeper(values, app)
    return MainWindow(ThemeController(app, mode), keeper), trouble


def start_logging() -> Path | None:
    """Write warnings and crashes to the log file; None where it cannot be written."""
    try:
        folder = paths.user_log()
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "spectrogen.log"
        if file.exists() and file.stat().st_size > 1_000_000:
            file.replace(folder / "spectrogen.old.log")
        logging.basicConfig(
            filename=file, level=logging.WARNING, encoding="utf-8",
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        )  # fmt: skip
    except OSError:
        return None
    return file


class FileOpener(QtCore.QObject):
    """Opens the files that macOS hands over as events: those of a double click, or of the Dock."""

    def __init__(self, open_paths: Callable[[Sequence[Path]], None]) -> None:
        super().__init__()
        self._open_paths = open_paths

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:
        """Qt's: whether the event ends here."""
        if isinstance(event, QtGui.QFileOpenEvent) and event.file():
            self._open_paths([Path(event.file())])
            return True
        return False


class CrashHandler(QtCore.QObject):
    """Writes an unexpected error to the log and says so in a dialog; the program goes on."""

    _seen = QtCore.Signal(str)

    def __init__(self, log_file: Path | None) -> None:
        super().__init__()
        self._log_file = log_file
        self._shown_at = -60.0
        self._before = (sys.excepthook, threading.excepthook)
        self._fatal: IO[str] | None = None
        self._seen.connect(self._tell, QtCore.Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Catch what nothing else catches, in every thread, and hard crashes into a file."""
        sys.excepthook = self.handle
        threading.excepthook = lambda args: self.handle(
            args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
        )
        if self._log_file is not None:
            self._fatal = self._log_file.with_name("crash.log").open("a", encoding="utf-8")
            faulthandler.enable(self._fatal)

    def remove(self) -> None:
        """As before."""
        sys.excepthook, threading.excepthook = self._before
        if self._fatal is not None:
            faulthandler.disable()
            self._fatal.close()

    def handle(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Log one unexpected error and tell the user, once a minute at most."""
        if issubclass(kind, KeyboardInterrupt):
            QtWidgets.QApplication.quit()
            return
        text = "".join(traceback.format_exception(kind, error, trace))
        log.error("Unexpected error\n%s", text)
        if sys.stderr is not None:
            sys.stderr.write(text)
        self._seen.emit(text)

    @QtCore.Slot(str)
    def _tell(self, text: str) -> None:
        if time.monotonic() - self._shown_at < 60:
            return
        self._shown_at = time.monotonic()
        box = QtWidgets.QMessageBox()
        box.setIcon(QtWidgets.QMessageBox.Icon.Warning)
        box.setWindowTitle("SpectroGen")
        box.setText("Something went wrong that should not have. Your work is kept.")
        where = f"The details are in {self._log_file}." if self._log_file else ""
        box.setInformativeText(f"You can go on; save your work to be sure. {where}")
        box.setDetailedText(text)
        box.exec()
