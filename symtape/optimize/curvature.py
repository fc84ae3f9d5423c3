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

from symtape.optimize.faces import Face, face_of
from symtape.optimize.optimality import ActiveSet, largest
from symtape.optimize.spectrum import FLAT, Spectrum, decomposed, factored
from symtape.optimize.standard_form import Array, StandardForm

#: Faces of more directions are first tried by Cholesky's factorization, which costs a thirtieth of a spectrum.
EIGEN_LIMIT = 150
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
    face = face_of(active, unknown_scale(matrix))
    if not face.size:
        return _vertex(face.scale)
    reduced = face.matrix(matrix)
    reduced = 0.5 * (reduced + reduced.T)
    slopes = face.vector(gradient)
    spectrum = factored(reduced, slopes) if face.size > EIGEN_LIMIT else None
    if spectrum is None:
        spectrum = decomposed(reduced, slopes)
    step = face.expand(spectrum.step)
    drift = 0.0
    if margin is not None:
        drift = _drift(form, x, multipliers, matrix, face, spectrum, step + np.where(active.free, margin, 0.0))
    directions = face.expand(spectrum.doubtful).T[:PROBES]
    return Curvature(
        smallest=spectrum.smallest,
        tolerance=FLAT,
        directions=step[None, :] if drift > 0 and not directions.size else directions,
        step=step,
        descent=face.expand(spectrum.descent),
        flat_slope=spectrum.flat_slope,
        drift=drift,
        scale=face.scale,
    )


def _vertex(scale: Array) -> Curvature:
    """What is known where no direction keeps the active constraints."""
    nothing = np.zeros(scale.size)
    return Curvature(
        smallest=np.inf,
        tolerance=FLAT,
        directions=np.zeros((0, scale.size)),
        step=nothing,
        descent=nothing,
        flat_slope=0.0,
        drift=0.0,
        scale=scale,
    )


def _drift(
    form: StandardForm, x: Array, multipliers: Array, matrix: Array, face: Face, spectrum: Spectrum, away: Array
) -> float:
    """The relative change of the Hessian over a step to both sides, as far as it is steep."""
    worst = 0.0
    for sign in (1.0, -1.0):
        change = form.lagrangian_hessian(x + sign * away, multipliers) - matrix
        if not np.all(np.isfinite(change)):
            return np.inf
        worst = max(worst, spectrum.relative_size(face.matrix(change)))
    return worst


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
