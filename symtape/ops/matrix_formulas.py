"""What LAPACK's routines mean, in sympy's terms: the formulas of matrices that are small enough to be written down.

Each function takes the sympy module and one matrix (or several) of a stack; entries are expressions. Determinants are
expanded by minors, as on paper, and zeros are left out; a matrix of rational numbers is worked out exactly.
"""

from __future__ import annotations

import itertools
from typing import Any

from symtape.errors import SingularMatrixError

_EXACT_ROOTS = 3  # above this size the roots of roots of numbers in a Cholesky factor are taken with many digits
_DIGITS = 50


def determinant(sp: Any, a: Any) -> Any:
    """The determinant, expanded by the minors of the first row.

    Examples
    --------
    >>> import sympy
    >>> determinant(sympy, sympy.Matrix(2, 2, sympy.symbols("a b c d")))
    a*d - b*c
    """
    return a.det() if _is_rational(a) else _Minors(sp, a).of(range(a.rows), range(a.cols))


def cofactors(sp: Any, a: Any) -> Any:
    """The matrix of cofactors: the gradient of the determinant."""
    if _is_rational(a) and (value := a.det()) != 0:
        return value * a.inv().T
    minors = _Minors(sp, a)
    n = a.rows

    def cofactor(i: int, j: int) -> Any:
        minor = minors.of([k for k in range(n) if k != i], [k for k in range(n) if k != j])
        return minor if (i + j) % 2 == 0 else -minor

    return sp.Matrix(n, n, cofactor)


def cofactors_along(sp: Any, t: Any, a: Any) -> Any:
    """The derivative of the matrix of cofactors along a matrix."""
    step = sp.Dummy()
    return cofactors(sp, a + step * t).diff(step).subs(step, 0)


def inverse(sp: Any, a: Any) -> Any:
    """The inverse: transposed cofactors over the determinant."""
    below = _not_zero(determinant(sp, a), "it has no inverse")
    return a.inv() if _is_rational(a) else cofactors(sp, a).T / below


def solution(sp: Any, a: Any, b: Any) -> Any:
    """The solution of a system of equations, by Cramer's rule: one quotient for each unknown."""
    below = _not_zero(determinant(sp, a), "the system has no unique solution")
    factors = a.inv() if _is_rational(a) else cofactors(sp, a).T
    above = sp.Matrix(
        a.rows, b.cols, lambda i, j: sp.Add(*[factors[i, k] * b[k, j] for k in range(a.rows)])
    )  # sympy's own product would expand the entries
    return above if _is_rational(a) else above / below


def sign_and_logarithm(sp: Any, a: Any) -> tuple[Any, Any]:
    """Sign and logarithm of the absolute value of the determinant."""
    value = determinant(sp, a)
    return sp.sign(value), sp.log(sp.Abs(value))


def cholesky_factor(sp: Any, a: Any) -> Any:
    """The lower triangular factor, column by column; only the lower triangle of the matrix is read."""
    n = a.rows
    if n > _EXACT_ROOTS and all(x.is_number for x in a):
        a = a.evalf(_DIGITS)
    factor = sp.zeros(n, n)
    for j in range(n):
        rest = a[j, j] - sp.Add(*[factor[j, k] ** 2 for k in range(j)])
        if rest.is_number and not rest.is_positive:
            raise SingularMatrixError("Matrix is not positive definite: it has no Cholesky factor")
        factor[j, j] = sp.sqrt(rest)
        for i in range(j + 1, n):
            products = [factor[i, k] * factor[j, k] for k in range(j)]
            factor[i, j] = (a[i, j] - sp.Add(*products)) / factor[j, j]
    return factor


def triangular_solution(sp: Any, a: Any, b: Any, lower: bool, transposed: bool) -> Any:
    """The solution of a system whose matrix is one triangle of the given one, by substitution."""
    if transposed:
        a, lower = a.T, not lower
    n = a.rows
    solved = sp.zeros(n, b.cols)
    order = range(n) if lower else range(n - 1, -1, -1)
    for i, column in itertools.product(order, range(b.cols)):
        before = range(i) if lower else range(i + 1, n)
        diagonal = _not_zero(a[i, i], f"element {i} of the diagonal of a triangular matrix is zero")
        known = sp.Add(*[a[i, k] * solved[k, column] for k in before])
        solved[i, column] = (b[i, column] - known) / diagonal
    return solved


class _Minors:
    """Determinants of parts of one matrix, each worked out once."""

    def __init__(self, sp: Any, a: Any) -> None:
        self.sp = sp
        self.a = a
        self.known: dict[tuple[tuple[int, ...], tuple[int, ...]], Any] = {}

    def of(self, rows: Any, columns: Any) -> Any:
        """The determinant of the part with these rows and columns."""
        rows, columns = tuple(rows), tuple(columns)
        if not rows:
            return self.sp.Integer(1)
        if len(rows) == 1:
            return self.a[rows[0], columns[0]]
        found = self.known.get((rows, columns))
        if found is None:
            terms = []
            for k, column in enumerate(columns):
                entry = self.a[rows[0], column]
                if entry != 0:
                    minor = self.of(rows[1:], columns[:k] + columns[k + 1 :])
                    terms.append(entry * minor if k % 2 == 0 else -entry * minor)
            found = self.known[rows, columns] = self.sp.Add(*terms)
        return found


def _is_rational(a: Any) -> bool:
    return all(x.is_Rational for x in a)


def _not_zero(value: Any, otherwise: str) -> Any:
    if value.is_zero:
        raise SingularMatrixError(f"Singular matrix: {otherwise}")
    return value
