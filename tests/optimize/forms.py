"""Small standard forms written by hand, for tests of what works on numbers alone."""

import numpy as np

from symtape.optimize.standard_form import Degree, Objective, Rows, StandardForm

INF = np.inf


def objective(value, gradient, hessian, degree=Degree.GENERAL, *, convex=False):
    def matrix(x):
        return np.asarray(hessian(x), float)

    return Objective(
        function=lambda x: float(value(x)),
        function_and_gradient=lambda x: (float(value(x)), np.asarray(gradient(x), float)),
        full_hessian=matrix,
        hessian_product=lambda x, v: matrix(x) @ v,
        degree=degree,
        convex=convex,
    )


def quadratic(H, g, c=0.0):
    H, g = np.asarray(H, float), np.asarray(g, float)
    return objective(lambda x: 0.5 * x @ H @ x + g @ x + c, lambda x: H @ x + g, lambda x: H, Degree.QUADRATIC)


def linear(g):
    g = np.asarray(g, float)
    return objective(lambda x: g @ x, lambda x: g, lambda x: np.zeros((g.size, g.size)), Degree.AFFINE)


def affine_rows(A, lower, upper, label="row"):
    A = np.asarray(A, float)
    n = A.shape[1]
    return Rows(
        label=label,
        lower=np.asarray(lower, float),
        upper=np.asarray(upper, float),
        function=lambda x: A @ x,
        full_jacobian=lambda x: A,
        weighted_hessian=lambda x, w: np.zeros((n, n)),
        weighted_product=lambda x, w, v: np.zeros(n),
        degree=Degree.AFFINE,
    )


def ball(n, radius, *, outside=False):
    """One row: x lies within (or outside of) a ball around 0."""
    limit = np.array([radius**2])
    nothing = np.array([INF])
    return Rows(
        label="ball",
        lower=limit if outside else -nothing,
        upper=nothing if outside else limit,
        function=lambda x: np.array([x @ x]),
        full_jacobian=lambda x: 2 * x[None, :],
        weighted_hessian=lambda x, w: 2 * w[0] * np.eye(n),
        weighted_product=lambda x, w, v: 2 * w[0] * v,
        degree=Degree.QUADRATIC,
    )


def form(objective, n, lower=None, upper=None, rows=()):
    return StandardForm(
        objective=objective,
        lower=np.full(n, -INF) if lower is None else np.asarray(lower, float),
        upper=np.full(n, INF) if upper is None else np.asarray(upper, float),
        rows=tuple(rows),
    )
