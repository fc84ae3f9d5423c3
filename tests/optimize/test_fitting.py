import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.optimize

import symtape as st
from symtape.errors import (
    ConcreteValueError,
    FitNotConvergedError,
    NonFiniteError,
    ShapeError,
    UnknownNameError,
    WrongDerivativeError,
)
from symtape.optimize.certify import Verdict

X = np.linspace(0.0, 4.0, 50)
Y = 2.5 * np.exp(-1.3 * X) + 0.5 + 0.1 * np.random.default_rng(1729).normal(size=50)


def decay(x, a, b, c):
    return a * np.exp(-b * x) + c


def line(x, slope, offset):
    return slope * x + offset


@pytest.mark.parametrize("method", [None, "lm", "trf", "dogbox"])
def test_scipys_example(method):
    popt, pcov = st.curve_fit(decay, X, Y, method=method)
    expected, covariance = scipy.optimize.curve_fit(decay, X, Y, ftol=1e-14, xtol=1e-14, gtol=1e-14)
    np.testing.assert_allclose(popt, expected, rtol=1e-7)
    np.testing.assert_allclose(pcov, covariance, rtol=1e-5)


def test_what_is_known_of_a_fit_by_name():
    fit = st.curve_fit(decay, X, Y, p0={"a": 1, "c": 0, "b": 1})
    expected, covariance = scipy.optimize.curve_fit(decay, X, Y, ftol=1e-14, xtol=1e-14, gtol=1e-14)
    assert list(fit.params) == ["a", "b", "c"]
    assert fit.params["b"] == pytest.approx(expected[1], rel=1e-7)
    assert fit.stderr["b"] == pytest.approx(np.sqrt(covariance[1, 1]), rel=1e-5)
    assert fit.certificate.verdict is Verdict.STRICT_LOCAL_MINIMUM
    assert fit.success
    assert (fit.dof, fit.x.size, fit.fun.size) == (47, 3, 50)
    assert fit.rss == pytest.approx(2 * fit.cost)
    assert fit.popt is fit.x
    assert fit.pcov is fit.covariance
    np.testing.assert_array_equal(fit[0], fit.popt)
    np.testing.assert_array_equal(fit[:2][1], fit.pcov)
    np.testing.assert_allclose(fit.predict([0.0, 1.0]), decay(np.array([0.0, 1.0]), *fit.popt))
    np.testing.assert_allclose(fit.fun, fit.predict(X) - Y, atol=1e-14)
    for word in ("a ", "+/-", "rss", "47 degrees of freedom", "Strict local minimum"):
        assert word in str(fit)


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("kind", ["one number", "deviations", "covariance"])
def test_sigma_as_in_scipy(kind, absolute):
    rng = np.random.default_rng(5)
    sigma = {
        "one number": 0.2,
        "deviations": rng.uniform(0.05, 0.3, 50),
        "covariance": 0.01 * (np.eye(50) + 0.3 * np.exp(-np.abs(np.subtract.outer(X, X)))),
    }[kind]
    fit = st.curve_fit(decay, X, Y, sigma=sigma, absolute_sigma=absolute)
    expected, covariance = scipy.optimize.curve_fit(
        decay, X, Y, sigma=sigma, absolute_sigma=absolute, ftol=1e-14, xtol=1e-14, gtol=1e-14
    )
    np.testing.assert_allclose(fit.popt, expected, rtol=1e-6)
    np.testing.assert_allclose(fit.pcov, covariance, rtol=1e-5)


@pytest.mark.parametrize(
    ("sigma", "kind", "words"),
    [
        (np.ones(3), ShapeError, r"sigma has shape \(3,\)"),
        (np.zeros(50), ValueError, "positive"),
        (np.full(50, np.nan), NonFiniteError, "sigma"),
        (-np.eye(50), ValueError, "not positive definite"),
    ],
)
def test_bad_sigma(sigma, kind, words):
    with pytest.raises(kind, match=words):
        st.curve_fit(decay, X, Y, sigma=sigma)


