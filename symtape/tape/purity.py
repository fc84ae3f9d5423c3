"""Whether two recordings of one callable are the same graph, and if not, which line of the callable made them differ.

Random numbers, the clock and counters become constants while a callable is recorded; a second recording shows them.
Nodes are compared in pairs, inputs before users, so that the difference that is found is the first one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symtape.graph.node import CONST, LEAF, PLACEHOLDER, SYMBOLIC, VALUED, Node
from symtape.graph.source import describe

_DEPENDS = VALUED | SYMBOLIC | PLACEHOLDER


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two recordings part.

    Attributes
    ----------
    line : str
        ``file:line: text`` of the user's code.
    what : str
        What was different, for a message.
    """

    line: str
    what: str


def difference(first: Sequence[Node], second: Sequence[Node], renamed: Mapping[Node, Node]) -> Difference | None:
    """The first place where two recordings are not the same graph.

    Parameters
    ----------
    first, second : sequence of Node
        What the two recordings gave, in the same order.
    renamed : mapping
        Inputs of the first recording to those of the second.

    Returns
    -------
    Difference or None
        None if they are the same.
    """
    same: set[tuple[Node, Node]] = set(renamed.items())
    for a, b in zip(first, second, strict=True):
        stack: list[tuple[Node, Node, Node]] = [(a, b, b)]
        while stack:
            x, y, user = stack[-1]
            if x is y or (x, y) in same:
                stack.pop()
                continue
            what = _unlike(x, y)
            below = [p for p in zip(x.inputs, y.inputs, strict=False) if p[0] is not p[1] and p not in same]
            if below:
                # constants are shared by all who use equal ones, so their own line may be another's
                near = y if y.flags & _DEPENDS else user
                stack.extend([(*p, near) for p in reversed(below)])
                continue
            if what is not None:
                place = y if y.flags & _DEPENDS else user
                return Difference(describe(place.code, place.lasti), what)
            same.add((x, y))
            stack.pop()
    return None


def _unlike(x: Node, y: Node) -> str | None:
    """How two nodes differ, their inputs aside."""
    if x.op is not y.op:
        again = ", which was made anew (make it once, outside of the function)" if x.op.name == y.op.name else ""
        return f"{x.op.name} was recorded first, then {y.op.name}{again}"
    if x.op is CONST or x.op is LEAF:
        return _unlike_leaves(x, y)
    if x.params != y.params or len(x.inputs) != len(y.inputs):
        return f"{x.op.name} had the parameters {x.params} first, then {y.params}"
    return None


def _unlike_leaves(x: Node, y: Node) -> str | None:
    if x.op is LEAF and (x.value is None or y.value is None):
        return f"{x!r} was used first, then {y!r}"
    if x.shape != y.shape or x.dtype != y.dtype:
        return f"a constant was {x!r} first, then {y!r}"
    if np.asarray(x.value).tobytes() != np.asarray(y.value).tobytes():
        return f"a constant was {_short(x)} first, then {_short(y)}"
    return None


def _short(node: Node) -> str:
    value = np.asarray(node.value)
    return repr(value.item()) if value.ndim == 0 else np.array2string(value, threshold=6, edgeitems=2)
