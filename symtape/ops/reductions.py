"""Reductions: sum, prod, max, min, any, all, argmax, argmin over axes.

The ops have the reduced axes as their one parameter. What NumPy's signatures add (keepdims, dtype, initial, where) is
built around them, so that no rule has to know of it. Elements that tie for an extreme share its gradient equally; the
gradient of an extreme that is NaN is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.shapes import Dim, Shape, kept, normalize_axes, reduced, size
from symtape.ops import params as param
from symtape.ops.arguments import as_integer, is_missing, only_defaults
from symtape.ops.element import IndexValue, Read, Reduce, index
from symtape.ops.op import LINEAR, Kind, Op
from symtape.ops.registry import function, structural

# ------------------------------------------------------------------------------------------------------------- the ops


def _over(name: str, axes: tuple[int, ...], shape: Shape, at: Any) -> Reduce:
    """The element rule of a reduction: the result's indices in their places, new ones along the reduced axes."""
    inner = index(len(axes), len(at))
    kept_at, reduced_at = iter(at), iter(inner)
    places = tuple(next(reduced_at) if k in axes else next(kept_at) for k in range(len(shape)))
    return Reduce(name, len(at), tuple(shape[k] for k in axes), Read(0, places))


def _batch(op: Callable[[], Op]) -> Callable[..., Any]:
    return lambda B, inputs, batched, axes: B.build(op(), inputs, (tuple([a + 1 for a in axes]),))


def _reduction(
    name: str,
    value: Callable[..., Any],
    dtype: Callable[[np.dtype[Any]], Any],
    *,
    empty: str | None = None,
    vjp: Any = None,
    jvp: Any = None,
    pair: Any = None,
    masks: bool = False,
) -> Op:
    """Declare one; ``empty`` is what NumPy says where nothing is left to reduce."""

    def infer(inputs: Any, axes: tuple[int, ...]) -> tuple[Shape, Any]:
        (x,) = inputs
        if empty is not None and any(x.shape[k] == 0 for k in axes):
            raise ShapeError(f"{empty} (shape {x.shape}, axes {axes})")
        return reduced(x.shape, axes), dtype(x.dtype)

    op = structural(
        name,
        Kind.INDEXED,
        value,
        infer,
        vjp=vjp,
        jvp=jvp,
        batch=_batch(lambda: op),
        element=lambda at, inputs, axes: _over(name, axes, inputs[0].shape, at),
        pair=pair,
        masks=masks,
        differentiable=vjp is not None,
        params=(param.axes,),
    )
    return op


