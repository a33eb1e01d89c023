"""Open damaged copies of real files for a given time; print what crashes, hangs or grows.

Run as ``python tests/benchmarks/fuzz_readers.py FOLDER SECONDS [SEED]``. Every copy is opened in
this process, so that a crash of the interpreter ends it: the last name printed by ``--verbose`` is
the culprit. Findings are written to ``fuzz_findings`` in the current folder.
"""

from __future__ import annotations

import random
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "contracts"))

from reader_contract import assert_refused_or_sane, mutate

from spectrogen_app.io import registry

SECONDS = 2.0
LARGEST = 2_000_000


def main(folder: Path, seconds: float, seed: int) -> int:
    """Fuzz for a time; the number of findings."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.stat().st_size < LARGEST)
    rng = random.Random(seed)
    findings = Path("fuzz_findings")
    stop = time.monotonic() + seconds
    count = found = 0
    slowest = 0.0

    def hang(*_: object) -> None:
        raise TimeoutError("over 20 s")

    signal.signal(signal.SIGPROF, hang)
    with tempfile.TemporaryDirectory() as scratch:
        while time.monotonic() < stop:
            source = rng.choice(files)
            data = mutate(source.read_bytes(), rng)
            target = Path(scratch) / source.name
            target.write_bytes(data)
            if "--verbose" in sys.argv:
                print(source, count, flush=True)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            start = time.process_time()
            problem = ""
            signal.setitimer(signal.ITIMER_PROF, 20)
            try:
                verdict = registry.open_path(target)
                assert_refused_or_sane(verdict)
                if "over 20 s" in str(verdict.error):
                    problem = "hang"
            except BaseException as error:
                problem = f"{type(error).__name__}: {error}"
            signal.setitimer(signal.ITIMER_PROF, 0)
            took = time.process_time() - start
            slowest = max(slowest, took)
            if took > SECONDS:
                problem = problem or f"{took:.1f} s"
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3
            if grown > 500:
                problem = problem or f"{grown:.0f} MB"
            count += 1
            if problem:
                found += 1
                findings.mkdir(exist_ok=True)
                (findings / f"{found}-{source.name}").write_bytes(data)
                print(f"{source}: {problem}", flush=True)
            target.unlink()
    print(
        f"{count} damaged copies of {len(files)} files, slowest {slowest:.2f} s, {found} findings"
    )
    return found


if __name__ == "__main__":
    given = [a for a in sys.argv[1:] if not a.startswith("--")]
    sys.exit(main(Path(given[0]), float(given[1]), int(given[2]) if len(given) > 2 else 0) > 0)
