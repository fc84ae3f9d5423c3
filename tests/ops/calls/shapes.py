"""Functions that change the shape, and that join and take apart."""

import numpy as np

from tests.ops.calls.arrays import kink

CALLS = {
    "reshape": [
        lambda m: np.reshape(m, (4, 3)),
        lambda m: np.reshape(m, (2, -1), order="F"),
        lambda m: np.reshape(m, -1),
        lambda c: np.reshape(c, (4, -1), order="A"),
        lambda m: np.reshape(m, shape=(6, 2)),
        lambda s: np.reshape(s, (1, 1, 1)),
    ],
    "ravel": [
        lambda m: np.ravel(m),
        lambda m: np.ravel(m, order="F"),
        lambda c: np.ravel(c, "K"),
        lambda s: np.ravel(s),
    ],
    "transpose": [
        lambda c: np.transpose(c, (1, 2, 0)),
        lambda c: np.transpose(c),
        lambda c: np.transpose(c, axes=(-1, 0, 1)),
    ],
    "permute_dims": [lambda c: np.permute_dims(c, (1, 2, 0))],
    "matrix_transpose": [lambda c: np.matrix_transpose(c)],
    "swapaxes": [
        lambda c: np.swapaxes(c, 0, 2),
        lambda m: np.swapaxes(m, -1, 0),
    ],
    "moveaxis": [
        lambda c: np.moveaxis(c, 0, -1),
        lambda c: np.moveaxis(c, [0, 1], [-1, -2]),
    ],
    "rollaxis": [
        lambda c: np.rollaxis(c, 2),
        lambda c: np.rollaxis(c, 0, 3),
        lambda c: np.rollaxis(c, -1, 1),
    ],
    "squeeze": [
        lambda one: np.squeeze(one),
        lambda one: np.squeeze(one, axis=1),
        lambda one: np.squeeze(one[None], axis=(0, -1)),
    ],
    "expand_dims": [
        lambda v: np.expand_dims(v, (0, 2)),
        lambda m: np.expand_dims(m, -1),
        lambda s: np.expand_dims(s, 0),
    ],
    "atleast_1d": [
        lambda s: np.atleast_1d(s),
        lambda s, m: np.atleast_1d(s, m),
    ],
    "atleast_2d": [
        lambda v: np.atleast_2d(v),
        lambda s, m: np.atleast_2d(s, m, 1.0),
    ],
    "atleast_3d": [
        lambda m: np.atleast_3d(m),
        lambda s, v: np.atleast_3d(s, v),
    ],
    "broadcast_to": [
        lambda v: np.broadcast_to(v, (2, 5)),
        lambda one: np.broadcast_to(one, (2, 3, 4)),
        lambda s: np.broadcast_to(s, 4),
    ],
    "broadcast_arrays": [
        lambda one, m: np.broadcast_arrays(one, m),
        lambda v, one, s: np.broadcast_arrays(v, one, s),
    ],
    "flip": [
        lambda m: np.flip(m),
        lambda m: np.flip(m, 1),
        lambda c: np.flip(c, axis=(0, -1)),
    ],
    "fliplr": [lambda m: np.fliplr(m)],
    "flipud": [lambda m: np.flipud(m)],
    "rot90": [
        lambda m: np.rot90(m),
        lambda m: np.rot90(m, 3),
        lambda c: np.rot90(c, k=2, axes=(1, 2)),
        lambda m: np.rot90(m, -1),
    ],
    "roll": [
        lambda m: np.roll(m, 2),
        lambda m: np.roll(m, (1, -1), (0, 1)),
        lambda c: np.roll(c, -1, axis=-1),
        lambda v: np.roll(v, 7),
        lambda m: np.roll(m, shift=1, axis=(0, 1)),
    ],
    "astype": [
        lambda v: np.astype(v, np.float64),
        lambda v: np.astype(v, np.int64),
        kink(lambda v: np.astype(v, np.float32)),
        lambda b: np.astype(b, float),
    ],
    "copy": [
        lambda v: np.copy(v),
        lambda c: np.copy(c, order="F"),
    ],
    "tile": [
        lambda m: np.tile(m, (2, 1)),
        lambda v: np.tile(v, 3),
        lambda m: np.tile(m, (2, 1, 2)),
        lambda s: np.tile(s, 3),
    ],
    "repeat": [
        lambda v: np.repeat(v, 2),
        lambda m: np.repeat(m, [1, 0, 2], axis=0),
        lambda m: np.repeat(m, 2, axis=-1),
        lambda m: np.repeat(m, 3),
        lambda s: np.repeat(s, 4),
    ],
    "resize": [
        lambda m: np.resize(m, (2, 8)),
        lambda v: np.resize(v, 3),
        lambda v: np.resize(v, (3, 2)),
    ],
    "unstack": [
        lambda m: np.unstack(m, axis=1),
        lambda c: np.unstack(c),
    ],
    "array_split": [
        lambda v: np.array_split(v, 3),
        lambda m: np.array_split(m, [1, 3], axis=1),
        lambda m: np.array_split(m, 2, axis=-1),
    ],
    "split": [
        lambda m: np.split(m, 2, axis=1),
        lambda v: np.split(v, [2, 4]),
        lambda c: np.split(c, 3, axis=-2),
    ],
    "hsplit": [lambda m: np.hsplit(m, [1, 3])],
    "vsplit": [lambda m: np.vsplit(m, 3)],
    "dsplit": [lambda c: np.dsplit(c, 2)],
}
