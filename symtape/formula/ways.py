"""How an element of a node is made of elements of others: what the fold over elements asks for, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias

from symtape.graph.node import Node

#: A node and the place of one of its elements.
Key: TypeAlias = tuple[Node, tuple[int, ...]]

MOST_ELEMENTS = 20_000  #: that a walk visits, those that cost nothing included
PLAIN, SUM, PRODUCT = "plain", "sum", "product"  #: what stands on top of a tree; a sum in a sum is one sum


class Cost(NamedTuple):
    """Of the tree of an element: operations counted with repetitions, depth, what is on top, whether it is a number."""

    size: int
    depth: int
    head: str
    number: bool


class Way(Protocol):
    """How elements of one node are made."""

    def below(self, at: tuple[int, ...]) -> Iterable[Key]:
        """The elements that an element is made of."""
        ...

    def cost(self, at: tuple[int, ...], costs: Mapping[Key, Cost]) -> Cost:
        """The cost of an element, given that of those below."""
        ...

    def make(self, at: tuple[int, ...], done: Mapping[Key, Any]) -> Any:
        """The expression of an element, given those below."""
        ...
