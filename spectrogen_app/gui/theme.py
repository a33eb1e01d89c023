"""Colours, style sheet and icons, light and dark."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from string import Template
from typing import Literal

from PySide6 import QtCore, QtGui, QtSvg, QtWidgets

from spectrogen_app.paths import shipped

Mode = Literal["system", "light", "dark"]
LEAST_CONTRAST = 3.0
"""Of a curve against its ground: what WCAG asks of graphics."""
MODES: tuple[Mode, ...] = ("system", "light", "dark")


@dataclass(frozen=True)
class Theme:
    """The colours of one scheme, as ``#rrggbb``."""

    name: str
    window: str
    surface: str
    raised: str
    text: str
    muted: str
    faint: str
    border: str
    control: str
    accent: str
    accent_hover: str
    on_accent: str
    selection: str
    good: str
    warn: str
    bad: str
    good_bg: str
    warn_bg: str
    bad_bg: str
    info_bg: str

    @property
    def dark(self) -> bool:
        """Whether text is light on dark."""
        return self.name == "dark"

    def curve(self, colour: str) -> QtGui.QColor:
        """A curve's colour as drawn: lifted on dark ground, deepened on white, to be legible."""
        return QtGui.QColor(_legible(self, colour))


@lru_cache(maxsize=512)
def _legible(theme: Theme, colour: str) -> str:
    drawn, ground = QtGui.QColor(colour), QtGui.QColor(theme.surface)
    hue, saturation, lightness = drawn.hslHueF(), drawn.hslSaturationF(), drawn.lightnessF()
    step = 0.02 if theme.dark else -0.02
    while contrast(drawn, ground) < LEAST_CONTRAST and 0.0 < lightness + step < 1.0:
        lightness += step
        drawn = QtGui.QColor.fromHslF(max(hue, 0.0), saturation, lightness)
    return drawn.name()


def contrast(one: QtGui.QColor, other: QtGui.QColor) -> float:
    """Contrast ratio of two colours, 1 to 21, as WCAG 2.2 defines it."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: QtGui.QColor) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (colour.redF(), colour.greenF(), colour.blueF())
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


LIGHT = Theme(
    "light", window="#f3f4f6", surface="#ffffff", raised="#ffffff", text="#1c212b",
    muted="#5a6372", faint="#e6e9ee", border="#d2d7df", control="#8b95a5", accent="#1f5fc4",
    accent_hover="#174c9e", on_accent="#ffffff", selection="#dce8fb", good="#1c7348",
    warn="#8a5800", bad="#b3261e", good_bg="#e3f4ea", warn_bg="#fdf1d8", bad_bg="#fce8e6",
    info_bg="#e6effc",
)  # fmt: skip
DARK = Theme(
    "dark", window="#191c21", surface="#20242a", raised="#2a2f37", text="#e6e9ee",
    muted="#a0a9b7", faint="#2e343c", border="#3b424d", control="#727d8d", accent="#7aaeff",
    accent_hover="#9dc4ff", on_accent="#0d1726", selection="#2b3f5f", good="#6fd09b",
    warn="#f0bd5e", bad="#ff9b92", good_bg="#1d3529", warn_bg="#3a3018", bad_bg="#40211f",
    info_bg="#1f2f49",
)  # fmt: skip


class ThemeController(QtCore.QObject):
    """Follows the system's colour scheme, or the user's choice, and tells who draws.

    Parameters
    ----------
    app : QApplication
    mode : {"system", "light", "dark"}
    """

    changed = QtCore.Signal(object)

    def __init__(self, app: QtWidgets.QApplication, mode: Mode = "system") -> None:
        super().__init__(app)
        self._app = app
        self._mode: Mode = mode
        self.theme = LIGHT
        if not app.property("styled"):
            app.setProperty("styled", True)
            app.setStyle("Fusion")
        app.styleHints().colorSchemeChanged.connect(self._apply)
        self.set_mode(mode)

    @property
    def mode(self) -> Mode:
        """The user's choice."""
        return self._mode

    def set_mode(self, mode: Mode) -> None:
        """Follow the system, or keep to one scheme."""
        self._mode = mode
        hints = self._app.styleHints()
        if mode == "system":
            hints.unsetColorScheme()
        else:
            scheme = QtCore.Qt.ColorScheme
            hints.setColorScheme(scheme.Dark if mode == "dark" else scheme.Light)
        self._apply()

    @QtCore.Slot()
    def _apply(self) -> None:
        if self._mode == "system":
            scheme = self._app.styleHints().colorScheme()
            self.theme = DARK if scheme is QtCore.Qt.ColorScheme.Dark else LIGHT
        else:
            self.theme = DARK if self._mode == "dark" else LIGHT
        sheet = (shipped("resources") / "styles" / "app.qss").read_text(encoding="utf-8")
        icons = {
            f"icon_{name}": _tinted_file(name, colour)
            for name, colour in (
                ("check", self.theme.on_accent), ("down", self.theme.muted),
                ("up", self.theme.muted), ("dash", self.theme.on_accent),
            )
        }  # fmt: skip
        filled = Template(sheet).substitute(asdict(self.theme) | icons)
        if filled != self._app.styleSheet():
            self._app.setPalette(_palette(self.theme))
            self._app.setStyleSheet(filled)
        self.changed.emit(self.theme)


