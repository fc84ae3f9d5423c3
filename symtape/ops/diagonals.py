"""Diagonals: `diag` puts the last axis onto a diagonal, `diagonal` reads one; each is the other's vjp."""

from __future__ import annotations

from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.node import Array
from symtape.graph.shapes import Length, Shape, normalize_axis
from symtape.ops import params as param
from symtape.ops.arguments import as_integer
from symtape.ops.element import Box, Boxes, Number, Read
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, structural

# ------------------------------------------------------------------------------------------------------------- the ops


def diagonal_length(rows: Length, columns: Length, k: int) -> Length:
    """How many elements diagonal ``k`` of a matrix has."""
    r, c = (rows, columns - k) if k >= 0 else (rows + k, columns)
    if isinstance(r, int) and isinstance(c, int):
        return max(0, min(r, c))
    if rows == columns:
        return rows - abs(k)
    if r == c:
        return r
    raise ShapeError(f"the length of diagonal {k} of a matrix of {rows} by {columns} depends on which side is longer")


def _diagonal_infer(inputs: Any, k: int) -> tuple[Shape, Any]:
    (x,) = inputs
    return (*x.shape[:-2], diagonal_length(x.shape[-2], x.shape[-1], k)), x.dtype


DIAGONAL: Op = structural(
    "diagonal",
    Kind.INDEXED,
    lambda x, k: np.diagonal(x, k, -2, -1),
    _diagonal_infer,
    vjp=(lambda B, g, y, x, k: B.build(DIAG, (g,), (k, *B.shape(x)[-2:])),),
    batch=lambda B, inputs, batched, k: B.build(DIAGONAL, inputs, (k,)),
    element=lambda at, inputs, k: Read(0, (*at[:-1], at[-1] + max(-k, 0), at[-1] + max(k, 0))),
    masks=True,
    params=(param.offset,),
)


def _diag_value(x: Array, k: int, rows: int, columns: int) -> Array:
    result = np.zeros((*x.shape[:-1], rows, columns), x.dtype)
    at = np.arange(x.shape[-1])
    result[..., at + max(-k, 0), at + max(k, 0)] = x
    return result


def _diag_infer(inputs: Any, k: int, rows: Length, columns: Length) -> tuple[Shape, Any]:
    (x,) = inputs
    if x.shape[-1] != diagonal_length(rows, columns, k):
        raise ShapeError(f"{x.shape[-1]} elements do not fit diagonal {k} of a matrix of {rows} by {columns}")
    return (*x.shape[:-1], rows, columns), x.dtype


def _diag_element(at: Any, inputs: Any, k: int, rows: Length, columns: Length) -> Boxes:
    """Off the diagonal 0; on it row and column move together, and the row says which element it is."""
    n = inputs[0].shape[-1]
    *lead, i, j = at
    top = max(-k, 0)
    # i and j inside their ranges and j - i == k: bounds on j - i, which the index language writes as j + (-1)*i
    bounds = ((i, top, top + n), (j + i * -1, k, k + 1))
    return Boxes((Box(bounds, Read(0, (*lead, i - top))),), Number(0))


DIAG: Op = structural(
    "diag",
    Kind.INDEXED,
    _diag_value,
    _diag_infer,
    vjp=(lambda B, g, y, x, k, rows, columns: B.build(DIAGONAL, (g,), (k,)),),
    batch=lambda B, inputs, batched, k, rows, columns: B.build(DIAG, inputs, (k, rows, columns)),
    element=_diag_element,
    masks=True,
    params=(param.offset, param.length, param.length),
)

# ----------------------------------------------------------------------------------------------------------- functions


@function("numpy.diagonal")
def diagonal(B: Any, a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """``np.diagonal``."""
    x = B.lift(a)
    ndim = B.ndim(x)
    if ndim < 2:
        raise ShapeError(f"diag requires an array of at least two dimensions, got shape {B.shape(x)}")
    i, j = normalize_axis(axis1, ndim), normalize_axis(axis2, ndim)
    if i == j:
        raise ValueError("axis1 and axis2 cannot be the same")
    order = (*[k for k in range(ndim) if k not in (i, j)], i, j)
    if order != tuple(range(ndim)):
        x = B.transpose(x, order)
    return B.build(DIAGONAL, (x,), (as_integer(offset, "offset"),))


@function("numpy.linalg.diagonal", name="linalg_diagonal")
def linalg_diagonal(B: Any, x: Any, /, *, offset: int = 0) -> Any:
    """``np.linalg.diagonal``: of the last two axes."""
    return diagonal(B, x, offset, -2, -1)


@function("numpy.diag")
def diag(B: Any, v: Any, k: int = 0) -> Any:
    """``np.diag``: a matrix from a vector, or the diagonal of a matrix."""
    x = B.lift(v)
    offset = as_integer(k, "k")
    if B.ndim(x) == 2:
        return B.build(DIAGONAL, (x,), (offset,))
    if B.ndim(x) != 1:
        raise ShapeError(f"Input must be 1- or 2-d, got shape {B.shape(x)}")
    return diagonal_matrix(B, x, offset)


@function()
def diagonal_matrix(B: Any, x: Any, k: int = 0) -> Any:
    """Square matrices with the last axis of ``x`` on diagonal ``k``."""
    n = B.shape(x)[-1] + abs(k)
    return B.build(DIAG, (x,), (k, n, n))


@function("numpy.diagflat")
def diagflat(B: Any, v: Any, k: int = 0) -> Any:
    """``np.diagflat``."""
    return diagonal_matrix(B, B.ravel(v), as_integer(k, "k"))
