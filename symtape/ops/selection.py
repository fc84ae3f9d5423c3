"""Choosing among elements: by lists of conditions, by closeness, by what is no number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symtape.ops.registry import function


@function("numpy.select")
def select_first(B: Any, condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """``np.select``: per element the choice of the first condition that holds."""
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    if not condlist:
        raise ValueError("select with an empty condition list is not possible")
    value = B.lift(default)
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        value = B.where(condition, choice, value)
    return value


@function("numpy.isclose")
def isclose(B: Any, a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """``np.isclose``."""
    a, b = B.lift(a), B.lift(b)
    if B.dtype(b).kind != "f":  # integers would wrap around where they are subtracted
        b = B.astype(b, np.float64)
    near = B.less_equal(B.absolute(B.subtract(a, b)), B.add(atol, B.multiply(rtol, B.absolute(b))))
    near = B.logical_or(B.logical_and(near, B.isfinite(b)), B.equal(a, b))
    return B.logical_or(near, B.logical_and(B.isnan(a), B.isnan(b))) if equal_nan else near


@function("numpy.nan_to_num")
def nan_to_num(B: Any, x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """``np.nan_to_num``."""
    x = B.lift(x)
    if copy is not True:
        raise TypeError(
            "np.nan_to_num(copy=False) would write into its argument, and tensors do not change: leave it out"
        )
    kind = B.dtype(x)
    if kind.kind != "f":
        return x
    limits = np.finfo(kind)

    def fixed(value: Any) -> Any:
        return B.const(np.asarray(value, kind)) if not hasattr(value, "node") else value

    x = B.where(B.isposinf(x), fixed(limits.max if posinf is None else posinf), x)
    x = B.where(B.isneginf(x), fixed(limits.min if neginf is None else neginf), x)
    return B.where(B.isnan(x), fixed(nan), x)
