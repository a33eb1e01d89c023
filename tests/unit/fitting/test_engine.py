"""The solver against certified values, finite differences, and lmfit's own minimizer."""

import json
import math
from pathlib import Path

import lmfit
import numpy as np
import pytest

from spectrogen_app.errors import Cancelled, FitError
from spectrogen_app.fitting.engine import LOSSES, Problem, covariance, solve
from spectrogen_app.fitting.minimizer import Minimizer, solve_patiently
from spectrogen_app.fitting.model import Background, Model, Param, Peak, Term
from spectrogen_app.fitting.shapes import SHAPES

X = np.linspace(100, 300, 401)
NIST = json.loads(
    (Path(__file__).parents[2] / "golden" / "nist_strd.json").read_text(encoding="utf-8")
)["sets"]
NO_DIGITS = {"Lanczos1"}
"""Its residual is 1e-25: the standard errors have no digits in double precision."""


def noisy(model: Model, sigma: float = 0.01, seed: int = 0) -> np.ndarray:
    return model.evaluate(X) + np.random.default_rng(seed).normal(0, sigma, X.size)


def three(shape: str = "pseudo_voigt") -> Model:
    return Model(tuple(Peak.make(shape, c, h, w) for c, h, w in
                       [(150, 1, 12), (190, 2, 18), (240, 0.7, 9)]))  # fmt: skip


def differences(problem: Problem, free: np.ndarray) -> np.ndarray:
    rows = []
    for i in range(free.size):
        h = 1e-6 * max(abs(free[i]), 1e-2)
        up, down = free.copy(), free.copy()
        up[i] += h
        down[i] -= h
        rows.append((problem.residual(up) - problem.residual(down)) / (2 * h))
    return np.array(rows)


MODELS = {
    **{name: three(name) for name in SHAPES},
    "partner": Model(tuple(Peak.make("voigt", c, 2, 3, partner=True) for c in (110, 130))),
    "fixed": three().edit("p2_center", fixed=True).edit("p1_eta", fixed=True),
    "fixed peak": Model((*three().peaks[:2], Peak("gaussian", (Param(170, fixed=True),
                         Param(1, fixed=True), Param(9, fixed=True))))),
    "equal bounds": three().edit("p2_eta", min=0.5, max=0.5),
    "tie": three().edit("p2_fwhm", tie="p1_fwhm"),
    "tie to tie": three().edit("p2_fwhm", tie="1.2*p1_fwhm").edit(
        "p3_fwhm", tie="p2_fwhm-0.5*p3_eta"),
    "tie of two": three().edit("p3_center", tie="p1_center + p2_center - 50*sqrt(p3_eta*4 + 2)"),
    "tie to fixed": three().edit("p1_fwhm", fixed=True).edit("p2_fwhm", tie="2*p1_fwhm"),
    "tie across": three().edit("p1_height", tie="exp(-p3_height) + bg_c0").replace(
        background=Background.make("cubic", X, X)),
    "lower bound": three().edit("p1_eta", value=0.0),
    "upper bound": three().edit("p1_eta", value=1.0),
    "background": three().replace(background=Background.make("quadratic", X, X)),
    "term": three().replace(terms=(Term("b1*exp(-b2*x)", {"b1": Param(2), "b2": Param(0.01)}),)),
    "tie to term": three().edit("p1_height", tie="b1/3").replace(
        terms=(Term("b1*exp(-b2*x)", {"b1": Param(2), "b2": Param(0.01)}),)),
}  # fmt: skip


@pytest.mark.parametrize("name", list(MODELS))
@pytest.mark.parametrize("weighted", [False, True])
def test_jacobian_against_finite_differences(name: str, weighted: bool) -> None:
    model = MODELS[name]
    weights = np.linspace(0.5, 2, X.size) if weighted else None
    problem = Problem(model, X, noisy(three()), weights)
    residual, jacobian = problem.evaluate(problem.start, problem.buffer())
    expected = differences(problem, problem.start)
    assert jacobian.shape == expected.shape
    scale = np.max(np.abs(expected), axis=1, keepdims=True)
    assert np.all(np.abs(jacobian - expected) <= 3e-5 * scale)
    assert residual == pytest.approx(problem.residual(problem.start))


@pytest.mark.parametrize("loss", LOSSES)
def test_gradient_of_every_loss_against_finite_differences(loss: str) -> None:
    y = noisy(three())
    y[::40] += 3
    problem = Problem(three(), X, y, loss=loss, loss_scale=0.05)

    def cost(free: np.ndarray) -> float:
        return problem.weigh(*problem.evaluate(free, problem.buffer()))[0]

    at = problem.start * 1.01
    _, r, j = problem.weigh(*problem.evaluate(at, problem.buffer()))
    for i in range(at.size):
        h = 1e-6 * abs(at[i])
        step = np.eye(at.size)[i] * h
        slope = (cost(at + step) - cost(at - step)) / (2 * h)
        assert 2 * (j @ r)[i] == pytest.approx(slope, rel=1e-4, abs=1e-4)


