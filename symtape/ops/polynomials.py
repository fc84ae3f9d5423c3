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
    """``np.poly``: coefficients of the polynomial that has these zeros, or of the characteristic one of a matrix."""
    zeros = _floating(B, B.atleast_1d(seq_of_zeros))
    if B.ndim(zeros) == 2 and B.shape(zeros)[0] == B.shape(zeros)[1]:
        return _characteristic(B, zeros)
    if B.ndim(zeros) != 1:
        raise ShapeError(f"poly: input must be 1d or non-empty square 2d array, got shape {B.shape(zeros)}")
    one = B.const(np.ones(1, B.dtype(zeros)))
    coefficients = one
    for k in range(_count(B, zeros)):
        factor = B.concatenate((one, B.negative(B.getitem(zeros, slice(k, k + 1)))))
        coefficients = B.convolve(coefficients, factor)
    return coefficients


def _characteristic(B: Any, a: Any) -> Any:
    """The method of Leverrier and Faddeev: traces alone, so derivatives are right where eigenvalues meet.

    Gantmacher (1959), The Theory of Matrices, volume 1, chapter 4, section 5: ``M = A (M + c I)``, ``c = -trace(M)/k``.
    """
    n = operator.index(B.shape(a)[0])
    one = B.const(np.ones((), B.dtype(a)))
    identity = B.const(np.eye(n, dtype=B.dtype(a)))
    coefficients, m = [one], B.zeros((n, n), B.dtype(a))
    for k in range(1, n + 1):
        m = B.matmul(a, B.add(m, B.multiply(coefficients[-1], identity)))
        coefficients.append(B.divide(B.trace(m), -float(k)))
    return B.stack(coefficients)


def _floating(B: Any, x: Any) -> Any:
    return x if B.dtype(x).kind == "f" else B.astype(x, np.float64)


@function("numpy.polydiv")
def polydiv(B: Any, u: Any, v: Any) -> tuple[Any, Any]:
    """``np.polydiv``: quotient and remainder; which leading elements of the remainder are zero becomes a guard."""
    rest, divisor = (_floating(B, _coefficients(B, c, "polydiv")) for c in (u, v))
    first, others = B.getitem(divisor, 0), B.getitem(divisor, slice(1, None))
    n = _count(B, divisor) - 1
    dtype = np.result_type(B.dtype(rest), B.dtype(divisor))
    rest = rest if B.dtype(rest) == dtype else B.astype(rest, dtype)
    scale = B.divide(1.0, first)
    quotient = []
    while _count(B, rest) > n:
        digit = B.multiply(scale, B.getitem(rest, 0))
        quotient.append(digit)
        rest = B.getitem(rest, slice(1, None))
        if n:
            rest = B.subtract(rest, B.pad(B.multiply(digit, others), (0, _count(B, rest) - n)))
    if not quotient:
        quotient = [B.const(np.zeros((), dtype))]
    if n == 0:
        return B.stack(quotient), B.zeros((1,), dtype)
    start, last = 0, _count(B, rest) - 1
    while start < last and bool(B.known(B.isclose(B.getitem(rest, start), 0, rtol=1e-14))):
        start += 1
    return B.stack(quotient), B.getitem(rest, slice(start, None))


@function("numpy.roots")
def roots(B: Any, p: Any) -> Any:
    """``np.roots`` of a polynomial with real roots alone; which of its ends are zero becomes a guard."""
    c = _floating(B, _coefficients(B, p, "roots"))
    there = np.flatnonzero(B.known(B.not_equal(c, 0)))
    if there.size == 0:
        return B.zeros((0,), B.dtype(c))
    at_zero = _count(B, c) - 1 - int(there[-1])
    c = B.getitem(c, slice(int(there[0]), int(there[-1]) + 1))
    degree = _count(B, c) - 1
    zeros = B.zeros((at_zero,), B.dtype(c))
    if degree == 0:
        return zeros
    first = B.negative(B.divide(B.getitem(c, slice(1, None)), B.getitem(c, 0)))
    below = np.eye(degree - 1, degree, dtype=B.dtype(c))
    found = B.eigvals(B.concatenate((B.expand_dims(first, 0), B.const(below))))
    return B.concatenate((found, zeros)) if at_zero else found


# ------------------------------------------------------------------------------------------------------- fitted to data


@function("numpy.polyfit")
def polyfit(
    B: Any, x: Any, y: Any, deg: Any, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False
) -> Any:
    """``np.polyfit``, by least squares; gradients flow into places, values and weights."""
    count = as_integer(deg, "deg") + 1
    if count < 1:
        raise ValueError("expected deg >= 0")
    at, values = _floating(B, B.lift(x)), _floating(B, B.lift(y))
    if B.ndim(at) != 1 or B.ndim(values) not in (1, 2) or B.shape(at)[0] != B.shape(values)[0] or B.shape(at)[0] == 0:
        raise ShapeError(
            f"polyfit: expected a vector x with elements and y of the same length, got {B.shape(at)} and "
            f"{B.shape(values)}"
        )
    n = operator.index(B.shape(at)[0])
    if rcond is None:
        rcond = n * float(np.finfo(B.dtype(at)).eps)
    powers = B.vander(at, count)
    if w is not None:
        weights = _floating(B, B.lift(w))
        if B.shape(weights) != (n,):
            raise ShapeError(f"polyfit: expected a vector of {n} weights, got shape {B.shape(weights)}")
        powers = B.multiply(powers, B.expand_dims(weights, 1))
        values = B.multiply(values, B.expand_dims(weights, 1) if B.ndim(values) == 2 else weights)
    scale = B.sqrt(B.sum(B.multiply(powers, powers), axis=0))
    powers = B.divide(powers, scale)
    solution, residuals, rank, spectrum = B.lstsq(powers, values, rcond)
    coefficients = B.divide(solution, B.expand_dims(scale, 1) if B.ndim(values) == 2 else scale)
    if full:
        return coefficients, residuals, rank, spectrum, rcond
    if not cov:
        return coefficients
    spread = B.divide(B.inv(B.matmul(B.transpose(powers), powers)), B.multiply(B.expand_dims(scale, 1), scale))
    spread = spread if B.ndim(values) == 1 else B.expand_dims(spread, 2)
    if cov == "unscaled":
        return coefficients, spread
    if n <= count:
        raise ValueError("the number of data points must exceed order to scale the covariance matrix")
    return coefficients, B.multiply(spread, B.divide(residuals, float(n - count)))
