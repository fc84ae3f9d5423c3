"""``x/(exp(x) - 1)`` and its derivatives, right at and near zero where the formula as typed is 0/0.

With n(x) = 1/(exp(x) - 1), whose derivatives are polynomials in n (n' = -n - n^2), derivative number k is

    b^(k) = x*n^(k) + k*n^(k-1)   for x > 0,   and   b(-x) = b(x) + x   gives the other side;

its terms cancel near zero. There the Taylor series b(x) = sum of B_m x^m / m! is taken, which converges for
abs(x) < 2*pi (Abramowitz and Stegun, Handbook of Mathematical Functions, 23.1.1).
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from typing import Any

from symtape.ops import params as param
from symtape.ops.registry import elementwise_op, function
from symtape.ops.written_once import line_of, value_of

_SMALLEST_TERM = 1e-19


def _limit(order: int) -> float:
    """Below this distance from zero the series is taken. Above, the closed form loses no more than two digits."""
    return min(1.0 + 0.5 * order, 4.0)


@cache
def bernoulli(count: int) -> tuple[Fraction, ...]:
    """The first Bernoulli numbers, with B_1 = -1/2."""
    numbers: list[Fraction] = []
    for m in range(count):
        rest = sum((math.comb(m + 1, k) * b for k, b in enumerate(numbers)), Fraction(0))
        numbers.append(Fraction(1) if m == 0 else -rest / (m + 1))
    return tuple(numbers)


@cache
def _series(order: int) -> tuple[float, ...]:
    """Coefficients of the Taylor series of derivative number ``order``, until they do not count."""
    ratio = _limit(order) / (2 * math.pi)
    terms = order + 2
    while ratio ** (terms - order) * math.perm(terms, order) > _SMALLEST_TERM:
        terms += 1
    return tuple(float(b / math.factorial(m - order)) for m, b in enumerate(bernoulli(terms)) if m >= order)


@cache
def _polynomial(order: int) -> tuple[int, ...]:
    """Coefficients of derivative number ``order`` of n as a polynomial in n."""
    if order == 0:
        return (0, 1)
    before = _polynomial(order - 1)
    after = [0] * (len(before) + 1)
    for power, c in enumerate(before):
        if power:
            after[power] -= power * c
            after[power + 1] -= power * c
    return tuple(after)


def _horner(coefficients: tuple[float, ...], x: Any) -> Any:
    total: Any = 0.0 * x
    for c in reversed(coefficients):
        total = total * x + float(c)
    return total


def _written(kit: Any, x: Any, order: int) -> Any:
    size = kit.absolute(x)
    decay = kit.exp(-size)
    n = decay / -kit.expm1(-size)
    far = kit.minimum(size, 1e30) * _horner(_polynomial(order), n)  # 0 at infinity, as from 800 on
    if order == 0:
        left = far + size
    else:
        far = far + float(order) * _horner(_polynomial(order - 1), n)
        left = (-1.0) ** order * far - (1.0 if order == 1 else 0.0)
    return kit.where(size < _limit(order), _horner(_series(order), x), kit.where(x < 0, left, far))


@cache
def _derivative(order: int) -> tuple[Any, Any]:
    """A symbol, and the derivative of the function in it as a sympy expression."""
    import sympy

    t = sympy.Dummy("t", real=True)
    return t, sympy.diff(t / (sympy.exp(t) - 1), t, order)


def _formula(sp: Any, x: Any, order: int) -> Any:
    t, formula = _derivative(order)
    return formula.subs(t, x)


X_OVER_EXPM1 = elementwise_op(
    "x_over_expm1",
    value_of(_written, 1),
    _formula,
    partials={0: lambda B, out, x, order: B.x_over_expm1(x, order + 1)},
    lowering=line_of(_written, 1),
    source="Abramowitz and Stegun, Handbook of Mathematical Functions, 23.1.1",
    params=(param.order,),
)


@function()
def x_over_expm1(B: Any, x: Any, order: int = 0) -> Any:
    """Derivative number ``order`` of ``x/(exp(x) - 1)``, which is 1 at 0."""
    return B.build(X_OVER_EXPM1, (B.lift(x),), (order,))
