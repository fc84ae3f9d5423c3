"""Condition numbers. As in NumPy that of a singular matrix is infinite."""

from __future__ import annotations

from typing import Any

import numpy as np

from symtape.errors import MatrixShapeError
from symtape.graph.node import Array, Node
from symtape.graph.shapes import Shape
from symtape.ops.gaps import transposed
from symtape.ops.matrices import as_inexact, check_square, check_stack
from symtape.ops.matrix_formulas import inverse
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, structural
from symtape.ops.singular_values import singular_values


def _value(a: Array) -> Array:
    result = np.empty_like(a)
    for place in np.ndindex(a.shape[:-2]):
        try:
            result[place] = np.linalg.inv(a[place])
        except np.linalg.LinAlgError:
            result[place] = np.inf
    return result


def _infer(inputs: tuple[Node]) -> tuple[Shape, Any]:
    check_square("cond", inputs[0].shape)
    return inputs[0].shape, inputs[0].dtype


def _pull(B: Any, g: Any, y: Any, a: Any) -> Any:
    across = transposed(B, y)
    return B.negative(B.matmul(B.matmul(across, g), across))


INV_OR_INF: Op = structural(
    "inv_or_inf",
    Kind.LIBRARY,
    _value,
    _infer,
    vjp=(_pull,),
    jvp=(lambda B, t, y, a: B.negative(B.matmul(B.matmul(y, t), y)),),
    batch=lambda B, inputs, batched: B.build(INV_OR_INF, inputs),
    formula=inverse,
    source="Giles (2008), An extended collection of matrix derivative results, section 2.2.3 (inverse)",
)


@function()
def inv_or_inf(B: Any, a: Any) -> Any:
    """The inverse, and infinity for a matrix that has none."""
    return B.build(INV_OR_INF, (a,))


@function("numpy.linalg.cond", name="condition_number")
def condition_number(B: Any, x: Any, p: Any = None) -> Any:
    """``np.linalg.cond``, of every order; equal extreme singular values share the gradient."""
    x = as_inexact(B, "cond", x)
    check_stack("cond", B.shape(x))
    if 0 in B.shape(x)[-2:]:
        raise MatrixShapeError("cond is not defined on empty arrays")
    if p in (None, 2, -2):
        s = singular_values(B, x)
        first, last = B.max(s, axis=-1), B.min(s, axis=-1)
        return B.divide(last, first) if p == -2 else B.divide(first, last)
    check_square("cond", B.shape(x))
    return B.multiply(B.norm(x, p, (-2, -1)), B.norm(B.inv_or_inf(x), p, (-2, -1)))
