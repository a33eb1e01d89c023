"""Peaks by mouse on the real window: one gesture, one step."""

import numpy as np
import pyqtgraph as pg
import pytest
from gui_fakes import curve_of
from peaks_hands import Hands
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from spectrogen_app.fitting.model import Model, Peak


@pytest.fixture(autouse=True)
def _every_move_counts():
    before = pg.getConfigOption("mouseRateLimit")
    pg.setConfigOption("mouseRateLimit", -1)
    yield
    pg.setConfigOption("mouseRateLimit", before)


@pytest.fixture
def hands(loaded):
    loaded.resize(1300, 820)
    loaded.plots.solo = True
    loaded.show_task("peaks")
    hide = [c.id for c in loaded.store.state.curves() if c.spectrum.modality != "raman"]
    loaded.store.edit("Hide", loaded.store.state.show(hide, False))
    loaded.plots.solo = False
    loaded.plots.refresh()
    made = Hands(loaded)
    made.settle()
    return made


@pytest.fixture
def editor(hands):
    return hands.window.peaks.editor


def only(editor) -> Peak:
    (peak,) = editor.model.peaks
    return peak


def with_peak(editor, hands, **bounds) -> Peak:
    peak = Peak.make("lorentzian", 700.0, 400.0, 80.0)
    for name, (low, high) in bounds.items():
        peak = peak.edit(name, min=low, max=high)
    editor.edit("Add", Model((peak,)))
    editor.choose("p1")
    hands.settle()
    return only(editor)


def test_click_adds_a_peak_read_off_the_data(hands, editor):
    before = hands.window.store.state
    hands.window.actions_["peak_mode"].trigger()
    hands.click((1086.0, 300.0))
    peak = only(editor)
    assert peak.center == pytest.approx(1086, abs=2)
    assert peak.height == pytest.approx(1000, rel=0.3)
    assert 4 < peak.fwhm < 20
    assert hands.window.store.undo_label == "Add p1"
    hands.window.store.undo()
    assert hands.window.store.state is before


def test_without_peak_mode_a_click_adds_nothing(hands, editor):
    hands.click((900.0, 300.0))
    assert not editor.model.peaks


def test_dragging_out_gives_the_width(hands, editor):
    hands.window.actions_["peak_mode"].trigger()
    hands.drag((712.0, 150.0), (752.0, 150.0))
    peak = only(editor)
    assert peak.center == pytest.approx(712, abs=2)
    assert peak.fwhm == pytest.approx(80, abs=4)
    hands.window.store.undo()
    assert not editor.model.peaks


def test_top_handle_moves_centre_and_height_in_one_step(hands, editor):
    with_peak(editor, hands)
    store, before = hands.window.store, hands.window.store.state
    top = hands.grip("top", "p1")
    hands.press((top.x, top.y))
    hands.move((800.0, 500.0))
    hands.move((820.0, 600.0))
    assert store.state is before, "the session waits for the end of the drag"
    drawn = hands.handles.canvas.fit.curves
    near = int(np.argmin(np.abs(drawn.total.x - 820)))
    assert drawn.total.y[near] == pytest.approx(600, rel=0.05), "the sum follows the mouse"
    residual = hands.handles.canvas._residual_item.getData()[1]
    data = curve_of(hands.window, "raman").spectrum.y
    assert residual.min() == pytest.approx((data - drawn.total.y).min(), rel=0.05)
    hands.release((820.0, 600.0))
    peak = only(editor)
    assert peak.center == pytest.approx(820, abs=3)
    assert peak.height == pytest.approx(600, rel=0.03)
    assert peak.fwhm == 80
    assert store.undo_label == "Move p1"
    store.undo()
    assert store.state is before


@pytest.mark.parametrize("side", ["left", "right"])
def test_side_handle_changes_the_width_alone(hands, editor, side):
    before = with_peak(editor, hands)
    grip = hands.grip(side, "p1")
    out = 30 if side == "right" else -30
    hands.drag((grip.x, grip.y), (grip.x + out, grip.y))
    peak = only(editor)
    assert peak.fwhm == pytest.approx(140, abs=4)
    assert (peak.center, peak.height) == (before.center, before.height)


