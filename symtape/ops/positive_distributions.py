"""Distributions of positive numbers under SciPy's names: waiting times, sizes and tails."""

from __future__ import annotations

import math
from typing import Any

from symtape.ops.distributions import LOG_2, beyond, density, method, norm_logpdf, standard


def _split(B: Any, x: Any, loc: Any, scale: Any, low: float = 0.0, inside: float = 1.0) -> tuple[Any, Any]:
    """Where the standard variable lies below the support, and it with a number of the support in these places."""
    z = standard(B, x, loc, scale)
    outside = B.less(z, low)
    return outside, B.where(outside, inside, z)


# --------------------------------------------------------------------------------------------------------- exponential


@density("expon")
def _expon_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    outside, z = _split(B, x, loc, scale)
    return beyond(B, outside, B.subtract(B.negative(z), B.log(scale)), -math.inf)


@method("expon", "cdf")
def _expon_cdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.negative(B.expm1(_expon_logsf(B, x, loc, scale)))


@method("expon", "sf")
def _expon_sf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.exp(_expon_logsf(B, x, loc, scale))


@method("expon", "logsf")
def _expon_logsf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    outside, z = _split(B, x, loc, scale)
    return beyond(B, outside, B.negative(z), 0.0)


# ------------------------------------------------------------------------------------------------------------ lognormal


