"""Rows of what densities are made of: differences of log gamma and its derivatives, ratios, and the two densities."""

import mpmath
import numpy as np

from tests.ops.rows import Row, fixed, positive, uniform


def in_digits(function):
    """A reference for what SciPy has not."""

    def reference(*arrays):
        arrays = np.broadcast_arrays(*arrays)
        with mpmath.workdps(60):
            exact = [
                float(function(mpmath, *[mpmath.mpf(float(v)) for v in point]))
                for point in zip(*map(np.ravel, arrays), strict=True)
            ]
        return np.reshape(exact, arrays[0].shape).astype(np.result_type(*arrays))

    return reference


def row(name, call, inputs, mp, **more):
    return Row(name, call, inputs, in_digits(mp), mp=mp, agree=1e-13, edges=False, **more)


def log_poch(mp, x, d, order):
    if order == 0:
        return mp.log(abs(mp.gamma(x + d) / mp.gamma(x)))
    return mp.polygamma(order - 1, x + d) - mp.polygamma(order - 1, x)


def log_less_digamma(mp, x, order):
    return mp.diff(lambda t: mp.log(t) - mp.digamma(t), x, order) if order else mp.log(x) - mp.digamma(x)


def log_gamma_density(mp, a, x):
    return (a - 1) * mp.log(x) - x - mp.loggamma(a)


def log_beta_density(mp, a, b, x):
    return (a - 1) * mp.log(x) + (b - 1) * mp.log(1 - x) - mp.log(mp.beta(a, b))


ROWS = [
    *[
        row(
            "log_poch",
            lambda B, x, d, k=k: B.log_poch(x, d, k),
            inputs,
            lambda mp, x, d, k=k: log_poch(mp, x, d, k),
            label=f"{k} {label}",
            **more,
        )
        for k in (0, 1, 2)
        for label, inputs, more in (
            ("small", [positive(2, 3), positive(3)], {}),
            ("large", [uniform(3, low=20, high=30), fixed([0.5, -2.0, 7.5])], {}),
            ("negative", [fixed([-0.3, -2.6]), fixed([0.5, 1.25])], {"order": 0, "wrt": (0, 1)}),
        )
        if not (label == "negative" and k == 2)
    ],
    *[
        row(
            "log_less_digamma",
            lambda B, x, k=k: B.log_less_digamma(x, k),
            [fixed([0.4, 5.0, 30.0])],
            lambda mp, x, k=k: log_less_digamma(mp, x, k),
            label=f"{k}",
        )
        for k in (0, 1, 2)
    ],
    row(
        "log_gamma_density",
        lambda B, a, x: B.log_gamma_density(a, x),
        [fixed([0.7, 3.0, 20.0, 30.0]), fixed([0.3, 4.5, 19.0, 100.0])],
        log_gamma_density,
        special=[((1.0, 0.0), (-np.inf, -1.0))],
    ),
    row(
        "log_beta_density",
        lambda B, a, b, x: B.log_beta_density(a, b, x),
        [fixed([0.7, 3.0, 20.0, 30.0]), fixed([1.5, 40.0, 30.0, 15.0]), fixed([0.3, 0.1, 0.4, 0.2])],
        log_beta_density,
    ),
    row(
        "log_ratio",
        lambda B, x, y: B.log_ratio(x, y),
        [fixed([0.5, 3.0, 1e8]), fixed([0.51, 0.2, 1e8 + 3])],
        lambda mp, x, y: mp.log(x / y),
        dtypes=("float64",),
        tolerance=1e-6,
    ),
    row(
        "log1p_square",
        lambda B, x: B.log1p_square(x),
        [uniform(2, 3, low=-3, high=3)],
        lambda mp, x: mp.log(1 + x * x),
        special=[((1e200,), (2e-200,)), ((0.0,), (0.0,))],
    ),
    row(
        "relative_excess",
        lambda B, x, y: B.relative_excess(x, y),
        [positive(2, 3), positive(3)],
        lambda mp, x, y: (y - x) / y,
        special=[((1.0, 1e200), (-1e-200, 0.0))],
    ),
]
