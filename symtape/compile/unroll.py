"""Small arrays without loops: an element rule followed with numbers for indices, once per element."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np

from symtape.compile.arguments import Constant
from symtape.compile.loop_tree import reduced_dtype, result_of
from symtape.compile.lowering import Lowered, lowered_line, lowered_op
from symtape.compile.scalar_ir import Chunks
from symtape.graph.node import DType
from symtape.ops.element import (
    Apply,
    Boxes,
    Gather,
    Index,
    IndexValue,
    Number,
    Quotient,
    Read,
    Reduce,
    Remainder,
    Scalar,
    Scaled,
    Sum,
)

#: How two elements are combined, by the kind of reduction, in the lowering language.
REDUCTIONS: Final = {
    "sum": "x + y",
    "prod": "x * y",
    "max": "maximum(x, y)",
    "min": "minimum(x, y)",
    "any": "x: truth, y: truth; either(x, y)",
    "all": "x: truth, y: truth; both(x, y)",
}
_IDENTITIES: Final = {"sum": 0, "prod": 1, "any": False, "all": True}

Element = int | Constant


class CannotUnroll(Exception):  # noqa: N818 (no error: the caller takes another way)
    """The rule has a place that is only known when the code runs, or an operation without lowering."""


class Unroller:
    """Follows the rule of one node.

    Parameters
    ----------
    chunks : Chunks
        Where the operations go.
    read : callable
        ``read(k, at)`` gives the element of input ``k`` at the given indices.
    dtypes : sequence of dtype or type
        Of the inputs.
    dtype : dtype
        Of the result.
    contract : bool
    """

    def __init__(
        self,
        chunks: Chunks,
        read: Callable[[int, Sequence[int]], Element],
        dtypes: Sequence[DType | type],
        dtype: DType,
        contract: bool,
    ) -> None:
        self.chunks = chunks
        self.read = read
        self.dtypes = dtypes
        self.dtype = dtype
        self.contract = contract

    def element(self, rule: Scalar, at: dict[int, int]) -> Element:
        """The element of the result at the given indices."""
        return self._scalar(rule, at, top=True)[0]

    def _scalar(self, rule: Scalar, at: dict[int, int], top: bool) -> tuple[Element, Any]:
        match rule:
            case Read(number, where):
                return self.read(number, [self._place(i, at) for i in where]), self.dtypes[number]
            case Number(value):
                return Constant(value), self.dtype
            case IndexValue(index):
                return Constant(self._place(index, at)), np.dtype(np.int64)
            case Apply(op, arguments, params):
                parts = [self._scalar(a, at, top=False) for a in arguments]
                dtypes = tuple(d for _, d in parts)
                dtype = self.dtype if top else result_of(op, dtypes, params)
                lowered = _need(lowered_op(op, dtypes, dtype, self.contract, params))
                return self.chunks.apply(lowered, [e for e, _ in parts]), dtype
            case Boxes(boxes, otherwise):
                for box in boxes:
                    if all(low <= self._place(i, at) < high for i, low, high in box.bounds):
                        return self._scalar(box.then, at, top)
                return self._scalar(otherwise, at, top)
            case Reduce(how, first, extents, body):
                return self._reduced(how, first, [int(n) for n in extents], body, at, top)
        raise TypeError(f"no element rule: {rule!r}")

    def _reduced(
        self, how: str, first: int, extents: Sequence[int], body: Scalar, at: dict[int, int], top: bool
    ) -> tuple[Element, Any]:
        if how not in REDUCTIONS:
            raise CannotUnroll(how)
        places = itertools.product(*map(range, extents))
        parts = [self._scalar(body, at | {first + k: i for k, i in enumerate(place)}, top=False) for place in places]
        if not parts:
            return Constant(_IDENTITIES[how]), self.dtype
        dtype = self.dtype if top else reduced_dtype(how, np.dtype(parts[0][1]))
        lowered = _need(lowered_line(REDUCTIONS[how], (np.dtype(parts[0][1]),) * 2, dtype, self.contract))
        result = parts[0][0]
        if how in ("any", "all") or len(parts) == 1:
            result = self.chunks.cast(result, lowered.arguments[0])
        for element, _ in parts[1:]:
            result = self.chunks.apply(lowered, (result, element))
        return result, dtype

    def _place(self, index: Any, at: dict[int, int]) -> int:
        match index:
            case Index(number):
                return at[number]
            case Sum(left, right):
                return self._place(left, at) + self._place(right, at)
            case Scaled(of, factor):
                return self._place(of, at) * int(factor)
            case Quotient(of, divisor):
                return self._place(of, at) // int(divisor)
            case Remainder(of, divisor):
                return self._place(of, at) % int(divisor)
            case Gather(number, where, length):
                element = self.read(number, [self._place(i, at) for i in where])
                if not isinstance(element, Constant):
                    raise CannotUnroll("gather")
                found: int = int(element.value)  # type: ignore[call-overload]
                if not -int(length) <= found < int(length):
                    raise IndexError(f"index {found} is out of bounds for axis with size {length}")
                return found % int(length)
        place: int = operator.index(index)
        return place


def _need(lowered: Lowered | None) -> Lowered:
    if lowered is None:
        raise CannotUnroll("no lowering")
    return lowered


@lru_cache(maxsize=1024)
def broadcast_positions(shape: tuple[int, ...], result: tuple[int, ...]) -> tuple[int, ...]:
    """For each element of a result, in C order, the flat position of the element of an input broadcast against it."""
    grid = np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
    return tuple(np.broadcast_to(grid, result).ravel().tolist())
