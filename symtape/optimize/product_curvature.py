"""The curvature on a face for many unknowns: by products with the Hessian, Lanczos and conjugate gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, cg, eigsh

from symtape.optimize.curvature import Curvature, unexamined
from symtape.optimize.optimality import ActiveSet
from symtape.optimize.standard_form import Array, StandardForm

#: Eigenvalues within this part of the largest one count as zero.
FLAT = 1e-8


def face_projection(active: ActiveSet) -> Callable[[Array], Array]:
    """The orthogonal projection onto the directions that keep the active constraints, as a function of a vector."""
    free = active.free
    if not active.row_normals.size:
        return lambda vector: np.where(free, vector, 0.0)
    normals = active.row_normals * free
    left, sizes, _ = np.linalg.svd(normals.T, full_matrices=False)
    basis = left[:, sizes > 1e-11 * max(sizes[0], np.finfo(float).tiny)]

    def project(vector: Array) -> Array:
        kept = np.where(free, vector, 0.0)
        rest: Array = kept - basis @ (basis.T @ kept)
        return rest

    return project


def examine_products(
    form: StandardForm, x: Array, gradient: Array, multipliers: Array, active: ActiveSet, *, margin: Array | None
) -> Curvature:
    """Examine the curvature at x on the face where ``active`` stays active, without forming the Hessian.

    Parameters
    ----------
    form, x, gradient, multipliers, active, margin
        As in `symtape.optimize.curvature.examine_dense`.

    Returns
    -------
    Curvature
    """
    n = form.size
    project = face_projection(active)

    def product(vector: Array) -> Array:
        return project(form.lagrangian_product(x, multipliers, project(np.ravel(vector))))

    operator = LinearOperator((n, n), matvec=product, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(n)
    try:
        top = float(np.abs(eigsh(operator, k=1, which="LM", tol=1e-3, v0=start, return_eigenvectors=False)[0]))
        # the projected-out directions are lifted to the top, so that they do not pass for flat ones
        lifted = LinearOperator((n, n), matvec=lambda v: product(v) + top * (np.ravel(v) - project(np.ravel(v))))
        bottom, vectors = eigsh(lifted, k=1, which="SA", tol=1e-4, v0=start, maxiter=2000)
    except ArpackNoConvergence:
        return unexamined(n)
    if not np.isfinite(top) or top == 0.0:
        return unexamined(n)
    smallest = float(bottom[0]) / top
    step = np.zeros(n)
    drift = 0.0
    if smallest > FLAT:
        step, _ = cg(operator, -project(gradient), rtol=1e-8, maxiter=2 * n)
        step = project(step)
        if margin is not None:
            away = project(step + margin)
            length = max(float(np.linalg.norm(away)), np.finfo(float).tiny)
            moved = form.lagrangian_product(x + away, multipliers, away / length)
            change = float(np.linalg.norm(project(moved) - product(away / length)))
            drift = change / max(smallest * top, np.finfo(float).tiny)
    directions = vectors.T if smallest <= FLAT else np.zeros((0, n))
    if drift > 0 and not directions.size:
        directions = step[None, :]
    return Curvature(
        smallest=smallest,
        tolerance=FLAT,
        directions=directions,
        step=step,
        descent=step,
        flat_slope=0.0 if smallest > FLAT else abs(float(gradient @ vectors[:, 0])),
        drift=drift,
        scale=np.ones(n),
    )
