"""Progress, notes and JSON on the terminal."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from spectrogen_app.app.jobs import Token
from spectrogen_app.errors import SpectrogenError


@contextmanager
def progress(title: str) -> Iterator[Token]:
    """A token whose progress is a bar on stderr; silent where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield Token()
        return
    from tqdm import tqdm

    with tqdm(total=100, desc=title, leave=False, bar_format="{desc}: {percentage:3.0f}%|{bar}| "
              "{elapsed}<{remaining} {postfix}") as bar:  # fmt: skip

        def show(fraction: float, message: str) -> None:
            bar.set_postfix_str(message[:40], refresh=False)
            bar.update(100 * fraction - bar.n)

        yield Token(show)


@contextmanager
def offline(what: str) -> Iterator[None]:
    """Around imports that the packaged program leaves out.

    Raises
    ------
    SpectrogenError
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("spectrogen_app"):
            raise
        raise SpectrogenError(
            f"This packaged program has no {what}.", hint="Install it with pip instead."
        ) from error


def note(text: str) -> None:
    """A line on stderr that does not tear a progress bar."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        tqdm.write(text, file=sys.stderr)
    else:
        print(text, file=sys.stderr)


def print_json(value: Any) -> None:
    """Indented JSON on stdout; numbers that JSON does not know become null."""
    print(json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False, default=str))


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
