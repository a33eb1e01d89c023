"""Options of the commands that read files: how they are read, and which of their spectra."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from spectrogen_app.app.services import LoadRequest
from spectrogen_app.data.axis import K_ALPHA
from spectrogen_app.io.base import TextLayout


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    group = parser.add_argument_group("how files are read")
    group.add_argument(
        "--wavelength", metavar="X", type=_wavelength,
        help="X-ray wavelength in angstrom, or an anode such as Co, whatever the files say: of "
        "measured patterns, and of those calculated from structures",
    )  # fmt: skip
    group.add_argument(
        "--width", metavar="DEG", type=float,
        help="width of the lines of calculated patterns, degrees of 2theta (default: 0.1)",
    )  # fmt: skip
    group.add_argument(
        "--remembered", action="store_true",
        help="read a text with the columns that were chosen in the window for files of its look",
    )  # fmt: skip


def request_of(args: argparse.Namespace, paths: Sequence[Path]) -> LoadRequest:
    """The files to be opened as the options say."""
    chosen = TextLayout(wavelength=args.wavelength, width=args.width)
    request = LoadRequest(tuple(paths), chosen if chosen.choices() else None)
    if not args.remembered:
        return request
    from spectrogen_app.app import layouts, settings

    return LoadRequest(request.paths, request.layout, layouts.remembered(settings.load()[0]))


def _wavelength(text: str) -> float:
    try:
        value = K_ALPHA.get(text.capitalize()) or float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 5:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither 0.1 to 5 angstrom nor one of {', '.join(K_ALPHA)}"
        )
    return value
