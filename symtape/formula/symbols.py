"""The sympy symbols and numbers that stand for leaves and constants of a graph.

A leaf is one real symbol, unique by identity: two leaves of one name are different symbols that print alike. A double
that is a short binary fraction becomes a rational; any other prints as Python's ``repr``, so that text read back gives
the same double.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from symtape.graph.node import Node

_MAX_POWER = 10
_MAX_NUMERATOR = 10**6
_DOUBLE_BITS = 53


@cache
def _classes() -> tuple[Any, Any]:
    """The two sympy classes of ours, made when sympy is first needed."""
    import sympy

    class LeafSymbol(sympy.Symbol):  # type: ignore[misc]
        """A real symbol that is equal only to itself and to other symbols of the same element of the same leaf."""

        __slots__ = ("stamp",)

        def __new__(cls, name: str, stamp: tuple[Any, ...]) -> Any:
            own = sympy.Symbol.__xnew__(cls, name, real=True)
            own.stamp = stamp
            return own

        def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
            return (self.name, self.stamp), {}

        def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
            return leaf_symbol, (self.name, self.stamp)

        def _hashable_content(self) -> tuple[Any, ...]:
            return (*sympy.Symbol._hashable_content(self), self.stamp)

    class Double(sympy.Float):  # type: ignore[misc]
        """A double that prints with the digits that give it back."""

        __slots__ = ()

        def _same(self, result: Any) -> Any:
            """The result of arithmetic as a `Double` again, so that a coefficient prints as it came."""
            return Double._new(result._mpf_, result._prec) if isinstance(result, sympy.Float) else result

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

    LeafSymbol.__module__ = Double.__module__ = __name__
    return LeafSymbol, Double


def leaf_symbol(name: str, stamp: tuple[Any, ...]) -> Any:
    """The symbol of an element of a leaf; ``stamp`` is the leaf's identity and the element's indices."""
    return _classes()[0](name, stamp)


def is_leaf_symbol(symbol: Any) -> bool:
    """Whether a sympy object is a symbol of ours."""
    return isinstance(symbol, _classes()[0])


def stamp_of(leaf: Node) -> int:
    """The identity behind a leaf: the variable's for a version of one, else the leaf's own."""
    ident, _, owner = leaf.params
    return int(ident if owner is None else owner)


def label_of(leaf: Node) -> str:
    """The name that a leaf prints by: its own, else one made of its identity."""
    name = leaf.params[1]
    return str(name) if name else f"v{stamp_of(leaf)}"


def element_symbol(leaf: Node, at: tuple[int, ...]) -> Any:
    """The symbol of one element of a leaf: ``x``, or ``v[0]`` and ``A[1, 2]`` for arrays."""
    name = label_of(leaf)
    return leaf_symbol(f"{name}[{', '.join(map(str, at))}]" if at else name, (stamp_of(leaf), *at))


def number(value: Any) -> Any:
    """The sympy number of a Python or NumPy scalar, exactly.

    Examples
    --------
    >>> number(0.5), number(0.1), number(2), number(True), number(float("inf"))
    (1/2, 0.1, 2, True, oo)
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
    if double == math.pi:
        return sympy.pi  # whose double it is: np.pi in an expression, and what derivatives such as that of erf contain
    numerator, denominator = double.as_integer_ratio()
    if denominator <= 2**_MAX_POWER and abs(numerator) < _MAX_NUMERATOR:
        return sympy.Rational(numerator, denominator)
    return _classes()[1](double, precision=_DOUBLE_BITS)


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
    try:
        return sympy.sympify(value, strict=True)
    except sympy.SympifyError as error:
        raise TypeError(f"wanted a sympy expression or a number, got {value!r}") from error
