"""Which line of the user's code is running: found once per operation, so it has to be cheap.

A frame belongs to the user when its module is none of the numeric libraries that call symtape on the user's behalf. A
code object and an instruction offset are kept; file and line number are worked out only when a message is written.
"""

from __future__ import annotations

import linecache
import pathlib
import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType

#: Packages whose frames are skipped when the user's line is looked for.
LIBRARIES = frozenset(
    (
        *("symtape", "numpy", "scipy", "sympy", "pandas", "numba"),
        *("contextlib", "copy", "copyreg", "functools", "fractions", "pickle", "random", "statistics"),
        *("concurrent", "threading"),
    )
)

_STANDARD = str(pathlib.Path(sysconfig.get_path("stdlib")))  # the folder of Python's own modules

_inside: dict[str, bool] = {}


def _is_library(frame: FrameType) -> bool:
    inside = str(frame.f_globals.get("__name__", "")).partition(".")[0] in LIBRARIES
    if frame.f_code.co_filename != "<string>":  # a name that many share
        _inside[frame.f_code.co_filename] = inside
    return inside


class _Held(threading.local):
    """The user's frame of a long work in this thread, all of which one line of the user's asked for."""

    frame: FrameType | None = None


_held = _Held()


@contextmanager
def one_line() -> Iterator[None]:
    """Everything built inside belongs to the line that runs now, which is looked for once."""
    before = _held.frame
    _held.frame = user_frame(3)
    try:
        yield
    finally:
        _held.frame = before


def user_frame(depth: int = 1) -> FrameType:
    """The innermost frame that is the user's, starting ``depth`` frames above the caller."""
    held = _held.frame
    if held is not None:
        return held
    frame: FrameType | None = sys._getframe(depth)
    last = frame
    while frame is not None:
        inside = _inside.get(frame.f_code.co_filename)
        if inside is None:
            inside = _is_library(frame)
        if not inside:
            return frame
        last, frame = frame, frame.f_back
    assert last is not None
    return last


def _is_installed(filename: str) -> bool:
    parts = pathlib.PurePath(filename).parts
    return "site-packages" in parts or "dist-packages" in parts or filename.startswith(_STANDARD)


def outer_frame(frame: FrameType) -> FrameType | None:
    """Where the user's own code called the installed package that a frame belongs to; None if it is their own."""
    if not _is_installed(frame.f_code.co_filename):
        return None
    outer = frame.f_back
    while outer is not None and (_is_installed(outer.f_code.co_filename) or _is_library(outer)):
        outer = outer.f_back
    return outer


def place(frame: FrameType) -> str:
    """``file:line: text`` of a frame; of one in an installed package also where the user's own code called that."""
    inner = describe(frame.f_code, frame.f_lasti)
    outer = outer_frame(frame)
    return inner if outer is None else f"{inner}, called from {describe(outer.f_code, outer.f_lasti)}"


def line_number(code: CodeType, lasti: int) -> int:
    """The line of an instruction offset in a code object."""
    for start, end, line in code.co_lines():
        if start <= lasti < end and line is not None:
            return line
    return code.co_firstlineno


def positions(code: CodeType, lasti: int) -> tuple[int | None, int | None, int | None, int | None]:
    """``(line, end line, column, end column)`` of an instruction, as far as the interpreter kept them."""
    table = list(code.co_positions())
    index = lasti // 2
    return table[index] if 0 <= index < len(table) else (None, None, None, None)


def describe(code: CodeType | None, lasti: int) -> str:
    """``file:line: text of the line`` for messages; says so when there is none.

    Examples
    --------
    >>> describe(None, 0)
    'an unknown line'
    """
    if code is None:
        return "an unknown line"
    line = line_number(code, lasti)
    text = linecache.getline(code.co_filename, line).strip()
    place = f"{code.co_filename}:{line}"
    return f"{place}: {text}" if text else place
