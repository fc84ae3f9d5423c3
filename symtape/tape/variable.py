"""Leaves that people declare: variables, constants and symbols.

A variable is one identity and one leaf node per version. Records hold the version that was read, never the variable, so
the tape keeps the value read when it recorded, and `tape.gradient` adds up what flows to every version.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from symtape.compile.evaluate import evaluate
from symtape.errors import DTypeError, ShapeError
from symtape.graph.node import Array, Node, check_real, leaf, next_ident
from symtape.graph.node import symbol as symbol_node
from symtape.graph.quantities import without_units
from symtape.graph.shapes import as_shape
from symtape.ops.pickling import Identity, identity_of
from symtape.tape import in_place, own_results
from symtape.tape.cuts import cut
from symtape.tape.leaf_table import remember
from symtape.tape.operators import read_formulas_with
from symtape.tape.own_formulas import own_formula
from symtape.tape.recording import active_tapes, captures_anywhere, refuse_change
from symtape.tape.tensor import Tensor, _new, lift, wrap


def _plain(value: Any, call: str) -> Any:
    """The numbers behind what may be a tensor, or hold some; no gradient flows through."""
    kind = type(value)
    if kind is float or kind is np.float64 or (kind is np.ndarray and value.dtype != object):
        return value
    if not isinstance(value, Tensor):
        if isinstance(value, (list, tuple, np.ndarray)):
            array = np.asarray(without_units(value))
            return array if array.dtype != object else _plain(lift(value), call)
        return without_units(value)
    cut(value, call, silent=True)
    return evaluate((value.node,))[0]


def _real_array(value: Any, dtype: npt.DTypeLike | None) -> Array:
    """A fresh array; integers become float64 unless ``dtype`` says otherwise."""
    array = np.array(value, dtype=dtype)
    if dtype is None and array.dtype.kind in "iu":
        array = array.astype(np.float64)
    return array


def _checked_name(name: Any, what: str) -> str | None:
    if name is not None and not isinstance(name, str):
        raise TypeError(f"the name of a {what} must be a str, got {name!r} of type {type(name).__name__}")
    return name


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

    Attributes
    ----------
    trainable : bool
    name : str or None

    Examples
    --------
    >>> import symtape as st
    >>> v = st.Variable([1.0, 2.0], name="v")
    >>> v.assign_sub([0.5, 0.5]).numpy()
    array([0.5, 1.5])
    """

    __slots__ = ("_read", "name", "trainable")

    def __init__(
        self, initial_value: Any, trainable: bool = True, name: str | None = None, dtype: npt.DTypeLike | None = None
    ) -> None:
        if not isinstance(trainable, (bool, np.bool_)):
            raise TypeError(f"trainable must be True or False, got {trainable!r}; a name goes by keyword: name=...")
        self.trainable = bool(trainable)
        self.name = _checked_name(name, "variable")
        self._begin(next_ident())
        self._set(leaf(_real_array(_plain(initial_value, "st.Variable"), dtype), name, self.ident))

    def _begin(self, ident: int) -> None:
        self.ident = ident
        self.op = None
        remember(ident, self)

    def _set(self, node: Node) -> None:
        self.node = node
        read = _new(Tensor)
        read.node = node
        read.ident = self.ident
        read.op = None
        self._read = read

    def read(self) -> Tensor:
        """The current version as a tensor; marks the variable as watched on the recording tapes."""
        if self.trainable:
            ident = self.ident
            for tape in active_tapes():
                if ident not in tape.producer and tape.watch_accessed_variables:
                    tape.producer[ident] = None
                    tape.variables[ident] = self
        for c in captures_anywhere():
            c.reads[self.ident] = self
        return self._read

    def read_value(self) -> Tensor:
        """The current version as a tensor: TensorFlow's name for `read`."""
        return self.read()

    def value(self) -> Tensor:
        """The current version as a tensor: TensorFlow's name for `read`."""
        return self.read()

    # ---- assignment

    def assign(self, value: Any) -> Variable:
        """Take a new value of the same shape; no gradient flows through it.

        Parameters
        ----------
        value : array_like or Tensor
            A tensor is evaluated and its graph dropped.

        Returns
        -------
        Variable
            Itself.

        Raises
        ------
        ShapeError
            If the shape is another.
        DTypeError
            If the value cannot become one of the variable's dtype without loss of its kind (a float for an integer).
        """
        return self._assign(_plain(value, ".assign()"), "assign")

    def assign_add(self, delta: Any) -> Variable:
        """Assign the current value plus ``delta``; see `assign`."""
        with np.errstate(all="ignore"):
            return self._assign(self.node.value + _plain(delta, ".assign_add()"), "assign_add")

    def assign_sub(self, delta: Any) -> Variable:
        """Assign the current value minus ``delta``; see `assign`."""
        with np.errstate(all="ignore"):
            return self._assign(self.node.value - _plain(delta, ".assign_sub()"), "assign_sub")

    def _assign(self, value: Any, call: str) -> Variable:
        refuse_change(self.ident, f"assigns to the variable {self.name!r}")
        old = self.node
        new = np.array(value)
        if new.shape != old.shape:
            raise ShapeError(
                f"{call}: the variable {self.name!r} has shape {old.shape}, got a value of shape {new.shape}"
            )
        if new.dtype is not old.dtype:
            if new.dtype.kind == "c":
                check_real(new.dtype, f"{call}: the value of {self.name!r}")
            if not np.can_cast(new.dtype, old.dtype, "same_kind"):
                raise DTypeError(
                    f"{call}: the variable {self.name!r} has dtype {old.dtype}, got a value of dtype {new.dtype}; "
                    "convert it first, or make the variable with that dtype"
                )
            new = new.astype(old.dtype)
        self._set(leaf(new, self.name, self.ident))
        return self

    # ---- copies and pickles: a new variable, whose graph stays connected with what is copied along

    def __copy__(self) -> Variable:
        return Variable(self.node.value, self.trainable, self.name, self.node.dtype)

    def _parts(self) -> tuple[Callable[..., Variable], tuple[Any, ...]]:
        return restore_variable, (self.node, identity_of(self.ident), self.trainable, self.name)


