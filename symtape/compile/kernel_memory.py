"""Where the values of a kernel under construction are, and the loops and calls that move them.

`Memory` is what the lowering of a node works with: it hands out places in the workspace and takes them back, turns
registers into memory and memory into registers, and writes the calls of loops and of functions in the table of
arguments.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symtape.compile.arguments import Base, Constant, Pool, Sizes, Value, View
from symtape.compile.indices import Linear, contiguous
from symtape.compile.ir_types import ScalarType, scalar_type
from symtape.compile.library_calls import Callback
from symtape.compile.loop_ir import Call, region_call
from symtape.compile.loop_tree import Invariant, Load, Tree
from symtape.compile.module_text import ModuleText
from symtape.compile.options import Options
from symtape.compile.regions import regions
from symtape.compile.scalar_ir import SLOT, Chunks
from symtape.compile.unroll import CannotUnroll
from symtape.compile.workspace import ALIGNMENT, Workspace
from symtape.graph.node import Array, DType


@dataclass(slots=True)
class _Room:
    """A range of the workspace and how many values stand in it."""

    start: int
    users: int = 1


class Memory:
    """The values of one kernel.

    Parameters
    ----------
    module : ModuleText
    options : Options
    inputs : int
        Arguments of the kernel; further entries of the table ``in`` follow them.
    pooled : bool
        Whether constants that are likely to come from the data are read from an array.

    Attributes
    ----------
    chunks : Chunks
        The straight-line code.
    extra : list of ndarray or Callback
        What follows the inputs in the table ``in``.
    """

    def __init__(self, module: ModuleText, options: Options, inputs: int, pooled: bool) -> None:
        self.module = module
        self.options = options
        self.inputs = inputs
        self.sizes = Sizes()
        self.workspace = Workspace()
        self.extra: list[Array | Callback] = []
        self._rooms: dict[int, _Room] = {}
        self._places: list[tuple[int, int]] = []
        self.pool = Pool(self.argument(np.zeros(0))) if pooled else None
        self.chunks = Chunks(module, self.sizes, options.chunk, self.pool)

    # ------------------------------------------------------------------------------------------------- places

    def argument(self, entry: Array | Callback) -> Base:
        """One more entry of the table ``in``."""
        self.extra.append(entry)
        return Base("in", self.inputs + len(self.extra) - 1)

    def standing(self, shape: Any, dtype: DType, base: Base) -> Value:
        """A value in C order at the start of an argument or place."""
        return Value(shape, scalar_type(dtype), dtype.itemsize, view=View(base, 0, contiguous(shape)))

    def allocate(self, shape: tuple[int, ...], dtype: DType, output: int | None = None) -> Value:
        """Memory for a result: that of an output if it is one, else a place in the workspace."""
        if output is not None:
            return self.standing(shape, dtype, Base("out", output))
        return self.standing(shape, dtype, self.place(math.prod(shape) * dtype.itemsize))

    def place(self, nbytes: int) -> Base:
        """A place in the workspace with one user."""
        start = self.workspace.take(nbytes)
        number = self.sizes.reserve()
        self._places.append((number, start))
        self._rooms[number] = _Room(start)
        return Base("work", number)

    def share(self, base: Base | None) -> None:
        """One more value stands in this place."""
        if base is not None and base.area == "work":
            self._rooms[base.number].users += 1

    def drop(self, base: Base | None) -> None:
        """One value less stands in this place."""
        if base is not None and base.area == "work":
            room = self._rooms[base.number]
            room.users -= 1
            if not room.users:
                self.workspace.give(room.start)

    def finish(self, name: str) -> int:
        """Write the kernel into the module; the bytes of its workspace."""
        if self.pool is not None:
            self.extra[0] = self.pool.array()
        self.chunks.finish(name)
        slots = -(-self.chunks.slots * SLOT // ALIGNMENT) * ALIGNMENT
        for number, start in self._places:
            self.sizes.set(number, slots + start)
        return slots + self.workspace.size

    # ------------------------------------------------------------------------------------------------- registers

    def elements(self, value: Value) -> list[int | Constant]:
        """All elements of a small value in registers."""
        if value.elements is None:
            view = value.view
            assert view is not None
            places = [
                view.offset + sum(i * s for i, s in zip(at, view.strides, strict=True))
                for at in np.ndindex(*value.shape)
            ]
            value.elements = [self.element(value, place) for place in places]
        return value.elements

    def element(self, value: Value, place: int) -> int:
        """The element at a place in memory, counted from the start of its base."""
        assert value.view is not None
        assert value.kind is not None
        base = value.view.base
        if base.area == "in":
            return self.chunks.argument(base, place, value.kind)
        return self.chunks.load(base, place, value.kind)

    def read(self, value: Value, at: Sequence[int]) -> int | Constant:
        """The element at given indices."""
        if value.kind is None:
            raise CannotUnroll("dtype")
        if value.elements is not None or math.prod(value.shape) <= self.options.unroll:
            place = 0
            for i, n in zip(at, value.shape, strict=True):
                place = place * n + i
            return self.elements(value)[place]
        assert value.view is not None
        place = value.view.offset + sum(i * s for i, s in zip(at, value.view.strides, strict=True))
        return self.element(value, place)

    # ------------------------------------------------------------------------------------------------- memory

    def view(self, value: Value, dtype: DType) -> View:
        """The view of a value; registers are written to the workspace first."""
        if value.view is None:
            assert value.elements is not None
            assert value.kind is not None
            value.view = self.allocate(value.shape, dtype).view
            assert value.view is not None
            for position, element in enumerate(value.elements):
                self.chunks.store(element, value.kind, value.view.base, position)
        return value.view

    def packed(self, value: Value, dtype: DType) -> tuple[View, Base | None]:
        """A view in C order, and the place that it was copied to, if it had to be."""
        view = self.view(value, dtype)
        if view.strides == contiguous(value.shape):
            return view, None
        copy = self.allocate(value.shape, dtype)
        self.copy(value, dtype, copy)
        assert copy.view is not None
        return copy.view, copy.view.base

    def copy(self, value: Value, dtype: DType, target: Value) -> None:
        """Write all elements of a value to other memory."""
        kind = value.kind or _raw(value.itemsize)
        self.fill(self.source(value, dtype, kind), {}, target, kind)

    def source(self, value: Value, dtype: DType, kind: ScalarType) -> Load | Invariant:
        """A value as what a loop over its indices reads."""
        if value.elements is not None and len(value.elements) == 1:
            return Invariant(value.elements[0], kind, dtype)
        view = self.view(value, dtype)
        at = Linear(view.offset, tuple((k, s) for k, s in enumerate(view.strides) if s))
        return Load(view.base, at, kind, dtype)

    def fill(self, tree: Tree, extents: dict[int, int], target: Value, kind: ScalarType) -> None:
        """Write and call the loops that compute a result."""
        assert target.view is not None
        if math.prod(target.shape) == 0:
            return
        for region in regions(tree, target.shape, extents):
            if not region.axes and isinstance(region.tree, Invariant):
                self.chunks.store(region.tree.element, kind, target.view.base, region.target.constant)
            else:
                self.emit(region_call(self.module, region, target.view.base, kind))
            self.chunks.cut()

    # ------------------------------------------------------------------------------------------------- calls

    def emit(self, call: Call) -> None:
        """Call a loop."""
        chunks = self.chunks
        arguments = [
            f"ptr {chunks.offset_pointer(base, place, kind.memory, literal_position=False)}"
            for base, place, kind in call.pointers
        ]
        arguments += [f"{kind.register} {chunks.operand(e, kind)}" for e, kind in call.scalars]
        for text, kind in call.literals:
            arguments.append(f"{kind.register} {chunks.pooled(text, kind) if self.pool is not None else text}")
        arguments += [f"i64 {chunks.size(n)}" for n in call.integers]
        name = chunks.name()
        chunks.line(f"{name} = call i32 @{call.function}({', '.join(arguments)})")
        if call.fails:
            chunks.check(name)

    def table(self, pointers: Sequence[str]) -> str:
        """The address of a table of pointers, laid out in the workspace."""
        chunks = self.chunks
        start = chunks.slots
        chunks.slots += max(len(pointers), 1)
        for k, pointer in enumerate(pointers):
            name = chunks.name()
            chunks.line(f"{name} = getelementptr i8, ptr %work, i64 {SLOT * (start + k)}")
            chunks.line(f"store ptr {pointer}, ptr {name}")
        address = chunks.name()
        chunks.line(f"{address} = getelementptr i8, ptr %work, i64 {SLOT * start}")
        return address

    def start(self, view: View, itemsize: int) -> str:
        """The address of the first element of a view."""
        return self.chunks.offset_pointer(view.base, view.offset, f"[{itemsize} x i8]", literal_position=False)


def _raw(itemsize: int) -> ScalarType:
    """Elements that are only moved."""
    return ScalarType(f"i{8 * itemsize}", f"i{8 * itemsize}", "i", 8 * itemsize)
