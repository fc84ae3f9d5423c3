"""Functions that read an array by indices."""

import numpy as np

CALLS = {
    "take": [
        lambda m: np.take(m, [2, 0], axis=0),
        lambda m: np.take(m, [[1, 5]], mode="clip"),
        lambda v: np.take(v, -1),
        lambda m: np.take(m, [5, -7], axis=1, mode="wrap"),
        lambda m: np.take(m, 1, axis=0),
        lambda m, i: np.take(m, i),
        lambda c: np.take(c, [[0, 2], [1, 1]], axis=-2),
    ],
    "take_along_axis": [
        lambda m: np.take_along_axis(m, np.argsort(m, 1), 1),
        lambda m: np.take_along_axis(m, np.array([[0, -1], [1, 1], [3, 2]]), axis=1),
        lambda m: np.take_along_axis(m, np.array([3, 3, 0]), axis=None),
        lambda m: np.take_along_axis(m, np.argmax(m, axis=0, keepdims=True), axis=0),
    ],
    "diagonal": [
        lambda m: np.diagonal(m, 1),
        lambda c: np.diagonal(c, 0, 1, 2),
        lambda c: np.diagonal(c, offset=-1, axis1=-1, axis2=0),
    ],
    "diag": [
        lambda v: np.diag(v, 1),
        lambda m: np.diag(m),
        lambda m: np.diag(m, -1),
        lambda v: np.diag(v, k=-2),
    ],
    "diagflat": [
        lambda m: np.diagflat(m),
        lambda v: np.diagflat(v, 1),
        lambda s: np.diagflat(s),
    ],
    "tril": [
        lambda m: np.tril(m),
        lambda c: np.tril(c, -1),
        lambda m: np.tril(m, 2),
    ],
    "triu": [
        lambda m: np.triu(m, 1),
        lambda c: np.triu(c),
        lambda v: np.triu(v),
    ],
    "trace": [
        lambda q: np.trace(q),
        lambda m: np.trace(m, 1),
        lambda c: np.trace(c, axis1=-2, axis2=-1),
        lambda q: np.trace(q, offset=-1),
    ],
    "meshgrid": [
        lambda v, w: np.meshgrid(v, w),
        lambda v, w: np.meshgrid(v, w, indexing="ij", sparse=True),
        lambda v, s, r: np.meshgrid(v, r, s),
        lambda v: np.meshgrid(v),
        lambda v, r: np.meshgrid(v, r, copy=False, indexing="ij"),
    ],
    "nonzero": [
        lambda zero: np.nonzero(zero),
        lambda m: np.nonzero(m > 0),
    ],
    "flatnonzero": [lambda zero: np.flatnonzero(zero), lambda m: np.flatnonzero(m > 0)],
    "argwhere": [lambda m: np.argwhere(m > 0), lambda zero: np.argwhere(zero)],
    "ix_": [
        lambda i, m: m[np.ix_(i[1:4], [0, 3])],
        lambda i: np.ix_(i, i[:2]),
        lambda m, bm: m[np.ix_(bm[:, 0], [1, 2])],
        lambda i, b: np.ix_(i, b),
    ],
    "unravel_index": [
        lambda i: np.unravel_index(i, (2, 3)),
        lambda i: np.unravel_index(i, (2, 3), order="F"),
        lambda i: np.unravel_index(i, 5),
        lambda m: np.unravel_index(np.argmax(m), m.shape),
    ],
    "ravel_multi_index": [
        lambda i: np.ravel_multi_index((i, i), (4, 5)),
        lambda i: np.ravel_multi_index((i, i), (4, 3), mode=("raise", "wrap"), order="F"),
        lambda i: np.ravel_multi_index((i, i), (2, 3), mode="clip"),
    ],
}
