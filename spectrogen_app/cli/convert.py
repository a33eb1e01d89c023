"""``spectrogen convert``: one file in another format."""

from __future__ import annotations

import argparse
from pathlib import Path

from spectrogen_app.app.services import ExportRequest, LoadRequest, export, load_files
from spectrogen_app.cli.console import note, progress
from spectrogen_app.cli.desktop import Desktop
from spectrogen_app.cli.main import OK
from spectrogen_app.errors import WriteError

DESCRIPTION = "Write all spectra of a file in the format that OUT's extension names."
EXAMPLES = """\
examples:
  spectrogen convert calcite.jdx --out calcite.csv
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("file", type=Path, metavar="FILE", help="any file that opens")
    parser.add_argument("--out", type=Path, required=True, metavar="OUT", help="file to write")


def run(args: argparse.Namespace, desktop: Desktop) -> int:
    """Run the command."""
    with progress("Converting") as token:
        verdicts = load_files(LoadRequest((args.file,)), token)
        for verdict in verdicts:
            if verdict.error is not None:
                raise verdict.error
        spectra = tuple(s for v in verdicts for s in v.spectra)
        if not spectra:
            raise WriteError(f"{args.file} holds no spectrum.", hint="There is nothing to write.")
        export(ExportRequest(spectra, args.out), token)
    for verdict in verdicts:
        for sentence in (*verdict.assumptions, *verdict.warnings):
            note(f"{verdict.path.name}: {sentence}")
    print(f"{args.out}: {len(spectra)} spectr{'um' if len(spectra) == 1 else 'a'}")
    return OK
