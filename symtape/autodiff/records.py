"""Records, which both sweeps walk over, and the arithmetic that they share.

A *record* says that ``op`` with ``params`` made ``outputs`` from ``inputs``. Where the records come from decides what
is keyed how: a closed graph keys by node, a tape by tensor identity (two tensors may share a node and still be
different sources). What a sweep builds is up to the namespace: nodes, or tensors that a recording tape sees.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from symtape.graph.node import ITEM, Node, Params, items
from symtape.graph.shapes import Shape
from symtape.graph.traverse import topological
from symtape.ops.namespace import Namespace
from symtape.ops.partials import partial
from symtape.ops.registry import op_named

_MULTIPLY = op_named("multiply")


class RecordLike(Protocol):
    """What a sweep needs to know of one operation."""

    @property
    def op(self) -> Any:
        """The operation."""
        ...

    @property
    def params(self) -> Params:
        """Its static parameters."""
        ...

    @property
    def inputs(self) -> Sequence[Any]:
        """What it was applied to."""
        ...

    @property
    def outputs(self) -> Sequence[Any]:
        """Its results."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a closed graph."""

    op: Any
    params: Params
    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Keying:
    """How values of records are told apart and turned into values of the namespace."""

    key: Callable[[Any], Hashable]
    value: Callable[[Any], Any]
    node: Callable[[Any], Node]


def _itself(value: Any) -> Any:
    return value


BY_NODE = Keying(key=_itself, value=_itself, node=_itself)


def node_records(outputs: Iterable[Node], stop: Iterable[Node] = ()) -> list[Record]:
    """The records of a closed graph, topologically; an op with several results is one record with all its items."""
    records: list[Record] = []
    ends = frozenset(stop)
    for node in topological(outputs, stop=ends):
        if node.op is ITEM or not node.inputs or (node in ends):
            continue
        records.append(Record(node.op, node.params, node.inputs, items(node)))
    return records


def slope(op: Any, i: int, params: Params, B: Namespace, y: Any, inputs: Sequence[Any]) -> Any:
    """The partial derivative of an elementwise op: a value, a plain number, or None."""
    q = partial(op, i, params)
    return q(B, y, *inputs) if callable(q) else q


def is_zero(q: Any) -> bool:
    """Whether a partial derivative is the number 0: declared so (that of ``sign``), hence a structural zero."""
    return isinstance(q, (int, float)) and q == 0


def times(B: Namespace, g: Any, q: Any) -> Any:
    """``g*q`` where ``q`` may be a plain number."""
    if isinstance(q, (int, float)):
        if q == 1:
            return g
        if q == -1:
            return B.negative(g)
        return B.build(_MULTIPLY, (B.const(float(q)), g))
    return B.build(_MULTIPLY, (g, q))


def exact(value: Any, shape: Shape, B: Namespace) -> Any:
    """The value with that very shape."""
    return value if B.shape(value) == shape else B.broadcast_to(value, shape)
