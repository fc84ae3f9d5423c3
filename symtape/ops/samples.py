"""Functions of sampled functions: differences, areas under lines, interpolation, evenly spaced points."""

from __future__ import annotations

from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.shapes import is_known, normalize_axis
from symtape.ops.arguments import as_integer, is_missing, only_defaults
from symtape.ops.op import result_dtype
from symtape.ops.registry import function, op_named


def _window(B: Any, x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    return B.getitem(x, (slice(None),) * axis + (slice(start, stop),))


@function("numpy.diff")
def diff(B: Any, a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """``np.diff``."""
    count = as_integer(n, "n")
    if count < 0:
        raise ValueError(f"order must be non-negative but got {n}")
    x = B.lift(a)
    if count == 0:
        return x
    if B.ndim(x) == 0:
        raise ShapeError("diff requires input that is at least one dimensional")
    k = normalize_axis(axis, B.ndim(x))
    parts = [p if p is x else _edge(B, p, x, k) for p in (prepend, x, append) if not is_missing(p)]
    if len(parts) > 1:
        x = B.concatenate(parts, axis=k)
    for _ in range(count):
        ahead, behind = _window(B, x, k, 1, None), _window(B, x, k, None, -1)
        x = (B.not_equal if B.dtype(x).kind == "b" else B.subtract)(ahead, behind)
    return x


def _edge(B: Any, value: Any, x: Any, axis: int) -> Any:
    v = B.lift(value)
    if B.ndim(v) == 0:
        shape = list(B.shape(x))
        shape[axis] = 1
        return B.broadcast_to(v, tuple(shape))
    return v


@function("numpy.trapezoid", "numpy.trapz", "scipy.integrate.trapezoid")
def trapezoid(B: Any, y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """``np.trapezoid``."""
    heights = B.lift(y)
    if B.dtype(heights).kind in "iub":
        heights = B.astype(heights, np.dtype(np.float64))
    k = normalize_axis(axis, B.ndim(heights))
    width = B.lift(dx)
    if x is not None:
        places = B.lift(x)
        if B.ndim(places) == 1:
            width = B.reshape(diff(B, places), (-1, *[1] * (B.ndim(heights) - k - 1)))
        else:
            width = diff(B, places, axis=k)
    sums = B.add(_window(B, heights, k, 1, None), _window(B, heights, k, None, -1))
    return B.sum(B.divide(B.multiply(width, sums), 2.0), axis=k)


@function("numpy.interp")
def interp(B: Any, x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """``np.interp``, piecewise linear: differentiable in the place, in the values and in the nodes."""
    at, nodes, values = (B.lift(v) for v in (x, xp, fp))
    at, nodes, values = (
        v if B.dtype(v) == np.float64 else B.astype(v, np.dtype(np.float64)) for v in (at, nodes, values)
    )
    if B.ndim(nodes) != 1 or B.shape(nodes) != B.shape(values):
        raise ShapeError(f"fp and xp are not of the same length: shapes {B.shape(values)} and {B.shape(nodes)}")
    if not is_known(B.shape(nodes)) or B.shape(nodes)[0] == 0:
        raise ShapeError(f"interp: wanted a known number of sample points, at least one, got shape {B.shape(nodes)}")
    if period is not None:
        at, nodes, values, left, right = _around(B, at, nodes, values, period)
    n = int(B.shape(nodes)[0])
    first, last = B.getitem(values, (0,)), B.getitem(values, (n - 1,))
    lowest, highest = B.getitem(nodes, (0,)), B.getitem(nodes, (n - 1,))
    inside = first
    if n > 1:
        passed = B.sum(B.greater_equal(B.expand_dims(at, -1), nodes), axis=-1)
        j = B.clip(B.subtract(passed, 1), 0, n - 2)
        next_j = B.add(j, 1)
        x0, x1, y0, y1 = B.take(nodes, j), B.take(nodes, next_j), B.take(values, j), B.take(values, next_j)
        slope = B.divide(B.subtract(y1, y0), B.subtract(x1, x0))
        inside = B.add(B.multiply(slope, B.subtract(at, x0)), y0)
    inside = B.where(B.equal(at, highest), last, inside)
    inside = B.where(B.less(at, lowest), first if left is None else left, inside)
    inside = B.where(B.greater(at, highest), last if right is None else right, inside)
    return B.where(B.isnan(at), at, inside)


def _around(B: Any, at: Any, nodes: Any, values: Any, period: Any) -> tuple[Any, Any, Any, None, None]:
    """Places and nodes within one period, the nodes in order and with a neighbor on either side."""
    if not hasattr(period, "node") and period == 0:
        raise ValueError("period must be a non-zero value")
    length = B.absolute(period)
    at, nodes = B.remainder(at, length), B.remainder(nodes, length)
    order = B.argsort(nodes)
    nodes, values = B.take(nodes, order), B.take(values, order)
    ends = (slice(-1, None), slice(0, 1))
    before, after = (B.getitem(nodes, e) for e in ends)
    nodes = B.concatenate((B.subtract(before, length), nodes, B.add(after, length)))
    values = B.concatenate((B.getitem(values, ends[0]), values, B.getitem(values, ends[1])))
    return at, nodes, values, None, None


@function("numpy.linspace")
def linspace(
    B: Any,
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """``np.linspace``."""
    only_defaults("linspace", device=device)
    count = as_integer(num, "num")
    if count < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    a, b = B.lift(start), B.lift(stop)
    kind = result_dtype(op_named("add"), (B.node(a), B.node(b)))
    kind = kind if kind.kind == "f" else np.dtype(np.float64)
    a, b = (v if B.dtype(v) == kind else B.astype(v, kind) for v in (a, b))
    whole = B.subtract(b, a)
    intervals = count - 1 if endpoint else count
    ndim = max(B.ndim(a), B.ndim(b))
    steps = B.reshape(B.const(np.arange(count, dtype=kind)), (count, *[1] * ndim))
    step = B.divide(whole, float(intervals)) if intervals > 0 else None
    if step is None:
        points = B.add(B.multiply(steps, whole), a)
    else:
        points = B.add(B.multiply(steps, step), a)
        if endpoint and count > 1:
            end = B.broadcast_to(B.expand_dims(b, 0) if B.ndim(b) else b, (1, *B.shape(points)[1:]))
            points = B.concatenate((_window(B, points, 0, None, count - 1), end), axis=0)
    if axis != 0:
        points = B.moveaxis(points, 0, axis)
    if dtype is not None and np.dtype(dtype) != kind:
        points = B.astype(B.floor(points) if np.dtype(dtype).kind in "iu" else points, np.dtype(dtype))
    return (points, step if step is not None else B.const(np.nan)) if retstep else points
