"""Measure the opening of files: ``python tests/benchmarks/bench_files.py [NAME ...]``.

Real files are copied from ``$SPECTROGEN_SHARED_DATA`` (or ``../shared/data``); maps are made here.
The window is a real one when ``Xvfb`` or a display is there, see ``bench.py``.
"""

from __future__ import annotations

import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from bench import SHARED, Rows, _widest_gap, _window, measure, ms, peak_mb

MAP_POINTS = 1000
MAP_MB = 100


def wdf_map(path: Path, megabytes: int = MAP_MB) -> None:
    """A map of a Renishaw microscope, as the format's description has it."""
    count = (megabytes << 20) // (4 * MAP_POINTS)
    x = np.linspace(3200, 100, MAP_POINTS, dtype="<f4")
    line = 50 + 1000 / (1 + ((x - 1086) / 4) ** 2)
    head = bytearray(512)
    struct.pack_into("<4sIQ", head, 0, b"WDF1", 1, 512)
    struct.pack_into("<I", head, 60, MAP_POINTS)
    struct.pack_into("<QQ", head, 64, count, count)
    struct.pack_into("<I", head, 132, 3)
    struct.pack_into("<f", head, 156, 1e7 / 532)
    with path.open("wb") as stream:
        stream.write(head)
        stream.write(struct.pack("<4sIQ", b"DATA", 1, 16 + 4 * MAP_POINTS * count))
        noise = np.random.default_rng(1).normal(0, 5, (64, MAP_POINTS))
        for start in range(0, count, 64):
            rows = line * (1 + start / count) + noise[: min(64, count - start)]
            stream.write(rows.astype("<f4").tobytes())
        for name, kind, values in ((b"XLST", 1, x), (b"YLST", 6, np.zeros(1, "<f4"))):
            body = struct.pack("<II", 0, kind) + values.tobytes()
            stream.write(struct.pack("<4sIQ", name, 1, 16 + len(body)) + body)
        side = int(count**0.5) + 1
        body = struct.pack("<I", 2)
        for kind, places in ((3, np.arange(count) % side), (4, np.arange(count) // side)):
            body += struct.pack("<II16s", kind, 5, b"XY"[kind - 3 : kind - 2])
            body += places.astype("<f8").tobytes()
        stream.write(struct.pack("<4sIQ", b"ORGN", 1, 16 + len(body)) + body)


def hdf5_map(path: Path, megabytes: int = MAP_MB) -> None:
    """A map as NXdata, float32, not compressed."""
    import h5py

    side = int(((megabytes << 20) / (4 * MAP_POINTS)) ** 0.5)
    x = np.linspace(100, 3200, MAP_POINTS)
    with h5py.File(path, "w") as file:
        group = file.create_group("entry/data")
        file["entry"].attrs["NX_class"], group.attrs["NX_class"] = "NXentry", "NXdata"
        group.attrs["signal"], group.attrs["axes"] = "intensity", ["y", "x", "shift"]
        group["shift"], group["y"], group["x"] = x, np.arange(side), np.arange(side)
        group["shift"].attrs["units"] = "1/cm"
        group["shift"].attrs["long_name"] = "Raman shift"
        data = group.create_dataset("intensity", (side, side, MAP_POINTS), "f4")
        line = 50 + 1000 / (1 + ((x - 1086) / 4) ** 2)
        for row in range(side):
            data[row] = np.tile(line * (1 + row / side), (side, 1))


def text_map(path: Path, megabytes: int = MAP_MB) -> None:
    """A map as Horiba's LabSpec exports it: a row of x, then one row per spectrum."""
    x = np.linspace(100, 3200, MAP_POINTS)
    row = "\t".join(f"{v:.5f}" for v in 500 + 1000 / (1 + ((x - 1086) / 4) ** 2))
    with path.open("w", encoding="ascii") as stream:
        stream.write("\t\t" + "\t".join(f"{v:.6g}" for v in x) + "\n")
        for i in range((megabytes << 20) // len(row)):
            stream.write(f"{i // 100}\t{i % 100}\t{row}\n")


def witec_map(path: Path, megabytes: int = MAP_MB) -> None:
    """A map as WITec's table export: a column per spectrum."""
    x = np.linspace(100, 3200, MAP_POINTS)
    line = 500 + 1000 / (1 + ((x - 1086) / 4) ** 2)
    count = (megabytes << 20) // (8 * MAP_POINTS)
    with path.open("w", encoding="ascii") as stream:
        stream.write("X-Axis\t" + "\t".join(f"Map ({i % 100}/{i // 100})" for i in range(count)))
        stream.write("\nrel. 1/cm" + "\tCCD cts" * count + "\n")
        for shift, value in zip(x, line, strict=True):
            stream.write(f"{shift:.6g}" + f"\t{value:.3f}" * count + "\n")


def renishaw_map(path: Path, megabytes: int = MAP_MB) -> None:
    """A map as WiRE's text export: a line per point."""
    x = np.linspace(3200, 100, MAP_POINTS)
    line = 500 + 1000 / (1 + ((x - 1086) / 4) ** 2)
    points = [f"\t{a:.3f}\t{b:.3f}\n" for a, b in zip(x, line, strict=True)]
    with path.open("w", encoding="ascii") as stream:
        stream.write("#X\t\t#Y\t\t#Wave\t\t#Intensity\n")
        for i in range((megabytes << 20) // (30 * MAP_POINTS)):
            place = f"{i // 100:.3f}\t{i % 100:.3f}"
            stream.write(place + place.join(points))


def shown(make: Callable[[Path], None], name: str) -> Rows:
    """From the drop of a map to its first spectrum painted, and to the end of the job; memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        make(path)
        size = path.stat().st_size / 1e6
        app, window = _window()
        before = peak_mb()
        state = {"done": False}
        window.loader.finished.connect(lambda *_: state.update(done=True))
        began = time.perf_counter()
        window.open_paths([path])
        first = None

        def waiting() -> bool:
            nonlocal first
            if first is None and any(window.store.state.curves()):
                window.area.active.canvas.viewport().repaint()
                first = time.perf_counter() - began
            return not state["done"]

        gap = _widest_gap(app, waiting)
        opened = time.perf_counter() - began
        waiting()
        rest = _widest_gap(app, lambda: time.perf_counter() < began + opened + 8)
        memory = peak_mb() - before
        window.close()
        app.processEvents()
    assert first is not None
    return [
        (f"{size:.0f} MB {name}: drop to first spectrum painted", f"{first:.2f} s", "1 s",
         first <= 1),
        ("memory that it takes, chooser listed", f"{memory:.0f} MB", f"{2 * size:.0f} MB",
         memory <= 2 * size),
        ("longest pause of the window until it is open / in 8 s of listing",
         f"{ms(gap)} / {ms(rest)}", "100 ms", max(gap, rest) <= 0.1),
    ]  # fmt: skip


def mixed(count: int) -> Iterator[tuple[str, bytes]]:
    """Names and contents of real files of all formats, again and again."""
    known = sorted(p for p in (SHARED / "instruments").rglob("*") if p.is_file())
    for i in range(count):
        source = known[i % len(known)]
        yield f"{i // len(known)}-{source.parent.name}-{source.name}", source.read_bytes()


def thousand() -> Rows:
    """A folder of 1,000 mixed real files dropped on the window."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in mixed(1000):
            Path(folder, name).write_bytes(content)
        app, window = _window()
        for modality in ("raman", "ir", "xrd"):  # as the program does at its start
            window.area.prepare(modality)
        state = {"done": False, "counts": (0, 0)}
        window.loader.finished.connect(lambda *n: state.update(done=True, counts=n))
        began, used = time.perf_counter(), time.process_time()
        window.open_paths([Path(folder)])
        gap = _widest_gap(app, lambda: not state["done"], 300)
        took, used = time.perf_counter() - began, time.process_time() - used
        rows = len(window.verdicts.rows)
        spectra = len(list(window.store.state.curves()))
        window.close()
    opened, refused = state["counts"]
    return [
        (f"1,000 mixed files dropped: {rows} verdicts, {opened} opened, {refused} refused, "
         f"{spectra} spectra", f"{took:.1f} s", "20 s", took <= 20 and rows == 1000),
        ("processor time of it (says more on a busy machine)", f"{used:.1f} s", "", None),
        ("memory then", f"{peak_mb():.0f} MB", "", None),
        ("longest pause of the window meanwhile", ms(gap), "100 ms", gap <= 0.1),
    ]  # fmt: skip


MEASUREMENTS: dict[str, Callable[[], Rows]] = {
    "wdf": lambda: shown(wdf_map, "map.wdf"),
    "hdf5": lambda: shown(hdf5_map, "map.nxs"),
    "text": lambda: shown(text_map, "map.txt"),
    "witec": lambda: shown(witec_map, "witec.txt"),
    "renishaw": lambda: shown(renishaw_map, "wire.txt"),
    "thousand": thousand,
}

if __name__ == "__main__":
    sys.exit(measure(__file__, MEASUREMENTS))
