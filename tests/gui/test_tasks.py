"""The Process and Compare tasks."""

import numpy as np
import pytest
from gui_fakes import curve_of, generated
from PySide6 import QtCore
from PySide6.QtCore import Qt

from spectrogen_app.app import services
from spectrogen_app.data.provenance import Origin
from spectrogen_app.processing import pipeline


@pytest.fixture
def process(loaded):
    task = next(t for t in loaded.tasks if t.name == "process")
    loaded.show_task("process")
    return task


@pytest.fixture
def compare(loaded):
    task = next(t for t in loaded.tasks if t.name == "compare")
    loaded.show_task("compare")
    return task


def previews(window):
    return {t.name: t for m in window.plots.models for t in m.traces if t.kind == "preview"}


def test_preview_is_what_apply_makes(loaded, process, qtbot):
    raman = curve_of(loaded, "raman")
    process.presenter.add("arpls")
    qtbot.waitUntil(lambda: "Preview" in previews(loaded))
    expected = pipeline.apply(raman.spectrum, ["arpls"])
    np.testing.assert_array_equal(previews(loaded)["Preview"].drawn.y, expected.y)
    under = previews(loaded)["Baseline"].drawn.y
    np.testing.assert_allclose(under + expected.y, raman.spectrum.y, atol=1e-6)
    process.widget.apply.click()
    qtbot.waitUntil(lambda: not loaded.worker.busy)
    made = curve_of(loaded, "raman", Origin.PROCESSED)
    np.testing.assert_array_equal(made.spectrum.y, expected.y)
    assert made.spectrum.provenance.steps == expected.provenance.steps
    assert made.parents == (raman.id,)
    assert not loaded.store.state.curve(raman.id).visible
    assert previews(loaded) == {}
    loaded.store.undo()
    assert loaded.store.state.curve(raman.id).visible


def test_turning_a_knob_changes_the_preview(loaded, process, qtbot):
    process.presenter.add("savgol")
    qtbot.waitUntil(lambda: "Preview" in previews(loaded))
    before = previews(loaded)["Preview"].drawn
    card = process.widget.cards[0]
    card._fields["window"].setValue(41)
    qtbot.waitUntil(lambda: previews(loaded)["Preview"].drawn is not before)
    assert process.presenter.steps[0].values["window"] == 41


def test_every_step_can_be_added_and_has_named_controls(loaded, process, qtbot):
    for name in pipeline.STEPS:
        process.presenter.add(name)
    assert len(process.widget.cards) == len(pipeline.STEPS)
    for card in process.widget.cards:
        assert set(card._fields) == {p.name for p in card.step.kind.parameters}
        for field in card._fields.values():
            assert field.accessibleName()
    qtbot.waitUntil(lambda: not loaded.previews.busy)
    process.widget.reset.click()
    assert process.presenter.steps == ()
    assert process.widget.cards == []


def test_steps_are_moved_and_removed(loaded, process, qtbot):
    for name in ("crop", "savgol", "arpls"):
        process.presenter.add(name)
    process.widget.cards[2].moved.emit(-1)
    assert [s.name for s in process.presenter.steps] == ["crop", "arpls", "savgol"]
    process.widget.cards[0].removed.emit()
    qtbot.waitUntil(lambda: len(process.presenter.steps) == 2)
    assert [s.name for s in process.presenter.steps] == ["arpls", "savgol"]


def test_what_cannot_be_done_is_said_in_the_panel(loaded, process, qtbot):
    process.presenter.add("crop")
    field = process.widget.cards[0]._fields["low"]
    field.setText("5000")
    field.editingFinished.emit()
    qtbot.waitUntil(lambda: not process.widget.trouble.isHidden())
    assert process.widget.trouble.text()
    field.setText("200")
    field.editingFinished.emit()
    qtbot.waitUntil(process.widget.trouble.isHidden)


