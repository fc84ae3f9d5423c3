"""Exact Newton steps from where a method stopped, on the face of the constraints that are active there.

SciPy's methods stop at tolerances of their own (some at 1e-4 in the gradient, some as soon as a line search fails);
a certificate needs first-order accuracy near rounding. From a point near a minimum Newton's method gives that in a
few steps. Each step keeps the constraints that pull on their (linearized) limits, is measured against the KKT
residual and the violation, and is taken only if it improves on them, so polishing never makes a point worse.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symtape.optimize.certify import FEASIBLE, STATIONARY, relative_step, strongly_active
from symtape.optimize.curvature import Curvature
from symtape.optimize.optimality import ActiveSet, FirstOrder, first_order, largest, row_multipliers
from symtape.optimize.second_order import examine
from symtape.optimize.standard_form import Array, StandardForm

_STEPS = 100
_STEPS_LARGE = 20
_HALVINGS = 12
_REFINEMENTS = 3
_EPS = float(np.finfo(float).eps)
#: How near to a limit x may be for the limit to be tried as active: an interior method stops short of it.
_REACHES = (1e-7, 1e-5, 1e-3)


@dataclass(frozen=True, slots=True)
class _Merit:
    """How good a point is: violation and KKT residual, both relative."""

    order: FirstOrder
    unit: float

    @property
    def value(self) -> float:
        total = max(self.order.kkt_residual / self.unit, self.order.violation)
        return total if np.isfinite(total) and np.isfinite(self.order.value) else np.inf


def polish(form: StandardForm, x: Array, steps: int | None = None) -> tuple[Array, int]:
    """Improve a point by Newton steps until they stop improving it.

    Parameters
    ----------
    form : StandardForm
    x : ndarray of shape (n,)
        The point where a method stopped.
    steps : int, optional
        At most so many steps.

    Returns
    -------
    x : ndarray of shape (n,)
        A point at least as good.
    steps : int
        How many steps were taken.
    """
    x = form.clip(x)
    limit = steps if steps is not None else _STEPS if form.dense else _STEPS_LARGE
    with np.errstate(all="ignore"):
        order = first_order(form, x)
        merit = _Merit(order, max(order.scale, np.finfo(float).tiny))
        taken = 0
        last = np.inf
        while taken < limit and np.isfinite(merit.value) and merit.value > 0.0:
            found = _improve(form, x, merit, last)
            if found is None:
                break
            last = largest(found[0] - x)
            x, merit = found
            taken += 1
        if taken < limit and form.dense and np.isfinite(merit.value):
            x, refined = _refine(form, x, merit.order)
            taken += refined
        return x, taken


def _refine(form: StandardForm, x: Array, order: FirstOrder) -> tuple[Array, int]:
    """Last Newton steps, whose gain drowns in the rounding of the KKT residual: taken while the steps get shorter."""
    current = _model(form, x, order)
    for taken in range(_REFINEMENTS):
        if not current.positive or relative_step(current, x, x) > STATIONARY:
            return x, taken
        point = form.clip(x + current.step)
        next_order = first_order(form, point)
        after = _model(form, point, next_order)
        before_length, after_length = (float(np.linalg.norm(c.step / current.scale)) for c in (current, after))
        if next_order.violation > max(order.violation, FEASIBLE) or not after_length <= 0.5 * before_length:
            return x, taken
        x, current = point, after
    return x, _REFINEMENTS


def _model(form: StandardForm, x: Array, order: FirstOrder) -> Curvature:
    face = order.active.subset(strongly_active(order))
    return examine(form, x, order.residual, row_multipliers(form, order), face)


def _improve(form: StandardForm, x: Array, merit: _Merit, last: float) -> tuple[Array, _Merit] | None:
    """A better point by one Newton step, nearest limits active first; ``last`` is the length of the step before."""
    for reach in _REACHES if form.bounded or form.rows else _REACHES[:1]:
        order = merit.order if reach == _REACHES[0] else first_order(form, x, reach)
        step = _newton_step(form, x, order)
        length = largest(step)
        if np.isfinite(length) and length > 0.25 * _EPS * largest(x):
            found = _advance(form, x, step, merit, longer=0.3 < length / last < 0.9)
            if found is not None:
                return found
    return None


def _newton_step(form: StandardForm, x: Array, order: FirstOrder) -> Array:
    face = order.active.subset(strongly_active(order) | (order.active.gaps < 0))
    rows = row_multipliers(form, order)
    back = _back_to_limits(face)
    gradient = order.residual
    if np.any(back):
        gradient = gradient + form.lagrangian_product(x, rows, back)
    return back + examine(form, x, gradient, rows, face).descent


def _back_to_limits(face: ActiveSet) -> Array:
    """The shortest step that puts the face's constraints, linearized, on their limits."""
    step = np.zeros(face.size_of_x)
    bounds = slice(0, face.bounds)
    step[face.index[bounds]] = -(face.side * face.gaps)[bounds]
    if face.row_normals.size:
        free = face.free
        wanted = -face.gaps[face.bounds :] - face.row_normals @ step
        step[free] += np.linalg.lstsq(face.row_normals[:, free], wanted, rcond=1e-12)[0]
    return step


def _advance(form: StandardForm, x: Array, step: Array, merit: _Merit, *, longer: bool) -> tuple[Array, _Merit] | None:
    """The point along the step that improves on x, if there is one.

    Where steps shrink at a constant rate (a minimum of higher order than two) ``longer`` asks for multiples of the
    step too.
    """
    best: tuple[Array, _Merit] | None = None
    for length in [3.0, 2.0, 1.0] if longer else [1.0]:
        candidate = _try(form, x + length * step, merit)
        if candidate is not None and (best is None or candidate[1].value < best[1].value):
            best = candidate
    if best is not None:
        return best
    length = 0.5
    for _ in range(_HALVINGS):
        candidate = _try(form, x + length * step, merit)
        if candidate is not None:
            return candidate
        length *= 0.5
    return None


def _try(form: StandardForm, point: Array, merit: _Merit) -> tuple[Array, _Merit] | None:
    point = form.clip(point)
    new = _Merit(first_order(form, point), merit.unit)
    rises = new.order.value - merit.order.value
    if new.value < 0.99 * merit.value and (form.rows or rises <= 1e-10 * abs(merit.order.value)):
        return point, new
    if not form.rows and np.isfinite(new.value) and rises < -1e-12 * abs(merit.order.value):
        return point, new
    return None
