"""What the patterns of stable forms look at: values, the records that made them, and what is typed twice.

Neither tapes nor graphs are known here: a *record* has ``op``, ``params``, ``inputs`` and ``outputs``, a *value*
``node`` and ``ident``, and ``maker`` finds the record that made a value. What is typed twice, as in
``exp(-x)/(1 + exp(-x))``, is one value where the same operations made it of the same values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from symtape.graph.node import CONST, Node

#: Finds the record that made a value, or None.
Maker: TypeAlias = Callable[[Any], Any]

_DEPTH = 8  # of what may be typed twice


@dataclass(frozen=True, slots=True)
class Match:
    """A pattern found.

    Attributes
    ----------
    operands : tuple of values
        What the pattern is a function of.
    inner : tuple of values
        What the pattern computes on the way.
    facts : object
        What else the other form has to know.
    """

    operands: tuple[Any, ...]
    inner: tuple[Any, ...]
    facts: Any = None


# ------------------------------------------------------------------------------------------------ what patterns look at


def is_number(node: Node, number: float) -> bool:
    """Whether a node is that number, written by a person."""
    return node.op is CONST and node.shape == () and bool(np.asarray(node.value) == number)


def alike(a: Any, b: Any, maker: Maker, depth: int = _DEPTH) -> tuple[Any, ...] | None:
    """Whether two values are one, or made alike of values that are: what stands behind the second; None if not."""
    if a.node is not b.node or depth == 0:
        return None
    if a.ident == b.ident:
        return ()
    one, two = maker(a), maker(b)
    if one is None or two is None or one.op is not two.op or one.params != two.params:
        return None
    behind: tuple[Any, ...] = (b,)
    for left, right in zip(one.inputs, two.inputs, strict=True):
        more = alike(left, right, maker, depth - 1)
        if more is None:
            return None
        behind += more
    return behind


def made_by(value: Any, name: str, maker: Maker) -> Any:
    """The record that made a value, if its op has that name."""
    record = maker(value)
    return record if record is not None and record.op.name == name else None


def operand_of(value: Any, name: str, maker: Maker) -> Any:
    """What a function of one argument was taken of."""
    made = None if value is None else made_by(value, name, maker)
    return None if made is None else made.inputs[0]


def beside(record: Any, number: float) -> Any:
    """The other input of a sum or product with a number."""
    a, b = record.inputs
    return b if is_number(a.node, number) else a if is_number(b.node, number) else None


def one_plus(value: Any, maker: Maker) -> Any:
    """What 1 is added to."""
    plus = made_by(value, "add", maker)
    return None if plus is None else beside(plus, 1)


def one_minus(value: Any, maker: Maker) -> Any:
    """What is subtracted from 1."""
    minus = made_by(value, "subtract", maker)
    return minus.inputs[1] if minus is not None and is_number(minus.inputs[0].node, 1) else None


def exponent(value: Any, maker: Maker) -> Any:
    """What the exponential was taken of."""
    return operand_of(value, "exp", maker)


def terms_of(value: Any, maker: Maker) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The terms of a sum written with plus signs, and the sums on the way."""
    plus = made_by(value, "add", maker)
    if plus is None:
        return (value,), ()
    left, right = (terms_of(part, maker) for part in plus.inputs)
    return left[0] + right[0], (value, *left[1], *right[1])


def summed(value: Any, maker: Maker) -> tuple[Any, Any, tuple[Any, ...]] | None:
    """The record of a sum, what was summed, and what stood between (a reshape that keeps the axes)."""
    between: tuple[Any, ...] = ()
    total = made_by(value, "sum", maker)
    if total is None:
        kept = made_by(value, "reshape", maker)
        total = None if kept is None else made_by(kept.inputs[0], "sum", maker)
        if total is None:
            return None
        between = (kept.inputs[0],)
    return total, total.inputs[0], between
