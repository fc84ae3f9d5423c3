"""Where derivatives of matrix factorizations do not exist: equal eigenvalues, dependent columns, free directions.

The derivative of an eigenvector divides by the gap between two eigenvalues. Where that is zero the vectors are not
determined, and a quotient 0/0 may stand for any number, so nothing is made up: what asks for such a quotient gets NaN
and a warning that names the pair. What asks for nothing (the vectors have no cotangent, as where eigenvalues alone are
used) gets zero, so gradients that exist are right. Two eigenvalues count as equal where their gap is within what
rounding in LAPACK leaves of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from symtape.errors import DegenerateMatrixWarning
from symtape.graph.node import Array, Node
from symtape.graph.shapes import Length, Shape
from symtape.graph.source import user_frame
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, structural

_ROUNDING: Final = 8  #: times rows times eps times the largest: what counts as zero


def warn_degenerate(message: str) -> None:
    """Say that a derivative does not exist, at the line of the user's that asks for its number."""
    frame = user_frame(2)
    warnings.warn_explicit(
        message,
        DegenerateMatrixWarning,
        frame.f_code.co_filename,
        frame.f_lineno,
        module=str(frame.f_globals.get("__name__", "<unknown>")),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


def smallest(x: Array) -> float:
    """Relative size below which a quantity of a matrix is no more than rounding."""
    return float(_ROUNDING * max(x.shape[-2:]) * np.finfo(x.dtype).eps)


def transposed(B: Any, x: Any) -> Any:
    """The matrices of a stack, each transposed."""
    return B.swapaxes(x, -1, -2)


# ---------------------------------------------------------------------------------------------------------- over_gaps

_EQUAL: Final = MappingProxyType(
    {
        "eigenvalues": "eigenvalues {i} and {j} are equal ({value:.6g}), so their eigenvectors are not determined",
        "singular values": "singular values {i} and {j} are equal ({value:.6g}), so their vectors are not determined",
        "pairs": "singular values {i} and {j} are both zero, so their vectors are not determined",
        "zeros": "singular value {j} is zero, so its vectors are not determined",
    }
)


def _over_gaps_value(x: Array, a: Array, b: Array, asked: Array, what: str) -> Array:
    gap = b[..., None, :] - a[..., :, None]
    scale = np.maximum(np.max(np.abs(a), axis=-1, initial=0), np.max(np.abs(b), axis=-1, initial=0))
    own = np.eye(*x.shape[-2:], dtype=np.bool_)
    wanted = (x != 0) | asked[..., None, :]
    if what == "zeros":
        own[...] = False
    else:
        wanted |= asked[..., :, None]
    equal = ~(np.abs(gap) > smallest(x) * scale[..., None, None]) & ~own
    result = np.where(own, 0, x / np.where(equal | own, 1, gap))
    undefined = equal & wanted
    result = np.where(undefined, np.nan, np.where(equal, 0, result)).astype(x.dtype)
    told = undefined & np.isfinite(x) & np.isfinite(gap)
    if told.any():
        *lead, i, j = (int(k[0]) for k in np.nonzero(told))
        _warn_of_pair(what, lead, i, j, float(b[(*lead, j)]))
    return result


def _warn_of_pair(what: str, lead: Sequence[int], i: int, j: int, value: float) -> None:
    place = f" of matrix {tuple(lead)} of the stack" if lead else ""
    i, j = min(i, j), max(i, j) if what != "zeros" else j
    text = _EQUAL[what].format(i=i, j=j, value=value)
    warn_degenerate(f"{text}{place}: a derivative that depends on them does not exist there and is NaN")


def _same_shape(inputs: tuple[Node, ...], *params: Any) -> tuple[Shape, Any]:
    return inputs[0].shape, inputs[0].dtype


@function()
def over_gaps(B: Any, x: Any, a: Any, b: Any, asked: Any, what: str) -> Any:
    """``x[i, j] / (b[j] - a[i])``, and 0 on the diagonal (not of "zeros").

    Where the gap is zero: NaN with a warning if the element is not zero or one of the two vectors, which are the
    columns, is ``asked`` for; else 0.
    """
    return B.build(OVER_GAPS, (x, a, b, asked), (what,))


def columns_asked(B: Any, *cotangents: Any) -> Any:
    """Which vectors have a cotangent in one of the matrices of columns (None: that has none)."""
    found = None
    for g in cotangents:
        if g is not None:
            own = B.any(B.not_equal(g, 0), axis=-2)
            found = own if found is None else B.logical_or(found, own)
    return found


def all_columns(B: Any, s: Any) -> Any:
    """Each of as many vectors as there are numbers in ``s`` is asked for, as by a tangent."""
    return B.broadcast_to(B.const(np.ones((), np.bool_)), B.shape(s))


def _linear(B: Any, g: Any, a: Any, b: Any, what: str) -> Any:
    return over_gaps(B, g, a, b, columns_asked(B, g), what)


def _slope(B: Any, factor: Any, y: Any, a: Any, b: Any, what: str) -> Any:
    """The derivative of ``x/(b - a)`` in the gap, times a factor: where nothing was asked for, nothing comes back."""
    nothing = B.broadcast_to(B.const(np.zeros((), np.bool_)), B.shape(b))
    return B.multiply(factor, over_gaps(B, y, a, b, nothing, what))


def _over_gaps_batch(B: Any, inputs: Sequence[Any], batched: Sequence[bool], what: str) -> Any:
    n = next(B.shape(v)[0] for v, is_batched in zip(inputs, batched, strict=True) if is_batched)
    together = [
        v if is_batched else B.broadcast_to(v, (n, *B.shape(v))) for v, is_batched in zip(inputs, batched, strict=True)
    ]
    return B.build(OVER_GAPS, tuple(together), (what,))


#: The quotient of all derivatives of eigenvectors and singular vectors.
OVER_GAPS: Op = structural(
    "over_gaps",
    Kind.LIBRARY,
    _over_gaps_value,
    _same_shape,
    vjp=(
        lambda B, g, y, x, a, b, asked, what: _linear(B, g, a, b, what),
        lambda B, g, y, x, a, b, asked, what: B.sum(_slope(B, g, y, a, b, what), axis=-1),
        lambda B, g, y, x, a, b, asked, what: B.negative(B.sum(_slope(B, g, y, a, b, what), axis=-2)),
        None,
    ),
    jvp=(
        lambda B, t, y, x, a, b, asked, what: _linear(B, t, a, b, what),
        lambda B, t, y, x, a, b, asked, what: _slope(B, B.expand_dims(t, -1), y, a, b, what),
        lambda B, t, y, x, a, b, asked, what: B.negative(_slope(B, B.expand_dims(t, -2), y, a, b, what)),
        None,
    ),
    batch=_over_gaps_batch,
    params=(lambda value, inputs: value in _EQUAL,),
)

# --------------------------------------------------------------------------------------------------------------- alike


def _alike_value(g: Array, w: Array, what: str) -> Array:
    n = w.shape[-1]
    gap = np.abs(w[..., None, :] - w[..., :, None])
    scale = np.max(np.abs(w), axis=-1, initial=0)[..., None, None]
    apart = np.abs(g[..., None, :] - g[..., :, None])
    much = np.sqrt(np.finfo(g.dtype).eps) * np.max(np.abs(g), axis=-1, initial=0)[..., None, None]
    undefined = (gap <= _ROUNDING * n * np.finfo(w.dtype).eps * scale) & (apart > much)
    if not undefined.any():
        return np.array(g)
    *lead, i, j = (int(k[0]) for k in np.nonzero(undefined))
    place = f" of matrix {tuple(lead)} of the stack" if lead else ""
    warn_degenerate(
        f"{what} {i} and {j} are equal ({w[(*lead, j)]:.6g}){place}: each alone has no derivative there (what treats "
        "them alike has, such as their sum), so it is NaN"
    )
    return np.where(undefined.any(axis=-1), np.nan, g).astype(g.dtype)


@function()
def alike(B: Any, g: Any, w: Any, what: str) -> Any:
    """The cotangent of eigenvalues; NaN with a warning for equal ones that it does not treat alike."""
    return B.build(ALIKE, (g, w), (what,))


ALIKE: Op = structural(
    "alike",
    Kind.LIBRARY,
    _alike_value,
    _same_shape,
    vjp=(lambda B, g, y, x, w, what: g, None),
    jvp=(lambda B, t, y, x, w, what: t, None),
    batch=lambda B, inputs, batched, what: B.build(
        ALIKE,
        tuple(
            v if is_batched else B.broadcast_to(v, B.shape(inputs[batched.index(True)]))
            for v, is_batched in zip(inputs, batched, strict=True)
        ),
        (what,),
    ),
    params=(lambda value, inputs: value in ("eigenvalues", "singular values"),),
)

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
    _same_shape,
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
    _same_shape,
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
