"""`vmap`: a function of one example as a function of a batch, by a rule of each op for one more axis; no loop."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from symtape import pytree
from symtape.autodiff.batching import batch_graph
from symtape.errors import ShapeError
from symtape.graph.node import Node, symbol
from symtape.graph.shapes import Length, normalize_axis
from symtape.graph.traverse import ancestors
from symtape.ops.namespace import NODES
from symtape.tape.callable_arguments import Spec, Static, is_whole
from symtape.tape.functional import finish
from symtape.tape.record_callable import Recorded, record
from symtape.tape.tensor import Tensor, lift


def vmap(fun: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[..., Any]:
    """A function of one example as a function of a batch of them.

    Parameters
    ----------
    fun : callable
        Of one example. It must not branch on values of it: write ``np.where``.
    in_axes : int, None, or nested
        Which axis of each positional argument holds the batch; None for an argument that is shared. One for all, or a
        tuple with one entry for each argument, nested like the argument where its leaves differ. Keyword arguments are
        batched along axis 0.
    out_axes : int, None, or nested
        Where the batch axis stands in the result; None for a result that does not depend on the batch.

    Returns
    -------
    callable
        Arrays in, arrays out; tensors or symbols in, tensors out.

    Raises
    ------
    ShapeError
        At the call, if batches differ in length.
    SymbolicTruthError
        At the call, if ``fun`` branches on an example.
    ImpureFunctionError
        At the call, if ``fun`` draws random numbers: all examples would get the same.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> st.vmap(lambda a, b: np.sum(a) * b, in_axes=(0, None))(np.ones((3, 2)), 10.0)
    array([20., 20., 20.])
    >>> st.vmap(st.grad(lambda x: x**3))(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """
    if not callable(fun):
        raise TypeError(f"st.vmap takes a function, got {fun!r}; tensors have all of NumPy's axes")

    @functools.wraps(fun, assigned=("__module__", "__doc__"), updated=())
    def batched(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = pytree.flatten((args, kwargs), is_whole)
        mapped = _mapped(in_axes, args, kwargs, leaves)
        length = _common_length(mapped)
        example = [m.example if m is not None else Static(leaf) for m, leaf in zip(mapped, leaves, strict=True)]
        recorded = record(fun, *structure.unflatten(example), by="st.vmap")
        batches = [m for m in mapped if m is not None]
        results = batch_graph(recorded.outputs, recorded.inputs, [m.in_front for m in batches], length)
        places = _places(out_axes, recorded)
        nodes = [
            _placed(node, batch, place, recorded.inputs)
            for node, batch, place in zip(recorded.outputs, results, places, strict=True)
        ]
        given = recorded.outside() | {m.stand_in: m.whole for m in batches}
        plain = not any(isinstance(leaf, Tensor) for leaf in leaves)
        return recorded.rebuild(finish(recorded, nodes, given, plain))

    batched.__name__ = batched.__qualname__ = f"vmap_of_{getattr(fun, '__name__', 'function').strip('<>')}"
    return batched


@dataclass(frozen=True, slots=True)
class _Batch:
    """An argument that holds a batch.

    Attributes
    ----------
    whole : Tensor
    axis : int
        Not negative.
    stand_in : Node
        What the graph is built on in its place: a leaf for a tensor, which stands there in the end; the constant itself
        for an array.
    """

    whole: Tensor
    axis: int
    stand_in: Node

    @property
    def length(self) -> Length:
        return self.whole.shape[self.axis]

    @property
    def example(self) -> Spec:
        shape = self.whole.shape
        return Spec(shape[: self.axis] + shape[self.axis + 1 :], self.whole.dtype)

    @property
    def in_front(self) -> Node:
        return self.stand_in if self.axis == 0 else cast(Node, NODES.moveaxis(self.stand_in, self.axis, 0))


def _mapped(in_axes: Any, args: Sequence[Any], kwargs: dict[str, Any], leaves: Sequence[Any]) -> list[_Batch | None]:
    """Per leaf of the arguments its batch, or None where it is shared."""
    if isinstance(in_axes, (tuple, list)) and len(in_axes) != len(args):
        raise ValueError(f"st.vmap: in_axes has {len(in_axes)} entries for {len(args)} positional arguments")
    per_argument = in_axes if isinstance(in_axes, (tuple, list)) else [in_axes] * len(args)
    axes: list[Any] = []
    for k, (prefix, argument) in enumerate(zip(per_argument, args, strict=True)):
        axes.extend(_spread(prefix, argument, f"st.vmap: argument {k}"))
    axes.extend([0] * (len(leaves) - len(axes)))
    found = [None if a is None else _batch(leaf, a, k) for k, (leaf, a) in enumerate(zip(leaves, axes, strict=True))]
    if not any(found):
        raise ValueError(f"st.vmap: no argument has a batch axis (in_axes={in_axes!r})")
    return found


def _spread(prefix: Any, tree: Any, where: str) -> list[Any]:
    """One axis for each leaf of a tree, from axes nested like the top of it."""
    axes, structure = pytree.flatten(prefix)
    for axis in axes:
        if axis is not None and (isinstance(axis, bool) or not isinstance(axis, (int, np.integer))):
            raise TypeError(f"{where}: a batch axis must be an int or None, got {axis!r}")
    parts = structure.match(tree, where)
    return [axis for axis, part in zip(axes, parts, strict=True) for _ in pytree.flatten(part, is_whole)[0]]


def _batch(leaf: Any, axis: int, place: int) -> _Batch:
    whole = lift(leaf)
    if not whole.shape:
        raise ShapeError(
            f"st.vmap: leaf {place} of the arguments has shape (), so no batch axis: give it in_axes=None to share it"
        )
    k = normalize_axis(axis, len(whole.shape))
    stand_in = symbol(f"batch_{place}", whole.shape, whole.dtype) if isinstance(leaf, Tensor) else whole.node
    return _Batch(whole, k, stand_in)


def _common_length(mapped: Sequence[_Batch | None]) -> Length:
    lengths = {k: m.length for k, m in enumerate(mapped) if m is not None}
    first = next(iter(lengths.values()))
    if any(n != first for n in lengths.values()):
        shown = ", ".join(f"leaf {k} of the arguments has {n}" for k, n in lengths.items())
        raise ShapeError(f"st.vmap: batches of different lengths: {shown}")
    return first


def _places(out_axes: Any, recorded: Recorded) -> list[Any]:
    """Per output where its batch axis goes, or None."""
    tree = recorded.structure.unflatten([None] * recorded.structure.size)
    axes = _spread(out_axes, tree, "st.vmap: out_axes")
    return [a for k, a in enumerate(axes) if k not in recorded.fixed]


def _placed(node: Node, batch: Node, place: int | None, inputs: Sequence[Node]) -> Node:
    if place is None:
        own = set(inputs)
        if any(n in own for n in ancestors(node)):
            raise ValueError(
                f"st.vmap: out_axes is None for a result of shape {node.shape} that depends on the batch; give it "
                "an axis"
            )
        return node
    k = normalize_axis(place, len(batch.shape))
    return batch if k == 0 else cast(Node, NODES.moveaxis(batch, 0, k))
