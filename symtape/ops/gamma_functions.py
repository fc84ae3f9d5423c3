"""The gamma function's family: beta, incomplete gamma and beta functions, binomials, Hurwitz zeta.

Derivatives in the argument of an incomplete function are densities (see `densities`), those of beta functions and
binomials differences of digamma functions (see `gamma_differences`). In the parameters of an incomplete function there
is no closed form (NIST Digital Library of Mathematical Functions, 8.8 and 8.17).
"""

from __future__ import annotations

import math
from typing import Any

from symtape.ops.registry import elementwise_op, function
from symtape.ops.scipy_functions import no_closed_form, scipy_function, scipy_value


def _beta_slope(B: Any, y: Any, a: Any, b: Any) -> Any:
    return B.negative(B.multiply(y, B.log_poch(a, b, 1)))


def _rgamma_slope(B: Any, y: Any, x: Any) -> Any:
    """Left of 0 by reflection (NIST DLMF 5.5.3), which knows no poles: ``rgamma(x) = sin(pi*x)*gamma(1 - x)/pi``."""
    left = B.less(x, 0.5)
    turned = B.where(left, B.subtract(1, x), 1.0)
    angle = B.multiply(math.pi, B.where(left, x, 0.0))
    waves = B.subtract(B.cos(angle), B.multiply(B.sin(angle), B.divide(B.digamma(turned), math.pi)))
    right = B.where(left, 1.0, x)
    return B.where(left, B.multiply(B.gamma(turned), waves), B.negative(B.multiply(B.digamma(right), y)))


scipy_function("rgamma", lambda sp, x: 1 / sp.gamma(x), _rgamma_slope)
scipy_function("loggamma", lambda sp, x: sp.loggamma(x), lambda B, y, x: B.digamma(x))
scipy_function("beta", lambda sp, a, b: sp.beta(a, b), _beta_slope, lambda B, y, a, b: _beta_slope(B, y, b, a))
scipy_function(
    "betaln",
    lambda sp, a, b: sp.log(sp.Abs(sp.beta(a, b))),
    lambda B, y, a, b: B.negative(B.log_poch(a, b, 1)),
    lambda B, y, a, b: B.negative(B.log_poch(b, a, 1)),
)


def _gamma_density(B: Any, a: Any, x: Any) -> Any:
    return B.exp(B.log_gamma_density(a, x))


def _beta_density(B: Any, a: Any, b: Any, x: Any) -> Any:
    return B.exp(B.log_beta_density(a, b, x))


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


def _pole(B: Any, x: Any) -> Any:
    """Whether the gamma function has a pole there."""
    return B.logical_and(B.less_equal(x, 0), B.equal(B.floor(B.astype(x, float)), x))


def _binom_in_set(B: Any, y: Any, n: Any, k: Any) -> Any:
    """``y*(digamma(n + 1) - digamma(n - k + 1))``; at poles with the reciprocal, which has none."""
    rest = B.add(B.subtract(n, k), 1)
    by_factors = B.multiply(
        B.multiply(B.gamma(B.add(n, 1)), B.rgamma(B.add(k, 1))), _rgamma_slope(B, B.rgamma(rest), rest)
    )
    near_poles = B.add(B.multiply(y, B.digamma(B.add(n, 1))), by_factors)
    return B.where(_pole(B, rest), near_poles, B.multiply(y, B.log_poch(rest, k, 1)))


def _binom_in_chosen(B: Any, y: Any, n: Any, k: Any) -> Any:
    """``y*(digamma(n - k + 1) - digamma(k + 1))``, likewise."""
    rest, own = B.add(B.subtract(n, k), 1), B.add(k, 1)
    own_slope = B.multiply(_rgamma_slope(B, B.rgamma(own), own), B.rgamma(rest))
    rest_slope = B.multiply(B.rgamma(own), _rgamma_slope(B, B.rgamma(rest), rest))
    near_poles = B.multiply(B.gamma(B.add(n, 1)), B.subtract(own_slope, rest_slope))
    apart = B.multiply(y, B.log_poch(own, B.subtract(n, B.multiply(2, k)), 1))
    return B.where(B.logical_or(_pole(B, rest), _pole(B, own)), near_poles, apart)


def _poch_in_start(B: Any, y: Any, z: Any, m: Any) -> Any:
    """``y*(digamma(z + m) - digamma(z))``; at a pole of one with the reciprocal, of both reflected."""
    end = B.add(z, m)
    by_factors = B.multiply(B.gamma(end), _rgamma_slope(B, B.rgamma(z), z))
    across = B.add(B.multiply(y, B.digamma(end)), by_factors)
    left = B.negative(B.multiply(y, B.log_poch(B.subtract(1, end), m, 1)))
    inside = B.where(_pole(B, z), across, B.multiply(y, B.log_poch(z, m, 1)))
    return B.where(B.logical_and(_pole(B, z), _pole(B, end)), left, inside)


scipy_function("binom", lambda sp, n, k: sp.binomial(n, k), _binom_in_set, _binom_in_chosen)
scipy_function(
    "poch",
    lambda sp, z, m: sp.RisingFactorial(z, m),
    _poch_in_start,
    lambda B, y, z, m: B.multiply(y, B.digamma(B.add(z, m))),
)

HURWITZ_ZETA = elementwise_op(
    "hurwitz_zeta",
    scipy_value("zeta"),
    lambda sp, x, q: sp.zeta(x, q),
    lowering="zeta(x, y)",
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
