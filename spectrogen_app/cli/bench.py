"""``spectrogen bench``: speed and memory of a model on this machine."""

from __future__ import annotations

import argparse

from spectrogen_app.cli.console import offline, print_json, progress
from spectrogen_app.cli.desktop import Desktop
from spectrogen_app.cli.main import OK

DESCRIPTION = """\
Measure load time, latency, throughput and memory of a model on this machine, for the processor and
for a graphics card where there is one, beside the published image network in the same run."""
EXAMPLES = """\
examples:
  spectrogen bench
  spectrogen bench --device cpu --json
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--model", metavar="ID", help="see spectrogen models; default: the first")
    parser.add_argument(
        "--device", action="append", choices=("cpu", "cuda", "mps"), metavar="DEVICE",
        help="cpu, cuda or mps; may be repeated; default: all there are",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, desktop: Desktop) -> int:
    """Run the command."""
    with offline("benchmark"):
        from spectrogen_app.evaluation.bench import bench, render
    with progress("Measuring") as token:
        found = bench(args.model, tuple(args.device or ()), token.check)
    if args.json:
        print_json(found)
    else:
        print(render(found))
    return OK
