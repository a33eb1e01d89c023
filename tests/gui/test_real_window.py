"""The real window on a virtual display, with real files, real mouse and real keys."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.skipif(
        not (shutil.which("Xvfb") and shutil.which("xdotool")),
        reason="needs Xvfb and xdotool (apt-get install -y xvfb xdotool)",
    ),
    pytest.mark.timeout(600),
]
SAMPLES = ("R040009", "R040018", "R040035")
ARCHIVES = ("raman_excellent_unoriented", "infrared_processed", "powder_xy_processed")


@pytest.fixture
def display() -> Iterator[str]:
    """A virtual screen of its own."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"],
        pass_fds=[write], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    with os.fdopen(read) as stream:
        number = stream.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait(10)


@pytest.fixture
def three_samples(shared_data: Path, tmp_path: Path) -> list[Path]:
    """Raman, infrared and powder XRD of three samples, one laser each."""
    files = []
    for archive in ARCHIVES:
        with zipfile.ZipFile(shared_data / "rruff" / f"{archive}.zip") as packed:
            for sample in SAMPLES:
                name = sorted(n for n in packed.namelist() if f"__{sample}" in n)[0]
                path = tmp_path / Path(name).name
                path.write_bytes(packed.read(name))
                files.append(path)
    return files


def run(
    program: str, display: str, folder: Path, *words: str, scale: str
) -> subprocess.CompletedProcess[str]:
    """Run a program of this folder on a display, with user folders of its own."""
    homes = {k: str(folder / k) for k in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")}
    environment = {
        **os.environ, **homes, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb",
        "QT_SCALE_FACTOR": scale,
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", str(Path(__file__).with_name(program)), *words],
        env=environment, capture_output=True, text=True, timeout=580, check=False,
    )  # fmt: skip


@pytest.fixture
def two_spectra(shared_data: Path, tmp_path: Path) -> list[str]:
    """A Raman spectrum of calcite, and the powder pattern of fluorite."""
    wanted = (("raman_excellent_unoriented", "Calcite__R040170__Raman__532"),
              ("powder_xy_processed", "Fluorite__R040099"))  # fmt: skip
    files = []
    for archive, start in wanted:
        with zipfile.ZipFile(shared_data / "rruff" / f"{archive}.zip") as packed:
            name = next(n for n in packed.namelist() if Path(n).name.startswith(start))
            path = tmp_path / Path(name).name
            path.write_bytes(packed.read(name))
            files.append(str(path))
    return files


def test_peaks_by_hand(display, two_spectra, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    done = run("real_peaks.py", display, tmp_path, str(out), "dark", *two_spectra, scale="1")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    report = json.loads((out / "report.json").read_text())
    print(report)
    for name, least in (("Calcite", 0.995), ("Fluorite powder", 0.98)):
        assert report[name]["warnings"] == []
        assert report[name]["R2"] >= least
    assert len(list((out / "reports").iterdir())) == 5


@pytest.mark.parametrize("scale", ["1", "1.5"])
def test_drop_zoom_generate_export_undo(display, three_samples, tmp_path, scale):
    out = tmp_path / "out"
    out.mkdir()
    done = run("real_window.py", display, tmp_path, str(out), *map(str, three_samples), scale=scale)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    report = json.loads((out / "report.json").read_text())
    print(report)
    assert report["torch before window"] is False
    pictures = {p.name for p in out.glob("*.png")}
    assert {"1_empty.png", "3_opened.png", "4_zoomed.png"} <= pictures
    if "5_generated.png" in pictures:
        assert report["reopened"] == ["ir", "xrd"]
        assert min(report["r ir"], report["r xrd"]) > 0.5
        for extension in ("png", "svg", "pdf"):
            assert (out / f"figure.{extension}").stat().st_size > 10_000
