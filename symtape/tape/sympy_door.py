"""Sympy expressions onto the tape.

A scalar expression is read after what stands for arrays in it: every element, trace and determinant, every function
that the caller maps, becomes a symbol of its own that stands for a tensor, and sums and products over known ranges are
written out. What is left goes the way of any scalar expression.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from symtape.errors import NoFormulaError
from symtape.formula.numbers import as_expression
from symtape.ops import sympy_bridge
from symtape.ops.namespace import Namespace
from symtape.ops.sympy_refusals import refusal
from symtape.tape.sympy_arrays import ArrayReader, is_array
from symtape.tape.sympy_names import Names
from symtape.tape.tensor import TENSORS, lift

_B: Namespace = TENSORS
_MOST_TERMS = 10_000


def from_sympy(expression: Any, names: Mapping[Any, Any] | None = None) -> Any:
    """A sympy expression as a tensor, recorded like any other.

    Parameters
    ----------
    expression : sympy expression, condition, matrix, array, matrix or array expression, or Lambda
        Sums and products over known ranges are written out; elements of an ``IndexedBase`` are those of the tensor that
        its name is mapped to. A number that has no function here (a root of a polynomial, ``zeta(3)``) is the double
        that sympy works out.
    names : mapping, optional
        From symbols, or their names, to tensors, arrays or numbers; from undefined functions, or their names, to
        functions of tensors. Symbols of symtape's own need none: they find their variable. Any other symbol becomes an
        `st.symbol` of its name, one for all its occurrences.

    Returns
    -------
    Tensor, or of a Lambda a function of tensors
        Of the shape of the matrix or array; of an expression, of the shape that broadcasting what its symbols stand for
        gives.

    Raises
    ------
    NoFormulaError
        If the expression contains something that has no counterpart here: a function without an operation, a
        derivative or an integral that is only written down, the imaginary unit. The message names it and says what to
        do. A TypeError.
    UnknownNameError
        If a key of ``names`` does not occur, or the variable behind a symbol does not exist any more. A ValueError.
    AmbiguousVariableError
        If a text in ``names`` names several symbols. A ValueError.

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
    return _read(expression, names or {})


def _read(expression: Any, names: Mapping[Any, Any], spare: set[Any] | None = None) -> Any:
    import sympy

    if hasattr(expression, "as_immutable"):  # matrices and arrays that may be changed are no parts of expressions
        expression = expression.as_immutable()
    elif not isinstance(expression, sympy.Basic):
        expression = as_expression(expression)
    if isinstance(expression, sympy.Tuple):
        expression = sympy.Array(expression)
    _refuse_unevaluated(expression)
    return _Reader(Names(names, expression, spare)).read(expression)


def _function_of(function: Any, names: Mapping[Any, Any]) -> Callable[..., Any]:
    """A Lambda as a function."""

    def called(*args: Any) -> Any:
        values = dict(_bound(function.signature, args, function))
        return _read(function.expr, {**names, **values}, set(values))

    return called


def _bound(signature: Any, args: Any, function: Any) -> Iterator[tuple[Any, Any]]:
    """The variables of a Lambda and what they are called with; a tuple takes a sequence."""
    import sympy

    if len(args) != len(signature):
        raise TypeError(f"{function} takes {len(signature)} arguments, got {len(args)}")
    for variable, value in zip(signature, args, strict=True):
        if isinstance(variable, sympy.Tuple):
            yield from _bound(variable, value, function)
        else:
            yield variable, value


