"""First-order conditions: active constraints, multipliers by least squares, the KKT residual, the violation.

Sign of multipliers: ``gradient f = sum_j multiplier_j * gradient c_j``, so a multiplier is at least zero where a
lower limit is active and at most zero where an upper limit is; bounds count as constraints on one coordinate. The
convention is that of the Lagrangian ``f - sum_j multiplier_j * c_j``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symtape.optimize.nonnegative import nonnegative_least_squares
from symtape.optimize.standard_form import Array, StandardForm

#: How near to its limit (relative to its own gradient and to x) a constraint counts as active.
ACTIVE = 1e-7
_TINY = np.finfo(float).tiny


@dataclass(frozen=True, slots=True)
class ActiveSet:
    """The constraints that hold with equality at a point, bounds first.

    Attributes
    ----------
    size_of_x : int
        Number of unknowns, n.
    row_normals : ndarray
        Shape (k - bounds, n): gradients of the active rows, pointing into the feasible side, not normalized. A
        bound's normal is a unit vector and is not stored.
    gaps : ndarray
        Shape (k,): distance from the limit, negative where it is violated.
    equation : ndarray of bool
        Shape (k,): equal limits, so that both signs of the multiplier are right.
    index : ndarray of int
        Shape (k,): the coordinate (for a bound) or the row.
    side : ndarray of int
        Shape (k,): 1 at a lower limit, -1 at an upper one.
    bounds : int
        How many of them, from the first on, are bounds.
    """

    size_of_x: int
    row_normals: Array
    gaps: Array
    equation: npt.NDArray[np.bool_]
    index: npt.NDArray[Any]
    side: npt.NDArray[Any]
    bounds: int

    @property
    def size(self) -> int:
        """Number of active constraints."""
        return int(self.gaps.size)

    @property
    def normals(self) -> Array:
        """All normals as one dense matrix, shape (k, n)."""
        units = np.zeros((self.bounds, self.size_of_x))
        units[np.arange(self.bounds), self.index[: self.bounds]] = self.side[: self.bounds]
        return np.concatenate([units, self.row_normals])

    @property
    def free(self) -> npt.NDArray[np.bool_]:
        """The coordinates that are not at a bound, shape (n,)."""
        mask = np.ones(self.size_of_x, dtype=bool)
        mask[self.index[: self.bounds]] = False
        return mask

    def pull(self, multipliers: Array) -> Array:
        """The normals combined with the multipliers, ``normals.T @ multipliers``, shape (n,)."""
        result: Array = multipliers[self.bounds :] @ self.row_normals
        np.add.at(result, self.index[: self.bounds], (self.side * multipliers)[: self.bounds])
        return result

    @property
    def lengths(self) -> Array:
        """Lengths of the normals, shape (k,)."""
        result = np.ones(self.size)
        result[self.bounds :] = np.linalg.norm(self.row_normals, axis=1)
        return result

    def total_pull(self, multipliers: Array) -> Array:
        """The normals combined with the multipliers without cancellation, shape (n,)."""
        result: Array = np.abs(multipliers[self.bounds :]) @ np.abs(self.row_normals)
        np.add.at(result, self.index[: self.bounds], np.abs(multipliers[: self.bounds]))
        return result

    def subset(self, keep: npt.NDArray[np.bool_]) -> ActiveSet:
        """Those for which ``keep`` is True."""
        return ActiveSet(
            self.size_of_x,
            self.row_normals[keep[self.bounds :]],
            self.gaps[keep],
            self.equation[keep],
            self.index[keep],
            self.side[keep],
            int(np.count_nonzero(keep[: self.bounds])),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstOrder:
    """The first-order conditions at a point.

    Attributes
    ----------
    value : float
        The objective.
    gradient : ndarray
        Of the objective, shape (n,).
    active : ActiveSet
    multipliers : ndarray
        Of the active constraints, oriented as their normals: at least 0 except for equations.
    residual : ndarray
        Shape (n,): what the multipliers leave of the gradient.
    complementarity : float
        Largest product of a multiplier and the gap of its constraint.
    violation : float
        Largest violation of a bound or row, relative to ``1 + |limit|``.
    """

    value: float
    gradient: Array
    active: ActiveSet
    multipliers: Array
    residual: Array
    complementarity: float
    violation: float

    @property
    def kkt_residual(self) -> float:
        """Largest of the stationarity residual's entries and the complementarity."""
        return max(largest(self.residual), self.complementarity)

    @property
    def scale(self) -> float:
        """Size of the objective's gradient, which the multipliers have to balance."""
        return largest(self.gradient)


