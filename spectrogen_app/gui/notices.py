"""Messages above the plots that neither block nor pile up, and the status bar."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6 import QtCore, QtWidgets

from spectrogen_app.gui.jobs import JobRunner
from spectrogen_app.gui.theme import Theme, pixmap
from spectrogen_app.gui.theme import icon as make_icon
from spectrogen_app.gui.widgets import (
    ElidedLabel,
    label,
    named,
    push_button,
    restyle,
    tool_button,
)

_ICONS = {"info": "info", "good": "good", "warning": "warning", "error": "error"}


class NoticeBar(QtWidgets.QFrame):
    """The latest message; errors stay until closed, the rest goes after a while."""

    SHOWN_MS = 9000

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.level = ""
        self.setProperty("role", "notice")
        self._picture = QtWidgets.QLabel()
        self._text = label(wrap=True)
        self._text.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        self._button = push_button("", "Answer the message", role="link")
        self._button.clicked.connect(self._act)
        self._close = tool_button("cancel", "Close this message", "Close this message (Esc)")
        self._close.clicked.connect(self.hide)
        self._action: Callable[[], None] | None = None
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(14, 7, 8, 7)
        layout.setSpacing(10)
        layout.addWidget(self._picture)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._button)
        layout.addWidget(self._close)
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(self.SHOWN_MS)
        self._timer.timeout.connect(self.hide)
        named(self, "Message")
        self.hide()

    @property
    def text(self) -> str:
        """What it says, without markup."""
        return self._text.property("plain") or ""

    def tell(
        self,
        level: str,
        text: str,
        hint: str = "",
        action: tuple[str, Callable[[], None]] | None = None,
    ) -> None:
        """Show a message with an optional button."""
        self.level = level
        self._text.setProperty("plain", f"{text} {hint}".strip())
        bold = QtCore.Qt.TextFormat
        self._text.setTextFormat(bold.RichText)
        escaped = [t.replace("&", "&amp;").replace("<", "&lt;") for t in (text, hint)]
        self._text.setText(f"<b>{escaped[0]}</b> {escaped[1]}" if hint else escaped[0])
        self.setAccessibleDescription(self.text)
        self._button.setVisible(action is not None)
        if action is not None:
            self._button.setText(action[0])
            self._button.setAccessibleName(action[0])
            self._action = action[1]
        restyle(self, level=level)
        self.set_theme(self._theme)
        self.show()
        self._timer.stop()
        if level in ("info", "good"):
            self._timer.start()

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        colours = {"info": theme.accent, "good": theme.good, "warning": theme.warn,
                   "error": theme.bad}  # fmt: skip
        if self.level:
            self._picture.setPixmap(
                pixmap(_ICONS[self.level], colours[self.level], 20, self.devicePixelRatioF())
            )
        self._close.setIcon(make_icon("cancel", theme.muted, 16))

    def _act(self) -> None:
        self.hide()
        if self._action is not None:
            self._action()


class StatusBar(QtWidgets.QStatusBar):
    """What runs, with Cancel; what the mouse does; the cursor's place; the device that computes."""

    def __init__(self, runners: tuple[JobRunner, ...]) -> None:
        super().__init__()
        self._runners = runners
        self._told = dict.fromkeys(runners, ("", 0.0))
        self.setSizeGripEnabled(False)
        self._job = ElidedLabel()
        self._bar = named(QtWidgets.QProgressBar(), "Progress")
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(160)
        self._cancel = push_button("Cancel", "Cancel the running job")
        self._cancel.clicked.connect(self.cancel)
        self.help = ElidedLabel()
        self.place = label()
        self.place.setFixedWidth(self.fontMetrics().horizontalAdvance("m" * 34))
        self.place.setAlignment(
            QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignVCenter
        )
        self.device = label("Model: getting ready")
        for widget in (self._job, self._bar, self._cancel):
            self.addWidget(widget, int(widget is self._job))
            widget.hide()
        self.addWidget(self.help, 1)
        self.addPermanentWidget(self.place)
        self.addPermanentWidget(self.device)
        named(self.place, "Cursor position")
        named(self.device, "Computing device")
        for runner in runners:
            runner.started.connect(partial(self._started, runner))
            runner.progress.connect(partial(self._progress, runner))
            runner.idle.connect(self._show)

    def cancel(self) -> None:
        """Cancel every job that runs; what has a best so far answers with it."""
        for runner in self._runners:
            if runner.keeps_best:
                runner.stop()
            else:
                runner.cancel()

    @property
    def busy(self) -> bool:
        """Whether progress is shown."""
        return not self._bar.isHidden()

    def _started(self, runner: JobRunner, what: str) -> None:
        self._told[runner] = (what, 0.0)
        self._show(runner)

    def _progress(self, runner: JobRunner, fraction: float, message: str) -> None:
        shown = message if len(message) < 64 else f"{message[:40]}…{message[-20:]}"
        self._told[runner] = (shown or self._told[runner][0], fraction)
        self._show(runner)

    def _show(self, runner: JobRunner | None = None) -> None:
        """Show what this runner does, or else the next that runs."""
        busy = runner or next((r for r in self._runners if r.busy), None)
        if busy is not None:
            text, fraction = self._told[busy]
            self._job.setText(text)
            self._bar.setValue(round(1000 * fraction))
        for widget in (self._job, self._bar, self._cancel):
            widget.setVisible(busy is not None)
