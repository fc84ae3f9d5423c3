import numpy as np
import pytest
import sympy

from symtape.errors import SingularMatrixError
from symtape.ops.matrix_formulas import (
    cholesky_factor,
    cofactors,
    determinant,
    inverse,
    sign_and_logarithm,
    solution,
    triangular_solution,
)


def matrix(n, name="a"):
    return sympy.Matrix(n, n, lambda i, j: sympy.Symbol(f"{name}{i}{j}", real=True))


def numbers(n, seed=0):
    return sympy.Matrix(n, n, [sympy.Rational(int(k), 4) for k in np.random.default_rng(seed).integers(-9, 9, n * n)])


def at(expression, symbols, values):
    return expression.subs(dict(zip(symbols, values, strict=True)), simultaneous=True)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5])
def test_determinants_of_symbols_and_numbers(n):
    symbols, values = matrix(n), numbers(n)
    assert at(determinant(sympy, symbols), symbols, values) == values.det() == determinant(sympy, values)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_inverses_cofactors_and_solutions(n):
    symbols, values = matrix(n), numbers(n, n)
    right = sympy.Matrix(n, 2, range(2 * n))
    assert at(inverse(sympy, symbols), symbols, values) == values.inv() == inverse(sympy, values)
    assert at(cofactors(sympy, symbols), symbols, values) == values.cofactor_matrix() == cofactors(sympy, values)
    assert at(solution(sympy, symbols, right), symbols, values) == values.inv() * right
    assert solution(sympy, values, right) == values.inv() * right


def test_cofactors_of_a_singular_matrix():
    values = sympy.Matrix(3, 3, range(9))
    assert cofactors(sympy, values) == values.cofactor_matrix()


def test_zeros_are_left_out():
    a = matrix(3)
    a[0, 1] = a[0, 2] = 0
    assert str(determinant(sympy, a)) == "a00*(a11*a22 - a12*a21)"


def test_sign_and_logarithm():
    assert sign_and_logarithm(sympy, sympy.diag(-2, 3)) == (-1, sympy.log(6))


def test_cholesky_factors():
    a = sympy.Matrix([[4, 2], [2, 5]])
    assert cholesky_factor(sympy, a) == sympy.Matrix([[2, 0], [1, 2]])
    a[0, 1] = 99  # not read
    assert cholesky_factor(sympy, a) == sympy.Matrix([[2, 0], [1, 2]])
    large = numbers(5) * numbers(5).T + sympy.eye(5)
    expected = np.linalg.cholesky(np.array(large, float))
    np.testing.assert_allclose(np.array(cholesky_factor(sympy, large), float), expected, rtol=1e-12)


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("transposed", [True, False])
def test_triangular_systems(lower, transposed):
    full = numbers(3, 1)
    triangle = sympy.Matrix(3, 3, lambda i, j: full[i, j] if (i >= j if lower else i <= j) else 0)
    right = sympy.Matrix([1, 2, 3])
    found = triangular_solution(sympy, full, right, lower, transposed)
    assert (triangle.T if transposed else triangle) * found == right


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (lambda sp, a: inverse(sp, a), "no inverse"),
        (lambda sp, a: solution(sp, a, sp.Matrix([1, 2])), "no unique solution"),
        (lambda sp, a: triangular_solution(sp, a, sp.Matrix([1, 2]), True, False), "element 0 of the diagonal"),
        (lambda sp, a: cholesky_factor(sp, a), "not positive definite"),
    ],
)
def test_singular_matrices(formula, message):
    with pytest.raises(SingularMatrixError, match=message):
        formula(sympy, sympy.zeros(2, 2))
