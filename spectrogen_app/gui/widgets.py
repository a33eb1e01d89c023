"""Small widgets used everywhere: named for screen readers, safe under the wheel."""

from __future__ import annotations

import itertools
from typing import TypeVar

from PySide6 import QtCore, QtGui, QtWidgets

Widget = TypeVar("Widget", bound=QtWidgets.QWidget)


def named(widget: Widget, name: str, tip: str = "") -> Widget:
    """Give a control the name a screen reader says, and a tool tip."""
    widget.setAccessibleName(name)
    if tip:
        widget.setToolTip(tip)
        widget.setAccessibleDescription(tip)
    return widget


def counted(count: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{count:,} {one if count == 1 else many}"


class _WheelNeedsFocus:
    """The wheel scrolls the page unless the control has the focus."""

    def wheelEvent(self, event: QtGui.QWheelEvent) -> None:
        if self.hasFocus():  # type: ignore[attr-defined]
            super().wheelEvent(event)  # type: ignore[misc]
        else:
            event.ignore()


class ComboBox(_WheelNeedsFocus, QtWidgets.QComboBox):
    """A combo box that a passing wheel does not change, and that elides what does not fit.

    Parameters
    ----------
    hugging : bool
        As wide as the chosen text, not as the longest one.
    """

    def __init__(self, *, hugging: bool = False) -> None:
        super().__init__()
        self._hugging = hugging
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        if hugging:
            self.currentIndexChanged.connect(self.updateGeometry)

    def sizeHint(self) -> QtCore.QSize:
        hint = super().sizeHint()
        if self._hugging:
            hint.setWidth(self.fontMetrics().horizontalAdvance(self.currentText()) + 46)
        return hint

    def minimumSizeHint(self) -> QtCore.QSize:
        hint = super().minimumSizeHint()
        if self._hugging:
            hint.setWidth(min(self.sizeHint().width(), 92))
        return hint

    def paintEvent(self, _event: QtGui.QPaintEvent) -> None:
        painter = QtWidgets.QStylePainter(self)
        option = QtWidgets.QStyleOptionComboBox()
        self.initStyleOption(option)
        style = QtWidgets.QStyle
        painter.drawComplexControl(style.ComplexControl.CC_ComboBox, option)
        room = self.style().subControlRect(
            style.ComplexControl.CC_ComboBox, option, style.SubControl.SC_ComboBoxEditField, self
        )
        icon = 0 if option.currentIcon.isNull() else option.iconSize.width() + 8
        option.currentText = self.fontMetrics().elidedText(
            option.currentText, QtCore.Qt.TextElideMode.ElideRight, room.width() - icon - 4
        )
        painter.drawControl(style.ControlElement.CE_ComboBoxLabel, option)


class SpinBox(_WheelNeedsFocus, QtWidgets.QSpinBox):
    """A spin box that a passing wheel does not change."""

    def __init__(self) -> None:
        super().__init__()
        self.lineEdit().setTextMargins(6, 0, 0, 0)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)


class DoubleSpinBox(_WheelNeedsFocus, QtWidgets.QDoubleSpinBox):
    """A spin box that a passing wheel does not change; shows no more digits than needed."""

    def __init__(self, *, by_factor: bool = False) -> None:
        super().__init__()
        self._by_factor = by_factor
        self.lineEdit().setTextMargins(6, 0, 0, 0)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        self.setDecimals(9)
        self.setLocale(QtCore.QLocale.c())

    def textFromValue(self, value: float) -> str:
        return f"{value:.6g}"

    def validate(self, text: str, place: int) -> tuple[QtGui.QValidator.State, str, int]:
        state = QtGui.QValidator.State
        try:
            value = float(text.replace(",", "."))
        except ValueError:
            return state.Intermediate, text, place
        inside = self.minimum() <= value <= self.maximum()
        return (state.Acceptable if inside else state.Intermediate), text, place

    def valueFromText(self, text: str) -> float:
        return float(text.replace(",", "."))

    def stepBy(self, steps: int) -> None:
        if self._by_factor:
            self.setValue(self.value() * 10 ** (0.25 * steps))
        else:
            super().stepBy(steps)


def tool_button(
    icon_name: str, name: str, tip: str, checkable: bool = False
) -> QtWidgets.QToolButton:
    """A flat button with an icon; the icon is set with the theme, by the name it keeps."""
    button = named(QtWidgets.QToolButton(), name, tip)
    button.setProperty("icon_name", icon_name)
    button.setCheckable(checkable)
    button.setIconSize(QtCore.QSize(18, 18))
    button.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
    return button


def push_button(text: str, name: str = "", role: str = "") -> QtWidgets.QPushButton:
    """A button; ``role`` is ``primary`` or ``link``."""
    button = QtWidgets.QPushButton(text)
    button.setAccessibleName(name or text.replace("&", ""))
    button.setAutoDefault(False)
    if role:
        button.setProperty("role", role)
    return button


def label(text: str = "", role: str = "", *, wrap: bool = False) -> QtWidgets.QLabel:
    """A label; ``role`` is ``heading``, ``muted``, ``bad``, ``warn`` or ``title``."""
    made = QtWidgets.QLabel(text)
    if role:
        made.setProperty("role", role)
    made.setWordWrap(wrap)
    return made


class ElidedLabel(QtWidgets.QLabel):
    """A line of text that never widens its window: what does not fit ends in an ellipsis."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(
            QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Preferred
        )

    def paintEvent(self, _event: QtGui.QPaintEvent) -> None:
        painter = QtWidgets.QStylePainter(self)
        room = self.contentsRect()
        text = self.fontMetrics().elidedText(
            self.text(), QtCore.Qt.TextElideMode.ElideRight, room.width()
        )
        painter.drawText(room, self.alignment(), text)


def restyle(widget: QtWidgets.QWidget, **properties: object) -> None:
    """Set properties that the style sheet looks at, and apply it again."""
    for key, value in properties.items():
        widget.setProperty(key, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def chain(*widgets: QtWidgets.QWidget) -> None:
    """Let Tab go from each control to the next."""
    for one, other in itertools.pairwise(widgets):
        QtWidgets.QWidget.setTabOrder(one, other)


def line() -> QtWidgets.QFrame:
    """A thin rule between groups."""
    rule = QtWidgets.QFrame()
    rule.setProperty("role", "line")
    return rule


class FamiliarityBar(QtWidgets.QWidget):
    """How near a spectrum lies to what the model has learned, 0 to 1."""

    def __init__(self) -> None:
        super().__init__()
        self._value = 0.0
        self.setMinimumHeight(10)
        self.setMaximumHeight(10)
        self.setAccessibleName("Familiarity")

    def set_value(self, value: float) -> None:
        """Show a value of 0..1."""
        self._value = value
        self.setAccessibleDescription(f"{value:.2f} of 1")
        self.update()

    def paintEvent(self, _event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        role = QtGui.QPalette.ColorRole
        whole = QtCore.QRectF(self.rect()).adjusted(0, 1, 0, -1)
        painter.setBrush(self.palette().color(role.Midlight))
        painter.drawRoundedRect(whole, 4, 4)
        whole.setWidth(max(8.0, whole.width() * self._value))
        painter.setBrush(self.palette().color(role.Accent))
        painter.drawRoundedRect(whole, 4, 4)
