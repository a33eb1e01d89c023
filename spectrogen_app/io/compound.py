"""Compound documents (OLE2, [MS-CFB]): the streams of a file that is a small file system."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from spectrogen_app.io.base import Source
from spectrogen_app.io.safe import fields

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""First bytes of a compound document, of many programs of the nineties."""
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_MINI = 64


def streams(source: Source) -> dict[str, bytes]:
    """Content of each stream by its path, such as ``Storage/Stream``.

    Raises
    ------
    ReadError
        The tables of the document are damaged, or the file is cut off.
    """
    shift = fields(source, "<H", 30)[0]
    if shift not in (9, 12):
        raise source.refuse("is a damaged compound document.", "Copy it again.")
    size = 1 << shift
    tables, first, cutoff, first_mini = (fields(source, "<i", at)[0] for at in (44, 48, 56, 60))
    lists, more = list(fields(source, "<109i", 76)), fields(source, "<i", 68)[0]
    while more >= 0 and len(lists) < source.size // size:
        *found, more = fields(source, f"<{size // 4}i", (more + 1) * size)
        lists += found
    fat: list[int] = []
    tables = min(max(tables, 0), source.size // size // (size // 4) + 1)
    for sector in [s for s in lists[:tables] if s >= 0]:
        fat += fields(source, f"<{size // 4}i", (sector + 1) * size, "sector table")

    def content(start: int) -> bytes:
        return b"".join(
            source.data[(s + 1) * size : (s + 2) * size] for s in _chain(source, fat, start)
        )

    table = content(first_mini)
    mini_fat = struct.unpack_from(f"<{len(table) // 4}i", table)
    directory = content(first)
    entries = [directory[i : i + 128] for i in range(0, len(directory) - 127, 128)]
    if not entries or entries[0][66] != _ROOT:
        raise source.refuse("is a compound document without a root.", "Copy it again.")
    small = content(struct.unpack_from("<i", entries[0], 116)[0])
    found_streams: dict[str, bytes] = {}
    waiting = [(struct.unpack_from("<i", entries[0], 76)[0], "")]
    seen: set[int] = set()
    total = 0
    while waiting and total <= 2 * source.size:
        index, path = waiting.pop()
        if not 0 <= index < len(entries) or index in seen:
            continue
        seen.add(index)
        entry = entries[index]
        length, kind = struct.unpack_from("<HB", entry, 64)
        name = path + entry[: max(min(length, 64) - 2, 0)].decode("utf-16-le", "replace")
        left, right, child = struct.unpack_from("<3i", entry, 68)
        waiting += [(left, path), (right, path)]
        start, length = struct.unpack_from("<iI", entry, 116)
        if kind == _STORAGE:
            waiting.append((child, f"{name}/"))
        elif kind == _STREAM:
            if length < cutoff:
                chain = _chain(source, mini_fat, start)
                data = b"".join(small[s * _MINI : (s + 1) * _MINI] for s in chain)
            else:
                data = content(start)
            if len(data) < length:
                source.warn(f"Cut off: {name} has {len(data)} of {length} bytes.")
            found_streams[name] = data[:length]
            total += len(data)
    return found_streams


def _chain(source: Source, table: Sequence[int], start: int) -> list[int]:
    """The sectors of a stream; a chain that runs in circles or out of the table is refused."""
    found: list[int] = []
    while start >= 0:
        if start >= len(table) or len(found) > len(table):
            raise source.refuse("is a damaged compound document.", "Copy it again.")
        found.append(start)
        start = table[start]
    return found
