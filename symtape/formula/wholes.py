"""An element of what is told as a whole: a matrix by LAPACK's routines, a result of a body.

A routine's formula is worked out once for each matrix of a stack. What it costs is counted on a matrix of placeholders;
a matrix of nothing but numbers is worked out exactly, and comes back as numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from math import prod
from typing import Any

from symtape.errors import FormulaTooLargeError
from symtape.formula.index_numbers import length, places
from symtape.formula.numbers import double_class, number
from symtape.formula.reading import readable
from symtape.formula.rules import truth
from symtape.formula.ways import PLAIN, Cost, Key
from symtape.graph.node import ITEM, Node

_EXACT = 3  #: rows up to which numbers such as sqrt(2) are worked with as they are
_DIGITS = 50
_LARGEST_OF_NUMBERS = 30  #: rows of a matrix of numbers, which takes seconds there
_LARGEST = 6  #: rows of a matrix of expressions; a determinant of 7 rows has 13,699 operations


class Body:
    """The elements of result ``k`` of an op with bodies: of both branches of a cond, of a custom gradient's primal."""

    def __init__(self, source: Node, k: int) -> None:
        graphs = [p for p in source.params if hasattr(p, "outputs")]
        self.condition: Node | None = None
        operands = source.inputs
        if source.op.name == "cond":
            self.condition, *rest = source.inputs
            operands = tuple(rest)
        else:
            graphs = graphs[:1]
        self.results = [graph(*operands)[k] for graph in graphs]

    def below(self, at: tuple[int, ...]) -> Iterator[Key]:
        """The condition and the same element of each branch."""
        if self.condition is not None:
            yield self.condition, ()
        for result in self.results:
            yield result, at

    def cost(self, at: tuple[int, ...], costs: Mapping[Key, Cost]) -> Cost:
        """A choice is one operation."""
        parts = [costs[k] for k in self.below(at)]
        if len(parts) == 1:
            return parts[0]
        return Cost(sum(p.size for p in parts) + 1, max(p.depth for p in parts) + 1, PLAIN, number=False)

    def make(self, at: tuple[int, ...], done: Mapping[Key, Any]) -> Any:
        """A choice between the branches, or the one result."""
        import sympy

        if self.condition is None:
            return done[self.results[0], at]
        then, otherwise = (done[r, at] for r in self.results)
        return readable(sympy.Piecewise((then, truth(sympy, done[self.condition, ()])), (otherwise, True)))


class Application:
    """An element of what a function gives of which nothing is known: the function applied to all that it takes.

    Parameters
    ----------
    source : Node
        The application.
    node : Node
        It, or the item that picks one of its results.
    """

    def __init__(self, source: Node, node: Node) -> None:
        self.source = source
        self.item = node.params[0] if node.op is ITEM else None
        self.levels = source.params[-1]

    def below(self, at: tuple[int, ...]) -> Iterator[Key]:
        """All elements of the inputs; of a batch, of the item."""
        for k, x in enumerate(self.source.inputs):
            lead = tuple(i for i, flags in zip(at, self.levels, strict=False) if flags[k])
            for place in places(tuple(length(n) for n in x.shape[len(lead) :])):
                yield x, (*lead, *place)

    def cost(self, at: tuple[int, ...], costs: Mapping[Key, Cost]) -> Cost:
        """An application is one operation, and so is the choice of an element of what it gives."""
        parts = [costs[k] for k in self.below(at)]
        return Cost(sum(p.size for p in parts) + 2, max(p.depth for p in parts) + 2, PLAIN, number=False)

    def make(self, at: tuple[int, ...], done: Mapping[Key, Any]) -> Any:
        """The application, or the element of it."""
        from sympy.tensor.array.expressions import ArrayElement

        whole = self.source.op.formula(_sympy(), self.source, *[done[k] for k in self.below(at)])
        own = (*(() if self.item is None else (self.item,)), *at[len(self.levels) :])
        return ArrayElement(whole, own) if own else whole


def _sympy() -> Any:
    import sympy

    return sympy


