"""Progress, notes and JSON on the terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from spectrogen_app.app.jobs import Token


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


def note(text: str) -> None:
    """A line on stderr that does not tear a progress bar."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        tqdm.write(text, file=sys.stderr)
    else:
        print(text, file=sys.stderr)


def print_json(value: Any) -> None:
    """Indented JSON on stdout; numbers that JSON does not know become null."""
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False, default=str))
