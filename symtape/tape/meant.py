"""What is meant by a name, a symbol or a tensor where a formula is evaluated, substituted into or compared.

Names are those that the formula prints: of two leaves named ``x`` the later one is ``x_2``, and ``x`` alone, where both
stand, is ambiguous.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from symtape.errors import AmbiguousVariableError, UnknownNameError
from symtape.formula.element import array_expression
from symtape.formula.numbers import as_expression
from symtape.formula.symbols import is_leaf_symbol, label_of, leaf_names, printed_names, stamp_of
from symtape.formula.text import free_names, parse
from symtape.graph.node import LEAF, Node, check_real
from symtape.graph.shapes import is_known
from symtape.ops.namespace import NODES


def node_of(tensor: Any) -> Node:
    """The node of a tensor; of a variable, its present version."""
    node = getattr(tensor, "node", None)
    if not isinstance(node, Node):
        raise TypeError(f"wanted a tensor, got {tensor!r}")
    return node


# ------------------------------------------------------------------------------------------------------------ for eval


def given_values(values: Mapping[Any, Any], below: Sequence[Node]) -> dict[Node, Any]:
    """Values for nodes, from a mapping of variables, symbols, inner tensors or names.

    Parameters
    ----------
    values : mapping
    below : sequence of Node
        The leaves of the formula.

    Raises
    ------
    UnknownNameError, AmbiguousVariableError
        If a name stands for no leaf, or for several.
    ValueError
        If a value has another shape.
    TypeError
        If a value does not fit the dtype.
    """
    env: dict[Node, Any] = {}
    for what, value in values.items():
        for node in _nodes(what, below):
            given = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
            check_real(given.dtype, f"the value of {what!r}")
            if not np.can_cast(given.dtype, node.dtype, "same_kind"):
                raise TypeError(f"the value of {what!r} has dtype {given.dtype}, wanted {node.dtype}")
            if is_known(node.shape) and given.shape != node.shape:
                raise ValueError(f"the value of {what!r} has shape {given.shape}, wanted {node.shape}")
            env[node] = given.astype(node.dtype)
    return env


def _nodes(what: Any, below: Sequence[Node]) -> list[Node]:
    """The nodes that a key stands for; none if it is a leaf of another formula."""
    if isinstance(what, str):
        return _named(what, below)
    if getattr(what, "is_Symbol", False):
        if not is_leaf_symbol(what):
            return _named(what.name, below)
        if len(what.stamp) > 1:
            raise TypeError(f"{what} is one element: give the value of all of {what.label}")
        return [n for n in below if stamp_of(n) == what.stamp[0]]
    node = node_of(what)
    return [n for n in below if stamp_of(n) == stamp_of(node)] if node.op is LEAF else [node]


def _named(name: str, below: Sequence[Node]) -> list[Node]:
    names = leaf_names(below)
    found = [n for n in below if label_of(n) == name]
    if len({stamp_of(n) for n in found}) > 1:
        raise _ambiguous(len(found), name, "use the variable itself as the key")
    found = found or [n for n, own in names.items() if own == name]
    if not found:
        raise _unknown(name, names.values())
    return found


# ------------------------------------------------------------------------------------------------------ for comparisons


def expression_of(other: Any, below: Sequence[Node]) -> Any:
    """The sympy expression of what a formula is compared with.

    Parameters
    ----------
    other : str, Tensor, sympy expression, number or array
        Names in a text, and plain symbols of sympy, are those of the leaves.
    below : sequence of Node
        The leaves of the formula.
    """
    names = leaf_names(below)
    if isinstance(other, str):
        by_name = {name: leaf for leaf, name in names.items()}
        used = set(free_names(other))
        for name in used:
            kin = {own for leaf, own in names.items() if label_of(leaf) == name}
            if len(kin) > 1 and not used & (kin - {name}):
                raise _ambiguous(len(kin), name, "compare with an expression of the variables instead of a text")
        return array_expression(NODES.lift(parse(other, by_name, NODES)))
    expression = as_expression(other)
    plain = [s for s in expression.free_symbols if not is_leaf_symbol(s)]
    ours = {name: leaf for leaf, name in names.items() if leaf.shape == ()}
    swaps = {s: array_expression(ours[s.name]) for s in plain if s.name in ours}
    return each(lambda e: e.xreplace(swaps), expression) if swaps else expression


def each(function: Callable[[Any], Any], expression: Any) -> Any:
    """A function of an expression, or of each element of an array of them."""
    return expression.applyfunc(function) if hasattr(expression, "applyfunc") else function(expression)


# ---------------------------------------------------------------------------------------------------- for substitution


def substitutions(pairs: Sequence[Any], named: Mapping[str, Any], expression: Any) -> list[tuple[Any, Any]]:
    """Pairs of sympy objects from what `subs` was given: an old and a new one, a mapping or pairs, and keywords."""
    if len(pairs) == 2:
        given = [(pairs[0], pairs[1])]
    elif len(pairs) == 1:
        (what,) = pairs
        given = list(what.items() if isinstance(what, Mapping) else what)
    elif pairs:
        raise TypeError(f"subs takes an old and a new expression, a mapping or pairs, got {len(pairs)} arguments")
    else:
        given = []
    found: list[tuple[Any, Any]] = []
    for old, new in [*given, *named.items()]:
        before, after = symbol_meant(old, expression), as_expression(new)
        if not getattr(before, "shape", ()):
            found.append((before, after))
            continue
        values = np.broadcast_to(np.array(after.tolist() if hasattr(after, "tolist") else after), before.shape)
        found.extend((before[at], as_expression(values[at])) for at in np.ndindex(*before.shape))
    return found


def symbol_meant(what: Any, expression: Any) -> Any:
    """The sympy object that a name or a tensor stands for in an expression; an array of symbols for an array.

    Raises
    ------
    UnknownNameError, AmbiguousVariableError
        If a name stands for no leaf of the expression, or for several.
    """
    if not isinstance(what, str):
        return as_expression(what)
    import sympy

    names = printed_names(expression.free_symbols)
    whole = {s: name.partition("[")[0] for s, name in names.items() if is_leaf_symbol(s) and len(s.stamp) > 1}
    scalars = [s for s, name in names.items() if what in (name, s.name)]
    found = scalars or [s for s, name in whole.items() if what in (name, s.label)]
    if not found:
        raise _unknown(what, [whole.get(s, name) for s, name in names.items()])
    leaves = {s.stamp[0] if is_leaf_symbol(s) else s for s in found}
    if len(leaves) > 1:
        raise _ambiguous(len(leaves), what, "substitute with the variable itself, .subs(variable, value)")
    if scalars:
        return scalars[0]
    shape = tuple(max(s.stamp[1 + k] for s in found) + 1 for k in range(len(found[0].stamp) - 1))
    by_place = {s.stamp[1:]: s for s in found}
    return sympy.Array([by_place.get(at, sympy.Dummy()) for at in np.ndindex(*shape)], shape)


def _ambiguous(count: int, name: str, remedy: str) -> AmbiguousVariableError:
    return AmbiguousVariableError(f"{count} leaves are named {name!r}: {remedy}")


def _unknown(name: str, names: Iterable[str]) -> UnknownNameError:
    return UnknownNameError(f"no leaf named {name!r}; there are {', '.join(sorted(set(names))) or 'none'}")
