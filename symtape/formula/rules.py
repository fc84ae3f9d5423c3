"""An element by its op's element rule: elements that it reads, elementwise ops on them, reductions over indices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

from symtape.errors import FormulaTooLargeError
from symtape.formula.index_numbers import IndexNumbers, length, places
from symtape.formula.numbers import number
from symtape.formula.reading import readable
from symtape.formula.ways import MOST_ELEMENTS, PLAIN, PRODUCT, SUM, Cost, Key
from symtape.graph.node import Node
from symtape.ops import element as rules
from symtape.ops.registry import as_number

_HEADS: Mapping[str, str] = {
    "add": SUM,
    "subtract": SUM,
    "negative": SUM,
    "add_n": SUM,
    "multiply": PRODUCT,
    "sum": SUM,
    "prod": PRODUCT,
}


class Rule:
    """The elements of a node whose op has an element rule."""

    def __init__(self, node: Node, rule: Any, numbers: IndexNumbers) -> None:
        self.node = node
        self.rule = rule
        self.numbers = numbers

    def below(self, at: tuple[int, ...]) -> Iterator[Key]:
        """The elements of inputs that the rule reads, each time it does."""
        return self._reads(self.rule, dict(enumerate(at)))

    def cost(self, at: tuple[int, ...], costs: Mapping[Key, Cost]) -> Cost:
        """A reading alone costs nothing; a reduction as many operations as it combines elements, less one."""
        return self._cost(self.rule, dict(enumerate(at)), costs)

    def make(self, at: tuple[int, ...], done: Mapping[Key, Any]) -> Any:
        """The rule in sympy's terms."""
        import sympy

        return self._make(sympy, self.rule, dict(enumerate(at)), done)

    # ---- one scalar of the rule, at numbers for its indices

    def _key(self, read: rules.Read, at: Mapping[int, int]) -> Key:
        return self.node.inputs[read.input], tuple(self.numbers.of(i, at, self.node) for i in read.at)

    def _chosen(self, boxes: rules.Boxes, at: Mapping[int, int]) -> Any:
        number_of = self.numbers.of
        for box in boxes.boxes:
            if all(
                number_of(low, at, self.node) <= number_of(i, at, self.node) < number_of(high, at, self.node)
                for i, low, high in box.bounds
            ):
                return box.then
        return boxes.otherwise

    def _over(self, rule: rules.Reduce, at: Mapping[int, int]) -> Iterator[dict[int, int]]:
        elements = prod(length(n) for n in rule.extents)
        if elements > MOST_ELEMENTS:
            raise FormulaTooLargeError(
                f"{self.node.op.name} combines {elements:,} elements, more than are written as one expression: "
                "formula('named') shows it line by line, in_terms_of(name=tensor) gives inner tensors a name"
            )
        for place in places(rule.extents):
            yield {**at, **{rule.first + k: i for k, i in enumerate(place)}}

    def _reads(self, rule: Any, at: Mapping[int, int]) -> Iterator[Key]:
        match rule:
            case rules.Read():
                yield self._key(rule, at)
            case rules.Apply():
                for argument in rule.arguments:
                    yield from self._reads(argument, at)
            case rules.Boxes():
                yield from self._reads(self._chosen(rule, at), at)
            case rules.Reduce():
                for inner in self._over(rule, at):
                    yield from self._reads(rule.body, inner)

    def _cost(self, rule: Any, at: Mapping[int, int], costs: Mapping[Key, Cost]) -> Cost:
        match rule:
            case rules.Read():
                return costs[self._key(rule, at)]
            case rules.Boxes():
                return self._cost(self._chosen(rule, at), at, costs)
            case rules.Apply():
                parts = [self._cost(a, at, costs) for a in rule.arguments]
                head = _HEADS.get(rule.op.name, PLAIN)
            case rules.Reduce():
                parts = [self._cost(rule.body, inner, costs) for inner in self._over(rule, at)]
                if len(parts) == 1 and not rule.kind.startswith("arg"):
                    return parts[0]
                head = _HEADS.get(rule.kind, PLAIN)
            case _:
                return Cost(0, 1, PLAIN, number=True)
        size = sum(p.size for p in parts) + max(1, len(parts) - 1)
        depth = max((p.depth + (p.head != head or head == PLAIN) for p in parts), default=1)
        return Cost(size, depth, head, all(p.number for p in parts))

    def _make(self, sp: Any, rule: Any, at: Mapping[int, int], done: Mapping[Key, Any]) -> Any:
        match rule:
            case rules.Read():
                return done[self._key(rule, at)]
            case rules.Number(value):
                return number(value)
            case rules.IndexValue(index):
                return sp.Integer(self.numbers.of(index, at, self.node))
            case rules.Boxes():
                return self._make(sp, self._chosen(rule, at), at, done)
            case rules.Apply(op, arguments, params):
                return readable(op.formula(sp, *[self._argument(sp, a, at, done) for a in arguments], *params))
            case rules.Reduce(kind, _, _, body):
                parts = [self._make(sp, body, inner, done) for inner in self._over(rule, at)]
                convert = truth if kind in ("any", "all") else as_number
                return readable(_REDUCTIONS[kind](sp, [convert(sp, p) for p in parts]))
        raise TypeError(f"no scalar of an element rule: {rule!r}")

    def _argument(self, sp: Any, rule: Any, at: Mapping[int, int], done: Mapping[Key, Any]) -> Any:
        """An argument of an elementwise op; where truth values make a truth value, a boolean leaf is a condition."""
        value = self._make(sp, rule, at, done)
        truths = isinstance(rule, rules.Read) and self.node.inputs[rule.input].dtype.kind == self.node.dtype.kind == "b"
        return truth(sp, value) if truths else value


def truth(sp: Any, value: Any) -> Any:
    """A value as a condition: a number holds where it is not zero."""
    boolean = isinstance(value, sp.logic.boolalg.Boolean) and not isinstance(value, sp.Symbol)
    return value if boolean else sp.Ne(value, 0)


def _first_extreme(sp: Any, parts: list[Any], relation: Any) -> Any:
    """Position of the first element that no other exceeds."""
    cases = [(sp.Integer(k), sp.And(*[relation(part, other) for other in parts])) for k, part in enumerate(parts[:-1])]
    return sp.Piecewise(*cases, (sp.Integer(len(parts) - 1), True))


_REDUCTIONS = {
    "sum": lambda sp, parts: sp.Add(*parts),
    "prod": lambda sp, parts: sp.Mul(*parts),
    "max": lambda sp, parts: sp.Max(*parts),
    "min": lambda sp, parts: sp.Min(*parts),
    "any": lambda sp, parts: sp.Or(*parts),
    "all": lambda sp, parts: sp.And(*parts),
    "argmax": lambda sp, parts: _first_extreme(sp, parts, sp.Ge),
    "argmin": lambda sp, parts: _first_extreme(sp, parts, sp.Le),
}
