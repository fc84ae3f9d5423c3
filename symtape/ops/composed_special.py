"""Functions of scipy.special that are others in disguise, and a few small ones: degrees, counts, old names of tails."""

from __future__ import annotations

import math
from typing import Any

from symtape.ops.arguments import as_integer, only_defaults
from symtape.ops.integrals import complete_slope
from symtape.ops.registry import elementwise, function
from symtape.ops.scipy_functions import scipy_function, scipy_value

# -------------------------------------------------------------------------------------------------------------- degrees

_DEGREE = math.pi / 180


def _turned(sp: Any, x: Any) -> Any:
    return sp.pi * x / 180


scipy_function("sindg", lambda sp, x: sp.sin(_turned(sp, x)), lambda B, y, x: B.multiply(_DEGREE, B.cosdg(x)))
scipy_function("cosdg", lambda sp, x: sp.cos(_turned(sp, x)), lambda B, y, x: B.multiply(-_DEGREE, B.sindg(x)))
scipy_function(
    "tandg",
    lambda sp, x: sp.tan(_turned(sp, x)),
    lambda B, y, x: B.multiply(_DEGREE, B.add(1, B.square(y))),
)


@function("scipy.special.radian")
def radian(B: Any, d: Any, m: Any, s: Any, /) -> Any:
    """``scipy.special.radian``: degrees, minutes and seconds."""
    return B.deg2rad(B.add(d, B.divide(B.add(m, B.divide(s, 60)), 60)))


@function("scipy.special.round")
def special_round(B: Any, x: Any, /) -> Any:
    """``scipy.special.round``: to the nearest integer, halves to even."""
    return B.rint(x)


# ------------------------------------------------------------------------------------------------------- gamma's family

elementwise(
    "gammasgn",
    scipy_value("gammasgn"),
    lambda sp, x: sp.sign(sp.gamma(x)),
    implements=("scipy.special.gammasgn",),
    differentiable=False,
    lowering="gammasgn(x)",
    arity=1,
)


@function("scipy.special.multigammaln")
def multigammaln(B: Any, a: Any, d: Any) -> Any:
    """``scipy.special.multigammaln``: the logarithm of the gamma function of d dimensions."""
    count = as_integer(d, "d")
    if count < 1:
        raise ValueError("d should be a positive integer (dimension)")
    total: Any = 0.25 * count * (count - 1) * math.log(math.pi)
    for j in range(count):
        total = B.add(total, B.gammaln(B.subtract(a, 0.5 * j)))
    return total


@function("scipy.special.comb")
def comb(B: Any, N: Any, k: Any, *, exact: bool = False, repetition: bool = False) -> Any:
    """``scipy.special.comb``: combinations, 0 where k is not between 0 and N."""
    only_defaults("comb", exact=exact)
    if repetition:
        N = B.subtract(B.add(N, k), 1)
    possible = B.logical_and(B.greater_equal(N, 0), B.logical_and(B.greater_equal(k, 0), B.less_equal(k, N)))
    return B.where(possible, B.binom(N, k), 0.0)


@function("scipy.special.perm")
def perm(B: Any, N: Any, k: Any, exact: bool = False) -> Any:
    """``scipy.special.perm``: arrangements, 0 where k is not between 0 and N."""
    only_defaults("perm", exact=exact)
    possible = B.logical_and(B.greater_equal(N, 0), B.logical_and(B.greater_equal(k, 0), B.less_equal(k, N)))
    return B.where(possible, B.poch(B.add(B.subtract(N, k), 1), k), 0.0)


# ------------------------------------------------------------------------------------------ tails under their old names


@function("scipy.special.chdtr")
def chdtr(B: Any, v: Any, x: Any, /) -> Any:
    """``scipy.special.chdtr``: the distribution function of chi-square."""
    return B.gammainc(B.multiply(0.5, v), B.multiply(0.5, x))


@function("scipy.special.chdtrc")
def chdtrc(B: Any, v: Any, x: Any, /) -> Any:
    """``scipy.special.chdtrc``: the tail of chi-square."""
    return B.gammaincc(B.multiply(0.5, v), B.multiply(0.5, x))


@function("scipy.special.gdtr")
def gdtr(B: Any, a: Any, b: Any, x: Any, /) -> Any:
    """``scipy.special.gdtr``: the distribution function of gamma, of rate a and shape b."""
    return B.gammainc(b, B.multiply(a, x))


