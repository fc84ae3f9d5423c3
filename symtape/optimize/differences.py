"""Second derivatives as differences of exact first ones, where a rule of a black box has no derivative of its own."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from symtape.errors import DifferencesWarning
from symtape.graph.source import line_number, user_frame
from symtape.optimize.standard_form import Array

#: Where rounding and the curvature of the slope cost a central difference the same.
_STEP = float(np.cbrt(np.finfo(float).eps))


def announce(reason: Exception) -> None:
    """Say that differences stand in, and for what."""
    frame = user_frame(2)
    warnings.warn_explicit(
        f"{reason}; the minimizer takes differences of the exact gradient instead, also where it certifies",
        DifferencesWarning,
        frame.f_code.co_filename,
        line_number(frame.f_code, frame.f_lasti),
    )


def along(slope: Callable[[Array], Array], x: Array, way: Array) -> Array:
    """The derivative of a gradient in a direction.

    Parameters
    ----------
    slope : callable
        ``x -> gradient``, shape (n,).
    x, way : ndarray of shape (n,)

    Returns
    -------
    ndarray of shape (n,)
        By a central difference, or a one-sided one where the gradient is not finite on the other side.
    """
    length = float(np.max(np.abs(way), initial=0.0))
    if length == 0.0:
        return np.zeros_like(x)
    reach = _STEP * max(1.0, float(np.max(np.abs(x[way != 0.0])))) / length
    ahead, behind, width = slope(x + reach * way), slope(x - reach * way), 2 * reach
    if not np.all(np.isfinite(ahead)):
        ahead, width = slope(x), reach
    elif not np.all(np.isfinite(behind)):
        behind, width = slope(x), reach
    change: Array = (ahead - behind) / width
    return change


def matrix(slope: Callable[[Array], Array], x: Array) -> Array:
    """The derivative of a gradient, shape (n, n): one direction after the other, then made symmetric."""
    columns = np.array([along(slope, x, way) for way in np.eye(x.size)])
    symmetric: Array = 0.5 * (columns + columns.T)
    return symmetric
