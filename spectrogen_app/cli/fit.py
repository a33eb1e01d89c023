"""``spectrogen fit``: spectra decomposed into peaks."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spectrogen_app.app.fitting import BatchFitRequest, FitChoices, batch_fit_job, read_template
from spectrogen_app.app.services import LoadRequest, load_each
from spectrogen_app.cli.console import note, print_json, progress
from spectrogen_app.cli.desktop import Desktop
from spectrogen_app.cli.generate import file_name
from spectrogen_app.cli.main import FAILED, OK, one_line
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import ProcessingError
from spectrogen_app.fitting.batch import Outcome
from spectrogen_app.fitting.engine import LOSSES
from spectrogen_app.fitting.estimate import Estimate
from spectrogen_app.fitting.model import BACKGROUNDS
from spectrogen_app.fitting.report import table_csv, write
from spectrogen_app.fitting.result import FitResult
from spectrogen_app.fitting.shapes import SHAPES
from spectrogen_app.paths import atomic_write
from spectrogen_app.processing.pipeline import parse

DESCRIPTION = """\
Decompose spectra into peaks. Each spectrum gives NAME.peaks.csv (peaks with standard errors),
NAME.curves.csv (data, sum, residual, background, each peak), NAME.fit.json (everything; also a
start for other fits) and NAME.txt; peaks.csv lists the peaks of all. A file that fails does not
stop the others; exit code 1 if any failed."""
EXAMPLES = """\
examples:
  spectrogen fit calcite_raman.txt --out fits
  spectrogen fit raman/ --shape voigt --baseline arpls --out fits --json
  spectrogen fit series/ --peaks fits/first.fit.json --background linear --out fits
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="file, folder or zip")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write")
    parser.add_argument(
        "--peaks", default="auto", metavar="auto|FILE",
        help="find them, or start from a .fit.json, a template or a CSV of center, height, fwhm "
        "(many spectra: there or from the fit before, whichever is nearer); default: auto",
    )  # fmt: skip
    parser.add_argument(
        "--shape", choices=sorted(SHAPES), metavar="SHAPE",
        help=f"with auto: {', '.join(SHAPES)}; default: what suits each peak",
    )  # fmt: skip
    parser.add_argument(
        "--baseline", type=_step, metavar="STEP",
        help="subtracted before, such as arpls or 'asls(lam=1e7, p=0.001)'",
    )  # fmt: skip
    parser.add_argument(
        "--background", choices=BACKGROUNDS, metavar="KIND",
        help=f"fitted with the peaks: {', '.join(BACKGROUNDS)}",
    )  # fmt: skip
    parser.add_argument(
        "--range", nargs=2, type=_number, metavar=("LOW", "HIGH"), help="fit this range of x"
    )
    parser.add_argument(
        "--exclude", nargs=2, type=_number, action="append", default=[], metavar=("LOW", "HIGH"),
        help="leave this range of x out; may be repeated",
    )  # fmt: skip
    parser.add_argument("--kalpha2", action="store_true",
                        help="with auto: powder lines have their Cu K-alpha2 line")  # fmt: skip
    parser.add_argument("--weights", choices=("none", "poisson"), default="none",
                        help="default: none")  # fmt: skip
    parser.add_argument("--loss", choices=LOSSES, default="linear",
                        help="soft_l1, huber and cauchy let spikes count less")  # fmt: skip
    parser.add_argument("--jobs", type=_jobs, metavar="N", help="processes; default: one per core")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _step(text: str) -> str:
    try:
        step = parse(text)
    except ProcessingError as error:
        raise argparse.ArgumentTypeError(one_line(error)) from error
    return step.text


def _number(text: str) -> float:
    """A number with a decimal point or comma."""
    number = float(text.replace(",", "."))
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError("must be a number")
    return number


