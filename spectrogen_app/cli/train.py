"""``spectrogen train``: a new model from measured spectra."""

from __future__ import annotations

import argparse
from pathlib import Path

from spectrogen_app.cli.console import offline, progress
from spectrogen_app.cli.desktop import Desktop
from spectrogen_app.cli.generate import TARGETS
from spectrogen_app.cli.main import OK

DESCRIPTION = """\
Train a model and write its bundle. An interrupted run goes on where it was when it is started again
with the same arguments. With --from the model learns further from one's own paired files."""
EXAMPLES = """\
examples:
  spectrogen train --data rruff/ --out models/mine
  spectrogen train --data own.csv --from models/spectrogen-1 --out models/mine
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR",
        help="folder of RRUFF archives, a data set (.h5), or a table (.csv) of sample, modality, "
        "file and formula",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="BUNDLE",
                        help="folder of the new bundle; its name is the model's ID")  # fmt: skip
    parser.add_argument("--from", dest="base", type=Path, metavar="BUNDLE", help="where to start")
    parser.add_argument("--name", default="", help="as shown to people")
    parser.add_argument(
        "--modality", action="append", default=[], choices=TARGETS, metavar="MODALITY",
        help="only these; may be repeated; default: all that the data hold",
    )  # fmt: skip
    parser.add_argument("--hold-out", action="store_true",
                        help="leave the frozen test groups out, to score on them")  # fmt: skip
    parser.add_argument("--epochs", type=int, metavar="N", help="default: what the recipe says")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")


def run(args: argparse.Namespace, desktop: Desktop) -> int:
    """Run the command."""
    with offline("training"):
        from spectrogen_app.training.command import TrainRequest, train
        from spectrogen_app.training.train import Recipe
    recipe = Recipe(seed=args.seed, **({"epochs": args.epochs} if args.epochs else {}))
    request = TrainRequest(
        args.data, args.out, args.base, args.hold_out, tuple(args.modality), args.name, recipe
    )
    with progress("Training") as token:
        made = train(request, token.check)
    print(f"{made}: written")
    return OK
