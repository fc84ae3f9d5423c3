"""Jacobians and Hessians in functional style, under JAX's names: all derivatives of all outputs at once.

`jacobian` and `hessian` derive in tensor form, where the structure of the function shows in the result; `jacrev` and
`jacfwd` pull all unit cotangents back or push all unit tangents forward, together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symtape.autodiff.batching import batch_graph
from symtape.autodiff.forward import tangents
from symtape.autodiff.jacobian import jacobian as jacobian_node
from symtape.autodiff.reverse import gradient, pullback
from symtape.errors import ShapeError
from symtape.graph.node import Node, constant, symbol
from symtape.graph.shapes import is_known
from symtape.ops.namespace import DERIVATIVES as B
from symtape.tape.functional import Transformed, call_at, dressed_as, or_zeros


def jacobian(fun: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Transformed:
    """The Jacobian of a function of arrays as a function, derived in tensor form.

    Parameters
    ----------
    fun : callable
        Returns arrays, nested structures of them too.
    argnums, has_aux
        See `grad`.

    Returns
    -------
    callable
        Gives, for each output, the structure of the differentiated argument, with shapes ``output.shape +
        input.shape``.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> st.jacobian(lambda x: np.array([x[0] * x[1], x[1]]))(np.array([2.0, 3.0]))
    array([[3., 2.],
           [0., 1.]])
    """
    return _jacobian(fun, argnums, has_aux, "jacobian", jacobian_node)


def jacrev(fun: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Transformed:
    """The Jacobian by reverse mode, all rows at once: cheap where outputs are few. See `jacobian`.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> st.jacrev(lambda x: x**2)(np.array([2.0, 3.0]))
    array([[4., 0.],
           [0., 6.]])
    """
    return _jacobian(fun, argnums, has_aux, "jacrev", _rows)


def jacfwd(fun: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Transformed:
    """The Jacobian by forward mode, all columns at once: cheap where inputs are few. See `jacobian`.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> st.jacfwd(lambda t: np.array([np.sin(t), t**2]))(0.0)
    array([1., 0.])
    """
    return _jacobian(fun, argnums, has_aux, "jacfwd", _columns)


def hessian(fun: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Transformed:
    """The second derivatives of a function as a function.

    Parameters
    ----------
    fun, argnums, has_aux
        See `jacobian`; ``fun`` need not return a scalar.

    Returns
    -------
    callable
        Gives, for each output, a structure of structures of the differentiated argument, with shapes
        ``output.shape + input.shape + input.shape``.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> st.hessian(lambda x: x[0]**2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """

    @dressed_as(fun, "hessian")
    def hessian_of(*args: Any, **kwargs: Any) -> Any:
        c, single = call_at(fun, args, kwargs, argnums, "st.hessian", has_aux)
        nodes: list[Node] = []
        for output in c.values:
            for x in c.inputs:
                first = gradient(output, [x])[0] if output.shape == () else jacobian_node(output, x)
                for z in c.inputs:
                    second = None if first is None else jacobian_node(first, z)
                    nodes.append(or_zeros(second, output, x, z))
        results = c.finish([*nodes, *c.auxiliary])
        inner = len(c.inputs)
        by_output = []
        for k in range(len(c.values)):
            own = results[k * inner * inner : (k + 1) * inner * inner]
            rows = [c.per_argument(own[i * inner : (i + 1) * inner], single) for i in range(inner)]
            by_output.append(c.per_argument(rows, single))
        value = c.as_value(by_output)
        return value if c.aux is None else (value, c.aux.rebuild(results[len(nodes) :]))

    return hessian_of


def _jacobian(
    fun: Callable[..., Any],
    argnums: int | Sequence[int],
    has_aux: bool,
    name: str,
    derive: Callable[[Node, Node], Node | None],
) -> Transformed:
    @dressed_as(fun, name)
    def jacobian_of(*args: Any, **kwargs: Any) -> Any:
        c, single = call_at(fun, args, kwargs, argnums, f"st.{name}", has_aux)
        nodes = [or_zeros(derive(output, x), output, x) for output in c.values for x in c.inputs]
        results = c.finish([*nodes, *c.auxiliary])
        inner = len(c.inputs)
        blocks = [results[k * inner : (k + 1) * inner] for k in range(len(c.values))]
        value = c.as_value([c.per_argument(own, single) for own in blocks])
        return value if c.aux is None else (value, c.aux.rebuild(results[len(nodes) :]))

    return jacobian_of


def _units(node: Node, by: str) -> Node:
    """All unit arrays of a node's shape, stacked in front."""
    if not is_known(node.shape):
        raise ShapeError(f"{by} needs the lengths of {node!r}: one is only named; use st.jacobian")
    count = int(np.prod([int(d) for d in node.shape]))
    return constant(np.eye(count, dtype=node.dtype).reshape(count, *node.shape))


def _rows(output: Node, x: Node) -> Node | None:
    """The Jacobian by pulling all unit cotangents back together."""
    if output.dtype.kind != "f":
        return None
    cotangent = symbol("cotangent", output.shape, output.dtype)
    (pulled,) = pullback([output], [cotangent], [x])
    if pulled is None:
        return None
    units = _units(output, "st.jacrev")
    (rows,) = batch_graph([pulled], [cotangent], [units], B=B)
    return B.reshape(rows, (*output.shape, *x.shape))  # type: ignore[no-any-return]


def _columns(output: Node, x: Node) -> Node | None:
    """The Jacobian by pushing all unit tangents forward together."""
    tangent = symbol("tangent", x.shape, x.dtype)
    (pushed,) = tangents([output], [x], [tangent])
    if pushed is None:
        return None
    units = _units(x, "st.jacfwd")
    (columns,) = batch_graph([pushed], [tangent], [units], B=B)
    last = B.moveaxis(columns, 0, -1)
    return B.reshape(last, (*output.shape, *x.shape))  # type: ignore[no-any-return]
