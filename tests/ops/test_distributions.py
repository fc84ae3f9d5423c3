"""Distributions against SciPy at every kind of argument, and against mpmath to second order in every parameter."""

import mpmath
import numpy as np
import pytest
import scipy.stats

import symtape as st
from symtape.testing import difference

REAL = np.array([-np.inf, -1e5, -40.0, -1.0, 0.0, 0.3, 1.0, 2.5, 60.0, 1e5, np.nan])
COUNTS = np.array([-1, 0, 1, 3, 5, 7])
CASES = {
    "norm": (REAL, (0.2, 1.5)),
    "lognorm": (REAL, (0.7, 0.1, 1.5)),
    "expon": (REAL, (0.1, 2.0)),
    "uniform": (REAL, (0.0, 2.0)),
    "laplace": (REAL, (0.1, 2.0)),
    "logistic": (REAL, (0.1, 2.0)),
    "cauchy": (REAL, (0.1, 2.0)),
    "t": (REAL, (3.5, 0.1, 2.0)),
    "gamma": (REAL, (2.5, 0.1, 2.0)),
    "beta": (REAL, (2.5, 3.0, -0.1, 2.0)),
    "poisson": (COUNTS, (2.2,)),
    "binom": (COUNTS, (5, 0.3)),
    "bernoulli": (COUNTS, (0.3,)),
    "chi2": (REAL, (3.5, 0.1, 2.0)),
    "rayleigh": (REAL, (0.1, 2.0)),
    "weibull_min": (REAL, (1.7, 0.1, 2.0)),
    "gumbel_r": (REAL[1:], (0.1, 2.0)),
    "gumbel_l": (REAL, (0.1, 2.0)),
    "invgamma": (REAL, (2.5, 0.1, 2.0)),
    "halfnorm": (REAL, (0.1, 2.0)),
    "halfcauchy": (REAL, (0.1, 2.0)),
    "pareto": (REAL, (2.5, -0.8, 1.0)),
    "f": (REAL, (2.5, 4.5, 0.1, 2.0)),
    "skewnorm": (REAL, (1.5, 0.1, 2.0)),
    "vonmises": (REAL[(np.abs(REAL) < 3) | np.isnan(REAL)], (1.5, 0.1, 2.0)),
    "geom": (COUNTS, (0.3,)),
    "nbinom": (COUNTS, (5, 0.3)),
}
each = pytest.mark.parametrize("name", CASES)


def log_of(name):
    family = getattr(st.stats, name)
    return family.logpmf if hasattr(family, "logpmf") else family.logpdf


def test_every_distribution_has_a_case():
    assert sorted(CASES) == dir(st.stats)


# ------------------------------------------------------------------------------------------------------- against SciPy


@each
def test_values_are_scipys(name):
    x, parameters = CASES[name]
    ours, theirs = getattr(st.stats, name), getattr(scipy.stats, name)
    whole = name in ("binom", "nbinom", "poisson", "bernoulli", "geom")
    defaults = parameters if whole else parameters[:-2]
    for method in dir(ours):
        at = np.array([0.0, 1e-300, 1e-10, 0.3, 0.9, 1.0]) if method == "ppf" else x
        for given in (parameters, defaults):
            with np.errstate(all="ignore"):
                expected = getattr(theirs, method)(at, *given)
            if name == "laplace" and method == "logpdf":  # SciPy takes the logarithm of what underflows
                expected = np.where(np.abs(at) > 1e3, getattr(ours, method)(at, *given), expected)
            np.testing.assert_allclose(
                getattr(ours, method)(at, *given), expected, rtol=1e-12, atol=1e-300, err_msg=f"{name}.{method}"
            )


SHAPES = {
    "t": ("df",),
    "gamma": ("a",),
    "beta": ("a", "b"),
    "poisson": ("mu",),
    "binom": ("n", "p"),
    "bernoulli": ("p",),
    "chi2": ("df",),
    "lognorm": ("s",),
    "weibull_min": ("c",),
    "invgamma": ("a",),
    "pareto": ("b",),
    "f": ("dfn", "dfd"),
    "skewnorm": ("a",),
    "vonmises": ("kappa",),
    "geom": ("p",),
    "nbinom": ("n", "p"),
}


