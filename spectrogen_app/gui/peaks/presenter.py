"""The Peaks task: from the current curve to its tables, and from their edits to the session."""

from __future__ import annotations

import dataclasses
import math
import re

from spectrogen_app.data.axis import XKind
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.fitting import shapes
from spectrogen_app.fitting.advice import bound_reached
from spectrogen_app.fitting.model import Background, Model, Param, Peak
from spectrogen_app.fitting.result import Estimate, FitResult
from spectrogen_app.gui.context import Context
from spectrogen_app.gui.peaks import jobs
from spectrogen_app.gui.peaks.editing import BACKGROUND, PeakEditor, options_text
from spectrogen_app.gui.peaks.gestures import Gestures
from spectrogen_app.gui.peaks.tables import ParamRow, PeakRow, number
from spectrogen_app.gui.peaks.view import AdviceRow, PeaksView
from spectrogen_app.gui.plotting.fit import peak_colour

ADVICE_SHOWN = 4
_TINY = 1e-9
SHORT = {
    "gaussian": "Gauss", "lorentzian": "Lorentz", "voigt": "Voigt", "pseudo_voigt": "p-Voigt",
    "split_pseudo_voigt": "split p-V", "pearson7": "Pearson", "fano": "Fano",
}  # fmt: skip
_LABELS = {"center": "Centre", "height": "Height", "fwhm_gauss": "Gauss", "eta": "Lor. part",
           "fwhm_lorentz": "Lorentz", "fwhm_left": "FWHM ◂", "fwhm_right": "FWHM ▸",
           "asymmetry": "1/q"}  # fmt: skip
_SIDES = {"low": ("min", -math.inf), "high": ("max", math.inf)}


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
        self._active = False
        self._advice: tuple[object, ...] = ()
        editor = self.editor
        editor.changed.connect(self.refresh)
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
        self._active = on
        self._context.plots.unfitted = on
        self._context.plots.refresh()
        self.gestures.set_active(on)
        self.refresh()

    def escape(self) -> bool:
        """Cancel a drag or leave peak mode; False when there was neither."""
        return self.gestures.escape()

    def do(self, name: str) -> None:
        """What a button or menu entry asks for."""
        act = getattr(self, f"_do_{name}", None)
        if act is not None:
            act()

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
            model = model.edit(parameter, **{
                f.name: getattr(changed, f.name) for f in dataclasses.fields(changed)
            })
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
        if result is not None and advice < len(result.advice):
            remedy = result.advice[advice].remedies[at]
            self.editor.fit(remedy.label, remedy.model)

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
        self.editor.edit("With K-alpha-2" if on else "Without K-alpha-2", model.replace(peaks=peaks))

    def _choose_background(self, kind: str) -> None:
        curve, model = self.editor.curve, self.editor.model
        if curve is None:
            return
        s = curve.spectrum
        under = Background.make(kind, s.x, s.y) if kind else None
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

    def refresh(self, *_: object) -> None:
        """Show the current curve's peaks."""
        if not self._active:
            return
        view, editor = self._view, self.editor
        curve, peaks, model = editor.curve, editor.peaks, editor.model
        view.show_subject(self._subject(), curve is not None)
        rows = self.peak_rows(model, peaks.result)
        view.show_peaks(rows, editor.selected, len(model.peaks))
        under = model.background.kind if model.background is not None else ""
        view.show_choices(self._shape, under)
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
        if self.editor.sketch is None and self.editor.panel_model is not None:
            return f"{curve.spectrum.name}: shown in units that peaks cannot be drawn in."
        return curve.spectrum.name

    def peak_rows(self, model: Model, result: FitResult | None) -> list[PeakRow]:
        """The peaks by position, then the background."""
        theme = self._context.theme.theme
        found = {p.name: p for p in result.peaks} if result is not None else {}
        rows = []
        for peak in sorted(model.peaks, key=lambda p: p.center):
            held = found.get(peak.name)
            four = (
                (held.center, held.height, held.fwhm, held.area) if held is not None
                else tuple(Estimate(v) for v in (peak.center, peak.height, peak.fwhm, peak.area))
            )  # fmt: skip
            rows.append(
                PeakRow(peak.name, SHORT[peak.shape],
                        peak_colour(peak.name, theme).name(), tuple(parts(e) for e in four))
            )  # fmt: skip
        if model.background is not None:
            rows.append(PeakRow(BACKGROUND, model.background.kind, theme.muted, (("", ""),) * 4))
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
                labels = {**{p.name: p.label for p in names.extra}, **_LABELS}
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
        if advice == self._advice:
            return
        self._advice = advice
        self._view.show_advice(
            [AdviceRow(a.message, tuple(r.label for r in a.remedies))
             for a in advice[:ADVICE_SHOWN]],
            max(0, len(advice) - ADVICE_SHOWN),
        )  # fmt: skip


