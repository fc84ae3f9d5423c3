"""Leaves that people declare: variables, constants and symbols.

A variable is one identity and one leaf node per version. Records hold the version that was read, never the variable, so the tape keeps the
value read when it recorded, and `tape.gradient` adds up what flows to every version.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from symtape.errors import ShapeError
from symtape.graph.node import Array, Node, leaf, next_ident
from symtape.graph.node import symbol as symbol_node
from symtape.graph.shapes import as_shape
from symtape.tape.leaf_table import remember
from symtape.tape.recording import active_captures, active_tapes
from symtape.tape.tensor import Tensor, _new, lift, wrap


def _real_array(value: Any, dtype: npt.DTypeLike | None, name: str | None) -> Array:
    """A fresh array; ints and bools become float64 unless ``dtype`` says otherwise."""
    array = np.array(value, dtype=dtype)
    if dtype is None and array.dtype.kind in "iub":
        array = array.astype(np.float64)
    return array


class Variable(Tensor):
    """A leaf with a value that can be assigned; tapes watch it when it is read, if it is trainable.

    Parameters
    ----------
    initial_value : array_like or Tensor
        Copied. Integers become float64 unless ``dtype`` says otherwise; a tensor is evaluated.
    trainable : bool
        Whether tapes watch it by themselves.
    name : str, optional
    dtype : dtype, optional

    Examples
    --------
    >>> v = Variable([1.0, 2.0], name="v")
    >>> v.assign_sub([0.5, 0.5]).shape
    (2,)
    """

    __slots__ = ("_read", "name", "trainable")

    def __init__(
        self, initial_value: Any, trainable: bool = True, name: str | None = None, dtype: npt.DTypeLike | None = None
    ) -> None:
        if isinstance(initial_value, Tensor):
            initial_value = initial_value.numpy()
        self.ident = next_ident()
        self.op = None
        self.trainable = bool(trainable)
        self.name = name
        self._set(_real_array(initial_value, dtype, name))
        remember(self.ident, self)

    def _set(self, value: Array) -> None:
        self.node = leaf(value, self.name, self.ident)
        read = _new(Tensor)
        read.node = self.node
        read.ident = self.ident
        read.op = None
        self._read = read

    def read(self) -> Tensor:
        """The current version as a tensor; marks the variable as watched on the recording tapes."""
        if self.trainable:
            for tape in active_tapes():
                if tape.watch_accessed_variables:
                    tape.producer.setdefault(self.ident, None)
        for c in active_captures():
            c.reads[self.ident] = self
        return self._read

    def assign(self, value: Any) -> Variable:
        """Take a new value of the same shape; no gradient flows through it, a tensor is evaluated and its graph dropped."""
        if isinstance(value, Tensor):
            value = value.numpy()
        new = np.array(value, dtype=self.dtype)
        if new.shape != self.shape:
            raise ShapeError(f"cannot assign a value of shape {new.shape} to the variable {self.name!r} of shape {self.shape}")
        self._set(new)
        return self

    def assign_add(self, delta: Any) -> Variable:
        """Assign the current value plus ``delta``."""
        return self.assign(self.node.value + (delta.numpy() if isinstance(delta, Tensor) else np.asarray(delta)))

    def assign_sub(self, delta: Any) -> Variable:
        """Assign the current value minus ``delta``."""
        return self.assign(self.node.value - (delta.numpy() if isinstance(delta, Tensor) else np.asarray(delta)))


def _declared(node: Node) -> Tensor:
    tensor = wrap(node)
    remember(node.params[0], tensor)
    return tensor


def constant(value: Any, name: str | None = None, dtype: npt.DTypeLike | None = None, *, copy: bool = True) -> Tensor:
    """A leaf with a fixed value; no tape watches it by itself.

    Parameters
    ----------
    value : array_like
    name : str, optional
    dtype : dtype, optional
    copy : bool
        False takes the array over and makes it read-only instead of copying it.

    Returns
    -------
    Tensor
    """
    array = _real_array(value, dtype, name) if copy or not isinstance(value, np.ndarray) else np.asarray(value, dtype)
    return _declared(leaf(array, name))


def symbol(name: str, shape: Any = (), dtype: npt.DTypeLike = np.float64) -> Tensor:
    """A leaf without a value: everything but the number works.

    Parameters
    ----------
    name : str
    shape : int, str or tuple of them
        A text entry names an axis length that is bound later.
    dtype : dtype

    Returns
    -------
    Tensor
    """
    if not isinstance(name, str) or not name:
        raise TypeError(f"a symbol needs a name, got {name!r}")
    return _declared(symbol_node(name, as_shape(shape), dtype))


def symbols(names: str | Sequence[str], shape: Any = (), dtype: npt.DTypeLike = np.float64) -> tuple[Tensor, ...]:
    """Several symbols from names separated by spaces or commas."""
    split = names.replace(",", " ").split() if isinstance(names, str) else names
    return tuple(symbol(name, shape, dtype) for name in split)
