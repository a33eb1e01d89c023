"""The tree of samples."""

import pytest
from gui_fakes import curve_of, lines
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Qt

from spectrogen_app.gui.samples.view import ID


def item_of(window, curve_or_sample_id):
    return window.samples_view._items[curve_or_sample_id]


def texts(window):
    tree = window.samples_view.tree
    return {
        tree.topLevelItem(i).text(0): [
            tree.topLevelItem(i).child(j).text(0) for j in range(tree.topLevelItem(i).childCount())
        ]
        for i in range(tree.topLevelItemCount())
    }


def test_modalities_of_one_material_are_one_sample(loaded):
    assert texts(loaded) == {
        "Calcite": ["Raman 532 nm", "Infrared", "Powder XRD"], "Quartz": ["Raman"],
    }  # fmt: skip
    assert loaded.samples_view.count.text() == "2 samples, 4 spectra, 4 shown"


def test_a_tick_hides_and_undo_shows_again(loaded):
    ir = curve_of(loaded, "ir")
    item_of(loaded, ir.id).setCheckState(0, Qt.CheckState.Unchecked)
    assert not loaded.store.state.curve(ir.id).visible
    assert "ir" not in loaded.area.panels
    sample = item_of(loaded, loaded.store.state.sample_of(ir.id).id)
    assert sample.checkState(0) is Qt.CheckState.PartiallyChecked
    loaded.store.undo()
    assert item_of(loaded, ir.id).checkState(0) is Qt.CheckState.Checked
    assert "ir" in loaded.area.panels


def test_a_tick_on_the_sample_hides_all_of_it(loaded):
    sample = loaded.store.state.samples[0]
    item_of(loaded, sample.id).setCheckState(0, Qt.CheckState.Unchecked)
    assert not any(c.visible for c in loaded.store.state.samples[0].curves)
    assert loaded.store.undo_label == "Hide 3 spectra"


def test_space_in_the_tree_ticks_and_does_not_reach_the_plot(loaded, qtbot):
    raman = curve_of(loaded, "raman")
    loaded.samples_view.tree.setFocus()
    qtbot.keyClick(loaded.samples_view.tree, Qt.Key.Key_Space)
    assert not loaded.store.state.curve(raman.id).visible
    qtbot.keyClick(loaded.samples_view.tree, Qt.Key.Key_Space)
    assert loaded.store.state.curve(raman.id).visible


def rename(window, own, text, qtbot):
    """As the user does: F2, type, Enter."""
    tree = window.samples_view.tree
    tree.setCurrentItem(item_of(window, own))
    tree.editItem(item_of(window, own), 0)
    editor = tree.findChild(QtWidgets.QLineEdit)
    before = editor.text()
    editor.selectAll()
    qtbot.keyClicks(editor, text)
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: tree.state() is QtWidgets.QAbstractItemView.State.NoState)
    qtbot.wait(10)
    return before


def test_renaming_a_sample_and_a_spectrum(loaded, qtbot):
    sample = loaded.store.state.samples[0]
    assert rename(loaded, sample.id, "Iceland spar", qtbot) == "Calcite"
    assert loaded.store.state.samples[0].name == "Iceland spar"
    raman = curve_of(loaded, "raman")
    assert rename(loaded, raman.id, "first try", qtbot) == "Calcite"
    assert loaded.store.state.curve(raman.id).spectrum.name == "first try"
    assert texts(loaded)["Iceland spar"][0] == "first try  ·  Raman 532 nm"
    loaded.store.undo()
    loaded.store.undo()
    assert texts(loaded)["Calcite"][0] == "Raman 532 nm"


def test_an_empty_name_is_not_taken(loaded, qtbot):
    before = loaded.store.state
    rename(loaded, before.samples[0].id, "  ", qtbot)
    assert loaded.store.state is before
    assert "Calcite" in texts(loaded)


