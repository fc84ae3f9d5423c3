"""Which ops write at computed places, and where: told by the places that the gather of the same indices reads."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from symtape.graph.node import Node
from symtape.ops.element import IndexLike, index
from symtape.ops.gathers import gather_places

#: By the name of the op: whether values add up, and the number of the input that holds them; the indices follow it.
SCATTERS: Final = MappingProxyType({"scatter_add": (True, 0), "scatter_set": (False, 1)})


@dataclass(frozen=True, slots=True)
class Scatter:
    """A scatter taken apart.

    Attributes
    ----------
    add : bool
        Whether values add up with what is there.
    number : int
        The input that holds the values.
    values : Node
    places : tuple of index expressions
        Where each value goes; gathers in them name inputs by their position in ``numbers``.
    numbers : tuple of int
    """

    add: bool
    number: int
    values: Node
    places: tuple[IndexLike, ...]
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Shaped:
    shape: Any


def scatter_of(node: Node) -> Scatter | None:
    """What a node scatters, or None if it is none of the ops that do."""
    known = SCATTERS.get(node.op.name)
    if known is None:
        return None
    add, number = known
    axes, place = node.params[:2]
    values, *indices = node.inputs[number:]
    at = index(len(values.shape))
    places = gather_places(at, (_Shaped(node.shape), *indices), axes, place)
    return Scatter(add, number, values, places, (number, *range(number + 1, len(node.inputs))))
