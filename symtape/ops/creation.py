"""Arrays made after the shape or the axes of others: filled ones, grids, polynomials in powers of an array."""

from __future__ import annotations

from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.shapes import as_shape
from symtape.ops.arguments import as_integer, only_defaults
from symtape.ops.registry import function


def _filled(B: Any, name: str, like: Any, value: Any, dtype: Any, subok: Any, shape: Any, device: Any) -> Any:
    only_defaults(name, device=device, subok=None if subok is True else subok)
    like = B.lift(like)
    kind = B.dtype(like) if dtype is None else np.dtype(dtype)
    target = B.shape(like) if shape is None else as_shape(shape)
    value = B.lift(value)
    value = value if B.dtype(value) == kind else B.astype(value, kind)
    return value if B.shape(value) == target else B.broadcast_to(value, target)


@function("numpy.zeros_like")
def zeros_like(
    B: Any, a: Any, dtype: Any = None, order: str = "K", subok: Any = True, shape: Any = None, *, device: Any = None
) -> Any:
    """``np.zeros_like``."""
    return _filled(B, "zeros_like", a, np.zeros(()), dtype, subok, shape, device)


@function("numpy.ones_like")
def ones_like(
    B: Any, a: Any, dtype: Any = None, order: str = "K", subok: Any = True, shape: Any = None, *, device: Any = None
) -> Any:
    """``np.ones_like``."""
    return _filled(B, "ones_like", a, np.ones(()), dtype, subok, shape, device)


@function("numpy.empty_like")
def empty_like(
    B: Any,
    prototype: Any,
    dtype: Any = None,
    order: str = "K",
    subok: Any = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Any:
    """``np.empty_like``: zeros, until they are filled."""
    return _filled(B, "empty_like", prototype, np.zeros(()), dtype, subok, shape, device)


@function("numpy.full_like")
def full_like(
    B: Any,
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: str = "K",
    subok: Any = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Any:
    """``np.full_like``."""
    return _filled(B, "full_like", a, fill_value, dtype, subok, shape, device)


@function("numpy.meshgrid")
def meshgrid(B: Any, *xi: Any, copy: Any = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    """``np.meshgrid``."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"Valid values for `indexing` are 'xy' and 'ij', got {indexing!r}")
    arrays = [B.ravel(x) for x in xi]
    places = list(range(len(arrays)))
    if indexing == "xy" and len(arrays) > 1:
        places[:2] = [1, 0]
    spread = [
        B.reshape(x, tuple(-1 if k == place else 1 for k in range(len(arrays))))
        for x, place in zip(arrays, places, strict=True)
    ]
    return tuple(spread) if sparse else B.broadcast_arrays(*spread)


@function("numpy.vander")
def vander(B: Any, x: Any, N: Any = None, increasing: bool = False) -> Any:
    """``np.vander``."""
    x = B.lift(x)
    if B.ndim(x) != 1:
        raise ValueError(f"x must be a one-dimensional array or sequence, got shape {B.shape(x)}")
    count = as_integer(B.shape(x)[0] if N is None else N, "N")
    powers = np.arange(count) if increasing else np.arange(count)[::-1]
    return B.power(B.reshape(x, (*B.shape(x), 1)), powers)


@function("numpy.polyval")
def polyval(B: Any, p: Any, x: Any) -> Any:
    """``np.polyval``, by Horner's rule."""
    p, x = B.lift(p), B.lift(x)
    if B.ndim(p) != 1:
        raise ShapeError(f"the coefficients of a polynomial have one axis, got shape {B.shape(p)}")
    value = B.multiply(x, 0)
    for k in range(as_integer(B.shape(p)[0], "the number of coefficients")):
        value = B.add(B.multiply(value, x), B.getitem(p, k))
    return value
