"""Derivatives in functional style, under JAX's names and with their meaning: functions in, functions out.

Arrays in, arrays out (Python numbers for shape ()); tensors or symbols in, tensors out. Nested structures are
differentiated leaf by leaf. The functions made here record their callable at every call and evaluate by NumPy; `st.jit`
around one of them compiles it. Transforms nest: ``st.grad(st.grad(f))``, ``st.vmap(st.hessian(f))``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from symtape import pytree
from symtape.autodiff.forward import tangents as push
from symtape.autodiff.reverse import gradient, pullback
from symtape.errors import DTypeError, ShapeError
from symtape.graph.node import Node, symbol
from symtape.ops.namespace import DERIVATIVES as B
from symtape.tape.callable_arguments import is_whole
from symtape.tape.functional import Call, Transformed, call, call_at, dressed_as, or_zeros, scalar_output
from symtape.tape.tensor import Tensor, lift


def grad(fun: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Transformed:
    """The gradient of a scalar function as a function.

    Parameters
    ----------
    fun : callable
        Returns one scalar.
    argnums : int or sequence of int
        Which positional arguments to differentiate in. With a sequence the result is a tuple.
    has_aux : bool
        Whether ``fun`` returns a pair ``(value, auxiliary data)``; then the result is ``(gradient, auxiliary data)``.

    Returns
    -------
    callable
        With the arguments of ``fun``; gives the gradient in the structure of the differentiated argument, zeros where
        ``fun`` does not depend on it.

    Raises
    ------
    ShapeError
        At the call, if ``fun`` does not return a scalar.
    NotDifferentiableError
        At the call, if a differentiated argument is no float.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> st.grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    array([2., 4.])
    >>> st.grad(lambda p, x: p["a"] * x + p["b"])({"a": 2.0, "b": 1.0}, 3.0)
    {'a': 3.0, 'b': 1.0}
    >>> x = st.symbol("x")
    >>> st.grad(np.sin)(x).expr
    cos(x)
    """
    dress = dressed_as(fun, "grad")
    both = value_and_grad(fun, argnums, has_aux)

    @dress
    def gradient_of(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient_of


def value_and_grad(fun: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Transformed:
    """Value and gradient of a scalar function together.

    Parameters
    ----------
    fun, argnums, has_aux
        See `grad`.

    Returns
    -------
    callable
        Gives ``(value, gradient)``, or ``((value, auxiliary data), gradient)``.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> st.value_and_grad(lambda x, y: x * y, argnums=(0, 1))(3.0, 2.0)
    (6.0, (2.0, 3.0))
    """

    @dressed_as(fun, "value_and_grad")
    def value_and_gradient_of(*args: Any, **kwargs: Any) -> Any:
        c, single = call_at(fun, args, kwargs, argnums, "st.grad", has_aux)
        output = scalar_output(c)
        found = [or_zeros(g, x) for g, x in zip(gradient(output, c.inputs), c.inputs, strict=True)]
        results = c.finish([output, *found, *c.auxiliary])
        aux = results[1 + len(found) :]
        slopes = c.per_argument(results[1 : 1 + len(found)], single)
        value = c.as_value(results[:1])
        return ((value, c.aux.rebuild(aux)), slopes) if c.aux is not None else (value, slopes)

    return value_and_gradient_of


def jvp(fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> Any:
    """Value and directional derivative of a function.

    Parameters
    ----------
    fun : callable
    primals : sequence
        The positional arguments.
    tangents : sequence
        The direction, nested and shaped like ``primals``.
    has_aux : bool
        See `grad`.

    Returns
    -------
    tuple
        ``(value, derivative)``, or ``(value, derivative, auxiliary data)``.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> st.jvp(lambda x, y: x * y, (3.0, 2.0), (1.0, 10.0))
    (6.0, 32.0)
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise TypeError(
            f"st.jvp: primals and tangents must be tuples or lists of arguments, got {primals!r} and {tangents!r}"
        )
    if len(primals) != len(tangents):
        raise ValueError(f"st.jvp: {len(primals)} primals, but {len(tangents)} tangents")
    c = call(fun, primals, {}, range(len(primals)), by="st.jvp", has_aux=has_aux)
    directions, given = _like_inputs(c, [_matched(c, k, t, "tangents") for k, t in enumerate(tangents)], "the tangent")
    found = [or_zeros(d, o) for d, o in zip(push(c.values, c.inputs, directions), c.values, strict=True)]
    plain = not any(isinstance(t, Tensor) for t in pytree.flatten(tangents, is_whole)[0])
    results = c.finish([*c.values, *found, *c.auxiliary], given, plain)
    n = len(c.values)
    value, slope = c.as_value(results[:n]), c.as_value(results[n : 2 * n])
    return (value, slope) if c.aux is None else (value, slope, c.aux.rebuild(results[2 * n :]))


