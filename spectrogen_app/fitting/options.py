"""How a fit is done, and the least-squares problem that follows from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import FitError
from spectrogen_app.fitting import engine
from spectrogen_app.fitting.model import Model

Array = NDArray[np.float64]
Range = tuple[float, float]


@dataclass(frozen=True)
class Options:
    """How a fit was done.

    Attributes
    ----------
    weights : str
        ``none``, ``poisson`` (variance = counts) or ``given``.
    sigma : tuple of float or None
        Standard deviations of all points, when given.
    loss : str
        One of :data:`spectrogen_app.fitting.engine.LOSSES`.
    exclude : tuple of (low, high)
        Ranges of x that are left out.
    within : (low, high) or None
        The range of x that is fitted.
    scale_errors : bool
        Standard errors are scaled by the reduced chi-square, so weights need only be relative.
    """

    weights: str = "none"
    sigma: tuple[float, ...] | None = None
    loss: str = "linear"
    exclude: tuple[tuple[float, float], ...] = ()
    within: tuple[float, float] | None = None
    scale_errors: bool = True


def make_options(
    spectrum: Spectrum,
    *,
    weights: str | ArrayLike = "none",
    loss: str = "linear",
    exclude: Sequence[Range] = (),
    within: Range | None = None,
    scale_errors: bool = True,
) -> Options:
    """Options checked against a spectrum; see :func:`spectrogen_app.fitting.api.fit`.

    Raises
    ------
    FitError
        No such weights or loss.
    """
    if loss not in engine.LOSSES:
        raise FitError(f"{loss!r} is not a loss.", hint=f"Known: {', '.join(engine.LOSSES)}.")
    sigma: tuple[float, ...] | None = None
    if not isinstance(weights, str):
        given = np.asarray(weights, dtype=np.float64)
        if given.shape != spectrum.y.shape or not np.all(np.isfinite(given) & (given > 0)):
            raise FitError(
                f"Expected {len(spectrum)} positive standard deviations as weights.",
                hint="Give one for each point, or 'none' or 'poisson'.",
            )
        sigma, weights = tuple(given.tolist()), "given"
    elif weights not in ("none", "poisson"):
        raise FitError(f"{weights!r} are no weights.", hint="Known: none, poisson, or an array.")
    ranges = tuple((float(a), float(b)) for a, b in exclude)
    span = None if within is None else (float(within[0]), float(within[1]))
    return Options(weights, sigma, loss, ranges, span, scale_errors)


def included(x: Array, options: Options) -> NDArray[np.bool_]:
    """Which points the options leave in, shape (n,)."""
    low, high = sorted(options.within) if options.within else (-math.inf, math.inf)
    keep = (x >= low) & (x <= high)
    for a, b in options.exclude:
        keep &= (x < min(a, b)) | (x > max(a, b))
    return keep


def sigma_of(spectrum: Spectrum, options: Options) -> Array | None:
    """Standard deviations of all points, shape (n,); None when all count alike."""
    if options.weights == "poisson":
        return np.sqrt(np.maximum(spectrum.y, 1.0))
    return None if options.sigma is None else np.array(options.sigma)


def problem(spectrum: Spectrum, model: Model, options: Options) -> engine.Problem:
    """The least-squares problem of a model on the points that the options leave in."""
    keep = included(spectrum.x, options)
    sigma = sigma_of(spectrum, options)
    root = None if sigma is None else 1 / sigma[keep]
    y = spectrum.y[keep]
    scale = 1.0
    if options.loss != "linear":
        weighted = y if root is None else y * root
        steps = np.diff(weighted)
        scale = 1.4826 * float(np.median(np.abs(steps - np.median(steps)))) / math.sqrt(2) or 1.0
    return engine.Problem(model, spectrum.x[keep], y, root, loss=options.loss, loss_scale=scale)
