"""Where a spectrum came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Origin(StrEnum):
    """How the numbers came to be."""

    MEASURED = "measured"
    SIMULATED = "simulated"
    PROCESSED = "processed"
    GENERATED = "generated"
    FIT = "fit"


@dataclass(frozen=True)
class Reference:
    """A reference mineral that carried a generated spectrum.

    Attributes
    ----------
    mineral, sample_id : str
        Name and ID, such as ``Calcite`` and ``R040070``.
    weight : float
        Share of the answer, 0..1.
    """

    mineral: str
    sample_id: str
    weight: float


@dataclass(frozen=True)
class Generation:
    """How a generated spectrum was made; enough to make it again.

    Attributes
    ----------
    model_id, model_sha256 : str
        The bundle and the SHA-256 of its weights.
    seed : int
    device : str
        ``cpu``, ``cuda`` or ``mps``.
    sources : tuple of str
        One line per source spectrum: modality, file name and SHA-256.
    formula : str or None
        The formula given with the sources.
    familiarity : float
        0 (like nothing learned) .. 1.
    references : tuple of Reference
    coverage : float
        Nominal coverage of ``lower``..``upper``.
    notes : tuple of str
        What the model had to do without, such as a missing part of the range.
    """

    model_id: str
    model_sha256: str
    seed: int
    device: str
    sources: tuple[str, ...]
    formula: str | None
    familiarity: float
    references: tuple[Reference, ...]
    coverage: float = 0.9
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Provenance:
    """Source file and the steps since.

    Attributes
    ----------
    path, sha256 : str
        Source file; empty when the spectrum was not read from one.
    format : str
        Format under which the file was opened.
    index : int
        Place of the spectrum within the file, from 0; curves that the file only offers come last.
    assumptions : tuple of str
        What the reader assumed, such as ``Cu K-alpha``.
    steps : tuple of str
        Processing steps, in order, as text that a script can run.
    generation : Generation or None
        Set for generated spectra.
    mean_of : tuple of int
        Places of the spectra of the file whose mean it is; empty for a single one.
    reading : mapping of str to (str, int, float or tuple of int)
        The user's choices when the file was read, fields of
        :class:`spectrogen_app.io.base.TextLayout`.
    """

    path: str = ""
    sha256: str = ""
    format: str = ""
    index: int = 0
    assumptions: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    generation: Generation | None = field(default=None)
    mean_of: tuple[int, ...] = ()
    reading: Mapping[str, Any] = field(default_factory=dict)
