"""A natural cubic spline in plain NumPy: nothing here knows that it may be called with tensors."""

import numpy as np


def second_derivatives(x, y):
    """At the knots, zero at the ends."""
    h = np.diff(x)
    slopes = np.diff(y) / h
    matrix = np.diag((h[:-1] + h[1:]) / 3) + np.diag(h[1:-1] / 6, 1) + np.diag(h[1:-1] / 6, -1)
    inner = np.linalg.solve(matrix, np.diff(slopes))
    return np.concatenate([np.zeros(1), inner, np.zeros(1)])


def spline(x, y, at):
    """Values of the spline through the points (x, y)."""
    curvature = second_derivatives(x, y)
    k = np.clip(np.searchsorted(x, at) - 1, 0, len(x) - 2)
    h = x[k + 1] - x[k]
    left, right = (x[k + 1] - at) / h, (at - x[k]) / h
    cubic = (left**3 - left) * curvature[k] + (right**3 - right) * curvature[k + 1]
    return left * y[k] + right * y[k + 1] + cubic * h**2 / 6
