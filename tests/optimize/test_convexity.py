import numpy as np
import pytest

from symtape.optimize.convexity import has_convex_rows, is_convex, is_semidefinite
from symtape.optimize.standard_form import Degree
from tests.optimize.forms import INF, affine_rows, ball, form, linear, objective, quadratic

X = np.zeros(2)


def test_semidefinite_matrices():
    assert is_semidefinite(np.diag([1.0, 0.0]))
    assert is_semidefinite(np.zeros((2, 2)))
    assert is_semidefinite(np.array([[1.0, 1e-9], [1e-9, 1e-18]]))
    assert not is_semidefinite(np.array([[1.0, 1.1e-9], [1.1e-9, 1e-18]]))
    assert not is_semidefinite(np.diag([1.0, -1e-9]))


@pytest.mark.parametrize(
    ("rows", "convex"),
    [
        ((), True),
        ((affine_rows([[1.0, 1.0]], [0.0], [0.0]),), True),
        ((ball(2, 1.0),), True),
        ((ball(2, 1.0, outside=True),), False),
    ],
)
def test_rows(rows, convex):
    assert has_convex_rows(form(linear([1.0, 1.0]), 2, rows=rows), X) is convex


def test_a_quadratic_equation_is_not_convex():
    rows = ball(2, 1.0)
    rows.lower = rows.upper
    assert not has_convex_rows(form(linear([1.0, 1.0]), 2, rows=[rows]), X)


def test_objectives():
    assert is_convex(form(linear([1.0, 1.0]), 2), X)
    assert is_convex(form(quadratic(np.diag([1.0, 0.0]), [0.0, 0.0]), 2), X)
    assert not is_convex(form(quadratic(np.diag([1.0, -1.0]), [0.0, 0.0]), 2), X)
    unknown = objective(lambda x: x @ x, lambda x: 2 * x, lambda x: 2 * np.eye(2))
    assert not is_convex(form(unknown, 2), X)
    unknown.convex = True
    assert is_convex(form(unknown, 2), X)


def test_a_general_row_is_not_proved_convex():
    rows = ball(2, 1.0)
    rows.degree = Degree.GENERAL
    assert not is_convex(form(linear([1.0, 1.0]), 2, [0.0, 0.0], [INF, INF], [rows]), X)
