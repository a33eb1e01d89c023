"""The tables of the Peaks task: what they show, what typing does, what is refused."""

import math

import pytest
from PySide6 import QtWidgets
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from spectrogen_app.errors import FitError
from spectrogen_app.fitting.estimate import Estimate
from spectrogen_app.fitting.model import Model, Param, Peak
from spectrogen_app.gui.peaks.params import FIELDS
from spectrogen_app.gui.peaks.rules import bounded, edited, ranges, told, unbounded
from spectrogen_app.gui.peaks.tables import ERROR, UNKNOWN, parts

TWO = Model((Peak.make("lorentzian", 1086, 900, 8), Peak.make("lorentzian", 282, 300, 9)))


@pytest.fixture
def peaks(loaded):
    loaded.show_task("peaks")
    editor = loaded.peaks.editor
    editor.edit("Two", TWO)
    editor.choose("p1")
    return loaded.peaks


@pytest.fixture
def view(peaks):
    return peaks._view


def cell(view, row: int, field: str):
    return view.params.rows.index(row, FIELDS.index(field))


def put(view, row: int, field: str, text: str) -> None:
    view.params.rows.setData(cell(view, row, field), text)


def typed(field, text: str) -> None:
    field.selectAll()
    QTest.keyClicks(field, text)
    field.editingFinished.emit()


def test_peaks_are_listed_by_position(view):
    assert [r.name for r in view.table.rows.rows] == ["p2", "p1"]
    assert view.table.names() == ["p1"]
    assert view.table.rows.rows[1].values[0] == ("1086", "")


def test_choosing_in_the_table_chooses_on_the_plot_and_back(peaks, view):
    view.table.selectRow(0)
    assert peaks.editor.selected == "p2"
    assert peaks.gestures.handles.canvas.fit._selected == "p2"
    peaks.gestures.handles.chosen.emit("p1")
    assert view.table.names() == ["p1"]
    assert view.title.text() == "p1"


def test_up_and_down_walk_through_the_peaks(peaks, view):
    QTest.keyClick(view.table, Qt.Key.Key_Up)
    assert peaks.editor.selected == "p2"
    QTest.keyClick(view.table, Qt.Key.Key_Down)
    assert peaks.editor.selected == "p1"


def test_delete_removes_every_selected_peak_in_one_step(loaded, peaks, view):
    view.table.selectAll()
    QTest.keyClick(view.table, Qt.Key.Key_Delete)
    assert not peaks.editor.model.peaks
    loaded.store.undo()
    assert peaks.editor.model == TWO


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [("value", "1090.5", ("value", 1090.5)), ("low", "1080", ("min", 1080)),
     ("value", "1090,5", ("value", 1090.5)), ("high", "much", None),
     ("high", "1100", ("max", 1100)), ("fixed", True, ("fixed", True))],
)  # fmt: skip
def test_typing_changes_the_parameter_in_one_step(peaks, view, field, text, expected):
    peaks.edit("p1_center", field, text)
    center = peaks.editor.model.peak("p1")["center"]
    if expected is None:
        assert "Expected a number" in view.trouble.text()
        assert center == TWO.peak("p1")["center"]
        return
    assert getattr(center, expected[0]) == expected[1]
    store = peaks.editor.context.store
    assert store.undo_label == "Change p1_center"
    store.undo()
    assert peaks.editor.model == TWO


def test_cells_go_through_the_same_way(peaks, view):
    put(view, 0, "value", "1080")
    put(view, 2, "high", "30")
    model = view.params.rows
    model.setData(cell(view, 1, "fixed"), Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)
    peak = peaks.editor.model.peak("p1")
    assert peak.center == 1080
    assert peak["fwhm"].max == 30
    assert peak["height"].fixed


def test_space_fixes_and_frees(peaks, view):
    view.params.setCurrentIndex(cell(view, 1, "fixed"))
    QTest.keyClick(view.params, Qt.Key.Key_Space)
    assert peaks.editor.model.peak("p1")["height"].fixed
    QTest.keyClick(view.params, Qt.Key.Key_Space)
    assert not peaks.editor.model.peak("p1")["height"].fixed


