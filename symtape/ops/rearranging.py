"""Reading an array in another order or in pieces: flip, roll, rot90, split. All of it is slices."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.shapes import Length, Shape, normalize_axes, normalize_axis
from symtape.ops.arguments import as_integer
from symtape.ops.boxes import Part, whole
from symtape.ops.registry import function
from symtape.ops.subscripts import is_graph_value

# --------------------------------------------------------------------------------------------------- flip, roll, rot90


@function("numpy.flip")
def flip(B: Any, m: Any, axis: Any = None) -> Any:
    """``np.flip``."""
    x = B.lift(m)
    axes = normalize_axes(axis, B.ndim(x))
    return B.slice_box(x, tuple((n - 1, n, -1) if k in axes and n != 0 else whole(n) for k, n in enumerate(B.shape(x))))


def _at_least(B: Any, m: Any, ndim: int) -> Any:
    x = B.lift(m)
    if B.ndim(x) < ndim:
        raise ShapeError(f"Input must be >= {ndim}-d, but it has shape {B.shape(x)}")
    return x


@function("numpy.fliplr")
def fliplr(B: Any, m: Any) -> Any:
    """``np.fliplr``."""
    return flip(B, _at_least(B, m, 2), 1)


@function("numpy.flipud")
def flipud(B: Any, m: Any) -> Any:
    """``np.flipud``."""
    return flip(B, _at_least(B, m, 1), 0)


@function("numpy.roll")
def roll(B: Any, a: Any, shift: Any, axis: Any = None) -> Any:
    """``np.roll``."""
    x = B.lift(a)
    if axis is None and B.ndim(x) == 1:
        axis = 0
    if axis is None:
        return B.reshape(roll(B, B.ravel(x), shift, 0), B.shape(x))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    shifts = shift if isinstance(shift, (tuple, list)) else (shift,)
    if len(axes) != len(shifts) and 1 not in (len(axes), len(shifts)):
        raise ValueError("'shift' and 'axis' should be scalars or 1D sequences of one length")
    count = max(len(axes), len(shifts))
    total: dict[int, int] = {}
    for s, k in zip(list(shifts) * (count // len(shifts)), list(axes) * (count // len(axes)), strict=True):
        place = normalize_axis(k, B.ndim(x))
        total[place] = total.get(place, 0) + as_integer(s, "shift")
    for place, s in total.items():
        x = _roll_one(B, x, s, place)
    return x


def _roll_one(B: Any, x: Any, shift: int, axis: int) -> Any:
    shape: Shape = B.shape(x)
    n = shape[axis]
    if isinstance(n, int):
        shift = shift % n if n else 0
    if shift == 0:
        return x
    tail, head = ((n - shift, shift), (0, n - shift)) if shift > 0 else ((-shift, n + shift), (0, -shift))
    return B.concatenate(
        [B.slice_box(x, _axis_box(shape, axis, start, length)) for start, length in (tail, head)], axis=axis
    )


def _axis_box(shape: Shape, axis: int, start: Length, length: Length) -> tuple[Part, ...]:
    return tuple((start, length, 1) if k == axis else whole(n) for k, n in enumerate(shape))


@function("numpy.rot90")
def rot90(B: Any, m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """``np.rot90``."""
    x = B.lift(m)
    if len(axes) != 2:
        raise ValueError("len(axes) must be 2.")
    i, j = (normalize_axis(a, B.ndim(x)) for a in axes)
    if i == j:
        raise ValueError("Axes must be different.")
    turns = as_integer(k, "k") % 4
    if turns == 0:
        return B.slice_box(x, tuple(whole(n) for n in B.shape(x)))
    if turns == 2:
        return flip(B, x, (i, j))
    return B.swapaxes(flip(B, x, j), i, j) if turns == 1 else flip(B, B.swapaxes(x, i, j), j)


# --------------------------------------------------------------------------------------------------------------- split


def _pieces(B: Any, x: Any, axis: int, bounds: Sequence[int]) -> list[Any]:
    """Slices between consecutive bounds, which behave as in ``x[a:b]``."""
    lead = (slice(None),) * axis
    ends = [*bounds, None]
    return [B.getitem(x, (*lead, slice(a, b))) for a, b in zip([0, *bounds], ends, strict=True)]


@function("numpy.array_split")
def array_split(B: Any, ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """``np.array_split``."""
    x = B.lift(ary)
    place = normalize_axis(axis, B.ndim(x))
    if is_graph_value(indices_or_sections):
        indices_or_sections = B.known(B.lift(indices_or_sections))
    if np.ndim(indices_or_sections):
        return _pieces(B, x, place, [as_integer(k, "a split index") for k in indices_or_sections])
    sections = as_integer(indices_or_sections, "the number of sections")
    if sections <= 0:
        raise ValueError("number sections must be larger than 0.")
    n = operator.index(B.shape(x)[place])
    each, extra = divmod(n, sections)
    sizes = [each + 1] * extra + [each] * (sections - extra)
    return _pieces(B, x, place, np.cumsum(sizes)[:-1].tolist())


@function("numpy.split")
def split(B: Any, ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """``np.split``."""
    x = B.lift(ary)
    if not is_graph_value(indices_or_sections) and np.ndim(indices_or_sections) == 0:
        sections = as_integer(indices_or_sections, "the number of sections")
        n = B.shape(x)[normalize_axis(axis, B.ndim(x))]
        if sections > 0 and isinstance(n, int) and n % sections:
            raise ShapeError(f"array split does not result in an equal division: {n} elements into {sections} sections")
        if sections > 0 and not isinstance(n, int):
            each = n // sections
            box = [_axis_box(B.shape(x), normalize_axis(axis, B.ndim(x)), each * k, each) for k in range(sections)]
            return [B.slice_box(x, b) for b in box]
    return array_split(B, x, indices_or_sections, axis)


@function("numpy.hsplit")
def hsplit(B: Any, ary: Any, indices_or_sections: Any) -> Any:
    """``np.hsplit``."""
    x = B.lift(ary)
    if B.ndim(x) == 0:
        raise ShapeError("hsplit only works on arrays of 1 or more dimensions")
    return split(B, x, indices_or_sections, 1 if B.ndim(x) > 1 else 0)


@function("numpy.vsplit")
def vsplit(B: Any, ary: Any, indices_or_sections: Any) -> Any:
    """``np.vsplit``."""
    x = B.lift(ary)
    if B.ndim(x) < 2:
        raise ShapeError("vsplit only works on arrays of 2 or more dimensions")
    return split(B, x, indices_or_sections, 0)


@function("numpy.dsplit")
def dsplit(B: Any, ary: Any, indices_or_sections: Any) -> Any:
    """``np.dsplit``."""
    x = B.lift(ary)
    if B.ndim(x) < 3:
        raise ShapeError("dsplit only works on arrays of 3 or more dimensions")
    return split(B, x, indices_or_sections, 2)
