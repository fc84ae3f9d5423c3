"""Derivatives at matrices with equal eigenvalues or singular values, as limits.

A function ``c(w, V)`` of eigenvalues and eigenvectors may have a derivative where two eigenvalues meet although V has
none: the trace of f(A), ``V f(w) Vᵀ``, a sum over the equal ones. Its gradient is then the limit of the gradients at
``V diag(w + t d) Vᵀ`` for t to 0, with the numbers d all different (so eigenvalues part and vectors stay). There each
quotient ``x / (w[j] - w[i])`` is ``x / (t (d[j] - d[i]))`` with an x that goes to zero, and its limit is ``x' / (d[j] -
d[i])`` with x' the derivative of x along d, by de l'Hôpital's rule. The gradient exists only if the limit depends
neither on d nor on the choice of V among the eigenvectors, so it is worked out for two choices of both and is NaN, with
a warning that names the pair, where they differ. For ``V f(w) Vᵀ`` this is the theorem of Daleckii and Krein (Higham
2008, Functions of Matrices, corollary 3.12); for the gradient of a function of eigenvalues alone it is the Hessian of
Lewis and Sendov (2001), Twice differentiable spectral functions.

What is needed for that, two copies of the cotangents' graph, is a body that runs only at such matrices. It is made by
`symtape.autodiff.confluent`; here are the ops that it consists of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from symtape.graph.closed import Graph
from symtape.graph.node import Array, Node
from symtape.graph.shapes import Shape
from symtape.ops import params as param
from symtape.ops.clusters import EIGENVALUES, SINGULAR_VALUES, degenerate, first_pair, is_kind
from symtape.ops.gaps import (
    alike,
    is_gap,
    of_the_stack,
    over_gaps,
    own_places,
    warn_degenerate,
    without_gap,
)
from symtape.ops.matrices import all_batched, as_first
from symtape.ops.op import Kind, Op
from symtape.ops.registry import structural


def beside_gaps(B: Any, x: Any, a: Any, b: Any, asked: Any, kind: str, whole: Any) -> Any:
    """The quotient for those who look at equal numbers themselves: 0 where there is no gap."""
    return over_gaps(B, x, a, b, asked, kind, strict=False)


def _without_limits(B: Any, x: Any, a: Any, b: Any, asked: Any, kind: str, whole: Any) -> Any:
    return over_gaps(B, x, a, b, asked, kind)


@dataclass(frozen=True, slots=True)
class Confluence:
    """What an op with eigenvalues or singular values among its results says about them.

    Attributes
    ----------
    what : str
        What the numbers are.
    values : int
        Which of the results they are; the others are vectors.
    pull : rule
        ``pull(B, g, y, over)``: the vjp, with the quotients by gaps made by ``over(B, x, a, b, asked, kind, whole)``.
    push : rule
        ``push(B, t, y, over)``: the jvp, likewise.
    turned : rule
        ``turned(B, y)``: results that are as good, their vectors turned inside each space of equal numbers.
    """

    what: str
    values: int
    pull: Callable[..., Any]
    push: Callable[..., Any]
    turned: Callable[..., Any]

    def vjp(self, B: Any, g: tuple[Any, ...], y: tuple[Any, ...], *rest: Any) -> Any:
        """The vjp of those who take no limits: equal numbers are to be treated alike; vectors of theirs are NaN."""
        k = self.values
        own = None if g[k] is None else alike(B, g[k], y[k], self.what)
        return self.pull(B, (*g[:k], own, *g[k + 1 :]), y, _without_limits)

    def jvp(self, B: Any, t: Any, y: tuple[Any, ...], *rest: Any) -> Any:
        """The jvp of those who take no limits: NaN for equal numbers that move apart, and for vectors of theirs."""
        k = self.values
        moved = self.push(B, t, y, _without_limits)
        other = self.push(B, t, self.turned(B, y), beside_gaps)[k]
        together = B.equal(alike(B, other, y[k], self.what), other)  # in both bases alike: a multiple of the identity
        nothing = B.const(np.asarray(np.nan, B.dtype(other)))
        own = B.where(together, alike(B, moved[k], y[k], self.what), nothing)
        return (*moved[:k], own, *moved[k + 1 :])


def _tolerance(x: Array) -> float:
    return float(np.sqrt(np.finfo(x.dtype).eps))


# ------------------------------------------------------------------------------------------------ quotients in the body


def _gap_limit_value(
    x: Array, slope: Array, a: Array, b: Array, along_a: Array, along_b: Array, whole: Array, kind: str
) -> Array:
    none = without_gap(a, b, kind)
    gap = np.where(none, along_b[..., None, :] - along_a[..., :, None], b[..., None, :] - a[..., :, None])
    limit = np.where(np.abs(x) <= _tolerance(x) * whole, slope, np.nan)
    own = own_places(x, kind)
    return np.where(own, 0, np.where(none, limit, x) / np.where(own, 1, gap)).astype(x.dtype)


#: ``x[i, j] / (b[j] - a[i])``; where the gap is zero the quotient of the derivatives along a direction, and NaN if x,
#: which is measured against ``whole``, is not zero.
GAP_LIMIT: Op = structural(
    "gap_limit",
    Kind.LIBRARY,
    _gap_limit_value,
    as_first,
    differentiable=False,
    jvp=None,
    batch=lambda B, inputs, batched, kind: B.build(GAP_LIMIT, all_batched(B, inputs, batched), (kind,)),
    params=(is_gap,),
)


def _gap_pole_value(x: Array, a: Array, b: Array, along_a: Array, along_b: Array, kind: str) -> Array:
    none = without_gap(a, b, kind)
    gap = np.where(none, along_b[..., None, :] - along_a[..., :, None], 1)
    return np.where(none, x / gap, 0).astype(x.dtype)


#: What ``x[i, j] / (b[j] - a[i])`` behaves like, times the inverse of the step, near where the gap is zero.
GAP_POLE: Op = structural(
    "gap_pole",
    Kind.LIBRARY,
    _gap_pole_value,
    as_first,
    differentiable=False,
    jvp=None,
    batch=lambda B, inputs, batched, kind: B.build(GAP_POLE, all_batched(B, inputs, batched), (kind,)),
    params=(is_gap,),
)


def _if_zero_value(x: Array, whole: Array) -> Array:
    return np.where(np.abs(x) <= _tolerance(x) * whole, 0, np.nan).astype(x.dtype)


#: Zero where x is zero but for rounding, as measured against ``whole``; else NaN.
IF_ZERO: Op = structural(
    "if_zero",
    Kind.LIBRARY,
    _if_zero_value,
    as_first,
    differentiable=False,
    jvp=None,
    batch=lambda B, inputs, batched: B.build(IF_ZERO, all_batched(B, inputs, batched)),
)

# ------------------------------------------------------------------------------------------------------------ confluent


def _first_found(found: Array, w: Array, what: str, own: int) -> str:
    """What to say of the first matrix with equal numbers; leading axes that a batch put in front are not the user's."""
    place = tuple(np.argwhere(found)[0])
    return first_pair(w[place], what) + of_the_stack(place[len(place) - own :])


