"""The tabs on the right, in their order; a new task is one more function here."""

from __future__ import annotations

from collections.abc import Callable

from spectrogen_app.gui.compare.presenter import ComparePresenter
from spectrogen_app.gui.compare.view import CompareView
from spectrogen_app.gui.context import Context, Task
from spectrogen_app.gui.generate.presenter import GeneratePresenter
from spectrogen_app.gui.generate.view import GenerateView
from spectrogen_app.gui.peaks.presenter import PeaksPresenter
from spectrogen_app.gui.peaks.view import PeaksView
from spectrogen_app.gui.process.presenter import ProcessPresenter
from spectrogen_app.gui.process.view import ProcessView


def process(context: Context) -> Task:
    """Baseline, smoothing, cropping ..."""
    view = ProcessView(context.theme.theme)
    return Task("process", "Process", view, ProcessPresenter(context, view))


def peaks(context: Context) -> Task:
    """Peaks by mouse, table and fit."""
    view = PeaksView(context.theme.theme)
    return Task("peaks", "Peaks", view, PeaksPresenter(context, view))


def generate(context: Context) -> Task:
    """Other modalities from the measured ones."""
    view = GenerateView(context.theme.theme)
    return Task("generate", "Generate", view, GeneratePresenter(context, view))


def compare(context: Context) -> Task:
    """Two curves and how well they agree."""
    view = CompareView(context.theme.theme)
    return Task("compare", "Compare", view, ComparePresenter(context, view))


FACTORIES: tuple[Callable[[Context], Task], ...] = (process, peaks, generate, compare)
