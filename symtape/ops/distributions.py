"""Probability distributions: densities, their logarithms and distribution functions, under SciPy's names.

Each is written in ops that exist, in the form that neither overflows nor cancels where the density is small. Outside of
its support a density is 0 and its logarithm -inf, as in SciPy; no gradient flows there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from symtape.ops.registry import function

Log = Callable[..., Any]

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def standard(B: Any, x: Any, loc: Any, scale: Any) -> Any:
    """``(x - loc)/scale``."""
    return B.divide(B.subtract(x, loc), scale)


def inside(B: Any, support: Any, value: Any, outside: float) -> Any:
    """``value`` on the support; no gradient flows outside."""
    return B.where(support, value, outside)


def _density(name: str, log: Log) -> Log:
    """Enter ``logpdf`` and ``pdf`` (``logpmf`` and ``pmf`` of a discrete one), given the logarithm."""
    kind = "pmf" if log.__name__.endswith("logpmf") else "pdf"
    function(f"scipy.stats.{name}.log{kind}", name=f"{name}_log{kind}")(log)

    def density(B: Any, *args: Any, **kwargs: Any) -> Any:
        return B.exp(log(B, *args, **kwargs))

    density.__doc__ = f"``scipy.stats.{name}.{kind}``."
    function(f"scipy.stats.{name}.{kind}", name=f"{name}_{kind}")(density)
    return log


def density_of(name: str) -> Callable[[Log], Log]:
    """Register what is decorated as the logarithm of a density, ``logpdf`` or ``logpmf``, and the density with it."""
    return lambda log: _density(name, log)


@density_of("norm")
def norm_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.norm.logpdf``."""
    z = standard(B, x, loc, scale)
    return B.subtract(B.subtract(B.multiply(-0.5, B.square(z)), B.log(scale)), HALF_LOG_2PI)


@function("scipy.stats.norm.cdf")
def norm_cdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.norm.cdf``."""
    return B.multiply(0.5, B.erfc(B.multiply(-math.sqrt(0.5), standard(B, x, loc, scale))))


@function("scipy.stats.norm.sf")
def norm_sf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.norm.sf``."""
    return B.multiply(0.5, B.erfc(B.multiply(math.sqrt(0.5), standard(B, x, loc, scale))))


