"""Arrays with elements put in, taken out, chosen by number or by condition, and the results of writing into a copy."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from symtape.graph.shapes import normalize_axes, normalize_axis
from symtape.ops import params as param
from symtape.ops.arguments import as_integer, only_defaults
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, structural
from symtape.ops.subscripts import is_graph_value

# ----------------------------------------------------------------------------------------------------- put in, take out


def _line(B: Any, arr: Any, axis: Any) -> tuple[Any, int, int]:
    """The array, the axis and its length; without an axis all elements as one line."""
    x = B.lift(arr)
    if axis is None:
        x, axis = (x if B.ndim(x) == 1 else B.ravel(x)), 0
    k = normalize_axis(axis, B.ndim(x))
    return x, k, operator.index(B.shape(x)[k])


def _places(B: Any, obj: Any, n: int, what: str) -> np.ndarray[Any, Any]:
    """Which places a slice, an int, a list or a mask means, as integers from 0 on."""
    if isinstance(obj, slice):
        return np.arange(n)[obj]
    known = B.known(B.lift(obj)) if is_graph_value(obj) else np.asarray(obj)
    if known.dtype.kind == "b":
        known = np.flatnonzero(known)
    if known.size == 0:
        known = known.astype(np.intp)
    if known.dtype.kind not in "iu":
        raise IndexError(f"{what} must be integers, booleans or a slice, got {known.dtype}")
    return known.astype(np.intp)


@function("numpy.delete")
def delete(B: Any, arr: Any, obj: Any, axis: Any = None) -> Any:
    """``np.delete``."""
    x, k, n = _line(B, arr, axis)
    gone = _places(B, obj, n, "what to delete")
    if gone.size and (gone.min() < -n or gone.max() >= n):
        raise IndexError(f"index {gone} is out of bounds for axis {k} with size {n}")
    stay = np.ones(n, bool)
    stay[gone] = False
    return B.take(x, np.flatnonzero(stay), axis=k)


@function("numpy.insert")
def insert(B: Any, arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    """``np.insert``."""
    x, k, n = _line(B, arr, axis)
    scalar = not isinstance(obj, slice) and np.ndim(obj) == 0
    before = np.atleast_1d(_places(B, obj, n, "where to insert"))
    if before.size and (before.min() < -n or before.max() > n):
        raise IndexError(f"index {before} is out of bounds for axis {k} with size {n}")
    before = np.where(before < 0, before + n, before)
    added = B.lift(values)
    added = added if B.dtype(added) == B.dtype(x) else B.astype(added, B.dtype(x))
    shape = B.shape(x)
    if before.size == 1:
        missing = B.ndim(x) - B.ndim(added)
        if missing > 0:
            added = B.reshape(added, (*[1] * missing, *B.shape(added)))
        if scalar:
            added = B.moveaxis(added, 0, k)
        count = B.shape(added)[k] if B.ndim(x) == 1 or scalar or B.shape(added)[k] != 1 else 1
        before = np.repeat(before, operator.index(count))
    new = before.size
    added = B.broadcast_to(added, (*shape[:k], new, *shape[k + 1 :]))
    order = np.argsort(before, kind="stable")
    where = np.empty(new, np.intp)
    where[order] = before[order] + np.arange(new)
    source = np.full(n + new, -1, np.intp)
    source[where] = n + np.arange(new)
    source[source < 0] = np.arange(n)
    return B.take(B.concatenate((x, added), axis=k), source, axis=k)


@function("numpy.trim_zeros")
def trim_zeros(B: Any, filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    """``np.trim_zeros``; which elements are zero is asked of their values (a guard)."""
    ends = trim.lower()
    if ends not in ("fb", "bf", "f", "b"):
        raise ValueError(f"unexpected character(s) in `trim`: {trim!r}")
    x = B.lift(filt)
    there = B.not_equal(x, 0)
    kept: list[slice] = [slice(None)] * B.ndim(x)
    for k in normalize_axes(axis, B.ndim(x)):
        others = tuple(j for j in range(B.ndim(x)) if j != k)
        filled = np.flatnonzero(B.known(B.any(there, axis=others) if others else there))
        if filled.size == 0:
            kept[k] = slice(0, 0)
        else:
            kept[k] = slice(int(filled[0]) if "f" in ends else None, int(filled[-1]) + 1 if "b" in ends else None)
    return B.getitem(x, tuple(kept))


@function("numpy.resize")
def resize(B: Any, a: Any, new_shape: Any) -> Any:
    """``np.resize``: the elements over and over until the shape is full."""
    x = B.ravel(a)
    given = new_shape if isinstance(new_shape, (tuple, list)) else (new_shape,)
    shape = tuple(as_integer(n, "a length") for n in given)
    if any(n < 0 for n in shape):
        raise ValueError("all elements of `new_shape` must be non-negative")
    n = operator.index(B.shape(x)[0])
    if n == 0:
        return B.zeros(shape, B.dtype(x))
    return B.take(x, (np.arange(int(np.prod(shape))) % n).reshape(shape))


@function("numpy.unstack")
def unstack(B: Any, x: Any, /, *, axis: int = 0) -> Any:
    """``np.unstack``: the parts along an axis."""
    value = B.lift(x)
    if B.ndim(value) == 0:
        raise ValueError("Input array must be at least 1-d.")
    k = normalize_axis(axis, B.ndim(value))
    lead = (slice(None),) * k
    return tuple(B.getitem(value, (*lead, j)) for j in range(operator.index(B.shape(value)[k])))


def _strides(shape: Any, order: str) -> tuple[tuple[int, ...], list[int]]:
    """Lengths, and how many elements one step along each axis is."""
    lengths = tuple(as_integer(n, "a length") for n in (shape if isinstance(shape, (tuple, list)) else (shape,)))
    if order not in ("C", "F"):
        raise ValueError(f"order must be one of 'C' or 'F' (got {order!r})")
    steps = [1]
    for n in lengths[:-1] if order == "F" else reversed(lengths[1:]):
        steps.append(steps[-1] * n)
    return lengths, steps if order == "F" else steps[::-1]


def _inside(x: Any, n: int) -> Any:
    outside = np.less(x, 0) | np.greater_equal(x, n)
    if np.any(outside):
        raise ValueError(f"index {int(np.asarray(x)[outside].flat[0])} is out of bounds for array with size {n}")
    return x


#: Places from 0 up to a length, as they come: any other is NumPy's error when the value is asked for.
INSIDE: Op = structural(
    "inside",
    Kind.LIBRARY,
    _inside,
    lambda inputs, n: (inputs[0].shape, inputs[0].dtype),
    batch=lambda B, inputs, batched, n: B.build(INSIDE, inputs, (n,)),
    differentiable=False,
    params=(param.length,),
)


@function("numpy.unravel_index")
def unravel_index(B: Any, indices: Any, shape: Any, order: str = "C") -> tuple[Any, ...]:
    """``np.unravel_index``; a place outside is NumPy's ValueError, when the value is asked for."""
    place = B.lift(indices)
    if B.dtype(place).kind not in "iu":
        raise TypeError(f"only int indices permitted, got {B.dtype(place)}")
    lengths, steps = _strides(shape, order)
    place = B.build(INSIDE, (place,), (math.prod(lengths),))
    return tuple(B.remainder(B.floor_divide(place, step), n) for n, step in zip(lengths, steps, strict=True))


