"""Bad files, bad folders, bad words: a clear error in one line, nothing lost, and on it goes."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import spectrogen_app as sg
from spectrogen_app.app.jobs import Token
from spectrogen_app.app.services import ExportRequest, LoadRequest, export, load_files
from spectrogen_app.errors import Cancelled, WriteError

ROWS = [(float(x), float(100 + x % 13)) for x in range(200, 400)]
Run = Callable[..., subprocess.CompletedProcess[str]]


def text(rows: list[tuple[float, float]] = ROWS, join: str = ",") -> str:
    return "".join(f"{x:g}{join}{y:g}\n" for x, y in rows)


def verdict(path: Path):
    (one,) = load_files(LoadRequest((path,)), Token())
    return one


REFUSED = {
    "empty.txt": b"",
    "blank.csv": b"\n\n \n",
    "header.csv": b"Raman shift,Intensity\n",
    "one_point.csv": b"Raman shift,Intensity\n100,1\n",
    "words.txt": b"It was a bright cold day in April, and the clocks struck thirteen.\n" * 9,
    "picture.txt": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9,
    "zeros.spc": bytes(4096),
    "same_x.csv": b"5,1\n5,2\n5,3\n",
    "half.zip": b"PK\x03\x04" + bytes(60),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_refused_with_a_reason_and_a_hint(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(REFUSED[name])
    found = verdict(path)
    assert not found.ok
    assert str(found.error.fields["path"]).endswith(name)
    assert found.error.hint
    assert "\n" not in str(found.error)


def test_nan_and_inf_are_left_out_and_said(tmp_path: Path) -> None:
    lines = text().splitlines()
    lines[5], lines[9] = "205,nan", "209,inf"
    (tmp_path / "a.csv").write_text("\n".join(lines))
    found = verdict(tmp_path / "a.csv")
    assert found.ok
    assert np.all(np.isfinite(found.spectra[0].y))
    assert len(found.spectra[0]) == len(ROWS) - 2
    assert any("2 points" in w for w in found.warnings)


def test_descending_x(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text(ROWS[::-1]))
    spectrum = verdict(tmp_path / "a.csv").spectra[0]
    np.testing.assert_array_equal(spectrum.y, [y for _, y in ROWS])


def test_duplicated_and_unsorted_x_are_said(tmp_path: Path) -> None:
    rows = list(ROWS)
    rows[10], rows[11] = rows[11], rows[10]
    rows.insert(50, (ROWS[50][0], ROWS[50][1] + 2))
    (tmp_path / "a.csv").write_text(text(rows))
    found = verdict(tmp_path / "a.csv")
    assert len(found.spectra[0]) == len(ROWS)
    assert found.spectra[0].y[50] == ROWS[50][1] + 1, "the average of the two"
    assert found.warnings


def test_decimal_comma_with_semicolon(tmp_path: Path) -> None:
    body = "".join(f"{x + 0.5};{y + 0.25}\n" for x, y in ROWS).replace(".", ",")
    (tmp_path / "a.csv").write_text("Wellenzahl (cm-1);Absorbance\n" + body)
    spectrum = verdict(tmp_path / "a.csv").spectra[0]
    assert spectrum.x[0] == 200.5
    assert spectrum.y[0] == ROWS[0][1] + 0.25


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_byte_order_marks(encoding: str, tmp_path: Path) -> None:
    content = "Raman shift (cm⁻¹),Intensität\n" + text()
    (tmp_path / "a.csv").write_bytes(content.encode(encoding))
    found = verdict(tmp_path / "a.csv")
    assert found.ok
    assert len(found.spectra[0]) == len(ROWS)
    assert found.spectra[0].modality == "raman"


def test_a_folder_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so the system's answer is played."""
    folder = tmp_path / "locked"
    folder.mkdir()
    real = os.scandir

    def locked(path: object = ".") -> object:
        if str(path) == str(folder):
            raise PermissionError(13, "Permission denied", str(folder))
        return real(path)

    monkeypatch.setattr(os, "scandir", locked)
    (tmp_path / "good.csv").write_text(text())
    verdicts = load_files(LoadRequest((folder, tmp_path / "good.csv")), Token())
    assert [v.ok for v in verdicts] == [False, True]
    assert "permission" in verdicts[0].error.message.lower()


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]) << 20,) * 2)
from spectrogen_app.__main__ import main
code = main(sys.argv[2:])
print("peak MB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10, file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX memory limits")
def test_300_mb_of_text_in_bounded_memory(tmp_path: Path, run_python: Run) -> None:
    path = tmp_path / "big.csv"
    block = "".join(f"{100 + i * 1e-6:.6f},{i % 97}.123456\n" for i in range(200_000))
    with path.open("w") as stream:
        stream.write("Raman shift (cm-1),Intensity\n")
        while stream.tell() < 300_000_000:
            stream.write(block)
    done = run_python("-c", LIMITED, "3000", "inspect", str(path))
    path.unlink()
    lines = done.stderr.splitlines()
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    assert int(lines[-1].split()[-1]) < 1500
    assert (done.returncode == 0) == ("big.csv" in done.stdout)


