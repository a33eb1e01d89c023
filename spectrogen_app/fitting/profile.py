"""Ends of confidence intervals, on the profile of chi-square."""

from __future__ import annotations

import math

from spectrogen_app.errors import Cancelled, Check
from spectrogen_app.fitting.engine import Problem, solve
from spectrogen_app.fitting.estimate import Estimate


def limit(
    task: Problem, name: str, best: Estimate, *, level: float, side: int, check: Check
) -> float:
    """Where the profile of a parameter reaches a level on one side.

    The root of the rise of chi-square is nearly linear in the parameter, so secant steps find the
    place within a few fits, each of which starts from the one before.

    Parameters
    ----------
    task : Problem
        At its solution.
    name : str
        A free parameter.
    best : Estimate
        Its value and error.
    level : float
        Probability, 0..1.
    side : {-1, 1}
    check : callable(fraction, message)

    Returns
    -------
    float
        Infinite when the profile stays below; the bound where it is met first.
    """
    from scipy.special import fdtri

    model = task.model
    param = dict(model.parameters())[name]
    freedom = task.x.size - task.free.size
    base = solve(task)
    target = math.sqrt(float(fdtri(1, freedom, level)))

    def height(value: float) -> float:
        nonlocal model
        held = model.edit(name, value=value, fixed=True)
        problem = Problem(held, task.x, task.y, task.root_weights, loss=task.loss,
                          loss_scale=task.loss_scale)  # fmt: skip
        solution = solve(problem, check=check)
        if solution.cancelled:
            raise Cancelled
        values = problem.full(solution.free).tolist()
        model = held.with_values(dict(zip(problem.names, values, strict=True)))
        rise = max(solution.cost - base.cost, 0.0) / max(base.cost, 1e-300) * freedom
        return math.sqrt(rise)

    low, at_low = best.value, 0.0
    step = best.stderr or 1e-3 * abs(best.value) or 1e-6
    high = best.value + side * target * step
    for _ in range(40):
        high = min(max(high, param.min), param.max)
        z = height(high)
        if abs(z - target) <= 1e-4 * target:
            return high
        if z < target and high in (param.min, param.max):
            return high
        slope = (z - at_low) / (high - low) if high != low else 0.0
        if z < target:
            low, at_low = high, z
            reach = (target - z) / slope if slope * side > 0 else math.inf
            grown = side * max(2 * abs(high - best.value), step)
            high += reach if abs(reach) < abs(grown) else grown
        else:
            high = low + (target - at_low) * (high - low) / (z - at_low)
    return high if abs(z - target) < 0.05 * target else side * math.inf
