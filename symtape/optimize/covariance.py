"""Standard errors and covariance of fitted parameters, from the Jacobian by QR.

With ``J = Q R`` the covariance is ``s**2 * R^-1 R^-T``: the normal matrix ``J.T J``, whose condition number is the
square, is never formed. Columns are scaled to length 1 first, so that the rank is judged in units of the parameters
themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from symtape.optimize.standard_form import Array

_EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, slots=True)
class ParameterCovariance:
    """The covariance of fitted parameters.

    Attributes
    ----------
    matrix : ndarray of shape (n, n)
        Infinite where the data do not determine the parameters.
    variance : float
        What the inverse of ``J.T J`` was multiplied with: the residual variance, or 1.
    rank : int
        Numerical rank of the Jacobian.
    """

    matrix: Array
    variance: float
    rank: int

    @property
    def determined(self) -> bool:
        """Whether all entries are finite."""
        return bool(np.all(np.isfinite(self.matrix)))

    @property
    def deviations(self) -> Array:
        """Standard errors, shape (n,)."""
        return np.sqrt(np.diag(self.matrix))


def parameter_covariance(jacobian: Array, residuals: Array, *, absolute: bool) -> ParameterCovariance:
    """The covariance of the parameters at a minimum of the sum of squares.

    Parameters
    ----------
    jacobian : ndarray of shape (m, n)
        Of the weighted residuals.
    residuals : ndarray of shape (m,)
        Weighted.
    absolute : bool
        Whether the weights are inverse standard deviations in the units of the data. If not, the residual variance
        ``sum(r**2)/(m - n)`` sets the scale.

    Returns
    -------
    ParameterCovariance

    Examples
    --------
    >>> import numpy as np
    >>> from symtape.optimize.covariance import parameter_covariance
    >>> J = np.column_stack([np.ones(4), np.arange(4.0)])
    >>> parameter_covariance(J, np.array([0.1, -0.1, -0.1, 0.1]), absolute=True).matrix
    array([[ 0.7, -0.3],
           [-0.3,  0.2]])
    """
    m, n = jacobian.shape
    rss = float(residuals @ residuals)
    variance = 1.0 if absolute else rss / (m - n) if m > n else np.inf
    lengths = np.linalg.norm(jacobian, axis=0)
    unknown = ParameterCovariance(np.full((n, n), np.inf), variance, 0)
    if not np.all(np.isfinite(jacobian)) or not np.all(lengths > 0):
        return ParameterCovariance(unknown.matrix, variance, int(np.count_nonzero(lengths > 0)))
    triangle, order = scipy.linalg.qr(jacobian / lengths, mode="r", pivoting=True)
    sizes = np.abs(np.diag(triangle))
    rank = int(np.count_nonzero(sizes > _EPS * max(m, n) * sizes[0]))
    if rank < n or not np.isfinite(variance):
        return ParameterCovariance(unknown.matrix, variance, rank)
    inverse = np.empty((n, n))
    inverse[order] = np.linalg.solve(triangle[:n], np.eye(n))
    inverse /= lengths[:, None]
    return ParameterCovariance(variance * (inverse @ inverse.T), variance, rank)