def _palette(theme: Theme) -> QtGui.QPalette:
    palette = QtGui.QPalette()
    role, group = QtGui.QPalette.ColorRole, QtGui.QPalette.ColorGroup
    for which, colour in {
        role.Window: theme.window, role.WindowText: theme.text, role.Base: theme.surface,
        role.AlternateBase: theme.window, role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.text, role.PlaceholderText: theme.muted, role.Text: theme.text,
        role.Button: theme.raised, role.ButtonText: theme.text, role.BrightText: theme.bad,
        role.Highlight: theme.selection, role.HighlightedText: theme.text,
        role.Link: theme.accent, role.LinkVisited: theme.accent, role.Accent: theme.accent,
        role.Light: theme.raised, role.Midlight: theme.faint, role.Mid: theme.border,
        role.Dark: theme.control, role.Shadow: theme.border,
    }.items():  # fmt: skip
        palette.setColor(which, QtGui.QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(group.Disabled, which, QtGui.QColor(theme.control))
    return palette


@lru_cache(maxsize=256)
def _svg(name: str, colour: str) -> bytes:
    text = (shipped("resources") / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    return text.replace("currentColor", colour).encode()


def icon(name: str, colour: str, size: int = 20) -> QtGui.QIcon:
    """A line icon from the shipped icons, in one colour, sharp up to 300 % scaling."""
    made = QtGui.QIcon()
    for scale in (1, 2, 3):
        made.addPixmap(pixmap(name, colour, size, scale))
    return made


def pixmap(name: str, colour: str, size: int, scale: float = 1.0) -> QtGui.QPixmap:
    """An icon as a pixmap of ``size`` logical pixels."""
    drawn = QtGui.QPixmap(round(size * scale), round(size * scale))
    drawn.fill(QtCore.Qt.GlobalColor.transparent)
    painter = QtGui.QPainter(drawn)
    QtSvg.QSvgRenderer(_svg(name, colour)).render(painter)
    painter.end()
    drawn.setDevicePixelRatio(scale)
    return drawn


_ICON_FOLDER: list[QtCore.QTemporaryDir] = []


@lru_cache(maxsize=64)
def _tinted_file(name: str, colour: str) -> str:
    """A tinted copy of an icon for the style sheet, which can only take files."""
    if not _ICON_FOLDER:
        _ICON_FOLDER.append(QtCore.QTemporaryDir())
    path = _ICON_FOLDER[0].filePath(f"{name}-{colour.lstrip('#')}.svg")
    file = QtCore.QFile(path)
    if file.open(QtCore.QIODevice.OpenModeFlag.WriteOnly):
        file.write(_svg(name, colour))
        file.close()
    return path


@lru_cache(maxsize=512)
def swatch(colour: str, kind: str, theme: Theme) -> QtGui.QIcon:
    """A curve's sample as in the legend: ``measured`` solid, ``generated`` dashed, and so on."""
    drawn = QtGui.QPixmap(60, 42)
    drawn.setDevicePixelRatio(3.0)
    drawn.fill(QtCore.Qt.GlobalColor.transparent)
    painter = QtGui.QPainter(drawn)
    paint_sample(painter, QtCore.QRectF(0, 0, 20, 14), colour, kind, theme)
    painter.end()
    made = QtGui.QIcon()
    for mode in (QtGui.QIcon.Mode.Normal, QtGui.QIcon.Mode.Selected, QtGui.QIcon.Mode.Active):
        made.addPixmap(drawn, mode)
    return made


def paint_sample(
    painter: QtGui.QPainter, place: QtCore.QRectF, colour: str, kind: str, theme: Theme,
    *, dim: bool = False,
) -> None:  # fmt: skip
    """A piece of a curve as the plot draws it, in the middle of ``place``."""
    ink = theme.curve(colour)
    ink.setAlphaF(0.35 if dim else 1.0)
    middle = place.center().y()
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
    if kind == "generated":
        band = QtGui.QColor(ink)
        band.setAlphaF(0.10 if dim else 0.24)
        painter.fillRect(QtCore.QRectF(place.left(), middle - 5, place.width(), 10), band)
    pen = QtGui.QPen(ink, 2)
    pen.setCapStyle(QtCore.Qt.PenCapStyle.FlatCap)
    if kind == "generated":
        pen.setDashPattern([3, 1.5])
    elif kind in ("fit", "preview"):
        pen.setDashPattern([1, 1])
    painter.setPen(pen)
    painter.drawLine(QtCore.QPointF(place.left(), middle), QtCore.QPointF(place.right(), middle))
