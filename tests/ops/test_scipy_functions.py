"""Functions of scipy.special: how they are called, what has no derivative, and how they do far from the middle."""

import mpmath
import numpy as np
import pytest
import scipy.special

import symtape as st
from symtape.errors import NotDifferentiableError
from symtape.graph.node import symbol
from symtape.ops.namespace import NODES as B

HELD = [
    ("jv", 0, (0.5, 1.0), "order v"),
    ("yv", 0, (0.5, 1.0), "order v"),
    ("iv", 0, (0.5, 1.0), "order v"),
    ("kv", 0, (0.5, 1.0), "order v"),
    ("ive", 0, (0.5, 1.0), "order v"),
    ("kve", 0, (0.5, 1.0), "order v"),
    ("gammainc", 0, (0.5, 1.0), "parameter a"),
    ("gammaincc", 0, (0.5, 1.0), "parameter a"),
    ("betainc", 1, (0.5, 1.0, 0.3), "parameter b"),
    ("zeta", 0, (2.5, 1.0), "first argument"),
    ("hyp0f1", 0, (0.5, 1.0), "parameter v"),
    ("hyp1f1", 1, (0.5, 1.5, 0.3), "parameter b"),
    ("hyp2f1", 2, (0.5, 1.5, 2.5, 0.3), "parameter c"),
    ("eval_legendre", 0, (2.0, 0.3), "degree n"),
    ("eval_jacobi", 1, (2, 0.5, 0.5, 0.3), "its parameters"),
]


@pytest.mark.parametrize(("name", "place", "numbers", "what"), HELD)
def test_a_derivative_without_closed_form_says_so(name, place, numbers, what):
    function = getattr(st.special, name)
    with pytest.raises(
        NotDifferentiableError, match=f"{name} in its {what}.*no closed form.*stop_gradient|{what}.*no closed"
    ):
        st.grad(function, argnums=place)(*numbers)
    v, x = st.Variable(numbers[place]), st.Variable(numbers[-1])
    given = [*numbers[:-1], x]
    given[place] = v
    with st.GradientTape() as tape:
        y = function(*given)
    assert np.isfinite(float(tape.gradient(y, x))), "the other argument has a derivative"
    given[place] = st.stop_gradient(v)
    with st.GradientTape() as tape:
        y = function(*given)
    assert tape.gradient(y, v) is None


def test_arguments_that_are_refused():
    x = symbol("x")
    with pytest.raises(ValueError, match="two real branches, k=0 and k=-1; got k=1"):
        B.lambertw(x, 1)
    with pytest.raises(TypeError, match="spherical_jn takes an integer order n, got one of dtype float64"):
        B.spherical_jn(1.5, x)
    with pytest.raises(TypeError, match="eval_jacobi takes 4 arguments, got 2"):
        B.eval_jacobi(1, x)


@pytest.mark.parametrize("name", ["spherical_jn", "spherical_yn", "spherical_in", "spherical_kn"])
def test_spherical_bessel_functions_know_their_derivative(name):
    for n in (0, 1, 3):
        expected = getattr(scipy.special, name)(n, 1.3, derivative=True)
        assert getattr(st.special, name)(n, 1.3, derivative=True) == pytest.approx(expected, rel=1e-12)
        assert st.grad(lambda z, n=n: getattr(st.special, name)(n, z))(1.3) == pytest.approx(expected, rel=1e-12)


def test_orders_and_degrees_may_be_arrays():
    n, x = np.array([0, 1, 3]), np.array([0.4, 0.5, 0.6])
    slopes = st.grad(lambda x: np.sum(st.special.expn(n, x)))(x)
    expected = [-np.exp(-0.4) * (1 / 0.4 + 1 / 0.16), -np.exp(-0.5) / 0.5, -scipy.special.expn(2, 0.6)]
    np.testing.assert_allclose(slopes, expected, rtol=1e-13)
    slopes = st.grad(lambda x: np.sum(st.special.eval_legendre(n, x)))(x)
    np.testing.assert_allclose(slopes, [0, 1, (15 * 0.36 - 3) / 2], rtol=1e-13)


