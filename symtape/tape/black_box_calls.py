"""What a black box is called with and what it returns, as the params of its operation.

Arrays are inputs, Python numbers are inputs that stay Python numbers, anything else is a setting and handed on as it
is. The shape of the result is said by whoever declares it, or seen by calling the function once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from symtape.compile.evaluate import evaluate
from symtape.errors import MissingValueError, ShapeError, UnboundDimensionError
from symtape.graph.node import PLACEHOLDER, SYMBOLIC, Node
from symtape.graph.shapes import is_known
from symtape.ops.opaque import as_numbers, handed
from symtape.ops.opaque_params import ARRAY, NUMBER, Arguments, Results, Setting, filled, input_places, setting
from symtape.tape.tensor import Tensor, holds_tensor, lift


@dataclass(frozen=True, slots=True)
class Bound:
    """A call that is to be recorded.

    Attributes
    ----------
    arguments : Arguments
    inputs : tuple of Tensor
    names : tuple of str
        Of the inputs.
    """

    arguments: Arguments
    inputs: tuple[Tensor, ...]
    names: tuple[str, ...]


def has_tensor(args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether a call has to be recorded."""
    return holds_tensor([*args, *kwargs.values()])


def bind(label: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Bound:
    """Sort the arguments of a call into inputs and settings; what can stand by position does.

    Raises
    ------
    TypeError
        For a container with tensors in it, a tensor that can only be given by keyword, a setting that has no hash.
    """
    signature = _signature(function)
    names = [f"argument {k}" for k in range(len(args))]
    if signature is not None:
        bound = signature.bind(*args, **kwargs)
        _complete(bound, function)
        args, kwargs = bound.args, bound.kwargs
        names = _names(signature, len(args))
    places: list[str | Setting] = []
    inputs: list[Tensor] = []
    input_names = []
    for name, value in zip(names, args, strict=True):
        if type(value) in (bool, int, float):
            places.append(NUMBER)
        elif _is_array(value):
            places.append(ARRAY)
        else:
            places.append(_setting(label, name, value))
            continue
        tensor = lift(value)
        if not is_known(tensor.shape):
            raise UnboundDimensionError(f"{label}: {name} has shape {tensor.shape}; a black box needs known lengths")
        inputs.append(tensor)
        input_names.append(name)
    keywords = tuple((name, _keyword(label, name, value)) for name, value in sorted(kwargs.items()))
    return Bound((tuple(places), keywords), tuple(inputs), tuple(input_names))


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):  # of a function in C
        return None


