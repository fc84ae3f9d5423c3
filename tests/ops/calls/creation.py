"""Arrays made like others."""

import numpy as np

CALLS = {
    "zeros_like": [
        lambda m: np.zeros_like(m),
        lambda m: np.zeros_like(m, shape=(2,)),
        lambda m: np.zeros_like(m, dtype=int),
    ],
    "ones_like": [
        lambda m: np.ones_like(m),
        lambda i: np.ones_like(i, dtype=float, shape=(2, 3)),
    ],
    "full_like": [
        lambda m, s: np.full_like(m, s),
        lambda m, v: np.full_like(m, v[:4]),
        lambda m, s: np.full_like(m, s, shape=(2, 2)),
        lambda i, s: np.full_like(i, s, dtype=float),
    ],
    "empty_like": [lambda m: np.empty_like(m) * 0],
}
