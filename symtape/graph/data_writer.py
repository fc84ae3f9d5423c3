"""From a graph to a JSON-able document: see `symtape.graph.serialize` for the form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np

from symtape.graph.closed import Graph
from symtape.graph.node import CONST, LEAF, PARAM, WEAK, Array, Node
from symtape.graph.shapes import Dim
from symtape.graph.traverse import topological

# Codes of rows that no op makes, and how deep tuples among the params may nest.
LEAF_ROW: Final = -1
CONST_ROW: Final = -2
PARAM_ROW: Final = -3
EXTERNAL_ROW: Final = -4
MAX_DEPTH: Final = 32

_SPECIAL = {LEAF: LEAF_ROW, CONST: CONST_ROW, PARAM: PARAM_ROW}


def own_name(op: Any) -> str:
    """The name of an op, by which it is found again."""
    name: str = op.name
    return name


def encode(
    outputs: Iterable[Node],
    inputs: Iterable[Node] = (),
    external: Sequence[Node] = (),
    name: Callable[[Any], str] = own_name,
) -> tuple[dict[str, Any], list[Array]]:
    """A JSON-able document and the arrays that it counts.

    Parameters
    ----------
    outputs, inputs : iterable of Node
    external : sequence of Node
        Nodes that are kept elsewhere: the form has their positions in this sequence only.
    name : callable
        From an op to the text that stands for it, and that its reader is to find it by; asked once for each op.

    Returns
    -------
    document : dict
    arrays : list of ndarray

    Raises
    ------
    TypeError
        If a param is none of those that have a data form.
    """
    outputs, inputs = tuple(outputs), tuple(inputs)
    writer = _Writer(name)
    for graph in _bodies(outputs, external):
        writer.graphs[graph] = len(writer.tables)
        writer.tables.append(writer.table(graph.outputs, graph.inputs, ()))
    writer.tables.append(writer.table(outputs, inputs, external))
    return {"ops": writer.names, "graphs": writer.tables}, writer.arrays


def _bodies(outputs: tuple[Node, ...], stop: Iterable[Node]) -> list[Graph]:
    """The closed graphs among the params below, those that are used before their users."""
    order: list[Graph] = []
    done: set[Graph] = set()
    open_: set[Graph] = set()
    stack = list(reversed(_named_in(topological(outputs, stop=stop))))
    while stack:
        graph = stack[-1]
        if graph in done:
            stack.pop()
        elif graph in open_:
            stack.pop()
            done.add(graph)
            order.append(graph)
        else:
            open_.add(graph)
            stack.extend(g for g in reversed(_named_in(topological(graph.outputs))) if g not in done)
    return order


def _named_in(nodes: Iterable[Node]) -> list[Graph]:
    found: dict[Graph, None] = {}
    for node in nodes:
        pending = list(node.params) if node.op not in _SPECIAL else []
        while pending:
            p = pending.pop()
            if isinstance(p, Graph):
                found[p] = None
            elif isinstance(p, tuple):
                pending.extend(p)
    return list(found)


class _Writer:
    """What the tables of one form share."""

    def __init__(self, name: Callable[[Any], str]) -> None:
        self.name = name
        self.ops: dict[Any, int] = {}
        self.names: list[str] = []
        self.arrays: list[Array] = []
        self.graphs: dict[Graph, int] = {}
        self.tables: list[dict[str, Any]] = []
        self.owners: dict[int, int] = {}

    def table(self, outputs: Sequence[Node], inputs: Sequence[Node], external: Sequence[Node]) -> dict[str, Any]:
        """Rows of one graph as columns."""
        apart = {node: k for k, node in enumerate(external)}
        order = topological((*inputs, *outputs), stop=apart)
        at = {node: k for k, node in enumerate(order)}
        codes: list[int] = []
        counts: list[int] = []
        flat: list[int] = []
        params: list[list[Any]] = []
        for k, node in enumerate(order):
            special = EXTERNAL_ROW if node in apart else _SPECIAL.get(node.op)
            if special is not None:
                codes.append(special)
                counts.append(0)
                params.append([k, apart[node] if special == EXTERNAL_ROW else self.row(node)])
                continue
            codes.append(self.op(node.op))
            counts.append(len(node.inputs))
            flat.extend([at[i] for i in node.inputs])
            if node.params:
                params.append([k, [self.param(p, 0) for p in node.params]])
        return {
            "codes": codes,
            "counts": counts,
            "flat": flat,
            "params": params,
            "inputs": [at[i] for i in inputs],
            "outputs": [at[o] for o in outputs],
        }

    def op(self, op: Any) -> int:
        """Number of an op of the form."""
        if op not in self.ops:
            self.ops[op] = len(self.names)
            self.names.append(self.name(op))
        return self.ops[op]

    def array(self, value: Any) -> int:
        """Number of an array of the form."""
        self.arrays.append(np.asarray(value))
        return len(self.arrays) - 1

    def row(self, node: Node) -> Any:
        """What a leaf, constant or placeholder is."""
        if node.op is CONST:
            if not node.flags & WEAK:
                return {"array": self.array(node.value)}
            value = node.value
            return {"float": value.hex()} if isinstance(value, float) else {"scalar": value}
        shape = [self.param(d, 0) for d in node.shape]
        if node.op is PARAM:
            return {"position": node.params[0], "shape": shape, "dtype": node.dtype.str}
        _, name, owner = node.params
        row: dict[str, Any] = {"name": name}
        if owner is not None:
            row["owner"] = self.owners.setdefault(owner, len(self.owners))
        if node.value is None:
            return {**row, "shape": shape, "dtype": node.dtype.str}
        return {**row, "array": self.array(node.value)}

    def param(self, value: Any, depth: int) -> Any:
        """A param as JSON."""
        if value is None or type(value) in (bool, int, str):
            return value
        if depth > MAX_DEPTH:
            raise TypeError(f"a param nests deeper than {MAX_DEPTH} levels, which has no data form")
        if type(value) is tuple:
            return [self.param(v, depth + 1) for v in value]
        if isinstance(value, Graph):
            return {"graph": self.graphs[value]}
        if isinstance(value, Dim):
            return {"dim": [[list(names), c] for names, c in value.terms]}
        if isinstance(value, np.dtype):
            return {"dtype": value.str}
        if type(value) is float:
            return {"float": value.hex()}
        raise TypeError(f"the param {value!r} of type {type(value).__name__} has no data form")
