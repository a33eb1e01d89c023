"""Decides which curves each panel shows, and how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import lru_cache

from spectrogen_app.app import display, services
from spectrogen_app.app.decomposition import FitCurves, sketch
from spectrogen_app.app.display import Look, Scale
from spectrogen_app.app.session import Curve, Sample
from spectrogen_app.app.settings import Settings
from spectrogen_app.data.modality import MODALITIES
from spectrogen_app.data.provenance import Origin
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.gui.plotting.model import PanelModel, Residual, Trace
from spectrogen_app.gui.plotting.panel import PlotArea
from spectrogen_app.gui.store import SessionStore

DRAWN_LIMIT = 80
"""Curves drawn at once in one panel."""
STACK = 0.6
"""Offset from curve to curve in a stack, as a share of the tallest."""
PREVIEW_COLOURS = ("#ff7f0e", "#7f7f7f")
_TAGS: dict[Origin, str] = {o: o.value for o in Origin if o is not Origin.MEASURED}


def titles_of(curves: list[tuple[Curve, Sample]]) -> list[str]:
    """Names of curves beside one another; what has one name is told apart by laser or file."""
    names = [
        s.name if c.spectrum.origin is Origin.GENERATED else c.spectrum.name or s.name
        for c, s in curves
    ]
    for tell in (_laser, _file):
        keys = Counter((n, c.spectrum.origin) for n, (c, _) in zip(names, curves, strict=True))
        names = [
            f"{n}, {tell(c)}" if keys[n, c.spectrum.origin] > 1 and tell(c) else n
            for n, (c, _) in zip(names, curves, strict=True)
        ]
    return names


def _laser(curve: Curve) -> str:
    s = curve.spectrum
    return f"{s.laser_nm:.0f} nm" if s.laser_nm and s.origin is not Origin.GENERATED else ""


def _file(curve: Curve) -> str:
    s = curve.spectrum
    if s.origin in (Origin.GENERATED, Origin.FIT):
        return ""
    if s.provenance.steps:
        return s.provenance.steps[-1].partition("(")[0]
    name = s.provenance.path.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]
    return name if name != s.name else ""


class PlotPresenter:
    """Keeps the panels in step with the session and the selection.

    Parameters
    ----------
    store : SessionStore
    view : PlotArea
    settings : callable() -> Settings
    change_settings : callable(**changes)
    """

    def __init__(
        self,
        store: SessionStore,
        view: PlotArea,
        settings: Callable[[], Settings],
        change_settings: Callable[..., None],
    ) -> None:
        self._store, self._view = store, view
        self._settings, self._change = settings, change_settings
        self._scales: dict[str, Scale] = {}
        self._stacked: set[str] = set()
        self._residual_off: set[str] = set()
        self._legend_hidden: set[str] = set()
        self._pairs: dict[str, tuple[str, str]] = {}
        self._preview: tuple[Spectrum, ...] = ()
        self.solo = False
        self.labels = False
        self.unfitted = False
        self.models: tuple[PanelModel, ...] = ()
        store.changed.connect(self.refresh)
        store.selected.connect(self.refresh)
        view.x_chosen.connect(self.choose_x)
        view.y_chosen.connect(self.choose_y)
        view.scale_chosen.connect(self._choose_scale)
        view.stack_toggled.connect(self._toggle_stack)
        view.reverse_toggled.connect(self._toggle_reverse)
        view.residual_toggled.connect(self._toggle_residual)
        view.legend_clicked.connect(self._legend_clicked)
        view.curve_clicked.connect(self._curve_clicked)

    def refresh(self, *_: object) -> None:
        """Draw what the session and the selection ask for."""
        by_modality: dict[str, list[tuple[Curve, Sample]]] = {m: [] for m in MODALITIES}
        hidden: dict[str, list[tuple[Curve, Sample]]] = {m: [] for m in MODALITIES}
        state, chosen = self._store.state, self._store.selection
        self._legend_hidden &= {c.id for c in state.curves() if not c.visible}
        for sample in state.samples:
            mine = sample.id == chosen.sample
            for curve in sample.curves:
                if curve.id in self._legend_hidden:
                    if not self.solo or mine:
                        hidden[curve.spectrum.modality].append((curve, sample))
                elif (mine if self.solo else curve.visible) or curve.id in chosen.curves:
                    by_modality[curve.spectrum.modality].append((curve, sample))
        self.models = tuple(
            self._panel(m, curves, hidden[m])
            for m, curves in by_modality.items()
            if curves or hidden[m]
        )
        notes = {m.modality: self._note(m, len(by_modality[m.modality])) for m in self.models}
        self._view.show_panels(
            self.models, notes,
            {m.modality: m.modality not in self._residual_off for m in self.models},
        )  # fmt: skip

    def preview(self, *spectra: Spectrum) -> None:
        """Draw spectra dotted, without their being in the session; none ends the preview."""
        self._preview = spectra
        self.refresh()

    def set_pair(self, modality: str, generated: str, measured: str) -> None:
        """Show the residual of these two curves in the modality's panel."""
        self._pairs[modality] = (generated, measured)
        self._residual_off.discard(modality)
        self.refresh()

    def pair(self, modality: str, drawn: list[Curve]) -> tuple[Curve, Curve] | None:
        """Which two drawn curves the residual is of: the chosen pair, or what belongs together."""
        by_id = {c.id: c for c in drawn}
        chosen = self._pairs.get(modality)
        if chosen is not None and chosen[0] in by_id and chosen[1] in by_id:
            return by_id[chosen[0]], by_id[chosen[1]]
        found = [
            (g, m)
            for g in drawn
            for m in drawn
            if g.spectrum.origin is Origin.GENERATED
            and m.spectrum.origin is not Origin.GENERATED
            and self._store.state.sample_of(g.id) is self._store.state.sample_of(m.id)
        ]
        current = self._store.selection
        found.sort(
            key=lambda p: (
                current.curve not in (p[0].id, p[1].id),
                self._store.state.sample_of(p[0].id).id != current.sample,
            )
        )
        return found[0] if found else None

    def choose_x(self, modality: str, choice: str) -> None:
        """Show the modality on another axis."""
        units = self._settings().x_units
        self._change(x_units={**units, modality: choice})
        self.refresh()

    def next_x(self, modality: str) -> None:
        """Show the modality on the next axis it has."""
        for model in self.models:
            if model.modality == modality and model.x_choices:
                at = (
                    model.x_choices.index(model.shown.x) if model.shown.x in model.x_choices else -1
                )
                self.choose_x(modality, model.x_choices[(at + 1) % len(model.x_choices)])

    def choose_y(self, modality: str, unit: str) -> None:
        """Show the modality in another ordinate unit."""
        self._scales.pop(modality, None)
        self._change(y_units={**self._settings().y_units, modality: unit})
        self.refresh()

    def toggle_residual(self, modality: str) -> None:
        """Show or hide the residual strip."""
        self._toggle_residual(modality, modality in self._residual_off)

    def value_under(self, modality: str, x: float) -> tuple[str, float] | None:
        """Name and height of the current curve at x in a panel."""
        for model in self.models:
            if model.modality == modality:
                for trace in model.traces:
                    if trace.current:
                        value = display.value_at(trace.drawn, x)
                        return None if value is None else (trace.name, value)
        return None

    def _panel(
        self,
        modality: str,
        curves: list[tuple[Curve, Sample]],
        hidden: list[tuple[Curve, Sample]],
    ) -> PanelModel:
        settings = self._settings()
        look = Look(
            settings.x_units.get(modality, ""), settings.y_units.get(modality, ""),
            self._scales.get(modality, Scale.AUTO), STACK if modality in self._stacked else 0.0,
        )  # fmt: skip
        declared = MODALITIES[modality]
        chosen = self._store.selection.curve
        curves = self._limited(curves)
        names = dict(
            zip((c.id for c, _ in curves + hidden), titles_of(curves + hidden), strict=True)
        )
        spectra = [curve.spectrum for curve, _ in curves]
        preview = [s for s in self._preview if s.modality == modality]
        spectra += preview
        shown = display.show(spectra, look, modality)
        traces = [
            Trace(
                curve.id, names[curve.id], curve.colour, curve.spectrum.origin.value,
                _TAGS.get(curve.spectrum.origin, ""), drawn, curve.id == chosen and len(curves) > 1,
            )
            for (curve, _), drawn in zip(curves, shown.curves, strict=False)
            if drawn is not None
        ]  # fmt: skip
        for i, (spectrum, drawn) in enumerate(
            zip(preview, shown.curves[len(curves) :], strict=True)
        ):
            if drawn is not None:
                name = f"preview-{i}"
                traces.append(
                    Trace(name, spectrum.name, PREVIEW_COLOURS[i % 2], "preview", "", drawn)
                )
        pair = self.pair(modality, [c for c, _ in curves])
        current = next((t for t in traces if t.id == chosen), None)
        fit = self._fit(current, shown)
        usual = declared.reversed_x and not shown.x.startswith(("wavelength",))
        return PanelModel(
            modality, declared.label, shown, tuple(traces),
            tuple((c.id, names[c.id], c.colour, c.spectrum.origin.value) for c, _ in hidden),
            self._fit_residual(modality, fit, current) or self._residual(modality, pair, shown),
            pair is not None or fit is not None,
            self._labels(traces),
            usual != (modality in settings.normal_x), look,
            display.x_choices(spectra), display.y_choices(spectra), fit,
        )  # fmt: skip

    def _fit(self, current: Trace | None, shown: display.Shown) -> FitCurves | None:
        """The peaks of the current curve, as this panel draws it."""
        if current is None:
            return None
        curve = self._store.state.curve(current.id)
        if curve.peaks is None or not any(True for _ in curve.peaks.model.parameters()):
            return None
        if curve.peaks.result is None and not self.unfitted:
            return None
        drawing = sketch(curve.spectrum, current.drawn, shown.x, shown.y_unit)
        return None if drawing is None else drawing.curves(curve.peaks.model, curve.peaks.options)

    def _fit_residual(
        self, modality: str, fit: FitCurves | None, current: Trace | None
    ) -> Residual | None:
        if fit is None or current is None or modality in self._residual_off:
            return None
        return Residual(fit.residual, "Δ", current.colour)

    def _limited(self, curves: list[tuple[Curve, Sample]]) -> list[tuple[Curve, Sample]]:
        if len(curves) <= DRAWN_LIMIT:
            return curves
        chosen = set(self._store.selection.curves)
        first = [p for p in curves if p[0].id in chosen]
        return (first + [p for p in curves if p[0].id not in chosen])[:DRAWN_LIMIT]

    def _note(self, model: PanelModel, wanted: int) -> str:
        parts = []
        if wanted > DRAWN_LIMIT:
            parts.append(f"{DRAWN_LIMIT} of {wanted} curves drawn")
        if model.shown.problems:
            missing = sum(c is None for c in model.shown.curves)
            parts.append(f"{missing} not shown: {model.shown.problems[0]}")
        return "   ".join(parts)

    def _labels(self, traces: list[Trace]) -> tuple[tuple[float, float], ...]:
        if not self.labels or not traces:
            return ()
        trace = next((t for t in traces if t.current), traces[0])
        return display.peak_positions(trace.drawn)

    def _residual(
        self, modality: str, pair: tuple[Curve, Curve] | None, shown: display.Shown
    ) -> Residual | None:
        if pair is None or modality in self._residual_off:
            return None
        residual = residual_of(pair[0].spectrum, pair[1].spectrum)
        if residual is None:
            return None
        line = display.show([residual], Look(x=shown.x, scale=Scale.AS_IS), modality)
        if line.x != shown.x or line.curves[0] is None:
            return None
        return Residual(line.curves[0], "Δ", pair[0].colour)

    def _choose_scale(self, modality: str, scale: str) -> None:
        self._scales[modality] = Scale(scale)
        units = {k: v for k, v in self._settings().y_units.items() if k != modality}
        self._change(y_units=units)
        self.refresh()

    def _toggle_stack(self, modality: str, on: bool) -> None:
        (self._stacked.add if on else self._stacked.discard)(modality)
        self.refresh()

    def _toggle_reverse(self, modality: str, _on: bool) -> None:
        self._change(normal_x=tuple(set(self._settings().normal_x) ^ {modality}))
        self.refresh()

    def _toggle_residual(self, modality: str, on: bool) -> None:
        (self._residual_off.discard if on else self._residual_off.add)(modality)
        self.refresh()

    def _legend_clicked(self, _modality: str, curve_id: str) -> None:
        if curve_id.startswith("preview"):
            return
        curve = self._store.state.curve(curve_id)
        hide = curve_id not in self._legend_hidden
        (self._legend_hidden.add if hide else self._legend_hidden.discard)(curve_id)
        if curve.visible is hide:
            label = f"{'Hide' if hide else 'Show'} {curve.spectrum.name}"
            self._store.edit(label, self._store.state.show((curve_id,), not hide))
        else:
            self.refresh()

    def _curve_clicked(self, curve_id: str) -> None:
        if not curve_id.startswith("preview"):
            self._store.select_curve(curve_id)


@lru_cache(maxsize=64)
def residual_of(generated: Spectrum, measured: Spectrum) -> Spectrum | None:
    """Generated less measured as scores define it, or None where they cannot be compared."""
    try:
        compared = services.compare(generated, measured)
        return Spectrum(
            compared.x, compared.residual, modality=measured.modality,
            x_kind=compared.grid.x_kind, x_unit=compared.grid.x_unit,
            wavelength=compared.grid.wavelength, laser_nm=measured.laser_nm,
        )  # fmt: skip
    except SpectrogenError:
        return None
