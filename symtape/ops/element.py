"""Element rules: "element i, j of the output is this scalar expression of elements of the inputs".

A rule is a small tree over two kinds of expression. *Index* expressions are built of the output's indices with ``+``,
integer ``*``, ``// const``, ``% const`` and `Gather` (an element of an integer input used as an index). *Scalar*
expressions read elements of the inputs, apply elementwise ops to them, choose among disjoint boxes of the index space,
or reduce over further indices. The index form of a formula, the compiler's loops, sparsity and a slow oracle all
follow from the same rule.

Examples
--------
>>> i, j = index(2)
>>> (2 * i + j) // 3
((2*i0 + i1) // 3)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from symtape.graph.shapes import Dim, Length, Shape

# ------------------------------------------------------------------------------------------------------------- indices


class _Arithmetic:
    """Operators that build index expressions."""

    __slots__ = ()

    def __add__(self, other: IndexLike) -> IndexLike:
        return self if _is(other, 0) else Sum(self, other)  # type: ignore[arg-type, return-value]

    def __radd__(self, other: IndexLike) -> IndexLike:
        return self if _is(other, 0) else Sum(other, self)  # type: ignore[arg-type, return-value]

    def __sub__(self, other: Length) -> IndexLike:
        return self + (-other)

    def __rsub__(self, other: Length) -> IndexLike:
        return other + (self * -1)

    def __mul__(self, factor: Length) -> IndexLike:
        if _is(factor, 0):
            return 0
        return self if _is(factor, 1) else Scaled(self, factor)  # type: ignore[arg-type, return-value]

    __rmul__ = __mul__

    def __floordiv__(self, divisor: Length) -> IndexLike:
        return self if _is(divisor, 1) else Quotient(self, divisor)  # type: ignore[arg-type, return-value]

    def __mod__(self, divisor: Length) -> IndexLike:
        return 0 if _is(divisor, 1) else Remainder(self, divisor)  # type: ignore[arg-type]


def _is(value: object, number: int) -> bool:
    return isinstance(value, int) and value == number


@dataclass(frozen=True, slots=True, repr=False)
class Index(_Arithmetic):
    """Index number ``number``: the output's axes come first, then those of reductions, from outside inwards."""

    number: int

    def __repr__(self) -> str:
        return f"i{self.number}"


@dataclass(frozen=True, slots=True, repr=False)
class Sum(_Arithmetic):
    """Sum of two index expressions."""

    left: IndexLike
    right: IndexLike

    def __repr__(self) -> str:
        return f"({self.left} + {self.right})" if isinstance(self.right, Sum) else f"{self.left} + {self.right}"


@dataclass(frozen=True, slots=True, repr=False)
class Scaled(_Arithmetic):
    """An index expression times a constant length."""

    of: IndexLike
    factor: Length

    def __repr__(self) -> str:
        return f"{self.factor}*{self.of}" if isinstance(self.of, Index) else f"{self.factor}*({self.of})"


@dataclass(frozen=True, slots=True, repr=False)
class Quotient(_Arithmetic):
    """Floor division by a positive constant length."""

    of: IndexLike
    divisor: Length

    def __repr__(self) -> str:
        return f"(({self.of}) // {self.divisor})"


@dataclass(frozen=True, slots=True, repr=False)
class Remainder(_Arithmetic):
    """Remainder, never negative, by a positive constant length."""

    of: IndexLike
    divisor: Length

    def __repr__(self) -> str:
        return f"(({self.of}) % {self.divisor})"


@dataclass(frozen=True, slots=True, repr=False)
class Gather(_Arithmetic):
    """An element of an integer input, used as an index into an axis of length ``length``.

    Negative ones count from the end. An index outside ``-length <= k < length`` is an error at run time.
    """

    input: int
    at: tuple[IndexLike, ...]
    length: Length

    def __repr__(self) -> str:
        return f"x{self.input}[{', '.join(map(repr, self.at))}]"


IndexExpression: TypeAlias = "Index | Sum | Scaled | Quotient | Remainder | Gather"
IndexLike: TypeAlias = "IndexExpression | int | Dim"


def index(ndim: int, start: int = 0) -> tuple[Index, ...]:
    """The indices of an output with ``ndim`` axes; ``start`` numbers them from there on (for reductions)."""
    return tuple(Index(start + k) for k in range(ndim))


# ------------------------------------------------------------------------------------------------------------- scalars


@dataclass(frozen=True, slots=True)
class Read:
    """The element of input ``input`` at the given indices."""

    input: int
    at: tuple[IndexLike, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A constant, in the dtype of the result."""

    value: Any


@dataclass(frozen=True, slots=True)
class IndexValue:
    """An index expression as an integer value."""

    index: IndexLike


@dataclass(frozen=True, slots=True)
class Apply:
    """An elementwise op, with its parameters, applied to scalars."""

    op: Any
    arguments: tuple[Scalar, ...]
    params: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Box:
    """Where every ``(index, low, high)`` satisfies ``low <= index < high``, the element is ``then``."""

    bounds: tuple[tuple[IndexLike, Length, Length], ...]
    then: Scalar


@dataclass(frozen=True, slots=True)
class Boxes:
    """The first box that contains the index decides; ``otherwise`` holds outside all of them. Boxes are disjoint."""

    boxes: tuple[Box, ...]
    otherwise: Scalar


@dataclass(frozen=True, slots=True)
class Reduce:
    """A reduction of ``body`` over new indices ``first, first + 1, ...`` that run over ``extents`` (last one fastest).

    ``kind`` is one of sum, prod, max, min, any, all, argmax, argmin. max and min pass NaN on; argmax and argmin take
    the first extreme element (the first NaN, if any) and are the flat position over ``extents``.
    """

    kind: str
    first: int
    extents: tuple[Length, ...]
    body: Scalar


Scalar: TypeAlias = "Read | Number | IndexValue | Apply | Boxes | Reduce"


def read_broadcast(number: int, shape: Shape, at: Sequence[IndexLike]) -> Read:
    """The element of an input that is broadcast (NumPy's rule) against an output whose indices are ``at``."""
    offset = len(at) - len(shape)
    return Read(number, tuple(0 if _is(length, 1) else at[offset + k] for k, length in enumerate(shape)))


def elementwise_rule(op: Any, shapes: Sequence[Shape], ndim: int, params: tuple[Any, ...] = ()) -> Scalar:
    """The element rule that every elementwise op has."""
    at = index(ndim)
    return Apply(op, tuple(read_broadcast(k, shape, at) for k, shape in enumerate(shapes)), params)
