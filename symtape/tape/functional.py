"""One call of a functional transform: the callable recorded at the arguments, and the way back to the caller.

The callable is recorded anew at every call (it may branch on its arguments) on leaves of its own; what the transform
makes of the graph is evaluated by NumPy if arrays came in, or done again on the tensors that came in, so that tapes and
outer transforms see it. `st.jit` is for functions that are called often.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from symtape import pytree
from symtape.autodiff.rewrite import stable_graph
from symtape.compile.evaluate import as_array, evaluate
from symtape.errors import NotDifferentiableError, ShapeError
from symtape.graph.node import PLACEHOLDER, SYMBOLIC, Node, check_real
from symtape.graph.quantities import without_units
from symtape.graph.shapes import Shape
from symtape.ops.namespace import DERIVATIVES as B
from symtape.tape.callable_arguments import Static, is_whole
from symtape.tape.record_callable import Recorded, record
from symtape.tape.recording import active_captures
from symtape.tape.replay import assume, replay
from symtape.tape.tensor import Tensor, lift, wrap

Transformed: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Beside:
    """Auxiliary results: tensors among them are computed with the others, whatever else is handed back as it is."""

    structure: pytree.Structure
    fixed: dict[int, Any]
    tensors: int

    def rebuild(self, values: Sequence[Any]) -> Any:
        """The same structure, with values in the places of the tensors."""
        return self.structure.refill(values, self.fixed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A callable recorded at the arguments of one call.

    Attributes
    ----------
    recorded : Recorded
        Its inputs are the leaves of the differentiated arguments.
    tensors : tuple of Tensor
        What stands in the places of the inputs.
    groups : tuple of (Structure, int, int)
        Per differentiated argument its structure and where its leaves begin and end among the inputs.
    plain : bool
        Whether only arrays came in.
    aux : Beside or None
        What the callable returned beside its value.
    by : str
    """

    recorded: Recorded
    tensors: tuple[Tensor, ...]
    groups: tuple[tuple[pytree.Structure, int, int], ...]
    plain: bool
    aux: Beside | None
    by: str

    @property
    def inputs(self) -> tuple[Node, ...]:
        """Leaves of the differentiated arguments."""
        return self.recorded.inputs

    @property
    def beside(self) -> int:
        """How many of the outputs belong to what the callable returned beside its value."""
        return 0 if self.aux is None else self.aux.tensors

    @property
    def values(self) -> tuple[Node, ...]:
        """The nodes of the callable's value."""
        return self.recorded.outputs[: len(self.recorded.outputs) - self.beside]

    @property
    def auxiliary(self) -> tuple[Node, ...]:
        """The nodes of what the callable returned beside its value."""
        return self.recorded.outputs[len(self.values) :]

    def as_value(self, results: Sequence[Any]) -> Any:
        """One result for each node of the value, in the structure of the value."""
        tree = self.recorded.rebuild([*results, *[None] * self.beside])
        return tree if self.aux is None else tree[0]

    def finish(self, nodes: Sequence[Node], more: Mapping[Node, Tensor] | None = None, plain: bool = True) -> list[Any]:
        """See `finish`; ``more`` tells what stands in the places of further leaves of the nodes."""
        return finish(self.recorded, nodes, {**self.recorded.given(self.tensors), **(more or {})}, self.plain and plain)

    def per_argument(self, results: Sequence[Any], single: bool) -> Any:
        """Results per input in the structure of the arguments; not in a tuple if there is a single one."""
        trees = [structure.unflatten(list(results[a:b])) for structure, a, b in self.groups]
        return trees[0] if single else tuple(trees)


def finish(recorded: Recorded, nodes: Sequence[Node], given: Mapping[Node, Tensor], plain: bool) -> list[Any]:
    """Nodes over the inputs of a callable as what its caller gets.

    Parameters
    ----------
    recorded : Recorded
    nodes : sequence of Node
    given : mapping
        Leaves of the nodes to the tensors that stand in their places.
    plain : bool
        Whether only arrays came in.

    Returns
    -------
    list
        Arrays, and Python numbers for shape (), if only arrays came in and nothing from outside is on a tape, in a
        recording or without value; else tensors.
    """
    if (
        plain
        and not recorded.captured
        and not any(n.flags & (SYMBOLIC | PLACEHOLDER) for n in nodes)
        and not any(c.depends(n) for c in active_captures() for n in nodes)
    ):
        return [number(value) for value in evaluate(nodes)]
    assume(recorded.guards, given)
    return list(replay(nodes, given))


def number(value: Any) -> Any:
    """An evaluated value as a fresh array, or as a Python number if its shape is ()."""
    return np.asarray(value).item() if np.ndim(value) == 0 else as_array(value)


def as_positions(argnums: Any, count: int, by: str) -> tuple[int, ...]:
    """Positions of the differentiated arguments, none negative."""
    positions = tuple(argnums) if isinstance(argnums, (tuple, list)) else (argnums,)
    found: list[int] = []
    for k in positions:
        if isinstance(k, bool) or not isinstance(k, (int, np.integer)):
            raise TypeError(f"{by}: argnums must be an int or a sequence of ints, got {argnums!r}")
        if not -count <= k < count:
            raise ValueError(f"{by}: argnums names argument {k}, but {count} positional arguments were given")
        found.append(int(k) % count)
    if len(set(found)) != len(found):
        raise ValueError(f"{by}: argnums names an argument twice: {argnums!r}")
    return tuple(found)


