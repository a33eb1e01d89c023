"""Project files, the autosave, and the recovery question at start."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6 import QtCore, QtWidgets

from spectrogen_app.app.jobs import Token
from spectrogen_app.app.session import SessionState
from spectrogen_app.data.provenance import Origin
from spectrogen_app.errors import SpectrogenError, WriteError
from spectrogen_app.gui.context import Context
from spectrogen_app.gui.jobs import JobRunner
from spectrogen_app.gui.widgets import counted

if TYPE_CHECKING:
    from spectrogen_app.app.project import Autosave

log = logging.getLogger(__name__)

AUTOSAVE_SECONDS = 8
"""An edit is kept at most this much later."""
KEPT_DAYS = 14
"""Work that nobody asked for is forgotten after this time."""


@dataclass(frozen=True)
class SaveRequest:
    """A state, and where it goes."""

    state: SessionState
    path: Path


def _save(request: SaveRequest, token: Token) -> None:
    from spectrogen_app.app import project

    project.save(request.state, request.path, token.check)


def _load(path: Path, token: Token) -> SessionState:
    from spectrogen_app.app import project

    return project.load(path, token.check)


class Keeper(QtCore.QObject):
    """Saves and opens projects, keeps unsaved work, offers it after a crash.

    Signals
    -------
    changed()
        The project file or the unsaved mark is another.
    """

    changed = QtCore.Signal()

    def __init__(self, context: Context, window: QtWidgets.QWidget) -> None:
        super().__init__(window)
        self._context, self._window = context, window
        self._autosave: Autosave | None = None
        self._autosave_off = False
        self._jobs = JobRunner("autosave", self)
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(AUTOSAVE_SECONDS * 1000)
        self._timer.timeout.connect(self.autosave_now)
        self.path: Path | None = None
        self._saved = context.store.state
        context.store.changed.connect(self._edited)

    @property
    def unsaved(self) -> bool:
        """Whether there is work that no project file holds."""
        state = self._context.store.state
        return state is not self._saved and bool(state.samples)

    @property
    def has_results(self) -> bool:
        """Whether the session holds more than opened files."""
        return any(
            c.spectrum.origin not in (Origin.MEASURED, Origin.SIMULATED)
            or getattr(c, "peaks", None) is not None
            for c in self._context.store.state.curves()
        )

    def ask_save(self) -> None:
        """Save to the project file, or ask for one."""
        if self.path is None:
            self.ask_save_as()
        else:
            self.save(self.path)

    def ask_save_as(self) -> None:
        """Ask for a project file and save to it."""
        from spectrogen_app.app.project import EXTENSION

        folder = self._context.settings().folder
        name, _ = QtWidgets.QFileDialog.getSaveFileName(
            self._window, "Save the project", str(Path(folder) / f"project{EXTENSION}"),
            f"SpectroGen project (*{EXTENSION})",
        )  # fmt: skip
        if name:
            path = Path(name)
            self.save(path if path.suffix else path.with_suffix(EXTENSION))

    def save(self, path: Path) -> None:
        """Save to a project file in the background."""
        state = self._context.store.state

        def done(_: object) -> None:
            self.path, self._saved = path, state
            self._discard()
            self._context.notify("good", f"Saved {path.name}.")
            settings = self._context.settings
            settings.put(settings().with_recent(path))
            self.changed.emit()

        self._context.loader.submit(
            _save, SaveRequest(state, path), f"Saving {path.name}", on_done=done
        )

    def open(self, path: Path) -> None:
        """Open a project file in place of the session."""

        def done(state: SessionState) -> None:
            self.path, self._saved = path, state
            self._context.store.reset(state)
            self.changed.emit()

        self._context.loader.submit(_load, path, f"Opening {path.name}", on_done=done)

    def offer_recovery(self) -> None:
        """Ask what to do with work that a crash has left."""
        from spectrogen_app.app.project import discard, recoveries

        try:
            found = recoveries()
        except OSError:
            return
        for old in [r for r in found if time.time() - r.saved_at > 86400 * KEPT_DAYS]:
            found.remove(old)
            discard(old.path)
        if not found:
            return
        newest = found[0]
        when = time.strftime("%d %b, %H:%M", time.localtime(newest.saved_at))

        def recover() -> None:
            def done(state: SessionState) -> None:
                self._context.store.reset(state)
                self._saved = SessionState()
                self.path = Path(newest.project) if newest.project else None
                self._edited()
                discard(newest.path)

            self._context.loader.submit(_load, newest.path, "Recovering", on_done=done)

        samples = counted(newest.samples, "sample", "samples")
        spectra = counted(newest.curves, "spectrum", "spectra")
        self._context.notify(
            "warning", f"Unsaved work of {when} is still there:", f"{samples}, {spectra}.",
            ("Recover it", recover),
        )  # fmt: skip

    def autosave_now(self) -> None:
        """Keep a copy of the present state, in the background."""
        if self._autosave_off or not self.unsaved:
            return
        if self._context.loader.busy:  # what is being opened lies on the disk already
            self._timer.start()
            return
        project = self.path

        def job(state: SessionState, _token: Token) -> None:
            from spectrogen_app.app.project import Autosave

            if self._autosave is None:
                self._autosave = Autosave()
            self._autosave.save(state, project)

        self._jobs.submit(job, self._context.store.state, "Autosave", on_failed=self._failed)

    def close(self) -> None:
        """The program ends orderly; results that were not saved are kept for the next start."""
        self._timer.stop()
        self._jobs.close()
        keep = self.unsaved and self.has_results
        try:
            if keep and self._autosave is None and not self._autosave_off:
                from spectrogen_app.app.project import Autosave

                self._autosave = Autosave()
            if self._autosave is not None:
                if keep:
                    self._autosave.save(self._context.store.state, self.path)
                self._autosave.close(keep)
        except (SpectrogenError, OSError) as error:
            log.warning("Unsaved work could not be kept: %s", error)
        self._autosave = None

    def _edited(self, *_: object) -> None:
        if self.unsaved and not self._timer.isActive():
            self._timer.start()
        self.changed.emit()

    def _discard(self) -> None:
        self._timer.stop()
        if self._autosave is not None:
            self._autosave.discard()

    def _failed(self, error: SpectrogenError) -> None:
        self._autosave_off = isinstance(error, WriteError)
        self._context.notify("warning", "Unsaved work could not be kept.", str(error))
