"""Basic indexing: ints and slices. Three ops, closed under differentiation.

`getitem` reads a box of elements, `embed` puts boxes into zeros, `set_slice` replaces a box. Indices are normalized:
per axis an int or ``(start, length, step)``. What NumPy's square brackets mean beyond that stands in
`symtape.ops.subscripts`; index arrays are the business of `symtape.ops.gathers`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.node import Array
from symtape.graph.shapes import Length, Shape
from symtape.ops import params as param
from symtape.ops.boxes import Basic, as_slices, basic_shape, check_basic, plain, whole
from symtape.ops.element import Box, Boxes, IndexLike, Number, Read
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, structural
from symtape.ops.subscripts import Subscript, parse

# ------------------------------------------------------------------------------------------------------------- the ops


def _batched_index(shape: Shape, basic: Basic) -> Basic:
    return (whole(shape[0]), *basic)


def _getitem_infer(inputs: Any, basic: Basic) -> tuple[Shape, Any]:
    (x,) = inputs
    check_basic(x.shape, basic)
    return basic_shape(basic), x.dtype


def _read_at(basic: Basic, at: Sequence[IndexLike]) -> tuple[IndexLike, ...]:
    """Where in the array the element of the box stands."""
    places = iter(at)
    return tuple(next(places) * p[2] + p[0] if isinstance(p, tuple) else p for p in basic)


def box_at(basic: Basic, shape: Shape, at: Sequence[IndexLike]) -> tuple[Any, tuple[IndexLike, ...]]:
    """The box of an index as bounds on the array's indices, and where in the box the element at ``at`` stands."""
    bounds: list[tuple[Any, Length, Length]] = []
    inner: list[Any] = []
    for i, n, part in zip(at, shape, basic, strict=True):
        if not isinstance(part, tuple):
            bounds.append((i, part, part + 1))
            continue
        start, length, step = part
        if part == whole(n):
            inner.append(i)
            continue
        low, high = (start, start + length) if step == 1 else _reach(start, length, step)
        bounds.append((i, low, high))
        distance: Any = i - start if step > 0 else start - i
        if abs(step) != 1:
            bounds.append((distance % abs(step), 0, 1))
        inner.append(distance // abs(step))
    return tuple(bounds), tuple(inner)


def _reach(start: Length, length: Length, step: int) -> tuple[Length, Length]:
    """The least axis range that contains a slice."""
    last = start + (length - 1) * step
    return (start, last + 1) if step > 0 else (last, start + 1)


GETITEM: Op = structural(
    "getitem",
    Kind.INDEXED,
    lambda x, basic: np.asarray(x)[as_slices(basic)],
    _getitem_infer,
    vjp=(lambda B, g, y, x, basic: B.build(EMBED, (g,), ((basic,), B.shape(x))),),
    batch=lambda B, inputs, batched, basic: B.build(GETITEM, inputs, (_batched_index(B.shape(inputs[0]), basic),)),
    element=lambda at, inputs, basic: Read(0, _read_at(basic, at)),
    masks=True,
    params=(param.basic_index,),
)


def _embed_value(*arguments: Any) -> Array:
    *values, boxes, shape = arguments
    result = np.zeros(shape, np.result_type(*[np.asarray(v) for v in values]))
    for value, basic in zip(values, boxes, strict=True):
        result[as_slices(basic)] = value
    return result


def _embed_infer(inputs: Any, boxes: tuple[Basic, ...], shape: Shape) -> tuple[Shape, Any]:
    for value, basic in zip(inputs, boxes, strict=True):
        check_basic(shape, basic)
        _check_fits(value.shape, basic)
    return shape, inputs[0].dtype


def _check_fits(shape: Shape, basic: Basic) -> None:
    if shape != basic_shape(basic):
        raise ShapeError(f"a value of shape {shape} does not fit an index that selects {basic_shape(basic)}")


def _embed_element(at: Any, inputs: Any, boxes: tuple[Basic, ...], shape: Shape) -> Boxes:
    places = [box_at(basic, shape, at) for basic in boxes]
    return Boxes(tuple(Box(bounds, Read(k, inner)) for k, (bounds, inner) in enumerate(places)), Number(0))


def _embed_vjp(B: Any, i: int, g: Any, y: Any, *rest: Any) -> Any:
    return B.build(GETITEM, (g,), (rest[-2][i],))


def _embed_jvp(B: Any, i: int, t: Any, y: Any, *rest: Any) -> Any:
    boxes, shape = rest[-2:]
    return B.build(EMBED, (t,), ((boxes[i],), shape))


def _embed_batch(B: Any, inputs: Any, batched: Any, boxes: tuple[Basic, ...], shape: Shape) -> Any:
    n = next(B.shape(x)[0] for x, is_batched in zip(inputs, batched, strict=True) if is_batched)
    full = tuple(
        x if is_batched else B.broadcast_to(x, (n, *B.shape(x))) for x, is_batched in zip(inputs, batched, strict=True)
    )
    return B.build(EMBED, full, (tuple([(whole(n), *basic) for basic in boxes]), (n, *shape)))


EMBED: Op = structural(
    "embed",
    Kind.INDEXED,
    _embed_value,
    _embed_infer,
    vjp=_embed_vjp,
    jvp=_embed_jvp,
    batch=_embed_batch,
    element=_embed_element,
    masks=True,
    params=(param.basic_indices, param.shape),
)


def _set_slice_value(x: Array, value: Array, basic: Basic) -> Array:
    result = np.array(x)
    result[as_slices(basic)] = value
    return result


def _set_slice_infer(inputs: Any, basic: Basic) -> tuple[Shape, Any]:
    x, value = inputs
    check_basic(x.shape, basic)
    _check_fits(value.shape, basic)
    return x.shape, x.dtype


def _set_slice_element(at: Any, inputs: Any, basic: Basic) -> Boxes:
    bounds, inner = box_at(basic, inputs[0].shape, at)
    return Boxes((Box(bounds, Read(1, inner)),), Read(0, tuple(at)))


def _set_slice_batch(B: Any, inputs: Any, batched: Any, basic: Basic) -> Any:
    n = B.shape(inputs[0] if batched[0] else inputs[1])[0]
    full = tuple(
        x if is_batched else B.broadcast_to(x, (n, *B.shape(x))) for x, is_batched in zip(inputs, batched, strict=True)
    )
    return B.build(SET_SLICE, full, ((whole(n), *basic),))


SET_SLICE: Op = structural(
    "set_slice",
    Kind.INDEXED,
    _set_slice_value,
    _set_slice_infer,
    vjp=(
        lambda B, g, y, x, v, basic: B.build(SET_SLICE, (g, B.zeros(B.shape(v), B.dtype(g))), (basic,)),
        lambda B, g, y, x, v, basic: B.build(GETITEM, (g,), (basic,)),
    ),
    jvp=(
        lambda B, t, y, x, v, basic: B.build(SET_SLICE, (t, B.zeros(B.shape(v), B.dtype(t))), (basic,)),
        lambda B, t, y, x, v, basic: B.build(EMBED, (t,), ((basic,), B.shape(x))),
    ),
    batch=_set_slice_batch,
    element=_set_slice_element,
    masks=True,
    params=(param.basic_index,),
)

# ----------------------------------------------------------------------------------------------------------- functions


@function()
def getitem(B: Any, x: Any, index: Any) -> Any:
    """``x[index]`` with every index that NumPy takes.

    A boolean index that depends on a value is made known by the namespace (``B.known``): a tape keeps a guard.
    """
    x = B.lift(x)
    shape: Shape = B.shape(x)
    basic = plain(shape, index)
    if basic is not None:
        return B.build(GETITEM, (x,), (basic,))
    return subscripted(B, x, parse(B, shape, index))


def subscripted(B: Any, x: Any, steps: Subscript) -> Any:
    """Apply the steps of an index expression."""
    if steps.widened is not None:
        x = B.reshape(x, steps.widened)
    if steps.basic is not None:
        x = B.build(GETITEM, (x,), (steps.basic,))
    if steps.arrays:
        x = B.gather(x, steps.arrays, steps.axes, steps.at)
    if steps.shape is not None:
        x = B.reshape(x, steps.shape)
    return x


def _only_basic(B: Any, shape: Shape, index: Any) -> Basic:
    steps = parse(B, shape, index)
    if steps.basic is None or steps.arrays or steps.widened is not None or steps.shape is not None:
        raise IndexError(f"only ints and slices may stand here, got {index!r}")
    return steps.basic


@function()
def index_embed(B: Any, value: Any, index: Any, shape: Shape) -> Any:
    """Zeros of the given shape with ``value`` at a basic index."""
    return B.build(EMBED, (B.lift(value),), ((_only_basic(B, shape, index),), shape))


@function()
def embed(B: Any, values: Sequence[Any], boxes: tuple[Basic, ...], shape: Shape) -> Any:
    """Zeros of the given shape with each value in its box; the boxes are normalized and disjoint."""
    return B.build(EMBED, tuple([B.lift(v) for v in values]), (boxes, shape))


@function()
def set_slice(B: Any, x: Any, value: Any, basic: Basic) -> Any:
    """A copy of ``x`` with a box (a normalized index) replaced."""
    return B.build(SET_SLICE, (B.lift(x), B.lift(value)), (basic,))


@function()
def slice_box(B: Any, x: Any, basic: Basic) -> Any:
    """The box of elements at a normalized index."""
    return B.build(GETITEM, (x,), (basic,))
