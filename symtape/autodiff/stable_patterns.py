"""How what people write is recognised, from the operation that ends it: the patterns of the stable forms.

A pattern is a function ``pattern(record, maker)`` that gives a `Match` or None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from symtape.autodiff.pattern_parts import (
    Maker,
    Match,
    alike,
    beside,
    exponent,
    is_number,
    made_by,
    one_minus,
    one_plus,
    operand_of,
    summed,
    terms_of,
)

# ------------------------------------------------------------------------------------------------------ logarithms of 1


def log_one_plus_exp(record: Any, maker: Maker) -> Match | None:
    """Of ``log(1 + exp(x))``."""
    (total,) = record.inputs
    power = one_plus(total, maker)
    x = exponent(power, maker)
    return None if x is None else Match((x,), (total, power))


def log1p_exp(record: Any, maker: Maker) -> Match | None:
    """Of ``log1p(exp(x))``."""
    (power,) = record.inputs
    x = exponent(power, maker)
    return None if x is None else Match((x,), (power,))


def softplus_by_parts(record: Any, maker: Maker) -> Match | None:
    """Of ``maximum(x, 0) + log1p(exp(-abs(x)))``, whose parts have kinks at 0 and the whole has none."""
    for part, rest in (record.inputs, reversed(record.inputs)):
        made = maker(part)
        x = None
        if made is not None and made.op.name == "relu":
            x = made.inputs[0]
        elif made is not None and made.op.name == "maximum":
            x = beside(made, 0)
        log = None if x is None else maker(rest)
        if log is None or log.op.name not in ("log1p", "log"):
            continue
        found = (log1p_exp if log.op.name == "log1p" else log_one_plus_exp)(log, maker)
        size = None if found is None else operand_of(found.operands[0], "negative", maker)
        again = None if size is None else operand_of(size, "absolute", maker)
        behind = None if again is None else alike(x, again, maker)
        if found is not None and behind is not None:
            return Match((x,), (part, rest, *found.inner, found.operands[0], size, *behind))
    return None


def log_one_minus_exp(record: Any, maker: Maker) -> Match | None:
    """Of ``log(1 - exp(x))``."""
    (rest,) = record.inputs
    power = one_minus(rest, maker)
    x = exponent(power, maker)
    return None if x is None else Match((x,), (rest, power))


def log1p_minus_exp(record: Any, maker: Maker) -> Match | None:
    """Of ``log1p(-exp(x))``."""
    (negated,) = record.inputs
    power = operand_of(negated, "negative", maker)
    x = exponent(power, maker)
    return None if x is None else Match((x,), (negated, power))


def log_minus_expm1(record: Any, maker: Maker) -> Match | None:
    """Of ``log(-expm1(x))``."""
    (negated,) = record.inputs
    whole = operand_of(negated, "negative", maker)
    x = operand_of(whole, "expm1", maker)
    return None if x is None else Match((x,), (negated, whole))


def log_one_plus(record: Any, maker: Maker) -> Match | None:
    """Of ``log(1 + x)``."""
    (total,) = record.inputs
    x = one_plus(total, maker)
    return None if x is None or x.node.shape != total.node.shape else Match((x,), (total,))


def log_one_minus(record: Any, maker: Maker) -> Match | None:
    """Of ``log(1 - x)``."""
    (rest,) = record.inputs
    x = one_minus(rest, maker)
    return None if x is None or x.node.shape != rest.node.shape else Match((x,), (rest,))


# ------------------------------------------------------------------------------------------------------------- sigmoids


class Sigmoid(NamedTuple):
    """``1/(1 + exp(-factor*x))`` and what it computes on the way."""

    x: Any
    factor: int
    inner: tuple[Any, ...]


def _by_reciprocal(record: Any, maker: Maker) -> Sigmoid | None:
    """``1/(1 + exp(x))``, however the reciprocal is written."""
    name = record.op.name
    below = None
    if name == "reciprocal" or (name == "power" and is_number(record.inputs[1].node, -1)):
        below = record.inputs[0]
    elif name == "divide" and is_number(record.inputs[0].node, 1):
        below = record.inputs[1]
    power = None if below is None else one_plus(below, maker)
    x = exponent(power, maker)
    return None if x is None else Sigmoid(x, -1, (below, power))


def _by_quotient(record: Any, maker: Maker) -> Sigmoid | None:
    """``exp(x)/(1 + exp(x))``."""
    if record.op.name != "divide":
        return None
    above, below = record.inputs
    power = one_plus(below, maker)
    x, again = exponent(power, maker), exponent(above, maker)
    behind = None if x is None or again is None else alike(x, again, maker)
    return None if behind is None else Sigmoid(x, 1, (below, power, above, *behind))


def _by_tanh(record: Any, maker: Maker) -> Sigmoid | None:
    """``(1 + tanh(x))/2``."""
    halved = None
    if record.op.name == "multiply":
        halved = beside(record, 0.5)
    elif record.op.name == "divide" and is_number(record.inputs[1].node, 2):
        halved = record.inputs[0]
    wave = None if halved is None else one_plus(halved, maker)
    x = operand_of(wave, "tanh", maker)
    return None if x is None else Sigmoid(x, 2, (halved, wave))


def _one_less(record: Any, maker: Maker) -> Sigmoid | None:
    """``1 - p`` of a sigmoid p."""
    if record.op.name != "subtract" or not is_number(record.inputs[0].node, 1):
        return None
    rest = record.inputs[1]
    found = _sigmoid(rest, maker)
    return None if found is None else Sigmoid(found.x, -found.factor, (rest, *found.inner))


def _sigmoid(value: Any, maker: Maker) -> Sigmoid | None:
    """What a value is as one of the ways of writing a sigmoid, or as the function itself."""
    record = maker(value)
    if record is None:
        return None
    if record.op.name == "expit":
        return Sigmoid(record.inputs[0], 1, ())
    for way in (_by_reciprocal, _by_quotient, _by_tanh, _one_less):
        found = way(record, maker)
        if found is not None:
            return found
    return None


def _written(way: Callable[[Any, Maker], Sigmoid | None]) -> Callable[[Any, Maker], Match | None]:
    """The pattern of one way, with the factor of x as fact."""

    def pattern(record: Any, maker: Maker) -> Match | None:
        found = way(record, maker)
        return None if found is None else Match((found.x,), found.inner, found.factor)

    return pattern


sigmoid_by_reciprocal = _written(_by_reciprocal)
sigmoid_by_quotient = _written(_by_quotient)
sigmoid_by_tanh = _written(_by_tanh)
one_less_sigmoid = _written(_one_less)


def log_sigmoid(record: Any, maker: Maker) -> Match | None:
    """Of the logarithm of a sigmoid, with the factor of x as fact."""
    (value,) = record.inputs
    found = _sigmoid(value, maker)
    return None if found is None else Match((found.x,), (value, *found.inner), found.factor)


def log1p_minus_sigmoid(record: Any, maker: Maker) -> Match | None:
    """Of ``log1p(-p)`` with a sigmoid p, or ``log1p(-1/(1 + exp(x)))``: that of the other side."""
    (negated,) = record.inputs
    quotient = made_by(negated, "divide", maker)
    if quotient is not None and is_number(quotient.inputs[0].node, -1):
        below = quotient.inputs[1]
        power = one_plus(below, maker)
        x = exponent(power, maker)
        return None if x is None else Match((x,), (negated, below, power), 1)
    value = operand_of(negated, "negative", maker)
    found = None if value is None else _sigmoid(value, maker)
    return None if found is None else Match((found.x,), (negated, value, *found.inner), -found.factor)


# ---------------------------------------------------------------------------------------------- sums of exponentials


def log_sum_exp(record: Any, maker: Maker) -> Match | None:
    """Of ``log(sum(exp(x)))``, with axes and shape as facts."""
    (value,) = record.inputs
    found = summed(value, maker)
    x = None if found is None else exponent(found[1], maker)
    if found is None or x is None:
        return None
    return Match((x,), (value, found[1], *found[2]), (found[0].params[0], record.outputs[0].node.shape))


def log_of_exps(record: Any, maker: Maker) -> Match | None:
    """Of ``log(exp(x) + exp(y) + ...)``."""
    (value,) = record.inputs
    terms, sums = terms_of(value, maker)
    exponents = [exponent(term, maker) for term in terms]
    return None if len(terms) < 2 or None in exponents else Match(tuple(exponents), (*sums, *terms))


def exp_over_sum(record: Any, maker: Maker) -> Match | None:
    """Of ``exp(x)/sum(exp(x))``, with the axes as fact."""
    above, below = record.inputs
    found = summed(below, maker)
    x = exponent(above, maker)
    again = None if found is None else exponent(found[1], maker)
    behind = None if x is None or again is None else alike(x, again, maker)
    if found is None or behind is None:
        return None
    axes = found[0].params[0]
    shape = above.node.shape
    kept = tuple(1 if k in axes else n for k, n in enumerate(shape))
    whole = below.node.shape == () and len(axes) == len(shape)
    if not (below.node.shape == kept or whole):
        return None
    return Match((x,), (above, found[1], below, *found[2], *behind), axes)


def log_softmax(record: Any, maker: Maker) -> Match | None:
    """Of the logarithm of a softmax, with the axes as fact."""
    (quotient,) = record.inputs
    made = maker(quotient)
    if made is None:
        return None
    if made.op.name == "softmax":
        return Match(made.inputs, (quotient,), made.params[0])
    found = exp_over_sum(made, maker) if made.op.name == "divide" else None
    return None if found is None else Match(found.operands, (quotient, *found.inner), found.facts)


# ------------------------------------------------------------------------------------------------------- differences


def exp_minus_one(record: Any, maker: Maker) -> Match | None:
    """Of ``exp(x) - 1``, also as ``-1 + exp(x)``."""
    if record.op.name == "add":
        power = beside(record, -1)
    else:
        power = record.inputs[0] if is_number(record.inputs[1].node, 1) else None
    x = exponent(power, maker)
    return None if x is None else Match((x,), (power,))


def one_minus_exp(record: Any, maker: Maker) -> Match | None:
    """Of ``1 - exp(x)``."""
    one, power = record.inputs
    x = exponent(power, maker) if is_number(one.node, 1) else None
    return None if x is None else Match((x,), (power,))


def one_minus_cos(record: Any, maker: Maker) -> Match | None:
    """Of ``1 - cos(x)``."""
    one, wave = record.inputs
    x = operand_of(wave, "cos", maker) if is_number(one.node, 1) else None
    return None if x is None else Match((x,), (wave,))


def cos_minus_one(record: Any, maker: Maker) -> Match | None:
    """Of ``cos(x) - 1``."""
    wave, one = record.inputs
    x = operand_of(wave, "cos", maker) if is_number(one.node, 1) else None
    return None if x is None else Match((x,), (wave,))


def over_exp_minus_one(record: Any, maker: Maker) -> Match | None:
    """Of ``x/(exp(x) - 1)``."""
    x, difference = record.inputs
    made = maker(difference)
    if made is None:
        return None
    if made.op.name == "expm1":
        again, inner = made.inputs[0], ()
    else:
        found = exp_minus_one(made, maker) if made.op.name in ("subtract", "add") else None
        if found is None:
            return None
        again, inner = found.operands[0], found.inner
    behind = alike(x, again, maker)
    return None if behind is None else Match((x,), (difference, *inner, *behind))


def over_one_minus_exp(record: Any, maker: Maker) -> Match | None:
    """Of ``x/(1 - exp(-x))``; the operand is -x."""
    x, difference = record.inputs
    power = one_minus(difference, maker)
    turned = exponent(power, maker)
    if turned is None:
        power = operand_of(difference, "negative", maker)
        turned = operand_of(power, "expm1", maker)
    again = None if turned is None else operand_of(turned, "negative", maker)
    behind = None if again is None else alike(again, x, maker)
    return None if behind is None else Match((turned,), (difference, power, *behind))


def root_of_squares(record: Any, maker: Maker) -> Match | None:
    """Of ``sqrt(x*x + y*y)``, also with more legs, or as a power."""
    if record.op.name == "power" and not is_number(record.inputs[1].node, 0.5):
        return None
    total = record.inputs[0]
    terms, sums = terms_of(total, maker)
    found = [_squared(term, maker) for term in terms]
    if len(terms) < 2 or None in found:
        return None
    legs = tuple(leg for leg, _ in found if leg is not None)
    behind = tuple(value for _, more in found for value in more)
    return Match(legs, (*sums, *terms, *behind))


def _squared(value: Any, maker: Maker) -> Any:
    """What a value is the square of, and what was typed twice for that; None if it is no square."""
    made = maker(value)
    if made is None:
        return None
    name = made.op.name
    if name == "multiply":
        behind = alike(made.inputs[0], made.inputs[1], maker)
        return None if behind is None else (made.inputs[0], behind)
    if name == "square" or (name == "power" and is_number(made.inputs[1].node, 2)):
        return made.inputs[0], ()
    return None