@density("lognorm")
def _lognorm_logpdf(B: Any, x: Any, s: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    z = standard(B, x, loc, scale)
    outside = B.less_equal(z, 0.0)
    log = B.log(B.where(outside, 1.0, z))
    value = B.subtract(norm_logpdf(B, B.divide(log, s)), B.add(log, B.add(B.log(s), B.log(scale))))
    return beyond(B, outside, value, -math.inf)


@method("lognorm", "cdf")
def _lognorm_cdf(B: Any, x: Any, s: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    outside, z = _split(B, x, loc, scale)
    return beyond(B, outside, B.ndtr(B.divide(B.log(z), s)), 0.0)


@method("lognorm", "sf")
def _lognorm_sf(B: Any, x: Any, s: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    outside, z = _split(B, x, loc, scale)
    return beyond(B, outside, B.ndtr(B.divide(B.negative(B.log(z)), s)), 1.0)


# ---------------------------------------------------------------------------------------------------------- gamma's kin


@density("gamma")
def _gamma_logpdf(B: Any, x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    outside, z = _split(B, x, loc, scale)
    return beyond(B, outside, B.subtract(B.log_gamma_density(a, z), B.log(scale)), -math.inf)


@method("gamma", "cdf")
def _gamma_cdf(B: Any, x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    outside, z = _split(B, x, loc, scale)
    return beyond(B, outside, B.gammainc(a, z), 0.0)


@method("gamma", "sf")
def _gamma_sf(B: Any, x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    outside, z = _split(B, x, loc, scale)
    return beyond(B, outside, B.gammaincc(a, z), 1.0)


def _halves(B: Any, x: Any, df: Any, loc: Any) -> tuple[Any, Any, Any]:
    return B.subtract(x, loc), B.multiply(0.5, df), 0.0


@density("chi2")
def _chi2_logpdf(B: Any, x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """A gamma density of half as many degrees, twice as wide."""
    return _gamma_logpdf(B, *_halves(B, x, df, loc), B.multiply(2.0, scale))


@method("chi2", "cdf")
def _chi2_cdf(B: Any, x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return _gamma_cdf(B, *_halves(B, x, df, loc), B.multiply(2.0, scale))


@method("chi2", "sf")
def _chi2_sf(B: Any, x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return _gamma_sf(B, *_halves(B, x, df, loc), B.multiply(2.0, scale))


@density("invgamma")
def _invgamma_logpdf(B: Any, x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """That of the reciprocal, which is a gamma variable, less twice the logarithm."""
    z = standard(B, x, loc, scale)
    outside = B.less_equal(z, 0.0)
    inside = B.where(outside, 1.0, z)
    log = B.log_gamma_density(a, B.reciprocal(inside))
    return beyond(B, outside, B.subtract(log, B.add(B.multiply(2.0, B.log(inside)), B.log(scale))), -math.inf)


@method("invgamma", "cdf")
def _invgamma_cdf(B: Any, x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    z = standard(B, x, loc, scale)
    outside = B.less_equal(z, 0.0)
    return beyond(B, outside, B.gammaincc(a, B.reciprocal(B.where(outside, 1.0, z))), 0.0)


@method("invgamma", "sf")
def _invgamma_sf(B: Any, x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    z = standard(B, x, loc, scale)
    outside = B.less_equal(z, 0.0)
    return beyond(B, outside, B.gammainc(a, B.reciprocal(B.where(outside, 1.0, z))), 1.0)


@density("f")
def _f_logpdf(B: Any, x: Any, dfn: Any, dfd: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """A ratio of gamma variables, which is a beta variable u over ``1 - u``."""
    outside, z = _split(B, x, loc, scale)
    half_n, half_d = B.multiply(0.5, dfn), B.multiply(0.5, dfd)
    ratio = B.multiply(B.divide(dfn, dfd), z)
    plus = B.log1p(ratio)
    powers = B.subtract(B.xlogy(B.subtract(half_n, 1.0), ratio), B.multiply(B.add(half_n, half_d), plus))
    norm = B.add(B.log(B.divide(dfn, dfd)), B.subtract(B.log_poch(half_d, half_n), B.gammaln(half_n)))
    return beyond(B, outside, B.subtract(B.add(powers, norm), B.log(scale)), -math.inf)


# --------------------------------------------------------------------------------------------------- Weibull, Rayleigh


@density("weibull_min")
def _weibull_logpdf(B: Any, x: Any, c: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    outside, z = _split(B, x, loc, scale)
    shape = B.subtract(B.add(B.log(c), B.xlogy(B.subtract(c, 1.0), z)), B.power(z, c))
    return beyond(B, outside, B.subtract(shape, B.log(scale)), -math.inf)


@method("weibull_min", "cdf")
def _weibull_cdf(B: Any, x: Any, c: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.negative(B.expm1(_weibull_logsf(B, x, c, loc, scale)))


@method("weibull_min", "sf")
def _weibull_sf(B: Any, x: Any, c: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.exp(_weibull_logsf(B, x, c, loc, scale))


@method("weibull_min", "logsf")
def _weibull_logsf(B: Any, x: Any, c: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    outside, z = _split(B, x, loc, scale)
    return beyond(B, outside, B.negative(B.power(z, c)), 0.0)


@density("rayleigh")
def _rayleigh_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    outside, z = _split(B, x, loc, scale)
    value = B.subtract(B.subtract(B.log(z), B.multiply(0.5, B.square(z))), B.log(scale))
    return beyond(B, outside, value, -math.inf)


@method("rayleigh", "cdf")
def _rayleigh_cdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.negative(B.expm1(_rayleigh_logsf(B, x, loc, scale)))


@method("rayleigh", "sf")
def _rayleigh_sf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.exp(_rayleigh_logsf(B, x, loc, scale))


@method("rayleigh", "logsf")
def _rayleigh_logsf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    outside, z = _split(B, x, loc, scale)
    return beyond(B, outside, B.multiply(-0.5, B.square(z)), 0.0)


# ----------------------------------------------------------------------------------------------------- halves and tails


@density("halfnorm")
def _halfnorm_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    outside, _ = _split(B, x, loc, scale)
    return beyond(B, outside, B.add(LOG_2, norm_logpdf(B, x, loc, scale)), -math.inf)


@method("halfnorm", "cdf")
def _halfnorm_cdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    outside, z = _split(B, x, loc, scale)
    return beyond(B, outside, B.erf(B.multiply(math.sqrt(0.5), z)), 0.0)


@method("halfnorm", "sf")
def _halfnorm_sf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    outside, z = _split(B, x, loc, scale)
    return beyond(B, outside, B.erfc(B.multiply(math.sqrt(0.5), z)), 1.0)


@density("halfcauchy")
def _halfcauchy_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    outside, z = _split(B, x, loc, scale)
    value = B.subtract(math.log(2 / math.pi), B.add(B.log1p_square(z), B.log(scale)))
    return beyond(B, outside, value, -math.inf)


@method("halfcauchy", "cdf")
def _halfcauchy_cdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    outside, z = _split(B, x, loc, scale)
    return beyond(B, outside, B.multiply(2 / math.pi, B.arctan(z)), 0.0)


@method("halfcauchy", "sf")
def _halfcauchy_sf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    outside, z = _split(B, x, loc, scale)
    return beyond(B, outside, B.multiply(2 / math.pi, B.arctan2(1.0, z)), 1.0)


@density("pareto")
def _pareto_logpdf(B: Any, x: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    outside, z = _split(B, x, loc, scale, 1.0)
    value = B.subtract(B.subtract(B.log(b), B.multiply(B.add(b, 1.0), B.log(z))), B.log(scale))
    return beyond(B, outside, value, -math.inf)


@method("pareto", "cdf")
def _pareto_cdf(B: Any, x: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.negative(B.expm1(_pareto_logsf(B, x, b, loc, scale)))


@method("pareto", "sf")
def _pareto_sf(B: Any, x: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    outside, z = _split(B, x, loc, scale, 1.0)
    return beyond(B, outside, B.power(z, B.negative(b)), 1.0)


@method("pareto", "logsf")
def _pareto_logsf(B: Any, x: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    outside, z = _split(B, x, loc, scale, 1.0)
    return beyond(B, outside, B.negative(B.multiply(b, B.log(z))), 0.0)
