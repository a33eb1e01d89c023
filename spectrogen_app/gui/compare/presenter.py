"""Chooses two curves of one modality and shows how well they agree."""

from __future__ import annotations

from spectrogen_app.app import services
from spectrogen_app.app.session import Curve
from spectrogen_app.data.provenance import Origin
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.gui.compare.view import CompareView
from spectrogen_app.gui.context import Context
from spectrogen_app.gui.samples.view import SHORT


class ComparePresenter:
    """The Compare task.

    Parameters
    ----------
    context : Context
    view : CompareView
    """

    def __init__(self, context: Context, view: CompareView) -> None:
        self._context, self._view = context, view
        self._pair: tuple[str | None, str | None] = (None, None)
        self._active = False
        context.store.changed.connect(self.refresh)
        context.store.selected.connect(self.refresh)
        view.first_chosen.connect(lambda i: self._choose(i, self._pair[1]))
        view.second_chosen.connect(lambda i: self._choose(self._pair[0], i))
        view.theme_changed.connect(self.refresh)
        view.swap_wanted.connect(lambda: self._choose(self._pair[1], self._pair[0]))
        self.refresh()

    def set_active(self, on: bool) -> None:
        """The tab came to the front, or went."""
        self._active = on
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Follow the session; the choice stays as long as both curves are there."""
        if not self._active:
            return
        state, chosen = self._context.store.state, self._context.store.selection
        everything = list(state.curves())
        alive = {c.id: c for c in everything}
        first, second = (i if i in alive else None for i in self._pair)
        current = self._context.store.current_curve
        if first is None or second is None:
            first, second = self._suggest(everything, current)
        focus = alive[first].spectrum.modality if first else (
            current.spectrum.modality if current else "")  # fmt: skip
        offered = [
            c for c in everything
            if c.visible or c.id in (first, second) or c.id in chosen.curves
        ]  # fmt: skip
        offered.sort(key=lambda c: c.spectrum.modality != focus)
        self._pair = (first, second)
        self._view.show_choices([_choice(c) for c in offered[:200]], first, second)
        self._show_scores(alive)

    def _suggest(self, curves: list[Curve], current: Curve | None) -> tuple[str | None, str | None]:
        """The current curve or a generated one, against a measured one of its sample."""
        sample = self._context.store.current_sample
        if sample is None:
            return None, None
        mine = list(sample.curves)
        generated = [c for c in mine if c.spectrum.origin is Origin.GENERATED]
        for first in ([current] if current else []) + generated:
            for second in mine + [c for c in curves if c.visible]:
                alike = second.spectrum.modality == first.spectrum.modality
                if second.id != first.id and alike:
                    if first.spectrum.origin is Origin.MEASURED and (
                        second.spectrum.origin is Origin.GENERATED
                    ):
                        return second.id, first.id
                    return first.id, second.id
        return (current.id if current else None), None

    def _choose(self, first: str | None, second: str | None) -> None:
        self._pair = (first, second)
        state = self._context.store.state
        if first and second:
            a, b = state.curve(first), state.curve(second)
            if a.spectrum.modality == b.spectrum.modality:
                hidden = [c.id for c in (a, b) if not c.visible]
                if hidden:
                    self._context.store.edit("Show the compared spectra", state.show(hidden, True))
                self._context.plots.set_pair(a.spectrum.modality, first, second)
        self.refresh()

    def _show_scores(self, alive: dict[str, Curve]) -> None:
        first, second = self._pair
        if first is None or second is None:
            self._view.show_scores((), "Show two spectra of one modality to compare them.")
            return
        if first == second:
            self._view.show_scores((), "These are one and the same curve.")
            return
        a, b = alive[first].spectrum, alive[second].spectrum
        if a.modality != b.modality:
            self._view.show_scores(
                (), f"{SHORT[a.modality]} and {SHORT[b.modality]} have no axis in common."
            )
            return
        try:
            score = services.compare(a, b).score
        except SpectrogenError as error:
            self._view.show_scores((), f"{error.message} {error.hint}")
            return
        self._view.show_scores((
            ("r", f"{score.r:.4f}", "Pearson correlation; 1 is perfect"),
            ("RMSE", f"{score.rmse:.4f}", "Root mean square difference; 1 is the highest peak"),
            ("Peak F1", f"{score.f1:.3f}", "Harmonic mean of the shares of peaks found and right"),
            ("Peaks", f"{score.peaks_matched} matched, of {score.peaks_predicted} against "
             f"{score.peaks_measured}", "Peaks of prominence 0.05 or more"),
            ("Points", f"{score.points:,}", "Grid points compared"),
        ))  # fmt: skip


def _choice(curve: Curve) -> tuple[str, str, str, str]:
    s = curve.spectrum
    origin = "" if s.origin is Origin.MEASURED else f" ({s.origin.value})"
    laser = f" {s.laser_nm:.0f} nm" if s.laser_nm and s.modality == "raman" else ""
    return curve.id, f"{SHORT[s.modality]}{laser}: {s.name}{origin}", curve.colour, s.origin.value