def in_digits(function, x, order):
    magnitude = abs(x)
    digits = 70 + int(2.6 * abs(np.log10(magnitude))) + int(min(magnitude, 800.0))
    with mpmath.workdps(digits):
        point = mpmath.mpf(x)
        step = min(abs(point), abs(1 - abs(point)) or 1) * mpmath.mpf(10) ** -18
        found = mpmath.diff(lambda t: function(mpmath, t), point, order, h=step)
        return float(found) if abs(found) < 1e308 else float(mpmath.sign(found)) * np.inf


# Name, arguments before the last, in many digits, points: from tiny to huge, at both ends of a domain, near poles.
FAR = [
    ("erf", (), lambda mp, x: mp.erf(x), [1e-300, 1e-10, 5.0, -6.0]),
    ("erfinv", (), lambda mp, x: mp.erfinv(x), [1e-100, 0.3, -0.999, 1 - 1e-10, 1 - 2.0**-53]),
    ("erfcx", (), lambda mp, x: mp.exp(x * x) * mp.erfc(x), [-26.0, -1e-300, 0.99, 1.01, 5.0, 26.0, 1e5]),
    ("ndtri", (), lambda mp, x: mp.sqrt(2) * mp.erfinv(2 * x - 1), [1e-30, 1e-10, 0.3, 0.999, 1 - 1e-14]),
    (
        "log_ndtr",
        (),
        lambda mp, x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2),
        [-700.0, -38.0, -8.0, 1e-8, 5.0, 20.0],
    ),
    (
        "dawsn",
        (),
        lambda mp, x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x),
        [1e-100, 0.1, 6.0, 7.9, 8.1, 33.0, 700.0],
    ),
    ("gamma", (), lambda mp, x: mp.gamma(x), [1e-10, 0.3, 30.0, -0.5, -10.7]),
    ("gammaln", (), lambda mp, x: mp.log(abs(mp.gamma(x))), [1e-10, 40.0, -0.5, -10.2]),
    ("rgamma", (), lambda mp, x: mp.rgamma(x), [1e-5, 30.0, -0.5, -3.0, -10.2]),
    ("digamma", (), lambda mp, x: mp.digamma(x), [1e-10, 40.0, -1.5, -3 + 1e-5]),
    ("beta", (2.5,), lambda mp, x: mp.beta(2.5, x), [1e-10, 1.0, 30.0]),
    ("betaln", (2.5,), lambda mp, x: mp.log(mp.beta(2.5, x)), [1e-10, 1.0, 1e5, 1e8, 1e15]),
    ("betaln", (100.0,), lambda mp, x: mp.log(mp.beta(100, x)), [1e-10, 100.0, 1e8, 1e15]),
    ("gammainc", (30.0,), lambda mp, x: mp.gammainc(30, 0, x, regularized=True), [1e-5, 28.0, 30.0, 200.0]),
    ("gammaincc", (2.0,), lambda mp, x: (1 + x) * mp.exp(-x), [1e-10, 0.3, 2.0, 300.0]),
    ("betainc", (0.5, 0.5), lambda mp, x: 2 / mp.pi * mp.asin(mp.sqrt(x)), [1e-100, 0.3, 0.999, 1 - 1e-10]),
    ("betainc", (3.0, 1.0), lambda mp, x: x**3, [1e-50, 0.3, 1 - 1e-10]),
    ("binom", (5.0,), lambda mp, k: mp.binomial(5, k), [0.3, 2.0, 5.0, 7.0, -1.0]),
    ("binom", (1e6,), lambda mp, k: mp.binomial(1000000, k), [2.0]),
    ("poch", (-2.5,), lambda mp, m: mp.rf(-2.5, m), [0.3, 1.0, 2.0]),
    ("poch", (1e5,), lambda mp, m: mp.rf(100000, m), [0.3, 2.0]),
    ("zeta", (2.5,), lambda mp, q: mp.zeta(2.5, q), [1e-5, 1.0]),
    ("logit", (), lambda mp, x: mp.log(x) - mp.log1p(-x), [1e-100, 1e-12, 0.3, 1 - 1e-10, 1 - 2.0**-53]),
    ("log_expit", (), lambda mp, x: -mp.log1p(mp.exp(-x)), [-600.0, 1e-9, 300.0, 700.0]),
    ("xlogy", (0.3,), lambda mp, y: 0.3 * mp.log(y), [1e-200, 1.0, 1e200]),
    ("rel_entr", (0.3,), lambda mp, y: 0.3 * mp.log(0.3 / y), [1e-100, 0.3, 1e100]),
    ("kl_div", (0.3,), lambda mp, y: 0.3 * mp.log(0.3 / y) - 0.3 + y, [1e-100, 0.3 + 1e-9, 1e8, 1e100]),
    ("pseudo_huber", (1.0,), lambda mp, r: mp.sqrt(1 + r * r) - 1, [1e-100, 1e-5, 3.0, 1e8, 1e100]),
    ("exprel", (), lambda mp, x: mp.expm1(x) / x, [-300.0, -1.6, -1e-100, 1e-9, 1.4, 2.1, 300.0]),
    ("cosm1", (), lambda mp, x: -2 * mp.sin(x / 2) ** 2, [1e-100, 1e-9, 1.0, 700.0]),
    ("boxcox", (5.0,), lambda mp, n: mp.expm1(n * mp.log(5)) / n, [1e-100, -1e-10, 0.3, -2.0, 30.0]),
    ("spence", (), lambda mp, x: mp.polylog(2, 1 - x), [1e-10, 0.5, 1 + 1e-9, 1.9999, 40.0]),
    ("lambertw", (), lambda mp, x: mp.lambertw(x), [1e-100, -1e-5, -0.3, 1.0, 1e8, 1e100]),
    ("ellipk", (), lambda mp, m: mp.ellipk(m), [-1e15, -30.0, 1e-12, 0.45, 0.55, 0.99, 1 - 1e-10]),
    ("ellipe", (), lambda mp, m: mp.ellipe(m), [-1e15, -30.0, 1e-12, 0.45, 0.55, 0.99, 1 - 1e-10]),
    ("ellipkm1", (), lambda mp, p: mp.ellipk(1 - p), [1e-8, 1e-5, 0.7, 1 - 1e-9]),
    ("expi", (), lambda mp, x: mp.ei(x), [1e-100, 1e-6, 40.0, -300.0]),
    ("exp1", (), lambda mp, x: mp.e1(x), [1e-100, 1e-6, 40.0, 600.0]),
    ("j1", (), lambda mp, x: mp.besselj(1, x), [1e-9, 40.0]),
    ("jv", (0.5,), lambda mp, x: mp.besselj(0.5, x), [1e-10, 3.0, 700.0]),
    ("kv", (0.5,), lambda mp, x: mp.besselk(0.5, x), [1e-10, 3.0, 600.0]),
    ("ive", (2.5,), lambda mp, x: mp.exp(-x) * mp.besseli(2.5, x), [1e-5, 3.0, 41.0, 42.0, 700.0]),
    ("kve", (2.5,), lambda mp, x: mp.exp(x) * mp.besselk(2.5, x), [1e-5, 3.0, 41.0, 42.0, 700.0]),
    ("spherical_jn", (2,), lambda mp, x: mp.sqrt(mp.pi / 2 / x) * mp.besselj(mp.mpf(5) / 2, x), [1e-3, 3.0, 300.0]),
    ("hyp1f1", (0.5, 1.5), lambda mp, x: mp.hyp1f1(0.5, 1.5, x), [1e-30, -0.3, 10.0, -50.0]),
    ("hyp2f1", (0.5, 1.5, 2.5), lambda mp, x: mp.hyp2f1(0.5, 1.5, 2.5, x), [-0.3, 0.9]),
]


