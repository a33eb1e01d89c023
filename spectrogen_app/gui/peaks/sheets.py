"""Windows beside the main one: tables of numbers, with a plot where it helps."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6 import QtCore, QtGui, QtWidgets

from spectrogen_app.gui.plotting.items import SpectrumViewBox
from spectrogen_app.gui.theme import Theme, ThemeController
from spectrogen_app.gui.widgets import ComboBox, label, named, push_button

Qt = QtCore.Qt
WIDEST = 1100
"""Pixels to which a sheet grows by itself, so that all columns are seen."""
Index = QtCore.QModelIndex | QtCore.QPersistentModelIndex
CELL = Qt.ItemDataRole.UserRole + 1
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_WARNED = 0.95


@dataclass(frozen=True)
class Cell:
    """What a cell says.

    Attributes
    ----------
    text : str
    value : float or str
        To sort by, and written out in full.
    shade : float
        0..1: how strongly the cell is marked; above 0.95 as a warning.
    """

    text: str
    value: float | str = ""
    shade: float = 0.0


class SheetModel(QtCore.QAbstractTableModel):
    """Rows of :class:`Cell`."""

    def __init__(self) -> None:
        super().__init__()
        self.heads: tuple[str, ...] = ()
        self.sides: tuple[str, ...] = ()
        self.rows: tuple[tuple[Cell, ...], ...] = ()

    def put(
        self, heads: Sequence[str], rows: Sequence[Sequence[Cell]], sides: Sequence[str] = ()
    ) -> None:
        """Show these; ``sides`` are the row titles. A table of the same form stays in place."""
        before, now = self.rows, tuple(tuple(r) for r in rows)
        if (self.heads, self.sides, len(before)) == (tuple(heads), tuple(sides), len(now)):
            self.rows = now
            new = [k for k, (a, b) in enumerate(zip(before, now, strict=True)) if a != b]
            if new:
                last = self.index(new[-1], len(heads) - 1)
                self.dataChanged.emit(self.index(new[0], 0), last)
            return
        self.beginResetModel()
        self.heads, self.sides, self.rows = tuple(heads), tuple(sides), now
        self.endResetModel()

    def rowCount(self, parent: Index = QtCore.QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QtCore.QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.heads)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        names = self.heads if orientation is Qt.Orientation.Horizontal else self.sides
        return names[section] if section < len(names) else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        cell = self.rows[index.row()][index.column()]
        if role == CELL:
            return cell
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.text
        if role == Qt.ItemDataRole.ToolTipRole:
            return cell.text if isinstance(cell.value, str) else f"{cell.value!r}"
        if role == Qt.ItemDataRole.UserRole:
            return cell.value
        return None

    def text(self) -> str:
        """All of it, tab-separated, in full precision."""
        first = [""] if self.sides else []
        lines = ["\t".join([*first, *self.heads])]
        for k, row in enumerate(self.rows):
            side = [self.sides[k]] if self.sides else []
            lines.append("\t".join([*side, *(_full(c) for c in row)]))
        return "\n".join(lines) + "\n"


def _full(cell: Cell) -> str:
    if isinstance(cell.value, str):
        return cell.text
    return repr(cell.value) if math.isfinite(cell.value) else ""


class _Cells(QtWidgets.QStyledItemDelegate):
    """Asks the model once for a cell, where the usual delegate asks for each of seven roles."""

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._warn, self._warn_bg = QtGui.QColor(theme.warn), QtGui.QColor(theme.warn_bg)
        self._accent = QtGui.QColor(theme.accent)

    def initStyleOption(self, option: QtWidgets.QStyleOptionViewItem, index: Index) -> None:
        cell = index.data(CELL)
        option.index = index  # type: ignore[assignment]
        option.text = cell.text
        option.features |= QtWidgets.QStyleOptionViewItem.ViewItemFeature.HasDisplay
        option.displayAlignment = _LEFT if isinstance(cell.value, str) else _RIGHT
        if cell.shade > _WARNED:
            option.palette.setColor(QtGui.QPalette.ColorRole.Text, self._warn)

    def paint(
        self, painter: QtGui.QPainter, option: QtWidgets.QStyleOptionViewItem, index: Index
    ) -> None:
        """The ground of a marked cell, which a style sheet leaves alone, then the cell."""
        shade = index.data(CELL).shade
        if shade > _WARNED:
            painter.fillRect(option.rect, self._warn_bg)
        elif shade > 0:
            self._accent.setAlphaF(0.45 * shade**2)
            painter.fillRect(option.rect, self._accent)
        super().paint(painter, option, index)


class Sheet(QtWidgets.QDialog):
    """A table with choosers above and buttons below.

    Parameters
    ----------
    title : str
    theme : ThemeController
    parent : QWidget

    Signals
    -------
    activated(row)
        A row was double-clicked, or Enter pressed on it; the row of the model.
    """

    activated = QtCore.Signal(int)

    def __init__(
        self, title: str, theme: ThemeController, parent: QtWidgets.QWidget | None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(760, 520)
        self.note = label(role="muted", wrap=True)
        self.note.hide()
        self.choosers = QtWidgets.QHBoxLayout()
        self.rows = SheetModel()
        self.sorted = QtCore.QSortFilterProxyModel(self)
        self.sorted.setSourceModel(self.rows)
        self.sorted.setSortRole(Qt.ItemDataRole.UserRole)
        self.table = named(QtWidgets.QTableView(), title)
        self.table.setModel(self.sorted)
        self._cells = _Cells(self.table)
        self.table.setItemDelegate(self._cells)
        self.table.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.SingleSelection)
        self.table.horizontalHeader().setResizeContentsPrecision(12)
        self.table.verticalHeader().setDefaultSectionSize(round(1.8 * self.fontMetrics().height()))
        self.table.activated.connect(
            lambda i: self.activated.emit(self.sorted.mapToSource(i).row())
        )
        self.buttons = QtWidgets.QHBoxLayout()
        self.buttons.addStretch(1)
        self.add_button("Close", self.close)
        copy = self.add_button("Copy", self.copy, "Copy the table in full precision (Ctrl+C)")
        copy.setShortcut(QtGui.QKeySequence.StandardKey.Copy)
        self.middle = QtWidgets.QSplitter(Qt.Orientation.Vertical)
        self.middle.setChildrenCollapsible(False)
        self.middle.addWidget(self.table)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.addWidget(self.note)
        column.addLayout(self.choosers)
        column.addWidget(self.middle, 1)
        column.addLayout(self.buttons)
        self._themed(theme.theme)
        theme.changed.connect(self._themed)

    @QtCore.Slot(object)
    def _themed(self, theme: Theme) -> None:
        self._cells.set_theme(theme)
        self.table.viewport().update()

    def put(
        self, heads: Sequence[str], rows: Sequence[Sequence[Cell]], sides: Sequence[str] = (),
        note: str = "", sortable: bool = True,
    ) -> None:  # fmt: skip
        """Show these rows."""
        self.note.setText(note)
        self.note.setVisible(bool(note))
        fresh = self.rows.heads != tuple(heads)
        if fresh:
            self.table.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
            self.table.setSortingEnabled(sortable)
            self.table.verticalHeader().setVisible(bool(sides))
        self.rows.put(heads, rows, sides)
        if fresh:
            self.fit_columns()

    def bring(self) -> None:
        """Show it in front."""
        self.show()
        self.activateWindow()

    def fit_columns(self) -> None:
        """Make the columns as wide as their contents, and the window for them."""
        self.table.resizeColumnsToContents()
        for column in range(len(self.rows.heads)):
            self.table.setColumnWidth(column, min(self.table.columnWidth(column), WIDEST // 3))
        wanted = self.table.horizontalHeader().length() + 70
        self.resize(max(self.width(), min(wanted, WIDEST)), self.height())

    def chosen(self) -> int | None:
        """The selected row of the model."""
        rows = self.table.selectionModel().selectedRows()
        return self.sorted.mapToSource(rows[0]).row() if rows else None

    def add_chooser(
        self, text: str, items: Sequence[tuple[str, str]], act: Callable[[str], None]
    ) -> ComboBox:
        """A combo box above the table; items are (data, text)."""
        combo = named(ComboBox(), text)
        combo.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToContents)
        for data, shown in items:
            combo.addItem(shown, data)
        combo.activated.connect(lambda _: act(combo.currentData()))
        self.choosers.addWidget(label(text, "muted"))
        self.choosers.addWidget(combo, 1)
        return combo

    def add_button(
        self, text: str, act: Callable[[], object], tip: str = ""
    ) -> QtWidgets.QPushButton:
        """A button below the table; later ones stand to the left."""
        button = push_button(text, tip or text)
        button.setToolTip(tip)
        button.clicked.connect(lambda _=False: act())
        self.buttons.insertWidget(1, button)
        return button

    def copy(self) -> None:
        """Put the table on the clipboard."""
        QtGui.QGuiApplication.clipboard().setText(self.rows.text())


class Trend(pg.GraphicsLayoutWidget):
    """A parameter against index or metadata, with its errors; a double-click shows all of it.

    Signals
    -------
    picked(row)
        A point was clicked.
    """

    picked = QtCore.Signal(int)

    def __init__(self, theme: ThemeController) -> None:
        super().__init__()
        self.setMinimumHeight(180)
        named(self, "Parameter against index")
        self.view = SpectrumViewBox()
        self.view.full_view.connect(self.view.autoRange)
        self.axes = {side: pg.AxisItem(side) for side in ("left", "bottom")}
        self.errors = pg.ErrorBarItem()
        self.points = pg.ScatterPlotItem(size=8)
        self.points.sigClicked.connect(lambda _, hit, *__: self.picked.emit(hit[0].data()))
        for item in (self.errors, self.points):
            self.view.addItem(item)
        self.ci.layout.setSpacing(0)
        self.ci.addItem(self.view, row=0, col=1)
        for axis, place in zip(self.axes.values(), ((0, 0), (1, 1)), strict=True):
            axis.linkToView(self.view)
            axis.enableAutoSIPrefix(False)
            axis.setStyle(tickLength=-4)
            self.ci.addItem(axis, *place)
        self._themed(theme.theme)
        theme.changed.connect(self._themed)

    @QtCore.Slot(object)
    def _themed(self, theme: Theme) -> None:
        self.setBackground(theme.surface)
        self.view.setBorder(pg.mkPen(theme.border))
        for axis in self.axes.values():
            axis.setPen(pg.mkPen(theme.border))
            axis.setTextPen(pg.mkPen(theme.muted))
        self.errors.setData(pen=pg.mkPen(theme.muted, width=1))
        colour = theme.curve("#1f77b4")
        self.points.setPen(pg.mkPen(colour, width=1))
        self.points.setBrush(colour)

    def put(
        self, points: Sequence[tuple[float, float, float, int]], x_label: str, y_label: str
    ) -> None:
        """Show (x, y, error, row) points; the row tells which one is clicked."""
        x, y, errors, rows = (list(c) for c in zip(*points, strict=True)) if points else ([],) * 4
        self.points.setData(x=x, y=y, data=rows)
        self.errors.setVisible(bool(points))
        if points:
            self.errors.setData(x=np.array(x), y=np.array(y), height=2 * np.array(errors))
        self.axes["bottom"].setLabel(x_label)
        self.axes["left"].setLabel(y_label)
        self.view.autoRange()
