"""The memory of one call: pointer tables, workspace, and buffers through which small arrays pass.

Finding the address of a NumPy array costs a microsecond, copying a few numbers a tenth of that: small arguments and
results are copied through buffers whose addresses stay in the tables.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from functools import partial

import numpy as np

from symtape.graph.node import Array, DType

#: Arguments and results of up to this many bytes pass through buffers.
SMALL = 1024
_ALIGNMENT = 64
_DOUBLE = np.dtype(np.float64)


def block(nbytes: int) -> tuple[Array, int]:
    """Aligned memory, and its address."""
    memory = np.empty(nbytes + _ALIGNMENT, np.uint8)
    return memory, -(-memory.ctypes.data // _ALIGNMENT) * _ALIGNMENT


def packed(array: Array) -> Array:
    """The array, or a copy of it that compiled code can walk through: in C order, each element where it belongs."""
    flags = array.flags
    return array if flags.c_contiguous and flags.aligned else np.array(array, order="C")


class Frame:
    """What one running call needs for itself.

    Attributes
    ----------
    arguments : tuple of int
        Addresses of the tables ``in`` and ``out``, of the workspace and of ``sizes``.
    plan : list of (buffer or None, shape, dtype)
        Per input; without a buffer the address of the caller's array goes into the table.
    results : list of ndarray or None
        Buffers of small results.
    fresh : list of ndarray or None
        The arrays that take the other results of the running call.
    """

    __slots__ = (
        "_in",
        "_kept",
        "_large",
        "_out",
        "arguments",
        "fresh",
        "give",
        "plan",
        "put",
        "results",
        "simple",
        "take",
    )

    def __init__(
        self,
        inputs: Sequence[tuple[tuple[int, ...], DType]],
        outputs: Sequence[tuple[tuple[int, ...], DType]],
        extra: Sequence[int],
        workspace: int,
        sizes: int,
    ) -> None:
        self._in = (ctypes.c_void_p * max(len(inputs) + len(extra), 1))()
        self._out = (ctypes.c_void_p * max(len(outputs), 1))()
        self._kept: list[Array] = []
        self.plan: list[tuple[Array | None, tuple[int, ...], DType]] = []
        self.results: list[Array | None] = []
        self.fresh: list[Array | None] = [None] * len(outputs)
        self._large: list[tuple[int, tuple[int, ...], DType]] = []
        numbers = bool(inputs) and all(entry == ((), _DOUBLE) for entry in inputs)
        together = np.zeros(len(inputs))
        #: where all inputs are doubles of shape (): the function that takes them at once
        self.put = partial(struct.Struct(f"{len(inputs)}d").pack_into, together.data, 0) if numbers else None
        for k, (shape, dtype) in enumerate(inputs):
            buffer = together[k : k + 1].reshape(()) if numbers else _buffer(shape, dtype)
            if buffer is not None:
                self._in[k] = buffer.ctypes.data
            self.plan.append((buffer, shape, dtype))
        for k, address in enumerate(extra):
            self._in[len(inputs) + k] = address
        numbers = bool(outputs) and all(entry == ((), _DOUBLE) for entry in outputs)
        together = np.zeros(len(outputs))
        #: where all results are doubles of shape (): the function that gives them at once
        self.take = partial(struct.Struct(f"{len(outputs)}d").unpack_from, together.data) if numbers else None
        for k, (shape, dtype) in enumerate(outputs):
            buffer = together[k : k + 1].reshape(()) if numbers else _buffer(shape, dtype)
            if buffer is not None:
                self._out[k] = buffer.ctypes.data
            else:
                self._large.append((k, shape, dtype))
            self.results.append(buffer)
        work, start = block(workspace)
        self.arguments = (ctypes.addressof(self._in), ctypes.addressof(self._out), start, sizes)
        self._kept.append(work)
        #: for each result, how its buffer gives it: as a number or as a fresh array
        self.give = [
            None if b is None else b.item if shape == () else b.copy
            for b, (shape, _) in zip(self.results, outputs, strict=True)
        ]
        #: whether all arguments and results pass through buffers
        self.simple = not self._large and all(buffer is not None for buffer, _, _ in self.plan)

    def point(self, k: int, array: Array) -> None:
        """Hand the caller's own array to the kernel as input ``k``."""
        array = packed(array)
        self._kept.append(array)
        self._in[k] = array.ctypes.data

    def aim(self, k: int, array: Array) -> None:
        """Let result ``k`` go into an array."""
        self._kept.append(array)
        self._out[k] = array.ctypes.data

    @property
    def pointers(self) -> int:
        """Entries of both tables."""
        return len(self._in) + len(self._out)

    def take_results(self, targets: Sequence[Array | None] | None) -> None:
        """Let large results go into fresh arrays, or into those of the targets that nothing else overlaps."""
        for k, shape, dtype in self._large:
            target = None if targets is None else targets[k]
            if target is None or not self._fits(target):
                target = np.empty(shape, dtype)
            self.fresh[k] = target
            self._out[k] = target.ctypes.data

    def _fits(self, target: Array) -> bool:
        flags = target.flags
        return (
            flags.c_contiguous
            and flags.aligned
            and flags.writeable
            and not any(np.may_share_memory(target, a) for a in (*self._kept[1:], *self.fresh) if a is not None)
        )

    def forget(self) -> None:
        """Let go of the arrays of the call."""
        del self._kept[1:]
        for k, _, _ in self._large:
            self.fresh[k] = None


def _buffer(shape: tuple[int, ...], dtype: DType) -> Array | None:
    nbytes = dtype.itemsize
    for n in shape:
        nbytes *= n
    return np.zeros(shape, dtype) if nbytes <= SMALL else None