@pytest.mark.parametrize(("name", "before", "function", "points"), FAR, ids=[f"{f[0]}{f[1] or ''}" for f in FAR])
def test_slopes_far_from_the_middle(name, before, function, points):
    def own(x):
        return getattr(st.special, name)(*before, x)

    with np.errstate(all="ignore"):
        for x in points:
            assert st.grad(own)(x) == pytest.approx(in_digits(function, x, 1), rel=1e-11, abs=1e-290), x
            assert st.hessian(own)(x) == pytest.approx(in_digits(function, x, 2), rel=1e-9, abs=1e-290), x


@pytest.mark.parametrize("branch", [0, -1])
def test_lambertw_near_its_branch_point(branch):
    for z in (-0.367879441171, -0.3678794411, -0.3678, -0.358, -0.356, -0.1):
        with mpmath.workdps(60):
            w = mpmath.lambertw(z, branch).real
            first = float(mpmath.exp(-w) / (1 + w))
            second = float(-mpmath.exp(-2 * w) * (2 + w) / (1 + w) ** 3)
        assert st.grad(st.special.lambertw)(z, branch) == pytest.approx(first, rel=1e-14)
        assert st.hessian(lambda t: st.special.lambertw(t, branch))(z) == pytest.approx(second, rel=1e-13)


