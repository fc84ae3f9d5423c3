"""Where index arrays point: checked, broadcast against each other, and as places in the flattened array."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.node import Array
from symtape.graph.shapes import Length, Shape, broadcast
from symtape.ops.boxes import out_of_bounds


def common_shape(shapes: Sequence[Shape]) -> Shape:
    """The shape to which index arrays broadcast, or NumPy's error."""
    try:
        return broadcast(shapes)
    except ShapeError:
        raise IndexError(
            "shape mismatch: indexing arrays could not be broadcast together with shapes "
            + " ".join(str(s) for s in shapes)
        ) from None


def checked(indices: Array, axis: int, n: Length) -> Array:
    """Index numbers of an array inside an axis of length ``n``, negative ones counted from the start if it is known.

    Raises
    ------
    IndexError
        As NumPy.
    """
    indices = np.asarray(indices, np.intp)
    if not isinstance(n, int) or indices.size == 0:
        return indices
    least = indices.min()
    if least < -n or indices.max() >= n:
        outside = (indices < -n) | (indices >= n)
        raise out_of_bounds(int(indices[outside].flat[0]), axis, n)
    return np.where(indices < 0, indices + n, indices) if least < 0 else indices


def flat_positions(indices: Sequence[Array], axes: tuple[int, ...], at: int, shape: tuple[int, ...]) -> Array:
    """Where, in the flattened array of the given shape, each element of a gather's result stands."""
    strides = [int(np.prod(shape[k + 1 :], dtype=np.intp)) for k in range(len(shape))]
    common = np.broadcast_shapes(*[i.shape for i in indices])
    parts = [checked(i, axis, shape[axis]) for i, axis in zip(indices, axes, strict=True)]
    scaled = [p if strides[axis] == 1 else p * strides[axis] for p, axis in zip(parts, axes, strict=True)]
    chosen: Array = np.broadcast_to(functools.reduce(operator.add, scaled), common)
    rest = [k for k in range(len(shape)) if k not in axes]
    result = chosen.reshape((1,) * at + common + (1,) * (len(rest) - at))
    for place, k in enumerate(rest):
        after = len(rest) - place - 1 + (len(common) if place < at else 0)
        result = result + (np.arange(shape[k]) * strides[k]).reshape((shape[k],) + (1,) * after)
    return result
