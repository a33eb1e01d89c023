"""Curves while the mouse drags: only the peak that changed is computed again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.fitting.model import Model, Peak, resolve_ties

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """What is drawn.

    Attributes
    ----------
    components : tuple of ndarray, shape (n,) each
        The peaks, in the order of the model, without background.
    background, total : ndarray, shape (n,)
        Background and terms; the sum.
    """

    components: tuple[Array, ...]
    background: Array
    total: Array


class Preview:
    """Evaluates models on one axis, remembering the peaks of the last one.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Ascending.
    """

    def __init__(self, x: Array) -> None:
        self._x = x
        self._lines: dict[int, tuple[Peak, Array]] = {}
        self._under: tuple[object, Array] | None = None

    def update(self, model: Model) -> Frame:
        """The curves of a model.

        Ties are not followed: the values are taken as they stand, see :func:`with_ties`.
        """
        self._lines = {
            id(p): self._lines.get(id(p)) or (p, p.evaluate(self._x)) for p in model.peaks
        }
        key = model.background, model.terms
        if self._under is None or self._under[0] != key:
            self._under = key, model.under(self._x)
        components = tuple(line for _, line in self._lines.values())
        total = self._under[1].copy()
        for component in components:
            total += component
        return Frame(components, self._under[1], total)


def with_ties(model: Model) -> Model:
    """The model with the value of every tied parameter computed.

    Raises
    ------
    FitError
        Ties that cannot be resolved.
    """
    values = {n: p.value for n, p in model.parameters()}
    ties = resolve_ties(model)
    for name, tie in ties:
        values[name] = float(tie(values))
    return model.with_values({n: values[n] for n, _ in ties}) if ties else model
