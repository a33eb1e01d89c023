"""The preview of a doubtful text, the choice among many spectra, and the page of formats."""

from pathlib import Path

import numpy as np
import pytest
from PySide6 import QtCore, QtWidgets
from PySide6.QtCore import Qt

from spectrogen_app.app import choosing, settings
from spectrogen_app.app.layouts import remember, remembered
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import SpectrumError
from spectrogen_app.gui.choosing.view import ONLY_MEAN, WITH_MEAN, ChooserView
from spectrogen_app.gui.pages import TextPage, formats_table
from spectrogen_app.gui.preview.view import PreviewView
from spectrogen_app.gui.verdicts.view import ACTION, CHOOSE, PREVIEW
from spectrogen_app.io import registry
from spectrogen_app.io.base import TextLayout, Verdict
from spectrogen_app.io.registry import READERS

X = np.linspace(100.0, 1000.0, 60)


def idle(window, qtbot):
    qtbot.waitUntil(lambda: not (window.loader_jobs.busy or window.previews.busy), timeout=20000)


def doubtful(folder: Path, name: str, scale: float = 1.0) -> Path:
    """Three columns without titles: which are x and y nobody can tell."""
    path = folder / name
    rows = (f"{x:.2f};{scale * i:.3f};{scale * (i % 9):.3f}" for i, x in enumerate(X))
    path.write_text("\n".join(rows).replace(".", ","))
    return path


def many(folder: Path, count: int = 20, name: str = "many.csv") -> Path:
    path = folder / name
    heads = ["Raman shift (cm-1)", *(f"spot {i + 1}" for i in range(count))]
    rows = [",".join(f"{v:.4f}" for v in (x, *((i + 1) * x / 100 for i in range(count))))
            for x in X]  # fmt: skip
    path.write_text("\n".join([",".join(heads), *rows]))
    return path


def dialog(window, kind):
    found = [d for d in window.findChildren(kind) if d.isVisible()]
    return found[0] if found else None


def open_preview(window, qtbot, row: int = 0) -> PreviewView:
    window.verdicts.act(row, PREVIEW)
    view = dialog(window, PreviewView)
    qtbot.waitUntil(lambda: view.verdict.text() != "", timeout=20000)
    return view


def spectra(window) -> list[Spectrum]:
    return [c.spectrum for c in window.store.state.curves()]


def test_an_unsure_text_offers_a_preview_that_opens_it_as_chosen(window, qtbot, tmp_path):
    window.open_paths([doubtful(tmp_path, "a.txt")])
    idle(window, qtbot)
    assert len(spectra(window)) == 2
    view = window.verdicts_view
    place = view.sorted.index(0, ACTION)
    assert place.data() == "Preview…"
    view.table.clicked.emit(place)
    shown = dialog(window, PreviewView)
    qtbot.waitUntil(shown.open_button.isEnabled, timeout=20000)
    assert shown.delimiter.currentText() == "As found: semicolon"
    assert shown.decimal.currentText() == "As found: comma"
    assert shown.numbers.rowCount() == 60
    assert shown.numbers.index(1, 0).data() == f"{X[1]:.2f}".rstrip("0")
    assert shown.text.toPlainText().startswith("100,00;0,000;0,000")
    assert len(shown.canvas.model.traces) == 2
    shown.y_columns.item(1).setCheckState(Qt.CheckState.Unchecked)
    shown.modality.setCurrentIndex(shown.modality.findData("ir"))
    qtbot.waitUntil(shown.open_button.isEnabled, timeout=20000)
    assert [t.kind for t in shown.canvas.model.traces] == ["measured"]
    shown.open_button.click()
    idle(window, qtbot)
    (spectrum,) = spectra(window)
    assert spectrum.modality == "ir"
    np.testing.assert_allclose(spectrum.y, [i % 9 for i in range(60)])
    line = view.model.lines[0]
    assert (line.count, line.taken, line.modality, line.state) == (1, 1, "ir", "good")
    window.store.undo()
    assert len(spectra(window)) == 2


