import numpy as np
import pytest
import scipy.optimize

from symtape.optimize.nonnegative import nonnegative_least_squares


@pytest.mark.parametrize("seed", range(20))
def test_random_problems_agree_with_bounded_least_squares(seed):
    rng = np.random.default_rng(seed)
    n, k = rng.integers(2, 12, 2)
    A, b = rng.standard_normal((n, k)), rng.standard_normal(n)
    found = nonnegative_least_squares(A, b)
    other = scipy.optimize.lsq_linear(A, b, (0, np.inf), tol=1e-14, method="bvls" if n >= k else "trf").x
    assert np.all(found >= 0)
    assert np.linalg.norm(A @ found - b) <= np.linalg.norm(A @ other - b) + 1e-9
    gradient = A.T @ (A @ found - b)
    np.testing.assert_allclose(gradient[found > 0], 0.0, atol=1e-10)
    assert np.all(gradient >= -1e-10)


def test_dependent_and_opposite_columns():
    A = np.array([[1.0, 1.0, -1.0], [0.0, 0.0, 0.0]])
    found = nonnegative_least_squares(A, np.array([2.0, 1.0]))
    assert A @ found == pytest.approx([2.0, 0.0])
    np.testing.assert_array_equal(nonnegative_least_squares(A[:, :2], np.array([-2.0, 1.0])), 0.0)
    assert nonnegative_least_squares(np.zeros((3, 0)), np.ones(3)).size == 0
