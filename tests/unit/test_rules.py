"""The rules that machines hold: style, types, layers, and nothing of one machine."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str) -> str:
    """Run a tool in the checkout; fails with its output."""
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=600,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_style() -> None:
    pytest.importorskip("ruff")
    run("-m", "ruff", "check", "--quiet", ".")


def test_types() -> None:
    pytest.importorskip("mypy")
    run("-m", "mypy")


def test_layers() -> None:
    pytest.importorskip("importlinter")
    code = "from importlinter.cli import lint_imports_command as c; c()"
    assert "0 broken" in run("-c", code)


def test_pins_stand_in_one_place() -> None:
    for name in ("requirements.txt", "environment.yml", "setup.cfg", "Pipfile", "poetry.lock"):
        assert not (ROOT / name).exists()


def test_ci_runs_the_readmes_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [line for line in readme.splitlines() if line.startswith("sh packaging/setup.sh")]
    assert len(commands) == 2, "one to run, one to test"
    assert "README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