def test_scaled_bessel_functions_at_huge_arguments():
    """By the leading terms of their series, which are all that counts there."""
    for x in (1e8, 1e15):
        i, k = 1 / np.sqrt(2 * np.pi * x), np.sqrt(np.pi / (2 * x))
        for v, f in ((0.0, st.special.i0e), (1.0, st.special.i1e), (2.5, lambda t: st.special.ive(2.5, t))):
            correction = (4 * v * v - 1) / (8 * x)
            assert st.grad(f)(x) == pytest.approx(i / x * (-0.5 + 1.5 * correction), rel=1e-12)
            assert st.hessian(f)(x) == pytest.approx(i / x**2 * (0.75 - 3.75 * correction), rel=1e-12)
        for v, f in ((0.0, st.special.k0e), (1.0, st.special.k1e), (2.5, lambda t: st.special.kve(2.5, t))):
            correction = (4 * v * v - 1) / (8 * x)
            assert st.grad(f)(x) == pytest.approx(k / x * (-0.5 - 1.5 * correction), rel=1e-12)
            assert st.hessian(f)(x) == pytest.approx(k / x**2 * (0.75 + 3.75 * correction), rel=1e-12)


@pytest.mark.parametrize("name", ["erfcx", "log_ndtr", "dawsn", "exprel", "log_expit", "entr", "j0", "i0e", "ndtr"])
def test_nan_stays_nan_and_infinities_give_no_error(name):
    own = getattr(st.special, name)
    assert np.isnan(own(np.nan))
    assert np.isnan(st.grad(own)(np.nan))
    for x in (np.inf, -np.inf):
        np.testing.assert_equal(own(x), getattr(scipy.special, name)(x))


def test_box_cox_is_smooth_where_its_exponent_is_zero():
    both = st.value_and_grad(st.special.boxcox, argnums=(0, 1))
    value, (in_x, in_n) = both(2.0, 0.0)
    log = np.log(2.0)
    assert (value, in_x, in_n) == pytest.approx((log, 0.5, log**2 / 2), rel=1e-15)
    assert st.hessian(lambda n: st.special.boxcox(2.0, n))(0.0) == pytest.approx(log**3 / 3, rel=1e-15)


def test_compiled_code_calls_scipys_own_functions():
    x = st.symbol("x")
    with st.GradientTape() as tape:
        tape.watch(x)
        y = st.special.jv(1.5, x) + st.special.sici(x)[0]
    f = st.function([x], [y, tape.gradient(y, x)])
    expected = scipy.special.jv(1.5, 0.7) + scipy.special.sici(0.7)[0]
    slope = scipy.special.jvp(1.5, 0.7) + np.sin(0.7) / 0.7
    np.testing.assert_allclose(f(0.7), [expected, slope], rtol=1e-14)
    assert {"symtape_special_jv", "symtape_special_sici"} <= set(f.ir.replace("@", " ").replace("(", " ").split())
