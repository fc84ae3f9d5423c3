"""What each op does to a Jacobian with deltas, and the forward sweep that applies it.

An op without a rule here is pushed through by its own jvp: by the ops that the jvp is made of, if those are others
(softmax is products and sums), else as one batch over all directions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np

from symtape.autodiff.batching import batch_graph
from symtape.autodiff.forward import forward
from symtape.autodiff.records import Record, node_records
from symtape.autodiff.tied import OWN, SOURCE, Operand, Tied, TiedArithmetic
from symtape.graph.node import Node, symbol
from symtape.graph.shapes import Length, Shape, size
from symtape.ops.boxes import whole
from symtape.ops.choices import SELECT
from symtape.ops.contractions import EINSUM, MATMUL
from symtape.ops.control import TIE
from symtape.ops.einsum_notation import split_canonical
from symtape.ops.indexing import EMBED, GETITEM
from symtape.ops.joining import CONCATENATE, STACK
from symtape.ops.layout import BROADCAST, RESHAPE, TRANSPOSE
from symtape.ops.namespace import DERIVATIVES, Namespace
from symtape.ops.op import Kind, flow
from symtape.ops.partials import partial
from symtape.ops.reductions import SUM

_MOST_AXES = 12  #: more are left to the general rule: labels are letters, and some must be spare


class TiedSweep(TiedArithmetic):
    """One forward sweep: Jacobians of nodes in one source."""

    def __init__(self, source: Node, B: Namespace = DERIVATIVES) -> None:
        super().__init__(source, B)
        self.known: dict[Node, Tied] = {source: self.itself()}

    def jacobian(self, output: Node) -> Node | None:
        """The Jacobian written out, of shape ``(*output.shape, *source.shape)``; None if nothing flows."""
        if output.dtype.kind != "f" or self.source.dtype.kind != "f":
            return None
        for record in node_records([output], stop=[self.source]):
            self._enter(record)
        found = self.known.get(output)
        return None if found is None else self.dense(found, output)

    def _enter(self, record: Record) -> None:
        op = record.op
        live = [i for i, x in enumerate(record.inputs) if x in self.known and x.dtype.kind == "f" and flow(op, i)]
        if not live:
            return
        rule = _RULES.get(op.name)
        if rule is None and op.kind is Kind.ELEMENTWISE and op.jvp is None:
            rule = _elementwise
        if rule is None or not _has_letters(record):
            self._general(record, live)
            return
        (out,) = record.outputs
        parts = rule(self, record, live)
        if parts:
            self.known[out] = self.total(parts, out.shape)

    def _general(self, record: Record, live: Sequence[int]) -> None:
        """Any op, by its own jvp."""
        moving = list(dict.fromkeys(record.inputs[i] for i in live))
        tangents = [symbol(None, x.shape, x.dtype) for x in moving]
        moved = forward([record], list(zip(moving, tangents, strict=True)), record.outputs, self.B)
        present = [(o, t) for o, t in zip(record.outputs, moved, strict=True) if t is not None]
        fixed = list(dict.fromkeys((*record.inputs, *record.outputs)))
        steps = node_records([t for _, t in present], stop=[*tangents, *fixed])
        if any(step.op is record.op for step in steps):
            self._batched(moving, tangents, present, fixed)
            return
        inside = TiedSweep(self.source, self.B)
        inside.known = {t: self.known[x] for x, t in zip(moving, tangents, strict=True)}
        for step in steps:
            inside._enter(step)
        for o, t in present:
            if t in inside.known:
                self.known[o] = inside.known[t]

    def _batched(
        self,
        moving: Sequence[Node],
        tangents: Sequence[Node],
        present: Sequence[tuple[Node, Node]],
        fixed: Sequence[Node],
    ) -> None:
        """A jvp over the batch of all directions."""
        B, n, rank = self.B, size(self.inner), len(self.inner)
        batch = []
        for x in moving:
            order = (*range(len(x.shape), len(x.shape) + rank), *range(len(x.shape)))
            batch.append(B.reshape(B.transpose(self.dense(self.known[x], x), order), (n, *x.shape)))
        results = batch_graph([t for _, t in present], [*tangents, *fixed], [*batch, *[None] * len(fixed)], n, B)
        for (o, _), t in zip(present, results, strict=True):
            r = len(o.shape)
            order = (*range(rank, rank + r), *range(rank))
            self.known[o] = Tied(None, B.transpose(B.reshape(t, self.inner + o.shape), order), (None,) * r)


def _has_letters(record: Record) -> bool:
    """Whether labels suffice: a rule needs some beside those of the axes."""
    if record.op is EINSUM and any(c in SOURCE for c in record.params[0]):
        return False
    return max(len(x.shape) for x in (*record.inputs, *record.outputs)) <= _MOST_AXES


# --------------------------------------------------------------------------------------------------------------- rules

Rule: TypeAlias = Callable[[TiedSweep, Record, Sequence[int]], list[Tied]]


def _labels(shape: Shape) -> tuple[str, dict[str, Length]]:
    text = OWN[: len(shape)]
    return text, dict(zip(text, shape, strict=True))


def _spare_labels() -> Iterator[str]:
    return iter(OWN[:_MOST_AXES:-1])


def _aligned(shape: Shape, out: Shape, spare: Iterator[str]) -> str:
    """Labels of an input broadcast against a result labeled from the left; a stretched axis takes a spare one."""
    first = len(out) - len(shape)
    return "".join(next(spare) if n == 1 and out[first + k] != 1 else OWN[first + k] for k, n in enumerate(shape))


def _stretched(sweep: TiedSweep, record: Record, i: int, scales: Sequence[Operand] = ()) -> Tied:
    """The contribution of a broadcast input times other factors over the result's axes."""
    x, (out,) = record.inputs[i], record.outputs
    text = _aligned(x.shape, out.shape, _spare_labels())
    lengths = dict(zip(text, x.shape, strict=True)) | dict(zip(OWN, out.shape, strict=False))
    return sweep.relabeled(sweep.known[x], text, OWN[: len(out.shape)], lengths, scales)


