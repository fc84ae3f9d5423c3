"""Rows of the elementwise ops."""

import numpy as np
import scipy.special

from tests.ops.rows import Row, booleans, distinct, fixed, integers, nonzero, positive, uniform

inf, nan = np.inf, np.nan
PI = np.pi


def unary(name, draw=None, **more):
    return Row(name, lambda B, x: getattr(B, name)(x), [uniform(2, 3) if draw is None else draw], **more)


def binary(name, first=None, second=None, **more):
    inputs = [uniform(2, 3) if first is None else first, uniform(3) if second is None else second]
    return Row(name, lambda B, x, y: getattr(B, name)(x, y), inputs, **more)


def stepwise(name, draw=None, **more):
    """An op that is constant almost everywhere."""
    return unary(name, uniform(2, 3, low=-4, high=4) if draw is None else draw, order=0, **more)


def compared(name):
    return [
        binary(name, uniform(2, 3), uniform(3), order=0),
        binary(name, integers(2, 3, low=0, high=3), integers(3, low=0, high=3), order=0, label="integers"),
        binary(name, integers(2, 3, low=0, high=3), fixed([0.0, 1.0, 2.0]), order=0, label="mixed"),
    ]


def _sinc_in_digits(x, k):
    import mpmath

    with mpmath.workdps(60):
        exact = [float(mpmath.diff(mpmath.sincpi, mpmath.mpf(float(v)), k)) for v in np.ravel(x)]
    return np.reshape(exact, x.shape).astype(x.dtype)


