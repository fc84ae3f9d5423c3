"""Where factors of a matrix have no derivative, but for equal numbers: dependent columns, directions that are free.

What asks for such a derivative gets NaN and a warning that says which columns, values or vectors are the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from symtape.graph.node import Array
from symtape.graph.shapes import Length
from symtape.ops.clusters import ROUNDING
from symtape.ops.gaps import warn_degenerate
from symtape.ops.matrices import as_first, transposed
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, structural


def smallest(x: Array) -> float:
    """Relative size below which a quantity of a matrix is no more than rounding."""
    return float(ROUNDING * max(x.shape[-2:]) * np.finfo(x.dtype).eps)


# ------------------------------------------------------------------------------------------------------------- regular


def _fault_of_triangle(x: Array) -> str | None:
    size = np.abs(np.diagonal(x))
    if size.size == 0 or size.min() > smallest(x) * size.max():
        return None
    return f"column {int(np.argmin(size))} depends on the columns before it, so the QR factors have no derivative"


def _fault_of_eigenvectors(x: Array) -> str | None:
    s = np.linalg.svd(x, compute_uv=False)
    if s.size == 0 or s[-1] > np.sqrt(np.finfo(x.dtype).eps) * 4 * s[0]:
        return None
    overlap = np.abs(x.T @ x) - 2 * np.eye(len(x))
    i, j = sorted(int(k) for k in np.unravel_index(np.argmax(overlap), overlap.shape))
    return (
        f"eigenvalues {i} and {j} share one eigenvector (the matrix is defective), so eigenvalues and eigenvectors "
        "have no derivative"
    )


def _fault_of_singular(x: Array) -> str | None:
    s = np.linalg.svd(x, compute_uv=False)
    if s.size == 0 or s[-1] > smallest(x) * s[0]:
        return None
    return f"singular value {len(s) - 1} of the matrix is zero, so this function of it has no derivative"


def _fault_of_complement(x: Array) -> str | None:
    n = x.shape[-1]
    turn = x[-n:] - x[-n:].T
    if np.abs(turn).max(initial=0) <= np.sqrt(np.finfo(x.dtype).eps) * np.abs(x).max(initial=0):
        return None
    i, j = sorted(int(k) for k in np.unravel_index(np.argmax(np.abs(turn)), turn.shape))
    first = x.shape[-2] - n
    return (
        f"columns {first + i} and {first + j} of the square factor may be turned into each other (only the space that "
        "they span is determined), so they have no derivative"
    )


_FAULTS: Final = MappingProxyType(
    {
        "triangle": _fault_of_triangle,
        "eigenvectors": _fault_of_eigenvectors,
        "nonsingular": _fault_of_singular,
        "complement": _fault_of_complement,
    }
)


def _regular_value(x: Array, what: str) -> Array:
    if x.size == 0:
        return np.array(x)
    flat = x.reshape(-1, *x.shape[-2:]).copy()
    for k, matrix in enumerate(flat):
        if not np.isfinite(matrix).all():
            matrix[...] = np.nan
            continue
        fault = _FAULTS[what](matrix)
        if fault is not None:
            place = f" (matrix {k} of the stack)" if len(flat) > 1 else ""
            warn_degenerate(f"{fault}{place}: what asks for it is NaN")
            matrix[...] = np.nan
    return flat.reshape(x.shape)


@function()
def regular(B: Any, x: Any, what: str) -> Any:
    """The matrices as they are, and NaN with a warning for those whose factors have no derivative.

    ``what`` says what is looked at: a "triangle" R of a QR factorization, the matrix of "eigenvectors", one that has
    to be "nonsingular", or the cotangent of a "complement" in the basis that it completes.
    """
    return B.build(REGULAR, (x,), (what,))


REGULAR: Op = structural(
    "regular",
    Kind.LIBRARY,
    _regular_value,
    as_first,
    vjp=(lambda B, g, y, x, what: g,),
    jvp=(lambda B, t, y, x, what: t,),
    batch=lambda B, inputs, batched, what: B.build(REGULAR, inputs, (what,)),
    params=(lambda value, inputs: value in _FAULTS,),
)

# ------------------------------------------------------------------------------------------------------- constant rank


def _constant_rank_value(a: Array, rtol: Array) -> Array:
    result = np.array(a)
    if a.size == 0:
        return result
    flat = result.reshape(-1, *a.shape[-2:])
    cutoffs = np.broadcast_to(rtol, a.shape[:-2]).reshape(-1)
    for k, (matrix, cutoff) in enumerate(zip(flat, cutoffs, strict=True)):
        if not np.isfinite(matrix).all():
            continue
        s = np.linalg.svd(matrix, compute_uv=False)
        rank = int(np.count_nonzero(s > cutoff * s[0]))
        if rank == len(s):
            continue
        place = f" of matrix {k} of the stack" if len(flat) > 1 else ""
        if s[rank] <= smallest(a) * s[0]:
            warn_degenerate(
                f"singular value {rank}{place} is zero: where the rank changes the pseudoinverse jumps, so this "
                f"derivative is right only along matrices of rank {rank}"
            )
        else:
            warn_degenerate(
                f"singular value {rank}{place} is {s[rank]:.3g} and counts as zero by rcond: the derivative of a "
                "pseudoinverse that leaves it out is not known here and is NaN"
            )
            matrix[...] = np.nan
    return result


@function()
def constant_rank(B: Any, a: Any, rtol: Any) -> Any:
    """The matrices as they are, with a warning where they have not full rank: see Golub and Pereyra (1973)."""
    return B.build(CONSTANT_RANK, (a, B.lift(rtol)))


def _constant_rank_batch(B: Any, inputs: Sequence[Any], batched: Sequence[bool]) -> Any:
    a, rtol = inputs
    if not batched[0]:
        a = B.broadcast_to(a, (B.shape(rtol)[0], *B.shape(a)))
    elif batched[1]:
        missing = B.ndim(a) - 2 - B.ndim(rtol)
        rtol = B.reshape(rtol, (B.shape(rtol)[0], *[1] * missing, *B.shape(rtol)[1:]))
    return B.build(CONSTANT_RANK, (a, rtol))


CONSTANT_RANK: Op = structural(
    "constant_rank",
    Kind.LIBRARY,
    _constant_rank_value,
    as_first,
    vjp=(lambda B, g, y, a, rtol: g, None),
    jvp=(lambda B, t, y, a, rtol: t, None),
    batch=_constant_rank_batch,
)

# ------------------------------------------------------------------------------------------ completed orthogonal bases


def pull_to_basis(B: Any, g: Any, q: Any, k: Length) -> Any:
    """Cotangent of the first ``k`` columns of an orthogonal matrix from that of all.

    The others complete a basis: ``Q₁ᵀ dQ₂ = -(Q₂ᵀ dQ₁)ᵀ``, and ``Q₂ᵀ dQ₂`` is free, so a function that depends on it
    has no derivative.
    """
    inside = regular(B, B.matmul(transposed(B, q), B.getitem(g, (..., slice(k, None)))), "complement")
    across = transposed(B, B.getitem(inside, (..., slice(0, k), slice(None))))
    moved = B.matmul(B.getitem(q, (..., slice(k, None))), across)
    return B.subtract(B.getitem(g, (..., slice(0, k))), moved)


def push_to_complement(B: Any, t: Any, q: Any, k: Length) -> Any:
    """Tangent of an orthogonal matrix from that of its first ``k`` columns; the others do not turn among themselves."""
    first, rest = (B.getitem(q, (..., part)) for part in (slice(0, k), slice(k, None)))
    return B.concatenate([t, B.negative(B.matmul(first, B.matmul(transposed(B, t), rest)))], axis=-1)
