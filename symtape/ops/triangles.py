"""Triangles of matrices: the part on one side of a diagonal, and systems whose matrix is such a part.

The derivatives of factorizations are made of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symtape.errors import MatrixShapeError, ShapeError, SingularMatrixError
from symtape.graph.node import Array, Node
from symtape.graph.shapes import Length, Shape, broadcast_two
from symtape.ops import params as param
from symtape.ops.arguments import as_integer
from symtape.ops.element import Box, Boxes, Index, Number, Read, Scalar
from symtape.ops.matrices import as_inexact, padded
from symtape.ops.matrix_formulas import triangular_solution
from symtape.ops.op import LINEAR, Kind, Op
from symtape.ops.registry import function, structural

# ------------------------------------------------------------------------------------------------------------ triangle


def _triangle_value(x: Array, k: int, upper: bool) -> Array:
    return np.triu(x, k) if upper else np.tril(x, k)


def _triangle_infer(inputs: tuple[Node], k: int, upper: bool) -> tuple[Shape, Any]:
    (x,) = inputs
    if len(x.shape) < 2:
        raise ShapeError(f"a triangle is a part of a matrix; got shape {x.shape}")
    return x.shape, x.dtype


def _triangle_element(at: Sequence[Index], inputs: Sequence[Node], k: int, upper: bool) -> Scalar:
    rows, columns = inputs[0].shape[-2:]
    here = Read(0, tuple(at))
    right_of_diagonal = at[-1] + at[-2] * -1
    low: Length = k if upper else 1 - rows
    high: Length = columns if upper else k + 1
    return Boxes((Box(((right_of_diagonal, low, high),), here),), Number(0))


TRIANGLE: Op = structural(
    "triangle",
    Kind.LAYOUT,
    _triangle_value,
    _triangle_infer,
    vjp=(lambda B, g, y, x, k, upper: B.build(TRIANGLE, (g,), (k, upper)),),
    batch=lambda B, inputs, batched, k, upper: B.build(TRIANGLE, inputs, (k, upper)),
    element=_triangle_element,
    masks=True,
    params=(param.offset, param.flag),
)


@function("numpy.tril")
def tril(B: Any, m: Any, k: int = 0) -> Any:
    """``np.tril``."""
    return _triangle(B, m, k, upper=False)


@function("numpy.triu")
def triu(B: Any, m: Any, k: int = 0) -> Any:
    """``np.triu``."""
    return _triangle(B, m, k, upper=True)


def _triangle(B: Any, m: Any, k: int, *, upper: bool) -> Any:
    x = B.lift(m)
    if B.ndim(x) == 1:  # NumPy repeats a vector as the rows of a square matrix
        x = B.broadcast_to(x, (*B.shape(x), *B.shape(x)))
    return B.build(TRIANGLE, (x,), (as_integer(k, "k"), upper))


# --------------------------------------------------------------------------------------------------- triangular systems


def _solve_value(a: Array, b: Array, lower: bool, transposed: bool) -> Array:
    from scipy.linalg import get_lapack_funcs

    a, b = np.asarray(a), np.asarray(b)
    dtype = np.result_type(a, b)
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    (trtrs,) = get_lapack_funcs(("trtrs",), dtype=dtype)
    x = np.empty((*lead, *b.shape[-2:]), dtype)
    if x.size == 0:
        return x
    matrices = np.broadcast_to(a, (*lead, *a.shape[-2:]))
    sides = np.broadcast_to(b, x.shape)
    for place in np.ndindex(*lead):
        x[place], info = trtrs(matrices[place], sides[place], lower=lower, trans=int(transposed))
        if info > 0:
            raise SingularMatrixError(f"the triangular matrix is singular: element {info - 1} of its diagonal is zero")
    return x


def _solve_infer(inputs: tuple[Node, Node], lower: bool, transposed: bool) -> tuple[Shape, Any]:
    a, b = inputs
    if a.shape[-1] != a.shape[-2]:
        raise MatrixShapeError(f"solve_triangular: the last two axes of the matrix must be equal, got shape {a.shape}")
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(
            f"solve_triangular: a matrix of shape {a.shape} and a right side of shape {b.shape} do not fit"
        )
    return (*broadcast_two(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]), np.result_type(a.dtype, b.dtype)


def _solve(B: Any, a: Any, b: Any, lower: bool, transposed: bool) -> Any:
    return B.build(SOLVE_TRIANGULAR, (a, b), (lower, transposed))


def _moved(B: Any, left: Any, right: Any, lower: bool) -> Any:
    """The part of ``-left @ right.T`` on the matrix's side of the diagonal."""
    return B.build(TRIANGLE, (B.negative(B.matmul(left, B.swapaxes(right, -1, -2))),), (0, not lower))


def _pull_matrix(B: Any, g: Any, x: Any, a: Any, b: Any, lower: bool, transposed: bool) -> Any:
    back = _solve(B, a, g, lower, not transposed)
    return _moved(B, x, back, lower) if transposed else _moved(B, back, x, lower)


def _push_matrix(B: Any, t: Any, x: Any, a: Any, b: Any, lower: bool, transposed: bool) -> Any:
    own = B.build(TRIANGLE, (t,), (0, not lower))
    own = B.swapaxes(own, -1, -2) if transposed else own
    return B.negative(_solve(B, a, B.matmul(own, x), lower, transposed))


SOLVE_TRIANGULAR: Op = structural(
    "solve_triangular",
    Kind.LIBRARY,
    _solve_value,
    _solve_infer,
    vjp=(_pull_matrix, lambda B, g, x, a, b, lower, transposed: _solve(B, a, g, lower, not transposed)),
    jvp=(_push_matrix, LINEAR),
    batch=lambda B, inputs, batched, *params: B.build(SOLVE_TRIANGULAR, padded(B, inputs, batched), params),
    formula=triangular_solution,
    source="Giles (2008), An extended collection of matrix derivative results, section 2.3.1 (matrix inverse product), "
    "restricted to a triangle",
    params=(param.flag, param.flag),
)


@function("scipy.linalg.solve_triangular")
def solve_triangular(
    B: Any,
    a: Any,
    b: Any,
    trans: Any = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    """``scipy.linalg.solve_triangular``; what is said about memory and checks is ignored."""
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise ValueError(f"trans must be 0, 1, 2, 'N', 'T' or 'C', got {trans!r}")
    a, b = as_inexact(B, "solve_triangular", a), as_inexact(B, "solve_triangular", b)
    if B.ndim(a) < 2:
        raise MatrixShapeError(f"solve_triangular: expected a square matrix, got shape {B.shape(a)}")
    if unit_diagonal:  # what stands on the diagonal is not read
        strict = B.build(TRIANGLE, (a,), (-1 if lower else 1, not lower))
        a = B.add(strict, B.diagonal_matrix(B.ones_like(B.linalg_diagonal(a))))
    transposed = trans not in (0, "N")
    if B.ndim(b) > 1:
        return _solve(B, a, b, bool(lower), transposed)
    return B.squeeze(_solve(B, a, B.expand_dims(b, -1), bool(lower), transposed), -1)
