"""The flat data form of graphs: columns of numbers, names of ops, arrays apart; written and read in loops.

A node is a row: the number of its op in a list of names, its inputs as positions of earlier rows, its params. Closed
graphs among the params are tables of their own that stand before those that use them. So a file has no way to express
a cycle, and depth costs nothing. Leaves get new identities when they are read; those of one variable keep one owner.
What reads a form is told how to find an op by its name, since the graph does not know which ops exist. Around the form
stand the bytes of `symtape.graph.container`: a number of the format and a checksum.
"""

from __future__ import annotations

from collections.abc import Iterable

from symtape.graph.container import pack, unpack
from symtape.graph.data_reader import Find, decode
from symtape.graph.data_writer import encode, own_name
from symtape.graph.node import Node

__all__ = ["Find", "decode", "dump", "encode", "load", "own_name"]


def dump(outputs: Iterable[Node], inputs: Iterable[Node] = ()) -> bytes:
    """Bytes of a graph.

    Parameters
    ----------
    outputs : iterable of Node
    inputs : iterable of Node
        Leaves to be found again by position, below the outputs or not.

    Returns
    -------
    bytes
        With a checksum; see `load`.
    """
    return pack(*encode(outputs, inputs))


def load(data: bytes | bytearray | memoryview, find: Find) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """Outputs and inputs of a graph from bytes that may come from a stranger.

    Parameters
    ----------
    data : bytes
    find : callable
        From the name of an op to the op: `symtape.ops.registry.op_named`.

    Returns
    -------
    outputs, inputs : tuple of Node

    Raises
    ------
    DataFormError
        If the bytes are truncated, altered, of another format, or describe no graph.
    """
    return decode(*unpack(data), find)
