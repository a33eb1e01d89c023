"""Passive view of the many spectra of one file: a list with ticks, and a plot of one of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from spectrogen_app.app.choosing import Item, parse_ranges
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.gui.plotting.canvas import Canvas
from spectrogen_app.gui.plotting.model import PanelModel
from spectrogen_app.gui.table import TableModel
from spectrogen_app.gui.theme import Theme
from spectrogen_app.gui.widgets import ComboBox, label, named, push_button, restyle

Qt = QtCore.Qt
COLUMNS = ("Number", "Name", "Position", "Kind", "Points")
SPECTRA, WITH_MEAN, ONLY_MEAN = "spectra", "with mean", "only mean"


class SpectraModel(TableModel):
    """One row per spectrum, with a tick."""

    ticked = QtCore.Signal()
    heads = COLUMNS

    def __init__(self, total: int, ticked: Collection[int], theme: Theme) -> None:
        super().__init__()
        self.ticks = bytearray(total)
        for index in ticked:
            self.ticks[index] = 1
        self.items: list[Item] = []
        self._theme = theme

    def add(self, items: Sequence[Item]) -> None:
        """Tell what the next spectra are called."""
        first = len(self.items)
        self.items.extend(items)
        self.dataChanged.emit(
            self.index(first, 1), self.index(len(self.items) - 1, len(COLUMNS) - 1)
        )

    def tick(self, rows: Collection[int], on: bool) -> None:
        """Tick or untick rows."""
        for row in rows:
            self.ticks[row] = on
        if rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.ticks) - 1, 0))
            self.ticked.emit()

    def rows(self) -> bytearray:
        return self.ticks

    def flags(self, index: Any) -> Any:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsUserCheckable if index.column() == 0 else flags

    def data(self, index: Any, role: int = 0) -> Any:
        row, column, roles = index.row(), index.column(), Qt.ItemDataRole
        item = self.items[row] if row < len(self.items) else None
        if role == roles.CheckStateRole and column == 0:
            return Qt.CheckState.Checked if self.ticks[row] else Qt.CheckState.Unchecked
        if role == roles.DisplayRole:
            if column == 0:
                return row + 1
            if item is None:
                return "…" if column == 1 else ""
            return (item.name, item.place, item.kind, item.points or "")[column - 1]
        if role == roles.ToolTipRole and item is not None and column in (1, 3):
            return (item.name, "", item.kind)[column - 1]
        if role == roles.ForegroundRole and item is not None and not item.points:
            return QtGui.QColor(self._theme.bad)
        return None

    def setData(self, index: Any, value: Any, role: int = 0) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        self.tick((index.row(),), Qt.CheckState(value) is Qt.CheckState.Checked)
        return True


class ChooserView(QtWidgets.QDialog):
    """The list, the buttons that tick, and the plot.

    Parameters
    ----------
    name : str
        Of the file.
    total, offered : int
        Number of spectra, and how many of them, the last ones, are only offered.
    ticked : collection of int
    limit : int
        Most spectra that are taken at once.

    Signals
    -------
    current(index), chosen(tuple of int, str)
        The second of ``chosen`` is ``spectra``, ``with mean`` or ``only mean``.
    """

    current = QtCore.Signal(int)
    chosen = QtCore.Signal(tuple, str)

    def __init__(
        self,
        name: str,
        total: int,
        *,
        offered: int,
        ticked: Collection[int],
        limit: int,
        theme: Theme,
        parent: QtWidgets.QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Spectra of {name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.resize(1120, 640)
        self._total, self._limit = total, limit
        self.model = SpectraModel(total, ticked, theme)
        self.filtered = QtCore.QSortFilterProxyModel(self)
        self.filtered.setSourceModel(self.model)
        self.filtered.setFilterKeyColumn(-1)
        self.filtered.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.table = named(QtWidgets.QTableView(), "Spectra", "One row per spectrum")
        self.canvas = Canvas(theme)
        named(self.canvas, "Plot of the current spectrum")
        text = f"{name}: {total - offered:,} spectr{'um' if total - offered == 1 else 'a'}"
        if offered:
            text += f", and {offered:,} more that the file holds besides"
        self._build(text)
        self._count()

    def _build(self, text: str) -> None:
        table = self.table
        table.setModel(self.filtered)
        table.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        table.setSortingEnabled(True)
        table.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectionBehavior.SelectRows)
        table.setShowGrid(False)
        table.setAlternatingRowColors(True)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(28)
        header = table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setStretchLastSection(False)
        header.setSectionResizeMode(1, QtWidgets.QHeaderView.ResizeMode.Stretch)
        for column, width in ((0, 80), (2, 170), (3, 90), (4, 66)):
            table.setColumnWidth(column, width)
        table.selectionModel().currentRowChanged.connect(self._row_changed)
        self.filter = named(QtWidgets.QLineEdit(), "Filter", "Show only spectra with this text")
        self.filter.setPlaceholderText("Filter by name, position or kind")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self.filtered.setFilterFixedString)
        everything = push_button("Tick all", "Tick all that are shown")
        everything.clicked.connect(lambda: self.model.tick(self._rows_shown(), True))
        nothing = push_button("None", "Untick all that are shown")
        nothing.clicked.connect(lambda: self.model.tick(self._rows_shown(), False))
        selected = push_button("Selected", "Tick the selected rows only")
        selected.clicked.connect(self._tick_selected)
        self.numbers = named(
            QtWidgets.QLineEdit(), "Numbers", "Tick these numbers only: 1-20, 35, 90-"
        )
        self.numbers.setPlaceholderText("Only numbers such as 1-20, 35")
        self.numbers.returnPressed.connect(self._tick_numbers)
        ticking = QtWidgets.QHBoxLayout()
        for widget in (everything, nothing, selected):
            ticking.addWidget(widget)
        ticking.addWidget(self.numbers, 1)
        left = QtWidgets.QWidget()
        stack = QtWidgets.QVBoxLayout(left)
        stack.setContentsMargins(0, 0, 4, 0)
        stack.addWidget(self.filter)
        stack.addWidget(self.table, 1)
        stack.addLayout(ticking)
        both = QtWidgets.QSplitter(Qt.Orientation.Horizontal)
        both.setChildrenCollapsible(False)
        both.addWidget(left)
        both.addWidget(self.canvas)
        both.setSizes([640, 420])
        self.note = label(role="muted", wrap=True)
        self.what = named(ComboBox(), "What to take")
        for data, shown in ((SPECTRA, "The ticked spectra"), (WITH_MEAN, "These and their mean"),
                            (ONLY_MEAN, "Only their mean")):  # fmt: skip
            self.what.addItem(shown, data)
        self.what.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.what.currentIndexChanged.connect(self._count)
        cancel = push_button("Cancel")
        cancel.clicked.connect(self.reject)
        self.take_button = push_button("Take", role="primary")
        self.take_button.clicked.connect(self._take)
        self.take_button.setDefault(True)
        below = QtWidgets.QHBoxLayout()
        below.addWidget(self.note, 1)
        for button in (self.what, cancel, self.take_button):
            below.addWidget(button)
        whole = QtWidgets.QVBoxLayout(self)
        whole.setContentsMargins(14, 12, 14, 12)
        whole.addWidget(label(text, "heading"))
        whole.addWidget(both, 1)
        whole.addLayout(below)
        self.model.ticked.connect(self._count)

    def indices(self) -> tuple[int, ...]:
        """The ticked spectra."""
        return tuple(i for i, on in enumerate(self.model.ticks) if on)

    def show_plot(self, panel: PanelModel | None) -> None:
        """Draw the current spectrum."""
        self.canvas.setVisible(panel is not None)
        if panel is not None:
            self.canvas.draw(panel)

    def done(self, result: int) -> None:
        """Close, and let go of the plot."""
        self.canvas.residual_plot.setXLink(None)
        super().done(result)

    def _rows_shown(self) -> list[int]:
        if not self.filter.text():
            return list(range(self._total))
        return [
            self.filtered.mapToSource(self.filtered.index(i, 0)).row()
            for i in range(self.filtered.rowCount())
        ]

    def _tick_selected(self) -> None:
        rows = self.table.selectionModel().selectedRows()
        chosen = [self.filtered.mapToSource(r).row() for r in rows]
        if chosen:
            self._only(chosen)

    def _tick_numbers(self) -> None:
        try:
            chosen = parse_ranges(self.numbers.text(), self._total)
        except SpectrogenError as error:
            restyle(self.numbers, bad=True)
            self.note.setText(str(error))
            return
        restyle(self.numbers, bad=False)
        self._only(sorted(chosen))

    def _only(self, rows: Sequence[int]) -> None:
        self.model.ticks = bytearray(self._total)
        self.model.tick(rows, True)

    def _count(self) -> None:
        ticked = sum(self.model.ticks)
        over = ticked > self._limit and self.what.currentData() != ONLY_MEAN
        text = f"{ticked:,} of {self._total:,} ticked"
        if over:
            text += f"; the first {self._limit:,} are taken at once, the mean is of all"
        self.note.setText(text)
        self.take_button.setEnabled(ticked > 0 or self.what.currentData() == SPECTRA)

    def _row_changed(self, now: QtCore.QModelIndex, _before: QtCore.QModelIndex) -> None:
        if now.isValid():
            self.current.emit(self.filtered.mapToSource(now).row())

    def _take(self) -> None:
        self.chosen.emit(self.indices(), self.what.currentData())
        self.accept()
