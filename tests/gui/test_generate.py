"""The Generate task, from ticks to curves in the session."""

import numpy as np
import pytest
from gui_fakes import REFERENCES, SlowJob, curve_of, generated
from PySide6.QtCore import Qt

from spectrogen_app.app import services
from spectrogen_app.data.provenance import Origin
from spectrogen_app.errors import FormulaError, GenerationError
from spectrogen_app.gui.generate.presenter import familiar, marked, plain_formula
from spectrogen_app.gui.generate.view import GenerateView
from spectrogen_app.gui.pages import TextPage


@pytest.fixture
def view(loaded) -> GenerateView:
    return next(t.widget for t in loaded.tasks if t.name == "generate")


def wait_idle(window, qtbot):
    qtbot.waitUntil(lambda: not window.worker.busy)


def test_the_current_spectrum_is_the_source_and_the_rest_are_targets(loaded, view):
    assert view.sources() == [curve_of(loaded, "raman").id]
    assert view.targets() == ["ir", "xrd"]
    assert view.formula.text() == "CaCO3"
    assert view.generate.isEnabled()


def test_generating_is_one_step_that_undo_takes_back(loaded, view, qtbot):
    before = loaded.store.state
    view.generate.click()
    wait_idle(loaded, qtbot)
    made = curve_of(loaded, "ir", Origin.GENERATED)
    assert made.parents == (curve_of(loaded, "raman").id,)
    assert loaded.store.undo_label == "Generate IR, XRD for Calcite"
    assert made.spectrum.provenance.generation.formula == "CaCO3"
    loaded.store.undo()
    assert loaded.store.state is before
    assert view._result.isHidden()
    loaded.store.redo()
    assert not view._result.isHidden()


def test_generating_again_takes_the_place_of_the_first(loaded, view, qtbot):
    for _ in range(2):
        loaded.generate_now()
        wait_idle(loaded, qtbot)
    made = [c for c in loaded.store.state.curves() if c.spectrum.origin is Origin.GENERATED]
    assert len(made) == 2


def test_the_request_is_what_is_ticked(loaded, view, qtbot, monkeypatch):
    seen = []

    def generate(request, token):
        seen.append(request)
        raise GenerationError("Enough.")

    monkeypatch.setattr(services, "generate", generate)
    view._boxes[curve_of(loaded, "xrd").id].click()
    view._target_boxes["xrd"].click()
    view.use_formula.click()
    view.seed.setValue(11)
    view.generate.click()
    wait_idle(loaded, qtbot)
    request = seen[0]
    assert [s.modality for s in request.spectra] == ["raman", "xrd"]
    assert request.targets == ("ir",)
    assert request.formula is None
    assert (request.seed, request.model_id) == (11, "fake-1")
    assert loaded.notices.text == "Enough."
    assert view.generate.isEnabled()


def test_result_says_familiarity_references_and_scores(loaded, view, qtbot):
    view.generate.click()
    wait_idle(loaded, qtbot)
    assert view.familiarity_value.text() == "0.83"
    rows = [
        tuple(view.references.item(i, j).text() for j in range(3))
        for i in range(view.references.rowCount())
    ]
    assert rows == [(r.mineral, r.sample_id, f"{100 * r.weight:.0f} %") for r in REFERENCES]
    made, truth = curve_of(loaded, "ir", Origin.GENERATED), curve_of(loaded, "ir")
    score = services.compare(made.spectrum, truth.spectrum).score
    shown = [view.scores.item(0, j).text() for j in range(4)]
    assert shown == ["IR", f"{score.r:.3f}", f"{score.rmse:.3f}", f"{score.f1:.2f}"]
    assert view.scores.rowCount() == 2
    assert "fake-1" in view.made_by.text()


def test_hidden_measured_spectrum_comes_up_beside_the_generated_one(loaded, view, qtbot):
    ir = curve_of(loaded, "ir")
    loaded.store.edit("Hide", loaded.store.state.show([ir.id], False))
    view.generate.click()
    wait_idle(loaded, qtbot)
    assert loaded.store.state.curve(ir.id).visible


def test_cancel_leaves_everything_as_it_was(loaded, view, qtbot, monkeypatch):
    slow = SlowJob()
    monkeypatch.setattr(services, "generate", slow)
    before = loaded.store.state
    view.generate.click()
    assert slow.running.wait(5)
    assert not view.cancel.isHidden()
    assert not view.generate.isEnabled()
    qtbot.waitUntil(lambda: loaded.status.busy)
    view.cancel.click()
    assert slow.ended.wait(5)
    wait_idle(loaded, qtbot)
    assert loaded.store.state is before
    assert view.cancel.isHidden()
    assert view.generate.isEnabled()
    assert not loaded.status.busy