def test_each_side_of_a_split_peak_has_its_own_width(hands, editor):
    editor.edit("Add", Model((Peak.make("split_pseudo_voigt", 700.0, 400.0, 80.0),)))
    editor.choose("p1")
    grip = hands.grip("left", "p1")
    hands.drag((grip.x, grip.y), (grip.x - 30, grip.y))
    peak = only(editor)
    assert peak["fwhm_left"].value == pytest.approx(140, abs=4)
    assert peak["fwhm_right"].value == 80


def test_handles_win_over_pan_and_other_drags_still_pan(hands, editor):
    with_peak(editor, hands)
    canvas = hands.handles.canvas
    before = canvas.ranges()
    top = hands.grip("top", "p1")
    hands.drag((top.x, top.y), (top.x + 60, top.y))
    assert canvas.ranges() == before
    model = editor.model
    hands.drag((400.0, 700.0), (480.0, 700.0))
    assert canvas.ranges()[0][0] == pytest.approx(before[0][0] - 80, abs=8)
    assert editor.model is model


def test_dragging_a_handle_in_peak_mode_adds_no_peak(hands, editor):
    with_peak(editor, hands)
    hands.window.actions_["peak_mode"].trigger()
    top = hands.grip("top", "p1")
    hands.drag((top.x, top.y), (top.x + 50, top.y + 50))
    assert only(editor).center == pytest.approx(750, abs=4)
    top = hands.grip("top", "p1")
    hands.click((top.x, top.y))
    assert len(editor.model.peaks) == 1


def test_right_click_removes_the_nearest(hands, editor):
    peaks = (Peak.make("gaussian", 500, 300, 20), Peak.make("gaussian", 900, 300, 20))
    editor.edit("Add", Model(peaks))
    hands.window.actions_["peak_mode"].trigger()
    hands.click((880.0, 600.0), Qt.MouseButton.RightButton)
    assert [p.center for p in editor.model.peaks] == [500]
    hands.click((900.0, 600.0), Qt.MouseButton.RightButton)
    assert len(editor.model.peaks) == 1, "500 is too far from 900"


def test_delete_after_a_click_on_the_plot_is_about_the_peak(hands, editor, qtbot):
    with_peak(editor, hands)
    window = hands.window
    before = len(list(window.store.state.curves()))
    window.activateWindow()
    window.samples_view.tree.setFocus()
    qtbot.waitUntil(window.samples_view.tree.hasFocus)
    top = hands.grip("top", "p1")
    hands.click((top.x, top.y))
    assert hands.handles.canvas.hasFocus()
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Delete)
    assert not editor.model.peaks
    assert len(list(window.store.state.curves())) == before


def test_delete_removes_the_selected(hands, editor, qtbot):
    with_peak(editor, hands)
    hands.window.activateWindow()
    hands.handles.canvas.setFocus()
    qtbot.waitUntil(hands.handles.canvas.hasFocus)
    QTest.keyClick(hands.handles.canvas, Qt.Key.Key_Delete)
    assert not editor.model.peaks
    assert editor.selected == ""
    assert len(list(hands.window.store.state.curves())) == 4, "the spectrum stays"


def test_escape_cancels_the_drag_then_leaves_the_mode(hands, editor):
    with_peak(editor, hands)
    hands.window.actions_["peak_mode"].trigger()
    before = hands.window.store.state
    drawn = hands.handles.canvas.fit.curves.total.y.copy()
    top = hands.grip("top", "p1")
    hands.press((top.x, top.y))
    hands.move((900.0, 800.0))
    assert not np.array_equal(hands.handles.canvas.fit.curves.total.y, drawn)
    hands.window._escape()
    np.testing.assert_array_equal(hands.handles.canvas.fit.curves.total.y, drawn)
    hands.move((950.0, 800.0))
    hands.release((950.0, 800.0))
    assert hands.window.store.state is before
    assert hands.window.peaks.gestures.mode
    hands.window._escape()
    assert not hands.window.peaks.gestures.mode
    assert not hands.window.actions_["peak_mode"].isChecked()


