"""Rows of the steps that stable forms are made of."""

import numpy as np

from tests.ops.rows import Row, fixed, nonzero, uniform
from tests.ops.rows_elementwise import inf, unary

ROWS = [
    unary(
        "log1mexp",
        uniform(2, 3, low=-3, high=-0.1),
        reference=lambda x: np.log(-np.expm1(x)),
        mp=lambda mp, x: mp.log(1 - mp.exp(x)),
        special=[((-inf,), (0.0,)), ((-1e-300,), (-1e300,)), ((-1e3,), (0.0,))],
    ),
    unary(
        "reciprocal_expm1",
        nonzero(2, 3),
        reference=lambda x: 1 / np.expm1(x),
        mp=lambda mp, x: 1 / mp.expm1(x),
        special=[((800.0,), (0.0,)), ((-800.0,), (0.0,))],
    ),
    unary(
        "expit_slope",
        uniform(2, 3, low=-4, high=4),
        reference=lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2,
        mp=lambda mp, x: mp.exp(-x) / (1 + mp.exp(-x)) ** 2,
        special=[((0.0,), (0.0,)), ((1e4,), (0.0,)), ((-1e4,), (0.0,))],
    ),
    unary(
        "versine",
        uniform(2, 3, low=-4, high=4),
        reference=lambda x: 2 * np.square(np.sin(x / 2)),
        mp=lambda mp, x: 1 - mp.cos(x),
        special=[((0.0,), (0.0,)), ((1e-200,), (1e-200,))],
        agree=1e-14,
    ),
    Row(
        "cosine_beside",
        lambda B, x, y: B.cosine_beside(x, y),
        [nonzero(2, 3), nonzero(3)],
        lambda x, y: np.divide(x, np.hypot(x, y), out=np.zeros_like(np.hypot(x, y)), where=np.hypot(x, y) != 0),
        mp=lambda mp, x, y: x / mp.sqrt(x * x + y * y),
        special=[
            ((0.0, 0.0), (0.0, 0.0)),
            ((1e8, 1.0), (1e-24, -1e-16)),
            ((3e200, 4e200), (0.64 / 5e200, -0.48 / 5e200)),
        ],
    ),
    Row(
        "hypot",
        lambda B, x, y: B.hypot(x, y),
        [fixed([1e8, 3.0]), fixed([1.0, -4.0])],
        mp=lambda mp, x, y: mp.sqrt(x * x + y * y),
        order=0,
        wrt=(0, 1),
        label="unequal legs",
    ),
]
