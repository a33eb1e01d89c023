"""Reports, templates, earlier fits, other spectra and generated lines, from the window."""

import csv
import json
import math

import gui_fakes as fakes
import numpy as np
import pytest
from gui_fakes import curve_of, lines
from PySide6 import QtWidgets
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from spectrogen_app.app import project, services
from spectrogen_app.app.decomposition import Decomposition, from_line_list
from spectrogen_app.data.provenance import Origin
from spectrogen_app.fitting import report
from spectrogen_app.fitting.batch import Failure
from spectrogen_app.fitting.model import Model, Peak
from spectrogen_app.fitting.result import FitResult
from spectrogen_app.generation.result import GenerationResult, Line
from spectrogen_app.gui.peaks.many import numeric
from spectrogen_app.gui.store import Selection
from spectrogen_app.gui.theme import DARK, LIGHT
from spectrogen_app.gui.widgets import ComboBox

THREE = Model(
    tuple(Peak.make("lorentzian", c + 1, 0.8 * h, 9) for c, h in
          ((282, 400), (712, 200), (1086, 1000)))
)  # fmt: skip


@pytest.fixture
def peaks(loaded, qtbot):
    loaded.show_task("peaks")
    loaded.peaks.editor.edit("Start", THREE)
    loaded.peaks.editor.fit()
    qtbot.waitUntil(lambda: not loaded.peaks.editor.busy)
    yield loaded.peaks
    for sheet in (loaded.peaks.exchange.sheet, loaded.peaks.many.sheet):
        if sheet is not None:
            sheet.close()


def written(peaks, qtbot, kind, path):
    peaks.exchange.write_report(kind, path)
    qtbot.waitUntil(lambda: not peaks.editor.context.loader.busy)
    return path.read_text(encoding="utf-8")


def test_json_report_reads_back_as_the_same_fit(peaks, qtbot, tmp_path):
    text = written(peaks, qtbot, "report_json", tmp_path / "a.json")
    again, result = report.from_json(text), peaks.editor.peaks.result
    assert again.model == result.model
    assert [p.area.stderr for p in again.peaks] == [p.area.stderr for p in result.peaks]


def test_csv_report_has_values_with_errors_in_full(peaks, qtbot, tmp_path):
    text = written(peaks, qtbot, "report_csv", tmp_path / "a.csv")
    rows = list(csv.DictReader(text.splitlines()))
    result = peaks.editor.peaks.result
    assert [float(r["center"]) for r in rows] == [p.center.value for p in result.peaks]
    assert [float(r["area_stderr"]) for r in rows] == [p.area.stderr for p in result.peaks]


def test_components_add_up(peaks, qtbot, tmp_path):
    text = written(peaks, qtbot, "curves", tmp_path / "c.csv")
    table = np.array([[float(v) for v in row.split(",")] for row in text.splitlines()[1:]])
    head = text.splitlines()[0].split(",")
    columns = dict(zip(head, table.T, strict=True))
    total = columns["background"] + columns["p1"] + columns["p2"] + columns["p3"]
    np.testing.assert_allclose(total, columns["fit"], atol=1e-9)
    np.testing.assert_allclose(columns["data"] - columns["fit"], columns["residual"], atol=1e-9)


def test_text_report_names_the_peaks(peaks, qtbot, tmp_path):
    text = written(peaks, qtbot, "report_txt", tmp_path / "a.txt")
    assert "p1" in text
    assert "±" in text


def test_a_report_without_a_fit_is_refused_in_words(loaded, peaks, tmp_path):
    peaks.editor.remove("p1")
    peaks.exchange.write_report("report_csv", tmp_path / "no.csv")
    assert "fit first" in loaded.notices.text
    assert not (tmp_path / "no.csv").exists()


def test_template_makes_the_same_model_again(peaks, tmp_path):
    peaks.edit("p2_fwhm", "tie", "p1_fwhm")
    model, path = peaks.editor.model, tmp_path / "t.peaks.json"
    peaks.exchange.write_template(path)
    peaks.do("clear")
    peaks.exchange.load_template(path)
    assert peaks.editor.model == model


@pytest.mark.parametrize("content", ["", "{}", "[1, 2]", '{"format": "spectrogen-peaks"}', "a,b"])
def test_a_file_that_is_no_template_is_refused_in_words(loaded, peaks, tmp_path, content):
    path = tmp_path / "odd.json"
    path.write_text(content)
    model = peaks.editor.model
    peaks.exchange.load_template(path)
    assert loaded.notices.level == "error"
    assert peaks.editor.model is model


