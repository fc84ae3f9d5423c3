"""Singular values and vectors, thin, full, and of symmetric matrices by their eigenvalues.

At equal or zero singular values a derivative is the limit that `symtape.ops.confluence` tells of, or NaN with a warning
where there is none; the columns that complete a basis have none of their own.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from symtape.graph.node import Array, Node
from symtape.ops import params as param
from symtape.ops.clusters import SINGULAR_VALUES, turn
from symtape.ops.confluence import Confluence
from symtape.ops.diagonals import diagonal_length
from symtape.ops.gaps import all_columns, columns_asked
from symtape.ops.matrices import as_inexact, check_square, check_stack, symmetric_part, transposed
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, structural
from symtape.ops.regularity import pull_to_basis, push_to_complement
from symtape.ops.spectra import with_diagonal


class SVDResult(NamedTuple):
    """Left vectors as columns, singular values in descending order, right vectors as rows, as in ``np.linalg.svd``."""

    U: Any
    S: Any
    Vh: Any


def _svd_value(a: Array, full: bool) -> tuple[Array, Array, Array]:
    u, s, vh = np.linalg.svd(a, full_matrices=full)
    return u, s, vh


def _svd_infer(inputs: tuple[Node], full: bool) -> tuple[Any, Any]:
    (a,) = inputs
    check_stack("svd", a.shape)
    *lead, m, n = a.shape
    k = diagonal_length(m, n, 0)
    shapes = ((*lead, m, m if full else k), (*lead, k), (*lead, n if full else k, n))
    return shapes, (a.dtype,) * 3


def _thin(B: Any, y: tuple[Any, Any, Any]) -> tuple[Any, Any, Any, Any]:
    """Left vectors, values, right vectors as columns, and how many."""
    u, s, vh = y
    v, k = transposed(B, vh), B.shape(s)[-1]
    u, v = (q if B.shape(q)[-1] == k else B.getitem(q, (..., slice(0, k))) for q in (u, v))
    return u, s, v, k


def _to_thin(B: Any, g: Any, q: Any, k: int) -> Any:
    return g if g is None or B.shape(q)[-1] == k else pull_to_basis(B, g, q, k)


def _sum(B: Any, x: Any, y: Any) -> Any:
    return y if x is None else x if y is None else B.add(x, y)


def _turning(B: Any, x: Any) -> Any:
    """``(X - Xᵀ)/2``."""
    return B.multiply(0.5, B.subtract(x, transposed(B, x)))


def _outside(B: Any, x: Any, q: Any, inside: Any, s: Any, asked: Any, over: Any) -> Any:
    """``(I - Q Qᵀ) X / s``, from ``inside``, which is ``Qᵀ X``."""
    rest = B.subtract(x, B.matmul(q, inside))
    return over(B, rest, B.zeros(B.shape(rest)[:-1], B.dtype(rest)), s, asked, "zeros", x)


def _mixed(B: Any, left: Any, right: Any, s: Any, asked: Any, over: Any) -> Any:
    """``F ∘ (K - Kᵀ) S + S F ∘ (L - Lᵀ)`` of K (``left``) and L, either of which may be missing.

    ``F[i, j] = 1/(s[j]² - s[i]²)`` is taken apart into ``1/(s[j] - s[i])`` and ``1/(s[j] + s[i])``.
    """
    total = _sum(B, left, right)
    difference = left if right is None else B.negative(right) if left is None else B.subtract(left, right)
    apart = over(B, _turning(B, total), s, s, asked, SINGULAR_VALUES, total)
    together = over(B, _turning(B, difference), B.negative(s), s, asked, "pairs", difference)
    return B.add(apart, together)


def _svd_pull(B: Any, g: tuple[Any, Any, Any], y: tuple[Any, Any, Any], over: Any) -> Any:
    gu, gs, gvh = g
    u, s, v, k = _thin(B, y)
    gu = _to_thin(B, gu, y[0], k)
    gv = None if gvh is None else _to_thin(B, transposed(B, gvh), transposed(B, y[2]), k)
    asked = columns_asked(B, gu, gv)
    own_u = None if gu is None else B.matmul(transposed(B, u), gu)
    own_v = None if gv is None else B.matmul(transposed(B, v), gv)
    core = None if gu is None and gv is None else _mixed(B, own_u, own_v, s, asked, over)
    across = transposed(B, v)
    left = None
    if core is not None or gs is not None:
        left = B.matmul(u, with_diagonal(B, core, gs))
    if gu is not None and B.shape(u)[-2] != k:
        left = _sum(B, left, _outside(B, gu, u, own_u, s, asked, over))
    total = B.matmul(left, across)
    if gv is not None and B.shape(v)[-2] != k:
        total = B.add(total, B.matmul(u, transposed(B, _outside(B, gv, v, own_v, s, asked, over))))
    return total


def _svd_push(B: Any, t: Any, y: tuple[Any, Any, Any], over: Any) -> tuple[Any, Any, Any]:
    u, s, v, k = _thin(B, y)
    t_v, t_u = B.matmul(t, v), B.matmul(transposed(B, t), u)
    p, asked = B.matmul(transposed(B, u), t_v), all_columns(B, s)
    even = over(B, B.multiply(0.5, B.add(p, transposed(B, p))), s, s, asked, SINGULAR_VALUES, p)
    odd = over(B, _turning(B, p), B.negative(s), s, asked, "pairs", p)
    du, dv = B.matmul(u, B.add(even, odd)), B.matmul(v, B.subtract(even, odd))
    if B.shape(u)[-2] != k:
        du = B.add(du, _outside(B, t_v, u, p, s, asked, over))
    if B.shape(v)[-2] != k:
        dv = B.add(dv, _outside(B, t_u, v, transposed(B, p), s, asked, over))
    if B.shape(y[0])[-1] != k:
        du = push_to_complement(B, du, y[0], k)
    if B.shape(y[2])[-2] != k:
        dv = push_to_complement(B, dv, transposed(B, y[2]), k)
    return du, B.linalg_diagonal(p), transposed(B, dv)


def _svd_turned(B: Any, y: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
    """The columns that complete a basis stay."""
    u, s, vh = y
    k = B.shape(s)[-1]
    turned = []
    for q, side in ((u, "left"), (transposed(B, vh), "right")):
        moved = B.matmul(B.getitem(q, (..., slice(0, k))), turn(B, s, SINGULAR_VALUES, side))
        turned.append(B.concatenate([moved, B.getitem(q, (..., slice(k, None)))], axis=-1))
    return turned[0], s, transposed(B, turned[1])


_SVD_LIMITS = Confluence(SINGULAR_VALUES, 1, _svd_pull, _svd_push, _svd_turned)

SVD: Op = structural(
    "svd",
    Kind.LIBRARY,
    _svd_value,
    _svd_infer,
    vjp=(_SVD_LIMITS.vjp,),
    jvp=(_SVD_LIMITS.jvp,),
    batch=lambda B, inputs, batched, full: B.build(SVD, inputs, (full,)),
    results=3,
    params=(param.flag,),
    confluence=_SVD_LIMITS,
    source="Townsend (2016), Differentiating the singular value decomposition, equations for dU, dS, dV and their "
    "adjoint, with 1/(s[j]² - s[i]²) taken apart into differences and sums; Giles (2008), section 3.2",
)


# -------------------------------------------------------------------------------------------------- symmetric matrices


def _hermitian_value(a: Array) -> tuple[Array, Array, Array]:
    u, s, vh = np.linalg.svd(a, hermitian=True)
    return u, s, vh


def _hermitian_infer(inputs: tuple[Node]) -> tuple[Any, Any]:
    check_square("svd", inputs[0].shape)
    return _svd_infer(inputs, False)


def _with_right(B: Any, y: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
    """The results with a right vector for each left one: NumPy's is ``sign(w) * u``, which is 0 where w is."""
    u, s, vh = y
    missing = B.expand_dims(B.logical_not(B.any(B.not_equal(vh, 0), axis=-1)), -1)
    return u, s, B.where(missing, transposed(B, u), vh)


