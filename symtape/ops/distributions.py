"""Probability distributions under SciPy's names: what they share, and those of the line, the circle and the interval.

A density is 0 outside of its support and its logarithm -inf, as in SciPy; no gradient flows there, and NaN stays NaN.
At an end of the support the value is that of the formula, and so is the slope, from inside. Each is written in the form
that neither overflows nor cancels; what all densities of gamma's and beta's kin are made of stands in `densities`. The
other distributions stand in `positive_distributions` and `count_distributions`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from symtape.ops.registry import function

Implementation = Callable[..., Any]

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
LOG_2 = math.log(2)


def standard(B: Any, x: Any, loc: Any, scale: Any) -> Any:
    """``(x - loc)/scale``."""
    return B.divide(B.subtract(x, loc), scale)


def beyond(B: Any, outside: Any, value: Any, there: float) -> Any:
    """``value`` on the support, and what holds outside of it; no gradient flows from there."""
    return B.where(outside, there, value)


def method(name: str, kind: str) -> Callable[[Implementation], Implementation]:
    """Register a method of a distribution: ``cdf``, ``sf`` and the like."""

    def enter(implementation: Implementation) -> Implementation:
        implementation.__doc__ = f"``scipy.stats.{name}.{kind}``."
        function(f"scipy.stats.{name}.{kind}", name=f"{name}_{kind}")(implementation)
        return implementation

    return enter


def density(name: str, kind: str = "pdf") -> Callable[[Implementation], Implementation]:
    """Register what is decorated as the logarithm of a density (``pdf``, or ``pmf`` of counts), and the density."""

    def enter(log: Implementation) -> Implementation:
        def whole(B: Any, *args: Any, **kwargs: Any) -> Any:
            return B.exp(log(B, *args, **kwargs))

        method(name, kind)(whole)
        return method(name, f"log{kind}")(log)

    return enter


# ----------------------------------------------------------------------------------------------------------- the normal


@density("norm")
def norm_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The logarithm of the normal density."""
    z = standard(B, x, loc, scale)
    return B.subtract(B.subtract(B.multiply(-0.5, B.square(z)), B.log(scale)), HALF_LOG_2PI)


@method("norm", "cdf")
def _norm_cdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.multiply(0.5, B.erfc(B.multiply(-math.sqrt(0.5), standard(B, x, loc, scale))))


@method("norm", "sf")
def _norm_sf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.multiply(0.5, B.erfc(B.multiply(math.sqrt(0.5), standard(B, x, loc, scale))))


@method("norm", "logcdf")
def _norm_logcdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.log_ndtr(standard(B, x, loc, scale))


@method("norm", "logsf")
def _norm_logsf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.log_ndtr(B.negative(standard(B, x, loc, scale)))


