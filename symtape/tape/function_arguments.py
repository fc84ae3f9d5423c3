"""What `st.function` is given: inputs and outputs as tensors, sympy symbols and expressions, in nested structures."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from symtape import pytree
from symtape.errors import AmbiguousVariableError, MissingInputError
from symtape.graph.node import LEAF, Node
from symtape.graph.source import describe
from symtape.graph.traverse import topological
from symtape.tape.sympy_door import from_sympy
from symtape.tape.tensor import TENSORS, Tensor, lift
from symtape.tape.variable import Variable, symbol


def is_sympy(value: Any) -> bool:
    """Whether a value is an expression or matrix of sympy, which is not imported to find out."""
    sympy = sys.modules.get("sympy")
    return sympy is not None and not isinstance(value, Tensor) and isinstance(value, (sympy.Basic, sympy.MatrixBase))


def is_whole(value: Any) -> bool:
    """Whether a container is one input or output."""
    return isinstance(value, Tensor) or is_sympy(value)


class Doors:
    """Symbols of sympy among the inputs, and the tensors that stand for them in the outputs."""

    def __init__(self) -> None:
        self.symbols: dict[Any, Tensor] = {}

    def input(self, value: Any) -> Any:
        """An input as a variable or tensor."""
        if isinstance(value, Tensor):
            return value
        if is_sympy(value) and getattr(value, "is_Symbol", False):
            if value not in self.symbols:
                self.symbols[value] = symbol(value.name)
            return self.symbols[value]
        raise TypeError(
            "an input of st.function is a variable, a symbol or another tensor, "
            f"got the {type(value).__name__} {value!r}"
        )

    def output(self, value: Any) -> Tensor:
        """An output as a tensor."""
        if not is_sympy(value):
            return lift(value)
        if hasattr(value, "tolist") and hasattr(value, "shape"):
            rows = [TENSORS.stack([self.output(e) for e in row]) for row in value.tolist()]
            return TENSORS.stack(rows)  # type: ignore[no-any-return]
        names = {s: t for s, t in self.symbols.items() if s in value.free_symbols}
        return from_sympy(value, names)  # type: ignore[no-any-return]


def split_inputs(inputs: Any, doors: Doors) -> tuple[list[Any], pytree.Structure]:
    """The inputs as variables and tensors, and their nesting: a single one is a list of one."""
    tree = list(inputs) if isinstance(inputs, (list, tuple)) else inputs if isinstance(inputs, dict) else [inputs]
    found, structure = pytree.flatten(tree, is_whole)
    return [doors.input(v) for v in found], structure


def needed(inputs: Sequence[Any], nodes: Sequence[Node]) -> list[Node]:
    """Every node that the outputs need, down to leaves and to the tensors at which the inputs cut the graph."""
    return topological(nodes, stop=[t.node for t in inputs if not isinstance(t, Variable)])


def input_nodes(inputs: Sequence[Any], order: Sequence[Node]) -> list[Node]:
    """The nodes that the inputs stand for among those that are needed: of a variable, the version that is there.

    Raises
    ------
    AmbiguousVariableError
        If several versions of a variable are there.
    ValueError
        If an input is listed twice.
    """
    versions: dict[int, list[Node]] = {}
    for node in order:
        if node.op is LEAF and node.params[2] is not None:
            versions.setdefault(node.params[2], []).append(node)
    found: list[Node] = []
    for k, tensor in enumerate(inputs):
        node = tensor.node
        if isinstance(tensor, Variable):
            there = versions.get(tensor.ident, [node])
            if len(there) > 1:
                lines = "; ".join(describe(v.code, v.lasti) for v in there)
                raise AmbiguousVariableError(
                    f"the outputs contain {len(there)} versions of the variable {tensor.name!r}, made at {lines}; a "
                    "function of it would have to choose one: compute the outputs after the last assign"
                )
            (node,) = there
        if node in found:
            raise ValueError(f"input {k} of st.function, {_name(node, k)}, is listed twice")
        found.append(node)
    return found


def check_complete(inputs: Sequence[Node], order: Sequence[Node]) -> None:
    """Refuse a graph that needs a variable or symbol that is no input, by name.

    Raises
    ------
    MissingInputError
    """
    given = set(inputs)
    missing = [
        node
        for node in order
        if node.op is LEAF and node not in given and (node.value is None or node.params[2] is not None)
    ]
    if missing:
        names = ", ".join(repr(n.params[1] or "unnamed") for n in missing)
        one = len(missing) == 1
        raise MissingInputError(
            f"the outputs depend on {names}, which {'is' if one else 'are'} not among the inputs; list "
            f"{'it' if one else 'them'}, or use st.constant for what never changes"
        )


def _name(node: Node, k: int) -> str:
    return repr(node.params[1]) if node.op is LEAF and node.params[1] else f"number {k}"


def input_names(nodes: Sequence[Node]) -> list[str]:
    """How messages and signatures name the inputs."""
    names: list[str] = []
    for k, node in enumerate(nodes):
        label = node.params[1] if node.op is LEAF else None
        names.append(label if label and label not in names else f"x{k}")
    return names


def transformed(function: Callable[[Any], Any], tree: Any) -> tuple[list[Any], pytree.Structure, dict[int, Any]]:
    """The leaves of outputs under a function, their nesting, and the places of those that are None."""
    found, structure = pytree.flatten(tree, is_whole)
    fixed = {k: None for k, v in enumerate(found) if v is None}
    return [function(v) for v in found if v is not None], structure, fixed