def test_several_selected_spectra_are_processed_in_one_step(loaded, process, qtbot):
    first, second = curve_of(loaded, "raman"), curve_of(loaded, "raman", at=1)
    loaded.samples_view._items[second.id].setSelected(True)
    process.presenter.add("savgol")
    assert process.widget.apply.text() == "Apply to 2 spectra"
    process.widget.apply.click()
    qtbot.waitUntil(lambda: not loaded.worker.busy)
    made = [c for c in loaded.store.state.curves() if c.spectrum.origin is Origin.PROCESSED]
    assert {c.parents[0] for c in made} == {first.id, second.id}
    loaded.store.undo()
    assert len(list(loaded.store.state.curves())) == 4


def test_leaving_the_tab_ends_the_preview(loaded, process, qtbot):
    process.presenter.add("savgol")
    qtbot.waitUntil(lambda: "Preview" in previews(loaded))
    loaded.show_task("generate")
    assert previews(loaded) == {}


class _Click:
    """As pyqtgraph's mouse event."""

    def __init__(self, place, button=Qt.MouseButton.LeftButton):
        self._place, self._button = place, button

    def scenePos(self):
        return self._place

    def button(self):
        return self._button

    def double(self):
        return False


def test_anchors_are_set_and_removed_by_clicks(loaded, process, qtbot):
    process.presenter.add("anchors")
    canvas = loaded.area.panels["raman"].canvas
    assert canvas.view.tool is not None
    spectrum = curve_of(loaded, "raman").spectrum
    for x in (1200.0, 150.0, 600.0):
        canvas.view.tool.click(_Click(canvas.view.mapViewToScene(QtCore.QPointF(x, 800))))
    points = process.presenter.steps[0].values["points"]
    assert [p[0] for p in points] == pytest.approx([150, 600, 1200], abs=3)
    for x, y in points:
        assert y == pytest.approx(np.interp(x, spectrum.x, spectrum.y))
    canvas.cursor_moved.emit(580.0, 0.0)
    assert "set a baseline anchor" in loaded.status.help.text()
    place = canvas.view.mapViewToScene(QtCore.QPointF(580, 0))
    assert canvas.view.tool.click(_Click(place, Qt.MouseButton.RightButton))
    assert len(process.presenter.steps[0].values["points"]) == 2
    process.presenter._set(())
    assert canvas.view.tool is None
    canvas.cursor_moved.emit(580.0, 0.0)
    assert loaded.status.help.text().startswith("Drag: move")


def test_compare_suggests_generated_against_measured(loaded, compare):
    raman, ir = curve_of(loaded, "raman"), curve_of(loaded, "ir")
    state = loaded.store.state
    state = state.add_derived(state.samples[0].id, [generated("ir", 0, None)], [raman.id])
    loaded.store.edit("Generate", state)
    loaded.store.select_curve(ir.id)
    compare.presenter._pair = (None, None)
    compare.presenter.refresh()
    made = curve_of(loaded, "ir", Origin.GENERATED)
    assert compare.presenter._pair == (made.id, ir.id)
    score = services.compare(made.spectrum, ir.spectrum).score
    values = [w.text() for w in compare.widget._shown]
    assert f"{score.r:.4f}" in values
    assert f"{score.rmse:.4f}" in values
    assert f"{score.f1:.3f}" in values


def test_comparing_two_measured_spectra_shows_their_residual(loaded, compare):
    first, second = curve_of(loaded, "raman"), curve_of(loaded, "raman", at=1)
    compare.presenter._choose(first.id, second.id)
    model = loaded.plots.models[0]
    expected = services.compare(first.spectrum, second.spectrum)
    np.testing.assert_allclose(model.residual.drawn.y, expected.residual)
    compare.widget.swap.click()
    model = loaded.plots.models[0]
    other = services.compare(second.spectrum, first.spectrum)
    np.testing.assert_allclose(model.residual.drawn.y, other.residual)


def test_different_modalities_are_not_compared(loaded, compare):
    compare.presenter._choose(curve_of(loaded, "raman").id, curve_of(loaded, "xrd").id)
    assert "no axis in common" in compare.widget.message.text()


def test_a_compared_curve_that_is_deleted_is_forgotten(loaded, compare):
    first, second = curve_of(loaded, "raman"), curve_of(loaded, "raman", at=1)
    compare.presenter._choose(first.id, second.id)
    loaded.store.edit("Delete", loaded.store.state.remove([second.id]))
    assert second.id not in compare.presenter._pair
