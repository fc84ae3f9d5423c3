"""Reading at computed places: index arrays, `take`, `take_along_axis`.

The op `gather` takes an array and integer arrays that broadcast against each other, one per indexed axis. Where their
common axes stand in the result is a parameter, so every mixture that NumPy allows is one gather. Its vjp is
``scatter_add``, whose vjp is a gather again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.node import Array
from symtape.graph.shapes import Dim, Shape, normalize_axis
from symtape.ops import params as param
from symtape.ops.arguments import as_integer, only_defaults
from symtape.ops.element import Gather, IndexLike, IndexValue, Read
from symtape.ops.op import Kind, Op
from symtape.ops.places import checked, common_shape
from symtape.ops.registry import function, structural
from symtape.ops.subscripts import is_graph_value

# -------------------------------------------------------------------------------------------------------------- the op


def rest_axes(ndim: int, axes: tuple[int, ...]) -> tuple[int, ...]:
    """The axes that no array indexes."""
    return tuple(k for k in range(ndim) if k not in axes)


def gathered_shape(shape: Shape, indices: Sequence[Shape], axes: tuple[int, ...], at: int) -> Shape:
    """The shape of a gather's result."""
    rest = tuple(shape[k] for k in rest_axes(len(shape), axes))
    if at > len(rest) or len(axes) != len(indices):
        raise ShapeError(f"{len(indices)} index arrays for the axes {axes}, put at {at}, do not fit the shape {shape}")
    return (*rest[:at], *common_shape(indices), *rest[at:])


def _gather_value(x: Array, *arguments: Any) -> Any:
    *indices, axes, at = arguments
    if len(axes) == 1 and at == axes[0]:
        return x.take(indices[0], axis=at)
    if axes == tuple(range(at, at + len(axes))):
        return x[(*[slice(None)] * at, *indices)]
    moved = x.transpose(axes + rest_axes(x.ndim, axes))[tuple(indices)]
    count = moved.ndim - (x.ndim - len(axes))
    return np.moveaxis(moved, range(count), range(at, at + count))


def _gather_infer(inputs: Any, axes: tuple[int, ...], at: int) -> tuple[Shape, Any]:
    x, *indices = inputs
    return gathered_shape(x.shape, [i.shape for i in indices], axes, at), x.dtype


def _gather_vjp(B: Any, i: int, g: Any, y: Any, x: Any, *rest: Any) -> Any:
    *indices, axes, at = rest
    return B.scatter_add(g, indices, axes, at, B.shape(x)) if i == 0 else None


def gather_places(at: Sequence[IndexLike], inputs: Any, axes: tuple[int, ...], place: int) -> tuple[IndexLike, ...]:
    """Element rule: where in the array the element of the result stands. The index arrays are inputs 1, 2, ..."""
    x, *indices = inputs
    count = max(len(i.shape) for i in indices)
    common, rest = at[place : place + count], iter((*at[:place], *at[place + count :]))
    chosen = {}
    for k, (axis, i) in enumerate(zip(axes, indices, strict=True)):
        own = common[count - len(i.shape) :]
        chosen[axis] = Gather(
            1 + k, tuple(0 if n == 1 else j for n, j in zip(i.shape, own, strict=True)), x.shape[axis]
        )
    return tuple(chosen[k] if k in chosen else next(rest) for k in range(len(x.shape)))


def align_batched(B: Any, indices: Sequence[Any], batched: Sequence[bool]) -> tuple[Any, int]:
    """Index arrays over a leading batch axis, lined up to broadcast, and the number of their own common axes."""
    ranks = [B.ndim(i) - is_batched for i, is_batched in zip(indices, batched, strict=True)]
    count = max(ranks)
    aligned = []
    for i, rank, is_batched in zip(indices, ranks, batched, strict=True):
        if is_batched and rank < count:
            n, *own = B.shape(i)
            i = B.reshape(i, (n, *[1] * (count - rank), *own))  # noqa: PLW2901 (the same array, lined up)
        aligned.append(i)
    return aligned, count


def own_row(B: Any, x: Any, count: int) -> Any:
    """For each element of a batch its own number, lined up with ``count`` axes of index arrays."""
    rows = B.positions(x, 0)
    return B.reshape(rows, (*B.shape(rows), *[1] * count))


def _gather_batch(B: Any, inputs: Any, batched: Any, axes: tuple[int, ...], at: int) -> Any:
    x, *indices = inputs
    shifted = tuple(a + 1 for a in axes)
    if not any(batched[1:]):
        return B.build(GATHER, inputs, (shifted, at + 1))
    aligned, count = align_batched(B, indices, batched[1:])
    if batched[0]:
        y = B.build(GATHER, (x, own_row(B, x, count), *aligned), ((0, *shifted), 0))
        return B.moveaxis(y, list(range(1, 1 + count)), list(range(1 + at, 1 + at + count))) if at else y
    y = B.build(GATHER, (x, *aligned), (axes, at))
    return B.moveaxis(y, at, 0) if at else y


GATHER: Op = structural(
    "gather",
    Kind.INDEXED,
    _gather_value,
    _gather_infer,
    vjp=_gather_vjp,
    batch=_gather_batch,
    element=lambda at, inputs, axes, place: Read(0, gather_places(at, inputs, axes, place)),
    masks=True,
    adds=True,
    params=(param.axes, param.new_axis),
)

