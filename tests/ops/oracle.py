"""A slow oracle: evaluates an op one element at a time from its element rule, with Python integers for indices."""

import itertools
from typing import Any

import numpy as np

from symtape.ops import element as el


def by_element(
    op: Any, nodes: Any, params: tuple[Any, ...], arrays: list[np.ndarray], shape: tuple[int, ...], dtype: Any
) -> np.ndarray:
    """The result of ``op`` on arrays, read off its element rule alone."""
    rule = op.element(el.index(len(shape)), nodes, *params)
    out = np.empty(shape, dtype)
    with np.errstate(all="ignore"):
        for at in itertools.product(*map(range, shape)):
            out[at] = scalar(rule, dict(enumerate(at)), arrays, dtype)
    return out


def position(i: Any, at: dict[int, int], arrays: list[np.ndarray]) -> int:
    """The number that an index expression stands for."""
    match i:
        case int() | np.integer():
            return int(i)
        case el.Index(number):
            return at[number]
        case el.Sum(left, right):
            return position(left, at, arrays) + position(right, at, arrays)
        case el.Scaled(of, factor):
            return position(of, at, arrays) * factor
        case el.Quotient(of, divisor):
            return position(of, at, arrays) // divisor
        case el.Remainder(of, divisor):
            return position(of, at, arrays) % divisor
        case el.Gather(number, where, length):
            k = int(arrays[number][tuple(position(w, at, arrays) for w in where)])
            if not -length <= k < length:
                raise IndexError(f"{k} is outside an axis of length {length}")
            return k + length if k < 0 else k
    raise TypeError(f"no index expression: {i!r}")


def scalar(rule: Any, at: dict[int, int], arrays: list[np.ndarray], dtype: Any) -> Any:
    """The number that a scalar expression stands for at the given indices."""
    match rule:
        case el.Read(number, where):
            if isinstance(arrays[number], (bool, int, float)):
                return arrays[number]  # a Python scalar takes the dtype of its neighbors
            places = tuple(position(w, at, arrays) for w in where)
            assert all(0 <= p < n for p, n in zip(places, arrays[number].shape, strict=True)), (
                "a rule reads inside its inputs"
            )
            return arrays[number][places]
        case el.Number(value):
            return np.dtype(dtype).type(value)
        case el.IndexValue(index):
            return np.int64(position(index, at, arrays))
        case el.Apply(op, arguments, params):
            return op.value(*[scalar(a, at, arrays, dtype) for a in arguments], *params)
        case el.Boxes(boxes, otherwise):
            inside = [
                box
                for box in boxes
                if all(
                    position(low, at, arrays) <= position(i, at, arrays) < position(high, at, arrays)
                    for i, low, high in box.bounds
                )
            ]
            assert len(inside) <= 1, "boxes are disjoint"
            return scalar(inside[0].then if inside else otherwise, at, arrays, dtype)
        case el.Reduce(kind, first, extents, body):
            values = [
                scalar(body, at | {first + k: i for k, i in enumerate(places)}, arrays, dtype)
                for places in itertools.product(*map(range, extents))
            ]
            return getattr(np, kind)(np.array(values)) if values else getattr(np, kind)(np.array([], dtype))
    raise TypeError(f"no scalar expression: {rule!r}")