def certified(name: str, start: str) -> tuple[Problem, dict]:
    held = NIST[name]
    term = Term(held["expression"], {f"b{i + 1}": Param(v) for i, v in enumerate(held[start])})
    order = np.argsort(held["x"], kind="stable")
    x, y = (np.array(held[k])[order] for k in ("x", "y"))
    return Problem(Model(terms=(term,)), x, y), held


@pytest.mark.parametrize("start", ["start1", "start2"])
@pytest.mark.parametrize("name", list(NIST))
def test_nist_certified_values(name: str, start: str) -> None:
    problem, held = certified(name, start)
    solution = solve_patiently(problem)
    values = dict(zip(problem.names, problem.full(solution.free), strict=True))
    errors = dict(zip(problem.free_names, np.sqrt(np.diag(covariance(solution, problem))),
                      strict=True))  # fmt: skip
    assert solution.converged
    for i, (value, error) in enumerate(zip(held["certified"], held["stderr"], strict=True)):
        assert values[f"b{i + 1}"] == pytest.approx(value, rel=1e-8)
        if name not in NO_DIGITS:
            assert errors[f"b{i + 1}"] == pytest.approx(error, rel=1e-6)


@pytest.mark.parametrize("start", ["start1", "start2"])
@pytest.mark.parametrize("name", ["Gauss1", "Gauss2", "Gauss3"])
def test_nist_sums_of_peaks_with_our_own_peaks(name: str, start: str) -> None:
    held = NIST[name]
    b = dict(zip((f"b{i}" for i in range(1, 9)), held[start], strict=True))
    to_fwhm = 2 * math.sqrt(math.log(2))
    model = Model(
        (Peak.make("gaussian", b["b4"], b["b3"], to_fwhm * b["b5"]),
         Peak.make("gaussian", b["b7"], b["b6"], to_fwhm * b["b8"])),
        terms=(Term("b1*exp(-b2*x)", {"b1": Param(b["b1"]), "b2": Param(b["b2"])}),),
    )  # fmt: skip
    problem = Problem(model, np.array(held["x"]), np.array(held["y"]))
    solution = solve(problem, tolerance=1e-9)
    values = dict(zip(problem.names, problem.full(solution.free), strict=True))
    errors = dict(zip(problem.names, np.sqrt(np.diag(covariance(solution, problem))), strict=True))
    assert solution.cost == pytest.approx(held["rss"], rel=1e-10)
    names = ["b1", "b2", "p1_height", "p1_center", "p1_fwhm", "p2_height", "p2_center", "p2_fwhm"]
    for n, value, error in zip(names, held["certified"], held["stderr"], strict=True):
        scale = to_fwhm if n.endswith("fwhm") else 1.0
        assert values[n] == pytest.approx(value * scale, rel=1e-8)
        assert errors[n] == pytest.approx(error * scale, rel=1e-6)


@pytest.mark.parametrize("name", ["pseudo_voigt", "tie", "tie of two", "fixed", "background"])
def test_same_answer_as_lmfit_with_its_own_methods(name: str) -> None:
    y = noisy(three())
    problem = Problem(MODELS[name], X, y)
    ours = Minimizer(problem).leastsq()
    theirs = Minimizer(problem).minpack()
    assert ours.chisqr == pytest.approx(theirs.chisqr, rel=1e-6)
    assert ours.nvarys == theirs.nvarys
    assert (ours.bic, ours.aic) == pytest.approx((theirs.bic, theirs.aic), rel=1e-6)
    for n in problem.free_names:
        assert ours.params[n].value == pytest.approx(theirs.params[n].value, rel=1e-3, abs=1e-4)
        assert ours.params[n].stderr == pytest.approx(theirs.params[n].stderr, rel=1e-2, abs=1e-9)


def test_lmfit_methods_take_the_same_problem() -> None:
    problem = Problem(three("gaussian"), X, noisy(three("gaussian")))
    found = Minimizer(problem).minimize(method="nelder")
    assert found.chisqr == pytest.approx(solve(problem).cost, rel=1e-3)
    assert isinstance(Minimizer(problem), lmfit.Minimizer)


def test_start_on_a_bound_leaves_it() -> None:
    y = noisy(three())
    model = three().edit("p1_eta", value=0.0).edit("p2_eta", value=1.0)
    model = model.edit("p3_fwhm", value=1e-12)
    free = solve(Problem(three(), X, y))
    assert solve(Problem(model.edit("p3_fwhm", value=5.0), X, y)).cost == pytest.approx(free.cost)


