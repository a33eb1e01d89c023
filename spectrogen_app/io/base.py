"""What every reader is, what it is given, and what is said about every file."""

from __future__ import annotations

import codecs
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check, ReadError, SpectrogenError

HEAD = 1 << 16
"""Bytes that a reader may look at to recognise its format."""
MAX_BYTES = 1 << 30
"""Larger files are not read into memory; text tables are streamed."""


@dataclass(frozen=True)
class TextLayout:
    """How a file is to be read; every field left at None is found by looking.

    Delimiter to columns concern tables of text.

    Attributes
    ----------
    delimiter, decimal, encoding : str or None
        A delimiter of one space stands for any run of spaces and tabs.
    skip_rows : int or None
        Lines before the first row of numbers.
    x_column : int or None
    y_columns : tuple of int or None
        Empty columns count; 0 is the first.
    modality, x_unit, y_unit : str or None
    wavelength : float or None
        Of X-rays, angstrom: what a pattern was measured with, or is calculated for.
    width : float or None
        Full width at half maximum of the lines of a calculated pattern, degrees of 2theta.
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
    wavelength: float | None = None
    width: float | None = None

    def choices(self) -> dict[str, Any]:
        """The fields that are set."""
        return {key: value for key, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Verdict:
    """What became of one dropped file: opened (``error`` is None) or refused.

    Attributes
    ----------
    path : Path
        The file; for a member of an archive ``archive.zip/member``.
    format : str
        Format it was opened as, or looked like; empty when nothing was recognised.
    spectra : sequence of Spectrum
        A map makes its spectra when they are asked for.
    assumptions, warnings : tuple of str
        Sentences for the user.
    error : SpectrogenError or None
        Why it was refused, with a hint of what to try.
    unsure : bool
        A text table whose layout was guessed; a preview is worth showing.
    tabular : bool
        A text whose columns the user may choose, opened or refused.
    others : sequence of Spectrum
        What else the file holds and no one asked for, such as single channels beside a result;
        each is made when it is asked for, and may then be refused.
    xrays : bool
        The X-ray wavelength is not the file's own: it was assumed, or chosen by the user.
    """

    path: Path
    format: str = ""
    spectra: Sequence[Spectrum] = ()
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: SpectrogenError | None = None
    unsure: bool = False
    tabular: bool = False
    others: Sequence[Spectrum] = ()
    xrays: bool = False

    @property
    def ok(self) -> bool:
        """Whether the file was opened."""
        return self.error is None

    @property
    def count(self) -> int:
        """Number of spectra, with those that are only offered."""
        return len(self.spectra) + len(self.others)

    def at(self, index: int) -> Spectrum:
        """One spectrum; those that are only offered come after the others.

        Raises
        ------
        SpectrogenError
            It is refused, or there is none of this index.
        """
        if not 0 <= index < self.count:
            raise ReadError(
                f"{self.path.name} has no spectrum number {index + 1}; it holds {self.count}.",
                hint="See them with: spectrogen inspect --all", path=str(self.path),
            )  # fmt: skip
        first = len(self.spectra)
        return self.spectra[index] if index < first else self.others[index - first]


class SpectrumList(Sequence[Spectrum]):
    """Spectra of a map, each made when it is asked for.

    Parameters
    ----------
    count : int
    make : callable
        Makes the spectrum of an index in 0..count-1.
    """

    def __init__(self, count: int, make: Callable[[int], Spectrum]) -> None:
        self._count = count
        self._make = make

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._make(i) for i in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        return self._make(index % self._count)

    def map(self, change: Callable[[int, Spectrum], Spectrum]) -> SpectrumList:
        """The same list with a change made to each spectrum when it is asked for."""
        return SpectrumList(self._count, lambda i: change(i, self._make(i)))


class Source:
    """One file to be read, on disk or inside an archive, and what is said about it.

    Parameters
    ----------
    path : Path
        The file; for a member of an archive ``archive.zip/member``.
    data : bytes, optional
        The content, when it is not the content of ``path``.

    Attributes
    ----------
    suffix : str
        Extension in lower case, with the dot.
    assumptions, warnings : list of str
        Sentences for the user, in the order in which they came up.
    unsure : bool
        The layout was guessed.
    others : list of callable() -> Spectrum
        What makes the curves that are offered but not taken.
    """

    def __init__(self, path: Path, data: bytes | None = None) -> None:
        self.path = path
        self.suffix = path.suffix.lower()
        self._given = data
        self.assumptions: list[str] = []
        self.warnings: list[str] = []
        self.unsure = False
        self.others: list[Callable[[], Spectrum]] = []
        if data is None:
            with path.open("rb") as stream:
                self.size = os.fstat(stream.fileno()).st_size
                self.head = stream.read(min(HEAD, self.size))
        else:
            self.size = len(data)
            self.head = data[:HEAD]

    @property
    def name(self) -> str:
        """File name."""
        return self.path.name

    @cached_property
    def data(self) -> bytes:
        """The whole content, as long as it was when the file was opened.

        Of a text that has grown since, the lines that were whole then.

        Raises
        ------
        ReadError
            More than ``MAX_BYTES``, or the file has become shorter.
        """
        if self._given is not None:
            return self._given
        if self.size > MAX_BYTES:
            raise ReadError(
                f"{self.name} has {self.size / 2**30:.1f} GB; at most "
                f"{MAX_BYTES >> 30} GB is read.",
                hint="Export the part you need, or split the map.",
                path=str(self.path),
            )
        data = self.head
        if self.size > len(data):
            with self.path.open("rb") as stream:
                data = stream.read(self.size)
        if len(data) < self.size:
            raise self.refuse(
                "became shorter while it was read: another program is writing it.",
                "Open it again when that program has finished.",
            )
        if self.grown and (b"\0" not in self.head or text_encoding(self.head) != "utf-8-sig"):
            return data[: data.rfind(b"\n") + 1] or data
        return data

    @property
    def grown(self) -> bool:
        """Whether the file has another size than when it was opened."""
        return self._given is None and self.path.stat().st_size != self.size

    @cached_property
    def text(self) -> str:
        """The whole content as text, see :func:`decode`."""
        return decode(self.data)

    @cached_property
    def head_text(self) -> str:
        """The first 64 KiB as text."""
        return decode(self.head)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the content (of a compressed file as it lies there), hexadecimal."""
        if self._given is not None or "data" in self.__dict__ or self.size <= MAX_BYTES >> 5:
            return hashlib.sha256(self.data).hexdigest()
        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def stream(self) -> IO[bytes]:
        """The content as a new stream."""
        return self.path.open("rb") if self._given is None else BytesIO(self._given)

    @contextmanager
    def local(self) -> Iterator[Path]:
        """A real file of this content, for libraries that want one."""
        if self._given is None:
            yield self.path
            return
        with tempfile.TemporaryDirectory(prefix="spectrogen-") as folder:
            file = Path(folder) / f"content{self.suffix}"
            file.write_bytes(self._given)
            yield file

    def assume(self, sentence: str) -> None:
        """Say what was assumed."""
        if sentence not in self.assumptions:
            self.assumptions.append(sentence)

    def warn(self, sentence: str) -> None:
        """Say what the user should check."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def refuse(self, message: str, hint: str = "", **fields: object) -> ReadError:
        """The error to raise for this file; ``message`` follows the file's name."""
        return ReadError(f"{self.name} {message}", hint=hint, path=str(self.path), **fields)

    def spectrum(self, x: ArrayLike, y: ArrayLike, **fields: Any) -> Spectrum:
        """A spectrum of this file; points that are not numbers go, and every repair is said.

        Parameters
        ----------
        x, y : array_like, shape (n,)
        **fields
            As of :class:`Spectrum`; ``lower`` and ``upper`` are cut like ``y``.

        Raises
        ------
        ReadError
            Fewer than two points are left.
        SpectrumError, AxisError
            As of :class:`Spectrum`.
        """
        with np.errstate(invalid="ignore"):
            xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        good = np.isfinite(xs) & np.isfinite(ys)
        for band in ("lower", "upper"):
            if fields.get(band) is not None:
                fields[band] = np.asarray(fields[band], dtype=np.float64)
                good &= np.isfinite(fields[band])
        bad = int(good.size - np.count_nonzero(good))
        if bad:
            xs, ys = xs[good], ys[good]
            for band in ("lower", "upper"):
                if fields.get(band) is not None:
                    fields[band] = fields[band][good]
        if xs.size < 2:
            raise self.refuse(
                f"has {xs.size} usable point{'s' * (xs.size != 1)} ({bad} were not numbers); "
                "a spectrum needs at least two.",
                "Check that the export was finished and holds x and y columns.",
            )
        if bad:
            self.warn(f"{bad} point{'s' * (bad > 1)} without a finite number left out.")
        steps = np.diff(xs)
        repeated = xs.size - np.unique(xs).size
        if 0 < 2 * repeated < xs.size and (np.all(steps >= 0) or np.all(steps <= 0)):
            xs = _apart(xs)
            steps = np.diff(xs)
            self.warn(f"{repeated} points repeat an x value; they are kept, a ten-millionth apart.")
        if np.all(steps < 0):
            xs, ys = xs[::-1], ys[::-1]
            for band in ("lower", "upper"):
                if fields.get(band) is not None:
                    fields[band] = fields[band][::-1]
        elif not np.all(steps > 0):
            if repeated:
                self.warn(f"{repeated} points repeat an x value; points of equal x are averaged.")
            if not (np.all(steps >= 0) or np.all(steps <= 0)):
                self.warn("The points were not in order of x; they are sorted.")
        return Spectrum(xs, ys, **{"name": self.path.stem, **fields})


