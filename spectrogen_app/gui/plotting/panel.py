"""The panel of one modality: a slim header with its choices, and the canvas."""

from __future__ import annotations

from PySide6 import QtCore, QtGui, QtWidgets

from spectrogen_app.app import display
from spectrogen_app.app.display import Scale
from spectrogen_app.data.modality import MODALITIES
from spectrogen_app.gui.plotting.canvas import Canvas
from spectrogen_app.gui.plotting.model import PanelModel
from spectrogen_app.gui.theme import Theme, icon
from spectrogen_app.gui.widgets import ComboBox, named, restyle, tool_button

_SCALES = ((Scale.AUTO, "Auto"), (Scale.AS_IS, "As measured"), (Scale.UNIT, "Scaled to 1"))


_LEAST_HEIGHT = 170
"""Of a panel; where more of them are shown than fit, they are scrolled."""


class Panel(QtWidgets.QFrame):
    """Passive view of one modality's plot.

    Signals
    -------
    x_chosen("kind/unit"), y_chosen(unit), scale_chosen(Scale), stack_toggled(bool),
    reverse_toggled(bool), residual_toggled(bool): what the user chose in the header.
    activated(): the panel was clicked or got the focus.
    """

    x_chosen = QtCore.Signal(str)
    y_chosen = QtCore.Signal(str)
    scale_chosen = QtCore.Signal(str)
    stack_toggled = QtCore.Signal(bool)
    reverse_toggled = QtCore.Signal(bool)
    residual_toggled = QtCore.Signal(bool)
    activated = QtCore.Signal()

    def __init__(self, modality: str, title: str, theme: Theme) -> None:
        super().__init__()
        self.modality = modality
        self.setProperty("role", "panel")
        self.setMinimumHeight(_LEAST_HEIGHT)
        self.canvas = Canvas(theme, self)
        self.canvas.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        named(
            self.canvas, f"{title} plot", "Spectra of this modality; Up and Down walk through them"
        )
        self.canvas.installEventFilter(self)
        self.canvas.viewport().installEventFilter(self)

        self._title = QtWidgets.QLabel(title)
        self._title.setProperty("role", "heading")
        self._note = QtWidgets.QLabel()
        self._note.setProperty("role", "muted")
        self._x = named(
            ComboBox(hugging=True), f"{title}: x axis", "Unit of the x axis (U steps through them)"
        )
        self._y = named(ComboBox(hugging=True), f"{title}: y axis", "Scale and unit of the y axis")
        for combo in (self._x, self._y):
            combo.setProperty("role", "flat")
            combo.view().setMinimumWidth(190)
        self._x.activated.connect(lambda _: self.x_chosen.emit(self._x.currentData()))
        self._y.activated.connect(self._y_activated)
        self.stack = tool_button(
            "stack", f"{title}: stack the curves", "Stack: offset the curves", True
        )
        self.reverse = tool_button("reverse", f"{title}: reverse x", "x runs the other way", True)
        self.residual = tool_button(
            "residual", f"{title}: residual", "Residual: generated less measured (Space)", True
        )
        self.full = tool_button("full", f"{title}: full view", "Full view (A, double-click)")
        self.stack.clicked.connect(self.stack_toggled)
        self.reverse.clicked.connect(self.reverse_toggled)
        self.residual.clicked.connect(self.residual_toggled)
        self.full.clicked.connect(self.canvas.full_view)

        header = QtWidgets.QHBoxLayout()
        header.setContentsMargins(14, 4, 8, 0)
        header.setSpacing(4)
        header.addWidget(self._title)
        header.addWidget(self._note, 1)
        for widget in (self._x, self._y, self.stack, self.reverse, self.residual, self.full):
            header.addWidget(widget)
        self._note.setSizePolicy(
            QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Preferred
        )
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(header)
        layout.addWidget(self.canvas, 1)
        self.set_theme(theme)

    def show_model(self, model: PanelModel, note: str, residual_on: bool) -> None:
        """Draw the model and set the header to its choices."""
        self._note.setText(note)
        self._note.setToolTip("\n".join(model.shown.problems))
        _fill(self._x, [(c, display.x_choice_label(c)) for c in model.x_choices], model.shown.x)
        self._x.setVisible(bool(model.x_choices))
        units = (
            [(u, display.y_label(u)) for u in model.y_choices] if len(model.y_choices) > 1 else []
        )
        _fill(
            self._y, [(s.value, text) for s, text in _SCALES] + units,
            model.look.y_unit or model.look.scale.value,
        )  # fmt: skip
        self.stack.setChecked(model.look.stack > 0)
        self.reverse.setChecked(model.reversed)
        self.residual.setChecked(residual_on and model.can_compare)
        self.residual.setEnabled(model.can_compare)
        self.canvas.draw(model)

    @property
    def controls(self) -> tuple[QtWidgets.QWidget, ...]:
        """What Tab goes through, in order."""
        return (
            self.canvas, self._x, self._y, self.stack, self.reverse, self.residual, self.full,
        )  # fmt: skip

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self.canvas.set_theme(theme)
        for button, name in (
            (self.stack, "stack"), (self.reverse, "reverse"), (self.residual, "residual"),
            (self.full, "full"),
        ):  # fmt: skip
            button.setIcon(icon(name, theme.muted, 18))

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:
        kind = QtCore.QEvent.Type
        if event.type() in (kind.MouseButtonPress, kind.FocusIn, kind.Wheel):
            self.activated.emit()
        if event.type() in (kind.FocusIn, kind.FocusOut):
            restyle(self._title, focused=event.type() is kind.FocusIn)
        return False

    def _y_activated(self, _index: int) -> None:
        chosen = self._y.currentData()
        if chosen in {s.value for s in Scale}:
            self.scale_chosen.emit(chosen)
        else:
            self.y_chosen.emit(chosen)


