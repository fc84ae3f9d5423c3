"""Code as it is typed for SciPy: signatures, positional calls, fields of results."""

import math

import numpy as np
import pytest
import scipy.optimize

import symtape as st
from symtape.errors import (
    ConcreteValueError,
    ConstraintError,
    ImpureFunctionError,
    MethodCapabilityError,
    NonFiniteError,
    ShapeError,
    UnknownNameError,
    WrongDerivativeError,
)
from symtape.optimize.certify import Verdict


def rosen(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def test_the_first_example_of_scipys_tutorial():
    res = st.minimize(rosen, [1.3, 0.7, 0.8, 1.9, 1.2], method="nelder-mead", options={"xatol": 1e-8, "disp": False})
    assert isinstance(res, scipy.optimize.OptimizeResult)
    assert isinstance(res, dict)
    np.testing.assert_allclose(res.x, np.ones(5), rtol=1e-10)
    assert res["success"] is True
    assert res.status == 0
    for field in ("x", "fun", "jac", "nit", "nfev", "njev", "nhev", "message", "solver_message", "success", "status"):
        assert field in res


def test_scipys_own_rosen_records():
    res = st.minimize(scipy.optimize.rosen, np.zeros(3), jac=scipy.optimize.rosen_der, hess=scipy.optimize.rosen_hess)
    assert res.certificate.verdict is Verdict.STRICT_LOCAL_MINIMUM
    np.testing.assert_allclose(res.x, 1.0)
    res = st.minimize(scipy.optimize.rosen, np.zeros(3), method="trust-ncg", hessp=scipy.optimize.rosen_hess_prod)
    np.testing.assert_allclose(res.x, 1.0)


def test_positional_arguments_stand_where_scipys_do():
    def shifted(x, a, b):
        return (x[0] - a) ** 2 + (x[1] - b) ** 2

    def jac(x, a, b):
        return np.array([2 * (x[0] - a), 2 * (x[1] - b)])

    seen = []
    res = st.minimize(
        shifted,
        [0.0, 0.0],
        (1.0, 2.0),
        "SLSQP",
        jac,
        None,
        None,
        [(0, 0.5), (None, None)],
        ({"type": "ineq", "fun": lambda x: 1.5 - x[1]},),
        1e-10,
        seen.append,
        {"maxiter": 50},
    )
    np.testing.assert_allclose(res.x, [0.5, 1.5], atol=1e-8)
    assert all(isinstance(x, np.ndarray) for x in seen)
    assert seen


def test_the_slsqp_example_of_scipys_documentation():
    cons = (
        {"type": "ineq", "fun": lambda x: x[0] - 2 * x[1] + 2},
        {"type": "ineq", "fun": lambda x: -x[0] - 2 * x[1] + 6},
        {"type": "ineq", "fun": lambda x: -x[0] + 2 * x[1] + 2},
    )
    res = st.minimize(
        lambda x: (x[0] - 1) ** 2 + (x[1] - 2.5) ** 2,
        (2, 0),
        method="SLSQP",
        bounds=((0, None), (0, None)),
        constraints=cons,
    )
    assert res.certificate.verdict is Verdict.CONVEX_MINIMUM
    np.testing.assert_allclose(res.x, [1.4, 1.7], rtol=1e-9)


@pytest.mark.parametrize("method", [None, "SLSQP", "trust-constr", "COBYLA"])
def test_constraint_objects(method):
    linear = scipy.optimize.LinearConstraint([[1, 2], [2, 1]], [-np.inf, 1], [1, 1])
    curved = scipy.optimize.NonlinearConstraint(
        lambda x: [x[0] ** 2 + x[1], x[0] ** 2 - x[1]],
        -np.inf,
        1,
        jac=lambda x: [[2 * x[0], 1], [2 * x[0], -1]],
        hess=lambda x, v: v[0] * np.array([[2, 0], [0, 0]]) + v[1] * np.array([[2, 0], [0, 0]]),
    )
    bounds = scipy.optimize.Bounds([0, -0.5], [1.0, 2.0])
    res = st.minimize(rosen, [0.5, 0.0], method=method, constraints=[linear, curved], bounds=bounds)
    assert res.success
    # on the line 2*x + y = 1 the objective is a polynomial of degree four in x
    along = np.polynomial.Polynomial([1, -2, -1]) ** 2 * 100 + np.polynomial.Polynomial([1, -1]) ** 2
    (expected,) = (r.real for r in along.deriv().roots() if 0 < r.real < 1)
    np.testing.assert_allclose(res.x, [expected, 1 - 2 * expected], rtol=1e-9)


def test_constraint_dictionaries_with_arguments_and_derivatives():
    con = {"type": "eq", "fun": lambda x, r: x[0] ** 2 + x[1] ** 2 - r, "args": (2.0,), "jac": lambda x, r: 2 * x}
    res = st.minimize(lambda x: x[0] + x[1], [-2.0, 0.5], constraints=con)
    np.testing.assert_allclose(res.x, [-1.0, -1.0], rtol=1e-9)
    con["jac"] = lambda x, r: x
    with pytest.raises(WrongDerivativeError, match="jac"):
        st.minimize(lambda x: x[0] + x[1], [-2.0, 0.5], constraints=con)


@pytest.mark.parametrize(
    ("constraint", "kind", "words"),
    [
        ({"type": "less", "fun": lambda x: x}, ConstraintError, "type 'less'"),
        ({"type": "eq"}, ConstraintError, "no function under 'fun'"),
        (3.0, TypeError, "float"),
        ([lambda x: x], TypeError, "function"),
        (scipy.optimize.LinearConstraint([[1, 2, 3]], 0, 1), ShapeError, "wanted 2 columns"),
        ({"type": "ineq", "fun": lambda x: float(x[0])}, ConcreteValueError, "float"),
    ],
)
def test_bad_constraints(constraint, kind, words):
    with pytest.raises(kind, match=words):
        st.minimize(rosen, [0.0, 0.0], constraints=constraint)


def test_constraints_that_return_comparisons():
    res = st.minimize(
        lambda z: z[0] ** 2 + z[1] ** 2, [1.0, 1.0], subject_to=lambda z: [z[0] + z[1] >= 1, z[0] <= 0.25]
    )
    np.testing.assert_allclose(res.x, [0.25, 0.75], rtol=1e-9)
    with pytest.raises(TypeError, match="fun is a callable"):
        x = st.Variable(1.0, name="x")
        st.minimize(rosen, [0.0, 0.0], subject_to=[x >= 1])
    with pytest.raises(ConstraintError, match="with >"):
        st.minimize(rosen, [0.0, 0.0], subject_to=lambda x: x[0] > 1)


def test_value_and_gradient_from_one_function():
    res = st.minimize(lambda x: (np.sum((x - 1) ** 2), 2 * (x - 1)), np.zeros(2), jac=True)
    np.testing.assert_allclose(res.x, 1.0)
    with pytest.raises(WrongDerivativeError):
        st.minimize(lambda x: (np.sum((x - 1) ** 2), x - 1), np.zeros(2), jac=True)


@pytest.mark.parametrize("jac", ["2-point", "3-point", "cs", False, None])
def test_requests_for_differences_are_met_with_exact_derivatives(jac):
    res = st.minimize(rosen, np.zeros(2), jac=jac, hess=scipy.optimize.BFGS(), method="trust-constr")
    np.testing.assert_allclose(res.x, 1.0)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"jac": lambda x: 3 * x}, r"jac\(x\)\[0\] is 3, exact is 4"),
        ({"jac": lambda x: x[:1]}, r"shape \(1,\), wanted \(2,\)"),
        ({"jac": lambda x: 4 * x**3, "hess": lambda x: np.eye(2)}, "hess disagrees"),
        ({"hessp": lambda x, p: p}, "hessp disagrees"),
        ({"jac": lambda x: np.full(2, np.nan)}, "nan"),
    ],
)
def test_wrong_derivatives_are_refused(wrong, words):
    with pytest.raises(WrongDerivativeError, match=words):
        st.minimize(lambda x: np.sum(x**4), [1.0, 1.0], **wrong)


