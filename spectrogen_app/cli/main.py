"""The command line: finds the command, runs it, and turns errors into one line and an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from spectrogen_app import __version__
from spectrogen_app.cli.desktop import Desktop
from spectrogen_app.errors import Cancelled, SpectrogenError

COMMANDS = {
    "inspect": "say what files hold",
    "convert": "write files in another format",
    "generate": "generate spectra of other modalities",
    "fit": "decompose spectra into peaks",
    "models": "list the models and their scores",
    "gpu": "say which device computes; install the GPU runtime",
    "selftest": "check that this installation works",
    "train": "train a model on one's own or RRUFF's spectra",
    "evaluate": "score a model against measured spectra",
    "bench": "measure speed and memory on this machine",
}
"""Name of each command, which is also its module here, and its line of help."""

OK, FAILED, USAGE = 0, 1, 2
"""Exit codes."""

_TOP = """\
usage: spectrogen [FILE ...] [--to MODALITY ...] [--out DIR]
       spectrogen COMMAND ...

Without a command the window opens with the files. Where there is no display, the other modalities
are generated from the files instead, and CSV and picture are written to DIR (./spectrogen-out).

commands:
{commands}

options:
  --to MODALITY  generate raman, ir, xrd or fir from the files at once; may be repeated
  --out DIR      where to write when there is no display
  --version      print the version
  --help         this text; also: spectrogen COMMAND --help

A file that is called like a command is opened with ./ before its name.

examples:
  spectrogen calcite_raman.txt
  spectrogen inspect calcite_raman.txt
  spectrogen generate calcite_raman.txt --to ir --to xrd --out generated
"""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str], desktop: Desktop) -> int:
    """Run the program.

    Parameters
    ----------
    arguments : sequence of str
        Without the program's name.
    desktop : Desktop
        What needs a window system.

    Returns
    -------
    int
        0 when all went well, 1 when something failed, 2 when the arguments are wrong.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    name = "spectrogen"
    try:
        first = arguments[0] if arguments else ""
        if first in COMMANDS:
            name = f"spectrogen {first}"
            return _command(first, arguments[1:], desktop)
        if first in ("-h", "--help"):
            width = max(map(len, COMMANDS))
            listed = "\n".join(f"  {k:<{width}}  {v}" for k, v in COMMANDS.items())
            print(_TOP.format(commands=listed), end="")
            return OK
        if first in ("-V", "--version"):
            print(f"SpectroGen {__version__}")
            return OK
        return _command("window", arguments, desktop)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else FAILED
    except (Cancelled, KeyboardInterrupt):
        print(f"{name}: cancelled", file=sys.stderr)
        return FAILED
    except SpectrogenError as error:
        print(f"{name}: {one_line(error)}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  (nobody reads on: end quietly)
        return OK
    except (OSError, MemoryError) as error:
        print(f"{name}: {one_line(error) or type(error).__name__}", file=sys.stderr)
        return FAILED


def _command(command: str, arguments: Sequence[str], desktop: Desktop) -> int:
    module = import_module(f"spectrogen_app.cli.{command}")
    parser = Parser(
        prog="spectrogen" if command == "window" else f"spectrogen {command}",
        description=module.DESCRIPTION,
        epilog=module.EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.arguments(parser)
    return module.run(parser.parse_args(arguments), desktop)


def one_line(error: BaseException) -> str:
    """The error's text on one line."""
    return " ".join(str(error).split())
