"""Batching: a graph over one more leading axis of some of its inputs, by each op's own batching rule.

Nothing is looped over: an op with a batched input becomes one op on the whole batch. What does not depend on a batched
input is computed once and shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symtape.errors import ShapeError
from symtape.graph.node import ITEM, Node
from symtape.graph.shapes import Length
from symtape.graph.traverse import topological
from symtape.ops.namespace import NODES, Namespace
from symtape.ops.op import Kind


def batch_graph(
    outputs: Sequence[Node],
    inputs: Sequence[Node],
    batched: Sequence[Node | None],
    length: Length | None = None,
    B: Namespace = NODES,
) -> tuple[Node, ...]:
    """The outputs over a leading axis.

    Parameters
    ----------
    outputs : sequence of Node
    inputs : sequence of Node
        Nodes below the outputs (leaves, placeholders, or any to cut at).
    batched : sequence of Node or None
        Per input what stands in its place, with one more axis in front; None where it is shared.
    length : int or Dim, optional
        Of the new axis; told by ``batched`` unless that holds only None.
    B : Namespace
        Builds the result.

    Returns
    -------
    tuple of Node
        Each with the new axis in front, repeated along it where it does not depend on a batched input.

    Raises
    ------
    ShapeError
        If the batched inputs differ in the length of the new axis, or do not fit the inputs.

    Examples
    --------
    >>> from symtape.compile.evaluate import evaluate
    >>> from symtape.graph.node import constant, symbol
    >>> import numpy as np
    >>> x = symbol("x", (2,))
    >>> (y,) = batch_graph([NODES.sum(NODES.multiply(x, x))], [x], [constant(np.array([[1.0, 2.0], [3.0, 4.0]]))])
    >>> evaluate([y])[0]
    array([ 5., 25.])
    """
    known: dict[Node, tuple[Any, bool]] = {}
    for node, stand_in in zip(inputs, batched, strict=True):
        if stand_in is None:
            known[node] = (node, False)
            continue
        if stand_in.shape[1:] != node.shape or not stand_in.shape:
            raise ShapeError(
                f"the batch for {node!r} has shape {stand_in.shape}, wanted one axis in front of {node.shape}"
            )
        if length is None:
            length = stand_in.shape[0]
        if stand_in.shape[0] != length:
            raise ShapeError(f"batches of different lengths: {length} and {stand_in.shape[0]}")
        known[node] = (stand_in, True)
    if length is None:
        raise ShapeError("no input is batched, so the length of the new axis is not known")
    for node in topological(outputs, stop=known):
        if node not in known:
            known[node] = _batched(node, [known[i] for i in node.inputs], B)
    return tuple(
        value if over else B.broadcast_to(value, (length, *node.shape))
        for node, (value, over) in ((o, known[o]) for o in outputs)
    )


def _batched(node: Node, arguments: Sequence[tuple[Any, bool]], B: Namespace) -> tuple[Any, bool]:
    """What stands for a node, and whether it has the new axis."""
    flags = [over for _, over in arguments]
    if not any(flags):
        return node, False
    op = node.op
    values = [value for value, _ in arguments]
    if op is ITEM:
        return values[0][node.params[0]], True
    if op.batch is not None:
        return op.batch(B, tuple(values), flags, *node.params), True
    if op.kind is not Kind.ELEMENTWISE:
        raise TypeError(
            f"the operation {op.name} has no batching rule; compute it outside of vmap, or once per element"
        )
    return B.build(op, tuple(align(B, values, flags, len(node.shape))), node.params), True


def align(B: Namespace, values: Sequence[Any], batched: Sequence[bool], ndim: int) -> list[Any]:
    """Batched arguments of an elementwise op, with axes of length 1 behind the batch's: they broadcast as before."""
    aligned = []
    for value, over in zip(values, batched, strict=True):
        shape = B.shape(value)
        missing = ndim - (len(shape) - 1)
        aligned.append(B.reshape(value, (shape[0], *[1] * missing, *shape[1:])) if over and missing else value)
    return aligned
