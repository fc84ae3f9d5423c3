"""The curvature of half a sum of squares by QR of the Jacobian, which squares no condition number.

With ``J = Q R`` (columns scaled and pivoted) the Hessian ``J.T J + S`` is ``R.T (I + B) R``, ``B = R^-T S R^-1``.
So its definiteness is that of ``I + B``, whose eigenvalues say how much the curvature of the model takes off what
the data determine, and Newton's step is ``-R^-1 (I + B)^-1 Q.T r``. See Bates and Watts, Nonlinear Regression
Analysis and Its Applications, Wiley 1988, chapter 7.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.linalg

from symtape.optimize.curvature import PROBES, Curvature
from symtape.optimize.optimality import ActiveSet, largest
from symtape.optimize.spectrum import FLAT
from symtape.optimize.standard_form import Array, Residuals, StandardForm

Index: TypeAlias = npt.NDArray[Any]

#: Where rounding in ``B`` may be larger than this, its eigenvalues say nothing.
_NOISE = 1e-4
_EPS = float(np.finfo(float).eps)


def examine_residuals(
    form: StandardForm, residuals: Residuals, x: Array, active: ActiveSet, *, margin: Array | None
) -> Curvature | None:
    """Examine the curvature at x on the face where the active bounds stay active.

    Parameters
    ----------
    form : StandardForm
        Without rows.
    residuals : Residuals
    x : ndarray of shape (n,)
    active : ActiveSet
        Bounds only.
    margin : ndarray of shape (n,) or None
        How far beyond Newton's step the Jacobian is compared with that at x; None leaves the drift out.

    Returns
    -------
    Curvature or None
        None where the Jacobian is of less than full column rank, or so nearly that the QR form says nothing.
    """
    values, jacobian = residuals.joint(x)
    free = np.flatnonzero(active.free)
    if not (np.all(np.isfinite(values)) and np.all(np.isfinite(jacobian))) or not free.size:
        return None
    columns = jacobian[:, free]
    lengths = np.linalg.norm(columns, axis=0)
    if columns.shape[0] < free.size or np.any(lengths == 0):
        return None
    q, triangle, order = scipy.linalg.qr(columns / lengths, mode="economic", pivoting=True)
    diagonal = np.abs(np.diag(triangle))
    if diagonal[-1] <= _EPS * max(columns.shape) * diagonal[0]:
        return None
    bend = residuals.bend(x, values)
    if not np.all(np.isfinite(bend)):
        return None
    bend = 0.5 * (bend + bend.T)[np.ix_(free, free)] / np.outer(lengths, lengths)
    bend = bend[np.ix_(order, order)]
    # general solves: for systems this small SciPy's triangular ones spend their time on BLAS threads
    half = np.linalg.solve(triangle.T, bend)
    inner = np.linalg.solve(triangle.T, half.T)
    eigenvalues, vectors = np.linalg.eigh(np.eye(free.size) + 0.5 * (inner + inner.T))
    noise = 10 * _EPS * largest(bend) / np.linalg.svd(triangle, compute_uv=False)[-1] ** 2
    if noise > _NOISE:
        return None
    tolerance = max(FLAT, float(noise))

    def to_x(inside: Array) -> Array:
        """A step in the frame of the triangle as a step in x."""
        step = np.zeros(form.size)
        back = np.zeros(free.size)
        back[order] = np.linalg.solve(triangle, inside)
        step[free] = back / lengths
        return step

    slopes = vectors.T @ (q.T @ values)
    sizes = np.abs(eigenvalues)
    coefficients = np.where(sizes > tolerance, -slopes / np.where(sizes > tolerance, sizes, 1.0), 0.0)
    step = to_x(vectors @ np.where(eigenvalues > tolerance, coefficients, 0.0))
    drift = 0.0
    if margin is not None:
        away = step + np.where(active.free, margin, 0.0)
        drift = max(_change(residuals, x + sign * away, columns, free, lengths, order, triangle) for sign in (1, -1))
    doubtful = np.flatnonzero(eigenvalues <= tolerance)[:PROBES]
    directions = np.array([to_x(vectors[:, k]) for k in doubtful]).reshape(-1, form.size)
    scale = np.ones(form.size)
    scale[free] = 1 / lengths
    return Curvature(
        smallest=float(eigenvalues[0]),
        tolerance=tolerance,
        directions=step[None, :] if drift > 0 and not doubtful.size else directions,
        step=step,
        descent=to_x(vectors @ coefficients),
        flat_slope=float(np.linalg.norm(slopes[sizes <= tolerance])),
        drift=drift,
        scale=scale,
    )


def _change(
    residuals: Residuals, x: Array, columns: Array, free: Index, lengths: Array, order: Index, triangle: Array
) -> float:
    """The relative change of the Jacobian from that at the certified point."""
    moved = residuals.joint(x)[1][:, free]
    if not np.all(np.isfinite(moved)):
        return np.inf
    change = ((moved - columns) / lengths)[:, order]
    relative = np.linalg.solve(triangle.T, change.T)
    return 2 * float(np.linalg.norm(relative, 2))
