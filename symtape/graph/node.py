"""Nodes: what was computed, once. Equal work is one node, so the graph is its own common-subexpression elimination.

A node is immutable but for its memoized ``value``. The intern table of each op holds weak references: a node lives as
long as somebody uses it. Look-ups take no lock; a miss infers shape and dtype first and inserts under one re-entrant
lock (a plain lock deadlocks when the garbage collector runs a weak-reference callback inside it).
"""

from __future__ import annotations

import itertools
import os
import struct
import threading
import weakref
from types import CodeType, FrameType
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from symtape.errors import DTypeError
from symtape.graph.shapes import Shape, is_known
from symtape.graph.source import user_frame

Array: TypeAlias = npt.NDArray[Any]
DType: TypeAlias = np.dtype[Any]
Params: TypeAlias = tuple[Any, ...]

# What stands below a node; joined upwards by "or".
VALUED = 1  #: a leaf with a value that may change (a variable's version, a constant made by the user)
SYMBOLIC = 2  #: a leaf without a value, or a length without a number
PLACEHOLDER = 4  #: an input of a closed graph
WEAK = 8  #: the node itself is a Python scalar that takes the dtype of its neighbors (NEP 50)
_INHERITED = VALUED | SYMBOLIC | PLACEHOLDER


class OpLike(Protocol):
    """What the graph has to know of an op."""

    name: str
    results: int
    table: dict[Any, Any]

    def infer(self, inputs: tuple[Node, ...], params: Params) -> tuple[Any, Any]:
        """Shape and dtype of the result; tuples of them for an op with several results."""
        ...


class Node:
    """One operation applied to other nodes, or a leaf.

    Attributes
    ----------
    op : Op
        The operation itself, never its name.
    inputs : tuple of Node
    params : tuple
        Static, hashable; keyed with their types.
    shape, dtype
        Of the result; tuples of them when the op has several results.
    value : ndarray or scalar or None
        Of a leaf; elsewhere a memo.
    code, lasti
        The user's line that first built the node.
    flags : int
        What stands below: `VALUED`, `SYMBOLIC`, `PLACEHOLDER`; `WEAK` for a Python scalar.
    """

    __slots__ = ("__weakref__", "code", "dtype", "flags", "inputs", "lasti", "op", "params", "shape", "value")

    op: Any
    inputs: tuple[Node, ...]
    params: Params
    shape: Shape
    dtype: DType
    value: Any
    code: CodeType | None
    lasti: int
    flags: int

    @property
    def ndim(self) -> int:
        """Number of axes of the result."""
        return len(self.shape)

    def __repr__(self) -> str:
        if self.op is CONST and self.flags & WEAK:
            return f"<const {self.value!r}>"
        label = self.params[1] if self.op is LEAF and self.params[1] else self.op.name
        return f"<{label} {self.dtype}{list(self.shape)}>"

    def __copy__(self) -> Node:
        return self


class Leaf(Node):
    """A node that a person declared; the decisions that were taken on it live as long as it does.

    Attributes
    ----------
    log : object or None
        What the tape's room keeps about the leaf (see `symtape.tape.guards`). Held here, so that a cycle through it is
        garbage as soon as nobody uses the leaf.
    """

    __slots__ = ("log",)
    log: Any


class _Ref(weakref.ref[Node]):
    __slots__ = ("key", "table")
    key: Any
    table: dict[Any, Any]


class _InternLock:
    """The one re-entrant lock of all intern tables; replaced after a fork, where its holder may not exist any more."""

    __slots__ = ("lock",)

    def __init__(self) -> None:
        self.lock = threading.RLock()

    def renew(self) -> None:
        self.lock = threading.RLock()


_intern = _InternLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_intern.renew)


def _drop(ref: Any, intern: _InternLock = _intern) -> None:
    # uses no global: they are gone when the last nodes go at the interpreter's end
    with intern.lock:
        if ref.table.get(ref.key) is ref:
            del ref.table[ref.key]


