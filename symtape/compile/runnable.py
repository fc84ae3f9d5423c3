"""Machine code that is called with arrays.

Frames, the memory of a call, wait in a pool between calls: threads never share one, and a call of a small program
allocates nothing but its results.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from symtape.compile.fast_call import fast_call
from symtape.compile.frames import Frame
from symtape.compile.library_calls import CALLBACK_STATUS, Callback, LiveCallback, take_raised
from symtape.compile.loop_text import INDEX_STATUS
from symtape.compile.object_code import LoadedCode
from symtape.compile.rows import run_rows
from symtape.errors import AssumptionViolated, CompilationError, DTypeError, ShapeError
from symtape.graph.node import Array, DType, check_real

KERNEL: Final = "symtape.kernel"
ROWS: Final = "symtape.rows"
#: Straight-line operations up to which a call keeps Python's lock.
_BRIEF: Final = 2000
_FLOAT: Final = np.dtype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What machine code is called with.

    Attributes
    ----------
    inputs : tuple of (name or None, shape, dtype)
    outputs : tuple of (shape, dtype)
    messages : tuple of str
        What each violated guard means.
    sizes : tuple of int
    workspace : int
        Bytes.
    extra : tuple of ndarray or Callback
        What follows the inputs in the table ``in``.
    operations : int
        Length of the straight-line code.
    """

    inputs: tuple[tuple[str | None, tuple[int, ...], DType], ...]
    outputs: tuple[tuple[tuple[int, ...], DType], ...]
    messages: tuple[str, ...]
    sizes: tuple[int, ...]
    workspace: int
    extra: tuple[Array | Callback, ...]
    operations: int