def _elementwise(sweep: TiedSweep, record: Record, live: Sequence[int]) -> list[Tied]:
    (out,) = record.outputs
    parts = []
    for i in live:
        q = partial(record.op, i, record.params)
        if callable(q):
            q = q(sweep.B, out, *record.inputs)
        if q is None:
            continue
        if isinstance(q, (int, float)):
            if q == 0:
                parts.append(sweep.nothing(out))
                continue
            scales: list[Operand] = [] if q == 1 else [("", sweep.B.const(float(q)))]
        else:
            slope = sweep.B.lift(q)
            scales = [(OWN[len(out.shape) - len(slope.shape) : len(out.shape)], slope)]
        parts.append(_stretched(sweep, record, i, scales))
    return parts


def _select(sweep: TiedSweep, record: Record, live: Sequence[int]) -> list[Tied]:
    """A choice chooses among Jacobians too, so that the side not taken leaves no NaN."""
    B, (out,) = sweep.B, record.outputs
    mask = record.inputs[0]
    alike = sweep.alike([_stretched(sweep, record, i) for i in live], out.shape)
    ties = alike[0].ties
    shape = (1,) * (len(out.shape) - len(mask.shape)) + mask.shape + (1,) * len(sweep.free_axes(ties))
    sides = {i: sweep.written(side, out.shape, ())[0] for i, side in zip(live, alike, strict=True)}
    zero = B.const(np.zeros((), out.dtype))
    yes, no = (sides.get(i, zero) for i in (1, 2))
    return [Tied(None, B.where(B.reshape(mask, shape) if shape != mask.shape else mask, yes, no), ties)]


