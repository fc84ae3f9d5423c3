"""Derivatives and batches of closed graphs, which are closed graphs again; kept on the graph that they were made from.

Registered as functions of the namespace, so that the rules of ops with bodies reach them without importing this room.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from symtape.autodiff.batching import batch_graph
from symtape.autodiff.forward import tangents
from symtape.autodiff.reverse import pullback
from symtape.graph.closed import Graph, interned
from symtape.graph.node import Node, placeholder
from symtape.graph.shapes import Length
from symtape.ops.namespace import DERIVATIVES
from symtape.ops.registry import function

Derived: TypeAlias = tuple[Graph, tuple[bool, ...]]


@function()
def vjp_of(B: Any, graph: Graph, wrt: tuple[int, ...], given: tuple[int, ...]) -> Derived:
    """The vjp of a body.

    Parameters
    ----------
    graph : Graph
    wrt : tuple of int
        Inputs whose cotangents are asked for.
    given : tuple of int
        Results whose cotangents are given: they are inputs of the new body after the graph's own.

    Returns
    -------
    graph : Graph
        One result per entry of ``wrt``; zeros where nothing flows.
    flows : tuple of bool
        Whether anything does.
    """
    found: Derived = graph.derived(("vjp", wrt, given), lambda: _vjp(graph, wrt, given))
    return found


def _vjp(graph: Graph, wrt: tuple[int, ...], given: tuple[int, ...]) -> Derived:
    outputs = [graph.outputs[k] for k in given]
    cotangents = _more_inputs(graph, outputs)
    sources = [graph.inputs[k] for k in wrt]
    return _derived(graph, cotangents, pullback(outputs, cotangents, sources), sources)


@function()
def jvp_of(B: Any, graph: Graph, moving: tuple[int, ...]) -> Derived:
    """The jvp of a body: it takes tangents of the ``moving`` inputs too and gives tangents of the results."""
    found: Derived = graph.derived(("jvp", moving), lambda: _jvp(graph, moving))
    return found


def _jvp(graph: Graph, moving: tuple[int, ...]) -> Derived:
    sources = [graph.inputs[k] for k in moving]
    directions = _more_inputs(graph, sources)
    return _derived(graph, directions, tangents(graph.outputs, sources, directions), graph.outputs)


@function()
def batch_of(B: Any, graph: Graph, batched: tuple[bool, ...], length: Length) -> Graph:
    """The body over a new leading axis of the inputs that ``batched`` marks; every result has that axis."""
    found: Graph = graph.derived(("batch", batched, length), lambda: _batch(graph, batched, length))
    return found


def _batch(graph: Graph, batched: tuple[bool, ...], length: Length) -> Graph:
    inputs = tuple(
        placeholder(k, (length, *node.shape), node.dtype) if b else node
        for k, (node, b) in enumerate(zip(graph.inputs, batched, strict=True))
    )
    over = [new if b else None for new, b in zip(inputs, batched, strict=True)]
    return interned(inputs, batch_graph(graph.outputs, graph.inputs, over, length))


def _more_inputs(graph: Graph, like: list[Node]) -> list[Node]:
    return [placeholder(len(graph.inputs) + k, node.shape, node.dtype) for k, node in enumerate(like)]


def _derived(graph: Graph, more: list[Node], found: Any, like: Any) -> Derived:
    outputs = tuple(
        DERIVATIVES.zeros(node.shape, node.dtype) if value is None else value
        for value, node in zip(found, like, strict=True)
    )
    return interned((*graph.inputs, *more), outputs), tuple(value is not None for value in found)
