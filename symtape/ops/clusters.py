"""Equal numbers among eigenvalues or singular values: which they are, and matrices that tell their vectors apart.

Equal eigenvalues have a space of eigenvectors and no vectors of their own. What is asked of them is asked twice: of the
basis that LAPACK found, and of one turned inside each such space. A derivative exists if both answers are the same.
Numbers count as equal where their difference is within what rounding in LAPACK leaves of it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

import numpy as np

from symtape.graph.node import Array, Node
from symtape.graph.shapes import Shape
from symtape.ops.matrices import as_first
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, structural

ROUNDING: Final = 8  #: times rows times eps times the largest: what counts as zero

EIGENVALUES: Final = "eigenvalues"
SINGULAR_VALUES: Final = "singular values"


def is_kind(value: Any, inputs: Any) -> bool:
    """Whether a param says what the numbers are."""
    return value in (EIGENVALUES, SINGULAR_VALUES)


def _largest(w: Array) -> Array:
    """The largest size, with an axis of length 1 in the place of the numbers'."""
    return np.asarray(np.max(np.abs(w), axis=-1, keepdims=True, initial=0))


def labels(w: Array) -> Array:
    """A number for each number, the same for equal ones; NaN is equal to nothing."""
    order = np.argsort(w, axis=-1)
    ordered = np.take_along_axis(w, order, axis=-1)
    steps = ~(np.diff(ordered, axis=-1) <= ROUNDING * w.shape[-1] * np.finfo(w.dtype).eps * _largest(w))
    found = np.zeros(w.shape, np.intp)
    found[..., 1:] = np.cumsum(steps, axis=-1)
    result = np.empty_like(found)
    np.put_along_axis(result, order, found, axis=-1)
    return result


def _repeated(w: Array) -> Array:
    """For each stack of numbers whether two of them are equal."""
    if w.shape[-1] < 2:
        return np.zeros(w.shape[:-1], np.bool_)
    ordered = np.sort(w, axis=-1)
    largest = np.maximum(-ordered[..., 0], ordered[..., -1])
    bound = ROUNDING * w.shape[-1] * np.finfo(w.dtype).eps * largest
    return np.asarray(((ordered[..., 1:] - ordered[..., :-1]) <= bound[..., None]).any(axis=-1))


def equal_pairs(w: Array) -> Array:
    """For each two of the numbers whether they are equal; none to itself."""
    if not _repeated(w).any():
        return np.zeros((*w.shape, w.shape[-1]), np.bool_)
    own = labels(w)
    return np.asarray((own[..., :, None] == own[..., None, :]) & ~np.eye(w.shape[-1], dtype=np.bool_))


def vanishing(s: Array) -> Array:
    """Which of some singular values are zero but for rounding."""
    return np.asarray(s <= ROUNDING * s.shape[-1] * np.finfo(s.dtype).eps * _largest(s))


def degenerate(w: Array, what: str) -> Array:
    """For each stack of numbers whether two of them are equal, or a singular value is zero."""
    repeated = _repeated(w)
    return repeated if what == EIGENVALUES else np.asarray(repeated | vanishing(w).any(axis=-1))


def first_pair(w: Array, what: str) -> str:
    """What to say of the numbers of one matrix that are equal or zero."""
    zero = np.flatnonzero(vanishing(w)) if what == SINGULAR_VALUES else np.zeros(0, np.intp)
    if zero.size:
        return f"singular value {zero[0]} is zero" if zero.size == 1 else _both_zero(int(zero[0]), int(zero[1]))
    i, j = (int(k) for k in np.argwhere(equal_pairs(w))[0])
    return f"{what} {i} and {j} are equal ({w[j]:.6g})"


def _both_zero(i: int, j: int) -> str:
    return f"singular values {i} and {j} are both zero"


# -------------------------------------------------------------------------------------------------------------- spread

#: Steps of two sequences without equal numbers: fractional parts of multiples of these are spread evenly.
_STEPS: Final = ((np.sqrt(5) - 1) / 2, np.sqrt(2) - 1)


def _spread_value(w: Array, k: int) -> Array:
    line = 0.5 + np.mod(_STEPS[k] * np.arange(1, w.shape[-1] + 1), 1)
    return np.array(np.broadcast_to(line, w.shape), w.dtype)


SPREAD: Op = structural(
    "spread",
    Kind.LIBRARY,
    _spread_value,
    as_first,
    differentiable=False,
    jvp=None,
    batch=lambda B, inputs, batched, k: B.build(SPREAD, inputs, (k,)),
    params=(lambda value, inputs: type(value) is int and value in range(len(_STEPS)),),
)


@function()
def spread(B: Any, w: Any, k: int) -> Any:
    """A direction in which equal ones of ``w`` part: different positive numbers; ``k`` chooses one of two."""
    return B.build(SPREAD, (w,), (k,))


# ---------------------------------------------------------------------------------------------------------------- turn

_SIDES: Final = MappingProxyType({"left": 0, "right": 1})


def _orthogonal(m: int, side: int) -> Array:
    """Some orthogonal matrix without a structure of its own; of a single direction on the right: its opposite."""
    if m == 1:
        return np.array([[1.0 - 2 * side]])
    q: Array = np.linalg.qr(np.cos((1 + side) * np.arange(1.0, m * m + 1) ** 2).reshape(m, m))[0]
    return q


def _turn_value(w: Array, what: str, side: str) -> Array:
    n = w.shape[-1]
    result = np.zeros((*w.shape, n), w.dtype)
    result[...] = np.eye(n)
    for place in np.argwhere(degenerate(w, what)):
        numbers, matrix = w[tuple(place)], result[tuple(place)]
        own, zero = labels(numbers), vanishing(numbers) if what == SINGULAR_VALUES else np.zeros(n, np.bool_)
        for label in np.unique(own):
            members = np.flatnonzero(own == label)
            free = zero[members].any()  # left and right vectors of zero have nothing to do with each other
            if free or len(members) > 1:
                matrix[np.ix_(members, members)] = _orthogonal(len(members), _SIDES[side] if free else 0)
    return result


def _turn_infer(inputs: tuple[Node], *params: Any) -> tuple[Shape, Any]:
    (w,) = inputs
    return (*w.shape, w.shape[-1]), w.dtype


TURN: Op = structural(
    "turn",
    Kind.LIBRARY,
    _turn_value,
    _turn_infer,
    differentiable=False,
    jvp=None,
    batch=lambda B, inputs, batched, what, side: B.build(TURN, inputs, (what, side)),
    params=(is_kind, lambda value, inputs: value in _SIDES),
)


@function()
def turn(B: Any, w: Any, what: str, side: str = "left") -> Any:
    """Orthogonal matrices that turn vectors of equal numbers into each other and leave all others as they are.

    Left and right vectors turn alike, but for those of singular values that are zero.
    """
    return B.build(TURN, (w,), (what, side))
