"""``spectrogen [FILE ...]``: the window, or the same job without one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from spectrogen_app.app.jobs import Token
from spectrogen_app.app.services import (
    ExportRequest,
    GenerateRequest,
    LoadRequest,
    compare,
    export,
    generate,
    load_files,
)
from spectrogen_app.app.session import Sample, SessionState
from spectrogen_app.cli.console import note, progress
from spectrogen_app.cli.desktop import Desktop, has_display, require_qt
from spectrogen_app.cli.generate import TARGETS, file_name, formula_of
from spectrogen_app.cli.main import FAILED, OK, USAGE, one_line
from spectrogen_app.data.provenance import Origin
from spectrogen_app.errors import SpectrogenError

DESCRIPTION = "Open the window with files."
EXAMPLES = ""
MAIN = ("raman", "ir", "xrd")
"""What is generated when nothing is asked for."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    parser.add_argument("--to", action="append", default=[], choices=TARGETS, metavar="MODALITY")
    parser.add_argument("--out", type=Path, default=Path("spectrogen-out"), metavar="DIR")


def run(args: argparse.Namespace, desktop: Desktop) -> int:
    """Run the command."""
    if has_display():
        require_qt()
        return desktop.run(args.files, args.to)
    if not args.files:
        print("spectrogen: there is no display for the window, and no file was given "
              "(see spectrogen --help)", file=sys.stderr)  # fmt: skip
        return USAGE
    print("There is no display: the job is done without a window.")
    require_qt(window=False)
    with progress("Reading") as token:
        verdicts = load_files(LoadRequest(tuple(args.files)), token)
    for verdict in verdicts:
        if verdict.error is not None:
            note(f"spectrogen: {verdict.path}: {one_line(verdict.error)}")
    state = SessionState().add([s for v in verdicts for s in v.spectra])
    worked = [_sample(sample, args.to, args.out, desktop) for sample in state.samples]
    return OK if worked and all(worked) and all(v.ok for v in verdicts) else FAILED


def _sample(sample: Sample, wanted: Sequence[str], out: Path, desktop: Desktop) -> bool:
    """Generate, compare, write and draw for one sample; whether all went well."""
    held = [c.spectrum for c in sample.curves if c.spectrum.origin is not Origin.GENERATED]
    there = {s.modality for s in held}
    targets = tuple(wanted) or tuple(m for m in MAIN if m not in there) or MAIN[1:]
    sources = tuple(s for s in held if s.modality not in targets)
    try:
        with progress(sample.name) as token:
            result = generate(GenerateRequest(sources, targets, formula_of(sources)), token)
        stem = file_name(sample.name)
        panels = [list(sources)]
        for target in targets:
            made = result[target]
            path = export(ExportRequest((made,), out / f"{stem}.{target}.csv"), Token())
            print(f"{path}: generated {target}, familiarity {result.familiarity:.2f}")
            measured = [s for s in held if s.modality == target]
            for one in measured:
                score = compare(made, one).score
                print(f"  against {one.name}: r {score.r:.3f}, RMSE {score.rmse:.3f}, "
                      f"peak F1 {score.f1:.2f}")  # fmt: skip
            panels.append([*measured, made])
        picture = out / f"{stem}.png"
        desktop.picture(sample.name, panels, picture)
        print(f"{picture}: picture")
        for sentence in result.notes:
            print(f"  note: {sentence}")
    except SpectrogenError as error:
        note(f"spectrogen: {sample.name}: {one_line(error)}")
        return False
    return True