def call(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    positions: Sequence[int],
    *,
    by: str,
    has_aux: bool = False,
) -> Call:
    """Record a callable at arguments, those at ``positions`` as inputs, the others as they are.

    Raises
    ------
    NotDifferentiableError
        If a differentiated argument holds what is no float.
    """
    prepared: list[Any] = [Static(a) for a in args]
    tensors: list[Tensor | None] = []
    found: dict[int, tuple[pytree.Structure, int, int]] = {}
    for k in sorted(positions):  # the order of the inputs
        leaves, structure = pytree.flatten(args[k], is_whole)
        inputs = [_differentiable(leaf, by, k) for leaf in leaves]
        found[k] = (structure, len(tensors), len(tensors) + len(inputs))
        tensors.extend(lift(i) if isinstance(i, Tensor) else None for i in inputs)
        prepared[k] = structure.unflatten(inputs)
    beside: list[Beside] = []

    def run(*given: Any, **named: Any) -> Any:
        result = function(*given, **named)
        if not has_aux:
            return result
        if not (isinstance(result, tuple) and len(result) == 2):
            raise TypeError(f"{by}: with has_aux=True the function must return a pair (value, aux), got {result!r}")
        value, aux = result
        leaves, structure = pytree.flatten(aux, is_whole)
        own = [v for v in leaves if isinstance(v, Tensor)]
        fixed = {k: v for k, v in enumerate(leaves) if not isinstance(v, Tensor)}
        beside[:] = [Beside(structure, fixed, len(own))]
        return value, own

    fixed_named = {k: Static(v) for k, v in kwargs.items()}
    recorded = record(run, prepared, fixed_named, by=by, pure=False, like=function)
    asked = (*recorded.inputs, *recorded.versions, *[t.node for t in recorded.captured])
    recorded = replace(recorded, outputs=tuple(stable_graph(recorded.outputs, asked)))
    others = [leaf for a in (*args, *kwargs.values()) for leaf in pytree.flatten(a, is_whole)[0]]
    return Call(
        recorded=recorded,
        tensors=tuple(wrap(n) if t is None else t for n, t in zip(recorded.inputs, tensors, strict=True)),
        groups=tuple(found[k] for k in positions),
        plain=not any(isinstance(v, Tensor) for v in others),
        aux=beside[0] if beside else None,
        by=by,
    )


def _differentiable(leaf: Any, by: str, position: int) -> Any:
    """A leaf of a differentiated argument: a tensor or an array of floats; plain integers become float64."""
    if isinstance(leaf, np.ndarray) and leaf.dtype == object:
        leaf = lift(leaf)
    if not isinstance(leaf, Tensor):
        leaf = np.asarray(without_units(leaf))
        if leaf.dtype.kind in "iu":
            leaf = leaf.astype(np.float64)
    dtype = leaf.dtype
    if dtype.kind == "c":
        check_real(dtype, f"{by}: argument {position}")
    if dtype.kind != "f":
        raise NotDifferentiableError(
            f"{by}: argument {position} holds a value of dtype {dtype}, in which nothing can be differentiated; "
            "wanted floats: convert it with np.asarray(x, float) or x.astype(float), or leave it out of argnums"
        )
    return leaf


def scalar_output(c: Call) -> Node:
    """The one scalar that the callable returned, for transforms that need it.

    Raises
    ------
    ShapeError
        If it is no scalar.
    """
    values = c.values
    if len(values) != 1 or values[0].shape != ():
        shown = ", ".join(str(v.shape) for v in values) or "nothing"
        raise ShapeError(
            f"{c.by} is defined for functions that return one scalar, got shapes {shown}; sum the result (np.sum), "
            "or use st.jacobian"
        )
    if values[0].dtype.kind != "f":
        raise NotDifferentiableError(f"{c.by}: the function returned {values[0].dtype}, wanted a float")
    return values[0]


def call_at(
    fun: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], argnums: Any, by: str, has_aux: bool
) -> tuple[Call, bool]:
    """The call with what ``argnums`` names as inputs, and whether that is one argument."""
    positions = as_positions(argnums, len(args), by)
    return call(fun, args, kwargs, positions, by=by, has_aux=has_aux), not isinstance(argnums, (tuple, list))


#: What a tape has for a transform.
_OF_TAPE = {"jacobian": "jacobian", "jacfwd": "jacobian", "jacrev": "jacobian", "hessian": "hessian"}


def dressed_as(fun: Callable[..., Any], name: str) -> Callable[[Transformed], Transformed]:
    """Give a transformed function the name and text of the one it comes from."""

    def dress(made: Transformed) -> Transformed:
        functools.update_wrapper(made, fun, assigned=("__module__", "__doc__"), updated=())
        made.__name__ = made.__qualname__ = f"{name}_of_{getattr(fun, '__name__', 'function').strip('<>')}"
        return made

    if not callable(fun):
        raise TypeError(
            f"st.{name} takes a function, got {fun!r}; of a tensor, ask the tape: "
            f"tape.{_OF_TAPE.get(name, 'gradient')}(y, x)"
        )
    return dress


def or_zeros(found: Node | None, *like: Node) -> Node:
    """A derivative, or zeros of its shape where nothing flows."""
    if found is not None:
        return found
    shape: Shape = tuple(d for node in like for d in node.shape)
    return B.zeros(shape, like[0].dtype)  # type: ignore[no-any-return]
