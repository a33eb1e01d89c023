"""The recipes of what is shipped hold together, so that they cannot rot between releases."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"packaging_{name}", PACKAGING / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tool(name: str) -> str:
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def test_version_has_one_source_and_a_changelog_entry() -> None:
    import spectrogen_app

    build = load("build")
    assert build.version() == spectrogen_app.__version__
    build.check_changelog()


def test_windows_installer_compiles(tmp_path: Path) -> None:
    payload = tmp_path / "payload"
    (payload / "_internal").mkdir(parents=True)
    (payload / "SpectroGen.exe").write_bytes(b"placeholder")
    (payload / "_internal" / "library.dll").write_bytes(b"placeholder")
    output = tmp_path / "SpectroGen-setup.exe"
    done = subprocess.run(
        [tool("makensis"), "-V2", "-WX", "-DVERSION=1.2.3", f"-DPAYLOAD={payload}",
         f"-DICON={ROOT / 'resources/icons/spectrogen.ico'}", f"-DOUTPUT={output}",
         str(PACKAGING / "windows" / "installer.nsi")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert output.read_bytes()[:2] == b"MZ"


def test_desktop_file_is_valid() -> None:
    desktop = next((PACKAGING / "linux").glob("*.desktop"))
    subprocess.run([tool("desktop-file-validate"), str(desktop)], check=True)


def test_appstream_data_is_valid(tmp_path: Path) -> None:
    build = load("build")
    text = next((PACKAGING / "linux").glob("*.metainfo.xml")).read_text("utf-8")
    filled = tmp_path / f"{build.APP_ID}.metainfo.xml"
    filled.write_text(text.replace("@VERSION@", "1.2.3").replace("@DATE@", "2026-01-31"), "utf-8")
    subprocess.run([tool("appstreamcli"), "validate", "--no-net", str(filled)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="the starter is for Linux")
@pytest.mark.parametrize(
    ("machine", "libc", "says"),
    [
        ("riscv128", "2.17", "is for riscv128 processors"),
        ("@MACHINE@", "99.1", "needs the GNU C library 99.1 or later"),
    ],
)
def test_starter_says_why_a_system_is_not_supported(
    tmp_path: Path, machine: str, libc: str, says: str
) -> None:
    import platform

    text = (PACKAGING / "linux" / "spectrogen.sh").read_text("utf-8")
    machine = platform.machine() if machine == "@MACHINE@" else machine
    starter = tmp_path / "spectrogen"
    starter.write_text(text.replace("@MACHINE@", machine).replace("@GLIBC@", libc), "utf-8")
    done = subprocess.run(
        ["sh", str(starter)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 1
    assert says in done.stderr


def test_damaged_installation_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build, launch = load("build"), load("launch")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "whole.txt").write_text("whole", "utf-8")
    (tmp_path / "gone.txt").write_text("gone", "utf-8")
    build.write_manifest(tmp_path)
    monkeypatch.setattr(launch, "BUNDLE", tmp_path)
    assert launch.damage() == []
    (tmp_path / "gone.txt").unlink()
    (tmp_path / "sub" / "whole.txt").write_text("cut", "utf-8")
    assert launch.damage() == ["gone.txt", "sub/whole.txt"]


def test_bill_of_materials_and_licences(tmp_path: Path) -> None:
    pytest.importorskip("packaging.requirements")
    build = load("build")
    build.write_sbom(tmp_path / "sbom.json")
    made = json.loads((tmp_path / "sbom.json").read_text("utf-8"))
    names = {c["name"].lower() for c in made["components"]}
    assert {"numpy", "torch", "lmfit", "pyside6_essentials", "cpython"} <= names
    for component in made["components"]:
        licence = str(component["licenses"])
        assert "GPL" not in licence or "LGPL" in licence, component
    build.collect_licences(tmp_path / "licences")
    assert (tmp_path / "licences" / "numpy" / "LICENSE.txt").is_file()
