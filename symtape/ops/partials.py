"""Partial derivatives of elementwise ops: what sympy says of the formula, turned once into a short program.

An op that declares a partial of its own (a kink, a form that would overflow, no gradient at all) is taken at its word.
For all others the formula is differentiated over real placeholders, and where the op's own expression occurs in the
derivative
(exp, tanh, sqrt, expit) the output stands for it: the derivative of tanh is ``1 - y**2`` and costs no second tanh.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from symtape.errors import DeclarationError
from symtape.graph.node import WEAK, Params
from symtape.ops.kept_partials import kept
from symtape.ops.op import Kind, Op, takes
from symtape.ops.straight_line import Program
from symtape.ops.sympy_bridge import arguments_of, translate

#: ``rule(B, y, *inputs)``, a plain number, or None where no gradient flows.
Partial: TypeAlias = "Callable[..., Any] | int | float | None"


def partial(op: Op, i: int, params: Params = ()) -> Partial:
    """The partial derivative of an elementwise op in its argument ``i``.

    Parameters
    ----------
    op : Op
        Elementwise.
    i : int
        Number of the argument.
    params : tuple
        The op's parameters.

    Returns
    -------
    callable, number or None
        ``rule(B, y, *inputs)`` builds the derivative from the result ``y`` and the inputs; a number where it is
        constant; None where no gradient flows.

    Raises
    ------
    DeclarationError
        If the op has no formula, or one whose derivative is no function that symtape can compute.

    Examples
    --------
    >>> from symtape.graph.node import symbol
    >>> from symtape.ops.namespace import NODES
    >>> from symtape.ops.registry import op_named
    >>> x = symbol("x")
    >>> partial(op_named("sin"), 0)(NODES, NODES.sin(x), x)
    <cos float64[]>
    >>> partial(op_named("add"), 0)
    1
    """
    found = op.partial_programs.get((i, params))
    if found is not None or not op.differentiable:
        return found
    if i in op.partials:
        found = _declared(op.partials[i], params)
    else:
        program = (kept(op.name, i) if not params else None) or derive(op, i, params)
        number = program.number
        found = _rule(program) if number is None else number
    if callable(found) and op.pair is None:  # what makes masks takes truth values as such
        found = _on_floats(op, found, params)
    op.partial_programs[i, params] = found
    return found


def _declared(own: Partial, params: Params) -> Partial:
    if not params or not callable(own):
        return own
    return lambda B, y, *inputs: own(B, y, *inputs, *params)


def _on_floats(op: Op, rule: Callable[..., Any], params: Params) -> Callable[..., Any]:
    """The rule with its integers and truth values as floats of the result's dtype.

    As integers they would overflow (``x*x`` of int32), wrap around (``n - 1`` of uint8) and give half precision
    (``log`` of int8). Where the op takes nothing but integers they become wide ones. Python's stay as they are.
    """

    def converted(B: Any, y: Any, *inputs: Any) -> Any:
        if all(B.dtype(x).kind == "f" for x in inputs):
            return rule(B, y, *inputs)
        target = B.dtype(y)
        nodes = [B.node(x) for x in inputs]
        whole = [k for k, n in enumerate(nodes) if n.dtype.kind != "f" and not (n.flags & WEAK and n.dtype.kind == "i")]
        if target.kind != "f" or not takes(
            op, tuple(target if k in whole else n.dtype for k, n in enumerate(nodes)), params
        ):
            target = np.dtype(np.int64)
        return rule(B, y, *[B.astype(x, target) if k in whole else x for k, x in enumerate(inputs)])

    return converted


def derived_arguments(op: Op) -> list[int]:
    """The arguments in which the partial of an op without params follows from its formula."""
    if op.kind is not Kind.ELEMENTWISE or not op.differentiable or op.formula is None or op.params:
        return []
    return [i for i in range(arguments_of(op.formula)) if i not in op.partials]


def derive(op: Op, i: int, params: Params = ()) -> Program:
    """The program of a partial derivative, from sympy.

    Raises
    ------
    DeclarationError
        If the op has no formula, or one whose derivative is no function that symtape can compute.
    """
    import sympy

    if op.formula is None:
        raise DeclarationError(
            f"{op.name} has no formula: declare its partial {i} as a rule, or None if no gradient flows"
        )
    inputs = sympy.symbols(f"x:{arguments_of(op.formula) - len(params)}", real=True)
    output = sympy.Symbol("y", real=True)
    expression = op.formula(sympy, *inputs, *params)
    derivative = sympy.diff(expression, inputs[i])
    beyond = derivative.atoms(
        sympy.Derivative, sympy.Subs, sympy.meijerg, sympy.DiracDelta, type(sympy.I), sympy.Integral
    )
    if beyond:
        raise DeclarationError(
            f"the derivative of {op.name} in its argument {i} is {derivative}, which contains {beyond.pop()}: "
            "declare a rule of its own"
        )
    if not expression.is_Symbol and not (expression.is_Add or (expression.is_Mul and len(inputs) == 1)):
        derivative = derivative.subs(expression, output)
    return translate(derivative, {symbol: k for k, symbol in enumerate((output, *inputs))})


def _rule(program: Program) -> Callable[..., Any]:
    def rule(B: Any, y: Any, *inputs: Any) -> Any:
        return program.run(B, (y, *inputs), B.dtype(y))

    return rule
