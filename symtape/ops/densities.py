"""The two densities that others are made of, gamma's and beta's, in the saddle-point form where parameters are large.

The logarithm of ``x^(a - 1)*exp(-x)/gamma(a)`` is a difference of numbers of the size ``a*log(a)``, and those of
Poisson and binomial probabilities likewise. Written with Stirling's series and the deviance

    D(a, x) = a*log(a/x) + x - a = -a*(log1p(u) - u),   u = (x - a)/a,

nothing cancels (Loader, Fast and accurate computation of binomial probabilities, 2000). Their slopes in the parameters
are logarithms of ratios, which are taken as such.
"""

from __future__ import annotations

import math
from typing import Any

from symtape.ops.gamma_differences import gap, log_gamma_rest
from symtape.ops.gamma_differences import log_ratio as log_ratio_by_gap
from symtape.ops.op import Op
from symtape.ops.registry import elementwise
from symtape.ops.written_once import line_of, value_of

_LARGE = 12.0  #: where Stirling's series starts
_TERMS = 20  #: of the series of log1p(u) - u in s = u/(2 + u), for abs(u) < 1/2


def log1p_less(kit: Any, u: Any) -> Any:
    """``log1p(u) - u`` for abs(u) < 1/2, by the series of ``2*arctanh(s)``."""
    s = u / (2.0 + u)
    square = s * s
    total: Any = 0.0
    for k in reversed(range(1, _TERMS)):
        total = total * square + 2.0 / (2 * k + 1)
    return s * (total * square - u)


def _deviance(kit: Any, a: Any, x: Any) -> Any:
    """D(a, x) for x near a."""
    return -a * log1p_less(kit, (x - a) / a)


def _gamma(kit: Any, a: Any, x: Any) -> Any:
    near = kit.both(a >= _LARGE, kit.absolute(x - a) < 0.5 * a)
    plain = kit.where(kit.equal(x, math.inf), -math.inf, kit.xlogy(a - 1.0, x) - x - kit.gammaln(a))
    known = kit.both(a >= 0.0, x >= 0.0)
    a, x = kit.where(near, a, _LARGE), kit.where(near, x, _LARGE)
    saddle = 0.5 * kit.log(a / (2 * math.pi)) - kit.log(x) - log_gamma_rest(kit, a) - _deviance(kit, a, x)
    return kit.where(near, saddle, kit.where(known, plain, kit.log(-1.0 + 0.0 * x)))


LOG_GAMMA_DENSITY: Op = elementwise(
    "log_gamma_density",
    value_of(_gamma, 2),
    lambda sp, a, x: (a - 1) * sp.log(x) - x - sp.loggamma(a),
    implements=(),
    partials={
        0: lambda B, y, a, x: B.add(B.log_ratio(x, a), B.log_less_digamma(a)),
        1: lambda B, y, a, x: B.subtract(B.divide_no_nan(B.subtract(a, 1), x), 1),
    },
    lowering=line_of(_gamma, 2)(),
    arity=2,
    source="Loader, Fast and accurate computation of binomial probabilities, 2000",
)


def _beta(kit: Any, a: Any, b: Any, x: Any) -> Any:
    n = a + b
    y = 1.0 - x
    near = kit.both(
        kit.both(a >= _LARGE, b >= _LARGE),
        kit.both(kit.absolute(n * x - a) < 0.5 * a, kit.absolute(n * y - b) < 0.5 * b),
    )
    low, high = kit.minimum(a, b), kit.maximum(a, b)
    powers = kit.xlogy(a - 1.0, x) + kit.xlog1py(b - 1.0, -x)
    plain = powers + (gap(kit, high, low, 0) - kit.gammaln(low))
    known = kit.both(low >= 0.0, kit.both(x >= 0.0, y >= 0.0))
    nothing = kit.log(-1.0 + 0.0 * x)
    a, b, x = kit.where(near, a, _LARGE), kit.where(near, b, _LARGE), kit.where(near, x, 0.5)
    n, y = a + b, 1.0 - x
    scale = 0.5 * kit.log(a / n * b / (2 * math.pi)) - kit.log(x) - kit.log1p(-x)
    rests = log_gamma_rest(kit, n) - log_gamma_rest(kit, a) - log_gamma_rest(kit, b)
    saddle = scale + rests - (_deviance(kit, a, n * x) + _deviance(kit, b, n * y))
    return kit.where(near, saddle, kit.where(known, plain, nothing))


