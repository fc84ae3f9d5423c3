"""Several unknowns of any shape as one flat vector and back: the first reduction of every problem.

The graph itself is rewritten: each unknown's leaf becomes a slice of one leaf ``x`` of shape (n,), reshaped. So
gradients, Hessians and Jacobians come out of autodiff in flat form, and what solves the problem sees a function of
one vector.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symtape.errors import (
    AmbiguousVariableError,
    DTypeError,
    MissingValueError,
    NonFiniteError,
    ShapeError,
    UnusedVariableError,
)
from symtape.graph.node import LEAF, Node, symbol
from symtape.graph.quantities import real_number
from symtape.graph.shapes import is_known
from symtape.graph.source import describe
from symtape.graph.traverse import leaves
from symtape.ops.namespace import NODES
from symtape.optimize.standard_form import Array
from symtape.tape.tensor import Tensor, wrap
from symtape.tape.variable import Variable


@dataclass(frozen=True, slots=True)
class Unknown:
    """One of the quantities that are solved for.

    Attributes
    ----------
    name : str
    node : Node
        Its leaf in the graph.
    offset : int
        Where it begins in the flat vector.
    tensor : Tensor or None
        What the user knows it by.
    """

    name: str
    node: Node
    offset: int
    tensor: Tensor | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return tuple(int(n) for n in self.node.shape)

    @property
    def size(self) -> int:
        """Number of its elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def place(self) -> slice:
        """Its part of the flat vector."""
        return slice(self.offset, self.offset + self.size)


@dataclass(frozen=True, slots=True)
class Unknowns:
    """All unknowns of a problem, in order.

    Attributes
    ----------
    items : tuple of Unknown
    x : Node
        The leaf of the flat vector.
    """

    items: tuple[Unknown, ...]
    x: Node

    @property
    def size(self) -> int:
        """Length of the flat vector."""
        return int(self.x.shape[0])

    def substitution(self) -> dict[Node, Node]:
        """What stands for each unknown's leaf in the flattened graph."""
        B = NODES
        result: dict[Node, Node] = {}
        for item in self.items:
            if item.shape == (self.size,):
                result[item.node] = self.x
            elif item.shape == ():
                result[item.node] = B.getitem(self.x, item.offset)
            else:
                part = self.x if len(self.items) == 1 else B.getitem(self.x, item.place)
                result[item.node] = part if len(item.shape) == 1 else B.reshape(part, item.shape)
        return result

    def split(self, x: Array) -> dict[Node, Array]:
        """The value of each unknown's leaf, fresh, for a flat vector."""
        return {item.node: np.array(x[item.place]).reshape(item.shape) for item in self.items}

    def join(self, values: Mapping[Node, Any]) -> Array:
        """The flat vector for the values of the leaves."""
        x = np.empty(self.size)
        for item in self.items:
            x[item.place] = np.ravel(values[item.node])
        return x

    def label(self, i: int) -> str:
        """The name of coordinate ``i`` of the flat vector, such as ``v[2]``."""
        item = next(item for item in self.items if item.offset <= i < item.offset + item.size)
        if item.shape == ():
            return item.name
        index = ", ".join(str(int(k)) for k in np.unravel_index(i - item.offset, item.shape))
        return f"{item.name}[{index}]"


def flat(items: Iterable[tuple[str, Node, Tensor | None]]) -> Unknowns:
    """Lay out leaves one after the other.

    Parameters
    ----------
    items : iterable of (name, leaf, tensor)

    Returns
    -------
    Unknowns
    """
    placed: list[Unknown] = []
    offset = 0
    for name, node, tensor in items:
        if node.dtype.kind != "f":
            raise DTypeError(f"{name} has dtype {node.dtype}; what is solved for has to be a float variable")
        if not is_known(node.shape):
            raise ShapeError(f"{name} has the shape {node.shape}, of which a length is only named; give it a number")
        unknown = Unknown(name, node, offset, tensor)
        placed.append(unknown)
        offset += unknown.size
    return Unknowns(tuple(placed), symbol("x", (offset,)))


