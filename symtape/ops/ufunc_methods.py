"""``reduce``, ``accumulate`` and ``reduceat`` of ufuncs that have no op for it: step by step, or piece by piece."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.shapes import normalize_axis
from symtape.ops.arguments import as_integer, is_missing, only_defaults
from symtape.ops.registry import function, functions
from symtape.ops.subscripts import is_graph_value

#: Above this many steps nothing is written out.
_STEPS = 1_000

_STEPWISE = (
    "subtract", "divide", "power", "float_power", "hypot", "logaddexp", "logaddexp2", "fmin", "fmax", "arctan2",
    "remainder", "fmod", "floor_divide", "logical_xor", "copysign",
)  # fmt: skip


def _parts(B: Any, x: Any, axis: int, what: str) -> list[Any]:
    n = operator.index(B.shape(x)[axis])
    if n > _STEPS:
        raise ShapeError(f"np.{what} is written out step by step, up to {_STEPS:,} of them; this axis has {n:,}")
    lead = (slice(None),) * axis
    return [B.getitem(x, (*lead, k)) for k in range(n)]


def _folds(name: str) -> None:
    """Register ``reduce`` and ``accumulate`` of a ufunc."""

    @function(f"numpy.{name}.reduce", name=f"{name}_reduce")
    def reduce(
        B: Any,
        array: Any,
        axis: Any = 0,
        dtype: Any = None,
        out: Any = None,
        keepdims: bool = False,
        initial: Any = None,
        where: Any = True,
    ) -> Any:
        only_defaults(f"{name}.reduce", dtype=dtype, out=out, where=None if where is True else where)
        x = B.lift(array)
        if axis is None and B.ndim(x) == 1:
            axis = 0
        if axis is None or isinstance(axis, tuple):
            raise ValueError(f"reduction operation '{name}' is not reorderable, so at most one axis may be specified")
        k = normalize_axis(as_integer(axis, "axis"), B.ndim(x))
        parts = _parts(B, x, k, f"{name}.reduce")
        parts = parts if is_missing(initial) else [B.lift(initial), *parts]
        if not parts:
            raise ValueError(f"zero-size array to reduction operation {name} which has no identity")
        total = parts[0]
        for part in parts[1:]:
            total = getattr(B, name)(total, part)
        return B.expand_dims(total, k) if keepdims else total

    reduce.__doc__ = f"``np.{name}.reduce``, one element after the other."

    @function(f"numpy.{name}.accumulate", name=f"{name}_accumulate")
    def accumulate(B: Any, array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        only_defaults(f"{name}.accumulate", dtype=dtype, out=out)
        x = B.lift(array)
        k = normalize_axis(axis, B.ndim(x))
        steps: list[Any] = []
        for part in _parts(B, x, k, f"{name}.accumulate"):
            steps.append(getattr(B, name)(steps[-1], part) if steps else part)
        return B.stack(steps, axis=k) if steps else x

    accumulate.__doc__ = f"``np.{name}.accumulate``, one element after the other."


for _name in _STEPWISE:
    _folds(_name)


def _pieces(name: str) -> Callable[..., Any]:
    """Register ``reduceat`` of a ufunc."""

    @function(f"numpy.{name}.reduceat", name=f"{name}_reduceat")
    def reduceat(B: Any, array: Any, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        only_defaults(f"{name}.reduceat", dtype=dtype, out=out)
        x = B.lift(array)
        k = normalize_axis(axis, B.ndim(x))
        starts = np.asarray(B.known(B.lift(indices)) if is_graph_value(indices) else indices, np.intp)
        n = operator.index(B.shape(x)[k])
        if starts.ndim != 1 or np.any((starts < 0) | (starts >= n)):
            raise IndexError(f"indices of {name}.reduceat must lie in 0..{n - 1} on one axis, got {starts}")
        lead = (slice(None),) * k
        fold = functions()[f"{name}_reduce"].implementation
        parts = []
        for start, stop in zip(starts.tolist(), [*starts.tolist()[1:], n], strict=True):
            piece = B.getitem(x, (*lead, slice(start, max(stop, start + 1))))
            parts.append(fold(B, piece, axis=k, keepdims=True))
        return B.concatenate(parts, axis=k)

    reduceat.__doc__ = f"``np.{name}.reduceat``: a reduction of each piece."
    return reduceat


for _name in ("add", "multiply", "maximum", "minimum", "logical_and", "logical_or", "subtract", "divide", "logaddexp"):
    _pieces(_name)
