"""Help, model card and about, as pages of text."""

from __future__ import annotations

import html
import platform
from collections.abc import Sequence

import numpy
import pyqtgraph
import PySide6
from PySide6 import QtCore, QtGui, QtWidgets

from spectrogen_app import __version__
from spectrogen_app.gui.widgets import named, push_button
from spectrogen_app.io.registry import formats
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
    ("Peak mode: click", "Add a peak, as high and wide as the data there"),
    ("Peak mode: drag", "Draw a peak out to a width"),
    ("Peak mode: right-click", "Remove the nearest peak"),
    ("Round handle of a peak", "Drag: its centre and height"),
    ("Square handle of a peak", "Drag: its width"),
    ("Bars around a peak", "Drag: the bounds of its centre, height and width"),
)
PLOT_KEYS = (
    ("Up, Down", "Previous and next spectrum"),
    ("Left, Right", "Move the view"),
    ("+, -", "Zoom x"),
    ("Del", "Remove the selected peak"),
    ("Esc", "Cancel a drag, leave peak or zoom mode, close a message"),
)


class TextPage(QtWidgets.QDialog):
    """A page of Markdown, with HTML after it, and a Close button."""

    def __init__(
        self, title: str, markdown: str, parent: QtWidgets.QWidget | None = None, more: str = ""
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(980 if len(more) > 8000 else 720, 640)
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        self.text = named(QtWidgets.QTextBrowser(), title)
        self.text.setOpenExternalLinks(True)
        self.text.document().setDefaultFont(QtGui.QFont(self.font()))
        self.text.setMarkdown(markdown)
        if more:
            cursor = QtGui.QTextCursor(self.text.document())
            cursor.movePosition(QtGui.QTextCursor.MoveOperation.End)
            cursor.insertBlock(QtGui.QTextBlockFormat())
            cursor.insertHtml(more)
        self._space_out()
        close = push_button("Close")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        row = QtWidgets.QHBoxLayout()
        row.addStretch(1)
        row.addWidget(close)
        layout = QtWidgets.QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addLayout(row)

    def _space_out(self) -> None:
        """Room between lines and above headings."""
        block = self.text.document().begin()
        proportional = QtGui.QTextBlockFormat.LineHeightTypes.ProportionalHeight.value
        while block.isValid():
            shape = block.blockFormat()
            shape.setLineHeight(125, proportional)
            if shape.headingLevel():
                shape.setTopMargin(14)
                shape.setBottomMargin(5)
            QtGui.QTextCursor(block).setBlockFormat(shape)
            block = block.next()


def help_text() -> str:
    """The help page as Markdown."""
    return (shipped("resources") / "help" / "start.md").read_text(encoding="utf-8")


def keys_table(keys: Sequence[tuple[str, str]]) -> str:
    """Every key and mouse gesture as HTML.

    Parameters
    ----------
    keys : sequence of (keys, what they do)
        Of the menus, so that the page is always right.
    """
    return _table("Keys", keys) + _table("Keys in a plot", PLOT_KEYS) + _table("Mouse", MOUSE)


def formats_text() -> str:
    """What stands above the table of formats, as Markdown."""
    return (
        "# File formats\n\nA file is recognised by its content; the extension only decides where "
        "the content does not. What a file was opened as, or why it was refused, stands in the "
        "list of opened files (Ctrl+L). A zip archive or folder of any of these opens as a whole."
    )


def formats_table() -> str:
    """All formats as HTML, from the registry: what is read, written, and how it was tested."""
    known = formats()
    rows = [
        (
            f"<b>{html.escape(f.label)}</b><br>{html.escape(f.vendors)}",
            html.escape(" ".join(f.extensions)) or "any",
            "read, written" if f.writes else "read",
            html.escape(f.tested_on),
        )
        for f in known if f.reads
    ]  # fmt: skip
    refused = [
        (f"<b>{html.escape(f.label)}</b><br>{html.escape(f.vendors)}",
         html.escape(" ".join(f.extensions)) or "any")
        for f in known if not f.reads
    ]  # fmt: skip
    return _grid(("Format and where it comes from", "Names", "Here", "Tested on"), rows) + (
        "<h2>Named, but not read</h2>" + _grid(("Format", "Names"), refused) if refused else ""
    )


def _grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    style = "padding: 5px 18px 5px 0"
    head = "".join(f"<td style='{style}'><i>{h}</i></td>" for h in heads)
    body = "".join(
        "<tr>" + "".join(f"<td style='{style}'>{cell}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


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


def _table(title: str, rows: Sequence[tuple[str, str]]) -> str:
    lines = [
        f"<tr><td style='padding: 3px 26px 3px 0'><b>{html.escape(keys)}</b></td>"
        f"<td style='padding: 3px 0'>{html.escape(what)}</td></tr>"
        for keys, what in rows
    ]
    return f"<h2>{title}</h2><table>{''.join(lines)}</table>"
