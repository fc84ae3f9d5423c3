"""Results that are written into: ``y = np.exp(x); y[mask] = 0``.

In NumPy the result of an operation belongs to whoever asked for it, so it may be filled like an array made fresh. Here
a tensor is what tapes recorded, too. So the first time that one is written into, a copy of it takes its place in the
records, with its identity, and the tensor itself becomes one that may be filled and starts from that copy. What was
computed from it before keeps the elements that it had then, as in NumPy.

Refused are leaves (in NumPy the caller's array would change), parts of other tensors (those would change along) and
tensors of which a part was taken before (which would change along).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symtape.tape.in_place import VIEWS, WRITERS, FillableTensor, PartTensor, fillable, twin
from symtape.tape.numpy_protocol import full_name
from symtape.tape.recording import every_tape, refuse_change
from symtape.tape.tensor import Tensor, lift

_METHODS = ("__setitem__", "fill", "sort", "put", "partition")


def is_own(value: Any) -> bool:
    """Whether a tensor is the result of an operation and no part of another one."""
    return type(value) is Tensor and hasattr(value, "code") and not hasattr(value, "shares")


def claim(tensor: Tensor) -> FillableTensor:
    """Turn the result of an operation into a tensor that may be filled.

    Raises
    ------
    TypeError
        If NumPy would change a part of it along, which was taken before.
    ImpureFunctionError
        While a callable is recorded for reuse, if the result was computed outside of it.
    """
    if hasattr(tensor, "viewed"):
        raise TypeError(
            "a tensor of which a slice, transpose or reshape was taken cannot be changed in place any more: in NumPy "
            "that part would change along; write y = y.copy() before the part is taken, or y = y.at[index].set(value)"
        )
    born = tensor.ident
    refuse_change(born, "writes into a tensor")
    before = twin(tensor)
    for tape in every_tape():
        tape.hand_over(tensor, before)
    tensor.__class__ = FillableTensor
    assert isinstance(tensor, FillableTensor)
    tensor._now = before  # noqa: SLF001 (of the same house)
    tensor._born = born  # noqa: SLF001
    return tensor


def _claiming(name: str) -> Callable[..., None]:
    """A method that writes into a tensor."""
    plain: Callable[..., None] = getattr(Tensor, name)

    @functools.wraps(plain)
    def method(self: Tensor, *args: Any, **keywords: Any) -> None:
        if not is_own(self):
            return plain(self, *args, **keywords)
        getattr(claim(self), name)(*args, **keywords)
        return None

    return method


def _copying(name: str) -> Callable[..., Any]:
    """A method that gives the tensor itself where there is nothing to do, and in NumPy a copy all the same."""
    plain: Callable[..., Any] = getattr(Tensor, name)

    @functools.wraps(plain)
    def method(self: Tensor, *args: Any, **keywords: Any) -> Any:
        return _apart(plain(self, *args, **keywords), (self,))

    return method


def _apart(result: Any, operands: Sequence[Any]) -> Any:
    """A copy where the result is one of the operands."""
    return fillable(result) if any(isinstance(x, Tensor) and result is lift(x) for x in operands) else result


def _writing_functions(plain: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's functions on tensors, some of which write into an operand."""

    def array_function(
        self: Tensor, function: Callable[..., Any], types: Sequence[type], args: Sequence[Any], keywords: dict[str, Any]
    ) -> Any:
        name = full_name(function)
        target: Any = args[0] if args and name in WRITERS else keywords.get("out")
        if is_own(target):
            return claim(target).__array_function__(function, types, args, keywords)
        result = plain(self, function, types, args, keywords)
        return result if name in VIEWS else _apart(result, args)

    return array_function


def _writing_ufuncs(plain: Callable[..., Any]) -> Callable[..., Any]:
    """Ufuncs on tensors, some of which write into an operand."""

    def other_ufunc(self: Tensor, ufunc: np.ufunc, method: str, inputs: Sequence[Any], keywords: dict[str, Any]) -> Any:
        targets: Sequence[Any] = inputs[:1] if method == "at" else keywords.get("out") or ()
        own = [claim(t) for t in targets if is_own(t)]
        if own:
            return own[0].__array_ufunc__(ufunc, method, *inputs, **keywords)
        return _apart(plain(self, ufunc, method, inputs, keywords), inputs)

    return other_ufunc


def attach() -> None:
    """Let results of operations be written into."""
    for name in _METHODS:
        setattr(Tensor, name, _claiming(name))
    for name in ("astype", "clip"):
        setattr(Tensor, name, _copying(name))
    for kind in (Tensor, FillableTensor, PartTensor):
        kind.__array_function__ = _writing_functions(kind.__array_function__)  # type: ignore[method-assign]
    Tensor._other_ufunc = _writing_ufuncs(Tensor._other_ufunc)  # type: ignore[method-assign]  # noqa: SLF001