def _fill(combo: QtWidgets.QComboBox, items: list[tuple[str, str]], chosen: str) -> None:
    """Set a combo box without a signal; unchanged items are left alone."""
    present = [(combo.itemData(i), combo.itemText(i)) for i in range(combo.count())]
    with QtCore.QSignalBlocker(combo):
        if present != items:
            combo.clear()
            for data, text in items:
                combo.addItem(text, data)
        combo.setCurrentIndex(combo.findData(chosen))
    combo.updateGeometry()


class _Scroll(QtWidgets.QScrollArea):
    """Leaves the arrow keys to the plots."""

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        event.ignore()


class PlotArea(QtWidgets.QWidget):
    """All panels, one above the other, with movable borders.

    Signals
    -------
    Those of the panels, with the modality as first argument.
    """

    x_chosen = QtCore.Signal(str, str)
    y_chosen = QtCore.Signal(str, str)
    scale_chosen = QtCore.Signal(str, str)
    stack_toggled = QtCore.Signal(str, bool)
    reverse_toggled = QtCore.Signal(str, bool)
    residual_toggled = QtCore.Signal(str, bool)
    cursor_moved = QtCore.Signal(str, float, float)
    cursor_left = QtCore.Signal()
    legend_clicked = QtCore.Signal(str, str)
    curve_clicked = QtCore.Signal(str)
    menu_wanted = QtCore.Signal(str, object)
    active_changed = QtCore.Signal(str)
    walk = QtCore.Signal(int)
    panels_changed = QtCore.Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._panels: dict[str, Panel] = {}
        self._shown: tuple[str, ...] = ()
        self._active = ""
        self._zooming = False
        self._grid = False
        self._splitter = QtWidgets.QSplitter(QtCore.Qt.Orientation.Vertical)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setHandleWidth(6)
        scroll = _Scroll()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        scroll.setMinimumHeight(_LEAST_HEIGHT)
        scroll.setWidget(self._splitter)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)

    @property
    def panels(self) -> dict[str, Panel]:
        """The panels in view, by modality."""
        return {m: self._panels[m] for m in self._shown}

    @property
    def active(self) -> Panel | None:
        """The panel used last, which single-key commands act on."""
        shown = self.panels
        return shown.get(self._active) or next(iter(shown.values()), None)

    def prepare(self, modality: str) -> None:
        """Make a panel before it is needed; that takes longer than anything else here."""
        if modality not in self._panels:
            panel = self._make(modality)
            self._splitter.addWidget(panel)
            panel.hide()

    def show_panels(
        self, models: tuple[PanelModel, ...], notes: dict[str, str], residual_on: dict[str, bool]
    ) -> None:
        """Show one panel per model, in their order; panels and their views are kept."""
        before, self._shown = self._shown, tuple(m.modality for m in models)
        for name, panel in self._panels.items():
            if name not in self._shown:
                panel.hide()
        for place, model in enumerate(models):
            panel = self._panels.get(model.modality) or self._make(model.modality)
            if self._splitter.indexOf(panel) != place:
                self._splitter.insertWidget(place, panel)
            panel.show()
            panel.show_model(model, notes.get(model.modality, ""), residual_on[model.modality])
        if before != self._shown:
            self.panels_changed.emit()

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        for panel in self._panels.values():
            panel.set_theme(theme)

    def set_zoom_mode(self, on: bool) -> None:
        """Left-drag draws a zoom box in every panel."""
        self._zooming = on
        for panel in self._panels.values():
            panel.canvas.set_zoom_mode(on)

    def set_grid(self, on: bool) -> None:
        """Show grid lines in every panel."""
        self._grid = on
        for panel in self._panels.values():
            panel.canvas.set_grid(on)

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        key = QtCore.Qt.Key
        steps: dict[int, int] = {key.Key_Up: -1, key.Key_Down: 1}
        panel = self.active
        if event.key() in steps:
            self.walk.emit(steps[event.key()])
        elif panel is not None and event.key() in (key.Key_Left, key.Key_Right):
            panel.canvas.pan_by(0.1 if event.key() == key.Key_Right else -0.1)
        elif panel is not None and event.key() in (key.Key_Plus, key.Key_Equal, key.Key_Minus):
            panel.canvas.zoom_by(1.25 if event.key() == key.Key_Minus else 0.8)
        else:
            super().keyPressEvent(event)

    def _make(self, name: str) -> Panel:
        panel = self._panels[name] = Panel(name, MODALITIES[name].label, self._theme)
        canvas = panel.canvas
        canvas.set_zoom_mode(self._zooming)
        canvas.set_grid(self._grid)
        for signal, own in (
            (panel.x_chosen, self.x_chosen), (panel.y_chosen, self.y_chosen),
            (panel.scale_chosen, self.scale_chosen), (panel.stack_toggled, self.stack_toggled),
            (panel.reverse_toggled, self.reverse_toggled),
            (panel.residual_toggled, self.residual_toggled),
            (canvas.legend_clicked, self.legend_clicked), (canvas.menu_wanted, self.menu_wanted),
        ):  # fmt: skip
            signal.connect(lambda value, own=own: own.emit(name, value))
        canvas.cursor_moved.connect(lambda x, y: self.cursor_moved.emit(name, x, y))
        canvas.cursor_left.connect(self.cursor_left)
        canvas.curve_clicked.connect(self.curve_clicked)
        panel.activated.connect(lambda: self._activate(name))
        return panel

    def _activate(self, name: str) -> None:
        if name != self._active:
            self._active = name
            self.active_changed.emit(name)