@function("scipy.special.gdtrc")
def gdtrc(B: Any, a: Any, b: Any, x: Any, /) -> Any:
    """``scipy.special.gdtrc``: the tail of gamma, of rate a and shape b."""
    return B.gammaincc(b, B.multiply(a, x))


@function("scipy.special.pdtr")
def pdtr(B: Any, k: Any, m: Any, /) -> Any:
    """``scipy.special.pdtr``: Poisson's distribution function."""
    return B.gammaincc(B.add(B.floor(B.astype(k, float)), 1.0), m)


@function("scipy.special.pdtrc")
def pdtrc(B: Any, k: Any, m: Any, /) -> Any:
    """``scipy.special.pdtrc``: Poisson's tail."""
    return B.gammainc(B.add(B.floor(B.astype(k, float)), 1.0), m)


@function("scipy.special.fdtr")
def fdtr(B: Any, dfn: Any, dfd: Any, x: Any, /) -> Any:
    """``scipy.special.fdtr``: the distribution function of F."""
    above = B.multiply(dfn, x)
    return B.betainc(B.multiply(0.5, dfn), B.multiply(0.5, dfd), B.divide(above, B.add(dfd, above)))


@function("scipy.special.fdtrc")
def fdtrc(B: Any, dfn: Any, dfd: Any, x: Any, /) -> Any:
    """``scipy.special.fdtrc``: the tail of F."""
    return B.betainc(B.multiply(0.5, dfd), B.multiply(0.5, dfn), B.divide(dfd, B.add(dfd, B.multiply(dfn, x))))


scipy_function(
    "ndtri_exp",
    lambda sp, y: sp.sqrt(2) * sp.erfinv(2 * sp.exp(y) - 1),
    lambda B, out, y: B.multiply(math.sqrt(2 * math.pi), B.exp(B.add(y, B.multiply(0.5, B.square(out))))),
)

# ----------------------------------------------------------------------------------------------------------- and others


@function("scipy.special.jve")
def jve(B: Any, v: Any, z: Any, /) -> Any:
    """``scipy.special.jve``: of a real number the Bessel function itself."""
    return B.jv(v, z)


@function("scipy.special.yve")
def yve(B: Any, v: Any, z: Any, /) -> Any:
    """``scipy.special.yve``: of a real number the Bessel function itself."""
    return B.yv(v, z)


@function("scipy.special.powm1")
def powm1(B: Any, x: Any, y: Any, /) -> Any:
    """``scipy.special.powm1``: ``x**y - 1``."""
    right = B.greater(x, 0)
    near = B.expm1(B.xlogy(y, B.where(right, x, 1.0)))
    return B.where(right, near, B.subtract(B.power(B.where(right, 1.0, x), y), 1))


@function("scipy.special.eval_chebyc")
def eval_chebyc(B: Any, n: Any, x: Any, /) -> Any:
    """``scipy.special.eval_chebyc``: Chebyshev's polynomials of the first kind on the interval from -2 to 2."""
    return B.multiply(2, B.eval_chebyt(n, B.multiply(0.5, x)))


@function("scipy.special.eval_chebys")
def eval_chebys(B: Any, n: Any, x: Any, /) -> Any:
    """``scipy.special.eval_chebys``: Chebyshev's polynomials of the second kind on the interval from -2 to 2."""
    return B.eval_chebyu(n, B.multiply(0.5, x))


@function("scipy.special.eval_sh_jacobi")
def eval_sh_jacobi(B: Any, n: Any, p: Any, q: Any, x: Any, /) -> Any:
    """``scipy.special.eval_sh_jacobi``: Jacobi's polynomials on the interval from 0 to 1."""
    factor = B.binom(B.subtract(B.add(B.multiply(2, n), p), 1), n)
    moved = B.subtract(B.multiply(2, x), 1)
    return B.divide(B.eval_jacobi(n, B.subtract(p, q), B.subtract(q, 1), moved), factor)


scipy_function(
    "wrightomega",
    lambda sp, x: sp.LambertW(sp.exp(x)),
    lambda B, y, x: B.divide(y, B.add(1, y)),
)
scipy_function(
    "ellipkm1",
    lambda sp, p: sp.elliptic_k(1 - p),
    lambda B, y, p: B.negative(
        complete_slope(B, B.subtract(1, p), lambda m: B.subtract(B.divide(B.ellipe(m), p), y), math.pi / 8, 1.5)
    ),
    source="NIST DLMF 19.4.1",
)
