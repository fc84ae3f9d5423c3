"""The error function's family: inverses, the scaled complement and its integrals, Dawson's, the normal distribution.

Derivatives of the scaled complement ``erfcx(x) = exp(x**2)*erfc(x)`` cancel for large arguments when written with it
alone. They are the scaled repeated integrals

    J_n(x) = exp(x**2) * i^n erfc(x),   J_0 = erfcx,   J_n' = -2*(n + 1)*J_(n+1)

(NIST Digital Library of Mathematical Functions, 7.18). With ``J_(n-1) = 2*x*J_n + 2*(n + 1)*J_(n+1)`` their ratios are
continued fractions for positive arguments; otherwise the recurrence is run upwards.
"""

from __future__ import annotations

import math
from typing import Any

from symtape.ops import params as param
from symtape.ops.op import Op
from symtape.ops.registry import elementwise_op, function
from symtape.ops.scipy_functions import scipy_function
from symtape.ops.written_once import line_of, value_of

_HALF_ROOT_PI = math.sqrt(math.pi) / 2
_DEPTH = 200  # of the continued fraction: exp(-2*x*sqrt(2*depth)) is below 1e-17 from x = 1 on

scipy_function("erfinv", lambda sp, x: sp.erfinv(x), lambda B, y, x: B.multiply(_HALF_ROOT_PI, B.exp(B.square(y))))
scipy_function("erfcinv", lambda sp, x: sp.erfcinv(x), lambda B, y, x: B.multiply(-_HALF_ROOT_PI, B.exp(B.square(y))))
scipy_function("erfi", lambda sp, x: sp.erfi(x), lambda B, y, x: B.multiply(1 / _HALF_ROOT_PI, B.exp(B.square(x))))
scipy_function(
    "erfcx",
    lambda sp, x: sp.exp(x**2) * sp.erfc(x),
    lambda B, y, x: B.multiply(-2, B.build(ERFCX_INTEGRAL, (x,), (1,))),
    source="NIST DLMF 7.18",
)


def _integral(kit: Any, x: Any, order: int) -> Any:
    upwards = kit.erfcx(x)
    before, downwards = 1 / _HALF_ROOT_PI, upwards
    for n in range(1, order + 1):
        before, upwards = upwards, (before - 2.0 * x * upwards) / (2.0 * n)
    large = kit.maximum(x, 1.0)
    ratio: Any = 0.0
    for n in range(order + _DEPTH, 0, -1):
        ratio = 1.0 / (2.0 * large + 2.0 * (n + 1) * ratio)
        if n <= order:
            downwards = downwards * ratio
    return kit.where(x >= 1.0, downwards, upwards)


def _integral_formula(sp: Any, x: Any, order: int) -> Any:
    before, current = 2 / sp.sqrt(sp.pi), sp.exp(x**2) * sp.erfc(x)
    for n in range(1, order + 1):
        before, current = current, (before - 2 * x * current) / (2 * n)
    return current


ERFCX_INTEGRAL: Op = elementwise_op(
    "erfcx_integral",
    value_of(_integral, 1),
    _integral_formula,
    partials={0: lambda B, y, x, n: B.multiply(-2 * (n + 1), B.build(ERFCX_INTEGRAL, (x,), (n + 1,)))},
    params=(param.order,),
    lowering=line_of(_integral, 1),
    source="NIST DLMF 7.18.7",
)


_FAR = 8.0  #: where the asymptotic series starts
_DAWSON_TERMS = 26


def _dawson_derivative(kit: Any, x: Any, order: int) -> Any:
    """By ``D' = 1 - 2*x*D`` and its derivatives, which cancel for large x: there by the asymptotic series."""
    near, before = kit.dawsn(x), 1.0
    for n in range(order):
        near, before = (1.0 if n == 0 else 0.0) - 2.0 * x * near - (0.0 if n == 0 else 2.0 * n * before), near
    far = kit.absolute(x) >= _FAR + order
    above = 1.0 / kit.where(far, x, _FAR)
    square, total = above * above, 0.0 * above
    for k in reversed(range(_DAWSON_TERMS)):
        odd = math.prod(range(1, 2 * k, 2)) / 2.0 ** (k + 1)
        total = total * square + (-1.0) ** order * odd * math.perm(2 * k + order, order)
    return kit.where(far, total * kit.pow(above, float(order + 1)), near)


def _dawson_formula(sp: Any, x: Any, order: int) -> Any:
    current, before = sp.sqrt(sp.pi) / 2 * sp.exp(-(x**2)) * sp.erfi(x), sp.Integer(1)
    for n in range(order):
        current, before = (1 if n == 0 else 0) - 2 * x * current - (0 if n == 0 else 2 * n * before), current
    return current


DAWSN_DERIVATIVE: Op = elementwise_op(
    "dawsn_derivative",
    value_of(_dawson_derivative, 1),
    _dawson_formula,
    partials={0: lambda B, y, x, order: B.build(DAWSN_DERIVATIVE, (x,), (order + 1,))},
    params=(param.order,),
    lowering=line_of(_dawson_derivative, 1),
    source="NIST DLMF 7.10.3 and 7.12.1",
)


scipy_function(
    "dawsn",
    lambda sp, x: _dawson_formula(sp, x, 0),
    lambda B, y, x: B.build(DAWSN_DERIVATIVE, (x,), (1,)),
)


@function()
def dawsn_derivative(B: Any, x: Any, order: int = 1) -> Any:
    """Derivative number ``order`` of Dawson's integral."""
    return B.build(DAWSN_DERIVATIVE, (B.lift(x),), (order,))


def _normal_density(B: Any, x: Any) -> Any:
    return B.multiply(1 / math.sqrt(2 * math.pi), B.exp(B.multiply(-0.5, B.square(x))))


def _log_ndtr_slope(B: Any, y: Any, x: Any) -> Any:
    """Density over distribution: with the scaled complement where both are small."""
    left = B.less(x, 0.0)
    scaled = B.erfcx(B.multiply(-math.sqrt(0.5), B.where(left, x, 0.0)))
    right = B.where(left, 0.0, x)
    return B.where(left, B.divide(math.sqrt(2 / math.pi), scaled), B.divide(_normal_density(B, right), B.ndtr(right)))


scipy_function("ndtr", lambda sp, x: sp.erfc(-x / sp.sqrt(2)) / 2, lambda B, y, x: _normal_density(B, x))
scipy_function(
    "ndtri",
    lambda sp, x: sp.sqrt(2) * sp.erfinv(2 * x - 1),
    lambda B, y, x: B.multiply(math.sqrt(2 * math.pi), B.exp(B.multiply(0.5, B.square(y)))),
)
scipy_function("log_ndtr", lambda sp, x: sp.log(sp.erfc(-x / sp.sqrt(2)) / 2), _log_ndtr_slope)


@function()
def erfcx_integral(B: Any, x: Any, order: int = 1) -> Any:
    """``exp(x**2)`` times the repeated integral of ``erfc``."""
    return B.build(ERFCX_INTEGRAL, (B.lift(x),), (order,))
