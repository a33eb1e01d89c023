"""Measure what the README promises: ``python tests/benchmarks/bench.py [NAME ...] [--json FILE]``.

Each measurement runs in a process of its own, so that memory and imports are its own. Real
measured files are taken from ``$SPECTROGEN_SHARED_DATA`` (or ``../shared/data``); without them the
bundled examples are repeated with other numbers. The window is a real one when ``Xvfb`` or a
display is there, else it is drawn into memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SPECTROGEN_SHARED_DATA", ROOT.parent / "shared" / "data"))
EXAMPLES = ROOT / "resources" / "examples"
Rows = list[tuple[str, str, str, bool | None]]
"""What, measured, budget, whether it is kept."""


def files(folder: Path, count: int, kinds: tuple[str, ...] = ("raman", "ir", "xrd")) -> list[Path]:
    """``count`` different files of measured spectra, in ``folder``."""
    archives = {
        "raman": "raman_excellent_unoriented.zip", "ir": "infrared_processed.zip",
        "xrd": "powder_xy_processed.zip",
    }  # fmt: skip
    found: list[Path] = []
    if (SHARED / "rruff").is_dir():
        for kind in kinds:
            share = -(-count // len(kinds))
            with zipfile.ZipFile(SHARED / "rruff" / archives[kind]) as archive:
                names = [n for n in archive.namelist() if n.endswith(".txt")]
                step = max(1, len(names) // share)
                found += [Path(archive.extract(n, folder)) for n in names[::step][:share]]
        return found[:count]
    sources = sorted(p for k in kinds for p in EXAMPLES.glob(f"*_{k}.*"))
    for i in range(count):
        source = sources[i % len(sources)]
        content = source.read_text(encoding="utf-8").replace("Sample: ", f"Sample: no {i} ")
        path = folder / f"{source.stem}_{i}{source.suffix}"
        path.write_text(content, encoding="utf-8")
        found.append(path)
    return found


def peak_mb(who: int = resource.RUSAGE_SELF) -> float:
    """Largest memory so far, MB."""
    return resource.getrusage(who).ru_maxrss / 1024


def ms(seconds: float) -> str:
    """Seconds as milliseconds."""
    return f"{1000 * seconds:.0f} ms"


def import_time() -> Rows:
    """``import spectrogen_app`` in a fresh process."""
    code = (
        "import time; t = time.perf_counter(); import spectrogen_app;"
        "print(time.perf_counter() - t)"
    )
    best = min(
        float(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT)) for _ in range(5)
    )
    return [("`import spectrogen_app`", ms(best), "100 ms", best < 0.1)]


STARTED = """
import sys, time
from PySide6 import QtCore
from spectrogen_app.gui import application
from spectrogen_app.gui.main_window import MainWindow
began = float(sys.argv[1])
def usable():
    print(time.time() - began, flush=True)
    QtCore.QCoreApplication.quit()
show = MainWindow.show
def showing(window):
    show(window)
    QtCore.QTimer.singleShot(0, lambda: QtCore.QTimer.singleShot(0, usable))
