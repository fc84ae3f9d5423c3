"""Normalized basic indices, which select boxes: per axis the number of an element, or ``(start, length, step)``.

Lengths may be only named; then a slice is taken to lie inside its axis, and `check_basic` says so once it is known that
it does not.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any, TypeAlias

from symtape.errors import ShapeError
from symtape.graph.shapes import Dim, Length, Shape

#: What a normalized basic index holds per axis: the number of an element, or ``(start, length, step)``.
Part: TypeAlias = "Length | tuple[Length, Length, int]"
Basic: TypeAlias = tuple[Part, ...]

# ----------------------------------------------------------------------------------------------------- the basic index


def whole(length: Length) -> Part:
    """The part that takes an axis as it is."""
    return (0, length, 1)


def as_slices(basic: Basic) -> tuple[Any, ...]:
    """The index with which NumPy does the same; it always gives an array, never a scalar.

    Examples
    --------
    >>> as_slices((2, (4, 5, -1)))
    (2, slice(4, None, -1), Ellipsis)
    """
    return (*[p if not isinstance(p, tuple) else as_slice(*p) for p in basic], ...)


def as_slice(start: Length, length: Length, step: int) -> slice:
    """The slice of ``length`` elements from ``start``."""
    stop: Length | None = start + length * step
    if step < 0 and isinstance(stop, int) and stop < 0:
        stop = None
    return slice(start, stop, step)


def basic_shape(basic: Basic) -> Shape:
    """The shape that a basic index leaves."""
    return tuple(p[1] for p in basic if isinstance(p, tuple))


def check_basic(shape: Shape, basic: Basic) -> None:
    """Refuse an index that leaves the array, as far as lengths are known.

    Raises
    ------
    IndexError, ShapeError
    """
    if len(basic) != len(shape):
        raise IndexError(
            f"too many indices for array: array is {len(shape)}-dimensional, but {len(basic)} were indexed"
        )
    for axis, (n, part) in enumerate(zip(shape, basic, strict=True)):
        if isinstance(part, tuple):
            start, length, step = part
            if not (isinstance(n, int) and isinstance(start, int) and isinstance(length, int)):
                continue
            last = start + (length - 1) * step
            if length < 0 or (length and not (0 <= start < n and 0 <= last < n)):
                raise ShapeError(
                    f"a slice of {length} elements from {start} in steps of {step} does not fit axis {axis}, "
                    f"which has length {n}"
                )
        elif isinstance(n, int) and isinstance(part, int) and not 0 <= part < n:
            raise out_of_bounds(part, axis, n)


def out_of_bounds(k: int, axis: int, n: Length) -> IndexError:
    """NumPy's error for an index outside its axis."""
    return IndexError(f"index {k} is out of bounds for axis {axis} with size {n}")


def element_of(k: int | Dim, axis: int, n: Length) -> Length:
    """An int that indexes an axis of length ``n``, counted from the start."""
    if isinstance(n, int) and isinstance(k, int):
        if not -n <= k < n:
            raise out_of_bounds(k, axis, n)
        return k % n
    return n + k if isinstance(k, int) and k < 0 else k


def slice_of(s: slice, n: Length) -> Part:
    """What a slice selects of an axis of length ``n``; where that is only named, bounds are taken to lie inside."""
    start, stop, step = (_bound(b) for b in (s.start, s.stop, s.step))
    if step is None:
        step = 1
    if isinstance(step, Dim):
        raise TypeError(f"the step of a slice must be a number, got the named length {step}")
    if step == 0:
        raise ValueError("slice step cannot be zero")
    if isinstance(n, int) and not isinstance(start, Dim) and not isinstance(stop, Dim):
        chosen = range(*slice(start, stop, step).indices(n))
        return (chosen.start if chosen else 0, len(chosen), step if len(chosen) > 1 else 1)
    first, end = _named_bounds(start, stop, step, n)
    span = end - first if step > 0 else first - end
    length = span if abs(step) == 1 else (span + (abs(step) - 1)) // abs(step)
    return (first, max(length, 0) if isinstance(length, int) else length, step)


def _bound(bound: Any) -> int | Dim | None:
    if bound is None or isinstance(bound, Dim):
        return bound
    try:
        return operator.index(bound)
    except TypeError:
        raise TypeError(f"slice indices must be integers or None or have an __index__ method, got {bound!r}") from None


def _named_bounds(start: int | Dim | None, stop: int | Dim | None, step: int, n: Length) -> tuple[Length, Length]:
    """First element and end of a slice of an axis whose length is only named: taken to lie inside it."""
    first: Length = (0 if step > 0 else n - 1) if start is None else start
    end: Length = (n if step > 0 else -1) if stop is None else stop
    if isinstance(start, int) and start < 0:
        first = n + start
    if isinstance(stop, int) and stop < 0:
        end = n + stop
    return first, end


def plain(shape: Shape, index: Any) -> Basic | None:
    """The basic index of what is written most: ints and slices into known lengths. None for anything else."""
    entries = index if type(index) is tuple else (index,)
    if len(entries) > len(shape):
        return None
    parts: list[Part] = []
    for n, entry in zip(shape, entries, strict=False):
        kind = type(entry)
        if type(n) is not int:
            return None
        if kind is int:
            if not -n <= entry < n:
                return None
            parts.append(entry if entry >= 0 else entry + n)
        elif kind is slice and _is_of_ints(entry):
            chosen = range(*entry.indices(n))
            count = len(chosen)
            parts.append((chosen.start if count else 0, count, chosen.step if count > 1 else 1))
        else:
            return None
    parts.extend([(0, n, 1) for n in shape[len(parts) :]])
    return tuple(parts)


def _is_of_ints(s: slice) -> bool:
    return (
        (s.start is None or type(s.start) is int)
        and (s.stop is None or type(s.stop) is int)
        and (s.step is None or (type(s.step) is int and s.step != 0))
    )


# ------------------------------------------------------------------------------------------------------ boxes of boxes


def compose(outer: Basic, inner: Basic) -> Basic:
    """The index that does what ``x[outer][inner]`` does.

    Examples
    --------
    >>> compose((1, (2, 4, 2)), (3,)), compose(((9, 10, -1),), ((1, 4, 2),))
    ((1, 8), ((8, 4, -2),))
    """
    rest = iter(inner)
    parts: list[Part] = []
    for part in outer:
        if not isinstance(part, tuple):
            parts.append(part)
            continue
        start, _, step = part
        chosen = next(rest)
        if isinstance(chosen, tuple):
            first, length, stride = chosen
            short = isinstance(length, int) and length < 2
            parts.append((start + first * step, length, 1 if short else step * stride))
        else:
            parts.append(start + chosen * step)
    return tuple(parts)


def reach(part: Part) -> tuple[int, int] | None:
    """The least range of numbers that contains what a part selects; None where lengths are only named."""
    if not isinstance(part, tuple):
        return (part, part + 1) if isinstance(part, int) else None
    start, length, step = part
    if not (isinstance(start, int) and isinstance(length, int)):
        return None
    last = start + (length - 1) * step
    return (min(start, last), max(start, last) + 1)


def disjoint(boxes: Sequence[Basic]) -> bool:
    """Whether it is certain that no two boxes share an element: along one axis they all lie apart."""
    for parts in zip(*boxes, strict=True):
        ranges = [reach(p) for p in parts]
        if None in ranges:
            continue
        ordered = sorted(r for r in ranges if r is not None)
        if all(a[1] <= b[0] for a, b in itertools.pairwise(ordered)):
            return True
    return False
