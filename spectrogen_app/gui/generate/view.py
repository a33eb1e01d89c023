"""Passive view of the Generate task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6 import QtCore, QtWidgets

from spectrogen_app.gui.theme import LIGHT, Theme, swatch
from spectrogen_app.gui.widgets import (
    ComboBox,
    FamiliarityBar,
    SpinBox,
    chain,
    label,
    line,
    named,
    push_button,
    restyle,
)

Qt = QtCore.Qt


@dataclass(frozen=True)
class SourceRow:
    """A spectrum that can be generated from."""

    id: str
    text: str
    colour: str
    origin: str
    checked: bool


@dataclass(frozen=True)
class ScoreRow:
    """A generated curve against a measured one."""

    target: str
    measured: str
    r: str
    rmse: str
    f1: str


@dataclass(frozen=True)
class ResultText:
    """What is said about a generation."""

    familiarity: float
    words: str
    level: str
    made_by: str
    references: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]
    scores: tuple[ScoreRow, ...]


class GenerateView(QtWidgets.QScrollArea):
    """Sources, targets, formula, model; and what came of it.

    Signals
    -------
    sources_changed(ids), targets_changed(names), formula_edited(text), formula_done(text),
    formula_used(bool), model_chosen(id), seed_changed(int), generate_wanted(), cancel_wanted(),
    card_wanted()
    """

    sources_changed = QtCore.Signal(list)
    targets_changed = QtCore.Signal(list)
    formula_edited = QtCore.Signal(str)
    formula_done = QtCore.Signal(str)
    formula_used = QtCore.Signal(bool)
    model_chosen = QtCore.Signal(str)
    seed_changed = QtCore.Signal(int)
    generate_wanted = QtCore.Signal()
    cancel_wanted = QtCore.Signal()
    card_wanted = QtCore.Signal()

    def __init__(self, theme: Theme = LIGHT) -> None:
        super().__init__()
        self._theme = theme
        self._rows: tuple[SourceRow, ...] = ()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        body = QtWidgets.QWidget()
        body.setProperty("role", "panel")
        self.setWidget(body)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._column = QtWidgets.QVBoxLayout(body)
        self._column.setContentsMargins(16, 14, 16, 16)
        self._column.setSpacing(8)

        self._column.addWidget(label("From", "heading"))
        self._sources = QtWidgets.QVBoxLayout()
        self._sources.setSpacing(2)
        self._column.addLayout(self._sources)
        self._no_source = label("Choose a sample with a measured spectrum.", "muted", wrap=True)
        self._column.addWidget(self._no_source)
        self._boxes: dict[str, QtWidgets.QCheckBox] = {}

        self._column.addSpacing(4)
        self._column.addWidget(label("To", "heading"))
        self._targets = QtWidgets.QHBoxLayout()
        self._targets.setSpacing(16)
        self._column.addLayout(self._targets)
        self._target_boxes: dict[str, QtWidgets.QCheckBox] = {}

        self._column.addSpacing(4)
        self.use_formula = named(
            QtWidgets.QCheckBox("With the chemical formula"), "Use the chemical formula",
            "The formula is a second input: anion groups own their infrared bands",
        )  # fmt: skip
        self.use_formula.setChecked(True)
        self.use_formula.toggled.connect(self.formula_used)
        self._column.addWidget(self.use_formula)
        self.formula = named(
            QtWidgets.QLineEdit(), "Chemical formula", "Such as CaCO3 or (Mg,Fe)2SiO4"
        )
        self.formula.setPlaceholderText("unknown")
        self.formula.textEdited.connect(self.formula_edited)
        self.formula.editingFinished.connect(lambda: self.formula_done.emit(self.formula.text()))
        self._column.addWidget(self.formula)
        self.formula_note = label(wrap=True)
        self.formula_note.setTextFormat(Qt.TextFormat.RichText)
        self._column.addWidget(self.formula_note)

        form = QtWidgets.QGridLayout()
        form.setHorizontalSpacing(10)
        form.setVerticalSpacing(8)
        form.setColumnStretch(1, 1)
        self.model = named(ComboBox(), "Model", "The model that generates")
        self.model.activated.connect(lambda _: self.model_chosen.emit(self.model.currentData()))
        self.card = push_button("Model card", role="link")
        self.card.clicked.connect(self.card_wanted)
        self.seed = named(SpinBox(), "Seed", "The same seed gives the same answer")
        self.seed.setRange(0, 2**31 - 1)
        self.seed.valueChanged.connect(self.seed_changed)
        form.addWidget(label("Model", "muted"), 0, 0)
        form.addWidget(self.model, 0, 1)
        form.addWidget(self.card, 0, 2)
        form.addWidget(label("Seed", "muted"), 1, 0)
        form.addWidget(self.seed, 1, 1)
        self._column.addLayout(form)

        buttons = QtWidgets.QHBoxLayout()
        self.generate = push_button("Generate", role="primary")
        self.generate.setToolTip("Generate the chosen modalities (Ctrl+G)")
        self.generate.clicked.connect(self.generate_wanted)
        self.cancel = push_button("Cancel", "Cancel the generation")
        self.cancel.clicked.connect(self.cancel_wanted)
        buttons.addWidget(self.generate, 1)
        buttons.addWidget(self.cancel)
        self._column.addSpacing(2)
        self._column.addLayout(buttons)
        self.why_not = label(role="muted", wrap=True)
        self._column.addWidget(self.why_not)

        self._result = QtWidgets.QWidget()
        self._column.addWidget(self._result)
        self._column.addStretch(1)
        self._build_result()
        self.show_result(None)
        self.set_running(False)

    def _build_result(self) -> None:
        column = QtWidgets.QVBoxLayout(self._result)
        column.setContentsMargins(0, 10, 0, 0)
        column.setSpacing(7)
        column.addWidget(line())
        head = QtWidgets.QHBoxLayout()
        head.addWidget(label("Familiarity", "heading"))
        self.familiarity_value = label()
        head.addWidget(self.familiarity_value, 0, Qt.AlignmentFlag.AlignRight)
        column.addLayout(head)
        self.familiarity = FamiliarityBar()
        column.addWidget(self.familiarity)
        self.words = label(wrap=True)
        column.addWidget(self.words)
        self.notes = label(role="warn", wrap=True)
        column.addWidget(self.notes)
        self._scores_title = label("Against the measured spectrum", "heading")
        column.addWidget(self._scores_title)
        self.scores = _table("Scores against measured spectra", ("", "r", "RMSE", "peak F1"))
        column.addWidget(self.scores)
        self._references_title = label("Leaned on", "heading")
        column.addWidget(self._references_title)
        self.references = _table("Reference minerals", ("Mineral", "RRUFF ID", "Share"))
        column.addWidget(self.references)
        self.made_by = label(role="muted", wrap=True)
        column.addWidget(self.made_by)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        rows, self._rows = self._rows, ()
        self.show_sources(rows)

    def show_sources(self, rows: tuple[SourceRow, ...]) -> None:
        """List the spectra that can be generated from."""
        if rows == self._rows:
            return
        self._rows = rows
        for box in self._boxes.values():
            self._sources.removeWidget(box)
            box.hide()
            box.deleteLater()
        self._boxes = {}
        for row in rows:
            box = named(QtWidgets.QCheckBox(row.text), f"Generate from {row.text}")
            box.setChecked(row.checked)
            box.setIcon(swatch(row.colour, row.origin, self._theme))
            box.setIconSize(QtCore.QSize(20, 14))
            box.setToolTip(row.text)
            box.setMinimumWidth(40)
            box.setSizePolicy(
                QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed
            )
            box.toggled.connect(lambda _: self.sources_changed.emit(self.sources()))
            self._boxes[row.id] = box
            self._sources.addWidget(box)
        self._no_source.setVisible(not rows)
        self._order()

    def _order(self) -> None:
        """Tab goes from top to bottom."""
        chain(
            *self._boxes.values(), *self._target_boxes.values(), self.use_formula, self.formula,
            self.model, self.card, self.seed, self.generate, self.cancel,
        )  # fmt: skip

    def sources(self) -> list[str]:
        """The chosen sources."""
        return [i for i, box in self._boxes.items() if box.isChecked()]

    def show_targets(self, targets: Sequence[tuple[str, str, bool]]) -> None:
        """Offer (name, label, chosen)."""
        if list(self._target_boxes) != [t[0] for t in targets]:
            for box in self._target_boxes.values():
                self._targets.removeWidget(box)
                box.deleteLater()
            self._target_boxes = {}
            while self._targets.count():
                self._targets.takeAt(0)
            for name, text, _ in targets:
                box = named(QtWidgets.QCheckBox(text), f"Generate {text}")
                box.toggled.connect(lambda _: self.targets_changed.emit(self.targets()))
                self._target_boxes[name] = box
                self._targets.addWidget(box)
            self._targets.addStretch(1)
            self._order()
        for name, _, chosen in targets:
            box = self._target_boxes[name]
            with QtCore.QSignalBlocker(box):
                box.setChecked(chosen)

    def targets(self) -> list[str]:
        """The chosen targets."""
        return [n for n, box in self._target_boxes.items() if box.isChecked()]

    def show_formula(self, text: str) -> None:
        """Put a formula into the field, unless the user is typing there."""
        if text != self.formula.text() and not self.formula.hasFocus():
            self.formula.setText(text)

    def show_formula_state(self, bad: bool, note: str) -> None:
        """Mark the field and say below it what is wrong, or how it was understood."""
        restyle(self.formula, bad=bad)
        restyle(self.formula_note, role="bad" if bad else "muted")
        self.formula_note.setText(note)
        self.formula_note.setVisible(bool(note))
        self.formula.setAccessibleDescription(note)

    def show_models(self, models: Sequence[tuple[str, str]], chosen: str | None) -> None:
        """Offer (id, name)."""
        with QtCore.QSignalBlocker(self.model):
            self.model.clear()
            for model_id, name in models:
                self.model.addItem(name, model_id)
            if chosen is not None:
                self.model.setCurrentIndex(max(0, self.model.findData(chosen)))
        self.model.setEnabled(bool(models))
        self.card.setEnabled(bool(models))

    def set_ready(self, ready: bool, why_not: str) -> None:
        """Whether Generate can be pressed, and what is missing if not."""
        self.generate.setEnabled(ready)
        self.why_not.setText(why_not)
        self.why_not.setVisible(bool(why_not))

    def set_running(self, running: bool) -> None:
        """Generation is under way, or not."""
        self.generate.setText("Generating…" if running else "Generate")
        self.cancel.setVisible(running)

    def show_result(self, result: ResultText | None) -> None:
        """Say what is known about the generated curves of the current sample."""
        self._result.setVisible(result is not None)
        if result is None:
            return
        self.familiarity.set_value(result.familiarity)
        self.familiarity_value.setText(f"{result.familiarity:.2f}")
        self.words.setText(result.words)
        restyle(self.words, role=result.level)
        self.notes.setText("\n".join(result.notes))
        self.notes.setVisible(bool(result.notes))
        self._scores_title.setVisible(bool(result.scores))
        self.scores.setVisible(bool(result.scores))
        _put(self.scores, [(s.target, s.r, s.rmse, s.f1) for s in result.scores],
             [s.measured for s in result.scores])  # fmt: skip
        self._references_title.setVisible(bool(result.references))
        self.references.setVisible(bool(result.references))
        _put(self.references, result.references)
        self.made_by.setText(result.made_by)


def _table(name: str, columns: Sequence[str]) -> QtWidgets.QTableWidget:
    table = named(QtWidgets.QTableWidget(0, len(columns)), name)
    table.setHorizontalHeaderLabels(list(columns))
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(28)
    table.setShowGrid(False)
    table.setEditTriggers(QtWidgets.QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectionBehavior.SelectRows)
    table.setTabKeyNavigation(False)
    table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    header.setSectionResizeMode(QtWidgets.QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(0, QtWidgets.QHeaderView.ResizeMode.Stretch)
    first = table.horizontalHeaderItem(0)
    if first is not None:
        first.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return table


def _put(
    table: QtWidgets.QTableWidget, rows: Sequence[Sequence[Any]], tips: Sequence[str] = ()
) -> None:
    table.setRowCount(len(rows))
    for i, row in enumerate(rows):
        for j, text in enumerate(row):
            item = QtWidgets.QTableWidgetItem(text)
            if j:
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setToolTip(tips[i] if tips else text)
            table.setItem(i, j, item)
    height = table.horizontalHeader().sizeHint().height() + 28 * len(rows) + 4
    table.setFixedHeight(height)
