"""Passive view of the verdicts: a sortable table with the modality to be corrected in place."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from spectrogen_app.data.modality import MODALITIES
from spectrogen_app.gui.choosing.view import ChooserView
from spectrogen_app.gui.preview.view import PreviewView
from spectrogen_app.gui.table import TableModel
from spectrogen_app.gui.theme import LIGHT, Theme, icon
from spectrogen_app.gui.widgets import label, named, push_button, tool_button
from spectrogen_app.gui.xrays.view import XraysView

Qt = QtCore.Qt
COLUMNS = ("File", "Opened as", "Modality", "Spectra", "", "What to know")
ACTION, REMARK = 4, 5
SORTED = Qt.ItemDataRole.UserRole
PREVIEW, CHOOSE, XRAYS = "preview", "choose", "x-rays"
ACTIONS = {PREVIEW: "Preview…", CHOOSE: "Choose…", XRAYS: "X-rays…"}


@dataclass(frozen=True)
class Line:
    """A row of the table.

    Attributes
    ----------
    path, format, modality : str
        ``modality`` is empty for a refused file.
    count : int
        Number of spectra.
    state : str
        ``good``, ``warning`` or ``error``.
    remark, hint : str
        Assumptions and warnings, or why it was refused and what to try.
    actions : tuple of str
        What can be done about it, of ``ACTIONS``; the first is offered in the row.
    taken : int
        Spectra that were taken into the session.
    """

    path: str
    format: str
    modality: str
    count: int
    state: str
    remark: str
    hint: str = ""
    actions: tuple[str, ...] = ()
    taken: int = 0


class VerdictModel(TableModel):
    """The lines as a Qt table; the modality column can be edited."""

    modality_chosen = QtCore.Signal(int, str)
    heads = COLUMNS

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []
        self.theme = LIGHT
        self._icons: dict[str, QtGui.QIcon] = {}

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self.theme = theme
        self._icons = {
            "good": icon("good", theme.good, 16), "warning": icon("warning", theme.warn, 16),
            "error": icon("error", theme.bad, 16),
        }  # fmt: skip
        if self.lines:
            last = self.index(len(self.lines) - 1, len(COLUMNS) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def add(self, lines: Sequence[Line]) -> None:
        """Append lines."""
        first = len(self.lines)
        self.beginInsertRows(QtCore.QModelIndex(), first, first + len(lines) - 1)
        self.lines.extend(lines)
        self.endInsertRows()

    def put(self, row: int, line: Line) -> None:
        """Replace a line."""
        self.lines[row] = line
        self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))

    def clear(self) -> None:
        """Forget all lines."""
        self.beginResetModel()
        self.lines = []
        self.endResetModel()

    def rows(self) -> list[Line]:
        return self.lines

    def flags(self, index: Any) -> Any:
        flags = super().flags(index)
        if index.column() == 2 and self.lines[index.row()].modality:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: Any, role: int = 0) -> Any:
        line, column = self.lines[index.row()], index.column()
        roles = Qt.ItemDataRole
        if role in (roles.DisplayRole, roles.EditRole):
            modality = MODALITIES[line.modality].label if line.modality else ""
            if role == roles.EditRole and column == 2:
                return line.modality
            name = line.path.replace("\\", "/").rsplit("/", 1)[-1]
            remark = f"{line.remark} {line.hint}".strip()
            action = ACTIONS[line.actions[0]] if line.actions else ""
            part = line.taken < line.count
            count = f"{line.taken:,} of {line.count:,}" if part else f"{line.count:,}"
            count = count if line.count else ""
            return (name, line.format, modality, count, action, remark)[column]
        if role == roles.DecorationRole and column == 0:
            return self._icons.get(line.state)
        if role == roles.ToolTipRole:
            return line.path if column == 0 else f"{line.remark}\n{line.hint}".strip()
        if role == roles.ForegroundRole and column == ACTION:
            return QtGui.QColor(self.theme.accent)
        if role == SORTED:
            states = {"error": 0, "warning": 1, "good": 2}
            if column == REMARK:
                return states[line.state]
            return line.count if column == 3 else self.data(index, roles.DisplayRole)
        if role == roles.ForegroundRole and column == REMARK:
            colours = {
                "error": self.theme.bad,
                "warning": self.theme.warn,
                "good": self.theme.muted,
            }
            return QtGui.QColor(colours[line.state])
        if role == roles.AccessibleTextRole and column == 0:
            return f"{line.state}: {line.path}"
        return None

    def setData(self, index: Any, value: Any, role: int = 0) -> bool:
        if value and value != self.lines[index.row()].modality:
            self.modality_chosen.emit(index.row(), value)
        return True


class _ModalityDelegate(QtWidgets.QStyledItemDelegate):
    """A combo box with the modalities."""

    def createEditor(self, parent: QtWidgets.QWidget, option: Any, index: Any) -> QtWidgets.QWidget:
        combo = named(QtWidgets.QComboBox(parent), "Modality of the file")
        for name, modality in MODALITIES.items():
            combo.addItem(modality.label, name)
        combo.activated.connect(lambda _: self._done(combo))
        QtCore.QTimer.singleShot(0, combo, combo.showPopup)
        return combo

    def _done(self, combo: QtWidgets.QComboBox) -> None:
        self.commitData.emit(combo)
        self.closeEditor.emit(combo)

    def setEditorData(self, editor: Any, index: Any) -> None:
        editor.setCurrentIndex(editor.findData(index.data(Qt.ItemDataRole.EditRole)))

    def setModelData(self, editor: Any, model: Any, index: Any) -> None:
        model.setData(index, editor.currentData())


class VerdictsView(QtWidgets.QWidget):
    """The table with a filter for files that were refused or need a look.

    Signals
    -------
    modality_chosen(row, modality), selected(row), cleared(), close_wanted(),
    action_wanted(row, action)
        ``action`` is ``preview`` or ``choose``.
    """

    modality_chosen = QtCore.Signal(int, str)
    selected = QtCore.Signal(int)
    cleared = QtCore.Signal()
    close_wanted = QtCore.Signal()
    action_wanted = QtCore.Signal(int, str)

    def __init__(self) -> None:
        super().__init__()
        self.model = VerdictModel()
        self.sorted = QtCore.QSortFilterProxyModel(self)
        self.sorted.setSourceModel(self.model)
        self.sorted.setSortCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.sorted.setSortRole(SORTED)
        self.table = named(QtWidgets.QTableView(), "Opened files", "One row per file")
        self.table.setModel(self.sorted)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.table.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setItemDelegateForColumn(2, _ModalityDelegate(self.table))
        triggers = QtWidgets.QAbstractItemView.EditTrigger
        self.table.setEditTriggers(
            triggers.DoubleClicked | triggers.SelectedClicked | triggers.EditKeyPressed
        )
        self.table.setShowGrid(False)
        self.table.setAlternatingRowColors(True)
        self.table.setWordWrap(False)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(30)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setStretchLastSection(True)
        header.sortIndicatorChanged.connect(lambda *_: self.table.scrollToTop())
        for column, width in enumerate((300, 170, 120, 80, 90)):
            self.table.setColumnWidth(column, width)
        self.summary = label(role="muted")
        self.only_bad = named(
            QtWidgets.QCheckBox("Only refused or doubtful"), "Only refused or doubtful"
        )
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._menu)
        self.table.clicked.connect(self._clicked)
        self.table.activated.connect(self._clicked)
        self.buttons = {
            PREVIEW: push_button("Preview…", "Preview the columns of the selected text"),
            CHOOSE: push_button("Choose spectra…", "Choose spectra of the selected file"),
            XRAYS: push_button("X-rays…", "Choose the wavelength of the selected pattern"),
        }
        for action, button in self.buttons.items():
            button.setEnabled(False)
            button.clicked.connect(lambda _=False, a=action: self._act(a))
        clear = push_button("Clear", "Clear the list of files")
        clear.clicked.connect(self.cleared)
        self.close_button = tool_button("cancel", "Close the list", "Close the list (Ctrl+L)")
        self.close_button.clicked.connect(self.close_wanted)
        top = QtWidgets.QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(label("Opened files", "heading"))
        top.addWidget(self.summary, 1)
        top.addWidget(self.only_bad)
        for button in self.buttons.values():
            top.addWidget(button)
        top.addWidget(clear)
        top.addWidget(self.close_button)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(10, 4, 10, 8)
        layout.addLayout(top)
        layout.addWidget(self.table)
        self.model.modality_chosen.connect(self.modality_chosen)
        self.only_bad.toggled.connect(self._filter)
        self.table.selectionModel().currentRowChanged.connect(self._row_changed)

    def add_lines(self, lines: Sequence[Line]) -> None:
        """Append lines."""
        self.model.add(lines)
        if self.only_bad.isChecked():
            self._filter(True)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self.model.set_theme(theme)
        self.close_button.setIcon(icon("cancel", theme.muted, 16))

    def point_to(self, row: int) -> None:
        """Bring a line into view and mark it."""
        place = self.sorted.mapFromSource(self.model.index(row, 0))
        self.table.scrollTo(place)
        self.table.selectRow(place.row())

    def _filter(self, on: bool) -> None:
        for row in range(self.sorted.rowCount()):
            source = self.sorted.mapToSource(self.sorted.index(row, 0)).row()
            self.table.setRowHidden(row, on and self.model.lines[source].state == "good")

    def put_line(self, row: int, line: Line) -> None:
        """Replace a line, and what can be done about it."""
        self.model.put(row, line)
        self._offer()

    def make_preview(self, name: str) -> PreviewView:
        """A preview of a text, above the window."""
        return PreviewView(name, self.model.theme, self.window())

    def make_chooser(
        self, name: str, total: int, offered: int, ticked: Collection[int], limit: int
    ) -> ChooserView:
        """A list of the spectra of a file, above the window."""
        return ChooserView(
            name, total, offered=offered, ticked=ticked, limit=limit, theme=self.model.theme,
            parent=self.window(),
        )  # fmt: skip

    def make_xrays(self, name: str, wavelength: float, width: float | None) -> XraysView:
        """The choice of the wavelength of a pattern, above the window."""
        return XraysView(name, wavelength, width, self.model.theme, self.window())

    def _line(self) -> tuple[int, Line] | None:
        """The selected line."""
        now = self.table.currentIndex()
        if not now.isValid():
            return None
        row = self.sorted.mapToSource(now).row()
        return row, self.model.lines[row]

    def _offer(self) -> None:
        chosen = self._line()
        for action, button in self.buttons.items():
            button.setEnabled(chosen is not None and action in chosen[1].actions)

    def _act(self, action: str) -> None:
        chosen = self._line()
        if chosen is not None and action in chosen[1].actions:
            self.action_wanted.emit(chosen[0], action)

    def _clicked(self, index: QtCore.QModelIndex) -> None:
        row = self.sorted.mapToSource(index).row()
        if index.column() == ACTION and self.model.lines[row].actions:
            self.action_wanted.emit(row, self.model.lines[row].actions[0])

    def _menu(self, place: QtCore.QPoint) -> None:
        chosen = self._line()
        if chosen is None:
            return
        menu = QtWidgets.QMenu(self)
        for action, button in self.buttons.items():
            item = menu.addAction(button.text())
            item.setEnabled(action in chosen[1].actions)
            item.triggered.connect(lambda _=False, a=action: self._act(a))
        menu.exec(self.table.viewport().mapToGlobal(place))
        menu.deleteLater()

    def _row_changed(self, now: QtCore.QModelIndex, _before: QtCore.QModelIndex) -> None:
        self._offer()
        if now.isValid():
            self.selected.emit(self.sorted.mapToSource(now).row())
