"""Try a shipped program as its user would: ``python smoke_test.py PROGRAM [ARGUMENTS...]``.

The same for source (``python -m spectrogen_app``), wheel, frozen and installed program. Needs only
the standard library. Every call is made with an empty home and without a display, on Linux also
without a network and with the program's folder read-only. Any unexpected line of output, other
number or non-zero exit fails it. ``--update`` stores the numbers of this run as the reference, and
before it those of the program's self-test; do that from source, whenever the bundled model changes.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

REFERENCE = Path(__file__).with_name("smoke_reference.json")
TOLERANCE = 1e-5
"""Of generated and fitted numbers; what is read and exported must be the same to the last bit."""
UPDATE = "python packaging/smoke_test.py --update python -m spectrogen_app"
ASSUMED = r"\w+\.xy: X-ray wavelength 1\.541838 .+ \(Cu K-alpha\), since the file names none\."


class Smoke:
    """Runs the program and holds what it does against the reference."""

    def __init__(self, program: Sequence[str], folder: Path, reference: dict[str, object] | None):
        self.program = program
        self.folder = folder
        self.reference = reference
        self.found: dict[str, object] = {}
        self.wrap: list[str] = []
        self.home = folder / "empty home"
        self.home.mkdir()

    def run(self, *arguments: str, expected: str = "", **changes: str) -> str:
        """Standard output of one call; all lines must match ``expected`` but where it is JSON."""
        variables = {
            k: v for k, v in os.environ.items()
            if not k.startswith(("XDG_", "DISPLAY", "WAYLAND", "QT_", "SPECTROGEN_", "DBUS_"))
        }  # fmt: skip
        variables |= {"HOME": str(self.home), "USERPROFILE": str(self.home),
                      "LOCALAPPDATA": str(self.home), "PYTHONWARNINGS": "error",
                      **changes}  # fmt: skip
        done = subprocess.run(
            [*self.wrap, *self.program, *arguments], env=variables, capture_output=True, text=True,
            encoding="utf-8", errors="replace", timeout=240, check=False,
        )  # fmt: skip
        lines = done.stderr.splitlines()
        if "--json" not in arguments:
            lines += done.stdout.splitlines()
        odd = [line for line in lines if not re.fullmatch(expected, line)]
        if done.returncode or odd:
            said = "\n".join(odd) or done.stdout
            sys.exit(f"FAILED: {' '.join(arguments)}: exit code {done.returncode}\n{said}")
        return done.stdout

    def same(self, key: str, value: object) -> None:
        """Numbers must be those of the reference."""
        self.found[key] = value
        if self.reference is not None:
            expected = self.reference.get(key)
            if not close(value, expected):
                sys.exit(f"FAILED: {key}: {difference(value, expected)}")

    def same_model(self) -> None:
        """The reference must be of the model that the program carries."""
        model = json.loads(self.run("models", "--json"))[0]
        self.found["model"] = [model["id"], model["sha256"]]
        if self.reference is not None and self.reference["model"] != self.found["model"]:
            sys.exit(
                f"STALE: {REFERENCE.name} was recorded with the model {self.reference['model']}, "
                f"and the program carries {self.found['model']}. Record it again from source:\n"
                f"  {UPDATE}"
            )

    def everything(self) -> None:
        """All steps."""
        if self.reference is None:
            step("record the numbers of the self-test")
            self.run("selftest", "--record", expected=r".*selftest\.json: written")
        step("where the program is")
        tested = json.loads(self.run("selftest", "--json"))
        examples = sorted(p for p in Path(tested["examples"]).iterdir() if "_" in p.stem)
        examples = [p for p in examples if p.is_file() and p.suffix != ".py"]
        if len(examples) < 30:
            sys.exit(f"FAILED: only {len(examples)} examples in {tested['examples']}")
        self.same_model()
        program = Path(tested["examples"]).parents[1]
        self.wrap = shut_in(program.parents[1] if program.name == "_bundled" else program)
        step("self-test, with a picture of the window")
        picture = self.folder / "Fenster ä.png"
        self.run("selftest", "--json", "--picture", str(picture))
        look(picture)
        step(f"inspect {len(examples)} examples")
        seen = json.loads(self.run("inspect", "--json", *map(str, examples)))
        self.same(
            "examples",
            {Path(f["file"]).name: [f["format"], f["modality"], f["points"]] for f in seen},
        )
        odd = self.folder / "mit Leerzeichen äöü 石"
        odd.mkdir()
        source = next(p for p in examples if p.stem == "calcite_raman")
        copy = odd / f"Probe № 1{source.suffix}"
        shutil.copy(source, copy)
        step("read and export all, in a folder with spaces and other letters")
        self.run("convert", *map(str, examples), "--to", "csv", "--out", str(odd / "csv"),
                 expected=rf"{ASSUMED}|.* -> .*: 1 spectrum|\d+ of \d+ files written to .*"
                 )  # fmt: skip
        self.same("exported", {p.stem: numbers_hash(p) for p in sorted((odd / "csv").iterdir())})
        self.run("convert", str(copy), "--out", str(odd / "kopie.csv"), LC_ALL="C",
                 expected=r".*kopie\.csv: 1 spectrum")  # fmt: skip
        if numbers_hash(odd / "kopie.csv") != numbers_hash(odd / "csv" / "calcite_raman.csv"):
            sys.exit("FAILED: a converted file differs with its name or the locale")
        step("generate with a fixed seed")
        self.run("generate", str(copy), "--to", "ir", "--to", "xrd", "--seed", "1",
                 "--device", "cpu", "--json", "--out", str(odd / "made"))  # fmt: skip
        made = {p.suffixes[-2]: rows(p)[::200] for p in sorted((odd / "made").glob("*.csv"))}
        self.same("generated", made)
        step("fit")
        fitted = json.loads(self.run("fit", str(copy), "--shape", "lorentzian", "--json",
                                     "--out", str(odd / "fit")))  # fmt: skip
        self.same("fitted", {
            "r_squared": fitted[0]["r_squared"],
            "centers": [p["center"]["value"] for p in fitted[0]["peaks"]],
        })  # fmt: skip
        if sys.platform == "linux":
            step("the window's job without a display")
            self.run("--to", "ir", str(copy), "--out", str(odd / "job"),
                     expected=r"There is no display: the job is done without a window\.|"
                              r".*: generated ir, familiarity \d\.\d\d|.*\.png: picture|"
                              r"  note: .*")  # fmt: skip
            look(next((odd / "job").glob("*.png")))


def shut_in(program: Path) -> list[str]:
    """Command before the program's that cuts the network off and makes its folder read-only."""
    if sys.platform != "linux":
        return []
    script = ('mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && '
              '! touch "$0/.probe" 2>/dev/null && exec "$@"')  # fmt: skip
    for how in (["unshare", "-m", "-n"], ["unshare", "-r", "-m", "-n"]):
        wrap = [*how, "sh", "-c", script, str(program)]
        if subprocess.run([*wrap, "true"], capture_output=True, check=False).returncode == 0:
            step(f"from here on without a network, and {program} is read-only")
            return wrap
    for how in (["unshare", "-n"], ["unshare", "-r", "-n"]):
        if subprocess.run([*how, "true"], capture_output=True, check=False).returncode == 0:
            step("from here on without a network")
            return how
    routes = Path("/proc/net/route").read_text().splitlines()[1:]
    step("the network could not be cut off here" if routes else "there is no network here")
    return []