def _apart(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """An ordered column whose repeated values are moved by less than 1e-7 of the largest."""
    starts = np.concatenate(([0], np.flatnonzero(np.diff(x)) + 1))
    sizes = np.diff(np.append(starts, x.size))
    gaps = np.diff(x[starts])
    gaps = np.append(gaps, gaps[-1])
    steps = np.sign(gaps) * np.minimum(np.abs(gaps), 1e-7 * np.abs(x).max()) / sizes
    return x + (np.arange(x.size) - np.repeat(starts, sizes)) * np.repeat(steps, sizes)


def decode(data: bytes, encoding: str | None = None) -> str:
    """Bytes as text: by byte-order mark, UTF-16 without one, UTF-8, else Windows-1252.

    Line ends become ``\\n``, and the minus sign of typography the one of numbers. Bytes cut within
    a character at the end do no harm.
    """
    text = _decode(data, encoding)
    if "\u2212" in text:
        text = text.replace("\u2212", "-")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _decode(data: bytes, encoding: str | None) -> str:
    if encoding is None:
        encoding = text_encoding(data)
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(data)
    except UnicodeDecodeError:
        return data.decode("cp1252" if "utf-8" in encoding else encoding, "replace")
    except LookupError as error:
        raise ReadError(f"{encoding} is not a text encoding.", hint="Try utf-8.") from error


def text_encoding(data: bytes) -> str:
    """The encoding that the first bytes tell: UTF-8 (with or without mark), UTF-16 or UTF-32."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    sample = data[:1000]
    if len(sample) >= 8 and sample.count(0) > 0.3 * len(sample):
        even, odd = sample[0::2].count(0), sample[1::2].count(0)
        if odd > 0.6 * (len(sample) // 2) and even < 0.1 * len(sample):
            return "utf-16-le"
        if even > 0.6 * (len(sample) // 2) and odd < 0.1 * len(sample):
            return "utf-16-be"
    return "utf-8-sig"


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
    reads : bool
        False for a format that is only named when it is refused.
    others_may_try : bool
        Whether a file that it recognised and then refused is offered to the readers after it.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    vendors: ClassVar[str] = ""
    extensions: ClassVar[tuple[str, ...]] = ()
    tested_on: ClassVar[str] = "untested on a real file"
    reads: ClassVar[bool] = True
    others_may_try: ClassVar[bool] = False

    def sniff(self, source: Source) -> bool:
        """Whether the head of the file looks like this format; reads no more than that."""
        raise NotImplementedError

    def read(
        self, source: Source, *, layout: TextLayout | None, check: Check
    ) -> Sequence[Spectrum]:
        """All spectra of the file; assumptions and warnings go to ``source``.

        Raises
        ------
        SpectrogenError
            The file is damaged or is another variant; says what was found and expected.
        """
        raise NotImplementedError
