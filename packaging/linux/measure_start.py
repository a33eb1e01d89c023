"""Time the start of a Linux build: ``python measure_start.py PROGRAM [RUNS]``, under an X server.

Cold starts come after the program's files were put out of the page cache. Usable is the window when
it is shown and painted. Memory is that of the process then, before torch is loaded, and when it has
come to rest with the model loaded. Needs xdotool and imagemagick.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def forget(folder: Path) -> None:
    """Put all files out of the page cache."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def memory(pid: int) -> float:
    """Resident memory in MB."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def computed(pid: int) -> float:
    """Seconds that the processor worked for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def painted(window: str) -> bool:
    """Whether the window shows more than its background."""
    done = subprocess.run(
        ["import", "-window", window, "-resize", "25%", "-depth", "8", "rgb:-"],
        capture_output=True, check=False,
    )  # fmt: skip
    return len(set(done.stdout)) > 50


def start(program: Path) -> tuple[float, float, float, float]:
    """Seconds to the usable window, those of the processor, memory then and later (MB)."""
    with tempfile.TemporaryDirectory() as home:
        began = time.perf_counter()
        process = subprocess.Popen([program], env={**os.environ, "HOME": home}, cwd=home)
        find = ["xdotool", "search", "--onlyvisible", "--name", "^SpectroGen$"]
        window = ""
        while not window or not painted(window):
            if time.perf_counter() > began + 60:
                process.kill()
                sys.exit("no window after a minute")
            window = subprocess.run(find, capture_output=True, text=True, check=False).stdout
            window = window.strip().splitlines()[0] if window.strip() else ""
            time.sleep(0.01)
        taken, worked = time.perf_counter() - began, computed(process.pid)
        first = memory(process.pid)
        time.sleep(8)
        rest = memory(process.pid)
        process.terminate()
        process.wait(20)
    return taken, worked, first, rest


def main() -> None:
    """Print a line for each start."""
    program, runs = Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 3
    for kind in ("cold", "warm"):
        for _ in range(runs):
            if kind == "cold":
                forget(program.parent)
            taken, worked, first, rest = start(program)
            load = os.getloadavg()[0]
            print(f"{kind}: {taken:.2f} s, processor {worked:.2f} s; {first:.0f} MB then, "
                  f"{rest:.0f} MB with the model; load {load:.1f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
