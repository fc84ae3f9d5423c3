"""How a graph depends on x at most: constant, affine, quadratic or in general, read off op by op.

Degrees of polynomials add up under products and are kept by linear operations. What is not listed here counts as
general, so that the answer errs on that side only: ``abs``, ``where`` with a condition on x, ``sign`` have
derivatives that look constant and are no polynomials.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symtape.graph.node import CONST, Node
from symtape.graph.traverse import topological
from symtape.optimize.standard_form import Degree

_GENERAL = int(Degree.GENERAL)

#: Linear in all inputs together.
_LINEAR = frozenset({
    "add", "subtract", "add_n", "negative", "positive", "astype", "deg2rad", "rad2deg", "sum", "cumsum", "select",
    "tie", "reshape", "transpose", "broadcast_to", "triangle", "diagonal", "diag", "getitem", "embed", "set_slice",
    "concatenate", "stack", "gather", "scatter_add", "scatter_set",
})  # fmt: skip
#: A product of the inputs, linear in each.
_PRODUCTS = frozenset(["multiply", "multiply_no_nan", "matmul", "einsum"])
#: The first input divided by the second, or the second solved with the first: linear in one, if the other is constant.
_QUOTIENTS = frozenset(["divide", "divide_no_nan"])
_SOLVES = frozenset(["solve", "solve_triangular"])


def degree_in(output: Node, x: Node) -> Degree:
    """The degree of a node in x, as far as the ops tell it.

    Parameters
    ----------
    output, x : Node

    Returns
    -------
    Degree

    Examples
    --------
    >>> from symtape.graph.node import symbol
    >>> from symtape.ops.namespace import NODES as B
    >>> from symtape.optimize.degrees import degree_in
    >>> x = symbol("x", (3,))
    >>> degree_in(B.sum(B.multiply(x, x)), x).name, degree_in(B.absolute(x), x).name
    ('QUADRATIC', 'GENERAL')
    """
    degrees: dict[Node, int] = {}
    for node in topological([output], stop=[x]):
        degrees[node] = 1 if node is x else _degree(node, [degrees[i] for i in node.inputs])
    return Degree(degrees[output])


def _degree(node: Node, below: Sequence[int]) -> int:
    if not any(below):
        return 0
    name = node.op.name
    if name in _LINEAR:
        found = _linear(node, below)
    elif name in _PRODUCTS:
        found = sum(below)
    elif name in _QUOTIENTS:
        found = below[0] if not below[1] else _GENERAL
    elif name in _SOLVES:
        found = below[1] if not below[0] else _GENERAL
    elif name == "square":
        found = 2 * below[0]
    elif name == "power":
        found = _power(node.inputs[1], below)
    else:
        found = _GENERAL
    return min(found, _GENERAL)


def _linear(node: Node, below: Sequence[int]) -> int:
    """The largest degree, if what selects or places elements does not depend on x."""
    floats = [d for d, i in zip(below, node.inputs, strict=True) if i.dtype.kind == "f"]
    others = [d for d, i in zip(below, node.inputs, strict=True) if i.dtype.kind != "f"]
    return _GENERAL if any(others) or node.dtype.kind != "f" else max(floats)


def _power(exponent: Node, below: Sequence[int]) -> int:
    if below[1] or exponent.op is not CONST or np.ndim(exponent.value):
        return _GENERAL
    times = float(exponent.value)
    return int(times) * below[0] if times in {0.0, 1.0, 2.0, 3.0} else _GENERAL
