"""Derivatives that the caller supplies are compared with the exact ones, once, and refused if they differ.

They are not needed: gradients, Hessians and products are exact anyway. But code written for SciPy comes with them,
and a wrong one is a bug that its author wants to hear of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symtape.errors import WrongDerivativeError
from symtape.optimize.standard_form import Array

#: Largest difference, relative to the largest entry: a finite difference passes, a slip does not.
TOLERANCE = 1e-4


def is_supplied(derivative: Any) -> bool:
    """Whether an argument such as ``jac`` is a function; strings, bools and strategies ask for approximations."""
    return callable(derivative) and not hasattr(derivative, "get_matrix")


def check_points(x: Array, lower: Array, upper: Array) -> tuple[Array, Array]:
    """Where derivatives are compared: at the start and a little beside it, within the bounds.

    Many wrong derivatives are right at a round number such as 0 or 1.
    """
    pattern = 0.05 + 0.03 * np.sin(1.0 + np.arange(x.size))
    return x, np.clip(x + pattern * (1 + np.abs(x)), lower, upper)


def check_derivative(
    name: str, supplied: Callable[[Array], Any], exact: Callable[[Array], Array], points: tuple[Array, ...], by: str
) -> None:
    """Compare a derivative with the exact one at some points.

    Parameters
    ----------
    name : str
        What the caller calls it: ``jac``, ``hess``, ``hessp``.
    supplied, exact : callable
        Functions of x.
    points : tuple of ndarray
    by : str

    Raises
    ------
    WrongDerivativeError
        A ValueError naming the entry that differs most, both values and the point.
    """
    for x in points:
        right = np.asarray(exact(x), dtype=np.float64)
        if not np.all(np.isfinite(right)):
            continue
        given = supplied(x.copy())
        if hasattr(given, "toarray"):
            given = given.toarray()
        elif hasattr(given, "matvec"):
            given = given @ np.eye(x.size)
        value = np.asarray(given, dtype=np.float64)
        if value.size == right.size and value.ndim <= right.ndim:
            value = value.reshape(right.shape)
        if value.shape != right.shape:
            raise WrongDerivativeError(f"{by}: {name} returned an array of shape {value.shape}, wanted {right.shape}")
        off = np.abs(value - right)
        off[np.isnan(off)] = np.inf
        if np.max(off, initial=0.0) > TOLERANCE * max(np.max(np.abs(right), initial=0.0), 1e-8):
            worst = tuple(int(k) for k in np.unravel_index(int(np.argmax(off)), off.shape))
            index = ", ".join(map(str, worst))
            raise WrongDerivativeError(
                f"{by}: {name} disagrees with the exact derivative: {name}(x)[{index}] is {value[worst]:.10g}, "
                f"exact is {right[worst]:.10g} at x = {np.array2string(x, threshold=6, precision=6)}. Mend it or leave "
                f"it out: exact derivatives are used anyway"
            )
