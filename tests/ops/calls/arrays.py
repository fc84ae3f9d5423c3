"""The arrays that the calls get by the names of their parameters."""

import numpy as np

_RNG = np.random.default_rng(20)


def _distinct(*shape):
    count = int(np.prod(shape))
    return _RNG.permutation(np.linspace(-2.3, 2.6, count) + _RNG.uniform(-0.05, 0.05, count)).reshape(shape)


def _with_real_eigenvalues():
    basis = _RNG.uniform(-1, 1, (3, 3)) + 2 * np.eye(3)
    return basis @ np.diag([1.0, 2.5, -1.5]) @ np.linalg.inv(basis)


NAN = np.nan
ARRAYS = {
    "s": np.array(0.7),
    "v": _distinct(5),
    "w": _distinct(5),
    "p": _RNG.uniform(0.5, 2.0, 5),
    "u": _RNG.uniform(-0.8, 0.8, 5),
    "g": _RNG.uniform(1.2, 2.5, 5),  # above 1
    "m": _distinct(3, 4),
    "n": _distinct(3, 4),
    "pm": _RNG.uniform(0.5, 2.0, (3, 4)),
    "q": _RNG.uniform(-1, 1, (3, 3)) + 3 * np.eye(3),
    "spd": np.eye(3) * 2 + 0.3,
    "c": _distinct(2, 3, 4),
    "up": np.cumsum(_RNG.uniform(0.3, 1.0, 5)),
    "one": np.array([[0.4], [0.9], [-0.3]]),
    "empty": np.zeros(0),
    "ties": np.array([1.0, 2.0, 1.0, 2.0, 0.5]),
    "zero": np.array([0.0, 1.5, -2.0, 0.0]),
    "i": np.array([3, 0, 2, 1, 1]),
    "b": np.array([True, False, True, True, False]),
    "bm": _distinct(3, 4) > 0,
    "holes": np.array([[0.3, NAN, -1.2, 0.8], [1.1, 0.4, NAN, NAN], [2.0, -0.7, 0.1, 1.9]]),
    "gone": np.array([[0.3, NAN], [1.1, NAN]]),
    "r": _distinct(3),
    "t": _distinct(5, 3),
    "qs": _RNG.uniform(-1, 1, (2, 3, 3)) + 3 * np.eye(3),
    "real": _with_real_eigenvalues(),
    "reals": np.stack([_with_real_eigenvalues(), _with_real_eigenvalues()]),
}


def kink(call):
    """Mark a call that has a jump or a kink where it is made: only its values are compared."""
    call.kink = True
    return call
