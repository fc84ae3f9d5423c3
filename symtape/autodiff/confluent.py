"""Derivatives through eigenvalues and vectors that hold where eigenvalues are equal: bodies for `CONFLUENT`.

A rule of an op sees the op alone, but the limit in which a derivative exists where eigenvectors do not (see
`symtape.ops.confluence`) depends on what is made of its results. Both sweeps know that: the reverse sweep holds the
cotangents as graphs over the results, the forward sweep the targets. From those the body is made: the derivative for
two choices of eigenvectors and two directions in which equal eigenvalues part. It runs only where there are any.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final

from symtape.autodiff.pushes import push_along
from symtape.autodiff.records import BY_NODE, RecordLike, node_records
from symtape.graph.closed import Graph, close
from symtape.graph.node import CONST, LEAF, PARAM, Node, symbol
from symtape.graph.shapes import size
from symtape.graph.traverse import substitute, topological
from symtape.ops.clusters import spread
from symtape.ops.confluence import CONFLUENT, GAP_LIMIT, GAP_POLE, IF_ZERO
from symtape.ops.gaps import over_gaps
from symtape.ops.namespace import DERIVATIVES, Namespace

_MOST_NODES: Final = 1000  #: between an op's results and what is asked of them; larger graphs are not copied

#: What a body works out for one choice of vectors and one direction: a function of results and direction.
Choice = Callable[[Sequence[Node], Node], tuple[Node, ...]]


def _outside(outputs: Sequence[Node], results: Sequence[Node]) -> list[Node] | None:
    """What outputs depend on beside the results of an op: the nodes next to those that depend on these.

    None if the graph between is too large.
    """
    cut = frozenset(results)
    between: set[Node] = set()
    stack = [o for o in outputs if o not in cut]
    while stack:
        node = stack.pop()
        if node not in between:
            between.add(node)
            if len(between) > _MOST_NODES:
                return None
            stack.extend(i for i in node.inputs if i not in cut)
    dependent = set(cut)
    beside: dict[Node, None] = {}
    for node in topological(outputs, stop=cut):
        if node in cut or dependent.isdisjoint(node.inputs):
            continue
        dependent.add(node)
        beside.update(dict.fromkeys(i for i in node.inputs if i not in dependent and i.op is not CONST))
    beside.update(dict.fromkeys(o for o in outputs if o not in dependent and o.op is not CONST))
    return list(beside)


def has_limits(output: Node, source: Node) -> bool:
    """Whether eigenvalues or singular values that may depend on the source are below a node."""
    return any(record.op.confluence is not None for record in node_records([output], stop=[source]))


# -------------------------------------------------------------------------------------------------------------- bodies


def _like(node: Node) -> Node:
    return symbol(None, node.shape, node.dtype)


def _beside_gaps(B: Any, x: Any, a: Any, b: Any, asked: Any, kind: str, whole: Any) -> Any:
    """The quotient for those who look at equal numbers themselves."""
    return over_gaps(B, x, a, b, asked, kind, strict=False)


def _pushed(target: Node, moving: Sequence[tuple[Node, Node]]) -> Node:
    """The tangent of a node; equal numbers on the way are not looked into again."""
    (found,) = push_along(node_records([target]), moving, [target], DERIVATIVES, BY_NODE)
    tangent: Node = DERIVATIVES.zeros(target.shape, target.dtype) if found is None else found
    return tangent


def _largest(x: Node, axes: Sequence[int]) -> Node:
    found: Node = DERIVATIVES.max(DERIVATIVES.absolute(x), axis=tuple(axes), keepdims=True)
    return found


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
    operands = _outside(cotangents, results)
    if operands is None:
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
            along = [_pushed(v, [(w, direction)]) for v in (x, a, b)]
            return D.build(GAP_LIMIT, (x, along[0], a, b, along[1], along[2], scale), (kind,))

        result = limits.pull(D, tuple(own), tuple(y), over)
        sizes = [
            D.divide_no_nan(_largest(g, [-2, -1]), largest)
            for k, g in enumerate(own)
            if k != limits.values and g is not None
        ]
        sizes += [] if slope is None else [slope]
        return result, result, functools.reduce(D.maximum, sizes)

    usual = limits.pull(B, tuple(gs), tuple(ys), _beside_gaps)
    body, taken = _twice(op, results, operands, choice)
    rank = len(numbers.shape) - 1
    inputs = (usual, ys[limits.values], *[B.lift(node) for node in taken])
    return B.build(CONFLUENT, inputs, (body, limits.what, rank, rank))


# ------------------------------------------------------------------------------------------------------------- forward


class Limits:
    """What a forward sweep meets of eigenvalues and vectors, and the limits that its tangents are in the end."""

    def __init__(self, targets: Sequence[Node], B: Namespace) -> None:
        self.targets = [t for t in targets if t.dtype.kind == "f"]
        self.B = B
        self.met: list[tuple[RecordLike, Node, dict[Node, list[Node]]]] = []

    def push(self, record: RecordLike, t: Node) -> Sequence[Any] | None:
        """The tangents of the results without what equal numbers make of them, which is added in the end.

        None where an op has no such results or its targets are too far away: then its own rule holds.
        """
        limits = record.op.confluence
        if limits is None or size(record.outputs[limits.values].shape) == 0:
            return None
        beside: dict[Node, list[Node]] = {}
        for target in self.targets:
            found = _outside([target], record.outputs)
            if found is None:
                return None
            beside[target] = found
        self.met.append((record, t, beside))
        moved: Sequence[Any] = limits.push(self.B, t, tuple(record.outputs), _beside_gaps)
        return moved

    def completed(self, target: Node, tangent: Node | None) -> Node | None:
        """The tangent of a target with all limits."""
        for record, t, beside in self.met:
            if tangent is not None and target in beside:
                tangent = self._limit(record, t, target, beside[target], tangent)
        return tangent

    def _limit(self, record: RecordLike, t: Node, target: Node, operands: Sequence[Node], usual: Node) -> Node:
        op, results = record.op, record.outputs
        limits = op.confluence
        D = DERIVATIVES

        def choice(y: Sequence[Node], direction: Node) -> tuple[Node, ...]:
            w = y[limits.values]

            def pole(B: Any, x: Node, a: Node, b: Node, asked: Any, kind: str, whole: Node) -> Any:
                return D.build(GAP_POLE, (x, a, b, *[_pushed(v, [(w, direction)]) for v in (a, b)]), (kind,))

            (z,) = substitute([target], dict(zip(results, y, strict=True)))
            plain = _pushed(z, list(zip(y, limits.push(D, t, tuple(y), _beside_gaps), strict=True)))
            poles = limits.push(D, t, tuple(y), pole)
            turning = {_like(p): p for k, p in enumerate(poles) if k != limits.values}
            vectors = [v for k, v in enumerate(y) if k != limits.values]
            turned = _pushed(z, list(zip(vectors, turning, strict=True)))
            turned, slope = substitute([turned, _pushed(turned, [(w, direction)])], turning)
            axes = range(len(z.shape))
            moved = D.multiply(_largest(z, axes), D.max(D.absolute(t)))
            number = D.max(D.absolute(w))
            whole = D.maximum(moved, D.multiply(_largest(plain, axes), number))
            same = D.add_n(plain, slope, D.build(IF_ZERO, (turned, whole)))
            return D.add(usual, slope), same, D.divide_no_nan(moved, number)

        body, taken = _twice(op, results, [usual, t, *operands], choice)
        numbers = results[limits.values]
        found: Node = self.B.build(CONFLUENT, (usual, numbers, *taken), (body, limits.what, len(numbers.shape) - 1, 0))
        return found