@each
def test_names_and_order_of_arguments_are_scipys(name):
    x, parameters = CASES[name]
    theirs = getattr(scipy.stats, name)
    shapes = SHAPES.get(name, ())
    assert tuple((theirs.shapes or "").replace(" ", "").split(",")) == (shapes or ("",))
    named = dict(zip((*shapes, "loc", "scale"), parameters, strict=False))
    log = log_of(name)
    np.testing.assert_array_equal(log(x, **named), log(x, *parameters))


@each
def test_parameters_broadcast(name):
    x, parameters = CASES[name]
    x = x[np.isfinite(x)][:3]
    first = np.array([[parameters[0]], [parameters[0]]])
    found = log_of(name)(x, first, *parameters[1:])
    assert found.shape == (2, 3)
    np.testing.assert_array_equal(found[1], log_of(name)(x, *parameters))


ENDS = [
    ("gamma", (0.0, 1.0), 0.0),
    ("gamma", (0.0, 2.5), -np.inf),
    ("gamma", (0.0, 0.5), np.inf),
    ("gamma", (1.0, -0.5), np.nan),
    ("beta", (0.0, 1.0, 1.0), 0.0),
    ("beta", (1.0, 1.0, 1.0), 0.0),
    ("beta", (0.5, 1.0, 1.0), 0.0),
    ("beta", (0.0, 1.0, 3.0), np.log(3.0)),
    ("beta", (1.0, 0.5, 0.5), np.inf),
    ("beta", (0.5, -1.0, 2.0), np.nan),
    ("chi2", (0.0, 2.0), -np.log(2.0)),
    ("uniform", (0.0,), 0.0),
    ("uniform", (1.0,), 0.0),
    ("uniform", (np.nextafter(1.0, 2.0),), -np.inf),
    ("expon", (0.0,), 0.0),
    ("weibull_min", (0.0, 1.0), 0.0),
    ("weibull_min", (0.0, 2.0), -np.inf),
    ("pareto", (1.0, 2.5), np.log(2.5)),
    ("lognorm", (0.0, 1.0), -np.inf),
    ("invgamma", (0.0, 1.0), -np.inf),
    ("t", (1.0, np.inf), -0.5 - 0.5 * np.log(2 * np.pi)),
    ("norm", (0.0, 0.0, -1.0), np.nan),
    ("poisson", (0, 0.0), 0.0),
    ("poisson", (1, 0.0), -np.inf),
    ("poisson", (0, 1e-300), -1e-300),
    ("poisson", (1.5, 2.0), -np.inf),
    ("poisson", (0, -1.0), np.nan),
    ("binom", (0, 5, 0.0), 0.0),
    ("binom", (5, 5, 1.0), 0.0),
    ("binom", (0, 0, 0.3), 0.0),
    ("binom", (0, 5, 1e-300), -5e-300),
    ("binom", (6, 5, 0.3), -np.inf),
    ("bernoulli", (1, 1.0), 0.0),
    ("bernoulli", (0, 0.25), np.log(0.75)),
    ("geom", (1, 1.0), 0.0),
    ("nbinom", (0, 2.5, 1.0), 0.0),
    ("nbinom", (1, 2.5, 1.0), -np.inf),
    ("vonmises", (0.3, 0.0), -np.log(2 * np.pi)),
]


@pytest.mark.parametrize(("name", "arguments", "expected"), ENDS)
def test_ends_of_supports_and_of_parameters(name, arguments, expected):
    assert log_of(name)(*arguments) == pytest.approx(expected, rel=1e-14, abs=0, nan_ok=True)
    kind = "logpmf" if hasattr(getattr(st.stats, name), "logpmf") else "logpdf"
    with np.errstate(all="ignore"):
        assert getattr(getattr(scipy.stats, name), kind)(*arguments) == pytest.approx(expected, rel=1e-12, nan_ok=True)