def test_a_key_begins_to_edit_a_cell(peaks, view, qtbot):
    view.params.setCurrentIndex(cell(view, 0, "value"))
    QTest.keyClicks(view.params, "7")
    editor = view.params.findChild(QtWidgets.QLineEdit)
    QTest.keyClicks(editor, "50.25")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: peaks.editor.model.peak("p1").center == 750.25)


def test_letters_typed_into_a_tie_are_no_commands(loaded, peaks, view, qtbot):
    loaded.activateWindow()
    view.params.setFocus()
    qtbot.waitUntil(view.params.hasFocus)
    view.params.setCurrentIndex(cell(view, 0, "tie"))
    QTest.keyClicks(view.params, "p")
    assert not peaks.gestures.mode
    editor = view.params.findChild(QtWidgets.QLineEdit)
    assert editor.text() == "p"
    QTest.keyClicks(editor, "2_center + 804")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(peaks.editor.model.peak("p1")["center"].tie))
    assert peaks.editor.model.peak("p1")["center"].tie == "p2_center + 804"
    assert not peaks.gestures.mode


def test_an_emptied_bound_is_the_shapes_own(peaks, view):
    peaks.edit("p1_fwhm", "low", "3")
    peaks.edit("p1_fwhm", "low", "")
    assert peaks.editor.model.peak("p1")["fwhm"].min == TWO.peak("p1")["fwhm"].min
    peaks.edit("p1_fwhm", "low", "-5")
    assert peaks.editor.model.peak("p1")["fwhm"].min >= 0
    peaks.edit("p1_center", "high", "")
    assert math.isinf(peaks.editor.model.peak("p1")["center"].max)


def test_crossed_bounds_are_refused_in_words(peaks, view):
    peaks.edit("p1_center", "high", "1100")
    peaks.edit("p1_center", "low", "1200")
    assert "lies above" in view.trouble.text()
    assert math.isinf(peaks.editor.model.peak("p1")["center"].min)


def test_a_tie_gives_the_value_at_once(peaks):
    peaks.edit("p2_fwhm", "tie", "p1_fwhm * 2")
    assert peaks.editor.model.peak("p2").fwhm == 16
    peaks.edit("p1_fwhm", "value", "10")
    assert peaks.editor.model.peak("p2").fwhm == 20


@pytest.mark.parametrize(
    "tie", ["p9_center", "p1_center +", "p1_center", "__import__('os').getcwd()", "open('x')"]
)
def test_a_bad_tie_is_refused_in_words(peaks, view, tie):
    peaks.edit("p1_center", "tie", tie)
    assert view.trouble.text()
    assert not view.trouble.isHidden()
    assert peaks.editor.model == TWO


def test_removing_a_peak_frees_what_was_tied_to_it(peaks):
    peaks.edit("p2_fwhm", "tie", "p1_fwhm")
    peaks.editor.remove("p1")
    assert peaks.editor.model.peak("p2")["fwhm"].tie == ""


def test_another_shape_keeps_place_height_and_width(peaks, view):
    view.shape_chosen.emit("voigt")
    peak = peaks.editor.model.peak("p1")
    assert peak.shape == "voigt"
    assert (peak.center, peak.height) == (1086, 900)
    assert peak.fwhm == pytest.approx(8, rel=1e-3)
    assert len(view.params.rows.rows) == 4


def test_background_is_a_row_with_parameters_and_can_be_removed(loaded, peaks, view):
    view.background_chosen.emit("linear")
    assert peaks.editor.model.background.kind == "linear"
    assert [r.name for r in view.table.rows.rows][-1] == "background"
    peaks.editor.choose("background")
    assert [r.name for r in view.params.rows.rows] == ["bg_c0", "bg_c1"]
    peaks.edit("bg_c0", "value", "12")
    view.background_chosen.emit("cubic")
    assert [p.value for p in peaks.editor.model.background.params] == [12, 0, 0, 0]
    view.peaks_removed.emit(["background"])
    assert peaks.editor.model.background is None


