"""The table of stable forms: what people write, and an equal form that neither overflows nor cancels.

A form says by which operation its pattern ends, how it is recognised from there, and of which steps its other form is
made. It knows neither tapes nor graphs: a *record* has ``op``, ``params``, ``inputs`` and ``outputs``, a *value*
``node`` and ``ident``, and ``maker`` finds the record that made a value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from symtape.graph.node import CONST, Node

#: Finds the record that made a value, or None.
Maker: TypeAlias = Callable[[Any], Any]
#: ``step(name, inputs, params=())`` applies the op of that name.
Step: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Match:
    """A pattern found.

    Attributes
    ----------
    operands : tuple of values
        What the pattern is a function of.
    inner : tuple of values
        What the pattern computes on the way.
    facts : object
        What else the other form has to know.
    """

    operands: tuple[Any, ...]
    inner: tuple[Any, ...]
    facts: Any = None


@dataclass(frozen=True, slots=True)
class StableForm:
    """One row of the table.

    Attributes
    ----------
    pattern : str
        As people write it.
    last : tuple of str
        Names of the ops that may end it.
    form : str
        What stands in its place.
    match : callable
        ``match(record, maker) -> Match or None``.
    make : callable
        ``make(step, match) -> value``.
    """

    pattern: str
    last: tuple[str, ...]
    form: str
    match: Callable[[Any, Maker], Match | None]
    make: Callable[[Step, Match], Any]


# ------------------------------------------------------------------------------------------------ what patterns look at


def _is_one(node: Node) -> bool:
    return node.op is CONST and node.shape == () and bool(np.asarray(node.value) == 1)


def _same(a: Any, b: Any) -> bool:
    return a.ident == b.ident and a.node is b.node


def _made(value: Any, name: str, maker: Maker) -> Any:
    """The record that made a value, if its op has that name."""
    record = maker(value)
    return record if record is not None and record.op.name == name else None


def _beside_one(record: Any) -> Any:
    """The other input of a sum with 1."""
    a, b = record.inputs
    return b if _is_one(a.node) else a if _is_one(b.node) else None


def _one_plus(value: Any, maker: Maker) -> Any:
    """What 1 is added to."""
    plus = _made(value, "add", maker)
    return None if plus is None else _beside_one(plus)


def _one_minus(value: Any, maker: Maker) -> Any:
    """What is subtracted from 1."""
    minus = _made(value, "subtract", maker)
    return minus.inputs[1] if minus is not None and _is_one(minus.inputs[0].node) else None


def _exponent(value: Any, maker: Maker) -> Any:
    """What the exponential was taken of."""
    made = None if value is None else _made(value, "exp", maker)
    return None if made is None else made.inputs[0]


def _summed(value: Any, maker: Maker) -> tuple[Any, Any, tuple[Any, ...]] | None:
    """The record of a sum, what was summed, and what stood between (a reshape that keeps the axes)."""
    between: tuple[Any, ...] = ()
    total = _made(value, "sum", maker)
    if total is None:
        kept = _made(value, "reshape", maker)
        total = None if kept is None else _made(kept.inputs[0], "sum", maker)
        if total is None:
            return None
        between = (kept.inputs[0],)
    return total, total.inputs[0], between


# --------------------------------------------------------------------------------------------------------- the patterns


def _log_one_plus_exp(record: Any, maker: Maker) -> Match | None:
    (total,) = record.inputs
    power = _one_plus(total, maker)
    x = _exponent(power, maker)
    return None if x is None else Match((x,), (total, power))


def _log1p_exp(record: Any, maker: Maker) -> Match | None:
    (power,) = record.inputs
    x = _exponent(power, maker)
    return None if x is None else Match((x,), (power,))


def _log_one_minus_exp(record: Any, maker: Maker) -> Match | None:
    (rest,) = record.inputs
    power = _one_minus(rest, maker)
    x = _exponent(power, maker)
    return None if x is None else Match((x,), (rest, power))


def _log1p_minus_exp(record: Any, maker: Maker) -> Match | None:
    (negated,) = record.inputs
    made = _made(negated, "negative", maker)
    x = None if made is None else _exponent(made.inputs[0], maker)
    return None if x is None else Match((x,), (negated, made.inputs[0]))


def _log_minus_expm1(record: Any, maker: Maker) -> Match | None:
    (negated,) = record.inputs
    made = _made(negated, "negative", maker)
    power = None if made is None else _made(made.inputs[0], "expm1", maker)
    return None if power is None else Match((power.inputs[0],), (negated, made.inputs[0]))


def _log_sigmoid(record: Any, maker: Maker) -> Match | None:
    """Of ``log(1/(1 + exp(u)))`` the operand u."""
    (quotient,) = record.inputs
    made = maker(quotient)
    found = None if made is None else _one_over_one_plus_exp(made, maker)
    return None if found is None else Match(found.operands, (quotient, *found.inner))


def _log_expit(record: Any, maker: Maker) -> Match | None:
    (inner,) = record.inputs
    made = _made(inner, "expit", maker)
    return None if made is None else Match(made.inputs, (inner,))


def _log_sum_exp(record: Any, maker: Maker) -> Match | None:
    (value,) = record.inputs
    summed = _summed(value, maker)
    x = None if summed is None else _exponent(summed[1], maker)
    if summed is None or x is None:
        return None
    return Match((x,), (value, summed[1], *summed[2]), (summed[0].params[0], record.outputs[0].node.shape))


def _log_softmax(record: Any, maker: Maker) -> Match | None:
    (quotient,) = record.inputs
    made = maker(quotient)
    if made is None:
        return None
    if made.op.name == "softmax":
        return Match(made.inputs, (quotient,), made.params[0])
    found = _exp_over_sum(made, maker) if made.op.name == "divide" else None
    return None if found is None else Match(found.operands, (quotient, *found.inner), found.facts)


def _log_one_plus(record: Any, maker: Maker) -> Match | None:
    (total,) = record.inputs
    x = _one_plus(total, maker)
    return None if x is None or x.node.shape != total.node.shape else Match((x,), (total,))


def _exp_minus_one(record: Any, maker: Maker) -> Match | None:
    power, one = record.inputs
    x = _exponent(power, maker) if _is_one(one.node) else None
    return None if x is None else Match((x,), (power,))


def _one_minus_cos(record: Any, maker: Maker) -> Match | None:
    one, wave = record.inputs
    made = _made(wave, "cos", maker) if _is_one(one.node) else None
    return None if made is None else Match((made.inputs[0],), (wave,))


def _over_exp_minus_one(record: Any, maker: Maker) -> Match | None:
    x, difference = record.inputs
    whole = _made(difference, "expm1", maker)
    if whole is not None:
        return Match((x,), (difference,)) if _same(whole.inputs[0], x) else None
    minus = _made(difference, "subtract", maker)
    found = None if minus is None else _exp_minus_one(minus, maker)
    if found is None or not _same(found.operands[0], x):
        return None
    return Match((x,), (difference, *found.inner))


def _one_over_one_plus_exp(record: Any, maker: Maker) -> Match | None:
    if record.op.name == "reciprocal":
        below = record.inputs[0]
    elif record.op.name == "divide" and _is_one(record.inputs[0].node):
        below = record.inputs[1]
    else:
        return None
    power = _one_plus(below, maker)
    x = _exponent(power, maker)
    return None if x is None else Match((x,), (below, power))


def _exp_over_one_plus_exp(record: Any, maker: Maker) -> Match | None:
    above, below = record.inputs
    power = _one_plus(below, maker)
    x, again = _exponent(power, maker), _exponent(above, maker)
    return None if x is None or again is None or not _same(x, again) else Match((x,), (below, power, above))


def _exp_over_sum(record: Any, maker: Maker) -> Match | None:
    above, below = record.inputs
    summed = _summed(below, maker)
    x = _exponent(above, maker)
    again = None if summed is None else _exponent(summed[1], maker)
    if summed is None or x is None or again is None or not _same(x, again):
        return None
    axes = summed[0].params[0]
    shape = above.node.shape
    kept = tuple(1 if k in axes else n for k, n in enumerate(shape))
    whole = below.node.shape == () and len(axes) == len(shape)
    if not (below.node.shape == kept or whole):
        return None
    return Match((x,), (above, summed[1], below, *summed[2]), axes)


def _root_of_squares(record: Any, maker: Maker) -> Match | None:
    (total,) = record.inputs
    plus = _made(total, "add", maker)
    if plus is None:
        return None
    legs = [_squared(part, maker) for part in plus.inputs]
    return None if None in legs else Match(tuple(legs), (total, *plus.inputs))


def _squared(value: Any, maker: Maker) -> Any:
    """What a value is the square of."""
    made = maker(value)
    if made is None:
        return None
    name = made.op.name
    if name == "multiply" and _same(*made.inputs):
        return made.inputs[0]
    if name == "power":
        exponent = made.inputs[1].node
        two = exponent.op is CONST and exponent.shape == () and bool(np.asarray(exponent.value) == 2)
        return made.inputs[0] if two else None
    return made.inputs[0] if name == "square" else None


# ------------------------------------------------------------------------------------------------------ the other forms


def _one_step(name: str, params: tuple[Any, ...] = ()) -> Callable[[Step, Match], Any]:
    return lambda step, match: step(name, match.operands, params)


def _log_sigmoid_form(step: Step, match: Match) -> Any:
    return step("negative", (step("softplus", match.operands),))


def _log_expit_form(step: Step, match: Match) -> Any:
    return step("log_expit", match.operands)


def _expit_of_negative(step: Step, match: Match) -> Any:
    return step("expit", (step("negative", match.operands),))


def _log_sum_exp_form(step: Step, match: Match) -> Any:
    axes, shape = match.facts
    found = step("logsumexp", match.operands, (axes,))
    return found if found.node.shape == shape else step("reshape", (found,), (shape,))


def _softmax_form(step: Step, match: Match) -> Any:
    return step("softmax", match.operands, (match.facts,))


def _log_softmax_form(step: Step, match: Match) -> Any:
    return step("log_softmax", match.operands, (match.facts,))


#: Every stable form there is; of several that fit, the first is taken.
FORMS: tuple[StableForm, ...] = (
    StableForm("log(1 + exp(x))", ("log",), "softplus(x)", _log_one_plus_exp, _one_step("softplus")),
    StableForm("log1p(exp(x))", ("log1p",), "softplus(x)", _log1p_exp, _one_step("softplus")),
    StableForm("log(1 - exp(x))", ("log",), "log1mexp(x)", _log_one_minus_exp, _one_step("log1mexp")),
    StableForm("log1p(-exp(x))", ("log1p",), "log1mexp(x)", _log1p_minus_exp, _one_step("log1mexp")),
    StableForm("log(-expm1(x))", ("log",), "log1mexp(x)", _log_minus_expm1, _one_step("log1mexp")),
    StableForm("log(1/(1 + exp(-x)))", ("log",), "-softplus(-x)", _log_sigmoid, _log_sigmoid_form),
    StableForm("log(expit(x))", ("log",), "log_expit(x)", _log_expit, _log_expit_form),
    StableForm("log(sum(exp(x)))", ("log",), "logsumexp(x)", _log_sum_exp, _log_sum_exp_form),
    StableForm("log(exp(x)/sum(exp(x)))", ("log",), "log_softmax(x)", _log_softmax, _log_softmax_form),
    StableForm("log(1 + x)", ("log",), "log1p(x)", _log_one_plus, _one_step("log1p")),
    StableForm("exp(x) - 1", ("subtract",), "expm1(x)", _exp_minus_one, _one_step("expm1")),
    StableForm("1 - cos(x)", ("subtract",), "versine(x)", _one_minus_cos, _one_step("versine")),
    StableForm("x/(exp(x) - 1)", ("divide",), "x_over_expm1(x)", _over_exp_minus_one, _one_step("x_over_expm1", (0,))),
    StableForm("1/(1 + exp(-x))", ("divide", "reciprocal"), "expit(x)", _one_over_one_plus_exp, _expit_of_negative),
    StableForm("exp(x)/(1 + exp(x))", ("divide",), "expit(x)", _exp_over_one_plus_exp, _one_step("expit")),
    StableForm("exp(x)/sum(exp(x))", ("divide",), "softmax(x)", _exp_over_sum, _softmax_form),
    StableForm("sqrt(x*x + y*y)", ("sqrt",), "hypot(x, y)", _root_of_squares, _one_step("hypot")),
)


def table() -> str:
    """The forms as a table for the documentation.

    Examples
    --------
    >>> print(table().splitlines()[2])
    | `log(1 + exp(x))` | `softplus(x)` |
    """
    rows = [f"| `{form.pattern}` | `{form.form}` |" for form in FORMS]
    return "\n".join(["| written | differentiated as |", "|---|---|", *rows]) + "\n"
