"""Differences of the logarithm of the gamma function, and of its derivatives, that do not cancel.

``log_poch(x, d) = log(gamma(x + d)/gamma(x))`` and its derivatives in x are differences of nearly equal numbers where x
is much larger than d: beta functions, binomials and densities are full of them. Stirling's series (NIST Digital Library
of Mathematical Functions, 5.11.1 and 5.15.8) gives them term by term, each a difference of powers

    (x + d)^-p - x^-p = x^-p * expm1(-p*log1p(d/x)),

and the recurrence (5.5.1, 5.15.5) takes small arguments there. ``log_less_digamma(x) = log(x) - digamma(x)`` goes the
same way.
"""

from __future__ import annotations

import math
from typing import Any

from symtape.ops import params as param
from symtape.ops.op import Op
from symtape.ops.registry import elementwise_op, function
from symtape.ops.sympy_functions import sympy_function as own
from symtape.ops.written_once import line_of, value_of
from symtape.ops.x_over_expm1 import bernoulli

_TERMS = 10  # of Stirling's series


def _shift(order: int) -> int:
    """From here on the series has all digits."""
    return 12 + 2 * order


def _stirling(order: int) -> list[tuple[int, float]]:
    """Powers p and coefficients c of the terms ``c*x^-p`` of a derivative of log gamma, without the leading ones."""
    bernoullis = bernoulli(2 * _TERMS + 1)
    if order == 0:
        return [(2 * m - 1, float(bernoullis[2 * m] / (2 * m * (2 * m - 1)))) for m in range(1, _TERMS + 1)]
    if order == 1:
        return [(1, -0.5)] + [(2 * m, -float(bernoullis[2 * m] / (2 * m))) for m in range(1, _TERMS + 1)]
    n, sign = order - 1, (-1) ** order
    lead = [(n, float(sign * math.factorial(n - 1))), (n + 1, sign * math.factorial(n) / 2)]
    rising = [
        (2 * m + n, float(sign * bernoullis[2 * m] * math.factorial(2 * m + n - 1) / math.factorial(2 * m)))
        for m in range(1, _TERMS + 1)
    ]
    return lead + rising


def log_ratio(kit: Any, y: Any, x: Any, gap: Any) -> Any:
    """``log(y/x)`` where ``gap = y - x`` is known better than that difference."""
    near = kit.absolute(gap) < 0.5 * x
    return kit.where(near, kit.log1p(gap / x), kit.log(y / x))


def _far_gap(kit: Any, x: Any, d: Any, order: int) -> Any:
    """The difference by Stirling's series."""
    y = x + d
    logs = log_ratio(kit, y, x, d)
    total = (x - 0.5) * logs + d * kit.log(y) - d if order == 0 else logs if order == 1 else 0.0
    for p, c in reversed(_stirling(order)):
        total = total + c * kit.pow(x, -float(p)) * kit.expm1(-float(p) * logs)
    return total


def _step(kit: Any, x: Any, d: Any, order: int) -> Any:
    """What the difference at x is more than that at x + 1."""
    logs = log_ratio(kit, x + d, x, d)
    if order == 0:
        return -logs
    if order == 1:
        return d / (x * (x + d))
    return (-1.0) ** order * math.factorial(order - 1) * kit.pow(x, -float(order)) * kit.expm1(-float(order) * logs)


def gap(kit: Any, x: Any, d: Any, order: int) -> Any:
    """Derivative number ``order`` of ``log(gamma(x + d)/gamma(x))`` in x, for positive x and x + d."""
    shift = _shift(order)
    small = kit.minimum(x, x + d) < shift
    steps: Any = 0.0
    for k in reversed(range(shift)):
        steps = steps + _step(kit, x + k, d, order)
    at = kit.where(small, x + shift, x)
    return kit.where(small, steps, 0.0) + _far_gap(kit, at, d, order)


