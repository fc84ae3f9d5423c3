"""The gamma function's family: beta, incomplete gamma and beta functions, binomials, Hurwitz zeta.

Derivatives in the argument of an incomplete function are densities, written through logarithms so that factors that
over- and underflow meet before the exponential. In the parameters there is no closed form (NIST Digital Library of
Mathematical Functions, 8.8 and 8.17).
"""

from __future__ import annotations

from typing import Any

from symtape.ops.registry import elementwise_op, function
from symtape.ops.scipy_functions import no_closed_form, scipy_function, scipy_value


def _beta_slope(B: Any, y: Any, a: Any, b: Any) -> Any:
    return B.multiply(y, B.subtract(B.digamma(a), B.digamma(B.add(a, b))))


scipy_function("loggamma", lambda sp, x: sp.loggamma(x), lambda B, y, x: B.digamma(x))
scipy_function("beta", lambda sp, a, b: sp.beta(a, b), _beta_slope, lambda B, y, a, b: _beta_slope(B, y, b, a))
scipy_function(
    "betaln",
    lambda sp, a, b: sp.log(sp.Abs(sp.beta(a, b))),
    lambda B, y, a, b: B.subtract(B.digamma(a), B.digamma(B.add(a, b))),
    lambda B, y, a, b: B.subtract(B.digamma(b), B.digamma(B.add(a, b))),
)


def _gamma_density(B: Any, a: Any, x: Any) -> Any:
    return B.exp(B.subtract(B.subtract(B.xlogy(B.subtract(a, 1), x), x), B.gammaln(a)))


def _beta_density(B: Any, a: Any, b: Any, x: Any) -> Any:
    above = B.add(B.xlogy(B.subtract(a, 1), x), B.xlog1py(B.subtract(b, 1), B.negative(x)))
    return B.exp(B.subtract(above, B.betaln(a, b)))


scipy_function(
    "gammainc",
    lambda sp, a, x: sp.lowergamma(a, x) / sp.gamma(a),
    no_closed_form("gammainc", "its parameter a"),
    lambda B, y, a, x: _gamma_density(B, a, x),
    source="NIST DLMF 8.8.13",
)
scipy_function(
    "gammaincc",
    lambda sp, a, x: sp.uppergamma(a, x) / sp.gamma(a),
    no_closed_form("gammaincc", "its parameter a"),
    lambda B, y, a, x: B.negative(_gamma_density(B, a, x)),
    source="NIST DLMF 8.8.14",
)


def _betainc_formula(sp: Any, a: Any, b: Any, x: Any) -> Any:
    return sp.betainc_regularized(a, b, 0, x)


scipy_function(
    "betainc",
    _betainc_formula,
    no_closed_form("betainc", "its parameter a"),
    no_closed_form("betainc", "its parameter b"),
    lambda B, y, a, b, x: _beta_density(B, a, b, x),
    source="NIST DLMF 8.17.2",
)
scipy_function(
    "betaincc",
    lambda sp, a, b, x: 1 - sp.betainc_regularized(a, b, 0, x),
    no_closed_form("betaincc", "its parameter a"),
    no_closed_form("betaincc", "its parameter b"),
    lambda B, y, a, b, x: B.negative(_beta_density(B, a, b, x)),
    source="NIST DLMF 8.17.2",
)
scipy_function(
    "binom",
    lambda sp, n, k: sp.binomial(n, k),
    lambda B, y, n, k: B.multiply(y, B.subtract(B.digamma(B.add(n, 1)), B.digamma(B.add(B.subtract(n, k), 1)))),
    lambda B, y, n, k: B.multiply(y, B.subtract(B.digamma(B.add(B.subtract(n, k), 1)), B.digamma(B.add(k, 1)))),
)
scipy_function(
    "poch",
    lambda sp, z, m: sp.RisingFactorial(z, m),
    lambda B, y, z, m: B.multiply(y, B.subtract(B.digamma(B.add(z, m)), B.digamma(z))),
    lambda B, y, z, m: B.multiply(y, B.digamma(B.add(z, m))),
)

HURWITZ_ZETA = elementwise_op(
    "hurwitz_zeta",
    scipy_value("zeta"),
    lambda sp, x, q: sp.zeta(x, q),
    partials={
        0: no_closed_form("zeta", "its first argument"),
        1: lambda B, y, x, q: B.negative(B.multiply(x, B.zeta(B.add(x, 1), q))),
    },
    source="NIST DLMF 25.11.17",
)


@function("scipy.special.zeta")
def zeta(B: Any, x: Any, q: Any = None, out: Any = None) -> Any:
    """``scipy.special.zeta``: Riemann's or, with ``q``, Hurwitz' zeta function."""
    return B.build(HURWITZ_ZETA, (B.lift(x), B.lift(1.0 if q is None else q)))