def _complete(bound: inspect.BoundArguments, function: Callable[..., Any]) -> None:
    """Put defaults in: all those of a function in Python, else those in front of an argument that was given."""
    python = inspect.unwrap(function)
    positional = [
        p for p in bound.signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    last = len(positional)
    if not (hasattr(python, "__code__") or hasattr(type(python).__call__, "__code__")):
        last = max((k for k, p in enumerate(positional) if p.name in bound.arguments), default=0)
    given = {**{p.name: p.default for p in positional[:last]}, **bound.arguments}
    bound.arguments = {name: given[name] for name in bound.signature.parameters if name in given}


def _names(signature: inspect.Signature, count: int) -> list[str]:
    parameters = [p for p in signature.parameters.values() if p.kind is not p.KEYWORD_ONLY]
    own = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [own[k] if k < len(own) else f"argument {k}" for k in range(count)]


def _is_array(value: Any) -> bool:
    if isinstance(value, (Tensor, np.ndarray, np.number, np.bool_)):
        return True
    if isinstance(value, (list, tuple)):
        return isinstance(value, list) or holds_tensor(value)
    return hasattr(value, "__array__")


def _setting(label: str, name: str, value: Any) -> Setting:
    if isinstance(value, Mapping) and holds_tensor(list(value.values())):
        raise TypeError(f"{label}: {name} is a {type(value).__name__} of tensors; a black box takes arrays, one by one")
    try:
        hash(value)
    except TypeError:
        raise TypeError(
            f"{label}: {name} is a {type(value).__name__}; a black box takes arrays, numbers and settings that have a "
            "hash, such as text, tuples or None"
        ) from None
    return setting(value)


def _keyword(label: str, name: str, value: Any) -> Setting:
    if isinstance(value, np.ndarray) or holds_tensor([value]):
        raise TypeError(f"{label}: {name} can be given by keyword only, and is an array; arrays are given by position")
    return _setting(label, name, value)


# ------------------------------------------------------------------------------------------------------------- results


def declared(label: str, shape: Any, bound: Bound) -> tuple[Results, bool]:
    """Shapes and dtypes that a declaration says, and whether they are those of a tuple."""
    if callable(shape):
        places = zip(input_places(bound.arguments), bound.inputs, strict=True)
        given = [
            x.node.value if p == NUMBER else np.zeros(cast("tuple[int, ...]", x.shape), x.dtype) for p, x in places
        ]
        args, kwargs = filled(bound.arguments, given)
        shape = shape(*args, **kwargs)
    if _is_one(shape):
        return (_spec(label, shape),), False
    if isinstance(shape, (tuple, list)) and shape:
        return tuple(_spec(label, s) for s in shape), True
    raise TypeError(_wanted(label, shape))


def _is_one(shape: Any) -> bool:
    if isinstance(shape, tuple):
        return all(isinstance(n, (int, np.integer)) for n in shape)
    return isinstance(shape, (int, np.integer)) or (hasattr(shape, "shape") and hasattr(shape, "dtype"))


def _spec(label: str, shape: Any) -> tuple[tuple[int, ...], str]:
    if not _is_one(shape):
        raise TypeError(_wanted(label, shape))
    dtype = np.dtype(getattr(shape, "dtype", np.float64))
    lengths = getattr(shape, "shape", (shape,) if isinstance(shape, (int, np.integer)) else shape)
    if dtype.kind not in "biuf" or any(n < 0 for n in lengths):
        raise TypeError(_wanted(label, shape))
    return tuple(int(n) for n in lengths), dtype.name


def _wanted(label: str, shape: Any) -> str:
    return (
        f"{label}: the shape of the result is declared as {shape!r}; wanted a tuple of lengths, an array like the "
        "result (np.empty(shape, dtype)), a list of these for several results, or a function of the arguments that "
        "gives one"
    )


def seen(label: str, function: Callable[..., Any], bound: Bound) -> tuple[Results, bool, Any]:
    """Shapes and dtypes of what a call of the function returns, whether it is a tuple, and it.

    Raises
    ------
    MissingValueError
        If an input has no value to call the function with.
    """
    nodes = [x.node for x in bound.inputs]
    missing = next((n for n, x in zip(bound.names, nodes, strict=True) if _has_no_value(x)), None)
    if missing is not None:
        raise MissingValueError(
            f"{label}: {missing} has no value here (it depends on a symbol, or on an argument of st.vmap), so the "
            "function cannot be called to see the shape of its result: declare it, @st.black_box(shape=...)"
        )
    places = input_places(bound.arguments)
    args, kwargs = filled(bound.arguments, [handed(x, p) for x, p in zip(evaluate(nodes), places, strict=True)])
    with np.errstate(all="ignore"):
        found = function(args, kwargs)
    several = isinstance(found, tuple)
    if several and not found:
        raise TypeError(f"{label} returned an empty tuple, wanted an array or several")
    arrays = [as_numbers(y, f"result {k} of {label}") for k, y in enumerate(found if several else (found,))]
    return tuple((a.shape, a.dtype.name) for a in arrays), several, tuple(np.array(a)[()] for a in arrays)


def _has_no_value(node: Node) -> bool:
    return bool(node.flags & (SYMBOLIC | PLACEHOLDER))


def checked_rule(found: Tensor, node: Node, what: str) -> Tensor:
    """A gradient or tangent of a recorded rule, with the shape that it must have."""
    if found.shape != node.shape:
        raise ShapeError(f"{what} returned a tensor of shape {found.shape}, wanted {node.shape}")
    return found
