"""``spectrogen fit``: spectra decomposed into peaks."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spectrogen_app.app.services import LoadRequest, load_each
from spectrogen_app.cli.console import note, print_json, progress
from spectrogen_app.cli.desktop import Desktop
from spectrogen_app.cli.generate import file_name
from spectrogen_app.cli.main import FAILED, OK, one_line
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check, FitError, SpectrogenError
from spectrogen_app.paths import atomic_write

if TYPE_CHECKING:
    from spectrogen_app.fitting.batch import Outcome
    from spectrogen_app.fitting.model import Model

DESCRIPTION = """\
Decompose spectra into peaks. Each spectrum gives NAME.peaks.csv, NAME.curves.csv, NAME.fit.json and
NAME.txt, and all peaks together stand in peaks.csv. A spectrum that fails does not stop the others;
exit code 1 if any failed."""
EXAMPLES = """\
examples:
  spectrogen fit quartz_raman.csv --out fits
  spectrogen fit series/ --shape voigt --baseline arpls --within 200 1200 --out fits --json
  spectrogen fit series/ --peaks fits/first.fit.json --out fits
"""
FEW = 3
"""So many spectra are fitted in this process; more go to one process per core."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="file, folder or zip")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write")
    parser.add_argument(
        "--peaks", default="auto", metavar="auto|FILE",
        help="find the peaks, or take those of a template or of an earlier fit; default: auto",
    )  # fmt: skip
    parser.add_argument("--shape", metavar="SHAPE", help="such as lorentzian, gaussian or voigt")
    parser.add_argument(
        "--baseline", metavar="STEP", help="subtracted first, such as arpls or 'arpls(lam=1e5)'"
    )
    parser.add_argument(
        "--background", choices=("constant", "linear", "quadratic", "cubic"), metavar="KIND",
        help="fitted with the peaks: constant, linear, quadratic or cubic",
    )  # fmt: skip
    parser.add_argument(
        "--within", nargs=2, type=float, metavar=("LOW", "HIGH"), help="range of x to fit"
    )
    parser.add_argument(
        "--exclude", nargs=2, type=float, action="append", default=[], metavar=("LOW", "HIGH"),
        help="range of x to leave out; may be repeated",
    )  # fmt: skip
    parser.add_argument("--weights", choices=("none", "poisson"), default="none", metavar="KIND",
                        help="none or poisson; default: none")  # fmt: skip
    parser.add_argument(
        "--loss", choices=("linear", "soft_l1", "huber", "cauchy"), default="linear",
        metavar="KIND", help="linear, soft_l1, huber or cauchy; default: linear",
    )  # fmt: skip
    parser.add_argument("--workers", type=int, metavar="N", help="processes; default: one per core")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, desktop: Desktop) -> int:
    """Run the command."""
    from spectrogen_app.fitting import report
    from spectrogen_app.fitting.result import FitResult

    peaks: str | Model = args.peaks
    if args.peaks != "auto":
        peaks = _model(Path(args.peaks))
    options = {
        "shape": args.shape, "background": args.background, "weights": args.weights,
        "loss": args.loss, "exclude": tuple(map(tuple, args.exclude)),
        "within": tuple(args.within) if args.within else None,
    }  # fmt: skip
    failures: list[dict[str, Any]] = []

    def fail(source: str, error: SpectrogenError) -> None:
        failures.append({"file": source, "status": "failed", "error": one_line(error)})
        note(f"spectrogen fit: {source}: {one_line(error)}")

    with progress("Fitting") as token:
        named = _read(args, fail, token.check)
        outcomes = _fitted([s for s, _ in named], peaks, args.workers, token.check, options)
        results = []
        told: list[dict[str, Any]] = []
        for (spectrum, stem), outcome in zip(named, outcomes, strict=True):
            if not isinstance(outcome, FitResult):
                error = outcome.error if outcome is not None else FitError("Not fitted.")
                fail(spectrum.provenance.path or spectrum.name, error)
                continue
            written = report.write(outcome, args.out, stem)
            results.append(outcome)
            told.append(_told(outcome, spectrum, written))
    if results:
        with atomic_write(args.out / "peaks.csv", "w", encoding="utf-8") as stream:
            stream.write(report.table_csv(results))
    if args.json:
        print_json([*told, *failures])
    else:
        for one in told:
            print(
                f"{one['out'][0]}: {len(one['peaks'])} peaks, R2 {one['r_squared']:.5f}"
                + "".join(f"\n  warning: {w}" for w in one["warnings"])
            )
        print(f"{len(told)} fitted, {len(failures)} failed")
    return FAILED if failures or not told else OK


def _model(path: Path) -> Model:
    from spectrogen_app.fitting.report import read_model

    try:
        return read_model(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise FitError(
            f"{path} could not be read ({error}).", hint="Give a template, a .fit.json, or auto."
        ) from error


def _read(args: argparse.Namespace, fail: Any, check: Check) -> list[tuple[Spectrum, str]]:
    """All spectra, less their baseline, each with the name of its outputs."""
    from spectrogen_app.app.jobs import Token
    from spectrogen_app.processing.pipeline import apply, parse

    steps = [parse(args.baseline)] if args.baseline else []
    found: list[tuple[Spectrum, str]] = []
    taken: set[str] = set()
    for verdict in load_each(LoadRequest(tuple(args.paths)), Token()):
        check(0.0, f"Reading {verdict.path.name}")
        if verdict.error is not None:
            fail(str(verdict.path), verdict.error)
            continue
        for index, spectrum in enumerate(verdict.spectra):
            stem = verdict.path.stem + (f"-{index + 1}" if len(verdict.spectra) > 1 else "")
            stem = file_name(stem)
            if stem.casefold() in taken:
                stem = f"{stem}-{spectrum.provenance.sha256[:8]}"
            taken.add(stem.casefold())
            try:
                found.append((apply(spectrum, steps), stem))
            except SpectrogenError as error:
                fail(str(verdict.path), error)
    return found


def _fitted(
    spectra: Sequence[Spectrum], peaks: str | Model, workers: int | None, check: Check,
    options: dict[str, Any],
) -> Sequence[Outcome | None]:  # fmt: skip
    from spectrogen_app.fitting.api import fit
    from spectrogen_app.fitting.batch import Failure, fit_many

    if len(spectra) > FEW:
        return fit_many(spectra, peaks, workers=workers, check=check, **options)
    outcomes: list[Outcome] = []
    for i, spectrum in enumerate(spectra):
        check(i / len(spectra), spectrum.name)
        try:
            outcomes.append(fit(spectrum, peaks, **options))
        except SpectrogenError as error:
            outcomes.append(Failure(i, spectrum.name, error))
    return outcomes


def _told(result: Any, spectrum: Spectrum, written: Sequence[Path]) -> dict[str, Any]:
    return {
        "file": spectrum.provenance.path, "index": spectrum.provenance.index, "status": "fitted",
        "out": [str(p) for p in written], "success": result.success,
        "r_squared": result.r_squared, "chisqr": result.chisqr, "redchi": result.redchi,
        "aic": result.aic, "bic": result.bic,
        "peaks": [
            {
                "name": p.name, "shape": p.shape,
                **{k: {"value": v.value, "stderr": v.stderr}
                   for k in ("center", "height", "fwhm", "area") for v in (getattr(p, k),)},
            }
            for p in result.peaks
        ],
        "warnings": list(result.warnings),
    }  # fmt: skip
