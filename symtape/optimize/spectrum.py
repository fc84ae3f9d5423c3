"""What a symmetric matrix says of definiteness, Newton's step and changes: by eigenvalues, or by a factorization."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from symtape.optimize.standard_form import Array

#: Scaled eigenvalues within this distance of zero count as zero.
FLAT = 1e-9
_ITERATIONS = 30


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Findings about a symmetric matrix and a gradient.

    Attributes
    ----------
    smallest : float
        Smallest eigenvalue; from a factorization an estimate from above, with `FLAT` as the bound below.
    doubtful : ndarray
        Shape (k, j): eigenvectors of eigenvalues that are not positive.
    step, descent : ndarray
        Newton's step along positive curvature; the same with steps downhill along negative curvature.
    flat_slope : float
        Length of the gradient's part along flat directions.
    relative_size : callable
        How large a change of the matrix is, measured by its positive part.
    """

    smallest: float
    doubtful: Array
    step: Array
    descent: Array
    flat_slope: float
    relative_size: Callable[[Array], float]


def decomposed(matrix: Array, slopes: Array) -> Spectrum:
    """The findings by all eigenvalues.

    Parameters
    ----------
    matrix : ndarray of shape (k, k)
    slopes : ndarray of shape (k,)

    Returns
    -------
    Spectrum
    """
    eigenvalues, vectors = np.linalg.eigh(matrix)
    along = vectors.T @ slopes
    sizes = np.abs(eigenvalues)
    steep = eigenvalues > FLAT
    coefficients = np.where(sizes > FLAT, -along / np.where(sizes > FLAT, sizes, 1.0), 0.0)
    frame = vectors[:, steep] / np.sqrt(eigenvalues[steep])

    def relative_size(change: Array) -> float:
        inside = frame.T @ change @ frame
        return float(np.max(np.abs(np.linalg.eigvalsh(inside)))) if inside.size else 0.0

    return Spectrum(
        smallest=float(eigenvalues[0]),
        doubtful=vectors[:, ~steep],
        step=vectors @ np.where(steep, coefficients, 0.0),
        descent=vectors @ coefficients,
        flat_slope=float(np.linalg.norm(along[sizes <= FLAT])),
        relative_size=relative_size,
    )


def factored(matrix: Array, slopes: Array) -> Spectrum | None:
    """The findings by Cholesky's factorization, for a matrix that is positive definite beyond `FLAT`; else None.

    What is factored is the matrix less `FLAT` times the identity: that shows the bound, and changes Newton's step
    by as little.
    """
    k = matrix.shape[0]
    try:
        factor = np.linalg.cholesky(matrix - FLAT * np.eye(k))
    except np.linalg.LinAlgError:
        return None

    def solve(right: Array) -> Array:
        return np.asarray(scipy.linalg.cho_solve((factor, True), right), dtype=np.float64)

    def relative_size(change: Array) -> float:
        def pulled(vector: Array) -> Array:
            inner = scipy.linalg.solve_triangular(factor, vector, lower=True, trans="T")
            return np.asarray(scipy.linalg.solve_triangular(factor, change @ inner, lower=True), dtype=np.float64)

        return _power_iteration(pulled, k)

    step = -solve(slopes)
    return Spectrum(
        smallest=FLAT + 1 / _power_iteration(solve, k),
        doubtful=np.zeros((k, 0)),
        step=step,
        descent=step,
        flat_slope=0.0,
        relative_size=relative_size,
    )


def _power_iteration(apply: Callable[[Array], Array], k: int) -> float:
    """The largest size of an eigenvalue of a symmetric map, from below."""
    vector = np.random.default_rng(0).standard_normal(k)
    size = 0.0
    for _ in range(_ITERATIONS):
        length = float(np.linalg.norm(vector))
        if length == 0.0:
            return 0.0
        vector = apply(vector / length)
        size = float(np.linalg.norm(vector))
    return size
