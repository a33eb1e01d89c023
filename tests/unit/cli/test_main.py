"""Exit codes, help, and one readable line for every error."""

import re
import sys
from pathlib import Path

import pytest

from spectrogen_app.cli.main import COMMANDS


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_helps_with_examples(cli, command: str) -> None:
    ran = cli(command, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"usage: spectrogen {command}")
    assert "examples:" in ran.out


def test_the_program_helps(cli) -> None:
    ran = cli("--help")
    assert ran.code == 0
    assert all(command in ran.out for command in COMMANDS)


def test_version(cli) -> None:
    assert re.fullmatch(r"SpectroGen \d+\.\d+\.\d+\n", cli("--version").out)


@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect",),
        ("inspect", "--unknown"),
        ("generate", "x.csv", "--out", "d"),
        ("generate", "x.csv", "--to", "nmr", "--out", "d"),
        ("generate", "x.csv", "--to", "ir"),
        ("generate", "x.csv", "--to", "ir", "--out", "d", "--seed", "many"),
        ("generate", "x.csv", "--to", "ir", "--out", "d", "--device", "tpu"),
        ("generate", "x.csv", "--to", "ir", "--out", "d", "--formula", "SiO2x"),
        ("convert", "x.csv"),
        ("--to", "nmr"),
        ("--nonsense",),
    ],
)
def test_wrong_arguments_are_one_line_and_2(cli, arguments: tuple[str, ...]) -> None:
    ran = cli(*arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert len(ran.err.splitlines()) == 1
    assert ran.err.startswith("spectrogen")


def test_the_place_of_a_wrong_formula_is_named(cli) -> None:
    ran = cli("generate", "x.csv", "--to", "ir", "--out", "d", "--formula", "SiO2x")
    assert "character 5" in ran.err


def test_files_open_the_window(cli, desktop, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("spectrogen_app.cli.window.has_display", lambda: True)
    monkeypatch.setattr("spectrogen_app.cli.window.require_qt", lambda window=True: None)
    assert cli(tmp_path / "a.csv", "--to", "ir").code == 0
    assert desktop.opened == [([tmp_path / "a.csv"], ["ir"])]


@pytest.fixture
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_display", "model")
def test_without_a_display_the_job_is_done(cli, desktop, examples: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = cli(examples / "quartz_raman.csv", examples / "quartz_ir.jdx", "--out", out)
    assert ran.code == 0
    assert sorted(p.name for p in out.iterdir()) == ["Quartz.xrd.csv"]
    assert desktop.pictures == [out / "Quartz.png"]
    assert str(out / "Quartz.xrd.csv") in ran.out
    assert str(out / "Quartz.png") in ran.out


@pytest.mark.usefixtures("no_display", "model")
def test_without_a_display_measured_targets_are_compared(
    cli, examples: Path, tmp_path: Path
) -> None:
    files = [examples / f"quartz_{n}" for n in ("raman.csv", "ir.jdx", "xrd.xy")]
    ran = cli(*files, "--to", "ir", "--out", tmp_path)
    assert ran.code == 0
    assert re.search(r"against Quartz: r -?\d\.\d{3}, RMSE \d\.\d{3}, peak F1", ran.out)


@pytest.mark.usefixtures("no_display")
def test_without_a_display_and_files(cli) -> None:
    ran = cli()
    assert ran.code == 2
    assert "no display" in ran.err


@pytest.mark.usefixtures("no_display", "model")
def test_without_a_display_a_bad_file(cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("nothing of the kind")
    ran = cli(tmp_path / "a.txt", "--out", tmp_path)
    assert ran.code == 1
    assert len(ran.err.splitlines()) == 1


@pytest.mark.usefixtures("no_display")
@pytest.mark.skipif(sys.platform != "linux", reason="X servers are Linux's")
def test_an_x_server_that_does_not_answer_is_no_display(cli, monkeypatch) -> None:
    monkeypatch.setenv("DISPLAY", ":12345")
    ran = cli()
    assert ran.code == 2
    assert "no display" in ran.err


def test_missing_system_libraries_name_the_line_to_type(cli, monkeypatch) -> None:
    monkeypatch.setattr("spectrogen_app.cli.window.has_display", lambda: True)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(
        "spectrogen_app.cli.desktop._loads", lambda library: library != "libEGL.so.1"
    )
    ran = cli()
    assert ran.code == 1
    assert "apt-get install -y libegl1" in ran.err
    assert len(ran.err.splitlines()) == 1
