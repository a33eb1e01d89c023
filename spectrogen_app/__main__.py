"""Entry point: ``spectrogen`` and ``python -m spectrogen_app``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spectrogen_app.data.spectrum import Spectrum


class _Desktop:
    """Loads Qt when a window or a picture is asked for."""

    def run(self, files: Sequence[Path], targets: Sequence[str]) -> int:
        from spectrogen_app.gui.application import run

        return run(files, targets)

    def check(self, picture: Path | None) -> str:
        from spectrogen_app.gui.offscreen import check

        return check(picture)

    def picture(self, title: str, panels: Sequence[Sequence[Spectrum]], path: Path) -> None:
        from spectrogen_app.gui.offscreen import picture

        picture(title, panels, path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns the exit code."""
    from spectrogen_app.cli.main import main as run

    return run(sys.argv[1:] if arguments is None else arguments, _Desktop())


if __name__ == "__main__":
    sys.exit(main())