def test_a_template_that_is_gone(loaded, peaks, tmp_path):
    peaks.exchange.load_template(tmp_path / "gone.json")
    assert loaded.notices.level == "error"


def test_an_earlier_fit_comes_back_and_that_can_be_undone(loaded, peaks, qtbot):
    first = peaks.editor.peaks.result
    peaks.editor.remove("p2")
    peaks.editor.fit()
    qtbot.waitUntil(lambda: not peaks.editor.busy)
    assert len(peaks.editor.peaks.history) == 2
    peaks.do("history")
    sheet = peaks.exchange.sheet
    assert [row[2].text for row in sheet.rows.rows] == ["3", "2"]
    before = loaded.store.state
    sheet.activated.emit(0)
    assert peaks.editor.peaks.result is first
    assert len(peaks.editor.model.peaks) == 3
    assert len(peaks.editor.peaks.history) == 2
    loaded.store.undo()
    assert loaded.store.state is before


def test_the_history_lives_in_the_project_file(loaded, peaks, tmp_path):
    path = tmp_path / "work.spectrogen"
    project.save(loaded.store.state, path)
    curve = loaded.store.selection.curve
    again = project.load(path).curve(curve)
    held, now = again.peaks, peaks.editor.peaks
    assert held.model == now.model
    assert held.options == now.options
    assert held.history[0].what == "Fit"
    assert held.result is held.history[0].result
    assert held.result.spectrum is again.spectrum, "stored once"
    np.testing.assert_array_equal(held.result.covariance, now.result.covariance)
    assert [p.center for p in held.result.peaks] == [p.center for p in now.result.peaks]


def test_correlations_are_shown_with_the_strong_ones_marked(peaks):
    peaks.do("results")
    sheet = peaks.exchange.sheet
    result = peaks.editor.peaks.result
    assert sheet.rows.heads == result.free
    i, j = result.free.index("p1_height"), result.free.index("p1_fwhm")
    cell = sheet.rows.rows[i][j]
    assert cell.value == pytest.approx(result.correlations[i, j])
    assert cell.shade == pytest.approx(abs(cell.value))
    assert sheet.rows.rows[i][i].shade == 0
    sheet.copy()


def pick(sheet, chooser, text):
    combo = next(c for c in sheet.findChildren(ComboBox) if c.accessibleName() == chooser)
    combo.setCurrentText(text)
    combo.activated.emit(combo.currentIndex())


# ---- many spectra -----------------------------------------------------------------------------


@pytest.fixture
def series(loaded, peaks):
    """Five more spectra whose strongest line walks, and one without a line."""
    made = [
        lines("raman", (282 + i, 400, 5), (712, 200, 4), (1086 + 2 * i, 1000, 4), name=f"T{i}",
              sample="Series").replace(metadata={"temperature": f"{20 * i} K", "note": "x"})
        for i in range(5)
    ]  # fmt: skip
    made.append(made[0].replace(x=[1.0, 2.0, 3.0], y=[0.0, 1.0, 0.0], name="short"))
    first = loaded.store.selection.curve
    loaded.store.edit("Series", loaded.store.state.add(made))
    ids = [c.id for c in loaded.store.state.curves() if c.spectrum.sample == "Series"]
    chosen = (first, *ids)
    sample = loaded.store.state.sample_of(first).id
    loaded.store.select(Selection(first, sample, chosen))
    return ids


def test_copying_gives_the_others_the_peaks_in_one_step(loaded, peaks, series):
    peaks.do("copy")
    for curve_id in series:
        assert loaded.store.state.curve(curve_id).peaks.model == peaks.editor.model
    loaded.store.undo()
    assert all(loaded.store.state.curve(i).peaks is None for i in series)


def test_copying_to_nobody_says_how(loaded, peaks):
    peaks.do("copy")
    assert "Select the spectra" in loaded.notices.text


