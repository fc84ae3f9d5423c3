"""Bessel functions, their scaled and spherical kin, and Airy's: derivatives by recurrences between orders.

The forms taken are those without a division by the argument (NIST Digital Library of Mathematical Functions, 10.6.1,
10.29.1 and 10.51.1), so that they hold at zero. In the order there is no closed form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symtape.ops.op import Op
from symtape.ops.registry import elementwise_op, function
from symtape.ops.scipy_functions import no_closed_form, scipy_function, scipy_value

_ORDINARY, _MODIFIED, _SPHERICAL = "NIST DLMF 10.6.1", "NIST DLMF 10.29.1", "NIST DLMF 10.51.1"


def _neighbors(name: str, below: float, above: float) -> Callable[..., Any]:
    """``below*f(v - 1, x) + above*f(v + 1, x)``, both of one absolute value."""

    def slope(B: Any, v: Any, x: Any) -> Any:
        f = getattr(B, name)
        join = B.add if below == above else B.subtract
        return B.multiply(below, join(f(B.subtract(v, 1), x), f(B.add(v, 1), x)))

    return slope


_jv = _neighbors("jv", 0.5, -0.5)
_yv = _neighbors("yv", 0.5, -0.5)
_iv = _neighbors("iv", 0.5, 0.5)
_kv = _neighbors("kv", -0.5, -0.5)
_ive_sum = _neighbors("ive", 0.5, 0.5)
_kve_sum = _neighbors("kve", -0.5, -0.5)

scipy_function("j0", lambda sp, x: sp.besselj(0, x), lambda B, y, x: B.negative(B.j1(x)), source=_ORDINARY)
scipy_function(
    "j1",
    lambda sp, x: sp.besselj(1, x),
    lambda B, y, x: B.multiply(0.5, B.subtract(B.j0(x), B.jv(2, x))),
    source=_ORDINARY,
)
scipy_function("y0", lambda sp, x: sp.bessely(0, x), lambda B, y, x: B.negative(B.y1(x)), source=_ORDINARY)
scipy_function(
    "y1",
    lambda sp, x: sp.bessely(1, x),
    lambda B, y, x: B.multiply(0.5, B.subtract(B.y0(x), B.yv(2, x))),
    source=_ORDINARY,
)
scipy_function(
    "i0",
    lambda sp, x: sp.besseli(0, x),
    lambda B, y, x: B.i1(x),
    also=("numpy.i0",),
    source=_MODIFIED,
)
scipy_function(
    "i1",
    lambda sp, x: sp.besseli(1, x),
    lambda B, y, x: B.multiply(0.5, B.add(B.i0(x), B.iv(2, x))),
    source=_MODIFIED,
)
scipy_function("k0", lambda sp, x: sp.besselk(0, x), lambda B, y, x: B.negative(B.k1(x)), source=_MODIFIED)
scipy_function(
    "k1",
    lambda sp, x: sp.besselk(1, x),
    lambda B, y, x: B.multiply(-0.5, B.add(B.k0(x), B.kv(2, x))),
    source=_MODIFIED,
)
scipy_function(
    "i0e",
    lambda sp, x: sp.exp(-sp.Abs(x)) * sp.besseli(0, x),
    lambda B, y, x: B.subtract(B.i1e(x), B.multiply(B.sign(x), y)),
    source=_MODIFIED,
)
scipy_function(
    "i1e",
    lambda sp, x: sp.exp(-sp.Abs(x)) * sp.besseli(1, x),
    lambda B, y, x: B.subtract(B.multiply(0.5, B.add(B.i0e(x), B.ive(2, x))), B.multiply(B.sign(x), y)),
    source=_MODIFIED,
)
scipy_function(
    "k0e",
    lambda sp, x: sp.exp(x) * sp.besselk(0, x),
    lambda B, y, x: B.subtract(y, B.k1e(x)),
    source=_MODIFIED,
)
scipy_function(
    "k1e",
    lambda sp, x: sp.exp(x) * sp.besselk(1, x),
    lambda B, y, x: B.subtract(y, B.multiply(0.5, B.add(B.k0e(x), B.kve(2, x)))),
    source=_MODIFIED,
)
scipy_function(
    "jv",
    lambda sp, v, x: sp.besselj(v, x),
    no_closed_form("jv", "its order v"),
    lambda B, y, v, x: _jv(B, v, x),
    also=("scipy.special.jn",),
    source=_ORDINARY,
)
scipy_function(
    "yv",
    lambda sp, v, x: sp.bessely(v, x),
    no_closed_form("yv", "its order v"),
    lambda B, y, v, x: _yv(B, v, x),
    source=_ORDINARY,
)
scipy_function(
    "iv",
    lambda sp, v, x: sp.besseli(v, x),
    no_closed_form("iv", "its order v"),
    lambda B, y, v, x: _iv(B, v, x),
    source=_MODIFIED,
)
scipy_function(
    "kv",
    lambda sp, v, x: sp.besselk(v, x),
    no_closed_form("kv", "its order v"),
    lambda B, y, v, x: _kv(B, v, x),
    source=_MODIFIED,
)
scipy_function(
    "ive",
    lambda sp, v, x: sp.exp(-sp.Abs(x)) * sp.besseli(v, x),
    no_closed_form("ive", "its order v"),
    lambda B, y, v, x: B.subtract(_ive_sum(B, v, x), B.multiply(B.sign(x), y)),
    source=_MODIFIED,
)
scipy_function(
    "kve",
    lambda sp, v, x: sp.exp(x) * sp.besselk(v, x),
    no_closed_form("kve", "its order v"),
    lambda B, y, v, x: B.add(y, _kve_sum(B, v, x)),
    source=_MODIFIED,
)


@function("scipy.special.yn")
def yn(B: Any, n: Any, x: Any) -> Any:
    """``scipy.special.yn``: Bessel function of the second kind of integer order."""
    return B.yv(n, x)


@function("scipy.special.kn")
def kn(B: Any, n: Any, x: Any) -> Any:
    """``scipy.special.kn``: modified Bessel function of the second kind of integer order."""
    return B.kv(n, x)


# ------------------------------------------------------------------------------------------------------------ spherical


def _spherical(name: str, formula: Callable[..., Any], below: int, above: int) -> Op:
    """Declare one kind; its slope is ``(below*n*f(n - 1) + above*(n + 1)*f(n + 1))/(2*n + 1)``."""

    def slope(B: Any, y: Any, n: Any, z: Any) -> Any:
        lower = B.multiply(B.multiply(below, n), B.build(op, (B.absolute(B.subtract(n, 1)), z)))
        upper = B.multiply(B.multiply(above, B.add(n, 1)), B.build(op, (B.add(n, 1), z)))
        return B.divide(B.add(lower, upper), B.add(B.multiply(2, n), 1))

    op = elementwise_op(name, scipy_value(name), formula, partials={0: None, 1: slope}, source=_SPHERICAL)

    def apply(B: Any, n: Any, z: Any, derivative: bool = False) -> Any:
        n, z = B.lift(n), B.lift(z)
        if B.dtype(n).kind not in "iu":
            raise TypeError(f"{name} takes an integer order n, got one of dtype {B.dtype(n)}")
        value = B.build(op, (n, z))
        return slope(B, value, n, z) if derivative else value

    apply.__doc__ = f"``scipy.special.{name}``: of a fixed integer order, or with ``derivative=True`` its derivative."
    function(f"scipy.special.{name}", name=name)(apply)
    return op


def _modified_spherical(bessel: str, factor: Callable[..., Any]) -> Callable[..., Any]:
    return lambda sp, n, z: factor(sp, z) * getattr(sp, bessel)(n + sp.Rational(1, 2), z)


_spherical("spherical_jn", lambda sp, n, z: sp.jn(n, z), 1, -1)
_spherical("spherical_yn", lambda sp, n, z: sp.yn(n, z), 1, -1)
_spherical("spherical_in", _modified_spherical("besseli", lambda sp, z: sp.sqrt(sp.pi / (2 * z))), 1, 1)
_spherical("spherical_kn", _modified_spherical("besselk", lambda sp, z: sp.sqrt(sp.pi / (2 * z))), -1, -1)

# ----------------------------------------------------------------------------------------------------------------- Airy


def _airy(name: str, which: int, formula: Callable[..., Any], slope: Callable[..., Any]) -> Op:
    def value(x: Any) -> Any:
        return scipy_value("airy")(x)[which]

    return elementwise_op(name, value, formula, partials={0: slope}, lowering=f"{name}(x)", source="NIST DLMF 9.2.1")


AIRY_AI: Op = _airy("airy_ai", 0, lambda sp, x: sp.airyai(x), lambda B, y, x: B.build(AIRY_AI_PRIME, (x,)))
AIRY_AI_PRIME: Op = _airy(
    "airy_ai_prime", 1, lambda sp, x: sp.airyaiprime(x), lambda B, y, x: B.multiply(x, B.build(AIRY_AI, (x,)))
)
AIRY_BI: Op = _airy("airy_bi", 2, lambda sp, x: sp.airybi(x), lambda B, y, x: B.build(AIRY_BI_PRIME, (x,)))
AIRY_BI_PRIME: Op = _airy(
    "airy_bi_prime", 3, lambda sp, x: sp.airybiprime(x), lambda B, y, x: B.multiply(x, B.build(AIRY_BI, (x,)))
)


@function("scipy.special.airy")
def airy(B: Any, z: Any) -> tuple[Any, ...]:
    """``scipy.special.airy``: Ai, Ai', Bi, Bi'."""
    z = B.lift(z)
    return tuple(B.build(op, (z,)) for op in (AIRY_AI, AIRY_AI_PRIME, AIRY_BI, AIRY_BI_PRIME))