def test_slopes_at_the_ends_are_those_from_inside():
    assert st.grad(st.stats.gamma.logpdf)(0.0, 1.0) == -1.0
    assert st.grad(st.stats.beta.logpdf)(0.0, 1.0, 3.0) == -2.0
    assert st.grad(st.stats.expon.logpdf)(0.0) == -1.0
    assert st.grad(lambda p: st.stats.binom.logpmf(0, 5, p))(0.0) == -5.0
    assert st.grad(lambda mu: st.stats.poisson.logpmf(0, mu))(0.0) == -1.0


def test_no_gradient_and_no_nan_from_outside_the_support():
    slope = st.grad(lambda a: np.sum(st.stats.gamma.pdf(np.array([-1.0, 1.0]), a)))(2.0)
    expected = st.grad(lambda a: st.stats.gamma.pdf(1.0, a))(2.0)
    assert slope == expected
    for name, (_, parameters) in CASES.items():
        x = -1 if name in ("poisson", "binom", "bernoulli", "geom", "nbinom") else -1e3
        if np.isneginf(log_of(name)(x, *parameters)):
            floats = [k for k, p in enumerate(parameters) if isinstance(p, float)]
            slopes = st.grad(log_of(name), tuple(k + 1 for k in floats))(x, *parameters)
            assert all(s == 0.0 for s in slopes), name


def test_what_is_frozen_or_missing_is_refused_by_name():
    with pytest.raises(TypeError, match=r"st\.stats\.norm is no function.*st\.stats\.norm\.logpdf"):
        st.stats.norm(0.0, 1.0)
    with pytest.raises(AttributeError, match=r"st\.stats\.gamma has no function 'ppf'.*it has cdf, logpdf, pdf, sf"):
        _ = st.stats.gamma.ppf
    with pytest.raises(AttributeError, match=r"st\.stats has no function 'dweibull'.*it has bernoulli, beta"):
        _ = st.stats.dweibull


# ---------------------------------------------------------------------------------------- in many digits, second order


LOGS = {
    "norm": lambda mp, z: -z * z / 2 - mp.log(2 * mp.pi) / 2,
    "lognorm": lambda mp, z, s: -((mp.log(z) / s) ** 2) / 2 - mp.log(2 * mp.pi) / 2 - mp.log(z * s),
    "expon": lambda mp, z: -z,
    "uniform": lambda mp, z: 0 * z,
    "laplace": lambda mp, z: -abs(z) - mp.log(2),
    "logistic": lambda mp, z: -z - 2 * mp.log1p(mp.exp(-z)),
    "cauchy": lambda mp, z: -mp.log(mp.pi * (1 + z * z)),
    "t": lambda mp, z, n: (
        mp.loggamma((n + 1) / 2) - mp.loggamma(n / 2) - mp.log(n * mp.pi) / 2 - (n + 1) / 2 * mp.log1p(z * z / n)
    ),
    "gamma": lambda mp, z, a: (a - 1) * mp.log(z) - z - mp.loggamma(a),
    "beta": lambda mp, z, a, b: (
        (a - 1) * mp.log(z) + (b - 1) * mp.log1p(-z) + mp.loggamma(a + b) - mp.loggamma(a) - mp.loggamma(b)
    ),
    "poisson": lambda mp, k, mu: k * mp.log(mu) - mu - mp.loggamma(k + 1),
    "binom": lambda mp, k, n, p: (
        mp.loggamma(n + 1)
        - mp.loggamma(k + 1)
        - mp.loggamma(n - k + 1)
        + (k * mp.log(p) if k else 0)
        + (n - k) * mp.log1p(-p)
    ),
    "bernoulli": lambda mp, k, p: mp.log(p) if k else mp.log1p(-p),
    "chi2": lambda mp, z, n: (n / 2 - 1) * mp.log(z) - z / 2 - mp.loggamma(n / 2) - n / 2 * mp.log(2),
    "rayleigh": lambda mp, z: mp.log(z) - z * z / 2,
    "weibull_min": lambda mp, z, c: mp.log(c) + (c - 1) * mp.log(z) - z**c,
    "gumbel_r": lambda mp, z: -z - mp.exp(-z),
    "gumbel_l": lambda mp, z: z - mp.exp(z),
    "invgamma": lambda mp, z, a: -(a + 1) * mp.log(z) - 1 / z - mp.loggamma(a),
    "halfnorm": lambda mp, z: -z * z / 2 + mp.log(2 / mp.pi) / 2,
    "halfcauchy": lambda mp, z: mp.log(2 / mp.pi) - mp.log(1 + z * z),
    "pareto": lambda mp, z, b: mp.log(b) - (b + 1) * mp.log(z),
    "f": lambda mp, z, n, m: (
        n / 2 * mp.log(n / m)
        + (n / 2 - 1) * mp.log(z)
        - (n + m) / 2 * mp.log1p(n * z / m)
        - mp.loggamma(n / 2)
        - mp.loggamma(m / 2)
        + mp.loggamma((n + m) / 2)
    ),
    "skewnorm": lambda mp, z, a: mp.log(mp.erfc(-a * z / mp.sqrt(2))) - z * z / 2 - mp.log(2 * mp.pi) / 2,
    "vonmises": lambda mp, z, k: k * mp.cos(z) - mp.log(2 * mp.pi * mp.besseli(0, k)),
    "geom": lambda mp, k, p: (k - 1) * mp.log1p(-p) + mp.log(p),
    "nbinom": lambda mp, k, n, p: (
        mp.loggamma(n + k) - mp.loggamma(k + 1) - mp.loggamma(n) + n * mp.log(p) + k * mp.log1p(-p)
    ),
}

