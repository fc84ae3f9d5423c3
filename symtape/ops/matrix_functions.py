"""Functions of matrices: exponential, principal square root, principal logarithm.

All share one derivative, which is closed under differentiation: the Fréchet derivative of f at A along E is the upper
right block of ``f([[A, E], [0, A]])``, so every order is the same function of a larger matrix.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from symtape.errors import ComplexSpectrumError
from symtape.graph.node import Array
from symtape.ops.matrices import as_inexact, as_square, transposed
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, structural
from symtape.ops.regularity import regular

_SOURCE = (
    "Higham (2008), Functions of Matrices, equation 3.16 (the block matrix of Mathias 1996); the adjoint "
    "of the Fréchet derivative at A is that at the transpose of A"
)


def _each(name: str, call: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """A function of SciPy over a stack, real; NaN in a matrix stays in that matrix."""

    def value(a: Array) -> Array:
        result = np.empty_like(a)
        for place in np.ndindex(a.shape[:-2] if a.size else (0,)):
            result[place] = _one(name, call, a[place]) if np.isfinite(a[place]).all() else np.nan
        return result

    return value


def _one(name: str, call: Callable[[Array], Array], matrix: Array) -> Array:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of accuracy: what is singular is looked at where a derivative is taken
        found = call(matrix)
    if np.iscomplexobj(found):
        if np.any(np.abs(found.imag) > 100 * np.finfo(matrix.dtype).eps * max(1.0, float(np.abs(found).max()))):
            raise ComplexSpectrumError(
                f"{name} of this matrix is complex (it has negative real eigenvalues), and tensors are real"
            )
        found = found.real
    return found


def _expm_value(a: Array) -> Array:
    from scipy.linalg import expm

    return _each("expm", expm)(a)


def _sqrtm_value(a: Array) -> Array:
    from scipy.linalg import sqrtm

    return _each("sqrtm", sqrtm)(a)


def _logm_value(a: Array) -> Array:
    from scipy.linalg import logm

    return _each("logm", logm)(a)


def _declared(name: str, value: Callable[[Array], Array], *, singular: bool) -> Op:
    """An op of one matrix function; ``singular``: whether a singular matrix has a derivative."""

    def along(B: Any, a: Any, e: Any) -> Any:
        n = B.shape(a)[-1]
        if not singular:
            a = regular(B, a, "nonsingular")
        upper = B.concatenate([a, e], axis=-1)
        lower = B.concatenate([B.zeros(B.shape(a), B.dtype(a)), a], axis=-1)
        both = B.build(op, (B.concatenate([upper, lower], axis=-2),))
        return B.getitem(both, (..., slice(0, n), slice(n, None)))

    op = structural(
        name,
        Kind.LIBRARY,
        value,
        as_square(name),
        vjp=(lambda B, g, y, a: along(B, transposed(B, a), g),),
        jvp=(lambda B, t, y, a: along(B, a, t),),
        batch=lambda B, inputs, batched: B.build(op, inputs),
        source=_SOURCE,
    )
    return op


EXPM: Op = _declared("expm", _expm_value, singular=True)
SQRTM: Op = _declared("sqrtm", _sqrtm_value, singular=False)
LOGM: Op = _declared("logm", _logm_value, singular=False)


@function("scipy.linalg.expm")
def expm(B: Any, A: Any) -> Any:
    """``scipy.linalg.expm``."""
    return B.build(EXPM, (as_inexact(B, "expm", A),))


@function("scipy.linalg.sqrtm")
def sqrtm(B: Any, A: Any) -> Any:
    """``scipy.linalg.sqrtm`` where it is real; a complex root is a ``ComplexSpectrumError``."""
    return B.build(SQRTM, (as_inexact(B, "sqrtm", A),))


@function("scipy.linalg.logm")
def logm(B: Any, A: Any) -> Any:
    """``scipy.linalg.logm`` where it is real; a complex logarithm is a ``ComplexSpectrumError``."""
    x = as_inexact(B, "logm", A)
    return B.build(LOGM, (B.astype(x, np.dtype(np.float64)),))
