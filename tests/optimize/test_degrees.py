import numpy as np
import pytest

import symtape as st
from symtape.optimize.degrees import degree_in
from symtape.optimize.standard_form import Degree

A = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize(
    ("expression", "degree"),
    [
        (lambda x: np.sum(A @ np.ones(3)) + 0 * np.arange(3.0), Degree.CONSTANT),
        (lambda x: 3 * x - x / 2 + 1, Degree.AFFINE),
        (lambda x: A @ x, Degree.AFFINE),
        (lambda x: np.concatenate([x[1:], x[:1]]).reshape(3, 1).T, Degree.AFFINE),
        (lambda x: np.cumsum(np.mean(x) + x[::-1]), Degree.AFFINE),
        (lambda x: np.linalg.solve(np.eye(3), x), Degree.AFFINE),
        (lambda x: np.where(np.arange(3) > 1, x, -x), Degree.AFFINE),
        (lambda x: x**2, Degree.QUADRATIC),
        (lambda x: x * x[0] + 4 * x, Degree.QUADRATIC),
        (lambda x: np.sum((A @ x - 1) ** 2), Degree.QUADRATIC),
        (lambda x: np.einsum("i,ij,j->", x, np.eye(3), x), Degree.QUADRATIC),
        (lambda x: np.var(x), Degree.QUADRATIC),
        (lambda x: x @ x, Degree.QUADRATIC),
        (lambda x: x**1 + x**0, Degree.AFFINE),
        (lambda x: x**3, Degree.GENERAL),
        (lambda x: x**-1, Degree.GENERAL),
        (lambda x: 2.0**x, Degree.GENERAL),
        (lambda x: 1 / x, Degree.GENERAL),
        (np.sin, Degree.GENERAL),
        (lambda x: x * x * x, Degree.GENERAL),
    ],
)
def test_degrees(expression, degree):
    x = st.Variable(np.ones(3), name="x")
    y = expression(x)
    if not isinstance(y, st.Tensor):
        y = st.constant(y) + 0 * st.constant(1.0)
    assert degree_in(y.node, x.node) is degree


@pytest.mark.parametrize(
    "expression",
    [
        np.abs,
        np.sign,
        np.floor,
        lambda x: np.maximum(x, 0),
        lambda x: np.where(x > 0, x, -x),
        lambda x: np.max(x),
        lambda x: np.clip(x, 0, 1),
        lambda x: st.stop_gradient(x) * x,
        lambda x: np.linalg.norm(x),
        lambda x: np.prod(x),
    ],
)
def test_what_only_looks_polynomial_to_its_derivatives_is_general(expression):
    x = st.Variable(np.ones(3), name="x")
    assert degree_in(expression(x).node, x.node) is Degree.GENERAL
