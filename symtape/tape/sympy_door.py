"""Sympy expressions onto the tape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symtape.errors import UnknownNameError
from symtape.formula.numbers import as_expression
from symtape.formula.symbols import is_leaf_symbol
from symtape.ops import sympy_bridge
from symtape.tape.leaf_table import find
from symtape.tape.tensor import TENSORS, Tensor, lift
from symtape.tape.variable import symbol as new_symbol


def from_sympy(expression: Any, names: Mapping[Any, Any] | None = None) -> Any:
    """A sympy expression as a tensor, recorded like any other.

    Parameters
    ----------
    expression : sympy expression
    names : mapping, optional
        From symbols, or their names, to tensors, arrays or numbers. Symbols of symtape's own need none: they find
        their variable. Any other symbol becomes an `st.symbol` of its name, one for all its occurrences.

    Returns
    -------
    Tensor

    Raises
    ------
    UnknownNameError
        If the expression contains a sympy function that has no op here, naming it; or a name in ``names`` that does
        not occur.

    Examples
    --------
    >>> import sympy, symtape as st
    >>> x = st.Variable(0.5, name="x")
    >>> t = sympy.Symbol("t")
    >>> st.from_sympy(sympy.sin(t)**2, {"t": x}).expr
    sin(x)**2
    """
    import sympy

    expression = as_expression(expression)
    given = dict(names or {})
    by_text = {str(k): v for k, v in given.items() if isinstance(k, str)}
    mapping: dict[Any, Any] = {}
    used: set[str] = set()
    for symbol in sorted(expression.free_symbols, key=lambda s: (str(s), sympy.default_sort_key(s))):
        if symbol in given:
            mapping[symbol] = lift(given[symbol])
        elif symbol.name in by_text:
            used.add(symbol.name)
            mapping[symbol] = lift(by_text[symbol.name])
        elif is_leaf_symbol(symbol):
            mapping[symbol] = _leaf_of(symbol)
        else:
            mapping[symbol] = _fresh(symbol)
    unused = sorted(set(by_text) - used)
    if unused:
        raise UnknownNameError(
            f"no symbol named {', '.join(map(repr, unused))} in {expression}; "
            f"it has {', '.join(sorted(s.name for s in mapping)) or 'none'}"
        )
    return sympy_bridge.from_sympy(TENSORS, expression, mapping)


def _leaf_of(symbol: Any) -> Any:
    stamp, *at = symbol.stamp
    tensor = find(stamp)
    if tensor is None:
        raise UnknownNameError(
            f"the variable behind the symbol {symbol} does not exist any more; "
            "map it: from_sympy(expr, {symbol: tensor})"
        )
    read = lift(tensor)
    return read[tuple(at)] if at else read


def _fresh(symbol: Any) -> Tensor:
    return new_symbol(symbol.name)
