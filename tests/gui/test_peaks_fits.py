"""Fits from the window: in the worker, with Stop, in the history, undone."""

import dataclasses
import json
import re

import numpy as np
import pytest
from gui_fakes import curve_of
from PySide6 import QtCore
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

import spectrogen_app as sg
from spectrogen_app.app.decomposition import Decomposition
from spectrogen_app.cli.main import main as cli
from spectrogen_app.errors import Cancelled, FitError
from spectrogen_app.fitting import api
from spectrogen_app.fitting.model import Model, Peak
from spectrogen_app.fitting.options import Options
from spectrogen_app.gui.peaks import jobs
from spectrogen_app.gui.peaks.editing import PeakEditor
from spectrogen_app.gui.peaks.view import SUBTRACT
from spectrogen_app.processing import pipeline

THREE = Model(
    tuple(Peak.make("lorentzian", c + 1.5, 0.7 * h, 12) for c, h in
          ((282, 400), (712, 200), (1086, 1000)))
)  # fmt: skip


@pytest.fixture
def editor(loaded, qtbot) -> PeakEditor:
    loaded.show_task("peaks")
    return loaded.peaks.editor


def at_rest(window):
    """Whether the fit is shown, on the plot and beside it."""
    return not window.peaks.editor.busy and not window.peaks._later.isActive()


@pytest.fixture
def fitted(editor, loaded, qtbot):
    editor.edit("Start", THREE)
    editor.fit()
    qtbot.waitUntil(lambda: at_rest(loaded))
    assert editor.peaks.result is not None
    return editor


class Waits:
    """A fit that goes on until it is told to end, and then answers with what it has."""

    def __init__(self, monkeypatch, name="fit"):
        self._own = getattr(jobs, name)
        self.begun = 0
        monkeypatch.setattr(jobs, name, self)

    def __call__(self, request, token):
        self.begun += 1
        while not token.cancelled:
            token_wait(token)
        best = self._own(request, type(token)())
        return dataclasses.replace(best, cancelled=True, success=False)


def token_wait(token):
    token._cancelled.wait(0.01)


def test_the_window_gives_the_numbers_of_the_api(fitted, loaded):
    spectrum = curve_of(loaded, "raman").spectrum
    expected = api.fit(spectrum, THREE)
    assert fitted.peaks.result.bic == expected.bic
    assert [p.center for p in fitted.peaks.result.peaks] == [p.center for p in expected.peaks]
    view = loaded.peaks._view
    assert f"{expected.r_squared:.5f}" in view.quality.text()
    value, error = view.table.rows.rows[0].values[0]
    assert float(value) == pytest.approx(282, abs=0.1)
    assert error


def test_window_command_line_and_python_give_the_same_numbers(
    editor, loaded, qtbot, tmp_path, capsys
):
    source = sg.write(editor.curve.spectrum, tmp_path / "same.csv") or tmp_path / "same.csv"
    (spectrum,) = sg.read(source)
    loaded.store.edit("Open", loaded.store.state.edit_curve(editor.curve.id, spectrum=spectrum))
    loaded.peaks.do("auto")
    qtbot.waitUntil(lambda: at_rest(loaded))
    window = [p["center"] for p in editor.peaks.result.to_dict()["peaks"]]
    arguments = ["fit", str(source), "--out", str(tmp_path / "out"), "--json"]
    assert cli(arguments, object()) == 0
    (line,) = json.loads(capsys.readouterr().out)
    python = sg.fit(spectrum)
    assert window == [p["center"] for p in line["peaks"]]
    assert window == [dataclasses.asdict(p.center) for p in python.peaks]
    assert editor.peaks.result.bic == line["bic"] == python.bic


def test_auto_finds_the_lines(editor, loaded, qtbot):
    loaded.actions_["auto_peaks"].trigger()
    qtbot.waitUntil(lambda: at_rest(loaded))
    found = [p.center for p in editor.model.peaks]
    for line in (282, 712, 1086):
        assert min(abs(c - line) for c in found) < 1
    assert loaded.store.undo_label.startswith("Find peaks")
    assert found == sorted(found)


