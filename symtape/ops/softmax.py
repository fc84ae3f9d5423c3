"""logsumexp, softmax and its logarithm, right in each element also where one weight is nearly 1.

With p = softmax(x), the largest element's ``1 - p`` is what the others sum up to, and ``-log(p)`` is log1p of their
exponentials: neither is a difference. So the Jacobian of softmax, diag(p) - p*p', is taken in the form

    p*(q*t - (sum(p*t) - p*t)),   q = 1 - p = -expm1(log(p)),

in which a direction t along one axis meets no cancellation, and that of log_softmax likewise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symtape.graph.shapes import Shape, normalize_axes, reduced
from symtape.ops import params as param
from symtape.ops.arguments import only_defaults
from symtape.ops.element import Apply, Read, Reduce, Scalar, index
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, op_named, structural

Axes = tuple[int, ...]


# --------------------------------------------------------------------------------------------------------------- values


def _shifted(x: Any, axes: Axes) -> tuple[Any, Any]:
    """Elements less the largest along the axes (0 where that is infinite), and it; axes stay with length 1."""
    top = np.max(x, axis=axes, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, np.zeros((), x.dtype))
    return x - top, top


def _log_of_sum(shifted: Any, axes: Axes) -> Any:
    """The logarithm of the sum of exponentials of numbers of which the largest is 0, or infinite."""
    largest = shifted == 0
    count = np.sum(largest, axis=axes, keepdims=True, dtype=shifted.dtype)
    others = np.sum(np.where(largest, np.zeros((), shifted.dtype), np.exp(shifted)), axis=axes, keepdims=True)
    some = np.maximum(count, np.ones((), shifted.dtype))
    return np.where(count == 0, np.log(others), np.log(some) + np.log1p(others / some))


def _logsumexp_value(x: Any, axes: Axes) -> Any:
    shifted, top = _shifted(x, axes)
    return np.squeeze(_log_of_sum(shifted, axes) + top, axis=axes)


def _softmax_value(x: Any, axes: Axes) -> Any:
    exps = np.exp(x - np.max(x, axis=axes, keepdims=True, initial=-np.inf))
    return exps / np.sum(exps, axis=axes, keepdims=True)


def _log_softmax_value(x: Any, axes: Axes) -> Any:
    shifted, _ = _shifted(x, axes)
    return shifted - _log_of_sum(shifted, axes)


def _softmax_rest_value(x: Any, axes: Axes) -> Any:
    return -np.expm1(_log_softmax_value(x, axes))


# ------------------------------------------------------------------------------------------------------------- elements


def _summed_exps(x_shape: Shape, axes: Axes, kept: tuple[Any, ...], first: int) -> Reduce:
    """The sum of exp(x) over the axes; ``kept`` are the indices of the others."""
    inner, outer = iter(index(len(axes), first)), iter(kept)
    at = tuple(next(inner) if k in axes else next(outer) for k in range(len(x_shape)))
    return Reduce("sum", first, tuple(x_shape[k] for k in axes), Apply(op_named("exp"), (Read(0, at),)))


def _summed_beside(at: Any, inputs: Any, axes: Axes) -> Reduce:
    """The sum that belongs to an element of the result that has all axes."""
    return _summed_exps(inputs[0].shape, axes, tuple(i for k, i in enumerate(at) if k not in axes), len(at))


def _logsumexp_element(at: Any, inputs: Any, axes: Axes) -> Scalar:
    return Apply(op_named("log"), (_summed_exps(inputs[0].shape, axes, at, len(at)),))


def _softmax_element(at: Any, inputs: Any, axes: Axes) -> Scalar:
    return Apply(op_named("divide"), (Apply(op_named("exp"), (Read(0, at),)), _summed_beside(at, inputs, axes)))


def _log_softmax_element(at: Any, inputs: Any, axes: Axes) -> Scalar:
    return Apply(op_named("subtract"), (Read(0, at), Apply(op_named("log"), (_summed_beside(at, inputs, axes),))))


def _softmax_rest_element(at: Any, inputs: Any, axes: Axes) -> Scalar:
    total = _summed_beside(at, inputs, axes)
    others = Apply(op_named("subtract"), (total, Apply(op_named("exp"), (Read(0, at),))))
    return Apply(op_named("divide"), (others, total))


# --------------------------------------------------------------------------------------------------------------- slopes


def _total(B: Any, x: Any, axes: Axes) -> Any:
    return B.expand(B.sum(x, axis=axes), axes, B.shape(x))


def _less_mean(B: Any, t: Any, p: Any, x: Any, axes: Axes) -> Any:
    """``t - sum(p*t)``."""
    own = B.multiply(p, t)
    rest = B.build(SOFTMAX_REST, (x,), (axes,))
    return B.subtract(B.multiply(rest, t), B.subtract(_total(B, own, axes), own))


def _softmax_slope(B: Any, g: Any, out: Any, x: Any, axes: Axes) -> Any:
    """The Jacobian of softmax, which is symmetric, times ``g``."""
    return B.multiply(out, _less_mean(B, g, out, x, axes))


def _softmax_rest_slope(B: Any, g: Any, out: Any, x: Any, axes: Axes) -> Any:
    p = B.build(SOFTMAX, (x,), (axes,))
    return B.negative(_softmax_slope(B, g, p, x, axes))


def _log_softmax_vjp(B: Any, g: Any, out: Any, x: Any, axes: Axes) -> Any:
    """``g - p*sum(g)``."""
    p, rest = B.build(SOFTMAX, (x,), (axes,)), B.build(SOFTMAX_REST, (x,), (axes,))
    return B.subtract(B.multiply(rest, g), B.multiply(p, B.subtract(_total(B, g, axes), g)))


def _log_softmax_jvp(B: Any, t: Any, out: Any, x: Any, axes: Axes) -> Any:
    return _less_mean(B, t, B.build(SOFTMAX, (x,), (axes,)), x, axes)


# ------------------------------------------------------------------------------------------------------------------ ops

LOGSUMEXP: Op = structural(
    "logsumexp",
    Kind.INDEXED,
    _logsumexp_value,
    lambda inputs, axes: (reduced(inputs[0].shape, axes), inputs[0].dtype),
    vjp=(lambda B, g, out, x, axes: B.multiply(B.expand(g, axes, B.shape(x)), B.build(SOFTMAX, (x,), (axes,))),),
    jvp=(lambda B, t, out, x, axes: B.sum(B.multiply(t, B.build(SOFTMAX, (x,), (axes,))), axis=axes),),
    batch=lambda B, inputs, batched, axes: B.build(LOGSUMEXP, inputs, (tuple(a + 1 for a in axes),)),
    element=_logsumexp_element,
    params=(param.axes,),
)


def _like_input(name: str, value: Any, vjp: Any, jvp: Any, element: Any) -> Op:
    """An op whose result has the shape of what it is of."""
    op = structural(
        name,
        Kind.INDEXED,
        value,
        lambda inputs, axes: (inputs[0].shape, inputs[0].dtype),
        vjp=(vjp,),
        jvp=(jvp,),
        batch=lambda B, inputs, batched, axes: B.build(op, inputs, (tuple(a + 1 for a in axes),)),
        element=element,
        params=(param.axes,),
    )
    return op


SOFTMAX: Op = _like_input("softmax", _softmax_value, _softmax_slope, _softmax_slope, _softmax_element)
LOG_SOFTMAX: Op = _like_input(
    "log_softmax", _log_softmax_value, _log_softmax_vjp, _log_softmax_jvp, _log_softmax_element
)
SOFTMAX_REST: Op = _like_input(
    "softmax_rest", _softmax_rest_value, _softmax_rest_slope, _softmax_rest_slope, _softmax_rest_element
)

# ------------------------------------------------------------------------------------------------------------ functions


def _of_floats(B: Any, x: Any) -> Any:
    x = B.lift(x)
    return x if B.dtype(x).kind == "f" else B.astype(x, np.float64)


@function("scipy.special.logsumexp")
def logsumexp(
    B: Any, a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """``scipy.special.logsumexp``: the logarithm of a sum of exponentials (weighted by ``b``), without overflow."""
    only_defaults("logsumexp", return_sign=return_sign)
    a = _of_floats(B, a)
    if b is not None:
        a, b = B.broadcast_arrays(a, b)
    axes = normalize_axes(axis, B.ndim(a))
    if any(B.shape(a)[k] == 0 for k in axes):
        return B.log(B.sum(a, axis=axes, keepdims=keepdims))  # of nothing: -inf
    if b is None:
        result = B.build(LOGSUMEXP, (a,), (axes,))
    else:
        nothing = B.equal(b, 0)
        top = B.stop_gradient(B.max(B.where(nothing, -np.inf, a), axis=axes, keepdims=True))
        top = B.where(B.isfinite(top), top, B.zeros(B.shape(top), B.dtype(top)))
        shifted = B.subtract(a, top)
        limit = float(np.floor(np.log(np.finfo(B.dtype(a)).max)))  # no weight of zero meets an infinite exponential
        shifted = B.where(B.logical_and(nothing, B.greater(shifted, limit)), limit, shifted)
        total = B.sum(B.multiply(b, B.exp(shifted)), axis=axes)
        result = B.add(B.log(total), B.reshape(top, B.shape(total)))
    return B.expand_dims(result, axes) if keepdims and axes else result


@function("scipy.special.softmax")
def softmax(B: Any, x: Any, axis: Any = None) -> Any:
    """``scipy.special.softmax``: exponentials divided by their sum, without overflow."""
    x = _of_floats(B, x)
    return B.build(SOFTMAX, (x,), (normalize_axes(axis, B.ndim(x)),))


@function("scipy.special.log_softmax")
def log_softmax(B: Any, x: Any, axis: Any = None) -> Any:
    """``scipy.special.log_softmax``: the logarithm of softmax, without overflow and right where it is nearly 0."""
    x = _of_floats(B, x)
    return B.build(LOG_SOFTMAX, (x,), (normalize_axes(axis, B.ndim(x)),))


@function()
def softmax_rest(B: Any, x: Any, axis: Any = None) -> Any:
    """``1 - softmax(x)``: what the other elements have."""
    x = _of_floats(B, x)
    return B.build(SOFTMAX_REST, (x,), (normalize_axes(axis, B.ndim(x)),))
