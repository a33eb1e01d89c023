"""The recipes of what is shipped hold together, so that they cannot rot between releases."""

import ast
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
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


def test_signing_code_for_macos_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build, launch = load("build"), load("launch")
    program, data = tmp_path / "program", tmp_path / "data"
    program.mkdir()
    (program / "code.so").write_bytes(b"\xcf\xfa\xed\xfe code")
    data.mkdir()
    (data / "weights").write_bytes(b"numbers")
    (program / "models").symlink_to(data)
    build.write_manifest(program)
    monkeypatch.setattr(launch, "BUNDLE", program)
    (program / "code.so").write_bytes(b"\xcf\xfa\xed\xfe code and signature")
    assert launch.damage() == []
    (data / "weights").write_bytes(b"number")
    (program / "code.so").unlink()
    assert launch.damage() == ["code.so", "models/weights"]


def test_the_same_files_give_the_same_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = load("build")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    folder = tmp_path / "folder"
    (folder / "app").mkdir(parents=True)
    program = folder / "program"
    program.write_text("run", "utf-8")
    program.chmod(0o755)
    (folder / "app" / "data.txt").write_text("data", "utf-8")
    build.pack(folder, tmp_path / "one.tar.gz", "spectrogen")
    os.utime(program, (1, 1))
    program.chmod(0o700)
    (folder / "app" / "data.txt").chmod(0o664)
    monkeypatch.setattr("time.time", lambda: 5.0)
    build.pack(folder, tmp_path / "two.tar.gz", "spectrogen")
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()
    with tarfile.open(tmp_path / "two.tar.gz") as archive:
        members = [(m.name, oct(m.mode), m.mtime) for m in archive.getmembers()]
    assert members == [
        ("spectrogen", "0o755", 1700000000),
        ("spectrogen/app", "0o755", 1700000000),
        ("spectrogen/program", "0o755", 1700000000),
        ("spectrogen/app/data.txt", "0o644", 1700000000),
    ]


def test_bill_of_materials_and_licences(tmp_path: Path) -> None:
    pytest.importorskip("packaging.requirements")
    build = load("build")
    build.write_sbom(tmp_path / "sbom.json", {})
    made = json.loads((tmp_path / "sbom.json").read_text("utf-8"))
    names = {c["name"].lower() for c in made["components"]}
    assert {"numpy", "torch", "lmfit", "pyside6_essentials", "cpython"} <= names
    for component in made["components"]:
        licence = str(component["licenses"])
        assert "GPL" not in licence or "LGPL" in licence, component
    build.collect_licences(tmp_path / "licences", {})
    assert (tmp_path / "licences" / "numpy" / "LICENSE.txt").is_file()
    assert "LESSER" in (tmp_path / "licences" / "texts" / "LGPL-3.0.txt").read_text("utf-8")


def test_libraries_of_the_system_come_with_their_licences(tmp_path: Path) -> None:
    tool("dpkg-query")
    build = load("build")
    libraries = Path("/usr/lib").glob("*-linux-gnu*")
    owned = [str(p) for folder in libraries for p in folder.glob("libfontconfig.so.1")]
    packages = build.system_packages([*owned, sys.executable])
    assert list(packages) == ["libfontconfig1"]
    build.collect_licences(tmp_path / "licences", packages)
    text = (tmp_path / "licences" / "system" / "libfontconfig1.txt").read_text("utf-8")
    assert "Keith Packard" in text
    build.write_sbom(tmp_path / "sbom.json", packages)
    (listed,) = (
        c for c in json.loads((tmp_path / "sbom.json").read_text("utf-8"))["components"]
        if c.get("purl", "").startswith("pkg:deb/debian/libfontconfig1@")
    )  # fmt: skip
    assert listed["version"] == packages["libfontconfig1"]
    build.GPL_PACKAGES.add("libfontconfig1")
    with pytest.raises(SystemExit, match="libfontconfig1"):
        build.system_packages(owned)


