"""Opening, verdicts, export, projects."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from gui_fakes import curve_of, generated, lines
from PySide6 import QtCore, QtGui, QtSvg
from PySide6.QtCore import Qt

import spectrogen_app as sg
from spectrogen_app import paths
from spectrogen_app.app import project, services
from spectrogen_app.data.provenance import Origin
from spectrogen_app.gui import loading
from spectrogen_app.gui.loading import SHOWN_AT_FIRST
from spectrogen_app.gui.plotting.figure import Figure
from spectrogen_app.gui.theme import DARK, LIGHT


def opened(window, qtbot):
    qtbot.waitUntil(lambda: not window.loader_jobs.busy, timeout=20000)


def write_xy(folder: Path, name: str, spectrum) -> Path:
    path = folder / name
    path.write_text(
        "\n".join(f"{x:.4f}, {y:.6f}" for x, y in zip(spectrum.x, spectrum.y, strict=True))
    )
    return path


@pytest.fixture
def raman_file(tmp_path, calcite) -> Path:
    return write_xy(tmp_path, "calcite_raman.csv", calcite[0])


def drop(window, *paths_: Path) -> None:
    mime = QtCore.QMimeData()
    mime.setUrls([QtCore.QUrl.fromLocalFile(str(p)) for p in paths_])
    place = QtCore.QPoint(200, 200)
    arguments = (Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton,
                 Qt.KeyboardModifier.NoModifier)  # fmt: skip
    entered = QtGui.QDragEnterEvent(place, *arguments)
    window.dragEnterEvent(entered)
    assert entered.isAccepted()
    assert not window.overlay.isHidden()
    window.dropEvent(QtGui.QDropEvent(QtCore.QPointF(place), *arguments))
    assert window.overlay.isHidden()


def test_a_dropped_file_is_seen_and_undone(window, qtbot, raman_file):
    assert window.centre.currentWidget() is window.empty
    drop(window, raman_file)
    opened(window, qtbot)
    assert [c.spectrum.modality for c in window.store.state.curves()] == ["raman"]
    assert window.centre.currentWidget() is window.area
    assert window.store.undo_label == "Open calcite_raman.csv"
    window.store.undo()
    assert window.centre.currentWidget() is window.empty
    assert window.settings().recent == (str(raman_file),)


def test_every_file_gets_a_verdict(window, qtbot, tmp_path, raman_file):
    empty = tmp_path / "empty.txt"
    empty.write_bytes(b"")
    png = tmp_path / "picture.txt"
    png.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    drop(window, raman_file, empty, png, tmp_path / "missing.csv")
    opened(window, qtbot)
    lines_ = window.verdicts_view.model.lines
    assert [line.state == "error" for line in lines_] == [False, True, True, True]
    assert all(line.remark for line in lines_[1:])
    assert not window.dock.isHidden()
    assert window.verdicts_view.summary.text() == "1 of 4 files opened, 3 refused"
    window.verdicts_view.only_bad.setChecked(True)
    table = window.verdicts_view.table
    assert [table.isRowHidden(i) for i in range(4)] == [True, False, False, False]


def test_a_wrong_modality_is_corrected_in_the_list(window, qtbot, raman_file):
    drop(window, raman_file)
    opened(window, qtbot)
    model = window.verdicts_view.model
    assert model.setData(model.index(0, 2), "ir")
    curve = next(window.store.state.curves())
    assert curve.spectrum.modality == "ir"
    assert curve.spectrum.x_kind == "wavenumber"
    assert list(window.area.panels) == ["ir"]
    assert model.lines[0].modality == "ir"
    window.store.undo()
    assert next(window.store.state.curves()).spectrum.modality == "raman"


def test_verdicts_sort(window, qtbot, tmp_path, calcite):
    for name in ("b_raman.csv", "a_raman.csv"):
        write_xy(tmp_path, name, calcite[0])
    drop(window, tmp_path / "b_raman.csv", tmp_path / "a_raman.csv")
    opened(window, qtbot)
    view = window.verdicts_view
    view.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    assert view.sorted.index(0, 0).data() == "a_raman.csv"


def test_of_many_files_the_first_twelve_are_shown_and_it_is_said(window, qtbot, tmp_path, quartz):
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(30):
        write_xy(folder, f"quartz{i:02d}_raman.csv", quartz)
    drop(window, folder)
    opened(window, qtbot)
    curves = list(window.store.state.curves())
    assert len(curves) == 30
    assert [c.visible for c in curves] == [True] * SHOWN_AT_FIRST + [False] * 18
    assert "first 12 spectra are shown" in window.notices.text
    window.store.undo()
    assert not window.store.state.samples


def test_modalities_of_one_material_in_separate_files_are_one_sample(
    window, qtbot, tmp_path, calcite
):
    for spectrum, name in zip(calcite, ("raman", "ir", "xrd"), strict=True):
        write_xy(tmp_path, f"calcite_{name}.csv", spectrum.replace(y=spectrum.y + 0.001))
    drop(window, *sorted(tmp_path.glob("calcite_*.csv")))
    opened(window, qtbot)
    assert len(window.store.state.samples) == 1


def test_cancel_while_opening_keeps_what_is_in(window, qtbot, tmp_path, quartz):
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(200):
        write_xy(folder, f"q{i:03d}_raman.csv", quartz)
    drop(window, folder)
    qtbot.waitUntil(lambda: bool(window.store.state.samples), timeout=20000)
    window.status.cancel()
    assert not window.loader_jobs.busy
    count = len(list(window.store.state.curves()))
    assert 0 < count < 200
    window.store.undo()
    assert not window.store.state.samples


def test_examples_open_one_sample_at_a_time(window, qtbot):
    window.empty.examples_button.click()
    opened(window, qtbot)
    assert len(window.store.state.samples) >= 10
    assert window.plots.solo
    assert set(window.area.panels) == {"raman", "ir", "xrd"}
    assert all(line.state != "error" for line in window.verdicts_view.model.lines)


def test_export_in_the_units_shown_and_open_again(loaded, qtbot, tmp_path):
    raman = curve_of(loaded, "raman")
    state = loaded.store.state
    state = state.add_derived(state.samples[0].id, [generated("ir", 3, "CaCO3")], [raman.id])
    loaded.store.edit("Generate", state)
    made = curve_of(loaded, "ir", Origin.GENERATED)
    path = tmp_path / "out" / "generated.csv"
    loaded.exporter.export_curves([made.id], path)
    opened(loaded, qtbot)
    again = sg.read(path)[0]
    np.testing.assert_array_equal(again.x, made.spectrum.x)
    np.testing.assert_array_equal(again.y, made.spectrum.y)
    np.testing.assert_array_equal(again.lower, made.spectrum.lower)
    assert again.origin is Origin.GENERATED
    assert again.provenance.generation.model_id == "fake-1"
    loaded.plots.choose_x("ir", "wavelength/um")
    loaded.exporter.export_curves([made.id], path)
    opened(loaded, qtbot)
    again = sg.read(path)[0]
    assert again.x_unit == "um"
    np.testing.assert_allclose(again.x, np.sort(1e4 / made.spectrum.x), rtol=1e-14)


def test_export_of_all_visible_curves(loaded, qtbot, tmp_path):
    path = tmp_path / "all.csv"
    loaded.exporter.export_visible(path)
    opened(loaded, qtbot)
    assert {s.modality for s in sg.read(path)} == {"raman", "ir", "xrd"}
    assert "Wrote all.csv" in loaded.notices.text


def test_an_export_that_fails_says_so_and_leaves_nothing(loaded, qtbot, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with qtbot.waitSignal(loaded.loader_jobs.failed):
        loaded.exporter.export_visible(blocked / "all.csv")
    assert loaded.notices.level == "error"
    loaded.exporter.export_figure(blocked / "figure.png")
    assert loaded.notices.level == "error"
    loaded.exporter.export_figure(tmp_path / "figure.bmp")
    assert "cannot be written as .bmp" in loaded.notices.text
    assert blocked.read_text() == "in the way"


def test_a_zoomed_figure_ends_at_its_frame_as_on_the_screen(loaded):
    raman = next(m for m in loaded.plots.models if m.modality == "raman")
    near = ((600.0, 800.0), (50.0, 60.0))  # the line at 712 rises far above
    figure = Figure([(raman, near)])
    svg = QtGui.QImage(figure.size, QtGui.QImage.Format.Format_RGB32)
    svg.fill(QtGui.QColor("black"))
    painter = QtGui.QPainter(svg)
    QtSvg.QSvgRenderer(QtCore.QByteArray(figure.bytes(".svg"))).render(painter)
    painter.end()
    figure.close()
    coloured = [
        (x, y) for x in range(svg.width()) for y in range(svg.height())
        if svg.pixelColor(x, y).hslSaturationF() > 0.5
    ]  # fmt: skip
    assert len(coloured) > 100
    top, bottom = min(y for _, y in coloured), max(y for _, y in coloured)
    assert 30 < top < bottom < svg.height() - 40
    both = Figure([(raman, near), (raman, None)])
    text = both.bytes(".svg").decode()
    both.close()
    assert text.count('clip-path="url(#panel)"') == 2


@pytest.mark.parametrize("extension", [".png", ".svg", ".pdf"])
def test_figures_are_light_even_in_the_dark(loaded, tmp_path, extension):
    loaded.theme.set_mode("dark")
    assert loaded.area.panels["raman"].canvas.theme is DARK
    path = tmp_path / f"figure{extension}"
    loaded.exporter.export_figure(path)
    content = path.read_bytes()
    loaded.theme.set_mode("light")
    if extension == ".pdf":
        assert content.startswith(b"%PDF")
        assert len(content) > 20_000
        return
    if extension == ".svg":
        image = QtGui.QImage(760, 1020, QtGui.QImage.Format.Format_RGB32)
        image.fill(QtGui.QColor("black"))
        painter = QtGui.QPainter(image)
        QtSvg.QSvgRenderer(QtCore.QByteArray(content)).render(painter)
        painter.end()
    else:
        image = QtGui.QImage(str(path))
        assert image.width() == 3 * 760
        assert round(image.dotsPerMeterX() * 0.0254) == 288
    assert image.pixelColor(3, 3).name() == LIGHT.surface
    red = QtGui.QColor("#d62728")
    step = 3 * max(1, image.width() // 760)
    colours = {
        image.pixelColor(x, y).name()
        for x in range(0, image.width(), step)
        for y in range(0, image.height(), step)
    }
    assert len(colours) > 20
    assert any(
        abs(QtGui.QColor(c).hslHueF() - red.hslHueF()) < 0.03
        and QtGui.QColor(c).hslSaturationF() > 0.4
        for c in colours
    )


def test_copying_figure_and_numbers(loaded, qapp):
    loaded.actions_["copy_figure"].trigger()
    mime = qapp.clipboard().mimeData()
    assert mime.hasImage()
    assert b"<svg" in mime.data("image/svg+xml").data()
    loaded.area._activate("xrd")
    loaded.actions_["copy_numbers"].trigger()
    rows = qapp.clipboard().text().splitlines()
    assert rows[0].split("\t") == ["2θ (°)", "Calcite"]
    xrd = curve_of(loaded, "xrd").spectrum
    assert float(rows[1].split("\t")[0]) == xrd.x[0]


def test_the_script_names_every_file(window, qtbot, raman_file, tmp_path):
    drop(window, raman_file)
    opened(window, qtbot)
    target = tmp_path / "again.py"
    window.exporter._ask = lambda *_: target
    window.exporter.ask_script()
    assert str(raman_file) in target.read_text()
    compile(target.read_text(), str(target), "exec")


def test_project_is_saved_and_opened(loaded, make_window, qtbot, tmp_path):
    path = tmp_path / "work.spectrogen"
    loaded.keeper.save(path)
    opened(loaded, qtbot)
    assert not loaded.keeper.unsaved
    assert "work.spectrogen" in loaded.windowTitle()
    other = make_window()
    drop(other, path)
    opened(other, qtbot)
    assert [s.name for s in other.store.state.samples] == ["Calcite", "Quartz"]
    mine, theirs = list(loaded.store.state.curves()), list(other.store.state.curves())
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_array_equal(a.spectrum.y, b.spectrum.y)
        assert a.id == b.id


def test_a_damaged_project_is_refused_and_the_session_stays(loaded, qtbot, tmp_path):
    path = tmp_path / "broken.spectrogen"
    path.write_bytes(b"nothing of the kind")
    before = loaded.store.state
    with qtbot.waitSignal(loaded.loader_jobs.failed):
        loaded.keeper.open(path)
    assert loaded.store.state is before
    assert loaded.notices.level == "error"


def test_unsaved_work_is_kept_and_offered_after_a_crash(loaded, make_window, qtbot):
    loaded.keeper.autosave_now()
    qtbot.waitUntil(lambda: not loaded.keeper._jobs.busy)
    autosave = loaded.keeper._autosave
    assert autosave.path.is_file()
    assert project.recoveries() == []
    autosave._lock.close()
    left = make_window()
    left.keeper.offer_recovery()
    assert "Unsaved work" in left.notices.text
    assert left.notices.text.endswith("2 samples, 4 spectra.")
    left.notices._button.click()
    opened(left, qtbot)
    assert [s.name for s in left.store.state.samples] == ["Calcite", "Quartz"]
    assert not autosave.path.exists()
    loaded.keeper._autosave = None


def test_one_spectrum_is_offered_in_the_singular(window, make_window, quartz, qtbot):
    window.store.edit("Open files", window.store.state.add([quartz]))
    window.keeper.autosave_now()
    qtbot.waitUntil(lambda: not window.keeper._jobs.busy)
    window.keeper._autosave._lock.close()
    left = make_window()
    left.keeper.offer_recovery()
    assert left.notices.text.endswith("1 sample, 1 spectrum.")
    project.discard(window.keeper._autosave.path)
    window.keeper._autosave = None


def test_the_autosave_waits_while_files_are_opened(loaded, qtbot):
    go_on = threading.Event()
    loaded.loader_jobs.submit(lambda _request, _token: go_on.wait(10), None, "Opening")
    loaded.keeper._timer.stop()
    loaded.keeper.autosave_now()
    assert not loaded.keeper._jobs.busy
    assert loaded.keeper._timer.isActive()
    go_on.set()
    qtbot.waitUntil(lambda: not loaded.loader_jobs.busy)
    loaded.keeper.autosave_now()
    qtbot.waitUntil(lambda: not loaded.keeper._jobs.busy)
    assert len(project.recoveries()) == 0  # ours is in use
    assert loaded.keeper._autosave.path.is_file()


def test_where_files_cannot_be_locked_it_is_said_once(loaded, qtbot, monkeypatch):
    def refuse(_stream):
        raise OSError("No locks available")

    monkeypatch.setattr(project, "_take_lock", refuse)
    loaded.keeper.autosave_now()
    qtbot.waitUntil(lambda: "No locks available" in loaded.notices.text)
    loaded.keeper.autosave_now()
    assert not loaded.keeper._jobs.busy
    assert not list((paths.user_data() / "autosave").glob("*"))


def test_an_orderly_end_leaves_nothing_to_recover(loaded, qtbot):
    loaded.keeper.autosave_now()
    qtbot.waitUntil(lambda: not loaded.keeper._jobs.busy)
    loaded.close()
    assert project.recoveries() == []
    assert not list((paths.user_data() / "autosave").glob("*"))


def test_results_that_were_not_saved_are_there_at_the_next_start(loaded, make_window, qtbot):
    raman = curve_of(loaded, "raman")
    state = loaded.store.state
    state = state.add_derived(state.samples[0].id, [generated("ir", 0, None)], [raman.id])
    loaded.store.edit("Generate", state)
    loaded.close()
    assert len(project.recoveries()) == 1
    later = make_window()
    later.keeper.offer_recovery()
    later.notices._button.click()
    opened(later, qtbot)
    assert curve_of(later, "ir", Origin.GENERATED).id == curve_of(loaded, "ir", Origin.GENERATED).id
    later.keeper._saved = later.store.state
    assert project.recoveries() == []


def test_old_unsaved_work_is_forgotten(loaded, window, monkeypatch):
    copy = project.Autosave()
    copy.save(loaded.store.state)
    copy.close(keep=True)
    assert len(project.recoveries()) == 1
    monkeypatch.setattr("spectrogen_app.gui.keeping.KEPT_DAYS", -1)
    loaded.keeper.offer_recovery()
    assert project.recoveries() == []
    assert loaded.notices.isHidden()


def test_settings_are_written(window, qtbot):
    window.settings.change(seed=42)
    qtbot.waitUntil((paths.user_config() / "settings.json").is_file)
    assert json.loads((paths.user_config() / "settings.json").read_text())["settings"]["seed"] == 42


def test_a_map_of_thousands_is_cut(window, qtbot, monkeypatch):
    from spectrogen_app.io.base import SpectrumList, Verdict

    made = []

    def make(i):
        made.append(i)
        return lines("raman", (500, 1, 5), sample="map", name=f"p{i}")

    verdict = Verdict(Path("map.wdf"), "WDF", SpectrumList(100_000, make))
    monkeypatch.setattr(loading, "MAP_LIMIT", 20)
    monkeypatch.setattr(services, "load_files", lambda _r, _t, deliver: deliver((verdict,)))
    window.open_paths([Path("map.wdf"), Path("other.wdf")])
    opened(window, qtbot)
    assert len(list(window.store.state.curves())) == 20
    assert max(made) < 20
    assert "20 of 100,000" in window.notices.text


def test_files_are_handed_on_in_small_portions_and_painted_between(
    window, qtbot, tmp_path, monkeypatch
):
    monkeypatch.setattr(loading, "SPECTRA_AT_ONCE", 3)
    monkeypatch.setattr(services, "BATCH_SECONDS", 60)
    for i in range(40):
        (tmp_path / f"{i:02d}.csv").write_text("Raman shift (cm-1),Counts\n100,1\n101,2\n102,3\n")
    sizes, turns = [], []
    take = window.loader._take

    def counted(opened, *rest):
        sizes.append(len(opened))
        QtCore.QTimer.singleShot(0, lambda: turns.append(len(sizes)))
        take(opened, *rest)

    monkeypatch.setattr(window.loader, "_take", counted)
    window.open_paths([tmp_path])
    qtbot.waitUntil(lambda: not window.loader_jobs.busy, timeout=20_000)
    assert sum(sizes) == 40
    assert max(sizes) == 3
    assert turns == list(range(1, len(sizes) + 1))


def test_an_error_while_files_are_taken_does_not_hold_up_the_rest(
    window, qtbot, tmp_path, monkeypatch
):
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.csv").write_text("Raman shift (cm-1),Counts\n100,1\n101,2\n102,3\n")
    take, failed = window.loader._take, []

    def once(*args):
        if not failed:
            failed.append(True)
            raise KeyError("lost")
        take(*args)

    monkeypatch.setattr(window.loader, "_take", once)
    with qtbot.captureExceptions() as errors:
        window.open_paths([tmp_path])
        qtbot.waitUntil(lambda: not window.loader_jobs.busy, timeout=20_000)
    assert len(errors) == 1
    assert len(window.verdicts.rows) == 2
