"""Functions of the order of elements."""

import numpy as np

CALLS = {
    "sort": [
        lambda v: np.sort(v),
        lambda m: np.sort(m, axis=0),
        lambda m: np.sort(m, axis=None),
        lambda one: np.sort(one, axis=1),
        lambda empty: np.sort(empty),
        lambda v: np.sort(v, kind="stable"),
        lambda c: np.sort(c, axis=(-2)),
        lambda holes: np.sort(holes, axis=0),
        lambda i: np.sort(i),
        lambda m: np.sort(m, stable=True),
        lambda b: np.sort(b),
    ],
    "argsort": [
        lambda m: np.argsort(m, axis=0),
        lambda ties: np.argsort(ties, kind="stable"),
        lambda v: np.argsort(v),
        lambda m: np.argsort(m, axis=None),
        lambda c: np.argsort(c, axis=1, stable=True),
    ],
    "partition": [
        lambda v: np.partition(v, 2),
        lambda m: np.partition(m, (1, -1), axis=1),
        lambda m: np.sort(np.partition(m, 2, axis=0)[:2], axis=0),
        lambda m: np.partition(m, 5, axis=None)[5],
    ],
    "argpartition": [
        lambda v: np.argpartition(v, 2),
        lambda m: np.argpartition(m, 1, axis=0)[1],
    ],
    "lexsort": [
        lambda v, ties: np.lexsort((v, ties)),
        lambda m: np.lexsort(m),
        lambda m: np.lexsort((m[0], m[1] > 0)),
    ],
    "searchsorted": [
        lambda up, p: np.searchsorted(up, p),
        lambda ties: np.searchsorted([0.5, 1.0, 2.0], ties, side="right"),
        lambda v, s: np.searchsorted(v, s, sorter=[0, 1, 2, 3, 4]) * 0,
        lambda up, m: np.searchsorted(up, m),
        lambda up, s: np.searchsorted(up, s, "right"),
    ],
    "digitize": [
        lambda v: np.digitize(v, [-1.0, 0.0, 1.0]),
        lambda v: np.digitize(v, [1.0, 0.0, -1.0], right=True),
        lambda v: np.digitize(v, [1.0, 0.0, -1.0]),
        lambda ties: np.digitize(ties, [2.0, 1.0, 0.5, -1.0]),
        lambda ties: np.digitize(ties, [2.0, 1.0, 0.5, -1.0], right=True),
        lambda ties: np.digitize(ties, [0.5, 1.0, 1.0, 2.0]),
        lambda holes: np.digitize(holes, [1.0, 0.0, -1.0]),
        lambda ties, up: np.digitize(ties, up, right=True),
    ],
    "isin": [
        lambda ties: np.isin(ties, [1.0, 0.5]),
        lambda i: np.isin(i, [1, 3], invert=True),
        lambda m: np.isin(m, m[0]),
        lambda i: np.isin([0, 1, 7], i),
    ],
}
