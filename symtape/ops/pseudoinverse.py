"""Least squares and what stands on the numerical rank: the pseudoinverse, ``lstsq``, the rank itself.

The derivative of a pseudoinverse exists where the rank is constant. At a matrix of full rank that is everywhere near;
at another one it holds along matrices of the same rank, and a warning says so (see `symtape.ops.regularity`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symtape.errors import MatrixShapeError
from symtape.graph.node import Array, Node
from symtape.graph.shapes import Shape, broadcast_two
from symtape.ops import params as param
from symtape.ops.arguments import is_missing
from symtape.ops.diagonals import diagonal_length
from symtape.ops.matrices import as_inexact, check_square, check_stack, padded, transposed
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, structural
from symtape.ops.regularity import constant_rank
from symtape.ops.singular_values import singular_values

_GOLUB_PEREYRA = (
    "Golub and Pereyra (1973), The differentiation of pseudo-inverses and nonlinear least squares problems whose "
    "variables separate, equation 4.12"
)


def _rtol_of_size(B: Any, x: Any) -> float:
    """NumPy's tolerance of ``rtol=None``: the larger side times eps."""
    m, n = B.shape(x)[-2:]
    return float(max(m, n) * np.finfo(B.dtype(x)).eps)


def _with_cutoffs(B: Any, inputs: Sequence[Any], batched: Sequence[bool]) -> tuple[Any, Any]:
    """Matrices and one cutoff for each, both where they broadcast."""
    a, cutoff = inputs
    if batched[0] and batched[1]:
        missing = B.ndim(a) - 2 - B.ndim(cutoff)
        cutoff = B.reshape(cutoff, (B.shape(cutoff)[0], *[1] * missing, *B.shape(cutoff)[1:]))
    elif batched[1]:
        a = B.broadcast_to(a, (B.shape(cutoff)[0], *B.shape(a)))
        missing = B.ndim(a) - 2 - B.ndim(cutoff)
        cutoff = B.reshape(cutoff, (B.shape(cutoff)[0], *[1] * missing, *B.shape(cutoff)[1:]))
    return a, cutoff


# ---------------------------------------------------------------------------------------------------------------- pinv


def _pinv_infer(inputs: tuple[Node, Node], hermitian: bool) -> tuple[Shape, Any]:
    a = inputs[0]
    check_stack("pinv", a.shape)
    if hermitian:
        check_square("pinv", a.shape)
    return (*a.shape[:-2], a.shape[-1], a.shape[-2]), a.dtype


def _sides(B: Any, y: Any, a: Any, rtol: Any) -> tuple[Any, Any, Any, Any]:
    """``I - A A⁺`` and ``I - A⁺ A``, ``A⁺ A⁺ᵀ`` and ``A⁺ᵀ A⁺``."""
    a = constant_rank(B, a, rtol)
    m, n = B.shape(a)[-2:]
    left, right = (B.diagonal_matrix(B.ones_like(B.zeros((k,), B.dtype(a)))) for k in (m, n))
    across = transposed(B, y)
    return (
        B.subtract(left, B.matmul(a, y)),
        B.subtract(right, B.matmul(y, a)),
        B.matmul(y, across),
        B.matmul(across, y),
    )


def _symmetrized(B: Any, x: Any, hermitian: bool) -> Any:
    return B.multiply(0.5, B.add(x, transposed(B, x))) if hermitian else x


def _pinv_pull(B: Any, g: Any, y: Any, a: Any, rtol: Any, hermitian: bool) -> Any:
    """``-PᵀGPᵀ + (I-AP) GᵀPPᵀ + PᵀP Gᵀ(I-PA)`` with ``P = A⁺``."""
    outside, inside, right, left = _sides(B, y, a, rtol)
    across, back = transposed(B, y), transposed(B, g)
    whole = B.negative(B.matmul(B.matmul(across, g), across))
    first = B.matmul(B.matmul(outside, back), right)
    second = B.matmul(B.matmul(left, back), inside)
    return _symmetrized(B, B.add(B.add(whole, first), second), hermitian)


