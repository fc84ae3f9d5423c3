"""What NumPy's square brackets mean: an index expression taken apart into the steps that the ops can do.

``x[index]`` becomes a basic index (an int or a slice for every axis), then a gather along the axes that arrays index,
then a reshape for the axes that ``None`` adds. Boolean arrays are turned into the integers at which they are True.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symtape.graph.node import CONST, Node
from symtape.graph.shapes import Dim, Length, Shape, size
from symtape.ops.boxes import Basic, Part, element_of, slice_of, whole
from symtape.ops.places import common_shape


@dataclass(frozen=True, slots=True)
class Mask:
    """A boolean value of the graph among the entries of an index."""

    value: Any
    shape: Shape


@dataclass(frozen=True, slots=True)
class Subscript:
    """The steps that an index expression stands for; a step that does nothing is None or empty.

    Attributes
    ----------
    widened : shape or None
        Reshape first: boolean scalars index an axis of length 1 that is not there yet, boolean values of the graph
        all their axes as one.
    basic : Basic or None
        Ints and slices.
    arrays : tuple
        Integer index arrays: ndarrays, or values of the graph.
    axes : tuple of int
        The axes that they index, after the basic step.
    at : int
        The axis of the gather's result at which the broadcast axes of the index arrays stand.
    gathered : shape
        The shape before the last step.
    shape : shape or None
        Reshape last: axes added by ``None``.
    """

    widened: Shape | None
    basic: Basic | None
    arrays: tuple[Any, ...]
    axes: tuple[int, ...]
    at: int
    gathered: Shape
    shape: Shape | None


# ----------------------------------------------------------------------------------------------------- the whole index

_NEW = object()  # the axis that None adds
_NOTHING = object()  # an ellipsis over no axes: as in NumPy it keeps the index arrays on its two sides apart


def is_graph_value(item: Any) -> bool:
    """Whether something stands for a node: a node itself, or a tensor."""
    return isinstance(item, Node) or isinstance(getattr(item, "node", None), Node)


def parse(B: Any, shape: Shape, index: Any) -> Subscript:
    """Take ``x[index]`` apart for an ``x`` of the given shape.

    Raises
    ------
    IndexError
        Where NumPy raises it.
    """
    entries = _entries(B, index if isinstance(index, tuple) else (index,))
    shape, entries, widened = _fill(B, shape, entries)
    arrays = [e for e in entries if _is_array(e)]
    if arrays and any(_shape_of(B, a) != () for a in arrays):
        # beside index arrays an int is an index array of shape ()
        entries = [np.asarray(e, np.intp) if isinstance(e, int) else e for e in entries]
    return _plan(B, shape, entries, widened)


def _is_array(entry: Any) -> bool:
    return isinstance(entry, np.ndarray) or is_graph_value(entry)


def _shape_of(B: Any, array: Any) -> Shape:
    return array.shape if isinstance(array, np.ndarray) else B.shape(array)  # type: ignore[no-any-return]


def _entries(B: Any, index: tuple[Any, ...]) -> list[Any]:
    """Ints, slices, `_NEW`, Ellipsis, integer ndarrays, boolean ndarrays, integer values."""
    return [_entry(B, item) for item in index]


def _entry(B: Any, item: Any) -> Any:
    if item is None:
        return _NEW
    if item is Ellipsis or isinstance(item, (slice, Dim)):
        return item
    if isinstance(item, (bool, np.bool_)):
        return np.asarray(item)
    if isinstance(item, (int, np.integer)):
        return int(item)
    if not is_graph_value(item):
        array = np.asarray(item)
        if array.dtype != object:
            if array.size == 0 and not isinstance(item, np.ndarray):
                array = array.astype(np.intp)  # an empty list indexes nothing
            if array.dtype.kind not in "iub":
                raise _wrong_kind(array.dtype)
            return int(array) if array.ndim == 0 and array.dtype.kind != "b" else array
    value = B.lift(item)
    if B.dtype(value).kind == "b":
        return B.known(value) if B.node(value).op is CONST else Mask(value, B.shape(value))
    if B.dtype(value).kind not in "iu":
        raise _wrong_kind(B.dtype(value))
    return value


def _wrong_kind(dtype: Any) -> IndexError:
    return IndexError(f"arrays used as indices must be of integer (or boolean) type, got {dtype}")


def _consumed(entry: Any) -> int:
    if entry is _NEW or entry is _NOTHING or entry is Ellipsis:
        return 0
    if isinstance(entry, Mask):
        return len(entry.shape)
    return entry.ndim if isinstance(entry, np.ndarray) and entry.dtype.kind == "b" else 1


def _fill(B: Any, shape: Shape, entries: list[Any]) -> tuple[Shape, list[Any], Shape | None]:
    """Write the ellipsis out and boolean arrays as integers; the shape in which these find axes of their own."""
    ellipses = [k for k, e in enumerate(entries) if e is Ellipsis]
    if len(ellipses) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    missing = len(shape) - sum(_consumed(e) for e in entries)
    if missing < 0:
        raise IndexError(
            f"too many indices for array: array is {len(shape)}-dimensional, but {len(shape) - missing} were indexed"
        )
    place = ellipses[0] if ellipses else len(entries)
    stand_in = [slice(None)] * missing if missing else [_NOTHING]
    filled: list[Any] = []
    lengths: list[Length] = []
    rest = list(shape)
    for entry in (*entries[:place], *stand_in, *entries[place + 1 :]):
        count = _consumed(entry)
        own, rest = rest[:count], rest[count:]
        mask = isinstance(entry, np.ndarray) and entry.dtype.kind == "b"
        if mask or isinstance(entry, Mask):
            _check_mask(entry.shape, own, len(shape) - len(rest) - count)
        if isinstance(entry, Mask):
            filled.append(B.true_positions(entry.value))
            own = [size(tuple(own))]
        elif mask:
            filled.extend(np.nonzero(entry if count else entry.reshape(1)))
            own = own or [1]
        else:
            filled.append(entry)
        lengths.extend(own)
    return tuple(lengths), filled, tuple(lengths) if tuple(lengths) != shape else None


def _check_mask(mask: Shape, shape: Sequence[Length], axis: int) -> None:
    for k, (n, m) in enumerate(zip(shape, mask, strict=True)):
        if isinstance(n, int) and isinstance(m, int) and n != m:
            raise IndexError(
                f"boolean index did not match indexed array along axis {axis + k}; size of axis is {n} "
                f"but size of corresponding boolean axis is {m}"
            )


def _plan(B: Any, shape: Shape, entries: list[Any], widened: Shape | None) -> Subscript:
    basic: list[Part] = []
    arrays: list[Any] = []
    axes: list[int] = []
    places: list[int] = []  # of the index arrays among the entries
    layout: list[Length] = []  # axes that slices and None leave
    before = 0  # how many of them stand before the first index array
    kept = 0  # axes that the basic step leaves
    axis = 0
    for place, entry in enumerate(entries):
        if entry is _NEW or entry is _NOTHING:
            layout.extend([1] if entry is _NEW else [])
            continue
        n = shape[axis]
        if _is_array(entry):
            if not arrays:
                before = len(layout)
            basic.append(whole(n))
            arrays.append(entry)
            axes.append(kept)
            places.append(place)
            kept += 1
        elif isinstance(entry, slice):
            part = slice_of(entry, n)
            basic.append(part)
            layout.append(part[1])  # type: ignore[index]
            kept += 1
        else:
            basic.append(element_of(entry, axis, n))
        axis += 1
    together = not places or places[-1] - places[0] == len(places) - 1
    common = common_shape([_shape_of(B, a) for a in arrays])
    first = before if together else 0
    final = (*layout[:first], *common, *layout[first:])
    added = [e is _NEW for e in entries]
    slices = [k for k, e in enumerate(entries) if isinstance(e, slice)]
    at = sum(k < places[0] for k in slices) if places and together else 0
    rest = tuple(p[1] for k, p in enumerate(p for p in basic if isinstance(p, tuple)) if k not in axes)
    gathered = (*rest[:at], *common, *rest[at:])
    trivial = all(p == whole(n) for p, n in zip(basic, shape, strict=True))
    return Subscript(
        widened=widened,
        basic=None if trivial and (arrays or any(added)) else tuple(basic),
        arrays=tuple(arrays),
        axes=tuple(axes),
        at=at,
        gathered=gathered,
        shape=final if any(added) else None,
    )
