"""Functions that are integrals: exponential, sine, cosine, Fresnel and elliptic ones, Spence's, and Lambert's W.

Each derivative is the integrand in a form that holds where the one as typed is 0/0 (NIST Digital Library of
Mathematical Functions, chapters 6, 7.2, 19, 25.12 and 4.13).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from symtape.ops import params as param
from symtape.ops.elementwise import literal
from symtape.ops.op import Op
from symtape.ops.registry import elementwise_op, function
from symtape.ops.scipy_functions import scipy_function, scipy_value
from symtape.ops.written_once import line_of, value_of

# ---------------------------------------------------------------------------------------------------------- exponential

scipy_function("expi", lambda sp, x: sp.Ei(x), lambda B, y, x: B.divide(B.exp(x), x))
scipy_function("exp1", lambda sp, x: sp.expint(1, x), lambda B, y, x: B.negative(B.divide(B.exp(B.negative(x)), x)))


def _expn_slope(B: Any, y: Any, n: Any, x: Any) -> Any:
    """``-E_(n-1)``; E_0 is elementary, and so is its derivative."""
    order = literal(B, n)
    decay = B.divide(B.exp(B.negative(x)), x)
    if order is not None:
        if order < 1:
            return B.negative(B.add(decay, B.divide(y, x)))
        return B.negative(decay if order == 1 else B.build(EXPN, (B.lift(order - 1), x)))
    lower = B.where(B.equal(n, 1), decay, B.build(EXPN, (B.maximum(B.subtract(n, 1), 1), x)))
    return B.negative(B.where(B.equal(n, 0), B.add(decay, B.divide(y, x)), lower))


EXPN: Op = elementwise_op(
    "expn",
    scipy_value("expn"),
    lambda sp, n, x: sp.expint(n, x),
    partials={0: None, 1: _expn_slope},
    lowering="expn(x, y)",
    source="NIST DLMF 8.19.13",
)


@function("scipy.special.expn")
def expn(B: Any, n: Any, x: Any, /) -> Any:
    """``scipy.special.expn``, of a fixed order n = 0, 1, ..."""
    return B.build(EXPN, (B.lift(n), B.lift(x)))


# ------------------------------------------------------------------------------------------- sine and cosine, Fresnel's


def _part(name: str, of: str, which: int, formula: Callable[..., Any], slope: Callable[..., Any]) -> Op:
    """One result of a ufunc with several."""

    def value(x: Any) -> Any:
        return scipy_value(of)(x)[which]

    return elementwise_op(name, value, formula, partials={0: slope}, lowering=f"{name}(x)")


def _sinhc(kit: Any, x: Any, order: int) -> Any:
    """By ``x*s^(n) + n*s^(n-1) = sinh^(n)(x)``, which cancels near 0: there by the Taylor series."""
    waves = (kit.sinh(x), kit.cosh(x))
    far = waves[0] / x
    for n in range(1, order + 1):
        far = (waves[n % 2] - float(n) * far) / x
    first = (order + 1) // 2
    square, near = x * x, 0.0 * x
    for m in reversed(range(first, first + 16 + order)):
        near = near * square + 1.0 / (math.factorial(2 * m - order) * (2 * m + 1))
    return kit.where(kit.absolute(x) < 2.0 + 0.5 * order, near * x if order % 2 else near, far)


def _sinhc_formula(sp: Any, x: Any, order: int) -> Any:
    t = sp.Dummy("t", real=True)
    return sp.diff(sp.sinh(t) / t, t, order).subs(t, x)


SINHC: Op = elementwise_op(
    "sinhc",
    value_of(_sinhc, 1),
    _sinhc_formula,
    partials={0: lambda B, y, x, order: B.build(SINHC, (x,), (order + 1,))},
    params=(param.order,),
    lowering=line_of(_sinhc, 1),
)


@function()
def sinhc(B: Any, x: Any, order: int = 0) -> Any:
    """Derivative number ``order`` of ``sinh(x)/x``."""
    return B.build(SINHC, (B.lift(x),), (order,))


SINE_INTEGRAL = _part("sine_integral", "sici", 0, lambda sp, x: sp.Si(x), lambda B, y, x: B.sinc(B.divide(x, math.pi)))
COSINE_INTEGRAL = _part("cosine_integral", "sici", 1, lambda sp, x: sp.Ci(x), lambda B, y, x: B.divide(B.cos(x), x))
SINH_INTEGRAL = _part(
    "sinh_integral",
    "shichi",
    0,
    lambda sp, x: sp.Shi(x),
    lambda B, y, x: B.build(SINHC, (x,), (0,)),
)
COSH_INTEGRAL = _part("cosh_integral", "shichi", 1, lambda sp, x: sp.Chi(x), lambda B, y, x: B.divide(B.cosh(x), x))


def _quarter_turns(B: Any, x: Any) -> Any:
    return B.multiply(math.pi / 2, B.square(x))


FRESNEL_S = _part("fresnel_s", "fresnel", 0, lambda sp, x: sp.fresnels(x), lambda B, y, x: B.sin(_quarter_turns(B, x)))
FRESNEL_C = _part("fresnel_c", "fresnel", 1, lambda sp, x: sp.fresnelc(x), lambda B, y, x: B.cos(_quarter_turns(B, x)))


@function("scipy.special.sici")
def sici(B: Any, x: Any) -> tuple[Any, Any]:
    """``scipy.special.sici``: sine and cosine integral."""
    x = B.lift(x)
    return B.build(SINE_INTEGRAL, (x,)), B.build(COSINE_INTEGRAL, (x,))


@function("scipy.special.shichi")
def shichi(B: Any, x: Any) -> tuple[Any, Any]:
    """``scipy.special.shichi``: hyperbolic sine and cosine integral."""
    x = B.lift(x)
    return B.build(SINH_INTEGRAL, (x,)), B.build(COSH_INTEGRAL, (x,))


@function("scipy.special.fresnel")
def fresnel(B: Any, z: Any) -> tuple[Any, Any]:
    """``scipy.special.fresnel``: Fresnel's S and C."""
    z = B.lift(z)
    return B.build(FRESNEL_S, (z,)), B.build(FRESNEL_C, (z,))