def _new(
    op: Any,
    inputs: tuple[Node, ...],
    params: Params,
    shape: Any,
    dtype: Any,
    flags: int,
    kind: type[Node] = Node,
    frame: FrameType | None = None,
) -> Node:
    node = object.__new__(kind)
    node.op = op
    node.inputs = inputs
    node.params = params
    node.shape = shape
    node.dtype = dtype
    node.value = None
    node.flags = flags
    if frame is None:
        frame = user_frame(3)
    node.code = frame.f_code
    node.lasti = frame.f_lasti
    return node


def build(op: OpLike, inputs: tuple[Node, ...], params: Params = (), frame: FrameType | None = None) -> Node:
    """The node that applies ``op`` to ``inputs``: an existing one if equal work was asked for before.

    Parameters
    ----------
    op : Op
    inputs : tuple of Node
    params : tuple of hashable
    frame : frame, optional
        The user's, where the caller knows it already.

    Returns
    -------
    Node
    """
    key: Any = inputs if not params else (inputs, params, tuple(map(type, params)))
    table = op.table
    ref = table.get(key)
    if ref is not None:
        node = ref()
        if node is not None:
            return cast(Node, node)
    shape, dtype = op.infer(inputs, params)
    flags = 0
    for i in inputs:
        flags |= i.flags
    with _intern.lock:
        ref = table.get(key)
        if ref is not None:
            node = ref()
            if node is not None:
                return cast(Node, node)
        node = _new(op, inputs, params, shape, dtype, flags & _INHERITED, Node, frame)
        ref = _Ref(node, _drop)
        ref.key = key
        ref.table = table
        table[key] = ref
        return node


# --------------------------------------------------------------------------------------------------------------- leaves


class _LeafOp:
    """An op without inputs; its nodes are made by the functions below, never by `build`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.results = 1
        self.table: dict[Any, Any] = {}

    def infer(self, inputs: tuple[Node, ...], params: Params) -> tuple[Any, Any]:
        raise TypeError(f"a {self.name} is not built from inputs")

    def __repr__(self) -> str:
        return f"<leaf op {self.name}>"


#: A variable's version, a constant made by the user, or a symbol; params: (id, name, identity of the variable or None).
LEAF = _LeafOp("leaf")
CONST = _LeafOp("const")  #: an implicit constant, keyed by its value
PARAM = _LeafOp("param")  #: an input of a closed graph; params: (position,)

#: One counter for the identities of leaves and of tensors: never reused, increasing in the order of creation.
next_ident = itertools.count(1).__next__

_pack = struct.Struct("d").pack
_scalars: dict[tuple[type, bytes], Node] = {}
_SCALARS_KEPT = 1024  # what the strong cache of scalar constants holds is bounded
_BY_VALUE_LIMIT = 64
_REAL_KINDS = frozenset("biuf")
_INT_LIMIT = 2**63


def check_real(dtype: DType, what: str) -> None:
    """Refuse what is not a real number, with the way round it."""
    if dtype.kind == "c":
        raise DTypeError(
            f"{what} is complex ({dtype}); symtape works on real numbers: pass real and imaginary parts as two "
            "arrays (x.real, x.imag), and write products out: (a + 1j*b)*(c + 1j*d) is a*c - b*d and a*d + b*c, "
            "abs(a + 1j*b) is np.hypot(a, b)"
        )
    if dtype.kind not in _REAL_KINDS:
        raise DTypeError(
            f"{what} has dtype {dtype}; wanted real numbers, integers or booleans: convert it, for example with "
            "np.asarray(x, float)"
        )


def native(array: Array) -> Array:
    """The array in this machine's order of bytes, which is what compiled code reads: files often hold the other."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def leaf(value: Any, name: str | None = None, owner: int | None = None) -> Node:
    """A leaf with a value, taken over without a copy and frozen; ``owner`` is the variable it is a version of."""
    value = np.asarray(value)
    check_real(value.dtype, f"the value of {name!r}" if name else "the value")
    value = native(value)
    value.flags.writeable = False
    node = _new(LEAF, (), (next_ident(), name, owner), value.shape, value.dtype, VALUED, Leaf)
    node.value = value
    node.log = None  # type: ignore[attr-defined]
    return node