def _of_added(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which NumPy adds and multiplies many numbers: integers and booleans in the platform's widest."""
    return np.sum(np.zeros(1, dtype)).dtype  # type: ignore[no-any-return]


def _itself(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return dtype


SUM = _reduction(
    "sum",
    lambda x, axes: np.sum(x, axis=axes),
    _of_added,
    vjp=(lambda B, g, y, x, axes: B.expand(g, axes, B.shape(x)),),
    jvp=LINEAR,
    masks=True,
)


def _others(B: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """Of each element the product of all the others that are reduced with it: without division, so right with zeros."""
    shape: Shape = B.shape(x)
    rest = tuple(k for k in range(len(shape)) if k not in axes)
    order = rest + axes
    flat = (*[shape[k] for k in rest], size(tuple(shape[k] for k in axes)))
    moved = x if order == tuple(range(len(shape))) else B.transpose(x, order)
    lines = moved if B.shape(moved) == flat else B.reshape(moved, flat)
    last = len(rest)
    before = B.products_before(lines, last, False)
    after = B.products_before(lines, last, True)
    both = B.multiply(before, after)
    both = both if B.shape(both) == B.shape(moved) else B.reshape(both, B.shape(moved))
    return both if moved is x else B.transpose(both, tuple(sorted(range(len(order)), key=order.__getitem__)))


PROD = _reduction(
    "prod",
    lambda x, axes: np.prod(x, axis=axes),
    _of_added,
    vjp=(lambda B, g, y, x, axes: B.multiply(B.expand(g, axes, B.shape(x)), _others(B, x, axes)),),
    jvp=(lambda B, t, y, x, axes: B.sum(B.multiply(t, _others(B, x, axes)), axis=axes),),
)


def _ties(B: Any, y: Any, x: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    """Where the extreme value stands, and in how many places."""
    chosen = B.equal(x, B.expand(y, axes, B.shape(x)))
    return chosen, B.sum(B.astype(chosen, B.dtype(x)), axis=axes)


def _extreme_vjp(B: Any, g: Any, y: Any, x: Any, axes: tuple[int, ...]) -> Any:
    chosen, count = _ties(B, y, x, axes)
    others = B.where(B.isnan(y), y, B.zeros((), B.dtype(x)))
    share = B.divide(g, count)
    return B.where(chosen, B.expand(share, axes, B.shape(x)), B.expand(others, axes, B.shape(x)))


def _extreme_pair(
    B: Any, i: int, pair: tuple[Any, Any], y: Any, x: Any, axes: tuple[int, ...]
) -> tuple[Any | None, Any]:
    """What a mask leaves out of an extreme it leaves out of all elements, an extreme that is NaN included."""
    mask, g = pair
    value = _extreme_vjp(B, B.broadcast_to(g, B.shape(y)), y, x, axes)
    if mask is None:
        return None, value
    return B.expand(B.broadcast_to(mask, B.shape(y)), axes, B.shape(x)), value


def _extreme_jvp(B: Any, t: Any, y: Any, x: Any, axes: tuple[int, ...]) -> Any:
    chosen, count = _ties(B, y, x, axes)
    return B.divide(B.sum(B.where(chosen, t, B.zeros((), B.dtype(x))), axis=axes), count)


_NO_IDENTITY = "zero-size array to reduction operation {} which has no identity"

MAX = _reduction(
    "max",
    lambda x, axes: np.max(x, axis=axes),
    _itself,
    empty=_NO_IDENTITY.format("maximum"),
    vjp=(_extreme_vjp,),
    jvp=(_extreme_jvp,),
    pair=_extreme_pair,
)
MIN = _reduction(
    "min",
    lambda x, axes: np.min(x, axis=axes),
    _itself,
    empty=_NO_IDENTITY.format("minimum"),
    vjp=(_extreme_vjp,),
    jvp=(_extreme_jvp,),
    pair=_extreme_pair,
)


def _truth(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(bool)


ANY = _reduction("any", lambda x, axes: np.any(x, axis=axes), _truth)
ALL = _reduction("all", lambda x, axes: np.all(x, axis=axes), _truth)


def _position_of(choose: Callable[..., Any]) -> Callable[..., Any]:
    """``np.argmax`` over several axes: the flat position among them, as the element rule counts."""

    def value(x: Any, axes: tuple[int, ...]) -> Any:
        if len(axes) == 1:
            return choose(x, axis=axes[0])
        last = np.moveaxis(x, axes, range(x.ndim - len(axes), x.ndim))
        rest = last.shape[: x.ndim - len(axes)]
        count = math.prod(last.shape[len(rest) :])
        return choose(last.reshape(*rest, count), axis=-1)

    return value


def _place(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.intp)


ARGMAX = _reduction("argmax", _position_of(np.argmax), _place, empty="attempt to get argmax of an empty sequence")
ARGMIN = _reduction("argmin", _position_of(np.argmin), _place, empty="attempt to get argmin of an empty sequence")

LENGTH: Op = structural(
    "length",
    Kind.INDEXED,
    lambda x, axes: np.asarray(np.prod([x.shape[k] for k in axes], dtype=np.intp)),
    lambda inputs, axes: ((), np.dtype(np.intp)),
    batch=lambda B, inputs, batched, axes: B.broadcast_to(
        B.build(LENGTH, inputs, (tuple([a + 1 for a in axes]),)), (B.shape(inputs[0])[0],)
    ),
    element=lambda at, inputs, axes: IndexValue(size(tuple(inputs[0].shape[k] for k in axes))),
    differentiable=False,
    params=(param.axes,),
)


@function()
def length(B: Any, x: Any, axes: tuple[int, ...], dtype: Any) -> Any:
    """The number of elements along axes: a constant, or a value that waits for a named length to get its number."""
    count = size(tuple(B.shape(x)[k] for k in axes))
    if isinstance(count, Dim):
        return B.astype(B.build(LENGTH, (x,), (axes,)), dtype)
    return B.const(float(count) if np.dtype(dtype).kind == "f" else np.asarray(count, dtype))


# ----------------------------------------------------------------------------------------------------------- functions


def _axes(B: Any, x: Any, axis: Any) -> tuple[int, ...]:
    """Reduced axes; as in NumPy a scalar may be reduced along axis 0 or -1."""
    if B.ndim(x) == 0 and axis in (0, -1):
        return ()
    return normalize_axes(tuple(axis) if isinstance(axis, list) else axis, B.ndim(x))


def _restore(B: Any, y: Any, x: Any, axes: tuple[int, ...], keepdims: Any) -> Any:
    if is_missing(keepdims) or not keepdims or not axes:
        return y
    return B.reshape(y, kept(B.shape(x), axes))


def _as(B: Any, value: Any, dtype: Any) -> Any:
    value = B.lift(value)
    return value if B.dtype(value) == dtype else B.astype(value, dtype)


def _only(B: Any, x: Any, where: Any, otherwise: Any) -> Any:
    """The elements that ``where`` selects, a neutral one in place of the others."""
    if is_missing(where) or where is True:
        return x
    return B.where(where, x, B.const(np.asarray(otherwise, B.dtype(x))))


def _accumulation(
    B: Any, op: Op, combine: str, neutral: int, a: Any, axis: Any, dtype: Any, keepdims: Any, initial: Any, where: Any
) -> Any:
    x = B.lift(a)
    if dtype is not None and B.dtype(x) != np.dtype(dtype):
        x = B.astype(x, dtype)
    x = _only(B, x, where, neutral)
    axes = _axes(B, x, axis)
    y = _restore(B, B.build(op, (x,), (axes,)), x, axes, keepdims)
    if not is_missing(initial):
        y = getattr(B, combine)(y, _as(B, initial, B.dtype(y)))
    return y if dtype is None or B.dtype(y) == np.dtype(dtype) else B.astype(y, dtype)


@function("numpy.sum", name="sum")
def sum_(
    B: Any,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """``np.sum``."""
    only_defaults("sum", out=out)
    return _accumulation(B, SUM, "add", 0, a, axis, dtype, keepdims, initial, where)


@function("numpy.prod")
def prod(
    B: Any,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """``np.prod``; its derivatives of any order are right where elements are 0."""
    only_defaults("prod", out=out)
    return _accumulation(B, PROD, "multiply", 1, a, axis, dtype, keepdims, initial, where)


def _extreme(B: Any, op: Op, combine: str, a: Any, axis: Any, keepdims: Any, initial: Any, where: Any) -> Any:
    x = B.lift(a)
    start = None if is_missing(initial) else _as(B, initial, B.dtype(x))
    if not (is_missing(where) or where is True):
        if start is None:
            raise ValueError(
                f"reduction operation '{combine}' does not have an identity, so to use a where mask one has to "
                "specify 'initial'"
            )
        x = B.where(where, x, start)
    axes = _axes(B, x, axis)
    if start is not None and any(B.shape(x)[k] == 0 for k in axes):
        return _restore(B, B.broadcast_to(start, reduced(B.shape(x), axes)), x, axes, keepdims)
    y = _restore(B, B.build(op, (x,), (axes,)), x, axes, keepdims)
    return y if start is None else getattr(B, combine)(y, start)


@function("numpy.max", "numpy.amax", name="max")
def max_(
    B: Any, a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = None
) -> Any:
    """``np.max``."""
    only_defaults("max", out=out)
    return _extreme(B, MAX, "maximum", a, axis, keepdims, initial, where)


@function("numpy.min", "numpy.amin", name="min")
def min_(
    B: Any, a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = None
) -> Any:
    """``np.min``."""
    only_defaults("min", out=out)
    return _extreme(B, MIN, "minimum", a, axis, keepdims, initial, where)


def _logical(B: Any, op: Op, neutral: bool, a: Any, axis: Any, keepdims: Any, where: Any) -> Any:
    x = _only(B, B.lift(a), where, neutral)
    axes = _axes(B, x, axis)
    return _restore(B, B.build(op, (x,), (axes,)), x, axes, keepdims)


@function("numpy.any", name="any")
def any_(B: Any, a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, where: Any = None) -> Any:
    """``np.any``."""
    only_defaults("any", out=out)
    return _logical(B, ANY, False, a, axis, keepdims, where)


@function("numpy.all", name="all")
def all_(B: Any, a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, where: Any = None) -> Any:
    """``np.all``."""
    only_defaults("all", out=out)
    return _logical(B, ALL, True, a, axis, keepdims, where)


def _argument(B: Any, op: Op, a: Any, axis: Any, keepdims: Any) -> Any:
    x = B.lift(a)
    axes = _axes(B, x, None if axis is None else as_integer(axis, "axis"))
    return _restore(B, B.build(op, (x,), (axes,)), x, axes, keepdims)


@function("numpy.argmax")
def argmax(B: Any, a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
    """``np.argmax``."""
    only_defaults("argmax", out=out)
    return _argument(B, ARGMAX, a, axis, keepdims)


@function("numpy.argmin")
def argmin(B: Any, a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
    """``np.argmin``."""
    only_defaults("argmin", out=out)
    return _argument(B, ARGMIN, a, axis, keepdims)
