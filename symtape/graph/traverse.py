"""The walks over a graph, all of them loops: a chain of 100,000 nodes passes at any recursion limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from symtape.graph.node import LEAF, Node, Params
from symtape.graph.node import build as build_node


def topological(outputs: Iterable[Node], stop: Iterable[Node] = ()) -> list[Node]:
    """Every node that the outputs need, inputs before users.

    Parameters
    ----------
    outputs : iterable of Node
    stop : iterable of Node
        Nodes whose inputs are not followed (they are listed themselves).

    Returns
    -------
    list of Node
        Each node once, in an order that depends only on the graph.
    """
    seen: set[Node] = set()
    done: set[Node] = set()
    ends = frozenset(stop)
    order: list[Node] = []
    for output in outputs:
        stack = [output]
        while stack:
            node = stack[-1]
            if node in done:
                stack.pop()
                continue
            if node in seen or not node.inputs or node in ends:
                stack.pop()
                seen.add(node)
                done.add(node)
                order.append(node)
                continue
            seen.add(node)
            stack.extend([i for i in reversed(node.inputs) if i not in done])
    return order


def leaves(outputs: Iterable[Node]) -> list[Node]:
    """The leaves (variables' versions, constants made by the user, symbols) below the outputs, each once."""
    return [node for node in topological(outputs) if node.op is LEAF]


def substitute(
    outputs: Iterable[Node],
    mapping: Mapping[Node, Node],
    build: Callable[[object, tuple[Node, ...], Params], Node] = build_node,  # type: ignore[assignment]
) -> tuple[Node, ...]:
    """The outputs with nodes replaced, rebuilt bottom up; what does not depend on a replaced node stays itself."""
    outputs = tuple(outputs)
    new = dict(mapping)
    for node in topological(outputs, stop=mapping):
        if node in new:
            continue
        inputs = tuple([new[i] for i in node.inputs])
        new[node] = node if inputs == node.inputs else build(node.op, inputs, node.params)
    return tuple(new[o] for o in outputs)


def users(order: Iterable[Node]) -> dict[Node, list[Node]]:
    """For each node of a topological order the nodes of that order that read it."""
    result: dict[Node, list[Node]] = {}
    for node in order:
        result.setdefault(node, [])
        for i in node.inputs:
            result.setdefault(i, []).append(node)
    return result


def ancestors(node: Node) -> Iterator[Node]:
    """Every node below, in no particular order, found lazily: for searches that stop early."""
    seen = {node}
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        for i in current.inputs:
            if i not in seen:
                seen.add(i)
                stack.append(i)
