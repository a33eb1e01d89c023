"""What the program does, as plain jobs: ``fn(request, token) -> result``.

The window and the command line call the same functions. Each request is frozen and complete, so a
job may run in any thread; torch is imported only by the jobs that need the model.
"""

from __future__ import annotations

import glob
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.app.jobs import Token
from spectrogen_app.data.axis import YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import GenerationError, ModelError, SpectrogenError
from spectrogen_app.io.base import TextLayout, Verdict

if TYPE_CHECKING:
    from spectrogen_app.generation.bundle import ModelInfo
    from spectrogen_app.generation.result import GenerationResult
    from spectrogen_app.generation.translator import Translator
    from spectrogen_app.processing.scoring import Grid, Score

BATCH_SECONDS = 0.2
"""Verdicts are handed on at most this much later than they are known, at first."""
MANY = 100
"""After so many it is twice as long, and so on: the longer the list, the more each change costs."""
BATCH_SIZE = 64
"""Most verdicts handed on at once."""


@dataclass(frozen=True)
class LoadRequest:
    """Files, folders and archives to open.

    Attributes
    ----------
    paths : tuple of Path
    layout : TextLayout or None
        How text tables are laid out; None looks.
    layouts : mapping of str to TextLayout
        The same for text tables of a look, see :mod:`spectrogen_app.app.layouts`.
    """

    paths: tuple[Path, ...]
    layout: TextLayout | None = None
    layouts: Mapping[str, TextLayout] = field(default_factory=dict)


def load_each(request: LoadRequest, token: Token) -> Iterator[Verdict]:
    """Open files one after the other; every file gets a verdict, in the order of the request.

    Raises
    ------
    Cancelled
        What was yielded stays valid.
    """
    from spectrogen_app.io.registry import open_paths

    yield from open_paths(
        request.paths, layout=request.layout, layouts=request.layouts, check=token.check
    )


def load_files(
    request: LoadRequest,
    token: Token,
    deliver: Callable[[tuple[Verdict, ...]], None] | None = None,
) -> tuple[Verdict, ...]:
    """Open files, as :func:`load_each` does, and return all verdicts.

    Parameters
    ----------
    request : LoadRequest
    token : Token
    deliver : callable(verdicts), optional
        Called in the job's thread with the verdicts since the last call, a few times a second.

    Raises
    ------
    Cancelled
        What was delivered stays valid.
    """
    verdicts: list[Verdict] = []
    handed, last = 0, time.monotonic()
    for verdict in load_each(request, token):
        verdicts.append(verdict)
        patience = BATCH_SECONDS * (1 + len(verdicts) / MANY)
        due = len(verdicts) - handed >= BATCH_SIZE or time.monotonic() - last > patience
        if deliver is not None and due:
            deliver(tuple(verdicts[handed:]))
            handed, last = len(verdicts), time.monotonic()
    if deliver is not None and handed < len(verdicts):
        deliver(tuple(verdicts[handed:]))
    return tuple(verdicts)


@dataclass(frozen=True)
class WarmRequest:
    """A model to make ready.

    Attributes
    ----------
    model_id : str or None
        None takes the bundled default.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    """

    model_id: str | None = None
    device: str = "auto"


@dataclass(frozen=True)
class Warmth:
    """A model that is ready.

    Attributes
    ----------
    model_id : str
    device, label : str
        The device that computes, and its name for people.
    reason : str
        Why that one, as a sentence for the user.
    """

    model_id: str
    device: str
    label: str
    reason: str


_models: dict[tuple[str | None, str], Translator] = {}
_loading = threading.Lock()


def warm_model(request: WarmRequest, token: Token) -> Warmth:
    """Load torch and the model, so that the next generation is quick.

    Raises
    ------
    ModelError
        The model is missing, damaged or altered.
    """
    from spectrogen_app.generation.bundle import check_shipped

    check_shipped()
    model = _model(request.model_id, request.device, token)
    return Warmth(model.model_id, model.device, model.device_label, model.device_reason)


def _model(model_id: str | None, device: str, token: Token) -> Translator:
    """The loaded model, from memory when it was loaded before; one thread loads at a time."""
    token.check(0.0, "Loading the model")
    with _loading:
        if (model_id, device) not in _models:
            from spectrogen_app.generation.bundle import load_model
            from spectrogen_app.generation.preload import load_torch

            load_torch()
            token.check(0.5, "Loading the model")
            found = find_model(model_id)
            _models[model_id, device] = load_model(found.model_id, device=device)
        return _models[model_id, device]