class Matrices:
    """The elements of a routine on whole matrices, of one of its results.

    Parameters
    ----------
    source : Node
        The application of the routine.
    node : Node
        It, or the item that picks one of its results.
    numeric : callable
        Whether elements that have been counted are nothing but numbers.
    """

    def __init__(self, source: Node, node: Node, numeric: Callable[[Iterable[Key]], bool]) -> None:
        self.source = source
        self.node = node
        self.numeric = numeric
        self.cores = tuple(tuple(length(n) for n in x.shape[max(x.ndim - 2, 0) :]) for x in source.inputs)
        self.stacked = max(x.ndim - len(core) for x, core in zip(source.inputs, self.cores, strict=True))
        self.results: dict[tuple[int, ...], Any] = {}
        if max(self.cores[0], default=0) > _LARGEST_OF_NUMBERS:
            raise self._too_large(_LARGEST_OF_NUMBERS)

    def below(self, at: tuple[int, ...]) -> Iterator[Key]:
        """All elements of the matrices at that place of the stack."""
        for x, core in zip(self.source.inputs, self.cores, strict=True):
            own = at[: self.stacked][self.stacked - (x.ndim - len(core)) :]
            lead = tuple(0 if n == 1 else i for n, i in zip(x.shape, own, strict=False))
            for place in places(core):
                yield x, (*lead, *place)

    def cost(self, at: tuple[int, ...], costs: Mapping[Key, Cost]) -> Cost:
        """The operations of the routine's formula, and those of an element as often as it occurs there."""
        keys = list(self.below(at))
        parts = [costs[k] for k in keys]
        depth = max((p.depth for p in parts), default=1)
        if self._of_numbers(keys, parts):
            rest = parts[prod(self.cores[0]) :]
            return Cost(sum(p.size + 2 for p in rest), depth + 2, PLAIN, all(p.number for p in parts))
        if max(self.cores[0], default=0) > _LARGEST:
            raise self._too_large(_LARGEST)
        own, levels, times = _on_placeholders(self.source.op, self.cores, self.source.params, self._place(at))
        size = own + sum(n * p.size for n, p in zip(times, parts, strict=True))
        return Cost(size, depth + levels, PLAIN, all(p.number for p in parts))

    def make(self, at: tuple[int, ...], done: Mapping[Key, Any]) -> Any:
        """The element of the routine's result, which is kept for the other elements."""
        lead = at[: self.stacked]
        if lead not in self.results:
            self.results[lead] = self._result([done[k] for k in self.below(at)])
        return readable(_pick(self.results[lead], self._place(at)))

    def _result(self, cells: list[Any]) -> Any:
        import sympy

        count = prod(self.cores[0])
        own, rest = cells[:count], cells[count:]
        exact = all(c.is_Rational for c in own)
        if exact or not all(c.is_number for c in own) or (max(self.cores[0]) <= _EXACT and not any(map(_rounded, own))):
            return _apply(sympy, self.source.op, self.cores, self.source.params, cells)
        # numbers with rounded ones among them are worked out exactly, and rounded once
        own = [sympy.Rational(c if c.is_Float else c.evalf(_DIGITS)) for c in own]
        places = [sympy.Dummy(real=True) for _ in rest]
        result = _apply(sympy, self.source.op, self.cores, self.source.params, [*own, *places])
        values = dict(zip(places, rest, strict=True))
        return _map(lambda e: _rounded_once(e).xreplace(values), result)

    def _too_large(self, largest: int) -> FormulaTooLargeError:
        rows = max(self.cores[0])
        return FormulaTooLargeError(
            f"{self.source.op.name} of a matrix of {rows} rows has too many operations to be written out; up to "
            f"{largest} rows are: formula('named') shows it as one line, in_terms_of(name=tensor) gives it a name"
        )

    def _place(self, at: tuple[int, ...]) -> tuple[int | None, tuple[int, ...]]:
        """Which of several results, and where in it."""
        return (self.node.params[0] if self.node.op is ITEM else None), at[self.stacked :]

    def _of_numbers(self, keys: list[Key], parts: list[Cost]) -> bool:
        count = prod(self.cores[0])
        return all(p.number for p in parts[:count]) and self.numeric(keys[:count])


def _apply(sp: Any, op: Any, cores: tuple[tuple[int, ...], ...], params: tuple[Any, ...], cells: list[Any]) -> Any:
    """The routine's formula on matrices made of their elements one after another."""
    matrices = []
    for core in cores:
        count = prod(core)
        rows = core[0] if core else 1
        matrices.append(sp.Matrix(rows, count // rows if rows else 0, cells[:count]))
        cells = cells[count:]
    return op.formula(sp, *matrices, *params)


def _pick(result: Any, place: tuple[int | None, tuple[int, ...]]) -> Any:
    item, at = place
    if item is not None:
        result = result[item]
    return result[at if len(at) == 2 else at[0]] if at else result


def _map(function: Callable[[Any], Any], result: Any) -> Any:
    if isinstance(result, tuple):
        return tuple(function(r) for r in result)
    return result.applyfunc(function) if hasattr(result, "applyfunc") else function(result)


def _rounded(value: Any) -> bool:
    return bool(value.has(double_class()))


def _rounded_once(value: Any) -> Any:
    """An expression with the doubles that are nearest to its numbers."""
    import sympy

    if value.is_number:
        return number(float(value))
    return value.xreplace({n: number(float(n)) for n in value.atoms(sympy.Rational) if not n.is_Integer})


@cache
def _on_placeholders(
    op: Any, cores: tuple[tuple[int, ...], ...], params: tuple[Any, ...], place: tuple[int | None, tuple[int, ...]]
) -> tuple[int, int, tuple[int, ...]]:
    """Operations and depth of one element of a routine's formula, and how often each element of its inputs occurs."""
    import sympy

    cells = [sympy.Dummy(real=True) for core in cores for _ in range(prod(core))]
    element = _pick(_apply(sympy, op, cores, params, cells), place)
    times = dict.fromkeys(cells, 0)
    operations = levels = 0
    stack = [(element, 0)]
    while stack:
        e, level = stack.pop()
        levels = max(levels, level)
        if e in times:
            times[e] += 1
        operations += max(len(e.args) - 1, 1) if e.args else 0
        stack.extend((a, level + 1) for a in e.args)
    return operations, levels, tuple(times.values())
