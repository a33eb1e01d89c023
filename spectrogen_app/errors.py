"""Errors that speak to the scientist: what was found, what was expected, what to try."""

from __future__ import annotations

from collections.abc import Callable


class SpectrogenError(Exception):
    """Base of every error the program raises on purpose.

    Parameters
    ----------
    message : str
        What was found and what was expected, in one sentence.
    hint : str
        What to try. Shown after the message.
    **fields
        Details for programs, kept in ``fields`` and as attributes of the error's ``fields`` dict.
    """

    def __init__(self, message: str, *, hint: str = "", **fields: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.fields = fields

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, self.hint, self.fields)


def _rebuild(
    kind: type[SpectrogenError], message: str, hint: str, fields: dict[str, object]
) -> SpectrogenError:
    return kind(message, hint=hint, **fields)


class SpectrumError(SpectrogenError, ValueError):
    """Numbers that cannot be a spectrum."""


class AxisError(SpectrogenError, ValueError):
    """An axis conversion that has no meaning, or that lacks a wavelength."""


class FormulaError(SpectrogenError, ValueError):
    """A chemical formula that does not parse; ``fields['position']`` is the 0-based place."""


class ReadError(SpectrogenError):
    """A file that is not opened; ``fields['path']`` names it."""


class WriteError(SpectrogenError):
    """A file that could not be written; nothing was left half-written."""


class ModelError(SpectrogenError):
    """A model bundle that is missing, damaged, altered or too new."""


class GenerationError(SpectrogenError, ValueError):
    """A request that the model cannot answer."""


class ProcessingError(SpectrogenError, ValueError):
    """A processing step that cannot be done, or parameters that it does not take."""


class TrainingError(SpectrogenError):
    """Data or a checkpoint from which no model can be trained or scored."""


class FitError(SpectrogenError, ValueError):
    """A fit that cannot be started."""


class ProjectError(SpectrogenError):
    """A project file that cannot be opened or saved."""


class Cancelled(SpectrogenError):
    """The user cancelled the job."""

    def __init__(self, message: str = "Cancelled.", *, hint: str = "", **fields: object) -> None:
        super().__init__(message, hint=hint, **fields)


Check = Callable[[float, str], None]
"""Called by long work with the fraction done and what it does; raises Cancelled to stop it."""


def unchecked(fraction: float, message: str = "") -> None:
    """The ``Check`` of work that nobody watches."""
