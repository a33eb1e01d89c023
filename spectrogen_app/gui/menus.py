"""Menu bar, toolbar and keys, made of the commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6 import QtCore, QtGui, QtWidgets

from spectrogen_app.gui.commands import COMMANDS, Command
from spectrogen_app.gui.theme import MODES, Theme, icon

Qt = QtCore.Qt
SEPARATED = {"&File": ("open_project", "export", "quit"), "&Edit": ("copy_figure", "delete"),
             "&View": ("solo",)}  # fmt: skip
"""Commands that a line stands before."""
TOOLBAR = ("open", "export", "", "undo", "redo", "", "zoom", "full", "rescale", "grid", "peaks",
           "residual", "", "peak_mode", "fit", "generate")  # fmt: skip
WRITTEN = {"open": "Open", "export": "Export", "generate": "Generate"}
"""Buttons of the toolbar with a text."""
THEMES = {"system": "As the &system", "light": "&Light", "dark": "&Dark"}


class Menus(QtCore.QObject):
    """Turns :data:`COMMANDS` into what can be clicked and pressed.

    Parameters
    ----------
    window : QMainWindow
        Gets menu bar and toolbar.
    plots : QWidget
        Where the keys of ``plot_only`` commands work.
    runs : mapping of str to callable
        What each command does; a checkable one is given its state.
    theme : str
        The mode to begin with.

    Signals
    -------
    theme_chosen(mode)
    """

    theme_chosen = QtCore.Signal(str)

    def __init__(
        self, window: QtWidgets.QMainWindow, plots: QtWidgets.QWidget,
        runs: Mapping[str, Callable[..., object]], theme: str,
    ) -> None:  # fmt: skip
        super().__init__(window)
        self.actions = {c.name: self._action(c, window, plots, runs[c.name]) for c in COMMANDS}
        self._menus: dict[str, QtWidgets.QMenu] = {}
        for command in COMMANDS:
            if command.menu not in self._menus:
                self._menus[command.menu] = window.menuBar().addMenu(command.menu)
            self._menus[command.menu].addAction(self.actions[command.name])
        self.recent = QtWidgets.QMenu("Open &recent", window)
        self._menus["&File"].insertMenu(self.actions["examples"], self.recent)
        for menu, names in SEPARATED.items():
            for name in names:
                self._menus[menu].insertSeparator(self.actions[name])
        self._add_themes(theme)
        self.bar = self._toolbar(window)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        for command in COMMANDS:
            if command.icon:
                self.actions[command.name].setIcon(icon(command.icon, theme.text))

    def show_state(self, undo: str | None, redo: str | None, some: bool) -> None:
        """Say what undo and redo would do; ``some``: there are spectra."""
        for name, what, text in (("undo", undo, "&Undo"), ("redo", redo, "&Redo")):
            action = self.actions[name]
            action.setEnabled(what is not None)
            action.setText(f"{text} {_short(what)}" if what else text)
            action.setToolTip(f"{text[1:]} {what}" if what else text[1:])
        for command in COMMANDS:
            if command.needs_spectra:
                self.actions[command.name].setEnabled(some)

    def _action(
        self, command: Command, window: QtWidgets.QWidget, plots: QtWidgets.QWidget,
        run: Callable[..., object],
    ) -> QtGui.QAction:  # fmt: skip
        action = QtGui.QAction(command.text, window)
        action.setShortcuts([QtGui.QKeySequence(k) for k in command.keys])
        action.setCheckable(command.checkable)
        action.setToolTip(command.tip or command.plain)
        action.setStatusTip(command.tip or command.plain)
        if command.plot_only:
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            plots.addAction(action)
        if command.checkable:
            action.triggered.connect(run)
        else:
            action.triggered.connect(lambda _=False: run())
        return action

    def _add_themes(self, chosen: str) -> None:
        view = self._menus["&View"]
        view.addSeparator()
        themes = view.addMenu("&Theme")
        group = QtGui.QActionGroup(self)
        for mode in MODES:
            action = themes.addAction(THEMES[mode])
            action.setCheckable(True)
            action.setChecked(mode == chosen)
            action.triggered.connect(lambda _=False, m=mode: self.theme_chosen.emit(m))
            group.addAction(action)

    def _toolbar(self, window: QtWidgets.QMainWindow) -> QtWidgets.QToolBar:
        bar = window.addToolBar("Main")
        bar.setObjectName("toolbar")
        bar.setMovable(False)
        bar.setIconSize(QtCore.QSize(20, 20))
        bar.toggleViewAction().setText("&Toolbar")
        for name in TOOLBAR:
            if name:
                bar.addAction(self.actions[name])
            else:
                bar.addSeparator()
        for name, text in WRITTEN.items():
            button = bar.widgetForAction(self.actions[name])
            if isinstance(button, QtWidgets.QToolButton):
                button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            self.actions[name].setIconText(text)
        return bar


def _short(text: str | None, length: int = 48) -> str:
    text = (text or "").replace("&", "&&")
    return text if len(text) <= length else f"{text[:length]}…"
