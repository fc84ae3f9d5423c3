"""Condition numbers. As in NumPy that of a singular matrix is infinite."""

from __future__ import annotations

from typing import Any

import numpy as np

from symtape.errors import MatrixShapeError
from symtape.graph.node import Array, Node
from symtape.graph.shapes import Shape
from symtape.ops.gaps import all_columns
from symtape.ops.linalg import OF_INVERSES, inverse_pull, inverse_push
from symtape.ops.matrices import as_inexact, as_square, check_square, check_stack
from symtape.ops.matrix_formulas import inverse
from symtape.ops.op import ZERO, Kind, Op
from symtape.ops.registry import function, structural
from symtape.ops.singular_values import singular_values


def _value(a: Array) -> Array:
    result = np.empty_like(a)
    for place in np.ndindex(a.shape[:-2]):
        try:
            result[place] = np.linalg.inv(a[place])
        except np.linalg.LinAlgError:
            result[place] = np.inf
    return result


INV_OR_INF: Op = structural(
    "inv_or_inf",
    Kind.LIBRARY,
    _value,
    as_square("cond"),
    vjp=(inverse_pull,),
    jvp=(inverse_push,),
    batch=lambda B, inputs, batched: B.build(INV_OR_INF, inputs),
    formula=inverse,
    source=OF_INVERSES,
)


@function()
def inv_or_inf(B: Any, a: Any) -> Any:
    """The inverse, and infinity for a matrix that has none."""
    return B.build(INV_OR_INF, (a,))


# -------------------------------------------------------------------------------------------------------- extreme ratio


def _ratio_value(s: Array) -> Array:
    with np.errstate(all="ignore"):
        ratio = np.asarray(s[..., 0] / s[..., -1], s.dtype)
    return np.where(np.isnan(ratio) & ~np.isnan(s).any(axis=-1), np.inf, ratio).astype(s.dtype)


def _ratio_infer(inputs: tuple[Node]) -> tuple[Shape, Any]:
    return inputs[0].shape[:-1], inputs[0].dtype


def _over_last(B: Any, s: Any) -> Any:
    """``1/s[..., -1]``; NaN with a warning that names the singular value that is zero."""
    ones = B.ones_like(B.expand_dims(s, -2))
    nothing = B.zeros(B.shape(ones)[:-1], B.dtype(s))
    return B.getitem(B.over_gaps(ones, nothing, s, all_columns(B, s), "zeros"), (..., 0, -1))


def _ratio_pull(B: Any, g: Any, y: Any, s: Any) -> Any:
    n = B.shape(s)[-1]
    if n == 1:
        return ZERO
    lead, dtype = B.shape(s)[:-1], B.dtype(s)
    one = B.ones_like(B.zeros((*lead, 1), dtype))
    slopes = B.concatenate([one, B.zeros((*lead, n - 2), dtype), B.negative(B.expand_dims(y, -1))], axis=-1)
    return B.multiply(B.expand_dims(B.multiply(g, _over_last(B, s)), -1), slopes)


def _ratio_push(B: Any, t: Any, y: Any, s: Any) -> Any:
    first, last = (B.getitem(t, (..., k)) for k in (0, -1))
    return B.multiply(_over_last(B, s), B.subtract(first, B.multiply(y, last)))


EXTREME_RATIO: Op = structural(
    "extreme_ratio",
    Kind.LIBRARY,
    _ratio_value,
    _ratio_infer,
    vjp=(_ratio_pull,),
    jvp=(_ratio_push,),
    batch=lambda B, inputs, batched: B.build(EXTREME_RATIO, inputs),
)


@function()
def extreme_ratio(B: Any, s: Any) -> Any:
    """The first over the last of numbers in descending order; infinite where that is zero."""
    return B.build(EXTREME_RATIO, (s,))


@function("numpy.linalg.cond", name="condition_number")
def condition_number(B: Any, x: Any, p: Any = None) -> Any:
    """``np.linalg.cond``, of every order; at a singular matrix it is infinite and has no derivative."""
    x = as_inexact(B, "cond", x)
    check_stack("cond", B.shape(x))
    if 0 in B.shape(x)[-2:]:
        raise MatrixShapeError("cond is not defined on empty arrays")
    if p in (None, 2):
        return B.extreme_ratio(singular_values(B, x))
    if p == -2:
        s = singular_values(B, x)
        return B.divide(B.getitem(s, (..., -1)), B.getitem(s, (..., 0)))
    check_square("cond", B.shape(x))
    return B.multiply(B.norm(x, p, (-2, -1)), B.norm(B.inv_or_inf(x), p, (-2, -1)))
