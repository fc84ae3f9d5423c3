"""Kinks and choices: absolute value, sign, extrema, clipping, and selection by a mask.

At a kink a derivative is agreed on: that of ``abs`` at 0 is 0; of ``maximum`` and ``minimum`` at a tie 1/2 for each
side, but 0 at 0 for a ``maximum`` or ``fmax`` with an implicit scalar constant 0 (the relu of neural networks: decided
when it is recorded); of ``clip`` at a bound 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symtape.ops.arguments import is_missing, only_defaults
from symtape.ops.elementwise import literal
from symtape.ops.registry import as_number, elementwise, elementwise_op, function
from symtape.ops.sympy_functions import sympy_function as own

# -------------------------------------------------------------------------------------------------- absolute and sign

ABSOLUTE = elementwise("absolute", np.absolute, lambda sp, x: sp.Abs(x), implements=("numpy.absolute", "numpy.abs"))
FABS = elementwise("fabs", np.fabs, lambda sp, x: sp.Abs(x))
SIGN = elementwise("sign", np.sign, lambda sp, x: sp.sign(x), partials={0: 0})
COPYSIGN = elementwise(
    "copysign",
    np.copysign,
    lambda sp, x, y: own("copysign")(x, y),
    partials={0: lambda B, out, x, y: B.multiply(B.sign(x), B.copysign(B.astype(1, B.dtype(out)), y)), 1: 0},
)
HEAVISIDE = elementwise(
    "heaviside",
    np.heaviside,
    lambda sp, x, y: sp.Heaviside(x, y),
    partials={0: 0, 1: lambda B, out, x, y: B.astype(B.equal(x, 0), B.dtype(out))},
)

# ------------------------------------------------------------------------------------------------------------- extrema


def _exceeds(x: Any, y: Any) -> Any:
    dtype = np.result_type(x, y) if np.result_type(x, y).kind == "f" else np.dtype(np.float64)
    share = np.greater(x, y) * dtype.type(0.5) + np.greater_equal(x, y) * dtype.type(0.5)
    return np.where(np.isnan(x) | np.isnan(y), dtype.type(np.nan), share)[()]


#: What of a maximum goes to its first argument: all where it is larger, half at a tie, nothing where it is smaller, and
#: NaN where one of them is.
EXCEEDS = elementwise(
    "exceeds",
    _exceeds,
    lambda sp, x, y: sp.Heaviside(x - y),
    implements=(),
    partials={0: 0, 1: 0},
    lowering="select(x > y, 1, select(x == y, 0.5, select(x < y, 0, x + y)))",
    arity=2,
)

MAXIMUM = elementwise_op(
    "maximum",
    np.maximum,
    lambda sp, x, y: sp.Max(x, y),
    partials={0: lambda B, out, x, y: B.exceeds(x, y), 1: lambda B, out, x, y: B.exceeds(y, x)},
)
MINIMUM = elementwise_op(
    "minimum",
    np.minimum,
    lambda sp, x, y: sp.Min(x, y),
    partials={0: lambda B, out, x, y: B.exceeds(y, x), 1: lambda B, out, x, y: B.exceeds(x, y)},
)


def _where_nan(B: Any, x: Any, y: Any, otherwise: Any) -> Any:
    """1 where ``y`` is NaN, 0 where ``x`` is, NaN where both are: of a number and NaN fmax and fmin are the number."""
    one_alone = B.logical_xor(B.isnan(x), B.isnan(y))
    return B.where(one_alone, B.astype(B.isnan(y), B.dtype(otherwise)), otherwise)


FMAX = elementwise_op(
    "fmax",
    np.fmax,
    lambda sp, x, y: own("fmax")(x, y),
    partials={
        0: lambda B, out, x, y: _where_nan(B, x, y, B.exceeds(x, y)),
        1: lambda B, out, x, y: _where_nan(B, y, x, B.exceeds(y, x)),
    },
)
FMIN = elementwise_op(
    "fmin",
    np.fmin,
    lambda sp, x, y: own("fmin")(x, y),
    partials={
        0: lambda B, out, x, y: _where_nan(B, x, y, B.exceeds(y, x)),
        1: lambda B, out, x, y: _where_nan(B, y, x, B.exceeds(x, y)),
    },
)
RELU = elementwise(
    "relu",
    lambda x: np.maximum(x, 0),
    lambda sp, x: sp.Max(x, 0),
    implements=(),
    partials={0: lambda B, out, x: B.heaviside(x, 0)},
    lowering="maximum(x, 0)",
    arity=1,
)
RELU_OR_ZERO = elementwise(
    "relu_or_zero",
    lambda x: np.fmax(x, 0),
    lambda sp, x: sp.Max(x, 0),
    implements=(),
    partials={0: lambda B, out, x: B.heaviside(out, 0)},
    lowering="fmax(x, 0)",
    arity=1,
)


def _extremum(B: Any, op: Any, with_zero: Any, x1: Any, x2: Any) -> Any:
    """The op, or ``with_zero`` on the other argument if one is the constant 0 and the other is none."""
    x1, x2 = B.lift(x1), B.lift(x2)
    for x, other in ((x1, x2), (x2, x1)):
        bound = literal(B, other)
        if bound is not None and bound == 0 and not np.signbit(bound) and literal(B, x) is None:
            dtype = np.result_type(B.dtype(x), bound if B.node(other).flags else B.dtype(other))
            return B.build(with_zero, (B.astype(x, dtype),))
    return B.build(op, (x1, x2))


@function("numpy.maximum")
def maximum(B: Any, x1: Any, x2: Any, /, out: Any = None) -> Any:
    """``np.maximum``: NaN if one is; at a tie half of the derivative each, but at 0 none of ``maximum(x, 0)``."""
    only_defaults("maximum", out=out)
    return _extremum(B, MAXIMUM, RELU, x1, x2)


@function("numpy.minimum")
def minimum(B: Any, x1: Any, x2: Any, /, out: Any = None) -> Any:
    """``np.minimum``: NaN if one is; at a tie half of the derivative each."""
    only_defaults("minimum", out=out)
    return B.build(MINIMUM, (B.lift(x1), B.lift(x2)))


@function("numpy.fmax")
def fmax(B: Any, x1: Any, x2: Any, /, out: Any = None) -> Any:
    """``np.fmax``: the other one if one is NaN; derivatives at ties as for maximum."""
    only_defaults("fmax", out=out)
    return _extremum(B, FMAX, RELU_OR_ZERO, x1, x2)


@function("numpy.fmin")
def fmin(B: Any, x1: Any, x2: Any, /, out: Any = None) -> Any:
    """``np.fmin``: the other one if one is NaN; derivatives at ties as for minimum."""
    only_defaults("fmin", out=out)
    return B.build(FMIN, (B.lift(x1), B.lift(x2)))


# ---------------------------------------------------------------------------------------------------------------- clip


def _or_nan(B: Any, out: Any, condition: Any) -> Any:
    """The truth of a condition as a number; NaN where the result is NaN."""
    return B.where(B.isnan(out), out, B.astype(condition, B.dtype(out)))


CLIP = elementwise_op(
    "clip",
    np.clip,
    lambda sp, x, low, high: sp.Min(sp.Max(x, low), high),
    partials={
        0: lambda B, out, x, low, high: _or_nan(B, out, B.logical_and(B.greater_equal(x, low), B.less_equal(x, high))),
        1: lambda B, out, x, low, high: _or_nan(B, out, B.logical_and(B.less(x, low), B.less(low, high))),
        2: lambda B, out, x, low, high: _or_nan(B, out, B.greater(B.maximum(x, low), high)),
    },
)


@function("numpy.clip")
def clip(
    B: Any,
    a: Any,
    a_min: Any = np._NoValue,  # noqa: SLF001 (NumPy's own default, where None means "no bound")
    a_max: Any = np._NoValue,  # noqa: SLF001 (as above)
    out: Any = None,
    *,
    min: Any = None,
    max: Any = None,
) -> Any:
    """``np.clip``; a bound of None bounds nothing. At a bound the derivative is 1."""
    only_defaults("clip", out=out)
    if (not is_missing(a_min) and min is not None) or (not is_missing(a_max) and max is not None):
        raise ValueError("give clip its bounds as a_min and a_max or as min and max, not both")
    a = B.lift(a)
    low, high = min if is_missing(a_min) else a_min, max if is_missing(a_max) else a_max
    if low is None and high is None:
        return a
    dtype = B.dtype(a)
    least, most = (-np.inf, np.inf) if dtype.kind == "f" else _range_of(dtype)
    return B.build(CLIP, (a, B.lift(least if low is None else low), B.lift(most if high is None else high)))


def _range_of(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    if dtype.kind == "b":
        return np.bool_(False), np.bool_(True)
    return np.asarray(np.iinfo(dtype).min, dtype), np.asarray(np.iinfo(dtype).max, dtype)


# -------------------------------------------------------------------------------------------------------------- select


def _select_pair(B: Any, i: int, pair: tuple[Any, Any], out: Any, mask: Any, a: Any, b: Any) -> Any:
    """The cotangent goes where the mask sent it, and is a structural zero elsewhere."""
    if i == 0:
        return None
    outer, g = pair
    taken = mask if i == 1 else B.logical_not(mask)
    return taken if outer is None else B.logical_and(outer, taken), g


def _select_formula(sp: Any, mask: Any, a: Any, b: Any) -> Any:
    truth = isinstance(mask, sp.logic.boolalg.Boolean) and not isinstance(mask, sp.Symbol)
    condition = mask if truth else sp.Ne(mask, 0)
    if isinstance(a, sp.Expr) or isinstance(b, sp.Expr):
        return sp.Piecewise((as_number(sp, a), condition), (as_number(sp, b), True))
    return sp.ITE(condition, a, b)


def _zeros_like(B: Any, t: Any) -> Any:
    return B.const(np.zeros((), B.dtype(t)))


SELECT = elementwise_op(
    "select",
    np.where,
    _select_formula,
    pair=_select_pair,
    jvp=(
        None,
        lambda B, t, out, mask, a, b: B.where(mask, t, _zeros_like(B, t)),
        lambda B, t, out, mask, a, b: B.where(mask, _zeros_like(B, t), t),
    ),
    truth=True,
)


@function("numpy.where")
def where(B: Any, condition: Any, x: Any = None, y: Any = None, /) -> Any:
    """``np.where`` with two values; from the branch that was not taken comes no gradient, and no NaN."""
    if x is None and y is None:
        raise TypeError(
            "np.where(condition) alone asks for places, whose number depends on values: write "
            "np.where(condition, a, b) to choose, x[condition] to pick, or np.nonzero(condition) where places are "
            "meant (their number becomes a guard)"
        )
    if x is None or y is None:
        raise ValueError("either both or neither of x and y should be given")
    condition = B.lift(condition)
    if B.dtype(condition).kind != "b":
        condition = B.not_equal(condition, 0)
    return B.build(SELECT, (condition, B.lift(x), B.lift(y)))
