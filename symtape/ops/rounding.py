"""Rounding and remainders. Rounded values have no gradient (None); a remainder has that of the number it is part of."""

from __future__ import annotations

from typing import Any

import numpy as np

from symtape.ops.arguments import as_integer, only_defaults
from symtape.ops.registry import elementwise, function
from symtape.ops.sympy_functions import sympy_function as own

elementwise("floor", np.floor, lambda sp, x: sp.floor(x), differentiable=False)
elementwise("ceil", np.ceil, lambda sp, x: sp.ceiling(x), differentiable=False)
elementwise("trunc", np.trunc, lambda sp, x: own("trunc")(x), differentiable=False)
elementwise("rint", np.rint, lambda sp, x: own("rint")(x), differentiable=False)
elementwise("floor_divide", np.floor_divide, lambda sp, x, y: sp.floor(x / y), differentiable=False)
elementwise(
    "remainder",
    np.remainder,
    lambda sp, x, y: sp.Mod(x, y),
    implements=("numpy.remainder", "numpy.mod"),
    partials={0: 1, 1: lambda B, out, x, y: B.negative(B.floor_divide(x, y))},
)
# The quotient is an integer that x/y may miss by rounding; (x - out)/y does not.
elementwise(
    "fmod",
    np.fmod,
    lambda sp, x, y: own("fmod")(x, y),
    partials={0: 1, 1: lambda B, out, x, y: B.negative(B.rint(B.divide(B.subtract(x, out), y)))},
)


@function("numpy.divmod")
def divmod(B: Any, x1: Any, x2: Any, /) -> tuple[Any, Any]:
    """``np.divmod``: floor of the quotient, and the remainder."""
    x1, x2 = B.lift(x1), B.lift(x2)
    return B.floor_divide(x1, x2), B.remainder(x1, x2)


@function("numpy.fix")
def fix(B: Any, x: Any, out: Any = None) -> Any:
    """``np.fix``: towards zero."""
    only_defaults("fix", out=out)
    return B.trunc(x)


@function("numpy.round", "numpy.around")
def round(B: Any, a: Any, decimals: int = 0, out: Any = None) -> Any:
    """``np.round``: half to even; scaled by a power of ten as NumPy does it."""
    only_defaults("round", out=out)
    a = B.lift(a)
    places = as_integer(decimals, "decimals")
    if B.dtype(a).kind != "f" and places >= 0:
        return B.rint(a) if B.dtype(a).kind == "b" else B.positive(a)
    if places == 0:
        return B.rint(a)
    scale = float(10 ** abs(places))
    if places > 0:
        return B.divide(B.rint(B.multiply(a, scale)), scale)
    scaled = B.multiply(B.rint(B.divide(a, scale)), scale)
    return scaled if B.dtype(a).kind == "f" else B.astype(scaled, B.dtype(a))
