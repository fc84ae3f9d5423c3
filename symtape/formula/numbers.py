"""The sympy numbers of a graph's constants.

A double that is a short binary fraction becomes a rational, and one that is a familiar multiple of pi that multiple;
any other prints as Python's ``repr``. So text that is read back gives the same double.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from symtape.ops.sympy_refusals import not_an_expression

_MAX_POWER = 10
_MAX_NUMERATOR = 10**6
_DOUBLE_BITS = 53
_PARTS_OF_PI = (1, 2, 3, 4, 5, 6, 8, 10, 12, 180)
_MULTIPLES_OF_PI = 12


def number(value: Any) -> Any:
    """The sympy number of a Python or NumPy scalar.

    Examples
    --------
    >>> number(0.5), number(0.1), number(2), number(True), number(float("inf"))
    (1/2, 0.1, 2, True, oo)
    >>> number(math.pi), number(2 * math.pi / 3), number(0.1 + 0.2)
    (pi, 2*pi/3, 0.30000000000000004)
    """
    import sympy

    if isinstance(value, (bool, np.bool_)):
        return sympy.true if value else sympy.false
    if not isinstance(value, float) and not (hasattr(value, "dtype") and value.dtype.kind == "f"):
        return sympy.Integer(int(value))
    double = float(value)
    if math.isnan(double):
        return sympy.nan
    if math.isinf(double):
        return sympy.oo if double > 0 else -sympy.oo
    numerator, denominator = double.as_integer_ratio()
    if denominator <= 2**_MAX_POWER and abs(numerator) < _MAX_NUMERATOR:
        return sympy.Rational(numerator, denominator)
    named = _multiple_of_pi(abs(double))
    if named is not None:
        return named if double > 0 else -named
    return double_class()(double, precision=_DOUBLE_BITS)


def _multiple_of_pi(double: float) -> Any:
    """A multiple of pi, where the double is what Python makes of it; else None."""
    import sympy

    ratio = double / math.pi
    if not 1 / max(_PARTS_OF_PI) <= ratio * (1 + 1e-9) <= _MULTIPLES_OF_PI * (1 + 2e-9):
        return None
    for part in _PARTS_OF_PI:
        times = round(ratio * part)
        if 1 <= times <= _MULTIPLES_OF_PI and times * math.pi / part == double:
            return times * sympy.pi / part
    return None


@cache
def double_class() -> Any:
    """The sympy class of doubles that print with the digits that give them back; made when sympy is first needed."""
    import sympy

    class Double(sympy.Float):  # type: ignore[misc]
        """A double that prints with the digits that give it back."""

        __slots__ = ()

        def _same(self, result: Any) -> Any:
            """The result of arithmetic as a number of ours again, so that a coefficient prints as it came."""
            return number(float(result)) if isinstance(result, sympy.Float) and result._prec == _DOUBLE_BITS else result

        def __add__(self, other: Any) -> Any:
            return self._same(super().__add__(other))

        def __sub__(self, other: Any) -> Any:
            return self._same(super().__sub__(other))

        def __mul__(self, other: Any) -> Any:
            return self._same(super().__mul__(other))

        def __truediv__(self, other: Any) -> Any:
            return self._same(super().__truediv__(other))

        def __neg__(self) -> Any:
            return self._same(super().__neg__())

        def __abs__(self) -> Any:
            return self._same(super().__abs__())

        def _eval_power(self, exponent: Any) -> Any:
            return self._same(super()._eval_power(exponent))

        def _text(self) -> str:
            return repr(float(self))

        def _sympystr(self, printer: Any) -> str:
            return self._text()

        def _sympyrepr(self, printer: Any) -> str:
            return f"Float('{self._text()}', 17)"

        def _latex(self, printer: Any) -> str:
            mantissa, _, exponent = self._text().partition("e")
            return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa

        def _mathml_content(self, printer: Any) -> Any:
            element = printer.dom.createElement("cn")
            element.appendChild(printer.dom.createTextNode(self._text()))
            return element

        def _mathml_presentation(self, printer: Any) -> Any:
            element = printer.dom.createElement("mn")
            element.appendChild(printer.dom.createTextNode(self._text()))
            return element

    Double.__module__ = __name__
    return Double


def as_expression(value: Any) -> Any:
    """A sympy object from what stands for one: an expression, a number, an array or nested list of these.

    A text is refused: sympy would run it as code.

    Raises
    ------
    TypeError
        For a text, or anything that sympy knows nothing of.
    """
    import sympy

    if isinstance(value, str):
        raise TypeError(f"{value!r} is a text, which is not read as code here; pass a sympy expression or a number")
    if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim):
        return sympy.Array([as_expression(part) for part in value])
    if isinstance(value, (bool, np.bool_, float)) or (
        isinstance(value, (np.generic, np.ndarray)) and value.dtype.kind in "biuf"
    ):
        return number(value)
    try:
        return sympy.sympify(value, strict=True)
    except sympy.SympifyError as error:
        raise not_an_expression(value) from error
