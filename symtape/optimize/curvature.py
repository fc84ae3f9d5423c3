"""Second-order conditions: the Hessian of the Lagrangian on the face of strongly active constraints, and Newton's step.

Everything is judged in scaled unknowns (units in which the Hessian's rows have size 1),
so that the verdict does not depend on the units of x. The eigenvalues reported are those of the scaled matrix,
whose diagonal is 1 or -1. Up to `symtape.optimize.standard_form.DENSE_LIMIT` unknowns the matrix is formed; above,
products with it serve Lanczos and conjugate gradients.

Newton's step at x also tells whether the quadratic model can be trusted there: ``drift`` is the relative change of
the Hessian over that step (the quantity that the Newton-Kantorovich theorem bounds). At the minimum of x**2 it is
0; near that of x**4, or far out on exp(-x), it is about a half wherever one stands, which no tolerance on the
gradient can tell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from symtape.optimize.optimality import ActiveSet, largest
from symtape.optimize.standard_form import Array, StandardForm

#: Scaled eigenvalues within this distance of zero count as zero.
FLAT = 1e-9
_DIAGONAL_FLOOR = 1e-14
PROBES = 12
_EQUILIBRATIONS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Curvature:
    """The Hessian of the Lagrangian on a face.

    Attributes
    ----------
    smallest : float
        Smallest scaled eigenvalue; infinite where the face is a point (a vertex).
    tolerance : float
        What counts as zero for it.
    directions : ndarray
        Shape (k, n): directions of nonpositive or no curvature, of length 1 in the scaled unknowns, then mapped
        back to x.
    step : ndarray
        Newton's step on the face along positive curvature, shape (n,).
    descent : ndarray
        The same with the step along negative curvature, downhill as far as Newton's would go uphill.
    flat_slope : float
        Length of the gradient's part along directions of no curvature, in scaled unknowns.
    drift : float
        Relative change of the Hessian over the step and a small margin.
    scale : ndarray
        The unit of each unknown, shape (n,).
    examined : bool
        False where the spectrum could not be had (Lanczos did not converge, the Hessian was not finite).
    """

    smallest: float
    tolerance: float
    directions: Array
    step: Array
    descent: Array
    flat_slope: float
    drift: float
    scale: Array
    examined: bool = True

    @property
    def positive(self) -> bool:
        """Positive definite, beyond the tolerance."""
        return self.examined and self.smallest > self.tolerance

    @property
    def negative(self) -> bool:
        """Has a direction of negative curvature, beyond the tolerance."""
        return self.examined and self.smallest < -self.tolerance


def gradient_reach(form: StandardForm, x: Array, way: Array) -> Array:
    """How much of a gradient a displacement makes at most, entry by entry: ``|H| @ |way|``, H of the objective."""
    if form.dense:
        return np.asarray(np.abs(form.objective.hessian(x)) @ np.abs(way))
    return np.abs(form.objective.hvp(x, way))


def face_basis(active: ActiveSet, scale: Array) -> Array:
    """An orthonormal basis, in scaled unknowns, of the directions that keep the active constraints: shape (n, k).

    Parameters
    ----------
    active : ActiveSet
        The constraints that are kept.
    scale : ndarray of shape (n,)
        ``x = scale * scaled``.

    Returns
    -------
    ndarray
    """
    free = np.flatnonzero(active.free)
    basis = np.zeros((active.size_of_x, free.size))
    basis[free, np.arange(free.size)] = 1.0
    if not active.row_normals.size or not free.size:
        return basis
    normals = active.row_normals[:, free] * scale[free]
    lengths = np.linalg.norm(normals, axis=1)
    kept = normals[lengths > 0] / lengths[lengths > 0, None]
    if not kept.size:
        return basis
    null: Array = scipy.linalg.null_space(kept, rcond=1e-11)
    result = np.zeros((active.size_of_x, null.shape[1]))
    result[free] = null
    return result


def unknown_scale(matrix: Array) -> Array:
    """The unit of each unknown, such that in these units the largest entry of each row of the matrix is 1.

    For a positive definite matrix that is ``1/sqrt(diagonal)``; otherwise the rows are equilibrated (Ruiz,
    RAL-TR-2001-034), with a floor under rows that hold nothing but rounding.
    """
    sizes = np.abs(matrix)
    rows = np.max(sizes, axis=1, initial=0.0)
    top = largest(rows)
    if top == 0.0 or not np.isfinite(top):
        return np.ones(rows.size)
    floor = _DIAGONAL_FLOOR * top
    scale: Array = 1 / np.sqrt(np.maximum(np.diag(sizes), np.maximum(1e-8 * rows, floor)))
    empty = rows <= floor
    for _ in range(_EQUILIBRATIONS):
        rows = np.max(scale[:, None] * sizes * scale, axis=1)
        rows[empty] = 1.0
        scale /= np.sqrt(rows)
        if np.all(np.abs(rows - 1) < 0.1):
            break
    scale[empty] = np.max(scale[~empty])
    return scale


def examine_dense(
    form: StandardForm, x: Array, gradient: Array, multipliers: Array, active: ActiveSet, *, margin: Array | None = None
) -> Curvature:
    """Examine the curvature at x on the face where ``active`` stays active, from the Hessian itself.

    Parameters
    ----------
    form : StandardForm
    x : ndarray of shape (n,)
    gradient : ndarray of shape (n,)
        Of the Lagrangian: what the multipliers leave of the objective's gradient.
    multipliers : ndarray of shape (m,)
        Of all rows, in the sign convention of `symtape.optimize.optimality`.
    active : ActiveSet
    margin : ndarray of shape (n,), optional
        How far beyond Newton's step the Hessian is compared with that at x; None leaves the drift out.

    Returns
    -------
    Curvature
    """
    matrix = form.lagrangian_hessian(x, multipliers)
    if not np.all(np.isfinite(matrix)):
        return unexamined(form.size)
    scale = unknown_scale(matrix)
    basis = face_basis(active, scale)
    if not basis.shape[1]:
        return Curvature(
            smallest=np.inf,
            tolerance=FLAT,
            directions=np.zeros((0, form.size)),
            step=np.zeros(form.size),
            descent=np.zeros(form.size),
            flat_slope=0.0,
            drift=0.0,
            scale=scale,
        )
    scaled = basis.T @ (scale[:, None] * matrix * scale) @ basis
    eigenvalues, vectors = np.linalg.eigh(0.5 * (scaled + scaled.T))
    slopes = vectors.T @ (basis.T @ (scale * gradient))
    steep = eigenvalues > FLAT
    sizes = np.abs(eigenvalues)
    coefficients = np.where(sizes > FLAT, -slopes / np.where(sizes > FLAT, sizes, 1.0), 0.0)
    step = scale * (basis @ (vectors @ np.where(steep, coefficients, 0.0)))
    drift = 0.0
    if margin is not None and np.any(steep):
        frame = (scale[:, None] * (basis @ vectors[:, steep])) / np.sqrt(eigenvalues[steep])
        away = step + np.where(active.free, margin, 0.0)
        drift = max(
            _relative_change(form.lagrangian_hessian(x + sign * away, multipliers) - matrix, frame) for sign in (1, -1)
        )
    doubtful = eigenvalues <= FLAT
    directions = (scale[:, None] * (basis @ vectors[:, doubtful])).T[:PROBES]
    if drift > 0 and not np.any(doubtful):
        directions = step[None, :]
    return Curvature(
        smallest=float(eigenvalues[0]),
        tolerance=FLAT,
        directions=directions,
        step=step,
        descent=scale * (basis @ (vectors @ coefficients)),
        flat_slope=float(np.linalg.norm(slopes[sizes <= FLAT])),
        drift=drift,
        scale=scale,
    )


def _relative_change(change: Array, frame: Array) -> float:
    """The norm of a change of the Hessian, measured by the Hessian itself."""
    if not np.all(np.isfinite(change)):
        return np.inf
    return float(np.max(np.abs(np.linalg.eigvalsh(frame.T @ change @ frame))))


def unexamined(n: int) -> Curvature:
    """What is known where the Hessian could not be had."""
    return Curvature(
        smallest=np.nan,
        tolerance=FLAT,
        directions=np.zeros((0, n)),
        step=np.zeros(n),
        descent=np.zeros(n),
        flat_slope=0.0,
        drift=np.inf,
        scale=np.ones(n),
        examined=False,
    )
