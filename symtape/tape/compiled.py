"""`st.function`: a fast numeric function of any tensors; with `st.jit`, `st.save` and `st.load` beside it."""

from __future__ import annotations

from typing import Any, Final

from symtape.compile.options import Options
from symtape.graph.node import LEAF, Node
from symtape.graph.traverse import topological
from symtape.tape.compiled_function import CompiledFunction
from symtape.tape.function_arguments import (
    Doors,
    check_complete,
    input_names,
    input_nodes,
    needed,
    split_inputs,
    transformed,
)
from symtape.tape.function_form import Computation, Form
from symtape.tape.guards import Guard, logged
from symtape.tape.jitted import jit
from symtape.tape.saving import load, save
from symtape.tape.tensor import Tensor

__all__ = ["CompiledFunction", "function", "jit", "load", "save"]

_MISSING: Final[Any] = object()


def function(inputs: Any, outputs: Any = _MISSING, *, options: Options | None = None) -> Any:
    """A compiled function of tensors, or of a callable.

    Parameters
    ----------
    inputs : list of variables, symbols, sympy symbols or tensors; or callable
        What the function takes; nested structures too. At a tensor that is no leaf the graph is cut. A callable alone
        is given to `jit`, so ``@st.function`` decorates.
    outputs : tensor, sympy expression, or nested structure of them
        What it computes. Work that outputs share is done once.
    options : symtape.compile.options.Options, optional

    Returns
    -------
    CompiledFunction

    Raises
    ------
    MissingInputError
        If an output needs a variable or a symbol that is not among the inputs, naming it.
    AmbiguousVariableError
        If an output contains several versions of a variable.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> x, y = st.symbols("x y")
    >>> f = st.function([x, y], {"product": x * y, "angle": np.arctan2(y, x)})
    >>> f(2.0, 3.0)["product"]
    6.0
    >>> f(2.0, np.array([1.0, 2.0]))["product"]
    array([2., 4.])
    """
    if outputs is _MISSING:
        if callable(inputs) and not isinstance(inputs, Tensor):
            return jit(inputs)
        raise TypeError("st.function takes inputs and outputs, st.function([x, y], z), or one callable")
    doors = Doors()
    given, arguments = split_inputs(inputs, doors)
    tensors, results, fixed = transformed(doors.output, outputs)
    nodes = [t.node for t in tensors]
    order = needed(given, nodes)
    cuts = input_nodes(given, order)
    check_complete(cuts, order)
    decisions = _decisions(cuts, tensors)
    computation = Computation(
        inputs=tuple(cuts),
        outputs=tuple(nodes),
        guards=tuple((g.condition(), True, violation(g)) for g in decisions),
        decisions=tuple(decisions),
    )
    form = Form(arguments=arguments, results=results, fixed=tuple(fixed), names=tuple(input_names(cuts)))
    return CompiledFunction(form, computation, options or Options())


_SEEN = {
    "bool": "was",
    "int": "had the integer value",
    "count": "selected this many elements:",
    "array": "had the elements",
}


def violation(guard: Guard) -> str:
    """What is said where inputs do not take a branch that was taken while recording."""
    what = _SEEN[guard.how]
    return (
        f"the function was recorded when a condition {what} {guard.seen} at {guard.line}; with these inputs it is not "
        "so. Use st.where for a choice that depends on the inputs, or st.jit, which records each branch that it meets"
    )


def _decisions(inputs: list[Node], outputs: list[Tensor]) -> list[Guard]:
    """Decisions that Python took on what depends on the inputs, before the outputs were made."""
    leaves = [n for n in topological(inputs) if n.op is LEAF]
    last = max((t.ident for t in outputs), default=0)
    given = set(inputs)
    found = []
    for guard in logged(leaves, last or None):
        below = topological([guard.node], stop=inputs)
        if any(n in given for n in below) and all(n.op is not LEAF or n in given or n.value is not None for n in below):
            found.append(guard)
    return found
