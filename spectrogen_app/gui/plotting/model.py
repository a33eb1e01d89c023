"""What one plot panel is told to draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from spectrogen_app.app import display
from spectrogen_app.app.decomposition import FitCurves
from spectrogen_app.app.display import Drawn, Look, Shown
from spectrogen_app.app.session import PALETTE
from spectrogen_app.data.modality import MODALITIES
from spectrogen_app.data.spectrum import Spectrum


@dataclass(frozen=True, eq=False)
class Trace:
    """One curve of a panel.

    Attributes
    ----------
    id : str
        Of the curve in the session, or a name of the panel's own for a preview.
    name : str
    colour : str
        ``#rrggbb``.
    kind : str
        ``measured``, ``simulated``, ``processed``, ``generated``, ``fit`` or ``preview``.
    tag : str
        Shown after the name, such as ``generated``.
    drawn : Drawn
    current : bool
        Drawn stronger than the others.
    """

    id: str
    name: str
    colour: str
    kind: str
    tag: str
    drawn: Drawn
    current: bool = False


@dataclass(frozen=True, eq=False)
class Residual:
    """Generated or fitted less measured, on the panel's axis."""

    drawn: Drawn
    label: str
    colour: str


@dataclass(frozen=True, eq=False)
class PanelModel:
    """All that a panel draws.

    Attributes
    ----------
    modality, title : str
    shown : Shown
        Axis, labels and bounds.
    traces : tuple of Trace
    hidden : tuple of (id, name, colour, kind)
        Curves hidden by a click on the legend; they stay in it, dimmed.
    residual : Residual or None
    can_compare : bool
        There are curves whose residual could be shown.
    labels : tuple of (x, y)
        Peak positions to write on the plot.
    reversed : bool
        x runs from high to low.
    look : Look
    x_choices, y_choices : tuple of str
        What the axis can be switched to.
    fit : FitCurves or None
        The peaks of the current curve.
    """

    modality: str
    title: str
    shown: Shown
    traces: tuple[Trace, ...] = ()
    hidden: tuple[tuple[str, str, str, str], ...] = ()
    residual: Residual | None = None
    can_compare: bool = False
    labels: tuple[tuple[float, float], ...] = ()
    reversed: bool = False
    look: Look = field(default_factory=Look)
    x_choices: tuple[str, ...] = ()
    y_choices: tuple[str, ...] = ()
    fit: FitCurves | None = None


def panel_of(group: Sequence[Spectrum], *, telling: bool = True) -> PanelModel:
    """Spectra of one modality as a panel shows them by default.

    Parameters
    ----------
    group : sequence of Spectrum
    telling : bool
        With modality and origin in the legend.
    """
    declared = MODALITIES[group[0].modality]
    shown = display.show(group, Look(), declared.name)
    traces = tuple(
        Trace(str(i), f"{declared.label}: {s.name}" if telling else s.name,
              PALETTE[i % len(PALETTE)], s.origin.value,
              s.origin.value if telling and s.origin.value not in s.name else "", drawn)
        for i, (s, drawn) in enumerate(zip(group, shown.curves, strict=True))
        if drawn is not None
    )  # fmt: skip
    return PanelModel(declared.name, declared.label, shown, traces, reversed=declared.reversed_x)
