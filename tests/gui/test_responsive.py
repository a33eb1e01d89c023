"""The GUI's thread stays free while files are loaded: 1,000 real ones."""

import time
import zipfile
from pathlib import Path

import pytest
from PySide6 import QtCore

FILES = 1000


@pytest.fixture(scope="module")
def thousand(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("thousand")
    with zipfile.ZipFile(shared_data / "rruff" / "raman_excellent_unoriented.zip") as archive:
        for name in sorted(n for n in archive.namelist() if n.endswith(".txt"))[:FILES]:
            (folder / Path(name).name).write_bytes(archive.read(name))
    return folder


class Gaps(QtCore.QObject):
    """The longest stretch that the GUI's thread worked without looking at its events.

    Its own processor time counts, so that a busy machine does not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.longest = 0.0
        self._last = time.thread_time()
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(1)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now = time.thread_time()
        self.longest = max(self.longest, now - self._last)
        self._last = now

    def stop(self) -> None:
        self._timer.stop()


def test_a_thousand_files(window, qtbot, thousand):
    for modality in ("raman", "ir", "xrd"):
        window.area.prepare(modality)
    gaps = Gaps()
    started = time.monotonic()
    window.open_paths([thousand])
    qtbot.waitUntil(lambda: not window.loader_jobs.busy, timeout=120_000)
    took = time.monotonic() - started
    gaps.stop()
    assert len(window.verdicts_view.model.lines) == FILES
    curves = list(window.store.state.curves())
    assert len(curves) >= 0.99 * FILES
    assert sum(c.visible for c in curves) == 12
    print(f"{len(curves)} spectra in {took:.1f} s, longest block {1000 * gaps.longest:.0f} ms")
    assert gaps.longest < 0.1
    gaps = Gaps()
    for _ in range(30):
        window.samples.walk(1)
        qtbot.wait(1)
    gaps.stop()
    print(f"longest block while walking {1000 * gaps.longest:.0f} ms")
    assert gaps.longest < 0.1
    window.store.undo()
    assert not window.store.state.samples
