"""Passive view of the Peaks task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6 import QtCore, QtWidgets

from spectrogen_app.gui.peaks.params import ParamRow, ParamTable
from spectrogen_app.gui.peaks.tables import PeakRow, PeakTable
from spectrogen_app.gui.process.baseline import BaselineView
from spectrogen_app.gui.theme import LIGHT, Theme, icon
from spectrogen_app.gui.widgets import (
    ComboBox,
    counted,
    label,
    line,
    named,
    push_button,
    tool_button,
)

Qt = QtCore.Qt
SUBTRACT = "subtract"
BACKGROUNDS = (
    ("", "None"), ("constant", "Constant"), ("linear", "Linear"), ("quadratic", "Quadratic"),
    ("cubic", "Cubic"), (SUBTRACT, "Subtract before…"),
)  # fmt: skip
SHAPES = (
    ("gaussian", "Gaussian"), ("lorentzian", "Lorentzian"), ("voigt", "Voigt"),
    ("pseudo_voigt", "Pseudo-Voigt"), ("split_pseudo_voigt", "Split pseudo-Voigt"),
    ("pearson7", "Pearson VII"), ("fano", "Fano"),
)  # fmt: skip
WEIGHTS = (("none", "All points alike"), ("poisson", "Counts (Poisson)"))
LOSSES = (("linear", "Least squares"), ("soft_l1", "Robust: soft L1"), ("huber", "Robust: Huber"),
          ("cauchy", "Robust: Cauchy"))  # fmt: skip
MENU = (
    ("results", "Correlations…"), ("history", "Earlier fits…"), ("lines", "Match lines…"), ("", ""),
    ("report_csv", "Save peaks as CSV…"), ("report_json", "Save report as JSON…"),
    ("report_txt", "Save report as text…"), ("curves", "Save components as CSV…"), ("", ""),
    ("save_template", "Save as template…"), ("load_template", "Load template…"),
    ("line_list", "Start from generated lines"), ("", ""),
    ("copy", "Copy to selected spectra"), ("batch", "Fit selected spectra…"), ("", ""),
    ("clear", "Remove all peaks"),
)  # fmt: skip
"""Entries of the menu, by the name that :attr:`PeaksView.asked` tells."""


@dataclass(frozen=True)
class AdviceRow:
    """Something wrong with the fit, and the texts of its remedies."""

    message: str
    remedies: tuple[str, ...]


class PeaksView(QtWidgets.QScrollArea):
    """Choosers, the two tables, quality and advice.

    Signals
    -------
    asked(name): a button or menu entry: ``auto``, ``fit``, ``stop``, ``residual``, ``simplify``,
        ``mend``, ``bound``, ``free``, or a name of :data:`MENU`.
    mode_toggled(bool), new_shape_chosen(shape), background_chosen(kind or ""),
    shape_chosen(shape): of the selected peak. partner_toggled(bool)
    peak_chosen(name), peaks_removed(names), edited(parameter, field, value)
    remedy_wanted(advice, remedy): by their places.
    option_changed(field, value): ``weights``, ``loss``, ``within`` or ``exclude`` as text.
    """

    asked = QtCore.Signal(str)
    mode_toggled = QtCore.Signal(bool)
    new_shape_chosen = QtCore.Signal(str)
    background_chosen = QtCore.Signal(str)
    shape_chosen = QtCore.Signal(str)
    partner_toggled = QtCore.Signal(bool)
    peak_chosen = QtCore.Signal(str)
    peaks_removed = QtCore.Signal(list)
    edited = QtCore.Signal(str, str, object)
    remedy_wanted = QtCore.Signal(int, int)
    option_changed = QtCore.Signal(str, str)

    def __init__(self, theme: Theme = LIGHT) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        body = QtWidgets.QWidget()
        body.setProperty("role", "panel")
        self.setWidget(body)
        self._column = QtWidgets.QVBoxLayout(body)
        self._column.setContentsMargins(12, 12, 12, 14)
        self._column.setSpacing(8)
        self.subject = label(wrap=True)
        self._column.addWidget(self.subject)
        self._build_top()
        self.table = PeakTable()
        self.table.chosen.connect(self.peak_chosen)
        self.table.removed.connect(self.peaks_removed)
        self._column.addWidget(self.table)
        self.quality = label(wrap=True)
        self.quality.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        named(self.quality, "Quality of the fit")
        self._column.addWidget(self.quality)
        self._build_detail()
        self._build_advice()
        self.cards: list[QtWidgets.QFrame] = []
        self._build_options()
        self._column.addStretch(1)
        self.set_theme(theme)

    def _build_top(self) -> None:
        self.auto = push_button("Auto", "Find the peaks and fit them", "primary")
        self.auto.setToolTip("Find the peaks over the noise and fit them (Shift+F)")
        self.fit = push_button("Fit")
        self.fit.setToolTip("Fit the peaks as they stand (F)")
        self.stop = push_button("Stop", "Stop the fit; the best so far is kept")
        self.stop.setToolTip("Stop; the best so far is kept")
        self.more = push_button("More", "More about peaks")
        menu = QtWidgets.QMenu(self)
        self.entries = {}
        for name, text in MENU:
            if not name:
                menu.addSeparator()
                continue
            entry = menu.addAction(text)
            entry.triggered.connect(lambda _=False, n=name: self.asked.emit(n))
            self.entries[name] = entry
        self.more.setMenu(menu)
        for name, button in (("auto", self.auto), ("fit", self.fit), ("stop", self.stop)):
            button.clicked.connect(lambda _=False, n=name: self.asked.emit(n))
        self.stop.hide()
        row = QtWidgets.QHBoxLayout()
        for button in (self.auto, self.fit, self.stop):
            row.addWidget(button, 1)
        row.addWidget(self.more)
        self._column.addLayout(row)
        self.new_shape = named(ComboBox(), "Shape of new peaks", "Shape of new peaks, and for Auto")
        self.new_shape.addItem("Best for each", "")
        self.background = named(
            ComboBox(), "Background", "Fitted with the peaks, or subtracted before"
        )
        for combo, items in ((self.new_shape, SHAPES), (self.background, BACKGROUNDS)):
            for key, text in items:
                combo.addItem(text, key)
        self.new_shape.activated.connect(
            lambda _: self.new_shape_chosen.emit(self.new_shape.currentData())
        )
        self.background.activated.connect(
            lambda _: self.background_chosen.emit(self.background.currentData())
        )
        form = QtWidgets.QGridLayout()
        form.setHorizontalSpacing(10)
        form.setColumnStretch(1, 1)
        for at, (text, field) in enumerate(
            (("New peaks", self.new_shape), ("Background", self.background))
        ):
            form.addWidget(label(text, "muted"), at, 0)
            form.addWidget(field, at, 1)
        self._column.addLayout(form)
        self.baseline = BaselineView()
        self._column.addWidget(self.baseline)
        self.mode = tool_button("add", "Add peaks by mouse", "Add peaks by mouse (P): click, or "
                                "drag out a width; right-click removes", True)  # fmt: skip
        self.mode.setText("By mouse")
        self.residual = tool_button(
            "residual", "Add a peak at the largest residual",
            "Add a peak where the residual is largest, and fit (Shift+P)",
        )  # fmt: skip
        self.residual.setText("At residual")
        self.simplify = tool_button("process", "Simplify",
                                    "Remove the peaks that do not help, and fit")  # fmt: skip
        self.simplify.setText("Simplify")
        self.remove = tool_button("remove", "Remove the selected peaks",
                                  "Remove the selected peaks (Del)")  # fmt: skip
        tools = QtWidgets.QHBoxLayout()
        tools.setSpacing(2)
        for tool in (self.mode, self.residual, self.simplify):
            tool.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            tools.addWidget(tool)
        tools.addStretch(1)
        tools.addWidget(self.remove)
        self.mode.clicked.connect(self.mode_toggled)
        self.residual.clicked.connect(lambda: self.asked.emit("residual"))
        self.simplify.clicked.connect(lambda: self.asked.emit("simplify"))
        self.remove.clicked.connect(lambda: self.peaks_removed.emit(self.table.names()))
        self._column.addLayout(tools)

    def _build_detail(self) -> None:
        self._detail = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(self._detail)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(6)
        column.addWidget(line())
        head = QtWidgets.QHBoxLayout()
        self.title = label(role="heading")
        self.shape = named(ComboBox(), "Shape of this peak")
        for key, text in SHAPES:
            self.shape.addItem(text, key)
        self.shape.activated.connect(lambda _: self.shape_chosen.emit(self.shape.currentData()))
        head.addWidget(self.title)
        head.addWidget(self.shape, 1)
        column.addLayout(head)
        self.params = ParamTable()
        self.params.edited.connect(self.edited)
        column.addWidget(self.params)
        self.trouble = label(role="bad", wrap=True)
        self.trouble.hide()
        column.addWidget(self.trouble)
        self.partner = named(
            QtWidgets.QCheckBox("With Cu Kα₂ partner"), "With Cu K-alpha-2 partner",
            "Each line with its second one, half as high, at the angle of Cu Kα₂",
        )  # fmt: skip
        self.partner.clicked.connect(self.partner_toggled)
        self.bound = push_button("Bound", "Bound this peak", "link")
        self.bound.setToolTip("Set bounds around centre, height and width; drag them on the plot")
        self.free = push_button("Unbound", "Remove the bounds of this peak", "link")
        self.bound.clicked.connect(lambda: self.asked.emit("bound"))
        self.free.clicked.connect(lambda: self.asked.emit("free"))
        foot = QtWidgets.QHBoxLayout()
        foot.addWidget(self.partner)
        foot.addStretch(1)
        foot.addWidget(self.bound)
        foot.addWidget(self.free)
        column.addLayout(foot)
        self._column.addWidget(self._detail)

    def _build_advice(self) -> None:
        self._head = QtWidgets.QWidget()
        row = QtWidgets.QHBoxLayout(self._head)
        row.setContentsMargins(0, 0, 0, 0)
        self.count = label(role="muted")
        row.addWidget(self.count, 1)
        self.mend = push_button("Mend all", "Mend all warnings", "link")
        self.mend.setToolTip("Try the remedies, and take those that help")
        self.mend.clicked.connect(lambda: self.asked.emit("mend"))
        row.addWidget(self.mend)
        self._head.hide()
        self._column.addWidget(self._head)
        self._advice = QtWidgets.QVBoxLayout()
        self._advice.setSpacing(6)
        self._column.addLayout(self._advice)

    def _build_options(self) -> None:
        self._column.addWidget(line())
        self.open_options = push_button("How to fit", "How to fit: weights, loss, ranges", "link")
        self._options = QtWidgets.QWidget()
        self._options.hide()
        self.open_options.clicked.connect(
            lambda: self._options.setVisible(self._options.isHidden())
        )
        form = QtWidgets.QGridLayout(self._options)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(10)
        form.setColumnStretch(1, 1)
        self.weights = named(ComboBox(), "Weights", "How much each point counts")
        self.loss = named(ComboBox(), "Loss", "A robust loss lets spikes count less")
        for combo, items, name in ((self.weights, WEIGHTS, "weights"), (self.loss, LOSSES, "loss")):
            for key, text in items:
                combo.addItem(text, key)
            combo.activated.connect(
                lambda _, c=combo, n=name: self.option_changed.emit(n, c.currentData())
            )
        self.within = named(QtWidgets.QLineEdit(), "Range fitted", "Such as 200-1300; empty: all")
        self.within.setPlaceholderText("all")
        self.as_visible = push_button("As visible", "Fit the visible range", "link")
        self.as_visible.clicked.connect(lambda: self.asked.emit("as_visible"))
        self.exclude = named(QtWidgets.QLineEdit(), "Ranges left out", "Such as 510-530, 800-820")
        self.exclude.setPlaceholderText("none")
        for name, field in (("within", self.within), ("exclude", self.exclude)):
            field.editingFinished.connect(lambda n=name, f=field: self._typed(n, f))
        for at, (text, widget) in enumerate(
            (("Weights", self.weights), ("Loss", self.loss), ("Range", self.within),
             ("Left out", self.exclude))
        ):  # fmt: skip
            form.addWidget(label(text, "muted"), at, 0)
            form.addWidget(widget, at, 1)
        form.addWidget(self.as_visible, 2, 2)
        self._column.addWidget(self.open_options)
        self._column.addWidget(self._options)

    def _typed(self, name: str, field: QtWidgets.QLineEdit) -> None:
        """A field that was only visited says nothing: it shows fewer digits than there are."""
        if field.isModified():
            field.setModified(False)
            self.option_changed.emit(name, field.text())

    # ---- what the presenter shows ---------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        for button in (self.mode, self.residual, self.simplify, self.remove):
            button.setIcon(icon(button.property("icon_name"), theme.muted, 18))
        self.baseline.set_theme(theme)
        for table in (self.table, self.params):
            table.lines.theme = theme
            table.viewport().update()

    def show_subject(self, text: str, ready: bool) -> None:
        """Say whose peaks these are."""
        self.subject.setText(text)
        for widget in (self.auto, self.mode, self.new_shape, self.background, self.more):
            widget.setEnabled(ready)

    def show_peaks(self, rows: Sequence[PeakRow], selected: str, count: int) -> None:
        """Show the peaks; ``count`` of the rows are peaks."""
        self.table.put(rows, selected)
        self.fit.setEnabled(bool(rows))
        for widget in (self.residual, self.simplify, self.remove):
            widget.setEnabled(count > 0)

    def show_params(
        self, title: str, rows: Sequence[ParamRow], shape: str, partner: bool | None
    ) -> None:
        """Show one peak's parameters; without rows nothing. Without ``shape`` no peak."""
        self._detail.setVisible(bool(rows))
        self.title.setText(title)
        self.params.put(rows)
        for widget in (self.shape, self.bound, self.free):
            widget.setVisible(bool(shape))
        self.shape.setCurrentIndex(self.shape.findData(shape))
        self.partner.setVisible(partner is not None)
        self.partner.setChecked(bool(partner))

    def show_choices(self, shape: str, background: str) -> None:
        """Set the two choosers."""
        self.new_shape.setCurrentIndex(self.new_shape.findData(shape))
        self.background.setCurrentIndex(self.background.findData(background))

    def show_options(self, weights: str, loss: str, within: str, exclude: str) -> None:
        """Set the options."""
        self.weights.setCurrentIndex(self.weights.findData(weights))
        self.loss.setCurrentIndex(self.loss.findData(loss))
        for field, text in ((self.within, within), (self.exclude, exclude)):
            if field.text() != text:
                field.setText(text)

    def show_quality(self, text: str) -> None:
        """Say how good the fit is."""
        self.quality.setText(text)
        self.quality.setVisible(bool(text))

    def show_trouble(self, text: str) -> None:
        """Say why a value is not taken."""
        self.trouble.setText(text)
        self.trouble.setVisible(bool(text))

    def show_advice(self, rows: Sequence[AdviceRow], more: int = 0) -> None:
        """Show what is wrong, with a button for each remedy."""
        for card in self.cards:
            self._advice.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards = []
        self.count.setText(counted(len(rows) + more, "warning", "warnings"))
        self._head.setVisible(bool(rows))
        self.mend.setEnabled(any(r.remedies for r in rows))
        for i, row in enumerate(rows):
            self.cards.append(self._card(i, row))
        if more:
            note = QtWidgets.QFrame()
            box = QtWidgets.QVBoxLayout(note)
            box.setContentsMargins(0, 0, 0, 0)
            box.addWidget(label(f"and {more} more of the kind", "muted"))
            self.cards.append(note)
        for card in self.cards:
            self._advice.addWidget(card)

    def _card(self, at: int, row: AdviceRow) -> QtWidgets.QFrame:
        card = QtWidgets.QFrame()
        card.setProperty("role", "card")
        box = QtWidgets.QVBoxLayout(card)
        box.setContentsMargins(10, 6, 10, 6)
        box.setSpacing(2)
        box.addWidget(label(row.message, "warn", wrap=True))
        grid = QtWidgets.QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(1, 1)
        box.addLayout(grid)
        for k, text in enumerate(row.remedies):
            button = push_button(text, f"{text}: {row.message}", "link")
            button.clicked.connect(
                lambda _=False, k=k: QtCore.QTimer.singleShot(
                    0, self, lambda: self.remedy_wanted.emit(at, k)
                )
            )
            grid.addWidget(button, k // 2, k % 2)
        return card

    def set_mode(self, on: bool) -> None:
        """Show whether clicks add peaks."""
        self.mode.setChecked(on)

    def set_running(self, on: bool) -> None:
        """A fit runs, or not."""
        self.fit.setVisible(not on)
        self.stop.setVisible(on)
        self.auto.setEnabled(not on)
