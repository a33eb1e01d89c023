"""All formats: which reader opens a file, and the verdict on every file, folder and archive."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any
from zlib import error as ZlibError

from spectrogen_app.data.axis import CU_KALPHA, XKind
from spectrogen_app.data.modality import modality as find_modality
from spectrogen_app.data.provenance import Origin, Provenance
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import (
    Cancelled,
    Check,
    ReadError,
    SpectrogenError,
    WriteError,
    unchecked,
)
from spectrogen_app.io.base import Reader, Source, SpectrumList, TextLayout, Verdict
from spectrogen_app.io.maps import EAGER
from spectrogen_app.io.readers.agilent import AgilentReader
from spectrogen_app.io.readers.andor import AndorReader
from spectrogen_app.io.readers.avantes import Avantes8Reader, AvantesOldReader, AvantesTextReader
from spectrogen_app.io.readers.brml import BrmlReader
from spectrogen_app.io.readers.bruker_raw import BrukerRawReader
from spectrogen_app.io.readers.bwtek import BwtekReader
from spectrogen_app.io.readers.cif import CifReader
from spectrogen_app.io.readers.envi import EnviReader
from spectrogen_app.io.readers.gasmet import GasmetReader
from spectrogen_app.io.readers.gsas import GsasReader
from spectrogen_app.io.readers.jcamp import JcampReader
from spectrogen_app.io.readers.kaiser import KaiserReader
from spectrogen_app.io.readers.labspec import LabspecTextReader, LabspecXmlReader
from spectrogen_app.io.readers.matlab import MatlabReader
from spectrogen_app.io.readers.nexus import NexusReader
from spectrogen_app.io.readers.ocean import OceanTextReader, ProcSpecReader
from spectrogen_app.io.readers.omnic import OmnicReader
from spectrogen_app.io.readers.opus import OpusReader
from spectrogen_app.io.readers.perkinelmer import AspReader, FlWinlabReader, PerkinElmerReader
from spectrogen_app.io.readers.philips import RdReader, UdfReader
from spectrogen_app.io.readers.photothermal import PhotothermalReader
from spectrogen_app.io.readers.powder_steps import PowderStepsReader
from spectrogen_app.io.readers.princeton_spe import PrincetonReader
from spectrogen_app.io.readers.refused import REFUSED
from spectrogen_app.io.readers.renishaw_text import RenishawTextReader
from spectrogen_app.io.readers.rigaku import (
    RasReader,
    RasxReader,
    RigakuRawReader,
    RigakuTextReader,
)
from spectrogen_app.io.readers.rruff import RruffReader
from spectrogen_app.io.readers.shimadzu import ShimadzuReader
from spectrogen_app.io.readers.shimadzu_text import ShimadzuTextReader
from spectrogen_app.io.readers.spc import SpcReader
from spectrogen_app.io.readers.spectrogen_csv import SpectrogenCsvReader
from spectrogen_app.io.readers.stoe import StoeReader
from spectrogen_app.io.readers.text import TextReader, is_text, look_of
from spectrogen_app.io.readers.trivista import TrivistaReader
from spectrogen_app.io.readers.uxd import UxdReader
from spectrogen_app.io.readers.vamas import VamasReader
from spectrogen_app.io.readers.wasatch import WasatchReader
from spectrogen_app.io.readers.wdf import WdfReader
from spectrogen_app.io.readers.witec import WitecReader
from spectrogen_app.io.readers.xlsx import XlsxReader
from spectrogen_app.io.readers.xrdml import XrdmlReader
from spectrogen_app.io.sanity import check_spectrum

READERS: tuple[Reader, ...] = (
    SpectrogenCsvReader(),
    RruffReader(),
    WdfReader(),
    OpusReader(),
    SpcReader(),
    OmnicReader(),
    XrdmlReader(),
    BrmlReader(),
    RasReader(),
    RasxReader(),
    RigakuTextReader(),
    RigakuRawReader(),
    UxdReader(),
    UdfReader(),
    RdReader(),
    BrukerRawReader(),
    StoeReader(),
    GsasReader(),
    PhotothermalReader(),
    NexusReader(),
    MatlabReader(),
    XlsxReader(),
    ProcSpecReader(),
    PerkinElmerReader(),
    FlWinlabReader(),
    AspReader(),
    AndorReader(),
    Avantes8Reader(),
    AvantesOldReader(),
    AvantesTextReader(),
    PrincetonReader(),
    GasmetReader(),
    TrivistaReader(),
    LabspecXmlReader(),
    VamasReader(),
    EnviReader(),
    AgilentReader(),
    ShimadzuReader(),
    *REFUSED,
    CifReader(),
    JcampReader(),
    OceanTextReader(),
    BwtekReader(),
    WitecReader(),
    WasatchReader(),
    ShimadzuTextReader(),
    LabspecTextReader(),
    RenishawTextReader(),
    KaiserReader(),
    PowderStepsReader(),
    TextReader(),
)
"""Tried in this order; the first that knows the content and can read it opens the file."""

MAX_MEMBERS = 50_000
"""Members of one archive that are looked at."""
MAX_MEMBER_BYTES = 1 << 29
"""Unpacked size of one member of an archive."""
MAX_RATIO = 200
"""A member that unpacks to more than this times its packed size (and over 16 MB) is a bomb."""
_SUSPICIOUS = 1 << 24

_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG", "a PNG picture", "Export the numbers of the curve instead of its picture."),
    (b"\xff\xd8\xff", "a JPEG picture", "Export the numbers of the curve instead of its picture."),
    (b"GIF8", "a GIF picture", "Export the numbers of the curve instead of its picture."),
    (b"BM", "a BMP picture", "Export the numbers of the curve instead of its picture."),
    (b"II*\x00", "a TIFF picture", "Export the numbers of the curve instead of its picture."),
    (b"MM\x00*", "a TIFF picture", "Export the numbers of the curve instead of its picture."),
    (b"%PDF", "a PDF document", "Export the numbers of the curve."),
    (b"MZ", "a Windows program", "It holds no spectrum."),
    (b"\x7fELF", "a Linux program", "It holds no spectrum."),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it, or make a zip of it."),
    (b"Rar!", "a RAR archive", "Unpack it, or make a zip of it."),
    (b"SQLite format 3", "an SQLite database", "Export the spectra as text."),
    (b"\x80\x04\x95", "a Python pickle, which is never opened", "Export the spectra as text."),
)
"""What a refused file is instead: first bytes, name, what to try."""


@dataclass(frozen=True)
class FormatInfo:
    """One row of the table of formats.

    Attributes
    ----------
    name, label, vendors : str
    extensions : tuple of str
    tested_on : str
        Kind of real files it was tried on, or ``untested on a real file``.
    reads, writes : bool
        A format that is not read is named when it is refused.
    """

    name: str
    label: str
    vendors: str
    extensions: tuple[str, ...]
    tested_on: str
    reads: bool
    writes: bool


def formats() -> tuple[FormatInfo, ...]:
    """All formats that are read, in the order in which they are tried."""
    written = {label for label, _ in WRITERS.values()}
    return tuple(
        FormatInfo(
            r.name, r.label, r.vendors, r.extensions, r.tested_on, r.reads, r.label in written
        )
        for r in READERS
    )  # fmt: skip


def read(
    path: str | os.PathLike[str],
    *,
    pick: Sequence[int] | None = None,
    sha256: str = "",
    layout: TextLayout | None = None,
    check: Check = unchecked,
    **choices: Any,
) -> list[Spectrum]:
    """All spectra of a file, or of all readable members of a zip archive.

    Parameters
    ----------
    path : path
        A member of a zip archive is ``archive.zip/member``.
    pick : sequence of int, optional
        Only these, counted from 0; curves that the file only offers come after its spectra.
    sha256 : str, optional
        Read the file only if this is still its SHA-256.
    layout : TextLayout, optional
        How to read the file; what is None is found by looking.
    check : Check
        Called with the fraction done; may raise Cancelled.
    **choices
        Fields of the layout, such as ``modality="ir"``, ``y_columns=(2, 3)`` or
        ``wavelength=1.79026``.

    Raises
    ------
    SpectrogenError
        The file is refused; the message says why and the hint what to try.
    """
    file = Path(path)
    if sha256 and _packed(file).sha256 != sha256:
        raise ReadError(f"{file.name} has changed since.", hint="Look for the file of that time.",
                        path=str(file))  # fmt: skip
    if choices:
        if choices.get("modality") is not None:
            choices["modality"] = find_modality(choices["modality"]).name
        layout = replace(layout or TextLayout(), **choices)
    verdict = open_path(file, layout=layout, check=check)
    if verdict.error is not None and not (pick is not None and verdict.count):
        raise verdict.error
    if pick is None:
        return list(verdict.spectra)
    return [verdict.at(index) for index in pick]


def open_path(
    path: str | os.PathLike[str], *, layout: TextLayout | None = None, check: Check = unchecked
) -> Verdict:
    """Open one file and say what became of it.

    Never raises but ``Cancelled`` (and what is no ``Exception``). A zip archive of spectra, or a
    folder, gives one verdict over all its members.
    """
    file = Path(path)
    verdicts = list(_open(file, _Layouts(layout), check))
    if len(verdicts) == 1:
        return verdicts[0]
    opened = [v for v in verdicts if v.ok]
    refused = [v for v in verdicts if not v.ok]
    if not opened:
        reason = refused[0].error if refused else None
        return Verdict(
            file,
            error=ReadError(
                f"{file.name} holds {len(refused)} files, none of which could be opened."
                + (f" The first: {reason.message}" if reason else ""),
                hint=reason.hint if reason else "Choose another folder or archive.",
                path=str(file),
            ),
        )
    return Verdict(
        file,
        ", ".join(dict.fromkeys(v.format for v in opened)),
        tuple(s for v in opened for s in v.spectra),
        tuple(dict.fromkeys(a for v in opened for a in v.assumptions)),
        tuple(f"{v.path.name}: {w}" for v in opened for w in v.warnings)
        + tuple(f"{v.path.name} refused: {v.error}" for v in refused),
        unsure=any(v.unsure for v in opened),
    )


def open_paths(
    paths: Iterable[str | os.PathLike[str]],
    *,
    layout: TextLayout | None = None,
    layouts: Mapping[str, TextLayout] | None = None,
    check: Check = unchecked,
) -> Iterator[Verdict]:
    """Verdicts on files, on all files of folders (sorted, hidden ones skipped) and of archives.

    Parameters
    ----------
    paths : iterable of path
        A member of a zip archive is ``archive.zip/member``.
    layout : TextLayout, optional
        How to read text tables.
    layouts : mapping of str to TextLayout, optional
        How to read text tables of a look, see :func:`spectrogen_app.io.readers.text.look_of`;
        without ``layout`` only.
    check : Check
        Called between files with the fraction done; may raise Cancelled.
    """
    given = [Path(p) for p in paths]
    how = _Layouts(layout, layouts or {})
    for i, path in enumerate(given):

        def part(fraction: float, message: str = "", at: int = i) -> None:
            check((at + min(max(fraction, 0.0), 1.0)) / len(given), message)

        yield from _open(path, how, part)


@dataclass(frozen=True)
class _Layouts:
    """The layout that the user gave, for all files or for files of a look."""

    given: TextLayout | None = None
    by_look: Mapping[str, TextLayout] = field(default_factory=dict)

    def of(self, source: Source) -> TextLayout | None:
        """The layout for a file."""
        if (self.given and _asks_for_text(self.given)) or not self.by_look:
            return self.given
        found = self.by_look.get(look_of(source)) if is_text(source.head) else None
        if found is None:
            return self.given
        source.assume("Read with the choices that you made for files of this look.")
        return replace(found, **self.given.choices()) if self.given else found


def source_of(path: Path) -> Source:
    """A file, or a member of a zip archive (``archive.zip/member``), unpacked where it is packed.

    Raises
    ------
    SpectrogenError, OSError
        There is no such file, or it cannot be unpacked.
    """
    return _decompressed(_packed(path))


def _packed(path: Path) -> Source:
    """As :func:`source_of`, but compressed as it lies there."""
    archive = next((p for p in path.parents if p.is_file()), None)
    if archive is None:
        _is_file(path)
        return Source(path)
    with zipfile.ZipFile(archive) as opened:
        try:
            member = opened.getinfo(path.relative_to(archive).as_posix())
        except KeyError as error:
            raise ReadError(f"{archive.name} holds no {path.name}.", hint="Check the name.",
                            path=str(path)) from error  # fmt: skip
        return Source(path, _unpack(opened, member))


def _open(path: Path, layouts: _Layouts, check: Check) -> Iterator[Verdict]:
    """Verdicts on a file, a folder or an archive; every exception becomes a refusal."""
    try:
        check(0.0, f"Reading {path.name}")
        if path.is_dir():
            yield from _open_folder(path, layouts, check)
            return
        source = _packed(path)
        if path.is_file() and _is_plain_zip(source):
            yield from _open_zip(source, layouts, check)
            return
    except Cancelled:
        raise
    except Exception as error:
        yield Verdict(path, error=_refusal(path, error))
        return
    yield _open_source(source, layouts, check)


def _is_file(path: Path) -> None:
    if not path.exists():
        raise ReadError(f"{path.name} does not exist.", hint="Check the name.", path=str(path))
    if not path.is_file():
        raise ReadError(
            f"{path.name} is not a file (a device or a pipe).", hint="Choose a file.",
            path=str(path),
        )  # fmt: skip


def _open_folder(path: Path, layouts: _Layouts, check: Check) -> Iterator[Verdict]:
    files: list[Path] = []
    blocked: list[tuple[Path, Exception]] = []

    def note(error: OSError) -> None:
        blocked.append((Path(error.filename or path), error))

    for folder, folders, names in os.walk(path, onerror=note):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for linked in (
            Path(folder) / f for f in folders if os.path.islink(os.path.join(folder, f))
        ):
            blocked.append((linked, ReadError(
                f"{linked.name} is a link to a folder, which is not followed.",
                hint="Open the folder that it points to.", path=str(linked),
            )))  # fmt: skip
        files += [Path(folder) / n for n in sorted(names) if not n.startswith(".")]
        check(0.0, f"Looking into {folder}")
    for where, error in blocked:
        yield Verdict(where, error=_refusal(where, error))
    if not files and not blocked:
        yield Verdict(
            path,
            error=ReadError(f"The folder {path.name} holds no files.", hint="Choose another one.",
                            path=str(path)),
        )  # fmt: skip
    for i, file in enumerate(files):

        def part(fraction: float, message: str = "", at: int = i) -> None:
            check((at + fraction) / len(files), message)

        yield from _open(file, layouts, part)


def _is_plain_zip(source: Source) -> bool:
    """A zip archive that is no format of its own, such as xlsx or brml."""
    return source.head.startswith(b"PK\x03\x04") and not any(r.sniff(source) for r in READERS)


def _open_zip(source: Source, layouts: _Layouts, check: Check) -> Iterator[Verdict]:
    with zipfile.ZipFile(source.path) as archive:
        members = [
            m for m in archive.infolist()
            if not m.is_dir() and not _hidden(m.filename)
        ]  # fmt: skip
        if not members:
            raise source.refuse("is a zip archive without files.", "Check the download.")
        for i, member in enumerate(members[:MAX_MEMBERS]):
            check(i / len(members), f"Reading {source.name}: {PurePosixPath(member.filename).name}")
            path = source.path / member.filename
            try:
                inner = Source(path, _unpack(archive, member))
                if _is_plain_zip(inner):
                    raise inner.refuse("is an archive within an archive.", "Unpack the outer one.")
            except Cancelled:
                raise
            except Exception as error:
                yield Verdict(path, error=_refusal(path, error))
                continue
            yield _open_source(inner, layouts, _quietly(check, i, len(members)))
        if len(members) > MAX_MEMBERS:
            yield Verdict(
                source.path,
                error=source.refuse(
                    f"holds {len(members)} files; the first {MAX_MEMBERS} were looked at.",
                    "Unpack it and open the rest as a folder.",
                ),
            )


def _quietly(check: Check, index: int, count: int) -> Check:
    def part(fraction: float, message: str = "") -> None:
        check((index + min(max(fraction, 0.0), 1.0)) / count, message)

    return part


def _hidden(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return any(p.startswith(".") and p != ".." for p in parts) or "__MACOSX" in parts


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    name = PurePosixPath(member.filename.replace("\\", "/"))
    if ".." in name.parts or name.is_absolute() or (name.parts and ":" in name.parts[0]):
        raise ReadError(
            f"{member.filename} points outside its archive.", hint="Do not trust this archive."
        )
    if member.flag_bits & 1:
        raise ReadError(f"{name.name} is encrypted.", hint="Unpack the archive with its password.")
    if member.file_size > MAX_MEMBER_BYTES or (
        member.file_size > _SUSPICIOUS
        and member.file_size > MAX_RATIO * max(member.compress_size, 1)
    ):
        raise ReadError(
            f"{name.name} would unpack from {member.compress_size} to {member.file_size} bytes.",
            hint="If the archive can be trusted, unpack it and open the file itself.",
        )
    with archive.open(member) as stream:
        data = stream.read(member.file_size + 1)
    if len(data) > member.file_size:
        raise ReadError(f"{name.name} is larger than the archive says.", hint="It is damaged.")
    return data


def _open_source(source: Source, layouts: _Layouts, check: Check) -> Verdict:
    looked_like = ""
    try:
        if source.size == 0:
            raise source.refuse("is empty.", "Check that the export or the download was finished.")
        source = _decompressed(source)
        layout = layouts.of(source)
        reason: SpectrogenError | None = None
        for reader in READERS:
            if layout is not None and _asks_for_text(layout) and reader.name != "text":
                continue
            if not reader.sniff(source):
                continue
            looked_like = looked_like or reader.label
            said = len(source.assumptions), len(source.warnings)
            source.others.clear()
            try:
                spectra = reader.read(source, layout=layout, check=check)
                if layout is not None:
                    source.unsure = False
                return _verdict(source, reader, spectra, layout or TextLayout())
            except Cancelled:
                raise
            except Exception as error:
                del source.assumptions[said[0] :], source.warnings[said[1] :]
                source.unsure = False
                reason = reason or _refusal(source.path, error, reader)
                if not reader.others_may_try:
                    break
        raise reason or _unknown(source)
    except Cancelled:
        raise
    except Exception as error:
        return Verdict(
            source.path, looked_like, error=_refusal(source.path, error),
            tabular=is_text(source.head), others=_others(source, "", 0, TextLayout()),
        )  # fmt: skip


def _others(source: Source, format_name: str, first: int, layout: TextLayout) -> SpectrumList:
    """What the reader offered besides, checked when it is asked for."""
    makers = tuple(source.others)

    def make(index: int) -> Spectrum:
        spectrum = makers[index]()
        check_spectrum(spectrum)
        known = Provenance(
            str(source.path), source.sha256, format_name, first + index, reading=layout.choices()
        )
        return spectrum.replace(origin=_origin(spectrum), provenance=known)

    return SpectrumList(len(makers), make)


def _asks_for_text(layout: TextLayout) -> bool:
    return any(
        value is not None
        for value in (layout.delimiter, layout.decimal, layout.encoding, layout.skip_rows,
                      layout.x_column, layout.y_columns)
    )  # fmt: skip


def _verdict(
    source: Source, reader: Reader, spectra: Sequence[Spectrum], layout: TextLayout
) -> Verdict:
    """Sanity checks, provenance, the user's modality and wavelength, and what the reader said."""
    if not len(spectra):
        raise source.refuse("holds no spectrum.", "Check that the measurement was finished.")
    if source.grown:
        source.warn(
            "It is still being written: read as far as it had come. Open it again afterwards."
        )

    def finish(index: int, spectrum: Spectrum) -> Spectrum:
        check_spectrum(spectrum)
        if layout.modality is not None and spectrum.modality != layout.modality:
            spectrum = _as_modality(spectrum, layout.modality)
        if spectrum.provenance.format:
            return spectrum
        wavelength = spectrum.wavelength
        if spectrum.x_kind is XKind.TWO_THETA:
            wavelength = layout.wavelength or wavelength or CU_KALPHA
        known = spectrum.provenance
        return spectrum.replace(
            origin=_origin(spectrum), wavelength=wavelength,
            provenance=Provenance(
                str(source.path), source.sha256, reader.name, index, reading=choices,
                assumptions=assumptions, steps=known.steps, generation=known.generation,
            )
        )  # fmt: skip

    if isinstance(spectra, SpectrumList) and len(spectra) <= EAGER:
        spectra = _whole(source, spectra)
    first = spectra[0]
    powder = first.x_kind is XKind.TWO_THETA
    if powder and layout.wavelength and first.origin is not Origin.SIMULATED:
        source.assume(f"X-ray wavelength {layout.wavelength:g} Å, as you chose.")
    elif powder and first.wavelength is None:
        source.assume(f"X-ray wavelength {CU_KALPHA} Å (Cu K-alpha), since the file names none.")
    xrays = powder and (
        first.wavelength is None
        or layout.wavelength is not None
        or first.origin is Origin.SIMULATED
    )
    assumptions, choices = tuple(source.assumptions), layout.choices()
    finished: Sequence[Spectrum]
    if isinstance(spectra, SpectrumList):
        finished = spectra.map(finish)
        for index in range(0, len(spectra), max(len(spectra) // 50, 1)):
            check_spectrum(spectra[index])
    else:
        finished = tuple(finish(i, s) for i, s in enumerate(spectra))
    return Verdict(
        source.path, reader.label, finished, assumptions, tuple(source.warnings),
        unsure=source.unsure, tabular=reader.name == "text",
        others=_others(source, reader.name, len(finished), layout), xrays=xrays,
    )  # fmt: skip


def _as_modality(spectrum: Spectrum, modality: str) -> Spectrum:
    """Of the modality that the user chose; a wavenumber becomes a Raman shift, or the reverse."""
    kind = spectrum.x_kind
    if modality == "raman" and kind is XKind.WAVENUMBER:
        kind = XKind.RAMAN_SHIFT
    elif modality in ("ir", "fir") and kind is XKind.RAMAN_SHIFT:
        kind = XKind.WAVENUMBER
    elif kind is XKind.OTHER:
        kind = find_modality(modality).x_kind
        return spectrum.replace(modality=modality, x_kind=kind, x_unit="")
    return spectrum.replace(modality=modality, x_kind=kind)


def _whole(source: Source, spectra: SpectrumList) -> list[Spectrum]:
    """All sane spectra of a small map; what is left out is said."""
    found: list[Spectrum] = []
    problem: SpectrogenError | None = None
    for index in range(len(spectra)):
        try:
            spectrum = spectra[index]
            check_spectrum(spectrum)
            found.append(spectrum)
        except SpectrogenError as error:
            problem = problem or error
    if problem is not None:
        if not found:
            raise problem
        source.warn(f"{len(spectra) - len(found)} of {len(spectra)} spectra left out: {problem}")
    return found


def _origin(spectrum: Spectrum) -> Origin:
    """What the header says under ``origin`` (simulated, generated ...), else what the reader found.

    A generated curve that went through another format stays marked as generated.
    """
    for key, value in spectrum.metadata.items():
        if key.rsplit("/", 1)[-1].lstrip("$").casefold() == "origin":
            word = str(value).split(" ", 1)[0].casefold()
            if word in set(Origin):
                return Origin(word)
    return spectrum.origin


def _decompressed(source: Source) -> Source:
    """The content of a gzip, bzip2 or xz file, or the file itself."""
    opener: Callable | None = None
    for magic, candidate in (
        (b"\x1f\x8b", gzip.open),
        (b"BZh", bz2.open),
        (b"\xfd7zXZ", lzma.open),
    ):
        if source.head.startswith(magic):
            opener = candidate
    if opener is None:
        return source
    try:
        with source.stream() as raw, opener(raw) as stream:
            data = stream.read(MAX_MEMBER_BYTES + 1)
    except (OSError, EOFError, ZlibError, lzma.LZMAError) as error:
        raise source.refuse(
            f"is a compressed file that cannot be unpacked ({error}).", "Download it again."
        ) from error
    if len(data) > MAX_MEMBER_BYTES or (
        len(data) > _SUSPICIOUS and len(data) > MAX_RATIO * source.size
    ):
        raise source.refuse("unpacks to an impossible size.", "Unpack it and open the file itself.")
    inner = Source(source.path, data)
    inner.suffix = source.path.with_suffix("").suffix.lower()
    inner.sha256 = source.sha256
    return inner


def _unknown(source: Source) -> ReadError:
    """Why no reader knew the file."""
    for magic, what, hint in _SIGNATURES:
        if source.head.startswith(magic):
            return source.refuse(f"is {what}, not a spectrum.", hint)
    if not source.head.strip():
        return source.refuse("holds only white space.", "Check that the export was finished.")
    text = next(r for r in READERS if r.name == "text")
    named = [
        r for r in READERS if source.suffix in r.extensions and source.suffix not in text.extensions
    ]
    if named:
        return source.refuse(
            f"is named like {named[0].label}, but its content is something else.",
            "Check how the file was made; a text export is always read.",
        )
    return source.refuse(
        "is of no known format.",
        "Export it from the instrument's program as text, CSV or JCAMP-DX.",
    )


_HELD = (32, 33)
"""Windows' numbers of a file, or a part of it, that another program has locked."""


def _refusal(path: Path, error: Exception, reader: Reader | None = None) -> SpectrogenError:
    """Any exception as an error that speaks to the user."""
    if isinstance(error, SpectrogenError):
        error.fields.setdefault("path", str(path))
        return error
    if isinstance(error, PermissionError):
        if getattr(error, "winerror", None) in _HELD:
            return ReadError(
                f"{path.name} is held by another program, which lets no other read it.",
                hint="Close it there, or wait until the measurement has ended, and open it again.",
                path=str(path),
            )
        return ReadError(
            f"{path.name} may not be read: no permission, or another program holds it.",
            hint="Ask its owner, close the other program, or copy it elsewhere.", path=str(path),
        )  # fmt: skip
    if isinstance(error, zipfile.BadZipFile):
        return ReadError(f"{path.name} is a damaged zip archive ({error}).",
                         hint="Download or pack it again.", path=str(path))  # fmt: skip
    if isinstance(error, OSError) and (reader is None or error.errno):
        return ReadError(f"{path.name} could not be read: {error.strerror or error}.",
                         hint="Check the disk or the network drive.", path=str(path))  # fmt: skip
    if isinstance(error, MemoryError):
        return ReadError(f"{path.name} needs more memory than there is.",
                         hint="Close other programs, or split it.", path=str(path))  # fmt: skip
    what = f"looks like {reader.label}, but" if reader else "could not be opened:"
    return ReadError(
        f"{path.name} {what} is damaged, cut off or of an unknown variant "
        f"({type(error).__name__}: {str(error)[:200]}).",
        hint="Export it again, or as text.", path=str(path),
    )  # fmt: skip


WRITERS: dict[str, tuple[str, str]] = {
    ".csv": ("SpectroGen CSV", "spectrogen_app.io.writers.csv"),
    ".jdx": ("JCAMP-DX", "spectrogen_app.io.writers.jcamp"),
    ".dx": ("JCAMP-DX", "spectrogen_app.io.writers.jcamp"),
    ".nxs": ("NeXus / HDF5", "spectrogen_app.io.writers.nexus"),
    ".h5": ("NeXus / HDF5", "spectrogen_app.io.writers.nexus"),
    ".xlsx": ("Excel workbook", "spectrogen_app.io.writers.xlsx"),
}
"""Extension to label and module; each module has ``write(spectra, path)``."""


def write(spectrum: Spectrum, path: str | os.PathLike[str]) -> None:
    """Write one spectrum; the extension of ``path`` chooses the format.

    Raises
    ------
    WriteError
        An unknown extension, or the file cannot be written.
    """
    write_many((spectrum,), path)


def write_many(spectra: Sequence[Spectrum], path: str | os.PathLike[str]) -> None:
    """Write spectra into one file; the extension of ``path`` chooses the format.

    Raises
    ------
    WriteError
        Nothing to write, an unknown extension, or the file cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() not in WRITERS:
        raise WriteError(
            f"{target.suffix or 'A name without extension'} is no format that can be written.",
            hint=f"Use one of {', '.join(WRITERS)}.",
            path=str(target),
        )
    if not spectra:
        raise WriteError("There is no spectrum to write.", hint="Choose at least one curve.")
    import_module(WRITERS[target.suffix.lower()][1]).write(spectra, target)