def listed(variables: Any, outputs: Sequence[Node], by: str) -> Unknowns:
    """The unknowns that a user listed, found in the graph.

    Parameters
    ----------
    variables : Tensor or sequence or mapping of them
        Variables or symbols.
    outputs : sequence of Node
        Objective and constraints.
    by : str
        Who asks, for messages.

    Returns
    -------
    Unknowns

    Raises
    ------
    UnusedVariableError
        A ValueError naming a variable that neither objective nor constraints contain.
    AmbiguousVariableError
        If the expression contains several versions of one variable.
    """
    tensors = _as_list(variables, by)
    below = leaves(outputs)
    names = unique_names([name_of(t) for t in tensors])
    found = [(name, _leaf_of(t, name, below, by), t) for t, name in zip(tensors, names, strict=True)]
    nodes = [node for _, node, _ in found]
    for k, node in enumerate(nodes):
        if node in nodes[:k]:
            raise ValueError(f"{by}: the variable {names[k]!r} is listed twice")
    return flat(found)


def _as_list(variables: Any, by: str) -> list[Tensor]:
    if isinstance(variables, Tensor):
        return [variables]
    if isinstance(variables, Mapping):
        variables = list(variables.values())
    if not isinstance(variables, (list, tuple)) or not variables:
        raise TypeError(
            f"{by}: wanted the variables to solve for, as a tensor or a list of them, got {variables!r}; for example "
            "st.minimize((x - 1)**2 + y**2, [x, y])"
        )
    for k, variable in enumerate(variables):
        if not isinstance(variable, Tensor):
            raise TypeError(f"{by}: variables[{k}] is the {type(variable).__name__} {variable!r}; wanted a Variable")
    return list(variables)


def name_of(tensor: Tensor) -> str | None:
    """The name that the user gave a leaf."""
    name = tensor.name if isinstance(tensor, Variable) else tensor.node.params[1] if tensor.node.op is LEAF else None
    return str(name) if name else None


def unique_names(names: Sequence[str | None]) -> list[str]:
    """A name for each, none of them twice: ``x0``, ``x1`` where there is none, and a number behind repeated ones."""
    result: list[str] = []
    for k, name in enumerate(names):
        candidate = base = name or f"x{k}"
        number = 1
        while candidate in result or (candidate != name and candidate in names):
            number += 1
            candidate = f"{base}_{number}"
        result.append(candidate)
    return result


def versions_of(tensor: Tensor, below: Sequence[Node]) -> list[Node]:
    """The leaves in a graph that belong to a variable, symbol or constant of the user's."""
    if isinstance(tensor, Variable):
        return [node for node in below if node.params[2] == tensor.ident]
    return [node for node in below if node is tensor.node]


def _leaf_of(tensor: Tensor, name: str, below: Sequence[Node], by: str) -> Node:
    found = versions_of(tensor, below)
    if len(found) == 1:
        return found[0]
    if found:
        lines = " and ".join(describe(node.code, node.lasti) for node in found[:2])
        raise AmbiguousVariableError(
            f"{by}: the expression contains {len(found)} versions of the variable {name!r} (it was assigned between "
            f"{lines}); build the expression from one version"
        )
    if tensor.node.op is not LEAF:
        raise TypeError(f"{by}: {tensor.node!r} is an expression; wanted variables or symbols to solve for")
    raise UnusedVariableError(
        f"{by}: neither the objective nor a constraint contains the variable {name!r}; leave it out, or check that the "
        "expression was built from it"
    )


def starting_values(unknowns: Unknowns, start: Any, by: str) -> Array:
    """The flat start: the variables' current values, overridden by what the caller gives.

    Parameters
    ----------
    unknowns : Unknowns
    start : None, array_like, sequence or mapping
        A flat array; one value per unknown; or a mapping from variables or names to values.
    by : str

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    NonFiniteError
        A ValueError naming the entry that is NaN or infinite.
    """
    values: dict[Node, Any] = {}
    for item in unknowns.items:
        own = item.tensor.node.value if item.tensor is not None else item.node.value
        if own is not None:
            values[item.node] = np.asarray(own, dtype=np.float64)
    if start is not None:
        values.update(_given_values(unknowns, start, by))
    for item in unknowns.items:
        value = values.get(item.node)
        if value is None:
            raise MissingValueError(f"{by}: {item.name} has no value to start from; give start={{{item.name!r}: ...}}")
        if np.shape(value) != item.shape:
            raise ShapeError(f"{by}: the start of {item.name} has shape {np.shape(value)}, wanted {item.shape}")
    x = unknowns.join(values)
    check_finite(x, unknowns.label, f"{by}: the start")
    return x


