"""``spectrogen convert``: files in another format, one by name or many into a folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from spectrogen_app.app.conversion import Converted, ConvertRequest, convert_files, picked
from spectrogen_app.app.services import ExportRequest, export, load_files
from spectrogen_app.cli import reading
from spectrogen_app.cli.console import note, print_json, progress
from spectrogen_app.cli.desktop import Desktop
from spectrogen_app.cli.main import FAILED, OK, USAGE, one_line
from spectrogen_app.errors import WriteError
from spectrogen_app.io.base import Verdict

DESCRIPTION = """\
Write spectra in another format: with --to each file of PATH... into the folder OUT, else the one
file PATH into the file OUT, whose extension names the format. All spectra of a file stay together.
A file that fails does not stop the others; the exit code is then 1."""
EXAMPLES = """\
With --to, folders and zip archives are converted whole, and their folders are made again within
OUT. Files of the same name get the old extension, then a number; earlier files are replaced.

examples:
  spectrogen convert calcite.jdx --out calcite.csv
  spectrogen convert measurements/ archive.zip map.wdf --to jdx --out converted
  spectrogen convert scan.0 --pick 2 --out single_channel.csv
  spectrogen convert structure.cif --wavelength Co --width 0.2 --out pattern.csv
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from spectrogen_app.io.registry import WRITERS

    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="file, folder or zip")
    parser.add_argument("--to", metavar="FORMAT", type=_extension,
                        help=f"write each file in this format: {_known(WRITERS)}")  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="OUT",
                        help="file to write, or with --to the folder")  # fmt: skip
    parser.add_argument("--pick", metavar="NUMBERS",
                        help="only these spectra of each file, such as 1-3,7, as numbered by "
                        "spectrogen inspect --all; also those that a file only offers")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON")
    reading.arguments(parser)


def _known(extensions: Any) -> str:
    return ", ".join(e.lstrip(".") for e in extensions)


def _extension(text: str) -> str:
    from spectrogen_app.io.registry import WRITERS

    extension = f".{text.lower().lstrip('.')}"
    if extension not in WRITERS:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {_known(WRITERS)}")
    return extension


def run(args: argparse.Namespace, desktop: Desktop) -> int:
    """Run the command."""
    if args.to is not None:
        return _many(args)
    if len(args.paths) > 1:
        note("spectrogen convert: several files need --to FORMAT and a folder for --out")
        return USAGE
    return _one(args, args.paths[0], args.out)


def _one(args: argparse.Namespace, path: Path, out: Path) -> int:
    with progress("Converting") as token:
        verdicts = load_files(reading.request_of(args, (path,)), token)
        for verdict in verdicts:
            if verdict.error is not None and not (args.pick and verdict.count):
                raise verdict.error
        spectra = tuple(s for v in verdicts for s in picked(v, args.pick))
        if not spectra:
            raise WriteError(f"{path} holds no spectrum.", hint="There is nothing to write.")
        export(ExportRequest(spectra, out), token)
    for verdict in verdicts:
        _say(verdict)
    if args.json:
        print_json([_json(Converted(v, len(picked(v, args.pick)), out)) for v in verdicts])
    else:
        print(f"{out}: {_count(len(spectra))}")
    return OK


def _many(args: argparse.Namespace) -> int:
    def told(one: Converted) -> None:
        if one.error is not None:
            note(f"spectrogen convert: {one.verdict.path}: {one_line(one.error)}")
        else:
            _say(one.verdict)

    with progress("Converting") as token:
        files = reading.request_of(args, args.paths)
        done = convert_files(ConvertRequest(files, args.to, args.out, args.pick), token, told)
    failed = sum(one.error is not None for one in done)
    if args.json:
        print_json([_json(one) for one in done])
    else:
        for one in done:
            if one.error is None:
                print(f"{one.verdict.path} -> {one.path}: {_count(one.count)}")
        print(f"{len(done) - failed} of {len(done)} files written to {args.out}")
    return OK if done and not failed else FAILED


def _say(verdict: Verdict) -> None:
    for sentence in (*verdict.assumptions, *verdict.warnings):
        note(f"{verdict.path.name}: {sentence}")


def _count(number: int) -> str:
    return f"{number} spectr{'um' if number == 1 else 'a'}"


def _json(one: Converted) -> dict[str, Any]:
    error = one.error
    return {
        "file": str(one.verdict.path),
        "ok": error is None,
        "format": one.verdict.format,
        "out": None if one.path is None else str(one.path),
        "n_spectra": one.count,
        "assumptions": list(one.verdict.assumptions),
        "warnings": list(one.verdict.warnings),
        "error": None if error is None else {"message": error.message, "hint": error.hint},
    }
