"""What the names in a sympy expression stand for: what the caller maps, own variables, new symbols.

Every name is looked up once, so that all its places share one tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symtape.errors import AmbiguousVariableError, NoFormulaError, ShapeError, UnknownNameError
from symtape.formula.symbols import is_leaf_symbol, printed_names
from symtape.ops.namespace import Namespace
from symtape.ops.sympy_bridge import free_symbols
from symtape.tape.own_formulas import leaf_of
from symtape.tape.tensor import TENSORS, lift
from symtape.tape.variable import symbol as new_symbol

_B: Namespace = TENSORS


class Names:
    """The meanings of the names in one expression.

    Parameters
    ----------
    names : mapping
        From symbols, matrix symbols, indexed bases, undefined functions, or names of them, to what they stand for.
    expression : sympy object
    spare : set
        Keys that need not occur.

    Raises
    ------
    UnknownNameError
        If a key does not occur in the expression.
    AmbiguousVariableError
        If a text names several symbols.
    """

    def __init__(self, names: Mapping[Any, Any], expression: Any, spare: set[Any] | None = None) -> None:
        import sympy

        self.names = names
        self.printed = printed_names(sorted(free_symbols(expression), key=sympy.default_sort_key))
        self.tensors: dict[Any, Any] = {}
        self._check(expression, spare or set())

    def _check(self, expression: Any, spare: set[Any]) -> None:
        """Each key stands for something in the expression, and for one thing."""
        if not self.names:
            return
        symbols = [{s, label, s.name} for s, label in self.printed.items()]
        others = [{part, text} for part, text in _named(expression)]
        for key in self.names:
            count = sum(key in keys for keys in symbols)
            if count > 1:
                raise AmbiguousVariableError(
                    f"{count} symbols of the expression are named {key!r}: map the symbols themselves"
                )
        strays = [k for k in self.names if k not in spare and not any(k in keys for keys in (*symbols, *others))]
        if strays:
            known = sorted({*self.printed.values(), *(text for _, text in _named(expression))})
            raise UnknownNameError(
                f"nothing named {', '.join(sorted(repr(str(k)) for k in strays))} in {expression}; "
                f"it has {', '.join(known) or 'no names'}"
            )

    def _given(self, *keys: Any) -> Any:
        return next((k for k in keys if k in self.names), None)

    def symbol(self, symbol: Any) -> Any:
        """The tensor of a symbol: what it is mapped to, its variable, or a new symbol."""
        if symbol not in self.tensors:
            label = self.printed.get(symbol, symbol.name)
            key = self._given(symbol, label, symbol.name)
            if key is not None:
                self.tensors[symbol] = lift(self.names[key])
            else:
                self.tensors[symbol] = leaf_of(symbol) if is_leaf_symbol(symbol) else new_symbol(label)
        return self.tensors[symbol]

    def array(self, key: Any, name: str, shape: Any) -> Any:
        """The tensor behind an indexed base, a matrix symbol or an array symbol."""
        if key in self.tensors:
            return self.tensors[key]
        given = self._given(key, getattr(key, "label", key), name)
        known = tuple(int(n) for n in shape) if shape is not None and all(n.is_Integer for n in shape) else None
        if given is not None:
            found = lift(self.names[given])
            found = found if known is None else _fitting(found, known, name)
        elif known is not None:
            found = new_symbol(name, shape=known)
        else:
            raise UnknownNameError(f"the shape of {name} is not known: map it, from_sympy(expr, {{{name!r}: tensor}})")
        self.tensors[key] = found
        return found

    def function(self, applied: Any) -> Callable[..., Any] | None:
        """What an undefined function is mapped to; None if nothing."""
        key = self._given(applied.func, applied.func.__name__)
        if key is None:
            return None
        found = self.names[key]
        if not callable(found):
            raise TypeError(f"{applied.func.__name__} is a function in the expression, but {found!r} was given")
        return found  # type: ignore[no-any-return]


def _named(expression: Any) -> list[tuple[Any, str]]:
    """What bears a name in an expression and is no symbol."""
    import sympy
    from sympy.core.function import AppliedUndef

    found: dict[Any, str] = {}
    stack = [expression]
    while stack:
        current = stack.pop()
        if isinstance(current, AppliedUndef):
            found[current.func] = current.func.__name__
        elif isinstance(current, sympy.IndexedBase):
            found[current] = found[current.label] = str(current.label)
            continue
        elif isinstance(current, sympy.MatrixSymbol) or type(current).__name__ == "ArraySymbol":
            found[current] = str(current.name)
        stack.extend(current.args)
    return list(found.items())


def _fitting(value: Any, shape: tuple[int, ...], name: str) -> Any:
    """A vector is a column where sympy has one."""
    if value.shape == shape:
        return value
    if len(shape) == 2 and shape[1] == 1 and value.shape == shape[:1]:
        return _B.reshape(value, shape)
    raise ShapeError(f"{name} has shape {shape} in the expression, but {value.shape} was given")


def length(e: Any, axis: int) -> int:
    """The length of an axis of an array of sympy's.

    Raises
    ------
    NoFormulaError
        If it is not known.
    """
    found = e.shape[axis]
    if not (isinstance(found, int) or found.is_Integer):
        raise NoFormulaError(f"the shape of {e} is not known: {e.shape}; give numbers for its lengths, with .subs(...)")
    return int(found)