def _hermitian_pull(B: Any, g: tuple[Any, Any, Any], y: tuple[Any, Any, Any], over: Any) -> Any:
    return symmetric_part(B, _svd_pull(B, g, _with_right(B, y), over))


def _hermitian_push(B: Any, t: Any, y: tuple[Any, Any, Any], over: Any) -> tuple[Any, Any, Any]:
    return _svd_push(B, symmetric_part(B, t), _with_right(B, y), over)


_HERMITIAN_LIMITS = Confluence(
    SINGULAR_VALUES, 1, _hermitian_pull, _hermitian_push, lambda B, y: _svd_turned(B, _with_right(B, y))
)

SVD_HERMITIAN: Op = structural(
    "svd_hermitian",
    Kind.LIBRARY,
    _hermitian_value,
    _hermitian_infer,
    vjp=(_HERMITIAN_LIMITS.vjp,),
    jvp=(_HERMITIAN_LIMITS.jvp,),
    batch=lambda B, inputs, batched: B.build(SVD_HERMITIAN, inputs),
    results=3,
    confluence=_HERMITIAN_LIMITS,
    source="as that of svd, along symmetric matrices",
)

# ----------------------------------------------------------------------------------------------------------- functions


def _factors(B: Any, x: Any, hermitian: Any, *, full: bool = False) -> tuple[Any, Any, Any]:
    if hermitian:
        found: tuple[Any, Any, Any] = B.build(SVD_HERMITIAN, (x,))
        return found
    return B.build(SVD, (x,), (full and B.shape(x)[-1] != B.shape(x)[-2],))  # type: ignore[no-any-return]


def singular_values(B: Any, x: Any, *, hermitian: Any = False) -> Any:
    """Singular values in descending order."""
    return _factors(B, x, hermitian)[1]


@function("numpy.linalg.svd")
def svd(
    B: Any, a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> SVDResult | Any:
    """``np.linalg.svd``; of a hermitian matrix the derivative is symmetric."""
    x = as_inexact(B, "svd", a)
    check_stack("svd", B.shape(x))
    if not compute_uv:
        return singular_values(B, x, hermitian=hermitian)
    return SVDResult(*_factors(B, x, hermitian, full=bool(full_matrices)))


@function("numpy.linalg.svdvals", "scipy.linalg.svdvals")
def svdvals(B: Any, x: Any, /) -> Any:
    """``np.linalg.svdvals``."""
    x = as_inexact(B, "svdvals", x)
    check_stack("svdvals", B.shape(x))
    return singular_values(B, x)
