"""Jacobians, Hessians and their products with vectors, as graphs.

A Jacobian of shape ``(*output, *wrt)`` is made in forward mode with its deltas kept apart (`symtape.autodiff.tied`).
Where the output is smaller than the source, the vjp is made first; it is linear in its cotangent, and its Jacobian in
that is the transpose of what is asked for. So the same sweep serves both modes, and the Hessian of a logistic loss is
``X.T @ (s*(1 - s)[:, None]*X)``.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from symtape.autodiff.batching import batch_graph
from symtape.autodiff.confluent import has_limits
from symtape.autodiff.forward import tangents
from symtape.autodiff.reverse import gradient
from symtape.autodiff.tied_rules import TiedSweep
from symtape.errors import ShapeError
from symtape.graph.node import Node, constant, symbol
from symtape.graph.shapes import size
from symtape.graph.traverse import ancestors
from symtape.ops.namespace import DERIVATIVES, Namespace


def jacobian(output: Node, wrt: Node, B: Namespace = DERIVATIVES) -> Node:
    """Every element of a node differentiated in every element of another.

    Parameters
    ----------
    output, wrt : Node
        ``wrt`` is a leaf or any node to cut at.
    B : Namespace
        Builds the result.

    Returns
    -------
    Node
        Of shape ``(*output.shape, *wrt.shape)``; zeros where the output does not depend on ``wrt``.

    Examples
    --------
    >>> from symtape.compile.evaluate import evaluate
    >>> from symtape.graph.node import symbol
    >>> from symtape.ops.namespace import NODES
    >>> import numpy as np
    >>> x = symbol("x", (2,))
    >>> J = jacobian(NODES.multiply(x, x), x)
    >>> evaluate([J], {x: np.array([1.0, 2.0])})[0]
    array([[2., 0.],
           [0., 4.]])
    """
    found = _forward(output, wrt, B) if _forward_is_cheaper(output, wrt) else _reverse(output, wrt, B)
    return B.zeros(output.shape + wrt.shape, output.dtype) if found is None else found


def _forward_is_cheaper(output: Node, wrt: Node) -> bool:
    rows, columns = size(output.shape), size(wrt.shape)
    if not isinstance(rows, int) or not isinstance(columns, int):
        return output.shape != ()
    return rows > 1 and columns <= rows


_MOST_DIRECTIONS: Final = 200  #: in which all that lies on the way is worked out for the sake of one decomposition


def _few(node: Node) -> bool:
    count = size(node.shape)
    return isinstance(count, int) and count <= _MOST_DIRECTIONS


def _forward(output: Node, wrt: Node, B: Namespace) -> Node | None:
    if _few(wrt) and has_limits(output, wrt):
        return _by_directions(output, wrt, B)
    return TiedSweep(wrt, B).jacobian(output)


def _by_directions(output: Node, wrt: Node, B: Namespace) -> Node | None:
    """Where eigenvalues are on the way, whose tangents are limits that depend on the output: one sweep over a basis."""
    direction = symbol(None, wrt.shape, wrt.dtype)
    (moved,) = tangents([output], [wrt], [direction], B)
    if moved is None:
        return None
    rows = _over_basis(moved, direction, B)
    c, r = len(wrt.shape), len(output.shape)
    return B.transpose(rows, (*range(c, c + r), *range(c)))  # type: ignore[no-any-return]


def _over_basis(node: Node, direction: Node, B: Namespace) -> Node:
    """A node that is linear in a direction, at all unit directions; their axes come first."""
    shape = tuple(int(n) for n in direction.shape)
    n = int(np.prod(shape))
    basis = constant(np.eye(n, dtype=direction.dtype).reshape(n, *shape))
    (rows,) = batch_graph([node], [direction], [basis], n, B)
    return B.reshape(rows, direction.shape + node.shape)  # type: ignore[no-any-return]


def _reverse(output: Node, wrt: Node, B: Namespace) -> Node | None:
    if output.shape == ():
        return gradient(output, [wrt], B=B)[0]
    cotangent = symbol(None, output.shape, output.dtype)
    (pulled,) = gradient(output, [wrt], cotangent, B)
    if pulled is None:
        return None
    if _few(output) and has_limits(output, wrt):
        return _over_basis(pulled, cotangent, B)
    r, c = len(output.shape), len(wrt.shape)
    found = TiedSweep(cotangent, B).jacobian(pulled)
    if found is None:
        return None
    if any(node is cotangent for node in ancestors(found)):  # not linear in it: a custom gradient that clips
        return _over_basis(pulled, cotangent, B)
    return found if not c else B.transpose(found, (*range(c, c + r), *range(c)))


def hessian(output: Node, wrt: Node, B: Namespace = DERIVATIVES) -> Node:
    """The second derivative of a scalar node.

    Parameters
    ----------
    output : Node
        Of shape ``()``.
    wrt : Node
    B : Namespace

    Returns
    -------
    Node
        Of shape ``(*wrt.shape, *wrt.shape)``; zeros where the output depends on ``wrt`` at most linearly.

    Raises
    ------
    ShapeError
        If the output is no scalar.

    Examples
    --------
    >>> from symtape.compile.evaluate import evaluate
    >>> from symtape.graph.node import symbol
    >>> from symtape.ops.namespace import NODES
    >>> import numpy as np
    >>> x = symbol("x", (2,))
    >>> H = hessian(NODES.sum(NODES.power(x, 3)), x)
    >>> evaluate([H], {x: np.array([1.0, 2.0])})[0]
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    _check_scalar(output, "hessian")
    (slope,) = gradient(output, [wrt], B=B)
    found = None if slope is None else _forward(slope, wrt, B)
    return B.zeros(wrt.shape + wrt.shape, output.dtype) if found is None else found


def hvp(output: Node, wrt: Node, direction: Node, B: Namespace = DERIVATIVES) -> Node:
    """The Hessian of a scalar node times a direction, forward over reverse: the Hessian itself is never built.

    Parameters
    ----------
    output : Node
        Of shape ``()``.
    wrt, direction : Node
        Of equal shapes.
    B : Namespace

    Returns
    -------
    Node
        Of ``wrt``'s shape.
    """
    _check_scalar(output, "hvp")
    if direction.shape != wrt.shape:
        raise ShapeError(f"hvp: the direction has shape {direction.shape}, wanted that of the variable: {wrt.shape}")
    (slope,) = gradient(output, [wrt], B=B)
    return _along(slope, wrt, direction, wrt, B)


def directional(output: Node, wrt: Node, direction: Node, B: Namespace = DERIVATIVES) -> Node:
    """The derivative of a node along a direction in another, by forward mode; of the output's shape."""
    if direction.shape != wrt.shape:
        raise ShapeError(
            f"directional: the direction has shape {direction.shape}, wanted that of the variable: {wrt.shape}"
        )
    return _along(output, wrt, direction, output, B)


def _along(output: Node | None, wrt: Node, direction: Node, like: Node, B: Namespace) -> Node:
    found = None if output is None else tangents([output], [wrt], [direction], B)[0]
    return B.zeros(like.shape, like.dtype) if found is None else found


def _check_scalar(output: Node, name: str) -> None:
    if output.shape != ():
        raise ShapeError(
            f"{name}: the output has shape {output.shape}, wanted a scalar: sum it, "
            "or ask for the jacobian of its gradient"
        )
