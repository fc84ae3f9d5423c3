"""Methods and attributes of arrays, operators and indices."""

import copy

import numpy as np

from tests.ops.calls.arrays import kink

CALLS = [
    lambda m: m.T,
    lambda c: c.mT,
    lambda m: m.real,
    lambda m: m.imag,
    lambda m: m.reshape(2, 6),
    lambda m: m.ravel(),
    lambda m: m.flatten("F"),
    lambda m: m.transpose(1, 0),
    lambda m: m.swapaxes(0, 1),
    lambda one: one.squeeze(1),
    lambda v: v.repeat(2),
    lambda m: m.diagonal(),
    lambda m: m.astype(np.float64),
    lambda m: m.copy(),
    lambda m: m.take([1, 2], axis=1),
    lambda v: v.compress([True, False, True]),
    lambda m: m.argsort(axis=0),
    lambda m: m.argpartition(1),
    lambda up, p: up.searchsorted(p),
    lambda i, v: i.choose([v, v * 2, v * 3, np.exp(v)]),
    lambda m: m.sum(axis=1),
    lambda m: m.prod(),
    lambda m: m.mean(axis=0),
    lambda m: m.var(ddof=1),
    lambda m: m.std(axis=1),
    lambda m: m.max(axis=1),
    lambda m: m.min(),
    lambda m: m.any(axis=0),
    lambda m: m.all(),
    lambda m: m.argmax(),
    lambda m: m.argmin(axis=1),
    lambda m: m.cumsum(axis=0),
    lambda m: m.cumprod(),
    lambda q: q.trace(),
    lambda m: m.clip(-1, 1),
    lambda v: v.round(1),
    lambda m: m.conj(),
    lambda q, m: q.dot(m),
    lambda zero: zero.nonzero()[0],
    lambda m: m[1],
    lambda m: m[::-1, 1:],
    lambda m: m[[0, 2], [1, 3]],
    lambda m: m[..., None, 2],
    lambda c: c[:, [2, 0], 1:],
    lambda c: c[[0, 1], :, [3, 1]],
    lambda m: m[m > 0],
    lambda v, w: v + w - v * w / (1 + w**2),
    lambda v, p: (v // p, v % p, -v, +v, abs(v), divmod(v, p)[1]),
    lambda q, m: q @ m,
    lambda v: (2.0**v, v**3, v**2.0),
    lambda i: (i & 1, i | 4, i ^ 2, ~i),
    lambda v, w: (v < w, v <= w, v == w, v != w, v > w, v >= w),
    # ---- methods in their other forms
    lambda m: m.reshape((2, -1)),
    lambda m: m.reshape(-1),
    lambda m: m.reshape(2, 6, order="F"),
    lambda c: c.reshape(3, -1, 2, order="F"),
    lambda m: m.ravel("F"),
    lambda c: c.transpose(),
    lambda c: c.transpose((2, 0, 1)),
    lambda c: c.transpose(None),
    lambda c: c.swapaxes(-1, 0),
    lambda one: one.squeeze(),
    lambda m: m.repeat([1, 2, 0], axis=0),
    lambda m: m.repeat(3, 1),
    lambda c: c.diagonal(1, 1, 2),
    lambda m: m.diagonal(offset=-1),
    lambda m: m.astype(int),
    lambda m: m.astype("float64", copy=False),
    lambda m: m.astype(bool),
    lambda m: m.take(3),
    lambda m: m.take([[0, 1], [2, 0]], 0),
    lambda m: m.take([7, -9], mode="wrap"),
    lambda v: v.take([-1, 9], mode="clip"),
    lambda m: m.compress([0, 1, 1], axis=0),
    lambda m: m.argsort(),
    lambda ties: ties.argsort(kind="stable"),
    lambda v: v.argpartition(2),
    lambda up: up.searchsorted([0.5, 2.0], side="right"),
    lambda m: m.sum(),
    lambda c: c.sum((0, -1), keepdims=True),
    lambda m, bm: m.sum(axis=0, where=bm, initial=1.0),
    lambda m: m.sum(1, np.float64),
    lambda c: c.prod(axis=(0, 2)),
    lambda m, bm: m.prod(axis=1, where=bm),
    lambda m: m.mean(),
    lambda m, bm: m.mean(where=bm),
    lambda c: c.mean((1, 2), keepdims=True),
    lambda m: m.var(),
    lambda m: m.var(axis=0, keepdims=True),
    lambda c: c.std(axis=(0, 1), ddof=1),
    lambda m, bm: m.std(where=bm),
    lambda c: c.max(axis=(0, -1), keepdims=True),
    lambda m, bm: m.max(axis=0, where=bm, initial=-5.0),
    lambda m: m.min(axis=-1, initial=0.0),
    lambda m, bm: bm.any(axis=1, keepdims=True),
    lambda bm: bm.all(where=[True, False, True, True]),
    lambda m: m.argmax(axis=-1, keepdims=True),
    lambda m: m.cumsum(),
    lambda c: c.cumprod(axis=-2),
    lambda c: c.trace(offset=1, axis1=1, axis2=2),
    lambda m: m.clip(min=-0.5),
    lambda m: m.clip(max=0.5),
    lambda v, p: v.clip(-p, p),
    kink(lambda m: m.round(decimals=2)),
    lambda m: m.conjugate(),
    lambda v, w: v.dot(w),
    lambda m, v: m.T.dot(m),
    lambda m: list(m.flat),
    lambda m: m.flat[3],
    lambda m: m.flat[2:9:3],
    lambda c: c.flat[[0, 5, 7]],
    lambda m: (m.size, m.ndim, m.itemsize, m.nbytes, len(m)),
    lambda m: list(m),
    lambda m: [row.sum() for row in m],
    lambda m: copy.copy(m),
    # ---- operators with plain arrays, numbers and lists on either side
    lambda v: 2 + v - 3,
    lambda v: (5 - v) * 2,
    lambda p: 1 / p,
    lambda p: 3.7 // p,
    lambda p: 3.7 % p,
    kink(lambda p: divmod(7.5, p)),
    lambda v: divmod(v, 2.0),
    lambda m: np.arange(4.0) - m,
    lambda m: np.arange(4.0) * m / np.arange(1.0, 5.0),
    lambda p: np.arange(1.0, 6.0) ** p,
    lambda p: p ** np.arange(5),
    lambda v: v**-2,
    lambda p: p**0.5,
    lambda v: v**0,
    lambda q: np.ones((2, 3)) @ q,
    lambda q: q @ [1.0, 2.0, 3.0],
    lambda q: [[1.0, 2.0, 3.0]] @ q,
    lambda v, w: v @ w,
    lambda c, m: c @ m.T,
    lambda qs, c: qs @ c,
    lambda r, c: r @ c,
    lambda v: [1.0, 2.0, 3.0, 4.0, 5.0] * v,
    lambda v: v - [1.0, 2.0, 3.0, 4.0, 5.0],
    lambda v: np.float64(2.0) * v,
    lambda v: np.float32(2.0) * v,
    lambda m, one: m * one + one,
    lambda m, s: s - m,
    lambda c, m: c * m,
    lambda b, bm: (~b, b & b, b | ~b, b ^ b, True ^ b, bm & False),
    lambda i: (1 & i, 4 | i, 2 ^ i, 1 << i, i >> 1, i << 2),
    lambda i: (i + 1, i * 2.5, i / 2, i // 2, i % 2, -i, i**2),
    lambda b, v: b * v + True,
    lambda v, p: (p.__lt__(v), v.__ge__(0.5), v == 0.3, v.__ne__(np.ones(5))),
    # ---- in-place operators, of names and of arrays that were made fresh
    lambda v, w: _in_place(v, w),
    lambda m, one: _filled(m, one),
    lambda v, p: np.divide(v, p, out=np.zeros_like(v), where=p > 1.0),
    lambda v, p: np.add(v, p, out=np.zeros_like(v)),
    lambda m: np.sum(m, axis=0, out=np.zeros_like(m[0])),
    lambda m: np.cumsum(m, axis=1, out=np.zeros_like(m)),
    lambda m: np.add.reduce(m, axis=0, out=np.zeros_like(m[0])),
    lambda m: np.add.accumulate(m, axis=0, out=np.zeros_like(m)),
    lambda p, v: np.sqrt(p, out=np.copy(v), where=v > 0),
    lambda m, pm: _scattered(m, pm),
    # ---- indices
    lambda m: m[-1],
    lambda m: m[1, -2],
    lambda m: m[...],
    lambda m: m[()],
    lambda c: c[..., 1],
    lambda c: c[0, ..., ::2],
    lambda c: c[:, None, 1:, None],
    lambda c: c[::-1, ::-2, 3:0:-2],
    lambda v: v[4:1],
    lambda v: v[-3:],
    lambda v: v[[0, 0, -1]],
    lambda v: v[np.array([[1, 2], [3, 4]])],
    lambda m: m[[0, 2]],
    lambda m: m[:, [1, -1, 1]],
    lambda m: m[[[0], [2]], [1, 3]],
    lambda m: m[np.ix_([0, 2], [1, 3, 0])],
    lambda c: c[[0, 1], [2, 0]],
    lambda c: c[:, [0, 2], [1, 3]],
    lambda c: c[[1, 0], :, [1, 3]],
    lambda c: c[[1, 0], None, :, [1, 3]],
    lambda c: c[1, :, [1, 3]],
    lambda c: c[:, 1, [1, 3]],
    lambda c: c[..., [1, 2], 0],
    lambda c: c[[[0, 1], [1, 0]], ..., 2],
    lambda c: c[0, [True, False, True]],
    lambda c: c[[True, False], :, [1]],
    lambda m: m[[True, False, True]],
    lambda m: m[:, [True, False, True, True]],
    lambda m, bm: m[bm],
    lambda c, bm: c[:, bm],
    lambda c, bm: c[1][bm],
    lambda c, bm: c[0, bm],
    lambda c: c[c > 0.5],
    lambda m: m[np.array(True)],
    lambda m: m[None, [2, 0], None],
    lambda v, i: v[i],
    lambda m, i: m[i[2:4], i[:2]],
    lambda m: m[np.argmax(m, axis=0), np.arange(4)],
    lambda c: c[np.array(1)],
    lambda c: c[np.int64(1), np.uint8(2)],
    lambda m: m[1:, 1:][0],
    lambda m: m[m[:, 0] > 0],
    lambda m: m[:, ::-1].T[1:3],
    lambda v: v[np.nonzero(v > 0)],
    lambda m: m[(slice(None), 2)],
]


def _in_place(v, w):
    total = v.copy()
    total += w
    total *= 2.0
    total -= np.sin(w)
    total /= 1.0 + w**2
    total **= 2
    total %= 5.0
    total //= 100.0
    total += v
    return total, v


def _filled(m, one):
    made = np.zeros_like(m)
    made[0] = m[1] ** 2
    made[1:, 1:] = np.exp(m[1:, 1:])
    made[:, 0] += one[:, 0]
    made[[0, 2], [3, 1]] *= 3.0
    made[made > 2.0] = m[0, 0]
    made -= m
    made /= 2.0
    made **= 2
    return made


def _scattered(m, pm):
    made = np.ones_like(m)
    np.add.at(made, (np.array([0, 0, 2]), np.array([1, 1, 3])), m[0, :3])
    np.multiply.at(made, 1, pm[1])
    np.subtract.at(made, (2, slice(None)), pm[0])
    np.maximum.at(made, (np.array([0]), np.array([0])), pm[0, 0])
    np.negative.at(made, (np.array([1]),))
    np.put(made, [0, -1], m[0, :2])
    np.place(made, np.eye(3, 4) > 0, pm[0])
    np.putmask(made, np.eye(3, 4)[::-1] > 0, m)
    np.copyto(made, pm, where=np.tri(3, 4, -1) > 0)
    np.fill_diagonal(made, m[0, 0])
    np.put_along_axis(made, np.array([[1], [0], [2]]), m[:, :1], 1)
    return made
