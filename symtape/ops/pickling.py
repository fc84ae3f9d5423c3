"""Pickles and deep copies of nodes and closed graphs, which go through the data form: flat, whatever the depth.

The leaves below a node, and large constants, are handed to the pickler as objects of their own. So what is pickled (or
deep-copied) together stays connected, since the pickler writes each leaf once, and leaves get new identities, since
they are made anew where they are read. A variable's versions share an `Identity`, for the same reason.
"""

from __future__ import annotations

import copyreg
import weakref
from collections.abc import Callable
from typing import Any

from symtape.graph.closed import Graph, interned
from symtape.graph.container import pack, unpack
from symtape.graph.node import CONST, LEAF, WEAK, Array, DType, Leaf, Node, constant, leaf, next_ident, symbol
from symtape.graph.serialize import decode, encode, own_name
from symtape.graph.shapes import Shape
from symtape.graph.traverse import topological
from symtape.ops.op import Op
from symtape.ops.registry import op_named

_LARGE = 64  # elements; above, an implicit constant has an identity


class Identity:
    """What the versions of one variable share: a new number wherever it is read or copied.

    Attributes
    ----------
    number : int
    """

    __slots__ = ("__weakref__", "number")

    def __init__(self, number: int | None = None) -> None:
        self.number = next_ident() if number is None else number

    def __reduce__(self) -> tuple[type[Identity], tuple[()]]:
        return Identity, ()


_identities: weakref.WeakValueDictionary[int, Identity] = weakref.WeakValueDictionary()


def identity_of(number: int) -> Identity:
    """The one object that stands for the identity of a variable while something is pickled."""
    found = _identities.get(number)
    if found is None:
        found = _identities[number] = Identity(number)
    return found


def restore_leaf(value: Array | None, name: str | None, owner: Identity | None, shape: Shape, dtype: DType) -> Node:
    """A leaf made anew."""
    if value is None:
        return symbol(name, shape, dtype)
    return leaf(value, name, None if owner is None else owner.number)


def restore_node(form: bytes, apart: list[Node], unlisted: tuple[Op, ...] = ()) -> Node:
    """A node over leaves, and over ops that stand in no list, that were read before it."""
    outputs, _ = decode(*unpack(form), _found_among(unlisted), apart)
    return outputs[0]


def restore_graph(form: bytes, unlisted: tuple[Op, ...] = ()) -> Graph:
    """A closed graph; an equal one that exists already is the same."""
    outputs, inputs = decode(*unpack(form), _found_among(unlisted))
    return interned(inputs, outputs)


_UNLISTED = "unlisted "  # ops in the list have names without spaces


def _named_among(unlisted: list[Op]) -> Callable[[Any], str]:
    """Names for a form whose unlisted ops are kept apart, in this list."""

    def name(op: Any) -> str:
        if getattr(op, "home", None) is None:
            return own_name(op)
        unlisted.append(op)
        return f"{_UNLISTED}{len(unlisted) - 1}"

    return name


def _found_among(unlisted: tuple[Op, ...]) -> Callable[[str], Any]:
    return lambda name: unlisted[int(name.removeprefix(_UNLISTED))] if name.startswith(_UNLISTED) else op_named(name)


def _stands_apart(node: Node) -> bool:
    return node.op is LEAF or (node.op is CONST and not node.flags & WEAK and node.value.size > _LARGE)


def _reduce_node(node: Node) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    if node.op is LEAF:
        _, name, owner = node.params
        identity = None if owner is None else identity_of(owner)
        return restore_leaf, (node.value, name, identity, node.shape, node.dtype)
    if _stands_apart(node):
        return constant, (node.value,)
    apart = [n for n in topological([node]) if _stands_apart(n)]
    unlisted: list[Op] = []
    form = pack(*encode([node], external=apart, name=_named_among(unlisted)))
    return restore_node, (form, apart, tuple(unlisted))


def _reduce_graph(graph: Graph) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    unlisted: list[Op] = []
    form = pack(*encode(graph.outputs, graph.inputs, name=_named_among(unlisted)))
    return restore_graph, (form, tuple(unlisted))


copyreg.pickle(Node, _reduce_node)
copyreg.pickle(Leaf, _reduce_node)
copyreg.pickle(Graph, _reduce_graph)
