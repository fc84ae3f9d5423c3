"""Whether a problem is proved convex: from degrees read off the graph and the Hessians of its quadratic parts.

A convex problem here is: an objective that is affine, a quadratic with a positive semidefinite Hessian, or marked
convex by the reduction that built it; affine equations; rows with a lower limit that are affine or concave
quadratics, rows with an upper limit that are affine or convex ones. What is not proved counts as not convex.
"""

from __future__ import annotations

import numpy as np

from symtape.optimize.curvature import unknown_scale
from symtape.optimize.standard_form import Array, Degree, Rows, StandardForm

# Rounding in the entries of a constant Hessian; a quadratic more concave than this is not convex.
_ROUNDING = 1e-13
_WORK_LIMIT = 10**8


def is_semidefinite(matrix: Array) -> bool:
    """Whether a symmetric matrix has no eigenvalue below rounding, in scaled unknowns.

    Decided by Cholesky's factorization of the matrix with its diagonal raised by rounding, which exists if and only
    if the raised matrix is positive definite.
    """
    if not np.all(np.isfinite(matrix)):
        return False
    if not np.any(matrix):
        return True
    scale = unknown_scale(matrix)
    raised = matrix * np.outer(scale, scale) + _ROUNDING * matrix.shape[0] * np.eye(matrix.shape[0])
    try:
        np.linalg.cholesky(raised)
    except np.linalg.LinAlgError:
        return False
    return True


def has_convex_objective(form: StandardForm, x: Array) -> bool:
    """Whether the objective is proved convex; ``x`` is where a constant Hessian is read."""
    objective = form.objective
    if objective.convex or objective.degree <= Degree.AFFINE:
        return True
    return objective.degree is Degree.QUADRATIC and form.dense and is_semidefinite(objective.hessian(x))


def has_convex_rows(form: StandardForm, x: Array) -> bool:
    """Whether the points that satisfy all rows are proved to form a convex set."""
    return all(_is_convex_block(block, x, form.size) for block in form.rows)


def is_convex(form: StandardForm, x: Array) -> bool:
    """Whether the whole problem is proved convex."""
    return has_convex_rows(form, x) and has_convex_objective(form, x)


def _is_convex_block(block: Rows, x: Array, n: int) -> bool:
    if block.degree <= Degree.AFFINE:
        return True
    if block.degree is not Degree.QUADRATIC or block.size * n**2 > _WORK_LIMIT:
        return False
    for j in range(block.size):
        below, above = np.isfinite(block.lower[j]), np.isfinite(block.upper[j])
        if not (below or above):
            continue
        weights = np.zeros(block.size)
        weights[j] = 1.0
        matrix = block.weighted_hessian(x, weights)
        matrix = 0.5 * (matrix + matrix.T)
        if (above and not is_semidefinite(matrix)) or (below and not is_semidefinite(-matrix)):
            return False
    return True
