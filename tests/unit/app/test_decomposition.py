"""Peaks in the session, and the way between a spectrum's units and those drawn."""

import dataclasses

import numpy as np
import pytest

from spectrogen_app.app import display
from spectrogen_app.app.decomposition import Decomposition, Frame, Sketch, sketch
from spectrogen_app.app.display import Look, Scale
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.fitting.api import fit
from spectrogen_app.fitting.model import Background, Model, Peak
from spectrogen_app.fitting.options import Options

X = np.linspace(150, 1300, 900)
PEAKS = (Peak.make("lorentzian", 465, 100, 8), Peak.make("gaussian", 900, 40, 15))
MODEL = Model(PEAKS, Background.make("linear", X, np.full(X.size, 7.0)))


def spectrum(**fields) -> Spectrum:
    given = {"modality": "raman", "laser_nm": 532.0, **fields}
    return Spectrum(X, MODEL.evaluate(X), **given)


def frame(s: Spectrum, look: Look) -> Frame:
    shown = display.show([s], look, s.modality)
    drawn = shown.curves[0]
    assert drawn is not None
    return Frame(s, drawn, shown.x, shown.y_unit)


LOOKS = (
    Look(), Look(scale=Scale.UNIT), Look(stack=0.6), Look(x="wavelength/nm"),
    Look(x="energy/eV"), Look(x="wavenumber/cm-1", scale=Scale.UNIT),
)  # fmt: skip


@pytest.mark.parametrize("look", LOOKS)
def test_a_frame_draws_the_data_where_the_panel_does(look: Look) -> None:
    s = spectrum()
    shown = display.show([s], look, "raman")
    drawn = shown.curves[0]
    assert drawn is not None
    f = Frame(s, drawn, shown.x, shown.y_unit)
    order = slice(None, None, -1 if f.descending else 1)
    np.testing.assert_allclose(f.to_x(s.x)[order], drawn.x, rtol=1e-12)
    np.testing.assert_allclose(f.to_y(s.y)[order], drawn.y, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("look", LOOKS)
def test_a_frame_goes_there_and_back(look: Look) -> None:
    f = frame(spectrum(), look)
    for value in (200.0, 465.0, 1250.0):
        assert f.from_x(float(f.to_x(np.array([value]))[0])) == pytest.approx(value, rel=1e-9)
        assert f.from_y(float(f.to_y(np.array([value]))[0])) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(("own", "shown"), [("absorbance", "transmittance_percent"),
                                            ("transmittance", "absorbance")])  # fmt: skip
def test_a_frame_follows_the_ordinate(own: str, shown: str) -> None:
    y = 0.2 + 0.5 * np.exp(-(((X - 700) / 40) ** 2))
    s = Spectrum(X + 400, y, modality="ir", y_unit=own)
    choices = display.y_choices([s])
    unit = next(c for c in choices if c == shown or c.replace(" ", "_") == shown or c != own)
    f = frame(s, Look(y_unit=unit))
    drawn = display.show([s], Look(y_unit=unit), "ir").curves[0]
    assert drawn is not None
    np.testing.assert_allclose(f.to_y(s.y), drawn.y, rtol=1e-9)
    assert f.from_y(float(f.to_y(np.array([0.3]))[0])) == pytest.approx(0.3)


def test_a_sketch_draws_sum_residual_background_and_lines() -> None:
    s = spectrum()
    s = s.replace(y=s.y + 3)
    curves = Sketch(s, frame(s, Look())).curves(MODEL)
    np.testing.assert_allclose(curves.total.y, MODEL.evaluate(X))
    np.testing.assert_allclose(curves.residual.y, 3.0)
    assert curves.background is not None
    np.testing.assert_allclose(curves.background.y, 7.0)
    for line, peak in zip(curves.lines, MODEL.peaks, strict=True):
        assert line.name == peak.name
        assert line.y.max() == pytest.approx(7 + peak.height)
        np.testing.assert_allclose(line.y, 7 + peak.evaluate(line.x))
        assert X[0] <= line.x[0] < line.x[-1] <= X[-1]


def test_the_residual_is_drawn_as_large_as_the_curve() -> None:
    s = spectrum()
    s = s.replace(y=s.y + 3)
    f = frame(s, Look(scale=Scale.UNIT))
    curves = Sketch(s, f).curves(MODEL)
    scale = 1 / np.ptp(s.y)
    np.testing.assert_allclose(curves.residual.y, 3.0 * scale, rtol=1e-5)


def test_what_is_not_fitted_has_no_residual() -> None:
    s = spectrum()
    s = s.replace(y=s.y + 3)
    curves = Sketch(s, frame(s, Look())).curves(MODEL, Options(exclude=((400, 500),)))
    inside = (X >= 400) & (X <= 500)
    assert not curves.residual.y[inside].any()
    assert curves.residual.y[~inside].all()


def test_unchanged_lines_are_drawn_once() -> None:
    s = spectrum()
    drawing = Sketch(s, frame(s, Look()))
    first = drawing.curves(MODEL)
    moved = MODEL.with_peak(MODEL.peaks[0].moved(center=470))
    second = drawing.curves(moved)
    assert second.lines[1] is first.lines[1]
    assert second.lines[0] is not first.lines[0]
    assert drawing.curves(MODEL.replace(background=None)).lines[1] is not first.lines[1]


def test_a_powder_line_is_drawn_with_its_partner() -> None:
    x = np.linspace(20, 90, 4000)
    peak = dataclasses.replace(Peak.make("gaussian", 80, 100, 0.1), partner=True)
    model = Model((peak,))
    s = Spectrum(x, model.evaluate(x), modality="xrd", wavelength=1.540562)
    line = Sketch(s, frame(s, Look())).curves(model).lines[0]
    second = line.y[line.x > 80.15].max()
    assert second == pytest.approx(50, rel=1e-3)


def test_there_is_no_sketch_where_there_is_no_way() -> None:
    s = spectrum()
    drawn = display.show([s], Look(), "raman").curves[0]
    assert drawn is not None
    other = dataclasses.replace(drawn, y=np.sqrt(np.abs(drawn.y)))
    assert sketch(s, other, "raman_shift/cm-1", s.y_unit) is None


def test_edits_fits_and_restores() -> None:
    s = spectrum()
    start = Decomposition().edited(Model(PEAKS))
    result = fit(s, start.model)
    done = start.fitted(result, "Fit")
    assert done.result is result
    assert done.model is result.model
    moved = done.edited(done.model.remove("p2"))
    assert moved.result is None
    assert moved.history == done.history
    again = moved.fitted(fit(s, moved.model))
    assert [h.what for h in again.history] == ["Fit", "Fit"]
    back = again.restored(0)
    assert back.result is result
    assert back.model == result.model
    assert len(back.history) == 2


def test_tied_values_follow_an_edit() -> None:
    model = Model(PEAKS).edit("p2_center", tie="p1_center + 100")
    assert Decomposition().edited(model).model.peak("p2").center == 565
    broken = Model(PEAKS).edit("p2_center", tie="p9_center")
    assert Decomposition().edited(broken).model == broken
