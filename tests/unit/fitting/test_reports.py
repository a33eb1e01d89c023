"""Reports, templates, previews, bridges and batches."""

import csv
import dataclasses
import io
import json
import math
import multiprocessing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Cancelled, FitError, WriteError, unchecked
from spectrogen_app.fitting import report
from spectrogen_app.fitting.api import fit, fit_lines, fit_model
from spectrogen_app.fitting.batch import RUN, Failure, fit_many
from spectrogen_app.fitting.estimate import Estimate
from spectrogen_app.fitting.lines import from_lines, match_lines, start_from
from spectrogen_app.fitting.model import Background, Model, Peak
from spectrogen_app.fitting.preview import Preview, with_ties
from spectrogen_app.fitting.result import FitResult
from spectrogen_app.fitting.series import fit_near

X = np.linspace(100, 600, 501)
TRUTH = Model((Peak.make("pseudo_voigt", 210, 10, 30), Peak.make("gaussian", 330, 6, 30),
               Peak.make("lorentzian", 465, 20, 18)))  # fmt: skip


def spectrum(seed: int = 0, shift: float = 0.0) -> Spectrum:
    moved = TRUTH.with_values({"p3_center": 465 + shift})
    y = moved.evaluate(X) + 3 + np.random.default_rng(seed).normal(0, 0.1, X.size)
    return Spectrum(X, y, modality="raman", name=f"sample {seed}")


@pytest.fixture(scope="module")
def result() -> FitResult:
    return fit(spectrum(), TRUTH.edit("p2_fwhm", tie="p1_fwhm"), background="linear",
               exclude=[(120, 130)])  # fmt: skip


def test_json_reads_back_to_the_same_fit(result: FitResult) -> None:
    again = report.from_json(report.to_json(result))
    assert again.model == result.model
    assert again.start == result.start
    assert again.options == result.options
    assert again.params == result.params
    assert again.peaks == result.peaks
    assert again.warnings == result.warnings
    assert np.array_equal(again.curve.y, result.curve.y)
    assert report.to_json(again) == report.to_json(result)
    assert fit_model(again.spectrum, again.start, again.options).params == result.params


def test_json_of_a_fit_without_errors_reads_back() -> None:
    peaks = [*TRUTH.peaks, Peak.make("gaussian", 9000, 1, 3)]
    strange = fit(spectrum(), peaks)
    again = report.from_json(report.to_json(strange))
    assert again.params == strange.params
    assert again.warnings == strange.warnings
    json.loads(report.to_json(strange), parse_constant=pytest.fail)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"format": "spectrogen-fit", "version": 99}', "[" * 10_000,
             '{"format": "spectrogen-fit", "version": 1}', "null", '{"format": "other"}'],
)  # fmt: skip
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(FitError):
        report.from_json(text)
    with pytest.raises(FitError):
        report.read_model(text)


def test_peaks_csv_holds_full_precision(result: FitResult) -> None:
    rows = list(csv.DictReader(io.StringIO(report.peaks_csv(result))))
    assert [r["peak"] for r in rows] == ["p1", "p2", "p3"]
    assert float(rows[0]["center"]) == result.peaks[0].center.value
    assert float(rows[1]["fwhm_stderr"]) == result.peaks[1].fwhm.stderr
    assert float(rows[0]["eta"]) == result.peaks[0].params["eta"].value
    assert rows[1]["eta"] == ""


def test_curves_csv_adds_up(result: FitResult) -> None:
    rows = np.array(
        [
            [float(v) for v in r]
            for r in list(csv.reader(io.StringIO(report.curves_csv(result))))[1:]
        ]
    )
    x, y, total, residual, under, *peaks = rows.T
    assert np.array_equal(x, X)
    assert np.array_equal(y, result.spectrum.y)
    assert total + residual == pytest.approx(y)
    assert under + sum(peaks) == pytest.approx(total)


def test_text_names_everything(result: FitResult) -> None:
    text = report.text(result)
    for word in ("sample 0", "cm⁻¹", "R²", "Pseudo-Voigt", "bg_c0", "±"):
        assert word in text


def test_files_are_written_and_start_other_fits(result: FitResult, tmp_path: Path) -> None:
    paths = report.write(result, tmp_path / "new", "a")
    assert all(p.exists() for p in paths)
    for path in (tmp_path / "new" / "a.fit.json", tmp_path / "new" / "a.peaks.csv"):
        model = report.read_model(path.read_text(encoding="utf-8"))
        assert [p.center for p in model.peaks] == [p.center.value for p in result.peaks]
    template = report.read_model(report.template_json(result.model))
    assert template == result.model
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError):
        report.write(result, tmp_path / "file", "a")


@pytest.mark.parametrize("text", ["center,height\n1,2\n", "a,b,c\n", "center,height,fwhm\nx,1,2\n",
                                  "center,height,fwhm\n1,1,-2\n"])  # fmt: skip
def test_csv_that_lists_no_peaks_is_refused(text: str) -> None:
    with pytest.raises(FitError):
        report.read_model(text)


