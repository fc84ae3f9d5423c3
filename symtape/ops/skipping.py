"""Functions that skip NaN beyond the plain reductions, and the running sums of the array API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symtape.graph.shapes import kept, normalize_axes, normalize_axis
from symtape.ops.arguments import is_missing, only_defaults
from symtape.ops.registry import function


def _instead(B: Any, a: Any, value: float) -> Any:
    x = B.lift(a)
    return B.where(B.isnan(x), B.const(np.asarray(value, B.dtype(x))), x) if B.dtype(x).kind == "f" else x


@function("numpy.nancumsum")
def nancumsum(B: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """``np.nancumsum``."""
    only_defaults("nancumsum", out=out)
    return B.cumsum(_instead(B, a, 0.0), axis=axis, dtype=dtype)


@function("numpy.nancumprod")
def nancumprod(B: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """``np.nancumprod``."""
    only_defaults("nancumprod", out=out)
    return B.cumprod(_instead(B, a, 1.0), axis=axis, dtype=dtype)


def _spread(B: Any, name: str, a: Any, axis: Any, dtype: Any, ddof: Any, keepdims: Any, options: Any) -> Any:
    """The variance or deviation of what is no NaN; NaN where too few elements are left."""
    x = B.lift(a)
    if B.dtype(x).kind != "f":
        return getattr(B, name)(x, axis=axis, dtype=dtype, ddof=ddof, keepdims=keepdims, **options)
    present = B.logical_not(B.isnan(x))
    where = options.get("where")
    if not is_missing(where) and where is not True:
        present = B.logical_and(present, where)
    filled = B.where(present, x, B.const(np.zeros((), B.dtype(x))))
    axes = normalize_axes(axis, B.ndim(x))
    center = options.get("mean")
    if is_missing(center):
        center = B.nanmean(x, axis=axes, keepdims=True, where=present) if axes else x
    center = B.where(B.any(present, axis=axes, keepdims=True), center, B.const(np.zeros((), B.dtype(x))))
    y = getattr(B, name)(filled, axis=axes, dtype=dtype, ddof=ddof, where=present, mean=center)
    count = B.count_nonzero(present, axis=axes)
    y = B.where(B.greater(count, ddof), y, B.const(np.asarray(np.nan, B.dtype(y))))
    return B.reshape(y, kept(B.shape(x), axes)) if axes and not is_missing(keepdims) and keepdims else y


def _nan_spread(name: str) -> Callable[..., Any]:
    @function(f"numpy.nan{name}", name=f"nan{name}")
    def spread(
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
        only_defaults(f"nan{name}", out=out)
        degrees = ddof if is_missing(correction) else correction
        return _spread(B, name, a, axis, dtype, degrees, keepdims, {"where": where, "mean": mean})

    spread.__doc__ = f"``np.nan{name}``."
    return spread


nanvar = _nan_spread("var")
nanstd = _nan_spread("std")


def _running(name: str, scan: str, first: int) -> Callable[..., Any]:
    @function(f"numpy.{name}", name=name)
    def running(
        B: Any, x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: bool = False
    ) -> Any:
        only_defaults(name, out=out)
        values = B.lift(x)
        if axis is None:
            if B.ndim(values) > 1:
                raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
            axis = 0
        if B.ndim(values) == 0:
            values = B.atleast_1d(values)
        k = normalize_axis(axis, B.ndim(values))
        y = getattr(B, scan)(values, axis=k, dtype=dtype)
        if not include_initial:
            return y
        shape = B.shape(y)
        start = B.broadcast_to(B.const(np.asarray(first, B.dtype(y))), (*shape[:k], 1, *shape[k + 1 :]))
        return B.concatenate((start, y), axis=k)

    running.__doc__ = f"``np.{name}``."
    return running


cumulative_sum = _running("cumulative_sum", "cumsum", 0)
cumulative_prod = _running("cumulative_prod", "cumprod", 1)