def largest(values: Array) -> float:
    """The largest magnitude, 0 for an empty array."""
    return float(np.max(np.abs(values), initial=0.0))


def violation(form: StandardForm, x: Array) -> float:
    """The largest violation of a bound or a row at x, relative to ``1 + |limit|``; NaN counts as infinite.

    Parameters
    ----------
    form : StandardForm
    x : ndarray of shape (n,)

    Returns
    -------
    float
    """
    lower, upper = form.row_limits()
    values = np.concatenate([x, form.row_values(x)])
    excess = limit_excess(values, np.concatenate([form.lower, lower]), np.concatenate([form.upper, upper]))
    worst = float(np.max(excess, initial=0.0))
    return worst if np.isfinite(worst) else np.inf


def limit_excess(values: Array, lower: Array, upper: Array) -> Array:
    """How far values lie outside their limits, relative to ``1 + |limit|``; 0 inside, infinite for NaN."""
    below = np.where(
        np.isfinite(lower), (lower - values) / (1 + np.abs(np.where(np.isfinite(lower), lower, 0.0))), -np.inf
    )
    above = np.where(
        np.isfinite(upper), (values - upper) / (1 + np.abs(np.where(np.isfinite(upper), upper, 0.0))), -np.inf
    )
    excess: Array = np.maximum(np.maximum(below, above), 0.0)
    excess[np.isnan(values)] = np.inf
    return excess


def active_set(form: StandardForm, x: Array, tolerance: float = ACTIVE) -> ActiveSet:
    """The constraints whose limit lies within ``tolerance`` of x, and all equations.

    Distance is measured in x: the gap divided by the length of the constraint's gradient, relative to ``1 + |x|``.

    Parameters
    ----------
    form : StandardForm
    x : ndarray of shape (n,)
    tolerance : float

    Returns
    -------
    ActiveSet
    """
    near = tolerance * (1 + np.abs(x))
    fixed = form.lower == form.upper
    at_lower = fixed | (x - form.lower <= near)
    at_upper = ~fixed & (form.upper - x <= near) & ~(at_lower & (x - form.lower <= form.upper - x))
    at_lower &= ~at_upper
    coordinates = np.flatnonzero(at_lower | at_upper)
    side = np.where(at_lower[coordinates], 1, -1)
    gaps = np.where(side == 1, x[coordinates] - form.lower[coordinates], form.upper[coordinates] - x[coordinates])
    if not form.rows:
        return ActiveSet(
            form.size, np.zeros((0, form.size)), gaps, fixed[coordinates], coordinates, side, coordinates.size
        )
    values, jacobian = form.row_values(x), form.row_jacobian(x)
    lower, upper = form.row_limits()
    equation = lower == upper
    reach = tolerance * (1 + largest(x)) * np.maximum(np.linalg.norm(jacobian, axis=1), _TINY)
    with np.errstate(invalid="ignore"):
        row_lower = equation | (values - lower <= reach)
        row_upper = ~equation & (upper - values <= reach) & ~(row_lower & (values - lower <= upper - values))
    row_lower &= ~row_upper
    picked = np.flatnonzero(row_lower | row_upper)
    row_side = np.where(row_lower[picked], 1, -1)
    row_gaps = np.where(row_side == 1, values[picked] - lower[picked], upper[picked] - values[picked])
    return ActiveSet(
        form.size,
        row_side[:, None] * jacobian[picked],
        np.concatenate([gaps, row_gaps]),
        np.concatenate([fixed[coordinates], equation[picked]]),
        np.concatenate([coordinates, picked]),
        np.concatenate([side, row_side]),
        coordinates.size,
    )


