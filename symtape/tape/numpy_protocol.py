"""What NumPy's functions and ufuncs mean on tensors: the registered function of that full name, or an error.

Everything is looked up in the registry by name (``numpy.linalg.norm``, ``numpy.add.reduce``, ``scipy.special.erf``), so
a new operation needs no line here. Nothing that is not registered is tried by other means: a number computed from a
tensor behind its back would cut the gradient without a word.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symtape.graph.source import place, user_frame
from symtape.ops.namespace import Namespace
from symtape.ops.registry import UFUNC_KEYWORDS, Function, functions, ufunc_arguments
from symtape.tape.numpy_queries import QUERIES
from symtape.tape.numpy_remedies import remedy, written_in_place
from symtape.tape.remedies import called_on_line, foreign_ufunc, refusal

Keywords = Mapping[str, Any]

_by_callable: dict[Any, Function] = {}
_by_name: dict[str, Function] = {}
_seen = 0


def _refresh() -> None:
    """Enter what has been registered since."""
    global _seen  # noqa: PLW0603 (the registry only grows)
    entries = list(functions().values())
    for entry in entries[_seen:]:
        for name in entry.implements:
            _by_name[name] = entry
            found = _numpy_object(name)
            if found is not None:
                _by_callable[found] = entry
    _seen = len(entries)


def _numpy_object(name: str) -> Any:
    """The function of NumPy that bears a full name; None for other packages, and for a name that it has not."""
    root, *path = name.split(".")
    if root != "numpy":
        return None
    found: Any = np
    for part in path:
        if isinstance(found, np.ufunc):  # a method of a ufunc, found by its name
            return None
        found = getattr(found, part, None)
    return found


def lookup(function: Any) -> Function | None:
    """What is registered for a function of NumPy, or for a ufunc of any package that is loaded."""
    if _seen != len(functions()):
        _refresh()
    entry = _by_callable.get(function)
    if entry is None and isinstance(function, np.ufunc):
        special = sys.modules.get("scipy.special")
        name: str = function.__name__
        if special is not None and special.__dict__.get(name) is function:
            entry = _by_name.get(f"scipy.special.{name}")
            if entry is not None:
                _by_callable[function] = entry
    return entry


def elementwise_op(ufunc: Any) -> Any:
    """The op that a ufunc is, if it is no more than that; None if there is a function with more to it, or nothing."""
    entry = lookup(ufunc)
    return None if entry is None else entry.op


# --------------------------------------------------------------------------------------------------------------- ufuncs


def call_ufunc(B: Namespace, ufunc: np.ufunc, method: str, inputs: Sequence[Any], keywords: Keywords) -> Any:
    """A ufunc or one of its methods on tensors.

    Raises
    ------
    TypeError
        With a remedy, where nothing is registered, or ``out=`` is given.
    """
    full = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    given = {k: v for k, v in keywords.items() if not _is_default(k, v)}
    if "out" in given or method == "at":
        raise TypeError(written_in_place(full, ufunc.__name__, method, masked="where" in given))
    if method == "__call__":
        entry = lookup(ufunc)
        if entry is None:
            raise TypeError(remedy(f"np.{full}") if _is_numpys(ufunc) else foreign_ufunc(full))
        inputs = ufunc_arguments(B, full, tuple(inputs), given)
        return entry.implementation(B, *inputs, **{k: v for k, v in given.items() if k not in UFUNC_KEYWORDS})
    lookup(ufunc)  # enters new names
    own = _by_name.get(f"numpy.{full}")
    if own is not None:
        return own.implementation(B, *inputs, **given)
    if method == "outer" and lookup(ufunc) is not None:
        return _outer(B, ufunc, inputs, given)
    raise TypeError(remedy(f"np.{full}"))


def _is_numpys(ufunc: np.ufunc) -> bool:
    return getattr(np, ufunc.__name__, None) is ufunc


def _is_default(name: str, value: Any) -> bool:
    return value is True if name == "where" else name == "out" and (value is None or value[0] is None)


def _outer(B: Namespace, ufunc: np.ufunc, inputs: Sequence[Any], given: Keywords) -> Any:
    """All pairs of elements: the axes of the first operand, then those of the second.

    As in NumPy a Python number counts as an array of its own dtype.
    """
    a, b = (B.lift(np.asarray(x) if isinstance(x, (bool, int, float)) else x) for x in inputs)
    entry = lookup(ufunc)
    assert entry is not None
    wide = B.reshape(a, (*B.shape(a), *[1] * B.ndim(b)))
    return entry.implementation(B, wide, b, **given)


# ------------------------------------------------------------------------------------------------------------ functions


def call_function(B: Namespace, function: Callable[..., Any], args: Sequence[Any], keywords: Keywords) -> Any:
    """A function of NumPy on tensors.

    Raises
    ------
    TypeError
        With a remedy, where nothing is registered.
    """
    entry = lookup(function)
    if entry is not None:
        return entry.implementation(B, *args, **keywords)
    name = full_name(function)
    query = QUERIES.get(name)
    if query is not None:
        return query(B, *args, **keywords)
    if name == "numpy.copyto":  # functions that make an array fill it so: the user's line says which
        frame = user_frame(1)
        found = called_on_line(frame)
        if found is not None:
            raise TypeError(refusal(found, place(frame)))
    raise TypeError(remedy(name.replace("numpy", "np", 1)))


@functools.cache
def full_name(function: Callable[..., Any]) -> str:
    """``numpy.linalg.norm``: module and name as people write them."""
    return f"{getattr(function, '__module__', 'numpy')}.{getattr(function, '__name__', repr(function))}"
