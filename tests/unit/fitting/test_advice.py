"""What is wrong is named, and each remedy mends it."""

import dataclasses

import numpy as np
import pytest

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Cancelled
from spectrogen_app.fitting.advice import Advice, following
from spectrogen_app.fitting.api import fit, fit_model, mend
from spectrogen_app.fitting.model import Background, Model, Peak
from spectrogen_app.fitting.result import FitResult

X = np.linspace(100, 400, 601)


def data(model: Model, sigma: float = 0.05) -> Spectrum:
    y = model.evaluate(X) + np.random.default_rng(0).normal(0, sigma, X.size)
    return Spectrum(X, y, modality="raman")


def the(result: FitResult, kind: str) -> Advice:
    found = [a for a in result.advice if a.kind == kind]
    assert found, f"expected {kind}, found {result.warnings}"
    return found[0]


def mended(result: FitResult, advice: Advice) -> list[FitResult]:
    assert advice.remedies
    return [fit_model(result.spectrum, r.model, result.options) for r in advice.remedies]


LORENTZ = Model((Peak.make("lorentzian", 250, 10, 20),))


def test_nothing_wrong_is_said_of_a_good_fit() -> None:
    assert fit(data(LORENTZ), list(LORENTZ.peaks)).advice == ()


def test_mixing_at_its_limit_becomes_the_simpler_shape() -> None:
    truth = Model((Peak.make("gaussian", 250, 10, 20),))
    result = fit(data(truth), [Peak.make("pseudo_voigt", 252, 9, 18)])
    if not result.advice:
        pytest.skip("noise put the mixing inside")
    first = mended(result, the(result, "at_bound"))[0]
    assert first.peaks[0].shape == "gaussian"
    assert first.advice == ()


def test_bound_set_by_the_user_can_be_widened() -> None:
    peak = Peak.make("lorentzian", 250, 9, 12).edit("fwhm", max=15.0)
    result = fit(data(LORENTZ), [peak])
    advice = the(result, "at_bound")
    assert advice.parameters == ("p1_fwhm",)
    labels = {r.label: m for r, m in zip(advice.remedies, mended(result, advice), strict=True)}
    assert labels["Widen the bound"].advice == ()
    assert labels["Fix it there"].params["p1_fwhm"].value == 15


def test_two_peaks_on_each_other() -> None:
    twins = [Peak.make("lorentzian", 249.9, 5, 20), Peak.make("lorentzian", 250.1, 5, 20)]
    result = fit(data(LORENTZ), twins)
    kinds = {a.kind for a in result.advice}
    assert kinds & {"merged", "correlated", "no_error", "weak"}
    best = min(mended(result, result.advice[0]), key=lambda r: len(r.advice))
    assert len(best.advice) < len(result.advice)


def test_correlated_neighbours() -> None:
    truth = Model((Peak.make("gaussian", 245, 5, 30), Peak.make("gaussian", 255, 5, 30)))
    result = fit(data(truth, 0.02), list(truth.peaks))
    advice = the(result, "correlated")
    assert "cannot be told apart" in advice.message
    labels = [r.label for r in advice.remedies]
    assert "Merge them into one" in labels
    assert "Give both one width" in labels
    for again in mended(result, advice):
        assert len(again.advice) < len(result.advice)


def test_a_remedy_never_ties_in_a_circle() -> None:
    truth = Model((Peak.make("gaussian", 245, 5, 30), Peak.make("gaussian", 255, 5, 30)))
    for tied, to in (("p1", "p2"), ("p2", "p1")):
        start = truth.edit(f"{tied}_fwhm", tie=f"{to}_fwhm")
        result = fit(data(truth, 0.02), start)
        for advice in result.advice:
            assert len(mended(result, advice)) == len(advice.remedies)


def test_peak_wider_than_the_range_stands_in_for_a_background() -> None:
    y = 5 + 0.01 * X
    wide = [*LORENTZ.peaks, Peak.make("gaussian", 300, 7, 600).edit("center", fixed=True)]
    result = fit(data(LORENTZ).replace(y=data(LORENTZ).y + y), wide)
    advice = the(result, "wide")
    straight = mended(result, advice)[1]
    assert straight.model.background is not None
    assert straight.advice == ()


