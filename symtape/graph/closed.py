"""Closed graphs: bodies of control flow and of custom gradients, with placeholders in the place of leaves.

A `Graph` is interned as nodes are: equal bodies are one object, so comparing and hashing go by identity and a node may
have it among its params. What a body needs from outside becomes an input of it.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

import numpy as np

from symtape.errors import SingularMatrixError
from symtape.graph.node import LEAF, Node, placeholder, symbol
from symtape.graph.source import describe
from symtape.graph.traverse import substitute, topological


class Graph:
    """A closed graph: outputs that depend on placeholders and implicit constants only.

    Made by `close` or `trace`, never by calling the class.

    Attributes
    ----------
    inputs : tuple of Node
        Placeholders, numbered from 0.
    outputs : tuple of Node
    """

    __slots__ = ("__weakref__", "_derived", "inputs", "outputs")

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    _derived: dict[Hashable, Any]

    def __init__(self) -> None:
        raise TypeError("a Graph is made by symtape.graph.closed.close or trace")

    def __call__(self, *arguments: Node) -> tuple[Node, ...]:
        """The outputs as nodes over other nodes in the place of the inputs."""
        if len(arguments) != len(self.inputs):
            raise TypeError(f"the graph takes {len(self.inputs)} inputs, got {len(arguments)}")
        return substitute(self.outputs, dict(zip(self.inputs, arguments, strict=True)))

    def run(self, arguments: Sequence[Any]) -> tuple[Any, ...]:
        """The outputs' values at arrays in place of the inputs, by each op's own value: what an op with a body means.

        Raises
        ------
        SingularMatrixError
            Naming the line in the body.
        """
        if len(arguments) != len(self.inputs):
            raise TypeError(f"the graph takes {len(self.inputs)} inputs, got {len(arguments)}")
        order, last = self.derived("order", lambda: _with_last_uses(self.outputs))
        values: dict[Node, Any] = dict(zip(self.inputs, arguments, strict=True))
        for node, done in zip(order, last, strict=True):
            if node in values:
                continue
            if not node.inputs and node.value is not None:
                values[node] = node.value
                continue
            try:
                values[node] = node.op.value(*[values[i] for i in node.inputs], *node.params)
            except np.linalg.LinAlgError as error:
                place = describe(node.code, node.lasti)
                raise SingularMatrixError(f"{node.op.name}: {error}; in a body, it stands at {place}") from error
            for i in done:
                del values[i]
        return tuple(values[o] for o in self.outputs)

    def derived(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What was made from this graph under ``key``: made at the first call, kept as long as the graph."""
        found = self._derived.get(key)
        if found is None:
            found = self._derived[key] = make()
        return found

    def __repr__(self) -> str:
        takes = ", ".join(f"{i.dtype}{list(i.shape)}" for i in self.inputs)
        gives = ", ".join(f"{o.dtype}{list(o.shape)}" for o in self.outputs)
        return f"<graph ({takes}) -> ({gives})>"

    def __copy__(self) -> Graph:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Graph:
        return self


def _with_last_uses(outputs: Sequence[Node]) -> tuple[list[Node], list[list[Node]]]:
    """The nodes in order, and for each those (inputs of the graph aside) whose values nobody needs after it."""
    order = topological(outputs)
    last = {i: node for node in order for i in node.inputs}
    kept = set(outputs)
    done: dict[Node, list[Node]] = {node: [] for node in order}
    for i, node in last.items():
        if i not in kept and i.inputs:
            done[node].append(i)
    return order, list(done.values())


_table: weakref.WeakValueDictionary[tuple[tuple[Node, ...], tuple[Node, ...]], Graph] = weakref.WeakValueDictionary()
_lock = threading.RLock()


def interned(inputs: tuple[Node, ...], outputs: tuple[Node, ...]) -> Graph:
    """The graph of these placeholders and outputs."""
    key = (inputs, outputs)
    with _lock:
        graph = _table.get(key)
        if graph is None:
            graph = object.__new__(Graph)
            graph.inputs = inputs
            graph.outputs = outputs
            graph._derived = {}
            _table[key] = graph
        return graph


def close(outputs: Iterable[Node], inputs: Iterable[Node]) -> tuple[Graph, tuple[Node, ...]]:
    """Close outputs over inputs: leaves that are not among the inputs become further inputs.

    Parameters
    ----------
    outputs, inputs : iterable of Node
        The inputs may be any nodes; the outputs are cut there.

    Returns
    -------
    graph : Graph
        Its inputs are first the given ones, then the captured.
    captured : tuple of Node
        The leaves below the outputs that were not among the inputs, each once.
    """
    outputs, inputs = tuple(outputs), tuple(inputs)
    known = frozenset(inputs)
    captured = tuple(n for n in topological(outputs, stop=known) if n.op is LEAF and n not in known)
    every = inputs + captured
    places = tuple(placeholder(k, node.shape, node.dtype) for k, node in enumerate(every))
    return interned(places, substitute(outputs, dict(zip(every, places, strict=True)))), captured


def trace(function: Callable[..., Sequence[Node] | Node], *like: Node) -> Graph:
    """The graph of a function of nodes, called with fresh symbols of the shapes and dtypes of the given nodes.

    Raises
    ------
    ValueError
        If the function uses leaves from outside.
    """
    symbols = tuple(symbol(None, node.shape, node.dtype) for node in like)
    result = function(*symbols)
    graph, captured = close((result,) if isinstance(result, Node) else tuple(result), symbols)
    if captured:
        raise ValueError(f"the body uses {captured[0]!r} from outside; pass it as an input")
    return graph
