"""The scalar formula of one element of a graph, as a sympy expression over the elements of its leaves.

A fold over pairs (node, index), driven by element rules and elementwise formulas, without recursion over the graph.
Size and depth of the tree that would come out are counted before sympy is asked for anything, since sympy recurses.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from symtape.errors import FormulaTooLargeError, MissingValueError, NoFormulaError
from symtape.formula.symbols import element_symbol, number
from symtape.graph.node import CONST, ITEM, LEAF, Node
from symtape.graph.shapes import is_known
from symtape.ops import element as rules
from symtape.ops.op import Kind

MAX_OPERATIONS = 5_000  #: of the tree, counted with repetitions
MAX_DEPTH = 150

Key: TypeAlias = tuple[Node, tuple[int, ...]]


def element_expression(node: Node, at: tuple[int, ...] = (), given: Mapping[Node, Any] | None = None) -> Any:
    """The formula of element ``at`` of a node.

    Parameters
    ----------
    node : Node
    at : tuple of int
        Non-negative indices, one per axis.
    given : mapping, optional
        Names for inner nodes: where one is met, ``given[node]`` (a text) names a symbol and nothing below is shown.

    Returns
    -------
    sympy.Expr

    Raises
    ------
    FormulaTooLargeError
        Above 5,000 operations or a depth of 150; names ``formula("named")``.
    """
    return _Fold(given or {}).run(node, at)


def array_expression(node: Node, given: Mapping[Node, Any] | None = None) -> Any:
    """The formulas of all elements: a scalar expression, or a sympy array of them."""
    import sympy

    if not is_known(node.shape):
        raise MissingValueError(
            f"the shape {node.shape} is not known yet, so there are no elements to write down; "
            "formula('named') shows the operations"
        )
    if node.shape == ():
        return element_expression(node, (), given)
    fold = _Fold(given or {})
    places = list(itertools.product(*[range(int(n)) for n in node.shape]))
    fold.count([(node, at) for at in places])
    return sympy.ImmutableDenseNDimArray([fold.run(node, at) for at in places], tuple(int(n) for n in node.shape))


class _Fold:
    """One walk; expressions of elements are shared within it."""

    def __init__(self, given: Mapping[Node, Any]) -> None:
        self.given = given
        self.done: dict[Key, Any] = {}
        self.sizes: dict[Key, tuple[int, int]] = {}
        self.rules: dict[Node, Any] = {}

    def run(self, node: Node, at: tuple[int, ...]) -> Any:
        self.count([(node, at)])
        stack = [(node, at)]
        while stack:
            key = stack[-1]
            if key in self.done:
                stack.pop()
                continue
            missing = [k for k in self.needs(key) if k not in self.done]
            if missing:
                stack.extend(missing)
                continue
            self.done[key] = self.make(key)
            stack.pop()
        return self.done[node, at]

    def count(self, roots: list[Key]) -> None:
        """Count operations and depth of the trees, and refuse those that sympy could not carry."""
        sizes = self.sizes
        total = 0
        for root in roots:
            stack = [root]
            while stack:
                key = stack[-1]
                if key in sizes:
                    stack.pop()
                    continue
                below = self.needs(key)
                missing = [k for k in below if k not in sizes]
                if missing:
                    stack.extend(missing)
                    continue
                stack.pop()
                size = sum(sizes[k][0] for k in below) + (1 if below else 0)
                depth = max((sizes[k][1] for k in below), default=0) + 1
                sizes[key] = size, depth
                if size > MAX_OPERATIONS or depth > MAX_DEPTH or len(sizes) > 4 * MAX_OPERATIONS:
                    raise _too_large(size, depth)
            total += sizes[root][0]
            if total > MAX_OPERATIONS:
                raise _too_large(total, sizes[root][1])

    # ---- one element

    def needs(self, key: Key) -> list[Key]:
        """The elements of other nodes that an element is made of."""
        node, at = key
        if node in self.given or not node.inputs or _whole(node) is not None:
            return [] if node in self.given or not node.inputs else _all_elements(_source(node).inputs)
        if node.op.kind is Kind.CONTROL and node.op.name == "cond":
            return [(node.inputs[0], ()), *self._branches(node, at)]
        rule = self.rule(node)
        if rule is None:
            raise _no_formula(node)
        return [(node.inputs[i], where) for i, where in _reads(rule, dict(enumerate(at)), node)]

    def make(self, key: Key) -> Any:
        import sympy

        node, at = key
        if node in self.given:
            return _named(self.given[node], node, at)
        if node.op is LEAF:
            if node.params[1] is None and node.params[2] is None and node.value is not None:
                return number(node.value[at])
            return element_symbol(node, at)
        if node.op is CONST:
            return number(node.value if at == () and not hasattr(node.value, "shape") else node.value[at])
        if not node.inputs:
            return sympy.Symbol(f"p{node.params[0]}" + (f"[{', '.join(map(str, at))}]" if at else ""), real=True)
        whole = _whole(node)
        if whole is not None:
            return self._of_library(node, at, whole)
        if node.op.kind is Kind.CONTROL and node.op.name == "cond":
            condition = self.done[node.inputs[0], ()]
            then, otherwise = (self.done[k] for k in self._branches(node, at))
            return sympy.Piecewise((then, condition), (otherwise, True))
        rule = self.rule(node)
        return self._scalar(rule, dict(enumerate(at)), node)

    def rule(self, node: Node) -> Any:
        """The element rule of a node, or None."""
        if node not in self.rules:
            make = node.op.element
            self.rules[node] = None if make is None else make(rules.index(node.ndim), node.inputs, *node.params)
        return self.rules[node]

    def _branches(self, node: Node, at: tuple[int, ...]) -> tuple[Key, Key]:
        """The same element of both branches of a cond, with the operands in place of the placeholders."""
        return tuple((graph.inline(node.inputs[1:])[0], at) for graph in node.params[:2])  # type: ignore[return-value]

    def _of_library(self, node: Node, at: tuple[int, ...], formula: Any) -> Any:
        """An element of what sympy's own matrix algebra says of the inputs."""
        import sympy

        source = _source(node)
        arguments = []
        for x in source.inputs:
            cells = [self.done[k] for k in _all_elements((x,))]
            arguments.append(
                sympy.Matrix(x.shape[0], x.shape[1], cells)
                if x.ndim == 2
                else sympy.Matrix(cells)
                if x.ndim
                else cells[0]
            )
        result = formula(sympy, *arguments, *source.params)
        if node.op is ITEM:
            result = result[node.params[0]]
        return result[at] if at and len(at) > 1 else result[at[0]] if at else result

    def _scalar(self, rule: Any, env: dict[int, int], node: Node) -> Any:
        import sympy

        if isinstance(rule, rules.Read):
            return self.done[node.inputs[rule.input], tuple(_at(i, env, node) for i in rule.at)]
        if isinstance(rule, rules.Number):
            return number(rule.value)
        if isinstance(rule, rules.IndexValue):
            return sympy.Integer(_at(rule.index, env, node))
        if isinstance(rule, rules.Apply):
            return rule.op.formula(sympy, *[self._scalar(a, env, node) for a in rule.arguments], *rule.params)
        if isinstance(rule, rules.Boxes):
            return self._scalar(_box(rule, env, node), env, node)
        parts = [self._scalar(rule.body, inner, node) for inner in _over(rule, env)]
        return _REDUCTIONS[rule.kind](sympy, parts)


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


