"""The table of all peaks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from spectrogen_app.fitting.estimate import Estimate
from spectrogen_app.gui.theme import LIGHT
from spectrogen_app.gui.widgets import named

Qt = QtCore.Qt
ERROR = Qt.ItemDataRole.UserRole
UNKNOWN = "± ?"
"""In place of an error that could not be estimated."""
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
        Centre, height, FWHM, area as text; the error with its sign, or why there is none.
    title : str
        Shown in place of the name.
    """

    name: str
    shape: str
    colour: str
    values: tuple[tuple[str, str], ...]
    title: str = ""


class NamedRows(QtCore.QAbstractTableModel):
    """Rows that have a ``name``, under ``HEADS``; a subclass says what stands in the cells."""

    HEADS: tuple[str, ...] = ()
    TIPS: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[Any, ...] = ()

    def put(self, rows: tuple[Any, ...]) -> None:
        """Show these rows; with the same names in the same order the selection stays."""
        if rows == self.rows:
            return
        if [r.name for r in rows] == [r.name for r in self.rows]:
            self.rows = rows
            if rows:
                last = self.index(len(rows) - 1, len(self.HEADS) - 1)
                self.dataChanged.emit(self.index(0, 0), last)
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
        tip = role == Qt.ItemDataRole.ToolTipRole and bool(self.TIPS)
        return self.TIPS[section] if tip else None


class PeakTableModel(NamedRows):
    """Rows of :class:`PeakRow`."""

    HEADS = ("Peak", "Centre", "Height", "FWHM", "Area")

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.rows[index.row()], index.column()
        value, error = (row.title or row.name, row.shape) if not column else row.values[column - 1]
        if role == Qt.ItemDataRole.DisplayRole:
            return value
        if role == ERROR:
            return error
        if role == Qt.ItemDataRole.DecorationRole and column == 0:
            return QtGui.QColor(row.colour)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{row.name}, {self.HEADS[column]}: {value} {error}".rstrip()
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
        colour = index.data(Qt.ItemDataRole.DecorationRole)
        box = QtCore.QRectF(option.rect).adjusted(1 if index.column() else 5, 2, -4, -2)
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
            doubtful = error == UNKNOWN
            painter.setPen(QtGui.QColor(self.theme.warn if doubtful else self.theme.muted))
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
        header.setSectionResizeMode(0, QtWidgets.QHeaderView.ResizeMode.Fixed)
        header.resizeSection(0, round(11.5 * self.fontMetrics().averageCharWidth()))
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


def number(value: float, digits: int = 6) -> str:
    """A number with sensible digits; nothing for an infinite one."""
    if not math.isfinite(value):
        return ""
    if 10.0 ** (digits - 1) <= abs(value) < 1e8:
        return f"{value:.0f}"
    return f"{value:.{digits}g}"


def parts(estimate: Estimate) -> tuple[str, str]:
    """Value and error with sensible digits, apart."""
    value, error = estimate.value, estimate.stderr
    if error is None or not error > 0:
        return number(value, 5 if abs(value) >= 0.1 else 4 if abs(value) >= 0.01 else 3), ""
    digits = 1 - math.floor(math.log10(error))
    if -5 <= digits <= 9 and abs(value) < 1e7:
        places = max(0, digits)
        return f"{round(value, digits):.{places}f}", f"{round(error, digits):.{places}f}"
    return f"{value:.4e}", f"{error:.1e}"