def test_partner_is_offered_for_powder_patterns_alone(loaded, peaks, view):
    assert view.partner.isHidden()
    xrd = next(c for c in loaded.store.state.curves() if c.spectrum.modality == "xrd")
    loaded.store.select_curve(xrd.id)
    peaks.editor.edit("One", Model((Peak.make("pseudo_voigt", 29.4, 900, 0.1),)))
    peaks.editor.choose("p1")
    assert not view.partner.isHidden()
    view.partner.click()
    assert peaks.editor.model.peak("p1").partner


def test_each_spectrum_keeps_its_own_peaks(loaded, peaks, view, quartz):
    first = loaded.store.selection.curve
    other = next(c for c in loaded.store.state.curves() if c.spectrum.sample == quartz.sample)
    loaded.store.select_curve(other.id)
    assert not view.table.rows.rows
    assert peaks.editor.selected == ""
    loaded.store.select_curve(first)
    assert len(view.table.rows.rows) == 2


def test_bound_and_unbound(peaks, view):
    view.asked.emit("bound")
    peak = peaks.editor.model.peak("p1")
    assert (peak["center"].min, peak["center"].max) == (1078, 1094)
    view.asked.emit("free")
    assert peaks.editor.model == TWO


@pytest.mark.parametrize("shape", ["gaussian", "voigt", "split_pseudo_voigt", "pearson7", "fano"])
def test_bounds_hold_the_value_for_every_shape(shape):
    for height in (5.0, -5.0, 0.0):
        peak = bounded(Peak.make(shape, 100, height, 4))
        assert all(p.min <= p.value <= p.max for p in peak.params)
        assert unbounded(peak) == Peak.make(shape, 100, height, 4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", ()), ("200-1300", ((200, 1300),)), ("510 - 530, 800–820", ((510, 530), (800, 820))),
     ("1300-200", ((200, 1300),)), ("-5 - 5", ((-5, 5),)), ("1e3 to 2e3", ((1000, 2000),)),
     ("510,5-530,2", ((510.5, 530.2),)), ("510,5-530,2; 800-820", ((510.5, 530.2), (800, 820))),
     ("510,5-530, 800-820,25", ((510.5, 530), (800, 820.25))), ("−5 – 5.", ((-5, 5),))],
)  # fmt: skip
def test_ranges_as_people_write_them(text, expected):
    assert ranges(text) == expected


@pytest.mark.parametrize("text", ["abc", "200", "200-", "1-2-3"])
def test_no_ranges(text):
    with pytest.raises(ValueError):
        ranges(text)


def test_a_bad_range_is_told_and_put_back(loaded, peaks, view):
    typed(view.within, "all of it")
    assert "no range" in loaded.notices.text
    assert view.within.text() == ""
    typed(view.within, "200,5-900")
    assert peaks.editor.peaks.options.within == (200.5, 900)


def test_a_field_that_is_only_visited_changes_nothing(peaks, view):
    peaks.editor.set_options(within=(200.123456789, 900.987654321))
    before = peaks.editor.peaks
    view.within.editingFinished.emit()
    assert peaks.editor.peaks is before


def test_as_visible_takes_the_view(peaks, view):
    peaks.editor.canvas.set_ranges(((300.0, 800.0), (0.0, 500.0)))
    view.asked.emit("as_visible")
    assert peaks.editor.peaks.options.within == pytest.approx((300, 800))


def test_a_background_is_told_apart_on_the_range_that_is_fitted(peaks):
    peaks.editor.set_options(within=(300.0, 500.0))
    peaks._choose_background("linear")
    assert peaks.editor.model.background.origin == pytest.approx(400, abs=1)
    peaks.editor.set_options(within=(600.0, 900.0))
    assert peaks.editor.model.background.origin == pytest.approx(750, abs=1)