@function("numpy.ravel_multi_index")
def ravel_multi_index(B: Any, multi_index: Any, dims: Any, mode: Any = "raise", order: str = "C") -> Any:
    """``np.ravel_multi_index``; a place outside is NumPy's ValueError, when the value is asked for."""
    lengths, steps = _strides(dims, order)
    modes = mode if isinstance(mode, tuple) else (mode,) * len(lengths)
    total: Any = B.const(np.zeros((), np.intp))
    for one, n, step, how in zip(multi_index, lengths, steps, modes, strict=True):
        place = B.lift(one)
        if how == "wrap":
            place = B.remainder(place, n)
        elif how == "clip":
            place = B.clip(place, 0, n - 1)
        elif how == "raise":
            place = B.build(INSIDE, (place,), (n,))
        else:
            raise ValueError(f"clipmode must be one of 'clip', 'raise', or 'wrap' (got {how!r})")
        total = B.add(total, B.multiply(place, step))
    return total


# ----------------------------------------------------------------------------------------- choices by number, condition


@function("numpy.choose")
def choose(B: Any, a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    """``np.choose``; no gradient flows into the numbers that choose."""
    only_defaults("choose", out=out)
    if mode not in ("raise", "wrap", "clip"):
        raise ValueError(f"clipmode must be one of 'clip', 'raise', or 'wrap' (got {mode!r})")
    options = [B.getitem(B.lift(choices), k) for k in range(len(choices))] if is_graph_value(choices) else choices
    weak = [c if type(c) in (bool, int, float) else B.dtype(B.lift(c)) for c in options]
    kind = np.result_type(*weak)
    values = [B.lift(c) for c in options]
    parts = B.broadcast_arrays(B.lift(a), *[v if B.dtype(v) == kind else B.astype(v, kind) for v in values])
    number, stacked = parts[0], B.stack(parts[1:])
    if B.dtype(number).kind not in "iub":
        raise TypeError(f"the numbers that choose must be integers, got {B.dtype(number)}")
    count = len(parts) - 1
    if mode == "wrap":
        number = B.remainder(B.astype(number, np.intp), count)
    elif mode == "clip":
        number = B.clip(B.astype(number, np.intp), 0, count - 1)
    return B.getitem(B.take_along_axis(stacked, B.expand_dims(number, 0), 0), 0)


def _conditions(B: Any, value: Any, condlist: Any) -> list[Any]:
    """Several conditions, or one that stands without a list around it."""
    if is_graph_value(condlist):
        together = B.lift(condlist)
        if B.ndim(together) <= B.ndim(value):
            return [together]
        return [B.getitem(together, k) for k in range(operator.index(B.shape(together)[0]))]
    if isinstance(condlist, np.ndarray):
        return list(condlist) if condlist.ndim > B.ndim(value) else [condlist]
    if isinstance(condlist, (list, tuple)) and len(condlist) > 0:
        alone = B.ndim(value) > 0 and isinstance(condlist[0], (bool, np.bool_))
        return [condlist] if alone else list(condlist)
    return [condlist]


@function("numpy.piecewise")
def piecewise(B: Any, x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """``np.piecewise``: each function works on the whole array, and from where it was not chosen comes no gradient."""
    value = B.lift(x)
    conditions = _conditions(B, value, condlist)
    if len(funclist) not in (len(conditions), len(conditions) + 1):
        raise ValueError(
            f"with {len(conditions)} condition(s), either {len(conditions)} or {len(conditions) + 1} functions are "
            "expected"
        )

    def piece(f: Any) -> Any:
        part = B.lift(f(value, *args, **kw) if callable(f) else f)
        return part if B.dtype(part) == B.dtype(value) else B.astype(part, B.dtype(value))

    rest = funclist[len(conditions)] if len(funclist) > len(conditions) else 0
    result = B.broadcast_to(piece(rest), B.shape(value))
    for condition, f in zip(conditions, funclist, strict=False):
        result = B.where(B.astype(B.lift(condition), np.bool_), piece(f), result)
    return result


# ----------------------------------------------------------------------------- results of functions that write in place
# What NumPy writes into its first argument, as a new value: an array that may be filled takes it.


@function()
def with_along_axis(B: Any, arr: Any, indices: Any, values: Any, axis: Any = -1) -> Any:
    """What ``np.put_along_axis`` leaves in its first argument."""
    x = B.lift(arr)
    shape = B.shape(x)
    if axis is None:
        x, axis = B.ravel(x), 0
    ndim = B.ndim(x)
    k = normalize_axis(axis, ndim)
    index = B.lift(indices) if is_graph_value(indices) else np.asarray(indices)
    if index.ndim != ndim:
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    along = [B.reshape(B.positions(x, j), tuple(-1 if i == j else 1 for i in range(ndim))) for j in range(ndim)]
    place = tuple(index if j == k else along[j] for j in range(ndim))
    return B.reshape(B.index_set(x, place, values), shape)


@function()
def with_diagonal(B: Any, a: Any, val: Any, wrap: bool = False) -> Any:
    """What ``np.fill_diagonal`` leaves in its first argument."""
    x = B.lift(a)
    shape = tuple(operator.index(n) for n in B.shape(x))
    if len(shape) < 2:
        raise ValueError("array must be at least 2-d")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise ValueError("All dimensions of input must be of equal length")
    step = shape[1] + 1 if len(shape) == 2 else 1 + int(np.cumprod(shape[:-1]).sum())
    end = None if wrap or len(shape) > 2 else shape[1] * shape[1]
    places = np.arange(int(np.prod(shape)))[:end:step]
    return B.reshape(B.index_set(B.ravel(x), places, _repeated(B, val, places.size)), shape)


def _repeated(B: Any, values: Any, count: int) -> Any:
    """Values over and over until there are as many as places."""
    v = B.ravel(values)
    n = operator.index(B.shape(v)[0])
    if n == count or n == 1:
        return v
    if n == 0:
        raise ValueError("Cannot insert from an empty array!")
    return B.take(v, np.arange(count) % n)


@function()
def with_put(B: Any, a: Any, ind: Any, v: Any, mode: str = "raise") -> Any:
    """What ``np.put`` leaves in its first argument."""
    x = B.lift(a)
    n = _size(B, x)
    places = np.ravel(_places(B, ind, n, "places"))
    if mode == "wrap":
        places = places % n
    elif mode == "clip":
        places = np.clip(places, 0, n - 1)
    return B.reshape(B.index_set(B.ravel(x), places, _repeated(B, v, places.size)), B.shape(x))


def _size(B: Any, x: Any) -> int:
    return int(np.prod([operator.index(n) for n in B.shape(x)]))


@function()
def with_mask(B: Any, a: Any, mask: Any, values: Any) -> Any:
    """What ``np.putmask`` leaves in its first argument: the values repeat along the whole array."""
    x = B.lift(a)
    spread = B.reshape(_repeated(B, values, _size(B, x)), (-1,))
    spread = B.broadcast_to(spread, (_size(B, x),))
    chosen = B.astype(B.ravel(mask), np.bool_)
    new = B.where(chosen, _as(B, spread, x), B.ravel(x))
    return B.reshape(new, B.shape(x))


@function()
def with_placed(B: Any, arr: Any, mask: Any, vals: Any) -> Any:
    """What ``np.place`` leaves in its first argument: one value after the other goes where the mask holds."""
    x = B.lift(arr)
    known = B.known(B.lift(mask)) if is_graph_value(mask) else np.asarray(mask)
    places = np.flatnonzero(known)
    return B.reshape(B.index_set(B.ravel(x), places, _repeated(B, vals, places.size)), B.shape(x))


@function()
def with_copied(B: Any, dst: Any, src: Any, where: Any = True) -> Any:
    """What ``np.copyto`` leaves in its first argument."""
    x = B.lift(dst)
    new = B.broadcast_to(_as(B, B.lift(src), x), B.shape(x))
    return new if where is True else B.where(where, new, x)


def _as(B: Any, value: Any, x: Any) -> Any:
    return value if B.dtype(value) == B.dtype(x) else B.astype(value, B.dtype(x))
