"""What each entry point loads: torch and Qt only where they are needed."""

import json
from pathlib import Path

import pytest

HEAVY = (
    "torch", "PySide6", "pyqtgraph", "scipy.special", "scipy.signal", "scipy.optimize", "lmfit",
    "h5py",
)  # fmt: skip
PROBE = """
import json, sys
{code}
loaded = [m for m in {heavy!r} if m in sys.modules]
print()
print(json.dumps(loaded))
"""
COMMAND = "from spectrogen_app.__main__ import main; assert main({arguments!r}) == 0"


@pytest.fixture
def loaded(run_python):
    """Heavy modules that some code has loaded, in a fresh process."""

    def run(code: str) -> list[str]:
        done = run_python("-c", PROBE.format(code=code, heavy=HEAVY))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


def test_the_package_alone_loads_nothing(loaded) -> None:
    assert loaded("import spectrogen_app") == []


def test_the_package_alone_loads_fast(run_python) -> None:
    code = (
        "import time; t = time.perf_counter(); import spectrogen_app;"
        "print(time.perf_counter() - t)"
    )
    best = min(float(run_python("-c", code).stdout) for _ in range(3))
    assert best < 0.1


def test_spectrum_needs_no_heavy_module(loaded) -> None:
    code = "import spectrogen_app as sg; sg.Spectrum([1, 2], [3, 4], modality='raman')"
    assert loaded(code) == []


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["inspect", "--help"], ["generate", "--help"],
     ["train", "--help"], ["models", "--help"]],
)  # fmt: skip
def test_help_loads_nothing(loaded, arguments: list[str]) -> None:
    assert loaded(COMMAND.format(arguments=arguments)) == []


def test_commands_that_do_not_generate_load_neither_torch_nor_qt(
    loaded, examples: Path, tmp_path: Path
) -> None:
    file = str(examples / "quartz_raman.csv")
    for arguments in (
        ["inspect", file],
        ["convert", file, "--out", str(tmp_path / "out.csv")],
        ["models"],
        ["fit", "--help"],
    ):
        found = loaded(COMMAND.format(arguments=arguments))
        assert not {"torch", "PySide6", "pyqtgraph"} & set(found), arguments


def test_the_window_comes_before_torch(loaded) -> None:
    found = loaded("from spectrogen_app.gui import application")
    assert "PySide6" in found
    assert "torch" not in found


def test_generating_without_a_window_loads_no_qt(loaded, examples: Path, tmp_path: Path) -> None:
    arguments = ["generate", str(examples / "quartz_raman.csv"), "--to", "ir", "--out",
                 str(tmp_path), "--device", "cpu"]  # fmt: skip
    found = loaded(COMMAND.format(arguments=arguments))
    assert "torch" in found
    assert not {"PySide6", "pyqtgraph"} & set(found)


def test_both_ways_to_start_are_one_program(run_python) -> None:
    done = run_python("-m", "spectrogen_app", "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("SpectroGen ")


def test_every_public_name_exists(run_python) -> None:
    done = run_python("-c", "import spectrogen_app as sg; [getattr(sg, n) for n in sg.__all__]")
    assert done.returncode == 0, done.stderr


def test_the_window_starts_without_what_it_needs_later(loaded) -> None:
    """Each of these costs a fifth of a second of the start."""
    found = loaded("from spectrogen_app.gui import application")
    assert set(found) <= {"PySide6", "pyqtgraph", "h5py"}
