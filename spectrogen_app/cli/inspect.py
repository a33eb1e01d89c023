"""``spectrogen inspect``: what files hold, or why they are refused."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from spectrogen_app.app.services import load_files
from spectrogen_app.cli import reading
from spectrogen_app.cli.console import note, print_json, progress
from spectrogen_app.cli.desktop import Desktop
from spectrogen_app.cli.main import FAILED, OK, USAGE, one_line
from spectrogen_app.data.axis import pretty_unit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import SpectrogenError
from spectrogen_app.io.base import Verdict

DESCRIPTION = "Say what each file holds, or why it is refused. Exit code 1 if any was refused."
EXAMPLES = """\
examples:
  spectrogen inspect calcite.txt
  spectrogen inspect measurements/ archive.zip --json
  spectrogen inspect scan.0 --all
  spectrogen inspect --formats
"""
SHOWN = 20
"""Spectra of one file that are listed as text; JSON lists all."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("paths", nargs="*", type=Path, metavar="FILE", help="file, folder or zip")
    parser.add_argument("--all", action="store_true",
                        help="number every spectrum, and what a file only offers")  # fmt: skip
    parser.add_argument("--formats", action="store_true", help="list the formats instead")
    parser.add_argument("--json", action="store_true", help="print JSON")
    reading.arguments(parser)


def run(args: argparse.Namespace, desktop: Desktop) -> int:
    """Run the command."""
    if args.formats:
        _formats(args.json)
        return OK
    if not args.paths:
        note("spectrogen inspect: name a file, or give --formats (see spectrogen inspect --help)")
        return USAGE
    with progress("Reading") as token:
        verdicts = load_files(reading.request_of(args, args.paths), token)
    if args.json:
        print_json([as_json(v) for v in verdicts])
    else:
        for verdict in verdicts:
            (_print_all if args.all else _print)(verdict)
    for verdict in verdicts:
        if verdict.error is not None:
            note(f"spectrogen inspect: {verdict.path}: {one_line(verdict.error)}")
    return OK if verdicts and all(v.ok for v in verdicts) else FAILED


def _formats(as_json: bool) -> None:
    from spectrogen_app.io.registry import formats

    if as_json:
        print_json([asdict(f) for f in formats()])
        return
    for one in formats():
        does = " and written" if one.writes else ""
        print(f"{one.label} ({' '.join(one.extensions) or 'any name'})")
        print(f"  {f'read{does}' if one.reads else 'not read: it is named and refused'}")
        if one.vendors:
            print(f"  from: {one.vendors}")
        if one.reads:
            print(f"  tested on: {one.tested_on}")


def as_json(verdict: Verdict) -> dict[str, Any]:
    """One file; the fields of its first spectrum stand at the top, too."""
    spectra = [_spectrum_json(s) for s in verdict.spectra]
    error = verdict.error
    return {
        "file": str(verdict.path),
        "ok": verdict.ok,
        "format": verdict.format,
        "n_spectra": len(spectra),
        "n_offered": len(verdict.others),
        **(spectra[0] if spectra else {}),
        "spectra": spectra,
        "assumptions": list(verdict.assumptions),
        "warnings": list(verdict.warnings),
        "error": None if error is None else {"message": error.message, "hint": error.hint},
    }


def _spectrum_json(s: Spectrum) -> dict[str, Any]:
    return {
        "name": s.name,
        "sample": s.sample,
        "modality": s.modality,
        "origin": s.origin.value,
        "points": len(s),
        "x_kind": s.x_kind.value,
        "x_unit": s.x_unit,
        "x_first": float(s.x[0]),
        "x_last": float(s.x[-1]),
        "y_unit": s.y_unit,
        "y_max": float(s.y.max()),
        "x_at_max": float(s.x[np.argmax(s.y)]),
        "formula": s.formula,
        "laser_nm": s.laser_nm,
        "wavelength": s.wavelength,
    }


def _print(verdict: Verdict) -> None:
    if not verdict.ok:
        return
    count = len(verdict.spectra)
    print(f"{verdict.path}: {verdict.format}, {count} spectr{'um' if count == 1 else 'a'}")
    for s in list(verdict.spectra[:SHOWN]):
        print(f"  {_line(s)}")
    if count > SHOWN:
        print(f"  ... and {count - SHOWN} more")
    if len(verdict.others):
        print(f"  besides, {len(verdict.others)} that are only offered (see them with --all)")
    for sentence in verdict.assumptions:
        print(f"  assumed: {sentence}")
    for sentence in verdict.warnings:
        print(f"  warning: {sentence}")


def _line(s: Spectrum) -> str:
    x_unit, y_unit = pretty_unit(s.x_unit), s.y_unit
    return (
        f"{s.modality}, {s.origin.value}: {len(s)} points, {s.x_label} {s.x[0]:.6g} to "
        f"{s.x[-1]:.6g}, maximum {s.y.max():.6g} {y_unit} at {s.x[np.argmax(s.y)]:.6g} {x_unit}"
    )


def _print_all(verdict: Verdict) -> None:
    """A numbered line per spectrum, as ``--pick`` counts them."""
    if verdict.count:
        print(f"{verdict.path}: {verdict.format or 'not opened'}")
    for index in range(verdict.count):
        try:
            s = verdict.at(index)
            text = f"{s.name}: {_line(s)}"
        except SpectrogenError as error:
            text = one_line(error)
        print(f"  {index + 1}{' (offered)' * (index >= len(verdict.spectra))} {text}")
