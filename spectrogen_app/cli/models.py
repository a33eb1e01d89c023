"""``spectrogen models``: what is installed, with the scores from the cards."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from spectrogen_app.cli.console import print_json
from spectrogen_app.cli.desktop import Desktop
from spectrogen_app.cli.main import FAILED, OK
from spectrogen_app.errors import ModelError

DESCRIPTION = """\
List the installed models, the default first, with the scores of each direction: mean r, and
in brackets that of the best simple method on the same samples (mean, nearest sample or
kernel ridge)."""
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
        for line in model.card.splitlines() if args.card else scores(model.metrics):
            print(f"  {line}".rstrip())
    print(f"Your own models belong in {model_folders()[1]}")
    return OK


def scores(metrics: Mapping[str, Any]) -> Iterator[str]:
    """Mean r of each direction and, in brackets, of the best simple method there.

    Of samples never seen where the model was evaluated, else of its cross-validation.
    """
    table: dict[tuple[str, str], dict[str, tuple[float, float]]] = {}
    if rows := metrics.get("test", {}).get("rows"):
        columns = {"sample": "known mineral", "mineral": "new mineral", "family": "new family"}
        title = "Mean r on samples never seen"
        for row in rows:
            key = (" + ".join(row["sources"]), row["target"])
            table.setdefault(key, {})[row["group"]] = (row["r"], row["best_r"])
    else:
        columns = {"known": "known mineral", "new": "new mineral", "family": "new family"}
        title = "Mean r, cross-validated in training"
        for target, sources in metrics.get("cross_validation", {}).items():
            for source, groups in sources.items():
                table[source.replace("+", " + "), target] = {
                    group: (r["answer"], max(r["kernel ridge"], r["nearest"]))
                    for group, r in groups.items()
                }
    if not table:
        return
    names = [f"{source} to {target}" for source, target in table]
    width = max(len(title), *map(len, names))
    yield f"{title:{width}}" + "".join(f"  {name:13}" for name in columns.values())
    for name, cells in zip(names, table.values(), strict=True):
        shown = [f"{cells[g][0]:.2f} ({cells[g][1]:.2f})" if g in cells else "" for g in columns]
        yield f"{name:{width}}" + "".join(f"  {cell:13}" for cell in shown)
