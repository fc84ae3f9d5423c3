"""The named form: the code itself, one line an operation, for graphs of any size.

Every line is the call that runs, in NumPy's spelling: ``t2 = t0 @ v``. Leaves go by their names, the results of
operations by ``t0, t1, ...`` in the order of evaluation, and the last lines name the outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symtape.errors import NoFormulaError
from symtape.formula.spelling import spelled
from symtape.formula.symbols import label_of
from symtape.graph.node import CONST, ITEM, LEAF, WEAK, Node
from symtape.graph.traverse import topological
from symtape.ops.op import Kind

_INFIX: Mapping[str, str] = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "power": "**",
    "floor_divide": "//",
    "remainder": "%",
    "matmul": "@",
    "greater": ">",
    "greater_equal": ">=",
    "less": "<",
    "less_equal": "<=",
    "equal": "==",
    "not_equal": "!=",
    "bitwise_and": "&",
    "bitwise_or": "|",
    "bitwise_xor": "^",
}
_PREFIX: Mapping[str, str] = {"negative": "-", "positive": "+", "invert": "~"}
_AXES = frozenset({"sum", "prod", "max", "min", "any", "all", "argmax", "argmin"})
_RENAMED: Mapping[str, str] = {"select": "where", "remainder": "mod"}
_LATEX_INFIX: Mapping[str, str] = {
    **_INFIX,
    "multiply": r"\odot",
    "matmul": r"\,",
    "greater_equal": r"\ge",
    "less_equal": r"\le",
    "equal": "=",
    "not_equal": r"\ne",
    "remainder": r"\bmod",
}


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
        What the names of leaves stand for: shape and dtype.
    """

    form: str
    lines: tuple[Line, ...]
    where: Mapping[str, str]

    def __str__(self) -> str:
        return "\n".join(f"{line.name} = {line.text}" for line in self.lines)

    __repr__ = __str__

    def latex(self) -> str:
        r"""The lines as an ``aligned`` environment."""
        rows = [rf"{_latex_name(line.name)} &= {line.latex}" for line in self.lines]
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"


def named_form(outputs: Sequence[Node], names: Sequence[str]) -> Formula:
    """The operations below the outputs, line by line.

    Parameters
    ----------
    outputs : sequence of Node
    names : sequence of str
        Names for the outputs.
    """
    order = topological(outputs)
    labels = _labels(order)
    where = {labels[n]: _describe(n) for n in order if n.op is LEAF}
    final: dict[Node, str] = {}
    for node, name in zip(outputs, names, strict=True):
        if node.inputs:
            final.setdefault(node, name)
    lines: list[Line] = []
    taken = set(labels.values()) | set(names)
    count = 0
    for node in order:
        if not node.inputs:
            continue
        if node.op is ITEM:
            labels[node] = f"{labels[node.inputs[0]]}[{node.params[0]}]"
            if node not in final:
                continue
        text, latex = _text(node, labels), _latex(node, labels)
        if node in final:
            labels[node] = final[node]
        else:
            while f"t{count}" in taken:
                count += 1
            labels[node] = f"t{count}"
            count += 1
        lines.append(Line(labels[node], text, latex))
    for node, name in zip(outputs, names, strict=True):
        if final.get(node) != name:
            lines.append(Line(name, labels[node], _latex_name(labels[node])))
    return Formula("named", tuple(lines), where)


def _labels(order: Sequence[Node]) -> dict[Node, str]:
    """Names of leaves and constants; equal names of different leaves get a number."""
    labels: dict[Node, str] = {}
    used: dict[str, int] = {}
    constants = 0
    for node in order:
        if node.op is LEAF:
            name = label_of(node)
            times = used[name] = used.get(name, 0) + 1
            labels[node] = name if times == 1 else f"{name}_{times}"
        elif node.op is CONST:
            if node.shape == ():
                labels[node] = repr(node.value) if node.flags & WEAK else repr(node.value.item())
            else:
                labels[node] = f"c{constants}"
                constants += 1
        elif not node.inputs:
            labels[node] = f"p{node.params[0]}"
    return labels


