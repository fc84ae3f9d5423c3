"""The reader of the lowering language: from a line of text to instructions for one type.

A line is parsed by `ast` and walked through a white list; nothing of it is ever run as Python. What comes out is a
`Lowered`: a straight list of steps over registers, made once per line and type and then only filled in.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np

from symtape.compile.ir_types import BOOL, DOUBLE, INT64, ScalarType, conversion, literal, scalar_type
from symtape.compile.lowerings import COMPOSED, LOWERINGS
from symtape.compile.object_code import SPECIAL, SPECIAL_OF_WHOLE
from symtape.compile.scalar_functions import FUNCTIONS
from symtape.compile.ufunc_loops import DATA, LOOP, caller, loop_of_doubles
from symtape.errors import CompilationError
from symtape.graph.node import WEAK, DType, Node

_NAMES: Final = ("x", "y", "z", "w")
_OPERATORS: Final[dict[type, str]] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.USub: "negative",
    ast.Invert: "invert",
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction: its text with ``%s`` for each operand, the registers of these, and the type of the result."""

    text: str
    operands: tuple[int, ...]
    kind: ScalarType
    power: bool


@dataclass(frozen=True, slots=True)
class Lowered:
    """An elementwise op on one type.

    Attributes
    ----------
    arguments : tuple of ScalarType
        What each argument has to be converted to; for a fold, of the two that are combined.
    constants : tuple of str
        Literals; they follow the arguments in the numbering of registers, the steps' results follow them.
    steps : tuple of Step
    result : int
        The register of the result.
    kind : ScalarType
        Its type.
    fold : bool
        Whether the op takes any number of arguments, combined from the left.
    declarations : frozenset of str
        What a module has to declare for the steps.
    symbols : frozenset of str
        C functions that the steps call.
    """

    arguments: tuple[ScalarType, ...]
    constants: tuple[str, ...]
    steps: tuple[Step, ...]
    result: int
    kind: ScalarType
    fold: bool
    declarations: frozenset[str]
    symbols: frozenset[str]


def lowered_op(
    op: Any, dtypes: Sequence[DType | type], result: DType, contract: bool, params: tuple[Any, ...] = ()
) -> Lowered | None:
    """How an elementwise op runs on arguments of the given dtypes; None if it has no line that fits them.

    Parameters
    ----------
    op : Op
    dtypes : sequence of dtype or type
        Of the arguments; the Python type of a weak scalar.
    result : dtype
        Of the node.
    contract : bool
        Whether multiplications and additions may be fused.
    params : tuple
        Of the node.
    """
    line = op.lowering if op.lowering is not None else LOWERINGS.get(op.name)
    if callable(line):
        line = line(*params)
    if line is None:
        return None
    return lowered_line(line, tuple(dtypes), result, contract)


@lru_cache(maxsize=4096)
def lowered_line(line: str, dtypes: tuple[DType | type, ...], result: DType, contract: bool) -> Lowered | None:
    """What `lowered_op` gives for an op with this line."""
    fold, truths, wholes, body = _head(line)
    wanted = scalar_type(result)
    if result.kind == "b":
        numbers = [d if isinstance(d, np.dtype) else d(1) for k, d in enumerate(dtypes) if k not in truths]
        kind = scalar_type(np.result_type(*numbers)) if numbers else BOOL
    else:
        kind = wanted
    if kind is None or wanted is None or any(isinstance(d, np.dtype) and scalar_type(d) is None for d in dtypes):
        return None
    own = [BOOL if k in truths else INT64 if k in wholes and _is_whole(d) else kind for k, d in enumerate(dtypes)]
    return _lowered(body, kind, wanted, tuple(own) if not fold else (kind, kind), fold, contract)


def _is_whole(dtype: DType | type) -> bool:
    return dtype.kind in "iub" if isinstance(dtype, np.dtype) else dtype in (int, bool)


def weak_dtype(node: Node) -> DType | type:
    """The dtype of a node as `lowered_op` wants it: the Python type of a weak scalar."""
    return type(node.value) if node.flags & WEAK else node.dtype


def _head(line: str) -> tuple[bool, frozenset[int], frozenset[int], str]:
    """Fold or not, which arguments are truth values, which may stay integers, and the expression."""
    own: dict[str, set[int]] = {"truth": set(), "whole": set()}
    if ": truth" in line or ": whole" in line:
        head, line = line.split(";", 1)
        for part in head.split(","):
            name, _, what = part.partition(":")
            own[what.strip()].add(_NAMES.index(name.strip()))
    fold = line.startswith("fold ")
    return fold, frozenset(own["truth"]), frozenset(own["whole"]), line.removeprefix("fold ").strip()