# Name, x, parameters: far tails, narrow and wide scales, parameters from small to very large.
FAR = [
    *[("norm", x, (0.5, s)) for x, s in ((-1e5, 2.0), (3.0, 1e-5), (1e-8, 1e8))],
    *[("lognorm", x, (s, 0.0, 2.0)) for x, s in ((1e-100, 0.7), (1e100, 3.0), (2.5, 1e-3))],
    *[("expon", x, (0.1, s)) for x, s in ((1e6, 2.0), (0.2, 1e5))],
    ("uniform", 0.7, (0.5, 3.0)),
    *[("laplace", x, (0.1, 2.0)) for x in (-1e6, 0.3, 1e6)],
    *[("logistic", x, (0.1, 2.0)) for x in (-1e3, 0.3, 80.0, 1e3)],
    *[("cauchy", x, (0.1, 2.0)) for x in (-1e30, 0.3, 1e100)],
    *[("t", x, (n, 0.1, 2.0)) for x, n in ((1.5, 0.1), (-1e8, 3.5), (0.4, 200.0))],
    *[("gamma", x, (a, 0.0, 2.0)) for x, a in ((1e-30, 0.3), (700.0, 2.5), (24.0, 13.0), (1.9e4, 1e4), (2.1e9, 1e9))],
    *[("beta", x, (a, b, 0.0, 1.0)) for x, a, b in ((1e-20, 0.3, 2.0), (0.4, 1e3, 1.4e3), (2e-9, 2.0, 1e9))],
    *[("poisson", k, (mu,)) for k, mu in ((0, 1e-10), (3, 200.0), (1e4, 1.01e4), (1e9, 1.00001e9))],
    *[("binom", k, (n, p)) for k, n, p in ((0.0, 5.0, 1e-10), (4e8, 1e9, 0.4), (2.0, 1e9, 1e-9), (3.0, 5.0, 0.99))],
    *[("bernoulli", k, (p,)) for k, p in ((1.0, 1e-10), (0.0, 1e-10))],
    *[("chi2", x, (n, 0.0, 1.0)) for x, n in ((1e-10, 0.5), (1e4, 9.9e3))],
    *[("rayleigh", x, (0.0, 2.0)) for x in (1e-10, 100.0)],
    *[("weibull_min", x, (c, 0.0, 2.0)) for x, c in ((1e-20, 0.3), (5.0, 4.0))],
    *[(f"gumbel_{side}", x, (0.1, 2.0)) for side in "rl" for x in (-20.0, 0.3, 20.0)],
    *[("invgamma", x, (a, 0.0, 1.0)) for x, a in ((1e-3, 2.5), (1e6, 0.3), (1.1e-4, 1e4))],
    *[("halfnorm", x, (0.0, 2.0)) for x in (1e-10, 1e3)],
    *[("halfcauchy", x, (0.0, 2.0)) for x in (1e-10, 1e30)],
    *[("pareto", x, (b, 0.0, 1.0)) for x, b in ((1.0001, 1e3), (1e30, 0.1))],
    *[("f", x, (n, m, 0.0, 1.0)) for x, n, m in ((1e-5, 2.5, 4.0), (1e5, 2.5, 4.0), (1.01, 300.0, 400.0))],
    *[("skewnorm", x, (a, 0.1, 2.0)) for x, a in ((-20.0, 3.0), (3.0, 0.5))],
    *[("vonmises", x, (k, 0.0, 1.0)) for x, k in ((0.3, 1e-5), (3.0, 5.0), (1e-3, 1e5))],
    *[("geom", k, (p,)) for k, p in ((1e6, 1e-7), (3.0, 0.999))],
    *[("nbinom", k, (n, p)) for k, n, p in ((5e8, 2.5, 1e-8), (1e6, 1.1e6, 0.5), (3.0, 0.2, 0.9))],
]


