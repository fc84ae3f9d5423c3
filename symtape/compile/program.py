"""A graph compiled into something that is called with arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from symtape.compile.lower import lower
from symtape.compile.machine_code import machine_code
from symtape.compile.options import Options
from symtape.compile.rows_ir import define_rows
from symtape.compile.runnable import KERNEL, ROWS, Plan, Runnable
from symtape.graph.node import LEAF, Node

#: (condition, value that it must have, what to say if it has not)
Guard: TypeAlias = tuple[Node, Any, str]

_DEFAULT: Final = Options()


class Program(Runnable):
    """A compiled graph.

    Parameters
    ----------
    inputs : sequence of Node
        Leaves or placeholders, or any nodes to cut at.
    outputs : sequence of Node
    guards : sequence of (Node, value, message), optional
        Scalars that must have these values, or `AssumptionViolated` is raised with the message.
    options : Options, optional

    Raises
    ------
    MissingValueError
        If an output needs a leaf without value that is not an input.

    Examples
    --------
    >>> import numpy as np
    >>> from symtape.compile.program import Program
    >>> from symtape.graph.node import symbol
    >>> from symtape.ops.namespace import NODES as B
    >>> x = symbol("x", (3,))
    >>> program = Program([x], [B.multiply(x, x), B.sum(x)])
    >>> program(np.array([1.0, 2.0, 3.0]))
    (array([1., 4., 9.]), array(6.))
    """

    def __init__(
        self,
        inputs: Sequence[Node],
        outputs: Sequence[Node],
        *,
        guards: Sequence[Guard] = (),
        options: Options = _DEFAULT,
    ) -> None:
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.guards = tuple(guards)
        self.options = options
        if len(set(self.inputs)) != len(self.inputs):
            raise ValueError("an input is listed twice")
        kernel = lower(KERNEL, self.inputs, self.outputs, [(node, value) for node, value, _ in self.guards], options)
        define_rows(kernel.module, KERNEL, ROWS, len(self.inputs), len(kernel.extra), len(self.outputs))
        self.module = kernel.module
        self.key, code = machine_code(kernel.module, (KERNEL, ROWS), kernel.operations, options)
        plan = Plan(
            inputs=tuple((_name(n), n.shape, n.dtype) for n in self.inputs),  # type: ignore[misc]
            outputs=tuple((n.shape, n.dtype) for n in self.outputs),  # type: ignore[misc]
            messages=tuple(text for _, _, text in self.guards),
            sizes=tuple(kernel.sizes),
            workspace=kernel.workspace,
            extra=tuple(kernel.extra),
            operations=kernel.operations,
        )
        super().__init__(plan, code)

    @property
    def ir(self) -> str:
        """The program in LLVM's text form."""
        return self.module.whole()


def _name(node: Node) -> str | None:
    return node.params[1] if node.op is LEAF else None
