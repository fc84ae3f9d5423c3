"""Rows of the ops that order elements, and of the convolution."""

import numpy as np

from symtape.ops.registry import op_named
from tests.ops.rows import Row, distinct, fixed, positive, uniform

TIES = [[1.0, 2.0, 1.0, -0.0, 0.0], [3.0, 3.0, 3.0, 1.0, 2.0]]


def parted(x, kth, axis):
    result = np.empty(x.shape, np.intp)
    np.put_along_axis(result, np.argsort(np.partition(x, kth, axis), axis), np.argsort(x, axis), axis)
    return result


ROWS = [
    Row("argsort", lambda B, x: B.argsort(x, axis=0), [distinct(3, 4)], order=0, agree="exact"),
    Row(
        "argsort",
        lambda B, x: B.argsort(x, kind="stable"),
        [fixed(TIES)],
        reference=lambda x: np.argsort(x, kind="stable"),
        order=0,
        agree="exact",
        label="ties",
    ),
    Row("argsort", lambda B, x: B.sort(x, axis=1), [distinct(3, 4)], agree="exact", label="sort"),
    Row("argsort", lambda B, x: B.sort(x, axis=None), [distinct(2, 3)], agree="exact", label="sort-all"),
    Row("argsort", lambda B, x: B.median(x, axis=0), [distinct(4, 3)], label="median"),
    Row(
        "argsort",
        lambda B, x: B.quantile(x, [0.2, 0.7], axis=1),
        [distinct(3, 5)],
        dtypes=["float64"],
        label="quantile",
    ),
    Row(
        "argsort",
        lambda B, x, q: B.quantile(x, q, axis=0),
        [distinct(5, 2), fixed([0.37, 0.6])],
        label="fractions",
    ),
    Row(
        "nan_place",
        lambda B, x: B.nanargmax(x, axis=1),
        [fixed([[2.0, np.nan, 3.0], [np.nan, -1.0, -1.0]])],
        order=0,
        agree="exact",
    ),
    Row(
        "nan_place",
        lambda B, x: B.nanargmin(x, keepdims=True),
        [fixed([[2.0, np.nan, 3.0], [np.nan, -1.0, -1.0]])],
        order=0,
        agree="exact",
        label="least",
    ),
    Row("argpartition", lambda B, x: B.argpartition(x, 2), [distinct(6)], order=0, agree="exact"),
    Row(
        "partition_order",
        lambda B, x: B.build(op_named("partition_order"), (x,), ((1, 3), 1)),
        [distinct(2, 5)],
        reference=lambda x: parted(x, (1, 3), 1),
        order=0,
        agree="exact",
    ),
    Row(
        "partition_order", lambda B, x: B.partition(x, (0, 2), axis=0), [distinct(4, 2)], agree="exact", label="values"
    ),
    Row(
        "running_extremes",
        lambda B, x: B.maximum_accumulate(x, axis=1),
        [distinct(3, 5)],
        reference=lambda x: np.maximum.accumulate(x, axis=1),
        agree="exact",
    ),
    Row(
        "running_extremes",
        lambda B, x: B.minimum_accumulate(x),
        [distinct(5, 2)],
        reference=np.minimum.accumulate,
        agree="exact",
        label="smallest",
    ),
    Row("convolve", lambda B, x, v: B.convolve(x, v), [uniform(5), uniform(3)]),
    Row("convolve", lambda B, x, v: B.convolve(x, v), [uniform(4), uniform(4)], label="equal"),
    Row("convolve", lambda B, x, v: B.correlate(x, v, "same"), [uniform(3), positive(6)], label="correlate"),
    Row(
        "convolve",
        lambda B, x, v: B.build(op_named("convolve"), (x, v)),
        [uniform(2, 1, 4), uniform(3, 2)],
        reference=lambda x, v: np.array([[np.convolve(a[0], b) for b in v] for a in x]),
        label="stacks",
    ),
]