def _confluent_value(usual: Array, w: Array, *rest: Any) -> Array:
    *operands, body, what, _, own, _ = rest
    found = degenerate(w, what)
    if not found.any():
        return np.asarray(usual)
    with np.errstate(all="ignore"):
        result, first, second, floor = body.run(operands)
        inner = tuple(k for k, n in enumerate(floor.shape) if n == 1)
        size = [np.max(np.abs(np.nan_to_num(x)), axis=inner, keepdims=True, initial=0) for x in (first, second)]
        bound = _tolerance(usual) * np.maximum(np.maximum(*size), floor)
        differ = ~(np.abs(first - second) <= bound)
    if np.any(differ & np.isfinite(usual)) and np.isfinite(w).all():
        warn_degenerate(
            f"{_first_found(found, w, what, own)}: a derivative that tells them or their vectors apart does not exist "
            "there and is NaN"
        )
    return np.where(differ, np.nan, result).astype(usual.dtype)


def _confluent_infer(inputs: tuple[Node, ...], body: Graph, *params: Any) -> tuple[Shape, Any]:
    usual, _, *operands = inputs
    if [(x.shape, x.dtype) for x in operands] != [(x.shape, x.dtype) for x in body.inputs]:
        raise ValueError("confluent: the operands are not those of the body")
    if len(body.outputs) != 4 or any(o.shape != usual.shape for o in body.outputs[:3]):
        raise ValueError("confluent: wanted a body with a result, two values to compare, and their size")
    return usual.shape, usual.dtype


