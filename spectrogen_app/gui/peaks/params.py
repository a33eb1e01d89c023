"""The table of one peak's parameters: every cell can be edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from spectrogen_app.gui.peaks.tables import ERROR, Index, NamedRows, TwoLines
from spectrogen_app.gui.widgets import named

Qt = QtCore.Qt


@dataclass(frozen=True)
class ParamRow:
    """A parameter as shown.

    Attributes
    ----------
    name : str
        Such as ``p1_center``.
    label, value, error, low, high, tie : str
    fixed : bool
    """

    name: str
    label: str
    value: str
    error: str
    fixed: bool
    low: str
    high: str
    tie: str


FIELDS = ("label", "value", "fixed", "low", "high", "tie")


class ParamTableModel(NamedRows):
    """Rows of :class:`ParamRow`.

    Signals
    -------
    edited(parameter, field, text or bool)
    """

    HEADS = ("", "Value", "Fix", "Min", "Max", "Tie")
    TIPS = ("Parameter", "Value and standard error", "Keep this value in the fit",
            "Lower bound", "Upper bound",
            "An expression that gives the value, such as p1_fwhm or p1_center + 12")  # fmt: skip
    edited = QtCore.Signal(str, str, object)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flag = Qt.ItemFlag
        if FIELDS[index.column()] == "label":
            return flag.ItemIsEnabled
        if FIELDS[index.column()] == "fixed":
            return flag.ItemIsEnabled | flag.ItemIsSelectable | flag.ItemIsUserCheckable
        return flag.ItemIsEnabled | flag.ItemIsSelectable | flag.ItemIsEditable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, name = self.rows[index.row()], FIELDS[index.column()]
        value = getattr(row, name)
        roles = Qt.ItemDataRole
        if name == "fixed":
            if role == roles.CheckStateRole:
                return Qt.CheckState.Checked if value else Qt.CheckState.Unchecked
            if role == roles.AccessibleTextRole:
                return f"{row.label}: {'fixed' if value else 'free'}"
            return None
        if role in (roles.DisplayRole, roles.EditRole):
            return value
        if role == ERROR:
            return row.error if name == "value" else ""
        if role == roles.ToolTipRole:
            if name == "value":
                return f"{row.name}: {value} {row.error}".rstrip()
            return f"{row.name}: {value}" if name == "label" else value
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        row, name = self.rows[index.row()], FIELDS[index.column()]
        if role == Qt.ItemDataRole.CheckStateRole and name == "fixed":
            self.edited.emit(row.name, name, Qt.CheckState(value) is Qt.CheckState.Checked)
            return True
        if role == Qt.ItemDataRole.EditRole and str(value).strip() != getattr(row, name):
            self.edited.emit(row.name, name, str(value).strip())
            return True
        return False


class ParamDelegate(TwoLines):
    """As :class:`TwoLines`, with a check box in the middle of the column Fix."""

    def paint(
        self, painter: QtGui.QPainter, option: QtWidgets.QStyleOptionViewItem, index: Index
    ) -> None:
        if FIELDS[index.column()] != "fixed":
            super().paint(painter, option, index)
            return
        self.initStyleOption(option, index)
        option.features &= ~QtWidgets.QStyleOptionViewItem.ViewItemFeature.HasDisplay
        style = option.widget.style()
        element = QtWidgets.QStyle
        style.drawPrimitive(
            element.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget
        )
        box = QtWidgets.QStyleOptionViewItem(option)
        box.rect = self._box(option.rect)
        on = index.data(Qt.ItemDataRole.CheckStateRole) is Qt.CheckState.Checked
        painter.save()
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        shape = QtCore.QRectF(box.rect).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QtGui.QColor(self.theme.accent if on else self.theme.control))
        painter.setBrush(QtGui.QColor(self.theme.accent if on else self.theme.surface))
        painter.drawRoundedRect(shape, 4, 4)
        if on:
            painter.setPen(QtGui.QPen(QtGui.QColor(self.theme.on_accent), 1.8))
            x, y = shape.left(), shape.top()
            tick = ((3.5, 7.5), (6.5, 10.5), (11.5, 4.5))
            painter.drawPolyline([QtCore.QPointF(x + a, y + b) for a, b in tick])
        painter.restore()

    def editorEvent(
        self, event: QtCore.QEvent, model: QtCore.QAbstractItemModel,
        option: QtWidgets.QStyleOptionViewItem, index: Index,
    ) -> bool:  # fmt: skip
        if FIELDS[index.column()] != "fixed":
            return super().editorEvent(event, model, option, index)
        kind = QtCore.QEvent.Type
        pressed = event.type() is kind.MouseButtonRelease
        if isinstance(event, QtGui.QKeyEvent) and event.type() is kind.KeyPress:
            pressed = event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return)
        if not pressed:
            return False
        on = index.data(Qt.ItemDataRole.CheckStateRole) is Qt.CheckState.Checked
        state = Qt.CheckState.Unchecked if on else Qt.CheckState.Checked
        return model.setData(index, state, Qt.ItemDataRole.CheckStateRole)

    def createEditor(
        self, parent: QtWidgets.QWidget, option: QtWidgets.QStyleOptionViewItem, index: Index
    ) -> QtWidgets.QWidget:
        editor = QtWidgets.QLineEdit(parent)
        editor.setStyleSheet("padding: 0 4px; min-height: 0; border-radius: 0;")
        label = index.sibling(index.row(), 0).data()
        return named(editor, f"{label}: {ParamTableModel.HEADS[index.column()]}")

    def updateEditorGeometry(
        self, editor: QtWidgets.QWidget, option: QtWidgets.QStyleOptionViewItem, index: Index
    ) -> None:
        wide = option.rect.adjusted(0, 2, 0, -2)
        need = max(wide.width(), 84)
        room = option.widget.width()
        wide.setWidth(need)
        wide.moveLeft(max(0, min(wide.left(), room - need)))
        editor.setGeometry(wide)

    def _box(self, room: QtCore.QRect) -> QtCore.QRect:
        box = QtCore.QRect(0, 0, 16, 16)
        box.moveCenter(room.center())
        return box


class ParamTable(QtWidgets.QTableView):
    """The parameters of one peak, or of the background; every cell can be edited.

    Signals
    -------
    edited(parameter, field, text or bool)
        Field ``value``, ``fixed``, ``low``, ``high`` or ``tie``.
    """

    edited = QtCore.Signal(str, str, object)

    def __init__(self) -> None:
        super().__init__()
        self.rows = ParamTableModel()
        self.rows.edited.connect(self.edited)
        self.setModel(self.rows)
        self.lines = ParamDelegate(self)
        self.setItemDelegate(self.lines)
        named(
            self, "Parameters",
            "Type to change a value; Delete clears a bound or tie; Space fixes or frees one",
        )  # fmt: skip
        self.setShowGrid(False)
        self.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.SingleSelection)
        trigger = QtWidgets.QAbstractItemView.EditTrigger
        self.setEditTriggers(
            trigger.DoubleClicked | trigger.EditKeyPressed | trigger.AnyKeyPressed
        )  # fmt: skip
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self._row = round(self.fontMetrics().height() * 2.1)
        self.verticalHeader().setDefaultSectionSize(self._row)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(30)
        mode = QtWidgets.QHeaderView.ResizeMode
        header.setSectionResizeMode(mode.Stretch)
        for column, wide in ((0, 5.6), (2, 2.6), (5, 3.8)):
            header.setSectionResizeMode(column, mode.Fixed)
            header.resizeSection(column, round(wide * self.fontMetrics().averageCharWidth() * 1.9))

    def event(self, event: QtCore.QEvent) -> bool:
        """Letters typed into a tie are no commands of the window."""
        if event.type() is QtCore.QEvent.Type.ShortcutOverride and isinstance(
            event, QtGui.QKeyEvent
        ):
            index = self.currentIndex()
            tie = index.isValid() and FIELDS[index.column()] == "tie"
            if tie and event.text().isprintable() and event.text():
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        index = self.currentIndex()
        clears = index.isValid() and FIELDS[index.column()] in ("low", "high", "tie")
        if clears and event.key() == Qt.Key.Key_Delete:
            self.rows.setData(index, "")
        else:
            super().keyPressEvent(event)

    def put(self, rows: Sequence[ParamRow]) -> None:
        """Show these rows."""
        self.rows.put(tuple(rows))
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + len(rows) * self._row + 4)
