"""The wheel holds everything that the program needs, and the sdist what builds the wheel."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("resources", "models")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy, so that the checkout stays clean."""
    pytest.importorskip("setuptools")
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for folder in ("spectrogen_app", *KINDS):
        shutil.copytree(
            ROOT / folder, source / folder,
            ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "_bundled"),
        )  # fmt: skip
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, source)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", str(out),
         "--disable-pip-version-check", str(source)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (made,) = out.glob("*.whl")
    return made


def test_the_wheel_holds_resources_and_models(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    bundled = "spectrogen_app/_bundled"
    for kind in KINDS:
        for path in (ROOT / kind).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"{bundled}/{path.relative_to(ROOT).as_posix()}" in names
    assert any(n.endswith("entry_points.txt") for n in names)
    assert not any(n.startswith(("tests/", "packaging/")) for n in names)


def test_the_wheel_finds_its_own_files(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from spectrogen_app import paths; import spectrogen_app as sg;"
        "folder = paths.shipped('resources');"
        "print(folder); print(len(sg.read(folder / 'examples' / 'quartz_raman.csv')[0]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    folder, points = done.stdout.split("\n")[:2]
    assert Path(folder) == tmp_path / "spectrogen_app" / "_bundled" / "resources"
    assert points == "1301"
