"""``config.json`` of a model bundle: everything about a model that is not a weight."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spectrogen_app.data.axis import XKind
from spectrogen_app.errors import ModelError
from spectrogen_app.processing.scoring import Grid

FORMAT = 1
"""Version of the bundle's layout that this program writes and reads."""


@dataclass(frozen=True)
class View:
    """One way to look at a source: ``y ** power``, filtered, thinned, centred, of unit length.

    Attributes
    ----------
    power : float
    blur : float
        Sigma of a Gaussian, grid points; 0 for none.
    slope : bool
        The first derivative of that Gaussian in its place.
    thin : int
        Every how many grid points are kept.
    kernel : bool
        Whether kernel ridge regression looks this way too.
    """

    power: float = 1.0
    blur: float = 0.0
    thin: int = 1
    slope: bool = False
    kernel: bool = True


@dataclass(frozen=True)
class Bank:
    """The line shapes of one modality: pseudo-Voigts of unit height.

    Attributes
    ----------
    fwhm : tuple of float
        Full widths at half maximum, grid units.
    mixing : tuple of float
        Lorentzian share of each, 0..1.
    """

    fwhm: tuple[float, ...]
    mixing: tuple[float, ...]


@dataclass(frozen=True)
class Config:
    """What the loader and the network need to know.

    Attributes
    ----------
    model_id, name, created, program_version : str
    grids : mapping of str to Grid
        Every modality the model reads or writes.
    banks : mapping of str to Bank
    views : mapping of str to tuple of View
    samples : tuple of (str, str)
        RRUFF ID, or the like, and mineral of every training sample.
    settings : mapping
        Numbers of the network: kernel widths, ridge, gates, calibration.
    training : mapping
        Data, splits, seed, command and versions, for the record.
    """

    model_id: str
    name: str
    created: str
    program_version: str
    grids: Mapping[str, Grid]
    banks: Mapping[str, Bank]
    views: Mapping[str, tuple[View, ...]]
    samples: tuple[tuple[str, str], ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The config as JSON types."""
        return {"format": FORMAT, **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, raw: Any) -> Config:
        """Read a config.

        Raises
        ------
        ModelError
            A newer format, or fields that are missing or of the wrong type.
        """
        if not isinstance(raw, dict) or not isinstance(raw.get("format"), int):
            raise ModelError(
                "config.json is not the description of a model.", hint="Install the model again."
            )
        if raw["format"] > FORMAT:
            raise ModelError(
                f"The model has format {raw['format']}, this program reads up to {FORMAT}.",
                hint="Install a newer version of the program, or choose another model.",
                format=raw["format"],
            )
        try:
            return cls(
                model_id=str(raw["model_id"]),
                name=str(raw["name"]),
                created=str(raw["created"]),
                program_version=str(raw["program_version"]),
                grids={
                    m: Grid(**{**g, "x_kind": XKind(g["x_kind"])}) for m, g in raw["grids"].items()
                },
                banks={
                    m: Bank(tuple(b["fwhm"]), tuple(b["mixing"])) for m, b in raw["banks"].items()
                },
                views={m: tuple(View(**v) for v in views) for m, views in raw["views"].items()},
                samples=tuple((str(i), str(n)) for i, n in raw["samples"]),
                settings=raw["settings"],
                training=raw["training"],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(
                f"config.json is incomplete or of another make ({error}).",
                hint="Install the model again.",
            ) from error
