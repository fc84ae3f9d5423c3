import numpy as np
import pytest

from symtape.optimize.certify import Certificate, Verdict, certify, unchecked
from tests.optimize.forms import INF, affine_rows, ball, form, linear, objective, quadratic


def cubic():
    return objective(lambda x: x[0] ** 3, lambda x: 3 * x**2, lambda x: [[6 * x[0]]])


def quartic():
    return objective(lambda x: x[0] ** 4, lambda x: 4 * x**3, lambda x: [[12 * x[0] ** 2]])


def cosine():
    return objective(lambda x: -np.cos(x[0]), np.sin, lambda x: [[np.cos(x[0])]])


def test_a_strict_local_minimum():
    found = certify(form(cosine(), 1), np.array([2 * np.pi]), np.array([5.0]))
    assert found.verdict is Verdict.STRICT_LOCAL_MINIMUM
    assert found.success
    assert not found.convex
    assert found.curvature == pytest.approx(1.0)


def test_a_point_near_a_minimum_is_not_one():
    found = certify(form(cosine(), 1), np.array([2 * np.pi + 1e-3]), np.array([5.0]))
    assert found.verdict is Verdict.NOT_CONVERGED
    assert not found.success
    assert found.kkt_residual == pytest.approx(1e-3, rel=1e-3)


def test_a_maximum_is_no_minimum():
    found = certify(form(cosine(), 1), np.array([np.pi]), np.array([3.0]))
    assert found.verdict is Verdict.NOT_A_MINIMUM
    assert not found.success
    assert cosine().value(found.lower) < 1.0


def test_the_minimum_of_a_convex_problem_may_be_flat():
    problem = form(quadratic(np.diag([2.0, 0.0]), [-2.0, 0.0]), 2)
    found = certify(problem, np.array([1.0, 7.0]), np.array([0.0, 7.0]))
    assert found.verdict is Verdict.CONVEX_MINIMUM
    assert found.success
    assert found.convex


def test_a_flat_point_without_a_lower_neighbor_is_undecided_and_success():
    found = certify(form(quartic(), 1), np.zeros(1), np.ones(1))
    assert found.verdict is Verdict.CURVATURE_UNDECIDED
    assert found.semidefinite
    assert found.lower is None
    assert found.success


def test_a_flat_point_with_a_lower_neighbor_is_no_success():
    found = certify(form(cubic(), 1), np.zeros(1), np.ones(1))
    assert found.verdict is Verdict.CURVATURE_UNDECIDED
    assert found.lower is not None
    assert found.lower[0] < 0
    assert not found.success


def test_a_small_gradient_far_out_is_no_minimum():
    fading = objective(lambda x: np.exp(-x[0]), lambda x: -np.exp(-x), lambda x: [[np.exp(-x[0])]])
    found = certify(form(fading, 1), np.array([40.0]), np.zeros(1))
    assert found.kkt_residual < 1e-17
    assert found.verdict is Verdict.NOT_CONVERGED


def test_a_valley_that_falls_for_ever_is_no_success():
    def value(x):
        return 1 / (1 + np.exp(x[0])) + x[1] ** 2

    def gradient(x):
        s = 1 / (1 + np.exp(x[0]))
        return np.array([-s * (1 - s), 2 * x[1]])

    def hessian(x):
        s = 1 / (1 + np.exp(x[0]))
        return np.diag([s * (1 - s) * (1 - 2 * s), 2.0])

    found = certify(form(objective(value, gradient, hessian), 2), np.array([30.0, 0.0]), np.zeros(2))
    assert not found.success


def test_units_of_x_and_of_the_objective_do_not_matter():
    for unit in (1e-8, 1.0, 1e8):
        for size in (1e-12, 1.0, 1e12):
            shape = objective(
                lambda x, u=unit, s=size: s * -np.cos(x[0] / u),
                lambda x, u=unit, s=size: s / u * np.sin(x / u),
                lambda x, u=unit, s=size: [[s / u**2 * np.cos(x[0] / u)]],
            )
            at = form(shape, 1)
            start = np.array([5.0 * unit])
            assert certify(at, np.array([2 * np.pi * unit]), start).verdict is Verdict.STRICT_LOCAL_MINIMUM
            assert not certify(at, np.array([6.2 * unit]), start).success


