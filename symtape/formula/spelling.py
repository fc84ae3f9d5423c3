"""How operations that pick, place and accumulate elements are written in NumPy's spelling: ``x[1:, i]``, ``cumsum(x)``.

Places are written as ``zeros(shape).at[index].add(v)``, the form in which a person would record them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from symtape.graph.node import Node
from symtape.graph.shapes import Shape
from symtape.ops.boxes import Basic, Part, as_slice, whole

Name: TypeAlias = Callable[[str], str]
Spelling: TypeAlias = Callable[[Node, Sequence[str], Name], "str | None"]


def spelled(node: Node, arguments: Sequence[str], name: Name = str) -> str | None:
    """The call of a node, or None if its op has no spelling of its own.

    Parameters
    ----------
    node : Node
    arguments : sequence of str
        What the inputs are called.
    name : callable
        Turns the name of a function into what is written.
    """
    spelling = _SPELLINGS.get(node.op.name)
    return None if spelling is None else spelling(node, arguments, name)


# ------------------------------------------------------------------------------------------------------------- brackets


def _part(part: Part, n: Any) -> str:
    if not isinstance(part, tuple):
        return str(part)
    if part == whole(n):
        return ":"
    start, length, step = part
    s = as_slice(start, length, step)
    first = "" if start == (0 if step > 0 else n - 1) else str(s.start)
    last = "" if s.stop is None or (step > 0 and s.stop == n) else str(s.stop)
    return f"{first}:{last}" + ("" if step == 1 else f":{step}")


def _brackets(parts: Sequence[str]) -> str:
    """``[1:, i]``; axes that are taken whole are left out at the end."""
    count = len(parts)
    while count > 1 and parts[count - 1] == ":":
        count -= 1
    return f"[{', '.join(parts[:count]) if parts else '()'}]"


def _box(basic: Basic, shape: Shape) -> str:
    return _brackets([_part(p, n) for p, n in zip(basic, shape, strict=True)])


def _arrays(names: Sequence[str], axes: tuple[int, ...], at: int, ndim: int) -> str | None:
    """The brackets of a gather, where NumPy lays its result out in the same way."""
    together = axes == tuple(range(axes[0], axes[0] + len(axes)))
    if at != (axes[0] if together else 0):
        return None
    chosen = dict(zip(axes, names, strict=True))
    return _brackets([chosen.get(k, ":") for k in range(ndim)])


def _zeros(shape: Shape, name: Name) -> str:
    return f"{name('zeros')}({shape})"


def _getitem(node: Node, arguments: Sequence[str], name: Name) -> str:
    return f"{arguments[0]}{_box(node.params[0], node.inputs[0].shape)}"


def _embed(node: Node, arguments: Sequence[str], name: Name) -> str:
    boxes, shape = node.params
    places = [f".{name('at')}{_box(box, shape)}.{name('set')}({v})" for v, box in zip(arguments, boxes, strict=True)]
    return _zeros(shape, name) + "".join(places)


def _set_slice(node: Node, arguments: Sequence[str], name: Name) -> str:
    x, value = arguments
    return f"{x}.{name('at')}{_box(node.params[0], node.shape)}.{name('set')}({value})"


def _gather(node: Node, arguments: Sequence[str], name: Name) -> str | None:
    axes, at = node.params
    brackets = _arrays(arguments[1:], axes, at, node.inputs[0].ndim)
    return None if brackets is None else f"{arguments[0]}{brackets}"


def _scatter_add(node: Node, arguments: Sequence[str], name: Name) -> str | None:
    axes, at, shape = node.params
    brackets = _arrays(arguments[1:], axes, at, len(shape))
    return None if brackets is None else f"{_zeros(shape, name)}.{name('at')}{brackets}.{name('add')}({arguments[0]})"


def _scatter_set(node: Node, arguments: Sequence[str], name: Name) -> str | None:
    axes, at = node.params
    brackets = _arrays(arguments[2:], axes, at, node.ndim)
    return None if brackets is None else f"{arguments[0]}.{name('at')}{brackets}.{name('set')}({arguments[1]})"


# ---------------------------------------------------------------------------------------------------------------- calls


def _call(function: str, *arguments: str, **options: Any) -> str:
    return f"{function}({', '.join([*arguments, *[f'{k}={v}' for k, v in options.items()]])})"


def _joined(function: str) -> Spelling:
    def spelling(node: Node, arguments: Sequence[str], name: Name) -> str:
        parts = f"({', '.join(arguments)}{',' if len(arguments) == 1 else ''})"
        return _call(name(function), parts, **({"axis": node.params[0]} if node.params[0] else {}))

    return spelling


def _running(function: str) -> Spelling:
    def spelling(node: Node, arguments: Sequence[str], name: Name) -> str:
        axis, reverse = node.params
        option = {} if node.ndim == 1 else {"axis": axis}
        if not reverse:
            return _call(name(function), arguments[0], **option)
        inner = _call(name(function), _call(name("flip"), arguments[0], **option), **option)
        return _call(name("flip"), inner, **option)

    return spelling


def _recurrence(node: Node, arguments: Sequence[str], name: Name) -> str:
    axis, reverse, previous = node.params
    options = {"axis": axis, "reverse": reverse, "previous": previous}
    return _call(name("linear_recurrence"), *arguments, **{k: v for k, v in options.items() if v})


def _diagonal(node: Node, arguments: Sequence[str], name: Name) -> str:
    (k,) = node.params
    function = "diagonal" if node.inputs[0].ndim == 2 else "linalg.diagonal"
    return _call(name(function), arguments[0], **({"offset": k} if k else {}))


def _diag(node: Node, arguments: Sequence[str], name: Name) -> str | None:
    k, rows, columns = node.params
    if rows != columns or node.inputs[0].ndim != 1:
        return None
    return _call(name("diag"), arguments[0], *([str(k)] if k else []))


def _positions(node: Node, arguments: Sequence[str], name: Name) -> str:
    return f"{name('arange')}({arguments[0]}.{name('shape')}[{node.params[0]}])"


def _length(node: Node, arguments: Sequence[str], name: Name) -> str:
    (axes,) = node.params
    if len(axes) == node.inputs[0].ndim:
        return f"{name('size')}({arguments[0]})"
    return " * ".join(f"{arguments[0]}.{name('shape')}[{k}]" for k in axes) or "1"


_SPELLINGS: Mapping[str, Spelling] = {
    "getitem": _getitem,
    "embed": _embed,
    "set_slice": _set_slice,
    "gather": _gather,
    "scatter_add": _scatter_add,
    "scatter_set": _scatter_set,
    "concatenate": _joined("concatenate"),
    "stack": _joined("stack"),
    "cumsum": _running("cumsum"),
    "cumprod": _running("cumprod"),
    "linear_recurrence": _recurrence,
    "diagonal": _diagonal,
    "diag": _diag,
    "positions": _positions,
    "length": _length,
    "true_positions": lambda node, arguments, name: _call(name("flatnonzero"), *arguments),
}
