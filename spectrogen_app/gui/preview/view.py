"""Passive view of a text table: the choices on the left, what they give on the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6 import QtCore, QtGui, QtWidgets

from spectrogen_app.data.axis import XKind, YUnit, pretty_unit, units_of
from spectrogen_app.data.modality import MODALITIES
from spectrogen_app.gui.plotting.canvas import Canvas
from spectrogen_app.gui.plotting.model import PanelModel
from spectrogen_app.gui.table import TableModel
from spectrogen_app.gui.theme import Theme
from spectrogen_app.gui.widgets import ComboBox, SpinBox, label, named, push_button, restyle
from spectrogen_app.io.base import TextLayout

Qt = QtCore.Qt
DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", " ": "Spaces", "|": "Bar"}
DECIMALS = {".": "Point", ",": "Comma"}
AS_FOUND = "As found"


@dataclass(frozen=True, eq=False)
class Shown:
    """What a layout gives.

    Attributes
    ----------
    lines : tuple of str
        Of the file as it stands.
    found : TextLayout
        What stands where the user chose nothing.
    titles : tuple of str
        Of the columns.
    numeric : tuple of int
        Columns that hold numbers.
    values : ndarray, shape (rows, len(numeric))
    panel : PanelModel or None
        The plot.
    text : str
        What is read, or why nothing is.
    good : bool
        Whether something is read.
    remark : str
        Assumptions and warnings.
    """

    lines: tuple[str, ...]
    found: TextLayout
    titles: tuple[str, ...]
    numeric: tuple[int, ...]
    values: NDArray[np.float64]
    panel: PanelModel | None
    text: str
    good: bool
    remark: str = ""


class _Numbers(TableModel):
    """The first rows of the table; x and y columns are marked."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.values: NDArray[np.float64] = np.empty((0, 0))
        self.marked: tuple[int, ...] = ()

    def put(
        self, values: NDArray[np.float64], heads: tuple[str, ...], marked: tuple[int, ...]
    ) -> None:
        self.beginResetModel()
        self.values, self.heads, self.marked = values, heads, marked
        self.endResetModel()

    def rows(self) -> NDArray[np.float64]:
        return self.values

    def data(self, index: Any, role: int = 0) -> Any:
        roles = Qt.ItemDataRole
        if role == roles.DisplayRole:
            return f"{self.values[index.row(), index.column()]:.10g}"
        if role == roles.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == roles.ForegroundRole and index.column() not in self.marked:
            return QtGui.QColor(self._theme.control)
        return None


