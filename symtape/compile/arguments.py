"""Where the numbers of a kernel are: its arguments, its workspace, and what its caller tells it about sizes.

A kernel's text holds no axis length above a small limit and no place in the workspace: it reads both from the table
``sizes``, so that the same machine code serves every data set. `Sizes` fills that table while the text is written.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from symtape.compile.ir_types import ScalarType
from symtape.graph.node import Array

#: Integers up to this stand in the text itself: loops over so few elements are unrolled.
LITERAL_LIMIT: Final = 16


@dataclass(frozen=True, slots=True)
class Base:
    """A pointer that a kernel can get at.

    Input or output number ``number``, or a place in the workspace, at the byte offset that stands in ``sizes[number]``.
    """

    area: str
    number: int


@dataclass(frozen=True, slots=True)
class View:
    """Elements in memory: the one at ``i, j, ...`` stands ``offset + i*strides[0] + j*strides[1] + ...`` further on."""

    base: Base
    offset: int
    strides: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    """A scalar known when the code is written; it takes the type of the operation that it meets."""

    value: object


def is_plain(value: object) -> bool:
    """Whether a number is likely to be part of a formula (2, 0.5, -1) and not of the data (a count, a measurement)."""
    number = float(value)  # type: ignore[arg-type]
    return not math.isfinite(number) or (abs(number) <= LITERAL_LIMIT and (2 * number).is_integer())


@dataclass(slots=True)
class Pool:
    """Constants that are handed to a kernel as an array of eight bytes each, so that its text does not hold them."""

    base: Base
    literals: dict[tuple[str, ScalarType], int] = field(default_factory=dict)

    def place(self, text: str, kind: ScalarType) -> int:
        """Where a literal stands, counted in elements of its own type."""
        return self.literals.setdefault((text, kind), len(self.literals)) * (8 // kind.size)

    def array(self) -> Array:
        """The array itself."""
        content = np.zeros(max(len(self.literals), 1), np.int64)
        for k, (text, kind) in enumerate(self.literals):
            memory = content[k : k + 1].view(_NUMPY[kind.family] + str(kind.size))
            memory[0] = _number(text, kind)
        return content


_NUMPY: Final = {"f": "f", "i": "i", "u": "u", "b": "u"}


def _number(text: str, kind: ScalarType) -> float | int | bool:
    if kind.family == "f":
        return float(struct.unpack("<d", struct.pack("<Q", int(text, 16)))[0])
    return text == "true" if kind.family == "b" else int(text)


@dataclass(slots=True)
class Sizes:
    """The table ``sizes`` of a kernel, filled in the order in which the text asks for entries."""

    values: list[int] = field(default_factory=list)
    _places: dict[int, int] = field(default_factory=dict)

    def number(self, value: int) -> int:
        """The place of a length; equal lengths share one."""
        place = self._places.get(value)
        if place is None:
            place = self._places[value] = self.reserve(value)
        return place

    def reserve(self, value: int = 0) -> int:
        """A place of its own, which `set` can fill later."""
        self.values.append(value)
        return len(self.values) - 1

    def append(self, values: list[int]) -> int:
        """A table of its own; where it starts."""
        self.values.extend(values)
        return len(self.values) - len(values)

    def set(self, place: int, value: int) -> None:
        """Fill a place that was reserved."""
        self.values[place] = value


@dataclass(slots=True)
class Value:
    """What a node is in a kernel: scalars in registers, elements in memory, or both.

    Attributes
    ----------
    shape : tuple of int
    kind : ScalarType or None
        None for dtypes that compiled code only passes on.
    itemsize : int
    elements : list of int or Constant, or None
        Numbers of registers (see `Chunks`) in C order.
    view : View or None
    """

    shape: tuple[int, ...]
    kind: ScalarType | None
    itemsize: int
    elements: list[int | Constant] | None = None
    view: View | None = None
