"""Scalar functions written once: run by NumPy in double precision, and written out in the compiler's language.

A function of this kind is Python over the names of a *kit*: ``f(kit, x, y, ...)`` adds and multiplies its arguments
and calls ``kit.log1p``, ``kit.where`` and their like. With `NUMPY` the arguments are arrays; with a `Writer` they are
names, and the result is the line from which code is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from symtape.ops.scipy_functions import scipy_value


class Text:
    """A number that compiled code works out: a name that a `Writer` gave it."""

    __slots__ = ("name", "writer")

    def __init__(self, writer: Writer, name: str) -> None:
        self.writer = writer
        self.name = name

    def __add__(self, other: Any) -> Text:
        return self.writer.infix(self, "+", other)

    def __radd__(self, other: Any) -> Text:
        return self.writer.infix(other, "+", self)

    def __sub__(self, other: Any) -> Text:
        return self.writer.infix(self, "-", other)

    def __rsub__(self, other: Any) -> Text:
        return self.writer.infix(other, "-", self)

    def __mul__(self, other: Any) -> Text:
        return self.writer.infix(self, "*", other)

    def __rmul__(self, other: Any) -> Text:
        return self.writer.infix(other, "*", self)

    def __truediv__(self, other: Any) -> Text:
        return self.writer.infix(self, "/", other)

    def __rtruediv__(self, other: Any) -> Text:
        return self.writer.infix(other, "/", self)

    def __neg__(self) -> Text:
        return self.writer.entered(f"-{self.name}")

    def __lt__(self, other: Any) -> Text:
        return self.writer.infix(self, "<", other)

    def __ge__(self, other: Any) -> Text:
        return self.writer.infix(self, ">=", other)


def _text(value: Any) -> str:
    return value.name if isinstance(value, Text) else repr(float(value))  # the language knows inf by this name, too


class Writer:
    """The kit that writes: any function of the compiler's language by its name, and ``where``; each result is named."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def entered(self, text: str) -> Text:
        """What a text stands for, under a name."""
        name = self._names.setdefault(text, f"t{len(self._names)}")
        return Text(self, name)

    def infix(self, a: Any, operator: str, b: Any) -> Text:
        """An operator between two."""
        return self.entered(f"{_text(a)} {operator} {_text(b)}")

    def where(self, condition: Text, yes: Any, no: Any) -> Text:
        """``select``."""
        return self.entered(f"select({condition.name}, {_text(yes)}, {_text(no)})")

    def equal(self, a: Any, b: Any) -> Text:
        """``==``."""
        return self.infix(a, "==", b)

    def __getattr__(self, name: str) -> Callable[..., Text]:
        return lambda *arguments: self.entered(f"{name}({', '.join(map(_text, arguments))})")

    def line(self, result: Any) -> str:
        """All names in the order in which they were given, and the result."""
        return "; ".join([*(f"{name} = {text}" for text, name in self._names.items()), _text(result)])


class Numbers:
    """The kit that computes: NumPy's function of a name of the compiler's language, else SciPy's."""

    _SPELLED: Final[Mapping[str, Callable[..., Any]]] = {
        "pow": np.power,
        "both": np.logical_and,
        "either": np.logical_or,
        "psi": scipy_value("psi"),
    }

    def __getattr__(self, name: str) -> Callable[..., Any]:
        found: Callable[..., Any] = self._SPELLED.get(name) or getattr(np, name, None) or scipy_value(name)
        return found


NUMPY = Numbers()


def value_of(function: Callable[..., Any], arity: int) -> Callable[..., Any]:
    """The value of an op: the function on arrays, in double precision, with the dtype that comes in.

    Examples
    --------
    >>> half = value_of(lambda kit, x, n: kit.sqrt(x) / n, 1)
    >>> half(np.float32(4.0), 2)
    np.float32(1.0)
    """

    def value(*given: Any) -> Any:
        own = given[:arity]
        dtype = np.result_type(*[x if isinstance(x, (bool, int, float)) else np.asarray(x).dtype for x in own])
        if dtype.kind != "f":
            dtype = np.dtype(np.float64)
        with np.errstate(all="ignore"):
            result = function(NUMPY, *[np.asarray(x, np.float64) for x in own], *given[arity:])
        return np.asarray(result).astype(dtype)[()]

    return value


def line_of(function: Callable[..., Any], arity: int) -> Callable[..., str]:
    """The line that it is compiled from, for the op's params.

    Examples
    --------
    >>> line_of(lambda kit, x, n: kit.sqrt(x) / n, 1)(2)
    't0 = sqrt(x); t1 = t0 / 2.0; t1'
    """

    def line(*params: Any) -> str:
        writer = Writer()
        return writer.line(function(writer, *[Text(writer, name) for name in "xyzw"[:arity]], *params))

    return line
