"""Bessel functions, their spherical kin, and Airy's: derivatives by recurrences between orders.

The forms taken are those without a division by the argument (NIST Digital Library of Mathematical Functions, 10.6.1,
10.29.1 and 10.51.1), so that they hold at zero. In the order there is no closed form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symtape.ops.op import Op
from symtape.ops.registry import elementwise_op, function
from symtape.ops.scipy_functions import no_closed_form, scipy_function, scipy_value

_ORDINARY, _MODIFIED, _SPHERICAL = "NIST DLMF 10.6.1", "NIST DLMF 10.29.1", "NIST DLMF 10.51.1 and 10.47(v)"


def _family(name: str, bessel: str, below: float, above: float, source: str) -> None:
    """Declare the function of any order v, with slope ``below*f(v - 1) + above*f(v + 1)``, and of orders 0, 1."""

    def of_order(B: Any, v: Any, x: Any) -> Any:
        return getattr(B, f"{name}v")(v, x)

    def slope(B: Any, y: Any, v: Any, x: Any) -> Any:
        join = B.add if below == above else B.subtract
        return B.multiply(below, join(of_order(B, B.subtract(v, 1), x), of_order(B, B.add(v, 1), x)))

    def slope_of_zero(B: Any, y: Any, x: Any) -> Any:
        one = getattr(B, f"{name}1")(x)
        return one if above > 0 else B.negative(one)

    def slope_of_one(B: Any, y: Any, x: Any) -> Any:
        join = B.add if below == above else B.subtract
        return B.multiply(below, join(getattr(B, f"{name}0")(x), of_order(B, 2, x)))

    def formula(sp: Any, v: Any, x: Any) -> Any:
        return getattr(sp, bessel)(v, x)

    also = {"jv": ("scipy.special.jn",), "i0": ("numpy.i0",)}
    scipy_function(
        f"{name}v",
        formula,
        no_closed_form(f"{name}v", "its order v"),
        slope,
        also=also.get(f"{name}v", ()),
        source=source,
    )
    for order, its_slope in enumerate((slope_of_zero, slope_of_one)):
        scipy_function(
            f"{name}{order}",
            lambda sp, x, order=order: formula(sp, order, x),
            its_slope,
            also=also.get(f"{name}{order}", ()),
            source=source,
        )


_family("j", "besselj", 0.5, -0.5, _ORDINARY)
_family("y", "bessely", 0.5, -0.5, _ORDINARY)
_family("i", "besseli", 0.5, 0.5, _MODIFIED)
_family("k", "besselk", -0.5, -0.5, _MODIFIED)


@function("scipy.special.yn")
def yn(B: Any, n: Any, x: Any) -> Any:
    """``scipy.special.yn``: Bessel function of the second kind of integer order."""
    return B.yv(n, x)


@function("scipy.special.kn")
def kn(B: Any, n: Any, x: Any) -> Any:
    """``scipy.special.kn``: modified Bessel function of the second kind of integer order."""
    return B.kv(n, x)


# ------------------------------------------------------------------------------------------------------------ spherical


def _mirrored(name: str, even: str, odd: str) -> str:
    """How it is compiled: of a positive argument, and for a negative one by the value ``t`` at its absolute value."""
    own = f"t = {name}(x, absolute(y)); "
    return f"x: whole; {own}select(y < 0, select(odd(x), {odd}, {even}), t)"


def _spherical(name: str, formula: Callable[..., Any], below: int, above: int, lowering: str) -> Op:
    """Declare one kind; its slope is ``(below*n*f(n - 1) + above*(n + 1)*f(n + 1))/(2*n + 1)``."""

    def slope(B: Any, y: Any, n: Any, z: Any) -> Any:
        lower = B.multiply(B.multiply(below, n), B.build(op, (B.absolute(B.subtract(n, 1)), z)))
        upper = B.multiply(B.multiply(above, B.add(n, 1)), B.build(op, (B.add(n, 1), z)))
        return B.divide(B.add(lower, upper), B.add(B.multiply(2, n), 1))

    op = elementwise_op(
        name,
        scipy_value(name),
        formula,
        partials={0: None, 1: slope},
        lowering=lowering,
        source=_SPHERICAL,
    )

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


_IN = "spherical_in(x, absolute(y)) * 3.141592653589793"
_spherical("spherical_jn", lambda sp, n, z: sp.jn(n, z), 1, -1, _mirrored("spherical_jn", "t", "-t"))
_spherical("spherical_yn", lambda sp, n, z: sp.yn(n, z), 1, -1, _mirrored("spherical_yn", "-t", "t"))
_spherical(
    "spherical_in",
    _modified_spherical("besseli", lambda sp, z: sp.sqrt(sp.pi / (2 * z))),
    1,
    1,
    _mirrored("spherical_in", "t", "-t"),
)
_spherical(
    "spherical_kn",
    _modified_spherical("besselk", lambda sp, z: sp.sqrt(sp.pi / (2 * z))),
    -1,
    -1,
    _mirrored("spherical_kn", f"-t - {_IN}", f"t - {_IN}"),
)

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
