"""From a graph to a kernel: each node becomes straight-line code, loops, a call into Python, or no code at all.

What a node becomes depends on its element rule and its size: scalars and small arrays are unrolled into registers, an
index map over memory is a new view of it, anything larger is a loop per region of its result, and what no rule or
lowering says is called back. The kernel's text holds no data and no long lengths: see `symtape.compile.arguments`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from symtape.compile.decompose import decomposed
from symtape.compile.arguments import Base, Constant, Pool, Sizes, Value, View
from symtape.compile.indices import Linear, contiguous, flat, linear
from symtape.compile.ir_types import ScalarType, scalar_type
from symtape.compile.library_calls import Callback
from symtape.compile.loop_ir import Call, region_call
from symtape.compile.loop_tree import Invariant, Load, Resolver, Tree, regions, resolve
from symtape.compile.lowering import Lowered, lowered_line, lowered_op, weak_dtype
from symtape.compile.module_text import ModuleText
from symtape.compile.options import Options
from symtape.compile.scalar_ir import SLOT, Chunks
from symtape.compile.scan_ir import SCANS, scan_call, scatter_call
from symtape.compile.scatters import scatter_of
from symtape.compile.schedule import WORK_LIMIT, scheduled, work
from symtape.compile.unroll import CannotUnroll, Unroller, broadcast_positions
from symtape.compile.workspace import Workspace
from symtape.graph.node import CONST, ITEM, WEAK, Array, DType, Node
from symtape.ops.element import Read, elementwise_rule, index
from symtape.ops.op import Kind

KERNEL: Final = "symtape.kernel"
#: Arguments of a fold (a sum of many arrays) that one loop reads.
_FOLD_LIMIT: Final = 8
#: Multiplications of a contraction from which on a library does it.
_LIBRARY_WORK: Final = 20_000


@dataclass(slots=True)
class Kernel:
    """A lowered graph: the text of its kernel and what the kernel is called with.

    Attributes
    ----------
    module : ModuleText
    sizes : list of int
        The table ``sizes``.
    workspace : int
        Bytes of the workspace.
    extra : list of ndarray or Callback
        What follows the inputs in the table ``in``.
    operations : int
        Length of the straight-line code.
    """

    module: ModuleText
    sizes: list[int]
    workspace: int
    extra: list[Array | Callback]
    operations: int


def lower(
    inputs: Sequence[Node], outputs: Sequence[Node], guards: Sequence[tuple[Node, Any]], options: Options
) -> Kernel:
    """Lower a graph.

    Parameters
    ----------
    inputs, outputs : sequence of Node
    guards : sequence of (Node, value)
        Scalars that must have these values; they are checked before all else. The status is 1 for the first one.
    options : Options
    """
    conditions = [node for node, _ in guards]
    simple = decomposed(inputs, [*outputs, *conditions])
    outputs, conditions = simple[: len(outputs)], list(simple[len(outputs) :])
    expected = [value for _, value in guards]
    return _Lowering(inputs, outputs, list(zip(conditions, expected, strict=True)), options).run()


@dataclass(slots=True)
class _Room:
    """A range of the workspace and how many values stand in it."""

    start: int
    users: int = 0


@dataclass(slots=True)
class _Lowering:
    inputs: Sequence[Node]
    outputs: Sequence[Node]
    guards: Sequence[tuple[Node, Any]]
    options: Options
    sizes: Sizes = field(default_factory=Sizes)
    workspace: Workspace = field(default_factory=Workspace)
    values: dict[Node, Any] = field(default_factory=dict)
    extra: list[Array | Callback] = field(default_factory=list)
    rooms: dict[int, _Room] = field(default_factory=dict)
    direct: dict[Node, int] = field(default_factory=dict)
    places: list[tuple[int, int]] = field(default_factory=list)
    known: dict[tuple[Any, ...], Lowered | None] = field(default_factory=dict)
    module: ModuleText = field(init=False)
    chunks: Chunks = field(init=False)

    def run(self) -> Kernel:
        schedule = scheduled(self.inputs, [node for node, _ in self.guards], self.outputs)
        self.module = ModuleText(self.options.contract)
        pool = None
        if any(_is_large(node, self.options.unroll) for node in schedule.order):
            pool = Pool(Base("in", len(self.inputs)))
            self.extra.append(np.zeros(0))
        self.chunks = Chunks(self.module, self.sizes, self.options.chunk, pool)
        for k, node in enumerate(self.outputs):
            if node.inputs and node.op is not ITEM and node not in self.inputs:
                self.direct.setdefault(node, k)
        for position, node in enumerate(self.inputs):
            self.values[node] = self._in_memory(node.shape, node.dtype, Base("in", position))
        checks: dict[Node, list[int]] = {}
        for number, (node, _) in enumerate(self.guards):
            checks.setdefault(node, []).append(number)
        for node, done in zip(schedule.order, schedule.done, strict=True):
            if node not in self.values:
                self._node(node)
            for number in checks.get(node, ()):
                self._guard(node, number)
            for dead in done:
                self._release(dead)
            self.chunks.cut()
        for k, node in enumerate(self.outputs):
            self._output(k, node)
            self.chunks.cut()
        if pool is not None:
            self.extra[0] = pool.array()
        self.chunks.finish(KERNEL)
        slots = -(-self.chunks.slots * SLOT // 64) * 64
        for place, start in self.places:
            self.sizes.set(place, slots + start)
        return Kernel(self.module, self.sizes.values, slots + self.workspace.size, self.extra, self.chunks.operations)

    # ------------------------------------------------------------------------------------------------- values

    def _in_memory(self, shape: Any, dtype: DType, base: Base) -> Value:
        return Value(shape, scalar_type(dtype), dtype.itemsize, view=View(base, 0, contiguous(shape)))

    def _allocate(self, shape: tuple[int, ...], dtype: DType, node: Node | None = None) -> Value:
        """Memory for a result: an output's own if the node is one, else a range of the workspace."""
        k = self.direct.get(node) if node is not None else None
        if k is not None:
            return self._in_memory(shape, dtype, Base("out", k))
        start = self.workspace.take(math.prod(shape) * dtype.itemsize)
        place = self.sizes.reserve()
        self.places.append((place, start))
        self.rooms[place] = _Room(start, 1)
        return self._in_memory(shape, dtype, Base("work", place))

    def _share(self, value: Value) -> None:
        """One more value stands in the memory of this one."""
        if value.view is not None and value.view.base.area == "work":
            self.rooms[value.view.base.number].users += 1

    def _drop(self, value: Value) -> None:
        """One value less stands in this memory."""
        if value.view is not None and value.view.base.area == "work":
            room = self.rooms[value.view.base.number]
            room.users -= 1
            if not room.users:
                self.workspace.give(room.start)

    def _release(self, node: Node) -> None:
        value = self.values.pop(node, None)
        for one in value if isinstance(value, tuple) else (value,):
            if one is not None:
                self._drop(one)

    def _elements(self, value: Value) -> list[int | Constant]:
        """All elements of a small value in registers."""
        if value.elements is None:
            assert value.view is not None
            places = _flat_places(value)
            value.elements = [self._element_at(value, place) for place in places]
        return value.elements

    def _element_at(self, value: Value, place: int) -> int:
        """The element at a place in memory, counted from the start of its base."""
        assert value.view is not None
        assert value.kind is not None
        base = value.view.base
        if base.area == "in":
            return self.chunks.argument(base, place, value.kind)
        return self.chunks.load(base, place, value.kind)

    def _read(self, value: Value, at: Sequence[int]) -> int | Constant:
        if value.kind is None:
            raise CannotUnroll("dtype")
        if value.elements is not None or math.prod(value.shape) <= self.options.unroll:
            return self._elements(value)[_flat(at, value.shape)]
        assert value.view is not None
        place = value.view.offset + sum(i * s for i, s in zip(at, value.view.strides, strict=True))
        return self._element_at(value, place)

    def _memory(self, value: Value, dtype: DType) -> View:
        """The view of a value; registers are written to the workspace first."""
        if value.view is None:
            assert value.elements is not None
            assert value.kind is not None
            room = self._allocate(value.shape, dtype)
            value.view = room.view
            assert value.view is not None
            for position, element in enumerate(value.elements):
                self.chunks.store(element, value.kind, value.view.base, position)
        return value.view

    def _packed(self, value: Value, dtype: DType) -> tuple[View, Value | None]:
        """A view in C order, and the temporary that it stands in, if one had to be made."""
        view = self._memory(value, dtype)
        if view.strides == contiguous(value.shape):
            return view, None
        copy = self._allocate(value.shape, dtype)
        self._copy(value, dtype, copy)
        assert copy.view is not None
        return copy.view, copy

    def _copy(self, value: Value, dtype: DType, target: Value) -> None:
        view = self._memory(value, dtype)
        kind = value.kind or ScalarType(f"i{8 * value.itemsize}", f"i{8 * value.itemsize}", "i", 8 * value.itemsize)
        at = Linear(view.offset, tuple((k, s) for k, s in enumerate(view.strides) if s))
        self._fill(Load(view.base, at, kind, dtype), {}, target, kind)

    # ------------------------------------------------------------------------------------------------- nodes

    def _node(self, node: Node) -> None:
        if not node.inputs and node.value is not None and node.op.results == 1:
            self.values[node] = self._leaf(node)
        elif node.op is ITEM:
            source = self.values[node.inputs[0]]
            value = source[node.params[0]]
            self._share(value)
            self.values[node] = value
        else:
            if node.shape != ():
                self.chunks.comment(_title(node))
            self.values[node] = self._unrolled(node) or self._viewed(node) or self._looped(node) or self._called(node)

    def _leaf(self, node: Node) -> Value:
        kind = scalar_type(node.dtype)
        value = np.asarray(node.value)
        baked = node.op is CONST and (
            value.ndim == 0 or (value.dtype.kind in "iub" and value.size <= self.options.unroll)
        )
        if baked and kind is not None:
            return Value(node.shape, kind, node.dtype.itemsize, [Constant(v) for v in value.ravel().tolist()])  # type: ignore[arg-type]
        self.extra.append(np.ascontiguousarray(value))
        base = Base("in", len(self.inputs) + len(self.extra) - 1)
        return self._in_memory(node.shape, node.dtype, base)

    def _unrolled(self, node: Node) -> Value | None:
        """Registers for the elements of a small result."""
        op = node.op
        kind = scalar_type(node.dtype) if op.results == 1 else None
        if kind is None or op.element is None:
            return None
        size = math.prod(node.shape)
        if size > self.options.unroll and size != 1:
            return None
        if op.kind is Kind.ELEMENTWISE:
            return self._unrolled_elementwise(node, kind)
        rule = op.element(index(len(node.shape)), node.inputs, *node.params)
        if size * work(rule) > WORK_LIMIT:
            return None
        arguments = [self.values[i] for i in node.inputs]
        dtypes = [weak_dtype(i) for i in node.inputs]
        unroller = Unroller(
            self.chunks, lambda k, at: self._read(arguments[k], at), dtypes, node.dtype, self.options.contract
        )
        try:
            elements = [unroller.element(rule, dict(enumerate(at))) for at in np.ndindex(*node.shape)]  # type: ignore[arg-type]
        except CannotUnroll:
            return None
        return Value(node.shape, kind, node.dtype.itemsize, elements)  # type: ignore[arg-type]

    def _lowered(self, node: Node) -> Lowered | None:
        """How an elementwise node runs; remembered by what it depends on, since most nodes are alike."""
        key = (
            node.op,
            node.params,
            node.dtype.char,
            *[type(i.value) if i.flags & WEAK else i.dtype.char for i in node.inputs],
        )
        if key not in self.known:
            dtypes = [weak_dtype(i) for i in node.inputs]
            self.known[key] = lowered_op(node.op, dtypes, node.dtype, self.options.contract, node.params)
        return self.known[key]

    def _unrolled_elementwise(self, node: Node, kind: ScalarType) -> Value | None:
        lowered = self._lowered(node)
        if lowered is None:
            return None
        apply = self.chunks.apply
        arguments = [self.values[i] for i in node.inputs]
        if node.shape == ():
            elements = [apply(lowered, [(a.elements or self._elements(a))[0] for a in arguments])]
        else:
            size = math.prod(node.shape)
            columns = []
            for a in arguments:
                found = a.elements or self._elements(a)
                if a.shape != node.shape:
                    found = [found[k] for k in broadcast_positions(a.shape, node.shape)]  # type: ignore[arg-type]
                columns.append(found)
            elements = [apply(lowered, [c[k] for c in columns]) for k in range(size)]
        return Value(node.shape, kind, node.dtype.itemsize, elements)  # type: ignore[arg-type]

    def _viewed(self, node: Node) -> Value | None:
        """The memory of the input seen another way, for a result that only moves elements along regular steps."""
        op = node.op
        if op.element is None or op.results != 1 or op.kind is Kind.ELEMENTWISE:
            return None
        rule = op.element(index(len(node.shape)), node.inputs, *node.params)
        if not isinstance(rule, Read) or node.inputs[rule.input].dtype != node.dtype:
            return None
        source = self.values[node.inputs[rule.input]]
        view = self._memory(source, node.inputs[rule.input].dtype)
        from_rule = _affine(rule, node, view)
        if from_rule is None:
            return None
        value = Value(node.shape, scalar_type(node.dtype), node.dtype.itemsize, view=from_rule)  # type: ignore[arg-type]
        self._share(value)
        return value

    def _looped(self, node: Node) -> Value | None:
        """Loops over the regions of a result, by its element rule or in an order of their own."""
        op = node.op
        if op.kind in (Kind.SCAN, Kind.SCATTER):
            return self._ordered(node)
        if op.element is None or op.results != 1:
            return None
        if op.kind is Kind.ELEMENTWISE and len(node.inputs) > _FOLD_LIMIT:
            return self._folded(node)
        if op.kind is Kind.SCAN or op.kind is Kind.SCATTER:
            return None  # element by element they would cost a square of what they cost in one go
        rule = op.element(index(len(node.shape)), node.inputs, *node.params)
        if op.kind is Kind.LIBRARY and math.prod(node.shape) * work(rule) > _LIBRARY_WORK:  # type: ignore[arg-type]
            return None
        arguments = [self.values[i] for i in node.inputs]
        extents: dict[int, int] = dict(enumerate(node.shape))  # type: ignore[arg-type]
        resolver = self._resolver(node, arguments, [weak_dtype(i) for i in node.inputs], extents)
        tree = resolve(rule, resolver)
        kind = scalar_type(node.dtype)
        if tree is None or kind is None:
            return None
        target = self._allocate(node.shape, node.dtype, node)  # type: ignore[arg-type]
        self._fill(tree, extents, target, kind)
        return target

    def _ordered(self, node: Node) -> Value | None:
        """Loops whose order counts: scans and scatters."""
        kind = scalar_type(node.dtype)
        arguments = [self.values[i] for i in node.inputs]
        if kind is None or any(v.kind is None for v in arguments):
            return None
        shape: Any = node.shape
        if node.op.name in SCANS:
            sources = [self._source(v, i.dtype, shape) for v, i in zip(arguments, node.inputs, strict=True)]
            target = self._allocate(shape, node.dtype, node)
            assert target.view is not None
            if math.prod(shape):
                call = scan_call(
                    self.module, node.op.name, node.params, sources, shape, target.view.strides, target.view.base, kind
                )
                self._emit(call)
            return target
        scatter = scatter_of(node)
        if scatter is None:
            return None
        below = {k: k for k in range(len(scatter.values.shape))}
        extents: dict[int, int] = {k: int(scatter.values.shape[k]) for k in below}
        resolver = self._resolver(
            node, [arguments[k] for k in scatter.numbers], [node.inputs[k].dtype for k in scatter.numbers], extents
        )
        places = resolver.place(scatter.places, contiguous(shape))
        values = self._source(arguments[scatter.number], scatter.values.dtype, scatter.values.shape)
        target = self._allocate(shape, node.dtype, node)
        assert target.view is not None
        if scatter.add:
            zero = Invariant(Constant(0), kind, node.dtype)
            self._fill(zero, {}, target, kind)
        else:
            self._copy(arguments[0], node.dtype, target)
        if places is not None and math.prod(scatter.values.shape):  # type: ignore[arg-type]
            base = target.view.base
            self._emit(scatter_call(self.module, values, scatter.values.shape, places, base, kind, add=scatter.add))  # type: ignore[arg-type]
        return target

    def _source(self, value: Value, dtype: DType, shape: Any) -> Load | Invariant:
        """A value as what a loop reads over the indices of a shape."""
        assert value.kind is not None
        if value.elements is not None and len(value.elements) == 1:
            return Invariant(value.elements[0], value.kind, dtype)
        view = self._memory(value, dtype)
        assert len(view.strides) == len(shape)
        at = Linear(view.offset, tuple((k, s) for k, s in enumerate(view.strides) if s))
        return Load(view.base, at, value.kind, dtype)

    def _resolver(
        self, node: Node, arguments: Sequence[Value], dtypes: Sequence[DType | type], extents: dict[int, int]
    ) -> Resolver:
        def view(k: int) -> View:
            return self._memory(arguments[k], np.dtype(dtypes[k]))

        def load(k: int, place: int) -> int:
            return self._element_at(arguments[k], place)

        return Resolver(arguments, dtypes, node.dtype, extents, view, load, self.options.contract)

    def _folded(self, node: Node) -> Value | None:
        """A fold of many arrays, a few at a time."""
        kind = scalar_type(node.dtype)
        lowered = self._lowered(node)
        if lowered is None or kind is None or not lowered.fold:
            return None
        rest = [(self.values[i], weak_dtype(i)) for i in node.inputs]
        total: Value | None = None
        while rest:
            few, rest = rest[: _FOLD_LIMIT - (total is not None)], rest[_FOLD_LIMIT - (total is not None) :]
            parts = few if total is None else [(total, node.dtype), *few]
            extents: dict[int, int] = dict(enumerate(node.shape))  # type: ignore[arg-type]
            resolver = self._resolver(node, [v for v, _ in parts], [d for _, d in parts], extents)
            tree = resolve(_fold_rule(node, [v.shape for v, _ in parts]), resolver)
            if tree is None:
                return None
            target = self._allocate(node.shape, node.dtype, None if rest else node)  # type: ignore[arg-type]
            self._fill(tree, extents, target, kind)
            if total is not None:
                self._drop(total)
            total = target
            self.chunks.cut()
        return total

    def _fill(self, tree: Tree, extents: dict[int, int], target: Value, kind: ScalarType) -> None:
        """Write and call the loops that compute a result."""
        assert target.view is not None
        if math.prod(target.shape) == 0:
            return
        for region in regions(tree, target.shape, extents):
            if not region.axes and isinstance(region.tree, Invariant):
                self.chunks.store(region.tree.element, kind, target.view.base, region.target.constant)
                self.chunks.cut()
            else:
                self._emit(region_call(self.module, region, target.view.base, kind))

    def _emit(self, call: Call) -> None:
        """Call the loops of a region."""
        chunks = self.chunks
        arguments = [
            f"ptr {chunks.offset_pointer(b, n, k.memory, literal_position=False)}" for b, n, k in call.pointers
        ]
        arguments += [f"{k.register} {chunks.operand(e, k)}" for e, k in call.scalars]
        for text, k in call.literals:
            arguments.append(f"{k.register} {chunks.pooled(text, k) if chunks.pool is not None else text}")
        arguments += [f"i64 {chunks.size(n)}" for n in call.integers]
        name = chunks.name()
        chunks.line(f"{name} = call i32 @{call.function}({', '.join(arguments)})")
        if call.fails:
            chunks.check(name)

    def _called(self, node: Node) -> Any:
        """A call back into Python."""
        several = node.op.results != 1
        shapes: Any = node.shape if several else (node.shape,)
        dtypes: Any = node.dtype if several else (node.dtype,)
        temporaries = []
        views = []
        for i in node.inputs:
            view, temporary = self._packed(self.values[i], i.dtype)
            views.append((view, i.dtype))
            temporaries.append(temporary)
        results = [
            self._allocate(shape, dtype, None if several else node) for shape, dtype in zip(shapes, dtypes, strict=True)
        ]
        callback = Callback(
            node.op,
            node.params,
            tuple((i.shape, i.dtype) for i in node.inputs),  # type: ignore[misc]
            tuple(zip(shapes, dtypes, strict=True)),
            node.code,
            node.lasti,
        )
        self.extra.append(callback)
        self._call(
            len(self.inputs) + len(self.extra) - 1, views, [(r.view, d) for r, d in zip(results, dtypes, strict=True)]
        )
        for temporary in temporaries:
            if temporary is not None:
                self._drop(temporary)
        return tuple(results) if several else results[0]

    def _call(self, place: int, given: Sequence[Any], wanted: Sequence[Any]) -> None:
        """Lay the tables of pointers out in the workspace and call the function in the table of arguments."""
        chunks = self.chunks
        start = chunks.slots
        chunks.slots += len(given) + len(wanted)
        for k, (view, dtype) in enumerate((*given, *wanted)):
            pointer = chunks.offset_pointer(view.base, view.offset, f"[{dtype.itemsize} x i8]", literal_position=False)
            name = chunks.name()
            chunks.line(f"{name} = getelementptr i8, ptr %work, i64 {SLOT * (start + k)}")
            chunks.line(f"store ptr {pointer}, ptr {name}")
        function = chunks.pointer(Base("in", place))
        tables = chunks.name()
        chunks.line(f"{tables}.a = getelementptr i8, ptr %work, i64 {SLOT * start}")
        chunks.line(f"{tables}.b = getelementptr i8, ptr %work, i64 {SLOT * (start + len(given))}")
        chunks.line(f"{tables} = call i32 {function}(ptr {tables}.a, ptr {tables}.b)")
        chunks.check(tables)

    # ------------------------------------------------------------------------------------------------- ends

    def _guard(self, node: Node, number: int) -> None:
        expected = self.guards[number][1]
        (element,) = self._elements(self.values[node])
        lowered = lowered_line("x == y", (weak_dtype(node), node.dtype), np.dtype(bool), self.options.contract)
        assert lowered is not None
        found = self.chunks.apply(lowered, (element, Constant(expected)))
        self.chunks.require(self.chunks.operand(found, lowered.kind), number + 1)

    def _output(self, k: int, node: Node) -> None:
        value: Value = self.values[node]
        if value.view is not None and value.view.base == Base("out", k):
            return
        target = self._in_memory(node.shape, node.dtype, Base("out", k))
        if value.elements is not None and value.kind is not None:
            for position, element in enumerate(value.elements):
                self.chunks.store(element, value.kind, Base("out", k), position)
        else:
            self._copy(value, node.dtype, target)


