"""Functions that NumPy's protocols cannot catch: found on the line that calls them, warned of or refused.

Those functions turn a tensor into numbers, or into an object array of its elements, before anything can be recorded.
A tensor that is asked for either looks at the user's line: which function is called there, and what stands in the
table (`symtape.tape.remedy_table`) for it.
"""

from __future__ import annotations

import builtins
import itertools
import linecache
import re
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType, ModuleType
from typing import Any

import numpy as np

from symtape.errors import ConcreteValueError, ObjectArrayWarning
from symtape.graph.node import Node
from symtape.graph.source import LIBRARIES, place, positions, user_frame
from symtape.ops.registry import functions
from symtape.tape.recording import captures_of
from symtape.tape.remedy_table import RECORDING, REFUSED, SLOW, TABLE


@dataclass(frozen=True, slots=True)
class Found:
    """A function called on a line, and what to write instead."""

    name: str
    remedy: str


def remedy_of(name: str) -> str | None:
    """What the table says of a full name."""
    exact = TABLE.get(name)
    if exact is not None:
        return exact
    package, _, rest = name.partition(".")
    if package == "scipy" and any(name in entry.implements for entry in functions().values()):
        return f"st.{rest}(...)"
    while "." in name:
        name = name.rpartition(".")[0]
        below = TABLE.get(f"{name}.*")
        if below is not None:
            return below
    return None


def before_elements(node: Node) -> None:
    """The tensor of a node is about to be taken apart into an object array: to be called first.

    Warns
    -----
    ObjectArrayWarning
        Where the function called on the user's line goes on with such an array, slowly.

    Raises
    ------
    TypeError
        Where it does not; a ConcreteValueError while a callable is recorded for reuse.
    """
    frame = user_frame(2)
    found = called_on_line(frame)
    if found is None:
        return
    where = place(frame)
    if found.name in SLOW or (found.name.startswith("numpy.polynomial.") and not is_refused(found)):
        warnings.warn_explicit(
            f"{found.name} takes a tensor apart and works on one element after the other ({where}); write "
            f"{found.remedy}",
            ObjectArrayWarning,
            frame.f_code.co_filename,
            frame.f_lineno,
            module=str(frame.f_globals.get("__name__", "<unknown>")),
            registry=frame.f_globals.setdefault("__warningregistry__", {}),
        )
    elif is_refused(found):
        _refuse(node, found, where)


def before_numbers(node: Node, frame: FrameType) -> None:
    """One element after the other is about to be taken out of a tensor in a frame: to be called first.

    Raises
    ------
    TypeError
        Where ``np.fromiter`` takes one number after the other; a ConcreteValueError while a callable is recorded for
        reuse. Other functions of the table ask for an array, and meet `before_elements`.
    """
    if "fromiter" not in frame.f_code.co_names:
        return
    found = called_on_line(frame)
    if found is not None and is_refused(found):
        _refuse(node, found, place(frame))


def _refuse(node: Node, found: Found, where: str) -> None:
    for capture in captures_of(node):
        if capture.depends(node):
            raise ConcreteValueError(f"while {capture.name} recorded the function: {refusal(found, where)}")
    raise TypeError(refusal(found, where))


def is_refused(found: Found) -> bool:
    """Whether nothing good comes of handing elements to the function.

    What calls a function of the user's (scipy.optimize, scipy.integrate) asks its result for a number, and that warns.
    """
    if found.name.startswith(("scipy.optimize.", "scipy.integrate.")):
        return False
    return any(found.name == root or found.name.startswith(f"{root}.") for root in REFUSED)


def refusal(found: Found, where: str) -> str:
    """The message of the error."""
    return (
        f"{found.name} computes with plain numbers and cannot be recorded on a tensor ({where}); write "
        f"{found.remedy}, or x.numpy() in its argument where plain numbers are meant"
    )


def foreign_ufunc(name: str) -> str:
    """The message where a ufunc of another package is asked for that is not recorded, behind a function or directly."""
    frame = user_frame(2)
    found = called_on_line(frame)
    if found is not None and is_refused(found) and found.name.rpartition(".")[2] != name:
        return refusal(found, place(frame))
    return (
        f"{name} cannot be recorded on a tensor ({place(frame)}): write it with functions that are recorded, "
        "or x.numpy() in its argument where plain numbers are meant"
    )