def test_table_of_many(result: FitResult) -> None:
    failed = Failure(2, "flat", FitError("There is no peak.", hint="Add one."))
    rows = list(csv.DictReader(io.StringIO(report.table_csv([result, failed, result]))))
    assert len(rows) == 7
    assert rows[0]["spectrum"] == "sample 0"
    assert (rows[3]["spectrum"], rows[3]["success"], rows[3]["peak"]) == ("flat", "False", "")
    assert rows[3]["warnings"].startswith("There is no peak.")


@pytest.mark.parametrize(("value", "error", "text"), [
    (464.123456, 0.0123, "464.123 ± 0.012"), (1.0, None, "1"),
    (325.2951, 0.7991, "325.30 ± 0.80"), (1234567.0, 5000.0, "1234600 ± 5000"),
    (0.0, 1e-20, "(0.0 ± 1.0)e-20"), (520.0, 1e-20, "(5.200000000000000 ± 1e-22)e+2"),
    (6e19, 1.6e21, "(0.1 ± 1.6)e+21"), (5e8, 1e5, "500000000 ± 100000"),
    (1.2e-12, 3e-14, "(1.200 ± 0.030)e-12"), (2.0, math.inf, "2"),
])  # fmt: skip
def test_sensible_digits(value: float, error: float | None, text: str) -> None:
    assert str(Estimate(value, error)) == text


def test_preview_is_the_model_and_computes_only_what_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    y = spectrum().y
    model = TRUTH.replace(background=Background.make("linear", X, y))
    preview = Preview(X)
    preview.update(model)
    calls = []
    evaluate = Peak.evaluate
    monkeypatch.setattr(Peak, "evaluate", lambda p, x: calls.append(p.name) or evaluate(p, x))
    moved = model.with_peak(model.peaks[1].moved(center=340))
    frame = preview.update(moved)
    assert calls == ["p2"]
    monkeypatch.undo()
    assert frame.total == pytest.approx(moved.evaluate(X))
    assert np.array(frame.components) == pytest.approx(moved.components(X))
    assert frame.background == pytest.approx(moved.under(X))


def test_ties_follow_a_drag() -> None:
    tied = TRUTH.edit("p2_fwhm", tie="2*p1_fwhm").edit("p3_fwhm", tie="p2_fwhm/4")
    values = dict(with_ties(tied).parameters())
    assert (values["p2_fwhm"].value, values["p3_fwhm"].value) == (60, 15)
    assert with_ties(TRUTH) is TRUTH


@dataclass(frozen=True)
class Line:
    center: float
    fwhm: float
    area: float
    mixing: float


def test_line_list_becomes_a_start() -> None:
    lines = [Line(p.center, p.fwhm, p.area, 0.5) for p in TRUTH.peaks[:1]]
    model = from_lines(lines, scale=2.0)
    assert model.peaks[0].height == pytest.approx(20)
    assert model.peaks[0].values[2:] == (30, 0.5)


def listed(rng: np.random.Generator) -> Model:
    """The truth, shifted, beside a twin of each line and thirty that are not in the data."""
    true = [p.moved(center=p.center + 0.3 * p.fwhm, height=p.height / 7) for p in TRUTH.peaks]
    twins = [p.moved(center=p.center - 0.2 * p.fwhm, height=0.4 * p.height) for p in true]
    strange = [Peak.make("pseudo_voigt", c, h, 8) for c, h in
               zip(rng.uniform(50, 650, 30), rng.uniform(0.01, 2, 30), strict=True)]  # fmt: skip
    unnamed = (dataclasses.replace(p, name="") for p in (*true, *twins, *strange))
    return Model(tuple(unnamed))


@pytest.mark.parametrize("seed", range(5))
def test_lines_that_do_not_show_are_left_out(seed: int) -> None:
    lines, s = listed(np.random.default_rng(seed)), spectrum(seed)
    start = start_from(lines, s.x, s.y)
    assert start.background is not None
    assert len(start.peaks) <= 8, "of thirty-six"
    shown = 1 - np.var(s.y - start.evaluate(s.x)) / np.var(s.y)
    assert shown > 0.9
    result = fit_lines(s, lines)
    assert result.warnings == ()
    assert [p.center for p in result.model.peaks] == pytest.approx([210, 330, 465], abs=0.5)
    assert result.r_squared > 0.998


def test_a_list_of_which_nothing_shows_is_refused() -> None:
    strange = Model((Peak.make("gaussian", 900, 1, 9), Peak.make("gaussian", 700, 1, 9)))
    with pytest.raises(FitError, match="shows none"):
        fit_lines(spectrum(), strange)


def test_lines_are_matched_one_to_one() -> None:
    other = Model((Peak.make("gaussian", 213, 5, 9), Peak.make("gaussian", 209, 20, 9),
                   Peak.make("gaussian", 500, 3, 9)))  # fmt: skip
    rows = match_lines(TRUTH, other, within=10)
    assert [(r.first and r.first.name, r.second and r.second.name) for r in rows] == [
        ("p1", "p2"), (None, "p1"), ("p2", None), ("p3", None), (None, "p3"),
    ]  # fmt: skip
    assert rows[0].shift == pytest.approx(-1)
    tallest = max(p.height for p in TRUTH.peaks)
    assert rows[0].height_ratio == pytest.approx((20 / 20) / (10 / tallest))
    assert rows[1].shift is None
    assert match_lines(Model(), Model(), 1.0) == ()


