"""The tabs on the right, in their order; a new task is one more line here."""

from __future__ import annotations

from collections.abc import Callable

from spectrogen_app.gui.context import Context, Task

FACTORIES: tuple[Callable[[Context], Task], ...] = ()
