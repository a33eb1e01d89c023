"""Panels: what is drawn, and what mouse and keys do."""

import numpy as np
import pytest
from gui_fakes import curve_of, generated, lines
from PySide6 import QtCore, QtGui
from PySide6.QtCore import Qt

from spectrogen_app.app import services
from spectrogen_app.data.provenance import Origin
from spectrogen_app.data.spectrum import Spectrum


def panel(window, modality="raman"):
    return window.area.panels[modality]


def drawn(window, curve):
    """x and y as given to the plot item of a curve."""
    item = panel(window, curve.spectrum.modality).canvas._traces[curve.id]
    data = item.getOriginalDataset()
    return data[0], data[1]


def with_generated(window, modality="ir"):
    raman = curve_of(window, "raman")
    state = window.store.state
    state = state.add_derived(state.samples[0].id, [generated(modality, 0, "CaCO3")], [raman.id])
    window.store.edit("Generate", state)
    return curve_of(window, modality, Origin.GENERATED)


def wheel(canvas, modifiers=Qt.KeyboardModifier.NoModifier, steps=1, at=None):
    place = at or canvas.view.sceneBoundingRect().center()
    spot = QtCore.QPointF(canvas.mapFromScene(place))
    event = QtGui.QWheelEvent(
        spot, canvas.viewport().mapToGlobal(spot), QtCore.QPoint(), QtCore.QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    canvas.wheelEvent(event)


def test_one_panel_per_modality_in_their_order(loaded):
    assert list(loaded.area.panels) == ["raman", "ir", "xrd"]
    assert loaded.centre.currentWidget() is loaded.area


def test_the_numbers_drawn_are_the_numbers_of_the_file(loaded):
    for modality in ("raman", "ir", "xrd"):
        curve = curve_of(loaded, modality)
        x, y = drawn(loaded, curve)
        np.testing.assert_array_equal(x, curve.spectrum.x)
        np.testing.assert_array_equal(y, curve.spectrum.y)


def test_infrared_runs_from_high_to_low_and_the_toggle_turns_it(loaded):
    assert panel(loaded, "ir").canvas.view.xInverted()
    assert not panel(loaded, "raman").canvas.view.xInverted()
    panel(loaded, "ir").reverse.click()
    assert not panel(loaded, "ir").canvas.view.xInverted()
    assert loaded.settings().normal_x == ("ir",)
    panel(loaded, "ir").reverse.click()
    assert panel(loaded, "ir").canvas.view.xInverted()


def test_units_are_switched_and_remembered(loaded):
    loaded.plots.choose_x("ir", "wavelength/um")
    curve = curve_of(loaded, "ir")
    x, _ = drawn(loaded, curve)
    np.testing.assert_allclose(x, np.sort(1e4 / curve.spectrum.x))
    assert panel(loaded, "ir").canvas.plot.getAxis("bottom").labelText == "Wavelength (µm)"
    assert loaded.settings().x_units == {"ir": "wavelength/um"}
    low, high = panel(loaded, "ir").canvas.ranges()[0]
    assert (low, high) == pytest.approx((2.5, 25), rel=0.05)


def test_u_steps_through_all_units_and_comes_back(loaded):
    loaded.area._activate("xrd")
    seen = []
    for _ in range(5):
        seen.append(loaded.plots.models[2].shown.x)
        loaded.actions_["units"].trigger()
    assert len(set(seen)) == 5
    assert loaded.plots.models[2].shown.x == seen[0]


def test_absorbance_becomes_transmittance(loaded):
    loaded.plots.choose_y("ir", "%T")
    curve = curve_of(loaded, "ir")
    _, y = drawn(loaded, curve)
    np.testing.assert_allclose(y, 100 * 10**-curve.spectrum.y)
    loaded.area.scale_chosen.emit("ir", "auto")
    _, y = drawn(loaded, curve)
    np.testing.assert_array_equal(y, curve.spectrum.y)


def test_a_generated_curve_never_looks_measured(loaded):
    curve = with_generated(loaded)
    canvas = panel(loaded, "ir").canvas
    item = canvas._traces[curve.id]
    assert item.opts["pen"].style() is Qt.PenStyle.CustomDashLine
    assert item.band.isVisible()
    rows = {r.id: r for r in canvas.legend.rows}
    assert rows[curve.id].text.endswith("generated")
    assert rows[curve.id].kind == "generated"
    measured = canvas._traces[curve_of(loaded, "ir").id]
    assert measured.opts["pen"].style() is Qt.PenStyle.SolidLine
    assert measured.band is None
    assert all(t.opts["pen"].widthF() == 1 for t in canvas._traces.values())


def test_the_residual_is_that_of_the_scores(loaded):
    curve, truth = with_generated(loaded), curve_of(loaded, "ir")
    canvas = panel(loaded, "ir").canvas
    compared = services.compare(curve.spectrum, truth.spectrum)
    data = canvas._residual_item.getOriginalDataset()
    np.testing.assert_allclose(data[0], compared.x)
    np.testing.assert_allclose(data[1], compared.residual)
    assert canvas.residual_plot.scene() is not None
    panel(loaded, "ir").residual.click()
    assert loaded.plots.models[1].residual is None
    panel(loaded, "ir").residual.click()
    assert loaded.plots.models[1].residual is not None


def test_the_residual_follows_the_units(loaded):
    with_generated(loaded)
    loaded.plots.choose_x("ir", "energy/eV")
    x, _ = panel(loaded, "ir").canvas._residual_item.getOriginalDataset()
    assert 0.04 < x[0] < x[-1] < 0.51


def test_without_a_pair_there_is_no_residual_to_toggle(loaded):
    assert not panel(loaded, "raman").residual.isEnabled()


def test_the_plot_that_has_the_keys_is_marked(loaded, qtbot):
    loaded.activateWindow()
    marked = loaded.theme.theme.accent
    for modality, other in (("raman", "ir"), ("ir", "raman")):
        panel(loaded, modality).canvas.setFocus()
        qtbot.waitUntil(panel(loaded, modality).canvas.hasFocus)
        colours = [
            panel(loaded, m)._title.palette().color(QtGui.QPalette.ColorRole.WindowText).name()
            for m in (modality, other)
        ]
        assert colours[0] == marked
        assert colours[1] != marked


def test_a_click_on_the_legend_hides_and_shows(loaded):
    raman = curve_of(loaded, "raman")
    canvas = panel(loaded).canvas
    canvas.legend.clicked.emit(raman.id)
    assert not loaded.store.state.curve(raman.id).visible
    row = next(r for r in canvas.legend.rows if r.id == raman.id)
    assert row.dim
    canvas.legend.clicked.emit(raman.id)
    assert loaded.store.state.curve(raman.id).visible
    assert not next(r for r in canvas.legend.rows if r.id == raman.id).dim


def test_the_legend_avoids_what_is_drawn_highest(window):
    high = lines("raman", (150, 10, 5), (1100, 1000, 5), name="high")
    low = lines("raman", (150, 10, 5), name="low", sample="Other")
    window.store.edit("Open files", window.store.state.add([high, low]))
    canvas = panel(window).canvas
    canvas.full_view()
    assert canvas.legend.geometry().right() < canvas.view.width() / 2


def test_the_legend_row_under_a_point(loaded):
    legend = panel(loaded).canvas.legend
    pitch = legend._pitch()
    assert legend.row_at(QtCore.QPointF(10, 5 + pitch * 0.5)) is legend.rows[0]
    assert legend.row_at(QtCore.QPointF(10, 5 + pitch * 1.5)) is legend.rows[1]
    assert legend.row_at(QtCore.QPointF(10, 5 + pitch * 99)) is None


def test_wheel_zooms_x_at_the_cursor_and_ctrl_wheel_y(loaded):
    canvas = panel(loaded).canvas
    (x0, x1), (y0, y1) = canvas.ranges()
    middle = canvas.view.mapSceneToView(canvas.view.sceneBoundingRect().center()).x()
    pixel = (x1 - x0) / canvas.view.width()
    wheel(canvas)
    (a0, a1), (b0, b1) = canvas.ranges()
    assert a1 - a0 < x1 - x0
    assert (b0, b1) == (y0, y1)
    fixed = x0 + (a0 - x0) / (1 - (a1 - a0) / (x1 - x0))
    assert fixed == pytest.approx(middle, abs=pixel)
    wheel(canvas, Qt.KeyboardModifier.ControlModifier)
    (c0, c1), (d0, d1) = canvas.ranges()
    assert (c0, c1) == (a0, a1)
    assert d1 - d0 < b1 - b0


def test_backspace_goes_back_and_a_shows_all(loaded, qtbot):
    canvas = panel(loaded).canvas
    full = canvas.ranges()
    wheel(canvas)
    assert canvas.ranges() != full
    loaded.actions_["back"].trigger()
    assert canvas.ranges() == full
    assert canvas.at_full
    canvas.set_ranges(((500, 600), (0, 1)))
    loaded.actions_["full"].trigger()
    np.testing.assert_allclose(canvas.ranges(), full)
    loaded.actions_["back"].trigger()
    assert canvas.ranges() == ((500, 600), (0, 1))


def test_the_zoom_stays_when_curves_come_and_go(loaded):
    canvas = panel(loaded).canvas
    canvas.set_ranges(((500, 600), (0, 100)))
    quartz = curve_of(loaded, "raman", at=1)
    loaded.store.edit("Hide", loaded.store.state.show([quartz.id], False))
    loaded.store.undo()
    assert canvas.ranges() == ((500, 600), (0, 100))


def test_rescale_fits_y_to_what_is_visible(loaded):
    canvas = panel(loaded).canvas
    canvas.set_ranges(((690, 730), (0, 5000)))
    loaded.area._activate("raman")
    loaded.actions_["rescale"].trigger()
    x, (low, high) = canvas.ranges()
    assert x == (690, 730)
    assert 190 < high < 240
    assert low < 10


def test_zoom_mode_switches_the_left_drag(loaded):
    canvas = panel(loaded).canvas
    assert canvas.view.state["mouseMode"] == canvas.view.PanMode
    loaded.actions_["zoom"].trigger()
    assert canvas.view.state["mouseMode"] == canvas.view.RectMode
    loaded.actions_["zoom"].trigger()
    assert canvas.view.state["mouseMode"] == canvas.view.PanMode


def test_the_status_bar_says_where_the_cursor_is(loaded):
    canvas = panel(loaded).canvas
    peak = canvas.view.mapViewToScene(QtCore.QPointF(1086.0, 500.0))
    canvas._mouse_moved(peak)
    text = loaded.status.place.text()
    assert text.startswith("Raman:  1086")
    assert "cm⁻¹" in text
    assert float(text.rpartition("curve ")[2]) == pytest.approx(1000, rel=0.01)
    canvas.leaveEvent(QtCore.QEvent(QtCore.QEvent.Type.Leave))
    assert loaded.status.place.text() == ""


def test_peak_positions_are_written_on_the_plot(loaded):
    loaded.actions_["peaks"].trigger()
    written = [float(t.textItem.toPlainText()) for t in panel(loaded).canvas._labels]
    assert written == pytest.approx([282, 712, 1086], abs=0.6)
    loaded.actions_["peaks"].trigger()
    assert panel(loaded).canvas._labels == []


def test_stack_moves_the_second_curve_up(loaded):
    quartz = curve_of(loaded, "raman", at=1)
    _, flat = drawn(loaded, quartz)
    panel(loaded).stack.click()
    _, up = drawn(loaded, quartz)
    assert np.all(up > flat)


def test_solo_shows_the_current_sample_only(loaded):
    loaded.actions_["solo"].trigger()
    shown = {t.name for m in loaded.plots.models for t in m.traces}
    assert shown == {"Calcite"}
    loaded.store.select_curve(curve_of(loaded, "raman", at=1).id)
    assert list(loaded.area.panels) == ["raman"]


def test_a_click_on_a_curve_makes_it_current(loaded):
    xrd = curve_of(loaded, "xrd")
    panel(loaded, "xrd").canvas.curve_clicked.emit(xrd.id)
    assert loaded.store.selection.curve == xrd.id


def test_a_double_click_on_a_curve_shows_all(loaded, qtbot):
    canvas = panel(loaded).canvas
    raman = curve_of(loaded, "raman")
    canvas.zoom_by(0.5)
    x, y = drawn(loaded, raman)
    top = int(y.argmax())
    canvas.set_ranges(((x[top] - 50, x[top] + 50), canvas.ranges()[1]))
    spot = canvas.mapFromScene(canvas.view.mapViewToScene(QtCore.QPointF(x[top], y[top])))
    viewport = canvas.viewport()
    qtbot.mouseMove(viewport, spot)
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=spot)
    qtbot.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=spot)
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=spot)
    assert canvas.at_full


