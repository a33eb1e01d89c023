"""``spectrogen evaluate``: a model scored against measured spectra."""

from __future__ import annotations

import argparse
from pathlib import Path

from spectrogen_app.app.services import find_model
from spectrogen_app.cli.console import offline, progress
from spectrogen_app.cli.desktop import Desktop
from spectrogen_app.cli.main import OK

DESCRIPTION = """\
Score a model on the frozen test groups beside the simple methods, and write metrics.json, the table
as Markdown, and pictures."""
EXAMPLES = """\
examples:
  spectrogen evaluate --data rruff/ --out evaluation
  spectrogen evaluate --bundle models/mine --data rruff/ --out evaluation
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--bundle", type=Path, metavar="BUNDLE", help="default: the default model")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR",
                        help="folder of RRUFF archives, or a data set (.h5)")  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("evaluation"), metavar="DIR",
                        help="where to write; default: evaluation")  # fmt: skip
    parser.add_argument("--write-card", action="store_true", help="put the scores into the bundle")
    parser.add_argument("--mixtures", type=int, default=600, metavar="N",
                        help="test mixtures per direction and ratio; default: 600")  # fmt: skip


def run(args: argparse.Namespace, desktop: Desktop) -> int:
    """Run the command."""
    with offline("evaluation"):
        from spectrogen_app.evaluation.command import EvaluateRequest, evaluate
    request = EvaluateRequest(
        args.bundle or find_model().path, args.data, args.out, args.write_card, args.mixtures
    )
    with progress("Evaluating") as token:
        print(evaluate(request, token.check))
    return OK
