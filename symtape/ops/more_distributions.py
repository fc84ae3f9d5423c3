"""More probability distributions under SciPy's names: those of waiting times, extremes, tails, directions and counts.

As in `distributions`, each is written in ops that exist, in the form that neither overflows nor cancels, and outside of
its support the logarithm is -inf, without a gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from symtape.ops.distributions import HALF_LOG_2PI, density_of, inside, norm_logpdf, standard, times_log, whole
from symtape.ops.registry import function


def _distribution(name: str, kind: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a distribution function (``cdf``) or its complement (``sf``)."""

    def enter(implementation: Callable[..., Any]) -> Callable[..., Any]:
        implementation.__doc__ = f"``scipy.stats.{name}.{kind}``."
        function(f"scipy.stats.{name}.{kind}", name=f"{name}_{kind}")(implementation)
        return implementation

    return enter


def _positive(B: Any, z: Any) -> tuple[Any, Any]:
    """Where z is positive, and z with 1 in the other places."""
    support = B.greater(z, 0.0)
    return support, B.where(support, z, 1.0)


# ---------------------------------------------------------------------------------------------------- of what exists


@_distribution("laplace", "cdf")
def _laplace_cdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    z = standard(B, x, loc, scale)
    below = B.multiply(0.5, B.exp(B.negative(B.absolute(z))))
    return B.where(B.greater(z, 0.0), B.subtract(1.0, below), below)


@_distribution("laplace", "sf")
def _laplace_sf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return _laplace_cdf(B, B.negative(standard(B, x, loc, scale)))


@_distribution("expon", "sf")
def _expon_sf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.exp(B.negative(B.maximum(standard(B, x, loc, scale), 0.0)))


@_distribution("logistic", "sf")
def _logistic_sf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.expit(B.negative(standard(B, x, loc, scale)))


@_distribution("cauchy", "sf")
def _cauchy_sf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.divide(B.arctan2(1.0, standard(B, x, loc, scale)), math.pi)


@_distribution("uniform", "cdf")
def _uniform_cdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.clip(standard(B, x, loc, scale), 0.0, 1.0)


@_distribution("uniform", "sf")
def _uniform_sf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.clip(B.subtract(1.0, standard(B, x, loc, scale)), 0.0, 1.0)


@_distribution("norm", "logcdf")
def _norm_logcdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.log_ndtr(standard(B, x, loc, scale))


@_distribution("norm", "logsf")
def _norm_logsf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.log_ndtr(B.negative(standard(B, x, loc, scale)))