# ------------------------------------------------------------------------------------------------------------- elliptic


def complete_slope(B: Any, m: Any, closed: Callable[[Any], Any], factor: float, first: float) -> Any:
    """Near m = 0, where the closed form is a difference over m, the hypergeometric series."""
    near = B.less(B.absolute(m), 0.5)
    series = B.multiply(factor, B.hyp2f1(first, 1.5, 2.0, B.where(near, m, 0.0)))
    far = B.where(near, 0.5, m)
    return B.where(near, series, B.divide(closed(far), B.multiply(2, far)))


scipy_function(
    "ellipk",
    lambda sp, m: sp.elliptic_k(m),
    lambda B, y, m: complete_slope(
        B, m, lambda m: B.subtract(B.divide(B.ellipe(m), B.subtract(1, m)), B.ellipk(m)), math.pi / 8, 1.5
    ),
    source="NIST DLMF 19.4.1, 19.5.1 and 15.5.1",
)
scipy_function(
    "ellipe",
    lambda sp, m: sp.elliptic_e(m),
    lambda B, y, m: complete_slope(B, m, lambda m: B.subtract(B.ellipe(m), B.ellipk(m)), -math.pi / 8, 0.5),
    source="NIST DLMF 19.4.2, 19.5.2 and 15.5.1",
)


def _delta(B: Any, phi: Any, m: Any) -> Any:
    return B.sqrt(B.subtract(1, B.multiply(m, B.square(B.sin(phi)))))


#: Where ``(F - E)/m`` is taken from its series: above, the difference keeps twelve digits.
_SMALL_PARAMETER = 1e-3


def _first_less_second(B: Any, phi: Any, m: Any, f: Any, e: Any) -> Any:
    """``(F - E)/m``, the integral of ``sin**2/sqrt(1 - m*sin**2)``: near m = 0, where it cancels, by its series."""
    near = B.less(B.absolute(m), _SMALL_PARAMETER)
    small = B.where(near, m, 0.0)
    return B.where(near, _sine_squared_series(B, phi, small), B.divide(B.subtract(f, e), B.where(near, 1.0, m)))


def _sine_squared_series(B: Any, phi: Any, m: Any) -> Any:
    """The binomial series of that integrand, integrated term by term: integrals of even powers, by parts."""
    sine, cosine = B.sin(phi), B.cos(phi)
    square = B.square(sine)
    odd = B.multiply(sine, cosine)
    integral, factor, total = phi, 1.0, None
    for k in range(1, 7):
        integral = B.divide(B.subtract(B.multiply(2.0 * k - 1.0, integral), odd), 2.0 * k)
        odd = B.multiply(odd, square)
        term = B.multiply(factor, B.multiply(integral, B.power(m, k - 1)) if k > 1 else integral)
        total = term if total is None else B.add(total, term)
        factor *= (2.0 * k - 1.0) / (2.0 * k)
    return total


def _first_in_parameter(B: Any, y: Any, phi: Any, m: Any) -> Any:
    """NIST DLMF 19.4.5, in m = k**2 and with the terms over m drawn together."""
    apart = _first_less_second(B, phi, m, y, B.ellipeinc(phi, m))
    rest = B.divide(B.sin(B.multiply(2, phi)), B.multiply(2, _delta(B, phi, m)))
    return B.divide(B.subtract(B.subtract(y, apart), rest), B.multiply(2, B.subtract(1, m)))


