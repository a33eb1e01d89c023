"""Passive view of the wavelength of a pattern, and of the width of calculated lines."""

from __future__ import annotations

from PySide6 import QtCore, QtWidgets

from spectrogen_app.data.axis import K_ALPHA
from spectrogen_app.gui.plotting.canvas import Canvas
from spectrogen_app.gui.plotting.model import PanelModel
from spectrogen_app.gui.theme import Theme
from spectrogen_app.gui.widgets import ComboBox, DoubleSpinBox, label, named, push_button

Qt = QtCore.Qt
OTHER = "Another"


class XraysView(QtWidgets.QDialog):
    """The choices above the plot of what they give.

    Parameters
    ----------
    name : str
        Of the file.
    wavelength : float
        Angstrom.
    width : float or None
        Degrees; None for a measured pattern.

    Signals
    -------
    changed(float, float or None), applied()
    """

    changed = QtCore.Signal(float, object)
    applied = QtCore.Signal()

    def __init__(
        self,
        name: str,
        wavelength: float,
        width: float | None,
        theme: Theme,
        parent: QtWidgets.QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"X-rays of {name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.resize(760, 560)
        self.anode = named(ComboBox(), "Radiation", "K-alpha of an anode")
        for symbol in (*K_ALPHA, OTHER):
            self.anode.addItem(symbol if symbol == OTHER else f"{symbol} Kα", symbol)
        self.wavelength = named(DoubleSpinBox(), "Wavelength", "Of the X-rays, in angstrom")
        self.wavelength.setRange(0.1, 5)
        self.wavelength.setDecimals(6)
        self.wavelength.setSingleStep(0.01)
        self.wavelength.setSuffix(" Å")
        self.wavelength.setValue(wavelength)
        self.width_box = named(
            DoubleSpinBox(), "Line width", "Full width at half maximum of the lines, in degrees"
        )
        self.width_box.setRange(0.01, 5)
        self.width_box.setDecimals(3)
        self.width_box.setSingleStep(0.05)
        self.width_box.setSuffix("°")
        self.width_box.setValue(width or 0.1)
        self._calculated = width is not None
        self.canvas = named(Canvas(theme), "Plot of the pattern")
        self.note = label(role="muted", wrap=True)
        self._build()
        self._follow()

    def _build(self) -> None:
        choices = QtWidgets.QHBoxLayout()
        for text, widget in (("Radiation", self.anode), ("Wavelength", self.wavelength),
                             ("Line width", self.width_box)):  # fmt: skip
            caption = label(text, "muted")
            caption.setBuddy(widget)
            choices.addWidget(caption)
            choices.addWidget(widget)
            shown = widget is not self.width_box or self._calculated
            caption.setVisible(shown)
            widget.setVisible(shown)
        choices.addStretch(1)
        cancel = push_button("Cancel")
        cancel.clicked.connect(self.reject)
        self.apply_button = push_button("Apply", role="primary")
        self.apply_button.setDefault(True)
        self.apply_button.clicked.connect(self._apply)
        below = QtWidgets.QHBoxLayout()
        below.addWidget(self.note, 1)
        below.addWidget(cancel)
        below.addWidget(self.apply_button)
        whole = QtWidgets.QVBoxLayout(self)
        whole.setContentsMargins(14, 12, 14, 12)
        whole.addLayout(choices)
        whole.addWidget(self.canvas, 1)
        whole.addLayout(below)
        self.anode.activated.connect(self._take_anode)
        self.wavelength.valueChanged.connect(self._tell)
        self.width_box.valueChanged.connect(self._tell)

    def choices(self) -> tuple[float, float | None]:
        """Wavelength (angstrom) and width (degrees, None for a measured pattern)."""
        return self.wavelength.value(), self.width_box.value() if self._calculated else None

    def show_pattern(self, panel: PanelModel | None, text: str, good: bool) -> None:
        """Draw what the choices give, or say why they give nothing."""
        self.canvas.setVisible(panel is not None)
        if panel is not None:
            self.canvas.draw(panel)
        self.note.setText(text)
        self.apply_button.setEnabled(good)

    def done(self, result: int) -> None:
        """Close, and let go of the plot."""
        self.canvas.residual_plot.setXLink(None)
        super().done(result)

    def _take_anode(self) -> None:
        value = K_ALPHA.get(self.anode.currentData())
        if value is not None:
            self.wavelength.setValue(value)

    def _tell(self) -> None:
        self._follow()
        self.changed.emit(*self.choices())

    def _follow(self) -> None:
        """Let the anode be that of the wavelength."""
        near = (s for s, v in K_ALPHA.items() if abs(v - self.wavelength.value()) < 1e-6)
        self.anode.setCurrentIndex(self.anode.findData(next(near, OTHER)))

    def _apply(self) -> None:
        self.applied.emit()
        self.accept()
