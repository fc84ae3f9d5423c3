"""Special functions, and the stable forms of log-sum-exp, softmax, sigmoid and softplus.

Values come from `scipy.special`, imported when the first of them is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.shapes import Shape, normalize_axes, reduced
from symtape.ops import params as param
from symtape.ops.arguments import as_integer, only_defaults
from symtape.ops.element import Apply, Read, Reduce, Scalar, index
from symtape.ops.op import Kind, Op
from symtape.ops.registry import elementwise, elementwise_op, function, op_named, structural
from symtape.ops.sympy_functions import sympy_function as own


def _scipy(name: str) -> Callable[..., Any]:
    """A function of scipy.special that imports it at the first call."""

    def value(*arguments: Any) -> Any:
        import scipy.special

        return getattr(scipy.special, name)(*arguments)

    value.__name__ = name
    return value


def _special(name: str, formula: Any, **declared: Any) -> Op:
    return elementwise(
        name, _scipy(declared.pop("scipy", name)), formula, implements=(f"scipy.special.{name}",), arity=1, **declared
    )


# ------------------------------------------------------------------------------------------------ error function, gamma

_special("erf", lambda sp, x: sp.erf(x))
_special("erfc", lambda sp, x: sp.erfc(x))
_special("gamma", lambda sp, x: sp.gamma(x))
_special("gammaln", lambda sp, x: own("gammaln")(x))
elementwise(
    "digamma",
    _scipy("digamma"),
    lambda sp, x: sp.polygamma(0, x),
    implements=("scipy.special.digamma", "scipy.special.psi"),
    partials={0: lambda B, out, x: B.polygamma(1, x)},
    arity=1,
)
POLYGAMMA = elementwise_op(
    "polygamma",
    lambda x, n: _scipy("polygamma")(n, x),
    lambda sp, x, n: sp.polygamma(n, x),
    infer=lambda inputs, n: (inputs[0].shape, np.dtype(np.float64)),
    partials={0: lambda B, out, x, n: B.polygamma(n + 1, x)},
    params=(param.order,),
)


@function("scipy.special.polygamma")
def polygamma(B: Any, n: Any, x: Any) -> Any:
    """``scipy.special.polygamma`` of a fixed order."""
    order = as_integer(n, "the order of polygamma")
    if order < 0:
        raise ValueError(f"the order of polygamma must not be negative, got {order}")
    return B.digamma(x) if order == 0 else B.build(POLYGAMMA, (B.lift(x),), (order,))


# ------------------------------------------------------------------------------------------------- sigmoid and softplus

_special(
    "expit",
    lambda sp, x: 1 / (1 + sp.exp(-x)),
    partials={0: lambda B, out, x: B.expit_slope(x)},
)
elementwise(
    "softplus",
    lambda x: np.logaddexp(x, np.zeros((), np.asarray(x).dtype)),
    lambda sp, x: sp.log(1 + sp.exp(x)),
    implements=(),
    partials={0: lambda B, out, x: B.expit(x)},
    arity=1,
)

# ------------------------------------------------------------------------------------------------ logsumexp and softmax


def _shifted(x: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    """Elements less the largest along the axes (0 where that is infinite), and it, kept as axes of length 1."""
    top = np.max(x, axis=axes, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, np.zeros((), x.dtype))
    return x - top, top


def _logsumexp_value(x: Any, axes: tuple[int, ...]) -> Any:
    shifted, top = _shifted(x, axes)
    return np.log(np.sum(np.exp(shifted), axis=axes)) + np.squeeze(top, axis=axes)


def _softmax_value(x: Any, axes: tuple[int, ...]) -> Any:
    exps = np.exp(x - np.max(x, axis=axes, keepdims=True, initial=-np.inf))
    return exps / np.sum(exps, axis=axes, keepdims=True)


def _summed_exps(x_shape: Shape, axes: tuple[int, ...], kept: tuple[Any, ...], first: int) -> Reduce:
    """The sum of exp(x) over the axes; ``kept`` are the indices of the others."""
    inner, outer = iter(index(len(axes), first)), iter(kept)
    at = tuple(next(inner) if k in axes else next(outer) for k in range(len(x_shape)))
    return Reduce("sum", first, tuple(x_shape[k] for k in axes), Apply(op_named("exp"), (Read(0, at),)))


def _logsumexp_element(at: Any, inputs: Any, axes: tuple[int, ...]) -> Scalar:
    return Apply(op_named("log"), (_summed_exps(inputs[0].shape, axes, at, len(at)),))


def _softmax_element(at: Any, inputs: Any, axes: tuple[int, ...]) -> Scalar:
    rest = tuple(i for k, i in enumerate(at) if k not in axes)
    below = _summed_exps(inputs[0].shape, axes, rest, len(at))
    return Apply(op_named("divide"), (Apply(op_named("exp"), (Read(0, at),)), below))


def _softmax_slope(B: Any, g: Any, out: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """The Jacobian of softmax, which is symmetric, times ``g``."""
    mean = B.expand(B.sum(B.multiply(g, out), axis=axes), axes, B.shape(out))
    return B.multiply(out, B.subtract(g, mean))


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
SOFTMAX: Op = structural(
    "softmax",
    Kind.INDEXED,
    _softmax_value,
    lambda inputs, axes: (inputs[0].shape, inputs[0].dtype),
    vjp=(_softmax_slope,),
    jvp=(_softmax_slope,),
    batch=lambda B, inputs, batched, axes: B.build(SOFTMAX, inputs, (tuple(a + 1 for a in axes),)),
    element=_softmax_element,
    params=(param.axes,),
)


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
        raise ShapeError(
            f"logsumexp over an axis without elements (shape {B.shape(a)}, axes {axes}) is -inf: nothing to record"
        )
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
