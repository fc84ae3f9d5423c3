"""Identities of layout, and of sums over what was broadcast. What they may and may not do is said in `simplify`."""

from __future__ import annotations

from typing import Any

from symtape.graph.shapes import reduced
from symtape.ops.simplify import identity, made, scalar_of


@identity("reshape")
def reshape(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """A reshape to the shape itself, of a reshape, of one number everywhere."""
    (x,), (shape,) = inputs, params
    if B.shape(x) == shape:
        return x
    inner = made(B, x, "reshape")
    if inner is not None:
        return B.reshape(inner[0], shape)
    inner = made(B, x, "broadcast_to")
    return B.broadcast_to(inner[0], shape) if inner is not None and B.shape(inner[0]) == () else None


@identity("transpose")
def transpose(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """A transpose that moves nothing, of a transpose, of one number everywhere."""
    (x,), (axes,) = inputs, params
    if axes == tuple(range(len(axes))):
        return x
    how = B.made_by(x)
    if how is None:
        return None
    op, parts, inner = how
    if op.name == "transpose":
        return B.transpose(parts[0], tuple(inner[0][a] for a in axes))
    if op.name == "broadcast_to" and B.shape(parts[0]) == ():
        return B.broadcast_to(parts[0], tuple(B.shape(x)[a] for a in axes))
    return None


@identity("broadcast_to")
def broadcast_to(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """A broadcast to the shape itself, of a broadcast."""
    (x,), (shape,) = inputs, params
    if B.shape(x) == shape:
        return x
    inner = made(B, x, "broadcast_to")
    return None if inner is None else B.broadcast_to(inner[0], shape)


@identity("sum")
def sum(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """A sum over no axes, of a sum, of what was repeated along the axes."""
    (x,), (axes,) = inputs, params
    if B.dtype(x).kind != "f":
        return None
    if not axes:
        return x
    how = B.made_by(x)
    if how is None:
        return None
    op, parts, inner = how
    if op.name == "sum" and B.dtype(parts[0]) == B.dtype(x):
        return B.sum(parts[0], axis=_both(inner[0], axes, B.ndim(parts[0])))
    if op.name == "broadcast_to":
        return _sum_of_repeated(B, parts[0], B.shape(x), axes)
    if op.name == "negative":
        return B.negative(B.sum(parts[0], axis=axes))
    return None


def _both(first: tuple[int, ...], then: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    """The axes of two sums, one after the other, in the numbering of the first's input."""
    rest = [k for k in range(ndim) if k not in first]
    return tuple(sorted((*first, *[rest[k] for k in then])))


def _sum_of_repeated(B: Any, source: Any, shape: Any, axes: tuple[int, ...]) -> Any:
    """The number of repetitions times the source, if it was repeated along all the axes."""
    lead = len(shape) - B.ndim(source)
    aligned = (1,) * lead + B.shape(source)
    count = 1
    for k in axes:
        if not isinstance(shape[k], int) or shape[k] == 0 or aligned[k] != 1:
            return None
        count *= shape[k]
    if count > 1 and scalar_of(B, source) is None and B.node(source).op.name == "const":
        return None
    left = B.reshape(source, tuple(d for k, d in enumerate(aligned) if k not in axes and k >= lead))
    return B.broadcast_to(B.multiply(count, left) if count != 1 else left, reduced(shape, axes))