def exact_log(name, mp, x, *parameters):
    shapes = len(SHAPES.get(name, ()))
    if name in ("poisson", "binom", "bernoulli", "geom", "nbinom"):
        return LOGS[name](mp, x, *parameters)
    *given, loc, scale = parameters
    assert len(given) == shapes
    return LOGS[name](mp, (x - loc) / scale, *given) - mp.log(scale)


@pytest.mark.parametrize(("name", "x", "parameters"), FAR)
def test_values_and_slopes_in_every_parameter(name, x, parameters):
    log = log_of(name)
    point = [float(x), *parameters]
    counts = name in ("poisson", "binom", "bernoulli", "geom", "nbinom")
    places = [k for k in range(len(point)) if not (counts and (k == 0 or (name == "binom" and k == 1)))]
    with mpmath.workdps(60):
        at = [mpmath.mpf(v) for v in point]

        def along(v, k, order):
            """A derivative in one parameter, of the function at fixed others."""
            step = mpmath.mpf(10) ** -18 * (abs(v) or abs(at[0]) or 1)
            moved = [*at[:k], v, *at[k + 1 :]]

            def restricted(t):
                moved[k] = t
                return exact_log(name, mpmath, *moved)

            return mpmath.diff(restricted, v, order, h=step)

        value = exact_log(name, mpmath, *at)
        first = [along(at[k], k, 1) for k in places]
        second = [along(at[k], k, 2) for k in places]
    assert log(*point) == pytest.approx(float(value), rel=1e-12, abs=1e-13)
    slopes = st.grad(log, tuple(places))(*point)
    for k, actual, expected in zip(places, slopes, first, strict=True):
        # what a rounding of x moves: near the mode a slope is a difference by nature
        blur = 1e-15 * abs(float(second[places.index(k)])) * abs(point[k])
        assert actual == pytest.approx(float(expected), rel=1e-11, abs=1e-13 + 10 * blur), f"in argument {k}"
    for k, expected in zip(places, second, strict=True):
        actual = st.hessian(log, k)(*point)
        scale = max(abs(float(e)) / max(abs(point[j]), 1e-300) for j, e in zip(places, first, strict=True) if j == k)
        assert actual == pytest.approx(float(expected), rel=1e-9, abs=1e-13 + 1e-11 * scale), f"twice in argument {k}"


@each
def test_mixed_second_derivatives_by_differences(name):
    x, parameters = CASES[name]
    inside = x[(x > 0) & (x < 1.5)]
    log = log_of(name)
    floats = [k for k, p in enumerate(parameters) if isinstance(p, float)]

    def total(*values):
        own = list(parameters)
        for k, v in zip(floats, values, strict=True):
            own[k] = v
        return np.sum(log(inside, *own))

    at = [np.array(parameters[k]) for k in floats]
    every = tuple(range(len(floats)))
    slopes = st.grad(total, every)
    curvature = st.hessian(total, every)(*map(float, at))
    for i in every:
        for j in every:
            direction = [np.array(float(k == j)) for k in every]
            expected = difference(lambda *v, i=i: float(slopes(*map(float, v))[i]), at, direction)
            assert curvature[i][j] == pytest.approx(expected, rel=1e-7, abs=1e-7)
