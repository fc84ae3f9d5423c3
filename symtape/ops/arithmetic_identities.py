"""Identities of arithmetic and of choices. What they may and may not do is said in `simplify`."""

from __future__ import annotations

from typing import Any

import numpy as np

from symtape.graph.node import CONST
from symtape.ops.index_identities import merge_boxes
from symtape.ops.registry import op_named
from symtape.ops.simplify import (
    Number,
    as_result,
    constant_like,
    exact_product,
    exact_quotient,
    exact_sum,
    identity,
    made,
    number_of,
    scalar_of,
    scaled,
)

_ADD, _MULTIPLY, _DIVIDE, _SUBTRACT, _NEGATIVE = map(op_named, ("add", "multiply", "divide", "subtract", "negative"))
_ADD_N, _BROADCAST = op_named("add_n"), op_named("broadcast_to")

# What an input must be for any identity of the op to be worth a closer look: most inputs are none of these.
_OF_PRODUCTS = frozenset({CONST, _NEGATIVE, _BROADCAST})
_OF_SUMS = frozenset({CONST, _NEGATIVE, _BROADCAST, _MULTIPLY})
_OF_LONG_SUMS = frozenset({CONST, _NEGATIVE, _BROADCAST, _MULTIPLY, _ADD, _ADD_N, op_named("embed")})
_OF_NEGATIVES = frozenset({CONST, _NEGATIVE, _BROADCAST, _MULTIPLY, _DIVIDE, _SUBTRACT})

_FLATTENED_TERMS = 16  # of a sum of sums: more would cost a sum that grows step by step the square of its length


def _folded(B: Any, name: str, a: Any, b: Any, number: Number | None) -> Any:
    """Two constants combined, in the shape of the result."""
    if number is None:
        return None
    constant = constant_like(B, number, (a, b))
    return None if constant is None else as_result(B, op_named(name), (a, b), constant)


def _unbroadcast(B: Any, name: str, a: Any, b: Any) -> Any:
    """The op on what was broadcast, where its own broadcasting does the same."""
    for k, (x, other) in enumerate(((a, b), (b, a))):
        how = made(B, x, "broadcast_to")
        if how is not None and len(B.shape(how[0])) <= len(B.shape(other)) and _covers(B.shape(other), B.shape(x)):
            return getattr(B, name)(how[0], other) if k == 0 else getattr(B, name)(other, how[0])
    return None


def _covers(shape: Any, other: Any) -> bool:
    """Whether an operand of the first shape alone gives the result the shape that both would."""
    lead = len(shape) - len(other)
    return lead >= 0 and all(d == 1 or d == shape[lead + k] for k, d in enumerate(other))


# ---------------------------------------------------------------------------------------------- products and quotients


