"""Arguments of NumPy's signatures that say where and how a result is written: a recorded operation has no use for them.

They are accepted at their defaults, because libraries pass them along; anything else is an error that says what to
write instead.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

_REMEDIES = {
    "out": "the result is a new tensor: give it a name instead",
    "where": "select with np.where(mask, a, b) instead",
    "casting": "convert the arguments with .astype(...) instead",
    "subok": "tensors have no subclasses: leave it out",
    "like": "leave it out",
    "device": "leave it out",
}


def only_defaults(function: str, **given: Any) -> None:
    """Refuse arguments that are neither None nor False.

    Raises
    ------
    TypeError
        Naming the function, the argument, and what to write instead.

    Examples
    --------
    >>> only_defaults("sum", out=None)
    >>> only_defaults("sum", out=[0.0])
    Traceback (most recent call last):
    ...
    TypeError: np.sum(out=...) cannot be recorded; the result is a new tensor: give it a name instead
    """
    for name, value in given.items():
        if not (value is None or value is False or is_missing(value)):
            raise TypeError(f"np.{function}({name}=...) cannot be recorded; {_REMEDIES.get(name, 'leave it out')}")


def is_missing(value: Any) -> bool:
    """Whether an optional argument was left out: None, or the marker that NumPy uses where None means something."""
    return value is None or value is np._NoValue  # noqa: SLF001 (NumPy's own default in public signatures)


def as_integer(value: Any, what: str) -> int:
    """A plain int from anything that is one.

    Raises
    ------
    TypeError
        Naming the argument.
    """
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{what} must be an integer, got {value!r}") from None
