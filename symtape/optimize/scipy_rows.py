"""Constraint rows in the three forms in which SciPy's solvers take them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg
import scipy.optimize

from symtape.optimize.standard_form import Array, Degree, StandardForm


def as_dictionaries(form: StandardForm, x: Array, *, equations: bool) -> list[dict[str, Any]]:
    """The rows as SLSQP's dictionaries: ``eq`` with value 0, ``ineq`` with values at least 0.

    Affine equations that follow from the others are left out, since SLSQP stops at them. Without ``equations`` an
    equation is given as two inequalities.
    """
    result: list[dict[str, Any]] = []
    repeated = dependent_equations(form, x)
    start = 0
    for block in form.rows:
        equation = (block.lower == block.upper) & equations
        for kind, sign, picked, limit in (
            ("eq", 1.0, equation & ~repeated[start : start + block.size], block.lower),
            ("ineq", 1.0, np.isfinite(block.lower) & ~equation, block.lower),
            ("ineq", -1.0, np.isfinite(block.upper) & ~equation, block.upper),
        ):
            if np.any(picked):
                result.append(
                    {
                        "type": kind,
                        "fun": lambda x, b=block, s=sign, p=picked, c=limit: s * (b.value(x)[p] - c[p]),
                        "jac": lambda x, b=block, s=sign, p=picked: s * b.jacobian(x)[p],
                    }
                )
        start += block.size
    return result


def dependent_equations(form: StandardForm, x: Array) -> npt.NDArray[np.bool_]:
    """Which rows are affine equations that the other affine equations imply, shape (m,)."""
    lower, upper = form.row_limits()
    candidates = np.flatnonzero((lower == upper) & (form.row_degrees() <= Degree.AFFINE))
    marked = np.zeros(lower.size, dtype=bool)
    if candidates.size < 2:
        return marked
    jacobian, values = form.row_jacobian(x)[candidates], form.row_values(x)[candidates]
    right = lower[candidates] - values + jacobian @ x
    _, triangle, order = scipy.linalg.qr(jacobian.T, mode="economic", pivoting=True)
    sizes = np.abs(np.diag(triangle))
    rank = int(np.count_nonzero(sizes > 1e-12 * sizes[0]))
    kept, rest = order[:rank], order[rank:]
    weights = np.linalg.lstsq(jacobian[kept].T, jacobian[rest].T, rcond=None)[0]
    consistent = np.abs(right[rest] - right[kept] @ weights) <= 1e-10 * (1 + np.abs(right[rest]))
    marked[candidates[rest[consistent]]] = True
    return marked


def as_objects(form: StandardForm, x: Array) -> list[Any]:
    """The rows as SciPy's constraint objects, with exact derivatives of first and second order."""
    result: list[Any] = []
    for block in form.rows:
        if block.degree <= Degree.AFFINE:
            matrix = block.jacobian(x)
            offset = block.value(x) - matrix @ x
            result.append(scipy.optimize.LinearConstraint(matrix, block.lower - offset, block.upper - offset))
        else:
            result.append(
                scipy.optimize.NonlinearConstraint(
                    block.value, block.lower, block.upper, jac=block.jacobian, hess=block.weighted_hessian
                )
            )
    return result


def as_linear_program(form: StandardForm, x: Array) -> dict[str, Array | None]:
    """The rows as ``linprog`` takes them: matrices and right sides of inequalities and equations, linearized at x."""
    jacobian, values = form.row_jacobian(x), form.row_values(x)
    lower, upper = form.row_limits()
    offset = values - jacobian @ x
    equation = lower == upper
    above, below = np.isfinite(upper) & ~equation, np.isfinite(lower) & ~equation
    matrices: dict[str, Array | None] = {"A_ub": None, "b_ub": None, "A_eq": None, "b_eq": None}
    if np.any(above | below):
        matrices["A_ub"] = np.concatenate([jacobian[above], -jacobian[below]])
        matrices["b_ub"] = np.concatenate([(upper - offset)[above], (offset - lower)[below]])
    if np.any(equation):
        matrices["A_eq"], matrices["b_eq"] = jacobian[equation], (lower - offset)[equation]
    return matrices
