"""``generate``: names, skipping, failures, batches."""

import json
import shutil
from pathlib import Path

import pytest

import spectrogen_app as sg
from spectrogen_app.cli.generate import file_name

pytestmark = pytest.mark.usefixtures("model")


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_one_csv_per_spectrum_and_target(cli, examples: Path, tmp_path: Path) -> None:
    ran = cli("generate", examples / "quartz_raman.csv", "--to", "ir", "--to", "xrd",
              "--out", tmp_path, "--json")  # fmt: skip
    assert ran.code == 0
    assert ran.err == ""
    assert names(tmp_path) == ["quartz_raman.ir.csv", "quartz_raman.xrd.csv"]
    first = json.loads(ran.out)[0]
    assert first["status"] == "written"
    assert first["formula"] == "SiO2", "taken from the header"
    assert first["references"] == [{"mineral": "Quartz", "id": "R040031", "weight": 1.0}]
    again = sg.read(tmp_path / "quartz_raman.ir.csv")[0]
    assert again.origin is sg.Origin.GENERATED
    assert again.provenance.generation.model_id == "fake"


def test_a_rerun_skips_what_is_done(cli, model, examples: Path, tmp_path: Path) -> None:
    arguments = ("generate", examples / "quartz_raman.csv", "--to", "ir", "--out", tmp_path)
    assert "1 written, 0 skipped, 0 failed" in cli(*arguments).out
    assert "0 written, 1 skipped, 0 failed" in cli(*arguments).out
    assert model.calls == [1]
    assert "1 written" in cli(*arguments, "--force").out
    assert "1 written" in cli(*arguments, "--seed", "7").out, "another seed is another request"
    assert "0 written, 1 skipped" in cli(*arguments, "--seed", "7").out
    assert "1 written" in cli(*arguments, "--seed", "7", "--no-formula").out
    assert names(tmp_path) == ["quartz_raman.ir.csv"]


def test_a_failure_does_not_stop_the_others(cli, examples: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    (folder / "a.txt").write_text("")
    shutil.copy(examples / "quartz_raman.csv", folder / "bad.csv")
    shutil.copy(examples / "quartz_raman.csv", folder / "good.csv")
    ran = cli("generate", folder, "--to", "ir", "--out", out)
    assert ran.code == 1
    assert "1 written, 0 skipped, 2 failed" in ran.out
    assert len(ran.err.splitlines()) == 2
    assert names(out) == ["good.ir.csv"]


def test_equal_names_do_not_collide(cli, examples: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for place, mineral in (("a", "quartz"), ("b", "zircon")):
        (tmp_path / place).mkdir()
        shutil.copy(examples / f"{mineral}_raman.csv", tmp_path / place / "sample.csv")
    for _ in range(2):
        cli("generate", tmp_path / "a", tmp_path / "b", "--to", "ir", "--out", out)
    first, second = names(out)
    assert first.startswith("sample-")
    assert second == "sample.ir.csv"
    cli("generate", tmp_path / "b", "--to", "ir", "--out", out)
    assert names(out) == [first, second], "the other source's file is left alone"


def test_a_foreign_file_in_the_way_is_kept(cli, examples: Path, tmp_path: Path) -> None:
    (tmp_path / "quartz_raman.ir.csv").write_text("mine\n1,2\n2,3\n")
    cli("generate", examples / "quartz_raman.csv", "--to", "ir", "--out", tmp_path)
    assert len(names(tmp_path)) == 2
    assert (tmp_path / "quartz_raman.ir.csv").read_text().startswith("mine")


def test_many_go_in_batches(cli, model, examples: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    lines = (examples / "quartz_raman.csv").read_text()
    for i in range(70):
        (folder / f"s{i:02}.csv").write_text(lines.replace("100,53.7", f"100,{i}"))
    ran = cli("generate", folder, "--to", "ir", "--out", tmp_path / "out")
    assert "70 written" in ran.out
    assert model.calls == [64, 6]


def test_modalities_of_a_sample_together(cli, model, examples: Path, tmp_path: Path) -> None:
    files = [examples / "quartz_raman.csv", examples / "quartz_ir.jdx"]
    cli("generate", *files, "--combine", "--to", "xrd", "--out", tmp_path)
    assert names(tmp_path) == ["Quartz.xrd.csv"]
    made = sg.read(tmp_path / "Quartz.xrd.csv")[0].provenance.generation
    assert len(made.sources) == 2


def test_the_source_itself_is_no_target(cli, examples: Path, tmp_path: Path) -> None:
    ran = cli("generate", examples / "quartz_ir.jdx", "--to", "ir", "--to", "xrd",
              "--out", tmp_path)  # fmt: skip
    assert ran.code == 0
    assert "1 written, 1 skipped" in ran.out
    assert names(tmp_path) == ["quartz_ir.xrd.csv"]


def test_a_modality_given_by_the_user(cli, tmp_path: Path) -> None:
    rows = "\n".join(f"{x} {x % 7}" for x in range(2000, 3000))
    (tmp_path / "a.txt").write_text(rows)
    out = tmp_path / "out"
    ran = cli("generate", tmp_path / "a.txt", "--from", "ir", "--to", "xrd", "--out", out)
    assert ran.code == 0
    assert sg.read(out / "a.xrd.csv")[0].provenance.generation.sources[0].startswith("ir ")


def test_a_formula_that_does_not_parse_in_a_header(cli, examples: Path, tmp_path: Path) -> None:
    text = (examples / "quartz_raman.csv").read_text().replace("SiO2", "SiO2x", 1)
    (tmp_path / "a.csv").write_text(text)
    ran = cli("generate", tmp_path / "a.csv", "--to", "ir", "--out", tmp_path / "out")
    assert ran.code == 0
    assert "is not used" in ran.err


def test_nothing_can_be_written(cli, examples: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    ran = cli("generate", examples / "quartz_raman.csv", "--to", "ir", "--out", tmp_path / "file")
    assert ran.code == 1
    assert "could not be written" in ran.err


def test_an_empty_folder(cli, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    ran = cli("generate", tmp_path / "in", "--to", "ir", "--out", tmp_path / "out")
    assert ran.code == 1
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "safe"),
    [("a/b:c", "a_b_c"), ("Żółć 1", "Żółć 1"), ("...", "spectrum"), ("x" * 300, "x" * 120)],
)
def test_file_names(name: str, safe: str) -> None:
    assert file_name(name) == safe