def test_dragging_a_spectrum_onto_another_sample_moves_it(loaded):
    ir = curve_of(loaded, "ir")
    tree = loaded.samples_view.tree
    loaded.store.select_curve(ir.id)
    target = item_of(loaded, loaded.store.state.samples[1].id)
    place = tree.visualItemRect(target).center()
    drop = QtGui.QDropEvent(
        QtCore.QPointF(place), Qt.DropAction.MoveAction, QtCore.QMimeData(),
        Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    tree.dropEvent(drop)
    assert texts(loaded) == {
        "Calcite": ["Raman 532 nm", "Powder XRD"], "Quartz": ["Raman", "Calcite  ·  IR"],
    }  # fmt: skip
    assert loaded.store.undo_label == "Regroup spectra"
    loaded.store.undo()
    assert texts(loaded)["Calcite"] == ["Raman 532 nm", "Infrared", "Powder XRD"]


def test_files_dragged_over_the_tree_are_left_to_the_window(loaded, tmp_path):
    mime = QtCore.QMimeData()
    mime.setUrls([QtCore.QUrl.fromLocalFile(str(tmp_path))])
    event = QtGui.QDragEnterEvent(
        QtCore.QPoint(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    loaded.samples_view.tree.dragEnterEvent(event)
    assert not event.isAccepted()


def test_delete_removes_what_is_selected_and_undo_brings_it_back(loaded, qtbot):
    before = loaded.store.state
    tree = loaded.samples_view.tree
    item_of(loaded, before.samples[0].id).setSelected(True)
    tree.setFocus()
    qtbot.keyClick(tree, Qt.Key.Key_Delete)
    assert [s.name for s in loaded.store.state.samples] == ["Quartz"]
    loaded.store.undo()
    assert loaded.store.state is before


def test_search_filters_by_name_modality_and_formula(loaded):
    view = loaded.samples_view

    def visible():
        return {
            item.text(0)
            for item in view._items.values()
            if not item.isHidden() and not (item.parent() and item.parent().isHidden())
        }

    view.search.setText("quartz")
    assert visible() == {"Quartz", "Raman"}
    view.search.setText("calcite xrd")
    assert visible() == {"Calcite", "Powder XRD"}
    view.search.setText("caco")
    assert "Calcite" in visible()
    view.search.setText("")
    assert len(visible()) == len(set(visible()))
    assert {"Calcite", "Quartz"} <= visible()


def test_walking_shows_hidden_spectra_without_a_step(loaded, qtbot):
    quartz = curve_of(loaded, "raman", at=1)
    loaded.store.edit("Hide", loaded.store.state.show([quartz.id], False))
    label = loaded.store.undo_label
    xrd = curve_of(loaded, "xrd")
    loaded.store.select_curve(xrd.id)
    loaded.actions_["next"].trigger()
    assert loaded.store.selection.curve == quartz.id
    drawn = {t.id for m in loaded.plots.models for t in m.traces}
    assert quartz.id in drawn
    assert loaded.store.undo_label == label
    loaded.actions_["next"].trigger()
    assert loaded.store.selection.curve == quartz.id
    loaded.actions_["previous"].trigger()
    assert loaded.store.selection.curve == xrd.id


def test_up_and_down_walk_in_tree_and_plot(loaded, qtbot):
    ids = [c.id for c in loaded.store.state.curves()]
    loaded.samples_view.tree.setFocus()
    qtbot.keyClick(loaded.samples_view.tree, Qt.Key.Key_Down)
    assert loaded.store.selection.curve == ids[1]
    canvas = loaded.area.panels["raman"].canvas
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_Down)
    assert loaded.store.selection.curve == ids[2]
    qtbot.keyClick(canvas, Qt.Key.Key_Up)
    assert loaded.store.selection.curve == ids[1]


def test_a_sample_of_one_spectrum_stands_for_it_and_up_goes_on(loaded, qtbot):
    xrd, quartz = curve_of(loaded, "xrd"), curve_of(loaded, "raman", at=1)
    tree = loaded.samples_view.tree
    loaded.store.select_curve(quartz.id)
    tree.setFocus()
    qtbot.keyClick(tree, Qt.Key.Key_Up)
    assert tree.currentItem().text(0) == "Quartz"
    assert [i.text(0) for i in tree.selectedItems()] == ["Quartz"]
    assert loaded.store.selection.curve == quartz.id
    qtbot.keyClick(tree, Qt.Key.Key_Up)
    assert loaded.store.selection.curve == xrd.id


@pytest.mark.parametrize(
    ("entry", "check"),
    [
        ("Hide", lambda w, c: not w.store.state.curve(c.id).visible),
        (
            "Show only this",
            lambda w, c: {x.id for x in w.store.state.curves() if x.visible} == {c.id},
        ),
        ("Move to a new sample", lambda w, c: len(w.store.state.samples) == 3),
        ("Delete", lambda w, c: c.id not in {x.id for x in w.store.state.curves()}),
    ],
)  # fmt: skip
def test_context_menu(loaded, entry, check):
    raman = curve_of(loaded, "raman")
    menu = loaded.samples_view.menu_for(item_of(loaded, raman.id))
    next(a for a in menu.actions() if a.text() == entry).trigger()
    assert check(loaded, raman)
    menu.deleteLater()


def test_colour_from_the_menu(loaded):
    raman = curve_of(loaded, "raman")
    menu = loaded.samples_view.menu_for(item_of(loaded, raman.id))
    colours = next(a for a in menu.actions() if a.text() == "Colour").menu()
    next(a for a in colours.actions() if a.text() == "Purple").trigger()
    assert loaded.store.state.curve(raman.id).colour == "#9467bd"
    menu.deleteLater()


def test_several_selected_spectra_are_hidden_in_one_step(loaded):
    for modality in ("ir", "xrd"):
        item_of(loaded, curve_of(loaded, modality).id).setSelected(True)
    ids = loaded.samples_view.chosen_curves()
    assert len(ids) == 3
    loaded.samples_view.shown.emit(ids, False)
    assert sum(c.visible for c in loaded.store.state.curves()) == 1
    loaded.store.undo()
    assert all(c.visible for c in loaded.store.state.curves())


def test_the_tree_follows_any_order_of_edits(window):
    state = window.store.state
    for i in range(30):
        state = state.add([lines("raman", (500, 1, 5), sample=f"S{i}", name=f"S{i}")])
    window.store.edit("Open", state)
    window.store.edit("Delete", state.remove([c.id for i, c in enumerate(state.curves()) if i % 2]))
    assert list(texts(window)) == [f"S{i}" for i in range(0, 30, 2)]
    window.store.undo()
    assert list(texts(window)) == [f"S{i}" for i in range(30)]
    tree = window.samples_view.tree
    assert [tree.topLevelItem(i).data(0, ID) for i in range(30)] == [s.id for s in state.samples]
