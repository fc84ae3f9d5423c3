"""What of sympy's stands for arrays: matrix expressions, indexed bases, sums and products over known ranges.

A matrix expression becomes the operations that it is written in. In a scalar expression every element, trace and
determinant becomes a symbol of its own that stands for a tensor, and sums over known ranges are written out; what is
left goes the way of any scalar expression.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from symtape.errors import NoFormulaError, ShapeError, UnknownNameError
from symtape.ops import sympy_bridge
from symtape.ops.namespace import Namespace
from symtape.tape.tensor import TENSORS, lift
from symtape.tape.variable import symbol as new_symbol

_B: Namespace = TENSORS
_MOST_TERMS = 10_000

#: The tensor of a symbol that the mapping does not name.
Meaning: TypeAlias = Callable[[Any], Any]


def has_arrays(expression: Any) -> bool:
    """Whether a sympy object contains something that this module is about."""
    import sympy

    if isinstance(expression, (sympy.MatrixExpr, sympy.Lambda)):
        return True
    if not isinstance(expression, sympy.Basic):
        return False
    kinds = (sympy.Indexed, sympy.MatrixExpr, sympy.Sum, sympy.Product, sympy.Derivative, sympy.Integral, sympy.Limit)
    return bool(expression.has(*kinds))


class ArrayReader:
    """Reads one expression.

    Parameters
    ----------
    names : mapping
        From symbols, matrix symbols, indexed bases, or names of them, to tensors.
    meaning : callable
        ``meaning(symbol)``: the tensor of a symbol that ``names`` does not name.
    """

    def __init__(self, names: Mapping[Any, Any], meaning: Meaning) -> None:
        import sympy

        self.sp = sympy
        self.names = names
        self.meaning = meaning
        self.symbols: dict[Any, Any] = {}
        self.arrays: dict[Any, Any] = {}
        self.used: set[Any] = set()

    def read(self, expression: Any) -> Any:
        """The tensor of a matrix expression or a scalar one."""
        refuse_unevaluated(expression)
        found = self.matrix(expression) if isinstance(expression, self.sp.MatrixExpr) else self.number(expression)
        strays = sorted(str(k) for k in self.names if k not in self.used)
        if strays:
            raise UnknownNameError(f"nothing named {', '.join(map(repr, strays))} in {expression}")
        return found

    # ---- scalars

    def number(self, expression: Any) -> Any:
        """A scalar expression."""
        sp = self.sp
        expanded = self._expanded(sp.sympify(expression, strict=True))
        kinds = (sp.Indexed, sp.matrices.expressions.matexpr.MatrixElement, sp.Trace, sp.Determinant)
        stand_ins: dict[Any, Any] = {}
        meanings: dict[Any, Any] = {}
        for part in _outermost(expanded, kinds):
            stand_ins[part] = sp.Dummy(real=True)
            meanings[stand_ins[part]] = self._part(part)
        left = expanded.xreplace(stand_ins)
        for symbol in sorted(left.free_symbols - set(meanings), key=sp.default_sort_key):
            meanings[symbol] = self._of(symbol)
        return sympy_bridge.from_sympy(_B, left, meanings)

    def _of(self, symbol: Any) -> Any:
        """The tensor of a symbol, one for all its places."""
        if symbol not in self.symbols:
            key = next((k for k in (symbol, symbol.name) if k in self.names), None)
            if key is not None:
                self.used.add(key)
            self.symbols[symbol] = self.meaning(symbol) if key is None else lift(self.names[key])
        return self.symbols[symbol]

    def _expanded(self, expression: Any) -> Any:
        """Sums and products over known ranges written out."""
        sp = self.sp
        while True:
            found = next(iter(_outermost(expression, (sp.Sum, sp.Product))), None)
            if found is None:
                return expression
            expression = expression.xreplace({found: self._written_out(found)})

    def _written_out(self, folded: Any) -> Any:
        terms = [folded.function]
        for index, low, high in folded.limits:
            if not (low.is_Integer and high.is_Integer):
                raise NoFormulaError(
                    f"the range of {index} in {folded} is not known: give numbers for {low} and {high}, with .subs(...)"
                )
            count = max(0, int(high) - int(low) + 1)
            if count * len(terms) > _MOST_TERMS:
                raise NoFormulaError(f"{folded} has more than {_MOST_TERMS} terms: write it with np.sum over tensors")
            terms = [t.subs(index, k) for t in terms for k in range(int(low), int(high) + 1)]
        return (self.sp.Add if isinstance(folded, self.sp.Sum) else self.sp.Mul)(*terms)

    def _part(self, part: Any) -> Any:
        sp = self.sp
        if isinstance(part, sp.Trace):
            return _B.trace(self.matrix(part.arg))
        if isinstance(part, sp.Determinant):
            return _B.det(self.matrix(part.arg))
        if isinstance(part, sp.Indexed):
            array, places = self._array(part.base, part.base.label.name, part.base.shape), part.indices
        else:
            array, places = self.matrix(part.parent), (part.i, part.j)
        for place in places:
            if not place.is_Integer:
                raise NoFormulaError(f"the place {place} in {part} is no integer: give it a number with .subs(...)")
        if len(places) != len(array.shape):
            raise ShapeError(f"{part} has {len(places)} indices, but what it stands for has shape {array.shape}")
        return array[tuple(int(p) for p in places)]

    # ---- arrays

    def _array(self, key: Any, name: str, shape: Any) -> Any:
        """The tensor behind an indexed base or a matrix symbol."""
        if key in self.arrays:
            return self.arrays[key]
        given = next((k for k in (key, getattr(key, "label", key), name) if k in self.names), None)
        known = shape is not None and all(n.is_Integer for n in shape)
        if given is not None:
            self.used.add(given)
            found = lift(self.names[given])
            found = self._fitting(found, tuple(int(n) for n in shape), name) if known else found
        elif known:
            found = new_symbol(name, shape=tuple(int(n) for n in shape))
        else:
            raise UnknownNameError(f"the shape of {name} is not known: map it, from_sympy(expr, {{{name!r}: tensor}})")
        self.arrays[key] = found
        return found

    def _fitting(self, value: Any, shape: tuple[int, ...], name: str) -> Any:
        """A vector is a column where sympy has one."""
        if value.shape == shape:
            return value
        if len(shape) == 2 and shape[1] == 1 and value.shape == shape[:1]:
            return _B.reshape(value, shape)
        raise ShapeError(f"{name} has shape {shape} in the expression, but {value.shape} was given")

    def matrix(self, e: Any) -> Any:
        """A matrix expression, of two axes."""
        sp = self.sp
        if isinstance(e, sp.MatrixSymbol):
            return self._array(e, e.name, e.shape)
        if isinstance(e, sp.MatrixBase):
            rows = [[self.number(e[i, j]) for j in range(e.cols)] for i in range(e.rows)]
            return _B.stack([_B.stack(row) for row in rows])
        rule = self._rules().get(type(e).__name__)
        if rule is None:
            raise NoFormulaError(
                f"symtape has no matrix operation for sympy's {type(e).__name__}; it has "
                + ", ".join(sorted(self._rules()))
            )
        return rule(e)

    def _fold(self, operation: Callable[[Any, Any], Any], args: Any) -> Any:
        result: Any = None
        for a in args:
            part = self.matrix(a) if isinstance(a, (self.sp.MatrixExpr, self.sp.MatrixBase)) else self.number(a)
            result = part if result is None else operation(result, part)
        return result

    def _product(self, a: Any, b: Any) -> Any:
        return _B.matmul(a, b) if len(a.shape) == 2 and len(b.shape) == 2 else _B.multiply(a, b)

    def _rules(self) -> dict[str, Callable[[Any], Any]]:
        return {
            "MatAdd": lambda e: self._fold(_B.add, e.args),
            "MatMul": lambda e: self._fold(self._product, e.args),
            "HadamardProduct": lambda e: self._fold(_B.multiply, e.args),
            "HadamardPower": lambda e: _B.power(self.matrix(e.base), self.number(e.exp)),
            "Transpose": lambda e: _B.transpose(self.matrix(e.arg)),
            "Adjoint": lambda e: _B.transpose(self.matrix(e.arg)),
            "Inverse": lambda e: _B.inv(self.matrix(e.arg)),
            "MatPow": self._power,
            "Identity": lambda e: lift(np.eye(self._length(e, 0))),
            "ZeroMatrix": lambda e: lift(np.zeros((self._length(e, 0), self._length(e, 1)))),
            "OneMatrix": lambda e: lift(np.ones((self._length(e, 0), self._length(e, 1)))),
        }

    def _length(self, e: Any, axis: int) -> int:
        if not e.shape[axis].is_Integer:
            raise NoFormulaError(f"the shape of {e} is not known: {e.shape}")
        return int(e.shape[axis])

    def _power(self, e: Any) -> Any:
        if not e.exp.is_Integer or abs(int(e.exp)) > 64:
            raise NoFormulaError(f"the exponent of {e} must be an integer of at most 64")
        base = self.matrix(e.base)
        n = int(e.exp)
        if n < 0:
            base, n = _B.inv(base), -n
        result: Any = None
        for _ in range(n):
            result = base if result is None else _B.matmul(result, base)
        return lift(np.eye(base.shape[0])) if result is None else result


def _outermost(expression: Any, kinds: tuple[type, ...]) -> list[Any]:
    """Parts of some kinds that stand in no other such part."""
    found: dict[Any, None] = {}
    stack = [expression]
    while stack:
        current = stack.pop()
        if isinstance(current, kinds):
            found[current] = None
        else:
            stack.extend(current.args)
    return list(found)


def refuse_unevaluated(expression: Any) -> None:
    """Refuse what sympy has only written down.

    Raises
    ------
    NoFormulaError
        Naming it, and ``.doit()``.
    """
    import sympy

    for kind in (sympy.Derivative, sympy.Integral, sympy.Limit):
        left = _outermost(expression, (kind,))
        if left:
            raise NoFormulaError(
                f"the expression contains {left[0]}, an unevaluated {kind.__name__}: evaluate it first, with .doit()"
            )
