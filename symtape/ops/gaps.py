"""Quotients by gaps between eigenvalues or singular values, and cotangents of equal ones.

The derivative of an eigenvector divides by the gap between two eigenvalues. Where that is zero the vectors are not
determined, and a quotient 0/0 may stand for any number, so nothing is made up: what asks for such a quotient gets NaN
and a warning that names the pair. What asks for nothing (the vectors have no cotangent, as where eigenvalues alone are
used) gets zero, so gradients that exist are right. Derivatives that exist although they ask for such a quotient are
limits: see `symtape.ops.confluence`.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from symtape.errors import DegenerateMatrixWarning
from symtape.graph.node import Array, Node
from symtape.graph.source import user_frame
from symtape.ops import params as param
from symtape.ops.clusters import EIGENVALUES, SINGULAR_VALUES, equal_pairs, is_kind, vanishing
from symtape.ops.matrices import all_batched, as_first
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, structural


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


def of_the_stack(place: Sequence[int]) -> str:
    """Which matrix of a stack, for a message; nothing of a single matrix."""
    return f" of matrix {tuple(map(int, place))} of the stack" if len(place) else ""


# ---------------------------------------------------------------------------------------------------------- over_gaps

#: The kinds of quotient, and what to say where the gap is zero.
GAPS: Final = MappingProxyType(
    {
        EIGENVALUES: "eigenvalues {i} and {j} are equal ({value:.6g}), so their eigenvectors are not determined",
        SINGULAR_VALUES: "singular values {i} and {j} are equal ({value:.6g}), so their vectors are not determined",
        "pairs": "singular values {i} and {j} are both zero, so their vectors are not determined",
        "zeros": "singular value {j} is zero, so its vectors are not determined",
    }
)


def is_gap(value: Any, inputs: Sequence[Node]) -> bool:
    """Whether a param names a kind of quotient."""
    return value in GAPS


def own_places(x: Array, kind: str) -> Array:
    """Where a gap is that of a number to itself: the diagonal, which is not asked for (of "zeros" all is)."""
    return np.zeros(x.shape[-2:], np.bool_) if kind == "zeros" else np.eye(x.shape[-1], dtype=np.bool_)


def without_gap(a: Array, b: Array, kind: str) -> Array:
    """Where ``b[j] - a[i]`` is zero but for rounding."""
    if kind in (EIGENVALUES, SINGULAR_VALUES):
        return equal_pairs(b)
    zero = vanishing(b)
    if kind == "zeros":
        return np.broadcast_to(zero[..., None, :], (*a.shape, b.shape[-1]))
    return np.asarray(zero[..., None, :] & zero[..., :, None] & ~np.eye(b.shape[-1], dtype=np.bool_))


def _over_gaps_value(x: Array, a: Array, b: Array, asked: Array, kind: str, strict: bool) -> Array:
    gap = b[..., None, :] - a[..., :, None]
    equal = without_gap(a, b, kind)
    nothing = equal | own_places(x, kind)
    gap[nothing] = np.inf
    result = np.where(nothing, 0, x / gap)
    if not strict or not equal.any():
        return result
    wanted = (x != 0) | asked[..., None, :]
    if kind != "zeros":
        wanted |= asked[..., :, None]
    undefined = equal & wanted
    told = undefined & np.isfinite(x)
    if told.any():
        *lead, i, j = (int(k[0]) for k in np.nonzero(told))
        _warn_of_pair(kind, lead, i, j, float(b[(*lead, j)]))
    return np.where(undefined, np.nan, result).astype(x.dtype)


def _warn_of_pair(kind: str, lead: Sequence[int], i: int, j: int, value: float) -> None:
    i, j = min(i, j), max(i, j) if kind != "zeros" else j
    text = GAPS[kind].format(i=i, j=j, value=value)
    warn_degenerate(f"{text}{of_the_stack(lead)}: a derivative that depends on them does not exist there and is NaN")


@function()
def over_gaps(B: Any, x: Any, a: Any, b: Any, asked: Any, kind: str, *, strict: bool = True) -> Any:
    """``x[i, j] / (b[j] - a[i])``, and 0 on the diagonal (not of "zeros").

    Where the gap is zero: NaN with a warning if the element is not zero or one of the two vectors, which are the
    columns, is ``asked`` for; else 0. If not ``strict``, always 0: for those who look at such matrices themselves.
    """
    return B.build(OVER_GAPS, (x, a, b, asked), (kind, strict))


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


def _linear(B: Any, g: Any, a: Any, b: Any, kind: str, strict: bool) -> Any:
    return over_gaps(B, g, a, b, columns_asked(B, g), kind, strict=strict)


def _slope(B: Any, factor: Any, y: Any, a: Any, b: Any, kind: str, strict: bool) -> Any:
    """The derivative of ``x/(b - a)`` in the gap, times a factor: where nothing was asked for, nothing comes back."""
    nothing = B.broadcast_to(B.const(np.zeros((), np.bool_)), B.shape(b))
    return B.multiply(factor, over_gaps(B, y, a, b, nothing, kind, strict=strict))


#: The quotient of all derivatives of eigenvectors and singular vectors.
OVER_GAPS: Op = structural(
    "over_gaps",
    Kind.LIBRARY,
    _over_gaps_value,
    as_first,
    vjp=(
        lambda B, g, y, x, a, b, asked, *how: _linear(B, g, a, b, *how),
        lambda B, g, y, x, a, b, asked, *how: B.sum(_slope(B, g, y, a, b, *how), axis=-1),
        lambda B, g, y, x, a, b, asked, *how: B.negative(B.sum(_slope(B, g, y, a, b, *how), axis=-2)),
        None,
    ),
    jvp=(
        lambda B, t, y, x, a, b, asked, *how: _linear(B, t, a, b, *how),
        lambda B, t, y, x, a, b, asked, *how: _slope(B, B.expand_dims(t, -1), y, a, b, *how),
        lambda B, t, y, x, a, b, asked, *how: B.negative(_slope(B, B.expand_dims(t, -2), y, a, b, *how)),
        None,
    ),
    batch=lambda B, inputs, batched, *how: B.build(OVER_GAPS, all_batched(B, inputs, batched), how),
    params=(is_gap, param.flag),
)

# --------------------------------------------------------------------------------------------------------------- alike


def _alike_value(g: Array, w: Array, what: str) -> Array:
    much = np.sqrt(np.finfo(g.dtype).eps) * np.max(np.abs(g), axis=-1, initial=0)[..., None]
    undefined = equal_pairs(w) & (np.abs(g[..., None, :] - g[..., :, None]) > much[..., None])
    kinks = vanishing(w) & (np.abs(g) > much) if what == SINGULAR_VALUES else np.zeros(w.shape, np.bool_)
    if undefined.any():
        *lead, i, j = (int(k[0]) for k in np.nonzero(undefined))
        warn_degenerate(
            f"{what} {i} and {j} are equal ({w[(*lead, j)]:.6g}){of_the_stack(lead)}: each alone has no derivative "
            "there (what treats them alike has, such as their sum), so it is NaN"
        )
    elif kinks.any():
        *lead, j = (int(k[0]) for k in np.nonzero(kinks))
        warn_degenerate(
            f"singular value {j} is zero{of_the_stack(lead)}: it has a corner there as abs(x) has at 0 (an even "
            "function of it has none), so what asks for its derivative is NaN"
        )
    else:
        return np.array(g)
    return np.where(undefined.any(axis=-1) | kinks, np.nan, g).astype(g.dtype)


@function()
def alike(B: Any, g: Any, w: Any, what: str) -> Any:
    """The cotangent of eigenvalues; NaN with a warning for equal ones that it does not treat alike.

    So too for a singular value that is zero and has a cotangent.
    """
    return B.build(ALIKE, (g, w), (what,))


ALIKE: Op = structural(
    "alike",
    Kind.LIBRARY,
    _alike_value,
    as_first,
    vjp=(lambda B, g, y, x, w, what: g, None),
    jvp=(lambda B, t, y, x, w, what: t, None),
    batch=lambda B, inputs, batched, what: B.build(ALIKE, all_batched(B, inputs, batched), (what,)),
    params=(is_kind,),
)
