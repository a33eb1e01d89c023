"""``spectrogen gpu``: the optional GPU runtime, and which device computes."""

from __future__ import annotations

import argparse
from pathlib import Path

from spectrogen_app.cli.console import progress
from spectrogen_app.cli.desktop import Desktop
from spectrogen_app.cli.main import FAILED, OK

DESCRIPTION = """\
Say which device computes and why, or install the optional GPU runtime: a download of its own that
is verified, unpacked into the user's data folder (no administrator is needed) and used from the
next start on, if it works on this computer."""
EXAMPLES = """\
examples:
  spectrogen gpu
  spectrogen gpu --install spectrogen-gpu-0.1.0-linux-x86_64.tar.gz
  spectrogen gpu --remove
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--install", type=Path, metavar="FILE", help="install this download")
    what.add_argument("--remove", action="store_true", help="remove what was installed")


def run(args: argparse.Namespace, desktop: Desktop) -> int:
    """Run the command."""
    from spectrogen_app.generation import runtime

    if args.remove:
        print("The GPU runtime was removed." if runtime.remove() else "There is none to remove.")
        return OK
    if args.install:
        with progress("Installing") as token:
            made = runtime.install(args.install, token.check)
        if made.problem:
            print(made)
            return FAILED
        print(f"The GPU runtime was installed in {made.folder}.")
    else:
        runtime.forget()
    from spectrogen_app.generation.preload import load_torch

    load_torch()
    from spectrogen_app.generation.device import choose_device

    device = choose_device()
    print(f"{device.label}: {device.reason}")
    return OK
