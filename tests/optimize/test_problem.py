import pickle

import numpy as np
import pytest

import symtape as st
from symtape.errors import AssumptionViolated, ConstraintError, MissingValueError, NonFiniteError, ShapeError
from symtape.optimize.certify import Verdict


@pytest.fixture
def xy():
    return st.Variable(3.0, name="x"), st.Variable(2.0, name="y")


def test_an_expression_and_its_variables(xy):
    x, y = xy
    res = st.minimize((x - 1) ** 2 + (y + 2) ** 2, [x, y])
    assert res.success
    assert res.certificate.verdict is Verdict.CONVEX_MINIMUM
    np.testing.assert_allclose(res.x, [1.0, -2.0], atol=1e-12)
    assert res.x.dtype == np.float64
    assert res.params == {"x": pytest.approx(1.0), "y": pytest.approx(-2.0)}
    assert res.message == res.certificate.sentence
    assert res.method in {"trust-exact", "trust-krylov"}
    assert "SIAM" in res.method.source
    assert res.fun == pytest.approx(0.0, abs=1e-20)
    np.testing.assert_allclose(res.jac, 0.0, atol=1e-10)


def test_variables_keep_their_values_until_assign(xy):
    x, y = xy
    res = st.minimize((x - 1) ** 2 + (y + 2) ** 2, [x, y])
    assert (float(x), float(y)) == (3.0, 2.0)
    assert res.assign() is res
    assert (float(x), float(y)) == pytest.approx((1.0, -2.0))


def test_values_of_other_expressions_at_the_solution(xy):
    x, y = xy
    k = st.Variable(10.0, name="k")
    res = st.minimize(k * (x - 1) ** 2 + (y + 2) ** 2, [x, y], given={k: 4.0})
    assert res.value(x + y) == pytest.approx(-1.0)
    assert res.value(k * x) == pytest.approx(4.0)
    np.testing.assert_allclose(res.value(np.stack([x, y])), [1.0, -2.0])
    with pytest.raises(TypeError, match="wanted a tensor"):
        res.value(3.0)


def test_variables_of_any_shape():
    rng = np.random.default_rng(1)
    target = rng.standard_normal((2, 3))
    M, c = st.Variable(np.zeros((2, 3)), name="M"), st.Variable(0.0, name="c")
    res = st.minimize(np.sum((M - target) ** 2) + (c - 4) ** 2, [M, c])
    np.testing.assert_allclose(res.params["M"], target, atol=1e-10)
    assert isinstance(res.params["c"], float)
    np.testing.assert_allclose(res.params[M], target, atol=1e-10)
    res.assign()
    np.testing.assert_allclose(M.numpy(), target, atol=1e-10)


def test_float32_variables_are_solved_in_double_and_assigned_in_single():
    v = st.Variable(np.zeros(2, np.float32), name="v")
    res = st.minimize(np.sum((v - 1 / 3) ** 2), v)
    assert res.x.dtype == np.float64
    np.testing.assert_allclose(res.x, 1 / 3, rtol=1e-12)
    res.assign()
    assert v.dtype == np.float32


def test_constraints_bounds_and_their_multipliers(xy):
    x, y = xy
    res = st.minimize(
        (x - 1) ** 2 + (y - 2) ** 2, [x, y], subject_to=[x + y <= 2, x**2 + y**2 <= 4, st.between(x, 0, 2), y >= 1.75]
    )
    assert res.certificate.verdict is Verdict.CONVEX_MINIMUM
    np.testing.assert_allclose(res.x, [0.25, 1.75], atol=1e-9)
    # gradient (-1.5, -0.5) = m0*(1, 1) + m4*(0, 1)
    np.testing.assert_allclose(res.certificate.multipliers, [-1.5, 0.0, 0.0, 0.0, 1.0], atol=1e-9)
    np.testing.assert_allclose(res.certificate.bound_multipliers, 0.0, atol=1e-12)
    assert "subject_to[0]" in res.certificate.active


def test_a_scaled_bound_is_a_bound_and_keeps_its_multiplier(xy):
    x, _ = xy
    problem = st.Problem(x**2, x, subject_to=[1 - 2 * x <= -3])
    res = problem.solve()
    assert res.method == "L-BFGS-B"
    assert res.x == pytest.approx([2.0])
    assert res.certificate.multipliers == pytest.approx([-2.0])