def test_a_derivative_by_differences_is_near_enough():
    def jac(x):
        return scipy.optimize.approx_fprime(x, scipy.optimize.rosen, 1e-7)

    assert st.minimize(rosen, [0.3, 0.2], jac=jac).success


def test_derivatives_that_are_right_at_the_start_only_are_refused():
    with pytest.raises(WrongDerivativeError):
        st.minimize(lambda x: np.sum(x**3 + x**2), np.zeros(2), jac=lambda x: 2 * x)


def test_callbacks_in_scipys_three_forms():
    values = []

    def named(intermediate_result):
        values.append(intermediate_result.fun)

    st.minimize(rosen, [-1.2, 1.0], callback=named)
    assert values == sorted(values, reverse=True)
    states = []
    st.minimize(
        rosen, [-1.2, 1.0], method="trust-constr", callback=lambda xk, state: states.append(state.nit) and False
    )
    assert states[:3] == [1, 2, 3]

    def stop(xk):
        raise StopIteration

    res = st.minimize(rosen, [-1.2, 1.0], callback=stop)
    assert res.certificate.verdict is Verdict.STOPPED
    assert not res.success
    with pytest.raises(TypeError, match="callback"):
        st.minimize(rosen, [-1.2, 1.0], callback=3)


def test_a_minimizer_of_ones_own():
    seen = {}

    def mine(fun, x0, args=(), jac=None, hess=None, bounds=None, callback=None, factor=1.0, **rest):
        seen.update(jac=jac(x0), hess=hess(x0), factor=factor)
        return scipy.optimize.minimize(fun, x0, jac=jac, method="BFGS", callback=callback)

    res = st.minimize(rosen, [0.5, 0.5], method=mine, options={"factor": 2.0})
    assert res.success
    assert res.method == "mine"
    assert seen["factor"] == 2.0
    np.testing.assert_allclose(seen["jac"], scipy.optimize.rosen_der(np.array([0.5, 0.5])))
    np.testing.assert_allclose(seen["hess"], scipy.optimize.rosen_hess(np.array([0.5, 0.5])))


