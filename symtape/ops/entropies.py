"""Products with logarithms and the losses made of them: xlogy, entropies, logit, Huber's losses, Box and Cox."""

from __future__ import annotations

from typing import Any

from symtape.ops.registry import function
from symtape.ops.scipy_functions import scipy_function

scipy_function(
    "logit", lambda sp, x: sp.log(x / (1 - x)), lambda B, y, x: B.add(B.reciprocal(x), B.reciprocal(B.subtract(1, x)))
)
scipy_function(
    "log_expit",
    lambda sp, x: -sp.log(1 + sp.exp(-x)),
    lambda B, y, x: B.expit(B.negative(x)),
    compiled="minimum(x, 0) - log1p(exp(-absolute(x)))",
)
scipy_function(
    "xlogy",
    lambda sp, x, y: sp.Piecewise((0, sp.Eq(x, 0)), (x * sp.log(y), True)),
    lambda B, out, x, y: B.log(y),
    lambda B, out, x, y: B.divide_no_nan(x, y),
)
scipy_function(
    "xlog1py",
    lambda sp, x, y: sp.Piecewise((0, sp.Eq(x, 0)), (x * sp.log(1 + y), True)),
    lambda B, out, x, y: B.log1p(y),
    lambda B, out, x, y: B.divide_no_nan(x, B.add(1, y)),
)
scipy_function(
    "entr",
    lambda sp, x: sp.Piecewise((-x * sp.log(x), x > 0), (0, sp.Eq(x, 0)), (-sp.oo, True)),
    lambda B, out, x: B.subtract(-1, B.log(x)),
)
scipy_function(
    "rel_entr",
    lambda sp, x, y: sp.Piecewise(
        (x * sp.log(x / y), sp.And(x > 0, y > 0)), (0, sp.And(sp.Eq(x, 0), y >= 0)), (sp.oo, True)
    ),
    lambda B, out, x, y: B.add(1, B.log_ratio(x, y)),
    lambda B, out, x, y: B.negative(B.divide(x, y)),
)
scipy_function(
    "kl_div",
    lambda sp, x, y: sp.Piecewise(
        (x * sp.log(x / y) - x + y, sp.And(x > 0, y > 0)), (y, sp.And(sp.Eq(x, 0), y >= 0)), (sp.oo, True)
    ),
    lambda B, out, x, y: B.log_ratio(x, y),
    lambda B, out, x, y: B.relative_excess(x, y),
)
scipy_function(
    "huber",
    lambda sp, delta, r: sp.Piecewise(
        (sp.oo, delta < 0), (r**2 / 2, sp.Abs(r) <= delta), (delta * (sp.Abs(r) - delta / 2), True)
    ),
    lambda B, out, delta, r: B.maximum(B.subtract(B.absolute(r), delta), 0),
    lambda B, out, delta, r: B.clip(r, B.negative(delta), delta),
)


def _pseudo_huber_in_delta(B: Any, out: Any, delta: Any, r: Any) -> Any:
    """``(h - delta)**2/h`` with ``h = hypot(delta, r)``, its difference as ``r*(r/(h + delta))``."""
    h = B.hypot(delta, r)
    beyond = B.multiply(r, B.divide(r, B.add(h, delta)))
    return B.multiply(beyond, B.divide(beyond, h))


scipy_function(
    "pseudo_huber",
    lambda sp, delta, r: delta**2 * (sp.sqrt(1 + (r / delta) ** 2) - 1),
    _pseudo_huber_in_delta,
    lambda B, out, delta, r: B.multiply(delta, B.cosine_beside(r, delta)),
)


def _boxcox_in_exponent(B: Any, log: Any, exponent: Any) -> Any:
    """Of ``log*exprel(exponent*log)``."""
    return B.multiply(B.square(log), B.exprel_derivative(B.multiply(exponent, log)))


scipy_function(
    "boxcox",
    lambda sp, x, n: sp.Piecewise((sp.log(x), sp.Eq(n, 0)), ((x**n - 1) / n, True)),
    lambda B, out, x, n: B.power(x, B.subtract(n, 1)),
    lambda B, out, x, n: _boxcox_in_exponent(B, B.log(x), n),
)
scipy_function(
    "boxcox1p",
    lambda sp, x, n: sp.Piecewise((sp.log(1 + x), sp.Eq(n, 0)), (((1 + x) ** n - 1) / n, True)),
    lambda B, out, x, n: B.exp(B.multiply(B.subtract(n, 1), B.log1p(x))),
    lambda B, out, x, n: _boxcox_in_exponent(B, B.log1p(x), n),
)
scipy_function("cosm1", lambda sp, x: sp.cos(x) - 1, lambda B, out, x: B.negative(B.sin(x)))


@function("scipy.special.expm1")
def special_expm1(B: Any, x: Any, /) -> Any:
    """``scipy.special.expm1``."""
    return B.expm1(x)


@function("scipy.special.log1p")
def special_log1p(B: Any, x: Any, /) -> Any:
    """``scipy.special.log1p``."""
    return B.log1p(x)


@function("scipy.special.exp2")
def special_exp2(B: Any, x: Any, /) -> Any:
    """``scipy.special.exp2``."""
    return B.exp2(x)


@function("scipy.special.exp10")
def special_exp10(B: Any, x: Any, /) -> Any:
    """``scipy.special.exp10``."""
    return B.power(10.0, x)


@function("scipy.special.cbrt")
def special_cbrt(B: Any, x: Any, /) -> Any:
    """``scipy.special.cbrt``."""
    return B.cbrt(x)
