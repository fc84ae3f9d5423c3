"""Scans: running sums, running products and the linear recurrence that their derivatives are made of. All are O(n).

The derivative of a running product by division would be wrong at zeros. Instead: with ``y_k = x_0 ... x_k`` and
cotangents ``g``::

    dy_k/dx_i = (x_0 ... x_(i-1)) (x_(i+1) ... x_k)     for i <= k
    x_i's cotangent = (x_0 ... x_(i-1)) s_i             with  s_i = g_i + x_(i+1) s_(i+1)

and ``s`` is a linear recurrence, run backwards. Linear recurrences are closed under differentiation, so derivatives of
any order stay exact with zeros and cost O(n).
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.node import Array
from symtape.graph.shapes import Length, Shape, normalize_axis
from symtape.ops import params as param
from symtape.ops.arguments import only_defaults
from symtape.ops.element import Apply, Box, Boxes, Number, Read, Reduce, index
from symtape.ops.op import LINEAR, Kind, Op
from symtape.ops.registry import function, op_named, structural

# ------------------------------------------------------------------------------------------------------- element rules


def _upto(here: Any, there: Any, reverse: bool, n: Length, apart: int = 0) -> tuple[Any, Length, Length]:
    """The bound that says that the scan visits ``there`` at least ``apart`` steps before ``here``."""
    return (there + here * -1 if reverse else here + there * -1, apart, n)


def _running(kind: str, neutral: int) -> Any:
    """Element rule of a running sum or product: the reduction of what was visited so far."""

    def element(at: Any, inputs: Any, axis: int, reverse: bool) -> Reduce:
        n = inputs[0].shape[axis]
        (j,) = index(1, len(at))
        box = Box((_upto(at[axis], j, reverse, n),), Read(0, (*at[:axis], j, *at[axis + 1 :])))
        return Reduce(kind, len(at), (n,), Boxes((box,), Number(neutral)))

    return element


def _recurrence_element(at: Any, inputs: Any, axis: int, reverse: bool, previous: bool) -> Reduce:
    """Each term times the factors of all later steps, added up."""
    n = inputs[1].shape[axis]
    here = at[axis]
    j, m = index(2, len(at))
    step: Any = m + (1 if reverse else -1) if previous else m
    inside = (_upto(m, j, reverse, n, 1), _upto(here, m, reverse, n))
    factors = Boxes((Box(inside, Read(0, (*at[:axis], step, *at[axis + 1 :]))),), Number(1))
    product = Reduce("prod", len(at) + 1, (n,), factors)
    term = Apply(op_named("multiply"), (Read(1, (*at[:axis], j, *at[axis + 1 :])), product))
    return Reduce("sum", len(at), (n,), Boxes((Box((_upto(here, j, reverse, n),), term),), Number(0)))


# --------------------------------------------------------------------------------------------------------- running sum


def _directed(scan: Any) -> Any:
    """``scan(x, axis)`` as ``value(x, axis, reverse)``."""

    def value(x: Array, axis: int, reverse: bool) -> Any:
        return np.flip(scan(np.flip(x, axis), axis), axis) if reverse else scan(x, axis)

    return value


def _scan_infer(inputs: Any, axis: int, reverse: bool) -> tuple[Shape, Any]:
    (x,) = inputs
    return x.shape, np.cumsum(np.zeros(1, x.dtype)).dtype


CUMSUM: Op = structural(
    "cumsum",
    Kind.SCAN,
    _directed(np.cumsum),
    _scan_infer,
    vjp=(lambda B, g, y, x, axis, reverse: B.build(CUMSUM, (g,), (axis, not reverse)),),
    batch=lambda B, inputs, batched, axis, reverse: B.build(CUMSUM, inputs, (axis + 1, reverse)),
    element=_running("sum", 0),
    params=(param.axis, param.flag),
)

# --------------------------------------------------------------------------------------------------- linear recurrence

_FEW_LINES = 16  # below this many lines a Python loop over numbers beats one over slices


def _recurrence_value(a: Array, b: Array, axis: int, reverse: bool, previous: bool) -> Array:
    dtype = np.result_type(a, b)
    result = np.empty(b.shape, dtype)
    steps = b.shape[axis]
    if result.size == 0:
        return result
    if steps == 1:
        return np.array(b, dtype)
    order = slice(None, None, -1) if reverse else slice(None)
    factors, added, out = (np.moveaxis(m, axis, 0)[order] for m in (a, b, result))
    factors = factors[:-1] if previous else factors[1:]
    if result.size // steps > _FEW_LINES:
        out[0] = added[0]
        for k in range(1, steps):
            out[k] = factors[k - 1] * out[k - 1] + added[k]
        return result
    lines = (x.reshape(x.shape[0], -1).T.tolist() for x in (factors, added))
    for place, line_factors, line_added in zip(np.ndindex(out.shape[1:]), *lines, strict=True):
        pairs = zip(line_factors, line_added[1:], strict=True)
        out[(slice(None), *place)] = list(
            itertools.accumulate(pairs, lambda s, pair: pair[0] * s + pair[1], initial=line_added[0])
        )
    return result


def _recurrence_infer(inputs: Any, axis: int, reverse: bool, previous: bool) -> tuple[Shape, Any]:
    a, b = inputs
    if a.shape != b.shape:
        raise ShapeError(f"a linear recurrence needs factors and terms of one shape, got {a.shape} and {b.shape}")
    return b.shape, np.result_type(a.dtype, b.dtype)


def _recurrence_batch(B: Any, inputs: Any, batched: Any, axis: int, reverse: bool, previous: bool) -> Any:
    shape = B.shape(inputs[0] if batched[0] else inputs[1])
    full = tuple(x if is_batched else B.broadcast_to(x, shape) for x, is_batched in zip(inputs, batched, strict=True))
    return B.build(RECURRENCE, full, (axis + 1, reverse, previous))


def _along(axis: int, part: slice) -> tuple[Any, ...]:
    return (*[slice(None)] * axis, part)


_ALL_BUT_FIRST, _ALL_BUT_LAST = slice(1, None), slice(None, -1)


def _steps(B: Any, late: Any, early: Any, axis: int, reverse: bool, at_late: bool) -> Any:
    """``late_k * early_(k-1)`` for each step of a scan, at the place of ``k`` (or of ``k-1``), and 0 elsewhere."""
    ahead, behind = (_ALL_BUT_LAST, _ALL_BUT_FIRST) if reverse else (_ALL_BUT_FIRST, _ALL_BUT_LAST)
    product = B.multiply(B.getitem(late, _along(axis, ahead)), B.getitem(early, _along(axis, behind)))
    return B.index_embed(product, _along(axis, ahead if at_late else behind), B.shape(late))


def _factor_vjp(B: Any, g: Any, y: Any, a: Any, b: Any, axis: int, reverse: bool, previous: bool) -> Any:
    s = B.build(RECURRENCE, (a, g), (axis, not reverse, not previous))
    return _steps(B, s, y, axis, reverse, not previous)


def _factor_jvp(B: Any, t: Any, y: Any, a: Any, b: Any, axis: int, reverse: bool, previous: bool) -> Any:
    if previous:
        ahead, behind = (_ALL_BUT_LAST, _ALL_BUT_FIRST) if reverse else (_ALL_BUT_FIRST, _ALL_BUT_LAST)
        product = B.multiply(B.getitem(t, _along(axis, behind)), B.getitem(y, _along(axis, behind)))
        moved = B.index_embed(product, _along(axis, ahead), B.shape(y))
    else:
        moved = _steps(B, t, y, axis, reverse, True)
    return B.build(RECURRENCE, (a, moved), (axis, reverse, previous))


RECURRENCE: Op = structural(
    "linear_recurrence",
    Kind.SCAN,
    _recurrence_value,
    _recurrence_infer,
    vjp=(
        _factor_vjp,
        lambda B, g, y, a, b, axis, reverse, previous: B.build(RECURRENCE, (a, g), (axis, not reverse, not previous)),
    ),
    jvp=(_factor_jvp, LINEAR),
    batch=_recurrence_batch,
    element=_recurrence_element,
    params=(param.axis, param.flag, param.flag),
)


@function()
def linear_recurrence(B: Any, a: Any, b: Any, axis: int = 0, reverse: bool = False, previous: bool = False) -> Any:
    """``y_0 = b_0``, then ``y_k = a_k y_(k-1) + b_k``; with ``previous`` the factor is ``a_(k-1)``.

    ``reverse`` runs from the end of the axis to its start, where ``k-1`` is the element visited before.
    """
    a, b = B.lift(a), B.lift(b)
    return B.build(RECURRENCE, (a, b), (normalize_axis(axis, B.ndim(b)), bool(reverse), bool(previous)))


# ------------------------------------------------------------------------------------------------------ running product


def _cumprod_infer(inputs: Any, axis: int, reverse: bool) -> tuple[Shape, Any]:
    (x,) = inputs
    return x.shape, np.cumprod(np.zeros(1, x.dtype)).dtype


def _delayed(B: Any, y: Any, axis: int, reverse: bool) -> Any:
    """The running product one step earlier: 1 where the scan starts."""
    shape: Shape = B.shape(y)
    steps: Length = shape[axis]
    one = B.const(np.ones((), B.dtype(y)))
    if steps == 0 or steps == 1:
        return B.broadcast_to(one, shape)
    behind = _ALL_BUT_FIRST if reverse else _ALL_BUT_LAST
    first = B.broadcast_to(one, (*shape[:axis], 1, *shape[axis + 1 :]))
    rest = B.getitem(y, _along(axis, behind))
    return B.concatenate((rest, first) if reverse else (first, rest), axis=axis)


CUMPROD: Op = structural(
    "cumprod",
    Kind.SCAN,
    _directed(np.cumprod),
    _cumprod_infer,
    vjp=(
        lambda B, g, y, x, axis, reverse: B.multiply(
            _delayed(B, y, axis, reverse), B.build(RECURRENCE, (x, g), (axis, not reverse, True))
        ),
    ),
    jvp=(
        lambda B, t, y, x, axis, reverse: B.build(
            RECURRENCE, (x, B.multiply(t, _delayed(B, y, axis, reverse))), (axis, reverse, False)
        ),
    ),
    batch=lambda B, inputs, batched, axis, reverse: B.build(CUMPROD, inputs, (axis + 1, reverse)),
    element=_running("prod", 1),
    params=(param.axis, param.flag),
)


@function()
def products_before(B: Any, x: Any, axis: int, reverse: bool) -> Any:
    """Of each element the product of those before it along the axis (after it, if ``reverse``)."""
    return _delayed(B, B.build(CUMPROD, (x,), (axis, reverse)), axis, reverse)


# --------------------------------------------------------------------------------------------------- NumPy's functions


def _scan(B: Any, op: Op, a: Any, axis: Any, dtype: Any) -> Any:
    x = B.lift(a)
    if dtype is not None and B.dtype(x) != np.dtype(dtype):
        x = B.astype(x, dtype)
    if axis is None or B.ndim(x) == 0:
        normalize_axis(0 if axis is None else axis, 1)
        x, axis = x if B.ndim(x) == 1 else B.ravel(x), 0
    y = B.build(op, (x,), (normalize_axis(axis, B.ndim(x)), False))
    return y if dtype is None or B.dtype(y) == np.dtype(dtype) else B.astype(y, dtype)


@function("numpy.cumsum")
def cumsum(B: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """``np.cumsum``."""
    only_defaults("cumsum", out=out)
    return _scan(B, CUMSUM, a, axis, dtype)


@function("numpy.cumprod")
def cumprod(B: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """``np.cumprod``; its derivatives of any order are right where elements are 0."""
    only_defaults("cumprod", out=out)
    return _scan(B, CUMPROD, a, axis, dtype)


@function("numpy.add.accumulate")
def add_accumulate(B: Any, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
    """``np.add.accumulate``."""
    only_defaults("add.accumulate", out=out)
    return _scan(B, CUMSUM, array, axis, dtype)


@function("numpy.multiply.accumulate")
def multiply_accumulate(B: Any, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
    """``np.multiply.accumulate``."""
    only_defaults("multiply.accumulate", out=out)
    return _scan(B, CUMPROD, array, axis, dtype)
