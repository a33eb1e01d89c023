"""The wavelength and line width of patterns, chosen in the window."""

from pathlib import Path

import numpy as np
import pytest

from spectrogen_app.gui.verdicts.view import XRAYS
from spectrogen_app.gui.xrays.view import XraysView

NACL = """data_halite
_cell_length_a 5.6402
_cell_length_b 5.6402
_cell_length_c 5.6402
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na 0 0 0
Cl 0.5 0.5 0.5
"""


def idle(window, qtbot) -> None:
    qtbot.waitUntil(lambda: not (window.loader_jobs.busy or window.previews.busy), timeout=20000)


def opened(window, qtbot, path: Path) -> XraysView:
    window.open_paths([path])
    idle(window, qtbot)
    assert XRAYS in window.verdicts_view.model.lines[0].actions
    window.verdicts.act(0, XRAYS)
    (view,) = (v for v in window.findChildren(XraysView) if v.isVisible())
    return view


def spectrum(window):
    (curve,) = window.store.state.curves()
    return curve.spectrum


def test_a_structure_is_calculated_for_another_anode_and_width(window, qtbot, tmp_path):
    path = tmp_path / "halite.cif"
    path.write_text(NACL)
    view = opened(window, qtbot, path)
    assert view.anode.currentText() == "Cu Kα"
    assert view.width_box.isVisible()
    view.anode.setCurrentIndex(view.anode.findData("Mo"))
    view.anode.activated.emit(view.anode.currentIndex())
    view.width_box.setValue(0.3)
    qtbot.waitUntil(lambda: "0.71073 Å, lines 0.3°" in view.note.text(), timeout=20000)
    view.apply_button.click()
    idle(window, qtbot)
    found = spectrum(window)
    assert found.wavelength == pytest.approx(0.71073)
    assert found.x[found.y.argmax()] == pytest.approx(
        2 * np.degrees(np.arcsin(0.71073 / 2 / 2.8201)), abs=0.03
    )
    window.store.undo()
    assert spectrum(window).wavelength == pytest.approx(1.541838)


def test_a_measured_pattern_gets_its_wavelength(window, qtbot, tmp_path):
    path = tmp_path / "quartz_xrd.xy"
    path.write_text("".join(f"{10 + 0.02 * i:.2f} {i % 9 + 1}\n" for i in range(500)))
    view = opened(window, qtbot, path)
    assert not view.width_box.isVisible()
    view.wavelength.setValue(0.4137)
    assert view.anode.currentText() == "Another"
    qtbot.waitUntil(lambda: "0.4137 Å, as you chose" in view.note.text(), timeout=20000)
    view.apply_button.click()
    idle(window, qtbot)
    assert spectrum(window).wavelength == pytest.approx(0.4137)
    assert spectrum(window).provenance.reading == {"wavelength": 0.4137}