def _beta_in_first(B: Any, a: Any, b: Any, x: Any) -> Any:
    """``log(x) + digamma(a + b) - digamma(a)``."""
    n = B.add(a, b)
    rests = B.subtract(B.log_less_digamma(a), B.log_less_digamma(n))
    return B.add(B.log_ratio(x, B.divide(a, n)), rests)


LOG_BETA_DENSITY: Op = elementwise(
    "log_beta_density",
    value_of(_beta, 3),
    lambda sp, a, b, x: (
        (a - 1) * sp.log(x) + (b - 1) * sp.log(1 - x) + sp.loggamma(a + b) - sp.loggamma(a) - sp.loggamma(b)
    ),
    implements=(),
    partials={
        0: lambda B, y, a, b, x: _beta_in_first(B, a, b, x),
        1: lambda B, y, a, b, x: _beta_in_first(B, b, a, B.subtract(1, x)),
        2: lambda B, y, a, b, x: B.subtract(
            B.divide_no_nan(B.subtract(a, 1), x), B.divide_no_nan(B.subtract(b, 1), B.subtract(1, x))
        ),
    },
    lowering=line_of(_beta, 3)(),
    arity=3,
    source="Loader, Fast and accurate computation of binomial probabilities, 2000",
)

# ---------------------------------------------------------------------------------------------------- ratios and excess


def _log_ratio(kit: Any, x: Any, y: Any) -> Any:
    """``log(x/y)``, also where the quotient is nearly 1, or no double."""
    quotient = x / y
    tame = kit.both(quotient >= 1e-300, quotient < 1e300)
    apart = kit.where(tame, kit.log(quotient), kit.log(x) - kit.log(y))
    return kit.where(kit.absolute(x - y) < 0.5 * y, log_ratio_by_gap(kit, x, y, x - y), apart)


LOG_RATIO: Op = elementwise(
    "log_ratio",
    value_of(_log_ratio, 2),
    lambda sp, x, y: sp.log(x / y),
    implements=(),
    partials={0: lambda B, out, x, y: B.reciprocal(x), 1: lambda B, out, x, y: B.negative(B.reciprocal(y))},
    lowering=line_of(_log_ratio, 2)(),
    arity=2,
)

#: ``1 - x/y`` as it is exact for neighbors; its slopes are not differences.
RELATIVE_EXCESS: Op = elementwise(
    "relative_excess",
    lambda x, y: (y - x) / y,
    lambda sp, x, y: 1 - x / y,
    implements=(),
    partials={
        0: lambda B, out, x, y: B.negative(B.reciprocal(y)),
        1: lambda B, out, x, y: B.divide(B.divide(x, y), y),
    },
    lowering="(y - x) / y",
    arity=2,
)

# --------------------------------------------------------------------------------------------------------- log1p_square


def _log1p_square(kit: Any, x: Any) -> Any:
    size = kit.absolute(x)
    huge = size >= 1e100
    return kit.where(huge, 2.0 * kit.log(kit.where(huge, size, 1.0)), kit.log1p(x * x))


def _log1p_square_slope(B: Any, y: Any, x: Any) -> Any:
    """``2*x/(1 + x**2)``."""
    return B.divide(B.multiply(2, B.cosine_beside(x, 1.0)), B.hypot(x, 1.0))


LOG1P_SQUARE: Op = elementwise(
    "log1p_square",
    value_of(_log1p_square, 1),
    lambda sp, x: sp.log(1 + x**2),
    implements=(),
    partials={0: _log1p_square_slope},
    lowering=line_of(_log1p_square, 1)(),
    arity=1,
)
