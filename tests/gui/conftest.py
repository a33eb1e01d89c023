"""The window without a screen, with its own folders, and nothing left behind."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

if not os.environ.get("SPECTROGEN_TEST_DISPLAY"):
    os.environ["QT_QPA_PLATFORM"] = "offscreen"

sys.path.insert(0, str(Path(__file__).parent))

import gui_fakes as fakes
import pytest
import shiboken6
from gui_fakes import lines
from PySide6 import QtCore, QtWidgets

from spectrogen_app import paths
from spectrogen_app.app import services
from spectrogen_app.app.settings import Settings
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.generation import bundle
from spectrogen_app.gui.context import SettingsKeeper
from spectrogen_app.gui.main_window import MainWindow
from spectrogen_app.gui.plotting.canvas import configure
from spectrogen_app.gui.theme import ThemeController


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what only the screenless platform says."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.qt_log_ignore("propagateSizeHints"))


@pytest.fixture(scope="session", autouse=True)
def _plot_options() -> None:
    configure()


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("user_config", "user_data", "user_log"):
        folder = tmp_path / name
        monkeypatch.setattr(paths, name, lambda folder=folder: folder)


@pytest.fixture(autouse=True)
def _collected_here() -> Iterator[None]:
    """As in the program: garbage is collected in this thread alone."""
    before = gc.get_threshold()
    gc.set_threshold(0)
    yield
    gc.collect()
    gc.set_threshold(*before)


@pytest.fixture(autouse=True)
def _nothing_left(qapp: QtWidgets.QApplication) -> Iterator[None]:
    """Fail a test that leaves a thread, an active timer or a visible window behind."""
    threads = set(threading.enumerate())
    yield
    QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)
    qapp.processEvents()
    left = [t.name for t in set(threading.enumerate()) - threads if t.is_alive()]
    windows = [w for w in qapp.topLevelWidgets() if w.isVisible()]
    timers = [
        o for o in gc.get_objects()
        if type(o) is QtCore.QTimer and shiboken6.isValid(o) and o.isActive()
    ]  # fmt: skip
    for window in windows:
        window.close()
    assert not left, f"threads left running: {left}"
    assert not windows, f"windows left open: {windows}"
    assert not timers, f"timers left running: {[t.interval() for t in timers]}"


@pytest.fixture
def make_window(
    qapp: QtWidgets.QApplication, qtbot, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., MainWindow]]:
    """Windows with the stand-in model; ``make_window(settings)``."""
    monkeypatch.setattr(services, "generate", fakes.generate)
    monkeypatch.setattr(services, "warm_model", fakes.warm)
    monkeypatch.setattr(bundle, "list_models", lambda: (fakes.MODEL,))
    made: list[MainWindow] = []

    def make(settings: Settings | None = None) -> MainWindow:
        keeper = SettingsKeeper(settings or Settings(theme="light"), qapp)
        window = MainWindow(ThemeController(qapp, "light"), keeper)
        window.generating.load_models()
        window.show()
        qtbot.waitExposed(window)
        made.append(window)
        return window

    yield make
    for window in made:
        window.keeper.path = None
        if window.isVisible():
            window.close()
        window.theme.deleteLater()
        window.settings.deleteLater()
        window.deleteLater()


@pytest.fixture
def window(make_window: Callable[..., MainWindow]) -> MainWindow:
    """A window, shown and empty."""
    return make_window()


@pytest.fixture
def calcite() -> tuple[Spectrum, Spectrum, Spectrum]:
    """Raman, infrared and XRD of one sample."""
    return (
        lines("raman", (282, 400, 5), (712, 200, 4), (1086, 1000, 4), laser_nm=532.0,
              formula="CaCO_3_"),
        lines("ir", (712, 0.1, 8), (873, 0.3, 10), (1410, 0.6, 45)),
        lines("xrd", (23.1, 80, 0.1), (29.4, 900, 0.1), (39.4, 200, 0.1), wavelength=1.541838),
    )  # fmt: skip


@pytest.fixture
def quartz() -> Spectrum:
    """Raman of another sample."""
    return lines("raman", (128, 300, 4), (206, 250, 9), (464, 1000, 4), name="Quartz",
                 sample="Quartz")  # fmt: skip


@pytest.fixture
def loaded(window: MainWindow, calcite, quartz) -> MainWindow:
    """A window with calcite in three modalities and quartz; calcite's Raman is current."""
    window.store.edit("Open files", window.store.state.add([*calcite, quartz]))
    window.store.select_curve(next(window.store.state.curves()).id)
    return window
