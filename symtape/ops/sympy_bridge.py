"""From sympy: any scalar expression as a straight-line program over the functions of a namespace.

What each sympy class becomes stands in `symtape.ops.sympy_classes`. Sums, products and powers are taken apart so that
the program computes what a person would write (``1 - y**2``, ``x/3``, ``1/sqrt(x)``), and Piecewise becomes selections.
All walks are loops: depth is no limit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

import numpy as np

from symtape.errors import NoFormulaError, UnknownNameError
from symtape.graph.node import DType
from symtape.ops.straight_line import Literal, Operand, Program, Writer
from symtape.ops.sympy_classes import (
    DEFINITIONS,
    FOLDED,
    arguments_of,
    definition,
    functions_by_class,
    meaning,
    ops_by_class,
)
from symtape.ops.sympy_refusals import not_an_expression, refusal

__all__ = ["arguments_of", "free_symbols", "from_sympy", "functions_by_class", "translate"]

_DIGITS = 20  #: decimals to which sympy works out a number for which there is no function here


def from_sympy(B: Any, expression: Any, mapping: Mapping[Any, Any], beside: DType | None = None) -> Any:
    """Any scalar sympy expression as a value of a namespace.

    Parameters
    ----------
    B : Namespace
    expression : sympy.Expr or sympy Boolean
    mapping : mapping of Symbol or str
        What each symbol stands for: anything that ``B.lift`` takes.
    beside : numpy.dtype, optional
        Of what the value stands beside. Numbers that are worked out on the way (``sqrt(2)``) take the precision of the
        floats among this and what the symbols stand for.

    Returns
    -------
    value of the namespace

    Raises
    ------
    UnknownNameError
        If a symbol of the expression is not in the mapping.
    NoFormulaError
        If the expression contains a function that symtape does not have; the message names it.

    Examples
    --------
    >>> import sympy
    >>> from symtape.graph.node import symbol
    >>> from symtape.ops.namespace import NODES
    >>> t = sympy.Symbol("t")
    >>> from_sympy(NODES, sympy.sin(t)**2, {"t": symbol("x")})
    <power float64[]>
    """
    import sympy

    expression = _scalar(sympy, expression)
    used = free_symbols(expression)
    values = []
    for symbol in used:
        _check_real(symbol)
        for key in (symbol, symbol.name):
            if key in mapping:
                values.append(B.lift(mapping[key]))
                break
        else:
            known = ", ".join(str(k) for k in mapping) or "nothing"
            raise UnknownNameError(
                f"the expression contains the symbol {symbol}, which the mapping does not give; it gives {known}"
            )
    floats = [d for d in (*map(B.dtype, values), beside) if d is not None and d.kind == "f"]
    dtype = np.result_type(*floats) if floats else np.dtype(np.float64)
    return translate(expression, {s: k for k, s in enumerate(used)}).run(B, values, dtype)


def free_symbols(expression: Any) -> list[Any]:
    """The free symbols of an expression, in the order in which they first stand; sympy's own way of asking recurses.

    Examples
    --------
    >>> import sympy
    >>> x, y, i = sympy.symbols("x y i")
    >>> free_symbols(sympy.Sum(y**i, (i, 0, 2)))
    [y]
    """
    import sympy

    found: dict[Any, None] = {}
    seen: set[int] = set()
    stack = [expression]
    while stack:
        current = stack.pop()
        if isinstance(current, sympy.Symbol):
            found[current] = None
        elif id(current) not in seen:
            seen.add(id(current))
            if _tells_free_symbols(current.__class__):
                own = (s for s in current.free_symbols if isinstance(s, sympy.Symbol))
                found |= dict.fromkeys(sorted(own, key=sympy.default_sort_key))
            else:
                stack.extend(reversed(current.args))
    return list(found)


@lru_cache(maxsize=1024)
def _tells_free_symbols(kind: type) -> bool:
    """Whether a class has its own way of saying which symbols are free: what binds some has."""
    import sympy

    return next(c for c in kind.__mro__ if "free_symbols" in c.__dict__) is not sympy.Basic


def _check_real(symbol: Any) -> None:
    """Numbers here commute and are real."""
    if not symbol.is_commutative:
        raise NoFormulaError(f"the symbol {symbol} does not commute, but numbers do: write a MatrixSymbol")
    if symbol.is_extended_real is False:
        raise NoFormulaError(
            f"the symbol {symbol} is assumed not to be real, and numbers here are: write real and imaginary part as "
            "two expressions, with .as_real_imag()"
        )


def translate(expression: Any, registers: Mapping[Any, int]) -> Program:
    """The program that computes a sympy expression from arguments in numbered registers."""
    import sympy

    return _Translator(sympy, registers).program(expression)


def _scalar(sp: Any, expression: Any) -> Any:
    if isinstance(expression, (int, float)):
        return (
            sp.true
            if expression is True
            else sp.false
            if expression is False
            else sp.Float(expression, 17)
            if isinstance(expression, float)
            else sp.Integer(expression)
        )
    if isinstance(expression, sp.MatrixBase | sp.NDimArray | sp.MatrixExpr):
        raise NoFormulaError(
            f"wanted a scalar sympy expression, got a {type(expression).__name__}: bring its entries in one by one"
        )
    if not isinstance(expression, sp.Expr | sp.logic.boolalg.Boolean):
        raise not_an_expression(expression)
    return expression


# ---------------------------------------------------------------------------------------------------- the translation


@dataclass(frozen=True, slots=True)
class _Plan:
    """What an expression needs first, and how its register comes from theirs."""

    needs: tuple[Any, ...]
    emit: Callable[..., Operand]


class _Translator:
    """One translation: registers by expression."""

    def __init__(self, sp: Any, registers: Mapping[Any, int]) -> None:
        self.sp = sp
        self.registers = registers
        self.writer = Writer(len(registers))
        self.done: dict[int, Operand] = {}
        self.plans: dict[int, tuple[Any, _Plan]] = {}  # the expression is held, so that its id stays its own
        self.table = functions_by_class()

    def program(self, expression: Any) -> Program:
        stack = [expression]
        while stack:
            current = stack[-1]
            if id(current) in self.done:
                stack.pop()
                continue
            if id(current) not in self.plans:
                self.plans[id(current)] = current, self.plan(current)
            plan = self.plans[id(current)][1]
            missing = [n for n in plan.needs if id(n) not in self.done]
            if missing:
                stack.extend(reversed(missing))
                continue
            self.done[id(current)] = plan.emit(*[self.done[id(n)] for n in plan.needs])
            stack.pop()
        return self.writer.program(self.done[id(expression)])

    def step(self, function: str, *operands: Operand) -> Operand:
        """The register of a function applied to operands."""
        return self.writer.step(function, *operands)

    def fold(self, function: str, operands: Sequence[Operand]) -> Operand:
        """A function of two arguments over several, from the left."""
        return reduce(lambda a, b: self.step(function, a, b), operands)

    # ---- what an expression is made of

    def plan(self, e: Any) -> _Plan:
        sp = self.sp
        if isinstance(e, sp.Symbol):
            if e not in self.registers:
                raise UnknownNameError(f"the expression contains the symbol {e}, which was given no meaning")
            register = self.registers[e]
            return _Plan((), lambda: register)
        literal = self.literal(e)
        if literal is not None:
            return _Plan((), lambda: literal)
        if e.is_Rational:
            return self.product(e.p, e.q, (), ())
        if e.is_Add:
            return self.sum(e)
        if e.is_Mul or (e.is_Pow and e.exp.is_number and e.exp.is_negative):
            return self.quotient(e)
        if e.is_Pow:
            if e.exp == sp.S.Half:
                return _Plan((e.base,), lambda b: self.step("sqrt", b))
            return _Plan((e.base, e.exp), lambda b, n: self.step("power", b, n))
        if isinstance(e, sp.Piecewise):
            return self.piecewise(e)
        if isinstance(e, sp.logic.boolalg.ITE):
            return _Plan(e.args, lambda c, a, b: self.step("where", c, a, b))
        return self.application(e)

    def literal(self, e: Any) -> Literal | None:
        sp = self.sp
        if e is sp.true or e is sp.false:
            return Literal.of(e is sp.true)
        if e.is_Integer:
            return Literal.of(int(e) if abs(e.p) < 2**53 else float(e))
        if e.is_Rational and e.q & (e.q - 1) == 0 and abs(e.p) < 2**53:
            return Literal.of(float(e))
        if e.is_Float or e.is_NumberSymbol:
            return Literal.of(float(e))
        if e is sp.oo or e is sp.S.NegativeInfinity:
            return Literal.of(math.inf if e is sp.oo else -math.inf)
        return Literal.of(math.nan) if e is sp.nan else None

    def sum(self, e: Any) -> _Plan:
        """Terms with a minus sign are subtracted; a number that is added comes last."""
        plus = sorted([t for t in e.args if not _negative(t)], key=lambda t: bool(t.is_Number))
        minus = [-t for t in e.args if _negative(t)]

        def emit(*operands: Operand) -> Operand:
            added, taken = operands[: len(plus)], operands[len(plus) :]
            if not added:
                return self.step("negative", self.fold("add", taken))
            return self.fold("subtract", [self.fold("add", added), *taken])

        return _Plan((*plus, *minus), emit)

    def quotient(self, e: Any) -> _Plan:
        """A product; factors with a negative exponent stand below the line."""
        p, q = 1, 1
        above: list[Any] = []
        below: list[Any] = []
        for factor in e.args if e.is_Mul else (e,):
            if factor.is_Rational:
                p, q = p * factor.p, q * factor.q
            elif factor.is_Pow and factor.exp.is_number and factor.exp.is_negative:
                below.append(factor.base**-factor.exp)
            else:
                above.append(factor)
        return self.product(p, q, tuple(above), tuple(below))

    def product(self, p: float, q: int, above: tuple[Any, ...], below: tuple[Any, ...]) -> _Plan:
        """``p/q * above / below``, a factor that is a binary fraction kept whole."""
        if not (abs(p) < 2**53 and q < 2**53):  # no doubles: the nearest one to their quotient
            p, q = float(self.sp.Rational(p, q)), 1
        sign = -1 if p == -1 and above else 1
        exact = q & (q - 1) == 0
        factor = sign * p if q == 1 else sign * p / q if exact else sign * p
        divisor = 1 if exact else q

        def emit(*operands: Operand) -> Operand:
            upper, lower = list(operands[: len(above)]), list(operands[len(above) :])
            if factor != 1 or not upper:
                upper.insert(0, Literal.of(factor))
            if divisor != 1:
                lower.insert(0, Literal.of(divisor))
            result = self.fold("multiply", upper)
            if lower:
                result = self.step("divide", result, self.fold("multiply", lower))
            return self.step("negative", result) if sign < 0 else result

        return _Plan((*above, *below), emit)

    def piecewise(self, e: Any) -> _Plan:
        """The first case that holds; NaN where none does."""
        cases = list(e.args)
        default = cases.pop().expr if cases[-1].cond == self.sp.true else self.sp.nan

        def emit(last: Operand, *operands: Operand) -> Operand:
            for k in range(len(operands) - 2, -1, -2):
                last = self.step("where", operands[k + 1], operands[k], last)
            return last

        return _Plan((default, *[part for case in cases for part in (case.expr, case.cond)]), emit)

    def application(self, e: Any) -> _Plan:
        name = type(e).__name__
        found = meaning(self.sp, name, e.args)
        if found is not None:
            function, arguments = found
            return _Plan(arguments, lambda *operands: self.step(function, *operands))
        if name in self.table:
            function, order = self.table[name]
            if function in FOLDED:
                return _Plan(e.args, lambda *operands: self.fold(function, operands))
            if len(order) == len(e.args):
                return _Plan(tuple(e.args[k] for k in order), lambda *operands: self.step(function, *operands))
        if (name, len(e.args)) in ops_by_class():
            function, order = ops_by_class()[name, len(e.args)]
            return _Plan(tuple(e.args[k] for k in order), lambda *operands: self.step(function, *operands))
        written = definition(self.sp, e)
        if written is not None:
            return _Plan((written,), lambda operand: operand)
        number = e.evalf(_DIGITS) if e.is_number else None
        if number is not None and number.is_Float:
            return _Plan((), lambda: Literal.of(float(number)))
        raise refusal(e, {*self.table, *DEFINITIONS, *[name for name, _ in ops_by_class()]})


def _negative(term: Any) -> bool:
    if term.is_Mul:
        first = term.args[0]
        return bool(first.is_Number and first.is_negative)
    return bool(term.is_Number and term.is_negative)