@identity("multiply")
def multiply(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """``1*x``, ``-1*x``, ``2*(3*x)``, ``2*(0.5/x)``, ``(-x)*y``."""
    a, b = inputs
    if B.node(a).op not in _OF_PRODUCTS and B.node(b).op not in _OF_PRODUCTS:
        return None
    p, q = scalar_of(B, a), scalar_of(B, b)
    if p is not None and q is not None:
        return _folded(B, "multiply", a, b, exact_product(p, q))
    for x, other in ((a, b), (b, a)):
        one = number_of(B, x)
        if one is not None and type(one) is not bool and one in (1, -1):
            return as_result(B, op_named("multiply"), inputs, other if one == 1 else B.negative(other))
    for constant, factor, x in ((a, p, b), (b, q, a)):
        if factor is not None and factor != 0:
            found = _scaled_again(B, constant, factor, x)
            if found is not None:
                return as_result(B, op_named("multiply"), inputs, found)
    for x, other, first in ((a, b, True), (b, a, False)):
        inner = made(B, x, "negative")
        if inner is not None and number_of(B, other) is None:
            return B.negative(B.multiply(inner[0], other) if first else B.multiply(other, inner[0]))
    return _unbroadcast(B, "multiply", a, b)


def _scaled_again(B: Any, constant: Any, factor: Number, x: Any) -> Any:
    """A literal times what is a literal times, or over, something."""
    inner = made(B, x, "negative")
    if inner is not None:
        negated = constant_like(B, -factor, (constant,))
        return None if negated is None else B.multiply(negated, inner[0])
    for name in ("multiply", "divide"):
        parts = made(B, x, name)
        if parts is None:
            continue
        for k in (0, 1) if name == "multiply" else (0,):
            other = scalar_of(B, parts[k])
            product = None if other is None or other == 0 else exact_product(factor, other)
            together = None if product is None or product == 0 else constant_like(B, product, (constant, parts[k]))
            if together is not None:
                return getattr(B, name)(together, parts[1 - k])
    return None


@identity("divide")
def divide(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """``x/1``, ``x/-1``, ``(2*x)/2``, ``2/(4*x)``, ``(-x)/y``, ``x/(-y)``; constants where the quotient is exact."""
    a, b = inputs
    if B.node(a).op not in _OF_PRODUCTS and B.node(b).op not in _OF_PRODUCTS:
        return None
    p, q = scalar_of(B, a), scalar_of(B, b)
    if p is not None and q is not None:
        return _folded(B, "divide", a, b, exact_quotient(p, q))
    one = number_of(B, b)
    if one is not None and type(one) is not bool and one in (1, -1):
        return as_result(B, op_named("divide"), inputs, a if one == 1 else B.negative(a))
    found = None
    if q is not None:
        found = _divided_again(B, a, b, q)
    elif p is not None and p != 0:
        found = _over_scaled(B, a, p, b)
    if found is not None:
        return as_result(B, op_named("divide"), inputs, found)
    inner = made(B, a, "negative")
    if inner is not None:
        return B.negative(B.divide(inner[0], b))
    inner = made(B, b, "negative")
    if inner is not None and p is None:
        return B.negative(B.divide(a, inner[0]))
    return _unbroadcast(B, "divide", a, b)


def _divided_again(B: Any, a: Any, b: Any, q: Number) -> Any:
    """``(c*x)/q`` and ``(c/x)/q`` where ``c/q`` is exact."""
    for name in ("multiply", "divide"):
        parts = made(B, a, name)
        if parts is None:
            continue
        for k in (0, 1) if name == "multiply" else (0,):
            other = scalar_of(B, parts[k])
            ratio = None if other is None or other == 0 else exact_quotient(other, q)
            together = None if ratio is None or ratio == 0 else constant_like(B, ratio, (parts[k], b))
            if together is not None:
                return getattr(B, name)(together, parts[1 - k])
    return None


def _over_scaled(B: Any, a: Any, p: Number, b: Any) -> Any:
    """``p/(c*x)`` where ``p/c`` is exact."""
    parts = made(B, b, "multiply")
    for k in (0, 1) if parts is not None else ():
        assert parts is not None
        other = scalar_of(B, parts[k])
        ratio = None if other is None or other == 0 else exact_quotient(p, other)
        together = None if ratio is None or ratio == 0 else constant_like(B, ratio, (a, parts[k]))
        if together is not None:
            return B.divide(together, parts[1 - k])
    return None


@identity("negative")
def negative(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """``-(-x)``, ``-(x - y)``, ``-(2*x)``, ``-(2/x)``, the negative of a constant."""
    (x,) = inputs
    if B.node(x).op not in _OF_NEGATIVES:
        return None
    number = scalar_of(B, x)
    if number is not None:
        negated = constant_like(B, -number, (x,))
        return None if negated is None else as_result(B, op_named("negative"), inputs, negated)
    how = B.made_by(x)
    if how is None:
        return None
    name, parts = how[0].name, how[1]
    if name == "negative":
        return parts[0]
    if name == "subtract":
        return B.subtract(parts[1], parts[0])
    if name == "broadcast_to":
        return B.broadcast_to(B.negative(parts[0]), B.shape(x))
    if name in ("multiply", "divide"):
        for k in (0, 1) if name == "multiply" else (0,):
            factor = scalar_of(B, parts[k])
            negated = None if factor is None else constant_like(B, -factor, (parts[k],))
            if negated is not None:
                return getattr(B, name)(*[negated if j == k else part for j, part in enumerate(parts)])
    return None


@identity("power")
def power(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """``x**1``, ``x**0``, ``(-x)**2``."""
    x, exponent = inputs
    if B.node(exponent).op not in _OF_PRODUCTS:
        return None
    n = number_of(B, exponent)
    if n is None or type(n) is bool:
        return None
    if n == 1:
        return as_result(B, op_named("power"), inputs, x)
    if n == 0 and B.dtype(x).kind == "f":
        return as_result(B, op_named("power"), inputs, B.const(np.ones((), B.dtype(x))))
    inner = made(B, x, "negative")
    if inner is not None and n % 2 == 0:
        return B.power(inner[0], exponent)
    return None


# ----------------------------------------------------------------------------------------------- sums and differences


@identity("add")
def add(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """``x + 0``, ``x + (-y)``, ``x + x``, ``2*x + 3*x``; constants where the sum is exact."""
    a, b = inputs
    if a is not b and B.node(a).op not in _OF_SUMS and B.node(b).op not in _OF_SUMS:
        return None
    p, q = scalar_of(B, a), scalar_of(B, b)
    if p is not None and q is not None:
        return _folded(B, "add", a, b, exact_sum(p, q))
    for x, other in ((a, b), (b, a)):
        if _is_zero(B, x):
            return as_result(B, op_named("add"), inputs, other)
    collected = _collected(B, [a, b])
    if collected is not None:
        return as_result(B, op_named("add"), inputs, collected[0])
    for x, other in ((a, b), (b, a)):
        inner = made(B, x, "negative")
        if inner is not None:
            return B.subtract(other, inner[0])
    return _unbroadcast(B, "add", a, b)


@identity("subtract")
def subtract(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """``x - 0``, ``0 - x``, ``x - (-y)``, ``(-x) - y``; constants where the difference is exact."""
    a, b = inputs
    if B.node(a).op not in _OF_PRODUCTS and B.node(b).op not in _OF_PRODUCTS:
        return None
    p, q = scalar_of(B, a), scalar_of(B, b)
    if p is not None and q is not None:
        return _folded(B, "subtract", a, b, exact_sum(p, -q))
    if _is_zero(B, b):
        return as_result(B, op_named("subtract"), inputs, a)
    if _is_zero(B, a):
        return as_result(B, op_named("subtract"), inputs, B.negative(b))
    inner = made(B, b, "negative")
    if inner is not None:
        return B.add(a, inner[0])
    inner = made(B, a, "negative")
    if inner is not None:
        return B.negative(B.add(inner[0], b))
    return _unbroadcast(B, "subtract", a, b)


def _is_zero(B: Any, value: Any) -> bool:
    number = number_of(B, value)
    return number is not None and type(number) is not bool and number == 0


@identity("add_n")
def add_n(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """Sums of sums, terms that are zero, equal terms, zeros with boxes that lie apart; a sum of one or two."""
    if len(set(map(id, inputs))) == len(inputs) > 2 and not any(B.node(x).op in _OF_LONG_SUMS for x in inputs):
        return None
    terms = list(inputs)
    if len(terms) <= _FLATTENED_TERMS:
        terms = _flattened(B, terms)
    terms = [t for t in terms if not _is_zero(B, t)] or terms[:1]
    collected = _collected(B, terms)
    if collected is not None:
        terms = collected
    terms = merge_boxes(B, terms)
    shape, dtype = B.shape(inputs[0]), np.result_type(*{B.dtype(x) for x in inputs})
    if any(B.dtype(t) != dtype or B.shape(t) != shape for t in terms):
        return None  # what is left would be added in another dtype
    if len(terms) == 1:
        return terms[0]
    if len(terms) == 2:
        return B.add(terms[0], terms[1])
    same = len(terms) == len(inputs) and all(a is b for a, b in zip(terms, inputs, strict=True))
    return None if same else B.add_n(*terms)


def _flattened(B: Any, terms: list[Any]) -> list[Any]:
    """The terms of the sums among the terms in their places, as long as they stay few."""
    found: list[Any] = []
    for term in terms:
        inner = made(B, term, "add_n") or made(B, term, "add")
        if inner is not None and all(B.shape(t) == B.shape(term) for t in inner):
            found.extend(inner)
        else:
            found.append(term)
    return found if len(found) <= _FLATTENED_TERMS else terms


def _collected(B: Any, terms: list[Any]) -> list[Any] | None:
    """Terms that are multiples of one value with the same sign, added up; None if there are none."""
    places: dict[tuple[int, bool], int] = {}
    parts: list[tuple[Number, Any, Any]] = []  # factor, value, the term itself if it stands alone
    for term in terms:
        factor, value = scaled(B, term)
        key = (id(value), factor > 0)
        k = places.get(key)
        total = None if k is None else exact_sum(parts[k][0], factor)
        if k is None or total is None:
            places[key] = len(parts)
            parts.append((factor, value, term))
        else:
            parts[k] = (total, value, None)
    if len(parts) == len(terms):
        return None
    return [B.multiply(B.const(factor), value) if term is None else term for factor, value, term in parts]


# -------------------------------------------------------------------------------------------------------------- choices


@identity("select")
def select(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """A branch that a constant predicate leaves dead, equal branches, the same predicate twice, a negated one."""
    mask, a, b = inputs
    decided = number_of(B, mask)
    if decided is not None:
        return as_result(B, op_named("select"), inputs, a if decided else b)
    if a is b or _same_number(B, a, b):
        return as_result(B, op_named("select"), inputs, a)
    inner = made(B, mask, "logical_not")
    if inner is not None and B.dtype(inner[0]).kind == "b":
        return B.where(inner[0], b, a)
    inner = made(B, a, "select")
    if inner is not None and inner[0] is mask:
        return as_result(B, op_named("select"), inputs, B.where(mask, inner[1], b))
    inner = made(B, b, "select")
    if inner is not None and inner[0] is mask:
        return as_result(B, op_named("select"), inputs, B.where(mask, a, inner[2]))
    return None


def _same_number(B: Any, a: Any, b: Any) -> bool:
    p, q = number_of(B, a), number_of(B, b)
    return p is not None and type(p) is type(q) and repr(p) == repr(q)


@identity("logical_not")
def logical_not(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """Not not, and not of a constant."""
    (x,) = inputs
    decided = number_of(B, x)
    if decided is not None:
        return as_result(B, op_named("logical_not"), inputs, B.const(np.bool_(not decided)))
    inner = made(B, x, "logical_not")
    return inner[0] if inner is not None and B.dtype(inner[0]).kind == "b" else None


def _junction(name: str, decisive: bool) -> Any:
    def rule(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
        a, b = inputs
        for x, other in ((a, b), (b, a)):
            decided = number_of(B, x)
            if decided is not None:
                left = B.const(np.bool_(decisive)) if bool(decided) is decisive else other
                return as_result(B, op_named(name), inputs, left) if B.dtype(left).kind == "b" else None
        return a if a is b and B.dtype(a).kind == "b" else None

    return rule


identity("logical_and")(_junction("logical_and", decisive=False))
identity("logical_or")(_junction("logical_or", decisive=True))


@identity("cond")
def cond(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """The body that a constant predicate chooses, as ordinary operations."""
    predicate, *operands = inputs
    decided = number_of(B, predicate)
    return None if decided is None else B.inline(params[0] if decided else params[1], operands)
