"""Many files into one format: each by itself, so that one that fails stops no other."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from spectrogen_app.app.choosing import parse_ranges
from spectrogen_app.app.jobs import Token
from spectrogen_app.app.services import LoadRequest, load_each
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Cancelled, SpectrogenError, WriteError
from spectrogen_app.io.base import Verdict

_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


@dataclass(frozen=True)
class ConvertRequest:
    """Files, folders and archives to write in another format.

    Attributes
    ----------
    files : LoadRequest
    extension : str
        Of a format that is written, such as ``.csv``.
    folder : Path
        Where to write; folders within a folder or archive are made there again.
    pick : str or None
        Only these spectra of each file, such as ``1-3, 7``; see :meth:`Verdict.at`.
    """

    files: LoadRequest
    extension: str
    folder: Path
    pick: str | None = None


@dataclass(frozen=True)
class Converted:
    """What became of one file.

    Attributes
    ----------
    verdict : Verdict
        How it was read; without its spectra.
    count : int
        Spectra written.
    path : Path or None
        File written.
    error : SpectrogenError or None
        Why nothing was written.
    """

    verdict: Verdict
    count: int = 0
    path: Path | None = None
    error: SpectrogenError | None = None


def convert_files(
    request: ConvertRequest,
    token: Token,
    deliver: Callable[[Converted], None] | None = None,
) -> tuple[Converted, ...]:
    """Write all spectra of each file into one file of its own.

    A file is named after its source. A name that is taken in this run, or that is one of the
    sources, gets the source's extension and then a number; the same sources always give the same
    names. Earlier files of these names in ``folder`` are replaced.

    Parameters
    ----------
    request : ConvertRequest
    token : Token
    deliver : callable(converted), optional
        Called after each file.

    Raises
    ------
    WriteError
        The format is unknown, or ``folder`` is one of the folders to be converted.
    Cancelled
        What was written stays.
    """
    from spectrogen_app.io.registry import WRITERS

    if request.extension not in WRITERS:
        raise WriteError(
            f"{request.extension or 'A name without extension'} is no format that can be written.",
            hint=f"Use one of {', '.join(WRITERS)}.",
        )
    names = _Names(request)
    done: list[Converted] = []
    paths = request.files.paths
    for i, path in enumerate(paths):

        def check(fraction: float, message: str, at: int = i) -> None:
            token.check((at + fraction) / len(paths), message)

        for verdict in load_each(replace(request.files, paths=(path,)), Token(check)):
            if names.is_earlier_output(verdict.path):
                continue
            done.append(_convert(verdict, path, names, request.pick))
            if deliver is not None:
                deliver(done[-1])
    return tuple(done)


def picked(verdict: Verdict, pick: str | None) -> Sequence[Spectrum]:
    """The spectra of a file, or only those of the numbers.

    Raises
    ------
    SpectrogenError
        No such numbers, or one of the spectra is refused.
    """
    if not pick:
        return verdict.spectra
    return [verdict.at(i) for i in sorted(parse_ranges(pick, verdict.count))]


def _convert(verdict: Verdict, given: Path, names: _Names, pick: str | None) -> Converted:
    from spectrogen_app.io.registry import write_many

    about = Verdict(
        verdict.path, verdict.format, (), verdict.assumptions, verdict.warnings, verdict.error,
        verdict.unsure,
    )  # fmt: skip
    if verdict.error is not None and not (pick and verdict.count):
        return Converted(about, error=verdict.error)
    target = names.target(verdict.path, given)
    try:
        spectra = tuple(picked(verdict, pick))
        write_many(spectra, target)
    except Cancelled:
        raise
    except SpectrogenError as error:
        return Converted(about, error=error)
    except MemoryError:
        return Converted(about, error=WriteError(
            f"{verdict.path.name} needs more memory than there is.",
            hint="Close other programs, or convert a part of it.", path=str(target),
        ))  # fmt: skip
    return Converted(about, len(spectra), target)


class _Names:
    """Names for the files to be written: no two the same, none that of a source."""

    def __init__(self, request: ConvertRequest) -> None:
        self._folder = request.folder.resolve()
        self._extension = request.extension
        given = [p.resolve() for p in request.files.paths]
        self._files = {p for p in given if not p.is_dir()}
        self._folders = [p for p in given if p.is_dir()]
        self._within = any(self._folder.is_relative_to(p) for p in self._folders)
        self._taken: set[str] = set()
        if self._folder in self._folders:
            raise WriteError(
                f"{request.folder} is itself to be converted.",
                hint="Choose another folder for the new files, such as a new one within it.",
                path=str(request.folder),
            )

    def is_earlier_output(self, path: Path) -> bool:
        """Whether a file was found in the folder of outputs, which lies within the sources."""
        return self._within and path.resolve().is_relative_to(self._folder)

    def target(self, source: Path, given: Path) -> Path:
        """Where the spectra of ``source``, found in ``given``, are written."""
        inside = source.relative_to(given) if source != given else PurePath(source.name)
        if given.is_file() and source != given:
            inside = given.stem / inside
        folder = self._folder.joinpath(*map(_legal, inside.parent.parts))
        stem, kind = _legal(inside.stem), inside.suffix.lstrip(".")
        with_kind = f"{stem}_{_legal(kind)}" if kind else stem
        number = 1
        path = folder / f"{stem}{self._extension}"
        while not self._free(path):
            path = folder / f"{with_kind}{f'_{number}' if number > 1 else ''}{self._extension}"
            number += 1
        self._taken.add(str(path).casefold())
        return path

    def _free(self, path: Path) -> bool:
        if str(path).casefold() in self._taken:
            return False
        if not path.exists():
            return True
        real = path.resolve()
        in_sources = not self._within and any(real.is_relative_to(f) for f in self._folders)
        return real not in self._files and not in_sources


def _legal(name: str) -> str:
    """A name that every file system takes."""
    name = _FORBIDDEN.sub("_", name).rstrip(" .") or "_"
    return f"_{name}" if _RESERVED.fullmatch(name) else name
