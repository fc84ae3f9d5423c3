"""In which order the nodes run, how long each value is needed, and how much work a rule is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from symtape.compile.arguments import LITERAL_LIMIT
from symtape.errors import MissingValueError, UnboundDimensionError
from symtape.graph.node import LEAF, Node
from symtape.graph.shapes import is_known
from symtape.graph.source import describe
from symtape.graph.traverse import topological
from symtape.ops.element import Apply, Boxes, Reduce

#: Operations of a single node that straight-line code may take, whatever the size of its result.
WORK_LIMIT: Final = 512
#: Multiplications of a contraction over short axes only from which on a library does it.
_SHORT_WORK: Final = 20_000


@dataclass(frozen=True, slots=True)
class Schedule:
    """The order of the nodes and, per position, the nodes that nothing needs afterwards."""

    order: list[Node]
    done: list[list[Node]]


def scheduled(inputs: Sequence[Node], first: Iterable[Node], outputs: Sequence[Node]) -> Schedule:
    """Order the nodes that the outputs need; those that ``first`` needs come before all others.

    Raises
    ------
    MissingValueError
        If a leaf without value is not among the inputs.
    UnboundDimensionError
        If an axis length has no number.
    """
    order = topological([*first, *outputs], stop=inputs)
    given = set(inputs)
    last: dict[Node, int] = {}
    for position, node in enumerate(order):
        last[node] = position
        if node not in given and not node.inputs and node.value is None:
            name = repr(node.params[1]) if node.op is LEAF and node.params[1] else repr(node)
            raise MissingValueError(f"the outputs depend on {name}, which has no value and is not among the inputs")
        _check_lengths(node)
        for i in node.inputs:
            last[i] = position
    forever = set(outputs)
    done: list[list[Node]] = [[] for _ in order]
    for node, position in last.items():
        if node not in forever:
            done[position].append(node)
    return Schedule(order, done)


def _check_lengths(node: Node) -> None:
    shapes: Any = (node.shape,) if node.op.results == 1 else node.shape
    for shape in shapes:
        if not is_known(shape):
            raise UnboundDimensionError(
                f"{node.op.name} at {describe(node.code, node.lasti)} has the shape {shape}, with a length that has "
                "no number yet: compiled code is made once arrays of a known shape are given"
            )


def work(rule: Any) -> int:
    """Operations that one element of a rule takes, roughly."""
    match rule:
        case Apply(_, arguments):
            return 1 + sum(work(a) for a in arguments)
        case Boxes(boxes, otherwise):
            return max([work(otherwise), *(work(box.then) for box in boxes)])
        case Reduce(_, _, extents, body):
            return max(1, math.prod(int(n) for n in extents)) * (1 + work(body))
    return 1


def longest_sum(rule: Any) -> int:
    """The most elements that a reduction in a rule runs over; 0 if there is none."""
    match rule:
        case Apply(_, arguments):
            return max((longest_sum(a) for a in arguments), default=0)
        case Boxes(boxes, otherwise):
            return max([longest_sum(otherwise), *(longest_sum(box.then) for box in boxes)])
        case Reduce(_, _, extents, body):
            return max(math.prod(int(n) for n in extents), longest_sum(body))
    return 0


def wants_library(rule: Any, shape: Sequence[int]) -> bool:
    """Whether a contraction is one that a library does better than loops.

    Decided by which axes are long, not by how long they are, so that another length of the data asks for the same code:
    a matrix times a vector is a loop, a product of matrices is not.
    """
    extents = [*shape, *_summed(rule)]
    long = sum(n > LITERAL_LIMIT for n in extents)
    short = math.prod(n for n in extents if n <= LITERAL_LIMIT)
    if long == 0:
        return short > _SHORT_WORK
    return short > {1: 64, 2: 16}.get(long, 0)


def _summed(rule: Any) -> list[int]:
    match rule:
        case Apply(_, arguments):
            return [n for a in arguments for n in _summed(a)]
        case Boxes(boxes, _):
            return [n for box in boxes for n in _summed(box.then)]
        case Reduce(_, _, extents, body):
            return [*[int(n) for n in extents], *_summed(body)]
    return []
