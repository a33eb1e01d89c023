"""What every reader is, and what is said about every file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check, SpectrogenError


@dataclass(frozen=True)
class TextLayout:
    """How a text table is to be read; every field left at None is found by looking.

    Attributes
    ----------
    delimiter, decimal, encoding : str or None
    skip_rows : int or None
        Lines before the first row of numbers.
    x_column : int or None
    y_columns : tuple of int or None
        Empty columns count; 0 is the first.
    modality, x_unit, y_unit : str or None
    """

    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    skip_rows: int | None = None
    x_column: int | None = None
    y_columns: tuple[int, ...] | None = None
    modality: str | None = None
    x_unit: str | None = None
    y_unit: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What became of one dropped file: opened (``error`` is None) or refused.

    Attributes
    ----------
    path : Path
        The file; for a member of an archive ``archive.zip/member``.
    format : str
        Format it was opened as, or looked like; empty when nothing was recognised.
    spectra : tuple of Spectrum
    assumptions, warnings : tuple of str
        Sentences for the user.
    error : SpectrogenError or None
        Why it was refused, with a hint of what to try.
    unsure : bool
        A text table whose layout was guessed; a preview is worth showing.
    """

    path: Path
    format: str = ""
    spectra: tuple[Spectrum, ...] = ()
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: SpectrogenError | None = None
    unsure: bool = False

    @property
    def ok(self) -> bool:
        """Whether the file was opened."""
        return self.error is None


class Reader:
    """One file format. A module in ``io/readers`` subclasses it once and is listed in ``registry``.

    Attributes
    ----------
    name : str
        Key such as ``jcamp``.
    label : str
        As shown to people.
    vendors : str
        Programs and instruments that write it.
    extensions : tuple of str
        Lower case, with the dot; consulted only where content does not decide.
    tested_on : str
        Kind of real files it was tried on, or ``untested on a real file``.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    vendors: ClassVar[str] = ""
    extensions: ClassVar[tuple[str, ...]] = ()
    tested_on: ClassVar[str] = "untested on a real file"

    def sniff(self, head: bytes, path: Path) -> bool:
        """Whether the first 64 KiB of the file look like this format."""
        raise NotImplementedError

    def read(self, path: Path, *, layout: TextLayout | None, check: Check) -> Sequence[Spectrum]:
        """All spectra of the file.

        Raises
        ------
        SpectrogenError
            The file is damaged or is another variant; says what was found and expected.
        """
        raise NotImplementedError
