"""Sympy expressions onto the tape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from symtape.errors import UnknownNameError
from symtape.formula.numbers import as_expression
from symtape.formula.symbols import is_leaf_symbol, printed_names
from symtape.ops import sympy_bridge
from symtape.tape.own_formulas import leaf_of
from symtape.tape.sympy_arrays import ArrayReader, has_arrays
from symtape.tape.tensor import TENSORS, lift
from symtape.tape.variable import symbol as new_symbol


def from_sympy(expression: Any, names: Mapping[Any, Any] | None = None) -> Any:
    """A sympy expression as a tensor, recorded like any other.

    Parameters
    ----------
    expression : sympy expression, matrix, array, matrix expression or Lambda
        Sums and products over known ranges are written out; elements of an ``IndexedBase`` are those of the tensor that
        its name is mapped to.
    names : mapping, optional
        From symbols, or their names, to tensors, arrays or numbers. Symbols of symtape's own need none: they find
        their variable. Any other symbol becomes an `st.symbol` of its name, one for all its occurrences.

    Returns
    -------
    Tensor, or of a Lambda a function of tensors
        Of the shape of the matrix or array; of an expression, of the shape that broadcasting what its symbols stand for
        gives.

    Raises
    ------
    NoFormulaError
        If the expression contains a sympy function that has no op here, naming it; or a derivative or an integral that
        is only written down. A TypeError.
    UnknownNameError
        If a key of ``names`` does not occur, or the variable behind a symbol does not exist any more. A ValueError.

    Examples
    --------
    >>> import sympy, symtape as st
    >>> x = st.Variable(0.5, name="x")
    >>> t = sympy.Symbol("t")
    >>> st.from_sympy(sympy.sin(t)**2, {"t": x}).expr
    sin(x)**2
    >>> st.from_sympy(sympy.Matrix([[t, 1], [0, t]]), {t: x}).numpy()
    array([[0.5, 1. ],
           [0. , 0.5]])
    """
    import sympy

    if isinstance(expression, sympy.Lambda):
        return _function_of(expression, names or {})
    if has_arrays(expression):
        return ArrayReader(names or {}, _meaning).read(expression)
    if not isinstance(expression, sympy.MatrixBase):
        expression = as_expression(expression)
    symbols = sorted(expression.free_symbols, key=sympy.default_sort_key)
    mapping = _meanings(symbols, names or {}, expression)
    if not isinstance(expression, (sympy.MatrixBase, sympy.NDimArray)):
        return sympy_bridge.from_sympy(TENSORS, expression, mapping)
    shape = tuple(int(n) for n in expression.shape)
    if 0 in shape:
        return lift(np.zeros(shape))
    elements = [sympy_bridge.from_sympy(TENSORS, expression[at], mapping) for at in np.ndindex(*shape)]
    return TENSORS.reshape(TENSORS.stack(elements), shape) if len(shape) != 1 else TENSORS.stack(elements)


def _function_of(function: Any, names: Mapping[Any, Any]) -> Callable[..., Any]:
    """A Lambda as a function."""
    variables = function.variables

    def called(*args: Any) -> Any:
        if len(args) != len(variables):
            raise TypeError(f"{function} takes {len(variables)} arguments, got {len(args)}")
        return from_sympy(function.expr, {**names, **dict(zip(variables, args, strict=True))})

    return called


def _meaning(symbol: Any) -> Any:
    """The tensor of a symbol that no mapping names."""
    return leaf_of(symbol) if is_leaf_symbol(symbol) else new_symbol(symbol.name)


def _meanings(symbols: Iterable[Any], names: Mapping[Any, Any], expression: Any) -> dict[Any, Any]:
    """The tensor that each symbol stands for."""
    printed = printed_names(symbols)
    used: set[Any] = set()
    mapping: dict[Any, Any] = {}
    for symbol, name in printed.items():
        key = next((k for k in (symbol, name, symbol.name) if k in names), None)
        if key is not None:
            used.add(key)
            mapping[symbol] = lift(names[key])
        elif is_leaf_symbol(symbol):
            mapping[symbol] = leaf_of(symbol)
        else:
            mapping[symbol] = new_symbol(name)
    unused = sorted(str(k) for k in names if k not in used)
    if unused:
        raise UnknownNameError(
            f"no symbol named {', '.join(map(repr, unused))} in {expression}; "
            f"it has {', '.join(sorted(printed.values())) or 'none'}"
        )
    return mapping
