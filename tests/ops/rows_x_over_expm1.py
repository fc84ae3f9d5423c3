"""Rows of ``x/(exp(x) - 1)``."""

import mpmath
import numpy as np

from tests.ops.rows import Row, fixed


def _exact(mp, x, k):
    """Through the Bernoulli polynomials' generating function, by its Taylor series at zero, else by differentiation."""
    if abs(x) > 0.5:
        return mp.diff(lambda t: t / mp.expm1(t), x, k)
    return mp.nsum(lambda m: mp.bernoulli(int(m) + k) * x ** int(m) / mp.factorial(int(m)), [0, 60], method="d")


def _in_digits(x, k):
    with mpmath.workdps(60):
        exact = [float(_exact(mpmath, mpmath.mpf(float(v)), k)) for v in np.ravel(x)]
    return np.reshape(exact, x.shape).astype(x.dtype)


ROWS = [
    Row(
        "x_over_expm1",
        lambda B, x, k=k: B.x_over_expm1(x, k),
        [fixed([[0.02, -0.4, 0.7, 3.6], [1.1, -2.4, 6.3, -9.0]])],
        lambda x, k=k: _in_digits(x, k),
        mp=lambda mp, x, k=k: _exact(mp, x, k),
        special=[((0.0,), (float(mpmath.bernoulli(k + 1)),))],
        agree=1e-13,  # its terms cancel, so a fused operation shows
        label=f"{k}",
    )
    for k in (0, 1, 2, 5)
]