scipy_function(
    "ellipkinc",
    lambda sp, phi, m: sp.elliptic_f(phi, m),
    lambda B, y, phi, m: B.reciprocal(_delta(B, phi, m)),
    _first_in_parameter,
    source="NIST DLMF 19.4.5",
)
scipy_function(
    "ellipeinc",
    lambda sp, phi, m: sp.elliptic_e(phi, m),
    lambda B, y, phi, m: _delta(B, phi, m),
    lambda B, y, phi, m: B.multiply(-0.5, _first_less_second(B, phi, m, B.ellipkinc(phi, m), y)),
    source="NIST DLMF 19.4.6",
)

# ------------------------------------------------------------------------------------------------ Spence's, Lambert's W

# The slope log(x)/(1 - x) is -t/(exp(t) - 1) at t = log(x).
scipy_function(
    "spence",
    lambda sp, x: sp.polylog(2, 1 - x),
    lambda B, y, x: B.negative(B.x_over_expm1(B.log(x))),
    source="NIST DLMF 25.12.1",
)


def _lambertw_value(z: Any, k: Any) -> Any:
    import scipy.special

    given = np.asarray(z)
    found = scipy.special.lambertw(given.astype(np.float64), k)
    dtype = given.dtype if given.dtype.kind == "f" else np.float64
    return np.where(found.imag == 0, found.real, np.nan).astype(dtype)[()]


#: 1/e as the sum of two doubles.
_RECIPROCAL_E, _RECIPROCAL_E_MORE = 0.36787944117144233, -1.2428753672788363e-17


def _beside_lambertw(z: Any, k: Any) -> Any:
    """``1 + W(z)``: near the branch point z = -1/e, where W is -1, the root v of ``1 - (1 - v)*exp(v) = e*z + 1``.

    The right side is worked out with the digits of 1/e beyond a double, the left one as a series, by Newton's method.
    """
    given = np.asarray(z)
    with np.errstate(all="ignore"):
        plain = 1 + _lambertw_value(z, k)
        x = given.astype(np.float64)
        rest = np.maximum(math.e * ((x + _RECIPROCAL_E) + _RECIPROCAL_E_MORE), 0.0)
        near = rest < 0.03
        root = np.where(np.asarray(k) == 0, 1.0, -1.0) * np.sqrt(2 * np.where(near, rest, 0.0))
        v = root * (1 - root / 3)
        for _ in range(4):
            series = np.zeros_like(v)
            for n in range(22, 1, -1):
                series = series * v + (n - 1) / math.factorial(n)
            v = v - np.where(v == 0, 0.0, (series * v * v - rest) / np.where(v == 0, 1.0, v * np.exp(v)))
    dtype = given.dtype if given.dtype.kind == "f" else np.float64
    return np.where(near & (x >= -_RECIPROCAL_E), v, plain).astype(dtype)[()]


BESIDE_LAMBERTW: Op = elementwise_op(
    "beside_lambertw",
    _beside_lambertw,
    lambda sp, z, k: 1 + sp.LambertW(z, k),
    partials={0: lambda B, v, z, k: B.divide(B.exp(B.subtract(1, v)), v), 1: None},
    source="NIST DLMF 4.13.4",
)

LAMBERTW: Op = elementwise_op(
    "lambertw",
    _lambertw_value,
    lambda sp, z, k: sp.LambertW(z, k),
    partials={0: lambda B, y, z, k: _lambertw_slope(B, z, k), 1: None},
    source="NIST DLMF 4.13.4",
)


def _lambertw_slope(B: Any, z: Any, k: Any) -> Any:
    beside = B.build(BESIDE_LAMBERTW, (z, k))
    return B.divide(B.exp(B.subtract(1, beside)), beside)


@function()
def beside_lambertw(B: Any, z: Any, k: int = 0) -> Any:
    """``1 + lambertw(z, k)``, right near the branch point."""
    return B.build(BESIDE_LAMBERTW, (B.lift(z), B.lift(k)))


@function("scipy.special.lambertw")
def lambertw(B: Any, z: Any, k: Any = 0, tol: float = 1e-8) -> Any:
    """``scipy.special.lambertw`` on the reals: branch 0 or -1, as real numbers; NaN where that branch is complex."""
    if not isinstance(k, int) or k not in (0, -1):
        raise ValueError(f"lambertw has two real branches, k=0 and k=-1; got k={k!r}")
    return B.build(LAMBERTW, (B.lift(z), B.lift(k)))
