"""``exprel(x) = (exp(x) - 1)/x`` and its derivatives, right at and near zero where the formula as typed is 0/0.

Derivative number k is the integral of ``s**k * exp(x*s)`` over 0 < s < 1, so

    I_k(x) = (exp(x) - k*I_(k-1)(x))/x   and   I_k(x) = sum of x^m/(m! * (m + k + 1));

the series is taken near zero, where the closed form cancels.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from symtape.ops import params as param
from symtape.ops.op import Op
from symtape.ops.registry import elementwise_op, function
from symtape.ops.scipy_functions import scipy_function

scipy_function(
    "exprel",
    lambda sp, x: (sp.exp(x) - 1) / x,
    lambda B, y, x: B.exprel_derivative(x, 1),
)


def _limit(order: int) -> float:
    """Below this distance from zero the series is taken."""
    return 1.0 + 0.5 * order


@cache
def _series(order: int) -> tuple[float, ...]:
    """Coefficients of the series, until they do not count."""
    found: list[float] = []
    while not found or _limit(order) ** len(found) * found[-1] > 1e-19:
        m = len(found)
        found.append(1 / (math.factorial(m) * (m + order + 1)))
    return tuple(found)


def _value(x: Any, order: int) -> Any:
    given = np.asarray(x)
    z = np.asarray(given, np.float64)
    with np.errstate(all="ignore"):
        below = np.exp(np.minimum(z, 0.0))
        scale = np.exp(np.maximum(z, 0.0))
        far = -np.expm1(-np.abs(z)) / np.abs(z)  # times scale: exprel
        shrunk = np.where(z < 0, below, 1.0)
        for k in range(1, order + 1):
            far = (shrunk - k * far) / z
        far = far * scale
        near = np.zeros_like(z)
        for c in reversed(_series(order)):
            near = near * z + c
    result = np.where(np.abs(z) < _limit(order), near, far)
    result = np.where(z == -np.inf, 0.0, np.where(z == np.inf, np.inf, result))
    return result.astype(given.dtype if given.dtype.kind == "f" else np.float64)[()]


@cache
def _derivative(order: int) -> tuple[Any, Any]:
    """A symbol, and the derivative of the function in it as a sympy expression."""
    import sympy

    t = sympy.Dummy("t", real=True)
    return t, sympy.diff((sympy.exp(t) - 1) / t, t, order)


def _formula(sp: Any, x: Any, order: int) -> Any:
    t, formula = _derivative(order)
    return formula.subs(t, x)


def _lowering(order: int) -> str:
    """The same in the compiler's language."""
    near = "0.0"
    for c in reversed(_series(order)):
        near = f"({near} * x + {c!r})"
    far = "-expm1(-absolute(x)) / absolute(x)"
    for k in range(1, order + 1):
        far = f"(exp(minimum(x, 0)) - {float(k)!r} * ({far})) / x"
    far = f"({far}) * exp(maximum(x, 0))"
    edges = f"select(x == inf, inf, select(x == -inf, 0, {far}))"
    return f"select(absolute(x) < {_limit(order)!r}, {near}, {edges})"


EXPREL_DERIVATIVE: Op = elementwise_op(
    "exprel_derivative",
    _value,
    _formula,
    partials={0: lambda B, y, x, order: B.exprel_derivative(x, order + 1)},
    params=(param.order,),
    lowering=_lowering,
)


@function()
def exprel_derivative(B: Any, x: Any, order: int = 1) -> Any:
    """Derivative number ``order`` of ``(exp(x) - 1)/x``."""
    return B.build(EXPREL_DERIVATIVE, (B.lift(x),), (order,))
