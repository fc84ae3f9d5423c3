"""Callables of x recorded as graphs, one for each branch that they take.

A callable is Python code: it may branch on x. A recording holds for one branch and carries guards that say where.
When the minimizer arrives where they do not hold, the callable is recorded again there, and from then on both
graphs are at hand.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from symtape.compile.program import Guard
from symtape.errors import AssumptionViolated, ConstraintError, ShapeError
from symtape.graph.node import Node
from symtape.graph.traverse import ancestors, substitute
from symtape.ops.namespace import NODES
from symtape.optimize.constraints import as_sequence, constraint_nodes, read_comparison
from symtape.optimize.graph_functions import GraphFunction, as_scalar, as_vector
from symtape.optimize.model import Block, block_of
from symtape.optimize.standard_form import Array, Degree
from symtape.optimize.unknowns import Unknowns
from symtape.tape.record_callable import Recorded, record
from symtape.tape.tensor import Tensor

_MAX_BRANCHES = 64


def guard_conditions(recorded: Recorded, mapping: Mapping[Node, Node]) -> tuple[Guard, ...]:
    """The decisions of a recording as conditions over the flat vector, for a program."""
    return tuple(
        (
            substitute((guard.condition(),), mapping)[0],
            True,
            f"another branch is taken than in the recording, at {guard.line}",
        )
        for guard in recorded.guards
    )


@dataclass(slots=True)
class RecordedFunction:
    """A callable of x, recorded branch by branch.

    Attributes
    ----------
    function : callable
        ``function(*unknowns, *args)``, most often ``function(x, *args)``.
    args : tuple
        Further arguments, as in SciPy.
    unknowns : Unknowns
        The first arguments.
    by : str
    vector : bool
        Whether values are vectors (constraints, residuals) or one number.
    shape : tuple of int or None
        What a vector has to have before it is laid out flat, or one number that stands for all.
    pick : callable
        What of the results is the function, for one that returns more.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    unknowns: Unknowns
    by: str
    vector: bool = False
    shape: tuple[int, ...] | None = None
    pick: Callable[[Any], Any] = lambda result: result
    branches: list[GraphFunction] = field(default_factory=list)

    def graph(self, x: Array, *, pure: bool = False) -> GraphFunction:
        """Record at x and keep the graph."""

        @functools.wraps(self.function)
        def picked(*arguments: Any) -> Any:
            return self.pick(self.function(*arguments))

        items = self.unknowns.items
        firsts = [x[item.place].reshape(item.shape) for item in items]
        recorded = record(picked, (*firsts, *self.args), by=self.by, single=True, pure=pure)
        places = self.unknowns.substitution()
        mapping = {own: places[item.node] for own, item in zip(recorded.inputs, items, strict=False)}
        (output,) = substitute(recorded.outputs, mapping)
        graph = GraphFunction(self.unknowns.x, self._shaped(output), guard_conditions(recorded, mapping))
        self.branches.append(graph)
        return graph

    def _shaped(self, output: Node) -> Node:
        if self.vector:
            if self.shape is not None and output.shape == ():
                output = NODES.broadcast_to(output, self.shape)
            if self.shape is not None and output.shape != self.shape:
                raise ShapeError(f"{self.by}: the model gives shape {output.shape}, the data have shape {self.shape}")
            return as_vector(output)
        return as_scalar(output, self.by)

    def degree(self) -> Degree:
        """How the function depends on x at most."""
        return self.branches[0].degree() if len(self.branches) == 1 else Degree.GENERAL

    def bind(self, values: Mapping[Node, Any]) -> BoundBranches:
        """The function with values for its parameters."""
        return BoundBranches(self, values)


class BoundBranches:
    """The same calls as `BoundFunction`, each sent to the branch that holds at x."""

    def __init__(self, source: RecordedFunction, values: Mapping[Node, Any]) -> None:
        self.source = source
        self.values = values
        self.bound = [graph.bind(values) for graph in source.branches]

    @property
    def graph(self) -> GraphFunction:
        """The graph of the branch used last."""
        return self.bound[0].graph

    def _call(self, name: str, x: Array, *rest: Array) -> Any:
        for k, bound in enumerate(self.bound):
            try:
                result = getattr(bound, name)(x, *rest)
            except AssumptionViolated:
                if len(self.bound) >= _MAX_BRANCHES:
                    raise
                continue
            if k:
                self.bound.insert(0, self.bound.pop(k))
            return result
        bound = self.source.graph(x).bind(self.values)
        self.bound.insert(0, bound)
        return getattr(bound, name)(x, *rest)

    def value(self, x: Array) -> Any:
        """See `BoundFunction.value`."""
        return self._call("value", x)

    def joint(self, x: Array) -> Any:
        """See `BoundFunction.joint`."""
        return self._call("joint", x)

    def jacobian(self, x: Array) -> Any:
        """See `BoundFunction.jacobian`."""
        return self._call("jacobian", x)

    def hessian(self, x: Array) -> Any:
        """See `BoundFunction.hessian`."""
        return self._call("hessian", x)

    def product(self, x: Array, direction: Array) -> Any:
        """See `BoundFunction.product`."""
        return self._call("product", x, direction)

    def curvature(self, x: Array, weights: Array) -> Any:
        """See `BoundFunction.curvature`."""
        return self._call("curvature", x, weights)

    def bend(self, x: Array, weights: Array, direction: Array) -> Any:
        """See `BoundFunction.bend`."""
        return self._call("bend", x, weights, direction)


def parameter_name(function: Callable[..., Any], position: int = 0) -> str:
    """The name of a callable's parameter, ``x`` where it has none."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return "x"
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return named[position] if position < len(named) else "x"


def recorded_constraints(subject_to: Any, args: tuple[Any, ...], unknowns: Unknowns, x: Array, by: str) -> list[Block]:
    """Blocks from a callable ``subject_to(x, *args)`` that returns comparisons.

    Parameters
    ----------
    subject_to : callable or empty sequence
    args : tuple
    unknowns : Unknowns
        One item: x.
    x : ndarray of shape (n,)
    by : str

    Returns
    -------
    list of Block

    Raises
    ------
    TypeError
        If it is not a callable: with a callable objective there are no tensors yet that could be compared.
    """
    if not callable(subject_to) or isinstance(subject_to, Tensor):
        if as_sequence(subject_to):
            raise TypeError(
                f"{by}: fun is a callable, so its x is no tensor that could stand in subject_to; give a callable that "
                "returns the comparisons, subject_to=lambda x: [x[0] + x[1] >= 1]"
            )
        return []
    (item,) = unknowns.items

    @functools.wraps(subject_to)
    def compared(*arguments: Any) -> list[Tensor]:
        items = as_sequence(subject_to(*arguments))
        constraint_nodes(items)
        return items

    recorded = record(compared, (x.reshape(item.shape), *args), by=f"{by} (subject_to)")
    own = recorded.inputs[0]
    if recorded.guards:
        raise ConstraintError(
            f"{by}: subject_to branches on x, at {recorded.guards[0].line}; write np.where for what depends on x"
        )
    local = Unknowns((dataclasses.replace(item, node=own),), unknowns.x)

    def depends(node: Node) -> bool:
        return any(below is own for below in ancestors(node))

    return [
        block_of(found, local)
        for k, node in enumerate(recorded.outputs)
        for found in read_comparison(node, f"subject_to[{k}]", depends)
    ]
