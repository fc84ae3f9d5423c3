"""From sympy: any scalar expression as a straight-line program over the functions of a namespace.

Which sympy class is which function is read off the declarations: an op whose formula is ``sp.sin(x)`` is what
``sympy.sin`` becomes. Sums, products and powers are taken apart so that the program computes what a person would write
(``1 - y**2``, ``x/3``, ``1/sqrt(x)``), Piecewise becomes selections, and a few functions are known by a definition
(sec, factorial, ...). All walks are loops: depth is no limit.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from symtape.errors import NoFormulaError, UnknownNameError
from symtape.ops import registry
from symtape.ops.op import Kind
from symtape.ops.straight_line import Literal, Operand, Program, Step


def from_sympy(B: Any, expression: Any, mapping: Mapping[Any, Any]) -> Any:
    """Any scalar sympy expression as a value of a namespace.

    Parameters
    ----------
    B : Namespace
    expression : sympy.Expr or sympy Boolean
    mapping : mapping of Symbol or str
        What each symbol stands for: anything that ``B.lift`` takes.

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
    used = _symbols(expression)
    values = []
    for symbol in used:
        for key in (symbol, symbol.name):
            if key in mapping:
                values.append(B.lift(mapping[key]))
                break
        else:
            known = ", ".join(str(k) for k in mapping) or "nothing"
            raise UnknownNameError(
                f"the expression contains the symbol {symbol}, which the mapping does not give; it gives {known}"
            )
    floats = [B.dtype(v) for v in values if B.dtype(v).kind == "f"]
    dtype = np.result_type(*floats) if floats else np.dtype(np.float64)
    return translate(expression, {s: k for k, s in enumerate(used)}).run(B, values, dtype)


def _symbols(expression: Any) -> list[Any]:
    """The symbols in an expression, in the order in which they first stand; sympy's own way of asking recurses."""
    found: dict[Any, None] = {}
    seen: set[int] = set()
    stack = [expression]
    while stack:
        current = stack.pop()
        if current.is_Symbol:
            found[current] = None
        elif id(current) not in seen:
            seen.add(id(current))
            stack.extend(reversed(current.args))
    return list(found)


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
        raise TypeError(f"wanted a sympy expression, got {expression!r}")
    return expression


# ------------------------------------------------------------------------------------------------ what becomes of what

#: Functions of sympy that are known by a definition in terms of others.
_DEFINITIONS: dict[str, Callable[..., Any]] = {
    "sec": lambda sp, x: 1 / sp.cos(x),
    "csc": lambda sp, x: 1 / sp.sin(x),
    "cot": lambda sp, x: 1 / sp.tan(x),
    "sech": lambda sp, x: 1 / sp.cosh(x),
    "csch": lambda sp, x: 1 / sp.sinh(x),
    "coth": lambda sp, x: 1 / sp.tanh(x),
    "asec": lambda sp, x: sp.acos(1 / x),
    "acsc": lambda sp, x: sp.asin(1 / x),
    "acot": lambda sp, x: sp.atan(1 / x),
    "asech": lambda sp, x: sp.acosh(1 / x),
    "acsch": lambda sp, x: sp.asinh(1 / x),
    "acoth": lambda sp, x: sp.atanh(1 / x),
    "frac": lambda sp, x: x - sp.floor(x),
    "factorial": lambda sp, x: sp.gamma(x + 1),
    "binomial": lambda sp, n, k: sp.gamma(n + 1) / (sp.gamma(k + 1) * sp.gamma(n - k + 1)),
    "beta": lambda sp, a, b: sp.gamma(a) * sp.gamma(b) / sp.gamma(a + b),
    "trigamma": lambda sp, x: sp.polygamma(1, x),
    "re": lambda sp, x: x,
    "conjugate": lambda sp, x: x,
    "im": lambda sp, x: sp.Integer(0),
}

#: Classes that no formula shows in the bare form, by name.
_NAMED = {
    "loggamma": "gammaln",
    "And": "logical_and",
    "Or": "logical_or",
    "Xor": "logical_xor",
    "Not": "logical_not",
}

#: Functions whose arguments are not sympy's own: the function and what sympy's arguments make of them.
_ARGUMENTS: dict[str, tuple[str, Callable[..., tuple[Any, ...]]]] = {
    "sinc": ("sinc", lambda sp, x: (x / sp.pi,)),
}

#: Functions of two arguments that sympy takes in any number: folded from the left.
_FOLDED = frozenset({"maximum", "minimum", "logical_and", "logical_or", "logical_xor"})

#: Functions with a signature of their own that apply the op of their name to their arguments.
_PLAIN = frozenset({"maximum", "minimum", "fmax", "fmin"})

_tables: dict[int, dict[str, tuple[str, tuple[int, ...]]]] = {}