class Runnable:
    """Machine code with all that a call of it needs.

    Parameters
    ----------
    plan : Plan
    code : LoadedCode
        With the functions `KERNEL` and `ROWS`.
    """

    def __init__(self, plan: Plan, code: LoadedCode) -> None:
        self.plan = plan
        self._code = code
        self.input_types = [(shape, dtype) for _, shape, dtype in plan.inputs]
        self.output_types = list(plan.outputs)
        self._sizes = np.array(plan.sizes or [0], np.int64)
        self._extra = [LiveCallback(e) if isinstance(e, Callback) else np.ascontiguousarray(e) for e in plan.extra]
        self.extra_addresses = [e.address if isinstance(e, LiveCallback) else e.ctypes.data for e in self._extra]
        frame = self.frame()
        self._frames: list[Frame] = [frame]
        brief = frame.simple and plan.operations <= _BRIEF
        prototype = ctypes.PYFUNCTYPE if brief else ctypes.CFUNCTYPE
        self._kernel = prototype(ctypes.c_int32, *[ctypes.c_void_p] * 4)(code.addresses[KERNEL])
        #: Run the program; results of shape () come as Python numbers, others as fresh arrays.
        self.numbers: Callable[..., list[Any]] = self._numbers
        if frame.simple:
            self.numbers = fast_call(len(plan.inputs), self.frame, self._kernel, self._converted, self.fail)
        self.rows_kernel = ctypes.CFUNCTYPE(
            ctypes.c_int32, *[ctypes.c_void_p] * 6, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p
        )(code.addresses[ROWS])

    @property
    def kernel_address(self) -> int:
        """Where the kernel starts in this process."""
        return self._code.addresses[KERNEL]

    def frame(self) -> Frame:
        """Memory for one more call at the same time."""
        return Frame(
            self.input_types,
            self.output_types,
            self.extra_addresses,
            self.plan.workspace,
            self._sizes.ctypes.data,
        )

    # ------------------------------------------------------------------------------------------------- one call

    def __call__(self, *arrays: npt.ArrayLike, out: Sequence[Array | None] | None = None) -> tuple[Array, ...]:
        """Run the program.

        Parameters
        ----------
        *arrays : array_like
            One per input, of its shape; converted to its dtype where nothing is lost but precision.
        out : sequence of ndarray or None, optional
            Where results go, of their shapes and dtypes.

        Returns
        -------
        tuple of ndarray
            Fresh arrays, or those of ``out``.
        """
        if out is not None:
            self._check_targets(out)
        frame = self._taken(arrays)
        try:
            self._run(frame, arrays, out)
            found = [k if b is None else b.copy() for b, k in zip(frame.results, frame.fresh, strict=True)]
        finally:
            self._give_back(frame)
        if out is not None:
            for k, target in enumerate(out):
                if target is not None:
                    if target is not found[k]:
                        target[...] = found[k]
                    found[k] = target
        return tuple(found)  # type: ignore[arg-type]

    def _numbers(self, *arrays: npt.ArrayLike) -> list[Any]:
        frame = self._taken(arrays)
        try:
            self._run(frame, arrays, None)
            return [k if give is None else give() for give, k in zip(frame.give, frame.fresh, strict=True)]
        finally:
            self._give_back(frame)

    def _taken(self, arrays: Sequence[npt.ArrayLike]) -> Frame:
        if len(arrays) != len(self.plan.inputs):
            raise TypeError(f"the function takes {len(self.plan.inputs)} inputs, got {len(arrays)}")
        try:
            return self._frames.pop()
        except IndexError:
            return self.frame()

    def _give_back(self, frame: Frame) -> None:
        if not frame.simple:
            frame.forget()
        self._frames.append(frame)

    def _run(self, frame: Frame, arrays: Sequence[npt.ArrayLike], out: Sequence[Array | None] | None) -> None:
        for k, (buffer, shape, dtype) in enumerate(frame.plan):
            given: Any = arrays[k]
            if type(given) is np.ndarray:
                if given.shape != shape or given.dtype is not dtype:
                    given = self._converted(k, given)
            else:
                given = self._converted(k, given)
            if buffer is not None:
                buffer[...] = given
            else:
                frame.point(k, given)
        if not frame.simple:
            frame.take_results(out)
        status = self._kernel(*frame.arguments)
        if status:
            self.fail(status, take_raised())

    def _converted(self, k: int, given: Any) -> Any:
        shape, dtype = self.input_types[k]
        if type(given) is float and shape == () and dtype is _FLOAT:
            return given
        array = np.asarray(given)
        if array.shape != shape:
            raise ShapeError(f"{self.input_name(k)} has shape {array.shape}, wanted {shape}")
        return self.cast(k, array)

    def cast(self, k: int, array: Array) -> Array:
        """An array with the dtype of input ``k``, or an error if that would lose more than precision."""
        dtype = self.input_types[k][1]
        if array.dtype == dtype:
            return array
        if array.dtype.kind == "c":
            check_real(array.dtype, self.input_name(k))
        if not np.can_cast(array.dtype, dtype, "same_kind"):
            raise DTypeError(
                f"{self.input_name(k)} has dtype {array.dtype}, which does not become {dtype} without loss; "
                f"convert it with .astype({dtype.name!r})"
            )
        return array.astype(dtype)

    def input_name(self, k: int) -> str:
        """How messages name an input."""
        name = self.plan.inputs[k][0]
        return f"the input {name!r}" if name else f"input {k}"

    def _check_targets(self, out: Sequence[Array | None]) -> None:
        if len(out) != len(self.output_types):
            raise ValueError(f"out has {len(out)} entries, wanted one for each of the {len(self.output_types)} results")
        for k, (target, (shape, dtype)) in enumerate(zip(out, self.output_types, strict=True)):
            if target is None:
                continue
            if not isinstance(target, np.ndarray):
                raise TypeError(f"out[{k}] is a {type(target).__name__}, wanted an ndarray")
            if target.shape != shape:
                raise ShapeError(f"out[{k}] has shape {target.shape}, wanted {shape}")
            if target.dtype != dtype:
                raise DTypeError(f"out[{k}] has dtype {target.dtype}, wanted {dtype}")

    def fail(self, status: int, error: BaseException | None, row: int | None = None) -> None:
        """Raise what a status means."""
        where = "" if row is None else f" (row {row})"
        if status > 0:
            raise AssumptionViolated(self.plan.messages[status - 1] + where)
        if status == INDEX_STATUS:
            raise IndexError(f"an index array of the compiled function holds an index outside its axis{where}")
        if status == CALLBACK_STATUS and error is not None:
            if row is not None:
                error.add_note(f"in row {row}")
            raise error
        raise CompilationError(f"the compiled function ended with the unknown status {status}{where}")

    # ------------------------------------------------------------------------------------------------- many rows

    def rows(
        self,
        arrays: Sequence[npt.ArrayLike],
        count: int,
        *,
        threads: int | None = None,
        nan_rows: bool = False,
    ) -> list[Array]:
        """Run the program for each row of a batch, on several threads.

        Parameters
        ----------
        arrays : sequence of array_like
            Of the input's shape (shared by all rows), or with a leading axis of length ``count``.
        count : int
            Number of rows.
        threads : int, optional
            By default as many as the process may use.
        nan_rows : bool
            Whether a row that violates a guard gives NaN instead of an error.

        Returns
        -------
        list of ndarray
            Results with a leading axis of length ``count``.
        """
        return run_rows(self, arrays, count, threads=threads, nan_rows=nan_rows)
