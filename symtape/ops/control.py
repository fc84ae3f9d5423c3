"""Ops with bodies: `cond` and `custom_gradient`; and `tie`, which connects a recorded derivative with its target.

A body is a closed `Graph` among the params; what it takes from outside comes as inputs. Derivatives and batches of
bodies are bodies again: rules ask the namespace for them (``B.vjp_of``, ``B.jvp_of``, ``B.batch_of``) and build with
``B.inline`` what needs no op around it. So every rule here is closed under differentiation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symtape.errors import DTypeError, ShapeError
from symtape.graph.closed import Graph, interned
from symtape.graph.node import ITEM, PLACEHOLDER, Array, Node
from symtape.graph.traverse import topological
from symtape.ops import params as param
from symtape.ops.element import Index, Read, Scalar
from symtape.ops.namespace import NODES
from symtape.ops.op import SEVERAL, ZERO, Kind, Op
from symtape.ops.registry import function, structural


def _check_operands(name: str, graph: Graph, operands: Sequence[Node]) -> None:
    if len(graph.inputs) != len(operands):
        raise TypeError(f"{name}: the body takes {len(graph.inputs)} operands, got {len(operands)}")
    for k, (place, given) in enumerate(zip(graph.inputs, operands, strict=True)):
        if place.shape != given.shape or place.dtype != given.dtype:
            raise ShapeError(
                f"{name}: operand {k} has shape {given.shape} and dtype {given.dtype}, "
                f"the body was recorded for shape {place.shape} and dtype {place.dtype}"
            )


def _results(graph: Graph) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    return tuple(o.shape for o in graph.outputs), tuple(o.dtype for o in graph.outputs)


@function()
def inline(B: Any, graph: Graph, operands: Sequence[Any]) -> tuple[Any, ...]:
    """The results of a body as ordinary operations on the operands."""
    if len(operands) != len(graph.inputs):
        raise TypeError(f"the body takes {len(graph.inputs)} operands, got {len(operands)}")
    known: dict[Node, Any] = dict(zip(graph.inputs, operands, strict=True))
    for node in topological(graph.outputs):
        if node in known:
            continue
        if node.flags & PLACEHOLDER:
            inputs = tuple(known[i] for i in node.inputs)
            known[node] = inputs[0][node.params[0]] if node.op is ITEM else B.build(node.op, inputs, node.params)
        elif node.op.results == 1:
            known[node] = B.lift(node)
    return tuple(known[o] for o in graph.outputs)


# ---------------------------------------------------------------------------------------------------------------- cond


def _cond_value(pred: Any, *rest: Any) -> tuple[Any, ...]:
    *operands, yes, no = rest
    body: Graph = yes if pred else no
    return body.run(operands)


def _cond_infer(inputs: tuple[Node, ...], yes: Graph, no: Graph) -> tuple[Any, Any]:
    pred, *operands = inputs
    if pred.shape != () or pred.dtype.kind != "b":
        raise DTypeError(
            f"cond: the predicate has shape {pred.shape} and dtype {pred.dtype}, wanted one truth value; "
            "for a choice element by element write np.where(mask, a, b)"
        )
    for graph in (yes, no):
        _check_operands("cond", graph, operands)
    if _results(yes) != _results(no):
        raise ShapeError(
            f"cond: the branches give different results, {yes!r} and {no!r}; wanted equal numbers, shapes and dtypes"
        )
    return _results(yes)


def _cond_pull(B: Any, needed: Sequence[bool], gs: tuple[Any, ...], ys: Any, *rest: Any) -> list[Any]:
    """One cond over the branches' vjps, for all operands that need one at once."""
    pred, *operands, yes, no = rest
    given = tuple(k for k, g in enumerate(gs) if g is not None)
    wrt = tuple(k for k, n in enumerate(needed[1:]) if n)
    flows = [B.vjp_of(graph, wrt, given)[1] for graph in (yes, no)]
    wrt = tuple(k for k, a, b in zip(wrt, *flows, strict=True) if a or b)
    pulled: list[Any] = [None] * (1 + len(operands))
    if wrt:
        branches = tuple(B.vjp_of(graph, wrt, given)[0] for graph in (yes, no))
        found = B.build(COND, (pred, *operands, *[gs[k] for k in given]), branches)
        for k, value in zip(wrt, found, strict=True):
            pulled[1 + k] = value
    return pulled


