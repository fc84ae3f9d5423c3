"""The namespace of operations that rules and functions build with.

``B.sin(x)``, ``B.sum(x, axis=0)`` or ``B.reshape(x, shape)`` call the registered function of that name; ``B.build(op,
inputs, params)`` is the primitive below them. What ``B`` makes depends on the namespace: `Nodes` makes graph nodes;
the tape's own makes recorded tensors. `Derivatives` adds the identities that keep derivatives small.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from symtape.errors import SymbolicTruthError, UnknownNameError
from symtape.graph.node import CONST, Array, DType, Node, Params, build, constant, items
from symtape.graph.shapes import Shape
from symtape.ops import registry
from symtape.ops.simplify import IDENTITIES


class Namespace(ABC):
    """Operations by name over one type of value.

    A value is whatever `build` returns; `node` gives the node behind it, from which shape and dtype are read.
    """

    #: Whether identities may replace what is built: where derivatives are made, never where a user records.
    simplifies: bool = False

    @abstractmethod
    def build(self, op: Any, inputs: tuple[Any, ...], params: Params = ()) -> Any:
        """Apply an op to values; a tuple of values for an op with several results."""

    @abstractmethod
    def lift(self, value: Any) -> Any:
        """A value from anything that may stand in an expression."""

    @abstractmethod
    def node(self, value: Any) -> Node:
        """The node behind a value."""

    def made_by(self, value: Any) -> tuple[Any, tuple[Any, ...], Params] | None:
        """``(op, inputs, params)`` with inputs as values, where the namespace knows how a value came about."""
        return None

    def const(self, value: Any) -> Any:
        """A constant as a value."""
        return self.lift(value)

    def shape(self, value: Any) -> Shape:
        """Shape of a value."""
        return self.node(value).shape

    def ndim(self, value: Any) -> int:
        """Number of axes of a value."""
        return len(self.node(value).shape)

    def dtype(self, value: Any) -> DType:
        """Dtype of a value."""
        return self.node(value).dtype

    def known(self, value: Any) -> Array:
        """The array behind a value that decides a shape, such as a boolean index. Tapes turn it into a guard.

        Raises
        ------
        SymbolicTruthError
            If the value is no constant.
        """
        node = self.node(value)
        if node.op is not CONST:
            raise SymbolicTruthError(
                f"the elements of {node!r} decide a shape and have no value here: select with np.where(mask, a, b)"
            )
        return np.asarray(node.value)

    def count_true(self, mask: Any) -> int:
        """How many elements of a boolean value are True: the length that indexing with it gives. Tapes keep a guard."""
        return int(np.count_nonzero(self.known(mask)))

    def zeros(self, shape: Shape, dtype: Any = np.float64) -> Any:
        """Zeros as a broadcast constant: no memory, whatever the size."""
        zero = self.const(np.zeros((), dtype))
        return zero if shape == () else self.broadcast_to(zero, shape)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        entry = registry.functions().get(name)
        if entry is None:
            if name.startswith("_"):
                raise AttributeError(name)
            raise UnknownNameError(f"no function named {name!r} is registered")
        bound = partial(entry.implementation, self)
        self.__dict__[name] = bound
        return bound


class Nodes(Namespace):
    """Builds graph nodes as they stand."""

    def build(self, op: Any, inputs: tuple[Any, ...], params: Params = ()) -> Any:
        """The node, or the tuple of item nodes of an op with several results."""
        node = build(op, inputs, params)
        return node if op.results == 1 else items(node)

    def lift(self, value: Any) -> Node:
        """A node as it is; anything with a ``node``; else an implicit constant."""
        if isinstance(value, Node):
            return value
        node = getattr(value, "node", None)
        return node if isinstance(node, Node) else constant(value)

    def node(self, value: Any) -> Node:
        """The node itself."""
        return value  # type: ignore[no-any-return]

    def made_by(self, value: Node) -> tuple[Any, tuple[Any, ...], Params] | None:
        """What the node holds."""
        return (value.op, value.inputs, value.params) if value.inputs else None


class Derivatives(Nodes):
    """Builds graph nodes and applies the identities of `symtape.ops.simplify` on the way."""

    simplifies = True

    def build(self, op: Any, inputs: tuple[Any, ...], params: Params = ()) -> Any:
        """The node, or a simpler equal one."""
        rule = IDENTITIES.get(op.name)
        if rule is not None:
            simpler = rule(self, inputs, params)
            if simpler is not None:
                return simpler
        return super().build(op, inputs, params)


NODES = Nodes()
DERIVATIVES = Derivatives()