def _gap_anywhere(kit: Any, x: Any, d: Any, order: int) -> Any:
    """The same where one of the two is negative, as a plain difference."""
    known = kit.both(x >= 1e-300, x + d >= 1e-300)
    x_safe, d_safe = kit.where(known, x, 1.0), kit.where(known, d, 1.0)
    inside = gap(kit, x_safe, d_safe, order)
    plain = (
        kit.gammaln(x + d) - kit.gammaln(x)
        if order == 0
        else kit.psi(x + d) - kit.psi(x)
        if order == 1
        else (-1.0) ** order * math.factorial(order - 1) * (kit.zeta(float(order), x + d) - kit.zeta(float(order), x))
    )
    return kit.where(known, inside, plain)


def _log_poch_formula(sp: Any, x: Any, d: Any, order: int) -> Any:
    if order == 0:
        return own("gammaln")(x + d) - own("gammaln")(x)
    return sp.polygamma(order - 1, x + d) - sp.polygamma(order - 1, x)


LOG_POCH: Op = elementwise_op(
    "log_poch",
    value_of(_gap_anywhere, 2),
    _log_poch_formula,
    partials={
        0: lambda B, y, x, d, order: B.build(LOG_POCH, (x, d), (order + 1,)),
        1: lambda B, y, x, d, order: B.polygamma(order, B.add(x, d)),
    },
    params=(param.order,),
    lowering=line_of(_gap_anywhere, 2),
    source="NIST DLMF 5.11.1 and 5.15.8",
)


@function()
def log_poch(B: Any, x: Any, d: Any, order: int = 0) -> Any:
    """Derivative number ``order`` in x of ``log(gamma(x + d)/gamma(x))``, without cancellation."""
    return B.build(LOG_POCH, (B.lift(x), B.lift(d)), (order,))


# ---------------------------------------------------------------------------------------------------- log_less_digamma


def _less(kit: Any, x: Any, order: int) -> Any:
    """Derivative number ``order`` of ``log(x) - digamma(x)``."""
    shift = _shift(order + 1)
    small = x < shift
    near = kit.where(small, x, 1.0)
    sign = (-1.0) ** order * math.factorial(order)
    steps: Any = 0.0
    for k in reversed(range(shift)):
        steps = steps + sign * kit.pow(near + k, -float(order + 1))
    if order == 0:
        logs = -kit.log1p(shift / near)
    else:
        scale = (-1.0) ** (order - 1) * math.factorial(order - 1)
        logs = scale * (kit.pow(near, -float(order)) - kit.pow(near + shift, -float(order)))
    at = kit.where(small, x + shift, x)
    total: Any = 0.0
    for p, c in reversed(_stirling(order + 1)[0 if order == 0 else 1 :]):
        total = total - c * kit.pow(at, -float(p))
    return total + kit.where(small, steps + logs, 0.0)


def _less_formula(sp: Any, x: Any, order: int) -> Any:
    lead = sp.log(x) if order == 0 else (-1) ** (order - 1) * sp.factorial(order - 1) / x**order
    return lead - sp.polygamma(order, x)


LOG_LESS_DIGAMMA: Op = elementwise_op(
    "log_less_digamma",
    value_of(_less, 1),
    _less_formula,
    partials={0: lambda B, y, x, order: B.build(LOG_LESS_DIGAMMA, (x,), (order + 1,))},
    params=(param.order,),
    lowering=line_of(_less, 1),
    source="NIST DLMF 5.11.2 and 5.15.8",
)


@function()
def log_less_digamma(B: Any, x: Any, order: int = 0) -> Any:
    """Derivative number ``order`` of ``log(x) - digamma(x)`` for positive x, without cancellation."""
    return B.build(LOG_LESS_DIGAMMA, (B.lift(x),), (order,))


def log_gamma_rest(kit: Any, x: Any) -> Any:
    """What ``log(gamma(x))`` is more than ``(x - 1/2)*log(x) - x + log(2*pi)/2``, for x from 12 on."""
    total: Any = 0.0
    for p, c in reversed(_stirling(0)):
        total = total + c * kit.pow(x, -float(p))
    return total
