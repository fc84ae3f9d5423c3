"""Elementwise functions and choices."""

import numpy as np

from tests.ops.calls.arrays import kink

#: Functions of one or two real arguments, elementwise, and where they are smooth.
_UNARY = {
    "v": "absolute abs fabs negative positive sin cos tanh sinh cosh arctan atan arcsinh asinh exp exp2 expm1 square "
    "cbrt conj conjugate real nan_to_num deg2rad rad2deg degrees radians sinc sign floor ceil rint trunc fix "
    "isfinite isinf isnan isneginf isposinf signbit spacing imag angle isreal iscomplex real_if_close logical_not i0",
    "p": "log log2 log10 log1p sqrt reciprocal",
    "u": "arcsin asin arccos acos arctanh atanh tan",
    "g": "arccosh acosh",
    "i": "bitwise_not invert bitwise_invert bitwise_count",
}
_BINARY = {
    "vw": "add subtract multiply maximum minimum fmax fmin hypot arctan2 atan2 logaddexp logaddexp2 copysign equal "
    "not_equal greater greater_equal less less_equal logical_and logical_or logical_xor isclose heaviside",
    "vp": "divide true_divide floor_divide mod remainder fmod",
    "pv": "power pow float_power",
    "ii": "bitwise_and bitwise_or bitwise_xor left_shift right_shift gcd lcm bitwise_left_shift bitwise_right_shift",
}


def _unary(name, argument):
    f = getattr(np, name)
    return eval(f"lambda {argument}: f({argument})", {"f": f})


def _binary(name, arguments):
    f, (a, b) = getattr(np, name), arguments
    text = f"lambda {a}: f({a}, {a})" if a == b else f"lambda {a}, {b}: f({a}, {b})"
    return eval(text, {"f": f})


CALLS = {
    **{name: [_unary(name, a)] for a, names in _UNARY.items() for name in names.split()},
    **{name: [_binary(name, ab)] for ab, names in _BINARY.items() for name in names.split()},
    "nextafter": [kink(lambda v, w: np.nextafter(v, w))],
    "clip": [
        lambda v: np.clip(v, -1, 1),
        lambda v, p: np.clip(v, None, p),
        lambda v: np.clip(v, a_min=-1, a_max=1),
        lambda v: np.clip(v, min=-1.0),
        lambda v: np.clip(v, max=0.4),
        lambda m, one: np.clip(m, -(one**2), 1),
        lambda i: np.clip(i, 1, 2),
        lambda v: np.clip(v, None, None),
    ],
    "around": [
        lambda v: np.around(v, 1),
        kink(lambda v: np.around(v, decimals=-1)),
        lambda i: np.around(i, 1),
    ],
    "round": [
        lambda v: np.round(v),
        kink(lambda v: np.round(v, 2)),
    ],
    "divmod": [
        lambda v, p: np.divmod(v, p),
        lambda v: np.divmod(v, 0.7),
        lambda i: np.divmod(i, 2),
    ],
    "modf": [
        lambda v: np.modf(v),
        lambda m: np.modf(3 * m)[0],
    ],
    "frexp": [kink(lambda p: np.frexp(p)[0])],
    "ldexp": [
        lambda v: np.ldexp(v, 3),
        lambda v, i: np.ldexp(v, i),
    ],
    "where": [
        lambda b, v, w: np.where(b, v, w),
        lambda m: np.where(m > 0, m**2, np.exp(m)),
        lambda m, one, s: np.where(m > one, s, m),
        lambda v: np.where(v > 0, v, 0),
        lambda i, v: np.where(i, v, -v),
        lambda v: np.where([True, False, True, False, True], v, 1.0),
        lambda bm, i: np.where(bm, i[:4], 2),
    ],
    "select": [
        lambda v, w: np.select([v > 1, w > 0], [v**2, w * v], np.sin(v)),
        lambda v: np.select([v < 0, v < 1], [v, v**2], default=-1.0),
        lambda m: np.select([m > 0], [m]),
        lambda bm, m, s: np.select([bm, ~bm], [m, s]),
    ],
    "piecewise": [
        lambda v: np.piecewise(v, [v < -1, v > 1], [lambda t: -t, lambda t: t**2, 0.5]),
        lambda v: np.piecewise(v, [v < 0, v >= 0], [lambda t: np.exp(t), lambda t: 1 + t]),
        lambda s: np.piecewise(s, s > 0, [lambda t: t**3]),
        lambda v: np.piecewise(v, v > 0, [lambda t, k: k * t], k=3.0),
    ],
    "choose": [
        lambda b, v, w: np.choose(b, [v, w]),
        lambda i, v, w: np.choose(i, [v, w, v * w, 1.0]),
        lambda i, v, w: np.choose(i, [v, w], mode="clip"),
        lambda i, v, w: np.choose(i, (v, w), mode="wrap"),
        lambda i, m: np.choose(i[1:4] % 3, m[:, :3]),
        lambda i, s: np.choose(i, [s, 1.0, 2.0, 3.0]),
    ],
    "compress": [
        lambda b, v: np.compress(b, v),
        lambda m: np.compress([True, False, True], m, axis=0),
        lambda m: np.compress([1, 0, 1, 1], m, axis=1),
        lambda m: np.compress([0, 1, 1], m),
    ],
    "extract": [
        lambda b, v: np.extract(b, v),
        lambda m: np.extract(m > 0, m),
        lambda bm, m: np.extract(bm, m * 2),
    ],
}