def test_items_are_reused(loaded):
    raman = curve_of(loaded, "raman")
    item = panel(loaded).canvas._traces[raman.id]
    loaded.store.edit("Colour", loaded.store.state.edit_curve(raman.id, colour="#123456"))
    assert panel(loaded).canvas._traces[raman.id] is item


def picture(canvas):
    image = canvas.viewport().grab().toImage().convertToFormat(QtGui.QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : 3 * image.width()].astype(float)


def test_curves_that_keep_still_look_as_if_drawn_anew(loaded, quartz):
    store, canvas = loaded.store, panel(loaded).canvas
    store.edit("More", store.state.add([quartz.replace(name="Other", y=0.5 * quartz.y)]))
    other = next(c.id for c in store.state.curves() if c.spectrum.name == "Other")
    before = picture(canvas)
    changes = (
        lambda: store.edit("Colour", store.state.edit_curve(other, colour="#00aa00")),
        lambda: store.edit(
            "Data", store.state.edit_curve(other, spectrum=quartz.replace(y=0.2 * quartz.y))
        ),
        lambda: canvas.zoom_by(0.5),
        lambda: loaded.theme.set_mode("dark"),
    )
    for change in changes:
        change()
        kept = picture(canvas)
        for ground in canvas._grounds:
            ground.put(())
        fresh = picture(canvas)
        canvas.draw(canvas.model)
        assert np.abs(kept - fresh).max() < 40
        assert np.mean(np.abs(kept - before)) > 0.2
        before = kept