def test_choices_hold_for_files_of_the_same_look(window, qtbot, tmp_path, make_window):
    (tmp_path / "in").mkdir()
    doubtful(tmp_path / "in", "a.txt")
    doubtful(tmp_path / "in", "b.txt", 3.0)
    (tmp_path / "in" / "c.csv").write_text("Raman shift (cm-1),Intensity\n1,2\n2,3\n3,9\n")
    window.open_paths([tmp_path / "in"])
    idle(window, qtbot)
    assert len(spectra(window)) == 5
    view = open_preview(window, qtbot)
    view.set_layout_choices(TextLayout(y_columns=(1,), modality="ir"))
    qtbot.waitUntil(view.open_button.isEnabled, timeout=20000)
    view.open_button.click()
    qtbot.waitUntil(lambda: len(spectra(window)) == 3, timeout=20000)
    assert sorted(s.modality for s in spectra(window)) == ["ir", "ir", "raman"]
    assert "1 more of this look" in window.notices.text
    window.settings.flush()
    stored, trouble = settings.load()
    assert not trouble
    assert list(remembered(stored).values()) == [TextLayout(y_columns=(1,), modality="ir")]
    other = make_window(stored)
    other.open_paths([doubtful(tmp_path, "later.txt", 7.0)])
    idle(other, qtbot)
    (spectrum,) = spectra(other)
    assert spectrum.modality == "ir"
    assert "choices that you made" in other.verdicts_view.model.lines[0].remark
    view = open_preview(other, qtbot)
    qtbot.waitUntil(lambda: view.modality.currentData() == "ir", timeout=20000)
    qtbot.waitUntil(view.open_button.isEnabled, timeout=20000)
    view.reset.click()
    view.remember.setChecked(False)
    qtbot.waitUntil(view.open_button.isEnabled, timeout=20000)
    view.open_button.click()
    idle(other, qtbot)
    assert other.settings().layouts == {}
    assert len(spectra(other)) == 2


def test_a_refused_text_can_be_read_by_hand(window, qtbot, tmp_path):
    path = tmp_path / "odd.txt"
    path.write_text("\n".join(f"{x:.1f}&{x / 7:.3f}" for x in X))
    window.open_paths([path])
    idle(window, qtbot)
    assert not window.verdicts.rows[0].verdict.ok
    view = open_preview(window, qtbot)
    assert not view.open_button.isEnabled()
    assert "columns" in view.verdict.text()
    view.reject()