POSITIONS: Op = structural(
    "positions",
    Kind.INDEXED,
    lambda x, axis: np.arange(x.shape[axis]),
    lambda inputs, axis: ((inputs[0].shape[axis],), np.dtype(np.intp)),
    batch=lambda B, inputs, batched, axis: B.broadcast_to(
        B.build(POSITIONS, inputs, (axis + 1,)), (B.shape(inputs[0])[0], B.shape(inputs[0])[axis + 1])
    ),
    element=lambda at, inputs, axis: IndexValue(at[0]),
    differentiable=False,
    params=(param.axis,),
)

# ----------------------------------------------------------------------------------------------------------- functions


@function()
def positions(B: Any, x: Any, axis: int) -> Any:
    """0, 1, 2, ... along an axis: a constant, or a value that waits for a named length to get its number."""
    n = B.shape(x)[axis]
    return B.build(POSITIONS, (x,), (axis,)) if isinstance(n, Dim) else B.const(np.arange(n))


@function()
def gather(B: Any, x: Any, indices: Sequence[Any], axes: tuple[int, ...], at: int) -> Any:
    """Elements at index arrays, one per axis of ``axes``; their common axes stand at axis ``at`` of the result."""
    x = B.lift(x)
    return B.build(GATHER, (x, *index_values(B, indices, axes, B.shape(x))), (axes, at))


def index_values(B: Any, indices: Sequence[Any], axes: tuple[int, ...], shape: Shape) -> list[Any]:
    """Index arrays as values; those that are known now are checked now."""
    return [
        B.lift(i) if is_graph_value(i) else B.const(checked(i, axis, shape[axis]))
        for i, axis in zip(indices, axes, strict=True)
    ]


def flat(B: Any, x: Any) -> Any:
    """The elements along one axis; a vector as it is."""
    return x if B.ndim(x) == 1 else B.ravel(x)


_MODES = ("raise", "wrap", "clip")


def _as_index(B: Any, indices: Any) -> Any:
    """Integer indices: an ndarray if they are known, else a value."""
    if not is_graph_value(indices):
        array = np.asarray(indices)
        if array.dtype != object:
            if array.size == 0:
                array = array.astype(np.intp)
            if array.dtype.kind not in "iub":
                raise TypeError(f"indices must be integers, got {array.dtype}; convert them with .astype(int)")
            return array.astype(np.intp)
    value = B.lift(indices)
    if B.dtype(value).kind not in "iub":
        raise TypeError(f"indices must be integers, got {B.dtype(value)}; convert them with .astype(int)")
    return B.astype(value, np.intp) if B.dtype(value).kind == "b" else value


@function("numpy.take")
def take(B: Any, a: Any, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Any:
    """``np.take``."""
    only_defaults("take", out=out)
    if mode not in _MODES:
        raise ValueError(f"clipmode must be one of 'clip', 'raise', or 'wrap' (got {mode!r})")
    x = B.lift(a)
    if axis is None:
        x, axis = flat(B, x), 0
    axis = normalize_axis(axis, B.ndim(x))
    index = _as_index(B, indices)
    n = B.shape(x)[axis]
    if mode != "raise":
        known = isinstance(index, np.ndarray) and not isinstance(n, Dim)
        if n == 0 and not (known and index.size == 0):
            raise IndexError("cannot do a non-empty take from an empty axes.")
        if known:
            index = index % n if mode == "wrap" else np.clip(index, 0, n - 1)
        else:
            length = B.length(x, (axis,), np.intp)
            if mode == "wrap":
                index = B.remainder(index, length)
            else:
                index = B.minimum(B.maximum(index, 0), B.subtract(length, 1))
    return gather(B, x, (index,), (axis,), axis)


@function("numpy.take_along_axis")
def take_along_axis(B: Any, arr: Any, indices: Any, axis: Any = -1) -> Any:
    """``np.take_along_axis``."""
    x = B.lift(arr)
    index = _as_index(B, indices)
    if axis is None:
        if (index.ndim if isinstance(index, np.ndarray) else B.ndim(index)) != 1:
            raise ValueError("when axis=None, `indices` must have a single dimension.")
        x, axis = flat(B, x), 0
    ndim = B.ndim(x)
    axis = normalize_axis(axis, ndim)
    if (index.ndim if isinstance(index, np.ndarray) else B.ndim(index)) != ndim:
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    along = [B.reshape(B.positions(x, k), tuple(-1 if j == k else 1 for j in range(ndim))) for k in range(ndim)]
    chosen = [index if k == axis else along[k] for k in range(ndim)]
    return gather(B, x, chosen, tuple(range(ndim)), 0)


@function("numpy.lib.stride_tricks.sliding_window_view")
def sliding_window_view(
    B: Any, x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    """``np.lib.stride_tricks.sliding_window_view``."""
    only_defaults("lib.stride_tricks.sliding_window_view", subok=subok, writeable=writeable)
    values = B.lift(x)
    lengths = tuple(window_shape) if isinstance(window_shape, (tuple, list)) else (window_shape,)
    lengths = tuple(as_integer(n, "a length in window_shape") for n in lengths)
    if any(n < 0 for n in lengths):
        raise ValueError("`window_shape` cannot contain negative values")
    given = range(B.ndim(values)) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = [normalize_axis(k, B.ndim(values)) for k in given]
    if len(axes) != len(lengths):
        raise ValueError(f"Must provide matching length window_shape and axis; got {window_shape} and {axis}")
    for k, length in zip(axes, lengths, strict=True):
        count = as_integer(B.shape(values)[k], "the length of the axis") - length + 1
        if count <= 0:
            raise ValueError("window shape cannot be larger than input array shape")
        windows = B.take(values, np.arange(count)[:, None] + np.arange(length), axis=k)
        values = B.moveaxis(windows, k + 1, -1)
    return values