@method("norm", "ppf")
def _norm_ppf(B: Any, q: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.add(loc, B.multiply(scale, B.ndtri(q)))


@density("skewnorm")
def _skewnorm_logpdf(B: Any, x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    side = B.log_ndtr(B.multiply(a, standard(B, x, loc, scale)))
    return B.add(LOG_2, B.add(norm_logpdf(B, x, loc, scale), side))


# ------------------------------------------------------------------------------------------------------ other symmetric


@density("laplace")
def _laplace_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.subtract(B.negative(B.absolute(standard(B, x, loc, scale))), B.log(B.multiply(2.0, scale)))


@method("laplace", "cdf")
def _laplace_cdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    z = standard(B, x, loc, scale)
    below = B.multiply(0.5, B.exp(B.negative(B.absolute(z))))
    return B.where(B.greater(z, 0.0), B.subtract(1.0, below), below)


@method("laplace", "sf")
def _laplace_sf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return _laplace_cdf(B, B.negative(standard(B, x, loc, scale)))


@density("logistic")
def _logistic_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """Symmetric: the side that does not overflow."""
    z = B.negative(B.absolute(standard(B, x, loc, scale)))
    return B.subtract(B.subtract(z, B.multiply(2.0, B.softplus(z))), B.log(scale))


@method("logistic", "cdf")
def _logistic_cdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.expit(standard(B, x, loc, scale))


@method("logistic", "sf")
def _logistic_sf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.expit(B.negative(standard(B, x, loc, scale)))


@method("logistic", "logcdf")
def _logistic_logcdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.negative(B.softplus(B.negative(standard(B, x, loc, scale))))


@method("logistic", "logsf")
def _logistic_logsf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.negative(B.softplus(standard(B, x, loc, scale)))


@density("cauchy")
def _cauchy_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    z = standard(B, x, loc, scale)
    return B.negative(B.add(B.log1p_square(z), B.log(B.multiply(math.pi, scale))))


@method("cauchy", "cdf")
def _cauchy_cdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """``1/2 + arctan(z)/pi``, which cancels on the left."""
    return _cauchy_sf(B, B.negative(standard(B, x, loc, scale)))


@method("cauchy", "sf")
def _cauchy_sf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.divide(B.arctan2(1.0, standard(B, x, loc, scale)), math.pi)


@density("t")
def _t_logpdf(B: Any, x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """With infinitely many degrees of freedom the normal density."""
    z = standard(B, x, loc, scale)
    endless = B.equal(df, math.inf)
    finite = B.where(endless, 1.0, df)
    factor = B.subtract(B.log_poch(B.multiply(0.5, finite), 0.5), B.multiply(0.5, B.log(B.multiply(math.pi, finite))))
    tail = B.multiply(B.multiply(0.5, B.add(finite, 1.0)), B.log1p_square(B.divide(z, B.sqrt(finite))))
    return B.where(endless, norm_logpdf(B, x, loc, scale), B.subtract(B.subtract(factor, tail), B.log(scale)))


# ------------------------------------------------------------------------------------------------- extremes, the circle


@density("gumbel_r")
def _gumbel_r_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return _gumbel_l_logpdf(B, B.negative(B.subtract(x, loc)), 0.0, scale)


@method("gumbel_r", "cdf")
def _gumbel_r_cdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.exp(_gumbel_r_logcdf(B, x, loc, scale))


@method("gumbel_r", "sf")
def _gumbel_r_sf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.negative(B.expm1(_gumbel_r_logcdf(B, x, loc, scale)))


@method("gumbel_r", "logcdf")
def _gumbel_r_logcdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.negative(B.exp(B.negative(standard(B, x, loc, scale))))


@density("gumbel_l")
def _gumbel_l_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    z = standard(B, x, loc, scale)
    return B.subtract(B.subtract(z, B.exp(z)), B.log(scale))


@method("gumbel_l", "cdf")
def _gumbel_l_cdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.negative(B.expm1(_gumbel_l_logsf(B, x, loc, scale)))


@method("gumbel_l", "sf")
def _gumbel_l_sf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.exp(_gumbel_l_logsf(B, x, loc, scale))


@method("gumbel_l", "logsf")
def _gumbel_l_logsf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.negative(B.exp(standard(B, x, loc, scale)))


@density("vonmises")
def _vonmises_logpdf(B: Any, x: Any, kappa: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    shape = B.multiply(kappa, B.cosm1(standard(B, x, loc, scale)))
    return B.subtract(shape, B.add(B.log(B.i0e(kappa)), B.add(2 * HALF_LOG_2PI, B.log(scale))))


# --------------------------------------------------------------------------------------------------------- the interval


def _outside_unit(B: Any, z: Any) -> Any:
    return B.logical_or(B.less(z, 0.0), B.greater(z, 1.0))


@density("uniform")
def _uniform_logpdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    z = standard(B, x, loc, scale)
    flat = B.subtract(B.multiply(0.0, z), B.log(scale))  # NaN stays NaN
    return beyond(B, _outside_unit(B, z), flat, -math.inf)


@method("uniform", "cdf")
def _uniform_cdf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.clip(standard(B, x, loc, scale), 0.0, 1.0)


@method("uniform", "sf")
def _uniform_sf(B: Any, x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.clip(B.subtract(1.0, standard(B, x, loc, scale)), 0.0, 1.0)


@density("beta")
def _beta_logpdf(B: Any, x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    z = standard(B, x, loc, scale)
    outside = _outside_unit(B, z)
    value = B.log_beta_density(a, b, B.where(outside, 0.5, z))
    return beyond(B, outside, B.subtract(value, B.log(scale)), -math.inf)


@method("beta", "cdf")
def _beta_cdf(B: Any, x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.betainc(a, b, B.clip(standard(B, x, loc, scale), 0.0, 1.0))


@method("beta", "sf")
def _beta_sf(B: Any, x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return B.betaincc(a, b, B.clip(standard(B, x, loc, scale), 0.0, 1.0))
