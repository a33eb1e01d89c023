"""The least-squares problem as lmfit has it, and what needs lmfit's own ways down."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import lmfit
import numpy as np
from lmfit.minimizer import MinimizerResult
from numpy.typing import NDArray

from spectrogen_app.errors import Cancelled, Check, unchecked
from spectrogen_app.fitting import engine

Array = NDArray[np.float64]


class Minimizer(lmfit.Minimizer):
    """lmfit's minimizer for a problem of ``engine``; its ``leastsq`` is ``engine.solve``.

    So ``lmfit.conf_interval``, ``emcee`` and the global methods work on the same residual.

    Parameters
    ----------
    problem : Problem
    check : callable(fraction, message)
        Called at each step of every fit; raises Cancelled to stop.
    """

    def __init__(self, problem: engine.Problem, check: Check = unchecked) -> None:
        params = problem.model.lmfit_parameters()
        for k, name in enumerate(problem.free_names):
            low, high = problem.lower[k], problem.upper[k]
            inside = 1e-6 * min(high - low, abs(problem.start[k]) + 1.0)
            params[name].value = min(max(problem.start[k], low + inside), high - inside)
        super().__init__(self._residual, params, scale_covar=True)
        self._problem = problem
        self._check = check

    def _free(self, params: lmfit.Parameters) -> Array:
        return np.array([params[n].value for n in self._problem.free_names])

    def _residual(self, params: lmfit.Parameters) -> Array:
        return self._problem.residual(self._free(params))

    def minpack(self, max_nfev: int = 10_000) -> MinimizerResult:
        """Fit by lmfit's own ``leastsq``, which bounds by transformation; starts lie inside."""
        return super().leastsq(
            max_nfev=max_nfev, col_deriv=True,
            Dfun=lambda params: self._problem.evaluate(
                self._free(params), self._problem.buffer())[1],
        )  # fmt: skip

    def leastsq(
        self, params: lmfit.Parameters | None = None, max_nfev: int | None = None, **options: Any
    ) -> MinimizerResult:
        """Fit from ``params``, honouring which of them vary."""
        result = self.prepare_fit(params)
        model = self._problem.model
        for name in self._problem.names:
            given = result.params[name]
            if given.expr is None:
                model = model.edit(name, value=given.value, fixed=not given.vary)
        own = self._problem
        problem = engine.Problem(model, own.x, own.y, own.root_weights, loss=own.loss,
                                 loss_scale=own.loss_scale)  # fmt: skip
        solution = engine.solve(problem, max_evaluations=max_nfev or 500, check=self._check)
        if solution.cancelled:
            raise Cancelled
        for name, value in zip(problem.names, problem.full(solution.free), strict=True):
            if result.params[name].expr is None:
                result.params[name].value = value
        result.params.update_constraints()
        result.method, result.residual = "leastsq", solution.residual
        result.var_names, result.nvarys = problem.free_names, problem.free.size
        result.init_vals, result.nfev = list(problem.start), solution.evaluations
        result.success, result.message = solution.converged, solution.message
        result.covar = engine.covariance(solution, problem)
        result.errorbars = bool(np.all(np.isfinite(result.covar)))
        for k, name in enumerate(problem.free_names):
            variance = result.covar[k, k]
            result.params[name].stderr = math.sqrt(variance) if variance >= 0 else None
        result._calculate_statistics()
        return result


def solve_patiently(
    problem: engine.Problem, *, tolerance: float = 1e-6, check: Check = unchecked
) -> engine.Solution:
    """The best of several ways down, for models that are no sums of peaks.

    Short and long first steps, and MINPACK where neither arrives.

    Raises
    ------
    FitError
        See :func:`spectrogen_app.fitting.engine.solve`.
    """
    best = engine.solve(problem, tolerance=tolerance, check=check)
    for way in (1e2, None):
        if best.cancelled or (way is None and best.converged):
            break
        start = None
        if way is None:
            found = Minimizer(problem, check).minpack()
            start = np.array([found.params[n].value for n in problem.free_names])
        other = engine.solve(
            problem, start=start, damping=way or 1e-3, tolerance=tolerance, check=check
        )
        if other.cost < best.cost * (1 - 1e-9) or (other.converged and not best.converged):
            best = other
    return _polished(problem, best) if best.converged else best


def _polished(problem: engine.Problem, solution: engine.Solution) -> engine.Solution:
    """After undamped steps, as long as each leaves the residual more orthogonal."""
    best, least = solution, math.inf
    with np.errstate(all="ignore"):
        for _ in range(40):
            j = best.jacobian
            normal = engine.Linearised(j, best.residual, best.free, problem.lower, problem.upper)
            decrement = normal.decrement()
            if problem.loss != "linear" or not decrement < least:
                break
            solution, least = best, decrement
            free = problem.moved(best.free, normal.step(0.0, normal.norms))
            residual, j = problem.evaluate(free, problem.buffer())
            cost = float(residual @ residual)
            if not cost <= best.cost * (1 + 1e-9):
                break
            best = dataclasses.replace(
                best, free=free, cost=cost, residual=residual, jacobian=j,
                evaluations=best.evaluations + 1,
            )  # fmt: skip
    return solution
