"""The tensor: a node plus an identity of its own, with the operators and methods of an ndarray.

Two equal constants, ``x`` and ``x + 0``, two equal intermediates share a node and are different tensors: different sources of a gradient.
Nothing ever finds a tensor from its node. When a tape records an operation, the resulting tensor is its own record: it holds op, input
*tensors* and the user's line.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import Any, Self

import numpy as np

from symtape.graph.node import Array, DType, Node, Params, build, constant, items, next_ident
from symtape.graph.shapes import Shape
from symtape.ops.namespace import Namespace
from symtape.ops.op import Op
from symtape.ops.registry import op_named
from symtape.tape.display import Display
from symtape.tape.recording import record, record_shared


class Tensor(Display):
    """An expression with shape and dtype; it has a number as soon as everything below it has one.

    Tensors are made by operations on `Variable`, `constant` and `symbol`, never by calling this class.

    Attributes
    ----------
    shape : tuple
        Axis lengths: ints, or `Dim` where a length is only named.
    dtype : numpy.dtype
    """

    __slots__ = ("__weakref__", "code", "ident", "inputs", "lasti", "node", "op", "params")

    node: Node
    ident: int
    op: Any
    params: Params
    inputs: tuple[Tensor, ...]
    code: CodeType | None
    lasti: int

    def __init__(self) -> None:
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

    # ---- as an array

    @property
    def shape(self) -> Shape:
        """Axis lengths."""
        return self.node.shape

    @property
    def dtype(self) -> DType:
        """Dtype of the elements."""
        return self.node.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.node.shape)

    # ---- operators


_new = object.__new__


def wrap(node: Node) -> Tensor:
    """A new tensor, with an identity of its own, for a node."""
    out = _new(Tensor)
    out.node = node
    out.ident = next_ident()
    out.op = None
    return out


def lift(value: Any) -> Tensor:
    """A tensor from anything that may stand in an expression; a Variable is read."""
    if type(value) is Tensor:
        return value
    if isinstance(value, Tensor):
        return value.read()  # type: ignore[attr-defined, no-any-return]
    out = _new(Tensor)
    out.node = constant(value)
    out.ident = 0
    out.op = None
    return out


def apply(op: Any, inputs: tuple[Tensor, ...], params: Params = ()) -> Any:
    """Apply an op to tensors: build the node, give the result an identity, record it where a tape tracks an input."""
    node = build(op, tuple([t.node for t in inputs]), params)
    if op.results != 1:
        outputs = tuple([wrap(n) for n in items(node)])
        record_shared(outputs, op, params, inputs)
        return outputs
    out = _new(Tensor)
    out.node = node
    out.ident = next_ident()
    out.op = None
    record(out, op, params, inputs)
    return out


class Tensors(Namespace):
    """The namespace whose values are recorded tensors."""

    def build(self, op: Any, inputs: tuple[Any, ...], params: Params = ()) -> Any:
        """Apply the op and record it."""
        return apply(op, inputs, params)

    def lift(self, value: Any) -> Tensor:
        """See `symtape.tape.tensor.lift`."""
        return value if type(value) is Tensor else lift(value)

    def node(self, value: Tensor) -> Node:
        """The tensor's node."""
        return value.node


TENSORS = Tensors()


def _binary(op: Op) -> tuple[Callable[[Tensor, Any], Any], Callable[[Tensor, Any], Any]]:
    def forward(self: Tensor, other: Any) -> Any:
        return apply(op, (self if type(self) is Tensor else lift(self), other if type(other) is Tensor else lift(other)))

    def reflected(self: Tensor, other: Any) -> Any:
        return apply(op, (other if type(other) is Tensor else lift(other), self if type(self) is Tensor else lift(self)))

    return forward, reflected