def rows(path: Path) -> list[list[float]]:
    """The numbers of a CSV file."""
    with path.open(encoding="utf-8", newline="") as stream:
        table = csv.reader(line for line in stream if not line.startswith("#"))
        next(table)
        return [[float(v) for v in row if v] for row in table]


def numbers_hash(path: Path) -> str:
    """Changes when any digit of the numbers does."""
    lines = [s for s in path.read_text("utf-8").splitlines() if not s.startswith("#")]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def look(path: Path) -> None:
    """A PNG must have a fair size and not be of one colour."""
    data = path.read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    at, packed = 8, b""
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += length + 12
    if width < 600 or height < 300 or len(set(zlib.decompress(packed))) < 50:
        sys.exit(f"FAILED: {path.name} shows nothing ({width} x {height})")


def close(found: object, expected: object) -> bool:
    """Whether two JSON values agree, numbers to the tolerance."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return found.keys() == expected.keys() and all(close(found[k], expected[k]) for k in found)
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(close, found, expected))
    if isinstance(found, float) and isinstance(expected, int | float):
        return abs(found - expected) <= TOLERANCE * max(1.0, abs(expected))
    return found == expected


def difference(found: object, expected: object) -> str:
    """The first place where two JSON values differ."""
    if isinstance(found, dict) and isinstance(expected, dict):
        odd = [k for k in found.keys() | expected.keys()
               if not close(found.get(k), expected.get(k))]  # fmt: skip
        return f"{odd[0]}: {difference(found.get(odd[0]), expected.get(odd[0]))}"
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        place = next(i for i, pair in enumerate(zip(found, expected, strict=True))
                     if not close(*pair))  # fmt: skip
        return f"[{place}] {difference(found[place], expected[place])}"
    return f"found {found!r}, expected {expected!r}"


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
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        smoke = Smoke(program, Path(folder), reference)
        smoke.everything()
    if update:
        REFERENCE.write_text(json.dumps(smoke.found, indent=1, ensure_ascii=False) + "\n", "utf-8")
        print(f"{REFERENCE.name}: written")
    print(f"smoke test passed in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
