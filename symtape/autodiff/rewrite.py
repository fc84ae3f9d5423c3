"""Stable forms put in the place of patterns, in the records of a tape and in closed graphs.

The second step of a gradient, between slice and sweep. A rewrite replaces the record that ends a pattern; the values
that the user recorded stay as they are. It is applied only where the pattern's inner tensors are neither sources nor
targets of this call, since a derivative in them would be lost. The table stands in `stable_forms`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, TypeAlias

from symtape.autodiff.pattern_parts import Match
from symtape.autodiff.stable_forms import FORMS, StableForm
from symtape.graph.node import Node, Params, build
from symtape.graph.traverse import topological
from symtape.ops.registry import op_named

#: Makes a value by an op.
Make: TypeAlias = Callable[[Any, tuple[Any, ...], Params], Any]


@dataclass(frozen=True, slots=True)
class StableRecord:
    """A record that stands in the place of one that was recorded."""

    op: Any
    params: Params
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A rewrite that was done.

    Attributes
    ----------
    form : StableForm
    record : record
        The one that was replaced.
    inner : frozenset
        Identities of the tensors that the sweep no longer passes.
    """

    form: StableForm
    record: Any
    inner: frozenset[int]


Ends: TypeAlias = dict[Any, tuple[StableForm, ...]]


@cache
def _telling() -> frozenset[Any]:
    """Ops of which one stands in every pattern."""
    return frozenset(op_named(name) for form in FORMS for name in form.needs)


@lru_cache(maxsize=256)
def _among(telling: frozenset[Any]) -> Ends:
    found: Ends = {}
    for form in FORMS:
        if any(op_named(name) in telling for name in form.needs):
            for name in form.last:
                found[op_named(name)] = (*found.get(op_named(name), ()), form)
    return found


def _ends(ops: set[Any]) -> Ends:
    """Forms whose patterns can stand among such ops, by the op that ends them; none where no end is among them."""
    ends = _among(_telling() & ops)
    return {} if ops.isdisjoint(ends) else ends


def _matched(
    record: Any, forms: Sequence[StableForm], maker: Callable[[Any], Any], usable: Callable[[Match], bool]
) -> tuple[StableForm, Match] | None:
    """The first form that fits a record and may be used, and its match."""
    for form in forms:
        match = form.match(record, maker)
        if match is not None and all(x.node.dtype.kind == "f" for x in match.operands) and usable(match):
            return form, match
    return None


def stable(
    records: Sequence[Any], keep: Collection[int], make: Make, stand_in: Callable[[Any, Any], Any]
) -> tuple[list[Any], list[Rewritten]]:
    """The records with stable forms in the place of patterns.

    Parameters
    ----------
    records : sequence of records
        Of one slice, in the order of recording.
    keep : collection of int
        Identities of sources and targets.
    make : callable
        ``make(op, inputs, params)`` computes a value.
    stand_in : callable
        ``stand_in(recorded, value)``: the value under the identity of what was recorded.

    Returns
    -------
    records : list of records
    done : list of Rewritten
    """
    ends = _ends({r.op for r in records})
    if not ends:
        return list(records), []
    makers = {o.ident: r for r in records for o in r.outputs}
    result: list[Any] = []
    done: list[Rewritten] = []
    for record in records:
        found = None
        if record.op in ends:
            found = _matched(
                record,
                ends[record.op],
                lambda v: makers.get(v.ident),
                lambda m: all(t.ident not in keep for t in m.inner),
            )
        if found is None:
            result.append(record)
            continue
        form, match = found
        steps: list[StableRecord] = []

        def step(name: str, inputs: tuple[Any, ...], params: Params = (), steps: list[StableRecord] = steps) -> Any:
            op = op_named(name)
            value = make(op, inputs, params)
            steps.append(StableRecord(op, params, inputs, (value,)))
            return value

        value = form.make(step, match)
        last = steps.pop()
        result += [*steps, StableRecord(last.op, last.params, last.inputs, (stand_in(record.outputs[0], value),))]
        done.append(Rewritten(form, record, frozenset(t.ident for t in match.inner)))
    return result, done


# -------------------------------------------------------------------------------------------------------- closed graphs


@dataclass(frozen=True, slots=True)
class _Value:
    """A node as a value of a pattern."""

    node: Node
    ident: int = 0


@dataclass(frozen=True, slots=True)
class _Record:
    """A node as the record of itself."""

    op: Any
    params: Params
    inputs: tuple[_Value, ...]
    outputs: tuple[_Value, ...]


def _record_of(node: Node) -> _Record:
    return _Record(node.op, node.params, tuple([_Value(i) for i in node.inputs]), (_Value(node),))


def stable_graph(outputs: Sequence[Node], wrt: Collection[Node]) -> list[Node]:
    """The outputs of a closed graph with stable forms in the place of patterns, for derivatives in some of its nodes.

    Examples
    --------
    >>> from symtape.graph.node import symbol
    >>> from symtape.ops.namespace import NODES as B
    >>> x = symbol("x")
    >>> stable_graph([B.log(B.add(1, B.exp(x)))], [x])
    [<softplus float64[]>]
    """
    order = topological(outputs)
    ends = _ends({n.op for n in order})
    if not ends:
        return list(outputs)
    keep = set(wrt)
    new: dict[Node, Node] = {}

    def maker(value: _Value) -> _Record | None:
        return _record_of(value.node) if value.node.inputs else None

    def step(name: str, inputs: tuple[_Value, ...], params: Params = ()) -> _Value:
        return _Value(build(op_named(name), tuple([new.get(x.node, x.node) for x in inputs]), params))

    for node in order:
        if not node.inputs or node in keep:
            new[node] = node
            continue
        if node.op in ends:
            found = _matched(_record_of(node), ends[node.op], maker, lambda m: all(t.node not in keep for t in m.inner))
            if found is not None:
                made = found[0].make(step, found[1]).node
                new[node] = made if made.dtype == node.dtype and made.shape == node.shape else node
                continue
        inputs = tuple([new[i] for i in node.inputs])
        new[node] = node if inputs == node.inputs else build(node.op, inputs, node.params)
    return [new[o] for o in outputs]
