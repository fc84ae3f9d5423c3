"""Where the constraints are violated least: finds a feasible point, or shows that there is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.optimize

from symtape.optimize.certify import FEASIBLE
from symtape.optimize.convexity import has_convex_rows
from symtape.optimize.optimality import largest, violation
from symtape.optimize.scipy_rows import as_linear_program
from symtape.optimize.standard_form import Array, Degree, StandardForm

_STATIONARY = 1e-5
_LP_INFEASIBLE = 2


@dataclass(frozen=True, slots=True)
class LeastViolation:
    """A point of least violation.

    Attributes
    ----------
    x : ndarray of shape (n,)
    violation : float
    proved : bool
        Whether no point at all is feasible: the rows are convex and the violation is stationary here.
    stationary : bool
        Whether the violation has a local minimum here.
    """

    x: Array
    violation: float
    proved: bool
    stationary: bool

    @property
    def feasible(self) -> bool:
        """Whether the point satisfies the constraints."""
        return self.violation <= FEASIBLE


def least_violation(form: StandardForm, x: Array) -> LeastViolation:
    """Minimize half the sum of squared violations of the rows within the bounds, from x.

    Affine rows are asked of a linear program first, which settles whether a point exists.

    Parameters
    ----------
    form : StandardForm
    x : ndarray of shape (n,)

    Returns
    -------
    LeastViolation
    """
    x = form.clip(x)
    affine = all(block.degree <= Degree.AFFINE for block in form.rows)
    with np.errstate(all="ignore"):
        if affine:
            bounds = np.column_stack([form.lower, form.upper])
            found = scipy.optimize.linprog(
                np.zeros(form.size), **as_linear_program(form, x), bounds=bounds, method="highs"
            )
            if found.x is not None:
                point = form.clip(np.array(found.x, dtype=np.float64))
                return LeastViolation(point, violation(form, point), proved=False, stationary=False)
            if int(found.status) == _LP_INFEASIBLE:
                return LeastViolation(x, violation(form, x), proved=True, stationary=True)
        found = scipy.optimize.minimize(
            lambda v: _half_square(form, v),
            x,
            jac=True,
            method="L-BFGS-B",
            bounds=scipy.optimize.Bounds(form.lower, form.upper),
            options={"ftol": 1e-18, "gtol": 1e-12, "maxiter": 5000, "maxfun": 20_000},
        )
        point = form.clip(np.array(found.x, dtype=np.float64))
        left = violation(form, point)
        stationary = left > FEASIBLE and _is_stationary(form, point)
        return LeastViolation(point, left, proved=stationary and has_convex_rows(form, point), stationary=stationary)


def _excess(form: StandardForm, x: Array) -> Array:
    lower, upper = form.row_limits()
    values = form.row_values(x)
    return np.minimum(values - lower, 0.0) + np.maximum(values - upper, 0.0)


def _half_square(form: StandardForm, x: Array) -> tuple[float, Array]:
    off = _excess(form, x)
    if not np.all(np.isfinite(off)):
        return np.inf, np.zeros(form.size)
    return float(0.5 * off @ off), off @ form.row_jacobian(x)


def _is_stationary(form: StandardForm, x: Array) -> bool:
    """Whether moving as far as x is long would change the violation by little, bounds aside."""
    value, pull = _half_square(form, x)
    near = 1e-9 * (1 + np.abs(x))
    held = ((x <= form.lower + near) & (pull > 0)) | ((x >= form.upper - near) & (pull < 0))
    stopped = np.where(held, 0.0, pull)
    return largest(stopped) * (1 + largest(x)) <= _STATIONARY * value
