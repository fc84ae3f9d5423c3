"""Directions that keep constraints active: coordinates that are not at a bound, and the null space of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg

from symtape.optimize.optimality import ActiveSet
from symtape.optimize.standard_form import Array


@dataclass(frozen=True, slots=True)
class Face:
    """The directions, in scaled unknowns, that keep the active constraints.

    Attributes
    ----------
    free : ndarray of int
        Coordinates that are not at a bound.
    basis : ndarray or None
        An orthonormal basis among these, shape (free, k); None for all of them.
    scale : ndarray of shape (n,)
        ``x = scale * scaled``.
    """

    free: npt.NDArray[Any]
    basis: Array | None
    scale: Array

    @property
    def size(self) -> int:
        """Number of independent directions."""
        return int(self.free.size if self.basis is None else self.basis.shape[1])

    def matrix(self, full: Array) -> Array:
        """A symmetric matrix over x as one over the directions."""
        scale = self.scale[self.free]
        part: Array = full[np.ix_(self.free, self.free)] * np.outer(scale, scale)
        return part if self.basis is None else self.basis.T @ part @ self.basis

    def vector(self, full: Array) -> Array:
        """A gradient over x as one over the directions."""
        part: Array = (self.scale * full)[self.free]
        return part if self.basis is None else self.basis.T @ part

    def expand(self, inside: Array) -> Array:
        """Steps over the directions, shape (k,) or (k, j), as steps of x, shape (n,) or (n, j)."""
        part = inside if self.basis is None else self.basis @ inside
        result = np.zeros((self.scale.size, *inside.shape[1:]))
        result[self.free] = part
        return np.asarray((result.T * self.scale).T, dtype=np.float64)


def face_of(active: ActiveSet, scale: Array) -> Face:
    """The face on which constraints stay active.

    Parameters
    ----------
    active : ActiveSet
        The constraints that are kept.
    scale : ndarray of shape (n,)

    Returns
    -------
    Face
    """
    free = np.flatnonzero(active.free)
    if not active.row_normals.size or not free.size:
        return Face(free, None, scale)
    normals = active.row_normals[:, free] * scale[free]
    lengths = np.linalg.norm(normals, axis=1)
    kept = normals[lengths > 0] / lengths[lengths > 0, None]
    if not kept.size:
        return Face(free, None, scale)
    q, triangle, _ = scipy.linalg.qr(kept.T, pivoting=True)
    sizes = np.abs(np.diag(triangle))
    rank = int(np.count_nonzero(sizes > 1e-11 * sizes[0]))
    return Face(free, np.asarray(q[:, rank:], dtype=np.float64), scale)
