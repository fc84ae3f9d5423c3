"""Rows of the small ones among the special functions."""

import scipy.special

from tests.ops.rows import Row, fixed, uniform
from tests.ops.rows_elementwise import unary


def degrees(mp, x):
    return mp.pi * x / 180


ROWS = [
    unary(
        "sindg", uniform(2, 3, low=-300, high=300), mp=lambda mp, x: mp.sin(degrees(mp, x)), special=[((90.0,), (0.0,))]
    ),
    unary(
        "cosdg",
        uniform(2, 3, low=-300, high=300),
        mp=lambda mp, x: mp.cos(degrees(mp, x)),
        special=[((180.0,), (0.0,))],
    ),
    unary("tandg", uniform(2, 3, low=-70, high=70), mp=lambda mp, x: mp.tan(degrees(mp, x))),
    unary("gammasgn", fixed([0.5, -0.5, -1.5]), order=0),
    unary("ndtri_exp", uniform(2, 3, low=-3, high=-0.1), mp=lambda mp, y: mp.sqrt(2) * mp.erfinv(2 * mp.exp(y) - 1)),
    unary("wrightomega", uniform(2, 3, low=-2, high=3), mp=lambda mp, x: mp.lambertw(mp.exp(x))),
    unary("ellipkm1", fixed([0.1, 0.3, 0.9]), mp=lambda mp, p: mp.ellipk(1 - p)),
    *[
        Row(
            "beside_lambertw",
            lambda B, z, k=k: B.beside_lambertw(z, k),
            [fixed([-0.34, -0.3, -0.1])],
            lambda z, k=k: 1 + scipy.special.lambertw(z, k).real.astype(z.dtype),
            mp=lambda mp, z, k=k: 1 + mp.lambertw(z, k).real,
            dtypes=("float64",),
            label=f"{k}",
        )
        for k in (0, -1)
    ],
]
