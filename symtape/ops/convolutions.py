"""Convolution along the last axis: one op, whose derivatives in both arguments are convolutions again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.node import Array
from symtape.graph.shapes import Dim, Shape, broadcast_two
from symtape.ops.boxes import whole
from symtape.ops.element import Apply, Box, Boxes, IndexLike, Number, Read, Reduce, index
from symtape.ops.op import LINEAR, Kind, Op
from symtape.ops.registry import function, op_named, structural


def _value(a: Array, v: Array) -> Array:
    if a.ndim == v.ndim == 1:
        return np.convolve(a, v)
    lead = np.broadcast_shapes(a.shape[:-1], v.shape[:-1])
    a, v = (np.broadcast_to(x, (*lead, x.shape[-1])) for x in (a, v))
    result = np.empty((*lead, a.shape[-1] + v.shape[-1] - 1), np.result_type(a, v))
    for place in np.ndindex(*lead):
        result[place] = np.convolve(a[place], v[place])
    return result


def _infer(inputs: Any) -> tuple[Shape, Any]:
    a, v = inputs
    if not a.shape or not v.shape or a.shape[-1] == 0 or v.shape[-1] == 0:
        raise ShapeError(f"a convolution needs arrays with elements on their last axis, got {a.shape} and {v.shape}")
    lead = broadcast_two(a.shape[:-1], v.shape[:-1])
    return (*lead, a.shape[-1] + v.shape[-1] - 1), np.result_type(a.dtype, v.dtype)


def _lead(at: Sequence[IndexLike], shape: Shape) -> tuple[IndexLike, ...]:
    own = at[len(at) - len(shape) : -1]
    return tuple(0 if isinstance(n, int) and n == 1 else k for n, k in zip(shape[:-1], own, strict=True))


def _element(at: Any, inputs: Any) -> Reduce:
    a, v = inputs
    (j,) = index(1, len(at))
    there = at[-1] + j * -1
    product = Apply(op_named("multiply"), (Read(0, (*_lead(at, a.shape), there)), Read(1, (*_lead(at, v.shape), j))))
    return Reduce("sum", len(at), (v.shape[-1],), Boxes((Box(((there, 0, a.shape[-1]),), product),), Number(0)))


def _pull(B: Any, i: int, g: Any, y: Any, a: Any, v: Any) -> Any:
    """Against the other argument read backwards; of that the part where it lies whole inside."""
    own, other = (a, v) if i == 0 else (v, a)
    spread = B.build(CONVOLVE, (g, B.flip(other, -1)))
    start, length = B.shape(other)[-1] - 1, B.shape(own)[-1]
    return B.slice_box(spread, (*[whole(n) for n in B.shape(spread)[:-1]], (start, length, 1)))


def _batch(B: Any, inputs: Any, batched: Any) -> Any:
    ndim = max(B.ndim(x) - b for x, b in zip(inputs, batched, strict=True))
    aligned = []
    for x, is_batched in zip(inputs, batched, strict=True):
        missing = ndim - (B.ndim(x) - is_batched)
        shape = B.shape(x)
        aligned.append(B.reshape(x, (shape[0], *[1] * missing, *shape[1:])) if is_batched and missing else x)
    return B.build(CONVOLVE, tuple(aligned))


CONVOLVE: Op = structural(
    "convolve",
    Kind.INDEXED,
    _value,
    _infer,
    vjp=_pull,
    jvp=LINEAR,
    batch=_batch,
    element=_element,
)

_MODES = ("full", "same", "valid")


def _operands(B: Any, name: str, a: Any, v: Any, mode: Any) -> tuple[Any, Any]:
    if mode not in _MODES:
        raise ValueError(f"mode must be one of 'valid', 'same', or 'full' (got {mode!r})")
    x, y = B.atleast_1d(a), B.atleast_1d(v)
    for value, what in ((x, "a"), (y, "v")):
        if B.ndim(value) != 1:
            raise ShapeError(f"object too deep for desired array: {what} has shape {B.shape(value)}, wanted one axis")
        if B.shape(value)[0] == 0:
            raise ValueError(f"{what} cannot be empty")
        if isinstance(B.shape(value)[0], Dim) and mode != "full":
            raise ShapeError(f"np.{name} of an axis whose length is only named has mode='full' alone")
    dtype = np.result_type(B.dtype(x), B.dtype(y))
    x, y = (z if B.dtype(z) == dtype else B.astype(z, dtype) for z in (x, y))
    return x, y


def _part(B: Any, full: Any, n: int, m: int, mode: str) -> Any:
    """The middle of a full convolution of n and m elements, as NumPy takes it; n is at least m."""
    if mode == "full":
        return full
    start, length = ((m - 1) // 2, n) if mode == "same" else (m - 1, n - m + 1)
    return B.slice_box(full, ((start, length, 1),))


@function("numpy.convolve", name="convolve")
def convolve(B: Any, a: Any, v: Any, mode: str = "full") -> Any:
    """``np.convolve``."""
    x, y = _operands(B, "convolve", a, v, mode)
    if mode != "full" and B.shape(y)[0] > B.shape(x)[0]:
        x, y = y, x
    return _part(B, B.build(CONVOLVE, (x, y)), B.shape(x)[0], B.shape(y)[0], mode)


@function("numpy.correlate", name="correlate")
def correlate(B: Any, a: Any, v: Any, mode: str = "valid") -> Any:
    """``np.correlate``."""
    x, y = _operands(B, "correlate", a, v, mode)
    n, m = B.shape(x)[0], B.shape(y)[0]
    if mode == "full" or n >= m:
        return _part(B, B.build(CONVOLVE, (x, B.flip(y))), n, m, mode)
    return B.flip(_part(B, B.build(CONVOLVE, (y, B.flip(x))), m, n, mode))