def _is_large(node: Node, limit: int) -> bool:
    shapes: Any = (node.shape,) if node.op.results == 1 else node.shape
    return any(math.prod(shape) > limit for shape in shapes)


def _title(node: Node) -> str:
    if node.op.results != 1:
        return str(node.op.name)
    return f"{node.op.name} {node.dtype}{list(node.shape)}"


def _flat(at: Sequence[int], shape: Sequence[int]) -> int:
    place = 0
    for i, n in zip(at, shape, strict=True):
        place = place * n + i
    return place


def _flat_places(value: Value) -> list[int]:
    assert value.view is not None
    strides, offset = value.view.strides, value.view.offset
    return [offset + sum(i * s for i, s in zip(at, strides, strict=True)) for at in np.ndindex(*value.shape)]


def _affine(rule: Read, node: Node, view: View) -> View | None:
    """The view of a result whose elements stand at regular steps in the memory of its input."""
    from_shape: list[int] = list(node.shape)  # type: ignore[arg-type]
    at = flat([linear(i, from_shape) for i in rule.at], view.strides, view.offset)
    if not at.is_affine:
        return None
    return View(view.base, at.constant, tuple(at.factor(k) for k in range(len(from_shape))))


def _fold_rule(node: Node, shapes: Sequence[Any]) -> Any:
    return elementwise_rule(node.op, shapes, len(node.shape))
