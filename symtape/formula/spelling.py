"""How operations are written in NumPy's spelling: ``x + y``, ``x[1:, i]``, ``sum(x, axis=0)``, ``einsum('ij->i', x)``.

Places are written as ``zeros(shape).at[index].add(v)``, the form in which a person would record them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from symtape.graph.node import Node
from symtape.graph.shapes import Shape
from symtape.ops.boxes import Basic, Part, as_slice, whole

INFIX: Mapping[str, str] = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "power": "**",
    "floor_divide": "//",
    "remainder": "%",
    "matmul": "@",
    "greater": ">",
    "greater_equal": ">=",
    "less": "<",
    "less_equal": "<=",
    "equal": "==",
    "not_equal": "!=",
    "bitwise_and": "&",
    "bitwise_or": "|",
    "bitwise_xor": "^",
}
PREFIX: Mapping[str, str] = {"negative": "-", "positive": "+", "invert": "~"}

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
    spelling = node.op.spelling or _SPELLINGS.get(node.op.name)
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


def call(function: str, *arguments: str, **options: Any) -> str:
    """``function(arguments, option=value)``."""
    return f"{function}({', '.join([*arguments, *[f'{k}={v}' for k, v in options.items()]])})"


def _joined(function: str) -> Spelling:
    def spelling(node: Node, arguments: Sequence[str], name: Name) -> str:
        parts = f"({', '.join(arguments)}{',' if len(arguments) == 1 else ''})"
        return call(name(function), parts, **({"axis": node.params[0]} if node.params[0] else {}))

    return spelling


def _running(function: str) -> Spelling:
    def spelling(node: Node, arguments: Sequence[str], name: Name) -> str:
        axis, reverse = node.params
        option = {} if node.ndim == 1 else {"axis": axis}
        if not reverse:
            return call(name(function), arguments[0], **option)
        inner = call(name(function), call(name("flip"), arguments[0], **option), **option)
        return call(name("flip"), inner, **option)

    return spelling


def _recurrence(node: Node, arguments: Sequence[str], name: Name) -> str:
    axis, reverse, previous = node.params
    options = {"axis": axis, "reverse": reverse, "previous": previous}
    return call(name("linear_recurrence"), *arguments, **{k: v for k, v in options.items() if v})


def _diagonal(node: Node, arguments: Sequence[str], name: Name) -> str:
    (k,) = node.params
    function = "diagonal" if node.inputs[0].ndim == 2 else "linalg.diagonal"
    return call(name(function), arguments[0], **({"offset": k} if k else {}))


def _diag(node: Node, arguments: Sequence[str], name: Name) -> str | None:
    k, rows, columns = node.params
    (x,) = node.inputs
    n = x.shape[-1]
    if rows == columns == n + abs(k):
        return call(name("diag" if x.ndim == 1 else "diagonal_matrix"), arguments[0], *([str(k)] if k else []))
    down, right = max(-k, 0), max(k, 0)
    at = [call(name("arange"), str(first), str(first + n)) for first in (down, right)]
    place = _brackets([*(["..."] if x.ndim > 1 else []), *at])
    return f"{_zeros(node.shape, name)}.{name('at')}{place}.{name('set')}({arguments[0]})"


def _positions(node: Node, arguments: Sequence[str], name: Name) -> str:
    return f"{name('arange')}({arguments[0]}.{name('shape')}[{node.params[0]}])"


def _length(node: Node, arguments: Sequence[str], name: Name) -> str:
    (axes,) = node.params
    if len(axes) == node.inputs[0].ndim:
        return f"{name('size')}({arguments[0]})"
    return " * ".join(f"{arguments[0]}.{name('shape')}[{k}]" for k in axes) or "1"


def _along(function: str, node: Node, argument: str) -> str:
    """A function along axes; all of them go without saying."""
    (axes,) = node.params
    if axes == tuple(range(node.inputs[0].ndim)):
        return call(function, argument)
    return call(function, argument, axis=axes[0] if len(axes) == 1 else axes)


def _over_axes(function: str) -> Spelling:
    return lambda node, arguments, name: _along(name(function), node, arguments[0])


def _norm(node: Node, arguments: Sequence[str], name: Name) -> str:
    (axes,) = node.params
    plain = len(axes) == 1 or (axes == tuple(range(node.inputs[0].ndim)) and len(axes) <= 2)
    return _along(name("norm" if plain else "vector_norm"), node, arguments[0])


def _einsum(node: Node, arguments: Sequence[str], name: Name) -> str:
    (text,) = node.params
    out = text.partition("->")[2]
    if text == "a->aa":
        return call(name("diag"), arguments[0])
    function = "einsum" if len(set(out)) == len(out) else "contract"  # NumPy takes no label twice in a result
    return call(name(function), repr(text), *arguments)


def _triangle(node: Node, arguments: Sequence[str], name: Name) -> str:
    k, upper = node.params
    return call(name("triu" if upper else "tril"), arguments[0], *([str(k)] if k else []))


def _solve_triangular(node: Node, arguments: Sequence[str], name: Name) -> str:
    lower, transposed = node.params
    options = {"trans": 1} if transposed else {}
    return call(name("solve_triangular"), *arguments, **options, **({"lower": True} if lower else {}))


def _svd(node: Node, arguments: Sequence[str], name: Name) -> str:
    (full,) = node.params
    return call(name("svd"), *arguments, **({} if full else {"full_matrices": False}))


def _svd_hermitian(node: Node, arguments: Sequence[str], name: Name) -> str:
    return call(name("svd"), *arguments, hermitian=True)


def _eigh(node: Node, arguments: Sequence[str], name: Name) -> str:
    (upper,) = node.params
    return call(name("eigh"), *arguments, *(["'U'"] if upper else []))


def _qr(node: Node, arguments: Sequence[str], name: Name) -> str:
    (complete,) = node.params
    return call(name("qr"), *arguments, *(["'complete'"] if complete else []))


def _matrix_rank(node: Node, arguments: Sequence[str], name: Name) -> str:
    absolute, hermitian = node.params
    x, cutoff = arguments
    options = {"tol" if absolute else "rtol": cutoff}
    return call(name("matrix_rank"), x, **options, **({"hermitian": True} if hermitian else {}))


def _pinv(node: Node, arguments: Sequence[str], name: Name) -> str:
    (hermitian,) = node.params
    return call(name("pinv"), *arguments, **({"hermitian": True} if hermitian else {}))


def _broadcast_to(node: Node, arguments: Sequence[str], name: Name) -> str:
    filled = {"0.0": "zeros", "1.0": "ones"}.get(arguments[0])
    if filled is not None and node.dtype == float:
        return call(name(filled), str(node.shape))
    return call(name("broadcast_to"), arguments[0], str(node.shape))


def _argsort(node: Node, arguments: Sequence[str], name: Name) -> str:
    axis, stable = node.params
    options = {} if axis == node.ndim - 1 else {"axis": axis}
    return call(name("argsort"), *arguments, **options, **({"stable": True} if stable else {}))


def _item(function: str, k: int) -> Spelling:
    return lambda node, arguments, name: f"{call(name(function), *arguments)}[{k}]"


def _renamed(function: str, *more: str) -> Spelling:
    return lambda node, arguments, name: call(name(function), *arguments, *more)


_SPELLINGS: Mapping[str, Spelling] = {
    **{f: _over_axes(f) for f in ("sum", "prod", "max", "min", "any", "all", "argmax", "argmin")},
    **{f: _over_axes(f) for f in ("softmax", "log_softmax", "softmax_rest", "logsumexp")},
    "norm": _norm,
    "einsum": _einsum,
    "triangle": _triangle,
    "solve_triangular": _solve_triangular,
    "eigh": _eigh,
    "svd": _svd,
    "svd_hermitian": _svd_hermitian,
    "qr": _qr,
    "pinv": _pinv,
    "lstsq": _item("lstsq", 0),
    "matrix_rank": _matrix_rank,
    "broadcast_to": _broadcast_to,
    "argsort": _argsort,
    "select": _renamed("where"),
    "root": _renamed("sqrt"),
    "relu": _renamed("maximum", "0"),
    "relu_or_zero": _renamed("fmax", "0"),
    "polygamma": lambda node, arguments, name: call(name("polygamma"), str(node.params[0]), *arguments),
    "frexp_mantissa": _item("frexp", 0),
    "frexp_exponent": _item("frexp", 1),
    "modf_fraction": _item("modf", 0),
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
    "true_positions": lambda node, arguments, name: call(name("flatnonzero"), *arguments),
}