def _cond_push(B: Any, tangents: Sequence[Any], ys: Any, *rest: Any) -> list[Any]:
    """One cond over the branches' jvps, for all operands that move at once."""
    pred, *operands, yes, no = rest
    moving = tuple(k for k, t in enumerate(tangents[1:]) if t is not None)
    pairs = [B.jvp_of(graph, moving) for graph in (yes, no)]
    found = B.build(COND, (pred, *operands, *[tangents[1 + k] for k in moving]), tuple(graph for graph, _ in pairs))
    return [t if a or b else None for t, a, b in zip(found, pairs[0][1], pairs[1][1], strict=True)]


def _cond_batch(B: Any, inputs: Sequence[Any], batched: Sequence[bool], yes: Graph, no: Graph) -> Any:
    """A batched predicate chooses among the results of both branches, which are then both computed."""
    pred, *operands = inputs
    flags = tuple(batched[1:])
    n = next(B.shape(x)[0] for x, b in zip(inputs, batched, strict=True) if b)
    if any(flags):
        yes, no = B.batch_of(yes, flags, n), B.batch_of(no, flags, n)
    if not batched[0]:
        return B.build(COND, tuple(inputs), (yes, no))
    chosen = []
    for a, b in zip(B.inline(yes, operands), B.inline(no, operands), strict=True):
        own = B.ndim(a) - any(flags)
        chosen.append(B.where(B.reshape(pred, (n, *[1] * own)), a, b))
    return tuple(chosen)


COND: Op = structural(
    "cond",
    Kind.CONTROL,
    _cond_value,
    _cond_infer,
    vjp_together=_cond_pull,
    jvp_together=_cond_push,
    batch=_cond_batch,
    results=SEVERAL,
    params=(param.graph, param.graph),
)


@function()
def cond(B: Any, pred: Any, yes: Graph, no: Graph, operands: Sequence[Any] = ()) -> tuple[Any, ...]:
    """The results of one of two bodies over the same operands; only the chosen one is computed.

    Results whose dtypes differ between the branches are converted to the common one.
    """
    pred = B.lift(pred)
    if B.dtype(pred).kind != "b":
        pred = B.not_equal(pred, 0)
    if len(yes.outputs) == len(no.outputs):
        common = [np.result_type(a.dtype, b.dtype) for a, b in zip(yes.outputs, no.outputs, strict=True)]
        yes, no = (
            interned(
                graph.inputs,
                tuple(o if o.dtype == d else NODES.astype(o, d) for o, d in zip(graph.outputs, common, strict=True)),
            )
            for graph in (yes, no)
        )
    return B.build(COND, (pred, *[B.lift(x) for x in operands]), (yes, no))  # type: ignore[no-any-return]


# ----------------------------------------------------------------------------------------------------- custom gradient


def _custom_value(*rest: Any) -> tuple[Any, ...]:
    *operands, primal, _, _ = rest
    result: tuple[Any, ...] = primal.run(operands)
    return result


def _custom_infer(inputs: tuple[Node, ...], primal: Graph, gradient: Graph, flows: tuple[bool, ...]) -> tuple[Any, Any]:
    _check_operands("custom_gradient", primal, inputs)
    _check_operands("custom_gradient", gradient, (*inputs, *primal.outputs))
    own = [x for x, f in zip(inputs, flows, strict=True) if f]
    if [g.shape for g in gradient.outputs] != [x.shape for x in own]:
        raise ShapeError(
            f"custom_gradient: the gradients have shapes {[g.shape for g in gradient.outputs]}, "
            f"wanted those of the arguments: {[x.shape for x in own]}"
        )
    return _results(primal)