def _source(node: Node) -> Node:
    return node.inputs[0] if node.op is ITEM else node


def _whole(node: Node) -> Any:
    """The formula of a library op on whole matrices, where sympy has the same operation."""
    op = _source(node).op
    return op.formula if getattr(op, "kind", None) is Kind.LIBRARY else None


def _all_elements(nodes: tuple[Node, ...]) -> list[Key]:
    return [(x, at) for x in nodes for at in itertools.product(*[range(int(n)) for n in x.shape])]


def _named(name: Any, node: Node, at: tuple[int, ...]) -> Any:
    """The symbol for an inner node that was given a name."""
    import sympy

    text = str(name)
    return sympy.Symbol(f"{text}[{', '.join(map(str, at))}]" if node.ndim else text, real=True)


def _over(rule: rules.Reduce, env: dict[int, int]) -> Iterator[dict[int, int]]:
    for place in itertools.product(*[range(int(n)) for n in rule.extents]):
        yield env | {rule.first + k: i for k, i in enumerate(place)}


def _box(rule: rules.Boxes, env: dict[int, int], node: Node) -> Any:
    for box in rule.boxes:
        if all(int(low) <= _at(i, env, node) < int(high) for i, low, high in box.bounds):
            return box.then
    return rule.otherwise


def _at(index: Any, env: dict[int, int], node: Node) -> int:
    """The number of an index expression."""
    if isinstance(index, rules.Index):
        return env[index.number]
    if isinstance(index, rules.Sum):
        return _at(index.left, env, node) + _at(index.right, env, node)
    if isinstance(index, rules.Scaled):
        return _at(index.of, env, node) * int(index.factor)
    if isinstance(index, rules.Quotient):
        return _at(index.of, env, node) // int(index.divisor)
    if isinstance(index, rules.Remainder):
        return _at(index.of, env, node) % int(index.divisor)
    if isinstance(index, rules.Gather):
        table = node.inputs[index.input]
        if table.op not in (LEAF, CONST) or table.value is None:
            raise NoFormulaError(
                "an index that is itself computed has no element formula; formula('named') shows the operations"
            )
        return int(table.value[tuple(_at(i, env, node) for i in index.at)]) % int(index.length)
    return int(index)


def _reads(rule: Any, env: dict[int, int], node: Node) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The elements of inputs that a rule reads at concrete indices."""
    if isinstance(rule, rules.Read):
        yield rule.input, tuple(_at(i, env, node) for i in rule.at)
    elif isinstance(rule, rules.Apply):
        for argument in rule.arguments:
            yield from _reads(argument, env, node)
    elif isinstance(rule, rules.Boxes):
        yield from _reads(_box(rule, env, node), env, node)
    elif isinstance(rule, rules.Reduce):
        for inner in _over(rule, env):
            yield from _reads(rule.body, inner, node)


def _too_large(size: int, depth: int) -> FormulaTooLargeError:
    return FormulaTooLargeError(
        f"the formula has {size} operations at a depth of {depth}; "
        f"sympy carries up to {MAX_OPERATIONS} at a depth of {MAX_DEPTH}: "
        "formula('named') shows it line by line, in_terms_of(name=tensor) gives inner tensors a name"
    )


def _no_formula(node: Node) -> NoFormulaError:
    return NoFormulaError(
        f"{_source(node).op.name} has no formula by elements; formula('named') shows it line by line, "
        "in_terms_of(name=tensor) gives its result a name"
    )