def vjp(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Value of a function, and the function that pulls cotangents of the value back to the arguments.

    Parameters
    ----------
    fun : callable
    *primals
        The positional arguments.
    has_aux : bool
        See `grad`.

    Returns
    -------
    tuple
        ``(value, pull)``, or ``(value, pull, auxiliary data)``. ``pull(cotangent)``, with a cotangent nested and shaped
        like the value, gives a tuple with one entry for each argument.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> value, pull = st.vjp(lambda x, y: x * y, np.array([1.0, 2.0]), 3.0)
    >>> value, pull(np.array([1.0, 10.0]))
    (array([3., 6.]), (array([ 3., 30.]), 21.0))
    """
    c = call(fun, primals, {}, range(len(primals)), by="st.vjp", has_aux=has_aux)
    results = c.finish([*c.values, *c.auxiliary])
    n = len(c.values)
    value = c.as_value(results[:n])

    def pull(cotangent: Any) -> Any:
        """Cotangents of the arguments."""
        structure = pytree.flatten(value, is_whole)[1]
        leaves = [v for v in structure.match(cotangent, "st.vjp: the cotangent") if v is not None]
        nodes, given = _stand_ins(c.values, leaves, "st.vjp: the cotangent")
        found = [or_zeros(g, x) for g, x in zip(pullback(c.values, nodes, c.inputs), c.inputs, strict=True)]
        return c.per_argument(c.finish(found, given, not any(isinstance(v, Tensor) for v in leaves)), single=False)

    return (value, pull) if c.aux is None else (value, pull, c.aux.rebuild(results[n:]))


def hvp(fun: Callable[..., Any]) -> Transformed:
    """The product of a scalar function's Hessian with a vector, without the Hessian.

    Parameters
    ----------
    fun : callable
        Returns one scalar; differentiated twice in its first argument.

    Returns
    -------
    callable
        ``product(x, v, *args, **kwargs)``, as SciPy's ``hessp``: ``v`` is nested and shaped like ``x``, and so is the
        result.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> st.hvp(lambda x: x[0]**2 * x[1])(np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([4., 2.])
    """

    @dressed_as(fun, "hvp")
    def product_of(x: Any, v: Any, *args: Any, **kwargs: Any) -> Any:
        c = call(fun, (x, *args), kwargs, (0,), by="st.hvp")
        output = scalar_output(c)
        directions, given = _like_inputs(c, [_matched(c, 0, v, "v")], "the vector")
        slopes = gradient(output, c.inputs)
        moving = [s for s in slopes if s is not None]
        pushed = iter(push(moving, c.inputs, directions))
        found = [or_zeros(None if s is None else next(pushed), i) for s, i in zip(slopes, c.inputs, strict=True)]
        plain = not any(isinstance(t, Tensor) for t in pytree.flatten(v, is_whole)[0])
        return c.per_argument(c.finish(found, given, plain), single=True)

    return product_of


# ------------------------------------------------------------------------------------------------------ what they share


def _matched(c: Call, k: int, tree: Any, what: str) -> list[Any]:
    structure, _, _ = c.groups[k]
    return structure.match(tree, f"{c.by}: {what}[{k}]")


def _like_inputs(c: Call, leaves: Sequence[Sequence[Any]], what: str) -> tuple[list[Node], dict[Node, Tensor]]:
    return _stand_ins(c.inputs, [leaf for own in leaves for leaf in own], f"{c.by}: {what}")


def _stand_ins(like: Sequence[Node], given: Sequence[Any], what: str) -> tuple[list[Node], dict[Node, Tensor]]:
    """Nodes for what a caller gave in the shapes of other nodes; tensors get a leaf that they replace at the end."""
    nodes: list[Node] = []
    replaced: dict[Node, Tensor] = {}
    for k, (node, value) in enumerate(zip(like, given, strict=True)):
        try:
            tensor = lift(value)
        except DTypeError as error:
            raise DTypeError(f"{what} is {value!r} at place {k}, wanted an array of shape {node.shape}") from error
        if tensor.shape != node.shape:
            raise ShapeError(f"{what} has shape {tensor.shape} at place {k}, wanted {node.shape}")
        if isinstance(value, Tensor):
            stand_in = symbol("direction", node.shape, tensor.dtype)
            replaced[stand_in] = tensor
        else:
            stand_in = tensor.node
        nodes.append(stand_in if stand_in.dtype == node.dtype else B.astype(stand_in, node.dtype))
    return nodes, replaced
