"""Graphs whose axis lengths are only named, with numbers in the places of the names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from symtape.errors import ShapeError, UnboundDimensionError
from symtape.graph.closed import Graph, interned
from symtape.graph.node import Node, build, placeholder, symbol
from symtape.graph.shapes import Dim, Shape, is_known
from symtape.graph.traverse import topological


def lengths(name: str, declared: Shape, given: Sequence[int], known: dict[str, int]) -> None:
    """Match a shape that came with the declared one, and enter the numbers of its names in ``known``.

    Raises
    ------
    ShapeError
        If they do not fit, or a name would have two numbers.
    """
    if len(declared) != len(given):
        raise ShapeError(f"{name} has shape {tuple(given)}, wanted {declared}")
    for length, number in zip(declared, given, strict=True):
        if isinstance(length, Dim):
            if (
                len(length.terms) == 1
                and length.terms[0][0]
                and len(length.terms[0][0]) == 1
                and length.terms[0][1] == 1
            ):
                (symbol_name,) = length.terms[0][0]
                if known.setdefault(symbol_name, number) != number:
                    raise ShapeError(
                        f"{name} has shape {tuple(given)}, so {symbol_name} = {number}, "
                        f"but another input has {symbol_name} = {known[symbol_name]}"
                    )
        elif length != number:
            raise ShapeError(f"{name} has shape {tuple(given)}, wanted {declared}")


def bound_shape(shape: Shape, known: Mapping[str, int]) -> Shape:
    """The shape with numbers for names."""
    return tuple(d.bind(known) if isinstance(d, Dim) else d for d in shape)


def bound(
    inputs: Sequence[Node], nodes: Sequence[Node], known: Mapping[str, int]
) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """Inputs and nodes of a graph with numbers for its named lengths.

    Parameters
    ----------
    inputs, nodes : sequence of Node
    known : mapping of str to int

    Returns
    -------
    inputs, nodes : tuple of Node
        New leaves stand in the places of the inputs.

    Raises
    ------
    UnboundDimensionError
        If a name has no number.
    """
    new: dict[Node, Node] = {}
    for node in inputs:
        shape = bound_shape(node.shape, known)
        if not is_known(shape):
            names = sorted({n for d in shape if isinstance(d, Dim) for n in d.names})
            raise UnboundDimensionError(
                f"the length {', '.join(names)} has no number: no input has it as an axis of its own"
            )
        label = node.params[1] if len(node.params) > 1 else None
        new[node] = symbol(label if isinstance(label, str) else None, shape, node.dtype)
    return tuple(new[n] for n in inputs), _over(nodes, new, known)


def _over(nodes: Sequence[Node], new: dict[Node, Node], known: Mapping[str, int]) -> tuple[Node, ...]:
    """Nodes with numbers for named lengths, over new inputs."""
    for node in topological(nodes, stop=new):
        if node not in new:
            params = tuple(_bound_param(p, known) for p in node.params) if node.inputs else node.params
            arguments = tuple([new[i] for i in node.inputs])
            same = arguments == node.inputs and params == node.params
            new[node] = node if same or not node.inputs else build(node.op, arguments, params)
    return tuple(new[n] for n in nodes)


def _bound_param(param: Any, known: Mapping[str, int]) -> Any:
    if isinstance(param, Dim):
        return param.bind(known)
    if isinstance(param, tuple):
        return tuple(_bound_param(p, known) for p in param)
    return _bound_body(param, known) if isinstance(param, Graph) else param


def _bound_body(body: Graph, known: Mapping[str, int]) -> Graph:
    """A body whose lengths are those of what it is applied to, so that their names have numbers already."""
    places = tuple(placeholder(k, bound_shape(n.shape, known), n.dtype) for k, n in enumerate(body.inputs))
    return interned(places, _over(body.outputs, dict(zip(body.inputs, places, strict=True)), known))