def test_bounds_are_drawn_and_dragged(hands, editor):
    with_peak(editor, hands, center=(600.0, 800.0), height=(10.0, 900.0), fwhm=(20.0, 200.0))
    kinds = {g.kind for g in hands.handles.grips}
    assert {"center.min", "center.max", "height.min", "height.max", "width.max"} <= kinds
    grip = hands.grip("center.max", "p1")
    hands.drag((grip.x, grip.y), (grip.x + 60, grip.y))
    assert only(editor)["center"].max == pytest.approx(860, abs=3)
    grip = hands.grip("height.max", "p1")
    hands.drag((grip.x, grip.y), (grip.x, grip.y - 300))
    assert only(editor)["height"].max == pytest.approx(600, rel=0.03)
    grip = hands.grip("width.max", "p1")
    hands.drag((grip.x, grip.y), (grip.x + 50, grip.y))
    assert only(editor)["fwhm"].max == pytest.approx(300, abs=8)
    assert hands.window.store.undo_label == "Change the bounds of p1"


def test_the_bounds_of_a_narrow_peak_can_be_told_apart(hands, editor):
    peak = Peak.make("lorentzian", 700.0, 400.0, 0.5)
    peak = peak.edit("center", min=699.5, max=700.5).edit("fwhm", min=0.2, max=1.0)
    editor.edit("Add", Model((peak,)))
    editor.choose("p1")
    hands.settle()
    for kind in ("center.min", "center.max", "width.min", "width.max"):
        grip = hands.grip(kind, "p1")
        assert hands.handles.grip_at(hands.handles.place(grip)) == grip
    where = [hands.handles.place(hands.grip(f"{k}.{s}", "p1")).x() for k in ("center", "width")
             for s in ("min", "max")]  # fmt: skip
    assert where[1] - where[0] >= 20
    assert where[3] - where[2] >= 20
    start = hands.drawn("center.max", "p1")
    hands.drag(start, (start[0] + 100, start[1]))
    assert only(editor)["center"].max == pytest.approx(800.5, abs=3)


def test_a_bound_pushes_the_value_and_stops_at_the_other(hands, editor):
    with_peak(editor, hands, center=(600.0, 800.0))
    grip = hands.grip("center.max", "p1")
    hands.drag((grip.x, grip.y), (650.0, grip.y))
    assert only(editor).center == pytest.approx(650, abs=3)
    start = hands.drawn("center.max", "p1")
    hands.drag(start, (500.0, start[1]))
    assert only(editor)["center"].max == 600


def test_a_top_pushed_out_of_its_bounds_takes_them_along(hands, editor):
    with_peak(editor, hands, center=(650.0, 750.0))
    top = hands.grip("top", "p1")
    hands.drag((top.x, top.y), (850.0, top.y))
    center = only(editor)["center"]
    assert center.value == pytest.approx(850, abs=3)
    assert center.max - center.min == pytest.approx(100)


def test_tied_peaks_follow_while_dragging(hands, editor):
    tied = Peak.make("gaussian", 900, 100, 20).edit("center", tie="p1_center + 200")
    editor.edit("Add", Model((Peak.make("gaussian", 700, 300, 20), tied)))
    top = hands.grip("top", "p1")
    hands.press((top.x, top.y))
    hands.move((600.0, 300.0))
    assert hands.grip("top", "p2").x == pytest.approx(hands.grip("top", "p1").x + 200)
    hands.release((600.0, 300.0))
    assert editor.model.peak("p2").center == pytest.approx(editor.model.peak("p1").center + 200)


def test_dragging_a_tied_peak_takes_the_one_that_leads_along(hands, editor):
    tied = Peak.make("gaussian", 900, 100, 20).edit("center", tie="p1_center + 200")
    tied = tied.edit("height", tie="0.5 * p1_height").edit("fwhm", tie="p1_fwhm")
    editor.edit("Add", Model((Peak.make("gaussian", 700, 200, 20), tied)))
    top = hands.grip("top", "p2")
    hands.drag((top.x, top.y), (950.0, 300.0))
    one, two = editor.model.peaks
    assert (two.center, two.height) == pytest.approx((950, 300), rel=0.02)
    assert (one.center, one.height) == pytest.approx((two.center - 200, 2 * two.height))
    side = hands.grip("right", "p2")
    hands.drag((side.x, side.y), (two.center + 30, side.y))
    one, two = editor.model.peaks
    assert two.fwhm == one.fwhm == pytest.approx(60, rel=0.1)
    assert (two["center"].tie, two["height"].tie) == ("p1_center + 200", "0.5 * p1_height")
    editor.edit("Fix", editor.model.edit("p1_center", fixed=True))
    top = hands.grip("top", "p2")
    hands.drag((top.x, top.y), (1100.0, top.y))
    assert editor.model.peak("p2").center == pytest.approx(two.center), "its leader is fixed"


