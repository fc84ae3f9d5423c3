"""Eigenvalues and eigenvectors of symmetric matrices and of general ones with a real spectrum.

At equal eigenvalues a derivative is the limit that `symtape.ops.confluence` tells of, or NaN with a warning where there
is none. LAPACK reads one triangle of a symmetric matrix; the derivative is that along symmetric matrices, its two
triangles are alike.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from symtape.errors import ComplexSpectrumError
from symtape.graph.node import Array, Node
from symtape.ops import params as param
from symtape.ops.clusters import EIGENVALUES, turn
from symtape.ops.confluence import Confluence
from symtape.ops.gaps import all_columns, columns_asked
from symtape.ops.matrices import as_inexact, check_square, symmetric_part, transposed
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, structural
from symtape.ops.regularity import regular


class EighResult(NamedTuple):
    """Eigenvalues in ascending order and eigenvectors as columns, as ``np.linalg.eigh`` names them."""

    eigenvalues: Any
    eigenvectors: Any


class EigResult(NamedTuple):
    """Eigenvalues and eigenvectors as columns, as ``np.linalg.eig`` names them."""

    eigenvalues: Any
    eigenvectors: Any


def with_diagonal(B: Any, x: Any, d: Any) -> Any:
    """A matrix (None: none) plus one with the given diagonal (None: none)."""
    if d is None:
        return x
    square = B.diagonal_matrix(d)
    return square if x is None else B.add(x, square)


# ---------------------------------------------------------------------------------------------------------------- eigh


def _spectrum_infer(name: str) -> Any:
    def infer(inputs: tuple[Node], *params: bool) -> tuple[Any, Any]:
        (a,) = inputs
        check_square(name, a.shape)
        return (a.shape[:-1], a.shape), (a.dtype,) * 2

    return infer


def _eigh_value(a: Array, upper: bool) -> tuple[Array, Array]:
    w, v = np.linalg.eigh(a, "U" if upper else "L")
    return w, v


def _eigh_pull(B: Any, g: tuple[Any, Any], y: tuple[Any, Any], over: Any) -> Any:
    """``V (diag(w̄) + F ∘ (X - Xᵀ)/2) Vᵀ`` with ``X = Vᵀ V̄`` and ``F[i, j] = 1/(w[j] - w[i])``."""
    (gw, gv), (w, v) = g, y
    across = transposed(B, v)
    inner = None
    if gv is not None:
        x = B.matmul(across, gv)
        turning = B.multiply(0.5, B.subtract(x, transposed(B, x)))
        inner = over(B, turning, w, w, columns_asked(B, gv), EIGENVALUES, x)
    inner = with_diagonal(B, inner, gw)
    return symmetric_part(B, B.matmul(B.matmul(v, inner), across))


def _eigh_push(B: Any, t: Any, y: tuple[Any, Any], over: Any) -> tuple[Any, Any]:
    """``diag(P)`` and ``V (F ∘ P)`` with ``P = Vᵀ S V`` and S the symmetric part of the tangent."""
    w, v = y
    p = B.matmul(B.matmul(transposed(B, v), symmetric_part(B, t)), v)
    return B.linalg_diagonal(p), B.matmul(v, over(B, p, w, w, all_columns(B, w), EIGENVALUES, p))


def _eigh_turned(B: Any, y: tuple[Any, Any]) -> tuple[Any, Any]:
    w, v = y
    return w, B.matmul(v, turn(B, w, EIGENVALUES))


_EIGH_LIMITS = Confluence(EIGENVALUES, 0, _eigh_pull, _eigh_push, _eigh_turned)

EIGH: Op = structural(
    "eigh",
    Kind.LIBRARY,
    _eigh_value,
    _spectrum_infer("eigh"),
    vjp=(_EIGH_LIMITS.vjp,),
    jvp=(_EIGH_LIMITS.jvp,),
    batch=lambda B, inputs, batched, upper: B.build(EIGH, inputs, (upper,)),
    results=2,
    params=(param.flag,),
    confluence=_EIGH_LIMITS,
    source="Giles (2008), An extended collection of matrix derivative results, section 3.1 (eigenvalues and "
    "eigenvectors); Seeger and others (2017), Auto-differentiating linear algebra, arXiv:1710.08717, the operator "
    "syevd",
)


def _reads_upper(uplo: Any) -> bool:
    side = str(uplo).upper()
    if side not in ("L", "U"):
        raise ValueError("UPLO argument must be 'L' or 'U'")
    return side == "U"


@function("numpy.linalg.eigh")
def eigh(B: Any, a: Any, UPLO: str = "L") -> EighResult:
    """``np.linalg.eigh``; the derivative is symmetric."""
    upper = _reads_upper(UPLO)
    x = as_inexact(B, "eigh", a)
    check_square("eigh", B.shape(x))
    return EighResult(*B.build(EIGH, (x,), (upper,)))


@function("numpy.linalg.eigvalsh")
def eigvalsh(B: Any, a: Any, UPLO: str = "L") -> Any:
    """``np.linalg.eigvalsh``: sums over equal eigenvalues have the right gradient."""
    return eigh(B, a, UPLO).eigenvalues


# ----------------------------------------------------------------------------------------------------------------- eig


def _eig_value(a: Array) -> tuple[Array, Array]:
    w, v = np.linalg.eig(a)
    if np.iscomplexobj(w):
        if np.any(w.imag != 0):
            first = w[np.nonzero(w.imag)][0]
            raise ComplexSpectrumError(
                f"the matrix has complex eigenvalues ({first:.6g} is one), and tensors are real: for a symmetric "
                "matrix write np.linalg.eigh, for a rotation work with its real invariants (trace, determinant)"
            )
        w, v = w.real, v.real
    return np.asarray(w, a.dtype), np.asarray(v, a.dtype)


def _of_length_one(B: Any, v: Any) -> Any:
    return B.divide(v, B.expand_dims(B.norm(v, axis=-2), -2))


def _eig_pull(B: Any, g: tuple[Any, Any], y: tuple[Any, Any], over: Any) -> Any:
    """``V⁻ᵀ (diag(w̄) + F ∘ Y) Vᵀ`` with ``Y = VᵀV̄ - VᵀV diag(VᵀV̄)``, since columns keep their length."""
    (gw, gv), (w, v) = g, y
    across = transposed(B, v)
    inner = None
    if gv is not None:
        x = B.matmul(across, gv)
        lengths = B.expand_dims(B.linalg_diagonal(x), -2)
        own = B.subtract(x, B.multiply(B.matmul(across, v), lengths))
        inner = over(B, own, w, w, columns_asked(B, gv), EIGENVALUES, x)
    inner = with_diagonal(B, inner, gw)
    left = transposed(B, B.inv(regular(B, v, "eigenvectors")))
    return B.matmul(B.matmul(left, inner), across)


def _eig_push(B: Any, t: Any, y: tuple[Any, Any], over: Any) -> tuple[Any, Any]:
    w, v = y
    p = B.matmul(B.inv(regular(B, v, "eigenvectors")), B.matmul(t, v))
    turned = B.matmul(v, over(B, p, w, w, all_columns(B, w), EIGENVALUES, p))
    lengths = B.expand_dims(B.sum(B.multiply(v, turned), axis=-2), -2)
    return B.linalg_diagonal(p), B.subtract(turned, B.multiply(v, lengths))


def _eig_turned(B: Any, y: tuple[Any, Any]) -> tuple[Any, Any]:
    w, v = y
    return w, _of_length_one(B, B.matmul(v, turn(B, w, EIGENVALUES)))


_EIG_LIMITS = Confluence(EIGENVALUES, 0, _eig_pull, _eig_push, _eig_turned)

EIG: Op = structural(
    "eig",
    Kind.LIBRARY,
    _eig_value,
    _spectrum_infer("eig"),
    vjp=(_EIG_LIMITS.vjp,),
    jvp=(_EIG_LIMITS.jvp,),
    batch=lambda B, inputs, batched: B.build(EIG, inputs),
    results=2,
    confluence=_EIG_LIMITS,
    source="Giles (2008), An extended collection of matrix derivative results, section 3.1 (eigenvalues and "
    "eigenvectors), with the columns kept at length 1 as in Boeddeker and others (2017), On the computation of "
    "complex-valued gradients with application to statistically optimum beamforming, arXiv:1701.00392, equation 4.77",
)


@function("numpy.linalg.eig")
def eig(B: Any, a: Any) -> EigResult:
    """``np.linalg.eig`` of matrices with real eigenvalues; others are a ``ComplexSpectrumError``."""
    return EigResult(*B.build(EIG, (as_inexact(B, "eig", a),)))


@function("numpy.linalg.eigvals")
def eigvals(B: Any, a: Any) -> Any:
    """``np.linalg.eigvals`` of matrices with real eigenvalues; others are a ``ComplexSpectrumError``."""
    return eig(B, a).eigenvalues
