"""Loops: one function per region of a result, from its tree of readings, operations and reductions.

Sums of floats run in blocks whose partial sums LLVM may reorder and vectorize, and which are then added with their
rounding errors kept, so that a sum over a million elements is as exact as one over a hundred.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from symtape.compile.arguments import LITERAL_LIMIT, Base, Constant
from symtape.compile.ir_types import INT64, ScalarType, literal
from symtape.compile.loop_text import LoopText
from symtape.compile.loop_tree import (
    Choice,
    Invariant,
    Load,
    Operation,
    Position,
    Reduction,
    Tree,
)
from symtape.compile.lowering import Lowered
from symtape.compile.module_text import ModuleText
from symtape.compile.powers import power_lines
from symtape.compile.regions import Region
from symtape.compile.strip_ir import in_strips, write_strips

#: Elements whose sum is taken without keeping rounding errors.
BLOCK: Final = 256


@dataclass(frozen=True, slots=True)
class Call:
    """A function and what it has to be called with, in order.

    Attributes
    ----------
    function : str
    pointers : tuple of (Base, offset in elements, type of the elements)
    scalars : tuple of (register, type)
    literals : tuple of (text, type)
    integers : tuple of int
    fails : bool
        Whether it can return another status than 0.
    """

    function: str
    pointers: tuple[tuple[Base, int, ScalarType], ...]
    scalars: tuple[tuple[int | Constant, ScalarType], ...]
    literals: tuple[tuple[str, ScalarType], ...]
    integers: tuple[int, ...]
    fails: bool


def region_call(module: ModuleText, region: Region, base: Base, kind: ScalarType) -> Call:
    """Write the loops of a region, or find equal ones.

    Parameters
    ----------
    module : ModuleText
    region : Region
    base : Base
        The result's memory.
    kind : ScalarType
        Its elements.
    """
    writer = _Writer(module, region)
    writer.run(base, kind)
    return finished(writer.text)


def finished(text: LoopText) -> Call:
    """The function that was written, and what it is called with."""
    function = text.module.loop(text.parameters(), [*text.lines, "ret i32 0"])
    return Call(
        function,
        tuple(text.pointers),
        tuple(text.scalars),
        tuple(text.literals),
        tuple(text.integers),
        text.fails,
    )


class _Writer:
    def __init__(self, module: ModuleText, region: Region) -> None:
        self.module = module
        self.region = region
        self.text = LoopText(module)
        self.indices: dict[int, str] = {}

    def run(self, base: Base, kind: ScalarType) -> None:
        text, region = self.text, self.region
        text.pointer(base, region.target.constant, kind)  # the first parameter, which nothing else points into
        if in_strips(region):
            write_strips(self, base, kind)
            return
        loops = []
        for axis in region.axes:
            loop = text.open("0", text.integer(region.extents[axis]))
            self.indices[axis] = loop.index
            loops.append(loop)
        operand = text.converted(self.value(region.tree), region.tree.kind, kind)
        text.store(operand, kind, text.element(base, region.target, self.indices, kind))
        for loop in reversed(loops):
            text.close(loop)

    # ------------------------------------------------------------------------------------------------- values

    def value(self, tree: Tree) -> str:
        text = self.text
        match tree:
            case Load(base, at, kind):
                return text.load(text.element(base, at, self.indices, kind), kind)
            case Invariant(element, kind):
                return text.scalar(element, kind)
            case Position(at):
                return text.position(at, self.indices)
            case Operation(lowered, arguments):
                return self.operation(lowered, arguments)
            case Choice():
                return self.choice(tree)
            case Reduction():
                return self.reduction(tree)

    def operation(self, lowered: Lowered, arguments: Sequence[Tree]) -> str:
        self.module.need(lowered)
        kinds = lowered.arguments if not lowered.fold else [lowered.arguments[0]] * len(arguments)
        operands = []
        for argument, kind in zip(arguments, kinds, strict=True):
            if isinstance(argument, Invariant) and isinstance(argument.element, Constant):
                operands.append(self.text.scalar(argument.element, kind))
            else:
                operands.append(self.text.converted(self.value(argument), argument.kind, kind))
        if not lowered.fold:
            return self.steps(lowered, operands, arguments)
        result = operands[0]
        for operand in operands[1:]:
            result = self.steps(lowered, [result, operand], ())
        return result

    def steps(self, lowered: Lowered, operands: Sequence[str], arguments: Sequence[Tree]) -> str:
        registers = [*operands, *lowered.constants]
        for step in lowered.steps:
            if step.power:
                base, exponent = step.operands
                tree = arguments[exponent] if exponent < len(arguments) else None
                constant = tree.element if isinstance(tree, Invariant) else None
                lines = power_lines(registers[base], constant, step.kind, self.module, self.text.name)
                if lines is not None:
                    self.text.lines += lines[:-1]
                    registers.append(self.text.put(lines[-1]))
                    continue
            registers.append(self.text.put(step.text % tuple([registers[o] for o in step.operands])))
        return registers[lowered.result]

    def choice(self, tree: Choice) -> str:
        text = self.text
        end = f"{text.fresh_label()}.end"
        found: list[tuple[str, str]] = []
        for bounds, inner in tree.boxes:
            inside = "true"
            for at, low, high in bounds:
                place = text.position(at, self.indices)
                above = text.put(f"icmp sge i64 {place}, {text.integer(low)}")
                below = text.put(f"icmp slt i64 {place}, {text.integer(high)}")
                inside = text.put(f"and i1 {inside}, {text.put(f'and i1 {above}, {below}')}")
            label = text.fresh_label()
            text.lines.append(f"br i1 {inside}, label %{label}.in, label %{label}.out")
            text.label(f"{label}.in")
            operand = text.converted(self.value(inner), inner.kind, tree.kind)
            found.append((operand, text.block))
            text.lines.append(f"br label %{end}")
            text.label(f"{label}.out")
        operand = text.converted(self.value(tree.otherwise), tree.otherwise.kind, tree.kind)
        found.append((operand, text.block))
        text.lines.append(f"br label %{end}")
        text.label(end)
        return text.put(f"phi {tree.kind.register} " + ", ".join(f"[ {v}, %{b} ]" for v, b in found))

    # ------------------------------------------------------------------------------------------------- reductions

    def reduction(self, tree: Reduction) -> str:
        if tree.how in ("argmax", "argmin"):
            return self.extreme_position(tree)
        if tree.how == "sum" and tree.kind.family == "f" and tree.indices:
            return self.exact_sum(tree)
        return self.plain(tree, tree.indices, self.start(tree))

    def start(self, tree: Reduction) -> str:
        """What a reduction of nothing gives."""
        kind = tree.kind
        if tree.how in ("max", "min"):
            low = tree.how == "max"
            if kind.family == "f":
                return literal(-np.inf if low else np.inf, kind)
            if kind.family == "b":
                return "false" if low else "true"
            least = 0 if kind.family == "u" else -(2 ** (kind.bits - 1))
            most = 2 ** (kind.bits - (kind.family == "i")) - 1
            return str(least if low else most)
        return literal({"sum": 0, "any": 0, "prod": 1, "all": 1}[tree.how], kind)

    def combined(self, tree: Reduction, left: str, right: str, flags: str) -> str:
        kind = tree.kind
        if tree.how in ("max", "min"):
            if kind.family == "b":
                word = "or" if tree.how == "max" else "and"
                return self.text.put(f"{word} i1 {left}, {right}")
            name = {"f": "llvm.maximum", "i": "llvm.smax", "u": "llvm.umax"}[kind.family]
            name = name if tree.how == "max" else name.replace("max", "min")
            full = f"{kind.register} @{name}.{kind.suffix}"
            self.module.declare(f"declare {full}({kind.register}, {kind.register})")
            return self.text.put(f"call {full}({kind.register} {left}, {kind.register} {right})")
        words = {"any": "or", "all": "and"} if kind.family == "b" else {}
        if kind.family == "f":
            words |= {"sum": f"fadd {flags}", "prod": "fmul"}
        else:
            words |= {"sum": "or" if kind.family == "b" else "add", "prod": "and" if kind.family == "b" else "mul"}
        return self.text.put(f"{words[tree.how]} {kind.register} {left}, {right}")

    def plain(
        self, tree: Reduction, indices: Sequence[int], start: str, low: str = "0", high: str | None = None
    ) -> str:
        """The reduction over the given indices as nested loops; ``low`` and ``high`` bound the first, if given."""
        text = self.text
        loops = []
        carried = start
        for position, index in enumerate(indices):
            first, last = ("0", text.integer(self.region.extents[index])) if position or high is None else (low, high)
            loop = text.open(first, last, carried=[(tree.kind, carried)])
            self.indices[index] = loop.index
            (carried,) = loop.carried
            loops.append(loop)
        operand = text.converted(self.value(tree.body), tree.body.kind, tree.kind)
        flags = "reassoc " + self.module.flags
        result = self.combined(tree, carried, operand, flags)
        for loop in reversed(loops):
            (result,) = text.close(loop, [result])
        return result

    def exact_sum(self, tree: Reduction) -> str:
        """A sum in blocks, with the rounding errors of adding the blocks carried along."""
        text, kind = self.text, tree.kind
        zero = literal(0.0, kind)
        *outer, last = tree.indices
        high, low = zero, zero
        loops = []
        for index in outer:
            loop = text.open("0", text.integer(self.region.extents[index]), carried=[(kind, high), (kind, low)])
            self.indices[index] = loop.index
            high, low = loop.carried
            loops.append(loop)
        length = self.region.extents[last]
        if length <= LITERAL_LIMIT:
            if not outer:
                return self.plain(tree, (last,), zero)
            partial = self.plain(tree, (last,), zero)
            high, low = self.two_sum(kind, high, low, partial)
        else:
            extent = text.integer(length)
            loop = text.open("0", extent, carried=[(kind, high), (kind, low)])
            loops.append(loop)
            end = text.put(f"add nsw i64 {loop.index}, {BLOCK}")
            short = text.put(f"icmp slt i64 {end}, {extent}")
            end = text.put(f"select i1 {short}, i64 {end}, i64 {extent}")
            partial = self.plain(tree, (last,), zero, loop.index, end)
            high, low = loop.carried
            high, low = self.two_sum(kind, high, low, partial)
        for loop in reversed(loops):
            step = str(BLOCK) if length > LITERAL_LIMIT and loop is loops[-1] else "1"
            high, low = text.close(loop, [high, low], step)
        return self.with_errors(kind, high, low)

    def with_errors(self, kind: ScalarType, high: str, low: str) -> str:
        """A sum with its rounding errors; an infinite one has none: what was computed as one is NaN."""
        text = self.text
        gap = text.put(f"fsub {kind.register} {high}, {high}")
        finite = text.put(f"fcmp oeq {kind.register} {gap}, {literal(0, kind)}")
        both = text.put(f"fadd {kind.register} {high}, {low}")
        return text.put(f"select i1 {finite}, {kind.register} {both}, {kind.register} {high}")

    def two_sum(self, kind: ScalarType, high: str, low: str, term: str) -> tuple[str, str]:
        """Add a term to a sum and its rounding error to the errors (Knuth's two-sum): no flags may touch these."""
        put, t = self.text.put, kind.register
        total = put(f"fadd {t} {high}, {term}")
        added = put(f"fsub {t} {total}, {high}")
        kept = put(f"fsub {t} {total}, {added}")
        error = put(f"fadd {t} {put(f'fsub {t} {high}, {kept}')}, {put(f'fsub {t} {term}, {added}')}")
        return total, put(f"fadd {t} {low}, {error}")

    def extreme_position(self, tree: Reduction) -> str:
        """The flat position of the first extreme element, or of the first NaN."""
        text, kind = self.text, tree.body.kind
        loops = []
        carried = [(kind, literal(0, kind)), (INT64, "0"), (INT64, "0")]
        state = [start for _, start in carried]
        for index in tree.indices:
            loop = text.open(
                "0",
                text.integer(self.region.extents[index]),
                carried=[(k, s) for (k, _), s in zip(carried, state, strict=True)],
            )
            self.indices[index] = loop.index
            state = loop.carried
            loops.append(loop)
        best, where, count = state
        operand = self.value(tree.body)
        word = {"f": "fcmp ogt", "i": "icmp sgt", "u": "icmp ugt", "b": "icmp ugt"}[kind.family]
        if tree.how == "argmin":
            word = word.replace("gt", "lt")
        better = text.put(f"{word} {kind.register} {operand}, {best}")
        if kind.family == "f":
            new_nan = text.put(f"fcmp uno {kind.register} {operand}, {operand}")
            old_good = text.put(f"fcmp ord {kind.register} {best}, {best}")
            better = text.put(f"or i1 {better}, {text.put(f'and i1 {new_nan}, {old_good}')}")
        first = text.put(f"icmp eq i64 {count}, 0")
        better = text.put(f"or i1 {better}, {first}")
        best = text.put(f"select i1 {better}, {kind.register} {operand}, {kind.register} {best}")
        where = text.put(f"select i1 {better}, i64 {count}, i64 {where}")
        state = [best, where, text.put(f"add nsw i64 {count}, 1")]
        for loop in reversed(loops):
            state = text.close(loop, state)
        return state[1]
