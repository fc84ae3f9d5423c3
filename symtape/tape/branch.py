"""`cond`: a choice that is recorded with both of its branches, of which only the chosen one is computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symtape import pytree
from symtape.errors import ShapeError
from symtape.graph.closed import Graph, close
from symtape.graph.node import Node
from symtape.graph.shapes import is_known, size
from symtape.graph.traverse import substitute
from symtape.tape.callable_arguments import Spec, is_whole
from symtape.tape.record_callable import Recorded, record
from symtape.tape.replay import assume
from symtape.tape.tensor import TENSORS, Tensor, lift, wrap


def cond(pred: Any, true_fun: Callable[..., Any], false_fun: Callable[..., Any], *operands: Any) -> Any:
    """One of two functions of the same operands, chosen when the number is computed.

    Parameters
    ----------
    pred : Tensor or bool
        One truth value. A plain one chooses at once.
    true_fun, false_fun : callable
        Of the operands. They return the same structure with the same shapes; variables and tensors from outside may be
        used.
    *operands : Tensor, array, or nested structure of them

    Returns
    -------
    Tensor or nested structure of them
        What the functions return.

    Raises
    ------
    ShapeError
        If the two functions return different structures or shapes, or ``pred`` is not one truth value.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> x = st.Variable(-4.0, name="x")
    >>> with st.GradientTape() as tape:
    ...     y = st.cond(x > 0, np.sqrt, lambda x: x**2, x)
    >>> float(y), float(tape.gradient(y, x))
    (16.0, -8.0)
    """
    if not isinstance(pred, Tensor):
        return true_fun(*operands) if pred else false_fun(*operands)
    if not is_known(pred.shape) or size(pred.shape) != 1:
        raise ShapeError(
            f"st.cond: the predicate has shape {pred.shape}, wanted one truth value; np.where chooses per element"
        )
    leaves, structure = pytree.flatten(operands, is_whole)
    tensors = [lift(leaf) for leaf in leaves]
    specs = structure.unflatten([Spec(t.shape, t.dtype) for t in tensors])
    yes, no = (record(branch, specs, by="st.cond", pure=False) for branch in (true_fun, false_fun))
    if yes.structure != no.structure or yes.fixed != no.fixed:
        raise ShapeError(f"st.cond: true_fun returns {yes.structure}, false_fun {no.structure}; wanted the same")
    for a, b in zip(yes.outputs, no.outputs, strict=True):
        if a.shape != b.shape:
            raise ShapeError(
                f"st.cond: true_fun returns the shape {a.shape} where false_fun returns {b.shape}; wanted the same"
            )
    bodies, given = _closed(yes, no, tensors)
    test = pred if pred.shape == () else TENSORS.reshape(pred, ())
    results = TENSORS.cond(test, *bodies, list(given.values()))
    for branch in (yes, no):
        assume(branch.guards, given)
    return yes.rebuild(results)


def _closed(yes: Recorded, no: Recorded, tensors: list[Tensor]) -> tuple[tuple[Graph, Graph], dict[Node, Tensor]]:
    """Both branches as bodies over the same inputs: the operands, and whatever either takes from outside."""
    first = yes.outputs
    second = substitute(no.outputs, dict(zip(no.inputs, yes.inputs, strict=True)))
    given = dict(zip(yes.inputs, tensors, strict=True)) | yes.outside() | no.outside()
    for outputs in (first, second):
        _, captured = close(outputs, given)
        given |= {leaf: wrap(leaf) for leaf in captured}
    return (close(first, given)[0], close(second, given)[0]), given