def test_bounded_optimum_is_scipys() -> None:
    from scipy.optimize import least_squares

    y = noisy(three())
    model = three().edit("p1_fwhm", max=11.0).edit("p2_center", min=191, max=200, value=195)
    problem = Problem(model, X, y)
    theirs = least_squares(
        problem.residual, problem.start, lambda p: problem.evaluate(p, problem.buffer())[1].T,
        bounds=(problem.lower, problem.upper), xtol=1e-14, ftol=1e-14, gtol=1e-14,
    )  # fmt: skip
    ours = solve(problem)
    assert ours.converged
    assert ours.cost == pytest.approx(2 * theirs.cost, rel=1e-7)
    assert np.all((ours.free >= problem.lower) & (ours.free <= problem.upper))


def test_no_error_for_what_lies_on_a_bound_or_is_not_determined() -> None:
    y = noisy(three())
    problem = Problem(three().edit("p1_fwhm", max=11.0), X, y)
    errors = dict(zip(problem.free_names, np.diag(covariance(solve(problem), problem)),
                      strict=True))  # fmt: skip
    assert math.isnan(errors["p1_fwhm"])
    assert errors["p2_fwhm"] > 0
    twice = Model((*three().peaks, Peak.make("pseudo_voigt", 150, 1, 12)))
    problem = Problem(twice, X, y)
    here = solve(problem, max_evaluations=1)
    errors = dict(zip(problem.free_names, np.diag(covariance(here, problem)), strict=True))
    assert errors["p2_fwhm"] > 0
    assert math.isnan(errors["p1_height"])
    assert math.isnan(errors["p4_height"])


@pytest.mark.parametrize("large", [False, True])
def test_covariance_of_large_and_small_problems_agree_with_the_inverse(large: bool) -> None:
    x = np.linspace(100, 300, 40_001 if large else 301)
    y = three().evaluate(x) + np.random.default_rng(0).normal(0, 0.01, x.size)
    problem = Problem(three(), x, y)
    solution = solve(problem)
    j = problem.evaluate(solution.free, problem.buffer())[1]
    expected = np.linalg.inv(j @ j.T) * solution.cost / (x.size - 12)
    assert covariance(solution, problem) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("loss", LOSSES[1:])
def test_robust_loss_is_not_pulled_by_spikes(loss: str) -> None:
    truth = three("lorentzian")
    y = noisy(truth)
    y[np.random.default_rng(1).choice(X.size, 20)] += 5
    start = truth.with_values({"p1_center": 152.0, "p2_fwhm": 14.0})
    plain, robust = (
        solve(Problem(start, X, y, loss=name, loss_scale=0.02)) for name in ("linear", loss)
    )
    expected = Problem(truth, X, y).start
    assert np.max(np.abs(robust.free - expected)) < 0.3
    assert np.max(np.abs(plain.free - expected)) > 3 * np.max(np.abs(robust.free - expected))


@pytest.mark.parametrize("after", [1, 2, 4])
def test_cancel_keeps_the_best_so_far(after: int) -> None:
    calls = 0

    def check(fraction: float, message: str) -> None:
        nonlocal calls
        calls += 1
        if calls > after:
            raise Cancelled

    start = three().with_values({"p1_center": 158.0, "p2_center": 183.0, "p3_fwhm": 30.0})
    problem = Problem(start, X, noisy(three()))
    solution = solve(problem, check=check)
    assert solution.cancelled
    assert not solution.converged
    first = float(np.sum(problem.residual(problem.start) ** 2))
    assert solution.cost < first
    assert solution.cost == pytest.approx(float(np.sum(problem.residual(solution.free) ** 2)))


def test_model_that_is_not_finite_is_refused() -> None:
    term = Term("log(b1*x)", {"b1": Param(-1.0)})
    with pytest.raises(FitError, match="not a finite number"):
        solve(Problem(Model(terms=(term,)), X, X))


def test_exact_data_are_fitted_exactly() -> None:
    truth = three()
    start = truth.with_values({"p1_center": 152.0, "p2_fwhm": 14.0, "p3_height": 1.0})
    solution = solve(Problem(start, X, truth.evaluate(X)))
    assert solution.converged
    assert solution.free == pytest.approx(Problem(truth, X, X).start, rel=1e-6)


@pytest.mark.parametrize("asymmetry", [0.2, 0.3, 0.4])
def test_a_model_that_misses_the_data_arrives_soon(asymmetry: float) -> None:
    truth = Model(tuple(Peak.make("fano", c, h, 14, asymmetry=asymmetry) for c, h in
                        [(140, 1), (162, 2), (176, 0.8), (240, 0.7)]))  # fmt: skip
    start = Model(tuple(Peak.make("lorentzian", p.center, p.height, 14) for p in truth.peaks))
    problem = Problem(start, X, truth.evaluate(X))
    solution = solve(problem, tolerance=1e-9)
    assert solution.converged
    gradient = solution.jacobian @ solution.residual
    lengths = np.linalg.norm(solution.jacobian, axis=1) * math.sqrt(solution.cost)
    assert np.max(np.abs(gradient / lengths)) < 1e-6
    assert solution.evaluations < 30
    assert solution.cost <= Minimizer(problem).minpack().chisqr * (1 + 1e-9)