def test_equations(xy):
    x, y = xy
    res = st.minimize(x**2 + y**2, [x, y], subject_to=[x * y == 4])
    assert res.certificate.verdict is Verdict.STRICT_LOCAL_MINIMUM
    np.testing.assert_allclose(res.x, [2.0, 2.0], rtol=1e-9)


def test_constraints_from_a_callable(xy):
    x, y = xy
    res = st.minimize(x**2 + y**2, [x, y], subject_to=lambda x, y: [x + y >= 2])
    np.testing.assert_allclose(res.x, [1.0, 1.0], rtol=1e-9)


def test_a_problem_is_solved_for_many_parameters_without_compiling_again(xy, monkeypatch):
    x, y = xy
    k = st.Variable(1.0, name="k")
    problem = st.Problem(np.exp(k * x) - x + (y - k) ** 2, [x, y], subject_to=[y <= k / 2])
    first = problem.solve()
    monkeypatch.setattr("symtape.optimize.graph_functions.Program", None)
    for value in (0.5, 2.0, 3.0):
        res = problem.solve(given={k: value}, start=first)
        assert res.success
        np.testing.assert_allclose(res.x, [-np.log(value) / value, value / 2], rtol=1e-8, atol=1e-12)


def test_parameters_have_their_values_at_the_call():
    x, k = st.Variable(0.0, name="x"), st.Variable(1.0, name="k")
    assert st.minimize((x - k) ** 2, x).params["x"] == pytest.approx(1.0)
    k.assign(3.0)
    assert st.minimize((x - k) ** 2, x).params["x"] == pytest.approx(3.0)


def test_a_symbol_is_a_parameter_that_has_to_be_given(xy):
    x, _ = xy
    a = st.symbol("a")
    problem = st.Problem((x - a) ** 2, x)
    assert problem.solve(given={"a": 4.0}).params["x"] == pytest.approx(4.0)
    with pytest.raises(MissingValueError, match="'a' has no value"):
        problem.solve()


def test_a_symbol_can_be_solved_for_from_a_start():
    a = st.symbol("a")
    res = st.minimize((a - 4) ** 2, a, start={"a": 0.0})
    assert res.params["a"] == pytest.approx(4.0)
    with pytest.raises(TypeError, match="takes no value"):
        res.assign()


def test_starts(xy):
    x, y = xy
    wells = (x**2 - 1) ** 2 + y**2
    assert st.minimize(wells, [x, y], start=[-2.0, 0.0]).params["x"] == pytest.approx(-1.0)
    assert st.minimize(wells, [x, y], start={x: -2.0}).params["x"] == pytest.approx(-1.0)
    assert st.minimize(wells, variables=[x, y], x0=[-2.0, 0.0]).params["x"] == pytest.approx(-1.0)
    earlier = st.minimize(wells, [x, y], start={"x": -2.0})
    assert st.minimize(wells, [x, y], start=earlier).params["x"] == pytest.approx(-1.0)
    assert st.minimize(wells, [x, y]).params["x"] == pytest.approx(1.0)


def test_a_start_without_a_number(xy):
    x, _ = xy
    with pytest.raises(NonFiniteError, match=r"objective is nan at the start"):
        st.minimize(np.log(x), x, start=-1.0)
    with pytest.raises(NonFiniteError, match="start is nan at x"):
        st.minimize(x**2, x, start=np.nan)
    with pytest.raises(NonFiniteError, match="derivative in x is inf"):
        st.minimize(np.sqrt(x), x, start=0.0)


def test_infeasible_and_unbounded_problems_say_so(xy):
    x, y = xy
    res = st.minimize(x**2 + y**2, [x, y], subject_to=[x >= 1, x <= 0])
    assert res.certificate.verdict is Verdict.INFEASIBLE
    res = st.minimize(x**2 + y**2, [x, y], subject_to=[x + y >= 1, x + y <= 0])
    assert res.certificate.verdict is Verdict.INFEASIBLE
    assert not res.success
    assert res.message.startswith("Infeasible")
    res = st.minimize(x**3, x)
    assert res.certificate.verdict is Verdict.UNBOUNDED
    assert not res.success


