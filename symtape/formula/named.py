"""The named form: the code itself, one line an operation, for graphs of any size.

Every line is the call that runs, in NumPy's spelling: ``t2 = t0 @ v``. Leaves go by their names, the results of
operations by ``t0, t1, ...`` in the order of evaluation, and the last lines name the outputs. Bodies of control flow
are functions ``f0, f1, ...``, written on a line of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symtape.errors import NoFormulaError
from symtape.formula.spelling import INFIX, PREFIX, call, spelled
from symtape.formula.symbols import leaf_names
from symtape.graph.closed import Graph
from symtape.graph.node import CONST, ITEM, LEAF, WEAK, Node
from symtape.graph.traverse import topological
from symtape.ops.op import Kind

_LATEX_INFIX: Mapping[str, str] = {
    **INFIX,
    "multiply": r"\odot",
    "matmul": r"\,",
    "greater_equal": r"\ge",
    "less_equal": r"\le",
    "equal": "=",
    "not_equal": r"\ne",
    "remainder": r"\bmod",
}
_SHORT_CONSTANT = 6  # elements of an array that is written out where it stands
_SHORT_BODY = 6  # lines of a body that is written out
_LATEX_BETWEEN = r"&\;\vdots \quad \text{{{} more lines}}"
_FIRST, _LAST = 40, 10  # lines that an onlooker is shown of a long formula


@dataclass(frozen=True, slots=True)
class Line:
    """``name = text``; ``latex`` is the right-hand side for a page."""

    name: str
    text: str
    latex: str


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula in one of the forms: ``str()`` for reading, `latex` for a page.

    Attributes
    ----------
    form : str
        The name of the form.
    lines : tuple of Line
    where : dict of str to str
        What the names of leaves, and of constants that are too long to be written out, stand for: shape and dtype.
    """

    form: str
    lines: tuple[Line, ...]
    where: Mapping[str, str]

    def __str__(self) -> str:
        return "\n".join(f"{line.name} = {line.text}" for line in self.lines)

    def __repr__(self) -> str:
        texts = [f"{line.name} = {line.text}" for line in self.lines]
        return "\n".join(_in_part(texts, "... {} more lines ..."))

    def latex(self) -> str:
        r"""The lines as an ``aligned`` environment."""
        return _aligned([rf"{_latex_name(line.name)} &= {line.latex}" for line in self.lines])

    def _repr_latex_(self) -> str:
        rows = [rf"{_latex_name(line.name)} &= {line.latex}" for line in self.lines]
        return f"$\\displaystyle {_aligned(_in_part(rows, _LATEX_BETWEEN))}$"


def _aligned(rows: Sequence[str]) -> str:
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def _in_part(rows: list[str], between: str) -> list[str]:
    """The first and the last rows, with a word on those between, where there are too many to be looked at."""
    if len(rows) <= _FIRST + _LAST + 1:
        return rows
    return [*rows[:_FIRST], between.format(len(rows) - _FIRST - _LAST), *rows[-_LAST:]]


def named_form(outputs: Sequence[Node], names: Sequence[str]) -> Formula:
    """The operations below the outputs, line by line.

    Parameters
    ----------
    outputs : sequence of Node
    names : sequence of str
        Names for the outputs.

    Examples
    --------
    >>> from symtape.graph.node import symbol
    >>> from symtape.ops.namespace import NODES
    >>> x, y = symbol("x"), symbol("y")
    >>> named_form([NODES.add(NODES.sin(x), NODES.multiply(x, y))], ["z"])
    t0 = sin(x)
    t1 = x * y
    z = t0 + t1
    """
    outputs = [_shown(node) for node in outputs]
    writer = _Writer(outputs, names)
    for node, name in zip(outputs, names, strict=True):
        if writer.final.get(node) != name:
            writer.add(name, writer.labels[node], _latex_name(writer.labels[node]))
    return Formula("named", tuple(writer.lines), writer.where)


