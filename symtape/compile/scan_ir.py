"""Loops that carry a value along an axis (scans) and loops that write at computed places (scatters).

Both depend on the order of their elements, which is NumPy's: along the axis, or in C order of the values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any, Final

from symtape.compile.arguments import Base
from symtape.compile.indices import Linear
from symtape.compile.ir_types import ScalarType, literal
from symtape.compile.loop_ir import Call, finished
from symtape.compile.loop_text import LoopText
from symtape.compile.loop_tree import Invariant, Load
from symtape.compile.module_text import ModuleText

#: What carries on: ``step(text, before, elements, kind)``, and the value before the first element.
Step = Callable[[LoopText, str, Sequence[str], ScalarType], str]


def _added(text: LoopText, before: str, elements: Sequence[str], kind: ScalarType) -> str:
    word = "fadd" if kind.family == "f" else "or" if kind.family == "b" else "add"
    return text.put(f"{word} {kind.register} {before}, {elements[0]}")


def _multiplied(text: LoopText, before: str, elements: Sequence[str], kind: ScalarType) -> str:
    word = "fmul" if kind.family == "f" else "and" if kind.family == "b" else "mul"
    return text.put(f"{word} {kind.register} {before}, {elements[0]}")


def _recurred(text: LoopText, before: str, elements: Sequence[str], kind: ScalarType) -> str:
    factor, term = elements
    if kind.family != "f":
        scaled = text.put(f"mul {kind.register} {factor}, {before}")
        return text.put(f"add {kind.register} {scaled}, {term}")
    flags = text.module.flags
    scaled = text.put(f"fmul {flags} {kind.register} {factor}, {before}")
    return text.put(f"fadd {flags} {kind.register} {scaled}, {term}")


#: By the name of the op: its step, and which input is the first result.
SCANS: Final = MappingProxyType(
    {"cumsum": (_added, 0), "cumprod": (_multiplied, 0), "linear_recurrence": (_recurred, 1)}
)


def scan_call(
    module: ModuleText,
    name: str,
    params: Sequence[Any],
    inputs: Sequence[Load | Invariant],
    shape: Sequence[int],
    strides: Sequence[int],
    base: Base,
    kind: ScalarType,
) -> Call:
    """A scan: ``params`` are the axis, whether it runs backwards, and whether the factor is that of the step before.

    Parameters
    ----------
    module : ModuleText
    name : str
        Of the op, in `SCANS`.
    params : sequence
    inputs : sequence of Load or Invariant
        Over the indices of the result.
    shape, strides : sequence of int
        Of the result.
    base : Base
        The result's memory.
    kind : ScalarType
        Its elements.
    """
    step, start = SCANS[name]
    axis, reverse, *rest = params
    previous = bool(rest and rest[0])
    text = LoopText(module)
    target = Linear(0, tuple((k, s) for k, s in enumerate(strides) if s))
    text.pointer(base, 0, kind)
    indices: dict[int, str] = {}
    loops = []
    for k, length in enumerate(shape):
        if k != axis:
            loop = text.open("0", text.integer(length))
            indices[k] = loop.index
            loops.append(loop)
    extent = text.integer(shape[axis])
    loop = text.open("0", extent, carried=[(kind, literal(0, kind))])
    first = text.put(f"icmp eq i64 {loop.index}, 0")
    here = _place(text, loop.index, extent, reverse)
    indices[axis] = here
    elements = []
    for number, source in enumerate(inputs):
        if previous and number != start:
            before = text.put(f"sub nsw i64 {loop.index}, 1")
            before = text.put(f"select i1 {first}, i64 0, i64 {before}")
            indices[axis] = _place(text, before, extent, reverse)
        elements.append(_element(text, source, indices, kind))
        indices[axis] = here
    going_on = step(text, loop.carried[0], elements, kind)
    value = text.put(f"select i1 {first}, {kind.register} {elements[start]}, {kind.register} {going_on}")
    text.store(value, kind, text.element(base, target, indices, kind))
    text.close(loop, [value])
    for loop in reversed(loops):
        text.close(loop)
    return finished(text)


def _place(text: LoopText, index: str, extent: str, reverse: bool) -> str:
    if not reverse:
        return index
    return text.put(f"sub nsw i64 {text.put(f'sub nsw i64 {extent}, 1')}, {index}")


def _element(text: LoopText, source: Load | Invariant, indices: dict[int, str], kind: ScalarType) -> str:
    if isinstance(source, Invariant):
        return text.converted(text.scalar(source.element, source.kind), source.kind, kind)
    value = text.load(text.element(source.base, source.at, indices, source.kind), source.kind)
    return text.converted(value, source.kind, kind)


def scatter_call(
    module: ModuleText,
    values: Load | Invariant,
    shape: Sequence[int],
    target: Linear,
    base: Base,
    kind: ScalarType,
    *,
    add: bool,
) -> Call:
    """Write values at computed places of memory that is filled already.

    Parameters
    ----------
    module : ModuleText
    values : Load or Invariant
    shape : sequence of int
        Of the values.
    target : Linear
        Where each value goes.
    base : Base
    kind : ScalarType
    add : bool
        Whether values add up (truth values: or) with what is there, or replace it.
    """
    text = LoopText(module)
    text.pointer(base, target.constant, kind)
    indices: dict[int, str] = {}
    loops = []
    for k, length in enumerate(shape):
        loop = text.open("0", text.integer(length))
        indices[k] = loop.index
        loops.append(loop)
    value = _element(text, values, indices, kind)
    address = text.element(base, target, indices, kind)
    if add:
        value = _added(text, text.load(address, kind), [value], kind)
    text.store(value, kind, address)
    for loop in reversed(loops):
        text.close(loop)
    return finished(text)
