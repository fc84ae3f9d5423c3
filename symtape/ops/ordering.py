"""Putting elements in order: sort, partition and the places that they give, search in what is sorted.

The order itself is an op without derivative; elements are read in it by a gather, so a sorted array has derivatives of
any order. Among equal elements the first one stands first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.node import Array, Node
from symtape.graph.shapes import Dim, Shape, kept, normalize_axes, normalize_axis, reduced, size
from symtape.ops import params as param
from symtape.ops.arguments import as_integer, is_missing, only_defaults
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, structural
from symtape.ops.subscripts import is_graph_value

# ------------------------------------------------------------------------------------------------------------- the ops


def _order_infer(inputs: Any, *_: Any) -> tuple[Shape, Any]:
    return inputs[0].shape, np.dtype(np.intp)


def _parted_infer(inputs: Any, kth: tuple[int, ...], axis: int) -> tuple[Shape, Any]:
    n = inputs[0].shape[axis]
    if isinstance(n, Dim) or (any(k >= n for k in kth) and 0 not in inputs[0].shape):
        raise ShapeError(f"there is no place {max(kth, default=0)} to part {n} elements at")
    return _order_infer(inputs)


ARGSORT: Op = structural(
    "argsort",
    Kind.LIBRARY,
    lambda x, axis, stable: np.argsort(x, axis, "stable" if stable else None),
    _order_infer,
    batch=lambda B, inputs, batched, axis, stable: B.build(ARGSORT, inputs, (axis + 1, stable)),
    differentiable=False,
    params=(param.axis, param.flag),
)

ARGPARTITION: Op = structural(
    "argpartition",
    Kind.LIBRARY,
    np.argpartition,
    _parted_infer,
    batch=lambda B, inputs, batched, kth, axis: B.build(ARGPARTITION, inputs, (kth, axis + 1)),
    differentiable=False,
    params=(param.places, param.axis),
)


def _as_partitioned(x: Array, kth: tuple[int, ...], axis: int) -> Array:
    """The order in which np.partition leaves the elements: argpartition may leave others."""
    parted = np.partition(x, kth, axis)
    result = np.empty(x.shape, np.intp)
    np.put_along_axis(result, np.argsort(parted, axis, "stable"), np.argsort(x, axis, "stable"), axis)
    return result


PARTITION_ORDER: Op = structural(
    "partition_order",
    Kind.LIBRARY,
    _as_partitioned,
    _parted_infer,
    batch=lambda B, inputs, batched, kth, axis: B.build(PARTITION_ORDER, inputs, (kth, axis + 1)),
    differentiable=False,
    params=(param.places, param.axis),
)

# ------------------------------------------------------------------------------------------------------- sort and kin


def _line(B: Any, a: Any, axis: Any) -> tuple[Any, int]:
    """The array and the axis to work along; without an axis all elements as one line."""
    x = B.lift(a)
    if axis is None or B.ndim(x) == 0:
        normalize_axis(0 if axis is None else axis, max(B.ndim(x), 1))
        return (x if B.ndim(x) == 1 else B.ravel(x)), 0
    return x, normalize_axis(axis, B.ndim(x))


def _no_fields(name: str, order: Any) -> None:
    only_defaults(name, order=order)


def _is_stable(kind: Any, stable: Any) -> bool:
    if kind not in (None, "quicksort", "mergesort", "heapsort", "stable"):
        raise ValueError(f"sort kind must be one of 'quick', 'heap', or 'stable' (got {kind!r})")
    return bool(stable) or kind in ("stable", "mergesort")


@function("numpy.sort")
def sort(B: Any, a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """``np.sort``: NaN last; of equal elements the first one comes first."""
    _no_fields("sort", order)
    _is_stable(kind, stable)
    if axis is not None and B.ndim(B.lift(a)) == 0:
        raise np.exceptions.AxisError(axis, 0)
    x, k = _line(B, a, axis)
    return B.take_along_axis(x, B.build(ARGSORT, (x,), (k, True)), k)


@function("numpy.argsort")
def argsort(B: Any, a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """``np.argsort``; no gradient flows through it."""
    _no_fields("argsort", order)
    x, k = _line(B, a, axis)
    return B.build(ARGSORT, (x,), (k, _is_stable(kind, stable)))


def _kth(B: Any, x: Any, kth: Any, axis: int) -> tuple[int, ...]:
    n = as_integer(B.shape(x)[axis], "the length of the axis")
    places = tuple(as_integer(k, "kth") for k in np.ravel(np.asarray(kth, dtype=object)))
    if 0 in B.shape(x):
        return (0,)  # NumPy looks at no place of an empty array
    for k in places:
        if not -n <= k < n:
            raise ValueError(f"kth(={k}) out of bounds ({n})")
    return tuple(sorted({k % n for k in places}))


@function("numpy.partition")
def partition(B: Any, a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None) -> Any:
    """``np.partition``."""
    _no_fields("partition", order)
    x, k = _line(B, a, axis)
    return B.take_along_axis(x, B.build(PARTITION_ORDER, (x,), (_kth(B, x, kth, k), k)), k)


@function("numpy.argpartition")
def argpartition(B: Any, a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None) -> Any:
    """``np.argpartition``; no gradient flows through it."""
    _no_fields("argpartition", order)
    x, k = _line(B, a, axis)
    return B.build(ARGPARTITION, (x,), (_kth(B, x, kth, k), k))


@function("numpy.lexsort")
def lexsort(B: Any, keys: Any, axis: int = -1) -> Any:
    """``np.lexsort``: by the last key, then by the one before it; no gradient flows through it."""
    columns = [B.lift(k) for k in keys]
    if not columns:
        raise TypeError("need sequence of keys with len > 0 in lexsort")
    ndim = B.ndim(columns[0])
    if ndim == 0:
        return B.const(np.zeros((), np.intp))
    k = normalize_axis(axis, ndim)
    order = B.build(ARGSORT, (columns[0],), (k, True))
    for column in columns[1:]:
        again = B.build(ARGSORT, (B.take_along_axis(column, order, k),), (k, True))
        order = B.take_along_axis(order, again, k)
    return order


# -------------------------------------------------------------------------------------------------- search and members


def _count_below(B: Any, name: str, nodes: Any, v: Any) -> Any:
    """For each value how many nodes it lies above: NaN lies above all."""
    at = B.expand_dims(v, -1)
    passed = getattr(B, name)(nodes, at)
    if B.dtype(at).kind == "f":
        passed = B.logical_or(passed, B.isnan(at) if name == "less_equal" else _above_numbers(B, at, nodes))
    return B.sum(passed, axis=-1)


def _above_numbers(B: Any, at: Any, nodes: Any) -> Any:
    missing = B.isnan(at)
    return missing if B.dtype(nodes).kind != "f" else B.logical_and(missing, B.logical_not(B.isnan(nodes)))


@function("numpy.searchsorted")
def searchsorted(B: Any, a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    """``np.searchsorted``: where values go in a sorted line; no gradient flows through it."""
    if side not in ("left", "right"):
        raise ValueError(f"search side must be 'left' or 'right' (got {side!r})")
    nodes = B.lift(a)
    if B.ndim(nodes) != 1:
        raise ShapeError(f"object too deep for desired array: a must have one axis, got shape {B.shape(nodes)}")
    if sorter is not None:
        nodes = B.take(nodes, sorter)
    return _count_below(B, "less" if side == "left" else "less_equal", nodes, B.lift(v))


def runs(B: Any, compare: str, given: Any, edges: Any) -> bool:
    """Whether each edge compares so with the one before it."""
    if not is_graph_value(given):
        array = np.asarray(given)
        return bool(getattr(np, compare)(array[1:], array[:-1]).all())
    ahead, behind = B.getitem(edges, slice(1, None)), B.getitem(edges, slice(None, -1))
    return bool(B.known(B.all(getattr(B, compare)(ahead, behind))))


@function("numpy.digitize")
def digitize(B: Any, x: Any, bins: Any, right: bool = False) -> Any:
    """``np.digitize``: the number of the bin that a value falls into; no gradient flows through it.

    Which way the edges run is asked of their values (a guard, where they are tensors).
    """
    edges, places = B.lift(bins), B.lift(x)
    if B.ndim(edges) != 1:
        raise ShapeError(f"object of too small depth for desired array: bins must have one axis, got {B.shape(edges)}")
    n = as_integer(B.shape(edges)[0], "the number of edges")
    if n < 2 or runs(B, "greater_equal", bins, edges):
        return _count_below(B, "less" if right else "less_equal", edges, places)
    if not runs(B, "less_equal", bins, edges):
        raise ValueError("bins must be monotonically increasing or decreasing")
    return B.subtract(n, _count_below(B, "less" if right else "less_equal", B.flip(edges), places))


@function("numpy.isin")
def isin(
    B: Any, element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, kind: Any = None
) -> Any:
    """``np.isin``: whether each element is among the others."""
    x, among = B.lift(element), B.ravel(test_elements)
    found = B.any(B.equal(B.expand_dims(x, -1), among), axis=-1)
    return B.logical_not(found) if invert else found


# ------------------------------------------------------------------------------------------------- extremes beside NaN


def _nan_place(x: Array, axis: int, largest: bool) -> Any:
    return (np.nanargmax if largest else np.nanargmin)(x, axis=axis)


def _nan_place_infer(inputs: tuple[Node], axis: int, largest: bool) -> tuple[Shape, Any]:
    (x,) = inputs
    if x.shape[axis] == 0:
        raise ShapeError(f"attempt to get {'argmax' if largest else 'argmin'} of an empty sequence")
    return reduced(x.shape, (axis,)), np.dtype(np.intp)


#: Its own op, since where all is NaN there is no place to tell, and NumPy raises.
NAN_PLACE: Op = structural(
    "nan_place",
    Kind.LIBRARY,
    _nan_place,
    _nan_place_infer,
    batch=lambda B, inputs, batched, axis, largest: B.build(NAN_PLACE, inputs, (axis + 1, largest)),
    differentiable=False,
    params=(param.axis, param.flag),
)


def _nan_argument(name: str, largest: bool) -> Callable[..., Any]:
    @function(f"numpy.nan{name}", name=f"nan{name}")
    def argument(B: Any, a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
        only_defaults(f"nan{name}", out=out)
        x = B.lift(a)
        if B.dtype(x).kind != "f" or B.ndim(x) == 0:
            return getattr(B, name)(x, axis=axis, keepdims=False if is_missing(keepdims) else keepdims)
        line, k = _line(B, x, axis)
        place = B.build(NAN_PLACE, (line,), (k, largest))
        if is_missing(keepdims) or not keepdims:
            return place
        return B.reshape(place, kept(B.shape(x), normalize_axes(axis, B.ndim(x))))

    argument.__doc__ = f"``np.nan{name}``; where all is NaN, its value is NumPy's ValueError."
    return argument


nanargmax = _nan_argument("argmax", True)
nanargmin = _nan_argument("argmin", False)


# ---------------------------------------------------------------------------------------------------- running extremes


def _extreme_places(x: Array, axis: int, largest: bool) -> Array:
    """For each element the place of the first extreme one (the first NaN, if any) up to it."""
    moved = np.moveaxis(x, axis, 0)
    result = np.zeros(moved.shape, np.intp)
    for k in range(1, moved.shape[0]):
        best = np.take_along_axis(moved, result[k - 1 : k], 0)[0]
        beats = (moved[k] > best) if largest else (moved[k] < best)
        if x.dtype.kind == "f":
            beats = (beats | np.isnan(moved[k])) & ~np.isnan(best)
        result[k] = np.where(beats, k, result[k - 1])
    return np.moveaxis(result, 0, axis)


RUNNING_EXTREMES: Op = structural(
    "running_extremes",
    Kind.LIBRARY,
    _extreme_places,
    _order_infer,
    batch=lambda B, inputs, batched, axis, largest: B.build(RUNNING_EXTREMES, inputs, (axis + 1, largest)),
    differentiable=False,
    params=(param.axis, param.flag),
)


def _running(ufunc: str, largest: bool) -> Callable[..., Any]:
    @function(f"numpy.{ufunc}.accumulate", name=f"{ufunc}_accumulate")
    def accumulate(B: Any, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
        only_defaults(f"{ufunc}.accumulate", out=out)
        x = B.lift(array) if dtype is None else B.astype(B.lift(array), dtype)
        k = normalize_axis(axis, B.ndim(x))
        if size(B.shape(x)) == 0:
            return x
        return B.take_along_axis(x, B.build(RUNNING_EXTREMES, (x,), (k, largest)), k)

    accumulate.__doc__ = f"``np.{ufunc}.accumulate``; of equal elements the first one counts."
    return accumulate


maximum_accumulate = _running("maximum", True)
minimum_accumulate = _running("minimum", False)
