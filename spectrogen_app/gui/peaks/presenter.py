"""The Peaks task: from the current curve to its tables, and from their edits to the session."""

from __future__ import annotations

import dataclasses

import numpy as np
from PySide6 import QtCore

from spectrogen_app.app.decomposition import Decomposition
from spectrogen_app.app.session import Curve, SessionState
from spectrogen_app.data.axis import XKind
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.fitting import shapes
from spectrogen_app.fitting.model import Background, Model
from spectrogen_app.fitting.options import included
from spectrogen_app.fitting.result import FitResult
from spectrogen_app.gui.context import Context
from spectrogen_app.gui.peaks import jobs
from spectrogen_app.gui.peaks.editing import BACKGROUND, PeakEditor, options_text
from spectrogen_app.gui.peaks.exchange import KINDS, Exchange
from spectrogen_app.gui.peaks.gestures import Gestures
from spectrogen_app.gui.peaks.many import BatchFit
from spectrogen_app.gui.peaks.rules import (
    LABELS,
    SHORT,
    bounded,
    edited,
    interval_names,
    param_row,
    peak_values,
    quality,
    ranges,
    remedies_of,
    unbounded,
    within_shape,
)
from spectrogen_app.gui.peaks.tables import PeakRow
from spectrogen_app.gui.peaks.view import SUBTRACT, AdviceRow, PeaksView
from spectrogen_app.gui.plotting.fit import peak_colour
from spectrogen_app.gui.process.presenter import ProcessPresenter

ADVICE_SHOWN = 4
AFTER_MS = 20
"""From a fit on the plot to its numbers beside it, so that the window never stops for both."""


