"""A closed graph applied to tensors: every operation is done again, so that tapes see it and gradients flow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from symtape.graph.node import ITEM, Node, next_ident
from symtape.graph.traverse import substitute, topological
from symtape.tape.guards import Guard
from symtape.tape.recording import active_captures, active_tapes
from symtape.tape.tensor import Tensor, apply, lift, wrap


def replay(outputs: Sequence[Node], given: Mapping[Node, Tensor]) -> list[Tensor]:
    """The outputs as tensors, with tensors in the places of some nodes.

    Parameters
    ----------
    outputs : sequence of Node
    given : mapping
        Inputs of the graph, leaves of variables, or any node to cut at, to what stands there now.

    Returns
    -------
    list of Tensor
        Recorded on every tape that tracks what they depend on.
    """
    given = {node: lift(tensor) for node, tensor in given.items()}  # variables are read
    if not any(t.ident in tape.producer for tape in active_tapes() for t in given.values()):
        nodes = substitute(outputs, {node: tensor.node for node, tensor in given.items()})
        return [wrap(node) for node in nodes]
    done: dict[Node, Any] = dict(given)
    order = topological(outputs, stop=given)
    live = set(given)
    for node in order:
        if node in live:
            continue
        if not any(i in live for i in node.inputs):
            continue
        live.add(node)
        if node.op is ITEM:
            done[node] = done[node.inputs[0]][node.params[0]]
        else:
            done[node] = apply(node.op, tuple([_tensor(i, done) for i in node.inputs]), node.params)
    return [done[o] if o in live else wrap(o) for o in outputs]


def _tensor(node: Node, done: dict[Node, Any]) -> Any:
    found = done.get(node)
    if found is None:
        found = done[node] = wrap(node)
    return found


def assume(guards: Iterable[Guard], given: Mapping[Node, Tensor]) -> None:
    """Note decisions of a recorded callable again, where it is used inside of another recording.

    Parameters
    ----------
    guards : iterable of Guard
        Decisions on expressions of the callable's inputs.
    given : mapping
        Those inputs to the tensors that stand there now.
    """
    tapes, captures = active_tapes(), active_captures()
    if not tapes and not captures:
        return
    nodes = {node: tensor.node for node, tensor in given.items()}
    for guard in guards:
        (node,) = substitute((guard.node,), nodes)
        again = Guard(node, guard.seen, guard.how, guard.code, guard.lasti, next_ident(), guard.thread)
        for tape in tapes:
            tape.guards.append(again)
        for c in captures:
            if c.depends(node):
                c.add(again)