def test_sum_components_and_residual_are_drawn(fitted, loaded):
    canvas = loaded.area.panels["raman"].canvas
    curves = canvas.fit.curves
    spectrum = curve_of(loaded, "raman").spectrum
    np.testing.assert_allclose(curves.total.y, fitted.peaks.result.curve.y, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(curves.residual.y, spectrum.y - curves.total.y, atol=1e-9)
    assert [line.name for line in curves.lines] == ["p1", "p2", "p3"]
    assert canvas.model.residual is not None
    tops = [float(line.y.max()) for line in curves.lines]
    assert tops == pytest.approx([p.height for p in fitted.model.peaks], rel=1e-3)


def test_a_fit_is_one_step(fitted, loaded):
    after = loaded.store.state
    loaded.store.undo()
    assert fitted.model == THREE
    assert fitted.peaks.result is None
    assert not fitted.peaks.history
    loaded.store.redo()
    assert loaded.store.state is after


def test_an_edit_after_a_fit_takes_its_errors_back_but_not_its_history(fitted, loaded):
    fitted.edit("Move", fitted.model.with_peak(fitted.model.peaks[0].moved(center=300)))
    assert fitted.peaks.result is None
    assert "Not fitted" in loaded.peaks._view.quality.text()
    assert len(fitted.peaks.history) == 1


def test_fit_without_peaks_says_what_to_do(editor, loaded, qtbot):
    loaded.actions_["fit"].trigger()
    qtbot.waitUntil(lambda: at_rest(loaded))
    assert "nothing to fit" in loaded.notices.text
    assert loaded.store.undo_label == "Open files"


def test_stop_keeps_the_best_so_far(editor, loaded, qtbot, monkeypatch):
    slow = Waits(monkeypatch)
    editor.edit("Start", THREE)
    editor.fit()
    view = loaded.peaks._view
    assert not view.stop.isHidden()
    assert view.fit.isHidden()
    qtbot.waitUntil(lambda: slow.begun == 1)
    view.stop.click()
    qtbot.waitUntil(lambda: at_rest(loaded))
    assert editor.peaks.result.cancelled
    assert "best fit so far" in loaded.notices.text
    assert view.stop.isHidden()
    assert not view.fit.isHidden()


def test_cancel_in_the_status_bar_keeps_the_best_so_far(editor, loaded, qtbot, monkeypatch):
    slow = Waits(monkeypatch, "auto")
    loaded.peaks.do("auto")
    qtbot.waitUntil(lambda: slow.begun == 1)
    qtbot.waitUntil(lambda: loaded.status.busy)
    loaded.status._cancel.click()
    qtbot.waitUntil(lambda: at_rest(loaded))
    assert editor.peaks.result.cancelled
    assert len(editor.model.peaks) >= 3
    assert not loaded.status.busy


@pytest.mark.parametrize("what", ["undo", "edit", "delete", "close"])
def test_what_happens_during_a_fit_wins(editor, loaded, qtbot, monkeypatch, what):
    slow = Waits(monkeypatch)
    editor.edit("Start", THREE)
    curve = loaded.store.selection.curve
    editor.fit()
    qtbot.waitUntil(lambda: slow.begun == 1)
    if what == "undo":
        loaded.store.undo()
    elif what == "edit":
        editor.remove("p1")
    elif what == "delete":
        loaded.store.edit("Delete", loaded.store.state.remove([curve]))
    else:
        loaded.close()
        return
    qtbot.waitUntil(lambda: not editor.busy and not loaded.fits.busy)
    state = loaded.store.state
    held = [c.peaks for c in state.curves() if c.id == curve and c.peaks is not None]
    assert all(p.result is None and not p.history for p in held)
    if what == "edit":
        assert [p.name for p in editor.model.peaks] == ["p2", "p3"]


def test_choosing_another_spectrum_does_not_disturb_the_fit(editor, loaded, qtbot, monkeypatch):
    slow = Waits(monkeypatch)
    editor.edit("Start", THREE)
    first = loaded.store.selection.curve
    editor.fit()
    qtbot.waitUntil(lambda: slow.begun == 1)
    other = next(c.id for c in loaded.store.state.curves() if c.id != first)
    loaded.store.select_curve(other)
    editor.stop()
    qtbot.waitUntil(lambda: at_rest(loaded))
    assert loaded.store.state.curve(first).peaks.result is not None
    assert loaded.store.state.curve(other).peaks is None


def test_auto_cancelled_before_there_was_anything(editor, loaded, qtbot, monkeypatch):
    def never(_request, token):
        while not token.cancelled:
            token_wait(token)
        raise Cancelled

    monkeypatch.setattr(jobs, "auto", never)
    loaded.peaks.do("auto")
    before = loaded.store.state
    loaded.peaks.do("stop")
    qtbot.waitUntil(lambda: at_rest(loaded))
    assert loaded.store.state is before


def test_a_peak_at_the_residual_is_added_and_fitted(editor, loaded, qtbot):
    editor.edit("Two", THREE.remove("p2"))
    editor.shape = "lorentzian"
    loaded.peaks.do("residual")
    qtbot.waitUntil(lambda: at_rest(loaded))
    assert min(abs(p.center - 712) for p in editor.model.peaks) < 2
    assert len(editor.model.peaks) == 3


def test_simplify_removes_what_does_not_help(editor, loaded, qtbot):
    editor.edit("Five", THREE.add(Peak.make("lorentzian", 500, 5, 9),
                                  Peak.make("lorentzian", 900, 5, 9)))  # fmt: skip
    loaded.peaks.do("simplify")
    qtbot.waitUntil(lambda: at_rest(loaded))
    assert [round(p.center) for p in editor.model.peaks] == [282, 712, 1086]


def test_advice_has_buttons_that_mend(editor, loaded, qtbot):
    twins = THREE.add(Peak.make("lorentzian", 1087.0, 500, 12))
    editor.edit("Twins", twins)
    editor.fit()
    qtbot.waitUntil(lambda: at_rest(loaded))
    advice = editor.peaks.result.advice
    assert advice
    view = loaded.peaks._view
    assert view.cards
    texts = [b.text() for b in view.cards[0].findChildren(type(view.fit))]
    assert texts[: len(advice[0].remedies)] == [r.label for r in advice[0].remedies]
    gone = next(
        (i, k) for i, a in enumerate(advice[:4]) for k, r in enumerate(a.remedies)
        if len(r.model.peaks) == 3
    )  # fmt: skip
    view.remedy_wanted.emit(*gone)
    qtbot.waitUntil(lambda: at_rest(loaded))
    assert len(editor.model.peaks) == 3
    assert loaded.store.undo_label.startswith(advice[gone[0]].remedies[gone[1]].label)


def test_one_button_mends_all(editor, loaded, qtbot):
    view = loaded.peaks._view
    assert view._head.isHidden()
    editor.edit("Twins", THREE.add(Peak.make("lorentzian", 1087.0, 500, 12)))
    editor.fit()
    qtbot.waitUntil(lambda: at_rest(loaded))
    assert not view._head.isHidden()
    assert view.count.text() == f"{len(editor.peaks.result.advice)} warnings"
    view.mend.click()
    qtbot.waitUntil(lambda: at_rest(loaded))
    assert editor.peaks.result.warnings == ()
    assert editor.peaks.result.notes, "says what was done"
    assert view._head.isHidden()


def test_a_doubtful_parameter_has_an_interval(editor, loaded, qtbot):
    weak = THREE.with_peak(THREE.peak("p1").edit("center", max=281.0).moved(center=280))
    editor.edit("Bound", weak)
    editor.fit()
    qtbot.waitUntil(lambda: at_rest(loaded))
    advice = editor.peaks.result.advice
    at = next(i for i, a in enumerate(advice) if a.kind == "at_bound")
    loaded.peaks.remedy(at, len(advice[at].remedies))
    qtbot.waitUntil(lambda: not loaded.fits.busy)
    sheet = loaded.peaks.exchange.sheet
    assert sheet.rows.heads[:3] == ("Parameter", "68 %, from", "68 %, to")
    name, low, high = (cell.value for cell in sheet.rows.rows[0][:3])
    assert name == "p1_center"
    assert sheet.table.horizontalHeader().sortIndicatorSection() == -1
    assert low < high <= 281.0
    sheet.close()


def test_options_go_into_the_fit_and_stay_with_the_spectrum(editor, loaded, qtbot):
    editor.edit("Start", THREE.remove("p1"))
    editor.set_options(within=(500.0, 1300.0), loss="soft_l1")
    editor.fit()
    qtbot.waitUntil(lambda: at_rest(loaded))
    result = editor.peaks.result
    assert result.options.within == (500, 1300)
    assert result.options.loss == "soft_l1"
    assert result.ndata < len(result.spectrum)
    residual = loaded.area.panels["raman"].canvas.fit.curves.residual
    assert not residual.y[residual.x < 500].any()


def test_more_parameters_than_points_is_said(editor, loaded, qtbot):
    editor.edit("Start", THREE)
    editor.set_options(within=(700.0, 704.0))
    editor.fit()
    qtbot.waitUntil(lambda: at_rest(loaded))
    assert "parameters" in loaded.notices.text or "points" in loaded.notices.text


def test_a_flat_spectrum_is_said_to_have_no_peak(editor, loaded, qtbot):
    flat = curve_of(loaded, "raman").spectrum.replace(y=np.zeros(len(editor.curve.spectrum)))
    loaded.store.edit("Flat", loaded.store.state.edit_curve(editor.curve.id, spectrum=flat))
    loaded.peaks.do("auto")
    qtbot.waitUntil(lambda: at_rest(loaded))
    assert loaded.notices.level == "error"
    assert not editor.model.peaks


def test_two_identical_peaks_do_no_harm(editor, qtbot, loaded):
    peak = Peak.make("lorentzian", 712, 100, 9)
    editor.edit("Twins", Model((peak, peak)))
    editor.fit()
    qtbot.waitUntil(lambda: at_rest(loaded))
    assert editor.peaks.result is not None
    assert all(np.isfinite(v) for p in editor.model.peaks for v in p.values)


def test_a_circular_tie_is_refused_before_the_fit(editor, loaded):
    editor.edit("Start", THREE)
    loaded.peaks.edit("p1_fwhm", "tie", "p2_fwhm")
    loaded.peaks.edit("p2_fwhm", "tie", "p1_fwhm")
    assert "circle" in loaded.peaks._view.trouble.text()
    assert editor.model.peak("p2")["fwhm"].tie == ""


def test_failure_of_a_job_is_told(editor, loaded, qtbot, monkeypatch):
    def broken(_request, _token):
        raise FitError("The lamp is off.", hint="Switch it on.")

    monkeypatch.setattr(jobs, "fit", broken)
    editor.edit("Start", THREE)
    editor.fit()
    qtbot.waitUntil(lambda: at_rest(loaded))
    assert "lamp" in loaded.notices.text


@pytest.mark.parametrize(
    ("held", "says"),
    [
        (Decomposition(), "nothing to fit"),
        (Decomposition(THREE, Options(exclude=((0.0, 1e5),))), "0 of"),
        (Decomposition(THREE, Options(within=(700.0, 704.0))), "cannot be determined"),
        (Decomposition(Model((THREE.peaks[0].edit("fwhm", tie="p2_fwhm"),
                              THREE.peaks[1].edit("fwhm", tie="p1_fwhm")))), "circle"),
        (Decomposition(Model((THREE.peaks[0].edit("fwhm", tie="p1_height +"),))), "no arithmetic"),
        (Decomposition(Model((THREE.peaks[0].edit("fwhm", tie="open('x')"),))), "no arithmetic"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_is_said_and_changes_nothing(editor, loaded, qtbot, held, says):
    editor.put("Bad", held)
    before = editor.peaks
    editor.fit()
    qtbot.waitUntil(lambda: at_rest(loaded))
    assert loaded.notices.level == "error"
    assert re.search(says, loaded.notices.text)
    assert editor.peaks is before


@pytest.mark.parametrize("y", [0.0, 7.0])
def test_constant_data_are_fitted_without_harm(editor, loaded, qtbot, y):
    s = editor.curve.spectrum
    state = loaded.store.state.edit_curve(editor.curve.id, spectrum=s.replace(y=np.full(len(s), y)))
    loaded.store.edit("Flat", state)
    editor.put("Start", Decomposition(THREE, Options(within=(250.0, 310.0))))
    editor.fit()
    qtbot.waitUntil(lambda: at_rest(loaded), timeout=20_000)
    assert editor.peaks.result.advice[0].kind == "flat"
    assert loaded.peaks._view.cards


def test_a_peak_outside_the_range_has_a_button_that_removes_it(editor, loaded, qtbot):
    editor.edit("Start", THREE.add(Peak.make("lorentzian", 9000, 10, 9)))
    editor.fit()
    qtbot.waitUntil(lambda: at_rest(loaded))
    advice = editor.peaks.result.advice
    at = next(i for i, a in enumerate(advice) if a.kind == "outside")
    loaded.peaks.remedy(at, 0)
    qtbot.waitUntil(lambda: at_rest(loaded))
    assert [p.name for p in editor.model.peaks] == ["p1", "p2", "p3"]
    assert not editor.peaks.result.advice


# ---- a baseline subtracted before ----------------------------------------------------------


def previewed(window):
    return {t.name for m in window.plots.models for t in m.traces if t.kind == "preview"}


def test_a_baseline_is_previewed_and_subtracted_where_the_peaks_are(editor, loaded, qtbot):
    view = loaded.peaks._view
    editor.edit("Start", THREE)
    loaded.peaks._choose_background("linear")
    source = editor.curve
    loaded.peaks._choose_background(SUBTRACT)
    qtbot.waitUntil(lambda: previewed(loaded) == {"Preview", "Baseline"})
    assert view.background.currentData() == SUBTRACT
    view.baseline.method.setCurrentIndex(view.baseline.method.findData("snip"))
    view.baseline.method.activated.emit(0)
    assert [s.name for s in loaded.peaks.subtraction.steps] == ["snip"]
    view.baseline.cards[0]._fields["half_window"].setValue(60)
    qtbot.waitUntil(lambda: not loaded.previews.busy)
    view.baseline.apply.click()
    qtbot.waitUntil(lambda: not loaded.worker.busy)
    now = editor.curve
    expected = pipeline.apply(source.spectrum, ["snip(half_window=60)"])
    np.testing.assert_array_equal(now.spectrum.y, expected.y)
    assert now.parents == (source.id,)
    assert editor.model == THREE
    assert view.baseline.isHidden()
    assert view.background.currentData() == ""
    assert not previewed(loaded)
    loaded.store.undo()
    assert editor.curve.id == source.id
    assert editor.model.background is not None


def test_the_baseline_can_be_left(editor, loaded, qtbot):
    view = loaded.peaks._view
    loaded.peaks._choose_background(SUBTRACT)
    qtbot.waitUntil(lambda: bool(previewed(loaded)))
    assert loaded.peaks.escape()
    assert not previewed(loaded)
    assert view.baseline.isHidden()
    assert view.background.currentData() == ""
    assert not loaded.peaks.escape()
    loaded.peaks._choose_background(SUBTRACT)
    qtbot.waitUntil(lambda: bool(previewed(loaded)))
    loaded.show_task("process")
    assert not previewed(loaded)


def test_anchors_are_set_by_clicks_on_the_curve_itself(editor, loaded, qtbot):
    loaded.peaks._view.baseline.begin("anchors")
    canvas, spectrum = editor.canvas, editor.curve.spectrum
    for x in (300.0, 600.0, 900.0):
        y = float(np.interp(x, spectrum.x, spectrum.y))
        place = canvas.mapFromScene(canvas.view.mapViewToScene(QtCore.QPointF(x, y)))
        QTest.mouseMove(canvas.viewport(), place)
        QTest.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=place)
    points = loaded.peaks.subtraction.steps[0].values["points"]
    assert [p[0] for p in points] == pytest.approx([300, 600, 900], abs=4)
    qtbot.waitUntil(lambda: "Baseline" in previewed(loaded))
