"""From a graph to a kernel: each node becomes straight-line code, loops, a call, or no code at all.

What a node becomes depends on its element rule and its size: scalars and small arrays are unrolled into registers, an
index map over memory is a new view of it, anything larger is a loop per region of its result, and what no rule or
lowering says is called back. The kernel's text holds no data and no long lengths: see `symtape.compile.arguments`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from symtape.compile.arguments import LITERAL_LIMIT, Base, Constant, Value, View
from symtape.compile.calls import Kernel, called
from symtape.compile.decompose import DECOMPOSITIONS, decomposed
from symtape.compile.indices import contiguous, flat, linear
from symtape.compile.ir_types import BOOL, ScalarType, scalar_type
from symtape.compile.kernel_memory import Memory
from symtape.compile.loop_tree import Invariant, Resolver, resolve
from symtape.compile.lowering import Lowered, lowered_line, lowered_op, weak_dtype
from symtape.compile.module_text import ModuleText
from symtape.compile.options import Options
from symtape.compile.scan_ir import SCANS, scan_call, scatter_call
from symtape.compile.scatters import scatter_of
from symtape.compile.schedule import WORK_LIMIT, Schedule, longest_sum, scheduled, wants_library, work
from symtape.compile.unroll import CannotUnroll, Unroller, broadcast_positions
from symtape.graph.closed import Graph
from symtape.graph.node import CONST, ITEM, WEAK, DType, Node
from symtape.ops.element import Read, elementwise_rule, index
from symtape.ops.op import Kind

#: Arguments of a fold (a sum of many arrays) that one loop reads.
_FOLD_LIMIT: Final = 8


def lower(
    name: str, inputs: Sequence[Node], outputs: Sequence[Node], guards: Sequence[tuple[Node, Any]], options: Options
) -> Kernel:
    """Lower a graph.

    Parameters
    ----------
    name : str
        Of the kernel.
    inputs, outputs : sequence of Node
    guards : sequence of (Node, value)
        Scalars that must have these values; they are checked before all else. The status is 1 for the first one.
    options : Options
    """
    return _lowered_as(name, ModuleText(options.contract), inputs, outputs, guards, options)


def _lowered_as(
    name: str,
    module: ModuleText,
    inputs: Sequence[Node],
    outputs: Sequence[Node],
    guards: Sequence[tuple[Node, Any]],
    options: Options,
) -> Kernel:
    conditions = [node for node, _ in guards]
    schedule = scheduled(inputs, conditions, outputs)
    if any(node.op.name in DECOMPOSITIONS for node in schedule.order):
        simple = decomposed(inputs, [*outputs, *conditions])
        outputs, conditions = simple[: len(outputs)], list(simple[len(outputs) :])
        schedule = scheduled(inputs, conditions, outputs)
    checks = [(node, value) for node, (_, value) in zip(conditions, guards, strict=True)]
    return _Lowering(name, module, schedule, inputs, outputs, checks, options).run()


class _Lowering:
    """The lowering of one graph."""

    def __init__(
        self,
        name: str,
        module: ModuleText,
        schedule: Schedule,
        inputs: Sequence[Node],
        outputs: Sequence[Node],
        guards: Sequence[tuple[Node, Any]],
        options: Options,
    ) -> None:
        self.name = name
        self.module = module
        self.outputs = outputs
        self.guards = guards
        self.options = options
        self.schedule = schedule
        large = any(_is_large(node, options.unroll) for node in self.schedule.order)
        self.memory = Memory(module, options, len(inputs), large)
        self.chunks = self.memory.chunks
        self.values: dict[Node, Any] = {
            node: self.memory.standing(node.shape, node.dtype, Base("in", k)) for k, node in enumerate(inputs)
        }
        self.direct: dict[Node, int] = {}
        for k, node in enumerate(outputs):
            if node.inputs and node.op is not ITEM and node not in self.values:
                self.direct.setdefault(node, k)
        self.known: dict[tuple[Any, ...], Lowered | None] = {}

    def run(self) -> Kernel:
        checks: dict[Node, list[int]] = {}
        for number, (node, _) in enumerate(self.guards):
            checks.setdefault(node, []).append(number)
        for node, done in zip(self.schedule.order, self.schedule.done, strict=True):
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
        memory = self.memory
        workspace = memory.finish(self.name)
        return Kernel(self.module, memory.sizes.values, workspace, memory.extra, self.chunks.operations)

    # ------------------------------------------------------------------------------------------------- nodes

    def _node(self, node: Node) -> None:
        if not node.inputs and node.value is not None and node.op.results == 1:
            self.values[node] = self._leaf(node)
        elif node.op is ITEM:
            value = self.values[node.inputs[0]][node.params[0]]
            self.memory.share(_base(value))
            self.values[node] = value
        else:
            if node.shape != ():
                self.chunks.comment(_title(node))
            self.values[node] = self._unrolled(node) or self._viewed(node) or self._looped(node) or self._called(node)

    def _release(self, node: Node) -> None:
        value = self.values.pop(node, None)
        for one in value if isinstance(value, tuple) else (value,):
            if one is not None:
                self.memory.drop(_base(one))

    def _leaf(self, node: Node) -> Value:
        """A constant: a scalar or a few indices in the text, other arrays as arguments."""
        kind = scalar_type(node.dtype)
        value = np.asarray(node.value)
        baked = node.op is CONST and (
            value.ndim == 0 or (value.dtype.kind in "iub" and value.size <= self.options.unroll)
        )
        if baked and kind is not None:
            constants: list[int | Constant] = [Constant(v) for v in value.ravel().tolist()]
            return Value(value.shape, kind, node.dtype.itemsize, constants)
        return self.memory.standing(value.shape, node.dtype, self.memory.argument(np.ascontiguousarray(value)))

    # ------------------------------------------------------------------------------------------------- registers

    def _unrolled(self, node: Node) -> Value | None:
        """Registers for the elements of a small result."""
        op = node.op
        kind = scalar_type(node.dtype) if op.results == 1 else None
        if kind is None or op.element is None:
            return None
        shape: Any = node.shape
        size = math.prod(shape)
        if size > self.options.unroll and size != 1:
            return None
        if op.kind is Kind.ELEMENTWISE:
            return self._unrolled_elementwise(node, kind)
        rule = op.element(index(len(shape)), node.inputs, *node.params)
        if size * work(rule) > WORK_LIMIT or longest_sum(rule) > self.options.unroll:
            return None
        arguments = [self.values[i] for i in node.inputs]
        dtypes = [weak_dtype(i) for i in node.inputs]
        read = self.memory.read
        unroller = Unroller(
            self.chunks, lambda k, at: read(arguments[k], at), dtypes, node.dtype, self.options.contract
        )
        try:
            elements = [unroller.element(rule, dict(enumerate(at))) for at in np.ndindex(*shape)]
        except CannotUnroll:
            return None
        return Value(shape, kind, node.dtype.itemsize, elements)

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
        apply, elements_of = self.chunks.apply, self.memory.elements
        arguments = [self.values[i] for i in node.inputs]
        shape: Any = node.shape
        if shape == ():
            elements = [apply(lowered, [(a.elements or elements_of(a))[0] for a in arguments])]
        else:
            columns = []
            for a in arguments:
                found = a.elements or elements_of(a)
                if a.shape != shape:
                    found = [found[k] for k in broadcast_positions(a.shape, shape)]
                columns.append(found)
            elements = [apply(lowered, [c[k] for c in columns]) for k in range(math.prod(shape))]
        return Value(shape, kind, node.dtype.itemsize, elements)

    # ------------------------------------------------------------------------------------------------- memory

    def _viewed(self, node: Node) -> Value | None:
        """The memory of the input seen another way, for a result that only moves elements along regular steps."""
        op = node.op
        if op.element is None or op.results != 1 or op.kind is Kind.ELEMENTWISE:
            return None
        shape: Any = node.shape
        rule = op.element(index(len(shape)), node.inputs, *node.params)
        if not isinstance(rule, Read) or node.inputs[rule.input].dtype != node.dtype:
            return None
        view = self.memory.view(self.values[node.inputs[rule.input]], node.dtype)
        at = flat([linear(i, shape) for i in rule.at], view.strides, view.offset)
        if not at.is_affine:
            return None
        seen = View(view.base, at.constant, tuple(at.factor(k) for k in range(len(shape))))
        self.memory.share(view.base)
        return Value(shape, scalar_type(node.dtype), node.dtype.itemsize, view=seen)

    def _looped(self, node: Node) -> Value | None:
        """Loops over the regions of a result, by its element rule or in an order of their own."""
        op = node.op
        if op.kind in (Kind.SCAN, Kind.SCATTER):
            return self._ordered(node)
        if op.element is None or op.results != 1:
            return None
        if op.kind is Kind.ELEMENTWISE and len(node.inputs) > _FOLD_LIMIT:
            return self._folded(node)
        shape: Any = node.shape
        rule = op.element(index(len(shape)), node.inputs, *node.params)
        if op.kind is Kind.LIBRARY and wants_library(rule, shape):
            return None
        arguments = [self.values[i] for i in node.inputs]
        return self._filled(node, rule, arguments, [weak_dtype(i) for i in node.inputs], self.direct.get(node))

    def _filled(
        self, node: Node, rule: Any, arguments: Sequence[Value], dtypes: Sequence[DType | type], output: int | None
    ) -> Value | None:
        """The result of a rule in memory, or None if an operation in it has no lowering."""
        shape: Any = node.shape
        extents: dict[int, int] = dict(enumerate(shape))
        tree = resolve(rule, self._resolver(node, arguments, dtypes, extents))
        kind = scalar_type(node.dtype)
        if tree is None or kind is None:
            return None
        target = self.memory.allocate(shape, node.dtype, output)
        self.memory.fill(tree, extents, target, kind)
        return target

    def _resolver(
        self, node: Node, arguments: Sequence[Value], dtypes: Sequence[DType | type], extents: dict[int, int]
    ) -> Resolver:
        memory = self.memory
        return Resolver(
            arguments,
            dtypes,
            node.dtype,
            extents,
            lambda k: memory.view(arguments[k], np.dtype(dtypes[k])),
            lambda k, place: memory.element(arguments[k], place),
            self.options.contract,
        )

    def _folded(self, node: Node) -> Value | None:
        """A fold of many arrays, a few at a time."""
        lowered = self._lowered(node)
        if lowered is None or not lowered.fold:
            return None
        rest: list[tuple[Value, DType | type]] = [(self.values[i], weak_dtype(i)) for i in node.inputs]
        total: Value | None = None
        while rest:
            room = _FOLD_LIMIT - (total is not None)
            few, rest = rest[:room], rest[room:]
            parts = few if total is None else [(total, node.dtype), *few]
            rule = elementwise_rule(node.op, [v.shape for v, _ in parts], len(node.shape))
            output = None if rest else self.direct.get(node)
            target = self._filled(node, rule, [v for v, _ in parts], [d for _, d in parts], output)
            if target is None:
                return None
            if total is not None:
                self.memory.drop(_base(total))
            total = target
        return total

    def _ordered(self, node: Node) -> Value | None:
        """Loops whose order counts: scans and scatters."""
        kind = scalar_type(node.dtype)
        arguments = [self.values[i] for i in node.inputs]
        shape: Any = node.shape
        if kind is None or any(v.kind is None for v in arguments):
            return None
        memory, output = self.memory, self.direct.get(node)
        if node.op.name in SCANS:
            sources = [memory.source(v, i.dtype, v.kind) for v, i in zip(arguments, node.inputs, strict=True)]
            target = memory.allocate(shape, node.dtype, output)
            if math.prod(shape):
                view = memory.view(target, node.dtype)
                call = scan_call(self.module, node.op.name, node.params, sources, shape, view.strides, view.base, kind)
                memory.emit(call)
            return target
        scatter = scatter_of(node)
        if scatter is None:
            return None
        own: Any = scatter.values.shape
        resolver = self._resolver(
            node,
            [arguments[k] for k in scatter.numbers],
            [node.inputs[k].dtype for k in scatter.numbers],
            dict(enumerate(own)),
        )
        places = resolver.place(scatter.places, contiguous(shape))
        values = arguments[scatter.number]
        source = memory.source(values, scatter.values.dtype, values.kind)
        target = memory.allocate(shape, node.dtype, output)
        if scatter.add:
            memory.fill(Invariant(Constant(0), kind, node.dtype), {}, target, kind)
        else:
            memory.copy(arguments[0], node.dtype, target)
        if math.prod(own):
            base = memory.view(target, node.dtype).base
            memory.emit(scatter_call(self.module, source, own, places, base, kind, add=scatter.add))
        return target

    # ------------------------------------------------------------------------------------------------- the rest

    def _called(self, node: Node) -> Any:
        """A call: of the body that a condition chooses, or back into Python."""

        def lower_body(name: str, graph: Graph) -> Kernel:
            return _lowered_as(name, self.module, graph.inputs, graph.outputs, [], self.options)

        return called(self.memory, node, [self.values[i] for i in node.inputs], self.direct.get(node), lower_body)

    def _guard(self, node: Node, number: int) -> None:
        expected = self.guards[number][1]
        (element,) = self.memory.elements(self.values[node])
        lowered = lowered_line("x == y", (weak_dtype(node), node.dtype), np.dtype(bool), self.options.contract)
        assert lowered is not None
        found = self.chunks.apply(lowered, (element, Constant(expected)))
        self.chunks.require(self.chunks.operand(found, BOOL), number + 1)

    def _output(self, k: int, node: Node) -> None:
        value: Value = self.values[node]
        base = Base("out", k)
        if _base(value) == base:
            return
        if value.elements is not None and value.kind is not None:
            for position, element in enumerate(value.elements):
                self.chunks.store(element, value.kind, base, position)
        else:
            self.memory.copy(value, node.dtype, self.memory.standing(node.shape, node.dtype, base))


def _base(value: Value) -> Base | None:
    return value.view.base if value.view is not None else None


def _is_large(node: Node, limit: int) -> bool:
    shapes: Any = (node.shape,) if node.op.results == 1 else node.shape
    return any(math.prod(shape) > limit for shape in shapes)


def _title(node: Node) -> str:
    if node.op.results != 1:
        return str(node.op.name)
    lengths = ", ".join(str(n) if isinstance(n, int) and n <= LITERAL_LIMIT else ":" for n in node.shape)
    return f"{node.op.name} {node.dtype}[{lengths}]"
