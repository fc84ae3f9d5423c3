"""A function of LLVM's text form with nested loops, written from top to bottom.

All that differs from call to call (pointers, scalars, lengths, strides) is a parameter, so that equal work on other
arrays is the same function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symtape.compile.arguments import LITERAL_LIMIT, Base, Constant, is_plain
from symtape.compile.indices import Divided, Linear, Modulo
from symtape.compile.ir_types import INT64, ScalarType, conversion, literal
from symtape.compile.loop_tree import GatheredLoad, GatheredScalar
from symtape.compile.module_text import ModuleText

#: Status of a kernel that met an index outside its axis.
INDEX_STATUS = -1


@dataclass(slots=True)
class OpenLoop:
    """A loop whose end is not written yet."""

    label: str
    index: str
    carried: list[str]
    line: int
    entry: str
    starts: list[tuple[ScalarType, str]]
    low: str


class LoopText:
    """The lines and parameters of one function."""

    def __init__(self, module: ModuleText) -> None:
        self.module = module
        self.lines: list[str] = ["entry:"]
        self.block = "entry"
        self.fails = False
        self.pointers: dict[tuple[Base, int, ScalarType], str] = {}
        self.scalars: dict[tuple[int, ScalarType], str] = {}
        self.literals: dict[tuple[str, ScalarType], str] = {}
        self.integers: dict[int, str] = {}
        self._names = 0

    # ------------------------------------------------------------------------------------------------- operands

    def fresh_label(self) -> str:
        """A fresh name for blocks."""
        self._names += 1
        return f"x{self._names}"

    def name(self) -> str:
        """A fresh operand."""
        return f"%{self.fresh_label()}"

    def put(self, text: str) -> str:
        """Add an instruction; the operand that holds its result."""
        name = self.name()
        self.lines.append(f"{name} = {text}")
        return name

    def pointer(self, base: Base, offset: int, kind: ScalarType) -> str:
        """The parameter that points to an element of an array."""
        return self.pointers.setdefault((base, offset, kind), f"%p{len(self.pointers)}")

    def integer(self, value: int) -> str:
        """An integer: in the text if small, else a parameter."""
        if abs(value) <= LITERAL_LIMIT:
            return str(value)
        return self.integers.setdefault(value, f"%n{len(self.integers)}")

    def scalar(self, element: int | Constant, kind: ScalarType) -> str:
        """A scalar of the caller as a parameter; constants that are likely part of a formula stand in the text."""
        if isinstance(element, int):
            return self.scalars.setdefault((element, kind), f"%s{len(self.scalars)}")
        text = literal(element.value, kind)
        if is_plain(element.value):
            return text
        return self.literals.setdefault((text, kind), f"%l{len(self.literals)}")

    def converted(self, operand: str, source: ScalarType, target: ScalarType) -> str:
        """An operand as another type."""
        text = conversion(source, target)
        if text is None:
            return operand
        if text.startswith("call"):
            head, _, rest = text.removeprefix("call ").partition("(")
            self.module.declare(f"declare {head}({rest.split()[0]})")
        return self.put(text.format(operand))

    # ------------------------------------------------------------------------------------------------- memory

    def load(self, address: str, kind: ScalarType) -> str:
        """The element at an address."""
        value = self.put(f"load {kind.memory}, ptr {address}")
        return value if kind.register == kind.memory else self.put(f"icmp ne {kind.memory} {value}, 0")

    def store(self, operand: str, kind: ScalarType, address: str) -> None:
        """Write an element."""
        if kind.register != kind.memory:
            operand = self.put(f"zext {kind.register} {operand} to {kind.memory}")
        self.lines.append(f"store {kind.memory} {operand}, ptr {address}")

    def array(self, kind: ScalarType, length: int) -> str:
        """Room for a few values on the stack."""
        name = self.name()
        self.lines.insert(1, f"{name} = alloca [{length} x {kind.register}]")
        return name

    def kept(self, kind: ScalarType, array: str, index: str) -> str:
        """A value from such a room."""
        address = self.put(f"getelementptr {kind.register}, ptr {array}, i64 {index}")
        return self.put(f"load {kind.register}, ptr {address}")

    def keep(self, value: str, kind: ScalarType, array: str, index: str) -> None:
        """Put a value into such a room."""
        address = self.put(f"getelementptr {kind.register}, ptr {array}, i64 {index}")
        self.lines.append(f"store {kind.register} {value}, ptr {address}")

    def element(self, base: Base, at: Linear, indices: dict[int, str], kind: ScalarType) -> str:
        """The address of an element: the constant part of its place goes into the parameter."""
        start = self.pointer(base, at.constant, kind)
        where = self.position(Linear(0, at.terms), indices)
        return start if where == "0" else self.put(f"getelementptr {kind.memory}, ptr {start}, i64 {where}")

    def position(self, form: Linear, indices: dict[int, str]) -> str:
        """The value of an index expression."""
        result = self.integer(form.constant) if form.constant else None
        for atom, factor in form.terms:
            term = self._atom(atom, indices)
            if factor != 1:
                term = self.put(f"mul nsw i64 {term}, {self.integer(factor)}")
            result = term if result is None else self.put(f"add nsw i64 {result}, {term}")
        return "0" if result is None else result

    def _atom(self, atom: object, indices: dict[int, str]) -> str:
        match atom:
            case int():
                return indices[atom]
            case Divided(of, by):
                return self._floor("sdiv", self.position(of, indices), by)
            case Modulo(of, by):
                return self._floor("srem", self.position(of, indices), by)
            case GatheredLoad(base, at, kind, length):
                return self._checked(self.load(self.element(base, at, indices, kind), kind), kind, length)
            case GatheredScalar(element, kind, length):
                return self._checked(self.scalar(element, kind), kind, length)
        raise TypeError(f"no index: {atom!r}")

    def _floor(self, word: str, operand: str, by: int) -> str:
        """Division that rounds down, or the remainder that goes with it, by a positive number."""
        divisor = self.integer(by)
        result = self.put(f"{word} i64 {operand}, {divisor}")
        rest = result if word == "srem" else self.put(f"srem i64 {operand}, {divisor}")
        below = self.put(f"icmp slt i64 {rest}, 0")
        if word == "srem":
            return self.put(f"select i1 {below}, i64 {self.put(f'add i64 {result}, {divisor}')}, i64 {result}")
        return self.put(f"add i64 {result}, {self.put(f'sext i1 {below} to i64')}")

    def _checked(self, operand: str, kind: ScalarType, length: int) -> str:
        """An index from data: it may count from the end, and it must lie within the axis."""
        wide = self.converted(operand, kind, INT64)
        extent = self.integer(length)
        behind = self.put(f"icmp slt i64 {wide}, 0")
        index = self.put(f"select i1 {behind}, i64 {self.put(f'add i64 {wide}, {extent}')}, i64 {wide}")
        inside = self.put(f"icmp ult i64 {index}, {extent}")
        label = self.fresh_label()
        self.lines += [
            f"br i1 {inside}, label %{label}.on, label %{label}.off",
            f"{label}.off:",
            f"ret i32 {INDEX_STATUS}",
            f"{label}.on:",
        ]
        self.block = f"{label}.on"
        self.fails = True
        return index

    # ------------------------------------------------------------------------------------------------- control

    def open(self, low: str, high: str, carried: Sequence[tuple[ScalarType, str]] = ()) -> OpenLoop:
        """Begin a loop from ``low`` to below ``high`` that carries values along."""
        label = self.fresh_label()
        index = f"%{label}.i"
        names = [f"%{label}.c{k}" for k in range(len(carried))]
        self.lines += [f"br label %{label}.head", f"{label}.head:"]
        loop = OpenLoop(label, index, names, len(self.lines), self.block, list(carried), low)
        self.lines.append("")  # the phis, when the end is known
        self.lines += [
            f"%{label}.more = icmp slt i64 {index}, {high}",
            f"br i1 %{label}.more, label %{label}.body, label %{label}.done",
            f"{label}.body:",
        ]
        self.block = f"{label}.body"
        return loop

    def close(self, loop: OpenLoop, values: Sequence[str] = (), step: str = "1") -> list[str]:
        """End a loop; the carried values as they stand behind it."""
        label = loop.label
        self.lines += [f"%{label}.next = add nsw i64 {loop.index}, {step}", f"br label %{label}.head", f"{label}.done:"]
        phis = [f"{loop.index} = phi i64 [ {loop.low}, %{loop.entry} ], [ %{label}.next, %{self.block} ]"]
        for name, (kind, start), value in zip(loop.carried, loop.starts, values, strict=True):
            phis.append(f"{name} = phi {kind.register} [ {start}, %{loop.entry} ], [ {value}, %{self.block} ]")
        self.lines[loop.line] = "\n".join(phis)
        self.block = f"{label}.done"
        return loop.carried

    def label(self, name: str) -> None:
        """Begin a block."""
        self.lines.append(f"{name}:")
        self.block = name

    # ------------------------------------------------------------------------------------------------- the whole

    def parameters(self) -> str:
        """The parameter list, in the order in which a call gives them."""
        return ", ".join(
            [
                *[f"ptr noalias {p}" if k == 0 else f"ptr {p}" for k, p in enumerate(self.pointers.values())],
                *[f"{kind.register} {s}" for (_, kind), s in self.scalars.items()],
                *[f"{kind.register} {s}" for (_, kind), s in self.literals.items()],
                *[f"i64 {n}" for n in self.integers.values()],
            ]
        )
