"""Linear algebra by LAPACK: inverse, systems of equations, Cholesky factors, over stacks of matrices as in NumPy.

A singular matrix is an error when a number is asked for, not when the expression is recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from symtape.errors import MatrixShapeError, ShapeError, SingularMatrixError
from symtape.graph.node import Array, Node
from symtape.graph.shapes import Shape, broadcast_two, is_known, size
from symtape.ops.arguments import as_integer, only_defaults
from symtape.ops.matrices import as_inexact, as_square, check_square, padded, symmetric_part, transposed
from symtape.ops.matrix_formulas import cholesky_factor, inverse, solution
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, structural

# ----------------------------------------------------------------------------------------------------------------- inv


def _inv_value(a: Array) -> Array:
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError as error:
        raise SingularMatrixError(f"{error}: it has no inverse") from error


OF_INVERSES: Final = "Giles (2008), An extended collection of matrix derivative results, section 2.2.3 (inverse)"


def inverse_pull(B: Any, g: Any, y: Any, a: Any) -> Any:
    """``-A⁻ᵀ G A⁻ᵀ`` of an inverse ``y``."""
    across = transposed(B, y)
    return B.negative(B.matmul(B.matmul(across, g), across))


def inverse_push(B: Any, t: Any, y: Any, a: Any) -> Any:
    """``-A⁻¹ T A⁻¹`` of an inverse ``y``."""
    return B.negative(B.matmul(B.matmul(y, t), y))


INV: Op = structural(
    "inv",
    Kind.LIBRARY,
    _inv_value,
    as_square("inv"),
    vjp=(inverse_pull,),
    jvp=(inverse_push,),
    batch=lambda B, inputs, batched: B.build(INV, inputs),
    formula=inverse,
    source=OF_INVERSES,
)


@function("numpy.linalg.inv")
def inv(B: Any, a: Any) -> Any:
    """``np.linalg.inv``."""
    return B.build(INV, (as_inexact(B, "inv", a),))


# --------------------------------------------------------------------------------------------------------------- solve


def _solve_value(a: Array, b: Array) -> Array:
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError as error:
        raise SingularMatrixError(f"{error}: the system has no unique solution") from error


def _solve_infer(inputs: tuple[Node, Node]) -> tuple[Shape, Any]:
    a, b = inputs
    check_square("solve", a.shape)
    vector = len(b.shape) == 1
    if not b.shape or a.shape[-1] != b.shape[-1 if vector else -2]:
        raise ShapeError(
            f"solve: a matrix of shape {a.shape} and a right side of shape {b.shape} do not fit; wanted "
            f"({a.shape[-1]},) or (..., {a.shape[-1]}, k): give a stack of vectors a last axis of length 1"
        )
    dtype = np.result_type(a.dtype, b.dtype)
    if vector:
        return (*a.shape[:-2], a.shape[-1]), dtype
    return (*broadcast_two(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]), dtype


def _solve_vectors(B: Any, a: Any, v: Any) -> Any:
    """Solutions for a stack of vectors."""
    return B.solve(a, v) if B.ndim(v) == 1 else B.squeeze(B.solve(a, B.expand_dims(v, -1)), -1)


def _solve_like(B: Any, a: Any, v: Any, b: Any) -> Any:
    return _solve_vectors(B, a, v) if B.ndim(b) == 1 else B.solve(a, v)


def _solve_pull_matrix(B: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    back = _solve_like(B, transposed(B, a), g, b)
    if B.ndim(b) == 1:
        return B.negative(B.multiply(B.expand_dims(back, -1), B.expand_dims(y, -2)))
    return B.negative(B.matmul(back, transposed(B, y)))


def _solve_push_matrix(B: Any, t: Any, y: Any, a: Any, b: Any) -> Any:
    if B.ndim(b) > 1 or B.ndim(y) == 1:
        moved = B.matmul(t, y)
    else:
        moved = B.squeeze(B.matmul(t, B.expand_dims(y, -1)), -1)
    return B.negative(_solve_like(B, a, moved, b))


def _solve_batch(B: Any, inputs: tuple[Any, Any], batched: Sequence[bool]) -> Any:
    """One factorization serves all right sides of a matrix that is not batched."""
    a, b = inputs
    if not batched[1]:
        if B.ndim(b) > 1:
            a, b = padded(B, inputs, batched)
        return B.build(SOLVE, (a, b))
    vector = B.ndim(b) == 2
    if not batched[0] and B.ndim(a) == 2 and B.ndim(b) <= 3:
        if vector:
            return B.transpose(B.build(SOLVE, (a, B.transpose(b))))
        n, rows, columns = B.shape(b)
        together = B.reshape(B.transpose(b, (1, 0, 2)), (rows, n * columns))
        return B.transpose(B.reshape(B.build(SOLVE, (a, together)), (rows, n, columns)), (1, 0, 2))
    if vector:
        b = B.expand_dims(b, -1)
    y = B.build(SOLVE, padded(B, (a, b), batched))
    return B.squeeze(y, -1) if vector else y


SOLVE: Op = structural(
    "solve",
    Kind.LIBRARY,
    _solve_value,
    _solve_infer,
    vjp=(_solve_pull_matrix, lambda B, g, y, a, b: _solve_like(B, transposed(B, a), g, b)),
    jvp=(_solve_push_matrix, lambda B, t, y, a, b: B.solve(a, t)),
    batch=_solve_batch,
    formula=solution,
    source="Giles (2008), An extended collection of matrix derivative results, section 2.3.1 (matrix inverse product)",
)


@function("numpy.linalg.solve")
def solve(B: Any, a: Any, b: Any) -> Any:
    """``np.linalg.solve``: as in NumPy 2 the right side is a vector only if it has one axis."""
    return B.build(SOLVE, (as_inexact(B, "solve", a), as_inexact(B, "solve", b)))


@function("numpy.linalg.tensorsolve")
def tensorsolve(B: Any, a: Any, b: Any, axes: Any = None) -> Any:
    """``np.linalg.tensorsolve``."""
    a, b = as_inexact(B, "tensorsolve", a), as_inexact(B, "tensorsolve", b)
    if axes is not None:
        moved = list(axes)
        a = B.moveaxis(a, moved, list(range(B.ndim(a) - len(moved), B.ndim(a))))
    unknown: Shape = B.shape(a)[B.ndim(b) :]
    n = size(unknown)
    if size(B.shape(a)) != n * n or size(B.shape(b)) != n:
        raise MatrixShapeError(
            f"tensorsolve: shapes {B.shape(a)} and {B.shape(b)} make no square system: "
            f"{size(B.shape(b))} equations, {n} unknowns"
        )
    return B.reshape(B.solve(B.reshape(a, (n, n)), B.reshape(b, (n,))), unknown)


@function("numpy.linalg.tensorinv")
def tensorinv(B: Any, a: Any, ind: int = 2) -> Any:
    """``np.linalg.tensorinv``."""
    a = as_inexact(B, "tensorinv", a)
    k = as_integer(ind, "ind")
    if k <= 0:
        raise ValueError(f"tensorinv: ind must be positive, got {ind}")
    left, right = B.shape(a)[:k], B.shape(a)[k:]
    return B.reshape(B.inv(B.reshape(a, (size(left), size(right)))), (*right, *left))


# ------------------------------------------------------------------------------------------------------------ cholesky


def _cholesky_value(a: Array) -> Array:
    try:
        return np.linalg.cholesky(a)
    except np.linalg.LinAlgError as error:
        raise SingularMatrixError(f"{error}: it has no Cholesky factor") from error


def _halved_below(B: Any, x: Any) -> Any:
    """Φ of the paper: the lower triangle with half of the diagonal."""
    half = B.const(np.asarray(0.5, B.dtype(x)))
    return B.multiply(half, B.add(B.tril(x), B.tril(x, -1)))


def _cholesky_push(B: Any, t: Any, y: Any, a: Any) -> Any:
    """``L Φ(L⁻¹ S L⁻ᵀ)`` with S the symmetric part of the tangent."""
    left = B.solve_triangular(y, symmetric_part(B, t), lower=True)
    both = transposed(B, B.solve_triangular(y, transposed(B, left), lower=True))
    return B.matmul(y, _halved_below(B, both))


def _cholesky_pull(B: Any, g: Any, y: Any, a: Any) -> Any:
    """``(S + Sᵀ)/2`` with ``S = L⁻ᵀ Φ(Lᵀ G) L⁻¹``."""
    inner = _halved_below(B, B.matmul(transposed(B, y), g))
    left = B.solve_triangular(y, inner, trans=1, lower=True)
    return symmetric_part(B, transposed(B, B.solve_triangular(y, transposed(B, left), trans=1, lower=True)))


#: LAPACK reads the lower triangle alone. The derivative is that along symmetric matrices: its two triangles are alike.
CHOLESKY: Op = structural(
    "cholesky",
    Kind.LIBRARY,
    _cholesky_value,
    as_square("cholesky"),
    vjp=(_cholesky_pull,),
    jvp=(_cholesky_push,),
    batch=lambda B, inputs, batched: B.build(CHOLESKY, inputs),
    formula=cholesky_factor,
    source="Murray (2016), Differentiation of the Cholesky decomposition, arXiv:1602.07527, equations 8 and 10; "
    "the result of the latter shared between both triangles",
)


@function("numpy.linalg.cholesky")
def cholesky(B: Any, a: Any, /, *, upper: bool = False) -> Any:
    """``np.linalg.cholesky``; the derivative is symmetric."""
    a = as_inexact(B, "cholesky", a)
    check_square("cholesky", B.shape(a))
    if upper:
        return transposed(B, B.build(CHOLESKY, (transposed(B, a),)))
    return B.build(CHOLESKY, (a,))


# ------------------------------------------------------------------------------------------------------ powers, chains


@function("numpy.linalg.matrix_power")
def matrix_power(B: Any, a: Any, n: int) -> Any:
    """``np.linalg.matrix_power``, by repeated squaring."""
    x = B.lift(a)
    check_square("matrix_power", B.shape(x))
    exponent = as_integer(n, "exponent")
    if exponent < 0:
        x, exponent = B.inv(x), -exponent
    if exponent == 0:
        length = B.shape(x)[-1]
        one = np.ones((), B.dtype(x))
        return B.broadcast_to(B.contract("a->aa", B.broadcast_to(one, (length,))), B.shape(x))
    result = None
    while True:
        if exponent & 1:
            result = x if result is None else B.matmul(result, x)
        exponent >>= 1
        if not exponent:
            return result
        x = B.matmul(x, x)


@function("numpy.linalg.multi_dot")
def multi_dot(B: Any, arrays: Sequence[Any], *, out: Any = None) -> Any:
    """``np.linalg.multi_dot``, in the order that needs the fewest multiplications if all lengths are known."""
    only_defaults("linalg.multi_dot", out=out)
    values = [B.lift(x) for x in arrays]
    if len(values) < 2:
        raise ValueError("Expecting at least two arrays.")
    for k, x in enumerate(values):
        if B.ndim(x) != 2 and not (B.ndim(x) == 1 and k in (0, len(values) - 1)):
            raise MatrixShapeError(
                f"multi_dot: array {k} has shape {B.shape(x)}; wanted matrices, vectors only at the ends"
            )
    return _chain(B, values, _splits(B, values), 0, len(values) - 1)


def _splits(B: Any, values: Sequence[Any]) -> dict[tuple[int, int], int]:
    """Where to cut each part of the chain (Cormen and others, Introduction to Algorithms, section 15.2)."""
    lengths = [*[B.shape(x)[0] for x in values[1:]], B.shape(values[-1])[1] if B.ndim(values[-1]) == 2 else 1]
    lengths.insert(0, B.shape(values[0])[0] if B.ndim(values[0]) == 2 else 1)
    n = len(values)
    known = is_known(tuple(lengths))
    cost: dict[tuple[int, int], Any] = {(i, i): 0 for i in range(n)}
    split: dict[tuple[int, int], int] = {}
    for width in range(1, n):
        for i in range(n - width):
            j = i + width
            if not known:
                split[i, j] = j - 1
                continue
            choices = [
                (cost[i, k] + cost[k + 1, j] + lengths[i] * lengths[k + 1] * lengths[j + 1], k) for k in range(i, j)
            ]
            cost[i, j], split[i, j] = min(choices)
    return split


def _chain(B: Any, values: Sequence[Any], split: dict[tuple[int, int], int], i: int, j: int) -> Any:
    if i == j:
        return values[i]
    k = split[i, j]
    return B.matmul(_chain(B, values, split, i, k), _chain(B, values, split, k + 1, j))
