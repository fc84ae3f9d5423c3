"""What `GradientTape` asks of the sweeps: gradients and Jacobians of tensors, by the records between them.

Where no tape records the result, nodes are built. Where one does (an outer tape, or a persistent one inside its own
block), the derivative is made of recorded tensors, so that it can be differentiated in turn; it is tied to its targets,
so that it counts as connected to all that they depend on.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

import numpy as np

from symtape.autodiff.batching import batch_graph
from symtape.autodiff.jacobian import jacobian
from symtape.autodiff.plan import MAX_RECORDS, planned
from symtape.autodiff.records import Keying
from symtape.autodiff.reverse import ones, reverse
from symtape.graph.node import Node, Params, build, constant, items, next_ident, symbol
from symtape.graph.shapes import size
from symtape.graph.source import user_frame
from symtape.graph.traverse import substitute
from symtape.ops.control import TIE
from symtape.ops.namespace import DERIVATIVES, NODES
from symtape.ops.op import ZERO, Kind, flow
from symtape.ops.simplify import IDENTITIES
from symtape.tape.recording import active_tapes, record
from symtape.tape.replay import replay
from symtape.tape.tensor import TENSORS, Tensor, Tensors, apply, wrap

_ident = attrgetter("ident")  # of C, as these run several times an operation
_node = attrgetter("node")


def _self(tensor: Tensor) -> Tensor:
    return tensor


#: Records of a tape, swept into nodes.
TO_NODES = Keying(key=_ident, value=_node, node=_node)
_TO_TENSORS = Keying(key=_ident, value=_self, node=_node)


class _Recorded(Tensors):
    """Builds the derivatives of one call as recorded tensors; its identities never bypass a tensor of the user's."""

    simplifies = True

    def __init__(self) -> None:
        self.start = next_ident()

    def made_by(self, value: Tensor) -> tuple[Any, tuple[Any, ...], Params] | None:
        """How a tensor came about, if this very call made it."""
        return (value.op, value.inputs, value.params) if value.op is not None and value.ident > self.start else None

    def build(self, op: Any, inputs: tuple[Any, ...], params: Params = ()) -> Any:
        """Apply the op unless an identity gives a simpler value."""
        rule = IDENTITIES.get(op.name)
        if rule is not None:
            simpler = rule(self, inputs, params)
            if simpler is not None:
                return simpler
        return apply(op, inputs, params)


def is_recorded(records: Sequence[Any], targets: Sequence[Tensor]) -> bool:
    """Whether a tape records now what is computed from these records and targets."""
    for tape in active_tapes():
        tracked = tape.producer
        if any(t.ident in tracked for t in targets):
            return True
        if any(x.ident in tracked for r in records for x in r.inputs):
            return True
    return False


def passes(r: Any, i: int) -> bool:
    """Whether a gradient passes a record from its results to its input ``i``; asked of the bodies, where it has any."""
    if r.inputs[i].node.dtype.kind != "f" or not flow(r.op, i):
        return False
    if r.op.kind is not Kind.CONTROL:
        return True
    seeds = [(o, ones(DERIVATIVES, o.node)) for o in r.outputs]
    return reverse([r], seeds, [r.inputs[i]], DERIVATIVES, TO_NODES)[0] is not None


def reached(records: Sequence[Any], source: int) -> set[int]:
    """Identities from which a gradient flows back to the source."""
    found = {source}
    for r in records:
        if any(x.ident in found and passes(r, i) for i, x in enumerate(r.inputs)):
            found.update([o.ident for o in r.outputs])
    return found


# ------------------------------------------------------------------------------------------------------------ gradients


def gradients(
    records: Sequence[Any], targets: Sequence[Tensor], seeds: Sequence[Tensor | None], sources: Sequence[Tensor]
) -> list[Tensor | None]:
    """Gradients of the weighted sum of the targets; None where nothing flows.

    Parameters
    ----------
    records : sequence of records
        In the order of recording.
    targets : sequence of Tensor
    seeds : sequence of Tensor or None
        Weights with the targets' shapes; None means ones.
    sources : sequence of Tensor

    Returns
    -------
    list of Tensor or None
    """
    if not is_recorded(records, targets):
        found = planned(records, targets, seeds, sources)
        if found is None:
            pairs = [
                (t, ones(DERIVATIVES, t.node) if s is None else s.node) for t, s in zip(targets, seeds, strict=True)
            ]
            with _collector_at_rest(len(records) > MAX_RECORDS):
                found = reverse(records, pairs, sources, DERIVATIVES, TO_NODES)
        return [
            None if g is None else wrap(NODES.zeros(s.shape, s.dtype) if g is ZERO else g)
            for s, g in zip(sources, found, strict=True)
        ]
    B = _Recorded()
    pairs = [(t, ones(B, t.node) if s is None else s) for t, s in zip(targets, seeds, strict=True)]
    found = reverse(records, pairs, sources, B, _TO_TENSORS)
    return [
        None if g is None else tied(B.zeros(s.shape, s.dtype) if g is ZERO else g, targets)
        for s, g in zip(sources, found, strict=True)
    ]