def check_finite(x: Array, label: Any, what: str) -> None:
    """Refuse NaN and infinity at a door, naming the entry."""
    bad = np.flatnonzero(~np.isfinite(x))
    if bad.size:
        i = int(bad[0])
        raise NonFiniteError(f"{what} is {x[i]} at {label(i)}; wanted finite numbers")


def _given_values(unknowns: Unknowns, start: Any, by: str) -> dict[Node, Array]:
    if isinstance(start, Mapping) and isinstance(start.get("params"), Mapping):
        start = start["params"]  # an earlier result
    if isinstance(start, Mapping):
        return dict(_by_key(unknowns, start, by))
    if isinstance(start, (list, tuple)) and len(start) == len(unknowns.items):
        return {item.node: _as_floats(value, item.name, by) for item, value in zip(unknowns.items, start, strict=True)}
    array = _as_floats(start, "the start", by)
    if len(unknowns.items) == 1 and array.shape == unknowns.items[0].shape:
        return {unknowns.items[0].node: array}
    if array.shape != (unknowns.size,):
        raise ShapeError(f"{by}: the start has shape {array.shape}, wanted ({unknowns.size},)")
    return dict(unknowns.split(array))


def _by_key(unknowns: Unknowns, start: Mapping[Any, Any], by: str) -> Iterable[tuple[Node, Array]]:
    for key, value in start.items():
        for item in unknowns.items:
            if (isinstance(key, Tensor) and key is item.tensor) or (isinstance(key, str) and key == item.name):
                yield item.node, _as_floats(value, item.name, by)
                break
        else:
            names = ", ".join(item.name for item in unknowns.items)
            shown = name_of(key) if isinstance(key, Tensor) else key
            raise ValueError(f"{by}: {shown!r} in the start is not among what is solved for: {names}")


def _as_floats(value: Any, name: str, by: str) -> Array:
    if isinstance(value, Tensor):
        value = value.numpy()
    value = real_number(value, f"{by}: {name}")
    try:
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DTypeError(f"{by}: {name} is {value!r}; wanted numbers") from error


def given_parameters(
    given: Mapping[Any, Any], unknowns: Unknowns, outputs: Sequence[Node], by: str
) -> list[tuple[Node, Tensor, Array]]:
    """The values that a caller gives for parameters, found in the graph.

    Parameters
    ----------
    given : mapping
        From a variable, constant or symbol, or its name, to a value.
    unknowns : Unknowns
    outputs : sequence of Node
        Objective and constraints.
    by : str

    Returns
    -------
    list of (leaf, tensor, value)

    Raises
    ------
    ValueError
        If a key is solved for, or stands nowhere in the problem.
    """
    below = leaves(outputs)
    solved = {item.node for item in unknowns.items}
    result: list[tuple[Node, Tensor, Array]] = []
    for key, value in given.items():
        if isinstance(key, Tensor):
            nodes, shown = versions_of(key, below), name_of(key) or repr(key.node)
        else:
            nodes, shown = [node for node in below if node.params[1] == key], str(key)
        if any(node in solved for node in nodes):
            raise ValueError(f"{by}: {shown!r} is solved for; its value belongs in start, not in given")
        if not nodes:
            names = ", ".join(sorted({str(n.params[1]) for n in below if n not in solved and n.params[1]})) or "none"
            raise ValueError(f"{by}: {shown!r} in given stands nowhere in the problem; its parameters are: {names}")
        array = _as_floats(value, shown, by)
        check_finite(np.ravel(array), lambda i, name=shown: f"{name}[{i}]", f"{by}: the given value")
        for node in nodes:
            if array.shape != node.shape:
                raise ShapeError(f"{by}: the value given for {shown} has shape {array.shape}, wanted {node.shape}")
            result.append((node, key if isinstance(key, Tensor) else wrap(node), array))
    return result
