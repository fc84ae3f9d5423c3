"""Finite differences and what runs along with them: ediff1d, gradient, unwrap, nodes in geometric order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.shapes import normalize_axes, normalize_axis
from symtape.ops.arguments import as_integer
from symtape.ops.registry import function
from symtape.ops.subscripts import is_graph_value


@function("numpy.ediff1d")
def ediff1d(B: Any, ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """``np.ediff1d``."""
    x = B.ravel(ary)
    middle = B.subtract(B.getitem(x, slice(1, None)), B.getitem(x, slice(None, -1)))
    parts = [middle]
    for place, value in ((0, to_begin), (1, to_end)):
        if value is not None:
            edge = B.ravel(value)
            edge = edge if B.dtype(edge) == B.dtype(x) else B.astype(edge, B.dtype(x))
            parts.insert(0 if place == 0 else len(parts), edge)
    return B.concatenate(parts) if len(parts) > 1 else middle


# ------------------------------------------------------------------------------------------------------------- gradient


def _cut(B: Any, x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    return B.getitem(x, (*[slice(None)] * axis, slice(start, stop)))


def _spacings(B: Any, varargs: Sequence[Any], axes: tuple[int, ...], shape: Any) -> list[Any]:
    """Per axis a distance, or the distances between neighbors."""
    if not varargs:
        return [1.0] * len(axes)
    given = [B.lift(v) if is_graph_value(v) else np.asarray(v) for v in varargs]
    if len(given) == 1 and given[0].ndim == 0:
        return [given[0]] * len(axes)
    if len(given) != len(axes):
        raise TypeError("invalid number of arguments")
    spacings = []
    for value, axis in zip(given, axes, strict=True):
        if value.ndim == 0:
            spacings.append(value)
            continue
        if value.ndim != 1:
            raise ValueError("distances must be either scalars or 1d")
        if value.shape[0] != shape[axis]:
            raise ValueError("when 1d, distances must match the length of the corresponding dimension")
        if not is_graph_value(value):
            steps = np.diff(value if value.dtype.kind == "f" else value.astype(np.float64))
            spacings.append(steps[0] if (steps == steps[0]).all() else steps)
        else:
            spacings.append(B.diff(value))
    return spacings


def _one_axis(B: Any, f: Any, h: Any, axis: int, edge_order: int) -> Any:
    ndim = B.ndim(f)
    shift = [_cut(B, f, axis, *window) for window in ((None, -2), (1, -1), (2, None))]

    def at(k: int) -> Any:
        return _cut(B, f, axis, k, k + 1 if k != -1 else None)

    uniform = (B.ndim(h) if is_graph_value(h) else np.ndim(h)) == 0
    if uniform:
        inner = B.divide(B.subtract(shift[2], shift[0]), B.multiply(2.0, h))
        first = last = h
    else:
        column = (-1, *[1] * (ndim - axis - 1))
        h = B.lift(h)
        before, after = (B.reshape(B.getitem(h, s), column) for s in (slice(None, -1), slice(1, None)))
        both = B.add(before, after)
        inner = B.add(
            B.add(
                B.multiply(B.negative(B.divide(after, B.multiply(before, both))), shift[0]),
                B.multiply(B.divide(B.subtract(after, before), B.multiply(before, after)), shift[1]),
            ),
            B.multiply(B.divide(before, B.multiply(after, both)), shift[2]),
        )
        first, last = B.getitem(h, 0), B.getitem(h, -1)
    if edge_order == 1:
        low = B.divide(B.subtract(at(1), at(0)), first)
        high = B.divide(B.subtract(at(-1), at(-2)), last)
    else:
        second, before_last = (first, last) if uniform else (B.getitem(h, 1), B.getitem(h, -2))
        low = _edge(B, [at(0), at(1), at(2)], first, second)
        high = B.negative(_edge(B, [at(-1), at(-2), at(-3)], last, before_last))
    return B.concatenate((low, inner, high), axis=axis)


def _edge(B: Any, values: Sequence[Any], near: Any, far: Any) -> Any:
    """The derivative at the first of three points by the parabola through them."""
    both = B.add(near, far)
    a = B.negative(B.divide(B.add(B.multiply(2.0, near), far), B.multiply(near, both)))
    b = B.divide(both, B.multiply(near, far))
    c = B.negative(B.divide(near, B.multiply(far, both)))
    return B.add(B.add(B.multiply(a, values[0]), B.multiply(b, values[1])), B.multiply(c, values[2]))


@function("numpy.gradient", name="finite_gradient")
def finite_gradient(B: Any, f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """``np.gradient``: central differences; differentiable in the samples and in the distances."""
    x = B.lift(f)
    if B.dtype(x).kind in "iub":
        x = B.astype(x, np.float64)
    axes = (
        normalize_axes(None, B.ndim(x))
        if axis is None
        else tuple(normalize_axis(k, B.ndim(x)) for k in (axis if isinstance(axis, (tuple, list)) else (axis,)))
    )
    if as_integer(edge_order, "edge_order") not in (1, 2):
        raise ValueError("'edge_order' greater than 2 not supported")
    for k in axes:
        n = B.shape(x)[k]
        if isinstance(n, int) and n < edge_order + 1:
            raise ValueError(
                "Shape of array too small to calculate a numerical gradient, at least (edge_order + 1) elements are "
                "required."
            )
    spacings = _spacings(B, varargs, axes, B.shape(x))
    parts = []
    for h, k in zip(spacings, axes, strict=True):
        part = _one_axis(B, x, h, k, edge_order)
        parts.append(part if B.dtype(part) == B.dtype(x) else B.astype(part, B.dtype(x)))
    return parts[0] if len(parts) == 1 else tuple(parts)


@function("numpy.unwrap")
def unwrap(B: Any, p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * np.pi) -> Any:
    """``np.unwrap``: jumps of half a period and more are taken out; the gradient is that of the elements."""
    x = B.lift(p)
    if B.ndim(x) == 0:
        raise ShapeError("unwrap needs an array with at least one axis")
    k = normalize_axis(axis, B.ndim(x))
    steps = B.diff(x, axis=k)
    half = B.divide(period, 2) if is_graph_value(period) else period / 2
    low = B.negative(half) if is_graph_value(half) else -half
    jump = B.subtract(B.remainder(B.add(steps, half), period), half)
    jump = B.where(B.logical_and(B.equal(jump, low), B.greater(steps, 0)), half, jump)
    correction = B.subtract(jump, steps)
    limit = half if discont is None else discont
    correction = B.where(B.less(B.absolute(steps), limit), 0.0, correction)
    moved = B.add(_cut(B, x, k, 1, None), B.cumsum(correction, axis=k))
    return B.concatenate((_cut(B, x, k, None, 1), moved), axis=k)


# ------------------------------------------------------------------------------------------------ nodes in a log scale


@function("numpy.logspace")
def logspace(
    B: Any,
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """``np.logspace``."""
    exponents = B.linspace(start, stop, num, endpoint, axis=0)
    points = B.power(B.lift(base), exponents)
    points = B.moveaxis(points, 0, axis) if axis != 0 else points
    return points if dtype is None else B.astype(points, dtype)


@function("numpy.geomspace")
def geomspace(
    B: Any, start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    """``np.geomspace``; of positive ends, or of two negative ones."""
    first, last = B.lift(start), B.lift(stop)
    first, last = (v if B.dtype(v) == np.float64 else B.astype(v, np.float64) for v in (first, last))
    sign = B.sign(first)
    ratio = B.log(B.divide(last, first))
    places = B.linspace(0.0, ratio, num, endpoint)
    points = B.multiply(first, B.exp(places))
    count = as_integer(num, "num")
    if endpoint and count > 1:
        end = B.broadcast_to(B.expand_dims(last, 0), (1, *B.shape(points)[1:]))
        points = B.concatenate((_cut(B, points, 0, None, count - 1), end))
    points = B.where(B.equal(sign, 0), np.nan, points)
    points = B.moveaxis(points, 0, axis) if axis != 0 else points
    return points if dtype is None else B.astype(points, dtype)
