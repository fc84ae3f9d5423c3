"""Elementwise functions that users enter: from a sympy expression, or from a Python function with its derivative.

An expression becomes what its operations become, with nothing between; so it is compiled and differentiated like any
other. A Python function becomes an operation that compiled code calls back, element by element in one array call.
"""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symtape.compile.evaluate import evaluate
from symtape.errors import NotDifferentiableError, ShapeError, SlowCallbackWarning
from symtape.graph.node import symbol
from symtape.ops import registry, sympy_bridge
from symtape.ops.namespace import NODES
from symtape.ops.op import Partial
from symtape.tape.functions import offer
from symtape.tape.tensor import Tensor, wrap

_own: set[str] = set()


def register_elementwise(name: Any, meaning: Any, derivative: Any = None) -> Callable[..., Any]:
    """Enter an elementwise function of your own.

    Parameters
    ----------
    name : str
        An identifier that no function here has; entering your own name again replaces it.
    meaning : sympy expression, sympy Lambda or callable
        An expression is a function of its symbols, in the order of their names, or of a Lambda's in theirs. A callable
        takes arrays that broadcast and returns an array of their common shape.
    derivative : sympy expression, callable or number, or a sequence of them
        One for each argument. A callable takes what the function takes and is written with functions that record; None
        in a sequence says that no gradient flows to that argument. An expression needs none.

    Returns
    -------
    callable
        Arrays in, arrays out; with a tensor among the arguments, a tensor.

    Warns
    -----
    SlowCallbackWarning
        When a callable is compiled: compiled code calls back into Python.

    Examples
    --------
    >>> import sympy, symtape as st
    >>> t = sympy.Symbol("t")
    >>> swish = st.register_elementwise("swish", t / (1 + sympy.exp(-t)))
    >>> x = st.Variable(0.0, name="x")
    >>> with st.GradientTape() as tape:
    ...     y = swish(x)
    >>> float(tape.gradient(y, x))
    0.5
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"the name of a function must be an identifier, got {name!r}")
    if name not in _own and (name in registry.functions() or name in registry.ops()):
        raise ValueError(f"symtape has a function named {name!r} already: choose another name")
    expression = _as_expression(meaning)
    if expression is None and not callable(meaning):
        raise TypeError(f"wanted a sympy expression or a function of arrays, got {meaning!r}")
    variables = _variables(meaning) if expression is not None else _parameters(meaning)
    if not variables:
        raise TypeError(f"{name} has no arguments: {meaning!r}")
    partials = _partials(name, variables, derivative, known=expression is not None)
    registry.forget(name)
    if expression is not None and derivative is None:
        _enter_expression(name, expression, variables)
    else:
        _enter_op(name, meaning, expression, variables, partials)
    _own.add(name)
    return offer(registry.functions()[name], name)


def _as_expression(meaning: Any) -> Any:
    """The sympy expression, of a Lambda its body; None if it is none."""
    if not hasattr(meaning, "free_symbols"):
        return None
    return getattr(meaning, "expr", meaning) if hasattr(meaning, "variables") else meaning


def _variables(meaning: Any) -> list[Any]:
    given = getattr(meaning, "variables", None)
    return list(given) if given is not None else sorted(meaning.free_symbols, key=lambda s: s.name)


def _parameters(function: Callable[..., Any]) -> list[str]:
    """Names of the arguments that a function must be given."""
    count = getattr(function, "nin", None)
    if count is not None:  # a ufunc
        return [f"x{k}" for k in range(count)]
    parameters = inspect.signature(function).parameters.values()
    return [
        p.name for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]


def _enter_expression(name: str, expression: Any, variables: Sequence[Any]) -> None:
    def apply(B: Any, *args: Any) -> Any:
        _check_count(name, args, variables)
        return sympy_bridge.from_sympy(B, expression, dict(zip(variables, args, strict=True)))

    apply.__doc__ = f"``{expression}``, entered by `register_elementwise`."
    registry.function(name=name)(apply)


def _check_count(name: str, args: Sequence[Any], variables: Sequence[Any]) -> None:
    if len(args) != len(variables):
        names = ", ".join(map(str, variables))
        raise TypeError(f"{name} takes {len(variables)} arguments ({names}), got {len(args)}")


def _enter_op(name: str, meaning: Any, expression: Any, variables: Sequence[Any], partials: dict[int, Partial]) -> None:
    count = len(variables)
    value = _called(name, meaning) if expression is None else _evaluated(expression, variables)

    def formula(sp: Any, *args: Any) -> Any:
        if expression is None:
            return sp.Function(name, real=True)(*args)
        return expression.subs(dict(zip(variables, args, strict=True)), simultaneous=True)

    parameter = inspect.Parameter
    formula.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [parameter("sp", parameter.POSITIONAL_ONLY)]
        + [parameter(f"x{k}", parameter.POSITIONAL_ONLY) for k in range(count)]
    )

    def lowering(*_: Any) -> None:
        warnings.warn(
            f"{name} is a Python function: compiled code calls back for it, which is slow; register it as a sympy "
            "expression, or write it with functions that record",
            SlowCallbackWarning,
            stacklevel=2,
        )

    registry.elementwise(
        name, value, formula, implements=(f"{__name__}.{name}",), partials=partials, lowering=lowering, arity=count
    )


def _called(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of arrays, its result looked at."""

    def value(*args: Any) -> Any:
        found = np.asarray(function(*args))
        shape = np.broadcast_shapes(*[np.shape(a) for a in args])
        if found.shape != shape:
            raise ShapeError(f"{name} is entered as an elementwise function: wanted shape {shape}, got {found.shape}")
        return found[()]

    return value