def restore_variable(node: Node, identity: Identity, trainable: bool, name: str | None) -> Variable:
    """A variable made anew around its leaf."""
    variable = _new(Variable)
    variable.trainable = trainable
    variable.name = name
    variable._begin(identity.number)  # noqa: SLF001 (of its own kind)
    variable._set(node)  # noqa: SLF001
    return variable


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

    Examples
    --------
    >>> import symtape as st
    >>> st.constant([1, 2], name="c").dtype
    dtype('float64')
    """
    value = _plain(value, "st.constant")
    array = _real_array(value, dtype) if copy or not isinstance(value, np.ndarray) else np.asarray(value, dtype)
    return _declared(leaf(array, _checked_name(name, "constant")))


def symbol(name: Any, shape: Any = (), dtype: npt.DTypeLike = np.float64) -> Tensor:
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

    Examples
    --------
    >>> import symtape as st
    >>> s = st.symbol("s", shape=3)
    >>> (s * 2).shape
    (3,)
    """
    if not isinstance(name, str) or not name:
        raise TypeError(f"a symbol needs a name, got {name!r}")
    return _declared(symbol_node(name, as_shape(shape), dtype))


def symbols(names: str | Sequence[str], shape: Any = (), dtype: npt.DTypeLike = np.float64) -> tuple[Tensor, ...]:
    """Several symbols from names separated by spaces or commas.

    Examples
    --------
    >>> import symtape as st
    >>> a, b = st.symbols("a b")
    >>> (a * b).expr
    a*b
    """
    split = names.replace(",", " ").split() if isinstance(names, str) else names
    return tuple(symbol(name, shape, dtype) for name in split)


in_place.attach()  # tensors come from here
own_results.attach()
read_formulas_with(own_formula)  # and so do the symbols of formulas
