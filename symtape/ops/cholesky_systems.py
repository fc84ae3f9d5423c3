"""Systems of equations by a Cholesky factor that is kept: SciPy's ``cho_factor`` and ``cho_solve``."""

from __future__ import annotations

from typing import Any

from symtape.errors import MatrixShapeError
from symtape.ops.matrices import as_inexact, check_square
from symtape.ops.registry import function


@function("scipy.linalg.cho_factor")
def cho_factor(
    B: Any, a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> tuple[Any, bool]:
    """``scipy.linalg.cho_factor``: the factor in one triangle, as in SciPy the matrix as it was in the other."""
    x = as_inexact(B, "cho_factor", a)
    check_square("cho_factor", B.shape(x))
    low = bool(lower)
    factor = B.cholesky(x, upper=not low)
    rest = B.triu(x, 1) if low else B.tril(x, -1)
    return B.add(factor, rest), low


@function("scipy.linalg.cho_solve")
def cho_solve(
    B: Any, c_and_lower: tuple[Any, bool], b: Any, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    """``scipy.linalg.cho_solve``: two triangular systems with the factor of ``cho_factor``."""
    try:
        factor, lower = c_and_lower
    except (TypeError, ValueError):
        raise TypeError(f"cho_solve takes the pair that cho_factor gives, got {type(c_and_lower).__name__}") from None
    c, side = as_inexact(B, "cho_solve", factor), as_inexact(B, "cho_solve", b)
    if B.ndim(c) < 2 or B.shape(c)[-1] != B.shape(c)[-2]:
        raise MatrixShapeError(f"The factored matrix c is not square: it has shape {B.shape(c)}")
    first, second = (0, 1) if lower else (1, 0)
    half = B.solve_triangular(c, side, trans=first, lower=bool(lower))
    return B.solve_triangular(c, half, trans=second, lower=bool(lower))
