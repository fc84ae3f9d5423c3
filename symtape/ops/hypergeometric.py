"""Hypergeometric functions in their argument, and the classical orthogonal polynomials.

The derivative raises every parameter by one; that of a polynomial is one of its family of a degree less (NIST Digital
Library of Mathematical Functions, 13.3.15, 15.5.1 and 18.9). In the parameters there is no closed form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symtape.ops.elementwise import literal
from symtape.ops.registry import elementwise_op, function
from symtape.ops.scipy_functions import no_closed_form, scipy_function, scipy_value

scipy_function(
    "hyp0f1",
    lambda sp, b, x: sp.hyper((), (b,), x),
    no_closed_form("hyp0f1", "its parameter v"),
    lambda B, y, b, x: B.divide(B.hyp0f1(B.add(b, 1), x), b),
    source="NIST DLMF 16.3.1",
)
scipy_function(
    "hyp1f1",
    lambda sp, a, b, x: sp.hyper((a,), (b,), x),
    no_closed_form("hyp1f1", "its parameter a"),
    no_closed_form("hyp1f1", "its parameter b"),
    lambda B, y, a, b, x: B.multiply(B.divide(a, b), B.hyp1f1(B.add(a, 1), B.add(b, 1), x)),
    source="NIST DLMF 13.3.15",
)
scipy_function(
    "hyp2f1",
    lambda sp, a, b, c, x: sp.hyper((a, b), (c,), x),
    no_closed_form("hyp2f1", "its parameter a"),
    no_closed_form("hyp2f1", "its parameter b"),
    no_closed_form("hyp2f1", "its parameter c"),
    lambda B, y, a, b, c, x: B.multiply(
        B.divide(B.multiply(a, b), c), B.hyp2f1(B.add(a, 1), B.add(b, 1), B.add(c, 1), x)
    ),
    source="NIST DLMF 15.5.1",
)

# ---------------------------------------------------------------------------------------------------------- polynomials

_DEGREE = "its degree n"


def _polynomial(name: str, formula: Callable[..., Any], parameters: int, slope: Callable[..., Any]) -> None:
    """Declare polynomials in x of degree n; ``slope(B, n, *parameters, x)`` of a degree that is not zero.

    SciPy computes those of an integer degree by recurrence, in a C function of its own, and others by other means.
    """

    def derivative(B: Any, y: Any, n: Any, *rest: Any) -> Any:
        degree = literal(B, n)
        if degree is not None:
            return 0.0 if degree == 0 else slope(B, n, *rest)
        flat = B.equal(n, 0)
        return B.where(flat, 0.0, slope(B, B.where(flat, 1, n), *rest))

    fixed = {0: no_closed_form(name, _DEGREE)}
    for k in range(parameters):
        fixed[k + 1] = no_closed_form(name, "its parameters")
    op = elementwise_op(
        name,
        scipy_value(name),
        formula,
        partials={**fixed, parameters + 1: derivative},
        lowering=f"x: whole; {name}({', '.join('xyzw'[: parameters + 2])})",
        source="NIST DLMF 18.9",
    )

    def apply(B: Any, *given: Any) -> Any:
        if len(given) != parameters + 2:
            raise TypeError(f"{name} takes {parameters + 2} arguments, got {len(given)}")
        return B.build(op, tuple(B.lift(g) for g in given))

    apply.__doc__ = f"``scipy.special.{name}``."
    function(f"scipy.special.{name}", name=name)(apply)


def _less(B: Any, n: Any) -> Any:
    return B.subtract(n, 1)


_polynomial(
    "eval_legendre", lambda sp, n, x: sp.legendre(n, x), 0, lambda B, n, x: B.eval_gegenbauer(_less(B, n), 1.5, x)
)
_polynomial(
    "eval_chebyt", lambda sp, n, x: sp.chebyshevt(n, x), 0, lambda B, n, x: B.multiply(n, B.eval_chebyu(_less(B, n), x))
)
_polynomial(
    "eval_chebyu",
    lambda sp, n, x: sp.chebyshevu(n, x),
    0,
    lambda B, n, x: B.multiply(2, B.eval_gegenbauer(_less(B, n), 2.0, x)),
)
_polynomial(
    "eval_laguerre",
    lambda sp, n, x: sp.laguerre(n, x),
    0,
    lambda B, n, x: B.negative(B.eval_genlaguerre(_less(B, n), 1.0, x)),
)
_polynomial(
    "eval_genlaguerre",
    lambda sp, n, a, x: sp.assoc_laguerre(n, a, x),
    1,
    lambda B, n, a, x: B.negative(B.eval_genlaguerre(_less(B, n), B.add(a, 1), x)),
)
_polynomial(
    "eval_gegenbauer",
    lambda sp, n, a, x: sp.gegenbauer(n, a, x),
    1,
    lambda B, n, a, x: B.multiply(B.multiply(2, a), B.eval_gegenbauer(_less(B, n), B.add(a, 1), x)),
)
_polynomial(
    "eval_jacobi",
    lambda sp, n, a, b, x: sp.jacobi(n, a, b, x),
    2,
    lambda B, n, a, b, x: B.multiply(
        B.multiply(0.5, B.add(B.add(n, 1), B.add(a, b))),
        B.eval_jacobi(_less(B, n), B.add(a, 1), B.add(b, 1), x),
    ),
)
_polynomial(
    "eval_hermite",
    lambda sp, n, x: sp.hermite(n, x),
    0,
    lambda B, n, x: B.multiply(B.multiply(2, n), B.eval_hermite(_less(B, n), x)),
)
_polynomial(
    "eval_hermitenorm",
    lambda sp, n, x: sp.hermite_prob(n, x),
    0,
    lambda B, n, x: B.multiply(n, B.eval_hermitenorm(_less(B, n), x)),
)


@function("scipy.special.eval_sh_legendre")
def eval_sh_legendre(B: Any, n: Any, x: Any) -> Any:
    """``scipy.special.eval_sh_legendre``: Legendre's polynomials on the interval from 0 to 1."""
    return B.eval_legendre(n, B.subtract(B.multiply(2, x), 1))


@function("scipy.special.eval_sh_chebyt")
def eval_sh_chebyt(B: Any, n: Any, x: Any) -> Any:
    """``scipy.special.eval_sh_chebyt``: Chebyshev's polynomials of the first kind on the interval from 0 to 1."""
    return B.eval_chebyt(n, B.subtract(B.multiply(2, x), 1))


@function("scipy.special.eval_sh_chebyu")
def eval_sh_chebyu(B: Any, n: Any, x: Any) -> Any:
    """``scipy.special.eval_sh_chebyu``: Chebyshev's polynomials of the second kind on the interval from 0 to 1."""
    return B.eval_chebyu(n, B.subtract(B.multiply(2, x), 1))
