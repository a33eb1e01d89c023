"""The window as a whole: keys, names, settings, jobs, its end."""

import gc
import io
import sys
import threading
import time

import h5py
import pytest
from gui_fakes import SlowJob, curve_of
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Qt

from spectrogen_app import RELEASES
from spectrogen_app.app import services
from spectrogen_app.app.settings import Settings
from spectrogen_app.errors import ModelError, SpectrogenError
from spectrogen_app.gui import application
from spectrogen_app.gui.collector import AWAY_LOOKS, Collector
from spectrogen_app.gui.commands import COMMANDS
from spectrogen_app.gui.pages import TextPage
from spectrogen_app.gui.theme import DARK, LIGHT
from spectrogen_app.gui.widgets import DoubleSpinBox, SpinBox

CONTROLS = (
    QtWidgets.QAbstractButton, QtWidgets.QLineEdit, QtWidgets.QComboBox,
    QtWidgets.QAbstractSpinBox, QtWidgets.QAbstractItemView, QtWidgets.QTabWidget,
)  # fmt: skip


def controls(window):
    """What the user can operate, less what Qt puts inside of it."""
    return [
        w for w in window.findChildren(QtWidgets.QWidget)
        if isinstance(w, CONTROLS)
        and not w.objectName().startswith("qt_")
        and not isinstance(w.parent(), (QtWidgets.QAbstractSpinBox, QtWidgets.QLineEdit,
                                        QtWidgets.QTabBar, QtWidgets.QAbstractItemView))
        and not isinstance(w, (QtWidgets.QHeaderView, QtWidgets.QMenu))
        and w.parent() is not window.menus.bar
        and "PrivateContainer" not in type(w.parent()).__name__
        and not any(w is c.view() for c in window.findChildren(QtWidgets.QComboBox))
    ]  # fmt: skip


def test_every_control_has_an_accessible_name(loaded):
    nameless = [
        (type(w).__name__, w.objectName(), getattr(w, "text", str)())
        for w in controls(loaded) if not w.accessibleName()
    ]  # fmt: skip
    assert nameless == []


def test_every_toolbar_button_has_a_tool_tip_and_text(loaded):
    for action in loaded.menus.bar.actions():
        if not action.isSeparator():
            assert action.toolTip()
            assert action.text()
            assert not action.icon().isNull()


def test_every_control_can_be_reached_by_tab_or_key(loaded):
    unreachable = [
        w.accessibleName() for w in controls(loaded)
        if w.isVisibleTo(loaded) and w.isEnabled()
        and not w.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not isinstance(w, QtWidgets.QToolButton)
    ]  # fmt: skip
    assert unreachable == []


def test_tab_goes_from_the_tree_over_the_plots_to_the_task_and_back(loaded, qtbot):
    loaded.show_task("peaks")
    loaded.activateWindow()
    loaded.samples_view.tree.setFocus()
    qtbot.waitUntil(loaded.samples_view.tree.hasFocus)
    seen = []
    while "Samples" not in seen and len(seen) < 100:
        qtbot.keyClick(loaded.focusWidget(), Qt.Key.Key_Tab)
        seen.append(loaded.focusWidget().accessibleName())
    assert "" not in seen, "a control without a name"
    wanted = ["Raman plot", "Raman: x axis", "Infrared plot", "Powder XRD plot", "Tasks",
              "Find the peaks and fit them", "Background", "Peaks", "Search the samples",
              "Samples"]  # fmt: skip
    assert [name for name in seen if name in wanted] == wanted


def test_no_key_is_given_twice(loaded):
    seen = {}
    for command in COMMANDS:
        for key in command.keys:
            assert key not in seen, f"{key}: {command.name} and {seen.get(key)}"
            seen[key] = command.name
    for key in ("Z", "A", "R", "G", "P", "U", "Space", "Backspace"):
        assert key in seen


def test_single_keys_do_not_disturb_typing(loaded, qtbot):
    field = loaded.samples_view.search
    loaded.activateWindow()
    field.setFocus()
    qtbot.keyClicks(field, "zargpu zz")
    assert field.text() == "zargpu zz"
    assert not loaded.actions_["zoom"].isChecked()
    assert not loaded.actions_["grid"].isChecked()