def _broadcast(sweep: TiedSweep, record: Record, live: Sequence[int]) -> list[Tied]:
    return [_stretched(sweep, record, 0)]


def _transpose(sweep: TiedSweep, record: Record, live: Sequence[int]) -> list[Tied]:
    (x,), (axes,) = record.inputs, record.params
    labels, lengths = _labels(x.shape)
    return [sweep.relabeled(sweep.known[x], labels, "".join(labels[k] for k in axes), lengths)]


def _sum(sweep: TiedSweep, record: Record, live: Sequence[int]) -> list[Tied]:
    (x,), (axes,) = record.inputs, record.params
    labels, lengths = _labels(x.shape)
    out = "".join(c for k, c in enumerate(labels) if k not in axes)
    return [sweep.pushed(sweep.known[x], labels, out, lengths)]


def _einsum(sweep: TiedSweep, record: Record, live: Sequence[int]) -> list[Tied]:
    terms, out = split_canonical(record.params[0])
    return _contraction(sweep, record, live, terms, out)


def _matmul(sweep: TiedSweep, record: Record, live: Sequence[int]) -> list[Tied]:
    a, b = (x.shape for x in record.inputs)
    (out,) = record.outputs
    rows, columns = len(a) > 1, len(b) > 1
    lead = len(out.shape) - rows - columns
    spare = _spare_labels()
    k = next(spare)
    labels, _ = _labels(out.shape)
    left = _aligned(a[:-2], out.shape[:lead], spare) + (labels[lead] if rows else "") + k
    right = _aligned(b[:-2], out.shape[:lead], spare) + k + (labels[-1] if columns else "")
    return _contraction(sweep, record, live, [left, right], labels)


def _contraction(sweep: TiedSweep, record: Record, live: Sequence[int], terms: Sequence[str], out: str) -> list[Tied]:
    lengths: dict[str, Length] = {}
    for term, x in zip(terms, record.inputs, strict=True):
        lengths |= dict(zip(term, x.shape, strict=True))
    lengths |= dict(zip(out, record.outputs[0].shape, strict=True))
    operands = list(zip(terms, record.inputs, strict=True))
    return [
        sweep.pushed(sweep.known[record.inputs[i]], terms[i], out, lengths, operands[:i], operands[i + 1 :])
        for i in live
    ]


def _reshape(sweep: TiedSweep, record: Record, live: Sequence[int]) -> list[Tied]:
    (x,), (out,) = record.inputs, record.outputs
    groups = _groups(x.shape, out.shape)
    if all(len(old) == len(new) == 1 for old, new in groups):
        labels, lengths = _labels(x.shape)
        spare = _spare_labels()
        names = {new[0]: labels[old[0]] for old, new in groups}
        text = "".join(names.get(k) or next(spare) for k in range(len(out.shape)))
        units: dict[str, Length] = dict.fromkeys(text, 1)
        return [sweep.relabeled(sweep.known[x], labels, text, units | lengths)]
    mixed = [k for old, new in groups if not len(old) == len(new) == 1 for k in old]
    factor, before = sweep.written(sweep.known[x], x.shape, mixed)
    rest = factor.shape[len(x.shape) :]
    ties: list[int | None] = [None] * len(out.shape)
    shape: list[Length] = [1] * len(out.shape)
    for old, new in groups:
        if len(old) == len(new) == 1:
            ties[new[0]], shape[new[0]] = before[old[0]], factor.shape[old[0]]
        else:
            for k in new:
                shape[k] = out.shape[k]
    return [Tied(None, sweep.B.reshape(factor, (*shape, *rest)), tuple(ties))]


