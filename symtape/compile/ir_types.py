"""NumPy's dtypes as LLVM types: in registers, in memory, as literals, and converted into each other."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from symtape.graph.node import DType


@dataclass(frozen=True, slots=True)
class ScalarType:
    """How the elements of one dtype are computed with and stored.

    Attributes
    ----------
    register : str
        LLVM's type of a value: ``double``, ``float``, ``i64``, ``i1``.
    memory : str
        The type of an element in memory; a bool is a byte there.
    family : str
        What instructions it takes: ``f`` floating, ``i`` signed, ``u`` unsigned, ``b`` boolean.
    bits : int
        Width of a register value.
    """

    register: str
    memory: str
    family: str
    bits: int

    @property
    def size(self) -> int:
        """Bytes of an element in memory."""
        return max(self.bits, 8) // 8

    @property
    def suffix(self) -> str:
        """How LLVM names the type in an intrinsic."""
        return f"f{self.bits}" if self.family == "f" else f"i{self.bits}"


BOOL: Final = ScalarType("i1", "i8", "b", 1)
INT64: Final = ScalarType("i64", "i64", "i", 64)
DOUBLE: Final = ScalarType("double", "double", "f", 64)
FLOAT: Final = ScalarType("float", "float", "f", 32)

_TYPES: Final[dict[tuple[str, int], ScalarType]] = {
    ("b", 1): BOOL,
    ("f", 4): FLOAT,
    ("f", 8): DOUBLE,
    **{("i", n): ScalarType(f"i{8 * n}", f"i{8 * n}", "i", 8 * n) for n in (1, 2, 4)},
    ("i", 8): INT64,
    **{("u", n): ScalarType(f"i{8 * n}", f"i{8 * n}", "u", 8 * n) for n in (1, 2, 4, 8)},
}


def scalar_type(dtype: DType) -> ScalarType | None:
    """The LLVM side of a dtype; None for those that compiled code only passes on (float16, long double).

    Examples
    --------
    >>> import numpy as np
    >>> scalar_type(np.dtype(bool)).memory, scalar_type(np.dtype("f4")).register, scalar_type(np.dtype("f2"))
    ('i8', 'float', None)
    """
    return _TYPES.get((dtype.kind, dtype.itemsize))


def literal(value: Any, kind: ScalarType) -> str:
    """A constant of the given type as LLVM writes it: floats bit by bit.

    Examples
    --------
    >>> literal(1.0, DOUBLE), literal(True, BOOL), literal(3.7, INT64)
    ('0x3FF0000000000000', 'true', '3')
    """
    if kind.family == "f":
        with np.errstate(over="ignore"):  # what is too large for single precision is infinite there
            number = float(np.float32(value)) if kind.bits == 32 else float(value)
        return f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"
    if kind.family == "b":
        return "true" if value else "false"
    return str(int(value))


def conversion(source: ScalarType, target: ScalarType) -> str | None:
    """The instruction that converts a value, with ``{0}`` for it; None where the register stays as it is.

    A float that has no such integer becomes the nearest one, NaN becomes 0 (C leaves it open).
    """
    if source == target:
        return None
    if target.family == "b":
        return (
            f"fcmp une {source.register} {{0}}, 0.0" if source.family == "f" else f"icmp ne {source.register} {{0}}, 0"
        )
    if target.family == "f":
        if source.family == "f":
            word = "fpext" if target.bits > source.bits else "fptrunc"
        else:
            word = "sitofp" if source.family == "i" else "uitofp"
        return f"{word} {source.register} {{0}} to {target.register}"
    if source.family == "f":
        word = "fptosi" if target.family == "i" else "fptoui"
        return f"call {target.register} @llvm.{word}.sat.{target.suffix}.{source.suffix}({source.register} {{0}})"
    if source.bits == target.bits:
        return None
    if target.bits < source.bits:
        word = "trunc"
    else:
        word = "sext" if source.family == "i" else "zext"
    return f"{word} {source.register} {{0}} to {target.register}"
