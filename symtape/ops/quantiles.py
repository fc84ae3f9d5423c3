"""Medians, quantiles and percentiles, with and without NaN: sorted elements, read between two places.

The place is a number with a fraction; value and gradient are those of the line between its neighbors. All of NumPy's
methods are here. Where the fraction asked for is a tensor, gradients flow into it too.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from symtape.graph.shapes import is_known, kept, normalize_axes, size
from symtape.ops.arguments import is_missing, only_defaults
from symtape.ops.registry import function
from symtape.ops.statistics import weights_along
from symtape.ops.subscripts import is_graph_value

#: The place of a fraction among n elements, and what becomes of what stands behind its point. ``F`` is NumPy, or the
#: namespace where the fraction or n is a value of the graph. Hyndman and Fan (1996), Sample quantiles in statistical
#: packages, The American Statistician 50, gives the continuous ones as n q + (alpha + q (1 - alpha - beta)) - 1.
_CONTINUOUS: dict[str, tuple[float, float]] = {
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "linear": (1.0, 1.0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}
_ROUNDED = ("lower", "higher", "midpoint", "nearest")
_STEPS = ("inverted_cdf", "averaged_inverted_cdf", "closest_observation")
_AT_ELEMENTS = ("inverted_cdf", "closest_observation", "lower", "higher", "nearest")
METHODS = (*_STEPS, *_CONTINUOUS, *_ROUNDED)


def _place(F: Any, method: str, n: Any, q: Any) -> tuple[Any, Any]:
    """The lower neighbor and the weight of the one above it, before they are bound to 0..n-1."""
    if method in _CONTINUOUS or method in _ROUNDED or method == "median":
        alpha, beta = _CONTINUOUS.get(method, (1.0, 1.0))
        if alpha == beta == 1.0:
            place = F.multiply(F.subtract(n, 1), q)
        else:
            place = F.subtract(F.add(F.multiply(n, q), F.add(F.multiply(q, 1 - alpha - beta), alpha)), 1)
        low = F.floor(place)
        weight = F.subtract(place, low)
        if method == "lower":
            return low, F.multiply(weight, 0)
        if method == "higher":
            return F.ceil(place), F.multiply(weight, 0)
        if method == "midpoint":
            return low, F.where(F.equal(weight, 0), 0.0, 0.5)
        if method == "nearest":
            return F.rint(place), F.multiply(weight, 0)
        return low, weight
    if method == "closest_observation":
        place = F.subtract(F.multiply(n, q), 1.5)
        low = F.floor(place)
        tie = F.logical_and(F.equal(place, low), F.equal(F.remainder(low, 2), 1))
        return F.where(tie, low, F.add(low, 1)), F.multiply(place, 0)
    place = F.subtract(F.multiply(n, q), 1)
    low = F.floor(place)
    on = F.equal(place, low)
    if method == "inverted_cdf":
        return F.where(on, low, F.add(low, 1)), F.multiply(place, 0)
    return low, F.where(on, 0.5, 1.0)


def _quantile(B: Any, x: Any, q: Any, method: str, weak: Any, count: Any = None) -> Any:
    """Quantiles along the last axis: the axes of ``q`` come first. ``count`` of the elements, sorted first, are there.

    Parameters
    ----------
    weak : dtype or None
        That of the result, if it is known without looking at the fractions.
    count : value, optional
        Elements that are no NaN, in shape ``(..., 1)``; all of them if left out, and then a NaN makes the result NaN.
    """
    if method not in METHODS and method != "median":
        raise ValueError(f"{method!r} is not a valid method. Use one of: {METHODS}")
    n = B.shape(x)[-1]
    if B.dtype(x).kind != "f" and method not in _AT_ELEMENTS:
        x = B.astype(x, np.float64)
    ordered = B.sort(x, axis=-1)
    lead = B.ndim(x) - 1
    q_shape = B.shape(q) if is_graph_value(q) else q.shape
    flat = B.reshape(q, (-1,)) if is_graph_value(q) else q.reshape(-1)
    known = count is None and isinstance(n, int) and not is_graph_value(q)
    if known:
        low, weight = _place(np, method, n, flat)
        top = np.asarray(np.clip(np.floor(low) + 1, 0, n - 1), np.intp)
        bottom = np.asarray(np.clip(low, 0, n - 1), np.intp)
        below, above = B.take(ordered, bottom, axis=-1), B.take(ordered, top, axis=-1)
        weight = B.const(np.asarray(weight, weak or np.float64))
    else:
        total = B.astype(count, np.float64) if count is not None else B.length(x, (lead,), np.float64)
        inside = B.logical_and(B.greater_equal(flat, 0), B.less_equal(flat, 1))
        low, weight = _place(B, method, total, B.astype(B.where(inside, flat, 0), np.float64))
        last = B.maximum(B.subtract(total, 1), 0.0)
        bottom = B.astype(B.minimum(B.maximum(low, 0.0), last), np.intp)
        top = B.astype(B.minimum(B.maximum(B.add(low, 1), 0.0), last), np.intp)
        if count is None:
            below, above = B.take(ordered, bottom, axis=-1), B.take(ordered, top, axis=-1)
        else:
            below, above = B.take_along_axis(ordered, bottom, -1), B.take_along_axis(ordered, top, -1)
    result = below if method in _AT_ELEMENTS else _between(B, below, above, weight, method == "median")
    if B.dtype(x).kind == "f":
        if count is None:  # the derivative of what NaN spoils is NaN, too
            spoiled = B.where(B.any(B.isnan(x), axis=-1, keepdims=True), np.nan, 1.0)
            result = B.multiply(result, B.astype(spoiled, B.dtype(result)))
        else:
            result = B.where(B.equal(count, 0), B.const(np.asarray(np.nan, B.dtype(result))), result)
        if is_graph_value(q):
            result = B.where(inside, result, B.const(np.asarray(np.nan, B.dtype(result))))
    if weak is not None and B.dtype(result) != weak:
        result = B.astype(result, weak)
    result = B.moveaxis(result, -1, 0)
    return B.reshape(result, (*q_shape, *B.shape(result)[1:]))


def _between(B: Any, below: Any, above: Any, weight: Any, middle: bool) -> Any:
    """On the line between two neighbors, seen from the nearer one as in NumPy; in the middle their mean."""
    if middle:
        return B.where(B.equal(weight, 0), below, B.divide(B.add(below, above), 2.0))
    step = B.subtract(above, below)
    near, far = B.add(below, B.multiply(step, weight)), B.subtract(above, B.multiply(step, B.subtract(1.0, weight)))
    return B.where(B.less(weight, 0.5), near, far)


def _lined_up(B: Any, a: Any, axis: Any) -> tuple[Any, tuple[int, ...], Any]:
    """The array with the axes in question as its last one, those axes, and the array as it came."""
    x = B.lift(a)
    axes = normalize_axes(axis, B.ndim(x))
    rest = tuple(k for k in range(B.ndim(x)) if k not in axes)
    if rest + axes != tuple(range(B.ndim(x))):
        moved = B.transpose(x, rest + axes)
    else:
        moved = x
    shape = B.shape(moved)
    return (moved if len(axes) == 1 else B.reshape(moved, (*shape[: len(rest)], size(shape[len(rest) :])))), axes, x


def _weighted(B: Any, x: Any, w: Any, q: Any, skip_nan: bool) -> Any:
    """Quantiles along the last axis of what is counted with weights; no gradient flows into these.

    An element is taken as soon as the weights up to it reach the fraction (``inverted_cdf``).
    """
    w = B.astype(w, np.float64)
    if skip_nan and B.dtype(x).kind == "f":
        w = B.where(B.isnan(x), 0.0, w)
    order = B.argsort(x, axis=-1, kind="stable")
    reached = B.cumsum(B.take_along_axis(w, order, -1), axis=-1)
    total = B.getitem(reached, (..., slice(-1, None)))
    reached = B.where(B.equal(reached, 0), -1.0, B.divide(reached, total))  # what weighs nothing is never taken
    fractions = B.reshape(q, (-1, 1)) if is_graph_value(q) else q.reshape(-1, 1)
    place = B.sum(B.less(B.expand_dims(reached, -2), fractions), axis=-1)
    place = B.minimum(place, operator.index(B.shape(x)[-1]) - 1)
    result = B.take_along_axis(B.take_along_axis(x, order, -1), place, -1)
    if B.dtype(x).kind == "f":
        absent = B.logical_or(B.logical_not(B.greater(total, 0)), B.any(B.less(w, 0), axis=-1, keepdims=True))
        absent = absent if skip_nan else B.logical_or(absent, B.any(B.isnan(x), axis=-1, keepdims=True))
        if is_graph_value(q):
            flat = B.reshape(q, (-1,))
            inside = B.logical_and(B.greater_equal(flat, 0), B.less_equal(flat, 1))
            absent = B.logical_or(absent, B.logical_not(inside))
        result = B.where(absent, B.const(np.asarray(np.nan, B.dtype(x))), result)
    result = B.moveaxis(result, -1, 0)
    return B.reshape(result, (*(B.shape(q) if is_graph_value(q) else q.shape), *B.shape(result)[1:]))


def _checked_weights(B: Any, weights: Any, x: Any, axis: Any, method: str) -> Any:
    """One weight for each element."""
    if method != "inverted_cdf":
        raise ValueError(f"Only method 'inverted_cdf' supports weights. Got: {method}.")
    w = B.lift(weights)
    if not is_graph_value(weights) and np.any(np.asarray(weights) < 0):
        raise ValueError("Weights must be non-negative.")
    return w if B.shape(w) == B.shape(x) else weights_along(B, w, x, axis, normalize_axes(axis, B.ndim(x)))


def _along(
    B: Any,
    a: Any,
    q: Any,
    axis: Any,
    method: str,
    keepdims: Any,
    skip_nan: bool,
    scale: float,
    what: str,
    weights: Any = None,
) -> Any:
    moved, axes, x = _lined_up(B, a, axis)
    if B.dtype(x).kind == "b":
        raise TypeError(f"np.{what} of truth values has no meaning: convert them with .astype(float)")
    if is_graph_value(q):
        fractions = B.lift(q) if scale == 1.0 else B.divide(q, scale)
    else:
        fractions = np.asarray(q, np.float64) / scale
        if np.any((fractions < 0) | (fractions > 1) | np.isnan(fractions)):
            raise ValueError(f"{'Percentiles' if scale != 1.0 else 'Quantiles'} must be in the range [0, {scale:g}]")
    q_ndim = B.ndim(fractions) if is_graph_value(fractions) else fractions.ndim
    count = None
    lined = None if weights is None else _lined_up(B, _checked_weights(B, weights, x, axis, method), axis)[0]
    if skip_nan and B.dtype(x).kind == "f":
        count = B.sum(B.logical_not(B.isnan(moved)), axis=-1, keepdims=True)
    if is_known(B.shape(moved)) and B.shape(moved)[-1] == 0:
        shape = (*(B.shape(fractions) if is_graph_value(fractions) else fractions.shape), *B.shape(moved)[:-1])
        dtype = B.dtype(x) if B.dtype(x).kind == "f" else np.dtype(np.float64)
        result = B.broadcast_to(B.const(np.asarray(np.nan, dtype)), shape)
        if B.dtype(x).kind == "f":
            result = B.add(result, B.sum(moved, axis=-1))  # of nothing, and still its function
    elif lined is not None:
        result = _weighted(B, moved, lined, fractions, skip_nan)
    else:
        own = B.dtype(x) if B.dtype(x).kind == "f" or method in _AT_ELEMENTS else np.dtype(np.float64)
        if type(q) in (int, float) or method in _AT_ELEMENTS:
            weak = own
        else:
            weak = np.result_type(own, B.dtype(B.lift(q))) if is_graph_value(q) else None
        result = _quantile(B, moved, fractions, method, weak, count)
    if not is_missing(keepdims) and keepdims:
        result = B.reshape(result, (*B.shape(result)[:q_ndim], *kept(B.shape(x), axes)))
    return result


def _median(skip_nan: bool) -> Callable[..., Any]:
    name = "nanmedian" if skip_nan else "median"

    @function(f"numpy.{name}", name=name)
    def median(
        B: Any, a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False
    ) -> Any:
        only_defaults(name, out=out)
        x = B.lift(a)
        a = B.astype(x, np.float64) if B.dtype(x).kind == "b" else x
        return _along(B, a, 0.5, axis, "median", keepdims, skip_nan, 1.0, name)

    median.__doc__ = f"``np.{name}``."
    return median


def _at_fractions(name: str, skip_nan: bool, scale: float) -> Callable[..., Any]:
    @function(f"numpy.{name}", name=name)
    def at_fractions(
        B: Any,
        a: Any,
        q: Any,
        axis: Any = None,
        out: Any = None,
        overwrite_input: bool = False,
        method: str = "linear",
        keepdims: Any = False,
        *,
        weights: Any = None,
        interpolation: Any = None,
    ) -> Any:
        only_defaults(name, out=out, interpolation=interpolation)
        return _along(B, a, q, axis, method, keepdims, skip_nan, scale, name, weights)

    at_fractions.__doc__ = f"``np.{name}``, with all of NumPy's methods; no gradient flows into weights."
    return at_fractions


median = _median(False)
nanmedian = _median(True)
quantile = _at_fractions("quantile", False, 1.0)
nanquantile = _at_fractions("nanquantile", True, 1.0)
percentile = _at_fractions("percentile", False, 100.0)
nanpercentile = _at_fractions("nanpercentile", True, 100.0)
