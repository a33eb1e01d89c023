"""Curves to files, figures to files, both to the clipboard; in the units shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6 import QtCore, QtGui, QtWidgets

from spectrogen_app.app import display, services
from spectrogen_app.app.script import script
from spectrogen_app.app.services import ExportRequest
from spectrogen_app.app.session import Curve
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.gui.context import Context
from spectrogen_app.gui.plotting.figure import Figure
from spectrogen_app.gui.widgets import counted
from spectrogen_app.paths import atomic_write

FIGURES = "PNG picture (*.png);;SVG drawing (*.svg);;PDF (*.pdf)"
TABLES = "CSV (*.csv)"


class Exporter(QtCore.QObject):
    """Asks where to, and writes in the background.

    Signals
    -------
    written(Path)
    """

    written = QtCore.Signal(object)

    def __init__(self, context: Context, window: QtWidgets.QWidget) -> None:
        super().__init__(window)
        self._context, self._window = context, window

    def ask_selected(self) -> None:
        """Ask for a CSV file for what is selected."""
        self.ask_curves(self._context.store.selection.curves)

    def ask_curves(self, ids: Sequence[str]) -> None:
        """Ask for a CSV file for these curves."""
        chosen = list(ids)
        if not chosen:
            self._context.notify("info", "Select the spectra to export first.")
            return
        state = self._context.store.state
        stem = file_stem(state.curve(chosen[0]))
        path = self._ask("Export spectra", f"{stem}.csv", TABLES, ".csv")
        if path is not None:
            self.export_curves(chosen, path)

    def ask_visible(self) -> None:
        """Ask for one CSV file for all visible curves."""
        path = self._ask("Export all visible curves", "spectra.csv", TABLES, ".csv")
        if path is not None:
            self.export_visible(path)

    def ask_figure(self) -> None:
        """Ask for a picture file."""
        path = self._ask("Export the figure", "spectra.png", FIGURES, ".png")
        if path is not None:
            self.export_figure(path)

    def ask_script(self) -> None:
        """Ask for a Python file that repeats what was done."""
        path = self._ask("Save as a Python script", "spectra.py", "Python (*.py)", ".py")
        if path is not None:
            try:
                with atomic_write(path) as stream:
                    stream.write(script(self._context.store.state).encode())
            except SpectrogenError as error:
                self._context.notify("error", error.message, error.hint)
            else:
                self._done(path)

    def export_curves(self, ids: Sequence[str], path: Path) -> None:
        """Write curves to one CSV, in the units in which their panels show them."""
        state = self._context.store.state
        shown = {m.modality: m.shown for m in self._context.plots.models}
        spectra = tuple(as_shown(state.curve(i).spectrum, shown) for i in ids)
        self._context.loader.submit(
            services.export, ExportRequest(spectra, path), f"Writing {path.name}",
            on_done=lambda _: self._done(path),
        )  # fmt: skip

    def export_visible(self, path: Path) -> None:
        """Write every drawn curve to one CSV."""
        ids = [
            t.id
            for m in self._context.plots.models
            for t in m.traces
            if not t.id.startswith("preview")
        ]
        if ids:
            self.export_curves(ids, path)
        else:
            self._context.notify("info", "No curve is visible.")

    def export_figure(self, path: Path) -> None:
        """Write the panels, as zoomed, in light colours."""
        figure = self.figure()
        try:
            figure.save(path)
        except SpectrogenError as error:
            self._context.notify("error", error.message, error.hint)
        else:
            self._done(path)
        finally:
            figure.close()

    def copy_figure(self) -> None:
        """Put the picture on the clipboard, as pixels and as SVG."""
        figure = self.figure()
        mime = QtCore.QMimeData()
        mime.setImageData(figure.image(2))
        mime.setData("image/svg+xml", QtCore.QByteArray(figure.bytes(".svg")))
        figure.close()
        QtGui.QGuiApplication.clipboard().setMimeData(mime)
        self._context.notify("good", "The figure is on the clipboard.")

    def copy_numbers(self) -> None:
        """Put the visible part of the active panel's curves on the clipboard as a table."""
        panel = self._context.area.active
        model = panel.canvas.model if panel is not None else None
        if panel is None or model is None:
            return
        text = display.table([t.name for t in model.traces], model.shown, panel.canvas.ranges()[0])
        QtGui.QGuiApplication.clipboard().setText(text)
        curves = counted(len(model.traces), "curve", "curves")
        self._context.notify(
            "good", f"The numbers of {curves} are on the clipboard, as shown.",
            "Paste them into a spreadsheet.",
        )  # fmt: skip

    def figure(self) -> Figure:
        """All panels as they are zoomed."""
        panels = self._context.area.panels
        shown = [
            (m, panels[m.modality].canvas.ranges())
            for m in self._context.plots.models if m.modality in panels
        ]  # fmt: skip
        return Figure(shown)

    def _ask(self, title: str, name: str, kinds: str, extension: str) -> Path | None:
        folder = Path(str(self._context.settings().choices.get("export.folder") or "")) or Path()
        chosen, kind = QtWidgets.QFileDialog.getSaveFileName(
            self._window, title, str(folder / name), kinds
        )
        if not chosen:
            return None
        path = Path(chosen)
        self._context.settings.choose("export.folder", str(path.parent))
        if not path.suffix:
            wanted = kind.partition("(*")[2].rstrip(")") or extension
            path = path.with_name(path.name + wanted)
        return path

    def _done(self, path: Path) -> None:
        folder = QtCore.QUrl.fromLocalFile(str(path.parent))
        self._context.notify(
            "good", f"Wrote {path.name}.", str(path.parent),
            ("Show in folder", lambda: _show(folder)),
        )  # fmt: skip
        self.written.emit(path)


def _show(folder: QtCore.QUrl) -> None:
    QtGui.QDesktopServices.openUrl(folder)


def as_shown(spectrum: Spectrum, shown: dict[str, display.Shown]) -> Spectrum:
    """The spectrum in the units in which its panel shows it, where it converts."""
    panel = shown.get(spectrum.modality)
    if panel is None:
        return spectrum
    kind, _, unit = panel.x.partition("/")
    try:
        if (kind, unit) != (spectrum.x_kind.value, spectrum.x_unit):
            spectrum = spectrum.to_x(kind, unit)
        if panel.y_unit and panel.y_unit != spectrum.y_unit:
            spectrum = spectrum.to_y(panel.y_unit)
    except SpectrogenError:
        return spectrum
    return spectrum


def file_stem(curve: Curve) -> str:
    """A file name for a curve, without what file systems forbid."""
    s = curve.spectrum
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in s.name or "spectrum")
    return f"{name}_{s.modality}_{s.origin.value}"
