"""What the params of an op may be: one check per param, ``check(param, inputs) -> bool``.

Functions normalize what people write before they build, so recording checks nothing twice. A file may come from a
stranger: there every param is looked at before an op is built with it, since compiled code trusts what it was compiled
for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from symtape.graph.closed import Graph
from symtape.graph.node import Node
from symtape.graph.shapes import Dim

Check: TypeAlias = Callable[[Any, Sequence[Node]], bool]

_MOST = 2**31  # of offsets and lengths; larger ones fit no array that compiled code takes
_HIGHEST_ORDER = 64


def _is_int(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value < high


def _is_length(value: Any) -> bool:
    return isinstance(value, Dim) or _is_int(value, 0, 2**62)


def axis(value: Any, inputs: Sequence[Node]) -> bool:
    """An axis of the first input."""
    return _is_int(value, 0, len(inputs[0].shape))


def new_axis(value: Any, inputs: Sequence[Node]) -> bool:
    """A place for an axis among those of the first input."""
    return _is_int(value, 0, len(inputs[0].shape) + 1)


def axes(value: Any, inputs: Sequence[Node]) -> bool:
    """Axes of the first input, sorted, each once."""
    return type(value) is tuple and all(axis(a, inputs) for a in value) and list(value) == sorted(set(value))


def axes_of_result(value: Any, inputs: Sequence[Node]) -> bool:
    """Some small axis numbers, sorted, each once, for ops that check them against a shape among their params."""
    return type(value) is tuple and all(_is_int(a, 0, 64) for a in value) and list(value) == sorted(set(value))


def permutation(value: Any, inputs: Sequence[Node]) -> bool:
    """The axes of the first input in any order."""
    return type(value) is tuple and all(type(a) is int for a in value) and _is_all(value, len(inputs[0].shape))


def _is_all(value: tuple[int, ...], ndim: int) -> bool:
    return sorted(value) == list(range(ndim))


def shape(value: Any, inputs: Sequence[Node]) -> bool:
    """Lengths of axes."""
    return type(value) is tuple and len(value) <= 64 and all(_is_length(n) for n in value)


def length(value: Any, inputs: Sequence[Node]) -> bool:
    """The length of an axis."""
    return _is_length(value)


def flag(value: Any, inputs: Sequence[Node]) -> bool:
    """True or false."""
    return type(value) is bool


def flags(value: Any, inputs: Sequence[Node]) -> bool:
    """True or false for each input."""
    return type(value) is tuple and len(value) == len(inputs) and all(type(v) is bool for v in value)


def offset(value: Any, inputs: Sequence[Node]) -> bool:
    """A whole number of either sign."""
    return _is_int(value, -_MOST, _MOST)


def rank(value: Any, inputs: Sequence[Node]) -> bool:
    """A number of axes that the first input has."""
    return _is_int(value, 0, len(inputs[0].shape) + 1)


def order(value: Any, inputs: Sequence[Node]) -> bool:
    """The order of a derivative."""
    return _is_int(value, 0, _HIGHEST_ORDER + 1)


def text(value: Any, inputs: Sequence[Node]) -> bool:
    """Text that the op itself reads with care."""
    return type(value) is str and len(value) < 1000


def dtype(value: Any, inputs: Sequence[Node]) -> bool:
    """The name of a dtype of real numbers, integers or truth values."""
    if type(value) is not str:
        return False
    try:
        return np.dtype(value).kind in "biuf"
    except TypeError:
        return False


def graph(value: Any, inputs: Sequence[Node]) -> bool:
    """A closed graph."""
    return isinstance(value, Graph)


def basic_index(value: Any, inputs: Sequence[Node]) -> bool:
    """Per axis a place, or start, length and step of a slice; the op checks that they lie inside."""
    return type(value) is tuple and len(value) <= 64 and all(_is_part(p) for p in value)


def _is_part(value: Any) -> bool:
    if type(value) is not tuple:
        return _is_length(value)
    if len(value) != 3:
        return False
    start, count, step = value
    return _is_length(start) and _is_length(count) and _is_int(step, -_MOST, _MOST) and step != 0


def basic_indices(value: Any, inputs: Sequence[Node]) -> bool:
    """A basic index for each input."""
    return type(value) is tuple and len(value) == len(inputs) and all(basic_index(v, inputs) for v in value)


def places(value: Any, inputs: Sequence[Node]) -> bool:
    """Some whole numbers from 0 on, sorted, each once."""
    return type(value) is tuple and all(_is_int(k, 0, _MOST) for k in value) and list(value) == sorted(set(value))