def test_hundreds_of_visible_curves_are_limited_and_said(window, quartz):
    spectra = [quartz.replace(name=f"Q{i}") for i in range(100)]
    window.store.edit("Open", window.store.state.add(spectra))
    assert len(window.plots.models[0].traces) == 80
    assert panel(window)._note.text().startswith("80 of 100 curves drawn")


def test_repaint_soak(loaded, qtbot):
    """PySide6 6.12.0 on Python 3.11 aborts after enough repaints; the versions allowed do not."""
    canvas = panel(loaded).canvas
    for i in range(150):
        canvas.view.translateBy(x=1 if i % 2 else -1)
        canvas.viewport().repaint()


def test_many_panels_are_scrolled_and_do_not_make_the_window_grow(window, qtbot):
    kinds = ("raman", "ir", "fir", "xrd", "uvvis", "emission")
    least = window.area.minimumSizeHint().height()
    x = np.linspace(400, 700, 50)
    spectra = [Spectrum(x / 10 if k == "xrd" else x, x, modality=k, name=k) for k in kinds]
    window.store.edit("Open", window.store.state.add(spectra))
    qtbot.waitUntil(lambda: len(window.area.panels) == len(kinds))
    assert window.area.minimumSizeHint().height() == least
    assert all(p.height() >= 150 for p in window.area.panels.values())
