"""Gradients by plan: what a training loop asks for again at every step is worked out once.

Two slices of the same structure (ops, params, how results feed inputs, shapes and dtypes, scalar constants) have the
same gradient over whatever they were applied to. The first is swept over stand-ins, and what the sweep built is kept as
a list of steps; later ones only run the steps. Small slices always go this way, so that the result does not depend on
what was asked before.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeAlias

from symtape.autodiff.records import Keying
from symtape.autodiff.reverse import ones, reverse
from symtape.graph.node import CONST, Node, Params, build, items, symbol
from symtape.graph.source import user_frame
from symtape.graph.traverse import topological
from symtape.ops.namespace import DERIVATIVES
from symtape.ops.op import ZERO

MAX_RECORDS = 256  #: slices of more are swept as they are
_KEPT_PLANS, _KEPT_STEPS = 128, 4096  # what all of them hold together is bounded

Step: TypeAlias = "tuple[int, Any, tuple[int, ...], Params]"


@dataclass(frozen=True, slots=True)
class _Value:
    """A stand-in for a tensor of the slice."""

    ident: int
    node: Node


@dataclass(frozen=True, slots=True)
class _Record:
    op: Any
    params: Params
    inputs: tuple[_Value, ...]
    outputs: tuple[_Value, ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    """The steps from a slice to its gradients.

    Attributes
    ----------
    template : list
        Values before the first step: constants in their places.
    given : list of (place, slot)
        Nodes of the slice that the steps read.
    steps : list of (place, op, places of inputs, params)
    results : list
        Places of the gradients, `ZERO`, or None.
    """

    template: list[Node | None]
    given: list[tuple[int, int]]
    steps: list[Step]
    results: list[Any]


_plans: dict[Hashable, _Plan] = {}
_lock = threading.Lock()
_BY = Keying(key=attrgetter("ident"), value=attrgetter("node"), node=attrgetter("node"))


class _Slice:
    """A slice as a key: every tensor has a slot, numbered as they come up."""

    def __init__(self) -> None:
        self.slots: dict[int, int] = {}
        self.constants: dict[Node, int] = {}
        self.nodes: list[Node] = []
        self.outside: list[int] = []  # slots of what no record of the slice made
        self.kinds: list[Any] = []  # and their shapes and dtypes
        self.several = False  # whether two versions of a variable were met

    def slot(self, tensor: Any) -> Any:
        """The slot of a tensor; of an implicit scalar the node itself, since rules look at its value."""
        ident, node = tensor.ident, tensor.node
        if ident == 0:
            if node.shape == () and node.op is CONST:
                return node
            found = self.constants.get(node)
            if found is None:
                found = self.constants[node] = self._new(node)
            return found
        found = self.slots.get(ident)
        if found is None:
            found = self.slots[ident] = self._new(node)
        elif self.nodes[found] is not node:
            self.several = True
        return found

    def _new(self, node: Node) -> int:
        slot = len(self.nodes)
        self.nodes.append(node)
        self.outside.append(slot)
        self.kinds.append((node.shape, node.dtype))
        return slot

    def record(self, r: Any) -> Any:
        """A record as a part of the key."""
        inputs = tuple([self.slot(x) for x in r.inputs])
        for o in r.outputs:
            self.slots[o.ident] = len(self.nodes)
            self.nodes.append(o.node)
        params = r.params
        return (r.op, inputs, params, tuple(map(type, params))) if params else (r.op, inputs)


def planned(
    records: Sequence[Any], targets: Sequence[Any], seeds: Sequence[Any], sources: Sequence[Any]
) -> list[Any] | None:
    """Gradients of the weighted sum of the targets, as `reverse` gives them over nodes.

    Parameters
    ----------
    records : sequence of records
        Of one slice, in the order of recording.
    targets, sources : sequence of tensors
    seeds : sequence of tensor or None
        None means ones.

    Returns
    -------
    list of Node, `ZERO` or None; or None
        None where the slice cannot go by plan: it is long, or contains several versions of one variable.
    """
    if len(records) > MAX_RECORDS:
        return None
    own = _Slice()
    parts = [own.record(r) for r in records]
    ends = tuple([own.slot(t) for t in targets])
    weights = tuple([None if s is None else own.slot(s) for s in seeds])
    wanted = tuple([own.slot(s) for s in sources])
    if own.several or any(isinstance(s, Node) for s in (*ends, *wanted)):
        return None
    key = (tuple(parts), ends, weights, wanted, tuple(own.kinds), tuple(own.outside))
    plan = _plans.get(key)
    if plan is None:
        plan = _made(records, own, parts, ends, weights, wanted)
        _keep(key, plan)
    return _run(plan, own.nodes)


def _run(plan: _Plan, nodes: list[Node]) -> list[Any]:
    frame = user_frame(1)
    values: list[Any] = plan.template.copy()
    for place, slot in plan.given:
        values[place] = nodes[slot]
    for place, op, inputs, params in plan.steps:
        values[place] = build(op, tuple([values[i] for i in inputs]), params, frame)
    return [r if r is None or r is ZERO else values[r] for r in plan.results]


def _keep(key: Hashable, plan: _Plan) -> None:
    with _lock:
        _plans[key] = plan
        total = sum(len(p.steps) for p in _plans.values())
        while len(_plans) > _KEPT_PLANS or (total > _KEPT_STEPS and len(_plans) > 1):
            total -= len(_plans.pop(next(iter(_plans))).steps)


def _made(
    records: Sequence[Any],
    own: _Slice,
    parts: Sequence[Any],
    ends: Sequence[int],
    weights: Sequence[Any],
    wanted: Sequence[int],
) -> _Plan:
    """Sweep over stand-ins, and read the steps off what was built."""
    stand_ins: dict[int, Node] = {
        slot: symbol(None, shape, dtype) for slot, (shape, dtype) in zip(own.outside, own.kinds, strict=True)
    }

    def value(slot: Any) -> _Value:
        return _Value(0, slot) if isinstance(slot, Node) else _Value(slot + 1, stand_ins[slot])

    shadows: list[_Record] = []
    for r, part in zip(records, parts, strict=True):
        inputs = tuple([value(slot) for slot in part[1]])
        made = items(build(r.op, tuple([x.node for x in inputs]), r.params))
        outs = [own.slots[o.ident] for o in r.outputs]
        stand_ins.update(zip(outs, made, strict=True))
        shadows.append(_Record(r.op, r.params, inputs, tuple([value(slot) for slot in outs])))
    seeds = []
    for end, weight in zip(ends, weights, strict=True):
        target = value(end)
        seeds.append((target, ones(DERIVATIVES, target.node) if weight is None else value(weight).node))
    found = reverse(shadows, seeds, [value(s) for s in wanted], DERIVATIVES, _BY)
    return _read_off(found, stand_ins)


def _read_off(found: Sequence[Any], stand_ins: dict[int, Node]) -> _Plan:
    slot_of = {node: slot for slot, node in stand_ins.items()}
    outputs = [g for g in found if g is not None and g is not ZERO]
    order = topological(outputs, stop=slot_of)
    places = {node: k for k, node in enumerate(order)}
    template: list[Node | None] = [None] * len(order)
    given: list[tuple[int, int]] = []
    steps: list[Step] = []
    for node, place in places.items():
        if node in slot_of:
            given.append((place, slot_of[node]))
        elif not node.inputs:
            template[place] = node
        else:
            steps.append((place, node.op, tuple([places[i] for i in node.inputs]), node.params))
    results = [g if g is None or g is ZERO else places[g] for g in found]
    return _Plan(template, given, steps, results)
