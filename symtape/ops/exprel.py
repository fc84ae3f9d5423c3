"""``exprel(x) = (exp(x) - 1)/x`` and its derivatives, right at and near zero where the formula as typed is 0/0.

Derivative number k is the integral of ``s**k * exp(x*s)`` over 0 < s < 1, so

    I_k(x) = (exp(x) - k*I_(k-1)(x))/x   and   I_k(x) = sum of x^m/(m! * (m + k + 1));

the series is taken near zero, where the closed form cancels.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from symtape.ops import params as param
from symtape.ops.op import Op
from symtape.ops.registry import elementwise_op, function
from symtape.ops.scipy_functions import scipy_function
from symtape.ops.written_once import line_of, value_of

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


def _written(kit: Any, x: Any, order: int) -> Any:
    size = kit.absolute(x)
    scale, shrunk = kit.exp(kit.maximum(x, 0.0)), kit.exp(kit.minimum(x, 0.0))
    far = -kit.expm1(-size) / size  # times scale: exprel
    for k in range(1, order + 1):
        far = (shrunk - float(k) * far) / x
    far = kit.where(kit.equal(x, math.inf), math.inf, kit.where(kit.equal(x, -math.inf), 0.0, far * scale))
    near: Any = 0.0 * x
    for c in reversed(_series(order)):
        near = near * x + c
    return kit.where(size < _limit(order), near, far)


@cache
def _derivative(order: int) -> tuple[Any, Any]:
    """A symbol, and the derivative of the function in it as a sympy expression."""
    import sympy

    t = sympy.Dummy("t", real=True)
    return t, sympy.diff((sympy.exp(t) - 1) / t, t, order)


def _formula(sp: Any, x: Any, order: int) -> Any:
    t, formula = _derivative(order)
    return formula.subs(t, x)


EXPREL_DERIVATIVE: Op = elementwise_op(
    "exprel_derivative",
    value_of(_written, 1),
    _formula,
    partials={0: lambda B, y, x, order: B.exprel_derivative(x, order + 1)},
    params=(param.order,),
    lowering=line_of(_written, 1),
)


@function()
def exprel_derivative(B: Any, x: Any, order: int = 1) -> Any:
    """Derivative number ``order`` of ``(exp(x) - 1)/x``."""
    return B.build(EXPREL_DERIVATIVE, (B.lift(x),), (order,))
