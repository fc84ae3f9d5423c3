"""Histograms: weights added up by the bin that a value falls into.

Gradients flow into the weights, through a density into the edges, and into edges that are drawn from the smallest to
the largest value. Which bin a value falls into is computed each time, and no gradient flows through that.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.ops.ordering import runs
from symtape.ops.registry import function
from symtape.ops.subscripts import is_graph_value

_AUTOMATIC = (
    "np.{0}(bins={1!r}) chooses the number of bins by the values; write bins=len(np.histogram_bin_edges(x.numpy(), "
    "{1!r})) - 1, or the edges themselves"
)


def _is_scalar(bins: Any) -> bool:
    return not isinstance(bins, (list, tuple)) and getattr(bins, "ndim", 0) == 0


def _count(bins: Any) -> int:
    try:
        count = operator.index(bins)
    except TypeError:
        raise TypeError("`bins` must be an integer, a string, or an array") from None
    if count < 1:
        raise ValueError("`bins` must be positive, when an integer")
    return count


def _ends(B: Any, x: Any, range_: Any, like: Any) -> tuple[Any, Any]:
    """The outermost edges: those of the range, else the extremes; a unit around a single value.

    ``like`` is a value whose dtype counts beside theirs.
    """
    if range_ is not None:
        first, last = range_
        if not (is_graph_value(first) or is_graph_value(last)):
            if not (np.isfinite(first) and np.isfinite(last)):
                raise ValueError(f"supplied range of [{first}, {last}] is not finite")
            if first > last:
                raise ValueError("max must be larger than min in range parameter.")
    elif B.shape(x) == (0,):
        first, last = 0, 1
    else:
        first, last = B.min(x), B.max(x)
    kind = np.result_type(*[B.dtype(end) if is_graph_value(end) else end for end in (first, last, like)])
    kind = kind if kind.kind == "f" else np.dtype(np.float64)
    first, last = (B.astype(B.lift(end), kind) for end in (first, last))
    alone = B.equal(first, last)
    return B.where(alone, B.subtract(first, 0.5), first), B.where(alone, B.add(last, 0.5), last)


def _edges(B: Any, x: Any, bins: Any, range_: Any, what: str, like: Any) -> Any:
    """The edges of the bins of one line of values."""
    if isinstance(bins, str):
        raise TypeError(_AUTOMATIC.format(what, bins))
    if _is_scalar(bins):
        return B.linspace(*_ends(B, x, range_, like), _count(bins) + 1)
    edges = B.lift(bins)
    if B.ndim(edges) != 1:
        raise ShapeError(f"`bins` must be 1d, when an array, got shape {B.shape(edges)}")
    if not runs(B, "greater_equal", bins, edges):
        raise ValueError("`bins` must increase monotonically, when an array")
    return edges


def _numbers(B: Any, x: Any, edges: Any) -> Any:
    """The number of the bin of each value: 0 below all of them, the last one with its right edge, and one for above."""
    last = B.getitem(edges, -1)
    return B.subtract(B.searchsorted(edges, x, side="right"), B.astype(B.equal(x, last), np.intp))


def _added_up(B: Any, numbers: Sequence[Any], edges: Sequence[Any], weights: Any, count: Any) -> Any:
    """What falls into the bins of each direction; without weights how many."""
    lengths = tuple(operator.index(B.shape(e)[0]) + 1 for e in edges)  # one bin below and one above
    values = B.broadcast_to(B.const(np.ones((), np.intp)), (count,)) if weights is None else weights
    together = B.scatter_add(values, tuple(numbers), tuple(range(len(lengths))), 0, lengths)
    return B.getitem(together, (slice(1, -1),) * len(lengths))


def _checked_weights(B: Any, weights: Any, x: Any) -> Any:
    if weights is None:
        return None
    w = B.lift(weights)
    if B.shape(w) != B.shape(x):
        raise ShapeError(f"weights should have the same shape as a: {B.shape(w)} and {B.shape(x)}")
    return w if B.ndim(w) == 1 else B.ravel(w)


def _line(B: Any, a: Any) -> Any:
    x = B.lift(a)
    x = x if B.ndim(x) == 1 else B.ravel(x)
    return B.astype(x, np.uint8) if B.dtype(x).kind == "b" else x


@function("numpy.histogram")
def histogram(
    B: Any, a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Any, Any]:
    """``np.histogram``; gradients flow into weights and edges. Not with bins that are chosen by name."""
    x = B.lift(a)
    w = _checked_weights(B, weights, x)
    x = _line(B, x)
    edges = _edges(B, x, bins, range, "histogram", x)
    counts = _added_up(B, (_numbers(B, x, edges),), (edges,), w, B.shape(x)[0])
    if density:
        widths = B.astype(B.diff(edges), np.float64)
        return B.divide(B.divide(counts, widths), B.sum(counts)), edges
    return counts, edges


@function("numpy.histogram_bin_edges")
def histogram_bin_edges(B: Any, a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """``np.histogram_bin_edges`` of a number of bins, or of edges that are given."""
    x = _line(B, a)
    return _edges(B, x, bins, range, "histogram_bin_edges", x)


@function("numpy.histogramdd")
def histogramdd(
    B: Any, sample: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Any, tuple[Any, ...]]:
    """``np.histogramdd``; gradients flow into weights and edges."""
    points = B.lift(sample) if hasattr(sample, "shape") and len(sample.shape) == 2 else None
    if points is None:  # a list of lines, one for each direction
        points = B.transpose(B.atleast_2d(sample))
    n, directions = B.shape(points)
    several = isinstance(bins, (list, tuple)) or (not isinstance(bins, str) and not _is_scalar(bins))
    chosen = list(bins) if several else [bins] * directions
    if len(chosen) != directions:
        raise ValueError("The dimension of bins must be equal to the dimension of the sample x.")
    ranges = [None] * directions if range is None else list(range)
    if len(ranges) != directions:
        raise ValueError("range argument must have one entry per dimension")
    lines = B.unstack(points, axis=1)
    edges = tuple(
        _edges(B, x, own, ends, "histogramdd", 0.0) for x, own, ends in zip(lines, chosen, ranges, strict=True)
    )
    w = None if weights is None else B.astype(B.lift(weights), np.float64)
    if w is not None and B.shape(w) != (n,):
        raise ShapeError(f"The weights and list don't have the same length: {B.shape(w)} and {n} points")
    numbers = [_numbers(B, x, e) for x, e in zip(lines, edges, strict=True)]
    counts = B.astype(_added_up(B, numbers, edges, w, n), np.float64)
    if density:
        whole = B.sum(counts)
        for k, e in enumerate(edges):
            counts = B.divide(counts, B.reshape(B.diff(e), (-1, *[1] * (directions - 1 - k))))
        counts = B.divide(counts, whole)
    return counts, edges


@function("numpy.histogram2d")
def histogram2d(
    B: Any, x: Any, y: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Any, Any, Any]:
    """``np.histogram2d``; gradients flow into weights and edges."""
    if not isinstance(bins, str) and not _is_scalar(bins) and len(bins) not in (1, 2):
        bins = [bins, bins]
    counts, (across, along) = histogramdd(B, B.stack([B.lift(x), B.lift(y)], axis=1), bins, range, density, weights)
    return counts, across, along
