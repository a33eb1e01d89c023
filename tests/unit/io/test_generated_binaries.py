"""Binary formats written byte by byte from their description: variants without a real file,
exact values, and what a cut file says.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from spectrogen_app.data.axis import XKind
from spectrogen_app.io import registry

Y = np.array([1.0, 2.5, -3.0, 1000.0])


def spc(
    order: str, *, flags: int = 0, exponent: int = -128, curves: int = 1, x_type: int = 13,
    sub_exponent: int = 0, short: bool = False,
) -> bytes:  # fmt: skip
    """A new-format SPC file; every curve is ``Y`` times its number."""
    n = Y.size
    version = 0x4B if order == "<" else 0x4C
    head = struct.pack(order + "4BI2dI4BI", flags, version, 11, exponent & 0xFF, n, 100.0, 400.0,
                       curves, x_type, 4, 0, 0, 0x7E8C1234)  # fmt: skip
    data = head.ljust(88, b"\0") + b"785 nm laser".ljust(130, b"\0")
    data = data.ljust(512, b"\0")
    if flags & 0x80 and not flags & 0x40:
        data += struct.pack(order + "4f", 100, 150, 300, 400)
    for k in range(curves):
        own = sub_exponent if flags & 4 else exponent
        data += struct.pack(order + "BbHfffIIf4x", 0, own, k, float(k), 0, 0, n, 0, 0)
        if flags & 0x40:
            data += struct.pack(order + "4f", 100 + k, 150 + k, 300 + k, 400 + k)
        values = Y * (k + 1)
        if own == -128:
            data += values.astype(order + "f4").tobytes()
        else:
            bits = 16 if short else 32
            whole = np.round(np.ldexp(values, bits - own)).astype(order + f"i{bits // 8}")
            data += whole.tobytes()
    return data


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"exponent": 12},
        {"exponent": 12, "flags": 1, "short": True},
        {"flags": 0x80},
        {"flags": 4, "curves": 3, "exponent": 3, "sub_exponent": 14},
        {"flags": 4 | 0x80, "curves": 2, "sub_exponent": -128},
        {"flags": 4 | 0x40 | 0x80, "curves": 2, "sub_exponent": -128},
    ],
)
def test_spc(tmp_path: Path, order: str, options: dict) -> None:
    path = tmp_path / "a.spc"
    path.write_bytes(spc(order, **options))
    found = registry.read(path)
    assert len(found) == options.get("curves", 1)
    for k, spectrum in enumerate(found):
        assert np.allclose(spectrum.y, Y * (k + 1), rtol=1e-3 if options.get("short") else 1e-6)
        if options.get("flags", 0) & 0xC0:
            own = k if options["flags"] & 0x40 else 0
            assert spectrum.x.tolist() == [100 + own, 150 + own, 300 + own, 400 + own]
        else:
            assert spectrum.x.tolist() == [100, 200, 300, 400]
    assert (found[0].x_kind, found[0].modality) == (XKind.RAMAN_SHIFT, "raman")
    assert found[0].laser_nm == 785


def test_cut_spc_says_how_many_are_whole(tmp_path: Path) -> None:
    data = spc("<", flags=4, curves=3, sub_exponent=-128)
    path = tmp_path / "a.spc"
    path.write_bytes(data[:-3])
    verdict = registry.open_path(path)
    assert len(verdict.spectra) == 2
    assert any("2 of 3" in w for w in verdict.warnings)
    path.write_bytes(data[:530])
    assert "cut off" in str(registry.open_path(path).error)


def test_bruker_raw2(tmp_path: Path) -> None:
    data = b"RAW2" + struct.pack("<H", 2) + b"\0" * 162 + b"01-Jan-2001 12:00:00" + b"Cu"
    data += struct.pack("<3f", 1.5406, 1.54439, 0.5)
    data = data.ljust(256, b"\0")
    for k in (1, 2):
        head = struct.pack("<2H4x3f", 48, 4, 1.0, 0.02, 10.0 * k).ljust(48, b"\0")
        data += head + (np.abs(Y) * k).astype("<f4").tobytes()
    path = tmp_path / "a.raw"
    path.write_bytes(data)
    first, second = registry.read(path)
    assert np.allclose(second.x, 20 + 0.02 * np.arange(4), rtol=1e-6)
    assert np.allclose(second.y, np.abs(Y) * 2)
    assert first.wavelength == pytest.approx((1.5406 + 0.5 * 1.54439) / 1.5, rel=1e-6)
    path.write_bytes(data[:-1])
    assert "cut off" in str(registry.open_path(path).error)


def test_philips_rd_v5(tmp_path: Path) -> None:
    data = bytearray(810)
    data[:4] = b"V5RD"
    struct.pack_into("<3d", data, 94, 1.54056, 1.54439, 0.5)
    struct.pack_into("<3d", data, 214, 0.5, 10.0, 12.0)
    data += np.array([10, 20, 30, 100, 50], dtype="<u2").tobytes()
    path = tmp_path / "a.rd"
    path.write_bytes(data)
    (found,) = registry.read(path)
    assert found.x.tolist() == [10, 10.5, 11, 11.5, 12]
    assert found.y.tolist() == [1, 4, 9, 100, 25]
    path.write_bytes(data[:-4])
    assert any("promises 5 points" in w for w in registry.open_path(path).warnings)


def wdf(count: int, whole: int | None = None) -> bytes:
    """A WDF file of ``count`` spectra ``Y``, of which ``whole`` are there."""
    head = bytearray(512)
    head[:4] = b"WDF1"
    struct.pack_into("<Q", head, 8, 512)
    struct.pack_into("<I2Q", head, 60, Y.size, count, count)
    struct.pack_into("<f", head, 156, 1e7 / 785)
    head[240:247] = b"calcite"

    def block(name: bytes, body: bytes) -> bytes:
        return struct.pack("<4sIQ", name, 0, 16 + len(body)) + body

    x = struct.pack("<2I4f", 1, 1, 400, 300, 200, 100)
    data = Y.astype("<f4").tobytes() * count
    blocks = block(b"XLST", x) + block(b"YLST", struct.pack("<2If", 2, 6, 0)) + block(b"DATA", data)
    full = bytes(head) + blocks
    return full if whole is None else full[: len(full) - (count - whole) * 16 + 3]


def test_wdf_values_units_and_laser(tmp_path: Path) -> None:
    path = tmp_path / "a.wdf"
    path.write_bytes(wdf(1))
    (found,) = registry.read(path)
    assert found.x.tolist() == [100, 200, 300, 400]
    assert found.y.tolist() == Y[::-1].tolist()
    assert found.laser_nm == pytest.approx(785, rel=1e-6)
    assert found.metadata["title"] == "calcite"


def test_cut_wdf_says_how_many_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.wdf"
    path.write_bytes(wdf(5, 3))
    verdict = registry.open_path(path)
    assert len(verdict.spectra) == 3
    assert any("3 of 5" in w for w in verdict.warnings)


def test_map_larger_than_it_is_made_at_once_stays_lazy(tmp_path: Path) -> None:
    path = tmp_path / "map.wdf"
    path.write_bytes(wdf(1000))
    verdict = registry.open_path(path)
    assert not isinstance(verdict.spectra, tuple)
    assert len(verdict.spectra) == 1000
    assert verdict.spectra[999].y.tolist() == Y[::-1].tolist()


def test_philips_step_too_small_to_count_by_is_refused(tmp_path: Path) -> None:
    data = bytearray(900)
    data[:4] = b"V3RD"
    struct.pack_into("<3d", data, 214, 5e-315, 0.0, 1.5)
    path = tmp_path / "a.rd"
    path.write_bytes(data)
    assert "claims angles" in str(registry.open_path(path).error)


def stoe(ranges: int, dtype: str, factor: float = 0.0) -> bytes:
    """A STOE file of equal ranges, from its description."""
    counts = np.array([5, 9, 300, 7], dtype=dtype)
    head = bytearray(512)
    head[:14], head[32:38] = b"RAW_1.06Powdat", b"quartz"
    struct.pack_into("<2f", head, 322, 1.54056, 1.54439)
    struct.pack_into("<2h", head, 376, ranges, ranges)
    struct.pack_into("<i", head, 466, 4 * ranges)
    body = b""
    for i in range(ranges):
        struct.pack_into("<h", head, 480 + 2 * i, 2 + 2 * i)
        struct.pack_into("<h", head, 496 + 2 * i, 1)
        header = bytearray(512)
        struct.pack_into("<4h", header, 32, 0, counts.size, 0, dtype == "<i2")
        struct.pack_into("<8f", header, 40, factor, 10 + i, 5, 10.6 + i, 5.3, 0.2, 0.1, 1)
        struct.pack_into("<2i", header, 120, int(counts.min()), int(counts.max()))
        body += bytes(header) + counts.tobytes().ljust(512, b"\0")
    return bytes(head) + body


def test_stoe_ranges_and_factor(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(stoe(2, "<i4", 2.0))
    first, second = registry.read(path)
    assert first.x == pytest.approx([10, 10.2, 10.4, 10.6])
    assert second.x[0] == 11
    assert first.y.tolist() == [2.5, 4.5, 150, 3.5]
    assert first.wavelength == pytest.approx(1.541837, abs=1e-5)
    assert first.sample == "quartz"


def test_stoe_counts_that_contradict_their_header_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    data = stoe(1, "<i4")
    path.write_bytes(data[:1024] + bytes(8) + data[1032:])
    assert "its header says 5 to 300" in str(registry.open_path(path).error)


def rigaku(counts: np.ndarray, begin: int) -> bytes:
    """A binary Rigaku file without tags, whose counts begin at a byte."""
    head = bytearray(begin)
    head[:2] = b"FI"
    struct.pack_into("<2d", head, 984, 1.54056, 1.54439)
    struct.pack_into("<4f", head, 3000, 2, 20, 20 + 0.5 * (counts.size - 1), 0.5)
    return bytes(head) + counts.astype("<f4").tobytes()


@pytest.mark.parametrize("begin", [3058, 3074])
def test_rigaku_raw_where_its_size_tells_the_form(tmp_path: Path, begin: int) -> None:
    path = tmp_path / "a.raw"
    data = rigaku(np.array([3, 8, 700, 5]), begin)
    path.write_bytes(data)
    (found,) = registry.read(path)
    assert found.x.tolist() == [20, 20.5, 21, 21.5]
    assert found.y.tolist() == [3, 8, 700, 5]
    assert found.wavelength == pytest.approx(1.541837, abs=1e-5)
    for wrong in (data + bytes(4), data[:-4]):
        path.write_bytes(wrong)
        assert "Rigaku RAW" in str(registry.open_path(path).error)


def rigaku_tagged(ranges: list[tuple[float, float, list[float]]]) -> bytes:
    """A binary Rigaku file of tagged blocks: start, step and counts of each range."""
    data = bytearray(2136)
    data[:6] = b"FI\0\0\xd8\x07"
    struct.pack_into("<2d", data, 1212, 1.54056, 1.54439)
    for start, step, counts in ranges:
        part = bytearray(1002)
        part[:4] = b"PI\0\0"
        struct.pack_into("<4f", part, 822, 1.5, start, start + step * (len(counts) - 1), step)
        n = len(counts)
        data += part + struct.pack("<4s4I", b"DA\0\0", 2008, 4 * n + 8, 0, n)
        data += np.array(counts, "<f4").tobytes()
    return bytes(data)


TAG_AS_A_COUNT = np.frombuffer(b"DA\0\0PI\0\0", "<f4").tolist()


def test_rigaku_raw_of_several_ranges(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    data = rigaku_tagged([(20, 0.5, [3, *TAG_AS_A_COUNT, 5]), (60, -0.25, [1, 2, 9])])
    path.write_bytes(data)
    first, second = registry.read(path)
    assert first.x.tolist() == [20, 20.5, 21, 21.5]
    assert first.y.tolist() == [3, *TAG_AS_A_COUNT, 5]
    assert (second.x.tolist(), second.y.tolist()) == ([59.5, 59.75, 60], [9, 2, 1])
    assert first.wavelength == pytest.approx(1.541837, abs=1e-5)
    assert first.metadata["Seconds per step"] == 1.5
    path.write_bytes(data[:-4])
    verdict = registry.open_path(path)
    assert [len(s) for s in verdict.spectra] == [4, 2]
    assert "the last range has 2 of 3 counts" in verdict.warnings[0]
    path.write_bytes(data[:2500])
    assert "is cut off" in str(registry.open_path(path).error)


def compound(streams: dict[str, bytes]) -> bytes:
    """A compound document: one sector table, a directory in a chain, every stream in sectors."""
    parts = [p.split("/") for p in streams]
    storages = dict.fromkeys("/".join(p[:i]) for p in parts for i in range(1, len(p)))
    names = ["", *storages, *streams]
    size = 512
    directory = -(-len(names) * 128 // size)
    fat = [*range(1, directory), -2, -3]
    body, entries = b"", b""
    for number, path in enumerate(names):
        homes = [n.rpartition("/")[0] if n else None for n in names]
        inside = [i for i, home in enumerate(homes) if home == path]
        siblings = [i for i, home in enumerate(homes) if home == homes[number] and i > number]
        start, length = -2, 0
        if path in streams:
            start, length = len(fat), max(len(streams[path]), 4096)
            sectors = -(-length // size)
            fat += [*range(start + 1, start + sectors), -2]
            body += streams[path].ljust(sectors * size, b"\0")
        kind = 5 if not path else 2 if path in streams else 1
        name = (path.rpartition("/")[2] or "Root Entry").encode("utf-16-le")
        entries += struct.pack(
            "<64sHBB3i36xiI4x", name, len(name) + 2, kind, 1, -1,
            siblings[0] if siblings else -1, inside[0] if inside else -1, start, length,
        )  # fmt: skip
    magic, end = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0xFFFFFFFE
    head = struct.pack("<8s16x5H6x8I", magic, 62, 3, 0xFFFE, 9, 6, 0, 1, 0, 0, 4096, end, 0, end)
    head += struct.pack("<I109i", 0, directory, *[-1] * 108)
    return (
        head + entries.ljust(directory * size, b"\0")
        + struct.pack("<128i", *fat, *[-1] * (128 - len(fat))) + body
    )  # fmt: skip


def test_shimadzu_data_sets_of_a_compound_document(tmp_path: Path) -> None:
    x, y = np.linspace(800, 200, 512), np.arange(512.0)
    sets = {}
    for number, unit in ((1, b"Absorbance"), (2, b"Transmittance")):
        folder = f"DataStorage1/DataSetGroup/DataSet{number}"
        mode = b"\x03[A]" + struct.pack("<I", 1) + b"\x0fMeasuring Mode:"
        about = b"\x03Raw" + bytes(4) + struct.pack("<d", 43873.5)
        sets |= {
            f"{folder}/DataSpectrumStorage/Data/X Data.1": x.tobytes(),
            f"{folder}/DataSpectrumStorage/Data/Y Data.1": (y * number).tobytes(),
            f"{folder}/DataSetHeaderInfo": about,
            f"{folder}/MethodStorage/PageTexts2": bytes(8) + mode + bytes([len(unit)]) + unit,
        }
    path = tmp_path / "a.spc"
    data = compound(sets)
    path.write_bytes(data)
    verdict = registry.open_path(path)
    assert verdict.format == "Shimadzu UVProbe (.spc)"
    found = {s.y_unit: s for s in verdict.spectra}
    assert set(found) == {"absorbance", "%T"}
    assert found["%T"].x.tolist() == x[::-1].tolist()
    assert found["%T"].y.tolist() == (2 * y[::-1]).tolist()
    assert found["absorbance"].metadata["Date"] == "2020-02-12T12:00:00"
    for cut in range(0, len(data), 97):
        path.write_bytes(data[:cut])
        verdict = registry.open_path(path)
        assert verdict.error is not None or verdict.warnings
        assert "unknown variant" not in str(verdict.error)
