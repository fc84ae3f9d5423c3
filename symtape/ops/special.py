"""The error and gamma functions, sigmoid and softplus.

Values come from `scipy.special`, imported when the first of them is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from symtape.ops import params as param
from symtape.ops.arguments import as_integer
from symtape.ops.op import Op
from symtape.ops.registry import elementwise, elementwise_op, function
from symtape.ops.sympy_functions import sympy_function as own


def _scipy(name: str) -> Callable[..., Any]:
    """A function of scipy.special that imports it at the first call."""

    def value(*arguments: Any) -> Any:
        import scipy.special

        return getattr(scipy.special, name)(*arguments)

    value.__name__ = name
    return value


def _special(name: str, formula: Any, **declared: Any) -> Op:
    return elementwise(
        name, _scipy(declared.pop("scipy", name)), formula, implements=(f"scipy.special.{name}",), arity=1, **declared
    )


# ------------------------------------------------------------------------------------------------ error function, gamma

_special("erf", lambda sp, x: sp.erf(x))
_special("erfc", lambda sp, x: sp.erfc(x))
_special("gamma", lambda sp, x: sp.gamma(x))
_special("gammaln", lambda sp, x: own("gammaln")(x))
elementwise(
    "digamma",
    _scipy("digamma"),
    lambda sp, x: sp.polygamma(0, x),
    implements=("scipy.special.digamma", "scipy.special.psi"),
    partials={0: lambda B, out, x: B.polygamma(1, x)},
    arity=1,
)
POLYGAMMA = elementwise_op(
    "polygamma",
    lambda x, n: _scipy("polygamma")(n, x),
    lambda sp, x, n: sp.polygamma(n, x),
    infer=lambda inputs, n: (inputs[0].shape, np.dtype(np.float64)),
    partials={0: lambda B, out, x, n: B.polygamma(n + 1, x)},
    params=(param.order,),
    lowering=lambda n: f"{(-1.0) ** (n + 1) * math.factorial(n)!r} * zeta({n + 1}, x)",
)


@function("scipy.special.polygamma")
def polygamma(B: Any, n: Any, x: Any) -> Any:
    """``scipy.special.polygamma`` of a fixed order."""
    order = as_integer(n, "the order of polygamma")
    if order < 0:
        raise ValueError(f"the order of polygamma must not be negative, got {order}")
    return B.digamma(x) if order == 0 else B.build(POLYGAMMA, (B.lift(x),), (order,))


# ------------------------------------------------------------------------------------------------- sigmoid and softplus

_special(
    "expit",
    lambda sp, x: 1 / (1 + sp.exp(-x)),
    partials={0: lambda B, out, x: B.expit_slope(x)},
)
elementwise(
    "softplus",
    lambda x: np.logaddexp(x, np.zeros((), np.asarray(x).dtype)),
    lambda sp, x: sp.log(1 + sp.exp(x)),
    implements=(),
    partials={0: lambda B, out, x: B.expit(x)},
    arity=1,
)
