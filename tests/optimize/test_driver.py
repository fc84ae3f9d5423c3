import numpy as np
import pytest

from symtape.errors import MethodCapabilityError, UnknownNameError
from symtape.optimize.certify import Verdict
from symtape.optimize.driver import Search
from symtape.optimize.feasibility import least_violation
from symtape.optimize.history import History
from symtape.optimize.method import check_capable, choose
from symtape.optimize.scipy_methods import METHODS, method_named, preference
from symtape.optimize.scipy_rows import dependent_equations
from tests.optimize.forms import INF, affine_rows, ball, form, linear, objective, quadratic


def solve(problem, start, method=None, **settings):
    start = np.asarray(start, float)
    methods = choose(problem, preference(problem)) if method is None else [method_named(method)]
    return Search(problem, start, **settings).solve(methods)


def double_well():
    return objective(
        lambda x: (x[0] ** 2 - 1) ** 2 + x[1] ** 2,
        lambda x: np.array([4 * x[0] * (x[0] ** 2 - 1), 2 * x[1]]),
        lambda x: np.diag([12 * x[0] ** 2 - 4, 2.0]),
    )


def test_a_saddle_is_left():
    attempt = solve(form(double_well(), 2), [0.0, 0.0])
    assert attempt.certificate.verdict is Verdict.STRICT_LOCAL_MINIMUM
    assert abs(attempt.x[0]) == pytest.approx(1.0)


def test_every_method_does_what_its_record_says():
    quadratic_part = quadratic(np.diag([1.0, 2.0]), [-1.0, -4.0])
    bounded = form(quadratic_part, 2, [-INF, -INF], [INF, 1.0])
    with_rows = form(quadratic_part, 2, rows=[affine_rows([[1.0, 1.0]], [-INF], [2.0])])
    with_equation = form(quadratic_part, 2, rows=[affine_rows([[1.0, 1.0]], [2.0], [2.0])])
    curved = form(quadratic_part, 2, rows=[ball(2, 1.0)])
    for name, method in METHODS.items():
        able = 0
        for problem in (
            form(quadratic_part, 2),
            bounded,
            with_rows,
            with_equation,
            curved,
            form(linear([1.0]), 1, [0]),
        ):
            if method.capabilities.lacks(problem):
                with pytest.raises(MethodCapabilityError, match="does not take"):
                    check_capable(method, problem, METHODS.values())
                continue
            able += 1
            attempt = solve(problem, np.zeros(problem.size), name)
            assert attempt.certificate.success, (name, attempt.outcome.message)
            assert attempt.certificate.verdict is Verdict.CONVEX_MINIMUM
        assert able, name


def test_an_unknown_method_lists_the_names():
    with pytest.raises(UnknownNameError, match=r"'newton'.*trust-exact.*SLSQP"):
        method_named("newton")


def test_linear_programs_go_to_highs():
    rows = [affine_rows([[1.0, 1.0], [1.0, 3.0]], [-INF, -INF], [4.0, 6.0])]
    attempt = solve(form(linear([-3.0, -5.0]), 2, [0.0, 0.0], [INF, INF], rows), [0.0, 0.0])
    assert attempt.method.name == "highs"
    np.testing.assert_allclose(attempt.x, [3.0, 1.0])
    assert attempt.certificate.multipliers == pytest.approx([-2.0, -1.0])


@pytest.mark.parametrize(
    ("problem", "verdict"),
    [
        (form(linear([1.0, 1.0]), 2), Verdict.UNBOUNDED),
        (form(linear([1.0]), 1, rows=[affine_rows([[1.0]], [-INF], [5.0])]), Verdict.UNBOUNDED),
        (form(quadratic(np.diag([1.0, -1.0]), [0.0, 1.0]), 2), Verdict.UNBOUNDED),
        (
            form(quadratic(np.eye(2), [0, 0]), 2, rows=[affine_rows([[1.0, 1.0], [1.0, 1.0]], [1, -INF], [INF, 0])]),
            Verdict.INFEASIBLE,
        ),
        (form(linear([1.0, 0]), 2, rows=[ball(2, 1.0), affine_rows([[1.0, 1.0]], [5.0], [INF])]), Verdict.INFEASIBLE),
        (
            form(quadratic(np.eye(2), [0, 0]), 2, [-0.5, -0.5], [0.5, 0.5], [ball(2, 1.0, outside=True)]),
            Verdict.LOCALLY_INFEASIBLE,
        ),
    ],
)
def test_problems_without_a_minimum(problem, verdict):
    attempt = solve(problem, np.full(problem.size, 0.3))
    assert attempt.certificate.verdict is verdict
    assert not attempt.certificate.success


