"""Ops that compiled code computes as several others: what their value by NumPy does, said as a graph.

The element rule of such an op is its formula, which overflows where the op does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, Final

from symtape.graph.node import ITEM, Node, build
from symtape.graph.traverse import topological
from symtape.ops.namespace import NODES


def _shifted(B: Any, x: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    top = B.max(x, axis=axes, keepdims=True)
    top = B.where(B.isfinite(top), top, 0.0)
    return B.subtract(x, top), top


def _log_of_sum(B: Any, shifted: Any, axes: tuple[int, ...]) -> Any:
    largest = B.equal(shifted, 0.0)
    count = B.sum(B.astype(largest, B.dtype(shifted)), axis=axes, keepdims=True)
    others = B.sum(B.where(largest, 0.0, B.exp(shifted)), axis=axes, keepdims=True)
    some = B.maximum(count, 1.0)
    return B.where(B.equal(count, 0.0), B.log(others), B.add(B.log(some), B.log1p(B.divide(others, some))))


def _logsumexp(B: Any, x: Any, axes: tuple[int, ...]) -> Any:
    shifted, top = _shifted(B, x, axes)
    return B.squeeze(B.add(_log_of_sum(B, shifted, axes), top), axis=axes)


def _log_softmax(B: Any, x: Any, axes: tuple[int, ...]) -> Any:
    shifted, _ = _shifted(B, x, axes)
    return B.subtract(shifted, _log_of_sum(B, shifted, axes))


def _softmax(B: Any, x: Any, axes: tuple[int, ...]) -> Any:
    exps = B.exp(B.subtract(x, B.max(x, axis=axes, keepdims=True)))
    return B.divide(exps, B.sum(exps, axis=axes, keepdims=True))


def _softmax_rest(B: Any, x: Any, axes: tuple[int, ...]) -> Any:
    return B.negative(B.expm1(_log_softmax(B, x, axes)))


def _custom_gradient(B: Any, *rest: Any) -> Any:
    *operands, primal, _, _ = rest
    return B.inline(primal, operands)


#: By the name of the op; ``rule(B, *inputs, *params)`` gives a node, or a tuple of them for an op with several results.
DECOMPOSITIONS: Final = MappingProxyType(
    {
        "logsumexp": _logsumexp,
        "softmax": _softmax,
        "log_softmax": _log_softmax,
        "softmax_rest": _softmax_rest,
        "custom_gradient": _custom_gradient,
    }
)


def decomposed(inputs: Sequence[Node], outputs: Sequence[Node]) -> tuple[Node, ...]:
    """The outputs with such ops taken apart, also those within what they are taken apart into; the inputs stay."""
    given = set(inputs)
    while any(n.op.name in DECOMPOSITIONS and n not in given for n in topological(outputs, stop=inputs)):
        outputs = _once(inputs, outputs)
    return tuple(outputs)


def _once(inputs: Sequence[Node], outputs: Sequence[Node]) -> list[Node]:
    given = set(inputs)
    changed: dict[Node, Any] = {}
    for node in topological(outputs, stop=inputs):
        if node in given or not node.inputs:
            continue
        if node.op is ITEM and isinstance(changed.get(node.inputs[0]), tuple):
            changed[node] = changed[node.inputs[0]][node.params[0]]
        elif node.op.name in DECOMPOSITIONS:
            arguments = [changed.get(i, i) for i in node.inputs]
            changed[node] = DECOMPOSITIONS[node.op.name](NODES, *arguments, *node.params)
        elif any(i in changed for i in node.inputs):
            changed[node] = build(node.op, tuple(changed.get(i, i) for i in node.inputs), node.params)
    return [changed.get(o, o) for o in outputs]
