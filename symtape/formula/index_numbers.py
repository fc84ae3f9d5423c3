"""The numbers of index expressions at concrete indices, those of computed index arrays included.

A formula by elements has to know which element is read. Positions may be computed, as long as they follow from
integers, truth values and constants alone; those that depend on floating-point variables have no formula.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from symtape.errors import MissingValueError, NoFormulaError
from symtape.graph.node import CONST, LEAF, Array, Node
from symtape.graph.traverse import topological
from symtape.ops import element as rules

_REMEDY = "formula('named') shows it line by line"


def length(n: Any) -> int:
    """The number of an axis length."""
    if not isinstance(n, int):
        raise MissingValueError(
            f"the length {n} in a shape has no number yet, so there are no elements to write down; {_REMEDY}"
        )
    return n


def places(shape: tuple[Any, ...]) -> Iterator[tuple[int, ...]]:
    """All places of an array, the last axis fastest."""
    return itertools.product(*[range(length(n)) for n in shape])


class IndexNumbers:
    """Evaluates index expressions; the tables that they read are worked out once."""

    def __init__(self) -> None:
        self.tables: dict[Node, Array] = {}

    def of(self, index: Any, at: Mapping[int, int], node: Node) -> int:
        """The number of an index expression of a node's rule.

        Parameters
        ----------
        index : Index expression or int
        at : mapping of int to int
            The number of each index.
        node : Node
            Whose inputs are gathered from.
        """
        match index:
            case rules.Index(number):
                return at[number]
            case rules.Sum(left, right):
                return self.of(left, at, node) + self.of(right, at, node)
            case rules.Scaled(of, factor):
                return self.of(of, at, node) * length(factor)
            case rules.Quotient(of, divisor):
                return self.of(of, at, node) // length(divisor)
            case rules.Remainder(of, divisor):
                return self.of(of, at, node) % length(divisor)
            case rules.Gather(number, where, extent):
                n = length(extent)
                k = int(self.table(node.inputs[number])[tuple(self.of(i, at, node) for i in where)])
                if not -n <= k < n:
                    raise IndexError(f"index {k} is out of bounds for an axis of length {n}")
                return k % n
        return length(index)

    def table(self, node: Node) -> Array:
        """The value of an index array."""
        if node not in self.tables:
            for below in topological([node]):
                if below not in self.tables:
                    self.tables[below] = self._value(below, node)
        return self.tables[node]

    def _value(self, node: Node, wanted: Node) -> Array:
        if node.inputs:
            with np.errstate(all="ignore"):
                value: Array = node.op.value(*[self.tables[i] for i in node.inputs], *node.params)
            return value
        if node.value is None or (node.op is LEAF and node.dtype.kind == "f"):
            what = "has no value" if node.value is None else "is a floating-point variable"
            raise NoFormulaError(
                f"which elements are read follows from {wanted!r}; it depends on {node!r}, and that {what}: {_REMEDY}"
            )
        return node.value if node.op is CONST else np.asarray(node.value)