@lru_cache(maxsize=4096)
def _lowered(
    line: str, kind: ScalarType, wanted: ScalarType, arguments: tuple[ScalarType, ...], fold: bool, contract: bool
) -> Lowered | None:
    reader = _Reader(kind, "contract nsz" if contract else "nsz")
    try:
        *named, last = ast.parse(line.replace("; ", "\n")).body
    except (SyntaxError, ValueError) as error:
        raise CompilationError(f"the lowering {line!r} is no expression: {error}") from error
    registers = {
        name: reader.value(f"argument {k}", t) for k, (name, t) in enumerate(zip(_NAMES, arguments, strict=False))
    }
    for statement in named:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=tree) if name not in registers:
                register = reader.read(tree, registers)
            case _:
                raise CompilationError(f"the lowering language has no statement {ast.unparse(statement)!r}")
        if register is None:
            return None
        registers[name] = register
    if not isinstance(last, ast.Expr):
        raise CompilationError(f"the lowering {line!r} does not end in an expression")
    result = reader.read(last.value, registers)
    if result is None:
        return None
    return reader.finish(arguments, reader.converted(result, wanted), fold)


class _Reader:
    """Turns one expression into steps; values are numbered as they appear and sorted into registers at the end."""

    def __init__(self, kind: ScalarType, flags: str) -> None:
        self.kind = kind
        self.flags = flags
        self.kinds: list[ScalarType] = []
        self.sources: list[Any] = []
        self.memo: dict[Any, int] = {}
        self.declarations: set[str] = set()
        self.symbols: set[str] = set()

    def value(self, source: Any, kind: ScalarType) -> int:
        key = (source, kind)
        if key not in self.memo:
            self.memo[key] = len(self.kinds)
            self.kinds.append(kind)
            self.sources.append(source)
        return self.memo[key]

    def read(self, tree: ast.expr, names: dict[str, int]) -> int | None:
        match tree:
            case ast.Name(id="inf"):
                return self.number(math.inf)
            case ast.Name(id=name) if name in names:
                return names[name]
            case ast.Constant(value=int() | float() as number):
                return self.number(number)
            case ast.UnaryOp(op=operator, operand=operand) if type(operator) in _OPERATORS:
                return self.call(_OPERATORS[type(operator)], [operand], names)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
                return self.call(_OPERATORS[type(operator)], [left, right], names)
            case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _OPERATORS:
                return self.call(_OPERATORS[type(operator)], [left, right], names)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self.call(name, arguments, names)
        raise CompilationError(f"the lowering language has no {ast.unparse(tree)!r}")

    def number(self, number: float) -> int | None:
        if self.kind.family != "f" and (not math.isfinite(number) or number != int(number)):
            return None
        return self.value(("literal", literal(number, self.kind)), self.kind)

    def call(self, name: str, arguments: Sequence[ast.expr], names: dict[str, int]) -> int | None:
        operands: list[int] = []
        for argument in arguments:
            operand = self.read(argument, names)
            if operand is None:
                return None
            operands.append(operand)
        if name == "select":
            return self.select(*operands)
        if name in COMPOSED:
            if self.kind.family != "f":
                return None
            tree = ast.parse(COMPOSED[name], mode="eval").body
            return self.read(tree, dict(zip(_NAMES, operands, strict=False)))
        return self.apply(name, operands)

    def select(self, condition: int, yes: int, no: int) -> int:
        kind = self.kinds[yes]
        text = f"select i1 %s, {kind.register} %s, {kind.register} %s"
        return self.value((text, (condition, yes, no), False), kind)

    def apply(self, name: str, operands: Sequence[int]) -> int | None:
        function = FUNCTIONS.get(name)
        if function is None:
            raise CompilationError(f"the lowering language has no function {name!r}")
        if len(operands) != function.arity:
            raise CompilationError(f"{name} takes {function.arity} arguments in the lowering language")
        kind = self.kinds[operands[0]]
        template = function.template(kind.family)
        if template is None:
            return None
        result = BOOL if function.truth else kind
        if template.startswith("@ufunc."):
            return self.ufunc(template.removeprefix("@ufunc."), operands)
        if template.startswith("@special."):
            return self.special(template.removeprefix("@special."), operands)
        if template.startswith("@"):
            text = self.function_call(template[1:], len(operands), kind)
        else:
            text = template.replace("FLAGS", self.flags).replace("T", kind.register).replace(".S", f".{kind.suffix}")
            if "@llvm.abs" in text:
                self.declarations.add(f"declare {kind.register} @llvm.abs.{kind.suffix}({kind.register}, i1)")
            for k in range(len(operands)):
                text = text.replace(f"{{{k}}}", "%s")
            operands = [o for o in operands for _ in range(1 if text.count("%s") == len(operands) else 2)]
        return self.value((text, tuple(operands), name == "pow"), result)

    def function_call(self, name: str, arity: int, kind: ScalarType) -> str:
        if name.startswith("llvm."):
            full = f"{name}.{kind.suffix}"
        else:
            full = name + ("f" if kind.bits == 32 else "")
            self.symbols.add(full)
        attributes = "" if name.startswith("llvm.") else " nounwind willreturn memory(none)"
        self.declarations.add(f"declare {kind.register} @{full}({', '.join([kind.register] * arity)}){attributes}")
        return f"call {kind.register} @{full}({', '.join([f'{kind.register} %s'] * arity)})"

    def special(self, name: str, operands: Sequence[int]) -> int:
        name, _, form = name.partition("/")
        name, _, part = name.partition(".")
        symbol = (SPECIAL_OF_WHOLE if form else SPECIAL) + name
        self.symbols.add(symbol)
        if part:
            return self.part_of_special(symbol, part, operands)
        types = ["i64" if form and k == 0 else "double" for k in range(len(operands))]
        last = [("i32", "0"), *([("ptr", "null")] if form == "optional" else [])]
        declared = ", ".join([*types, *[t for t, _ in last]])
        self.declarations.add(f"declare double @{symbol}({declared}) nounwind willreturn memory(none)")
        given = tuple(o if t == "i64" else self.converted(o, DOUBLE) for o, t in zip(operands, types, strict=True))
        passed = ", ".join([*[f"{t} %s" for t in types], *[f"{t} {v}" for t, v in last]])
        result = self.value((f"call double @{symbol}({passed})", given, False), DOUBLE)
        return self.converted(result, self.kind)

    def ufunc(self, name: str, operands: Sequence[int]) -> int | None:
        if loop_of_doubles(name) is None:
            return None
        own, texts = caller(name, len(operands))
        self.declarations.update(texts)
        self.symbols.update((LOOP + name, DATA + name))
        wide = tuple(self.converted(o, DOUBLE) for o in operands)
        call = f"call double @{own}({', '.join(['double %s'] * len(wide))})"
        return self.converted(self.value((call, wide, False), DOUBLE), self.kind)

    def part_of_special(self, symbol: str, part: str, operands: Sequence[int]) -> int:
        """One result of a function of a double that writes several: called by a function of the module's own."""
        which, count = map(int, part.split("."))
        places = ", ".join(f"ptr %p{k}" for k in range(count))
        room = " ".join(f"%p{k} = alloca double\n" for k in range(count))
        own = f"{symbol}_{which}"
        self.declarations.add(f"declare void @{symbol}({', '.join(['double', *['ptr'] * count])}) nounwind willreturn")
        self.declarations.add(
            f"define internal double @{own}(double %x) nounwind willreturn noinline {{\n {room}"
            f" call void @{symbol}(double %x, {places})\n %r = load double, ptr %p{which}\n ret double %r\n}}"
        )
        wide = self.converted(operands[0], DOUBLE)
        return self.converted(self.value((f"call double @{own}(double %s)", (wide,), False), DOUBLE), self.kind)

    def converted(self, operand: int, kind: ScalarType) -> int:
        text = conversion(self.kinds[operand], kind)
        return operand if text is None else self.value((text.replace("{0}", "%s"), (operand,), False), kind)

    def finish(self, arguments: tuple[ScalarType, ...], result: int, fold: bool) -> Lowered:
        """Number the registers: arguments, literals, steps; steps that nothing needs are left out."""
        needed = {result}
        for k in range(len(self.sources) - 1, -1, -1):
            if k in needed and isinstance(self.sources[k], tuple) and len(self.sources[k]) == 3:
                needed.update(self.sources[k][1])
        place = {k: k for k in range(len(arguments))}
        inner = [k for k in range(len(arguments), len(self.sources)) if k in needed]
        literals = [k for k in inner if self.sources[k][0] == "literal"]
        computed = [k for k in inner if self.sources[k][0] != "literal"]
        for k in (*literals, *computed):
            place[k] = len(place)
        steps = tuple(
            Step(text, tuple(place[o] for o in operands), self.kinds[k], power)
            for k in computed
            for text, operands, power in [self.sources[k]]
        )
        return Lowered(
            arguments=arguments,
            constants=tuple(self.sources[k][1] for k in literals),
            steps=steps,
            result=place[result],
            kind=self.kinds[result],
            fold=fold,
            declarations=frozenset(self.declarations),
            symbols=frozenset(self.symbols),
        )