def test_bounds_as_in_scipy():
    bounds = ([0, 0, 0], [3.0, 1.0, 0.5])
    fit = st.curve_fit(decay, X, Y, bounds=bounds)
    expected, _ = scipy.optimize.curve_fit(decay, X, Y, bounds=bounds, ftol=1e-14, xtol=1e-14, gtol=1e-14)
    np.testing.assert_allclose(fit.popt, expected, atol=1e-6)
    assert fit.params["b"] == 1.0
    assert "b <= 1" in fit.certificate.active
    assert fit.active_mask.tolist() == [0, 1, 0]
    named = st.curve_fit(decay, X, Y, bounds={"b": (0, 1.0), "c": (None, 0.5)}, p0=[1, 0.5, 0.1])
    np.testing.assert_allclose(named.popt, fit.popt, rtol=1e-8)
    as_object = st.curve_fit(decay, X, Y, bounds=scipy.optimize.Bounds(*bounds))
    np.testing.assert_allclose(as_object.popt, fit.popt, rtol=1e-8)


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"p0": [1.0]}, ShapeError, "p0 has 1 values"),
        ({"p0": {"a": 1, "b": 1}}, ValueError, "no value for c"),
        ({"p0": {"a": 1, "b": 1, "c": 1, "d": 1}}, ValueError, "names 'd'"),
        ({"p0": [1.0, np.nan, 1.0]}, NonFiniteError, "nan at b"),
        ({"p0": "one"}, TypeError, "wanted numbers"),
        ({"p0": [1, 2, 3], "bounds": (0, 1)}, ValueError, "start of b is 2, outside its bounds 0 to 1"),
        ({"bounds": (1, 0)}, ValueError, "lies above"),
        ({"bounds": (0, 0)}, ValueError, "has to lie below"),
        ({"bounds": {"q": (0, 1)}}, ValueError, "'q'"),
        ({"bounds": (0, 1), "method": "lm"}, ValueError, "'lm' does not take bounds"),
        ({"method": "newton"}, UnknownNameError, "'newton'"),
        ({"tolerance": 1}, TypeError, "unknown keyword 'tolerance'"),
        ({"jac": lambda x, a, b, c: np.ones((50, 3))}, WrongDerivativeError, "jac disagrees"),
        ({"nan_policy": "propagate"}, ValueError, "nan_policy"),
    ],
)
def test_bad_arguments(options, kind, words):
    with pytest.raises(kind, match=words):
        st.curve_fit(decay, X, Y, **options)


def test_bad_data_and_models():
    bad = Y.copy()
    bad[7] = np.nan
    with pytest.raises(NonFiniteError, match=r"ydata\[7\] is nan"):
        st.curve_fit(decay, X, bad)
    with pytest.raises(NonFiniteError, match=r"xdata\[7\] is nan"):
        st.curve_fit(decay, bad, Y)
    with pytest.raises(ValueError, match="ydata is empty"):
        st.curve_fit(decay, X, [])
    with pytest.raises(TypeError, match="ydata is no array of numbers"):
        st.curve_fit(decay, X, ["a"] * 50)
    with pytest.raises(ShapeError, match=r"model gives shape \(50,\), the data have shape \(49,\)"):
        st.curve_fit(decay, X, Y[:-1])
    with pytest.raises(TypeError, match="3 parameters, but only 2 observations"):
        st.curve_fit(decay, X[:2], Y[:2])
    with pytest.raises(NonFiniteError, match="residual 0 is nan at the start"):
        st.curve_fit(lambda x, a: np.log(a * (x + 1)), X, Y, p0=[-1.0])
    with pytest.raises(ConcreteValueError, match=r"test_fitting\.py"):
        st.curve_fit(lambda x, a, b: a * np.exp(-float(b) * x), X, Y)
    with pytest.raises(ValueError, match="signature does not tell"):
        st.curve_fit(lambda x, *p: p[0] * x, X, Y)
    with pytest.raises(TypeError, match="wanted a callable"):
        st.curve_fit(3.0, X, Y)


def test_starred_parameters_are_counted_by_p0():
    fit = st.curve_fit(lambda x, *p: p[0] * x**2 + p[1] * x + p[2], X, X**2, p0=np.ones(3))
    np.testing.assert_allclose(fit.popt, [1.0, 0.0, 0.0], atol=1e-10)
    assert fit.certificate.verdict is Verdict.CONVEX_MINIMUM
    assert list(fit.params) == ["p0", "p1", "p2"]


def test_nan_can_be_left_out():
    bad = Y.copy()
    bad[[3, 20]] = np.nan
    kept = ~np.isnan(bad)
    fit = st.curve_fit(decay, X, bad, nan_policy="omit")
    np.testing.assert_allclose(fit.popt, st.curve_fit(decay, X[kept], Y[kept]).popt, rtol=1e-9)
    with pytest.raises(NonFiniteError):
        st.curve_fit(decay, X, bad, nan_policy="raise")


