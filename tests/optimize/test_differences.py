"""Minimizing black boxes: differences of exact gradients stand in for second derivatives, and it is said."""

import warnings

import numpy as np
import pytest

import symtape as st
from symtape.errors import DifferencesWarning, ImpureFunctionError, NotDifferentiableError, SlowCallbackWarning
from symtape.optimize.differences import along, matrix

pytestmark = pytest.mark.filterwarnings("ignore::symtape.errors.SlowCallbackWarning")


def rosen(p):
    return 100 * (p[1] - p[0] ** 2) ** 2 + (1 - p[0]) ** 2


def pull_rosen(g, y, p):
    bend = p[1] - p[0] ** 2
    return g * np.stack([-400 * p[0] * bend - 2 * (1 - p[0]), 200 * bend])


def rosenbrock(*, recorded=False):
    return st.black_box(rosen, vjp=pull_rosen, recorded_rules=recorded, shape=(), name="rosenbrock")


@pytest.mark.parametrize("method", [None, "trust-exact", "trust-krylov", "Nelder-Mead", "L-BFGS-B", "Newton-CG"])
def test_a_black_box_is_minimized_and_it_is_said_how(method):
    with pytest.warns(
        DifferencesWarning, match="second derivative of rosenbrock was asked for.*differences of the exact"
    ):
        found = st.minimize(rosenbrock(), np.array([-1.2, 1.0]), method=method)
    np.testing.assert_allclose(found.x, [1.0, 1.0], rtol=1e-7)
    assert found.success
    assert found.certificate.verdict.name == "STRICT_LOCAL_MINIMUM"
    if method is None:
        assert found.method == "BFGS"  # a method that asks for no Hessian


def test_it_is_said_once_and_names_the_line():
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", DifferencesWarning)
        st.minimize(rosenbrock(), np.array([-1.2, 1.0]))
    own = [w for w in told if w.category is DifferencesWarning]
    assert [w.filename for w in own] == [__file__]


def test_recorded_rules_need_no_differences():
    found = st.minimize(rosenbrock(recorded=True), np.array([-1.2, 1.0]))  # a warning would be an error
    np.testing.assert_allclose(found.x, [1.0, 1.0])
    assert found.method in {"trust-exact", "trust-krylov"}


def test_a_saddle_is_left():
    saddle = st.black_box(
        lambda p: p[0] ** 2 - p[1] ** 2 + p[1] ** 4,
        vjp=lambda g, y, p: g * np.array([2 * p[0], -2 * p[1] + 4 * p[1] ** 3]),
        shape=(),
    )
    with pytest.warns(DifferencesWarning):
        found = st.minimize(saddle, np.array([1.0, 0.0]))
    np.testing.assert_allclose(np.abs(found.x), [0.0, np.sqrt(0.5)], atol=1e-7)


def test_black_boxes_in_constraints_and_bounds():
    disk = st.black_box(lambda p: np.sum((p - 1) ** 2), vjp=lambda g, y, p: 2 * g * (p - 1), shape=())
    x = st.Variable(np.zeros(2), name="x")
    with pytest.warns(DifferencesWarning):
        found = st.minimize(np.sum(x**2), x, subject_to=[disk(x) <= 0.5])
    np.testing.assert_allclose(found.x, [0.5, 0.5], rtol=1e-6)
    assert found.success
    with pytest.warns(DifferencesWarning):
        found = st.minimize(disk(x), x, bounds=[(2, 3), (None, None)])
    np.testing.assert_allclose(found.x, [2.0, 1.0], rtol=1e-7)
    assert found.success


def test_a_black_box_is_fitted():
    def pull(g, y, x, a, b):
        slope = np.exp(-b * x)
        return None, g @ slope, -g @ (a * x * slope)

    model = st.black_box(lambda x, a, b: a * np.exp(-b * x), vjp=pull, shape=lambda x, a, b: x.shape)
    X = np.linspace(0.0, 4.0, 9)
    Y = 3.0 * np.exp(-0.5 * X) + 0.01 * np.cos(5 * X)
    start = {"a": 1.0, "b": 1.0}
    exact = st.curve_fit(lambda x, a, b: a * np.exp(-b * x), X, Y, p0=start)
    with pytest.warns(DifferencesWarning):
        found = st.curve_fit(model, X, Y, p0=start)
    np.testing.assert_allclose(found.x, exact.x, rtol=1e-7)
    np.testing.assert_allclose(found.covariance, exact.covariance, rtol=1e-6)


def test_without_a_first_derivative_there_is_no_minimizing():
    with pytest.raises(NotDifferentiableError, match="a derivative of bare was asked for"):
        st.minimize(st.black_box(lambda p: np.sum(p**2), shape=(), name="bare"), np.ones(2))


def test_a_box_that_is_made_at_each_call_is_refused():
    with pytest.raises(ImpureFunctionError, match=r"black box b, which was made anew \(make it once, outside"):
        st.jit(lambda x: st.black_box(np.sin, name="b", shape=())(x))(1.0)


def test_differences_of_a_gradient():
    x = np.array([0.5, 3.0])

    def slope(z):
        return np.array([np.cos(z[0]) * z[1], np.sin(z[0])])

    wanted = np.array([[-np.sin(0.5) * 3, np.cos(0.5)], [np.cos(0.5), 0.0]])
    np.testing.assert_allclose(matrix(slope, x), wanted, atol=1e-9)
    np.testing.assert_allclose(along(slope, x, np.array([2.0, -1.0])), wanted @ [2.0, -1.0], atol=1e-9)
    np.testing.assert_array_equal(along(slope, x, np.zeros(2)), [0.0, 0.0])


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_differences_are_taken_on_the_side_that_is_there(sign):
    def slope(z):
        with np.errstate(invalid="ignore"):
            return np.sqrt(sign * z) * z

    found = along(slope, np.array([sign * 1e-7]), np.array([1.0]))
    assert np.isfinite(found).all()
    assert abs(found[0]) < 0.01


def test_the_warning_of_slow_code_comes_as_well():
    with pytest.warns(SlowCallbackWarning, match="rosenbrock"), pytest.warns(DifferencesWarning):
        st.minimize(rosenbrock(), np.array([-1.2, 1.0]))
