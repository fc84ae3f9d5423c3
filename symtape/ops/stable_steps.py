"""Functions that stable forms are made of, with derivatives that neither overflow nor cancel.

``log1mexp(x) = log(1 - exp(x))`` for x < 0, in two halves (Mächler,
"Accurately computing log(1 - exp(-abs(a)))", 2012);
its slope ``-1/expm1(-x)`` has the slope ``1/(expm1(x)*expm1(-x))``. ``versine(x) = 1 - cos(x)``. The slope of a
hypotenuse in a leg is the cosine beside that leg, and the slopes of that are products of cosines over the hypotenuse.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symtape.ops.op import Op
from symtape.ops.registry import elementwise


def _log1mexp_value(x: Any) -> Any:
    near = np.greater(x, np.asarray(-0.6931471805599453, np.asarray(x).dtype))
    left = np.where(near, np.asarray(-1.0, np.asarray(x).dtype), x)
    right = np.where(near, x, np.asarray(-0.5, np.asarray(x).dtype))
    return np.where(near, np.log(-np.expm1(right)), np.log1p(-np.exp(left)))[()]


LOG1MEXP = elementwise(
    "log1mexp",
    _log1mexp_value,
    lambda sp, x: sp.log(1 - sp.exp(x)),
    implements=(),
    partials={0: lambda B, y, x: B.negative(B.reciprocal_expm1(B.negative(x)))},
    lowering="select(x > -0.6931471805599453, log(-expm1(x)), log1p(-exp(x)))",
    arity=1,
    source="Mächler, Accurately computing log(1 - exp(-abs(a))), 2012, equation 7",
)


def _expit_slope_value(x: Any) -> Any:
    return (1 / (1 + np.exp(np.negative(x)))) * (1 / (1 + np.exp(x)))


RECIPROCAL_EXPM1 = elementwise(
    "reciprocal_expm1",
    lambda x: np.reciprocal(np.expm1(x)),
    lambda sp, x: 1 / (sp.exp(x) - 1),
    implements=(),
    partials={0: lambda B, y, x: B.multiply(y, B.reciprocal_expm1(B.negative(x)))},
    lowering="1 / expm1(x)",
    arity=1,
)

# out*(1 - out) cancels for large arguments, and its slope with 1 - 2*out near zero.
EXPIT_SLOPE = elementwise(
    "expit_slope",
    _expit_slope_value,
    lambda sp, x: sp.exp(-x) / (1 + sp.exp(-x)) ** 2,
    implements=(),
    partials={0: lambda B, y, x: B.negative(B.multiply(y, B.tanh(B.multiply(0.5, x))))},
    lowering="(1 / (1 + exp(-x))) * (1 / (1 + exp(x)))",
    arity=1,
)

VERSINE = elementwise(
    "versine",
    lambda x: 2 * np.square(np.sin(x / 2)),
    lambda sp, x: 1 - sp.cos(x),
    implements=(),
    partials={0: lambda B, y, x: B.sin(x)},
    lowering="2 * (sin(x / 2) * sin(x / 2))",
    arity=1,
)


def _cosine_value(x: Any, y: Any) -> Any:
    long = np.hypot(x, y)
    flat = long == 0
    return np.where(flat, np.zeros((), np.asarray(long).dtype), np.divide(x, np.where(flat, 1, long)))[()]


def _cosine_in_own_leg(B: Any, c: Any, x: Any, y: Any) -> Any:
    return B.divide_no_nan(B.square(B.cosine_beside(y, x)), B.hypot(x, y))


def _cosine_in_other_leg(B: Any, c: Any, x: Any, y: Any) -> Any:
    return B.negative(B.divide_no_nan(B.multiply(c, B.cosine_beside(y, x)), B.hypot(x, y)))


COSINE_BESIDE: Op = elementwise(
    "cosine_beside",
    _cosine_value,
    lambda sp, x, y: x / sp.sqrt(x**2 + y**2),
    implements=(),
    partials={0: _cosine_in_own_leg, 1: _cosine_in_other_leg},
    lowering="select(hypot(x, y) == 0, 0, x / hypot(x, y))",
    arity=2,
)
