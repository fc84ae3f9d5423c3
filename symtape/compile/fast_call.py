"""The shortest way from Python numbers through a kernel and back, for programs whose arguments and results are small.

A minimizer calls such a program a million times, so what a call costs is counted in tenths of a microsecond: everything
that can be looked up once is a variable of the closure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symtape.compile.frames import Frame
from symtape.compile.library_calls import take_raised
from symtape.graph.node import Array

_NUMBERS = frozenset({float, np.float64})


def fast_call(
    count: int,
    make_frame: Callable[[], Frame],
    kernel: Callable[..., int],
    convert: Callable[[int, Any], Array],
    fail: Callable[[int, BaseException | None], None],
) -> Callable[..., list[Any]]:
    """A function from arguments to a list of results: Python numbers for shape (), fresh arrays otherwise.

    Parameters
    ----------
    count : int
        Number of inputs.
    make_frame : callable
        Memory for one more call at the same time.
    kernel : callable
        Takes the addresses of a frame.
    convert : callable
        ``convert(k, given)`` makes an argument that is not as it should be into an array, or raises.
    fail : callable
        Raises what a status means.
    """
    ndarray = np.ndarray
    waiting: list[tuple[Any, ...]] = []
    take, give_back = waiting.pop, waiting.append

    def fresh() -> tuple[Any, ...]:
        frame = make_frame()
        plan = tuple((k, *entry) for k, entry in enumerate(frame.plan))
        return plan, frame.arguments, tuple(frame.give), frame.put, frame.take, frame

    def numbers(*arrays: Any) -> list[Any]:
        if len(arrays) != count:
            raise TypeError(f"the function takes {count} inputs, got {len(arrays)}")
        try:
            memory = take()
        except IndexError:
            memory = fresh()
        plan, (tables_in, tables_out, work, sizes), give, put, together, _ = memory
        try:
            if put is not None and _NUMBERS.issuperset(map(type, arrays)):
                put(*arrays)
                plan = ()
            for k, buffer, shape, dtype in plan:
                given = arrays[k]
                if type(given) is not ndarray or given.shape != shape or given.dtype is not dtype:
                    given = convert(k, given)
                buffer[...] = given
            status = kernel(tables_in, tables_out, work, sizes)
            if status:
                fail(status, take_raised())
            return [result() for result in give] if together is None else [*together()]
        finally:
            give_back(memory)

    return numbers
