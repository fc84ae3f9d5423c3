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
    with mpmath.workdps(60):
        return float(
            mpmath.diff(lambda t: function(mpmath, t), mpmath.mpf(x), order, h=mpmath.mpf(x) * mpmath.mpf(10) ** -18)
        )


FAR = [
    ("erfcx", lambda mp, x: mp.exp(x * x) * mp.erfc(x), [0.99, 1.01, 5.0, 26.0]),
    ("log_ndtr", lambda mp, x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2), [-38.0, -8.0, 1e-8, 5.0, 30.0]),
    ("dawsn", lambda mp, x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x), [0.1, 6.0, 60.0]),
    ("exprel", lambda mp, x: mp.expm1(x) / x, [-300.0, -1.6, 1e-9, 1.4, 2.1, 300.0]),
    ("ellipk", lambda mp, m: mp.ellipk(m), [-30.0, 1e-12, 0.99]),
    ("ellipe", lambda mp, m: mp.ellipe(m), [-30.0, 1e-12, 0.99]),
    ("expi", lambda mp, x: mp.ei(x), [1e-6, 40.0]),
    ("j1", lambda mp, x: mp.besselj(1, x), [1e-9, 40.0]),
    ("k1", lambda mp, x: mp.besselk(1, x), [1e-3, 100.0]),
    ("log_expit", lambda mp, x: -mp.log1p(mp.exp(-x)), [-300.0, 1e-9, 300.0]),
    ("logit", lambda mp, x: mp.log(x / (1 - x)), [1e-12, 0.3]),
]


@pytest.mark.parametrize(("name", "function", "points"), FAR, ids=[f[0] for f in FAR])
def test_slopes_far_from_the_middle(name, function, points):
    own = getattr(st.special, name)
    for x in points:
        assert st.grad(own)(x) == pytest.approx(in_digits(function, x, 1), rel=2e-12), x
        assert st.hessian(own)(x) == pytest.approx(in_digits(function, x, 2), rel=1e-9), x


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