def _sinc_series_at_zero(k):
    """The derivative at 0 from the series sin(z)/z = sum of (-1)^m z^(2m)/(2m+1)!."""
    return 0.0 if k % 2 else (-1.0) ** (k // 2) * PI**k / (k + 1)


ARITHMETIC = [
    binary("add", mp=lambda mp, x, y: x + y),
    binary("add", integers(2, 3), uniform(3), mp=lambda mp, x, y: x + y, label="integer"),
    binary("add", booleans(2, 3), booleans(3), order=0, label="booleans"),
    binary("subtract", mp=lambda mp, x, y: x - y),
    binary("multiply", mp=lambda mp, x, y: x * y),
    binary("multiply", uniform(2, 1, 3), uniform(4, 1), mp=lambda mp, x, y: x * y, label="broadcast both ways"),
    binary("divide", None, nonzero(3), mp=lambda mp, x, y: x / y),
    binary("divide", integers(4), integers(4, low=1), order=0, label="integers"),
    unary("negative", mp=lambda mp, x: -x),
    unary("positive", mp=lambda mp, x: +x),
    unary("square", mp=lambda mp, x: x**2),
    unary("reciprocal", nonzero(2, 3), mp=lambda mp, x: 1 / x),
    Row(
        "add_n",
        lambda B, x, y, z: B.add_n(x, y, z),
        [uniform(2, 3), uniform(2, 3), uniform(2, 3)],
        lambda x, y, z: x + y + z,
        mp=lambda mp, x, y, z: x + y + z,
    ),
    binary(
        "multiply_no_nan",
        None,
        nonzero(3),
        reference=lambda x, y: x * y,
        mp=lambda mp, x, y: x * y,
        special=[((inf, 0.0), (0.0, inf)), ((2.0, 0.0), (0.0, 2.0))],
    ),
    Row(
        "multiply_no_nan",
        lambda B, x, y: B.multiply_no_nan(x, y),
        [fixed([inf, nan, 1.0, inf, nan]), fixed([0.0, 0.0, 0.0, 2.0, 2.0])],
        lambda x, y: np.where(y == 0, 0, x * y),
        order=0,
        wrt=(0, 1),
        mp=False,
        label="zeros",
    ),
    unary("log_or_zero", positive(2, 3), reference=np.log, mp=lambda mp, x: mp.log(x), special=[((0.0,), (0.0,))]),
]

POWERS = [
    binary(
        "power",
        positive(2, 3),
        None,
        mp=lambda mp, x, y: x**y,
        special=[
            ((0.0, 0.0), (0.0, 0.0)),
            ((0.0, 1.0), (1.0, 0.0)),
            ((0.0, 2.0), (0.0, 0.0)),
            ((0.0, 1.5), (0.0, 0.0)),
            ((0.0, 0.5), (inf, 0.0)),
            ((2.0, 0.0), (0.0, np.log(2.0))),
            ((-2.0, 2.0), (-4.0, nan)),
        ],
    ),
    binary("power", positive(2, 3), integers(3), mp=lambda mp, x, y: x**y, label="integer exponents"),
    binary("power", integers(2, 3, low=0), integers(3, low=0), order=0, label="integers"),
    *[
        Row(
            "power",
            lambda B, x, n=n: B.power(x, n),
            [nonzero(2, 3) if n == int(n) else positive(2, 3)],
            lambda x, n=n: np.power(x, n),
            mp=lambda mp, x, n=n: x**n,
            special=[((0.0,), (slope,))],
            label=f"literal {n}",
        )
        for n, slope in [
            (0, 0.0),
            (1, 1.0),
            (2, 0.0),
            (3, 0.0),
            (-1, -inf),
            (-2, -inf),
            (0.5, inf),
            (1.5, 0.0),
            (2.0, 0.0),
            (7, 0.0),
            (-0.5, -inf),
            (20, 0.0),
        ]
    ],
    Row(
        "power",
        lambda B, x: B.power(2, x),
        [uniform(2, 3)],
        lambda x: np.power(2, x),
        mp=lambda mp, x: 2**x,
        label="literal base",
    ),
    Row(
        "power",
        lambda B, x: B.float_power(x, 3),
        [uniform(2, 3)],
        lambda x: np.float_power(x, 3),
        mp=False,
        dtypes=("float64",),
        label="float_power",
    ),
    unary("sqrt", positive(2, 3), special=[((0.0,), (inf,))]),
    unary("cbrt", nonzero(2, 3), mp=lambda mp, x: mp.sign(x) * mp.cbrt(abs(x)), special=[((0.0,), (inf,))]),
    binary(
        "hypot",
        nonzero(2, 3),
        nonzero(3),
        special=[
            ((0.0, 0.0), (0.0, 0.0)),
            ((3.0, 4.0), (0.6, 0.8)),
            ((0.0, 2.0), (0.0, 1.0)),
            ((3e200, 4e200), (0.6, 0.8)),
        ],
    ),
]

NUMBERS = [
    Row("frexp_mantissa", lambda B, x: B.frexp(x)[0], [fixed([0.6, -1.3, 5.5])], lambda x: np.frexp(x)[0], mp=False),
    Row("frexp_exponent", lambda B, x: B.frexp(x)[1], [nonzero(2, 3)], lambda x: np.frexp(x)[1], order=0),
    binary("ldexp", None, integers(3), wrt=(0,), mp=lambda mp, x, n: x * mp.mpf(2) ** n),
    binary("nextafter", order=0),
    unary("spacing", order=0),
    Row("modf_fraction", lambda B, x: B.modf(x), [fixed([1.25, -3.5, 7.75])], np.modf, mp=False, special=()),
    Row(
        "astype",
        lambda B, x: B.astype(x, "float32"),
        [uniform(2, 3)],
        lambda x: x.astype("f4"),
        order=0,
        wrt=(0,),
        mp=False,
        label="to single",
        dtypes=(),
    ),
    Row(
        "astype",
        lambda B, x: B.astype(x, float),
        [integers(2, 3)],
        lambda x: x.astype(float),
        order=0,
        label="from integers",
    ),
    Row(
        "astype",
        lambda B, x: B.astype(x, int),
        [uniform(2, 3, low=-5, high=5)],
        lambda x: x.astype(int),
        order=0,
        edges=False,
        label="to integers",
    ),
    Row(
        "astype", lambda B, x: B.astype(x, bool), [integers(2, 3)], lambda x: x.astype(bool), order=0, label="to truth"
    ),
    Row("stop_gradient", lambda B, x: B.stop_gradient(x), [uniform(2, 3)], lambda x: x, order=0),
    Row(
        "stop_gradient",
        lambda B, x: B.multiply(B.stop_gradient(x), x),
        [uniform(2, 3)],
        lambda x: x * x,
        order=0,
        wrt=(0,),
        label="half",
    ),
]

TRANSCENDENTAL = [
    unary("exp"),
    unary("exp2", mp=lambda mp, x: mp.mpf(2) ** x),
    unary("expm1", special=[((1e-300,), (1.0,))]),
    unary("log", positive(2, 3), special=[((0.0,), (inf,))]),
    unary("log2", positive(2, 3), mp=lambda mp, x: mp.log(x, 2)),
    unary("log10", positive(2, 3)),
    unary("log1p", positive(2, 3), special=[((-1.0,), (inf,)), ((1e-300,), (1.0,))]),
    binary(
        "logaddexp",
        mp=lambda mp, x, y: mp.log(mp.exp(x) + mp.exp(y)),
        special=[
            ((1e4, 0.0), (1.0, 0.0)),
            ((0.0, 1e4), (0.0, 1.0)),
            ((-inf, 0.0), (0.0, 1.0)),
            ((1e4, 1e4), (0.5, 0.5)),
        ],
    ),
    binary(
        "logaddexp2",
        mp=lambda mp, x, y: mp.log(mp.mpf(2) ** x + mp.mpf(2) ** y, 2),
        special=[((1e4, 0.0), (1.0, 0.0)), ((1e4, 1e4), (0.5, 0.5))],
    ),
    unary("sin"),
    unary("cos"),
    unary("tan"),
    unary(
        "arcsin",
        uniform(2, 3, low=-0.8, high=0.8),
        mp=lambda mp, x: mp.asin(x),
        special=[((1.0,), (inf,)), ((-1.0,), (inf,))],
    ),
    unary("arccos", uniform(2, 3, low=-0.8, high=0.8), mp=lambda mp, x: mp.acos(x), special=[((1.0,), (-inf,))]),
    unary("arctan", mp=lambda mp, x: mp.atan(x), special=[((inf,), (0.0,))]),
    binary(
        "arctan2",
        nonzero(2, 3),
        nonzero(3),
        mp=lambda mp, x, y: mp.atan2(x, y),
        special=[((1.0, 0.0), (0.0, -1.0)), ((0.0, -1.0), (-1.0, 0.0))],
    ),
    unary("sinh"),
    unary("cosh"),
    unary("tanh", special=[((1e3,), (0.0,)), ((-1e3,), (0.0,))]),
    unary("arcsinh", mp=lambda mp, x: mp.asinh(x)),
    unary("arccosh", uniform(2, 3, low=1.5, high=3), mp=lambda mp, x: mp.acosh(x), special=[((1.0,), (inf,))]),
    unary("arctanh", uniform(2, 3, low=-0.8, high=0.8), mp=lambda mp, x: mp.atanh(x), special=[((1.0,), (inf,))]),
    unary("deg2rad", uniform(2, 3, low=-180, high=180), mp=lambda mp, x: mp.radians(x)),
    unary("rad2deg", mp=lambda mp, x: mp.degrees(x)),
    unary(
        "sinc",
        fixed([[-1.7, -0.4, 0.3], [0.01, 2.4, 1.0]]),
        mp=lambda mp, x: mp.sincpi(x),
        special=[((0.0,), (0.0,)), ((1.0,), (-1.0,))],
    ),
    *[
        Row(
            "sinc_derivative",
            lambda B, x, k=k: B.sinc_derivative(x, k),
            [fixed([[0.02, -0.4, 0.7], [1.1, -2.4, 6.3]])],
            lambda x, k=k: _sinc_in_digits(x, k),
            mp=lambda mp, x, k=k: mp.diff(mp.sincpi, x, k),
            special=[((0.0,), (_sinc_series_at_zero(k + 1),))],
            agree=1e-13,  # its terms cancel, so a fused operation shows
            label=f"{k}",
        )
        for k in (1, 2, 5)
    ],
]


COMPARISONS = [
    row for name in ("greater", "greater_equal", "less", "less_equal", "equal", "not_equal") for row in compared(name)
] + [
    *[binary(name, booleans(4), booleans(4), order=0) for name in ("logical_and", "logical_or", "logical_xor")],
    *[
        binary(name, integers(6, low=0, high=2), fixed([0.0, 1.0, -2.0, nan, 0.0, 1.0]), order=0, label="numbers")
        for name in ("logical_and", "logical_or", "logical_xor")
    ],
    unary("logical_not", booleans(4), order=0),
    unary("logical_not", fixed([0.0, 1.0, nan]), order=0, label="numbers"),
    *[unary(name, fixed([1.0, -0.0, inf, -inf, nan]), order=0) for name in ("isnan", "isinf", "isfinite", "signbit")],
    *[
        binary(name, integers(6, low=0, high=64), integers(6, low=0, high=64), order=0)
        for name in ("bitwise_and", "bitwise_or", "bitwise_xor", "gcd", "lcm")
    ],
    *[
        binary(name, booleans(4), booleans(4), order=0, label="truth")
        for name in ("bitwise_and", "bitwise_or", "bitwise_xor")
    ],
    *[binary(name, integers(6), integers(6, low=0, high=6), order=0) for name in ("left_shift", "right_shift")],
    unary("invert", integers(6), order=0),
    unary("invert", booleans(6), order=0, label="truth"),
    unary("bitwise_count", integers(6), order=0),
    Row("equal", lambda B, x: B.isposinf(x), [fixed([inf, -inf, nan, 1.0])], np.isposinf, order=0, label="isposinf"),
    Row("equal", lambda B, x: B.isneginf(x), [fixed([inf, -inf, nan, 1.0])], np.isneginf, order=0, label="isneginf"),
]

CHOICES = [
    unary(
        "absolute",
        nonzero(2, 3),
        mp=lambda mp, x: abs(x),
        special=[((0.0,), (0.0,)), ((-0.0,), (0.0,)), ((-2.0,), (-1.0,))],
    ),
    unary("absolute", integers(4), order=0, label="integers"),
    unary("fabs", nonzero(2, 3), mp=lambda mp, x: abs(x), special=[((0.0,), (0.0,))]),
    unary("sign", nonzero(2, 3), special=[((0.0,), (0.0,)), ((3.0,), (0.0,))]),
    binary(
        "copysign",
        nonzero(2, 3),
        nonzero(3),
        mp=lambda mp, x, y: abs(x) * mp.sign(y),
        special=[((0.0, 1.0), (0.0, 0.0)), ((-2.0, -0.0), (1.0, 0.0))],
    ),
    binary(
        "heaviside",
        nonzero(2, 3),
        None,
        mp=lambda mp, x, y: mp.mpf(x > 0),
        special=[((0.0, 0.5), (0.0, 1.0)), ((2.0, 0.5), (0.0, 0.0))],
    ),
    binary(
        "exceeds",
        fixed([1.0, 2.0, 3.0, nan, inf, inf, nan]),
        fixed([2.0, 2.0, 2.0, 2.0, inf, -inf, nan]),
        reference=lambda x, y: np.heaviside(np.where(x == y, 0, x - y), 0.5),
        mp=False,
        order=0,
        wrt=(0, 1),
    ),
    *[
        binary(
            name,
            distinct(2, 3),
            fixed([0.1, 0.1, 0.1]),
            mp=lambda mp, x, y, pick=pick: pick(x, y),
            special=[((1.0, 1.0), (0.5, 0.5)), ((inf, inf), (0.5, 0.5)), ((2.0, 1.0), large), ((0.0, 0.0), (0.5, 0.5))],
        )
        for name, pick, large in (
            ("maximum", max, (1.0, 0.0)),
            ("minimum", min, (0.0, 1.0)),
            ("fmax", max, (1.0, 0.0)),
            ("fmin", min, (0.0, 1.0)),
        )
    ],
    *[
        binary(name, fixed([nan, 1.0, nan, 2.0]), fixed([1.0, nan, nan, 3.0]), order=0, wrt=(0, 1), label="NaN")
        for name in ("maximum", "minimum", "fmax", "fmin")
    ],
    *[
        Row(
            op,
            lambda B, x, name=name: getattr(B, name)(x, 0),
            [nonzero(2, 3)],
            mp=lambda mp, x: max(x, 0),
            special=[((0.0,), (0.0,)), ((2.0,), (1.0,)), ((-2.0,), (0.0,)), ((nan,), (slope,))],
        )
        for op, name, slope in (("relu", "maximum", nan), ("relu_or_zero", "fmax", 0.0))
    ],
    Row(
        "relu",
        lambda B, x: B.maximum(0.0, x),
        [nonzero(3)],
        mp=lambda mp, x: max(x, 0),
        special=[((0.0,), (0.0,))],
        label="on the left",
    ),
    Row("relu", lambda B, x: B.maximum(x, 0), [integers(5)], order=0, label="integers"),
    Row(
        "maximum",
        lambda B, x: B.maximum(x, 1.0),
        [nonzero(3)],
        mp=lambda mp, x: max(x, 1),
        special=[((1.0,), (0.5,))],
        label="another bound",
    ),
    Row(
        "clip",
        lambda B, x: B.clip(x, -0.5, 0.75),
        [fixed([-2.0, -0.25, 0.5, 3.0])],
        mp=lambda mp, x: min(max(x, -0.5), 0.75),
        special=[((-0.5,), (1.0,)), ((0.75,), (1.0,)), ((2.0,), (0.0,))],
    ),
    Row(
        "clip",
        lambda B, x: B.clip(x, 0, None),
        [nonzero(4)],
        mp=lambda mp, x: max(x, 0),
        special=[((0.0,), (1.0,)), ((-1.0,), (0.0,))],
        label="below",
    ),
    Row(
        "clip",
        lambda B, x: B.clip(x, None, 0),
        [nonzero(4)],
        mp=lambda mp, x: min(x, 0),
        special=[((0.0,), (1.0,)), ((1.0,), (0.0,))],
        label="above",
    ),
    Row("clip", lambda B, x: B.clip(x, None, 3), [integers(6)], order=0, label="integers"),
    Row(
        "clip",
        lambda B, x, low, high: B.clip(x, low, high),
        [fixed([-2.0, 0.25, 3.0]), fixed([-1.0, -1.0, -1.0]), fixed([1.0, 1.0, 1.0])],
        mp=lambda mp, x, low, high: min(max(x, low), high),
        special=[
            ((1.0, 1.0, 2.0), (1.0, 0.0, 0.0)),
            ((0.0, 3.0, 2.0), (0.0, 0.0, 1.0)),
            ((0.0, 1.0, 2.0), (0.0, 1.0, 0.0)),
        ],
        label="bounds",
    ),
    Row(
        "select",
        lambda B, c, x, y: B.where(c, x, y),
        [fixed([[True, False, True], [False, False, True]]), uniform(2, 3), uniform(3)],
        mp=lambda mp, c, x, y: x if c else y,
    ),
    Row("select", lambda B, c, x: B.where(c, x, 0), [booleans(2, 3), uniform(3)], mp=False, label="literal"),
    Row(
        "select",
        lambda B, c, x, y: B.where(c, x, y),
        [fixed([0.0, 2.0, nan]), uniform(3), uniform(3)],
        mp=False,
        wrt=(1, 2),
        label="number as mask",
    ),
]

ROUNDING = [
    *[stepwise(name) for name in ("floor", "ceil", "trunc", "rint")],
    *[
        stepwise(name, fixed([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]), label="halves")
        for name in ("floor", "ceil", "trunc", "rint")
    ],
    *[stepwise(name, integers(4), label="integers") for name in ("floor", "ceil", "trunc", "rint")],
    Row("trunc", lambda B, x: B.fix(x), [uniform(5, low=-4, high=4)], order=0, label="fix"),
    Row("rint", lambda B, x: B.round(x, 2), [uniform(5, low=-4, high=4)], order=0, label="decimals"),
    Row("rint", lambda B, x: B.round(x, -1), [uniform(5, low=-400, high=400)], order=0, label="tens"),
    Row("rint", lambda B, x: B.round(x, -1), [integers(5, low=-400, high=400)], order=0, label="tens of integers"),
    binary("floor_divide", uniform(2, 3, low=-9, high=9), nonzero(3), order=0),
    binary("floor_divide", integers(6, low=-9, high=9), fixed([1, -2, 3, -4, 5, 2]), order=0, label="integers"),
    binary(
        "remainder",
        fixed([[7.3, -7.3, 0.9], [2.25, 5.0, -0.4]]),
        fixed([2.0, -3.1, 0.7]),
        mp=lambda mp, x, y: x - y * mp.floor(x / y),
        special=[((0.9, 0.1), (1.0, -8.0))],
    ),
    binary("remainder", integers(6, low=-9, high=9), fixed([1, -2, 3, -4, 5, 2]), order=0, label="integers"),
    binary(
        "fmod",
        fixed([[7.3, -7.3, 0.9], [2.25, 5.0, -0.4]]),
        fixed([2.0, -3.1, 0.7]),
        mp=lambda mp, x, y: x - y * mp.sign(x / y) * mp.floor(abs(x / y)),
        special=[((0.9, 0.1), (1.0, -8.0))],
    ),
    Row(
        "remainder",
        lambda B, x, y: B.divmod(x, y),
        [fixed([7.3, -7.3, 0.9]), fixed([2.0, -3.1, 0.7])],
        np.divmod,
        mp=False,
        label="divmod",
    ),
]

SPECIAL = [
    unary("erf", special=[((inf,), (0.0,))]),
    unary("erfc"),
    unary("gamma", positive(2, 3)),
    unary("gamma", fixed([-0.5, -1.6, -2.3]), label="left"),
    unary("gammaln", positive(2, 3), mp=lambda mp, x: mp.log(abs(mp.gamma(x)))),
    unary("gammaln", fixed([-0.5, -1.6, -2.3]), mp=lambda mp, x: mp.log(abs(mp.gamma(x))), label="left"),
    unary("digamma", positive(2, 3)),
    *[
        Row(
            "polygamma",
            lambda B, x, n=n: B.polygamma(n, x),
            [positive(2, 3)],
            lambda x, n=n: scipy.special.polygamma(n, x),
            mp=lambda mp, x, n=n: mp.psi(n, x),
            dtypes=("float64",),
            label=f"{n}",
        )
        for n in (1, 3)
    ],
    unary(
        "expit", mp=lambda mp, x: 1 / (1 + mp.exp(-x)), special=[((1e4,), (0.0,)), ((-1e4,), (0.0,)), ((0.0,), (0.25,))]
    ),
    unary(
        "softplus",
        reference=lambda x: np.logaddexp(x, np.zeros((), x.dtype)),
        mp=lambda mp, x: mp.log(1 + mp.exp(x)),
        special=[((1e4,), (1.0,)), ((-1e4,), (0.0,)), ((0.0,), (0.5,))],
    ),
]

LOGSUMEXP = [
    Row("logsumexp", lambda B, x: B.logsumexp(x), [uniform(2, 3)], agree=1e-14),
    Row("logsumexp", lambda B, x: B.logsumexp(x, axis=1), [uniform(2, 3, 2)], agree=1e-14, label="axis"),
    Row(
        "logsumexp",
        lambda B, x: B.logsumexp(x, axis=(0, -1), keepdims=True),
        [uniform(2, 3, 2)],
        agree=1e-14,
        label="keepdims",
    ),
    Row(
        "logsumexp",
        lambda B, x: B.logsumexp(x, axis=0),
        [fixed([[1000.0, -inf, -1000.0], [1000.5, 0.0, -1001.0]])],
        order=0,
        wrt=(0,),
        agree=1e-14,
        oracle=False,
        label="extreme",
    ),
    Row(
        "exp",
        lambda B, x, b: B.logsumexp(x, axis=0, b=b),
        [uniform(3, 2), positive(3, 2)],
        lambda x, b: scipy.special.logsumexp(x, axis=0, b=b),
        mp=False,
        agree=1e-14,
        label="weighted logsumexp",
    ),
    Row("log_softmax", lambda B, x: B.log_softmax(x), [uniform(2, 3)], agree=1e-14),
    Row("log_softmax", lambda B, x: B.log_softmax(x, axis=-1), [uniform(2, 3)], agree=1e-14, label="axis"),
    Row(
        "log_softmax",
        lambda B, x: B.log_softmax(x, axis=0),
        [fixed([[1000.0, -inf], [1000.5, 0.0]])],
        order=0,
        wrt=(0,),
        agree=1e-14,
        oracle=False,
        label="extreme",
    ),
    Row(
        "softmax_rest",
        lambda B, x: B.softmax_rest(x, axis=-1),
        [uniform(2, 3)],
        lambda x: 1 - scipy.special.softmax(x, axis=-1),
        agree=1e-14,
    ),
    Row("softmax", lambda B, x: B.softmax(x), [uniform(2, 3)], agree=1e-14),
    Row("softmax", lambda B, x: B.softmax(x, axis=-1), [uniform(2, 3)], agree=1e-14, label="axis"),
    Row(
        "softmax",
        lambda B, x: B.softmax(x, axis=0),
        [fixed([[1000.0, -inf], [1000.5, 0.0]])],
        order=0,
        wrt=(0,),
        agree=1e-14,
        oracle=False,
        label="extreme",
    ),
]

ROWS = [*ARITHMETIC, *POWERS, *NUMBERS, *TRANSCENDENTAL, *COMPARISONS, *CHOICES, *ROUNDING, *SPECIAL, *LOGSUMEXP]
