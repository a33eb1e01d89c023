"""Drives the real window on a real display: drop, look, zoom by mouse, generate, export, undo.

Run by ``test_real_window.py`` as a program of its own: ``real_window.py OUT FILE...``. Mouse and
keys come from the X server (xdotool), drops and conditions from Qt. Exit code 0 when every step did
what it should; screenshots and ``report.json`` are written to OUT.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

started = time.perf_counter()  # before the imports: they are part of the start

# ruff: noqa: E402
from PySide6 import QtCore, QtGui, QtWidgets

from spectrogen_app.app import services
from spectrogen_app.app.jobs import Token
from spectrogen_app.app.services import LoadRequest
from spectrogen_app.data.provenance import Origin
from spectrogen_app.gui import application

Qt = QtCore.Qt


class Driver:
    """The window and the hands on it."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.report: dict[str, object] = {}
        self.app = application.application()
        self.window, _ = application.make_window(self.app)
        self.window.theme.set_mode("light")
        self.window.show()
        self.wait(self.window.windowHandle().isExposed, 20)
        self.report["shown after s"] = round(time.perf_counter() - started, 2)
        self.report["torch before window"] = "torch" in sys.modules
        self.window.warm()

    def wait(self, condition: Callable[[], object], seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError("a step did not come to its end")
            self.app.processEvents(QtCore.QEventLoop.ProcessEventsFlag.AllEvents, 20)
        for _ in range(5):
            self.app.processEvents()

    def shot(self, name: str) -> None:
        self.shot_of(self.window, name)

    def shot_of(self, shown: QtWidgets.QWidget, name: str) -> None:
        self.wait(lambda: True)
        image = shown.screen().grabWindow(shown.winId()).toImage()
        assert image.save(str(self.out / f"{name}.png"))
        colours = {
            image.pixel(x, y)
            for x in range(0, image.width(), 7)
            for y in range(0, image.height(), 7)
        }
        assert len(colours) > 20, f"{name} is empty"

    def xdo(self, *words: object) -> None:
        subprocess.run(["xdotool", *map(str, words)], check=True, timeout=20)
        self.wait(lambda: True)

    def focus(self) -> None:
        self.xdo("windowfocus", "--sync", int(self.window.winId()))
        self.wait(self.window.isActiveWindow)

    def drop(self, paths: list[Path]) -> None:
        """As the window system does: enter, move, drop, to the native window."""
        mime = QtCore.QMimeData()
        mime.setUrls([QtCore.QUrl.fromLocalFile(str(p)) for p in paths])
        place = self.window.centre.mapTo(self.window, self.window.centre.rect().center())
        buttons = (Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton,
                   Qt.KeyboardModifier.NoModifier)  # fmt: skip
        target = self.window.childAt(place)
        while target is not None and not target.acceptDrops():
            target = target.parentWidget()
        assert target is self.window, f"a drop would go to {target}"
        for event in (
            QtGui.QDragEnterEvent(place, *buttons), QtGui.QDragMoveEvent(place, *buttons),
        ):  # fmt: skip
            QtCore.QCoreApplication.sendEvent(target, event)
        self.shot("2_dragging")
        QtCore.QCoreApplication.sendEvent(target, QtGui.QDropEvent(QtCore.QPointF(place), *buttons))
        self.wait(lambda: not self.window.loader_jobs.busy)


def main(out: Path, files: list[Path]) -> None:
    driver = Driver(out)
    window = driver.window
    store = window.store
    driver.focus()
    driver.shot("1_empty")
    driver.drop(files)
    opened = list(store.state.curves())
    assert {c.spectrum.modality for c in opened} == {"raman", "ir", "xrd"}
    assert len(store.state.samples) == 3, [s.name for s in store.state.samples]
    assert all(line.state != "error" for line in window.verdicts_view.model.lines)
    driver.shot("3_opened")

    raman = next(c for c in opened if c.spectrum.modality == "raman")
    store.select_curve(raman.id)
    window.samples_view.tree.setFocus()
    driver.xdo("key", "s")
    assert window.plots.solo
    canvas = window.area.panels["raman"].canvas
    driver.wait(canvas.isVisible)
    (low, high), y_before = canvas.ranges()
    middle = canvas.mapToGlobal(canvas.rect().center()) * window.devicePixelRatioF()
    driver.xdo("mousemove", middle.x(), middle.y())
    driver.wait(lambda: window.status.place.text().startswith("Raman"))
    driver.report["status bar"] = window.status.place.text()
    driver.xdo("click", 4)
    driver.wait(lambda: canvas.ranges()[0][1] - canvas.ranges()[0][0] < high - low)
    assert canvas.ranges()[1] == y_before
    driver.xdo("keydown", "ctrl", "click", 4, "keyup", "ctrl")
    driver.wait(lambda: canvas.ranges()[1] != y_before)
    driver.shot("4_zoomed")
    driver.xdo("click", "--repeat", 2, "--delay", 60, 1)
    driver.wait(lambda: canvas.at_full, 10)
    driver.xdo("key", "z")
    assert window.actions_["zoom"].isChecked()
    driver.xdo("mousemove", middle.x() - 60, middle.y() - 20, "mousedown", 1)
    for step in range(1, 7):
        driver.xdo("mousemove", middle.x() - 60 + 20 * step, middle.y() - 20 + 6 * step)
    driver.xdo("mouseup", 1)
    driver.wait(lambda: not canvas.at_full)
    boxed = canvas.ranges()
    assert boxed[0][1] - boxed[0][0] < 0.5 * (high - low)
    driver.xdo("key", "Escape")
    assert not window.actions_["zoom"].isChecked()
    driver.xdo("key", "a")
    driver.wait(lambda: canvas.at_full)
    driver.xdo("key", "BackSpace")
    driver.wait(lambda: canvas.ranges() == boxed)
    driver.xdo("key", "a")

    driver.wait(lambda: not window.worker.busy, 240)
    before = store.state
    if window.generating.chosen_model is not None:
        driver.xdo("key", "ctrl+g")
        driver.wait(lambda: store.state is not before and not window.worker.busy, 240)
        made = [c for c in store.state.curves() if c.spectrum.origin is Origin.GENERATED]
        assert {c.spectrum.modality for c in made} == {"ir", "xrd"}
        sample = store.state.sample_of(raman.id)
        for curve in made:
            truth = next(
                c for c in sample.curves
                if c.spectrum.modality == curve.spectrum.modality and c is not curve
                and c.spectrum.origin is Origin.MEASURED
            )  # fmt: skip
            score = services.compare(curve.spectrum, truth.spectrum).score
            driver.report[f"r {curve.spectrum.modality}"] = round(score.r, 3)
        driver.shot("5_generated")
        window.theme.set_mode("dark")
        driver.shot("6_dark")
        window.theme.set_mode("light")
        window.exporter.export_curves([c.id for c in made], out / "generated.csv")
        driver.wait(lambda: not window.loader_jobs.busy)
        again = services.load_files(LoadRequest((out / "generated.csv",)), Token())[0].spectra
        assert all(s.origin is Origin.GENERATED for s in again)
        driver.report["reopened"] = sorted(s.modality for s in again)
        for extension in ("png", "svg", "pdf"):
            window.exporter.export_figure(out / f"figure.{extension}")
        driver.xdo("key", "ctrl+z")
        driver.wait(lambda: store.state is before)
        driver.shot("7_undone")
        driver.xdo("key", "ctrl+shift+z")
        driver.wait(lambda: store.state is not before)
    driver.xdo("key", "Next")
    driver.wait(lambda: store.selection.curve != raman.id)
    window.close()
    (out / "report.json").write_text(json.dumps(driver.report, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(p) for p in sys.argv[2:]])
