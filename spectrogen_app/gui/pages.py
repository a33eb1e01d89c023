"""Help, model card and about, as pages of text."""

from __future__ import annotations

import platform
from collections.abc import Sequence

import numpy
import pyqtgraph
import PySide6
from PySide6 import QtCore, QtGui, QtWidgets

from spectrogen_app import __version__
from spectrogen_app.gui.widgets import named, push_button
from spectrogen_app.paths import shipped

MOUSE = (
    ("Wheel", "Zoom x at the cursor"),
    ("Ctrl + wheel", "Zoom y at the cursor"),
    ("Drag", "Move the view; in zoom mode draw a box to zoom to"),
    ("Right-drag", "Scale x and y"),
    ("Double-click", "Full view"),
    ("Click on a curve", "Make it the current one"),
    ("Click on the legend", "Hide or show that curve"),
    ("Drag the legend", "Move it"),
    ("Drag in the tree", "Move spectra to another sample"),
)
PLOT_KEYS = (
    ("Up, Down", "Previous and next spectrum"),
    ("Left, Right", "Move the view"),
    ("+, -", "Zoom x"),
    ("Esc", "Leave zoom mode, close a message"),
)


class TextPage(QtWidgets.QDialog):
    """A page of Markdown with a Close button."""

    def __init__(self, title: str, markdown: str, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(720, 640)
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        self.text = named(QtWidgets.QTextBrowser(), title)
        self.text.setOpenExternalLinks(True)
        self.text.document().setDefaultFont(QtGui.QFont(self.font()))
        self.text.setMarkdown(markdown)
        close = push_button("Close")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        row = QtWidgets.QHBoxLayout()
        row.addStretch(1)
        row.addWidget(close)
        layout = QtWidgets.QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addLayout(row)


def help_text(keys: Sequence[tuple[str, str]]) -> str:
    """The help page: the shipped text, then every key and mouse gesture.

    Parameters
    ----------
    keys : sequence of (keys, what they do)
        Of the menus, so that the page is always right.
    """
    page = (shipped("resources") / "help" / "start.md").read_text(encoding="utf-8")
    tables = [
        _section("Keys", keys), _section("Keys in a plot", PLOT_KEYS), _section("Mouse", MOUSE),
    ]  # fmt: skip
    return page + "\n\n" + "\n\n".join(tables)


def about_text() -> str:
    """Version, licence and what the program runs on."""
    return (
        f"# SpectroGen {__version__}\n\n"
        "See, decompose and generate Raman, infrared and powder-diffraction spectra.\n\n"
        "MIT licence. Built on Qt for Python (LGPL), pyqtgraph, NumPy, SciPy, lmfit "
        "and PyTorch.\n\n"
        "A generated spectrum is a prediction, not a measurement. Look at its band, its "
        "familiarity and the references it leaned on before you rely on it.\n\n"
        f"Python {platform.python_version()}, Qt {QtCore.qVersion()}, "
        f"PySide {PySide6.__version__}, "
        f"pyqtgraph {pyqtgraph.__version__}, NumPy {numpy.__version__}, {platform.platform()}"
    )


def _section(title: str, rows: Sequence[tuple[str, str]]) -> str:
    lines = [f"## {title}", "", "| | |", "|---|---|"]
    return "\n".join([*lines, *(f"| **{keys}** | {what} |" for keys, what in rows)])
