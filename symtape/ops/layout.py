"""Layout: reshape, transpose and broadcast. They move elements and compute nothing, so each is its index map.

Everything else here is a name for one of the three. `sum_to` and `expand` are what rules use: the first undoes a
broadcast, the second puts axes back that a reduction took away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.shapes import (
    Dim,
    Length,
    Shape,
    as_shape,
    broadcast,
    kept,
    normalize_axes,
    normalize_axis,
    resolve_reshape,
    size,
)
from symtape.ops import params as param
from symtape.ops.arguments import as_integer, only_defaults
from symtape.ops.element import IndexLike, Read, read_broadcast
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, structural

# ------------------------------------------------------------------------------------------------------------- the ops


def _reshape_infer(inputs: Any, shape: Shape) -> tuple[Shape, Any]:
    (x,) = inputs
    return resolve_reshape(x.shape, shape), x.dtype


def reshape_map(source: Shape, target: Shape, at: Sequence[IndexLike]) -> tuple[IndexLike, ...]:
    """Where the element at ``at`` of a reshaped array stood: indices into ``source`` from those into ``target``.

    Axes are matched in the smallest groups of equal size, so that an axis that a reshape leaves alone keeps its plain
    index.

    Examples
    --------
    >>> from symtape.ops.element import index
    >>> reshape_map((6, 5), (2, 3, 5), index(3))
    (3*i0 + i1, i2)
    >>> reshape_map((2, 3), (6,), index(1))
    (((i0) // 3), ((i0) % 3))
    """
    result: list[IndexLike] = [0] * len(source)
    if size(source) == 0:
        return tuple(result)
    old = [k for k, d in enumerate(source) if d != 1]
    new = [k for k, d in enumerate(target) if d != 1]
    while old:
        m, n = _smallest_group([source[k] for k in old], [target[k] for k in new])
        flat: Any = 0
        for k in new[:n]:
            flat = flat * target[k] + at[k]
        for position, k in enumerate(old[:m]):
            inner = size(tuple(source[j] for j in old[position + 1 : m]))
            result[k] = flat // inner if position == 0 else (flat // inner) % source[k]
        old, new = old[m:], new[n:]
    return tuple(result)


def _smallest_group(source: list[Length], target: list[Length]) -> tuple[int, int]:
    """The fewest leading axes of both with equal products."""
    for total in range(2, len(source) + len(target) + 1):
        for m in range(max(1, total - len(target)), min(len(source), total - 1) + 1):
            if size(tuple(source[:m])) == size(tuple(target[: total - m])):
                return m, total - m
    raise ShapeError(f"cannot reshape {tuple(source)} into {tuple(target)}")


RESHAPE: Op = structural(
    "reshape",
    Kind.LAYOUT,
    np.reshape,
    _reshape_infer,
    vjp=(lambda B, g, y, x, shape: B.reshape(g, B.shape(x)),),
    batch=lambda B, inputs, batched, shape: B.build(RESHAPE, inputs, ((B.shape(inputs[0])[0], *shape),)),
    element=lambda at, inputs, shape: Read(0, reshape_map(inputs[0].shape, shape, at)),
    masks=True,
    params=(param.shape,),
)


def _transpose_infer(inputs: Any, axes: tuple[int, ...]) -> tuple[Shape, Any]:
    (x,) = inputs
    return tuple(x.shape[a] for a in axes), x.dtype


def inverse_permutation(axes: Sequence[int]) -> tuple[int, ...]:
    """The permutation of axes that undoes another."""
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


TRANSPOSE: Op = structural(
    "transpose",
    Kind.LAYOUT,
    np.transpose,
    _transpose_infer,
    vjp=(lambda B, g, y, x, axes: B.build(TRANSPOSE, (g,), (inverse_permutation(axes),)),),
    batch=lambda B, inputs, batched, axes: B.build(TRANSPOSE, inputs, ((0, *[a + 1 for a in axes]),)),
    element=lambda at, inputs, axes: Read(0, tuple(at[k] for k in inverse_permutation(axes))),
    masks=True,
    params=(param.permutation,),
)


def _broadcast_infer(inputs: Any, shape: Shape) -> tuple[Shape, Any]:
    (x,) = inputs
    extra = len(shape) - len(x.shape)
    if extra < 0:
        raise ShapeError(f"input operand has more dimensions than allowed: {x.shape} cannot be broadcast to {shape}")
    for k, d in enumerate(x.shape):
        if not (d == 1 or d == shape[extra + k]):
            raise ShapeError(
                f"operands could not be broadcast together with shapes {x.shape} and requested shape {shape}: "
                f"axis {k} has length {d}, wanted 1 or {shape[extra + k]}"
            )
    return shape, x.dtype


def _broadcast_batch(B: Any, inputs: Any, batched: Any, shape: Shape) -> Any:
    (x,) = inputs
    b, *own = B.shape(x)
    aligned = (b, *[1] * (len(shape) - len(own)), *own)
    x = x if B.shape(x) == aligned else B.build(RESHAPE, (x,), (aligned,))
    return B.build(BROADCAST, (x,), ((b, *shape),))


BROADCAST: Op = structural(
    "broadcast_to",
    Kind.LAYOUT,
    np.broadcast_to,
    _broadcast_infer,
    vjp=(lambda B, g, y, x, shape: B.sum_to(g, B.shape(x)),),
    batch=_broadcast_batch,
    element=lambda at, inputs, shape: read_broadcast(0, inputs[0].shape, at),
    masks=True,
    adds=True,
    params=(param.shape,),
)

# ----------------------------------------------------------------------------------------------- what rules build with


@function()
def sum_to(B: Any, x: Any, shape: Shape) -> Any:
    """Undo a broadcast: sum over the axes that it added or stretched. Of a mask, whether any is True."""
    x = B.lift(x)
    full: Shape = B.shape(x)
    if full == shape:
        return x
    extra = len(full) - len(shape)
    axes = tuple(k for k, d in enumerate(full) if k < extra or (shape[k - extra] == 1 and d != 1))
    if axes:
        x = B.any(x, axis=axes) if B.dtype(x).kind == "b" else B.sum(x, axis=axes)
    return x if B.shape(x) == shape else B.build(RESHAPE, (x,), (shape,))


@function()
def expand(B: Any, x: Any, axes: tuple[int, ...], shape: Shape) -> Any:
    """Put the axes that a reduction took away back, and repeat along them up to ``shape``."""
    x = B.lift(x)
    together = kept(shape, axes)
    lead = next((k for k, d in enumerate(together) if d != 1), len(together))
    if B.shape(x) != together[lead:]:  # a broadcast adds leading axes itself
        x = B.build(RESHAPE, (x,), (together,))
    return x if B.shape(x) == shape else B.build(BROADCAST, (x,), (shape,))


# ----------------------------------------------------------------------------------------------------- reshape and kin

_ORDERS = ("C", "F", "A")


@function("numpy.reshape")
def reshape(
    B: Any, a: Any, shape: Any = None, order: str = "C", *, newshape: Any = None, copy: bool | None = None
) -> Any:
    """``np.reshape``; the orders F and A mean what they mean for an array in C order."""
    a = B.lift(a)
    if (shape is None) == (newshape is None):
        raise TypeError("reshape() needs one shape: np.reshape(a, (2, 3))")
    wanted = shape if newshape is None else newshape
    entries = wanted if isinstance(wanted, (tuple, list)) else (wanted,)
    target = resolve_reshape(
        B.shape(a), [d if isinstance(d, Dim) else as_integer(d, "an axis length") for d in entries]
    )
    if order not in _ORDERS:
        raise ValueError(f"order must be one of 'C', 'F' or 'A', got {order!r}")
    if order == "F":
        return B.transpose(B.build(RESHAPE, (B.transpose(a),), (target[::-1],)))
    return B.build(RESHAPE, (a,), (target,))


@function("numpy.ravel")
def ravel(B: Any, a: Any, order: str = "C") -> Any:
    """``np.ravel``; the order K is C, since tensors have no layout in memory."""
    return reshape(B, a, -1, "C" if order == "K" else order)


@function()
def flatten(B: Any, a: Any, order: str = "C") -> Any:
    """``ndarray.flatten``."""
    return ravel(B, a, order)


def _reshaped(B: Any, a: Any, shape: Shape) -> Any:
    return B.build(RESHAPE, (a,), (shape,))


@function("numpy.expand_dims")
def expand_dims(B: Any, a: Any, axis: Any) -> Any:
    """``np.expand_dims``."""
    a = B.lift(a)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    places = normalize_axes(axes, B.ndim(a) + len(axes))
    rest = iter(B.shape(a))
    return _reshaped(B, a, tuple(1 if k in places else next(rest) for k in range(B.ndim(a) + len(places))))


@function("numpy.squeeze")
def squeeze(B: Any, a: Any, axis: Any = None) -> Any:
    """``np.squeeze``; without ``axis`` an axis whose length is only named stays."""
    a = B.lift(a)
    shape: Shape = B.shape(a)
    if axis is None:
        axes = tuple(k for k, d in enumerate(shape) if d == 1)
    else:
        axes = normalize_axes(axis, len(shape))
        for k in axes:
            if shape[k] != 1:
                raise ShapeError(
                    "cannot select an axis to squeeze out which has size not equal to one: "
                    f"axis {k} of {shape} has length {shape[k]}"
                )
    return _reshaped(B, a, tuple(d for k, d in enumerate(shape) if k not in axes))


def _at_least(B: Any, arrays: tuple[Any, ...], ndim: int) -> Any:
    results = []
    for array in arrays:
        a = B.lift(array)
        shape: Shape = B.shape(a)
        if len(shape) < ndim:
            if ndim == 3 and len(shape) > 0:  # NumPy puts the axes of a matrix first, those of a vector in the middle
                shape = (*((1,) if len(shape) == 1 else ()), *shape, 1)
            else:
                shape = (1,) * (ndim - len(shape)) + shape
            a = _reshaped(B, a, shape)
        results.append(a)
    return results[0] if len(results) == 1 else tuple(results)


@function("numpy.atleast_1d")
def atleast_1d(B: Any, *arys: Any) -> Any:
    """``np.atleast_1d``."""
    return _at_least(B, arys, 1)


@function("numpy.atleast_2d")
def atleast_2d(B: Any, *arys: Any) -> Any:
    """``np.atleast_2d``."""
    return _at_least(B, arys, 2)


@function("numpy.atleast_3d")
def atleast_3d(B: Any, *arys: Any) -> Any:
    """``np.atleast_3d``."""
    return _at_least(B, arys, 3)


# --------------------------------------------------------------------------------------------------- transpose and kin


@function("numpy.transpose")
def transpose(B: Any, a: Any, axes: Any = None) -> Any:
    """``np.transpose``, which is ``np.permute_dims`` too."""
    a = B.lift(a)
    ndim = B.ndim(a)
    if axes is None:
        order = tuple(range(ndim))[::-1]
    else:
        given = (axes,) if isinstance(axes, (int, np.integer)) else tuple(axes)
        if len(given) != ndim:
            raise ShapeError(f"axes don't match array: got {len(given)} axes {given} for an array with {ndim}")
        order = tuple(normalize_axis(k, ndim) for k in given)
        if len(set(order)) != ndim:
            raise ShapeError(f"repeated axis in transpose: {given}")
    return B.build(TRANSPOSE, (a,), (order,))


@function("numpy.swapaxes")
def swapaxes(B: Any, a: Any, axis1: int, axis2: int) -> Any:
    """``np.swapaxes``."""
    a = B.lift(a)
    order = list(range(B.ndim(a)))
    i, j = normalize_axis(axis1, len(order)), normalize_axis(axis2, len(order))
    order[i], order[j] = j, i
    return B.build(TRANSPOSE, (a,), (tuple(order),))


@function("numpy.moveaxis")
def moveaxis(B: Any, a: Any, source: Any, destination: Any) -> Any:
    """``np.moveaxis``."""
    a = B.lift(a)
    ndim = B.ndim(a)
    old, new = _places(source, ndim, "source"), _places(destination, ndim, "destination")
    if len(old) != len(new):
        raise ValueError("`source` and `destination` arguments must have the same number of elements")
    order = [k for k in range(ndim) if k not in old]
    for place, k in sorted(zip(new, old, strict=True)):
        order.insert(place, k)
    return B.build(TRANSPOSE, (a,), (tuple(order),))


def _places(axes: Any, ndim: int, what: str) -> list[int]:
    given = (axes,) if isinstance(axes, (int, np.integer)) else axes
    places = [normalize_axis(int(k), ndim) for k in given]
    if len(set(places)) != len(places):
        raise ValueError(f"repeated axis in `{what}` argument")
    return places


@function("numpy.rollaxis")
def rollaxis(B: Any, a: Any, axis: int, start: int = 0) -> Any:
    """``np.rollaxis``."""
    a = B.lift(a)
    ndim = B.ndim(a)
    k = normalize_axis(axis, ndim)
    place = as_integer(start, "start")
    if not -ndim <= place <= ndim:
        raise np.exceptions.AxisError(f"'start' arg requires {-ndim} <= start < {ndim + 1}, but {start} was passed in")
    place = place + ndim if place < 0 else place
    return moveaxis(B, a, k, place - 1 if k < place else place)


@function("numpy.matrix_transpose", "numpy.linalg.matrix_transpose")
def matrix_transpose(B: Any, x: Any) -> Any:
    """``np.matrix_transpose``: the last two axes swapped."""
    x = B.lift(x)
    if B.ndim(x) < 2:
        raise ShapeError(f"Input array must be at least 2-dimensional, but it is {B.ndim(x)}")
    return swapaxes(B, x, -1, -2)


# --------------------------------------------------------------------------------------------------- broadcast and kin


@function("numpy.broadcast_to")
def broadcast_to(B: Any, array: Any, shape: Any, subok: bool = False) -> Any:
    """``np.broadcast_to``."""
    only_defaults("broadcast_to", subok=subok)
    return B.build(BROADCAST, (B.lift(array),), (as_shape(shape),))


@function("numpy.broadcast_arrays")
def broadcast_arrays(B: Any, *args: Any, subok: bool = False) -> tuple[Any, ...]:
    """``np.broadcast_arrays``."""
    only_defaults("broadcast_arrays", subok=subok)
    arrays = [B.lift(a) for a in args]
    shape = broadcast([B.shape(a) for a in arrays])
    return tuple(a if B.shape(a) == shape else B.build(BROADCAST, (a,), (shape,)) for a in arrays)