def test_wrong_calls(xy):
    x, _y = xy
    v = st.Variable(np.ones(3), name="v")
    with pytest.raises(ShapeError, match=r"objective has shape \(3,\)"):
        st.minimize(v**2, v)
    with pytest.raises(TypeError, match="wanted the variables"):
        st.minimize(x**2)
    with pytest.raises(TypeError, match="jac belongs to a callable"):
        st.minimize(x**2, x, jac=lambda x: 2 * x)
    with pytest.raises(TypeError, match="write subject_to"):
        st.minimize(x**2, x, constraints={"type": "eq", "fun": lambda x: x})
    with pytest.raises(TypeError, match="wanted a tensor"):
        st.Problem(lambda x: x**2, x)
    with pytest.raises(ConstraintError):
        st.minimize(x**2, x, subject_to=[x > 1])
    with pytest.raises(TypeError, match="wanted a callable or a tensor"):
        st.minimize(3.0, x)


def test_bounds_on_the_flat_vector(xy):
    x, y = xy
    res = st.minimize((x - 1) ** 2 + (y + 2) ** 2, [x, y], bounds=[(None, 0.5), (-1, None)])
    np.testing.assert_allclose(res.x, [0.5, -1.0])


def test_a_decision_that_the_minimum_contradicts(xy):
    x, _ = xy
    expression = (x + 5) ** 2 if x > 0 else x**2
    with pytest.raises(AssumptionViolated, match=r"test_problem\.py.*another one"):
        st.minimize(expression, x)


def test_a_decision_that_the_minimum_confirms(xy):
    x, _ = xy
    expression = (x - 5) ** 2 if x > 0 else x**2
    assert st.minimize(expression, x).params["x"] == pytest.approx(5.0)


def test_results_pickle(xy):
    x, y = xy
    res = st.minimize((x - 1) ** 2 + (y + 2) ** 2, [x, y], subject_to=[x + y >= 0])
    again = pickle.loads(pickle.dumps(res))
    assert type(again) is type(res)
    np.testing.assert_array_equal(again.x, res.x)
    assert again.params == res.params
    assert again.certificate.verdict is res.certificate.verdict
    assert (again.method, again.method.source) == (res.method, res.method.source)
    assert len(again.history) == len(res.history)
    assert str(again) == str(res)


def test_a_result_pickled_with_its_variables_still_knows_them(xy):
    x, y = xy
    res = st.minimize((x - 1) ** 2 + (y + 2) ** 2, [x, y])
    (x2, again) = pickle.loads(pickle.dumps((x, res)))
    assert again.value(x2) == pytest.approx(1.0)
    again.assign()
    assert float(x2) == pytest.approx(1.0)
    assert float(x) == 3.0


def test_the_history_leads_from_the_start_to_the_minimum(xy):
    x, y = xy
    res = st.minimize((1 - x) ** 2 + 100 * (y - x**2) ** 2, [x, y])
    np.testing.assert_array_equal(res.history.x[0], [3.0, 2.0])
    np.testing.assert_array_equal(res.history.x[-1], res.x)
    assert res.history.fun[0] > res.history.fun[-1]
    assert len(res.history) > 5


def test_a_result_prints_what_matters(xy):
    x, y = xy
    text = str(st.minimize((x - 1) ** 2 + (y + 2) ** 2, [x, y], subject_to=[x >= 2]))
    for word in ("Minimum of a convex problem", "success", "x ", "y ", "method", "KKT residual", "x >= 2"):
        assert word in text


def test_a_logistic_regression_in_matrix_form():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 4))
    labels = (X @ [1.0, -2.0, 0.5, 0.0] + rng.standard_normal(200) > 0).astype(float)
    w = st.Variable(np.zeros(4), name="w")
    z = st.constant(X) @ w
    res = st.minimize(np.sum(np.logaddexp(0.0, z) - labels * z) + 0.5 * np.sum(w**2), w)
    assert res.certificate.verdict is Verdict.STRICT_LOCAL_MINIMUM
    p = 1 / (1 + np.exp(-X @ res.x))
    np.testing.assert_allclose(X.T @ (p - labels) + res.x, 0.0, atol=1e-10)
