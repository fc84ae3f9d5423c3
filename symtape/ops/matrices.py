"""What the ops of linear algebra share: square matrices of floating dtype in stacks, and stacks of equal rank."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symtape.errors import DTypeError, MatrixShapeError
from symtape.graph.node import Node
from symtape.graph.shapes import Shape


def as_inexact(B: Any, name: str, value: Any) -> Any:
    """A value in the dtype in which NumPy does linear algebra: integers and booleans become float64."""
    x = B.lift(value)
    dtype = B.dtype(x)
    if dtype.kind in "iub":
        return B.astype(x, np.dtype(np.float64))
    if dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise DTypeError(f"array type {dtype} is unsupported in linalg; convert before {name}: x.astype(float)")
    return x


def check_stack(name: str, shape: Shape) -> None:
    """Refuse what is no stack of matrices.

    Raises
    ------
    MatrixShapeError
        Which is a ``numpy.linalg.LinAlgError``.
    """
    if len(shape) < 2:
        raise MatrixShapeError(
            f"{name}: {len(shape)}-dimensional array given, shape {shape}; it must be at least two-dimensional"
        )


def check_square(name: str, shape: Shape) -> None:
    """Refuse what is no stack of square matrices.

    Raises
    ------
    MatrixShapeError
        Which is a ``numpy.linalg.LinAlgError``.
    """
    check_stack(name, shape)
    if shape[-1] != shape[-2]:
        raise MatrixShapeError(f"{name}: the last two axes of the array must have equal lengths, got shape {shape}")


def as_first(inputs: tuple[Node, ...], *params: Any) -> tuple[Shape, Any]:
    """Shape and dtype of a result that has those of the first input."""
    return inputs[0].shape, inputs[0].dtype


def as_square(name: str) -> Callable[..., tuple[Shape, Any]]:
    """Shape and dtype of what is made of one square matrix and is as large."""

    def infer(inputs: tuple[Node], *params: Any) -> tuple[Shape, Any]:
        check_square(name, inputs[0].shape)
        return as_first(inputs)

    return infer


def transposed(B: Any, x: Any) -> Any:
    """The matrices of a stack, each transposed."""
    return B.swapaxes(x, -1, -2)


def symmetric_part(B: Any, x: Any) -> Any:
    """``(X + Xᵀ)/2``."""
    return B.multiply(0.5, B.add(x, transposed(B, x)))


def all_batched(B: Any, inputs: Sequence[Any], batched: Sequence[bool]) -> tuple[Any, ...]:
    """Inputs, some of them batched, with every other repeated along the batch."""
    n = next(B.shape(x)[0] for x, b in zip(inputs, batched, strict=True) if b)
    return tuple(x if b else B.broadcast_to(x, (n, *B.shape(x))) for x, b in zip(inputs, batched, strict=True))


def padded(B: Any, inputs: Sequence[Any], batched: Sequence[bool]) -> tuple[Any, ...]:
    """Stacks of matrices, some batched: axes of length 1 behind the batch's, so that they broadcast as without it."""
    lead = max(B.ndim(x) - b for x, b in zip(inputs, batched, strict=True))
    result = []
    for x, b in zip(inputs, batched, strict=True):
        shape: Shape = B.shape(x)
        missing = lead - (len(shape) - 1)
        result.append(B.reshape(x, (shape[0], *[1] * missing, *shape[1:])) if b and missing else x)
    return tuple(result)
