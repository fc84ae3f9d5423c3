"""Formulas of living variables beside a tensor: ``sympy.sin(x) * y`` is the tensor that it says and stays on the tape.

So does a real number of sympy's. With a foreign symbol, or a function that has no operation here, the result is a
formula.
"""

from __future__ import annotations

from typing import Any

from symtape.errors import NoFormulaError, UnknownNameError
from symtape.formula.symbols import is_leaf_symbol
from symtape.ops import sympy_bridge
from symtape.tape.leaf_table import find
from symtape.tape.tensor import TENSORS, lift


def leaf_of(symbol: Any) -> Any:
    """The tensor behind one of symtape's own symbols.

    Raises
    ------
    UnknownNameError
        If its variable does not exist any more.
    """
    stamp, *at = symbol.stamp
    tensor = find(stamp)
    if tensor is None:
        raise UnknownNameError(
            f"the variable behind the symbol {symbol} does not exist any more; "
            "map it: from_sympy(expr, {symbol: tensor})"
        )
    return lift(tensor)[tuple(at)] if at else lift(tensor)


def own_formula(expression: Any, dtype: Any = None) -> Any:
    """The tensor of a real number, or of a scalar expression of symtape's own symbols alone; else None.

    Parameters
    ----------
    expression : sympy object
    dtype : numpy.dtype, optional
        Of the tensor that it stands beside: a number with a formula (``sqrt(2)``, ``1/3``) takes it.
    """
    if not hasattr(expression, "is_number"):
        return None
    symbols = expression.free_symbols
    if not symbols and expression.is_extended_real is not True:
        return None
    if not all(is_leaf_symbol(s) and find(s.stamp[0]) is not None for s in symbols):
        return None
    try:
        return sympy_bridge.from_sympy(TENSORS, expression, {s: leaf_of(s) for s in symbols}, dtype)
    except NoFormulaError:
        return None  # sympy knows more functions than there are operations
