"""Least squares with nonnegative unknowns, by QR of the columns in use.

SciPy's ``nnls`` solved normal equations from 1.12 to 1.14 and fails there where columns are nearly dependent, which
is where multipliers are asked for that do not exist.
"""

from __future__ import annotations

import numpy as np

from symtape.optimize.standard_form import Array

_EPS = float(np.finfo(float).eps)


def nonnegative_least_squares(columns: Array, right: Array) -> Array:
    """The ``x >= 0`` that minimizes ``|columns @ x - right|``.

    Lawson and Hanson, Solving Least Squares Problems, Prentice-Hall 1974, chapter 23.

    Parameters
    ----------
    columns : ndarray of shape (n, k)
    right : ndarray of shape (n,)

    Returns
    -------
    ndarray of shape (k,)

    Examples
    --------
    >>> import numpy as np
    >>> from symtape.optimize.nonnegative import nonnegative_least_squares
    >>> nonnegative_least_squares(np.eye(2), np.array([3.0, -1.0]))
    array([3., 0.])
    """
    k = columns.shape[1]
    x = np.zeros(k)
    used = np.zeros(k, dtype=bool)
    tolerance = 10 * _EPS * float(np.linalg.norm(columns)) * float(np.linalg.norm(right))
    for _ in range(3 * k + 10):
        gain = columns.T @ (right - columns @ x)
        gain[used] = -np.inf
        if k == 0 or np.max(gain) <= tolerance:
            break
        used[int(np.argmax(gain))] = True
        while np.any(used):
            trial = np.zeros(k)
            trial[used] = np.linalg.lstsq(columns[:, used], right, rcond=1e-14)[0]
            falling = used & (trial <= 0)
            if not np.any(falling):
                x = trial
                break
            # go as far as the first unknown that becomes zero, and use it no more
            x = x + np.min(x[falling] / np.maximum(x[falling] - trial[falling], np.finfo(float).tiny)) * (trial - x)
            used &= x > tolerance
            x[~used] = 0.0
    return x
