"""``reduce``, ``accumulate`` and ``reduceat`` of ufuncs that have no op for it: step by step, or piece by piece."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.shapes import Shape, kept, normalize_axes, normalize_axis, size
from symtape.ops.arguments import is_missing, only_defaults
from symtape.ops.registry import function, functions
from symtape.ops.subscripts import is_graph_value

#: Above this many steps nothing is written out.
_STEPS = 1_000

#: What may be done in any order, so over several axes at once.
_REORDERABLE = (
    "hypot", "logaddexp", "logaddexp2", "fmin", "fmax", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor",
    "gcd", "lcm",
)  # fmt: skip
_ORDERED = (
    "subtract", "divide", "power", "float_power", "arctan2", "remainder", "fmod", "floor_divide", "copysign",
    "left_shift", "right_shift", "heaviside", "nextafter",
)  # fmt: skip
_RUNNING = (*_REORDERABLE, *_ORDERED, "logical_and", "logical_or")
_PIECEWISE = (*_REORDERABLE, *_ORDERED, "add", "multiply", "maximum", "minimum", "logical_and", "logical_or")

_WITHOUT_IDENTITY = (
    "reduction operation '{}' does not have an identity, so to use a where mask one has to specify 'initial'"
)


def _parts(B: Any, x: Any, axis: int, what: str) -> Iterator[Any]:
    n = operator.index(B.shape(x)[axis])
    if n > _STEPS:
        raise ShapeError(f"np.{what} is written out step by step, up to {_STEPS:,} of them; this axis has {n:,}")
    lead = (slice(None),) * axis
    return (B.getitem(x, (*lead, k)) for k in range(n))


def _operand(B: Any, name: str, array: Any, dtype: Any) -> Any:
    """The array in the dtype that is worked in: truth values for logic."""
    x = B.lift(array)
    dtype = np.bool_ if name.startswith("logical") else dtype
    return x if dtype is None or B.dtype(x) == dtype else B.astype(x, dtype)


def _lined_up(B: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """The reduced axes as the first one."""
    if len(axes) == 1:
        return x if axes == (0,) else B.moveaxis(x, axes[0], 0)
    rest = tuple(k for k in range(B.ndim(x)) if k not in axes)
    shape: Shape = B.shape(x)
    return B.reshape(B.transpose(x, axes + rest), (size(tuple(shape[k] for k in axes)), *[shape[k] for k in rest]))


def _reducing(name: str) -> None:
    """Register ``reduce`` of a ufunc."""

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
        only_defaults(f"{name}.reduce", out=out)
        x = _operand(B, name, array, dtype)
        axes = normalize_axes(axis, B.ndim(x))
        if len(axes) > 1 and name in _ORDERED:
            raise ValueError(f"reduction operation '{name}' is not reorderable, so at most one axis may be specified")
        combine = getattr(B, name)
        lines = _lined_up(B, x, axes)
        masks: Any = None
        if where is not True:
            masks = _parts(B, _lined_up(B, B.broadcast_to(where, B.shape(x)), axes), 0, f"{name}.reduce")
        total = _start(name, initial, masked=masks is not None, empty=B.shape(lines)[0] == 0)
        if B.shape(lines)[0] == 0:
            total = B.broadcast_to(B.astype(B.lift(total), B.dtype(x)), B.shape(lines)[1:])
        for part in _parts(B, lines, 0, f"{name}.reduce"):
            new = part if total is None else combine(total, part)
            total = new if masks is None else B.where(next(masks), new, total)
        return B.reshape(total, kept(B.shape(x), axes)) if keepdims else total

    reduce.__doc__ = f"``np.{name}.reduce``, one element after the other."


def _start(name: str, initial: Any, *, masked: bool, empty: bool) -> Any:
    """What a reduction begins with; None: with the first element."""
    if not is_missing(initial):
        return initial
    if not masked and not empty:
        return None
    identity = getattr(np, name).identity
    if identity is None and masked:
        raise ValueError(_WITHOUT_IDENTITY.format(name))
    if identity is None:
        raise ValueError(f"zero-size array to reduction operation {name} which has no identity")
    return identity


def _accumulating(name: str) -> None:
    """Register ``accumulate`` of a ufunc."""

    @function(f"numpy.{name}.accumulate", name=f"{name}_accumulate")
    def accumulate(B: Any, array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        only_defaults(f"{name}.accumulate", out=out)
        x = _operand(B, name, array, dtype)
        k = normalize_axis(axis, B.ndim(x))
        steps: list[Any] = []
        for part in _parts(B, x, k, f"{name}.accumulate"):
            steps.append(getattr(B, name)(steps[-1], part) if steps else part)
        return B.stack(steps, axis=k) if steps else x

    accumulate.__doc__ = f"``np.{name}.accumulate``, one element after the other."


def _pieces(name: str) -> Callable[..., Any]:
    """Register ``reduceat`` of a ufunc."""

    @function(f"numpy.{name}.reduceat", name=f"{name}_reduceat")
    def reduceat(B: Any, array: Any, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        only_defaults(f"{name}.reduceat", out=out)
        x = _operand(B, name, array, dtype)
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


for _name in (*_REORDERABLE, *_ORDERED):
    _reducing(_name)
for _name in _RUNNING:
    _accumulating(_name)
for _name in _PIECEWISE:
    _pieces(_name)
