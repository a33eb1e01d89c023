"""Dropped and opened files on their way into the session, with a verdict for each."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6 import QtCore

from spectrogen_app.app import services
from spectrogen_app.app.services import LoadRequest
from spectrogen_app.app.session import SessionState
from spectrogen_app.gui.context import Context
from spectrogen_app.gui.store import Selection
from spectrogen_app.io.base import Verdict

SHOWN_AT_FIRST = 12
"""Curves shown without being asked for; the rest waits, hidden, in the tree."""
MAP_LIMIT = 2000
"""Spectra taken from one file at once."""


@dataclass(frozen=True)
class Row:
    """A verdict and the curves it became."""

    verdict: Verdict
    curves: tuple[str, ...] = ()


class Loader(QtCore.QObject):
    """Opens files in the background and adds them to the session in batches.

    Signals
    -------
    rows_added(list of Row), finished(opened, refused)
    """

    rows_added = QtCore.Signal(list)
    finished = QtCore.Signal(int, int)

    def __init__(self, context: Context, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._numbers = itertools.count()

    def open(self, paths: Sequence[Path], then: Callable[[], None] | None = None) -> None:
        """Open files, folders and archives; ``then`` is called when all are in."""
        if not paths:
            return
        key = f"load-{next(self._numbers)}"
        what = paths[0].name if len(paths) == 1 else f"{len(paths)} files"
        counts = [0, 0, 0]

        def take(verdicts: tuple[Verdict, ...]) -> None:
            self._take(verdicts, key, counts)

        def done(_: object) -> None:
            self._context.store.end_merge()
            self._tell(counts)
            self.finished.emit(counts[0], counts[1])
            if then is not None:
                then()

        settings = self._context.settings
        for path in reversed(paths[:5]):
            settings.put(settings().with_recent(path.absolute()))
        settings.change(folder=str(paths[0].absolute().parent))
        self._context.loader.submit(
            services.load_files, LoadRequest(tuple(paths)), f"Opening {what}", on_partial=take,
            on_done=done,
        )  # fmt: skip

    def _take(self, verdicts: tuple[Verdict, ...], key: str, counts: list[int]) -> None:
        store = self._context.store
        state = store.state
        first = not any(state.curves())
        already = sum(c.visible for c in state.curves()) if counts[2] == 0 else counts[2]
        counts[2] = max(counts[2], already)
        rows: list[Row] = []
        known = {c.id for c in state.curves()}
        batch: list[tuple[Verdict, int]] = []
        spectra = []
        for verdict in verdicts:
            counts[not verdict.ok] += 1
            mine = list(verdict.spectra[:MAP_LIMIT]) if verdict.ok else []
            if len(mine) < len(verdict.spectra):
                self._context.notify(
                    "warning",
                    f"{len(mine):,} of {len(verdict.spectra):,} spectra of {verdict.path.name} "
                    "are taken.",
                    "Open maps of this size with the command line or from Python.",
                )
            batch.append((verdict, len(mine)))
            spectra += mine
        state = state.add(spectra)
        by_spectrum = {id(c.spectrum): c.id for c in state.curves() if c.id not in known}
        ids = [by_spectrum[id(s)] for s in spectra]
        room = max(0, SHOWN_AT_FIRST - counts[2])
        counts[2] += min(room, len(ids))
        if ids[room:]:
            state = state.show(ids[room:], False)
        at = 0
        for verdict, count in batch:
            rows.append(Row(verdict, tuple(ids[at : at + count])))
            at += count
        what = rows[0].verdict.path.name if len(rows) == 1 else "files"
        store.edit(f"Open {what}", state, key)
        if first and ids:
            sample = state.sample_of(ids[0])
            store.select(Selection(ids[0], sample.id, (ids[0],)))
        self.rows_added.emit(rows)

    def _tell(self, counts: list[int]) -> None:
        opened, refused, _ = counts
        state: SessionState = self._context.store.state
        hidden = sum(not c.visible for c in state.curves())
        if refused and not opened:
            return
        if opened > SHOWN_AT_FIRST and hidden:
            self._context.notify(
                "info", f"{opened:,} files opened; the first {SHOWN_AT_FIRST} spectra are shown.",
                "Tick others in the tree, or walk through them with Up and Down.",
            )  # fmt: skip
