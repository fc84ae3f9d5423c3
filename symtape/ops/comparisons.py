"""Comparisons, logic, bits, and questions about numbers: what is constant almost everywhere, so no gradient flows."""

from __future__ import annotations

from typing import Any

import numpy as np

from symtape.ops.arguments import only_defaults
from symtape.ops.registry import as_number, elementwise, function
from symtape.ops.sympy_functions import sympy_function as own


def _true(sp: Any, x: Any) -> Any:
    """As a sympy Boolean: a number is true where it is not zero."""
    return x if isinstance(x, sp.logic.boolalg.Boolean) and not isinstance(x, sp.Symbol) else sp.Ne(x, 0)


def _same_truth(sp: Any, x: Any, y: Any) -> Any:
    """Equality; of two comparisons, that both hold or neither."""
    if not isinstance(x, sp.Expr) and not isinstance(y, sp.Expr):
        return sp.Equivalent(x, y)
    return sp.Eq(as_number(sp, x), as_number(sp, y))


_OF_NUMBERS: tuple[tuple[str, Any, Any], ...] = (
    ("greater", np.greater, lambda sp, x, y: sp.Gt(x, y)),
    ("greater_equal", np.greater_equal, lambda sp, x, y: sp.Ge(x, y)),
    ("less", np.less, lambda sp, x, y: sp.Lt(x, y)),
    ("less_equal", np.less_equal, lambda sp, x, y: sp.Le(x, y)),
    ("isnan", np.isnan, lambda sp, x: own("isnan")(x)),
    ("isinf", np.isinf, lambda sp, x: own("isinf")(x)),
    ("isfinite", np.isfinite, lambda sp, x: own("isfinite")(x)),
    ("signbit", np.signbit, lambda sp, x: own("signbit")(x)),
    ("gcd", np.gcd, lambda sp, x, y: own("gcd")(x, y)),
    ("lcm", np.lcm, lambda sp, x, y: own("lcm")(x, y)),
    ("left_shift", np.left_shift, lambda sp, x, y: own("left_shift")(x, y)),
    ("right_shift", np.right_shift, lambda sp, x, y: own("right_shift")(x, y)),
    ("bitwise_count", np.bitwise_count, lambda sp, x: own("bitwise_count")(x)),
)

_OF_TRUTHS: tuple[tuple[str, Any, Any], ...] = (
    ("equal", np.equal, _same_truth),
    ("not_equal", np.not_equal, lambda sp, x, y: sp.Not(_same_truth(sp, x, y))),
    ("logical_and", np.logical_and, lambda sp, x, y: sp.And(_true(sp, x), _true(sp, y))),
    ("logical_or", np.logical_or, lambda sp, x, y: sp.Or(_true(sp, x), _true(sp, y))),
    ("logical_xor", np.logical_xor, lambda sp, x, y: sp.Xor(_true(sp, x), _true(sp, y))),
    ("logical_not", np.logical_not, lambda sp, x: sp.Not(_true(sp, x))),
)
for _name, _ufunc, _formula in _OF_NUMBERS:
    elementwise(_name, _ufunc, _formula, differentiable=False)
for _name, _ufunc, _formula in _OF_TRUTHS:
    elementwise(_name, _ufunc, _formula, differentiable=False, truth=True)


def _bits(sp: Any, name: str, of_truths: str, *arguments: Any) -> Any:
    """The formula of a bitwise op: on truth values it is the logical one."""
    if any(isinstance(a, sp.Expr) for a in arguments):
        return own(name)(*[as_number(sp, a) for a in arguments])
    return getattr(sp, of_truths)(*arguments)


elementwise(
    "bitwise_and",
    np.bitwise_and,
    lambda sp, x, y: _bits(sp, "bitwise_and", "And", x, y),
    differentiable=False,
    truth=True,
)
elementwise(
    "bitwise_or",
    np.bitwise_or,
    lambda sp, x, y: _bits(sp, "bitwise_or", "Or", x, y),
    differentiable=False,
    truth=True,
)
elementwise(
    "bitwise_xor",
    np.bitwise_xor,
    lambda sp, x, y: _bits(sp, "bitwise_xor", "Xor", x, y),
    differentiable=False,
    truth=True,
)
elementwise(
    "invert",
    np.invert,
    lambda sp, x: _bits(sp, "invert", "Not", x),
    implements=("numpy.invert", "numpy.bitwise_not"),
    differentiable=False,
    truth=True,
)


@function("numpy.isposinf")
def isposinf(B: Any, x: Any, out: Any = None) -> Any:
    """``np.isposinf``."""
    only_defaults("isposinf", out=out)
    return B.equal(x, np.inf)


@function("numpy.isneginf")
def isneginf(B: Any, x: Any, out: Any = None) -> Any:
    """``np.isneginf``."""
    only_defaults("isneginf", out=out)
    return B.equal(x, -np.inf)
