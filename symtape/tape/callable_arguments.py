"""What a recorded callable is given: arrays, numbers and tensors become inputs, all else is handed on as it is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symtape import pytree
from symtape.compile.evaluate import evaluate
from symtape.graph.node import PLACEHOLDER, SYMBOLIC, Node, leaf, symbol
from symtape.graph.quantities import without_units
from symtape.graph.shapes import as_shape
from symtape.tape.tensor import Tensor, lift


@dataclass(frozen=True, slots=True)
class Spec:
    """Shape and dtype of an argument whose value is not known when a callable is recorded.

    Attributes
    ----------
    shape : tuple
        Lengths; a name for one that is bound later.
    dtype : dtype
    name : str, optional
        What formulas and messages call it; by default the name of the parameter.
    """

    shape: Any = ()
    dtype: npt.DTypeLike = np.float64
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Static:
    """An argument that is handed to the callable as it is."""

    value: Any


def is_whole(value: Any) -> bool:
    """Whether a container stands for itself among arguments and results."""
    return isinstance(value, (Spec, Static, Tensor))


def prepare(value: Any) -> Any:
    """An argument as an array, a `Spec` or a `Static`."""
    if isinstance(value, (Spec, Static)):
        return value
    if isinstance(value, Tensor):
        node = value.node
        if node.flags & (SYMBOLIC | PLACEHOLDER):
            return Spec(node.shape, node.dtype)
        return evaluate((node,))[0]
    if isinstance(value, (bool, int, float, np.number, np.bool_, np.ndarray)) or hasattr(value, "__array__"):
        array = np.array(without_units(value))
        if array.dtype.kind == "O" and any(isinstance(e, Tensor) for e in array.flat):
            return prepare(lift(array))
        return array if array.dtype.kind in "biufc" else Static(value)
    return Static(value)


def input_leaf(value: Any, name: str) -> Node:
    """The leaf for an argument that `prepare` made ready: a symbol for a `Spec`, else a leaf with that value."""
    if isinstance(value, Spec):
        return symbol(value.name or name, as_shape(value.shape), value.dtype)
    return leaf(value, name)


def labels(function: Callable[..., Any], arguments: pytree.Structure) -> list[str]:
    """A name for every leaf of the arguments: that of the parameter, and the path below it."""
    positional, keyword = arguments.children
    heads = _parameters(function, len(positional.children))
    names: list[str] = []
    for head, child in [
        *zip(heads, positional.children, strict=True),
        *zip(keyword.keys, keyword.children, strict=True),
    ]:
        names.extend("_".join([head, *map(str, path)]) for path in child.paths())
    return names


def _parameters(function: Callable[..., Any], count: int) -> list[str]:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names: list[str] = []
    for k in range(count):
        if k < len(parameters) and parameters[k].kind in (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
        ):
            names.append(parameters[k].name)
        else:
            rest = next((p.name for p in parameters if p.kind is inspect.Parameter.VAR_POSITIONAL), "x")
            names.append(f"{rest}_{k}")
    return names
