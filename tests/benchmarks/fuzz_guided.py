"""Coverage-guided fuzzing: ``python tests/benchmarks/fuzz_guided.py --seconds 600``.

Needs ``atheris`` (``fuzz_readers.py`` does without). Seeds are the real files that each reader
knows. A finding (an exception that is no refusal, over 2 s, over 500 MB, a crash) is written below
``--findings``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import struct
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS, MEGABYTES, SEED_BYTES = 2.0, 500, 600_000
TEXT = ("rruff", "text", "jcamp", "spectrogen-csv")


def main() -> int:
    """Fuzz each reader in a process of its own; the number of findings is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="of processor time, in all")
    parser.add_argument("--readers", nargs="+", help="only these")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"))
    chosen = parser.parse_args()
    import atheris

    with atheris.instrument_imports(include=["spectrogen_app.io"]):
        from spectrogen_app.io.registry import READERS
    names = [r.name for r in READERS if not r.name.startswith("refused-") and r.name not in TEXT]
    names = chosen.readers or names
    known = seeds(chosen.data)
    failed = 0
    for name in names:
        child = os.fork()
        if child == 0:
            fuzz(name, chosen.seconds / len(names), known.get(name, []), chosen.findings)
            os._exit(1)
        failed += os.waitpid(child, 0)[1] != 0
    print(f"{failed} of {len(names)} readers with findings")
    return failed


def seeds(data: Path) -> dict[str, list[tuple[str, bytes]]]:
    """Name and content of small real files, by the reader that knows them."""
    from spectrogen_app.io.base import Source
    from spectrogen_app.io.registry import READERS, _decompressed

    found: dict[str, list[tuple[str, bytes]]] = {}
    for path in sorted((data / "instruments").rglob("*")):
        if not path.is_file() or not 0 < path.stat().st_size < SEED_BYTES:
            continue
        source = _decompressed(Source(path))
        first = next((r for r in READERS if r.sniff(source)), None)
        if first is not None and len(found.setdefault(first.name, [])) < 12:
            found[first.name].append((source.name, source.data))
    found.setdefault("rigaku-raw", [("a.raw", rigaku())])
    return found


def rigaku() -> bytes:
    """Two ranges of a format of which there is no real file."""
    data = bytearray(b"FI\0\0\xd8\x07".ljust(2136, b"\0"))
    struct.pack_into("<2d", data, 1212, 1.54056, 1.54439)
    for start in (20, 60):
        part = bytearray(b"PI\0\0".ljust(1002, b"\0"))
        struct.pack_into("<4f", part, 822, 1, start, start + 2, 0.5)
        data += part + struct.pack("<4s4I5f", b"DA\0\0", 2008, 28, 0, 5, 1, 2, 300, 4, 5)
    return bytes(data)


class Target:
    """Runs one input through one reader and keeps what should not happen."""

    def __init__(self, name: str, suffix: str, findings: Path) -> None:
        from spectrogen_app.io.registry import READERS

        self.reader = next(r for r in READERS if r.name == name)
        self.path = Path(f"fuzz{suffix}")
        self.findings = findings / name
        self.runs = self.opened = self.unclean = self.bad = 0
        self.slowest = 0.0
        self.deadline = float("inf")

    def __call__(self, data: bytes) -> None:
        from spectrogen_app.errors import SpectrogenError, unchecked
        from spectrogen_app.io.base import Source
        from spectrogen_app.io.sanity import check_spectrum

        start = time.process_time()
        self.runs += 1
        source = Source(self.path, data)
        try:
            if self.reader.sniff(source):
                spectra = self.reader.read(source, layout=None, check=unchecked)
                for index in range(min(len(spectra), 3)):
                    check_spectrum(spectra[index])
                self.opened += 1
        except SpectrogenError:
            pass
        except Exception as error:  # the registry turns these into refusals as well
            self.unclean += 1
            if self.unclean == 1:
                self.keep(data, type(error).__name__)
        took = time.process_time() - start
        self.slowest = max(self.slowest, took)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        if took > SECONDS or memory > MEGABYTES + 150:
            self.bad += 1
            self.keep(data, "slow" if took > SECONDS else "memory")
        if time.process_time() > self.deadline:
            self.finish()

    def keep(self, data: bytes, kind: str) -> None:
        """Write a finding."""
        self.findings.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(data).hexdigest()[:12]
        (self.findings / f"{kind}-{digest}{self.path.suffix}").write_bytes(data)

    def finish(self) -> None:
        """Print the sums and leave, whatever the fuzzer's engine thinks of it."""
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(f"{self.reader.name}: {self.runs} inputs, {self.opened} opened, {self.unclean} "
              f"refused uncleanly, {self.bad} bad; slowest {self.slowest:.2f} s, {memory:.0f} MB",
              flush=True)  # fmt: skip
        os._exit(int(self.bad > 0))


def fuzz(name: str, seconds: float, known: list[tuple[str, bytes]], findings: Path) -> None:
    """Fuzz one reader for a time; ends the process."""
    import tempfile

    import atheris

    target = Target(name, Path(known[0][0]).suffix if known else ".bin", findings)
    target.deadline = time.process_time() + seconds
    with tempfile.TemporaryDirectory() as corpus:
        for i, (_, content) in enumerate(known):
            (Path(corpus) / str(i)).write_bytes(content)
        options = [sys.argv[0], f"-max_len={SEED_BYTES}", "-timeout=20", "-rss_limit_mb=2000",
                   f"-artifact_prefix={findings}/{name}-", "-close_fd_mask=0", "-verbosity=0",
                   corpus]  # fmt: skip
        findings.mkdir(parents=True, exist_ok=True)
        atheris.Setup(options, target)
        atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