def test_a_large_file_can_be_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    block = text() * 4000
    with path.open("w") as stream:
        while stream.tell() < 60_000_000:
            stream.write(block)
    token = Token()
    timer = threading.Timer(0.3, token.cancel)
    timer.start()
    start = time.monotonic()
    with pytest.raises(Cancelled):
        load_files(LoadRequest((path,)), token)
    timer.join()
    assert time.monotonic() - start < 5


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_keeps_the_old_file(
    examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spectrum = sg.read(examples / "quartz_raman.csv")[0]
    out = tmp_path / "out.csv"
    export(ExportRequest((spectrum,), out), Token())
    before = out.read_bytes()
    full = os.open("/dev/full", os.O_WRONLY)
    monkeypatch.setattr("os.fdopen", lambda d, *a, **k: (os.close(d), os_fdopen(full, *a, **k))[1])
    with pytest.raises(WriteError, match="No space left"):
        export(ExportRequest((spectrum,), out), Token())
    assert out.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


os_fdopen = os.fdopen


def test_one_bad_file_among_good_ones(
    examples: Path, tmp_path: Path, run_python: Run
) -> None:
    for name, content in REFUSED.items():
        (tmp_path / name).write_bytes(content)
    shutil.copy(examples / "quartz_raman.csv", tmp_path)
    done = run_python("-m", "spectrogen_app", "inspect", str(tmp_path), "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert len(told) == len(REFUSED) + 1
    assert [Path(t["file"]).name for t in told if t["ok"]] == ["quartz_raman.csv"]
    assert len(done.stderr.splitlines()) == len(REFUSED)


@pytest.fixture
def generate(run_python: Run, tmp_path: Path):
    """``spectrogen generate`` with the real model."""
    if not sg.list_models():
        pytest.fail("no model is bundled")

    def run(path: Path, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return run_python(
            "-m", "spectrogen_app", "generate", str(path), "--to", "xrd", "--device", "cpu",
            "--out", str(tmp_path / "out"), *more, **environment,
        )  # fmt: skip

    return run


def test_a_spectrum_outside_the_models_range(generate, tmp_path: Path) -> None:
    rows = [(x, y) for x, y in zip(np.linspace(3000, 3600, 300), np.arange(300.0), strict=True)]
    (tmp_path / "far.csv").write_text("Raman shift (cm-1),Intensity\n" + text(rows))
    done = generate(tmp_path / "far.csv")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "3000 to 3600" in done.stderr
    assert "range" in done.stderr


def test_a_modality_that_the_model_does_not_know(generate, tmp_path: Path) -> None:
    (tmp_path / "lamp.csv").write_text("Wavelength (nm),Absorbance\n" + text())
    done = generate(tmp_path / "lamp.csv")
    assert done.returncode == 1
    assert "does not know UV-Vis" in done.stderr


@pytest.mark.parametrize("damage", ["flip", "cut", "missing", "config"])
def test_a_damaged_model(damage: str, generate, examples: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    info = sg.list_models()[0]
    shutil.copytree(info.path, folder / info.model_id)
    weights = folder / info.model_id / "weights.safetensors"
    if damage == "flip":
        content = bytearray(weights.read_bytes())
        content[len(content) // 2] ^= 1
        weights.write_bytes(content)
    elif damage == "cut":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif damage == "missing":
        weights.unlink()
    else:
        (folder / info.model_id / "config.json").write_text("{}")
    done = generate(examples / "quartz_raman.csv", SPECTROGEN_MODELS=str(folder))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "Install the model again" in done.stderr
    assert not (tmp_path / "out").exists()
