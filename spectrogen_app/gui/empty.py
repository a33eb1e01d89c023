"""What the window shows before the first spectrum, and while files are dragged over it."""

from __future__ import annotations

from PySide6 import QtCore, QtWidgets

from spectrogen_app.gui.theme import Theme, pixmap
from spectrogen_app.gui.widgets import label, push_button

Qt = QtCore.Qt


class EmptyState(QtWidgets.QWidget):
    """Invites to drop files or to open the examples."""

    open_wanted = QtCore.Signal()
    examples_wanted = QtCore.Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._picture = QtWidgets.QLabel()
        title = label("Drop spectra here", "title")
        text = label(
            "Raman, infrared and powder diffraction: files, folders or archives.\n"
            "Then generate the modalities that you did not measure.", "muted",
        )  # fmt: skip
        text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.open_button = push_button("Open files…", role="primary")
        self.examples_button = push_button("Open the examples")
        self.open_button.clicked.connect(self.open_wanted)
        self.examples_button.clicked.connect(self.examples_wanted)
        buttons = QtWidgets.QHBoxLayout()
        buttons.setSpacing(10)
        buttons.addStretch()
        buttons.addWidget(self.open_button)
        buttons.addWidget(self.examples_button)
        buttons.addStretch()
        layout = QtWidgets.QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addStretch(3)
        for widget in (self._picture, title, text):
            layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(8)
        layout.addLayout(buttons)
        layout.addStretch(4)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._picture.setPixmap(pixmap("drop", theme.accent, 64, self.devicePixelRatioF()))


class DropOverlay(QtWidgets.QFrame):
    """Covers the window while files are dragged over it."""

    def __init__(self, window: QtWidgets.QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.setProperty("role", "drop")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        effect = QtWidgets.QGraphicsOpacityEffect(self)
        effect.setOpacity(0.92)
        self.setGraphicsEffect(effect)
        text = label("Drop to open", "title")
        layout = QtWidgets.QVBoxLayout(self)
        layout.addWidget(text, 0, Qt.AlignmentFlag.AlignCenter)
        self.hide()

    def cover(self) -> None:
        """Lie over the whole window."""
        self.setGeometry(
            QtCore.QRect(QtCore.QPoint(), self._window.size()).adjusted(12, 12, -12, -12)
        )
        self.raise_()
        self.show()
