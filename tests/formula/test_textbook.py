"""Derivatives as a textbook has them: what a person reads off the tape."""

import numpy as np
import pytest
import sympy

import symtape as st


def differentiated(function, *values, names="xyz"):
    variables = [st.Variable(value, name=name) for value, name in zip(values, names, strict=False)]
    with st.GradientTape() as tape:
        result = function(*variables)
    return result, tape.gradient(result, variables)


ONE = [
    (lambda x: x**3 - 2 * x, "3*x**2 - 2"),
    (lambda x: 1 / x, "-1/x**2"),
    (lambda x: x**0.5, "1/(2*sqrt(x))"),
    (np.sqrt, "1/(2*sqrt(x))"),
    (np.cbrt, "1/(3*cbrt(x)**2)"),
    (np.abs, "sign(x)"),
    (lambda x: np.abs(x) ** 2, "2*x"),
    (np.exp, "exp(x)"),
    (lambda x: 2**x, "2**x*log(2)"),
    (lambda x: x**x, "x**x*log(x) + x**x"),
    (np.log, "1/x"),
    (np.log10, "1/(x*log(10))"),
    (np.log1p, "1/(x + 1)"),
    (lambda x: np.sin(x) ** 2, "2*sin(x)*cos(x)"),
    (np.tan, "tan(x)**2 + 1"),
    (np.arcsin, "1/sqrt(1 - x**2)"),
    (np.arctan, "1/(x**2 + 1)"),
    (np.tanh, "1 - tanh(x)**2"),
    (lambda x: np.exp(np.sin(x**2)), "2*x*exp(sin(x**2))*cos(x**2)"),
    (lambda x: np.exp(-(x**2) / 2), "-x*exp(-x**2/2)"),
    (lambda x: np.sin(2 * np.pi * x), "2*pi*cos(2*pi*x)"),
    (lambda x: 1 / (1 + np.exp(-x)), "exp(-x)/(1 + exp(-x))**2"),
    (lambda x: st.special.expit(x), "exp(-x)/(1 + exp(-x))**2"),
    (lambda x: st.special.erf(x), "2*exp(-x**2)/sqrt(pi)"),
    (lambda x: -x * np.log(x) - (1 - x) * np.log(1 - x), "-log(x) + log(1 - x)"),
    (lambda x: np.where(x > 0, x, 0.01 * x), "Piecewise((1, x > 0), (0.01, True))"),
    (lambda x: np.where(x < 0, -(x**2), x), "Piecewise((-2*x, x < 0), (1, True))"),
    (
        lambda x: np.where(np.abs(x) <= 1, x**2 / 2, np.abs(x) - 0.5),
        "Piecewise((x, Abs(x) <= 1), (sign(x), True))",
    ),
    (lambda x: np.maximum(x, 0), "Heaviside(x, 0)"),
    (lambda x: np.clip(x, -1, 1), "Piecewise((1, (x >= -1) & (x <= 1)), (0, True))"),
    (lambda x: st.special.gammaln(x), "polygamma(0, x)"),
]


@pytest.mark.parametrize(("function", "text"), ONE, ids=[t for _, t in ONE])
def test_derivatives_of_one_variable(function, text):
    _, (g,) = differentiated(function, 0.5)
    assert str(g.expr) == text


TWO = [
    (lambda x, y: x**2 * y + np.sin(y), "2*x*y", "x**2 + cos(y)"),
    (lambda x, y: x / y, "1/y", "-x/y**2"),
    (lambda x, y: x**y, "x**(y - 1)*y", "x**y*log(x)"),
    (np.hypot, "x/sqrt(x**2 + y**2)", "y/sqrt(x**2 + y**2)"),
    (np.arctan2, "y/(x**2 + y**2)", "-x/(x**2 + y**2)"),
    (lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2, "400*x*(x**2 - y) + 2*x - 2", "-200*x**2 + 200*y"),
    (lambda x, y: np.abs(x - y), "sign(x - y)", "-sign(x - y)"),
    (np.maximum, "Heaviside(x - y)", "Heaviside(-x + y)"),
    (np.fmin, "Heaviside(-x + y)", "Heaviside(x - y)"),
    (np.logaddexp, "1/(exp(-x + y) + 1)", "1/(exp(x - y) + 1)"),
]


@pytest.mark.parametrize(("function", "in_x", "in_y"), TWO, ids=[t for _, t, _ in TWO])
def test_derivatives_of_two_variables(function, in_x, in_y):
    _, (gx, gy) = differentiated(function, 0.5, 2.0)
    assert (str(gx.expr), str(gy.expr)) == (in_x, in_y)


def test_forms_that_differ_and_mean_the_same():
    _, (gx, _) = differentiated(lambda x, y: x * y / (x + y), 0.5, 2.0)
    assert gx.equals("(y/(x + y))**2")
    _, (gx,) = differentiated(lambda x: np.log(1 + np.exp(x)), 0.5)
    assert gx.equals("exp(x)/(1 + exp(x))")