class PeaksPresenter:
    """The Peaks task.

    Parameters
    ----------
    context : Context
    view : PeaksView
    """

    def __init__(self, context: Context, view: PeaksView) -> None:
        self._context, self._view = context, view
        self.editor = PeakEditor(context)
        self.gestures = Gestures(self.editor)
        self.exchange = Exchange(self.editor, view)
        self.many = BatchFit(self.editor, view, self._selected_curves, self.exchange.titles)
        self.subtraction = ProcessPresenter(context, view.baseline, carried)
        view.baseline.reset_wanted.connect(self.refresh)
        view.baseline.added.connect(self.refresh)
        self._active = self._warmed = False
        self._advice: tuple[tuple[AdviceRow, ...], int] = ((), 0)
        editor = self.editor
        self._later = QtCore.QTimer(view)
        self._later.setSingleShot(True)
        self._later.setInterval(AFTER_MS)
        self._later.timeout.connect(self.refresh)
        editor.changed.connect(self._follow)
        editor.chosen.connect(self.refresh)
        editor.running.connect(view.set_running)
        self.gestures.mode_changed.connect(view.set_mode)
        view.asked.connect(self.do)
        view.mode_toggled.connect(self.gestures.set_mode)
        view.new_shape_chosen.connect(self._choose_new_shape)
        view.background_chosen.connect(self._choose_background)
        view.shape_chosen.connect(self._choose_shape)
        view.partner_toggled.connect(self._toggle_partner)
        view.peak_chosen.connect(editor.choose)
        view.peaks_removed.connect(self._remove)
        view.edited.connect(self.edit)
        view.remedy_wanted.connect(self.remedy)
        view.option_changed.connect(self._set_option)
        self._shape = str(context.settings().choices.get("peaks.shape", ""))
        editor.shape = self._shape or "pseudo_voigt"
        self.refresh()

    # ---- the window's commands ------------------------------------------------------------

    def set_active(self, on: bool) -> None:
        """The tab came to the front, or went."""
        if on and not self._warmed:
            self._warmed = True
            self._context.previews.submit(jobs.warm, None, "Getting ready to fit")
        self._active = on
        self._context.plots.unfitted = on
        self._context.plots.refresh()
        self.gestures.set_active(on)
        self.subtraction.set_active(on)
        self.refresh()

    def escape(self) -> bool:
        """Cancel a drag, leave peak mode or the baseline; False when there was none of them."""
        if self.gestures.escape():
            return True
        under_way = bool(self._active and self.subtraction.steps)
        if under_way:
            self._view.baseline.reset_wanted.emit()
        return under_way

    def do(self, name: str) -> None:
        """What a button or menu entry asks for."""
        if name in KINDS:
            self.exchange.ask_report(name)
        else:
            getattr(self, f"_do_{name}")()

    def _do_auto(self) -> None:
        curve = self.editor.curve
        if curve is None:
            return
        under = self.editor.model.background
        self.editor.run(
            jobs.auto, "Find peaks", shape=self._shape or None,
            background=under.kind if under is not None else None,
        )  # fmt: skip

    def _do_fit(self) -> None:
        self.editor.fit()

    def _do_stop(self) -> None:
        self.editor.stop()

    def _do_residual(self) -> None:
        self.editor.run(jobs.at_residual, "Add a peak", shape=self._shape or None)

    def _do_simplify(self) -> None:
        self.editor.run(jobs.simpler, "Simplify")

    def _do_mend(self) -> None:
        self.editor.run(jobs.mend, "Mend")

    def _do_results(self) -> None:
        self.exchange.show_correlations()

    def _do_history(self) -> None:
        self.exchange.show_history()

    def _do_lines(self) -> None:
        self.exchange.show_matches()

    def _do_line_list(self) -> None:
        self.exchange.start_from_lines()

    def _do_save_template(self) -> None:
        self.exchange.ask_template()

    def _do_load_template(self) -> None:
        self.exchange.ask_load()

    def _do_copy(self) -> None:
        self.exchange.copy_to_selected()

    def _do_batch(self) -> None:
        self.many.begin(self._shape or None)

    def _do_clear(self) -> None:
        self.editor.edit("Remove all peaks", Model())

    def _do_delete(self) -> None:
        self._remove([self.editor.selected])

    def _do_bound(self) -> None:
        self._change_peak("Bound", bounded)

    def _do_free(self) -> None:
        self._change_peak("Unbound", unbounded)

    def _do_as_visible(self) -> None:
        drawing, canvas = self.editor.sketch, self.editor.canvas
        if drawing is not None and canvas is not None:
            ends = sorted(drawing.frame.from_x(x) for x in canvas.ranges()[0])
            self.editor.set_options(within=(ends[0], ends[1]))

    # ---- edits ----------------------------------------------------------------------------

    def edit(self, parameter: str, field: str, value: object) -> None:
        """A cell of the parameter table was edited."""
        model = self.editor.model
        try:
            param = dict(model.parameters())[parameter]
            changed = within_shape(model, parameter, edited(param, field, value))
            model = model.edit(
                parameter, **{f.name: getattr(changed, f.name) for f in dataclasses.fields(changed)}
            )
            if field == "tie" and changed.tie:
                from spectrogen_app.fitting.preview import with_ties

                model = with_ties(model)
        except SpectrogenError as error:
            self._view.show_trouble(str(error))
            return
        self._view.show_trouble("")
        self.editor.edit(f"Change {parameter}", model)

    def remedy(self, advice: int, at: int) -> None:
        """Do what an advice suggests, and fit."""
        result = self.editor.peaks.result
        if result is None or advice >= len(result.advice):
            return
        found = result.advice[advice]
        if at < len(found.remedies):
            self.editor.fit(found.remedies[at].label, found.remedies[at].model)
        else:
            names = interval_names(found, result)
            self.editor.run_other(
                jobs.intervals, jobs.IntervalRequest(result, names), "Confidence intervals",
                self.exchange.show_intervals,
            )  # fmt: skip

    def _selected_curves(self) -> list[Curve]:
        now = self.editor.curve
        return [] if now is None else [now, *self.exchange.alike()]

    def _remove(self, names: list[str]) -> None:
        if BACKGROUND in names:
            self._choose_background("")
        self.editor.remove(*names)

    def _change_peak(self, verb: str, change: object) -> None:
        model = self.editor.model
        for peak in model.peaks:
            if peak.name == self.editor.selected and callable(change):
                self.editor.edit(f"{verb} {peak.name}", model.with_peak(change(peak)))

    def _choose_new_shape(self, shape: str) -> None:
        self._shape = shape
        self.editor.shape = shape or "pseudo_voigt"
        self._context.settings.choose("peaks.shape", shape)

    def _choose_shape(self, shape: str) -> None:
        self._change_peak("Change the shape of", lambda p: p.with_shape(shape))

    def _toggle_partner(self, on: bool) -> None:
        model = self.editor.model
        peaks = tuple(dataclasses.replace(p, partner=on) for p in model.peaks)
        what = "With K-alpha-2" if on else "Without K-alpha-2"
        self.editor.edit(what, model.replace(peaks=peaks))

    def _choose_background(self, kind: str) -> None:
        curve, model = self.editor.curve, self.editor.model
        if curve is None:
            return
        if kind == SUBTRACT:
            self.gestures.set_mode(False)
            self._view.baseline.begin()
            return
        self._view.baseline.reset_wanted.emit()
        s = curve.spectrum
        keep = included(s.x, self.editor.peaks.options)
        if np.count_nonzero(keep) < 2:
            keep[:] = True
        under = Background.make(kind, s.x[keep], s.y[keep]) if kind else None
        if under is not None and model.background is not None:
            kept = model.background.params[: len(under.params)]
            under = dataclasses.replace(
                model.background, params=(*kept, *under.params[len(kept) :])
            )
        if (under and under.kind) != (model.background and model.background.kind):
            label = f"{kind.capitalize()} background" if kind else "No background"
            self.editor.edit(label, model.replace(background=under).remove())

    def _set_option(self, field: str, text: str) -> None:
        try:
            if field == "within":
                spans = ranges(text)
                self.editor.set_options(within=spans[0] if spans else None)
            elif field == "exclude":
                self.editor.set_options(exclude=ranges(text))
            else:
                self.editor.set_options(**{field: text})
        except ValueError:
            self._context.notify(
                "error", f"{text!r} is no range.", "Write such as 200-1300, or 510-530, 800-820."
            )
            self.refresh()

    # ---- showing --------------------------------------------------------------------------

    def _follow(self) -> None:
        """A fit that arrives is drawn first, and written a moment later."""
        if self.editor.arriving:
            self._later.start()
        else:
            self.refresh()

    def refresh(self, *_: object) -> None:
        """Show the current curve's peaks."""
        self._later.stop()
        if not self._active:
            return
        view, editor = self._view, self.editor
        curve, peaks, model = editor.curve, editor.peaks, editor.model
        view.show_subject(self._subject(), curve is not None)
        rows = self.peak_rows(model, peaks.result)
        view.show_peaks(rows, editor.selected, len(model.peaks))
        under = model.background.kind if model.background is not None else ""
        view.show_choices(self._shape, SUBTRACT if self.subtraction.steps else under)
        o = peaks.options
        within = f"{o.within[0]:.6g}-{o.within[1]:.6g}" if o.within else ""
        view.show_options(o.weights, o.loss, within, options_text(o))
        view.show_quality(quality(peaks.result) if model.peaks or peaks.result else "")
        view.show_trouble("")
        self._show_params(model, peaks.result)
        self._show_advice(peaks.result)
        for name, entry in view.entries.items():
            needs = {"results": peaks.result, "history": peaks.history, "clear": rows,
                     "report_csv": peaks.result, "report_json": peaks.result,
                     "report_txt": peaks.result, "curves": peaks.result, "save_template": rows,
                     "copy": rows, "lines": rows}  # fmt: skip
            entry.setEnabled(bool(needs.get(name, True)))

    def _subject(self) -> str:
        curve = self.editor.curve
        if curve is None:
            return "Select a spectrum to decompose."
        panel = self.editor.panel_model
        if self.editor.sketch is None and panel is not None:
            shown = any(t.id == curve.id for t in panel.traces)
            why = "shown in units that peaks cannot be drawn in" if shown else "hidden"
            return f"{curve.spectrum.name}: {why}."
        return curve.spectrum.name

    def peak_rows(self, model: Model, result: FitResult | None) -> list[PeakRow]:
        """The peaks by position, then the background."""
        theme = self._context.theme.theme
        found = {p.name: p for p in result.peaks} if result is not None else {}
        rows = []
        for peak in sorted(model.peaks, key=lambda p: p.center):
            rows.append(
                PeakRow(peak.name, SHORT[peak.shape], peak_colour(peak.name, theme).name(),
                        peak_values(peak, found.get(peak.name)))
            )  # fmt: skip
        if model.background is not None:
            kind, empty = model.background.kind, (("", ""),) * 4
            rows.append(PeakRow(BACKGROUND, kind, theme.muted, empty, "Backgr."))
        return rows

    def _show_params(self, model: Model, result: FitResult | None) -> None:
        name = self.editor.selected
        if name == BACKGROUND and model.background is not None:
            rows = [
                param_row(f"bg_c{k}", f"c{k}", p, result)
                for k, p in enumerate(model.background.params)
            ]
            self._view.show_params("Background", rows, "", None)
            return
        for peak in model.peaks:
            if peak.name == name:
                names = shapes.shape(peak.shape)
                labels = {**{p.name: p.label for p in names.extra}, **LABELS}
                rows = [
                    param_row(f"{peak.name}_{n}", labels[n], p, result)
                    for n, p in zip(names.names, peak.params, strict=True)
                ]
                curve = self.editor.curve
                powder = curve is not None and curve.spectrum.x_kind is XKind.TWO_THETA
                self._view.show_params(name, rows, peak.shape, peak.partner if powder else None)
                return
        self._view.show_params("", [], "", None)

    def _show_advice(self, result: FitResult | None) -> None:
        advice = result.advice if result is not None else ()
        rows = tuple(AdviceRow(a.message, remedies_of(a, result)) for a in advice[:ADVICE_SHOWN])
        shown = (rows, max(0, len(advice) - ADVICE_SHOWN))
        if shown != self._advice:
            self._advice = shown
            self._view.show_advice(*shown)


def carried(state: SessionState, source: str, new: str) -> SessionState:
    """The peaks of a spectrum go on where its baseline is subtracted, without a background."""
    peaks = state.curve(source).peaks
    if peaks is None or not peaks.model.peaks:
        return state
    model = peaks.model.replace(background=None).remove()
    return state.edit_curve(new, peaks=Decomposition(options=peaks.options).edited(model))