def _describe(node: Node) -> str:
    shape = "scalar" if node.shape == () else f"shape {node.shape}"
    return f"{shape}, {node.dtype}"


def _arguments(node: Node, labels: Mapping[Node, str]) -> list[str]:
    return [labels[i] for i in node.inputs]


def _text(node: Node, labels: Mapping[Node, str]) -> str:
    op = node.op
    arguments = _arguments(node, labels)
    if op is ITEM:
        return labels[node]
    if op.name in _INFIX:
        left, right = (f"({a})" if a.startswith("-") else a for a in arguments)
        return f"{left} {_INFIX[op.name]} {right}"
    if op.name in _PREFIX:
        return f"{_PREFIX[op.name]}{arguments[0]}"
    if op.name == "add_n":
        return " + ".join(arguments)
    if op.name == "transpose" and node.params[0] == tuple(reversed(range(node.ndim))):
        return f"{arguments[0]}.T"
    special = spelled(node, arguments)
    if special is not None:
        return special
    name: str = _RENAMED.get(op.name, op.name)
    return f"{name}({', '.join([*arguments, *_params(node)])})"


def _params(node: Node) -> list[str]:
    if node.op.name in _AXES:
        (axes,) = node.params
        if axes == tuple(range(node.inputs[0].ndim)):
            return []
        return [f"axis={axes[0] if isinstance(axes, tuple) and len(axes) == 1 else axes}"]
    if node.op.kind is Kind.CONTROL:
        return [f"<body of {len(p.outputs)} outputs>" if hasattr(p, "outputs") else repr(p) for p in node.params]
    return [repr(p) for p in node.params]


def _latex_name(name: str) -> str:
    if name.isalpha() and len(name) == 1:
        return name
    if name[:1].isalpha() and name[1:].isdigit():
        return f"{name[0]}_{{{name[1:]}}}"
    return r"\mathrm{" + name.replace("_", r"\_") + "}" if name[:1].isalpha() else name


def _latex(node: Node, labels: Mapping[Node, str]) -> str:
    op = node.op
    arguments = [_latex_name(a) for a in _arguments(node, labels)]
    if op.name == "power":
        return f"{{{arguments[0]}}}^{{{arguments[1]}}}"
    if op.name == "divide":
        return rf"\frac{{{arguments[0]}}}{{{arguments[1]}}}"
    if op.name in _LATEX_INFIX:
        symbol: str = _LATEX_INFIX[op.name]
        if op.name == "multiply" and () in (node.inputs[0].shape, node.inputs[1].shape):
            symbol = r"\cdot"
        return f"{arguments[0]} {symbol} {arguments[1]}"
    if op.name in _PREFIX:
        return f"{_PREFIX[op.name]}{arguments[0]}"
    if op.name == "add_n":
        return " + ".join(arguments)
    if op.name == "transpose" and node.params[0] == tuple(reversed(range(node.ndim))):
        return f"{{{arguments[0]}}}^{{T}}"
    if op is ITEM:
        return _latex_name(labels[node.inputs[0]]) + f"[{node.params[0]}]"
    special = spelled(node, arguments, lambda name: r"\operatorname{" + name.replace("_", r"\_") + "}")
    if special is not None:
        return special
    extra = [r"\text{" + p.replace("_", r"\_") + "}" for p in _params(node)]
    name = str(_RENAMED.get(op.name, op.name)).replace("_", r"\_")
    return rf"\operatorname{{{name}}}({', '.join([*arguments, *extra])})"


def form(name: str, node: Node, label: str) -> Any:
    """A form by its name; an unknown one is an error that lists what exists."""
    if name != "named":
        raise NoFormulaError(
            f"there is no form {name!r}; the forms are: 'named' (and .expr for the formula by elements)"
        )
    return named_form([node], [label])
