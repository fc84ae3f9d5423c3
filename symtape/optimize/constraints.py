"""Constraints as people write them, comparisons of tensors, read into rows with limits.

``x + y >= 1`` is a comparison *node*; its two inputs are what is compared. The side that does not depend on what is
solved for becomes a limit, evaluated at each solve (so it may contain parameters); where both sides do, their
difference is compared with zero. A conjunction (``&``, `between`, ``np.all``) is several constraints.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symtape.errors import ConstraintError
from symtape.graph.node import CONST, Node
from symtape.graph.source import describe
from symtape.ops.namespace import NODES
from symtape.tape.operators import first_half
from symtape.tape.tensor import TENSORS, Tensor, lift

_ALLOWED = "write <=, >= or == between tensors, or st.between(x, low, high)"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rows ``lower <= expression <= upper`` as graphs.

    Attributes
    ----------
    label : str
        How certificates and messages name it.
    expression : Node
        Shape (m,).
    lower, upper : Node or None
        Limits of shape (m,) that do not depend on what is solved for; None for no limit.
    """

    label: str
    expression: Node
    lower: Node | None
    upper: Node | None


def between(x: Any, low: Any, high: Any) -> Any:
    """Whether ``low <= x <= high``, elementwise: one constraint with two limits, or a boolean tensor.

    Python turns ``low <= x <= high`` into ``(low <= x) and (x <= high)``, of which only the second half arrives
    anywhere; this is the way to write both.

    Parameters
    ----------
    x : array_like or Tensor
    low, high : array_like or Tensor
        Broadcast against ``x``.

    Returns
    -------
    Tensor
        Boolean. An array where no argument is a tensor.

    Raises
    ------
    ValueError
        If both limits are numbers and ``low > high`` somewhere: nothing lies between them.

    Examples
    --------
    >>> import symtape as st
    >>> x = st.Variable(3.0, name="x")
    >>> res = st.minimize(x**2, x, subject_to=[st.between(x, 1, 5)])
    >>> float(res.params["x"])
    1.0
    """
    if not isinstance(low, Tensor) and not isinstance(high, Tensor) and np.any(np.asarray(low) > np.asarray(high)):
        raise ValueError(f"nothing lies between {low} and {high}: the first limit is the lower one")
    if not any(isinstance(part, Tensor) for part in (x, low, high)):
        return (np.asarray(low) <= np.asarray(x)) & (np.asarray(x) <= np.asarray(high))
    B = TENSORS
    return B.logical_and(B.greater_equal(lift(x), lift(low)), B.less_equal(lift(x), lift(high)))


def as_sequence(subject_to: Any) -> list[Any]:
    """One constraint or several, as a list."""
    if subject_to is None:
        return []
    return list(subject_to) if isinstance(subject_to, (list, tuple)) else [subject_to]


def constraint_nodes(items: Sequence[Any], what: str = "subject_to") -> list[Node]:
    """The nodes of constraints that were written as tensors.

    Parameters
    ----------
    items : sequence
    what : str
        How to name their place in messages.

    Returns
    -------
    list of Node

    Raises
    ------
    TypeError
        Naming the position of an item that is no tensor, such as a plain bool.
    ConstraintError
        If an item is the second half of a chained comparison.
    """
    nodes: list[Node] = []
    for k, item in enumerate(items):
        place = f"{what}[{k}]"
        if isinstance(item, (bool, np.bool_)):
            raise TypeError(
                f"{place} is the plain bool {bool(item)}: two numbers were compared, or `and`, `or`, `not` took the "
                f"truth of a tensor; {_ALLOWED}"
            )
        if not isinstance(item, Tensor):
            raise TypeError(f"{place} is of type {type(item).__name__}: {item!r}; {_ALLOWED}")
        half = first_half(item)
        if half is not None:
            raise ConstraintError(
                f"{place} is the second half of a chained comparison (or of `and`), of which Python drops the first "
                f"({half}); write st.between(x, low, high), or two items"
            )
        nodes.append(item.node)
    return nodes


def read_comparison(node: Node, label: str, depends: Callable[[Node], bool]) -> list[Comparison]:
    """The rows of a comparison node.

    Parameters
    ----------
    node : Node
        Boolean.
    label : str
    depends : callable
        Whether a node depends on what is solved for.

    Returns
    -------
    list of Comparison

    Raises
    ------
    ConstraintError
        For ``<``, ``>``, ``!=``, and for what is no comparison.
    """
    name = node.op.name
    if name in {"logical_and", "bitwise_and"}:
        return [found for side in node.inputs for found in read_comparison(side, label, depends)]
    if name == "all":
        return read_comparison(node.inputs[0], label, depends)
    if name in {"less", "greater", "not_equal"}:
        written = {"less": "<", "greater": ">", "not_equal": "!="}[name]
        raise ConstraintError(
            f"{label} is a comparison with {written} (at {describe(node.code, node.lasti)}), whose points have no "
            "border to lie on; write <=, >= or =="
        )
    if node.op is CONST:
        raise TypeError(f"{label} is the constant {node.value!r} and no comparison of tensors; {_ALLOWED}")
    if name not in {"less_equal", "greater_equal", "equal"}:
        raise ConstraintError(
            f"{label} is no comparison but {node!r}, built at {describe(node.code, node.lasti)}; {_ALLOWED}"
        )
    left, right = node.inputs
    if depends(left) and depends(right):
        left, right = NODES.subtract(left, right), NODES.lift(0.0)
    elif depends(right):
        left, right = right, left
        name = {"less_equal": "greater_equal", "greater_equal": "less_equal", "equal": "equal"}[name]
    elif not depends(left):
        raise ConstraintError(
            f"{label} (at {describe(node.code, node.lasti)}) depends on nothing that is solved for: leave it out"
        )
    expression, limit = _flat(left, node.shape), _flat(right, node.shape)
    return [
        Comparison(
            label,
            expression,
            None if name == "less_equal" else limit,
            None if name == "greater_equal" else limit,
        )
    ]


def _flat(node: Node, shape: Any) -> Node:
    """A node over the shape of the comparison, as a float64 vector."""
    B = NODES
    if node.dtype != np.float64:
        node = B.astype(node, np.dtype(np.float64))
    if node.shape != shape:
        node = B.broadcast_to(node, shape)
    return node if len(shape) == 1 else B.reshape(node, (-1,))
