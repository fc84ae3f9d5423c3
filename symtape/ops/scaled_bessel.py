"""Modified Bessel functions times an exponential, and their derivatives, which do not cancel at large arguments.

A derivative is a central difference of order 2n over the orders,

    (exp(-x)*I_v)^(n) = 2^-n * sum over j of (-1)^j * binomial(2*n, j) * exp(-x)*I_(v + n - j)

(from NIST Digital Library of Mathematical Functions, 10.29.1), whose terms agree in their leading digits where x is
large; there the asymptotic series (10.40.1 and 10.40.2) is differentiated term by term.
"""

from __future__ import annotations

import math
from typing import Any

from symtape.ops import params as param
from symtape.ops.op import Op
from symtape.ops.registry import elementwise_op, function
from symtape.ops.scipy_functions import no_closed_form, scipy_function
from symtape.ops.written_once import line_of, value_of

_TERMS = 30  # of the series


def _far(v: Any) -> Any:
    """From here on the series has all digits."""
    return 35.0 + v * v


def _series(kit: Any, v: Any, x: Any, order: int, sign: float, scale: float) -> Any:
    """``sqrt(scale/x)`` times the sum of ``sign^k * a_k(v)/x^k``, differentiated ``order`` times."""
    total: Any = 0.0 * x
    for k in reversed(range(1, _TERMS)):
        ratio = (sign * (4.0 * v * v - float((2 * k - 1) ** 2))) / (8.0 * k * x)
        total = ratio * (math.prod(k + 0.5 + j for j in range(order)) + total)
    first = math.prod(0.5 + j for j in range(order))
    return kit.sqrt(scale / x) * (first + total) * ((-1.0) ** order * kit.pow(x, -float(order)))


def _differences(kit: Any, f: str, v: Any, x: Any, order: int, sign: float) -> Any:
    total: Any = 0.0 * x
    for j in range(2 * order + 1):
        total = total + (-1.0) ** j * math.comb(2 * order, j) * getattr(kit, f)(v + float(order - j), x)
    return (sign / 2.0) ** order * total


def _ive(kit: Any, v: Any, x: Any, order: int) -> Any:
    """The derivative on the positive side; on the negative one by parity, at 0 the mean of both."""
    size = kit.absolute(x)
    far = size >= _far(v)
    at = kit.where(far, size, _far(v))
    right = kit.where(
        far, _series(kit, v, at, order, -1.0, 0.5 / math.pi), _differences(kit, "ive", v, size, order, 1.0)
    )
    odd = kit.absolute(v - 2.0 * kit.floor(0.5 * v)) >= 0.5
    parity = kit.where(odd, -1.0, 1.0) * (-1.0) ** order
    left = kit.where(kit.equal(kit.floor(v), v), parity * right, kit.pow(-1.0 + 0.0 * x, 0.5))
    return kit.where(x >= 1e-320, right, kit.where(x < 0.0, left, 0.5 * (1.0 + parity) * right))


def _kve(kit: Any, v: Any, x: Any, order: int) -> Any:
    far = x >= _far(v)
    at = kit.where(far, x, _far(v))
    return kit.where(far, _series(kit, v, at, order, 1.0, 0.5 * math.pi), _differences(kit, "kve", v, x, order, -1.0))


def _scaled(name: str, written: Any, formula: Any, source: str) -> Op:
    """Declare the derivatives of a scaled function of any order, and the function itself.

    ``formula(sp, v, x, sign)``, with the sign of x.
    """

    def differentiated(sp: Any, v: Any, x: Any, order: int) -> Any:
        t, sign = sp.symbols("t s", real=True, cls=sp.Dummy)
        return sp.diff(formula(sp, v, t, sign), t, order).subs({t: x, sign: sp.sign(x)})

    op = elementwise_op(
        f"{name}_derivative",
        value_of(written, 2),
        differentiated,
        partials={
            0: no_closed_form(name, "its order v"),
            1: lambda B, y, v, x, order: B.build(op, (v, x), (order + 1,)),
        },
        params=(param.order,),
        lowering=line_of(written, 2),
        source=source,
    )
    scipy_function(
        name,
        lambda sp, v, x: formula(sp, v, x, sp.sign(x)),
        no_closed_form(name, "its order v"),
        lambda B, y, v, x: B.build(op, (v, x), (1,)),
        source=source,
    )
    return op


IVE_DERIVATIVE = _scaled(
    "ive",
    _ive,
    lambda sp, v, x, sign: sp.exp(-sign * x) * sp.besseli(v, x),
    "NIST DLMF 10.29.1 and 10.40.1",
)
KVE_DERIVATIVE = _scaled(
    "kve",
    _kve,
    lambda sp, v, x, sign: sp.exp(x) * sp.besselk(v, x),
    "NIST DLMF 10.29.1 and 10.40.2",
)

for _order in (0, 1):
    scipy_function(
        f"i{_order}e",
        lambda sp, x, v=_order: sp.exp(-sp.Abs(x)) * sp.besseli(v, x),
        lambda B, y, x, v=_order: B.ive_derivative(v, x),
    )
    scipy_function(
        f"k{_order}e",
        lambda sp, x, v=_order: sp.exp(x) * sp.besselk(v, x),
        lambda B, y, x, v=_order: B.kve_derivative(v, x),
    )


@function()
def ive_derivative(B: Any, v: Any, x: Any, order: int = 1) -> Any:
    """Derivative number ``order`` of ``ive`` in x."""
    return B.build(IVE_DERIVATIVE, (B.lift(v), B.lift(x)), (order,))


@function()
def kve_derivative(B: Any, v: Any, x: Any, order: int = 1) -> Any:
    """Derivative number ``order`` of ``kve`` in x."""
    return B.build(KVE_DERIVATIVE, (B.lift(v), B.lift(x)), (order,))