def test_batch_fits_all_lists_failures_and_is_one_step(loaded, peaks, series, qtbot, tmp_path):
    before = loaded.store.state
    peaks.do("batch")
    with qtbot.waitSignal(peaks.many.finished, timeout=120_000):
        pass
    outcomes = peaks.many.outcomes
    assert len(outcomes) == 7
    good = [o for o in outcomes if isinstance(o, FitResult)]
    failed = [o for o in outcomes if isinstance(o, Failure)]
    assert (len(good), len(failed)) == (6, 1)
    for i, curve_id in enumerate(series[:5]):
        held = loaded.store.state.curve(curve_id).peaks
        strongest = max(held.result.peaks, key=lambda p: p.height.value)
        assert strongest.center.value == pytest.approx(1086 + 2 * i, abs=0.2)
        assert held.history[-1].what == "Batch"
    sheet = peaks.many.sheet
    states = [row[1].text for row in sheet.rows.rows]
    assert len(states) == 7
    assert not any(s == "waiting" for s in states)
    assert states[6].startswith("failed: ")
    assert "1 failed" in loaded.notices.text
    pick(sheet, "Plot", "p3 centre")
    pick(sheet, "against", "temperature")
    qtbot.waitUntil(lambda: peaks.many.trend is not None and len(peaks.many.trend.points.data) > 0)
    x, y = peaks.many.trend.points.getData()
    assert sorted(set(x)) == [0, 20, 40, 60, 80]
    assert y.max() == pytest.approx(1094, abs=0.5)
    peaks.many.save(tmp_path / "all.csv")
    rows = list(csv.DictReader((tmp_path / "all.csv").read_text().splitlines()))
    assert {r["spectrum"] for r in rows if r["peak"]} == {o.spectrum.name for o in good}
    assert [r["spectrum"] for r in rows if not r["peak"]] == [failed[0].name]
    assert "6 of 7 spectra are in it" in loaded.notices.text
    peaks.many.save(tmp_path / "all.csv" / "under a file.csv")
    assert "could not be written" in loaded.notices.text
    sheet.activateWindow()
    sheet.table.setFocus()
    qtbot.waitUntil(sheet.table.hasFocus)
    QTest.keyClick(sheet.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: QtWidgets.QApplication.clipboard().text() == sheet.rows.text())
    peaks.many._go_to(1)
    assert loaded.store.selection.curve == series[0]
    loaded.store.undo()
    assert loaded.store.state is before


def test_the_table_says_why_a_value_has_no_error(loaded, peaks, series, qtbot):
    held = THREE.edit("p1_center", fixed=True).edit("p2_center", tie="p3_center - 374")
    peaks.editor.edit("Held", held)
    with qtbot.waitSignal(peaks.many.finished, timeout=120_000):
        peaks.do("batch")
    sheet = peaks.many.sheet
    assert [row[6].text for row in sheet.rows.rows] == ["fixed"] * 6 + [""]
    pick(sheet, "Plot", "p2 centre")
    errors = [row[6] for row in sheet.rows.rows[:6]]
    assert all(float(cell.text) == pytest.approx(cell.value, rel=0.1) for cell in errors)


def test_a_batch_ends_the_one_before(loaded, peaks, series, qtbot):
    peaks.do("batch")
    qtbot.waitUntil(lambda: any(o is not None for o in peaks.many.outcomes))
    store = loaded.store
    store.select(Selection(series[1], store.selection.sample, tuple(series[1:3])))
    with qtbot.waitSignal(peaks.many.finished, timeout=120_000):
        peaks.do("batch")
    assert [o.spectrum.name for o in peaks.many.outcomes] == ["T1", "T2"]
    assert store.undo_label == "Fit 2 spectra"


def test_another_batch_takes_the_table_over(loaded, peaks, series, qtbot):
    with qtbot.waitSignal(peaks.many.finished, timeout=120_000):
        peaks.do("batch")
    sheet = peaks.many.sheet
    pick(sheet, "against", "temperature")
    store = loaded.store
    store.select(Selection(series[1], store.selection.sample, tuple(series[1:3])))
    for name in series[1:3]:
        bare = store.state.curve(name).spectrum.replace(metadata={})
        store.edit("No temperature", store.state.edit_curve(name, spectrum=bare))
    with qtbot.waitSignal(peaks.many.finished, timeout=120_000):
        peaks.do("batch")
    assert peaks.many.sheet is sheet
    assert len(sheet.rows.rows) == 2
    qtbot.waitUntil(lambda: len(peaks.many.trend.points.data) == 2)
    assert list(peaks.many.trend.points.getData()[0]) == [1, 2]
    loaded.theme.set_mode("dark")
    ground = peaks.many.trend.backgroundBrush().color().name()
    loaded.theme.set_mode("light")
    assert (ground, peaks.many.trend.backgroundBrush().color().name()) == (
        DARK.surface, LIGHT.surface
    )  # fmt: skip
    sheet.close()
    qtbot.waitUntil(lambda: peaks.many.sheet is None)
    with qtbot.waitSignal(peaks.many.finished, timeout=120_000):
        peaks.do("batch")
    assert peaks.many.sheet is not None