def _pinv_push(B: Any, t: Any, y: Any, a: Any, rtol: Any, hermitian: bool) -> Any:
    """``-P dA P + PPᵀ dAᵀ(I-AP) + (I-PA) dAᵀ PᵀP``."""
    t = _symmetrized(B, t, hermitian)
    outside, inside, right, left = _sides(B, y, a, rtol)
    back = transposed(B, t)
    whole = B.negative(B.matmul(B.matmul(y, t), y))
    first = B.matmul(B.matmul(right, back), outside)
    second = B.matmul(B.matmul(inside, back), left)
    return B.add(B.add(whole, first), second)


PINV: Op = structural(
    "pinv",
    Kind.LIBRARY,
    np.linalg.pinv,
    _pinv_infer,
    vjp=(_pinv_pull, None),
    jvp=(_pinv_push, None),
    batch=lambda B, inputs, batched, hermitian: B.build(PINV, _with_cutoffs(B, inputs, batched), (hermitian,)),
    params=(param.flag,),
    source=_GOLUB_PEREYRA,
)


@function("numpy.linalg.pinv")
def pinv(B: Any, a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = np._NoValue) -> Any:  # noqa: SLF001 (NumPy's own default in public signatures)
    """``np.linalg.pinv``; at a matrix without full rank the derivative is that along matrices of its rank."""
    x = as_inexact(B, "pinv", a)
    check_stack("pinv", B.shape(x))
    if rcond is not None and rtol is not np._NoValue:  # noqa: SLF001
        raise ValueError("`rtol` and `rcond` can't be both set.")
    if rcond is None:
        rcond = 1e-15 if rtol is np._NoValue else _rtol_of_size(B, x) if rtol is None else rtol  # noqa: SLF001
    return B.build(PINV, (x, B.lift(rcond)), (bool(hermitian),))


# --------------------------------------------------------------------------------------------------------------- lstsq


def _lstsq_value(a: Array, b: Array, rcond: Array) -> Array:
    dtype = np.result_type(a, b)
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    x = np.empty((*lead, a.shape[-1], b.shape[-1]), dtype)
    matrices = np.broadcast_to(a, (*lead, *a.shape[-2:]))
    sides = np.broadcast_to(b, (*lead, *b.shape[-2:]))
    cutoffs = np.broadcast_to(rcond, lead)
    for place in np.ndindex(*lead):
        x[place] = np.linalg.lstsq(matrices[place], sides[place], float(cutoffs[place]))[0]
    return x


def _lstsq_infer(inputs: tuple[Node, Node, Node]) -> tuple[Shape, Any]:
    a, b, _ = inputs
    check_stack("lstsq", a.shape)
    check_stack("lstsq", b.shape)
    if a.shape[-2] != b.shape[-2]:
        raise MatrixShapeError(
            f"Incompatible dimensions: lstsq of a matrix of shape {a.shape} and a right side of shape {b.shape}; "
            f"wanted ({a.shape[-2]},) or (..., {a.shape[-2]}, k)"
        )
    lead = broadcast_two(a.shape[:-2], b.shape[:-2])
    return (*lead, a.shape[-1], b.shape[-1]), np.result_type(a.dtype, b.dtype)


def _lstsq_pull_matrix(B: Any, g: Any, x: Any, a: Any, b: Any, rcond: Any) -> Any:
    """``-Pᵀ x̄ xᵀ + r (P Pᵀ x̄)ᵀ + Pᵀx ((I-PA) x̄)ᵀ`` with ``P = A⁺`` and the residual ``r = b - A x``."""
    p = B.pinv(a, rcond)
    held = constant_rank(B, a, rcond)
    across = transposed(B, p)
    back = B.matmul(across, g)
    residual = B.subtract(b, B.matmul(held, x))
    first = B.matmul(residual, transposed(B, B.matmul(p, back)))
    free = B.subtract(g, B.matmul(p, B.matmul(held, g)))
    second = B.matmul(B.matmul(across, x), transposed(B, free))
    return B.subtract(B.add(first, second), B.matmul(back, transposed(B, x)))


def _lstsq_push_matrix(B: Any, t: Any, x: Any, a: Any, b: Any, rcond: Any) -> Any:
    """``-P dA x + P Pᵀ dAᵀ r + (I-PA) dAᵀ Pᵀ x``."""
    p = B.pinv(a, rcond)
    held = constant_rank(B, a, rcond)
    across, back = transposed(B, p), transposed(B, t)
    residual = B.subtract(b, B.matmul(held, x))
    first = B.matmul(p, B.subtract(B.matmul(across, B.matmul(back, residual)), B.matmul(t, x)))
    moved = B.matmul(back, B.matmul(across, x))
    return B.add(first, B.subtract(moved, B.matmul(p, B.matmul(held, moved))))


