"""Weighted least squares of a model: own residual and Jacobian, Levenberg-Marquardt.

Ties are folded into the Jacobian by the chain rule, with exact derivatives; bounds are met by
projection, so a parameter may lie on its bound and leave it again. MINPACK, behind lmfit's
``leastsq``, factors the Jacobian column by column: 20 Lorentzians on 4,000 points cost it three
times what the normal equations cost; those are used where they are accurate enough, an orthogonal
factorisation elsewhere. The module ``minimizer`` gives the same problem to everything lmfit has
besides: profiles of chi-square, Markov chains, global searches.

Sources: Marquardt, J. SIAM 11 (1963) 431; Nielsen, IMM-REP-1999-05 (damping); Bates and Watts,
Technometrics 23 (1981) 179 (the orthogonality criterion that stops it); Triggs et al., Vision
Algorithms (2000) 298 (robust loss).
"""

from __future__ import annotations

import contextlib
import functools
import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from threadpoolctl import ThreadpoolController

from spectrogen_app.errors import Cancelled, Check, FitError, unchecked
from spectrogen_app.fitting import shapes
from spectrogen_app.fitting.expression import Expression
from spectrogen_app.fitting.model import Model, resolve_ties

Array = NDArray[np.float64]

LOSSES = ("linear", "soft_l1", "huber", "cauchy")
"""Loss functions; all but ``linear`` let spikes count less."""
_SMALL = 2e6
"""Below so many multiplications the orthogonal factorisation is used."""
_NEAR = 1e-4
"""Steps that take off no more than this share of the cost are extended."""


_users = 0
_users_lock = threading.Lock()
_limits = contextlib.ExitStack()