VECTORS = [
    (np.linalg.norm, "[v[0]/sqrt(v[0]**2 + v[1]**2), v[1]/sqrt(v[0]**2 + v[1]**2)]"),
    (lambda v: np.linalg.norm(v, 1), "[sign(v[0]), sign(v[1])]"),
    (lambda v: np.sum(v**2), "[2*v[0], 2*v[1]]"),
    (np.mean, "[1/2, 1/2]"),
    (np.prod, "[v[1], v[0]]"),
    (np.var, "[v[0]/2 - v[1]/2, -v[0]/2 + v[1]/2]"),
    (np.max, "[Piecewise((1, v[0] >= v[1]), (0, True)), Piecewise((1, v[0] <= v[1]), (0, True))]"),
    (
        lambda v: st.special.logsumexp(v),
        "[exp(v[0])/(exp(v[0]) + exp(v[1])), exp(v[1])/(exp(v[0]) + exp(v[1]))]",
    ),
    (
        lambda v: st.special.softmax(v)[0],
        "[exp(v[0])*exp(v[1])/(exp(v[0]) + exp(v[1]))**2, -exp(v[0])*exp(v[1])/(exp(v[0]) + exp(v[1]))**2]",
    ),
    (lambda v: np.sum(np.cumsum(v)), "[2, 1]"),
    (lambda v: np.sum(np.cumprod(v)), "[v[1] + 1, v[0]]"),
    (lambda v: np.sum(v[np.array([0, 0, 1])] ** 2), "[4*v[0], 2*v[1]]"),
    (lambda v: v @ np.array([[2.0, 1.0], [1.0, 3.0]]) @ v, "[4*v[0] + 2*v[1], 2*v[0] + 6*v[1]]"),
]


@pytest.mark.parametrize(("function", "text"), VECTORS, ids=[t for _, t in VECTORS])
def test_gradients_of_vectors(function, text):
    _, (g,) = differentiated(function, [1.0, 2.0], names="v")
    assert str(g.expr) == text


def test_an_extreme_among_three():
    _, (g,) = differentiated(np.min, [1.0, 2.0, 3.0], names="v")
    assert str(g.expr[2]) == "Piecewise((1, Eq(v[2], Min(v[0], v[1], v[2]))), (0, True))"


def test_second_derivatives():
    x = st.Variable(0.7, name="x")
    for function, text in ((np.tanh, "-2*(1 - tanh(x)**2)*tanh(x)"), (lambda x: x**4, "12*x**2"), (np.abs, "0")):
        with st.GradientTape(persistent=True) as tape:
            y = function(x)
            d = tape.gradient(y, x)
        assert str(tape.gradient(d, x).expr) == text


# ----------------------------------------------------------------------------------------------------------- the lesson


def test_the_chain_rule_is_an_equality_of_formulas():
    r = st.Variable(0.5, name="r")
    with st.GradientTape(persistent=True) as tape:
        x = np.sin(r)
        y = x**2
    dy_dr, dy_dx, dx_dr = tape.gradient(y, r), tape.gradient(y, x), tape.gradient(x, r)
    assert str(dy_dx.in_terms_of(x=x)) == "2*x"
    assert str(dx_dr.expr) == "cos(r)"
    assert (dy_dx * dx_dr).equals(dy_dr)
    assert dy_dr.equals("sin(2*r)")
    assert not dy_dr.equals("sin(2*r) + r")


def test_least_squares():
    A = st.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], name="A")
    b, v = st.constant([1.0, 2.0, 3.0], name="b"), st.Variable([0.0, 0.0], name="v")
    with st.GradientTape() as tape:
        loss = np.sum((A @ v - b) ** 2)
    g = tape.gradient(loss, v)
    assert g.equals(2 * A.T @ (A @ v - b))
    assert str(g.expr[0]).startswith("2*A[0, 0]*(A[0, 0]*v[0] + A[0, 1]*v[1] - b[0])")


def test_logistic_regression():
    X, y = st.constant([[1.0, 2.0], [3.0, -1.0]], name="X"), st.constant([1.0, 0.0], name="y")
    w = st.Variable([0.1, -0.2], name="w")
    with st.GradientTape() as tape:
        p = 1 / (1 + np.exp(-(X @ w)))
        loss = -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))
    assert tape.gradient(loss, w).equals(X.T @ (p - y))


def test_determinant_inverse_and_solution():
    A, b = st.Variable([[2.0, 1.0], [1.0, 3.0]], name="A"), st.Variable([1.0, 2.0], name="b")
    with st.GradientTape(persistent=True) as tape:
        det, logdet, x = np.linalg.det(A), np.linalg.slogdet(A)[1], np.linalg.solve(A, b)
        first = x[0]
    assert str(tape.gradient(det, A).expr) == "[[A[1, 1], -A[1, 0]], [-A[0, 1], A[0, 0]]]"
    assert tape.gradient(det, A).equals(det * np.linalg.inv(A).T)
    assert tape.gradient(logdet, A).equals(np.linalg.inv(A).T)
    assert tape.gradient(first, b).equals(np.linalg.inv(A)[0])
    assert (A @ np.linalg.inv(A)).equals(np.eye(2))
    assert str((A @ x).expr[0].simplify()) == "b[0]"
    assert sympy.simplify(tape.gradient(first, A).expr[0, 0] + (np.linalg.inv(A)[0, 0] * x[0]).expr) == 0
