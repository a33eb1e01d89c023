"""The optional GPU runtime: installed after verification, used when it works, else told why not."""

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from spectrogen_app.errors import ModelError, WriteError
from spectrogen_app.generation import runtime

WORKS = """
import sys
sys.path.remove(next(p for p in sys.path if p.endswith("site") and "gpu" in p))
del sys.modules["torch"]
import torch
torch.from_the_component = True
sys.modules["torch"] = torch
"""
"""A stand-in for another build of torch: it hands over to the real one."""
FAILS = "raise ImportError('libcudart.so.13: cannot open shared object file')"
CRASHES = "import os; os.abort()"
WRONG = "ones = lambda n: type('T', (), {'sum': lambda s: s, 'item': lambda s: 3})()"


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(runtime, "_found", [])
    monkeypatch.setenv("SPECTROGEN_GPU", str(tmp_path / "beside-the-program"))


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Writes an archive of a made-up runtime."""

    def write(code: str = WORKS, *, sums: bool = True, **other: str) -> Path:
        root = tmp_path / "made" / "gpu"
        shutil.rmtree(root, ignore_errors=True)
        package = root / "site" / "torch"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(code, "utf-8")
        about = {**runtime._here(), "cuda": "13.0", **other}
        (root / "component.json").write_text(json.dumps(about), "utf-8")
        digest = hashlib.sha256(code.encode() if sums else b"other").hexdigest()
        (root / "SHA256SUMS").write_text(f"{digest}  site/torch/__init__.py\n", "utf-8")
        archive = tmp_path / "spectrogen-gpu.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(root, "gpu")
        return archive

    return write


def test_no_runtime_is_nothing_to_speak_of() -> None:
    assert runtime.activate() is None
    assert not runtime.remove()


def test_installed_used_and_removed(make, run_python) -> None:
    made = runtime.install(make())
    assert made.problem == ""
    assert made.folder == runtime.folders()[0]
    done = run_python("-c", "from spectrogen_app.generation.bundle import load_model;"
                            "print(load_model().device_reason);"
                            "import torch; assert torch.from_the_component")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "with CUDA 13.0) is in use." in done.stdout
    assert runtime.remove()
    assert runtime.find() is None


@pytest.mark.parametrize(
    ("code", "says"),
    [(FAILS, "libcudart.so.13: cannot open"), (CRASHES, "loading it crashes (exit code -6)"),
     (WRONG, "it computes wrongly")],
)  # fmt: skip
def test_a_runtime_that_does_not_work_is_not_used(make, run_python, code: str, says: str) -> None:
    assert says in runtime.install(make(code)).problem
    done = run_python("-c", "from spectrogen_app.__main__ import main; main(['gpu'])")
    assert done.returncode == 0, done.stderr
    assert "is not used" in done.stdout
    assert says in done.stdout
    assert done.stdout.startswith("CPU")


def test_one_that_breaks_later_is_told_and_left_out_next_time(make, run_python) -> None:
    made = runtime.install(make())
    file = made.folder / "site" / "torch" / "__init__.py"
    file.write_text(FAILS, "utf-8")
    assert runtime.find().problem == "site/torch/__init__.py is damaged or was altered"
    digest = hashlib.sha256(FAILS.encode()).hexdigest()
    (made.folder / "SHA256SUMS").write_text(f"{digest}  site/torch/__init__.py\n", "utf-8")
    runtime._stamp().write_text(f"{runtime._state(made.folder)}\n", "utf-8")
    asked = "from spectrogen_app.__main__ import main; raise SystemExit(main(['selftest']))"
    first = run_python("-c", asked)
    assert first.returncode == 1
    assert "does not load any more" in first.stdout
    again = run_python("-c", asked)
    assert again.returncode == 0, again.stdout
    assert "is not used: it does not load" in again.stdout


@pytest.mark.parametrize(
    ("key", "value"),
    [("torch", "2.0.0"), ("python", "cpython-39"), ("system", "Plan9"), ("machine", "vax")],
)
def test_one_for_another_program_or_system_is_refused(make, key: str, value: str) -> None:
    archive = make(**{key: value})
    with pytest.raises(ModelError, match=f"it is for {key} {value}"):
        runtime.install(archive)
    assert runtime.find() is None


def test_altered_files_are_refused(make) -> None:
    with pytest.raises(ModelError, match="damaged or was altered"):
        runtime.install(make(sums=False))
    assert not runtime.folders()[0].exists()


def test_what_is_verified_is_not_read_again(make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = runtime.install(make())
    with monkeypatch.context() as patched:
        patched.setattr(runtime, "_altered", lambda *_: pytest.fail("read again"))
        assert runtime.find() == made
    runtime.forget()
    monkeypatch.setattr(runtime, "_does_not_load", lambda _: "it does not load (no driver)")
    assert "no driver" in runtime.find().problem
    monkeypatch.setattr(runtime, "_does_not_load", lambda _: pytest.fail("tried again"))
    assert "no driver" in runtime.find().problem


def test_a_file_too_many_or_too_few_is_found(make) -> None:
    site = runtime.install(make()).folder / "site"
    (site / "more.py").write_text("", "utf-8")
    assert runtime.find().problem == "site/more.py is not part of it"
    (site / "more.py").unlink()
    (site / "torch" / "__init__.py").unlink()
    assert runtime.find().problem == "site/torch/__init__.py is missing"


def test_damaged_archives_are_refused_and_the_older_one_stays(make, tmp_path: Path) -> None:
    runtime.install(make())
    whole = (tmp_path / "spectrogen-gpu.tar.gz").read_bytes()
    for number, content in enumerate((b"", b"nonsense", whole[: len(whole) // 2])):
        damaged = tmp_path / f"{number}.tar.gz"
        damaged.write_bytes(content)
        with pytest.raises(ModelError, match="damaged or no archive"):
            runtime.install(damaged)
    outside = tmp_path / "outside.tar.gz"
    with tarfile.open(outside, "w:gz") as tar:
        info = tarfile.TarInfo("../../planted")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"bad"))
    with pytest.raises(ModelError):
        runtime.install(outside)
    assert runtime.find().problem == ""
    assert sorted(p.name for p in runtime.folders()[0].parent.iterdir()) == ["gpu", "gpu.verified"]


def test_a_full_disk_is_said(make, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = make()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(WriteError, match="is full"):
        runtime.install(archive)
    assert not runtime.folders()[0].exists()
