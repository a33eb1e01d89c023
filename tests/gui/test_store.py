"""The session as the window sees it."""

from gui_fakes import lines

from spectrogen_app.app.session import SessionState
from spectrogen_app.gui.store import Selection, SessionStore


def test_undo_drops_from_the_selection_what_is_gone(qapp):
    store = SessionStore()
    store.edit("Open", SessionState().add([lines("raman", (500, 1, 5), sample="A")]))
    store.edit("Open", store.state.add([lines("raman", (600, 1, 5), sample="B")]))
    second = list(store.state.curves())[1].id
    store.select_curve(second)
    store.undo()
    assert store.selection.curve is None
    assert store.current_sample is not None
    assert store.current_sample.name == "A"
    store.redo()
    assert second in {c.id for c in store.state.curves()}


def test_signals_come_once_and_only_for_a_change(qapp):
    store, seen = SessionStore(), []
    store.changed.connect(lambda _: seen.append("changed"))
    store.selected.connect(lambda _: seen.append("selected"))
    store.edit("Nothing", store.state)
    store.select(Selection())
    assert seen == []
    store.edit("Open", store.state.add([lines("ir", (500, 1, 5))]))
    assert seen == ["changed", "selected"]


def test_a_session_opens_at_its_first_spectrum(qapp):
    other = SessionStore()
    other.edit("Open", other.state.add([lines("ir", (500, 1, 5)), lines("raman", (500, 1, 5))]))
    store = SessionStore()
    store.reset(other.state)
    assert store.current_curve is next(other.state.curves())
    store.reset(SessionState())
    assert store.current_curve is None


def test_a_drag_is_one_step(qapp):
    store = SessionStore()
    store.edit("Open", store.state.add([lines("ir", (500, 1, 5))]))
    curve = next(store.state.curves()).id
    for colour in ("#111111", "#222222", "#333333"):
        store.edit("Colour", store.state.edit_curve(curve, colour=colour), "drag")
    store.end_merge()
    store.undo()
    assert store.state.curve(curve).colour == "#1f77b4"
    assert store.redo_label == "Colour"
