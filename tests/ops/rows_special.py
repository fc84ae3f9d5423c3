"""Rows of the special functions: values from SciPy, derivatives from mpmath."""

import mpmath
import numpy as np
import scipy.special

from tests.ops.rows import Row, fixed, positive, uniform
from tests.ops.rows_elementwise import inf, nan, unary

PI = np.pi


def of(name, numbers, draw, *, mp=None, label="", agree=None, **more):
    """A function of several arguments, all but the last held at numbers."""
    return Row(
        name,
        lambda B, x: getattr(B, name)(*numbers, x),
        [draw],
        mp=mp,
        agree=agree,
        label=label or ", ".join(map(str, numbers)),
        **more,
    )


def several(name, draw, **more):
    """A function of as many arguments as draws."""
    return Row(name, lambda B, *x: getattr(B, name)(*x), draw, **more)


def root(mp):
    return mp.sqrt(mp.pi)


def erfcx(mp, x):
    return mp.exp(x * x) * mp.erfc(x)


def ndtr(mp, x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def scaled_integral(mp, x, n):
    before, current = 2 / root(mp), erfcx(mp, x)
    for k in range(1, n + 1):
        before, current = current, (before - 2 * x * current) / (2 * k)
    return current


def in_digits(function, *more):
    """A reference for what SciPy has not."""

    def reference(x):
        with mpmath.workdps(60):
            exact = [float(function(mpmath, mpmath.mpf(float(v)), *more)) for v in np.ravel(x)]
        return np.reshape(exact, x.shape).astype(x.dtype)

    return reference


ERROR = [
    unary("erfinv", uniform(2, 3, low=-0.9, high=0.9), special=[((0.0,), (np.sqrt(PI) / 2,)), ((1.0,), (inf,))]),
    unary("erfcinv", uniform(2, 3, low=0.2, high=1.8), mp=lambda mp, x: mp.erfinv(1 - x)),
    unary("erfi"),
    unary("erfcx", uniform(2, 3, low=-1, high=3), mp=erfcx, special=[((inf,), (0.0,)), ((0.0,), (-2 / np.sqrt(PI),))]),
    unary("erfcx", fixed([0.9, 1.1, 30.0]), mp=erfcx, label="far"),
    *[
        Row(
            "erfcx_integral",
            lambda B, x, n=n: B.erfcx_integral(x, n),
            [fixed([-0.7, 0.9, 1.1, 7.0])],
            in_digits(scaled_integral, n),
            mp=lambda mp, x, n=n: scaled_integral(mp, x, n),
            agree=1e-13,
            label=f"{n}",
        )
        for n in (1, 2)
    ],
    unary(
        "dawsn",
        uniform(2, 3, low=-2, high=2),
        mp=lambda mp, x: root(mp) / 2 * mp.exp(-x * x) * mp.erfi(x),
        special=[((0.0,), (1.0,)), ((1e8,), (-0.5e-16,)), ((inf,), (0.0,))],
    ),
    *[
        Row(
            "dawsn_derivative",
            lambda B, x, k=k: B.dawsn_derivative(x, k),
            [fixed([0.4, -1.5, 9.5])],
            in_digits(lambda mp, x, k: mp.diff(lambda t: root(mp) / 2 * mp.exp(-t * t) * mp.erfi(t), x, k), k),
            mp=lambda mp, x, k=k: mp.diff(lambda t: root(mp) / 2 * mp.exp(-t * t) * mp.erfi(t), x, k),
            agree=1e-13,
            edges=False,
            label=f"{k}",
        )
        for k in (1, 2)
    ],
    unary("ndtr", uniform(2, 3, low=-3, high=3), mp=ndtr, special=[((-inf,), (0.0,)), ((inf,), (0.0,))]),
    unary(
        "ndtri",
        uniform(2, 3, low=0.1, high=0.9),
        mp=lambda mp, x: mp.sqrt(2) * mp.erfinv(2 * x - 1),
        special=[((0.5,), (np.sqrt(2 * PI),)), ((1.0,), (inf,))],
    ),
    unary(
        "log_ndtr",
        uniform(2, 3, low=-3, high=3),
        mp=lambda mp, x: mp.log(ndtr(mp, x)),
        special=[((-1e8,), (1e8,)), ((50.0,), (0.0,)), ((0.0,), (np.sqrt(2 / PI),))],
    ),
    unary("log_ndtr", fixed([-30.0, -5.0, 6.0]), mp=lambda mp, x: mp.log(ndtr(mp, x)), label="tails"),
]

GAMMA = [
    unary(
        "rgamma", fixed([0.7, -0.6, 3.3]), mp=lambda mp, x: mp.rgamma(x), special=[((-2.0,), (2.0,)), ((0.0,), (1.0,))]
    ),
    unary("loggamma", positive(2, 3), mp=lambda mp, x: mp.loggamma(x)),
    several("beta", [positive(2, 3), positive(3)]),
    several("betaln", [positive(2, 3), positive(3)], mp=lambda mp, a, b: mp.log(mp.beta(a, b))),
    of("gammainc", (1.5,), positive(2, 3), mp=lambda mp, x: mp.gammainc(1.5, 0, x, regularized=True)),
    of("gammaincc", (1.5,), positive(2, 3), mp=lambda mp, x: mp.gammainc(1.5, x, regularized=True)),
    of("gammainc", (1.0,), positive(2, 3), mp=lambda mp, x: 1 - mp.exp(-x), special=[((0.0,), (1.0,))]),
    of(
        "betainc",
        (1.5, 2.25),
        uniform(2, 3, low=0.1, high=0.9),
        mp=lambda mp, x: mp.betainc(1.5, 2.25, 0, x, regularized=True),
        agree=1e-14,  # SciPy computes in single precision what comes in single precision
    ),
    of(
        "betaincc",
        (1.5, 2.25),
        uniform(2, 3, low=0.1, high=0.9),
        mp=lambda mp, x: mp.betainc(1.5, 2.25, x, 1, regularized=True),
    ),
    several(
        "binom",
        [uniform(2, 3, low=3.2, high=4.8), uniform(3, low=0.2, high=1.8)],
        mp=lambda mp, n, k: mp.binomial(n, k),
    ),
    several("poch", [positive(2, 3), positive(3)], mp=lambda mp, z, m: mp.rf(z, m)),
    Row(
        "hurwitz_zeta",
        lambda B, q: B.zeta(2.5, q),
        [positive(2, 3)],
        lambda q: scipy.special.zeta(np.array(2.5, q.dtype), q),
        mp=lambda mp, q: mp.zeta(2.5, q),
    ),
]


def xlogy(mp, x, y):
    return x * mp.log(y)


ENTROPY = [
    unary("logit", uniform(2, 3, low=0.1, high=0.9), mp=lambda mp, x: mp.log(x / (1 - x)), special=[((0.5,), (4.0,))]),
    unary(
        "log_expit",
        uniform(2, 3, low=-3, high=3),
        mp=lambda mp, x: -mp.log(1 + mp.exp(-x)),
        special=[((1e4,), (0.0,)), ((-1e4,), (1.0,))],
    ),
    several(
        "xlogy",
        [positive(2, 3), positive(3)],
        mp=xlogy,
        special=[((0.0, 0.0), (-inf, 0.0)), ((0.0, 2.0), (np.log(2), 0))],
    ),
    several(
        "xlog1py",
        [positive(2, 3), positive(3)],
        mp=lambda mp, x, y: x * mp.log(1 + y),
        special=[((0.0, 0.0), (0.0, 0.0))],
    ),
    unary("entr", positive(2, 3), mp=lambda mp, x: -x * mp.log(x), special=[((1.0,), (-1.0,)), ((0.0,), (inf,))]),
    several("rel_entr", [positive(2, 3), positive(3)], mp=lambda mp, x, y: x * mp.log(x / y)),
    several(
        "kl_div",
        [positive(2, 3), positive(3)],
        mp=lambda mp, x, y: x * mp.log(x / y) - x + y,
        special=[((1.0, 1.0), (0.0, 0.0))],
    ),
    several(
        "huber",
        [positive(3), fixed([0.1, -3.0, 4.0])],
        mp=lambda mp, d, r: r * r / 2 if abs(r) <= d else d * (abs(r) - d / 2),
        special=[((1.0, 0.0), (0.0, 0.0)), ((1.0, 5.0), (4.0, 1.0)), ((1.0, -5.0), (4.0, -1.0))],
    ),
    several(
        "pseudo_huber",
        [positive(2, 3), uniform(3, low=-3, high=3)],
        mp=lambda mp, d, r: d * d * (mp.sqrt(1 + (r / d) ** 2) - 1),
        special=[((1.0, 0.0), (0.0, 0.0))],
    ),
    several(
        "boxcox",
        [positive(2, 3), fixed([0.02, -0.5, 1.5])],
        mp=lambda mp, x, n: (x**n - 1) / n,
        special=[((np.e, 0.0), (1 / np.e, 0.5)), ((1.0, 0.0), (1.0, 0.0))],
        agree=1e-13,
    ),
    several(
        "boxcox1p",
        [positive(2, 3), fixed([0.02, -0.5, 1.5])],
        mp=lambda mp, x, n: ((1 + x) ** n - 1) / n,
        special=[((0.0, 0.0), (1.0, 0.0))],
        agree=1e-13,
    ),
    unary("cosm1", mp=lambda mp, x: mp.cos(x) - 1, special=[((0.0,), (0.0,))]),
    unary("exprel", uniform(2, 3, low=-3, high=3), mp=lambda mp, x: mp.expm1(x) / x, special=[((0.0,), (0.5,))]),
    *[
        Row(
            "exprel_derivative",
            lambda B, x, k=k: B.exprel_derivative(x, k),
            [fixed([[-0.4, 0.7, 3.6], [1.1, -2.4, -9.0]])],
            in_digits(lambda mp, x, k: mp.diff(lambda t: mp.expm1(t) / t, x, k), k),
            mp=lambda mp, x, k=k: mp.diff(lambda t: mp.expm1(t) / t, x, k),
            special=[((0.0,), (1 / (k + 2),)), ((-inf,), (0.0,)), ((inf,), (inf,))],
            agree=1e-13,
            label=f"{k}",
        )
        for k in (1, 2)
    ],
]

BESSEL = [
    *[unary(f"j{n}", uniform(2, 3, low=-6, high=6), mp=lambda mp, x, n=n: mp.besselj(n, x)) for n in (0, 1)],
    unary("j1", fixed([0.3]), mp=lambda mp, x: mp.besselj(1, x), special=[((0.0,), (0.5,))], label="zero"),
    *[unary(f"y{n}", positive(2, 3), mp=lambda mp, x, n=n: mp.bessely(n, x)) for n in (0, 1)],
    *[unary(f"i{n}", uniform(2, 3, low=-2, high=2), mp=lambda mp, x, n=n: mp.besseli(n, x)) for n in (0, 1)],
    unary("i1", fixed([0.3]), mp=lambda mp, x: mp.besseli(1, x), special=[((0.0,), (0.5,))], label="zero"),
    *[unary(f"k{n}", positive(2, 3), mp=lambda mp, x, n=n: mp.besselk(n, x)) for n in (0, 1)],
    *[
        unary(f"i{n}e", fixed([0.5, 1.5, -2.0]), mp=lambda mp, x, n=n: mp.exp(-abs(x)) * mp.besseli(n, x))
        for n in (0, 1)
    ],
    *[unary(f"k{n}e", positive(2, 3), mp=lambda mp, x, n=n: mp.exp(x) * mp.besselk(n, x)) for n in (0, 1)],
    *[
        of(name, (v,), positive(2, 3), mp=lambda mp, x, f=f, v=v: getattr(mp, f)(v, x), agree=1e-13)
        for name, f in (("jv", "besselj"), ("yv", "bessely"), ("iv", "besseli"), ("kv", "besselk"))
        for v in (0.5, 3)
    ],
    *[
        Row(
            f"{name}_derivative",
            lambda B, x, name=name, v=v, k=k: getattr(B, f"{name}_derivative")(v, x, k),
            [fixed([0.7, 3.0, 70.0])],
            in_digits(lambda mp, x, f, k: mp.diff(f, x, k), lambda x, f=f, v=v: f(mpmath, v, x), k),
            mp=lambda mp, x, f=f, v=v, k=k: mp.diff(lambda t: f(mp, v, t), x, k),
            agree=1e-13,
            edges=False,
            label=f"{v}, {k}",
        )
        for name, f in (
            ("ive", lambda mp, v, x: mp.exp(-x) * mp.besseli(v, x)),
            ("kve", lambda mp, v, x: mp.exp(x) * mp.besselk(v, x)),
        )
        for v, k in ((0.5, 1), (1.5, 2))
    ],
    of("ive", (1.5,), positive(2, 3), mp=lambda mp, x: mp.exp(-abs(x)) * mp.besseli(1.5, x)),
    of("kve", (1.5,), positive(2, 3), mp=lambda mp, x: mp.exp(x) * mp.besselk(1.5, x)),
    *[
        of(
            f"spherical_{kind}",
            (n,),
            positive(2, 3),
            mp=lambda mp, x, f=f, c=c, n=n: mp.sqrt(mp.pi / (2 * x)) * getattr(mp, f)(n + 0.5, x),
            dtypes=("float64",),
            edges=kind != "kn",  # of a huge negative argument SciPy gives NaN
        )
        for kind, f, c in (("jn", "besselj", 1), ("yn", "bessely", 1), ("in", "besseli", 1), ("kn", "besselk", 1))
        for n in (0, 2)
    ],
    *[
        Row(
            name,
            lambda B, x, k=k: B.airy(x)[k],
            [uniform(2, 3, low=-2, high=2)],
            lambda x, k=k: scipy.special.airy(x)[k],
            mp=lambda mp, x, k=k: (mp.airybi if k > 1 else mp.airyai)(x, derivative=k % 2),
        )
        for k, name in enumerate(("airy_ai", "airy_ai_prime", "airy_bi", "airy_bi_prime"))
    ],
]


def part(op, function, k, draw, mp, **more):
    return Row(
        op,
        lambda B, x: getattr(B, function)(x)[k],
        [draw],
        lambda x: getattr(scipy.special, function)(x)[k],
        mp=mp,
        **more,
    )


INTEGRALS = [
    unary("expi", positive(2, 3), mp=lambda mp, x: mp.ei(x)),
    unary("exp1", positive(2, 3), mp=lambda mp, x: mp.e1(x)),
    *[of("expn", (n,), positive(2, 3), mp=lambda mp, x, n=n: mp.expint(n, x)) for n in (0, 1, 4)],
    part("sine_integral", "sici", 0, uniform(2, 3, low=-3, high=3), lambda mp, x: mp.si(x), special=[((0.0,), (1.0,))]),
    part("cosine_integral", "sici", 1, positive(2, 3), lambda mp, x: mp.ci(x)),
    part(
        "sinh_integral", "shichi", 0, uniform(2, 3, low=-3, high=3), lambda mp, x: mp.shi(x), special=[((0.0,), (1.0,))]
    ),
    *[
        Row(
            "sinhc",
            lambda B, x, k=k: B.sinhc(x, k),
            [fixed([0.3, -1.0, 4.0])],
            in_digits(lambda mp, x, k: mp.diff(lambda t: mp.sinh(t) / t, x, k), k),
            mp=lambda mp, x, k=k: mp.diff(lambda t: mp.sinh(t) / t, x, k),
            special=[((0.0,), (0.0 if k != 1 else 1 / 3,))],
            agree=1e-13,
            edges=False,
            label=f"{k}",
        )
        for k in (0, 1, 2)
    ],
    part("cosh_integral", "shichi", 1, positive(2, 3), lambda mp, x: mp.chi(x)),
    part("fresnel_s", "fresnel", 0, uniform(2, 3), lambda mp, x: mp.fresnels(x), special=[((0.0,), (0.0,))]),
    part("fresnel_c", "fresnel", 1, uniform(2, 3), lambda mp, x: mp.fresnelc(x), special=[((0.0,), (1.0,))]),
    unary("ellipk", fixed([-1e6, -0.6, 0.97]), label="far"),
    unary("ellipe", fixed([-1e6, -0.6, 0.97]), label="far"),
    unary("ellipk", uniform(2, 3, low=-2, high=0.9), special=[((0.0,), (PI / 8,))]),
    unary("ellipe", uniform(2, 3, low=-2, high=0.9), special=[((0.0,), (-PI / 8,))]),
    several(
        "ellipkinc",
        [uniform(2, 3, low=0.2, high=1.4), uniform(3, low=0.2, high=0.8)],
        mp=lambda mp, p, m: mp.ellipf(p, m),
        special=[((1.0, 0.0), (1.0, (1 - np.sin(2) / 2) / 4))],
    ),
    several(
        "ellipeinc",
        [uniform(2, 3, low=0.2, high=1.4), uniform(3, low=0.2, high=0.8)],
        mp=lambda mp, p, m: mp.ellipe(p, m),
        special=[((1.0, 0.0), (1.0, -(1 - np.sin(2) / 2) / 4))],
    ),
    unary(
        "spence",
        positive(2, 3),
        mp=lambda mp, x: mp.polylog(2, 1 - x),
        special=[((1.0,), (-1.0,)), ((0.0,), (-inf,))],
    ),
    Row(
        "lambertw",
        lambda B, x: B.lambertw(x),
        [positive(2, 3)],
        lambda x: scipy.special.lambertw(x).real.astype(x.dtype),
        mp=lambda mp, x: mp.lambertw(x).real,
        special=[((0.0,), (1.0,)), ((-1.0,), (nan,))],
    ),
    Row(
        "lambertw",
        lambda B, x: B.lambertw(x, -1),
        [fixed([-0.1, -0.3])],
        lambda x: scipy.special.lambertw(x, -1).real.astype(x.dtype),
        mp=lambda mp, x: mp.lambertw(x, -1).real,
        label="lower branch",
    ),
]

HYPERGEOMETRIC = [
    of("hyp0f1", (1.5,), positive(2, 3), mp=lambda mp, x: mp.hyp0f1(1.5, x)),
    # no edges: at 1e300 SciPy itself adds terms for minutes
    of("hyp1f1", (0.5, 1.5), uniform(2, 3), mp=lambda mp, x: mp.hyp1f1(0.5, 1.5, x), edges=False),
    of("hyp2f1", (0.5, 1.5, 2.5), uniform(2, 3, low=-2, high=0.8), mp=lambda mp, x: mp.hyp2f1(0.5, 1.5, 2.5, x)),
    *[
        of(
            name,
            (n, *numbers),
            uniform(2, 3),
            mp=lambda mp, x, f=f, n=n, c=numbers: f(mp, n, *c, x),
            agree=1e-13,
            **more,
        )
        for name, numbers, f, more in (
            ("eval_legendre", (), lambda mp, n, x: mp.legendre(n, x), {}),
            ("eval_chebyt", (), lambda mp, n, x: mp.chebyt(n, x), {}),
            ("eval_chebyu", (), lambda mp, n, x: mp.chebyu(n, x), {}),
            ("eval_laguerre", (), lambda mp, n, x: mp.laguerre(n, 0, x), {}),
            ("eval_genlaguerre", (0.5,), lambda mp, n, a, x: mp.laguerre(n, a, x), {}),
            ("eval_gegenbauer", (0.75,), lambda mp, n, a, x: mp.gegenbauer(n, a, x), {}),
            ("eval_jacobi", (0.5, 1.25), lambda mp, n, a, b, x: mp.jacobi(n, a, b, x), {}),
            ("eval_hermite", (), lambda mp, n, x: mp.hermite(n, x), {}),
            (
                "eval_hermitenorm",
                (),
                lambda mp, n, x: mp.hermite(n, x / mp.sqrt(2)) * mp.mpf(2) ** (-mp.mpf(n) / 2),
                {},
            ),
        )
        for n in (1, 4)
    ],
]

ROWS = [*ERROR, *GAMMA, *ENTROPY, *BESSEL, *INTEGRALS, *HYPERGEOMETRIC]
