"""One array of several or of repeats: concatenate and stack, what NumPy builds of them, tile, repeat and pad."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symtape.errors import DTypeError, ShapeError
from symtape.graph.node import Array
from symtape.graph.shapes import Length, Shape, is_known, normalize_axis
from symtape.ops import params as param
from symtape.ops.arguments import as_integer, only_defaults
from symtape.ops.boxes import Basic, whole
from symtape.ops.element import Box, Boxes, Read
from symtape.ops.gathers import flat
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, structural
from symtape.ops.subscripts import is_graph_value

# ------------------------------------------------------------------------------------------------------------- the ops


def _parts(shapes: Sequence[Shape], axis: int) -> list[Basic]:
    """The box of each part in a concatenation."""
    start: Length = 0
    parts: list[Basic] = []
    for shape in shapes:
        parts.append(tuple((start, n, 1) if k == axis else whole(n) for k, n in enumerate(shape)))
        start = start + shape[axis]
    return parts


def _same_dtype(inputs: Any, name: str) -> Any:
    dtype = inputs[0].dtype
    if any(x.dtype != dtype for x in inputs):
        raise DTypeError(f"{name} needs inputs of one dtype, got {', '.join(str(x.dtype) for x in inputs)}")
    return dtype


def _concatenate_infer(inputs: Any, axis: int) -> tuple[Shape, Any]:
    first = inputs[0].shape
    total: Length = 0
    for position, x in enumerate(inputs):
        if len(x.shape) != len(first):
            raise ShapeError(
                "all the input array dimensions must match: the array at index 0 has "
                f"{len(first)} dimension(s) and the array at index {position} has {len(x.shape)} dimension(s)"
            )
        for k, (m, n) in enumerate(zip(first, x.shape, strict=True)):
            if k != axis and m != n:
                raise ShapeError(
                    "all the input array dimensions except for the concatenation axis must match exactly, but along "
                    f"dimension {k}, the array at index 0 has size {m} and the array at index {position} has size {n}"
                )
        total = total + x.shape[axis]
    return (*first[:axis], total, *first[axis + 1 :]), _same_dtype(inputs, "concatenate")


def _concatenate_element(at: Any, inputs: Any, axis: int) -> Any:
    boxes = []
    start: Length = 0
    for k, x in enumerate(inputs):
        n = x.shape[axis]
        boxes.append(Box(((at[axis], start, start + n),), Read(k, (*at[:axis], at[axis] - start, *at[axis + 1 :]))))
        start = start + n
    return Boxes(tuple(boxes[:-1]), boxes[-1].then)


def _concatenate_pull(B: Any, needed: Sequence[bool], g: Any, y: Any, *rest: Any) -> list[Any]:
    """For all inputs together, or the time would grow with the square of their number."""
    *inputs, axis = rest
    parts = _parts([B.shape(x) for x in inputs], axis)
    return [B.slice_box(g, part) if n else None for part, n in zip(parts, needed, strict=True)]


def _concatenate_push(B: Any, tangents: Sequence[Any], y: Any, *rest: Any) -> list[Any]:
    *inputs, axis = rest
    parts = _parts([B.shape(x) for x in inputs], axis)
    return [_embedded(B, tangents, parts, B.shape(y))]


def _embedded(B: Any, tangents: Sequence[Any], parts: Sequence[Basic], shape: Shape) -> Any:
    """Tangents in the places of their parts, zeros elsewhere."""
    moving = [(t, part) for t, part in zip(tangents, parts, strict=True) if t is not None]
    return B.embed(tuple(t for t, _ in moving), tuple(part for _, part in moving), shape)


def _all_batched(B: Any, inputs: Any, batched: Any) -> tuple[Any, ...]:
    n = next(B.shape(x)[0] for x, is_batched in zip(inputs, batched, strict=True) if is_batched)
    return tuple(
        x if is_batched else B.broadcast_to(x, (n, *B.shape(x))) for x, is_batched in zip(inputs, batched, strict=True)
    )


def _concatenate_value(*arguments: Any) -> Array:
    return np.concatenate(arguments[:-1], axis=arguments[-1])


CONCATENATE: Op = structural(
    "concatenate",
    Kind.INDEXED,
    _concatenate_value,
    _concatenate_infer,
    vjp_together=_concatenate_pull,
    jvp_together=_concatenate_push,
    batch=lambda B, inputs, batched, axis: B.build(CONCATENATE, _all_batched(B, inputs, batched), (axis + 1,)),
    element=_concatenate_element,
    masks=True,
    params=(param.axis,),
)


def _place(shape: Shape, axis: int, k: int) -> Basic:
    """The box of part ``k`` in a stack of arrays of the given shape."""
    return (*[whole(n) for n in shape[:axis]], k, *[whole(n) for n in shape[axis:]])


def _stack_infer(inputs: Any, axis: int) -> tuple[Shape, Any]:
    shape = inputs[0].shape
    for position, x in enumerate(inputs):
        if x.shape != shape:
            raise ShapeError(
                f"all input arrays must have the same shape: the array at index 0 has {shape} "
                f"and the array at index {position} has {x.shape}"
            )
    return (*shape[:axis], len(inputs), *shape[axis:]), _same_dtype(inputs, "stack")


def _stack_element(at: Any, inputs: Any, axis: int) -> Any:
    inner = (*at[:axis], *at[axis + 1 :])
    reads = [Read(k, inner) for k in range(len(inputs))]
    return Boxes(tuple(Box(((at[axis], k, k + 1),), read) for k, read in enumerate(reads[:-1])), reads[-1])


def _stack_pull(B: Any, needed: Sequence[bool], g: Any, y: Any, *rest: Any) -> list[Any]:
    shape, axis = B.shape(rest[0]), rest[-1]
    return [B.slice_box(g, _place(shape, axis, k)) if n else None for k, n in enumerate(needed)]


def _stack_push(B: Any, tangents: Sequence[Any], y: Any, *rest: Any) -> list[Any]:
    shape, axis = B.shape(rest[0]), rest[-1]
    return [_embedded(B, tangents, [_place(shape, axis, k) for k in range(len(tangents))], B.shape(y))]


STACK: Op = structural(
    "stack",
    Kind.INDEXED,
    lambda *arguments: np.stack(arguments[:-1], axis=arguments[-1]),
    _stack_infer,
    vjp_together=_stack_pull,
    jvp_together=_stack_push,
    batch=lambda B, inputs, batched, axis: B.build(STACK, _all_batched(B, inputs, batched), (axis + 1,)),
    element=_stack_element,
    masks=True,
    params=(param.new_axis,),
)

# -------------------------------------------------------------------------------------------------------------- joining


def _lifted(B: Any, arrays: Any, what: str) -> list[Any]:
    """The arrays of a sequence as values; the rows of a tensor or an array are such a sequence too."""
    if is_graph_value(arrays):
        whole_array = B.lift(arrays)
        if B.ndim(whole_array) == 0 or not is_known(B.shape(whole_array)[:1]):
            raise TypeError(f"{what} takes a sequence of arrays, got one tensor of shape {B.shape(whole_array)}")
        arrays = [B.getitem(whole_array, k) for k in range(B.shape(whole_array)[0])]
    values = [B.lift(a) for a in arrays]
    if not values:
        raise ValueError(f"need at least one array to {what}")
    return values


def _promoted(B: Any, values: list[Any], dtype: Any = None) -> tuple[Any, ...]:
    common = np.result_type(*[B.dtype(v) for v in values]) if dtype is None else np.dtype(dtype)
    return tuple(v if B.dtype(v) == common else B.astype(v, common) for v in values)


def _join(B: Any, values: list[Any], axis: int, dtype: Any = None) -> Any:
    return B.build(CONCATENATE, _promoted(B, values, dtype), (axis,))


@function("numpy.concatenate")
def concatenate(
    B: Any, arrays: Any, axis: Any = 0, out: Any = None, dtype: Any = None, casting: str = "same_kind"
) -> Any:
    """``np.concatenate``, which is ``np.concat`` too."""
    only_defaults("concatenate", out=out, casting=None if casting == "same_kind" else casting)
    values = _lifted(B, arrays, "concatenate")
    if axis is None:
        return _join(B, [B.ravel(v) for v in values], 0, dtype)
    if any(B.ndim(v) == 0 for v in values):
        raise ShapeError("zero-dimensional arrays cannot be concatenated; use np.stack or np.hstack")
    return _join(B, values, normalize_axis(axis, B.ndim(values[0])), dtype)


@function("numpy.stack")
def stack(B: Any, arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """``np.stack``."""
    only_defaults("stack", out=out, casting=None if casting == "same_kind" else casting)
    values = _lifted(B, arrays, "stack")
    return B.build(STACK, _promoted(B, values, dtype), (normalize_axis(axis, B.ndim(values[0]) + 1),))


@function("numpy.vstack")
def vstack(B: Any, tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """``np.vstack``."""
    only_defaults("vstack", casting=None if casting == "same_kind" else casting)
    return _join(B, [B.atleast_2d(v) for v in _lifted(B, tup, "vstack")], 0, dtype)


@function("numpy.hstack")
def hstack(B: Any, tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """``np.hstack``."""
    only_defaults("hstack", casting=None if casting == "same_kind" else casting)
    values = [B.atleast_1d(v) for v in _lifted(B, tup, "hstack")]
    return _join(B, values, 0 if B.ndim(values[0]) == 1 else 1, dtype)


@function("numpy.dstack")
def dstack(B: Any, tup: Any) -> Any:
    """``np.dstack``."""
    return _join(B, [B.atleast_3d(v) for v in _lifted(B, tup, "dstack")], 2)


@function("numpy.column_stack")
def column_stack(B: Any, tup: Any) -> Any:
    """``np.column_stack``."""
    values = _lifted(B, tup, "column_stack")
    columns = [v if B.ndim(v) > 1 else B.transpose(B.atleast_2d(v)) for v in values]
    return _join(B, columns, 1)


@function("numpy.append")
def append(B: Any, arr: Any, values: Any, axis: Any = None) -> Any:
    """``np.append``."""
    if axis is None:
        return _join(B, [B.ravel(arr), B.ravel(values)], 0)
    return concatenate(B, (arr, values), axis)


@function("numpy.block")
def block(B: Any, arrays: Any) -> Any:
    """``np.block``: nested lists, the innermost joined along the last axis."""
    depth = _depth(arrays)
    if depth == 0:
        return B.lift(arrays)
    ndim = max(depth, _deepest_rank(B, arrays))
    return _block(B, arrays, 0, depth, ndim)


def _depth(arrays: Any) -> int:
    if not isinstance(arrays, list):
        if isinstance(arrays, tuple):
            raise TypeError("a tuple is no block: only lists can be used to arrange blocks")
        return 0
    if not arrays:
        raise ValueError("a list of blocks cannot be empty")
    depths = {_depth(a) for a in arrays}
    if len(depths) != 1:
        raise ValueError("list depths are mismatched: some blocks are nested deeper than others")
    return 1 + depths.pop()


def _deepest_rank(B: Any, arrays: Any) -> int:
    return max(_deepest_rank(B, a) for a in arrays) if isinstance(arrays, list) else B.ndim(B.lift(arrays))


def _block(B: Any, arrays: Any, level: int, depth: int, ndim: int) -> Any:
    if level == depth:
        value = B.lift(arrays)
        missing = ndim - B.ndim(value)
        return B.reshape(value, (1,) * missing + B.shape(value)) if missing else value
    return _join(B, [_block(B, a, level + 1, depth, ndim) for a in arrays], ndim - depth + level)


# ------------------------------------------------------------------------------------------------------------ repeating


@function("numpy.tile")
def tile(B: Any, A: Any, reps: Any) -> Any:
    """``np.tile``."""
    x = B.lift(A)
    counts = [as_integer(r, "a count of repetitions") for r in (reps if isinstance(reps, (tuple, list)) else (reps,))]
    ndim = max(len(counts), B.ndim(x))
    counts = [1] * (ndim - len(counts)) + counts
    shape: Shape = (1,) * (ndim - B.ndim(x)) + B.shape(x)
    split = B.reshape(x, tuple(n for d in shape for n in (1, d)))
    repeated = B.broadcast_to(split, tuple(n for r, d in zip(counts, shape, strict=True) for n in (r, d)))
    return B.reshape(repeated, tuple(d * r for r, d in zip(counts, shape, strict=True)))


@function("numpy.repeat")
def repeat(B: Any, a: Any, repeats: Any, axis: Any = None) -> Any:
    """``np.repeat``."""
    x = B.lift(a)
    if axis is None:
        x, axis = flat(B, x), 0
    k = normalize_axis(axis, B.ndim(x))
    shape: Shape = B.shape(x)
    counts = B.known(B.lift(repeats)) if is_graph_value(repeats) else np.asarray(repeats)
    if counts.dtype.kind not in "iub":
        raise TypeError(f"repeats must be integers, got {counts.dtype}")
    if (counts < 0).any():
        raise ValueError("repeats may not contain negative values.")
    if counts.size == 1:
        r = int(counts.reshape(()))
        long = B.broadcast_to(B.expand_dims(x, k + 1), (*shape[: k + 1], r, *shape[k + 1 :]))
        return B.reshape(long, (*shape[:k], shape[k] * r, *shape[k + 1 :]))
    if counts.ndim != 1 or counts.size != shape[k]:
        raise ShapeError(
            f"operands could not be broadcast together with shape ({shape[k]},) {counts.shape}: "
            "one count or one per element is wanted"
        )
    return B.take(x, np.repeat(np.arange(counts.size), counts), axis=k)