def test_a_bound_that_holds_makes_a_minimum_of_a_slope():
    found = certify(form(linear([1.0, -2.0]), 2, [0.0, 0.0], [1.0, 1.0]), np.array([0.0, 1.0]), np.full(2, 0.5))
    assert found.verdict is Verdict.CONVEX_MINIMUM
    assert found.bound_multipliers == pytest.approx([1.0, -2.0])
    assert found.active == ("x[0] >= 0", "x[1] <= 1")
    found = certify(form(linear([1.0, -2.0]), 2, [0.0, 0.0], [1.0, 1.0]), np.array([0.0, 0.0]), np.full(2, 0.5))
    assert found.verdict is Verdict.NOT_CONVERGED


def test_curvature_of_an_active_nonlinear_constraint():
    problem = form(linear([1.0, 0.0]), 2, rows=[ball(2, 1.0, outside=True)])
    assert certify(problem, np.array([1.0, 0.0]), np.array([2.0, 0.0])).verdict is not Verdict.STRICT_LOCAL_MINIMUM
    problem = form(linear([1.0, 0.0]), 2, rows=[ball(2, 1.0)])
    found = certify(problem, np.array([-1.0, 0.0]), np.zeros(2))
    assert found.verdict is Verdict.CONVEX_MINIMUM
    assert found.multipliers == pytest.approx([-0.5])
    assert found.active == ("ball",)


def test_an_infeasible_point_is_not_certified():
    found = certify(form(linear([1.0]), 1, rows=[affine_rows([[1.0]], [1.0], [INF])]), np.zeros(1), np.zeros(1))
    assert found.verdict is Verdict.NOT_CONVERGED
    assert found.violation == pytest.approx(0.5)
    assert not found.success


def test_multipliers_that_do_not_exist():
    """Hock and Schittkowski 13: at its minimum the constraints have opposite gradients, no multipliers balance."""
    cusp = objective(
        lambda x: (x[0] - 2) ** 2 + x[1] ** 2, lambda x: np.array([2 * (x[0] - 2), 2 * x[1]]), lambda x: 2 * np.eye(2)
    )
    rows = affine_rows(np.zeros((1, 2)), [0.0], [INF])
    rows.function = lambda x: np.array([(1 - x[0]) ** 3 - x[1]])
    rows.full_jacobian = lambda x: np.array([[-3 * (1 - x[0]) ** 2, -1.0]])
    problem = form(cusp, 2, [0.0, 0.0], [INF, INF], [rows])
    for x in (np.array([1.0, 0.0]), np.array([1.0 + 1e-6, 0.0]), np.array([1.0 - 1e-7, 0.0])):
        assert not certify(problem, x, np.full(2, 0.5)).success


def test_what_is_not_finite_is_not_certified():
    broken = objective(lambda x: np.log(x[0]), lambda x: 1 / x, lambda x: [[-1 / x[0] ** 2]])
    assert certify(form(broken, 1), np.array([-1.0]), np.ones(1)).verdict is Verdict.NOT_FINITE


def test_the_verdict_where_the_conditions_do_not_hold_can_be_named():
    for verdict in (Verdict.LIMIT, Verdict.STOPPED):
        assert certify(form(cosine(), 1), np.array([1.0]), np.zeros(1), verdict).verdict is verdict


@pytest.mark.parametrize("verdict", list(Verdict))
def test_success_follows_from_the_verdict(verdict):
    nothing = np.zeros(0)
    found = Certificate(verdict=verdict, multipliers=nothing, bound_multipliers=nothing, semidefinite=True)
    expected = verdict in {Verdict.STRICT_LOCAL_MINIMUM, Verdict.CONVEX_MINIMUM, Verdict.CURVATURE_UNDECIDED}
    assert found.success is expected
    doubtful = Certificate(verdict=verdict, multipliers=nothing, bound_multipliers=nothing, semidefinite=False)
    assert doubtful.success is (expected and verdict is not Verdict.CURVATURE_UNDECIDED)
    assert found.sentence == verdict.value
    assert found.sentence[0].isupper()
    assert found.sentence[-1] == "."


def test_a_certificate_prints_its_findings():
    text = str(certify(form(cosine(), 1), np.zeros(1), np.ones(1)))
    assert text.startswith("Strict local minimum")
    for word in ("KKT residual", "violation", "curvature", "active"):
        assert word in text
    assert unchecked(Verdict.INFEASIBLE, form(cosine(), 1)).success is False
