"""Try a shipped program as its user would: ``python smoke_test.py PROGRAM [ARGUMENTS...]``.

The same for source (``python -m spectrogen_app``), wheel, frozen and installed program. Needs only
the standard library. Any unexpected line of output, wrong number or non-zero exit fails it.
``--update`` stores the numbers of this run as the reference.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REFERENCE = Path(__file__).with_name("smoke_reference.json")
TOLERANCE = 1e-5


class Smoke:
    """Runs the program and holds what it does against the reference."""

    def __init__(self, program: list[str], reference: dict[str, object] | None) -> None:
        self.program = program
        self.reference = reference
        self.found: dict[str, object] = {}

    def run(self, *arguments: str, wrap: tuple[str, ...] = (), **changes: str | None) -> str:
        """Standard output of one call; ``changes`` are environment variables, None removes."""
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONWARNINGS": "error"}
        for key, value in changes.items():
            if value is None:
                environment.pop(key, None)
            else:
                environment[key] = value
        done = subprocess.run(
            [*wrap, *self.program, *arguments], env=environment, capture_output=True, text=True,
            encoding="utf-8", timeout=240, check=False,
        )  # fmt: skip
        if done.returncode or done.stderr.strip():
            sys.exit(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def same(self, key: str, value: object) -> None:
        """Numbers must be those of the reference."""
        self.found[key] = value
        if self.reference is not None:
            expected = self.reference[key]
            if not close(value, expected):
                sys.exit(f"{key}: found {value!r}, expected {expected!r}")

    def everything(self, folder: Path) -> None:
        """All steps."""
        step("selftest")
        tested = json.loads(self.run("selftest", "--json"))
        if not tested["ok"]:
            sys.exit(f"selftest failed: {tested}")
        examples = sorted(
            p for p in Path(tested["examples"]).iterdir() if p.suffix not in (".py", ".md")
        )
        if len(examples) < 30:
            sys.exit(f"only {len(examples)} examples in {tested['examples']}")
        step(f"inspect {len(examples)} examples")
        seen = json.loads(self.run("inspect", "--json", *map(str, examples)))
        self.same(
            "examples",
            {Path(f["path"]).name: [f["format"], f["modality"], f["points"]] for f in seen},
        )
        source = next(
            p for p in examples if "calcite" in p.name.lower() and "raman" in p.name.lower()
        )
        odd = folder / "mit Leerzeichen äöü 石"
        odd.mkdir()
        copy = odd / f"Probe № 1{source.suffix}"
        shutil.copy(source, copy)
        step("convert, in a folder with spaces and other letters")
        self.run("convert", str(copy), "--out", str(odd / "kopie.csv"))
        self.same("converted", rows(odd / "kopie.csv")[:3])
        step("generate with a fixed seed")
        arguments = ("generate", str(copy), "--to", "ir", "--to", "xrd", "--seed", "1",
                     "--device", "cpu")  # fmt: skip
        self.run(*arguments, "--out", str(odd / "out"))
        made = sorted((odd / "out").glob("*.csv"))
        self.same("generated", {("ir", "xrd")[i]: rows(p)[::200] for i, p in enumerate(made)})
        step("fit")
        fitted = json.loads(
            self.run("fit", str(copy), "--shape", "lorentzian", "--json", "--out", str(odd / "fit"))
        )
        results = fitted["results"] if isinstance(fitted, dict) else fitted
        self.same("fitted", round(results[0]["r_squared"], 4))
        step("an empty home")
        empty = folder / "home"
        empty.mkdir()
        self.run("selftest", "--json", HOME=str(empty), XDG_CONFIG_HOME=None, XDG_DATA_HOME=None)
        if os.name == "posix" and sys.platform == "linux":
            step("no display, read-only home")
            empty.chmod(0o555)
            self.run("models", HOME=str(empty), DISPLAY=None, WAYLAND_DISPLAY=None)
            empty.chmod(0o755)
            cut_off = ("unshare", "-r", "-n")
            if subprocess.run([*cut_off, "true"], capture_output=True, check=False).returncode == 0:
                step("no network")
                self.run(*arguments, "--out", str(odd / "offline"), wrap=cut_off)


def rows(path: Path) -> list[list[float]]:
    """The numbers of a CSV file."""
    with path.open(encoding="utf-8", newline="") as stream:
        table = csv.reader(line for line in stream if not line.startswith("#"))
        next(table)
        return [[float(v) for v in row if v] for row in table]


def close(found: object, expected: object) -> bool:
    """Whether two JSON values agree, numbers to the tolerance."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return found.keys() == expected.keys() and all(close(found[k], expected[k]) for k in found)
    if isinstance(found, list | tuple) and isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(map(close, found, expected))
    if isinstance(found, float) or isinstance(expected, float):
        return abs(float(found) - float(expected)) <= TOLERANCE * max(1.0, abs(float(expected)))  # type: ignore[arg-type]
    return found == expected


def step(text: str) -> None:
    """Say what is tried."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def main() -> None:
    """Run all steps."""
    arguments = sys.argv[1:]
    update = "--update" in arguments
    program = [a for a in arguments if a != "--update"]
    if not program:
        sys.exit(__doc__)
    reference = None if update else json.loads(REFERENCE.read_text("utf-8"))
    smoke = Smoke(program, reference)
    with tempfile.TemporaryDirectory() as folder:
        smoke.everything(Path(folder))
    if update:
        REFERENCE.write_text(json.dumps(smoke.found, indent=1) + "\n", "utf-8")
    print("smoke test passed")


if __name__ == "__main__":
    main()
