"""Lower points where derivatives do not decide: along directions without positive curvature and along endless rays."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from symtape.optimize.optimality import ActiveSet, FirstOrder, active_set, violation
from symtape.optimize.standard_form import Array, StandardForm

#: A value counts as lower if it is so by this part of the sizes that the objective had.
LOWER = 1e-10
_REACHES = 10.0 ** np.arange(-6.0, 1.0, 0.5)
_DOUBLINGS = 80
_ROUNDS = 4


def value_scale(value: float, first: float) -> float:
    """The size of the objective: its value, or how far it fell from the start."""
    fall = abs(first - value)
    return max(abs(value), fall if np.isfinite(fall) else 0.0)


def lower_along(
    form: StandardForm, x: Array, directions: Array, order: FirstOrder, face: ActiveSet, start: Array
) -> Array | None:
    """The lowest feasible point found along ``x + t*d`` and ``x - t*d``, if it is lower than x beyond rounding.

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
        Where the search began; its value tells the size of the objective.

    Returns
    -------
    ndarray or None
    """
    first = form.objective.value(start)
    needed = order.value - LOWER * value_scale(order.value, first)
    allowed = max(2 * order.violation, 1e-10)
    extent = max(float(np.max(np.abs(x), initial=0.0)), float(np.max(np.abs(x - start), initial=0.0)))
    best, found = needed, None
    for direction in directions:
        length = float(np.max(np.abs(direction)))
        if not length or not np.isfinite(length):
            continue
        for reach in _REACHES * max(extent, 1.0) / length:
            for sign in (1.0, -1.0):
                point = restore(form, form.clip(x + sign * reach * direction), face)
                value = form.objective.value(point)
                if value < best and violation(form, point) <= allowed:
                    best, found = value, point
    return found


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
        jacobian = form.row_jacobian(x)[off != 0.0]
        if not np.all(np.isfinite(jacobian)):
            break
        x = form.clip(x + np.linalg.lstsq(jacobian, off[off != 0.0], rcond=1e-12)[0])
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