@_distribution("norm", "ppf")
def _norm_ppf(B: Any, q: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.add(loc, B.multiply(scale, B.ndtri(q)))


@_distribution("lognorm", "cdf")
def _lognorm_cdf(B: Any, x: Any, s: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    support, safe = _positive(B, standard(B, x, loc, scale))
    return inside(B, support, B.ndtr(B.divide(B.log(safe), s)), 0.0)


@_distribution("lognorm", "sf")
def _lognorm_sf(B: Any, x: Any, s: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    support, safe = _positive(B, standard(B, x, loc, scale))
    return inside(B, support, B.ndtr(B.divide(B.negative(B.log(safe)), s)), 1.0)


@_distribution("gamma", "cdf")
def _gamma_cdf(B: Any, x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    support, safe = _positive(B, standard(B, x, loc, scale))
    return inside(B, support, B.gammainc(a, safe), 0.0)


@_distribution("gamma", "sf")
def _gamma_sf(B: Any, x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    support, safe = _positive(B, standard(B, x, loc, scale))
    return inside(B, support, B.gammaincc(a, safe), 1.0)


# ------------------------------------------------------------------------------------------- waiting times and extremes


@density_of("chi2")
def _chi2_logpdf(B: Any, x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.chi2.logpdf``."""
    support, safe = _positive(B, standard(B, x, loc, scale))
    half = B.multiply(0.5, df)
    shape = B.subtract(B.xlogy(B.subtract(half, 1.0), safe), B.multiply(0.5, safe))
    norm = B.add(B.add(B.gammaln(half), B.multiply(math.log(2), half)), B.log(scale))
    return inside(B, support, B.subtract(shape, norm), -math.inf)


@density_of("rayleigh")
def _rayleigh_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.rayleigh.logpdf``."""
    support, safe = _positive(B, standard(B, x, loc, scale))
    value = B.subtract(B.subtract(B.log(safe), B.multiply(0.5, B.square(safe))), B.log(scale))
    return inside(B, support, value, -math.inf)


@_distribution("rayleigh", "cdf")
def _rayleigh_cdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    z = B.maximum(standard(B, x, loc, scale), 0.0)
    return B.negative(B.expm1(B.multiply(-0.5, B.square(z))))


@_distribution("rayleigh", "sf")
def _rayleigh_sf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    z = B.maximum(standard(B, x, loc, scale), 0.0)
    return B.exp(B.multiply(-0.5, B.square(z)))


@density_of("weibull_min")
def _weibull_logpdf(B: Any, x: Any, c: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.weibull_min.logpdf``."""
    support, safe = _positive(B, standard(B, x, loc, scale))
    log = B.log(safe)
    shape = B.subtract(B.add(B.log(c), B.multiply(B.subtract(c, 1.0), log)), B.exp(B.multiply(c, log)))
    return inside(B, support, B.subtract(shape, B.log(scale)), -math.inf)


@_distribution("weibull_min", "cdf")
def _weibull_cdf(B: Any, x: Any, c: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    support, safe = _positive(B, standard(B, x, loc, scale))
    return inside(B, support, B.negative(B.expm1(B.negative(B.power(safe, c)))), 0.0)


@_distribution("weibull_min", "sf")
def _weibull_sf(B: Any, x: Any, c: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    support, safe = _positive(B, standard(B, x, loc, scale))
    return inside(B, support, B.exp(B.negative(B.power(safe, c))), 1.0)


@density_of("gumbel_r")
def _gumbel_r_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.gumbel_r.logpdf``."""
    z = standard(B, x, loc, scale)
    return B.subtract(B.negative(B.add(z, B.exp(B.negative(z)))), B.log(scale))


@_distribution("gumbel_r", "cdf")
def _gumbel_r_cdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.exp(B.negative(B.exp(B.negative(standard(B, x, loc, scale)))))


@_distribution("gumbel_r", "sf")
def _gumbel_r_sf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.negative(B.expm1(B.negative(B.exp(B.negative(standard(B, x, loc, scale))))))


@density_of("gumbel_l")
def _gumbel_l_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.gumbel_l.logpdf``."""
    z = standard(B, x, loc, scale)
    return B.subtract(B.subtract(z, B.exp(z)), B.log(scale))


@density_of("invgamma")
def _invgamma_logpdf(B: Any, x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.invgamma.logpdf``."""
    support, safe = _positive(B, standard(B, x, loc, scale))
    shape = B.subtract(B.multiply(B.subtract(-1.0, a), B.log(safe)), B.reciprocal(safe))
    return inside(B, support, B.subtract(shape, B.add(B.gammaln(a), B.log(scale))), -math.inf)


# ---------------------------------------------------------------------------------------------------------------- tails


@density_of("halfnorm")
def _halfnorm_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.halfnorm.logpdf``."""
    support = B.greater_equal(standard(B, x, loc, scale), 0.0)
    return inside(B, support, B.add(math.log(2), norm_logpdf(B, x, loc, scale)), -math.inf)


@density_of("halfcauchy")
def _halfcauchy_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.halfcauchy.logpdf``."""
    z = standard(B, x, loc, scale)
    value = B.subtract(math.log(2 / math.pi), B.add(B.log1p(B.square(z)), B.log(scale)))
    return inside(B, B.greater_equal(z, 0.0), value, -math.inf)


@density_of("pareto")
def _pareto_logpdf(B: Any, x: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.pareto.logpdf``."""
    z = standard(B, x, loc, scale)
    support = B.greater_equal(z, 1.0)
    log = B.log(B.where(support, z, 1.0))
    value = B.subtract(B.subtract(B.log(b), B.multiply(B.add(b, 1.0), log)), B.log(scale))
    return inside(B, support, value, -math.inf)


@_distribution("pareto", "sf")
def _pareto_sf(B: Any, x: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.power(B.maximum(standard(B, x, loc, scale), 1.0), B.negative(b))


@_distribution("pareto", "cdf")
def _pareto_cdf(B: Any, x: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    log = B.log(B.maximum(standard(B, x, loc, scale), 1.0))
    return B.negative(B.expm1(B.negative(B.multiply(b, log))))


@density_of("f")
def _f_logpdf(B: Any, x: Any, dfn: Any, dfd: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.f.logpdf``."""
    support, safe = _positive(B, standard(B, x, loc, scale))
    half_n, half_d = B.multiply(0.5, dfn), B.multiply(0.5, dfd)
    ratio = B.divide(B.multiply(dfn, safe), dfd)
    shape = B.add(B.multiply(half_n, B.log(B.divide(dfn, dfd))), B.xlogy(B.subtract(half_n, 1.0), safe))
    tail = B.multiply(B.add(half_n, half_d), B.log1p(ratio))
    return inside(
        B, support, B.subtract(B.subtract(shape, tail), B.add(B.betaln(half_n, half_d), B.log(scale))), -math.inf
    )


@density_of("skewnorm")
def _skewnorm_logpdf(B: Any, x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.skewnorm.logpdf``."""
    z = standard(B, x, loc, scale)
    side = B.log_ndtr(B.multiply(a, z))
    return B.add(math.log(2), B.add(norm_logpdf(B, x, loc, scale), side))


@density_of("vonmises")
def _vonmises_logpdf(B: Any, x: Any, kappa: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.vonmises.logpdf``."""
    z = standard(B, x, loc, scale)
    shape = B.multiply(kappa, B.cosm1(z))
    return B.subtract(shape, B.add(B.log(B.i0e(kappa)), B.add(2 * HALF_LOG_2PI, B.log(scale))))


# --------------------------------------------------------------------------------------------------------------- counts


@density_of("geom")
def _geom_logpmf(B: Any, k: Any, p: Any, loc: Any = 0) -> Any:
    """``scipy.stats.geom.logpmf``."""
    k = B.subtract(k, loc)
    support = whole(B, k, 1)
    safe = B.where(support, k, 1)
    return inside(B, support, B.add(B.xlog1py(B.subtract(safe, 1.0), B.negative(p)), B.log(p)), -math.inf)


@density_of("nbinom")
def _nbinom_logpmf(B: Any, k: Any, n: Any, p: Any, loc: Any = 0) -> Any:
    """``scipy.stats.nbinom.logpmf``."""
    k = B.subtract(k, loc)
    support = whole(B, k, 0)
    safe = B.where(support, k, 0)
    ways = B.subtract(B.gammaln(B.add(n, safe)), B.add(B.gammaln(B.add(safe, 1.0)), B.gammaln(n)))
    rest = B.xlog1py(B.astype(safe, float), B.negative(p))
    return inside(B, support, B.add(ways, B.add(times_log(B, n, p), rest)), -math.inf)
