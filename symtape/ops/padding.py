"""Arrays with a margin: ``np.pad`` in all of its modes.

Every mode is one step per axis, in order, so that corners are padded from what was padded before them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from symtape.errors import UnknownNameError
from symtape.graph.shapes import Shape, normalize_axis
from symtape.ops.registry import function
from symtape.ops.subscripts import is_graph_value

_REFLECTED = ("reflect", "symmetric")
_STATISTICS = {"maximum": "max", "minimum": "min", "mean": "mean", "median": "median"}
_OPTIONS: dict[str, dict[str, Any]] = {
    "constant": {"constant_values": 0},
    "edge": {},
    "empty": {},
    "wrap": {},
    "linear_ramp": {"end_values": 0},
    **{mode: {"reflect_type": "even"} for mode in _REFLECTED},
    **{mode: {"stat_length": None} for mode in _STATISTICS},
}


def _pairs(values: Any, ndim: int, what: str) -> list[tuple[Any, Any]]:
    """One pair per axis out of NumPy's abbreviations."""
    if isinstance(values, dict):
        full = [(0, 0)] * ndim
        for axis, pair in values.items():
            full[normalize_axis(axis, ndim)] = tuple(pair) if isinstance(pair, (tuple, list)) else (pair, pair)
        return full
    try:
        rows = np.broadcast_to(np.asarray(values), (ndim, 2))
    except ValueError:
        raise ValueError(
            f"operands could not be broadcast together: {what}={values!r} does not give a pair for each of {ndim} axes"
        ) from None
    return [(first, last) for first, last in rows.tolist()]


def _value_pairs(B: Any, values: Any, ndim: int, what: str) -> list[tuple[Any, Any]]:
    """The like for values that may be of the graph: one for all margins, or a nested list of them."""
    if not is_graph_value(values):
        return _pairs(values, ndim, what)
    value = B.lift(values)
    if B.ndim(value) == 0:
        return [(value, value)] * ndim
    full = B.broadcast_to(value, (ndim, 2))
    return [(B.getitem(full, (k, 0)), B.getitem(full, (k, 1))) for k in range(ndim)]