def symbol(name: str | None, shape: Shape = (), dtype: npt.DTypeLike = np.float64) -> Node:
    """A leaf without a value."""
    kind = np.dtype(dtype).newbyteorder("=")
    check_real(kind, f"the symbol {name!r}")
    return _new(LEAF, (), (next_ident(), name, None), shape, kind, SYMBOLIC)


def constant(value: Any) -> Node:
    """An implicit constant, keyed by its value: Python scalars stay weak, arrays are copied.

    Raises
    ------
    DTypeError
        If the value is complex, an object array or text.
    """
    kind = type(value)
    if kind is float or kind is int or kind is bool:
        if kind is int and not -_INT_LIMIT <= value < _INT_LIMIT:
            raise OverflowError(f"the integer {value} does not fit into 64 bits; write it as a float")
        key = (
            kind,
            _pack(value) if kind is not int or -(2**53) <= value <= 2**53 else value.to_bytes(9, "little", signed=True),
        )
        node = _scalars.get(key)
        if node is None:
            _bound_scalars()
            node = _interned_constant(value, key, (), np.dtype(kind), WEAK)
            _scalars[key] = node
        return node
    if kind is np.float64:
        stamped = (kind, _pack(value))
        node = _scalars.get(stamped)
        if node is None:
            _bound_scalars()
            node = _scalars[stamped] = _array_constant(np.array(value))
        return node
    return _array_constant(np.array(value))


def _bound_scalars() -> None:
    if len(_scalars) >= _SCALARS_KEPT:
        _scalars.clear()


def _array_constant(array: Array) -> Node:
    check_real(array.dtype, "a constant in the expression")
    array = native(array)
    array.flags.writeable = False
    stamp: object = array.tobytes() if array.size <= _BY_VALUE_LIMIT else next_ident()
    return _interned_constant(array, (array.dtype.str, array.shape, stamp), array.shape, array.dtype, 0)


def _interned_constant(value: Any, key: Params, shape: Shape, dtype: DType, flags: int) -> Node:
    with _intern.lock:
        ref = CONST.table.get(key)
        node = ref() if ref is not None else None
        if node is None:
            node = _new(CONST, (), key, shape, dtype, flags)
            node.value = value
            ref = _Ref(node, _drop)
            ref.key = key
            ref.table = CONST.table
            CONST.table[key] = ref
        return cast(Node, node)


def placeholder(position: int, shape: Shape, dtype: DType) -> Node:
    """Input number ``position`` of a closed graph: equal placeholders are one node, so equal bodies are."""
    key = (position, shape, dtype)
    with _intern.lock:
        ref = PARAM.table.get(key)
        node = ref() if ref is not None else None
        if node is None:
            node = _new(PARAM, (), (position,), shape, dtype, PLACEHOLDER | (0 if is_known(shape) else SYMBOLIC))
            ref = _Ref(node, _drop)
            ref.key = key
            ref.table = PARAM.table
            PARAM.table[key] = ref
        return cast(Node, node)


# --------------------------------------------------------------------------------------------------- several results


class _Item:
    """Result ``k`` of a node whose op has several."""

    def __init__(self) -> None:
        self.name = "item"
        self.results = 1
        self.table: dict[Any, Any] = {}

    def infer(self, inputs: tuple[Node, ...], params: Params) -> tuple[Any, Any]:
        (source,), (k,) = inputs, params
        return source.shape[k], source.dtype[k]

    def value(self, results: tuple[Array, ...], k: int) -> Array:
        """Pick the result out of the tuple."""
        return results[k]

    def __repr__(self) -> str:
        return "<op item>"


ITEM = _Item()


def items(node: Node) -> tuple[Node, ...]:
    """All results of a node, in order: the node itself if it has one."""
    if node.op.results == 1:
        return (node,)
    return tuple(build(ITEM, (node,), (k,)) for k in range(len(node.shape)))