def test_a_function_of_several_predictors():
    rng = np.random.default_rng(2)
    predictors = rng.uniform(1, 2, (2, 30))
    z = 3 * predictors[0] ** 2 / predictors[1]
    fit = st.curve_fit(lambda x, a, p: a * x[0] ** p / x[1], predictors, z)
    np.testing.assert_allclose(fit.popt, [3.0, 2.0], rtol=1e-9)


def test_series_and_tables():
    table = pd.DataFrame({"t": X, "u": X**2, "y": 3 * X - 2 * X**2 + 1}, index=np.arange(50)[::-1])
    fit = st.curve_fit(line, table["t"], pd.Series(4 * X + 1, index=range(100, 150)))
    np.testing.assert_allclose(fit.popt, [4.0, 1.0], rtol=1e-9)

    def plane(data, a, b, c):
        return a * data["t"] + b * data["u"] + c

    fit = st.curve_fit(plane, table, table["y"])
    np.testing.assert_allclose(fit.popt, [3.0, -2.0, 1.0], rtol=1e-8)
    np.testing.assert_allclose(fit.predict(table), table["y"], rtol=1e-9)


def test_a_correct_jacobian_is_taken():
    def jac(x, a, b, c):
        return np.column_stack([np.exp(-b * x), -a * x * np.exp(-b * x), np.ones_like(x)])

    assert st.curve_fit(decay, X, Y, jac=jac).success


def test_full_output_as_in_scipy():
    popt, pcov, info, message, status = st.curve_fit(decay, X, Y, full_output=True)
    assert popt.shape == (3,)
    assert pcov.shape == (3, 3)
    np.testing.assert_allclose(info["fvec"], decay(X, *popt) - Y, atol=1e-14)
    assert info["nfev"] > 0
    assert status in {1, 2, 3, 4}
    assert "minimum" in message


def test_parameters_that_the_data_do_not_determine():
    with pytest.warns(scipy.optimize.OptimizeWarning, match="Covariance"):
        fit = st.curve_fit(lambda x, a, b: (a + b) * x, X, 3 * X)
    assert np.all(np.isinf(fit.covariance))
    assert fit.success
    assert fit.params["a"] + fit.params["b"] == pytest.approx(3.0)


def test_what_fails_says_so():
    with pytest.raises(FitNotConvergedError, match="Optimal parameters not found") as caught:
        st.curve_fit(lambda x, a, b: a * (1 - np.exp(-b * x)), X, X, p0=[1.0, 1.0])  # a grows without end
    assert not caught.value.fit.success
    with pytest.raises(RuntimeError):
        st.curve_fit(decay, X, Y, p0=[30.0, 9.0, -5.0], maxfev=2)


def test_fits_pickle():
    fit = pickle.loads(pickle.dumps(st.curve_fit(line, X, 2 * X + 1)))
    np.testing.assert_allclose(fit.predict([1.0]), [3.0])
    assert fit.stderr.keys() == {"slope", "offset"}
    popt, _ = fit
    np.testing.assert_allclose(popt, [2.0, 1.0])
    fit = pickle.loads(pickle.dumps(st.curve_fit(lambda x, a: a * x, X, 2 * X)))
    assert fit.params["a"] == pytest.approx(2.0)
    with pytest.raises(TypeError, match="without its model"):
        fit.predict([1.0])


def test_a_second_data_set_compiles_nothing(monkeypatch):
    st.curve_fit(decay, X, Y)
    monkeypatch.setattr("symtape.compile.machine_code.compile_text", None)
    assert st.curve_fit(decay, X + 0.1, Y).success
    longer = np.linspace(0.0, 5.0, 80)
    np.testing.assert_allclose(st.curve_fit(decay, longer, decay(longer, 2.0, 1.0, 0.5)).popt, [2.0, 1.0, 0.5])


@pytest.mark.parametrize("loss", ["soft_l1", "huber", "cauchy", "arctan"])
def test_robust_losses_as_in_scipy(loss):
    rng = np.random.default_rng(7)
    y = Y.copy()
    y[rng.integers(0, 50, 6)] += 5.0

    def residuals(p):
        return p[0] * np.exp(-p[1] * X) + p[2] - y

    ours = st.least_squares(residuals, [2.0, 1.0, 0.3], loss=loss, f_scale=0.1)
    theirs = scipy.optimize.least_squares(
        residuals, [2.0, 1.0, 0.3], loss=loss, f_scale=0.1, ftol=1e-15, xtol=1e-15, gtol=1e-15
    )
    assert ours.success
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-5)
    assert ours.cost == pytest.approx(theirs.cost, rel=1e-9)
    fitted = st.curve_fit(decay, X, y, p0=[2.0, 1.0, 0.3], loss=loss, f_scale=0.1)
    np.testing.assert_allclose(fitted.popt, ours.x, rtol=1e-7)