def _lstsq_batch(B: Any, inputs: Sequence[Any], batched: Sequence[bool]) -> Any:
    a, b, rcond = inputs
    a, b = padded(B, (a, b), batched[:2])
    if batched[2]:
        lead = max(B.ndim(a), B.ndim(b)) - 2
        rcond = B.reshape(rcond, (B.shape(rcond)[0], *[1] * (lead - B.ndim(rcond)), *B.shape(rcond)[1:]))
    return B.build(LSTSQ, (a, b, rcond))


LSTSQ: Op = structural(
    "lstsq",
    Kind.LIBRARY,
    _lstsq_value,
    _lstsq_infer,
    vjp=(
        _lstsq_pull_matrix,
        lambda B, g, x, a, b, rcond: B.matmul(transposed(B, B.pinv(constant_rank(B, a, rcond), rcond)), g),
        None,
    ),
    jvp=(
        _lstsq_push_matrix,
        lambda B, t, x, a, b, rcond: B.matmul(B.pinv(constant_rank(B, a, rcond), rcond), t),
        None,
    ),
    batch=_lstsq_batch,
    source=f"{_GOLUB_PEREYRA}, applied to the right side",
)


@function("numpy.linalg.lstsq")
def lstsq(B: Any, a: Any, b: Any, rcond: Any = None) -> tuple[Any, Any, Any, Any]:
    """``np.linalg.lstsq``, also of stacks: solution, sums of squared residuals, rank, singular values.

    As in NumPy there are no residuals of a square or wide system; those of a tall one are there whatever its rank.
    """
    a, b = as_inexact(B, "lstsq", a), as_inexact(B, "lstsq", b)
    check_stack("lstsq", B.shape(a))
    vector = B.ndim(b) == 1
    sides = B.expand_dims(b, -1) if vector else b
    if rcond is None:
        rcond = _rtol_of_size(B, a)
    rcond = B.lift(rcond)
    x = B.build(LSTSQ, (a, sides, rcond))
    m, n = B.shape(a)[-2:]
    if diagonal_length(m, n, 0) == n and m != n:
        residual = B.subtract(sides, B.matmul(a, x))
        residuals = B.sum(B.multiply(residual, residual), axis=-2)
    else:
        residuals = B.zeros((0,), B.dtype(x))
    rank = B.astype(B.build(MATRIX_RANK, (a, rcond), (False, False)), np.int32)  # LAPACK's own integer
    return (B.squeeze(x, -1) if vector else x), residuals, rank, singular_values(B, a)


# ---------------------------------------------------------------------------------------------------------------- rank


def _rank_value(a: Array, cutoff: Array, absolute: bool, hermitian: bool) -> Any:
    key = "tol" if absolute else "rtol"
    return np.asarray(np.linalg.matrix_rank(a, hermitian=hermitian, **{key: cutoff}), np.int64)


def _rank_infer(inputs: tuple[Node, Node], absolute: bool, hermitian: bool) -> tuple[Shape, Any]:
    a, cutoff = inputs
    check_stack("matrix_rank", a.shape)
    return broadcast_two(a.shape[:-2], cutoff.shape), np.dtype(np.int64)


MATRIX_RANK: Op = structural(
    "matrix_rank",
    Kind.LIBRARY,
    _rank_value,
    _rank_infer,
    differentiable=False,
    jvp=None,
    batch=lambda B, inputs, batched, *params: B.build(MATRIX_RANK, _with_cutoffs(B, inputs, batched), params),
    params=(param.flag, param.flag),
)


@function("numpy.linalg.matrix_rank")
def matrix_rank(B: Any, A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """``np.linalg.matrix_rank``: an integer, without gradient."""
    if not is_missing(tol) and not is_missing(rtol):
        raise ValueError("`tol` and `rtol` can't be both set.")
    x = as_inexact(B, "matrix_rank", A)
    if B.ndim(x) < 2:
        return B.astype(B.any(B.not_equal(x, 0)), np.dtype(np.int64))
    cutoff = tol if tol is not None else rtol if rtol is not None else _rtol_of_size(B, x)
    return B.build(MATRIX_RANK, (x, B.lift(cutoff)), (tol is not None, bool(hermitian)))