def _confluent_linear(B: Any, i: int, t: Any, y: Any, usual: Any, w: Any, *rest: Any) -> Any:
    *_, what, vectors, own, shared = rest
    if i != 0:
        return None
    return where_apart(B, t, w, what, own, shared) if vectors else t


def _confluent_batch(
    B: Any, inputs: Any, batched: Any, body: Graph, what: str, vectors: bool, own: int, shared: int
) -> Any:
    together = all_batched(B, inputs, batched)
    n = B.shape(together[0])[0]
    body = B.batch_of(body, (True,) * len(body.inputs), n)
    return B.build(CONFLUENT, together, (body, what, vectors, own, shared + 1))


#: The first input where the numbers, which are the second, are all apart; else what the body makes of the others. Its
#: params: the body, what the numbers are, whether vectors had a part (else the first input is right, if anything is,
#: and so are its derivatives), how many axes a stack of the numbers has, how many leading ones the result has of these.
CONFLUENT: Op = structural(
    "confluent",
    Kind.CONTROL,
    _confluent_value,
    _confluent_infer,
    vjp=_confluent_linear,
    jvp=_confluent_linear,
    batch=_confluent_batch,
    params=(param.graph, is_kind, param.flag, param.order, param.order),
    source="Lewis and Sendov (2001), Twice differentiable spectral functions, SIAM Journal on Matrix Analysis and "
    "Applications 23, as a limit along a direction in which equal numbers part",
)

# --------------------------------------------------------------------------------------------------------------- apart

_BEYOND: Final = MappingProxyType(
    {
        EIGENVALUES: "a derivative of a derivative in which eigenvectors had a part",
        SINGULAR_VALUES: "a derivative of a derivative in which singular vectors had a part",
    }
)


def _where_apart_value(g: Array, w: Array, what: str, own: int, shared: int) -> Array:
    found = degenerate(w, what)
    if not found.any():
        return np.array(g)
    here = np.asarray(found.any(axis=tuple(range(shared, found.ndim))))
    here = here.reshape((*here.shape, *[1] * (g.ndim - here.ndim)))
    asked = here & np.any(g != 0, axis=tuple(range(shared, g.ndim)), keepdims=True)
    if np.any(asked & np.isfinite(g)):
        warn_degenerate(f"{_first_found(found, w, what, own)}: {_BEYOND[what]} is not known there and is NaN")
    return np.where(asked, np.nan, g).astype(g.dtype)


def where_apart(B: Any, g: Any, w: Any, what: str, own: int, shared: int) -> Any:
    """The cotangent or tangent of a `CONFLUENT`: as it is where the numbers are apart; else NaN, with a warning."""
    return B.build(WHERE_APART, (g, w), (what, own, shared))


WHERE_APART: Op = structural(
    "where_apart",
    Kind.LIBRARY,
    _where_apart_value,
    as_first,
    vjp=(lambda B, g, y, x, w, *params: where_apart(B, g, w, *params), None),
    jvp=(lambda B, t, y, x, w, *params: where_apart(B, t, w, *params), None),
    batch=lambda B, inputs, batched, what, own, shared: B.build(
        WHERE_APART, all_batched(B, inputs, batched), (what, own, shared + 1)
    ),
    params=(is_kind, param.order, param.order),
)
