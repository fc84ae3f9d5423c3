"""Exponentials, logarithms, trigonometric and hyperbolic functions, all of NumPy's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symtape.ops import params as param
from symtape.ops.registry import elementwise, elementwise_op, function

# --------------------------------------------------------------------------------------------------------- exponentials

elementwise("exp", np.exp, lambda sp, x: sp.exp(x))
elementwise("exp2", np.exp2, lambda sp, x: sp.Integer(2) ** x)
elementwise("expm1", np.expm1, lambda sp, x: sp.exp(x) - 1)
elementwise("log", np.log, lambda sp, x: sp.log(x))
elementwise("log2", np.log2, lambda sp, x: sp.log(x) / sp.log(2))
elementwise("log10", np.log10, lambda sp, x: sp.log(x) / sp.log(10))
elementwise("log1p", np.log1p, lambda sp, x: sp.log(1 + x))

# Where sympy's derivative, exp(x)/(exp(x) + exp(y)), would overflow.
elementwise(
    "logaddexp",
    np.logaddexp,
    lambda sp, x, y: sp.log(sp.exp(x) + sp.exp(y)),
    partials={
        0: lambda B, out, x, y: B.expit(B.subtract(x, y)),
        1: lambda B, out, x, y: B.expit(B.subtract(y, x)),
    },
)


def _share_of_two(B: Any, x: Any, y: Any) -> Any:
    """``2**x / (2**x + 2**y)``."""
    difference = B.subtract(x, y)
    return B.expit(B.multiply(difference, B.log(B.const(np.asarray(2, B.dtype(difference))))))


elementwise(
    "logaddexp2",
    np.logaddexp2,
    lambda sp, x, y: sp.log(sp.Integer(2) ** x + sp.Integer(2) ** y) / sp.log(2),
    partials={
        0: lambda B, out, x, y: _share_of_two(B, x, y),
        1: lambda B, out, x, y: _share_of_two(B, y, x),
    },
)

# --------------------------------------------------------------------------------------------------------- trigonometry

elementwise("sin", np.sin, lambda sp, x: sp.sin(x))
elementwise("cos", np.cos, lambda sp, x: sp.cos(x))
elementwise("tan", np.tan, lambda sp, x: sp.tan(x))
elementwise("arcsin", np.arcsin, lambda sp, x: sp.asin(x))
elementwise("arccos", np.arccos, lambda sp, x: sp.acos(x))
elementwise("arctan", np.arctan, lambda sp, x: sp.atan(x))


def _over_square(B: Any, x: Any, y: Any) -> Any:
    """``x / (x**2 + y**2)`` where the squares would overflow or vanish."""
    length = B.hypot(x, y)
    return B.divide(B.divide(x, length), length)


elementwise(
    "arctan2",
    np.arctan2,
    lambda sp, x, y: sp.atan2(x, y),
    partials={
        0: lambda B, out, x, y: _over_square(B, y, x),
        1: lambda B, out, x, y: B.negative(_over_square(B, x, y)),
    },
)
elementwise("sinh", np.sinh, lambda sp, x: sp.sinh(x))
elementwise("cosh", np.cosh, lambda sp, x: sp.cosh(x))
elementwise("tanh", np.tanh, lambda sp, x: sp.tanh(x))
# The square would overflow.
elementwise(
    "arcsinh", np.arcsinh, lambda sp, x: sp.asinh(x), partials={0: lambda B, out, x: B.divide(1, B.hypot(x, 1))}
)
elementwise("arccosh", np.arccosh, lambda sp, x: sp.acosh(x))
elementwise("arctanh", np.arctanh, lambda sp, x: sp.atanh(x))

elementwise("deg2rad", np.deg2rad, lambda sp, x: x * sp.pi / 180, implements=("numpy.deg2rad", "numpy.radians"))
elementwise("rad2deg", np.rad2deg, lambda sp, x: x * 180 / sp.pi, implements=("numpy.rad2deg", "numpy.degrees"))

# ---------------------------------------------------------------------------------------------------------------- sinc
#
# Derivative number k of s(z) = sin(z)/z, z = pi*x. Away from zero by Leibniz's rule,
#     s^(k)(z) = sum over j of C(k, j) * sin(z + j*pi/2) * (-1)^(k-j) * (k-j)! / z^(k-j+1),
# which cancels near zero; there by the Taylor series that follows from s(z) = sum of (-1)^m z^(2m) / (2m+1)!.

_SERIES_TERMS = 16


def _series_limit(order: int) -> float:
    """Below this |z| the series is taken: its terms fall fast. Above, the closed form loses no more than two digits."""
    return 2.0 + 0.5 * order


def _series(order: int) -> list[tuple[int, float]]:
    """Powers of z and their coefficients in the series of derivative number ``order``."""
    first = (order + 1) // 2
    return [
        (2 * m - order, (-1) ** m * math.perm(2 * m, order) / math.factorial(2 * m + 1))
        for m in range(first, first + _SERIES_TERMS)
    ]


def _closed(order: int) -> list[tuple[int, int, float]]:
    """Terms ``(j, power, c)`` of the closed form: c * sin(z + j*pi/2) / z**power."""
    return [
        (j, order - j + 1, math.comb(order, j) * (-1.0) ** (order - j) * math.factorial(order - j))
        for j in range(order + 1)
    ]


def _sinc_derivative(x: Any, order: int) -> Any:
    dtype = np.sinc(x).dtype
    z = np.asarray(np.pi * np.asarray(x, np.float64))
    waves = (np.sin(z), np.cos(z), -np.sin(z), -np.cos(z))
    with np.errstate(all="ignore"):
        far = sum(c * waves[j % 4] / z**power for j, power, c in _closed(order))
        (lowest, _), *_ = series = _series(order)
        square, near = z * z, np.zeros_like(z)
        for _, c in reversed(series):
            near = near * square + c
        near = near * z**lowest
    result = np.where(np.abs(z) < _series_limit(order), near, far) * np.pi**order
    return result.astype(dtype)[()]


def sinc_lowering(order: int) -> str:
    """The same in the compiler's language."""
    z = f"(x * {np.pi!r})"
    waves = (f"sin{z}", f"cos{z}", f"-sin{z}", f"-cos{z}")
    (lowest, _), *_ = series = _series(order)
    horner = "0.0"
    for _, c in reversed(series):
        horner = f"({horner} * ({z} * {z}) + {c!r})"
    near = " * ".join([horner, *[z] * lowest])
    far = " + ".join(f"{c!r} * {waves[j % 4]} / ({' * '.join([z] * power)})" for j, power, c in _closed(order))
    return f"select(absolute{z} < {_series_limit(order)!r}, {near}, {far}) * {np.pi**order!r}"


elementwise(
    "sinc",
    np.sinc,
    lambda sp, x: sp.sinc(sp.pi * x),
    partials={0: lambda B, out, x: B.sinc_derivative(x, 1)},
    arity=1,
)

SINC_DERIVATIVE = elementwise_op(
    "sinc_derivative",
    _sinc_derivative,
    lambda sp, x, order: (
        sp.diff(sp.sin(sp.pi * x) / (sp.pi * x), x, order)
        if x.is_Symbol
        else sp.diff(sp.sin(sp.pi * (t := sp.Dummy(real=True))) / (sp.pi * t), t, order).subs(t, x)
    ),
    partials={0: lambda B, out, x, order: B.sinc_derivative(x, order + 1)},
    lowering=sinc_lowering,
    params=(param.order,),
)


@function()
def sinc_derivative(B: Any, x: Any, order: int) -> Any:
    """Derivative number ``order`` of ``np.sinc``."""
    return B.build(SINC_DERIVATIVE, (B.lift(x),), (order,))
