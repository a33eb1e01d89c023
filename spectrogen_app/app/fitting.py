"""Fits as jobs: one spectrum, or many in a pool of processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from spectrogen_app.app.jobs import Token
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Cancelled, FitError, SpectrogenError
from spectrogen_app.fitting.api import fit
from spectrogen_app.fitting.batch import Failure, Outcome, fit_many
from spectrogen_app.fitting.model import Model
from spectrogen_app.fitting.report import read_model
from spectrogen_app.fitting.result import FitResult
from spectrogen_app.io.base import decode
from spectrogen_app.processing.pipeline import apply


@dataclass(frozen=True)
class FitChoices:
    """How spectra are fitted.

    Attributes
    ----------
    peaks : "auto" or Model
    steps : tuple of str
        Processing before the fit, such as ``("arpls(lam=1e6)",)``.
    background, shape : str or None
        See :func:`spectrogen_app.fitting.api.fit`.
    partner : bool
        With ``"auto"``: powder lines have their Cu K-alpha2 line.
    weights, loss : str
    exclude : tuple of (low, high)
    within : (low, high) or None
    """

    peaks: str | Model = "auto"
    steps: tuple[str, ...] = ()
    background: str | None = None
    shape: str | None = None
    weights: str = "none"
    loss: str = "linear"
    exclude: tuple[tuple[float, float], ...] = ()
    within: tuple[float, float] | None = None
    partner: bool = False

    def options(self) -> dict[str, object]:
        """As keywords of :func:`spectrogen_app.fitting.api.fit`."""
        return {"background": self.background, "shape": self.shape, "weights": self.weights,
                "loss": self.loss, "exclude": self.exclude, "within": self.within,
                "partner": self.partner}  # fmt: skip


@dataclass(frozen=True)
class FitRequest:
    """A spectrum to fit.

    Attributes
    ----------
    spectrum : Spectrum
    choices : FitChoices
    """

    spectrum: Spectrum
    choices: FitChoices = FitChoices()


def fit_job(request: FitRequest, token: Token) -> FitResult:
    """Process and fit one spectrum; after a cancel the result holds the best so far.

    Raises
    ------
    FitError, ProcessingError
        The fit or a step cannot be done.
    Cancelled
        Before there was anything to keep.
    """
    choices = request.choices
    spectrum = apply(request.spectrum, choices.steps, token.check)
    return fit(spectrum, choices.peaks, check=token.check, **choices.options())  # type: ignore[arg-type]


@dataclass(frozen=True)
class BatchFitRequest:
    """Spectra to fit alike.

    Attributes
    ----------
    spectra : tuple of Spectrum
    choices : FitChoices
    neighbours : bool
        Start each from its neighbour's result; not for ``"auto"``.
    workers : int or None
        Processes; None takes one per core.
    """

    spectra: tuple[Spectrum, ...]
    choices: FitChoices = FitChoices()
    neighbours: bool = True
    workers: int | None = None


def batch_fit_job(
    request: BatchFitRequest,
    token: Token,
    deliver: Callable[[int, Outcome], None] | None = None,
) -> tuple[Outcome | None, ...]:
    """Process and fit many spectra; one that fails does not stop the others.

    Parameters
    ----------
    request : BatchFitRequest
    token : Token
    deliver : callable(index, outcome), optional
        Called in the job's thread with each outcome as it arrives.

    Returns
    -------
    tuple of FitResult or Failure
        In the order of the request; after a cancel, None for what was not done.
    """
    outcomes: list[Outcome | None] = [None] * len(request.spectra)

    def arrived(index: int, outcome: Outcome) -> None:
        outcomes[index] = outcome
        if deliver is not None:
            deliver(index, outcome)

    ready: list[tuple[int, Spectrum]] = []
    for i, spectrum in enumerate(request.spectra):
        try:
            ready.append((i, apply(spectrum, request.choices.steps, token.check)))
        except Cancelled:
            return tuple(outcomes)
        except SpectrogenError as error:
            arrived(i, Failure(i, spectrum.name, error))
    fit_many(
        [s for _, s in ready], request.choices.peaks, neighbours=request.neighbours,
        workers=request.workers, check=token.check,
        deliver=lambda k, outcome: arrived(ready[k][0], _numbered(outcome, ready[k][0])),
        **request.choices.options(),
    )  # fmt: skip
    return tuple(outcomes)


def _numbered(outcome: Outcome, index: int) -> Outcome:
    return replace(outcome, index=index) if isinstance(outcome, Failure) else outcome


def read_template(path: Path) -> Model:
    """A model from a template, a JSON report, or a CSV list of peaks.

    Raises
    ------
    FitError
        The file cannot be read, or is none of them.
    """
    try:
        content = decode(path.read_bytes())
    except OSError as error:
        raise FitError(
            f"{path} could not be read: {error}.", hint="Choose a list of peaks.", path=str(path)
        ) from error
    return read_model(content)
