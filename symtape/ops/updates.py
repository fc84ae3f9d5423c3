"""``x.at[index].set(v)`` and its kin: copies of an array with some elements replaced, as if in place.

Indices are all that NumPy takes. Ints and slices become ``set_slice`` and ``embed``, arrays become scatters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symtape.errors import DTypeError, ShapeError
from symtape.graph.node import Array
from symtape.graph.shapes import Length, Shape, broadcast_two, size
from symtape.ops.boxes import Basic, basic_shape, whole
from symtape.ops.gathers import index_values
from symtape.ops.places import flat_positions
from symtape.ops.registry import function
from symtape.ops.scatter import names_a_place_twice
from symtape.ops.subscripts import Subscript, is_graph_value, parse

# ----------------------------------------------------------------------------------------------------- values that fit


def _fitted(B: Any, x: Any, value: Any, steps: Subscript) -> Any:
    """The value in the dtype of ``x`` and in the shape that the index selects, axes added by None taken away."""
    value = B.lift(value)
    if B.dtype(x).kind in "iub" and B.dtype(value).kind == "f":
        raise DTypeError(f"a value of {B.dtype(value)} would be cut to {B.dtype(x)}: convert x with .astype(float)")
    if B.dtype(value) != B.dtype(x):
        value = B.astype(value, B.dtype(x))
    wanted = steps.gathered if steps.shape is None else steps.shape
    given: Shape = B.shape(value)
    while len(given) > len(wanted) and given[0] == 1:  # NumPy drops leading axes of length 1 of what it assigns
        given = given[1:]
    try:
        fits = broadcast_two(given, wanted) == wanted
    except ShapeError:
        fits = False
    if not fits:
        raise ShapeError(f"could not broadcast a value of shape {B.shape(value)} into the selected shape {wanted}")
    if given != B.shape(value):
        value = B.reshape(value, given)
    if given != wanted:
        value = B.broadcast_to(value, wanted)
    return value if wanted == steps.gathered else B.reshape(value, steps.gathered)


def _box(B: Any, x: Any, steps: Subscript) -> Basic:
    return steps.basic if steps.basic is not None else tuple(whole(n) for n in B.shape(x))


def _through_mask(B: Any, x: Any, index: Any, value: Any, new: Callable[[Any], Any]) -> Any:
    """``where(index, new(value), x)`` for a boolean value of the shape of ``x`` and a scalar: no place is computed."""
    if is_graph_value(index) and not isinstance(value, (list, tuple)):
        mask = B.lift(index)
        if B.dtype(mask).kind == "b" and B.shape(mask) == B.shape(x) and B.ndim(B.lift(value)) == 0:
            return B.where(mask, new(_fitted(B, x, value, parse(B, (), ()))), x)
    return None


# --------------------------------------------------------------------------------------------------------- set and add


@function()
def index_get(B: Any, x: Any, index: Any) -> Any:
    """``x.at[index].get()``: ``x[index]``."""
    return B.getitem(x, index)


@function()
def index_set(B: Any, x: Any, index: Any, value: Any) -> Any:
    """``x.at[index].set(value)``: ``x`` as ``x[index] = value`` would leave it; the last of several values wins."""
    x = B.lift(x)
    masked = _through_mask(B, x, index, value, lambda v: v)
    if masked is not None:
        return masked
    steps = parse(B, B.shape(x), index)
    value = _fitted(B, x, value, steps)
    if steps.widened is not None:
        return B.reshape(_set(B, B.reshape(x, steps.widened), steps, value), B.shape(x))
    return _set(B, x, steps, value)


def _set(B: Any, x: Any, steps: Subscript, value: Any) -> Any:
    if not steps.arrays:
        return B.set_slice(x, value, _box(B, x, steps))
    if steps.basic is None:
        return B.scatter_set(x, value, steps.arrays, steps.axes, steps.at)
    part = B.scatter_set(B.slice_box(x, steps.basic), value, steps.arrays, steps.axes, steps.at)
    return B.set_slice(x, part, steps.basic)


@function()
def index_add(B: Any, x: Any, index: Any, value: Any) -> Any:
    """``x.at[index].add(value)``; values for one place add up, as with ``np.add.at``."""
    x = B.lift(x)
    masked = _through_mask(B, x, index, value, lambda v: B.add(x, v))
    if masked is not None:
        return masked
    steps = parse(B, B.shape(x), index)
    value = _fitted(B, x, value, steps)
    shape: Shape = B.shape(x) if steps.widened is None else steps.widened
    if steps.arrays:
        inner = shape if steps.basic is None else basic_shape(steps.basic)
        value = B.scatter_add(value, steps.arrays, steps.axes, steps.at, inner)
    if steps.basic is not None or not steps.arrays:
        box = tuple(whole(n) for n in shape) if steps.basic is None else steps.basic
        value = B.embed((value,), (box,), shape)
    return B.add(x, value if steps.widened is None else B.reshape(value, B.shape(x)))


# ------------------------------------------------------------------------------------------------------- other updates


@function()
def index_apply(B: Any, x: Any, index: Any, f: Callable[..., Any], *operands: Any) -> Any:
    """``x.at[index].apply(f)``: the selected elements become ``f(elements, *operands)``, as ``ufunc.at`` does it.

    A place that the index names several times is worked on as often, in order.

    Raises
    ------
    TypeError
        If the index depends on the graph, so that it is not known now whether it names a place twice.
    """
    x = B.lift(x)
    steps = parse(B, B.shape(x), index)
    values = [_fitted(B, x, v, steps) for v in operands]
    if steps.widened is not None:
        return B.reshape(_update(B, B.reshape(x, steps.widened), steps, f, values), B.shape(x))
    return _update(B, x, steps, f, values)


def _update(B: Any, x: Any, steps: Subscript, f: Callable[..., Any], values: Sequence[Any]) -> Any:
    if not steps.arrays:
        box = _box(B, x, steps)
        return B.set_slice(x, _applied(B, x, f, B.slice_box(x, box), values), box)
    part = x if steps.basic is None else B.slice_box(x, steps.basic)
    part = _update_at_arrays(B, part, steps, f, values)
    return part if steps.basic is None else B.set_slice(x, part, steps.basic)


def _applied(B: Any, x: Any, f: Callable[..., Any], old: Any, values: Sequence[Any]) -> Any:
    new = B.lift(f(old, *values))
    if B.shape(new) != B.shape(old):
        raise ShapeError(f"the function made elements of shape {B.shape(new)} out of {B.shape(old)}; wanted the same")
    if B.dtype(x).kind in "iub" and B.dtype(new).kind == "f":
        raise DTypeError(f"results of {B.dtype(new)} would be cut to {B.dtype(x)}: convert x with .astype(float)")
    return new if B.dtype(new) == B.dtype(x) else B.astype(new, B.dtype(x))


def _update_at_arrays(B: Any, x: Any, steps: Subscript, f: Callable[..., Any], values: Sequence[Any]) -> Any:
    axes, at = steps.axes, steps.at
    indices = index_values(B, steps.arrays, axes, B.shape(x))
    if not names_a_place_twice(B, indices, axes, B.shape(x)):
        return B.scatter_set(x, _applied(B, x, f, B.gather(x, indices, axes, at), values), indices, axes, at)
    lengths = tuple(n for n in (B.shape(x)[k] for k in axes) if isinstance(n, int))
    if not all(isinstance(i, np.ndarray) for i in steps.arrays) or len(lengths) < len(axes):
        raise TypeError(
            "the index depends on a value and may name a place twice, so the order of work is not known while "
            "recording; use .set or .add, or an index that is an array"
        )
    arrays = np.broadcast_arrays(*steps.arrays)
    count = arrays[0].ndim
    lined = [_lined(B, v, at, count) for v in values]
    for chosen in _turns(arrays, lengths):  # in each turn no place occurs twice
        own = [a.reshape(-1)[chosen] for a in arrays]
        part = [B.take(v, chosen, axis=at) for v in lined]
        x = B.scatter_set(x, _applied(B, x, f, B.gather(x, own, axes, at), part), own, axes, at)
    return x


def _lined(B: Any, value: Any, at: int, count: int) -> Any:
    """The axes of the index arrays as one."""
    shape: Shape = B.shape(value)
    if count == 1:
        return value
    together: Length = size(shape[at : at + count])
    return B.reshape(value, (*shape[:at], together, *shape[at + count :]))


def _turns(arrays: Sequence[Array], lengths: tuple[int, ...]) -> list[Array]:
    """Positions in the flattened index, grouped by how often their place has occurred before."""
    places = flat_positions(arrays, tuple(range(len(lengths))), 0, lengths).reshape(-1)
    order = np.argsort(places, kind="stable")
    ranked = places[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    occurrence = np.empty(places.size, np.intp)
    occurrence[order] = np.arange(places.size) - np.repeat(starts, np.diff(np.r_[starts, places.size]))
    return [np.flatnonzero(occurrence == k) for k in range(int(occurrence.max()) + 1)]


def _updating(name: str, ufunc: str) -> Callable[..., Any]:
    @function(name=f"index_{name}")
    def update(B: Any, x: Any, index: Any, value: Any) -> Any:
        x = B.lift(x)
        combine = getattr(B, ufunc)
        masked = _through_mask(B, x, index, value, lambda v: combine(x, v))
        return index_apply(B, x, index, combine, value) if masked is None else masked

    update.__doc__ = f"``x.at[index].{name}(value)``; repeats itself where the index does, as ``np.{ufunc}.at``."
    return update


index_multiply = _updating("multiply", "multiply")
index_divide = _updating("divide", "divide")
index_power = _updating("power", "power")
index_min = _updating("min", "minimum")
index_max = _updating("max", "maximum")
