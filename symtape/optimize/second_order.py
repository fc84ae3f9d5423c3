"""The way by which the curvature on a face is examined: from residuals, from the dense Hessian, or by products."""

from __future__ import annotations

from symtape.optimize.curvature import Curvature, examine_dense
from symtape.optimize.optimality import ActiveSet
from symtape.optimize.product_curvature import examine_products
from symtape.optimize.residual_curvature import examine_residuals
from symtape.optimize.standard_form import Array, StandardForm


def examine(
    form: StandardForm, x: Array, gradient: Array, multipliers: Array, active: ActiveSet, *, margin: Array | None = None
) -> Curvature:
    """Examine the curvature at x on the face where ``active`` stays active, by the way that fits the problem.

    Parameters
    ----------
    form, x, gradient, multipliers, active, margin
        As in `symtape.optimize.curvature.examine_dense`.

    Returns
    -------
    Curvature
    """
    if not form.dense:
        return examine_products(form, x, gradient, multipliers, active, margin=margin)
    if form.objective.residuals is not None and not form.rows:
        found = examine_residuals(form, form.objective.residuals, x, active, margin=margin)
        if found is not None:
            return found
    return examine_dense(form, x, gradient, multipliers, active, margin=margin)