@functools.cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Linear algebra in one thread, as long as anyone is within.

    Problems here are so small that threads only wait for each other, ten times longer than the
    work takes when the machine is busy.
    """
    global _users  # noqa: PLW0603
    with _users_lock:
        if not _users:
            _limits.enter_context(_libraries().limit(limits=1, user_api="blas"))
        _users += 1
    try:
        yield
    finally:
        with _users_lock:
            _users -= 1
            if not _users:
                _limits.close()


class Problem:
    """A model on data, as functions of the free parameters.

    Parameters
    ----------
    model : Model
    x, y : ndarray, shape (n,)
        x ascending.
    root_weights : ndarray, shape (n,), optional
        Multiplies the residual: one over the standard deviation of y.
    loss : str
        One of :data:`LOSSES`.
    loss_scale : float
        Weighted residual from which a robust loss lets points count less.

    Attributes
    ----------
    names : list of str
        All parameters.
    free : ndarray of int
        Places of those that are varied.
    start, lower, upper : ndarray
        Of the free ones.

    Raises
    ------
    FitError
        Ties that cannot be resolved.
    """

    def __init__(
        self, model: Model, x: Array, y: Array, root_weights: Array | None = None, *,
        loss: str = "linear", loss_scale: float = 1.0,
    ) -> None:  # fmt: skip
        self.model, self.x, self.y, self.root_weights = model, x, y, root_weights
        self.loss, self.loss_scale = loss, loss_scale
        params = list(model.parameters())
        self.names = [n for n, _ in params]
        where = {n: i for i, n in enumerate(self.names)}
        self.free = np.array(
            [i for i, (_, p) in enumerate(params) if not (p.fixed or p.tie or p.min == p.max)],
            dtype=int,
        )
        held = [p for _, p in params]
        self._values = np.array([p.value for p in held])
        self.lower = np.array([held[i].min for i in self.free])
        self.upper = np.array([held[i].max for i in self.free])
        self.start = np.clip(self._values[self.free], self.lower, self.upper)
        widths = {
            f"{k.name}_{p.name}" for k in model.peaks for p in shapes.shape(k.shape).extra
            if p.of_width == 1.0
        }  # fmt: skip
        self._widths = np.array([n in widths for n in self.free_names], dtype=bool)
        self._ties = [
            (where[n], tie, [(name, where[name]) for name in tie.names])
            for n, tie in resolve_ties(model)
        ]
        self._terms = [Expression(t.expression) for t in model.terms]
        self._powers = model.background.powers(x) if model.background else np.empty((0, x.size))
        moving = set(self.free) | {i for i, _, _ in self._ties}
        self._lines = []
        at = 0
        for peak in model.peaks:
            rows = slice(at, at + len(peak.params))
            self._lines.append((peak, rows, not moving.isdisjoint(range(rows.start, rows.stop))))
            at = rows.stop

    @property
    def free_names(self) -> list[str]:
        """Names of the free parameters."""
        return [self.names[i] for i in self.free]

    def moved(self, free: Array, step: Array) -> Array:
        """After a step: within bounds, and no width changed more than fourfold.

        A peak that one wild step made narrower than the spacing of the points would stay so.
        """
        moved = free + step
        w = self._widths
        moved[w] = np.clip(moved[w], free[w] / 4, np.maximum(4 * free[w], 1e-12))
        return np.clip(moved, self.lower, self.upper)

    def buffer(self) -> Array:
        """Space for the derivatives by all parameters."""
        return np.zeros((len(self.names), self.x.size))

    def full(self, free: Array) -> Array:
        """All parameters, the tied ones computed."""
        values = self._values.copy()
        values[self.free] = free
        for i, tie, needs in self._ties:
            values[i] = tie({n: values[k] for n, k in needs})
        return values

    def residual(self, free: Array) -> Array:
        """Weighted model less data, shape (n,)."""
        return self.evaluate(free, None)[0]

    def evaluate(self, free: Array, out: Array | None) -> tuple[Array, Array]:
        """Weighted residual and its Jacobian.

        Parameters
        ----------
        free : ndarray, shape (p,)
        out : ndarray or None
            From :meth:`buffer`; overwritten. None: the Jacobian is left out.

        Returns
        -------
        residual : ndarray, shape (n,)
        jacobian : ndarray, shape (p, n)
            May share memory with ``out``.
        """
        values = self.full(free)
        with np.errstate(all="ignore"):
            total = -self.y
            for peak, rows, moves in self._lines:
                slopes = out[rows] if out is not None and moves else None
                total += shapes.evaluate(peak.shape, self.x, list(values[rows]), slopes,
                                         with_partner=peak.partner)  # fmt: skip
            at = self._lines[-1][1].stop if self._lines else 0
            degree = len(self._powers)
            if degree:
                total += values[at : at + degree] @ self._powers
                if out is not None:
                    out[at : at + degree] = self._powers
                at += degree
            for term, formula in zip(self.model.terms, self._terms, strict=True):
                held = dict(zip(term.params, values[at:], strict=False))
                value, slopes_of = formula.derivatives({"x": self.x, **held}, held.keys())
                total += value
                if out is not None:
                    for k, name in enumerate(term.params):
                        out[at + k] = slopes_of.get(name, 0.0)
                at += len(term.params)
            if self.root_weights is not None:
                total *= self.root_weights
            if out is None:
                return total, np.empty((0, 0))
            return total, self._chained(out, values)

    def _chained(self, out: Array, values: Array) -> Array:
        jacobian = out if len(self.free) == len(out) else out[self.free]
        if self._ties:
            for i, row in self.tie_slopes(values).items():
                for k in np.flatnonzero(row):
                    jacobian[k] += row[k] * out[i]
        if self.root_weights is not None:
            jacobian *= self.root_weights
        return jacobian

    def tie_slopes(self, values: Array) -> dict[int, Array]:
        """Derivatives of each tied parameter by the free ones."""
        unit = {int(i): k for k, i in enumerate(self.free)}
        rows: dict[int, Array] = {}
        for i, tie, needs in self._ties:
            slopes = tie.derivatives({n: values[k] for n, k in needs})[1]
            row = np.zeros(len(self.free))
            for name, k in needs:
                if k in rows:
                    row += slopes.get(name, 0.0) * rows[k]
                elif k in unit:
                    row[unit[k]] += slopes.get(name, 0.0)
            rows[i] = row
        return rows

    def weigh(self, residual: Array, jacobian: Array) -> tuple[float, Array, Array]:
        """Cost, and residual and Jacobian as the loss scales them; the Jacobian in place."""
        if self.loss == "linear":
            return float(residual @ residual), residual, jacobian
        z = (residual / self.loss_scale) ** 2
        cost, first, second = _rho(self.loss, z)
        scale = np.sqrt(np.maximum(first + 2 * second * z, 1e-12))
        jacobian *= scale
        return float(self.loss_scale**2 * cost.sum()), residual * (first / scale), jacobian


def _rho(loss: str, z: Array) -> tuple[Array, Array, Array]:
    """Loss of the squared residual, with first and second derivative."""
    if loss == "soft_l1":
        t = 1 + z
        return 2 * (np.sqrt(t) - 1), t**-0.5, -0.5 * t**-1.5
    if loss == "huber":
        far = z > 1
        t = np.where(far, z, 1.0)
        return (
            np.where(far, 2 * np.sqrt(t) - 1, z),
            np.where(far, t**-0.5, 1.0),
            np.where(far, -0.5 * t**-1.5, 0.0),
        )
    t = 1 + z
    return np.log(t), 1 / t, -1 / t**2


@dataclass(frozen=True)
class Solution:
    """Where the fit ended.

    Attributes
    ----------
    free : ndarray, shape (p,)
    cost : float
        Weighted sum of squares, or of losses.
    residual : ndarray, shape (n,)
        Weighted model less data.
    jacobian : ndarray, shape (p, n)
        As the loss scales it.
    converged, cancelled : bool
    message : str
    evaluations : int
    """

    free: Array
    cost: float
    residual: Array
    jacobian: Array
    converged: bool
    cancelled: bool
    message: str
    evaluations: int


def solve(
    problem: Problem, *, start: Array | None = None, tolerance: float = 1e-6,
    damping: float = 1e-3, max_evaluations: int = 1000, check: Check = unchecked,
) -> Solution:  # fmt: skip
    """Levenberg-Marquardt within bounds.

    Parameters
    ----------
    problem : Problem
    start : ndarray, shape (p,), optional
    tolerance : float
        Ends when the residual is orthogonal to the model's tangent to this, which leaves the
        parameters within this fraction of their standard errors.
    damping : float
        To begin with; larger takes shorter first steps.
    max_evaluations : int
    check : callable(fraction, message)
        Called at each step; when it raises Cancelled, the best so far is returned.

    Raises
    ------
    FitError
        The model is not finite at the start.
    """
    with np.errstate(all="ignore"), one_thread():
        return _solve(problem, start, tolerance, damping=damping,
                      max_evaluations=max_evaluations, check=check)  # fmt: skip


def _solve(
    problem: Problem, start: Array | None, tolerance: float, *, damping: float,
    max_evaluations: int, check: Check,
) -> Solution:  # fmt: skip
    free = np.clip(problem.start if start is None else start, problem.lower, problem.upper)
    buffers = [problem.buffer(), problem.buffer()]
    residual, jacobian = problem.evaluate(free, buffers[0])
    cost, r, j = problem.weigh(residual, jacobian)
    if not (math.isfinite(cost) and np.all(np.isfinite(j))):
        raise FitError(
            "The model is not a finite number at its start values.",
            hint="Check the start values, ties and expressions.",
        )
    floor = 1e-26 * float(np.sum((problem.y * _or_one(problem.root_weights)) ** 2))
    growth, evaluations, little = 2.0, 1, 0.0
    scale = np.zeros(free.size)
    converged, cancelled, message = free.size == 0, False, "nothing to vary"
    normal: Linearised | None = None
    past: list[tuple[Array, Array]] = []
    while free.size:
        try:
            check(min(evaluations / 30, 0.99), "Fitting")
        except Cancelled:
            cancelled, message = True, "cancelled; this is the best so far"
            break
        if normal is None:
            normal = Linearised(j, r, free, problem.lower, problem.upper)
            scale = np.maximum(scale, normal.norms)
            if cost <= floor or normal.decrement() <= tolerance**2 * cost:
                converged, message = True, "converged"
                break
        if evaluations >= max_evaluations:
            message = f"not converged after {evaluations} evaluations"
            break
        moved = problem.moved(free, normal.step(damping, scale))
        step = moved - free
        predicted = normal.predicted(step)
        near = 0 < predicted <= _NEAR * cost and evaluations + 1 < max_evaluations
        extended = _extended(past, free, step, scale) if near else None
        past = [*past[-4:], (free, step)] if near else []
        if np.all(np.abs(step) <= 1e-15 * np.abs(free)):
            converged, message = True, "converged"
            break
        rounding = 1e-13 * cost if abs(predicted) <= 1e-12 * cost else 0.0
        tries = [(moved, -rounding)]
        if extended is not None:
            tries.insert(0, (problem.moved(free, extended), 0.1 * predicted))
        for moved, least in tries:
            residual_, jacobian_ = problem.evaluate(moved, buffers[1])
            cost_, r_, j_ = problem.weigh(residual_, jacobian_)
            evaluations += 1
            better = cost - cost_ > least and np.all(np.isfinite(j_[:, ::16]))
            if better:
                break
            past = []
        if better:
            ratio = (cost - cost_) / predicted if predicted > 0 and not rounding else 1.0
            small = cost - cost_ <= max(10 * tolerance**2, 1e-15) * cost
            little = little + (0.2 if rounding else 1.0) if small else 0.0
            free, cost, residual, r, j = moved, cost_, residual_, r_, j_
            buffers.reverse()
            damping *= max(1 / 3, 1 - (2 * ratio - 1) ** 3)
            growth, normal = 2.0, None
            if little >= 4:
                converged, message = True, "converged"
                break
        else:
            damping *= growth
            growth *= 2
            if damping > 1e16 or abs(predicted) <= 1e-15 * cost:
                converged = abs(predicted) <= 1e-8 * cost
                message = "converged" if converged else "no step makes it better"
                break
    return Solution(free, cost, residual, j, converged, cancelled, message, evaluations)


def _extended(
    past: list[tuple[Array, Array]], free: Array, step: Array, scale: Array
) -> Array | None:
    """The step that the last ones point to (Anderson, J. ACM 12 (1965) 547).

    Where the model misses the data, plain steps come nearer by a constant factor only.
    """
    if not past:
        return None
    moves = np.array([free - x for x, _ in past])
    turns = np.array([step - s for _, s in past])
    share = np.linalg.lstsq((turns * scale).T, step * scale, rcond=1e-8)[0]
    return step - share @ (moves + turns)


def _or_one(values: Array | None) -> Array | float:
    return 1.0 if values is None else values


class Linearised:
    """The linearised problem, over the parameters that no bound holds."""

    def __init__(self, j: Array, r: Array, free: Array, lower: Array, upper: Array) -> None:
        gradient = j @ r
        self.open = ~(((free <= lower) & (gradient > 0)) | ((free >= upper) & (gradient < 0)))
        self.norms = np.sqrt(np.einsum("ij,ij->i", j, j))
        self._gradient = gradient
        self._j = j if np.all(self.open) else j[self.open]
        self._d = np.where(self.norms > 0, self.norms, 1.0)[self.open]
        self._g = gradient[self.open] / self._d
        p, n = self._j.shape
        if p * p * n < _SMALL:
            triangle = _triangle(np.vstack([self._j / self._d[:, None], r]))
            self._factor, self._target = triangle[:p, :p], triangle[:p, p]
            self._gram = None
        else:
            self._gram = (self._j @ self._j.T) / np.outer(self._d, self._d)

    def _solve(self, damp: Array) -> Array:
        if self._gram is None:
            rows = np.vstack([self._factor, np.diag(np.sqrt(damp))])
            target = np.concatenate([self._target, np.zeros(damp.size)])
            _, found, failed = lapack.dgels(rows, target)
            if failed:
                found = np.linalg.lstsq(rows, target, rcond=None)[0]
            return -found[: damp.size]
        damped = self._gram.copy()
        np.fill_diagonal(damped, damped.diagonal() + np.maximum(damp, 1e-13))
        _, found, failed = lapack.dposv(damped, self._g)
        if failed:
            found = np.linalg.lstsq(damped, self._g, rcond=1e-13)[0]
        return -found

    def step(self, damping: float, scale: Array) -> Array:
        """The damped step, shape (p,)."""
        out = np.zeros(self.open.size)
        larger = np.minimum(scale[self.open] / self._d, 1e100)
        larger[larger == 0] = 1.0
        out[self.open] = self._solve(damping * larger**2) / self._d
        return out

    def decrement(self) -> float:
        """How much the undamped step would take off the cost."""
        if not self._g.size:
            return 0.0
        if self._gram is None:
            return float(self._target @ self._target)
        return float(-self._g @ self._solve(np.full(self._g.size, 1e-13)))

    def predicted(self, step: Array) -> float:
        """How much the linear model says this step takes off the cost."""
        along = step[self.open] @ self._j
        held = float(self._gradient @ step)
        return -2 * held - float(along @ along)


def _triangle(rows: Array) -> Array:
    """The triangular factor of ``rows.T``, which is overwritten; LAPACK's, without its copies."""
    return np.triu(lapack.dgeqrf(rows.T, overwrite_a=True)[0][: len(rows)])