class PreviewView(QtWidgets.QDialog):
    """The choices and what they give.

    Signals
    -------
    changed(TextLayout)
        Another choice was made.
    opened(bool)
        Open it as shown; True: and all files of this look from now on.
    """

    changed = QtCore.Signal(object)
    opened = QtCore.Signal(bool)

    def __init__(self, name: str, theme: Theme, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Preview of {name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.resize(1080, 720)
        self._filling = True
        self._columns_touched = False
        self.delimiter = self._combo("Delimiter", DELIMITERS)
        self.decimal = self._combo("Decimal sign", DECIMALS)
        self.skip = named(SpinBox(), "Lines before the numbers")
        self.skip.setRange(-1, 100_000)
        self.skip.setSpecialValueText(AS_FOUND)
        self.skip.setValue(-1)
        self.skip.valueChanged.connect(self._change)
        self.x_column = self._combo("x column", {})
        self.y_columns = named(QtWidgets.QListWidget(), "y columns", "The columns that are read")
        self.y_columns.itemChanged.connect(self._columns_change)
        self.modality = self._combo("Modality", {k: m.label for k, m in MODALITIES.items()})
        kinds = [k for k in XKind if k is not XKind.OTHER]
        self.x_unit = self._combo(
            "Unit of x", {u: pretty_unit(u) for k in kinds for u in units_of(k)}
        )
        self.y_unit = self._combo("Unit of y", {u.value: u.value.capitalize() for u in YUnit})
        self._theme = theme
        self._build(name)
        self._filling = False

    def _combo(self, name: str, items: dict[str, str]) -> ComboBox:
        combo = named(ComboBox(), name)
        combo.addItem(AS_FOUND, None)
        for key, text in items.items():
            combo.addItem(text, key)
        combo.currentIndexChanged.connect(self._change)
        return combo

    def _build(self, name: str) -> None:
        form = QtWidgets.QFormLayout()
        form.setVerticalSpacing(8)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.setFieldGrowthPolicy(QtWidgets.QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for text, widget in (
            ("&Delimiter", self.delimiter), ("De&cimal sign", self.decimal),
            ("&Lines before", self.skip), ("&x column", self.x_column),
            ("&y columns", self.y_columns), ("&Modality", self.modality),
            ("&Unit of x", self.x_unit), ("U&nit of y", self.y_unit),
        ):  # fmt: skip
            form.addRow(text, widget)
            if widget is not self.y_columns:
                form.labelForField(widget).setMinimumHeight(widget.sizeHint().height())
        self.remember = named(
            QtWidgets.QCheckBox("For all files of this look"), "For all files of this look",
            "Files with the same kind of header and columns are read with these choices from now "
            "on, and those in the list that were refused or doubtful are read again",
        )  # fmt: skip
        self.remember.setChecked(True)
        self.reset = push_button("Take back all choices")
        self.reset.clicked.connect(lambda: self.set_layout_choices(TextLayout()))
        left = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(left)
        column.setContentsMargins(0, 0, 8, 0)
        column.addLayout(form, 1)
        column.addWidget(self.reset)
        self.canvas = Canvas(self._theme)
        named(self.canvas, "Plot of what is read")
        self.numbers = _Numbers(self._theme)
        self.table = named(QtWidgets.QTableView(), "Numbers", "The first rows, as they are read")
        self.table.setModel(self.numbers)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().setDefaultSectionSize(24)
        fixed = QtGui.QFontDatabase.systemFont(QtGui.QFontDatabase.SystemFont.FixedFont)
        self.text = named(QtWidgets.QPlainTextEdit(), "The file as it stands")
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setLineWrapMode(QtWidgets.QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(fixed)
        tabs = named(QtWidgets.QTabWidget(), "Numbers or text")
        tabs.setDocumentMode(True)
        tabs.addTab(self.table, "Numbers")
        tabs.addTab(self.text, "File")
        right = QtWidgets.QSplitter(Qt.Orientation.Vertical)
        right.setChildrenCollapsible(False)
        right.addWidget(tabs)
        right.addWidget(self.canvas)
        right.setSizes([330, 280])
        both = QtWidgets.QSplitter(Qt.Orientation.Horizontal)
        both.setChildrenCollapsible(False)
        both.addWidget(left)
        both.addWidget(right)
        both.setSizes([310, 740])
        both.setStretchFactor(1, 1)
        self.verdict = label(wrap=True)
        self.remark = label(role="muted", wrap=True)
        cancel = push_button("Cancel")
        cancel.clicked.connect(self.reject)
        self.open_button = push_button("Open", role="primary")
        self.open_button.setDefault(True)
        self.open_button.clicked.connect(self._open)
        below = QtWidgets.QHBoxLayout()
        below.addWidget(self.remember)
        below.addStretch(1)
        below.addWidget(cancel)
        below.addWidget(self.open_button)
        whole = QtWidgets.QVBoxLayout(self)
        whole.setContentsMargins(14, 12, 14, 12)
        whole.addWidget(label(name, "heading"))
        whole.addWidget(both, 1)
        whole.addWidget(self.verdict)
        whole.addWidget(self.remark)
        whole.addLayout(below)
        self.open_button.setEnabled(False)
        self.delimiter.setFocus()

    def choices(self) -> TextLayout:
        """What the user has chosen; the rest is None."""
        columns = tuple(
            self.y_columns.item(i).data(Qt.ItemDataRole.UserRole)
            for i in range(self.y_columns.count())
            if self.y_columns.item(i).checkState() is Qt.CheckState.Checked
        )
        return TextLayout(
            delimiter=self.delimiter.currentData(), decimal=self.decimal.currentData(),
            skip_rows=self.skip.value() if self.skip.value() >= 0 else None,
            x_column=self.x_column.currentData(),
            y_columns=columns if self._columns_touched and columns else None,
            modality=self.modality.currentData(), x_unit=self.x_unit.currentData(),
            y_unit=self.y_unit.currentData(),
        )  # fmt: skip

    def set_layout_choices(self, layout: TextLayout) -> None:
        """Make these choices, as if the user had."""
        self._filling = True
        for combo, value in (
            (self.delimiter, layout.delimiter), (self.decimal, layout.decimal),
            (self.modality, layout.modality), (self.x_unit, layout.x_unit),
            (self.y_unit, layout.y_unit),
        ):  # fmt: skip
            _select(combo, value)
        self.skip.setValue(-1 if layout.skip_rows is None else layout.skip_rows)
        if layout.x_column is not None and self.x_column.findData(layout.x_column) < 0:
            self.x_column.addItem(f"{layout.x_column + 1}", layout.x_column)
        _select(self.x_column, layout.x_column)
        self._columns_touched = layout.y_columns is not None
        self._fill_columns(layout.y_columns or (), (), layout.y_columns or ())
        self._filling = False
        self._change()

    def show_preview(self, shown: Shown) -> None:
        """Show what the choices give."""
        self._filling = True
        found = shown.found
        self.delimiter.setItemText(0, _as_found(DELIMITERS.get(found.delimiter or "")))
        self.decimal.setItemText(0, _as_found(DECIMALS.get(found.decimal or "")))
        self.skip.setSpecialValueText(_as_found(_text(found.skip_rows)))
        modality = MODALITIES.get(found.modality or "")
        self.modality.setItemText(0, _as_found(modality.label if modality else None))
        self.x_unit.setItemText(0, _as_found(pretty_unit(found.x_unit or "")))
        self.y_unit.setItemText(0, _as_found(found.y_unit))
        chosen_x = self.x_column.currentData()
        self.x_column.clear()
        self.x_column.addItem(
            _as_found(None if found.x_column is None else _text(found.x_column + 1)), None
        )
        for i in shown.numeric:
            self.x_column.addItem(_column(i, shown.titles), i)
        _select(self.x_column, chosen_x)
        self._fill_columns(shown.numeric, shown.titles, found.y_columns or ())
        heads = tuple(_column(i, shown.titles) for i in shown.numeric)
        wanted = {found.x_column, *(found.y_columns or ())}
        marked = tuple(at for at, i in enumerate(shown.numeric) if i in wanted)
        self.numbers.put(shown.values, heads, marked)
        self.table.resizeColumnsToContents()
        text = "\n".join(shown.lines)
        if self.text.toPlainText() != text:
            self.text.setPlainText(text)
        self.canvas.setVisible(shown.panel is not None)
        if shown.panel is not None:
            self.canvas.draw(shown.panel)
        self.set_verdict(shown.text, shown.good, shown.remark)
        self._filling = False

    def set_verdict(self, text: str, good: bool, remark: str = "") -> None:
        """Say what is read, or why nothing is."""
        self.verdict.setText(text)
        restyle(self.verdict, role="" if good else "bad")
        self.remark.setText(remark)
        self.remark.setVisible(bool(remark))
        self.open_button.setEnabled(good)

    def done(self, result: int) -> None:
        """Close, and let go of the plot."""
        self.canvas.residual_plot.setXLink(None)
        super().done(result)

    def _fill_columns(
        self, columns: Sequence[int], titles: tuple[str, ...], ticked: Sequence[int]
    ) -> None:
        place = self.y_columns.verticalScrollBar().value()
        self.y_columns.clear()
        for i in columns:
            item = QtWidgets.QListWidgetItem(_column(i, titles))
            item.setData(Qt.ItemDataRole.UserRole, i)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if i in ticked else Qt.CheckState.Unchecked)
            self.y_columns.addItem(item)
        self.y_columns.verticalScrollBar().setValue(place)

    def _columns_change(self) -> None:
        if not self._filling:
            self._columns_touched = True
            self._change()

    def _change(self) -> None:
        if not self._filling:
            self.open_button.setEnabled(False)
            self.changed.emit(self.choices())

    def _open(self) -> None:
        self.opened.emit(self.remember.isChecked())
        self.accept()


def _select(combo: ComboBox, value: object) -> None:
    combo.setCurrentIndex(max(combo.findData(value), 0) if value is not None else 0)


def _as_found(text: str | None) -> str:
    if text in (*DELIMITERS.values(), *DECIMALS.values()):
        text = text.lower()
    return f"{AS_FOUND}: {text}" if text else AS_FOUND


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _column(index: int, titles: tuple[str, ...]) -> str:
    title = titles[index] if index < len(titles) else ""
    return f"{index + 1}: {title}" if title else f"{index + 1}"
