"""Writing at computed places: `scatter_add`, the vjp of a gather, and `scatter_set`.

Where an index names a place more than once, `scatter_add` accumulates and the last value of `scatter_set` wins (in the
order of the flattened index). Into a value that was written over no gradient flows. Masks are booleans: adding them up
is "or".
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.node import CONST, Array
from symtape.graph.shapes import Shape, size
from symtape.ops import params as param
from symtape.ops.arguments import as_integer
from symtape.ops.element import Apply, Box, Boxes, Gather, IndexValue, Number, Read, Reduce, index
from symtape.ops.gathers import align_batched, gathered_shape, index_values, own_row
from symtape.ops.op import Kind, Op
from symtape.ops.places import common_shape, flat_positions
from symtape.ops.registry import function, op_named, structural
from symtape.ops.subscripts import is_graph_value

# ------------------------------------------------------------------------------------------------------- element rules
# Formulas and short straight-line code come of them; a long scatter is a loop over the values, not over the places.


def _spots(at: Any, inner: Any, indices: Sequence[Any], axes: tuple[int, ...], shape: Shape, first: int) -> list[Any]:
    """Per indexed axis the number that value ``inner`` of the index arrays has there, and the output's own."""
    spots = []
    for k, (i, axis) in enumerate(zip(indices, axes, strict=True)):
        own = inner[len(inner) - len(i.shape) :]
        where = tuple(0 if n == 1 else j for n, j in zip(i.shape, own, strict=True))
        spots.append((Gather(first + k, where, shape[axis]), at[axis]))
    return spots


def _value_at(number: int, at: Any, inner: Any, axes: tuple[int, ...], place: int) -> Read:
    rest = [j for k, j in enumerate(at) if k not in axes]
    return Read(number, (*rest[:place], *inner, *rest[place:]))


def _scatter_add_element(at: Any, inputs: Any, axes: tuple[int, ...], place: int, shape: Shape) -> Reduce:
    values, *indices = inputs
    common = common_shape([i.shape for i in indices])
    inner = index(len(common), len(at))
    bounds = tuple((there + own * -1, 0, 1) for there, own in _spots(at, inner, indices, axes, shape, 1))
    body = Boxes((Box(bounds, _value_at(0, at, inner, axes, place)),), Number(0))
    return Reduce("any" if values.dtype.kind == "b" else "sum", len(at), common, body)


def _scatter_set_element(at: Any, inputs: Any, axes: tuple[int, ...], place: int) -> Apply:
    """The value that names the place and is followed by no other that does; where none does, the old element."""
    x, values, *indices = inputs
    common = common_shape([i.shape for i in indices])
    select, both, equal = (op_named(name) for name in ("select", "logical_and", "equal"))

    def names_the_place(inner: Any) -> Any:
        hits = [
            Apply(equal, (IndexValue(there), IndexValue(own)))
            for there, own in _spots(at, inner, indices, axes, x.shape, 2)
        ]
        return functools.reduce(lambda a, b: Apply(both, (a, b)), hits)

    def number(inner: Any) -> Any:
        flat: Any = 0
        for n, j in zip(common, inner, strict=True):
            flat = flat * n + j
        return IndexValue(flat)

    one, other = index(len(common), len(at)), index(len(common), len(at) + len(common))
    after = Apply(op_named("greater"), (number(other), number(one)))
    written_over = Reduce("any", len(at) + len(common), common, Apply(both, (names_the_place(other), after)))
    last = Apply(both, (names_the_place(one), Apply(op_named("logical_not"), (written_over,))))
    chosen = Apply(select, (last, _value_at(1, at, one, axes, place), Number(0)))
    total = Reduce("any" if values.dtype.kind == "b" else "sum", len(at), common, chosen)
    return Apply(select, (Reduce("any", len(at), common, names_the_place(one)), total, Read(0, tuple(at))))


# ------------------------------------------------------------------------------------------------------------- the ops


def _scatter_add_value(values: Array, *arguments: Any) -> Array:
    *indices, axes, at, shape = arguments
    places = flat_positions([np.asarray(i) for i in indices], axes, at, shape).reshape(-1)
    flat = np.ascontiguousarray(values).reshape(-1)
    size = int(np.prod(shape, dtype=np.intp))
    if flat.dtype == np.float64 and places.size:
        return np.bincount(places, flat, size).reshape(shape)  # the same additions as below, ten times as fast
    result = np.zeros(size, flat.dtype)
    if flat.dtype.kind == "b":
        result[places[flat]] = True
    else:
        np.add.at(result, places, flat)
    return result.reshape(shape)


