"""Distributions of counts under SciPy's names, as densities of gamma's and beta's kin.

A Poisson probability of k is a gamma density of k + 1, a binomial one a beta density of k + 1 and n - k + 1.
"""

from __future__ import annotations

import math
from typing import Any

from symtape.ops.distributions import beyond, density, method


def _split(B: Any, k: Any, loc: Any, low: float, high: Any = math.inf) -> tuple[Any, Any]:
    """Where ``k - loc`` is no integer between two bounds, and it with the lower one in these places."""
    k = B.subtract(k, loc)
    between = B.logical_and(B.greater_equal(k, low), B.less_equal(k, high))
    broken = B.not_equal(B.floor(B.astype(k, float)), k)
    outside = B.logical_and(B.logical_or(B.logical_not(between), broken), B.equal(k, k))
    return outside, B.where(outside, low, k)


@density("poisson", "pmf")
def _poisson_logpmf(B: Any, k: Any, mu: Any, loc: Any = 0) -> Any:
    outside, k = _split(B, k, loc, 0.0)
    return beyond(B, outside, B.log_gamma_density(B.add(k, 1.0), mu), -math.inf)


@density("binom", "pmf")
def _binom_logpmf(B: Any, k: Any, n: Any, p: Any, loc: Any = 0) -> Any:
    """At both ends a power alone."""
    outside, k = _split(B, k, loc, 0.0, n)
    rest = B.subtract(n, k)
    inner = B.subtract(B.log_beta_density(B.add(k, 1.0), B.add(rest, 1.0), p), B.log1p(n))
    first, last = B.equal(k, 0), B.equal(rest, 0)
    ends = B.add(B.xlog1py(B.where(first, rest, 0.0), B.negative(p)), B.xlogy(B.where(last, k, 0.0), p))
    return beyond(B, outside, B.where(B.logical_or(first, last), ends, inner), -math.inf)


@density("bernoulli", "pmf")
def _bernoulli_logpmf(B: Any, k: Any, p: Any, loc: Any = 0) -> Any:
    return _binom_logpmf(B, k, 1, p, loc)


@density("geom", "pmf")
def _geom_logpmf(B: Any, k: Any, p: Any, loc: Any = 0) -> Any:
    outside, k = _split(B, k, loc, 1.0)
    return beyond(B, outside, B.add(B.xlog1py(B.subtract(k, 1.0), B.negative(p)), B.log(p)), -math.inf)


@method("geom", "cdf")
def _geom_cdf(B: Any, k: Any, p: Any, loc: Any = 0) -> Any:
    return B.negative(B.expm1(_geom_logsf(B, k, p, loc)))


@method("geom", "sf")
def _geom_sf(B: Any, k: Any, p: Any, loc: Any = 0) -> Any:
    return B.exp(_geom_logsf(B, k, p, loc))


@method("geom", "logsf")
def _geom_logsf(B: Any, k: Any, p: Any, loc: Any = 0) -> Any:
    passed = B.floor(B.astype(B.subtract(k, loc), float))
    outside = B.less(passed, 1.0)
    return beyond(B, outside, B.xlog1py(B.where(outside, 1.0, passed), B.negative(p)), 0.0)


@density("nbinom", "pmf")
def _nbinom_logpmf(B: Any, k: Any, n: Any, p: Any, loc: Any = 0) -> Any:
    """A beta density of n and k + 1, times ``p/(n + k)``; without a failure ``p**n``."""
    outside, k = _split(B, k, loc, 0.0)
    inner = B.add(B.log_beta_density(n, B.add(k, 1.0), p), B.subtract(B.log(p), B.log(B.add(n, k))))
    return beyond(B, outside, B.where(B.equal(k, 0), B.xlogy(n, p), inner), -math.inf)
