"""``convert --to``: many files into a folder; ``inspect --formats``."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

import spectrogen_app as sg
from spectrogen_app.io.registry import READERS, WRITERS

ROWS = "".join(f"{100 + 10 * i},{i % 7}\n" for i in range(40))


@pytest.fixture
def mixed(tmp_path: Path, examples: Path) -> Path:
    """A folder with equal names, a bad file, a folder within and an archive."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.csv", "a.txt", "sub/a.csv", "CON.csv"):
        (folder / name).write_text("Raman shift (cm-1),Intensity\n" + ROWS)
    (folder / "bad.spc").write_bytes(b"\x4d\x4b" + bytes(600))
    (folder / "quartz.csv").write_bytes((examples / "quartz_raman.csv").read_bytes())
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.writestr("deep/a.csv", "Raman shift (cm-1),Intensity\n" + ROWS)
        archive.writestr("empty.csv", "")
    return folder


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("extension", sorted(WRITERS))
def test_every_format_is_written_and_read_back(cli, mixed, tmp_path, extension) -> None:
    out = tmp_path / "out"
    ran = cli("convert", mixed / "quartz.csv", "--to", extension.lstrip("."), "--out", out)
    assert ran.code == 0
    (spectrum,) = sg.read(out / f"quartz{extension}")
    before = sg.read(mixed / "quartz.csv")[0]
    np.testing.assert_array_equal(spectrum.x, before.x)
    np.testing.assert_array_equal(spectrum.y, before.y)


def test_a_bad_file_stops_no_other_and_names_never_collide(cli, mixed, tmp_path) -> None:
    out = tmp_path / "out"
    arguments = ("convert", mixed, tmp_path / "more.zip", tmp_path / "gone", "--to", ".JDX",
                 "--out", out, "--json")  # fmt: skip
    ran = cli(*arguments)
    assert ran.code == 1
    done = json.loads(ran.out)
    assert len(done) == 9
    assert sorted(Path(d["file"]).name for d in done if not d["ok"]) == [
        "bad.spc", "empty.csv", "gone",
    ]  # fmt: skip
    written = files(out)
    assert written == ["_CON.jdx", "a.jdx", "a_txt.jdx", "more/deep/a.jdx", "quartz.jdx",
                       "sub/a.jdx"]  # fmt: skip
    assert sorted(d["out"] for d in done if d["ok"]) == [str(out / w) for w in written]
    assert all(e in ran.err for e in ("bad.spc", "empty.csv", "gone"))
    again = json.loads(cli(*arguments).out)
    assert [d["out"] for d in again] == [d["out"] for d in done]
    assert files(out) == written


def test_two_folders_with_the_same_names(cli, mixed, tmp_path) -> None:
    out = tmp_path / "out"
    ran = cli("convert", mixed / "a.csv", mixed / "sub" / "a.csv", mixed / "a.txt", "--to", "csv",
              "--out", out)  # fmt: skip
    assert ran.code == 0
    assert files(out) == ["a.csv", "a_csv.csv", "a_txt.csv"]
    assert ran.out.endswith(f"3 of 3 files written to {out}\n")


def test_a_source_is_never_replaced(cli, mixed) -> None:
    before = {name: (mixed / name).read_bytes() for name in files(mixed)}
    assert cli("convert", mixed / "a.csv", "--to", "csv", "--out", mixed).code == 0
    assert (mixed / "a_csv.csv").exists()
    whole = cli("convert", mixed, "--to", "csv", "--out", mixed)
    assert whole.code == 1
    assert "Choose another folder" in whole.err
    for name, content in before.items():
        assert (mixed / name).read_bytes() == content


def test_outputs_within_the_sources_are_not_converted_again(cli, mixed) -> None:
    (mixed / "bad.spc").unlink()
    for _ in range(2):
        assert cli("convert", mixed, "--to", "csv", "--out", mixed / "new").code == 0
        assert files(mixed / "new") == ["_CON.csv", "a.csv", "a_txt.csv", "quartz.csv",
                                        "sub/a.csv"]  # fmt: skip


def test_wrong_arguments(cli, mixed, tmp_path) -> None:
    assert cli("convert", mixed / "a.csv", "--to", "pdf", "--out", tmp_path).code == 2
    two = cli("convert", mixed / "a.csv", mixed / "a.txt", "--out", tmp_path / "x.csv")
    assert two.code == 2
    assert "--to" in two.err
    (tmp_path / "file").write_text("in the way")
    blocked = cli("convert", mixed / "a.csv", "--to", "csv", "--out", tmp_path / "file")
    assert blocked.code == 1
    assert "could not be written" in blocked.err


def test_one_file_by_name_as_json(cli, mixed, tmp_path) -> None:
    ran = cli("convert", mixed / "a.csv", "--out", tmp_path / "b.jdx", "--json")
    (one,) = json.loads(ran.out)
    assert ran.code == 0
    assert (one["out"], one["n_spectra"], one["ok"]) == (str(tmp_path / "b.jdx"), 1, True)


def test_the_table_of_formats(cli) -> None:
    listed = json.loads(cli("inspect", "--formats", "--json").out)
    assert [f["name"] for f in listed] == [r.name for r in READERS]
    assert {f["label"] for f in listed if f["writes"]} == {label for label, _ in WRITERS.values()}
    text = cli("inspect", "--formats").out
    assert all(r.label in text for r in READERS)
    assert cli("inspect").code == 2