def compiled_elsewhere() -> str:
    """The message where a tensor is handed to a function that numba compiled."""
    frame = user_frame(2)
    return (
        "a function compiled by numba takes numbers and arrays, and cannot be recorded on a tensor "
        f"({place(frame)}); write it with NumPy functions and let st.jit compile it, state "
        "its derivative with st.custom_vjp, or write x.numpy() where plain numbers are meant"
    )


_CALLED = re.compile(r"(?<![\w.)\]])([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*\(")
_METHOD = re.compile(r"[)\]]\.([A-Za-z_]\w*)\s*\(")


def called_on_line(frame: FrameType) -> Found | None:
    """What a user's line calls and the table knows: the function that is running, or else the first that is written."""
    written = [*_written_on(_statement(frame), frame)]
    entered = _entered(frame)
    if entered is None:
        return next((Found(n, remedy) for n in written if n not in RECORDING and (remedy := remedy_of(n))), None)
    last = entered.rpartition(".")[2]
    meant = (n for n in written if n.rpartition(".")[2] == last and not n.startswith("numpy.ndarray."))
    name = next((n for n in meant if remedy_of(n)), entered)
    remedy = remedy_of(name)
    return None if remedy is None or name in RECORDING else Found(name, remedy)


def _written_on(text: str, frame: FrameType) -> Iterator[str]:
    """Full names of the functions that are called in a text, then of the methods of what is called or indexed there."""
    for match in _CALLED.finditer(text):
        name = _full_name(match.group(1).split("."), frame)
        if name is not None:
            yield name
    for match in _METHOD.finditer(text):
        yield f"numpy.ndarray.{match.group(1)}"


def _entered(user: FrameType) -> str | None:
    """Full name of the function of SciPy or the standard library that the user's frame called and that is running."""
    running: FrameType | None = sys._getframe(1)
    called: list[FrameType] = []
    while running is not None and running is not user:
        called.append(running)
        running = running.f_back
    for frame in reversed(called):
        package, *path = str(frame.f_globals.get("__name__", "")).split(".")
        if package not in LIBRARIES - {"symtape", "numpy", "pandas", "sympy", "numba"}:
            return None
        home = ".".join([package, *itertools.takewhile(lambda part: not part.startswith("_"), path)])
        name, owner = frame.f_code.co_name, frame.f_locals.get("self")
        if owner is not None and "." in frame.f_code.co_qualname:
            own = _name_of(owner)
            return own if name.startswith("__") else f"{own}.{name}"
        if callable(getattr(sys.modules.get(home), name, None)):
            return f"{home}.{name}"
    return None


def _statement(frame: FrameType) -> str:
    """The text of the call that runs in a frame, on one line or on several."""
    first, last, _, _ = positions(frame.f_code, frame.f_lasti)
    first = frame.f_lineno if first is None else first
    last = first if last is None else last
    return "".join(linecache.getline(frame.f_code.co_filename, k) for k in range(first, last + 1))


_ABSENT = object()


def _full_name(path: list[str], frame: FrameType) -> str | None:
    """The full name of what a dotted name means in a frame: attributes are looked up in modules alone."""
    root, *rest = path
    found: Any = _ABSENT
    for names in (frame.f_locals, frame.f_globals, vars(builtins)):
        if root in names:
            found = names[root]
            break
    if found is _ABSENT:
        return None
    name = found.__name__ if isinstance(found, ModuleType) else _name_of(found)
    for part in rest:
        if isinstance(found, ModuleType):
            found = found.__dict__.get(part, _ABSENT)
            name = found.__name__ if isinstance(found, ModuleType) else f"{name}.{part}"
        else:
            name = f"{name}.{part}"
    return name


def _name_of(found: Any) -> str:
    """Module and name of a function, a class, a distribution or an array, as people import it."""
    if isinstance(found, np.ndarray):
        return "numpy.ndarray"
    named = getattr(found, "__name__", None) or getattr(found, "name", None)
    home = getattr(found, "__module__", None) or type(found).__module__
    if not isinstance(named, str):
        named, home = type(found).__name__, type(found).__module__
    public = str(home).split(".")
    private = next((k for k, part in enumerate(public) if part.startswith("_")), len(public))
    return ".".join([*public[:private], named])