def test_batch_of_one_says_how(loaded, peaks):
    peaks.do("batch")
    assert "Select the spectra to fit" in loaded.notices.text
    assert peaks.many.sheet is None


def test_numbers_in_metadata_become_axes(calcite):
    spectra = [calcite[0].replace(metadata={"T": f"{k} K", "same": "5", "word": "a"})
               for k in (1, 2)]  # fmt: skip
    spectra.append(calcite[0].replace(metadata={}))
    found = numeric(spectra)
    assert list(found) == ["T"]
    assert found["T"][:2] == [1, 2]
    assert math.isnan(found["T"][2])


# ---- generated lines --------------------------------------------------------------------------


def generated_with_lines(request, token):
    made = fakes.generate(request, token)
    listed = {
        t: tuple(Line(float(c), float(2 * w), float(np.pi / 2 * h * 2 * w), 1.0)
                 for c, h, w in fakes.PEAKS[t])
        for t in made
    }  # fmt: skip
    return GenerationResult(made.spectra, made.familiarity, made.references, (), listed)


@pytest.fixture
def with_lines(loaded, qtbot, monkeypatch):
    """Calcite with a generated infrared spectrum that has its lines."""
    monkeypatch.setattr(services, "generate", generated_with_lines)
    loaded.generating.generate_for(("ir",))
    qtbot.waitUntil(lambda: not loaded.worker.busy)
    return curve_of(loaded, "ir", Origin.GENERATED)


def test_a_generated_spectrum_brings_its_lines(loaded, with_lines):
    centers = [p.center for p in with_lines.peaks.model.peaks]
    assert centers == [712, 873, 1410]
    shown = [m for m in loaded.plots.models if m.modality == "ir"]
    assert shown[0].fit is None, "not before they are asked for"


def test_generated_lines_are_the_start_of_a_fit(loaded, with_lines, qtbot):
    measured = curve_of(loaded, "ir")
    loaded.show_task("peaks")
    loaded.store.select_curve(measured.id)
    loaded.peaks.do("line_list")
    qtbot.waitUntil(lambda: not loaded.peaks.editor.busy)
    held = loaded.peaks.editor.peaks
    assert [p.center for p in held.model.peaks] == pytest.approx([712, 873, 1410], abs=2)
    assert held.result.r_squared > 0.99
    assert held.result.warnings == ()
    assert held.history[-1].what == "Generated lines"


def test_lines_of_generated_and_measured_are_matched(loaded, with_lines, qtbot):
    measured = curve_of(loaded, "ir")
    loaded.show_task("peaks")
    loaded.store.select_curve(measured.id)
    loaded.peaks.editor.edit("Start", Model((
        Peak.make("lorentzian", 714, 0.1, 16), Peak.make("lorentzian", 870, 0.3, 20),
        Peak.make("lorentzian", 1600, 0.1, 20),
    )))  # fmt: skip
    loaded.peaks.do("lines")
    sheet = loaded.peaks.exchange.sheet
    rows = [[c.text for c in row] for row in sheet.rows.rows]
    assert [r[4] for r in rows] == ["-2", "+3", "", ""]
    assert rows[2][0] == ""
    assert rows[3][2] == ""
    assert float(rows[0][5]) == pytest.approx((0.3 / 1.0) / (0.1 / 0.3), rel=1e-3)
    assert sheet.note.text().startswith("2 of 4")
    sheet.close()


def test_without_generated_lines_the_way_is_said(loaded, peaks):
    peaks.do("line_list")
    assert "Generate this modality" in loaded.notices.text
    peaks.do("lines")
    assert "Two spectra with peaks" in loaded.notices.text


def test_only_strong_lines_become_peaks():
    many = [Line(float(i), 1.0, 1.0 / (1 + i), 0.5) for i in range(200)]
    held = from_line_list(many)
    assert isinstance(held, Decomposition)
    assert len(held.model.peaks) == 60
    assert from_line_list([]) is None
    assert json.dumps(held.model.to_dict())
