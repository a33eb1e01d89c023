"""Passive view of the Process task: one card for each step, built from the step's declaration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6 import QtCore, QtWidgets

from spectrogen_app.gui.theme import LIGHT, Theme, icon
from spectrogen_app.gui.widgets import (
    ComboBox,
    DoubleSpinBox,
    SpinBox,
    label,
    named,
    push_button,
    tool_button,
)

if TYPE_CHECKING:
    from spectrogen_app.processing.pipeline import Parameter, Step

Qt = QtCore.Qt


class StepCard(QtWidgets.QFrame):
    """One step with a control for each parameter; alone, it has no heading and no arrows.

    Signals
    -------
    changed(Step), moved(-1 or 1), removed()
    """

    changed = QtCore.Signal(object)
    moved = QtCore.Signal(int)
    removed = QtCore.Signal()

    def __init__(self, step: Step, theme: Theme, *, alone: bool = False) -> None:
        super().__init__()
        self.step = step
        kind = step.kind
        self.setProperty("role", "card")
        up = tool_button("up", f"{kind.label}: move up", "Move up")
        down = tool_button("down", f"{kind.label}: move down", "Move down")
        away = tool_button("cancel", f"{kind.label}: remove", "Remove this step")
        self._buttons = ((up, "up"), (down, "down"), (away, "cancel"))
        self.set_theme(theme)
        up.clicked.connect(lambda: self.moved.emit(-1))
        down.clicked.connect(lambda: self.moved.emit(1))
        away.clicked.connect(self.removed)
        head = QtWidgets.QWidget()
        row_of_head = QtWidgets.QHBoxLayout(head)
        row_of_head.setContentsMargins(0, 0, 0, 0)
        row_of_head.setSpacing(0)
        title = label(kind.label, "heading")
        title.setToolTip(kind.help)
        row_of_head.addWidget(title, 1)
        for button in (up, down, away):
            row_of_head.addWidget(button)
        head.setHidden(alone)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(12, 6, 6, 10)
        column.setSpacing(4)
        column.addWidget(head)
        column.addWidget(label(kind.help, "muted", wrap=True))
        form = QtWidgets.QGridLayout()
        form.setContentsMargins(0, 2, 6, 0)
        form.setHorizontalSpacing(10)
        form.setColumnStretch(1, 1)
        self._fields: dict[str, QtWidgets.QWidget] = {}
        for row, parameter in enumerate(kind.parameters):
            field = self._field(parameter, step.values[parameter.name])
            named(field, f"{kind.label}: {parameter.label}", parameter.help)
            self._fields[parameter.name] = field
            unit = {"x": "x units", "points": "points"}.get(parameter.unit, parameter.unit)
            text = label(parameter.label, "muted")
            text.setToolTip(parameter.help)
            form.addWidget(text, row, 0)
            form.addWidget(field, row, 1)
            if unit:
                form.addWidget(label(unit, "muted"), row, 2)
        column.addLayout(form)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        for button, name in self._buttons:
            button.setIcon(icon(name, theme.muted, 16))

    def show_points(self, points: Sequence[tuple[float, float]]) -> None:
        """Say how many anchors there are."""
        for parameter in self.step.kind.parameters:
            field = self._fields[parameter.name]
            if parameter.type is tuple and isinstance(field, QtWidgets.QLabel):
                field.setText(_anchors(points))

    def _field(self, parameter: Parameter, value: Any) -> QtWidgets.QWidget:
        name = parameter.name
        if parameter.type is bool:
            box = QtWidgets.QCheckBox()
            box.setChecked(value)
            box.toggled.connect(lambda on: self._change(name, on))
            return box
        if parameter.choices:
            combo = ComboBox()
            combo.addItems(list(parameter.choices))
            combo.setCurrentText(value)
            combo.currentTextChanged.connect(lambda text: self._change(name, text))
            return combo
        if parameter.type is tuple:
            return label(_anchors(value), "muted", wrap=True)
        if parameter.default is None:
            return self._open_end(parameter, value)
        spin: SpinBox | DoubleSpinBox
        if parameter.type is int:
            spin = SpinBox()
            spin.setRange(round(max(parameter.minimum, -2e9)), round(min(parameter.maximum, 2e9)))
            spin.setSingleStep(round(parameter.step))
        else:
            spin = DoubleSpinBox(by_factor=parameter.log)
            spin.setRange(max(parameter.minimum, -1e15), min(parameter.maximum, 1e15))
            spin.setSingleStep(parameter.step)
        spin.setKeyboardTracking(False)
        spin.setValue(value)
        spin.valueChanged.connect(lambda v: self._change(name, v))
        return spin

    def _open_end(self, parameter: Parameter, value: float | None) -> QtWidgets.QLineEdit:
        """A field that may be left empty."""
        field = QtWidgets.QLineEdit("" if value is None else f"{value:g}")
        field.setPlaceholderText("open")

        def done() -> None:
            try:
                text = field.text().strip().replace(",", ".")
                self._change(parameter.name, float(text) if text else None)
            except ValueError:
                field.setText("")

        field.editingFinished.connect(done)
        return field

    def _change(self, name: str, value: Any) -> None:
        if self.step.values[name] != value:
            self.step = self.step.with_values(**{name: value})
            self.changed.emit(self.step)


def _anchors(points: Sequence[Any]) -> str:
    if not points:
        return "Click on the plot to set anchors; right-click removes the nearest."
    return f"{len(points)} set; click adds, right-click removes."


class ProcessView(QtWidgets.QScrollArea):
    """The pipeline, and buttons to apply it.

    Signals
    -------
    added(step name), changed(index, Step), moved(index, by), removed(index), apply_wanted(all
    chosen), reset_wanted(), hide_source(bool)
    """

    added = QtCore.Signal(str)
    changed = QtCore.Signal(int, object)
    moved = QtCore.Signal(int, int)
    removed = QtCore.Signal(int)
    apply_wanted = QtCore.Signal()
    reset_wanted = QtCore.Signal()

    def __init__(self, theme: Theme = LIGHT) -> None:
        super().__init__()
        self._theme = theme
        self.cards: list[StepCard] = []
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        body = QtWidgets.QWidget()
        body.setProperty("role", "panel")
        self.setWidget(body)
        column = QtWidgets.QVBoxLayout(body)
        column.setContentsMargins(16, 14, 16, 16)
        column.setSpacing(9)
        self.subject = label(wrap=True)
        column.addWidget(self.subject)
        self.add_button = push_button("Add a step", "Add a processing step")
        self._menu = QtWidgets.QMenu(self)
        self._menu.setToolTipsVisible(True)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.add_button.setMenu(self._menu)
        self._steps = QtWidgets.QVBoxLayout()
        self._steps.setSpacing(9)
        column.addLayout(self._steps)
        column.addWidget(self.add_button)
        self.trouble = label(role="bad", wrap=True)
        self.trouble.hide()
        column.addWidget(self.trouble)
        self.hide_source = named(
            QtWidgets.QCheckBox("Hide the original"), "Hide the original",
            "Show the processed spectrum in place of the one it came from",
        )  # fmt: skip
        self.hide_source.setChecked(True)
        column.addWidget(self.hide_source)
        buttons = QtWidgets.QHBoxLayout()
        self.apply = push_button("Apply", role="primary")
        self.apply.clicked.connect(self.apply_wanted)
        self.reset = push_button("Start over", "Remove all steps")
        self.reset.clicked.connect(self.reset_wanted)
        buttons.addWidget(self.apply, 1)
        buttons.addWidget(self.reset)
        column.addLayout(buttons)
        column.addStretch(1)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        for card in self.cards:
            card.set_theme(theme)

    def _fill_menu(self) -> None:
        """List the steps; their modules are too heavy to load before the window is up."""
        if not self._menu.isEmpty():
            return
        from spectrogen_app.processing.pipeline import STEPS

        groups: dict[str, QtWidgets.QMenu] = {}
        for name, kind in STEPS.items():
            if kind.group not in groups:
                groups[kind.group] = self._menu.addMenu(kind.group)
                groups[kind.group].setToolTipsVisible(True)
            action = groups[kind.group].addAction(kind.label)
            action.setToolTip(kind.help)
            action.triggered.connect(lambda _=False, n=name: self.added.emit(n))

    def show_steps(self, steps: Sequence[Step]) -> None:
        """Show the pipeline; cards whose step is the same object stay as they are."""
        if [c.step for c in self.cards] == list(steps) and self.cards:
            return
        for card in self.cards:
            self._steps.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards = []
        for i, step in enumerate(steps):
            card = StepCard(step, self._theme)
            card.changed.connect(lambda new, i=i: self.changed.emit(i, new))
            card.moved.connect(lambda by, i=i: self.moved.emit(i, by))
            card.removed.connect(self._remover(card, i))
            self.cards.append(card)
            self._steps.addWidget(card)

    def _remover(self, card: StepCard, at: int) -> Callable[[], None]:
        """The card may go only after its own click is over."""
        return lambda: QtCore.QTimer.singleShot(0, card, lambda: self.removed.emit(at))

    def show_subject(self, text: str, ready: bool, count: int) -> None:
        """Say what the steps are applied to."""
        self.subject.setText(text)
        self.apply.setEnabled(ready)
        self.apply.setText(f"Apply to {count} spectra" if count > 1 else "Apply")
        self.add_button.setEnabled(count > 0)
        self.reset.setEnabled(bool(self.cards))
        self.hide_source.setVisible(bool(self.cards))

    def show_trouble(self, text: str) -> None:
        """Say why a step cannot be done."""
        self.trouble.setText(text)
        self.trouble.setVisible(bool(text))
