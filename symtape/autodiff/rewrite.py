"""Stable forms: pairs of a pattern that people write and an equal form whose derivative neither overflows nor cancels.

The second step of a gradient, between slice and sweep. A rewrite replaces the record that ends a pattern; the values
that the user recorded stay as they are. It is applied only where the pattern's inner tensors are neither sources nor
targets of this call, since a derivative in them would be lost.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from symtape.graph.node import CONST, Node, Params
from symtape.ops.registry import op_named

#: Makes a value by an op; of a record with a value as its result; finds the record that made a value.
Make: TypeAlias = Callable[[Any, tuple[Any, ...], Params], Any]
Maker: TypeAlias = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class StableRecord:
    """A record that stands in the place of one that was recorded."""

    op: Any
    params: Params
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A pattern found.

    Attributes
    ----------
    operand : value
        What the pattern is a function of.
    inner : tuple of values
        What the pattern computes on the way.
    """

    operand: Any
    inner: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class StableForm:
    """One row of the table.

    Attributes
    ----------
    pattern : str
        As people write it.
    last : str
        Name of the op that ends it.
    op : str
        Name of the op of one argument that computes the same.
    params : tuple
    match : callable
        ``match(record, maker) -> Match or None``.
    """

    pattern: str
    last: str
    op: str
    params: Params
    match: Callable[[Any, Maker], Match | None]


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


def _is_one(node: Node) -> bool:
    return node.op is CONST and node.shape == () and bool(np.asarray(node.value) == 1)


def _made(value: Any, name: str, maker: Maker) -> Any:
    """The record that made a value, if its op has that name."""
    record = maker(value)
    return record if record is not None and record.op.name == name else None


def _log_of_one_plus_exp(record: Any, maker: Maker) -> Match | None:
    (total,) = record.inputs
    plus = _made(total, "add", maker)
    if plus is None:
        return None
    a, b = plus.inputs
    power = b if _is_one(a.node) else a if _is_one(b.node) else None
    made = None if power is None else _made(power, "exp", maker)
    return None if made is None else Match(made.inputs[0], (total, power))


def _over_exp_minus_one(record: Any, maker: Maker) -> Match | None:
    x, difference = record.inputs
    minus = _made(difference, "subtract", maker)
    if minus is None or not _is_one(minus.inputs[1].node):
        return None
    power = minus.inputs[0]
    made = _made(power, "exp", maker)
    if made is None or made.inputs[0].ident != x.ident or made.inputs[0].node is not x.node:
        return None
    return Match(x, (difference, power))


#: Every stable form there is.
FORMS: tuple[StableForm, ...] = (
    StableForm("log(1 + exp(x))", "log", "softplus", (), _log_of_one_plus_exp),
    StableForm("x/(exp(x) - 1)", "divide", "x_over_expm1", (0,), _over_exp_minus_one),
)


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
    ends = {op_named(form.last): form for form in FORMS}
    candidates = [k for k, r in enumerate(records) if r.op in ends]
    if not candidates:
        return list(records), []
    makers = {o.ident: r for r in records for o in r.outputs}
    result = list(records)
    done: list[Rewritten] = []
    for k in candidates:
        record = records[k]
        form = ends[record.op]
        match = form.match(record, lambda value: makers.get(value.ident))
        if match is None or match.operand.node.dtype.kind != "f":
            continue
        inner = frozenset(t.ident for t in match.inner)
        if not inner.isdisjoint(keep):
            continue
        op = op_named(form.op)
        out = stand_in(record.outputs[0], make(op, (match.operand,), form.params))
        result[k] = StableRecord(op, form.params, (match.operand,), (out,))
        done.append(Rewritten(form, record, inner))
    return result, done