def test_a_member_of_an_archive_has_a_preview(window, qtbot, tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(doubtful(tmp_path, "a.txt"), "in/a.txt")
    window.open_paths([tmp_path / "a.zip"])
    idle(window, qtbot)
    view = open_preview(window, qtbot)
    view.x_column.setCurrentIndex(view.x_column.findData(0))
    qtbot.waitUntil(view.open_button.isEnabled, timeout=20000)
    assert view.numbers.rowCount() == 60
    view.reject()


@pytest.fixture
def chooser(window, qtbot, tmp_path) -> ChooserView:
    window.open_paths([many(tmp_path)])
    idle(window, qtbot)
    qtbot.waitUntil(lambda: window.findChild(ChooserView) is not None, timeout=20000)
    view = dialog(window, ChooserView)
    qtbot.waitUntil(lambda: len(view.model.items) == 20, timeout=20000)
    return view


def test_a_file_of_many_spectra_asks_which(window, qtbot, chooser):
    assert len(spectra(window)) == 1
    assert chooser.indices() == tuple(range(20))
    assert chooser.model.index(4, 1).data() == "spot 5"
    chooser.table.setCurrentIndex(chooser.filtered.index(4, 0))
    qtbot.waitUntil(
        lambda: chooser.canvas.model is not None and chooser.canvas.model.traces[0].name == "5",
        timeout=20000,
    )
    chooser.take_button.click()
    idle(window, qtbot)
    assert len(spectra(window)) == 20
    assert len({s.name for s in spectra(window)}) == 20
    assert window.verdicts_view.model.lines[0].taken == 20
    window.store.undo()
    assert len(spectra(window)) == 1


def test_ticking_by_range_filter_and_none(window, qtbot, chooser):
    chooser.numbers.setText("3-5, 9, 19-")
    chooser.numbers.returnPressed.emit()
    assert chooser.indices() == (2, 3, 4, 8, 18, 19)
    chooser.numbers.setText("30")
    chooser.numbers.returnPressed.emit()
    assert "30 is no range of 1 to 20" in chooser.note.text()
    chooser.filter.setText("spot 2")
    assert chooser.filtered.rowCount() == 2
    buttons = {b.text(): b for b in chooser.findChildren(QtWidgets.QPushButton)}
    buttons["Tick all"].click()
    assert chooser.indices() == (1, 2, 3, 4, 8, 18, 19)
    buttons["None"].click()
    assert chooser.indices() == (2, 3, 4, 8, 18)
    chooser.filter.clear()
    chooser.take_button.click()
    idle(window, qtbot)
    assert [s.name for s in spectra(window)] == [f"spot {i}" for i in (3, 4, 5, 9, 19)]
    assert window.verdicts_view.sorted.index(0, 3).data() == "5 of 20"
    window.verdicts.act(0, CHOOSE)
    again = dialog(window, ChooserView)
    assert again.indices() == (2, 3, 4, 8, 18)
    again.reject()


@pytest.mark.parametrize(("what", "count"), [(WITH_MEAN, 3), (ONLY_MEAN, 1)])
def test_the_mean(window, qtbot, chooser, what, count):
    chooser.numbers.setText("1, 3")
    chooser.numbers.returnPressed.emit()
    chooser.what.setCurrentIndex(chooser.what.findData(what))
    chooser.take_button.click()
    idle(window, qtbot)
    assert len(spectra(window)) == count
    mean = spectra(window)[-1]
    np.testing.assert_allclose(mean.y, 2 * X / 100, atol=1e-4)
    assert mean.origin == "processed"
    assert "numbers 1, 3" in mean.metadata["mean of"]


def test_cancelling_keeps_the_first(window, qtbot, chooser):
    chooser.reject()
    idle(window, qtbot)
    assert [s.name for s in spectra(window)] == ["spot 1"]
    assert window.verdicts_view.sorted.index(0, 3).data() == "1 of 20"


def test_a_mean_needs_one_axis():
    one = Spectrum(X, X, modality="raman")
    other = Spectrum(X, X, modality="ir")
    verdict = Verdict(Path("a.csv"), "text", (one, other, one.replace(x=X + 450)))
    take = choosing.take
    from spectrogen_app.app.jobs import Token

    with pytest.raises(SpectrumError, match="no mean"):
        take(choosing.TakeRequest(verdict, (), (0, 1)), Token())
    (mean,) = take(choosing.TakeRequest(verdict, (), (0, 2)), Token())
    assert mean.x[0] >= 550
    np.testing.assert_allclose(mean.y, mean.x - 225, rtol=1e-12)


@pytest.mark.parametrize(
    ("indices", "text"), [((0,), "1"), ((0, 1, 2, 6), "1-3, 7"), ((), ""), ((4, 5), "5-6")]
)
def test_ranges_as_people_count(indices, text):
    assert choosing.ranges(indices) == text
    if text:
        assert choosing.parse_ranges(text, 10) == set(indices)


def test_single_channels_of_opus_are_offered(window, qtbot, shared_data):
    path = shared_data / "instruments" / "opus" / "MMP_2107_Test1.001"
    window.open_paths([path])
    idle(window, qtbot)
    assert len(spectra(window)) == 1
    window.verdicts.act(0, CHOOSE)
    view = dialog(window, ChooserView)
    qtbot.waitUntil(lambda: len(view.model.items) == 5, timeout=20000)
    assert view.indices() == (0,)
    assert view.model.items[2].name.endswith("sample single channel")
    view.model.tick((2,), True)
    view.take_button.click()
    idle(window, qtbot)
    assert [s.name.split(" ", 1)[1:] for s in spectra(window)] == [[], ["sample single channel"]]
    assert len(spectra(window)[1]) == 1862


def test_arrays_of_hdf5_without_axis_are_offered(window, qtbot, tmp_path):
    import h5py

    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["scan/detector"] = np.arange(50.0) ** 2
        file["scan/frames"] = np.arange(24.0).reshape(3, 8)
    window.open_paths([tmp_path / "a.h5"])
    idle(window, qtbot)
    assert not window.verdicts.rows[0].verdict.ok
    window.verdicts.act(0, CHOOSE)
    view = dialog(window, ChooserView)
    qtbot.waitUntil(lambda: len(view.model.items) == 4, timeout=20000)
    assert [i.name for i in view.model.items] == [
        "scan/detector", "scan/frames (0)", "scan/frames (1)", "scan/frames (2)",
    ]  # fmt: skip
    view.model.tick((0, 3), True)
    view.take_button.click()
    idle(window, qtbot)
    np.testing.assert_array_equal(spectra(window)[0].y, np.arange(50.0) ** 2)
    np.testing.assert_array_equal(spectra(window)[1].y, np.arange(16.0, 24.0))


def test_closing_the_window_ends_the_listing(window, qtbot, chooser):
    window.close()
    assert not chooser.isVisible()


def test_the_page_of_formats_has_every_format(window, qtbot):
    window.actions_["formats"].trigger()
    page = dialog(window, TextPage)
    text = page.text.toPlainText()
    assert all(r.label in text for r in READERS)
    assert all(r.tested_on in text for r in READERS if r.reads)
    assert "read, written" in text
    assert "<b>JCAMP-DX</b>" in formats_table()
    page.close()
    QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)


