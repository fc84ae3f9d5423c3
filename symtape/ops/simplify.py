"""The identities that keep derivatives small, used where derivatives are built: what a user records stays as recorded.

Each looks at one op and its direct inputs, costs O(its inputs) and is tried when a derivative asks for a node. A rule
``rule(B, inputs, params)`` gives a simpler value equal for every input, NaN and infinity included, or None. Therefore
``x*0``, ``x - x``, ``x/x`` and ``2*x - x`` are not among them, and constants are folded only where the arithmetic is
exact. Two things may differ: ``x + 0`` and ``-(x - y)`` may give a zero of the other sign, and a product of constants
with ``x`` may overflow later than the two steps did.

Values are compared by identity of the value object: two tensors that share a node are different sources of a gradient
and stay apart. The rules themselves stand in `arithmetic_identities` and `layout_identities`; here are the table and
what rules ask of a value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from symtape.graph.node import CONST, WEAK, DType
from symtape.graph.shapes import broadcast
from symtape.ops.op import Op, result_dtype

Identity: TypeAlias = Callable[[Any, tuple[Any, ...], tuple[Any, ...]], Any]
Number: TypeAlias = "int | float"

#: Op name to its identity.
IDENTITIES: dict[str, Identity] = {}

_EXACT_INTEGER = 2**53


def identity(name: str) -> Callable[[Identity], Identity]:
    """Enter the identity of an op."""

    def enter(rule: Identity) -> Identity:
        IDENTITIES[name] = rule
        return rule

    return enter


# ------------------------------------------------------------------------------------------------- questions to a value


def number_of(B: Any, value: Any) -> Number | bool | None:
    """The number that a value is everywhere, if it is an implicit scalar constant or one broadcast; else None."""
    node = B.node(value)
    if node.op is not CONST and node.op.name == "broadcast_to":
        node = node.inputs[0]
    if node.op is not CONST or node.shape != ():
        return None
    number: Number | bool = node.value if node.flags & WEAK else node.value.item()
    return number


def scalar_of(B: Any, value: Any) -> Number | None:
    """The finite number of an implicit scalar constant, truth values aside; else None."""
    node = B.node(value)
    if node.op is not CONST or node.shape != ():
        return None
    number: Number = node.value if node.flags & WEAK else node.value.item()
    return number if type(number) is not bool and math.isfinite(number) else None


def made(B: Any, value: Any, name: str) -> tuple[Any, ...] | None:
    """The inputs of a value that an op of that name made, else None."""
    how = B.made_by(value)
    return how[1] if how is not None and how[0].name == name else None


def scaled(B: Any, value: Any) -> tuple[Number, Any]:
    """A value as ``number * rest``: taken apart if it is a negative or a literal multiplies it, else 1 and itself."""
    factors = made(B, value, "multiply")
    if factors is not None:
        for constant, rest in (factors, factors[::-1]):
            number = scalar_of(B, constant)
            if number is not None and B.shape(rest) == B.shape(value) and B.dtype(rest) == B.dtype(value):
                return number, rest
        return 1, value
    inner = made(B, value, "negative")
    return (1, value) if inner is None else (-1, inner[0])


def as_result(B: Any, op: Op, inputs: Sequence[Any], value: Any) -> Any:
    """A value in the shape that an elementwise op on the inputs would have; None if its dtype would be another."""
    nodes = [B.node(x) for x in inputs]
    dtype = result_dtype(op, nodes)
    if B.dtype(value) != dtype:
        return None
    if B.node(value).flags & WEAK:
        value = B.const(np.asarray(B.node(value).value, dtype))  # what an op gives is weak no longer
    shape = broadcast([n.shape for n in nodes])
    return value if B.shape(value) == shape else B.broadcast_to(value, shape)


# ------------------------------------------------------------------------------------------------------ exact constants


def exact_product(a: Number, b: Number) -> Number | None:
    """The product, if it is exact."""
    product = a * b
    return product if _whole(product, a, b) else _exact(product, Fraction(a) * Fraction(b))


def exact_sum(a: Number, b: Number) -> Number | None:
    """The sum, if it is exact."""
    total = a + b
    return total if _whole(total, a, b) else _exact(total, Fraction(a) + Fraction(b))


def _whole(result: Number, a: Number, b: Number) -> bool:
    """Whether two whole numbers gave one that doubles hold exactly: the commonest case, told without fractions."""
    return -_EXACT_INTEGER < result < _EXACT_INTEGER and a == int(a) and b == int(b)


def exact_quotient(a: Number, b: Number) -> Number | None:
    """The quotient, if it is exact."""
    return None if b == 0 else _exact(a / b, Fraction(a) / Fraction(b))


def _exact(result: Number, exactly: Fraction) -> Number | None:
    if isinstance(result, float):
        return result if math.isfinite(result) and Fraction(result) == exactly else None
    return result if abs(result) <= _EXACT_INTEGER else None


def constant_like(B: Any, number: Number, values: Sequence[Any]) -> Any:
    """The number as a constant in the dtype that the given constants have together; None if it does not fit there.

    Python scalars stay weak.
    """
    strong = [B.dtype(v) for v in values if not B.node(v).flags & WEAK]
    if not strong:
        return B.const(number)
    dtype: DType = np.result_type(*strong)
    if dtype.kind != "f":
        return None
    array = np.asarray(number, dtype)
    return B.const(array) if array.item() == number else None