@function("numpy.pad")
def pad(B: Any, array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    """``np.pad`` in all of its modes; ``empty`` pads with zeros."""
    x = B.lift(array)
    widths = _pairs(pad_width, B.ndim(x), "pad_width")
    if any(not isinstance(w, int) for pair in widths for w in pair):
        raise TypeError("`pad_width` must be of integral type.")
    if any(w < 0 for pair in widths for w in pair):
        raise ValueError("index can't contain negative values")
    if callable(mode):
        raise TypeError("np.pad with a function as mode writes in place: pad with np.concatenate instead")
    if mode not in _OPTIONS:
        raise UnknownNameError(f"mode {mode!r} is not supported; there are {', '.join(_OPTIONS)}")
    extra = sorted(kwargs.keys() - _OPTIONS[mode].keys())
    if extra:
        raise ValueError(f"unsupported keyword arguments for mode '{mode}': {extra}")
    options = _OPTIONS[mode] | kwargs
    if mode in ("constant", "empty"):
        return _pad_constant(B, x, widths, _value_pairs(B, options.get("constant_values", 0), B.ndim(x), "values"))
    return _pad_by_axis(B, x, widths, mode, options)


def _pad_by_axis(B: Any, x: Any, widths: list[tuple[int, int]], mode: str, options: dict[str, Any]) -> Any:
    step: Callable[[Any, int, tuple[int, int]], Any]
    if mode == "linear_ramp":
        ends = _value_pairs(B, options["end_values"], B.ndim(x), "end_values")

        def step(x: Any, axis: int, width: tuple[int, int]) -> Any:
            return _with_ramps(B, x, axis, width, ends[axis])

    elif mode in _STATISTICS:
        lengths = _pairs(options["stat_length"], B.ndim(x), "stat_length")

        def step(x: Any, axis: int, width: tuple[int, int]) -> Any:
            return _with_statistics(B, x, axis, width, _STATISTICS[mode], lengths[axis])

    elif options.get("reflect_type", "even") == "odd":

        def step(x: Any, axis: int, width: tuple[int, int]) -> Any:
            return _turned(B, x, axis, width, mode == "symmetric")

    else:
        if options.get("reflect_type", "even") != "even":
            raise UnknownNameError(f"reflect_type {options['reflect_type']!r} is not supported; there are even, odd")

        def step(x: Any, axis: int, width: tuple[int, int]) -> Any:
            n = operator.index(B.shape(x)[axis])
            places = np.pad(np.arange(n), width, mode=mode)  # type: ignore[call-overload]
            return B.take(x, places, axis=axis)

    for axis, width in enumerate(widths):
        if width != (0, 0):
            x = step(x, axis, width)
    return x


def _joined(B: Any, x: Any, axis: int, width: tuple[int, int], left: Any, right: Any) -> Any:
    """The margins, where they have a width, beside the array."""
    parts = [left] if width[0] else []
    parts.append(x)
    if width[1]:
        parts.append(right)
    kind = B.dtype(x)
    return B.concatenate([p if B.dtype(p) == kind else B.astype(p, kind) for p in parts], axis=axis)


def _cut(B: Any, x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    return B.getitem(x, (*[slice(None)] * axis, slice(start, stop)))


def _pad_constant(B: Any, x: Any, widths: list[tuple[int, int]], fill: list[tuple[Any, Any]]) -> Any:
    if all(not is_graph_value(value) and value == 0 for pair in fill for value in pair):
        shape: Shape = B.shape(x)
        box = tuple((before, n, 1) for n, (before, _) in zip(shape, widths, strict=True))
        return B.embed((x,), (box,), tuple(n + a + b for n, (a, b) in zip(shape, widths, strict=True)))
    for axis, (width, values) in enumerate(zip(widths, fill, strict=True)):
        margins = []
        for count, value in zip(width, values, strict=True):
            shape = tuple(count if k == axis else n for k, n in enumerate(B.shape(x)))
            filled = B.astype(value, B.dtype(x)) if is_graph_value(value) else np.asarray(value, B.dtype(x))
            margins.append(B.broadcast_to(filled, shape))
        x = _joined(B, x, axis, width, *margins) if width != (0, 0) else x
    return x


def _with_ramps(B: Any, x: Any, axis: int, width: tuple[int, int], ends: tuple[Any, Any]) -> Any:
    """From the edge to an end value in equal steps."""
    margins = []
    edges = [_cut(B, x, axis, 0, 1), _cut(B, x, axis, -1, None)]
    if B.dtype(x).kind != "f":
        edges = [B.astype(edge, np.float64) for edge in edges]
    for count, end, edge in zip(width, ends, edges, strict=True):
        share = (np.arange(count) / max(count, 1)).reshape(-1, *[1] * (B.ndim(x) - axis - 1))
        ramp = B.add(B.multiply(B.subtract(edge, end), share), end)
        margins.append(B.floor(ramp) if B.dtype(x).kind in "iu" else ramp)
    return _joined(B, x, axis, width, margins[0], B.flip(margins[1], axis))


def _with_statistics(
    B: Any, x: Any, axis: int, width: tuple[int, int], statistic: str, lengths: tuple[Any, Any]
) -> Any:
    n = operator.index(B.shape(x)[axis])
    margins = []
    for side, (count, length) in enumerate(zip(width, lengths, strict=True)):
        size = n if length is None else min(int(length), n)
        if size == 0 and statistic in ("max", "min"):
            raise ValueError("stat_length of 0 yields no value for padding")
        part = _cut(B, x, axis, None, size) if side == 0 else _cut(B, x, axis, n - size, None)
        value = getattr(B, statistic)(part, axis=axis, keepdims=True)
        value = B.rint(value) if B.dtype(x).kind in "iu" else value
        margins.append(B.repeat(value, count, axis=axis))
    return _joined(B, x, axis, width, *margins)


def _turned(B: Any, x: Any, axis: int, width: tuple[int, int], with_edge: bool) -> Any:
    """Reflected at the edges in both directions, in steps of whole lengths of the array as NumPy takes them."""
    n = operator.index(B.shape(x)[axis])
    if n == 1:
        return B.take(x, np.zeros(1 + sum(width), np.intp), axis=axis)
    skipped = 0 if with_edge else 1  # of what is reflected, at the edge
    while width != (0, 0):
        length = operator.index(B.shape(x)[axis]) - skipped
        length -= length % (n - skipped)
        before, after = (min(w, length) for w in width)
        first, last = _cut(B, x, axis, 0, 1), _cut(B, x, axis, -1, None)
        end = operator.index(B.shape(x)[axis]) - skipped
        near_first, near_last = _cut(B, x, axis, skipped, skipped + before), _cut(B, x, axis, end - after, end)
        margins = (
            B.subtract(B.multiply(2, edge), B.flip(near, axis))
            for edge, near in ((first, near_first), (last, near_last))
        )
        x = _joined(B, x, axis, (before, after), *margins)
        width = (width[0] - before, width[1] - after)
    return x
