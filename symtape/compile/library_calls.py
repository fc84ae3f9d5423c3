"""Calls from compiled code back into Python: linear algebra, and every op that has no lowering for its types.

Compiled code finds the function in its table of arguments at call time, so no address is part of the machine code and
object files survive restarts. A `Callback` says what is called; `LiveCallback` is its C function in this process.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

import numpy as np

from symtape.errors import SingularMatrixError
from symtape.graph.node import Array, DType
from symtape.graph.source import describe

#: Status of a kernel whose callback raised; the exception itself waits in `raised`.
CALLBACK_STATUS: Final = -3

_PROTOTYPE: Final = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_void_p))


class _Raised(threading.local):
    error: BaseException | None = None


_raised = _Raised()


def take_raised() -> BaseException | None:
    """The exception that ended the last callback of this thread; it is handed over once."""
    error, _raised.error = _raised.error, None
    return error


@dataclass(frozen=True, slots=True)
class Callback:
    """An op that compiled code calls: on contiguous arrays of the given shapes and dtypes, into such arrays.

    An input whose type is Python's is handed over as such a number, which takes the dtype of its neighbors.
    """

    op: Any
    params: tuple[Any, ...]
    inputs: tuple[tuple[tuple[int, ...], DType | type], ...]
    outputs: tuple[tuple[tuple[int, ...], DType], ...]
    code: Any
    lasti: int


class _Kept:
    """Keeps whatever is raised inside for the caller of the kernel: nothing can travel through C code."""

    __slots__ = ()

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        _raised.error = error
        return True


class LiveCallback:
    """A callback as a C function.

    Attributes
    ----------
    address : int
        Valid for as long as this object lives.
    """

    __slots__ = ("_function", "address", "callback")

    def __init__(self, callback: Callback) -> None:
        self.callback = callback
        inputs = tuple(_input(shape, dtype) for shape, dtype in callback.inputs)
        outputs = tuple(_reader(shape, dtype) for shape, dtype in callback.outputs)
        op, params = callback.op, callback.params
        several = op.results != 1

        def call(given: Any, wanted: Any) -> int:
            with _Kept():
                arrays = [read(given[k]) for k, read in enumerate(inputs)]
                with np.errstate(all="ignore"):
                    value = op.value(*arrays, *params)
                    for k, (write, result) in enumerate(zip(outputs, value if several else (value,), strict=True)):
                        write(wanted[k])[...] = result
                return 0
            _raised.error = located(_raised.error, callback)
            return CALLBACK_STATUS

        self._function = _PROTOTYPE(call)
        self.address = ctypes.cast(self._function, ctypes.c_void_p).value or 0


def located(error: BaseException | None, callback: Callback) -> BaseException | None:
    """The error with the line of the user that the op came from."""
    place = f"{callback.op.name}, which stands at {describe(callback.code, callback.lasti)}"
    if isinstance(error, np.linalg.LinAlgError) and not isinstance(error, SingularMatrixError):
        found = SingularMatrixError(
            f"{callback.op.name}: {error}; the operation stands at {describe(callback.code, callback.lasti)}"
        )
        found.__cause__ = error
        return found
    if error is not None:
        error.add_note(f"in {place}")
    return error


def _input(shape: Sequence[int], dtype: DType | type) -> Any:
    """A function from an address to what an op is given: an array that it may not write to, or Python's number."""
    if isinstance(dtype, type):
        stored = _reader((), np.dtype(dtype))
        return lambda address: stored(address).item()
    read = _reader(shape, dtype)

    def protected(address: int) -> Array:
        array: Array = read(address)
        array.flags.writeable = False
        return array

    return protected


def _reader(shape: Sequence[int], dtype: DType) -> Any:
    """A function from an address to the array that stands there."""
    count = int(np.prod(shape, dtype=np.int64))
    nbytes = count * dtype.itemsize
    if nbytes == 0:
        return lambda address: np.empty(shape, dtype)
    block = ctypes.c_byte * nbytes

    def read(address: int) -> Array:
        array: Array = np.frombuffer(block.from_address(address), dtype, count)  # type: ignore[call-overload]
        return array.reshape(shape)

    return read
