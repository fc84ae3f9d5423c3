"""Straight-line code: every element a scalar in a register, cut into functions of about a thousand operations.

LLVM's time and stack grow faster than a function, so the code is cut. A register that is read in a later function than
the one that made it gets a slot in the workspace: the store is added behind its definition when the first such reader
comes, since the text of earlier functions is still at hand. No operation is ever visited twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from symtape.compile.arguments import LITERAL_LIMIT, Base, Constant, Pool, Sizes, is_plain
from symtape.compile.ir_types import ScalarType, conversion, literal
from symtape.compile.lowering import Lowered
from symtape.compile.module_text import SIGNATURE, ModuleText
from symtape.compile.powers import power_lines

SLOT = 8  #: bytes of a slot, whatever the type


class Chunks:
    """Straight-line code under construction.

    Parameters
    ----------
    module : ModuleText
        Where the functions go.
    sizes : Sizes
    length : int
        Operations after which a function is closed.
    pool : Pool, optional
        Takes constants that are likely to come from the data, so that they are no part of the text.
    """

    def __init__(self, module: ModuleText, sizes: Sizes, length: int, pool: Pool | None = None) -> None:
        self.module = module
        self.sizes = sizes
        self.length = length
        self.pool = pool
        self.operations = 0
        self.slots = 0
        self._kinds: list[ScalarType] = []
        self._homes: list[
            tuple[int, int]
        ] = []  # chunk and line of the definition; (-1, place) for elements of arguments
        self._slot_of: dict[int, int] = {}
        self._arguments: dict[tuple[Base, int, ScalarType], int] = {}
        self._places: list[tuple[Base, int]] = []
        self._closed: list[list[str]] = []
        self._lines: list[str] = []
        self._have: set[int] = set()
        self._pointers: dict[Base, str] = {}
        self._loaded: dict[int, str] = {}
        self._names = 0
        self._start = 0

    # ------------------------------------------------------------------------------------------------- registers

    def define(self, text: str, kind: ScalarType) -> int:
        """A new register that holds the result of an instruction."""
        number = len(self._kinds)
        self._kinds.append(kind)
        self._homes.append((len(self._closed), len(self._lines)))
        self._have.add(number)
        self._lines.append(f"%v{number} = {text}")
        self.operations += 1
        return number

    def argument(self, base: Base, position: int, kind: ScalarType) -> int:
        """The register of an element of an argument: loaded in each function that reads it, so it needs no slot."""
        number = self._arguments.get((base, position, kind))
        if number is None:
            number = len(self._kinds)
            self._kinds.append(kind)
            self._homes.append((-1, len(self._places)))
            self._places.append((base, position))
            self._arguments[base, position, kind] = number
        return number

    def kind(self, element: int | Constant) -> ScalarType | None:
        """The type of an element; None for a constant, which takes any."""
        return self._kinds[element] if isinstance(element, int) else None

    def operand(self, element: int | Constant, kind: ScalarType) -> str:
        """How an instruction of the current function names an element, converted to a type."""
        if isinstance(element, Constant):
            if self.pool is None or is_plain(element.value):
                return literal(element.value, kind)
            return self.pooled(literal(element.value, kind), kind)
        name = f"%v{element}"
        if element not in self._have:
            self._reload(element)
        own = self._kinds[element]
        if own is kind:
            return name
        text = conversion(own, kind)
        if text is None:
            return name
        self._declare_conversion(text)
        return f"%v{self.define(text.format(name), kind)}"

    def _declare_conversion(self, text: str) -> None:
        if text.startswith("call"):
            head, _, rest = text.removeprefix("call ").partition("(")
            self.module.declare(f"declare {head}({rest.split()[0]})")

    def _reload(self, number: int) -> None:
        kind = self._kinds[number]
        chunk, line = self._homes[number]
        name = f"%v{number}"
        self._have.add(number)
        if chunk < 0:
            base, position = self._places[line]
            self._load(name, self.address(base, position, kind), kind)
            return
        slot = self._slot_of.get(number)
        if slot is None:
            slot = self._slot_of[number] = self.slots
            self.slots += 1
            lines = self._closed[chunk]
            lines[line] += (
                f"\n%q{number} = getelementptr i8, ptr %work, i64 {SLOT * slot}\n"
                f"store {kind.register} {name}, ptr %q{number}"
            )
        self._lines.append(f"%q{number} = getelementptr i8, ptr %work, i64 {SLOT * slot}")
        self._lines.append(f"{name} = load {kind.register}, ptr %q{number}")

    def _load(self, name: str, address: str, kind: ScalarType) -> None:
        if kind.register == kind.memory:
            self._lines.append(f"{name} = load {kind.register}, ptr {address}")
        else:
            self._lines.append(f"{name}.m = load {kind.memory}, ptr {address}")
            self._lines.append(f"{name} = icmp ne {kind.memory} {name}.m, 0")

    # ------------------------------------------------------------------------------------------------- memory

    def label(self) -> str:
        """A fresh name for blocks."""
        self._names += 1
        return f"t{self._names}"

    def name(self) -> str:
        """A fresh operand that is no register."""
        return f"%{self.label()}"

    def line(self, text: str) -> None:
        """Add an instruction without result."""
        self._lines.append(text)
        self.operations += 1

    def comment(self, text: str) -> None:
        """Say what the following lines compute."""
        self._lines.append(f"; {text}")

    def size(self, value: int) -> str:
        """An integer as an operand: in the text if it is small, else read from ``sizes``."""
        return str(value) if abs(value) <= LITERAL_LIMIT else self.entry(self.sizes.number(value))

    def entry(self, place: int) -> str:
        """An entry of ``sizes`` as an operand."""
        name = self._loaded.get(place)
        if name is None:
            name = self._loaded[place] = f"%n{place}"
            self._lines.append(f"%n{place}.p = getelementptr i64, ptr %sizes, i64 {place}")
            self._lines.append(f"%n{place} = load i64, ptr %n{place}.p")
        return name

    def pointer(self, base: Base) -> str:
        """The start of an argument or of a place in the workspace."""
        name = self._pointers.get(base)
        if name is None:
            name = self._pointers[base] = f"%{base.area}{base.number}"
            if base.area == "work":
                offset = self.entry(base.number)
                self._lines.append(f"{name} = getelementptr i8, ptr %work, i64 {offset}")
            else:
                self._lines.append(f"{name}.p = getelementptr ptr, ptr %{base.area}, i64 {base.number}")
                self._lines.append(f"{name} = load ptr, ptr {name}.p")
        return name

    def address(self, base: Base, position: int, kind: ScalarType) -> str:
        """The address of an element of an argument or of a place in the workspace."""
        return self.offset_pointer(base, position, kind.memory)

    def offset_pointer(self, base: Base, position: int, memory: str, literal_position: bool = True) -> str:
        """The start of an argument or place, so many elements on."""
        start = self.pointer(base)
        if position == 0:
            return start
        where = str(position) if literal_position else self.size(position)
        name = self.name()
        self._lines.append(f"{name} = getelementptr {memory}, ptr {start}, i64 {where}")
        return name

    def load(self, base: Base, position: int, kind: ScalarType) -> int:
        """A register loaded now: for elements in the workspace, whose place may be used again later."""
        address = self.address(base, position, kind)
        if kind.register == kind.memory:
            return self.define(f"load {kind.register}, ptr {address}", kind)
        raw = self.name()
        self._lines.append(f"{raw} = load {kind.memory}, ptr {address}")
        return self.define(f"icmp ne {kind.memory} {raw}, 0", kind)

    def store(self, element: int | Constant, kind: ScalarType, base: Base, position: int) -> None:
        """Write an element, converted to ``kind``, to memory."""
        operand = self.operand(element, kind)
        address = self.address(base, position, kind)
        if kind.register != kind.memory:
            wide = self.name()
            self._lines.append(f"{wide} = zext {kind.register} {operand} to {kind.memory}")
            operand = wide
        self.line(f"store {kind.memory} {operand}, ptr {address}")

    def pooled(self, text: str, kind: ScalarType) -> str:
        """A literal as an operand that is read from the pool."""
        assert self.pool is not None
        element = self.argument(self.pool.base, self.pool.place(text, kind), kind)
        return self.operand(element, kind)

    # ------------------------------------------------------------------------------------------------- operations

    def apply(self, lowered: Lowered, elements: Sequence[int | Constant]) -> int | Constant:
        """The result of an elementwise op on elements."""
        self.module.need(lowered)
        if not lowered.fold:
            return self._steps(lowered, elements)
        result = elements[0]
        for element in elements[1:]:
            result = self._steps(lowered, (result, element))
            self.cut()
        return result

    def _steps(self, lowered: Lowered, elements: Sequence[int | Constant]) -> int | Constant:
        have, kinds = self._have, self._kinds
        registers = [
            f"%v{e}" if type(e) is int and e in have and kinds[e] is k else self.operand(e, k)
            for e, k in zip(elements, lowered.arguments, strict=True)
        ]
        count = len(registers)
        registers += lowered.constants
        produced: dict[int, int | Constant] = {}
        for step in lowered.steps:
            position = len(registers)
            if step.power:
                base, exponent = step.operands
                constant = elements[exponent] if exponent < count else None
                lines = power_lines(registers[base], constant, step.kind, self.module, self.name)
                if lines is not None:
                    *before, last = lines
                    self._lines += before
                    self.operations += len(before)
                    number = self.define(last, step.kind)
                    produced[position] = number
                    registers.append(f"%v{number}")
                    continue
            number = self.define(step.text % tuple([registers[o] for o in step.operands]), step.kind)
            produced[position] = number
            registers.append(f"%v{number}")
        if lowered.result < count:  # the op hands an argument on
            return self.cast(elements[lowered.result], lowered.arguments[lowered.result])
        found = produced.get(lowered.result)
        return found if found is not None else self.constant(registers[lowered.result], lowered.kind)

    def constant(self, text: str, kind: ScalarType) -> int:
        """A register that holds a literal."""
        word = "fsub" if kind.family == "f" else "or"
        zero = "0.0" if kind.family == "f" else "false" if kind.family == "b" else "0"
        return self.define(f"{word} {kind.register} {text}, {zero}", kind)

    def cast(self, element: int | Constant, kind: ScalarType) -> int | Constant:
        """An element as a register of a type; constants stay what they are."""
        if isinstance(element, Constant) or conversion(self._kinds[element], kind) is None:
            return element
        self.operand(element, kind)
        return len(self._kinds) - 1

    # ------------------------------------------------------------------------------------------------- control

    def check(self, status: str) -> None:
        """Leave the kernel with the status that stands in an ``i32`` operand unless it is 0."""
        name = self.label()
        self._lines += [
            f"%{name} = icmp eq i32 {status}, 0",
            f"br i1 %{name}, label %{name}.on, label %{name}.off",
            f"{name}.off:",
            f"ret i32 {status}",
            f"{name}.on:",
        ]

    def require(self, condition: str, status: int) -> None:
        """Leave the kernel with a status unless a truth value holds."""
        name = self.label()
        self._lines += [
            f"br i1 {condition}, label %{name}.on, label %{name}.off",
            f"{name}.off:",
            f"ret i32 {status}",
            f"{name}.on:",
        ]

    def either(self, condition: str, yes: str, no: str) -> str:
        """The ``i32`` result of one of two calls."""
        name = self.label()
        self._lines += [
            f"br i1 {condition}, label %{name}.yes, label %{name}.no",
            f"{name}.yes:",
            f"%{name}.a = {yes}",
            f"br label %{name}.end",
            f"{name}.no:",
            f"%{name}.b = {no}",
            f"br label %{name}.end",
            f"{name}.end:",
            f"%{name} = phi i32 [ %{name}.a, %{name}.yes ], [ %{name}.b, %{name}.no ]",
        ]
        self.operations += 2
        return f"%{name}"

    def cut(self) -> None:
        """Close the current function if it is long enough; called between operations."""
        if self.operations - self._start >= self.length:
            self._close()

    def _close(self) -> None:
        self._closed.append(self._lines)
        self._lines = []
        self._have = set()
        self._pointers = {}
        self._loaded = {}
        self._start = self.operations

    def finish(self, name: str) -> None:
        """Write the functions and the kernel that calls them into the module."""
        if not self._closed:
            self.module.define_function(f"define i32 @{name}({SIGNATURE}) nounwind", [*self._lines, "ret i32 0"])
            return
        self._close()
        calls: list[str] = []
        for k, lines in enumerate(self._closed):
            part = f"{name}.{k}"
            self.module.define_function(
                f"define internal i32 @{part}({SIGNATURE}) noinline nounwind", [*lines, "ret i32 0"]
            )
            calls += [
                f"%s{k} = call i32 @{part}(ptr %in, ptr %out, ptr %work, ptr %sizes)",
                f"%c{k} = icmp eq i32 %s{k}, 0",
                f"br i1 %c{k}, label %on{k}, label %off{k}",
                f"off{k}:",
                f"ret i32 %s{k}",
                f"on{k}:",
            ]
        self.module.define_function(f"define i32 @{name}({SIGNATURE}) nounwind", [*calls, "ret i32 0"])