def test_the_wheel_over_a_spin_box_needs_focus(qtbot):
    for box in (SpinBox(), DoubleSpinBox()):
        qtbot.addWidget(box)
        box.setRange(0, 100)
        box.setValue(50)
        place = QtCore.QPointF(5, 5)
        event = QtGui.QWheelEvent(
            place, place, QtCore.QPoint(), QtCore.QPoint(0, 120), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        box.wheelEvent(event)
        assert box.value() == 50
        assert not event.isAccepted()
        assert box.focusPolicy() is Qt.FocusPolicy.StrongFocus


def test_spin_boxes_take_a_decimal_comma_and_step_by_factors(qtbot):
    box = DoubleSpinBox(by_factor=True)
    qtbot.addWidget(box)
    box.setRange(1e-3, 1e13)
    assert box.valueFromText("1,5") == 1.5
    box.setValue(1e6)
    assert box.text() == "1e+06"
    box.stepBy(4)
    assert box.value() == pytest.approx(1e7)


def test_undo_and_redo_name_what_they_do(loaded):
    raman = curve_of(loaded, "raman")
    loaded.store.edit(
        "Colour of Calcite", loaded.store.state.edit_curve(raman.id, colour="#000000")
    )
    assert loaded.actions_["undo"].text() == "&Undo Colour of Calcite"
    loaded.actions_["undo"].trigger()
    assert loaded.actions_["redo"].text() == "&Redo Colour of Calcite"
    assert loaded.store.state.curve(raman.id).colour != "#000000"
    loaded.actions_["redo"].trigger()
    assert loaded.store.state.curve(raman.id).colour == "#000000"


def test_an_empty_window_offers_nothing_that_needs_spectra(window):
    for name in ("export", "generate", "zoom", "copy_figure", "save", "undo", "redo"):
        assert not window.actions_[name].isEnabled()
    for name in ("open", "examples", "help"):
        assert window.actions_[name].isEnabled()


def test_light_and_dark_plots_included(loaded):
    loaded.theme.set_mode("dark")
    canvas = loaded.area.panels["raman"].canvas
    assert canvas.theme is DARK
    assert canvas.backgroundBrush().color().name() == DARK.surface
    loaded.theme.set_mode("light")
    assert canvas.backgroundBrush().color().name() == LIGHT.surface


def test_choices_are_remembered(make_window, qapp):
    first = make_window()
    first.resize(first.width(), 640)
    first.actions_["grid"].trigger()
    first._choose_theme("dark")
    first.close()
    kept = first.settings()
    second = make_window(Settings(**kept.__dict__))
    assert second.height() == 640
    assert second.actions_["grid"].isChecked()
    assert kept.theme == "dark"


def test_the_model_is_warmed_and_the_device_shown(window, qtbot):
    with qtbot.waitSignal(window.device_known):
        window.warm()
    assert window.status.device.text() == "fake-1 on CPU"
    assert window.status.device.toolTip() == "No GPU was found."
    qtbot.waitUntil(lambda: len(window.area._panels) == 3)


def test_a_model_that_cannot_be_loaded_is_said_in_the_status_bar(window, qtbot, monkeypatch):
    def broken(_request, _token):
        raise ModelError("The weights are damaged.", hint="Reinstall.")

    monkeypatch.setattr(services, "warm_model", broken)
    with qtbot.waitSignal(window.device_known):
        window.warm()
    assert window.status.device.text() == "No model"
    assert "Reinstall" in window.status.device.toolTip()
    (box,) = window.findChildren(QtWidgets.QMessageBox)
    assert box.isVisible()
    assert box.text() == "Nothing can be generated. The weights are damaged."
    assert "Reinstall." in box.informativeText()
    box.close()


def test_updates_are_a_page_in_the_browser_and_nothing_else(window, monkeypatch):
    opened = []
    monkeypatch.setattr(QtGui.QDesktopServices, "openUrl", lambda url: opened.append(url) or True)
    action = window.actions_["updates"]
    assert action.text() == "Check for &updates"
    assert "browser" in action.statusTip()
    action.trigger()
    assert [u.toString() for u in opened] == [RELEASES]
    monkeypatch.setattr(QtGui.QDesktopServices, "openUrl", lambda url: False)
    action.trigger()
    assert RELEASES in window.notices.text


def test_closing_in_the_middle_of_a_job_cancels_and_joins(loaded, qtbot, monkeypatch):
    slow = SlowJob()
    monkeypatch.setattr(services, "generate", slow)
    loaded.generate_now()
    assert slow.running.wait(5)
    started = time.monotonic()
    loaded.close()
    assert slow.ended.is_set()
    assert time.monotonic() - started < 3


def test_progress_and_cancel_are_shown_while_a_job_runs(loaded, qtbot, monkeypatch):
    slow = SlowJob()
    loaded.loader_jobs.submit(slow, 1, "Slow work")
    qtbot.waitUntil(lambda: loaded.status.busy)
    qtbot.waitUntil(lambda: loaded.status._bar.value() == 300)
    loaded.status._cancel.click()
    assert slow.ended.wait(5)
    assert not loaded.status.busy


def test_errors_do_not_pile_up(loaded):
    for i in range(5):
        loaded.tell_error(SpectrogenError(f"Trouble <{i}>", hint="Try again."))
    assert loaded.notices.text == "Trouble <4> Try again."
    assert not loaded.notices.isHidden()
    assert QtWidgets.QApplication.activeModalWidget() is None
    loaded._escape()
    assert loaded.notices.isHidden()


def test_help_lists_every_key(loaded):
    loaded.show_help()
    page = loaded.findChild(TextPage)
    text = page.text.toPlainText()
    for command in COMMANDS:
        for key in command.keys:
            assert QtGui.QKeySequence(key).toString() in text
    assert "Familiarity" in text
    page.close()


def test_about_names_the_version(loaded):
    loaded.show_about()
    page = loaded.findChild(TextPage)
    assert "SpectroGen 0" in page.text.toPlainText()
    page.close()


def test_an_unexpected_error_is_logged_and_told_once(window, qtbot, monkeypatch, caplog, capsys):
    log = application.start_logging()
    handler = application.CrashHandler(log)
    told = []
    monkeypatch.setattr(QtWidgets.QMessageBox, "exec", lambda box: told.append(box.detailedText()))
    handler.install()
    try:
        for _ in range(3):
            try:
                raise ZeroDivisionError("of the test")
            except ZeroDivisionError:
                sys.excepthook(*sys.exc_info())
        qtbot.waitUntil(lambda: bool(told))
        qtbot.wait(20)
    finally:
        handler.remove()
    assert len(told) == 1
    assert caplog.text.count("Unexpected error") == 3
    assert "of the test" in told[0]
    assert sys.excepthook is sys.__excepthook__ or sys.excepthook is not handler.handle
    capsys.readouterr()


def test_garbage_is_collected_in_the_gui_thread_alone(qtbot, qapp):
    where = []

    class Noted:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            where.append(threading.current_thread())

    before = gc.get_threshold()
    collector = Collector(qapp, lambda: False)
    with h5py.File(io.BytesIO(), "w"):
        pass  # h5py turns the automatic collection on when it closes a file

    def work() -> None:
        for _ in range(2000):
            Noted()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert where == []
    qtbot.waitUntil(lambda: len(where) == 2000)
    assert set(where) == {threading.main_thread()}
    kept = Noted()
    collector.settle()
    del kept
    collector._resting, collector._mouse = AWAY_LOOKS - 1, QtGui.QCursor.pos()
    collector.look()
    assert len(where) == 2001
    collector.settle()
    collector.close()
    assert gc.get_threshold() == before
    collector.deleteLater()


def test_recent_files_are_offered(loaded, tmp_path):
    loaded.settings.change(recent=(str(tmp_path / "a.txt"), str(tmp_path / "b.txt")))
    loaded._fill_recent()
    assert [a.text() for a in loaded.menus.recent.actions() if a.text()][:2] == ["a.txt", "b.txt"]
    loaded.menus.recent.actions()[-1].trigger()
    assert loaded.settings().recent == ()


def test_buttons_are_big_enough_to_hit(loaded):
    for button in loaded.findChildren(QtWidgets.QAbstractButton):
        if button.isVisibleTo(loaded) and button.accessibleName():
            assert button.height() >= 22, button.accessibleName()
