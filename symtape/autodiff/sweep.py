"""One backward and one forward sweep over records, for every caller.

A *record* says that ``op`` with ``params`` made ``outputs`` from ``inputs``. Where the records come from decides what
is keyed how: a closed graph keys by node, a tape by tensor identity (two tensors may share a node and still be
different sources). What the sweep builds is up to the namespace: nodes, or tensors that a recording tape sees.

A cotangent is absent, a structural `ZERO`, or a pair ``(mask or None, value)``: `select` makes masks, elementwise
partials multiply the value only, layout, indexing and scatter act on both, and the pair becomes ``select(mask, value,
0)`` when it reaches a source, a sum of cotangents, or an op that mixes elements. So a branch that was not taken gives
no NaN, while a numeric zero is never treated so.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from symtape.graph.node import ITEM, Node, Params, items
from symtape.graph.shapes import Shape, broadcast_two
from symtape.graph.source import one_line
from symtape.graph.traverse import topological
from symtape.ops.namespace import DERIVATIVES, Namespace
from symtape.ops.op import LINEAR, ZERO, Kind, flow, jvp_rule, vjp_rule
from symtape.ops.partials import partial
from symtape.ops.registry import op_named

Pair: TypeAlias = tuple[Any, Any]

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


# ------------------------------------------------------------------------------------------------------------ backward


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
        results.append(found if found is None or found is ZERO else _exact(_materialize(found, B), node.shape, B))
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
            None if c is None or c is ZERO else _exact(_materialize(c, B), by.node(o).shape, B)
            for c, o in zip(outs, record.outputs, strict=True)
        )
        if op.vjp_together is not None:
            return [_pair(value) for value in op.vjp_together(B, needed, gs, ys, *inputs, *params)]
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
                q = _slope(op, i, params, B, y, inputs)
                if q is not None:
                    result[i] = ZERO if _is_zero(q) else (mask, _times(B, g, q))
        return result
    g = _exact(g, shape, B)
    if op.masks:
        mask = None if mask is None else _exact(mask, shape, B)
    else:
        g, mask = _exact(_materialize((mask, g), B), shape, B), None
    for i, n in enumerate(needed):
        if n:
            rule = vjp_rule(op, i)
            assert rule is not None
            value = rule(B, g, y, *inputs, *params)
            if value is None or value is ZERO or mask is None:
                result[i] = _pair(value)
            else:
                result[i] = (rule(B, mask, y, *inputs, *params), value)
    return result


def _pair(value: Any) -> Any:
    return value if value is None or value is ZERO else (None, value)


def _slope(op: Any, i: int, params: Params, B: Namespace, y: Any, inputs: Sequence[Any]) -> Any:
    """The partial derivative of an elementwise op: a value, a plain number, or None."""
    q = partial(op, i, params)
    return q(B, y, *inputs) if callable(q) else q


def _is_zero(q: Any) -> bool:
    """Whether a partial derivative is the number 0: declared so (that of ``sign``), hence a structural zero."""
    return isinstance(q, (int, float)) and q == 0


def _times(B: Namespace, g: Any, q: Any) -> Any:
    """``g*q`` where ``q`` may be a plain number."""
    if isinstance(q, (int, float)):
        if q == 1:
            return g
        if q == -1:
            return B.negative(g)
        return B.build(_MULTIPLY, (B.const(float(q)), g))
    return B.build(_MULTIPLY, (g, q))


def _added(parts: Sequence[Pair], shape: Shape, B: Namespace) -> Pair:
    """The sum of contributions; what all of them leave out stays a structural zero."""
    masks = [_exact(m, shape, B) for m, _ in parts if m is not None]
    if len(masks) < len(parts):
        return None, B.add_n(*[_exact(_materialize(p, B), shape, B) for p in parts])
    if all(m is masks[0] for m in masks):
        return masks[0], B.add_n(*[_exact(value, shape, B) for _, value in parts])
    total = B.add_n(*[_exact(_materialize(p, B), shape, B) for p in parts])
    return functools.reduce(B.logical_or, dict.fromkeys(masks)), total


def _materialize(pair: Pair, B: Namespace) -> Any:
    mask, value = pair
    return value if mask is None else B.where(mask, value, B.const(np.zeros((), B.dtype(value))))


def _exact(value: Any, shape: Shape, B: Namespace) -> Any:
    return value if B.shape(value) == shape else B.broadcast_to(value, shape)


def _fit(pair: Pair, node: Node, B: Namespace) -> Pair:
    """A contribution with exactly the shape and dtype of the input that it belongs to."""
    mask, value = pair
    shape = node.shape
    have = B.node(value)
    if mask is None and have.shape == shape and have.dtype == node.dtype:
        return pair
    full = B.shape(value) if mask is None else broadcast_two(B.shape(mask), B.shape(value))
    if broadcast_two(full, shape) == shape:
        value = _exact(value, shape, B)
        mask = None if mask is None else _exact(mask, shape, B)
    else:
        value = B.sum_to(_exact(_materialize(pair, B), full, B), shape)
        mask = None if mask is None else B.sum_to(_exact(mask, full, B), shape)
    if B.dtype(value) != node.dtype:
        value = B.astype(value, node.dtype)
    return mask, value


# ------------------------------------------------------------------------------------------------------------- forward


def forward(
    records: Sequence[RecordLike],
    tangents: Sequence[tuple[Any, Any]],
    targets: Sequence[Any],
    B: Namespace,
    by: Keying = BY_NODE,
) -> list[Any]:
    """Push tangents of sources forward to targets.

    Returns
    -------
    list
        Per target a value with the target's shape and dtype, or None where nothing flows.
    """
    with one_line():
        return _forward(records, tangents, targets, B, by)


def _forward(
    records: Sequence[RecordLike], tangents: Sequence[tuple[Any, Any]], targets: Sequence[Any], B: Namespace, by: Keying
) -> list[Any]:
    key = by.key
    known: dict[Hashable, Any] = {}
    for source, t in tangents:
        k = key(source)
        known[k] = t if k not in known else B.add(known[k], t)
    given = frozenset(known)
    for record in records:
        op = record.op
        live = [
            i for i, x in enumerate(record.inputs) if key(x) in known and by.node(x).dtype.kind == "f" and flow(op, i)
        ]
        if not live:
            continue
        parts: list[list[Any]] = [[] for _ in record.outputs]
        if op.jvp_together is not None:
            moving = [known[key(x)] if i in live else None for i, x in enumerate(record.inputs)]
            contributions = [op.jvp_together(B, moving, *_arguments(record, by))]
        else:
            contributions = [_push(record, i, known[key(record.inputs[i])], B, by) for i in live]
        for contribution in contributions:
            for k, part in enumerate(contribution):
                if part is not None:
                    parts[k].append(part)
        for o, some in zip(record.outputs, parts, strict=True):
            if some and key(o) not in given:
                node = by.node(o)
                exact = [_exact(p, node.shape, B) for p in some]
                t = exact[0] if len(exact) == 1 else B.add_n(*exact)
                known[key(o)] = t if B.dtype(t) == node.dtype else B.astype(t, node.dtype)
    return [known.get(key(t)) for t in targets]


def _arguments(record: RecordLike, by: Keying) -> tuple[Any, ...]:
    """Result, inputs and params of a record, as rules take them."""
    ys = tuple(by.value(o) for o in record.outputs)
    return (ys if record.op.results > 1 else ys[0], *[by.value(x) for x in record.inputs], *record.params)


def _push(record: RecordLike, i: int, t: Any, B: Namespace, by: Keying) -> Sequence[Any]:
    """The contribution of the tangent of input ``i`` to each result."""
    op, params = record.op, record.params
    inputs = [by.value(x) for x in record.inputs]
    ys = tuple(by.value(o) for o in record.outputs)
    y: Any = ys if op.results > 1 else ys[0]
    if op.kind is Kind.ELEMENTWISE and op.jvp is None:
        q = _slope(op, i, params, B, y, inputs)
        if _is_zero(q):
            node = by.node(record.outputs[0])
            return (B.zeros(node.shape, node.dtype),)
        return (None if q is None else _times(B, t, q),)
    rule = jvp_rule(op, i)
    if rule is None:
        return (None,) * len(ys)
    if rule is LINEAR:
        value = B.build(op, (*inputs[:i], t, *inputs[i + 1 :]), params)
    else:
        value = rule(B, t, y, *inputs, *params)
    return value if op.results > 1 else (value,)


# -------------------------------------------------------------------------------------------------------- closed graphs


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


def tangents(
    outputs: Sequence[Node], inputs: Sequence[Node], directions: Sequence[Node], B: Namespace = DERIVATIVES
) -> list[Node | None]:
    """Directional derivatives of outputs of a closed graph: forward mode."""
    return forward(node_records(outputs), list(zip(inputs, directions, strict=True)), outputs, B)
