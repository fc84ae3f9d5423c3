"""Norms of vectors and matrices, of every order.

The 2-norm is an op, so that its gradient reads ``x/norm(x)``; the others are made of sums, extremes, powers and
singular values. At zero the gradient of a p-norm with p > 1 is 0, and a singular value that is zero has gradient 0, as
``abs`` has; so has a norm of negative order where an element is zero; equal extremes share a gradient.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.node import Array, Node
from symtape.graph.shapes import Shape, kept, normalize_axes, normalize_axis, reduced
from symtape.ops import params as param
from symtape.ops.arguments import as_integer
from symtape.ops.clusters import ROUNDING
from symtape.ops.element import Apply, Index, Read, Reduce, Scalar, index
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, op_named, structural
from symtape.ops.singular_values import singular_values


def _floating(B: Any, value: Any) -> Any:
    x = B.lift(value)
    return x if B.dtype(x).kind == "f" else B.astype(x, np.dtype(np.float64))


def _restore(B: Any, y: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    return B.reshape(y, kept(B.shape(x), axes)) if keepdims and axes else y


def _norm_value(x: Array, axes: tuple[int, ...]) -> Any:
    return np.sqrt(np.sum(np.multiply(x, x), axis=axes))


def _norm_infer(inputs: tuple[Node], axes: tuple[int, ...]) -> tuple[Shape, Any]:
    (x,) = inputs
    return reduced(x.shape, axes), x.dtype


def _norm_element(at: Sequence[Index], inputs: Sequence[Node], axes: tuple[int, ...]) -> Scalar:
    (x,) = inputs
    inner = iter(index(len(axes), len(at)))
    kept_at = iter(at)
    here = Read(0, tuple(next(inner) if k in axes else next(kept_at) for k in range(len(x.shape))))
    squares = Reduce("sum", len(at), tuple(x.shape[k] for k in axes), Apply(op_named("multiply"), (here, here)))
    return Apply(op_named("sqrt"), (squares,))


def _direction(B: Any, y: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """``x/norm(x)``, and 0 where that is 0/0."""
    return B.divide_no_nan(x, _put_back(B, y, x, axes))


def _put_back(B: Any, y: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """A result with its axes where they broadcast against ``x``."""
    return y if len(axes) == B.ndim(x) else B.reshape(y, kept(B.shape(x), axes))


def _norm_pull(B: Any, g: Any, y: Any, x: Any, axes: tuple[int, ...]) -> Any:
    return B.multiply(_put_back(B, g, x, axes), _direction(B, y, x, axes))


def _norm_push(B: Any, t: Any, y: Any, x: Any, axes: tuple[int, ...]) -> Any:
    return B.sum(B.multiply(t, _direction(B, y, x, axes)), axis=axes)


NORM: Op = structural(
    "norm",
    Kind.INDEXED,
    _norm_value,
    _norm_infer,
    vjp=(_norm_pull,),
    jvp=(_norm_push,),
    batch=lambda B, inputs, batched, axes: B.build(NORM, inputs, (tuple(k + 1 for k in axes),)),
    element=_norm_element,
    params=(param.axes,),
)


def _euclidean(B: Any, x: Any, axes: tuple[int, ...]) -> Any:
    return B.build(NORM, (x,), (tuple(sorted(axes)),))


def _vector(B: Any, x: Any, order: Any, axes: tuple[int, ...]) -> Any:
    """A norm of the elements along axes taken as one vector."""
    if order is None:
        return _euclidean(B, x, axes)
    if isinstance(order, str):
        raise ValueError(f"Invalid norm order '{order}' for vectors; wanted a number, np.inf or -np.inf")  # noqa: TRY004 (NumPy's)
    p = _as_number(order)
    if p == 2:
        return _euclidean(B, x, axes)
    if p == 0:
        return B.sum(B.astype(B.not_equal(x, 0), B.dtype(x)), axis=axes)
    size = B.absolute(x)
    if math.isinf(p):
        return B.max(size, axis=axes, initial=_of_nothing(B, x, axes)) if p > 0 else B.min(size, axis=axes)
    if p == 1:
        return B.sum(size, axis=axes)
    zero, one = (B.const(np.asarray(k, B.dtype(x))) for k in (0, 1))
    if p < 0:
        return _of_negative_order(B, size, p, axes, one)
    total = B.sum(B.power(size, p), axis=axes)
    if p < 1:
        return B.power(total, 1.0 / p)
    nothing = B.equal(total, 0)
    return B.where(nothing, zero, B.power(B.where(nothing, one, total), 1.0 / p))


def _of_negative_order(B: Any, size: Any, p: float, axes: tuple[int, ...], one: Any) -> Any:
    """A norm that is zero where an element is: a corner of all elements, and of each the gradient is 0 there."""

    def of(x: Any) -> Any:
        return B.power(B.sum(B.power(x, p), axis=axes), 1.0 / p)

    missing = B.equal(size, 0)
    return B.where(B.any(missing, axis=axes), B.stop_gradient(of(size)), of(B.where(missing, one, size)))


def _of_nothing(B: Any, x: Any, axes: tuple[int, ...]) -> float | None:
    """Where there are no elements the largest of their sizes is 0, as in NumPy since 2.3."""
    return 0.0 if any(B.shape(x)[k] == 0 for k in axes) else None


def _as_number(order: Any) -> float:
    if isinstance(order, (bool, np.bool_)) or not isinstance(order, (int, float, np.integer, np.floating)):
        raise ValueError(f"Invalid norm order {order!r} for vectors; wanted a plain number or infinity")  # noqa: TRY004
    return float(order) if isinstance(order, (float, np.floating)) else int(order)


def _matrix(B: Any, x: Any, order: Any, rows: int, columns: int) -> Any:
    both = (rows, columns) if rows < columns else (columns, rows)
    if order in (None, "fro", "f"):
        return _euclidean(B, x, both)
    if order in (2, -2, "nuc"):
        if order != -2 and 0 in (B.shape(x)[rows], B.shape(x)[columns]):
            return B.sum(x, axis=both)  # of nothing: zero
        s = _singular_values(B, B.moveaxis(x, (rows, columns), (-2, -1)))
        return {2: B.max, -2: B.min, "nuc": B.sum}[order](s, axis=-1)
    if order not in (1, -1, np.inf, -np.inf):
        raise ValueError(
            f"Invalid norm order for matrices: {order!r}; wanted 1, -1, 2, -2, np.inf, -np.inf, 'fro' or 'nuc'"
        )
    along, across = (rows, columns) if abs(order) == 1 else (columns, rows)
    sums = B.sum(B.absolute(x), axis=along)
    left = across - (along < across)
    return B.max(sums, axis=left, initial=_of_nothing(B, sums, (left,))) if order > 0 else B.min(sums, axis=left)


def _singular_values(B: Any, x: Any) -> Any:
    """Singular values; no gradient flows through those that are zero but for rounding."""
    s = singular_values(B, x)
    floor = ROUNDING * max(B.shape(x)[-2:]) * float(np.finfo(B.dtype(x)).eps)
    counts = B.greater(s, B.multiply(floor, B.max(B.stop_gradient(s), axis=-1, keepdims=True)))
    return B.where(counts, s, B.stop_gradient(s))


@function("numpy.linalg.norm")
def norm(B: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """``np.linalg.norm``, of every order."""
    x = _floating(B, x)
    ndim = B.ndim(x)
    if axis is None:
        axes = tuple(range(ndim))
        if ord is None or (ord == 2 and ndim == 1) or (ord in ("f", "fro") and ndim == 2):
            return _restore(B, _euclidean(B, x, axes), x, axes, keepdims)
    elif isinstance(axis, tuple):
        axes = tuple(normalize_axis(k, ndim) for k in axis)
    else:
        axes = (normalize_axis(as_integer(axis, "'axis' must be None, an integer or a tuple of integers: it"), ndim),)
    if len(axes) == 1:
        y = _vector(B, x, ord, axes)
    elif len(axes) == 2:
        if axes[0] == axes[1]:
            raise ValueError(f"Duplicate axes given: {axis}")
        y = _matrix(B, x, ord, *axes)
    else:
        raise ShapeError(
            f"Improper number of dimensions to norm: {len(axes)} axes with ord={ord!r}; name one or two with axis="
        )
    return _restore(B, y, x, tuple(sorted(axes)), keepdims)


@function("numpy.linalg.vector_norm")
def vector_norm(B: Any, x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """``np.linalg.vector_norm``."""
    x = _floating(B, x)
    axes = normalize_axes(axis, B.ndim(x))
    return _restore(B, _vector(B, x, ord, axes), x, axes, keepdims)


@function("numpy.linalg.matrix_norm")
def matrix_norm(B: Any, x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """``np.linalg.matrix_norm``."""
    x = _floating(B, x)
    if B.ndim(x) < 2:
        raise ShapeError(f"matrix_norm: wanted a stack of matrices, got shape {B.shape(x)}")
    return norm(B, x, ord, (-2, -1), keepdims)
