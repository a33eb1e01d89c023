"""A baseline alone: the part of the Process task that other tasks show too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6 import QtCore, QtWidgets

from spectrogen_app.gui.process.view import StepCard
from spectrogen_app.gui.theme import LIGHT, Theme
from spectrogen_app.gui.widgets import ComboBox, label, named, push_button

if TYPE_CHECKING:
    from spectrogen_app.processing.pipeline import Step


class BaselineView(QtWidgets.QFrame):
    """A method with its parameters, and buttons to subtract it; hidden while there is none.

    Signals
    -------
    As those of :class:`spectrogen_app.gui.process.view.ProcessView`.
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
        self.method = named(ComboBox(), "Method", "How the baseline is found")
        self.method.activated.connect(lambda _: self.begin(self.method.currentData()))
        self._card = QtWidgets.QVBoxLayout()
        self.trouble = label(role="bad", wrap=True)
        self.hide_source = named(
            QtWidgets.QCheckBox("Hide the original"), "Hide the original",
            "Show the spectrum without its baseline in place of the one it came from",
        )  # fmt: skip
        self.hide_source.setChecked(True)
        self.apply = push_button("Subtract", "Subtract this baseline", "primary")
        self.apply.clicked.connect(self.apply_wanted)
        self.leave = push_button("Leave it", "Subtract nothing")
        self.leave.clicked.connect(self.reset_wanted)
        buttons = QtWidgets.QHBoxLayout()
        buttons.addWidget(self.apply, 1)
        buttons.addWidget(self.leave)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.method)
        column.addLayout(self._card)
        column.addWidget(self.trouble)
        column.addWidget(self.hide_source)
        column.addLayout(buttons)
        self.trouble.hide()
        self.hide()

    def begin(self, name: str = "arpls") -> None:
        """Ask for this method in place of what there was."""
        self.reset_wanted.emit()
        self.added.emit(name)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        for card in self.cards:
            card.set_theme(theme)

    def show_steps(self, steps: Sequence[Step]) -> None:
        """Show the method, or hide."""
        for card in self.cards:
            self._card.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards = []
        for step in steps[:1]:
            self._fill_methods()
            self.method.setCurrentIndex(self.method.findData(step.name))
            card = StepCard(step, self._theme, alone=True)
            card.changed.connect(lambda new: self.changed.emit(0, new))
            self.cards.append(card)
            self._card.addWidget(card)
        self.setVisible(bool(steps))

    def _fill_methods(self) -> None:
        """List the methods; their modules are too heavy to load before the window is up."""
        if self.method.count():
            return
        from spectrogen_app.processing.pipeline import STEPS

        for name, kind in STEPS.items():
            if kind.curve is not None:
                self.method.addItem(kind.label, name)

    def show_subject(self, _text: str, ready: bool, count: int) -> None:
        """Say what the baseline is subtracted from."""
        self.apply.setEnabled(ready)
        self.apply.setText(f"Subtract from {count} spectra" if count > 1 else "Subtract")

    def show_trouble(self, text: str) -> None:
        """Say why there is no baseline."""
        self.trouble.setText(text)
        self.trouble.setVisible(bool(text))
