"""The products of NumPy that are contractions: dot, inner, outer, tensordot, einsum, trace and their kin.

None has an op of its own: each says which axes meet and leaves it to `contract`, or to the einsum op where the user
wrote einsum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symtape.errors import DTypeError, ShapeError
from symtape.graph.shapes import Shape, is_known, normalize_axis
from symtape.ops.arguments import only_defaults
from symtape.ops.contractions import EINSUM
from symtape.ops.einsum_notation import Term, canonical, read
from symtape.ops.registry import function


@function("numpy.einsum")
def einsum(
    B: Any,
    *operands: Any,
    out: Any = None,
    dtype: Any = None,
    order: str = "K",
    casting: str = "safe",
    optimize: Any = False,
) -> Any:
    """``np.einsum`` in all of its notation; ``order`` and ``optimize`` change no value and are ignored."""
    only_defaults("einsum", out=out)
    return _einsum(B, *operands, dtype=dtype, casting=casting)


def _einsum(B: Any, *operands: Any, dtype: Any = None, casting: str = "safe") -> Any:
    arrays, terms, result = read(operands, lambda x: B.ndim(B.lift(x)))
    values = [B.lift(x) for x in arrays]
    if dtype is not None:
        values = [_cast(B, x, np.dtype(dtype), casting) for x in values]
    terms, values = _without_stretched(B, terms, values)
    return B.build(EINSUM, tuple(values), (canonical(terms, result),))


def _cast(B: Any, x: Any, dtype: np.dtype[Any], casting: Any) -> Any:
    if B.dtype(x) == dtype:
        return x
    if not np.can_cast(B.dtype(x), dtype, casting):
        raise DTypeError(
            f"einsum: cannot cast an operand from {B.dtype(x)} to {dtype} according to the rule {casting!r}; "
            "convert it first with .astype(...)"
        )
    return B.astype(x, dtype)


def _without_stretched(B: Any, terms: Sequence[Term], values: Sequence[Any]) -> tuple[list[Term], list[Any]]:
    """Axes of length 1 whose label is longer elsewhere are broadcast: the factor does not depend on them."""
    longest: dict[str, Any] = {}
    for term, x in zip(terms, values, strict=True):
        for label, length in zip(term, B.shape(x), strict=True):
            if longest.setdefault(label, length) == 1:
                longest[label] = length
    kept_terms, kept_values = [], []
    for number, (term, x) in enumerate(zip(terms, values, strict=True)):
        shape: Shape = B.shape(x)
        stretched = {c for c, d in zip(term, shape, strict=True) if d == 1 and longest[c] != 1}
        for c, d in zip(term, shape, strict=True):
            if c in stretched and d != 1:
                raise ShapeError(
                    f"dimensions in operand {number} for collapsing index {c!r} don't match (1 != {d}): "
                    f"its shape is {shape}"
                )
        axes = tuple(k for k, c in enumerate(term) if c in stretched)
        kept_terms.append(tuple(c for c in term if c not in stretched))
        kept_values.append(B.squeeze(x, axes) if axes else x)
    return kept_terms, kept_values


# --------------------------------------------------------------------------------------------------- over given axes


def _labelled(first: int, count: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    if first + count > len(letters):
        raise ValueError(f"a product of arrays with more than {len(letters)} axes in all")
    return letters[first : first + count]


def _over(B: Any, name: str, a: Any, b: Any, left: Sequence[int], right: Sequence[int]) -> Any:
    """Sum of products over pairs of axes; what remains of ``a`` comes first."""
    for i, j in zip(left, right, strict=True):
        m, n = B.shape(a)[i], B.shape(b)[j]
        if m != n:
            raise ShapeError(
                f"{name}: shape-mismatch for sum: axis {i} of {B.shape(a)} has length {m}, axis {j} of {B.shape(b)} {n}"
            )
    s = _labelled(0, B.ndim(a))
    t = list(_labelled(B.ndim(a), B.ndim(b)))
    for i, j in zip(left, right, strict=True):
        t[j] = s[i]
    out = [c for k, c in enumerate(s) if k not in left] + [c for k, c in enumerate(t) if k not in right]
    return B.contract(f"{s},{''.join(t)}->{''.join(out)}", a, b)


@function("numpy.tensordot", "numpy.linalg.tensordot")
def tensordot(B: Any, a: Any, b: Any, axes: Any = 2) -> Any:
    """``np.tensordot``."""
    a, b = B.lift(a), B.lift(b)
    if hasattr(axes, "__index__"):
        count = axes.__index__()
        if not 0 <= count <= min(B.ndim(a), B.ndim(b)):
            raise ShapeError(
                f"tensordot: cannot sum over {count} axes of arrays with shapes {B.shape(a)} and {B.shape(b)}"
            )
        return _over(B, "tensordot", a, b, range(B.ndim(a) - count, B.ndim(a)), range(count))
    left, right = ([k] if hasattr(k, "__index__") else list(k) for k in axes)
    if len(left) != len(right):
        raise ShapeError(
            f"tensordot: shape-mismatch for sum: {len(left)} axes of the first and {len(right)} of the second"
        )
    i = [normalize_axis(k, B.ndim(a)) for k in left]
    j = [normalize_axis(k, B.ndim(b)) for k in right]
    if len(set(i)) != len(i) or len(set(j)) != len(j):
        raise ValueError(f"tensordot: an axis is named twice in {axes!r}")
    return _over(B, "tensordot", a, b, i, j)


@function("numpy.dot")
def dot(B: Any, a: Any, b: Any, out: Any = None) -> Any:
    """``np.dot``."""
    only_defaults("dot", out=out)
    a, b = B.lift(a), B.lift(b)
    if B.ndim(a) == 0 or B.ndim(b) == 0:
        return B.multiply(a, b)
    if B.ndim(b) <= 2:
        return B.matmul(a, b)
    return _over(B, "dot", a, b, [B.ndim(a) - 1], [B.ndim(b) - 2])


@function("numpy.inner")
def inner(B: Any, a: Any, b: Any) -> Any:
    """``np.inner``."""
    a, b = B.lift(a), B.lift(b)
    if B.ndim(a) == 0 or B.ndim(b) == 0:
        return B.multiply(a, b)
    return _over(B, "inner", a, b, [B.ndim(a) - 1], [B.ndim(b) - 1])


@function("numpy.vdot")
def vdot(B: Any, a: Any, b: Any) -> Any:
    """``np.vdot``."""
    a, b = (x if B.ndim(x) == 1 else B.ravel(x) for x in (B.lift(a), B.lift(b)))
    if B.shape(a) != B.shape(b):
        raise ShapeError(f"vdot: cannot multiply arrays with {B.shape(a)[0]} and {B.shape(b)[0]} elements")
    return B.matmul(a, b)


@function("numpy.outer")
def outer(B: Any, a: Any, b: Any, out: Any = None) -> Any:
    """``np.outer``."""
    only_defaults("outer", out=out)
    a, b = (x if B.ndim(x) == 1 else B.ravel(x) for x in (B.lift(a), B.lift(b)))
    return B.multiply(B.expand_dims(a, 1), b)


@function("numpy.linalg.outer")
def vector_outer(B: Any, x1: Any, x2: Any, /) -> Any:
    """``np.linalg.outer``: of vectors only."""
    a, b = B.lift(x1), B.lift(x2)
    if B.ndim(a) != 1 or B.ndim(b) != 1:
        raise ShapeError(f"Input arrays must be one-dimensional, but they are {B.ndim(a)}- and {B.ndim(b)}-dimensional")
    return outer(B, a, b)


@function("numpy.kron")
def kron(B: Any, a: Any, b: Any) -> Any:
    """``np.kron``."""
    a, b = B.lift(a), B.lift(b)
    ndim = max(B.ndim(a), B.ndim(b))
    m, n = ((1,) * (ndim - B.ndim(x)) + B.shape(x) for x in (a, b))
    spread = B.multiply(
        B.reshape(a, tuple(d for k in m for d in (k, 1))),
        B.reshape(b, tuple(d for k in n for d in (1, k))),
    )
    return B.reshape(spread, tuple(i * j for i, j in zip(m, n, strict=True)))


# --------------------------------------------------------------------------------------------- over the last axes


@function("numpy.vecdot", "numpy.linalg.vecdot")
def vecdot(B: Any, x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """``np.vecdot``."""
    a, b = B.lift(x1), B.lift(x2)
    _at_least_one_axis("vecdot", B, a, b)
    if axis != -1:
        a, b = (B.moveaxis(x, normalize_axis(axis, B.ndim(x)), -1) for x in (a, b))
    if B.ndim(a) == B.ndim(b) == 1:
        return B.matmul(a, b)
    return _einsum(B, "...a,...a->...", a, b) if _same_last(B, "vecdot", a, b, -1) else None


@function("numpy.matvec")
def matvec(B: Any, x1: Any, x2: Any, /) -> Any:
    """``np.matvec``: stacks of matrices times stacks of vectors."""
    a, b = B.lift(x1), B.lift(x2)
    _at_least_one_axis("matvec", B, a, b)
    if B.ndim(a) < 2:
        raise ShapeError(f"matvec: the first array is a vector (shape {B.shape(a)}), wanted a stack of matrices")
    if B.ndim(b) == 1:
        return B.matmul(a, b)
    _same_last(B, "matvec", a, b, -1)
    return _einsum(B, "...ab,...b->...a", a, b)


@function("numpy.vecmat")
def vecmat(B: Any, x1: Any, x2: Any, /) -> Any:
    """``np.vecmat``: stacks of vectors times stacks of matrices."""
    a, b = B.lift(x1), B.lift(x2)
    _at_least_one_axis("vecmat", B, a, b)
    if B.ndim(b) < 2:
        raise ShapeError(f"vecmat: the second array is a vector (shape {B.shape(b)}), wanted a stack of matrices")
    if B.ndim(a) == 1 or B.ndim(b) == 2:
        return B.matmul(a, b)
    _same_last(B, "vecmat", a, b, -2)
    return _einsum(B, "...a,...ab->...b", a, b)


def _at_least_one_axis(name: str, B: Any, *arrays: Any) -> None:
    for number, x in enumerate(arrays):
        if B.ndim(x) == 0:
            raise ShapeError(
                f"{name}: input operand {number} does not have enough dimensions (has 0, wanted at least 1)"
            )


def _same_last(B: Any, name: str, a: Any, b: Any, axis: int) -> bool:
    """Einsum would broadcast axes of length 1; the products of linear algebra do not."""
    m, n = B.shape(a)[-1], B.shape(b)[axis]
    if m != n:
        raise ShapeError(f"{name}: shapes {B.shape(a)} and {B.shape(b)} do not fit: {m} and {n} differ")
    return True


# ----------------------------------------------------------------------------------------------------- trace and cross


@function("numpy.trace")
def trace(B: Any, a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    """``np.trace``."""
    only_defaults("trace", out=out)
    a = B.lift(a)
    ndim = B.ndim(a)
    if ndim < 2:
        raise ShapeError(f"diag requires an array of at least two dimensions, got shape {B.shape(a)}")
    i, j = normalize_axis(axis1, ndim), normalize_axis(axis2, ndim)
    if i == j:
        raise ValueError("axis1 and axis2 cannot be the same")
    own = B.dtype(a)
    wanted = np.dtype(dtype) if dtype is not None else np.sum(np.zeros(1, own)).dtype
    a = a if own == wanted else B.astype(a, wanted)
    a = _square(B, a, offset, i, j)
    labels = list(_labelled(0, ndim))
    labels[j] = labels[i]
    rest = [c for k, c in enumerate(labels) if k not in (i, j)]
    return B.build(EINSUM, (a,), (canonical([labels], rest),))


def _square(B: Any, a: Any, offset: int, i: int, j: int) -> Any:
    """The part whose main diagonal is the one asked for."""
    shape: Shape = B.shape(a)
    m, n = shape[i], shape[j]
    if offset == 0 and m == n:
        return a
    if not is_known((m, n)):
        raise ShapeError(f"trace: a diagonal of an array with shape {shape} needs axes of known length")
    down, right = max(-offset, 0), max(offset, 0)
    length = max(min(int(m) - down, int(n) - right), 0)
    window = [slice(None)] * len(shape)
    window[i], window[j] = slice(down, down + length), slice(right, right + length)
    return B.getitem(a, tuple(window))


@function("numpy.linalg.trace")
def matrix_trace(B: Any, x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """``np.linalg.trace``: over the last two axes."""
    return trace(B, x, offset, -2, -1, dtype)


@function("numpy.cross")
def cross(B: Any, a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """``np.cross`` of vectors with three elements."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = B.lift(a), B.lift(b)
    a = B.moveaxis(a, normalize_axis(axisa, B.ndim(a)), -1)
    b = B.moveaxis(b, normalize_axis(axisb, B.ndim(b)), -1)
    for x in (a, b):
        if B.shape(x)[-1] != 3:
            raise ShapeError(
                f"cross: vectors need 3 elements, got shapes {B.shape(a)} and {B.shape(b)}; "
                "append a zero to vectors in the plane"
            )
    one, two = [1, 2, 0], [2, 0, 1]
    c = B.subtract(
        B.multiply(B.take(a, one, -1), B.take(b, two, -1)), B.multiply(B.take(a, two, -1), B.take(b, one, -1))
    )
    return c if B.ndim(c) == 1 else B.moveaxis(c, -1, normalize_axis(axisc, B.ndim(c)))


@function("numpy.linalg.cross")
def vector_cross(B: Any, x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """``np.linalg.cross``."""
    return cross(B, x1, x2, axis=axis)
