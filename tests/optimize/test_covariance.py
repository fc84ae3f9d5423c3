import numpy as np
import pytest

from symtape.optimize.covariance import parameter_covariance


def design(seed=0, m=20, n=3):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((m, n)), rng.standard_normal(m)


def test_the_covariance_of_a_well_conditioned_problem():
    J, r = design()
    expected = np.linalg.inv(J.T @ J)
    found = parameter_covariance(J, r, absolute=True)
    np.testing.assert_allclose(found.matrix, expected, rtol=1e-12)
    np.testing.assert_allclose(found.deviations, np.sqrt(np.diag(expected)), rtol=1e-12)
    scaled = parameter_covariance(J, r, absolute=False)
    np.testing.assert_allclose(scaled.matrix, expected * (r @ r) / 17, rtol=1e-12)
    assert scaled.variance == pytest.approx((r @ r) / 17)


def test_units_of_the_parameters_do_not_matter():
    J, r = design()
    units = np.array([1e-12, 1.0, 1e9])
    plain = parameter_covariance(J, r, absolute=True).matrix
    scaled = parameter_covariance(J * units, r, absolute=True)
    assert scaled.rank == 3
    np.testing.assert_allclose(scaled.matrix * np.outer(units, units), plain, rtol=1e-10)


def test_the_normal_matrix_is_not_formed():
    t = np.linspace(0, 1, 30)
    J = np.column_stack([np.ones(30), 1 + 1e-9 * t])
    found = parameter_covariance(J, np.ones(30), absolute=True)
    assert found.determined
    # exact: the variance of the slope of 1e-9*t beside a constant
    assert found.matrix[1, 1] == pytest.approx(1e18 / np.sum((t - t.mean()) ** 2), rel=1e-5)


@pytest.mark.parametrize("J", [np.ones((5, 2)), np.column_stack([np.ones(5), np.zeros(5)]), np.full((5, 2), np.nan)])
def test_what_is_not_determined_is_infinite(J):
    found = parameter_covariance(J, np.ones(5), absolute=True)
    assert not found.determined
    assert np.all(np.isinf(found.matrix))


def test_no_degrees_of_freedom_leave_the_scale_open():
    J, r = design(m=3)
    assert not parameter_covariance(J, r, absolute=False).determined
    assert parameter_covariance(J, r, absolute=True).determined
