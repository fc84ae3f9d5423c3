"""Polynomials as arrays of coefficients, the highest power first: NumPy's poly functions."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.ops.arguments import as_integer
from symtape.ops.registry import function


def _coefficients(B: Any, a: Any, what: str) -> Any:
    p = B.atleast_1d(a)
    if B.ndim(p) != 1:
        raise ShapeError(f"{what}: the coefficients of a polynomial have one axis, got shape {B.shape(p)}")
    return p


def _count(B: Any, p: Any) -> int:
    return operator.index(B.shape(p)[0])


def _combined(B: Any, combine: Any, a1: Any, a2: Any, what: str) -> Any:
    p, q = _coefficients(B, a1, what), _coefficients(B, a2, what)
    n = max(_count(B, p), _count(B, q))
    p, q = (v if _count(B, v) == n else B.pad(v, (n - _count(B, v), 0)) for v in (p, q))
    return combine(p, q)


@function("numpy.polyadd")
def polyadd(B: Any, a1: Any, a2: Any) -> Any:
    """``np.polyadd``."""
    return _combined(B, B.add, a1, a2, "polyadd")


@function("numpy.polysub")
def polysub(B: Any, a1: Any, a2: Any) -> Any:
    """``np.polysub``."""
    return _combined(B, B.subtract, a1, a2, "polysub")


@function("numpy.polymul")
def polymul(B: Any, a1: Any, a2: Any) -> Any:
    """``np.polymul``; leading zeros stay, whatever the values are."""
    return B.convolve(_coefficients(B, a1, "polymul"), _coefficients(B, a2, "polymul"))


@function("numpy.polyder")
def polyder(B: Any, p: Any, m: int = 1) -> Any:
    """``np.polyder``."""
    order = as_integer(m, "m")
    if order < 0:
        raise ValueError("Order of derivative must be positive (see polyint)")
    q = _coefficients(B, p, "polyder")
    for _ in range(order):
        n = _count(B, q)
        if n <= 1:
            return B.zeros((0,), B.dtype(q))
        q = B.multiply(B.getitem(q, slice(None, -1)), np.arange(n - 1, 0, -1))
    return q


@function("numpy.polyint")
def polyint(B: Any, p: Any, m: int = 1, k: Any = None) -> Any:
    """``np.polyint``; gradients flow into the constants of integration too."""
    order = as_integer(m, "m")
    if order < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    constants = B.zeros((order,)) if k is None else B.atleast_1d(k)
    if _count(B, constants) == 1 and order > 1:
        constants = B.broadcast_to(constants, (order,))
    if _count(B, constants) < order:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    q = _coefficients(B, p, "polyint")
    for j in range(order):
        n = _count(B, q)
        q = B.concatenate((B.divide(q, np.arange(n, 0, -1)), B.getitem(constants, slice(j, j + 1))))
    return q


@function("numpy.poly")
def poly(B: Any, seq_of_zeros: Any) -> Any:
    """``np.poly`` of zeros: the coefficients of the polynomial that has them. Not of a matrix."""
    zeros = _coefficients(B, seq_of_zeros, "poly (write it with the eigenvalues of a matrix)")
    zeros = zeros if B.dtype(zeros).kind == "f" else B.astype(zeros, np.float64)
    one = B.const(np.ones(1, B.dtype(zeros)))
    coefficients = one
    for k in range(_count(B, zeros)):
        factor = B.concatenate((one, B.negative(B.getitem(zeros, slice(k, k + 1)))))
        coefficients = B.convolve(coefficients, factor)
    return coefficients
