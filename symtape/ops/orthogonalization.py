"""QR factors of tall, square and wide matrices."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from symtape.graph.node import Array, Node
from symtape.graph.shapes import Length
from symtape.ops import params as param
from symtape.ops.diagonals import diagonal_length
from symtape.ops.matrices import as_inexact, check_stack, transposed
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, structural
from symtape.ops.regularity import pull_to_basis, push_to_complement, regular


class QRResult(NamedTuple):
    """Orthogonal and triangular factor, as ``np.linalg.qr`` names them."""

    Q: Any
    R: Any


def _qr_value(a: Array, complete: bool) -> tuple[Array, Array]:
    q, r = np.linalg.qr(a, "complete" if complete else "reduced")
    return q, r


def _qr_infer(inputs: tuple[Node], complete: bool) -> tuple[Any, Any]:
    (a,) = inputs
    check_stack("qr", a.shape)
    *lead, m, n = a.shape
    k = m if complete else diagonal_length(m, n, 0)
    return ((*lead, m, k), (*lead, k, n)), (a.dtype,) * 2


def _parts(B: Any, x: Any, k: Length) -> tuple[Any, Any]:
    """The first ``k`` columns, and the others (None: there are none)."""
    if B.shape(x)[-1] == k:
        return x, None
    return B.getitem(x, (..., slice(0, k))), B.getitem(x, (..., slice(k, None)))


def _over_triangle(B: Any, x: Any, r: Any, *, trans: int) -> Any:
    """``X R⁻¹``, or ``X R⁻ᵀ`` where ``trans`` is 0."""
    return transposed(B, B.solve_triangular(r, transposed(B, x), trans=trans))


def _qr_pull(B: Any, g: tuple[Any, Any], y: tuple[Any, Any], a: Any, complete: bool) -> Any:
    """``(Q̄ + Q copyltu(M)) R⁻ᵀ`` with ``M = R R̄ᵀ - Q̄ᵀ Q``, of the leading square or tall part."""
    (gq, gr), (q, r) = g, y
    m, n = B.shape(a)[-2:]
    k = diagonal_length(m, n, 0)
    if B.shape(q)[-1] != k:  # a tall matrix with the complete basis: the rows below the triangle are zero
        gq = None if gq is None else pull_to_basis(B, gq, q, k)
        q = B.getitem(q, (..., slice(0, k)))
        r, gr = (None if x is None else B.getitem(x, (..., slice(0, k), slice(None))) for x in (r, gr))
    own, _ = _parts(B, r, k)
    _, rest = _parts(B, a, k)
    gown, grest = (None, None) if gr is None else _parts(B, gr, k)
    if rest is not None and grest is not None:  # R's further columns are Qᵀ times those of the matrix
        extra = B.matmul(rest, transposed(B, grest))
        gq = extra if gq is None else B.add(gq, extra)
    terms = []
    if gown is not None:
        terms.append(B.matmul(own, transposed(B, B.triu(gown))))
    if gq is not None:
        terms.append(B.negative(B.matmul(transposed(B, gq), q)))
    m_lower = terms[0] if len(terms) == 1 else B.add(*terms)
    lower = B.tril(m_lower, -1)
    alike = B.add(B.tril(m_lower), transposed(B, lower))
    moved = B.matmul(q, alike)
    moved = moved if gq is None else B.add(gq, moved)
    pulled = _over_triangle(B, moved, regular(B, own, "triangle"), trans=0)
    if rest is None:
        return pulled
    other = B.zeros(B.shape(rest), B.dtype(rest)) if grest is None else B.matmul(q, grest)
    return B.concatenate([pulled, other], axis=-1)


def _qr_push(B: Any, t: Any, y: tuple[Any, Any], a: Any, complete: bool) -> tuple[Any, Any]:
    """``dQ = Q Ω + (I - Q Qᵀ) W`` and ``dR = Qᵀ dA - Ω R`` with ``W = dA R⁻¹``, Ω from the lower triangle of QᵀW."""
    q, r = y
    m, n = B.shape(a)[-2:]
    k = diagonal_length(m, n, 0)
    below = B.shape(q)[-1] != k
    first, upper = q, r
    if below:
        first, upper = B.getitem(q, (..., slice(0, k))), B.getitem(r, (..., slice(0, k), slice(None)))
    own, _ = _parts(B, upper, k)
    w = _over_triangle(B, _parts(B, t, k)[0], regular(B, own, "triangle"), trans=1)
    c = B.matmul(transposed(B, first), w)
    lower = B.tril(c, -1)
    turn = B.subtract(lower, transposed(B, lower))
    dq = B.matmul(first, turn)
    if m != k:
        dq = B.add(dq, B.subtract(w, B.matmul(first, c)))
    dr = B.subtract(B.matmul(transposed(B, first), t), B.matmul(turn, upper))
    dr = B.triu(dr)
    if below:
        dr = B.concatenate([dr, B.zeros((*B.shape(r)[:-2], m - k, n), B.dtype(r))], axis=-2)
        dq = push_to_complement(B, dq, q, k)
    return dq, dr


QR: Op = structural(
    "qr",
    Kind.LIBRARY,
    _qr_value,
    _qr_infer,
    vjp=(_qr_pull,),
    jvp=(_qr_push,),
    batch=lambda B, inputs, batched, complete: B.build(QR, inputs, (complete,)),
    results=2,
    params=(param.flag,),
    source="Seeger and others (2017), Auto-differentiating linear algebra, arXiv:1710.08717, the operator gelqf (of "
    "the transpose); Walter and Lehmann (2012), Algorithmic differentiation of linear algebra functions; "
    "wide matrices: Roberts and Roberts (2020), QR and LQ decomposition matrix backpropagation algorithms for square, "
    "wide, and deep matrices, arXiv:2009.10071",
)


@function("numpy.linalg.qr")
def qr(B: Any, a: Any, mode: str = "reduced") -> QRResult | Any:
    """``np.linalg.qr`` with the modes reduced, complete and r."""
    if mode == "raw":
        raise TypeError(
            "np.linalg.qr(a, mode='raw') gives LAPACK's reflectors, which are not recorded; write mode='reduced' or "
            "'complete'"
        )
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"Unrecognized mode '{mode}'; wanted 'reduced', 'complete' or 'r'")
    x = as_inexact(B, "qr", a)
    check_stack("qr", B.shape(x))
    m, n = B.shape(x)[-2:]
    complete = mode == "complete" and diagonal_length(m, n, 0) != m
    q, r = B.build(QR, (x,), (complete,))
    return r if mode == "r" else QRResult(q, r)