def _jobs(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return count


def run(args: argparse.Namespace, desktop: Desktop) -> int:
    """Run the command."""
    choices = FitChoices(
        peaks="auto" if args.peaks == "auto" else read_template(Path(args.peaks)),
        steps=(args.baseline,) if args.baseline else (),
        background=args.background, shape=args.shape, partner=args.kalpha2,
        weights=args.weights, loss=args.loss,
        exclude=tuple(map(tuple, args.exclude)), within=args.range and tuple(args.range),
    )  # fmt: skip
    outcomes: list[dict[str, Any]] = []
    spectra: list[Spectrum] = []
    with progress("Fitting") as token:
        for verdict in load_each(LoadRequest(tuple(args.paths)), token):
            if verdict.error is not None:
                _fail(outcomes, str(verdict.path), verdict.error)
            spectra += verdict.spectra
        stems = _stems(spectra)
        written: dict[int, tuple[Path, ...]] = {}

        def keep(at: int, outcome: Outcome) -> None:
            if isinstance(outcome, FitResult):
                written[at] = write(outcome, args.out, stems[at])

        request = BatchFitRequest(tuple(spectra), choices, workers=args.jobs)
        fits = batch_fit_job(request, token, keep)
        for at, outcome in enumerate(fits):
            source = spectra[at].provenance.path or spectra[at].name
            if isinstance(outcome, FitResult):
                outcomes.append(_summary(outcome, source, written[at]))
            elif outcome is not None:
                _fail(outcomes, source, outcome.error)
        if written:
            with atomic_write(args.out / "peaks.csv", "w", encoding="utf-8") as stream:
                stream.write(table_csv(o for o in fits if o is not None))
    if not outcomes:
        _fail(outcomes, ", ".join(map(str, args.paths)), ValueError("no spectra were found there"))
    _report(outcomes, args.json)
    return FAILED if any(o["status"] == "failed" for o in outcomes) else OK


def _fail(outcomes: list[dict[str, Any]], source: str, error: BaseException) -> None:
    outcomes.append({"file": source, "status": "failed", "error": one_line(error)})
    note(f"spectrogen fit: {source}: {one_line(error)}")


def _stems(spectra: Sequence[Spectrum]) -> list[str]:
    """A file name for each, the same at every run and no two alike."""
    taken: set[str] = set()
    stems = []
    for spectrum in spectra:
        source = spectrum.provenance
        stem = file_name(Path(source.path).stem or spectrum.name)
        wish, count = stem, 1
        while stem.casefold() in taken:
            count += 1
            stem = f"{wish}-{count}"
        taken.add(stem.casefold())
        stems.append(stem)
    return stems


def _summary(result: FitResult, source: str, written: Sequence[Path]) -> dict[str, Any]:
    return {
        "file": source, "index": result.spectrum.provenance.index, "status": "written",
        "out": [str(p) for p in written], "success": result.success, "message": result.message,
        "r_squared": result.r_squared, "chisqr": result.chisqr, "redchi": result.redchi,
        "aic": result.aic, "bic": result.bic,
        "background": result.model.background and result.model.background.kind,
        "peaks": [
            {"name": p.name, "shape": p.shape,
             **{k: _plain(getattr(p, k)) for k in ("center", "height", "fwhm", "area")}}
            for p in result.peaks
        ],
        "warnings": list(result.warnings), "notes": list(result.notes),
    }  # fmt: skip


def _plain(estimate: Estimate) -> dict[str, float | None]:
    return {"value": estimate.value, "stderr": estimate.stderr}


def _report(outcomes: Sequence[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(outcomes)
        return
    for one in outcomes:
        if one["status"] == "written":
            print(f"{one['file']}: {len(one['peaks'])} peaks, R² = {one['r_squared']:.5f}")
            for sentence in one["warnings"]:
                print(f"  warning: {sentence}")
    counts = [sum(o["status"] == s for o in outcomes) for s in ("written", "failed")]
    print(f"{counts[0]} fitted, {counts[1]} failed")