def test_undo_in_the_middle_of_a_drag_ends_it(hands, editor):
    with_peak(editor, hands)
    top = hands.grip("top", "p1")
    hands.press((top.x, top.y))
    hands.move((900.0, 800.0))
    hands.window.store.undo()
    assert not editor.model.peaks
    hands.move((950.0, 800.0))
    hands.release((950.0, 800.0))
    assert not editor.model.peaks


def test_other_units_give_the_same_peak(hands, editor):
    with_peak(editor, hands)
    hands.window.plots.choose_x("raman", "wavelength/nm")
    hands.settle()
    spectrum = curve_of(hands.window, "raman").spectrum
    top = hands.grip("top", "p1")
    nm = spectrum.replace(x=[700.0, 900.0], y=[0.0, 0.0], lower=None, upper=None).to_x(
        "wavelength", "nm"
    )  # fmt: skip
    assert top.x == pytest.approx(nm.x[0])
    hands.drag((top.x, top.y), (float(nm.x[1]), top.y))
    assert only(editor).center == pytest.approx(900, abs=5)


def test_a_hidden_spectrum_is_said_to_be_hidden(hands, editor):
    raman = curve_of(hands.window, "raman")
    hands.window.area.panels["raman"].canvas.legend.clicked.emit(raman.id)
    assert hands.window.peaks._view.subject.text() == f"{raman.spectrum.name}: hidden."
    assert hands.window.peaks.gestures.handles is None


def test_scaled_and_stacked_curves_keep_their_handles(hands, editor):
    with_peak(editor, hands)
    hands.window.area.scale_chosen.emit("raman", "scaled to 1")
    hands.settle()
    top = hands.grip("top", "p1")
    assert 0.2 < top.y < 0.6
    hands.drag((top.x, top.y), (top.x + 50, top.y))
    assert only(editor).height == pytest.approx(400, rel=0.03)


def test_the_wheel_zooms_in_peak_mode(hands, editor):
    hands.window.actions_["peak_mode"].trigger()
    canvas = hands.handles.canvas
    before = canvas.ranges()
    canvas.zoom_by(0.5)
    assert canvas.ranges() != before
    assert not editor.model.peaks


def test_handles_come_and_go_with_the_tab(hands, editor):
    with_peak(editor, hands)
    canvas = hands.handles.canvas
    hands.window.show_task("process")
    assert hands.window.peaks.gestures.handles is None
    assert canvas.fit.curves is None, "unfitted peaks are drawn on the Peaks tab only"
    hands.window.show_task("peaks")
    assert hands.grip("top", "p1")


def test_curves_cannot_be_picked_through_a_new_peak(hands, editor):
    """A click on the data line adds a peak there, it does not choose another curve."""
    hands.window.actions_["peak_mode"].trigger()
    spectrum = curve_of(hands.window, "raman").spectrum
    at = int(np.argmin(np.abs(spectrum.x - 712)))
    chosen = hands.window.store.selection.curve
    hands.click((float(spectrum.x[at]), float(spectrum.y[at])))
    assert len(editor.model.peaks) == 1
    assert hands.window.store.selection.curve == chosen


def test_hover_shows_what_can_be_taken(hands, editor):
    with_peak(editor, hands)
    top = hands.grip("top", "p1")
    hands.move((top.x, top.y))
    assert hands.handles.cursor().shape() is Qt.CursorShape.SizeAllCursor
    text = hands.window.status.help
    assert text.text().startswith("Drag: move centre and height  ·  Click: select p1")
    side = hands.grip("right", "p1")
    hands.move((side.x, side.y))
    assert text.text().startswith("Drag: change the width")
    editor.choose("")
    editor.remove("p1")
    assert text.text().startswith("Drag: move  ·  Wheel"), "what is gone cannot be dragged"
    with_peak(editor, hands)
    hands.move((400.0, 800.0))
    assert text.text().startswith("Drag: move  ·  Wheel")
    assert hands.handles.cursor().shape() is Qt.CursorShape.ArrowCursor
    assert hands.at((700.0, 0.0)) != QPoint()
