"""Peaks that the data do not need go; those that they need stay."""

import numpy as np

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Cancelled
from spectrogen_app.fitting.model import Model, Peak
from spectrogen_app.fitting.simplify import simplify

X = np.linspace(0, 100, 600)
TRUE = Model((Peak.make("lorentzian", 30, 10, 4), Peak.make("lorentzian", 60, 5, 6)))
NOISE = np.random.default_rng(5).normal(0, 0.1, X.size)
SPECTRUM = Spectrum(X, TRUE.evaluate(X) + NOISE, modality="raman")


def test_needless_peaks_go_and_true_ones_stay() -> None:
    start = TRUE.add(*(Peak.make("lorentzian", c, 0.1, 3) for c in (12, 45, 85)))
    result = simplify(SPECTRUM, start)
    assert [round(p.center) for p in result.model.peaks] == [30, 60]


def test_a_weak_but_real_peak_stays() -> None:
    weak = TRUE.add(Peak.make("lorentzian", 85, 0.5, 5))
    spectrum = SPECTRUM.replace(y=weak.evaluate(X) + NOISE)
    assert len(simplify(spectrum, weak).model.peaks) == 3


def test_one_peak_is_left() -> None:
    flat = SPECTRUM.replace(y=NOISE)
    assert len(simplify(flat, TRUE).model.peaks) == 1


def test_cancelled_the_best_so_far_is_kept() -> None:
    calls = []

    def stop(fraction: float, message: str = "") -> None:
        calls.append(message)
        if "without" in message:
            raise Cancelled

    start = TRUE.add(Peak.make("lorentzian", 12, 0.1, 3))
    stopped = simplify(SPECTRUM, start, check=stop)
    assert stopped.cancelled
    assert len(stopped.model.peaks) == 3
    assert not simplify(SPECTRUM, start).cancelled
