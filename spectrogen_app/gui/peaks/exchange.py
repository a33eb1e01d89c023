"""What goes out and comes in: reports, templates, earlier fits, other spectra, generated lines."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6 import QtWidgets

from spectrogen_app.app.decomposition import Decomposition
from spectrogen_app.app.session import Curve
from spectrogen_app.data.axis import XKind, pretty_unit
from spectrogen_app.data.provenance import Origin
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.gui.peaks import jobs
from spectrogen_app.gui.peaks.editing import PeakEditor
from spectrogen_app.gui.peaks.sheets import Cell, Sheet
from spectrogen_app.gui.peaks.tables import number
from spectrogen_app.gui.plotting.presenter import titles_of
from spectrogen_app.gui.widgets import counted
from spectrogen_app.paths import atomic_write

if TYPE_CHECKING:
    from spectrogen_app.fitting.lines import Match

KINDS = {
    "report_csv": ("Save peaks", "_peaks.csv", "CSV (*.csv)"),
    "report_json": ("Save the report", ".fit.json", "JSON (*.json)"),
    "report_txt": ("Save the report", "_fit.txt", "Text (*.txt)"),
    "curves": ("Save components", "_components.csv", "CSV (*.csv)"),
}
TEMPLATE = "Peak template (*.peaks.json)"
TEMPLATES = "Peaks (*.json *.csv);;All files (*)"


class Exchange:
    """Does what the menu of the Peaks task offers.

    Parameters
    ----------
    editor : PeakEditor
    window : QWidget
        Parent of dialogs.
    """

    def __init__(self, editor: PeakEditor, window: QtWidgets.QWidget) -> None:
        self._editor, self._window = editor, window
        self.sheet: Sheet | None = None

    # ---- reports and templates ------------------------------------------------------------

    def ask_report(self, kind: str) -> None:
        """Ask for a file and write a report to it."""
        title, ending, kinds = KINDS[kind]
        path = self._ask_save(title, ending, kinds)
        if path is not None:
            self.write_report(kind, path)

    def write_report(self, kind: str, path: Path) -> None:
        """Write the fit in the background."""
        result = self._editor.peaks.result
        if result is None:
            self._editor.context.notify("info", "There is no fit to report: fit first.")
            return
        self._editor.context.loader.submit(
            jobs.write, jobs.WriteRequest(result, path, kind), f"Writing {path.name}",
            on_done=lambda done: self._editor.context.notify("good", f"Wrote {done.name}."),
        )  # fmt: skip

    def ask_template(self) -> None:
        """Ask for a file and save the model as a template."""
        path = self._ask_save("Save as a template", ".peaks.json", TEMPLATE)
        if path is not None:
            self.write_template(path)

    def write_template(self, path: Path) -> None:
        """Save the model for other samples."""
        from spectrogen_app.fitting.report import template_json

        try:
            with atomic_write(path, "w", encoding="utf-8") as stream:
                stream.write(template_json(self._editor.model))
        except SpectrogenError as error:
            self._editor.context.notify("error", error.message, error.hint)
        else:
            self._editor.context.notify("good", f"Wrote {path.name}.")

    def ask_load(self) -> None:
        """Ask for a template, report or list of peaks."""
        folder = str(self._editor.context.settings().choices.get("peaks.folder", ""))
        name, _ = QtWidgets.QFileDialog.getOpenFileName(
            self._window, "Load peaks", folder, TEMPLATES
        )
        if name:
            self.load_template(Path(name))

    def load_template(self, path: Path) -> None:
        """Begin with the peaks of a file."""
        from spectrogen_app.app.fitting import read_template

        try:
            model = read_template(path)
        except SpectrogenError as error:
            self._editor.context.notify("error", error.message, error.hint)
            return
        self._editor.edit(f"Load {path.name}", model)

    def _ask_save(self, title: str, ending: str, kinds: str) -> Path | None:
        curve = self._editor.curve
        if curve is None:
            return None
        settings = self._editor.context.settings
        folder = Path(str(settings().choices.get("peaks.folder", "")))
        stem = "".join(c if c.isalnum() or c in "-_." else "_" for c in curve.spectrum.name)
        chosen, _ = QtWidgets.QFileDialog.getSaveFileName(
            self._window, title, str(folder / f"{stem}{ending}"), kinds
        )
        if not chosen:
            return None
        path = Path(chosen)
        settings.choose("peaks.folder", str(path.parent))
        return path if path.suffix else path.with_name(path.name + ending)

    # ---- tables ---------------------------------------------------------------------------

    def show_correlations(self) -> None:
        """The correlations of all free parameters."""
        result = self._editor.peaks.result
        if result is None:
            return
        names = result.free
        rows = [
            [Cell(f"{c + 0.0:.2f}".replace("-0.00", "0.00") if np.isfinite(c) else "", float(c),
                  abs(float(c)) if i != j and np.isfinite(c) else 0.0)
             for j, c in enumerate(row)]
            for i, row in enumerate(result.correlations)
        ]  # fmt: skip
        lost = [n for n, v in zip(names, np.diag(result.covariance), strict=True)
                if not np.isfinite(v)]  # fmt: skip
        note = "Above 0.95, two parameters can hardly be told apart."
        if lost:
            note += f" Not estimated: {', '.join(lost)}."
        sheet = self._open("Correlations")
        sheet.put(names, rows, names, note, sortable=False)

    def show_intervals(self, found: jobs.Intervals) -> None:
        """Confidence intervals of parameters whose standard error says little."""
        levels = [level for level, _, _ in next(iter(found.values()), [])]
        heads = [f"{100 * level:.0f} %, {end}" for level in levels for end in ("from", "to")]
        rows = [
            [Cell(name, name), *(_cell(end) for _, *ends in spans for end in ends)]
            for name, spans in found.items()
        ]
        sheet = self._open("Confidence intervals")
        sheet.resize(600, 260)
        sheet.put(
            ("Parameter", *heads), rows,
            note="By profiling: all others are fitted anew at each value of the parameter.",
        )  # fmt: skip

    def show_history(self) -> None:
        """Every fit of the current curve."""
        history = self._editor.peaks.history
        now = self._editor.peaks.result
        rows = [
            [Cell(time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(h.at)), h.at),
             Cell(h.what + ("  (shown)" if h.result is now else ""), h.what),
             Cell(str(len(h.result.model.peaks)), float(len(h.result.model.peaks))),
             Cell(f"{h.result.r_squared:.5f}", h.result.r_squared),
             Cell(f"{h.result.redchi:.4g}", h.result.redchi),
             Cell(f"{h.result.bic:.1f}", h.result.bic),
             Cell("; ".join(h.result.warnings) or "none", "")]
            for h in history
        ]  # fmt: skip
        curve = self._editor.curve
        sheet = self._open(f"Earlier fits of {curve.spectrum.name if curve else ''}")
        sheet.put(
            ("When", "What", "Peaks", "R²", "reduced χ²", "BIC", "Warnings"), rows,
            note="A double-click brings a fit back; that too can be undone.",
        )  # fmt: skip
        sheet.activated.connect(self.restore)
        sheet.add_button("Restore", lambda: self.restore(sheet.chosen()), "Bring this fit back")

    def restore(self, at: int | None) -> None:
        """Bring an earlier fit of the current curve back."""
        peaks = self._editor.peaks
        if at is not None and 0 <= at < len(peaks.history):
            what = peaks.history[at]
            shown = time.strftime("%H:%M:%S", time.localtime(what.at))
            self._editor.put(f"Restore the fit of {shown}", peaks.restored(at))
            self._close()

    # ---- other spectra --------------------------------------------------------------------

    def copy_to_selected(self) -> None:
        """Give the other selected spectra the same peaks, as one step."""
        editor = self._editor
        store, model, options = editor.context.store, editor.model, editor.peaks.options
        copies = {
            c.id: dataclasses.replace((c.peaks or Decomposition()).edited(model), options=options)
            for c in self.alike()
        }
        if not copies:
            editor.context.notify(
                "info", "Select the spectra to copy to as well.",
                "Ctrl+click in the list on the left; they must share the x axis.",
            )  # fmt: skip
            return
        count = counted(len(copies), "spectrum", "spectra")
        store.edit(f"Copy the peaks to {count}", store.state.with_peaks(copies))
        editor.context.notify("good", f"Copied the peaks to {count}.")

    def alike(self) -> list[Curve]:
        """The other selected spectra on the same kind of axis."""
        store, now = self._editor.context.store, self._editor.curve
        chosen = [store.state.curve(i) for i in store.selection.curves]
        return [
            c for c in chosen
            if now is not None and c.id != now.id
            and (c.spectrum.x_kind, c.spectrum.x_unit) == (now.spectrum.x_kind, now.spectrum.x_unit)
        ]  # fmt: skip

    # ---- lines of generated and measured spectra ------------------------------------------

    def partners(self) -> list[Curve]:
        """Other curves on the same axis that have peaks: those of the sample first."""
        store, now = self._editor.context.store, self._editor.curve
        if now is None:
            return []
        mine = store.state.sample_of(now.id).id
        found = [
            c for c in store.state.curves()
            if c.id != now.id and c.peaks is not None and c.peaks.model.peaks
            and (c.spectrum.x_kind, c.spectrum.x_unit) == (now.spectrum.x_kind, now.spectrum.x_unit)
        ]  # fmt: skip
        kinds = {now.spectrum.origin is Origin.GENERATED}
        return sorted(
            found,
            key=lambda c: (
                store.state.sample_of(c.id).id != mine,
                (c.spectrum.origin is Origin.GENERATED) in kinds,
            ),
        )

    def start_from_lines(self) -> None:
        """Fit those lines of the generated spectrum that the measured one shows."""
        editor, curve = self._editor, self._editor.curve
        made = [c for c in self.partners() if c.spectrum.origin is Origin.GENERATED]
        if curve is None or not made:
            editor.context.notify(
                "info", "There is no generated spectrum of this kind with lines.",
                "Generate this modality first, from another spectrum of the sample.",
            )  # fmt: skip
            return
        peaks = made[0].peaks
        assert peaks is not None
        editor.run(jobs.from_lines, "Generated lines", editor.peaks.edited(peaks.model))

    def show_matches(self) -> None:
        """The lines of this and another spectrum side by side."""
        others = self.partners()
        if not others or not self._editor.model.peaks:
            self._editor.context.notify(
                "info", "Two spectra with peaks on one axis are needed.",
                "Decompose the other one too; generated spectra have their lines.",
            )  # fmt: skip
            return
        sheet = self._open("Lines matched")
        powder = others[0].spectrum.x_kind is XKind.TWO_THETA
        reaches = ("0.05", "0.1", "0.2", "0.5") if powder else ("2", "5", "10", "20")
        names = self.titles(others)
        choices = [(c.id, n) for c, n in zip(others, names, strict=True)]
        other = sheet.add_chooser("Against", choices, lambda _: self._match(sheet))
        unit = pretty_unit(others[0].spectrum.x_unit)
        reach = sheet.add_chooser(
            "Within", [(r, f"{r} {unit}") for r in reaches], lambda _: self._match(sheet)
        )
        reach.setCurrentIndex(2)
        other.setObjectName("other")
        reach.setObjectName("reach")
        self._match(sheet)

    def _match(self, sheet: Sheet) -> None:
        from spectrogen_app.fitting.lines import match_lines

        combos = {c.objectName(): c for c in sheet.findChildren(QtWidgets.QComboBox)}
        store, now = self._editor.context.store, self._editor.curve
        try:
            other = store.state.curve(combos["other"].currentData())
        except KeyError:
            return
        if now is None or other.peaks is None:
            return
        matches = match_lines(
            self._editor.model, other.peaks.model, float(combos["reach"].currentData())
        )
        both = [m for m in matches if m.shift is not None]
        shifts = [m.shift for m in both if m.shift is not None]
        note = f"{len(both)} of {len(matches)} lines have a partner"
        if shifts:
            note += f"; mean shift {np.mean(shifts):+.3g}, spread {np.std(shifts):.3g}"
        sheet.put(
            (*_heads(self.titles([now, other])), "Shift", "Height ratio"),
            [match_row(m) for m in matches],
            note=f"{note}. Heights are relative to the strongest line of each spectrum.",
        )  # fmt: skip

    def titles(self, curves: list[Curve]) -> list[str]:
        """Names that tell curves apart."""
        state = self._editor.context.store.state
        names = titles_of([(c, state.sample_of(c.id)) for c in curves])
        return [
            f"{n}, {c.spectrum.origin.value}" if c.spectrum.origin is Origin.GENERATED else n
            for n, c in zip(names, curves, strict=True)
        ]

    def _open(self, name: str) -> Sheet:
        self._close()
        self.sheet = Sheet(name, self._editor.context.theme, self._window.window())
        self.sheet.destroyed.connect(self._gone)
        self.sheet.show()
        return self.sheet

    def _close(self) -> None:
        if self.sheet is not None:
            self.sheet.destroyed.disconnect(self._gone)
            self.sheet.close()
            self.sheet = None

    def _gone(self, *_: object) -> None:
        self.sheet = None


def _heads(names: list[str]) -> tuple[str, ...]:
    return tuple(h for n in names for h in (n, "FWHM"))


def match_row(match: Match) -> list[Cell]:
    """A pair of lines, or one alone."""
    cells = []
    for peak in (match.first, match.second):
        for value in (None, None) if peak is None else (peak.center, peak.fwhm):
            cells.append(_cell(value))
    shift = _cell(match.shift, "+.4g")
    return [*cells, shift, _cell(match.height_ratio, ".4g")]


def _cell(value: float | None, form: str = "") -> Cell:
    if value is None:
        return Cell("", float("nan"))
    return Cell(f"{value:{form}}" if form else number(value), float(value))
