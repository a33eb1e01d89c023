"""From the current sample to a frozen request, and from the answer to curves in the session."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from spectrogen_app.app import services
from spectrogen_app.app.decomposition import from_line_list
from spectrogen_app.app.services import GenerateRequest, WarmRequest
from spectrogen_app.app.session import PALETTE, Curve, Sample
from spectrogen_app.data.formula import parse_formula
from spectrogen_app.data.modality import MODALITIES
from spectrogen_app.data.provenance import Generation, Origin
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import FormulaError, SpectrogenError
from spectrogen_app.gui.context import Context
from spectrogen_app.gui.generate.view import GenerateView, ResultText, ScoreRow, SourceRow
from spectrogen_app.gui.samples.view import SHORT

if TYPE_CHECKING:
    from spectrogen_app.generation.bundle import ModelInfo
    from spectrogen_app.generation.result import GenerationResult

USUAL = ("raman", "ir", "xrd")
_UNUSABLE = (Origin.GENERATED, Origin.FIT)


@dataclass(frozen=True)
class Asked:
    """A request, and where its answer goes."""

    sample: str
    sources: tuple[str, ...]
    request: GenerateRequest


class GeneratePresenter:
    """The Generate task.

    Parameters
    ----------
    context : Context
    view : GenerateView
    """

    def __init__(self, context: Context, view: GenerateView) -> None:
        self._context, self._view = context, view
        self._unchecked: set[str] = set()
        self._checked: set[str] = set()
        self._models: tuple[ModelInfo, ...] = ()
        self._model_error = ""
        self._running = False
        self.after: tuple[str, ...] = ()
        view.sources_changed.connect(self._sources_changed)
        view.targets_changed.connect(self._targets_changed)
        view.formula_edited.connect(self._formula_edited)
        view.formula_done.connect(self._formula_done)
        view.formula_used.connect(self._formula_used)
        view.model_chosen.connect(self._model_chosen)
        view.seed_changed.connect(lambda seed: context.settings.change(seed=seed))
        view.generate_wanted.connect(self.generate)
        view.cancel_wanted.connect(self.cancel)
        context.store.changed.connect(self.refresh)
        context.store.selected.connect(self.refresh)
        used = context.settings().choices.get("generate.formula", True)
        view.use_formula.setChecked(bool(used))
        view.seed.setValue(context.settings().seed)
        self.refresh()

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """The models that can be chosen, the default first."""
        return self._models

    @property
    def chosen_model(self) -> ModelInfo | None:
        """The model that will generate."""
        wanted = self._context.settings().model_id
        return next(
            (m for m in self._models if m.model_id == wanted),
            self._models[0] if self._models else None,
        )

    def load_models(self) -> None:
        """Look which models there are."""
        from spectrogen_app.generation.bundle import list_models

        self._models = list_models()
        self._model_error = (
            "" if self._models else "No model is installed; the program's models folder is empty."
        )
        self._view.show_models(
            [(m.model_id, m.name) for m in self._models], self._context.settings().model_id
        )
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Follow the session and the selection."""
        sample = self._context.store.current_sample
        curves = [c for c in sample.curves if c.spectrum.origin not in _UNUSABLE] if sample else []
        chosen = self._chosen(curves)
        self._view.show_sources(
            tuple(
                SourceRow(
                    c.id, f"{source_text(c)}", c.colour, c.spectrum.origin.value, c.id in chosen
                )
                for c in curves
            )
        )
        used = {c.spectrum.modality for c in curves if c.id in chosen}
        self._view.show_targets(
            [(m, SHORT[m], m in self._targets(used)) for m in self._target_names()]
        )
        self._view.show_formula(plain_formula(sample.formula) if sample else "")
        self._view.formula.setEnabled(sample is not None and self._view.use_formula.isChecked())
        self._validate()
        self._view.show_result(self._result(sample) if sample else None)

    def generate(self) -> None:
        """Ask for what is chosen; the answer becomes one step of the history."""
        asked = self._asked()
        if asked is None:
            return
        self._running = True
        self._view.set_running(True)
        self._validate()
        runner = self._context.worker
        runner.submit(
            services.generate, asked.request, "Generating",
            on_done=lambda result: self._arrived(asked, result), on_failed=self._failed,
        )  # fmt: skip
        runner.idle.connect(self._idle)

    def generate_for(self, targets: tuple[str, ...]) -> None:
        """Generate these targets from the current sample's other spectra."""
        self._context.settings.change(targets=targets)
        self._context.settings.choose("generate.by_hand", True)
        self._unchecked.clear()
        self.refresh()
        self.generate()

    def cancel(self) -> None:
        """Stop the generation."""
        self._context.worker.cancel()

    def _chosen(self, curves: list[Curve]) -> set[str]:
        """Sources ticked: by the user, or else the current curve, or one of each modality."""
        ids = {c.id for c in curves}
        by_hand = self._checked & ids
        if by_hand or self._unchecked & ids:
            return by_hand
        current = self._context.store.selection.curve
        if current in ids:
            return {current}
        first: dict[str, str] = {}
        for curve in curves:
            first.setdefault(curve.spectrum.modality, curve.id)
        return {i for m, i in first.items() if m in self._input_names()}

    def _input_names(self) -> tuple[str, ...]:
        model = self.chosen_model
        return tuple(model.inputs) if model is not None else USUAL

    def _target_names(self) -> tuple[str, ...]:
        model = self.chosen_model
        names = model.targets if model is not None else USUAL
        return tuple(m for m in MODALITIES if m in names)

    def _targets(self, used: set[str]) -> set[str]:
        by_hand = self._context.settings().choices.get("generate.by_hand")
        if by_hand:
            return set(self._context.settings().targets)
        return set(self._target_names()) & set(USUAL) - used

    def _asked(self) -> Asked | None:
        sample = self._context.store.current_sample
        ids = self._view.sources()
        targets = self._view.targets()
        if sample is None or not ids or not targets or self._formula_error() is not None:
            return None
        spectra = tuple(c.spectrum for c in sample.curves if c.id in ids)
        settings = self._context.settings()
        model = self.chosen_model
        return Asked(
            sample.id, tuple(ids),
            GenerateRequest(
                spectra, tuple(targets), self._formula(), settings.seed,
                model.model_id if model is not None else None, settings.device,
            ),
        )  # fmt: skip

    def _formula(self) -> str | None:
        text = self._view.formula.text().strip()
        return text if text and self._view.use_formula.isChecked() else None

    def _formula_error(self) -> FormulaError | None:
        text = self._formula()
        if text is None:
            return None
        try:
            parse_formula(text)
        except FormulaError as error:
            return error
        return None

    def _validate(self) -> None:
        error = self._formula_error()
        text = self._formula()
        if error is not None and text is not None:
            self._view.show_formula_state(True, marked(text, error))
        else:
            note = ""
            if text is not None:
                found = parse_formula(text)
                note = html.escape("; ".join(found.assumptions))
            self._view.show_formula_state(False, note)
        missing = self._missing(error)
        self._view.set_ready(not missing and not self._running, missing)

    def _missing(self, error: FormulaError | None) -> str:
        if self._model_error:
            return self._model_error
        if self._context.store.current_sample is None:
            return ""
        if not self._view.sources():
            return "Tick at least one spectrum to generate from."
        if not self._view.targets():
            return "Tick at least one modality to generate."
        if error is not None:
            return "Correct the formula, or untick it."
        return ""

    def _arrived(self, asked: Asked, result: GenerationResult) -> None:
        store = self._context.store
        state = store.state
        try:
            sample = state.sample(asked.sample)
        except KeyError:
            return
        made = [result[t] for t in result]
        state = state.add_derived(asked.sample, made, asked.sources)
        for curve in state.sample(asked.sample).curves:
            if any(curve.spectrum is spectrum for spectrum in made):
                lines = result.lines.get(curve.spectrum.modality, ())
                state = state.edit_curve(
                    curve.id, colour=free_colour(curve, sample), peaks=from_line_list(lines)
                )
        beside = [c for c in sample.curves if c.spectrum.origin is not Origin.GENERATED]
        for target in result:
            there = [c for c in beside if c.spectrum.modality == target]
            if there and not any(c.visible for c in there):
                state = state.show([there[0].id], True)
        what = ", ".join(SHORT[t] for t in result)
        store.edit(f"Generate {what} for {sample.name}", state)

    def _failed(self, error: SpectrogenError) -> None:
        self._context.notify("error", error.message, error.hint)

    def _idle(self) -> None:
        self._context.worker.idle.disconnect(self._idle)
        self._running = False
        self._view.set_running(False)
        self._validate()

    def _sources_changed(self, ids: list[str]) -> None:
        offered = {r.id for r in self._view._rows}
        self._checked = (self._checked - offered) | set(ids)
        self._unchecked = (self._unchecked | offered) - set(ids)
        self._validate()

    def _targets_changed(self, names: list[str]) -> None:
        self._context.settings.change(targets=tuple(names))
        self._context.settings.choose("generate.by_hand", True)
        self._validate()

    def _formula_edited(self, _text: str) -> None:
        self._validate()

    def _formula_done(self, text: str) -> None:
        sample = self._context.store.current_sample
        if sample is not None and plain_formula(sample.formula) != text.strip():
            self._context.store.edit(
                f"Formula of {sample.name}",
                self._context.store.state.edit_sample(sample.id, formula=text.strip() or None),
            )

    def _formula_used(self, on: bool) -> None:
        self._context.settings.choose("generate.formula", on)
        self.refresh()

    def _model_chosen(self, model_id: str) -> None:
        self._context.settings.change(model_id=model_id)
        self.refresh()
        self._context.worker.submit(
            services.warm_model, WarmRequest(model_id, self._context.settings().device),
            "Getting the model ready",
        )  # fmt: skip

    def _result(self, sample: Sample) -> ResultText | None:
        made = [
            c for c in sample.curves
            if c.spectrum.origin is Origin.GENERATED and c.spectrum.provenance.generation
        ]  # fmt: skip
        if not made:
            return None
        latest = made[-1].spectrum.provenance.generation
        assert latest is not None
        measured = [
            c for c in sample.curves if c.spectrum.origin in (Origin.MEASURED, Origin.SIMULATED)
        ]
        scores = []
        for curve in made:
            for truth in measured:
                if truth.spectrum.modality == curve.spectrum.modality:
                    row = score_row(curve.spectrum, truth.spectrum)
                    if row is not None:
                        scores.append(row)
        words, level = familiar(latest.familiarity)
        return ResultText(
            latest.familiarity, words, level, made_by(latest),
            tuple(
                (r.mineral, r.sample_id, f"{100 * r.weight:.0f} %") for r in latest.references[:6]
            ),
            latest.notes, tuple(scores[:8]),
        )  # fmt: skip


