"""The reverse sweep: cotangents of targets are pulled back along records to sources.

A cotangent is absent, a structural `ZERO`, or a pair ``(mask or None, value)``: `select` makes masks, elementwise
partials multiply the value only, layout, indexing and scatter act on both, and the pair becomes ``select(mask, value,
0)`` when it reaches a source, a sum of cotangents, or an op that mixes elements. So a branch that was not taken gives
no NaN, while a numeric zero is never treated so.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from symtape.autodiff.confluent import pulled
from symtape.autodiff.records import BY_NODE, Keying, RecordLike, exact, is_zero, node_records, slope, times
from symtape.graph.node import Node, Params
from symtape.graph.shapes import Shape, broadcast_two
from symtape.graph.source import one_line
from symtape.ops.namespace import DERIVATIVES, Namespace
from symtape.ops.op import ZERO, Kind, flow, vjp_rule

Pair: TypeAlias = tuple[Any, Any]


def reverse(
    records: Sequence[RecordLike],
    seeds: Sequence[tuple[Any, Any]],
    sources: Sequence[Any],
    B: Namespace,
    by: Keying = BY_NODE,
) -> list[Any]:
    """Pull cotangents of targets back to sources.

    Parameters
    ----------
    records : sequence of records, topologically ordered
    seeds : sequence of (target, cotangent)
        A cotangent is a value of the namespace with the target's shape, or `ZERO`.
    sources : sequence
    B : Namespace
        Builds the result.
    by : Keying

    Returns
    -------
    list
        Per source a value with the source's shape and dtype, `ZERO`, or None where nothing flows.
    """
    with one_line():
        return _reverse(records, seeds, sources, B, by)


def _reverse(
    records: Sequence[RecordLike], seeds: Sequence[tuple[Any, Any]], sources: Sequence[Any], B: Namespace, by: Keying
) -> list[Any]:
    key, node_of = by.key, by.node
    wanted = {key(s) for s in sources}
    active = _active(records, wanted, by)
    cotangents: dict[Hashable, list[Any]] = {}
    for target, seed in seeds:
        if node_of(target).dtype.kind == "f":
            cotangents.setdefault(key(target), []).append(seed if seed is ZERO else (None, seed))

    def total(k: Hashable, node: Node) -> Any:
        parts = cotangents.get(k)
        if parts is None:
            return None
        if len(parts) > 1:
            parts = [p for p in parts if p is not ZERO] or [ZERO]
            if len(parts) > 1:
                parts = [_added(parts, node.shape, B)]
            cotangents[k] = parts
        return parts[0]

    for record, keys, needed in reversed(active):
        outs = [total(key(o), node_of(o)) for o in record.outputs]
        if len(outs) == 1 and outs[0] is not None and key(record.outputs[0]) not in wanted:
            del cotangents[key(record.outputs[0])]
        contributions = _contributions(record, outs, needed, B, by)
        for k, x, c, n in zip(keys, record.inputs, contributions, needed, strict=True):
            if n and c is not None:
                below = cotangents.get(k)
                if below is None:
                    below = cotangents[k] = []
                below.append(c if c is ZERO else _fit(c, node_of(x), B))
    results: list[Any] = []
    for s in sources:
        node = node_of(s)
        found = total(key(s), node)
        results.append(found if found is None or found is ZERO else exact(_materialize(found, B), node.shape, B))
    return results


def _active(
    records: Sequence[RecordLike], wanted: Iterable[Hashable], by: Keying
) -> list[tuple[RecordLike, list[Hashable], list[bool]]]:
    """The records that sources reach, each with the keys of its inputs and which of them need a cotangent."""
    key, node_of = by.key, by.node
    reached = set(wanted)
    active: list[tuple[RecordLike, list[Hashable], list[bool]]] = []
    for record in records:
        keys = [key(x) for x in record.inputs]
        if reached.isdisjoint(keys):
            continue
        op = record.op
        needed = [
            k in reached and node_of(x).dtype.kind == "f" and flow(op, i)
            for i, (k, x) in enumerate(zip(keys, record.inputs, strict=True))
        ]
        if True in needed:
            active.append((record, keys, needed))
            reached.update([key(o) for o in record.outputs])
    return active


def _contributions(record: RecordLike, outs: list[Any], needed: list[bool], B: Namespace, by: Keying) -> Sequence[Any]:
    """What a record hands to its inputs: pairs, `ZERO` or None."""
    if len(outs) == 1 and outs[0] is not None and outs[0] is not ZERO:
        return _pull(record, outs, needed, B, by)
    if all(o is None for o in outs):
        return (None,) * len(needed)
    if all(o is None or o is ZERO for o in outs):
        return [ZERO if n else None for n in needed]
    return _pull(record, outs, needed, B, by)


def _pull(record: RecordLike, outs: list[Any], needed: list[bool], B: Namespace, by: Keying) -> list[Any]:
    """Contributions of one record to its inputs, as pairs."""
    op, params = record.op, record.params
    inputs = [by.value(x) for x in record.inputs]
    result: list[Any] = [None] * len(inputs)
    if len(record.outputs) > 1 or op.results > 1:
        ys = tuple(by.value(o) for o in record.outputs)
        gs = tuple(
            None if c is None or c is ZERO else exact(_materialize(c, B), by.node(o).shape, B)
            for c, o in zip(outs, record.outputs, strict=True)
        )
        if op.vjp_together is not None:
            return [_pair(value) for value in op.vjp_together(B, needed, gs, ys, *inputs, *params)]
        if op.confluence is not None:
            return [_pair(pulled(B, op, gs, ys))]
        for i, n in enumerate(needed):
            if n:
                rule = vjp_rule(op, i)
                assert rule is not None
                result[i] = _pair(rule(B, gs, ys, *inputs, *params))
        return result
    out = record.outputs[0]
    y, shape = by.value(out), by.node(out).shape
    mask, g = outs[0]
    if op.pair is not None:
        for i, n in enumerate(needed):
            if n:
                result[i] = op.pair(B, i, (mask, g), y, *inputs, *params)
        return result
    if op.kind is Kind.ELEMENTWISE and op.vjp is None:
        for i, n in enumerate(needed):
            if n:
                q = slope(op, i, params, B, y, inputs)
                if q is not None:
                    result[i] = ZERO if is_zero(q) else (mask, times(B, g, q))
        return result
    g = exact(g, shape, B)
    if op.masks:
        mask = None if mask is None else exact(mask, shape, B)
    else:
        g, mask = exact(_materialize((mask, g), B), shape, B), None
    values = _ruled(op, needed, _materialize((mask, g), B) if op.adds else g, y, inputs, params, B)
    if mask is None:
        return [_pair(value) for value in values]
    masks = _ruled(op, needed, mask, y, inputs, params, B)
    return [v if v is None or v is ZERO else (m, v) for m, v in zip(masks, values, strict=True)]


def _ruled(
    op: Any, needed: Sequence[bool], g: Any, y: Any, inputs: Sequence[Any], params: Params, B: Namespace
) -> Sequence[Any]:
    """What the rules of an op with one result give: one rule an input, or one for all of them together."""
    if op.vjp_together is not None:
        together: Sequence[Any] = op.vjp_together(B, needed, g, y, *inputs, *params)
        return together
    result: list[Any] = [None] * len(inputs)
    for i, n in enumerate(needed):
        if n:
            rule = vjp_rule(op, i)
            assert rule is not None
            result[i] = rule(B, g, y, *inputs, *params)
    return result


def _pair(value: Any) -> Any:
    return value if value is None or value is ZERO else (None, value)


def _added(parts: Sequence[Pair], shape: Shape, B: Namespace) -> Pair:
    """The sum of contributions; what all of them leave out stays a structural zero."""
    masks = [exact(m, shape, B) for m, _ in parts if m is not None]
    if len(masks) < len(parts):
        return None, B.add_n(*[exact(_materialize(p, B), shape, B) for p in parts])
    if all(m is masks[0] for m in masks):
        return masks[0], B.add_n(*[exact(value, shape, B) for _, value in parts])
    total = B.add_n(*[exact(_materialize(p, B), shape, B) for p in parts])
    return functools.reduce(B.logical_or, dict.fromkeys(masks)), total


def _materialize(pair: Pair, B: Namespace) -> Any:
    mask, value = pair
    return value if mask is None else B.where(mask, value, B.const(np.zeros((), B.dtype(value))))


def _fit(pair: Pair, node: Node, B: Namespace) -> Pair:
    """A contribution with exactly the shape and dtype of the input that it belongs to."""
    mask, value = pair
    shape = node.shape
    have = B.node(value)
    if mask is None and have.shape == shape and have.dtype == node.dtype:
        return pair
    full = B.shape(value) if mask is None else broadcast_two(B.shape(mask), B.shape(value))
    if broadcast_two(full, shape) == shape:
        value = exact(value, shape, B)
        mask = None if mask is None else exact(mask, shape, B)
    else:
        value = B.sum_to(exact(_materialize(pair, B), full, B), shape)
        mask = None if mask is None else B.sum_to(exact(mask, full, B), shape)
    if B.dtype(value) != node.dtype:
        value = B.astype(value, node.dtype)
    return mask, value


def ones(B: Namespace, node: Node) -> Any:
    """The cotangent that sums a target."""
    one = B.const(np.ones((), node.dtype))
    return one if node.shape == () else B.broadcast_to(one, node.shape)


def gradient(
    output: Node, wrt: Sequence[Node], cotangent: Node | None = None, B: Namespace = DERIVATIVES
) -> list[Node | None]:
    """Gradient of (the sum of) one output of a closed graph with respect to nodes.

    Parameters
    ----------
    output : Node
    wrt : sequence of Node
    cotangent : Node, optional
        Of the output's shape; ones unless given.

    Returns
    -------
    list of Node or None
        None where the output does not depend on the node.
    """
    return pullback([output], [ones(B, output) if cotangent is None else cotangent], wrt, B)


def pullback(
    outputs: Sequence[Node], cotangents: Sequence[Node | None], wrt: Sequence[Node], B: Namespace = DERIVATIVES
) -> list[Node | None]:
    """Cotangents of several outputs pulled back together; None among the cotangents means zero."""
    seeds = [(o, c) for o, c in zip(outputs, cotangents, strict=True) if c is not None]
    found = reverse(node_records([o for o, _ in seeds]), seeds, wrt, B)
    return [B.zeros(w.shape, w.dtype) if f is ZERO else f for f, w in zip(found, wrt, strict=True)]
