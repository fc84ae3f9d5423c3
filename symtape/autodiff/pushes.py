"""One walk along records with tangents: what the forward sweep is made of."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeAlias

from symtape.autodiff.records import Keying, RecordLike, exact, is_zero, times
from symtape.ops.namespace import Namespace
from symtape.ops.op import LINEAR, Kind, flow, jvp_rule
from symtape.ops.partials import partial

#: ``special(record, tangent)``: the tangents of a record's results where not its rule makes them, else None.
Special: TypeAlias = Callable[[RecordLike, Any], Sequence[Any] | None]


def push_along(
    records: Sequence[RecordLike],
    tangents: Sequence[tuple[Any, Any]],
    targets: Sequence[Any],
    B: Namespace,
    by: Keying,
    special: Special | None = None,
) -> list[Any]:
    """Tangents of targets, or None where nothing flows, by the rules of the ops or what is ``special``."""
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
        arguments = _arguments(record, by)
        if op.jvp_together is not None:
            moving: list[Any] = [None] * len(record.inputs)
            for i in live:
                moving[i] = known[key(record.inputs[i])]
            contributions = [op.jvp_together(B, moving, *arguments)]
        else:
            contributions = [
                (special and special(record, known[key(record.inputs[i])]))
                or _push(record, i, known[key(record.inputs[i])], B, by, arguments)
                for i in live
            ]
        for contribution in contributions:
            for k, part in enumerate(contribution):
                if part is not None:
                    parts[k].append(part)
        for o, some in zip(record.outputs, parts, strict=True):
            if some and key(o) not in given:
                node = by.node(o)
                whole = [exact(p, node.shape, B) for p in some]
                t = whole[0] if len(whole) == 1 else B.add_n(*whole)
                known[key(o)] = t if B.dtype(t) == node.dtype else B.astype(t, node.dtype)
    return [known.get(key(t)) for t in targets]


def _arguments(record: RecordLike, by: Keying) -> tuple[Any, ...]:
    """Result, inputs and params of a record, as rules take them."""
    ys = tuple(by.value(o) for o in record.outputs)
    return (ys if record.op.results > 1 else ys[0], *[by.value(x) for x in record.inputs], *record.params)


def _push(record: RecordLike, i: int, t: Any, B: Namespace, by: Keying, arguments: tuple[Any, ...]) -> Sequence[Any]:
    """The contribution of the tangent of input ``i`` to each result."""
    op, params = record.op, record.params
    if op.kind is Kind.ELEMENTWISE and op.jvp is None:
        q = partial(op, i, params)
        q = q(B, *arguments[: 1 + len(record.inputs)]) if callable(q) else q
        if is_zero(q):
            node = by.node(record.outputs[0])
            return (B.zeros(node.shape, node.dtype),)
        return (None if q is None else times(B, t, q),)
    rule = jvp_rule(op, i)
    if rule is None:
        return (None,) * len(record.outputs)
    if rule is LINEAR:
        inputs = arguments[1 : 1 + len(record.inputs)]
        value = B.build(op, (*inputs[:i], t, *inputs[i + 1 :]), params)
    else:
        value = rule(B, t, *arguments)
    return value if op.results > 1 else (value,)
