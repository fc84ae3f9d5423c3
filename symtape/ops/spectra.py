"""Eigenvalues and eigenvectors of symmetric matrices and of general ones with a real spectrum.

A derivative that needs the gap between equal eigenvalues is NaN with a warning; sums over equal eigenvalues are not
concerned (see `symtape.ops.gaps`). LAPACK reads one triangle of a symmetric matrix; the derivative is that along
symmetric matrices, its two triangles are alike.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from symtape.errors import ComplexSpectrumError
from symtape.graph.node import Array, Node
from symtape.ops import params as param
from symtape.ops.gaps import alike, all_columns, columns_asked, over_gaps, regular, transposed
from symtape.ops.matrices import as_inexact, check_square
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, structural


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


def symmetric_part(B: Any, x: Any) -> Any:
    """``(X + Xᵀ)/2``."""
    return B.multiply(0.5, B.add(x, transposed(B, x)))


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


def pull_eigh(B: Any, gw: Any, gv: Any, w: Any, v: Any) -> Any:
    """``V (diag(w̄) + sym(F ∘ Vᵀ V̄)) Vᵀ`` with ``F[i, j] = 1/(w[j] - w[i])``."""
    across = transposed(B, v)
    inner = None
    if gv is not None:
        inner = over_gaps(B, B.matmul(across, gv), w, w, columns_asked(B, gv), "eigenvalues")
    inner = with_diagonal(B, inner, None if gw is None else alike(B, gw, w, "eigenvalues"))
    return symmetric_part(B, B.matmul(B.matmul(v, inner), across))


def push_eigh(B: Any, t: Any, w: Any, v: Any) -> tuple[Any, Any]:
    """``diag(P)`` and ``V (F ∘ P)`` with ``P = Vᵀ S V`` and S the symmetric part of the tangent."""
    p = B.matmul(B.matmul(transposed(B, v), symmetric_part(B, t)), v)
    return B.linalg_diagonal(p), B.matmul(v, over_gaps(B, p, w, w, all_columns(B, w), "eigenvalues"))


EIGH: Op = structural(
    "eigh",
    Kind.LIBRARY,
    _eigh_value,
    _spectrum_infer("eigh"),
    vjp=(lambda B, g, y, a, upper: pull_eigh(B, *g, *y),),
    jvp=(lambda B, t, y, a, upper: push_eigh(B, t, *y),),
    batch=lambda B, inputs, batched, upper: B.build(EIGH, inputs, (upper,)),
    results=2,
    params=(param.flag,),
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


def _pull_eig(B: Any, g: tuple[Any, Any], y: tuple[Any, Any], a: Any) -> Any:
    """``V⁻ᵀ (diag(w̄) + F ∘ Y) Vᵀ`` with ``Y = VᵀV̄ - VᵀV diag(VᵀV̄)``, since columns keep their length."""
    (gw, gv), (w, v) = g, y
    across = transposed(B, v)
    inner = None
    if gv is not None:
        lengths = B.expand_dims(B.sum(B.multiply(v, gv), axis=-2), -2)
        own = B.subtract(B.matmul(across, gv), B.multiply(B.matmul(across, v), lengths))
        inner = over_gaps(B, own, w, w, columns_asked(B, gv), "eigenvalues")
    inner = with_diagonal(B, inner, None if gw is None else alike(B, gw, w, "eigenvalues"))
    left = transposed(B, B.inv(regular(B, v, "eigenvectors")))
    return B.matmul(B.matmul(left, inner), across)


def _push_eig(B: Any, t: Any, y: tuple[Any, Any], a: Any) -> tuple[Any, Any]:
    w, v = y
    p = B.matmul(B.inv(regular(B, v, "eigenvectors")), B.matmul(t, v))
    turned = B.matmul(v, over_gaps(B, p, w, w, all_columns(B, w), "eigenvalues"))
    lengths = B.expand_dims(B.sum(B.multiply(v, turned), axis=-2), -2)
    return B.linalg_diagonal(p), B.subtract(turned, B.multiply(v, lengths))


EIG: Op = structural(
    "eig",
    Kind.LIBRARY,
    _eig_value,
    _spectrum_infer("eig"),
    vjp=(_pull_eig,),
    jvp=(_push_eig,),
    batch=lambda B, inputs, batched: B.build(EIG, inputs),
    results=2,
    source="Giles (2008), An extended collection of matrix derivative results, section 3.1 (eigenvalues and "
    "eigenvectors), with the columns kept at length 1 as in Boeddeker and others (2017), On the computation of "
    "complex-valued gradients with application to statistically optimum beamforming, arXiv:1701.00392, section 4.2",
)


@function("numpy.linalg.eig")
def eig(B: Any, a: Any) -> EigResult:
    """``np.linalg.eig`` of matrices with real eigenvalues; others are a ``ComplexSpectrumError``."""
    return EigResult(*B.build(EIG, (as_inexact(B, "eig", a),)))


@function("numpy.linalg.eigvals")
def eigvals(B: Any, a: Any) -> Any:
    """``np.linalg.eigvals`` of matrices with real eigenvalues; others are a ``ComplexSpectrumError``."""
    return eig(B, a).eigenvalues
