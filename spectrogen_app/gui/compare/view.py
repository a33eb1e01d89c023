"""Passive view of the Compare task."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6 import QtCore, QtWidgets

from spectrogen_app.gui.theme import LIGHT, Theme, swatch
from spectrogen_app.gui.widgets import ComboBox, label, line, named, push_button

Qt = QtCore.Qt
DEFINITION = (
    "Both curves are put on one grid (Raman 150 to 1300, infrared 400 to 4000 cm⁻¹, XRD 5 to 90° "
    "for Cu Kα), freed of their 2nd percentile and scaled to 1; powder patterns are "
    "smoothed. r and RMSE count the measured part of the grid. Peaks count from a prominence of "
    "0.05 and match within 10 cm⁻¹ or 0.2°."
)


class CompareView(QtWidgets.QScrollArea):
    """Two curves, their scores, and what these mean.

    Signals
    -------
    first_chosen(id), second_chosen(id), swap_wanted()
    """

    first_chosen = QtCore.Signal(str)
    second_chosen = QtCore.Signal(str)
    swap_wanted = QtCore.Signal()
    theme_changed = QtCore.Signal()

    def __init__(self, theme: Theme = LIGHT) -> None:
        super().__init__()
        self._theme = theme
        self._shown: list[QtWidgets.QWidget] = []
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        body = QtWidgets.QWidget()
        body.setProperty("role", "panel")
        self.setWidget(body)
        column = QtWidgets.QVBoxLayout(body)
        column.setContentsMargins(16, 14, 16, 16)
        column.setSpacing(8)
        column.addWidget(label("Curve", "heading"))
        self.first = named(ComboBox(), "Curve to be judged")
        column.addWidget(self.first)
        column.addWidget(label("Against", "heading"))
        self.second = named(ComboBox(), "Curve to judge it by")
        column.addWidget(self.second)
        for combo in (self.first, self.second):
            combo.setIconSize(QtCore.QSize(20, 14))
            combo.setMinimumContentsLength(10)
            combo.setSizeAdjustPolicy(
                QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
        self.first.activated.connect(lambda _: self.first_chosen.emit(self.first.currentData()))
        self.second.activated.connect(lambda _: self.second_chosen.emit(self.second.currentData()))
        self.swap = push_button("Swap", "Swap the two curves")
        self.swap.clicked.connect(self.swap_wanted)
        row = QtWidgets.QHBoxLayout()
        row.addWidget(self.swap)
        row.addStretch(1)
        column.addLayout(row)
        column.addSpacing(6)
        self.numbers = QtWidgets.QGridLayout()
        self.numbers.setHorizontalSpacing(14)
        self.numbers.setVerticalSpacing(6)
        self.numbers.setColumnStretch(1, 1)
        self._numbers = QtWidgets.QWidget()
        self._numbers.setLayout(self.numbers)
        column.addWidget(self._numbers)
        self.message = label(role="muted", wrap=True)
        column.addWidget(self.message)
        column.addSpacing(6)
        column.addWidget(line())
        column.addWidget(label(DEFINITION, "muted", wrap=True))
        column.addStretch(1)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.theme_changed.emit()

    def show_choices(
        self, curves: Sequence[tuple[str, str, str, str]], first: str | None, second: str | None
    ) -> None:
        """Offer (id, text, colour, kind) in both boxes."""
        for combo, chosen in ((self.first, first), (self.second, second)):
            with QtCore.QSignalBlocker(combo):
                combo.clear()
                for curve_id, text, colour, kind in curves:
                    combo.addItem(swatch(colour, kind, self._theme), text, curve_id)
                combo.setCurrentIndex(combo.findData(chosen) if chosen else -1)
            combo.setEnabled(len(curves) > 1)
        self.swap.setEnabled(first is not None and second is not None)

    def show_scores(self, rows: Sequence[tuple[str, str, str]], message: str = "") -> None:
        """Show (name, value, explanation) rows, or why there are none."""
        for widget in self._shown:
            self.numbers.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self._shown = []
        for i, (name, value, tip) in enumerate(rows):
            title, number = label(name, "muted"), label(value, "heading")
            number.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            number.setAccessibleName(f"{name} {value}")
            title.setToolTip(tip)
            number.setToolTip(tip)
            self.numbers.addWidget(title, i, 0)
            self.numbers.addWidget(number, i, 1)
            self._shown += [title, number]
        self._numbers.setVisible(bool(rows))
        self.message.setText(message)
        self.message.setVisible(bool(message))