def _check_values(values: Shape, wanted: Shape) -> None:
    if values != wanted:
        raise ShapeError(f"values of shape {values} do not fit an index that selects {wanted}")


def _scatter_add_infer(inputs: Any, axes: tuple[int, ...], at: int, shape: Shape) -> tuple[Shape, Any]:
    values, *indices = inputs
    _check_values(values.shape, gathered_shape(shape, [i.shape for i in indices], axes, at))
    return shape, values.dtype


def _scatter_add_vjp(B: Any, i: int, g: Any, y: Any, values: Any, *rest: Any) -> Any:
    *indices, axes, at, _ = rest
    return B.gather(g, indices, axes, at) if i == 0 else None


def _index_first(B: Any, values: Any, at: int, count: int) -> Any:
    """Batched values with the axes of the index arrays moved up to the batch axis."""
    return B.moveaxis(values, list(range(1 + at, 1 + at + count)), list(range(1, 1 + count))) if at else values


def _batched_like(B: Any, x: Any, is_batched: bool, n: Any) -> Any:
    return x if is_batched else B.broadcast_to(x, (n, *B.shape(x)))


def _scatter_add_batch(B: Any, inputs: Any, batched: Any, axes: tuple[int, ...], at: int, shape: Shape) -> Any:
    values, *indices = inputs
    n = next(B.shape(x)[0] for x, is_batched in zip(inputs, batched, strict=True) if is_batched)
    shifted = tuple(a + 1 for a in axes)
    if not any(batched[1:]):
        return B.build(SCATTER_ADD, inputs, (shifted, at + 1, (n, *shape)))
    aligned, count = align_batched(B, indices, batched[1:])
    full = _batched_like(B, values, batched[0], n)
    moved = _index_first(B, full, at, count)
    return B.build(SCATTER_ADD, (moved, own_row(B, full, count), *aligned), ((0, *shifted), 0, (n, *shape)))


SCATTER_ADD: Op = structural(
    "scatter_add",
    Kind.SCATTER,
    _scatter_add_value,
    _scatter_add_infer,
    vjp=_scatter_add_vjp,
    batch=_scatter_add_batch,
    element=_scatter_add_element,
    masks=True,
    params=(param.axes_of_result, param.new_axis, param.shape),
)


def _scatter_set_value(x: Array, values: Array, *arguments: Any) -> Array:
    *indices, axes, at = arguments
    result = np.array(x)
    places = flat_positions([np.asarray(i) for i in indices], axes, at, result.shape).reshape(-1)
    flat = result.reshape(-1)
    flat[places] = np.ascontiguousarray(values).reshape(-1)
    return flat.reshape(result.shape)


def _scatter_set_infer(inputs: Any, axes: tuple[int, ...], at: int) -> tuple[Shape, Any]:
    x, values, *indices = inputs
    _check_values(values.shape, gathered_shape(x.shape, [i.shape for i in indices], axes, at))
    return x.shape, x.dtype


def names_a_place_twice(B: Any, indices: Sequence[Any], axes: tuple[int, ...], shape: Shape) -> bool:
    """Whether some place may be written more than once: False only where that is certain."""
    nodes = [B.node(i) for i in indices]
    if all(n.shape == () for n in nodes) or (len(nodes) == 1 and nodes[0].op.name == "true_positions"):
        return False
    lengths = tuple(n for n in (shape[a] for a in axes) if isinstance(n, int))
    if len(lengths) < len(axes) or any(n.op is not CONST for n in nodes):
        return True
    places = flat_positions([np.asarray(n.value) for n in nodes], tuple(range(len(axes))), 0, lengths)
    return bool(np.unique(places).size < places.size)


def _zero(B: Any, x: Any) -> Any:
    return B.zeros(B.shape(x), B.dtype(x))


def _winners(B: Any, g: Any, x: Any, values: Any, indices: Sequence[Any], axes: tuple[int, ...], at: int) -> Any:
    """``g`` at the written places, 0 for the values that were written over."""
    own = B.gather(g, indices, axes, at)
    if not names_a_place_twice(B, indices, axes, B.shape(x)):
        return own
    shape: Shape = B.shape(values)
    count = size(shape)
    if isinstance(count, int):
        number = B.reshape(B.const(np.arange(count)), shape)
    else:
        number = B.reshape(B.positions(B.reshape(values, (-1,)), 0), shape)
    written = B.scatter_set(B.zeros(B.shape(x), np.intp), number, indices, axes, at)
    won = B.equal(B.gather(written, indices, axes, at), number)
    return B.where(won, own, B.zeros((), B.dtype(own)))


