"""Arithmetic written by the user, with exact derivatives, and nothing else.

Numbers, names, ``+ - * / **``, parentheses, ``pi`` and a few functions: the syntax tree is walked,
nothing is compiled or executed, so an expression cannot run code.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from spectrogen_app.errors import FitError

_LONGEST = 1000
_SHOWN = 80
_DEEPEST = 100

Dual = tuple[Any, dict[str, Any]]


def _erf(value: Any) -> Any:
    from scipy.special import erf

    return erf(value)


_FUNCTIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "exp": (np.exp, np.exp),
    "log": (np.log, lambda v: 1 / v),
    "sqrt": (np.sqrt, lambda v: 0.5 / np.sqrt(v)),
    "sin": (np.sin, np.cos),
    "cos": (np.cos, lambda v: -np.sin(v)),
    "tan": (np.tan, lambda v: 1 / np.cos(v) ** 2),
    "arctan": (np.arctan, lambda v: 1 / (1 + v * v)),
    "tanh": (np.tanh, lambda v: 1 / np.cosh(v) ** 2),
    "abs": (np.abs, np.sign),
    "erf": (_erf, lambda v: 2 / np.sqrt(np.pi) * np.exp(-v * v)),
}


class Expression:
    """A formula of named quantities.

    Parameters
    ----------
    text : str
        Such as ``p1_center + 12.5`` or ``b1 * exp(-b2 * x)``.

    Attributes
    ----------
    text : str
    names : frozenset of str
        The quantities it needs.

    Raises
    ------
    FitError
        Not such a formula; ``fields['position']`` is the 0-based place where known.
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        if len(self.text) > _LONGEST:
            raise FitError(
                f"An expression of {len(self.text)} characters is too long.",
                hint=f"Write it in at most {_LONGEST}.",
            )
        try:
            self._tree = ast.parse(self.text, mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            raise self._refused(getattr(error, "offset", None) or 1) from error
        names: set[str] = set()
        self._collect(self._tree, names, _DEEPEST)
        self.names = frozenset(names)

    def _refused(self, offset: int, what: str = "") -> FitError:
        shown = self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}..."
        return FitError(
            f"{shown!r} is no arithmetic expression{what}.",
            hint=f"Use numbers, parameter names, + - * / ** and {', '.join(_FUNCTIONS)}.",
            expression=self.text, position=offset - 1,
        )  # fmt: skip

    def _collect(self, node: ast.AST, names: set[str], depth: int) -> None:
        here = getattr(node, "col_offset", 0) + 1
        if not depth:
            raise self._refused(here, ": it is nested too deeply")
        match node:
            case ast.Constant(value=value) if type(value) in (int, float):
                pass
            case ast.Name(id="pi"):
                pass
            case ast.Name(id=name):
                if name in _FUNCTIONS:
                    raise self._refused(here, f": {name} needs an argument")
                names.add(name)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
                self._collect(operand, names, depth - 1)
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow()):
                self._collect(node.left, names, depth - 1)
                self._collect(node.right, names, depth - 1)
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]):
                if name not in _FUNCTIONS:
                    raise self._refused(here, f": {name} is not known")
                self._collect(argument, names, depth - 1)
            case _:
                raise self._refused(here)

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """The value; ``values`` has a number or an array for each of :attr:`names`."""
        return self.derivatives(values, ())[0]

    def derivatives(self, values: Mapping[str, Any], by: Any = None) -> Dual:
        """The value, and its derivative by each name in ``by`` that it depends on.

        Parameters
        ----------
        values : mapping of str to float or ndarray
        by : collection of str, optional
            Default: all :attr:`names`.
        """
        with np.errstate(all="ignore"):
            return self._walk(self._tree, values, self.names if by is None else by)

    def _walk(self, node: ast.AST, values: Mapping[str, Any], by: Any) -> Dual:
        match node:
            case ast.Constant(value=number):
                return np.float64(number), {}  # type: ignore[arg-type]
            case ast.Name(id="pi"):
                return np.float64(np.pi), {}
            case ast.Name(id=name):
                held = values[name]
                value = held if isinstance(held, np.ndarray) else np.float64(held)
                return value, ({name: np.float64(1)} if name in by else {})
            case ast.UnaryOp(op=op, operand=operand):
                v, d = self._walk(operand, values, by)
                sign = -1 if isinstance(op, ast.USub) else 1
                return sign * v, {k: sign * s for k, s in d.items()}
            case ast.Call(func=ast.Name(id=name), args=[argument]):
                v, d = self._walk(argument, values, by)
                function, slope = _FUNCTIONS[name]
                if not d:
                    return function(v), {}
                s = slope(v)
                return function(v), {k: s * t for k, t in d.items()}
            case ast.BinOp(left=left, op=op, right=right):
                return _combine(op, self._walk(left, values, by), self._walk(right, values, by))
        raise self._refused(1)


def _combine(op: ast.operator, left: Dual, right: Dual) -> Dual:
    (a, da), (b, db) = left, right
    by_a: Any
    by_b: Any
    match op:
        case ast.Add():
            value, by_a, by_b = a + b, 1.0, 1.0
        case ast.Sub():
            value, by_a, by_b = a - b, 1.0, -1.0
        case ast.Mult():
            value, by_a, by_b = a * b, b, a
        case ast.Div():
            value, by_a, by_b = a / b, 1 / b, -a / b**2
        case _:
            value = a**b
            by_a = b * a ** (b - 1) if da else 0.0
            by_b = value * np.log(a) if db else 0.0
    slopes = {k: by_a * s for k, s in da.items()}
    for k, s in db.items():
        slopes[k] = slopes[k] + by_b * s if k in slopes else by_b * s
    return value, slopes
