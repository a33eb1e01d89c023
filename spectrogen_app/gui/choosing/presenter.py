"""Lists the spectra of a file in the background, and takes those that the user ticks."""

from __future__ import annotations

from collections.abc import Callable, Collection

from spectrogen_app.app import choosing
from spectrogen_app.app.choosing import TakeRequest
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.gui.choosing.view import ONLY_MEAN, SPECTRA, ChooserView
from spectrogen_app.gui.context import Context
from spectrogen_app.gui.jobs import JobRunner
from spectrogen_app.gui.plotting.model import panel_of
from spectrogen_app.io.base import Verdict

Taken = Callable[[tuple[int, ...], tuple[int, ...], tuple[Spectrum, ...]], None]
"""Called with the wanted indices, those of them that are new, and the new spectra, mean last."""


class ChooserPresenter:
    """Fills the list and answers it.

    Parameters
    ----------
    context : Context
    view : ChooserView
    verdict : Verdict
    held : collection of int
        Spectra of the file that are in the session already.
    limit : int
        Most spectra that are taken at once.
    taken : callable(wanted, new, spectra)
    """

    def __init__(
        self,
        context: Context,
        view: ChooserView,
        verdict: Verdict,
        *,
        held: Collection[int],
        limit: int,
        taken: Taken,
    ) -> None:
        self._context, self._view, self._verdict = context, view, verdict
        self._held, self._limit, self._taken = set(held), limit, taken
        self._lister = JobRunner("list")
        view.finished.connect(self._close)
        view.chosen.connect(self._choose)
        view.current.connect(self._plot)
        self._lister.submit(
            choosing.list_items, verdict, f"Listing {verdict.path.name}",
            on_partial=view.model.add, on_done=lambda _: None,
        )  # fmt: skip
        self._plot(0)

    def _plot(self, index: int) -> None:
        def draw(spectra: tuple[Spectrum, ...]) -> None:
            numbered = spectra[0].replace(name=f"{index + 1}")
            self._view.show_plot(panel_of((numbered,), telling=False))

        def refuse(error: SpectrogenError) -> None:
            self._view.show_plot(None)
            self._view.note.setText(str(error))

        self._context.previews.submit(
            choosing.take, TakeRequest(self._verdict, (index,)), "Looking at a spectrum",
            on_done=draw, on_failed=refuse,
        )  # fmt: skip

    def _choose(self, ticked: tuple[int, ...], what: str) -> None:
        wanted = () if what == ONLY_MEAN else ticked[: self._limit]
        new = tuple(i for i in wanted if i not in self._held)
        request = TakeRequest(self._verdict, new, () if what == SPECTRA else ticked)
        self._context.loader.submit(
            choosing.take, request, f"Taking spectra of {self._verdict.path.name}",
            on_done=lambda spectra: self._taken(wanted, new, spectra),
        )  # fmt: skip

    def _close(self) -> None:
        self._context.previews.cancel()
        self._lister.close()
        self._lister.deleteLater()
