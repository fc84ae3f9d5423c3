"""Lower points where derivatives do not decide: along directions without positive curvature and along endless rays."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from symtape.optimize.optimality import ActiveSet, FirstOrder, active_set, first_order, row_multipliers, violation
from symtape.optimize.second_order import examine
from symtape.optimize.standard_form import Array, StandardForm

#: A value counts as lower if it is so by this part of itself, or by `SMALLEST` where the objective is near zero.
LOWER = 1e-10
SMALLEST = 1e-12
_REACHES = 10.0 ** np.arange(-6.0, 2.0, 0.25)
_FAR = 4.0 ** np.arange(1.0, 7.0)
_MOST = 6
_DOUBLINGS = 80
_ROUNDS = 5
_SETTLING = 3
_EPS = float(np.finfo(float).eps)


def lower_along(
    form: StandardForm, x: Array, directions: Array, order: FirstOrder, face: ActiveSet, start: Array
) -> Array | None:
    """The lowest feasible point found along ``x + t*d`` and ``x - t*d``, if it is lower than x beyond rounding.

    A direction along which values go on falling as far as it is followed counts too, however slowly they fall:
    there the objective has no minimum but a limit (as in exp(-x)).

    Parameters
    ----------
    form : StandardForm
    x : ndarray of shape (n,)
    directions : ndarray of shape (k, n)
    order : FirstOrder
        The first-order conditions at x.
    face : ActiveSet
        The constraints that pull: probes stay on their limits.
    start : ndarray of shape (n,)
        Where the search began; how far x is from it tells how far to look.

    Returns
    -------
    ndarray or None
    """
    allowed = max(2 * order.violation, 1e-10)
    extent = max(float(np.max(np.abs(x), initial=0.0)), float(np.max(np.abs(x - start), initial=0.0)), 1.0)
    best, found = order.value - max(LOWER * abs(order.value), SMALLEST), None
    chosen = [*directions[:_MOST], *_lone_coordinates(directions)[:_MOST]]
    for direction in chosen:
        length = float(np.max(np.abs(direction)))
        if not length or not np.isfinite(length):
            continue
        for way in (direction * (extent / length), direction * (-extent / length)):
            for reach in _REACHES:
                point = restore(form, form.clip(x + reach * way), face)
                value = form.objective.value(point)
                if value < best and violation(form, point) <= allowed:
                    best, found = value, point
            if found is None:
                found = _end_of_valley(form, x, order.value, way, face, allowed)
    return found


def _end_of_valley(
    form: StandardForm, x: Array, value: float, way: Array, face: ActiveSet, allowed: float
) -> Array | None:
    """A point far down a valley, where values fall beyond rounding at each of ever longer steps along its floor.

    The floor is found from a point on the ray by Newton's steps along the steep directions there.
    """
    point = x
    for reach in _FAR:
        point = restore(form, form.clip(x + reach * way), face)
        for _ in range(_SETTLING if form.dense else 0):
            order = first_order(form, point)
            if not np.all(np.isfinite(order.gradient)):
                return None
            point = point + examine(form, point, order.residual, row_multipliers(form, order), face).step
            point = restore(form, form.clip(point), face)
        new = form.objective.value(point)
        if not new < value - 4 * _EPS * abs(value) or violation(form, point) > allowed:
            return None
        value = new
    return point


def _lone_coordinates(directions: Array) -> Array:
    """Unit vectors of the coordinates that a few directions span among others: those that move nothing else."""
    if not directions.size:
        return directions
    basis = np.linalg.qr(directions.T)[0]
    inside = np.sum(basis**2, axis=1)
    return np.asarray(np.eye(directions.shape[1])[inside > 1 - 1e-9])


def restore(form: StandardForm, x: Array, face: ActiveSet) -> Array:
    """Move a point back onto the rows that it violates and those of the face, by a few steps of least length."""
    if not form.rows:
        return x
    lower, upper = (limits.copy() for limits in form.row_limits())
    kept, side = face.index[face.bounds :], face.side[face.bounds :]
    lower[kept] = upper[kept] = np.where(side > 0, lower[kept], upper[kept])
    for _ in range(_ROUNDS):
        values = form.row_values(x)
        off = np.where(values < lower, lower - values, np.where(values > upper, upper - values, 0.0))
        if not np.any(off) or not np.all(np.isfinite(off)):
            break
        # a row that was violated is kept on its limit from then on, or rows would be met in turn
        lower, upper = np.where(values > upper, upper, lower), np.where(values < lower, lower, upper)
        met = lower == upper
        jacobian = form.row_jacobian(x)[met]
        if not np.all(np.isfinite(jacobian)):
            break
        x = form.clip(x + np.linalg.lstsq(jacobian, (lower - values)[met], rcond=1e-12)[0])
    return x


def falls_without_limit(form: StandardForm, x: Array, start: Array, gradient: Array) -> bool:
    """Whether the objective falls along a feasible ray for as long as floats reach.

    The values along a ray are followed at doubled distances; the ray counts if each doubling falls at least as much
    as the one before (so a function with a limit, such as exp(-t) or 1/t, never passes), many times over.

    Parameters
    ----------
    form : StandardForm
    x, start : ndarray of shape (n,)
        Where the method ended and where it began.
    gradient : ndarray of shape (n,)
        Of the objective at x.

    Returns
    -------
    bool
    """
    with np.errstate(all="ignore"):
        return any(_falls_along(form, x, direction) for direction in _rays(form, x, start, gradient))


def _rays(form: StandardForm, x: Array, start: Array, gradient: Array) -> Iterator[Array]:
    active = active_set(form, x)
    candidates = [x - start, -gradient]
    if form.dense and np.all(np.isfinite(x)):
        matrix = form.objective.hessian(x)
        if np.all(np.isfinite(matrix)):
            values, vectors = np.linalg.eigh(matrix)
            if values[0] <= 1e-12 * abs(values[-1]):
                flat = vectors[:, values <= 1e-12 * abs(values[-1])]
                candidates += [-(flat @ (flat.T @ gradient)), vectors[:, 0], -vectors[:, 0]]
    for candidate in candidates:
        direction = np.where(form.lower == form.upper, 0.0, candidate)
        direction = np.where(np.isfinite(form.lower) & (direction < 0), 0.0, direction)
        direction = np.where(np.isfinite(form.upper) & (direction > 0), 0.0, direction)
        if active.row_normals.size:
            free = direction != 0
            normals = active.row_normals * free
            direction = np.where(free, direction - np.linalg.pinv(normals, rcond=1e-12) @ (normals @ direction), 0.0)
        length = float(np.max(np.abs(direction), initial=0.0))
        if length > 0 and np.isfinite(length):
            yield direction / length


def _falls_along(form: StandardForm, x: Array, direction: Array) -> bool:
    value = form.objective.value(x)
    size = max(1.0, float(np.max(np.abs(x), initial=0.0)))
    first = fall = 0.0
    t = size
    falls = 0
    for _ in range(_DOUBLINGS):
        point = x + t * direction
        if not np.all(np.isfinite(point)) or violation(form, point) > 1e-8:
            return False
        new = form.objective.value(point)
        if new == -np.inf:
            return falls > 0
        new_fall = value - new
        if not np.isfinite(new) or new_fall <= 0 or new_fall < 0.99 * fall:
            falls = 0
            if not np.isfinite(new) or new_fall <= 0:
                return False
            first = new_fall
        else:
            falls += 1
        first = first or new_fall
        fall, value, t = new_fall, new, 2 * t
    return falls >= _DOUBLINGS // 2 and fall >= 0.99 * first