def test_unknown_losses():
    with pytest.raises(UnknownNameError, match=r"'l3'.*soft_l1"):
        st.least_squares(lambda x: x, [1.0], loss="l3")


# ---------------------------------------------------------------------------------------------------- least_squares


def test_residuals_as_typed_in_scipys_documentation():
    def rosenbrock(x):
        return np.array([10 * (x[1] - x[0] ** 2), (1 - x[0])])

    def jac(x):
        return np.array([[-20 * x[0], 10], [-1, 0]])

    res = st.least_squares(rosenbrock, np.array([2, 2]))
    for field in ("x", "cost", "fun", "jac", "grad", "optimality", "active_mask", "nfev", "njev", "status", "message"):
        assert field in res
    np.testing.assert_allclose(res.x, 1.0)
    assert res.status > 0
    assert res.success
    np.testing.assert_allclose(res.jac, jac([1.0, 1.0]))
    res = st.least_squares(rosenbrock, np.array([2, 2]), jac, ([-np.inf, 1.5], np.inf))
    np.testing.assert_allclose(res.x, [1.22437075, 1.5], rtol=1e-8)
    assert res.cost == pytest.approx(0.025213093946805685)
    assert res.active_mask.tolist() == [0, -1]
    assert res.optimality < 1e-12


def test_arguments_of_the_residuals():
    def residuals(x, t, y, scale=1.0):
        return scale * (x[0] + x[1] * np.exp(x[2] * t) - y)

    res = st.least_squares(residuals, [1.0, 1.0, 0.0], args=(X, Y), kwargs={"scale": 2.0})
    assert res.success
    np.testing.assert_allclose(
        res.x[[1, 2, 0]], st.curve_fit(lambda t, a, b, c: a * np.exp(b * t) + c, X, Y, p0=[1, 0, 1]).popt, rtol=1e-7
    )


def test_residuals_as_an_expression():
    a, b = st.Variable(1.0, name="a"), st.Variable(0.1, name="b")
    res = st.least_squares(Y - a * np.exp(-b * X) - 0.5, [a, b])
    assert res.success
    expected = scipy.optimize.curve_fit(lambda x, a, b: a * np.exp(-b * x) + 0.5, X, Y)[0]
    np.testing.assert_allclose([res.params["a"], res.params["b"]], expected, rtol=1e-6)
    assert res.value(a * b) == pytest.approx(np.prod(expected), rel=1e-6)
    res.assign()
    assert float(a) == pytest.approx(expected[0], rel=1e-6)
    with pytest.raises(TypeError, match="jac belongs to a callable"):
        st.least_squares(a - 1, a, jac=lambda x: x)


def test_parameters_of_residuals_can_be_given():
    a, k = st.Variable(1.0, name="a"), st.Variable(2.0, name="k")
    assert st.least_squares(np.stack([a - k, a - k]), a, given={k: 7.0}).params["a"] == pytest.approx(7.0)


def test_linear_residuals_make_a_convex_problem():
    rng = np.random.default_rng(0)
    A, b = rng.standard_normal((20, 4)), rng.standard_normal(20)
    res = st.least_squares(lambda x: A @ x - b, np.zeros(4))
    assert res.certificate.verdict is Verdict.CONVEX_MINIMUM
    np.testing.assert_allclose(res.x, np.linalg.lstsq(A, b)[0], rtol=1e-10)


def test_fewer_residuals_than_unknowns():
    res = st.least_squares(lambda x: np.stack([x[0] + x[1] + x[2] - 3.0]), np.zeros(3))
    assert res.success
    assert np.sum(res.x) == pytest.approx(3.0)
    with pytest.raises(ValueError, match="'lm' needs at least as many"):
        st.least_squares(lambda x: np.stack([x[0] + x[1] - 3.0]), np.zeros(2), method="lm")


def test_a_wrong_jacobian_is_refused():
    with pytest.raises(WrongDerivativeError, match=r"jac\(x\)\[1, 0\]"):
        st.least_squares(lambda x: np.stack([x[0], x[0] ** 2]), [1.0], jac=lambda x: np.array([[1.0], [1.0]]))


def test_callbacks_see_the_iterates():
    seen = []
    st.least_squares(lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]), [-1.2, 1.0], callback=seen.append)
    assert len(seen) > 3

    def stop(x):
        raise StopIteration

    res = st.least_squares(lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]), [-1.2, 1.0], callback=stop)
    assert res.certificate.verdict is Verdict.STOPPED
    assert res.status == 0
