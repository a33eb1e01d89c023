"""Decomposes real spectra with real mouse and keys, in the real window on a real display.

Run by ``test_real_window.py`` as a program of its own: ``real_peaks.py OUT THEME FILE...``. Peaks
are clicked in, dragged, bounded and removed; what is wrong with a fit is mended with the buttons
that the window offers; reports are written through the menu and the file dialogs. Screenshots and
``report.json`` are written to OUT.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
from PySide6 import QtCore, QtWidgets
from real_window import Driver

from spectrogen_app.app.session import SessionState
from spectrogen_app.fitting.guess import candidates, noise
from spectrogen_app.fitting.report import from_json, read_model
from spectrogen_app.gui.peaks.rules import INTERVAL

Qt = QtCore.Qt
ROUNDS = 40
"""Buttons pressed at most until nothing is left to mend."""
CLICKED, CLICKED_POWDER = 5, 6
"""Maxima clicked in."""
WANTED, WANTED_POWDER = 0.995, 0.98
"""R2 up to which peaks are added where the residual is largest."""


class Hand(Driver):
    """Knows where things of the Peaks task are on the screen."""

    def begin(self, path: Path) -> None:
        """A fresh file on the Peaks tab."""
        self.pressed: list[str] = []
        self.window.store.reset(SessionState())
        window = self.window
        self.drop([path])
        curve = next(window.store.state.curves())
        window.store.select_curve(curve.id)
        bar = window.tabs.tabBar()
        at = next(i for i in range(bar.count()) if bar.tabText(i) == "Peaks")
        self.press(bar, bar.tabRect(at).center())
        self.wait(lambda: window.peaks.gestures.handles is not None)

    @property
    def peaks(self):  # type: ignore[no-untyped-def]
        return self.window.peaks

    @property
    def view(self):  # type: ignore[no-untyped-def]
        return self.window.peaks._view

    @property
    def result(self):  # type: ignore[no-untyped-def]
        return self.peaks.editor.peaks.result

    def pointer(self, place: QtCore.QPoint) -> tuple[int, int]:
        ratio = self.window.devicePixelRatioF()
        return round(place.x() * ratio), round(place.y() * ratio)

    def press(self, widget: QtWidgets.QWidget, place: QtCore.QPoint | None = None) -> None:
        """Click a widget."""
        area = self.view
        if area.widget().isAncestorOf(widget):
            area.ensureWidgetVisible(widget)
            self.wait(lambda: True)
        inner = widget.rect().center() if place is None else place
        assert widget.isVisible(), widget
        self.xdo("mousemove", *self.pointer(widget.mapToGlobal(inner)), "click", 1)

    def on_plot(self, x: float, y: float) -> tuple[int, int]:
        handles = self.peaks.gestures.handles
        canvas = handles.canvas
        inner = canvas.mapFromScene(handles.mapToScene(handles.pixel(x, y)))
        return self.pointer(canvas.viewport().mapToGlobal(inner))

    def grip(self, kind: str, peak: str) -> tuple[int, int]:
        handles = self.peaks.gestures.handles
        found = next(g for g in handles.grips if (g.kind, g.peak) == (kind, peak))
        canvas = handles.canvas
        inner = canvas.mapFromScene(handles.mapToScene(handles.place(found)))
        return self.pointer(canvas.viewport().mapToGlobal(inner))

    def drag(self, start: tuple[int, int], by: tuple[int, int], shot: str = "") -> None:
        self.xdo("mousemove", *start, "mousedown", 1)
        for step in range(1, 6):
            self.xdo("mousemove", start[0] + by[0] * step // 5, start[1] + by[1] * step // 5)
        if shot:
            self.shot(shot)
        self.xdo("mouseup", 1)

    def ready(self) -> None:
        busy = self.window.fits, self.window.loader_jobs
        self.wait(lambda: not any(b.busy for b in busy) and not self.peaks._later.isActive())

    def key(self, *names: str) -> None:
        canvas = self.peaks.gestures.handles.canvas
        canvas.setFocus()
        self.xdo("key", *names)

    def choose(self, name: str) -> None:
        """An entry of the menu More."""
        self.press(self.view.more)
        menu = self.view.more.menu()
        self.wait(menu.isVisible)
        entry = self.view.entries[name]
        assert entry.isEnabled(), name
        place = menu.mapToGlobal(menu.actionGeometry(entry).center())
        self.xdo("mousemove", *self.pointer(place), "click", 1)
        self.wait(lambda: not menu.isVisible())

    def save(self, kind: str, path: Path) -> None:
        """Choose an entry of the menu and type a path into the file dialog that it opens."""
        watch = QtCore.QTimer()

        def type_in() -> None:
            if isinstance(QtWidgets.QApplication.activeModalWidget(), QtWidgets.QFileDialog):
                watch.stop()
                self.xdo("key", "ctrl+a")
                self.xdo("type", "--delay", 5, str(path))
                self.xdo("key", "Return")

        watch.timeout.connect(type_in)
        watch.start(200)
        self.choose(kind)
        self.wait(path.exists, 20)
        self.ready()

    # ---- what a user does -----------------------------------------------------------------

    def click_in(self, count: int) -> None:
        """Peak mode, and a click on each of the strongest maxima."""
        spectrum = self.peaks.editor.curve.spectrum
        found = noise(spectrum.y)
        places = candidates(spectrum.x, spectrum.y, found.sigma, found.reach)[:count]
        if not self.peaks.gestures.mode:
            self.press(self.view.mode)
        self.wait(lambda: self.peaks.gestures.mode)
        for x, y, _ in places:
            before = len(self.peaks.editor.model.peaks)
            frame = self.peaks.editor.sketch.frame
            spot = float(frame.to_x(np.array([x]))[0]), float(frame.to_y(np.array([y]))[0])
            start = self.on_plot(*spot)
            handles = self.peaks.gestures.handles
            free = all(
                abs(start[0] - self.grip(g.kind, g.peak)[0]) > 15 for g in handles.grips
            )
            if free:
                self.xdo("mousemove", start[0] + 1, start[1] + 1, "click", 1)
            else:  # a handle is in the way: draw it out lower down
                self.drag(self.on_plot(spot[0], spot[1] * 0.45), (6, 0))
            try:
                self.wait(lambda n=before: len(self.peaks.editor.model.peaks) > n, 10)
            except AssertionError:
                self.shot("stuck")
                raise

    def interval(self) -> None:
        """Ask for the confidence interval of a parameter that is in doubt, if one is."""
        asked = [b for card in self.view.cards for b in card.findChildren(QtWidgets.QPushButton)
                 if b.text() == INTERVAL]  # fmt: skip
        if asked:
            self.press(asked[0])
            self.wait(lambda: self.peaks.exchange.sheet is not None, 60)
            sheet = self.peaks.exchange.sheet
            self.wait(sheet.isVisible)
            self.report["interval"] = sheet.rows.text()
            sheet.close()
            self.wait(lambda: self.peaks.exchange.sheet is None)
            self.focus()

    def mend(self, wanted: float) -> int:
        """Press what the window offers until nothing is left to warn of; how many presses."""
        before: list[tuple[int, float]] = []
        for pressed in range(ROUNDS):
            self.ready()
            result = self.result
            assert result is not None, self.view.quality.text()
            before.append((len(result.advice), result.r_squared))
            if result.advice:
                self.press(self.view.mend)
                self.pressed.append("Mend all")
                self.wait(lambda r=result: self.result is not r, 60)
            elif result.r_squared < wanted:
                self.press(self.view.residual)
                self.pressed.append("At residual")
                self.wait(lambda r=result: self.result is not r, 60)
            else:
                return pressed
        raise AssertionError(f"still {before[-5:]}, {self.result.warnings}")


def by_hand(hand: Hand, path: Path, count: int, wanted: float, powder: bool) -> dict[str, object]:
    """One spectrum, from the first click to no warning."""
    name = path.name.split("__")[0].lower() + ("_powder" if powder else "")
    hand.begin(path)
    editor = hand.peaks.editor
    hand.click_in(count)
    hand.wait(lambda: len(editor.model.peaks) == count, 10)
    as_clicked = editor.model
    hand.shot(f"{name}_1_clicked")
    first = max(editor.model.peaks, key=lambda p: p.height).name
    editor.choose(first)
    placed = editor.model.peak(first)
    hand.drag(hand.grip("top", first), (14, 30), f"{name}_2_dragging")
    hand.wait(lambda: editor.model.peak(first).height < placed.height, 10)
    hand.wait(lambda: editor.model.peak(first).center > placed.center, 10)
    hand.drag(hand.grip("right", first), (22, 0))
    hand.wait(lambda: editor.model.peak(first).fwhm > placed.fwhm, 10)
    hand.press(hand.view.bound)
    limit = editor.model.peak(first)["center"].max
    hand.drag(hand.grip("center.max", first), (25, 0))
    hand.wait(lambda: editor.model.peak(first)["center"].max > limit, 10)
    hand.shot(f"{name}_3_bounds")
    last = min(editor.model.peaks, key=lambda p: abs(p.height)).name
    hand.xdo("mousemove", *hand.grip("top", last), "click", 3)
    hand.wait(lambda: last not in {p.name for p in editor.model.peaks}, 10)
    hand.key("ctrl+z")
    hand.wait(lambda: last in {p.name for p in editor.model.peaks}, 10)
    hand.press(hand.view.free)
    hand.wait(lambda: editor.model.peak(first)["center"].max > 1e9, 10)
    while editor.model != as_clicked:  # the drags are taken back
        assert hand.window.store.undo_label, "undo never came back to what was clicked"
        hand.key("ctrl+z")
    hand.key("Escape")
    hand.wait(lambda: not hand.peaks.gestures.mode, 10)
    if powder:
        editor.choose(first)
        hand.press(hand.view.partner)
        hand.wait(lambda: all(p.partner for p in editor.model.peaks), 10)
    hand.key("f")
    hand.ready()
    hand.wait(lambda: hand.result is not None)
    hand.shot(f"{name}_4_fitted")
    clicked = hand.result
    hand.interval()
    presses = hand.mend(wanted)
    hand.press(hand.view.simplify)
    hand.wait(lambda r=hand.result: hand.result is not r)
    presses += hand.mend(wanted)
    hand.shot(f"{name}_5_done")
    result = hand.result
    return {"clicked": count, "first R2": round(clicked.r_squared, 5),
            "first warnings": len(clicked.advice), "presses": presses, "pressed": hand.pressed,
            "peaks": len(result.peaks), "R2": round(result.r_squared, 5),
            "warnings": list(result.warnings)}  # fmt: skip


def paperwork(hand: Hand, out: Path) -> None:
    """Correlations, interval, history, and every report, through the menu."""
    out = out / "reports"
    out.mkdir()
    peaks, result = hand.peaks, hand.result
    hand.choose("results")
    sheet = peaks.exchange.sheet
    hand.wait(sheet.isVisible)
    assert len(sheet.rows.rows) == len(result.free)
    hand.shot_of(sheet, "6_correlations")
    sheet.close()
    hand.wait(lambda: peaks.exchange.sheet is None)
    hand.save("report_csv", out / "peaks.csv")
    hand.save("report_json", out / "fit.json")
    hand.save("report_txt", out / "fit.txt")
    hand.save("curves", out / "curves.csv")
    hand.save("save_template", out / "model.peaks.json")
    assert from_json((out / "fit.json").read_text()).model == result.model
    assert read_model((out / "model.peaks.json").read_text()) == result.model
    hand.choose("history")
    sheet = peaks.exchange.sheet
    hand.wait(sheet.isVisible)
    hand.shot_of(sheet, "7_history")
    index = sheet.sorted.index(0, 0)
    spot = sheet.table.visualRect(index).center()
    place = sheet.table.viewport().mapToGlobal(spot)
    hand.xdo("mousemove", *hand.pointer(place), "click", "--repeat", 2, "--delay", 60, 1)
    hand.wait(lambda: hand.result is peaks.editor.peaks.history[0].result)
    hand.focus()  # without a window manager it does not come back by itself
    hand.key("ctrl+z")
    hand.wait(lambda: hand.result is result, 10)


def main(out: Path, theme: str, files: list[Path]) -> None:
    """Three Raman spectra and a powder pattern."""
    hand = Hand(out)
    hand.window.theme.set_mode(theme)
    hand.window.showMaximized()
    hand.focus()
    for path in files:
        powder = "Powder" in path.name
        count = CLICKED_POWDER if powder else CLICKED
        wanted = WANTED_POWDER if powder else WANTED
        start = time.perf_counter()
        found = by_hand(hand, path, count, wanted, powder)
        found["seconds"] = round(time.perf_counter() - start)
        hand.report[path.name.split("__")[0] + (" powder" if powder else "")] = found
        print(found, flush=True)
    paperwork(hand, out)
    hand.window.close()
    (out / "report.json").write_text(json.dumps(hand.report, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], [Path(p) for p in sys.argv[3:]])
