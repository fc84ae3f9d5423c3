"""Ops that compiled code computes as several others: what their value by NumPy does, said as a graph.

The element rule of such an op is its formula, which overflows where the op does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any, Final

from symtape.graph.node import Node, build
from symtape.graph.traverse import topological
from symtape.ops.namespace import NODES


def _logsumexp(B: Any, x: Any, axes: tuple[int, ...]) -> Any:
    top = B.max(x, axis=axes, keepdims=True)
    top = B.where(B.isfinite(top), top, 0.0)
    return B.add(B.log(B.sum(B.exp(B.subtract(x, top)), axis=axes)), B.squeeze(top, axis=axes))


def _softmax(B: Any, x: Any, axes: tuple[int, ...]) -> Any:
    exps = B.exp(B.subtract(x, B.max(x, axis=axes, keepdims=True)))
    return B.divide(exps, B.sum(exps, axis=axes, keepdims=True))


#: By the name of the op; ``rule(B, *inputs, *params)``.
DECOMPOSITIONS: Final = MappingProxyType({"logsumexp": _logsumexp, "softmax": _softmax})


def _rebuilt(op: Any, inputs: tuple[Node, ...], params: tuple[Any, ...]) -> Node:
    rule: Callable[..., Any] | None = DECOMPOSITIONS.get(op.name)
    if rule is not None:
        return rule(NODES, *inputs, *params)  # type: ignore[no-any-return]
    return build(op, inputs, params)


def decomposed(inputs: Sequence[Node], outputs: Sequence[Node]) -> tuple[Node, ...]:
    """The outputs with such ops taken apart; the inputs stay as they are."""
    order = topological(outputs, stop=inputs)
    given = set(inputs)
    changed: dict[Node, Node] = {}
    for node in order:
        if node in given or not node.inputs:
            continue
        if node.op.name in DECOMPOSITIONS or any(i in changed for i in node.inputs):
            changed[node] = _rebuilt(node.op, tuple(changed.get(i, i) for i in node.inputs), node.params)
    return tuple(changed.get(o, o) for o in outputs)