@density_of("lognorm")
def _lognorm_logpdf(B: Any, x: Any, s: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.lognorm.logpdf``."""
    z = standard(B, x, loc, scale)
    support = B.greater(z, 0.0)
    log = B.log(B.where(support, z, 1.0))
    value = B.subtract(norm_logpdf(B, B.divide(log, s)), B.add(log, B.log(B.multiply(s, scale))))
    return inside(B, support, value, -math.inf)


@density_of("expon")
def _expon_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.expon.logpdf``."""
    z = standard(B, x, loc, scale)
    return inside(B, B.greater_equal(z, 0.0), B.subtract(B.negative(z), B.log(scale)), -math.inf)


@function("scipy.stats.expon.cdf")
def expon_cdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.expon.cdf``."""
    z = standard(B, x, loc, scale)
    return inside(B, B.greater(z, 0.0), B.negative(B.expm1(B.negative(z))), 0.0)


@density_of("uniform")
def _uniform_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.uniform.logpdf``."""
    z = standard(B, x, loc, scale)
    support = B.logical_and(B.greater_equal(z, 0.0), B.less_equal(z, 1.0))
    return inside(B, support, B.negative(B.log(scale)), -math.inf)


@density_of("laplace")
def _laplace_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.laplace.logpdf``."""
    return B.subtract(B.negative(B.absolute(standard(B, x, loc, scale))), B.log(B.multiply(2.0, scale)))


@density_of("logistic")
def _logistic_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.logistic.logpdf``."""
    z = B.negative(B.absolute(standard(B, x, loc, scale)))  # symmetric: the side that does not overflow
    return B.subtract(B.subtract(z, B.multiply(2.0, B.log1p(B.exp(z)))), B.log(scale))


@function("scipy.stats.logistic.cdf")
def logistic_cdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.logistic.cdf``."""
    return B.expit(standard(B, x, loc, scale))


@density_of("cauchy")
def _cauchy_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.cauchy.logpdf``."""
    z = standard(B, x, loc, scale)
    return B.negative(B.add(B.log1p(B.square(z)), B.log(B.multiply(math.pi, scale))))


@function("scipy.stats.cauchy.cdf")
def cauchy_cdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.cauchy.cdf``."""
    return B.add(0.5, B.divide(B.arctan(standard(B, x, loc, scale)), math.pi))


@density_of("t")
def _t_logpdf(B: Any, x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.t.logpdf``."""
    z = standard(B, x, loc, scale)
    half = B.multiply(0.5, B.add(df, 1.0))
    factor = B.subtract(B.gammaln(half), B.gammaln(B.multiply(0.5, df)))
    norm = B.add(B.multiply(0.5, B.log(B.multiply(math.pi, df))), B.log(scale))
    return B.subtract(B.subtract(factor, norm), B.multiply(half, B.log1p(B.divide(B.square(z), df))))


@density_of("gamma")
def _gamma_logpdf(B: Any, x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.gamma.logpdf``."""
    z = standard(B, x, loc, scale)
    support = B.greater(z, 0.0)
    log = B.log(B.where(support, z, 1.0))
    value = B.subtract(B.subtract(B.multiply(B.subtract(a, 1.0), log), z), B.add(B.gammaln(a), B.log(scale)))
    return inside(B, support, value, -math.inf)


@density_of("beta")
def _beta_logpdf(B: Any, x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``scipy.stats.beta.logpdf``."""
    z = standard(B, x, loc, scale)
    support = B.logical_and(B.greater(z, 0.0), B.less(z, 1.0))
    safe = B.where(support, z, 0.5)
    shape = B.add(
        B.multiply(B.subtract(a, 1.0), B.log(safe)), B.multiply(B.subtract(b, 1.0), B.log1p(B.negative(safe)))
    )
    norm = B.subtract(B.add(B.gammaln(a), B.gammaln(b)), B.gammaln(B.add(a, b)))
    return inside(B, support, B.subtract(B.subtract(shape, norm), B.log(scale)), -math.inf)


def times_log(B: Any, k: Any, x: Any) -> Any:
    """``k*log(x)``, 0 where ``k`` is 0 whatever ``x``."""
    some = B.not_equal(k, 0)
    return B.where(some, B.multiply(k, B.log(B.where(some, x, 1.0))), 0.0)


def whole(B: Any, k: Any, low: Any, high: Any = math.inf) -> Any:
    """Whether ``k`` is an integer between two bounds."""
    between = B.logical_and(B.greater_equal(k, low), B.less_equal(k, high))
    return B.logical_and(between, B.equal(B.floor(B.astype(k, float)), k))


@density_of("poisson")
def _poisson_logpmf(B: Any, k: Any, mu: Any, loc: Any = 0) -> Any:
    """``scipy.stats.poisson.logpmf``."""
    k = B.subtract(k, loc)
    support = whole(B, k, 0)
    safe = B.where(support, k, 0)
    value = B.subtract(B.subtract(times_log(B, safe, mu), mu), B.gammaln(B.add(safe, 1.0)))
    return inside(B, support, value, -math.inf)


@density_of("binom")
def _binom_logpmf(B: Any, k: Any, n: Any, p: Any, loc: Any = 0) -> Any:
    """``scipy.stats.binom.logpmf``."""
    k = B.subtract(k, loc)
    support = whole(B, k, 0, n)
    safe = B.where(support, k, 0)
    rest = B.subtract(n, safe)
    ways = B.subtract(B.gammaln(B.add(n, 1.0)), B.add(B.gammaln(B.add(safe, 1.0)), B.gammaln(B.add(rest, 1.0))))
    value = B.add(ways, B.add(times_log(B, safe, p), times_log(B, rest, B.subtract(1.0, p))))
    return inside(B, support, value, -math.inf)


@density_of("bernoulli")
def _bernoulli_logpmf(B: Any, k: Any, p: Any, loc: Any = 0) -> Any:
    """``scipy.stats.bernoulli.logpmf``."""
    return _binom_logpmf(B, k, 1, p, loc)