def quality(result: FitResult | None) -> str:
    """How good a fit is, in one line."""
    if result is None:
        return "Not fitted yet, or edited since."
    state = "" if result.success else f"  ·  {result.message}"
    return (
        f"R² {result.r_squared:.5f}  ·  reduced χ² {result.redchi:.4g}\n"
        f"AIC {result.aic:.1f}  ·  BIC {result.bic:.1f}{state}"
    )


def parts(estimate: Estimate) -> tuple[str, str]:
    """Value and error with sensible digits, apart."""
    value, error = estimate.value, estimate.stderr
    if error is None or not error > 0:
        return number(value, 5), ""
    digits = 1 - math.floor(math.log10(error))
    if -5 <= digits <= 9 and abs(value) < 1e7:
        places = max(0, digits)
        return f"{value:.{places}f}", f"{round(error, digits):.{places}f}"
    return f"{value:.4e}", f"{error:.1e}"


def param_row(name: str, label: str, param: Param, result: FitResult | None) -> ParamRow:
    """A parameter as the table shows it."""
    held = result.params.get(name) if result is not None else None
    value, error = parts(held) if held is not None else (number(param.value), "")
    varied = not param.fixed and not param.tie
    return ParamRow(
        name, label, value, error, param.fixed,
        number(param.min) if abs(param.min) > _TINY else "0", number(param.max), param.tie,
        result is not None and varied and (not error or bound_reached(param) is not None),
    )  # fmt: skip


def edited(param: Param, field: str, value: object) -> Param:
    """The parameter after a cell was edited.

    Raises
    ------
    FitError
        No number, or bounds that exclude each other.
    """
    if field == "fixed":
        return param.replace(fixed=bool(value))
    text = str(value).strip().replace("−", "-")
    if field == "tie":
        return param.replace(tie=text)
    if field == "value":
        wanted = Param(text)  # type: ignore[arg-type]
        return param.replace(
            value=wanted.value, min=min(param.min, wanted.value), max=max(param.max, wanted.value)
        )
    side, free = _SIDES[field]
    bound = getattr(Param(0.0, **{side: text}), side) if text else free  # type: ignore[arg-type]
    return param.replace(**{side: bound, "value": 0.0 if math.isinf(bound) else bound}).moved(
        param.value
    )


def within_shape(model: Model, parameter: str, param: Param) -> Param:
    """The parameter within what its shape allows."""
    for peak in model.peaks:
        own = parameter.removeprefix(f"{peak.name}_")
        if own in shapes.shape(peak.shape).names and own != parameter:
            limit = unbounded(peak)[own]
            low, high = max(param.min, limit.min), min(param.max, limit.max)
            return param.replace(min=low, max=high).moved(param.value)
    return param


def bounded(peak: Peak) -> Peak:
    """With bounds around what it is, within the shape's own limits."""
    peak = peak.edit("center", min=peak.center - peak.fwhm, max=peak.center + peak.fwhm)
    ends = sorted((0.0, 2 * peak.height or 1.0))
    peak = peak.edit("height", min=ends[0], max=ends[1])
    for p in shapes.shape(peak.shape).extra:
        if p.of_width:
            value = peak[p.name].value
            peak = peak.edit(p.name, min=value / 3, max=value * 3)
    return peak


def unbounded(peak: Peak) -> Peak:
    """With the shape's own limits only."""
    fresh = Peak.make(peak.shape, peak.center, peak.height, max(peak.fwhm, 1e-12))
    for name, param in zip(shapes.shape(peak.shape).names, fresh.params, strict=True):
        peak = peak.edit(name, min=param.min, max=param.max)
    return peak


_RANGE = re.compile(r"\s*(-?[\d.]+(?:e-?\d+)?)\s*(?:-|–|to|\.\.)\s*(-?[\d.]+(?:e-?\d+)?)\s*")


def ranges(text: str) -> tuple[tuple[float, float], ...]:
    """Ranges such as ``510-530, 800-820``.

    Raises
    ------
    ValueError
        Anything else.
    """
    found = []
    for part in re.split(r"[,;]", text):
        if not part.strip():
            continue
        match = _RANGE.fullmatch(part)
        if match is None:
            raise ValueError(part)
        low, high = sorted((float(match[1]), float(match[2])))
        found.append((low, high))
    return tuple(found)