def test_sample_deleted_meanwhile_is_no_trouble(loaded, view, qtbot, monkeypatch):
    slow = SlowJob()

    def generate(request, token):
        slow(request, token)
        return {"ir": generated("ir", 0, None)}

    monkeypatch.setattr(services, "generate", generate)
    view.generate.click()
    assert slow.running.wait(5)
    sample = loaded.store.state.samples[0]
    loaded.store.edit("Delete", loaded.store.state.remove([c.id for c in sample.curves]))
    slow.release.set()
    wait_idle(loaded, qtbot)
    assert [s.name for s in loaded.store.state.samples] == ["Quartz"]


def test_a_wrong_formula_is_marked_at_its_place(loaded, view, qtbot):
    loaded.show_task("generate")
    view.formula.setFocus()
    view.formula.selectAll()
    qtbot.keyClicks(view.formula, "SiO2x")
    assert not view.generate.isEnabled()
    assert "<u><b>x</b></u>" in view.formula_note.text()
    assert view.formula.property("bad") is True
    assert view.why_not.text() == "Correct the formula, or untick it."
    qtbot.keyClick(view.formula, Qt.Key.Key_Backspace)
    assert view.generate.isEnabled()
    assert view.formula.property("bad") is False


def test_the_formula_belongs_to_the_sample_and_is_undone(loaded, view, qtbot):
    view.formula.setText("MgCO3")
    view.formula_done.emit("MgCO3")
    assert loaded.store.state.samples[0].formula == "MgCO3"
    loaded.store.undo()
    assert loaded.store.state.samples[0].formula == "CaCO_3_"
    assert view.formula.text() == "CaCO3"


def test_leaving_the_field_untouched_is_no_step(loaded, view):
    label = loaded.store.undo_label
    view.formula_done.emit(view.formula.text())
    assert loaded.store.undo_label == label


def test_nothing_ticked_is_said(loaded, view):
    for name in ("ir", "xrd"):
        view._target_boxes[name].click()
    assert not view.generate.isEnabled()
    assert "at least one modality" in view.why_not.text()
    view._boxes[curve_of(loaded, "raman").id].click()
    assert "at least one spectrum" in view.why_not.text()


def test_generated_curves_are_no_sources(loaded, view, qtbot):
    view.generate.click()
    wait_idle(loaded, qtbot)
    assert len(view._boxes) == 3


def test_targets_from_the_command_line_are_generated_at_once(loaded, qtbot):
    loaded.generator_for(["xrd"])()
    wait_idle(loaded, qtbot)
    assert [
        c.spectrum.modality
        for c in loaded.store.state.curves()
        if c.spectrum.origin is Origin.GENERATED
    ] == ["xrd"]
    assert loaded.generator_for([]) is None


@pytest.mark.parametrize("warm_first", [False, True])
def test_getting_the_model_ready_and_what_the_command_line_asks_for_are_both_done(
    loaded, qtbot, warm_first
):
    with qtbot.waitSignal(loaded.device_known):
        if warm_first:
            loaded.warm()
        loaded.generator_for(["xrd"])()
        if not warm_first:
            loaded.warm()
    wait_idle(loaded, qtbot)
    made = [c for c in loaded.store.state.curves() if c.spectrum.origin is Origin.GENERATED]
    assert [c.spectrum.modality for c in made] == ["xrd"]
    assert loaded.status.device.text() == "fake-1 on CPU"


def test_model_card_is_one_click_away(loaded, view, qtbot):
    view.card.click()
    page = loaded.findChild(TextPage)
    assert "For tests only." in page.text.toPlainText()
    page.close()


def test_without_a_model_the_reason_is_given(loaded, view, monkeypatch):
    from spectrogen_app.generation import bundle

    monkeypatch.setattr(bundle, "list_models", lambda: ())
    loaded.generating.load_models()
    assert not view.generate.isEnabled()
    assert "No model is installed" in view.why_not.text()


def test_words_of_familiarity():
    assert [familiar(v)[1] for v in (0.9, 0.5, 0.1)] == ["muted", "warn", "bad"]
    assert "do not rely" in familiar(0.05)[0]


def test_marks_are_safe_html():
    text = marked("<Si>2", FormulaError("Bad <thing>.", hint="A & B", position=0))
    assert "<Si>" not in text
    assert "&lt;" in text
    assert plain_formula("Ca_3_(PO_4_)_2_") == "Ca3(PO4)2"
    assert plain_formula(None) == ""


def test_numbers_of_the_generated_curve_reach_the_plot(loaded, view, qtbot):
    view.generate.click()
    wait_idle(loaded, qtbot)
    made = curve_of(loaded, "xrd", Origin.GENERATED)
    item = loaded.area.panels["xrd"].canvas._traces[made.id]
    np.testing.assert_array_equal(item.getOriginalDataset()[1], made.spectrum.y)
