"""The loss functions of SciPy's ``least_squares``, written so that they record on tensors.

Each is ``rho(z)`` of the squared, scaled residual ``z = (r/f_scale)**2``; the cost is ``0.5 * f_scale**2 *
sum(rho(z))``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symtape.errors import UnknownNameError


def _soft_l1(z: Any) -> Any:
    return 2 * (np.sqrt(1 + z) - 1)


def _huber(z: Any) -> Any:
    return np.where(z <= 1, z, 2 * np.sqrt(z) - 1)


_LOSSES: dict[str, Callable[[Any], Any]] = {
    "linear": lambda z: z,
    "soft_l1": _soft_l1,
    "huber": _huber,
    "cauchy": np.log1p,
    "arctan": np.arctan,
}


def loss_function(loss: Any, by: str) -> Callable[[Any], Any]:
    """The function ``rho`` of a name, or of SciPy's kind of callable, which returns ``rho`` and two derivatives.

    Parameters
    ----------
    loss : str or callable
    by : str

    Returns
    -------
    callable

    Raises
    ------
    UnknownNameError
        A ValueError that lists the names.
    """
    if callable(loss):
        return lambda z: loss(z)[0]
    if loss not in _LOSSES:
        raise UnknownNameError(f"{by}: there is no loss {loss!r}; there are {', '.join(_LOSSES)}, or give a callable")
    return _LOSSES[loss]


def robust_cost(residuals: Any, loss: Callable[[Any], Any], scale: float) -> Any:
    """The cost of residuals (a tensor) under a loss."""
    return 0.5 * scale**2 * np.sum(loss((residuals / scale) ** 2))
