import numpy as np
import pytest

from symtape.optimize.curvature import examine_dense, unknown_scale
from symtape.optimize.faces import face_of
from symtape.optimize.optimality import active_set, first_order, row_multipliers
from symtape.optimize.product_curvature import examine_products
from symtape.optimize.residual_curvature import examine_residuals
from symtape.optimize.spectrum import decomposed, factored
from symtape.optimize.standard_form import Residuals
from tests.optimize.forms import INF, affine_rows, ball, form, linear, objective, quadratic

WAYS = [examine_dense, examine_products]


def look(problem, x, way=examine_dense, margin=None):
    order = first_order(problem, x)
    return way(problem, x, order.residual, row_multipliers(problem, order), order.active, margin=margin)


@pytest.mark.parametrize("way", WAYS)
def test_a_definite_quadratic_is_positive_and_newtons_step_is_exact(way):
    H = np.diag([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) + 0.1
    problem = form(quadratic(H, np.arange(6.0)), 6)
    x = np.ones(6)
    found = look(problem, x, way)
    assert found.positive
    assert not found.negative
    np.testing.assert_allclose(x + found.step, np.linalg.solve(H, -np.arange(6.0)), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("way", WAYS)
def test_a_saddle_is_negative_and_shows_the_way_down(way):
    problem = form(quadratic(np.diag([1.0, 2.0, 3.0, -1.0]), np.zeros(4)), 4)
    found = look(problem, np.zeros(4), way)
    assert found.negative
    (direction,) = found.directions
    assert np.argmax(np.abs(direction)) == 3


@pytest.mark.parametrize("way", WAYS)
def test_a_flat_direction_is_neither(way):
    problem = form(quadratic(np.diag([1.0, 2.0, 3.0, 0.0]), np.zeros(4)), 4)
    found = look(problem, np.zeros(4), way)
    assert not found.positive
    assert not found.negative
    assert abs(found.directions[0][3]) == pytest.approx(1.0)


def test_the_verdict_does_not_depend_on_units():
    units = np.array([1e-6, 1.0, 1e6])
    H = np.array([[2.0, 0.5, 0.1], [0.5, 1.0, 0.2], [0.1, 0.2, 3.0]])
    plain = look(form(quadratic(H, np.zeros(3)), 3), np.zeros(3))
    scaled = look(form(quadratic(units[:, None] * H * units, np.zeros(3)), 3), np.zeros(3))
    assert plain.positive
    assert scaled.smallest == pytest.approx(plain.smallest, rel=1e-9)


def test_the_scale_of_a_matrix_with_zero_diagonal_is_finite():
    scale = unknown_scale(np.array([[0.0, 4.0], [4.0, 0.0]]))
    np.testing.assert_allclose(scale[:, None] * [[0.0, 4.0], [4.0, 0.0]] * scale, [[0.0, 1.0], [1.0, 0.0]], rtol=0.2)
    np.testing.assert_array_equal(unknown_scale(np.zeros((2, 2))), [1.0, 1.0])


def test_on_a_face_only_its_own_directions_count():
    # x*y is a saddle, but on the line x = y it is a minimum
    problem = form(quadratic([[0.0, 1.0], [1.0, 0.0]], [0.0, 0.0]), 2, rows=[affine_rows([[1.0, -1.0]], [0.0], [0.0])])
    assert look(problem, np.zeros(2)).positive
    problem = form(quadratic([[0.0, 1.0], [1.0, 0.0]], [0.0, 0.0]), 2, rows=[affine_rows([[1.0, 1.0]], [0.0], [0.0])])
    assert look(problem, np.zeros(2)).negative


def test_the_curvature_of_an_active_constraint_counts():
    # a linear objective on a sphere: all curvature is the constraint's
    problem = form(linear([1.0, 0.0]), 2, rows=[ball(2, 1.0)])
    assert look(problem, np.array([-1.0, 0.0])).positive


def test_a_vertex_has_no_directions():
    problem = form(linear([1.0, 1.0]), 2, [0.0, 0.0], [INF, INF])
    found = look(problem, np.zeros(2))
    assert found.smallest == np.inf
    assert found.positive
    assert active_set(problem, np.zeros(2)).size == 2


def test_the_directions_of_a_face_keep_its_constraints():
    rng = np.random.default_rng(0)
    A = rng.standard_normal((2, 5))
    problem = form(linear(np.ones(5)), 5, [0.0, -INF, -INF, -INF, -INF], rows=[affine_rows(A, [0, 0], [0, 0])])
    scale = rng.uniform(0.5, 2.0, 5)
    face = face_of(active_set(problem, np.zeros(5)), scale)
    assert face.size == 2
    np.testing.assert_allclose(face.basis.T @ face.basis, np.eye(2), atol=1e-12)
    steps = face.expand(np.eye(2))
    np.testing.assert_allclose(A @ steps, 0.0, atol=1e-12)
    np.testing.assert_array_equal(steps[0], 0.0)
    H = A.T @ A + np.eye(5)
    np.testing.assert_allclose(face.matrix(H), steps.T @ H @ steps, atol=1e-12)
    np.testing.assert_allclose(face.vector(np.arange(5.0)), steps.T @ np.arange(5.0), atol=1e-12)


def test_a_factorization_finds_what_the_spectrum_does():
    rng = np.random.default_rng(4)
    A = rng.standard_normal((30, 30))
    matrix, slopes, change = A @ A.T + np.eye(30), rng.standard_normal(30), np.diag(rng.standard_normal(30))
    slow, fast = decomposed(matrix, slopes), factored(matrix, slopes)
    np.testing.assert_allclose(fast.step, slow.step, rtol=1e-7, atol=1e-8)
    assert fast.smallest == pytest.approx(slow.smallest, rel=0.05)
    assert fast.relative_size(change) == pytest.approx(slow.relative_size(change), rel=0.05)
    assert factored(matrix - 2 * np.eye(30), slopes) is None or slow.smallest > 2
    assert factored(np.diag([1.0, 1e-10]), np.zeros(2)) is None


def test_drift_tells_a_quadratic_from_what_only_looks_like_one():
    margin = np.zeros(1)
    quartic = objective(lambda x: x[0] ** 4, lambda x: 4 * x**3, lambda x: [[12 * x[0] ** 2]])
    assert look(form(quadratic([[2.0]], [0.0]), 1), np.array([1e-3]), margin=margin).drift == 0.0
    assert look(form(quartic, 1), np.array([1e-3]), margin=margin).drift > 0.5
    fading = objective(lambda x: np.exp(-x[0]), lambda x: -np.exp(-x), lambda x: [[np.exp(-x[0])]])
    assert look(form(fading, 1), np.array([20.0]), margin=margin).drift > 0.5


def test_a_hessian_that_is_not_finite_is_not_examined():
    broken = objective(lambda x: 0.0, lambda x: np.zeros(1), lambda x: [[np.nan]])
    found = look(form(broken, 1), np.zeros(1))
    assert not found.examined
    assert not found.positive
    assert not found.negative


def residual_form(condition):
    """Residuals ``J x`` with columns that are nearly the same, so that J.T J has the square of that condition."""
    t = np.linspace(0.0, 1.0, 8)
    J = np.column_stack([np.ones(8), 1 + t / condition])
    residuals = Residuals(joint=lambda x: (J @ x - 1.0, J), bend=lambda x, r: np.zeros((2, 2)))
    problem = form(quadratic(J.T @ J, -J.T @ np.ones(8)), 2)
    problem.objective.residuals = residuals
    return problem, residuals, J


def test_qr_sees_curvature_that_the_normal_matrix_has_lost():
    problem, residuals, J = residual_form(1e7)
    x = np.array([3.0, 4.0])
    found = examine_residuals(problem, residuals, x, active_set(problem, x), margin=None)
    assert found.positive
    np.testing.assert_allclose(J @ (x + found.step), 1.0, rtol=1e-9)
    assert not look(problem, x).positive


def test_a_deficient_jacobian_has_no_qr_form():
    problem, residuals, _ = residual_form(np.inf)
    assert examine_residuals(problem, residuals, np.zeros(2), active_set(problem, np.zeros(2)), margin=None) is None


def test_strong_curvature_of_the_model_makes_a_saddle_of_residuals():
    J = np.eye(2)
    residuals = Residuals(joint=lambda x: (np.array([0.0, 0.0]), J), bend=lambda x, r: np.diag([-2.0, 0.0]))
    problem = form(quadratic(np.diag([-1.0, 1.0]), [0.0, 0.0]), 2)
    found = examine_residuals(problem, residuals, np.zeros(2), active_set(problem, np.zeros(2)), margin=None)
    assert found.negative
    assert found.smallest == pytest.approx(-1.0)
