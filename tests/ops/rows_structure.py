"""Rows of the ops that move, pick, write, reduce and accumulate elements."""

import numpy as np

from symtape.ops.registry import op_named
from tests.ops.rows import Row, booleans, distinct, fixed, integers, nonzero, uniform

PICKS = [[0, 2, -1], [1, 1, 0]]


def scattered(values, places, length):
    out = np.zeros((length, *values.shape[1:]), values.dtype)
    np.add.at(out, places, values)
    return out


def written(x, values, index):
    out = x.copy()
    out[index] = values
    return out


def embedded(value, index, shape):
    out = np.zeros(shape, value.dtype)
    out[index] = value
    return out


def recurrence(a, b):
    y = [b[0]]
    for k in range(1, len(b)):
        y.append(a[k] * y[-1] + b[k])
    return np.array(y)


LAYOUT = [
    Row("reshape", lambda B, x: B.reshape(x, (4, -1)), [uniform(2, 6)]),
    Row("reshape", lambda B, x: B.reshape(x, (3, 8, 1)), [uniform(2, 3, 1, 4)], label="groups"),
    Row("reshape", lambda B, x: B.reshape(x, (6, 2), order="F"), [uniform(3, 4)], label="F"),
    Row("reshape", lambda B, x: B.ravel(x), [fixed(2.5)], label="scalar"),
    Row("reshape", lambda B, x: B.expand_dims(x, (0, -1)), [uniform(3)], label="expand_dims"),
    Row("reshape", lambda B, x: B.squeeze(x), [uniform(1, 3, 1)], label="squeeze"),
    Row("transpose", lambda B, x: B.transpose(x), [uniform(2, 3, 4)]),
    Row("transpose", lambda B, x: B.transpose(x, (1, 2, 0)), [uniform(2, 3, 4)], label="cycle"),
    Row("transpose", lambda B, x: B.moveaxis(x, 0, -1), [uniform(2, 3, 4)], label="moveaxis"),
    Row("transpose", lambda B, x: B.swapaxes(x, 0, 1), [uniform(2, 3, 4)], label="swapaxes"),
    Row("broadcast_to", lambda B, x: B.broadcast_to(x, (2, 3, 4)), [uniform(3, 1)]),
    Row("broadcast_to", lambda B, x: B.broadcast_to(x, (3,)), [fixed(0.5)], label="scalar"),
]

