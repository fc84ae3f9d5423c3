"""Arrays as sets: distinct elements, unions and differences.

How many elements are distinct decides a shape, and becomes a guard on a tape. What is kept is the first of equal
elements, and into it flows the gradient.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from symtape.graph.shapes import normalize_axis, size
from symtape.ops.registry import function


class UniqueAllResult(NamedTuple):
    """Distinct elements and all about them, as ``np.unique_all`` names it."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCountsResult(NamedTuple):
    """Distinct elements and how often each occurs, as ``np.unique_counts`` names it."""

    values: Any
    counts: Any


class UniqueInverseResult(NamedTuple):
    """Distinct elements and where each element is among them, as ``np.unique_inverse`` names it."""

    values: Any
    inverse_indices: Any


def _first_of_equals(B: Any, ordered: Any, equal_nan: bool) -> Any:
    """Where, in sorted rows, another one begins."""
    if B.shape(ordered)[0] == 0:
        return B.zeros((0,), bool)
    ahead, behind = B.getitem(ordered, slice(1, None)), B.getitem(ordered, slice(None, -1))
    differ = B.not_equal(ahead, behind)
    if equal_nan and B.dtype(ordered).kind == "f":
        differ = B.logical_and(differ, B.logical_not(B.logical_and(B.isnan(ahead), B.isnan(behind))))
    if B.ndim(ordered) > 1:
        differ = B.any(differ, axis=1)
    return B.concatenate((B.const(np.ones(1, bool)), differ))


@function("numpy.unique")
def unique(
    B: Any,
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: Any = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """``np.unique``, always sorted; how many elements are distinct is a guard."""
    x = B.lift(ar)
    shape = B.shape(x)
    lines = x = B.ravel(x) if axis is None else B.moveaxis(x, normalize_axis(axis, B.ndim(x)), 0)
    if B.ndim(x) > 1:
        lines = B.reshape(x, (B.shape(x)[0], size(B.shape(x)[1:])))
        order = B.lexsort([B.getitem(lines, (slice(None), k)) for k in range(int(B.shape(lines)[1]) - 1, -1, -1)])
    else:
        order = B.argsort(lines, kind="stable")
    begins = _first_of_equals(B, B.take(lines, order, axis=0), equal_nan and B.ndim(x) == 1)
    firsts = B.flatnonzero(begins)
    indices = B.take(order, firsts)
    values = B.take(x, indices, axis=0)
    results = [values if axis is None else B.moveaxis(values, 0, axis)]
    if return_index:
        results.append(indices)
    if return_inverse:
        inverse = B.take(B.subtract(B.cumsum(begins), 1), B.argsort(order, kind="stable"))
        results.append(B.reshape(inverse, shape) if axis is None else inverse)
    if return_counts:
        results.append(B.diff(firsts, append=B.shape(x)[0]))
    return results[0] if len(results) == 1 else tuple(results)


@function("numpy.unique_all")
def unique_all(B: Any, x: Any) -> UniqueAllResult:
    """``np.unique_all``."""
    return UniqueAllResult(*unique(B, x, True, True, True, equal_nan=False))


@function("numpy.unique_counts")
def unique_counts(B: Any, x: Any) -> UniqueCountsResult:
    """``np.unique_counts``."""
    return UniqueCountsResult(*unique(B, x, return_counts=True, equal_nan=False))


@function("numpy.unique_inverse")
def unique_inverse(B: Any, x: Any) -> UniqueInverseResult:
    """``np.unique_inverse``."""
    return UniqueInverseResult(*unique(B, x, return_inverse=True, equal_nan=False))


@function("numpy.unique_values")
def unique_values(B: Any, x: Any) -> Any:
    """``np.unique_values``."""
    return unique(B, x, equal_nan=False)


@function("numpy.union1d")
def union1d(B: Any, ar1: Any, ar2: Any) -> Any:
    """``np.union1d``."""
    return unique(B, B.concatenate((ar1, ar2), axis=None))


@function("numpy.intersect1d")
def intersect1d(B: Any, ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """``np.intersect1d``: the elements of the first array that are in the second."""
    a, b = B.ravel(ar1), B.ravel(ar2)
    places_a = places_b = None
    if not assume_unique:
        a, places_a = unique(B, a, return_index=True)
        b, places_b = unique(B, b, return_index=True)
    order = B.argsort(B.concatenate((a, b)), kind="stable")
    together = B.take(B.concatenate((a, b)), order)
    twice = B.flatnonzero(B.equal(B.getitem(together, slice(1, None)), B.getitem(together, slice(None, -1))))
    values = B.take(together, twice)
    if not return_indices:
        return values
    own = B.take(order, twice)
    other = B.subtract(B.take(order, B.add(twice, 1)), B.shape(a)[0])
    if places_a is not None:
        own, other = B.take(places_a, own), B.take(places_b, other)
    return values, own, other


@function("numpy.setdiff1d")
def setdiff1d(B: Any, ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    """``np.setdiff1d``: the elements of the first array that are not in the second."""
    a = B.ravel(ar1) if assume_unique else unique(B, ar1)
    return B.take(a, B.flatnonzero(B.isin(a, ar2, invert=True)))


@function("numpy.setxor1d")
def setxor1d(B: Any, ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    """``np.setxor1d``: the elements that are in one of the arrays alone."""
    a, b = (B.ravel(v) if assume_unique else unique(B, v) for v in (ar1, ar2))
    together = B.sort(B.concatenate((a, b)))
    ends = B.const(np.ones(1, bool))
    apart = B.not_equal(B.getitem(together, slice(1, None)), B.getitem(together, slice(None, -1)))
    return B.take(together, B.flatnonzero(B.logical_and(B.concatenate((ends, apart)), B.concatenate((apart, ends)))))