def find_model(model_id: str | None = None) -> ModelInfo:
    """The description of a model, without loading it; None takes the default.

    Raises
    ------
    ModelError
        There is no such model, or its description is damaged.
    """
    from spectrogen_app.generation import bundle

    for info in bundle.list_models():
        if model_id in (None, info.model_id):
            return info
    for folder in bundle.model_folders():
        for path in sorted(folder.glob(f"{glob.escape(model_id) if model_id else '*'}/")):
            bundle.read_info(path)
    raise ModelError(
        f"There is no model {model_id!r}." if model_id else "No model is installed.",
        hint="See the list with: spectrogen models",
        model_id=model_id,
    )


@dataclass(frozen=True)
class GenerateRequest:
    """Spectra of one sample, and what to generate from them.

    Attributes
    ----------
    spectra : tuple of Spectrum
        At most one per modality is needed; more are replicates.
    targets : tuple of str
        Modality names.
    formula : str or None
    seed : int
    model_id : str or None
    device : str
    """

    spectra: tuple[Spectrum, ...]
    targets: tuple[str, ...]
    formula: str | None = None
    seed: int = 0
    model_id: str | None = None
    device: str = "auto"


def generate(request: GenerateRequest, token: Token) -> GenerationResult:
    """Generate spectra of other modalities for one sample.

    Raises
    ------
    GenerationError, FormulaError
        The request has no answer; says what was missing.
    ModelError
        The model is missing, damaged or altered.
    Cancelled
    """
    if not request.targets:
        raise GenerationError(
            "No target was chosen.", hint="Choose what to generate, such as ir or xrd."
        )
    model = _model(request.model_id, request.device, token)
    return model.generate(
        request.spectra, request.targets, request.formula, request.seed, token.check
    )


@dataclass(frozen=True)
class GenerateManyRequest:
    """Several samples, each as in :class:`GenerateRequest`, answered in batches.

    Attributes
    ----------
    samples : tuple of tuple of Spectrum
    targets : tuple of str
    formulas : tuple of (str or None)
        One per sample.
    seed : int
    model_id : str or None
    device : str
    """

    samples: tuple[tuple[Spectrum, ...], ...]
    targets: tuple[str, ...]
    formulas: tuple[str | None, ...]
    seed: int = 0
    model_id: str | None = None
    device: str = "auto"


def generate_many(
    request: GenerateManyRequest, token: Token
) -> tuple[GenerationResult | SpectrogenError, ...]:
    """Generate for several samples at once; a sample without an answer gets its error instead.

    Raises
    ------
    ModelError
        The model is missing, damaged or altered.
    Cancelled
    """
    model = _model(request.model_id, request.device, token)
    return tuple(
        model.generate_many(
            request.samples, request.targets, request.formulas, request.seed, token.check
        )
    )


@dataclass(frozen=True)
class Comparison:
    """A generated curve against a measured one, on the grid that defines the scores.

    Attributes
    ----------
    score : Score
        r, RMSE and peak F1.
    x, generated, measured : ndarray, shape (n,)
        The part of the grid that was measured; 1 is the highest peak. ``x`` is in the grid's unit.
    grid : Grid
    """

    score: Score
    x: NDArray[np.float64]
    generated: NDArray[np.float64]
    measured: NDArray[np.float64]
    grid: Grid

    @property
    def residual(self) -> NDArray[np.float64]:
        """Generated less measured."""
        return self.generated - self.measured


def compare(generated: Spectrum, measured: Spectrum) -> Comparison:
    """Score a generated curve against a measured one of the same modality.

    Raises
    ------
    SpectrumError
        The modality has no grid, or the measured range has nothing in common with it.
    AxisError
        The units do not convert to those of the grid.
    """
    from spectrogen_app.processing.scoring import grid_of, on_grid_axis, prepare, score

    grid = grid_of(measured.modality)
    truth = prepare(measured, grid)
    if generated.y_unit == YUnit.NORMALISED:
        there = on_grid_axis(generated, grid)
        predicted = np.interp(grid.x, there.x, there.y, left=0.0, right=0.0)
    else:
        predicted = prepare(generated, grid).y
    scored = score(predicted, truth, grid)
    seen = truth.mask
    return Comparison(scored, grid.x[seen], predicted[seen], truth.y[seen], grid)


@dataclass(frozen=True)
class ExportRequest:
    """Curves to write.

    Attributes
    ----------
    spectra : tuple of Spectrum
        In the units in which they are to be written.
    path : Path
        The extension names the format; ``.csv`` takes any number of spectra.
    """

    spectra: tuple[Spectrum, ...]
    path: Path


def export(request: ExportRequest, token: Token) -> Path:
    """Write spectra to one file; an existing file is replaced only when all went well.

    Raises
    ------
    WriteError
        The folder cannot be written, the disk is full, or the format is unknown.
    """
    from spectrogen_app.io.registry import write_many

    token.check(0.0, f"Writing {request.path.name}")
    write_many(request.spectra, request.path)
    return request.path
