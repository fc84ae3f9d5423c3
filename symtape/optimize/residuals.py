"""Half a sum of squares as an objective: value, gradient, Hessian and products from residuals and their Jacobian.

Residuals may be shifted by data and weighted: ``W (c(x) - y)``, where ``c`` is the graph (of a model, say), ``y``
and ``W`` are numbers that no program contains. `Weights` knows ``W`` and its transpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg

from symtape.errors import NonFiniteError, ShapeError
from symtape.optimize.standard_form import Array, Degree, Objective, Residuals


@dataclass(frozen=True, slots=True)
class Weights:
    """What residuals are multiplied with: the inverse of standard deviations, or of a Cholesky factor of a covariance.

    Attributes
    ----------
    deviations : ndarray or None
        Shape () or (m,).
    factor : ndarray or None
        Lower triangular, shape (m, m), with ``factor @ factor.T`` the covariance of the data.
    """

    deviations: Array | None = None
    factor: Array | None = None

    def apply(self, rows: Array) -> Array:
        """``W @ rows`` for an array of shape (m,) or (m, n)."""
        if self.factor is not None:
            return np.asarray(scipy.linalg.solve_triangular(self.factor, rows, lower=True), dtype=np.float64)
        if self.deviations is None:
            return rows
        divisor = self.deviations if rows.ndim == 1 or not self.deviations.ndim else self.deviations[:, None]
        return rows / divisor

    def apply_to_tensor(self, rows: Any) -> Any:
        """``W @ rows`` for residuals that are recorded."""
        if self.factor is not None:
            inverse = scipy.linalg.solve_triangular(self.factor, np.eye(self.factor.shape[0]), lower=True)
            return inverse @ rows
        return rows if self.deviations is None else rows / self.deviations

    def transposed(self, values: Array) -> Array:
        """``W.T @ values`` for an array of shape (m,)."""
        if self.factor is not None:
            return np.asarray(scipy.linalg.solve_triangular(self.factor, values, lower=True, trans="T"), np.float64)
        return values if self.deviations is None else values / self.deviations


def read_sigma(sigma: Any, m: int, by: str) -> Weights:
    """Weights from the ``sigma`` of ``curve_fit``: None, a number, standard deviations, or a covariance matrix.

    Parameters
    ----------
    sigma : None, float, array_like of shape (m,) or (m, m)
    m : int
    by : str

    Returns
    -------
    Weights

    Raises
    ------
    ShapeError
        If the shape is none of these.
    ValueError
        If a deviation is not positive, or the matrix is not positive definite.
    """
    if sigma is None:
        return Weights()
    array = np.asarray(sigma, dtype=np.float64)
    if not np.all(np.isfinite(array)):
        raise NonFiniteError(f"{by}: sigma contains NaN or infinity; wanted standard deviations or a covariance matrix")
    if array.size == 1 or array.shape == (m,):
        if np.any(array <= 0):
            raise ValueError(f"{by}: sigma contains {np.min(array)}; standard deviations are positive")
        return Weights(deviations=array.reshape(()) if array.size == 1 else array)
    if array.shape != (m, m):
        raise ShapeError(f"{by}: sigma has shape {array.shape}; wanted ({m},) deviations or a ({m}, {m}) covariance")
    try:
        factor = scipy.linalg.cholesky(array, lower=True)
    except np.linalg.LinAlgError as error:
        raise ValueError(f"{by}: sigma is no covariance matrix: it is not positive definite") from error
    return Weights(factor=np.asarray(factor, dtype=np.float64))


@dataclass(slots=True)
class WeightedResiduals:
    """Residuals ``W (c(x) - y)`` of a bound function c, with the last point kept.

    Attributes
    ----------
    bound : BoundFunction or BoundBranches
        Of a vector function.
    data : ndarray or None
        y, shape (m,).
    weights : Weights
    """

    bound: Any
    data: Array | None = None
    weights: Weights = Weights()
    _at: Array | None = None
    _last: tuple[Array, Array] | None = None

    def value(self, x: Array) -> Array:
        """The residuals, shape (m,)."""
        return self._shifted(self.bound.value(x))

    def joint(self, x: Array) -> tuple[Array, Array]:
        """Residuals and Jacobian, shapes (m,) and (m, n)."""
        if self._last is None or self._at is None or not np.array_equal(self._at, x):
            values, jacobian = self.bound.joint(x)
            self._last, self._at = (self._shifted(values), self.weights.apply(jacobian)), np.array(x)
        return self._last

    def bend(self, x: Array, residuals: Array) -> Array:
        """``sum_j r_j * Hessian of r_j``, shape (n, n)."""
        found: Array = self.bound.curvature(x, self.weights.transposed(residuals))
        return found

    def product(self, x: Array, direction: Array) -> Array:
        """The Hessian of half the sum of squares times a direction, shape (n,)."""
        residuals, jacobian = self.joint(x)
        bent: Array = self.bound.bend(x, self.weights.transposed(residuals), direction)
        return jacobian.T @ (jacobian @ direction) + bent

    def _shifted(self, values: Array) -> Array:
        return self.weights.apply(values if self.data is None else values - self.data)


def half_square(residuals: WeightedResiduals, degree: Degree) -> Objective:
    """Half the sum of squares as an objective; convex where the residuals are affine.

    Parameters
    ----------
    residuals : WeightedResiduals
    degree : Degree
        How the residuals depend on x.

    Returns
    -------
    Objective
    """

    def value(x: Array) -> float:
        found = residuals.value(x)
        return float(0.5 * found @ found)

    def joint(x: Array) -> tuple[float, Array]:
        found, jacobian = residuals.joint(x)
        return float(0.5 * found @ found), jacobian.T @ found

    def hessian(x: Array) -> Array:
        found, jacobian = residuals.joint(x)
        squared: Array = jacobian.T @ jacobian
        return squared if degree <= Degree.AFFINE else squared + residuals.bend(x, found)

    return Objective(
        function=value,
        function_and_gradient=joint,
        full_hessian=hessian,
        hessian_product=residuals.product,
        degree=Degree.QUADRATIC if degree <= Degree.AFFINE else Degree.GENERAL,
        convex=degree <= Degree.AFFINE,
        residuals=Residuals(joint=residuals.joint, bend=residuals.bend),
    )