def _custom_pull(B: Any, i: int, gs: tuple[Any, ...], ys: tuple[Any, ...], *rest: Any) -> Any:
    *operands, _, gradient, flows = rest
    if not flows[i]:
        return None
    cotangents = [B.zeros(B.shape(y), B.dtype(y)) if g is None else g for g, y in zip(gs, ys, strict=True)]
    place = sum(flows[:i])
    return B.inline(interned(gradient.inputs, gradient.outputs[place : place + 1]), (*operands, *cotangents))[0]


def _custom_push(B: Any, i: int, t: Any, ys: tuple[Any, ...], *rest: Any) -> tuple[Any, ...]:
    """What the user gave is linear in the cotangents; its transpose in them maps tangents."""
    *operands, _, gradient, flows = rest
    if not flows[i]:
        return (None,) * len(ys)
    wrt = tuple(range(len(operands), len(gradient.inputs)))
    transposed, connected = B.vjp_of(gradient, wrt, (sum(flows[:i]),))
    zeros = [B.zeros(B.shape(y), B.dtype(y)) for y in ys]
    found = B.inline(transposed, (*operands, *zeros, t))
    return tuple(value if c else None for value, c in zip(found, connected, strict=True))


def _custom_batch(
    B: Any, inputs: Sequence[Any], batched: Sequence[bool], primal: Graph, gradient: Graph, flows: tuple[bool, ...]
) -> Any:
    """With every operand batched: a shared one is repeated, and the repetition's own rule adds its gradients up."""
    n = next(B.shape(x)[0] for x, b in zip(inputs, batched, strict=True) if b)
    inputs = [x if b else B.broadcast_to(x, (n, *B.shape(x))) for x, b in zip(inputs, batched, strict=True)]
    params = (
        B.batch_of(primal, (True,) * len(primal.inputs), n),
        B.batch_of(gradient, (True,) * len(gradient.inputs), n),
        flows,
    )
    return B.build(CUSTOM_GRADIENT, tuple(inputs), params)


CUSTOM_GRADIENT: Op = structural(
    "custom_gradient",
    Kind.CONTROL,
    _custom_value,
    _custom_infer,
    vjp=_custom_pull,
    jvp=_custom_push,
    batch=_custom_batch,
    results=SEVERAL,
    params=(param.graph, param.graph, param.flags),
)


@function()
def custom_gradient(
    B: Any, primal: Graph, gradient: Graph, operands: Sequence[Any], flows: Sequence[bool] | None = None
) -> tuple[Any, ...]:
    """The results of a body whose gradient the user gave.

    ``gradient`` takes the operands and one cotangent per result, and gives one gradient per operand for which ``flows``
    is True (all, unless given), linear in the cotangents; into the others no gradient flows.
    """
    flags = (True,) * len(operands) if flows is None else tuple(map(bool, flows))
    return B.build(CUSTOM_GRADIENT, tuple(B.lift(x) for x in operands), (primal, gradient, flags))  # type: ignore[no-any-return]


# ----------------------------------------------------------------------------------------------------------------- tie


def _tie_infer(inputs: tuple[Node, Node]) -> tuple[Any, Any]:
    return inputs[0].shape, inputs[0].dtype


def _tie_value(g: Array, target: Array) -> Array:
    return g


def _tie_element(at: tuple[Index, ...], inputs: Sequence[Node]) -> Scalar:
    return Read(0, at)


def _tie_batch(B: Any, inputs: Sequence[Any], batched: Sequence[bool]) -> Any:
    g, target = inputs
    return B.build(TIE, (g if batched[0] else B.broadcast_to(g, (B.shape(target)[0], *B.shape(g))), target))


#: A derivative and the target that it was taken of: it counts as connected to all that its target depends on.
TIE: Op = structural(
    "tie",
    Kind.LAYOUT,
    _tie_value,
    _tie_infer,
    vjp=(lambda B, g, y, *inputs: g, lambda B, g, y, *inputs: ZERO),
    jvp=(lambda B, t, y, *inputs: t, None),
    batch=_tie_batch,
    element=_tie_element,
    masks=True,
)


@function()
def tie(B: Any, g: Any, target: Any) -> Any:
    """``g``, connected to everything that ``target`` depends on."""
    return B.build(TIE, (B.lift(g), B.lift(target)))