def free_colour(curve: Curve, sample: Sample) -> str:
    """A colour that no other curve of its modality in the sample has."""
    taken = {
        c.colour for c in sample.curves
        if c.id != curve.id and c.spectrum.modality == curve.spectrum.modality
    }  # fmt: skip
    if curve.colour not in taken:
        return curve.colour
    return next((c for c in PALETTE if c not in taken), curve.colour)


def source_text(curve: Curve) -> str:
    """A spectrum in the list of sources."""
    s = curve.spectrum
    laser = f" {s.laser_nm:.0f} nm" if s.laser_nm and s.modality == "raman" else ""
    origin = "" if s.origin is Origin.MEASURED else f", {s.origin.value}"
    return f"{SHORT[s.modality]}{laser}{origin}  ·  {s.name}"


def plain_formula(text: str | None) -> str:
    """The formula without the marks of subscripts, ``CaCO_3_`` as ``CaCO3``."""
    return re.sub(r"_([\d.]+)_", r"\1", text or "")


def marked(text: str, error: FormulaError) -> str:
    """The formula with the place of the error marked, and what is wrong, as rich text."""
    at = error.fields.get("position")
    shown = ""
    if isinstance(at, int):
        before, here, after = text[:at], text[at : at + 1] or "&nbsp;", text[at + 1 :]
        here = here if here == "&nbsp;" else html.escape(here)
        shown = f"<tt>{html.escape(before)}<u><b>{here}</b></u>{html.escape(after)}</tt><br>"
    message = error.message.partition(" (character")[0].rstrip(".")
    return f"{shown}{html.escape(message)}. {html.escape(error.hint)}"


def familiar(value: float) -> tuple[str, str]:
    """A familiarity in words, and the role of the label that says them."""
    if value >= 0.7:
        return "Like spectra that the model has learned.", "muted"
    if value >= 0.4:
        return "Partly like what the model has learned: compare with the references.", "warn"
    return "Not like anything the model has learned: do not rely on this.", "bad"


def made_by(made: Generation) -> str:
    """Model, seed, device and band in one line."""
    return (
        f"{made.model_id} ({made.model_sha256[:10]}), seed {made.seed}, {made.device}; "
        f"band {100 * made.coverage:.0f} %"
    )


@lru_cache(maxsize=256)
def score_row(generated: Spectrum, measured: Spectrum) -> ScoreRow | None:
    """The scores of one pair; None where they cannot be compared."""
    try:
        score = services.compare(generated, measured).score
    except SpectrogenError:
        return None
    return ScoreRow(
        SHORT[measured.modality], f"against {measured.name}", f"{score.r:.3f}",
        f"{score.rmse:.3f}", f"{score.f1:.2f}",
    )  # fmt: skip
