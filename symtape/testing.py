"""Checks of derivatives against differences, for the tests of symtape and for those of its users."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]

#: Weights of the central difference of order eight at the points 1, 2, 3, 4 steps away.
_WEIGHTS = (4 / 5, -1 / 5, 4 / 105, -1 / 280)


def difference(f: Callable[..., float], at: Sequence[Array], along: Sequence[Array], *, step: float = 2e-3) -> float:
    """The derivative of a scalar function in a direction, by a central difference of order eight.

    Parameters
    ----------
    f : callable
        ``f(*arrays) -> float``.
    at, along : sequence of ndarray
        The point and the direction, one array per argument.
    step : float
        ``f`` is asked up to four steps away on either side. The default leaves an error of about 1e-13 times the size
        of ``f``.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from symtape.testing import difference
    >>> slope = difference(lambda x: float(x**3), [np.array(2.0)], [np.array(1.0)])
    >>> abs(slope - 12) < 1e-10
    True
    """
    total = 0.0
    for k, weight in enumerate(_WEIGHTS, 1):
        ahead = f(*[x + k * step * d for x, d in zip(at, along, strict=True)])
        behind = f(*[x - k * step * d for x, d in zip(at, along, strict=True)])
        total += weight * (ahead - behind)
    return total / step