def _groups(source: Shape, target: Shape) -> list[tuple[list[int], list[int]]]:
    """Axes, those of length 1 aside, in the smallest groups of equal size."""
    old = [k for k, n in enumerate(source) if n != 1]
    new = [k for k, n in enumerate(target) if n != 1]
    groups = []
    while old and new:
        m, n = next(
            (m, total - m)
            for total in range(2, len(old) + len(new) + 1)
            for m in range(max(1, total - len(new)), min(len(old), total - 1) + 1)
            if size(tuple(source[k] for k in old[:m])) == size(tuple(target[k] for k in new[: total - m]))
        )
        groups.append((old[:m], new[:n]))
        old, new = old[m:], new[n:]
    if groups and (old or new):  # nothing is left to move in an empty array
        groups[-1] = (groups[-1][0] + old, groups[-1][1] + new)
    return groups


def _getitem(sweep: TiedSweep, record: Record, live: Sequence[int]) -> list[Tied]:
    (x,), (basic,) = record.inputs, record.params
    cut = [k for k, part in enumerate(basic) if part != whole(x.shape[k])]
    tied = sweep.untied(sweep.known[x], x.shape, cut)

    def taken(node: Node | None) -> Node | None:
        if node is None or not node.shape:
            return node
        parts = [
            part if n == x.shape[k] else (whole(1) if isinstance(part, tuple) else 0)
            for k, (part, n) in enumerate(zip(basic, node.shape, strict=False))
        ]
        rest = [whole(n) for n in node.shape[len(basic) :]]
        return sweep.B.build(GETITEM, (node,), ((*parts, *rest),))  # type: ignore[no-any-return]

    ties = tuple(t for t, part in zip(tied.ties, basic, strict=True) if isinstance(part, tuple))
    return [Tied(taken(tied.scale), taken(tied.factor), ties)]


def _embed(sweep: TiedSweep, record: Record, live: Sequence[int]) -> list[Tied]:
    boxes, shape = record.params
    found = []
    for i in live:
        x, basic = record.inputs[i], boxes[i]
        kept = [k for k, part in enumerate(basic) if isinstance(part, tuple)]
        cut = [place for place, k in enumerate(kept) if basic[k] != whole(shape[k])]
        factor, before = sweep.written(sweep.known[x], x.shape, cut)
        own, rest = factor.shape[: len(kept)], factor.shape[len(kept) :]
        ties: list[int | None] = [None] * len(shape)
        parts, lengths = list(basic), list(shape)
        for place, k in enumerate(kept):
            ties[k] = before[place]
            if place not in cut:
                parts[k], lengths[k] = whole(own[place]), own[place]
        box = (*parts, *[whole(n) for n in rest])
        found.append(Tied(None, sweep.B.build(EMBED, (factor,), ((box,), (*lengths, *rest))), tuple(ties)))
    return found


def _joined(sweep: TiedSweep, record: Record, live: Sequence[int]) -> list[Tied]:
    """Parts set side by side: so are their Jacobians."""
    B, (axis,) = sweep.B, record.params
    parts = [
        sweep.dense(sweep.known[x], x) if i in live else B.zeros(x.shape + sweep.inner, x.dtype)
        for i, x in enumerate(record.inputs)
    ]
    return [Tied(None, B.build(record.op, tuple(parts), (axis,)), (None,) * len(record.outputs[0].shape))]


def _tie(sweep: TiedSweep, record: Record, live: Sequence[int]) -> list[Tied]:
    """A derivative is connected to what its target depends on, with derivative 0."""
    g, _ = record.inputs
    return [sweep.known[g] if 0 in live else sweep.nothing(g)]


_RULES: dict[str, Rule] = {
    op.name: rule
    for op, rule in (
        (SELECT, _select),
        (BROADCAST, _broadcast),
        (TRANSPOSE, _transpose),
        (SUM, _sum),
        (EINSUM, _einsum),
        (MATMUL, _matmul),
        (RESHAPE, _reshape),
        (GETITEM, _getitem),
        (EMBED, _embed),
        (CONCATENATE, _joined),
        (STACK, _joined),
        (TIE, _tie),
    )
}
