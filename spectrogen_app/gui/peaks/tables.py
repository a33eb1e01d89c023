"""The two tables of the Peaks task: all peaks, and the parameters of one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from spectrogen_app.gui.theme import LIGHT, Theme
from spectrogen_app.gui.widgets import named

Qt = QtCore.Qt
ERROR = Qt.ItemDataRole.UserRole
Index = QtCore.QModelIndex | QtCore.QPersistentModelIndex


@dataclass(frozen=True)
class PeakRow:
    """A peak, or the background, as shown.

    Attributes
    ----------
    name : str
    shape : str
    colour : str
        ``#rrggbb``.
    values : tuple of (value, error)
        Centre, height, FWHM, area as text; empty errors where there are none.
    """

    name: str
    shape: str
    colour: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ParamRow:
    """A parameter as shown.

    Attributes
    ----------
    name : str
        Such as ``p1_center``.
    label, value, error, low, high, tie : str
    fixed : bool
    stuck : bool
        On a bound, or without an error that it should have.
    """

    name: str
    label: str
    value: str
    error: str
    fixed: bool
    low: str
    high: str
    tie: str
    stuck: bool = False


class PeakTableModel(QtCore.QAbstractTableModel):
    """Rows of :class:`PeakRow`."""

    HEADS = ("Peak", "Centre", "Height", "FWHM", "Area")

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[PeakRow, ...] = ()

    def put(self, rows: tuple[PeakRow, ...]) -> None:
        """Show these rows; with the same names in the same order the selection stays."""
        if [r.name for r in rows] == [r.name for r in self.rows]:
            self.rows = rows
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, 4))
            return
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = QtCore.QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QtCore.QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.HEADS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation is Qt.Orientation.Horizontal:
            return self.HEADS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.rows[index.row()], index.column()
        value, error = (row.name, row.shape) if column == 0 else row.values[column - 1]
        if role == Qt.ItemDataRole.DisplayRole:
            return value
        if role == ERROR:
            return error if column == 0 or not error else f"± {error}"
        if role == Qt.ItemDataRole.DecorationRole and column == 0:
            return QtGui.QColor(row.colour)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{row.name}, {self.HEADS[column]}: {value} {'± ' + error if error else ''}"
        return None


class TwoLines(QtWidgets.QStyledItemDelegate):
    """A value, and its error smaller beneath it."""

    def __init__(self, parent: QtWidgets.QWidget) -> None:
        super().__init__(parent)
        self.theme = LIGHT

    def paint(
        self, painter: QtGui.QPainter, option: QtWidgets.QStyleOptionViewItem, index: Index
    ) -> None:
        option.text = ""
        style = option.widget.style()
        style.drawPrimitive(
            QtWidgets.QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget
        )
        painter.save()
        box = QtCore.QRectF(option.rect).adjusted(5, 2, -4, -2)
        colour = index.data(Qt.ItemDataRole.DecorationRole)
        if colour is not None:
            painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRoundedRect(QtCore.QRectF(box.left(), box.top() + 3, 4, box.height() - 6),
                                    2, 2)  # fmt: skip
            box.adjust(10, 0, 0, 0)
        side = Qt.AlignmentFlag.AlignLeft if index.column() == 0 else Qt.AlignmentFlag.AlignRight
        error = index.data(ERROR)
        upper = QtCore.QRectF(box)
        if error:
            upper.setHeight(box.height() * 0.54)
        painter.setPen(QtGui.QColor(self.theme.text))
        metrics = painter.fontMetrics()
        painter.drawText(upper, side | Qt.AlignmentFlag.AlignVCenter, metrics.elidedText(
            str(index.data()), Qt.TextElideMode.ElideRight, round(box.width())))  # fmt: skip
        if error:
            font = QtGui.QFont(painter.font())
            font.setPointSizeF(font.pointSizeF() * 0.85)
            painter.setFont(font)
            painter.setPen(QtGui.QColor(self.theme.muted))
            lower = QtCore.QRectF(box.left(), upper.bottom(), box.width(), box.height() * 0.46)
            text = painter.fontMetrics().elidedText(
                str(error), Qt.TextElideMode.ElideRight, round(box.width())
            )
            painter.drawText(lower, side | Qt.AlignmentFlag.AlignVCenter, text)
        painter.restore()


class PeakTable(QtWidgets.QTableView):
    """All peaks.

    Signals
    -------
    chosen(name), removed(names)
    """

    chosen = QtCore.Signal(str)
    removed = QtCore.Signal(list)

    def __init__(self) -> None:
        super().__init__()
        self.rows = PeakTableModel()
        self.setModel(self.rows)
        self.lines = TwoLines(self)
        self.setItemDelegate(self.lines)
        named(self, "Peaks", "Up and Down choose a peak, Delete removes it")
        self.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QtWidgets.QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self._row = round(self.fontMetrics().height() * 2.25)
        self.verticalHeader().setDefaultSectionSize(self._row)
        self.verticalHeader().setSectionResizeMode(QtWidgets.QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QtWidgets.QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(40)
        self._quiet = False
        self.selectionModel().currentRowChanged.connect(self._moved)

    def put(self, rows: Sequence[PeakRow], selected: str) -> None:
        """Show these rows and select one."""
        self._quiet = True
        self.rows.put(tuple(rows))
        names = [r.name for r in rows]
        chosen = {i.row() for i in self.selectionModel().selectedRows()}
        if selected not in names:
            self.clearSelection()
            self.setCurrentIndex(QtCore.QModelIndex())
        elif names.index(selected) not in chosen or self.currentIndex().row() < 0:
            self.selectRow(names.index(selected))
        self._quiet = False
        shown = min(max(len(rows), 3), 11)
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + shown * self._row + 4)

    def names(self) -> list[str]:
        """The selected peaks."""
        return [self.rows.rows[i.row()].name for i in self.selectionModel().selectedRows()]

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit(self.names())
        else:
            super().keyPressEvent(event)

    def event(self, event: QtCore.QEvent) -> bool:
        """Backspace is the view's before-last zoom elsewhere; here it removes peaks."""
        if event.type() is QtCore.QEvent.Type.ShortcutOverride and isinstance(
            event, QtGui.QKeyEvent
        ) and event.key() == Qt.Key.Key_Backspace:  # fmt: skip
            event.accept()
            return True
        return super().event(event)

    def _moved(self, now: QtCore.QModelIndex, _before: QtCore.QModelIndex) -> None:
        if not self._quiet and now.isValid():
            self.chosen.emit(self.rows.rows[now.row()].name)