def test_few_spectra_are_fitted_here_and_failures_are_listed() -> None:
    flat = Spectrum(X, np.zeros_like(X), name="flat")
    arrived: list[int] = []
    outcomes = fit_many([spectrum(0), flat, spectrum(1)], "auto",
                        deliver=lambda i, _: arrived.append(i))  # fmt: skip
    assert arrived == [0, 1, 2]
    assert isinstance(outcomes[0], FitResult)
    assert isinstance(outcomes[1], Failure)
    assert (outcomes[1].index, outcomes[1].name) == (1, "flat")
    assert "noise" in outcomes[1].error.message
    assert isinstance(outcomes[2], FitResult)


def test_neighbours_follow_a_drifting_line() -> None:
    series = [spectrum(i, shift=6.0 * i) for i in range(8)]
    followed = fit_many(series, TRUTH, background="constant")
    for i, one in enumerate(followed):
        assert isinstance(one, FitResult)
        assert one.peaks[2].center.value == pytest.approx(465 + 6 * i, abs=0.3)


def test_a_line_missing_in_one_sample_is_found_in_the_next() -> None:
    bare = TRUTH.remove(TRUTH.peaks[1].name)
    samples = [spectrum(0), spectrum(1).replace(y=bare.evaluate(spectrum(1).x)), spectrum(2)]
    last = fit_many(samples, TRUTH, background="constant")[2]
    assert isinstance(last, FitResult)
    assert last.peaks[1].center.value == pytest.approx(TRUTH.peaks[1].center, abs=0.3)
    assert last.peaks[1].height.value == pytest.approx(TRUTH.peaks[1].height, rel=0.05)


def test_lines_are_looked_for_within_a_width_of_where_they_start() -> None:
    asked = []

    def watched(model: Model) -> FitResult:
        asked.append(model)
        return fit_model(spectrum(), model)

    start = TRUTH.edit("p1_center", min=205.0).edit("p2_center", fixed=True)
    start = start.replace(background=Background.make("constant", X, X))
    found = fit_near(start, watched, unchecked)
    ends = [(p["center"].min, p["center"].max) for p in asked[0].peaks]
    assert ends == [(205.0, 240.0), (-math.inf, math.inf), (447.0, 483.0)]
    assert [p["center"].min for p in found.model.peaks] == [205.0, -math.inf, -math.inf]
    assert found.start == start
    assert len(asked) == 1


def test_a_line_may_go_further_than_its_width_where_it_must() -> None:
    rough = TRUTH.with_values({"p3_center": 465 + 15, "p3_fwhm": 12})
    for one in fit_many([spectrum(0), spectrum(1)], rough, background="constant"):
        assert isinstance(one, FitResult)
        assert one.peaks[2].center.value == pytest.approx(465, abs=0.3)
        assert one.advice == ()


def test_what_cannot_be_compared_with_its_neighbour_is_a_failure_of_its_own() -> None:
    short = Spectrum(np.linspace(900, 950, 40), np.ones(40), name="elsewhere")
    outcomes = fit_many([spectrum(0), spectrum(1), short, spectrum(2)], TRUTH, within=(100, 800))
    assert [isinstance(o, Failure) for o in outcomes] == [False, False, True, False]


def test_pool_gives_the_same_for_any_number_of_workers() -> None:
    series = [spectrum(i, shift=0.3 * i) for i in range(2 * RUN + 3)]
    series[5] = Spectrum([1, 2, 3], [1, 2, 1], name="short")
    one, two = (fit_many(series, TRUTH, workers=n, background="constant") for n in (1, 2))
    assert [isinstance(o, Failure) for o in one] == [i == 5 for i in range(len(series))]
    for a, b in zip(one, two, strict=True):
        if isinstance(a, FitResult):
            assert isinstance(b, FitResult)
            assert a.params == b.params


def test_cancel_of_a_batch_keeps_what_is_done() -> None:
    series = [spectrum(i) for i in range(RUN)]

    def check(fraction: float, message: str) -> None:
        assert 0 <= fraction <= 1
        if fraction > 0.45:
            raise Cancelled

    outcomes = fit_many(series, TRUTH, background="constant", check=check)
    assert isinstance(outcomes[0], FitResult)
    assert outcomes[-1] is None


def test_cancel_of_a_pool_ends_it() -> None:
    series = [spectrum(i) for i in range(2 * RUN)]

    def check(fraction: float, message: str) -> None:
        raise Cancelled

    assert fit_many(series, TRUTH, workers=2, check=check) == (None,) * len(series)


def test_an_interruption_ends_the_pool_and_is_passed_on() -> None:
    series = [spectrum(i) for i in range(3 * RUN)]

    def check(fraction: float, message: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_many(series, "auto", workers=2, check=check)
    assert not multiprocessing.active_children()
