"""The tensor: a node plus an identity of its own, with the operators and methods of an ndarray.

Two equal constants, ``x`` and ``x + 0``, two equal intermediates share a node and are different tensors: different
sources of a gradient. Nothing ever finds a tensor from its node. When a tape records an operation, the resulting tensor
is its own record: it holds op, input *tensors* and the user's line.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any, ClassVar, Self, cast

import numpy as np

from symtape.errors import DTypeError, ShapeError
from symtape.graph.node import (
    LEAF,
    Array,
    Node,
    Params,
    build,
    constant,
    items,
    next_ident,
)
from symtape.graph.quantities import without_units
from symtape.graph.source import user_frame
from symtape.ops.namespace import Namespace
from symtape.ops.op import Op
from symtape.tape import guards, operators
from symtape.tape.array_methods import ArrayMethods
from symtape.tape.at_index import At
from symtape.tape.display import Display
from symtape.tape.everyday import ELEMENT_LIMIT, Everyday
from symtape.tape.leaf_table import remember
from symtape.tape.numpy_protocol import call_function, call_ufunc, elementwise_op
from symtape.tape.recording import active, record, record_elsewhere, record_shared, recording_now


class Tensor(operators.Operators, Display, Everyday, ArrayMethods):
    """An expression with shape and dtype; it has a number as soon as everything below it has one.

    Tensors are made by operations on `Variable`, `constant` and `symbol`, never by calling this class.

    Attributes
    ----------
    shape : tuple
        Axis lengths: ints, or `Dim` where a length is only named.
    dtype : numpy.dtype

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> x = st.Variable(3.0, name="x")
    >>> np.sqrt(x + 1)
    <Tensor: shape=(), dtype=float64, value=2.0, formula=sqrt(x + 1)>
    """

    __slots__ = ("__weakref__", "code", "half", "ident", "inputs", "lasti", "node", "op", "params", "shares", "viewed")

    node: Node
    ident: int
    op: Any
    params: Params
    inputs: tuple[Tensor, ...]
    code: CodeType | None
    lasti: int
    half: int
    shares: bool
    viewed: bool

    _B: ClassVar[Any]

    #: Whether elements may be written into it.
    fills: ClassVar[bool] = False

    def __init__(self, *_: Any, **__: Any) -> None:
        raise TypeError("a Tensor is made by operations; start from st.Variable, st.constant or st.symbol")

    # ---- what a record offers: a tensor with one result is its own

    @property
    def outputs(self) -> tuple[Self]:
        """The tensor itself, as a record of one result."""
        return (self,)

    @property
    def seq(self) -> int:
        """Place in time, as a record."""
        return self.ident

    # ---- copies and pickles, by way of the graph's data form

    def __copy__(self) -> Tensor:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        guards.cut(self, "copy.deepcopy")
        make, parts = self._parts()
        return make(*copy.deepcopy(parts, memo))

    def __reduce__(self) -> tuple[Callable[..., Tensor], tuple[Any, ...]]:
        guards.cut(self, "pickle", silent=True)
        return self._parts()

    def _parts(self) -> tuple[Callable[..., Tensor], tuple[Any, ...]]:
        """What makes the tensor anew, and from what."""
        return restore, (self.node,)

    # ---- elements

    def __getitem__(self, index: Any) -> Tensor:
        part = cast(Tensor, TENSORS.getitem(self, index))
        if part.node.shape and _is_slice(part.node):
            part.shares = True
            self.viewed = True
        return part

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            "a variable, a constant, an argument or a part of another tensor cannot be changed in place: write into a "
            "tensor made fresh (np.zeros_like(x), x.copy(), st.zeros), or x = x.at[index].set(value)"
        )

    @property
    def at(self) -> At:
        """``x.at[index].set(value)``: a copy with elements replaced; also ``add``, ``multiply``, ``min``, ``max``.

        Examples
        --------
        >>> import symtape as st
        >>> x = st.constant([1.0, 2.0, 3.0])
        >>> x.at[0].set(5.0).numpy(), x.at[[1, 1]].add(10.0).numpy()
        (array([5., 2., 3.]), array([ 1., 22.,  3.]))
        """
        return At(self, TENSORS)

    # ---- NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        if method == "__call__" and not keywords:
            op = _elementwise.get(ufunc)
            if op is None:
                op = elementwise_op(ufunc)
                if op is None:
                    return self._other_ufunc(ufunc, method, inputs, keywords)
                _elementwise[ufunc] = op
            return apply(op, tuple([i if type(i) is Tensor else lift(i) for i in inputs]))
        return self._other_ufunc(ufunc, method, inputs, keywords)

    def _other_ufunc(self, ufunc: np.ufunc, method: str, inputs: Sequence[Any], keywords: dict[str, Any]) -> Any:
        """A ufunc that is more than one op, a method of one, or one that writes into an array."""
        if not self.fills and any(getattr(target, "fills", False) for target in keywords.get("out") or ()):
            return NotImplemented  # NumPy asks the target next
        return call_ufunc(TENSORS, ufunc, method, inputs, keywords)

    def __array_function__(
        self, function: Callable[..., Any], types: Sequence[type], args: Sequence[Any], keywords: dict[str, Any]
    ) -> Any:
        return call_function(TENSORS, function, args, keywords)


def _is_slice(node: Node) -> bool:
    """Whether what an index gave is a view in NumPy: ints, slices and None, no arrays."""
    while node.op.name == "reshape":
        node = node.inputs[0]
    return bool(node.op.name != "gather")


_shares = Tensor.__dict__["shares"].__get__


def is_part(tensor: Tensor) -> bool:
    """Whether a tensor is a slice, transpose or reshape of another one. Asks the slot, which is mostly empty."""
    try:
        return bool(_shares(tensor))
    except AttributeError:
        return False


_new = object.__new__
_elementwise: dict[np.ufunc, Op] = {}  # ufuncs that are one op and no more


def wrap(node: Node) -> Tensor:
    """A new tensor, with an identity of its own, for a node."""
    out = _new(Tensor)
    out.node = node
    out.ident = next_ident()
    out.op = None
    return out


def restore(node: Node) -> Tensor:
    """A tensor made anew around its node, which was read from a pickle or copied."""
    tensor = wrap(node)
    if node.op is LEAF:
        remember(node.params[0], tensor)
    return tensor


def lift(value: Any) -> Tensor:
    """A tensor from anything that may stand in an expression.

    A Variable is read; lists and object arrays of tensors are stacked.
    """
    kind = type(value)
    if kind is Tensor:
        return cast(Tensor, value)
    if kind is not float and kind is not int and kind is not np.float64:
        if isinstance(value, Tensor):
            return value.read()  # type: ignore[attr-defined, no-any-return]
        if isinstance(value, Node):
            return _untracked(value)
        if isinstance(value, (list, tuple)):
            return _stack_nested(value)
        if operators.sympy_value(value):
            return _of_sympy(value)
        if hasattr(value, "__array__"):
            value = _plain_array(value)
            if value.dtype == object:
                return _stack_elements(value)
    return _untracked(constant(value))


def _untracked(node: Node) -> Tensor:
    """A tensor that no tape can track: of a constant, or of what a body closed over."""
    out = _new(Tensor)
    out.node = node
    out.ident = 0
    out.op = None
    return out


def _of_sympy(value: Any) -> Tensor:
    """The tensor of a sympy number, or of a formula of living variables."""
    found = operators.on_tape(value)
    if found is None:
        raise DTypeError(
            f"the sympy {type(value).__name__} {value} stands beside tensors and is no formula of variables alone: "
            "bring it in first, with st.from_sympy(expression, {symbol: tensor})"
        )
    return cast(Tensor, found)


def _plain_array(value: Any) -> Array:
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise TypeError(
            "a masked array has no place in an expression: write x.filled(value), or np.where(mask, value, x)"
        )
    return np.asarray(without_units(value))


def holds_tensor(values: Sequence[Any]) -> bool:
    """Whether a tensor is among some values, in lists or object arrays too."""
    return any(
        isinstance(v, Tensor)
        or (isinstance(v, (list, tuple)) and holds_tensor(v))
        or (isinstance(v, np.ndarray) and v.dtype == object)
        for v in values
    )


def _stack_nested(values: Sequence[Any]) -> Tensor:
    """A list with tensors in it as one tensor, as ``np.array`` would make it."""
    if not holds_tensor(values):
        return lift(np.asarray(values))
    parts = [lift(v) for v in values]
    shapes = {p.shape for p in parts}
    if len(shapes) > 1:
        raise ShapeError(
            f"a list of tensors of different shapes makes no array: {', '.join(map(str, sorted(shapes, key=str)))}"
        )
    return cast(Tensor, TENSORS.stack(parts))


def _stack_elements(array: Array) -> Tensor:
    """An object array of tensors and numbers as one tensor."""
    if array.size > ELEMENT_LIMIT:
        raise ShapeError(
            f"an object array of {array.size:,} tensors is more than the {ELEMENT_LIMIT:,} that are stacked "
            "element by element: keep whole "
            "tensors and join them with np.stack or np.concatenate"
        )
    if array.ndim == 0:
        return lift(array[()])
    if array.size == 0:
        return lift(array.astype(float))
    flat = [lift(v) for v in array.ravel()]
    odd = next((t for t in flat if t.shape != ()), None)
    if odd is not None:
        raise ShapeError(
            f"an object array holds a tensor of shape {odd.shape}; wanted scalars: join tensors with np.stack"
        )
    stacked = TENSORS.stack(flat)
    return cast(Tensor, stacked if array.ndim == 1 else TENSORS.reshape(stacked, array.shape))


def apply(op: Any, inputs: tuple[Tensor, ...], params: Params = ()) -> Any:
    """Apply an op to tensors: build the node, give the result an identity, record it where a tape tracks an input."""
    frame = user_frame(2)
    node = build(op, tuple([t.node for t in inputs]), params, frame)
    if op.results != 1:
        outputs = tuple([wrap(n) for n in items(node)])
        for out in outputs:
            out.code = frame.f_code
            out.lasti = frame.f_lasti
        record_shared(outputs, op, params, inputs)
        if recording_now and not active.tapes:
            record_elsewhere(outputs, inputs, frame)
        return outputs
    out = _new(Tensor)
    out.node = node
    out.ident = next_ident()
    out.op = None
    out.code = frame.f_code
    out.lasti = frame.f_lasti
    if active.tapes or active.paused:
        record(out, op, params, inputs)
    elif recording_now:
        record_elsewhere((out,), inputs, frame)
    return out


def apply_two(op: Op, a: Tensor, b: Tensor) -> Tensor:
    """`apply` for the commonest case, an operator: an op with two inputs, one result and no params."""
    frame = user_frame(3)
    node = build(op, (a.node, b.node), (), frame)
    out = _new(Tensor)
    out.node = node
    out.ident = next_ident()
    out.op = None
    out.code = frame.f_code
    out.lasti = frame.f_lasti
    if active.tapes or active.paused:
        record(out, op, (), (a, b))
    elif recording_now:
        record_elsewhere((out,), (a, b), frame)
    return out


class Tensors(Namespace):
    """The namespace whose values are recorded tensors."""

    build = staticmethod(apply)
    lift = staticmethod(lift)

    def node(self, value: Tensor) -> Node:
        """The tensor's node."""
        return value.node

    def known(self, value: Tensor) -> Array:
        """The array behind a value that decides a shape; that it stays the same becomes a guard."""
        return guards.array(value)

    def count_true(self, mask: Tensor) -> int:
        """How many elements of a mask are True; that the number stays the same becomes a guard."""
        return guards.count(mask)


TENSORS = Tensors()
Tensor._B = TENSORS  # noqa: SLF001 (its own module)
operators.attach(TENSORS, Tensor, apply_two)