@contextmanager
def _collector_at_rest(wanted: bool) -> Iterator[None]:
    """Keep Python's cyclic collector from looking again and again at a large graph that only grows."""
    if not (wanted and gc.isenabled()):
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def tied(value: Tensor, targets: Sequence[Tensor]) -> Tensor:
    """A derivative with an identity of its own that counts as connected to all that the targets depend on.

    The tie stands in the record only: the node, and so the formula, is the derivative's.
    """
    frame = user_frame(1)
    for target in targets:
        out = wrap(value.node)
        out.code = frame.f_code
        out.lasti = frame.f_lasti
        record(out, TIE, (), (value, target))
        value = out
    return value


# ------------------------------------------------------------------------------------------------------------ jacobians


def jacobians(records: Sequence[Any], target: Tensor, sources: Sequence[Tensor]) -> list[Tensor | None]:
    """Jacobian of one target in each source, of shape ``target.shape + source.shape``; None where nothing flows."""
    connected = [target.ident in reached(records, s.ident) and target.dtype.kind == "f" for s in sources]
    if is_recorded(records, [target]):
        count = int(size(target.shape))
        eye = np.eye(count, dtype=target.dtype).reshape((count, *target.shape))
        found = _pulled_rows(records, target, sources, eye)
        return [
            tied(TENSORS.reshape(row, (*target.shape, *s.shape)), [target]) if row is not None and c else None
            for s, row, c in zip(sources, found, connected, strict=True)
        ]
    made = {o.ident for r in records for o in r.outputs}
    leaves = Closed(records, [s for s in sources if s.ident not in made])
    return [
        (Closed(records, [s]) if s.ident in made else leaves).jacobian(target, s) if c else None
        for s, c in zip(sources, connected, strict=True)
    ]


def batch_jacobian(records: Sequence[Any], target: Tensor, source: Tensor) -> Tensor | None:
    """Jacobian of each row of the target in the same row of the source, if rows are independent: ``(b, *y, *x)``."""
    inner = target.shape[1:]
    count = int(size(inner))
    if target.dtype.kind != "f" or target.ident not in reached(records, source.ident):
        return None
    eye = np.eye(count, dtype=target.dtype).reshape((count, 1, *inner))
    rows = np.broadcast_to(eye, (count, *[int(n) for n in target.shape]))
    (found,) = _pulled_rows(records, target, [source], rows)
    if found is None:
        return None
    moved = TENSORS.moveaxis(found, 0, 1)
    return tied(TENSORS.reshape(moved, (source.shape[0], *inner, *source.shape[1:])), [target])


def _pulled_rows(
    records: Sequence[Any], target: Tensor, sources: Sequence[Tensor], rows: np.ndarray[Any, Any]
) -> list[Tensor | None]:
    """Each row of cotangents pulled back: a batch of one vjp whose primal values are inputs, so that tapes see them."""
    primal: dict[tuple[int, Node], Node] = {}
    given: dict[Node, Tensor] = {}

    def stand_in(tensor: Tensor) -> Node:
        if tensor.ident == 0:
            return tensor.node
        key = (tensor.ident, tensor.node)
        found = primal.get(key)
        if found is None:
            found = primal[key] = symbol(None, tensor.shape, tensor.dtype)
            given[found] = tensor
        return found

    cotangent = symbol(None, target.shape, target.dtype)
    by = Keying(key=_ident, value=stand_in, node=_node)
    found = reverse(records, [(target, cotangent)], sources, DERIVATIVES, by)
    pulled = [DERIVATIVES.zeros(s.shape, s.dtype) if g is ZERO else g for s, g in zip(sources, found, strict=True)]
    live = [g for g in pulled if g is not None]
    if not live:
        return [None] * len(sources)
    batch = batch_graph(live, [cotangent], [constant(rows)], rows.shape[0], DERIVATIVES)
    results = iter(replay(batch, given))
    return [None if g is None else next(results) for g in pulled]


class Closed:
    """The records between sources and a target as a graph over fresh symbols in the places of the sources.

    A source of which several versions were read has several symbols; what is derived in it is their sum. No source may
    be computed from another: the graph is cut there.
    """

    def __init__(self, records: Sequence[Any], sources: Sequence[Tensor]) -> None:
        self._leaves: dict[int, dict[Node, Node]] = {s.ident: {} for s in sources}
        self._made: dict[int, Node] = {}
        for s in sources:
            self._node(s)
        for r in records:
            self._enter(r)

    def _node(self, tensor: Tensor) -> Node:
        """What stands for a tensor."""
        versions = self._leaves.get(tensor.ident)
        if versions is None:
            return self._made.get(tensor.ident, tensor.node)
        found = versions.get(tensor.node)
        if found is None:
            found = versions[tensor.node] = symbol(None, tensor.shape, tensor.dtype)
        return found

    def _enter(self, r: Any) -> None:
        inputs = tuple([self._node(x) for x in r.inputs])
        if all(i is x.node for i, x in zip(inputs, r.inputs, strict=True)):
            return
        # a tie says what counts as connected, which has been asked already
        made = inputs[:1] if r.op is TIE else items(build(r.op, inputs, r.params))
        for out, node in zip(r.outputs, made, strict=True):
            self._made[out.ident] = node

    def jacobian(self, target: Tensor, source: Tensor) -> Tensor:
        """The Jacobian of a target in one of the sources."""
        output = self._node(target)
        parts = [jacobian(output, leaf) for leaf in self._leaves[source.ident].values()]
        total = parts[0] if len(parts) == 1 else DERIVATIVES.add_n(*parts)
        back = {leaf: node for versions in self._leaves.values() for node, leaf in versions.items()}
        return wrap(substitute([total], back)[0])
