"""Determinants, and the matrix of cofactors that is their gradient, right for singular matrices too.

The gradient of det(A) is the matrix of cofactors (Jacobi): det(A) A⁻ᵀ where A has an inverse, the limit of that where
it has none. The derivative of the cofactors has a rule of its own, right for singular matrices too; a third derivative
needs the inverse of a matrix that is larger than 3 by 3.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from symtape.graph.node import Array, Node
from symtape.graph.shapes import Shape
from symtape.ops.matrices import all_batched, as_first, as_inexact, as_square, check_square, transposed
from symtape.ops.matrix_formulas import cofactors, cofactors_along, determinant, sign_and_logarithm
from symtape.ops.op import ZERO, Kind, Op
from symtape.ops.registry import function, structural

_GILES = "Giles (2008), An extended collection of matrix derivative results, section 2.2.4 (determinant)"


def _over_matrix(B: Any, x: Any) -> Any:
    """One number for each matrix, where it broadcasts against the matrices."""
    return B.expand_dims(x, (-2, -1)) if B.ndim(x) else x


def _inner(B: Any, x: Any, y: Any) -> Any:
    """Sum of products over the last two axes."""
    return B.sum(B.multiply(x, y), axis=(-2, -1))


# ----------------------------------------------------------------------------------------------------------------- det


def _det_infer(inputs: tuple[Node]) -> tuple[Shape, Any]:
    check_square("det", inputs[0].shape)
    return inputs[0].shape[:-2], inputs[0].dtype


DET: Op = structural(
    "det",
    Kind.LIBRARY,
    np.linalg.det,
    _det_infer,
    vjp=(lambda B, g, y, a: B.multiply(_over_matrix(B, g), B.build(COFACTOR, (a,))),),
    jvp=(lambda B, t, y, a: _inner(B, B.build(COFACTOR, (a,)), t),),
    batch=lambda B, inputs, batched: B.build(DET, inputs),
    formula=determinant,
    source=f"{_GILES}, with the matrix of cofactors for det(A) inv(A).T",
)


@function("numpy.linalg.det")
def det(B: Any, a: Any) -> Any:
    """``np.linalg.det``; the gradient is the matrix of cofactors, for singular matrices too."""
    return B.build(DET, (as_inexact(B, "det", a),))


# ------------------------------------------------------------------------------------------------------------ cofactor


def _cofactor_value(a: Array) -> Array:
    """det(A) A⁻ᵀ where that is well determined, else by singular values.

    A = U S Vᵀ gives det(U) det(V) U S' Vᵀ with S' the products of all other singular values.
    """
    n = a.shape[-1]
    if n <= 2:
        return np.ones_like(a) if n < 2 else _cofactor_of_two(a)
    flat = a.reshape(-1, n, n)
    result = np.empty_like(flat)
    for k, matrix in enumerate(flat):
        result[k] = _cofactor_of_one(matrix)
    return result.reshape(a.shape)


def _cofactor_of_two(a: Array) -> Array:
    result = a[..., ::-1, ::-1].copy()
    result[..., 0, 1] *= -1
    result[..., 1, 0] *= -1
    return result


def _cofactor_of_one(a: Array) -> Array:
    if not np.all(np.isfinite(a)):
        return np.full_like(a, np.nan)
    u, s, vt = np.linalg.svd(a)
    if s[-1] > s[0] * np.sqrt(np.finfo(a.dtype).eps):
        determinant = np.linalg.det(a)
        if np.isfinite(determinant) and determinant != 0:
            return np.asarray(determinant * np.linalg.inv(a).T, a.dtype)
    before = np.concatenate([[1.0], np.cumprod(s[:-1])])
    after = np.concatenate([np.cumprod(s[:0:-1])[::-1], [1.0]])
    sign = np.sign(np.linalg.det(u) * np.linalg.det(vt))
    return np.asarray(sign * (u * (before * after)) @ vt, a.dtype)


def _cofactor_along(B: Any, t: Any, y: Any, a: Any) -> Any:
    """The derivative along a matrix. It is the Hessian of the determinant, so the same rule pulls back."""
    n = B.shape(a)[-1]
    if n == 1:
        return ZERO
    if n == 2:
        return B.build(COFACTOR, (t,))
    if n == 3:
        return _cofactor_along_of_three(B, t, a)
    return B.build(COFACTOR_ALONG, (t, a))


def _cofactor_along_of_three(B: Any, t: Any, a: Any) -> Any:
    """By Cayley and Hamilton: the adjugate is A² - tr(A) A + (tr(A)² - tr(A²))/2 I, and this its derivative."""
    trace_a, trace_t = (_over_matrix(B, B.trace(x, 0, -2, -1)) for x in (a, t))
    products = B.add(B.matmul(a, t), B.matmul(t, a))
    mixed = _over_matrix(B, _inner(B, a, transposed(B, t)))
    diagonal = B.multiply(B.subtract(B.multiply(trace_a, trace_t), mixed), B.const(np.eye(3, dtype=B.dtype(a))))
    linear = B.add(B.multiply(trace_t, a), B.multiply(trace_a, t))
    return transposed(B, B.add(B.subtract(products, linear), diagonal))


def _cofactor_push(B: Any, t: Any, y: Any, a: Any) -> Any:
    found = _cofactor_along(B, t, y, a)
    return None if found is ZERO else found


COFACTOR: Op = structural(
    "cofactor",
    Kind.LIBRARY,
    _cofactor_value,
    as_square("cofactor"),
    vjp=(_cofactor_along,),
    jvp=(_cofactor_push,),
    batch=lambda B, inputs, batched: B.build(COFACTOR, inputs),
    formula=cofactors,
    source="up to 3 by 3 by the theorem of Cayley and Hamilton, above by singular values",
)


def _along_value(t: Array, a: Array) -> Array:
    """A = U S Vᵀ gives det(U) det(V) U M Vᵀ with M that of the diagonal matrix S along ``T = Uᵀ t V``.

    With p[i, j] the product of all singular values but two, ``M[i, j] = -T[j, i] p[i, j]`` off the diagonal, on which
    it is the sum over k of ``T[k, k] p[i, k]``. Nothing is divided.
    """
    whole = np.isfinite(a).all(axis=(-2, -1), keepdims=True)
    u, s, vt = np.linalg.svd(np.where(whole, a, 0))
    n = a.shape[-1]
    sign = np.sign(np.linalg.det(u) * np.linalg.det(vt))[..., None, None]
    inner = np.swapaxes(u, -1, -2) @ t @ np.swapaxes(vt, -1, -2)
    own = np.eye(n, dtype=np.bool_)
    rest = np.where(own, 1, s[..., None, :])  # row i: without number i
    one = np.ones((*rest.shape[:-1], 1), a.dtype)
    before = np.concatenate([one, np.cumprod(rest[..., :-1], axis=-1)], axis=-1)
    after = np.concatenate([np.cumprod(rest[..., :0:-1], axis=-1)[..., ::-1], one], axis=-1)
    products = np.where(own, 0, before * after)
    moved = -np.swapaxes(inner, -1, -2) * products
    diagonal = np.sum(products * np.diagonal(inner, axis1=-2, axis2=-1)[..., None, :], axis=-1)
    result = sign * (u @ np.where(own, diagonal[..., None], moved) @ vt)
    return np.where(whole, result, np.nan).astype(a.dtype)


def _along_along(B: Any, e: Any, t: Any, a: Any) -> Any:
    """The derivative of `COFACTOR_ALONG` along another matrix; symmetric in both, as third derivatives are."""
    y, dy = B.build(COFACTOR, (a,)), B.build(COFACTOR_ALONG, (e, a))
    across, back = transposed(B, B.inv(a)), transposed(B, t)
    moved = B.negative(B.matmul(B.matmul(across, transposed(B, e)), across))
    first = B.multiply(_over_matrix(B, _inner(B, dy, t)), across)
    second = B.multiply(_over_matrix(B, _inner(B, y, t)), moved)
    third = B.add(B.matmul(B.matmul(moved, back), y), B.matmul(B.matmul(across, back), dy))
    return B.subtract(B.add(first, second), third)


#: The derivative of the cofactors of matrices that are larger than 3 by 3: linear and symmetric in its first input.
COFACTOR_ALONG: Op = structural(
    "cofactor_along",
    Kind.LIBRARY,
    _along_value,
    as_first,
    vjp=(
        lambda B, g, y, t, a: B.build(COFACTOR_ALONG, (g, a)),
        lambda B, g, y, t, a: _along_along(B, g, t, a),
    ),
    jvp=(
        lambda B, e, y, t, a: B.build(COFACTOR_ALONG, (e, a)),
        lambda B, e, y, t, a: _along_along(B, e, t, a),
    ),
    batch=lambda B, inputs, batched: B.build(COFACTOR_ALONG, all_batched(B, inputs, batched)),
    formula=cofactors_along,
    source="the cofactors of U S Vᵀ are det(U) det(V) times U cof(S) Vᵀ, differentiated in S",
)


@function()
def cofactor(B: Any, a: Any) -> Any:
    """The matrix of cofactors: the gradient of the determinant, the transpose of the adjugate."""
    return B.build(COFACTOR, (as_inexact(B, "cofactor", a),))


# ------------------------------------------------------------------------------------------------------------- slogdet


class SlogdetResult(NamedTuple):
    """Sign and logarithm of the absolute value of a determinant, as ``np.linalg.slogdet`` names them."""

    sign: Any
    logabsdet: Any


def _slogdet_value(a: Array) -> tuple[Any, Any]:
    sign, logabsdet = np.linalg.slogdet(a)
    return sign, logabsdet


def _slogdet_infer(inputs: tuple[Node]) -> tuple[Any, Any]:
    check_square("slogdet", inputs[0].shape)
    (a,) = inputs
    return (a.shape[:-2],) * 2, (a.dtype,) * 2


def _slogdet_pull(B: Any, g: tuple[Any, Any], y: Any, a: Any) -> Any:
    if g[1] is None:
        return ZERO  # the sign is constant wherever it has a derivative
    return B.multiply(_over_matrix(B, g[1]), transposed(B, B.inv(a)))


def _slogdet_push(B: Any, t: Any, y: tuple[Any, Any], a: Any) -> tuple[Any, Any]:
    return B.zeros(B.shape(y[0]), B.dtype(y[0])), _inner(B, transposed(B, B.inv(a)), t)


SLOGDET: Op = structural(
    "slogdet",
    Kind.LIBRARY,
    _slogdet_value,
    _slogdet_infer,
    vjp=(_slogdet_pull,),
    jvp=(_slogdet_push,),
    batch=lambda B, inputs, batched: B.build(SLOGDET, inputs),
    formula=sign_and_logarithm,
    results=2,
    source=_GILES,
)


@function("numpy.linalg.slogdet")
def slogdet(B: Any, a: Any) -> SlogdetResult:
    """``np.linalg.slogdet``."""
    return SlogdetResult(*B.build(SLOGDET, (as_inexact(B, "slogdet", a),)))
