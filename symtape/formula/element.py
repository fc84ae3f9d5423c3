"""The scalar formula of one element of a graph, as a sympy expression over the elements of its leaves.

A fold over pairs (node, index) without recursion over the graph. How an element is made of elements of the inputs is
told by its op: by an element rule (`symtape.formula.rules`), by whole matrices or by a body (`symtape.formula.wholes`).
Size and depth of the tree that would come out are counted before sympy is asked for anything, since sympy recurses.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from typing import Any

from symtape.errors import FormulaTooLargeError, NoFormulaError
from symtape.formula.index_numbers import IndexNumbers, length, places
from symtape.formula.numbers import number
from symtape.formula.rules import Rule
from symtape.formula.symbols import element_symbol, name_symbol, older_versions
from symtape.formula.ways import MOST_ELEMENTS, PLAIN, Cost, Key, Way
from symtape.formula.wholes import Application, Body, Matrices
from symtape.graph.node import CONST, ITEM, LEAF, Node
from symtape.ops import element as rules
from symtape.ops.op import Kind

MAX_OPERATIONS = 5_000  #: of the tree, counted with repetitions
MAX_DEPTH = 150


def element_expression(node: Node, at: tuple[int, ...] = (), given: Mapping[Node, str] | None = None) -> Any:
    """The formula of element ``at`` of a node.

    Parameters
    ----------
    node : Node
    at : tuple of int
        Non-negative indices, one per axis.
    given : mapping, optional
        Names for inner nodes: where one is met, ``given[node]`` names a symbol and nothing below is shown.

    Returns
    -------
    sympy.Expr

    Raises
    ------
    FormulaTooLargeError
        Above 5,000 operations or a depth of 150; names ``formula("named")``.
    NoFormulaError
        If an operation below has no formula by elements, naming it.

    Examples
    --------
    >>> from symtape.graph.node import symbol
    >>> from symtape.ops.namespace import NODES
    >>> v = symbol("v", (3,))
    >>> element_expression(NODES.sum(NODES.multiply(v, v)))
    v[0]**2 + v[1]**2 + v[2]**2
    """
    return _Fold(given or {}, MAX_OPERATIONS).all([(node, at)])[0]


def array_expression(node: Node, given: Mapping[Node, str] | None = None, limit: int = MAX_OPERATIONS) -> Any:
    """The formulas of all elements: a scalar expression, or a sympy array of them.

    Examples
    --------
    >>> from symtape.graph.node import symbol
    >>> from symtape.ops.namespace import NODES
    >>> array_expression(NODES.exp(symbol("v", (2,))))
    [exp(v[0]), exp(v[1])]
    """
    import sympy

    fold = _Fold(given or {}, limit)
    elements = math.prod(length(n) for n in node.shape)
    if elements > limit:
        raise fold.too_large(elements, 1)
    found = fold.all([(node, at) for at in places(node.shape)])
    if node.shape == ():
        return found[0]
    return sympy.ImmutableDenseNDimArray(found, tuple(node.shape))


class _Fold:
    """One walk; expressions of elements are shared within it."""

    def __init__(self, given: Mapping[Node, str], limit: int) -> None:
        self.given = given
        self.limit = limit
        self.numbers = IndexNumbers()
        self.ways: dict[Node, Way | None] = {}
        self.below: dict[Key, list[Key]] = {}
        self.costs: dict[Key, Cost] = {}
        self.done: dict[Key, Any] = {}
        self.heads: dict[Node, int] = {}

    def all(self, roots: list[Key]) -> list[Any]:
        """The expressions of some elements."""
        total = 0
        for root in roots:
            self.count(root)
            total += self.costs[root].size
            if total > self.limit:
                raise self.too_large(total, self.costs[root].depth)
        self.heads = older_versions(node for node, _ in self.costs if node.op is LEAF)
        return [self.expression(root) for root in roots]

    def count(self, root: Key) -> None:
        """Count operations and depth of a tree, and refuse one that sympy could not carry."""
        costs = self.costs
        stack = [root]
        while stack:
            key = stack[-1]
            if key in costs:
                stack.pop()
                continue
            if key not in self.below:
                if len(self.below) > MOST_ELEMENTS:
                    raise self.too_large(len(costs), MAX_DEPTH)
                self.below[key] = self.elements_below(key)
            missing = [k for k in self.below[key] if k not in costs]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            cost = costs[key] = self.cost(key)
            if cost.size > self.limit or cost.depth > MAX_DEPTH:
                raise self.too_large(cost.size, cost.depth)

    def expression(self, root: Key) -> Any:
        """The expression of an element that has been counted."""
        stack = [root]
        while stack:
            key = stack[-1]
            if key in self.done:
                stack.pop()
                continue
            missing = [k for k in self.below[key] if k not in self.done]
            if missing:
                stack.extend(missing)
                continue
            self.done[key] = self.make(key)
            stack.pop()
        return self.done[root]

    # ---- one element

    def elements_below(self, key: Key) -> list[Key]:
        """The elements of other nodes that an element is made of."""
        way = self.way(key[0])
        if way is None:
            return []
        most = self.limit + 1 if isinstance(way, Rule) else MOST_ELEMENTS
        found = list(itertools.islice(way.below(key[1]), most + 1))
        if len(found) > most:
            raise self.too_large(most, 1)
        return found

    def cost(self, key: Key) -> Cost:
        """What its tree adds up to."""
        node, at = key
        way = self.way(node)
        if way is None:
            return Cost(0, 1, PLAIN, number=node not in self.given and _is_number(node))
        return way.cost(at, self.costs)

    def make(self, key: Key) -> Any:
        """Its expression, of those below."""
        import sympy

        node, at = key
        way = self.way(node)
        if way is not None:
            return way.make(at, self.done)
        if node in self.given:
            return name_symbol(self.given[node], at)
        if _is_number(node):
            return number(node.value if at == () and not hasattr(node.value, "shape") else node.value[at])
        if node.op is LEAF:
            return element_symbol(node, at, self.heads.get(node))
        return sympy.Symbol(f"p{node.params[0]}" + (f"[{', '.join(map(str, at))}]" if at else ""), real=True)

    def way(self, node: Node) -> Way | None:
        """How elements of a node are made; None for a leaf, and for what was given a name."""
        if node not in self.ways:
            self.ways[node] = None if node in self.given or not node.inputs else self.find_way(node)
        return self.ways[node]

    def find_way(self, node: Node) -> Way:
        source = node.inputs[0] if node.op is ITEM else node
        op = source.op
        if op.kind is Kind.CONTROL and node.op is ITEM:
            return Body(source, node.params[0])
        if op.kind is Kind.OPAQUE:
            return Application(source, node)
        if op.kind is Kind.LIBRARY and op.formula is not None:
            return Matrices(source, node, self.numeric)
        if op.element is not None:
            return Rule(node, op.element(rules.index(node.ndim), node.inputs, *node.params), self.numbers)
        raise NoFormulaError(
            f"{op.name} has no formula by elements; formula('named') shows it line by line, "
            "in_terms_of(name=tensor) gives its result a name"
        )

    def numeric(self, keys: Iterable[Key]) -> bool:
        """Whether elements that have been counted are nothing but numbers."""
        keys = list(keys)
        return all(self.costs[k].number for k in keys) and all(self.expression(k).is_number for k in keys)

    def too_large(self, size: int, depth: int) -> FormulaTooLargeError:
        return FormulaTooLargeError(
            f"the formula has {size:,} operations or more, at a depth of {depth}; "
            f"up to {self.limit:,} at a depth of {MAX_DEPTH} are written as one expression: "
            "formula('named') shows it line by line, in_terms_of(name=tensor) gives inner tensors a name"
        )


def _is_number(node: Node) -> bool:
    """Whether a leaf prints as its value: an implicit constant, or one that was declared without a name."""
    return node.op is CONST or (node.op is LEAF and node.value is not None and node.params[1:] == (None, None))