def test_an_infeasible_end_is_answered_by_a_feasible_start():
    # from the center of the ball its gradient vanishes: SLSQP sees no way out
    problem = form(quadratic(np.eye(2), [-0.1, 0.0]), 2, rows=[ball(2, 1.0, outside=True)])
    attempt = solve(problem, [1e-3, 0.0])
    assert attempt.certificate.success
    assert attempt.x @ attempt.x == pytest.approx(1.0)


def test_least_violation_of_affine_rows_is_settled_by_a_linear_program():
    problem = form(linear([1.0]), 1, [0.0], [1.0], [affine_rows([[1.0]], [2.0], [INF])])
    found = least_violation(problem, np.zeros(1))
    assert found.proved
    assert not found.feasible
    problem = form(linear([1.0, 1.0]), 2, rows=[affine_rows([[1.0, 1.0]], [2.0], [2.0])])
    assert least_violation(problem, np.zeros(2)).feasible


def test_a_limit_that_the_caller_set_is_kept():
    attempt = solve(form(double_well(), 2), [0.3, 0.7], "BFGS", options={"maxiter": 1})
    assert attempt.certificate.verdict is Verdict.LIMIT
    assert attempt.polished == 0


def test_a_callback_stops_the_search_and_the_history_has_the_iterates():
    seen = []

    def stop(x, value, state):
        seen.append(x)
        return len(seen) == 2

    search = Search(form(double_well(), 2), np.array([0.3, 0.7]), user_callback=stop)
    attempt = search.solve([method_named("BFGS")])
    assert attempt.certificate.verdict is Verdict.STOPPED
    assert len(seen) == 2
    np.testing.assert_array_equal(attempt.x, seen[-1])
    np.testing.assert_array_equal(search.history.x, [[0.3, 0.7], *seen])


@pytest.mark.parametrize("name", ["TNC", "SLSQP", "trust-constr", "Nelder-Mead", "L-BFGS-B", "trust-exact", "CG"])
def test_every_method_reports_iterates_and_can_be_stopped(name):
    calls = []
    search = Search(form(double_well(), 2), np.array([0.3, 0.7]), user_callback=lambda x, f, s: bool(calls.append(x)))
    assert search.solve([method_named(name)]).certificate.success
    assert len(calls) > 1
    search = Search(form(double_well(), 2), np.array([0.3, 0.7]), user_callback=lambda x, f, s: True)
    assert search.solve([method_named(name)]).certificate.verdict is Verdict.STOPPED


def test_equations_that_follow_from_others_are_found():
    rows = [affine_rows([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0])]
    marked = dependent_equations(form(linear([1.0, 1.0]), 2, rows=rows), np.zeros(2))
    assert np.count_nonzero(marked) == 1
    rows = [affine_rows([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [1.0, 2.0, 4.0], [1.0, 2.0, 4.0])]
    assert not np.any(dependent_equations(form(linear([1.0, 1.0]), 2, rows=rows), np.zeros(2)))
    attempt = solve(
        form(quadratic(np.eye(2), [0.0, 0.0]), 2, rows=[affine_rows([[1.0, 1.0], [2.0, 2.0]], [1, 2], [1, 2])]),
        [0.0, 0.0],
        "SLSQP",
    )
    assert attempt.certificate.success


def test_a_long_history_is_thinned():
    history = History()
    for k in range(100):
        history.add(np.full(200_000, float(k)), float(k))
    assert history.count == 100
    assert len(history) < 50
    assert history.stride > 1
    assert history[0].iteration == 0
    assert repr(history).startswith("<History: 100 iterates")


def test_history_keeps_each_point_once():
    history = History()
    history.add(np.zeros(2), 1.0)
    history.add(np.zeros(2), 1.0)
    history.add(np.ones(2), 0.5)
    assert [iterate.iteration for iterate in history] == [0, 1]
    np.testing.assert_array_equal(history.fun, [1.0, 0.5])
    assert repr(History()) == "<History: empty>"
