"""Legible in light and dark."""

import re

import pytest
from PySide6 import QtGui

from spectrogen_app.app.session import PALETTE
from spectrogen_app.gui.theme import DARK, LEAST_CONTRAST, LIGHT, ThemeController, contrast, icon
from spectrogen_app.paths import shipped


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda t: t.name)
def test_curves_and_text_stand_out(theme):
    ground = QtGui.QColor(theme.surface)
    for colour in (*PALETTE, "#000000", "#ffffff"):
        assert contrast(theme.curve(colour), ground) >= LEAST_CONTRAST
    for text in (theme.text, theme.muted, theme.accent, theme.good, theme.warn, theme.bad):
        assert contrast(QtGui.QColor(text), ground) >= 4.5
        assert contrast(QtGui.QColor(text), QtGui.QColor(theme.window)) >= 4.5
    for text, notice in (("good", "good_bg"), ("warn", "warn_bg"), ("bad", "bad_bg")):
        back = QtGui.QColor(getattr(theme, notice))
        assert contrast(QtGui.QColor(getattr(theme, text)), back) >= 4.5
    assert contrast(QtGui.QColor(theme.on_accent), QtGui.QColor(theme.accent)) >= 4.5
    assert contrast(QtGui.QColor(theme.control), ground) >= 3


def test_black_on_white_has_the_contrast_that_wcag_states(qapp):
    assert contrast(QtGui.QColor("black"), QtGui.QColor("white")) == pytest.approx(21)
    assert contrast(QtGui.QColor("#777777"), QtGui.QColor("white")) == pytest.approx(4.48, abs=0.01)


def test_every_icon_can_be_drawn(qapp):
    for file in (shipped("resources") / "icons").glob("*.svg"):
        image = icon(file.stem, "#123456").pixmap(32, 32).toImage()
        inked = sum(image.pixelColor(x, y).alpha() > 0 for x in range(20) for y in range(20))
        assert inked > 5, file.name


def test_the_user_can_override_the_system(qapp):
    controller = ThemeController(qapp, "dark")
    seen = []
    controller.changed.connect(seen.append)
    assert controller.theme is DARK
    controller.set_mode("light")
    assert controller.theme is LIGHT
    assert seen[-1] is LIGHT
    assert not re.search(r"\$\w", qapp.styleSheet())
    controller.set_mode("system")
    assert controller.mode == "system"
    controller.deleteLater()
