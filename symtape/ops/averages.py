"""Functions made of reductions: means, counts, spans, those that skip NaN, and ``ufunc.reduce``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symtape.graph.shapes import normalize_axes
from symtape.ops.arguments import is_missing, only_defaults
from symtape.ops.registry import function

# ---------------------------------------------------------------------------------------------------- means and counts


def _axes(B: Any, x: Any, axis: Any) -> tuple[int, ...]:
    return () if B.ndim(x) == 0 and axis in (0, -1) else normalize_axes(axis, B.ndim(x))


@function("numpy.mean")
def mean(
    B: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, where: Any = None
) -> Any:
    """``np.mean``; of nothing it is NaN."""
    only_defaults("mean", out=out)
    x = B.lift(a)
    given = B.dtype(x)
    kind = np.dtype(dtype) if dtype is not None else given if given.kind == "f" else np.dtype(np.float64)
    work = np.dtype(np.float32) if kind == np.float16 and dtype is None else kind  # as NumPy: halves add up in single
    if given != work:
        x = B.astype(x, work)
    total = B.sum(x, axis=axis, keepdims=keepdims, where=where)
    if is_missing(where) or where is True:
        count = B.length(x, _axes(B, x, axis), work)
    else:
        chosen = B.broadcast_to(where, B.shape(x))
        count = B.astype(B.count_nonzero(chosen, axis=axis, keepdims=keepdims), work)
    result = B.divide(total, count)
    return result if work == kind else B.astype(result, kind)


@function("numpy.count_nonzero")
def count_nonzero(B: Any, a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    """``np.count_nonzero``."""
    x = B.lift(a)
    return B.sum(x if B.dtype(x).kind == "b" else B.not_equal(x, 0), axis=axis, keepdims=keepdims)


@function("numpy.ptp")
def ptp(B: Any, a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    """``np.ptp``: the largest minus the smallest element."""
    only_defaults("ptp", out=out)
    return B.subtract(B.max(a, axis=axis, keepdims=keepdims), B.min(a, axis=axis, keepdims=keepdims))


# -------------------------------------------------------------------------------------------------------- skipping NaN


def _without_nan(B: Any, a: Any, instead: float) -> tuple[Any, Any]:
    """The array with NaN replaced, and where NaN stood (None for a dtype that has none)."""
    x = B.lift(a)
    if B.dtype(x).kind != "f":
        return x, None
    missing = B.isnan(x)
    return B.where(missing, B.const(np.asarray(instead, B.dtype(x))), x), missing


@function("numpy.nansum")
def nansum(
    B: Any,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """``np.nansum``."""
    only_defaults("nansum", out=out)
    x, _ = _without_nan(B, a, 0.0)
    return B.sum(x, axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where)


@function("numpy.nanprod")
def nanprod(
    B: Any,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """``np.nanprod``."""
    only_defaults("nanprod", out=out)
    x, _ = _without_nan(B, a, 1.0)
    return B.prod(x, axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where)


@function("numpy.nanmean")
def nanmean(
    B: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, where: Any = None
) -> Any:
    """``np.nanmean``; of nothing but NaN it is NaN."""
    only_defaults("nanmean", out=out)
    x, missing = _without_nan(B, a, 0.0)
    present = True if missing is None else B.logical_not(missing)
    if not (is_missing(where) or where is True):
        present = where if missing is None else B.logical_and(present, where)
    return B.mean(x, axis=axis, dtype=dtype, keepdims=keepdims, where=present)


def _nan_extreme(B: Any, name: str, instead: float, a: Any, axis: Any, keepdims: Any, initial: Any, where: Any) -> Any:
    x, missing = _without_nan(B, a, instead)
    y = getattr(B, name)(x, axis=axis, keepdims=keepdims, initial=initial, where=where)
    if missing is None or not is_missing(initial):
        return y
    return B.where(B.all(missing, axis=axis, keepdims=keepdims), B.const(np.asarray(np.nan, B.dtype(x))), y)


@function("numpy.nanmax")
def nanmax(
    B: Any, a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = None
) -> Any:
    """``np.nanmax``; of nothing but NaN it is NaN."""
    only_defaults("nanmax", out=out)
    return _nan_extreme(B, "max", -np.inf, a, axis, keepdims, initial, where)


@function("numpy.nanmin")
def nanmin(
    B: Any, a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = None
) -> Any:
    """``np.nanmin``; of nothing but NaN it is NaN."""
    only_defaults("nanmin", out=out)
    return _nan_extreme(B, "min", np.inf, a, axis, keepdims, initial, where)


# -------------------------------------------------------------------------------------------------------- ufunc.reduce


def _reduce_of_ufunc(ufunc: str, reduction: str) -> Callable[..., Any]:
    """Register ``np.<ufunc>.reduce``, whose axis is 0 unless given."""
    takes_dtype = reduction in ("sum", "prod")

    @function(f"numpy.{ufunc}.reduce", name=f"{ufunc}_reduce")
    def reduce(
        B: Any,
        array: Any,
        axis: Any = 0,
        dtype: Any = None,
        out: Any = None,
        keepdims: Any = False,
        initial: Any = None,
        where: Any = None,
    ) -> Any:
        only_defaults(f"{ufunc}.reduce", out=out[0] if isinstance(out, tuple) and len(out) == 1 else out)
        if takes_dtype:
            extra: dict[str, Any] = {"dtype": dtype, "initial": initial}
        elif reduction in ("max", "min"):
            array = array if dtype is None else B.astype(B.lift(array), dtype)
            extra = {"initial": initial}
        else:
            extra = {}
        y = getattr(B, reduction)(array, axis=axis, keepdims=keepdims, where=where, **extra)
        if reduction in ("any", "all") and not is_missing(initial):
            y = getattr(B, ufunc)(y, initial)
        return y

    reduce.__doc__ = f"``np.{ufunc}.reduce``."
    return reduce


add_reduce = _reduce_of_ufunc("add", "sum")
multiply_reduce = _reduce_of_ufunc("multiply", "prod")
maximum_reduce = _reduce_of_ufunc("maximum", "max")
minimum_reduce = _reduce_of_ufunc("minimum", "min")
logical_or_reduce = _reduce_of_ufunc("logical_or", "any")
logical_and_reduce = _reduce_of_ufunc("logical_and", "all")
