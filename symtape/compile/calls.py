"""Nodes that become calls: of one of two bodies, or back into Python.

Both take tables of pointers that are laid out in the workspace. A body is a kernel of its own, with room in this one's
workspace, and with its data and its table of sizes as parts of this one's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from symtape.compile.arguments import Value
from symtape.compile.ir_types import BOOL
from symtape.compile.kernel_memory import Memory
from symtape.compile.library_calls import Callback
from symtape.compile.lowering import weak_dtype
from symtape.compile.module_text import ModuleText
from symtape.graph.closed import Graph
from symtape.graph.node import Array, Node
from symtape.ops.op import Kind


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


#: Lowers a closed graph under a name.
LowerBody = Callable[[str, Graph], Kernel]


def called(memory: Memory, node: Node, values: Sequence[Value], output: int | None, lower_body: LowerBody) -> Any:
    """Call what a node stands for; its results in memory, a tuple of them for an op with several.

    Parameters
    ----------
    memory : Memory
    node : Node
    values : sequence of Value
        Of its inputs.
    output : int or None
        The kernel's output that the result is.
    lower_body : callable
        Makes a kernel of a closed graph.
    """
    several = node.op.results != 1
    shapes: Any = node.shape if several else (node.shape,)
    dtypes: Any = node.dtype if several else (node.dtype,)
    packed = [memory.packed(value, i.dtype) for value, i in zip(values, node.inputs, strict=True)]
    results = [
        memory.allocate(shape, dtype, None if several else output) for shape, dtype in zip(shapes, dtypes, strict=True)
    ]
    # from here on no function may end: the pointers are registers of this one
    pointers = [memory.start(view, i.dtype.itemsize) for (view, _), i in zip(packed, node.inputs, strict=True)]
    starts = [memory.start(memory.view(r, d), d.itemsize) for r, d in zip(results, dtypes, strict=True)]
    wanted = memory.table(starts)
    if node.op.kind is Kind.CONTROL and len(node.params) == 2 and all(isinstance(p, Graph) for p in node.params):
        _call_one_body(memory, node, values[0], pointers[1:], wanted, lower_body)
    else:
        _call_back(memory, node, pointers, wanted, tuple(zip(shapes, dtypes, strict=True)))
    for _, temporary in packed:
        memory.drop(temporary)
    return tuple(results) if several else results[0]


def _call_back(memory: Memory, node: Node, pointers: Sequence[str], wanted: str, types: Any) -> None:
    if node.op.called_back is not None:
        node.op.called_back(node)
    chunks = memory.chunks
    given: Any = tuple((i.shape, weak_dtype(i)) for i in node.inputs)
    callback = Callback(node.op, node.params, given, types, node.code, node.lasti)
    function = chunks.pointer(memory.argument(callback))
    table = memory.table(pointers)
    status = chunks.name()
    chunks.line(f"{status} = call i32 {function}(ptr {table}, ptr {wanted})")
    chunks.check(status)


def _call_one_body(
    memory: Memory, node: Node, predicate: Value, pointers: Sequence[str], wanted: str, lower_body: LowerBody
) -> None:
    chunks = memory.chunks
    calls = []
    for graph in node.params:
        name = f"symtape.body{memory.module.next_number()}"
        body = lower_body(name, graph)
        extras = [chunks.pointer(memory.argument(entry)) for entry in body.extra]
        table = memory.table([*pointers, *extras])
        room = memory.place(body.workspace)
        first = memory.sizes.append(body.sizes)
        sizes = chunks.name()
        chunks.line(f"{sizes} = getelementptr i64, ptr %sizes, i64 {first}")
        calls.append(f"call i32 @{name}(ptr {table}, ptr {wanted}, ptr {chunks.pointer(room)}, ptr {sizes})")
        memory.drop(room)  # only one of them runs
    (element,) = memory.elements(predicate)
    chunks.check(chunks.either(chunks.operand(element, BOOL), *calls))