def covariance(solution: Solution, problem: Problem, *, scaled: bool = True) -> Array:
    """Covariance of the free parameters, shape (p, p).

    NaN rows belong to parameters that the data do not determine or that lie on a bound; the
    others' are given these.

    Parameters
    ----------
    solution : Solution
    problem : Problem
    scaled : bool
        By the reduced chi-square, so that weights need only be relative.
    """
    p, n = solution.jacobian.shape
    out = np.full((p, p), np.nan)
    if not p:
        return out
    norms = np.sqrt(np.einsum("ij,ij->i", solution.jacobian, solution.jacobian))
    on_bound = (solution.free <= problem.lower) | (solution.free >= problem.upper)
    usable = np.flatnonzero((norms > 0) & ~on_bound)
    if not usable.size or n <= usable.size:
        return out
    held = solution.jacobian if usable.size == p else solution.jacobian[usable]
    with one_thread():
        inverse = _inverse(held, norms[usable])
    inverse /= np.outer(norms[usable], norms[usable])
    out[np.ix_(usable, usable)] = inverse * (solution.cost / (n - p) if scaled and n > p else 1.0)
    return out


def _inverse(j: Array, norms: Array) -> Array:
    """Inverse of ``j @ j.T`` with rows of unit length; NaN where it is not determined."""
    p, n = j.shape
    if p * p * n < _SMALL:
        s, vectors = np.linalg.svd(_triangle(j / norms[:, None]))[1:]
        bad = s < 1e-10 * s[0]
    else:
        gram = (j @ j.T) / np.outer(norms, norms)
        factor, failed = lapack.dpotrf(gram)
        if not failed and lapack.dpocon(factor, np.linalg.norm(gram, 1))[0] > 1e-10:
            upper = np.triu(lapack.dpotri(factor)[0])
            return upper + np.triu(upper, 1).T
        squares, columns = np.linalg.eigh(gram)
        s, vectors = np.sqrt(np.abs(squares)), columns.T
        bad = squares < 1e-12 * squares[-1]
    lost = np.any(np.abs(vectors[bad]) > 0.05, axis=0)
    inverse = (vectors[~bad].T / s[~bad] ** 2) @ vectors[~bad]
    inverse[lost] = np.nan
    inverse[:, lost] = np.nan
    return inverse
