"""Many spectra: one model or the automatic search for all, a table, and a plot of any parameter."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6 import QtCore, QtWidgets

from spectrogen_app.app.decomposition import Decomposition
from spectrogen_app.app.session import Curve
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.fitting import shapes
from spectrogen_app.fitting.estimate import Estimate
from spectrogen_app.fitting.model import Param
from spectrogen_app.fitting.result import FitResult
from spectrogen_app.gui.peaks import jobs
from spectrogen_app.gui.peaks.editing import PeakEditor
from spectrogen_app.gui.peaks.rules import told
from spectrogen_app.gui.peaks.sheets import Cell, Sheet, Trend
from spectrogen_app.gui.widgets import counted
from spectrogen_app.paths import atomic_write

if TYPE_CHECKING:
    from spectrogen_app.app.fitting import BatchFitRequest
    from spectrogen_app.fitting.batch import Outcome

_VALUES = (("center", "centre"), ("height", "height"), ("fwhm", "FWHM"), ("area", "area"))
INDEX = "Index"
SHOWN_EVERY_MS = 300
"""How often the table follows a running batch."""
TURN_MS = 30
"""From one step of showing results to the next, so that the window never stops for two."""


class BatchFit(QtCore.QObject):
    """Fits the selected spectra and shows what came of it.

    Parameters
    ----------
    editor : PeakEditor
    window : QWidget
        Parent of the sheet.
    curves : callable() -> list of Curve
        What is to be fitted.
    titles : callable(curves) -> list of str
    """

    finished = QtCore.Signal()

    def __init__(
        self, editor: PeakEditor, window: QtWidgets.QWidget, curves: Callable[[], list[Curve]],
        titles: Callable[[list[Curve]], list[str]],
    ) -> None:  # fmt: skip
        super().__init__()
        self._editor, self._window, self._curves, self._titles = editor, window, curves, titles
        self.sheet: Sheet | None = None
        self.trend: Trend | None = None
        self._ids: list[str] = []
        self._names: list[str] = []
        self._peaks: dict[str, None] = {}
        self._rows: list[_Row] = []
        self._spectra: tuple[Any, ...] = ()
        self.outcomes: list[Outcome | None] = []
        self._parameter = self._against = ""
        self._running = False
        self._soon = QtCore.QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SHOWN_EVERY_MS)
        self._soon.timeout.connect(self._show)

    def begin(self, shape: str | None) -> None:
        """Fit the selected spectra: the current model for all, or the automatic search."""
        from spectrogen_app.app.fitting import BatchFitRequest, FitChoices

        editor = self._editor
        curves = self._curves()
        if len(curves) < 2:
            editor.context.notify(
                "info", "Select the spectra to fit.", "Ctrl+click or Shift+click in the list."
            )
            return
        editor.context.fits.cancel()  # parts of another batch would come to the rows of this one
        model, o = editor.model, editor.peaks.options
        choices = FitChoices(
            model if model.peaks else "auto", shape=None if model.peaks else shape,
            weights="none" if o.weights == "given" else o.weights, loss=o.loss,
            exclude=o.exclude, within=o.within,
        )  # fmt: skip
        self._ids = [c.id for c in curves]
        self._names = self._titles(curves)
        self._peaks = dict.fromkeys(p.name for p in model.peaks)
        self._spectra = tuple(c.spectrum for c in curves)
        self.outcomes = [None] * len(curves)
        self._rows = [_Row() for _ in curves]
        self._against = ""
        self._running = True
        self._open(partial(self._start, BatchFitRequest(self._spectra, choices)))

    def _start(self, request: BatchFitRequest) -> None:
        self._editor.run_other(
            jobs.batch, request, f"Fit {len(request.spectra)} spectra", self._done, self._part
        )

    def _part(self, part: tuple[int, Outcome]) -> None:
        self._take(*part)
        if not self._soon.isActive():
            self._soon.start()

    def _take(self, at: int, outcome: Outcome | None) -> None:
        if outcome is not self.outcomes[at]:
            self.outcomes[at] = outcome
            if isinstance(outcome, FitResult):
                self._peaks |= dict.fromkeys(p.name for p in outcome.model.peaks)

    def _done(self, outcomes: Sequence[Outcome | None]) -> None:
        self._running = False
        self._soon.stop()
        for at, outcome in enumerate(outcomes):
            self._take(at, outcome)
        alive = {c.id: c for c in self._editor.context.store.state.curves()}
        fitted = {
            i: (alive[i].peaks or Decomposition()).fitted(o, "Batch")
            for i, o in zip(self._ids, self.outcomes, strict=True)
            if isinstance(o, FitResult) and i in alive
        }
        good, failed = len(fitted), len(self.outcomes) - len(fitted)
        if fitted:
            self._editor.arrive(f"Fit {counted(good, 'spectrum', 'spectra')}", fitted)
        if failed or self.sheet is None:
            self._editor.context.notify(
                "warning" if failed else "good", f"{good} of {len(self.outcomes)} spectra fitted.",
                f"{failed} failed: the table says why." if failed else "",
            )
        QtCore.QTimer.singleShot(2 * TURN_MS, self, self._end)

    def _end(self) -> None:
        self._show()
        if self.sheet is not None:
            self.sheet.fit_columns()
        self.finished.emit()

    # ---- the sheet ------------------------------------------------------------------------

    def _open(self, then: Callable[[], object]) -> None:
        """Show the table; what starts processes comes after it, since they would slow it down."""
        if self.sheet is None:
            theme = self._editor.context.theme
            self.sheet = Sheet("Fits of many spectra", theme, self._window.window())
            self.sheet.resize(860, 720)
            self.sheet.destroyed.connect(self._gone)
            self.sheet.activated.connect(self._go_to)
            self._parameters = self.sheet.add_chooser("Plot", [], self._choose_parameter)
            self._axes = self.sheet.add_chooser("against", [], self._choose_axis)
            self.sheet.add_button("Save as CSV…", self.ask_save, "All peaks of all spectra")
        self._axes.clear()
        _in_turn(self.sheet, self.sheet.bring, self._show, then)

    def _add_trend(self) -> None:
        if self.sheet is not None and self.trend is None:
            self.trend = Trend(self._editor.context.theme)
            self.trend.picked.connect(self._go_to)
            _in_turn(self.sheet, self._place_trend, self._show)

    def _place_trend(self) -> None:
        if self.sheet is not None and self.trend is not None:
            self.sheet.middle.addWidget(self.trend)
            self.sheet.middle.setSizes([380, 300])

    def _gone(self, *_: object) -> None:
        self.sheet = self.trend = None

    def _show(self) -> None:
        if self.sheet is None:
            return
        self._fill_choosers()
        label = self._parameters.currentText() or "Parameter"
        for name, outcome, row in zip(self._names, self.outcomes, self._rows, strict=True):
            row.follow(name, outcome, self._parameter, self._running)
        fitted = sum(isinstance(o, FitResult) for o in self.outcomes)
        self.sheet.put(
            ("Spectrum", "State", "Peaks", "R²", "reduced χ²", label, "±"),
            [r.cells for r in self._rows],
            note=f"{fitted} of {len(self._rows)} fitted. A double-click goes to the spectrum.",
        )  # fmt: skip
        places = self._places()
        points = [
            (places[i], v.value, v.stderr or 0.0, i)
            for i, v in enumerate(r.value for r in self._rows)
            if v is not None and math.isfinite(places[i])
        ]  # fmt: skip
        if self.trend is not None:
            self.trend.put(points, self._against or INDEX, label)
        elif points:
            _in_turn(self.sheet, self._add_trend)

    def _fill_choosers(self) -> None:
        wanted = [(f"{n}.{key}", f"{n} {text}") for n in self._peaks for key, text in _VALUES]
        have = [self._parameters.itemData(i) for i in range(self._parameters.count())]
        if have != [key for key, _ in wanted]:
            self._parameters.clear()
            for key, text in wanted:
                self._parameters.addItem(text, key)
            if self._parameter:
                self._parameters.setCurrentIndex(max(0, self._parameters.findData(self._parameter)))
        self._parameter = self._parameters.currentData() or ""
        if not self._axes.count():
            for name in (INDEX, *numeric(self._spectra)):
                self._axes.addItem(name, name)

    def _choose_parameter(self, name: str) -> None:
        self._parameter = name
        self._show()

    def _choose_axis(self, name: str) -> None:
        self._against = name
        self._show()

    def _places(self) -> list[float]:
        if self._against and self._against != INDEX:
            return numeric(self._spectra)[self._against]
        return [float(i + 1) for i in range(len(self._names))]

    def _go_to(self, row: int) -> None:
        store = self._editor.context.store
        if any(c.id == self._ids[row] for c in store.state.curves()):
            store.select_curve(self._ids[row])

    def ask_save(self) -> None:
        """Ask for a CSV file for all peaks of all spectra."""
        name, _ = QtWidgets.QFileDialog.getSaveFileName(
            self._window, "Save all fits", "fits.csv", "CSV (*.csv)"
        )
        if name:
            self.save(Path(name))

    def save(self, path: Path) -> None:
        """Write all peaks of all spectra, and why some have none."""
        from spectrogen_app.fitting.report import table_csv

        notify = self._editor.context.notify
        try:
            with atomic_write(path, "w", encoding="utf-8") as stream:
                stream.write(table_csv(o for o in self.outcomes if o is not None))
        except SpectrogenError as error:
            notify("error", error.message, error.hint)
        else:
            fitted = sum(isinstance(o, FitResult) for o in self.outcomes)
            count = f"{fitted} of {len(self.outcomes)}"
            notify("good", f"Wrote {path.name}.", f"The peaks of {count} spectra are in it.")


def _in_turn(sheet: Sheet, *steps: Callable[[], object]) -> None:
    """Do each step a moment after the last, as long as the sheet is there."""
    first, *rest = steps

    def step() -> None:
        first()
        if rest:
            _in_turn(sheet, *rest)

    QtCore.QTimer.singleShot(TURN_MS, sheet, step)


class _Row:
    """A row of the table, made anew only for another outcome or parameter.

    Attributes
    ----------
    cells : tuple of Cell
    value : Estimate or None
        Of the parameter that is plotted.
    """

    def __init__(self) -> None:
        self.cells: tuple[Cell, ...] = ()
        self.value: Estimate | None = None
        self._of: tuple[object, ...] = ()

    def follow(self, name: str, outcome: Outcome | None, parameter: str, running: bool) -> None:
        """Show this."""
        of = outcome, parameter, running
        if of != self._of:
            self._of, (self.value, param) = of, _value(outcome, parameter)
            self.cells = (Cell(name, name), *_state(outcome, running), *_shown(self.value, param))


def _value(outcome: Outcome | None, parameter: str) -> tuple[Estimate | None, Param | None]:
    """What a fit found for ``peak.quantity``, and the parameter itself where it is one."""
    name, _, key = parameter.partition(".")
    if isinstance(outcome, FitResult):
        for found, peak in zip(outcome.peaks, outcome.model.peaks, strict=True):
            if found.name == name:
                own = dict(zip(shapes.shape(peak.shape).names, peak.params, strict=True))
                return getattr(found, key), own.get(key)
    return None, None


def _state(outcome: Outcome | None, running: bool) -> list[Cell]:
    empty = [Cell("", math.nan)] * 3
    if outcome is None:
        return [Cell("waiting" if running else "not done", "3"), *empty]
    if not isinstance(outcome, FitResult):
        return [Cell(f"failed: {outcome.error.message}", "0", 1.0), *empty]
    warned = len(outcome.warnings)
    warnings = counted(warned, "warning", "warnings")
    state = Cell(warnings, "1", 0.96) if warned else Cell("fitted", "2")
    count = len(outcome.model.peaks)
    return [
        state, Cell(str(count), float(count)), Cell(f"{outcome.r_squared:.5f}", outcome.r_squared),
        Cell(f"{outcome.redchi:.4g}", outcome.redchi),
    ]  # fmt: skip


def _shown(value: Estimate | None, param: Param | None) -> list[Cell]:
    if value is None:
        return [Cell("", math.nan), Cell("", math.nan)]
    text, error = told(value, param)
    stderr = math.nan if value.stderr is None else value.stderr
    return [Cell(text, value.value), Cell(error.removeprefix("± "), stderr)]


def numeric(spectra: Sequence[Any]) -> dict[str, list[float]]:
    """Metadata that are numbers in at least two spectra and not the same in all."""
    found: dict[str, list[float]] = {}
    for name in dict.fromkeys(k for s in spectra for k in s.metadata):
        values = [_float(s.metadata.get(name)) for s in spectra]
        known = [v for v in values if math.isfinite(v)]
        if len(known) > 1 and len(set(known)) > 1:
            found[name] = values
    return found


def _float(value: object) -> float:
    try:
        return float(str(value).split()[0])
    except (ValueError, IndexError):
        return math.nan
