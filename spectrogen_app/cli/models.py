"""``spectrogen models``: what is installed, with the scores from the cards."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from spectrogen_app.cli.console import print_json
from spectrogen_app.cli.desktop import Desktop
from spectrogen_app.cli.main import FAILED, OK
from spectrogen_app.errors import ModelError

DESCRIPTION = "List the installed models with the scores from their cards, the default first."
EXAMPLES = """\
examples:
  spectrogen models
  spectrogen models --json
  spectrogen models --card
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--card", action="store_true", help="print the whole cards")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, desktop: Desktop) -> int:
    """Run the command."""
    from spectrogen_app.generation.bundle import list_models, model_folders

    models = list_models()
    if args.json:
        print_json(
            [
                {
                    "id": m.model_id, "name": m.name, "path": str(m.path), "sha256": m.sha256,
                    "inputs": list(m.inputs), "targets": list(m.targets), "bytes": m.size,
                    "bundled": m.bundled, "metrics": dict(m.metrics),
                }
                for m in models
            ]
        )  # fmt: skip
        return OK if models else FAILED
    if not models:
        raise ModelError(
            "No model is installed.",
            hint=f"Models are looked for in {' and '.join(map(str, model_folders()))}.",
        )
    for model in models:
        print(f"{model.model_id}: {model.name}, {model.size / 1e6:.1f} MB, "
              f"{'bundled' if model.bundled else model.path}")  # fmt: skip
        print(f"  from {', '.join(model.inputs)} to {', '.join(model.targets)}")
        for line in model.card.splitlines() if args.card else scores(model.card):
            print(f"  {line}".rstrip())
    return OK


def scores(card: str) -> Iterator[str]:
    """The tables of a model card, each under its heading."""
    heading = ""
    for line in card.splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("|"):
            if heading:
                yield heading
                heading = ""
            if set(line) - set("|-: "):
                yield line
