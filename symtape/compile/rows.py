"""The rows of a batch, shared out among threads: the kernel runs without Python's lock."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from symtape.compile.frames import packed
from symtape.compile.library_calls import take_raised
from symtape.errors import DTypeError, ShapeError
from symtape.graph.node import Array

#: Elements of arguments and results below which a second thread costs more than it gains.
_SHARE: Final = 20_000


def run_rows(
    program: Any, arrays: Sequence[npt.ArrayLike], count: int, *, threads: int | None, nan_rows: bool
) -> list[Array]:
    """See `symtape.compile.program.Program.rows`."""
    if len(arrays) != len(program.input_types):
        raise TypeError(f"the function takes {len(program.input_types)} inputs, got {len(arrays)}")
    given = [_laid_out(program, k, a, count) for k, a in enumerate(arrays)]
    if nan_rows and any(dtype.kind != "f" for _, dtype in program.output_types):
        raise DTypeError("rows can be NaN in results of floating dtype only")
    results = [np.empty((count, *shape), dtype) for shape, dtype in program.output_types]
    steps = np.array(
        [a.strides[0] if a.ndim > len(shape) else 0 for a, (shape, _) in zip(given, program.input_types, strict=True)]
        + [r.strides[0] if count else 0 for r in results],
        np.int64,
    )
    most = _processors() if threads is None else max(1, threads)
    load = sum(a.size for a in (*given, *results))
    parts = max(1, min(most, count, load // _SHARE + 1 if threads is None else most))
    edges = [count * p // parts for p in range(parts + 1)]
    if parts == 1:
        found = [_run(program, given, results, steps, 0, count, nan_rows)]
    else:
        with ThreadPoolExecutor(parts) as pool:
            tasks = [pool.submit(_run, program, given, results, steps, a, b, nan_rows) for a, b in pairwise(edges)]
            found = [task.result() for task in tasks]
    failed = [f for f in found if f is not None]
    if failed:
        row, status, error = min(failed, key=lambda f: f[0])
        program.fail(status, error, row)
    return results


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _laid_out(program: Any, k: int, given: npt.ArrayLike, count: int) -> Array:
    array = np.asarray(given)
    shape = program.input_types[k][0]
    if array.shape not in (shape, (count, *shape)):
        raise ShapeError(
            f"{program.input_name(k)} has shape {array.shape}, wanted {(count, *shape)}, or {shape} for all rows"
        )
    return packed(program.cast(k, array))


def _run(
    program: Any, given: Sequence[Array], results: Sequence[Array], steps: Array, begin: int, end: int, nan_rows: bool
) -> tuple[int, int, BaseException | None] | None:
    """Run some of the rows; the first row that failed with its status and error, or None."""
    frame = program.frame()
    for k, array in enumerate(given):
        frame.point(k, array)
    for k, array in enumerate(results):
        frame.aim(k, array)
    tables = (ctypes.c_void_p * frame.pointers)()
    stopped = ctypes.c_int64(0)
    fixed = (*frame.arguments, steps.ctypes.data, ctypes.addressof(tables))
    while True:
        status = program.rows_kernel(*fixed, begin, end, ctypes.addressof(stopped))
        if status == 0:
            return None
        if status < 0 or not nan_rows:
            return stopped.value, status, take_raised()
        for array in results:
            array[stopped.value] = np.nan
        begin = stopped.value + 1
