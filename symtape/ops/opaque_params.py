"""The params of opaque operations: what stands at each place of a call, what it returns, and which axes are batches.

``arguments`` says of each place of the call whether an array stands there, a Python number (both are inputs of the
node) or a setting, which is handed on as it is. ``results`` has shape and dtype of each result. ``levels`` has one
tuple of flags for each axis that batching put in front, outermost first: which inputs have that axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from symtape.errors import ShapeError
from symtape.graph.node import Node
from symtape.graph.shapes import Length, Shape

ARRAY: Final = "array"  #: a place where an input stands
NUMBER: Final = "number"  #: a place where an input stands that the function gets as a Python number

#: What is handed on as it is: its type and text, which tell 1 from True and 0.0 from -0.0, and the value.
Setting: TypeAlias = tuple[str, str, Any]
Places: TypeAlias = "tuple[str | Setting, ...]"
#: Places by position, settings by keyword.
Arguments: TypeAlias = tuple[Places, tuple[tuple[str, Setting], ...]]
#: Shape and name of the dtype of each result.
Results: TypeAlias = tuple[tuple[Shape, str], ...]
Levels: TypeAlias = tuple[tuple[bool, ...], ...]

_DTYPES: Final = frozenset(
    ("bool", "float16", "float32", "float64", *(f"{s}int{bits}" for s in ("", "u") for bits in (8, 16, 32, 64)))
)
_MOST_AXES: Final = 64


def setting(value: Any) -> Setting:
    """A value that is handed on as it is; it must be hashable."""
    return type(value).__qualname__, repr(value) if isinstance(value, (float, complex)) else "", value


def filled(arguments: Arguments, inputs: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of the call, with inputs in their places."""
    rest = iter(inputs)
    places, keywords = arguments
    return [next(rest) if isinstance(p, str) else p[2] for p in places], {k: v[2] for k, v in keywords}


def input_places(arguments: Arguments) -> list[str]:
    """What the inputs are, in order."""
    return [p for p in arguments[0] if isinstance(p, str)]


def moving(arguments: Arguments, dtypes: Sequence[Any]) -> tuple[int, ...]:
    """The numbers of the inputs that a derivative can be taken in: arrays of floats."""
    pairs = zip(input_places(arguments), dtypes, strict=True)
    return tuple(k for k, (place, dtype) in enumerate(pairs) if place == ARRAY and dtype.kind == "f")


def lengths(levels: Levels, shapes: Sequence[Shape]) -> Shape:
    """The length of each level, from the shapes of the inputs.

    Raises
    ------
    ShapeError
        If inputs differ in it, or none has it.
    """
    found: list[Length] = []
    for depth, flags in enumerate(levels):
        own = {shape[sum(f[k] for f in levels[:depth])] for k, shape in enumerate(shapes) if flags[k]}
        if len(own) != 1:
            raise ShapeError(f"batches of different lengths: {', '.join(map(str, own))}")
        found.extend(own)
    return tuple(found)


def core(shape: Shape, flags: Sequence[bool]) -> Shape:
    """The shape of one item; ``flags`` are those of the input, one for each level."""
    return shape[sum(flags) :]


# ------------------------------------------------------------------------------------- checks of files from strangers


def _is_setting(value: Any) -> bool:
    return type(value) is tuple and len(value) == 3 and type(value[0]) is str and type(value[1]) is str


def are_arguments(value: Any, inputs: Sequence[Node]) -> bool:
    """Places and keywords of a call."""
    if type(value) is not tuple or len(value) != 2 or any(type(v) is not tuple for v in value):
        return False
    places, keywords = value
    return all(p in (ARRAY, NUMBER) if type(p) is str else _is_setting(p) for p in places) and all(
        type(k) is tuple and len(k) == 2 and type(k[0]) is str and _is_setting(k[1]) for k in keywords
    )


def are_results(value: Any, inputs: Sequence[Node]) -> bool:
    """Shapes and dtypes, one or more."""
    if type(value) is not tuple or not value:
        return False
    return all(type(v) is tuple and len(v) == 2 and _is_spec(*v) for v in value)


def _is_spec(shape: Any, dtype: Any) -> bool:
    lengths_fit = type(shape) is tuple and len(shape) <= _MOST_AXES and all(type(n) is int and n >= 0 for n in shape)
    return lengths_fit and dtype in _DTYPES


def are_levels(value: Any, inputs: Sequence[Node]) -> bool:
    """Flags for each input; each level has some."""
    return type(value) is tuple and all(
        type(flags) is tuple and len(flags) == len(inputs) and all(type(f) is bool for f in flags) and any(flags)
        for flags in value
    )
