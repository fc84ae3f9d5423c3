"""Boolean arrays that pick elements: where they are True, told as integers.

How many elements are True decides a shape. The namespace knows the number (``B.count_true``; a tape keeps it as a
guard); which ones they are is computed each time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symtape.errors import AssumptionViolated, ShapeError
from symtape.graph.node import Array
from symtape.graph.shapes import Length, Shape, size
from symtape.ops import params as param
from symtape.ops.arguments import only_defaults
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, structural
from symtape.ops.subscripts import is_graph_value


def _value(mask: Array, count: int, ndim: int) -> Array:
    mask = np.asarray(mask)
    lead = mask.shape[: mask.ndim - ndim]
    rows = mask.reshape(*lead, int(np.prod(mask.shape[mask.ndim - ndim :], dtype=np.intp)))
    numbers = np.count_nonzero(rows, axis=-1)
    if np.any(numbers != count):
        raise AssumptionViolated(
            f"the mask has {', '.join(map(str, np.unique(numbers)))} true elements, and the expression was recorded "
            f"with {count}: record it again with this mask, or write np.where(mask, x, 0)"
        )
    return np.nonzero(rows)[-1].reshape(*lead, count)


def _infer(inputs: Any, count: Length, ndim: int) -> tuple[Shape, Any]:
    (mask,) = inputs
    return (*mask.shape[: len(mask.shape) - ndim], count), np.dtype(np.intp)


TRUE_POSITIONS: Op = structural(
    "true_positions",
    Kind.LIBRARY,
    _value,
    _infer,
    batch=lambda B, inputs, batched, count, ndim: B.build(TRUE_POSITIONS, inputs, (count, ndim)),
    differentiable=False,
    params=(param.length, param.rank),
)


@function()
def true_positions(B: Any, mask: Any) -> Any:
    """Where a boolean array is True, as places in the flattened array, in order."""
    mask = B.lift(mask)
    return B.build(TRUE_POSITIONS, (mask,), (B.count_true(mask), B.ndim(mask)))


def _as_mask(B: Any, a: Any) -> Any:
    x = B.lift(a)
    return x if B.dtype(x).kind == "b" else B.not_equal(x, 0)


@function("numpy.nonzero")
def nonzero(B: Any, a: Any) -> tuple[Any, ...]:
    """``np.nonzero``."""
    mask = _as_mask(B, a)
    shape: Shape = B.shape(mask)
    if shape == ():
        raise ShapeError("Calling nonzero on 0d arrays is not allowed; use np.atleast_1d(scalar).nonzero() instead")
    flat = true_positions(B, mask)
    if len(shape) == 1:
        return (flat,)
    places = []
    for axis, n in enumerate(shape):
        inner = size(shape[axis + 1 :])
        place = flat if inner == 1 else B.floor_divide(flat, inner)
        places.append(place if axis == 0 else B.remainder(place, n))
    return tuple(places)


@function("numpy.flatnonzero")
def flatnonzero(B: Any, a: Any) -> Any:
    """``np.flatnonzero``."""
    return true_positions(B, _as_mask(B, a))


@function("numpy.argwhere")
def argwhere(B: Any, a: Any) -> Any:
    """``np.argwhere``."""
    return B.transpose(B.stack(nonzero(B, B.atleast_1d(a))))


@function("numpy.ix_")
def ix_(B: Any, *args: Any) -> tuple[Any, ...]:
    """``np.ix_``: index arrays that cross each other."""
    crossed = []
    for k, given in enumerate(args):
        x = B.lift(given)
        if B.ndim(x) != 1:
            raise ValueError("Cross index must be 1 dimensional")
        x = flatnonzero(B, x) if B.dtype(x).kind == "b" else x
        crossed.append(B.reshape(x, (*[1] * k, B.shape(x)[0], *[1] * (len(args) - k - 1))))
    return tuple(crossed)


@function("numpy.compress")
def compress(B: Any, condition: Any, a: Any, axis: Any = None, out: Any = None) -> Any:
    """``np.compress``."""
    only_defaults("compress", out=out)
    if (B.ndim(B.lift(condition)) if is_graph_value(condition) else np.ndim(condition)) != 1:
        raise ValueError("condition must be a 1-d array")
    chosen = flatnonzero(B, condition) if is_graph_value(condition) else np.flatnonzero(condition)
    return B.take(a, chosen, axis=axis)


@function("numpy.extract")
def extract(B: Any, condition: Any, arr: Any) -> Any:
    """``np.extract``."""
    flat = B.ravel(condition) if is_graph_value(condition) else np.ravel(condition)
    return compress(B, flat, B.ravel(arr), axis=0)
