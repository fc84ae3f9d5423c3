import numpy as np
import pytest

from symtape.optimize.certify import Verdict, certify
from symtape.optimize.optimality import active_set, first_order
from symtape.optimize.polish import polish
from symtape.optimize.probes import falls_without_limit, lower_along, restore
from tests.optimize.forms import INF, affine_rows, ball, form, linear, objective, quadratic


def rosenbrock():
    return objective(
        lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2,
        lambda x: np.array([-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)]),
        lambda x: [[1200 * x[0] ** 2 - 400 * x[1] + 2, -400 * x[0]], [-400 * x[0], 200.0]],
    )


def test_a_few_newton_steps_reach_rounding():
    x, steps = polish(form(rosenbrock(), 2), np.array([1.001, 1.0015]))
    np.testing.assert_allclose(x, 1.0, atol=1e-14)
    assert 0 < steps < 10


def test_polishing_may_be_limited():
    start = np.array([1.1, 1.3])
    assert polish(form(rosenbrock(), 2), start, steps=0)[1] == 0
    assert polish(form(rosenbrock(), 2), start, steps=1)[1] == 1


def test_a_minimum_of_higher_order_is_reached_too():
    quartic = objective(lambda x: x[0] ** 4, lambda x: 4 * x**3, lambda x: [[12 * x[0] ** 2]])
    x, _ = polish(form(quartic, 1), np.array([0.3]))
    assert abs(x[0]) < 1e-10


def test_a_point_short_of_its_bound_is_put_onto_it():
    problem = form(quadratic(np.eye(2), [-3.0, 0.5]), 2, [-INF, 0.0], [1.0, INF])
    x, _ = polish(problem, np.array([1.0 - 1e-5, 1e-6]))
    np.testing.assert_array_equal(x, [1.0, 0.0])


def test_a_bound_that_does_not_pull_is_left():
    problem = form(quadratic(np.eye(1), [-3.0]), 1, [0.0], [10.0])
    x, _ = polish(problem, np.zeros(1))
    assert x[0] == pytest.approx(3.0)


def test_violated_and_nearly_active_rows_are_met():
    problem = form(linear([1.0, 0.0]), 2, rows=[ball(2, 1.0)])
    for start in ([-1.001, 0.003], [-0.9995, 0.002]):
        x, _ = polish(problem, np.array(start))
        np.testing.assert_allclose(x, [-1.0, 0.0], atol=1e-12)
        assert certify(problem, x, np.zeros(2)).success


def test_polishing_never_makes_a_point_worse():
    far = np.array([-1.2, 1.0])
    x, _ = polish(form(rosenbrock(), 2), far)
    assert rosenbrock().value(x) <= rosenbrock().value(far)


def test_lower_points_are_looked_for_on_the_constraints():
    # on the unit circle -x**2 falls away from (0, 1) in both directions
    problem = form(
        objective(lambda x: -(x[0] ** 2), lambda x: np.array([-2 * x[0], 0.0]), lambda x: np.diag([-2.0, 0.0])),
        2,
        rows=[ball(2, 1.0)],
    )
    problem.rows[0].lower = problem.rows[0].upper
    x = np.array([0.0, 1.0])
    order = first_order(problem, x)
    found = lower_along(problem, x, np.array([[1.0, 0.0]]), order, order.active, x)
    assert found is not None
    assert found @ found == pytest.approx(1.0)
    assert abs(found[0]) > 0.5


def test_a_lower_point_outside_is_none():
    problem = form(linear([1.0]), 1, [0.0], [INF])
    x = np.zeros(1)
    assert lower_along(problem, x, np.ones((1, 1)), first_order(problem, x), active_set(problem, x), x) is None


def test_restoring_meets_what_is_violated():
    problem = form(linear([1.0, 0.0]), 2, rows=[ball(2, 1.0), affine_rows([[0.0, 1.0]], [0.5], [INF])])
    x = restore(problem, np.array([1.0, 0.4]), active_set(problem, np.zeros(2)))
    assert x @ x <= 1 + 1e-10
    assert x[1] >= 0.5 - 1e-10


@pytest.mark.parametrize(
    ("shape", "x", "unbounded"),
    [
        (linear([1.0]), 0.0, True),
        (quadratic([[-1.0]], [0.0]), 1.0, True),
        (objective(lambda x: -np.log(x[0]), lambda x: -1 / x, lambda x: [[1 / x[0] ** 2]]), 1.0, True),
        (objective(lambda x: np.exp(-x[0]), lambda x: -np.exp(-x), lambda x: [[np.exp(-x[0])]]), 1.0, False),
        (objective(lambda x: 1 / x[0], lambda x: -1 / x**2, lambda x: [[2 / x[0] ** 3]]), 1.0, False),
        (quadratic([[1.0]], [-1.0]), 0.0, False),
    ],
)
def test_what_falls_without_limit(shape, x, unbounded):
    at = np.array([x])
    assert falls_without_limit(form(shape, 1), at, at - 0.5, shape.gradient(at)) is unbounded


def test_a_bound_stops_the_fall():
    shape = linear([1.0, 1.0])
    at = np.ones(2)
    assert falls_without_limit(form(shape, 2, [0.0, -INF], [INF, INF]), at, at, shape.gradient(at))
    assert not falls_without_limit(form(shape, 2, [0.0, 0.0], [INF, INF]), at, at, shape.gradient(at))
    rows = [affine_rows([[1.0, 1.0]], [0.0], [INF])]
    assert not falls_without_limit(form(shape, 2, rows=rows), np.zeros(2), np.zeros(2), shape.gradient(at))


def test_verdicts_agree_after_polishing():
    x, _ = polish(form(rosenbrock(), 2), np.array([0.9, 0.8]))
    assert certify(form(rosenbrock(), 2), x, np.zeros(2)).verdict is Verdict.STRICT_LOCAL_MINIMUM