def test_project_files_have_one_ending_everywhere() -> None:
    from spectrogen_app.app.project import EXTENSION

    for file in ("linux/spectrogen-mime.xml", "windows/installer.nsi", "spectrogen.spec"):
        assert f'{EXTENSION.lstrip(".")}"' in (PACKAGING / file).read_text("utf-8"), file


def test_homepage_has_one_source() -> None:
    import tomllib

    import spectrogen_app

    urls = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]
    assert urls == {"Homepage": spectrogen_app.HOMEPAGE, "Releases": spectrogen_app.RELEASES}
    metainfo = next((PACKAGING / "linux").glob("*.metainfo.xml")).read_text("utf-8")
    assert f'<url type="homepage">{spectrogen_app.HOMEPAGE}</url>' in metainfo


@pytest.mark.skipif(sys.platform != "linux", reason="the starter is for Linux")
@pytest.mark.parametrize("missing", ["spectrogen", "_internal/base_library.zip",
                                     "_internal/libpython3.11.so.1.0"])  # fmt: skip
def test_starter_names_what_the_program_cannot_name_itself(tmp_path: Path, missing: str) -> None:
    import platform

    text = (PACKAGING / "linux" / "spectrogen.sh").read_text("utf-8")
    starter = tmp_path / "start"
    starter.write_text(
        text.replace("@MACHINE@", platform.machine()).replace("@GLIBC@", "2.17"), "utf-8"
    )
    (tmp_path / "app" / "_internal").mkdir(parents=True)
    for part in ("_internal/base_library.zip", "_internal/libpython3.11.so.1.0"):
        (tmp_path / "app" / part).write_text("x", "utf-8")
    program = tmp_path / "app" / "spectrogen"
    program.write_text("#!/bin/sh\necho started with $1\n", "utf-8")
    program.chmod(0o755)
    run = ["sh", str(starter), "file.spc"]
    environment = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(run, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "started with file.spc\n"
    (tmp_path / "app" / missing).unlink()
    done = subprocess.run(run, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1
    assert "installation is damaged" in done.stderr


def test_launcher_stops_a_damaged_installation_with_a_message(tmp_path: Path) -> None:
    (tmp_path / "whole.txt").write_text("whole", "utf-8")
    load("build").write_manifest(tmp_path)
    code = (
        "import runpy, sys; sys._MEIPASS = sys.argv.pop(1); sys.argv = ['spectrogen', '--version'];"
        f"runpy.run_path({str(PACKAGING / 'launch.py')!r}, run_name='__main__')"
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    run = [sys.executable, "-c", code, str(tmp_path)]
    environment["XDG_STATE_HOME"] = str(tmp_path.parent)
    done = subprocess.run(run, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("SpectroGen ")
    (tmp_path / "manifest.txt").write_text("5 gone.so\n", "utf-8")
    done = subprocess.run(run, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1
    assert "the installation is damaged.\nA file is missing or altered:\ngone.so\n" in done.stderr
    assert "gone.so" in (tmp_path.parent / "SpectroGen" / "start.log").read_text("utf-8")


def test_smoke_reference_is_complete_and_differences_are_found() -> None:
    from spectrogen_app.app.services import find_model

    smoke = load("smoke_test")
    reference = json.loads((PACKAGING / "smoke_reference.json").read_text("utf-8"))
    model = find_model()
    assert reference["model"] == [model.model_id, model.sha256], smoke.UPDATE
    assert reference.keys() == {"model", "examples", "exported", "generated", "fitted"}
    assert len(reference["examples"]) == len(reference["exported"]) >= 30
    again = json.loads(json.dumps(reference))
    assert smoke.close(again, reference)
    again["generated"][".ir"][3][1] += 3e-5
    assert not smoke.close(again, reference)
    assert smoke.difference(again, reference).startswith("generated: .ir: [3] [1] found ")
    again = {**reference, "exported": {**reference["exported"], "calcite_raman": "0"}}
    assert not smoke.close(again, reference)


def test_gpu_runtime_made_from_wheels_is_taken_by_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import platform
    import zipfile
    from importlib.metadata import version

    from spectrogen_app.generation import runtime

    monkeypatch.syspath_prepend(str(PACKAGING))
    monkeypatch.delitem(sys.modules, "build", raising=False)
    pack = load("gpu_runtime")
    monkeypatch.setattr(pack.build, "DIST", tmp_path / "dist")
    monkeypatch.setattr(pack.build, "WORK", tmp_path / "work")
    tag = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    system = {"Linux": "manylinux_2_28", "Windows": "win", "Darwin": "macosx_14_0"}
    where = f"{system[platform.system()]}_{platform.machine().lower()}"
    number = version("torch").split("+")[0]
    with zipfile.ZipFile(tmp_path / f"torch-{number}+cu130-{tag}-{tag}-{where}.whl", "w") as wheel:
        wheel.writestr("torch/version.py", "cuda: Optional[str] = '13.0'\n")
        wheel.writestr("torch/__init__.py", "ones = lambda n: type('T', (), "
                       "{'sum': lambda s: s, 'item': lambda s: 2})()\n")  # fmt: skip
        wheel.writestr("torch/include/ATen.h", "unused")
    with zipfile.ZipFile(tmp_path / f"nvidia_made_up-1-py3-none-{where}.whl", "w") as wheel:
        wheel.writestr("nvidia/made_up/lib/libmade_up.so.1", "library")
    monkeypatch.setattr(sys, "argv", ["gpu_runtime.py", str(tmp_path)])
    pack.main()
    (archive,) = (tmp_path / "dist").glob("spectrogen-gpu-*.tar.gz")
    assert archive.name in (tmp_path / "dist" / "SHA256SUMS").read_text("utf-8")
    made = runtime.install(archive)
    assert (made.label, made.problem) == (f"torch {number} with CUDA 13.0", "")
    site = made.folder / "site"
    assert (site / "nvidia/made_up/lib/libmade_up.so.1").is_file()
    assert list((site / "torch" / "__pycache__").glob("*.pyc"))
    assert not (site / "torch" / "include").exists()


def test_workflow_and_readme_name_files_and_versions_that_exist() -> None:
    import tomllib

    pins = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    torch = next(p for p in pins if p.startswith("torch=="))
    for text in (
        (ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8"),
        (PACKAGING / "README.md").read_text("utf-8"),
        (PACKAGING / "gpu_runtime.py").read_text("utf-8"),
    ):
        for name in re.findall(r"packaging[/\\]([\w/\\]+\.(?:py|sh|nsi|spec))", text):
            assert (PACKAGING / name.replace("\\", "/")).is_file(), name
        assert set(re.findall(r"torch==[\w.]+", text)) <= {torch}


def constants_of_the_spec() -> dict[str, object]:
    tree = ast.parse((PACKAGING / "spectrogen.spec").read_text("utf-8"))
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.List | ast.Tuple)
    }  # fmt: skip


def test_nothing_that_the_program_loads_is_left_out(run_python) -> None:
    done = run_python(
        "-c",
        "import contextlib, io, json, sys\n"
        "from spectrogen_app.__main__ import main\n"
        "with contextlib.redirect_stdout(io.StringIO()) as said: code = main(['selftest'])\n"
        "files = [getattr(m, '__file__', None) or '' for m in list(sys.modules.values())]\n"
        "print(json.dumps([code, said.getvalue(), sorted(sys.modules), files]))",
    )
    code, said, modules, files = json.loads(done.stdout)
    assert code == 0, said
    spec = constants_of_the_spec()
    left_out = [m for m in modules for e in spec["EXCLUDES"] if m == e or m.startswith(f"{e}.")]
    assert not left_out
    unused = [f for f in files for u in spec["UNUSED"] if not f.endswith(".py") and u in f]
    assert not unused
    readers = {m for m in modules if m.startswith("spectrogen_app.io.readers.")}
    assert len(readers) > 20