def _evaluated(expression: Any, variables: Sequence[Any]) -> Callable[..., Any]:
    """The value of an expression, computed as its graph is."""

    def value(*args: Any) -> Any:
        arrays = [np.asarray(a) for a in args]
        leaves = [symbol(v.name, a.shape, a.dtype) for v, a in zip(variables, arrays, strict=True)]
        output = sympy_bridge.from_sympy(NODES, expression, dict(zip(variables, leaves, strict=True)))
        return evaluate([output], dict(zip(leaves, arrays, strict=True)))[0]

    return value


# ---------------------------------------------------------------------------------------------------------- derivatives


def _partials(name: str, variables: Sequence[Any], derivative: Any, *, known: bool) -> dict[int, Partial]:
    if derivative is None:
        return {} if known else {k: _missing(name, str(v)) for k, v in enumerate(variables)}
    given = list(derivative) if isinstance(derivative, (tuple, list)) else [derivative]
    if len(given) != len(variables):
        raise ValueError(f"{name} has {len(variables)} arguments, but {len(given)} derivatives were given")
    return {k: _rule(name, variables, d) for k, d in enumerate(given)}


def _missing(name: str, argument: str) -> Callable[..., Any]:
    def rule(*_: Any) -> Any:
        raise NotDifferentiableError(
            f"{name} was registered without a derivative, and one in {argument} was asked for: "
            f"st.register_elementwise({name!r}, ..., derivative=...)"
        )

    return rule


def _rule(name: str, variables: Sequence[Any], derivative: Any) -> Partial:
    if derivative is None:
        return None
    if isinstance(derivative, (int, float)) and math.isfinite(derivative):
        return float(derivative)
    expression = _as_expression(derivative)
    if expression is not None:
        own = _variables(derivative) if hasattr(derivative, "variables") else variables
        by_name = [str(v) for v in own]
        return lambda B, y, *inputs: sympy_bridge.from_sympy(B, expression, dict(zip(by_name, inputs, strict=True)))
    if not callable(derivative):
        raise TypeError(f"a derivative of {name} is a sympy expression, a function or a number, got {derivative!r}")

    def rule(B: Any, y: Any, *inputs: Any) -> Any:
        return B.lift(derivative(*[x if isinstance(x, Tensor) else wrap(x) for x in inputs]))

    return rule
