"""Polynomials at their edges: zeros at either end, complex roots, points that do not fit; refusals."""

import numpy as np
import pytest

import symtape as st
from tests.ops.against_numpy import agree_as_tensors, both_refuse


@pytest.mark.parametrize("p", [[0, 0], [3.0], [0.0, 2.0, 0.0], [1.0, -6.0, 11.0, -6.0], [0, 1, -1, 0, 0]])
def test_roots_with_zeros_at_the_ends(p):
    agree_as_tensors(np.roots, np.array(p))


def test_roots_have_the_derivative_of_the_implicit_function():
    p = np.array([2.0, -3.0, -4.0, 1.5])
    slopes = st.jacobian(np.roots)(p)
    for r, row in zip(np.roots(p), slopes, strict=True):
        np.testing.assert_allclose(row, -(r ** np.arange(3, -1, -1)) / np.polyval(np.polyder(p), r), rtol=1e-10)


def test_complex_roots_are_an_error():
    with pytest.raises(st.errors.ComplexSpectrumError, match="complex eigenvalues"):
        np.roots(st.constant([1.0, 0.0, 1.0])).numpy()


def test_a_zero_at_an_end_is_a_decision():
    f = st.jit(np.roots)
    for p in ([1.0, -3.0, 2.0], [0.0, 1.0, 2.0], [1.0, 2.0, 0.0]):
        np.testing.assert_allclose(f(np.array(p)), np.roots(p), atol=1e-14)


def test_characteristic_polynomials_where_eigenvalues_are_complex_or_meet():
    for a in ([[0.0, -1.0], [1.0, 0.0]], np.eye(3), [[2.0]]):
        agree_as_tensors(np.poly, np.array(a))
    gradient = st.grad(lambda a: np.poly(a)[3])(np.eye(3) * 2)  # -det
    np.testing.assert_allclose(gradient, -4 * np.eye(3), atol=1e-14)


def test_quotients():
    agree_as_tensors(np.polydiv, np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0]))
    agree_as_tensors(np.polydiv, np.array([1, 5, 6]), np.array([1, 2]))
    agree_as_tensors(np.polydiv, np.array([2.0, 4.0]), np.array([2.0]))


def test_fits_through_all_points_and_of_integers():
    x = np.array([0.0, 1.0, 2.0, 4.0])
    agree_as_tensors(np.polyfit, x, x**3 - x, 3)
    agree_as_tensors(np.polyfit, x.astype(int), np.array([1, 2, 4, 3]), 1)
    agree_as_tensors(np.polyfit, x, np.stack([x, x**2], 1), 2, cov=False, w=np.array([1.0, 2.0, 1.0, 0.5]))


def test_fits_that_are_refused():
    x = np.arange(3.0)
    both_refuse("polyfit", x, x, -1, match="deg >= 0")
    both_refuse("polyfit", x, x, 2, cov=True, match="number of data points")
    for bad in ((np.eye(3), x), (x, np.arange(4.0)), (np.zeros(0), np.zeros(0)), (x, np.zeros((3, 1, 1)))):
        with pytest.raises(ValueError, match="expected a vector x"):
            np.polyfit(st.constant(bad[0]), bad[1], 1)
    with pytest.raises(ValueError, match="vector of 3 weights"):
        np.polyfit(st.constant(x), x, 1, w=[1.0, 2.0])
    both_refuse("poly", np.zeros((2, 3)), match="square 2d")
    both_refuse("roots", np.eye(2))
