"""What every feature of the window is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from PySide6 import QtCore, QtWidgets

from spectrogen_app.app import settings as stored
from spectrogen_app.app.settings import Settings
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.gui.jobs import JobRunner
from spectrogen_app.gui.plotting.panel import PlotArea
from spectrogen_app.gui.plotting.presenter import PlotPresenter
from spectrogen_app.gui.store import SessionStore
from spectrogen_app.gui.theme import ThemeController


class SettingsKeeper(QtCore.QObject):
    """Settings that write themselves to disk shortly after a change."""

    failed = QtCore.Signal(object)

    def __init__(self, values: Settings, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        self._values = values
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(800)
        self._timer.timeout.connect(self.flush)

    def __call__(self) -> Settings:
        return self._values

    def change(self, **changes: Any) -> None:
        """Set some choices."""
        self.put(self._values.replace(**changes))

    def put(self, values: Settings) -> None:
        """Set all choices."""
        if values != self._values:
            self._values = values
            self._timer.start()

    def choose(self, name: str, value: str | int | float | bool | None) -> None:
        """Remember a choice of a panel under ``panel.name``."""
        self.change(choices={**self._values.choices, name: value})

    @QtCore.Slot()
    def flush(self) -> None:
        """Write now."""
        self._timer.stop()
        try:
            stored.save(self._values)
        except SpectrogenError as error:
            self.failed.emit(error)


class Notify(Protocol):
    """Tells the user something without stopping the work."""

    def __call__(
        self,
        level: str,
        text: str,
        hint: str = "",
        action: tuple[str, Callable[[], None]] | None = None,
    ) -> None: ...


@dataclass(frozen=True)
class Context:
    """The shared parts of the window.

    Attributes
    ----------
    store : SessionStore
        The session; every edit goes through it.
    plots : PlotPresenter
        Previews, residual pairs and axes of the panels.
    area : PlotArea
        The panels themselves: overlays and mouse tools go on ``area.panels[modality].canvas``.
    loader : JobRunner
        For jobs whose answers must all arrive; they wait for one another.
    worker : JobRunner
        For generation; a new request cancels the one under way.
    fits : JobRunner
        For fits, so that they wait for nothing else.
    previews : JobRunner
        For quick previews while the user turns a knob.
    settings : SettingsKeeper
    theme : ThemeController
    notify : Notify
        ``notify("error", text, hint)``; levels are info, good, warning, error.
    """

    store: SessionStore
    plots: PlotPresenter
    area: PlotArea
    loader: JobRunner
    worker: JobRunner
    fits: JobRunner
    previews: JobRunner
    settings: SettingsKeeper
    theme: ThemeController
    notify: Notify


@dataclass(frozen=True)
class Task:
    """A tab on the right: what one works on.

    Attributes
    ----------
    name, title : str
        Key, and text of the tab.
    widget : QWidget
        The passive view; ``set_theme(Theme)``, if it has it, is called with every change.
    presenter : object
        Kept alive by the window. ``set_active(bool)``, if it has it, is called as the tab comes
        and goes.
    """

    name: str
    title: str
    widget: QtWidgets.QWidget
    presenter: object
