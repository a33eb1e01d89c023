"""The plot as a picture: PNG, SVG and PDF by the same painting code as the screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6 import QtCore, QtGui, QtSvg, QtWidgets

from spectrogen_app.errors import WriteError
from spectrogen_app.gui.plotting.canvas import Canvas, Ranges
from spectrogen_app.gui.plotting.model import PanelModel
from spectrogen_app.gui.theme import LIGHT, Theme
from spectrogen_app.paths import atomic_write

DPI = 96
"""Resolution of the painter's coordinates; PNG pixels are ``PNG_SCALE`` times finer."""
PNG_SCALE = 3
FORMATS = (".png", ".svg", ".pdf")


class Figure:
    """Panels one above the other, in light colours unless told otherwise.

    Parameters
    ----------
    panels : sequence of (PanelModel, Ranges or None)
        None takes the full view.
    title : str
        Written above; empty for none.
    size : (width, height), optional
        Of each panel, in units of 1/96 inch.
    theme : Theme
    """

    def __init__(
        self,
        panels: Sequence[tuple[PanelModel, Ranges | None]],
        title: str = "",
        size: tuple[int, int] = (760, 340),
        theme: Theme = LIGHT,
    ) -> None:
        self._title, self._theme = title, theme
        self._width, self._height = size
        self._head = 34 if title else 0
        self._canvases = [self._canvas(model, ranges) for model, ranges in panels]

    def close(self) -> None:
        """Give the hidden canvases back."""
        for canvas in self._canvases:
            canvas.close()
            canvas.deleteLater()
        self._canvases = []

    @property
    def size(self) -> QtCore.QSize:
        """Of the whole picture, in units of 1/96 inch."""
        return QtCore.QSize(self._width, self._head + self._height * len(self._canvases))

    def image(self, scale: float = PNG_SCALE) -> QtGui.QImage:
        """The picture in pixels."""
        image = QtGui.QImage(self.size * scale, QtGui.QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(scale)
        image.fill(QtGui.QColor(self._theme.surface))
        painter = QtGui.QPainter(image)
        self._paint(painter)
        painter.end()
        image.setDevicePixelRatio(1.0)
        image.setDotsPerMeterX(round(DPI * scale / 0.0254))
        image.setDotsPerMeterY(round(DPI * scale / 0.0254))
        return image

    def bytes(self, extension: str) -> bytes:
        """The picture in a file format.

        Raises
        ------
        WriteError
            Neither ``.png``, ``.svg`` nor ``.pdf``.
        """
        if extension == ".svg":
            return self._svg().encode()
        store = QtCore.QBuffer()
        store.open(QtCore.QIODevice.OpenModeFlag.WriteOnly)
        if extension == ".png":
            self.image().save(store, "PNG")  # type: ignore[call-overload]
        elif extension == ".pdf":
            pdf = QtGui.QPdfWriter(store)
            pdf.setResolution(DPI)
            inches = QtCore.QSizeF(self.size.width() / DPI, self.size.height() / DPI)
            pdf.setPageSize(QtGui.QPageSize(inches, QtGui.QPageSize.Unit.Inch))
            pdf.setPageMargins(QtCore.QMarginsF())
            pdf.setTitle(self._title or "Spectra")
            self._on_device(pdf)
        else:
            raise WriteError(
                f"A figure cannot be written as {extension or 'a file without extension'}.",
                hint=f"Use {', '.join(FORMATS)}.",
            )
        return bytes(store.data().data())

    def save(self, path: Path) -> None:
        """Write the picture; the extension names the format.

        Raises
        ------
        WriteError
        """
        content = self.bytes(path.suffix.lower())
        with atomic_write(path) as stream:
            stream.write(content)

    def _on_device(self, device: QtGui.QPaintDevice) -> None:
        painter = QtGui.QPainter(device)
        self._paint(painter)
        painter.end()

    def _svg(self) -> str:
        """The panels one by one, each cut where it ends: Qt writes no clipping."""
        whole = self._svg_of(self.size, self._paint_head)
        size = QtCore.QSize(self._width, self._height)
        rect = f'<rect width="{self._width}" height="{self._height}"/>'
        ends = f'<defs><clipPath id="panel">{rect}</clipPath></defs>'
        panels = []
        for i, canvas in enumerate(self._canvases):
            drawn = self._svg_of(size, partial(self._paint_panel, canvas=canvas, top=0))
            inner = drawn[drawn.index("<g") : drawn.rindex("</svg>")]
            place = f"translate(0,{self._head + i * self._height})"
            panels.append(f'<g transform="{place}"><g clip-path="url(#panel)">{inner}</g></g>')
        head = whole[: whole.rindex("</svg>")].replace(' version="1.2" baseProfile="tiny"', "")
        return f"{head}{ends}{''.join(panels)}</svg>\n"

    def _svg_of(self, size: QtCore.QSize, paint: Callable[[QtGui.QPainter], None]) -> str:
        store = QtCore.QBuffer()
        svg = QtSvg.QSvgGenerator()
        svg.setOutputDevice(store)
        svg.setResolution(DPI)
        svg.setSize(size)
        svg.setViewBox(QtCore.QRect(QtCore.QPoint(), size))
        svg.setTitle(self._title or "Spectra")
        painter = QtGui.QPainter(svg)
        paint(painter)
        painter.end()
        return bytes(store.data().data()).decode()

    def _paint(self, painter: QtGui.QPainter) -> None:
        self._paint_head(painter)
        for i, canvas in enumerate(self._canvases):
            self._paint_panel(painter, canvas, self._head + i * self._height)

    def _paint_head(self, painter: QtGui.QPainter) -> None:
        whole = QtCore.QRect(QtCore.QPoint(), self.size)
        painter.fillRect(whole, QtGui.QColor(self._theme.surface))
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        if self._title:
            font = QtGui.QFont(QtWidgets.QApplication.font())
            font.setBold(True)
            font.setPixelSize(15)
            painter.setFont(font)
            painter.setPen(QtGui.QColor(self._theme.text))
            place = QtCore.QRectF(16, 6, self._width - 32, self._head - 6)
            painter.drawText(place, QtCore.Qt.AlignmentFlag.AlignVCenter, self._title)

    def _paint_panel(self, painter: QtGui.QPainter, canvas: Canvas, top: int) -> None:
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        target = QtCore.QRectF(0, top, self._width, self._height)
        canvas.scene().render(painter, target, QtCore.QRectF(canvas.viewport().rect()))

    def _canvas(self, model: PanelModel, ranges: Ranges | None) -> Canvas:
        canvas = Canvas(self._theme)
        canvas.setAttribute(QtCore.Qt.WidgetAttribute.WA_DontShowOnScreen)
        canvas.resize(self._width, self._height)
        canvas.show()
        canvas.draw(model)
        if ranges is not None:
            canvas.set_ranges(ranges)
        canvas.plot.setTitle(model.title, color=self._theme.muted, size="10pt")
        for _ in range(2):
            QtWidgets.QApplication.sendPostedEvents()
            canvas.ci.layout.activate()
        self._cover(canvas)
        return canvas

    def _cover(self, canvas: Canvas) -> None:
        """Cover what runs out of the frame, between curves and axes: for SVG."""
        around = QtGui.QPainterPath()
        around.addRect(QtCore.QRectF(canvas.viewport().rect()))
        around.addRect(canvas.view.sceneBoundingRect())
        cover = QtWidgets.QGraphicsPathItem(canvas.plot.mapFromScene(around), canvas.plot)
        cover.setPen(QtGui.QPen(QtCore.Qt.PenStyle.NoPen))
        cover.setBrush(QtGui.QColor(self._theme.surface))
        cover.setZValue(canvas.view.zValue() + 1)