class _Writer:
    """One pass over the operations in the order of evaluation, giving each a name and a line."""

    def __init__(self, outputs: Sequence[Node], names: Sequence[str]) -> None:
        self.lines: list[Line] = []
        self.where: dict[str, str] = {}
        self.bodies: dict[Graph, str] = {}
        self.final: dict[Node, str] = {}
        for node, name in zip(outputs, names, strict=False):
            if node.inputs:
                self.final.setdefault(node, name)
        order = _order(outputs)
        self.labels = self._labels(order)
        taken = set(self.labels.values()) | set(names)
        count = 0
        for node in order:
            if not node.inputs:
                continue
            if node.op is ITEM:
                self.labels[node] = f"{self.labels[node.inputs[0]]}[{node.params[0]}]"
                if node not in self.final:
                    continue
            text, latex = self._text(node), self._latex(node)
            if node in self.final:
                self.labels[node] = self.final[node]
            else:
                while f"t{count}" in taken:
                    count += 1
                self.labels[node] = f"t{count}"
                count += 1
            self.add(self.labels[node], text, latex)

    def add(self, name: str, text: str, latex: str) -> None:
        """One more line."""
        self.lines.append(Line(name, text, latex))

    def _labels(self, order: Sequence[Node]) -> dict[Node, str]:
        """What leaves and constants are called; equal names of different leaves are numbered."""
        labels = leaf_names(node for node in order if node.op is LEAF)
        self.where.update({name: _describe(node) for node, name in labels.items()})
        long = 0
        for node in order:
            if node.op is CONST:
                if node.shape == ():
                    labels[node] = repr(node.value) if node.flags & WEAK else repr(node.value.item())
                elif node.value.size <= _SHORT_CONSTANT:
                    labels[node] = repr(node.value.tolist())
                elif node.ndim == 2 and np.array_equal(node.value, np.eye(len(node.value))):
                    labels[node] = f"eye({len(node.value)})"
                else:
                    labels[node] = f"c{long}"
                    self.where[f"c{long}"] = _describe(node)
                    long += 1
            elif not node.inputs and node.op is not LEAF:
                labels[node] = f"p{node.params[0]}"
        return labels

    def _arguments(self, node: Node) -> list[str]:
        return [self.labels[_shown(i)] for i in node.inputs]

    def _text(self, node: Node) -> str:
        op = node.op
        arguments = self._arguments(node)
        if op is ITEM:
            return self.labels[node]
        if op.name in INFIX:
            left, right = (_operand(a) for a in arguments)
            return f"{left} {INFIX[op.name]} {right}"
        if op.name in PREFIX:
            return f"{PREFIX[op.name]}{_operand(arguments[0])}"
        if op.name == "add_n":
            return " + ".join(map(_operand, arguments))
        if op.name == "transpose" and node.params[0] == tuple(reversed(range(node.ndim))):
            return f"{_operand(arguments[0])}.T"
        if op.kind is Kind.CONTROL:
            return self._with_bodies(node, arguments, str)
        text = spelled(node, arguments) or call(op.name, *arguments, *map(repr, node.params))
        first = arguments[0] if arguments else ""
        # a list takes no tensor as an index and has no methods
        return _operand(first) + text.removeprefix(first) if first.startswith("[") and text.startswith(first) else text

    def _latex(self, node: Node) -> str:
        op = node.op
        arguments = [_latex_name(a) for a in self._arguments(node)]
        if op.name == "power":
            return f"{{{arguments[0]}}}^{{{arguments[1]}}}"
        if op.name == "divide":
            return rf"\frac{{{arguments[0]}}}{{{arguments[1]}}}"
        if op.name in _LATEX_INFIX:
            symbol: str = _LATEX_INFIX[op.name]
            if op.name == "multiply" and () in (node.inputs[0].shape, node.inputs[1].shape):
                symbol = r"\cdot"
            return f"{arguments[0]} {symbol} {arguments[1]}"
        if op.name in PREFIX:
            return f"{PREFIX[op.name]}{arguments[0]}"
        if op.name == "add_n":
            return " + ".join(arguments)
        if op.name == "transpose" and node.params[0] == tuple(reversed(range(node.ndim))):
            return f"{{{arguments[0]}}}^{{T}}"
        if op is ITEM:
            return _latex_name(self.labels[node.inputs[0]]) + f"[{node.params[0]}]"
        if op.kind is Kind.CONTROL:
            return self._with_bodies(node, arguments, _latex_function)
        extra = [r"\text{" + _escaped(repr(p)) + "}" for p in node.params]
        return spelled(node, arguments, _latex_function) or call(_latex_function(op.name), *arguments, *extra)

    def _with_bodies(self, node: Node, arguments: Sequence[str], name: Any) -> str:
        """``cond(p, f0, f1, (x, y))``: the bodies by name, where they are written down at their first use."""
        graphs = [p for p in node.params if isinstance(p, Graph)]
        for graph in graphs:
            if graph not in self.bodies:
                self.bodies[graph] = f"f{len(self.bodies)}"
                places = ", ".join(f"p{k}" for k in range(len(graph.inputs)))
                text = _body(graph)
                self.add(f"{self.bodies[graph]}({places})", text, r"\text{" + _escaped(text) + "}")
        before = list(arguments[:1]) if node.op.name == "cond" else []
        operands = arguments[len(before) :]
        given = f"({', '.join(operands)}{',' if len(operands) == 1 else ''})"
        bodies = [self.bodies[g] if name is str else _latex_name(self.bodies[g]) for g in graphs]
        return call(name(node.op.name), *before, *bodies, given)


