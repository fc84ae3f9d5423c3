import numpy as np
import pytest

from symtape.optimize.optimality import (
    active_set,
    bound_multipliers,
    first_order,
    limit_excess,
    multipliers,
    row_multipliers,
    violation,
)
from tests.optimize.forms import INF, affine_rows, ball, form, linear, quadratic


def test_violation_is_relative_to_the_limit_and_zero_inside():
    problem = form(linear([1.0, 1.0]), 2, [0.0, -INF], [INF, 10.0], [affine_rows([[1.0, 1.0]], [-INF], [99.0])])
    assert violation(problem, np.array([1.0, 1.0])) == 0.0
    assert violation(problem, np.array([-0.5, 1.0])) == pytest.approx(0.5)
    assert violation(problem, np.array([0.0, 21.0])) == pytest.approx(1.0)
    assert violation(problem, np.array([109.0, 0.0])) == pytest.approx(0.1)


def test_nan_counts_as_an_infinite_violation():
    problem = form(linear([1.0]), 1, [0.0])
    assert violation(problem, np.array([np.nan])) == np.inf
    assert limit_excess(np.array([np.nan]), np.array([-INF]), np.array([INF]))[0] == np.inf


def test_the_active_set_orients_normals_into_the_feasible_side():
    problem = form(
        linear([1.0, 1.0]), 2, [0.0, -INF], [INF, 2.0], [affine_rows([[1.0, -1.0]], [-INF], [-2.0], "difference")]
    )
    active = active_set(problem, np.array([0.0, 2.0]))
    assert active.bounds == 2
    np.testing.assert_array_equal(active.normals, [[1.0, 0.0], [0.0, -1.0], [-1.0, 1.0]])
    np.testing.assert_array_equal(active.gaps, [0.0, 0.0, 0.0])
    np.testing.assert_array_equal(active.free, [False, False])


def test_a_constraint_far_from_its_limit_is_not_active():
    problem = form(linear([1.0]), 1, [0.0], [10.0])
    assert active_set(problem, np.array([5.0])).size == 0
    assert active_set(problem, np.array([1e-9])).size == 1
    assert active_set(problem, np.array([1e-3])).size == 0
    assert active_set(problem, np.array([1e-3]), tolerance=1e-2).size == 1


def test_equal_limits_are_equations():
    problem = form(linear([1.0, 1.0]), 2, [1.0, -INF], [1.0, INF], [affine_rows([[0.0, 1.0]], [3.0], [3.0])])
    active = active_set(problem, np.array([1.0, 7.0]))
    np.testing.assert_array_equal(active.equation, [True, True])


def test_multipliers_of_an_equation_may_have_both_signs_and_of_an_inequality_not():
    # minimize x + y on the line x + y = 1: gradient (1, 1) is the normal itself
    problem = form(linear([1.0, 1.0]), 2, rows=[affine_rows([[-1.0, -1.0]], [-1.0], [-1.0])])
    order = first_order(problem, np.array([0.5, 0.5]))
    assert row_multipliers(problem, order) == pytest.approx([-1.0])
    assert order.kkt_residual == pytest.approx(0.0)
    # the same as x + y <= 1: the gradient points out of the feasible side, no multiplier helps
    problem = form(linear([1.0, 1.0]), 2, rows=[affine_rows([[1.0, 1.0]], [-INF], [1.0])])
    order = first_order(problem, np.array([0.5, 0.5]))
    assert row_multipliers(problem, order) == pytest.approx([0.0])
    assert order.kkt_residual == pytest.approx(1.0)


def test_signs_follow_the_limit_that_holds():
    problem = form(quadratic(np.eye(2), [-3.0, 3.0]), 2, [-1.0, -1.0], [1.0, 1.0])
    order = first_order(problem, np.array([1.0, -1.0]))
    assert bound_multipliers(problem, order) == pytest.approx([-2.0, 2.0])
    assert order.kkt_residual == 0.0


def test_multipliers_by_nonnegative_least_squares_with_equations_and_bounds():
    rng = np.random.default_rng(3)
    normals = rng.standard_normal((4, 6))
    problem = form(
        linear(normals.T @ [2.0, 0.5, 1.0, -3.0] + np.eye(6)[5] * 0.7),
        6,
        [-INF] * 5 + [0.0],
        rows=[affine_rows(normals[:3], [0.0] * 3, [INF] * 3), affine_rows(normals[3:], [0.0], [0.0])],
    )
    order = first_order(problem, np.zeros(6))
    assert order.kkt_residual < 1e-12
    assert row_multipliers(problem, order) == pytest.approx([2.0, 0.5, 1.0, -3.0])
    assert bound_multipliers(problem, order)[5] == pytest.approx(0.7)


def test_where_no_sign_fits_least_squares_leaves_the_least():
    active = first_order(form(ball_objective(), 2, rows=[ball(2, 1.0)]), np.array([1.0, 0.0])).active
    found = multipliers(np.array([1.0, 0.0]), active)  # uphill is inward
    assert found == pytest.approx([0.0])


def ball_objective():
    return linear([1.0, 0.0])


def test_complementarity_weighs_the_gap_with_the_multiplier():
    problem = form(linear([2.0]), 1, [0.0])
    order = first_order(problem, np.array([1e-8]))
    assert order.complementarity == pytest.approx(2e-8)
