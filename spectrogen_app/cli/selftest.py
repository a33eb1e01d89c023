"""``spectrogen selftest``: whether this installation works, and with what."""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from spectrogen_app import __version__, paths
from spectrogen_app.app.jobs import Token
from spectrogen_app.app.services import (
    ExportRequest,
    GenerateRequest,
    LoadRequest,
    WarmRequest,
    export,
    find_model,
    generate,
    load_files,
    warm_model,
)
from spectrogen_app.cli.console import print_json
from spectrogen_app.cli.desktop import Desktop, has_display, require_qt
from spectrogen_app.cli.main import FAILED, OK, one_line
from spectrogen_app.data.provenance import Origin
from spectrogen_app.errors import ModelError, ReadError, SpectrogenError

DESCRIPTION = """\
Check this installation: verify the model files, read the examples, generate with a fixed seed and
compare with stored numbers, write and reopen a file, make and destroy the window."""
EXAMPLES = """\
examples:
  spectrogen selftest
  spectrogen selftest --json --device cpu
"""
EXAMPLE = "calcite_raman.txt"
TARGETS = ("ir", "xrd")
STRIDE = 50
TOLERANCE = 2e-3
"""Largest difference to a stored number, where 1 is the highest peak."""
_PACKAGES = ("numpy", "scipy", "torch", "PySide6-Essentials", "pyqtgraph", "lmfit", "h5py",
             "safetensors")  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), metavar="DEVICE",
        help="auto, cpu, cuda or mps; default: auto",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="save how the window looks")
    parser.add_argument(
        "--record", action="store_true",
        help="store this run's numbers as the ones to compare with (after training)",
    )  # fmt: skip


def run(args: argparse.Namespace, desktop: Desktop) -> int:
    """Run the command."""
    if args.record:
        return _record()
    versions = dict(_versions())
    checks: list[dict[str, Any]] = []
    for name, check in (
        ("models", _models),
        ("examples", _examples),
        ("device", lambda: _device(args.device)),
        ("generate", lambda: _generate(args.device)),
        ("export", _export),
        ("window", lambda: _window(desktop, args.picture)),
    ):
        checks.append(_checked(name, check))
        if not args.json:
            one = checks[-1]
            print(f"{'ok  ' if one['ok'] else 'FAIL'} {name:<9} {one['detail']}", flush=True)
    ok = all(c["ok"] for c in checks)
    if args.json:
        folder = str(paths.shipped("resources") / "examples")
        print_json({"ok": ok, "versions": versions, "examples": folder, "checks": checks})
    else:
        print(", ".join(f"{k} {v}" for k, v in versions.items()))
        print("All is well." if ok else "Something is wrong: see the lines that begin with FAIL.")
    return OK if ok else FAILED


def _checked(name: str, check: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"name": name, "ok": True, "detail": check()}
    except SpectrogenError as error:
        return {"name": name, "ok": False, "detail": one_line(error)}
    except Exception as error:  # a broken installation breaks anywhere
        return {"name": name, "ok": False, "detail": f"{type(error).__name__}: {one_line(error)}"}


def _versions() -> Iterator[tuple[str, str]]:
    yield "SpectroGen", __version__
    yield "Python", platform.python_version()
    yield "system", f"{platform.system()} {platform.release()} {platform.machine()}"
    for package in _PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            yield package, "unknown"


def _models() -> str:
    from spectrogen_app.generation import bundle

    found = []
    for folder in bundle.model_folders():
        for sums in sorted(folder.glob(f"*/{bundle.SUMS}")):
            info = bundle.read_info(sums.parent)
            digest = hashlib.sha256((sums.parent / bundle.WEIGHTS).read_bytes()).hexdigest()
            if digest != info.sha256:
                raise ModelError(
                    f"The weights of {info.model_id} are damaged or were altered.",
                    hint="Install the model again.",
                )
            found.append(info.model_id)
    if not found:
        raise ModelError("No model is installed.", hint="Install the program again.")
    return f"{', '.join(found)}: checksums right"


def _examples() -> str:
    folder = paths.shipped("resources") / "examples"
    files = tuple(sorted(p for p in folder.glob("*_*.*") if p.suffix != ".py"))
    verdicts = load_files(LoadRequest(files), Token())
    for verdict in verdicts:
        if verdict.error is not None:
            raise verdict.error
        if any(s.origin is not Origin.SIMULATED for s in verdict.spectra):
            raise ReadError(f"{verdict.path.name} is not marked as simulated.")
    if not files:
        raise ReadError(f"There are no examples in {folder}.", hint="Install the program again.")
    return f"{len(files)} files read"


def _device(device: str) -> str:
    warmth = warm_model(WarmRequest(device=device), Token())
    return f"{warmth.label}: {warmth.reason}"


def _stored() -> Path:
    return paths.shipped("resources") / "selftest.json"


def _answer(device: str) -> dict[str, list[float]]:
    """Thinned curves generated from the example."""
    path = paths.shipped("resources") / "examples" / EXAMPLE
    (verdict,) = load_files(LoadRequest((path,)), Token())
    if verdict.error is not None:
        raise verdict.error
    spectra = tuple(verdict.spectra)
    request = GenerateRequest(spectra, TARGETS, spectra[0].formula, 0, None, device)
    result = generate(request, Token())
    return {t: [round(float(v), 6) for v in result[t].y[::STRIDE]] for t in TARGETS}


def _generate(device: str) -> str:
    stored = json.loads(_stored().read_text(encoding="utf-8"))
    model = find_model()
    if model.sha256 not in stored:
        raise ModelError(
            f"No numbers are stored for {model.model_id}.",
            hint="After training a default model: spectrogen selftest --record",
        )
    answer = _answer(device)
    worst = max(
        float(np.max(np.abs(np.subtract(answer[t], stored[model.sha256][t])))) for t in TARGETS
    )
    if worst > TOLERANCE:
        raise ModelError(
            f"Generated numbers differ by {worst:.2g} from the stored ones.",
            hint="Try --device cpu; if it persists, install the program again.",
        )
    return f"{EXAMPLE} to {' and '.join(TARGETS)} within {worst:.1g} of the stored numbers"


def _record() -> int:
    content = {find_model().sha256: _answer("cpu")}
    with paths.atomic_write(_stored()) as stream:
        stream.write((json.dumps(content) + "\n").encode())
    print(f"{_stored()}: written")
    return OK


def _export() -> str:
    path = paths.shipped("resources") / "examples" / EXAMPLE
    (verdict,) = load_files(LoadRequest((path,)), Token())
    if verdict.error is not None:
        raise verdict.error
    spectrum = verdict.spectra[0]
    with tempfile.TemporaryDirectory() as folder:
        out = export(ExportRequest((spectrum,), Path(folder) / "out.csv"), Token())
        (again,) = load_files(LoadRequest((out,)), Token())
    same = np.array_equal(again.spectra[0].y, spectrum.y)
    if not same or again.spectra[0].origin is not spectrum.origin:
        raise ReadError("A written file did not read back to the same numbers.")
    return "written and reopened to the same numbers"


def _window(desktop: Desktop, picture: Path | None) -> str:
    require_qt(window=has_display())
    made = desktop.check(picture)
    return made if has_display() else f"{made}, no display"
