"""Reading what cannot be trusted: bounded binary fields, XML without entities, bounded zips."""

from __future__ import annotations

import struct
import zipfile
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.io.base import Source

MAX_UNPACKED = 1 << 28
"""Bytes that one member of a zip-based format may unpack to."""


def fields(source: Source, layout: str, offset: int, what: str = "header") -> tuple[Any, ...]:
    """Values at a place in the file.

    Parameters
    ----------
    source : Source
    layout : str
        As of :mod:`struct`, with the byte order.
    offset : int
    what : str
        Named when the file ends before it.

    Raises
    ------
    ReadError
        The file ends before.
    """
    size = struct.calcsize(layout)
    _within(source, offset, size, what)
    return struct.unpack_from(layout, source.data, offset)


def field(source: Source, layout: str, offset: int, what: str = "header") -> Any:
    """The first of :func:`fields`."""
    return fields(source, layout, offset, what)[0]


def array(
    source: Source, dtype: str, offset: int, count: int, what: str = "data"
) -> NDArray[np.float64]:
    """Numbers at a place in the file, as float64.

    Parameters
    ----------
    source : Source
    dtype : str
        As of numpy, with the byte order.
    offset, count : int
        As the file's header says; compared with the size of the file before anything is made.
    what : str
        Named when the file ends before it.

    Raises
    ------
    ReadError
        The file ends before, or a count or place is negative.
    """
    size = np.dtype(dtype).itemsize
    if count < 0:
        raise source.refuse(f"says {count} values for its {what}.", "The header is damaged.")
    _within(source, offset, count * size, what)
    raw = np.frombuffer(source.data, dtype, count, offset)
    with np.errstate(invalid="ignore"):
        return raw.astype(np.float64)


def _within(source: Source, offset: int, size: int, what: str) -> None:
    if offset < 0 or offset + size > source.size:
        raise source.refuse(
            f"is cut off or damaged: its {what} should be at bytes {offset} to {offset + size}, "
            f"but the file has {source.size}.",
            "Copy it again; the measurement may also not have been finished.",
        )


def text_field(source: Source, offset: int, size: int, encoding: str = "latin-1") -> str:
    """Text of fixed size that ends at the first zero byte."""
    raw = source.data[max(offset, 0) : max(offset, 0) + size]
    if encoding.startswith("utf-16"):
        text = raw[: len(raw) & ~1].decode(encoding, "replace")
        return text.split("\0", 1)[0].strip()
    return raw.split(b"\0", 1)[0].decode(encoding, "replace").strip()


def xml_root(source: Source, data: bytes | str, what: str = "XML") -> Element:
    """Root element of XML; entities, document types and external references are not followed.

    Raises
    ------
    ReadError
        Not well-formed, or with entity declarations.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        return fromstring(data)
    except DefusedXmlException as error:
        raise source.refuse(
            f"declares XML entities in its {what}, which are never followed.",
            "Do not trust this file.",
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise source.refuse(
            f"has {what} that is not well-formed ({error}).", "It is cut off or damaged."
        ) from error


def most_unpacked(source: Source) -> int:
    """Bytes a compressed file may unpack to: 300 times its own, 32 MB at least, 256 at most."""
    return min(MAX_UNPACKED, max(300 * source.size, 1 << 25))


def zip_member(source: Source, archive: zipfile.ZipFile, name: str) -> bytes:
    """Content of one member, unpacked to at most ``MAX_UNPACKED`` bytes.

    Raises
    ------
    ReadError
        No such member, damaged, encrypted, or too large.
    """
    from zlib import error as ZlibError

    try:
        with archive.open(name) as stream:
            data = stream.read(MAX_UNPACKED + 1)
    except KeyError as error:
        raise source.refuse(f"lacks its part {name}.", "It is damaged.") from error
    except (zipfile.BadZipFile, ZlibError, EOFError, RuntimeError, NotImplementedError,
            OSError, ValueError) as error:  # fmt: skip
        raise source.refuse(f"has a damaged part {name} ({error}).", "Copy it again.") from error
    if len(data) > MAX_UNPACKED:
        raise source.refuse(
            f"has a part {name} that unpacks to more than {MAX_UNPACKED >> 20} MB.",
            "Export it as text.",
        )
    return data


def open_zip(source: Source) -> zipfile.ZipFile:
    """The file as a zip archive.

    Raises
    ------
    ReadError
        Not a whole zip archive.
    """
    try:
        return zipfile.ZipFile(BytesIO(source.data))
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, struct.error, NotImplementedError,
            OverflowError) as error:  # fmt: skip
        raise source.refuse(
            f"is a damaged or unfinished archive ({error}).", "Copy it again."
        ) from error


def check_zip(source: Source, archive: zipfile.ZipFile) -> None:
    """Compare what the members say they unpack to with the size of the archive.

    Raises
    ------
    ReadError
        Encrypted, or more than :func:`most_unpacked` bytes in all.
    """
    total = sum(m.file_size for m in archive.infolist())
    if total > most_unpacked(source):
        raise source.refuse(
            f"would unpack from {source.size / 2**20:.1f} MB to {total / 2**20:.0f} MB.",
            "Export the spectra as text.",
        )
    if any(m.flag_bits & 1 for m in archive.infolist()):
        raise source.refuse("is encrypted.", "Save it without a password.")