FIELDS = ("label", "value", "fixed", "low", "high", "tie")


class ParamTableModel(QtCore.QAbstractTableModel):
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

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[ParamRow, ...] = ()

    def put(self, rows: tuple[ParamRow, ...]) -> None:
        """Show these rows."""
        if [r.name for r in rows] == [r.name for r in self.rows]:
            self.rows = rows
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, 5))
            return
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = QtCore.QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QtCore.QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.HEADS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.HEADS[section]
        return self.TIPS[section] if role == Qt.ItemDataRole.ToolTipRole else None

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
            return f"± {row.error}" if name == "value" and row.error else ""
        if role == roles.ToolTipRole:
            error = f" ± {row.error}" if name == "value" and row.error else ""
            return f"{row.name}: {value}{error}" if name in ("label", "value") else value
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
            painter.drawPolyline([QtCore.QPointF(x + 3.5, y + 7.5), QtCore.QPointF(x + 6.5, y + 10.5),
                                  QtCore.QPointF(x + 11.5, y + 4.5)])  # fmt: skip
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
        row = self.parent().rows.rows[index.row()]  # type: ignore[attr-defined]
        return named(editor, f"{row.label}: {ParamTableModel.HEADS[index.column()]}")

    def updateEditorGeometry(
        self, editor: QtWidgets.QWidget, option: QtWidgets.QStyleOptionViewItem, index: Index
    ) -> None:
        wide = option.rect.adjusted(0, 2, 0, -2)
        need = max(wide.width(), 84)
        room = editor.parentWidget().width()
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
        named(self, "Parameters", "Type to change a value; Space fixes or frees it")
        self.setShowGrid(False)
        self.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.SingleSelection)
        trigger = QtWidgets.QAbstractItemView.EditTrigger
        self.setEditTriggers(
            trigger.DoubleClicked | trigger.EditKeyPressed | trigger.AnyKeyPressed
            | trigger.SelectedClicked
        )  # fmt: skip
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
        for column, wide in ((0, 5.6), (2, 2.6)):
            header.setSectionResizeMode(column, mode.Fixed)
            header.resizeSection(column, round(wide * self.fontMetrics().averageCharWidth() * 1.9))

    def put(self, rows: Sequence[ParamRow]) -> None:
        """Show these rows."""
        self.rows.put(tuple(rows))
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + len(rows) * self._row + 4)


def number(value: float, digits: int = 6) -> str:
    """A number with sensible digits; nothing for an infinite one."""
    if not math.isfinite(value):
        return ""
    if 10.0 ** (digits - 1) <= abs(value) < 1e8:
        return f"{value:.0f}"
    return f"{value:.{digits}g}"


def with_theme(tables: Sequence[PeakTable | ParamTable], theme: Theme) -> None:
    """Let the tables take the colours of a theme."""
    for table in tables:
        table.lines.theme = theme
        table.viewport().update()