def test_remembering_is_bounded_and_tolerates_damage():
    values = settings.Settings()
    for i in range(300):
        values = remember(values, f"look{i}", TextLayout(delimiter=";", y_columns=(1, i)))
    assert len(values.layouts) == 200
    assert remembered(values)["look299"] == TextLayout(delimiter=";", y_columns=(1, 299))
    bad = values.replace(layouts={"a": {"skip_rows": "x"}, "b": {"x_column": True, "decimal": ","}})
    assert remembered(bad) == {"b": TextLayout(decimal=",")}
    assert remember(bad, "b", None).layouts == {"a": {"skip_rows": "x"}}


def test_the_look_is_that_of_the_header_not_of_the_values(tmp_path):
    from spectrogen_app.io.base import Source
    from spectrogen_app.io.readers.text import look_of

    def look(name: str, text: str) -> str:
        (tmp_path / name).write_text(text)
        return look_of(Source(tmp_path / name))

    def rows(a):
        return "".join(f"{a + i},{i * a}\n" for i in range(30))

    head = "Sample: {}\nLaser: {} nm\nshift,counts\n"
    one = look("a.csv", head.format("quartz", 532) + rows(100))
    assert one == look("b.csv", head.format("calcite 3", 785) + rows(150))
    assert one != look("c.csv", head.format("quartz", 532).replace("counts", "signal") + rows(100))
    assert one != look("d.csv", head.format("quartz", 532) + rows(100).replace(",", ";"))
    assert look("e.csv", rows(100)) == look("f.csv", rows(101))
    assert look("e.csv", rows(100)) != look("g.csv", rows(4000))


def test_an_explicit_layout_beats_a_remembered_one(tmp_path):
    path = doubtful(tmp_path, "a.txt")
    from spectrogen_app.io.base import Source
    from spectrogen_app.io.readers.text import look_of

    by_look = {look_of(Source(path)): TextLayout(modality="raman")}
    (verdict,) = registry.open_paths([path], layouts=by_look)
    assert {s.modality for s in verdict.spectra} == {"raman"}
    assert not verdict.unsure
    (verdict,) = registry.open_paths([path], layout=TextLayout(modality="ir"), layouts=by_look)
    assert {s.modality for s in verdict.spectra} == {"ir"}


def test_the_list_survives_a_change_of_theme(window, qtbot, qapp, tmp_path):
    """A signal of the wrong kind left the sorted table with a stale map, and painting crashed."""
    window.open_paths([many(tmp_path, 3), doubtful(tmp_path, "a.txt")])
    idle(window, qtbot)
    window.dock.show()
    window.verdicts_view.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    persistent = QtCore.QPersistentModelIndex(window.verdicts_view.sorted.index(0, 0))
    for mode in ("dark", "light"):
        window.theme.set_mode(mode)
        qapp.processEvents()
        assert persistent.data() == "a.txt"
