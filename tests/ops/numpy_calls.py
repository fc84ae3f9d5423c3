"""Calls of NumPy's functions by name, as people write them: the table behind `test_numpy_calls`.

A call is a lambda; what its parameters are called says which array it gets (see `ARRAYS`).
"""

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


def quantiles(method):
    return lambda m: np.quantile(m, [0.0, 0.13, 0.25, 0.5, 0.62, 0.99], axis=1, method=method)


CALLS = {
    **{name: [_unary(name, a)] for a, names in _UNARY.items() for name in names.split()},
    **{name: [_binary(name, ab)] for ab, names in _BINARY.items() for name in names.split()},
    "nextafter": [kink(lambda v, w: np.nextafter(v, w))],
    "clip": [lambda v: np.clip(v, -1, 1), lambda v, p: np.clip(v, None, p)],
    "around": [lambda v: np.around(v, 1)],
    "round": [lambda v: np.round(v)],
    "divmod": [lambda v, p: np.divmod(v, p)],
    "modf": [lambda v: np.modf(v)],
    "frexp": [kink(lambda p: np.frexp(p)[0])],
    "ldexp": [lambda v: np.ldexp(v, 3)],
    "where": [lambda b, v, w: np.where(b, v, w), lambda m: np.where(m > 0, m**2, np.exp(m))],
    "select": [lambda v, w: np.select([v > 1, w > 0], [v**2, w * v], np.sin(v))],
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
    ],
    "compress": [lambda b, v: np.compress(b, v), lambda m: np.compress([True, False, True], m, axis=0)],
    "extract": [lambda b, v: np.extract(b, v)],
    # ---- shape
    "reshape": [lambda m: np.reshape(m, (4, 3)), lambda m: np.reshape(m, (2, -1), order="F")],
    "ravel": [lambda m: np.ravel(m), lambda m: np.ravel(m, order="F")],
    "transpose": [lambda c: np.transpose(c, (1, 2, 0))],
    "permute_dims": [lambda c: np.permute_dims(c, (1, 2, 0))],
    "matrix_transpose": [lambda c: np.matrix_transpose(c)],
    "swapaxes": [lambda c: np.swapaxes(c, 0, 2)],
    "moveaxis": [lambda c: np.moveaxis(c, 0, -1)],
    "rollaxis": [lambda c: np.rollaxis(c, 2)],
    "squeeze": [lambda one: np.squeeze(one)],
    "expand_dims": [lambda v: np.expand_dims(v, (0, 2))],
    "atleast_1d": [lambda s: np.atleast_1d(s)],
    "atleast_2d": [lambda v: np.atleast_2d(v)],
    "atleast_3d": [lambda m: np.atleast_3d(m)],
    "broadcast_to": [lambda v: np.broadcast_to(v, (2, 5))],
    "broadcast_arrays": [lambda one, m: np.broadcast_arrays(one, m)],
    "flip": [lambda m: np.flip(m), lambda m: np.flip(m, 1)],
    "fliplr": [lambda m: np.fliplr(m)],
    "flipud": [lambda m: np.flipud(m)],
    "rot90": [lambda m: np.rot90(m), lambda m: np.rot90(m, 3)],
    "roll": [lambda m: np.roll(m, 2), lambda m: np.roll(m, (1, -1), (0, 1))],
    "astype": [lambda v: np.astype(v, np.float64)],
    "copy": [lambda v: np.copy(v)],
    "tile": [lambda m: np.tile(m, (2, 1))],
    "repeat": [lambda v: np.repeat(v, 2), lambda m: np.repeat(m, [1, 0, 2], axis=0)],
    "resize": [lambda m: np.resize(m, (2, 8))],
    "unstack": [lambda m: np.unstack(m, axis=1)],
    "array_split": [lambda v: np.array_split(v, 3)],
    "split": [lambda m: np.split(m, 2, axis=1)],
    "hsplit": [lambda m: np.hsplit(m, [1, 3])],
    "vsplit": [lambda m: np.vsplit(m, 3)],
    "dsplit": [lambda c: np.dsplit(c, 2)],
    # ---- joining
    "concatenate": [lambda v, w: np.concatenate((v, w)), lambda m, n: np.concatenate([m, n], axis=None)],
    "concat": [lambda v, w: np.concat((v, w))],
    "stack": [lambda v, w: np.stack([v, w], axis=-1)],
    "vstack": [lambda v, w: np.vstack((v, w))],
    "hstack": [lambda m, n: np.hstack((m, n))],
    "dstack": [lambda v, w: np.dstack((v, w))],
    "column_stack": [lambda v, w: np.column_stack((v, w))],
    "block": [lambda q, s: np.block([[q, s * np.eye(3)], [np.zeros((3, 3)), q]])],
    "append": [lambda v, w: np.append(v, w), lambda m, n: np.append(m, n, axis=1)],
    "insert": [
        lambda v: np.insert(v, 1, 3.0),
        lambda v, s: np.insert(v, [1, 3, 3], s),
        lambda m, s: np.insert(m, 1, s, axis=1),
        lambda m: np.insert(m, 0, [1.0, 2.0, 3.0, 4.0], axis=0),
        lambda v, w: np.insert(v, 2, w[:2]),
        lambda m, w: np.insert(m, [0, 2], w[:2], axis=1),
        lambda m, n: np.insert(m, [1], n, axis=0),
        lambda v: np.insert(v, -1, 9.0),
        lambda v: np.insert(v, slice(0, 2), [1.0, 2.0]),
    ],
    "delete": [
        lambda v: np.delete(v, 2),
        lambda m: np.delete(m, [0, -1], axis=1),
        lambda v: np.delete(v, slice(None, None, 2)),
        lambda v: np.delete(v, np.array([True, False, True, False, False])),
    ],
    "trim_zeros": [kink(lambda zero: np.trim_zeros(zero)), kink(lambda zero: np.trim_zeros(zero, "f"))],
    "pad": [
        lambda m: np.pad(m, 1),
        lambda m: np.pad(m, ((1, 2), (0, 3)), constant_values=2.0),
        lambda v, s: np.pad(v, 2, constant_values=s),
        lambda m: np.pad(m, 2, mode="edge"),
        lambda m: np.pad(m, (2, 3), mode="reflect"),
        lambda m: np.pad(m, (2, 3), mode="symmetric"),
        lambda m: np.pad(m, (2, 3), mode="wrap"),
        lambda m: np.pad(m, (2, 3), mode="reflect", reflect_type="odd"),
        lambda m: np.pad(m, (2, 3), mode="symmetric", reflect_type="odd"),
        lambda m: np.pad(m, (2, 3), mode="linear_ramp", end_values=1.5),
        lambda m: np.pad(m, ((1, 2), (0, 3)), mode="linear_ramp", end_values=((0.0, 1.0), (2.0, 3.0))),
        lambda m: np.pad(m, 2, mode="maximum"),
        lambda m: np.pad(m, 2, mode="minimum", stat_length=2),
        lambda m: np.pad(m, 2, mode="mean", stat_length=((1, 2), (3, 2))),
        lambda m: np.pad(m, 2, mode="median"),
        lambda m: np.pad(m, 1, mode="empty")[1:-1, 1:-1],
    ],
    # ---- reading
    "take": [lambda m: np.take(m, [2, 0], axis=0), lambda m: np.take(m, [[1, 5]], mode="clip")],
    "take_along_axis": [lambda m: np.take_along_axis(m, np.argsort(m, 1), 1)],
    "diagonal": [lambda m: np.diagonal(m, 1)],
    "diag": [lambda v: np.diag(v, 1), lambda m: np.diag(m)],
    "diagflat": [lambda m: np.diagflat(m)],
    "tril": [lambda m: np.tril(m)],
    "triu": [lambda m: np.triu(m, 1)],
    "trace": [lambda q: np.trace(q)],
    "meshgrid": [lambda v, w: np.meshgrid(v, w), lambda v, w: np.meshgrid(v, w, indexing="ij", sparse=True)],
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
    ],
    "unravel_index": [lambda i: np.unravel_index(i, (2, 3)), lambda i: np.unravel_index(i, (2, 3), order="F")],
    "ravel_multi_index": [
        lambda i: np.ravel_multi_index((i, i), (4, 5)),
        lambda i: np.ravel_multi_index((i, i), (4, 3), mode=("raise", "wrap"), order="F"),
        lambda i: np.ravel_multi_index((i, i), (2, 3), mode="clip"),
    ],
    # ---- reductions
    "sum": [lambda m: np.sum(m, axis=0, keepdims=True), lambda m, bm: np.sum(m, where=bm), lambda empty: np.sum(empty)],
    "prod": [lambda m: np.prod(m, axis=1), lambda zero: np.prod(zero), lambda empty: np.prod(empty)],
    "mean": [lambda m: np.mean(m, axis=(0, 1)), lambda m, bm: np.mean(m, axis=0, where=bm | True)],
    "std": [lambda m: np.std(m, axis=1, ddof=1)],
    "var": [lambda m: np.var(m, ddof=1), lambda m: np.var(m, axis=0, correction=1)],
    "average": [lambda v, p: np.average(v, weights=p), lambda m: np.average(m, axis=0)],
    "max": [lambda m: np.max(m, axis=0), lambda m: np.max(m, initial=0.5)],
    "min": [lambda m: np.min(m)],
    "amax": [lambda m: np.amax(m, 1)],
    "amin": [lambda m: np.amin(m, 1)],
    "ptp": [lambda m: np.ptp(m, axis=0)],
    "median": [
        lambda v: np.median(v),
        lambda m: np.median(m, axis=1),
        lambda m: np.median(m, axis=(0, 1), keepdims=True),
        kink(lambda ties: np.median(ties)),
        lambda s: np.median(s),
        lambda holes: np.median(holes, axis=1),
    ],
    "percentile": [
        lambda m: np.percentile(m, [10, 55.5, 100], axis=0),
        lambda m: np.percentile(m, 37.0, axis=(0, -1), keepdims=True),
        lambda m, pm: np.percentile(m, [25, 60], axis=0, method="inverted_cdf", weights=pm),
        lambda m, s: np.percentile(m, 100 * s),
        lambda i: np.percentile(i, 40),
    ],
    "quantile": [
        lambda v: np.quantile(v, 0.3),
        lambda m: np.quantile(m, [0.0, 0.41, 1.0], axis=1),
        lambda m: np.quantile(m, [[0.13, 0.77]], axis=(0, 1), keepdims=True),
        *[
            quantiles(name)
            for name in (
                *("inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen"),
                *("weibull", "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest"),
            )
        ],
        lambda v, s: np.quantile(v, s),
        lambda m, s: np.quantile(m, s, axis=0, method="hazen"),
        lambda v, p: np.quantile(v, 0.4, method="inverted_cdf", weights=p),
        lambda m, pm: np.quantile(m, [0.0, 0.3, 0.61, 1.0], axis=1, method="inverted_cdf", weights=pm),
        lambda t, p: np.quantile(t, [0.2, 0.7], axis=0, method="inverted_cdf", weights=p),
        lambda c, pm: np.quantile(c, 0.35, axis=(1, 2), method="inverted_cdf", weights=pm, keepdims=True),
        lambda c, pm: np.quantile(c, 0.35, axis=(2, 1), method="inverted_cdf", weights=pm.T),
        lambda v: np.quantile(v, [0.0, 0.5, 1.0], method="inverted_cdf", weights=[0, 1, 0, 2, 1]),
        lambda holes, pm: np.quantile(holes, 0.5, axis=1, method="inverted_cdf", weights=pm),
        lambda v: np.quantile(v, 0.3, overwrite_input=False),
    ],
    "unique": [
        kink(lambda ties: np.unique(ties)),
        kink(lambda ties: np.unique(ties, return_index=True, return_inverse=True, return_counts=True)),
        lambda m: np.unique(m, return_inverse=True),
        lambda holes: np.unique(holes, return_counts=True),
        lambda holes: np.unique(holes, return_inverse=True, equal_nan=False),
        lambda i: np.unique(i, return_counts=True),
        lambda bm: np.unique(bm, axis=0),
        lambda m: np.unique(m, axis=1),
        lambda m: np.unique(m[[0, 1, 0]], return_index=True, return_counts=True, axis=0),
        lambda empty: np.unique(empty),
    ],
    "unique_all": [kink(lambda ties: np.unique_all(ties))],
    "unique_counts": [kink(lambda ties: np.unique_counts(ties))],
    "unique_inverse": [lambda m: np.unique_inverse(m)],
    "unique_values": [kink(lambda ties: np.sort(np.unique_values(ties)))],
    "union1d": [kink(lambda ties, v: np.union1d(ties, v)), lambda m: np.union1d(m, [0.0, 1.0])],
    "intersect1d": [
        kink(lambda ties: np.intersect1d(ties, [1.0, 0.5, 7.0])),
        lambda v: np.intersect1d(v, v[1:3], return_indices=True),
        lambda v: np.intersect1d(v, v[1:3], assume_unique=True, return_indices=True),
    ],
    "setdiff1d": [
        kink(lambda ties: np.setdiff1d(ties, [1.0])),
        lambda v: np.setdiff1d(v, v[1:3], assume_unique=True),
    ],
    "setxor1d": [
        kink(lambda ties: np.setxor1d(ties, [1.0, 3.0])),
        lambda v: np.setxor1d(v, v[1:3], assume_unique=True),
    ],
    "nanmedian": [lambda holes: np.nanmedian(holes, axis=0), lambda holes: np.nanmedian(holes)],
    "nanquantile": [
        lambda holes: np.nanquantile(holes, [0.2, 0.7], axis=1),
        lambda holes: np.nanquantile(holes, 0.4),
        lambda gone: np.nanquantile(gone, 0.5, axis=0),
        lambda holes, pm: np.nanquantile(holes, [0.2, 0.7], axis=1, method="inverted_cdf", weights=pm),
        lambda holes: np.nanquantile(holes, 0.3, axis=0, method="midpoint"),
    ],
    "nanpercentile": [
        lambda holes: np.nanpercentile(holes, 37.0, axis=1, keepdims=True),
        lambda holes, pm: np.nanpercentile(holes, 37.0, method="inverted_cdf", weights=pm),
    ],
    "nansum": [lambda holes: np.nansum(holes, axis=0)],
    "nanprod": [lambda holes: np.nanprod(holes, axis=1)],
    "nanmean": [lambda holes: np.nanmean(holes, axis=0)],
    "nanvar": [lambda holes: np.nanvar(holes, axis=1), lambda holes: np.nanvar(holes, ddof=1, keepdims=True)],
    "nanstd": [lambda holes: np.nanstd(holes, axis=1), lambda holes: np.nanstd(holes)],
    "nanmax": [lambda holes: np.nanmax(holes, axis=1)],
    "nanmin": [lambda holes: np.nanmin(holes, axis=0)],
    "nanargmax": [lambda holes: np.nanargmax(holes, axis=1)],
    "nanargmin": [lambda holes: np.nanargmin(holes, axis=0)],
    "nancumsum": [lambda holes: np.nancumsum(holes, axis=1)],
    "nancumprod": [lambda holes: np.nancumprod(holes)],
    "any": [lambda m: np.any(m > 0, axis=0)],
    "all": [lambda m: np.all(m > 0, axis=1)],
    "count_nonzero": [lambda zero: np.count_nonzero(zero)],
    "argmax": [lambda m: np.argmax(m, axis=1), lambda ties: np.argmax(ties)],
    "argmin": [lambda m: np.argmin(m)],
    "cumsum": [lambda m: np.cumsum(m, axis=1), lambda m: np.cumsum(m)],
    "cumprod": [lambda m: np.cumprod(m, axis=0), lambda zero: np.cumprod(zero)],
    "cumulative_sum": [
        lambda m: np.cumulative_sum(m, axis=1),
        lambda v: np.cumulative_sum(v, include_initial=True),
    ],
    "cumulative_prod": [lambda m: np.cumulative_prod(m, axis=0, include_initial=True)],
    "cov": [
        lambda m: np.cov(m),
        lambda v, w: np.cov(v, w, ddof=0),
        lambda m: np.cov(m, rowvar=False, bias=True),
        lambda v: np.cov(v),
        lambda t, v: np.cov(t.T, v),
        lambda t, p: np.cov(t.T, aweights=p),
        lambda t, p: np.cov(t, rowvar=False, aweights=p, ddof=0),
        lambda t: np.cov(t.T, fweights=[1, 0, 2, 3, 1]),
        lambda t: np.cov(t.T, fweights=[1, 0, 2, 3, 1], ddof=2),
        lambda t, p, i: np.cov(t.T, fweights=i, aweights=p),
        lambda t: np.cov(t.T, dtype=np.float64, bias=True),
    ],
    "corrcoef": [
        lambda m: np.corrcoef(m),
        lambda v, w: np.corrcoef(v, w),
        lambda m: np.corrcoef(m, rowvar=False),
        lambda t, v: np.corrcoef(t.T, v[None]),
        lambda v: np.corrcoef(v),
    ],
    "bincount": [
        lambda i, v: np.bincount(i, weights=v),
        lambda i, v: np.bincount(i, v, minlength=7),
        lambda i: np.bincount(i),
    ],
    "histogram": [
        lambda v, w: np.histogram(v, 3, weights=w),
        lambda v: np.histogram(v, bins=4),
        lambda v, w: np.histogram(v, [-2.0, 0.0, 0.5, 3.0], weights=w, density=True),
        lambda m, n: np.histogram(m, 5, (-2.5, 3.0), weights=n, density=True),
        lambda m: np.histogram(m, 5, range=(-1.0, 1.0), density=True),
        lambda w: np.histogram([0.0, 0.5, 1.0, 1.5, 2.0], [0.0, 1.0, 2.0], weights=w),
        lambda v, up: np.histogram(v, up - 2.0, weights=up),
        lambda i: np.histogram(i, 3),
        lambda empty: np.histogram(empty, 2),
    ],
    "histogram_bin_edges": [
        lambda v: np.histogram_bin_edges(v, 4),
        lambda v: np.histogram_bin_edges(v, 3, range=(0.0, 2.0)),
        lambda v, up: np.histogram_bin_edges(v, up),
        lambda s: np.histogram_bin_edges(s, 2),
    ],
    "histogram2d": [
        lambda v, w, p: np.histogram2d(v, w, bins=3, weights=p),
        lambda v, w, p: np.histogram2d(v, w, bins=(2, [-3.0, 0.0, 1.0, 3.0]), weights=p, density=True),
        lambda v, w: np.histogram2d(v, w, [-3.0, 0.0, 1.0, 3.0]),
        lambda v, w: np.histogram2d(v, w, 4, range=[[-3.0, 3.0], [-2.0, 2.0]]),
    ],
    "histogramdd": [
        lambda t, v: np.histogramdd(t, bins=2, weights=v),
        lambda t, v: np.histogramdd(t, bins=(2, 3, [-3.0, 0.0, 3.0]), weights=v, density=True),
        lambda v, w: np.histogramdd((v, w), bins=3),
    ],
    # ---- order
    "sort": [
        lambda v: np.sort(v),
        lambda m: np.sort(m, axis=0),
        lambda m: np.sort(m, axis=None),
        lambda one: np.sort(one, axis=1),
        lambda empty: np.sort(empty),
        lambda v: np.sort(v, kind="stable"),
    ],
    "argsort": [lambda m: np.argsort(m, axis=0), lambda ties: np.argsort(ties, kind="stable")],
    "partition": [lambda v: np.partition(v, 2), lambda m: np.partition(m, (1, -1), axis=1)],
    "argpartition": [lambda v: np.argpartition(v, 2)],
    "lexsort": [lambda v, ties: np.lexsort((v, ties))],
    "searchsorted": [
        lambda up, p: np.searchsorted(up, p),
        lambda ties: np.searchsorted([0.5, 1.0, 2.0], ties, side="right"),
        lambda v, s: np.searchsorted(v, s, sorter=[0, 1, 2, 3, 4]) * 0,
    ],
    "digitize": [
        lambda v: np.digitize(v, [-1.0, 0.0, 1.0]),
        lambda v: np.digitize(v, [1.0, 0.0, -1.0], right=True),
        lambda v: np.digitize(v, [1.0, 0.0, -1.0]),
        lambda ties, up: np.digitize(ties, up, right=True),
    ],
    "isin": [lambda ties: np.isin(ties, [1.0, 0.5]), lambda i: np.isin(i, [1, 3], invert=True)],
    # ---- products
    "dot": [lambda m, q: np.dot(q, m), lambda v, w: np.dot(v, w)],
    "vdot": [lambda m, n: np.vdot(m, n)],
    "inner": [lambda m, n: np.inner(m, n)],
    "outer": [lambda v, w: np.outer(v, w)],
    "matmul": [lambda c, m: np.matmul(c, m.T)],
    "matvec": [lambda q, one: np.matvec(q, one[:, 0])],
    "vecmat": [lambda q, one: np.vecmat(one[:, 0], q)],
    "vecdot": [lambda m, n: np.vecdot(m, n)],
    "tensordot": [lambda c, m: np.tensordot(c, m, axes=([1, 2], [0, 1]))],
    "einsum": [
        lambda m, n: np.einsum("ij,ij->i", m, n),
        lambda c: np.einsum("i...->...", c),
        lambda q: np.einsum("ii->i", q),
        lambda v, w: np.einsum("i,j", v, w),
        lambda q, one: np.einsum(q, [0, 1], one, [1, 2], [0, 2]),
    ],
    "kron": [lambda q, m: np.kron(q, m)],
    "cross": [lambda q: np.cross(q, q[::-1]), lambda one: np.cross(one[:, 0], [1.0, 2.0, 3.0])],
    "convolve": [
        lambda v, p: np.convolve(v, p[:3]),
        lambda v, p: np.convolve(v, p[:3], "same"),
        lambda v, p: np.convolve(v, p[:2], "valid"),
        lambda v, p: np.convolve(p[:2], v, "same"),
        lambda v, p: np.convolve(p[:3], v, mode="valid"),
        lambda v, p: np.convolve(v, p[:4], "same"),
    ],
    "correlate": [
        lambda v, p: np.correlate(v, p[:3]),
        lambda v, p: np.correlate(v, p[:3], "full"),
        lambda v, p: np.correlate(v, p[:4], "same"),
        lambda v, p: np.correlate(p[:2], v, "same"),
        lambda v, p: np.correlate(p[:3], v, "valid"),
        lambda v, p: np.correlate(p[:3], v, "full"),
    ],
    # ---- samples
    "diff": [lambda m: np.diff(m, 2), lambda v, s: np.diff(v, prepend=s)],
    "ediff1d": [lambda m: np.ediff1d(m), lambda v, s: np.ediff1d(v, to_begin=s, to_end=[1.0, 2.0])],
    "gradient": [
        lambda v: np.gradient(v),
        lambda m: np.gradient(m),
        lambda m, s: np.gradient(m, s, axis=1),
        lambda v, up: np.gradient(v, up),
        lambda v, up: np.gradient(v, up, edge_order=2),
        lambda m: np.gradient(m, 2.0, edge_order=2, axis=(1, 0)),
        lambda m: np.gradient(m, 0.5, [0.0, 1.0, 1.5, 3.0]),
    ],
    "trapezoid": [lambda v, up: np.trapezoid(v, up), lambda m: np.trapezoid(m, dx=0.5, axis=0)],
    "interp": [
        lambda p, up, v: np.interp(p, up, v),
        lambda v, w: np.interp(v, [0.0, 1.0, 2.0], w[:3], period=2.5),
        lambda v, s: np.interp(v, [-1.0, 0.0, 1.0], [2.0, 0.0, 1.0], left=s),
    ],
    "unwrap": [lambda v: np.unwrap(4 * v), lambda m: np.unwrap(m, axis=0, period=1.5)],
    "linspace": [lambda s: np.linspace(s, 2.0, 7), lambda v, w: np.linspace(v, w, 4, endpoint=False, axis=1)],
    "logspace": [lambda s: np.logspace(s, 2.0, 5), lambda s: np.logspace(0, s, 4, base=2.0)],
    "geomspace": [lambda s: np.geomspace(s, 20.0, 5), lambda p: np.geomspace(p, 9.0, 4, endpoint=False)],
    "vander": [lambda v: np.vander(v, 3), lambda v: np.vander(v, increasing=True)],
    "kaiser": [lambda s: np.kaiser(5, s)],
    "fromfunction": [lambda s: np.fromfunction(lambda i: i * s, (3,))],
    # ---- polynomials
    "polyval": [
        lambda v, s: np.polyval(v, s),
        lambda v, m: np.polyval(v, m),
        lambda m: np.polyval([1.0, 0.0, -2.0], m),
        lambda v: np.polyval(v, [0.5, 1.5]),
    ],
    "polyadd": [lambda v, w: np.polyadd(v, w[:3]), lambda v: np.polyadd([1.0, 2.0], v), lambda s: np.polyadd(s, 1.0)],
    "polysub": [lambda v, w: np.polysub(v[:2], w), lambda v: np.polysub(v, [1.0])],
    "polymul": [lambda v, w: np.polymul(v, w), lambda v: np.polymul([1.0, 2.0], v), lambda v, s: np.polymul(v, s)],
    "polyder": [lambda v: np.polyder(v), lambda v: np.polyder(v, 2), lambda v: np.polyder(v, 0)],
    "polyint": [
        lambda v: np.polyint(v),
        lambda v, s: np.polyint(v, 2, [s, 1.0]),
        lambda v: np.polyint(v, 3, k=2.0),
        lambda v: np.polyint(v, m=0),
    ],
    "polydiv": [
        lambda v, r: np.polydiv(v, r),
        lambda v, s: np.polydiv(v, s),
        lambda r, v: np.polydiv(r, v),
        lambda s: np.polydiv(s * np.array([1.0, 1.0, -2.0]), [1.0, 2.0]),
        lambda v: np.polydiv(v, [1, -2, 3]),
        lambda v, w: np.polydiv(v, w),
    ],
    "poly": [
        lambda v: np.poly(v),
        lambda q: np.poly(q + q.T),
        lambda empty: np.poly(empty),
    ],
    "poly1d": [
        lambda v, s: np.poly1d(v)(s),
        lambda v, r: np.poly1d(v, r=True)(r),
        lambda v, w, s: (np.poly1d(v) * np.poly1d(w[:2]) + 2.0)(s),
        lambda v, s: np.poly1d(v).deriv()(s) - np.poly1d(v).integ()(s),
    ],
    "roots": [
        lambda r: np.sort(np.roots(np.poly(r))),
        lambda s: np.roots([1.0, -3.0 - s, 2.0, 0.0]),
        lambda s: np.roots(np.stack([0.0 * s, s, -2.0 * s])),
        lambda p: np.roots(p[:2]),
        lambda s: np.roots([2.0, 1.0, 0.0]) * s,
    ],
    "polyfit": [
        lambda v, w: np.polyfit(v, w, 2),
        lambda v, w, p: np.polyfit(v, w, 1, w=p),
        lambda v, t: np.polyfit(v, t, 2),
        lambda v, t, p: np.polyfit(v, t, 2, w=p, cov=True),
        lambda v, w: np.polyfit(v, w, 3, full=True)[:2],
        lambda v, w: np.polyfit(v, w, 1, cov=True),
        lambda v, w: np.polyfit(v, w, 2, cov="unscaled"),
        lambda w: np.polyfit(range(5), w, 1, rcond=1e-12),
    ],
    # ---- arrays like others
    "zeros_like": [lambda m: np.zeros_like(m)],
    "ones_like": [lambda m: np.ones_like(m)],
    "full_like": [lambda m, s: np.full_like(m, s)],
    "empty_like": [lambda m: np.empty_like(m) * 0],
}