def _scatter_set_vjp(B: Any, i: int, g: Any, y: Any, x: Any, values: Any, *rest: Any) -> Any:
    *indices, axes, at = rest
    if i == 0:
        zero = B.zeros(B.shape(values), B.dtype(g))
        return B.build(SCATTER_SET, (g, zero, *indices), (axes, at))
    return _winners(B, g, x, values, indices, axes, at) if i == 1 else None


def _scatter_set_jvp(B: Any, i: int, t: Any, y: Any, x: Any, values: Any, *rest: Any) -> Any:
    *indices, axes, at = rest
    pair = (t, _zero(B, values)) if i == 0 else (_zero(B, x), t)
    return B.build(SCATTER_SET, (*pair, *indices), (axes, at))


def _scatter_set_batch(B: Any, inputs: Any, batched: Any, axes: tuple[int, ...], at: int) -> Any:
    x, values, *indices = inputs
    n = next(B.shape(x)[0] for x, is_batched in zip(inputs, batched, strict=True) if is_batched)
    x, values = _batched_like(B, x, batched[0], n), _batched_like(B, values, batched[1], n)
    shifted = tuple(a + 1 for a in axes)
    if not any(batched[2:]):
        return B.build(SCATTER_SET, (x, values, *indices), (shifted, at + 1))
    aligned, count = align_batched(B, indices, batched[2:])
    moved = _index_first(B, values, at, count)
    return B.build(SCATTER_SET, (x, moved, own_row(B, x, count), *aligned), ((0, *shifted), 0))


SCATTER_SET: Op = structural(
    "scatter_set",
    Kind.SCATTER,
    _scatter_set_value,
    _scatter_set_infer,
    vjp=_scatter_set_vjp,
    jvp=_scatter_set_jvp,
    batch=_scatter_set_batch,
    element=_scatter_set_element,
    masks=True,
    params=(param.axes, param.new_axis),
)

# ----------------------------------------------------------------------------------------------- what rules build with


@function()
def scatter_add(B: Any, values: Any, indices: Sequence[Any], axes: tuple[int, ...], at: int, shape: Shape) -> Any:
    """Zeros of the given shape, to which each value is added at its place; the layout is that of ``gather``."""
    arrays = index_values(B, indices, axes, shape)
    return B.build(SCATTER_ADD, (B.lift(values), *arrays), (axes, at, shape))


@function()
def scatter_set(B: Any, x: Any, values: Any, indices: Sequence[Any], axes: tuple[int, ...], at: int) -> Any:
    """A copy of ``x`` with each value at its place; the layout is that of ``gather``."""
    x = B.lift(x)
    return B.build(SCATTER_SET, (x, B.lift(values), *index_values(B, indices, axes, B.shape(x))), (axes, at))


@function("numpy.bincount")
def bincount(B: Any, x: Any, /, weights: Any = None, minlength: Any = 0) -> Any:
    """``np.bincount``; gradients flow into the weights."""
    numbers = B.known(B.lift(x)) if is_graph_value(x) else np.asarray(x)
    if numbers.ndim != 1:
        raise ShapeError(f"object of too small depth for desired array: x must have one axis, got {numbers.ndim}")
    if numbers.size and numbers.dtype.kind not in "iub":
        raise TypeError(f"Cannot cast array data from {numbers.dtype} to int64: x must hold integers")
    numbers = numbers.astype(np.intp)
    if (numbers < 0).any():
        raise ValueError("'x' argument must not have negative values")
    least = as_integer(minlength, "minlength")
    if least < 0:
        raise ValueError("'minlength' must not be negative")
    length = max(int(numbers.max(initial=-1)) + 1, least)
    if weights is None:
        return B.const(np.bincount(numbers, minlength=least))
    values = B.astype(B.lift(weights), np.float64)
    if B.shape(values) != numbers.shape:
        raise ShapeError(f"The weights and list don't have the same length: {B.shape(values)} and {numbers.shape}")
    return B.scatter_add(values, (numbers,), (0,), 0, (length,))