INDEXING = [
    Row("getitem", lambda B, x: B.getitem(x, 1), [uniform(3)], reference=lambda x: x[1], label="int"),
    Row(
        "getitem",
        lambda B, x: B.getitem(x, (slice(None, None, -2), 1)),
        [uniform(5, 3)],
        reference=lambda x: x[::-2, 1],
        label="step",
    ),
    Row("getitem", lambda B, x: B.flip(x, 0), [uniform(4, 2)], label="flip"),
    Row("getitem", lambda B, x: B.split(x, [1, 3]), [uniform(5)], label="split"),
    Row(
        "embed",
        lambda B, v: B.index_embed(v, (slice(4, None, -2), 1), (6, 2)),
        [uniform(3)],
        reference=lambda v: embedded(v, np.s_[4::-2, 1], (6, 2)),
    ),
    Row(
        "embed",
        lambda B, v, w: B.embed((v, w), ((1,), ((2, 3, 1),)), (6,)),
        [fixed(0.5), uniform(3)],
        reference=lambda v, w: np.array([0, v, *w, 0], v.dtype),
        label="two",
    ),
    Row("embed", lambda B, v: B.pad(v, ((1, 0), (2, 1))), [uniform(2, 2)], label="pad"),
    Row(
        "set_slice",
        lambda B, x, v: B.index_set(x, (slice(1, None, 2), 0), v),
        [uniform(5, 2), uniform(2)],
        reference=lambda x, v: written(x, v, np.s_[1::2, 0]),
    ),
    Row(
        "set_slice",
        lambda B, x, v: B.index_set(x, slice(None, None, -1), v),
        [uniform(3), uniform(3)],
        reference=lambda x, v: v[::-1],
        label="all backwards",
    ),
    Row(
        "gather",
        lambda B, x: B.getitem(x, np.array([2, 0, 0])),
        [uniform(3, 2)],
        reference=lambda x: x[[2, 0, 0]],
    ),
    Row(
        "gather",
        lambda B, x, i: B.getitem(x, (slice(None), i)),
        [uniform(2, 3, 2), fixed(PICKS)],
        reference=lambda x, i: x[:, i],
        label="graph",
    ),
    Row(
        "gather",
        lambda B, x, i: B.getitem(x, (0, slice(None), i)),
        [uniform(2, 3, 4), fixed([1, -1])],
        reference=lambda x, i: x[0, :, i],
        label="separated",
    ),
    Row(
        "gather",
        lambda B, x, i: B.getitem(x, (slice(None), np.array([[0], [1]]), i)),
        [uniform(2, 2, 3), fixed([2, 0, 1])],
        reference=lambda x, i: x[:, [[0], [1]], i],
        label="grid",
    ),
    Row("gather", lambda B, x, i: B.take(x, i, axis=1), [uniform(2, 3), fixed([2, 2, 0])], label="take"),
    Row("gather", lambda B, x, i: B.getitem(x, i), [uniform(3), fixed(1)], reference=lambda x, i: x[i], label="scalar"),
    Row(
        "gather",
        lambda B, x, i: B.take_along_axis(x, i, axis=1),
        [uniform(2, 3), fixed([[0, 2], [1, 1]])],
        label="along",
    ),
    Row("concatenate", lambda B, x, y: B.concatenate((x, y), axis=1), [uniform(2, 3), uniform(2, 1)]),
    Row("concatenate", lambda B, x, y: B.concatenate((x, y)), [uniform(3), uniform(3)], label="equal"),
    Row("concatenate", lambda B, x: B.roll(x, 2), [uniform(5)], label="roll"),
    Row("stack", lambda B, x, y, z: B.stack((x, y, z)), [fixed(0.5), fixed(-1.0), fixed(2.0)]),
    Row("stack", lambda B, x, y: B.stack((x, y), axis=-1), [uniform(2, 3), uniform(2, 3)], label="last"),
    Row("diagonal", lambda B, x: B.diagonal(x, 1), [uniform(3, 4)]),
    Row("diagonal", lambda B, x: B.diagonal(x, -1, 2, 0), [uniform(3, 2, 3)], label="axes"),
    Row("diag", lambda B, x: B.diag(x), [uniform(3)]),
    Row("diag", lambda B, x: B.diag(x, -2), [uniform(2)], label="below"),
    Row(
        "positions",
        lambda B, x: B.build(op_named("positions"), (x,), (1,)),
        [uniform(2, 3)],
        reference=lambda x: np.arange(3),
        order=0,
    ),
]

PLACES = [
    Row(
        "inside",
        lambda B, i: B.unravel_index(i, (3, 4)),
        [integers(2, 3, low=0, high=12)],
        reference=lambda i: np.unravel_index(i, (3, 4)),
        order=0,
        agree="exact",
    ),
    Row(
        "inside",
        lambda B, i, j: B.ravel_multi_index((i, j), (3, 4), mode=("wrap", "raise")),
        [integers(2, 3), integers(3, low=0, high=4)],
        reference=lambda i, j: np.ravel_multi_index((i, np.broadcast_to(j, i.shape)), (3, 4), mode=("wrap", "raise")),
        order=0,
        agree="exact",
        label="together",
    ),
]

MASKS = [
    Row(
        "true_positions",
        lambda B, m: B.build(op_named("true_positions"), (m,), (2, 2)),
        [fixed([[False, True, False], [True, False, False]])],
        reference=np.flatnonzero,
        order=0,
        agree="exact",
    ),
]

SCATTERS = [
    Row(
        "scatter_add",
        lambda B, v, i: B.scatter_add(v, (i,), (0,), 0, (4, 2)),
        [uniform(3, 2), fixed([1, -1, 1])],
        reference=lambda v, i: scattered(v, i, 4),
        terms=lambda v, i: scattered(np.abs(v), i, 4),
    ),
    Row(
        "scatter_add",
        lambda B, x, i, v: B.index_add(x, (slice(None), i, i), v),
        [uniform(2, 3, 3), fixed([0, 2]), uniform(2, 2)],
        reference=lambda x, i, v: written(x, x[:, i, i] + v, np.s_[:, i, i]),
        label="at",
    ),
    Row(
        "scatter_set",
        lambda B, x, i, v: B.index_set(x, i, v),
        [uniform(4, 2), fixed([1, -1, 1]), uniform(3, 2)],
        reference=lambda x, i, v: written(x, v, i),
        agree="exact",
    ),
    Row(
        "scatter_add",
        lambda B, x, v: B.index_add(x, np.array([0, 2, 0]), v),
        [uniform(3), uniform(3)],
        reference=lambda x, v: x + scattered(v, [0, 2, 0], 3),
        terms=lambda x, v: abs(x) + scattered(abs(v), [0, 2, 0], 3),
        label="onto itself",
    ),
    Row(
        "scatter_set",
        lambda B, x, v: B.index_set(x, np.array([2, 0, 1]), v),
        [uniform(3), uniform(3)],
        reference=lambda x, v: written(x, v, [2, 0, 1]),
        agree="exact",
        label="all",
    ),
    Row(
        "scatter_set",
        lambda B, x, v: B.index_set(x, (slice(1, None), np.array([2, 0])), v),
        [uniform(3, 3), uniform(2)],
        reference=lambda x, v: written(x, v, np.s_[1:, [2, 0]]),
        agree="exact",
        label="constant",
    ),
]