def test_methods_and_options():
    with pytest.raises(UnknownNameError, match="'sgd'"):
        st.minimize(rosen, np.zeros(2), method="sgd")
    with pytest.raises(MethodCapabilityError, match=r"does not take bounds.*L-BFGS-B"):
        st.minimize(rosen, np.zeros(2), method="BFGS", bounds=[(0, 1)] * 2)
    with pytest.raises(TypeError, match="method is 3"):
        st.minimize(rosen, np.zeros(2), method=3)
    res = st.minimize(rosen, [-1.2, 1.0], method="BFGS", options={"maxiter": 3})
    assert res.certificate.verdict is Verdict.LIMIT
    assert res.nit == 3
    assert "hess_inv" in res


def test_starts_and_shapes():
    assert st.minimize(lambda x: (x[0] - 2) ** 2, 0).x == pytest.approx([2.0])
    for x0, kind, words in (
        ([1.0, np.nan], NonFiniteError, r"nan at x\[1\]"),
        ([[1.0, 2.0]], ShapeError, "one dimension"),
        ([], ShapeError, "empty"),
        ("here", TypeError, "wanted numbers"),
        (None, TypeError, "x0 is missing"),
    ):
        with pytest.raises(kind, match=words):
            st.minimize(rosen, x0)
    with pytest.raises(ShapeError, match=r"objective has shape \(2,\)"):
        st.minimize(lambda x: x**2, [1.0, 2.0])
    with pytest.raises(NonFiniteError, match="objective is nan"):
        st.minimize(lambda x: np.sum(np.log(x)), [-1.0, 2.0])


@pytest.mark.parametrize(
    ("bounds", "kind", "words"),
    [
        ([(0, 1)], ShapeError, "wanted 2 pairs"),
        ([(0, 1), (2, 1)], ValueError, "lies above"),
        ([(0, 1), (np.nan, 1)], ValueError, "NaN"),
    ],
)
def test_bad_bounds(bounds, kind, words):
    with pytest.raises(kind, match=words):
        st.minimize(rosen, [0.0, 0.0], bounds=bounds)


def test_what_cannot_be_recorded_is_an_error_that_names_the_line():
    with pytest.raises(ConcreteValueError, match=r"test_minimize_scipy\.py"):
        st.minimize(lambda x: math.exp(x[0]) + x[1] ** 2, [0.0, 0.0])
    with pytest.raises(ImpureFunctionError, match=r"test_minimize_scipy\.py"):
        st.minimize(lambda x: np.sum(x**2) + np.random.normal(), [0.0, 0.0])


def test_branches_are_recorded_as_they_are_met():
    calls = []

    def branching(x):
        calls.append(1)
        if x[0] > 0:
            return (x[0] - 1) ** 2 + 2 + x[1] ** 2
        return (x[0] + 3) ** 2 + x[1] ** 2

    res = st.minimize(branching, [2.0, 1.0])
    assert res.params["x"][0] == pytest.approx(1.0)
    res = st.minimize(
        branching, [0.05, 1.0], method="Nelder-Mead", options={"initial_simplex": [[0.05, 1], [-2, 1], [0, 2]]}
    )
    np.testing.assert_allclose(res.x, [-3.0, 0.0], atol=1e-8)
    assert len(calls) < 20  # Python ran when a branch was new, not at each point


def test_variables_that_are_closed_over_are_read_at_the_call():
    k = st.Variable(2.0, name="k")

    def objective(x):
        return np.sum((x - k) ** 2)

    assert st.minimize(objective, [0.0]).x == pytest.approx([2.0])
    k.assign(5.0)
    assert st.minimize(objective, [0.0]).x == pytest.approx([5.0])


def test_fixed_variables():
    res = st.minimize(rosen, [0.5, 0.2, 0.1], bounds=[(None, None), (0.25, 0.25), (None, None)])
    assert res.success
    assert res.x[1] == 0.25
    np.testing.assert_allclose(res.x[2], 0.0625, rtol=1e-9)


def test_hundreds_of_unknowns():
    res = st.minimize(rosen, np.zeros(400))
    assert res.certificate.verdict is Verdict.STRICT_LOCAL_MINIMUM
    np.testing.assert_allclose(res.x, 1.0, rtol=1e-10)


def test_more_unknowns_than_a_dense_hessian_is_formed_for():
    target = np.linspace(-1.0, 2.0, 4000)
    res = st.minimize(
        lambda x: np.sum((x - target) ** 2 + (x - target) ** 4), np.zeros(4000), bounds=[(0, None)] * 4000
    )
    assert res.certificate.verdict is Verdict.STRICT_LOCAL_MINIMUM
    np.testing.assert_allclose(res.x, np.maximum(target, 0.0), atol=1e-7)
    assert "in all" in str(res)


def test_no_warnings_of_the_solvers_come_through(recwarn):
    st.minimize(lambda x: np.exp(x[0]) - x[0] + x[1] ** 2, [30.0, 5.0], method="BFGS")
    st.minimize(lambda x: x[0] + x[1], [0.3, 0.4], method="trust-constr", bounds=[(0, 1)] * 2)
    assert not recwarn.list