MainWindow.show = showing
application.run()
"""


def start() -> Rows:
    """From the start of the process to a shown window whose event loop turns."""
    took = []
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", STARTED, str(time.time())], cwd=ROOT, capture_output=True,
            text=True, check=True,
        )  # fmt: skip
        took.append(float(done.stdout.split()[0]))
    best = statistics.median(took)
    return [("start to usable window", f"{best:.2f} s", "1.5 s", best <= 1.5)]


def latency() -> Rows:
    """One spectrum to two targets on the CPU, against the published layout in the same run."""
    import torch

    import spectrogen_app as sg
    from spectrogen_app.evaluation import published

    torch.set_num_threads(2)
    began = time.perf_counter()
    model = sg.load_model(device="cpu")
    load = time.perf_counter() - began
    raman = sg.read(EXAMPLES / "quartz_raman.csv")[0]
    ours = _median(lambda: model.generate(raman, targets=["ir", "xrd"], formula="SiO2"), 40)
    network = published.PublishedNetwork().eval()
    image = torch.rand(1, 1, published.HEIGHT, published.WIDTH)
    with torch.inference_mode():
        theirs = 2 * _median(lambda: network(image), 5)
    return [
        ("load torch and model", f"{load:.2f} s", "", None),
        ("generate one spectrum to two targets, warm", ms(ours), "60 ms", ours <= 0.06),
        (f"the published 2-D image network for the same two targets ({ms(theirs)}), slower by",
         f"{theirs / ours:.0f} x", "20 x", theirs / ours >= 20),
    ]  # fmt: skip


def _median(call: Callable[[], object], times: int) -> float:
    call()
    took = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def _window():
    from spectrogen_app.gui.application import application, make_window
    from spectrogen_app.gui.collector import Collector

    app = application()
    window, _ = make_window(app)
    Collector(app, lambda: window.status.busy)
    window.resize(1400, 900)
    window.show()
    app.processEvents()
    return app, window


def _widest_gap(app, running: Callable[[], bool], limit: float = 120.0) -> float:
    """Largest time between two turns of the event loop while ``running``, seconds."""
    from PySide6 import QtCore

    last = time.perf_counter()
    widest = 0.0

    def tick() -> None:
        nonlocal last, widest
        now = time.perf_counter()
        widest = max(widest, now - last)
        last = now

    timer = QtCore.QTimer()
    timer.setTimerType(QtCore.Qt.TimerType.PreciseTimer)
    timer.timeout.connect(tick)
    timer.start(5)
    end = time.perf_counter() + limit
    while running() and time.perf_counter() < end:
        app.processEvents(QtCore.QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    timer.stop()
    return widest


def load_thousand() -> Rows:
    """1,000 files dropped on the window: verdicts, memory, longest pause of the GUI."""
    with tempfile.TemporaryDirectory() as folder:
        paths = files(Path(folder), 1000)
        app, window = _window()
        state = {"done": False}
        window.loader.finished.connect(lambda *_: state.update(done=True))
        began = time.perf_counter()
        window.open_paths(paths)
        gap = _widest_gap(app, lambda: not state["done"])
        took = time.perf_counter() - began
        memory = peak_mb()
        opened = len(list(window.store.state.curves()))
        window.close()
    return [
        (f"1,000 files dropped, all with verdicts ({opened} spectra)", f"{took:.1f} s", "15 s",
         took <= 15),
        ("memory then", f"{memory:.0f} MB", "1,000 MB", memory < 1000),
        ("longest pause of the window meanwhile", ms(gap), "100 ms", gap <= 0.1),
    ]  # fmt: skip


def generate_gap() -> Rows:
    """Longest pause of the GUI while it loads torch and generates."""
    import spectrogen_app as sg
    from spectrogen_app.app import services

    app, window = _window()
    raman = sg.read(EXAMPLES / "quartz_raman.csv")[0]
    gaps = []
    for _ in range(2):
        state = {"done": False}
        request = services.GenerateRequest((raman,), ("ir", "xrd"), "SiO2", device="cpu")
        window.worker.submit(
            services.generate, request, "Generating", on_done=lambda _, s=state: s.update(done=True)
        )
        gaps.append(_widest_gap(app, lambda s=state: not s["done"]))
    window.close()
    return [
        ("longest pause of the window, first generation (loads torch)", ms(gaps[0]), "100 ms",
         gaps[0] <= 0.1),
        ("longest pause of the window, later generation", ms(gaps[1]), "100 ms", gaps[1] <= 0.1),
    ]  # fmt: skip


def panning() -> Rows:
    """Frames a second while 12 measured curves are panned."""
    with tempfile.TemporaryDirectory() as folder:
        paths = files(Path(folder), 12, ("raman",))
        app, window = _window()
        state = {"done": False}
        window.loader.finished.connect(lambda *_: state.update(done=True))
        window.open_paths(paths)
        while not state["done"]:
            app.processEvents()
    app.processEvents()
    canvas = window.area.active.canvas
    canvas.zoom_by(0.5)
    began = time.perf_counter()
    frames = 120
    for i in range(frames):
        canvas.pan_by(0.02 if i % 40 < 20 else -0.02)
        canvas.viewport().repaint()
        app.processEvents()
    rate = frames / (time.perf_counter() - began)
    window.close()
    return [("panning 12 shown curves", f"{rate:.0f} frames/s", "30 frames/s", rate >= 30)]


def many() -> Rows:
    """500 spectra in one ``spectrogen generate`` call."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "in"), Path(folder, "out")
        source.mkdir()
        paths = files(source, 500, ("raman",))
        for path in paths:
            if path.parent != source:
                shutil.move(path, source)
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "spectrogen_app", "generate", str(source), "--to", "ir", "--to",
             "xrd", "--device", "cpu", "--out", str(out)],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        took = time.perf_counter() - began
        written = len(list(out.iterdir()))
    summary = done.stdout.splitlines()[-1] if done.stdout else done.stderr
    return [
        (f"`spectrogen generate`, 500 spectra to two targets ({summary})",
         f"{took:.1f} s, {500 / took:.0f} spectra/s", "", written > 0),
        ("peak memory of it", f"{peak_mb(resource.RUSAGE_CHILDREN):.0f} MB", "", None),
    ]  # fmt: skip


MEASUREMENTS: dict[str, Callable[[], Rows]] = {
    "import": import_time,
    "start": start,
    "latency": latency,
    "generate-gap": generate_gap,
    "load": load_thousand,
    "panning": panning,
    "many": many,
}


def measure(script: str, measurements: dict[str, Callable[[], Rows]]) -> int:
    """Measure, each in a process of its own, and print the table; 1 if a budget is not kept."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", help=f"of {', '.join(measurements)}; default: all")
    parser.add_argument("--one", choices=measurements, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measurements[args.one]()), flush=True)
        os._exit(0)  # a thread may still be within a library; Python's own exit would wait for it
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home, "XDG_STATE_HOME": home
        }
        launcher = [sys.executable]
        if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
            if shutil.which("xvfb-run"):
                launcher = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", sys.executable]
            else:
                environment["QT_QPA_PLATFORM"] = "offscreen"
        print("| what | measured | budget | kept |\n|---|---|---|---|")
        good = True
        for name in args.names or measurements:
            done = subprocess.run(
                [*launcher, script, "--one", name], cwd=ROOT, env=environment, text=True,
                capture_output=True, check=False,
            )  # fmt: skip
            if done.returncode:
                good = False
                print(f"| {name} | failed: {done.stderr.strip().splitlines()[-1:]} | | no |")
                continue
            for what, measured, budget, kept in json.loads(done.stdout.splitlines()[-1]):
                good &= kept is not False
                verdict = "" if kept is None else ("yes" if kept else "**no**")
                print(f"| {what} | {measured} | {budget} | {verdict} |", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(measure(__file__, MEASUREMENTS))
