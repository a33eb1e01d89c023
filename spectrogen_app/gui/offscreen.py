"""What needs Qt but no screen: the picture of a job done without a window, and the self-test."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6 import QtCore, QtGui, QtWidgets

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.gui.application import application, make_window
from spectrogen_app.gui.plotting.canvas import Canvas
from spectrogen_app.gui.plotting.model import panel_of
from spectrogen_app.paths import atomic_write

WIDTH, HEIGHT, TITLE, SCALE = 1000, 300, 40, 2
"""Size of a panel and of the title in points, and pixels per point."""


def picture(title: str, panels: Sequence[Sequence[Spectrum]], path: Path) -> None:
    """Draw one panel per group of spectra of one modality into a PNG.

    Parameters
    ----------
    title : str
    panels : sequence of sequence of Spectrum
        Empty groups are left out.
    path : Path

    Raises
    ------
    WriteError
    """
    _without_display()
    app = application()
    groups = [
        [s for s in group if s.modality == modality]
        for group in panels
        for modality in dict.fromkeys(s.modality for s in group)
    ]
    sheet = QtGui.QPixmap(WIDTH * SCALE, (TITLE + HEIGHT * len(groups)) * SCALE)
    sheet.setDevicePixelRatio(SCALE)
    sheet.fill(QtGui.QColor("white"))
    painter = QtGui.QPainter(sheet)
    painter.setFont(QtGui.QFont(app.font().family(), 13))
    painter.drawText(
        QtCore.QRect(16, 0, WIDTH - 32, TITLE), QtCore.Qt.AlignmentFlag.AlignVCenter, title
    )
    for row, group in enumerate(groups):
        canvas = _canvas(app, group)
        canvas.scene().render(
            painter, QtCore.QRectF(0, TITLE + row * HEIGHT, WIDTH, HEIGHT), canvas.sceneRect()
        )
        canvas.residual_plot.setXLink(None)
        canvas.close()
        canvas.deleteLater()
    painter.end()
    _write(sheet, path)


def _write(looks: QtGui.QPixmap, path: Path) -> None:
    content = QtCore.QBuffer()
    content.open(QtCore.QIODevice.OpenModeFlag.WriteOnly)
    looks.save(content, "PNG")
    with atomic_write(path) as stream:
        stream.write(content.data().data())


def _canvas(app: QtWidgets.QApplication, group: Sequence[Spectrum]) -> Canvas:
    """The window's own canvas, with spectra of one modality."""
    canvas = Canvas()
    canvas.setAttribute(QtCore.Qt.WidgetAttribute.WA_DontShowOnScreen)
    canvas.resize(WIDTH, HEIGHT)
    canvas.show()
    canvas.draw(panel_of(group))
    app.processEvents()
    return canvas


def check(picture: Path | None = None) -> str:
    """Make the window, show it, destroy it; returns what it was made with.

    Parameters
    ----------
    picture : Path, optional
        Written as PNG: how the window looks.

    Raises
    ------
    SpectrogenError
        Qt had something to complain about.
    WriteError
    """
    _without_display()
    said: list[str] = []
    QtCore.qInstallMessageHandler(lambda kind, context, text: said.append(text))
    app = application()
    window, _ = make_window(app)
    window.show()
    app.processEvents()
    looks = window.grab()
    window.close()
    window.deleteLater()
    QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)
    app.processEvents()
    QtCore.qInstallMessageHandler(None)
    complaints = [text for text in said if "propagateSizeHints" not in text]
    if complaints:
        raise SpectrogenError(f"Qt says: {'; '.join(dict.fromkeys(complaints))}.")
    if picture is not None:
        _write(looks, picture)
    return f"made and destroyed, Qt {QtCore.qVersion()} on {app.platformName()}"


def _without_display() -> None:
    """Let Qt draw into memory where there is no screen."""
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(os.environ.get(k) for k in screens):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
