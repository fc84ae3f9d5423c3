"""Functions of ours for sympy: where its own mean something else on the reals, or where it has none.

``sympy.cbrt(-8)`` is complex, ``numpy.cbrt(-8)`` is -2; there is no ``copysign`` or ``isnan``. Each function below says
what it is in sympy's own terms, from which numbers, ``evalf`` and ``rewrite`` follow, and what its derivatives are. The
classes are made when sympy is first needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from operator import index
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spec:
    """What is told of a function.

    Attributes
    ----------
    arguments : int
    terms : callable, optional
        ``terms(sp, *arguments)``: the same in sympy's own functions.
    numbers : callable, optional
        What it is of Python's numbers, where sympy's own functions do not say it.
    derivatives : tuple of callables
        ``derivative(sp, *arguments)`` per argument.
    truth : bool
        Whether it is true or false.
    whole : bool
        Whether it rounds: its values are integers, and those it leaves as they are.
    latex : str, optional
        With ``{0}`` for the first argument.
    """

    arguments: int = 1
    terms: Callable[..., Any] | None = None
    numbers: Callable[..., Any] | None = None
    derivatives: tuple[Callable[..., Any], ...] = ()
    truth: bool = False
    whole: bool = False
    latex: str | None = None


@cache
def sympy_function(name: str) -> Any:
    """The sympy class of a function of ours.

    Examples
    --------
    >>> sympy_function("cbrt")(-8)
    -2
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> sympy_function("cbrt")(x).diff(x)
    1/(3*cbrt(x)**2)
    """
    return _made(name, _SPECS[name])


def _zero(sp: Any, *arguments: Any) -> Any:
    return sp.Integer(0)


def _truncated(sp: Any, x: Any) -> Any:
    return sp.sign(x) * sp.floor(sp.Abs(x))


def _half_to_even(sp: Any, x: Any) -> Any:
    half = sp.Rational(1, 2)
    return sp.Piecewise((2 * sp.floor((x + half) / 2), sp.Eq(x - sp.floor(x), half)), (sp.floor(x + half), True))


_SPECS: dict[str, _Spec] = {
    "cbrt": _Spec(
        terms=lambda sp, x: sp.sign(x) * sp.Abs(x) ** sp.Rational(1, 3),
        derivatives=(lambda sp, x: 1 / (3 * sympy_function("cbrt")(x) ** 2),),
        latex=r"\sqrt[3]{{{0}}}",
    ),
    "gammaln": _Spec(
        terms=lambda sp, x: sp.log(sp.Abs(sp.gamma(x))),
        derivatives=(lambda sp, x: sp.polygamma(0, x),),
        latex=r"\log\left|\Gamma\left({0}\right)\right|",
    ),
    "rint": _Spec(terms=_half_to_even, derivatives=(_zero,), whole=True),
    "trunc": _Spec(terms=_truncated, derivatives=(_zero,), whole=True),
    "fmod": _Spec(
        arguments=2,
        terms=lambda sp, x, y: x - y * _truncated(sp, x / y),
        derivatives=(lambda sp, x, y: sp.Integer(1), lambda sp, x, y: -sympy_function("trunc")(x / y)),
    ),
    "fmax": _Spec(
        arguments=2,
        terms=lambda sp, x, y: sp.Max(x, y),
        derivatives=(lambda sp, x, y: sp.Heaviside(x - y), lambda sp, x, y: sp.Heaviside(y - x)),
    ),
    "fmin": _Spec(
        arguments=2,
        terms=lambda sp, x, y: sp.Min(x, y),
        derivatives=(lambda sp, x, y: sp.Heaviside(y - x), lambda sp, x, y: sp.Heaviside(x - y)),
    ),
    "copysign": _Spec(
        arguments=2,
        terms=lambda sp, x, y: sp.Piecewise((sp.Abs(x), y >= 0), (-sp.Abs(x), True)),
        derivatives=(lambda sp, x, y: sp.sign(x) * sympy_function("copysign")(1, y), _zero),
    ),
    "isnan": _Spec(truth=True, terms=lambda sp, x: sp.false),
    "isinf": _Spec(truth=True, terms=lambda sp, x: sp.Eq(sp.Abs(x), sp.oo)),
    "isfinite": _Spec(truth=True, terms=lambda sp, x: sp.Abs(x) < sp.oo),
    "signbit": _Spec(truth=True, terms=lambda sp, x: x < 0),
    "nextafter": _Spec(arguments=2, numbers=lambda x, y: math.nextafter(float(x), float(y))),
    "spacing": _Spec(numbers=lambda x: math.copysign(math.ulp(float(x)), float(x))),
    "frexp_mantissa": _Spec(numbers=lambda x: math.frexp(float(x))[0]),
    "frexp_exponent": _Spec(numbers=lambda x: math.frexp(float(x))[1]),
    "gcd": _Spec(arguments=2, numbers=lambda m, n: math.gcd(index(m), index(n))),
    "lcm": _Spec(arguments=2, numbers=lambda m, n: math.lcm(index(m), index(n))),
    "bitwise_and": _Spec(arguments=2, numbers=lambda m, n: index(m) & index(n)),
    "bitwise_or": _Spec(arguments=2, numbers=lambda m, n: index(m) | index(n)),
    "bitwise_xor": _Spec(arguments=2, numbers=lambda m, n: index(m) ^ index(n)),
    "invert": _Spec(numbers=lambda n: ~index(n)),
    "left_shift": _Spec(arguments=2, terms=lambda sp, x, n: x * 2**n),
    "right_shift": _Spec(arguments=2, terms=lambda sp, x, n: sp.floor(x / 2**n)),
    "bitwise_count": _Spec(numbers=lambda n: index(n).bit_count()),
}


def __getattr__(name: str) -> Any:
    """The classes as attributes, so that expressions that contain them pickle."""
    if name in _SPECS:
        return sympy_function(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _made(name: str, spec: _Spec) -> Any:
    import sympy

    def in_own_terms(self: Any) -> Any:
        return self if spec.terms is None else spec.terms(sympy, *self.args)

    def on_numbers(cls: Any, *arguments: Any) -> Any:
        if spec.whole and arguments[0].is_integer:
            return arguments[0]
        if not all(a.is_Number for a in arguments):
            return None
        if spec.terms is not None:
            return spec.terms(sympy, *arguments)
        if spec.numbers is None or not all(a.is_Integer or a.is_Float for a in arguments):
            return None
        try:
            found = spec.numbers(*[int(a) if a.is_Integer else float(a) for a in arguments])
        except TypeError:  # a function of integers, of other numbers
            return None
        return sympy.Float(found, 17) if isinstance(found, float) else sympy.Integer(found)

    def derivative(self: Any, argindex: int = 1) -> Any:
        if len(spec.derivatives) < argindex:
            raise sympy.core.function.ArgumentIndexError(self, argindex)
        return spec.derivatives[argindex - 1](sympy, *self.args)

    def digits(self: Any, precision: int) -> Any:
        return None if spec.terms is None else in_own_terms(self).evalf(n=sympy.core.evalf.prec_to_dps(precision))

    def rewritten(self: Any, rule: Any, args: Any, **hints: Any) -> Any:
        return None if spec.terms is None else spec.terms(sympy, *args)

    def as_latex(self: Any, printer: Any, exp: Any = None) -> str:
        arguments = ", ".join(printer._print(a) for a in self.args)
        if spec.latex is not None:
            text = spec.latex.format(arguments)
        else:
            plain = name.replace("_", r"\_")
            text = rf"\operatorname{{{plain}}}\left({arguments}\right)"
        return rf"\left({text}\right)^{{{exp}}}" if exp is not None else text

    def as_numpy(self: Any, printer: Any) -> str:
        arguments = ", ".join(printer._print(a) for a in self.args)
        return f"{printer._module_format(f'numpy.{name}')}({arguments})"  # noqa: SLF001

    def as_other(self: Any, printer: Any) -> str:
        return f"({printer._print(in_own_terms(self))})"

    members: dict[str, Any] = {
        "__module__": __name__,
        "__doc__": f"{name} as numpy has it, on the reals.",
        "nargs": spec.arguments,
        "eval": classmethod(on_numbers),
        "_eval_rewrite": rewritten,
        "_latex": as_latex,
    }
    if spec.terms is not None:
        members["_mpmathcode"] = as_other
    if hasattr(np, name):
        members["_numpycode"] = as_numpy
    if spec.truth:
        return type(name, (sympy.logic.boolalg.BooleanFunction,), members)
    members |= {
        "fdiff": derivative,
        "_eval_evalf": digits,
        "_eval_is_extended_real": lambda self: True,
        "_eval_is_integer": lambda self: spec.whole or None,
    }
    return type(name, (sympy.Function,), members)
