"""Verdicts on files, folders and archives; what must never happen."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Cancelled, ReadError, SpectrogenError, WriteError
from spectrogen_app.io import registry
from spectrogen_app.io.base import Reader, Source, SpectrumList
from spectrogen_app.io.readers.text import TextReader
from spectrogen_app.io.sanity import check_spectrum

GOOD = b"Raman shift (cm-1),Intensity\n100,1\n101,2\n102,3\n"


def test_folder_in_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", ".hidden.csv", "sub/c.csv", ".git/d.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(GOOD)
    verdicts = list(registry.open_paths([tmp_path]))
    assert [v.path.relative_to(tmp_path).as_posix() for v in verdicts] == [
        "a.csv", "b.csv", "sub/c.csv",
    ]  # fmt: skip
    assert all(v.ok for v in verdicts)


def test_nothing_is_dropped_silently(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(GOOD)
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (tmp_path / "empty").mkdir()
    verdicts = list(registry.open_paths([tmp_path, tmp_path / "missing.txt", tmp_path / "empty"]))
    assert [v.ok for v in verdicts] == [True, False, False, False]
    assert "PNG" in str(verdicts[1].error)
    assert "does not exist" in str(verdicts[2].error)
    assert "holds no files" in str(verdicts[3].error)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_linked_folder_is_said_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(GOOD)
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    verdicts = list(registry.open_paths([tmp_path]))
    assert sorted(v.ok for v in verdicts) == [False, True]
    assert any("link to a folder" in str(v.error) for v in verdicts)


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    if os.geteuid() == 0:
        real = os.scandir

        def deny(path: object) -> object:
            if str(path) == str(folder):
                raise PermissionError(13, "Permission denied", str(folder))
            return real(path)

        monkeypatch.setattr(os, "scandir", deny)
    else:
        folder.chmod(0)
    (verdict,) = registry.open_paths([folder])
    assert "permission" in str(verdict.error)


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("number", [32, 33])
def test_held_by_another_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, at_once: bool
) -> None:
    """Windows answers so when a file, or a part of it, is locked."""
    path = tmp_path / "a.csv"
    path.write_text("Raman shift (cm-1),Counts\n" + "\n".join(f"{i},{i}" for i in range(20_000)))
    opened = Path.open
    times = []

    def held(self: Path, *args: str) -> object:
        times.append(self)
        if at_once or len(times) == 2:
            error = PermissionError(13, "The process cannot access the file")
            error.winerror = number  # type: ignore[attr-defined]
            raise error
        return opened(self, *args)

    monkeypatch.setattr(Path, "open", held)
    error = registry.open_path(path).error
    assert error is not None
    assert "held by another program" in error.message
    assert "wait until the measurement has ended" in error.hint


def test_a_drive_that_fails_while_a_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y\n1,2\n2,3\n3,4\n")

    def fails(self: Source) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Source, "data", property(fails))
    error = registry.open_path(path).error
    assert error is not None
    assert "could not be read: Input/output error" in error.message


def writes_on(monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object]) -> None:
    """Let another program change a file just after it was opened."""
    begin = Source.__init__

    def opened(self: Source, path: Path, data: bytes | None = None) -> None:
        begin(self, path, data)
        if data is None:
            change(path)

    monkeypatch.setattr(Source, "__init__", opened)


def append(path: Path, more: bytes) -> None:
    with path.open("ab") as stream:
        stream.write(more)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_text_that_grows_is_read_as_far_as_its_lines_are_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, streamed: bool
) -> None:
    rows = [(100.0 + i, i % 7) for i in range(20_000)]
    path = tmp_path / "a.txt"
    text = "\n".join(f"{x:g}\t{y}" for x, y in rows) + "\n200000\t1"
    path.write_bytes(text.encode(encoding))
    later = "234.5\n300000\t5".encode(encoding.replace("16", "16-le"))
    writes_on(monkeypatch, lambda p: append(p, later))
    if streamed:
        monkeypatch.setattr("spectrogen_app.io.readers.text.BLOCK", 1 << 16)
        rows.append((200_000, 1234.5))
    verdict = registry.open_path(path)
    assert verdict.ok, verdict.error
    found = verdict.spectra[0]
    assert (len(found), found.x[-1], found.y[-1]) == (len(rows), *rows[-1])
    assert any("still being written" in w for w in verdict.warnings)


def test_a_binary_that_grows_is_read_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.nxs"
    registry.write(Spectrum([1, 2, 3], [4, 5, 6], "raman", "raman_shift"), path)
    writes_on(monkeypatch, lambda p: append(p, bytes(5000)))
    verdict = registry.open_path(path)
    assert len(verdict.spectra[0]) == 3
    assert any("still being written" in w for w in verdict.warnings)


def test_a_file_that_becomes_shorter_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n".join(f"{100 + i}\t{i % 7}" for i in range(20_000)))
    writes_on(monkeypatch, lambda p: p.write_bytes(b""))
    error = registry.open_path(path).error
    assert error is not None
    assert "became shorter while it was read" in error.message


def test_zip_members_and_their_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one/a.csv", GOOD)
        archive.writestr("../outside.csv", GOOD)
        archive.writestr("/etc/absolute.csv", GOOD)
        archive.writestr("__MACOSX/._a.csv", b"junk")
        archive.writestr("inner.zip", _zip_bytes(tmp_path))
        archive.writestr("bomb.csv", b"0" * (1 << 25))
    verdicts = {v.path.name: v for v in registry.open_paths([path])}
    assert verdicts["a.csv"].ok
    assert verdicts["a.csv"].path == path / "one" / "a.csv"
    assert "outside" in str(verdicts["outside.csv"].error)
    assert "outside" in str(verdicts["absolute.csv"].error)
    assert "archive within" in str(verdicts["inner.zip"].error)
    assert not verdicts["bomb.csv"].ok
    assert len(verdicts) == 5
    monkeypatch.setattr(registry, "MAX_RATIO", 100)
    verdicts = {v.path.name: v for v in registry.open_paths([path])}
    assert "would unpack" in str(verdicts["bomb.csv"].error)


def _zip_bytes(folder: Path) -> bytes:
    with zipfile.ZipFile(folder / "inner.zip", "w") as archive:
        archive.writestr("x.csv", GOOD)
    return (folder / "inner.zip").read_bytes()


def test_one_verdict_for_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", GOOD)
        archive.writestr("b.csv", GOOD)
        archive.writestr("c.txt", b"no numbers here")
    verdict = registry.open_path(path)
    assert len(verdict.spectra) == 2
    assert any("c.txt refused" in w for w in verdict.warnings)
    assert len(registry.read(path)) == 2


@pytest.mark.parametrize("cut", [10, 60, 200])
def test_damaged_zip_is_refused(tmp_path: Path, cut: int) -> None:
    data = _zip_bytes(tmp_path)
    (tmp_path / "cut.zip").write_bytes(data[:-cut] if cut < len(data) else data[:30])
    verdict = registry.open_path(tmp_path / "cut.zip")
    assert isinstance(verdict.error, SpectrogenError)


def test_compressed_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(GOOD))
    (found,) = registry.read(tmp_path / "a.csv.gz")
    assert found.x.tolist() == [100, 101, 102]
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(GOOD)[:-12])
    assert "unpacked" in str(registry.open_path(tmp_path / "b.csv.gz").error)


class Broken(Reader):
    name = "broken"
    label = "Broken"

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def sniff(self, source: object) -> bool:
        return True

    def read(self, source: object, *, layout: object, check: object) -> list[Spectrum]:
        raise self.error


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), MemoryError(), RecursionError("deep"), KeyError("k"), OSError(5, "I/O"),
     ZeroDivisionError(), UnicodeDecodeError("utf-8", b"", 0, 1, "bad"), StopIteration()],
)  # fmt: skip
def test_every_exception_becomes_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(registry, "READERS", (Broken(error),))
    (tmp_path / "a.csv").write_bytes(GOOD)
    verdict = registry.open_path(tmp_path / "a.csv")
    assert isinstance(verdict.error, ReadError)
    assert verdict.error.fields["path"]
    assert verdict.format == "Broken"


def test_cancel_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "READERS", (Broken(Cancelled()),))
    (tmp_path / "a.csv").write_bytes(GOOD)
    with pytest.raises(Cancelled):
        registry.open_path(tmp_path / "a.csv")


def test_next_reader_only_where_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_bytes(GOOD)
    first = Broken(ReadError("not mine"))
    monkeypatch.setattr(registry, "READERS", (first, TextReader()))
    assert "not mine" in str(registry.open_path(tmp_path / "a.csv").error)
    monkeypatch.setattr(Broken, "others_may_try", True)
    assert registry.open_path(tmp_path / "a.csv").ok


def test_lazy_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Map(Broken):
        def read(self, source: object, *, layout: object, check: object) -> SpectrumList:
            def make(i: int) -> Spectrum:
                made.append(i)
                return Spectrum([1.0, 2.0], [i, i], modality="raman")

            return SpectrumList(1000, make)

    monkeypatch.setattr(registry, "READERS", (Map(ReadError("")),))
    (tmp_path / "a.map").write_bytes(GOOD)
    verdict = registry.open_path(tmp_path / "a.map")
    assert len(verdict.spectra) == 1000
    assert len(made) <= 60
    assert verdict.spectra[-1].y[0] == 999
    assert verdict.spectra[7].provenance.index == 7
    assert len(verdict.spectra[2:5]) == 3


@pytest.mark.parametrize(
    ("x", "y", "modality"),
    [
        ([5e97, 6e97], [1, 2], "xrd"),
        ([10, 400], [1, 2], "xrd"),
        ([-5, 500], [1, 2], "emission"),
        ([1, 2], [1, 1e30], "raman"),
        ([100, 1e6], [1, 2], "raman"),
        (np.arange(1.0, 21), [np.float32(1e-40)] * 10 + [5.0] * 10, "raman"),
    ],
)
def test_insane_numbers_are_refused(x: object, y: object, modality: str) -> None:
    with pytest.raises(ReadError):
        check_spectrum(Spectrum(x, y, modality=modality))  # type: ignore[arg-type]


def test_unknown_extension_for_writing(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="no format"):
        registry.write(Spectrum([1, 2], [3, 4]), tmp_path / "a.docx")
    with pytest.raises(WriteError):
        registry.write_many([], tmp_path / "a.csv")


def test_import_is_light() -> None:
    code = (
        "import sys; import spectrogen_app.io.registry; "
        "print([m for m in ('h5py', 'gemmi', 'openpyxl', 'torch', 'PySide6', 'pandas', 'lmfit', "
        "'brukeropus', 'renishawWiRE', 'defusedxml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_table_of_formats_tells_what_is_read_and_written() -> None:
    table = registry.formats()
    assert len({f.name for f in table}) == len(table)
    assert {f.label for f in table if f.writes} == {
        "SpectroGen CSV", "JCAMP-DX", "NeXus / HDF5", "Excel workbook",
    }  # fmt: skip
    assert all(f.vendors and f.tested_on for f in table if f.reads)
    assert any(not f.reads for f in table)


ENTITIES = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">'
    '<!ENTITY c SYSTEM "file:///etc/passwd">]>'
)


def test_xml_entities_are_never_followed(tmp_path: Path) -> None:
    path = tmp_path / "a.xrdml"
    path.write_text(
        ENTITIES + '<xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/1.5">'
        "<sample><name>&b;&c;</name></sample></xrdMeasurements>"
    )
    verdict = registry.open_path(path)
    assert "entities" in str(verdict.error)


def test_member_of_a_format_that_unpacks_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spectrogen_app.io.safe.MAX_UNPACKED", 1 << 20)
    path = tmp_path / "a.brml"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Experiment0/RawData0.xml", b" " * (1 << 22))
        archive.writestr("experimentCollection.xml", b"<x/>")
    assert not registry.open_path(path).ok


def test_compressed_file_is_named_and_hashed_as_it_lies_there(tmp_path: Path) -> None:
    import hashlib

    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(GOOD))
    verdict = registry.open_path(path)
    assert verdict.path == path
    assert verdict.spectra[0].provenance.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.uxd", "; made\n_FILEVERSION=2\n_SAMPLE='a'\n_DRIVE='COUPLED'\n_STEPSIZE=0.02&0\n"
                  "_START=10\n_COUNTS\n1 2 3 4 5\n", "start and step"),
        ("a.dat", "*TYPE = Raw\n*CLASS = Standard\n*BEGIN\n*START = 10\n*STEP = 0.02\n*COUNT = 4\n"
                  "1, 2, 0..0, 4\n*END\n", "no numbers"),
        ("a.gsa", "made\nBANK 1 3 3 CONS 1000 2 0 0 FXYE\n1000 5 1\n1002 5..6 1\n1004 7 1\n",
         "else than numbers"),
        ("a.cif", "data_a\n_symmetry_Int_Tables_number 22~\n_cell_length_a 5\nloop_\n"
                  "_atom_site_label\n_atom_site_fract_x\nSi 0\n", "structure that cannot be read"),
    ],
)  # fmt: skip
def test_what_fuzzing_found_is_refused_with_its_reason(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_text(content)
    error = registry.open_path(path).error
    assert error is not None
    assert said in error.message


@pytest.mark.parametrize("backwards", [False, True])
def test_points_that_repeat_x_are_kept_apart(tmp_path: Path, backwards: bool) -> None:
    rows = [(200.0, 1.0), (201.0, 2.0), (201.0, 5.0), (201.0, 3.0), (202.0, 4.0), (203.0, 4.0)]
    rows += [(203.0, 9.0)]
    written = rows[::-1] if backwards else rows
    (tmp_path / "a.csv").write_text("\n".join(f"{x},{y}" for x, y in written))
    verdict = registry.open_path(tmp_path / "a.csv")
    found = verdict.spectra[0]
    assert found.y.tolist() == [y for _, y in rows]
    np.testing.assert_allclose(found.x, [x for x, _ in rows], rtol=1.1e-7)
    assert np.all(np.diff(found.x) > 0)
    assert any("3 points repeat" in w for w in verdict.warnings)


def test_a_table_that_mostly_repeats_x_is_averaged(tmp_path: Path) -> None:
    rows = [(200 + i // 4, i) for i in range(40)]
    (tmp_path / "a.csv").write_text("\n".join(f"{x},{y}" for x, y in rows))
    found = registry.open_path(tmp_path / "a.csv").spectra[0]
    assert found.x.tolist() == list(range(200, 210))
    assert found.y[0] == 1.5
