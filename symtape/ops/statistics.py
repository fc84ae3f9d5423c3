"""Averages and spreads: var, std, average, cov, corrcoef. All are made of other functions; none has an op of its own.

Where nothing varies the standard deviation has gradient 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.shapes import Dim, kept, normalize_axes
from symtape.ops.arguments import is_missing, only_defaults
from symtape.ops.registry import function
from symtape.ops.subscripts import is_graph_value


def _axes(B: Any, x: Any, axis: Any) -> tuple[int, ...]:
    return () if B.ndim(x) == 0 and axis in (0, -1) else normalize_axes(axis, B.ndim(x))


def _degrees(ddof: Any, correction: Any) -> Any:
    if is_missing(correction):
        return ddof
    if ddof != 0:
        raise ValueError("ddof and correction can't be provided simultaneously.")
    return correction


def _spread(B: Any, a: Any, axis: Any, dtype: Any, ddof: Any, keepdims: Any, where: Any, mean: Any, finish: Any) -> Any:
    """The variance in a working precision, finished there, in the dtype that NumPy gives."""
    x = B.lift(a)
    own = B.dtype(x)
    result = np.dtype(dtype) if dtype is not None else own if own.kind == "f" else np.dtype(np.float64)
    work = np.dtype(np.float32) if result == np.float16 else result
    x = x if own == work else B.astype(x, work)
    axes = _axes(B, x, axis)
    center = B.mean(x, axis=axes, keepdims=True, where=where) if is_missing(mean) else B.lift(mean)
    deviation = B.subtract(x, center)
    total = B.sum(B.multiply(deviation, deviation), axis=axes, where=where)
    if is_missing(where) or where is True:
        count = B.length(x, axes, work)
    else:
        count = B.astype(B.count_nonzero(B.broadcast_to(where, B.shape(x)), axis=axes), work)
    y = finish(B.divide(total, _positive_part(B, count, ddof)))
    if axes and not is_missing(keepdims) and keepdims:
        y = B.reshape(y, kept(B.shape(x), axes))
    return y if work == result else B.astype(y, result)


def _positive_part(B: Any, count: Any, ddof: Any) -> Any:
    if not B.node(count).inputs:
        return B.const(max(float(B.node(count).value) - ddof, 0.0))
    return B.maximum(B.subtract(count, ddof), 0.0)


@function("numpy.var")
def var(
    B: Any,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: Any = False,
    *,
    where: Any = None,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    """``np.var``."""
    only_defaults("var", out=out)
    return _spread(B, a, axis, dtype, _degrees(ddof, correction), keepdims, where, mean, lambda y: y)


@function("numpy.std")
def std(
    B: Any,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: Any = False,
    *,
    where: Any = None,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    """``np.std``; the gradient is 0 where nothing varies."""
    only_defaults("std", out=out)
    return _spread(B, a, axis, dtype, _degrees(ddof, correction), keepdims, where, mean, B.root)


@function("numpy.average")
def average(
    B: Any, a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False
) -> Any:
    """``np.average``."""
    x = B.lift(a)
    keep = not is_missing(keepdims) and bool(keepdims)
    if weights is None:
        mean = B.mean(x, axis=axis, keepdims=keep)
        if not returned:
            return mean
        return mean, B.broadcast_to(
            B.astype(B.length(x, _axes(B, x, axis), B.dtype(mean)), B.dtype(mean)), B.shape(mean)
        )
    w = B.lift(weights)
    dtype = np.result_type(B.dtype(x), B.dtype(w), *([np.float64] if B.dtype(x).kind in "iub" else []))
    x, w = (v if B.dtype(v) == dtype else B.astype(v, dtype) for v in (x, w))
    axes = _axes(B, x, axis)
    if B.shape(w) != B.shape(x):
        w = weights_along(B, w, x, axis, axes)
    total = B.sum(w, axis=axes, keepdims=keep)
    mean = B.divide(B.sum(B.multiply(x, w), axis=axes, keepdims=keep), total)
    return (mean, B.broadcast_to(total, B.shape(mean))) if returned else mean


def weights_along(B: Any, w: Any, x: Any, axis: Any, axes: tuple[int, ...]) -> Any:
    """Weights given for the averaged axes alone, spread over the others."""
    if axis is None:
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    order = (axis,) if not isinstance(axis, (tuple, list)) else tuple(axis)
    order = tuple(k % B.ndim(x) for k in order)
    if B.shape(w) != tuple(B.shape(x)[k] for k in order):
        raise ShapeError(
            f"Shape of weights must be consistent with shape of a along specified axis: "
            f"weights have shape {B.shape(w)}, a has {tuple(B.shape(x)[k] for k in order)} along {order}"
        )
    w = B.transpose(w, tuple(int(k) for k in np.argsort(order)))
    shape = tuple(d if k in axes else 1 for k, d in enumerate(B.shape(x)))
    return B.broadcast_to(B.reshape(w, shape), B.shape(x))


@function("numpy.cov")
def cov(
    B: Any,
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    """``np.cov``; gradients flow into ``aweights`` too."""
    if ddof is not None and ddof != int(ddof):
        raise ValueError("ddof must be integer")
    x = _observations(B, m, rowvar, "m")
    if y is not None:
        x = B.concatenate((x, _observations(B, y, rowvar, "y")), axis=0)
    kind = np.dtype(dtype) if dtype is not None else np.result_type(B.dtype(x), np.float64)
    x = x if B.dtype(x) == kind else B.astype(x, kind)
    ddof = (0 if bias else 1) if ddof is None else int(ddof)
    if fweights is None and aweights is None:
        deviation = B.subtract(x, B.mean(x, axis=1, keepdims=True))
        weighted = deviation
        factor = _positive_part(B, B.length(x, (1,), kind), ddof)
    else:
        w, own = _weights(B, x, fweights, aweights, kind)
        total = B.sum(w)
        deviation = B.subtract(x, B.expand_dims(B.divide(B.matmul(x, w), total), 1))
        weighted = B.multiply(deviation, w)
        lost = 1.0 if own is None else B.divide(B.sum(B.multiply(w, own)), total)
        factor = B.subtract(total, B.multiply(float(ddof), lost)) if ddof else total
    return B.squeeze(B.divide(B.matmul(deviation, B.transpose(weighted)), factor))


def _weights(B: Any, x: Any, fweights: Any, aweights: Any, kind: np.dtype[Any]) -> tuple[Any, Any]:
    """The weight of each observation, and the ``aweights`` among its factors."""
    given = {name: B.lift(w) for name, w in (("fweights", fweights), ("aweights", aweights)) if w is not None}
    for name, w in given.items():
        if B.shape(w) != B.shape(x)[1:]:
            raise ShapeError(f"incompatible numbers of samples and {name}: {B.shape(x)[1]} and {B.shape(w)}")
        if name == "fweights" and B.dtype(w).kind not in "iu" and not _is_whole(fweights):
            raise TypeError("fweights must be integer")
        if not is_graph_value(fweights if name == "fweights" else aweights) and np.any(B.node(w).value < 0):
            raise ValueError(f"{name} cannot be negative")
    converted = {name: B.astype(w, kind) for name, w in given.items()}
    product = B.multiply(*converted.values()) if len(converted) == 2 else next(iter(converted.values()))
    return product, converted.get("aweights")


def _is_whole(weights: Any) -> bool:
    return not is_graph_value(weights) and bool(np.all(np.asarray(weights) == np.rint(weights)))


def _observations(B: Any, m: Any, rowvar: bool, name: str) -> Any:
    """One row a variable, one column an observation."""
    x = B.lift(m)
    if B.ndim(x) > 2:
        raise ShapeError(f"{name} has more than 2 dimensions: shape {B.shape(x)}")
    if B.ndim(x) < 2:
        return B.reshape(x, (1, -1)) if not any(isinstance(d, Dim) for d in B.shape(x)) else B.expand_dims(x, 0)
    return x if rowvar else B.transpose(x)


@function("numpy.corrcoef")
def corrcoef(
    B: Any, x: Any, y: Any = None, rowvar: bool = True, bias: Any = None, ddof: Any = None, *, dtype: Any = None
) -> Any:
    """``np.corrcoef``, without the clipping of rounding errors into [-1, 1]; ``bias`` and ``ddof`` change nothing."""
    c = cov(B, x, y, rowvar, dtype=dtype)
    if B.ndim(c) == 0:
        return B.divide(c, c)
    spread = B.root(B.contract("aa->a", c))
    return B.divide(B.divide(c, B.expand_dims(spread, 1)), B.expand_dims(spread, 0))