def test_peak_outside_and_narrow_and_weak() -> None:
    outside = fit(data(LORENTZ), [*LORENTZ.peaks, Peak.make("lorentzian", 700, 1, 9)])
    without, straight = mended(outside, the(outside, "outside"))
    assert without.advice == ()
    assert straight.model.background is not None
    spiked = data(LORENTZ)
    y = spiked.y.copy()
    y[100] += 40
    narrow = fit(spiked.replace(y=y), [*LORENTZ.peaks, Peak.make("gaussian", X[100], 40, 0.3)])
    assert mended(narrow, the(narrow, "narrow"))[0].peaks[0].height.value == pytest.approx(
        10, abs=0.3
    )
    little = Peak.make("lorentzian", 150, 0.001, 10).edit("center", fixed=True)
    weak = fit(data(LORENTZ), [*LORENTZ.peaks, little.edit("fwhm", fixed=True)])
    assert len(mended(weak, the(weak, "weak"))[0].peaks) == 1


def test_what_the_data_do_not_determine() -> None:
    flat = Peak.make("lorentzian", 150, 0.0, 10).edit("height", fixed=True)
    result = fit(data(LORENTZ), [*LORENTZ.peaks, flat])
    advice = the(result, "no_error")
    assert advice.parameters[0].startswith("p2_")
    assert mended(result, advice)[-1].advice == ()


def test_what_cannot_be_told_apart_may_keep_ratio_or_distance() -> None:
    two = Model((Peak.make("lorentzian", 250, 8, 9), Peak.make("lorentzian", 253, 4, 12)))
    high = following(two, "p1_fwhm", "p2_height")
    assert high is not None
    assert dict(high.parameters())["p2_height"].tie == "0.5 * p1_height"
    far = following(two, "p1_height", "p2_center")
    assert far is not None
    assert dict(far.parameters())["p2_center"].tie == "p1_center +3"
    tenfold = data(two).replace(y=10 * data(two).y)
    assert fit_model(tenfold, high).r_squared > 0.999
    assert fit_model(tenfold, two.edit("p2_height", fixed=True)).r_squared < 0.999
    for pair in (("p1_fwhm", "p1_height"), ("bg_c0", "p2_height"), ("p1_height", "bg_c0")):
        assert following(two.replace(background=Background.make("constant", X, X)), *pair) is None
    assert following(high, "p2_center", "p1_height") is None


def test_unfinished() -> None:
    result = fit(data(LORENTZ), list(LORENTZ.peaks))
    stopped = dataclasses.replace(
        result, success=False, message="not converged after 3 evaluations"
    )
    advice = the(stopped, "not_converged")
    assert "not converged" in advice.message
    assert mended(stopped, advice)[0].success


def test_all_that_is_wrong_is_mended() -> None:
    truth = Model((Peak.make("gaussian", 180, 10, 12), Peak.make("lorentzian", 250, 20, 9)))
    start = Model(tuple(Peak.make("pseudo_voigt", c, h, w) for c, h, w in (
        (181, 9, 14), (249, 10, 9), (251, 10, 8), (320, 0.1, 9), (355, 0.05, 700))))  # fmt: skip
    result = fit_model(data(truth), start)
    assert len(result.advice) >= 4
    calls = 0

    def stop(fraction: float, message: str) -> None:
        nonlocal calls
        calls += 1
        if calls > 3:
            raise Cancelled

    stopped = mend(result, stop)
    assert stopped.cancelled
    assert len(stopped.advice) <= len(result.advice)
    done = mend(result)
    assert done.warnings == ()
    strong = [p.center.value for p in done.peaks if p.height.value > 1]
    assert strong == pytest.approx([180, 250], abs=0.1)
    assert done.r_squared > 0.999
    assert mend(done) is done