def multipliers(gradient: Array, active: ActiveSet) -> Array:
    """Multipliers that leave least of the gradient: ``min |g - normals.T @ m|`` with ``m >= 0`` except for equations.

    Equations are projected out by QR, the rest is non-negative least squares (Lawson and Hanson); where only bounds
    are active each multiplier is its entry of the gradient.

    Parameters
    ----------
    gradient : ndarray of shape (n,)
    active : ActiveSet

    Returns
    -------
    ndarray of shape (k,)
    """
    if not active.size:
        return np.zeros(0)
    if active.bounds == active.size:
        own: Array = active.side * gradient[active.index]
        return np.where(active.equation, own, np.maximum(own, 0.0))
    normals = active.normals
    lengths = np.linalg.norm(normals, axis=1)
    lengths[lengths == 0.0] = 1.0
    unit = normals / lengths[:, None]
    result = np.zeros(active.size)
    free = _least_squares_multipliers(unit, gradient)
    if np.all(free[~active.equation] >= 0.0):
        result = free
    else:
        equations, signed = unit[active.equation], unit[~active.equation]
        basis = _row_space(equations)
        result[~active.equation] = nonnegative_least_squares(_without(signed, basis).T, _without(gradient, basis))
        rest = gradient - signed.T @ result[~active.equation]
        result[active.equation] = _least_squares_multipliers(equations, rest)
    return np.asarray(result / lengths, dtype=np.float64)


def _least_squares_multipliers(normals: Array, gradient: Array) -> Array:
    if not normals.size:
        return np.zeros(normals.shape[0])
    return np.asarray(np.linalg.lstsq(normals.T, gradient, rcond=1e-13)[0], dtype=np.float64)


def _row_space(normals: Array) -> Array:
    """An orthonormal basis (columns) of the space that the rows span."""
    if not normals.size:
        return np.zeros((normals.shape[1], 0))
    _, sizes, right = np.linalg.svd(normals, full_matrices=False)
    rank = int(np.count_nonzero(sizes > 1e-13 * max(normals.shape) * sizes[0])) if sizes[0] > 0 else 0
    return np.asarray(right[:rank].T, dtype=np.float64)


def _without(rows: Array, basis: Array) -> Array:
    """Rows (or one vector) less their part in the space of the basis."""
    rest: Array = rows - (rows @ basis) @ basis.T
    return rest


def first_order(form: StandardForm, x: Array, tolerance: float = ACTIVE) -> FirstOrder:
    """Evaluate the first-order conditions at x.

    Parameters
    ----------
    form : StandardForm
    x : ndarray of shape (n,)
    tolerance : float
        How near a limit counts as active, as in `active_set`.

    Returns
    -------
    FirstOrder
    """
    value, gradient = form.objective.value_and_gradient(x)
    active = active_set(form, x, tolerance)
    pulls = multipliers(gradient, active)
    return FirstOrder(
        value=value,
        gradient=gradient,
        active=active,
        multipliers=pulls,
        residual=gradient - active.pull(pulls),
        complementarity=largest(pulls[~active.equation] * active.gaps[~active.equation]),
        violation=violation(form, x),
    )


def row_multipliers(form: StandardForm, order: FirstOrder) -> Array:
    """The multipliers of all rows, shape (m,): zero where not active, signed as this module says."""
    result = np.zeros(sum(block.size for block in form.rows))
    active = order.active
    rows = slice(active.bounds, None)
    np.add.at(result, active.index[rows], (active.side * order.multipliers)[rows])
    return result


def bound_multipliers(form: StandardForm, order: FirstOrder) -> Array:
    """The multipliers of the bounds, zero where none is active; shape (n,)."""
    result = np.zeros(form.size)
    active = order.active
    bounds = slice(0, active.bounds)
    result[active.index[bounds]] = (active.side * order.multipliers)[bounds]
    return result