def _body(graph: Graph) -> str:
    """A body on one line: its operations, then its results."""
    outputs = [_shown(node) for node in graph.outputs]
    writer = _Writer(outputs, ())
    lines = writer.lines
    if len(lines) > _SHORT_BODY:
        return f"<{len(lines)} operations, {len(outputs)} result{'s' if len(outputs) > 1 else ''}>"
    results = [writer.labels[o] for o in outputs]
    if lines and results == [lines[-1].name]:
        results = [lines.pop().text]
    return "; ".join([*[f"{x.name} = {x.text}" for x in lines], ", ".join(results)])


def _shown(node: Node) -> Node:
    """The node that is written for one: a tie is its first input, and what it ties that to is not needed for it."""
    while node.op.name == "tie":
        node = node.inputs[0]
    return node


def _order(outputs: Sequence[Node]) -> list[Node]:
    """What is written, inputs first."""
    order = topological(outputs)
    if all(node.op.name != "tie" for node in order):
        return order
    needed: set[Node] = set()
    stack = list(outputs)
    while stack:
        node = stack.pop()
        if node not in needed:
            needed.add(node)
            stack.extend(_shown(i) for i in node.inputs)
    return [node for node in order if node in needed]


def _operand(text: str) -> str:
    """What stands beside an operator: a negative number in parentheses, a short constant as an array."""
    return f"({text})" if text.startswith("-") else f"array({text})" if text.startswith("[") else text


def _describe(node: Node) -> str:
    shape = "scalar" if node.shape == () else f"shape {node.shape}"
    return f"{shape}, {node.dtype}"


def _escaped(text: str) -> str:
    return text.replace("_", r"\_").replace("{", r"\{").replace("}", r"\}")


def _latex_function(name: str) -> str:
    return r"\operatorname{" + _escaped(name) + "}"


def _latex_name(name: str) -> str:
    base, mark, number = name.rpartition("_")
    if mark and number.isdigit() and base.isalpha():
        name = base + number
    if name.isalpha() and len(name) == 1:
        return name
    letters = name.rstrip("0123456789")
    if letters.isalpha() and letters != name:
        return (letters if len(letters) == 1 else rf"\mathrm{{{letters}}}") + f"_{{{name[len(letters) :]}}}"
    return r"\mathrm{" + _escaped(name) + "}" if name[:1].isalpha() else name


def form(name: str, node: Node, label: str) -> Formula:
    """A form by its name; an unknown one is an error that lists what exists."""
    if name != "named":
        raise NoFormulaError(
            f"there is no form {name!r}; the forms are: 'named' (and .expr for the formula by elements)"
        )
    return named_form([node], [label])