@pytest.mark.parametrize(
    ("estimate", "expected"),
    [(Estimate(1085.4321, 0.0321), ("1085.432", "0.032")), (Estimate(84324.9, 913.7),
     ("84320", "910")), (Estimate(0.5), ("0.5", "")), (Estimate(2.0, 0.0), ("2", "")),
     (Estimate(1.5e9, 2e7), ("1.5000e+09", "2.0e+07")), (Estimate(29.41657, 8.7e-05),
     ("29.416570", "0.000087"))],
)  # fmt: skip
def test_digits_follow_the_error(estimate, expected):
    assert parts(estimate) == expected


@pytest.mark.parametrize(
    ("estimate", "param", "expected"),
    [(Estimate(2.0, 0.1), Param(2.0), ("2.00", "± 0.10")), (Estimate(2.0, 0.0), None, ("2", "± 0")),
     (Estimate(2.0), Param(2.0), ("2", UNKNOWN)), (Estimate(2.0), None, ("2", UNKNOWN)),
     (Estimate(2.0), Param(2.0, fixed=True), ("2", "fixed")),
     (Estimate(2.0), Param(2.0, tie="p1_fwhm"), ("2", "tied"))],
)  # fmt: skip
def test_a_missing_error_is_never_silent(estimate, param, expected):
    assert told(estimate, param) == expected


def test_both_tables_say_which_parameter_is_stuck(loaded, peaks, view, qtbot):
    model = peaks.editor.model
    stuck = model.peak("p1").edit("fwhm", value=100.0, min=90.0).edit("height", fixed=True)
    peaks.editor.edit("Stuck", model.with_peak(stuck))
    peaks.do("fit")
    qtbot.waitUntil(lambda: peaks.editor.peaks.result is not None and not peaks.editor.busy)
    qtbot.waitUntil(lambda: cell(view, 2, "value").data(ERROR) == UNKNOWN)
    assert cell(view, 1, "value").data(ERROR) == "fixed"
    assert [view.table.rows.index(1, k).data(ERROR) for k in (2, 3)] == ["fixed", UNKNOWN]


def test_delete_clears_a_bound_and_tab_leaves_the_table(loaded, peaks, view, qtbot):
    peaks.edit("p1_center", "low", "1000")
    loaded.activateWindow()
    view.params.setFocus()
    qtbot.waitUntil(view.params.hasFocus)
    view.params.setCurrentIndex(cell(view, 0, "low"))
    QTest.keyClick(view.params, Qt.Key.Key_Delete)
    assert peaks.editor.model.peak("p1")["center"].min == -math.inf
    assert len(peaks.editor.model.peaks) == 2
    QTest.keyClick(view.params, Qt.Key.Key_Tab)
    assert not view.params.hasFocus()


def test_typing_right_after_a_click_on_the_cell_is_not_cut_short(peaks, view, qtbot):
    place = view.params.visualRect(cell(view, 0, "value")).center()
    for _ in range(2):  # the second one on what is selected already
        QTest.mouseClick(view.params.viewport(), Qt.MouseButton.LeftButton, pos=place)
        QTest.qWait(QtWidgets.QApplication.doubleClickInterval() + 50)
    assert view.params.state() is not QtWidgets.QAbstractItemView.State.EditingState


def test_no_number_is_said():
    with pytest.raises(FitError, match="Expected a number"):
        edited(Param(1.0), "value", "one")


def test_every_control_has_a_name(view):
    kinds = (QtWidgets.QAbstractButton, QtWidgets.QComboBox, QtWidgets.QLineEdit,
             QtWidgets.QTableView)  # fmt: skip
    nameless = [
        w for kind in kinds for w in view.findChildren(kind)
        if not w.accessibleName() and not isinstance(w.parent(), QtWidgets.QComboBox)
        and not isinstance(w.parent(), QtWidgets.QTableView)
    ]  # fmt: skip
    assert not nameless