REDUCTIONS = [
    Row("sum", lambda B, x: B.sum(x), [uniform(3, 4)]),
    Row("sum", lambda B, x: B.sum(x, axis=(0, -1), keepdims=True), [uniform(2, 3, 4)], label="axes"),
    Row("sum", lambda B, x: B.sum(x, axis=0), [integers(3, 2)], order=0, label="integers"),
    Row("sum", lambda B, x: B.sum(x, axis=1), [uniform(2, 0)], label="empty"),
    Row("sum", lambda B, x: B.mean(x, axis=1), [uniform(3, 4)], label="mean"),
    Row("prod", lambda B, x: B.prod(x), [nonzero(4)]),
    Row("prod", lambda B, x: B.prod(x, axis=(0, 2)), [nonzero(2, 3, 2)], label="axes"),
    Row("prod", lambda B, x: B.prod(x), [fixed([2.0, 0.0, 3.0, -1.0])], order=3, label="one-zero"),
    Row("prod", lambda B, x: B.prod(x, axis=1), [fixed([[2.0, 0.0, 0.0, 3.0]])], order=3, label="two-zeros"),
    Row("max", lambda B, x: B.max(x, axis=1), [distinct(3, 4)], agree="exact"),
    Row("max", lambda B, x: B.max(x), [distinct(2, 3)], agree="exact", label="all"),
    Row("min", lambda B, x: B.min(x, axis=0, keepdims=True), [distinct(3, 4)], agree="exact"),
    Row("any", lambda B, x: B.any(x, axis=0), [booleans(3, 4)], order=0, agree="exact"),
    Row("all", lambda B, x: B.all(x, axis=(0, 1)), [uniform(3, 4)], order=0, agree="exact"),
    Row("argmax", lambda B, x: B.argmax(x), [distinct(3, 4)], order=0, agree="exact"),
    Row(
        "argmax",
        lambda B, x: B.argmax(x, axis=1),
        [integers(3, 5, low=0, high=3)],
        order=0,
        agree="exact",
        label="ties",
    ),
    Row("argmin", lambda B, x: B.argmin(x, axis=0, keepdims=True), [distinct(3, 4)], order=0, agree="exact"),
    Row(
        "length",
        lambda B, x: B.build(op_named("length"), (x,), ((0, 2),)),
        [uniform(2, 3, 4)],
        reference=lambda x: np.asarray(8),
        order=0,
        agree="exact",
    ),
]

SCANS = [
    Row("cumsum", lambda B, x: B.cumsum(x, axis=1), [uniform(2, 4)]),
    Row("cumsum", lambda B, x: B.cumsum(x), [uniform(2, 3)], label="flat"),
    Row("cumprod", lambda B, x: B.cumprod(x, axis=0), [nonzero(4, 2)]),
    Row("cumprod", lambda B, x: B.cumprod(x), [fixed([2.0, 0.0, 3.0, 0.0, -1.5])], order=3, label="zeros"),
    Row(
        "linear_recurrence",
        lambda B, a, b: B.linear_recurrence(a, b),
        [uniform(4, 2), uniform(4, 2)],
        reference=recurrence,
        terms=lambda a, b: recurrence(np.abs(a), np.abs(b)),
        order=3,
    ),
    Row(
        "linear_recurrence",
        lambda B, a, b: B.linear_recurrence(a, b, axis=1, reverse=True, previous=True),
        [uniform(2, 4), uniform(2, 4)],
        reference=lambda a, b: np.array(
            [recurrence(np.r_[0, u[:0:-1]], v[::-1])[::-1] for u, v in zip(a, b, strict=True)]
        ),
        terms=lambda a, b: np.array(
            [recurrence(np.abs(np.r_[0, u[:0:-1]]), np.abs(v[::-1]))[::-1] for u, v in zip(a, b, strict=True)]
        ),
        label="backwards",
    ),
]


ROWS = [*LAYOUT, *INDEXING, *PLACES, *MASKS, *SCATTERS, *REDUCTIONS, *SCANS]