class _Reader:
    """Reads one expression."""

    def __init__(self, names: Names) -> None:
        import sympy
        from sympy.core.function import AppliedUndef
        from sympy.matrices.expressions.matexpr import MatrixElement
        from sympy.tensor.array.expressions import ArrayElement

        self.sp = sympy
        self.names = names
        self.arrays = ArrayReader(names, self.number, self.terms)
        self.undefined = AppliedUndef
        self.of_array = ArrayElement
        self.kinds = (
            *(sympy.Indexed, MatrixElement, ArrayElement),
            *(sympy.Trace, sympy.Determinant, sympy.DotProduct, AppliedUndef),
        )

    def read(self, expression: Any) -> Any:
        """The tensor of an array or a number of sympy's."""
        return self.arrays.read(expression) if is_array(expression) else self.number(expression)

    def number(self, expression: Any, known: Mapping[Any, Any] | None = None) -> Any:
        """A scalar expression; ``known`` says what some of its symbols stand for."""
        expanded = self._expanded(expression)
        meanings: dict[Any, Any] = dict(known or {})
        stand_ins: dict[Any, Any] = {}
        for part in _outermost(expanded, self.kinds):
            value = self._part(part)
            if value is not None:
                stand_ins[part] = self.sp.Dummy(real=True)
                meanings[stand_ins[part]] = value
        left = expanded.xreplace(stand_ins) if stand_ins else expanded
        for symbol in sympy_bridge.free_symbols(left):
            if symbol not in meanings:
                meanings[symbol] = self.names.symbol(symbol)
        return sympy_bridge.from_sympy(_B, left, meanings)

    def _part(self, part: Any) -> Any:
        """What a part stands for that is no scalar function of scalars; None if it is one after all."""
        sp, arrays = self.sp, self.arrays
        if isinstance(part, self.undefined):
            function = self.names.function(part)
            return None if function is None else lift(function(*[self.read(a) for a in part.args]))
        if isinstance(part, sp.Trace):
            return _B.trace(arrays.read(part.arg))
        if isinstance(part, sp.Determinant):
            return _B.det(arrays.read(part.arg))
        if isinstance(part, sp.DotProduct):
            return _B.vdot(*map(arrays.read, part.args))
        if isinstance(part, sp.Indexed):
            array = self.names.array(part.base, str(part.base.label), part.base.shape)
            return arrays.element(array, part.indices, part)
        if isinstance(part, self.of_array):
            return arrays.element(arrays.read(part.name), part.indices, part)
        return arrays.element(arrays.read(part.parent), (part.i, part.j), part)

    # ---- sums and products

    def _expanded(self, expression: Any) -> Any:
        """Sums and products over known ranges written out."""
        sp = self.sp
        while True:
            found = next(iter(_outermost(expression, (sp.Sum, sp.Product))), None)
            if found is None:
                return expression
            join = sp.Add if isinstance(found, sp.Sum) else sp.Mul
            expression = expression.xreplace({found: join(*self.terms(found))})

    def terms(self, folded: Any) -> list[Any]:
        """The terms of a sum or the factors of a product, range by range from the outermost inwards.

        A range that ends before it starts counts backwards and takes away, as in sympy (Karr, Summation in Finite
        Terms, J. ACM 28 (1981), 305-350).
        """
        terms = [(folded.function, tuple(folded.limits))]
        added = isinstance(folded, self.sp.Sum)
        while terms[0][1]:
            written: list[tuple[Any, tuple[Any, ...]]] = []
            for function, limits in terms:
                *inner, (index, low, high) = limits
                if not (low.is_Integer and high.is_Integer):
                    raise NoFormulaError(
                        f"the range of {index} in {folded} is not known: give numbers for {low} and {high}, "
                        "with .subs(...)"
                    )
                forwards = high >= low
                places = range(int(low), int(high) + 1) if forwards else range(int(high) + 1, int(low))
                if len(places) + len(written) > _MOST_TERMS:
                    raise NoFormulaError(
                        f"{folded} has more than {_MOST_TERMS} terms: write it with np.sum over tensors"
                    )
                for k in places:
                    term = function.subs(index, k)
                    rest = tuple(self.sp.Tuple(*limit).subs(index, k) for limit in inner)
                    written.append((term if forwards else -term if added else 1 / term, rest))
            if not written:
                return []
            terms = written
        return [function for function, _ in terms]


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


def _refuse_unevaluated(expression: Any) -> None:
    """Refuse what sympy has only written down, before something is put in its place."""
    import sympy

    kinds: Iterable[Any] = (sympy.Derivative, sympy.Integral, sympy.Limit, sympy.Subs)
    left = _outermost(expression, tuple(kinds))
    if left:
        raise refusal(left[0])
