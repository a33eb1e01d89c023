"""The window: puts the features together, owns the actions, and ends the jobs when it closes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6 import QtCore, QtGui, QtWidgets

from spectrogen_app import RELEASES
from spectrogen_app.app import services
from spectrogen_app.app.services import WarmRequest, Warmth
from spectrogen_app.data.modality import MODALITIES
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.gui.commands import COMMANDS
from spectrogen_app.gui.context import Context, SettingsKeeper, Task
from spectrogen_app.gui.empty import DropOverlay, EmptyState
from spectrogen_app.gui.exporting import Exporter
from spectrogen_app.gui.generate.presenter import GeneratePresenter
from spectrogen_app.gui.generate.view import GenerateView
from spectrogen_app.gui.jobs import JobRunner
from spectrogen_app.gui.keeping import Keeper
from spectrogen_app.gui.loading import Loader
from spectrogen_app.gui.menus import Menus
from spectrogen_app.gui.notices import NoticeBar, StatusBar
from spectrogen_app.gui.pages import (
    TextPage,
    about_text,
    formats_table,
    formats_text,
    help_text,
    keys_table,
)
from spectrogen_app.gui.peaks.presenter import PeaksPresenter
from spectrogen_app.gui.plotting.panel import Panel, PlotArea
from spectrogen_app.gui.plotting.presenter import PlotPresenter
from spectrogen_app.gui.samples.presenter import SamplesPresenter
from spectrogen_app.gui.samples.view import SamplesView
from spectrogen_app.gui.store import SessionStore
from spectrogen_app.gui.tasks import FACTORIES
from spectrogen_app.gui.theme import Theme, ThemeController
from spectrogen_app.gui.verdicts.presenter import VerdictsPresenter
from spectrogen_app.gui.verdicts.view import VerdictsView
from spectrogen_app.gui.widgets import chain, named
from spectrogen_app.paths import shipped

Qt = QtCore.Qt


class MainWindow(QtWidgets.QMainWindow):
    """The program's window.

    Parameters
    ----------
    theme : ThemeController
    settings : SettingsKeeper
    """

    device_known = QtCore.Signal(object)

    def __init__(self, theme: ThemeController, settings: SettingsKeeper) -> None:
        super().__init__()
        self.setWindowTitle("SpectroGen")
        self.setObjectName("main")
        self.setAcceptDrops(True)
        self.settings, self.theme = settings, theme
        self.store = SessionStore(self)
        self.loader_jobs = JobRunner("load", self, queueing=True)
        self.worker = JobRunner("work", self)
        self.worker.idle.connect(self._get_ready)
        self._device_awaited = False
        self.fits = JobRunner("fit", self, keeps_best=True)
        self.previews = JobRunner("preview", self)
        self.area = PlotArea(theme.theme)
        self.notices = NoticeBar(theme.theme)
        self.samples_view = SamplesView(theme.theme)
        self.plots = PlotPresenter(self.store, self.area, settings, settings.change)
        self.samples = SamplesPresenter(self.store, self.samples_view)
        self.context = Context(
            self.store, self.plots, self.area, self.loader_jobs, self.worker, self.fits,
            self.previews, settings, theme, self.notices.tell,
        )  # fmt: skip
        self.loader = Loader(self.context, self)
        self.verdicts_view = VerdictsView()
        self.verdicts = VerdictsPresenter(self.context, self.verdicts_view, self._show_verdicts)
        self.loader.rows_added.connect(self.verdicts.add)
        self.exporter = Exporter(self.context, self)
        self.keeper = Keeper(self.context, self)
        self.tasks: list[Task] = [make(self.context) for make in FACTORIES]
        self.generating = next(
            t.presenter for t in self.tasks if isinstance(t.presenter, GeneratePresenter)
        )
        self.peaks = next(
            t.presenter for t in self.tasks if isinstance(t.presenter, PeaksPresenter)
        )
        self._build()
        self._connect()
        self._set_theme(theme.theme)
        self.ended = True
        self._restore()
        self._changed()

    # ---- what the user can do -------------------------------------------------------------

    def _runs(self) -> dict[str, Callable[..., object]]:
        """What each command does."""

        def on_panel(act: Callable[[Panel], object]) -> Callable[[], None]:
            def run() -> None:
                panel = self.area.active
                if panel is not None:
                    act(panel)

            return run

        return {
            "open": self.choose_files,
            "folder": self.choose_folder,
            "examples": self.open_examples,
            "open_project": self.choose_project,
            "save": self.keeper.ask_save,
            "save_as": self.keeper.ask_save_as,
            "export": self.exporter.ask_selected,
            "export_visible": self.exporter.ask_visible,
            "export_figure": self.exporter.ask_figure,
            "script": self.exporter.ask_script,
            "quit": self.close,
            "undo": self.store.undo,
            "redo": self.store.redo,
            "copy_figure": self.exporter.copy_figure,
            "copy_numbers": self.exporter.copy_numbers,
            "delete": lambda: self.samples.remove(self.samples_view.chosen_curves()),
            "zoom": self._zoom_mode,
            "full": on_panel(lambda p: p.canvas.full_view()),
            "back": on_panel(lambda p: p.canvas.back()),
            "rescale": on_panel(lambda p: p.canvas.rescale_y()),
            "grid": self._grid,
            "peaks": self._peak_labels,
            "units": on_panel(lambda p: self.plots.next_x(p.modality)),
            "residual": on_panel(lambda p: self.plots.toggle_residual(p.modality)),
            "solo": self._solo,
            "next": lambda: self.samples.walk(1),
            "previous": lambda: self.samples.walk(-1),
            "find": self._search,
            "verdicts": self._toggle_verdicts,
            "peak_mode": self._peak_mode,
            "auto_peaks": lambda: self._on_peaks("auto"),
            "fit": lambda: self._on_peaks("fit"),
            "at_residual": lambda: self._on_peaks("residual"),
            "simplify": lambda: self._on_peaks("simplify"),
            "delete_peak": lambda: self._on_peaks("delete"),
            "generate": self.generate_now,
            "card": self.show_card,
            "help": self.show_help,
            "formats": self.show_formats,
            "updates": lambda: self.open_page(RELEASES),
            "about": self.show_about,
        }

    # ---- building -------------------------------------------------------------------------

    def _build(self) -> None:
        self.empty = EmptyState(self.theme.theme)
        self.centre = QtWidgets.QStackedWidget()
        self.centre.addWidget(self.empty)
        self.centre.addWidget(self.area)
        middle = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notices)
        column.addWidget(self.centre, 1)
        self.tabs = named(QtWidgets.QTabWidget(), "Tasks")
        self.tabs.setDocumentMode(True)
        self.tabs.setMinimumWidth(300)
        self.tabs.setUsesScrollButtons(False)
        named(self.tabs.tabBar(), "Tasks").setExpanding(True)
        for task in self.tasks:
            self.tabs.addTab(task.widget, task.title)
        self.samples_view.setMinimumWidth(200)
        self.columns = QtWidgets.QSplitter(Qt.Orientation.Horizontal)
        self.columns.setChildrenCollapsible(False)
        self.columns.setHandleWidth(5)
        for widget, stretch in ((self.samples_view, 0), (middle, 1), (self.tabs, 0)):
            self.columns.addWidget(widget)
            self.columns.setStretchFactor(self.columns.count() - 1, stretch)
        self.columns.setSizes([280, 720, 392])
        self.show_task("generate")
        self.setCentralWidget(self.columns)
        self.samples_view.tree.setFocus()  # not the search, which would take the keys of commands
        self.dock = QtWidgets.QDockWidget("Opened files", self)
        self.dock.setObjectName("verdicts")
        self.dock.setWidget(self.verdicts_view)
        self.dock.setTitleBarWidget(QtWidgets.QWidget())
        self.verdicts_view.close_wanted.connect(self.dock.hide)
        self.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, self.dock)
        self.resizeDocks([self.dock], [190], Qt.Orientation.Vertical)
        self.dock.hide()
        self.status = StatusBar((self.loader_jobs, self.worker, self.fits))
        self.setStatusBar(self.status)
        self.overlay = DropOverlay(self)
        self.menus = Menus(self, self.area, self._runs(), self.theme.mode)
        self.actions_ = self.menus.actions

    def _connect(self) -> None:
        self.store.changed.connect(self._changed)
        self.theme.changed.connect(self._set_theme)
        self.menus.theme_chosen.connect(self._choose_theme)
        self.menus.recent.aboutToShow.connect(self._fill_recent)
        self.keeper.changed.connect(self._title)
        self.samples_view.export_wanted.connect(self.exporter.ask_curves)
        for task in self.tasks:
            if isinstance(task.widget, GenerateView):
                task.widget.card_wanted.connect(self.show_card)
        self.empty.open_wanted.connect(self.choose_files)
        self.empty.examples_wanted.connect(self.open_examples)
        self.samples_view.solo_toggled.connect(self._solo)
        self.area.walk.connect(self.samples.walk)
        self.area.cursor_moved.connect(self._cursor)
        self.area.cursor_left.connect(lambda: self.status.place.setText(""))
        self.area.menu_wanted.connect(self._plot_menu)
        self.area.panels_changed.connect(self._order_tabs)
        self.tabs.currentChanged.connect(self._task_changed)
        self.peaks.gestures.mode_changed.connect(self.actions_["peak_mode"].setChecked)
        self.peaks.gestures.help_changed.connect(self._mouse_help)
        self.dock.visibilityChanged.connect(
            lambda on: self.actions_["verdicts"].setChecked(self.dock.isVisible())
        )
        for runner in (self.loader_jobs, self.worker, self.fits, self.previews):
            runner.failed.connect(self.tell_error)
        self.settings.failed.connect(self.tell_error)
        escape = QtGui.QShortcut(QtGui.QKeySequence(Qt.Key.Key_Escape), self)
        escape.activated.connect(self._escape)

    def _order_tabs(self) -> None:
        """Tab goes from left to right: tree, plots, task."""
        view = self.samples_view
        plots = [w for panel in self.area.panels.values() for w in panel.controls]
        chain(view.search, view.solo, view.tree, *plots)

    # ---- life -----------------------------------------------------------------------------

    def warm(self) -> None:
        """Load torch and the model in the background; the status bar then names the device."""
        for modality in ("raman", "ir", "xrd"):
            QtCore.QTimer.singleShot(0, self, lambda m=modality: self.area.prepare(m))
        self.generating.load_models()
        self.keeper.offer_recovery()
        self._device_awaited = True
        self._get_ready()

    def _get_ready(self) -> None:
        """Before or after what was asked for meanwhile: the newest request ends the others."""
        if not self._device_awaited or self.worker.busy:
            return
        settings = self.settings()
        self.worker.submit(
            services.warm_model, WarmRequest(settings.model_id, settings.device),
            "Getting the model ready", on_done=self._warmed, on_failed=self._cold,
        )  # fmt: skip

    def _warmed(self, warmth: Warmth) -> None:
        self._device_awaited = False
        self.status.device.setText(f"{warmth.model_id} on {warmth.label}")
        self.status.device.setToolTip(warmth.reason)
        self.device_known.emit(warmth)

    def _cold(self, error: SpectrogenError) -> None:
        self._device_awaited = False
        self.status.device.setText("No model")
        self.status.device.setToolTip(str(error))
        self.device_known.emit(error)
        box = QtWidgets.QMessageBox(
            QtWidgets.QMessageBox.Icon.Critical, "SpectroGen",
            f"Nothing can be generated. {error.message}",
            QtWidgets.QMessageBox.StandardButton.Ok, self,
        )  # fmt: skip
        box.setInformativeText(f"{error.hint} Everything else works.".strip())
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def closeEvent(self, event: QtGui.QCloseEvent) -> None:
        if self.keeper.unsaved and self.keeper.path is not None and not self._may_close():
            event.ignore()
            return
        self.settings.put(
            self.settings().replace(
                geometry=_to_text(self.saveGeometry()), window_state=_to_text(self.saveState())
            )
        )
        self.settings.choose("window.columns", _to_text(self.columns.saveState()))
        self.settings.flush()
        for dialog in self.findChildren(QtWidgets.QDialog):
            dialog.close()
        self.hide()
        self._device_awaited = False
        runners = (self.loader_jobs, self.worker, self.fits, self.previews)
        for runner in runners:
            runner.cancel()
        ended = [runner.close() for runner in runners]
        self.ended = all(ended)
        self.keeper.close()
        event.accept()

    def _may_close(self) -> bool:
        buttons = QtWidgets.QMessageBox.StandardButton
        answer = QtWidgets.QMessageBox.question(
            self, "SpectroGen", "The project has changes that are not saved. Close all the same?",
            buttons.Discard | buttons.Cancel, buttons.Cancel,
        )  # fmt: skip
        return answer == buttons.Discard

    def _restore(self) -> None:
        room = self.screen().availableSize()
        self.resize(min(1380, room.width() - 40), min(860, room.height() - 60))
        values = self.settings()
        if values.geometry:
            self.restoreGeometry(_from_text(values.geometry))
        if values.window_state:
            self.restoreState(_from_text(values.window_state))
        self.dock.hide()
        self.actions_["grid"].setChecked(bool(values.choices.get("plot.grid")))
        self.area.set_grid(self.actions_["grid"].isChecked())
        columns = values.choices.get("window.columns")
        if isinstance(columns, str):
            self.columns.restoreState(_from_text(columns))

    # ---- files ----------------------------------------------------------------------------

    def open_paths(self, paths: Sequence[Path], then: Callable[[], None] | None = None) -> None:
        """Open files, folders and archives in the background; a project replaces the session."""
        projects = [p for p in paths if p.suffix == ".spectrogen"]
        if projects:
            self.keeper.open(projects[0])
        self.loader.open([p for p in paths if p not in projects], then)

    def choose_project(self) -> None:
        """Ask for a project file and open it."""
        name, _ = QtWidgets.QFileDialog.getOpenFileName(
            self, "Open a project", self.settings().folder, "SpectroGen project (*.spectrogen)"
        )
        if name:
            self.keeper.open(Path(name))

    def choose_files(self) -> None:
        """Ask for files and open them."""
        names, _ = QtWidgets.QFileDialog.getOpenFileNames(
            self, "Open spectra", self.settings().folder
        )
        self.open_paths([Path(n) for n in names])

    def choose_folder(self) -> None:
        """Ask for a folder and open all in it."""
        name = QtWidgets.QFileDialog.getExistingDirectory(
            self, "Open a folder of spectra", self.settings().folder
        )
        if name:
            self.open_paths([Path(name)])

    def open_examples(self) -> None:
        """Open the spectra that come with the program."""
        folder = shipped("resources") / "examples"
        found = sorted(p for p in folder.glob("*.*") if p.suffix not in (".md", ".py"))
        if not found:
            self.notices.tell("error", "The examples are missing.", f"Expected them in {folder}.")
            return
        if not self.store.state.samples:
            self._solo(True)
        self.open_paths(found)

    def dragEnterEvent(self, event: QtGui.QDragEnterEvent) -> None:
        if _paths_of(event.mimeData()):
            event.acceptProposedAction()
            self.overlay.cover()

    def dragLeaveEvent(self, event: QtGui.QDragLeaveEvent) -> None:
        self.overlay.hide()

    def dropEvent(self, event: QtGui.QDropEvent) -> None:
        self.overlay.hide()
        paths = _paths_of(event.mimeData())
        if paths:
            event.acceptProposedAction()
            self.open_paths(paths)

    def _fill_recent(self) -> None:
        menu = self.menus.recent
        menu.clear()
        for name in self.settings().recent:
            path = Path(name)
            action = menu.addAction(path.name)
            action.setToolTip(name)
            action.triggered.connect(lambda _=False, p=path: self.open_paths([p]))
        menu.addSeparator()
        clear = menu.addAction("Clear the list")
        clear.triggered.connect(lambda: self.settings.change(recent=()))
        clear.setEnabled(bool(self.settings().recent))

    # ---- following the session ------------------------------------------------------------

    def _changed(self, *_: object) -> None:
        some = bool(self.store.state.samples)
        self.menus.show_state(self.store.undo_label, self.store.redo_label, some)
        self.centre.setCurrentWidget(self.area if some else self.empty)

    def _set_theme(self, theme: Theme) -> None:
        self.menus.set_theme(theme)
        for task in self.tasks:
            restyle_task = getattr(task.widget, "set_theme", None)
            if restyle_task is not None:
                restyle_task(theme)
        self.area.set_theme(theme)
        self.samples_view.set_theme(theme)
        self.verdicts_view.set_theme(theme)
        self.notices.set_theme(theme)
        self.empty.set_theme(theme)

    def _choose_theme(self, mode: str) -> None:
        self.theme.set_mode(mode)  # type: ignore[arg-type]
        self.settings.change(theme=mode)

    def tell_error(self, error: SpectrogenError) -> None:
        """Show an error without stopping the work."""
        self.notices.tell("error", error.message, error.hint)

    def _title(self) -> None:
        name = self.keeper.path.name if self.keeper.path is not None else ""
        self.setWindowTitle(f"{name}[*]" if name else "SpectroGen[*]")
        self.setWindowModified(self.keeper.unsaved and self.keeper.path is not None)

    # ---- generate and pages -------------------------------------------------------------

    def generate_now(self) -> None:
        """Bring the Generate tab to the front and press its button."""
        self.show_task("generate")
        self.generating.generate()

    def generator_for(self, targets: Sequence[str]) -> Callable[[], None] | None:
        """What generates ``targets`` once the files are in."""
        wanted = tuple(targets)

        def act() -> None:
            self.show_task("generate")
            self.generating.generate_for(wanted)

        return act if wanted else None

    def show_card(self) -> None:
        """Show the card of the chosen model."""
        model = self.generating.chosen_model
        if model is None:
            self.notices.tell("error", "There is no model.")
        else:
            TextPage(f"Model card: {model.name}", model.card, self).show()

    def show_help(self) -> None:
        """Show the help page with all keys."""
        rows = []
        for command in COMMANDS:
            keys = [QtGui.QKeySequence(k).toString() for k in command.keys]
            if keys:
                rows.append((" or ".join(keys), command.plain))
        TextPage("Help and keys", help_text(), self, keys_table(rows)).show()

    def show_formats(self) -> None:
        """Show which formats are read and written."""
        TextPage("File formats", formats_text(), self, formats_table()).show()

    def open_page(self, address: str) -> None:
        """Open a page in the browser, or tell the address where there is none."""
        if not QtGui.QDesktopServices.openUrl(QtCore.QUrl(address)):
            self.notices.tell("info", f"No browser could be opened. The page is {address}")

    def show_about(self) -> None:
        """Show version and licence."""
        TextPage("About SpectroGen", about_text(), self).show()

    # ---- view commands --------------------------------------------------------------------

    def _zoom_mode(self, on: bool) -> None:
        if on:
            self.peaks.gestures.set_mode(False)
        self.area.set_zoom_mode(on)
        self._mouse_help()

    def _peak_mode(self, on: bool) -> None:
        if on and self.actions_["zoom"].isChecked():
            self.actions_["zoom"].trigger()
        self.show_task("peaks")
        self.peaks.gestures.set_mode(on)
        self._mouse_help()

    def _on_peaks(self, what: str) -> None:
        self.show_task("peaks")
        self.peaks.do(what)

    def _grid(self, on: bool) -> None:
        self.area.set_grid(on)
        self.settings.choose("plot.grid", on)

    def _peak_labels(self, on: bool) -> None:
        self.plots.labels = on
        self.plots.refresh()

    def _solo(self, on: bool) -> None:
        self.plots.solo = on
        self.samples_view.solo.setChecked(on)
        self.actions_["solo"].setChecked(on)
        self.plots.refresh()

    def _search(self) -> None:
        self.samples_view.search.setFocus()
        self.samples_view.search.selectAll()

    def _escape(self) -> None:
        if self.peaks.escape():
            return
        if self.actions_["zoom"].isChecked():
            self.actions_["zoom"].trigger()
        elif not self.notices.isHidden():
            self.notices.hide()
        elif self.samples_view.search.text():
            self.samples_view.search.clear()

    def _show_verdicts(self) -> None:
        self.dock.show()

    def _toggle_verdicts(self, on: bool) -> None:
        self.dock.setVisible(on)

    def _task_changed(self, at: int) -> None:
        for i, task in enumerate(self.tasks):
            active = getattr(task.presenter, "set_active", None)
            if active is not None:
                active(i == at)

    def show_task(self, name: str) -> None:
        """Bring a task's tab to the front."""
        for i, task in enumerate(self.tasks):
            if task.name == name:
                self.tabs.setCurrentIndex(i)

    def _cursor(self, modality: str, x: float, y: float) -> None:
        self._mouse_help()
        for model in self.plots.models:
            if model.modality == modality:
                unit = model.shown.x_label.rpartition("(")[2].rstrip(")")
                unit = unit if "(" in model.shown.x_label else ""
                text = f"{MODALITIES[modality].label}:  {x:.6g} {unit}   y {y:.4g}"
                under = self.plots.value_under(modality, x)
                if under is not None:
                    text += f"   curve {under[1]:.4g}"
                self.status.place.setText(text)

    def _mouse_help(self, *_: object) -> None:
        tool = self.area.active.canvas.view.tool if self.area.active is not None else None
        special = self.peaks.gestures.help or (tool.help if tool is not None else "")
        if special:
            self.status.help.setText(special)
            return
        drag = "Drag: zoom to a box" if self.actions_["zoom"].isChecked() else "Drag: move"
        self.status.help.setText(
            f"{drag}  ·  Wheel: zoom x  ·  Ctrl+wheel: zoom y  ·  Right-drag: scale  ·  "
            "Double-click: all"
        )

    def _plot_menu(self, modality: str, place: QtCore.QPointF) -> None:
        menu = QtWidgets.QMenu(self)
        for name in ("full", "back", "rescale", "", "zoom", "grid", "peaks", "units", "residual"):
            if name:
                menu.addAction(self.actions_[name])
            else:
                menu.addSeparator()
        menu.exec(QtCore.QPoint(round(place.x()), round(place.y())))
        menu.deleteLater()


def _paths_of(mime: QtCore.QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]


def _to_text(state: QtCore.QByteArray) -> str:
    return base64.b64encode(state.data()).decode("ascii")


def _from_text(text: str) -> QtCore.QByteArray:
    return QtCore.QByteArray.fromBase64(text.encode("ascii", "ignore"))
