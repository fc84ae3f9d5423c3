"""Singular values and vectors, thin, full, and of symmetric matrices by their eigenvalues.

A derivative of vectors that are not determined (equal or zero singular values, the columns that complete a basis) is
NaN with a warning; functions of singular values alone are not concerned (see `symtape.ops.gaps`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from symtape.graph.node import Array, Node
from symtape.ops import params as param
from symtape.ops.diagonals import diagonal_length
from symtape.ops.gaps import alike, all_columns, columns_asked, over_gaps, pull_to_basis, push_to_complement, transposed
from symtape.ops.matrices import as_inexact, check_square, check_stack
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, structural
from symtape.ops.spectra import pull_eigh, push_eigh, with_diagonal


class SVDResult(NamedTuple):
    """Left vectors as columns, singular values in descending order, right vectors as rows, as in ``np.linalg.svd``."""

    U: Any
    S: Any
    Vh: Any


def _svd_value(a: Array, full: bool, hermitian: bool) -> tuple[Array, Array, Array]:
    u, s, vh = np.linalg.svd(a, full_matrices=full, hermitian=hermitian)
    return u, s, vh


def _svd_infer(inputs: tuple[Node], full: bool, hermitian: bool) -> tuple[Any, Any]:
    (a,) = inputs
    check_stack("svd", a.shape)
    if hermitian:
        check_square("svd", a.shape)
    *lead, m, n = a.shape
    k = diagonal_length(m, n, 0)
    shapes = ((*lead, m, m if full else k), (*lead, k), (*lead, n if full else k, n))
    return shapes, (a.dtype,) * 3


def _thin(B: Any, y: tuple[Any, Any, Any], full: bool) -> tuple[Any, Any, Any, Any]:
    """Left vectors, values, right vectors as columns, and how many."""
    u, s, vh = y
    v, k = transposed(B, vh), B.shape(s)[-1]
    if full:
        u, v = (B.getitem(q, (..., slice(0, k))) if B.shape(q)[-1] != k else q for q in (u, v))
    return u, s, v, k


def _to_thin(B: Any, g: Any, q: Any, k: int) -> Any:
    return g if g is None or B.shape(q)[-1] == k else pull_to_basis(B, g, q, k)


def _sum(B: Any, x: Any, y: Any) -> Any:
    return y if x is None else x if y is None else B.add(x, y)


def _outside(B: Any, x: Any, q: Any, inside: Any, s: Any, asked: Any) -> Any:
    """``(I - Q Qᵀ) X / s``, from ``inside``, which is ``Qᵀ X``."""
    rest = B.subtract(x, B.matmul(q, inside))
    return over_gaps(B, rest, B.zeros(B.shape(rest)[:-1], B.dtype(rest)), s, asked, "zeros")


def _mixed(B: Any, left: Any, right: Any, s: Any, asked: Any) -> Any:
    """``F ∘ (K - Kᵀ) S + S F ∘ (L - Lᵀ)`` of K (``left``) and L, either of which may be missing.

    ``F[i, j] = 1/(s[j]² - s[i]²)`` is taken apart into ``1/(s[j] - s[i])`` and ``1/(s[j] + s[i])``.
    """
    difference = left if right is None else B.negative(right) if left is None else B.subtract(left, right)
    apart = over_gaps(B, _sum(B, left, right), s, s, asked, "singular values")
    together = over_gaps(B, difference, B.negative(s), s, asked, "pairs")
    even = B.add(apart, transposed(B, apart))
    odd = B.subtract(together, transposed(B, together))
    return B.multiply(0.5, B.add(even, odd))


def _svd_pull(B: Any, g: tuple[Any, Any, Any], y: tuple[Any, Any, Any], a: Any, full: bool, hermitian: bool) -> Any:
    gu, gs, gvh = g
    if hermitian:
        return _hermitian_pull(B, g, y)
    u, s, v, k = _thin(B, y, full)
    gu = _to_thin(B, gu, y[0], k)
    gv = None if gvh is None else _to_thin(B, transposed(B, gvh), transposed(B, y[2]), k)
    asked = columns_asked(B, gu, gv)
    own_u = None if gu is None else B.matmul(transposed(B, u), gu)
    own_v = None if gv is None else B.matmul(transposed(B, v), gv)
    core = None if gu is None and gv is None else _mixed(B, own_u, own_v, s, asked)
    across = transposed(B, v)
    left = None
    if core is not None or gs is not None:
        gs = None if gs is None else alike(B, gs, s, "singular values")
        left = B.matmul(u, with_diagonal(B, core, gs))
    if gu is not None and B.shape(u)[-2] != k:
        left = _sum(B, left, _outside(B, gu, u, own_u, s, asked))
    total = B.matmul(left, across)
    if gv is not None and B.shape(v)[-2] != k:
        total = B.add(total, B.matmul(u, transposed(B, _outside(B, gv, v, own_v, s, asked))))
    return total


def _svd_push(B: Any, t: Any, y: tuple[Any, Any, Any], a: Any, full: bool, hermitian: bool) -> tuple[Any, Any, Any]:
    if hermitian:
        return _hermitian_push(B, t, y)
    u, s, v, k = _thin(B, y, full)
    t_v, t_u = B.matmul(t, v), B.matmul(transposed(B, t), u)
    p, asked = B.matmul(transposed(B, u), t_v), all_columns(B, s)
    apart = over_gaps(B, p, s, s, asked, "singular values")
    together = over_gaps(B, p, B.negative(s), s, asked, "pairs")
    even, odd = (B.multiply(0.5, B.subtract(x, transposed(B, x))) for x in (apart, together))
    du, dv = B.matmul(u, B.add(even, odd)), B.matmul(v, B.subtract(even, odd))
    if B.shape(u)[-2] != k:
        du = B.add(du, _outside(B, t_v, u, p, s, asked))
    if B.shape(v)[-2] != k:
        dv = B.add(dv, _outside(B, t_u, v, transposed(B, p), s, asked))
    if B.shape(y[0])[-1] != k:
        du = push_to_complement(B, du, y[0], k)
    if B.shape(y[2])[-2] != k:
        dv = push_to_complement(B, dv, transposed(B, y[2]), k)
    return du, B.linalg_diagonal(p), transposed(B, dv)


def _signs(B: Any, u: Any, vh: Any) -> Any:
    """The sign of each eigenvalue, from ``v = sign * u``."""
    return B.sign(B.sum(B.multiply(u, transposed(B, vh)), axis=-2))


def _hermitian_pull(B: Any, g: tuple[Any, Any, Any], y: tuple[Any, Any, Any]) -> Any:
    (gu, gs, gvh), (u, s, vh) = g, y
    signs = _signs(B, u, vh)
    gv = None if gvh is None else B.multiply(transposed(B, gvh), B.expand_dims(signs, -2))
    total = None if gu is None and gv is None else _sum(B, gu, gv)
    return pull_eigh(B, None if gs is None else B.multiply(gs, signs), total, B.multiply(s, signs), u)


def _hermitian_push(B: Any, t: Any, y: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
    u, s, vh = y
    signs = _signs(B, u, vh)
    dw, du = push_eigh(B, t, B.multiply(s, signs), u)
    return du, B.multiply(dw, signs), transposed(B, B.multiply(du, B.expand_dims(signs, -2)))


SVD: Op = structural(
    "svd",
    Kind.LIBRARY,
    _svd_value,
    _svd_infer,
    vjp=(_svd_pull,),
    jvp=(_svd_push,),
    batch=lambda B, inputs, batched, full, hermitian: B.build(SVD, inputs, (full, hermitian)),
    results=3,
    params=(param.flag, param.flag),
    source="Townsend (2016), Differentiating the singular value decomposition, equations for dU, dS, dV and their "
    "adjoint, with 1/(s[j]² - s[i]²) taken apart into differences and sums; Giles (2008), section 3.2",
)


def singular_values(B: Any, x: Any, *, hermitian: bool = False) -> Any:
    """Singular values in descending order."""
    return B.build(SVD, (x,), (False, hermitian))[1]


@function("numpy.linalg.svd")
def svd(
    B: Any, a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> SVDResult | Any:
    """``np.linalg.svd``; of a hermitian matrix the derivative is symmetric."""
    x = as_inexact(B, "svd", a)
    check_stack("svd", B.shape(x))
    if not compute_uv:
        return singular_values(B, x, hermitian=bool(hermitian))
    square = B.shape(x)[-1] == B.shape(x)[-2]
    return SVDResult(*B.build(SVD, (x,), (bool(full_matrices) and not square, bool(hermitian))))


@function("numpy.linalg.svdvals", "scipy.linalg.svdvals")
def svdvals(B: Any, x: Any, /) -> Any:
    """``np.linalg.svdvals``."""
    x = as_inexact(B, "svdvals", x)
    check_stack("svdvals", B.shape(x))
    return singular_values(B, x)
