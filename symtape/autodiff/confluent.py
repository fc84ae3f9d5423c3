"""Derivatives through eigenvalues and vectors that hold where eigenvalues are equal: bodies for `CONFLUENT`.

A rule of an op sees the op alone, but the limit in which a derivative exists where eigenvectors do not (see
`symtape.ops.confluence`) depends on what is made of its results. Both sweeps know that: the reverse sweep holds the
cotangents as graphs over the results, the forward sweep the targets. From those the body is made: the derivative for
two choices of eigenvectors and two directions in which equal eigenvalues part. It runs only where there are any.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from symtape.autodiff.pushes import push_along
from symtape.autodiff.records import BY_NODE, RecordLike, node_records
from symtape.graph.closed import Graph, close
from symtape.graph.node import CONST, ITEM, LEAF, PARAM, Node, symbol
from symtape.graph.shapes import size
from symtape.graph.traverse import substitute, topological
from symtape.ops.clusters import spread
from symtape.ops.confluence import CONFLUENT, GAP_LIMIT, GAP_POLE, IF_ZERO, beside_gaps
from symtape.ops.matrices import transposed
from symtape.ops.namespace import DERIVATIVES, Namespace

_MOST_NODES: Final = 300  #: between an op's results and what is asked of them; larger graphs are not copied
_DEPTH: Final = 2  #: how far bodies have limits of other eigenvalues in them
_MOST_OTHERS: Final = 2  #: ops with eigenvalues between; each multiplies the size of what a body works out

#: What a body works out for one choice of vectors and one direction: a function of results and direction.
Choice = Callable[[Sequence[Node], Node], tuple[Node, ...]]


@dataclass(frozen=True, slots=True)
class _Between:
    """What lies between the results of an op and some outputs.

    Attributes
    ----------
    beside : list of Node
        What the outputs depend on besides: the nodes next to those that depend on the results.
    read : frozenset of Node
        The results that they do depend on.
    """

    beside: list[Node]
    read: frozenset[Node]


def _between(outputs: Sequence[Node], results: Sequence[Node], depth: int = 0) -> _Between | None:
    """What lies between results and outputs; None if that is too large, which in a body more is."""
    cut = frozenset(results)
    seen: set[Node] = set()
    stack = [o for o in outputs if o not in cut]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            if len(seen) > _MOST_NODES:
                return None
            stack.extend(i for i in node.inputs if i not in cut)
    order = topological(outputs, stop=cut)
    dependent = set(cut)
    beside: dict[Node, None] = {}
    others = 0
    for node in order:
        if node in cut or dependent.isdisjoint(node.inputs):
            continue
        dependent.add(node)
        others += _has_limits(node)
        beside.update(dict.fromkeys(i for i in node.inputs if i not in dependent and i.op is not CONST))
    if others > (0 if depth else _MOST_OTHERS):
        return None
    beside.update(dict.fromkeys(o for o in outputs if o not in dependent and o.op is not CONST))
    return _Between(list(beside), cut.intersection(order))


def has_limits(output: Node, source: Node) -> bool:
    """Whether eigenvalues or singular values that may depend on the source are below a node."""
    return any(_has_limits(node) for node in topological([output], stop=[source]))


def _has_limits(node: Node) -> bool:
    return bool(node.inputs) and node.op is not ITEM and node.op.confluence is not None


# -------------------------------------------------------------------------------------------------------------- bodies


def _like(node: Node) -> Node:
    return symbol(None, node.shape, node.dtype)


def _pushed(target: Node, moving: Sequence[tuple[Node, Node]], depth: int) -> Node:
    """The tangent of a node, in a body."""
    (found,) = pushed(node_records([target]), moving, [target], DERIVATIVES, depth)
    tangent: Node = DERIVATIVES.zeros(target.shape, target.dtype) if found is None else found
    return tangent


def _largest(x: Node, axes: Sequence[int]) -> Node:
    found: Node = DERIVATIVES.max(DERIVATIVES.absolute(x), axis=tuple(axes), keepdims=True)
    return found


def _unlike(x: Node) -> Node:
    """A tangent of some node without any structure: what comes of it tells the size of a derivative."""
    D = DERIVATIVES
    columns = spread(D, x, 0)
    unlike: Node = columns if len(x.shape) < 2 else D.multiply(columns, transposed(D, spread(D, transposed(D, x), 1)))
    return unlike


def _parted(w: Node) -> Node:
    """Numbers near others, no two of them equal."""
    D = DERIVATIVES
    largest = D.max(D.absolute(w))
    step = D.multiply(float(np.finfo(w.dtype).eps) ** 0.25, D.where(D.equal(largest, 0), 1.0, largest))
    parted: Node = D.add(w, D.multiply(step, spread(D, w, 0)))
    return parted


def _twice(
    op: Any, results: Sequence[Node], operands: Sequence[Node], choice: Choice
) -> tuple[Graph, tuple[Node, ...]]:
    """A body that makes a choice of vectors and direction, then another, and what it is to be applied to.

    ``choice`` gives a result, what is to be the same for every choice, and the size of that.
    """
    limits = op.confluence
    stand_ins = [_like(r) for r in results]
    direction = _like(results[limits.values])
    made = choice(stand_ins, direction)
    own = frozenset((*stand_ins, direction, *operands))
    deeper = [n for n in topological(made, stop=own) if n.op in (LEAF, PARAM) and n not in own]
    others = (*operands, *deeper)
    inner, _ = close(made, (*stand_ins, direction, *others))
    numbers = results[limits.values]
    result, first, size = inner(*results, spread(DERIVATIVES, numbers, 0), *others)
    _, second, other = inner(*limits.turned(DERIVATIVES, tuple(results)), spread(DERIVATIVES, numbers, 1), *others)
    given = (*results, *others)
    body, _ = close((result, first, second, DERIVATIVES.maximum(size, other)), given)
    return body, given


# ------------------------------------------------------------------------------------------------------------- reverse


def pulled(B: Namespace, op: Any, gs: Sequence[Any], ys: Sequence[Any]) -> Any:
    """The cotangent of the matrix from those of its eigenvalues and vectors: a limit where eigenvalues are equal.

    In eigenvalues alone, the rule of the op tells whether that exists.
    """
    limits = op.confluence
    results = [B.node(y) for y in ys]
    numbers = results[limits.values]
    given = [k for k, g in enumerate(gs) if g is not None]
    if given == [limits.values] or size(numbers.shape) == 0:
        return limits.vjp(B, gs, ys)
    cotangents = [B.node(gs[k]) for k in given]
    between = _between(cotangents, results)
    if between is None:
        return limits.vjp(B, gs, ys)

    def choice(y: Sequence[Node], direction: Node) -> tuple[Node, ...]:
        own: list[Any] = [None] * len(gs)
        for k, g in zip(given, substitute(cotangents, dict(zip(results, y, strict=True))), strict=True):
            own[k] = g
        gw = own[limits.values]
        w = y[limits.values]
        D = DERIVATIVES
        largest = D.expand_dims(_largest(w, [-1]), -1)
        slope = None if gw is None else D.expand_dims(_largest(gw, [-1]), -1)

        def over(B: Any, x: Node, a: Node, b: Node, asked: Any, kind: str, whole: Node) -> Any:
            scale = _largest(whole, [-2, -1])
            if slope is not None:
                scale = D.maximum(scale, D.multiply(slope, largest))
            moving = [(w, direction)]
            # x is linear in the whole, whose size can be told although x vanishes
            (slope_x,) = push_along(
                node_records([x], stop=[whole]), [(whole, _pushed(whole, moving, 1))], [x], D, BY_NODE
            )
            along = [_pushed(v, moving, 1) for v in (a, b)]
            return D.build(GAP_LIMIT, (x, slope_x, a, b, *along, scale), (kind,))

        result = limits.pull(D, tuple(own), tuple(y), over)
        sizes = [
            D.divide_no_nan(_largest(g, [-2, -1]), largest)
            for k, g in enumerate(own)
            if k != limits.values and g is not None
        ]
        sizes += [] if slope is None else [slope]
        return result, result, functools.reduce(D.maximum, sizes)

    usual = limits.pull(B, tuple(gs), tuple(ys), beside_gaps)
    body, taken = _twice(op, results, between.beside, choice)
    rank = len(numbers.shape) - 1
    inputs = (usual, ys[limits.values], *[B.lift(node) for node in taken])
    return B.build(CONFLUENT, inputs, (body, limits.what, True, rank, rank))


# ------------------------------------------------------------------------------------------------------------- forward


def pushed(
    records: Sequence[RecordLike],
    tangents: Sequence[tuple[Node, Node]],
    targets: Sequence[Node],
    B: Namespace,
    depth: int = 0,
) -> list[Node | None]:
    """Tangents of targets with what equal eigenvalues on the way make of them; None where nothing flows.

    ``depth`` says in how many bodies this is asked for.
    """
    if depth > _DEPTH or all(record.op.confluence is None for record in records):
        return push_along(records, tangents, targets, B, BY_NODE)
    limits = _Limits(targets, B, depth)
    moved = push_along(records, tangents, targets, B, BY_NODE, limits.push)
    return [limits.completed(target, t) for target, t in zip(targets, moved, strict=True)]


class _Limits:
    """What a forward sweep meets of eigenvalues and vectors, and the limits that its tangents are in the end."""

    def __init__(self, targets: Sequence[Node], B: Namespace, depth: int) -> None:
        self.targets = [t for t in targets if t.dtype.kind == "f"]
        self.B = B
        self.depth = depth
        self.met: list[tuple[RecordLike, Node, dict[Node, _Between]]] = []

    def push(self, record: RecordLike, t: Node) -> Sequence[Any] | None:
        """The tangents of the results without what equal numbers make of them, which is added in the end.

        None where an op has no such results or its targets are too far away: then its own rule holds.
        """
        limits = record.op.confluence
        if limits is None or size(record.outputs[limits.values].shape) == 0:
            return None
        between: dict[Node, _Between] = {}
        for target in self.targets:
            found = _between([target], record.outputs, self.depth)
            if found is None:
                return None
            if found.read and size(target.shape):
                between[target] = found
        self.met.append((record, t, between))
        moved: Sequence[Any] = limits.push(self.B, t, tuple(record.outputs), beside_gaps)
        return moved

    def completed(self, target: Node, tangent: Node | None) -> Node | None:
        """The tangent of a target with all limits."""
        for record, t, between in self.met:
            if tangent is not None and target in between:
                tangent = self._limit(record, t, target, between[target], tangent)
        return tangent

    def _limit(self, record: RecordLike, t: Node, target: Node, between: _Between, usual: Node) -> Node:
        op, results, deeper = record.op, record.outputs, self.depth + 1
        limits = op.confluence
        D = DERIVATIVES

        def choice(y: Sequence[Node], direction: Node) -> tuple[Node, ...]:
            w = y[limits.values]

            def pole(B: Any, x: Node, a: Node, b: Node, asked: Any, kind: str, whole: Node) -> Any:
                along = [_pushed(v, [(w, direction)], deeper) for v in (a, b)]
                return D.build(GAP_POLE, (x, a, b, *along), (kind,))

            (z,) = substitute([target], dict(zip(results, y, strict=True)))
            plain = _pushed(z, list(zip(y, limits.push(D, t, tuple(y), beside_gaps), strict=True)), deeper)
            poles = limits.push(D, t, tuple(y), pole)
            turning = {_like(p): p for k, p in enumerate(poles) if k != limits.values}
            vectors = [v for k, v in enumerate(y) if k != limits.values]
            turned = _pushed(z, list(zip(vectors, turning, strict=True)), deeper)
            turned, slope = substitute([turned, _pushed(turned, [(w, direction)], deeper)], turning)
            axes = range(len(z.shape))
            # sizes are told of the target at numbers that are not equal: there nothing cancels as it may where they are
            sizes = [_largest(_pushed(z, [(v, _unlike(v)) for v in some], deeper), axes) for some in (vectors, [w])]
            in_vectors, in_numbers = (D.multiply(x, D.max(D.absolute(t))) for x in substitute(sizes, {w: _parted(w)}))
            same = D.add_n(plain, slope, D.build(IF_ZERO, (turned, in_vectors)))
            floor = D.add(in_numbers, D.divide_no_nan(in_vectors, D.max(D.absolute(w))))
            return D.add(usual, slope), same, floor

        body, taken = _twice(op, results, [usual, t, *between.beside], choice)
        numbers = results[limits.values]
        vectors = between.read != {numbers}
        found: Node = self.B.build(
            CONFLUENT, (usual, numbers, *taken), (body, limits.what, vectors, len(numbers.shape) - 1, 0)
        )
        return found
