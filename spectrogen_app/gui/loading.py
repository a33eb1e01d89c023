"""Dropped and opened files on their way into the session, with a verdict for each."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6 import QtCore

from spectrogen_app.app import services
from spectrogen_app.app.jobs import Token
from spectrogen_app.app.layouts import remembered
from spectrogen_app.app.services import LoadRequest
from spectrogen_app.app.session import SessionState
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Cancelled
from spectrogen_app.gui.context import Context
from spectrogen_app.gui.store import Selection
from spectrogen_app.io.base import Verdict

SHOWN_AT_FIRST = 12
"""Curves shown without being asked for; the rest waits, hidden, in the tree."""
MAP_LIMIT = 2000
"""Spectra taken from one file at once."""


MEAN = -1
"""In the place of an index: the mean of spectra of the file."""


@dataclass(frozen=True)
class Row:
    """A verdict and the curves it became.

    Attributes
    ----------
    verdict : Verdict
    curves : tuple of str
    indices : tuple of int
        Which spectrum of the file each curve is.
    deferred : bool
        The file holds many spectra; which are taken is still to be chosen.
    """

    verdict: Verdict
    curves: tuple[str, ...] = ()
    indices: tuple[int, ...] = ()
    deferred: bool = False


def add_shown(
    state: SessionState, spectra: Sequence[Spectrum], room: int | None = None
) -> tuple[SessionState, tuple[str, ...]]:
    """Add spectra, the first ``room`` of them shown; by default as many as are shown at first.

    Returns
    -------
    state : SessionState
    ids : tuple of str
        Of the new curves, in the order of ``spectra``.
    """
    known = {c.id for c in state.curves()}
    if room is None:
        room = max(0, SHOWN_AT_FIRST - sum(c.visible for c in state.curves()))
    state = state.add(spectra)
    by_spectrum = {id(c.spectrum): c.id for c in state.curves() if c.id not in known}
    ids = tuple(by_spectrum[id(s)] for s in spectra)
    return (state.show(ids[room:], False) if ids[room:] else state), ids


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
        taken = threading.Event()

        alone = paths[0] if len(paths) == 1 and then is None else None

        def load(
            request: LoadRequest, token: Token, deliver: Callable[[list[Opened]], None]
        ) -> object:
            handed = 0

            def hand_on(verdicts: tuple[Verdict, ...]) -> None:
                nonlocal handed
                opened = [
                    (v, list(v.spectra[: 1 if _many(v, alone) else MAP_LIMIT])) for v in verdicts
                ]
                while opened:
                    count = 1 if handed < SHOWN_AT_FIRST else _portion(opened)
                    taken.clear()
                    deliver(opened[:count])
                    while not taken.wait(0.05):
                        if token.cancelled:
                            raise Cancelled
                    del opened[:count]
                    handed += count

            return services.load_files(request, token, hand_on)

        def take(opened: list[Opened]) -> None:
            try:
                self._take(opened, key, counts, alone)
            finally:
                QtCore.QTimer.singleShot(0, taken.set)

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
        request = LoadRequest(tuple(paths), layouts=remembered(settings()))
        self._context.loader.submit(load, request, f"Opening {what}", on_partial=take, on_done=done)

    def _take(self, opened: list[Opened], key: str, counts: list[int], alone: Path | None) -> None:
        store = self._context.store
        state = store.state
        first = not any(state.curves())
        already = sum(c.visible for c in state.curves()) if counts[2] == 0 else counts[2]
        counts[2] = max(counts[2], already)
        spectra: list[Spectrum] = []
        for verdict, mine in opened:
            counts[not verdict.ok] += 1
            spectra += mine
            if len(mine) < len(verdict.spectra) and len(mine) > 1:
                self._context.notify(
                    "warning",
                    f"{len(mine):,} of {len(verdict.spectra):,} spectra of {verdict.path.name} "
                    "are taken.",
                    "Choose others, or the mean, in the list of opened files (Ctrl+L).",
                )
        room = max(0, SHOWN_AT_FIRST - counts[2])
        state, ids = add_shown(state, spectra, room)
        counts[2] += min(room, len(ids))
        rows: list[Row] = []
        at = 0
        for verdict, mine in opened:
            curves = ids[at : at + len(mine)]
            deferred = _many(verdict, alone)
            rows.append(Row(verdict, curves, tuple(range(len(mine))), deferred))
            at += len(mine)
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


SPECTRA_AT_ONCE = 300
"""Spectra handed to the GUI at once; it paints and listens before the next."""

Opened = tuple[Verdict, list[Spectrum]]
"""A verdict, and the spectra of the file that are taken at once."""


def _portion(opened: Sequence[Opened]) -> int:
    """How many of the files are handed on at once: at least one."""
    total = itertools.accumulate(len(spectra) for _, spectra in opened)
    return max(1, sum(t <= SPECTRA_AT_ONCE for t in total))


def _many(verdict: Verdict, alone: Path | None) -> bool:
    """Whether a file, opened by itself, holds so many spectra that one should choose."""
    return verdict.path == alone and len(verdict.spectra) > SHOWN_AT_FIRST