def functions_by_class() -> Mapping[str, tuple[str, tuple[int, ...]]]:
    """Name of a sympy class to the function that it becomes, and the order of its arguments there.

    Read off the formulas of the declarations once; of two ops with one formula the first declared is taken.

    Examples
    --------
    >>> functions_by_class()["atan2"]
    ('arctan2', (0, 1))
    """
    size = len(registry.functions())
    if size not in _tables:
        _tables.clear()
        _tables[size] = _read_off_formulas()
    return _tables[size]


def _read_off_formulas() -> dict[str, tuple[str, tuple[int, ...]]]:
    import sympy

    table: dict[str, tuple[str, tuple[int, ...]]] = {name: (function, (0,)) for name, function in _NAMED.items()}
    for entry in registry.functions().values():
        op = entry.op if entry.op is not None else registry.ops().get(entry.name) if entry.name in _PLAIN else None
        if op is None or not entry.implements or op.kind is not Kind.ELEMENTWISE or op.formula is None:
            continue
        symbols = sympy.symbols(f"x:{arguments_of(op.formula)}", real=True)
        shown = op.formula(sympy, *symbols)
        if not shown.is_Symbol and len(shown.args) == len(symbols) and set(shown.args) == set(symbols):
            table.setdefault(type(shown).__name__, (entry.name, tuple(shown.args.index(s) for s in symbols)))
    return table


def arguments_of(formula: Callable[..., Any]) -> int:
    """How many arguments a formula takes, sympy itself aside.

    Examples
    --------
    >>> arguments_of(lambda sp, x, y: x + y)
    2
    """
    return len(inspect.signature(formula).parameters) - 1


# ---------------------------------------------------------------------------------------------------- the translation


@dataclass(frozen=True, slots=True)
class _Plan:
    """What an expression needs first, and how its register comes from theirs."""

    needs: tuple[Any, ...]
    emit: Callable[..., Operand]


class _Translator:
    """One translation: registers by expression, steps in order, equal steps once."""

    def __init__(self, sp: Any, registers: Mapping[Any, int]) -> None:
        self.sp = sp
        self.registers = registers
        self.count = len(registers)
        self.steps: list[Step] = []
        self.numbered: dict[Any, int] = {}
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
        return Program(self.count, tuple(self.steps), self.done[id(expression)])

    def step(self, function: str, *operands: Operand) -> Operand:
        """The register of a function applied to operands."""
        key = (function, operands)
        if key not in self.numbered:
            constant = all(
                isinstance(o, Literal) or (o >= self.count and self.steps[o - self.count].constant) for o in operands
            )
            self.numbered[key] = self.count + len(self.steps)
            self.steps.append(Step(function, operands, constant, registry.functions()[function].op))
        return self.numbered[key]

    def fold(self, function: str, operands: Sequence[Operand]) -> Operand:
        """A function of two arguments over several, from the left."""
        return reduce(lambda a, b: self.step(function, a, b), operands)

    # ---- what an expression is made of

    def plan(self, e: Any) -> _Plan:
        sp = self.sp
        if e.is_Symbol:
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

    def product(self, p: int, q: int, above: tuple[Any, ...], below: tuple[Any, ...]) -> _Plan:
        """``p/q * above / below``, a factor that is a binary fraction kept whole."""
        sign = -1 if p == -1 and above else 1
        exact = q & (q - 1) == 0 and abs(p) < 2**53
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
        if name in _ARGUMENTS:
            function, arguments = _ARGUMENTS[name]
            return _Plan(arguments(self.sp, *e.args), lambda *operands: self.step(function, *operands))
        if name == "polygamma" and e.args[0].is_Integer:
            n = int(e.args[0])
            if n == 0:
                return _Plan((e.args[1],), lambda x: self.step("digamma", x))
            return _Plan((e.args[1],), lambda x: self.step("polygamma", Literal.of(n), x))
        if name in self.table:
            function, order = self.table[name]
            if function in _FOLDED:
                return _Plan(e.args, lambda *operands: self.fold(function, operands))
            if len(order) == len(e.args):
                return _Plan(tuple(e.args[k] for k in order), lambda *operands: self.step(function, *operands))
        if name in _DEFINITIONS:
            try:
                return _Plan((_DEFINITIONS[name](self.sp, *e.args),), lambda operand: operand)
            except TypeError:
                pass  # another number of arguments than the definition's: not known
        raise NoFormulaError(
            f"symtape has no function for sympy's {name}, which the expression contains; it has "
            + ", ".join(sorted({*self.table, *_DEFINITIONS}))
        )


def _negative(term: Any) -> bool:
    if term.is_Mul:
        first = term.args[0]
        return bool(first.is_Number and first.is_negative)
    return bool(term.is_Number and term.is_negative)
