"""The window: puts the features together, owns the actions, and ends the jobs when it closes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6 import QtCore, QtGui, QtWidgets

from spectrogen_app import RELEASES
from spectrogen_app.app import services
from spectrogen_app.app.services import WarmRequest, Warmth
from spectrogen_app.data.modality import MODALITIES
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.gui.context import Context, SettingsKeeper, Task
from spectrogen_app.gui.empty import DropOverlay, EmptyState
from spectrogen_app.gui.exporting import Exporter
from spectrogen_app.gui.generate.presenter import GeneratePresenter
from spectrogen_app.gui.generate.view import GenerateView
from spectrogen_app.gui.jobs import JobRunner
from spectrogen_app.gui.keeping import Keeper
from spectrogen_app.gui.loading import Loader
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
from spectrogen_app.gui.plotting.panel import PlotArea
from spectrogen_app.gui.plotting.presenter import PlotPresenter
from spectrogen_app.gui.samples.presenter import SamplesPresenter
from spectrogen_app.gui.samples.view import SamplesView
from spectrogen_app.gui.store import SessionStore
from spectrogen_app.gui.tasks import FACTORIES
from spectrogen_app.gui.theme import MODES, Theme, ThemeController, icon
from spectrogen_app.gui.verdicts.presenter import VerdictsPresenter
from spectrogen_app.gui.verdicts.view import VerdictsView
from spectrogen_app.gui.widgets import chain, named
from spectrogen_app.paths import shipped

Qt = QtCore.Qt


NEED_SPECTRA = (
    "export", "export_visible", "export_figure", "script", "save", "save_as", "copy_figure",
    "copy_numbers", "generate", "zoom", "full", "back", "rescale", "peaks", "units", "residual",
    "solo", "next", "previous", "delete", "peak_mode", "auto_peaks", "fit", "delete_peak",
    "at_residual", "simplify",
)  # fmt: skip
"""Commands that make no sense in an empty window."""


@dataclass(frozen=True)
class Command:
    """One action of the menus; the help page lists them all.

    Attributes
    ----------
    name, menu, text : str
    run : callable
        Takes the check state of a checkable one.
    keys : tuple of str
    icon, tip : str
    checkable : bool
    plot_only : bool
        The key works while a plot has the focus; elsewhere it belongs to the control there.
    """

    name: str
    menu: str
    text: str
    run: Callable[..., object]
    keys: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    checkable: bool = False
    plot_only: bool = False


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
        self.commands = self._commands()
        self.actions_: dict[str, QtGui.QAction] = {}
        self._build()
        self._connect()
        self._set_theme(theme.theme)
        self.ended = True
        self._restore()
        self._changed()

    # ---- what the user can do -------------------------------------------------------------

    def _commands(self) -> tuple[Command, ...]:
        def on_panel(act: Callable[..., object]) -> Callable[..., object]:
            def run(*_: object) -> None:
                panel = self.area.active
                if panel is not None:
                    act(panel)

            return run

        return (
            Command(
                "open",
                "&File",
                "&Open files…",
                self.choose_files,
                ("Ctrl+O",),
                "open",
                "Open spectra (Ctrl+O); or drop them anywhere",
            ),
            Command("folder", "&File", "Open &folder…", self.choose_folder, ("Ctrl+Shift+O",)),
            Command("examples", "&File", "Open the &examples", self.open_examples),
            Command("open_project", "&File", "Open &project…", self.choose_project),
            Command("save", "&File", "&Save project", self.keeper.ask_save, ("Ctrl+S",)),
            Command(
                "save_as", "&File", "Save project &as…", self.keeper.ask_save_as, ("Ctrl+Shift+S",)
            ),
            Command(
                "export",
                "&File",
                "&Export selected spectra…",
                self.exporter.ask_selected,
                ("Ctrl+E",),
                "export",
                "Export the selected spectra as CSV (Ctrl+E)",
            ),
            Command(
                "export_visible",
                "&File",
                "Export all &visible curves…",
                self.exporter.ask_visible,
                ("Ctrl+Shift+E",),
            ),
            Command("export_figure", "&File", "Export fi&gure…", self.exporter.ask_figure),
            Command("script", "&File", "Save as P&ython script…", self.exporter.ask_script),
            Command("quit", "&File", "&Quit", self.close, ("Ctrl+Q",)),
            Command("undo", "&Edit", "&Undo", self.store.undo, ("Ctrl+Z",), "undo"),
            Command("redo", "&Edit", "&Redo", self.store.redo, ("Ctrl+Shift+Z", "Ctrl+Y"), "redo"),
            Command("copy_figure", "&Edit", "&Copy figure", self.exporter.copy_figure, ("Ctrl+C",)),
            Command(
                "copy_numbers",
                "&Edit",
                "Copy &numbers",
                self.exporter.copy_numbers,
                ("Ctrl+Shift+C",),
            ),
            Command(
                "delete",
                "&Edit",
                "&Delete spectra",
                lambda: self.samples.remove(self.samples_view.chosen_curves()),
            ),
            Command(
                "zoom",
                "&View",
                "&Zoom mode",
                self._zoom_mode,
                ("Z",),
                "zoom",
                "Zoom mode: drag a box (Z)",
                checkable=True,
            ),
            Command(
                "full",
                "&View",
                "&Full view",
                on_panel(lambda p: p.canvas.full_view()),
                ("A",),
                "full",
                "Full view (A, double-click)",
            ),
            Command(
                "back",
                "&View",
                "&Previous view",
                on_panel(lambda p: p.canvas.back()),
                ("Backspace",),
            ),
            Command(
                "rescale",
                "&View",
                "&Rescale y",
                on_panel(lambda p: p.canvas.rescale_y()),
                ("R",),
                "scale",
                "Rescale y to what is visible (R)",
            ),
            Command(
                "grid", "&View", "&Grid", self._grid, ("G",), "grid", "Grid (G)", checkable=True
            ),
            Command(
                "peaks",
                "&View",
                "&Peak positions",
                self._peak_labels,
                ("L",),
                "label",
                "Write peak positions on the plot (L)",
                checkable=True,
            ),
            Command(
                "units",
                "&View",
                "Next x &unit",
                on_panel(lambda p: self.plots.next_x(p.modality)),
                ("U",),
            ),
            Command(
                "residual",
                "&View",
                "Res&idual strip",
                on_panel(lambda p: self.plots.toggle_residual(p.modality)),
                ("Space",),
                "residual",
                "Residual strip (Space, in a plot)",
                plot_only=True,
            ),
            Command(
                "solo",
                "&View",
                "Current &sample only",
                self._solo,
                ("S",),
                "solo",
                "Show the current sample only (S)",
                checkable=True,
            ),
            Command(
                "next", "&Spectra", "&Next spectrum", lambda: self.samples.walk(1), ("PgDown",)
            ),
            Command(
                "previous",
                "&Spectra",
                "&Previous spectrum",
                lambda: self.samples.walk(-1),
                ("PgUp",),
            ),
            Command("find", "&Spectra", "&Search the samples", self._search, ("Ctrl+F",)),
            Command(
                "verdicts",
                "&Spectra",
                "&List of opened files",
                self._toggle_verdicts,
                ("Ctrl+L",),
                checkable=True,
            ),
            Command(
                "peak_mode",
                "&Peaks",
                "&Add peaks by mouse",
                self._peak_mode,
                ("P",),
                "peaks",
                "Add peaks by mouse: click, or drag out a width (P)",
                checkable=True,
            ),
            Command(
                "auto_peaks",
                "&Peaks",
                "Find peaks auto&matically",
                lambda: self._on_peaks("auto"),
                ("Shift+F",),
            ),
            Command(
                "fit",
                "&Peaks",
                "&Fit",
                lambda: self._on_peaks("fit"),
                ("F",),
                "fit",
                "Fit the peaks (F)",
            ),
            Command(
                "at_residual",
                "&Peaks",
                "Add a peak at the largest &residual",
                lambda: self._on_peaks("residual"),
                ("Shift+P",),
            ),
            Command("simplify", "&Peaks", "&Simplify", lambda: self._on_peaks("simplify")),
            Command(
                "delete_peak",
                "&Peaks",
                "&Remove the selected peak",
                lambda: self._on_peaks("delete"),
                ("Del",),
                plot_only=True,
            ),
            Command(
                "generate",
                "&Generate",
                "&Generate",
                self.generate_now,
                ("Ctrl+G",),
                "generate",
                "Generate what is ticked on the Generate tab (Ctrl+G)",
            ),
            Command("card", "&Generate", "&Model card", self.show_card),
            Command("help", "&Help", "&Help and keys", self.show_help, ("F1",), "help"),
            Command("formats", "&Help", "&File formats", self.show_formats),
            Command(
                "updates",
                "&Help",
                "Check for &updates",
                lambda: self.open_page(RELEASES),
                tip="Open the page of releases in the browser; the program itself asks no network",
            ),
            Command("about", "&Help", "&About SpectroGen", self.show_about),
        )

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
        self.tabs.tabBar().setExpanding(True)
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
        self._build_menus()

    def _build_menus(self) -> None:
        menus: dict[str, QtWidgets.QMenu] = {}
        for command in self.commands:
            menu = menus.get(command.menu)
            if menu is None:
                menu = menus[command.menu] = self.menuBar().addMenu(command.menu)
            action = QtGui.QAction(command.text, self)
            action.setShortcuts([QtGui.QKeySequence(k) for k in command.keys])
            action.setCheckable(command.checkable)
            plain = command.text.replace("&", "").rstrip("…")
            action.setToolTip(command.tip or plain)
            action.setStatusTip(command.tip or plain)
            if command.plot_only:
                action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
                self.area.addAction(action)
            run = command.run
            if command.checkable:
                action.triggered.connect(run)
            else:
                action.triggered.connect(lambda _=False, run=run: run())
            self.actions_[command.name] = action
            menu.addAction(action)
        self.recent = QtWidgets.QMenu("Open &recent", self)
        self.recent.aboutToShow.connect(self._fill_recent)
        menus["&File"].insertMenu(self.actions_["examples"], self.recent)
        for before in ("open_project", "export", "quit"):
            menus["&File"].insertSeparator(self.actions_[before])
        menus["&Edit"].insertSeparator(self.actions_["copy_figure"])
        menus["&Edit"].insertSeparator(self.actions_["delete"])
        menus["&View"].insertSeparator(self.actions_["solo"])
        view = menus["&View"]
        view.addSeparator()
        themes = view.addMenu("&Theme")
        group = QtGui.QActionGroup(self)
        for mode in MODES:
            action = themes.addAction({"system": "As the &system", "light": "&Light",
                                       "dark": "&Dark"}[mode])  # fmt: skip
            action.setCheckable(True)
            action.setChecked(self.theme.mode == mode)
            action.triggered.connect(lambda _=False, m=mode: self._choose_theme(m))
            group.addAction(action)
        self.bar = self.addToolBar("Main")
        self.bar.setObjectName("toolbar")
        self.bar.setMovable(False)
        self.bar.setIconSize(QtCore.QSize(20, 20))
        self.bar.toggleViewAction().setText("&Toolbar")
        for name in ("open", "export", "", "undo", "redo", "", "zoom", "full", "rescale", "grid",
                     "peaks", "residual", "", "peak_mode", "fit", "generate"):  # fmt: skip
            if name:
                self.bar.addAction(self.actions_[name])
            else:
                self.bar.addSeparator()
        for name in ("open", "export", "generate"):
            button = self.bar.widgetForAction(self.actions_[name])
            if isinstance(button, QtWidgets.QToolButton):
                button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        for name, text in (("open", "Open"), ("export", "Export"), ("generate", "Generate")):
            self.actions_[name].setIconText(text)

    def _connect(self) -> None:
        self.store.changed.connect(self._changed)
        self.theme.changed.connect(self._set_theme)
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
        chain(view.search, view.solo, view.tree, *plots, self.tabs.tabBar())

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
        self.recent.clear()
        for name in self.settings().recent:
            path = Path(name)
            action = self.recent.addAction(path.name)
            action.setToolTip(name)
            action.triggered.connect(lambda _=False, p=path: self.open_paths([p]))
        self.recent.addSeparator()
        clear = self.recent.addAction("Clear the list")
        clear.triggered.connect(lambda: self.settings.change(recent=()))
        clear.setEnabled(bool(self.settings().recent))

    # ---- following the session ------------------------------------------------------------

    def _changed(self, *_: object) -> None:
        undo, redo = self.store.undo_label, self.store.redo_label
        for name, what, text in (("undo", undo, "&Undo"), ("redo", redo, "&Redo")):
            action = self.actions_[name]
            action.setEnabled(what is not None)
            action.setText(f"{text} {_short(what)}" if what else text)
            action.setToolTip(f"{text[1:]} {what}" if what else text[1:])
        some = bool(self.store.state.samples)
        self.centre.setCurrentWidget(self.area if some else self.empty)
        for name in NEED_SPECTRA:
            self.actions_[name].setEnabled(some)

    def _set_theme(self, theme: Theme) -> None:
        for command in self.commands:
            if command.icon:
                self.actions_[command.name].setIcon(icon(command.icon, theme.text))
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
        for command in self.commands:
            keys = [QtGui.QKeySequence(k).toString() for k in command.keys]
            if keys:
                what = command.text.replace("&", "").rstrip("…")
                rows.append((" or ".join(keys), what))
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


def _short(text: str | None, length: int = 48) -> str:
    text = (text or "").replace("&", "&&")
    return text if len(text) <= length else f"{text[:length]}…"


def _paths_of(mime: QtCore.QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]


def _to_text(state: QtCore.QByteArray) -> str:
    return base64.b64encode(state.data()).decode("ascii")


def _from_text(text: str) -> QtCore.QByteArray:
    return QtCore.QByteArray.fromBase64(text.encode("ascii", "ignore"))
